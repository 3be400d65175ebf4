//go:build unix

package chaos_test

import (
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// TestFaults has every network fail in every way, some at their first post and some inside a thread; in the long form
// all of them at every position.
func TestFaults(t *testing.T) {
	positions := [][]int{{0, 3}, {0}, {1}, {2}, {3}, {4}, {5}}
	var all []scenario
	for i, doc := range fakenet.AllFaults() {
		for _, skip := range positions {
			all = append(all, scenario{"network: " + string(doc.Fault), func(w *world) {
				w.write(mixture()...)
				for j, account := range accounts {
					w.fault(account, doc.Fault, skip[(i+j)%len(skip)], 1)
				}
				w.publish(w.clone(), machine{})
				if doc.Fault == fakenet.Refuse {
					w.mend()
				}
			}})
		}
	}
	play(t, all...)
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
