// Package fakecontainer is what the fake networks have in common on which a post is prepared as a container first: Threads and Instagram.
//
// [Server] keeps containers and what they become, fetches files from their addresses, and publishes. What a container may hold, and how it
// is shown, is for the network's own fake to say: [Dialect].
package fakecontainer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
)

// Config is how a fake network is set up.
type Config struct {
	Base   string            // where it is served, without a final slash
	Tokens map[string]string // access tokens and the names of their accounts
	Now    func() time.Time
	// Expires is when the tokens die, and Scopes what they may do. Without scopes it tells neither, as those do not hear who have no part in the app.
	Expires time.Time
	Scopes  []string
	// Processing is how many times a new container answers that it is being prepared.
	Processing int
	// Unlisted leaves out what was published from the lists, as long as it is set: the network may be slow to list.
	Unlisted bool
}

// Dialect is what one network has in its own way.
type Dialect struct {
	Name       string // "Threads": the title of its pages
	Usage      string // the kind of its limit in headers
	ErrorType  string // the type of most errors
	NotFetched string // the words about a container whose file could not be fetched
	TooLong    graph.Error
	// Preparing reports whether a path is that of the edge at which containers are made.
	Preparing func(path string) bool
	// Contain checks what a container is to hold and completes it. It is called while the server is locked.
	Contain func(t *Thing, form url.Values, file fakenet.Media) *graph.Error
	// NotReady is the answer to who publishes a container that cannot be.
	NotReady func(status string) graph.Error
	// Status and Fields are what the API tells about a container, and about a post.
	Status func(t *Thing, status string) map[string]string
	Fields func(t *Thing) map[string]any
	// Permalink returns where people see a post.
	Permalink func(t *Thing) string
	// Root returns the first post of the thread that one is in, "" when it is the first itself.
	Root func(t *Thing) string
}

// Thing is a container, and then the post that it became; or a comment.
type Thing struct {
	ID, User, Kind, Text, Parent string
	Link, Quote                  string
	Container                    string // of a post: what it was
	Child, Spoiler               bool
	Media                        []fakenet.Media
	Children                     []string
	Poll                         []string
	Failed                       string // why it could not be prepared
	Made                         time.Time

	published bool
	pending   int
}

// Server is a fake network. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	Mux     *http.ServeMux
	config  Config
	dialect Dialect
	web     *http.Client

	mu         sync.Mutex
	last       int64 // the latest id
	created    int
	containers map[string]*Thing
	posts      []*Thing // oldest first
}

var _ fakenet.Fake = (*Server)(nil)

const (
	lifetime     = 24 * time.Hour
	maxFile      = 16 << 20
	fetchTimeout = 10 * time.Second
)

// New returns a network without any posts. Its paths are for the caller to add to Mux.
func New(c Config, d Dialect) *Server {
	s := &Server{
		Mux: http.NewServeMux(), config: c, dialect: d, containers: map[string]*Thing{}, last: 17_800_000_000_000_000,
		// Connections that are kept would outlive the server.
		web: &http.Client{Timeout: fetchTimeout, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	s.Clock, s.Tell = c.Now, func(h http.Header, a fakenet.Allowance) {
		if a.Left == 0 && h.Get("Content-Type") != "" {
			s.tell(h, a.Reset.Sub(a.Now))
		}
	}
	s.Mux.HandleFunc("GET /{$}", s.Page)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.Mux.ServeHTTP(w, r) }

// Base returns where the network is served.
func (s *Server) Base() string { return s.config.Base }

// Set changes how the network is set up while it runs.
func (s *Server) Set(change func(*Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
}

// Forget lets a container be unknown, as the real network may after a while.
func (s *Server) Forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.containers, id)
}

// Containers returns how many containers are known, those of files included.
func (s *Server) Containers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.containers)
}

// Posts implements [fakenet.Fake].
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := make([]fakenet.Post, 0, len(s.posts))
	for _, t := range s.posts {
		p := fakenet.Post{
			ID: t.ID, URL: s.dialect.Permalink(t), Account: t.User, Key: t.Container, Text: t.Text, Parent: t.Parent, Root: s.dialect.Root(t),
			Media: t.Media, Poll: t.Poll, Sensitive: t.Spoiler, Created: t.Made,
		}
		if t.Link != "" {
			p.Card = &fakenet.Card{URL: t.Link}
		}
		posts = append(posts, p)
	}
	return posts
}

// Creations implements [fakenet.Fake].
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// Find returns the post with an id, nil where there is none. The server is locked.
func (s *Server) Find(id string) *Thing {
	for _, t := range s.posts {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Add puts a post out that needed no container, and gives it an id. The server is locked.
func (s *Server) Add(t *Thing) {
	t.ID, t.Made = s.nextID(), s.config.Now()
	s.posts = append(s.posts, t)
	s.created++
}

func (s *Server) nextID() string {
	s.last++
	return strconv.FormatInt(s.last, 10)
}

// DebugToken tells those who have a part in the app of a token. The server is locked.
func (s *Server) DebugToken(r *http.Request, user string) (any, *graph.Error) {
	if s.config.Scopes == nil {
		return nil, &graph.Error{Message: "Application does not have permission for this action", Type: s.dialect.ErrorType, Code: 10, Trace: "A"}
	}
	return map[string]any{"data": map[string]any{
		"type": "USER", "is_valid": s.config.Tokens[r.URL.Query().Get("input_token")] == user, "expires_at": s.config.Expires.Unix(),
		"data_access_expires_at": s.config.Expires.AddDate(0, 0, 30).Unix(), "scopes": s.config.Scopes, "user_id": UserID(user),
	}}, nil
}

// Code returns the short form of an id that addresses hold.
func Code(id string) string {
	n, _ := strconv.ParseInt(id, 10, 64)
	return "D" + strings.ToUpper(strconv.FormatInt(n, 36))
}

// UserID returns the number of an account.
func UserID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return strconv.Itoa(10_000_000 + int(sum[0])<<8 + int(sum[1]))
}

// Username returns the name of the account with a number, "" where there is none. The server is locked.
func (s *Server) Username(id string) string {
	for _, name := range s.config.Tokens {
		if id == UserID(name) {
			return name
		}
	}
	return ""
}

func (s *Server) tell(h http.Header, wait time.Duration) {
	graph.TellUsage(h, "10000000", s.dialect.Usage, 100, wait)
}

// Refuse answers as the real networks do to what [fakenet.Faults] asks for.
func (s *Server) Refuse(w http.ResponseWriter, f fakenet.Fault) {
	e := graph.Error{Message: "An unknown error occurred", Type: "OAuthException", Code: 1, Trace: "A"}
	switch f {
	case fakenet.Refuse:
		e = s.dialect.TooLong
	case fakenet.RateLimit:
		s.tell(w.Header(), time.Hour)
		e.Message, e.Code = "Application request limit reached", 4
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		e = badToken()
	case fakenet.Forbidden:
		e.Message, e.Code = "Application does not have permission for this action", 10
	}
	e.Write(w)
}

func badToken() graph.Error {
	return graph.Error{Message: "Error validating access token: Session has expired", Type: "OAuthException", Code: 190, Subcode: 463, Trace: "A"}
}

// Invalid is the answer to a request that is wrong.
func (s *Server) Invalid(format string, args ...any) *graph.Error {
	return &graph.Error{Message: fmt.Sprintf(format, args...), Type: s.dialect.ErrorType, Code: 100, Trace: "A"}
}

// Missing is the answer for what is not there.
func (s *Server) Missing(id string) *graph.Error {
	return &graph.Error{
		Message: fmt.Sprintf("Unsupported request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", id),
		Type:    s.dialect.ErrorType, Code: graph.Gone.Code, Subcode: graph.Gone.Subcode, Trace: "A",
	}
}

// Handler serves a request of a user while the server is locked.
type Handler func(r *http.Request, user string) (any, *graph.Error)

// Authorized serves a request whose token is known.
func (s *Server) Authorized(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		creating := r.Method == http.MethodPost && !s.dialect.Preparing(r.URL.Path) // it has struck there, or not
		// A token that dies between two parts dies with the second one's preparation: the address of the first was read before.
		reading := r.Method == http.MethodGet && strings.Count(r.URL.Path, "/") == 2 && !strings.HasSuffix(r.URL.Path, "/me")
		dead := !creating && !reading && s.Strikes(fakenet.ExpiredToken)
		s.mu.Lock()
		var body any
		var refused *graph.Error
		user := s.config.Tokens[token]
		if user == "" || dead {
			e := badToken()
			refused = &e
		} else {
			body, refused = h(r, user)
		}
		s.mu.Unlock()
		if refused != nil {
			refused.Write(w)
			return
		}
		encoded, err := json.Marshal(body)
		if err != nil {
			panic("fakecontainer: an answer always marshals: " + err.Error())
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
		w.Write(encoded) //nolint:errcheck // the client has gone
	}
}

// Prepare makes a container. Its file is fetched before the server is locked: it may be served by the same program.
func (s *Server) Prepare(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.Invalid("Invalid parameter").Write(w)
		return
	}
	form := r.PostForm
	address := form.Get("image_url") + form.Get("video_url")
	var file fakenet.Media
	var why string
	if address != "" {
		file, why = s.fetch(r, address)
		file.Alt = form.Get("alt_text")
	}
	h := s.Authorized(func(r *http.Request, user string) (any, *graph.Error) {
		if id := r.PathValue("user"); id != "me" && id != UserID(user) {
			return nil, s.Missing(id)
		}
		t := &Thing{
			User: user, Kind: form.Get("media_type"), Child: form.Get("is_carousel_item") == "true", Failed: why,
			pending: s.config.Processing, Made: s.config.Now(),
		}
		if refused := s.dialect.Contain(t, form, file); refused != nil {
			return nil, refused
		}
		t.ID = s.nextID()
		t.Container = t.ID
		s.containers[t.ID] = t
		return map[string]string{"id": t.ID}, nil
	})
	if address == "" {
		h(w, r)
		return
	}
	s.Upload(w, r, h, s.Refuse)
}

// Gather takes over into t the files of the containers that it is to show side by side, from 2 to most of them.
func (s *Server) Gather(t *Thing, children string, most int) *graph.Error {
	t.Children = strings.Split(children, ",")
	if n := len(t.Children); n < 2 || n > most {
		return s.Invalid("The carousel must have 2 to %d children", most)
	}
	for _, id := range t.Children {
		c := s.containers[id]
		if c == nil || !c.Child || s.status(c) != "FINISHED" {
			return s.Invalid("The child %s is not ready", id)
		}
		t.Media = append(t.Media, c.Media...)
	}
	return nil
}

// fetch gets a file from its address, as the real network does.
func (s *Server) fetch(r *http.Request, address string) (fakenet.Media, string) {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return fakenet.Media{}, s.dialect.NotFetched
	}
	resp, err := s.web.Do(req)
	if err != nil {
		return fakenet.Media{}, s.dialect.NotFetched
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile))
	if err != nil || resp.StatusCode != http.StatusOK {
		return fakenet.Media{}, s.dialect.NotFetched
	}
	sum := sha256.Sum256(data)
	return fakenet.Media{URL: address, MIME: http.DetectContentType(data), Digest: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}, ""
}

// status returns how far a container is.
func (s *Server) status(t *Thing) string {
	switch {
	case t.published:
		return "PUBLISHED"
	case s.config.Now().Sub(t.Made) >= lifetime:
		return "EXPIRED"
	case t.Failed != "":
		return "ERROR"
	case t.pending > 0:
		return "IN_PROGRESS"
	}
	return "FINISHED"
}

// Publish makes a container a post.
func (s *Server) Publish(w http.ResponseWriter, r *http.Request) {
	s.Break(r, "")
	if err := r.ParseForm(); err != nil {
		s.Invalid("Invalid parameter").Write(w)
		return
	}
	id := r.PostForm.Get("creation_id")
	accept := s.Authorized(func(_ *http.Request, user string) (any, *graph.Error) {
		c := s.containers[id]
		if c == nil || c.User != user || c.Child {
			return nil, s.Missing(id)
		}
		if status := s.status(c); status != "FINISHED" {
			e := s.dialect.NotReady(status)
			return nil, &e
		}
		c.published = true
		post := *c
		s.Add(&post)
		return map[string]string{"id": post.ID}, nil
	})
	s.Create(w, r, id, accept, s.Refuse)
}

// Get answers for a container or a post.
func (s *Server) Get(r *http.Request, _ string) (any, *graph.Error) {
	id := r.PathValue("id")
	if t := s.Find(id); t != nil {
		return s.dialect.Fields(t), nil
	}
	t := s.containers[id]
	if t == nil {
		return nil, s.Missing(id)
	}
	answer := s.dialect.Status(t, s.status(t))
	answer["id"] = id
	t.pending = max(0, t.pending-1)
	return answer, nil
}

// List answers with the posts that show keeps for a user, newest first, a page at a time.
func (s *Server) List(show func(t *Thing, user string) bool) Handler {
	return func(r *http.Request, user string) (any, *graph.Error) {
		query := r.URL.Query()
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil || limit < 1 || limit > 100 {
			limit = 25
		}
		since, _ := strconv.ParseInt(query.Get("since"), 10, 64)
		after := query.Get("after")
		data, last, next := []any{}, "", ""
		for _, t := range slices.Backward(s.posts) {
			if s.config.Unlisted || !show(t, user) || t.Made.Unix() < since || after != "" && t.ID >= after {
				continue
			}
			if len(data) == limit {
				next = "more"
				break
			}
			data, last = append(data, s.dialect.Fields(t)), t.ID
		}
		answer := map[string]any{"data": data}
		if next != "" {
			answer["paging"] = map[string]any{"cursors": map[string]any{"after": last}, "next": s.config.Base + r.URL.Path}
		}
		return answer, nil
	}
}

// Remove takes a post down.
func (s *Server) Remove(r *http.Request, user string) (any, *graph.Error) {
	t := s.Find(r.PathValue("id"))
	if t == nil || t.User != user {
		return nil, s.Missing(r.PathValue("id"))
	}
	s.posts = slices.DeleteFunc(s.posts, func(other *Thing) bool { return other == t })
	return map[string]any{"success": true, "deleted_id": t.ID}, nil
}

// Time writes a time as the networks do.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }

// Page shows the posts, or one of them, to people with a browser.
func (s *Server) Page(w http.ResponseWriter, r *http.Request) {
	view := struct {
		Name  string
		Posts []fakenet.Post
	}{Name: s.dialect.Name}
	for _, p := range slices.Backward(s.Posts()) {
		if r.URL.Path == "/" || strings.HasSuffix(p.URL, r.URL.Path) {
			view.Posts = append(view.Posts, p)
		}
	}
	if r.URL.Path != "/" && len(view.Posts) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *; style-src 'unsafe-inline'")
	pageTemplate().Execute(w, view) //nolint:errcheck // the client has gone
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{.Name}}</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#fafafa;color:#17161f}
article{background:#fff;border:1px solid #ddd;border-radius:8px;padding:1rem;margin:1rem 0;overflow-wrap:anywhere;white-space:pre-wrap}
img{max-width:100%}small{color:#5b5a66}
</style>
<h1>{{.Name}}</h1>
{{range .Posts}}<article><small><b>{{.Account}}</b> · <a href="{{.URL}}">{{.Created.Format "2006-01-02 15:04"}}</a>{{if .Parent}} · reply{{end}}</small>
{{.Text}}{{with .Card}}
<a href="{{.URL}}">{{.URL}}</a>{{end}}{{with .Poll}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`))
})
