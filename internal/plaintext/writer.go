package plaintext

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// indent is what the lines of a list item after its first begin with.
const indent = "  "

// writer writes one part. Line breaks are written late, before the text that follows them: so blocks
// that turn out empty leave no gap, and no part ends with one.
type writer struct {
	c     *composer
	buf   []byte
	spans []platform.SourceSpan
	marks []platform.Facet // explicit facets in the order of their start
	urls  []writtenURL     // addresses written out after a link's words
	home  finding.Range    // the place of text that has no span

	prefixes []prefix // of the lines inside the current block, outermost first
	pending  int      // line breaks due before the next text
	opened   int      // marks at the end of marks that have no start yet
	puts     int      // how often text was written: tells whether something was
	space    bool     // a picture vanished behind a space: the next text needs one, the line's end does not
	skip     bool     // a picture vanished at the start of a line: the space behind it goes too
	inCell   bool     // a table's cell: line breaks are spaces
	inLink   bool
}

// prefix is what lines inside a block begin with: the first one and the others.
type prefix struct {
	first, rest string
	used        bool
}

// writtenURL is a link's address that stands in the text.
type writtenURL struct {
	start, end int
	source     post.Span
}

// breakLines asks for at least n line breaks before the next text.
func (w *writer) breakLines(n int) {
	w.pending = max(w.pending, n)
	w.space = false
}

func (w *writer) atLineStart() bool { return len(w.buf) == 0 || w.pending > 0 }

// flush writes the due line breaks and the prefixes of the line that begins.
func (w *writer) flush() {
	if !w.atLineStart() {
		if w.space {
			w.buf = append(w.buf, ' ')
			w.space = false
		}
		return
	}
	if len(w.buf) > 0 {
		for ; w.pending > 0; w.pending-- {
			w.buf = append(w.buf, '\n')
			if w.pending > 1 { // a blank line belongs to the blocks that have begun before it
				for i := range w.prefixes {
					if p := &w.prefixes[i]; p.used {
						w.buf = append(w.buf, p.rest...)
					}
				}
				w.buf = bytes.TrimRight(w.buf, " ")
			}
		}
	}
	w.pending = 0
	for i := range w.prefixes {
		p := &w.prefixes[i]
		if p.used {
			w.buf = append(w.buf, p.rest...)
		} else {
			w.buf = append(w.buf, p.first...)
			p.used = true
		}
	}
}

// trim removes spaces from the end of what was written.
func (w *writer) trim() {
	n := len(w.buf)
	for n > 0 && (w.buf[n-1] == ' ' || w.buf[n-1] == '\t') {
		n--
	}
	w.buf = w.buf[:n]
	for i := len(w.spans) - 1; i >= 0 && w.spans[i].End > n; i-- {
		s := &w.spans[i]
		if s.Start >= n {
			w.spans = w.spans[:i]
			continue
		}
		if exact(*s) {
			s.Source.End -= s.End - n
		}
		s.End = n
	}
	for i := range w.marks {
		w.marks[i].Start = min(w.marks[i].Start, n)
		w.marks[i].End = min(w.marks[i].End, n)
	}
}

// write writes text that came from source. Line breaks in it are kept.
func (w *writer) write(text string, source post.Span) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, string(utf8.RuneError))
	}
	for {
		i := strings.IndexByte(text, '\n')
		if i < 0 {
			w.put(text, source)
			return
		}
		line, from := strings.TrimSuffix(text[:i], "\r"), source
		if source.End-source.Start == len(text) {
			from.End = from.Start + len(line)
			source.Start += i + 1
		}
		text = text[i+1:]
		w.put(line, from)
		if w.inCell {
			w.put(" ", post.Span{})
		} else {
			w.pending++
			w.space = false
		}
	}
}

// put writes a piece of one line.
func (w *writer) put(text string, source post.Span) {
	if w.skip {
		trimmed := strings.TrimLeft(text, " \t")
		if source.End-source.Start == len(text) {
			source.Start += len(text) - len(trimmed)
		}
		text = trimmed
	}
	if text == "" {
		return
	}
	w.skip = false
	if text[0] == ' ' {
		w.space = false
	}
	w.flush()
	w.puts++
	start := len(w.buf)
	for ; w.opened > 0; w.opened-- {
		w.marks[len(w.marks)-w.opened].Start = start
	}
	w.buf = append(w.buf, text...)
	if source == (post.Span{}) {
		return
	}
	if n := len(w.spans) - 1; n >= 0 {
		if last := &w.spans[n]; last.End == start && last.Source.End == source.Start && exact(*last) && source.End-source.Start == len(text) {
			last.End += len(text)
			last.Source.End = source.End
			return
		}
	}
	if w.spans == nil {
		w.spans = make([]platform.SourceSpan, 0, 4)
	}
	w.spans = append(w.spans, platform.SourceSpan{Start: start, End: len(w.buf), Source: source})
}

// exact reports whether the span's text is the very bytes of the source.
func exact(s platform.SourceSpan) bool { return s.End-s.Start == s.Source.End-s.Source.Start }

// blocks writes blocks with gap line breaks between them.
func (w *writer) blocks(blocks []post.Block, gap int) {
	for i := range blocks {
		if i > 0 {
			w.breakLines(gap)
		}
		w.block(&blocks[i], gap)
	}
}

func (w *writer) block(b *post.Block, gap int) {
	w.space, w.skip = false, false
	switch b.Kind {
	case post.List:
		w.list(b)
	case post.Quote:
		w.push("> ", "> ")
		w.blocks(b.Blocks, 2)
		w.pop()
	case post.CodeBlock:
		w.open(platform.FacetCode, "")
		w.write(strings.TrimRight(strings.TrimLeft(b.Text, "\r\n"), "\r\n"), b.Span)
		w.close(platform.FacetCode)
	case post.Audience:
		if w.c.isFor(b) {
			w.blocks(b.Blocks, gap)
		}
	case post.RawHTML:
		w.write(strings.Trim(b.Text, "\r\n"), b.Span)
	case post.TableBlock:
		w.table(b)
	default: // Paragraph, Heading; a row, cell or item that stands alone
		w.text(b.Text, b.Span)
		w.inlines(b.Inlines)
		if len(b.Inlines) > 0 && len(b.Blocks) > 0 {
			w.breakLines(gap)
		}
		w.blocks(b.Blocks, gap)
	}
}

func (w *writer) push(first, rest string) {
	if w.prefixes == nil {
		w.prefixes = make([]prefix, 0, 4)
	}
	w.prefixes = append(w.prefixes, prefix{first: first, rest: rest})
}

func (w *writer) pop() { w.prefixes = w.prefixes[:len(w.prefixes)-1] }

func (w *writer) list(b *post.Block) {
	gap := 2
	if b.Tight {
		gap = 1
	}
	for i := range b.Blocks {
		if i > 0 {
			w.breakLines(gap)
		}
		marker := "• "
		if b.Ordered {
			marker = strconv.Itoa(b.Level+i) + ". "
		}
		w.push(marker, indent)
		w.block(&b.Blocks[i], gap)
		w.pop()
	}
}

func (w *writer) table(b *post.Block) {
	if !w.c.s.takesAll() {
		w.c.add(CodeTable, finding.Warning, w.place(b.Span),
			w.c.s.Network+" has no tables: the rows become lines, the cells are separated by \" | \"",
			"say it in sentences or as a list, or attach the table as a picture with alt text")
	}
	w.inCell = true
	for i := range b.Blocks {
		if i > 0 {
			w.breakLines(1)
		}
		row := &b.Blocks[i]
		for j := range row.Blocks {
			if j > 0 {
				w.put(" | ", post.Span{})
			}
			cell := &row.Blocks[j]
			w.skip, w.space = false, false
			w.inlines(cell.Inlines)
		}
	}
	w.inCell = false
}

func (w *writer) inlines(inlines []post.Inline) {
	for i := range inlines {
		w.inline(&inlines[i])
	}
}

func (w *writer) inline(in *post.Inline) {
	switch in.Kind {
	case post.Text:
		w.text(in.Text, in.Span)
	case post.SoftBreak, post.HardBreak:
		w.lineBreak()
	case post.Strong:
		w.marked(platform.FacetBold, in)
	case post.Emphasis:
		w.marked(platform.FacetItalic, in)
	case post.Strikethrough:
		if !w.c.s.Rich {
			w.c.add(CodeStrike, finding.Warning, w.place(in.Span),
				w.c.s.Network+" cannot strike words out: they would be read as if they held",
				"leave the words out")
		}
		w.marked(platform.FacetStrike, in)
	case post.CodeSpan:
		w.open(platform.FacetCode, "")
		w.write(in.Text, in.Span)
		w.close(platform.FacetCode)
	case post.Link:
		w.link(in)
	case post.AutoLink:
		w.autoLink(in)
	case post.Image: // attached, not written
		if w.atLineStart() {
			w.skip = true
		} else if last := w.buf[len(w.buf)-1]; last == ' ' || last == '\t' {
			w.trim()
			w.space = true
		}
	case post.InlineHTML:
		if isBreakTag(in.Text) {
			w.lineBreak()
		} else {
			w.write(in.Text, in.Span)
		}
	default:
		w.text(in.Text, in.Span)
		w.inlines(in.Inlines)
	}
}

func (w *writer) lineBreak() {
	if w.inCell {
		w.put(" ", post.Span{})
	} else {
		w.breakLines(1)
	}
}

// isBreakTag reports whether an HTML tag is a line break: <br>, <br/>, <br />.
func isBreakTag(tag string) bool {
	return strings.HasPrefix(tag, "<") && strings.EqualFold(strings.TrimRight(tag[1:], " />"), "br")
}

// open begins an explicit facet; close ends it. Kinds that the style does not have are ignored.
func (w *writer) open(kind platform.FacetKind, value string) {
	if !w.c.s.Rich && kind != platform.FacetLink {
		return
	}
	w.marks = append(w.marks, platform.Facet{Start: -1, End: -1, Kind: kind, Value: value})
	w.opened++
}

func (w *writer) close(kind platform.FacetKind) {
	if !w.c.s.Rich && kind != platform.FacetLink {
		return
	}
	for i := len(w.marks) - 1; i >= 0; i-- {
		if w.marks[i].End >= 0 {
			continue
		}
		if w.marks[i].Start < 0 { // nothing was written in it
			w.marks = append(w.marks[:i], w.marks[i+1:]...)
			w.opened--
		} else {
			w.marks[i].End = len(w.buf)
		}
		return
	}
}

func (w *writer) marked(kind platform.FacetKind, in *post.Inline) {
	w.open(kind, "")
	w.inlines(in.Inlines)
	w.close(kind)
}

// links returns the explicit facets that hold at least one byte.
func (w *writer) links() []platform.Facet {
	kept := w.marks[:0]
	for _, m := range w.marks {
		if m.Start >= 0 && m.Start < m.End {
			kept = append(kept, m)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// place returns where a span of the file stands, or the home of text that has none.
func (w *writer) place(s post.Span) finding.Range {
	if s == (post.Span{}) {
		return w.home
	}
	return w.c.v.Range(s)
}
