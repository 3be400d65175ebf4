package finding

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"golang.org/x/text/width"
)

// TextOptions says how findings are written for people.
type TextOptions struct {
	// Source returns the bytes of a file, or nil when they are not to be had. Without it no source lines are quoted.
	Source func(path string) []byte
	Color  bool // use terminal colours
	Width  int  // columns to which quoted lines are cut, 0 means 100
}

const (
	colorReset  = "\x1b[0m"
	colorBold   = "\x1b[1m"
	colorRed    = "\x1b[1;31m"
	colorYellow = "\x1b[1;33m"
	colorBlue   = "\x1b[1;34m"
	colorGreen  = "\x1b[32m"
)

// WriteText writes the findings for people: one line each in the form that editors and terminals
// can jump to, the line of the file with a mark under the place, and the hint.
//
//	content/launch.md:4:12: error: unknown key "platfroms" [F103]
//	   4 | platfroms: [x]
//	     | ^~~~~~~~~
//	     = did you mean "platforms"?
func WriteText(w io.Writer, l List, o TextOptions) error {
	if o.Width <= 0 {
		o.Width = 100
	}
	b := bufio.NewWriter(w)
	paint := func(color, text string) string {
		if !o.Color {
			return text
		}
		return color + text + colorReset
	}
	var quoted source
	private := l.private()
	for _, f := range l {
		place := clean(f.Path)
		if f.Range.Start.Line > 0 {
			place += ":" + strconv.Itoa(f.Range.Start.Line)
			if f.Range.Start.Column > 0 {
				place += ":" + strconv.Itoa(f.Range.Start.Column)
			}
		}
		if place != "" {
			b.WriteString(paint(colorBold, place) + ": ")
		}
		color := colorBlue
		switch f.Severity {
		case Error:
			color = colorRed
		case Warning:
			color = colorYellow
		}
		b.WriteString(paint(color, f.Severity.String()) + ": ")
		if f.Account != "" {
			b.WriteString(clean(f.Account) + ": ")
		}
		b.WriteString(clean(f.Message) + " [" + string(f.Code) + "]\n")

		gutter := 5
		if f.Range.Start.Line > 0 && o.Source != nil && !private.covers(f.Path, f.Range.Start.Line) {
			quoted.load(f.Path, o.Source)
			if line, ok := quoted.line(f.Range.Start.Line); ok {
				number := strconv.Itoa(f.Range.Start.Line)
				gutter = max(gutter, len(number)+1)
				text, mark := excerpt(line, f.Range, o.Width)
				b.WriteString(strings.Repeat(" ", gutter-1-len(number)) + number + " | " + text + "\n")
				if mark != "" {
					b.WriteString(strings.Repeat(" ", gutter) + "| " + paint(colorGreen, mark) + "\n")
				}
			}
		}
		if f.Hint != "" {
			b.WriteString(strings.Repeat(" ", gutter) + "= " + clean(f.Hint) + "\n")
		}
	}
	return b.Flush()
}

// private returns the findings whose lines hold a secret.
func (l List) private() (found List) {
	for i := range l {
		if l[i].Private {
			found = append(found, l[i])
		}
	}
	return found
}

// covers reports whether a line is within a finding of the list.
func (l List) covers(path string, line int) bool {
	return slices.ContainsFunc(l, func(f Finding) bool {
		return f.Path == path && f.Range.Start.Line <= line && line <= max(f.Range.Start.Line, f.Range.End.Line)
	})
}

// source is the file that was quoted last: findings come sorted by path.
type source struct {
	path  string
	ok    bool
	lines [][]byte
}

func (s *source) load(path string, read func(string) []byte) {
	if s.ok && s.path == path {
		return
	}
	src := bytes.TrimPrefix(read(path), []byte("\ufeff"))
	*s = source{path: path, ok: true, lines: bytes.Split(src, []byte("\n"))}
}

func (s *source) line(n int) (string, bool) {
	if n < 1 || n > len(s.lines) {
		return "", false
	}
	line := bytes.TrimSuffix(s.lines[n-1], []byte("\r"))
	return string(line), len(bytes.TrimSpace(line)) > 0
}

// excerpt returns what a terminal shows of a line, cut to columns around the start of r, and the
// mark to go under it: a caret, and tildes to the end of r.
func excerpt(line string, r Range, columns int) (text, mark string) {
	var (
		from, to   = markedRunes(line, r)
		start, end = -1, -1 // display columns of the mark
		starts     []int    // display column of each grapheme
		pieces     []string
		cell, seen int // display columns and runes so far
	)
	for tokens := graphemes.FromString(line); tokens.Next(); {
		shown, cells := display(tokens.Value())
		starts, pieces = append(starts, cell), append(pieces, shown)
		seen += utf8.RuneCountInString(tokens.Value())
		if start < 0 && from < seen {
			start = cell
		}
		cell += cells
		if end < 0 && to <= seen {
			end = cell
		}
	}
	starts = append(starts, cell)
	if start < 0 {
		start = cell // just behind the line
	}
	if end < 0 {
		end = cell
	}

	first, last := 0, len(pieces)
	if cell > columns { // keep a window of columns, the start of the mark in its first third
		left := max(0, start-columns/3)
		for first < len(pieces) && starts[first] < left {
			first++
		}
		for last > first && starts[last]-starts[first] > columns {
			last--
		}
	}
	var out strings.Builder
	shift := starts[first]
	if first > 0 {
		out.WriteString("…")
		shift--
	}
	for _, p := range pieces[first:last] {
		out.WriteString(p)
	}
	if last < len(pieces) {
		out.WriteString("…")
	}
	if r.Start.Column == 0 {
		return out.String(), ""
	}
	end = min(end, starts[last])
	return out.String(), strings.Repeat(" ", max(0, start-shift)) + "^" + strings.Repeat("~", max(0, end-start-1))
}

// markedRunes returns the runes of the line, from 0 and end exclusive, that r covers.
func markedRunes(line string, r Range) (from, to int) {
	from = max(0, r.Start.Column-1)
	switch {
	case r.End.Line > r.Start.Line:
		to = utf8.RuneCountInString(strings.TrimRightFunc(line, unicode.IsSpace))
	case r.End.Line == r.Start.Line && r.End.Column > r.Start.Column:
		to = r.End.Column - 1
	default:
		to = from + 1
	}
	return from, to
}

// display returns what is shown for a grapheme cluster and how many terminal columns that takes. What could move the
// cursor, colour the terminal or turn the direction of the line is replaced.
func display(g string) (string, int) {
	if g == "\t" {
		return "    ", 4
	}
	cells := 0
	for _, r := range g {
		switch {
		case unprintable(r):
			return "\ufffd", 1
		case r == 0xFE0F: // asks for the emoji form of what precedes it
			cells = 2
		case r == 0x200D || unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case cells > 0: // further runes of a cluster share the cells of the first
		default:
			cells = 1
			if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
				cells = 2
			}
		}
	}
	return g, cells
}

// unprintable reports whether a rune must not reach a terminal: controls, and marks that reorder text.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}

// clean makes a text safe to print on one line of a terminal.
func clean(s string) string {
	if !strings.ContainsFunc(s, unprintable) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unprintable(r):
			return '\ufffd'
		default:
			return r
		}
	}, s)
}
