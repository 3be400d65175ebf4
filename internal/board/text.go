package board

import (
	"bytes"
	"cmp"
	"crypto/sha1" //nolint:gosec // git's own ids
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/slab"
)

// facts are what a row says of its post's text. They depend on the post alone, so boards share them.
type facts struct {
	post   *post.Post
	name   string
	digest [16]byte // see source; zero for a post with media

	// For the search, which goes through the facts of all posts: what lies elsewhere costs it a walk through all memory.
	text, path string
	body       int    // where it begins in the text
	literal    bool   // all keys stand in the text or in the path as they are
	other      *other // nil when there is none
	pairs      pairs  // of all of these
}

// How long the words of a row may be, in bytes.
const (
	nameLength    = 64
	excerptLength = 160
)

func newFacts(p *post.Post, all *slab.Of[facts]) *facts {
	f := all.New(facts{post: p, name: secret.Mask(strings.TrimSpace(p.Title))}) // lists and feeds go further than the post
	if f.name == "" {
		f.name = cmp.Or(strings.Clone(shorten(excerpt(p), nameLength)), p.Path)
	}
	if !hasMedia(p) {
		copy(f.digest[:], source(p.Text, sha1.New()))
	}
	f.text, f.path, f.body = p.Text, p.Path, bodyOf(p.Text, p.BodyLine)
	if slices.ContainsFunc(p.Overrides, func(o post.Override) bool { return len(o.Body) > 0 }) {
		f.other = &other{facts: f}
	}
	f.literal = !slices.ContainsFunc(f.keys(nil), func(s string) bool {
		return !strings.Contains(f.text[:f.body], s) && !strings.Contains(f.path, s)
	})
	f.notePairs()
	return f
}

// excerpt returns the beginning of a post's text: of what is meant for everybody, else of what is not.
func excerpt(p *post.Post) string {
	w := words{b: make([]byte, 0, excerptLength+64), most: excerptLength + utf8.UTFMax, everybody: true}
	w.docs(p.Body)
	if len(w.b) == 0 {
		w.everybody = false
		w.docs(p.Body)
	}
	return shorten(secret.Mask(string(w.b)), excerptLength)
}

// shorten cuts a text of more than n bytes behind its last whole word.
func shorten(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	cut := s[:n]
	if i := strings.LastIndexByte(cut, ' '); i > n/2 && s[n] != ' ' {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;:–—-") + "…"
}

// words writes the words of a rich text on one line, without marks.
type words struct {
	b         []byte
	most      int  // stop when there are so many bytes; 0: never
	everybody bool // leave out what is for some accounts only, and pictures
}

func (w *words) full() bool { return w.most > 0 && len(w.b) >= w.most }

func (w *words) space() {
	if len(w.b) > 0 && w.b[len(w.b)-1] != ' ' {
		w.b = append(w.b, ' ')
	}
}

// text appends s with white space folded.
func (w *words) text(s string) {
	if w.most > 0 {
		s = s[:min(len(s), 4*w.most)] // a part of a character at the end is behind what is kept, or cut off
	}
	for s != "" {
		// Most of a text is words with one space between them: those are copied in one go.
		n, space := 0, len(w.b) == 0 || w.b[len(w.b)-1] == ' '
		for n < len(s) && (s[n] > ' ' && s[n] < 0x7f || s[n] == ' ' && !space) {
			space = s[n] == ' '
			n++
		}
		w.b, s = append(w.b, s[:n]...), s[n:]
		if s == "" {
			return
		}
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n <= 1: // not UTF-8
		case unicode.IsSpace(r):
			w.space()
		case !unicode.IsControl(r):
			w.b = append(w.b, s[:n]...)
		}
		s = s[n:]
	}
}

func (w *words) docs(docs []post.Doc) {
	for i := range docs {
		w.blocks(docs[i].Blocks)
	}
}

func (w *words) blocks(blocks []post.Block) {
	for i := range blocks {
		if w.full() {
			return
		}
		b := &blocks[i]
		if b.Kind == post.RawHTML || b.Kind == post.Audience && w.everybody {
			continue
		}
		w.space()
		w.text(b.Text)
		w.inlines(b.Inlines)
		w.blocks(b.Blocks)
	}
}

func (w *words) inlines(inlines []post.Inline) {
	for i := range inlines {
		if w.full() {
			return
		}
		in := &inlines[i]
		switch in.Kind {
		case post.SoftBreak, post.HardBreak:
			w.space()
		case post.InlineHTML:
		case post.Image:
			if !w.everybody {
				w.text(in.Text)
			}
		default:
			w.text(in.Text)
			w.inlines(in.Inlines)
		}
	}
}

// hasMedia reports whether a post has other files that are sent with it.
func hasMedia(p *post.Post) bool {
	if fieldMedia(&p.Fields) || docMedia(p.Body) || p.LinkCard != nil {
		return true
	}
	for i := range p.Overrides {
		if o := &p.Overrides[i]; fieldMedia(&o.Fields) || docMedia(o.Body) {
			return true
		}
	}
	return false
}

func fieldMedia(f *post.Fields) bool {
	return len(f.Media) > 0 || f.Card != nil && f.Card.Image != nil
}

func docMedia(docs []post.Doc) bool {
	for i := range docs {
		if len(docs[i].Images()) > 0 {
			return true
		}
	}
	return false
}

// source returns the digest that publishing makes of a post's file (package agenda), from the id that git gives to text.
func source(text string, h hash.Hash) string {
	io := func(s string) { h.Write([]byte(s)) }
	io("blob " + strconv.Itoa(len(text)) + "\x00")
	io(text)
	var id [sha256.Size]byte
	line := hex.AppendEncode(make([]byte, 0, 2*len(id)+1), h.Sum(id[:0]))
	sum := sha256.Sum256(append(line, '\n'))
	return hex.EncodeToString(sum[:8]) // more than a mark tells
}

// source returns the post's digest as the ledger marks it; empty for a post with media.
func (f *facts) source() string { return string(bytes.TrimRight(f.digest[:], "\x00")) }

// changed reports whether the post's file is known to be another one than the ledger's mark stands for. git may keep the file with
// other line endings than the work tree, and give ids by SHA-256.
func (f *facts) changed(mark string) bool {
	if f.digest[0] == 0 || mark == "" || mark == "0" || ledger.SameSource(mark, f.source()) {
		return false
	}
	text := f.post.Text
	if ledger.SameSource(mark, source(text, sha256.New())) {
		return false
	}
	unix := strings.ReplaceAll(text, "\r\n", "\n")
	return unix == text || !ledger.SameSource(mark, source(unix, sha1.New())) && !ledger.SameSource(mark, source(unix, sha256.New())) //nolint:gosec // git's own ids
}
