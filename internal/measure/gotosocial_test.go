package measure

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// More of these are in test/servers, where GoToSocial itself is asked.
func TestGoToSocialEntities(t *testing.T) {
	url := func(start, end int, value string) Entity {
		return Entity{Start: start, End: end, Kind: URL, Value: value}
	}
	mention := func(start, end int, value string) Entity {
		return Entity{Start: start, End: end, Kind: Mention, Value: value}
	}
	tag := func(start, end int, value string) Entity {
		return Entity{Start: start, End: end, Kind: Hashtag, Value: value}
	}
	for _, c := range []struct {
		text string
		want []Entity
	}{
		{"nothing here: 1. 2. 3.", nil},
		{"by @anna, x", []Entity{mention(3, 8, "anna")}},
		{"by @anna. x", nil}, // the full stop is part of the name
		{"by @anna@a.example, x", []Entity{mention(3, 18, "anna@a.example")}},
		{"by @anna@a.example. x", nil},
		{"by @anna@a.example: x", nil},
		{"by @an.na@a.example:80 x", []Entity{mention(3, 22, "an.na@a.example:80")}},
		{"by @an.na x", nil}, // no name of this server
		{"by @anné x", nil},
		{"a@anna, 😀@anna, x/@anna", []Entity{mention(21, 26, "anna")}},
		{`\@anna \\@anna`, []Entity{mention(9, 14, "anna")}},
		{"(#tag) x#tag ＃tag #tag😀 #c++ #1 #1a #a·b", []Entity{tag(1, 5, "tag"), tag(37, 40, "1a"), tag(41, 43, "a")}},
		{"#" + strings.Repeat("a", 100), []Entity{tag(0, 101, strings.Repeat("a", 100))}},
		{"#" + strings.Repeat("a", 101), nil},
		{"#" + strings.Repeat("é", 50), []Entity{tag(0, 101, strings.Repeat("é", 50))}},
		{"see http://localhost/x.", []Entity{url(4, 22, "http://localhost/x")}},
		{"(https://a.example/(x)) y", []Entity{url(1, 22, "https://a.example/(x)")}},
		{"https://a.example/(x y", []Entity{url(0, 18, "https://a.example/")}},
		{"https://a.example/((x)(y)) (((x)))", []Entity{url(0, 26, "https://a.example/((x)(y))")}},
		{"https://a.example/@anna#tag", []Entity{url(0, 27, "https://a.example/@anna#tag")}},
		{`"https://a.example" HTTPS://a.example https://`, nil},
		{`https://a.example\x`, nil},
		{"https://\xff @anna\xff", []Entity{mention(10, 15, "anna")}},
	} {
		if diff := cmp.Diff(c.want, GoToSocialEntities(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
}

func FuzzGoToSocialEntities(f *testing.F) {
	for _, s := range []string{post, widePost, "@a@b.c:1", "https://a.com/((\u0301)[x])", "\xff@a", `\#a\\#b`, "x://a.com", "#\u0301a", "@e\u0301@e\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkEntities(t, s, GoToSocialEntities(s)) })
}

// Text that is made to be looked at again and again takes no longer than its length.
func TestGoToSocialEntitiesLongText(t *testing.T) {
	const n = 1 << 16
	for _, s := range []string{"https://a(", "(https://a", "@", "@a", "#", "#a", "://", "https://", `\`, `\@`, "https://(((", "@a@a", "(", "a"} {
		text := strings.Repeat(s, n)
		began := time.Now()
		GoToSocialEntities(text)
		GoToSocialEntities("https://a" + text)
		GoToSocialEntities(text + "@")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q repeated takes %v", s, took)
		}
	}
}
