package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

func quiet() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "D301", Title: "post in a quiet window", Severity: finding.Info, Since: "0.1.0",
			Why:  "Nothing goes out in the windows of schedule.quiet: the post moves to the end of the window.",
			Bad:  "-- site.yaml --\nschedule: {quiet: [\"22:00-07:00\"]}\n-- content/sled.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 23:00\n---\nThe sled is back.\n",
			Good: "-- site.yaml --\nschedule: {quiet: [\"22:00-07:00\"]}\n-- content/sled.md --\n---\nplatforms: [x]\npublish_at: 2026-12-02 07:00\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			v := t.Variant
			if len(p.c.cfg.Schedule.Quiet) == 0 || v.PublishAt.IsZero() {
				return
			}
			if !p.quietAt.Equal(v.PublishAt) {
				p.quietAt = v.PublishAt
				p.quietEnd, _ = p.c.cfg.Schedule.QuietUntil(v.PublishAt, p.c.cfg.Location)
			}
			if p.quietEnd.After(v.PublishAt) {
				p.out.Add(v.Finding("D301", finding.Info, v.Place(post.FieldPublishAt),
					"the time is in a quiet window: the post goes out at "+p.quietEnd.In(p.c.cfg.Location).Format("Mon 2 Jan 2006 15:04 MST"), ""))
			}
		},
	}
}

func embargo() Check {
	return Check{
		Doc: finding.Doc{
			Code: "D303", Title: "embargo without a link", Severity: finding.Error, Since: "0.1.0",
			Why:  "`embargo: link` has the post wait until the address under `link:` answers. Without one, there is nothing to wait for.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [x]\nembargo: link\n---\nThe sled is back: https://acme.example/winter\n",
			Good: "-- content/sled.md --\n---\nplatforms: [x]\nembargo: link\nlink: https://acme.example/winter\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			if v := t.Variant; v.Embargo == post.EmbargoLink && v.Link == "" {
				p.out.Add(v.Finding("D303", finding.Error, v.Place(post.FieldEmbargo), "the post waits for its link, and has none",
					"write the address under link:, or embargo: none"))
			}
		},
	}
}

// crowded is how near two posts on one account are a collision.
const crowded = 5 * time.Minute

func collision() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "D302", Title: "two posts at nearly the same time", Severity: finding.Info, Since: "0.1.0",
			Why:  "Two posts within five minutes on one account take attention from each other, and networks show fewer of them.",
			Bad:  exampleTimes("09:00", "09:03"),
			Good: exampleTimes("09:00", "11:00"),
		},
		cross: func(c *Checker, seen []sighting, out *finding.List) {
			timed := make([]sighting, 0, len(seen))
			for _, s := range seen {
				if s.at != 0 && !s.inert {
					timed = append(timed, s)
				}
			}
			slices.SortStableFunc(timed, func(a, b sighting) int { return cmp.Compare(a.at, b.at) })
			for i := range timed {
				// Each post names its nearest neighbour.
				near, gap := -1, int64(crowded/time.Second)
				for _, j := range [...]int{i - 1, i + 1} {
					if j < 0 || j >= len(timed) {
						continue
					}
					if d := max(timed[i].at-timed[j].at, timed[j].at-timed[i].at); d < gap {
						near, gap = j, d
					}
				}
				if near < 0 {
					continue
				}
				x, other := timed[i].post, timed[near].post
				message := fmt.Sprintf("%s goes out %s apart", other.Path, finding.Span(time.Duration(gap)*time.Second))
				if gap == 0 {
					message = other.Path + " goes out at the same time"
				}
				out.Add(finding.Finding{
					Code: "D302", Severity: finding.Info, Path: x.Path, Post: x.ID, Account: c.cfg.Accounts[timed[i].account].Name, Range: x.Place("", post.FieldPublishAt),
					Message: message, Hint: "leave some time between them",
				})
			}
		},
	}
}

func exampleTimes(first, second string) string {
	return "-- content/a.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 " + first + "\n---\nThe sled is back.\n" +
		"-- content/b.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 " + second + "\n---\nFaster than ever.\n"
}
