package measure

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThreads(t *testing.T) {
	data, err := os.ReadFile("testdata/threads.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Text   string `json:"text"`
		Length int    `json:"length"`
		Why    string `json:"why"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 20 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for _, v := range vectors {
		if got := Threads(v.Text); got != v.Length {
			t.Errorf("%q (%s) has %d, want %d", v.Text, v.Why, got, v.Length)
		}
	}
	if got := Threads("caf\xe9 \xff\xfe"); got != 7 {
		t.Errorf("bytes that are no text count as %d, want one each: 7", got)
	}
}

func FuzzThreads(f *testing.F) {
	for _, s := range []string{"", "a", "👨‍👩‍👧‍👦", "#️⃣", "❤️❤", "🇩🇪🇩", "\xff👍🏿", "e\u0301☕️", "\u200d\ufe0f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Threads(s)
		if all := threadsClusters(s); n != all {
			t.Errorf("%q has %d, and one cluster after the other %d", s, n, all)
		}
		if n < CountCodePoints(s) || n > len(valid(s)) {
			t.Errorf("%q has %d, %d code points, %d bytes", s, n, CountCodePoints(s), len(s))
		}
		if ascii := strings.ToLower(s); isASCII(ascii) && Threads(ascii) != len(ascii) {
			t.Errorf("%q has %d", ascii, Threads(ascii))
		}
	})
}

func TestThreadsEntities(t *testing.T) {
	for _, c := range []struct {
		text string
		want []Entity
	}{
		{"nothing here", nil},
		{"by @an.na_1. and #Snow: https://acme.com/xy.", []Entity{
			{Start: 3, End: 11, Kind: Mention, Value: "an.na_1"},
			{Start: 17, End: 22, Kind: Hashtag, Value: "Snow"},
			{Start: 24, End: 43, Kind: URL, Value: "https://acme.com/xy"},
		}},
		{"me@acme.example, x/@anna, .@anna, @@anna, @anna@b.example", []Entity{{Start: 35, End: 40, Kind: Mention, Value: "anna"}}},
		{"@" + strings.Repeat("a", 30), []Entity{{Start: 0, End: 31, Kind: Mention, Value: strings.Repeat("a", 30)}}},
		{"@" + strings.Repeat("a", 31), nil},
		{"https://acme.com/@anna#tag", []Entity{{Start: 0, End: 26, Kind: URL, Value: "https://acme.com/@anna#tag"}}},
	} {
		if diff := cmp.Diff(c.want, ThreadsEntities(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
	if got := InstagramEntities("https://acme.com #Snow"); len(got) != 1 || got[0].Kind != Hashtag {
		t.Errorf("Instagram links %+v", got)
	}
}

func FuzzThreadsEntities(f *testing.F) {
	for _, s := range []string{post, widePost, "@a.b.@c", "https://a.com/@a#b", "\xff@a", "#\u0301a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkEntities(t, s, ThreadsEntities(s)) })
}
