package publish

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// lastMinute is how much of a lease must be left for a request that changes something: more than one takes to arrive.
const lastMinute = time.Minute

// leash is the way to one account's network. It lets nothing out that could change something once the delivery may be
// another run's: a machine that was suspended in the middle of a thread, and wakes up when another run has finished it,
// must not go on where it was.
type leash struct {
	run  *run
	base http.RoundTripper
	job  atomic.Pointer[job] // that is being done; nil before the first
}

// errLeaseOver wraps the error that says that nothing left.
var errLeaseOver = fmt.Errorf("the lease has ended, and another run may have taken the delivery over: %w", platform.ErrNotSent)

// RoundTrip implements [http.RoundTripper].
func (l *leash) RoundTrip(req *http.Request) (*http.Response, error) {
	reads := req.Method == http.MethodGet || req.Method == http.MethodHead
	if j := l.job.Load(); j != nil && !reads && !l.run.owns(req.Context(), j) {
		if req.Body != nil {
			req.Body.Close() //nolint:errcheck // a transport must close it, and nothing was read
		}
		return nil, errLeaseOver
	}
	return l.base.RoundTrip(req)
}

// owns reports whether a delivery is still this run's. Its lease is not enough: another run whose clock is ahead of
// ours has seen that end earlier. But what such a run takes over, it sends [settleTime] later at the earliest. So the
// ledger must have said that the delivery is ours a minute ago or less, which leaves the request a minute to arrive.
func (r *run) owns(ctx context.Context, j *job) bool {
	if r.left(j) < lastMinute {
		return false
	}
	if r.confirmedNow() {
		return true
	}
	done := make(chan struct{})
	select {
	case r.looks <- done:
	case <-ctx.Done():
		return false
	}
	select {
	case <-done:
	case <-ctx.Done():
		return false
	}
	return r.confirmedNow() && r.left(j) >= lastMinute
}

// confirmedNow reports whether the ledger has been seen a moment ago.
func (r *run) confirmedNow() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Now().Sub(r.confirmed) < lastMinute
}

// left returns how long a delivery is this run's: the lease counts that others see, which a renewal extends only
// once it is pushed.
func (r *run) left(j *job) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return j.until.Sub(r.Now())
}
