package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

var (
	serverDown = fakenet.Plan{Fault: fakenet.ServerError, Count: -1}
	allWell    = fakenet.Plan{}
)

// ledgerTip returns where the remote's ledger is, "" when there is none.
func (w *world) ledgerTip() gitrepo.Hash {
	w.t.Helper()
	tip, err := w.bare.Ref("refs/heads/postrider/ledger")
	if err != nil {
		w.t.Fatal(err)
	}
	return tip
}

// inject breaks the next creating request of every network, after the first skip ones.
func (w *world) inject(f fakenet.Fault, skip int) {
	for _, fake := range w.fakes {
		fake.Inject(fakenet.Plan{Fault: f, Skip: skip, Hang: time.Nanosecond, Elsewhere: "http://127.0.0.1:1/elsewhere"})
	}
}

// TestFaults breaks the one creating request of a post on every network in every way.
func TestFaults(t *testing.T) {
	// What is known after the run in which the fault strikes; all posts are out once the fault is gone.
	const published, unknown = "published", "unknown"
	outcomes := map[fakenet.Fault]map[string]string{
		fakenet.TimeoutAfterAccept:     {bsky: published, fedi: published, gts: published, hook: unknown},
		fakenet.SlowAnswer:             {bsky: published, fedi: published, gts: published, hook: published},
		fakenet.LateAccept:             {bsky: published, fedi: published, gts: published, hook: published},
		fakenet.ResetBefore:            {bsky: unknown, fedi: unknown, gts: unknown, hook: unknown},
		fakenet.HalfRequest:            {bsky: unknown, fedi: unknown, gts: unknown, hook: unknown},
		fakenet.ResetAfterAccept:       {bsky: published, fedi: published, gts: published, hook: unknown},
		fakenet.HalfResponse:           {bsky: published, fedi: published, gts: published, hook: unknown},
		fakenet.Garbage:                {bsky: published, fedi: published, gts: published, hook: unknown},
		fakenet.Refuse:                 {bsky: "rejected", fedi: "rejected", gts: "rejected", hook: "rejected"},
		fakenet.RateLimit:              {bsky: "limited", fedi: "limited", gts: "limited", hook: "limited"},
		fakenet.ExpiredSession:         {bsky: published, fedi: "denied", gts: "denied", hook: "denied"},
		fakenet.ExpiredToken:           {bsky: "denied", fedi: "denied", gts: "denied", hook: "denied"},
		fakenet.Forbidden:              {bsky: "denied", fedi: "denied", gts: "denied", hook: "denied"},
		fakenet.ServerError:            {bsky: unknown, fedi: unknown, gts: unknown, hook: unknown},
		fakenet.ServerErrorAfterAccept: {bsky: published, fedi: published, gts: published, hook: unknown},
		fakenet.Redirect:               {bsky: "denied", fedi: "denied", gts: "denied", hook: "denied"},
		fakenet.UploadLost:             {bsky: published, fedi: published, gts: published, hook: published}, // there is no file
		fakenet.UploadLimit:            {bsky: published, fedi: published, gts: published, hook: published},
	}
	for _, doc := range fakenet.AllFaults() {
		t.Run(string(doc.Fault), func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
			w.inject(doc.Fault, 0)
			report := w.run(w.here())
			got := map[string]string{}
			for _, d := range report.Deliveries {
				got[d.Account] = d.Outcome
				if !d.OK() && (d.Err == nil || d.Err.Error() == "") {
					t.Errorf("%s failed and does not say why", d.Account)
				}
			}
			same(t, "outcomes", got, outcomes[doc.Fault])
			for account, outcome := range outcomes[doc.Fault] {
				want := 0
				if doc.Accepts || outcome == published {
					want = 1
				}
				w.created(want, account)
			}
			w.inject(fakenet.None, 0) // a token that nobody posts with stays expired
			if doc.Fault == fakenet.Refuse {
				w.settle()
				w.created(0)
				w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello again.")})
			}
			w.settle()
			w.exactlyOnce(1)
			for id, r := range w.records() {
				if r.State != ledger.Published {
					t.Errorf("%s is %s in the end", id, r.State)
				}
			}
		})
	}
}

// TestFaultsInsideThread breaks the second part of a thread of three in every way.
func TestFaultsInsideThread(t *testing.T) {
	for _, doc := range fakenet.AllFaults() {
		t.Run(string(doc.Fault), func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [bsky, fedi, gts]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")})
			w.inject(doc.Fault, 1)
			report := w.run(w.here())
			for _, d := range report.Deliveries {
				fine := doc.Uploads || doc.Fault == fakenet.SlowAnswer || doc.Fault == fakenet.LateAccept || doc.Fault == fakenet.ExpiredSession && d.Account == bsky
				if doc.Fault != fakenet.ExpiredToken && (d.OK() != fine || len(d.Parts) == 0) {
					t.Errorf("%s: %s with the parts %v", d.Account, d.Outcome, d.Parts)
				}
			}
			if doc.Fault == fakenet.ExpiredToken { // on the fakes it kills reading as well, and Bluesky gets a new one
				w.inject(fakenet.None, 0)
			}
			if doc.Fault == fakenet.Refuse { // the network does not like the second part
				w.settle()
				w.created(1, bsky, fedi, gts)
				w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [bsky, fedi, gts]\n", "One.\n\n---\n\nTwo, mended.\n\n---\n\nThree.")})
			}
			w.settle()
			w.exactlyOnce(3, bsky, fedi, gts)
			for _, account := range []string{bsky, fedi, gts} {
				w.threaded(account)
			}
		})
	}
}

// threaded fails the test unless an account's posts are one thread, each part answering the one before.
func (w *world) threaded(account string) {
	w.t.Helper()
	posts := w.fakes[account].Posts()
	for i, p := range posts {
		switch {
		case i == 0 && p.Parent != "":
			w.t.Errorf("%s: the first part answers %s", account, p.Parent)
		case i > 0 && (p.Parent != posts[i-1].ID || p.Root != posts[0].ID):
			w.t.Errorf("%s: part %d answers %q in the thread of %q, want %q and %q", account, i, p.Parent, p.Root, posts[i-1].ID, posts[0].ID)
		}
	}
}

// TestCrash kills the machine at each step of a run. Another machine takes over once the lease has ended, or
// at once where the process is proved dead.
func TestCrash(t *testing.T) {
	steps := map[string]func() func(r *http.Request, answered bool) bool{
		"after the claim, before any request": func() func(*http.Request, bool) bool {
			return func(*http.Request, bool) bool { return true }
		},
		"after the first post was accepted": func() func(*http.Request, bool) bool {
			return func(r *http.Request, answered bool) bool { return answered && creates(r) }
		},
		"before the second post": func() func(*http.Request, bool) bool {
			var mu sync.Mutex
			n := 0
			return func(r *http.Request, answered bool) bool {
				if answered || !creates(r) {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				n++
				return n == 2
			}
		},
		"in the middle of a thread": func() func(*http.Request, bool) bool {
			var mu sync.Mutex
			n := map[string]int{}
			return func(r *http.Request, answered bool) bool {
				if !answered || !creates(r) {
					return false
				}
				mu.Lock()
				defer mu.Unlock()
				n[r.URL.Host]++
				return n[r.URL.Host] == 3
			}
		},
	}
	for name, step := range steps {
		for _, owner := range []string{"", "dead"} {
			t.Run(name+", owner "+owner, func(t *testing.T) {
				w := newWorld(t, map[string]string{
					"a": post("aaaa1111", "", "Hello."), "b": post("bbbb2222", "platforms: [bsky, fedi, gts]\n", "One.\n\n---\n\nTwo."),
				})
				w.crash(owner, step())
				if owner == "" {
					w.clock.Advance(time.Minute)
					if report := w.run(w.clone()); len(report.Deliveries) != 0 {
						t.Errorf("another run touched what is leased: %v", results(report))
					}
					w.clock.Advance(10 * time.Minute)
				}
				w.run(w.clone())
				w.settle()
				w.exactlyOnce(3, bsky, fedi, gts)
				w.exactlyOnce(1, hook)
				for id, r := range w.records() {
					if r.State != ledger.Published {
						t.Errorf("%s is %s in the end", id, r.State)
					}
				}
			})
		}
	}
}

// TestCrashBeforeTheResultsArePushed kills the machine when everything is out and nothing recorded.
func TestCrashBeforeTheResultsArePushed(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello."), "b": post("bbbb2222", "", "World.")})
	var plug func()
	var mu sync.Mutex
	n := 0
	report, err := w.try(w.clone(), setup{after: func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if creates(r) {
			n++
		}
		if plug == nil && n == 8 {
			plug = w.unplug()
		}
	}})
	if err != nil || report.RecordErr == nil {
		t.Fatalf("%v, results: %v", err, report.RecordErr)
	}
	plug()
	w.created(2)
	w.clock.Advance(11 * time.Minute)
	w.run(w.clone())
	w.settle()
	w.exactlyOnce(2)
}

// TestRemoteDownAfterTheClaim keeps results in the clone until the remote is back.
func TestRemoteDownAfterTheClaim(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	repo := w.clone()
	var once sync.Once
	var plug func()
	report, err := w.try(repo, setup{before: func(*http.Request) { once.Do(func() { plug = w.unplug() }) }})
	if err != nil {
		t.Fatal(err)
	}
	if !isNotPushed(report.RecordErr) {
		t.Errorf("results could not be pushed, and the report says %v", report.RecordErr)
	}
	if _, err := w.try(repo, setup{}); err == nil {
		t.Error("a run without the remote")
	}
	plug()
	w.clock.Advance(time.Minute)
	if again := w.run(repo); len(again.Deliveries) != 0 || again.Settled != 4 {
		t.Errorf("the next run: %v, %d settled, waiting %v", results(again), again.Settled, waiting(again))
	}
	w.exactlyOnce(1)
	for id, r := range w.records() {
		if r.State != ledger.Published {
			t.Errorf("%s is %s", id, r.State)
		}
	}
}

// TestManyAtOnce runs several publishers on one site, each in a clone of its own.
func TestManyAtOnce(t *testing.T) {
	for _, n := range []int{2, 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			posts := map[string]string{}
			for i := range 3 {
				posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "", fmt.Sprintf("Number %d.", i))
			}
			w := newWorld(t, posts)
			desks := make([]*publish.Desk, n)
			for i := range desks {
				var err error
				if desks[i], err = w.open(w.clone(), setup{}); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			reports := make([]*publish.Report, n)
			errs := make([]error, n)
			for i, d := range desks {
				wg.Go(func() { reports[i], errs[i] = d.Do(t.Context()) })
			}
			wg.Wait()
			made := 0
			for i := range desks {
				if errs[i] != nil {
					t.Errorf("publisher %d: %v", i, errs[i])
				}
				made += len(reports[i].Deliveries)
			}
			if made != 12 {
				t.Errorf("%d deliveries were made, want 12", made)
			}
			w.exactlyOnce(3)
		})
	}
}

// TestStopLetsTheRestUnsent stops a run during its first delivery.
func TestStopLeavesTheRestUnsent(t *testing.T) {
	posts := map[string]string{}
	for i := range 3 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [fedi]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newWorld(t, posts)
	stop := make(chan struct{})
	var once sync.Once
	report := w.runAs(w.here(), setup{
		desk: func(d *publish.Desk) { d.Stop = stop },
		before: func(r *http.Request) {
			if creates(r) {
				once.Do(func() { close(stop) })
			}
		},
	})
	same(t, "deliveries", results(report), []string{"pppp0000@fedi published", "pppp0001@fedi unsent", "pppp0002@fedi unsent"})
	for id, r := range w.records() {
		if r.Lease != nil {
			t.Errorf("%s keeps its lease", id)
		}
	}
	w.run(w.here())
	w.exactlyOnce(3, fedi)
}

// TestStopNeverForgetsAnUnknownOutcome stops the run that was to look for what a crashed one has left.
func TestStopNeverForgetsAnUnknownOutcome(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.crash("dead", func(r *http.Request, answered bool) bool {
		return answered && creates(r) && strings.HasPrefix("http://"+r.URL.Host, w.urls[gts])
	})
	stop := make(chan struct{})
	close(stop)
	w.runAs(w.here(), setup{desk: func(d *publish.Desk) { d.Stop = stop }})
	if got := w.state("aaaa1111@gts"); got != ledger.Unknown {
		t.Errorf("a post that may be out is %s", got)
	}
	w.settle()
	w.exactlyOnce(1)
}

// TestLongRunRenewsItsLease makes deliveries that take longer than a lease.
func TestLongRunRenewsItsLease(t *testing.T) {
	posts := map[string]string{}
	for i := range 4 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [gts]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newWorld(t, posts)
	other := w.clone()
	report := w.runAs(w.clone(), setup{after: func(r *http.Request) {
		if !creates(r) {
			return
		}
		w.clock.Advance(5*time.Minute + time.Second)
		w.flushed()
		if report := w.run(other); len(report.Deliveries) != 0 {
			t.Errorf("another run: %v", results(report))
		}
	}})
	if report.Failed() > 0 || len(report.Deliveries) != 4 {
		t.Errorf("%v", results(report))
	}
	w.exactlyOnce(4, gts)
}

// flushed lets the running run write to its ledger, and returns when that has reached the remote.
func (w *world) flushed() {
	w.t.Helper()
	before := w.ledgerTip()
	w.clock.tick()
	for w.ledgerTip() == before {
		runtime.Gosched()
	}
}

// TestLeaseThatCouldNotBeRenewedEnds cuts a long run off from the remote: it must not begin anything more, since its lease
// ends there, and by the clocks of others may have ended already.
func TestLeaseThatCouldNotBeRenewedEnds(t *testing.T) {
	posts := map[string]string{}
	for i := range 4 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [gts]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newWorld(t, posts)
	var plug func()
	n := 0
	w.runAs(w.clone(), setup{after: func(r *http.Request) {
		if n++; n > 1 {
			return
		}
		plug = w.unplug() // most of the lease has passed, and its renewal fails
		w.clock.Advance(5*time.Minute + time.Second)
		w.clock.tick()
		w.logged("results are not in the ledger yet")
	}})
	if n != 1 {
		t.Errorf("%d requests, want the one that was made before the remote was gone", n)
	}
	w.created(1, gts)
	plug()
	w.clock.Advance(5 * time.Minute)
	w.run(w.clone())
	w.settle()
	w.exactlyOnce(4, gts)
}

func isNotPushed(err error) bool {
	_, ok := errors.AsType[*gitledger.NotPushedError](err)
	return ok
}

// logged returns once a run has logged a text.
func (w *world) logged(text string) {
	for {
		w.logMu.Lock()
		found := bytes.Contains(w.log.Bytes(), []byte(text))
		w.logMu.Unlock()
		if found {
			return
		}
		runtime.Gosched()
	}
}

// TestRequestStillOnItsWay loses sight of a request that the network carries out a minute later. A run in between
// does not find it, and must not take that for a proof.
func TestRequestStillOnItsWay(t *testing.T) {
	for name, text := range map[string]string{"post": "Hello.", "second part": "One.\n\n---\n\nTwo."} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi, gts]\n", text)})
			parts := strings.Count(text, "---") + 1
			var mu sync.Mutex
			n := map[string]int{}
			var late []*http.Request
			w.runAs(w.here(), setup{broken: func(r *http.Request) bool {
				mu.Lock()
				defer mu.Unlock()
				if !creates(r) {
					return false
				}
				if n[r.URL.Host]++; n[r.URL.Host] < parts {
					return false
				}
				again := r.Clone(context.WithoutCancel(r.Context()))
				body, err := r.GetBody()
				if err != nil {
					t.Error(err)
				}
				again.Body, again.RequestURI = body, ""
				late = append(late, again)
				return true
			}})
			w.clock.Advance(30 * time.Second)
			w.run(w.here())
			for _, r := range late {
				resp, err := w.http.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
			}
			w.settle()
			w.exactlyOnce(parts, fedi, gts)
		})
	}
}

// TestRunsThatFollowClosely settles an unknown outcome although runs that find nothing follow each other closely.
func TestRunsThatFollowClosely(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\n", "Hello.")})
	w.inject(fakenet.ResetBefore, 0)
	repo := w.here()
	for range 3 {
		w.run(repo)
		w.clock.Advance(time.Minute)
	}
	w.exactlyOnce(1, gts)
}

// TestFastClockBesideARun has a run with a clock that is a day fast, to which every lease has ended, look at what
// another is doing.
func TestFastClockBesideARun(t *testing.T) {
	posts := map[string]string{}
	for i := range 4 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "late: publish\n", fmt.Sprintf("Number %d.", i))
	}
	for name, slow := range map[string]bool{"quick run": false, "slow run": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, posts)
			n := 0
			fast := func(w *world) {
				w.shift = 24 * time.Hour
				w.run(w.clone())
				w.shift = 0
			}
			w.runAs(w.clone(), setup{after: func(r *http.Request) {
				if !creates(r) || !strings.HasPrefix("http://"+r.URL.Host, w.urls[gts]) {
					return
				}
				switch n++; {
				case n == 1:
					fast(w)
				case n == 2 && slow: // the fast one comes back, and now takes for proved that they are not out
					w.clock.Advance(lookEvery)
					w.clock.tick()
					w.logged("another run has taken this delivery over")
					w.clock.Advance(settleTime)
					fast(w)
				}
			}})
			w.clock.Advance(25 * time.Hour)
			w.settle()
			w.exactlyOnce(4)
		})
	}
}

const (
	lookEvery  = 20 * time.Second
	settleTime = 2 * time.Minute
)
