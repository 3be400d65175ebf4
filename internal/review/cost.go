package review

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// Bill is what the posts of a review are estimated to cost on one account in a month of the calendar.
type Bill struct {
	plan.Bill
	Spent platform.USD // in that month so far, by the ledger
	Lost  bool         // what was spent cannot be read: nothing that costs goes out where there is a cap
	Cap   platform.USD // the account's monthly cap, 0 without one
}

// Beyond reports whether the cap leaves no room for all of it.
func (b *Bill) Beyond() bool { return b.Cap > 0 && b.Spent+b.Now+b.Coming > b.Cap }

// bills adds up what the posts cost, by account and month.
func (m *maker) bills(made *plan.Plan) error {
	for _, b := range plan.Bills(made, m.out.Location) {
		bill := Bill{Bill: b, Cap: m.Sides.After.Config.CapOf(b.Account)}
		var err error
		if bill.Spent, err = m.Ledger.Spent(b.Account, b.Month); errors.Is(err, ledger.ErrFormat) {
			bill.Lost = true
		} else if err != nil {
			return err
		}
		m.out.Bills = append(m.out.Bills, bill)
	}
	return nil
}

// costOf returns what a target costs once it has waited, nil where it does not go out by itself.
func costOf(w *plan.Waiting) platform.Cost {
	switch w.State {
	case plan.WaitScheduled, plan.WaitQuiet, plan.WaitBudget, plan.WaitLimit:
		return platform.Sum(w.Costs...)
	}
	return nil
}

// token notes that the account's token dies before a target goes out.
func (m *maker) token(t *Target) {
	account, ok := m.Sides.After.Config.Account(t.Account)
	if !ok || account.TokenExpires.IsZero() {
		return
	}
	at := t.Effect.At
	switch t.Effect.Verb {
	case Publish, Update, Withdraw:
		at = m.Now
	case Schedule:
	default:
		return
	}
	if !at.Before(account.TokenExpires) {
		t.TokenEnds = account.TokenExpires
	}
}

// tokenLine says that a token dies too early, "" when it does not.
func (w *writer) tokenLine(t *Target) string {
	if t.TokenEnds.IsZero() {
		return ""
	}
	day := t.TokenEnds.In(w.Location).Format("Mon 2 Jan 2006")
	if t.TokenEnds.After(w.At) {
		return fmt.Sprintf("**the token ends on %s, before this goes out**", day)
	}
	return fmt.Sprintf("**the token has ended on %s**", day)
}

// bills says what the posts cost, in a line for each account and month.
func (w *writer) bills() string {
	if len(w.Bills) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n### What it costs\n\n")
	for i := range w.Bills {
		bill := &w.Bills[i]
		fmt.Fprintf(&b, "- about %s on %s in %s", bill.Now+bill.Coming, Code(bill.Account), bill.Month)
		switch {
		case bill.Lost:
			b.WriteString("; what was spent cannot be read")
		case bill.Cap > 0:
			fmt.Fprintf(&b, "; %s of %s are spent", bill.Spent, bill.Cap)
		case bill.Spent > 0:
			fmt.Fprintf(&b, "; %s are spent", bill.Spent)
		}
		if bill.Beyond() {
			b.WriteString(": **the monthly cap leaves no room for all of it**")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nEstimated, in US dollars, by the networks' published prices.\n")
	return b.String()
}

// TokenDay returns the day on which the token dies as "2026-12-01", "" when it lasts.
func (t *Target) TokenDay() string {
	if t.TokenEnds.IsZero() {
		return ""
	}
	return t.TokenEnds.Format(time.DateOnly)
}
