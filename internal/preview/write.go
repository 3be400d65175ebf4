package preview

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/draft"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/watch"
)

// maxForm bounds what a form may send.
const maxForm = 1 << 16

// form reads what a form of one of our own pages sends. It answers itself when the request is not that.
func (s *Server) form(w http.ResponseWriter, r *http.Request) bool {
	st := s.state.Load()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	switch {
	case s.o.ReadOnly:
		s.refuse(w, r, http.StatusForbidden, "This preview changes nothing: it was started with --read-only.")
	case tooLarge(err):
		s.refuse(w, r, http.StatusRequestEntityTooLarge, "That is more than the form has room for.")
	case err != nil:
		s.refuse(w, r, http.StatusBadRequest, "The form could not be read.")
	case subtle.ConstantTimeCompare([]byte(r.PostForm.Get("token")), []byte(s.token)) != 1:
		s.refuse(w, r, http.StatusForbidden, "This page is from an earlier run of the preview. Load it again, then repeat what you did.")
	case st.board == nil:
		s.refuse(w, r, http.StatusServiceUnavailable, "The posts are still being read.")
	default:
		return true
	}
	return false
}

func tooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// refuse answers that something was not done, as the page's script or as a page, whoever asks.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	if wantsJSON(r) {
		answer(w, status, why)
		return
	}
	http.Error(w, why, status)
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

// answer tells the page's script what became of what it asked for.
func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": message}) //nolint:errcheck // the reader has gone
}

// move gives a post a new time.
func (s *Server) move(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	b := s.state.Load().board
	in := b.Input()
	id := r.PathValue("id")
	row, ok := b.Row(id)
	if !ok || row.Post.ID != id { // a path is no address
		s.refuse(w, r, http.StatusNotFound, "There is no such post any more.")
		return
	}
	wrong := func(why string) {
		if wantsJSON(r) {
			answer(w, http.StatusUnprocessableEntity, why)
			return
		}
		s.show(w, s.say("/posts/"+url.PathEscape(row.Post.ID), url.Values{}, word{text: why, wrong: true}), http.StatusUnprocessableEntity)
	}
	at, err := newTime(r.PostForm.Get("at"), in.Site.Config.Location)
	if err != nil {
		wrong(sentence(err))
		return
	}
	if why := row.Fixed(); why != "" {
		wrong(why)
		return
	}
	source := r.PostForm.Get("source") // a calendar of hundreds of posts carries the beginnings only
	if len(source) >= 16 && strings.HasPrefix(row.Post.Source, source) {
		source = row.Post.Source
	}
	if _, err := draft.Move(s.o.Root, row.Post.Path, source, at, content.Options{Location: in.Site.Config.Location}); err != nil {
		wrong(sentence(err))
		return
	}
	s.changed(r.Context(), watch.Batch{Paths: []string{row.Post.Path}}) // the answer is there before the watcher's report
	done := fmt.Sprintf("%s is planned for %s.", row.Name, at.Format("Mon 2 Jan 2006, 15:04 MST"))
	if at.Before(s.o.Now()) {
		done += " That has passed."
	}
	if wantsJSON(r) {
		answer(w, http.StatusOK, done)
		return
	}
	http.Redirect(w, r, s.say("/posts/"+url.PathEscape(row.Post.ID), url.Values{}, word{text: done}), http.StatusSeeOther)
}

// newTime reads what a form or the calendar sends for a time: what the site's clock shows then.
func newTime(text string, loc *time.Location) (time.Time, error) {
	reading, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		return time.Time{}, errors.New("the new time cannot be read: it is written as 2026-12-24T09:30")
	}
	// As if it stood in the file: time.ParseInLocation makes another time of one that the clock jumps over.
	at, found := content.Time(reading.Format("2006-01-02 15:04"), loc)
	for _, f := range found {
		if f.Severity == finding.Error {
			return time.Time{}, &draft.InputError{Finding: f}
		}
	}
	return at, nil
}

// say returns the address of a page that says what was done. The word is in the address, since a live page is made again and again.
func (s *Server) say(page string, query url.Values, w word) string {
	query.Set("said", s.said.add(w))
	return page + "?" + query.Encode()
}

// create writes a new post.
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	in := s.state.Load().board.Input()
	f := r.PostForm
	at := strings.Replace(f.Get("at"), "T", " ", 1)
	if slot := f.Get("slot"); slot != "" && at == "" {
		at = slot
	}
	file, id, err := draft.New(s.o.Root, in.Site.Config, draft.Request{
		Title: f.Get("title"), Platforms: f["platforms"], PublishAt: at, Campaign: f.Get("campaign"), Bundle: f.Get("bundle") != "",
	}, draft.Surroundings{Now: s.o.Now(), Rand: rand.Reader})
	if err != nil {
		again := url.Values{"title": f["title"], "at": f["at"], "campaign": f["campaign"], "platforms": f["platforms"], "slot": f["slot"], "bundle": f["bundle"]}
		s.show(w, s.say("/new", again, word{text: sentence(err), wrong: true}), http.StatusUnprocessableEntity)
		return
	}
	s.changed(r.Context(), watch.Batch{Paths: []string{file}})
	done := fmt.Sprintf("%s is written, as a draft. Open it in your editor: this page follows as you type.", file)
	http.Redirect(w, r, s.say("/posts/"+url.PathEscape(id), url.Values{}, word{text: done}), http.StatusSeeOther)
}

// sentence says an error to somebody in front of a page, with its remedy.
func sentence(err error) string {
	text := err.Error()
	if hinted, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok && hinted.Hint() != "" {
		text += ": " + hinted.Hint()
	}
	if first, n := utf8.DecodeRuneInString(text); n > 0 {
		text = string(unicode.ToUpper(first)) + text[n:]
	}
	return text
}
