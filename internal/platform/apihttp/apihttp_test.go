package apihttp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

const token = "s3cr3t-t0k3n"

// rawServer serves every connection with handle, below HTTP, and returns its base URL.
func rawServer(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				handle(c)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// readRequest reads one request with its body off a connection.
func readRequest(c net.Conn) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return nil
	}
	io.Copy(io.Discard, req.Body)
	return req
}

func newClient(t *testing.T, base string) *Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{
		HTTP:    &http.Client{Transport: transport},
		Base:    base,
		Header:  func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) },
		Now:     func() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) },
		Secrets: []secret.String{secret.New(token)},
	}
}

func asError(t *testing.T, err error) *platform.Error {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok {
		t.Fatalf("error %v (%T) is no *platform.Error", err, err)
	}
	return e
}

// A request that left and got no whole answer may have been carried out.
func TestNoWholeAnswer(t *testing.T) {
	answers := func(raw string) func(net.Conn) {
		return func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, raw)
		}
	}
	tests := map[string]func(net.Conn){
		"closed on accept": func(net.Conn) {},
		"reset before the body": func(c net.Conn) {
			bufio.NewReader(c).ReadString('\n')
			c.(*net.TCPConn).SetLinger(0)
		},
		"reset after the body": func(c net.Conn) {
			readRequest(c)
			c.(*net.TCPConn).SetLinger(0)
		},
		"closed without an answer": answers(""),
		"half a status line":       answers("HTTP/1.1 20"),
		"half the headers":         answers("HTTP/1.1 200 OK\r\nContent-Len"),
		"half the body":            answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"),
		"half a chunk":             answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{\"id\":\"1\""),
		"no HTTP":                  answers("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
		"empty":                    answers("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		"no content":               answers("HTTP/1.1 204 No Content\r\n\r\n"),
		"a page of HTML":           answers("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"),
		"other JSON":               answers("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[42]"),
		"two values":               answers("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}{}"),
		"endless":                  answers("HTTP/1.1 200 OK\r\n\r\n{\"id\":\"" + strings.Repeat("x", 5000)),
		"500":                      answers("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
		"408":                      answers("HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n"),
		"303":                      answers("HTTP/1.1 303 See\r\nLocation: /done\r\nContent-Length: 0\r\n\r\n"),
	}
	for name, handle := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, rawServer(t, handle))
			for _, creates := range []bool{true, false} {
				var out struct{ ID string }
				_, err := c.Do(t.Context(), Request{
					Op: "create post", Method: "POST", Path: "/", JSON: map[string]string{"text": "hello"},
					Creates: creates, MaxResponse: 4000,
				}, &out)
				want := platform.Unsent
				if creates {
					want = platform.Unknown
				}
				if e := asError(t, err); e.Outcome != want || e.Op != "create post" {
					t.Errorf("creates=%v: got %v for %q (op %q), want %v", creates, e.Outcome, e, e.Op, want)
				}
			}
		})
	}
}

// A request that never left was not carried out, however the failure came about.
func TestNeverSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	untrusted := httptest.NewUnstartedServer(nil)
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	untrusted.StartTLS()
	defer untrusted.Close()

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	dialing, cancelDialing := context.WithCancel(t.Context())
	defer cancelDialing()

	tests := map[string]struct {
		ctx  context.Context
		base string
		dial func(context.Context, string, string) (net.Conn, error)
		path string
		json any
	}{
		"refused":     {base: "http://" + closed.Addr().String()},
		"certificate": {base: untrusted.URL},
		"no such name": {base: "http://nowhere.example", dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true}
		}},
		"cancelled before": {ctx: cancelled, base: untrusted.URL},
		"cancelled while dialing": {ctx: dialing, base: "http://slow.example", dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancelDialing()
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		"not an address":  {base: "http://[broken"},
		"cannot be JSON":  {base: untrusted.URL, json: func() {}},
		"control in path": {base: untrusted.URL, path: "/\x00"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, test.base)
			c.HTTP.Transport.(*http.Transport).DialContext = test.dial
			ctx := test.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			body := &closeCounter{Reader: strings.NewReader("x")}
			_, err := c.Do(ctx, Request{Op: "create post", Method: "POST", Path: test.path, Body: body, JSON: test.json, Creates: true}, nil)
			if e := asError(t, err); e.Outcome != platform.Unsent {
				t.Errorf("got %v (%v), want unsent", e.Outcome, e)
			}
			if test.json == nil && body.closed.Load() == 0 {
				t.Error("the body was not closed")
			}
		})
	}
}

type closeCounter struct {
	io.Reader
	closed atomic.Int32
}

func (c *closeCounter) Close() error { c.closed.Add(1); return nil }

// HTTP/2 may repeat a request by itself as well, but only one that the server says it did not look at.
func TestHTTP2(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		io.Copy(io.Discard, r.Body)
		if r.ProtoMajor != 2 {
			t.Errorf("it is %s", r.Proto)
		}
		if r.URL.Path == "/fine" {
			io.WriteString(w, "{}")
			return
		}
		panic(http.ErrAbortHandler)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	c := newClient(t, server.URL)
	c.HTTP = server.Client()
	send := func(path string) error {
		_, err := c.Do(t.Context(), Request{
			Method: "POST", Path: path, JSON: 1, Creates: true, Header: http.Header{"Idempotency-Key": {"k"}},
		}, &struct{}{})
		return err
	}
	for range 2 {
		if err := send("/fine"); err != nil {
			t.Fatal(err)
		}
		if e := asError(t, send("/abort")); e.Outcome != platform.Unknown {
			t.Errorf("got %v (%v), want unknown", e.Outcome, e)
		}
	}
	if n := requests.Load(); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

func TestWordsForPeople(t *testing.T) {
	for want, answer := range map[string]string{
		"post: the server closed the connection without an answer": "",
		"post: the answer broke off (HTTP 200)":                    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":",
	} {
		c := newClient(t, rawServer(t, func(conn net.Conn) {
			readRequest(conn)
			io.WriteString(conn, answer)
		}))
		_, err := c.Do(t.Context(), Request{Op: "post", Method: "POST", Path: "/", Creates: true}, &struct{}{})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCancelledAfterWrite(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := newClient(t, rawServer(t, func(conn net.Conn) {
		readRequest(conn)
		cancel()
		io.Copy(io.Discard, conn) // until the client hangs up
	}))
	_, err := c.Do(ctx, Request{Method: "POST", Path: "/", Creates: true}, nil)
	if e := asError(t, err); e.Outcome != platform.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v (%v), want unknown and a cancellation", e.Outcome, e)
	}
}

// A transport that does not report its progress proves nothing.
func TestForeignTransport(t *testing.T) {
	c := newClient(t, "http://x.example")
	c.HTTP.Transport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("lost") })
	_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/", Creates: true}, nil)
	if e := asError(t, err); e.Outcome != platform.Unknown {
		t.Errorf("got %v, want unknown", e.Outcome)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A server that never finishes costs one time-out and leaves no goroutine: synctest fails the test if
// one remains blocked.
func TestSlowServer(t *testing.T) {
	tests := map[string]string{
		"no headers":   "",
		"half headers": "HTTP/1.1 200 OK\r\nContent-",
		"no body":      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, "http://slow.example")
				c.Timeout = 20 * time.Second
				c.HTTP.Transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go func() {
						defer server.Close()
						readRequest(server)
						io.WriteString(server, answer)
						io.Copy(io.Discard, server)
					}()
					return client, nil
				}}
				start := time.Now()
				_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/", Creates: true}, nil)
				if e := asError(t, err); e.Outcome != platform.Unknown || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v (%v), want unknown by its deadline", e.Outcome, e)
				}
				if took := time.Since(start); took != c.Timeout {
					t.Errorf("it took %v, want %v", took, c.Timeout)
				}
			})
		})
	}
}

// net/http repeats a POST with an Idempotency-Key when a kept-alive connection breaks. Ours must not.
func TestNeverRepeatsByItself(t *testing.T) {
	var requests atomic.Int32
	var key atomic.Value
	c := newClient(t, rawServer(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			key.Store(req.Header.Get("Idempotency-Key"))
			if requests.Add(1) > 1 {
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	}))
	send := func() error {
		_, err := c.Do(t.Context(), Request{
			Method: "POST", Path: "/", JSON: 1, Creates: true, Header: http.Header{"Idempotency-Key": {"k1"}},
		}, nil)
		return err
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	if e := asError(t, send()); e.Outcome != platform.Unknown {
		t.Errorf("got %v, want unknown", e.Outcome)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("the server got %d requests, want 2", n)
	}
	if key.Load() != "k1" {
		t.Errorf("the server got the key %q", key.Load())
	}
}

// When not a byte could be written to a kept-alive connection, net/http asks for another one. If there is
// none to be had, the request never left.
func TestStaleConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	defer server.Close()
	var dead atomic.Bool
	c := newClient(t, server.URL)
	c.HTTP.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dead.Load() {
			return nil, errors.New("the network is down")
		}
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return mortal{conn, &dead}, err
	}
	send := func() error {
		_, err := c.Do(t.Context(), Request{Method: "POST", Path: "/", JSON: 1, Creates: true}, nil)
		return err
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	dead.Store(true)
	if e := asError(t, send()); e.Outcome != platform.Unsent {
		t.Errorf("got %v (%v), want unsent", e.Outcome, e)
	}
}

// mortal is a connection to which nothing can be written once it is dead.
type mortal struct {
	net.Conn
	dead *atomic.Bool
}

func (m mortal) Write(p []byte) (int, error) {
	if m.dead.Load() {
		return 0, errors.New("broken pipe")
	}
	return m.Conn.Write(p)
}

func TestStatus(t *testing.T) {
	tests := []struct {
		status  int
		body    string
		creates bool
		want    platform.Outcome
		message string
		hint    bool
	}{
		{400, `{"error":"InvalidRequest","message":"text too long"}`, true, platform.Rejected, "text too long", false},
		{401, `{"error":"The access token is invalid"}`, true, platform.Denied, "The access token is invalid", true},
		{403, `{"error":"forbidden","error_description":"no scope"}`, true, platform.Denied, "no scope", true},
		{404, ``, true, platform.Rejected, "not found", false},
		{409, `{"error":{"code":7}}`, true, platform.Rejected, "conflict", false},
		{410, ``, true, platform.Denied, "gone", true},
		{413, `<html>too big`, true, platform.Rejected, "request entity too large", false},
		{422, `{"error":"Validation failed: Text can't be blank"}`, false, platform.Rejected, "Validation failed: Text can't be blank", false},
		{425, ``, true, platform.Unsent, "too early", false},
		{429, ``, true, platform.Limited, "too many requests", false},
		{500, `{"error":"InternalServerError","message":"Internal Server Error"}`, true, platform.Unknown, "Internal Server Error", false},
		{503, ``, false, platform.Unsent, "service unavailable", false},
		{599, ``, true, platform.Unknown, "the server gave no reason", false},
		{302, ``, true, platform.Unknown, `the server redirects to "http://elsewhere.example/"`, false},
		{307, ``, true, platform.Denied, `the server redirects to "http://elsewhere.example/"`, true},
		{301, ``, false, platform.Denied, `the server redirects to "http://elsewhere.example/"`, true},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://elsewhere.example/")
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			}))
			defer server.Close()
			c := newClient(t, server.URL)
			resp, err := c.Do(t.Context(), Request{Method: "POST", Path: "/", Creates: test.creates}, nil)
			e := asError(t, err)
			if e.Outcome != test.want || e.Message != test.message || e.Status != test.status || (e.Hint != "") != test.hint {
				t.Errorf("got %v %q (HTTP %d, hint %q), want %v %q", e.Outcome, e.Message, e.Status, e.Hint, test.want, test.message)
			}
			if resp == nil || string(resp.Body) != test.body {
				t.Errorf("the response is %+v, want one with the body", resp)
			}
		})
	}
}

// Credentials stay with the host they belong to, and what creates is not redirected at all.
func TestRedirects(t *testing.T) {
	var strangers, elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strangers.Add(1)
		if r.Header.Get("Authorization") != "" {
			elsewhere.Add(1)
		}
	}))
	defer other.Close()
	var posts atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("GET /there", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{}`) })
	mux.HandleFunc("POST /there", func(w http.ResponseWriter, r *http.Request) { posts.Add(1) })
	server := httptest.NewServer(mux)
	defer server.Close()
	c := newClient(t, server.URL)

	if _, err := c.Do(t.Context(), Request{Path: "/here"}, &struct{}{}); err != nil {
		t.Errorf("a redirect of a reading request on one host: %v", err)
	}
	for _, r := range []Request{
		{Path: "/away"}, {Path: "/loop"},
		{Method: "POST", Path: "/away", Creates: true}, {Method: "POST", Path: "/here", Creates: true},
	} {
		_, err := c.Do(t.Context(), r, nil)
		if e := asError(t, err); e.Outcome != platform.Denied || e.Status != 307 {
			t.Errorf("%s %s: got %v (%v), want denied", r.Method, r.Path, e.Outcome, e)
		}
	}
	if strangers.Load()+elsewhere.Load()+posts.Load() != 0 {
		t.Errorf("%d requests went to another host, %d with credentials; %d posts were redirected", strangers.Load(), elsewhere.Load(), posts.Load())
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Tue, 01 Dec 2026 10:00:00 GMT" // an hour after the client's clock
	tests := []struct {
		name   string
		header http.Header
		limits LimitStyle
		want   time.Duration
	}{
		{"says nothing", http.Header{}, LimitStyle{}, 0},
		{"seconds", http.Header{"Retry-After": {"30"}}, LimitStyle{}, 30 * time.Second},
		{"fraction", http.Header{"Retry-After": {"0.5"}}, LimitStyle{}, 500 * time.Millisecond},
		{"date", http.Header{"Date": {date}, "Retry-After": {"Tue, 01 Dec 2026 10:01:00 GMT"}}, LimitStyle{}, time.Minute},
		{"date in the past", http.Header{"Date": {date}, "Retry-After": {"Tue, 01 Dec 2026 09:01:00 GMT"}}, LimitStyle{}, 0},
		{"unix", http.Header{"Date": {date}, "Ratelimit-Reset": {"1796119260"}}, LimitStyle{Reset: "RateLimit-Reset", Format: Unix}, time.Minute},
		{"milliseconds", http.Header{"Date": {date}, "X-Ratelimit-Reset": {"1796119260000"}}, LimitStyle{Reset: "X-RateLimit-Reset", Format: UnixMillis}, time.Minute},
		{"ISO 8601", http.Header{"Date": {date}, "X-Ratelimit-Reset": {"2026-12-01T10:01:00.000Z"}}, LimitStyle{Reset: "X-RateLimit-Reset", Format: ISO8601}, time.Minute},
		{"either, ISO 8601", http.Header{"Date": {date}, "X-Ratelimit-Reset": {"2026-12-01T10:01:00.500000Z"}}, LimitStyle{Reset: "X-RateLimit-Reset", Format: ISO8601OrUnix}, 60500 * time.Millisecond},
		{"either, unix", http.Header{"Date": {date}, "X-Ratelimit-Reset": {"1796119260"}}, LimitStyle{Reset: "X-RateLimit-Reset", Format: ISO8601OrUnix}, time.Minute},
		{"either, neither", http.Header{"X-Ratelimit-Reset": {"at noon"}}, LimitStyle{Reset: "X-RateLimit-Reset", Format: ISO8601OrUnix}, 0},
		{"delta", http.Header{"Ratelimit-Reset": {"60"}}, LimitStyle{Reset: "RateLimit-Reset", Format: Delta}, time.Minute},
		{"Retry-After first", http.Header{"Retry-After": {"5"}, "Ratelimit-Reset": {"60"}}, LimitStyle{Reset: "RateLimit-Reset", Format: Delta}, 5 * time.Second},
		{"malformed Retry-After", http.Header{"Retry-After": {"soon"}, "Ratelimit-Reset": {"60"}}, LimitStyle{Reset: "RateLimit-Reset", Format: Delta}, time.Minute},
		{"own clock", http.Header{"Ratelimit-Reset": {"1796115660"}, "Date": {"?"}}, LimitStyle{Reset: "RateLimit-Reset", Format: Unix}, time.Minute},
		{"a year", http.Header{"Retry-After": {"31536000"}}, LimitStyle{}, 24 * time.Hour},
		{"out of range", http.Header{"Retry-After": {"1e300"}}, LimitStyle{}, 24 * time.Hour},
		{"not a number", http.Header{"Retry-After": {"NaN"}}, LimitStyle{}, 0},
		{"negative", http.Header{"Retry-After": {"-5"}}, LimitStyle{}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClient(t, "")
			c.Limits = test.limits
			if got := c.retryAfter(test.header); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"30", "0.5", "Tue, 01 Dec 2026 10:01:00 GMT", "2026-12-01T10:01:00.000Z", "1796119260", "-1", "Inf"} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, value string, format uint8) {
		c := newClient(t, "")
		c.Limits = LimitStyle{Reset: "Reset", Format: ResetFormat(format % 5)}
		for _, header := range []string{"Reset", "Retry-After"} {
			if got := c.retryAfter(http.Header{header: {value}}); got < 0 || got > maxWait {
				t.Errorf("%s %q: %v", header, value, got)
			}
		}
	})
}

// Wherever a secret turns up – in the address, in the server's words, in bytes that are not HTTP – it
// is gone from the error and from the log.
func TestNoSecrets(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	echo := func(raw string) string {
		return rawServer(t, func(c net.Conn) {
			readRequest(c)
			io.WriteString(c, strings.ReplaceAll(raw, "TOKEN", token))
		})
	}
	bases := map[string]string{
		"unreachable":  "http://" + closed.Addr().String(),
		"own words":    echo("HTTP/1.1 422 No\r\nConnection: close\r\n\r\n{\"error\":\"bad token TOKEN\"}"),
		"not HTTP":     echo("TOKEN TOKEN\r\n\r\n"),
		"redirect":     echo("HTTP/1.1 307 Go\r\nLocation: http://x.example/?t=TOKEN\r\nContent-Length: 0\r\n\r\n"),
		"garbage":      echo("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n\"TOKEN\""),
		"hostile text": echo("HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nTOKEN\x1b[31m\xff no"),
		"parse":        "http://[" + token,
	}
	for name, base := range bases {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c := newClient(t, base)
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			_, err := c.Do(t.Context(), Request{
				Op: "post", Method: "POST", Path: "/bot" + token + "/send", Query: map[string][]string{"t": {token}}, JSON: token,
			}, &struct{}{})
			e := asError(t, err)
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", *e), fmt.Sprintf("%+v %#v", e.Err, e.Err), log.String()} {
				if strings.Contains(text, token) {
					t.Errorf("a secret in %q", text)
				}
			}
			if log.Len() == 0 {
				t.Error("nothing was logged")
			}
		})
	}
}

func TestSuccess(t *testing.T) {
	var got *http.Request
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		w.Header().Set("X-Id", "7")
		io.WriteString(w, ` {"id":"7"} `)
	}))
	defer server.Close()
	c := newClient(t, server.URL+"/")
	tests := map[string]struct {
		r                 Request
		method, kind, sum string
	}{
		"JSON":     {Request{Method: "PUT", Path: "/a", JSON: map[string]string{"t": "<é&>"}}, "PUT", "application/json", `{"t":"<é&>"}`},
		"form":     {Request{Method: "POST", Path: "/a", Form: map[string][]string{"t": {"a b"}}}, "POST", "application/x-www-form-urlencoded", "t=a+b"},
		"body":     {Request{Method: "POST", Path: "/a", Body: io.LimitReader(strings.NewReader("xyz"), 3), Length: 3, ContentType: "image/png"}, "POST", "image/png", "xyz"},
		"data":     {Request{Method: "POST", Path: "/a", Data: []byte("xyz"), ContentType: "image/png"}, "POST", "image/png", "xyz"},
		"query":    {Request{Path: "/a", Query: map[string][]string{"q": {"1"}}}, "GET", "", ""},
		"absolute": {Request{Path: server.URL + "/a"}, "GET", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out struct{ ID string }
			resp, err := c.Do(t.Context(), test.r, &out)
			if err != nil {
				t.Fatal(err)
			}
			if out.ID != "7" || resp.Header.Get("X-Id") != "7" || resp.Status != 200 {
				t.Errorf("got %+v, %+v", out, resp)
			}
			if got.Method != test.method || got.URL.Path != "/a" || body != test.sum || got.Header.Get("Content-Type") != test.kind {
				t.Errorf("sent %s %s %q %q", got.Method, got.URL, got.Header.Get("Content-Type"), body)
			}
			if got.Header.Get("Authorization") != "Bearer "+token || got.UserAgent() != UserAgent {
				t.Errorf("sent headers %v", got.Header)
			}
			if test.r.Length > 0 && got.ContentLength != test.r.Length {
				t.Errorf("content length %d, want %d", got.ContentLength, test.r.Length)
			}
		})
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(`{"error":"x","message":"y"}`, "application/json", 422)
	f.Add("plain\xff words", "text/plain", 500)
	f.Add(`{"error":{"a":1}}`, "", 299)
	f.Fuzz(func(t *testing.T, body, kind string, status int) {
		got := tidy(message(&Response{Status: status, Header: http.Header{"Content-Type": {kind}}, Body: []byte(body)}))
		if len(got) > maxWords+len("…") || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("message %q", got)
		}
	})
}
