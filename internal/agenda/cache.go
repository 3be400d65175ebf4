package agenda

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/post"
)

// entry is what planning must know of a post without reading its file.
type entry struct {
	path  string   // relative to the site's folder
	blob  string   // object id of the file
	card  string   // object id of the file of its link card, "" without one
	id    string   // of the post
	media []string // paths of the files it may send, sorted
	// proof, unless empty, is what the file, its media and the ledger were when all of its settled targets
	// were found to have nothing left to do: see [Agenda.proof].
	proof   string
	settled int

	rest string // the details as they stand in the cache, until they are needed
	details
}

// details are what planning must know of the few posts that it has to think about.
type details struct {
	title   string
	blocked string // the first error in the file that concerns all accounts
	targets []targetEntry
}

// targetEntry is one account that a post goes to.
type targetEntry struct {
	account  string
	due      time.Time
	expires  time.Time
	withdraw bool
	draft    bool
	late     post.Late
	await    string
	campaign string
	repeat   string
}

const (
	cacheFile  = "agenda"
	cacheMagic = "postrider agenda 4\n"
	leastEntry = 8 // bytes of an entry in which everything is empty
)

// loadCache returns the entries that were saved under key; none when there is no cache, it is of another
// key, or it is damaged: a cache is never worth an error.
func loadCache(dir, key string, log *slog.Logger) []entry {
	if dir == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, cacheFile))
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			log.Debug("the cache of posts cannot be read", "err", err)
		}
		return nil
	}
	entries, ok := decodeCache(b, key)
	if !ok {
		log.Debug("the cache of posts is of another version or site.yaml, or damaged: reading all posts")
	}
	return entries
}

// saveCache writes the cache; failing to is worth a line in the log.
func saveCache(dir, key string, entries []entry, log *slog.Logger) {
	if dir == "" {
		return
	}
	if err := WriteFile(filepath.Join(dir, cacheFile), encodeCache(key, entries)); err != nil {
		log.Debug("the cache of posts cannot be written", "err", err)
	}
}

// unfinished stands in the name of a file that is being written, behind that of the file that it becomes.
const unfinished = ".tmp"

// Sweep removes from a folder what killed processes were in the middle of writing there. What another process is writing at this moment goes,
// too: that one keeps nothing then, and the next does.
func Sweep(dir string, log *slog.Logger) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return // nothing was ever kept there
	}
	for _, n := range names {
		if n.Type().IsRegular() && strings.Contains(n.Name(), unfinished) {
			err := os.Remove(filepath.Join(dir, n.Name()))
			log.Debug("removed what was never finished", "file", n.Name(), "err", err)
		}
	}
}

// WriteFile replaces a file as a whole: readers see the old or the new content.
func WriteFile(name string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // a cache in a git folder
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+unfinished+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// The cache is a magic line, the key, and the entries, every string and number length-prefixed or varint: ten
// thousand posts are read in a few milliseconds, where JSON takes a hundred. Details are one string in it:
// they are read when they are needed.

func encodeCache(key string, entries []entry) []byte {
	w := writer{b: make([]byte, 0, 64+160*len(entries))}
	w.b = append(w.b, cacheMagic...)
	w.string(key)
	w.uint(uint64(len(entries)))
	for i := range entries {
		e := &entries[i]
		w.string(e.path)
		w.string(e.blob)
		w.string(e.card)
		w.string(e.id)
		w.uint(uint64(len(e.media)))
		for _, m := range e.media {
			w.string(m)
		}
		w.string(e.proof)
		w.uint(uint64(e.settled)) //nolint:gosec // a count
		if e.rest != "" {
			w.string(e.rest)
			continue
		}
		var d writer
		d.details(&e.details)
		w.string(string(d.b))
	}
	return w.b
}

func (w *writer) details(d *details) {
	w.string(d.title)
	w.string(d.blocked)
	w.uint(uint64(len(d.targets)))
	for _, t := range d.targets {
		w.string(t.account)
		w.time(t.due)
		w.time(t.expires)
		w.bool(t.withdraw)
		w.bool(t.draft)
		w.string(string(t.late))
		w.string(t.await)
		w.string(t.campaign)
		w.string(t.repeat)
	}
}

func decodeCache(b []byte, key string) ([]entry, bool) {
	if len(b) < len(cacheMagic) || string(b[:len(cacheMagic)]) != cacheMagic {
		return nil, false
	}
	r := reader{s: string(b[len(cacheMagic):])}
	if r.string() != key {
		return nil, false
	}
	n := r.count()
	entries := make([]entry, 0, min(n, len(r.s)/leastEntry))
	for range n {
		e := entry{path: r.string(), blob: r.string(), card: r.string(), id: r.string()}
		for range r.count() {
			e.media = append(e.media, r.string())
		}
		e.proof, e.settled, e.rest = r.string(), int(min(r.uint(), 1<<20)), r.string() //nolint:gosec // bounded
		if r.broken || e.rest == "" {
			return nil, false
		}
		entries = append(entries, e)
	}
	return entries, !r.broken && r.s == ""
}

// decode reads the details, if that has not been done. It reports whether they can be read. The zones are
// those that entries before it had.
func (e *entry) decode(zones map[string]*time.Location) bool {
	if e.rest == "" {
		return true
	}
	r := reader{s: e.rest, zones: zones}
	d := details{title: r.string(), blocked: r.string()}
	for range r.count() {
		d.targets = append(d.targets, targetEntry{
			account: r.string(), due: r.time(), expires: r.time(), withdraw: r.bool(), draft: r.bool(),
			late: post.Late(r.string()), await: r.string(), campaign: r.string(), repeat: r.string(),
		})
	}
	if r.broken || r.s != "" {
		return false
	}
	e.rest, e.details = "", d
	return true
}

type writer struct{ b []byte }

func (w *writer) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }

func (w *writer) string(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *writer) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
		return
	}
	w.b = append(w.b, 0)
}

// time writes a time to the second, with the name of its zone: a repeated post follows summer time.
func (w *writer) time(t time.Time) {
	if t.IsZero() {
		w.string("")
		return
	}
	_, offset := t.Zone()
	w.string("@" + t.Location().String()) // the name of a bare offset is empty
	w.b = binary.AppendVarint(w.b, t.Unix())
	w.b = binary.AppendVarint(w.b, int64(offset))
}

// reader reads what writer wrote. After the first thing that cannot be, all reads give zero values.
type reader struct {
	s      string
	broken bool
	zones  map[string]*time.Location
}

func (r *reader) fail() { r.broken, r.s = true, "" }

func (r *reader) uint() uint64 {
	var n uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		n |= uint64(r.s[i]&0x7f) << (7 * i)
		if r.s[i] < 0x80 {
			r.s = r.s[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *reader) int() int64 {
	u := r.uint()
	n := int64(u >> 1) //nolint:gosec // zigzag
	if u&1 != 0 {
		n = ^n
	}
	return n
}

// count reads a number of things that follow; each takes at least a byte.
func (r *reader) count() int {
	n := r.uint()
	if n > uint64(len(r.s)) {
		r.fail()
		return 0
	}
	return int(n) //nolint:gosec // bounded by the length of a string
}

func (r *reader) string() string {
	n := r.count()
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}

func (r *reader) bool() bool {
	if r.s == "" {
		r.fail()
		return false
	}
	v := r.s[0] != 0
	r.s = r.s[1:]
	return v
}

func (r *reader) time() time.Time {
	name := r.string()
	if name == "" {
		return time.Time{}
	}
	name = name[1:]
	unix, offset := r.int(), int(r.int())
	zone, ok := r.zones[name]
	if !ok {
		var err error
		if zone, err = time.LoadLocation(name); err != nil || name == "Local" {
			zone = nil
		}
		r.zones[name] = zone
	}
	if zone != nil {
		if _, is := time.Unix(unix, 0).In(zone).Zone(); is == offset {
			return time.Unix(unix, 0).In(zone)
		}
	}
	return time.Unix(unix, 0).In(time.FixedZone(name, offset))
}
