package check

import (
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

const exampleToken = "-- site.yaml --\naccounts:\n  threads: {platform: threads, token_expires: 2026-12-12}\n"

func tokenDies() Check {
	return Check{
		Doc: finding.Doc{
			Code: "S180", Title: "token that dies before its posts go out", Severity: finding.Warning, Since: "0.1.0",
			Why: "By token_expires in site.yaml, posts are scheduled for the day on which the account's token dies, or later: they would wait for a person. " +
				"`postrider doctor` asks the network for the day, where it tells.",
			Bad:  exampleToken + exampleTokenPost("2026-12-14 09:00"),
			Good: exampleToken + exampleTokenPost("2026-12-11 09:00"),
		},
		cross: func(c *Checker, seen []sighting, out *finding.List) {
			if len(seen) == 0 {
				return
			}
			a := &c.cfg.Accounts[seen[0].account]
			if a.TokenExpires.IsZero() {
				return
			}
			beyond, first := 0, sighting{}
			for _, s := range seen {
				if s.at < a.TokenExpires.Unix() || s.inert {
					continue
				}
				if beyond++; beyond == 1 || s.at < first.at {
					first = s
				}
			}
			if beyond == 0 {
				return
			}
			posts := "a post is"
			if beyond > 1 {
				posts = fmt.Sprintf("%d posts are", beyond)
			}
			out.Add(finding.Finding{
				Code: "S180", Severity: finding.Warning, Path: config.File, Account: a.Name, Range: c.cfg.Place("accounts", a.Name, "token_expires"),
				Message: fmt.Sprintf("the token dies on %s, and %s scheduled for that day or later, %s for %s first", dayOf(a.TokenExpires), posts, first.post.Path,
					time.Unix(first.at, 0).In(c.cfg.Location).Format("Mon 2 Jan 2006 15:04")),
				Hint: fmt.Sprintf("make a new token before, and write its day here: see docs/platforms/%s.md", a.Platform),
			})
		},
	}
}

func tokenDead() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "D305", Title: "post for which the token must be renewed", Severity: finding.Info, Since: "0.1.0",
			Why:  "The account's token dies before the post goes out, by token_expires in site.yaml: without a new one the post waits for a person.",
			Bad:  exampleToken + exampleTokenPost("2026-12-14 09:00"),
			Good: exampleToken + exampleTokenPost("2026-12-11 09:00"),
		},
		target: func(p *Pass, t *Target) {
			v, dies := t.Variant, t.Account.TokenExpires
			if dies.IsZero() || v.PublishAt.Before(dies) || v.Draft || v.Withdraw {
				return
			}
			p.out.Add(v.Finding("D305", finding.Info, v.Place(post.FieldPublishAt),
				fmt.Sprintf("the token for %s dies on %s: it must be renewed for this post", t.Info.Name, dayOf(dies)), ""))
		},
	}
}

func dayOf(t time.Time) string { return t.Format("Mon 2 Jan 2006") }

func exampleTokenPost(at string) string {
	return "-- content/sled.md --\n---\nplatforms: [threads]\npublish_at: " + at + "\n---\nThe sled is back.\n"
}
