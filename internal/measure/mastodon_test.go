package measure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMastodon(t *testing.T) {
	domain := strings.Repeat("b", 30) + ".com"
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0},
		{" \n\u3000", 0}, // blank
		{"plain", 5},
		{"https://example.com", 23},
		{"http://" + domain + "/example", 23},
		{"see http://" + domain + "/example.", 4 + 23 + 1},
		{"ahttp://" + domain + "/x", 8 + 34 + 2},       // no link without a boundary
		{"example.com/" + strings.Repeat("a", 40), 52}, // no scheme
		{"https://example.invalidtld/x", 28},           // unknown top-level domain
		{"https://t.co/abc?x=1", 23 + 4},               // t.co links end at the slug
		{"https://例え.jp/パス（x）", 23},                    // any script in a path
		{"gemini://example.com", 23},                   // not only http
		{"ftp://example.com", 17},                      //
		{"https://example.com\u0301", 23},              // the mark joins the placeholder
		{"https://example.com " + "👩🏽‍💻", 25},          //
		{"@alice", 6},                                       //
		{"@alice@" + domain, 6},                             //
		{"@alice@" + domain + ".", 7},                       //
		{"@alice@" + strings.Repeat("b", 254), 6 + 1 + 254}, // too long for a domain
		{"a@alice@example.com", 19},                         //
		{"user@example.com", 16},                            //
		{"@alice@example.com@", 19},                         // what follows makes it no mention
		{"@älice@example.com", 18},                          // names are ASCII
		{"@a.b-c@example.com é", 8},                         //
		{"https://example.com/@alice@example.org", 23},      // inside a URL
		{"a\r\nb https://example.com", 4 + 23},              //
		{"\xff https://example.com", 2 + 23},                //
	} {
		if got := Mastodon(c.text, 23); got != c.want {
			t.Errorf("Mastodon(%q) = %d, want %d", c.text, got, c.want)
		}
	}
	if got := Mastodon("https://example.com", 5); got != 5 {
		t.Errorf("with 5 reserved per URL: %d", got)
	}
}

func TestMastodonEntities(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Entity
	}{
		{"nothing here: 1. 2. 3.", nil},
		{"see https://example.com/a_(b). Or example.org", []Entity{{4, 29, URL, "https://example.com/a_(b)", ""}}},
		{"example.org/https://example.com", nil}, // taken for a path
		{"hi @alice@example.com!", []Entity{{3, 21, Mention, "alice@example.com", ""}}},
		{"@a @b_c", []Entity{{0, 2, Mention, "a", ""}, {3, 7, Mention, "b_c", ""}}},
		{"#tag ＃タグ #日本・語", []Entity{{0, 4, Hashtag, "tag", ""}, {5, 14, Hashtag, "タグ", ""}, {15, 28, Hashtag, "日本・語", ""}}},
		{"a#tag (#tag) #1 #1_1 #_ #a· #·a", []Entity{{16, 20, Hashtag, "1_1", ""}, {24, 26, Hashtag, "a", ""}}},
		{"#taghttp://example.com", []Entity{{0, 4, Hashtag, "tag", ""}}},
		{"https://example.com/ #a\n#b", []Entity{
			{0, 20, URL, "https://example.com/", ""}, {21, 23, Hashtag, "a", ""}, {24, 26, Hashtag, "b", ""},
		}},
		{"$ACME", nil},
	} {
		if diff := cmp.Diff(c.want, MastodonEntities(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func FuzzMastodon(f *testing.F) {
	for _, s := range []string{post, widePost, "@a@b.c", "https://a.com/(\u0301)", "\xff@a", "#a·b·", "x://a.com", "https://a.com?é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := Mastodon(s, 0); n < 0 || n > CountGraphemes(s)+1 && !strings.Contains(s, "://") {
			t.Errorf("Mastodon(%q) = %d", s, n)
		}
		checkEntities(t, s, MastodonEntities(s))
	})
}
