package board

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/slab"
)

// Board is a site at one moment. It is not changed once made and may be used by many goroutines; callers must not modify what
// it returns.
type Board struct {
	in    Input
	shelf *shelf
	infos []accountInfo // parallel to the configuration's accounts

	rows []*Row
	next int64           // when the first state changes by itself, see stamp
	good map[string]*Row // by the id of Good

	own  map[string]finding.List // by path, of posts that differ from those that Findings are about: what is wrong with them
	gone map[string]bool         // paths of posts that Findings are about and that there are no more
	same map[string]string       // by path, of posts that share an id with another: what is wrong with them

	byTime, byName order
	numbers        uint32 // above those of all rows
	searched       struct {
		sync.Mutex
		hits [4]*hits // the last searches, newest first
	}

	kinds     []*Row       // one of each kind
	known     *kinds       // all, those of later boards too; guarded by the shelf's lock
	perKind   func() []int // how many rows there are of each kind
	base      func() *pack // the findings to begin with: those of the last whole check, else of reading
	revised   func() map[string]finding.List
	tally     func() map[Kind]int
	campaigns func() []Campaign
	needs     func() *needs
	renders   *renders
}

// accountInfo is what is the same for all targets of an account.
type accountInfo struct {
	info platform.Info
	caps platform.Caps
}

// New makes a board. An error means that the ledger cannot be read.
func New(in Input) (*Board, error) {
	s, err := openShelf(in.Ledger)
	if err != nil {
		return nil, err
	}
	return build(in, nil, s)
}

// With returns the board after some posts, the ledger, the findings or the time have become others; everything else is shared
// with b, which stays as it is. Which posts have changed it sees by itself: a snapshot shares the others with the one before it. While a post
// cannot be read, because somebody is typing, its row keeps the last good version of it.
func (b *Board) With(in Input) (*Board, error) {
	s := b.shelf
	if !sameView(in.Ledger, b.in.Ledger) {
		var err error
		if s, err = openShelf(in.Ledger); err != nil {
			return nil, err
		}
	}
	return build(in, b, s)
}

// sameView reports whether two views are one. Another view of the same ledger counts as another one.
func sameView(a, b ledger.View) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case x.Type() != y.Type():
		return false
	case x.Kind() == reflect.Slice:
		return x.Len() == y.Len() && x.UnsafePointer() == y.UnsafePointer()
	case x.Kind() == reflect.Map:
		return x.UnsafePointer() == y.UnsafePointer()
	default:
		return x.Comparable() && x.Equal(y)
	}
}

func sameList(a, b finding.List) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func sameMap(a, b map[string]string) bool {
	return reflect.ValueOf(a).UnsafePointer() == reflect.ValueOf(b).UnsafePointer()
}

// stamp is a time in nanoseconds since 1970, as rows keep it: smaller and quicker to compare than a time.Time.
func stamp(t time.Time) int64 {
	switch year := t.Year(); {
	case year < 1700:
		return math.MinInt64
	case year > 2200:
		return never - 1
	}
	return t.UnixNano()
}

// never is the stamp of what does not come.
const never = math.MaxInt64

// change is a post that differs between two snapshots: old or new is -1 where there is none.
type change struct{ old, new int }

// differences compares two lists of posts, both sorted by path. Posts that have not changed are the same in both.
func differences(old, new []*post.Post) []change {
	var list []change
	i, j := 0, 0
	for i < len(old) && j < len(new) {
		if old[i] == new[j] {
			i++
			j++
			continue
		}
		switch c := strings.Compare(old[i].Path, new[j].Path); {
		case c == 0:
			list = append(list, change{i, j})
			i++
			j++
		case c < 0:
			list = append(list, change{i, -1})
			i++
		default:
			list = append(list, change{-1, j})
			j++
		}
	}
	for ; i < len(old); i++ {
		list = append(list, change{i, -1})
	}
	for ; j < len(new); j++ {
		list = append(list, change{-1, j})
	}
	return list
}

// build makes a board, with as much of old as there is.
func build(in Input, old *Board, s *shelf) (*Board, error) {
	if in.Registry == nil {
		in.Registry = adapters.All()
		if old != nil {
			in.Registry = old.in.Registry
		}
	}
	b := &Board{in: in, shelf: s, next: never, renders: &renders{}}
	cfg := in.Site.Config
	whole := old == nil || old.in.Site.Config != cfg || old.shelf != s || old.in.Registry != in.Registry ||
		old.in.Check != in.Check ||
		!sameMap(old.in.Authors, in.Authors) || in.Now.Before(old.in.Now)
	if old != nil && old.in.Site.Config == cfg && old.in.Registry == in.Registry {
		b.infos, b.renders = old.infos, old.renders
	} else {
		b.infos = make([]accountInfo, len(cfg.Accounts))
		for i := range cfg.Accounts {
			if adapter, ok := in.Registry.Get(cfg.Accounts[i].Platform); ok {
				b.infos[i] = accountInfo{adapter.Info(), platform.CapsOf(adapter, &cfg.Accounts[i])}
			}
		}
	}
	switch {
	case in.Check != nil:
		b.base = func() *pack { return in.Check.pack }
	case old != nil && old.in.Check == nil && sameList(old.in.Site.Findings, in.Site.Findings):
		b.base = old.base
	default:
		b.base = sync.OnceValue(func() *pack { return newPack(in.Site.Findings) })
	}
	b.revised, b.tally = sync.OnceValue(b.revise), sync.OnceValue(b.countProblems)
	b.campaigns = sync.OnceValue(b.allCampaigns)
	b.needs = sync.OnceValue(b.allNeeds)
	b.perKind = sync.OnceValue(b.countKinds)

	var diff []change
	if old != nil {
		diff = differences(old.in.Site.Posts, in.Site.Posts)
	}
	whole = !b.judge(old, diff) || whole
	m := &maker{Board: b, loc: cfg.Location, quiet: b.nextQuiet(in.Now)}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if whole {
		b.known = &kinds{number: map[string]uint32{}}
		err = m.all(old)
	} else {
		b.known = old.known
		err = m.some(old, diff)
	}
	b.kinds = b.known.rows
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return b, nil
}

// inspected is the most changed posts that are rendered and checked before the next whole check does that for all. Of more, only
// what reading them has found is known meanwhile.
const inspected = 100

// judge finds out what is wrong with the posts that the findings do not know yet. It reports false when that may concern
// posts beyond those of diff.
func (b *Board) judge(old *Board, diff []change) bool {
	now := b.in.Site
	idsMoved := old == nil
	for _, c := range diff {
		idsMoved = idsMoved || c.old < 0 || c.new < 0 || old.in.Site.Posts[c.old].ID != now.Posts[c.new].ID
	}
	if idsMoved {
		b.same = map[string]string{}
		for i := range now.Findings {
			if f := &now.Findings[i]; f.Code == content.SameIDCode {
				b.same[f.Path] = blocks(f)
			}
		}
	} else {
		b.same = old.same
	}
	local := old != nil && maps.Equal(old.same, b.same)
	if b.in.Check == nil || b.in.Check.of == now {
		return local
	}
	of := b.in.Check.of
	b.own, b.gone = map[string]finding.List{}, map[string]bool{}
	differing := differences(of.Posts, now.Posts)
	n := 0
	for _, c := range differing {
		if c.new >= 0 {
			n++
		}
	}
	for _, c := range differing {
		switch {
		case c.new < 0:
			b.gone[of.Posts[c.old].Path] = true
		case n > inspected:
			b.own[now.Posts[c.new].Path] = b.reading(now.Posts[c.new].Path)
		default:
			p := now.Posts[c.new]
			if old != nil && old.in.Site.Config == now.Config && len(old.own) <= inspected {
				if list, ok := old.own[p.Path]; ok && samePost(old.in.Site.Posts, p) {
					b.own[p.Path] = list
					continue
				}
			}
			b.own[p.Path] = now.CheckPost(p)
		}
	}
	crossed := old != nil && (len(old.own) > inspected) != (n > inspected)
	return local && !crossed
}

// samePost reports whether a post, as it is, is among others.
func samePost(posts []*post.Post, p *post.Post) bool {
	i, ok := indexOf(posts, p.Path)
	return ok && posts[i] == p
}

func indexOf(posts []*post.Post, name string) (int, bool) {
	return slices.BinarySearchFunc(posts, name, func(p *post.Post, name string) int { return strings.Compare(p.Path, name) })
}

// reading returns what reading a post has found, but for ids that it shares with others.
func (b *Board) reading(name string) finding.List {
	found := findingsAt(b.in.Site.Findings, name)
	return slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool { return f.Code == content.SameIDCode })
}

// findingsAt returns those of a sorted list that are about a file.
func findingsAt(list finding.List, name string) finding.List {
	i, _ := slices.BinarySearchFunc(list, name, func(f finding.Finding, name string) int { return strings.Compare(f.Path, name) })
	n := i
	for n < len(list) && list[n].Path == name {
		n++
	}
	return list[i:n:n]
}

// unreadable reports whether reading a file has failed before its first key: there is no telling then what is front matter
// and what is text.
func unreadable(l finding.List) bool {
	return slices.ContainsFunc(l, func(f finding.Finding) bool {
		return f.Severity == finding.Error && f.Code < "F120" && strings.HasPrefix(string(f.Code), "F") && f.Code != content.SameIDCode
	})
}

// blocks says why a finding keeps a post from going out.
func blocks(f *finding.Finding) string { return string(f.Code) + ": " + f.Message }

// all makes all rows. Those of old lend what their posts' texts gave.
func (m *maker) all(old *Board) error {
	posts := m.in.Site.Posts
	m.targets.Together, m.turns.Together, m.stands.Together = true, true, true
	rows := make([]Row, len(posts))
	m.numbers = uint32(len(posts)) //nolint:gosec // posts
	m.rows = make([]*Row, len(posts))
	before := make([]*Row, len(posts)) // the same post, or another version of it
	if old != nil {
		i, was := 0, old.in.Site.Posts
		for j, p := range posts {
			for i < len(was) && was[i] != p && was[i].Path < p.Path {
				i++
			}
			if i < len(was) && (was[i] == p || was[i].Path == p.Path) {
				before[j] = old.rows[i]
				i++
			}
		}
	}
	const chunk = 512
	parallel((len(posts)+chunk-1)/chunk, func(c int) {
		known := slab.Of[facts]{Together: true}
		for i := c * chunk; i < min((c+1)*chunk, len(posts)); i++ {
			m.rows[i] = &rows[i]
			rows[i].number = uint32(i) //nolint:gosec // posts
			m.begin(&rows[i], posts[i], before[i], &known)
		}
	})
	p, at := m.base(), 0
	var list finding.List
	for i, r := range m.rows {
		for at < len(p.files) && p.files[at].path < posts[i].Path {
			at++
		}
		list = list[:0]
		if at < len(p.files) && p.files[at].path == posts[i].Path {
			list = p.unpack(list, &p.files[at])
		}
		if err := m.finish(r, list); err != nil {
			return err
		}
		m.remember(r)
		m.next = min(m.next, r.until)
	}
	return nil
}

// parallel calls fn for 0 … n-1 on all processors.
func parallel(n int, fn func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				fn(i)
			}
		})
	}
	workers.Wait()
}

// some makes the rows of diff and those whose time has come; the others are those of old.
func (m *maker) some(old *Board, diff []change) error {
	posts := m.in.Site.Posts
	m.good, m.numbers = old.good, old.numbers
	var out, in []*Row // of the orders
	remake := func(p *post.Post, before *Row) (*Row, error) {
		r := &Row{number: m.numbers}
		m.numbers++
		m.begin(r, p, before, &slab.Of[facts]{})
		if err := m.finish(r, m.base().at(p.Path)); err != nil {
			return nil, err
		}
		in = append(in, r)
		m.next = min(m.next, r.until)
		return r, nil
	}
	now := stamp(m.in.Now)
	if len(diff) == 0 && old.next > now {
		m.rows = old.rows
	} else {
		m.rows = make([]*Row, 0, len(posts))
	}
	i := 0
	for _, c := range diff {
		upTo := c.old
		if c.old < 0 { // a new one: behind all with a smaller path
			upTo, _ = indexOf(old.in.Site.Posts, posts[c.new].Path)
		}
		m.rows = append(m.rows, old.rows[i:upTo]...)
		i = upTo
		var before *Row
		if c.old >= 0 {
			before = old.rows[c.old]
			out = append(out, before)
			i++
		}
		if c.new < 0 {
			continue
		}
		r, err := remake(posts[c.new], before)
		if err != nil {
			return err
		}
		m.rows = append(m.rows, r)
	}
	if len(m.rows) < len(posts) {
		m.rows = append(m.rows, old.rows[i:]...)
	}
	if old.next > now {
		m.next = min(m.next, old.next)
	} else {
		m.next = never
		for i, r := range m.rows {
			if r.until <= now {
				out = append(out, r)
				var err error
				if r, err = remake(posts[i], r); err != nil {
					return err
				}
				m.rows[i] = r
			}
			m.next = min(m.next, r.until)
		}
	}
	for _, r := range out {
		if r.Good != nil {
			m.good = maps.Clone(m.good)
			delete(m.good, r.Good.ID)
		}
	}
	for _, r := range in {
		m.remember(r)
	}
	m.byTime.derive(&old.byTime, out, in)
	m.byName.derive(&old.byName, out, in)
	return nil
}

// remember notes a row that can be asked for by the id of its last good version.
func (m *maker) remember(r *Row) {
	if r.Good == nil {
		return
	}
	m.good = maps.Clone(m.good)
	if m.good == nil {
		m.good = map[string]*Row{}
	}
	m.good[r.Good.ID] = r
}

// begin fills what a row says of its post alone. before is the row that the post, or its version before, had; or nil.
func (m *maker) begin(r *Row, p *post.Post, before *Row, known *slab.Of[facts]) {
	r.Post, r.Author = p, m.in.Authors[p.Path]
	if before != nil && before.Post == p {
		r.unreadable = before.unreadable
	} else {
		r.unreadable = unreadable(findingsAt(m.in.Site.Findings, p.Path))
	}
	if before != nil {
		if r.unreadable {
			r.Good = before.Good
			if !before.unreadable {
				r.Good = before.Post
			}
		}
		if before.facts.post == r.Shown() {
			r.facts = before.facts
		}
	}
	if r.facts == nil {
		r.facts = newFacts(r.Shown(), known)
	}
	r.Name = r.facts.name
}

// shelf is the ledger, with what of it is asked often. Boards that are made of each other share it.
type shelf struct {
	mu      sync.Mutex // guards view
	view    ledger.View
	open    map[ledger.ID]*ledger.Record
	records []*ledger.Record // open ones, sorted
	holds   []ledger.Hold
	empty   bool // or there is none
	began   time.Time
}

func openShelf(view ledger.View) (*shelf, error) {
	s := &shelf{view: view, empty: true}
	if view == nil {
		return s, nil
	}
	err := func() (err error) {
		if s.empty, err = view.Empty(); err != nil {
			return err
		}
		if s.records, err = view.Open(); err != nil {
			return err
		}
		opening, err := view.Opening()
		if err != nil && !errors.Is(err, ledger.ErrFormat) {
			return err
		}
		s.began = opening.Began
		s.holds, err = view.Holds()
		return err
	}()
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	s.open = make(map[ledger.ID]*ledger.Record, len(s.records))
	for _, r := range s.records {
		s.open[r.ID()] = r
	}
	return s, nil
}

// brief asks for a record; the caller holds the lock.
func (s *shelf) brief(id ledger.ID) (ledger.Brief, bool, error) {
	if s.view == nil || s.empty {
		return ledger.Brief{}, false, nil
	}
	return s.view.Brief(id)
}

// record returns a record, nil when there is none.
func (s *shelf) record(id ledger.ID) (*ledger.Record, error) {
	if s.view == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view.Record(id)
}

// Input returns what the board was made of, with Registry and Of filled.
func (b *Board) Input() Input { return b.in }

// Rows returns all posts in the order of their paths, one for each of Site.Posts.
func (b *Board) Rows() []*Row { return b.rows }

// Row returns the post with an id, or the one at a path. A post that cannot be read is also found by the id of its last
// good version.
func (b *Board) Row(idOrPath string) (*Row, bool) {
	if p, ok := b.in.Site.Find(idOrPath); ok {
		if i, ok := indexOf(b.in.Site.Posts, p.Path); ok {
			return b.rows[i], true
		}
	}
	r, ok := b.good[idOrPath]
	return r, ok
}
