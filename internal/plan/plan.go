// Package plan decides what is to be done, and says why everything else is not.
//
// A [Plan] is data: it can be printed, stored, compared and shown to reviewers. [Make] is pure: the
// same targets, ledger view, rules and time give the same plan.
package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/approval"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Target is one post for one account: what planning must know of it without its text.
type Target struct {
	Post     string
	Path     string
	Title    string
	Account  string
	Platform platform.ID
	Caps     platform.Caps
	KeyLife  time.Duration // how long the platform honours an idempotency key, 0 for ever
	Source   string        // digest of the file and its media

	Due       time.Time // zero: as soon as it is merged
	ExpiresAt time.Time
	Withdraw  bool
	Draft     bool
	Late      post.Late // "" for the site's policy
	Await     string    // the web address that must answer 200 before it goes out; "" for none
	Campaign  string
	Repeat    string // RRULE

	// The following are needed only of targets for which Pending is true.
	Fingerprint string // of the rendering
	Said        string // digest of its words, see [ledger.Said]
	FetchesCard bool   // a link card is read from its page when the post goes out, and is not part of the fingerprint
	Blocked     string // the first error in the post or its rendering, as "T201: message"; empty when there is none
	// Costs are what its parts are estimated to cost, one for each; nil where the network charges nothing.
	Costs []platform.Cost `json:",omitempty"`
	// Fitted are the pictures that are changed before they are sent, in the order in which they are.
	Fitted []platform.Media `json:",omitempty"`
}

// Pending reports whether there may be something to do for a target, so that its rendering matters: it
// has not been sent, or its file has changed since.
func Pending(t *Target, view ledger.View) (bool, error) {
	if t.Repeat != "" {
		return true, nil
	}
	b, ok, err := view.Brief(ledger.ID{Post: t.Post, Account: t.Account})
	if err != nil {
		return false, err
	}
	return !ok || !b.State.Settled() || b.State == ledger.Published && !ledger.SameSource(b.Mark, t.Source), nil
}

// Rules are the parts of site.yaml that decide about publishing.
type Rules struct {
	LateAfter time.Duration
	LateThen  post.Late
	MaxPerRun int // 0: no limit
	// Quiet returns the end of the quiet window that t is in.
	Quiet func(t time.Time) (end time.Time, quiet bool)
	// Held returns the reason when publishing is stopped for an account or campaign.
	Held func(account, campaign string) (reason string, held bool)
	// Approval returns how many people must have approved what an account is sent of a campaign, 0 for nobody; nil: nothing needs approval.
	Approval func(account, campaign string) int
	// Cap returns how much an account may spend in a month of the calendar in Zone, 0 for no limit; nil: none has one.
	Cap  func(account string) platform.USD
	Zone *time.Location // nil: that of the plan's time
}

// RulesOf returns the rules of a site.
func RulesOf(c *config.Site) Rules {
	return Rules{
		LateAfter: c.Schedule.Late.After, LateThen: c.Schedule.Late.Then, MaxPerRun: c.Schedule.MaxPerRun, Held: c.HeldBy,
		Quiet: func(t time.Time) (time.Time, bool) { return c.Schedule.QuietUntil(t, c.Location) },
		Cap:   c.CapOf, Zone: c.Location, Approval: c.ApprovalOf,
	}
}

// Backlog says what to do with the posts that a first run finds due, when they are more than MaxPerRun.
type Backlog string

// The ways to treat a backlog.
const (
	BacklogStop    Backlog = ""        // send nothing, ask a person
	BacklogPublish Backlog = "publish" // send it, MaxPerRun a run
	BacklogSkip    Backlog = "skip"    // record every post that is due as skipped
)

// Input is all that a plan depends on.
type Input struct {
	Now     time.Time
	Targets []Target
	Settled int // targets beside Targets that are known to have nothing left to do
	Ledger  ledger.View
	Rules   Rules
	Backlog Backlog
	// OwnerDead reports whether the process that holds a lease is proved dead.
	OwnerDead func(owner string) bool
	// Reached holds what came of looking at the addresses that targets await: nil for one that answers 200, else what it
	// does instead. One that is not in it has not been looked at, and holds its targets back.
	Reached map[string]error
	// Approved holds what came of asking who has approved renderings: nil for one that enough people have, else what is missing, or an
	// [UnaskedError]. One that is not in it has not been asked about, and waits.
	Approved map[Version]error
	// Exists reports whether the branch has a post with this id; nil where that is not known.
	Exists func(post string) bool
	// Cost returns what the parts of a rendering cost on an account; nil where nothing does.
	Cost func(account string, r *platform.Rendering) []platform.Cost
}

// Verb is what an action does.
type Verb string

// The verbs.
const (
	Publish   Verb = "publish"   // send it
	Resume    Verb = "resume"    // send the parts of a thread that are missing
	Update    Verb = "update"    // edit what is out
	Withdraw  Verb = "withdraw"  // take down what is out
	Reconcile Verb = "reconcile" // find out whether an earlier attempt was carried out; repeat it if not
	Skip      Verb = "skip"      // record that it never goes out
)

// Action is something to do.
type Action struct {
	Target
	Verb       Verb
	Occurrence string
	Record     *ledger.Record // nil before the first intent
	// Look says why a Reconcile only looks: what is absent must not go out now. Empty when it may.
	Look string
	// Unsure says that it may have gone out before the ledger began: it is looked for first.
	Unsure bool
	// Cost is what it is estimated to cost at most; nil where the network charges nothing.
	Cost platform.Cost
}

// ID returns the id of the action's record.
func (a *Action) ID() ledger.ID {
	return ledger.ID{Post: a.Post, Account: a.Account, Occurrence: a.Occurrence}
}

// WaitState says why a target is not sent.
type WaitState string

// The reasons to wait.
const (
	WaitDraft       WaitState = "draft"
	WaitScheduled   WaitState = "scheduled"   // its time has not come
	WaitQuiet       WaitState = "quiet"       // its time is in a quiet window
	WaitHeld        WaitState = "held"        // the emergency stop
	WaitEmbargo     WaitState = "embargo"     // its link does not answer yet
	WaitUnapproved  WaitState = "unapproved"  // not enough people have approved it, or nobody knows
	WaitLate        WaitState = "late"        // found too long after its time; waits for a person
	WaitSkipped     WaitState = "skipped"     // too late, and the policy says never
	WaitBlocked     WaitState = "blocked"     // an error finding
	WaitDuplicate   WaitState = "duplicate"   // the account was sent the same before
	WaitLimit       WaitState = "over_limit"  // more than max_per_run
	WaitBudget      WaitState = "over_budget" // more than the account's monthly cap
	WaitFirstRun    WaitState = "first_run"   // from before the ledger began, and a person must say whether it is out
	WaitSending     WaitState = "sending"     // another run is at it
	WaitUnknown     WaitState = "unknown"     // cannot be settled without a person
	WaitDenied      WaitState = "denied"      // token or permission
	WaitRejected    WaitState = "rejected"    // the network refuses this content
	WaitLimited     WaitState = "limited"     // not before a time that the network gave
	WaitUnsent      WaitState = "unsent"      // backing off after a failure
	WaitExpired     WaitState = "expired"     // expires_at has passed before it went out
	WaitWithdrawn   WaitState = "withdrawn"   // withdrawn before it went out
	WaitChanged     WaitState = "changed"     // out, changed since, and the network cannot edit
	WaitUnsupported WaitState = "unsupported" // the platform can be previewed only
	WaitCannot      WaitState = "cannot_withdraw"
	WaitOrphan      WaitState = "orphan" // an open record whose post is no longer on the branch
)

// Waiting is a target that is not sent, and why.
type Waiting struct {
	Target
	Occurrence string
	State      WaitState
	Reason     string    // a sentence for people
	Until      time.Time // when that changes by itself, zero when it does not
}

// Plan is what a run would do.
type Plan struct {
	At      time.Time
	Actions []Action
	Waiting []Waiting
	Settled int // targets with nothing left to do
	// Next is the earliest time at which the plan changes without anybody changing anything; zero when
	// there is none. It is At when there are actions. When an address answers that a target awaits, nobody knows.
	Next time.Time
}

// Make plans.
func Make(in Input) (*Plan, error) {
	open, err := in.Ledger.Open()
	if err != nil {
		return nil, err
	}
	m := &maker{Input: in, plan: &Plan{At: in.Now, Settled: in.Settled}, seen: map[ledger.ID]bool{}, open: open}
	if m.holds, err = in.Ledger.Holds(); err != nil {
		return nil, err
	}
	if err := m.readOpening(); err != nil {
		return nil, err
	}
	for _, t := range in.Targets {
		if err := m.target(t); err != nil {
			return nil, fmt.Errorf("plan %s for %s: %w", t.Path, t.Account, err)
		}
	}
	m.orphans()
	m.sort()
	m.dropDuplicates()
	if err := m.firstRun(); err != nil {
		return nil, err
	}
	if err := m.budget(); err != nil {
		return nil, err
	}
	m.limit()
	slices.SortStableFunc(m.plan.Waiting, func(a, b Waiting) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Account, b.Account), strings.Compare(a.Occurrence, b.Occurrence))
	})
	if len(m.plan.Actions) > 0 {
		m.plan.Next = in.Now
	}
	return m.plan, nil
}

type maker struct {
	Input
	plan *Plan
	seen map[ledger.ID]bool
	open []*ledger.Record // those that are not settled

	holds   []ledger.Hold
	opening ledger.Opening
}

// readOpening finds out since when the ledger knows everything. One that is empty, or whose opening cannot be read,
// knows nothing of what came before now.
func (m *maker) readOpening() (err error) {
	m.opening, err = m.Ledger.Opening()
	switch {
	case errors.Is(err, ledger.ErrFormat):
		m.opening = ledger.Opening{Began: m.Now}
	case err != nil:
		return err
	case m.opening.Began.IsZero():
		empty, err := m.Ledger.Empty()
		if err != nil {
			return err
		}
		if empty {
			m.opening.Began = m.Now
		}
	}
	return nil
}

// unsure reports whether a target may have gone out before the ledger began.
func (m *maker) unsure(t Target) (bool, error) {
	switch {
	case m.opening.Began.IsZero(): // a ledger from before there were openings
		return false, nil
	case !t.Due.IsZero():
		return t.Due.Before(m.opening.Began), nil
	case m.opening.Format == 0: // it knows nothing at all
		return true, nil
	default:
		return m.Ledger.Untimed(t.Post)
	}
}

// held returns the emergency stop that a target is under: that of site.yaml, or one pulled since.
func (m *maker) held(t Target) (reason string, held bool) {
	if reason, held := m.Rules.Held(t.Account, t.Campaign); held {
		return reason, true
	}
	for _, h := range m.holds {
		if h.Covers(t.Account, string(t.Platform), t.Campaign) {
			return h.String(), true
		}
	}
	return "", false
}

// sort orders actions by due time (without one first), then path and account.
func (m *maker) sort() {
	slices.SortStableFunc(m.plan.Actions, func(a, b Action) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Path, b.Path), strings.Compare(a.Account, b.Account), strings.Compare(a.Occurrence, b.Occurrence))
	})
}

func (m *maker) wait(t Target, occurrence string, s WaitState, until time.Time, reason string, args ...any) {
	m.plan.Waiting = append(m.plan.Waiting, Waiting{Target: t, Occurrence: occurrence, State: s, Until: until, Reason: fmt.Sprintf(reason, args...)})
	m.next(until)
}

// next notes a time at which the plan changes by itself.
func (m *maker) next(t time.Time) {
	if !t.IsZero() && !t.Before(m.Now) && (m.plan.Next.IsZero() || t.Before(m.plan.Next)) {
		m.plan.Next = t
	}
}

func (m *maker) target(t Target) error {
	occurrence := ""
	if t.Repeat != "" {
		repeat, err := ParseRepeat(t.Repeat, t.Due)
		if err != nil {
			m.wait(t, "", WaitBlocked, time.Time{}, "its repeat rule cannot be read: %v", err)
			return nil
		}
		at, upcoming := repeat.Around(m.Now)
		if !upcoming.IsZero() {
			later := t
			later.Due = upcoming
			m.wait(later, Occurrence(upcoming), WaitScheduled, upcoming, "next at %s", clockTime(upcoming))
		}
		if at.IsZero() {
			return nil
		}
		m.earlier(t, Occurrence(at))
		t.Due, occurrence = at, Occurrence(at)
	}
	id := ledger.ID{Post: t.Post, Account: t.Account, Occurrence: occurrence}
	m.seen[id] = true
	brief, ok, err := m.Ledger.Brief(id)
	if err != nil {
		return err
	}
	if !ok {
		return m.fresh(t, id, nil, false)
	}
	switch brief.State {
	case ledger.Withdrawn, ledger.Skipped:
		m.plan.Settled++
		return nil
	case ledger.Published:
		m.next(t.ExpiresAt) // only a time to come counts; a past one makes an action below
		if ledger.SameSource(brief.Mark, t.Source) && !m.mustGo(t) {
			m.plan.Settled++
			return nil
		}
	}
	rec, err := m.Ledger.Record(id)
	if err != nil {
		return err
	}
	if rec == nil {
		return fmt.Errorf("the ledger lists %s but has no record of it", id)
	}
	if brief.State == ledger.Published && rec.Damaged == "" {
		return m.published(t, id, rec)
	}
	return m.unsettled(t, id, rec)
}

// mustGo reports whether a post is to be taken down.
func (m *maker) mustGo(t Target) bool {
	return t.Withdraw || !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(m.Now)
}

// fresh plans a target that has never been (successfully) sent. inTime lifts the policy for late posts.
func (m *maker) fresh(t Target, id ledger.ID, rec *ledger.Record, inTime bool) error {
	if m.Backlog == BacklogSkip && rec == nil && !t.Due.After(m.Now) && m.forbidden(t) == nil {
		m.plan.Actions = append(m.plan.Actions, Action{Target: t, Verb: Skip, Occurrence: id.Occurrence})
		return nil
	}
	w := m.obstacle(t, rec, inTime)
	if w == nil {
		var err error
		if w, err = m.duplicate(t, rec); err != nil {
			return err
		}
	}
	if w == nil && (rec == nil || len(rec.Parts) == 0) { // half a thread is finished
		w = m.embargo(t)
	}
	if w == nil && !goesOn(&t, rec) {
		w = m.unapproved(t)
	}
	if w != nil {
		m.wait(t, id.Occurrence, w.state, w.until, "%s", w.reason)
		return nil
	}
	a := Action{Target: t, Verb: Publish, Occurrence: id.Occurrence, Record: rec}
	if rec != nil && len(rec.Parts) > 0 {
		a.Verb = Resume
	}
	unsure, err := m.unsure(t)
	if err != nil {
		return err
	}
	if rec == nil && unsure {
		a.Unsure = t.Caps.Has(platform.CanFind)
		harmless := t.Caps.Has(platform.CanIdempotent) && t.KeyLife == 0
		if !a.Unsure && !harmless && m.Backlog != BacklogPublish {
			m.wait(t, id.Occurrence, WaitFirstRun, time.Time{}, "it is from before this ledger began, and %s cannot be asked whether it is out already", t.Platform)
			return nil
		}
	}
	m.plan.Actions = append(m.plan.Actions, a)
	return nil
}

// obstacle is a reason not to send a target now.
type obstacle struct {
	state  WaitState
	until  time.Time
	reason string
}

func because(s WaitState, until time.Time, reason string, args ...any) *obstacle {
	return &obstacle{s, until, fmt.Sprintf(reason, args...)}
}

// obstacle asks for all reasons not to send a target now, what the account was sent before left aside; nil when there is none.
func (m *maker) obstacle(t Target, rec *ledger.Record, inTime bool) *obstacle {
	if w := m.forbidden(t); w != nil {
		return w
	}
	if !inTime && (rec == nil || rec.Allowed == "") && m.Backlog != BacklogPublish {
		if late, state := m.late(t); late {
			policy := "too late to go out unasked"
			if state == WaitSkipped {
				policy = "too late, and the policy is to skip"
			}
			return because(state, time.Time{}, "it was due at %s, %s ago: %s", clockTime(t.Due), duration(m.Now.Sub(t.Due).Round(time.Minute)), policy)
		}
	}
	if end, quiet := m.Rules.Quiet(m.Now); quiet {
		return because(WaitQuiet, end, "quiet hours until %s", clockTime(end))
	}
	return nil
}

// forbidden asks for the reasons not to send a target that neither lateness nor a person's word has to do with.
func (m *maker) forbidden(t Target) *obstacle {
	switch {
	case t.Draft:
		return because(WaitDraft, time.Time{}, "it is a draft")
	case t.Withdraw:
		return because(WaitWithdrawn, time.Time{}, "withdrawn before it went out")
	case !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(m.Now):
		return because(WaitExpired, time.Time{}, "expired at %s before it went out", clockTime(t.ExpiresAt))
	case t.Due.After(m.Now):
		until := t.Due
		if end, quiet := m.Rules.Quiet(t.Due); quiet {
			until = end
		}
		if t.Blocked != "" {
			return because(WaitBlocked, time.Time{}, "due at %s, but %s", clockTime(until), t.Blocked)
		}
		reason := "due at " + clockTime(until)
		if t.Await != "" {
			reason += fmt.Sprintf(", once %s answers 200", t.Await)
		}
		if n := m.needs(t); n > 0 {
			reason += fmt.Sprintf(", if %s approved it by then", approval.Have(n))
		}
		return because(WaitScheduled, until, "%s", reason)
	case t.Blocked != "":
		return because(WaitBlocked, time.Time{}, "%s", t.Blocked)
	case !t.Caps.Has(platform.CanPublish):
		return because(WaitUnsupported, time.Time{}, "this version can preview %s but not publish there", t.Platform)
	}
	if reason, held := m.held(t); held {
		return because(WaitHeld, time.Time{}, "held: %s", reason)
	}
	return nil
}

// SameWords is for how long an account does not say the same again under another id.
const SameWords = 30 * 24 * time.Hour

// duplicate reports what stands against sending an account what another post has sent it, or may have. Only a
// person's word lifts that; half a thread is finished.
func (m *maker) duplicate(t Target, rec *ledger.Record) (*obstacle, error) {
	if rec != nil && (rec.Allowed != "" || len(rec.Parts) > 0) {
		return nil, nil
	}
	said, err := m.Ledger.Said(t.Account, t.Said)
	if err != nil {
		return nil, err
	}
	if said != nil && said.Post == "" {
		return because(WaitDuplicate, time.Time{}, "%s said the same before; the ledger's file that tells when, and in which post, is damaged", t.Account), nil
	}
	if said != nil && said.Post != t.Post {
		// The post's own time decides, so that the answer stays the same: a repeat does not go out by itself once it is
		// old enough. What has no time was to go out now.
		if t.Due.IsZero() || t.Due.Sub(said.At) < SameWords {
			return because(WaitDuplicate, time.Time{}, "%s said the same on %s, in post %s", t.Account, clockTime(said.At.In(m.Now.Location())), said.Post), nil
		}
		if said.Exactly(t.Fingerprint) && (m.Exists == nil || !m.Exists(said.Post)) {
			return because(WaitDuplicate, time.Time{}, "%s was sent exactly this before, by post %s, which is gone: it looks like that post under another id", t.Account, said.Post), nil
		}
	}
	for _, r := range m.open {
		doubtful := r.State == ledger.Sending || r.State == ledger.Unknown || len(r.Parts) > 0
		same := r.Fingerprint == t.Fingerprint || r.Said != "" && r.Said == t.Said
		if doubtful && same && r.Account == t.Account && r.Post != t.Post {
			return because(WaitDuplicate, time.Time{}, "%s may have been sent the same by post %s, whose delivery is %s", t.Account, r.Post, r.State), nil
		}
	}
	return nil, nil
}

// embargo reports whether a target waits for its link. It comes after all other reasons, so that no address is looked at
// for what would not go out anyway.
func (m *maker) embargo(t Target) *obstacle {
	if t.Await == "" {
		return nil
	}
	err, looked := m.Reached[t.Await]
	if looked && err == nil {
		return nil
	}
	m.next(t.ExpiresAt)
	if !t.Due.IsZero() {
		m.next(t.Due.Add(Allowance(m.Rules.LateAfter, t.Await)).Add(1))
	}
	w := Waiting{Target: t}
	w.Looked(m.Now, err)
	return &obstacle{state: WaitEmbargo, reason: w.Reason}
}

// Looked gives a target under embargo its reason: what came of looking at its address at a time, nil when nobody has looked.
func (w *Waiting) Looked(at time.Time, err error) {
	if err == nil {
		w.Reason = fmt.Sprintf("waits until %s answers 200: every run of publish looks first", w.Await)
		return
	}
	if !w.Due.IsZero() {
		at = at.In(w.Due.Location())
	}
	w.Reason = fmt.Sprintf("waits until %s answers 200; %v (looked at %s)", w.Await, err, clockTime(at))
}

// embargoLasts is how long after its time a post may wait for its link without being late.
const embargoLasts = 7 * 24 * time.Hour

// Allowance returns how long after its time a post is not late yet. One that awaits an address is to go out when that
// answers, hours or days later; but not when everybody has forgotten about it.
func Allowance(lateAfter time.Duration, await string) time.Duration {
	if await == "" {
		return lateAfter
	}
	return max(lateAfter, embargoLasts)
}

// late reports whether a due post has been found too long after its time, and what follows.
func (m *maker) late(t Target) (bool, WaitState) {
	if t.Due.IsZero() || m.Now.Sub(t.Due) <= Allowance(m.Rules.LateAfter, t.Await) {
		return false, ""
	}
	switch cmp.Or(t.Late, m.Rules.LateThen) {
	case post.LatePublish:
		return false, ""
	case post.LateSkip:
		return true, WaitSkipped
	default:
		return true, WaitLate
	}
}

// published plans a target that is out: nothing, an edit, or taking it down.
func (m *maker) published(t Target, id ledger.ID, rec *ledger.Record) error {
	if l := rec.Lease; m.alive(l) {
		m.wait(t, id.Occurrence, WaitSending, l.Until, "run %s is changing it, until %s at the latest", l.Run, clockTime(l.Until))
		return nil
	}
	if m.mustGo(t) {
		return m.withdraw(t, id, rec)
	}
	last := rec.Last()
	if last != nil && last.Op == ledger.OpWithdraw {
		m.wait(t, id.Occurrence, WaitUnknown, time.Time{}, "taking it down was begun and did not end well, and now it is to stay: look whether it is still there")
		return nil
	}
	if t.Draft || t.Blocked != "" {
		if t.Blocked != "" {
			m.wait(t, id.Occurrence, WaitBlocked, time.Time{}, "it is out and has changed, but %s", t.Blocked)
		} else {
			m.plan.Settled++ // made a draft again after it went out: what is out stays
		}
		return nil
	}
	halfway := last != nil && last.Op == ledger.OpUpdate && last.Outcome != "updated" // it may say something else by now
	if t.Fingerprint == rec.Fingerprint && !halfway {
		m.plan.Settled++
		return nil
	}
	if len(rec.Parts) == 0 { // a person's word that it is out, without the address
		m.wait(t, id.Occurrence, WaitChanged, time.Time{}, "it has changed since it went out, and where on %s it is the ledger does not know", t.Platform)
		return nil
	}
	if !t.Caps.Has(platform.CanEdit) {
		m.wait(t, id.Occurrence, WaitChanged, time.Time{}, "it has changed since it went out, and %s cannot edit", t.Platform)
		return nil
	}
	if reason, held := m.held(t); held {
		m.wait(t, id.Occurrence, WaitHeld, time.Time{}, "its update is held: %s", reason)
		return nil
	}
	if last != nil && last.Op == ledger.OpUpdate && last.Fingerprint == t.Fingerprint {
		if wait := m.afterFailure(t, id, rec, last.Outcome, "its update"); wait {
			return nil
		}
	}
	if w := m.unapproved(t); w != nil {
		m.wait(t, id.Occurrence, w.state, w.until, "%s", w.reason)
		return nil
	}
	m.plan.Actions = append(m.plan.Actions, Action{Target: t, Verb: Update, Occurrence: id.Occurrence, Record: rec})
	return nil
}

func (m *maker) withdraw(t Target, id ledger.ID, rec *ledger.Record) error {
	if len(rec.Parts) == 0 {
		m.wait(t, id.Occurrence, WaitCannot, time.Time{}, "the ledger does not know where on %s it is: say so with `postrider resolve %s %s --published URL`", t.Platform, t.Post, t.Account)
		return nil
	}
	if !t.Caps.Has(platform.CanDelete) {
		m.wait(t, id.Occurrence, WaitCannot, time.Time{}, "%s cannot take posts down: do it by hand, then `postrider resolve`", t.Platform)
		return nil
	}
	if last := rec.Last(); last != nil && last.Op == ledger.OpWithdraw {
		if wait := m.afterFailure(t, id, rec, last.Outcome, "taking it down"); wait {
			return nil
		}
	}
	m.plan.Actions = append(m.plan.Actions, Action{Target: t, Verb: Withdraw, Occurrence: id.Occurrence, Record: rec})
	return nil
}

// afterFailure notes why an edit or removal that failed before is not tried again now. Both are harmless
// to repeat, so an unknown outcome is no obstacle.
func (m *maker) afterFailure(t Target, id ledger.ID, rec *ledger.Record, outcome, what string) bool {
	switch {
	case outcome == platform.Rejected.String():
		m.wait(t, id.Occurrence, WaitRejected, time.Time{}, "%s was refused: %s", what, rec.Last().Error)
		return true
	case m.backsOff(rec):
		m.wait(t, id.Occurrence, WaitLimited, rec.RetryAt, "%s is tried again at %s: %s", what, clockTime(rec.RetryAt), rec.Last().Error)
		return true
	}
	return false
}

// unsettled plans a target whose record is not settled.
func (m *maker) unsettled(t Target, id ledger.ID, rec *ledger.Record) error {
	reason := ""
	last := rec.Last()
	if last != nil {
		reason = last.Error
	}
	if l := rec.Lease; m.alive(l) {
		doing := "sending"
		if rec.State != ledger.Sending {
			doing = "changing"
		}
		m.wait(t, id.Occurrence, WaitSending, l.Until, "run %s is %s it, until %s at the latest", l.Run, doing, clockTime(l.Until))
		return nil
	}
	if begun := last != nil && last.Op == ledger.OpWithdraw; len(rec.Parts) > 0 && rec.State != ledger.Sending && rec.State != ledger.Unknown {
		switch { // a part of a thread is out
		case m.mustGo(t):
			return m.withdraw(t, id, rec)
		case begun:
			m.wait(t, id.Occurrence, WaitUnknown, time.Time{}, "taking down what was out of it was begun and did not end well, and now it is to stay: look what is still there")
			return nil
		}
	}
	switch rec.State {
	case ledger.Sending:
		return m.unknown(t, id, rec, "the run that was sending it died")
	case ledger.Unknown:
		return m.unknown(t, id, rec, reason)
	case ledger.Unsent, ledger.Limited, ledger.Denied:
		if m.backsOff(rec) {
			m.wait(t, id.Occurrence, WaitState(rec.State), rec.RetryAt, "tried again at %s: %s", clockTime(rec.RetryAt), reason)
			return nil
		}
		// What was begun in time is finished whatever the clock says now: half a thread must not stay half.
		return m.fresh(t, id, rec, len(rec.Parts) > 0 || tried(rec) && m.begunInTime(t, rec))
	case ledger.Rejected:
		if t.Fingerprint == rec.Fingerprint {
			m.wait(t, id.Occurrence, WaitRejected, time.Time{}, "refused by the network: %s", reason)
			return nil
		}
		return m.fresh(t, id, rec, false)
	}
	return fmt.Errorf("record %s is in state %q", id, rec.State)
}

// alive reports whether the run that holds a lease may still be at work.
func (m *maker) alive(l *ledger.Lease) bool {
	return l != nil && l.Until.After(m.Now) && (m.OwnerDead == nil || !m.OwnerDead(l.Owner))
}

// backsOff reports whether it is too early to try again. What a clock that is ahead of ours has written is no reason to
// wait for a day.
func (m *maker) backsOff(rec *ledger.Record) bool {
	last := rec.Last()
	return rec.RetryAt.After(m.Now) && (last == nil || !last.Ended.After(m.Now.Add(wrongClock)))
}

// wrongClock is how far ahead of ours a clock may be before it counts as wrong.
const wrongClock = 5 * time.Minute

// tried reports whether a delivery was begun since the last success, and not only looked at.
func tried(rec *ledger.Record) bool {
	return slices.ContainsFunc(rec.Attempts[len(rec.Attempts)-rec.Failures():], func(a ledger.Attempt) bool { return a.Op != ledger.OpLook })
}

// begunInTime reports whether the first attempt was made before the post became late, and the delay is
// still within twice the allowance.
func (m *maker) begunInTime(t Target, rec *ledger.Record) bool {
	allowed := Allowance(m.Rules.LateAfter, t.Await)
	return !rec.At.IsZero() && rec.At.Sub(t.Due) <= allowed && m.Now.Sub(t.Due) <= 2*allowed
}

// unknown plans a delivery that may have been carried out.
func (m *maker) unknown(t Target, id ledger.ID, rec *ledger.Record, reason string) error {
	if rec.Damaged != "" {
		m.wait(t, id.Occurrence, WaitUnknown, time.Time{}, "%s", reason)
		return nil
	}
	finder := t.Caps.Has(platform.CanFind)
	if !finder && !t.Keyed(rec, m.Now) {
		m.stuck(t, id, rec, fmt.Sprintf("it may be out, and %s offers no way to find out", t.Platform), reason)
		return nil
	}
	if m.backsOff(rec) {
		m.wait(t, id.Occurrence, WaitUnknown, rec.RetryAt, "looked for again at %s: %s", clockTime(rec.RetryAt), reason)
		return nil
	}
	a := Action{Target: t, Verb: Reconcile, Occurrence: id.Occurrence, Record: rec}
	w := m.obstacle(t, rec, len(rec.Parts) > 0 || m.begunInTime(t, rec))
	if w == nil && t.Fingerprint != rec.Fingerprint { // what is absent goes out as it stands today
		w = m.unapproved(t)
	}
	if w != nil {
		if !finder { // to repeat it is the only way to find out
			const what = "it may be out, and is not repeated"
			if w.until.IsZero() && w.state != WaitHeld && w.state != WaitUnapproved { // nobody would ever learn whether it is out
				m.stuck(t, id, rec, what, w.reason)
			} else {
				m.wait(t, id.Occurrence, w.state, w.until, "%s: %s", what, w.reason)
			}
			return nil
		}
		a.Look = w.reason
	}
	m.plan.Actions = append(m.plan.Actions, a)
	return nil
}

// stuck plans a delivery that nothing but a person can settle. What the run that died could not record any more is
// recorded now: that nobody knows.
func (m *maker) stuck(t Target, id ledger.ID, rec *ledger.Record, what, why string) {
	if rec.State == ledger.Sending {
		m.plan.Actions = append(m.plan.Actions, Action{Target: t, Verb: Reconcile, Occurrence: id.Occurrence, Record: rec, Look: what + ": " + why})
		return
	}
	m.wait(t, id.Occurrence, WaitUnknown, time.Time{}, "%s: %s", what, why)
}

// Keyed reports whether the network still knows a delivery by its key, so that repeating it is harmless. How old a key is
// that was first used tomorrow, by a wrong clock, nobody knows.
func (t *Target) Keyed(rec *ledger.Record, now time.Time) bool {
	age := now.Sub(rec.At)
	return t.Caps.Has(platform.CanIdempotent) && (t.KeyLife == 0 || age < t.KeyLife && age > -wrongClock)
}

// earlier plans what is left of a repeated post's occurrences before the latest: what may be out is looked for, and
// nothing of them goes out any more.
func (m *maker) earlier(t Target, latest string) {
	const passed = "its next occurrence has come"
	for _, rec := range m.open {
		id := rec.ID()
		if rec.Post != t.Post || rec.Account != t.Account || rec.Occurrence == "" || rec.Occurrence >= latest {
			continue
		}
		m.seen[id] = true
		t.Due = rec.Due
		doubtful := rec.State == ledger.Sending || rec.State == ledger.Unknown
		switch l := rec.Lease; {
		case rec.Damaged != "":
			m.wait(t, id.Occurrence, WaitUnknown, time.Time{}, "%s", rec.Last().Error)
		case doubtful && m.alive(l):
			m.wait(t, id.Occurrence, WaitSending, l.Until, "run %s is sending it, until %s at the latest", l.Run, clockTime(l.Until))
		case doubtful && !t.Caps.Has(platform.CanFind):
			m.stuck(t, id, rec, "it may be out, and is not repeated", passed)
		case doubtful && m.backsOff(rec):
			m.wait(t, id.Occurrence, WaitUnknown, rec.RetryAt, "looked for again at %s: %s", clockTime(rec.RetryAt), passed)
		case doubtful:
			m.plan.Actions = append(m.plan.Actions, Action{Target: t, Verb: Reconcile, Occurrence: id.Occurrence, Record: rec, Look: passed})
		case len(rec.Parts) > 0:
			m.wait(t, id.Occurrence, WaitOrphan, time.Time{}, "%s, and of this one some parts are out and others are not", passed)
		default:
			m.wait(t, id.Occurrence, WaitSkipped, time.Time{}, "%s; this one is %s", passed, rec.State)
		}
	}
}

// orphans notes open records whose post is no longer on the branch: deleting a file never deletes a
// post, and never loses sight of one either.
func (m *maker) orphans() {
	for _, rec := range m.open {
		if !m.seen[rec.ID()] {
			t := Target{Post: rec.Post, Path: rec.Path, Account: rec.Account, Platform: platform.ID(rec.Platform), Title: rec.Title, Due: rec.Due}
			m.wait(t, rec.Occurrence, WaitOrphan, time.Time{}, "its delivery is %s, but the post no longer names the account or is gone from the branch", rec.State)
		}
	}
}

// dropDuplicates lets only the first of several actions through that would have one account say the same; and before it
// those that a person has allowed.
func (m *maker) dropDuplicates() {
	type words struct{ account, said string }
	of := func(a *Action) words { return words{a.Account, cmp.Or(a.Said, a.Fingerprint)} }
	allowed := func(a *Action) bool { return a.Record != nil && a.Record.Allowed != "" }
	first := map[words]string{}
	for i := range m.plan.Actions {
		if a := &m.plan.Actions[i]; a.Verb == Publish && allowed(a) {
			first[of(a)] = a.Post
		}
	}
	m.plan.Actions = slices.DeleteFunc(m.plan.Actions, func(a Action) bool {
		if a.Verb != Publish || allowed(&a) {
			return false
		}
		k := of(&a)
		if by, ok := first[k]; ok && by != a.Post {
			m.wait(a.Target, a.Occurrence, WaitDuplicate, time.Time{}, "post %s has %s say the same in the same run", by, a.Account)
			return true
		}
		first[k] = a.Post
		return false
	})
}

// begins reports whether an action begins a post.
func (a *Action) begins() bool { return a.Verb == Publish && a.Record == nil }

// crowded reports whether more posts (not targets) begin than MaxPerRun allows.
func (m *maker) crowded() bool {
	posts := map[string]bool{}
	for i := range m.plan.Actions {
		if a := &m.plan.Actions[i]; a.begins() {
			posts[a.Post] = true
		}
	}
	return m.Rules.MaxPerRun > 0 && len(posts) > m.Rules.MaxPerRun
}

// firstRun applies the guard against a mass publish by a site that has published nothing yet: when more posts begin than in
// one run may, none does.
func (m *maker) firstRun() error {
	if m.Backlog != BacklogStop || !m.crowded() {
		return nil
	}
	empty, err := m.Ledger.Empty()
	if err != nil || !empty {
		return err
	}
	m.plan.Actions = slices.DeleteFunc(m.plan.Actions, func(a Action) bool {
		if a.begins() {
			m.wait(a.Target, a.Occurrence, WaitFirstRun, time.Time{}, "the first run found more than %d posts due at once", m.Rules.MaxPerRun)
		}
		return a.begins()
	})
	return nil
}

// limit applies the guard against a mass publish by every other run: at most MaxPerRun posts begin. What an account cannot pay for
// does not count, so that it keeps nothing else waiting.
func (m *maker) limit() {
	if !m.crowded() {
		return
	}
	posts := map[string]bool{}
	m.plan.Actions = slices.DeleteFunc(m.plan.Actions, func(a Action) bool {
		if !a.begins() {
			return false
		}
		if !posts[a.Post] && len(posts) >= m.Rules.MaxPerRun {
			m.wait(a.Target, a.Occurrence, WaitLimit, m.Now, "more than %d posts are due: it goes with a later run", m.Rules.MaxPerRun)
			return true
		}
		posts[a.Post] = true
		return false
	})
}

// clockTime writes a time as people read it, with its zone.
func clockTime(t time.Time) string { return t.Format("Mon 2 Jan 2006 15:04 MST") }

// duration writes a long duration in its largest sensible unit.
func duration(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	default:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	}
}
