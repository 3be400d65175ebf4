// Package preview is the local server: every post as each network will show it, live as it is typed.
//
// A [Server] holds one state, an immutable board with the templates to show it. Handlers read whatever state is current; the one place
// that makes new ones is [Server.Run], which follows the files, the ledger and the clock. Pages that are looked at hear of a new
// state, make themselves anew, and send the browser the blocks that are others now.
//
// It reads no secret and writes nothing but what a person does in a form: a new post, a new time for one.
package preview

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/pages"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
	"github.com/postrider/postrider/internal/watch"
)

// Book is what the ledger of this clone knows.
type Book struct {
	View   ledger.View      // safe for concurrent use
	Latest []*ledger.Record // what happened last, newest first
	Tip    string           // stands for this version of it
}

// Options are what a server works with.
type Options struct {
	Root     *os.Root // the site's folder
	Registry *platform.Registry
	// Ledger reads the ledger anew; nil outside of a git repository. It returns nil when its tip is still the one given.
	Ledger func(ctx context.Context, tip string) (*Book, error)
	// Authors tells who wrote a post, by its path; nil where nobody knows. It may take seconds.
	Authors  func(ctx context.Context) (map[string]string, error)
	Drafts   bool // drafts are shown in calendars
	ReadOnly bool // nothing can be changed
	// Loaded, unless nil, is called when so many posts have been read for the first time.
	Loaded func(posts int)
	// Key must be in the first address that a browser visits; empty: none is needed, and only this machine may ask.
	Key  string
	Now  func() time.Time
	Wait func(context.Context, time.Duration) error
	Log  *slog.Logger
}

// Server is a site's preview.
type Server struct {
	o        Options
	fsys     fs.FS  // what is in the site's folder and not hidden
	token    string // goes with every form
	state    atomic.Pointer[state]
	hub      hub
	said     said
	own      *pages.Set    // the program's own templates, for where the site's are broken
	media    media.Cache   // what is known of the site's pictures
	pictures media.Fitter  // makes and remembers them as they are sent
	made     chan struct{} // closed when the posts have been read for the first time
	edits    chan struct{} // gets a word when the whole site must be checked again
	stirred  chan struct{} // gets a word when memory was needed for something

	updating sync.Mutex // held while a state is made from the one before
	behind   bool       // a change could not be followed: everything is read again with the next one; guarded by updating
}

// state is what pages are made from. It is immutable.
type state struct {
	board   *board.Board
	set     *pages.Set
	loading bool
	trouble []trouble
}

// trouble is what keeps the preview from showing things as they are now, by what it is about.
type trouble struct{ about, text string }

// New returns a server that shows nothing yet. A broken template of the site is no error: the page says so.
func New(o Options) (*Server, error) {
	own, err := pages.Load(nil)
	if err != nil {
		return nil, err
	}
	s := &Server{
		o: o, fsys: site.Visible(o.Root.FS()), token: random(), own: own, made: make(chan struct{}), edits: make(chan struct{}, 1), stirred: make(chan struct{}, 1),
		pictures: media.Fitter{Memory: 32 << 20},
	}
	s.state.Store(s.withTemplates(&state{set: own, loading: true}))
	return s, nil
}

// random returns 128 bits that nobody can guess, as text.
func random() string {
	b := make([]byte, 16)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// NewKey returns a key for [Options].
func NewKey() string { return random() }

const (
	// checkAfter is how long nothing has changed before the whole site is checked again.
	checkAfter = 10 * time.Second
	checkSoon  = 500 * time.Millisecond // when nothing is known yet
	// lookEvery is how often the ledger is looked at.
	lookEvery = 2 * time.Second
	// tick is how often pages that speak of the time are made again.
	tick = time.Minute
)

// Run reads the site and follows its files, the ledger and the clock until ctx ends. An error means that the site's folder
// cannot be read.
func (s *Server) Run(ctx context.Context) error {
	defer s.hub.close()
	// Watching begins before reading: what changes in between is read twice rather than never.
	watcher, err := watch.New(s.o.Root.Name(), watch.Options{Ignore: ignored, Log: s.o.Log})
	if err != nil {
		return err
	}
	defer watcher.Close() //nolint:errcheck // nothing was written
	tip, err := s.load(ctx)
	if err != nil {
		return err
	}
	close(s.made)
	if s.o.Loaded != nil {
		s.o.Loaded(len(s.state.Load().board.Rows()))
	}

	var background sync.WaitGroup
	defer background.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	background.Go(func() { s.check(ctx) })
	background.Go(func() { s.tidy(ctx) })
	background.Go(func() { s.followTime(ctx) })
	if s.o.Ledger != nil {
		background.Go(func() { s.followLedger(ctx, tip) })
	}
	if s.o.Authors != nil {
		background.Go(func() { s.learnAuthors(ctx) })
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case batch, ok := <-watcher.Batches():
			if !ok {
				return errors.New("the site's folder cannot be watched any more")
			}
			s.changed(ctx, batch)
		}
	}
}

// ignored leaves out what is no part of a site's content but may be large or busy.
func ignored(rel string, dir bool) bool {
	return dir && (path.Base(rel) == "node_modules" || rel == ".postrider")
}

// What troubles are about.
const (
	aboutSite      = "site"
	aboutTemplates = "templates"
	aboutLedger    = "ledger"  // it cannot be read
	aboutRecords   = "records" // what it says cannot be
)

// reading is how the site is read. Posts are checked one at a time: that is in the background, and leaves a processor to what is being
// looked at.
func (s *Server) reading() site.Options {
	return site.Options{Media: &s.media, Workers: 1, KeepConfig: true}
}

// load reads everything. It returns the tip of the ledger that it has read.
func (s *Server) load(ctx context.Context) (tip string, err error) {
	began := s.o.Now()
	snapshot, err := site.Load(ctx, s.fsys, s.o.Registry, s.reading())
	if err != nil {
		return "", err
	}
	in := board.Input{Site: snapshot, Registry: s.o.Registry, Drafts: s.o.Drafts, Now: s.o.Now()}
	var troubles []trouble
	if s.o.Ledger != nil {
		switch book, err := s.o.Ledger(ctx, ""); {
		case err != nil:
			troubles = append(troubles, trouble{aboutLedger, "the ledger cannot be read, so nothing is known of what went out: " + err.Error()})
		case book != nil:
			in.Ledger, in.Latest, tip = book.View, book.Latest, book.Tip
		}
	}
	b, err := board.New(in)
	if err != nil { // the ledger is damaged
		troubles = append(troubles, trouble{aboutRecords, err.Error()})
		in.Ledger, in.Latest = nil, nil
		if b, err = board.New(in); err != nil {
			return "", err
		}
	}
	s.o.Log.Debug("read the site", "posts", len(snapshot.Posts), "took", s.o.Now().Sub(began))
	s.renew(func(st *state) *state {
		next := *st
		next.board, next.loading = b, false
		for _, t := range troubles {
			next.trouble = with(next.trouble, t.about, t.text)
		}
		return &next
	})
	return tip, nil
}

// renew makes a new state of the current one and tells all pages. A change that returns nil has nothing new.
func (s *Server) renew(change func(*state) *state) {
	s.updating.Lock()
	defer s.updating.Unlock()
	if next := change(s.state.Load()); next != nil {
		s.state.Store(next)
		s.hub.tell()
		s.stir()
	}
}

// with returns a list of troubles in which text says what is wrong about something; an empty text: nothing is.
func with(list []trouble, about, text string) []trouble {
	list = slices.DeleteFunc(slices.Clone(list), func(t trouble) bool { return t.about == about })
	if text != "" {
		list = append(list, trouble{about, text})
	}
	return list
}

// words returns all troubles as a text.
func (st *state) words() string {
	texts := make([]string, len(st.trouble))
	for i, t := range st.trouble {
		texts[i] = t.text
	}
	return strings.Join(texts, "\n")
}

// changed brings the state up to date with files that have changed.
func (s *Server) changed(ctx context.Context, batch watch.Batch) {
	began := s.o.Now()
	s.edited() // a check that is on makes way
	s.renew(func(st *state) *state {
		next := *st
		if batch.All || slices.ContainsFunc(batch.Paths, func(p string) bool { return p == "templates" || strings.HasPrefix(p, "templates/") }) {
			next = *s.withTemplates(&next)
		}
		batch.All = batch.All || s.behind
		b, err := s.update(ctx, st.board, batch)
		s.behind = err != nil
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			next.trouble = with(next.trouble, aboutSite, "the site cannot be read at the moment: "+err.Error())
			return &next
		}
		next.trouble = with(next.trouble, aboutSite, "")
		next.board = b
		return &next
	})
	s.o.Log.Debug("followed a change", "paths", len(batch.Paths), "all", batch.All, "took", s.o.Now().Sub(began))
	s.edited()
}

// edited tells whoever checks all posts that somebody is at work.
func (s *Server) edited() {
	select {
	case s.edits <- struct{}{}:
	default: // it has not heard of the last one yet
	}
}

// update returns the board after a batch of changes.
func (s *Server) update(ctx context.Context, b *board.Board, batch watch.Batch) (*board.Board, error) {
	in := b.Input()
	was := in.Site
	var (
		snapshot *site.Snapshot
		err      error
	)
	if batch.All {
		snapshot, err = site.Load(ctx, s.fsys, s.o.Registry, s.reading())
	} else {
		snapshot, err = was.Update(ctx, s.reading(), batch.Paths...)
	}
	if err != nil {
		return nil, err
	}
	in.Site, in.Now = snapshot, s.o.Now()
	if snapshot.Config != was.Config {
		in.Check = nil // what site.yaml says concerns every post
	}
	return b.With(in)
}

// withTemplates returns a state with the templates read anew. When the site's are broken it keeps those that it has.
func (s *Server) withTemplates(st *state) *state {
	next := *st
	set, err := pages.Load(s.fsys)
	if err != nil {
		next.trouble = with(next.trouble, aboutTemplates, err.Error())
		return &next
	}
	next.trouble, next.set = with(next.trouble, aboutTemplates, ""), set
	return &next
}

// pause is how long it must be quiet before all posts are checked: each that is edited is checked by itself at once, and only what is
// wrong between posts has to wait. After a change of site.yaml nothing is known of any.
func (s *Server) pause() time.Duration {
	if s.state.Load().board.Input().Check != nil {
		return checkAfter
	}
	return checkSoon
}

// check checks the whole site, and again whenever it has been quiet for a while after an edit.
func (s *Server) check(ctx context.Context) {
	quiet := time.NewTimer(0)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.edits:
			quiet.Reset(s.pause())
			continue
		case <-quiet.C:
		}
		b := s.state.Load().board
		checking, stop := context.WithCancel(ctx)
		ended := make(chan *board.Check, 1)
		go func() {
			snapshot := b.Input().Site
			ended <- board.NewCheck(snapshot, snapshot.Check(checking))
		}()
		var found *board.Check
		select {
		case <-s.edits: // somebody is at work, and what they see comes first
			stop()
			<-ended
			quiet.Reset(s.pause())
			continue
		case found = <-ended:
			stop()
		}
		if ctx.Err() != nil {
			return
		}
		s.again(func(in *board.Input, now *site.Snapshot) bool {
			if now.Config != b.Input().Site.Config { // everything is checked again when it is quiet
				return false
			}
			in.Check = found
			return true
		})
		b, found = nil, nil
		debug.FreeOSMemory() // rendering every post has taken a multiple of what is kept
	}
}

// again makes a board of the same site with something else besides. change reports whether there is something new.
func (s *Server) again(change func(*board.Input, *site.Snapshot) bool) {
	s.renew(func(st *state) *state {
		in := st.board.Input()
		in.Now = s.o.Now()
		if !change(&in, in.Site) {
			return nil
		}
		next := *st
		b, err := st.board.With(in)
		if err != nil {
			next.trouble = with(next.trouble, aboutRecords, err.Error())
			return &next
		}
		next.board, next.trouble = b, with(next.trouble, aboutRecords, "")
		return &next
	})
}

// followTime makes pages again that speak of the time.
func (s *Server) followTime(ctx context.Context) {
	for s.o.Wait(ctx, tick) == nil {
		s.again(func(*board.Input, *site.Snapshot) bool { return true })
	}
}

// followLedger looks at the ledger again and again, from the given tip on: publishing, and fetching, change it.
func (s *Server) followLedger(ctx context.Context, tip string) {
	for s.o.Wait(ctx, lookEvery) == nil {
		book, err := s.o.Ledger(ctx, tip)
		if ctx.Err() != nil {
			return
		}
		words := ""
		if err != nil {
			words = "the ledger cannot be read: " + err.Error()
		}
		s.renew(func(st *state) *state {
			next := *st
			if next.trouble = with(st.trouble, aboutLedger, words); slices.Equal(next.trouble, st.trouble) {
				return nil
			}
			return &next
		})
		if err != nil || book == nil {
			continue
		}
		tip = book.Tip
		s.again(func(in *board.Input, _ *site.Snapshot) bool {
			in.Ledger, in.Latest = book.View, book.Latest
			return true
		})
	}
}

// learnAuthors finds out who wrote what.
func (s *Server) learnAuthors(ctx context.Context) {
	authors, err := s.o.Authors(ctx)
	if err != nil || ctx.Err() != nil {
		s.o.Log.Debug("the authors of posts are not known", "err", err)
		return
	}
	s.renew(func(st *state) *state {
		in := st.board.Input()
		in.Authors, in.Now = sparing(authors, in.Site.Posts), s.o.Now()
		b, err := st.board.With(in)
		if err != nil {
			return nil
		}
		next := *st
		next.board = b
		return &next
	})
}

// sparing returns the authors with the posts' own paths, and each name once: git has read both for every file anew.
func sparing(authors map[string]string, posts []*post.Post) map[string]string {
	all, names := make(map[string]string, len(authors)), map[string]string{}
	for _, p := range posts {
		name, ok := authors[p.Path]
		if !ok {
			continue
		}
		if _, known := names[name]; !known {
			own := strings.Clone(name)
			names[own] = own
		}
		all[p.Path] = names[name]
	}
	for file, name := range authors { // of what is no post at the moment
		if _, ok := all[file]; !ok {
			all[file] = name
		}
	}
	return all
}

// hub tells pages that there is a new state.
type hub struct {
	mu     sync.Mutex
	pages  map[chan struct{}]struct{}
	closed bool
}

// join returns a channel that gets a word for each new state, one for several at once, and is closed when the server ends.
func (h *hub) join() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	news := make(chan struct{}, 1)
	if h.closed {
		close(news)
		return news
	}
	if h.pages == nil {
		h.pages = map[chan struct{}]struct{}{}
	}
	h.pages[news] = struct{}{}
	return news
}

func (h *hub) leave(news chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pages, news)
}

func (h *hub) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for news := range h.pages {
		select {
		case news <- struct{}{}:
		default: // it has not looked since the last one
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for news := range h.pages {
		close(news)
	}
	h.pages, h.closed = nil, true
}

// said keeps what was said about what was done, for the page that follows a form. Such a page says it as long as it is looked at.
type said struct {
	mu   sync.Mutex
	last int
	list map[int]word
}

// word is a sentence about what was done, or why it was not.
type word struct {
	text  string
	wrong bool
}

// saidMost is how many words are kept.
const saidMost = 50

// add keeps a word and returns the name by which get finds it.
func (s *said) add(w word) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list == nil {
		s.list = map[int]word{}
	}
	s.last++
	s.list[s.last] = w
	delete(s.list, s.last-saidMost)
	return strconv.Itoa(s.last)
}

// get returns a word by its name; an empty one when there is none, or none any more.
func (s *said) get(name string) word {
	n, err := strconv.Atoi(name)
	if err != nil {
		return word{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list[n]
}
