package pages

import (
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// textOf returns the text of all parts of a thread as one.
func textOf[P any](parts []P, text func(P) string) string {
	texts := make([]string, len(parts))
	for i := range parts {
		texts[i] = text(parts[i])
	}
	return strings.Join(texts, "\n\n⸻\n\n")
}

// differenceMost is how many words and spaces two texts may have for their common ones to be looked for: a few milliseconds' work.
const differenceMost = 2000

// difference shows how one text became another, word by word: what went in <del>, what came in <ins>. Longer ones than differenceMost show
// what lies between their common beginning and end as rewritten. It is a pure function, so there is no time limit in it.
func difference(before, after string) template.HTML {
	var b strings.Builder
	a := alphabet{of: map[string]rune{}}
	x, y := a.encode(before), a.encode(after)
	start := 0
	for start < len(x) && start < len(y) && x[start] == y[start] {
		start++
	}
	end := 0
	for end < len(x)-start && end < len(y)-start && x[len(x)-1-end] == y[len(y)-1-end] {
		end++
	}
	escape := func(tag string, runes []rune) {
		if text := template.HTMLEscapeString(a.decode(runes)); text == "" || tag == "" {
			b.WriteString(text)
		} else {
			b.WriteString("<" + tag + ">" + text + "</" + tag + ">")
		}
	}
	escape("", x[:start])
	gone, come := x[start:len(x)-end], y[start:len(y)-end]
	if len(gone)+len(come) > differenceMost {
		escape("del", gone)
		escape("ins", come)
	} else {
		d := diffmatchpatch.New()
		d.DiffTimeout = 0
		var del, ins []rune
		flush := func() {
			escape("del", del)
			escape("ins", ins)
			del, ins = nil, nil
		}
		for _, part := range d.DiffMainRunes(gone, come, false) {
			runes := []rune(part.Text)
			switch {
			case part.Type == diffmatchpatch.DiffDelete:
				del = append(del, runes...)
			case part.Type == diffmatchpatch.DiffInsert:
				ins = append(ins, runes...)
			case len(del)+len(ins) > 0 && strings.TrimSpace(a.decode(runes)) == "":
				// A space between two changed words is changed with them: fewer, longer pieces are easier to read.
				del, ins = append(del, runes...), append(ins, runes...)
			default:
				flush()
				escape("", runes)
			}
		}
		flush()
	}
	escape("", x[len(x)-end:])
	return template.HTML(b.String()) //nolint:gosec // every text in it is escaped above
}

// alphabet has a letter for each word, and for each stretch of space between words.
type alphabet struct {
	words []string
	of    map[string]rune
}

const (
	// firstLetter begins a stretch of a million code points, behind the surrogates, which no string can hold.
	firstLetter = 0xE000
	// encodeMost is how many bytes a text may have to be cut into words, so that the letters suffice for two.
	encodeMost = 1 << 19
)

func (a *alphabet) encode(text string) []rune {
	var letters []rune
	cut := len(text) <= encodeMost
	for text != "" {
		word := text
		if cut {
			word = text[:wordLen(text)]
		}
		text = text[len(word):]
		r, ok := a.of[word]
		if !ok {
			r = firstLetter + rune(len(a.words)) //nolint:gosec // bounded by encodeMost
			a.of[word] = r
			a.words = append(a.words, word)
		}
		letters = append(letters, r)
	}
	return letters
}

// wordLen returns how many bytes of a text are its first word, or the space before that.
func wordLen(text string) int {
	first, _ := utf8.DecodeRuneInString(text)
	if n := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) != unicode.IsSpace(first) }); n >= 0 {
		return n
	}
	return len(text)
}

func (a *alphabet) decode(letters []rune) string {
	var b strings.Builder
	for _, r := range letters {
		b.WriteString(a.words[r-firstLetter])
	}
	return b.String()
}
