package pages

import (
	"unicode/utf8"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/ledger"
)

// nextShown is how many posts the page Today lists as the next ones.
const nextShown = 12

// today is the page of what goes out next, what needs a person, and what went out.
func (m *maker) today() {
	m.page.Title, m.page.Nav = "Today", "Today"
	if len(m.in.Site.Posts) == 0 {
		m.add("begin", "begin", m.ctx)
		return
	}
	t := m.board.Today(nextShown)
	data := struct {
		*ctx
		board.Today
		Next  []event
		Out   []outcome
		Tally []tally
	}{ctx: m.ctx, Today: t, Next: m.events(t.Next, true), Out: m.outcomes(t.Out)}
	for _, s := range states() {
		if n := t.Count[s]; n > 0 {
			data.Tally = append(data.Tally, tally{State: s, Count: n, URL: m.URL("/posts?state=", s)})
		}
	}
	m.add("today", "today", data)
}

// tally counts the posts in a state.
type tally struct {
	State board.State
	Count int
	URL   string
}

// states are all states, those that press most first.
func states() []board.State {
	return []board.State{
		board.Attention, board.Broken, board.Late, board.Sending, board.Waiting, board.Held, board.Due, board.Changed, board.Scheduled, board.Draft,
		board.Published, board.Withdrawn, board.Skipped,
	}
}

// event is a post at a time, as lists and calendars show it; see [row].
type event struct {
	board.Event
	Row      *board.Row
	State    board.State
	Collides bool
	At       Stamp
	URL      string
	Accounts string
	Colour   string
	Campaign string // of the first target that has one
	Why      string
	// What a drag needs.
	Movable bool
}

// events prepares events for templates; colours are those of campaigns, or else of accounts.
func (c *ctx) events(list []board.Event, byCampaign bool) []event {
	out := make([]event, len(list))
	for i, e := range list {
		v := event{Event: e, Row: e.Row, State: e.State, Collides: e.Collides, At: c.At(e.At), URL: c.URL("/posts/", e.Row.Post.ID)}
		for j := range e.Targets {
			t := &e.Targets[j]
			if j > 0 {
				v.Accounts += ", "
			}
			v.Accounts += t.Account.Name
			if v.Campaign == "" {
				v.Campaign = t.Campaign
			}
			if v.Why == "" && t.State == e.State {
				v.Why = t.Why
			}
		}
		switch {
		case byCampaign:
			v.Colour = c.CampaignColour(v.Campaign)
		case len(e.Targets) > 0:
			v.Colour = c.AccountColour(e.Targets[0].Account.Name)
		}
		v.Movable = c.CanWrite() && e.Row.Fixed() == "" && !e.Occurrence && !e.At.IsZero()
		out[i] = v
	}
	return out
}

// outcomeText is how many bytes lists show of a text that is out; a style sheet cuts it where the line ends.
const outcomeText = 240

// beginning returns the first whole characters of a text that fit into so many bytes.
func beginning(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// outcome is what happened to one delivery.
type outcome struct {
	*ledger.Record
	When  Stamp
	URL   string // of the post's page; empty when the post is gone
	Links []string
	Text  string // the beginning of what is out
}

func (c *ctx) outcomes(records []*ledger.Record) []outcome {
	out := make([]outcome, 0, len(records))
	for _, r := range records {
		o := outcome{Record: r, When: c.At(r.PublishedAt)}
		if o.When.Zero() {
			o.When = c.At(r.At)
		}
		if row, ok := c.board.Row(r.Post); ok {
			o.URL = c.URL("/posts/", row.Post.ID)
		}
		for _, p := range r.Parts {
			if p.URL != "" && (len(o.Links) == 0 || o.Links[len(o.Links)-1] != p.URL) {
				o.Links = append(o.Links, p.URL)
			}
			if o.Text == "" {
				o.Text = beginning(p.Text, outcomeText)
			}
		}
		out = append(out, o)
	}
	return out
}
