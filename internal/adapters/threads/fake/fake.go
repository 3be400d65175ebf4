// Package fake is a Threads API that keeps everything in memory.
//
// It prepares, refuses, publishes and lists as the real one does, as far as its documentation tells:
// https://developers.facebook.com/docs/threads (2026-11-22). It fetches media from their addresses, too.
package fake

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform/container/fakecontainer"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
)

// Config is how a fake network is set up.
type Config = fakecontainer.Config

// Server is a fake network. It implements [fakenet.Fake].
type Server struct{ *fakecontainer.Server }

type thing = fakecontainer.Thing

const (
	version   = "/" + graph.ThreadsVersion
	errorType = "THApiException"
	maxText   = 500
	maxLinks  = 5
	maxMedia  = 20
)

// New returns a network without any posts.
func New(c Config) *Server {
	s := new(Server)
	s.Server = fakecontainer.New(c, fakecontainer.Dialect{
		Name: "Threads", Usage: "threads", ErrorType: errorType, NotFetched: "FAILED_DOWNLOADING_MEDIA", TooLong: tooLong(),
		Preparing: func(path string) bool { return strings.HasSuffix(path, "/threads") },
		Contain:   s.contain,
		NotReady: func(status string) graph.Error {
			return graph.Error{Message: "The media is not ready to be published: " + status, Type: "OAuthException", Code: 24, Subcode: 4279009, Trace: "A"}
		},
		Status: func(t *thing, status string) map[string]string {
			answer := map[string]string{"status": status}
			if t.Failed != "" {
				answer["error_message"] = t.Failed
			}
			return answer
		},
		Fields:    s.fields,
		Permalink: s.permalink,
		Root:      s.root,
	})
	s.Mux.HandleFunc("GET "+version+"/debug_token", s.Authorized(s.DebugToken))
	s.Mux.HandleFunc("GET "+version+"/me", s.Authorized(func(_ *http.Request, user string) (any, *graph.Error) {
		return map[string]string{"id": fakecontainer.UserID(user), "username": user}, nil
	}))
	s.Mux.HandleFunc("POST "+version+"/{user}/threads", s.Prepare)
	s.Mux.HandleFunc("POST "+version+"/{user}/threads_publish", s.Publish)
	s.Mux.HandleFunc("GET "+version+"/{user}/threads", s.Authorized(s.List(func(t *thing, user string) bool { return t.User == user && t.Parent == "" })))
	s.Mux.HandleFunc("GET "+version+"/{user}/replies", s.Authorized(s.List(func(t *thing, user string) bool { return t.User == user && t.Parent != "" })))
	s.Mux.HandleFunc("GET "+version+"/{id}", s.Authorized(s.Get))
	s.Mux.HandleFunc("DELETE "+version+"/{id}", s.Authorized(s.Remove))
	s.Mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/@") {
			s.Page(w, r)
			return
		}
		s.Missing("").Write(w)
	})
	return s
}

func (s *Server) root(t *thing) string {
	root := ""
	for t != nil && t.Parent != "" {
		root = t.Parent
		t = s.Find(root)
	}
	return root
}

func (s *Server) permalink(t *thing) string {
	return s.Base() + "/@" + t.User + "/post/" + fakecontainer.Code(t.ID)
}

func tooLong() graph.Error {
	return graph.Error{Message: fmt.Sprintf("Param text must be at most %d characters long.", maxText), Type: errorType, Code: 100, Trace: "A"}
}

// contain checks what a container is to hold.
func (s *Server) contain(t *thing, form url.Values, file fakenet.Media) *graph.Error {
	t.Text, t.Parent, t.Quote = form.Get("text"), form.Get("reply_to_id"), form.Get("quote_post_id")
	t.Link, t.Spoiler = form.Get("link_attachment"), form.Get("is_spoiler_media") == "true"
	switch t.Kind {
	case "TEXT":
		if strings.TrimSpace(t.Text) == "" {
			return s.Invalid("Param text is required for media type TEXT")
		}
	case "IMAGE", "VIDEO":
		t.Media = []fakenet.Media{file}
		if want := strings.ToLower(t.Kind) + "/"; t.Failed == "" && !strings.HasPrefix(file.MIME, want) {
			t.Failed = "UNSUPPORTED_" + t.Kind + "_FORMAT"
		}
	case "CAROUSEL":
		if refused := s.Gather(t, form.Get("children"), maxMedia); refused != nil {
			return refused
		}
	default:
		return s.Invalid("Param media_type must be one of {TEXT, IMAGE, VIDEO, CAROUSEL}")
	}
	if measure.Threads(t.Text) > maxText {
		e := tooLong()
		return &e
	}
	links := map[string]bool{}
	for _, e := range measure.ThreadsEntities(t.Text) {
		if e.Kind == measure.URL {
			links[e.Value] = true
		}
	}
	if t.Link != "" {
		if t.Kind != "TEXT" {
			return s.Invalid("Param link_attachment is for text posts only")
		}
		links[t.Link] = true
	}
	if len(links) > maxLinks {
		return s.Invalid("THREADS_API__LINK_LIMIT_EXCEEDED")
	}
	for _, ref := range []string{t.Parent, t.Quote} {
		if ref != "" && s.Find(ref) == nil {
			return s.Missing(ref)
		}
	}
	if poll := form.Get("poll_attachment"); poll != "" {
		var options map[string]string
		if json.Unmarshal([]byte(poll), &options) != nil || len(options) < 2 || t.Kind != "TEXT" {
			return s.Invalid("Param poll_attachment is invalid")
		}
		for _, key := range []string{"option_a", "option_b", "option_c", "option_d"} {
			if option, ok := options[key]; ok {
				t.Poll = append(t.Poll, option)
			}
		}
	}
	return nil
}

func (s *Server) fields(t *thing) map[string]any {
	kind := map[string]string{"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}
	m := map[string]any{
		"id": t.ID, "media_type": cmp.Or(kind[t.Kind], t.Kind), "permalink": s.permalink(t), "text": t.Text,
		"timestamp": fakecontainer.Time(t.Made), "is_quote_post": t.Quote != "", "username": t.User,
	}
	if t.Parent != "" {
		m["replied_to"] = map[string]string{"id": t.Parent}
	}
	if len(t.Children) > 0 {
		var children []map[string]string
		for _, id := range t.Children {
			children = append(children, map[string]string{"id": id})
		}
		m["children"] = map[string]any{"data": children}
	}
	if len(t.Poll) > 1 {
		m["poll_attachment"] = map[string]string{"option_a": t.Poll[0], "option_b": t.Poll[1]}
	}
	return m
}
