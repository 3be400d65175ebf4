// Package fake is an Instagram API that keeps everything in memory.
//
// It prepares, refuses, publishes and lists as the real one does, as far as its documentation tells:
// https://developers.facebook.com/docs/instagram-platform (2026-11-22). It fetches media from their addresses, too.
package fake

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform/container/fakecontainer"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
)

// Config is how a fake network is set up.
type Config = fakecontainer.Config

// Server is a fake network. It implements [fakenet.Fake].
type Server struct{ *fakecontainer.Server }

// thing is a container, a post, or a comment, which alone has a parent.
type thing = fakecontainer.Thing

const (
	version   = "/" + graph.Version
	errorType = "OAuthException"
	maxText   = 2200
	maxMedia  = 10
)

// New returns a network without any posts.
func New(c Config) *Server {
	s := new(Server)
	s.Server = fakecontainer.New(c, fakecontainer.Dialect{
		Name: "Instagram", Usage: "instagram", ErrorType: errorType, NotFetched: "Error: Media upload has failed with error code 2207003", TooLong: tooLong(),
		Preparing: func(path string) bool { return strings.HasSuffix(path, "/media") },
		Contain:   s.contain,
		NotReady: func(status string) graph.Error {
			e := graph.Error{Message: "Media ID is not available: " + status, Type: errorType, Code: 9007, Subcode: 2207027, Trace: "A"}
			if status == "PUBLISHED" { // UNVERIFIED: what the real one says
				e.Code, e.Subcode = 100, 2207026
			}
			return e
		},
		Status: func(t *thing, status string) map[string]string {
			return map[string]string{"status_code": status, "status": cmp.Or(t.Failed, status)}
		},
		Fields:    s.fields,
		Permalink: s.permalink,
		Root:      func(t *thing) string { return t.Parent },
	})
	s.Mux.HandleFunc("GET "+version+"/debug_token", s.Authorized(s.DebugToken))
	s.Mux.HandleFunc("GET "+version+"/me", s.Authorized(func(_ *http.Request, user string) (any, *graph.Error) {
		return map[string]string{"user_id": fakecontainer.UserID(user), "username": user}, nil
	}))
	s.Mux.HandleFunc("POST "+version+"/{user}/media", s.Prepare)
	s.Mux.HandleFunc("POST "+version+"/{user}/media_publish", s.Publish)
	s.Mux.HandleFunc("GET "+version+"/{user}/media", s.Authorized(s.List(func(t *thing, user string) bool {
		return t.User == user && t.Parent == "" && t.Kind != "STORIES"
	})))
	s.Mux.HandleFunc("GET "+version+"/{user}/stories", s.Authorized(s.List(func(t *thing, user string) bool {
		return t.User == user && t.Kind == "STORIES"
	})))
	s.Mux.HandleFunc("POST "+version+"/{id}/comments", s.comment)
	s.Mux.HandleFunc("GET "+version+"/{id}/comments", s.Authorized(s.comments))
	s.Mux.HandleFunc("GET "+version+"/{id}", s.Authorized(s.get))
	s.Mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/p/") || strings.HasPrefix(r.URL.Path, "/stories/") {
			s.Page(w, r)
			return
		}
		s.Missing("").Write(w)
	})
	return s
}

func (s *Server) permalink(t *thing) string {
	switch {
	case t.Parent != "":
		return s.Base() + "/p/" + fakecontainer.Code(t.Parent) + "/c/" + t.ID + "/"
	case t.Kind == "STORIES":
		return s.Base() + "/stories/" + t.User + "/" + t.ID + "/"
	}
	return s.Base() + "/p/" + fakecontainer.Code(t.ID) + "/"
}

func tooLong() graph.Error {
	return graph.Error{
		Message: "Invalid parameter", Type: errorType, Code: 36004, Subcode: 2207010, Trace: "A",
		UserTitle: "Caption Too Long", UserMessage: fmt.Sprintf("The caption was too long, please use up to %d characters.", maxText),
	}
}

// contain checks what a container is to hold.
func (s *Server) contain(t *thing, form url.Values, file fakenet.Media) *graph.Error {
	t.Kind, t.Text = cmp.Or(t.Kind, "IMAGE"), form.Get("caption")
	switch t.Kind {
	case "IMAGE", "VIDEO", "REELS", "STORIES":
		if t.Kind == "VIDEO" && !t.Child {
			return s.Invalid("The VIDEO value for media_type is no longer supported. Use the REELS media type to publish a video.")
		}
		want := "video/"
		if form.Get("video_url") == "" {
			want = "image/jpeg"
		}
		t.Media = []fakenet.Media{file}
		if t.Failed == "" && !strings.HasPrefix(file.MIME, want) {
			t.Failed = "Error: Media upload has failed with error code 2207026"
		}
		if t.Kind == "STORIES" {
			t.Text = "" // it is ignored
		}
	case "CAROUSEL":
		if refused := s.Gather(t, form.Get("children"), maxMedia); refused != nil {
			return refused
		}
	default:
		return s.Invalid("Param media_type is invalid")
	}
	if t.Failed == "" && t.Media[0].URL == "" {
		return s.Invalid("The parameter image_url is required")
	}
	if utf8.RuneCountInString(t.Text) > maxText {
		e := tooLong()
		return &e
	}
	return nil
}

// get answers for a container, a post, or an account.
func (s *Server) get(r *http.Request, user string) (any, *graph.Error) {
	id := r.PathValue("id")
	if name := s.Username(id); name != "" {
		return map[string]string{"id": id, "username": name}, nil
	}
	return s.Get(r, user)
}

func (s *Server) fields(t *thing) map[string]any {
	m := map[string]any{"id": t.ID, "timestamp": fakecontainer.Time(t.Made), "username": t.User}
	if t.Parent != "" {
		m["text"] = t.Text
		return m
	}
	kind := cmp.Or(map[string]string{"REELS": "VIDEO", "CAROUSEL": "CAROUSEL_ALBUM"}[t.Kind], "IMAGE")
	if t.Kind == "STORIES" && strings.HasPrefix(t.Media[0].MIME, "video/") {
		kind = "VIDEO"
	}
	m["media_type"], m["permalink"] = kind, s.permalink(t)
	if t.Text != "" {
		m["caption"] = t.Text
	}
	return m
}

// comment comments on a post.
func (s *Server) comment(w http.ResponseWriter, r *http.Request) {
	s.Break(r, "")
	if err := r.ParseForm(); err != nil {
		s.Invalid("Invalid parameter").Write(w)
		return
	}
	on, text := r.PathValue("id"), r.PostForm.Get("message")
	accept := s.Authorized(func(_ *http.Request, user string) (any, *graph.Error) {
		if t := s.Find(on); t == nil || t.Parent != "" || t.Kind == "STORIES" {
			return nil, s.Missing(on)
		}
		if strings.TrimSpace(text) == "" {
			return nil, s.Invalid("Param message is required")
		}
		c := &thing{User: user, Text: text, Parent: on}
		s.Add(c)
		return map[string]string{"id": c.ID}, nil
	})
	s.Create(w, r, on, accept, s.Refuse)
}

// comments answers with the comments on a post.
func (s *Server) comments(r *http.Request, user string) (any, *graph.Error) {
	id := r.PathValue("id")
	if s.Find(id) == nil {
		return nil, s.Missing(id)
	}
	return s.List(func(t *thing, _ string) bool { return t.Parent == id })(r, user)
}
