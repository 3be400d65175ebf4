package draft

import (
	"bytes"
	"io/fs"
	"os"

	"github.com/postrider/postrider/internal/config"
)

// Mend writes a file of the site as fixes make it: a post, or site.yaml. before is what the fixes are for; a file that is not that any more is left
// alone, and a [RefusedError] says so. The name is slash-separated and relative to root, the site's folder.
func Mend(root *os.Root, name string, before, after []byte) error {
	moving.Lock()
	defer moving.Unlock()
	perm, err := intact(root, name, before)
	if err != nil {
		return err
	}
	return replace(root, name, after, perm, func() error {
		_, err := intact(root, name, before)
		return err
	})
}

// intact returns the permissions of a file that is to be mended, if it is what the fixes are for.
func intact(root *os.Root, name string, before []byte) (fs.FileMode, error) {
	var (
		now  []byte
		perm fs.FileMode
		err  error
	)
	if name != config.File {
		now, perm, err = readPost(root, name, 0)
		if err != nil {
			return 0, err
		}
	} else {
		fi, err := root.Lstat(name)
		if err != nil {
			return 0, &RefusedError{Path: name, Reason: Unread, Err: err}
		}
		if !fi.Mode().IsRegular() {
			return 0, &RefusedError{Path: name, Reason: NotFile}
		}
		if now, err = root.ReadFile(name); err != nil {
			return 0, &RefusedError{Path: name, Reason: Unread, Err: err}
		}
		perm = fi.Mode().Perm()
	}
	if !bytes.Equal(now, before) {
		return 0, &RefusedError{Path: name, Reason: Changed}
	}
	return perm, nil
}
