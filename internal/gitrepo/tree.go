package gitrepo

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Entry is one file or folder of a [Tree].
type Entry struct {
	Path      string      // slash-separated, from the top of the tree
	ID        Hash        // of the blob or tree; of a commit for a submodule
	Mode      fs.FileMode // type and permission bits; a submodule is [fs.ModeIrregular]
	IsSymlink bool
}

// Tree is the content of one commit. It is safe for concurrent use.
type Tree struct {
	repo *Repo
	root Hash // Zero: empty
	when time.Time

	mu    sync.Mutex
	known map[Hash][]treeEntry
}

// treeEntry is one line of a tree object.
type treeEntry struct {
	name string
	mode uint32 // git's: 040000 tree, 100644, 100755, 120000 symbolic link, 160000 submodule
	id   Hash
}

const (
	modeTree      = 0o040000
	modeFile      = 0o100644
	modeExec      = 0o100755
	modeSymlink   = 0o120000
	modeSubmodule = 0o160000
	modeType      = 0o170000
)

func (e treeEntry) isTree() bool { return e.mode&modeType == modeTree }

// sortKey is what git sorts by: a folder's name counts with a slash behind it.
func (e treeEntry) sortKey() string {
	if e.isTree() {
		return e.name + "/"
	}
	return e.name
}

// search finds an entry by its sort key.
func search(es []treeEntry, key string) (int, bool) {
	return slices.BinarySearchFunc(es, key, func(e treeEntry, key string) int {
		if c := strings.Compare(e.name, key[:min(len(key), len(e.name))]); c != 0 || !e.isTree() {
			return cmp.Or(c, cmp.Compare(len(e.name), len(key)))
		}
		return strings.Compare("/", key[len(e.name):])
	})
}

func (e treeEntry) fileMode() fs.FileMode {
	switch e.mode & modeType {
	case modeTree:
		return fs.ModeDir | 0o755
	case modeSymlink:
		return fs.ModeSymlink | 0o777
	case modeSubmodule:
		return fs.ModeIrregular
	}
	return fs.FileMode(e.mode & 0o755)
}

// rawEntry is a treeEntry that still lies in its tree object.
type rawEntry struct {
	mode     uint32
	name, id []byte
}

func (e rawEntry) isTree() bool { return e.mode&modeType == modeTree }

// cutEntry decodes the first line of a tree object: mode, space, name, NUL, id. It returns what follows.
func cutEntry(b []byte, idLen int) (e rawEntry, rest []byte, err error) {
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '7' && i < 7; i++ {
		e.mode = e.mode<<3 | uint32(b[i]-'0')
	}
	if i == 0 || i >= len(b) || b[i] != ' ' {
		return e, nil, fmt.Errorf("%w: mode in a tree", errCorrupt)
	}
	b = b[i+1:]
	n := bytes.IndexByte(b, 0)
	if n <= 0 || len(b) < n+1+idLen {
		return e, nil, fmt.Errorf("%w: truncated tree", errCorrupt)
	}
	e.name, e.id = b[:n], b[n+1:n+1+idLen]
	return e, b[n+1+idLen:], nil
}

// parseTree decodes a tree object.
func parseTree(b []byte, idLen int) ([]treeEntry, error) {
	out := make([]treeEntry, 0, len(b)/(idLen+16))
	for len(b) > 0 {
		raw, rest, err := cutEntry(b, idLen)
		if err != nil {
			return nil, err
		}
		b = rest
		e := treeEntry{name: string(raw.name), mode: raw.mode, id: Hash(hex.EncodeToString(raw.id))}
		if e.name == "." || e.name == ".." || strings.Contains(e.name, "/") {
			return nil, fmt.Errorf("%w: name %q in a tree", errCorrupt, e.name)
		}
		out = append(out, e)
	}
	return out, nil
}

// encodeTree is the reverse of parseTree. The entries must be sorted by sortKey.
func encodeTree(entries []treeEntry) ([]byte, error) {
	var b bytes.Buffer
	for _, e := range entries {
		id, err := hex.DecodeString(string(e.id))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%o %s\x00%s", e.mode, e.name, id)
	}
	return b.Bytes(), nil
}

// Tree returns the content of a commit. That of [Zero] is empty, so that a branch that does not
// exist yet needs no special case.
func (r *Repo) Tree(commit Hash) (*Tree, error) {
	t := &Tree{repo: r, known: map[Hash][]treeEntry{}}
	if commit == Zero {
		return t, nil
	}
	c, err := r.CommitInfo(commit)
	if err != nil {
		return nil, err
	}
	t.root, t.when = c.Tree, c.Time
	return t, nil
}

// Root returns the id of the top folder, [Zero] when the tree is empty.
func (t *Tree) Root() Hash { return t.root }

// list returns the entries of a tree object.
func (t *Tree) list(id Hash) ([]treeEntry, error) {
	if id == Zero {
		return nil, nil
	}
	t.mu.Lock()
	es, ok := t.known[id]
	t.mu.Unlock()
	if ok {
		return es, nil
	}
	data, err := t.repo.objectOf(kindTree, id)
	if err != nil {
		return nil, err
	}
	if es, err = parseTree(data, t.repo.format.size); err != nil {
		return nil, fmt.Errorf("tree %s: %w", id.Short(), err)
	}
	t.mu.Lock()
	t.known[id] = es
	t.mu.Unlock()
	return es, nil
}

// treeObject returns a tree object as it is written, without keeping what it says. That of the index is nowhere but in memory.
func (t *Tree) treeObject(id Hash) ([]byte, error) {
	t.mu.Lock()
	es, ok := t.known[id]
	t.mu.Unlock()
	if ok {
		return encodeTree(es)
	}
	return t.repo.objectOf(kindTree, id)
}

// find returns the entry at a path; ok is false when there is none. The top is a tree without a name.
func (t *Tree) find(p string) (e treeEntry, ok bool, err error) {
	if p == "" {
		p = "."
	}
	if !fs.ValidPath(p) {
		return e, false, fmt.Errorf("%w: %q", fs.ErrInvalid, p)
	}
	e = treeEntry{mode: modeTree, id: t.root}
	if p == "." {
		return e, true, nil
	}
	for part := range strings.SplitSeq(p, "/") {
		if !e.isTree() {
			return treeEntry{}, false, nil
		}
		es, err := t.list(e.id)
		if err != nil {
			return treeEntry{}, false, err
		}
		i, found := search(es, part)
		if !found {
			if i, found = search(es, part+"/"); !found {
				return treeEntry{}, false, nil
			}
		}
		e = es[i]
	}
	return e, true, nil
}

// ID returns the id of the file or folder at a path, [Zero] when there is none. It reads no blob.
func (t *Tree) ID(p string) (Hash, error) {
	e, ok, err := t.find(p)
	if err != nil || !ok {
		return Zero, err
	}
	return e.id, nil
}

// ReadFile returns the content of a file. A symbolic link is not followed: it is an error.
func (t *Tree) ReadFile(p string) ([]byte, error) {
	e, ok, err := t.find(p)
	switch {
	case err != nil:
	case !ok:
		err = fs.ErrNotExist
	case e.isTree():
		err = errors.New("is a folder")
	case e.mode&modeType == modeSymlink:
		err = errors.New("is a symbolic link, which is not followed")
	case e.mode&modeType == modeSubmodule:
		err = errors.New("is a submodule")
	default:
		var data []byte
		if data, err = t.repo.ReadBlob(e.id); err == nil {
			return data, nil
		}
	}
	return nil, &fs.PathError{Op: "read", Path: p, Err: err}
}

func toEntry(dir string, e treeEntry) Entry {
	m := e.fileMode()
	return Entry{Path: path.Join(dir, e.name), ID: e.id, Mode: m, IsSymlink: m&fs.ModeSymlink != 0}
}

// Entries returns the files and folders in dir, one level, sorted as git sorts them. A folder that
// does not exist has none.
func (t *Tree) Entries(dir string) ([]Entry, error) {
	d, ok, err := t.find(dir)
	if err != nil || !ok || !d.isTree() {
		return nil, err
	}
	es, err := t.list(d.id)
	if err != nil {
		return nil, err
	}
	out := make([]Entry, len(es))
	for i, e := range es {
		out[i] = toEntry(clean(dir), e)
	}
	return out, nil
}

// Names returns the names of the files in dir, folders and submodules left out, in the order of their bytes. Unlike everything else here
// it keeps nothing of what it reads, and what it returns takes little: it is for large folders, of which only the names matter.
func (t *Tree) Names(dir string) ([]string, error) {
	d, ok, err := t.find(dir)
	if err != nil || !ok || !d.isTree() || d.id == Zero {
		return nil, err
	}
	data, err := t.treeObject(d.id)
	if err != nil {
		return nil, err
	}
	var all strings.Builder // one string for all names
	var ends []int
	all.Grow(len(data))
	for rest := data; len(rest) > 0; {
		var e rawEntry
		if e, rest, err = cutEntry(rest, t.repo.format.size); err != nil {
			return nil, fmt.Errorf("tree %s: %w", d.id.Short(), err)
		}
		if kind := e.mode & modeType; kind != modeTree && kind != modeSubmodule {
			all.Write(e.name)
			ends = append(ends, all.Len())
		}
	}
	text, begin := strings.Clone(all.String()), 0
	names := make([]string, len(ends))
	for i, end := range ends {
		names[i], begin = text[begin:end], end
	}
	return names, nil
}

func clean(dir string) string {
	if dir == "." {
		return ""
	}
	return dir
}

// Walk calls fn with every file and symbolic link below dir, sorted by path. It opens no blobs and
// leaves out submodules. It returns the first error of fn; [fs.SkipAll] ends it without one.
func (t *Tree) Walk(dir string, fn func(Entry) error) error {
	d, ok, err := t.find(dir)
	if err != nil || !ok || !d.isTree() {
		return err
	}
	if err = t.walk(clean(dir), d.id, fn); errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

func (t *Tree) walk(dir string, id Hash, fn func(Entry) error) error {
	es, err := t.list(id)
	if err != nil {
		return err
	}
	if dir != "" {
		dir += "/"
	}
	for _, e := range es {
		switch {
		case e.isTree():
			err = t.walk(dir+e.name, e.id, fn)
		case e.mode&modeType == modeSubmodule:
		default:
			m := e.fileMode()
			err = fn(Entry{Path: dir + e.name, ID: e.id, Mode: m, IsSymlink: m&fs.ModeSymlink != 0})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Change is a file that differs between two trees.
type Change struct {
	Path     string
	Old, New Hash // [Zero]: not there
}

// Diff returns the files below dir that differ from a to b in content or mode, sorted by path; nil
// stands for an empty tree. It compares ids: equal folders are not even listed.
func (r *Repo) Diff(a, b *Tree, dir string) ([]Change, error) {
	empty := &Tree{repo: r}
	if a == nil {
		a = empty
	}
	if b == nil {
		b = empty
	}
	var ids [2]treeEntry
	for i, t := range []*Tree{a, b} {
		e, ok, err := t.find(dir)
		if err != nil {
			return nil, err
		}
		if ok && e.isTree() {
			ids[i] = e
		}
	}
	d := differ{a: a, b: b}
	err := d.diff(clean(dir), ids[0].id, ids[1].id)
	return d.out, err
}

type differ struct {
	a, b *Tree
	out  []Change
}

// diff merges the two sorted lists of a folder.
func (d *differ) diff(dir string, a, b Hash) error {
	if a == b {
		return nil
	}
	as, err := d.a.list(a)
	if err != nil {
		return err
	}
	bs, err := d.b.list(b)
	if err != nil {
		return err
	}
	for len(as) > 0 || len(bs) > 0 {
		var x, y treeEntry // the zero one stands for "not there"
		order := 0
		switch {
		case len(as) == 0:
			order = 1
		case len(bs) == 0:
			order = -1
		default:
			order = strings.Compare(as[0].sortKey(), bs[0].sortKey())
		}
		if order <= 0 {
			x, as = as[0], as[1:]
		}
		if order >= 0 {
			y, bs = bs[0], bs[1:]
		}
		if x.id == y.id && x.mode == y.mode {
			continue
		}
		p := path.Join(dir, cmp.Or(x.name, y.name))
		if x.isTree() || y.isTree() {
			if err := d.diff(p, x.id, y.id); err != nil {
				return err
			}
			continue
		}
		c := Change{Path: p}
		if x.mode&modeType != modeSubmodule {
			c.Old = x.id
		}
		if y.mode&modeType != modeSubmodule {
			c.New = y.id
		}
		if c.Old != Zero || c.New != Zero {
			d.out = append(d.out, c)
		}
	}
	return nil
}

// FS returns the tree as a file system. It has [fs.ReadFileFS], [fs.ReadDirFS], [fs.StatFS] and
// [fs.ReadLinkFS]. Symbolic links are not followed, only reported by their mode. All times are the
// commit's. Sizes are read when they are asked for.
func (t *Tree) FS() fs.FS { return treeFS{t} }

type treeFS struct{ t *Tree }

var (
	_ fs.ReadFileFS = treeFS{}
	_ fs.ReadDirFS  = treeFS{}
	_ fs.StatFS     = treeFS{}
	_ fs.ReadLinkFS = treeFS{}
)

func (f treeFS) entry(op, name string) (treeEntry, error) {
	if !fs.ValidPath(name) {
		return treeEntry{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, ok, err := f.t.find(name)
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	if err != nil {
		return e, &fs.PathError{Op: op, Path: name, Err: err}
	}
	if name == "." {
		e.name = "."
	}
	return e, nil
}

func (f treeFS) ReadFile(name string) ([]byte, error) {
	if _, err := f.entry("read", name); err != nil {
		return nil, err
	}
	return f.t.ReadFile(name)
}

func (f treeFS) Stat(name string) (fs.FileInfo, error) {
	e, err := f.entry("stat", name)
	if err != nil {
		return nil, err
	}
	return fileInfo{f.t, e}, nil
}

func (f treeFS) Lstat(name string) (fs.FileInfo, error) { return f.Stat(name) }

func (f treeFS) ReadLink(name string) (string, error) {
	e, err := f.entry("readlink", name)
	if err != nil {
		return "", err
	}
	if e.mode&modeType != modeSymlink {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	b, err := f.t.repo.ReadBlob(e.id)
	return string(b), err
}

func (f treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := f.entry("readdir", name)
	if err != nil {
		return nil, err
	}
	if !e.isTree() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	es, err := f.t.list(e.id)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	out := make([]fs.DirEntry, len(es))
	for i, e := range es {
		out[i] = fs.FileInfoToDirEntry(fileInfo{f.t, e})
	}
	sortByName(out)
	return out, nil
}

func (f treeFS) Open(name string) (fs.File, error) {
	e, err := f.entry("open", name)
	if err != nil {
		return nil, err
	}
	if e.isTree() {
		list, err := f.ReadDir(name)
		if err != nil {
			return nil, err
		}
		return &openDir{fileInfo{f.t, e}, name, list}, nil
	}
	data, err := f.t.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{fileInfo{f.t, e}, bytes.NewReader(data)}, nil
}

// fileInfo is both kinds of information about an entry.
type fileInfo struct {
	t *Tree
	treeEntry
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Mode() fs.FileMode  { return i.fileMode() }
func (i fileInfo) ModTime() time.Time { return i.t.when }
func (i fileInfo) IsDir() bool        { return i.isTree() }
func (i fileInfo) Sys() any           { return i.id }

// Size reads the blob: git stores no sizes beside names.
func (i fileInfo) Size() int64 {
	if i.isTree() || i.mode&modeType == modeSubmodule {
		return 0
	}
	b, err := i.t.repo.ReadBlob(i.id)
	if err != nil {
		return 0
	}
	return int64(len(b))
}

type openFile struct {
	info fileInfo
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info fileInfo
	path string
	rest []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("is a folder")}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.rest) {
		if n > 0 && len(d.rest) == 0 {
			return nil, io.EOF
		}
		n = len(d.rest)
	}
	out := d.rest[:n:n]
	d.rest = d.rest[n:]
	return out, nil
}
