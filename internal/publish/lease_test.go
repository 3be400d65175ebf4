package publish_test

import (
	"context"
	"net"
	"net/http"
	"strings"
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

// TestSleepsWhileItConnects has a machine fall asleep after it has looked at its lease for the last time before a
// request, and before that leaves. Others finish the delivery meanwhile.
func TestSleepsWhileItConnects(t *testing.T) {
	for _, account := range []string{gts, fedi, bsky} {
		t.Run(account, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: ["+account+"]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")})
			slept := false
			transport := w.http.Transport.(*http.Transport).Clone()
			dial := transport.DialContext
			transport.DisableKeepAlives = true
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err == nil && !slept && len(w.texts(account)) == 2 {
					slept = true
					w.clock.Advance(11 * time.Minute)
					w.run(w.clone())
					w.clock.Advance(3 * time.Minute)
					w.run(w.clone())
				}
				return conn, err
			}
			report := w.runAs(w.clone(), setup{desk: func(d *publish.Desk) { d.HTTP = &http.Client{Transport: transport} }})
			if !slept {
				t.Fatal("the machine did not sleep")
			}
			t.Log(results(report))
			w.settle()
			w.exactlyOnce(3, account)
		})
	}
}

// TestPagesAreReadThoughRequestsAreLeashed has a publisher read the page that a post links to, with its own rules for
// which addresses it may dial.
func TestPagesAreReadThoughRequestsAreLeashed(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: ["+bsky+"]\nlink: "+"https://127.0.0.1:1/page\n", "Read this.")})
	w.runAs(w.clone(), setup{desk: func(d *publish.Desk) {
		d.HTTP, d.AllowPrivate = &http.Client{Transport: w.http.Transport}, false
	}})
	w.exactlyOnce(1, bsky)
	w.logMu.Lock()
	defer w.logMu.Unlock()
	if log := w.log.String(); !strings.Contains(log, "127.0.0.1 is a private address") || strings.Contains(log, "cannot be checked") {
		t.Errorf("the page was not asked for:\n%s", log)
	}
}
