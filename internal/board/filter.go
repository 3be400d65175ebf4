package board

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform"
)

// noCampaign is what a filter and the facets call the posts without a campaign.
const noCampaign = "-"

// matcher is a filter made ready.
type matcher struct {
	Filter
	account []bool  // by the account's number; nil: all
	bits    uint64  // the same for the first 64
	rank    uint8   // of State, anyState without one
	kinds   []uint8 // by kind: the rank of the targets that the filter chooses, anyState when it chooses none
	hits    *hits   // nil: all
}

const anyState = 0xff

func (b *Board) matcher(f Filter) *matcher {
	cfg := b.in.Site.Config
	m := &matcher{Filter: f, rank: anyState, bits: math.MaxUint64}
	if text := strings.TrimSpace(f.Text); text != "" {
		m.hits = b.search(text)
	}
	if f.State != "" {
		m.rank = f.State.rank()
	}
	if f.Account != "" {
		m.account, m.bits = make([]bool, len(cfg.Accounts)), 0
		_, named := cfg.Account(f.Account) // an account's own name says more than that of its platform
		for i := range cfg.Accounts {
			a := &cfg.Accounts[i]
			m.account[i] = a.Name == f.Account || !named && a.Platform == platform.ID(f.Account)
			if m.account[i] && i < 64 {
				m.bits |= 1 << i
			}
		}
	}
	m.kinds = make([]uint8, len(b.kinds))
	for i, r := range b.kinds {
		m.kinds[i] = m.pressing(r)
		if !m.ofRank(m.kinds[i]) || !m.ofAuthor(r) {
			m.kinds[i] = anyState
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
	return m.hits == nil || m.hits.has(r)
}

// pressing returns the rank of those targets that the account and the campaign choose, anyState when they choose none.
func (m *matcher) pressing(r *Row) uint8 {
	if m.account == nil && m.Campaign == "" {
		return r.rank
	}
	if r.alike {
		if r.accounts&m.bits == 0 || !m.ofCampaign(r.campaign) {
			return anyState
		}
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
	_, ok := m.choose(r)
	return ok
}

// choose reports whether the filter chooses a row, and the rank of the targets that it chooses.
func (m *matcher) choose(r *Row) (rank uint8, ok bool) {
	rank = m.kinds[r.kind]
	return rank, rank != anyState && m.says(r)
}

// order is all rows in some order, from when that is first asked for.
type order struct {
	once sync.Once
	rows atomic.Pointer[[]*Row]
	// was is an order of an earlier board, when there was one: less out and with in it is this one.
	was     []*Row
	out, in []*Row
}

// sorted returns the order. rows are all rows in order of their paths; arrange sorts as compare does.
func (o *order) sorted(rows []*Row, arrange func([]*Row), compare func(x, y *Row) int) []*Row {
	o.once.Do(func() {
		list := make([]*Row, 0, len(o.was)+len(o.in))
		if o.was != nil {
			list = append(list, o.was...)
			for _, r := range o.out {
				if i, ok := slices.BinarySearchFunc(list, r, compare); ok {
					list = slices.Delete(list, i, i+1)
				}
			}
			for _, r := range o.in {
				i, _ := slices.BinarySearchFunc(list, r, compare)
				list = slices.Insert(list, i, r)
			}
		} else {
			list = append(list, rows...)
			arrange(list)
		}
		o.rows.Store(&list)
	})
	return *o.rows.Load()
}

// derive makes an order that nobody has asked for yet out of one of before, which has lost the rows of out, and got those of in.
func (o *order) derive(before *order, out, in []*Row) {
	if list := before.rows.Load(); list != nil {
		o.was, o.out, o.in = *list, out, in
	} else if before.was != nil {
		o.was, o.out, o.in = before.was, slices.Clone(before.out), slices.Clone(before.in)
		for _, r := range out {
			if i := slices.Index(o.in, r); i >= 0 {
				o.in = slices.Delete(o.in, i, i+1)
			} else {
				o.out = append(o.out, r)
			}
		}
		o.in = append(o.in, in...)
	}
	if len(o.out)+len(o.in) > 100 { // to sort is as quick
		o.was, o.out, o.in = nil, nil, nil
	}
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

// sortByName sorts rows as compareName does, several times as quickly: most names differ in their first letters.
func sortByName(rows []*Row) {
	type key struct {
		first, second uint64 // eight bytes each of the name in lower case
		row           *Row
	}
	keys := make([]key, len(rows))
	for i, r := range rows {
		var b [16 + utf8.UTFMax]byte
		n := 0
		for _, c := range r.Name {
			if n += utf8.EncodeRune(b[n:], unicode.ToLower(c)); n >= 16 {
				break
			}
		}
		keys[i] = key{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:]), r}
	}
	slices.SortFunc(keys, func(x, y key) int {
		switch {
		case x.first != y.first:
			return cmp.Compare(x.first, y.first)
		case x.second != y.second:
			return cmp.Compare(x.second, y.second)
		}
		return compareName(x.row, y.row)
	})
	for i := range keys {
		rows[i] = keys[i].row
	}
}

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

// counts is how many posts there are of what a filter can choose.
type counts struct {
	byRank             [anyState + 1]int
	byAccount          []int
	campaigns, authors map[string]int

	seen []string // scratch
}

// Facets counts the posts by what a filter can choose, each with the filter's other fields applied: what would be there if that were
// chosen. Posts without a campaign count as "-", posts whose author is not known for nobody.
func (b *Board) Facets(f Filter) (states map[State]int, accounts, campaigns, authors map[string]int) {
	cfg := b.in.Site.Config
	m := b.matcher(f)
	n := b.perKind()
	if m.hits != nil {
		n = make([]int, len(b.kinds))
		for _, r := range b.rows {
			if m.says(r) {
				n[r.kind]++
			}
		}
	}
	c := counts{byAccount: make([]int, len(cfg.Accounts)), campaigns: map[string]int{}, authors: map[string]int{}}
	for i, r := range b.kinds {
		if n[i] > 0 {
			c.add(r, m, n[i])
		}
	}
	states, accounts = map[State]int{}, map[string]int{}
	for i, s := range States() {
		if n := c.byRank[i]; n > 0 {
			states[s] = n
		}
	}
	for i, n := range c.byAccount {
		if n > 0 {
			accounts[cfg.Accounts[i].Name] = n
		}
	}
	return states, accounts, c.campaigns, c.authors
}

// add counts n rows of a kind.
func (c *counts) add(r *Row, m *matcher, n int) {
	rank := m.pressing(r)
	if r.Author != "" && rank != anyState && m.ofRank(rank) {
		c.authors[r.Author] += n
	}
	if !m.ofAuthor(r) {
		return
	}
	c.byRank[rank] += n
	switch {
	case r.alike:
		if !m.ofRank(r.rank) {
			return
		}
		if m.ofCampaign(r.campaign) {
			for set := r.accounts; set != 0; set &= set - 1 {
				c.byAccount[bits.TrailingZeros64(set)] += n
			}
		}
		if r.accounts&m.bits != 0 {
			c.campaigns[cmp.Or(r.campaign, noCampaign)] += n
		}
	case len(r.Targets) == 0:
		if m.account == nil && m.ofRank(r.rank) {
			c.campaigns[cmp.Or(r.campaign, noCampaign)] += n
		}
	default:
		c.addTargets(r, m, n)
	}
}

// addTargets counts n rows of a kind whose targets differ.
func (c *counts) addTargets(r *Row, m *matcher, n int) {
	c.seen = c.seen[:0]
	for i := range r.Targets {
		t := &r.Targets[i]
		if m.ofCampaign(t.Campaign) && m.ofRank(t.rank) {
			c.byAccount[t.number] += n
		}
		if !m.ofAccount(t) || slices.Contains(c.seen, t.Campaign) {
			continue
		}
		c.seen = append(c.seen, t.Campaign)
		pressing := t.rank
		for j := i + 1; j < len(r.Targets); j++ {
			if u := &r.Targets[j]; u.Campaign == t.Campaign && m.ofAccount(u) {
				pressing = min(pressing, u.rank)
			}
		}
		if m.ofRank(pressing) {
			c.campaigns[cmp.Or(t.Campaign, noCampaign)] += n
		}
	}
}
