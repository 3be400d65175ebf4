package watch

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// folder is a watched folder with those in it.
type folder struct{ sub map[string]*folder }

func (f *folder) find(rel string) *folder {
	for name := range strings.SplitSeq(rel, "/") {
		if f == nil {
			return nil
		}
		if name != "" {
			f = f.sub[name]
		}
	}
	return f
}

func (f *folder) has(rel string) bool { return f.find(rel) != nil }

// add enters a folder whose parent is there.
func (f *folder) add(rel string) {
	if rel == "" {
		return
	}
	parent := f.find(strings.TrimSuffix(path.Dir(rel), "."))
	if parent == nil {
		return
	}
	if parent.sub == nil {
		parent.sub = map[string]*folder{}
	}
	if parent.sub[path.Base(rel)] == nil {
		parent.sub[path.Base(rel)] = &folder{}
	}
}

// cut takes a folder out, and returns it.
func (f *folder) cut(rel string) *folder {
	found := f.find(rel)
	if found != nil {
		delete(f.find(strings.TrimSuffix(path.Dir(rel), ".")).sub, path.Base(rel))
	}
	return found
}

// each calls fn for the folder, which is at rel, and for those in it.
func (f *folder) each(rel string, fn func(rel string)) {
	fn(rel)
	for name, sub := range f.sub {
		sub.each(path.Join(rel, name), fn)
	}
}

func (f *folder) count() int {
	n := 0
	f.each("", func(string) { n++ })
	return n
}

// watch watches a folder and those in it; with tell, the files that are there are reported. They are listed after the watch is
// set: whatever appears later makes an event. A folder that cannot be read, or has gone meanwhile, is left out.
func (w *Watcher) watch(rel string, tell bool) error {
	name := w.native(rel)
	err := w.src.add(name)
	if err == nil {
		w.folders.add(rel)
		var entries []fs.DirEntry
		entries, err = os.ReadDir(name)
		for _, e := range entries {
			at := path.Join(rel, e.Name())
			switch {
			case !e.IsDir():
				if tell {
					w.report(at)
				}
			case !w.ignores(at, true):
				if err := w.watch(at, tell); err != nil {
					return err
				}
			}
		}
	}
	switch {
	case err == nil || rel == "":
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return nil // there will be an event about that
	case errors.Is(err, fs.ErrPermission):
		w.o.Log.Warn("a folder cannot be read, and is not watched", "path", rel, "err", err)
		return nil
	}
	return err
}

// unwatch lets go of a folder and those in it. It reports whether there was one.
func (w *Watcher) unwatch(rel string) bool {
	f := w.folders.cut(rel)
	if f == nil {
		return false
	}
	f.each(rel, func(rel string) {
		// The system has often done so by itself.
		if err := w.src.remove(w.native(rel)); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			w.o.Log.Debug("letting go of a folder failed", "path", rel, "err", err)
		}
	})
	return true
}

// ignores reports whether a file or folder is of no interest.
func (w *Watcher) ignores(rel string, dir bool) bool {
	base := path.Base(rel)
	return base == ".git" || !dir && isLeaving(base) || w.o.Ignore(rel, dir)
}

// isLeaving reports whether a file's name is one that editors and systems give to what is no work of their users: backups, locks, swap files
// and the temporary files of atomic saves.
func isLeaving(base string) bool {
	switch {
	case base == "4913": // vim tries whether it may create files here
		return true
	case base == ".DS_Store", base == "Thumbs.db", base == "desktop.ini":
		return true
	case strings.HasPrefix(base, ".#"), strings.HasPrefix(base, "#") && strings.HasSuffix(base, "#"): // Emacs
		return true
	case strings.HasPrefix(base, ".goutputstream-"): // GLib
		return true
	case strings.HasPrefix(base, ".~lock."), strings.HasPrefix(base, "~$"): // office programs
		return true
	case strings.HasSuffix(base, "___jb_tmp___"), strings.HasSuffix(base, "___jb_old___"): // JetBrains
		return true
	case strings.HasSuffix(base, "~"):
		return true
	case len(base) == 9 && strings.HasPrefix(base, "sed"): // sed -i, for example sedkO4nWb
		return !strings.Contains(base, ".")
	}
	switch ext := path.Ext(base); ext {
	case ".tmp", ".kate-swp":
		return true
	default: // vim counts down from .swp when the name is taken
		return len(ext) == 4 && ext[:3] == ".sw" && ext[3] >= 'a' && ext[3] <= 'z' && strings.HasPrefix(base, ".") || ext == ".swp" || ext == ".swx"
	}
}
