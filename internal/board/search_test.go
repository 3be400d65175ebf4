package board

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzNeedle holds searching against the plain way.
func FuzzNeedle(f *testing.F) {
	for _, seed := range [][2]string{
		{"The Sled is BACK", "back"}, {"Grüße aus ÖSTERREICH", "österreich"}, {"İstanbul, 273 K", "istanbul,"}, {"273 \u212a", "k"}, {"aaab", "aab"},
		{"", "x"}, {"x", ""}, {"日本語のポスト", "ポスト"}, {"Straße", "ß"}, {"ſet", "set"}, {"ΑΣ", "ας"}, {"#Q3 Q-report", "q-"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, word string) {
		if !utf8.ValidString(text) || !utf8.ValidString(word) {
			return
		}
		word = strings.ToLower(word)
		n := newNeedle(word)
		if got, want := n.in(text), strings.Contains(strings.ToLower(text), word); got != want {
			t.Errorf("%q in %q: %v, want %v", word, text, got, want)
		}
		var p pairs
		if p.add(text); n.in(text) && !p.has(&n.pairs) {
			t.Errorf("%q is in %q, and a pair of it is not", word, text)
		}
	})
}

// TestSearchIsPlain compares a search with looking for each word in everything that is searched, the plain way.
func TestSearchIsPlain(t *testing.T) {
	_, in := shelves(t)
	in.Site = load(t, files(map[string]string{
		"a": "---\nid: aa\ntitle: \"Gr\\u00fc\\xdfe \\u0041us\"\ntags: [Snow, \"K\\u0069no\"]\noverrides:\n  fedi:\n    title: \"T\\u006f Mastodon\"\n    text: \"Some **bo**ld w\\u006frds\"\n---\nThe SLED is B\u0041CK, \u0130stanbul, 273 \u212a\n",
		"b": "---\nid: bb\n---\nNothing of it: zebra-crossing *a*cross\n",
		"c": "---\nid: cc\ntitle: >-\n  Folded\n  title\n---\n日本語のポスト\n",
	}))
	b := made(t, in)
	found := 0
	for _, text := range []string{
		"grüße", "aus", "kino", "snow", "to mastodon", "bold words", "sled back", "k", "zebra-crossing", "across", "*a*cross", "folded title", "ポスト", "content/b", "aa", "id:", "overrides", "nothing sled", "istanbul", "xdfe", "w\\u006frds", "title",
	} {
		var want []string
		for _, r := range b.Rows() {
			all := append(r.facts.keys(nil), r.facts.text[r.facts.body:], r.facts.path)
			if r.facts.other != nil {
				all = append(all, string(r.facts.other.read()))
			}
			hit := true
			for word := range strings.FieldsSeq(strings.ToLower(text)) {
				hit = hit && slices.ContainsFunc(all, func(s string) bool { return strings.Contains(strings.ToLower(s), word) })
			}
			if hit {
				want = append(want, r.Post.ID)
				found++
			}
		}
		if got := ids(b.Posts(Filter{Text: text, Sort: ByPath})); got != strings.Join(want, " ") {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if found < 15 {
		t.Errorf("only %d posts are found", found)
	}
}
