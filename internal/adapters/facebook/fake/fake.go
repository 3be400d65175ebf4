// Package fake is a Facebook page behind a Graph API that keeps everything in memory.
//
// It accepts, refuses and answers as the documentation says (https://developers.facebook.com/docs/graph-api, 2026-11-22), as far as a
// program that publishes can tell. Nobody could compare it with the real network.
package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	"github.com/postrider/postrider/internal/secret"
)

// Config is how a fake page is set up.
type Config struct {
	Base  string // where it is served, without a final slash: it is part of every address
	Page  string // its number
	Name  string
	Token string // the page's access token
	Now   func() time.Time

	AppID     string // the app that made the token
	AppSecret string // if set, requests must carry its proof
	Expires   int64  // when the token expires, as a Unix time; 0 for never
	// DataExpires is when the app is told nothing any more, as a Unix time; 0 for never.
	DataExpires int64
	Scopes      []string
	// NoDuplicates refuses a post that says what the last one says.
	NoDuplicates bool
}

// Server is a fake page. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	config Config
	mux    *http.ServeMux

	mu      sync.Mutex
	last    int
	created int
	objects []*object // posts and comments, oldest first
	photos  map[string]*photo
	videos  map[string]*video // by session
}

var _ fakenet.Fake = (*Server)(nil)

// object is a post, or a comment below one.
type object struct {
	id, message, link string
	photos            []*photo
	video             *video // of a post; message is its description
	post              string // of a comment: what it is on
	created           time.Time
	edited            bool
}

type photo struct {
	id, mime, alt, digest string
	data                  []byte
	used                  bool
}

const (
	maxText    = 63_206
	maxComment = 8000
	timeFormat = "2006-01-02T15:04:05-0700"
)

// New returns a page without any posts.
func New(c Config) *Server {
	if c.Scopes == nil {
		c.Scopes = []string{"pages_manage_posts", "pages_manage_engagement", "pages_read_engagement"}
	}
	s := &Server{config: c, mux: http.NewServeMux(), photos: map[string]*photo{}, videos: map[string]*video{}}
	s.Clock, s.Tell = c.Now, s.tell
	const api = "/" + graph.Version
	for pattern, h := range map[string]handler{
		"GET " + api + "/me":                   s.me,
		"GET " + api + "/{id}/published_posts": s.publishedPosts,
		"GET " + api + "/{id}/comments":        s.comments,
		"GET " + api + "/{id}/videos":          s.listVideos,
		"GET " + api + "/{id}":                 s.read,
		"POST " + api + "/{id}":                s.edit,
		"DELETE " + api + "/{id}":              s.remove,
	} {
		s.mux.HandleFunc(pattern, s.authorized(false, h))
	}
	s.mux.HandleFunc("GET "+api+"/debug_token", s.debugToken)
	upload := s.authorized(false, s.upload)
	s.mux.HandleFunc("POST "+api+"/{id}/photos", func(w http.ResponseWriter, r *http.Request) { s.Upload(w, r, upload, s.refuse) })
	for name, h := range map[string]handler{"feed": s.post, "comments": s.comment} {
		create := s.authorized(true, h)
		s.mux.HandleFunc("POST "+api+"/{id}/"+name, func(w http.ResponseWriter, r *http.Request) { s.Create(w, r, "", create, s.refuse) })
	}
	s.mux.HandleFunc("POST "+api+"/{id}/videos", s.postVideos)
	s.mux.HandleFunc("GET /files/{digest}", s.file)
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("GET /{id}", s.page)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { missing(r.URL.Path).Write(w) })
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Creations implements [fakenet.Fake]. Comments count as posts do.
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// Posts implements [fakenet.Fake].
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := make([]fakenet.Post, 0, len(s.objects))
	for _, o := range s.objects {
		p := fakenet.Post{
			ID: o.id, URL: s.address(o), Account: s.config.Name, Text: o.message, Parent: o.post, Root: o.post,
			Visibility: "public", Created: o.created, Edited: o.edited,
		}
		for _, f := range o.photos {
			p.Media = append(p.Media, fakenet.Media{URL: s.fileURL(f), MIME: f.mime, Alt: f.alt, Digest: f.digest, Bytes: int64(len(f.data))})
		}
		if v := o.video; v != nil {
			p.Media = []fakenet.Media{v.shown(s.config.Base)}
		}
		if o.link != "" {
			p.Card = &fakenet.Card{URL: o.link}
		}
		posts = append(posts, p)
	}
	return posts
}

func (s *Server) address(o *object) string {
	if o.post == "" {
		return s.config.Base + "/" + o.id
	}
	_, number, _ := strings.Cut(o.id, "_")
	return s.config.Base + "/" + o.post + "?comment_id=" + number
}

func (s *Server) fileURL(p *photo) string { return s.config.Base + "/files/" + p.digest }

// handler serves one authorized request while the server is locked. Its answer is an error of the API, or what becomes JSON.
type handler func(r *http.Request) any

// authorized serves a request whose token and proof are right. Whether it creates decides who looks for a dead token: [fakenet.Faults] has
// done so by then.
func (s *Server) authorized(creates bool, h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var answer any
		switch token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); {
		case !ok || token != s.config.Token || !creates && s.Strikes(fakenet.ExpiredToken):
			answer = expired()
		case s.config.AppSecret != "" && r.URL.Query().Get("appsecret_proof") != graph.Proof(secret.New(token), secret.New(s.config.AppSecret)):
			answer = graph.Error{Message: "API calls from the server require an appsecret_proof argument", Type: "GraphMethodException", Code: 100}
		default:
			s.mu.Lock()
			answer = h(r)
			s.mu.Unlock()
		}
		write(w, answer)
	}
}

func write(w http.ResponseWriter, answer any) {
	if e, ok := answer.(graph.Error); ok {
		e.Write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // the client may be gone
}

func expired() graph.Error {
	return graph.Error{
		Message: "Error validating access token: Session has expired on Tuesday, 01-Dec-26 01:00:00 PST.", Type: "OAuthException", Code: 190, Subcode: 463,
	}
}

// missing is the answer for what is not there or may not be seen.
func missing(id string) graph.Error {
	return graph.Error{
		Message: fmt.Sprintf("Unsupported request. Object with ID '%s' does not exist, cannot be loaded due to missing permissions, or does not support this operation.", id),
		Type:    "GraphMethodException", Code: graph.Gone.Code, Subcode: graph.Gone.Subcode,
	}
}

func invalid(format string, args ...any) graph.Error {
	return graph.Error{Message: "(#100) " + fmt.Sprintf(format, args...), Type: "OAuthException", Code: 100}
}

// Refusal is what the fake says to fakenet.Refuse.
const Refusal = "goes against our Community Standards"

// refuse answers as the real network does to what [fakenet.Faults] asks for.
func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	switch f {
	case fakenet.Refuse:
		graph.Error{
			Message: "Invalid parameter", Type: "OAuthException", Code: 100, Subcode: 1404102,
			UserTitle: "Your content couldn't be shared", UserMessage: "This content " + Refusal + ".",
		}.Write(w)
	case fakenet.RateLimit:
		graph.TellUsage(w.Header(), s.config.Page, "pages", 100, 2*time.Minute)
		graph.Error{
			Message: "(#80001) There have been too many calls to this Page account. Wait a bit and try again.", Type: "OAuthException", Code: 80001,
		}.Write(w)
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		expired().Write(w)
	case fakenet.Forbidden:
		graph.Error{
			Message: "(#200) If posting to a page, requires both pages_read_engagement and pages_manage_posts as an admin", Type: "OAuthException", Code: 200,
		}.Write(w)
	default:
		graph.Error{Message: "Service temporarily unavailable", Type: "OAuthException", Code: 2, Transient: true}.Write(w)
	}
}

// tell writes how much of a quota is used. How long it takes until there is more is told only to who has used it up.
func (s *Server) tell(h http.Header, a fakenet.Allowance) {
	var wait time.Duration
	if a.Left == 0 {
		wait = a.Reset.Sub(a.Now)
	}
	graph.TellUsage(h, s.config.Page, "pages", 100*(a.Posts-a.Left)/a.Posts, wait)
}

func (s *Server) me(*http.Request) any {
	return map[string]string{"id": s.config.Page, "name": s.config.Name, "link": s.config.Base + "/"}
}

// debugToken tells the app that made a token what that may do.
func (s *Server) debugToken(w http.ResponseWriter, r *http.Request) {
	app := "Bearer " + s.config.AppID + "|" + s.config.AppSecret
	if s.config.AppSecret == "" || r.Header.Get("Authorization") != app {
		write(w, graph.Error{Message: "Invalid OAuth access token - Cannot parse access token", Type: "OAuthException", Code: 190})
		return
	}
	write(w, map[string]any{"data": map[string]any{
		"app_id": s.config.AppID, "type": "PAGE", "profile_id": s.config.Page, "is_valid": r.URL.Query().Get("input_token") == s.config.Token,
		"expires_at": s.config.Expires, "data_access_expires_at": s.config.DataExpires, "scopes": s.config.Scopes,
	}})
}

// maxPhoto is the largest photo, by the words of its refusal.
const maxPhoto = 4_000_000

func (s *Server) upload(r *http.Request) any {
	if r.PathValue("id") != s.config.Page {
		return missing(r.PathValue("id"))
	}
	if err := r.ParseMultipartForm(16 << 20); err != nil || r.MultipartForm == nil || len(r.MultipartForm.File["source"]) != 1 {
		return invalid("source is missing")
	}
	if r.FormValue("published") != "false" {
		return invalid("this fake takes photos for posts only")
	}
	header := r.MultipartForm.File["source"][0]
	f, err := header.Open()
	if err != nil {
		return invalid("source cannot be read")
	}
	data, err := io.ReadAll(f)
	kind := header.Header.Get("Content-Type")
	if err != nil || len(data) > maxPhoto || !strings.HasPrefix(kind, "image/") {
		return graph.Error{
			Message: "Invalid parameter", Type: "OAuthException", Code: 100, Subcode: 1366046, UserTitle: "Can't read files",
			UserMessage: "Your photos couldn't be uploaded. Photos should be smaller than 4 MB and saved as JPG, PNG, GIF, TIFF, HEIF or WebP files.",
		}
	}
	sum := sha256.Sum256(data)
	p := &photo{id: s.number(), mime: kind, alt: r.FormValue("alt_text_custom"), digest: hex.EncodeToString(sum[:]), data: data}
	s.photos[p.id] = p
	return map[string]string{"id": p.id}
}

// number returns the next id.
func (s *Server) number() string {
	s.last++
	return strconv.Itoa(122_000_000_000 + s.last)
}

// take returns photos that were uploaded and not used yet.
func (s *Server) take(ids []string) ([]*photo, bool) {
	var list []*photo
	for _, id := range ids {
		p, ok := s.photos[id]
		if !ok || p.used || slices.Contains(list, p) {
			return nil, false
		}
		list = append(list, p)
	}
	for _, p := range list {
		p.used = true
	}
	return list, true
}

func (s *Server) post(r *http.Request) any {
	if r.PathValue("id") != s.config.Page {
		return missing(r.PathValue("id"))
	}
	if err := r.ParseForm(); err != nil {
		return invalid("the form cannot be read")
	}
	o := &object{message: r.PostForm.Get("message"), link: r.PostForm.Get("link"), created: s.config.Now()}
	var ids []string
	for i := 0; r.PostForm.Has("attached_media[" + strconv.Itoa(i) + "]"); i++ {
		var media struct {
			ID string `json:"media_fbid"`
		}
		if err := json.Unmarshal([]byte(r.PostForm.Get("attached_media["+strconv.Itoa(i)+"]")), &media); err != nil {
			return invalid("Param attached_media must be an array of objects")
		}
		ids = append(ids, media.ID)
	}
	switch u, err := url.Parse(o.link); {
	case o.message == "" && o.link == "" && len(ids) == 0:
		return invalid("The post is empty. Please enter a message to share.")
	case utf8.RuneCountInString(o.message) > maxText:
		return invalid("Param message is too long")
	case o.link != "" && (err != nil || u.Host == ""):
		return graph.Error{Message: "(#100) link URL is not properly formatted", Type: "OAuthException", Code: 100, Subcode: 1500}
	case o.link != "" && len(ids) > 0:
		return invalid("link and attached_media cannot be used together")
	}
	if at := len(s.objects) - 1; s.config.NoDuplicates && at >= 0 && s.objects[at].message == o.message {
		return graph.Error{Message: "(#506) Duplicate status message", Type: "OAuthException", Code: 506}
	}
	var ok bool
	if o.photos, ok = s.take(ids); !ok {
		return invalid("Param attached_media names a photo that does not exist or was already posted")
	}
	o.id = s.config.Page + "_" + s.number()
	return s.add(o)
}

func (s *Server) add(o *object) any {
	s.objects = append(s.objects, o)
	s.created++
	return map[string]string{"id": o.id}
}

func (s *Server) find(id string) *object {
	for _, o := range s.objects {
		if o.id == id {
			return o
		}
	}
	return nil
}

func (s *Server) comment(r *http.Request) any {
	on := s.find(r.PathValue("id"))
	if on == nil || on.post != "" {
		return missing(r.PathValue("id"))
	}
	o := &object{message: r.PostFormValue("message"), post: on.id, created: s.config.Now()}
	var ids []string
	if id := r.PostFormValue("attachment_id"); id != "" {
		ids = []string{id}
	}
	switch {
	case o.message == "" && ids == nil:
		return invalid("One of attachment_url, attachment_id, message or source must be supplied")
	case utf8.RuneCountInString(o.message) > maxComment:
		return invalid("Param message is too long")
	}
	var ok bool
	if o.photos, ok = s.take(ids); !ok {
		return invalid("Param attachment_id names a photo that does not exist or was already posted")
	}
	o.id = on.id[strings.LastIndexByte(on.id, '_')+1:] + "_" + s.number()
	return s.add(o)
}

// shown is an object as the API shows it.
func (s *Server) shown(o *object) map[string]any {
	m := map[string]any{"id": o.id, "created_time": o.created.UTC().Format(timeFormat)}
	if o.video != nil {
		m["description"], m["published"] = o.message, true
		return m
	}
	if o.message != "" {
		m["message"] = o.message
	}
	kind := map[string]any{"media_type": "photo", "type": "photo"}
	var attachments []map[string]any
	switch {
	case len(o.photos) == 1:
		attachments = append(attachments, kind)
	case len(o.photos) > 1:
		attachments = append(attachments, map[string]any{
			"media_type": "album", "type": "album", "subattachments": map[string]any{"data": slices.Repeat([]map[string]any{kind}, len(o.photos))},
		})
	case o.link != "":
		attachments = append(attachments, map[string]any{"media_type": "link", "type": "share", "unshimmed_url": o.link})
	}
	switch {
	case o.post != "":
		m["from"] = map[string]string{"id": s.config.Page, "name": s.config.Name}
		if attachments != nil {
			m["attachment"] = map[string]string{"type": "photo"}
		}
	case attachments != nil:
		m["attachments"] = map[string]any{"data": attachments}
	}
	return m
}

func (s *Server) publishedPosts(r *http.Request) any {
	if r.PathValue("id") != s.config.Page {
		return missing(r.PathValue("id"))
	}
	return s.list(r, func(o *object) bool { return o.post == "" && o.video == nil })
}

func (s *Server) comments(r *http.Request) any {
	if s.find(r.PathValue("id")) == nil {
		return missing(r.PathValue("id"))
	}
	return s.list(r, func(o *object) bool { return o.post == r.PathValue("id") })
}

// list answers with a page of what is wanted, newest first.
func (s *Server) list(r *http.Request, wanted func(*object) bool) any {
	query := r.URL.Query()
	since, _ := strconv.ParseInt(query.Get("since"), 10, 64)
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 {
		limit = 25
	}
	data := []map[string]any{}
	last, more, skip := "", false, query.Get("after")
	for _, o := range slices.Backward(s.objects) {
		switch {
		case !wanted(o) || o.created.Unix() < since:
		case skip != "":
			if o.id == skip {
				skip = ""
			}
		case len(data) == min(limit, 100):
			more = true
		default:
			data, last = append(data, s.shown(o)), o.id
		}
	}
	paging := map[string]any{"cursors": map[string]string{"after": last}}
	if more {
		paging["next"] = s.config.Base + r.URL.Path + "?after=" + last
	}
	return map[string]any{"data": data, "paging": paging}
}

func (s *Server) read(r *http.Request) any {
	if o := s.find(r.PathValue("id")); o != nil {
		return s.shown(o)
	}
	return missing(r.PathValue("id"))
}

func (s *Server) edit(r *http.Request) any {
	o := s.find(r.PathValue("id"))
	if o == nil {
		return missing(r.PathValue("id"))
	}
	message, most := r.PostFormValue("message"), maxText
	switch {
	case o.video != nil:
		message = r.PostFormValue("description")
	case o.post != "":
		most = maxComment
	}
	if utf8.RuneCountInString(message) > most {
		return invalid("Param message is too long")
	}
	o.edited = o.edited || o.message != message
	o.message = message
	return map[string]bool{"success": true}
}

func (s *Server) remove(r *http.Request) any {
	id := r.PathValue("id")
	if s.find(id) == nil {
		return missing(id)
	}
	s.objects = slices.DeleteFunc(s.objects, func(o *object) bool { return o.id == id || o.post == id })
	return map[string]bool{"success": true}
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var found *photo
	for _, p := range s.photos {
		if p.digest == r.PathValue("digest") {
			found = p
		}
	}
	for _, v := range s.videos {
		if v.digest() == r.PathValue("digest") {
			found = &photo{mime: v.mime, data: v.data}
		}
	}
	s.mu.Unlock()
	if found == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", found.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Write(found.data) //nolint:errcheck // the client may be gone
}
