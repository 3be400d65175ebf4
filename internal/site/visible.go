package site

import (
	"io/fs"
	"path"
	"strings"
)

// Visible returns a site's folder without what is hidden in it: neither a .env nor anything of git's is opened, whatever a post, a picture or a
// link leads to. A site's files come from whoever sends a pull request, and pages show them.
func Visible(fsys fs.FS) fs.FS { return visible{fsys} }

// visible leaves out what is hidden. Links are followed here, a file's own; those of folders are followed by whoever reads posts (package content), and come here resolved.
type visible struct{ fs.FS }

// linksMost is how many links may follow each other.
const linksMost = 16

// hidden reports whether a file or a folder on the way to it is hidden.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." || strings.Contains(name, "/.")
}

// follow returns the file that a name leads to.
func (v visible) follow(op, name string) (string, error) {
	to := name
	for range linksMost {
		if hidden(to) || !fs.ValidPath(to) {
			break
		}
		target, err := fs.ReadLink(v.FS, to)
		if err != nil { // it is no link, or not there
			return to, nil
		}
		if path.IsAbs(target) {
			break
		}
		to = path.Join(path.Dir(to), target)
	}
	return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// itself refuses a name that is hidden.
func (v visible) itself(op, name string) error {
	if hidden(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return nil
}

// Open implements [fs.FS].
func (v visible) Open(name string) (fs.File, error) {
	name, err := v.follow("open", name)
	if err != nil {
		return nil, err
	}
	return v.FS.Open(name)
}

// ReadFile implements [fs.ReadFileFS].
func (v visible) ReadFile(name string) ([]byte, error) {
	name, err := v.follow("open", name)
	if err != nil {
		return nil, err
	}
	return fs.ReadFile(v.FS, name)
}

// ReadDir implements [fs.ReadDirFS].
func (v visible) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := v.itself("open", name); err != nil {
		return nil, err
	}
	return fs.ReadDir(v.FS, name)
}

// Stat implements [fs.StatFS].
func (v visible) Stat(name string) (fs.FileInfo, error) {
	name, err := v.follow("stat", name)
	if err != nil {
		return nil, err
	}
	return fs.Stat(v.FS, name)
}

// Lstat implements [fs.ReadLinkFS].
func (v visible) Lstat(name string) (fs.FileInfo, error) {
	if err := v.itself("lstat", name); err != nil {
		return nil, err
	}
	return fs.Lstat(v.FS, name)
}

// ReadLink implements [fs.ReadLinkFS].
func (v visible) ReadLink(name string) (string, error) {
	if err := v.itself("readlink", name); err != nil {
		return "", err
	}
	return fs.ReadLink(v.FS, name)
}
