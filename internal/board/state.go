package board

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/approval"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/slab"
)

// maker makes the rows of a board. Whoever calls it holds the shelf's lock.
type maker struct {
	*Board
	loc   *time.Location
	quiet time.Time // when quiet hours next begin or end
	last  *cycle    // the one made last

	targets slab.Of[Target]
	turns   slab.Of[Turn]
	stands  slab.Of[Stand]
}

// timing is what decides about when a post goes to an account.
type timing struct {
	at, expires     time.Time
	draft, withdraw bool
	late            post.Late
	embargo         post.Embargo
	link            string
	campaign        string
	rule            string
}

// apply replaces what f sets.
func (t *timing) apply(f *post.Fields) {
	if f.Set.Has(post.FieldPublishAt) {
		t.at = f.PublishAt
	}
	if f.Set.Has(post.FieldExpiresAt) {
		t.expires = f.ExpiresAt
	}
	if f.Set.Has(post.FieldDraft) {
		t.draft = f.Draft
	}
	if f.Set.Has(post.FieldWithdraw) {
		t.withdraw = f.Withdraw
	}
	if f.Set.Has(post.FieldLate) {
		t.late = f.Late
	}
	if f.Set.Has(post.FieldEmbargo) {
		t.embargo = f.Embargo
	}
	if f.Set.Has(post.FieldLink) {
		t.link = f.Link
	}
	if f.Set.Has(post.FieldCampaign) {
		t.campaign = f.Campaign
	}
	if f.Set.Has(post.FieldRepeat) {
		t.rule = f.Repeat
	}
}

// await returns the address that must answer before the post goes out, as [post.Fields.Await] does.
func (t *timing) await() string {
	if t.embargo != post.EmbargoLink {
		return ""
	}
	return t.link
}

// timingOf returns what [site.Snapshot.Variant] says of a post's time, without the text. a is nil for the post by itself.
func timingOf(cfg *config.Site, p *post.Post, a *platform.Account) timing {
	var t timing
	t.apply(&cfg.Defaults)
	if a == nil {
		t.apply(&p.Fields)
		return t
	}
	t.apply(&a.Defaults)
	t.apply(&p.Fields)
	for i := range p.Overrides {
		if p.Overrides[i].Name == string(a.Platform) {
			t.apply(&p.Overrides[i].Fields)
		}
	}
	for i := range p.Overrides {
		if p.Overrides[i].Name == a.Name && a.Name != string(a.Platform) {
			t.apply(&p.Overrides[i].Fields)
		}
	}
	return t
}

// verdict is where a target stands.
type verdict struct {
	state State
	why   string
	until int64 // when it may be another one by itself, see stamp
}

// at adds a time at which the verdict may change by itself.
func (v verdict) at(now int64, times ...time.Time) verdict {
	for _, t := range times {
		if s := stamp(t); !t.IsZero() && s > now {
			v.until = min(v.until, s)
		}
	}
	return v
}

func is(s State, why string, args ...any) verdict {
	if len(args) > 0 {
		why = fmt.Sprintf(why, args...)
	}
	return verdict{s, why, never}
}

// subject is a target whose state is asked for.
type subject struct {
	row    *Row
	number int // of its account
	*timing
	blocked string // the first error, empty when there is none
}

// finish fills a row's targets and states. list is what the whole check has found about the file.
func (m *maker) finish(r *Row, list finding.List) error {
	cfg, p := m.in.Site.Config, r.Shown()
	if own, ok := m.own[r.Post.Path]; ok {
		list = own
	}
	same := m.same[r.Post.Path]
	blocked := func(account string) string {
		for i := range list {
			f := &list[i]
			if f.Severity == finding.Error && f.Code != content.SameIDCode && (f.Account == "" || f.Account == account) {
				return blocks(f)
			}
		}
		return same
	}
	own := timingOf(cfg, p, nil)
	r.campaign, r.until, r.first, r.last = own.campaign, never, never, stamp(time.Time{})
	accounts := m.in.Site.Accounts(p)
	r.Targets = m.targets.Make(len(accounts))
	r.rank = Skipped.rank()
	number := 0
	for i, a := range accounts {
		for &cfg.Accounts[number] != a {
			number++
		}
		tm := own
		if len(p.Overrides) > 0 || a.Defaults.Set != 0 {
			tm = timingOf(cfg, p, a)
		}
		t := &r.Targets[i]
		*t = Target{Account: a, number: uint16(number)} //nolint:gosec // a site has no tens of thousands of accounts
		if i > 0 && r.Targets[i-1].turns(&tm) {
			t.Turn = r.Targets[i-1].Turn
		} else {
			t.Turn = m.turns.New(Turn{At: tm.at, Campaign: tm.campaign, Repeat: tm.rule})
		}
		v, err := m.target(t, subject{row: r, number: number, timing: &tm, blocked: blocked(a.Name)})
		if err != nil {
			return err
		}
		if i > 0 && r.Targets[i-1].stands(v) {
			t.Stand = r.Targets[i-1].Stand
		} else {
			t.Stand = m.stands.New(v.stand())
		}
		r.until = min(r.until, v.until)
		r.rank = min(r.rank, t.rank)
		if i == 0 || tm.at.Before(r.At) {
			r.At = tm.at
		}
		if !tm.at.IsZero() {
			r.first, r.last = min(r.first, stamp(tm.at)), max(r.last, stamp(tm.at))
			if t.cycle != nil {
				r.last = max(r.last, t.cycle.last)
			}
		}
	}
	if len(accounts) == 0 { // it goes nowhere, whatever its time
		r.At = own.at
		switch {
		case own.draft:
			r.rank = Draft.rank()
		case blocked("") != "":
			r.rank = Broken.rank()
		}
	}
	r.State = States()[r.rank]
	r.alike = len(r.Targets) > 0
	r.together = len(r.Targets) <= 64 && r.first > math.MinInt64 && r.first < never-1
	for i := range r.Targets {
		t := &r.Targets[i]
		r.together = r.together && t.Turn == r.Targets[0].Turn && t.cycle == nil
		r.alike = r.alike && t.rank == r.rank && t.Campaign == r.campaign && t.number < 64
		r.accounts |= 1 << (t.number % 64)
	}
	r.kind = m.known.of(r)
	return nil
}

// turns reports whether a target's turn is what a timing says.
func (t *Target) turns(tm *timing) bool {
	return t.At.Equal(tm.at) && t.At.Location() == tm.at.Location() && t.Campaign == tm.campaign && t.Repeat == tm.rule
}

// stands reports whether a target stands where a verdict says.
func (t *Target) stands(v verdict) bool { return t.State == v.state && t.Why == v.why }

func (v verdict) stand() Stand { return Stand{v.state, v.why, v.state.rank()} }

func (t *Target) set(v verdict) { t.Stand = new(v.stand()) }

// target returns where a target stands. Of a repeated post that is where its latest occurrence stands, as long as that waits for
// something, else its next.
func (m *maker) target(t *Target, s subject) (verdict, error) {
	id := ledger.ID{Post: s.row.Shown().ID, Account: t.Account.Name}
	if s.rule == "" {
		return m.delivery(s, id, s.at)
	}
	c := m.last // accounts of one post share it
	if c == nil || c.rule != s.rule || !c.first.Equal(s.at) || c.first.Location() != s.at.Location() {
		repeat, err := plan.ParseRepeat(s.rule, s.at)
		if err != nil {
			if s.draft {
				return is(Draft, ""), nil
			}
			return is(Broken, "its repeat rule cannot be read: %v", err), nil
		}
		c = &cycle{repeat: repeat, first: s.at, rule: s.rule}
		c.latest, c.upcoming = repeat.Around(m.in.Now)
		c.last = never
		if c.upcoming.IsZero() {
			c.last = stamp(c.latest)
		} else if strings.Contains(s.rule, "COUNT") || strings.Contains(s.rule, "UNTIL") {
			if last, more := repeat.Around(c.upcoming.AddDate(2, 0, 0)); more.IsZero() {
				c.last = stamp(last)
			}
		}
		m.last = c
	}
	t.cycle = c
	v, err := m.turn(s, id, c)
	return v.at(stamp(m.in.Now), c.upcoming), err
}

// turn returns where the occurrence of a repeated post stands that matters now.
func (m *maker) turn(s subject, id ledger.ID, c *cycle) (verdict, error) {
	latest, upcoming := c.latest, c.upcoming
	v := is(Skipped, "its rule gives no time")
	if !latest.IsZero() && (upcoming.IsZero() || !m.shelf.empty) { // without a ledger nobody knows about the past
		id.Occurrence = plan.Occurrence(latest)
		var err error
		if v, err = m.delivery(s, id, latest); err != nil || upcoming.IsZero() || v.state.rank() < Changed.rank() {
			return v, err
		}
	}
	if !upcoming.IsZero() {
		id.Occurrence = plan.Occurrence(upcoming)
		return m.delivery(s, id, upcoming)
	}
	return v, nil
}

// delivery returns where one delivery stands.
func (m *maker) delivery(s subject, id ledger.ID, due time.Time) (verdict, error) {
	b, ok, err := m.shelf.brief(id)
	if err != nil {
		return verdict{}, err
	}
	if !ok {
		return m.fresh(s, due), nil
	}
	now := stamp(m.in.Now)
	rec := m.shelf.open[id]
	switch b.State {
	case ledger.Withdrawn:
		return is(Withdrawn, ""), nil
	case ledger.Skipped:
		return is(Skipped, ""), nil
	case ledger.Published:
		return m.published(s, b.Mark).at(now, s.expires), nil
	case ledger.Sending:
		if rec != nil && rec.Lease != nil && rec.Lease.Until.After(m.in.Now) {
			return is(Sending, "").at(now, rec.Lease.Until), nil
		}
		return is(Waiting, "the run that was sending it has died: the next one finds out what became of it"), nil
	case ledger.Unknown:
		return is(Attention, "it may be out: %s", lastError(rec)), nil
	case ledger.Denied:
		return is(Attention, "the network does not let us in: %s", lastError(rec)), nil
	case ledger.Rejected:
		if rec == nil || !s.row.facts.changed(rec.Source[:min(len(rec.Source), markLength)]) {
			return is(Attention, "refused by the network: %s", lastError(rec)), nil
		}
		return m.fresh(s, due), nil // it has another text now
	}
	v := m.fresh(s, due) // unsent or limited
	if v.state != Due && v.state != Late || rec == nil {
		return v, nil
	}
	// What was begun in time is finished, for as long again as a post may be late.
	after := plan.Allowance(m.in.Site.Config.Schedule.Late.After, s.await())
	given := due.Add(2 * after)
	inTime := rec.At.Sub(due) <= after && !m.in.Now.After(given)
	if v.state == Late && !inTime && len(rec.Parts) == 0 && rec.Allowed == "" {
		return v, nil
	}
	v.state, v.why = Waiting, "the next run tries again: "+lastError(rec)
	if rec.RetryAt.After(m.in.Now) {
		v.why = fmt.Sprintf("tried again at %s: %s", clockTime(rec.RetryAt.In(m.loc)), lastError(rec))
	}
	return v.at(now, rec.RetryAt, given.Add(1)), nil
}

// markLength is how much of a source digest the ledger's listing tells.
const markLength = 10

func lastError(r *ledger.Record) string {
	if r == nil || r.Last() == nil {
		return "no reason is recorded"
	}
	return cmp.Or(r.Last().Error, "no reason is recorded")
}

// published returns where a target stands that is out.
func (m *maker) published(s subject, mark string) verdict {
	switch {
	case s.withdraw:
		return is(Changed, "it is to be taken down")
	case !s.expires.IsZero() && !s.expires.After(m.in.Now):
		return is(Changed, "it is to be taken down since %s", clockTime(s.expires))
	case s.row.Good == nil && !s.row.facts.changed(mark):
		return is(Published, "")
	case s.blocked != "":
		return is(Changed, changedBut+s.blocked)
	default:
		return is(Changed, fileChanged)
	}
}

// fresh returns where a target stands that is not out.
func (m *maker) fresh(s subject, due time.Time) verdict {
	in, cfg, now := &m.in, m.in.Site.Config, stamp(m.in.Now)
	a := &cfg.Accounts[s.number]
	came := !due.After(in.Now)
	switch {
	case s.draft:
		return is(Draft, "")
	case s.withdraw:
		return is(Withdrawn, "withdrawn before it went out")
	case !s.expires.IsZero() && !s.expires.After(in.Now):
		return is(Skipped, "expired at %s before it went out", clockTime(s.expires))
	case s.blocked != "":
		return is(Broken, s.blocked).at(now, s.expires, due)
	case !m.infos[s.number].caps.Has(platform.CanPublish):
		state := Scheduled
		if came {
			state = Skipped
		}
		return is(state, "this version can preview %s but not publish there", a.Platform).at(now, s.expires, due)
	}
	if reason, held := m.held(a, s.campaign); held {
		return is(Held, "held: %s", reason).at(now, s.expires, due)
	}
	if !came {
		v := is(Scheduled, "")
		if address := s.await(); address != "" {
			v.why = "it goes out once " + address + " answers"
		}
		if end, quiet := cfg.Schedule.QuietUntil(due, m.loc); quiet {
			v.why = "quiet hours: it goes out at " + clockTime(end.In(due.Location()))
		}
		return m.approval(v, a, s.campaign).at(now, s.expires, due)
	}
	tooLate := due.Add(plan.Allowance(cfg.Schedule.Late.After, s.await()))
	policy := cmp.Or(s.late, cfg.Schedule.Late.Then)
	if !due.IsZero() && in.Now.After(tooLate) && policy != post.LatePublish {
		switch {
		case policy == post.LateSkip:
			return is(Skipped, "it was due at %s: too late, and the rule is to skip", clockTime(due))
		case m.shelf.empty:
			return is(Late, "it was due at %s, and nothing is recorded of it", clockTime(due)).at(now, s.expires)
		default:
			return is(Late, "it was due at %s: too late to go out unasked", clockTime(due)).at(now, s.expires)
		}
	}
	v := is(Due, "")
	if address := s.await(); address != "" {
		v.why = "it goes out once " + address + " answers"
	}
	if end, quiet := cfg.Schedule.QuietUntil(in.Now, m.loc); quiet {
		v.why = "quiet hours until " + clockTime(end.In(m.loc))
	}
	if !due.IsZero() {
		v = v.at(now, tooLate.Add(1))
	}
	return m.approval(v, a, s.campaign).at(now, s.expires, m.quiet)
}

// approval adds that people must have approved what is to go out. Whether they have, only a code host knows, and nobody asks it here.
func (m *maker) approval(v verdict, a *platform.Account, campaign string) verdict {
	n := m.in.Site.Config.ApprovalOf(a.Name, campaign)
	if n == 0 {
		return v
	}
	needs := fmt.Sprintf("it goes out if %s approved it: publish asks", approval.Have(n))
	if v.why != "" {
		needs = v.why + "; " + needs
	}
	v.why = needs
	return v
}

// held returns the emergency stop that an account, or a campaign, is under.
func (m *maker) held(a *platform.Account, campaign string) (reason string, held bool) {
	if reason, held := m.in.Site.Config.HeldBy(a.Name, campaign); held {
		return reason, true
	}
	for _, h := range m.shelf.holds {
		if h.Covers(a.Name, string(a.Platform), campaign) {
			return h.String(), true
		}
	}
	return "", false
}

// nextQuiet returns when quiet hours next begin or end after t, zero when there are none.
func (b *Board) nextQuiet(t time.Time) time.Time {
	cfg := b.in.Site.Config
	if end, quiet := cfg.Schedule.QuietUntil(t, cfg.Location); quiet {
		return end
	}
	return quietBegins(cfg, t)
}

// quietBegins returns the first time after t at which a quiet window begins, zero when there is none.
func quietBegins(cfg *config.Site, t time.Time) (next time.Time) {
	for i := range cfg.Schedule.Quiet {
		w := &cfg.Schedule.Quiet[i]
		slot := config.Slot{Days: w.Days, At: w.From}
		if at := slot.Next(t, cfg.Location); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// clockTime writes a time as people read it, with its zone.
func clockTime(t time.Time) string { return t.Format("Mon 2 Jan 2006 15:04 MST") }

// live reports whether what is in this state goes out some time, or is out.
func (s State) live() bool { return s != Draft && s != Withdrawn && s != Skipped }

// liveRank reports the same of a state's rank.
func liveRank(rank uint8) bool { return rank <= Scheduled.rank() || rank == Published.rank() }

// outRank reports whether what is in the state of this rank is out.
func outRank(rank uint8) bool { return rank == Published.rank() || rank == Changed.rank() }

// fileChanged is why something is [Changed] that is to stay.
const fileChanged = "its file has changed since"

// changedBut begins what is said where an error keeps the network from getting the change.
const changedBut = fileChanged + ", but "
