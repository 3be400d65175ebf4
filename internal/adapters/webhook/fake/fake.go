// Package fake is a receiver of webhooks that lives in memory: it checks signatures as the Standard
// Webhooks specification asks, takes every event once, and shows what it was told.
//
// Events go to /hook, or to /plain, which takes every request for another event; every post has a page at /post/ID,
// every file is at /file/DIGEST.
package fake

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// Where the server takes events.
const (
	Path      = "/hook"
	PlainPath = "/plain" // as receivers do that do not know what a webhook-id is for: twice the same makes two posts
)

// tolerance is how far a request's time may be from the server's clock, by the specification.
const tolerance = 5 * time.Minute

// maxBody is the largest event: its files in base64 and some text.
const maxBody = 32 << 20

// Options say what the server is.
type Options struct {
	Base   string // where it will be served: "http://127.0.0.1:8090"
	Secret string // "whsec_" and the key in base64
	Now    func() time.Time
}

// Server is the fake. It implements [fakenet.Fake].
type Server struct {
	fakenet.Faults
	options  Options
	verifier *standardwebhooks.Webhook
	mux      *http.ServeMux

	mu        sync.Mutex
	seen      map[string][]byte // what was answered to an event, by its webhook-id
	posts     []*stored
	files     map[string]file // by digest
	creations int
	named     int
}

type stored struct {
	id, key string
	event   event
	edited  bool
}

type file struct {
	mime string
	data []byte
}

// event is what the server reads of an event.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Account string `json:"account"`
		ID      string `json:"id"`
		Post    *struct {
			Title string `json:"title"`
			Parts []struct {
				Text  string  `json:"text"`
				Media []media `json:"media"`
				Card  *struct {
					URL         string `json:"url"`
					Title       string `json:"title"`
					Description string `json:"description"`
					Image       *media `json:"image"`
				} `json:"card"`
			} `json:"parts"`
			Language       []string `json:"language"`
			Visibility     string   `json:"visibility"`
			ContentWarning string   `json:"content_warning"`
			Sensitive      bool     `json:"sensitive"`
			Poll           *struct {
				Options []string `json:"options"`
				Seconds int64    `json:"duration_seconds"`
			} `json:"poll"`
		} `json:"post"`
		Files []struct {
			Digest  string `json:"digest"`
			MIME    string `json:"mime"`
			Content []byte `json:"content"`
		} `json:"files"`
	} `json:"data"`
}

type media struct {
	Digest string `json:"digest"`
	MIME   string `json:"mime"`
	Alt    string `json:"alt"`
}

// New returns a server that has heard nothing. It panics when the secret is not base64, which is a
// mistake of the caller.
func New(o Options) *Server {
	verifier, err := standardwebhooks.NewWebhook(o.Secret)
	if err != nil {
		panic("fake: " + err.Error())
	}
	s := &Server{options: o, verifier: verifier, mux: http.NewServeMux(), seen: map[string][]byte{}, files: map[string]file{}}
	s.Clock, s.Tell = o.Now, tell
	s.mux.HandleFunc("POST "+Path, s.receive)
	s.mux.HandleFunc("POST "+PlainPath, s.receive)
	s.mux.HandleFunc("GET /post/{id}", s.page)
	s.mux.HandleFunc("GET /file/{digest}", s.file)
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Creations implements [fakenet.Fake]. Every part of a thread counts.
func (s *Server) Creations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.creations
}

// Posts implements [fakenet.Fake]. Every part of a thread is a post.
func (s *Server) Posts() []fakenet.Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts := []fakenet.Post{}
	for _, p := range s.posts {
		posts = append(posts, s.parts(p)...)
	}
	return posts
}

func (s *Server) parts(p *stored) []fakenet.Post {
	post := p.event.Data.Post
	var list []fakenet.Post
	for i := range post.Parts {
		part := &post.Parts[i]
		f := fakenet.Post{
			ID: p.id, URL: s.options.Base + "/post/" + p.id, Account: p.event.Data.Account, Key: p.key,
			Text: part.Text, Language: post.Language, Created: p.event.Timestamp, Edited: p.edited,
		}
		if i == 0 {
			f.Title, f.Visibility, f.ContentWarning, f.Sensitive = post.Title, post.Visibility, post.ContentWarning, post.Sensitive
			if post.Poll != nil {
				f.Poll = post.Poll.Options
			}
		} else {
			f.ID += "#" + strconv.Itoa(i+1)
			f.Parent, f.Root = list[i-1].ID, p.id
		}
		for _, m := range part.Media {
			f.Media = append(f.Media, s.media(m))
		}
		if c := part.Card; c != nil {
			f.Card = &fakenet.Card{URL: c.URL, Title: c.Title, Description: c.Description}
			if c.Image != nil {
				m := s.media(*c.Image)
				f.Card.Image = &m
			}
		}
		list = append(list, f)
	}
	return list
}

// media shows a file by the bytes that arrived, not by what the event says of them.
func (s *Server) media(m media) fakenet.Media {
	f := s.files[m.Digest]
	sum := sha256.Sum256(f.data)
	return fakenet.Media{
		URL: s.options.Base + "/file/" + m.Digest, MIME: m.MIME, Alt: m.Alt, Digest: hex.EncodeToString(sum[:]), Bytes: int64(len(f.data)),
	}
}

func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(standardwebhooks.HeaderWebhookID)
	if s.publishes(r) {
		s.Break(r, id)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "the event is too large")
		return
	}
	if err := s.verifier.VerifyIgnoringTimestamp(body, r.Header); err != nil {
		fail(w, http.StatusUnauthorized, err.Error())
		return
	}
	seconds, err := strconv.ParseInt(r.Header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if off := s.options.Now().Sub(time.Unix(seconds, 0)); err != nil || off > tolerance || off < -tolerance {
		fail(w, http.StatusUnauthorized, "the request's time is not now")
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		fail(w, http.StatusBadRequest, "the event is not JSON")
		return
	}
	accept := func(w http.ResponseWriter, r *http.Request) { s.accept(w, r.URL.Path == Path, id, &e) }
	if e.Type == typePublished {
		s.Create(w, r, id, accept, s.refuse)
		return
	}
	accept(w, r)
}

const typePublished = "postrider.post.published"

// publishes reports whether an event publishes, from the beginning of its body, which can still be read.
func (s *Server) publishes(r *http.Request) bool {
	body := bufio.NewReader(r.Body)
	head, _ := body.Peek(64) // a body may be shorter
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return bytes.Contains(head, []byte(`"`+typePublished+`"`))
}

// accept carries an event out, unless it was before and the server minds.
func (s *Server) accept(w http.ResponseWriter, minds bool, id string, e *event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply, repeated := s.seen[id]
	if !repeated || !minds {
		p, status := s.apply(id, e)
		if status != http.StatusOK {
			fail(w, status, "there is no such post or event")
			return
		}
		reply, _ = json.Marshal(map[string]string{"id": p.id, "url": s.options.Base + "/post/" + p.id}) // texts always marshal
		s.seen[id] = reply
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(reply) //nolint:errcheck // the client may be gone
}

// apply carries an event out and returns the post that it is about.
func (s *Server) apply(id string, e *event) (*stored, int) {
	at := slices.IndexFunc(s.posts, func(p *stored) bool { return p.id == e.Data.ID })
	if e.Data.Post != nil {
		for _, f := range e.Data.Files {
			if f.Content != nil {
				s.files[f.Digest] = file{f.MIME, f.Content}
			}
		}
	}
	switch e.Type {
	case typePublished:
		if e.Data.Post == nil {
			return nil, http.StatusUnprocessableEntity
		}
		s.named++
		p := &stored{id: "post-" + strconv.Itoa(s.named), key: id, event: *e}
		s.posts = append(s.posts, p)
		s.creations += len(e.Data.Post.Parts)
		return p, http.StatusOK
	case "postrider.post.updated":
		if at < 0 || e.Data.Post == nil {
			return nil, http.StatusNotFound
		}
		p := s.posts[at]
		p.event.Data.Post, p.edited = e.Data.Post, true
		return p, http.StatusOK
	case "postrider.post.withdrawn":
		p := &stored{id: e.Data.ID}
		if at >= 0 {
			s.posts = slices.Delete(s.posts, at, at+1)
		}
		return p, http.StatusOK
	}
	return nil, http.StatusUnprocessableEntity
}

func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": message}) //nolint:errcheck // the client may be gone
}

// tell writes when to come back once nothing is left: a receiver of webhooks has no other header
// (https://www.standardwebhooks.com/, 2026-11-21).
func tell(h http.Header, a fakenet.Allowance) {
	if a.Left == 0 {
		h.Set("Retry-After", strconv.Itoa(int(a.Reset.Sub(a.Now).Seconds())))
	}
}

func (s *Server) refuse(w http.ResponseWriter, f fakenet.Fault) {
	switch f {
	case fakenet.Refuse:
		fail(w, http.StatusUnprocessableEntity, "the receiver does not take this post")
	case fakenet.RateLimit:
		now := s.options.Now()
		tell(w.Header(), fakenet.Allowance{Now: now, Reset: now.Add(2 * time.Minute)})
		fail(w, http.StatusTooManyRequests, "not so fast")
	case fakenet.ExpiredSession, fakenet.ExpiredToken:
		fail(w, http.StatusUnauthorized, "no matching signature found")
	case fakenet.Forbidden:
		fail(w, http.StatusForbidden, "this sender may not post here")
	default:
		fail(w, http.StatusInternalServerError, "something went wrong")
	}
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f, ok := s.files[r.PathValue("digest")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Write(f.data) //nolint:errcheck // the client may be gone
}

// pageTemplate is made for every page anew: nobody but a person asks for one.
const pageTemplate = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>A post that arrived by webhook</title>
<style>body{font:1rem/1.5 system-ui;max-width:36rem;margin:2rem auto;padding:0 1rem}p{white-space:pre-wrap;overflow-wrap:anywhere}img{max-width:100%}</style>
{{range .}}{{with .Title}}<h1>{{.}}</h1>{{end}}
<p>{{.Text}}</p>
{{range .Media}}<img src="{{.URL}}" alt="{{.Alt}}">{{end}}
{{with .Card}}<blockquote><a href="{{.URL}}">{{or .Title .URL}}</a><br>{{.Description}}</blockquote>{{end}}
{{end}}</html>
`

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var list []fakenet.Post
	for _, p := range s.posts {
		if p.id == r.PathValue("id") {
			list = s.parts(p)
		}
	}
	s.mu.Unlock()
	if list == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")
	template.Must(template.New("").Parse(pageTemplate)).Execute(w, list) //nolint:errcheck // the client may be gone
}
