//go:build unix

package chaos_test

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// phase is a point in the life of a request at which it can be held.
type phase string

const (
	opened   phase = "opened"   // its head is there, and nobody has read its body
	arrived  phase = "arrived"  // it is there, and the network has not looked at it
	accepted phase = "accepted" // it is carried out, and nothing is answered
	answered phase = "answered" // its answer is on the wire
)

// network serves one account's fake, or the remote, on a port of its own, which can be taken away and given back, and
// holds requests where a scenario wants them.
type network struct {
	t       *testing.T
	account string
	address string
	handler http.Handler
	fake    fakenet.Fake // nil for the remote
	busy    atomic.Int32 // requests that are dealt with at the moment

	mu     sync.Mutex
	server *http.Server
	stops  []*requestStop
}

// requestStop holds the nth request from now on that it is for.
type requestStop struct {
	*stop
	at   phase
	any  bool // any request, not only those that create posts
	left int
}

// serve starts a network. Ports are taken from below those that the system gives to outgoing connections, so that
// nobody gets one while its network is down.
func serve(t *testing.T, account string, make func(base string) http.Handler) *network {
	t.Helper()
	n := &network{t: t, account: account}
	var listener net.Listener
	for try := 0; ; try++ {
		var err error
		n.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(12000)))
		if listener, err = net.Listen("tcp", n.address); err == nil { //nolint:noctx // it listens until it is closed
			break
		}
		if try == 100 {
			t.Fatal(err)
		}
	}
	n.handler = make(n.base())
	n.fake, _ = n.handler.(fakenet.Fake)
	n.listen(listener)
	t.Cleanup(n.close)
	return n
}

func (n *network) base() string { return "http://" + n.address }

func (n *network) listen(l net.Listener) {
	server := &http.Server{Handler: n, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), ReadHeaderTimeout: patience}
	n.mu.Lock()
	n.server = server
	n.mu.Unlock()
	go server.Serve(l) //nolint:errcheck // it ends when it is closed
}

// down refuses connections from now on, and breaks those that there are.
func (n *network) down() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		n.server.Close()
		n.server = nil
	}
}

// up takes connections again, at the same address.
func (n *network) up() {
	n.t.Helper()
	n.mu.Lock()
	running := n.server != nil
	n.mu.Unlock()
	if running {
		return
	}
	deadline := time.Now().Add(patience)
	for {
		l, err := net.Listen("tcp", n.address) //nolint:noctx // it listens until it is closed
		if err == nil {
			n.listen(l)
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("%s does not come back: %v", n.account, err)
		}
		time.Sleep(time.Millisecond)
	}
}

func (n *network) close() {
	n.heal()
	n.down()
}

// stopAt holds the nth creating request from now on, counted from 1, at a point.
func (n *network) stopAt(at phase, nth int) *stop { return n.arm(at, nth, false) }

// stopAny holds the nth request of any kind.
func (n *network) stopAny(at phase, nth int) *stop { return n.arm(at, nth, true) }

func (n *network) arm(at phase, nth int, any bool) *stop {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &requestStop{stop: newStop(n.t, "request "+strconv.Itoa(nth)+" of "+n.account+", "+string(at)), at: at, any: any, left: nth}
	s.open = at == opened || at == arrived
	n.stops = append(n.stops, s)
	return s.stop
}

// heal lifts every fault.
func (n *network) heal() {
	if n.fake != nil {
		n.fake.Inject(fakenet.Plan{})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.stops {
		s.release(abort)
	}
	n.stops = nil
}

// due returns the stop that a request is for, nil when it is for none.
func (n *network) due(creates bool) (due *requestStop) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.stops {
		if creates || s.any {
			if s.left--; s.left == 0 {
				due = s
			}
		}
	}
	return due
}

// creates reports whether a request creates a post, or pushes.
func (n *network) creates(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	path := r.URL.Path
	switch n.account {
	case hook, plain:
		return true
	case origin:
		return strings.HasSuffix(path, "/git-receive-pack")
	default:
		return strings.HasSuffix(path, "/api/v1/statuses") || strings.HasSuffix(path, "repo.putRecord") || strings.HasSuffix(path, "repo.createRecord")
	}
}

// ServeHTTP implements [http.Handler].
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.busy.Add(1)
	defer n.busy.Add(-1)
	s := n.due(n.creates(r))
	if s == nil {
		n.handler.ServeHTTP(w, r)
		return
	}
	if s.at == opened {
		if n.hold(s) != pass {
			reset(w)
		}
		n.handler.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body)) // it is here, whatever becomes of its sender
	if s.at == arrived {
		if n.hold(s) != pass {
			panic(http.ErrAbortHandler)
		}
		n.handler.ServeHTTP(w, r)
		return
	}
	var a recorder
	n.handler.ServeHTTP(&a, r)
	if s.at == accepted && n.hold(s) != pass {
		panic(http.ErrAbortHandler)
	}
	a.writeTo(w)
	if s.at == answered {
		n.hold(s)
	}
}

// hold holds a request at its stop; meanwhile nothing is done with it.
func (n *network) hold(s *requestStop) verdict {
	n.busy.Add(-1)
	defer n.busy.Add(1)
	return s.stop.hold()
}

// reset breaks a connection so that its other end hears of it at once.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) //nolint:errcheck // then it is closed the usual way
	}
	conn.Close()
	panic(http.ErrAbortHandler)
}

// recorder keeps an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// writeTo sends the answer so that it is complete at once.
func (a *recorder) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Length", strconv.Itoa(a.body.Len()))
	w.WriteHeader(max(a.status, http.StatusOK))
	w.Write(a.body.Bytes())               //nolint:errcheck // the client may be gone
	http.NewResponseController(w).Flush() //nolint:errcheck // as above
}
