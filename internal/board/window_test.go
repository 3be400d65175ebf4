package board

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestWindow compares what a page shows with the same part of everything, and the number of everything with that of the facets.
func TestWindow(t *testing.T) {
	_, in := shelves(t)
	few := made(t, in)
	s := load(t, corpus(300))
	many := made(t, Input{Site: s, Ledger: published(s, benchNow), Now: benchNow})
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	for _, b := range []*Board{few, many} {
		for _, f := range []Filter{
			{}, {Account: "bluesky"}, {Account: "mastodon", State: Scheduled}, {Campaign: "winter"}, {Campaign: "winter-launch", Account: "news"}, {Author: "Resi"}, {Text: "sled"}, {Text: "hill number", State: Published},
			{State: "no such state"},
		} {
			for _, f.Sort = range []Sort{"", ByTime, ByOldest, ByName, ByPath, ByState} {
				all := b.Posts(f)
				states, _, _, _ := b.Facets(f)
				if n := chosen(states, f.State); n != len(all) {
					t.Errorf("%+v: the facets have %d posts, there are %d", f, n, len(all))
				}
				for _, skip := range []int{0, 1, len(all) - 1, len(all), len(all) + 9, rnd.IntN(len(b.Rows()))} {
					for _, most := range []int{0, 1, 60, math.MaxInt} {
						skip := max(skip, 0)
						rest := all[min(skip, len(all)):]
						if got, want := ids(b.Window(f, skip, most)), ids(rest[:min(most, len(rest))]); got != want {
							t.Fatalf("%+v, %d behind %d:\n got %s\nwant %s", f, most, skip, got, want)
						}
					}
				}
			}
		}
	}
}

// chosen returns how many posts of a state there are; of all, when that is empty.
func chosen(states map[State]int, s State) int {
	if s != "" {
		return states[s]
	}
	n := 0
	for _, k := range states {
		n += k
	}
	return n
}

// TestPrepare holds that a page finds the orders there.
func TestPrepare(t *testing.T) {
	_, in := shelves(t)
	b := made(t, in)
	b.Prepare()
	b.Prepare()
	if b.byTime.rows.Load() == nil || b.byName.rows.Load() == nil {
		t.Error("the orders are not there")
	}
	if got, want := ids(b.Posts(Filter{Sort: ByName})), ids(made(t, in).Posts(Filter{Sort: ByName})); got != want {
		t.Errorf("by name: %s, want %s", got, want)
	}
}
