package check

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/post"
)

func bannedWords() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "T302", Title: "banned word", Severity: finding.Error, Since: "0.1.0",
			Why:  "The site's style.banned lists words that no post shall contain, in whatever case.",
			Bad:  "-- site.yaml --\nstyle: {banned: [utilize]}\n-- content/sled.md --\n---\nplatforms: [x]\n---\nUtilize the sled.\n",
			Good: "-- site.yaml --\nstyle: {banned: [utilize]}\n-- content/sled.md --\n---\nplatforms: [x]\n---\nUse the sled.\n",
		},
		target: func(p *Pass, t *Target) {
			if len(p.c.banned.words) == 0 {
				return
			}
			v, r := t.Variant, t.Rendering
			for i := range r.Parts {
				part := &r.Parts[i]
				for _, hit := range p.banned(part.Text) {
					p.out.Add(v.Finding("T302", finding.Error, plaintext.Place(v, part, hit.start), fmt.Sprintf("the site bans %q", hit.word), "say it in other words"))
				}
			}
			for _, media := range v.PartMedia {
				for i := range media {
					for _, hit := range p.c.banned.find(media[i].Alt) {
						p.out.Add(v.Finding("T302", finding.Error, media[i].Range, fmt.Sprintf("the site bans %q, also in alt text", hit.word), "say it in other words"))
					}
				}
			}
			for _, hit := range p.c.banned.find(r.Title) {
				p.out.Add(v.Finding("T302", finding.Error, v.Place(post.FieldTitle), fmt.Sprintf("the site bans %q", hit.word), "say it in other words"))
			}
		},
	}
}

// banned looks for the banned words in a part's text. Accounts of one platform mostly get the same, so it remembers the last.
func (p *Pass) banned(text string) []hit {
	if text != p.bannedIn {
		p.bannedIn, p.bannedHits = text, p.c.banned.find(text)
	}
	return p.bannedHits
}

// banned is a set of words and phrases to look for.
type banned struct {
	words []bannedWord
	class [utf8.RuneSelf]uint8 // of each ASCII character
	other bool                 // some word begins with another letter
}

// The classes of characters.
const (
	inWord  = 1 << iota // is part of words
	atStart             // begins a banned word, in either case
)

type bannedWord struct {
	text   string
	folded []rune // lower case; a blank stands for any amount of white space
}

type hit struct {
	word  string
	start int
}

func newBanned(words []string) banned {
	var b banned
	for r := range rune(utf8.RuneSelf) {
		if wordRune(r) {
			b.class[r] = inWord
		}
	}
	for _, w := range words {
		word := bannedWord{text: w}
		for _, r := range w {
			if unicode.IsSpace(r) {
				r = ' '
			}
			if r == ' ' && (len(word.folded) == 0 || word.folded[len(word.folded)-1] == ' ') {
				continue
			}
			word.folded = append(word.folded, unicode.ToLower(r))
		}
		for len(word.folded) > 0 && word.folded[len(word.folded)-1] == ' ' {
			word.folded = word.folded[:len(word.folded)-1]
		}
		if len(word.folded) == 0 {
			continue
		}
		b.words = append(b.words, word)
		if r := word.folded[0]; r < utf8.RuneSelf {
			b.class[r] |= atStart
			if upper := unicode.ToUpper(r); upper < utf8.RuneSelf {
				b.class[upper] |= atStart
			}
		} else {
			b.other = true
		}
	}
	slices.SortFunc(b.words, func(x, y bannedWord) int { return slices.Compare(x.folded, y.folded) })
	return b
}

// find returns the words that stand in the text, whole.
func (b *banned) find(text string) (hits []hit) {
	before := uint8(0) // the class of the character before
	var size int
	for i := 0; i < len(text); i += size {
		size = 1
		class := uint8(0)
		if c := text[i]; c < utf8.RuneSelf {
			class = b.class[c]
		} else {
			var r rune
			if r, size = utf8.DecodeRuneInString(text[i:]); wordRune(r) {
				class = inWord
			}
			if b.other {
				class |= atStart
			}
		}
		if class&atStart != 0 && before&class&inWord == 0 { // not in the middle of a word
			for j := range b.words {
				if b.words[j].at(text[i:]) {
					hits = append(hits, hit{b.words[j].text, i})
				}
			}
		}
		before = class
	}
	return hits
}

// at reports whether text begins with the word.
func (w *bannedWord) at(text string) bool {
	for _, want := range w.folded {
		r, size := utf8.DecodeRuneInString(text)
		if size == 0 {
			return false
		}
		if want == ' ' {
			if !unicode.IsSpace(r) {
				return false
			}
			for size > 0 && unicode.IsSpace(r) {
				text = text[size:]
				r, size = utf8.DecodeRuneInString(text)
			}
			continue
		}
		if unicode.ToLower(r) != want {
			return false
		}
		text = text[size:]
	}
	next, size := utf8.DecodeRuneInString(text)
	last := w.folded[len(w.folded)-1]
	return size == 0 || !wordRune(next) || !wordRune(last)
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)
}
