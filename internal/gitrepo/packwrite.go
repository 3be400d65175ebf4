package gitrepo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// packFrom is from how many objects on a commit is written as one pack instead of loose files: two files to sync
// instead of a thousand. It is git's own limit for what it fetches (fetch.unpackLimit). Git's gc joins packs as it
// joins loose files.
const packFrom = 100

// writeObjects writes the objects of a commit below an objects folder: when it returns nil they are all there and
// synced, and at no time is one there without what it refers to, if the caller lists that first.
func writeObjects(dir string, objects []newObject, f objectFormat) error {
	if len(objects) < packFrom {
		return writeLoose(dir, objects)
	}
	return notWritable(writePack(filepath.Join(dir, "pack"), objects, f))
}

// writePack writes objects as a pack with its index. Readers see the pack once its index is there, which is moved into
// place last. On an error no temporary files stay behind.
func writePack(dir string, objects []newObject, f objectFormat) (err error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	var files []*os.File
	defer func() {
		for _, file := range files {
			if err != nil {
				file.Close()           //nolint:errcheck // the error that counts is err
				os.Remove(file.Name()) //nolint:errcheck // as above
			}
		}
	}()
	create := func(prefix string, write func(io.Writer) error) error {
		file, err := createTemp(dir, prefix)
		if err != nil {
			return err
		}
		files = append(files, file)
		w := bufio.NewWriterSize(file, 1<<16)
		return errors.Join(write(w), w.Flush(), file.Chmod(0o444))
	}
	objects = distinct(objects)
	var sum []byte
	var entries []packEntry
	if err := create("tmp_pack_", func(w io.Writer) (err error) {
		entries, sum, err = encodePackFile(w, objects, f)
		return err
	}); err != nil {
		return err
	}
	if err := create("tmp_idx_", func(w io.Writer) error { return encodePackIndex(w, entries, sum, f) }); err != nil {
		return err
	}
	if err := syncAll(files); err != nil {
		return err
	}
	base := filepath.Join(dir, "pack-"+hex.EncodeToString(sum))
	if _, err := os.Lstat(base + ".idx"); err == nil { // the very same pack
		for _, file := range files {
			err = errors.Join(err, os.Remove(file.Name()))
		}
		return err
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(files[0].Name(), base+".pack"); err != nil {
		return err
	}
	if err := os.Rename(files[1].Name(), base+".idx"); err != nil {
		return errors.Join(err, os.Remove(base+".pack"))
	}
	return nil
}

// distinct leaves out repetitions: a pack holds an object once.
func distinct(objects []newObject) []newObject {
	seen := make(map[Hash]bool, len(objects))
	return slices.DeleteFunc(slices.Clone(objects), func(o newObject) bool {
		again := seen[o.id]
		seen[o.id] = true
		return again
	})
}

// packEntry is where an object stands in a pack, as its index tells.
type packEntry struct {
	id  Hash
	off int64
	crc uint32
}

// encodePackFile writes a pack of whole objects. Its differences are left to git's gc.
// (https://git-scm.com/docs/gitformat-pack, checked 2026-11-21)
func encodePackFile(w io.Writer, objects []newObject, f objectFormat) ([]packEntry, []byte, error) {
	sum := f.new()
	out := &counted{w: io.MultiWriter(w, sum)}
	head := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(objects))) //nolint:gosec // far below 2^32
	if _, err := out.Write(head); err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	z, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		return nil, nil, err
	}
	entries := make([]packEntry, 0, len(objects))
	for _, o := range objects {
		b.Reset()
		appendEntryHeader(&b, o)
		z.Reset(&b)
		if _, err := z.Write(o.data); err != nil {
			return nil, nil, err
		}
		if err := z.Close(); err != nil {
			return nil, nil, err
		}
		entries = append(entries, packEntry{o.id, out.n, crc32.ChecksumIEEE(b.Bytes())})
		if _, err := out.Write(b.Bytes()); err != nil {
			return nil, nil, err
		}
	}
	trailer := sum.Sum(nil)
	_, err = w.Write(trailer)
	return entries, trailer, err
}

// appendEntryHeader writes type and size of an object in a pack.
func appendEntryHeader(b *bytes.Buffer, o newObject) {
	types := [...]objectKind{1: kindCommit, 2: kindTree, 3: kindBlob, 4: kindTag}
	n := len(o.data)
	c := byte(slices.Index(types[:], o.kind))<<4 | byte(n&15)
	for n >>= 4; n > 0; n >>= 7 {
		b.WriteByte(c | 0x80)
		c = byte(n & 0x7f)
	}
	b.WriteByte(c)
}

// encodePackIndex writes version 2 of a pack's index.
func encodePackIndex(w io.Writer, entries []packEntry, packSum []byte, f objectFormat) error {
	slices.SortFunc(entries, func(a, b packEntry) int { return strings.Compare(string(a.id), string(b.id)) })
	b := []byte("\xfftOc\x00\x00\x00\x02")
	var counts [256]uint32
	ids := make([]byte, 0, len(entries)*f.size)
	for _, e := range entries {
		id, err := hex.DecodeString(string(e.id))
		if err != nil {
			return err
		}
		counts[id[0]]++
		ids = append(ids, id...)
	}
	total := uint32(0)
	for _, n := range counts {
		total += n
		b = binary.BigEndian.AppendUint32(b, total)
	}
	b = append(b, ids...)
	for _, e := range entries {
		b = binary.BigEndian.AppendUint32(b, e.crc)
	}
	var far []byte
	for _, e := range entries {
		if e.off < 1<<31 {
			b = binary.BigEndian.AppendUint32(b, uint32(e.off)) //nolint:gosec // just checked
			continue
		}
		b = binary.BigEndian.AppendUint32(b, 1<<31|uint32(len(far)/8)) //nolint:gosec // far below 2^31
		far = binary.BigEndian.AppendUint64(far, uint64(e.off))        //nolint:gosec // never negative
	}
	b = append(append(b, far...), packSum...)
	sum := f.new()
	sum.Write(b)
	if _, err := w.Write(sum.Sum(b)); err != nil {
		return fmt.Errorf("write pack index: %w", err)
	}
	return nil
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
