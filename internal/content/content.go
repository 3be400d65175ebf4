// Package content reads posts: Markdown files with front matter become [post.Post] values and findings.
//
// # What a file is
//
// The front matter is YAML between --- lines (or up to a ... line), TOML between +++ lines, or a JSON
// object. A file without one is all text. The rest is Markdown (CommonMark with tables and
// strikethrough), read once into [post.Doc] values that know where in the file each piece stands.
//
//   - A thematic break (---, ***, ___) in column 1, or <!-- thread --> on a line of its own, starts
//     the next part of a thread. --- does so also directly under text, where Markdown sees a heading.
//   - ::: name … ::: is a block for some platforms or accounts, ::: !name … ::: for all others.
//   - HTML comments are notes. They are cut out before the Markdown is read, wherever they begin and
//     end, except inside code; a note that is never closed is an error.
//   - Addresses in the text stay text, byte for byte; only <https://…> is a link by itself.
//
// Whatever is wrong is a [finding.Finding] with a place in the file. A post with errors still carries
// what could be read, so that it can be previewed; the findings keep it from going out.
package content

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/yuin/goldmark/parser"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// DefaultMaxBytes is how large a post's file may be unless Options say otherwise.
const DefaultMaxBytes = 1 << 20

// maxHeader bounds the front matter alone, in bytes.
const maxHeader = 64 << 10

// maxFindings bounds the findings of one file.
const maxFindings = 100

// Options are what reading posts depends on besides the files.
type Options struct {
	Location *time.Location // the site's time zone; nil means UTC
	Media    media.Prober   // nil: every file is read anew
	MaxBytes int64          // 0 means DefaultMaxBytes
}

func (o Options) maxBytes() int64 {
	if o.MaxBytes > 0 {
		return o.MaxBytes
	}
	return DefaultMaxBytes
}

// shared is what the readers of many files have in common. It is safe for concurrent use.
type shared struct {
	markdown parser.Parser
	zones    zones
	links    links
	folders  sync.Map        // folder → []string, the files in it
	cards    map[string]bool // the files of link cards that there are; nil: not known
}

// scratch is memory that one goroutine uses again for every file, and where it puts what stays of each.
type scratch struct {
	file    []byte
	split   *bufio.Reader
	lines   []int
	places  []post.Place
	blocks  []post.Block
	inlines []post.Inline
	kept    memory
}

func newShared() *shared { return &shared{markdown: newMarkdown()} }

// Parse reads one post. The path is slash-separated and relative to the site's folder, which fsys is;
// with a nil fsys, media are not looked at. The post is never nil, and keeps a copy of src.
func Parse(path string, src []byte, fsys fs.FS, o Options) (*post.Post, finding.List) {
	return parse(path, src, fsys, o, newShared(), &scratch{})
}

// reader reads one file.
type reader struct {
	path       string
	src        []byte
	text       string // src, as the post keeps it
	fsys       fs.FS
	o          Options
	shared     *shared
	scratch    *scratch
	loc        *finding.Locator
	list       finding.List
	format     format
	jsonValue  value
	mediaCount int
	place      finding.Range // for findings in a text that stands nowhere in the file
}

func parse(path string, src []byte, fsys fs.FS, o Options, s *shared, mem *scratch) (*post.Post, finding.List) {
	r := &reader{path: path, src: src, fsys: fsys, o: o, shared: s, scratch: mem, loc: finding.NewLocator(src)}
	if o.Location == nil {
		r.o.Location = time.UTC
	}
	sum := sha256.Sum256(src)
	if mem.kept.texts.Together {
		path = mem.kept.texts.Copy([]byte(path))
	}
	p := mem.kept.posts.New(post.Post{ID: slug(path), Path: path, BodyLine: 1, Unread: true, NoText: true, Body: []post.Doc{{}}})
	var digest [2 * sha256.Size]byte
	hex.Encode(digest[:], sum[:])
	p.Source = mem.kept.texts.Copy(digest[:])
	if r.readable() {
		r.text = mem.kept.texts.Copy(src)
		p.Text = r.text
		r.read(p)
		r.linkCard(p)
	}
	r.hush(p)
	for i := range r.list {
		r.list[i].Path, r.list[i].Post = path, p.ID
	}
	r.list.Sort()
	return p, r.list
}

// hush keeps findings from telling a secret: what a message repeats of the file is masked, and lines of the front matter with something like
// one are not quoted. (One in the text has a finding of its own, from package check.)
func (r *reader) hush(p *post.Post) {
	last := p.BodyLine - 1
	if last == 0 && len(r.src) > 0 && strings.IndexByte("-+{", r.src[0]) >= 0 { // a front matter that has no end
		last = math.MaxInt
	}
	for i := range r.list {
		f := &r.list[i]
		f.Message, f.Hint = secret.Mask(f.Message), secret.Mask(f.Hint)
		if f.Fix.Given() && secret.Mask(f.Fix.Old) != f.Fix.Old {
			f.Fix = finding.Fix{}
		}
		for n := f.Range.Start.Line; n > 0 && n <= min(max(f.Range.Start.Line, f.Range.End.Line), last) && !f.Private; n++ {
			f.Private = secret.Line(string(line(r.src, n)))
		}
		if f.Private {
			f.Fix = finding.Fix{}
		}
	}
}

// line returns the nth line of a text, counted from 1.
func line(src []byte, n int) []byte {
	for ; n > 1; n-- {
		_, src, _ = bytes.Cut(src, []byte{'\n'})
	}
	first, _, _ := bytes.Cut(src, []byte{'\n'})
	return first
}

// readable reports whether the bytes are a text at all.
func (r *reader) readable() bool {
	src := r.src
	if int64(len(src)) > r.o.maxBytes() {
		r.list.Add(tooLarge(r.o.maxBytes()))
		return false
	}
	if len(bytes.TrimSpace(bytes.TrimPrefix(src, byteOrderMark))) == 0 {
		r.add(codeEmpty, finding.Error, finding.Range{}, "the file is empty", "write a text, or delete the file")
		return false
	}
	if !utf8.Valid(src) {
		at := 0
		for at < len(src) {
			c, size := utf8.DecodeRune(src[at:])
			if c == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		hint := "save the file as UTF-8"
		if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
			hint = "this is UTF-16: save the file as UTF-8"
		}
		r.fail(codeUTF8, at, at+1, fmt.Sprintf("the file is not valid UTF-8: byte %#02x", src[at]), hint)
		return false
	}
	if at := bytes.IndexByte(src, 0); at >= 0 {
		r.fail(codeNUL, at, at+1, "the file has a NUL byte, which no text has", "check that this is a text file, and remove the byte")
		return false
	}
	return true
}

// read fills in p.
func (r *reader) read(p *post.Post) {
	h, ok := r.splitHeader()
	if !ok {
		return
	}
	r.format = h.format
	p.BodyLine = 1 + bytes.Count(r.src[:h.body], []byte{'\n'})
	if len(h.raw) > maxHeader {
		r.fail(codeSyntax, h.rawStart, h.rawStart, fmt.Sprintf("the front matter is larger than %d KiB", maxHeader>>10), "keep the text out of it")
		return
	}
	var v value
	switch h.format {
	case formatYAML:
		v, ok = r.readYAML(h)
	case formatTOML:
		v, ok = r.readTOML(h)
	case formatJSON:
		v = r.jsonValue
	}
	p.Unread = !ok
	p.Places = r.scratch.places[:0]
	own := decoder{reader: r, scope: func(k Key) bool { return k.Post }, f: &p.Fields, places: &p.Places}
	if ok {
		own.decode(&v)
	}
	r.identity(p, own.id, ok, h)
	r.times(&own, nil)
	body := r.src[h.body:]
	_, why := tooLong(body)
	p.NoText = why != "" || p.Unread && len(bytes.TrimSpace(body)) == 0 // it may stand in front matter that nothing ends
	p.Body, p.Notes = r.markdown(body, offsets{{0, h.body}}, finding.Range{Start: finding.Pos{Line: p.BodyLine, Column: 1}})
	if own.overrides != nil {
		r.overrides(p, &own)
	}
	r.scratch.places, p.Places = p.Places, r.scratch.kept.places.Copy(p.Places)
}

// identity settles the post's id.
func (r *reader) identity(p *post.Post, id *pair, readable bool, h header) {
	if id == nil {
		if readable {
			r.add(codeNoID, finding.Warning, finding.Range{Start: finding.Pos{Line: 1, Column: 1}},
				"the post has no id: after a rename it would look like a new post", "add id: "+p.ID+" to the front matter, the id that it goes by")
			r.mendID(p.ID, h)
		}
		return
	}
	d := decoder{reader: r}
	var s string
	if !d.line(id, &s) {
		return
	}
	if !isName(s) {
		r.add(codeID, finding.Error, id.place(), fmt.Sprintf("%s is not an id", quote(s)), "use letters, digits, _ . and -, at most 128, starting with a letter or digit; for example "+suggestID(r.path))
		return
	}
	p.ID, p.OwnID = r.scratch.kept.texts.Copy([]byte(s)), true // by itself: findings name it, and would keep the whole file
}

// suggestID returns an id for a file that has none, the same at every call.
func suggestID(path string) string {
	sum := sha256.Sum256([]byte(path))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
}

// slug derives an id from a file's path: content/2026/Winter Launch.md is 2026-winter-launch.
func slug(name string) string {
	name = strings.TrimPrefix(name, "content/")
	name = strings.TrimSuffix(name, path.Ext(name))
	name = strings.TrimSuffix(name, "/index")
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		switch {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if s := strings.TrimRight(b.String(), "-"); s != "" && len(s) <= 128 {
		return s
	}
	return suggestID(name)
}

// times resolves the times of d, an override of base or, without base, the post itself.
func (r *reader) times(d, base *decoder) {
	loc := r.o.Location
	if base != nil && base.location != nil {
		loc = base.location
	}
	if d.location != nil {
		loc = d.location
	}
	publishAt, expiresAt := d.publishAt, d.expiresAt
	if base != nil && d.location != nil { // another zone alone moves the times that depend on it
		if publishAt == nil {
			publishAt = moved(base.publishAt, d)
		}
		if expiresAt == nil {
			expiresAt = moved(base.expiresAt, d)
		}
	}
	if d.first[post.FieldTimezone].Start.Line != 0 && d.location == nil { // unknown: a time would be a wrong one
		return
	}
	set := func(p *pair, f post.Field, at *time.Time, text *string) {
		if p == nil || !(&decoder{reader: r}).line(p, text) {
			return
		}
		if t, ok := r.resolve(p.key, *text, loc, p.place()); ok {
			*at, d.f.Set = t, d.f.Set.With(f)
		}
	}
	set(publishAt, post.FieldPublishAt, &d.f.PublishAt, &d.f.PublishAtText)
	set(expiresAt, post.FieldExpiresAt, &d.f.ExpiresAt, &d.f.ExpiresAtText)

	effective := *d.f
	if base != nil {
		effective = *base.f
		effective.Merge(d.f)
	}
	if (publishAt != nil || expiresAt != nil) && !effective.PublishAt.IsZero() && !effective.ExpiresAt.IsZero() && !effective.ExpiresAt.After(effective.PublishAt) {
		at := expiresAt
		if at == nil {
			at = publishAt
		}
		r.add(codeExpiry, finding.Error, at.place(), fmt.Sprintf("the post expires (%s) before it is published (%s)",
			effective.ExpiresAt.Format(timeLayout), effective.PublishAt.Format(timeLayout)), "set expires_at after publish_at")
	}
	if d.f.Repeat != "" && effective.PublishAt.IsZero() && publishAt == nil {
		r.add(codeRepeat, finding.Error, d.first[post.FieldRepeat], "repeat has nothing to count from: the post has no publish_at", "set publish_at to the first time")
	}
}

// moved returns the post's time for an override that changes the time zone only; nil when the time has
// an offset and stays where it is. Findings go to the override's timezone.
func moved(p *pair, d *decoder) *pair {
	if p == nil {
		return nil
	}
	if w, ok := parseWall(strings.TrimSpace(p.val.text)); !ok || w.hasOffset || w.dateOnly {
		return nil
	}
	q := *p
	q.rng = d.first[post.FieldTimezone]
	q.val.rng = q.rng
	return &q
}

// overrides reads what the post says for single platforms and accounts.
func (r *reader) overrides(p *post.Post, own *decoder) {
	v := &own.overrides.val
	switch v.kind {
	case kindNull:
		return
	case kindMap:
	default:
		own.wrong(quote(own.overrides.key), own.overrides.place(), v.kind, "a map of platforms or accounts to fields")
		return
	}
	seen := make(map[string]finding.Range, len(v.pairs))
	overrides := make([]post.Override, 0, len(v.pairs))
	for i := range v.pairs {
		q := &v.pairs[i]
		was, twice := seen[q.key]
		seen[q.key] = q.rng
		switch {
		case twice:
			r.add(codeTwice, finding.Error, q.rng, fmt.Sprintf("%q is overridden again: line %d has done it", q.key, was.Start.Line), "put both into one")
			continue
		case !isName(q.key):
			r.add(codeValue, finding.Error, q.rng, fmt.Sprintf("%s is not the name of a platform or an account", quote(q.key)), "")
			continue
		case q.val.kind != kindMap && q.val.kind != kindNull:
			hint := ""
			if q.val.kind == kindString {
				hint = "write " + q.key + ": {text: …} to replace the text"
			}
			r.add(codeType, finding.Error, q.place(), fmt.Sprintf("the override for %q must be a map of fields, not %s", q.key, q.val.kind), hint)
			continue
		}
		o := post.Override{Name: q.key, Range: q.rng}
		d := decoder{reader: r, name: q.key, scope: func(k Key) bool { return k.Override }, f: &o.Fields, places: &p.Places}
		d.decode(&q.val)
		r.times(&d, own)
		if d.text != nil {
			r.overrideText(&o, &d)
		}
		overrides = append(overrides, o)
	}
	p.Overrides = r.scratch.kept.overrides.Copy(overrides)
}

// overrideText reads the Markdown that replaces the body.
func (r *reader) overrideText(o *post.Override, d *decoder) {
	var s string
	if !d.str(d.text, &s) {
		o.Set &^= post.FieldSet(0).With(post.FieldText)
		return
	}
	at := d.text.val.lines
	if span := d.text.val.span; span != (post.Span{}) {
		at = offsets{{0, span.Start}}
	}
	o.Body, _ = r.markdown([]byte(s), at, d.text.place())
}

// full reports that a finding too many has come. That is an error, since what follows may be errors.
func (r *reader) full() bool {
	if len(r.list) == maxFindings {
		r.list.Add(finding.Finding{Code: codeTooMany, Severity: finding.Error, Hint: "mend these first",
			Message: fmt.Sprintf("there are more than %d findings in this file", maxFindings)})
	}
	return len(r.list) > maxFindings
}

func (r *reader) add(code finding.Code, sev finding.Severity, rng finding.Range, message, hint string) {
	if r.full() {
		return
	}
	r.list.Add(finding.Finding{Code: code, Severity: sev, Range: rng, Message: message, Hint: hint})
}

func (r *reader) fail(code finding.Code, start, end int, message, hint string) {
	r.add(code, finding.Error, r.loc.Range(start, end), message, hint)
}

func (r *reader) warn(code finding.Code, start, end int, message, hint string) {
	r.add(code, finding.Warning, r.loc.Range(start, end), message, hint)
}

func tooLarge(limit int64) finding.Finding {
	return finding.Finding{Code: codeTooLarge, Severity: finding.Error, Message: fmt.Sprintf("the file is larger than %d KiB", limit>>10),
		Hint: "a post is a short text: keep pictures and other data in files of their own"}
}

func quote(s string) string { return strconv.Quote(shorten(s)) }
