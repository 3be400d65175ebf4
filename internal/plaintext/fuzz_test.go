package plaintext_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// builder makes a post of arbitrary bytes: every choice is the next byte, 0 when there are none left.
type builder struct {
	data []byte
	at   int             // offset in the file
	file strings.Builder // what the spans refer to
	said strings.Builder // all words that must arrive
}

func (b *builder) next(n int) int {
	if len(b.data) == 0 {
		return 0
	}
	v := b.data[0]
	b.data = b.data[1:]
	return int(v) % n
}

var vocabulary = []string{
	"snow", " ", "the sled is back.", "@anna", "#winter", "https://acme.com/winter", "acme.com", "$ACME", "👩‍👩‍👧‍👦", "e\u0301", "冬。", "שלום",
	"", "\n", "a\r\nb", "> ", "• ", "\u200b", "\ufeff", "(", ")", "!", "  two  ", "caf\xe9", "@bob@mastodon.social", "@anna.bsky.social", "~", "\t",
	"https://acme.com/" + strings.Repeat("a", 300), strings.Repeat("winter", 60), strings.Repeat("Long days, short nights. ", 30),
}

var addresses = []string{
	"https://acme.org", "https://acme.org/a b", "/relative", "mailto:me@acme.org?subject=x", "tel:+1", "", "https://acme.org/(x)", "www.acme.org", "http:", "https://acme.org/ü.",
}

func (b *builder) text() (string, post.Span) {
	s := vocabulary[b.next(len(vocabulary))]
	span := post.Span{Start: b.at, End: b.at + len(s)}
	b.file.WriteString(s)
	b.at += len(s)
	switch b.next(8) {
	case 1:
		span = post.Span{} // nowhere
	case 2:
		span.End += 7 // an entity or an escape
	case 3:
		span = post.Span{Start: 1 << 20, End: -5} // nonsense
	}
	return s, span
}

func (b *builder) inlines(depth int) []post.Inline {
	list := make([]post.Inline, b.next(5))
	for i := range list {
		in := &list[i]
		in.Kind = post.InlineKind(b.next(13)) // one more than there are
		switch in.Kind {
		case post.Strong, post.Emphasis, post.Strikethrough, post.Link:
			if in.Kind == post.Link {
				in.Dest = addresses[b.next(len(addresses))]
			}
			if depth < 4 {
				in.Inlines = b.inlines(depth + 1)
			}
		case post.AutoLink:
			in.Dest = addresses[b.next(len(addresses))]
			in.Text = in.Dest
			in.Span = post.Span{Start: b.at, End: b.at + len(in.Text) + b.next(3)}
		case post.Image:
			in.Text, in.Span = b.text()
			if b.next(2) == 1 {
				in.Media = &post.Media{File: "sled.jpg", MIME: "image/jpeg"}
			}
		case post.SoftBreak, post.HardBreak:
		default:
			in.Text, in.Span = b.text()
			b.said.WriteString(in.Text)
		}
	}
	return list
}

func (b *builder) blocks(depth int) []post.Block {
	list := make([]post.Block, b.next(4))
	for i := range list {
		block := &list[i]
		block.Kind = post.BlockKind(b.next(12)) // one more than there are
		block.Tight, block.Ordered, block.Level = b.next(2) == 1, b.next(2) == 1, b.next(9)
		switch block.Kind {
		case post.Paragraph, post.Heading, post.TableCell:
			block.Inlines = b.inlines(0)
		case post.CodeBlock, post.RawHTML:
			block.Text, block.Span = b.text()
			b.said.WriteString(block.Text)
		case post.TableBlock:
			block.Blocks = []post.Block{{Kind: post.TableRow, Blocks: []post.Block{
				{Kind: post.TableCell, Inlines: b.inlines(0)}, {Kind: post.TableCell, Inlines: b.inlines(0)},
			}}}
		case post.Audience:
			block.Except, block.Names = true, []string{"nobody"}
			fallthrough
		default:
			if depth < 6 {
				block.Blocks = b.blocks(depth + 1)
			}
		}
	}
	return list
}

func build(data []byte) (*post.Post, string) {
	b := &builder{data: data}
	p := &post.Post{ID: "fuzz", Path: "content/fuzz.md"}
	p.Set = ^post.FieldSet(0)
	if b.next(2) == 1 {
		p.Thread = "auto"
	}
	if b.next(3) == 1 {
		p.Tags = []string{"winter", "two words", "c++", "1", "冬"}
	}
	if b.next(3) == 1 {
		p.Link = "https://acme.com/winter"
	}
	if b.next(3) == 1 {
		p.ContentWarning = vocabulary[b.next(len(vocabulary))]
	}
	if b.next(4) == 1 {
		p.FirstComment = vocabulary[b.next(len(vocabulary))]
	}
	for range 1 + b.next(3) {
		p.Body = append(p.Body, post.Doc{Blocks: b.blocks(0)})
	}
	p.Text = b.file.String()
	return p, b.said.String()
}

// FuzzRender proves for arbitrary posts and every network that rendering is total and pure, that
// facets are in order and on rune boundaries, that limits are kept or reported, and that no word is lost.
func FuzzRender(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x02\x00\x02\x00\x00\x05\x00"))
	f.Add([]byte("\x01\x01\x01\x01\x04\x01\x02\x02\x03\x02\x01\x00\x05\x03\x03\x00\x04\x00\x05\x00\x07\x01\x02\x00\x1e\x00\x08\x00\x00"))
	f.Add([]byte("\x01\x00\x00\x00\x00\x02\x03\x00\x00\x00\x00\x04\x00\x1e\x00\x00\x1c\x00\x00\x1d\x00\x00\x08\x00\x03\x00\x00\x00\x02\x00\x1e\x00\x00\x1e\x00\x02\x00\x00\x00\x02\x00\x05\x00\x00\x1e\x00"))
	f.Add([]byte(strings.Repeat("\x03\x02\x01\x04\x00\x07\x01\x05\x09\x0b\x06\x08", 20)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		p, said := build(data)
		for _, a := range accounts() {
			v := p.For(a.Name, string(a.Platform))
			r, list := rendererOf(a.Platform).Render(&v, a)
			checkRendering(t, a, &r, list.HasErrors())
			if a.Platform == "webhook" {
				hasWords(t, &r, said)
			}

			again, _ := build(data)
			w := again.For(a.Name, string(a.Platform))
			if diff := cmp.Diff(w, v); diff != "" {
				t.Fatalf("Render changed its input:\n%s", diff)
			}
			r2, list2 := rendererOf(a.Platform).Render(&w, a)
			if r.Fingerprint() != r2.Fingerprint() || cmp.Diff(list, list2) != "" {
				t.Fatalf("%s renders differently the next time:\n%s%s", a.Name, cmp.Diff(r, r2), cmp.Diff(list, list2))
			}
		}
	})
}

// checkRendering fails the test unless r is well formed.
func checkRendering(t *testing.T, a *platform.Account, r *platform.Rendering, hasErrors bool) {
	t.Helper()
	if len(r.Parts) == 0 {
		t.Fatalf("%s: no parts", a.Name)
	}
	for i, p := range r.Parts {
		if !utf8.ValidString(p.Text) {
			t.Errorf("%s, part %d is not UTF-8: %q", a.Name, i, p.Text)
		}
		if !hasErrors && (p.Max > 0 && p.Used > p.Max || p.MaxByte > 0 && len(p.Text) > p.MaxByte) {
			t.Errorf("%s, part %d: %d of %d %s, and no finding: %q", a.Name, i, p.Used, p.Max, p.Unit, p.Text)
		}
		on := func(i int) bool { return i == len(p.Text) || i >= 0 && i < len(p.Text) && utf8.RuneStart(p.Text[i]) }
		end := 0
		for _, f := range p.Facets {
			if !on(f.Start) || !on(f.End) || f.Start >= f.End || f.Start < end {
				t.Errorf("%s, part %d: facet %+v after %d in %q", a.Name, i, f, end, p.Text)
			}
			if end = f.End; a.Platform == "webhook" { // rich text nests
				end = f.Start
			}
		}
		end = 0
		for _, s := range p.Spans {
			if !on(s.Start) || !on(s.End) || s.Start >= s.End || s.Start < end {
				t.Errorf("%s, part %d: span %+v after %d in %q", a.Name, i, s, end, p.Text)
			}
			end = s.End
		}
	}
}

// hasWords fails the test unless everything said, white space aside, is in the parts, in order.
func hasWords(t *testing.T, r *platform.Rendering, said string) {
	t.Helper()
	text := textOf(r)
	rest := text
	for _, want := range strings.Map(dropSpace, strings.ReplaceAll(said, "<br>", "")) {
		i := strings.IndexRune(rest, want)
		if i < 0 {
			t.Fatalf("%q of %q is missing in %q", want, said, text)
		}
		rest = rest[i+utf8.RuneLen(want):]
	}
}

func textOf(r *platform.Rendering) string {
	var text strings.Builder
	for _, p := range r.Parts {
		text.WriteString(p.Text + " ")
	}
	return text.String()
}

func dropSpace(r rune) rune {
	if unicode.IsSpace(r) {
		return -1
	}
	return r
}

// TestHugePost renders posts of 10,000 pieces. Were the time to grow with the square of their number, it would not end.
func TestHugePost(t *testing.T) {
	for name, inline := range map[string]post.Inline{
		"links":  {Kind: post.Link, Dest: "https://acme.com/a", Inlines: []post.Inline{{Text: "w"}}},
		"strong": {Kind: post.Strong, Inlines: []post.Inline{{Text: "w "}}},
		"names":  {Text: "@anna #snow $ACME acme.com "},
	} {
		var quote post.Block
		quote.Kind = post.Quote
		for range 10_000 {
			quote.Blocks = append(quote.Blocks, post.Block{Inlines: []post.Inline{inline}})
		}
		p := &post.Post{ID: "huge", Path: "content/huge.md", Body: []post.Doc{{Blocks: []post.Block{quote}}}}
		for _, thread := range []string{"manual", "auto"} {
			for _, a := range accounts() {
				v := p.For(a.Name, string(a.Platform))
				v.Thread = thread
				r, list := rendererOf(a.Platform).Render(&v, a)
				checkRendering(t, a, &r, list.HasErrors())
				if said := strings.Count(textOf(&r), "w") + strings.Count(textOf(&r), "acme.com "); said < 10_000 {
					t.Errorf("of 10,000 %s, %d are left on %s with thread: %s", name, said, a.Name, thread)
				}
			}
		}
	}
}
