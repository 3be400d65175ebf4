package draft

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/media"
)

// CardFile is the file of a post's link card with its picture, as they were when they were looked at. What somebody has written since is
// never written over.
type CardFile struct {
	Path     string        // slash-separated, relative to the site's folder
	Exists   bool          // there was a file
	Card     linkcard.Card // what it held
	Problems []linkcard.Problem

	root    *os.Root
	file    seen
	picture seen // the zero value when the card has none
}

// seen is a file as it was.
type seen struct {
	exists bool
	sum    [sha256.Size]byte
	perm   fs.FileMode
	src    []byte
}

// OpenCard looks at the file of a post's link card; that there is none is no error. The post's path is slash-separated and relative to
// root, the site's folder.
func OpenCard(root *os.Root, post string) (*CardFile, error) {
	f := &CardFile{Path: linkcard.File(post), root: root}
	var err error
	if f.file, err = look(root, f.Path, linkcard.MaxBytes); err != nil {
		return nil, err
	}
	if f.Exists = f.file.exists; !f.Exists {
		return f, nil
	}
	f.Card, f.Problems = linkcard.Parse(f.file.src)
	if f.Card.Image != "" {
		f.picture, err = look(root, f.besides(f.Card.Image), media.MaxBytes)
		f.picture.src = nil
	}
	return f, err
}

// besides returns the path of a file in the folder of the card.
func (f *CardFile) besides(name string) string { return path.Join(path.Dir(f.Path), name) }

// HasPicture reports whether the card's picture is these bytes.
func (f *CardFile) HasPicture(data []byte) bool {
	return f.picture.exists && f.picture.sum == sha256.Sum256(data)
}

// Write puts a card and its picture, nil for none, in the place of what was looked at. Each file is replaced in one step, the picture
// first, since the card names it; the former picture is removed when it has a name that cards' pictures get. A file that has changed since is left
// alone, and so is one that was there without belonging to the card: a [RefusedError] says so.
func (f *CardFile) Write(c linkcard.Card, picture []byte, mime string) error {
	moving.Lock()
	defer moving.Unlock()
	c.Image = ""
	name, before := "", seen{}
	if picture != nil {
		if name = linkcard.Picture(f.Path, mime); name == "" {
			return fmt.Errorf("a link card cannot have a picture of type %q", mime)
		}
		if c.Image = path.Base(name); c.Image == f.Card.Image {
			before = f.picture
		}
	}
	src, err := linkcard.Format(c)
	if err != nil {
		return err
	}
	if _, problems := linkcard.Parse(src); len(problems) > 0 {
		return fmt.Errorf("a link card of %q cannot be written: %s", c.URL, problems[0].Message)
	}
	if err := f.still(f.Path, f.file); err != nil {
		return err
	}
	if picture != nil {
		if err := f.put(name, before, picture); err != nil {
			return err
		}
	}
	if err := f.put(f.Path, f.file, src); err != nil {
		if picture != nil && !before.exists {
			err = errors.Join(err, f.root.Remove(filepath.FromSlash(name)))
		}
		return err
	}
	old := f.besides(f.Card.Image)
	if f.picture.exists && old != name && linkcard.IsPicture(f.Path, old) && f.still(old, f.picture) == nil {
		return f.root.Remove(filepath.FromSlash(old))
	}
	return nil
}

// put writes a file, unless it is no longer as it was before.
func (f *CardFile) put(name string, before seen, data []byte) error {
	if before.exists && before.sum == sha256.Sum256(data) {
		return f.still(name, before)
	}
	perm := before.perm
	if !before.exists {
		perm = 0o644
	}
	return replace(f.root, name, data, perm, func() error { return f.still(name, before) })
}

// still returns an error when a file is no longer as it was before.
func (f *CardFile) still(name string, before seen) error {
	now, err := look(f.root, name, media.MaxBytes)
	if err == nil && (now.exists != before.exists || now.sum != before.sum) {
		err = &RefusedError{Path: name, Reason: Changed}
		if !before.exists {
			err = &RefusedError{Path: name, Reason: Present}
		}
	}
	return err
}

// look reads a file that need not be there. It is the file itself, and not a link to it or in a folder that is one.
func look(root *os.Root, name string, limit int64) (seen, error) {
	fi, err := root.Lstat(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return seen{}, err
	}
	if !fi.Mode().IsRegular() {
		return seen{}, &RefusedError{Path: name, Reason: NotFile}
	}
	if err := plainFolders(root, name); err != nil {
		return seen{}, err
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return seen{}, err
	}
	defer f.Close() //nolint:errcheck // only read from
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, limit+1)); err != nil {
		return seen{}, err
	}
	if int64(b.Len()) > limit {
		return seen{}, fmt.Errorf("%q is larger than %d KiB", name, limit>>10)
	}
	return seen{exists: true, sum: sha256.Sum256(b.Bytes()), perm: fi.Mode().Perm(), src: b.Bytes()}, nil
}
