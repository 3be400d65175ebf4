package board

import (
	"slices"
	"time"
)

// plainEvents returns the events that a filter chooses in the plainest way: every target at each of its times is compared with every other.
func plainEvents(b *Board, from, to time.Time, f Filter) []Event {
	type turn struct {
		row        *Row
		target     *Target
		occurrence bool
	}
	var all []turn
	for _, r := range b.rows {
		for i := range r.Targets {
			t := &r.Targets[i]
			switch {
			case t.cycle != nil:
				for _, at := range t.cycle.repeat.Between(from.Add(-time.Hour), to.Add(time.Hour)) {
					u := t.at(at)
					b.occurrence(u, r, at)
					all = append(all, turn{row: r, target: u, occurrence: !at.Equal(t.At)})
				}
			case !t.At.IsZero():
				all = append(all, turn{row: r, target: t})
			}
		}
	}
	var events []Event
	m := b.matcher(f)
	for _, x := range all {
		t := x.target
		if t.At.Before(from) || !t.At.Before(to) || !m.ofAuthor(x.row) || !m.says(x.row) || !m.ofAccount(t) || !m.ofCampaign(t.Campaign) || f.State != "" && f.State != t.State ||
			t.State == Draft && !b.in.Drafts && f.State != Draft {
			continue
		}
		collides := slices.ContainsFunc(all, func(y turn) bool {
			return y.row != x.row && y.target.Account.Name == t.Account.Name && y.target.At.Sub(t.At).Abs() < collision && y.target.State.live() && t.State.live() &&
				t.State != Published && t.State != Changed
		})
		i := slices.IndexFunc(events, func(e Event) bool { return e.Row == x.row && e.At.Equal(t.At) })
		if i < 0 {
			i = len(events)
			events = append(events, Event{Row: x.row, At: t.At.In(b.in.Site.Config.Location), Occurrence: x.occurrence, rank: anyState})
		}
		e := &events[i]
		e.Targets, e.Collides = append(e.Targets, *t), e.Collides || collides
		if t.rank < e.rank {
			e.rank, e.State = t.rank, t.State
		}
	}
	slices.SortStableFunc(events, func(x, y Event) int { return compareEvents(&x, &y) })
	return events
}

// cut shares events out among days, so many to each.
func cut(days []Day, events []Event, most int) (shown [][]Event, more []int) {
	shown, more = make([][]Event, len(days)), make([]int, len(days))
	for _, e := range events {
		i := len(days) - 1
		for e.At.Before(days[i].Date) {
			i--
		}
		if len(shown[i]) == most {
			more[i]++
		} else {
			shown[i] = append(shown[i], e)
		}
	}
	return shown, more
}
