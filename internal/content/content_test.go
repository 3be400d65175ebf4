package content

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// png is the smallest picture: 1×1 pixel.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\rIDATx\x9cc\xf8\x0f\x00\x01\x01\x01\x00\x1b\xb6\xeeV\x00\x00\x00\x00IEND\xaeB`\x82"

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func testFS() fstest.MapFS {
	return fstest.MapFS{
		"content/hero.png":   {Data: []byte(png)},
		"content/my pic.png": {Data: []byte(png)},
		"content/empty.png":  {},
		"content/fake.png":   {Data: []byte("<html>")},
		"content/broken.png": {Data: []byte(png[:20])},
		"content/notes.txt":  {Data: []byte("words")},
		"shared/logo.png":    {Data: []byte(png)},
	}
}

// parseTest parses src as content/a.md in Berlin.
func parseTest(t testing.TB, src string) (*post.Post, finding.List) {
	t.Helper()
	return Parse("content/a.md", []byte(src), testFS(), Options{Location: berlin(t)})
}

// brief writes findings one a line, without those about a missing id unless all is set.
func brief(list finding.List, all bool) string {
	var b strings.Builder
	for _, f := range list {
		if f.Code == codeNoID && !all {
			continue
		}
		fmt.Fprintf(&b, "%d:%d %s %s: %s", f.Range.Start.Line, f.Range.Start.Column, f.Severity, f.Code, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(&b, " [%s]", f.Hint)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// outline writes a doc in a compact form: p("text", em("x")).
func outline(docs []post.Doc) string {
	var b strings.Builder
	for i, d := range docs {
		if i > 0 {
			b.WriteString("=====\n")
		}
		for _, bl := range d.Blocks {
			outlineBlock(&b, bl, "")
		}
	}
	return b.String()
}

func outlineBlock(b *strings.Builder, bl post.Block, indent string) {
	names := []string{"p", "h", "list", "item", "quote", "code", "audience", "html", "table", "row", "cell"}
	b.WriteString(indent + names[bl.Kind])
	if bl.Level != 0 {
		fmt.Fprintf(b, " %d", bl.Level)
	}
	if bl.Tight {
		b.WriteString(" tight")
	}
	if bl.Except {
		b.WriteString(" except")
	}
	if len(bl.Names) > 0 {
		fmt.Fprintf(b, " %v", bl.Names)
	}
	if bl.Info != "" {
		fmt.Fprintf(b, " %s", bl.Info)
	}
	if bl.Text != "" {
		fmt.Fprintf(b, " %q", bl.Text)
	}
	if len(bl.Inlines) > 0 {
		b.WriteString(" ")
		outlineInlines(b, bl.Inlines)
	}
	b.WriteString("\n")
	for _, c := range bl.Blocks {
		outlineBlock(b, c, indent+"  ")
	}
}

func outlineInlines(b *strings.Builder, list []post.Inline) {
	names := []string{"", "/", "//", "em", "strong", "del", "code", "link", "auto", "img", "html"}
	for i, in := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(names[in.Kind])
		if in.Text != "" {
			fmt.Fprintf(b, "%q", in.Text)
		}
		if in.Dest != "" {
			fmt.Fprintf(b, "<%s>", in.Dest)
		}
		if in.Title != "" {
			fmt.Fprintf(b, "(%s)", in.Title)
		}
		if in.Media != nil {
			fmt.Fprintf(b, "{%s}", in.Media.Path)
		}
		if len(in.Inlines) > 0 {
			b.WriteByte('[')
			outlineInlines(b, in.Inlines)
			b.WriteByte(']')
		}
	}
}

func TestSmoke(t *testing.T) {
	p, list := parseTest(t, "---\nid: k3v9q2xh\ntitle: Winter launch\nplatforms: [x, bluesky]\npublish_at: 2026-12-01 09:00\ntags: [winter, '#launch']\nmedia:\n  - file: hero.png\n    alt: A sled\noverrides:\n  x:\n    text: |\n      Hi **there** <!-- x -->\n\n      ---\n      two\n    timezone: America/New_York\n---\nThe sled is back. **Faster *than* ever.** [a](b \"t\") https://x.y/_a_b_ `c` <https://q.r>\nnext &amp; \\*x\n---\n\n::: x linkedin\nOnly `:::`\n:::\n<!-- note\n\nmore --> Hello <!-- x --> you\n\n![pic](hero.png) ![](my%20pic.png)\n\n***\n- a\n- b\n  1. c\n")
	t.Logf("%s", brief(list, true))
	t.Logf("%s", outline(p.Body))
	t.Logf("%s", outline(p.Overrides[0].Body))
	t.Logf("%v %v %v", p.PublishAt, p.Overrides[0].PublishAt, p.Notes)
	t.Logf("%+v", p.Fields)
}
