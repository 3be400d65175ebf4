package gitrepo

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// newObject is an object that is to be written.
type newObject struct {
	id   Hash
	kind objectKind
	data []byte
}

// syncers is how many files are synced at once: a journalling file system makes one write of many.
const syncers = 16

// batchSize bounds how many files are open at once.
const batchSize = 128

// writeLoose writes objects as loose files. Within a batch all are written to temporary files, all are
// synced, then all are renamed, in the order given: an object is never there without what it refers
// to if the caller lists that first. On an error no temporary files stay behind.
func writeLoose(dir string, objects []newObject) error {
	for batch := range slices.Chunk(objects, batchSize) {
		if err := writeBatch(dir, batch); err != nil {
			return notWritable(err)
		}
	}
	return nil
}

func writeBatch(dir string, objects []newObject) (err error) {
	type move struct{ from, to string }
	var files []*os.File
	var moves []move
	defer func() {
		if err == nil {
			return
		}
		for _, f := range files {
			f.Close()           //nolint:errcheck // the error that counts is err
			os.Remove(f.Name()) //nolint:errcheck // as above
		}
	}()
	var buf bytes.Buffer
	z, err := zlib.NewWriterLevel(&buf, zlib.BestSpeed)
	if err != nil {
		return err
	}
	for _, o := range objects {
		final := filepath.Join(dir, string(o.id[:2]), string(o.id[2:]))
		if _, err := os.Lstat(final); err == nil {
			continue // same id, same content
		}
		if err := os.MkdirAll(filepath.Dir(final), 0o777); err != nil {
			return err
		}
		f, err := createTemp(dir, "tmp_obj_")
		if err != nil {
			return err
		}
		files, moves = append(files, f), append(moves, move{f.Name(), final})
		buf.Reset()
		z.Reset(&buf)
		fmt.Fprintf(z, "%s %d\x00", o.kind, len(o.data)) //nolint:errcheck // a bytes.Buffer never fails
		z.Write(o.data)                                  //nolint:errcheck // as above
		z.Close()                                        //nolint:errcheck // as above
		if _, err := f.Write(buf.Bytes()); err != nil {
			return err
		}
		if err := f.Chmod(0o444); err != nil {
			return err
		}
	}
	if err := syncAll(files); err != nil {
		return err
	}
	for _, m := range moves {
		if err := os.Rename(m.from, m.to); err != nil {
			return err
		}
	}
	return nil
}

// syncAll syncs and closes files, several at a time.
func syncAll(files []*os.File) error {
	var wg sync.WaitGroup
	errs := make([]error, len(files))
	slots := make(chan struct{}, syncers)
	for i, f := range files {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = errors.Join(f.Sync(), f.Close())
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// notWritable marks an error of writing as [ErrNotWritable]; it keeps the system's words, which name
// the file and say why.
func notWritable(err error) error {
	if err == nil || errors.Is(err, ErrNotWritable) {
		return err
	}
	var p *fs.PathError
	var l *os.LinkError
	if errors.As(err, &p) || errors.As(err, &l) {
		return fmt.Errorf("%w: %w", ErrNotWritable, err)
	}
	return err
}
