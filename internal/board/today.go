package board

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

const (
	planned = 200                // overdue deliveries that are looked at closely
	soon    = 7 * 24 * time.Hour // within which a broken post waits for a person
)

// Today returns what there is to know in the morning, at most n of each kind.
func (b *Board) Today(n int) Today {
	n = max(n, 0)
	t := Today{Next: b.upcoming(n), Count: map[State]int{}, Holds: b.shelf.holds, Out: b.in.Latest[:min(n, len(b.in.Latest))]}
	var byRank [anyState + 1]int
	for i, n := range b.perKind() {
		byRank[b.kinds[i].rank] += n
	}
	for i, s := range States() {
		if byRank[i] > 0 {
			t.Count[s] = byRank[i]
		}
	}
	if hold := &b.in.Site.Config.Hold; hold.Reason != "" {
		t.Hold = hold
	}
	needs := b.needs()
	t.Needs = needs.list[:min(n, len(needs.list))]
	t.More = len(needs.list) - len(t.Needs) + needs.more
	return t
}

// upcoming returns the next n events that are yet to go out: those that wait for the next run, and those to come.
func (b *Board) upcoming(n int) []Event {
	if n == 0 {
		return nil
	}
	now := b.in.Now
	coming := func(t *Target, at time.Time) bool {
		if at.IsZero() {
			return false
		}
		return t.State == Due || at.After(now) && t.State.live() && t.State != Published && t.State != Changed
	}
	var list []moment
	var atMost time.Time // when there are enough already, none later is wanted
	for _, r := range b.rows {
		if r.last < stamp(now) && r.rank > Due.rank() || !atMost.IsZero() && r.first > stamp(atMost) {
			continue
		}
		for i := range r.Targets {
			t := &r.Targets[i]
			at := t.At
			if c := t.cycle; c != nil {
				at = c.upcoming
				if t.State == Due {
					at = c.latest
				}
			}
			if !coming(t, at) || !atMost.IsZero() && at.After(atMost) {
				continue
			}
			x := moment{row: r, targets: r.Targets[i : i+1 : i+1]}
			if t.cycle != nil {
				x.targets, x.occurrence = []Target{*t.at(at)}, !at.Equal(t.At)
			}
			list = append(list, x)
		}
		if len(list) > 1024 && len(list) > 64*n { // far more than are shown: forget the later ones
			list, atMost = soonest(list, n)
		}
	}
	list, _ = soonest(list, n)
	var events []Event
	for i := range list {
		x := &list[i]
		if n := len(events); n == 0 || events[n-1].Row != x.row || !events[n-1].At.Equal(x.at()) {
			events = append(events, b.eventOf(x))
		}
		events[len(events)-1].add(&x.targets[0])
	}
	b.markCollisions(events)
	return events
}

// soonest sorts moments, and keeps those of the first n events; the last of them is at atMost.
func soonest(list []moment, n int) (kept []moment, atMost time.Time) {
	slices.SortStableFunc(list, func(x, y moment) int {
		return cmp.Or(x.at().Compare(y.at()), strings.Compare(x.row.Post.Path, y.row.Post.Path))
	})
	events := 0
	for i := range list {
		if i == 0 || list[i].row != list[i-1].row || !list[i].at().Equal(list[i-1].at()) {
			if events++; events > n {
				return list[:i], list[i-1].at()
			}
		}
	}
	if events < n || events == 0 {
		return list, time.Time{}
	}
	return list, list[len(list)-1].at()
}

// markCollisions says of the events which are too close to another post, be that among them or not.
func (b *Board) markCollisions(events []Event) {
	if len(events) == 0 {
		return
	}
	from, to := events[0].At, events[len(events)-1].At
	if to.Sub(from) > maxDays*24*time.Hour {
		to = from.AddDate(0, 0, maxDays)
	}
	var all []Event
	b.events(from, to.Add(1), b.matcher(Filter{}), func(e *Event) { all = append(all, *e) })
	for i := range events {
		e := &events[i]
		j, ok := slices.BinarySearchFunc(all, e, func(x Event, y *Event) int { return compareEvents(&x, y) })
		e.Collides = ok && all[j].Collides
	}
}

// needs is what waits for a person.
type needs struct {
	list []Need
	more int // beyond those that were looked at
}

// renders keeps what planning takes of renderings, for the boards that are made of each other.
type renders struct {
	mu   sync.Mutex
	seen map[renderKey]rendered
}

type renderKey struct {
	post    *post.Post
	account int
}

type rendered struct {
	fingerprint, said string
	costs             []platform.Cost
}

// of renders a target, unless that was done before.
func (c *renders) of(b *Board, r *Row, t *Target) rendered {
	key := renderKey{r.Post, int(t.number)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if x, ok := c.seen[key]; ok {
		return x
	}
	if c.seen == nil || len(c.seen) > 8*planned { // most of them are of posts that are gone
		c.seen = map[renderKey]rendered{}
	}
	out := b.in.Site.Render(r.Post, t.Account)
	x := rendered{fingerprint: out.Rendering.Fingerprint(), said: ledger.Said(&out.Rendering)}
	if adapter, ok := b.in.Registry.Get(t.Account.Platform); ok {
		x.costs = platform.CostOf(adapter, t.Account, &out.Rendering)
	}
	c.seen[key] = x
	return x
}

// allNeeds finds out what waits for a person. An error of the ledger leaves out what it keeps from being known; there was none when
// the board was made.
func (b *Board) allNeeds() *needs {
	n := &needs{}
	now := b.in.Now
	type overdue struct {
		row    *Row
		target int
		open   bool
	}
	var due []overdue
	openPosts := map[string]bool{}
	for _, rec := range b.shelf.records {
		openPosts[rec.Post] = true
	}
	before, first := 0, time.Time{} // posts from before the ledger
	for _, r := range b.rows {
		open := len(openPosts) > 0 && openPosts[r.Shown().ID]
		if r.rank > Changed.rank() && !open {
			continue
		}
		old := false
		for i := range r.Targets {
			t := &r.Targets[i]
			id := ledger.ID{Post: r.Shown().ID, Account: t.Account.Name}
			switch {
			case open && b.isOpen(id, t):
				due = append(due, overdue{r, i, true})
			case t.State == Broken && (t.At.IsZero() || t.At.After(now)):
				if !t.At.After(now.Add(soon)) {
					n.list = append(n.list, Need{Row: r, Account: t.Account.Name, State: Broken, At: t.At, Why: t.Why, Command: "postrider check " + quote(r.Post.Path)})
				}
			case t.State == Changed && t.Why != fileChanged:
				due = append(due, overdue{r, i, false})
			case (b.shelf.empty || t.cycle == nil && t.At.Before(b.shelf.began)) && !t.At.IsZero() && t.State == Late:
				old = true
			case t.rank <= Due.rank() && t.State != Attention && (!b.shelf.empty || t.State != Late) && !t.At.After(now):
				due = append(due, overdue{r, i, false})
			}
		}
		if old {
			before++
			if first.IsZero() || r.At.Before(first) {
				first = r.At
			}
		}
	}
	slices.SortStableFunc(due, func(x, y overdue) int {
		if x.open != y.open {
			if x.open {
				return -1
			}
			return 1
		}
		return y.row.Targets[y.target].At.Compare(x.row.Targets[x.target].At)
	})
	if len(due) > planned {
		posts := map[*Row]bool{}
		for _, x := range due[planned:] {
			if s := x.row.Targets[x.target].State; s != Due && !posts[x.row] {
				posts[x.row] = true
				n.more++
			}
		}
		for _, x := range due[:planned] {
			if posts[x.row] {
				posts[x.row] = false
				n.more--
			}
		}
		due = due[:planned]
	}
	targets := make([]plan.Target, len(due))
	rows := map[ledger.ID]*Row{}
	for i, x := range due {
		t := &x.row.Targets[x.target]
		targets[i] = b.planTarget(x.row, t)
		rows[ledger.ID{Post: targets[i].Post, Account: t.Account.Name}] = x.row
	}
	waiting := b.plan(targets)
	said := map[ledger.ID]bool{}
	for _, w := range waiting {
		id := ledger.ID{Post: w.Post, Account: w.Account, Occurrence: w.Occurrence}
		row := rows[ledger.ID{Post: w.Post, Account: w.Account}]
		need := Need{Row: row, Record: b.shelf.open[id], Account: w.Account, Why: w.Reason, At: w.Due}
		if w.State == plan.WaitOrphan && row == nil {
			if need.Row, _ = b.Row(w.Post); need.Row != nil && slices.ContainsFunc(need.Row.Targets, func(t Target) bool { return t.Account.Name == w.Account }) {
				continue // it is beyond those that were planned
			}
		}
		if !b.settle(&need, w, id) {
			continue
		}
		said[id] = true
		n.list = append(n.list, need)
	}
	// What the next run looks at by itself is told all the same while nobody knows what became of it, or when it was refused.
	for _, rec := range b.shelf.records {
		if rec.State != ledger.Unknown && rec.State != ledger.Denied && rec.State != ledger.Rejected || said[rec.ID()] {
			continue
		}
		row, _ := b.Row(rec.Post)
		n.list = append(n.list, b.recordNeed(row, rec))
	}
	for _, rec := range b.in.Latest {
		if len(rec.Doubles) > 0 {
			row, _ := b.Row(rec.Post)
			n.list = append(n.list, Need{Row: row, Record: rec, Account: rec.Account, State: Attention, At: rec.Due, Why: "posted twice: take one of the two down by hand"})
		}
	}
	n.group()
	if before > 0 {
		n.list = append(n.list, b.summary(before, first))
	}
	slices.SortStableFunc(n.list, func(x, y Need) int {
		if x.State != y.State || x.State != Broken {
			return cmp.Or(cmp.Compare(x.State.rank(), y.State.rank()), y.At.Compare(x.At)) // the latest first
		}
		return x.At.Compare(y.At) // the next first
	})
	return n
}

// isOpen reports whether a target, or one of a repeated post's times, is under way.
func (b *Board) isOpen(id ledger.ID, t *Target) bool {
	if t.cycle == nil {
		return b.shelf.open[id] != nil
	}
	return slices.ContainsFunc(b.shelf.records, func(r *ledger.Record) bool { return r.Post == id.Post && r.Account == id.Account })
}

// planTarget is a target as planning knows it.
func (b *Board) planTarget(r *Row, t *Target) plan.Target {
	p := r.Shown()
	tm := timingOf(b.in.Site.Config, p, t.Account)
	x := b.renders.of(b, r, t)
	blocked, _ := strings.CutPrefix(t.Why, changedBut)
	if t.State != Broken && blocked == t.Why {
		blocked = ""
	}
	return plan.Target{
		Post: p.ID, Path: p.Path, Title: r.Name, Account: t.Account.Name, Platform: t.Account.Platform,
		Caps: b.infos[t.number].caps, KeyLife: b.infos[t.number].info.KeyLifetime, Source: r.facts.source(),
		Due: tm.at, ExpiresAt: tm.expires, Withdraw: tm.withdraw, Draft: tm.draft, Late: tm.late, Await: tm.await(), Campaign: tm.campaign, Repeat: tm.rule,
		Fingerprint: x.fingerprint, Said: x.said, Blocked: blocked, Costs: x.costs,
	}
}

// plan asks what a run would say of targets, if they were merged as they are.
func (b *Board) plan(targets []plan.Target) []plan.Waiting {
	view := b.shelf.view
	if view == nil {
		view = ledger.Memory{}
	}
	b.shelf.mu.Lock()
	defer b.shelf.mu.Unlock()
	rules := plan.RulesOf(b.in.Site.Config)
	rules.MaxPerRun = 0  // what only waits for the next run needs nobody
	rules.Approval = nil // who has approved what is not known here
	p, err := plan.Make(plan.Input{Now: b.in.Now, Targets: targets, Ledger: view, Rules: rules})
	if err != nil {
		return nil
	}
	return p.Waiting
}

// settle fills what a need is and what settles it, and reports whether it is one.
func (b *Board) settle(n *Need, w plan.Waiting, id ledger.ID) bool {
	name := resolveName(id)
	switch w.State {
	case plan.WaitLate:
		n.State, n.Command = Late, "postrider resolve "+name+" --send"
	case plan.WaitDuplicate:
		n.State, n.Command = Attention, "postrider resolve "+name+" --send"
	case plan.WaitHeld:
		n.State, n.Command = Held, b.lift(w)
	case plan.WaitBudget:
		n.State = Held
	case plan.WaitBlocked:
		n.State, n.Command = Broken, "postrider check "+quote(w.Path)
	case plan.WaitFirstRun:
		n.State, n.Command = Attention, "postrider adopt --account "+w.Account
	case plan.WaitCannot:
		n.State, n.Command = Attention, "postrider resolve "+name+" --withdrawn"
	case plan.WaitOrphan:
		n.State, n.Command = Attention, "postrider resolve "+name+" --skip"
		if n.Record != nil && (n.Record.State == ledger.Unknown || n.Record.State == ledger.Sending) {
			n.Command = "postrider resolve " + name + " --published URL"
		}
	case plan.WaitUnknown, plan.WaitDenied, plan.WaitRejected:
		n.State = Attention
		if n.Record == nil { // its removal or its update has failed
			n.Command = "postrider status " + w.Post
			return true
		}
		n.Command = command(n.Record)
	default:
		return false
	}
	return true
}

// recordNeed is a need that a record alone tells of.
func (b *Board) recordNeed(row *Row, rec *ledger.Record) Need {
	n := Need{Row: row, Record: rec, Account: rec.Account, State: Attention, At: rec.Due, Command: command(rec)}
	switch rec.State {
	case ledger.Unknown:
		n.Why = "it may be out, and the next run looks for it: " + lastError(rec)
	case ledger.Denied:
		n.Why = "the network does not let us in; the next run tries again: " + lastError(rec)
	default:
		n.Why = "refused by the network; as it is now, the next run tries it again: " + lastError(rec)
	}
	return n
}

// command is what settles a delivery that did not end well.
func command(rec *ledger.Record) string {
	name := resolveName(rec.ID())
	switch {
	case rec.Damaged != "":
		return "postrider doctor --ledger --repair"
	case rec.State == ledger.Denied:
		return "postrider doctor"
	case rec.State == ledger.Rejected:
		return "postrider resolve " + name + " --skip"
	default:
		return "postrider resolve " + name + " --published URL"
	}
}

// resolveName names a delivery as `postrider resolve` wants it: of a repeated post, what is open of it is meant.
func resolveName(id ledger.ID) string {
	return id.Post + " " + id.Account
}

// lift is the command that ends the hold that a delivery waits for; empty when it stands in site.yaml.
func (b *Board) lift(w plan.Waiting) string {
	if _, held := b.in.Site.Config.HeldBy(w.Account, w.Campaign); held {
		return ""
	}
	for _, h := range b.shelf.holds {
		switch {
		case !h.Covers(w.Account, string(w.Platform), w.Campaign):
		case h.Scope == ledger.ScopeAll:
			return "postrider hold --lift"
		default:
			return "postrider hold --lift " + h.Scope
		}
	}
	return ""
}

// group puts the needs of one post into one where they say the same of all of its accounts.
func (n *needs) group() {
	type key struct {
		row   *Row
		state State
		why   string
	}
	of := func(x *Need) key { return key{x.Row, x.State, x.Why} }
	count := map[key]int{}
	for i := range n.list {
		count[of(&n.list[i])]++
	}
	first := map[key]int{}
	list := n.list[:0]
	for _, x := range n.list {
		k := of(&x)
		if x.Row == nil || len(x.Row.Targets) < 2 || count[k] != len(x.Row.Targets) {
			list = append(list, x)
			continue
		}
		i, ok := first[k]
		if !ok {
			first[k] = len(list)
			x.Account, x.Record = "", nil
			list = append(list, x)
			continue
		}
		if x.Command != "" && !slices.Contains(strings.Split(list[i].Command, " && "), x.Command) {
			list[i].Command += " && " + x.Command
		}
	}
	n.list = list
}

// summary is one need for all posts of which nothing is recorded because they are older than the ledger.
func (b *Board) summary(posts int, first time.Time) Need {
	n := Need{State: Late, At: first}
	are, them := "posts are", "them"
	if posts == 1 {
		are, them = "post is", "it"
	}
	switch {
	case b.shelf.view == nil:
		n.Why = fmt.Sprintf("%d %s past the time to go out, and no ledger is at hand that knows what became of %s", posts, are, them)
	case b.shelf.empty:
		n.Why = fmt.Sprintf("%d %s past the time to go out, and nothing is recorded yet: say what is out already before the first run", posts, are)
		n.Command = "postrider adopt --find"
	default:
		began := b.shelf.began.In(b.in.Site.Config.Location)
		n.Why = fmt.Sprintf("%d %s from before the ledger began on %s, and nothing is recorded of %s", posts, are, began.Format("2 Jan 2006"), them)
		n.Command = "postrider adopt --before " + began.Format("2006-01-02")
	}
	return n
}

// quote writes a path for a shell.
func quote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@%,:", r)
	}
	if s != "" && s[0] != '-' && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
