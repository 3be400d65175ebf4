package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/review"
)

// issueBody is what the issue says of what is open.
type issueBody struct {
	title, text string
	items       []Item
	digest      string // of what it lists; "" when nothing is open
}

// maxIssue is how many things an issue lists: code hosts take 65,000 characters or more, and an item has a thousand at most.
const maxIssue = 50

// issueOf returns what the issue says: all that is open, of the kinds that the site wants people to be told of.
func issueOf(site *config.Site, items []Item, links Links) issueBody {
	var b issueBody
	for _, i := range items {
		if lasting(&i) && i.Post != "" && wants(site.Notify.What, &i) {
			b.items = append(b.items, i)
		}
	}
	if len(b.items) == 0 {
		return b
	}
	b.title = "Postrider: " + headline(b.items)
	if site.Title != "" {
		b.title += " (" + site.Title + ")"
	}
	var text strings.Builder
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q\n", b.title, site.Notify.Issue.Labels, site.Notify.Issue.Assignees)
	for k := range b.items {
		i := &b.items[k]
		// What changes with every run, such as when it is tried next, is no news.
		fmt.Fprintf(h, "%s %s %s %s\n", i.What, i.ID(), i.State, i.Title)
		if k < maxIssue {
			writeItem(&text, i, links)
		}
	}
	if more := len(b.items) - maxIssue; more > 0 {
		fmt.Fprintf(&text, "\n… and %d more: `postrider plan` and `postrider status`\n", more)
	}
	b.text, b.digest = text.String(), hex.EncodeToString(h.Sum(nil)[:16])
	return b
}

// writeItem writes one item as Markdown.
func writeItem(b *strings.Builder, i *Item, links Links) {
	lines := []string{fmt.Sprintf("**%s** → %s: %s", review.Inert(i.Title), review.Code(i.Account), review.Inert(stateWords(i.State)))}
	if i.Reason != "" {
		lines = append(lines, review.Inert(i.Reason))
	}
	if i.Next != "" {
		next := "→ "
		for k, piece := range strings.Split(i.Next, "`") {
			if k%2 == 1 {
				next += review.Code(piece)
			} else {
				next += review.Inert(piece)
			}
		}
		lines = append(lines, next)
	}
	if address := links.file(i.Path); address != "" {
		lines = append(lines, fmt.Sprintf("[%s](%s)", review.Inert(i.Path), strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "<", "%3C", ">", "%3E").Replace(address)))
	} else {
		lines = append(lines, review.Code(i.Path))
	}
	b.WriteString("- " + strings.Join(lines, "\\\n  ") + "\n") // a backslash breaks the line on every code host
}

// marker is what the issue of a site begins with.
func (o *Options) marker() string {
	return fmt.Sprintf("<!-- postrider: what is open in %q -->", strings.ReplaceAll(o.Folder, "--", "- -"))
}

// writeIssue has the issue say what is open, or closes it.
func (t *teller) writeIssue(ctx context.Context) (err error) {
	marker := t.o.marker()
	if t.body.digest == "" {
		comment := "All of this is settled."
		if t.o.Links.Run != "" {
			comment += fmt.Sprintf(" [The run](%s)", t.o.Links.Run)
		}
		t.result.Issue, t.result.Settled, err = t.o.Issues.Settle(ctx, marker, comment)
		return err
	}
	text := marker + "\n\nThis is open. The issue is brought up to date by each run of `postrider publish`, and closed when all is settled.\n\n" + t.body.text
	if t.o.Links.Run != "" {
		text += fmt.Sprintf("\n[The latest run in which something changed](%s)\n", t.o.Links.Run)
	}
	n := &t.o.Site.Notify.Issue
	address, changed, err := t.o.Issues.Keep(ctx, marker, forge.Issue{Title: t.body.title, Body: text, Labels: slices.Clone(n.Labels), Assignees: slices.Clone(n.Assignees)})
	if changed {
		t.result.Issue = address
	}
	return err
}
