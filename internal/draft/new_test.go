package draft

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/content"
)

func TestSlugOf(t *testing.T) {
	for title, want := range map[string]string{
		"Winter launch":                "winter-launch",
		"  It's — “here”!  ":           "its-here",
		"Größe, Smørrebrød & Łódź":     "grosse-smorrebrod-lodz",
		"Crème brûlée":                 "creme-brulee",
		"../../etc/passwd":             "etc-passwd",
		"Read me":                      "read-me",
		"README":                       "readme-theid",
		"冬のセール 2026":                   "冬のセール-2026",
		"🛷🛷":                           "theid",
		"":                             "theid",
		strings.Repeat("word ", 30):    "word-word-word-word-word-word-word-word-word-word-word-word",
		strings.Repeat("長", 100):       strings.Repeat("長", 20),
		strings.Repeat("a", 61) + " b": strings.Repeat("a", 60),
	} {
		got := slugOf(title, "theid")
		if got != want {
			t.Errorf("slugOf(%q) = %q, want %q", title, got, want)
		}
		if len(got) > maxSlug {
			t.Errorf("slugOf(%q) has %d bytes", title, len(got))
		}
	}
}

func FuzzSlugOf(f *testing.F) {
	for _, seed := range []string{"Winter launch", "İstanbul", "..", "a/b\\c", "\xff", "é́́", "-", "ﷺﷺﷺﷺﷺﷺﷺﷺ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, title string) {
		got := slugOf(title, "theid")
		if got == "" || len(got) > maxSlug || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\. \x00\"'") || strings.Trim(got, "-") != got {
			t.Errorf("slugOf(%q) = %q", title, got)
		}
		if !content.IsPost(got + ".md") {
			t.Errorf("slugOf(%q) = %q, which is no post", title, got)
		}
	})
}
