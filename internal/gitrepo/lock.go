package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// locking begins the name of the file behind a lock of ours.
const locking = "tmp_lock_" + ours

// lock is git's lock on a file of the repository: whoever makes the file's name with ".lock" behind it has it.
//
// A process that is killed leaves its lock lying about, and nobody can tell it from one that somebody has. So ours is a second name of
// a temporary file that its holder has locked with the operating system too, and the operating system lets go of that when a process
// ends, however it ends: see [buryLock].
type lock struct {
	*os.File        // the temporary file, which holds the lock's name
	path     string // the lock's own name
}

// takeLock takes the lock on a file, and waits for a moment while somebody else has it. Its temporary file goes to dir, which is on the same
// disk. Before each try it calls ready, which makes the file's folder.
func takeLock(ctx context.Context, o Options, dir, file string, ready func() error) (*lock, error) {
	temp, err := heldTemp(dir)
	if err != nil {
		return nil, notWritable(err)
	}
	l := &lock{File: temp, path: file + ".lock"}
	name := l.path
	if rel, err := filepath.Rel(dir, name); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	if _, err := temp.WriteString(name + "\n"); err != nil {
		return nil, errors.Join(notWritable(err), l.drop())
	}
	err = waitForLock(ctx, o, func() (string, error) {
		for try := 0; ; try++ {
			if err := ready(); err != nil {
				return "", err
			}
			err := l.link()
			switch {
			case err == nil:
				return "", nil
			case errors.Is(err, fs.ErrExist) && try < 3 && breakLock(dir, l.path):
				o.Log.Debug("removed the lock of a process that was killed", "lock", l.path)
			case errors.Is(err, fs.ErrExist):
				return l.path, err
			case errors.Is(err, fs.ErrNotExist) && try < 3: // git has removed the empty folder again
			default:
				return "", notWritable(err)
			}
		}
	})
	if err != nil {
		return nil, errors.Join(err, l.drop())
	}
	return l, nil
}

// heldTemp makes the temporary file behind a lock. Between making and holding it, it looks like one that the dead have left, and may be
// removed as such. Where files cannot be held, a lock that is left behind is for a person to remove.
func heldTemp(dir string) (*os.File, error) {
	for try := 1; ; try++ {
		f, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("%s%d", locking, rand.Uint64())), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err != nil {
			return nil, err
		}
		held := hold(f)
		_, err = os.Lstat(f.Name())
		switch {
		case err == nil && (held || try == 3):
			return f, nil
		case err != nil && try == 3:
			return nil, errors.Join(err, f.Close())
		case err == nil:
			err = os.Remove(f.Name())
		}
		if e := f.Close(); e != nil || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(err, e)
		}
	}
}

// link makes the lock, if nobody has it.
func (l *lock) link() error {
	err := os.Link(l.Name(), l.path)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A file system that has no second names. What is left behind there cannot be told from a lock that somebody has.
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err := l.drop(); err != nil {
		return errors.Join(err, f.Close(), os.Remove(l.path))
	}
	l.File = f
	return nil
}

// release gives the lock back.
func (l *lock) release() error { return notWritable(errors.Join(os.Remove(l.path), l.drop())) }

// drop removes the temporary file.
func (l *lock) drop() error {
	err := l.Close()
	if e := os.Remove(l.Name()); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// breakLock removes a lock that a process of ours had when it was killed, and reports whether it did. dir is where temporary files are.
func breakLock(dir, path string) bool {
	held, err := os.Lstat(path)
	if err != nil {
		return false
	}
	names, err := filepath.Glob(filepath.Join(dir, locking+"*"))
	if err != nil {
		return false
	}
	for _, name := range names {
		if fi, err := os.Lstat(name); err == nil && os.SameFile(fi, held) {
			return buryLock(dir, name)
		}
	}
	return false
}

// buryLock removes the temporary file behind a lock, and the lock if it is one still, when the process that made them has ended. It
// reports whether it did.
func buryLock(dir, name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	if !hold(f) {
		return false // it is at work
	}
	// Nobody else can be here for this very file. Somebody may have been, though, and the lock be another's by now.
	file, err := f.Stat()
	if err != nil {
		return false
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return false
	}
	if path := strings.TrimSuffix(string(text), "\n"); path != "" {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if now, err := os.Lstat(path); err == nil && os.SameFile(now, file) && os.Remove(path) != nil {
			return false
		}
	}
	return os.Remove(name) == nil
}

// isHeld reports whether a process at work holds a file, where that can be known.
func isHeld(name string) bool {
	if !canHold {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	return !hold(f)
}
