package watch

import (
	"io/fs"
	"path"
	"path/filepath"
	"time"
)

// stamp is what tells one state of a file from the next without reading it.
type stamp struct {
	kind fs.FileMode // the type bits
	size int64
	time time.Time
}

// walk returns the stamps of everything that is not ignored, by path. Of a folder only its being there counts.
func (w *Watcher) walk() map[string]stamp {
	seen := make(map[string]stamp, len(w.seen))
	_ = filepath.WalkDir(w.root, func(name string, d fs.DirEntry, err error) error {
		rel, ok := w.relative(name)
		switch {
		case d == nil || !ok || rel == "":
			return nil
		case w.ignores(rel, d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			seen[rel] = stamp{kind: fs.ModeDir}
		default:
			if info, err := d.Info(); err == nil {
				seen[rel] = stamp{kind: info.Mode().Type(), size: info.Size(), time: info.ModTime()}
			}
		}
		return nil // a folder that cannot be read has nothing to see
	})
	return seen
}

// poll reports what has changed since the last walk.
func (w *Watcher) poll() {
	now := w.walk()
	for rel, s := range now {
		switch old, ok := w.seen[rel]; {
		case s == old || s.kind.IsDir() && !ok:
		default:
			w.pending.add(rel)
		}
	}
	for rel := range w.seen {
		if _, ok := now[rel]; ok {
			continue
		}
		dir := path.Dir(rel)
		if _, ok := now[dir]; ok || dir == "." { // else its folder is gone, and named
			w.pending.add(rel)
		}
	}
	w.seen = now
}
