package measure

import (
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// CountGraphemes returns the number of extended grapheme clusters of s (UAX #29, Unicode 17): what a
// reader calls characters. A family emoji is one, and so is CR LF.
func CountGraphemes(s string) int {
	i := 0
	n := 0
	for i < len(s) && s[i] < utf8.RuneSelf {
		if s[i] != '\n' || i == 0 || s[i-1] != '\r' {
			n++
		}
		i++
	}
	if i == len(s) {
		return n
	}
	// The last ASCII character may be the base of a combining mark, so it is counted again. A CR LF
	// must not be torn for that: a line feed never takes a mark, and both begin a cluster after it.
	if i > 0 && s[i-1] != '\n' {
		i--
		n--
	}
	it := graphemes.FromString(valid(s[i:]))
	for it.Next() {
		n++
	}
	return n
}

// CountCodePoints returns the number of code points of s.
func CountCodePoints(s string) int { return utf8.RuneCountInString(s) }

// CountUTF16 returns the number of UTF-16 code units of s, which is the length of a string in
// JavaScript and Java.
func CountUTF16(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// valid returns s with each byte that is not part of valid UTF-8 replaced by U+FFFD. The grapheme
// library would take several such bytes for one character.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for _, r := range s {
		b.WriteRune(r)
	}
	return b.String()
}

// clusters walks the grapheme clusters of a text. Between two ASCII characters a cluster always ends, but
// for CR LF, so the library is asked only about the runs that have others.
type clusters struct {
	text string
	pos  int
	run  *graphemes.Iterator[string] // nil outside a run
	base int                         // where the run begins
	// same tells that the library reads the run itself, and not a copy made valid.
	same bool
}

func newClusters(text string) clusters { return clusters{text: text} }

// next returns the end of the next cluster, or false at the end of the text.
func (c *clusters) next() (end int, ok bool) {
	if c.run != nil && c.run.Next() {
		if c.same {
			c.pos = c.base + c.run.End()
			return c.pos, true
		}
		for range c.run.Value() {
			_, n := utf8.DecodeRuneInString(c.text[c.pos:])
			c.pos += n
		}
		return c.pos, true
	}
	c.run = nil
	if c.pos == len(c.text) {
		return c.pos, false
	}
	if c.text[c.pos] < utf8.RuneSelf && (c.pos+1 == len(c.text) || c.text[c.pos+1] < utf8.RuneSelf) {
		c.pos++
		if c.text[c.pos-1] == '\r' && c.pos < len(c.text) && c.text[c.pos] == '\n' {
			c.pos++
		}
		return c.pos, true
	}
	end = c.pos + 1
	for end < len(c.text) && (c.text[end-1] >= utf8.RuneSelf || c.text[end] >= utf8.RuneSelf) {
		end++
	}
	run := c.text[c.pos:end]
	v := valid(run)
	c.run, c.base, c.same = graphemes.FromString(v), c.pos, len(v) == len(run) && v == run
	return c.next()
}
