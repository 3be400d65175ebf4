package review

import (
	"fmt"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/site"
)

// effects fills what merging does to each target: what the plan says of the site after the change.
func (m *maker) effects() error {
	var targets []plan.Target
	where := map[place]*Target{}
	for i := range m.out.Posts {
		p := &m.out.Posts[i]
		for k := range p.Targets {
			t := &p.Targets[k]
			id := ledger.ID{Post: p.ID, Account: t.Account}
			if t.After == nil {
				if err := m.dropped(t, id, p.Kind == Removed); err != nil {
					return err
				}
				continue
			}
			t.Effect = Effect{Verb: Nothing, Why: "it is out, and stays as it is"}
			targets, where[place{p.ID, p.Path, t.Account}] = append(targets, m.planned(m.Sides.After, p, t, t.After, m.about(p.Path))), t
		}
	}
	if broken(m.Sides.After) {
		for _, t := range where {
			t.Effect = Effect{Verb: Wait, Why: "nothing goes out while site.yaml has errors"}
		}
		return nil
	}
	rules := plan.RulesOf(m.Sides.After.Config)
	rules.Approval = nil // whether it is approved is what those decide who read this
	made, err := plan.Make(plan.Input{Now: m.Now, Targets: targets, Ledger: m.Ledger, Rules: rules, Exists: m.exists})
	if err != nil {
		return err
	}
	// A post that repeats has several lines: what comes next is what counts.
	for i := range made.Waiting {
		w := &made.Waiting[i]
		if t := where[place{w.Post, w.Path, w.Account}]; t != nil {
			t.Effect, t.Cost = waiting(w), costOf(w)
		}
	}
	for i := range made.Actions {
		a := &made.Actions[i]
		if t := where[place{a.Post, a.Path, a.Account}]; t != nil {
			t.Effect, t.Cost = acting(a), a.Cost
		}
	}
	for _, t := range where {
		if v := t.Effect.Verb; v == Publish || v == Schedule || v == Update {
			t.Approval = m.Sides.After.Config.ApprovalOf(t.Account, t.After.Variant.Campaign)
		}
		m.token(t)
	}
	return m.bills(made)
}

// noLedger is a [ledger.View] of which nothing is known: nothing is out, and nothing is taken for older than it.
type noLedger struct{ ledger.Memory }

// Opening implements [ledger.View].
func (noLedger) Opening() (ledger.Opening, error) {
	return ledger.Opening{Began: time.Unix(0, 0), Format: ledger.Format}, nil
}

// place is what a target is known by: an id alone may be that of two posts, by mistake.
type place struct{ post, path, account string }

// planned is a target of one side as planning knows it.
func (m *maker) planned(s *site.Snapshot, p *Post, t *Target, r *site.Rendered, wrong finding.List) plan.Target {
	v := &r.Variant
	account, _ := s.Config.Account(t.Account)
	out := plan.Target{
		Post: p.ID, Path: p.Path, Title: p.Title, Account: t.Account, Platform: t.Platform,
		Due: v.PublishAt, ExpiresAt: v.ExpiresAt, Withdraw: v.Withdraw, Draft: v.Draft, Late: v.Late, Await: v.Await(), Campaign: v.Campaign, Repeat: v.Repeat,
		Fingerprint: t.Fingerprint, Said: ledger.Said(&r.Rendering),
	}
	if adapter, ok := m.Registry.Get(t.Platform); ok {
		out.Caps, out.KeyLife = platform.CapsOf(adapter, account), adapter.Info().KeyLifetime
		out.Costs = platform.CostOf(adapter, account, &r.Rendering)
	}
	if f, blocked := wrong.Blocking(t.Account); blocked {
		out.Blocked = string(f.Code) + ": " + f.Message
	}
	return out
}

// broken reports whether site.yaml has errors.
func broken(s *site.Snapshot) bool {
	return slices.ContainsFunc(s.Findings, func(f finding.Finding) bool {
		return f.Path == config.File && f.Severity == finding.Error
	})
}

// about returns what is wrong with a post after the change.
func (m *maker) about(path string) (list finding.List) {
	for i := range m.wrong {
		if m.wrong[i].Path == path {
			list = append(list, m.wrong[i])
		}
	}
	return list
}

func (m *maker) exists(id string) bool {
	_, ok := m.Sides.After.Find(id)
	return ok
}

// dropped says what becomes of a target that the change takes the post from.
func (m *maker) dropped(t *Target, id ledger.ID, removed bool) error {
	brief, known, err := m.Ledger.Brief(id)
	if err != nil {
		return err
	}
	t.Effect = Effect{Verb: Nothing, Why: "it no longer goes there"}
	switch {
	case known && brief.State == ledger.Published && removed:
		t.Effect.Why = "what is out stays out: `withdraw: true` takes a post down, and deleting its file does not"
	case known && brief.State == ledger.Published:
		t.Effect.Why = "what is out there stays out"
	case removed:
		t.Effect.Why = "it never goes out"
	}
	return nil
}

func acting(a *plan.Action) Effect {
	switch a.Verb {
	case plan.Publish, plan.Resume:
		return Effect{Verb: Publish}
	case plan.Update:
		return Effect{Verb: Update}
	case plan.Withdraw:
		return Effect{Verb: Withdraw}
	case plan.Reconcile:
		return Effect{Verb: Wait, Why: "an earlier attempt is looked for first, and repeated if it was not carried out"}
	default:
		return Effect{Verb: Wait, Why: fmt.Sprintf("the run would %s it", a.Verb)}
	}
}

func waiting(w *plan.Waiting) Effect {
	if w.State == plan.WaitScheduled {
		e := Effect{Verb: Schedule, At: w.Until}
		if w.Await != "" {
			e.Why = "once " + w.Await + " answers 200"
		}
		return e
	}
	return Effect{Verb: Wait, At: w.Until, Why: w.Reason}
}

// clockTime is how a time is written for people.
func clockTime(t time.Time, in *time.Location) string {
	return t.In(in).Format("Mon 2 Jan 2006 15:04 MST")
}
