package site

import (
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// tagged returns a variant whose links have the UTM parameters that site.yaml asks for. v is not changed: it is what people
// wrote, and what is compared with other posts. The canonical address, and the posts that are answered or quoted, are no links for readers.
func (s *Snapshot) tagged(v *post.Variant) *post.Variant {
	t := tagger{s.tags(v)}
	if t.Empty() {
		return v
	}
	out := *v
	out.Link = t.Add(v.Link)
	out.FirstComment = t.AddText(v.FirstComment)
	if v.Card != nil {
		card := *v.Card
		card.URL = t.Add(card.URL)
		out.Card = &card
	}
	out.Parts = slices.Clone(v.Parts)
	for i := range out.Parts {
		out.Parts[i].Blocks = t.blocks(out.Parts[i].Blocks)
	}
	return &out
}

// tags returns the UTM parameters that a variant's links get.
func (s *Snapshot) tags(v *post.Variant) utm.Tags {
	rule := s.Config.UTM(v.Account, v.Campaign)
	if len(rule.Params) == 0 {
		return utm.Tags{}
	}
	return rule.Fill(map[string]string{"account": v.Account, "campaign": v.Campaign, "platform": v.Platform, "post": v.Post.ID})
}

// tagger adds parameters to the links of rich text. Its methods return what they are given where there is nothing to add, and
// copies otherwise: posts share their blocks.
type tagger struct{ utm.Tags }

func (t tagger) blocks(blocks []post.Block) []post.Block {
	copied := false
	for i := range blocks {
		b := &blocks[i]
		inlines, inner := t.inlines(b.Inlines), t.blocks(b.Blocks)
		if same(inlines, b.Inlines) && same(inner, b.Blocks) {
			continue
		}
		if !copied {
			blocks, copied = slices.Clone(blocks), true
		}
		blocks[i].Inlines, blocks[i].Blocks = inlines, inner
	}
	return blocks
}

// same reports whether two slices are the same piece of memory.
func same[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// inlines adds parameters to the links of a paragraph, and to the addresses that stand in its text. Such an address may reach
// over several pieces of text, since Markdown's escapes and entities make pieces of their own.
func (t tagger) inlines(inlines []post.Inline) []post.Inline {
	if len(inlines) == 0 {
		return inlines
	}
	f := flat{}
	f.add(inlines)
	w := &weaver{t: t, pieces: f.pieces}
	if text := f.text.String(); strings.Contains(text, "://") {
		for _, in := range t.Insertions(text) {
			if !f.opaque(in.Stretch) {
				w.due = append(w.due, in)
			}
		}
	}
	return w.inlines(inlines)
}

// flat is the text of a paragraph in one piece. What is no plain text stands in it for what it would do to an address.
type flat struct {
	text   strings.Builder
	pieces []utm.Stretch // of the plain texts, in order
}

func (f *flat) add(inlines []post.Inline) {
	for i := range inlines {
		switch in := &inlines[i]; in.Kind {
		case post.Text:
			start := f.text.Len()
			f.text.WriteString(in.Text)
			f.pieces = append(f.pieces, utm.Stretch{Start: start, End: f.text.Len()})
		case post.SoftBreak, post.HardBreak:
			f.text.WriteByte('\n')
		case post.Emphasis, post.Strong, post.Strikethrough:
			f.add(in.Inlines)
		case post.InlineHTML: // ends an address
			f.text.WriteByte('<')
		default: // words, code or a picture: an address that runs into them is left alone
			f.text.WriteByte('-')
		}
	}
}

// opaque reports whether a stretch holds anything but plain text.
func (f *flat) opaque(s utm.Stretch) bool {
	at := s.Start
	for _, p := range f.pieces {
		if p.Start <= at && at < p.End {
			at = p.End
		}
	}
	return at < s.End
}

// weaver puts insertions into the texts they belong to.
type weaver struct {
	t      tagger
	pieces []utm.Stretch   // of the texts to come
	due    []utm.Insertion // in order
}

func (w *weaver) inlines(inlines []post.Inline) []post.Inline {
	var out []post.Inline // nil as long as nothing differs
	for i := range inlines {
		in := &inlines[i]
		var news []post.Inline // what stands for in, nil for itself
		switch in.Kind {
		case post.Text:
			news = w.text(in)
		case post.Emphasis, post.Strong, post.Strikethrough:
			if inner := w.inlines(in.Inlines); !same(inner, in.Inlines) {
				changed := *in
				changed.Inlines = inner
				news = []post.Inline{changed}
			}
		case post.Link:
			if dest := w.t.Add(in.Dest); dest != in.Dest {
				changed := *in
				changed.Dest = dest
				news = []post.Inline{changed}
			}
		case post.AutoLink: // in <brackets>; without words, a link shows its address
			if dest := w.t.Add(in.Dest); dest != in.Dest {
				news = []post.Inline{{Kind: post.Link, Dest: dest, Span: in.Span}}
			}
		}
		if news != nil && out == nil {
			out = append(make([]post.Inline, 0, len(inlines)+len(news)+1), inlines[:i]...)
		}
		switch {
		case news != nil:
			out = append(out, news...)
		case out != nil:
			out = append(out, *in)
		}
	}
	if out == nil {
		return inlines
	}
	return out
}

// text cuts a text where parameters belong. They have no span, since they stand nowhere in the file; the pieces keep theirs.
func (w *weaver) text(in *post.Inline) []post.Inline {
	piece := w.pieces[0]
	w.pieces = w.pieces[1:]
	var out []post.Inline
	done := piece.Start
	cut := func(end int) {
		if end == done {
			return
		}
		part := post.Inline{Kind: post.Text, Text: in.Text[done-piece.Start : end-piece.Start], Span: in.Span}
		if in.Span.End-in.Span.Start == len(in.Text) {
			part.Span = post.Span{Start: in.Span.Start + done - piece.Start, End: in.Span.Start + end - piece.Start}
		}
		out = append(out, part)
		done = end
	}
	for len(w.due) > 0 && w.due[0].At <= piece.End {
		cut(w.due[0].At)
		out = append(out, post.Inline{Kind: post.Text, Text: w.due[0].Text})
		w.due = w.due[1:]
	}
	if out != nil {
		cut(piece.End)
	}
	return out
}
