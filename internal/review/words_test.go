package review_test

import (
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/review"
)

// TestUnseen has reviewers see what a text does to them: a character that turns the direction of a line, or is not seen, has its name there.
func TestUnseen(t *testing.T) {
	for text, want := range map[string][2]string{ // as text, as code
		"cat \u202egnp.exe":    {"cat &#91;U+202E&#93;gnp.exe", "`cat [U+202E]gnp.exe`"},
		"a\u2066b\u2069":       {"a&#91;U+2066&#93;b&#91;U+2069&#93;", "`a[U+2066]b[U+2069]`"},
		"a\u2028b\x1bc\u0085d": {"a&#91;U+2028&#93;b c d", "`a[U+2028]b c d`"},
		"\ufeff---":            {"&#91;U+FEFF&#93;---", "`[U+FEFF]---`"},
		"می\u200cخواهم\u200f 👩\u200d👧 e\u0301": {"می\u200cخواهم\u200f 👩\u200d👧 e\u0301", "`می\u200cخواهم\u200f 👩\u200d👧 e\u0301`"}, // scripts and emoji need these
		"US$5/US$6": {"US&#36;5/US&#36;6", "`US$5/US$6`"}, // no formula
	} {
		if got := review.Inert(text); got != want[0] {
			t.Errorf("%q as text is %q, not %q", text, got, want[0])
		}
		if got := review.Code(text); got != want[1] {
			t.Errorf("%q as code is %q, not %q", text, got, want[1])
		}
	}
	site := files{"site.yaml": siteYAML}
	got := made(t, site, site.with(files{"content/a.md": written("a", "Pay \u202e0001\u202c euros, שלום.", "platforms: [bluesky]")}), nil).Markdown(review.MarkdownOptions{})
	if want := "\nPay [U+202E]0001[U+202C] euros, שלום.\n"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// TestHints has commands in findings and reasons stand as code, and what somebody put between backquotes do no harm there.
func TestHints(t *testing.T) {
	site := files{"site.yaml": siteYAML}
	got := made(t, site, site.with(files{
		"content/card.md": written("card", "https://acme.example/", "platforms: [bluesky]", "publish_at: 2026-12-01 09:00"),
		"content/evil.md": written("evil", "Hi.", "platforms: [bluesky]", "publish_at: \"`@ada` ``<b>`\""),
	}), nil).Markdown(review.MarkdownOptions{})
	for _, want := range []string{
		"**2 posts** change · 1 delivery goes out at its time · 1 waits · **1 new error**.", // of what, is said once
		"*`postrider cards content/card.md` puts it into a file to be reviewed*",
		"publish&#95;at is not a time: \"`@ada` &#96;&#96;&#60;b&#62;&#96;\"",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
