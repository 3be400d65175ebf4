// Package finding holds what is wrong, or worth knowing, about a site and its posts.
//
// A problem in somebody's content is a value, not an error: it is collected, sorted, printed in
// several forms and sent to reviewers, while the rest of the site goes on. Go errors are kept for
// "cannot continue".
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity says what a finding means for publishing.
type Severity uint8

// The severities, from harmless to blocking.
const (
	Info    Severity = iota // worth knowing
	Warning                 // probably not what the writer wants; publishes
	Error                   // blocks: the post (or the one account it names) does not go out
)

// String returns "info", "warning" or "error".
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "info"
	}
}

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; it accepts what [Severity.String] returns.
func (s *Severity) UnmarshalText(b []byte) error {
	switch string(b) {
	case "error":
		*s = Error
	case "warning":
		*s = Warning
	case "info":
		*s = Info
	default:
		return fmt.Errorf("unknown severity %q: want error, warning or info", b)
	}
	return nil
}

// Code names a kind of finding, for example "T201". Codes are stable: they are what people look
// up with `postrider explain` and what they ignore in a file. The letter groups them:
// F file and front matter, B body, T text as a network shows it, K link cards, L links that were asked, M media, D dates and schedule,
// C campaigns and references, S site.yaml, P one platform's rules, R results and publishing.
type Code string

// Pos is a place in a file: line and column, both from 1, the column in Unicode code points.
// A zero Line means "the file as a whole"; a zero Column "the line as a whole".
type Pos struct{ Line, Column int }

// Range is a stretch of a file. End is exclusive. A zero End means that only the start is known.
type Range struct{ Start, End Pos }

// Finding is one problem or remark.
type Finding struct {
	Code     Code
	Severity Severity
	Path     string // slash-separated, relative to the site's folder
	Range    Range
	Post     string // the post's id, empty when it is about no single post
	Account  string // the account's name, empty when it is about all
	Message  string // what is wrong: one sentence, lower case, no full stop
	Hint     string // what to do about it
	Fix      Fix    // how it is mended without anybody having to decide anything; the zero Fix where that cannot be
	// Private says that the lines of Range hold a secret: printers must not quote them.
	Private bool
}

// List is a collection of findings.
type List []Finding

// Add appends findings.
func (l *List) Add(f ...Finding) { *l = append(*l, f...) }

// HasErrors reports whether any finding blocks.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(f Finding) bool { return f.Severity == Error })
}

// Count returns how many findings have severity s.
func (l List) Count(s Severity) (n int) {
	for i := range l {
		if l[i].Severity == s {
			n++
		}
	}
	return n
}

// Blocking returns the first error that concerns account: one that names the account or none.
func (l List) Blocking(account string) (Finding, bool) {
	for _, f := range l {
		if f.Severity == Error && (f.Account == "" || f.Account == account) {
			return f, true
		}
	}
	return Finding{}, false
}

// Sort orders the list by path, position, code, account and message, and drops exact repeats, so
// that every output is stable.
func (l *List) Sort() {
	slices.SortFunc(*l, compare)
	*l = slices.Compact(*l)
}

func compare(a, b Finding) int {
	return cmp.Or(
		strings.Compare(a.Path, b.Path),
		cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
		cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		strings.Compare(string(a.Code), string(b.Code)),
		strings.Compare(a.Account, b.Account),
		strings.Compare(a.Message, b.Message),
		cmp.Compare(a.Range.End.Line, b.Range.End.Line),
		cmp.Compare(a.Range.End.Column, b.Range.End.Column),
		cmp.Compare(a.Severity, b.Severity),
		strings.Compare(a.Hint, b.Hint),
		strings.Compare(a.Post, b.Post),
	)
}

// Doc is the documentation of one code: what `postrider explain CODE` and docs/CHECKS.md show.
// The package that reports a code exports its Docs, and a test proves that the catalogue is complete.
type Doc struct {
	Code     Code
	Title    string // a short noun phrase
	Severity Severity
	Why      string // why it matters, one or two sentences
	Bad      string // an example that triggers it
	Good     string // the same example, mended
	Since    string // the version that introduced it
}

// Locator turns byte offsets of one source text into positions. It is for one goroutine.
type Locator struct {
	src   []byte
	lines []int // offset of each line's first byte
	// The last answer: on one long line, the next one is counted from there and not from its start.
	lastOffset int
	last       Pos
}

// NewLocator returns a locator for src, which it keeps.
func NewLocator(src []byte) *Locator { return &Locator{src: src} }

// Pos returns the position of the byte at offset; an offset outside the text is moved to its nearest end.
func (l *Locator) Pos(offset int) Pos {
	if l.lines == nil {
		l.lines = append(make([]int, 0, 64), 0)
		for i, c := range l.src {
			if c == '\n' {
				l.lines = append(l.lines, i+1)
			}
		}
	}
	offset = max(0, min(offset, len(l.src)))
	line, found := slices.BinarySearch(l.lines, offset)
	if !found {
		line--
	}
	from, column := l.lines[line], 1
	if l.last.Line == line+1 && l.lastOffset <= offset {
		from, column = l.lastOffset, l.last.Column
	}
	for _, c := range l.src[from:offset] {
		if c&0xC0 != 0x80 { // count the first byte of each code point
			column++
		}
	}
	l.lastOffset, l.last = offset, Pos{Line: line + 1, Column: column}
	return l.last
}

// Range returns the positions of the bytes from start to end, end exclusive.
func (l *Locator) Range(start, end int) Range {
	return Range{Start: l.Pos(start), End: l.Pos(end)}
}

// Span writes a length of time for a message: 2m, 1h30m, 500ms.
func Span(d time.Duration) string {
	s := d.String()
	if cut, ok := strings.CutSuffix(s, "m0s"); ok {
		s = cut + "m"
	}
	if cut, ok := strings.CutSuffix(s, "h0m"); ok {
		s = cut + "h"
	}
	return s
}
