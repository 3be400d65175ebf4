// Package apihttp is the one HTTP client of all publishers.
//
// What it adds to net/http is certainty about failures. Every error of [Client.Do] is a
// *[platform.Error] that says whether the request can have been carried out: a refused connection is
// Unsent, a connection that broke after the request left is Unknown when the request creates
// something, an answer is what its status says. It also keeps secrets out of errors and logs, never
// takes credentials to another host, bounds the time and the size of every answer, and makes sure
// that a creating request leaves once: net/http by itself repeats some POST requests.
package apihttp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// UserAgent is what requests say they come from, unless their headers say otherwise.
const UserAgent = "postrider (+https://github.com/postrider/postrider)"

// The defaults of [Client.Timeout] and [Request.MaxResponse].
const (
	DefaultTimeout     = 60 * time.Second
	DefaultMaxResponse = 4 << 20
)

// slowestLine is how many bytes of a body leave in a second at the least.
const slowestLine = 64 << 10

// maxRedirects is how many redirects of a reading request are followed, all on one host.
const maxRedirects = 5

// Client talks to the API of one server with one account's credentials. The zero value of every
// field but HTTP is usable.
type Client struct {
	HTTP *http.Client
	Base string // what every Request.Path is appended to: "https://bsky.social"
	// Header sets what every request needs, credentials above all.
	Header func(*http.Request)
	// Refine reads the platform's own error shape. It gets the error that the status alone would give
	// and may change anything in it; the client scrubs secrets afterwards.
	Refine func(e *platform.Error, r *Response)
	Limits LimitStyle
	// Budget takes what the answers say about how long the account must not create anything.
	Budget  *platform.Budget
	Log     *slog.Logger
	Now     func() time.Time // for reset times, when the server sends no Date; and for the log
	Secrets []secret.String  // never shown, wherever they turn up
	// Timeout bounds one request with its answer; 0 is DefaultTimeout. A large body has as much longer as it takes on
	// a slow line.
	Timeout time.Duration
}

// Request is one call of an API. At most one of JSON, Form, Data and Body is set.
type Request struct {
	Op     string // for people: "create post"
	Method string // GET when empty
	Path   string // appended to Client.Base; an absolute URL stands for itself
	Query  url.Values
	Header http.Header

	JSON        any
	Form        url.Values
	Data        []byte
	Body        io.Reader // closed by Do if it is an io.Closer
	ContentType string    // of Data or Body
	Length      int64     // of Body, where it is known and Body is not of package bytes or strings

	// Creates says that the request brings something into the world that a second one would bring
	// again. Whatever goes wrong after it left is then Unknown instead of Unsent.
	Creates bool
	// OwnLimit says that the platform counts such requests by themselves: to be refused for having made too many of
	// them says nothing of the account's posts.
	OwnLimit    bool
	MaxResponse int64 // bytes; 0 is DefaultMaxResponse
}

// Response is a complete answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do carries out one request and decodes the JSON of a 2xx answer into out, unless out is nil. It
// never repeats a request. The response is nil when there was no complete answer; the error is nil or
// a *[platform.Error], classified as follows.
//
//   - Not connected, or cancelled before: Unsent.
//   - Connected, but no complete answer; a 5xx or 408 answer; a 2xx answer that is not the JSON that was
//     expected: Unknown if the request creates something, else Unsent.
//   - 401, 403, 410 and redirects elsewhere: Denied. (302 and 303 can mean success: as a 5xx.)
//   - 429: Limited. 425: Unsent. Every other 4xx: Rejected.
func (c *Client) Do(ctx context.Context, r Request, out any) (*Response, error) {
	started := c.now()
	resp, e := c.do(ctx, &r, out)
	if e != nil {
		e.Op = r.Op
		c.scrub(e)
	}
	if c.Log != nil && c.Log.Enabled(ctx, slog.LevelDebug) {
		c.log(ctx, &r, resp, e, c.now().Sub(started))
	}
	if e != nil {
		return resp, e
	}
	return resp, nil
}

func (c *Client) do(ctx context.Context, r *Request, out any) (*Response, *platform.Error) {
	if err := ctx.Err(); err != nil {
		closeBody(r.Body)
		return nil, unsent(err)
	}
	w := &wire{}
	req, err := c.request(w.trace(ctx), r)
	if err != nil {
		closeBody(r.Body)
		return nil, unsent(err)
	}
	ctx, cancel := context.WithTimeout(req.Context(), c.timeout(req.ContentLength))
	defer cancel()
	req = req.WithContext(ctx)

	client := *c.HTTP
	client.Jar = nil
	client.Timeout = 0 // the context has it
	client.CheckRedirect = checkRedirect
	answer, err := client.Do(req)
	if err != nil {
		return nil, c.noAnswer(r, w, err)
	}
	defer answer.Body.Close() //nolint:errcheck // what matters has been read
	if r.Creates {
		c.spend(answer.Header)
	}
	limit := cmp.Or(r.MaxResponse, DefaultMaxResponse)
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("the answer is longer than %d bytes", limit)
		body = body[:limit]
	}
	resp := &Response{Status: answer.StatusCode, Header: answer.Header, Body: body}
	if e := c.classify(r, resp); e != nil { // the status counts, even when the rest of the answer is lost
		if e.Outcome == platform.Limited && !r.OwnLimit {
			c.Budget.Block(c.now().Add(e.RetryAfter))
		}
		return resp, e
	}
	if err != nil {
		return nil, c.ambiguous(r, fmt.Errorf("reading the answer: %w", err), answer.StatusCode)
	}
	if out != nil {
		if err := decode(body, out); err != nil {
			return nil, c.ambiguous(r, fmt.Errorf("the answer is not what the API promises: %w", err), answer.StatusCode)
		}
	}
	return resp, nil
}

// timeout is how long a request with a body of so many bytes may take; a negative number is one that is not known.
func (c *Client) timeout(bytes int64) time.Duration {
	return cmp.Or(c.Timeout, DefaultTimeout) + time.Duration(max(0, bytes)/slowestLine)*time.Second
}

// request builds the HTTP request.
func (c *Client) request(ctx context.Context, r *Request) (*http.Request, error) {
	target := r.Path
	if !strings.HasPrefix(target, "https://") && !strings.HasPrefix(target, "http://") {
		target = strings.TrimSuffix(c.Base, "/") + r.Path
	}
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	body, contentType := r.Body, r.ContentType
	switch {
	case r.JSON != nil:
		encoded, err := EncodeJSON(r.JSON)
		if err != nil {
			return nil, err
		}
		body, contentType = bytes.NewReader(encoded), "application/json"
	case r.Data != nil:
		body = bytes.NewReader(r.Data)
	case r.Form != nil:
		body, contentType = strings.NewReader(r.Form.Encode()), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodGet), target, body)
	if err != nil {
		return nil, err
	}
	if r.Length > 0 {
		req.ContentLength = r.Length
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.Header != nil {
		c.Header(req)
	}
	for key, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(key)] = values
	}
	if r.Creates {
		hideIdempotencyKey(req.Header)
	}
	return req, nil
}

// hideIdempotencyKey spells the headers by which net/http takes a POST for repeatable in lower case,
// where it does not see them: it would send the request again by itself when a kept-alive connection
// breaks, although many servers ignore the header and would post twice. HTTP does not mind the case.
// (net/http, Request.isReplayable, Go 1.26.)
func hideIdempotencyKey(h http.Header) {
	for _, key := range [2]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, ok := h[key]; ok {
			delete(h, key)
			h[strings.ToLower(key)] = values
		}
	}
}

// checkRedirect follows redirects of reading requests on one origin only. All others are answers.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	reading := first.Method == http.MethodGet || first.Method == http.MethodHead
	if !reading || len(via) > maxRedirects || req.URL.Scheme != first.URL.Scheme || req.URL.Host != first.URL.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// wire knows whether a request can have left. GotConn comes before the first byte is written; a later
// event would be exact but is reported by another goroutine, too late for a request that is cancelled
// meanwhile. net/http asks for another connection only after it proved that nothing left by the last.
type wire struct{ asked, connected atomic.Bool }

func (w *wire) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true); w.connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { w.connected.Store(true) },
	})
}

// provablyUnsent reports whether not a byte of the request left. A transport that reports nothing proves nothing.
func (w *wire) provablyUnsent() bool { return w.asked.Load() && !w.connected.Load() }

// noAnswer classifies an error of the transport.
func (c *Client) noAnswer(r *Request, w *wire, err error) *platform.Error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // the rest repeats the address, which may hold a token
	}
	if w.provablyUnsent() || errors.Is(err, platform.ErrNotSent) {
		return unsent(err)
	}
	return c.ambiguous(r, fmt.Errorf("no answer: %w", err), 0)
}

// ambiguous is the error for a request that left and of which nobody knows what became.
func (c *Client) ambiguous(r *Request, err error, status int) *platform.Error {
	e := &platform.Error{Outcome: platform.Unsent, Status: status, Err: err}
	if r.Creates {
		e.Outcome = platform.Unknown
	}
	switch { // what people need not know Go for
	case errors.Is(err, context.DeadlineExceeded):
		e.Message = "no answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Message = "the answer broke off"
	case errors.Is(err, io.EOF):
		e.Message = "the server closed the connection without an answer"
	}
	return e
}

func unsent(err error) *platform.Error { return &platform.Error{Outcome: platform.Unsent, Err: err} }

// classify returns the error that an answer is, nil for 2xx.
func (c *Client) classify(r *Request, resp *Response) *platform.Error {
	if resp.Status >= 200 && resp.Status < 300 {
		return nil
	}
	e := &platform.Error{Status: resp.Status, Message: message(resp), RetryAfter: c.retryAfter(resp.Header)}
	undecided := platform.Unsent
	if r.Creates {
		undecided = platform.Unknown
	}
	switch status := resp.Status; {
	case status == http.StatusUnauthorized:
		e.Outcome = platform.Denied
		e.Hint = "the token or password is wrong, expired or revoked: create a new one and set it again"
	case status == http.StatusForbidden:
		e.Outcome = platform.Denied
		e.Hint = "the token lacks a permission, or the account is restricted"
	case status == http.StatusGone:
		e.Outcome = platform.Denied
		e.Hint = "the address is gone for good: remove the account or give it a new address"
	case status == http.StatusTooManyRequests:
		e.Outcome = platform.Limited
	case status == http.StatusTooEarly:
		e.Outcome = platform.Unsent
	case status == http.StatusFound, status == http.StatusSeeOther:
		e.Outcome = undecided
		e.Message = redirected(resp)
	case status >= 300 && status < 400:
		e.Outcome = platform.Denied
		e.Message = redirected(resp)
		e.Hint = "credentials are never taken along to another address: write the new one into site.yaml"
	case status == http.StatusRequestTimeout, status >= 500, status < 200:
		e.Outcome = undecided
	default:
		e.Outcome = platform.Rejected
	}
	if c.Refine != nil {
		c.Refine(e, resp)
	}
	return e
}

func redirected(resp *Response) string {
	return fmt.Sprintf("the server redirects to %q", resp.Header.Get("Location"))
}

// message finds the server's own words in an answer of no known shape.
func message(resp *Response) string {
	var shapes struct {
		Message     string          `json:"message"`
		Description string          `json:"error_description"`
		Error       json.RawMessage `json:"error"`
	}
	if json.Unmarshal(resp.Body, &shapes) == nil {
		var word string
		_ = json.Unmarshal(shapes.Error, &word) // an object has no words for us
		for _, s := range [3]string{shapes.Message, shapes.Description, word} {
			if s != "" {
				return s
			}
		}
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") && !json.Valid(resp.Body) {
		if s := strings.TrimSpace(string(resp.Body)); s != "" {
			return s
		}
	}
	if text := http.StatusText(resp.Status); text != "" {
		return strings.ToLower(text)
	}
	return "the server gave no reason"
}

// maxWords is how many bytes of a server's words are passed on.
const maxWords = 500

// tidy makes what a server said fit to be printed: valid UTF-8 on one line, without control
// characters, not too long.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + "…"
}

// decode reads exactly one JSON value.
func decode(body []byte, out any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return errors.New("it is empty")
	}
	return json.Unmarshal(body, out)
}

// EncodeJSON returns v as JSON without the escapes that HTML needs, as other clients write it.
func EncodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// scrub takes the secrets out of everything that an error says, before anything is cut: half a secret
// would not be recognised.
func (c *Client) scrub(e *platform.Error) {
	e.Message = tidy(secret.Scrub(e.Message, c.Secrets...))
	e.Hint = secret.Scrub(e.Hint, c.Secrets...)
	if e.Err != nil {
		cause := e.Err
		e.Err = &scrubbed{
			msg: tidy(secret.Scrub(cause.Error(), c.Secrets...)),
			is:  func(target error) bool { return errors.Is(cause, target) },
		}
	}
}

// scrubbed is an error without secrets. It can be compared with others, but its cause is out of reach of
// every way of printing.
type scrubbed struct {
	msg string
	is  func(error) bool
}

func (s *scrubbed) Error() string        { return s.msg }
func (s *scrubbed) Is(target error) bool { return s.is(target) }

func (c *Client) log(ctx context.Context, r *Request, resp *Response, e *platform.Error, took time.Duration) {
	attrs := []slog.Attr{
		slog.String("op", r.Op),
		slog.String("method", cmp.Or(r.Method, http.MethodGet)),
		slog.String("path", secret.Scrub(r.Path, c.Secrets...)), // neither query nor headers nor bodies
		slog.Duration("took", took),
	}
	if resp != nil {
		attrs = append(attrs, slog.Int("status", resp.Status), slog.Int("bytes", len(resp.Body)))
	}
	if e != nil {
		attrs = append(attrs, slog.String("outcome", e.Outcome.String()), slog.String("error", e.Error()))
	}
	c.Log.LogAttrs(ctx, slog.LevelDebug, "http", attrs...)
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Time{}
	}
	return c.Now()
}

func closeBody(body io.Reader) {
	if closer, ok := body.(io.Closer); ok {
		closer.Close() //nolint:errcheck // read only
	}
}
