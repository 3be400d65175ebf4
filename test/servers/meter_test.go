package servers

import (
	"cmp"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// meter is a proxy before a server that notes when each request came and was answered.
type meter struct {
	URL string

	mu     sync.Mutex
	server *httputil.ReverseProxy
	open   int    // so many requests wait for their answers
	calls  []call // that were answered
}

// call is a request and its answer.
type call struct {
	method, path string
	began, ended time.Time
	status       int
	// Of a webhook: what Gitea calls it, and its signature, which is the same when it is delivered once more.
	delivery, signature string
}

// newMeter puts a proxy before a server.
func newMeter(t *testing.T, server string) *meter {
	t.Helper()
	m := &meter{}
	m.to(t, server)
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	m.URL = s.URL
	return m
}

// to puts the proxy before another server.
func (m *meter) to(t *testing.T, server string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.server = &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(u) },
		ErrorLog: log.New(io.Discard, "", 0), // a webhook that comes after the daemon has ended is answered 502, and no news
	}
}

// ServeHTTP implements http.Handler.
func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := call{method: r.Method, path: r.URL.Path, began: time.Now(), delivery: r.Header.Get("X-Gitea-Delivery"), signature: r.Header.Get("X-Gitea-Signature")}
	answer := &answerStatus{ResponseWriter: w}
	defer func() {
		c.ended, c.status = time.Now(), answer.status
		m.mu.Lock()
		defer m.mu.Unlock()
		m.open--
		m.calls = append(m.calls, c)
	}()
	m.mu.Lock()
	server := m.server
	m.open++
	m.mu.Unlock()
	server.ServeHTTP(answer, r)
}

// answerStatus remembers the status of an answer.
type answerStatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answerStatus) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the proxy flush.
func (a *answerStatus) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// since returns what was asked since a time and has been answered, in the order in which it was asked.
func (m *meter) since(at time.Time) (calls []call) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.calls {
		if !c.began.Before(at) {
			calls = append(calls, c)
		}
	}
	slices.SortFunc(calls, func(a, b call) int { return a.began.Compare(b.began) })
	return calls
}

// quiet reports whether nothing was on its way for a while.
func (m *meter) quiet(d time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open == 0 && !slices.ContainsFunc(m.calls, func(c call) bool { return time.Since(c.ended) < d })
}

// idle returns how long of a time none of the calls was on its way.
func idle(from, to time.Time, calls []call) (total time.Duration) {
	calls = slices.Clone(calls)
	slices.SortFunc(calls, func(a, b call) int { return cmp.Or(a.began.Compare(b.began), a.ended.Compare(b.ended)) })
	at := from
	for _, c := range calls {
		if c.began.After(to) {
			break
		}
		total += max(0, c.began.Sub(at))
		if c.ended.After(at) {
			at = c.ended
		}
	}
	return total + max(0, to.Sub(at))
}

func TestIdle(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	for _, tt := range []struct {
		name  string
		calls [][2]int
		want  int // between 100 and 200
	}{
		{"none", nil, 100},
		{"one", [][2]int{{120, 150}}, 70},
		{"side by side", [][2]int{{120, 150}, {130, 160}, {125, 128}}, 60},
		{"in any order", [][2]int{{150, 160}, {110, 120}}, 80},
		{"over the edges", [][2]int{{50, 110}, {190, 250}}, 80},
		{"before and after", [][2]int{{10, 50}, {250, 260}}, 100},
		{"all the time", [][2]int{{50, 300}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var calls []call
			for _, c := range tt.calls {
				calls = append(calls, call{began: at(c[0]), ended: at(c[1])})
			}
			if got := idle(at(100), at(200), calls); got != time.Duration(tt.want)*time.Millisecond {
				t.Errorf("idle for %v, want %d ms", got, tt.want)
			}
		})
	}
}
