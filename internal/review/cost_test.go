package review_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/review"
)

// spent is a ledger that knows what was spent in November.
type spent struct {
	ledger.Memory
	usd platform.USD
	err error
}

func (s spent) Spent(_ string, m ledger.Month) (platform.USD, error) {
	if m != "2026-11" {
		return 0, nil
	}
	return s.usd, s.err
}

func (s spent) Opening() (ledger.Opening, error) {
	return ledger.Opening{Began: time.Unix(0, 0), Format: ledger.Format}, nil
}

func TestCosts(t *testing.T) {
	const capped = "title: Acme\ntimezone: Europe/Berlin\naccounts:\n  x: {platform: x, handle: acme, monthly_cap: 0.05 USD}\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\n"
	base := files{"site.yaml": capped}
	after := base.with(files{
		"content/now.md":   written("now", "Hello.", "platforms: [x, fedi]"),
		"content/later.md": written("later", "Hello again.", "platforms: [x]", "publish_at: 2026-12-01 09:00"),
		"content/draft.md": written("draft", "Not yet.", "platforms: [x]", "draft: true"),
	})
	for name, test := range map[string]struct {
		cap  string
		view ledger.View
		want []string
	}{
		"nothing spent": {"0.05", nil, []string{"- about $0.015 on `x` in November 2026; $0.00 of $0.05 are spent\n", "- about $0.015 on `x` in December 2026; $0.00 of $0.05 are spent\n"}},
		"the cap is reached": {"0.05", spent{usd: 45_000}, []string{
			"**goes out at once**: `fedi`<br>waits (&#36;0.045 of &#36;0.05 are spent in November 2026; this costs about &#36;0.015): `x`", "- about $0.03 on `x` in December 2026; $0.00 of $0.05 are spent\n"}},
		"too little": {"0.02", spent{usd: 10_000}, []string{"- about $0.03 on `x` in December 2026; $0.00 of $0.02 are spent: **the monthly cap leaves no room for all of it**\n"}},
		"unreadable": {"0.05", spent{err: ledger.ErrFormat}, []string{"waits (what was spent in November 2026 cannot be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := made(t, base, after.with(files{"site.yaml": strings.Replace(capped, "0.05", test.cap, 1)}), test.view).Markdown(review.MarkdownOptions{})
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
	r := made(t, base, after, nil)
	var costs []platform.USD
	for _, p := range r.Posts {
		for _, x := range p.Targets {
			costs = append(costs, x.Cost.Total())
		}
	}
	if !slices.Equal(costs, []platform.USD{0, 15_000, 0, 15_000}) { // draft, later, now on fedi and x
		t.Errorf("the targets cost %v", costs)
	}
	if b := r.Bills; len(b) != 2 || b[0].Now != 15_000 || b[1].Coming != 15_000 || b[0].Beyond() {
		t.Errorf("bills: %+v", b)
	}
}

// TestTokens: a token that dies before a post goes out is said at the target, and only there.
func TestTokens(t *testing.T) {
	site := "timezone: Europe/Berlin\naccounts:\n  old: {platform: threads, token_expires: 2026-11-20}\n  new: {platform: threads, token_expires: 2026-12-01}\n  x: {platform: x, handle: acme}\n"
	base := files{"site.yaml": site}
	all := "platforms: [new, x]"
	r := made(t, base, base.with(files{
		"content/before.md": written("before", "One.", all, "publish_at: 2026-11-30 23:00"),
		"content/day.md":    written("day", "Two.", all, "publish_at: 2026-12-01 00:00"),
		"content/draft.md":  written("draft", "Three.", all, "publish_at: 2026-12-02 09:00", "draft: true"),
		"content/now.md":    written("now", "Four.", "platforms: [old, new]"),
	}), nil)
	var got []string
	for _, p := range r.Posts {
		for _, x := range p.Targets {
			if day := x.TokenDay(); day != "" {
				got = append(got, p.ID+" "+x.Account+" "+day)
			}
		}
	}
	if want := []string{"day new 2026-12-01", "now old 2026-11-20"}; !slices.Equal(got, want) {
		t.Errorf("tokens end for %v, want %v", got, want)
	}
	text := r.Markdown(review.MarkdownOptions{})
	for _, want := range []string{
		"<br>**the token ends on Tue 1 Dec 2026, before this goes out**: `new` |", "<br>**the token has ended on Fri 20 Nov 2026**: `old` |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
