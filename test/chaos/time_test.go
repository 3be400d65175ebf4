//go:build unix

package chaos_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// TestClocks gives machines wrong clocks.
func TestClocks(t *testing.T) {
	var all []scenario
	for _, skew := range []time.Duration{24 * time.Hour, -time.Hour} {
		// What a fast clock has written into the ledger, it has written for tomorrow.
		tomorrow := func(play func(*world)) func(*world) {
			return func(w *world) {
				play(w)
				w.clock.advance(max(skew, 0))
			}
		}
		name := map[bool]string{true: "a clock that is a day fast", false: "a clock that is an hour slow"}[skew > 0]
		all = append(all,
			scenario{"time: " + name, tomorrow(func(w *world) {
				w.writeLate(mixture()...)
				w.publish(w.clone(), machine{skew: skew})
			})},
			scenario{"time: " + name + ", on one of two machines that publish at once", tomorrow(func(w *world) {
				w.writeLate(mixture()...)
				b := newBarrier()
				wrong, right := w.start(w.clone(), machine{skew: skew, start: b}), w.start(w.clone(), machine{start: b})
				b.open()
				wrong.wait()
				right.wait()
			})},
			// The other machine takes the lease for one that has ended or will not end for long, while the request is on its way.
			scenario{"time: " + name + ", while a request of the right one is on its way", tomorrow(atWork(machine{anonymous: true}, machine{skew: skew}))},
			scenario{"time: " + name + ", while its request is on its way", tomorrow(atWork(machine{anonymous: true, skew: skew}, machine{}))},
			scenario{"time: " + name + ", on a machine that dies", tomorrow(func(w *world) {
				w.writeLate(mixture()...)
				held := w.networks[gts].stopAt(accepted, 2)
				w.startUntil(held, w.clone(), machine{skew: skew, anonymous: true}).kill()
				held.release(abort)
				w.publish(w.clone(), machine{})
			})},
		)
	}
	play(t, all...)
}

// atWork has one machine wait for an answer while another comes and goes, twice.
func atWork(one, other machine) func(*world) {
	return func(w *world) {
		w.writeLate(mixture()...)
		one.patient = true
		held := w.networks[gts].stopAt(arrived, 2)
		run := w.startUntil(held, w.clone(), one)
		dir := w.clone()
		w.publish(dir, other)
		w.clock.advance(30 * time.Second)
		w.publish(dir, other)
		held.release(pass)
		run.wait()
	}
}

// writeLate merges posts that are due by every clock, and go out however late they are found.
func (w *world) writeLate(posts ...*post) {
	w.t.Helper()
	for _, p := range posts {
		if p.due.Before(start) && !p.due.IsZero() {
			p.due = start.Add(-2 * time.Hour)
		}
		p.head += "late: publish\n"
	}
	w.write(posts...)
}

// TestLongRuns has runs take longer than the time to the next.
func TestLongRuns(t *testing.T) {
	play(t,
		scenario{"time: a run that takes longer than the time to the next", func(w *world) {
			w.write(mixture()...)
			held := w.networks[gts].stopAt(accepted, 2)
			run := w.startUntil(held, w.clone(), machine{anonymous: true, patient: true})
			dir := w.clone()
			for range 6 { // the lease is renewed all the while
				w.clock.advance(5*time.Minute + 10*time.Second)
				w.leased()
				r := w.publish(dir, machine{})
				for _, d := range r.report.Deliveries {
					if d.Post != "late0005" { // which came due meanwhile
						w.t.Errorf("another run touches what is leased: %s", show(d))
					}
				}
			}
			held.release(pass)
			run.wait()
		}},
		scenario{"time: a lease ends while its run is suspended", suspended(answered, 4)}, // inside a thread
		scenario{"time: a lease ends while its run is suspended", suspended(accepted, 2)},
		scenario{"time: a lease ends while its run is suspended", suspended(answered, 2)},
		scenario{"time: a lease ends while its run is cut off from the remote", func(w *world) {
			w.write(mixture()...)
			held := w.networks[gts].stopAt(accepted, 2)
			run := w.startUntil(held, w.clone(), machine{anonymous: true, patient: true})
			w.unplug()
			w.clock.advance(6 * time.Minute)
			run.logged("results are not in the ledger yet")
			w.clock.advance(5 * time.Minute)
			w.plug()
			w.publish(w.clone(), machine{})
			held.release(pass)
			run.wait()
		}},
	)
}

// leased waits until the remote's ledger knows a lease that lasts for a while, of any delivery that is being made.
func (w *world) leased() {
	w.t.Helper()
	w.until("a lease is renewed", func() bool {
		for _, r := range w.records() {
			if r.Lease != nil && r.Lease.Until.Sub(w.clock.now()) > 6*time.Minute {
				return true
			}
		}
		return false
	})
}

// until waits for something that must happen.
func (w *world) until(what string, happened func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// logged waits until a run has logged a text.
func (p *publisher) logged(text string) {
	p.w.t.Helper()
	p.w.until(text, func() bool {
		b, err := os.ReadFile(p.err.Name())
		return err == nil && bytes.Contains(b, []byte(text))
	})
}

// suspended stops a machine for half an hour; another takes over meanwhile.
func suspended(at phase, nth int) func(*world) {
	return func(w *world) {
		w.write(mixture()...)
		held := w.networks[gts].stopAt(at, nth)
		run := w.startUntil(held, w.clone(), machine{anonymous: true, patient: true})
		run.pause()
		held.release(pass)
		dir := w.clone()
		for range 3 {
			w.clock.advance(11 * time.Minute)
			w.publish(dir, machine{})
		}
		run.resume()
		run.wait()
	}
}

// TestSummerTime plans posts into hours that a change of the clocks leaves out or has twice.
func TestSummerTime(t *testing.T) {
	var all []scenario
	for name, night := range map[string]time.Time{
		"time: the hour that is left out": time.Date(2027, 3, 28, 0, 0, 0, 0, time.UTC),
		"time: the hour that comes twice": time.Date(2027, 10, 31, 0, 0, 0, 0, time.UTC),
	} {
		all = append(all, scenario{name, func(w *world) {
			w.clock.set(night.Add(-6 * time.Hour))
			var posts []*post
			for i, at := range []string{"01:45", "02:00", "02:30", "03:00", "03:15"} {
				p := single("dsts000" + string(rune('1'+i)))
				p.due, p.head = time.Time{}, "publish_at: "+night.Format("2006-01-02 ")+at+"\n"
				posts = append(posts, p)
			}
			w.write(posts...)
			dir := w.clone()
			w.publish(dir, machine{})
			w.nothingWasSent()
			w.clock.set(night.Add(-30 * time.Minute))
			for range 8 {
				w.publish(dir, machine{})
				w.clock.advance(20 * time.Minute)
			}
			for _, p := range posts { // a time that does not exist is nothing to guess: the writer names another
				p.head = strings.NewReplacer(" 02:00", " 04:30", " 02:30", " 04:30").Replace(p.head)
			}
			w.write(posts...)
		}})
	}
	play(t, all...)
}
