package measure

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

func pieces(text string, spans []Piece) []string {
	var list []string
	for _, s := range spans {
		list = append(list, text[s.Start:s.End])
	}
	return list
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		max        int
		want       []string
	}{
		{"empty", "", 10, nil},
		{"blank", " \n ", 10, nil},
		{"fits", "  short text \n", 10, []string{"short text"}},
		{"paragraph", "First part.\n\nSecond part. More of it.", 30, []string{"First part.", "Second part. More of it."}},
		{"sentence", "One is here. Two is there. Three", 28, []string{"One is here. Two is there.", "Three"}},
		{"line", "- one thing\n- another thing\n- third", 30, []string{"- one thing\n- another thing", "- third"}},
		{"word", "alpha beta gamma delta", 12, []string{"alpha beta", "gamma delta"}},
		{"no tiny piece", "Oh! These are many more words than fit", 24, []string{"Oh! These are many more", "words than fit"}},
		{"tiny paragraph", "Hi\n\nthese are many more words than fit", 24, []string{"Hi\n\nthese are many more", "words than fit"}},
		{"abbreviation", "We sell tools, e.g. hammers and nails", 24, []string{"We sell tools, e.g.", "hammers and nails"}},
		{"quotes", "He said “no.” She went home", 20, []string{"He said “no.”", "She went home"}},
		{"inside a word", "abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"family", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 2, []string{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"}},
		{"marks", "e\u0301e\u0301e\u0301", 2, []string{"e\u0301e\u0301", "e\u0301"}},
		{"Japanese", "今日は晴れです。明日は雨でしょう。", 12, []string{"今日は晴れです。", "明日は雨でしょう。"}},
		{"Japanese comma", "今日はとても晴れ、明日は雨でしょう", 12, []string{"今日はとても晴れ、", "明日は雨でしょう"}},
		{"URL", "see https://example.com/path now", 26, []string{"see", "https://example.com/path", "now"}},
		{"URL too long", "see https://example.com/path now", 10, []string{"see", "https://example.com/path", "now"}},
		{"hashtag", "abc #hashtag", 10, []string{"abc", "#hashtag"}},
		{"mark behind an entity", "https://example.com/a\u0301 b", 20, []string{"https://example.com/a\u0301", "b"}},
		{"one too much", "abc", 0, []string{"a", "b", "c"}},
	} {
		got := pieces(c.text, Split(c.text, XEntities(c.text), c.max, CountGraphemes))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestSplitWeighted(t *testing.T) {
	text := strings.Repeat(post+"\n\n"+widePost+"\n\n", 20)
	weight := func(s string) int { return X(s).Weighted }
	spans := Split(text, XEntities(text), XMaxWeighted, weight)
	for _, p := range pieces(text, spans) {
		if !X(p).Valid {
			t.Errorf("%d weighted characters: %q", weight(p), p)
		}
	}
	if total := weight(text); len(spans) > 2*total/XMaxWeighted {
		t.Errorf("%d pieces for %d weighted characters", len(spans), total)
	}
}

// boundary is a place where a text may be cut.
type boundary struct {
	Offset int
	Rank   Rank
}

func boundaries(text string, entities []Entity) []boundary {
	var found []boundary
	list := atoms(nil, text, entities)
	for i := 1; i < len(list); i++ {
		found = append(found, boundary{list[i].Start, rank(text, list[i-1], list[i])})
	}
	return found
}

func TestBoundaries(t *testing.T) {
	text := "A b. C\n\nd #tag e\u0301"
	want := []boundary{
		{2, BetweenWords}, {3, BetweenGraphemes}, {5, BetweenSentences}, {8, BetweenParagraphs},
		{10, BetweenWords}, {15, BetweenWords},
	}
	if got := boundaries(text, XEntities(text)); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(post, 50)
	f.Add(widePost, 40)
	f.Add("a\xff\u0301 https://a.com\u0301#b \r\n\r\n c", 3)
	f.Add("。\n\n👨‍👩‍👧‍👦x", 0)
	f.Fuzz(checkSplit)
}

// TestSplitAnywhere cuts texts that are made of everything that is hard to cut, at every length.
func TestSplitAnywhere(t *testing.T) {
	for _, text := range []string{
		post, widePost, "a\xff\u0301 https://a.com\u0301#b \r\n\r\n c", " \u0301 \u0301\u200d ",
		"👨‍👩‍👧‍👦👍🏽🇩🇪1️⃣ #tag@x $A.B @user/list 日本。語、https://t.co/x。「日本」 x",
	} {
		for max := range 60 {
			checkSplit(t, text, max)
		}
	}
}

// checkSplit fails when the pieces of text lose something, cut what must not be cut or are too long.
func checkSplit(t *testing.T, text string, max int) {
	t.Helper()
	entities := XEntities(text)
	cuts := boundaries(text, entities)
	for i, c := range cuts {
		if c.Offset <= 0 || c.Offset >= len(text) || i > 0 && c.Offset <= cuts[i-1].Offset || c.Rank < BetweenGraphemes || c.Rank > BetweenParagraphs {
			t.Fatalf("%q: cut %+v", text, c)
		}
		for _, e := range entities {
			if e.Start < c.Offset && c.Offset < e.End {
				t.Fatalf("%q: cut at %d inside %+v", text, c.Offset, e)
			}
		}
	}
	ends := map[int]bool{len(text): true}
	c := newClusters(text)
	for end, ok := c.next(); ok; end, ok = c.next() {
		ends[end] = true
	}
	last := 0
	for _, s := range Split(text, entities, max, CountGraphemes) {
		if s.Start < last || s.End <= s.Start || s.End > len(text) {
			t.Fatalf("%q: piece %+v after %d", text, s, last)
		}
		if gap := text[last:s.Start]; strings.TrimSpace(gap) != "" {
			t.Fatalf("%q: lost %q", text, gap)
		}
		if s.Start > 0 && !ends[s.Start] || !ends[s.End] {
			t.Fatalf("%q: %+v cuts a grapheme", text, s)
		}
		for _, e := range entities {
			if e.Start < s.Start && s.Start < e.End || e.Start < s.End && s.End < e.End {
				t.Fatalf("%q: %+v cuts %+v", text, s, e)
			}
		}
		piece := text[s.Start:s.End]
		if inner := boundaries(piece, shift(entities, s.Span)); CountGraphemes(piece) > max && len(inner) > 0 {
			t.Fatalf("%q: %q is longer than %d", text, piece, max)
		}
		last = s.End
	}
	if rest := text[last:]; strings.TrimFunc(rest, unicode.IsSpace) != "" {
		t.Fatalf("%q: lost %q", text, rest)
	}
}

// shift returns the entities within s, relative to its start.
func shift(entities []Entity, s Span) []Entity {
	var list []Entity
	for _, e := range entities {
		if e.Start >= s.Start && e.End <= s.End {
			e.Start -= s.Start
			e.End -= s.Start
			list = append(list, e)
		}
	}
	return list
}
