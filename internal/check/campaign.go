package check

import (
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

const exampleCampaign = "-- site.yaml --\ncampaigns:\n  winter-launch: {starts: 2026-12-01, ends: 2026-12-24}\n-- content/sled.md --\n---\nplatforms: [x]\n"

func campaignUnknown() Check {
	return Check{
		Doc: finding.Doc{
			Code: "C104", Title: "campaign that is not defined", Severity: finding.Error, Since: "0.1.0",
			Why:  "The post would be missing in the campaign's results, and would go out while the campaign is on hold.",
			Bad:  exampleCampaign + "campaign: winter-lunch\n---\nThe sled is back.\n",
			Good: exampleCampaign + "campaign: winter-launch\n---\nThe sled is back.\n",
		},
		post: func(p *Pass, x *post.Post) {
			p.campaign(x, "", &x.Fields)
			for i := range x.Overrides {
				p.campaign(x, x.Overrides[i].Name, &x.Overrides[i].Fields)
			}
		},
	}
}

func (p *Pass) campaign(x *post.Post, override string, f *post.Fields) {
	if f.Campaign == "" {
		return
	}
	if _, ok := p.c.cfg.Campaign(f.Campaign); ok {
		return
	}
	var known []string
	for i := range p.c.cfg.Campaigns {
		known = append(known, p.c.cfg.Campaigns[i].Name)
	}
	place := x.Place(override, post.FieldCampaign)
	p.report("C104", finding.Error, x, place, fmt.Sprintf("campaign %q is not defined", f.Campaign),
		didYouMean(f.Campaign, known, "define it under campaigns in site.yaml; defined: "+list(known)))
	p.mend(x, place, f.Campaign, content.Certain(f.Campaign, known))
}

func campaignSpan() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "C105", Title: "post outside its campaign's days", Severity: finding.Warning, Since: "0.1.0",
			Why:  "Usually the month or the year is mistyped, or the campaign has moved and the post has not.",
			Bad:  exampleCampaign + "campaign: winter-launch\npublish_at: 2026-12-31 09:00\n---\nThe sled is back.\n",
			Good: exampleCampaign + "campaign: winter-launch\npublish_at: 2026-12-03 09:00\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			v := t.Variant
			if v.Campaign == "" || v.PublishAt.IsZero() {
				return
			}
			c, ok := p.c.cfg.Campaign(v.Campaign)
			if !ok || c.Contains(v.PublishAt) {
				return
			}
			const day = "Mon 2 Jan 2006"
			message := fmt.Sprintf("campaign %q is over after %s", c.Name, c.Ends.Add(-time.Second).Format(day))
			if v.PublishAt.Before(c.Starts) {
				message = fmt.Sprintf("campaign %q starts only on %s", c.Name, c.Starts.Format(day))
			}
			p.out.Add(v.Finding("C105", finding.Warning, v.Place(post.FieldPublishAt), message, "mend the time, or the campaign's days in site.yaml"))
		},
	}
}
