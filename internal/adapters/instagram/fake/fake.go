// Package fake is an Instagram API that keeps everything in memory.
//
// It prepares, refuses, publishes and lists as the real one does, as far as its documentation tells:
// https://developers.facebook.com/docs/instagram-platform (2026-11-22). It fetches media from their addresses, too.
package fake

import (
	"cmp"
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
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
)

// Config is how a fake network is set up.
type Config struct {
	Base   string            // where it is served, without a final slash
	Tokens map[string]string // access tokens and the names of their accounts
	Now    func() time.Time
	// Expires is when the tokens die, and Scopes what they may do. Without scopes it tells neither, as of tokens of a login with Instagram.
	Expires time.Time
	Scopes  []string
	// Processing is how many times a new container answers that it is being prepared.
	Processing int
	// Unlisted leaves out what was published from the lists, as long as it is set: the network may be slow to list.
	Unlisted bool
}

// Server is a fake network. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	config Config
	mux    *http.ServeMux
	web    *http.Client

	mu         sync.Mutex
	last       int64 // the latest id
	created    int
	containers map[string]*thing
	posts      []*thing // oldest first
}

var _ fakenet.Fake = (*Server)(nil)

// thing is a container, and then the post that it became; or a comment.
type thing struct {
	id, user, kind, text, parent string
	container                    string
	child, published             bool
	media                        []fakenet.Media
	children                     []string
	pending                      int
	failed                       string // why it could not be prepared
	made                         time.Time
}

const (
	version      = "/" + graph.Version
	maxText      = 2200
	maxMedia     = 10
	lifetime     = 24 * time.Hour
	maxFile      = 16 << 20
	fetchTimeout = 10 * time.Second
)

// New returns a network without any posts.
func New(c Config) *Server {
	s := &Server{
		config: c, mux: http.NewServeMux(), containers: map[string]*thing{}, last: 17_800_000_000_000_000,
		// Connections that are kept would outlive the server.
		web: &http.Client{Timeout: fetchTimeout, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	s.Clock, s.Tell = c.Now, func(h http.Header, a fakenet.Allowance) {
		if a.Left == 0 && h.Get("Content-Type") != "" {
			s.tell(h, a.Reset.Sub(a.Now))
		}
	}
	s.mux.HandleFunc("GET "+version+"/me", s.authorized(s.me))
	s.mux.HandleFunc("GET "+version+"/debug_token", s.authorized(s.debugToken))
	s.mux.HandleFunc("POST "+version+"/{user}/media", s.prepare)
	s.mux.HandleFunc("POST "+version+"/{user}/media_publish", s.publish)
	s.mux.HandleFunc("GET "+version+"/{user}/media", s.authorized(s.list(false)))
	s.mux.HandleFunc("GET "+version+"/{user}/stories", s.authorized(s.list(true)))
	s.mux.HandleFunc("POST "+version+"/{id}/comments", s.comment)
	s.mux.HandleFunc("GET "+version+"/{id}/comments", s.authorized(s.comments))
	s.mux.HandleFunc("GET "+version+"/{id}", s.authorized(s.get))
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/p/") || strings.HasPrefix(r.URL.Path, "/stories/") {
			s.page(w, r)
			return
		}
		missing("").Write(w)
	})
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

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
			ID: t.id, URL: s.permalink(t), Account: t.user, Key: t.container, Text: t.text, Parent: t.parent, Root: t.parent,
			Media: t.media, Created: t.made,
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

func (s *Server) find(id string) *thing {
	for _, t := range s.posts {
		if t.id == id {
			return t
		}
	}
	return nil
}

func (s *Server) permalink(t *thing) string {
	switch {
	case t.parent != "":
		return s.config.Base + "/p/" + code(t.parent) + "/c/" + t.id + "/"
	case t.kind == "STORIES":
		return s.config.Base + "/stories/" + t.user + "/" + t.id + "/"
	}
	return s.config.Base + "/p/" + code(t.id) + "/"
}

// code returns the short form of an id that addresses hold.
func code(id string) string {
	n, _ := strconv.ParseInt(id, 10, 64)
	return "D" + strings.ToUpper(strconv.FormatInt(n, 36))
}

func (s *Server) nextID() string {
	s.last++
	return strconv.FormatInt(s.last, 10)
}

// userID returns the number of an account.
func userID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return strconv.Itoa(10_000_000 + int(sum[0])<<8 + int(sum[1]))
}

func (s *Server) tell(h http.Header, wait time.Duration) {
	graph.TellUsage(h, "10000000", "instagram", 100, wait)
}

// refuse answers as the real network does to what [fakenet.Faults] asks for.
func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	switch f {
	case fakenet.Refuse:
		tooLong().Write(w)
	case fakenet.RateLimit:
		s.tell(w.Header(), time.Hour)
		graph.Error{Message: "Application request limit reached", Type: "OAuthException", Code: 4, Trace: "A"}.Write(w)
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		badToken().Write(w)
	case fakenet.Forbidden:
		graph.Error{Message: "Application does not have permission for this action", Type: "OAuthException", Code: 10, Trace: "A"}.Write(w)
	default:
		graph.Error{Message: "An unknown error occurred", Type: "OAuthException", Code: 1, Trace: "A"}.Write(w)
	}
}

func badToken() graph.Error {
	return graph.Error{Message: "Error validating access token: Session has expired", Type: "OAuthException", Code: 190, Subcode: 463, Trace: "A"}
}

func tooLong() graph.Error {
	return graph.Error{
		Message: "Invalid parameter", Type: "OAuthException", Code: 36004, Subcode: 2207010, Trace: "A",
		UserTitle: "Caption Too Long", UserMessage: fmt.Sprintf("The caption was too long, please use up to %d characters.", maxText),
	}
}

func invalid(format string, args ...any) graph.Error {
	return graph.Error{Message: fmt.Sprintf(format, args...), Type: "OAuthException", Code: 100, Trace: "A"}
}

func missing(id string) graph.Error {
	return graph.Error{
		Message: fmt.Sprintf("Unsupported request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", id),
		Type:    "OAuthException", Code: 100, Subcode: 33, Trace: "A",
	}
}

// debugToken tells those who have a part in the app of a token.
func (s *Server) debugToken(r *http.Request, user string) (any, *graph.Error) {
	if s.config.Scopes == nil {
		return nil, &graph.Error{Message: "Application does not have permission for this action", Type: "OAuthException", Code: 10, Trace: "A"}
	}
	return map[string]any{"data": map[string]any{
		"type": "USER", "is_valid": s.config.Tokens[r.URL.Query().Get("input_token")] == user, "expires_at": s.config.Expires.Unix(),
		"data_access_expires_at": s.config.Expires.AddDate(0, 0, 30).Unix(), "scopes": s.config.Scopes, "user_id": userID(user),
	}}, nil
}

// handler serves a request of a user while the server is locked.
type handler func(r *http.Request, user string) (any, *graph.Error)

// authorized serves a request whose token is known.
func (s *Server) authorized(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		creating := r.Method == http.MethodPost && !strings.HasSuffix(r.URL.Path, "/media") // it has struck there, or not
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
			panic("fake: an answer always marshals: " + err.Error())
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.Header().Set("Content-Length", strconv.Itoa(len(encoded)))
		w.Write(encoded) //nolint:errcheck // the client has gone
	}
}

func (s *Server) me(_ *http.Request, user string) (any, *graph.Error) {
	return map[string]string{"user_id": userID(user), "username": user}, nil
}

// prepare makes a container. Its file is fetched before the server is locked: it may be served by the same program.
func (s *Server) prepare(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		invalid("Invalid parameter").Write(w)
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
	h := s.authorized(func(r *http.Request, user string) (any, *graph.Error) { return s.contain(r, user, form, file, why) })
	if address == "" {
		h(w, r)
		return
	}
	s.Upload(w, r, h, s.refuse)
}

// contain checks what a container is to hold.
func (s *Server) contain(r *http.Request, user string, form url.Values, file fakenet.Media, why string) (any, *graph.Error) {
	no := func(e graph.Error) (any, *graph.Error) { return nil, &e }
	if id := r.PathValue("user"); id != "me" && id != userID(user) {
		return no(missing(id))
	}
	t := &thing{
		user: user, kind: cmp.Or(form.Get("media_type"), "IMAGE"), text: form.Get("caption"), child: form.Get("is_carousel_item") == "true",
		pending: s.config.Processing, made: s.config.Now(),
	}
	switch t.kind {
	case "IMAGE", "VIDEO", "REELS", "STORIES":
		if t.kind == "VIDEO" && !t.child {
			return no(invalid("The VIDEO value for media_type is no longer supported. Use the REELS media type to publish a video."))
		}
		want := "video/"
		if form.Get("video_url") == "" {
			want = "image/jpeg"
		}
		t.media, t.failed = []fakenet.Media{file}, why
		if why == "" && !strings.HasPrefix(file.MIME, want) {
			t.failed = "Error: Media upload has failed with error code 2207026"
		}
		if t.kind == "STORIES" && t.text != "" {
			t.text = "" // it is ignored
		}
	case "CAROUSEL":
		t.children = strings.Split(form.Get("children"), ",")
		if n := len(t.children); n < 2 || n > maxMedia {
			return no(invalid("The carousel must have 2 to %d children", maxMedia))
		}
		for _, id := range t.children {
			c := s.containers[id]
			if c == nil || !c.child || s.status(c) != "FINISHED" {
				return no(invalid("The child %s is not ready", id))
			}
			t.media = append(t.media, c.media...)
		}
	default:
		return no(invalid("Param media_type is invalid"))
	}
	if len(t.media) == 0 || t.media[0].URL == "" {
		return no(invalid("The parameter image_url is required"))
	}
	if utf8.RuneCountInString(t.text) > maxText {
		return no(tooLong())
	}
	t.id = s.nextID()
	t.container = t.id
	s.containers[t.id] = t
	return map[string]string{"id": t.id}, nil
}

// fetch gets a file from its address, as the real network does.
func (s *Server) fetch(r *http.Request, address string) (fakenet.Media, string) {
	const why = "Error: Media upload has failed with error code 2207003"
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
	if err != nil {
		return fakenet.Media{}, why
	}
	resp, err := s.web.Do(req)
	if err != nil {
		return fakenet.Media{}, why
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFile))
	if err != nil || resp.StatusCode != http.StatusOK {
		return fakenet.Media{}, why
	}
	sum := sha256.Sum256(data)
	return fakenet.Media{URL: address, MIME: http.DetectContentType(data), Digest: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}, ""
}

// status returns how far a container is.
func (s *Server) status(t *thing) string {
	switch {
	case t.published:
		return "PUBLISHED"
	case s.config.Now().Sub(t.made) >= lifetime:
		return "EXPIRED"
	case t.failed != "":
		return "ERROR"
	case t.pending > 0:
		return "IN_PROGRESS"
	}
	return "FINISHED"
}

// publish makes a container a post.
func (s *Server) publish(w http.ResponseWriter, r *http.Request) {
	s.Break(r, "")
	if err := r.ParseForm(); err != nil {
		invalid("Invalid parameter").Write(w)
		return
	}
	id := r.PostForm.Get("creation_id")
	accept := s.authorized(func(_ *http.Request, user string) (any, *graph.Error) {
		c := s.containers[id]
		if c == nil || c.user != user || c.child {
			e := missing(id)
			return nil, &e
		}
		if status := s.status(c); status != "FINISHED" {
			e := graph.Error{Message: "Media ID is not available: " + status, Type: "OAuthException", Code: 9007, Subcode: 2207027, Trace: "A"}
			if c.published { // UNVERIFIED: what the real one says
				e.Code, e.Subcode = 100, 2207026
			}
			return nil, &e
		}
		c.published = true
		post := *c
		post.id, post.made = s.nextID(), s.config.Now()
		s.posts = append(s.posts, &post)
		s.created++
		return map[string]string{"id": post.id}, nil
	})
	s.Create(w, r, id, accept, s.refuse)
}

// get answers for a container or a post.
func (s *Server) get(r *http.Request, _ string) (any, *graph.Error) {
	id := r.PathValue("id")
	if t := s.find(id); t != nil {
		return s.fields(t), nil
	}
	for _, name := range s.config.Tokens {
		if id == userID(name) {
			return map[string]string{"id": id, "username": name}, nil
		}
	}
	t := s.containers[id]
	if t == nil {
		e := missing(id)
		return nil, &e
	}
	answer := map[string]string{"id": id, "status_code": s.status(t), "status": cmp.Or(t.failed, s.status(t))}
	t.pending = max(0, t.pending-1)
	return answer, nil
}

func (s *Server) fields(t *thing) map[string]any {
	kind := map[string]string{"REELS": "VIDEO", "CAROUSEL": "CAROUSEL_ALBUM"}[t.kind]
	if t.kind == "STORIES" && strings.HasPrefix(t.media[0].MIME, "video/") {
		kind = "VIDEO"
	}
	if t.parent == "" && kind == "" {
		kind = "IMAGE"
	}
	m := map[string]any{"id": t.id, "timestamp": t.made.UTC().Format("2006-01-02T15:04:05-0700"), "username": t.user}
	if t.parent != "" {
		m["text"] = t.text
		return m
	}
	m["media_type"], m["permalink"] = kind, s.permalink(t)
	if t.text != "" {
		m["caption"] = t.text
	}
	return m
}

// comment comments on a post.
func (s *Server) comment(w http.ResponseWriter, r *http.Request) {
	s.Break(r, "")
	if err := r.ParseForm(); err != nil {
		invalid("Invalid parameter").Write(w)
		return
	}
	on, text := r.PathValue("id"), r.PostForm.Get("message")
	accept := s.authorized(func(_ *http.Request, user string) (any, *graph.Error) {
		if t := s.find(on); t == nil || t.parent != "" || t.kind == "STORIES" {
			e := missing(on)
			return nil, &e
		}
		if strings.TrimSpace(text) == "" {
			e := invalid("Param message is required")
			return nil, &e
		}
		c := &thing{id: s.nextID(), user: user, text: text, parent: on, made: s.config.Now()}
		s.posts = append(s.posts, c)
		s.created++
		return map[string]string{"id": c.id}, nil
	})
	s.Create(w, r, on, accept, s.refuse)
}

// comments answers with the comments on a post.
func (s *Server) comments(r *http.Request, _ string) (any, *graph.Error) {
	if s.find(r.PathValue("id")) == nil {
		e := missing(r.PathValue("id"))
		return nil, &e
	}
	data := []any{}
	for _, t := range slices.Backward(s.posts) {
		if t.parent == r.PathValue("id") && !s.config.Unlisted {
			data = append(data, s.fields(t))
		}
	}
	return map[string]any{"data": data}, nil
}

// list answers with an account's posts, or with its stories, newest first, a page at a time.
func (s *Server) list(stories bool) handler {
	return func(r *http.Request, user string) (any, *graph.Error) {
		query := r.URL.Query()
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil || limit < 1 || limit > 100 {
			limit = 25
		}
		data, next := []any{}, ""
		for _, t := range slices.Backward(s.posts) {
			after := query.Get("after")
			if s.config.Unlisted || t.user != user || t.parent != "" || (t.kind == "STORIES") != stories || after != "" && t.id >= after {
				continue
			}
			if len(data) == limit {
				next = "more"
				break
			}
			data = append(data, s.fields(t))
		}
		answer := map[string]any{"data": data}
		if next != "" {
			last := data[len(data)-1].(map[string]any)["id"] //nolint:forcetypeassert // made above
			answer["paging"] = map[string]any{"cursors": map[string]any{"after": last}, "next": s.config.Base + r.URL.Path}
		}
		return answer, nil
	}
}

// page shows the posts, or one of them, to people with a browser.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var views []fakenet.Post
	one := r.URL.Path != "/"
	for _, p := range slices.Backward(s.Posts()) {
		if !one || strings.HasSuffix(p.URL, r.URL.Path) {
			views = append(views, p)
		}
	}
	if one && len(views) == 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *; style-src 'unsafe-inline'")
	pageTemplate().Execute(w, views) //nolint:errcheck // the client has gone
}

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Instagram</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#fafafa;color:#17161f}
article{background:#fff;border:1px solid #ddd;border-radius:8px;padding:1rem;margin:1rem 0;overflow-wrap:anywhere;white-space:pre-wrap}
img{max-width:100%}small{color:#5b5a66}
</style>
<h1>Instagram</h1>
{{range .}}<article><small><b>{{.Account}}</b> · <a href="{{.URL}}">{{.Created.Format "2006-01-02 15:04"}}</a>{{if .Parent}} · comment{{end}}</small>
{{.Text}}
{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`))
})
