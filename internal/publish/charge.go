package publish

import (
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// reserve charges an attempt that begins with all that it may come to cost. The claim carries that to whoever plans next, so that
// publishers at once stay below an account's cap together.
func (r *run) reserve(rec *ledger.Record, cost platform.USD) {
	if cost > 0 {
		rec.Last().Charge = ledger.Charge{Month: r.month, USD: cost}
	}
}

// charge corrects that when the attempt has ended: it costs what it has created of a rendering. As long as nobody knows what it has, it
// costs what was reserved.
func (r *run) charge(j *job, rec *ledger.Record, rendering *platform.Rendering, known bool) {
	account, adapter, ok := r.Site.Account(j.Account)
	own := &rec.Last().Charge
	if !ok || !known || rendering == nil {
		if !j.sent {
			own.USD = 0 // it has only looked
		}
		return
	}
	costs := platform.CostOf(adapter, account, rendering)
	upTo := func(part int) platform.USD { return platform.Sum(costs[:min(part, len(costs))]...).Total() }
	before := len(rec.Parts)
	if j.sent {
		before = min(before, j.before)
	}
	if own.Month != "" {
		own.USD = upTo(len(rec.Parts)) - upTo(before)
	}
	if j.Verb == plan.Reconcile {
		rec.Settle(upTo(before))
	}
}
