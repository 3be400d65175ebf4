package board

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/platform"
)

// noCampaign is what a filter and the facets call the posts without a campaign.
const noCampaign = "-"

// matcher is a filter made ready.
type matcher struct {
	Filter
	account []bool // by the account's number; nil: all
	rank    uint8  // of State, anyState without one
	words   []string
	sketch  sketch // of words
}

const anyState = 0xff

func newMatcher(cfg *config.Site, f Filter) *matcher {
	m := &matcher{Filter: f, rank: anyState, words: strings.Fields(strings.ToLower(f.Text))}
	for _, w := range m.words {
		m.sketch.add(w)
	}
	if f.State != "" {
		m.rank = f.State.rank()
	}
	if f.Account != "" {
		m.account = make([]bool, len(cfg.Accounts))
		_, named := cfg.Account(f.Account) // an account's own name says more than that of its platform
		for i := range cfg.Accounts {
			a := &cfg.Accounts[i]
			m.account[i] = a.Name == f.Account || !named && a.Platform == platform.ID(f.Account)
		}
	}
	return m
}

func (m *matcher) ofAccount(t *Target) bool { return m.account == nil || m.account[t.number] }

func (m *matcher) ofCampaign(name string) bool {
	return m.Campaign == "" || m.Campaign == name || m.Campaign == noCampaign && name == ""
}

func (m *matcher) ofAuthor(r *Row) bool { return m.Author == "" || m.Author == r.Author }

func (m *matcher) ofRank(rank uint8) bool { return m.rank == anyState || m.rank == rank }

// says reports whether all words are in a row's text.
func (m *matcher) says(r *Row) bool {
	if len(m.words) == 0 {
		return true
	}
	text, sketch := r.facts.searched()
	if !sketch.holds(&m.sketch) {
		return false
	}
	for _, w := range m.words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// pressing returns the rank of those targets that the account and the campaign choose, anyState when they choose none.
func (m *matcher) pressing(r *Row) uint8 {
	if m.account == nil && m.Campaign == "" {
		return r.rank
	}
	if len(r.Targets) == 0 && m.account == nil && m.ofCampaign(r.campaign) {
		return r.rank
	}
	rank := uint8(anyState)
	for i := range r.Targets {
		if t := &r.Targets[i]; t.rank < rank && m.ofAccount(t) && m.ofCampaign(t.Campaign) {
			rank = t.rank
		}
	}
	return rank
}

func (m *matcher) row(r *Row) bool {
	rank := m.pressing(r)
	return rank != anyState && m.ofRank(rank) && m.ofAuthor(r) && m.says(r)
}

// Posts returns the posts that a filter chooses, in its order. With an account or a campaign, a post is in the state in which the
// targets are that these choose.
func (b *Board) Posts(f Filter) []*Row {
	b.prepare(f)
	m := newMatcher(b.in.Site.Config, f)
	list := make([]*Row, 0, 64)
	keep := func(r *Row) {
		if m.row(r) {
			list = append(list, r)
		}
	}
	switch f.Sort {
	case ByPath:
		for _, r := range b.rows {
			keep(r)
		}
	case ByName:
		for _, r := range b.byName.sorted(b.rows, sortByName) {
			keep(r)
		}
	case ByOldest:
		none, timed := b.timed()
		for _, r := range timed {
			keep(r)
		}
		for _, r := range none {
			keep(r)
		}
	case ByState:
		b.eachByTime(keep)
		var shelves [anyState + 1][]*Row // stable, and quicker than to sort
		for _, r := range list {
			rank := m.pressing(r)
			shelves[rank] = append(shelves[rank], r)
		}
		list = slices.Concat(shelves[:]...)
	default:
		b.eachByTime(keep)
	}
	return list
}

// prepare makes what searching needs, on all processors when nobody has searched yet.
func (b *Board) prepare(f Filter) {
	if strings.TrimSpace(f.Text) == "" {
		return
	}
	b.index.Do(func() {
		const chunk = 1024
		parallel((len(b.rows)+chunk-1)/chunk, func(i int) {
			for _, r := range b.rows[i*chunk : min((i+1)*chunk, len(b.rows))] {
				r.facts.searched()
			}
		})
	})
}

// timed returns the rows without a time, and then those with one, earliest first.
func (b *Board) timed() (none, timed []*Row) {
	all := b.byTime.sorted(b.rows, sortByTime)
	i := sort.Search(len(all), func(i int) bool { return !all[i].At.IsZero() })
	return all[:i], all[i:]
}

// eachByTime calls fn with all rows: the next first, then those without a time that are yet to go out, then the past, latest first, and
// at last those without a time that are out.
func (b *Board) eachByTime(fn func(*Row)) {
	none, timed := b.timed()
	now := sort.Search(len(timed), func(i int) bool { return !timed[i].At.Before(b.in.Now) })
	for _, r := range timed[now:] {
		fn(r)
	}
	out := func(r *Row) bool { return r.rank >= Published.rank() || r.State == Changed }
	for _, r := range none {
		if !out(r) {
			fn(r)
		}
	}
	for _, r := range slices.Backward(timed[:now]) {
		fn(r)
	}
	for _, r := range none {
		if out(r) {
			fn(r)
		}
	}
}

// order is all rows in some order, once that was asked for.
type order struct {
	once sync.Once
	rows atomic.Pointer[[]*Row]
}

func (o *order) sorted(rows []*Row, arrange func([]*Row)) []*Row {
	o.once.Do(func() {
		if o.rows.Load() == nil {
			list := slices.Clone(rows)
			arrange(list)
			o.rows.Store(&list)
		}
	})
	return *o.rows.Load()
}

// derive makes the order out of one of before, from which the rows of out are gone, and which has got those of in.
func (o *order) derive(before *order, out, in []*Row, compare func(x, y *Row) int) {
	was := before.rows.Load()
	if was == nil || len(out)+len(in) > 100 {
		return
	}
	list := make([]*Row, len(*was), len(*was)+len(in))
	copy(list, *was)
	for _, r := range out {
		if i, ok := slices.BinarySearchFunc(list, r, compare); ok {
			list = slices.Delete(list, i, i+1)
		}
	}
	for _, r := range in {
		i, _ := slices.BinarySearchFunc(list, r, compare)
		list = slices.Insert(list, i, r)
	}
	o.rows.Store(&list)
}

func compareTime(x, y *Row) int {
	return cmp.Or(x.At.Compare(y.At), strings.Compare(x.Post.Path, y.Post.Path))
}

// sortByTime sorts rows that are in order of their paths as compareTime does, several times as quickly.
func sortByTime(rows []*Row) {
	type key struct {
		at  int64
		row *Row
	}
	keys := make([]key, len(rows))
	for i, r := range rows {
		keys[i] = key{stamp(r.At), r}
	}
	slices.SortFunc(keys, func(x, y key) int {
		if x.at != y.at {
			return cmp.Compare(x.at, y.at)
		}
		return compareTime(x.row, y.row)
	})
	for i := range keys {
		rows[i] = keys[i].row
	}
}

func sortByName(rows []*Row) { slices.SortFunc(rows, compareName) }

func compareName(x, y *Row) int {
	return cmp.Or(compareFold(x.Name, y.Name), strings.Compare(x.Post.Path, y.Post.Path))
}

// compareFold compares as people sort, whatever the case.
func compareFold(x, y string) int {
	for x != "" && y != "" {
		a, n := rune(x[0]), 1
		if a >= utf8.RuneSelf {
			a, n = utf8.DecodeRuneInString(x)
		}
		b, k := rune(y[0]), 1
		if b >= utf8.RuneSelf {
			b, k = utf8.DecodeRuneInString(y)
		}
		if a != b {
			if c := cmp.Compare(unicode.ToLower(a), unicode.ToLower(b)); c != 0 {
				return c
			}
		}
		x, y = x[n:], y[k:]
	}
	return cmp.Compare(len(x), len(y))
}

// Facets counts the posts by what a filter can choose, each with the filter's other fields applied: what would be there if that were
// chosen. Posts without a campaign count as "-", posts whose author is not known for nobody.
func (b *Board) Facets(f Filter) (states map[State]int, accounts, campaigns, authors map[string]int) {
	b.prepare(f)
	cfg := b.in.Site.Config
	m := newMatcher(cfg, f)
	var byRank [anyState + 1]int
	byAccount := make([]int, len(cfg.Accounts))
	campaigns, authors = map[string]int{}, map[string]int{}
	var seen []string
	for _, r := range b.rows {
		ofAuthor := m.ofAuthor(r)
		if !m.says(r) {
			continue
		}
		rank := m.pressing(r)
		if rank != anyState && m.ofRank(rank) && r.Author != "" {
			authors[r.Author]++
		}
		if !ofAuthor {
			continue
		}
		byRank[rank]++
		if len(r.Targets) == 0 {
			if m.account == nil && m.ofRank(r.rank) {
				campaigns[cmp.Or(r.campaign, noCampaign)]++
			}
			continue
		}
		seen = seen[:0]
		for i := range r.Targets {
			t := &r.Targets[i]
			if m.ofCampaign(t.Campaign) && m.ofRank(t.rank) {
				byAccount[t.number]++
			}
			if !m.ofAccount(t) || slices.Contains(seen, t.Campaign) {
				continue
			}
			seen = append(seen, t.Campaign)
			pressing := t.rank
			for j := i + 1; j < len(r.Targets); j++ {
				if u := &r.Targets[j]; u.Campaign == t.Campaign && m.ofAccount(u) {
					pressing = min(pressing, u.rank)
				}
			}
			if m.ofRank(pressing) {
				campaigns[cmp.Or(t.Campaign, noCampaign)]++
			}
		}
	}
	states, accounts = map[State]int{}, map[string]int{}
	for i, s := range States() {
		if byRank[i] > 0 {
			states[s] = byRank[i]
		}
	}
	for i, n := range byAccount {
		if n > 0 {
			accounts[cfg.Accounts[i].Name] = n
		}
	}
	return states, accounts, campaigns, authors
}
