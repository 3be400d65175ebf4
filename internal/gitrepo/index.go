package gitrepo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errOtherIndex is an index in a form that is left to the git binary.
var errOtherIndex = errors.New("an index that only git reads")

// indexEntry is one file in the index.
type indexEntry struct {
	path string
	mode uint32
	id   Hash
	// stage is 0 for what the next commit has; 1 to 3 are the sides of a merge that has not been settled.
	stage int
	// later says that somebody has announced the file (git add -N): the next commit does not have it.
	later bool
}

// The layout of an entry (https://git-scm.com/docs/index-format, 2026-11-22): 40 bytes about the file, of which the mode stands at 24, the id, and
// two bytes of flags.
const (
	indexStat     = 40
	indexMode     = 24
	indexStages   = 12     // the bits of the stage begin here
	indexExtended = 0x4000 // two more bytes of flags follow, from version 3 on
	indexLater    = 0x2000 // in those
)

// parseIndex decodes an index of version 2 to 4 with ids of a format. A split or sparse one is an [errOtherIndex]. go-git's decoder takes ten
// times as long, which a hook on every commit would be noticed by.
func parseIndex(b []byte, f objectFormat) ([]indexEntry, error) {
	damaged := func(what string) error { return fmt.Errorf("%w: index: %s", errCorrupt, what) }
	if len(b) < 12+f.size || string(b[:4]) != "DIRC" {
		return nil, damaged("no header")
	}
	version, count := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if version < 2 || version > 4 {
		return nil, errOtherIndex
	}
	body, sum := b[:len(b)-f.size], b[len(b)-f.size:]
	if len(bytes.Trim(sum, "\x00")) > 0 { // all zeros with index.skipHash
		h := f.new()
		h.Write(body)
		if !bytes.Equal(h.Sum(nil), sum) {
			return nil, damaged("the checksum does not fit")
		}
	}
	rest := body[12:]
	entries := make([]indexEntry, 0, min(int(count), len(rest)/(indexStat+f.size)))
	path := ""
	for range count {
		e, n, err := cutIndexEntry(rest, version, path, f)
		if err != nil {
			return nil, damaged(err.Error())
		}
		rest, path = rest[n:], e.path
		entries = append(entries, e)
	}
	for len(rest) >= 8 { // extensions: those that begin with a small letter must be understood
		if c := rest[0]; c < 'A' || c > 'Z' {
			return nil, errOtherIndex
		}
		size := uint64(binary.BigEndian.Uint32(rest[4:]))
		if size > uint64(len(rest)-8) {
			return nil, damaged("an extension is longer than the file")
		}
		rest = rest[8+size:]
	}
	if len(rest) > 0 {
		return nil, damaged("something follows the end")
	}
	return entries, nil
}

// cutIndexEntry decodes the first entry of b, which follows one with the path before, and returns how many bytes it takes.
func cutIndexEntry(b []byte, version uint32, before string, f objectFormat) (e indexEntry, n int, err error) {
	n = indexStat + f.size
	if len(b) < n+2 {
		return e, 0, errors.New("it ends within an entry")
	}
	e.mode = binary.BigEndian.Uint32(b[indexMode:])
	e.id = Hash(hex.EncodeToString(b[indexStat:n]))
	flags := binary.BigEndian.Uint16(b[n:])
	e.stage = int(flags>>indexStages) & 3
	n += 2
	if flags&indexExtended != 0 && version >= 3 {
		if len(b) < n+2 {
			return e, 0, errors.New("it ends within an entry")
		}
		e.later = binary.BigEndian.Uint16(b[n:])&indexLater != 0
		n += 2
	}
	kept := "" // of the path before: from version 4 on, paths say only how they differ
	if version == 4 {
		drop, used := offsetVarint(b[n:])
		if used == 0 || drop > len(before) {
			return e, 0, errors.New("a path is cut off")
		}
		kept, n = before[:len(before)-drop], n+used
	}
	end := bytes.IndexByte(b[n:], 0)
	if end < 0 {
		return e, 0, errors.New("a path has no end")
	}
	e.path = kept + string(b[n:n+end])
	if version == 4 {
		return e, n + end + 1, nil
	}
	n = (n + end + 8) &^ 7 // with one to eight zeros behind it
	if n > len(b) {
		return e, 0, errors.New("it ends within an entry")
	}
	return e, n, nil
}

// offsetVarint decodes a number as packs have those of their offsets, and returns how many bytes it takes; 0 when it has no end.
func offsetVarint(b []byte) (value, n int) {
	for n < min(len(b), 5) {
		c := b[n]
		if n > 0 {
			value++
		}
		value = value<<7 | int(c&0x7f)
		n++
		if c&0x80 == 0 {
			return value, n
		}
	}
	return 0, 0
}

// parseRawDiff decodes what git diff-index --raw -z prints against the empty tree: ":000000 MODE ZEROS ID STATUS\0PATH\0".
func parseRawDiff(out []byte) ([]indexEntry, error) {
	var entries []indexEntry
	for len(out) > 0 {
		head, rest, _ := bytes.Cut(out, []byte{0})
		path, after, ok := bytes.Cut(rest, []byte{0})
		fields := strings.Fields(strings.TrimPrefix(string(head), ":"))
		if !ok || len(fields) != 5 {
			return nil, fmt.Errorf("%w: unexpected answer %q", errCorrupt, head)
		}
		e := indexEntry{path: string(path), id: Hash(fields[3])}
		if fields[4] == "U" {
			e.stage = 1
		} else if _, err := fmt.Sscanf(fields[1], "%o", &e.mode); err != nil {
			return nil, fmt.Errorf("%w: unexpected answer %q", errCorrupt, head)
		}
		entries, out = append(entries, e), after
	}
	return entries, nil
}

// stagedTree makes the tree objects of index entries, in memory: the ids are those that git would give them, so that folders which
// are as in another tree compare as equal.
func stagedTree(r *Repo, entries []indexEntry) (*Tree, error) {
	t := &Tree{repo: r, known: map[Hash][]treeEntry{}}
	if len(entries) == 0 {
		return t, nil
	}
	// The index is sorted by path, which is how the entries of a tree are: a folder counts with its slash there, too.
	if !slices.IsSortedFunc(entries, func(a, b indexEntry) int { return strings.Compare(a.path, b.path) }) {
		return nil, fmt.Errorf("%w: index: the paths are not in order", errCorrupt)
	}
	var err error
	t.root, err = t.stage(entries, 0)
	return t, err
}

// stage makes the tree of entries that have the first n bytes of their paths in common, and returns its id.
func (t *Tree) stage(entries []indexEntry, n int) (Hash, error) {
	var list []treeEntry
	for i := 0; i < len(entries); {
		e := &entries[i]
		name, _, folder := strings.Cut(e.path[n:], "/")
		if name == "" || name == "." || name == ".." || !t.repo.format.valid(string(e.id)) {
			return Zero, fmt.Errorf("%w: index: entry %q", errCorrupt, e.path)
		}
		if !folder {
			list = append(list, treeEntry{name: name, mode: e.mode, id: e.id})
			i++
			continue
		}
		in, j := e.path[:n+len(name)+1], i+1
		for j < len(entries) && strings.HasPrefix(entries[j].path, in) {
			j++
		}
		id, err := t.stage(entries[i:j], len(in))
		if err != nil {
			return Zero, err
		}
		list, i = append(list, treeEntry{name: name, mode: modeTree, id: id}), j
	}
	data, err := encodeTree(list)
	if err != nil {
		return Zero, err
	}
	id := t.repo.format.sum(kindTree, data)
	t.known[id] = list
	return id, nil
}
