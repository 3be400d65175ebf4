package board

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
)

// collision is how close two posts of one account may be before they get into each other's way.
const collision = 15 * time.Minute

// maxDays bounds what [Board.Days] returns.
const maxDays = 3700

// Days returns the calendar: the days that begin before to, from the one of from on, in the site's zone; at most ten years. Repeated
// posts are on every day on which they go out. An event's targets are those that the filter chooses, its state too; drafts are
// there when Input.Drafts or the filter says so.
func (b *Board) Days(from, to time.Time, f Filter) []Day {
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
	events, first, last := b.events(start, end, m)
	quiet := quietSpans(cfg, start, end)
	for i := range days {
		d := &days[i]
		next := end
		if i+1 < len(days) {
			next = days[i+1].Date
		}
		n := sort.Search(len(events), func(i int) bool { return !events[i].At.Before(next) })
		if n > 0 {
			d.Events, events = events[:n:n], events[n:]
		}
		d.Quiet = within(quiet, d.Date, next)
		whole := len(d.Quiet) == 1 && d.Quiet[0] == Span{d.Date, next}
		d.Gap = !whole && !slices.ContainsFunc(d.Events, func(e Event) bool { return e.State.live() }) &&
			first < stamp(d.Date) && last >= stamp(next)
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

// moment is a target at one of its times.
type moment struct {
	row        *Row
	target     *Target // of the row, or of a repeated one a copy, with the time
	stamp      int64   // of the time
	occurrence bool
	collides   bool
}

func (x *moment) at() time.Time { return x.target.At }

// events returns the events that a matcher chooses, sorted, and when its first and last ever are.
func (b *Board) events(from, to time.Time, m *matcher) (events []Event, first, last int64) {
	first, last = never, stamp(time.Time{})
	lo, hi := stamp(from.Add(-collision)), stamp(to.Add(collision))
	var rows []*Row
	for _, r := range b.rows {
		if r.last >= lo && r.first < hi {
			rows = append(rows, r)
		}
		if r.first != never && r.State.live() && m.row(r) {
			first, last = min(first, r.first), max(last, r.last)
		}
	}
	sortByTime(rows) // then what follows is nearly sorted
	n := 0
	for _, r := range rows {
		n += len(r.Targets)
	}
	moments := make([]moment, 0, n) // nearly always: few posts are repeated
	for _, r := range rows {
		moments = b.moments(moments, r, from.Add(-collision), to.Add(collision))
	}
	collide(moments, len(b.infos))
	events = make([]Event, 0, len(rows))
	for i := range moments {
		if x := &moments[i]; !x.at().Before(from) && x.at().Before(to) && m.moment(x, b.in.Drafts) {
			events = b.addMoment(events, x)
		}
	}
	return sortedEvents(events), first, last
}

// sortedEvents sorts events. What is compared is small, unlike what is sorted.
func sortedEvents(events []Event) []Event {
	type key struct {
		at int64
		i  int
	}
	keys := make([]key, len(events))
	for i := range events {
		keys[i] = key{stamp(events[i].At), i}
	}
	compare := func(x, y key) int {
		if x.at != y.at {
			return cmp.Compare(x.at, y.at)
		}
		return compareEvents(&events[x.i], &events[y.i])
	}
	if slices.IsSortedFunc(keys, compare) {
		return events
	}
	slices.SortFunc(keys, compare)
	sorted := make([]Event, len(events))
	for i, k := range keys {
		sorted[i] = events[k.i]
	}
	return sorted
}

// addMoment puts a moment into the last event, when it belongs there, or a new one.
func (b *Board) addMoment(events []Event, x *moment) []Event {
	n := len(events) - 1
	if n < 0 || events[n].Row != x.row || !events[n].At.Equal(x.at()) {
		events = append(events, Event{Row: x.row, At: x.at().In(b.in.Site.Config.Location), Occurrence: x.occurrence, rank: anyState})
		n++
	}
	e := &events[n]
	if k := len(e.Targets); k < len(x.row.Targets) && x.target == &x.row.Targets[k] && (k == 0 || &e.Targets[0] == &x.row.Targets[0]) {
		e.Targets = x.row.Targets[: k+1 : k+1] // most have all of the row's
	} else {
		e.Targets = append(e.Targets, *x.target)
	}
	e.Collides = e.Collides || x.collides
	if x.target.rank < e.rank {
		e.rank, e.State = x.target.rank, x.target.State
	}
	return events
}

func compareEvents(x, y *Event) int {
	return cmp.Or(x.At.Compare(y.At), strings.Compare(x.Row.Post.Path, y.Row.Post.Path))
}

// moment reports whether a filter chooses a moment.
func (m *matcher) moment(x *moment, drafts bool) bool {
	t := x.target
	return m.ofAccount(t) && m.ofCampaign(t.Campaign) && m.ofRank(t.rank) && (t.State != Draft || drafts || m.State == Draft) &&
		m.ofAuthor(x.row) && m.says(x.row)
}

// moments appends the times from from to before to at which a row goes out: time by time, and account by account.
func (b *Board) moments(list []moment, r *Row, from, to time.Time) []moment {
	begin := len(list)
	repeated := false
	var times []time.Time // of the cycle
	for i := range r.Targets {
		t := &r.Targets[i]
		if t.cycle == nil {
			if !t.At.IsZero() && !t.At.Before(from) && t.At.Before(to) {
				list = append(list, moment{row: r, target: t, stamp: stamp(t.At)})
			}
			continue
		}
		repeated = true
		if i == 0 || r.Targets[i-1].cycle != t.cycle {
			times = t.cycle.repeat.Between(from, to)
		}
		for _, at := range times {
			turn := t.at(at)
			b.occurrence(turn, r, at)
			list = append(list, moment{row: r, target: turn, stamp: stamp(at), occurrence: !at.Equal(t.At)})
		}
	}
	if n := len(list) - begin; n > 1 && (repeated || r.first != r.last) {
		slices.SortStableFunc(list[begin:], func(x, y moment) int { return x.at().Compare(y.at()) })
	}
	return list
}

// occurrence gives a target of a repeated post the state of one of its times.
func (b *Board) occurrence(t *Target, r *Row, at time.Time) {
	tm := timingOf(b.in.Site.Config, r.Shown(), t.Account)
	m := &maker{Board: b, loc: b.in.Site.Config.Location}
	blocked := ""
	if t.State == Broken {
		blocked = t.Why
	}
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	v, err := m.delivery(subject{row: r, number: int(t.number), timing: &tm, blocked: blocked}, ledger.ID{Post: r.Shown().ID, Account: t.Account.Name, Occurrence: plan.Occurrence(at)}, at)
	if err != nil { // it could be read when the board was made: what is known is how the target stands
		return
	}
	t.set(v)
	if t.State == Late && !at.Equal(t.cycle.latest) {
		t.set(is(Skipped, "its next time has come"))
	}
}

// collide marks what goes to one account within minutes of another post. What is out cannot be moved, and is not marked.
func collide(moments []moment, accounts int) {
	count := make([]int, accounts)
	for i := range moments {
		count[moments[i].target.number]++
	}
	byAccount := make([][]*moment, accounts)
	for i, n := range count {
		byAccount[i] = make([]*moment, 0, n)
	}
	for i := range moments {
		if x := &moments[i]; x.target.State.live() {
			byAccount[x.target.number] = append(byAccount[x.target.number], x)
		}
	}
	out := func(s State) bool { return s == Published || s == Changed }
	compare := func(x, y *moment) int { return cmp.Compare(x.stamp, y.stamp) }
	for _, list := range byAccount {
		if !slices.IsSortedFunc(list, compare) {
			slices.SortStableFunc(list, compare)
		}
		for i, x := range list {
			for _, y := range list[i+1:] {
				if y.stamp-x.stamp >= int64(collision) {
					break
				}
				if x.row != y.row {
					x.collides, y.collides = x.collides || !out(x.target.State), y.collides || !out(y.target.State)
				}
			}
		}
	}
}
