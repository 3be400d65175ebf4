package cli

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

// Whatever the file, an id that is inserted is one line more and nothing less, and reading the file finds it, or says that
// the file cannot be read.
func FuzzInsertID(f *testing.F) {
	for _, seed := range []string{
		"", "text", "---\ntitle: a\n---\nb", "\ufeff---\r\na: b\r\n---\r\n", "+++\n+++\n", "{}\nb", "{\n\"title\": \"a\"}\n", "---", "{", "\n\n---\n---\n",
		"---\n- a\n---\n", "---\n{title: a}\n---\n", "{ }", "... \n", "----0\n---\n0",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		changed, err := insertID(src, "k3v9q2xh")
		if err != nil {
			return
		}
		cut := len(changed) - len(src)
		if cut <= 0 {
			t.Fatalf("%q becomes %q", src, changed)
		}
		head, tail := 0, 0
		for head < len(src) && src[head] == changed[head] {
			head++
		}
		for tail < len(src) && src[len(src)-1-tail] == changed[len(changed)-1-tail] {
			tail++
		}
		if head+tail < len(src) {
			t.Errorf("%q becomes %q: more than an insertion", src, changed)
		}
		before, findings := content.Parse("content/a.md", src, nil, content.Options{})
		if unreadable(findings) {
			return
		}
		after, findings := content.Parse("content/a.md", changed, nil, content.Options{})
		if after.ID == "k3v9q2xh" && !before.OwnID && len(after.Body) != len(before.Body) {
			t.Errorf("%q has %d parts, %q has %d: %v", src, len(before.Body), changed, len(after.Body), findings)
		}
	})
}
