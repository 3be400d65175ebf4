// Package fake is a Threads API that keeps everything in memory.
//
// It prepares, refuses, publishes and lists as the real one does, as far as its documentation tells:
// https://developers.facebook.com/docs/threads (2026-11-22). It fetches media from their addresses, too.
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

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
)

// Config is how a fake network is set up.
type Config struct {
	Base   string            // where it is served, without a final slash
	Tokens map[string]string // access tokens and the names of their accounts
	Now    func() time.Time
	// Expires is when the tokens die, and Scopes what they may do. Without scopes it tells neither, as to those who are no testers of the app.
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

// thing is a container, and then the post that it became.
type thing struct {
	id, user, kind, text, parent, quote, link string
	container                                 string
	child, published, spoiler                 bool
	topic, control                            string
	media                                     []fakenet.Media
	children                                  []string
	poll                                      []string
	pending                                   int
	failed                                    string // why it could not be prepared
	made                                      time.Time
}

const (
	version      = "/" + graph.ThreadsVersion
	maxText      = 500
	maxLinks     = 5
	maxMedia     = 20
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
	s.mux.HandleFunc("POST "+version+"/{user}/threads", s.prepare)
	s.mux.HandleFunc("POST "+version+"/{user}/threads_publish", s.publish)
	s.mux.HandleFunc("GET "+version+"/{user}/threads", s.authorized(s.list(false)))
	s.mux.HandleFunc("GET "+version+"/{user}/replies", s.authorized(s.list(true)))
	s.mux.HandleFunc("GET "+version+"/{id}", s.authorized(s.get))
	s.mux.HandleFunc("DELETE "+version+"/{id}", s.authorized(s.remove))
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/@") {
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
			ID: t.id, URL: s.permalink(t), Account: t.user, Key: t.container, Text: t.text, Parent: t.parent, Root: s.root(t),
			Media: t.media, Poll: t.poll, Sensitive: t.spoiler, Created: t.made,
		}
		if t.link != "" {
			p.Card = &fakenet.Card{URL: t.link}
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

func (s *Server) root(t *thing) string {
	root := ""
	for t != nil && t.parent != "" {
		root = t.parent
		t = s.find(root)
	}
	return root
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
	return s.config.Base + "/@" + t.user + "/post/" + code(t.id)
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
	graph.TellUsage(h, "10000000", "threads", 100, wait)
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
	return invalid("Param text must be at most %d characters long.", maxText)
}

func invalid(format string, args ...any) graph.Error {
	return graph.Error{Message: fmt.Sprintf(format, args...), Type: "THApiException", Code: 100, Trace: "A"}
}

func missing(id string) graph.Error {
	return graph.Error{
		Message: fmt.Sprintf("Unsupported request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", id),
		Type:    "THApiException", Code: 100, Subcode: 33, Trace: "A",
	}
}

// debugToken tells a tester of the app of a token.
func (s *Server) debugToken(r *http.Request, user string) (any, *graph.Error) {
	if s.config.Scopes == nil {
		return nil, &graph.Error{Message: "Application does not have permission for this action", Type: "THApiException", Code: 10, Trace: "A"}
	}
	return map[string]any{"data": map[string]any{
		"type": "USER", "application": "Postrider", "is_valid": s.config.Tokens[r.URL.Query().Get("input_token")] == user,
		"expires_at": s.config.Expires.Unix(), "data_access_expires_at": s.config.Expires.AddDate(0, 0, 30).Unix(), "scopes": s.config.Scopes, "user_id": userID(user),
	}}, nil
}

// handler serves a request of a user while the server is locked.
type handler func(r *http.Request, user string) (any, *graph.Error)

// authorized serves a request whose token is known.
func (s *Server) authorized(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		creating := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "_publish") // it has struck there, or not
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
	return map[string]string{"id": userID(user), "username": user}, nil
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
		user: user, kind: form.Get("media_type"), text: form.Get("text"), parent: form.Get("reply_to_id"), quote: form.Get("quote_post_id"),
		link: form.Get("link_attachment"), child: form.Get("is_carousel_item") == "true", spoiler: form.Get("is_spoiler_media") == "true",
		topic: form.Get("topic_tag"), control: form.Get("reply_control"), pending: s.config.Processing, made: s.config.Now(),
	}
	switch t.kind {
	case "TEXT":
		if strings.TrimSpace(t.text) == "" {
			return no(invalid("Param text is required for media type TEXT"))
		}
	case "IMAGE", "VIDEO":
		t.media, t.failed = []fakenet.Media{file}, why
		if want := strings.ToLower(t.kind) + "/"; why == "" && !strings.HasPrefix(file.MIME, want) {
			t.failed = "UNSUPPORTED_" + t.kind + "_FORMAT"
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
		return no(invalid("Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}"))
	}
	if measure.Threads(t.text) > maxText {
		return no(tooLong())
	}
	links := map[string]bool{}
	for _, e := range measure.ThreadsEntities(t.text) {
		if e.Kind == measure.URL {
			links[e.Value] = true
		}
	}
	if t.link != "" {
		if t.kind != "TEXT" {
			return no(invalid("Param link_attachment is for text posts only"))
		}
		links[t.link] = true
	}
	if len(links) > maxLinks {
		return no(graph.Error{Message: "THREADS_API__LINK_LIMIT_EXCEEDED", Type: "THApiException", Code: 100, Trace: "A"})
	}
	for _, ref := range []string{t.parent, t.quote} {
		if ref != "" && s.find(ref) == nil {
			return no(missing(ref))
		}
	}
	if poll := form.Get("poll_attachment"); poll != "" {
		var options map[string]string
		if json.Unmarshal([]byte(poll), &options) != nil || len(options) < 2 || t.kind != "TEXT" {
			return no(invalid("Param poll_attachment is invalid"))
		}
		for _, key := range []string{"option_a", "option_b", "option_c", "option_d"} {
			if option, ok := options[key]; ok {
				t.poll = append(t.poll, option)
			}
		}
	}
	t.id = s.nextID()
	t.container = t.id
	s.containers[t.id] = t
	return map[string]string{"id": t.id}, nil
}

// fetch gets a file from its address, as the real network does.
func (s *Server) fetch(r *http.Request, address string) (fakenet.Media, string) {
	const why = "FAILED_DOWNLOADING_MEDIA"
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
			e := graph.Error{Message: "The media is not ready to be published: " + status, Type: "OAuthException", Code: 24, Subcode: 4279009, Trace: "A"}
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
	t := s.containers[id]
	if t == nil {
		e := missing(id)
		return nil, &e
	}
	answer := map[string]string{"id": id, "status": s.status(t)}
	if t.failed != "" {
		answer["error_message"] = t.failed
	}
	t.pending = max(0, t.pending-1)
	return answer, nil
}

func (s *Server) fields(t *thing) map[string]any {
	kind := map[string]string{"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}
	m := map[string]any{
		"id": t.id, "media_type": cmp.Or(kind[t.kind], t.kind), "permalink": s.permalink(t), "text": t.text,
		"timestamp": t.made.UTC().Format("2006-01-02T15:04:05-0700"), "is_quote_post": t.quote != "", "username": t.user,
	}
	if t.parent != "" {
		m["replied_to"] = map[string]string{"id": t.parent}
	}
	if len(t.children) > 0 {
		var children []map[string]string
		for _, id := range t.children {
			children = append(children, map[string]string{"id": id})
		}
		m["children"] = map[string]any{"data": children}
	}
	if len(t.poll) > 1 {
		m["poll_attachment"] = map[string]string{"option_a": t.poll[0], "option_b": t.poll[1]}
	}
	return m
}

// list answers with an account's posts, or with its replies, newest first, a page at a time.
func (s *Server) list(replies bool) handler {
	return func(r *http.Request, user string) (any, *graph.Error) {
		query := r.URL.Query()
		limit, err := strconv.Atoi(query.Get("limit"))
		if err != nil || limit < 1 || limit > 100 {
			limit = 25
		}
		since, _ := strconv.ParseInt(query.Get("since"), 10, 64)
		data, next := []any{}, ""
		for _, t := range slices.Backward(s.posts) {
			after := query.Get("after")
			if s.config.Unlisted || t.user != user || (t.parent != "") != replies || t.made.Unix() < since || after != "" && t.id >= after {
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

func (s *Server) remove(r *http.Request, user string) (any, *graph.Error) {
	t := s.find(r.PathValue("id"))
	if t == nil || t.user != user {
		e := missing(r.PathValue("id"))
		return nil, &e
	}
	s.posts = slices.DeleteFunc(s.posts, func(other *thing) bool { return other == t })
	return map[string]any{"success": true, "deleted_id": t.id}, nil
}

// page shows the posts, or one of them, to people with a browser.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	var views []fakenet.Post
	_, short, one := strings.Cut(r.URL.Path, "/post/")
	for _, p := range slices.Backward(s.Posts()) {
		if !one || short == code(p.ID) {
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
<html lang="en"><meta charset="utf-8"><title>Threads</title>
<meta name="viewport" content="width=device-width">
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;background:#fafafa;color:#17161f}
article{background:#fff;border:1px solid #ddd;border-radius:8px;padding:1rem;margin:1rem 0;overflow-wrap:anywhere;white-space:pre-wrap}
img{max-width:100%}small{color:#5b5a66}
</style>
<h1>Threads</h1>
{{range .}}<article><small><b>{{.Account}}</b> · <a href="{{.URL}}">{{.Created.Format "2006-01-02 15:04"}}</a>{{if .Parent}} · reply{{end}}</small>
{{.Text}}{{with .Card}}
<a href="{{.URL}}">{{.URL}}</a>{{end}}{{with .Poll}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}</article>
{{else}}<p>Nothing here yet.</p>
{{end}}</html>
`))
})
