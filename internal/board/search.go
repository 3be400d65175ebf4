package board

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Searching keeps no index: the texts of 50,000 posts are read through in milliseconds, and an index takes the memory of another copy
// of them, all day.

// hits is which posts have all words of a text, of one board.
type hits struct {
	text string
	in   map[*facts]struct{}
}

// search returns the posts that have all words of a text. The last search is kept: a page asks several times.
func (b *Board) search(text string) *hits {
	if last := b.searched.Load(); last != nil && last.text == text {
		return last
	}
	var words []needle
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		words = append(words, newNeedle(w))
	}
	const chunk = 1024
	found := make([][]*facts, (len(b.rows)+chunk-1)/chunk)
	parallel(len(found), func(i int) {
		for _, r := range b.rows[i*chunk : min((i+1)*chunk, len(b.rows))] {
			if !slices.ContainsFunc(words, func(n needle) bool { return !r.facts.have(&n) }) {
				found[i] = append(found[i], r.facts)
			}
		}
	})
	n := 0
	for _, list := range found {
		n += len(list)
	}
	h := &hits{text: text, in: make(map[*facts]struct{}, n)}
	for _, list := range found {
		for _, f := range list {
			h.in[f] = struct{}{}
		}
	}
	b.searched.Store(h)
	return h
}

// have reports whether a word is in the post's title, tags, id, path or text, as it is written.
func (f *facts) have(n *needle) bool {
	p := f.post
	if n.in(p.Text[f.body:]) || n.in(p.Title) || n.in(p.ID) || n.in(p.Path) || slices.ContainsFunc(p.Tags, n.in) {
		return true
	}
	for i := range p.Overrides {
		if o := &p.Overrides[i]; n.in(o.Title) || slices.ContainsFunc(o.Tags, n.in) {
			return true
		}
	}
	return f.other != nil && n.in(f.other.words())
}

// other is the texts that a post has for some accounts instead of its own. They stand in the front matter.
type other struct {
	facts *facts
	once  sync.Once
	text  string
}

func (o *other) words() string {
	o.once.Do(func() {
		var w words
		for i := range o.facts.post.Overrides {
			w.space()
			w.docs(o.facts.post.Overrides[i].Body)
		}
		o.text = string(w.b)
	})
	return o.text
}

// bodyOf returns where the body begins in the text of a file, given its line.
func bodyOf(text string, line int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	return at
}

// needle is a word to be found in texts whatever the case.
type needle struct {
	before, after string // of the anchor, in lower case
	anchor        [2]byte
	word          string
}

// rarity has the letters that are rare in most languages first.
const rarity = "qxjzwvkybfgpmculdhrsnitoae"

// newNeedle makes a word in lower case ready. What is looked for first is its rarest ASCII character: processors find a byte many times
// as quickly as a word.
func newNeedle(word string) needle {
	n := needle{word: word}
	best, at := -1, -1
	for i := range len(word) {
		c := word[i]
		if c >= utf8.RuneSelf || c == 'i' || c == 'k' { // which have other capitals too: the dotted I, the Kelvin sign
			continue
		}
		rank := strings.IndexByte(rarity, c) // anything else is rarer than all letters
		if at < 0 || rank < best {
			best, at = rank, i
		}
	}
	if at >= 0 {
		n.before, n.after = word[:at], word[at+1:]
		n.anchor = [2]byte{word[at], byte(unicode.ToUpper(rune(word[at])))} //nolint:gosec // ASCII
	}
	return n
}

// in reports whether a text has the word.
func (n *needle) in(text string) bool {
	if n.anchor[0] == 0 {
		return strings.Contains(strings.ToLower(text), n.word)
	}
	return n.by(text, n.anchor[0]) || n.anchor[1] != n.anchor[0] && n.by(text, n.anchor[1])
}

// by reports whether a text has the word with the anchor as one of its two forms.
func (n *needle) by(text string, anchor byte) bool {
	for i := 0; ; i++ {
		j := strings.IndexByte(text[i:], anchor)
		if j < 0 {
			return false
		}
		i += j
		if endsWith(text[:i], n.before) && beginsWith(text[i+1:], n.after) {
			return true
		}
	}
}

// beginsWith reports whether a text begins with a word that is in lower case.
func beginsWith(text, word string) bool {
	for word != "" {
		x, n := utf8.DecodeRuneInString(text)
		y, k := utf8.DecodeRuneInString(word)
		if n == 0 || unicode.ToLower(x) != y {
			return false
		}
		text, word = text[n:], word[k:]
	}
	return true
}

// endsWith reports whether a text ends with a word that is in lower case.
func endsWith(text, word string) bool {
	for word != "" {
		x, n := utf8.DecodeLastRuneInString(text)
		y, k := utf8.DecodeLastRuneInString(word)
		if n == 0 || unicode.ToLower(x) != y {
			return false
		}
		text, word = text[:len(text)-n], word[:len(word)-k]
	}
	return true
}
