package board

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
)

// A month of a large site has thousands of posts, each for many accounts, and a page shows a few of each day. So a post whose targets go out
// together, as those of nearly all do, is one moment, and an event is made, shown and forgotten.

// moment is a row at one of its times.
type moment struct {
	row        *Row
	targets    []Target // that go out then: all of the row's; of a row whose targets go out at several times one, a copy where that is repeated
	collides   uint64   // a bit for each of targets
	occurrence bool
}

func (x *moment) at() time.Time { return x.targets[0].At }

// instant is when a moment is. What is sorted is small, and has no pointers to be looked through.
type instant struct {
	stamp int64
	i     int // of the moment
}

// events calls emit with the events that a matcher chooses, sorted, and returns when its first and last ever are. An event belongs to
// emit only while that runs; what is in it may be kept.
func (b *Board) events(from, to time.Time, m *matcher, emit func(*Event)) (first, last int64) {
	first, last = never, stamp(time.Time{})
	early, late := from.Add(-collision), to.Add(collision)
	lo, hi := stamp(early), stamp(late)
	n := 0
	for _, r := range b.rows {
		if r.last >= lo && r.first < hi {
			n++
		}
		if r.first != never && liveRank(r.rank) && m.row(r) {
			first, last = min(first, r.first), max(last, r.last)
		}
	}
	moments, order := make([]moment, 0, n), make([]instant, 0, n) // nearly always that is enough: few posts are repeated
	for _, r := range b.rows {
		if r.last < lo || r.first >= hi {
			continue
		}
		if r.together {
			moments, order = append(moments, moment{row: r, targets: r.Targets}), append(order, instant{r.first, len(moments)})
			continue
		}
		begin := len(moments)
		moments = b.moments(moments, r, early, late)
		for i := begin; i < len(moments); i++ {
			order = append(order, instant{stamp(moments[i].at()), i})
		}
	}
	slices.SortFunc(order, func(x, y instant) int { // then by path, as the moments are
		if x.stamp != y.stamp {
			return cmp.Compare(x.stamp, y.stamp)
		}
		return cmp.Or(moments[x.i].at().Compare(moments[y.i].at()), cmp.Compare(x.i, y.i))
	})
	collide(moments, order)
	b.gather(moments, order, from, to, m, emit)
	return first, last
}

// gather makes events of the moments that a matcher chooses, from from to before to.
func (b *Board) gather(moments []moment, order []instant, from, to time.Time, m *matcher, emit func(*Event)) {
	var e Event
	for _, o := range order {
		x := &moments[o.i]
		at := x.at()
		if at.Before(from) || !at.Before(to) || !m.ofAuthor(x.row) || !m.says(x.row) {
			continue
		}
		if e.Row != nil && (e.Row != x.row || !e.At.Equal(at)) {
			emit(&e)
			e = Event{}
		}
		for i := range x.targets {
			if !m.target(&x.targets[i], b.in.Drafts) {
				continue
			}
			if e.Row == nil {
				e = b.eventOf(x)
			}
			e.add(&x.targets[i])
			e.Collides = e.Collides || x.collides>>i&1 != 0
		}
	}
	if e.Row != nil {
		emit(&e)
	}
}

// eventOf returns the event of a moment, without targets.
func (b *Board) eventOf(x *moment) Event {
	return Event{Row: x.row, At: x.at().In(b.in.Site.Config.Location), Occurrence: x.occurrence, rank: anyState}
}

// add puts a target into an event.
func (e *Event) add(t *Target) {
	all := e.Row.Targets
	if k := len(e.Targets); k < len(all) && t == &all[k] && (k == 0 || &e.Targets[0] == &all[0]) {
		e.Targets = all[: k+1 : k+1] // most have all of the row's
	} else {
		e.Targets = append(e.Targets, *t)
	}
	if t.rank < e.rank {
		e.rank, e.State = t.rank, t.State
	}
}

func compareEvents(x, y *Event) int {
	return cmp.Or(x.At.Compare(y.At), strings.Compare(x.Row.Post.Path, y.Row.Post.Path))
}

// target reports whether a filter chooses a target for the calendar.
func (m *matcher) target(t *Target, drafts bool) bool {
	return m.ofAccount(t) && m.ofCampaign(t.Campaign) && m.ofRank(t.rank) && (drafts || t.State != Draft || m.State == Draft)
}

// moments appends the times from from to before to at which the targets of a row go out: time by time, and account by account.
func (b *Board) moments(list []moment, r *Row, from, to time.Time) []moment {
	begin := len(list)
	repeated := false
	var times []time.Time // of the cycle
	for i := range r.Targets {
		t := &r.Targets[i]
		if t.cycle == nil {
			if !t.At.IsZero() && !t.At.Before(from) && t.At.Before(to) {
				list = append(list, moment{row: r, targets: r.Targets[i : i+1 : i+1]})
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
			list = append(list, moment{row: r, targets: []Target{*turn}, occurrence: !at.Equal(t.At)})
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
func collide(moments []moment, order []instant) {
	settled := func(r *Row) bool { return r.alike && (outRank(r.rank) || !liveRank(r.rank)) } // it is not marked, whatever is beside it
	for i, o := range order {
		x := &moments[o.i]
		done := settled(x.row)
		for _, p := range order[i+1:] {
			if p.stamp-o.stamp >= int64(collision) {
				break
			}
			y := &moments[p.i]
			if x.row != y.row && x.row.accounts&y.row.accounts != 0 && !(done && settled(y.row)) {
				x.meet(y)
			}
		}
	}
}

// meet marks the targets of two moments that go to the same account; both have them in the order of accounts.
func (x *moment) meet(y *moment) {
	for i, j := 0, 0; i < len(x.targets) && j < len(y.targets); {
		t, u := &x.targets[i], &y.targets[j]
		if t.number == u.number && liveRank(t.rank) && liveRank(u.rank) {
			if !outRank(t.rank) {
				x.collides |= 1 << i
			}
			if !outRank(u.rank) {
				y.collides |= 1 << j
			}
		}
		if t.number <= u.number {
			i++
		}
		if u.number <= t.number {
			j++
		}
	}
}
