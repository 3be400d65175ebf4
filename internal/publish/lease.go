package publish

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// lastMinute is how much of a lease must be left for a request that changes something: more than one takes to arrive.
const lastMinute = time.Minute

// leash is the way to one account's network. It lets nothing out that could change something once the delivery may be
// another run's: a machine that was suspended in the middle of a thread, and wakes up when another run has finished it,
// must not go on where it was.
//
// It looks twice: before a request is begun, and again whenever bytes of it are about to leave, since connecting takes
// time and machines fall asleep at any moment. What remains is the moment between that look and the system call.
type leash struct {
	run  *run
	base http.RoundTripper
	job  atomic.Pointer[job] // that is being done; nil before the first
	// changing is how many requests that could change something are under way.
	changing atomic.Int32
}

// newLeash puts an account's way to its network on a leash. Its connections are shared with no other account.
func newLeash(r *run, base http.RoundTripper) *leash {
	l := &leash{run: r, base: base}
	shared, ok := base.(*http.Transport)
	if !ok || shared.DialTLSContext != nil { // its connections hide what they write
		return l
	}
	own := shared.Clone()
	dial := own.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &leashed{conn, l}, nil
	}
	l.base = own
	return l
}

var (
	errLeaseEnded = errors.New("the lease has ended, and another run may have taken the delivery over")
	// errLeaseOver is the same where nothing has left that the network could carry out.
	errLeaseOver = fmt.Errorf("%w: %w", errLeaseEnded, platform.ErrNotSent)
)

// RoundTrip implements [http.RoundTripper].
func (l *leash) RoundTrip(req *http.Request) (*http.Response, error) {
	j := l.job.Load()
	if j == nil || req.Method == http.MethodGet || req.Method == http.MethodHead {
		return l.base.RoundTrip(req)
	}
	if !l.run.owns(req.Context(), j) {
		if req.Body != nil {
			req.Body.Close() //nolint:errcheck // a transport must close it, and nothing was read
		}
		return nil, errLeaseOver
	}
	l.changing.Add(1)
	defer l.changing.Add(-1)
	var shared atomic.Bool
	resp, err := l.base.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { shared.Store(multiplexed(info.Conn)) },
	})))
	// A request whose end was kept back is not carried out. Where requests share a connection, the end of another may be meant.
	if errors.Is(err, errLeaseEnded) && !shared.Load() {
		err = errLeaseOver
	}
	return resp, err
}

// multiplexed reports whether a connection carries several requests at once, and more than those.
func multiplexed(conn net.Conn) bool {
	encrypted, ok := conn.(*tls.Conn)
	return ok && encrypted.ConnectionState().NegotiatedProtocol == "h2"
}

// close ends the connections that are kept for later.
func (l *leash) close() {
	if own, ok := l.base.(*http.Transport); ok {
		own.CloseIdleConnections()
	}
}

// leashed is a connection to an account's network.
type leashed struct {
	net.Conn
	leash *leash
}

// Write implements [net.Conn].
func (c *leashed) Write(p []byte) (int, error) {
	if c.leash.changing.Load() > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), lastMinute)
		defer cancel()
		if !c.leash.run.owns(ctx, c.leash.job.Load()) {
			return 0, errLeaseEnded
		}
	}
	return c.Conn.Write(p)
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
