package finding

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fix mends what a finding is about, where there is one way to do that and no doubt about it: New takes the place of Old.
// The zero Fix is none.
type Fix struct {
	Text  string // what it does, as an order: `write "bluesky" for "blueski"`
	Range Range  // where Old stands; both ends are known, and they are the same where New is put in
	Old   string
	New   string
}

// Given reports whether there is a fix.
func (f *Fix) Given() bool { return f.Text != "" }

// Apply carries fixes out on the file that they are for, and returns the new file and those that were carried out, in the order of their
// places. One at whose place the file has something else, and one that overlaps another before it, is left out.
func Apply(src []byte, fixes []Fix) (out []byte, done []Fix) {
	fixes = slices.Clone(fixes)
	slices.SortStableFunc(fixes, func(a, b Fix) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
			cmp.Compare(min(1, len(a.Old)), min(1, len(b.Old)))) // what is put in stands before what takes the place of something
	})
	l := NewLocator(src)
	copied, last := 0, -1
	for _, f := range fixes {
		start := l.offset(f.Range.Start)
		if !f.Given() || start < copied || start == last && f.Old == "" || !bytes.HasPrefix(src[start:], []byte(f.Old)) || l.Pos(start) != f.Range.Start || l.Pos(start+len(f.Old)) != f.Range.End {
			continue
		}
		out = append(append(out, src[copied:start]...), f.New...)
		copied, last = start+len(f.Old), start
		done = append(done, f)
	}
	return append(out, src[copied:]...), done
}

// Fix returns the fix that writes new for old, which must stand in r once, as a word of its own. Without an end, r ends with its line.
func (l *Locator) Fix(r Range, old, new string) (f Fix, ok bool) {
	if r.Start.Line == 0 || old == "" || old == new {
		return f, false
	}
	start, end := l.bounds(r)
	at := -1
	for i := start; ; {
		n := bytes.Index(l.src[i:end], []byte(old))
		if n < 0 {
			break
		}
		if i += n; l.alone(i, i+len(old)) {
			if at >= 0 {
				return f, false
			}
			at = i
		}
		i += len(old)
	}
	if at < 0 {
		return f, false
	}
	return Fix{Text: "write " + strconv.Quote(new) + " for " + strconv.Quote(old), Range: l.Range(at, at+len(old)), Old: old, New: new}, true
}

// Replace returns the fix that writes new for all that stands in r, whose both ends are known. text says what that does.
func (l *Locator) Replace(r Range, new, text string) (f Fix, ok bool) {
	if r.Start.Line == 0 || r.End.Line == 0 {
		return f, false
	}
	start, end := l.bounds(r)
	if start > end || l.Pos(start) != r.Start || l.Pos(end) != r.End {
		return f, false
	}
	return Fix{Text: text, Range: r, Old: string(l.src[start:end]), New: new}, true
}

// bounds returns the bytes of a range. Without an end, it ends with its line.
func (l *Locator) bounds(r Range) (start, end int) {
	start = l.offset(r.Start)
	if r.End.Line > 0 {
		return start, max(start, l.offset(r.End))
	}
	end = len(l.src)
	if n := bytes.IndexByte(l.src[start:], '\n'); n >= 0 {
		end = start + n
	}
	return start, end
}

// offset returns the byte at a position; one outside the text is moved to its nearest end.
func (l *Locator) offset(p Pos) int {
	l.Pos(0) // finds the lines
	if p.Line < 1 {
		return 0
	}
	if p.Line > len(l.lines) {
		return len(l.src)
	}
	at := l.lines[p.Line-1]
	for range p.Column - 1 {
		if at >= len(l.src) || l.src[at] == '\n' {
			break
		}
		for at++; at < len(l.src) && l.src[at]&0xC0 == 0x80; at++ { // the rest of the code point, as Pos counts them
		}
	}
	return at
}

// alone reports whether what stands from start to end is no part of a longer word.
func (l *Locator) alone(start, end int) bool {
	before, _ := utf8.DecodeLastRune(l.src[:start])
	after, _ := utf8.DecodeRune(l.src[end:])
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-/", r) }
	return !word(before) && !word(after)
}
