package publish

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// lane is what one account is sent in a run, one delivery after the other.
type lane struct {
	jobs   []*job
	budget *platform.Budget
	down   bool            // a delivery has used up its tries: the others get one each
	closed *platform.Error // the network does not know the account any more: nothing else is tried
}

// carry makes the claimed deliveries: accounts side by side, each account's in order.
func (r *run) carry(ctx context.Context) error {
	lanes := map[string]*lane{}
	interval := flushEvery
	for _, j := range r.jobs {
		if j.Verb == plan.Skip {
			r.finish(j, Delivery{Outcome: "skipped"}, nil)
			continue
		}
		if lanes[j.Account] == nil {
			lanes[j.Account] = &lane{budget: r.budgets[j.Account]}
		}
		lanes[j.Account].jobs = append(lanes[j.Account].jobs, j)
		r.unfinished[j.ID()] = j
		if !j.Caps.Has(platform.CanFind) && !j.Caps.Has(platform.CanIdempotent) {
			interval = flushSoon
		}
	}

	ended := make(chan struct{})
	flushed := make(chan error, 1)
	go func() { flushed <- r.flushUntil(ctx, ended, interval) }()
	var wg sync.WaitGroup
	for _, l := range lanes {
		wg.Go(func() {
			for _, j := range l.jobs {
				r.deliver(ctx, l, j)
			}
		})
	}
	wg.Wait()
	for _, l := range r.leashes {
		l.close()
	}
	close(ended)
	r.report.RecordErr = <-flushed
	if _, kept := errors.AsType[*gitledger.NotPushedError](r.report.RecordErr); kept || r.report.RecordErr == nil {
		r.journal.remove()
	}
	r.report.LedgerCommit = string(r.Ledger.Tip())
	r.tidy(ctx)
	slices.SortStableFunc(r.report.Deliveries, func(a, b Delivery) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Account, b.Account), strings.Compare(a.Occurrence, b.Occurrence))
	})
	return nil
}

// deliver makes one delivery, trying again what is provably not out, and notes its end, whatever happens.
func (r *run) deliver(ctx context.Context, l *lane, j *job) {
	for try := 1; ; try++ {
		j.mayRetry, j.failed = false, nil
		if err := r.obstacle(ctx, l, j); err != nil {
			r.fail(j, platform.Receipt{Parts: j.rec.Remotes()}, err)
			return
		}
		j.mayRetry = try < r.Tries && !l.down && j.Verb != plan.Reconcile
		r.attemptOnce(ctx, j)
		if j.failed == nil {
			return
		}
		if !j.mayRetry {
			break
		}
		if !r.pause(ctx, j, try) {
			j.mayRetry = false
			r.fail(j, j.failed.receipt, j.failed.err)
			break
		}
		r.tryAgain(j)
	}
	if e, ok := errors.AsType[*platform.Error](j.failed.err); ok {
		l.down = l.down || e.Outcome == platform.Unsent || e.Outcome == platform.Unknown
		if closes(e) {
			l.closed = e
		}
		if e.Outcome == platform.Limited && e.RetryAfter == 0 && j.sent {
			l.budget.Block(r.Now().Add(unknownLimit))
		}
	}
}

// closes reports whether a failure means that the account's other deliveries would fail the same way. Trying them
// all with a token that is refused can lock an account.
func closes(e *platform.Error) bool {
	return e.Outcome == platform.Denied && e.Status == http.StatusUnauthorized
}

// obstacle returns why a claimed delivery is not begun after all.
func (r *run) obstacle(ctx context.Context, l *lane, j *job) error {
	switch {
	case r.stopped(ctx):
		return errStopped
	case !r.ends.IsZero() && !r.Now().Before(r.ends):
		return errTimeUp
	case r.left(j) < leaseMargin:
		return errTaken
	case l.closed != nil:
		return l.closed
	}
	if reason, held := r.heldSince(j); held {
		return &platform.Error{Outcome: platform.Unsent, Message: "held: " + reason, Err: errHeld}
	}
	if wait := l.budget.Until().Sub(r.Now()); wait > 0 && creates(j) {
		if wait <= shortWait && r.sleep(ctx, j, wait) {
			return r.obstacle(ctx, l, j) // much may have happened
		}
		return fullFor(wait)
	}
	return nil
}

// fullFor is the failure of what is not sent because the network has said that it takes no more.
func fullFor(wait time.Duration) *platform.Error {
	return &platform.Error{Outcome: platform.Limited, Message: "the network takes no more of this account's posts for now", RetryAfter: wait}
}

// creates reports whether a delivery begins by creating something.
func creates(j *job) bool { return j.Verb == plan.Publish || j.Verb == plan.Resume }

// heldSince reports whether a stop that was pulled since the run was planned keeps a delivery from being begun.
func (r *run) heldSince(j *job) (reason string, held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.Verb == plan.Withdraw {
		return "", false
	}
	for _, h := range r.holds {
		if h.Covers(j.Account, string(j.Platform), j.Campaign) {
			return h.String(), true
		}
	}
	return "", false
}

// flushUntil writes results to the ledger at intervals, renews the lease of a long run, and writes the rest once
// all deliveries have ended. It outlives the run's context: results are never dropped.
func (r *run) flushUntil(ctx context.Context, ended <-chan struct{}, interval time.Duration) error {
	keep := context.WithoutCancel(ctx)
	renewed, looked := r.Now(), r.Now()
	tick := make(chan struct{}, 1)
	ticking, stop := context.WithCancel(keep)
	defer stop()
	go func() {
		for r.Wait(ticking, interval) == nil {
			select {
			case tick <- struct{}{}:
			default:
			}
		}
	}()
	for {
		select {
		case <-tick:
			records := r.take()
			var renewals []*ledger.Record
			if r.Now().Sub(renewed) > leaseTime-leaseMargin-time.Minute {
				renewals = r.renewals()
				records = append(records, renewals...)
			}
			if err := r.record(keep, records); err != nil {
				r.Log.Warn("results are not in the ledger yet, trying again", "err", err)
			} else if len(renewals) > 0 {
				renewed = r.renewed(renewals)
			}
			if r.Now().Sub(looked) >= lookEvery-flushSoon { // nearly every time
				r.yield(keep)
				looked = r.Now()
			}
		case done := <-r.looks:
			r.yield(keep)
			looked = r.Now()
			close(done)
		case <-ended:
			return r.flushRest(keep)
		}
	}
}

// flushRest writes the last results, trying for a while when the remote does not answer.
func (r *run) flushRest(ctx context.Context) error {
	records := r.take()
	for try := 1; ; try++ {
		err := r.record(ctx, records)
		if err == nil || try == 4 {
			return err
		}
		records = nil // the ledger keeps them for its next call
		r.Log.Warn("results are not in the ledger yet, trying again", "try", try, "err", err)
		if err := r.Wait(ctx, time.Duration(try*try)*500*time.Millisecond); err != nil {
			return err
		}
	}
}

func (r *run) record(ctx context.Context, records []*ledger.Record) error {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	return r.Ledger.Record(ctx, resultSubject(records), records)
}

// take returns the results that are not in the ledger yet.
func (r *run) take() []*ledger.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	records := r.results
	r.results = nil
	return records
}

// yield gives up the deliveries that another run has taken over, since one whose clock is fast sees leases end early,
// and takes note of stops that were pulled meanwhile.
func (r *run) yield(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, recordTime)
	defer cancel()
	asked := r.Now()
	if err := r.Refresh(ctx); err != nil {
		r.Log.Warn("the ledger cannot be looked at", "err", err)
		return
	}
	view, err := r.Ledger.View()
	if err != nil {
		r.Log.Warn("the ledger cannot be looked at", "err", err)
		return
	}
	holds, err := view.Holds()
	if err != nil {
		r.Log.Warn("the ledger's holds cannot be read", "err", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range holds {
		if !slices.Contains(r.holds, h) && !h.At.Before(r.report.At) {
			r.Log.Warn("a hold was pulled", "scope", h.Scope, "reason", h.String())
		}
	}
	r.holds, r.confirmed = holds, asked
	for id, j := range r.unfinished {
		rec, err := view.Record(id)
		if err != nil || rec == nil || rec.Last() == nil || rec.Last().Run == r.Run {
			continue
		}
		r.Log.Warn("another run has taken this delivery over", "post", j.Post, "account", j.Account, "run", rec.Last().Run)
		j.until = time.Time{}
	}
}

// renewals returns the records of the deliveries that have not ended, with a new lease. It counts only once
// it is pushed. A lease that has ended is not renewed: another run may have the delivery by now.
func (r *run) renewals() []*ledger.Record {
	now := r.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var records []*ledger.Record
	for _, j := range r.unfinished {
		if j.rec.Lease == nil || !j.until.After(now) {
			continue // it has ended a moment ago
		}
		rec := j.rec.Clone()
		rec.Lease.Until = now.Add(leaseTime).UTC()
		records = append(records, rec)
	}
	ledger.SortRecords(records)
	return records
}

// renewed notes that leases have been extended, and returns since when they run.
func (r *run) renewed(records []*ledger.Record) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	until := records[0].Lease.Until
	for _, rec := range records {
		if j, ok := r.unfinished[rec.ID()]; ok && !j.until.IsZero() {
			j.until, j.rec.Lease = rec.Lease.Until, rec.Lease
		}
	}
	return until.Add(-leaseTime)
}
