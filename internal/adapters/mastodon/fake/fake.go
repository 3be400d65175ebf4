// Package fake is a Mastodon server that keeps everything in memory, and with another setting a
// GoToSocial server.
//
// It accepts, counts, refuses and answers as the real ones do, in their own words, as far as a program
// that publishes can tell. What Mastodon does was read in its documentation and source
// (https://docs.joinmastodon.org, https://github.com/mastodon/mastodon, 2026-11-21), what GoToSocial
// does was seen on version 0.19.2.
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

// Config is how a fake server is set up.
type Config struct {
	Base   string            // where it is served, without a final slash: it is part of every address
	Tokens map[string]string // access tokens and the user names that they belong to
	Now    func() time.Time
	// GoToSocial makes it behave as GoToSocial: no idempotency keys, code points, its own words and HTML.
	GoToSocial bool
	// ReadOnly are the tokens, of Tokens, that lack the scope write.
	ReadOnly []string
	// Remote are accounts elsewhere that mentions can reach: "bob@remote.example".
	Remote []string
	// Processing is how many times a new file answers that it is still being processed.
	Processing int
	// Requests is how many requests a token has in five minutes; 0 means 300, as on Mastodon.
	Requests int
	// NoSource leaves out source and history, as servers before Mastodon 3.5 do.
	NoSource bool
	// NoInstanceV2 leaves out /api/v2/instance, as servers before Mastodon 4.0 do.
	NoInstanceV2 bool
}

// Server is a fake server. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	config Config
	mux    *http.ServeMux

	mu       sync.Mutex
	last     uint64 // the number of the last id
	created  int
	statuses []*status // oldest first
	media    map[string]*media
	keys     map[string]keyUse // by account and idempotency key
	requests map[string]int    // in this window, by token
	window   time.Time
}

var _ fakenet.Fake = (*Server)(nil)

// keyUse is a status that was made under an idempotency key.
type keyUse struct {
	status string
	until  time.Time
}

const (
	statusesPath    = "/api/v1/statuses"
	keyLifetime     = time.Hour
	windowLength    = 5 * time.Minute
	defaultRequests = 300
)

// New returns a server without any posts.
func New(c Config) *Server {
	s := &Server{
		config:   c,
		mux:      http.NewServeMux(),
		media:    map[string]*media{},
		keys:     map[string]keyUse{},
		requests: map[string]int{},
	}
	s.Clock, s.Tell = c.Now, s.tell
	for pattern, h := range map[string]handler{
		"GET /api/v1/accounts/verify_credentials": s.verifyCredentials,
		"GET /api/v1/apps/verify_credentials":     s.verifyApp,
		"GET /api/v1/accounts/{id}/statuses":      s.accountStatuses,
		"GET /api/v1/media/{id}":                  s.getMedia,
		"GET /api/v1/statuses/{id}":               s.getStatus,
		"PUT /api/v1/statuses/{id}":               s.editStatus,
		"DELETE /api/v1/statuses/{id}":            s.deleteStatus,
		"GET /api/v1/statuses/{id}/source":        s.getSource,
		"GET /api/v1/statuses/{id}/history":       s.getHistory,
		"GET /api/v1/statuses/{id}/context":       s.getContext,
		"GET /api/v2/search":                      s.search,
	} {
		s.mux.HandleFunc(pattern, s.authorized(h))
	}
	upload := s.authorized(s.uploadMedia)
	for _, pattern := range [2]string{"POST /api/v1/media", "POST /api/v2/media"} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.Upload(w, r, upload, s.refuse) })
	}
	post := s.authorized(s.postStatus)
	s.mux.HandleFunc("POST "+statusesPath, func(w http.ResponseWriter, r *http.Request) {
		s.Create(w, r, r.Header.Get("Idempotency-Key"), post, s.refuse)
	})
	s.mux.HandleFunc("GET /api/v1/instance", s.instanceV1)
	s.mux.HandleFunc("GET /api/v2/instance", s.instanceV2)
	s.mux.HandleFunc("GET /files/{id}", s.file)
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("GET /{user}", s.page)
	s.mux.HandleFunc("GET /{user}/{id}", s.page)
	s.mux.HandleFunc("GET /{user}/statuses/{id}", s.page)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.notFound().write(w) })
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Posts implements [fakenet.Fake].
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := make([]fakenet.Post, 0, len(s.statuses))
	for _, st := range s.statuses {
		posts = append(posts, s.post(st))
	}
	return posts
}

func (s *Server) post(st *status) fakenet.Post {
	p := fakenet.Post{
		ID: st.id, URL: s.statusURL(st), Account: "@" + st.user, Key: st.key, Text: st.text,
		Parent: st.replyTo, Root: s.root(st), Visibility: st.visibility, ContentWarning: st.spoiler,
		Sensitive: st.sensitive, Created: st.created, Edited: !st.edited.IsZero(),
	}
	if st.language != "" {
		p.Language = []string{st.language}
	}
	if st.poll != nil {
		p.Poll = slices.Clone(st.poll.options)
	}
	for _, m := range st.media {
		p.Media = append(p.Media, fakenet.Media{
			URL: s.fileURL(m), MIME: m.mime, Alt: m.description, Digest: m.digest, Bytes: int64(len(m.data)),
		})
	}
	return p
}

// root returns the id of the first post of a status's thread, "" when it is the first itself.
func (s *Server) root(st *status) string {
	root := ""
	for st.replyTo != "" {
		parent := s.find(st.replyTo)
		if parent == nil {
			break
		}
		root, st = parent.id, parent
	}
	return root
}

// Creations implements [fakenet.Fake].
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// handler serves one authorized request while the server is locked.
type handler func(r *http.Request, user string) answer

// answer is what an endpoint answers.
type answer struct {
	status int
	header http.Header
	body   any // nil for none
}

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

func fail(status int, format string, args ...any) answer {
	return answer{status: status, body: map[string]string{"error": fmt.Sprintf(format, args...)}}
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

// say returns Mastodon's words, or GoToSocial's when it is one.
func (s *Server) say(mastodon, goToSocial string) string {
	if s.config.GoToSocial {
		return goToSocial
	}
	return mastodon
}

func (s *Server) notFound() answer {
	return fail(http.StatusNotFound, "%s", s.say("Record not found", "Not Found"))
}

func (s *Server) badToken() answer {
	return fail(http.StatusUnauthorized, "%s", s.say("The access token is invalid", "Unauthorized: token not supplied"))
}

func (s *Server) forbidden() answer {
	return fail(http.StatusForbidden, "%s", s.say("This action is outside the authorized scopes", "Forbidden: token has insufficient scope permission"))
}

func (s *Server) tooLong() answer {
	if s.config.GoToSocial {
		return fail(http.StatusBadRequest, "Bad Request: text with spoiler exceed max chars (%d)", s.maxCharacters())
	}
	return fail(http.StatusUnprocessableEntity, "Validation failed: Text character limit of %d exceeded", s.maxCharacters())
}

// refuse answers as the real server does to what [fakenet.Faults] asks for.
func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	s.mu.Lock()
	now := s.config.Now()
	s.mu.Unlock()
	var a answer
	switch f {
	case fakenet.Refuse:
		a = s.tooLong()
	case fakenet.RateLimit:
		a = s.limited(now)
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		a = s.badToken()
	case fakenet.Forbidden:
		a = s.forbidden()
	default:
		a = fail(http.StatusInternalServerError, "%s", s.say("Internal Server Error", "Internal Server Error: please check the logs"))
	}
	a.write(w)
}

func (s *Server) limited(now time.Time) answer {
	a := fail(http.StatusTooManyRequests, "%s", s.say("Too many requests", "rate limit reached"))
	a.header = s.limitHeader(0, now)
	return a
}

// limitHeader returns the rate limit headers. The reset is a time on Mastodon, ISO 8601 with microseconds
// (config/initializers/rack_attack.rb), and a number on GoToSocial (docs/api/ratelimiting.md), both as of 2026-11-21.
// Neither has Retry-After.
func (s *Server) limitHeader(left int, now time.Time) http.Header {
	return s.allowanceHeader(fakenet.Allowance{
		Quota: fakenet.Quota{Posts: s.requestLimit(), Window: windowLength}, Left: left, Now: now, Reset: windowOf(now).Add(windowLength),
	})
}

func (s *Server) allowanceHeader(a fakenet.Allowance) http.Header {
	reset := strconv.FormatInt(a.Reset.Unix(), 10)
	if !s.config.GoToSocial {
		reset = a.Reset.UTC().Format("2006-01-02T15:04:05.000000Z")
	}
	return http.Header{
		"X-Ratelimit-Limit":     {strconv.Itoa(a.Posts)},
		"X-Ratelimit-Remaining": {strconv.Itoa(a.Left)},
		"X-Ratelimit-Reset":     {reset},
		"Date":                  {a.Now.UTC().Format(http.TimeFormat)},
	}
}

// tell writes what is left of the quota of posts, unless less is left of the requests: the servers tell of the tightest
// limit (app/controllers/concerns/api/rate_limit_headers.rb, 2026-11-21).
func (s *Server) tell(h http.Header, a fakenet.Allowance) {
	if left, err := strconv.Atoi(h.Get("X-RateLimit-Remaining")); err == nil && left < a.Left {
		return
	}
	maps.Copy(h, s.allowanceHeader(a))
}

func (s *Server) requestLimit() int { return cmp.Or(s.config.Requests, defaultRequests) }

func windowOf(t time.Time) time.Time { return t.Truncate(windowLength) }

// authorized serves a request whose token is known, has not used up its requests, and may do it.
func (s *Server) authorized(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		a := s.serve(h, r)
		s.mu.Unlock()
		a.write(w)
	}
}

func (s *Server) serve(h handler, r *http.Request) answer {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	user := s.config.Tokens[token]
	creates := r.Method == http.MethodPost && r.URL.Path == statusesPath // it has struck there, or not
	if !found || user == "" || !creates && s.Strikes(fakenet.ExpiredToken) {
		return s.badToken()
	}
	now := s.config.Now()
	if window := windowOf(now); !window.Equal(s.window) {
		s.window = window
		clear(s.requests)
	}
	s.requests[token]++
	left := s.requestLimit() - s.requests[token]
	if left < 0 {
		return s.limited(now)
	}
	var a answer
	if r.Method != http.MethodGet && slices.Contains(s.config.ReadOnly, token) {
		a = s.forbidden()
	} else {
		a = h(r, user)
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	maps.Copy(a.header, s.limitHeader(left, now))
	return a
}

// nextID returns a new id, larger than all before: Mastodon's are numbers that begin with the time,
// GoToSocial's are ULIDs. Both sort by time as text.
func (s *Server) nextID() string {
	ms := uint64(s.config.Now().UnixMilli())
	s.last = max(s.last+1, ms<<16)
	if !s.config.GoToSocial {
		return strconv.FormatUint(s.last, 10)
	}
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's, as in the ULID specification
	id := []byte("01" + strings.Repeat("0", 24))
	for i, n := len(id)-1, s.last; n > 0; i, n = i-1, n/32 {
		id[i] = digits[n%32]
	}
	return string(id)
}

// less orders ids as the servers do.
func less(a, b string) bool {
	return len(a) < len(b) || len(a) == len(b) && a < b
}
