package content

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"
)

var (
	errOutside  = errors.New("it leads out of the site")
	errHidden   = errors.New("it leads to what is hidden")
	errTooMany  = errors.New("too many symbolic links")
	errNoTarget = errors.New("its target cannot be read here")
)

const maxLinks = 40

// links follows symbolic links inside a site and remembers the folders. A file system that opens
// links itself would follow them anywhere, and git's trees follow none.
type links struct{ folders sync.Map } // folder → followed

type followed struct {
	path string
	err  error
}

// follow returns the path of the file that name leads to, free of links. It returns errOutside when that is
// not in the site, and errHidden when a link leads to what is hidden in it: secrets are in .env, and all of git's in .git. A file system without links is taken at its word.
func (l *links) follow(fsys fs.FS, name string) (string, error) {
	if _, ok := fsys.(fs.ReadLinkFS); !ok {
		return name, nil
	}
	left := maxLinks
	return l.walk(fsys, name, &left)
}

func (l *links) walk(fsys fs.FS, name string, left *int) (string, error) {
	if name == "." {
		return name, nil
	}
	dir, err := l.folder(fsys, path.Dir(name), left)
	if err != nil {
		return "", err
	}
	name = path.Join(dir, path.Base(name))
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return "", err
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return name, nil
	}
	if *left--; *left < 0 {
		return "", &fs.PathError{Op: "follow", Path: name, Err: errTooMany}
	}
	target, err := fs.ReadLink(fsys, name)
	if err != nil {
		return "", &fs.PathError{Op: "follow", Path: name, Err: errNoTarget}
	}
	target = strings.ReplaceAll(target, "\\", "/")
	if path.IsAbs(target) || len(target) > 1 && target[1] == ':' {
		return "", errOutside
	}
	next := path.Join(path.Dir(name), target)
	if !fs.ValidPath(next) {
		return "", errOutside
	}
	if strings.HasPrefix(next, ".") && next != "." || strings.Contains(next, "/.") {
		return "", errHidden
	}
	return l.walk(fsys, next, left)
}

func (l *links) folder(fsys fs.FS, dir string, left *int) (string, error) {
	if f, ok := l.folders.Load(dir); ok {
		f := f.(followed)
		return f.path, f.err
	}
	real, err := l.walk(fsys, dir, left)
	if *left >= 0 { // otherwise it is a loop's doing, not the folder's
		l.folders.Store(dir, followed{real, err})
	}
	return real, err
}
