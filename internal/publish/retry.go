package publish

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

const (
	// firstPause is about how long a run waits before it tries a delivery again; every further pause is four times as long.
	firstPause = time.Second
	// shortWait is how long a run waits for a rate limit to end; for longer ones there is the next run.
	shortWait = 20 * time.Second
	// firstRetry is about how long later runs wait after the second run that failed; it doubles twice with each further
	// run, up to lastRetry. The first failure is retried by the next run: most are hiccups, and runs are minutes apart anyway.
	firstRetry = time.Minute
	lastRetry  = time.Hour
	// unknownLimit is how long to leave an account alone that was refused for now without saying for how long.
	unknownLimit = 15 * time.Minute
)

// failure is how an attempt ended that did not complete its delivery.
type failure struct {
	receipt platform.Receipt
	err     error
}

// named reports whether repeating the delivery is harmless at any time, since its key is the name of what it creates.
// A network that keeps keys for a while notes one when it has created the post, and not before: Mastodon posts twice when
// the second request comes while it is still at work on the first (https://github.com/mastodon/mastodon/pull/37879,
// mended in 2026; 2026-11-21).
func (j *job) named() bool { return j.Caps.Has(platform.CanIdempotent) && j.KeyLife == 0 }

// repeatable reports whether a delivery that failed may be tried again in the same run: what is provably not out, and
// what may be where the network knows it by its name.
func (j *job) repeatable(err error) bool {
	if notBegun(err) {
		return false
	}
	if j.doubtful || platform.OutcomeOf(err) == platform.Unknown {
		return j.named() && (passing(err) || platform.OutcomeOf(err) == platform.Unknown)
	}
	return passing(err)
}

// passing reports whether a failure proves that nothing was created and may be over in a moment.
func passing(err error) bool {
	e, ok := errors.AsType[*platform.Error](err)
	return ok && (e.Outcome == platform.Unsent || e.Outcome == platform.Limited && e.RetryAfter > 0 && e.RetryAfter <= shortWait)
}

// pause waits before a delivery is tried again in the same run. It is false when the run has no time for that.
func (r *run) pause(ctx context.Context, j *job, try int) bool {
	wait := jitter(firstPause<<(2*(try-1)), j.rec.Key, try)
	if e, ok := errors.AsType[*platform.Error](j.failed.err); ok && e.Outcome == platform.Limited {
		wait = e.RetryAfter + wait/4
	}
	return r.sleep(ctx, j, wait)
}

// sleep waits, unless the run is told to stop or has no time left to make the delivery afterwards.
func (r *run) sleep(ctx context.Context, j *job, d time.Duration) bool {
	then := r.Now().Add(d)
	if r.left(j)-d < leaseMargin || !r.ends.IsZero() && !then.Before(r.ends) || r.stopped(ctx) {
		return false
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.Stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return r.Wait(ctx, d) == nil
}

// tryAgain closes the attempt that failed and begins the next.
func (r *run) tryAgain(j *job) {
	now := r.Now()
	r.Log.Info("not out, trying again", "post", j.Post, "account", j.Account, "err", j.failed.err)
	r.note(j, func(rec *ledger.Record) {
		if parts := j.failed.receipt; len(parts.Parts) > 0 && j.rendering != nil {
			r.setParts(rec, parts, j.rendering)
		}
		last, lease := *rec.Last(), rec.Lease
		outcome := platform.OutcomeOf(j.failed.err)
		if j.doubtful {
			outcome = platform.Unknown
		}
		r.charge(j, rec, j.rendering, outcome != platform.Unknown)
		rest := last.Charge.USD - rec.Last().Charge.USD
		rec.End(now, outcome.String(), j.failed.err.Error())
		rec.Begin(last.Op, r.Run, now, last.Fingerprint)
		r.reserve(rec, rest)
		j.before = len(rec.Parts)
		rec.Lease = lease
	})
}

// retryAt returns when a later run may try a delivery again; the zero time means at once.
func retryAt(rec *ledger.Record, outcome platform.Outcome, err error, now time.Time) time.Time {
	if outcome == platform.Limited {
		wait := unknownLimit
		if e, ok := errors.AsType[*platform.Error](err); ok && e.RetryAfter > 0 {
			wait = e.RetryAfter
		}
		return now.Add(wait)
	}
	if outcome == platform.Rejected && rec.State == ledger.Rejected {
		return time.Time{} // waits for another text, not for a time
	}
	n := failedRuns(rec)
	if n < 2 {
		return time.Time{}
	}
	return now.Add(jitter(min(firstRetry<<min(2*(n-2), 20), lastRetry), rec.Key, n))
}

// failedRuns counts the runs that have tried in vain since the last success.
func failedRuns(rec *ledger.Record) (n int) {
	run := ""
	for i := len(rec.Attempts) - 1; i >= len(rec.Attempts)-rec.Failures(); i-- {
		if rec.Attempts[i].Run != run {
			run = rec.Attempts[i].Run
			n++
		}
	}
	return n
}

// jitter shortens a wait by up to a quarter, so that deliveries that failed together do not come back together. It
// follows from what is retried: the same delivery waits the same time wherever that is worked out.
func jitter(d time.Duration, key string, n int) time.Duration {
	h := fnv.New32a()
	h.Write(binary.BigEndian.AppendUint32([]byte(key), uint32(n))) //nolint:gosec // n is small
	return d - time.Duration(float64(d)/4*float64(h.Sum32())/(1<<32))
}
