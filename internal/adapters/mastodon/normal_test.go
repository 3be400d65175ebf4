package mastodon

import (
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"empty", "", ""},
		{"paragraphs", "<p>One</p><p>Two<br />three</p>", "One\n\nTwo\nthree"},
		{"entities", "<p>a &lt;b&gt; &amp;amp; &quot;c&quot; &#39;d&#39;</p>", `a <b> &amp; "c" 'd'`},
		{
			"hidden link",
			`<p>See <a href="https://www.acme.example/a/very/long/path" target="_blank"><span class="invisible">https://www.</span>` +
				`<span class="ellipsis">acme.example/a/very/lon</span><span class="invisible">g/path</span></a>!</p>`,
			"See https://www.acme.example/a/very/long/path!",
		},
		{"cut link", `<p><a href="https://acme.example/a?b=1&amp;c=2">acme.example/a…</a> ok</p>`, "https://acme.example/a?b=1&c=2 ok"},
		{"ellipsis of the text", `<p><a href="https://acme.example">a</a> and so on…</p>`, "a and so on…"},
		{"mention", `<p><span class="h-card"><a href="https://b.example/@bob" class="u-url mention">@<span>bob</span></a></span> hi</p>`, "@bob hi"},
		{"hashtag", `<p><a href="https://a.example/tags/winter" class="mention hashtag" rel="tag">#<span>Winter</span></a></p>`, "#Winter"},
		{"minified", `<p>a & &lt;b> "c"<br><br>d</p>`, "a & <b> \"c\"\n\nd"},
		{"lists", "<ul><li>a</li><li>b</li></ul><blockquote>c</blockquote>", "a\nb\n\n\nc"},
		{"quote", `<p class="quote-inline">RE: <a href="https://a.example/1">https://a.example/1</a></p><p>Quite so</p>`, "Quite so"},
		{"broken", "<p>a<b", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := plain(c.content); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNormalForms(t *testing.T) {
	for _, c := range []struct {
		name, a, b   string
		letters, all bool // whether letters and fold take them for the same
	}{
		{"white space", "a  b\n\n\nc", "a b\nc", true, true},
		{"composition", "e\u0301", "é", true, true},
		{"a remote mention", "hi @bob@remote.example!", "hi @bob!", true, true},
		{"a mention with a port", "@alice@localhost:8080 x", "@alice x", true, true},
		{"entities", "a &amp;amp; b", "a & b", true, true},
		{"punctuation", "a, b.", "a b", true, false},
		{"emoji", "🎉", "🎈", true, false},
		{"words", "a b", "a c", false, false},
		{"another user", "@bob@remote.example", "@bab", false, false},
		{"a mail address", "me@acme.example", "me@acme.example", true, true},
		{"lone signs", "@ @@ a@ @.@", "@ @@ a@ @.@", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := letters(c.a) == letters(c.b); got != c.letters {
				t.Errorf("letters: %q and %q", letters(c.a), letters(c.b))
			}
			if got := fold(c.a) == fold(c.b); got != c.all {
				t.Errorf("fold: %q and %q", fold(c.a), fold(c.b))
			}
		})
	}
}

func TestStripTags(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "a <b>c</b> d": "a c d", "a < b": "a ", "1 > 0": "1 > 0", "<": "",
	} {
		if got := stripTags(in); got != want {
			t.Errorf("stripTags(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzPlain proves that text which was only escaped comes back, and that nothing makes the converter panic.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "a & b", "<p>x", "&amp;lt;", "a…", "@a@b.c", "\x00\xff", "<a href=x>…</a>", "<script>x</script>"} {
		f.Add(s)
	}
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	f.Fuzz(func(t *testing.T, s string) {
		plain(s)
		letters(s)
		if strings.ContainsAny(s, "\r\x00") { // HTML replaces them
			return
		}
		if got, want := fold(plain("<p>"+escape.Replace(s)+"</p>")), fold(s); got != want {
			t.Errorf("%q comes back as %q", want, got)
		}
	})
}
