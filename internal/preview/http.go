package preview

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

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
	if !same(query.Get("key")) {
		http.Error(w, "This preview needs the key in the address that `postrider preview` has printed.", http.StatusForbidden)
		return false
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: s.o.Key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}) //nolint:gosec // there is no TLS between this server and its browser
	if r.Method == http.MethodGet && path.Ext(r.URL.Path) != ".ics" {                                                           // calendar programs keep no cookies
		query.Del("key")
		to := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
		return false
	}
	return true
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
	if u, err := url.Parse(here); err == nil {
		v.Done = s.said.get(u.Query().Get("said"))
	}
	return v
}

// make makes the page at an address. A template of the site that is broken is replaced by the program's own, and the page says so.
func (s *Server) make(st *state, v pages.Viewer) (*pages.Page, *pages.Set, pages.Viewer, error) {
	p, err := st.set.Page(st.board, v)
	if _, broken := errors.AsType[*pages.TemplateError](err); broken {
		own, e := pages.Load(nil)
		if e != nil {
			return nil, nil, v, e
		}
		v.Trouble = strings.TrimSpace(v.Trouble + "\n" + err.Error())
		p, err = own.Page(st.board, v)
		return p, own, v, err
	}
	return p, st.set, v, err
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
	s.show(w, s.state.Load(), r.URL.RequestURI(), func(*pages.Viewer) {})
}

func (s *Server) show(w http.ResponseWriter, st *state, here string, more func(*pages.Viewer)) {
	v := s.viewer(st, here)
	more(&v)
	p, set, v, err := s.make(st, v)
	var buf bytes.Buffer
	if err == nil {
		err = set.Write(&buf, p, st.board, v)
	}
	if _, broken := errors.AsType[*pages.TemplateError](err); broken { // of the frame, which is not a block
		buf.Reset()
		var own *pages.Set
		if own, err = pages.Load(nil); err == nil {
			v.Trouble = strings.TrimSpace(v.Trouble + "\nthe site's own templates are broken")
			if p, err = own.Page(st.board, v); err == nil {
				err = own.Write(&buf, p, st.board, v)
			}
		}
	}
	if err != nil {
		s.o.Log.Warn("a page cannot be made", "page", here, "err", err)
		http.Error(w, "This page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	status := p.Status
	if v.Wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	w.WriteHeader(status)
	w.Write(buf.Bytes()) //nolint:errcheck // the reader has gone
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

// shown reports whether a file of this type is shown by pages: pictures, videos and documents, and nothing that runs.
func shown(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "video/mp4", "video/webm", "video/quicktime", "audio/mpeg", "audio/wave", "application/ogg", "application/pdf":
		return true
	}
	return false
}

// file answers with a picture or the like of the site. Hidden files, and whatever is none by its content, are not there.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("path")
	if !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		http.NotFound(w, r)
		return
	}
	f, err := s.o.Root.Open(name) // no symbolic link leads out of the site
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	start := make([]byte, 512)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		http.NotFound(w, r)
		return
	}
	kind := http.DetectContentType(start[:n])
	if bytes.HasPrefix(start[min(n, 4):], []byte("ftypavif")) {
		kind = "image/avif"
	}
	if !shown(kind) {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	if r.URL.Query().Get("v") != "" {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
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
		st := s.state.Load()
		switch {
		case assets != "" && assets != st.set.Version():
			send(w, "reload", nil) //nolint:errcheck // it is the last word
			return
		default:
			u, err := s.difference(st, here, have)
			if err != nil {
				s.o.Log.Warn("a page cannot be made", "page", here, "err", err)
			} else if u != nil {
				if send(w, "blocks", u) != nil {
					return
				}
			}
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

// difference returns what a page that has these blocks must be told, and notes that it has them then; nil when it has everything.
func (s *Server) difference(st *state, here string, have map[string]string) (*update, error) {
	p, set, v, err := s.make(st, s.viewer(st, here))
	if err != nil {
		return nil, err
	}
	u := &update{Title: p.Title, Hash: p.Hash()}
	nav, err := set.Navigation(p, st.board, v)
	if err != nil {
		return nil, err
	}
	gone := len(have)
	for _, b := range p.Blocks {
		u.Order = append(u.Order, b.ID)
	}
	for _, b := range append(p.Blocks, nav) {
		hash, ok := have[b.ID]
		if ok {
			gone--
		}
		if hash != b.Hash {
			u.Blocks = append(u.Blocks, b)
		}
	}
	if len(u.Blocks) == 0 && gone == 0 {
		return nil, nil
	}
	clear(have)
	for _, b := range append(p.Blocks, nav) {
		have[b.ID] = b.Hash
	}
	return u, nil
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

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
