package utm

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Stretch is a piece of a text, in bytes.
type Stretch struct{ Start, End int }

// Addresses returns the web addresses that stand in a text as they are, in order. Each network has its own opinion where one
// ends; those for which the opinions differ, such as an address that runs into Japanese words, are left out.
func Addresses(text string) []Stretch {
	var found []Stretch
	for at := 0; at < len(text); {
		i := strings.Index(text[at:], "://")
		if i < 0 {
			break
		}
		colon := at + i
		at = colon + len("://")
		start := schemeStart(text, colon)
		if start < 0 {
			continue
		}
		end, certain := addressEnd(text, at)
		if end <= at { // no host
			continue
		}
		at = end
		if _, ok := host(text[start:end]); ok && certain {
			found = append(found, Stretch{start, end})
		}
	}
	return found
}

// schemeStart returns where the scheme before a colon begins, -1 when that is no address of the web.
func schemeStart(text string, colon int) int {
	for _, scheme := range [...]string{"https", "http"} {
		start := colon - len(scheme)
		if start < 0 || !strings.EqualFold(text[start:colon], scheme) {
			continue
		}
		if before, _ := utf8.DecodeLastRuneInString(text[:start]); start > 0 && (unicode.IsLetter(before) || unicode.IsDigit(before) || strings.ContainsRune("@#$_/-.&=", before)) {
			return -1
		}
		return start
	}
	return -1
}

// addressEnd returns where the address ends whose host begins at from, and whether all networks see it so.
func addressEnd(text string, from int) (end int, certain bool) {
	certain = true
	end = from
scan:
	for end < len(text) {
		r, n := utf8.DecodeRuneInString(text[end:])
		switch {
		case r <= ' ' || r == 0x7F || strings.ContainsRune("<>\"`", r):
			break scan
		case strings.ContainsRune("|\\^{}", r):
			certain = false
			break scan
		case r < utf8.RuneSelf:
		case unicode.In(r, unicode.Latin, unicode.Cyrillic):
		case r == utf8.RuneError, unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
			certain = false
			break scan
		default: // punctuation, a space, a symbol
			break scan
		}
		end += n
	}
	round, square := balance(text[from:end], '(', ')'), balance(text[from:end], '[', ']')
	for ; end > from; end-- {
		switch text[end-1] {
		case '.', ',', ';', ':', '!', '?', '\'', '*':
			continue
		case ')':
			if round >= 0 {
				return end, certain
			}
			round++
		case ']':
			if square >= 0 {
				return end, certain
			}
			square++
		default:
			return end, certain
		}
	}
	return end, certain
}

// balance returns how many brackets are opened and not closed.
func balance(s string, opened, closed byte) int {
	n := 0
	for i := range len(s) {
		switch s[i] {
		case opened:
			n++
		case closed:
			n--
		}
	}
	return n
}

// Insertion is what an address in a text lacks, and before which byte of the text it belongs.
type Insertion struct {
	At   int
	Text string
	Stretch
}

// Insertions returns what the addresses of a text lack, in order.
func (t Tags) Insertions(text string) []Insertion {
	var list []Insertion
	for _, a := range Addresses(text) {
		if at, more := t.insertion(text[a.Start:a.End]); more != "" {
			list = append(list, Insertion{a.Start + at, more, a})
		}
	}
	return list
}

// AddText returns a text with the parameters added to the addresses in it.
func (t Tags) AddText(text string) string {
	var b strings.Builder
	done := 0
	for _, in := range t.Insertions(text) {
		b.WriteString(text[done:in.At])
		b.WriteString(in.Text)
		done = in.At
	}
	return b.String() + text[done:]
}
