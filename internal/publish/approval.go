package publish

import (
	"context"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/plan"
)

// askTotal bounds asking who has approved what is due: what needs nobody's approval must not wait long for a code host that hangs.
const askTotal = time.Minute

// learned is what a run has found out that no commit tells, see [plan.Input].
type learned struct {
	reached  map[string]error
	approved map[plan.Version]error
}

func newLearned() *learned {
	return &learned{reached: map[string]error{}, approved: map[plan.Version]error{}}
}

// PlanAsked plans for a time, and asks who has approved what would go out then. A desk that is offline asks nobody: what needs approval
// waits, and its reason says that publish asks.
func (d *Desk) PlanAsked(ctx context.Context, at time.Time) (*plan.Plan, error) {
	p, err := d.Plan(at)
	if err != nil {
		return nil, err
	}
	return d.ask(ctx, p, at, newLearned())
}

// ask finds out who has approved what waits for that in a plan. It asks nobody about anything else: a run with nothing due that needs
// approval makes no request.
func (d *Desk) ask(ctx context.Context, p *plan.Plan, at time.Time, l *learned) (*plan.Plan, error) {
	waits := func(w plan.Waiting) bool { return w.State == plan.WaitUnapproved }
	if d.witnesses == nil || !slices.ContainsFunc(p.Waiting, waits) {
		return p, nil
	}
	w, err := d.witnesses()
	if err != nil || w == nil {
		return p, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTotal)
	defer cancel()
	approved := false
	for i := range p.Waiting {
		t := &p.Waiting[i].Target
		if !waits(p.Waiting[i]) {
			continue
		}
		said, asked := l.approved[t.Version()]
		if !asked {
			if said = w.judge(ctx, t); said != nil {
				d.Log.Debug("not approved", "post", t.Post, "account", t.Account, "fingerprint", t.Fingerprint, "reason", said.Error())
			}
			l.approved[t.Version()] = said
		}
		if said == nil {
			approved = true
		} else {
			p.Waiting[i].Asked(at, said)
		}
	}
	if !approved {
		return p, nil
	}
	return d.planWith(at, l)
}

// Remote returns the remote that is published from, "" for none.
func (d *Desk) Remote() string { return d.remote }
