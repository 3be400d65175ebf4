package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

func (a *app) withdrawCommand() *cobra.Command {
	var f deskFlags
	var sure consent
	var reason string
	cmd := &cobra.Command{
		Use:     "withdraw POST [ACCOUNT]",
		GroupID: groupPublish,
		Short:   "Take a post down now, without waiting for a merge",
		Long: `Take a post down from every account that it is out on, or from one, and record that. POST is the
post's id or the path of its file; ID+TIME, as status names it, is one time of a repeated post.
Nothing sends it there again, whatever becomes of its file. What is to be taken down is shown first,
and asked about on a terminal; elsewhere --yes says that it is meant.

With time for a merge, "withdraw: true" in the post does the same and is reviewed. A post that is not
out yet is kept from going out by "draft: true", by "postrider resolve POST ACCOUNT --skip", or for now
by "postrider hold".`,
		Example: `  postrider withdraw k3v9q2xh
  postrider withdraw content/2026/12/launch.md bluesky --reason "wrong price" --yes
  postrider withdraw k3v9q2xh --dry-run`,
		Args: argsBetween(1, 2, "a post, and one account if not all are meant"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			desk, repo, err := a.openDesk(cmd.Context(), f, plan.BacklogStop)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			account := ""
			if len(args) == 2 {
				account = args[1]
			}
			out, err := a.recordsToWithdraw(desk, repo, args[0], account)
			if err != nil {
				return err
			}
			name, mail := repo.Identity(cmd.Context())
			note := fmt.Sprintf("withdrawn by %s <%s>", name, mail)
			if reason != "" {
				note += ": " + reason
			}
			return a.withdraw(cmd.Context(), desk, out, note, sure, f.json)
		},
	}
	f.add(cmd)
	sure.add(cmd, "take it down without asking", "say what would be taken down and touch nothing")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the ledger")
	return cmd
}

// recordsToWithdraw finds the records of a post that say that it is out.
func (a *app) recordsToWithdraw(desk *publish.Desk, repo *gitrepo.Repo, name, account string) ([]*ledger.Record, error) {
	view, err := desk.Ledger.View()
	if err != nil {
		return nil, err
	}
	id, occurrence, _ := strings.Cut(name, "+")
	records, err := view.Of(id)
	if err == nil && len(records) == 0 {
		occurrence = ""
		records, err = a.recordsOf(view, desk, repo, name)
	}
	if err != nil {
		return nil, err
	}
	records = slices.DeleteFunc(records, func(r *ledger.Record) bool {
		return account != "" && r.Account != account || occurrence != "" && r.Occurrence != occurrence
	})
	out := slices.DeleteFunc(slices.Clone(records), func(r *ledger.Record) bool { return r.State != ledger.Published })
	if len(out) == 0 {
		return nil, notOut(name, account, records)
	}
	return out, nil
}

// notOut says why there is nothing to take down, and what to do instead.
func notOut(name, account string, records []*ledger.Record) error {
	where := ""
	if account != "" {
		where = " on " + account
	}
	e := &usageError{
		msg:  fmt.Sprintf("%q is not out%s", name, where),
		hint: fmt.Sprintf("to keep it from going out: `draft: true` or `withdraw: true` in its file and a merge, `postrider resolve %s %s --skip`, or `postrider hold`", name, cmp.Or(account, "ACCOUNT")),
	}
	if len(records) == 0 {
		return e
	}
	var states []string
	for _, r := range records {
		states = append(states, fmt.Sprintf("%s on %s", r.State, r.Account))
	}
	e.msg = fmt.Sprintf("%q is not out%s: it is %s", name, where, strings.Join(states, ", "))
	for _, r := range records {
		switch {
		case len(r.Parts) > 0 && !r.State.Settled():
			e.hint = fmt.Sprintf("a part of it is out, see `postrider status %s`: take that down by hand, then `postrider resolve %s %s --withdrawn`", r.Post, r.Post, r.Account)
			return e
		case r.State == ledger.Unknown || r.State == ledger.Sending:
			e.hint = fmt.Sprintf("whether it is out is not known yet: `postrider publish` finds out where the network allows that; else look, and `postrider resolve %s %s` records it", r.Post, r.Account)
			return e
		}
	}
	if !slices.ContainsFunc(records, func(r *ledger.Record) bool { return !r.State.Settled() }) {
		e.hint = "nothing sends it there again"
	}
	return e
}

// withdrawAgain is what to do about a removal that failed.
const withdrawAgain = "it is still there, as far as is known: `postrider withdraw` does it again, which is harmless"

// withdraw takes records' posts down.
func (a *app) withdraw(ctx context.Context, desk *publish.Desk, out []*ledger.Record, note string, sure consent, asJSON bool) error {
	var ids []ledger.ID
	for _, r := range out {
		ids = append(ids, r.ID())
	}
	down := desk.Withdrawal(ids, note)
	p, err := down.Plan(a.Now())
	if err != nil {
		return err
	}
	switch {
	case asJSON && sure.dryRun:
		return a.printJSON(dryRunJSON(down, p, []bill{}))
	case !asJSON:
		a.printToWithdraw(p)
	}
	if len(p.Actions) > 0 {
		question := "Take this down?"
		if n := len(p.Actions); n > 1 {
			question = fmt.Sprintf("Take these %d down?", n)
		}
		if ok, err := sure.given(ctx, a, question); err != nil || !ok {
			return err
		}
	}
	if sure.dryRun {
		return nil
	}
	if down.Run, err = a.runID(); err != nil {
		return err
	}
	down.Owner, down.HTTP, down.Stop, down.Tries = processOwner(), a.HTTP, a.stop, publishTries
	a.graceful()
	report, err := down.Do(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		if err := a.printJSON(a.reportJSON(report, withdrawAgain)); err != nil {
			return err
		}
	} else {
		a.printDeliveries(report.Deliveries, withdrawAgain)
		a.printDoubles(out)
		a.printStillToGo(desk, out[0].Post)
	}
	switch {
	case report.RecordErr != nil:
		return report.RecordErr
	case report.Failed() > 0, len(report.Waiting) > 0:
		return errFindings
	}
	return nil
}

// printToWithdraw says what is about to be taken down, and what cannot be.
func (a *app) printToWithdraw(p *plan.Plan) {
	s := a.stdoutStyle()
	indent := strings.Repeat(" ", 12)
	for i := range p.Actions {
		r := p.Actions[i].Record
		a.printf("%s  %s → %s\n", s.yellow(pad("withdraw", 10)), s.bold(oneLine(titleOf(r))), r.Account)
		for _, part := range r.Parts {
			a.printf("%s%s\n", indent, s.under(printable(remoteName(part))))
		}
		a.printf("%s%s\n", indent, s.dim("out since "+clockTime(r.PublishedAt)))
	}
	for i := range p.Waiting {
		w := &p.Waiting[i]
		a.printf("%s  %s → %s\n%s%s\n", s.red(pad("cannot", 10)), s.bold(oneLine(cmp.Or(w.Title, w.Path))), w.Account, indent, oneLine(w.Reason))
	}
}

// printDoubles says loudly what is out twice: only what the record stands for has been taken down.
func (a *app) printDoubles(records []*ledger.Record) {
	for _, r := range records {
		(&recordPrinter{w: a.Stdout, s: a.stdoutStyle()}).doubles(r)
	}
}

// printStillToGo names the accounts that a post still goes to after it has been taken down elsewhere.
func (a *app) printStillToGo(desk *publish.Desk, post string) {
	p, err := desk.Plan(a.Now())
	if err != nil {
		a.log.Debug("what else the post goes to is not known", "err", err)
		return
	}
	var accounts []string
	for i := range p.Actions {
		if x := &p.Actions[i]; x.Post == post && x.Verb != plan.Withdraw {
			accounts = append(accounts, x.Account)
		}
	}
	for i := range p.Waiting {
		w := &p.Waiting[i]
		switch w.State {
		case plan.WaitScheduled, plan.WaitQuiet, plan.WaitEmbargo, plan.WaitUnapproved, plan.WaitLimit, plan.WaitBudget, plan.WaitLimited, plan.WaitUnsent, plan.WaitHeld, plan.WaitDenied, plan.WaitSending:
			if w.Post == post {
				accounts = append(accounts, w.Account)
			}
		}
	}
	slices.Sort(accounts)
	for _, account := range slices.Compact(accounts) {
		a.printf("%s  it is yet to go to %s; to keep it from that: postrider resolve %s %s --skip\n", a.stdoutStyle().yellow(pad("note", 10)), account, post, account)
	}
}
