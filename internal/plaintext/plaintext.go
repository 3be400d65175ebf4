// Package plaintext turns Markdown into text for networks that have no rich text, and cuts it into
// the parts of a thread.
//
// What becomes of each Markdown construct is a decision that docs/RENDERING.md lists, network by
// network. Two rules stand above them. A body that is one plain paragraph becomes exactly that text.
// And nothing is dropped in silence: what a network cannot show is either kept in another form or
// reported as a finding, with its place in the file.
//
// Writing is pure and total: every variant gives parts, whatever its Doc looks like.
package plaintext

import (
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// LinkStyle says what a link with words becomes.
type LinkStyle uint8

// The link styles.
const (
	LinkAddress LinkStyle = iota // the words and then the address: "the shop (https://acme.example)"
	LinkFacet                    // the words alone, with a facet that holds the address
)

// Style is how one account's network writes.
type Style struct {
	Network string // the network's name for messages: "Bluesky"
	Links   LinkStyle
	Rich    bool   // bold, italic, struck-out text and code become facets; nothing is lost
	Tags    bool   // `tags:` that the text lacks are appended as hashtags
	Lead    string // a first line that the first part gets: a content warning where there is no field for it
	Append  string // an address that the first part ends with, unless the text has it
	// MayBeEmpty says that a first part without text and media is a post all the same: it has a card.
	MayBeEmpty bool

	Max      int                   // the longest part, in Unit; 0: any length
	MaxBytes int                   // a second limit, in bytes of UTF-8; 0: none
	Unit     measure.Unit          // what Count counts
	Count    func(text string) int // the network's own measure; nil: no length is reported
	// Entities finds what the network links by itself; nil: nothing.
	Entities func(text string) []measure.Entity
}

// takesAll reports whether the reader is no network but a program, which gets everything as it was written and decides itself what
// becomes of a name, an address or a link's title.
func (s *Style) takesAll() bool { return s.Rich && s.Entities == nil }

// Write returns the parts of a variant as the network gets them, at least one: text, facets, media,
// length and where the text came from. Parts that have neither text nor media for this account are
// left out. With `thread: auto`, parts that are too long are cut.
func Write(v *post.Variant, s *Style) ([]platform.Part, finding.List) {
	c := composer{v: v, s: s}
	first, last := c.filled()
	c.parts = make([]platform.Part, 0, last-first+2)
	for i := first; i <= last; i++ {
		if i != first && i != last && !c.hasContent(i) {
			continue
		}
		c.part(i, i == first, i == last)
	}
	if v.FirstComment != "" {
		c.firstComment()
	}
	if p := &c.parts[0]; !s.MayBeEmpty && len(p.Media) == 0 && strings.TrimSpace(p.Text) == "" {
		severity := finding.Error
		if v.Draft { // it has only been begun
			severity = finding.Info
		}
		c.add(CodeNothing, severity, v.Range(post.Span{}),
			"nothing is left to publish on "+s.Network,
			"write some text, attach media, or take the account out of `platforms:`")
	}
	return c.parts, c.findings
}

// composer makes the parts of one variant.
type composer struct {
	v        *post.Variant
	s        *Style
	parts    []platform.Part
	findings finding.List
}

// add reports a finding for the variant's account.
func (c *composer) add(code finding.Code, sev finding.Severity, at finding.Range, message, hint string) {
	c.findings = append(c.findings, c.v.Finding(code, sev, at, message, hint))
}

// filled returns the first and the last of the written parts that have something for the account;
// 0, 0 when none has.
func (c *composer) filled() (first, last int) {
	first = -1
	for i := range c.v.Parts {
		if c.hasContent(i) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return max(0, first), last
}

func (c *composer) media(i int) []post.Media {
	if i < len(c.v.PartMedia) {
		return c.v.PartMedia[i]
	}
	return nil
}

func (c *composer) hasContent(i int) bool {
	return len(c.media(i)) > 0 || c.blocksHaveText(c.v.Parts[i].Blocks)
}

func (c *composer) blocksHaveText(blocks []post.Block) bool {
	for i := range blocks {
		b := &blocks[i]
		if b.Kind == post.Audience && !c.isFor(b) {
			continue
		}
		if strings.TrimSpace(b.Text) != "" || inlinesHaveText(b.Inlines) || c.blocksHaveText(b.Blocks) {
			return true
		}
	}
	return false
}

func inlinesHaveText(inlines []post.Inline) bool {
	for i := range inlines {
		in := &inlines[i]
		switch in.Kind {
		case post.Image, post.SoftBreak, post.HardBreak:
		case post.Link, post.AutoLink:
			return true
		default:
			if strings.TrimSpace(in.Text) != "" || inlinesHaveText(in.Inlines) {
				return true
			}
		}
	}
	return false
}

// isFor reports whether an Audience block is meant for the variant's account.
func (c *composer) isFor(b *post.Block) bool {
	named := false
	for _, name := range b.Names {
		named = named || name == c.v.Account || name == c.v.Platform
	}
	return named != b.Except
}

// buffers are what parts are written in: only the finished text is allocated.
var buffers = sync.Pool{New: func() any { return new([1024]byte) }}

// part writes the i-th part of the post.
func (c *composer) part(i int, first, last bool) {
	buffer := buffers.Get().(*[1024]byte) //nolint:forcetypeassert // nothing else is in the pool
	defer buffers.Put(buffer)
	w := writer{c: c, buf: buffer[:0], home: c.v.Range(post.Span{})}
	if first && c.s.Lead != "" {
		w.write(c.s.Lead, post.Span{})
		w.breakLines(2)
	}
	if i < len(c.v.Parts) {
		w.blocks(c.v.Parts[i].Blocks, 2)
	}
	if first && c.s.Append != "" && !w.hasAddress(c.s.Append) {
		w.breakLines(2)
		w.write(c.s.Append, post.Span{})
	}
	if last && c.s.Tags && len(c.v.Tags) > 0 {
		c.tags(&w)
	}
	c.finish(&w, i)
}

// firstComment writes `first_comment:` as the last part of the thread, which is a reply to the post.
func (c *composer) firstComment() {
	var stack [512]byte
	w := writer{c: c, buf: stack[:0], home: c.v.Place(post.FieldFirstComment)}
	w.text(c.v.FirstComment, post.Span{})
	c.finish(&w, -1)
}

// finish makes what w has written a part, or several where it is too long.
func (c *composer) finish(w *writer, i int) {
	w.trim()
	p := platform.Part{
		Text: string(w.buf), Facets: w.links(), Spans: w.spans,
		Max: c.s.Max, MaxByte: c.s.MaxBytes, Unit: c.s.Unit,
	}
	if i >= 0 {
		p.Media = mediaOf(c.media(i))
	}
	c.measure(&p)
	c.checkAddresses(w, &p)
	if !tooLong(&p) {
		c.parts = append(c.parts, p)
		return
	}
	if c.v.Thread == "auto" && c.fits(&p, "") {
		c.split(w, &p)
		return
	}
	c.tooLong(w, &p)
	c.parts = append(c.parts, p)
}

func mediaOf(list []post.Media) []platform.Media {
	if len(list) == 0 {
		return nil
	}
	out := make([]platform.Media, len(list))
	for i := range list {
		out[i] = platform.MediaOf(&list[i])
	}
	return out
}

// measure fills in the part's lengths and adds the facets of what the network links by itself.
// Explicit facets win over detected ones.
func (c *composer) measure(p *platform.Part) {
	if c.s.Count != nil {
		p.Used = c.s.Count(p.Text)
	}
	if c.s.MaxBytes > 0 {
		p.UsedByte = len(p.Text)
	}
	if c.s.Entities != nil {
		p.Facets = withEntities(p.Facets, c.s.Entities(p.Text))
	}
}

func tooLong(p *platform.Part) bool {
	return p.Max > 0 && p.Used > p.Max || p.MaxByte > 0 && p.UsedByte > p.MaxByte
}

// withEntities merges detected entities into explicit facets. Both are in order.
func withEntities(marks []platform.Facet, entities []measure.Entity) []platform.Facet {
	if len(entities) == 0 {
		return marks
	}
	merged := make([]platform.Facet, 0, len(marks)+len(entities))
	for _, e := range entities {
		for len(marks) > 0 && marks[0].End <= e.Start {
			merged = append(merged, marks[0])
			marks = marks[1:]
		}
		if len(marks) > 0 && marks[0].Start < e.End {
			continue
		}
		merged = append(merged, facetOf(e))
	}
	return append(merged, marks...)
}

func facetOf(e measure.Entity) platform.Facet {
	f := platform.Facet{Start: e.Start, End: e.End, Value: e.Value}
	switch e.Kind {
	case measure.Mention:
		f.Kind = platform.FacetMention
	case measure.Hashtag:
		f.Kind = platform.FacetTag
	case measure.Cashtag:
		f.Kind = platform.FacetTag
		f.Value = "$" + e.Value
	default:
		f.Kind = platform.FacetLink
	}
	return f
}

// Place returns where in the file the byte at offset of a part's text came from.
func Place(v *post.Variant, p *platform.Part, offset int) finding.Range {
	source, _ := sourceFrom(p.Spans, offset)
	return v.Range(source)
}
