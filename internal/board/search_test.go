package board

import (
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
	})
}
