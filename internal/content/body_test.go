package content

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/post"
)

func TestBody(t *testing.T) {
	const bar = "=====\n"
	tests := []struct{ name, body, want, findings string }{
		{"empty", "", "", ""},
		{"soft and hard breaks", "a\nb  \nc\\\nd", "p \"a\" / \"b\" // \"c\" // \"d\"\n", ""},
		{"CRLF", "a\r\nb  \r\nc\\\r\nd\r\n\r\n```\r\ne\r\n\r\nf\r\n```\r\n---\r\ng\r\n", "p \"a\" / \"b\" // \"c\" // \"d\"\ncode \"e\\n\\nf\"\n" + bar + "p \"g\"\n", ""},
		{"inlines", "a *b **c** `d`* ~~e~~ <https://f.g/h> <i@j.k>", `p "a " em["b " strong["c"] " " code"d"] " " del["e"] " " auto"https://f.g/h"<https://f.g/h> " " auto"i@j.k"<mailto:i@j.k>` + "\n", ""},
		{"links", "[a](b \"c\") [d][e] [e]\n\n[e]: f", `p link<b>(c)["a"] " " link<f>["d"] " " link<f>["e"]` + "\n", ""},
		{"escapes and entities", `\* &amp; &#x41; &nosuch; \a`, "p \"* & A &nosuch; \\\\a\"\n", ""},
		{"addresses stay as they are", "https://a.b/_c_d_?e=1&copy=2&amp;f **https://a.b/c** (https://a.b/c_(d)) _https://a.b/c_ http://a.b/*c* [https://a.b/_c_](d)",
			`p "https://a.b/_c_d_?e=1&copy=2&amp;f " strong["https://a.b/c"] " (https://a.b/c_(d)) " em["https://a.b/c"] " http://a.b/*c* " link<d>["https://a.b/_c_"]` + "\n", ""},
		{"handles stay as they are", "@_ann_ #_winter_ @ann_b_ _@ann_", `p "@_ann_ #_winter_ @ann_b_ " em["@ann"]` + "\n", ""},
		{"headings", "A\n===\n\n## B *c* ##", "h 1 \"A\"\nh 2 \"B \" em[\"c\"]\n", ""},
		{"lists", "- a\n- b\n  1. c\n\n3) d\n\n4) e", "list tight\n  item\n    p \"a\"\n  item\n    p \"b\"\n    list 1 tight\n      item\n        p \"c\"\nlist 3\n  item\n    p \"d\"\n  item\n    p \"e\"\n", ""},
		{"table", "| a | b |\n|---|---|\n| c | `d\\|e` |", "table\n  row\n    cell \"a\"\n    cell \"b\"\n  row\n    cell \"c\"\n    cell code\"d|e\"\n", ""},
		{"HTML", "<div>\na\n</div>\n\nb <i>c</i>", "html \"<div>\\na\\n</div>\"\np \"b \" html\"<i>\" \"c\" html\"</i>\"\n",
			"4:1 warning B130: HTML is left to networks that take it: \"<div>\\na\\n</div>\" [write Markdown; a backslash before < keeps it as text]\n" +
				"8:3 warning B130: HTML is left to networks that take it: \"<i>\" [write Markdown; a backslash before < keeps it as text]\n" +
				"8:7 warning B130: HTML is left to networks that take it: \"</i>\" [write Markdown; a backslash before < keeps it as text]\n"},
		{"images", "![a *b*](hero.png \"t\") ![](/shared/logo.png) ![c](<my pic.png>) ![d](my%20pic.png)", `p img"a b"(t){content/hero.png} " " img{shared/logo.png} " " img"c"{content/my pic.png} " " img"d"{content/my pic.png}` + "\n", ""},

		{"parts", "a\n---\nb\n\n***\n\nc\n- - -\nd", "p \"a\"\n" + bar + "p \"b\"\n" + bar + "p \"c\"\n" + bar + "p \"d\"\n", ""},
		{"no break in code", "```\n---\n```\n\n    ---\n", "code \"---\"\ncode \"---\"\n", ""},
		{"empty parts", "***\n\na\n\n---\n\n---\n\nb\n\n---\n", "p \"a\"\n" + bar + "p \"b\"\n",
			"4:1 warning B101: the part of the thread before this break is empty and is left out [remove the break]\n" +
				"8:1 warning B101: the part of the thread after this break is empty and is left out [remove the break]\n" +
				"14:1 warning B101: the part of the thread after this break is empty and is left out [remove the break]\n"},
		{"nested break", "> a\n>\n> ***\n", "quote\n  p \"a\"\n", "6:3 warning B102: a break inside a list or a quote starts no new part and is left out [start it in column 1 to break the thread, or remove it]\n"},
		{"thread comments", "a\n<!-- Thread -->\nb <!-- thread -->", "p \"a\"\n" + bar + "p \"b\"\n", "6:3 warning B103: <!-- thread --> shares its line with something else and is no thread break [give it a line for itself, or write ---]\n"},

		{"note in a line", "a <!-- x --> b<!-- y -->c <!-- z -->", "p \"a \" \"b\" \"c\"\n", ""},
		{"note before text", "<!-- x --> a", "p \"a\"\n", ""},
		{"note over paragraphs", "a <!-- x\n\ny\n\n---\n\nz --> b", "p \"a \" \"b\"\n", ""},
		{"note in a paragraph", "a\n<!-- x -->\nb", "p \"a\" / \"b\"\n", ""},
		{"note in a list", "- a\n<!-- x -->\n- b", "list tight\n  item\n    p \"a\"\n  item\n    p \"b\"\n", ""},
		{"notes on one line", " <!-- x --> <!-- y -->\na", "p \"a\"\n", ""},
		{"note at the end of a line", "a  <!-- x -->\nb", "p \"a\" / \"b\"\n", ""},
		{"note with a fence", "<!--\n```\n-->\na\n```\n<!-- b -->\n```", "p \"a\"\ncode \"<!-- b -->\"\n", ""},
		{"notes in code", "`<!-- x -->`\n\n```\n<!-- y -->\n```\n\n    <!-- z -->", "p code\"<!-- x -->\"\ncode \"<!-- y -->\"\ncode \"<!-- z -->\"\n", ""},
		{"escaped note", "\\<!-- x -->", "p \"<!-- x -->\"\n", ""},
		{"shortest notes", "a<!-->b<!--->c", "p \"a\" \"b\" \"c\"\n", ""},
		{"open note", "a\n\nb <!-- x\n\nc", "p \"a\"\np \"b\"\n", "6:3 error B110: the comment is never closed, and nothing after it would be published [close it with -->]\n"},
		{"note from two halves", "<<!-- x -->!-- y -->", "", "4:1 error B111: comments and code are entangled: there is no telling what is a note and what is text [move the comments to lines of their own]\n"},

		{"audience", "a\n::: x linkedin\nb\n\n- c\n:::\nd\n\n::: !x\ne\n:::", "p \"a\"\naudience [x linkedin]\n  p \"b\"\n  list tight\n    item\n      p \"c\"\np \"d\"\naudience except [x]\n  p \"e\"\n", ""},
		{"audience and code", "::: x\n```\n:::\n```\n:::", "audience [x]\n  code \":::\"\n", ""},
		{"audience in code", "```\n::: x\n```", "code \"::: x\"\n", ""},
		{"open audience", "::: x\na", "", "4:1 error B120: the block is never closed [close it with a line that is exactly :::]\n"},
		{"nested audience", "::: x\n::: y\na\n:::\n:::\nb", "audience [x]\n  p \"a\"\np \"b\"\n", "5:1 error B121: a ::: block stands inside another [close the first one before it]\n"},
		{"audience in a quote", "> ::: x\n> a\n> :::", "quote\n", "4:3 error B121: a ::: block stands inside a list or a quote [start it in column 1]\n"},
		{"audience of nobody", "::: a!\nb\n:::", "", "4:1 error B122: \"a!\" is not the name of a platform or an account [write names separated by blanks: ::: x linkedin]\n"},
		{"stray end", "a\n:::\nb", "p \"a\"\np \"b\"\n", "5:1 error B123: ::: closes nothing [remove it, or name whom the block is for: ::: bluesky]\n"},
		{"break in an audience", "::: x\na\n\n---\n\nb\n:::", "audience [x]\n  p \"a\"\n  p \"b\"\n", "7:1 error B124: a thread break stands inside a ::: block [close the block before the break and open it again after it]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := "---\nid: a\n---\n" + tt.body
			p, list := parseTest(t, src)
			if diff := cmp.Diff(tt.want, outline(p.Body)); diff != "" {
				t.Errorf("%q: body differs (-want +got):\n%s", tt.body, diff)
			}
			if diff := cmp.Diff(tt.findings, brief(list, false)); diff != "" {
				t.Errorf("%q: findings differ (-want +got):\n%s", tt.body, diff)
			}
			checkSpans(t, src, p)
		})
	}
}

// Where inlines stand, to the byte.
func TestSpans(t *testing.T) {
	for body, want := range map[string][]string{
		"a *b **c*** d":              {"a ", "*b **c***", "b ", "**c**", "c", " d"},
		"***a***":                    {"***a***", "**a**", "a"},
		"~~a~~ ~b~":                  {"~~a~~", "a", " ", "~b~", "b"},
		"``a`b`` c":                  {"``a`b``", " c"},
		"[a](b \"c)\") d":            {"[a](b \"c)\")", "a", " d"},
		"[a *b*](<c d>)":             {"[a *b*](<c d>)", "a ", "*b*", "b"},
		"[a](b(c)) [](d)":            {"[a](b(c))", "a", " ", "[](d)"},
		"[a][b] [b][] [b]\n\n[b]: c": {"[a][b]", "a", " ", "[b][]", "b", " ", "[b]", "b"},
		"<https://a.b> c":            {"<https://a.b>", " c"},
		"a\r\nb":                     {"a", "\r\n", "b"},
		"> a\n> b":                   {"a", "\n", "b"},
		"![a](hero.png) b":           {"![a](hero.png)", " b"},
		"a <!-- x --> b":             {"a ", "b"},
		"é\\*é":                      {"é\\*é"},
		"a https://b.c/_d_ e":        {"a https://b.c/_d_ e"},
	} {
		src := "\ufeff---\nid: a\n---\n" + body
		p, _ := parseTest(t, src)
		var got []string
		eachInline(p.Body, func(in post.Inline) { got = append(got, src[in.Span.Start:in.Span.End]) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: spans differ (-want +got):\n%s", body, diff)
		}
		checkSpans(t, src, p)
	}
}

// The text of a block scalar is traced back to the file through its indentation and its notes.
func TestOverrideSpans(t *testing.T) {
	src := "---\nid: a\noverrides:\n  x:\n    text: |\n      a *b*\n\n        c <!-- n --> d\n      https://e.f\n---\n"
	p, list := parseTest(t, src)
	if len(list) > 0 {
		t.Fatal(brief(list, true))
	}
	var got []string
	eachInline(p.Overrides[0].Body, func(in post.Inline) { got = append(got, src[in.Span.Start:in.Span.End]) })
	if diff := cmp.Diff([]string{"a ", "*b*", "b", "c ", "d", "\n", "https://e.f"}, got); diff != "" {
		t.Errorf("spans differ (-want +got):\n%s", diff)
	}
	_, list = parseTest(t, "---\nid: a\noverrides:\n  x:\n    text: |\n      a\n\n      :::\n---\n")
	if got := brief(list, false); !strings.HasPrefix(got, "8:7 error B123") {
		t.Errorf("the finding in the override's text is %q", got)
	}
}

func TestNotes(t *testing.T) {
	src := "---\nid: a\n---\na <!-- x\ny --> b\n<!-- postrider:ignore T201 -->\n"
	p, _ := parseTest(t, src)
	var got []string
	for _, n := range p.Notes {
		got = append(got, n.Text, src[n.Start:n.End])
	}
	if diff := cmp.Diff([]string{"x\ny", "<!-- x\ny -->", "postrider:ignore T201", "<!-- postrider:ignore T201 -->"}, got); diff != "" {
		t.Errorf("notes differ (-want +got):\n%s", diff)
	}
	if r := p.Notes[1].Range; r.Start.Line != 6 || r.Start.Column != 1 || r.End.Column != 31 {
		t.Errorf("the second note is at %v", r)
	}
}

func eachInline(docs []post.Doc, f func(post.Inline)) {
	var inlines func([]post.Inline)
	inlines = func(list []post.Inline) {
		for _, in := range list {
			f(in)
			inlines(in.Inlines)
		}
	}
	eachBlock(docs, func(b post.Block) { inlines(b.Inlines) })
}

func eachBlock(docs []post.Doc, f func(post.Block)) {
	var blocks func([]post.Block)
	blocks = func(list []post.Block) {
		for _, b := range list {
			f(b)
			blocks(b.Blocks)
		}
	}
	for _, d := range docs {
		blocks(d.Blocks)
	}
}

// checkSpans proves what every post must keep: spans lie in the file, text without escapes is what stands
// at its span, and no text comes from a note.
func checkSpans(t testing.TB, src string, p *post.Post) {
	t.Helper()
	inFile := func(s post.Span, what string) bool {
		if s.Start < 0 || s.Start > s.End || s.End > len(src) {
			t.Errorf("%s has the span %v in a file of %d bytes", what, s, len(src))
			return false
		}
		return true
	}
	for _, n := range p.Notes {
		inFile(n.Span, "a note")
	}
	bodies := [][]post.Doc{p.Body}
	for _, o := range p.Overrides {
		if o.Set.Has(post.FieldText) {
			bodies = append(bodies, o.Body)
		}
	}
	for _, docs := range bodies {
		if len(docs) == 0 {
			t.Errorf("there is no part at all")
		}
		eachBlock(docs, func(b post.Block) { inFile(b.Span, "a block") })
		eachInline(docs, func(in post.Inline) {
			if !inFile(in.Span, "an inline") || in.Span == (post.Span{}) {
				return
			}
			raw := src[in.Span.Start:in.Span.End]
			if in.Kind == post.Text && !strings.ContainsAny(raw, `\&`) && raw != in.Text {
				t.Errorf("the text %q stands at %q", in.Text, raw)
			}
			if in.Kind == post.Text || in.Kind == post.AutoLink {
				for _, n := range p.Notes {
					if in.Span.Start < n.End && n.Start < in.Span.End {
						t.Errorf("the text %q comes from the note %q", in.Text, n.Text)
					}
				}
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"---\nid: a\ntitle: b\n---\nHello *you*\n", "---\r\nid: a\r\n---\r\n> a\r\n> b\r\n", "+++\nid = 'a'\n[[media]]\nfile = 'hero.png'\n+++\nx", `{"id": "a", "media": ["x"]}` + "\nx",
		"---\nid: a\noverrides:\n  x:\n    text: |\n      a <!-- b -->\n\n      ---\n      c\n---\n::: x\nd\n:::\n", "---\nid: &a b\ntags: [*a]\n---\n",
		"a <!-- b\n\nc --> d `<!--` [e](f \"g\") ![h](hero.png)\n---\n| i | j |\n|--|--|\n| k | l |\n", "\ufeff\n---\npublish_at: 2026-10-25 02:30\ntimezone: Europe/Berlin\n...\n\\<!-- x",
		"`a <!-- \n\n --> b`", "<!-- thread -->\n<!--><!--->", "https://a.b/_c_ @_d_ ~~e~~ ***f*** &amp; \\*", "---\nid: a\nnever: closed",
	} {
		f.Add([]byte(s))
	}
	fsys := testFS()
	f.Fuzz(func(t *testing.T, src []byte) {
		p, list := Parse("content/a.md", src, fsys, Options{})
		if p == nil {
			t.Fatal("no post")
		}
		lines := strings.Count(string(src), "\n") + 1
		for _, fd := range list {
			if fd.Code == "" || fd.Message == "" || fd.Range.Start.Line < 0 || fd.Range.Start.Line > lines {
				t.Errorf("finding %+v in a file of %d lines", fd, lines)
			}
			switch fd.Code {
			case codeUnterminated, codeDelimiter:
				if len(p.Body) != 1 || len(p.Body[0].Blocks) != 0 {
					t.Errorf("the body is %s, and where it starts is unknown", outline(p.Body))
				}
			}
		}
		checkSpans(t, string(src), p)
	})
}
