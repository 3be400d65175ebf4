package pages

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/feed"
	"github.com/postrider/postrider/internal/ledger"
)

// eventLength is how long a post takes in a calendar: long enough to be seen, and short enough for two in an hour.
const eventLength = 15 * time.Minute

// calendarPast is how far back a calendar reaches: programs read all of it again and again.
const calendarPast = 90 * 24 * time.Hour

// CalendarOf returns the posts that a filter chooses, as a calendar to subscribe to. Home is the address of the site's pages, without a slash at its
// end; empty where they have none.
func CalendarOf(b *board.Board, f board.Filter, home string) feed.Calendar {
	in := b.Input()
	cfg := in.Site.Config
	c := feed.Calendar{Name: cmp.Or(cfg.Title, "Posts"), Description: "What goes out, and what went out", Zone: cfg.Location, Refresh: time.Hour}
	if f.Campaign != "" {
		c.Name += ": " + f.Campaign
		if campaign, ok := cfg.Campaign(f.Campaign); ok && campaign.Title != "" {
			c.Name = cmp.Or(cfg.Title, "Posts") + ": " + campaign.Title
		}
	}
	if f.Account != "" {
		c.Name += " on " + f.Account
	}
	for _, r := range b.Posts(f) {
		first := len(c.Events) // of this post
		for i := range r.Targets {
			t := &r.Targets[i]
			if t.At.IsZero() || t.State == board.Draft && !in.Drafts || t.Repeat == "" && in.Now.Sub(t.At) > calendarPast || f.Account != "" && f.Account != t.Account.Name && f.Account != string(t.Account.Platform) ||
				f.Campaign != "" && f.Campaign != t.Campaign && !(f.Campaign == "-" && t.Campaign == "") {
				continue
			}
			if n := slices.IndexFunc(c.Events[first:], func(e feed.Event) bool { return e.Start.Equal(t.At) }); n >= 0 {
				c.Events[first+n].Description += ", " + t.Account.Name
				continue
			}
			e := feed.Event{
				UID: r.Post.ID + "-" + t.Account.Name + "@postrider", Start: t.At, Duration: eventLength, Summary: r.Name,
				Description: r.Excerpt() + "\n\n" + stateName(t.State) + ": " + t.Account.Name, Updated: in.Now.Truncate(time.Minute), Repeat: t.Repeat, Status: feed.Confirmed,
			}
			if t.Campaign != "" {
				e.Categories = []string{t.Campaign}
			}
			switch t.State {
			case board.Draft, board.Broken, board.Held:
				e.Status = feed.Tentative
			case board.Withdrawn, board.Skipped:
				e.Status = feed.Cancelled
			}
			if home != "" {
				e.URL = home + "/posts/" + r.Post.ID
			}
			c.Events = append(c.Events, e)
		}
	}
	slices.SortStableFunc(c.Events, func(a, b feed.Event) int { return a.Start.Compare(b.Start) })
	return c
}

// FeedOf returns what was published last as a feed, one entry for each post. Home is the address of the site's pages, without a slash at its
// end, self that of the feed.
func FeedOf(b *board.Board, home, self string) feed.Feed {
	in := b.Input()
	cfg := in.Site.Config
	f := feed.Feed{
		ID: "urn:postrider:" + cmp.Or(cfg.URL, cfg.Title, "site"), Title: cmp.Or(cfg.Title, "Posts"), Home: cmp.Or(followed(cfg.URL), home), Self: self,
		Description: "What " + cmp.Or(cfg.Title, "this site") + " has published",
	}
	if len(cfg.Defaults.Language) > 0 {
		f.Language = cfg.Defaults.Language[0]
	}
	at := map[string]int{}
	for _, r := range in.Latest {
		if r.State != ledger.Published {
			continue
		}
		id := r.Post + "+" + r.Occurrence
		n, ok := at[id]
		if !ok {
			n = len(f.Entries)
			at[id] = n
			f.Entries = append(f.Entries, entryOf(b, r, id, home))
		}
		e := &f.Entries[n]
		if r.PublishedAt.Before(e.Published) {
			e.Published = r.PublishedAt
		}
		if r.PublishedAt.After(e.Updated) {
			e.Updated = r.PublishedAt
		}
		for _, p := range r.Parts {
			if followed(p.URL) != "" {
				e.Links = append(e.Links, feed.Link{Rel: "related", Title: r.Account, URL: p.URL})
				if e.URL == "" {
					e.URL = p.URL
				}
				break
			}
		}
	}
	for _, e := range f.Entries {
		if e.Updated.After(f.Updated) {
			f.Updated = e.Updated
		}
	}
	return f
}

// followed returns an address if readers of feeds may follow it, else nothing: feeds with another are refused, and those here come from
// site.yaml and from networks.
func followed(address string) string {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return address
}

func entryOf(b *board.Board, r *ledger.Record, id, home string) feed.Entry {
	var texts []string
	for _, p := range r.Parts {
		texts = append(texts, p.Text)
	}
	e := feed.Entry{
		ID: fmt.Sprintf("urn:postrider:post:%s", strings.TrimSuffix(id, "+")), Title: r.Title, Text: strings.Join(texts, "\n\n"), Published: r.PublishedAt, Updated: r.PublishedAt,
	}
	if r.Campaign != "" {
		e.Categories = append(e.Categories, r.Campaign)
	}
	if row, ok := b.Row(r.Post); ok {
		e.Title, e.Author = cmp.Or(e.Title, row.Name), row.Author
		e.Categories = append(e.Categories, row.Post.Tags...)
		if home != "" {
			e.URL = home + "/posts/" + row.Post.ID
		}
	}
	return e
}
