package board

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// Searching keeps no index of words: the texts of 50,000 posts are read through in milliseconds, and an index takes the memory of another copy
// of them, all day. See [pairs] for what it keeps.

// hits is which posts have all words of a text, of one board.
type hits struct {
	text string
	in   []atomic.Uint64 // a bit for each row, by its number
}

func (h *hits) has(r *Row) bool { return h.in[r.number/64].Load()>>(r.number%64)&1 != 0 }

// search returns the posts that have all words of a text. The last searches are kept: a page asks several times, and somebody who goes
// through a list goes back, too.
func (b *Board) search(text string) *hits {
	b.searched.Lock()
	defer b.searched.Unlock()
	last := &b.searched.hits
	if i := slices.IndexFunc(last[:], func(h *hits) bool { return h != nil && h.text == text }); i >= 0 {
		return last[i]
	}
	var words []needle
	for w := range strings.FieldsSeq(strings.ToLower(text)) {
		words = append(words, newNeedle(w))
	}
	slices.SortStableFunc(words, func(v, w needle) int { return len(w.word) - len(v.word) }) // the longest is likely the rarest
	h := &hits{text: text, in: make([]atomic.Uint64, b.numbers/64+1)}
	const chunk = 512
	parallel((len(b.rows)+chunk-1)/chunk, func(i int) {
	rows:
		for _, r := range b.rows[i*chunk : min((i+1)*chunk, len(b.rows))] {
			for i := range words {
				if !r.facts.have(&words[i]) {
					continue rows
				}
			}
			h.in[r.number/64].Or(1 << (r.number % 64))
		}
	})
	copy(last[1:], last[:])
	last[0] = h
	return h
}

// have reports whether a word is in the post's title, tags, id, path or text, as it is written.
func (f *facts) have(n *needle) bool {
	if !f.pairs.has(&n.pairs) {
		return false
	}
	if n.in(f.text[f.body:]) || n.in(f.path) {
		return true
	}
	front := !f.literal || n.in(f.text[:f.body]) // with most posts and words one look through the front matter says that no key has it
	return front && slices.ContainsFunc(f.keys(make([]string, 0, 16)), n.in) || f.other != nil && n.in(f.other.words())
}

// keys appends what is searched of the front matter.
func (f *facts) keys(list []string) []string {
	p := f.post
	list = append(append(list, p.Title, p.ID), p.Tags...)
	for i := range p.Overrides {
		o := &p.Overrides[i]
		list = append(append(list, o.Title), o.Tags...)
	}
	return list
}

// other is the texts that a post has for some accounts instead of its own. They stand in the front matter.
type other struct {
	facts *facts
	once  sync.Once
	text  string
}

func (o *other) words() string {
	o.once.Do(func() { o.text = string(o.read()) })
	return o.text
}

// read returns the texts anew.
func (o *other) read() []byte {
	var w words
	for i := range o.facts.post.Overrides {
		w.space()
		w.docs(o.facts.post.Overrides[i].Body)
	}
	return w.b
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
	next          byte // what stands behind the anchor, where that is a letter with no other forms than two in ASCII; else 0
	word          string
	pairs         pairs
}

// rarity has the letters that are rare in most languages first.
const rarity = "qxjzwvkybfgpmculdhrsnitoae"

// newNeedle makes a word in lower case ready. What is looked for first is its rarest ASCII character: processors find a byte many times
// as quickly as a word.
func newNeedle(word string) needle {
	n := needle{word: word}
	n.pairs.addWord(word)
	best, at := -1, -1
	for i := range len(word) {
		c := word[i]
		if !single(c) {
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
		if n.after != "" && n.after[0] >= 'a' && n.after[0] <= 'z' && single(n.after[0]) {
			n.next = n.after[0]
		}
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
		if n.next != 0 && (i+1 == len(text) || text[i+1]|0x20 != n.next) { // most are not, and this is how to see it soonest
			continue
		}
		if beginsWith(text[i+1:], n.after) && endsWith(text[:i], n.before) {
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
