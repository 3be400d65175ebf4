package linkcard

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func base(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse("https://acme.example/blog/winter")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestReadPage(t *testing.T) {
	const html = "text/html; charset=utf-8"
	tests := map[string]struct {
		body, contentType string
		want              Page
	}{
		"Open Graph": {`<!doctype html><html><head><title>Own</title><meta name="twitter:title" content="Twitter">
			<meta property="og:title" content=" Winter &amp; “launch” "><meta name="OG:Description" content="The
			sled"><meta property="og:image" content="/sled.png"><meta property="og:image:alt" content="A red&#10;sled">
			<meta property="og:title" content="second"></head><body><meta property="og:title" content="in the body"></body>`, html,
			Page{"Winter & “launch”", "The sled", "https://acme.example/sled.png", "A red sled"}},
		"Twitter": {`<title>Own</title><meta name="description" content="Own words"><meta name="twitter:title" content="Winter">
			<meta name="twitter:image" content="//cdn.example/s.jpg"><meta name="twitter:image:alt" content="A sled">`, html,
			Page{"Winter", "Own words", "https://cdn.example/s.jpg", "A sled"}},
		"HTML":             {`<title>Own &lt;b&gt; title</title><meta name=description content="Own words">`, html, Page{Title: "Own <b> title", Description: "Own words"}},
		"one tag for both": {`<meta name="twitter:title" property="og:title" content="Both">`, html, Page{Title: "Both"}},
		"nothing":          {`<p>hello`, html, Page{}},
		"empty":            {"", "", Page{}},
		"an empty title":   {`<meta property="og:title" content=" "><title>Own</title>`, html, Page{Title: "Own"}},
		"a picture relative to the page": {`<meta property="og:image" content="sled.png?x=1">`, html,
			Page{Picture: "https://acme.example/blog/sled.png?x=1"}},
		"a picture relative to a base": {`<base href="https://cdn.example/a/"><meta property="og:image" content="sled.png">`, html,
			Page{Picture: "https://cdn.example/a/sled.png"}},
		"a picture that is none": {`<meta property="og:image" content="javascript:alert(1)"><meta name="twitter:image" content="data:image/png;base64,AA">`, html, Page{}},
		"the alt text of another picture": {`<meta property="og:image" content="a.png"><meta property="og:image" content="b.png"><meta property="og:image:alt" content="b">`, html,
			Page{Picture: "https://acme.example/blog/a.png"}},
		"the alt text of a picture that is not taken": {`<meta property="og:image:alt" content="b"><meta name="twitter:image" content="a.png">`, html,
			Page{Picture: "https://acme.example/blog/a.png"}},
		"Latin 1 by header":        {"<title>caf\xe9</title>", "text/html; charset=ISO-8859-1", Page{Title: "café"}},
		"Latin 1 by page":          {"<meta charset=latin1><title>caf\xe9</title>", "text/html", Page{Title: "café"}},
		"Shift JIS":                {"<title>\x8b\xb4</title>", "text/html; charset=shift_jis", Page{Title: "橋"}},
		"UTF-16":                   {"\xff\xfe<\x00t\x00i\x00t\x00l\x00e\x00>\x00H\x00i\x00", "text/html", Page{Title: "Hi"}},
		"UTF-8 that nobody states": {"<!--" + strings.Repeat("x", 2000) + "--><title>Grüße</title>", "text/html", Page{Title: "Grüße"}},
		"UTF-8 that is cut off":    {"<title>Grüße</title>\xf0\x9f", "text/html", Page{Title: "Grüße"}},
		"an encoding that is none": {"<title>Hi</title>", "text/html; charset=klingon", Page{Title: "Hi"}},
		"a long title":             {"<title>" + strings.Repeat("winter ", 100), html, Page{Title: strings.TrimSpace(strings.Repeat("winter ", 42)) + "…"}},
		"a long word":              {"<title>" + strings.Repeat("w", 400), html, Page{Title: strings.Repeat("w", 299) + "…"}},
		"what nobody sees":         {"<title>a\u202eb\x07c\ufeff\u2028d</title>", html, Page{Title: "abc d"}},
	}
	for name, tt := range tests {
		if diff := cmp.Diff(tt.want, ReadPage([]byte(tt.body), tt.contentType, base(t))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func FuzzReadPage(f *testing.F) {
	f.Add(`<title>x</title><meta property="og:title" content="&#0;y"><meta property="og:image" content="z">`, "text/html")
	f.Add("<title>\xff", "text/html; charset=gbk")
	f.Add("<base href=:><meta", "")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		p := ReadPage([]byte(body), contentType, base(t))
		for _, s := range []string{p.Title, p.Description, p.PictureAlt} {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\n\r\x00") || utf8.RuneCountInString(s) > MaxDescription {
				t.Errorf("%q", s)
			}
		}
		if u, err := url.Parse(p.Picture); err != nil || p.Picture != "" && (u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			t.Errorf("the picture is at %q", p.Picture)
		}
	})
}
