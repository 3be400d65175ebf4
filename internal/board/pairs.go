package board

import "unicode/utf8"

// pairs is which pairs of characters a text has, whatever their case, as a set that may have more than the text: a word with a pair that is not in it
// is not in the text. Most texts are ruled out so without a look at them, which would bring all of them in from memory.
type pairs [4]uint64

// notePairs fills the pairs of everything that is searched.
func (f *facts) notePairs() {
	f.pairs.add(f.text)
	f.pairs.add(f.path)
	if !f.literal {
		for _, key := range f.keys(nil) {
			f.pairs.add(key)
		}
	}
	if f.other != nil {
		f.pairs.add(string(f.other.read())) // it is kept from when it is searched for
	}
}

// add puts in the pairs of ASCII characters of a text.
func (p *pairs) add(text string) {
	var last byte = utf8.RuneSelf
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if last < utf8.RuneSelf && c < utf8.RuneSelf {
			p.put(last, c)
		}
		last = c
	}
}

// addWord puts in those pairs of a word in lower case that every text has in which the word is.
func (p *pairs) addWord(word string) {
	for i := 1; i < len(word); i++ {
		if single(word[i-1]) && single(word[i]) {
			p.put(word[i-1], word[i])
		}
	}
}

func (p *pairs) put(a, b byte) {
	h := (uint32(a)<<8 | uint32(b)) * 0x9e3779b1 >> 24
	p[h>>6] |= 1 << (h & 63)
}

// has reports whether all pairs of others are in p.
func (p *pairs) has(others *pairs) bool {
	return others[0]&^p[0]|others[1]&^p[1]|others[2]&^p[2]|others[3]&^p[3] == 0
}

// single reports whether a character in lower case is ASCII whatever its case: i and k are not, with the dotted I and the Kelvin sign.
func single(c byte) bool { return c < utf8.RuneSelf && c != 'i' && c != 'k' }
