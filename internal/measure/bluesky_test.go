package measure

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type facet struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// serverURI is what a server demands of a link (@atproto/syntax, uri.js, checked 2026-11-21).
var serverURI = regexp.MustCompile(`^\w+:(?://)?[^\s/][^\s]*$`)

// TestBlueskyEntities compares with what the reference client finds. Overlapping facets, which the
// client keeps and its renderer drops, and URIs that a server refuses are put right first.
func TestBlueskyEntities(t *testing.T) {
	data, err := os.ReadFile("testdata/bluesky_facets.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Text   string  `json:"text"`
			Facets []facet `json:"facets"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 150 {
		t.Fatalf("only %d cases", len(golden.Cases))
	}
	// What is a bare domain to us though the client takes it for a URL with a scheme, and what it is then.
	bareHTTP := map[string]string{"httpbin.org": "https://httpbin.org", "httpbin.org/get": "https://httpbin.org/get", "http.invalidtld": ""}
	for _, c := range golden.Cases {
		var want, got []facet
		last := 0
		for _, f := range c.Facets {
			if f.Type == "link" && !serverURI.MatchString(f.Value) {
				f.Value = bareHTTP[f.Value]
			}
			if f.Value == "" || f.Start < last {
				continue
			}
			want = append(want, f)
			last = f.End
		}
		for _, e := range BlueskyEntities(c.Text) {
			f := facet{e.Start, e.End, "", e.Value}
			switch e.Kind {
			case URL:
				f.Type = "link"
			case Mention:
				f.Type = "mention"
			case Hashtag:
				f.Type = "tag"
			case Cashtag:
				f.Type, f.Value = "tag", "$"+e.Value
			}
			got = append(got, f)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-client +got):\n%s", c.Text, diff)
		}
	}
}

func FuzzBlueskyEntities(f *testing.F) {
	for _, s := range []string{post, widePost, "(@a.com)", "https://(", "\xff#a", "#\xff", "$A’", "http:///", "a.b\xff."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkEntities(t, s, BlueskyEntities(s)) })
}

// checkEntities fails when the entities of s are not in order, overlap, are empty or cut a character.
func checkEntities(t *testing.T, s string, entities []Entity) {
	t.Helper()
	last := 0
	for _, e := range entities {
		if e.Start < last || e.End <= e.Start || e.End > len(s) || e.Value == "" || e.Kind < URL || e.Kind > Cashtag {
			t.Fatalf("%q: %+v after %d", s, e, last)
		}
		if !onRune(s, e.Start) || !onRune(s, e.End) {
			t.Fatalf("%q: %+v cuts a character", s, e)
		}
		last = e.End
	}
}

// onRune reports whether i is where a range over s begins a character, or the end of s.
func onRune(s string, i int) bool {
	for j := range s {
		if j >= i {
			return j == i
		}
	}
	return i == len(s)
}
