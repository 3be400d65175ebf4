package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// DamagedObjectError is an [ErrDamaged] of an object that has a file of its own.
type DamagedObjectError struct {
	ID   Hash
	File string
	Err  error
}

// Error implements error.
func (e *DamagedObjectError) Error() string {
	return fmt.Sprintf("object %s: %v (in %q)", e.ID, e.Err, e.File)
}

// Unwrap returns what is wrong with the file.
func (e *DamagedObjectError) Unwrap() error { return e.Err }

// aside is the folder that damaged files are moved to: for a person to look at, and out of git's way.
func (r *Repo) aside(name string) (string, error) {
	dir := filepath.Join(r.layout.commonDir, "postrider", "damaged")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", notWritable(err)
	}
	return filepath.Join(dir, strings.ReplaceAll(name, "/", "_")), nil
}

// SetObjectAside moves the file of an object that cannot be read out of git's way, so that a fetch can bring the object
// again. One that can be read, is in a pack or is not there is not touched.
func (r *Repo) SetObjectAside(id Hash) error {
	_, _, err := r.back.object(id)
	damaged, ok := errors.AsType[*DamagedObjectError](err)
	if !ok || damaged.ID != id {
		return errors.Join(fmt.Errorf("object %s has no damaged file of its own", id.Short()), err)
	}
	to, err := r.aside(string(id))
	if err != nil {
		return err
	}
	return notWritable(os.Rename(damaged.File, to))
}

// SetRefAside removes a reference that is damaged, or leads to what is. Its file is kept in the folder postrider/damaged of
// the git folder.
func (r *Repo) SetRefAside(ctx context.Context, name string) error {
	if err := checkRefName(name); err != nil {
		return err
	}
	files := fileRefs{layout: r.layout, format: r.format, opts: r.opts}
	path := files.path(name)
	lock, err := files.lock(ctx, name, path)
	if err != nil {
		return err
	}
	to, err := r.aside(name)
	if err == nil {
		err = os.Rename(path, to)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // it is packed
	}
	if err = errors.Join(err, lock.release()); err != nil {
		return notWritable(err)
	}
	packed, err := files.packed()
	if err != nil || findPackedRef(packed, name, r.format) == Zero {
		return err
	}
	if r.git == nil {
		return fmt.Errorf("reference %q is damaged, and packed: %w", name, ErrNoGit)
	}
	_, err = r.git.output(ctx, nil, "update-ref", "--no-deref", "-d", name)
	return err
}
