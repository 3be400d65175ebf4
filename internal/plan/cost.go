package plan

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// creates reports whether an action may send something that is charged for.
func (a *Action) creates() bool {
	return a.Verb == Publish || a.Verb == Resume || a.Verb == Reconcile && a.Look == ""
}

// cost returns what an action is estimated to cost at most: of half a thread, its other half. What was begun goes on as it was
// begun or, where that cannot be had, as the file says now; the dearer of the two counts.
func (m *maker) cost(a *Action) platform.Cost {
	if !a.creates() {
		return nil
	}
	out := 0
	if a.Record != nil {
		out = len(a.Record.Parts)
	}
	rest := func(costs []platform.Cost) platform.Cost { return platform.Sum(costs[min(out, len(costs)):]...) }
	most := rest(a.Costs)
	if a.Record != nil && a.Record.Rendering != nil && a.Record.Fingerprint != a.Fingerprint && m.Cost != nil {
		if begun := rest(m.Cost(a.Account, a.Record.Rendering)); begun.Total() > most.Total() {
			most = begun
		}
	}
	return most
}

// budget lets through what the accounts' monthly caps leave room for, in the order of the actions. What may be out is still looked for.
func (m *maker) budget() error {
	left := map[string]*purse{}
	keep := m.plan.Actions[:0]
	for _, a := range m.plan.Actions {
		a.Cost = m.cost(&a)
		price := a.Cost.Total()
		limit := platform.USD(0)
		if m.Rules.Cap != nil {
			limit = m.Rules.Cap(a.Account)
		}
		if price == 0 || limit == 0 {
			keep = append(keep, a)
			continue
		}
		p := left[a.Account]
		if p == nil {
			var err error
			if p, err = m.purse(a.Account, limit); err != nil {
				return err
			}
			left[a.Account] = p
		}
		w := p.over(price)
		switch {
		case w == nil:
			p.now += price
			keep = append(keep, a)
		case a.Verb == Reconcile && a.Caps.Has(platform.CanFind):
			a.Look, a.Cost = w.reason, nil
			keep = append(keep, a)
		default:
			if a.Verb == Reconcile {
				w.reason = "it may be out, and is not repeated: " + w.reason
			}
			a.Costs = []platform.Cost{a.Cost}
			m.wait(a.Target, a.Occurrence, w.state, w.until, "%s", w.reason)
		}
	}
	m.plan.Actions = keep
	return nil
}

// purse is what an account may spend in a month.
type purse struct {
	month ledger.Month
	ends  time.Time
	limit platform.USD
	spent platform.USD // by the ledger
	now   platform.USD // by this plan
	lost  error        // why nobody knows what was spent
}

func (m *maker) purse(account string, limit platform.USD) (*purse, error) {
	now := m.Now
	if m.Rules.Zone != nil {
		now = now.In(m.Rules.Zone)
	}
	p := &purse{month: ledger.MonthOf(now), limit: limit}
	p.ends = p.month.Ends(now.Location())
	var err error
	if p.spent, err = m.Ledger.Spent(account, p.month); errors.Is(err, ledger.ErrFormat) {
		p.lost, err = err, nil
	}
	return p, err
}

// over returns why something cannot be paid for; nil when it can.
func (p *purse) over(price platform.USD) *obstacle {
	switch {
	case p.lost != nil:
		return because(WaitBudget, p.ends, "what was spent in %s cannot be read, and there is a monthly cap: `postrider doctor --ledger --repair` mends that", p.month)
	case p.spent+p.now+price <= p.limit:
		return nil
	case p.now > 0:
		return because(WaitBudget, p.ends, "%s of %s are spent in %s, and %s more go out now; this costs about %s", p.spent, p.limit, p.month, p.now, price)
	default:
		return because(WaitBudget, p.ends, "%s of %s are spent in %s; this costs about %s", p.spent, p.limit, p.month, price)
	}
}

// Bill is what an account is estimated to be charged in a month of the calendar, besides what was spent already.
type Bill struct {
	Account string
	Month   ledger.Month
	Now     platform.USD // by the plan's actions
	Coming  platform.USD // by what waits for its time in that month
}

// Bills adds up what a plan costs, by account and month in a zone. What waits for anything but a time is in none.
func Bills(p *Plan, zone *time.Location) []Bill {
	type key struct {
		account string
		month   ledger.Month
	}
	sums := map[key]*Bill{}
	add := func(account string, at time.Time, now, coming platform.USD) {
		if now+coming == 0 {
			return
		}
		k := key{account, ledger.MonthOf(at.In(zone))}
		if sums[k] == nil {
			sums[k] = &Bill{Account: k.account, Month: k.month}
		}
		sums[k].Now, sums[k].Coming = sums[k].Now+now, sums[k].Coming+coming
	}
	for i := range p.Actions {
		add(p.Actions[i].Account, p.At, p.Actions[i].Cost.Total(), 0)
	}
	for i := range p.Waiting {
		switch w := &p.Waiting[i]; w.State {
		case WaitScheduled, WaitQuiet, WaitBudget, WaitLimit:
			add(w.Account, w.Until, 0, platform.Sum(w.Costs...).Total())
		}
	}
	bills := make([]Bill, 0, len(sums))
	for _, b := range sums {
		bills = append(bills, *b)
	}
	slices.SortFunc(bills, func(a, b Bill) int {
		return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(string(a.Month), string(b.Month)))
	})
	return bills
}
