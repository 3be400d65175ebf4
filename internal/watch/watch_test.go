package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// calm gathers so slowly that a busy machine does not cut one save into two batches.
var calm = Options{Settle: 40 * time.Millisecond, Most: 5 * time.Second, Beat: 20 * time.Millisecond}

type site struct {
	t    *testing.T
	root string
	w    *Watcher
	ends int
}

// newSite watches a folder that holds the given files.
func newSite(t *testing.T, o Options, files ...string) *site {
	t.Helper()
	s := &site{t: t, root: filepath.Join(t.TempDir(), "site")}
	s.mkdir(".")
	for _, name := range files {
		s.write(name, "first")
	}
	s.watch(o, openSystem)
	return s
}

func (s *site) watch(o Options, open func() (*source, error)) {
	s.t.Helper()
	w, err := newWatcher(s.root, o, open)
	if err != nil {
		s.t.Fatal(err)
	}
	s.w = w
	s.t.Cleanup(func() { w.Close() })
}

func (s *site) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

func (s *site) mkdir(name string)  { s.t.Helper(); s.must(os.MkdirAll(s.path(name), 0o755)) }
func (s *site) remove(name string) { s.t.Helper(); s.must(os.RemoveAll(s.path(name))) }
func (s *site) rename(a, b string) { s.t.Helper(); s.must(os.Rename(s.path(a), s.path(b))) }
func (s *site) write(name, text string) {
	s.t.Helper()
	s.must(os.MkdirAll(filepath.Dir(s.path(name)), 0o755))
	s.must(os.WriteFile(s.path(name), []byte(text), 0o644))
}

func (s *site) next() Batch {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	select {
	case b, ok := <-s.w.Batches():
		if !ok {
			s.t.Fatal("the channel of batches is closed")
		}
		if !slices.IsSorted(b.Paths) || len(slices.Compact(slices.Clone(b.Paths))) != len(b.Paths) || b.All && len(b.Paths) > 0 {
			s.t.Errorf("a batch in bad order: %+v", b)
		}
		return b
	case <-ctx.Done():
		s.t.Fatal("no batch")
		panic("unreachable")
	}
}

// want waits for one batch with just these paths, and makes sure that nothing comes after it.
func (s *site) want(paths ...string) {
	s.t.Helper()
	if len(paths) > 0 {
		if diff := cmp.Diff(Batch{Paths: paths}, s.next()); diff != "" {
			s.t.Errorf("batch (-want +got):\n%s", diff)
		}
	}
	s.ends++
	end := fmt.Sprintf("end%d.txt", s.ends)
	s.write(end, "the end")
	if diff := cmp.Diff(Batch{Paths: []string{end}}, s.next()); diff != "" {
		s.t.Errorf("after the batch (-want +got):\n%s", diff)
	}
}

// until reads batches until all the paths were in one, and returns everything that was in them.
func (s *site) until(paths ...string) map[string]bool {
	s.t.Helper()
	got := map[string]bool{}
	for !func() bool {
		for _, p := range paths {
			if !got[p] {
				return false
			}
		}
		return true
	}() {
		b := s.next()
		if b.All {
			s.t.Fatal("a batch says All")
		}
		for _, p := range b.Paths {
			got[p] = true
		}
	}
	return got
}

func (s *site) wantAll() {
	s.t.Helper()
	if b := s.next(); !b.All {
		s.t.Errorf("batch %+v does not say All", b)
	}
}

// TestSaves saves a post in the ways that programs have: each is one batch with one path.
func TestSaves(t *testing.T) {
	for name, save := range map[string]func(*site){
		"in place":        func(s *site) { s.write("c/post.md", "second") },
		"truncate, write": func(s *site) { s.write("c/post.md", ""); s.write("c/post.md", "second") },
		"temporary file": func(s *site) {
			s.write("c/post.md.tmp", "second")
			s.rename("c/post.md.tmp", "c/post.md")
		},
		"vim": func(s *site) {
			s.write("c/.post.md.swp", "swap")
			s.write("c/.post.md.swx", "swap")
			s.remove("c/.post.md.swx")
			s.write("c/4913", "")
			s.remove("c/4913")
			s.rename("c/post.md", "c/post.md~")
			s.write("c/post.md", "second")
			s.must(os.Chmod(s.path("c/post.md"), 0o600))
			s.remove("c/post.md~")
			s.remove("c/.post.md.swp")
		},
		"vim, backupcopy=yes": func(s *site) {
			s.write("c/post.md~", "first")
			s.write("c/post.md", "second")
			s.remove("c/post.md~")
		},
		"JetBrains, safe write": func(s *site) {
			s.write("c/post.md___jb_tmp___", "second")
			s.rename("c/post.md", "c/post.md___jb_old___")
			s.rename("c/post.md___jb_tmp___", "c/post.md")
			s.remove("c/post.md___jb_old___")
		},
		"Emacs": func(s *site) {
			s.must(os.Symlink("user@host.1:2", s.path("c/.#post.md")))
			s.write("c/#post.md#", "second")
			s.rename("c/post.md", "c/post.md~")
			s.write("c/post.md", "second")
			s.remove("c/.#post.md")
			s.remove("c/#post.md#")
		},
		"sed -i": func(s *site) {
			s.write("c/sedkO4nWb", "second")
			s.rename("c/sedkO4nWb", "c/post.md")
		},
		"git checkout": func(s *site) { s.remove("c/post.md"); s.write("c/post.md", "second") },
		"GNOME":        func(s *site) { s.write("c/.goutputstream-X1Y2", "2"); s.rename("c/.goutputstream-X1Y2", "c/post.md") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, calm, "c/post.md")
			save(s)
			s.want("c/post.md")
		})
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, calm, "a.md", "b/c.md")
	s.must(os.Chmod(s.path("a.md"), 0o600))
	s.must(os.Chmod(s.path("b"), 0o700))
	s.must(os.Chtimes(s.path("a.md"), time.Unix(1, 0), time.Unix(1, 0)))
	s.write(".git/index", "x")
	s.write("b/.DS_Store", "x")
	s.mkdir("empty")
	s.want()
}

func TestIgnore(t *testing.T) {
	t.Parallel()
	o := calm
	o.Ignore = func(rel string, dir bool) bool {
		return dir && rel == "b/public" || !dir && strings.HasSuffix(rel, ".log")
	}
	s := newSite(t, o, "a.md", "b/public/x.html")
	s.write("b/public/x.html", "second")
	s.write("b/x.log", "x")
	s.want()
	s.write("b/public.md", "x")
	s.want("b/public.md")
}

func TestFolders(t *testing.T) {
	t.Parallel()
	s := newSite(t, calm, "a.md", "old/deep/b.md", "old/c.md", "keep/k.md")
	out := filepath.Join(filepath.Dir(s.root), "out")

	s.write("new/er/post.md", "x") // with the folders that it needs
	s.want("new/er/post.md")
	s.rename("old", "moved")
	s.want("moved/c.md", "moved/deep/b.md", "old")
	s.write("moved/deep/b.md", "second")
	s.want("moved/deep/b.md")
	s.write("old/c.md", "a new folder of the old name")
	s.want("old/c.md")
	s.mkdir("hollow")
	s.must(syscall.Rename(s.path("moved"), s.path("hollow"))) // onto an empty one
	s.want("hollow/c.md", "hollow/deep/b.md", "moved")
	s.write("hollow/deep/b.md", "third")
	s.want("hollow/deep/b.md")
	s.must(os.Rename(s.path("hollow"), out))
	s.want("hollow")
	s.must(os.WriteFile(filepath.Join(out, "c.md"), []byte("elsewhere"), 0o644))
	s.want()
	s.must(os.Rename(out, s.path("back")))
	s.want("back/c.md", "back/deep/b.md")
	s.remove("back")
	s.want("back", "back/c.md", "back/deep", "back/deep/b.md")
	s.remove("keep")
	s.write("keep", "a file where a folder was")
	s.want("keep", "keep/k.md")
	s.remove("keep")
	s.write("keep/k.md", "and back")
	s.want("keep", "keep/k.md")
	s.write("keep/k.md", "second")
	s.want("keep/k.md")
}

// TestFolderRace makes files in folders that are not watched yet.
func TestFolderRace(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{}, "a.md")
	for i := range 40 {
		want := []string{fmt.Sprintf("%d/a/b/c/x.md", i), fmt.Sprintf("%d/a/y.md", i)}
		s.write(want[0], "x")
		s.write(want[1], "y")
		s.until(want...)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t, calm, "a.md")
	out := t.TempDir()
	s.must(os.Symlink(out, s.path("link")))
	s.want("link")
	s.must(os.WriteFile(filepath.Join(out, "x.md"), []byte("x"), 0o644))
	s.want()
}

// TestFlood makes as many files as a switch of branches does: few batches, and every path.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	missing := map[string]bool{}
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("content/%d/%d.md", i%100, i))
		missing[names[i]] = true
	}
	start := time.Now()
	go func() {
		for _, name := range names {
			s.write(name, "x")
		}
	}()
	batches := 0
	for len(missing) > 0 {
		b := s.next()
		if batches++; b.All {
			t.Fatal("a batch says All")
		}
		for _, p := range b.Paths {
			delete(missing, p)
		}
	}
	if most := 2 + int(time.Since(start)/DefaultMost); batches > most {
		t.Errorf("%d batches, want no more than %d", batches, most)
	}
}

func TestTooMany(t *testing.T) {
	g := newGathering(Options{}.withDefaults())
	defer g.stop()
	for i := range tooMany + 1 {
		g.add(fmt.Sprint(i))
	}
	g.finish()
	if !g.batch.All || g.batch.Paths != nil {
		t.Errorf("a batch of %d paths does not say All", tooMany+1)
	}
}

// TestLost drops events: All is said, and what appeared meanwhile is watched.
func TestLost(t *testing.T) {
	t.Parallel()
	errs := make(chan error)
	open := func() (*source, error) {
		src, err := openSystem()
		if err == nil {
			src.errors = errs
		}
		return src, err
	}
	s := &site{t: t, root: t.TempDir()}
	s.write("a/b.md", "x")
	s.watch(calm, open)
	for range 3 { // more often than the watcher begins anew per beat
		errs <- fsnotify.ErrEventOverflow
		s.wantAll()
	}
	errs <- errors.New("something else")
	s.wantAll()
	for {
		s.write("a/b.md", "second")
		if b := s.next(); !b.All { // a beat may have come in between
			if diff := cmp.Diff([]string{"a/b.md"}, b.Paths); diff != "" {
				t.Error(diff)
			}
			break
		}
	}
	s.write("a/c/d.md", "x")
	s.want("a/c/d.md")
}

// limited is a system that watches no more than a number of folders.
func limited(n int, err error) func() (*source, error) {
	return func() (*source, error) {
		src, openErr := openSystem()
		if openErr != nil {
			return nil, openErr
		}
		add := src.add
		src.add = func(path string) error {
			if n--; n < 0 {
				return err
			}
			return add(path)
		}
		return src, nil
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	s := &site{t: t, root: t.TempDir()}
	for _, name := range []string{"a/1.md", "b/2.md", "c/3.md", "c/d/4.md"} {
		s.write(name, "first")
	}
	s.watch(calm, limited(2, fmt.Errorf("add: %w", syscall.ENOSPC)))
	limit, ok := errors.AsType[*LimitError](s.w.Degraded())
	if !ok || limit.Folders != 2 || !errors.Is(limit, syscall.ENOSPC) {
		t.Fatalf("degraded: %v", s.w.Degraded())
	}
	if runtime.GOOS == "linux" && !strings.Contains(limit.Error(), "sysctl fs.inotify.max_user_watches=") {
		t.Errorf("the error does not say what to do: %v", limit)
	}
	s.write("c/d/4.md", "longer")
	s.want("c/d/4.md")
	s.write("e/f/5.md", "new")
	s.want("e/f/5.md")
	s.rename("c", "g")
	s.want("c", "g/3.md", "g/d/4.md")
	s.must(os.Chmod(s.path("a/1.md"), 0o600))
	s.want()
}

// TestNoWatcher gets nothing from the system at all.
func TestNoWatcher(t *testing.T) {
	t.Parallel()
	s := &site{t: t, root: t.TempDir()}
	s.watch(calm, func() (*source, error) { return nil, fmt.Errorf("open: %w", syscall.EMFILE) })
	limit, ok := errors.AsType[*LimitError](s.w.Degraded())
	if !ok || limit.Folders != 0 || !strings.Contains(limit.Error(), "watches no folder") {
		t.Fatalf("degraded: %v", s.w.Degraded())
	}
	s.write("a/1.md", "x")
	s.want("a/1.md")
}

// TestLimitLater reaches the limit with a new folder.
func TestLimitLater(t *testing.T) {
	t.Parallel()
	s := &site{t: t, root: t.TempDir()}
	s.write("a/1.md", "first")
	s.watch(calm, limited(2, syscall.ENOSPC))
	if err := s.w.Degraded(); err != nil {
		t.Fatal(err)
	}
	s.mkdir("b")
	s.wantAll()
	if _, ok := errors.AsType[*LimitError](s.w.Degraded()); !ok {
		t.Errorf("degraded: %v", s.w.Degraded())
	}
	s.write("b/2.md", "x")
	s.want("b/2.md")
}

func TestExplain(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE} {
		for _, folders := range []int{0, 100} {
			e, ok := errors.AsType[*LimitError](explain(err, folders))
			if !ok || e.Limit == "" || e.Raise == "" || !errors.Is(e, err) {
				t.Errorf("explain(%v): %v", err, e)
			}
		}
	}
	if err := explain(fs.ErrInvalid, 1); err != fs.ErrInvalid {
		t.Errorf("an error that is about no limit becomes %v", err)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	o := calm
	o.Poll = true
	s := newSite(t, o, "a.md", "b/c.md")
	s.write("b/c.md", "changed")
	s.rename("a.md", "z.md")
	s.until("a.md", "b/c.md", "z.md")
	s.remove("b")
	s.write("b", "a file")
	s.until("b")
	if err := s.w.Degraded(); err != nil {
		t.Errorf("polling was asked for, and yet: %v", err)
	}
}

// TestRoot takes the root away, and puts others in its place.
func TestRoot(t *testing.T) {
	for name, o := range map[string]Options{"events": calm, "poll": {Settle: calm.Settle, Most: calm.Most, Beat: calm.Beat, Poll: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o, "a.md", "b/c.md")
			away := s.root + "-away"
			again := func() { // All is said, and after that changes are named as before
				s.t.Helper()
				all := false
				for i := 0; ; i++ {
					s.write("b/last.md", strings.Repeat("x", i+1))
					b := s.next()
					if all = all || b.All; !b.All && slices.Contains(b.Paths, "b/last.md") && all {
						return
					}
				}
			}
			s.must(os.Rename(s.root, away))
			s.wantAll()
			s.must(os.Rename(away, s.root))
			again()
			s.must(os.RemoveAll(s.root))
			for b := s.next(); !b.All; b = s.next() {
			}
			s.write("b/new.md", "x")
			again()
			s.must(os.Rename(s.root, away))
			s.write("b/other.md", "x")
			again()
		})
	}
}

func TestNewErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{file, filepath.Join(dir, "nowhere")} {
		if w, err := New(root, Options{}); err == nil {
			w.Close()
			t.Errorf("%s can be watched", root)
		}
	}
}

func TestClose(t *testing.T) {
	s := newSite(t, Options{}, "a.md")
	s.write("a.md", "x")
	for range 2 {
		if err := s.w.Close(); err != nil {
			t.Error(err)
		}
	}
	for range s.w.Batches() { // ends
	}
}

func TestLeavings(t *testing.T) {
	for _, name := range []string{"4913", "a.md~", ".#a.md", "#a.md#", ".a.md.swp", ".a.md.swo", "a.swx", "a.md.tmp", ".DS_Store", "sedkO4nWb", "~$a.docx"} {
		if !isLeaving(name) {
			t.Errorf("%q is no leaving", name)
		}
	}
	for _, name := range []string{"a.md", "4913.md", "#a.md", "sedation", "sedan1.md", "a.swf", "sedge.png", ".env", "~a.md", "tmp", "swp"} {
		if isLeaving(name) {
			t.Errorf("%q is a leaving", name)
		}
	}
}

// TestTimes proves when batches come, with a clock that stands still while anybody works.
func TestTimes(t *testing.T) {
	const ms = time.Millisecond
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string) fsnotify.Event {
		return fsnotify.Event{Name: filepath.Join(dir, name), Op: fsnotify.Write}
	}
	for _, test := range []struct {
		name   string
		events func(send func(string), wait func(time.Duration))
		idle   time.Duration // before anybody receives
		at     time.Duration
		paths  int
	}{
		{"one write", func(send func(string), _ func(time.Duration)) { send("a") }, 0, 8 * ms, 1},
		{"two writes", func(send func(string), wait func(time.Duration)) { send("a"); wait(7 * ms); send("b") }, 0, 15 * ms, 2},
		{"one after another", func(send func(string), wait func(time.Duration)) {
			for range 40 {
				send("a")
				wait(7 * ms)
			}
		}, 0, 60 * ms, 1},
		{"a file that is gone", func(send func(string), _ func(time.Duration)) { send("gone") }, 0, 32 * ms, 1},
		{"many", func(send func(string), _ func(time.Duration)) {
			for i := range 100 {
				send(fmt.Sprint(i))
			}
		}, 0, 32 * ms, 100},
		{"many, and on and on", func(send func(string), wait func(time.Duration)) {
			for i := range 1000 {
				send(fmt.Sprint(i))
				wait(ms / 2)
			}
		}, 0, 300 * ms, 600},
		{"nobody waits", func(send func(string), wait func(time.Duration)) { send("a"); wait(100 * ms); send("b") }, 200 * ms, 200 * ms, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				events := make(chan fsnotify.Event)
				nop := func(string) error { return nil }
				w, err := newWatcher(dir, Options{}, func() (*source, error) {
					return &source{events: events, add: nop, remove: nop, close: func() error { return nil }}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				start := time.Now()
				done := make(chan struct{})
				go func() {
					test.events(func(name string) {
						select {
						case events <- write(name):
						case <-done:
						}
					}, time.Sleep)
				}()
				time.Sleep(test.idle)
				b := <-w.Batches()
				close(done)
				if at := time.Since(start); at != test.at {
					t.Errorf("the batch comes after %v, want %v", at, test.at)
				}
				if len(b.Paths) != test.paths {
					t.Errorf("the batch has %d paths, want %d", len(b.Paths), test.paths)
				}
				time.Sleep(time.Second) // let the writer end
			})
		})
	}
}

// BenchmarkWrite measures from before a file is written until its batch is there, in a tree of 1,000 folders.
func BenchmarkWrite(b *testing.B) {
	dir := b.TempDir()
	var names []string
	for i := range 1000 {
		name := filepath.Join(dir, fmt.Sprintf("%d/%d/post.md", i%10, i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
			b.Fatal(err)
		}
		names = append(names, name)
	}
	start := time.Now()
	w, err := New(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	b.ReportMetric(float64(time.Since(start).Microseconds())/1000, "start-ms")
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		if err := os.WriteFile(names[i*37%len(names)], []byte("second"), 0o644); err != nil {
			b.Fatal(err)
		}
		if batch := <-w.Batches(); len(batch.Paths) != 1 {
			b.Fatalf("batch %+v", batch)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
}
