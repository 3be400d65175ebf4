package board

import (
	"time"

	"github.com/postrider/postrider/internal/config"
)

// collision is how close two posts of one account may be before they get into each other's way.
const collision = 15 * time.Minute

// maxDays bounds what [Board.Days] returns.
const maxDays = 3700

// Days returns the calendar: the days that begin before to, from the one of from on, in the site's zone; at most ten years. Repeated
// posts are on every day on which they go out. An event's targets are those that the filter chooses, its state too; drafts are
// there when Input.Drafts or the filter says so. A day has at most so many events, and the number of those beyond.
func (b *Board) Days(from, to time.Time, f Filter, most int) []Day {
	cfg := b.in.Site.Config
	loc := cfg.Location
	var days []Day
	day := midnight(from.In(loc), 0)
	for day.Before(to) && len(days) < maxDays {
		days = append(days, Day{Date: day})
		day = midnight(day, 1)
	}
	if len(days) == 0 {
		return nil
	}
	start, end := days[0].Date, day // day is the first that is not shown
	m := b.matcher(f)
	next := func(i int) time.Time { // when the day after days[i] begins
		if i+1 < len(days) {
			return days[i+1].Date
		}
		return end
	}
	busy, i := make([]bool, len(days)), 0
	first, last := b.events(start, end, m, func(e *Event) {
		for !e.At.Before(next(i)) {
			i++
		}
		if d := &days[i]; len(d.Events) < most {
			d.Events = append(d.Events, *e)
		} else {
			d.More++
		}
		busy[i] = busy[i] || e.State.live()
	})
	quiet := quietSpans(cfg, start, end)
	for i := range days {
		d, next := &days[i], next(i)
		d.Quiet = within(quiet, d.Date, next)
		whole := len(d.Quiet) == 1 && d.Quiet[0] == Span{d.Date, next}
		d.Gap = !whole && !busy[i] && first < stamp(d.Date) && last >= stamp(next)
		for j := range cfg.Campaigns {
			if c := &cfg.Campaigns[j]; runs(c, d.Date, next) && m.ofCampaign(c.Name) {
				d.Campaigns = append(d.Campaigns, c)
			}
		}
	}
	return days
}

// runs reports whether a campaign that has a beginning or an end is on at any time from from to before to.
func runs(c *config.Campaign, from, to time.Time) bool {
	return !(c.Starts.IsZero() && c.Ends.IsZero()) && (c.Starts.IsZero() || c.Starts.Before(to)) && (c.Ends.IsZero() || c.Ends.After(from))
}

// midnight returns when the day begins that comes n days after t's, in t's zone: at 0:00, or where the clock skips that, when it does.
func midnight(t time.Time, n int) time.Time {
	want := time.Date(t.Year(), t.Month(), t.Day()+n, 12, 0, 0, 0, t.Location())
	at := time.Date(want.Year(), want.Month(), want.Day(), 0, 0, 0, 0, t.Location())
	if at.Day() != want.Day() { // the evening before
		_, at = at.ZoneBounds()
	}
	if before := at.Add(-time.Hour); before.Day() == want.Day() { // midnight comes twice
		at = before
	}
	return at
}

// quietSpans returns the quiet hours from from to to.
func quietSpans(cfg *config.Site, from, to time.Time) []Span {
	var spans []Span
	for t := from; t.Before(to); {
		if end, quiet := cfg.Schedule.QuietUntil(t, cfg.Location); quiet {
			spans = append(spans, Span{t, earlier(end.In(cfg.Location), to)})
			t = end
		}
		next := quietBegins(cfg, t)
		if next.IsZero() {
			break
		}
		t = next
	}
	return spans
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// within returns what of the spans, which are in order, lies from from to to.
func within(spans []Span, from, to time.Time) []Span {
	var list []Span
	for _, s := range spans {
		if s.Start.Before(to) && s.End.After(from) {
			if s.Start.Before(from) {
				s.Start = from
			}
			list = append(list, Span{s.Start, earlier(s.End, to)})
		}
	}
	return list
}
