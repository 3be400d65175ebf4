// Package watch tells which files below a folder have changed, a few milliseconds after they did.
//
// A [Watcher] gathers what the system reports into batches: one save of an editor is one batch with one path, whichever of the
// many ways to save a file the editor has; a branch switch is one batch with thousands. What a batch says is where to look, not what
// happened: a path in it may have changed, appeared or gone.
//
// No change is lost. Where the system says that it dropped events, or a path cannot be named, the batch says [Batch.All]. Where the system
// watches no more folders, or none at all, the watcher looks at every file once a second instead, and [Watcher.Degraded] says why.
//
// Symbolic links are reported, not followed. A change of permissions alone is none.
package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The defaults of [Options]. A writer that empties a file and fills it 3 ms later is common; of those none was read empty
// with 5 ms of quiet, measured on Linux with ext4.
const (
	DefaultSettle = 8 * time.Millisecond
	DefaultMost   = 60 * time.Millisecond
	DefaultBeat   = time.Second
)

const (
	flood      = 64     // with more paths than this a batch is a branch switch or the like, and waits for the rest
	floodWaits = 5      // how many times longer a flood may be held
	patience   = 4      // how many times longer the quiet lasts that ends a flood, or the batch of an unfinished save
	tooMany    = 20_000 // with more paths than this a batch says All
)

// Options say what is watched and how changes are gathered. The zero value is ready to use.
type Options struct {
	// Settle is the quiet time that ends a batch; zero means [DefaultSettle].
	Settle time.Duration
	// Most is how long a batch may be held while changes go on; zero means [DefaultMost]. One with many paths is held up to
	// five times as long.
	Most time.Duration
	// Beat is how often the root is looked at, and every file below it where the system reports no changes; zero means [DefaultBeat].
	Beat time.Duration
	// Poll asks the system for no reports: for file systems that give none, such as network drives.
	Poll bool
	// Ignore reports whether a file or folder (slash-separated, relative to the root) is of no interest. An ignored folder's content is
	// not looked at. The folder .git and what editors leave behind are always ignored.
	Ignore func(rel string, dir bool) bool
	// Log receives what is worth knowing when something is odd; nil discards it.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Settle <= 0 {
		o.Settle = DefaultSettle
	}
	if o.Most <= 0 {
		o.Most = DefaultMost
	}
	if o.Beat <= 0 {
		o.Beat = DefaultBeat
	}
	if o.Ignore == nil {
		o.Ignore = func(string, bool) bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Batch is what has changed since the batch before.
type Batch struct {
	// Paths are slash-separated, relative to the root, sorted and unique. A folder that is gone, or has become another, is named by
	// its own path alone; of one that appeared, the files are named.
	Paths []string
	// All means that anything may have changed, and Paths is empty.
	All bool
}

// Watcher watches a folder with everything below it. It is safe for concurrent use.
type Watcher struct {
	root     string // absolute, in the system's form
	o        Options
	open     func() (*source, error)
	batches  chan Batch
	stop     chan struct{}
	stopOnce sync.Once
	done     chan struct{}
	degraded atomic.Pointer[error]

	// All below belongs to the goroutine of run, once New has returned.
	src      *source          // nil while the root is gone or files are polled
	rootInfo fs.FileInfo      // nil while the root is gone
	folders  *folder          // those that are watched
	seen     map[string]stamp // what the last walk saw, when files are polled
	restarts int              // since the last beat
	pending  gathering
}

// source is where events come from: a watcher of fsnotify's, or that of a test.
type source struct {
	events      <-chan fsnotify.Event
	errors      <-chan error
	add, remove func(path string) error
	close       func() error
}

func openSystem() (*source, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &source{events: w.Events, errors: w.Errors, add: w.Add, remove: w.Remove, close: w.Close}, nil
}

// New watches the folder root. Every change after New has returned is reported. An error means that root is no folder that can be read; a
// watcher that cannot be told of changes by the system polls, and is none (see [Watcher.Degraded]).
func New(root string, o Options) (*Watcher, error) { return newWatcher(root, o, openSystem) }

func newWatcher(root string, o Options, open func() (*source, error)) (*Watcher, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("watch %q: %w", root, err)
	}
	w := &Watcher{
		root: root, o: o.withDefaults(), open: open,
		batches: make(chan Batch), stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err := w.start(); err != nil {
		return nil, fmt.Errorf("watch %q: %w", root, err)
	}
	w.pending = newGathering(w.o)
	go w.run()
	return w, nil
}

// Batches returns the channel of batches; always the same one. It is closed by [Watcher.Close]. While nobody receives,
// changes are gathered into the next batch.
func (w *Watcher) Batches() <-chan Batch { return w.batches }

// Degraded returns nil as long as the system reports changes, and otherwise why files are polled: often a [*LimitError], which says
// what to do about it.
func (w *Watcher) Degraded() error {
	if err := w.degraded.Load(); err != nil {
		return *err
	}
	return nil
}

// Close stops watching and closes the channel of batches.
func (w *Watcher) Close() error {
	w.stopOnce.Do(func() { close(w.stop) })
	<-w.done
	return nil
}

// start begins to watch or poll what is there now.
func (w *Watcher) start() error {
	w.end()
	info, err := os.Stat(w.root)
	if err == nil && !info.IsDir() {
		err = errors.New("it is not a folder")
	}
	if err == nil {
		var d *os.File
		if d, err = os.Open(w.root); err == nil {
			d.Close() //nolint:errcheck // only read from
		}
	}
	if err != nil {
		return err
	}
	w.rootInfo = info
	if !w.o.Poll && w.Degraded() == nil {
		w.src, err = w.open()
		if err == nil {
			err = w.watch("", false)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission): // since the look above
			w.end()
			return err
		}
		w.degrade(err)
	}
	w.seen = w.walk()
	return nil
}

// end lets go of everything that start has set up.
func (w *Watcher) end() {
	if w.src != nil {
		if err := w.src.close(); err != nil {
			w.o.Log.Debug("closing the watcher of files failed", "err", err)
		}
	}
	w.src, w.rootInfo, w.folders, w.seen = nil, nil, &folder{}, nil
}

// degrade ends the system's reports. The caller begins to poll.
func (w *Watcher) degrade(err error) {
	watched := 0
	if w.src != nil {
		watched = w.folders.count()
	}
	err = explain(err, watched)
	info := w.rootInfo
	w.end()
	w.rootInfo = info
	w.degraded.Store(&err)
	w.o.Log.Warn("files are polled, because the system does not report what changes", "root", w.root, "err", err)
}

// restart begins anew after events were lost. Everything may have changed.
func (w *Watcher) restart() {
	w.pending.lose()
	if w.restarts++; w.restarts > 1 {
		w.end() // not more than once per beat: the next one does it
		return
	}
	if err := w.start(); err != nil {
		w.o.Log.Warn("the watched folder is gone", "root", w.root, "err", err)
	}
}

func (w *Watcher) run() {
	defer close(w.done)
	defer close(w.batches)
	defer w.end()
	defer w.pending.stop()
	beat := time.NewTicker(w.o.Beat)
	defer beat.Stop()
	for {
		var (
			out    chan<- Batch
			events <-chan fsnotify.Event
			errs   <-chan error
		)
		if w.pending.due {
			// Whoever waits for the batch gets it, also when more is coming in.
			select {
			case w.batches <- w.pending.batch:
				w.pending.reset()
				continue
			default:
				out = w.batches
			}
		}
		if w.src != nil {
			events, errs = w.src.events, w.src.errors
		}
		select {
		case <-w.stop:
			return
		case out <- w.pending.batch:
			w.pending.reset()
		case ev, ok := <-events:
			if !ok {
				w.restart()
				break
			}
			w.see(ev)
		case err, ok := <-errs:
			if ok && !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.o.Log.Warn("watching files failed", "root", w.root, "err", err)
			}
			w.restart()
		case <-w.pending.quiet.C:
			w.pending.settled(w.unfinished)
		case <-w.pending.limit.C:
			w.pending.overdue()
		case <-beat.C:
			w.beat()
		}
	}
}

// beat looks after what no event tells: a root that has been replaced, and, when polling, every file.
func (w *Watcher) beat() {
	again := w.restarts > 1
	w.restarts = 0
	info, err := os.Stat(w.root)
	gone := err != nil || !info.IsDir()
	switch {
	case gone && w.rootInfo == nil: // still
	case gone:
		w.end()
		w.pending.lose()
	case again, w.rootInfo == nil, !os.SameFile(info, w.rootInfo):
		w.restart()
	case w.src == nil:
		w.poll()
	}
}

// see takes in one event. Only that something happened counts, and what is there now: the kinds of events differ between
// systems, and their order between editors.
func (w *Watcher) see(ev fsnotify.Event) {
	rel, ok := w.relative(ev.Name)
	if !ok {
		return
	}
	const moved = fsnotify.Create | fsnotify.Remove | fsnotify.Rename
	if ev.Op&moved == 0 {
		if ev.Has(fsnotify.Write) && !w.folders.has(rel) {
			w.report(rel)
		}
		return
	}
	if rel == "" {
		w.restart()
		return
	}
	// A watch follows a folder that moves. So whatever happened to the name, what was watched under it is let go first.
	known := w.unwatch(rel)
	info, err := os.Lstat(ev.Name)
	isFolder := err == nil && info.IsDir()
	gone := ev.Op&(fsnotify.Remove|fsnotify.Rename) != 0 // what had the name; another may have it by now
	switch {
	case known && (gone || !isFolder):
		w.pending.add(rel)
	case gone || !isFolder:
		w.report(rel)
	}
	if isFolder && !w.ignores(rel, true) {
		if err := w.watch(rel, true); err != nil {
			w.degrade(err)
			w.seen = w.walk()
			w.pending.lose()
		}
	}
}

// report adds a file to the batch unless it is ignored.
func (w *Watcher) report(rel string) {
	if !w.ignores(rel, false) {
		w.pending.add(rel)
	}
}

// unfinished reports whether a path looks as if somebody is in the middle of saving it: it is not there, or empty.
func (w *Watcher) unfinished(rel string) bool {
	info, err := os.Lstat(w.native(rel))
	return err != nil || info.Mode().IsRegular() && info.Size() == 0
}

func (w *Watcher) native(rel string) string { return filepath.Join(w.root, filepath.FromSlash(rel)) }

// relative returns the slash-separated path of a file below the root, "" for the root itself.
func (w *Watcher) relative(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, w.root)
	if !ok || rest != "" && !os.IsPathSeparator(rest[0]) && !os.IsPathSeparator(w.root[len(w.root)-1]) {
		return "", false
	}
	return strings.Trim(filepath.ToSlash(rest), "/"), true
}

// gathering is the next batch in the making.
type gathering struct {
	o     Options
	paths map[string]struct{}
	all   bool
	quiet *time.Timer // ends after a time without changes
	limit *time.Timer // ends when the batch has been held long enough

	waited   bool  // the longer quiet has been granted
	extended bool  // the longer limit has been granted
	limited  bool  // limit runs
	due      bool  // batch is to be handed over
	batch    Batch // when due
}

func newGathering(o Options) gathering {
	g := gathering{o: o, paths: map[string]struct{}{}, quiet: time.NewTimer(time.Hour), limit: time.NewTimer(time.Hour)}
	g.stop()
	return g
}

func (g *gathering) stop() {
	g.quiet.Stop()
	g.limit.Stop()
}

// reset begins a new batch.
func (g *gathering) reset() {
	g.stop()
	if len(g.paths) > flood {
		g.paths = map[string]struct{}{} // let the memory go
	}
	clear(g.paths)
	*g = gathering{o: g.o, paths: g.paths, quiet: g.quiet, limit: g.limit}
}

// lose makes the batch say that anything may have changed.
func (g *gathering) lose() {
	g.all = true
	clear(g.paths)
	g.touch()
}

func (g *gathering) add(rel string) {
	if !g.all {
		g.paths[rel] = struct{}{}
		g.all = len(g.paths) > tooMany
	}
	g.touch()
}

func (g *gathering) isFlood() bool { return g.all || len(g.paths) > flood }

// touch starts the quiet time anew, and takes back a batch that nobody has fetched yet.
func (g *gathering) touch() {
	if g.due {
		g.due, g.batch, g.extended, g.limited = false, Batch{}, false, false
	}
	if !g.limited {
		g.limited = true
		g.limit.Reset(g.o.Most)
	}
	g.waited = g.isFlood()
	if g.waited {
		g.quiet.Reset(patience * g.o.Settle)
	} else {
		g.quiet.Reset(g.o.Settle)
	}
}

// settled ends the batch after the quiet time, unless a save seems to be under way.
func (g *gathering) settled(unfinished func(rel string) bool) {
	if !g.waited {
		g.waited = true
		for rel := range g.paths {
			if unfinished(rel) {
				g.quiet.Reset((patience - 1) * g.o.Settle)
				return
			}
		}
	}
	g.finish()
}

// overdue ends the batch after the longest time, which for many paths is longer.
func (g *gathering) overdue() {
	if g.isFlood() && !g.extended {
		g.extended = true
		g.limit.Reset((floodWaits - 1) * g.o.Most)
		return
	}
	g.finish()
}

func (g *gathering) finish() {
	g.stop()
	g.limited, g.due = false, true
	g.batch = Batch{All: g.all}
	if !g.all {
		g.batch.Paths = make([]string, 0, len(g.paths))
		for rel := range g.paths {
			g.batch.Paths = append(g.batch.Paths, rel)
		}
		slices.Sort(g.batch.Paths)
	}
}
