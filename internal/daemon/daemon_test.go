package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postrider/postrider/internal/forge/inbound"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/secret"
)

// fake is a site whose posts are due at given times, and which notes what is done to it.
type fake struct {
	name  string
	fetch time.Duration

	mu     sync.Mutex
	due    []time.Time
	commit string
	opens  []time.Time // when it was fetched
	sent   []time.Time // when a post went out
	runs   int

	changed bool // since the last run

	err        error                     // of opening it
	doErr      error                     // of a run
	bomb       bool                      // a run panics
	stuck      time.Duration             // how long opening takes
	busy       time.Duration             // how long a run with something to send takes
	limit      int                       // most posts of one run; 0: all
	during     func(ctx context.Context) // called while a run sends
	unapproved bool                      // a post waits for the approval of people
}

func (f *fake) site() Site {
	return Site{Name: f.name, Key: f.name, Fetch: f.fetch, Open: f.open, News: f.news}
}

// change changes what the remote has.
func (f *fake) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	f.changed = true
}

func (f *fake) open(ctx context.Context) (Desk, error) {
	f.mu.Lock()
	f.opens = append(f.opens, time.Now())
	stuck, err := f.stuck, f.err
	f.mu.Unlock()
	if stuck > 0 {
		select {
		case <-time.After(stuck):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// news asks for news; every question counts as one fetch.
func (f *fake) news(ctx context.Context) (bool, error) {
	f.mu.Lock()
	changed := f.changed
	f.mu.Unlock()
	if changed {
		return true, nil
	}
	_, err := f.open(ctx)
	return false, err
}

func (f *fake) Close() error        { return nil }
func (f *fake) Held() (bool, error) { return false, nil }

func (f *fake) Seen() Seen {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Seen{Branch: "main", Commit: f.commit, Ledger: "ledger", LedgerBranch: "postrider/ledger", Remotes: []string{"https://git.example/acme/" + f.name + ".git"}}
}

func (f *fake) Plan(at time.Time) (*plan.Plan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &plan.Plan{At: at}
	for _, due := range f.due {
		if p.Next.IsZero() || due.Before(p.Next) {
			p.Next = due
		}
		state := plan.WaitScheduled
		if !due.After(at) {
			state = plan.WaitLimit
		}
		p.Waiting = append(p.Waiting, plan.Waiting{State: state, Until: due})
	}
	if f.unapproved {
		p.Waiting = append(p.Waiting, plan.Waiting{State: plan.WaitUnapproved})
	}
	return p, nil
}

func (f *fake) Do(ctx context.Context, tell func(publish.Event)) (*publish.Report, error) {
	f.mu.Lock()
	f.runs++
	f.changed = false
	now := time.Now()
	report := &publish.Report{At: now}
	var left []time.Time
	for i, due := range f.due {
		if due.After(now) || f.limit > 0 && len(report.Deliveries) == f.limit {
			left = append(left, due)
			continue
		}
		f.sent = append(f.sent, now)
		d := publish.Delivery{Post: fmt.Sprint(i), Account: "news", Outcome: "published"}
		a := &plan.Action{Target: plan.Target{Post: d.Post, Account: "news", Due: due}, Verb: plan.Publish}
		tell(publish.Event{Action: a})
		tell(publish.Event{Action: a, Delivery: &d})
		report.Deliveries = append(report.Deliveries, d)
	}
	f.due = left
	bomb, busy, err, during := f.bomb, f.busy, f.doErr, f.during
	f.mu.Unlock()
	if bomb {
		panic("a nil map")
	}
	if during != nil {
		during(ctx)
	}
	if len(report.Deliveries) > 0 {
		time.Sleep(busy)
	}
	p, _ := f.Plan(now) //nolint:errcheck // it has none
	report.Waiting, report.Next = p.Waiting, p.Next
	return report, err
}

func (f *fake) times() (opens, sent []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Time(nil), f.opens...), append([]time.Time(nil), f.sent...)
}

const hookSecret = "webhook-secret-0123456789"

func newDaemon(parallel int) *Daemon {
	return New(Options{
		Parallel: parallel, Version: "test", Now: time.Now, Log: slog.New(slog.DiscardHandler), Scrub: func(s string) string { return s },
		Hook: inbound.New(inbound.Options{Secrets: []secret.String{secret.New(hookSecret)}, Now: time.Now}),
		Wait: func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	})
}

// runs runs a daemon for a test, in fake time, and returns it with what ends it.
func runs(t *testing.T, parallel int, sites ...*fake) (*Daemon, func()) {
	t.Helper()
	d := newDaemon(parallel)
	var all []Site
	for _, s := range sites {
		all = append(all, s.site())
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		d.Run(t.Context(), stop, all)
	}()
	return d, func() { close(stop); <-ended }
}

// pushed tells a daemon that something was pushed to a site.
func pushed(d *Daemon, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sites[name].poke()
}

// TestAtTheSecond holds the promise: what is due leaves at its second, however rarely the remote is asked.
func TestAtTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := &fake{name: "acme", fetch: time.Hour, stuck: 700 * time.Millisecond}
		want := []time.Time{start.Add(17*time.Minute + 3*time.Second), start.Add(17*time.Minute + 5*time.Second), start.Add(25 * time.Hour)}
		f.due = append([]time.Time(nil), want...)
		_, end := runs(t, 4, f)
		time.Sleep(26 * time.Hour)
		end()
		_, sent := f.times()
		if len(sent) != len(want) {
			t.Fatalf("%d posts went out, want %d", len(sent), len(want))
		}
		for i := range want {
			if late := sent[i].Sub(want[i]); late < 0 || late >= time.Second {
				t.Errorf("post %d went out %s after its second", i, late)
			}
		}
	})
}

// TestFetches asks the remote at intervals, and never all sites at once.
func TestFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fake{name: "a", fetch: time.Minute}, &fake{name: "b", fetch: time.Minute}
		_, end := runs(t, 4, a, b)
		time.Sleep(time.Hour)
		end()
		for _, f := range []*fake{a, b} {
			if opens, _ := f.times(); len(opens) < 60 || len(opens) > 70 {
				t.Errorf("%s was fetched %d times in an hour, want about 62", f.name, len(opens))
			}
		}
		x, _ := a.times()
		y, _ := b.times()
		if x[3].Equal(y[3]) {
			t.Errorf("both sites are fetched at %s", x[3])
		}
	})
}

// TestWoken fetches once for many webhooks, at once.
func TestWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{name: "acme", fetch: time.Hour}
		d, end := runs(t, 4, f)
		time.Sleep(time.Minute)
		synctest.Wait()
		before, _ := f.times()
		merged := time.Now()
		f.change(func() { f.due, f.commit = []time.Time{merged}, "news" })
		for range 100 {
			pushed(d, "acme")
		}
		time.Sleep(time.Minute)
		end()
		opens, sent := f.times()
		if n := len(opens) - len(before); n > 2 {
			t.Errorf("100 webhooks made %d fetches", n)
		}
		if len(sent) != 1 || sent[0].Sub(merged) > 10*time.Millisecond {
			t.Errorf("what was merged at %s went out at %v", merged, sent)
		}
	})
}

// TestUnapproved asks again now and then who has approved what waits for that, and at once when the code host tells of a review.
func TestUnapproved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, settled := &fake{name: "acme", fetch: time.Minute, unapproved: true}, &fake{name: "settled", fetch: time.Minute}
		d, end := runs(t, 4, f, settled)
		ran := func() (int, int) {
			f.mu.Lock()
			defer f.mu.Unlock()
			settled.mu.Lock()
			defer settled.mu.Unlock()
			return f.runs, settled.runs
		}
		time.Sleep(time.Hour - time.Minute)
		if n, other := ran(); n < 9 || n > 13 || other != 1 {
			t.Errorf("%d runs in an hour with something unapproved, %d without: want about 11, and 1", n, other)
		}
		before, _ := ran()
		for i, event := range []string{"pull_request_review", "issues"} {
			ask(d, request("/hook/acme", hookSecret, event, fmt.Sprint(i), "acme", commit(i)))
			ask(d, request("/hook/settled", hookSecret, event, fmt.Sprint("s", i), "settled", commit(i)))
			time.Sleep(time.Second)
		}
		if n, other := ran(); n != before+1 || other != 1 {
			t.Errorf("a review and an issue made %d and %d runs, want 1 and none", n-before, other-1)
		}
		end()
	})
}

// TestNewsWhileWaiting fetches again when something is pushed in the seconds before a post is due.
func TestNewsWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		soon := time.Now().Add(3 * time.Second)
		f := &fake{name: "acme", fetch: time.Hour, due: []time.Time{time.Now().Add(10 * time.Minute)}}
		d, end := runs(t, 4, f)
		defer end()
		time.Sleep(10*time.Minute - 2*time.Second)
		synctest.Wait()
		merged := time.Now()
		f.change(func() { f.due = append(f.due, soon) })
		pushed(d, "acme")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		_, sent := f.times()
		if len(sent) != 2 || sent[0].Sub(merged) > 10*time.Millisecond || sent[1].Sub(merged) != 2*time.Second {
			t.Errorf("went out at %v, want one at %s and one 2 s later", sent, merged)
		}
	})
}

// TestMaxPerRun keeps the guard against a flood: runs that found too much are a minute apart, whatever webhooks say.
func TestMaxPerRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{name: "acme", fetch: 10 * time.Second, limit: 2}
		for range 6 {
			f.due = append(f.due, time.Now())
		}
		d, end := runs(t, 4, f)
		for range 30 {
			time.Sleep(time.Second)
			pushed(d, "acme")
		}
		if _, sent := f.times(); len(sent) != 2 {
			t.Errorf("%d posts went out within half a minute, want 2", len(sent))
		}
		time.Sleep(3 * time.Minute)
		end()
		if _, sent := f.times(); len(sent) != 6 {
			t.Errorf("%d posts went out, want 6", len(sent))
		}
	})
}

// TestIsolation lets sites hang, fail and panic beside one whose posts go out at their seconds.
func TestIsolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		good := &fake{name: "good", fetch: time.Minute}
		for i := range 100 {
			good.due = append(good.due, start.Add(time.Duration(i+1)*97*time.Second))
		}
		want := append([]time.Time(nil), good.due...)
		sites := []*fake{good}
		for i := range 20 {
			sites = append(sites,
				&fake{name: fmt.Sprintf("hangs-%d", i), fetch: time.Minute, stuck: 2 * time.Minute, err: errors.New("the remote does not answer")},
				&fake{name: fmt.Sprintf("fails-%d", i), fetch: time.Minute, err: errors.New("site.yaml has errors")},
				&fake{name: fmt.Sprintf("panics-%d", i), fetch: time.Minute, bomb: true},
				&fake{name: fmt.Sprintf("slow-%d", i), fetch: time.Minute, busy: 10 * time.Minute, due: []time.Time{start.Add(time.Hour)}},
			)
		}
		d, end := runs(t, 4, sites...)
		time.Sleep(100*97*time.Second + time.Minute)
		ready := d.Ready()
		end()
		_, sent := good.times()
		if len(sent) != len(want) {
			t.Fatalf("%d posts went out, want %d", len(sent), len(want))
		}
		var worst time.Duration
		for i := range want {
			worst = max(worst, sent[i].Sub(want[i]))
		}
		if worst >= time.Second {
			t.Errorf("a post went out %s after its second because others were broken", worst)
		}
		for _, s := range ready.Sites {
			kind, _, _ := strings.Cut(s.Name, "-")
			if works := kind == "good" || kind == "slow"; s.Ready != works {
				t.Errorf("%s: ready is %v, %q", s.Name, s.Ready, s.Reason)
			}
		}
		for _, f := range sites {
			if opens, _ := f.times(); f.err != nil && len(opens) > 60 {
				t.Errorf("%s was tried %d times: its pauses do not grow", f.name, len(opens))
			}
		}
	})
}

// TestRecovers publishes soon after a remote is back, and says that all is well.
func TestRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{name: "acme", fetch: time.Minute, err: errors.New("the remote does not answer")}
		d, end := runs(t, 4, f)
		defer end()
		time.Sleep(time.Hour)
		if r := d.Ready(); r.Ready || r.Sites[0].Reason != "the remote does not answer" || r.Sites[0].Failures < 5 {
			t.Errorf("after an hour: %+v", r)
		}
		back := time.Now()
		f.change(func() { f.err, f.due = nil, []time.Time{back} })
		time.Sleep(lastPause)
		synctest.Wait()
		if _, sent := f.times(); len(sent) != 1 {
			t.Errorf("%d posts went out within %s", len(sent), lastPause)
		}
		if r := d.Ready(); !r.Ready || r.Sites[0].Failures != 0 {
			t.Errorf("once the remote is back: %+v", r)
		}
	})
}

// TestStop finishes what is in flight, and ends at once what only asks.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sending := &fake{name: "sending", fetch: time.Hour, busy: 90 * time.Second, due: []time.Time{time.Now()}}
		asking := &fake{name: "asking", fetch: time.Hour, stuck: time.Hour}
		d, end := runs(t, 4, sending, asking)
		time.Sleep(time.Second)
		began := time.Now()
		end()
		if took := time.Since(began); took != 89*time.Second {
			t.Errorf("the end took %s, want as long as the delivery", took)
		}
		if r := d.Ready(); r.Ready || !r.Stopping {
			t.Errorf("after the end: %+v", r)
		}
	})
}

// TestStopAtOnce ends everything when the context does.
func TestStopAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fake{name: "acme", fetch: time.Hour, due: []time.Time{time.Now()}, during: func(ctx context.Context) { <-ctx.Done() }}
		d := newDaemon(1)
		ended := make(chan struct{})
		go func() { defer close(ended); d.Run(ctx, nil, []Site{f.site()}) }()
		time.Sleep(time.Minute)
		cancel()
		<-ended
		if f.runs != 1 {
			t.Errorf("%d runs", f.runs)
		}
	})
}

// TestReload leaves alone what has not changed, and exchanges the rest without two loops for one site.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, goes, changes, comes := &fake{name: "stays", fetch: 1000 * time.Hour}, &fake{name: "goes", fetch: time.Minute}, &fake{name: "changes", fetch: time.Hour}, &fake{name: "comes", fetch: time.Hour}
		changes.busy, changes.due = 10*time.Minute, []time.Time{time.Now()}
		d, end := runs(t, 4, stays, goes, changes)
		time.Sleep(5 * time.Minute)
		gone, _ := goes.times()
		after := &fake{name: "changes", fetch: time.Hour}
		changed := after.site()
		changed.Key = "another secret"
		d.Reload(t.Context(), []Site{stays.site(), changed, comes.site()})
		time.Sleep(time.Minute)
		if opens, _ := after.times(); len(opens) != 0 {
			t.Error("the new loop began before the old one had finished what it sends")
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for f, want := range map[*fake]int{stays: 1, goes: len(gone), changes: 1, after: 1, comes: 1} {
			if opens, _ := f.times(); len(opens) != want {
				t.Errorf("%s was opened %d times, want %d", f.name, len(opens), want)
			}
		}
		if r := d.Ready(); len(r.Sites) != 3 {
			t.Errorf("sites after the reload: %+v", r.Sites)
		}
		end()
	})
}
