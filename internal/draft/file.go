package draft

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/site"
)

// Create writes a file that must not exist yet, and the folders above it. A file that could not be written whole is not
// left behind. The name is slash-separated and relative to root.
func Create(root *os.Root, name string, data []byte) error {
	name = filepath.FromSlash(name)
	if err := root.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, root.Remove(name))
	}
	return nil
}

// Replace gives an existing file new content in one step, and keeps its permissions: a crash leaves the old or the new.
func Replace(root *os.Root, name string, data []byte) error {
	fi, err := root.Stat(filepath.FromSlash(name))
	if err != nil {
		return err
	}
	return replace(root, name, data, fi.Mode().Perm(), func() error { return nil })
}

// replace asks last as the last thing before the new content takes the old one's place.
func replace(root *os.Root, name string, data []byte, perm fs.FileMode, last func() error) error {
	name = filepath.FromSlash(name)
	f, temp, err := createTemp(root, filepath.Dir(name))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(perm), f.Sync(), f.Close())
	if err == nil {
		err = last()
	}
	if err == nil {
		err = root.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, root.Remove(temp))
	}
	return nil
}

// createTemp makes a file that nobody takes for a post: its name begins with a dot.
func createTemp(root *os.Root, dir string) (*os.File, string, error) {
	for n := range 1000 { // leftovers of crashes do not matter
		temp := filepath.Join(dir, fmt.Sprintf(".postrider-%d.tmp", n))
		f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return f, temp, err
		}
	}
	return nil, "", fmt.Errorf("%s is full of .postrider-*.tmp files: remove them", dir)
}

// readPost reads the file of a post that is to be changed. It is the file itself and not a link to it: replacing that would
// leave the file as it is.
func readPost(root *os.Root, name string, limit int64) ([]byte, fs.FileMode, error) {
	refuse := func(r Reason, err error) ([]byte, fs.FileMode, error) {
		return nil, 0, &RefusedError{Path: name, Reason: r, Err: err}
	}
	if limit <= 0 {
		limit = content.DefaultMaxBytes
	}
	fi, err := root.Lstat(filepath.FromSlash(name))
	rel, below := strings.CutPrefix(path.Clean(name), site.ContentDir+"/")
	switch {
	case err != nil:
		return refuse(Unread, err)
	case !fi.Mode().IsRegular():
		return refuse(NotFile, nil)
	case fi.Size() > limit:
		return refuse(TooLarge, nil)
	case !below || !content.IsPost(rel):
		return refuse(NotPost, nil)
	}
	if err := plainFolders(root, name); err != nil { // nor is it reached through one: such are not posts
		return nil, 0, err
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return refuse(Unread, err)
	}
	defer f.Close() //nolint:errcheck // only read from
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return refuse(Unread, err)
	}
	if int64(b.Len()) > limit {
		return refuse(TooLarge, nil)
	}
	return b.Bytes(), fi.Mode().Perm(), nil
}

// plainFolders returns an error when a file is reached through a symbolic link.
func plainFolders(root *os.Root, name string) error {
	for dir := path.Dir(path.Clean(name)); dir != "."; dir = path.Dir(dir) {
		if fi, err := root.Lstat(filepath.FromSlash(dir)); err != nil || !fi.IsDir() {
			return &RefusedError{Path: name, Reason: NotFile, Err: err}
		}
	}
	return nil
}
