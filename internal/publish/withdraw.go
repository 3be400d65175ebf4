package publish

import (
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// Withdrawal returns a desk that plans to take down what the ledger says is out, now, whatever the posts' files say.
// It goes the way of every delivery: intent, request, receipt. note is kept in the records; empty keeps what is there.
func (d *Desk) Withdrawal(ids []ledger.ID, note string) *Desk {
	w := *d
	w.Plan = func(at time.Time) (*plan.Plan, error) {
		if w.Site == nil {
			site, err := d.SiteAt(d.Commit)
			if err != nil {
				return nil, err
			}
			w.Site = site
		}
		view, err := d.Ledger.View()
		if err != nil {
			return nil, err
		}
		p := &plan.Plan{At: at}
		for _, id := range ids {
			rec, err := view.Record(id)
			if err != nil {
				return nil, err
			}
			if rec == nil || rec.State == ledger.Withdrawn {
				p.Settled++
				continue
			}
			if note != "" {
				rec.Note = note
			}
			w.planWithdrawal(p, rec)
		}
		return p, nil
	}
	return &w
}

// planWithdrawal adds the removal of one post to a plan, or why it cannot be removed.
func (d *Desk) planWithdrawal(p *plan.Plan, rec *ledger.Record) {
	t := plan.Target{
		Post: rec.Post, Path: rec.Path, Title: rec.Title, Account: rec.Account, Platform: platform.ID(rec.Platform), Campaign: rec.Campaign,
		Due: rec.Due, Source: rec.Source, Fingerprint: rec.Fingerprint,
	}
	account, adapter, ok := d.Site.Account(rec.Account)
	if ok && adapter != nil {
		t.Caps, t.Platform = platform.CapsOf(adapter, account), account.Platform
	}
	wait := func(s plan.WaitState, until time.Time, reason string, args ...any) {
		p.Waiting = append(p.Waiting, plan.Waiting{Target: t, Occurrence: rec.Occurrence, State: s, Until: until, Reason: fmt.Sprintf(reason, args...)})
	}
	switch {
	case rec.Damaged != "":
		wait(plan.WaitUnknown, time.Time{}, "its record cannot be read: %s", rec.Damaged)
	case rec.Lease != nil && rec.Lease.Until.After(p.At) && (d.ownerDead == nil || !d.ownerDead(rec.Lease.Owner)):
		wait(plan.WaitSending, rec.Lease.Until, "run %s is at work on it", rec.Lease.Run)
	case rec.State != ledger.Published:
		wait(plan.WaitCannot, time.Time{}, "it is %s, not out", rec.State)
	case !ok:
		wait(plan.WaitCannot, time.Time{}, "the account is no longer in site.yaml: take it down by hand, then say so with `postrider resolve %s %s --withdrawn`", rec.Post, rec.Account)
	case len(rec.Parts) == 0:
		wait(plan.WaitCannot, time.Time{}, "the ledger does not know where on the network it is: say so with `postrider resolve %s %s --published URL`, and try again", rec.Post, rec.Account)
	case !t.Caps.Has(platform.CanDelete):
		wait(plan.WaitCannot, time.Time{}, "%s takes no post down from here: do it by hand, then say so with `postrider resolve %s %s --withdrawn`", t.Platform, rec.Post, rec.Account)
	default:
		p.Actions = append(p.Actions, plan.Action{Target: t, Verb: plan.Withdraw, Occurrence: rec.Occurrence, Record: rec})
	}
}
