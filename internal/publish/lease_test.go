package publish_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/publish"
)

// TestSleepsInsideAThread has a machine sleep in the middle of a thread until its lease is over. Another run finishes
// the thread meanwhile. When the machine wakes up, it must not go on where it was.
func TestSleepsInsideAThread(t *testing.T) {
	for _, account := range []string{gts, fedi, bsky, hook} {
		t.Run(account, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: ["+account+"]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")})
			slept := false
			report := w.runAs(w.clone(), setup{after: func(r *http.Request) {
				if slept || !creates(r) {
					return
				}
				slept = true
				w.clock.Advance(11 * time.Minute)
				w.run(w.clone())
				w.clock.Advance(3 * time.Minute)
				w.run(w.clone())
			}})
			if !slept {
				t.Fatal("the machine did not sleep")
			}
			t.Log(results(report))
			w.settle()
			w.exactlyOnce(3, account)
		})
	}
}

// TestSleepsBehindASlowClock has a machine whose clock is slow fall asleep when its intent is pushed. By the clocks of
// others its lease ends while it sleeps, and another run sends what it has claimed; by its own, it does not.
func TestSleepsBehindASlowClock(t *testing.T) {
	for _, account := range []string{gts, fedi, bsky, hook} {
		t.Run(account, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: ["+account+"]\n", "Hello.")})
			slept := false
			w.shift = -7 * time.Minute
			w.runAs(w.clone(), setup{desk: func(d *publish.Desk) {
				d.Progress = func(publish.Event) {
					if slept {
						return
					}
					slept = true
					w.shift = 0
					w.clock.Advance(4 * time.Minute)
					w.run(w.clone())
					w.clock.Advance(130 * time.Second)
					w.run(w.clone())
				}
			}})
			if !slept {
				t.Fatal("the machine did not sleep")
			}
			w.settle()
			w.exactlyOnce(1, account)
		})
	}
}
