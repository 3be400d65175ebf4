//go:build unix

package chaos_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// TestFaults has networks fail in every way, at the first post and inside a thread: in the short form each in another way,
// in the long form all of them in each way at every position.
func TestFaults(t *testing.T) {
	faults := fakenet.AllFaults()
	var all []scenario
	if !*long {
		for first := 0; first < len(faults); first += len(accounts) {
			name := fmt.Sprintf("network: faults from %s on", faults[first].Fault)
			all = append(all, scenario{name, failing(func(j int) (fakenet.Fault, int) {
				return faults[(first+j)%len(faults)].Fault, 3 * (j % 2)
			})})
		}
		play(t, all...)
		return
	}
	for _, doc := range faults {
		for skip := range 6 {
			all = append(all, scenario{"network: " + string(doc.Fault), failing(func(int) (fakenet.Fault, int) { return doc.Fault, skip })})
		}
	}
	play(t, all...)
}

// failing has the network of account number j fail once, in a way and after so many posts as fault says.
func failing(fault func(j int) (fakenet.Fault, int)) func(*world) {
	return func(w *world) {
		w.write(mixture()...)
		refused := false
		for j, account := range accounts {
			f, skip := fault(j)
			w.fault(account, f, skip, 1)
			refused = refused || f == fakenet.Refuse
		}
		w.publish(w.clone(), machine{})
		if refused {
			w.mend()
		}
	}
}

// mend edits every post, as a writer does whose posts were refused, once the networks are well again.
func (w *world) mend() {
	w.t.Helper()
	for _, n := range w.networks {
		n.heal()
	}
	w.edit()
}

// TestConnections takes networks away and breaks connections at all times.
func TestConnections(t *testing.T) {
	play(t,
		scenario{"network: connections are refused", func(w *world) {
			w.write(mixture()...)
			for _, n := range w.networks {
				n.down()
			}
			w.publish(w.clone(), machine{})
		}},
		scenario{"network: connections are refused from some moment on", func(w *world) {
			w.write(mixture()...)
			held := w.networks[gts].stopAt(answered, 2)
			run := w.startUntil(held, w.clone(), machine{})
			for _, n := range w.networks {
				n.down()
			}
			held.release(pass)
			run.wait()
		}},
		scenario{"network: everything is down for an hour", func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			for _, n := range w.networks {
				n.down()
			}
			for range 6 {
				w.publish(dir, machine{})
				w.clock.advance(10 * time.Minute)
			}
		}},
		scenario{"network: reset before the body", resets(opened, 1)},
		scenario{"network: reset before the body", resets(opened, 4)},
		scenario{"network: reset after the body", resets(arrived, 1)},
		scenario{"network: reset after the body", resets(arrived, 4)},
		scenario{"network: reset instead of the answer", resets(accepted, 1)},
		scenario{"network: reset instead of the answer", resets(accepted, 4)},
		scenario{"network: the files are there and the post is not", func(w *world) {
			p := single("pict0003")
			p.picture = true
			w.write(p)
			for _, account := range accounts {
				w.networks[account].stopAt(arrived, 1).release(abort)
			}
			w.publish(w.clone(), machine{})
		}},
		scenario{"network: killed between the files and the post", func(w *world) {
			p := single("pict0003")
			p.picture, p.accounts = true, []string{fedi}
			w.write(p)
			held := w.networks[fedi].stopAt(arrived, 1)
			w.startUntil(held, w.clone(), machine{}).kill()
		}},
		scenario{"network: the session ends in the middle of the run", func(w *world) {
			w.write(mixture()...)
			held := w.networks[bsky].stopAt(answered, 2)
			run := w.startUntil(held, w.clone(), machine{})
			w.networks[bsky].fake.(interface{ ExpireTokens() }).ExpireTokens()
			held.release(pass)
			run.wait()
		}},
	)
}

// resets breaks the connection of the nth creating request of every account at a point.
func resets(at phase, nth int) func(*world) {
	return func(w *world) {
		w.write(mixture()...)
		for _, account := range accounts {
			w.networks[account].stopAt(at, nth).release(abort)
		}
		w.publish(w.clone(), machine{})
	}
}

// TestSlowNetworks has networks answer when nobody waits any more.
func TestSlowNetworks(t *testing.T) {
	late := func(at phase, nth int, after time.Duration) func(*world) {
		return func(w *world) {
			w.write(mixture()...)
			dir := w.clone()
			var held []*stop
			for _, account := range accounts {
				held = append(held, w.networks[account].stopAt(at, nth))
			}
			w.publish(dir, machine{})
			if after > 0 { // a run in between looks for what is still on its way
				w.clock.advance(after / 2)
				w.publish(dir, machine{})
				w.clock.advance(after / 2)
			}
			for _, s := range held {
				s.release(pass)
			}
		}
	}
	play(t,
		scenario{"network: the answer comes after the deadline", late(accepted, 1, 0)},
		scenario{"network: the answer comes after the deadline", late(accepted, 4, 0)},
		scenario{"network: carried out after the deadline", late(arrived, 1, 0)},
		scenario{"network: carried out after the deadline", late(arrived, 4, 0)},
		scenario{"network: carried out a minute later, after another run has looked", late(arrived, 1, time.Minute)},
		scenario{"network: carried out a minute later, after another run has looked", late(arrived, 4, time.Minute)},
	)
}
