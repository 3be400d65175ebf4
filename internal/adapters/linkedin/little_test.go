package linkedin

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/linkedin/fake"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// facetsOf returns the facets that rendering gives a text.
func facetsOf(text string, mentions []mention) []platform.Facet {
	var facets []platform.Facet
	for _, e := range entities(text, mentions) {
		kind := platform.FacetLink
		switch e.Kind {
		case measure.Mention:
			kind = platform.FacetMention
		case measure.Hashtag:
			kind = platform.FacetTag
		}
		facets = append(facets, platform.Facet{Start: e.Start, End: e.End, Kind: kind, Value: e.Value})
	}
	return facets
}

var acme = mention{name: "Acme_Corp (EU)", urn: "urn:li:organization:2414183"}

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"The sled is back.", "The sled is back."},
		{"50% off (today) *only* <now> ~ [a|b] {c} \\d", `50% off \(today\) \*only\* \<now\> \~ \[a\|b\] \{c\} \\d`},
		{"#Winter and #a_b, not C# or #1", `{hashtag|\#|Winter} and {hashtag|\#|a\_b}, not C\# or \#1`},
		{"See https://acme.example/a_b(c)#top", `See https://acme.example/a\_b\(c\)\#top`},
		{"Thanks @Acme_Corp (EU)!", `Thanks @[Acme\_Corp \(EU\)](urn:li:organization:2414183)!`},
		{"Mail me@acme.example, @anna", `Mail me\@acme.example, \@anna`},
		{"＃全角 #冬", `＃全角 {hashtag|\#|冬}`},
		{"", ""},
	} {
		if got := escape(tt.text, facetsOf(tt.text, []mention{acme})); got != tt.want {
			t.Errorf("escape(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestUnescape reads what LinkedIn writes, which is not only what escape does.
func TestUnescape(t *testing.T) {
	for little, want := range map[string]string{
		`#bare and {hashtag|\#|made}`: "#bare and #made",
		`{hashtag|#|tag}`:             "#tag",
		`@[Devtestco] (urn:li:organization:1) and @[Eddy](urn:li:person:a\_b)`: "@Devtestco and @Eddy",
		`{hashtag|open`:       "{hashtag|open",
		`@[open`:              "@[open",
		`@[no](closed`:        "@[no](closed",
		`{other|thing} \`:     `{other|thing} \`,
		`a\(b\)`:              "a(b)",
		`{hashtag|\#|a\}b} c`: "#a}b c",
	} {
		if got := unescape(little); got != want {
			t.Errorf("unescape(%q) = %q, want %q", little, got, want)
		}
	}
}

// FuzzLittleText holds the promise that no text is cut: both our reader and the fake's, which stops at the first reserved
// character that means nothing, get back what was written.
func FuzzLittleText(f *testing.F) {
	for _, text := range []string{
		"plain", `\|{}@[]()<>#*_~`, `\\`, "#tag #tag_ #1a ##b", "@Acme_Corp (EU) @Acme_Corp (EU)s", "https://acme.example/#a_(b)", "{hashtag|\\#|x}", "@[a](urn:li:person:b)", "\xff#é\x00",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		little := escape(text, facetsOf(text, []mention{acme}))
		if got := unescape(little); got != text {
			t.Errorf("unescape(%q) = %q, want %q", little, got, text)
		}
		if got := fake.Shown(little); got != text {
			t.Errorf("LinkedIn shows %q of %q, want %q", got, little, text)
		}
		unescape(text) // takes anything
	})
}
