package gitrepo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync"
)

// pack is a pack file with its index
// (https://git-scm.com/docs/gitformat-pack, version 2 of the index, checked 2026-11-21).
//
// Of the index only what is asked for is read: that of a long history has many megabytes, and a run
// that publishes one post looks up a few dozen objects.
type pack struct {
	path    string
	file    *os.File
	size    int64 // without the checksum at its end
	idx     io.ReaderAt
	idxFile *os.File
	idLen   int
	count   int
	fanout  [256]uint32 // objects whose id begins with this byte or a lower one
	buckets [256]bucket // by the first byte of the id
}

// bucket is a part of the index: ids that begin with the same byte, and where the objects are.
type bucket struct {
	once sync.Once
	ids  []byte
	offs []byte // 4 bytes each; with the top bit set, a position in the table of 8-byte ones
	err  error
}

func openPack(path string, idLen int) (*pack, error) {
	p := &pack{path: path, idLen: idLen}
	var err error
	if p.idxFile, err = os.Open(strings.TrimSuffix(path, ".pack") + ".idx"); err != nil {
		return nil, fmt.Errorf("open pack index: %w", err)
	}
	p.file, err = os.Open(path)
	var fi, idx os.FileInfo
	if err == nil {
		fi, err = p.file.Stat()
	}
	if err == nil {
		idx, err = p.idxFile.Stat()
	}
	if err == nil {
		p.size = fi.Size() - int64(idLen)
		err = p.readFanout(p.idxFile, idx.Size())
	}
	if err != nil {
		p.close() //nolint:errcheck // the error that counts is err
		return nil, fmt.Errorf("open pack %q: %w", path, err)
	}
	return p, nil
}

func (p *pack) close() error {
	err := p.idxFile.Close()
	if p.file != nil {
		err = errors.Join(err, p.file.Close())
	}
	return err
}

// idxHead is the length of an index's magic, version and counts.
const idxHead = 8 + 256*4

// readFanout reads the beginning of an index, and checks that the rest has room for what it promises.
func (p *pack) readFanout(idx io.ReaderAt, size int64) error {
	var b [idxHead]byte
	if _, err := idx.ReadAt(b[:], 0); err != nil && err != io.EOF {
		return err
	}
	if !bytes.HasPrefix(b[:], []byte("\xfftOc\x00\x00\x00\x02")) {
		return fmt.Errorf("%w: not a version 2 index", errCorrupt)
	}
	last := uint32(0)
	for i := range p.fanout {
		p.fanout[i] = binary.BigEndian.Uint32(b[8+4*i:])
		if p.fanout[i] < last {
			return fmt.Errorf("%w: the index's counts go down", errCorrupt)
		}
		last = p.fanout[i]
	}
	if size < idxHead+int64(last)*int64(p.idLen+8)+2*int64(p.idLen) {
		return fmt.Errorf("%w: truncated index", errCorrupt)
	}
	p.idx, p.count = idx, int(last)
	return nil
}

// bucket reads the part of the index for ids that begin with a byte, once.
func (p *pack) bucket(first byte) (*bucket, error) {
	b := &p.buckets[first]
	b.once.Do(func() {
		lo, hi := int64(0), int64(p.fanout[first])
		if first > 0 {
			lo = int64(p.fanout[first-1])
		}
		ids, offs := make([]byte, (hi-lo)*int64(p.idLen)), make([]byte, (hi-lo)*4)
		if _, b.err = p.idx.ReadAt(ids, idxHead+lo*int64(p.idLen)); b.err != nil {
			return
		}
		if _, b.err = p.idx.ReadAt(offs, idxHead+int64(p.count)*int64(p.idLen+4)+lo*4); b.err != nil {
			return
		}
		b.ids, b.offs = ids, offs
	})
	return b, b.err
}

// find returns where an object is.
func (p *pack) find(id []byte) (off int64, ok bool, err error) {
	b, err := p.bucket(id[0])
	if err != nil {
		return 0, false, err
	}
	n := len(b.offs) / 4
	at := func(i int) []byte { return b.ids[i*p.idLen : (i+1)*p.idLen] }
	i := sort.Search(n, func(i int) bool { return bytes.Compare(at(i), id) >= 0 })
	if i == n || !bytes.Equal(at(i), id) {
		return 0, false, nil
	}
	short := binary.BigEndian.Uint32(b.offs[4*i:])
	if short&(1<<31) == 0 {
		return int64(short), true, nil
	}
	var long [8]byte
	table := idxHead + int64(p.count)*int64(p.idLen+8)
	if _, err := p.idx.ReadAt(long[:], table+8*int64(short&^(1<<31))); err != nil {
		return 0, false, err
	}
	return int64(binary.BigEndian.Uint64(long[:]) & (1<<63 - 1)), true, nil
}

// eachWithPrefix calls fn with every id that starts with prefix, two digits at least.
func (p *pack) eachWithPrefix(prefix string, fn func(Hash)) error {
	first, err := hex.DecodeString(prefix[:2])
	if err != nil {
		return err
	}
	b, err := p.bucket(first[0])
	if err != nil {
		return err
	}
	for ids := b.ids; len(ids) > 0; ids = ids[p.idLen:] {
		if h := hex.EncodeToString(ids[:p.idLen]); strings.HasPrefix(h, prefix) {
			fn(Hash(h))
		}
	}
	return nil
}

// packedObject is one entry of a pack: a whole object or a difference to another one.
type packedObject struct {
	kind    objectKind // "" for a difference
	data    []byte
	baseOff int64  // where the base is in the same pack, or
	baseID  []byte // its id
}

// maxDeltaChain is far above what git makes (its default is 50, its maximum 4095).
const maxDeltaChain = 5000

// readPacked returns the object at off, with its differences applied.
func (s *objectStore) readPacked(p *pack, off int64) (objectKind, []byte, error) {
	var deltas [][]byte
	var offs []int64
	var kind objectKind
	var data []byte
	for {
		if k, d, ok := s.bases.get(p, off); ok {
			kind, data = k, d
			if len(deltas) == 0 {
				return kind, bytes.Clone(data), nil
			}
			break
		}
		o, err := p.entryAt(off)
		if err != nil {
			return "", nil, err
		}
		if o.kind != "" {
			kind, data = o.kind, o.data
			if len(deltas) > 0 {
				s.bases.put(p, off, kind, data)
			}
			break
		}
		if len(deltas) >= maxDeltaChain {
			return "", nil, fmt.Errorf("%w: endless chain of differences", errCorrupt)
		}
		deltas, offs = append(deltas, o.data), append(offs, off)
		off = o.baseOff
		if o.baseID == nil {
			continue
		}
		var ok bool
		if off, ok, err = p.find(o.baseID); err != nil {
			return "", nil, err
		}
		if !ok {
			return "", nil, fmt.Errorf("%w: its base %x is not in the pack", errCorrupt, o.baseID)
		}
	}
	for i := len(deltas) - 1; i >= 0; i-- {
		var err error
		if data, err = applyDelta(data, deltas[i]); err != nil {
			return "", nil, err
		}
		if i > 0 {
			s.bases.put(p, offs[i], kind, data)
		}
	}
	return kind, data, nil
}

// entryAt reads one entry of the pack.
func (p *pack) entryAt(off int64) (packedObject, error) {
	if off < 12 || off >= p.size {
		return packedObject{}, fmt.Errorf("%w: position %d is outside the pack", errCorrupt, off)
	}
	var head [64]byte
	n, err := p.file.ReadAt(head[:], off)
	if n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return packedObject{}, err
	}
	o, size, used, err := parseEntryHeader(head[:n], p.idLen)
	if err != nil {
		return packedObject{}, err
	}
	if o.kind == "" && o.baseID == nil {
		if o.baseOff <= 0 || o.baseOff > off-12 {
			return packedObject{}, fmt.Errorf("%w: base outside the pack", errCorrupt)
		}
		o.baseOff = off - o.baseOff
	}
	z, err := newInflater(io.NewSectionReader(p.file, off+int64(used), p.size-off-int64(used)))
	if err != nil {
		if errors.Is(err, os.ErrClosed) {
			return packedObject{}, err
		}
		return packedObject{}, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	defer z.free()
	o.data, err = readExactly(z, size)
	return o, err
}

// parseEntryHeader reads type, size and base of an entry, and tells how many bytes that took. For a
// base in the same pack, baseOff is the distance backwards.
func parseEntryHeader(b []byte, idLen int) (o packedObject, size int64, used int, err error) {
	short := fmt.Errorf("%w: truncated header", errCorrupt)
	if len(b) == 0 {
		return o, 0, 0, short
	}
	typ := b[0] >> 4 & 7
	size = int64(b[0] & 15)
	used = 1
	for shift := 4; b[used-1]&0x80 != 0; shift += 7 {
		if used >= len(b) || shift > 56 {
			return o, 0, 0, short
		}
		size |= int64(b[used]&0x7f) << shift
		used++
	}
	switch typ {
	case 1:
		o.kind = kindCommit
	case 2:
		o.kind = kindTree
	case 3:
		o.kind = kindBlob
	case 4:
		o.kind = kindTag
	case 6:
		for {
			if used >= len(b) || o.baseOff > 1<<54 {
				return o, 0, 0, short
			}
			c := b[used]
			used++
			o.baseOff = o.baseOff<<7 | int64(c&0x7f)
			if c&0x80 == 0 {
				break
			}
			o.baseOff++
		}
	case 7:
		if len(b)-used < idLen {
			return o, 0, 0, short
		}
		o.baseID = b[used : used+idLen : used+idLen]
		used += idLen
	default:
		return o, 0, 0, fmt.Errorf("%w: type %d in a pack", errCorrupt, typ)
	}
	return o, size, used, nil
}

// applyDelta makes an object from its base and a difference.
func applyDelta(base, delta []byte) ([]byte, error) {
	bad := fmt.Errorf("%w: malformed difference", errCorrupt)
	from, n := binary.Uvarint(delta)
	if n <= 0 || from != uint64(len(base)) {
		return nil, bad
	}
	delta = delta[n:]
	size, n := binary.Uvarint(delta)
	if n <= 0 || size > maxObject {
		return nil, bad
	}
	delta = delta[n:]
	out := make([]byte, 0, min(size, uint64(len(base)+len(delta))+1<<16))
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		if op == 0 {
			return nil, bad
		}
		if op&0x80 == 0 { // the next op bytes are new
			if int(op) > len(delta) {
				return nil, bad
			}
			out = append(out, delta[:op]...)
			delta = delta[op:]
			continue
		}
		var off, cnt uint64
		for i := range 7 { // bits 0-3 tell which bytes of the offset follow, bits 4-6 of the length
			if op>>i&1 == 0 {
				continue
			}
			if len(delta) == 0 {
				return nil, bad
			}
			if i < 4 {
				off |= uint64(delta[0]) << (8 * i)
			} else {
				cnt |= uint64(delta[0]) << (8 * (i - 4))
			}
			delta = delta[1:]
		}
		if cnt == 0 {
			cnt = 0x10000
		}
		if off+cnt > uint64(len(base)) || uint64(len(out))+cnt > size {
			return nil, bad
		}
		out = append(out, base[off:off+cnt]...)
	}
	if uint64(len(out)) != size {
		return nil, bad
	}
	return out, nil
}

// baseCache remembers objects that others are differences of. When it is full it starts anew: what
// is needed again is soon back, and there is no order to maintain under concurrent reads.
type baseCache struct {
	mu   sync.Mutex
	m    map[baseKey]baseValue
	size int
}

type baseKey struct {
	p   *pack
	off int64
}

type baseValue struct {
	kind objectKind
	data []byte
}

// maxBases bounds the memory of a baseCache, in bytes.
const maxBases = 32 << 20

func (c *baseCache) get(p *pack, off int64) (objectKind, []byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.m[baseKey{p, off}]
	return v.kind, v.data, ok
}

func (c *baseCache) put(p *pack, off int64, kind objectKind, data []byte) {
	if len(data) > maxBases/8 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || c.size+len(data) > maxBases {
		c.m, c.size = map[baseKey]baseValue{}, 0
	}
	c.m[baseKey{p, off}] = baseValue{kind, data}
	c.size += len(data)
}

func (c *baseCache) drop(p *pack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, v := range c.m {
		if k.p == p {
			c.size -= len(v.data)
			delete(c.m, k)
		}
	}
}
