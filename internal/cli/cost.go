package cli

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// jsonCost is what something is estimated to cost, as docs/JSON.md promises it.
type jsonCost struct {
	USD platform.USD   `json:"micro_usd"`
	Of  []jsonCostLine `json:"of"`
}

type jsonCostLine struct {
	What string       `json:"what"`
	N    int          `json:"n"`
	USD  platform.USD `json:"micro_usd"`
}

// costJSON returns nil for what costs nothing.
func costJSON(c platform.Cost) *jsonCost {
	if len(c) == 0 {
		return nil
	}
	j := &jsonCost{USD: c.Total()}
	for _, l := range c {
		j.Of = append(j.Of, jsonCostLine{What: l.One, N: l.N, USD: l.USD})
	}
	return j
}

// costText says what something costs: "about $0.20: 1 post with a link".
func costText(c platform.Cost) string { return fmt.Sprintf("about %s: %s", c.Total(), c) }

// bill is what an account costs in a month, as docs/JSON.md promises it.
type bill struct {
	Account string       `json:"account"`
	Month   ledger.Month `json:"month"`
	Spent   platform.USD `json:"spent_micro_usd"`
	Now     platform.USD `json:"now_micro_usd"`
	Coming  platform.USD `json:"coming_micro_usd"`
	Cap     platform.USD `json:"cap_micro_usd,omitempty"`
}

// String says it in a line: "$0.60 spent, $0.20 now, of $25.00, in December 2026 (USD, estimated)".
func (b *bill) String() string {
	var parts []string
	for _, p := range []struct {
		usd  platform.USD
		what string
	}{{b.Spent, " spent"}, {b.Now, " now"}, {b.Coming, " to come"}} {
		if p.usd > 0 {
			parts = append(parts, p.usd.String()+p.what)
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing spent"}
	}
	if b.Cap > 0 {
		parts = append(parts, "of "+b.Cap.String())
	}
	return fmt.Sprintf("%s, in %s (USD, estimated)", strings.Join(parts, ", "), b.Month)
}

// beyond reports whether not all of it can be paid for.
func (b *bill) beyond() bool { return b.Cap > 0 && b.Spent+b.Now+b.Coming > b.Cap }

// bills returns what a plan costs, account by account and month by month, with what was spent in these months.
func (a *app) bills(desk *publish.Desk, cfg *config.Site, p *plan.Plan) ([]bill, error) {
	view, err := desk.Ledger.View()
	if err != nil {
		return nil, err
	}
	bills := []bill{}
	for _, b := range plan.Bills(p, cfg.Location) {
		spent, err := view.Spent(b.Account, b.Month)
		if errors.Is(err, ledger.ErrFormat) {
			a.notef("%s what was spent in %s cannot be read: `postrider doctor --ledger --repair` mends that", a.stderrStyle().yellow("warning:"), b.Month)
		} else if err != nil {
			return nil, err
		}
		bills = append(bills, bill{Account: b.Account, Month: b.Month, Spent: spent, Now: b.Now, Coming: b.Coming, Cap: cfg.CapOf(b.Account)})
	}
	return bills, nil
}

// printBills writes what a plan costs.
func (a *app) printBills(bills []bill) {
	s := a.stdoutStyle()
	for i := range bills {
		b := &bills[i]
		text := fmt.Sprintf("Cost on %s: %s", b.Account, b)
		if b.beyond() {
			text += s.yellow(", which is not enough for all")
		}
		a.printf("%s\n", text)
	}
}

// alike gathers lines that are the same for several accounts.
type alike struct {
	lines    []string
	accounts map[string][]string
}

func (l *alike) add(account, line string) {
	if l.accounts == nil {
		l.accounts = map[string][]string{}
	}
	if !slices.Contains(l.lines, line) {
		l.lines = append(l.lines, line)
	}
	if !slices.Contains(l.accounts[line], account) {
		l.accounts[line] = append(l.accounts[line], account)
	}
}

// action adds how what an action sends is changed, and what it costs.
func (l *alike) action(x *plan.Action) {
	if x.Verb != plan.Skip && x.Verb != plan.Withdraw && x.Look == "" {
		for i := range x.Fitted {
			l.add(x.Account, path.Base(x.Fitted[i].Path)+": "+x.Fitted[i].Change())
		}
	}
	if len(x.Cost) > 0 {
		l.add(x.Account, costText(x.Cost))
	}
}

// print writes the lines below a result, each with its accounts.
func (l *alike) print(a *app) {
	for _, line := range l.lines {
		a.detail(a.stdoutStyle().dim, strings.Join(l.accounts[line], ", ")+": "+line)
	}
}
