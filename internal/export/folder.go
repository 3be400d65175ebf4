package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/site"
)

// Marker is the name of the file that says that a folder was written by a build, and what of it: what it lists, the next build replaces.
const Marker = ".postrider-build"

// FolderError says that a folder is not one to write to.
type FolderError struct{ Reason, Remedy string }

// Error implements error.
func (e *FolderError) Error() string { return e.Reason }

// Hint says what to do about it.
func (e *FolderError) Hint() string { return e.Remedy }

// manifest is what a marker says.
type manifest struct {
	Files []string `json:"files"` // what was written, sorted
}

// folder is what is being written: files in a folder beside the one that it replaces in the end.
type folder struct {
	out  string   // absolute, without symbolic links
	temp string   // beside out
	root *os.Root // temp
	was  manifest // what the build before has written

	mu    sync.Mutex
	dirs  map[string]bool
	files []string
	bytes int64
}

// openFolder makes ready to replace out, which is absolute, by a build of the site in dir.
func openFolder(dir, out string) (*folder, error) {
	out, err := resolve(out)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	f := &folder{out: out, dirs: map[string]bool{}}
	if err := refuse(dir, out); err != nil {
		return nil, err
	}
	if f.was, err = written(out); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil { //nolint:gosec // what is in it is for everybody
		return nil, err
	}
	if f.temp, err = os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+".*"); err != nil {
		return nil, err
	}
	if err = os.Chmod(f.temp, 0o755); err == nil { //nolint:gosec // as above
		f.root, err = os.OpenRoot(f.temp)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(f.temp))
	}
	return f, nil
}

// resolve follows the symbolic links in a path of which the end need not exist.
func resolve(name string) (string, error) {
	real, err := filepath.EvalSymlinks(name)
	if !errors.Is(err, fs.ErrNotExist) || name == filepath.Dir(name) {
		return real, err
	}
	if _, err := os.Lstat(name); err == nil {
		return "", &FolderError{fmt.Sprintf("%q is a link that leads nowhere", name), "remove it, or choose another folder"}
	}
	up, err := resolve(filepath.Dir(name))
	return filepath.Join(up, filepath.Base(name)), err
}

// refuse returns an error for folders that hold what people have written.
func refuse(dir, out string) error {
	if within(dir, out) {
		return &FolderError{fmt.Sprintf("%q is the site's own folder, or holds it", out), "choose a folder for the pages alone, such as public"}
	}
	for _, name := range []string{site.ContentDir, "templates", ".git"} {
		if within(out, filepath.Join(dir, name)) {
			return &FolderError{fmt.Sprintf("%q lies in the site's %s", out, name), "choose a folder for the pages alone, such as public"}
		}
	}
	return nil
}

// within reports whether name is top, or lies in it, also where the disk does not tell upper from lower case.
func within(name, top string) bool {
	if rel, err := filepath.Rel(top, name); err == nil && filepath.IsLocal(rel) {
		return true
	}
	info, err := os.Stat(top)
	if err != nil {
		return false
	}
	for {
		if i, err := os.Stat(name); err == nil && os.SameFile(i, info) {
			return true
		}
		up := filepath.Dir(name)
		if up == name {
			return false
		}
		name = up
	}
}

// written returns what an earlier build has written to a folder. It is an error when the folder holds something and was not written by one.
func written(out string) (m manifest, err error) {
	entries, err := os.ReadDir(out)
	switch info, e := os.Stat(out); {
	case e == nil && !info.IsDir():
		return m, &FolderError{fmt.Sprintf("%q is not a folder", out), "choose another name"}
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return m, nil
	case err != nil:
		return m, err
	}
	b, err := os.ReadFile(filepath.Join(out, Marker)) //nolint:gosec // the folder was named by who runs this
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, &FolderError{fmt.Sprintf("%q holds something that build has not written: it has no readable %s", out, Marker), "choose another folder, or empty that one"}
	}
	return m, nil
}

// create makes a file by its slash-separated name, with write.
func (f *folder) create(name string, write func(io.Writer) (int64, error)) error {
	if !fs.ValidPath(name) {
		return fmt.Errorf("%q is no name for a file", name)
	}
	if err := f.mkdir(path.Dir(name)); err != nil {
		return err
	}
	file, err := f.root.OpenFile(filepath.FromSlash(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("two pages have the same name on this disk: %q", name)
	}
	if err != nil {
		return err
	}
	n, err := write(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = append(f.files, name)
	f.bytes += n
	return nil
}

// write makes a file of some bytes.
func (f *folder) write(name string, data []byte) error {
	return f.create(name, func(w io.Writer) (int64, error) {
		n, err := w.Write(data)
		return int64(n), err
	})
}

// mkdir makes a folder and those that it lies in.
func (f *folder) mkdir(dir string) error {
	if dir == "." {
		return nil
	}
	f.mu.Lock()
	made := f.dirs[dir]
	f.mu.Unlock()
	if made {
		return nil
	}
	if err := f.root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirs[dir] = true
	return nil
}

// close removes what was written, unless it is in place.
func (f *folder) close() error {
	return errors.Join(f.root.Close(), os.RemoveAll(f.temp))
}

// replace puts what was written in the place of out. What people have put there stays.
func (f *folder) replace() error {
	slices.Sort(f.files)
	b, err := json.MarshalIndent(manifest{Files: f.files}, "", " ")
	if err != nil {
		return err
	}
	if err := f.root.WriteFile(Marker, append(b, '\n'), 0o644); err != nil {
		return err
	}
	if err := errors.Join(f.keep(), f.root.Close()); err != nil { // Windows does not rename a folder that is open
		return err
	}
	old := f.temp + ".old"
	switch err := os.Rename(f.out, old); {
	case errors.Is(err, fs.ErrNotExist):
		old = ""
	case err != nil:
		return err
	}
	if err := os.Rename(f.temp, f.out); err != nil {
		if old != "" {
			err = errors.Join(err, os.Rename(old, f.out))
		}
		return err
	}
	if old == "" {
		return nil
	}
	if err := os.RemoveAll(old); err != nil {
		return fmt.Errorf("the pages are written, but those of before cannot be removed: %w", err)
	}
	return nil
}

// keep brings over what is in out and was not written by a build: a CNAME, a .git.
func (f *folder) keep() error {
	ours := make(map[string]bool, len(f.was.Files))
	for _, name := range f.was.Files {
		ours[name] = true
	}
	return filepath.WalkDir(f.out, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == f.out && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		rel, err := filepath.Rel(f.out, name)
		if err != nil || d.IsDir() || rel == Marker || ours[filepath.ToSlash(rel)] {
			return err
		}
		if err := f.mkdir(path.Dir(filepath.ToSlash(rel))); err != nil {
			return err
		}
		to := filepath.Join(f.temp, rel)
		if err = os.Link(name, to); err == nil {
			return nil
		}
		if _, e := os.Lstat(to); e == nil {
			return &FolderError{fmt.Sprintf("%q was not written by build, and a page has its name", name), "move it away"}
		}
		return copyEntry(name, to, d)
	})
}

// copyEntry copies a file or a symbolic link, on disks that know no hard links.
func copyEntry(from, to string, d fs.DirEntry) error {
	switch {
	case d.Type()&fs.ModeSymlink != 0:
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	case !d.Type().IsRegular():
		return &FolderError{fmt.Sprintf("%q is neither a file nor a folder", from), "move it away"}
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	in, err := os.Open(from) //nolint:gosec // found by walking the folder that is replaced
	if err != nil {
		return err
	}
	defer in.Close()                                                                   //nolint:errcheck // only read from
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm()) //nolint:gosec // beside it
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// hidden reports whether a slash-separated path has a part that begins with a dot.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}
