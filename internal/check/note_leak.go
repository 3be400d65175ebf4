package check

import (
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// noteLeak can only fire through a mistake in this program. It stands between such a mistake and the public.
func noteLeak() Check {
	return Check{
		Doc: finding.Doc{
			Code: "T305", Title: "note that would be published", Severity: finding.Error, Since: "0.1.0",
			Why: "HTML comments are notes between writers and reviewers and are never published. This check proves it for every text that would go out: " +
				"if it ever fires, the program has a fault, and the post stays.",
			Good: "-- content/sled.md --\n---\nplatforms: [x]\n---\nThe sled is back. <!-- ask Eva whether she wants to be named here -->\n",
		},
		target: func(p *Pass, t *Target) {
			x := t.Variant.Post
			if len(x.Notes) == 0 && x.Remark == "" {
				return
			}
			for i := range t.Rendering.Parts {
				part := t.Rendering.Parts[i]
				part.Text = utm.Strip(part.Text) // a campaign's name in a link is no note, even where one says the same
				if at, leak := leaks(t.Variant, &part); leak {
					p.out.Add(t.Variant.Finding("T305", finding.Error, at, "this note would be published", "this is a fault of postrider: please report it, and move the note out of the file"))
				}
			}
		},
	}
}

// leaks reports whether a part shows anything of a note of the post, and which.
func leaks(v *post.Variant, part *platform.Part) (finding.Range, bool) {
	x := v.Post
	for i := range x.Notes {
		n := &x.Notes[i]
		for _, s := range part.Spans {
			// A span of text may reach over a note that stands in the middle of it; a leaked note is its own source.
			if s.Source.Start >= n.Start && s.Source.End <= n.End && s.Source.Start < s.Source.End {
				return x.Range(n.Span), true
			}
		}
		if told(n.Text, part.Text) && !told(n.Text, ownText(v)) {
			return x.Range(n.Span), true
		}
	}
	if told(x.Remark, part.Text) && !told(x.Remark, ownText(v)) {
		return v.Place(post.FieldNotes), true
	}
	return finding.Range{}, false
}

// told reports whether text repeats a line of a note that is long enough not to be there by chance.
func told(note, text string) bool {
	for line := range strings.Lines(note) {
		if line = strings.TrimSpace(line); len(line) >= 12 && strings.Contains(text, line) {
			return true
		}
	}
	return false
}

// ownText returns what the variant's text says where it does not come from a note, with what fields add to it.
func ownText(v *post.Variant) string {
	var b strings.Builder
	for _, field := range [...]string{v.Title, v.Link, v.ContentWarning, v.FirstComment, v.CanonicalURL} {
		b.WriteString(field + "\n")
	}
	for i := range v.Parts {
		ownBlocks(&b, v.Post, v.Parts[i].Blocks)
	}
	return b.String()
}

func ownBlocks(b *strings.Builder, x *post.Post, blocks []post.Block) {
	for i := range blocks {
		block := &blocks[i]
		if !inNote(x, block.Span) {
			b.WriteString(block.Text)
		}
		ownInlines(b, x, block.Inlines)
		ownBlocks(b, x, block.Blocks)
		b.WriteByte('\n')
	}
}

func ownInlines(b *strings.Builder, x *post.Post, inlines []post.Inline) {
	for i := range inlines {
		in := &inlines[i]
		if !inNote(x, in.Span) {
			b.WriteString(in.Text)
			if in.Dest != in.Text {
				b.WriteString(in.Dest)
			}
		}
		ownInlines(b, x, in.Inlines)
	}
}

func inNote(x *post.Post, s post.Span) bool {
	for i := range x.Notes {
		if n := &x.Notes[i]; s.Start >= n.Start && s.End <= n.End && s.Start < s.End {
			return true
		}
	}
	return false
}
