package review

import (
	"fmt"
	"strings"
	"unicode"
)

// unseen reports whether a character is not seen, and can make a reader see something else than what is there: one that turns the direction
// of what follows, that breaks or hides a line, or a byte-order mark.
func unseen(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 || r == 0xFEFF
}

// visible returns a text in which what is not seen has its name in square brackets. Line breaks and tabs stay.
func visible(text string) string {
	hides := func(r rune) bool { return unseen(r) && r != '\n' && r != '\t' }
	if !strings.ContainsFunc(text, hides) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if hides(r) {
			fmt.Fprintf(&b, "[%U]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fence writes a block of code whose fence is longer than any in the text.
func fence(language, text string) string {
	marks := "```"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	return marks + language + "\n" + strings.TrimRight(text, "\n") + "\n" + marks + "\n"
}

// Code writes a text as code within a line, where it is no markup and mentions nobody.
func Code(text string) string {
	text = visible(strings.Join(strings.FieldsFunc(text, unicode.IsControl), " "))
	marks := "`"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return marks + text + marks
}

// Inert writes a text within a line so that it is no markup on a code host, mentions nobody and refers to no issue.
func Inert(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsControl(r):
			b.WriteByte(' ')
		case unseen(r):
			fmt.Fprintf(&b, "&#91;%U&#93;", r)
		case r == '@' || r == '#':
			b.WriteRune(r)
			b.WriteRune('\u2060') // a word joiner: it is not seen, and what follows is no name
		case strings.ContainsRune("\\`*_[]<>|~!&$", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// prose writes a sentence of a finding: what stands between backquotes is code, and the rest is [Inert].
func prose(text string) string {
	pieces := strings.Split(text, "`")
	var b strings.Builder
	for i, piece := range pieces {
		switch closed := i < len(pieces)-1; {
		case i%2 == 0:
			b.WriteString(Inert(piece))
		case piece == "" || !closed:
			b.WriteString(Inert(map[bool]string{true: "``", false: "`"}[closed] + piece))
		default:
			b.WriteString(Code(piece))
		}
	}
	return b.String()
}

// cell keeps a text within one cell of a table, where a backslash takes a bar's meaning even in code.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
