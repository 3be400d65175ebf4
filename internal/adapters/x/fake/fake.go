// Package fake is X's API v2 with everything in memory.
//
// It accepts, counts, refuses and answers as the real one does, as far as a program that publishes can tell and X says:
// https://docs.x.com and its specification, version 2.167 (2026-08-22). Words of refusals that X does not document are those
// that users of the API have reported.
package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Config is how a fake is set up.
type Config struct {
	Base  string // where it is served, without a final slash
	Now   func() time.Time
	Users []User
	// Access is what tokens of OAuth 1.0a may do; "" means "read-write".
	Access string
	// Processing is how many times a new file answers that it is still being processed.
	Processing int
	// Broken makes the processing of every file fail.
	Broken bool
	// Duplicates is for how long the same words are refused; 0 means a day. X does not say how long it is.
	Duplicates time.Duration
	// Contract lifts what is forbidden to apps without one: quotes, and replies where nobody has asked for them.
	Contract bool
	// Broke has the app run out of credits, Capped out of what its plan allows in a month.
	Broke, Capped bool
}

// User is an account, with what its requests may be made with.
type User struct {
	Handle  string
	OAuth1  OAuth1
	Bearer  string // of OAuth 2.0
	Premium bool
}

// Server is a fake X. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	config Config
	mux    *http.ServeMux

	mu      sync.Mutex
	last    uint64 // the number of the last id
	links   int    // how many addresses of t.co there are
	created int
	posts   []*post // oldest first
	media   map[string]*media
	nonces  map[string]bool
}

var _ fakenet.Fake = (*Server)(nil)

// New returns a network without any posts.
func New(c Config) *Server {
	s := &Server{config: c, mux: http.NewServeMux(), media: map[string]*media{}, nonces: map[string]bool{}}
	s.Clock = c.Now
	s.Tell = func(h http.Header, a fakenet.Allowance) { maps.Copy(h, limitHeader(a)) }
	for pattern, h := range map[string]handler{
		"GET /2/users/me":                    s.me,
		"GET /2/users/{id}/tweets":           s.timeline,
		"GET /2/tweets/{id}":                 s.show,
		"DELETE /2/tweets/{id}":              s.remove,
		"POST /2/media/upload/initialize":    s.initialize,
		"POST /2/media/upload/{id}/finalize": s.finalize,
		"GET /2/media/upload":                s.uploadStatus,
		"POST /2/media/metadata":             s.describe,
	} {
		s.mux.HandleFunc(pattern, s.authorized(h))
	}
	appended := s.authorized(s.appendSegment)
	s.mux.HandleFunc("POST /2/media/upload/{id}/append", func(w http.ResponseWriter, r *http.Request) { s.Upload(w, r, appended, s.refuse) })
	create := s.authorized(s.create)
	s.mux.HandleFunc("POST /2/tweets", func(w http.ResponseWriter, r *http.Request) { s.Create(w, r, "", create, s.refuse) })
	s.mux.HandleFunc("GET /files/{id}", s.file)
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("GET /{handle}/status/{id}", s.page)
	s.mux.HandleFunc("GET /i/web/status/{id}", s.page)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(http.StatusNotFound, "Not Found", "Not Found").write(w)
	})
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Posts implements [fakenet.Fake].
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := make([]fakenet.Post, 0, len(s.posts))
	for _, p := range s.posts {
		posts = append(posts, s.public(p))
	}
	return posts
}

// Creations implements [fakenet.Fake].
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// ReplySettings returns who may reply to a post, as it was made; "" is everybody.
func (s *Server) ReplySettings(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(id); p != nil {
		return p.replySettings
	}
	return ""
}

// Quoted returns which post another one quotes, "" if none.
func (s *Server) Quoted(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(id); p != nil {
		return p.quote
	}
	return ""
}

// handler serves one authorized request while the server is locked.
type handler func(r *http.Request, user *User) answer

// answer is what an endpoint answers.
type answer struct {
	status int
	header http.Header
	body   any
}

func ok(data any) answer { return answer{status: http.StatusOK, body: map[string]any{"data": data}} }

// fail returns a problem of no type of its own.
func fail(status int, title, detail string) answer {
	return refusal(status, "about:blank", title, detail)
}

// refusal returns a problem.
func refusal(status int, kind, title, detail string) answer {
	return answer{status: status, body: map[string]any{"type": kind, "title": title, "detail": detail, "status": status}}
}

const problems = "https://api.x.com/2/problems/"

// invalid returns the problem of a request that cannot be understood or carried out.
func invalid(format string, args ...any) answer {
	return answer{status: http.StatusBadRequest, body: map[string]any{
		"errors": []any{map[string]any{"parameters": map[string]any{}, "message": fmt.Sprintf(format, args...)}},
		"title":  "Invalid Request", "detail": "One or more parameters to your request was invalid.", "type": problems + "invalid-request",
	}}
}

func (a answer) write(w http.ResponseWriter) {
	encoded, err := json.Marshal(a.body)
	if err != nil {
		panic("fake: an answer always marshals: " + err.Error())
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
	w.WriteHeader(a.status)
	w.Write(encoded) //nolint:errcheck // the client has gone
}

func unauthorized() answer { return fail(http.StatusUnauthorized, "Unauthorized", "Unauthorized") }

func tooLong() answer {
	return invalid("Your Tweet text is too long. For more information on how Twitter determines text length see https://github.com/twitter/twitter-text.")
}

// refuse answers as X does to what [fakenet.Faults] asks for.
func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	var a answer
	switch f {
	case fakenet.Refuse:
		a = tooLong()
	case fakenet.RateLimit:
		now := s.config.Now()
		a = fail(http.StatusTooManyRequests, "Too Many Requests", "Too Many Requests")
		a.header = limitHeader(fakenet.Allowance{Quota: fakenet.Quota{Posts: 100}, Now: now, Reset: now.Truncate(window).Add(window)})
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		a = unauthorized()
	case fakenet.Forbidden:
		a = fail(http.StatusForbidden, "Forbidden", "You are not permitted to perform this action.")
	default:
		a = refusal(http.StatusInternalServerError, problems+"internal-error", "Internal Server Error", "Something is broken. Please try again later.")
	}
	a.write(w)
}

// window is in which X counts requests: https://docs.x.com/x-api/fundamentals/rate-limits (2026-08-22).
const window = 15 * time.Minute

func limitHeader(a fakenet.Allowance) http.Header {
	return http.Header{
		"X-Rate-Limit-Limit":     {strconv.Itoa(a.Posts)},
		"X-Rate-Limit-Remaining": {strconv.Itoa(a.Left)},
		"X-Rate-Limit-Reset":     {strconv.FormatInt(a.Reset.Unix(), 10)},
		"Date":                   {a.Now.UTC().Format(http.TimeFormat)},
	}
}

// authorized serves a request of a user who may make it.
func (s *Server) authorized(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		a := s.serve(h, r)
		s.mu.Unlock()
		w.Header().Set("Date", s.config.Now().UTC().Format(http.TimeFormat))
		a.write(w)
	}
}

func (s *Server) serve(h handler, r *http.Request) answer {
	user := s.userOf(r)
	creates := r.Method == http.MethodPost && r.URL.Path == "/2/tweets" // it has struck there, or not
	switch {
	case user == nil, !creates && s.Strikes(fakenet.ExpiredToken):
		return unauthorized()
	case s.config.Broke:
		return refusal(http.StatusPaymentRequired, problems+"credits", "CreditsDepleted",
			"Your enrolled account does not have any credits to fulfill this request.")
	case s.config.Capped:
		a := refusal(http.StatusTooManyRequests, problems+"usage-capped", "UsageCapExceeded", "Usage cap exceeded: Monthly product cap")
		a.header = limitHeader(fakenet.Allowance{Quota: fakenet.Quota{Posts: 100}, Left: 99, Now: s.config.Now(), Reset: s.config.Now().Add(window)})
		return a
	}
	return h(r, user)
}

// userID returns the number of an account.
func (s *Server) userID(u *User) string {
	return strconv.Itoa(1001 + slices.IndexFunc(s.config.Users, func(other User) bool { return other.Handle == u.Handle }))
}

func (s *Server) me(r *http.Request, user *User) answer {
	a := ok(map[string]any{"id": s.userID(user), "name": user.Handle, "username": user.Handle})
	if strings.HasPrefix(r.Header.Get("Authorization"), "OAuth ") {
		a.header = http.Header{"X-Access-Level": {cmp.Or(s.config.Access, "read-write")}}
	}
	return a
}

// nextID returns a new id, larger than all before: the milliseconds since X's epoch, and 22 bits more.
func (s *Server) nextID() string {
	ms := uint64(max(0, s.config.Now().UnixMilli()-1288834974657)) //nolint:gosec // not negative
	s.last = max(s.last+1, ms<<22)
	return strconv.FormatUint(s.last, 10)
}

func (s *Server) duplicates() time.Duration { return cmp.Or(s.config.Duplicates, 24*time.Hour) }
