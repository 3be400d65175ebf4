package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func monthlyCap() Check {
	example := func(second string) string {
		return "-- site.yaml --\naccounts:\n  x: {platform: x, handle: acme, monthly_cap: 0.30 USD}\n" +
			"-- content/a.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 09:00\n---\nThe sled is back: https://acme.com/sled\n" +
			"-- content/b.md --\n---\nplatforms: [x]\npublish_at: " + second + " 09:00\n---\nFaster than ever: https://acme.com/fast\n"
	}
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "D304", Title: "posts of a month cost more than may be spent", Severity: finding.Warning, Since: "0.1.0",
			Why: "X charges for each post, and more for one with a link. What an account's `monthly_cap` leaves no room for is not sent until the month has ended, and is late by then. " +
				"Posts without a time are not counted, and of a repeated post only its first time.",
			Bad: example("2026-12-02"), Good: example("2027-01-02"),
		},
		cross: func(c *Checker, seen []sighting, out *finding.List) {
			var timed []sighting
			for _, s := range seen {
				if s.cost > 0 && s.at != 0 && !s.inert {
					timed = append(timed, s)
				}
			}
			slices.SortStableFunc(timed, func(a, b sighting) int { return cmp.Compare(a.at, b.at) })
			monthOf := func(s sighting) ledger.Month { return ledger.MonthOf(time.Unix(s.at, 0).In(c.cfg.Location)) }
			for len(timed) > 0 {
				account, month := &c.cfg.Accounts[timed[0].account], monthOf(timed[0])
				var total platform.USD
				var first *post.Post // that has no room
				n := 0
				for ; n < len(timed) && monthOf(timed[n]) == month; n++ {
					if total += timed[n].cost; total > account.MonthlyCap && first == nil {
						first = timed[n].post
					}
				}
				timed = timed[n:]
				if first != nil {
					out.Add(finding.Finding{
						Code: "D304", Severity: finding.Warning, Path: first.Path, Post: first.ID, Account: account.Name, Range: first.Place("", post.FieldPublishAt),
						Message: fmt.Sprintf("the posts of %s on %s cost about %s (USD), more than its monthly_cap of %s: there is no room for this one", month, account.Name, total, account.MonthlyCap),
						Hint:    "raise monthly_cap in site.yaml, or move posts to another month",
					})
				}
			}
		},
	}
}

// Cost returns what a rendering is estimated to cost on an account, 0 where that does not matter.
func (c *Checker) Cost(a *platform.Account, r *platform.Rendering) platform.USD {
	if a.MonthlyCap == 0 {
		return 0
	}
	adapter, ok := c.reg.Get(a.Platform)
	if !ok {
		return 0
	}
	return platform.Sum(platform.CostOf(adapter, a, r)...).Total()
}
