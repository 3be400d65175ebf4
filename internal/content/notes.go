package content

import (
	"bytes"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"github.com/postrider/postrider/internal/post"
)

// HTML comments are notes between people and are never published. Markdown alone does not grant that: to
// it, a comment inside a paragraph ends at a blank line, and what follows is text. So notes are cut out
// before Markdown is read, as if they had never been written: one that has lines for itself goes with
// its lines. What is inside code is no note, and what is code only Markdown can tell. Hence the
// rounds: read, find the notes outside code, cut, read again, until nothing changes.

// cut is a stretch of a text that Markdown does not get to see: notes, and the blanks that would be left over.
type cut struct {
	start, end int
	brk        bool // a <!-- thread -->, which stands for a thread break
}

// note is an HTML comment.
type note struct {
	post.Span
	thread bool // <!-- thread -->
	open   bool // never closed
}

// text returns what stands inside the comment.
func (n note) text(src []byte) string {
	inside := bytes.TrimPrefix(src[n.Start:n.End], commentOpen)
	if len(inside) <= 2 && !n.open { // <!--> and <!--->
		return ""
	}
	return string(bytes.TrimSpace(bytes.TrimSuffix(inside, commentClose)))
}

const maxRounds = 6

var (
	commentOpen  = []byte("<!--")
	commentClose = []byte("-->")
	threadBreak  = []byte("---")
)

// readNotes parses a text without its notes. Without ok, notes and code could not be told apart.
func readNotes(md parser.Parser, src []byte) (doc ast.Node, stripped []byte, m offsets, notes []note, ok bool) {
	if !bytes.Contains(src, commentOpen) {
		return md.Parse(text.NewReader(src)), src, offsets{{}}, nil, true
	}
	var cuts []cut
	for range maxRounds {
		stripped, m = strip(src, cuts)
		doc = md.Parse(text.NewReader(stripped))
		code := codeSpans(doc, stripped)
		for i, c := range code {
			code[i] = post.Span{Start: m.at(c.Start), End: m.at(c.End-1) + 1}
		}
		notes = findNotes(src, code)
		found := cutNotes(src, notes)
		if slices.Equal(found, cuts) {
			// Two halves may have come together as a new comment.
			return doc, stripped, m, notes, len(findNotes(stripped, codeSpans(doc, stripped))) == 0
		}
		cuts = found
	}
	return doc, stripped, m, notes, false
}

// strip leaves the cuts out of src and returns where the rest stands in src.
func strip(src []byte, cuts []cut) ([]byte, offsets) {
	out := make([]byte, 0, len(src))
	m := make(offsets, 0, 2*len(cuts)+1)
	at := 0
	for _, c := range cuts {
		m = append(m, stretch{len(out), at})
		out = append(out, src[at:c.start]...)
		if c.brk {
			m = append(m, stretch{len(out), c.start})
			out = append(out, threadBreak...)
		}
		at = c.end
	}
	m = append(m, stretch{len(out), at})
	return append(out, src[at:]...), m
}

// codeSpans returns where there is code, in order.
func codeSpans(doc ast.Node, src []byte) []post.Span {
	var spans []post.Span
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case ast.KindCodeBlock, ast.KindFencedCodeBlock:
			for _, s := range n.Lines().Sliced(0, n.Lines().Len()) {
				if s.Start < s.Stop {
					spans = append(spans, post.Span{Start: s.Start, End: s.Stop})
				}
			}
			return ast.WalkSkipChildren, nil
		case ast.KindCodeSpan:
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok && t.Segment.Start < t.Segment.Stop {
					spans = append(spans, post.Span{Start: t.Segment.Start, End: t.Segment.Stop})
				}
			}
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	slices.SortFunc(spans, func(a, b post.Span) int { return a.Start - b.Start })
	return spans
}

// findNotes returns the notes of src that do not begin inside code.
func findNotes(src []byte, code []post.Span) []note {
	var notes []note
	for at := 0; ; {
		i := bytes.Index(src[at:], commentOpen)
		if i < 0 {
			return notes
		}
		start := at + i
		for len(code) > 0 && code[0].End <= start {
			code = code[1:]
		}
		at = start + len(commentOpen)
		if len(code) > 0 && code[0].Start <= start || escaped(src, start) {
			continue
		}
		n := note{}
		rest := src[at:]
		switch j := bytes.Index(rest, commentClose); {
		case bytes.HasPrefix(rest, []byte(">")): // <!--> and <!---> are whole, by the standard
			at++
		case bytes.HasPrefix(rest, []byte("->")):
			at += 2
		case j < 0:
			n.open, at = true, len(src)
		default:
			n.thread = strings.EqualFold(string(bytes.TrimSpace(rest[:j])), "thread")
			at += j + len(commentClose)
		}
		n.Span = post.Span{Start: start, End: at}
		notes = append(notes, n)
	}
}

// escaped reports whether an odd number of backslashes stands before at.
func escaped(src []byte, at int) bool {
	n := 0
	for at-n > 0 && src[at-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// cutNotes returns what to leave out. Notes with nothing but blanks between them are cut as one.
func cutNotes(src []byte, notes []note) []cut {
	var cuts []cut
	for len(notes) > 0 {
		n := 1
		for n < len(notes) && len(bytes.Trim(src[notes[n-1].End:notes[n].Start], " \t")) == 0 {
			n++
		}
		c := cut{start: notes[0].Start, end: notes[n-1].End}
		before, after := c.start, c.end // the blanks around it
		for before > 0 && isBlank(src[before-1]) {
			before--
		}
		for after < len(src) && isBlank(src[after]) {
			after++
		}
		startsLine := before == 0 || src[before-1] == '\n'
		endsLine := after == len(src) || src[after] == '\n' || src[after] == '\r'
		switch {
		case startsLine && endsLine && n == 1 && notes[0].thread:
			c.brk = true
		case startsLine && endsLine: // it goes with its lines
			c.start, c.end = before, after+len(lineAt(src, after))
		case endsLine:
			c.start = before
		case startsLine || before < c.start:
			c.end = after
		}
		cuts = append(cuts, c)
		notes = notes[n:]
	}
	return cuts
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
