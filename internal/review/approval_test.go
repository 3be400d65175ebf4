package review_test

import (
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/review"
)

// TestApproval says what merging takes: of what changes, of what stays the same, and of what nobody need approve.
func TestApproval(t *testing.T) {
	rule := siteYAML + "require_approval: {people: 2, accounts: [fedi, x]}\n"
	post := func(at, body string) string {
		return written("p1", body, "title: Sled", "platforms: [bluesky, fedi, x]", "publish_at: "+at)
	}
	before := files{"site.yaml": rule, "content/p1.md": post("2026-12-01 09:00", "Hello.")}
	for _, c := range []struct {
		name          string
		after         files
		summary       string
		want, nowhere string
	}{
		{"another text", files{"content/p1.md": post("2026-12-01 09:00", "Hello, world.")}, "needs approval by **2 people**",
			"(08:00 UTC): `bluesky`<br>goes out Tue 1 Dec 2026 09:00 CET (08:00 UTC), if 2 people approve this: `fedi`, `x`", "does not change"},
		{"another time", files{"content/p1.md": post("2026-12-01 10:00", "Hello.")}, "",
			"if 2 people have approved what it says, which this does not change: `fedi`, `x`", "approve this"},
		{"one is enough", files{"site.yaml": siteYAML + "require_approval: true\n", "content/p1.md": post("2026-11-01 09:00", "Hello, world.") + "late\n"}, "", "it was due at", "approve"},
		{"nobody need", files{"site.yaml": siteYAML, "content/p1.md": post("2026-12-01 09:00", "Hello, world.")}, "", "goes out", "approve"},
		{"at once", files{"site.yaml": siteYAML + "require_approval: true\n", "content/p2.md": written("p2", "New.", "platforms: [fedi]")}, "needs approval by **one person**", "**goes out at once**, if one person approves this: `fedi`", "people"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := made(t, before, before.with(c.after), ledger.Memory{})
			text := ""
			for line := range strings.Lines(r.Markdown(review.MarkdownOptions{})) {
				if strings.HasPrefix(line, "|") {
					text += line
				}
			}
			if !strings.Contains(text, c.want) || strings.Contains(text, c.nowhere) {
				t.Errorf("it says %s\nwant %q and not %q", text, c.want, c.nowhere)
			}
			if s := r.Summary(); (c.summary != "") != strings.Contains(s, "approv") || !strings.Contains(s, c.summary) {
				t.Errorf("in short: %s", s)
			}
		})
	}
}
