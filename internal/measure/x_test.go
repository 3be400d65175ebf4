package measure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The vectors of twitter-text are in TestConformance; these cases are what they leave open, checked
// with twitter-text 3.1.0 for JavaScript.
func TestX(t *testing.T) {
	long := strings.Repeat("x", 275)
	for _, c := range []struct {
		text string
		want XResult
	}{
		{"", XResult{0, false, -1, 0}},
		{"plain", XResult{5, true, -1, 5}},
		{"“quoted” – yes…", XResult{16, true, -1, len("“quoted” – yes…")}}, // the ellipsis weighs 2
		{"a\u200eb", XResult{4, true, -1, 5}},
		{"©", XResult{1, true, -1, 2}},
		{"©\ufe0f", XResult{2, true, -1, 5}},
		{"™", XResult{2, true, -1, 3}},
		{"™\ufe0f", XResult{2, true, -1, 6}},
		{"‼\ufe0f", XResult{2, true, -1, 6}},
		{"❤\ufe0e", XResult{4, true, -1, 6}},
		{"1", XResult{1, true, -1, 1}},
		{"#\ufe0f\u20e3", XResult{2, true, -1, 7}},
		{"🇩🇪", XResult{2, true, -1, 8}},
		{"🇩🇩", XResult{4, true, -1, 8}}, // no such flag
		{"🏴󠁧󠁢󠁳󠁣󠁴󠁿", XResult{2, true, -1, 28}},
		{"👩🏽‍💻", XResult{2, true, -1, 15}},
		{"👩🏻‍🤝‍👩🏿", XResult{2, true, -1, 26}},
		{"👩🏻‍🤝‍👩🏻", XResult{8, true, -1, 26}}, // equal tones have an emoji of their own, so this is three
		{"💻‍👩", XResult{5, true, -1, 11}},     // joined, but no emoji
		{"ab\uffffcd", XResult{6, false, 2, 2}},
		{"e\u0301" + long + "xxxx", XResult{280, true, -1, 282}},
		{"e\u0301" + long + "xxxxx", XResult{281, false, -1, 282}},
		{long + " example.com", XResult{299, false, -1, 276}},
		{long + "xxxxxx", XResult{281, false, -1, 280}},
		{long + "xxx日本", XResult{282, false, -1, 281}},
		{"http://example.com/" + long, XResult{23, true, -1, 19 + 275}},
		{"\xff\xfe", XResult{4, true, -1, 2}},
	} {
		if got := X(c.text); got != c.want {
			t.Errorf("X(%q) = %+v, want %+v", c.text, got, c.want)
		}
	}
	if got := XWithin(long+long, 25_000); !got.Valid || got.Weighted != 550 {
		t.Errorf("XWithin for long posts: %+v", got)
	}
}

func TestXEntities(t *testing.T) {
	text := "RT@alice see example.com/a_(b), https://t.co/abc.x & https://example.org/?q=#top " +
		"#launch @bob/team $ACME ＃タグ a@b.com"
	want := []Entity{
		{2, 8, Mention, "alice", ""},
		{13, 30, URL, "https://example.com/a_(b)", ""},
		{32, 48, URL, "https://t.co/abc", ""},
		{53, 80, URL, "https://example.org/?q=#top", ""},
		{81, 88, Hashtag, "launch", ""},
		{89, 98, Mention, "bob", "team"},
		{99, 104, Cashtag, "ACME", ""},
		{105, 114, Hashtag, "タグ", ""},
	}
	if diff := cmp.Diff(want, XEntities(text)); diff != "" {
		t.Error(diff)
	}
	if got := XEntities("nothing to find, not even at the end."); got != nil {
		t.Errorf("got %v", got)
	}
}

// TestXManyDomains would take minutes if the search began anew behind each of the domains, which stand
// in one run of characters. All but the first follow an underscore, which no bare domain may.
func TestXManyDomains(t *testing.T) {
	text := strings.Repeat("é-é.com_", 40_000)
	if got := XEntities(text); len(got) != 1 || got[0].Value != "https://é-é.com" {
		t.Errorf("%d entities, want the first domain", len(got))
	}
}

func FuzzX(f *testing.F) {
	for _, s := range []string{
		post, widePost, "", "a.com。b.com/x?y", "\xffa.com", "http://[", "1️⃣.com", "e\u0301\uffff", "_._.com", "xn--é.com",
		"@a@b/c #a#b $A.B", "👩🏻‍🤝‍👩🏿‍", "🏴󠁧󠁢", "a.b.c.d.e.f_.com:80/(a(b)c)?d.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		res := X(s)
		if res.Weighted < 0 || res.ValidEnd < 0 || res.ValidEnd > len(s) || res.InvalidAt >= len(s) ||
			res.Valid && (res.ValidEnd != len(s) || res.InvalidAt >= 0) {
			t.Errorf("X(%q) = %+v", s, res)
		}
		checkEntities(t, s, XEntities(s))
	})
}
