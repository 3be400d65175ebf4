package preview

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/pages"
)

// policy lets a page load what comes from this server and nothing else: no inline script, no inline style, no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// cookie is the name of the cookie that holds the key.
const cookie = "postrider_preview"

// Handler returns the preview's pages. It may be used before [Server.Run] has read anything.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /media/{path...}", s.file)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /calendar.ics", s.calendar)
	mux.HandleFunc("GET /calendar/account/{file}", s.calendar)
	mux.HandleFunc("GET /calendar/campaign/{file}", s.calendar)
	mux.HandleFunc("GET /feed.xml", s.feed)
	mux.HandleFunc("GET /atom.xml", s.feed)
	mux.HandleFunc("GET /feed.json", s.feed)
	mux.HandleFunc("POST /posts/{id}/move", s.move)
	mux.HandleFunc("POST /new", s.create)
	mux.HandleFunc("GET /", s.page)
	return s.guard(mux)
}

// guard keeps out whom the preview is not for: other machines, and pages of other sites in the same browser.
func (s *Server) guard(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // not to the networks that pages link to
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case s.o.Key != "":
			if !s.unlocked(w, r) {
				return
			}
		case !loopback(r.Host):
			// A name of somebody else's that leads to this machine: its page could read what this server says.
			http.Error(w, fmt.Sprintf("This preview answers to localhost and 127.0.0.1, not to %q.", r.Host), http.StatusMisdirectedRequest)
			return
		}
		if err := origin.Check(r); err != nil {
			http.Error(w, "Only this preview's own pages may change something.", http.StatusForbidden)
			return
		}
		defer s.stir()
		next.ServeHTTP(w, r)
	})
}

// unlocked reports whether a request has the key: in its cookie, or in its address, from where it goes into the cookie.
func (s *Server) unlocked(w http.ResponseWriter, r *http.Request) bool {
	same := func(key string) bool { return subtle.ConstantTimeCompare([]byte(key), []byte(s.o.Key)) == 1 }
	if c, err := r.Cookie(cookie); err == nil && same(c.Value) {
		return true
	}
	query := r.URL.Query()
	if key := query["key"]; len(key) != 1 || !same(key[0]) {
		http.Error(w, "This preview needs the key in the address that `postrider preview` has printed.", http.StatusForbidden)
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: s.o.Key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // there is no TLS between this server and its browser
	if r.Method != http.MethodGet || subscribed(r.URL.Path) {
		return true
	}
	query.Del("key")
	to := url.URL{Path: path.Clean("/" + r.URL.Path), RawQuery: query.Encode()} // one slash: two would begin the name of another server
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
	return false
}

// subscribed reports whether a path is read by programs, which keep no cookies: those of calendars and feeds.
func subscribed(name string) bool {
	return slices.Contains([]string{".ics", ".xml", ".json"}, path.Ext(name))
}

// loopback reports whether a Host header names this machine as seen from itself.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// viewer is for whom a page at an address is made.
func (s *Server) viewer(st *state, here string) pages.Viewer {
	v := pages.Viewer{
		Here: here, ReadOnly: s.o.ReadOnly, Live: true, Loading: st.loading, Trouble: st.words(), NoGit: s.o.Ledger == nil,
	}
	if !s.o.ReadOnly {
		v.Token = s.token
	}
	v.Key = s.o.Key
	if u, err := url.Parse(here); err == nil {
		if w := s.said.get(u.Query().Get("said")); w.wrong {
			v.Wrong = w.text
		} else {
			v.Done = w.text
		}
	}
	return v
}

// version is a page with what it was made of and for.
type version struct {
	*pages.Page
	set    *pages.Set
	board  *board.Board
	viewer pages.Viewer
}

// make makes the page at an address. Where a template of the site is broken, the page is made with the program's own, and says so.
func (s *Server) make(st *state, here string) (version, error) {
	v := version{set: st.set, board: st.board, viewer: s.viewer(st, here)}
	err := v.make()
	if _, broken := errors.AsType[*pages.TemplateError](err); broken {
		err = s.mend(&v, err)
	}
	return v, err
}

func (v *version) make() (err error) {
	v.Page, err = v.set.Page(v.board, v.viewer)
	return err
}

// mend makes a page with the program's own templates.
func (s *Server) mend(v *version, why error) error {
	v.set, v.viewer.Trouble = s.own, strings.TrimSpace(v.viewer.Trouble+"\n"+why.Error())
	return v.make()
}

// firstWait is how long the first page waits for the posts: most sites are read by then, and it need not say that they are being read.
const firstWait = 250 * time.Millisecond

// page answers with a whole page.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	if s.state.Load().loading {
		ctx, cancel := context.WithTimeout(r.Context(), firstWait)
		defer cancel()
		select {
		case <-s.made:
		case <-ctx.Done():
		}
	}
	s.show(w, r.URL.RequestURI(), http.StatusOK)
}

// show answers with the page at an address, with the status that it has, or else the one given.
func (s *Server) show(w http.ResponseWriter, here string, status int) {
	v, err := s.make(s.state.Load(), here)
	if err == nil {
		err = v.answer(w, status)
	}
	if _, broken := errors.AsType[*pages.TemplateError](err); broken { // the frame
		v.viewer.Live = false // the site's frame is another version, for which the page would be loaded again and again
		if err = s.mend(&v, err); err == nil {
			err = v.answer(w, status)
		}
	}
	if err != nil {
		s.o.Log.Warn("a page cannot be made", "page", here, "err", err)
		http.Error(w, "This page cannot be made: "+err.Error(), http.StatusInternalServerError)
	}
}

// answer answers with the page, with the status that it has, or else the one given. Where that fails, nothing has been sent.
func (v *version) answer(w http.ResponseWriter, status int) error {
	if status == http.StatusOK {
		status = v.Status
	}
	return v.set.Write(document{w, status}, v.Page, v.board, v.viewer)
}

// document is a response that is written in one piece.
type document struct {
	http.ResponseWriter
	status int
}

// Write sends the whole document.
func (d document) Write(b []byte) (int, error) {
	d.Header().Set("Content-Type", "text/html; charset=utf-8")
	d.Header().Set("Content-Length", strconv.Itoa(len(b)))
	d.WriteHeader(d.status)
	d.ResponseWriter.Write(b) //nolint:errcheck // the reader has gone
	return len(b), nil
}

// asset answers with a style sheet, script or drawing. Its address changes with its content.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := s.state.Load().set.Asset(r.PathValue("name"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.Type)
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Write(a.Data) //nolint:errcheck // the reader has gone
}

// file answers with a picture or the like of the site. Hidden files, and whatever is none by its content, are not there.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	info, err := fs.Stat(s.fsys, name)
	if err != nil || !info.Mode().IsRegular() || filepath.ToSlash(name) != name { // to open a pipe would wait for its writer
		http.NotFound(w, r)
		return
	}
	opened, err := s.fsys.Open(name) // no symbolic link leads out of the site
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer opened.Close()
	f, ok := opened.(io.ReadSeeker)
	if !ok {
		http.NotFound(w, r)
		return
	}
	start := make([]byte, 512)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		http.NotFound(w, r)
		return
	}
	kind, ok := pages.MediaType(start[:n])
	if !ok {
		http.NotFound(w, r)
		return
	}
	content := f
	if recipe := r.URL.Query().Get("fit"); recipe != "" { // as it is sent
		fitted, err := s.fitted(io.MultiReader(bytes.NewReader(start[:n]), f), recipe)
		if err != nil {
			http.Error(w, "The picture cannot be shown as it would be sent: "+err.Error(), http.StatusUnprocessableEntity)
			return
		}
		kind, content = http.DetectContentType(fitted), bytes.NewReader(fitted)
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if r.URL.Query().Get("v") != "" {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", info.ModTime(), content)
}

// fitted returns a picture as a recipe makes it.
func (s *Server) fitted(f io.Reader, recipe string) ([]byte, error) {
	how, err := media.ParseRecipe(recipe)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, media.MaxBytes))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return s.pictures.Fit(hex.EncodeToString(sum[:]), data, how)
}

// update is what a live page is told.
type update struct {
	Title  string        `json:"title"`
	Hash   string        `json:"hash"`   // of the page
	Order  []string      `json:"order"`  // the ids of all blocks
	Blocks []pages.Block `json:"blocks"` // those that are others now
}

const (
	// beat is how often a silent connection says that it is alive.
	beat = 25 * time.Second
	// maxHave bounds what a browser may say of the blocks that it has.
	maxHave = 1 << 14
)

// events keeps a page up to date: it is sent the blocks that are others than those that it has, at once and whenever something changes.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	here := query.Get("page")
	if len(r.URL.RawQuery) > maxHave || !strings.HasPrefix(here, "/") {
		http.Error(w, "This is not a page.", http.StatusBadRequest)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead {
		return
	}
	news := s.hub.join()
	defer s.hub.leave(news)
	if _, err := io.WriteString(w, "retry: 500\n\n"); err != nil || out.Flush() != nil {
		return
	}
	have := map[string]string{}
	for block := range strings.FieldsSeq(query.Get("have")) {
		if id, hash, ok := strings.Cut(block, "."); ok {
			have[id] = hash
		}
	}
	assets := query.Get("v")
	alive := time.NewTicker(beat)
	defer alive.Stop()
	for {
		v, err := s.make(s.state.Load(), here)
		if err != nil {
			s.o.Log.Warn("a page cannot be made", "page", here, "err", err)
		} else if assets != "" && assets != v.set.Version() {
			send(w, "reload", nil) //nolint:errcheck // it is the last word
			return
		} else if u := difference(v.Page, have); u != nil && send(w, "blocks", u) != nil {
			return
		}
		if out.Flush() != nil {
			return
		}
		select {
		case _, ok := <-news:
			if !ok {
				return
			}
		case <-alive.C:
			if _, err := io.WriteString(w, ": alive\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// difference returns what somebody who has these blocks must be told of a page, and notes that they have it then; nil when they have
// everything.
func difference(p *pages.Page, have map[string]string) *update {
	u := &update{Title: p.Title, Hash: p.Hash(), Order: make([]string, len(p.Blocks))}
	now := make(map[string]string, len(p.Blocks)+1)
	see := func(b *pages.Block) {
		if hash, ok := have[b.ID]; !ok || hash != b.Hash {
			u.Blocks = append(u.Blocks, *b)
		}
		now[b.ID] = b.Hash
	}
	for i := range p.Blocks {
		u.Order[i] = p.Blocks[i].ID
		see(&p.Blocks[i])
	}
	see(&p.Navigation)
	gone := false
	for id := range have {
		if _, ok := now[id]; !ok {
			gone = true
		}
	}
	if len(u.Blocks) == 0 && !gone {
		return nil
	}
	clear(have)
	maps.Copy(have, now)
	return u
}

// send writes an event.
func send(w io.Writer, name string, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, b)
	return err
}
