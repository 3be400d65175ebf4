package publish_test

import (
	"net/http"
	"testing"
	"time"
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
