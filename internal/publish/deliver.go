package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// The reasons a claimed delivery was not begun.
var (
	errStopped = &platform.Error{Outcome: platform.Unsent, Message: "the run was stopped before its turn"}
	errTimeUp  = &platform.Error{Outcome: platform.Unsent, Message: "the run's time was up before its turn"}
	errTaken   = &platform.Error{Outcome: platform.Unsent, Message: "its lease ended before its turn, or another run has taken it over"}
	errHeld    = errors.New("a hold was pulled")
)

// notBegun reports whether a failure is one of those: there is no reason to wait before the next try.
func notBegun(err error) bool {
	return errors.Is(err, errStopped) || errors.Is(err, errTimeUp) || errors.Is(err, errTaken) || errors.Is(err, errLeaseOver) || errors.Is(err, errHeld)
}

// settleTime is how long after an attempt ended a network may still be carrying it out, so that not finding
// it proves nothing yet. It matters only where repeating is not harmless. It is longer than [lookEvery].
const settleTime = 2 * time.Minute

const (
	// clockError is how wrong this machine's clock, or that of the one that wrote an intent, may be. Look-ups
	// reach that much further back: what they miss goes out twice.
	clockError = 25 * time.Hour
	// lostTime is how far back a post without a time is looked for when the ledger that may know it was lost.
	lostTime = 30 * 24 * time.Hour
)

// attemptOnce tries a delivery.
func (r *run) attemptOnce(ctx context.Context, j *job) {
	r.tell(j, nil)
	defer func() {
		if v := recover(); v != nil { // what one delivery trips over must end neither the run nor, in a daemon, those of other sites
			r.Log.Error("a delivery broke off", "post", j.Post, "account", j.Account, "panic", v, "stack", string(debug.Stack()))
			r.fail(j, platform.Receipt{Parts: j.rec.Remotes()}, errBroken)
		}
	}()
	// A delivery in flight is finished even when the run is told to stop: what was begun must be known.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliveryTime)
	defer cancel()
	j.media.FS, j.commit = r.Site.Media(), r.Commit
	j.leash.job.Store(j)
	switch j.Verb {
	case plan.Update:
		r.update(ctx, j)
	case plan.Withdraw:
		r.withdraw(ctx, j)
	case plan.Reconcile:
		r.reconcile(ctx, j)
	case plan.Resume:
		r.resume(ctx, j)
	default:
		r.send(ctx, j, j.rec.Remotes())
	}
}

// errBroken is how a delivery ends in which the program itself failed: whether it is out, nobody knows.
var errBroken = errors.New("the program failed in the middle of it; its log says where")

func (r *run) stopped(ctx context.Context) bool {
	select {
	case <-r.Stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// attempt describes the delivery to its publisher.
func (r *run) attempt(j *job, done []platform.Remote) platform.Attempt {
	n := 1
	if last := j.rec.Last(); last != nil {
		n = last.N
	}
	since := j.rec.At
	if r.lost(j) {
		if since = j.rec.At.Add(-lostTime); !j.Due.IsZero() {
			since = j.Due
		}
	}
	a := platform.Attempt{Key: j.rec.Key, At: j.rec.At, N: n, Done: done, Since: since.Add(-clockError), Anchors: maps.Clone(j.rec.Anchors)}
	if r.JournalDir != "" {
		a.Anchor = func(part int, id string) error { return r.anchor(j, part, id) }
	}
	return a
}

// lost reports whether a delivery may have been made already by a ledger that was lost.
func (r *run) lost(j *job) bool { return j.rec.Unsure && j.rec.Allowed == "" }

// send creates the parts that do not exist yet.
func (r *run) send(ctx context.Context, j *job, done []platform.Remote) {
	if _, canFind := j.publisher.(platform.Finder); canFind && r.lost(j) && len(done) == 0 {
		found, err := r.find(ctx, j, j.rendering, nil)
		switch {
		case errors.Is(err, platform.ErrNotFound):
		case notOffered(err):
			r.Log.Warn("the server has no look-up, so it is sent without one although the ledger is new", "post", j.Post, "account", j.Account)
		case err != nil:
			r.fail(j, platform.Receipt{}, unsent("look for what a lost ledger may have sent", err))
			return
		default:
			r.Log.Warn("it is out already although the ledger is new: adopting it", "post", j.Post, "account", j.Account)
			if done = found.Parts; len(done) >= len(j.rendering.Parts) {
				r.published(j, found, j.rendering)
				return
			}
		}
	}
	attempt := r.attempt(j, done)
	if attempt.N > 1 { // a publisher that cannot trust its key looks first
		if err := r.own(&attempt, j); err != nil {
			r.fail(j, platform.Receipt{Parts: done}, &platform.Error{Outcome: platform.Unsent, Op: "read the ledger", Err: err})
			return
		}
	}
	if wait := r.budgets[j.Account].Until().Sub(r.Now()); wait > 0 { // it has been looked for, and is to be repeated
		r.fail(j, platform.Receipt{Parts: done}, fullFor(wait))
		return
	}
	j.sent, j.before = true, len(done)
	receipt, err := j.publisher.Publish(ctx, j.rendering, attempt)
	if err != nil && platform.OutcomeOf(err) == platform.Unknown {
		// Often the post is there and only the answer was lost. Finding it settles that at once; not finding it
		// settles nothing, since the network may still be at work.
		if found, ferr := r.find(ctx, j, j.rendering, receipt.Parts); ferr == nil && len(found.Parts) == len(j.rendering.Parts) {
			receipt, err = found, nil
		}
	}
	if err != nil {
		r.fail(j, receipt, err)
		return
	}
	r.published(j, receipt, j.rendering)
}

// notOffered reports whether a look-up failed because the server does not have what it takes: servers that speak
// a part of a network's API need not offer all of it.
func notOffered(err error) bool {
	e, ok := errors.AsType[*platform.Error](err)
	return ok && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusNotImplemented)
}

// unsent describes a look-up that failed before anything was sent, so that nothing was.
func unsent(op string, err error) error {
	if e, ok := errors.AsType[*platform.Error](err); ok && e.Outcome != platform.Unknown && e.Outcome != platform.Rejected {
		return err
	}
	return &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
}

// resume sends the parts of a thread that are missing, as it was begun, unless the network has refused that.
func (r *run) resume(ctx context.Context, j *job) {
	if j.Record.State != ledger.Rejected {
		if begun, same := r.sentRendering(j); begun != nil {
			j.rendering = begun
		} else if !same {
			r.today(j)
		}
	}
	r.send(ctx, j, j.rec.Remotes())
}

// published records a complete delivery of a rendering.
func (r *run) published(j *job, receipt platform.Receipt, rendering *platform.Rendering) {
	r.release(j, rendering)
	now := r.Now()
	at := receipt.At
	if at.IsZero() {
		at = now
	}
	r.finish(j, Delivery{Outcome: "published", Parts: receipt.Parts}, func(rec *ledger.Record) {
		rec.State, rec.PublishedAt, rec.RetryAt = ledger.Published, at, time.Time{}
		rec.Fingerprint, rec.Said, rec.Rendering, rec.Anchors = rendering.Fingerprint(), ledger.Said(rendering), nil, nil
		if r.setParts(rec, receipt, rendering) || j.mixed {
			// What is out is not, or not all, of this version of the file. A record of none makes the next run mend that.
			rec.Fingerprint, rec.Source = "", ""
		}
		r.charge(j, rec, rendering, true)
		rec.End(now, "published", "")
	})
}

// setParts records the parts of a receipt. Those that were there before keep their text; mixed reports whether
// it is not what the rendering says. rendering is nil where a file that is broken by now leaves none.
func (r *run) setParts(rec *ledger.Record, receipt platform.Receipt, rendering *platform.Rendering) (mixed bool) {
	before := rec.Parts
	rec.SetParts(receipt, rendering)
	for i := range rec.Parts {
		p := &rec.Parts[i]
		for _, old := range before {
			if old.ID == p.ID && old.Part == p.Part && old.Text != "" && old.Text != p.Text {
				p.Text, mixed = old.Text, true
			}
		}
	}
	return mixed || rendering != nil && len(rec.Parts) > len(rendering.Parts)
}

// fail records an attempt that did not complete the delivery, unless it may be tried again in this run.
func (r *run) fail(j *job, receipt platform.Receipt, err error) {
	j.failed = &failure{receipt, err}
	now := r.Now()
	if j.mayRetry = j.mayRetry && j.repeatable(err); j.mayRetry {
		j.doubtful = j.doubtful || platform.OutcomeOf(err) == platform.Unknown
		return
	}
	outcome := platform.OutcomeOf(err)
	r.Log.Debug("delivery failed", "post", j.Post, "account", j.Account, "outcome", outcome.String(), "err", err)
	after := outcome
	if j.doubtful { // whatever became of this attempt, an earlier one may have been carried out
		outcome = platform.Unknown
	}
	r.finish(j, Delivery{Outcome: outcome.String(), Parts: receipt.Parts, Err: err}, func(rec *ledger.Record) {
		switch j.Verb {
		case plan.Update, plan.Withdraw:
			// What is out stays out; the attempt says what went wrong.
		default:
			rec.State = ledger.StateOf(outcome)
			if rec.State != ledger.Unknown && len(rec.Parts)+len(receipt.Parts) == 0 {
				rec.Rendering = nil // nothing of it is out
			}
			if len(receipt.Parts) > 0 {
				r.setParts(rec, receipt, j.rendering)
			}
		}
		r.charge(j, rec, j.rendering, outcome != platform.Unknown)
		if last := rec.Last(); j.Verb == plan.Reconcile && !j.sent || errors.Is(err, errHeld) {
			last.Op = ledger.OpLook // nothing was begun: once the stop is lifted, it may be late
		}
		rec.End(now, outcome.String(), err.Error())
		rec.RetryAt = retryAt(rec, after, err, now)
		if notBegun(err) {
			rec.RetryAt = time.Time{}
		}
	})
	if j.rec.State == ledger.Rejected {
		r.release(j, j.rendering)
	}
}

// find asks the network whether an attempt was carried out after all.
func (r *run) find(ctx context.Context, j *job, rendering *platform.Rendering, done []platform.Remote) (platform.Receipt, error) {
	finder, ok := j.publisher.(platform.Finder)
	if !ok {
		return platform.Receipt{}, fmt.Errorf("%s offers no look-up", j.Platform)
	}
	a := r.attempt(j, done)
	if err := r.own(&a, j); err != nil {
		return platform.Receipt{}, err
	}
	return finder.Find(ctx, rendering, a)
}

// own fills in what belongs to other records, so that it is never taken for this attempt's.
func (r *run) own(a *platform.Attempt, j *job) error {
	r.mu.Lock()
	for i := range r.report.Deliveries { // what this run has made itself
		if d := &r.report.Deliveries[i]; d.Account == j.Account {
			for _, p := range d.Parts {
				a.Owned = append(a.Owned, p.ID)
			}
		}
	}
	r.mu.Unlock()
	owned, err := r.Ledger.Owned(r.base, j.ID(), j.rec.Said, a.Since)
	a.Owned = append(a.Owned, owned...)
	return err
}

// reconcile settles a delivery whose outcome is unknown: looks for it, and repeats it only when it is
// proved absent or when repeating is harmless.
func (r *run) reconcile(ctx context.Context, j *job) {
	const op = "look for an earlier attempt"
	doubt := func(message string, err error) {
		r.fail(j, platform.Receipt{Parts: j.rec.Remotes()}, &platform.Error{Outcome: platform.Unknown, Op: op, Message: message, Err: err})
	}
	sent, same := r.sentRendering(j)
	keyed := j.Keyed(j.rec, r.Now())
	if _, canFind := j.publisher.(platform.Finder); !canFind {
		switch {
		case j.Look != "":
			doubt(j.Look, nil)
		case !keyed:
			doubt(fmt.Sprintf("%s offers no way to find out", j.Platform), nil)
		case !j.named() && !r.settled(j):
			doubt("it may still be on its way", nil)
		default:
			j.mixed = sent == nil
			r.repeat(ctx, j, sent, same, j.rec.Remotes())
		}
		return
	}
	if sent == nil {
		doubt(fmt.Sprintf("what was sent from commit %.10s can no longer be rendered", j.rec.Commit), nil)
		return
	}
	receipt, err := r.find(ctx, j, sent, j.rec.Remotes())
	switch {
	case errors.Is(err, platform.ErrNotFound):
		receipt.Parts = nil
	case notOffered(err) && keyed && j.Look == "" && (j.named() || r.settled(j)):
		r.repeat(ctx, j, sent, same, j.rec.Remotes()) // to repeat it under its key is the only way to find out
		return
	case err != nil:
		doubt(err.Error(), err)
		return
	case len(receipt.Parts) >= len(sent.Parts):
		r.published(j, receipt, sent)
		return
	}
	wait := func(outcome platform.Outcome, message string) {
		j.rendering = sent // of which the parts are that were found
		r.fail(j, receipt, &platform.Error{Outcome: outcome, Op: op, Message: message})
	}
	j.doubtful = !r.settled(j)
	switch {
	case j.doubtful && (!j.named() || j.Look != ""):
		wait(platform.Unknown, "it is not there yet, and may still be on its way")
	case j.Look != "":
		wait(platform.Unsent, "it is not there, and is not sent now: "+j.Look)
	default:
		r.repeat(ctx, j, sent, same, receipt.Parts)
	}
}

// settled reports whether an unfinished attempt ended, or was given up, so long ago that it cannot still be on its way,
// and that a run which only seems dead, by a clock that is wrong, has seen that it was taken over.
func (r *run) settled(j *job) bool {
	var ended time.Time
	now := r.Now()
	for i, a := range j.rec.Attempts {
		if a.Outcome != platform.Unknown.String() || a.Op == ledger.OpLook {
			continue
		}
		at := a.Ended
		if at.After(now) { // by a clock that is ahead: it ended before the next began
			for _, next := range j.rec.Attempts[i+1:] {
				if !next.Started.After(now) {
					at = next.Started
					break
				}
			}
		}
		if at.After(ended) {
			ended = at
		}
	}
	return now.Sub(ended) >= settleTime
}

// repeat sends what is missing. A thread that was begun is finished as it was begun, and what may be out is
// repeated as it was; a post of which nothing exists is sent as it stands today.
func (r *run) repeat(ctx context.Context, j *job, sent *platform.Rendering, same bool, done []platform.Remote) {
	if !same {
		if sent != nil && (len(done) > 0 || j.doubtful) {
			j.rendering = sent
		} else {
			r.today(j)
		}
	}
	r.send(ctx, j, done)
}

// today notes that a delivery that was begun with another version of the file goes on with today's.
func (r *run) today(j *job) {
	j.media.FS, j.commit = r.Site.Media(), r.Commit
	r.mu.Lock()
	defer r.mu.Unlock()
	if j.rec.Fingerprint != j.Fingerprint {
		j.rec.Anchors = nil // what they stand for says something else
	}
	j.rec.Fingerprint, j.rec.Said, j.rec.Source, j.rec.Commit, j.rec.Rendering = j.Fingerprint, j.Said, j.Source, r.Commit, j.rendering
}

// sentRendering returns the rendering that the unsettled attempt was about; same is true when it is
// today's. It is nil when it cannot be had any more. The publisher's files become those of its commit.
func (r *run) sentRendering(j *job) (rendering *platform.Rendering, same bool) {
	if j.rec.Fingerprint == j.Fingerprint {
		return j.rendering, true
	}
	if kept := j.rec.Rendering; kept != nil && kept.Fingerprint() == j.rec.Fingerprint {
		rendering = kept
	}
	site, err := r.SiteAt(j.rec.Commit)
	if err != nil {
		r.Log.Warn("an earlier commit cannot be read", "commit", j.rec.Commit, "err", err)
		return rendering, false
	}
	j.media.FS, j.commit = site.Media(), j.rec.Commit
	if rendering != nil {
		return rendering, false
	}
	rendering, err = site.Render(j.rec.Path, j.Account)
	if err != nil || rendering.Fingerprint() != j.rec.Fingerprint {
		return nil, false
	}
	return rendering, false
}

// update makes what is out say what the file says.
func (r *run) update(ctx context.Context, j *job) {
	editor, ok := j.publisher.(platform.Editor)
	if !ok {
		r.fail(j, platform.Receipt{Parts: j.rec.Remotes()}, &platform.Error{Outcome: platform.Rejected, Message: platform.ErrCannotEdit.Error(), Err: platform.ErrCannotEdit})
		return
	}
	receipt, err := editor.Edit(ctx, platform.Receipt{Parts: j.rec.Remotes(), At: j.rec.PublishedAt}, j.rendering)
	if err != nil {
		if errors.Is(err, platform.ErrCannotEdit) {
			err = &platform.Error{Outcome: platform.Rejected, Op: "edit", Message: err.Error(), Err: err}
		}
		r.fail(j, platform.Receipt{Parts: j.rec.Remotes()}, err)
		return
	}
	now := r.Now()
	r.finish(j, Delivery{Outcome: "updated", Parts: receipt.Parts}, func(rec *ledger.Record) {
		rec.Fingerprint, rec.Said, rec.Source, rec.Commit = j.Fingerprint, j.Said, j.Source, r.Commit
		rec.SetParts(receipt, j.rendering)
		rec.End(now, "updated", "")
	})
}

// withdraw takes down what is out.
func (r *run) withdraw(ctx context.Context, j *job) {
	old := platform.Receipt{Parts: j.rec.Remotes(), At: j.rec.PublishedAt}
	deleter, ok := j.publisher.(platform.Deleter)
	if !ok {
		r.fail(j, old, &platform.Error{Outcome: platform.Rejected, Message: "the network cannot take posts down"})
		return
	}
	if err := deleter.Delete(ctx, old); err != nil {
		r.fail(j, old, err)
		return
	}
	now := r.Now()
	r.finish(j, Delivery{Outcome: "withdrawn", Parts: old.Parts}, func(rec *ledger.Record) {
		rec.State, rec.WithdrawnAt = ledger.Withdrawn, now
		rec.End(now, "withdrawn", "")
	})
}
