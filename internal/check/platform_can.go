package check

import (
	"fmt"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func cannotPublish() Check {
	return Check{
		Doc: finding.Doc{
			Code: "P301", Title: "platform that this version cannot publish to", Severity: finding.Warning, Since: "0.1.0",
			Why:  "Posts to it are counted, checked and previewed, but do not go out. No platform of this version is like that.",
			Bad:  "-- site.yaml --\naccounts:\n  semaphore: {platform: semaphore}\n",
			Good: "-- site.yaml --\naccounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social}\n",
		},
		site: func(c *Checker, out *finding.List) {
			for i := range c.cfg.Accounts {
				a := &c.cfg.Accounts[i]
				if info := c.infos[a.Name]; info != nil && !info.Caps.Has(platform.CanPublish) {
					out.Add(finding.Finding{
						Code: "P301", Severity: finding.Warning, Path: config.File, Account: a.Name, Range: c.cfg.Place("accounts", a.Name),
						Message: fmt.Sprintf("%s can be previewed, not published, by this version", info.Name), Hint: "post there by hand, from the preview",
					})
				}
			}
		},
	}
}

func cannotDelete() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "P302", Title: "post that cannot be taken down by itself", Severity: finding.Warning, Since: "0.1.0",
			Why:  "The post has `withdraw` or `expires_at`, but on this platform nothing can be deleted from here: somebody has to do it by hand.",
			Bad:  "-- site.yaml --\naccounts:\n  semaphore: {platform: semaphore}\n-- content/sled.md --\n---\nplatforms: [semaphore]\npublish_at: 2026-12-01 09:00\nexpires_at: 2026-12-24 18:00\n---\nThe sled is back.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [bluesky]\npublish_at: 2026-12-01 09:00\nexpires_at: 2026-12-24 18:00\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			v := t.Variant
			if t.Info.Caps.Has(platform.CanDelete) || !v.Withdraw && v.ExpiresAt.IsZero() {
				return
			}
			at := v.Place(post.FieldExpiresAt)
			if v.Withdraw {
				at = v.Place(post.FieldWithdraw)
			}
			p.out.Add(v.Finding("P302", finding.Warning, at, fmt.Sprintf("posts on %s cannot be taken down from here", t.Info.Name), "somebody must delete it there"))
		},
	}
}
