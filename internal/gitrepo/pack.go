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
type pack struct {
	path   string
	file   *os.File
	size   int64
	idLen  int
	count  int
	fanout []byte // 256 big-endian counts
	ids    []byte
	offs   []byte // 4 bytes each; the top bit points into large
	large  []byte // 8 bytes each
}

func openPack(path string, idLen int) (*pack, error) {
	idx, err := os.ReadFile(strings.TrimSuffix(path, ".pack") + ".idx")
	if err != nil {
		return nil, fmt.Errorf("read pack index: %w", err)
	}
	p := &pack{path: path, idLen: idLen}
	if err := p.parseIndex(idx); err != nil {
		return nil, fmt.Errorf("pack index of %q: %w", path, err)
	}
	if p.file, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	fi, err := p.file.Stat()
	if err != nil {
		p.file.Close()
		return nil, fmt.Errorf("open pack: %w", err)
	}
	p.size = fi.Size() - int64(idLen) // without the checksum at its end
	return p, nil
}

// parseIndex checks the index's structure once, so that look-ups need no checks.
func (p *pack) parseIndex(b []byte) error {
	const head = 8 + 256*4
	if len(b) < head+2*p.idLen || !bytes.HasPrefix(b, []byte("\xfftOc\x00\x00\x00\x02")) {
		return fmt.Errorf("%w: not a version 2 index", errCorrupt)
	}
	p.fanout = b[8:head]
	for i, last := 0, uint32(0); i < 256; i++ {
		n := binary.BigEndian.Uint32(p.fanout[4*i:])
		if n < last {
			return fmt.Errorf("%w: counts go down", errCorrupt)
		}
		last = n
	}
	n := int64(binary.BigEndian.Uint32(p.fanout[255*4:]))
	if int64(len(b)) < head+n*int64(p.idLen+8)+2*int64(p.idLen) {
		return fmt.Errorf("%w: truncated", errCorrupt)
	}
	p.count = int(n)
	rest := b[head : len(b)-2*p.idLen]
	p.ids, rest = rest[:p.count*p.idLen], rest[p.count*p.idLen:]
	rest = rest[4*p.count:] // checksums
	p.offs, p.large = rest[:4*p.count], rest[4*p.count:]
	return nil
}

func (p *pack) id(i int) []byte { return p.ids[i*p.idLen : (i+1)*p.idLen] }

// find returns where an object is.
func (p *pack) find(id []byte) (int64, bool) {
	lo, hi := p.bucket(id[0])
	i := lo + sort.Search(hi-lo, func(i int) bool { return bytes.Compare(p.id(lo+i), id) >= 0 })
	if i >= hi || !bytes.Equal(p.id(i), id) {
		return 0, false
	}
	off := binary.BigEndian.Uint32(p.offs[4*i:])
	if off&(1<<31) == 0 {
		return int64(off), true
	}
	j := 8 * int64(off&^(1<<31))
	if j+8 > int64(len(p.large)) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(p.large[j:]) & (1<<63 - 1)), true
}

func (p *pack) bucket(first byte) (lo, hi int) {
	if first > 0 {
		lo = int(binary.BigEndian.Uint32(p.fanout[4*(int(first)-1):]))
	}
	return lo, int(binary.BigEndian.Uint32(p.fanout[4*int(first):]))
}

// eachWithPrefix calls fn with every id that starts with prefix, two digits at least.
func (p *pack) eachWithPrefix(prefix string, fn func(Hash)) {
	b, err := hex.DecodeString(prefix[:2])
	if err != nil {
		return
	}
	lo, hi := p.bucket(b[0])
	for i := lo; i < hi; i++ {
		if h := hex.EncodeToString(p.id(i)); strings.HasPrefix(h, prefix) {
			fn(Hash(h))
		}
	}
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
		if off, ok = p.find(o.baseID); !ok {
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
	if n == 0 || err != nil && err != io.EOF {
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
