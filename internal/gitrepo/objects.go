package gitrepo

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // git's object format
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// objectKind is the type of an object, as git spells it.
type objectKind string

const (
	kindCommit objectKind = "commit"
	kindTree   objectKind = "tree"
	kindBlob   objectKind = "blob"
	kindTag    objectKind = "tag"
)

// objectFormat is the hash function of a repository.
type objectFormat struct {
	size int // bytes of an id
	new  func() hash.Hash
}

var (
	sha1Format   = objectFormat{sha1.Size, sha1.New}
	sha256Format = objectFormat{sha256.Size, sha256.New}
)

// valid reports whether s is a full object id.
func (f objectFormat) valid(s string) bool {
	if len(s) != 2*f.size {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// zeros is how git writes "no object".
func (f objectFormat) zeros() string { return strings.Repeat("0", 2*f.size) }

// orZeros returns h as git writes it.
func (f objectFormat) orZeros(h Hash) string {
	if h == Zero {
		return f.zeros()
	}
	return string(h)
}

// sum returns the id of an object.
func (f objectFormat) sum(kind objectKind, data []byte) Hash {
	w := f.new()
	fmt.Fprintf(w, "%s %d\x00", kind, len(data))
	w.Write(data)
	return Hash(hex.EncodeToString(w.Sum(nil)))
}

// maxObject bounds the size that a damaged header can make us allocate for.
const maxObject = 1 << 30

// objectStore reads the objects of one repository: loose files, packs, and those of its alternates.
//
// It does not use go-git's store, which builds a reverse index of every pack for the first object
// (20 ms with 20,000 commits, as long as a whole git status), reads one object at a time, and does
// not notice that a concurrent gc has replaced the packs.
type objectStore struct {
	format objectFormat
	dirs   []string // objects folders, the repository's own first

	mu    sync.RWMutex
	packs []*pack
	open  bool
	bases baseCache
}

func newObjectStore(f objectFormat, dir string) *objectStore {
	return &objectStore{format: f, dirs: withAlternates(nil, dir, 0)}
}

// withAlternates appends dir and what its info/alternates names, to git's own depth of five.
func withAlternates(dirs []string, dir string, depth int) []string {
	if slices.Contains(dirs, dir) || depth > 5 {
		return dirs
	}
	dirs = append(dirs, dir)
	b, err := os.ReadFile(filepath.Join(dir, "info", "alternates"))
	if err != nil {
		return dirs
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, `"`) {
			if u, err := strconv.Unquote(line); err == nil {
				line = u
			}
		}
		if !filepath.IsAbs(line) {
			line = filepath.Join(dir, line)
		}
		dirs = withAlternates(dirs, filepath.Clean(line), depth+1)
	}
	return dirs
}

// object returns the type and the content of an object. The caller may keep and change the content.
func (s *objectStore) object(id Hash) (objectKind, []byte, error) {
	raw, err := hex.DecodeString(string(id))
	if err != nil || len(raw) != s.format.size {
		return "", nil, fmt.Errorf("%w: %q", errMissing, id)
	}
	if !s.isOpen() {
		if err := s.scan(); err != nil {
			return "", nil, err
		}
	}
	// Packs, loose files, and packs again: a gc may have moved the object meanwhile.
	for try := range 2 {
		if kind, data, ok, err := s.fromPacks(raw); ok || err != nil {
			return kind, data, wrapObject(id, err)
		}
		if try > 0 {
			break
		}
		kind, data, err := s.loose(string(id))
		if err == nil || !errors.Is(err, errMissing) {
			return kind, data, wrapObject(id, err)
		}
		if err := s.scan(); err != nil {
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("%w: %s", errMissing, id)
}

func wrapObject(id Hash, err error) error {
	if _, told := errors.AsType[*DamagedObjectError](err); err == nil || told {
		return err
	}
	return fmt.Errorf("object %s: %w", id, err)
}

func (s *objectStore) isOpen() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.open
}

func (s *objectStore) fromPacks(raw []byte) (objectKind, []byte, bool, error) {
	s.mu.RLock()
	packs := s.packs
	s.mu.RUnlock()
	for _, p := range packs {
		off, ok, err := p.find(raw)
		if err == nil && !ok {
			continue
		}
		var kind objectKind
		var data []byte
		if err == nil {
			kind, data, err = s.readPacked(p, off)
		}
		if errors.Is(err, os.ErrClosed) {
			return "", nil, false, nil // replaced while we looked: the next try sees the new packs
		}
		return kind, data, true, err
	}
	return "", nil, false, nil
}

// scan reads the list of packs again, and keeps those that are still there.
func (s *objectStore) scan() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := map[string]*pack{}
	for _, p := range s.packs {
		old[p.path] = p
	}
	var packs []*pack
	for _, d := range s.dirs {
		names, err := os.ReadDir(filepath.Join(d, "pack"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read packs: %w", err)
		}
		for _, n := range names {
			base, ok := strings.CutSuffix(n.Name(), ".idx")
			if !ok {
				continue
			}
			path := filepath.Join(d, "pack", base+".pack")
			if p := old[path]; p != nil {
				packs = append(packs, p)
				delete(old, path)
				continue
			}
			p, err := openPack(path, s.format.size)
			if errors.Is(err, fs.ErrNotExist) {
				continue // a gc has just removed it, or is not done writing it
			}
			if err != nil {
				return err
			}
			packs = append(packs, p)
		}
	}
	for _, p := range old {
		p.close() //nolint:errcheck // only read from
		s.bases.drop(p)
	}
	slices.SortFunc(packs, func(a, b *pack) int { return b.count - a.count })
	s.packs, s.open = packs, true
	return nil
}

// Close closes all packs. A later read opens them again.
func (s *objectStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, p := range s.packs {
		err = errors.Join(err, p.close())
		s.bases.drop(p)
	}
	s.packs, s.open = nil, false
	return err
}

// withPrefix returns the objects whose id starts with prefix: at most two, which is enough to know
// whether it is ambiguous.
func (s *objectStore) withPrefix(prefix string) ([]Hash, error) {
	if err := s.scan(); err != nil {
		return nil, err
	}
	found := map[Hash]bool{}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.packs {
		if err := p.eachWithPrefix(prefix, func(h Hash) { found[h] = true }); err != nil {
			return nil, err
		}
	}
	for _, d := range s.dirs {
		names, err := os.ReadDir(filepath.Join(d, prefix[:2]))
		if err != nil {
			continue
		}
		for _, n := range names {
			if h := prefix[:2] + n.Name(); strings.HasPrefix(h, prefix) && s.format.valid(h) {
				found[Hash(h)] = true
			}
		}
	}
	var out []Hash
	for h := range found {
		if out = append(out, h); len(out) == 2 {
			break
		}
	}
	return out, nil
}

// loose reads an object that has a file of its own.
func (s *objectStore) loose(id string) (objectKind, []byte, error) {
	for _, d := range s.dirs {
		f, err := os.Open(filepath.Join(d, id[:2], id[2:]))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		defer f.Close() //nolint:errcheck // only read from
		kind, data, err := readLoose(f)
		if errors.Is(err, errCorrupt) {
			err = &DamagedObjectError{ID: Hash(id), File: f.Name(), Err: err}
		}
		return kind, data, err
	}
	return "", nil, errMissing
}

// readLoose decodes "type size\0content", deflated.
func readLoose(r io.Reader) (objectKind, []byte, error) {
	z, err := newInflater(r)
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	defer z.free()
	br := bufio.NewReaderSize(z, 512)
	head, err := br.ReadString(0)
	if err != nil {
		return "", nil, fmt.Errorf("%w: no header", errCorrupt)
	}
	kind, n, ok := strings.Cut(strings.TrimSuffix(head, "\x00"), " ")
	size, err := strconv.ParseInt(n, 10, 64)
	if !ok || err != nil || size < 0 {
		return "", nil, fmt.Errorf("%w: header %q", errCorrupt, head)
	}
	switch k := objectKind(kind); k {
	case kindBlob, kindTree, kindCommit, kindTag:
		data, err := readExactly(br, size)
		return k, data, err
	}
	return "", nil, fmt.Errorf("%w: type %q", errCorrupt, kind)
}

// readExactly reads size bytes that must be followed by the end of r.
func readExactly(r io.Reader, size int64) ([]byte, error) {
	if size > maxObject {
		return nil, fmt.Errorf("object of %d bytes is larger than the limit of %d", size, maxObject)
	}
	var data []byte
	var err error
	if size <= 1<<20 {
		data = make([]byte, size)
		_, err = io.ReadFull(r, data)
	} else { // grow with what is really there, not with what the header claims
		var b bytes.Buffer
		_, err = io.CopyN(&b, r, size)
		data = b.Bytes()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	var one [1]byte
	if n, err := io.ReadFull(r, one[:]); n != 0 || err != io.EOF {
		return nil, fmt.Errorf("%w: longer than its header says, or a wrong checksum", errCorrupt)
	}
	return data, nil
}

// inflater is a zlib reader that is used again: setting one up costs more than a small object.
type inflater struct {
	io.Reader
	reset zlib.Resetter
	buf   *bufio.Reader
}

var inflaters sync.Pool

func newInflater(r io.Reader) (*inflater, error) {
	z, _ := inflaters.Get().(*inflater)
	if z == nil {
		z = &inflater{buf: bufio.NewReaderSize(nil, 4096)}
	}
	z.buf.Reset(r)
	if z.reset != nil {
		return z, z.reset.Reset(z.buf, nil)
	}
	zr, err := zlib.NewReader(z.buf)
	if err != nil {
		return nil, err
	}
	z.Reader, z.reset = zr, zr.(zlib.Resetter)
	return z, nil
}

func (z *inflater) free() {
	z.buf.Reset(nil)
	inflaters.Put(z)
}
