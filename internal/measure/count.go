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

// clusters walks the grapheme clusters of a text.
type clusters struct {
	text string
	it   *graphemes.Iterator[string]
	// same tells that the library reads the text itself, and not a copy made valid.
	same bool
	pos  int
}

func newClusters(text string) clusters {
	v := valid(text)
	return clusters{text: text, it: graphemes.FromString(v), same: len(v) == len(text) && v == text}
}

// next returns the end of the next cluster, or false at the end of the text.
func (c *clusters) next() (end int, ok bool) {
	if !c.it.Next() {
		return len(c.text), false
	}
	if c.same {
		return c.it.End(), true
	}
	for range c.it.Value() {
		_, n := utf8.DecodeRuneInString(c.text[c.pos:])
		c.pos += n
	}
	return c.pos, true
}
