package content

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// converter turns one Markdown text, a body or an override's, into docs. Its blocks and inlines, in the
// scratch, are stacks: a finished list is copied out at its exact size.
type converter struct {
	*reader
	src  []byte  // without notes
	text string  // src again: what the docs hold are pieces of it
	file offsets // where src stands in the file; empty: nowhere
	hole offsets // where notes were cut out of src: text is never joined over them

	// The text that was pushed last: its place on the stack and in src.
	textIndex, textStart, textEnd int
}

// markdown reads a text that stands in the file where at says, and returns its parts, at least one.
// place is where findings go that have no place of their own.
func (r *reader) markdown(src []byte, at offsets, place finding.Range) (parts []post.Doc, notes []post.Note) {
	r.place = place
	if rng, why := tooLong(src); why != "" {
		if len(at) > 0 {
			place = r.loc.Range(at.at(rng.Start), at.at(rng.End-1)+1)
		}
		r.add(codeTooLong, finding.Error, place, why, "divide it into posts, or into paragraphs with blank lines between them")
		return []post.Doc{{}}, nil
	}
	doc, stripped, cuts, found, ok := readNotes(r.shared.markdown, src)
	c := converter{reader: r, src: stripped, hole: cuts}
	if rest := r.rest(at); len(rest) >= len(stripped) && rest[:len(stripped)] == string(stripped) {
		c.text = rest[:len(stripped)] // no second copy
	} else {
		c.text = string(stripped)
	}
	if len(at) > 0 {
		c.file = compose(cuts, at)
	}
	breaks := cutNotes(src, found)
	for _, n := range found {
		note := post.Note{Text: n.text(src), Range: place}
		if len(at) > 0 {
			note.Span = post.Span{Start: at.at(n.Start), End: at.at(n.End-1) + 1}
			note.Range = r.loc.Range(note.Start, note.End)
		}
		rng := finding.Range{Start: note.Range.Start}
		switch {
		case n.open:
			r.add(codeOpenNote, finding.Error, rng, "the comment is never closed, and nothing after it would be published", "close it with -->")
		case n.thread && !isBreak(breaks, n):
			r.add(codeThreadNote, finding.Warning, rng, "<!-- thread --> shares its line with something else and is no thread break", "give it a line for itself, or write ---")
		case n.thread:
			continue
		}
		notes = append(notes, note)
	}
	if !ok {
		r.add(codeNoteMess, finding.Error, place, "comments and code are entangled: there is no telling what is a note and what is text", "move the comments to lines of their own")
		return []post.Doc{{}}, notes
	}
	return c.parts(doc), notes
}

// isBreak reports whether a <!-- thread --> divides the text.
func isBreak(cuts []cut, n note) bool {
	i, ok := slices.BinarySearchFunc(cuts, n.Start, func(c cut, at int) int { return c.start - at })
	return ok && cuts[i].brk
}

// rest returns the post's text from where at begins, if at is in one piece.
func (r *reader) rest(at offsets) string {
	if len(at) != 1 || at[0].file > len(r.text) {
		return ""
	}
	return r.text[at[0].file:]
}

// Reading Markdown takes time by the square of a paragraph's length at worst, so both have bounds, far
// above what any network takes.
const (
	maxText      = 256 << 10
	maxParagraph = 16 << 10
)

// tooLong says why a text is not read, and which part of it is to blame; "" for one that is read.
func tooLong(src []byte) (post.Span, string) {
	if len(src) <= maxParagraph {
		return post.Span{}, ""
	}
	if len(src) > maxText {
		return post.Span{Start: maxText, End: len(src)}, fmt.Sprintf("the text is longer than %d KiB", maxText>>10)
	}
	start := 0 // of the lines since the last blank one
	for at := 0; at < len(src); {
		line := lineAt(src, at)
		at += len(line)
		if len(bytes.TrimSpace(line)) == 0 {
			start = at
		} else if at-start > maxParagraph {
			return post.Span{Start: start, End: at}, fmt.Sprintf("the paragraph is longer than %d KiB", maxParagraph>>10)
		}
	}
	return post.Span{}, ""
}

// compose returns the map that leads through inner and then through outer.
func compose(inner, outer offsets) offsets {
	if len(outer) == 1 {
		all := make(offsets, len(inner))
		for i, s := range inner {
			all[i] = stretch{s.start, outer.at(s.file)}
		}
		return all
	}
	all := make(offsets, 0, len(inner)+len(outer))
	for i, s := range inner {
		all = append(all, stretch{s.start, outer.at(s.file)})
		end := int(^uint(0) >> 1)
		if i+1 < len(inner) {
			end = inner[i+1].start
		}
		for _, o := range outer[outer.after(s.file):] {
			start := s.start + o.start - s.file
			if start >= end {
				break
			}
			all = append(all, stretch{start, o.file})
		}
	}
	return all
}

// span returns where the bytes of src stand in the file.
func (c *converter) span(start, end int) post.Span {
	if len(c.file) == 0 {
		return post.Span{}
	}
	start = max(0, min(start, len(c.src)))
	end = max(start, min(end, len(c.src)))
	if start == end {
		at := c.file.at(start)
		return post.Span{Start: at, End: at}
	}
	return post.Span{Start: c.file.at(start), End: c.file.at(end-1) + 1}
}

// finding adds a finding about bytes of src.
func (c *converter) finding(code finding.Code, sev finding.Severity, start, end int, message, hint string) {
	if c.full() {
		return
	}
	rng := c.place
	if len(c.file) > 0 {
		s := c.span(start, end)
		rng = c.loc.Range(s.Start, s.End)
	}
	c.add(code, sev, rng, message, hint)
}

// parts divides a document at its thread breaks.
func (c *converter) parts(doc ast.Node) []post.Doc {
	type part struct {
		blocks     []post.Block
		start, end int // of the break before it
	}
	parts := make([]part, 1, 4)
	mark := len(c.scratch.blocks)
	finish := func() { parts[len(parts)-1].blocks = c.take(mark) }
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() == ast.KindThematicBreak {
			finish()
			start := n.Pos()
			parts = append(parts, part{start: start, end: start + len(bytes.TrimRight(lineAt(c.src, start), " \t\r\n"))})
			continue
		}
		c.block(n, true)
	}
	finish()
	docs := make([]post.Doc, 0, len(parts))
	for i, p := range parts {
		if len(p.blocks) == 0 && len(parts) > 1 {
			at := p // an empty first part is the next break's doing
			which := "after"
			if i == 0 {
				at, which = parts[1], "before"
			}
			c.finding(codeEmptyPart, finding.Warning, at.start, at.end, "the part of the thread "+which+" this break is empty and is left out", "remove the break")
			c.mendBreak()
			continue
		}
		d := post.Doc{Blocks: p.blocks}
		if len(p.blocks) > 0 {
			d.Span = post.Span{Start: p.blocks[0].Span.Start, End: p.blocks[len(p.blocks)-1].Span.End}
		}
		docs = append(docs, d)
	}
	if len(docs) == 0 {
		docs = append(docs, post.Doc{})
	}
	return c.scratch.kept.docs.Copy(docs)
}

// take pops the blocks above mark off the stack.
func (c *converter) take(mark int) []post.Block {
	list := c.scratch.kept.blocks.Copy(c.scratch.blocks[mark:])
	c.scratch.blocks = c.scratch.blocks[:mark]
	return list
}

func (c *converter) children(n ast.Node) []post.Block {
	mark := len(c.scratch.blocks)
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		c.block(child, false)
	}
	return c.take(mark)
}

// block converts n and pushes what comes of it.
func (c *converter) block(n ast.Node, top bool) {
	var b post.Block
	start, end := n.Pos(), 0
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		b.Kind = post.Paragraph
		b.Inlines, end = c.inlineList(n)
		if len(b.Inlines) == 0 {
			return
		}
	case *ast.Heading:
		b.Kind, b.Level = post.Heading, n.Level
		b.Inlines, end = c.inlineList(n)
	case *ast.List:
		b.Kind, b.Ordered, b.Tight, b.Level = post.List, n.IsOrdered(), n.IsTight, n.Start
		b.Blocks = c.children(n)
	case *ast.ListItem:
		b.Kind = post.Item
		b.Blocks = c.children(n)
	case *ast.Blockquote:
		b.Kind = post.Quote
		b.Blocks = c.children(n)
	case *ast.FencedCodeBlock:
		b.Kind = post.CodeBlock
		if info := n.Language(c.src); info != nil {
			b.Info = unescape(string(info))
		}
		b.Text, end = c.code(n.Lines())
	case *ast.CodeBlock:
		b.Kind = post.CodeBlock
		b.Text, end = c.code(n.Lines())
	case *ast.HTMLBlock:
		b.Kind = post.RawHTML
		if n.ClosureLine.Start >= 0 {
			n.Lines().Append(n.ClosureLine)
		}
		b.Text, end = c.code(n.Lines())
		c.html(start, end, b.Text)
	case *ast.ThematicBreak:
		lineEnd := start + len(bytes.TrimRight(lineAt(c.src, start), " \t\r\n"))
		if audienceOf(n) != nil {
			c.finding(codeBreakInBlock, finding.Error, start, lineEnd, "a thread break stands inside a ::: block", "close the block before the break and open it again after it")
		} else {
			c.finding(codeNestedBreak, finding.Warning, start, lineEnd, "a break inside a list or a quote starts no new part and is left out", "start it in column 1 to break the thread, or remove it")
		}
		return
	case *audience:
		if !c.audience(n, top, &b) {
			return
		}
		start, end = n.start, n.end
	case *east.Table:
		b.Kind = post.TableBlock
		b.Blocks = c.children(n)
	case *east.TableHeader, *east.TableRow:
		b.Kind = post.TableRow
		b.Blocks = c.children(n)
	case *east.TableCell:
		b.Kind = post.TableCell
		b.Inlines, end = c.inlineList(n)
		if n.Lines().Len() > 0 {
			start = n.Lines().At(0).Start
		}
	default: // definitions of links: they have done their work
		return
	}
	b.Span = c.span(start, max(start, end))
	for _, child := range b.Blocks {
		b.Span.End = max(b.Span.End, child.Span.End)
		if start < 0 {
			b.Span.Start, start = child.Span.Start, 0
		}
	}
	c.scratch.blocks = append(c.scratch.blocks, b)
}

// audience checks an audience block and reports whether it may stand.
func (c *converter) audience(n *audience, top bool, b *post.Block) bool {
	bad := func(code finding.Code, message, hint string) bool {
		c.finding(code, finding.Error, n.start, n.end, message, hint)
		return false
	}
	switch {
	case n.stray:
		return bad(codeStrayClose, "::: closes nothing", "remove it, or name whom the block is for: ::: bluesky")
	case n.nested:
		return bad(codeNestedBlock, "a ::: block stands inside another", "close the first one before it")
	case !top:
		return bad(codeNestedBlock, "a ::: block stands inside a list or a quote", "start it in column 1")
	case !n.closed:
		return bad(codeOpenBlock, "the block is never closed", "close it with a line that is exactly :::")
	}
	b.Kind = post.Audience
	for i, w := range n.words {
		name, except := strings.CutPrefix(w, "!")
		switch {
		case !isName(name):
			return bad(codeBlockNames, fmt.Sprintf("%s is not the name of a platform or an account", quote(w)), "write names separated by blanks: ::: x linkedin")
		case i > 0 && except != b.Except:
			return bad(codeBlockNames, "the block is for some names and not for others at once", "write only names, or only names with a !")
		}
		b.Except = except
		b.Names = append(b.Names, name)
	}
	b.Blocks = c.children(n)
	return true
}

// code returns lines of code or HTML as they are, without the last line's end.
func (c *converter) code(lines *text.Segments) (string, int) {
	n := lines.Len()
	if n == 0 {
		return "", 0
	}
	first, last := lines.At(0), lines.At(n-1)
	end := last.Stop - len(c.src[last.Start:last.Stop]) + len(bytes.TrimRight(c.src[last.Start:last.Stop], "\r\n"))
	whole := true
	at := first.Start
	for i := range n {
		s := lines.At(i)
		whole = whole && s.Start == at && s.Padding == 0
		at = s.Stop
	}
	var s string
	if whole {
		s = c.text[first.Start:last.Stop]
	} else {
		var b strings.Builder
		for i := range n {
			seg := lines.At(i)
			b.Write(seg.Value(c.src))
		}
		s = b.String()
	}
	if strings.Contains(s, "\r\n") {
		s = strings.ReplaceAll(s, "\r\n", "\n")
	}
	return strings.TrimSuffix(s, "\n"), end
}

func (c *converter) html(start, end int, text string) {
	if c.full() {
		return
	}
	c.finding(codeRawHTML, finding.Warning, start, end, fmt.Sprintf("HTML is left to networks that take it: %s", quote(shorten(text))), "write Markdown; a backslash before < keeps it as text")
}

// inlineList converts what stands in a paragraph and returns where its last piece ends in src.
func (c *converter) inlineList(n ast.Node) (list []post.Inline, end int) {
	mark := len(c.scratch.inlines)
	end = c.walk(n)
	// Blanks that a note has left at the end.
	for len(c.scratch.inlines) > mark {
		if last := c.scratch.inlines[len(c.scratch.inlines)-1]; last.Kind != post.SoftBreak && last.Kind != post.HardBreak {
			break
		}
		c.scratch.inlines = c.scratch.inlines[:len(c.scratch.inlines)-1]
	}
	return c.takeInlines(mark), end
}

func (c *converter) takeInlines(mark int) []post.Inline {
	list := c.scratch.kept.inlines.Copy(c.scratch.inlines[mark:])
	c.scratch.inlines = c.scratch.inlines[:mark]
	return list
}

// walk pushes the children of n and returns where the last one ends in src, 0 without any.
func (c *converter) walk(n ast.Node) (end int) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		t, ok := child.(*ast.Text)
		if !ok {
			end = max(end, c.inline(child))
			continue
		}
		start, stop := t.Segment.Start, t.Segment.Stop
		for !t.SoftLineBreak() && !t.HardLineBreak() { // pieces that Markdown looked at one by one
			next, ok := t.NextSibling().(*ast.Text)
			if !ok || next.Segment.Start != stop || next.IsRaw() != t.IsRaw() {
				break
			}
			t, child, stop = next, next, next.Segment.Stop
		}
		c.pushText(start, stop, t.IsRaw())
		end = max(end, stop)
		if t.SoftLineBreak() || t.HardLineBreak() {
			b := post.Inline{Kind: post.SoftBreak}
			if t.HardLineBreak() {
				b.Kind = post.HardBreak
			}
			nl := stop
			for nl < len(c.src) && c.src[nl] != '\n' {
				nl++
			}
			b.Span = c.span(stop, nl+1)
			c.scratch.inlines = append(c.scratch.inlines, b)
		}
	}
	return end
}

// pushText pushes the text of src from start to stop, joined to the text before it where nothing is between
// them, and in pieces where a note was cut out of it.
func (c *converter) pushText(start, stop int, raw bool) {
	for start < stop {
		end := c.hole.cut(start, stop)
		s := c.text[start:end]
		if !raw {
			s = unescape(s)
		}
		switch last := len(c.scratch.inlines) - 1; {
		case s == "":
		case c.joins(last, start):
			in := &c.scratch.inlines[last]
			if whole := c.text[c.textStart:end]; len(whole) == len(in.Text)+len(s) && strings.HasPrefix(whole, in.Text) && strings.HasSuffix(whole, s) {
				in.Text = whole
			} else {
				in.Text += s
			}
			in.Span.End = c.span(start, end).End
		default:
			c.scratch.inlines = append(c.scratch.inlines, post.Inline{Kind: post.Text, Text: s, Span: c.span(start, end)})
			c.textStart = start
		}
		c.textIndex, c.textEnd = len(c.scratch.inlines)-1, end
		start = end
	}
}

// joins reports whether the inline on top of the stack is a text that ends where, in the file, start is.
func (c *converter) joins(last, start int) bool {
	return last >= 0 && last == c.textIndex && len(c.scratch.inlines[last].Text) < 4096 && c.textEnd == start && c.scratch.inlines[last].Kind == post.Text && c.hole.cut(start-1, start+1) > start
}

// inline pushes n and returns where it ends in src.
func (c *converter) inline(n ast.Node) int {
	var in post.Inline
	start, end := n.Pos(), 0
	switch n := n.(type) {
	case *ast.String:
		in.Text = string(n.Value)
	case *ast.CodeSpan:
		in.Kind = post.CodeSpan
		in.Text, end = c.codeSpan(n, start)
	case *ast.Emphasis:
		in.Kind = post.Emphasis
		if n.Level == 2 {
			in.Kind = post.Strong
		}
		in.Inlines, start, end = c.delimited(n, n.Level)
	case *east.Strikethrough:
		in.Kind = post.Strikethrough
		tildes := 1
		if start >= 0 && start+1 < len(c.src) && c.src[start+1] == '~' {
			tildes = 2
		}
		in.Inlines, start, end = c.delimited(n, tildes)
	case *ast.AutoLink:
		in.Kind = post.AutoLink
		in.Text = c.scratch.kept.texts.Copy(n.Label(c.src))
		in.Dest = c.scratch.kept.texts.Copy(n.URL(c.src))
		if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(in.Dest), "mailto:") {
			in.Dest = "mailto:" + in.Dest
		}
		end = start + len(in.Text) + 2
	case *ast.Link:
		in.Kind = post.Link
		mark := len(c.scratch.inlines)
		last := c.walk(n)
		in.Inlines = c.takeInlines(mark)
		in.Dest, in.Title = unescape(c.scratch.kept.texts.Copy(n.Destination)), unescape(c.scratch.kept.texts.Copy(n.Title))
		end = c.linkEnd(max(last, start+1), n.Reference)
	case *ast.Image:
		mark := len(c.scratch.inlines)
		last := c.walk(n)
		alt := plain(c.scratch.inlines[mark:])
		c.scratch.inlines = c.scratch.inlines[:mark]
		end = c.linkEnd(max(last, start+2), n.Reference)
		if in.Media = c.image(string(n.Destination), alt, start, end); in.Media == nil {
			return end
		}
		in.Kind, in.Text, in.Title = post.Image, alt, unescape(string(n.Title))
	case *ast.RawHTML:
		in.Kind = post.InlineHTML
		var b strings.Builder
		for i := range n.Segments.Len() {
			s := n.Segments.At(i)
			b.Write(s.Value(c.src))
			end = s.Stop
		}
		in.Text = strings.ReplaceAll(b.String(), "\r\n", "\n")
		c.html(start, end, in.Text)
	default:
		return c.walk(n)
	}
	end = min(max(start, end), len(c.src))
	in.Span = c.span(start, end)
	c.scratch.inlines = append(c.scratch.inlines, in)
	return end
}

// delimited converts what stands between delimiters of n bytes.
func (c *converter) delimited(node ast.Node, n int) (list []post.Inline, start, end int) {
	mark := len(c.scratch.inlines)
	start = node.Pos()
	if first := c.firstByte(node); first >= n {
		start = first - n
	}
	end = c.walk(node)
	return c.takeInlines(mark), start, max(end, start+n) + n
}

// firstByte returns where the first child of n starts in src.
func (c *converter) firstByte(n ast.Node) int {
	first := n.FirstChild()
	if first == nil {
		return -1
	}
	switch first := first.(type) {
	case *ast.Emphasis:
		return c.firstByte(first) - first.Level
	default:
		return first.Pos()
	}
}

// codeSpan returns the text of a code span and where the span ends. Line ends in it count as blanks.
func (c *converter) codeSpan(n *ast.CodeSpan, start int) (string, int) {
	ticks := 0
	for start+ticks < len(c.src) && c.src[start+ticks] == '`' {
		ticks++
	}
	var b strings.Builder
	end := start + ticks
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if t, ok := child.(*ast.Text); ok {
			b.Write(t.Segment.Value(c.src))
			end = t.Segment.Stop
		}
	}
	if i := bytes.IndexByte(c.src[min(end, len(c.src)):], '`'); i >= 0 {
		end += i + ticks
	}
	s := strings.ReplaceAll(b.String(), "\r\n", "\n")
	return strings.ReplaceAll(s, "\n", " "), end
}

// linkEnd returns where a link ends whose words end at or before the next "]" from at on. That it is
// well formed is known; only its end is not.
func (c *converter) linkEnd(at int, ref *ast.ReferenceLink) int {
	src := c.src
	for at < len(src) && src[at] != ']' {
		at++
	}
	at++
	skipBlank := func() {
		for at < len(src) && util.IsSpace(src[at]) {
			at++
		}
	}
	find := func(closer byte) {
		for at < len(src) && src[at] != closer {
			if src[at] == '\\' {
				at++
			}
			at++
		}
		at++
	}
	switch {
	case ref != nil && ref.Type == ast.ReferenceLinkShortcut:
	case ref != nil:
		find(']')
	default:
		at++ // the parenthesis
		skipBlank()
		if at < len(src) && src[at] == '<' {
			find('>')
		} else {
			for depth := 0; at < len(src) && !util.IsSpace(src[at]); at++ {
				if src[at] == '\\' {
					at++
				} else if src[at] == '(' {
					depth++
				} else if src[at] == ')' {
					if depth--; depth < 0 {
						break
					}
				}
			}
		}
		skipBlank()
		if at < len(src) && (src[at] == '"' || src[at] == '\'') {
			quote := src[at]
			at++
			find(quote)
		} else if at < len(src) && src[at] == '(' {
			find(')')
		}
		skipBlank()
		at++
	}
	return min(at, len(src))
}

// image returns the medium for an image in the text, nil when it names no file of the site.
func (c *converter) image(dest, alt string, start, end int) *post.Media {
	m := &post.Media{File: unescape(dest), Alt: alt, HasAlt: alt != ""}
	if c.mediaCount <= maxMedia { // positions cost time
		m.Range = c.place
		if len(c.file) > 0 {
			s := c.span(start, end)
			m.Range = c.loc.Range(s.Start, s.End)
		}
	}
	if decoded, err := url.PathUnescape(m.File); err == nil && !strings.Contains(decoded, "\x00") {
		m.File = decoded
	}
	if !c.attach(m) {
		return nil
	}
	return m
}

// plain returns the words of inlines.
func plain(list []post.Inline) string {
	if len(list) == 1 && list[0].Kind == post.Text {
		return list[0].Text
	}
	var b strings.Builder
	for _, in := range list {
		switch in.Kind {
		case post.SoftBreak, post.HardBreak:
			b.WriteByte(' ')
		case post.Emphasis, post.Strong, post.Strikethrough, post.Link:
			b.WriteString(plain(in.Inlines))
		case post.InlineHTML:
		default:
			b.WriteString(in.Text)
		}
	}
	return b.String()
}

// unescape resolves Markdown's backslash escapes and entities.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, '&') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && util.IsPunct(s[i+1]):
			b.WriteByte(s[i+1])
			i += 2
		case c == '&':
			end := strings.IndexByte(s[i:min(len(s), i+40)], ';')
			if end < 0 {
				b.WriteByte(c)
				i++
				continue
			}
			entity := []byte(s[i : i+end+1])
			resolved := util.ResolveEntityNames(util.ResolveNumericReferences(entity))
			if bytes.Equal(entity, resolved) {
				b.WriteByte(c)
				i++
				continue
			}
			b.Write(resolved)
			i += end + 1
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// shorten cuts a text for a message.
func shorten(s string) string {
	if len(s) <= 40 {
		return s
	}
	cut := 40
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
