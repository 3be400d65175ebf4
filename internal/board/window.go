package board

import (
	"iter"
	"slices"
	"sort"
)

// Posts returns the posts that a filter chooses, in its order. With an account or a campaign, a post is in the state in which the
// targets are that these choose.
func (b *Board) Posts(f Filter) []*Row { return b.Window(f, 0, len(b.rows)) }

// Window returns those of [Board.Posts] that a page shows: at most so many, behind the first skip. How many there are in all,
// [Board.Facets] knows.
func (b *Board) Window(f Filter, skip, most int) []*Row {
	m := b.matcher(f)
	if f.Sort == ByState {
		return b.windowByState(m, skip, most)
	}
	list := make([]*Row, 0, max(0, min(most, len(b.rows)-skip)))
	for r := range b.ordered(f.Sort) {
		switch {
		case len(list) == cap(list):
			return list
		case !m.row(r):
		case skip > 0:
			skip--
		default:
			list = append(list, r)
		}
	}
	return list
}

// windowByState sorts by counting, which is stable: what presses most first, and of what presses alike the next.
func (b *Board) windowByState(m *matcher, skip, most int) []*Row {
	var place [anyState + 1]int // where the next row of a rank stands
	total := 0
	for _, r := range b.rows {
		if rank, ok := m.choose(r); ok {
			place[rank+1]++
			total++
		}
	}
	for i := 1; i < len(place); i++ {
		place[i] += place[i-1]
	}
	list := make([]*Row, max(0, min(most, total-skip)))
	for r := range b.ordered(ByTime) {
		if rank, ok := m.choose(r); ok {
			if at := place[rank] - skip; at >= 0 && at < len(list) {
				list[at] = r
			}
			place[rank]++
		}
	}
	return list
}

// ordered returns all rows in an order; those of ByState as by time.
func (b *Board) ordered(by Sort) iter.Seq[*Row] {
	switch by {
	case ByPath:
		return slices.Values(b.rows)
	case ByName:
		return slices.Values(b.byName.sorted(b.rows, sortByName, compareName))
	case ByOldest:
		return func(yield func(*Row) bool) {
			none, timed := b.timed()
			_ = yieldAll(timed, yield) && yieldAll(none, yield)
		}
	default:
		return b.nextFirst
	}
}

// timed returns the rows without a time, and then those with one, earliest first.
func (b *Board) timed() (none, timed []*Row) {
	all := b.byTime.sorted(b.rows, sortByTime, compareTime)
	i := sort.Search(len(all), func(i int) bool { return !all[i].At.IsZero() })
	return all[:i], all[i:]
}

// nextFirst yields all rows: the next first, then those without a time that are yet to go out, then the past, latest first, and
// at last those without a time that are out.
func (b *Board) nextFirst(yield func(*Row) bool) {
	none, timed := b.timed()
	now := sort.Search(len(timed), func(i int) bool { return !timed[i].At.Before(b.in.Now) })
	if !yieldAll(timed[now:], yield) {
		return
	}
	out := func(r *Row) bool { return r.rank >= Published.rank() || r.State == Changed }
	for _, r := range none {
		if !out(r) && !yield(r) {
			return
		}
	}
	for _, r := range slices.Backward(timed[:now]) {
		if !yield(r) {
			return
		}
	}
	for _, r := range none {
		if out(r) && !yield(r) {
			return
		}
	}
}

// yieldAll reports whether there may be more.
func yieldAll(rows []*Row, yield func(*Row) bool) bool {
	for _, r := range rows {
		if !yield(r) {
			return false
		}
	}
	return true
}
