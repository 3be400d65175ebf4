package finding

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Markdown returns the documentation as a section under a level-2 heading: what docs/CHECKS.md shows.
func (d Doc) Markdown() string {
	var b strings.Builder
	b.WriteString("## " + string(d.Code) + " " + d.Title + "\n\n")
	b.WriteString(d.Severity.String())
	if d.Since != "" {
		b.WriteString(", since " + d.Since)
	}
	b.WriteString("\n\n" + d.Why + "\n")
	example(&b, "Found in:", d.Bad)
	example(&b, "Not in:", d.Good)
	return b.String()
}

// Text returns the documentation for a terminal: what `postrider explain CODE` prints.
func (d Doc) Text() string {
	var b strings.Builder
	b.WriteString(string(d.Code) + " " + d.Title + " (" + d.Severity.String())
	if d.Since != "" {
		b.WriteString(", since " + d.Since)
	}
	b.WriteString(")\n\n" + d.Why + "\n")
	for _, e := range [...]struct{ title, text string }{{"Found in:", d.Bad}, {"Not in:", d.Good}} {
		if e.text == "" {
			continue
		}
		b.WriteString("\n" + e.title + "\n\n")
		for line := range strings.Lines(visible(strings.TrimRight(e.text, "\n")) + "\n") {
			if line != "\n" {
				b.WriteString("    ")
			}
			b.WriteString(line)
		}
	}
	return b.String()
}

// example writes text as a fenced block, with a fence longer than any in it.
func example(b *strings.Builder, title, text string) {
	if text == "" {
		return
	}
	text = visible(text)
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	b.WriteString("\n" + title + "\n\n" + fence + "\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n")
}

// visible writes what an example has of controls, marks and broken characters as escapes: a page must not have them itself.
func visible(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, "\\x%02x", text[i])
		case r != '\n' && r != '\t' && unprintable(r) || r == 0xFEFF:
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}
