// Package fake is a LinkedIn that keeps everything in memory: members, pages, posts, comments and files, as far as a
// program that publishes can tell.
//
// What it does was read in LinkedIn's documentation and in reports of what the real one does
// (https://learn.microsoft.com/en-us/linkedin/marketing/community-management/, 2026-11-22). It is as merciless as that: a
// reserved character that is not escaped ends a post, and the answer is 201 all the same.
package fake

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Config is how a fake LinkedIn is set up.
type Config struct {
	Base   string            // where it is served, without a final slash
	Tokens map[string]string // access tokens and the names of the members that they belong to
	Now    func() time.Time
	// Pages are the numbers of the organisations that all members may post for.
	Pages []string
	// OldestVersion is the oldest version of the API that it serves; "" means "202512".
	OldestVersion string
	// Processing is how many times a video or document answers that it is still being processed.
	Processing int
	// NoStatus has it refuse to tell members of their files, as LinkedIn does of documents.
	NoStatus bool
	// PartBytes is the size of the parts of a video; 0 means LinkedIn's 4 MiB.
	PartBytes int
	// ClientID and ClientSecret are those of the app that made the tokens; Expires is when they die, and Scopes what they may do.
	ClientID, ClientSecret string
	Expires                time.Time
	Scopes                 []string
	// NoComments has tokens that may post but not comment.
	NoComments bool
}

// Server is a fake LinkedIn. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	config Config
	mux    *http.ServeMux

	mu      sync.Mutex
	last    int
	created int
	posts   []*entry // comments included, oldest first
	files   map[string]*file
	live    map[string]string // what was published, by author and content, and as what
}

var _ fakenet.Fake = (*Server)(nil)

// entry is a post, or a comment on one.
type entry struct {
	urn, author, visibility   string
	commentary, text, message string // as it was sent, what it shows; message of comments
	parent                    string // of comments: the post's URN
	content                   content
	reshared                  string
	created, modified         time.Time
}

type content struct {
	Media      *mediaRef `json:"media,omitempty"`
	MultiImage *struct {
		Images []mediaRef `json:"images"`
	} `json:"multiImage,omitempty"`
	Article *struct {
		Source      string `json:"source"`
		Title       string `json:"title"`
		Description string `json:"description,omitempty"`
		Thumbnail   string `json:"thumbnail,omitempty"`
	} `json:"article,omitempty"`
	Poll *struct {
		Question string `json:"question"`
		Options  []struct {
			Text string `json:"text"`
		} `json:"options"`
		Settings struct {
			Duration string `json:"duration"`
		} `json:"settings"`
	} `json:"poll,omitempty"`
}

type mediaRef struct {
	ID    string `json:"id"`
	Title string `json:"title,omitempty"`
	Alt   string `json:"altText,omitempty"`
}

func (c *content) media() []mediaRef {
	switch {
	case c.Media != nil:
		return []mediaRef{*c.Media}
	case c.MultiImage != nil:
		return c.MultiImage.Images
	}
	return nil
}

const (
	maxCommentary = 3000
	maxBody       = 1 << 20
)

// New returns a LinkedIn without any posts.
func New(c Config) *Server {
	s := &Server{config: c, mux: http.NewServeMux(), files: map[string]*file{}, live: map[string]string{}}
	s.Clock, s.Tell = c.Now, tell
	for pattern, h := range map[string]handler{
		"GET /v2/userinfo":                             s.userinfo,
		"GET /rest/posts":                              s.listPosts,
		"GET /rest/posts/{urn}":                        s.getPost,
		"POST /rest/posts/{urn}":                       s.editPost,
		"DELETE /rest/posts/{urn}":                     s.deletePost,
		"GET /rest/socialActions/{urn}/comments":       s.listComments,
		"GET /rest/socialActions/{urn}/comments/{id}":  s.getComment,
		"POST /rest/socialActions/{urn}/comments/{id}": s.editComment,
		"POST /rest/{kind}":                            s.action,
		"GET /rest/{kind}/{urn}":                       s.fileStatus,
	} {
		s.mux.HandleFunc(pattern, s.authorized(h))
	}
	s.mux.HandleFunc("PUT /dms-uploads/{urn}/{part}", func(w http.ResponseWriter, r *http.Request) {
		s.Upload(w, r, s.authorized(s.upload), s.refuse)
	})
	for pattern, h := range map[string]handler{
		"POST /rest/posts":                        s.createPost,
		"POST /rest/socialActions/{urn}/comments": s.createComment,
	} {
		accept := s.authorized(h)
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.Create(w, r, "", accept, s.refuse) })
	}
	s.mux.HandleFunc("POST /oauth/v2/introspectToken", s.introspect)
	s.mux.HandleFunc("GET /files/{urn}", s.serveFile)
	s.mux.HandleFunc("GET /{$}", s.page)
	s.mux.HandleFunc("GET /feed/update/{urn}", s.page)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fail(http.StatusNotFound, "RESOURCE_NOT_FOUND", "No virtual resource found").write(w)
	})
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Person returns the URN of the member of a name.
func Person(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "urn:li:person:" + hex.EncodeToString(sum[:5]) + "_-"
}

// Posts implements [fakenet.Fake].
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := make([]fakenet.Post, 0, len(s.posts))
	for _, e := range s.posts {
		posts = append(posts, s.post(e))
	}
	return posts
}

func (s *Server) post(e *entry) fakenet.Post {
	p := fakenet.Post{
		ID: e.urn, URL: s.config.Base + "/feed/update/" + e.urn, Account: e.author, Text: e.text, Visibility: e.visibility,
		Created: e.created, Edited: e.modified.After(e.created),
	}
	if e.parent != "" {
		p.Parent, p.Root, p.Text = e.parent, e.parent, e.message
		p.URL = s.config.Base + "/feed/update/" + e.parent + "?commentUrn=" + url.QueryEscape(e.urn)
	}
	for _, m := range e.content.media() {
		p.Media = append(p.Media, s.media(m))
		p.Title = cmp.Or(p.Title, m.Title)
	}
	if a := e.content.Article; a != nil {
		p.Card = &fakenet.Card{URL: a.Source, Title: a.Title, Description: a.Description}
		if a.Thumbnail != "" {
			m := s.media(mediaRef{ID: a.Thumbnail})
			p.Card.Image = &m
		}
	}
	if poll := e.content.Poll; poll != nil {
		p.Title = poll.Question
		for _, option := range poll.Options {
			p.Poll = append(p.Poll, option.Text)
		}
	}
	return p
}

// Creations implements [fakenet.Fake].
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.created
}

// Forget deletes a post but goes on to refuse its content, as LinkedIn does for a while.
func (s *Server) Forget(urn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = slices.DeleteFunc(s.posts, func(e *entry) bool { return e.urn == urn || e.parent == urn })
}

// handler serves one request of a member while the server is locked.
type handler func(r *http.Request, member string) answer

// answer is what an endpoint answers.
type answer struct {
	status int
	header http.Header
	body   any // nil for none
}

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

func fail(status int, code, format string, args ...any) answer {
	return answer{status: status, body: map[string]any{"status": status, "code": code, "message": fmt.Sprintf(format, args...)}}
}

// invalid refuses a field, as LinkedIn does.
func invalid(code, description, format string, args ...any) answer {
	a := fail(http.StatusUnprocessableEntity, "", format, args...)
	a.body = map[string]any{
		"status": http.StatusUnprocessableEntity, "message": fmt.Sprintf(format, args...),
		"errorDetails": map[string]any{"inputErrors": []any{map[string]any{"code": code, "description": description}}},
	}
	return a
}

func notFound(urn string) answer {
	return fail(http.StatusNotFound, "NOT_FOUND", "Could not find entity %s", urn)
}

func denied(what string) answer {
	return fail(http.StatusForbidden, "ACCESS_DENIED", "Not enough permissions to access: %s", what)
}

func (a answer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	encoded, err := json.Marshal(a.body)
	if err != nil {
		panic("fake: an answer always marshals: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	w.Write(encoded) //nolint:errcheck // the client has gone
}

// tell writes when to come back once nothing is left. LinkedIn documents no such header; it refuses first.
func tell(h http.Header, a fakenet.Allowance) {
	if a.Left == 0 {
		h.Set("Retry-After", strconv.Itoa(int(a.Reset.Sub(a.Now).Seconds())))
	}
}

// refuse answers as LinkedIn does to what [fakenet.Faults] asks for.
func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	switch f {
	case fakenet.Refuse:
		tooLong(maxCommentary + 1).write(w)
	case fakenet.RateLimit:
		fail(http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls to this resource is reached.").write(w)
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		expired().write(w)
	case fakenet.Forbidden:
		denied("partnerApiPostsExternal.CREATE.20260901").write(w)
	default:
		fail(http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "Internal Server Error").write(w)
	}
}

func tooLong(n int) answer {
	return invalid("FIELD_LENGTH_TOO_LONG", "the length is too long", "ERROR :: /commentary :: is %d characters, which is more than %d", n, maxCommentary)
}

func expired() answer {
	return fail(http.StatusUnauthorized, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired")
}

// authorized serves a request whose token is known and whose headers are those of the versioned API.
func (s *Server) authorized(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		a := s.serve(h, r)
		s.mu.Unlock()
		a.write(w)
	}
}

func (s *Server) serve(h handler, r *http.Request) answer {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	member := s.config.Tokens[token]
	creates := r.Method == http.MethodPost && (r.URL.Path == "/rest/posts" || strings.HasSuffix(r.URL.Path, "/comments")) // it has struck there, or not
	if member == "" {
		return fail(http.StatusUnauthorized, "INVALID_ACCESS_TOKEN", "Invalid access token")
	}
	if !creates && s.Strikes(fakenet.ExpiredToken) {
		return expired()
	}
	if strings.HasPrefix(r.URL.Path, "/rest/") {
		v := r.Header.Get("LinkedIn-Version")
		switch {
		case v == "":
			return fail(http.StatusBadRequest, "VERSION_MISSING", "A version must be present. Please specify a version by adding the LinkedIn-Version header.")
		case v < cmp.Or(s.config.OldestVersion, "202512"), v > s.config.Now().Format("200601"):
			return fail(http.StatusUpgradeRequired, "NONEXISTENT_VERSION", "Requested version %s01 is not active", v)
		case r.Header.Get("X-Restli-Protocol-Version") != "2.0.0":
			return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request")
		}
	}
	return h(r, member)
}

func (s *Server) userinfo(_ *http.Request, member string) answer {
	return ok(map[string]any{"sub": strings.TrimPrefix(Person(member), "urn:li:person:"), "name": member, "locale": map[string]string{"country": "US", "language": "en"}})
}

// introspect tells the app that made a token of it.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config.ClientID == "" || r.PostFormValue("client_id") != s.config.ClientID || r.PostFormValue("client_secret") != s.config.ClientSecret {
		answer{status: http.StatusUnauthorized, body: map[string]string{"error": "invalid_client", "error_description": "Client authentication failed"}}.write(w)
		return
	}
	if s.config.Tokens[r.PostFormValue("token")] == "" || !s.config.Expires.After(s.config.Now()) {
		ok(map[string]any{"active": false, "status": "expired"}).write(w)
		return
	}
	ok(map[string]any{
		"active": true, "status": "active", "client_id": s.config.ClientID, "auth_type": "3L",
		"expires_at": s.config.Expires.Unix(), "scope": strings.Join(s.config.Scopes, ","),
	}).write(w)
}

// mayPostAs reports whether a member may post as an author, and mayRead whether posts of that author can be read.
func (s *Server) mayPostAs(member, author string) bool {
	return author == Person(member) || s.mayRead(author)
}

func (s *Server) mayRead(author string) bool {
	page, ok := strings.CutPrefix(author, "urn:li:organization:")
	return ok && slices.Contains(s.config.Pages, page)
}

// next returns a new number, larger than all before.
func (s *Server) next() string {
	s.last++
	return strconv.Itoa(7_000_000_000_000_000_000 + s.last)
}

func (s *Server) find(urn string) *entry {
	for _, e := range s.posts {
		if e.urn == urn {
			return e
		}
	}
	return nil
}

func decode(r *http.Request, out any) bool {
	return json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody)).Decode(out) == nil
}
