package daemon

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

const (
	// lead is how long before something is due a site is fetched: its claim then finds nothing new, as a rule, and leaves at once.
	lead = 5 * time.Second
	// gap is how long a site rests between two visits, so that a hundred webhooks are a few fetches.
	gap = 200 * time.Millisecond
	// crowded is how long it rests at least after a run that found more posts than max_per_run: the guard against a flood is worth
	// nothing when runs follow each other at once.
	crowded = time.Minute
	// firstPause is about how long a site that failed waits; every further pause is twice as long, up to lastPause.
	firstPause = 5 * time.Second
	lastPause  = 5 * time.Minute
	// assured is for how long a site goes without a run as long as there is no news and nothing is due.
	assured = time.Hour
	// asked is the same while posts wait for somebody's approval, which a code host may tell of by a webhook, or not.
	asked = 5 * time.Minute
)

// site is a site with its loop.
type site struct {
	Site
	d     *Daemon
	log   *slog.Logger
	wake  chan struct{}      // holds one call to look for news
	leave context.CancelFunc // ends the loop once it is idle
	left  chan struct{}      // closed when it has ended

	mu    sync.Mutex
	state state
}

// state is what is known of a site between two visits, and all that is kept of it.
type state struct {
	seen     Seen
	good     time.Time // when a visit last ended well; zero: never
	fetched  time.Time // when the remote last answered
	sending  bool      // a run is at work
	failures int       // since a visit ended well
	err      string    // why the last one failed
	next     time.Time // when the plan changes by itself; zero: never, or at once
	crowded  bool      // more was due than a run may send
	calm     time.Time // when a run last found that only time and news change anything; zero: the last did not
	held     bool
	// unapproved says that posts wait for the approval of people.
	unapproved bool
}

func newSite(d *Daemon, o Site) *site {
	return &site{Site: o, d: d, log: d.o.Log.With("site", o.Name), wake: make(chan struct{}, 1), left: make(chan struct{})}
}

// poke wakes the site's loop, unless it has been woken already.
func (s *site) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// look returns a copy of what is known of the site.
func (s *site) look() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// note changes what is known of the site.
func (s *site) note(change func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
}

// loop visits the site until soft ends. What a visit has begun to send by then is finished, unless ctx ends too.
func (s *site) loop(soft, ctx context.Context) {
	r := ticked
	for n := 0; ; n++ {
		err := s.visit(soft, ctx, r)
		if soft.Err() != nil {
			return
		}
		s.record(err)
		ended, st := s.d.now(), s.look()
		rest, until := gap, ended.Add(s.interval(n))
		r = ticked
		if st.crowded {
			rest = max(s.Fetch, crowded)
			until = ended.Add(rest)
		}
		if st.failures > 0 {
			until, r = ended.Add(s.pause(st.failures)), failing
		}
		if early := st.next.Add(-lead); !st.next.IsZero() && early.Before(until) {
			until = early
			if r != failing {
				r = due
			}
		}
		if s.d.sleep(soft, until, s.wake) {
			r = min(r, woken)
			s.d.sleep(soft, ended.Add(rest), nil)
		}
		if soft.Err() != nil {
			return
		}
	}
}

// interval returns how long to wait for the next fetch. Sites that began together soon come one after the other, and stay apart.
func (s *site) interval(n int) time.Duration {
	if n == 0 {
		return jitter(s.Fetch, 0.9, s.Name, n)
	}
	return jitter(s.Fetch, 0.1, s.Name, n)
}

// pause returns how long to wait after a number of failures in a row.
func (s *site) pause(failures int) time.Duration {
	return jitter(min(firstPause<<min(failures-1, 10), lastPause), 0.25, s.Name, failures)
}

// jitter shortens a wait by up to a part of it, which follows from what is waited for.
func jitter(d time.Duration, part float64, name string, n int) time.Duration {
	h := fnv.New32a()
	h.Write(fmt.Appendf(nil, "%s %d", name, n))
	return d - time.Duration(float64(d)*part*float64(h.Sum32())/(1<<32))
}

// visit fetches the site and publishes what is due there; when something is due in a moment, at that moment.
func (s *site) visit(soft, ctx context.Context, r rank) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("the run broke off", "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("the program failed: %v", v)
		}
	}()
	leave, err := s.d.places.take(soft, r)
	if err != nil {
		return err
	}
	defer func() { leave() }()
	select {
	case <-s.wake: // what it told of is fetched now
	default:
	}
	if st := s.look(); r == ticked && !st.calm.IsZero() && s.d.now().Sub(st.calm) < st.patience() {
		if news, err := s.news(soft); err != nil || !news {
			return err
		}
	}
	desk, err := s.open(soft)
	if err != nil {
		return err
	}
	defer s.close(desk)
	if next := s.look().next; next.After(s.d.now()) && !next.After(s.d.now().Add(lead)) {
		if _, err := desk.Plan(next); err != nil { // what it reads is then in memory
			return err
		}
		leave()
		news := s.d.sleep(soft, next, s.wake)
		if leave, err = s.d.places.take(soft, due); err != nil {
			return err
		}
		if news {
			if desk, err = s.open(soft); err != nil {
				return err
			}
			defer s.close(desk)
		}
	}
	return s.publish(ctx, desk)
}

// close lets go of a desk.
func (s *site) close(desk Desk) {
	if err := desk.Close(); err != nil {
		s.log.Warn("the repository could not be closed", "err", err)
	}
}

// news asks the remote for news.
func (s *site) news(ctx context.Context) (bool, error) {
	began := s.d.now()
	news, err := s.News(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	took := s.d.now().Sub(began)
	s.d.metrics.fetched(s.Name, took, err == nil)
	if err == nil {
		s.log.Debug("asked", "news", news, "took", took.Round(time.Millisecond))
		s.note(func(st *state) { st.fetched = began })
	}
	return news, err
}

// open fetches the site.
func (s *site) open(ctx context.Context) (Desk, error) {
	began := s.d.now()
	desk, err := s.Open(ctx)
	took := s.d.now().Sub(began)
	if err != nil {
		if ctx.Err() == nil {
			s.d.metrics.fetched(s.Name, took, false)
		}
		return nil, err
	}
	s.d.metrics.fetched(s.Name, took, true)
	seen := desk.Seen()
	if was := s.look().seen; was.Commit != seen.Commit {
		s.log.Info("new commit", "branch", seen.Branch, "commit", seen.Commit, "fetch", took.Round(time.Millisecond))
	} else {
		s.log.Debug("fetched", "branch", seen.Branch, "commit", seen.Commit, "fetch", took.Round(time.Millisecond))
	}
	s.note(func(st *state) { st.seen, st.fetched = seen, began })
	return desk, nil
}

// publish has a desk do what is due, and notes what is due next.
func (s *site) publish(ctx context.Context, desk Desk) error {
	s.note(func(st *state) { st.sending = true })
	defer s.note(func(st *state) { st.sending = false })
	report, err := desk.Do(ctx, s.tell)
	s.d.metrics.ran(s.Name, s.d.now())
	if err == nil {
		err = report.RecordErr
	}
	if err != nil {
		return err
	}
	waiting, next := report.Waiting, report.Next
	if len(report.Deliveries) > 0 {
		p, err := desk.Plan(s.d.now())
		if err != nil {
			return err
		}
		waiting, next = p.Waiting, p.Next
	}
	held, err := desk.Held()
	if err != nil {
		return err
	}
	now, calm := s.d.now(), time.Time{}
	if !next.IsZero() && !next.After(now) {
		next = time.Time{} // what failed, or did not fit into this run: the next one takes it
	} else if !slices.ContainsFunc(waiting, restless) {
		calm = now
	}
	limit := slices.ContainsFunc(waiting, func(w plan.Waiting) bool { return w.State == plan.WaitLimit })
	unapproved := slices.ContainsFunc(waiting, func(w plan.Waiting) bool { return w.State == plan.WaitUnapproved })
	seen := desk.Seen()
	s.note(func(st *state) {
		st.seen, st.next, st.crowded, st.held, st.calm, st.unapproved = seen, next, limit, held, calm, unapproved
	})
	s.d.metrics.waits(s.Name, waiting, next, held)
	return nil
}

// patience is for how long a site goes without a run as long as nothing calls for one.
func (st *state) patience() time.Duration {
	if st.unapproved {
		return asked
	}
	return assured
}

// restless reports whether something waits for what neither the clock nor the remote tells: a link that answers, or the death of a run.
func restless(w plan.Waiting) bool {
	return w.State == plan.WaitEmbargo || w.State == plan.WaitSending || w.State == plan.WaitLimit
}

// tell counts and logs what a run does.
func (s *site) tell(e publish.Event) {
	a := e.Action
	if e.Delivery == nil {
		if lag, ok := lagOf(a, s.look().next, s.d.now()); ok {
			s.d.metrics.lag.observe(lag.Seconds())
		}
		return
	}
	s.d.metrics.delivered(s.Name, a.Account, e.Delivery.Outcome)
	attrs := []any{"post", a.Post, "account", a.Account, "platform", string(a.Platform), "action", string(a.Verb), "outcome", e.Delivery.Outcome}
	if e.Delivery.OK() {
		s.log.Info("delivered", attrs...)
		return
	}
	s.log.Warn("not delivered", append(attrs, "err", e.Delivery.Err)...)
}

// lagOf returns how late a delivery begins that was known to come. next is when the daemon knew that something is due: what was merged
// late, waited for its link or failed before is not late because of it.
func lagOf(a *plan.Action, next, now time.Time) (time.Duration, bool) {
	if a.Verb != plan.Publish || a.Record != nil || a.Await != "" || next.IsZero() || a.Due.IsZero() {
		return 0, false
	}
	from := next
	if a.Due.After(from) {
		from = a.Due
	}
	lag := now.Sub(from)
	return lag, lag >= 0
}

// record notes how a visit ended.
func (s *site) record(err error) {
	now, was := s.d.now(), s.look()
	if err == nil {
		if was.failures > 0 {
			s.log.Info("works again", "failures", was.failures)
		}
		s.note(func(st *state) { st.good, st.failures, st.err = now, 0, "" })
		s.d.metrics.succeeded(s.Name, now)
		return
	}
	text := s.d.o.Scrub(err.Error())
	s.note(func(st *state) {
		st.failures, st.err, st.calm = st.failures+1, text, time.Time{}
		if !st.next.After(now) {
			st.next = time.Time{}
		}
	})
	s.d.metrics.failed(s.Name)
	s.log.Warn("failed", "err", text, "failures", was.failures+1, "again_in", s.pause(was.failures+1).Round(time.Second))
}

// reads reports whether the site is published from a reference, or has its ledger there. Of a site that was not opened yet nobody knows.
func (s *site) reads(ref string) bool {
	seen := s.look().seen
	return seen.Branch == "" || ref == "" || ref == "refs/heads/"+seen.Branch || ref == "refs/heads/"+seen.LedgerBranch
}

// knows reports whether a commit is where the site's remote was when it was asked last.
func (s *site) knows(commit string) bool {
	st := s.look()
	return commit != "" && (commit == st.seen.Commit || commit == st.seen.Ledger)
}
