package x

import "testing"

func TestNormal(t *testing.T) {
	link := func(expanded string) []wireURL {
		return []wireURL{{URL: "https://t.co/abcdefghij", Expanded: expanded}}
	}
	for _, tt := range []struct {
		sent, shown string
		urls        []wireURL
		quote       string
		same        bool
	}{
		{"Hello", "Hello", nil, "", true},
		{"Hello", "Hallo", nil, "", false},
		{"R&D <3 &amp; more", "R&amp;D &lt;3 &amp;amp; more", nil, "", true},
		{"one  two\n\nthree", "one two\nthree", nil, "", true},
		{"see https://acme.example/a?b=1&c=2.", "see https://t.co/abcdefghij.", link("https://acme.example/a?b=1&c=2"), "", true},
		{"see https://acme.example", "see https://t.co/abcdefghij", link("https://acme.example/"), "", true},
		{"see acme.com/Hill", "see https://t.co/abcdefghij", link("http://acme.com/Hill"), "", true},
		{"see https://acme.example/größe", "see https://t.co/abcdefghij", link("https://acme.example/gr%C3%B6%C3%9Fe"), "", true},
		{"see https://acme.example/a", "see https://t.co/abcdefghij", link("https://acme.example/b"), "", false},
		{"A picture", "A picture https://t.co/abcdefghij", link("https://x.com/acme/status/12/photo/1"), "", true},
		{"A picture", "A picture https://t.co/abcdefghij", []wireURL{{"https://t.co/abcdefghij", "https://pic.x.com/1", "3_1"}}, "", true},
		{"", "https://t.co/abcdefghij", link("https://twitter.com/acme/status/12/video/1"), "", true},
		{"Look", "Look https://t.co/abcdefghij", link("https://twitter.com/other/status/12"), "12", true},
		{"Look", "Look https://t.co/abcdefghij", link("https://twitter.com/other/status/13"), "12", false},
		{"Cafe\u0301", "Caf\u00e9", nil, "", true},
	} {
		if got := normal(tt.sent, nil, tt.quote) == normal(tt.shown, tt.urls, tt.quote); got != tt.same {
			t.Errorf("%q shown as %q: same %v, want %v (%q, %q)", tt.sent, tt.shown, got, tt.same, normal(tt.sent, nil, tt.quote), normal(tt.shown, tt.urls, tt.quote))
		}
	}
}

func FuzzNormal(f *testing.F) {
	f.Add("Look https://acme.example/ &amp;amp; <b>", "https://t.co/abcdefghij", "https://acme.example/a%zz", "12")
	f.Add("\xff\u0301", "", "", "")
	f.Fuzz(func(_ *testing.T, text, url, expanded, quote string) {
		normal(text, []wireURL{{URL: url, Expanded: expanded}}, quote)
	})
}

func TestMadeAt(t *testing.T) {
	// A post that X's own pages show, with its time: https://docs.x.com/x-api/fundamentals/data-dictionary (2026-08-22).
	if got := madeAt("1346889436626259968").Format("2006-01-02T15:04:05.000Z"); got != "2021-01-06T18:40:40.344Z" {
		t.Error(got)
	}
	for _, id := range []string{"", "20", "x", "18446744073709551616"} {
		if got := madeAt(id); !got.IsZero() {
			t.Errorf("%q: %v", id, got)
		}
	}
}
