package cli

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

func (a *app) publishCommand() *cobra.Command {
	var f deskFlags
	var to resultFlags
	var sending sendFlags
	var dryRun, noNotify bool
	var backlog string
	cmd := &cobra.Command{
		Use:     "publish",
		GroupID: groupPublish,
		Short:   "Send what is due, and record the results in git",
		Long: fmt.Sprintf(`Send every merged post that is due to every account it names, apply edits and removals that
were merged, and settle what an earlier run left open. What is about to be done is recorded in
git first, so that nothing is ever sent twice by two runs; every result is recorded after.

A delivery that fails without having left is tried again, %d times in all; after the deadline no other is
begun, and the next run takes over. An interrupt lets deliveries in flight end and records them; a
second one ends at once.`, publishTries),
		Example: `  postrider publish
  postrider publish --dry-run
  postrider publish --backlog skip    # a first run on a site with old posts
  postrider publish --deadline 4m     # for a job that is run every five minutes`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			switch plan.Backlog(backlog) {
			case plan.BacklogStop, plan.BacklogPublish, plan.BacklogSkip:
			default:
				return &usageError{msg: fmt.Sprintf("--backlog is publish or skip, not %q", backlog), hint: seeHelp(cmd)}
			}
			if err := sending.check(cmd); err != nil {
				return err
			}
			desk, repo, err := a.openDesk(cmd.Context(), f, plan.Backlog(backlog))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			if dryRun {
				return a.dryRun(cmd.Context(), desk, repo, f.json)
			}
			results, err := a.openResults(to)
			if err != nil {
				return err
			}
			defer results.close()
			progress := newProgress(a)
			a.graceful()
			report, err := a.carryOut(cmd.Context(), desk, sending, progress.event)
			progress.clear()
			if err != nil {
				if !noNotify {
					a.tell(cmd.Context(), desk, repo, report, err)
				}
				return err
			}
			results.sum(report)
			if f.json {
				if err := a.printJSON(a.reportJSON(report, "")); err != nil {
					return err
				}
			} else {
				a.printReport(report)
			}
			if !noNotify {
				a.tell(cmd.Context(), desk, repo, report, nil)
			}
			if report.RecordErr != nil {
				return report.RecordErr
			}
			repo.Tidy(cmd.Context())
			if report.Failed() > 0 {
				return errFindings
			}
			for i := range report.Waiting {
				if needsPerson(&report.Waiting[i], report.At) {
					return errFindings
				}
			}
			return nil
		},
	}
	f.add(cmd)
	to.add(cmd)
	to.addOutputs(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be sent and send nothing")
	cmd.Flags().StringVar(&backlog, "backlog", "", "what becomes of all posts that are due, `WAY`: publish them, max_per_run at a time, or skip them for ever")
	sending.add(cmd)
	cmd.Flags().BoolVar(&noNotify, "no-notify", false, "tell nobody, whatever notify: in site.yaml says")
	return cmd
}

// sendFlags are the flags of all verbs that send what is due.
type sendFlags struct {
	deadline, requestTimeout time.Duration
	allowPrivate             bool
}

func (f *sendFlags) add(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.deadline, "deadline", 15*time.Minute, "begin no delivery later than `DURATION` after the start of a run")
	cmd.Flags().DurationVar(&f.requestTimeout, "request-timeout", 60*time.Second, "wait no longer than `DURATION` for a network's answer")
	cmd.Flags().BoolVar(&f.allowPrivate, "allow-private", false, "let link cards be read from private addresses")
}

func (f *sendFlags) check(cmd *cobra.Command) error {
	if f.deadline <= 0 || f.requestTimeout <= 0 {
		return usagef(cmd, "takes a --deadline and a --request-timeout of more than nothing, such as 15m and 60s")
	}
	return nil
}

// carryOut does what is due at a desk: the one way in which posts are sent. The caller has said that it ends gracefully.
func (a *app) carryOut(ctx context.Context, desk *publish.Desk, f sendFlags, progress func(publish.Event)) (report *publish.Report, err error) {
	if desk.Run, err = a.runID(); err != nil {
		return nil, err
	}
	desk.Owner, desk.HTTP, desk.Stop, desk.AllowPrivate, desk.Progress = a.owner(), a.HTTP, a.stop, f.allowPrivate, progress
	desk.Deadline, desk.RequestTimeout, desk.Tries = f.deadline, f.requestTimeout, publishTries
	return desk.Do(ctx)
}

// owner describes this process to other runs, "" where its death could not be proved.
func (a *app) owner() string {
	if a.Anonymous {
		return ""
	}
	return processOwner()
}

// publishTries is how often one run tries a delivery that is provably not out.
const publishTries = 3

// runID returns a name for this run: its time, so that names sort, and a random end.
func (a *app) runID() (string, error) {
	var b [3]byte
	if _, err := io.ReadFull(a.Rand, b[:]); err != nil {
		return "", fmt.Errorf("name this run: %w", err)
	}
	return a.Now().UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(b[:]), nil
}

func (a *app) dryRun(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, asJSON bool) error {
	p, err := desk.PlanAsked(ctx, a.Now())
	if err != nil {
		return err
	}
	cfg, err := a.mergedConfig(repo, desk)
	if err != nil {
		return err
	}
	costs, err := a.bills(desk, cfg, p)
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(dryRunJSON(desk, p, costs))
	}
	a.printf("Dry run: nothing is sent.\n\n")
	a.printPlan(p, costs, false)
	return nil
}

// jsonDryRun is what a run would do, as docs/JSON.md promises it.
type jsonDryRun struct {
	jsonReport
	DryRun  bool         `json:"dry_run"`
	Actions []jsonAction `json:"actions"`
	Costs   []bill       `json:"costs"`
}

func dryRunJSON(desk *publish.Desk, p *plan.Plan, costs []bill) jsonDryRun {
	return jsonDryRun{
		jsonReport{Branch: desk.Branch, Commit: desk.Commit, Deliveries: []jsonDelivery{}, Waiting: waitingJSON(p.Waiting), LedgerCommit: string(desk.Ledger.Tip())},
		true, actionsJSON(p.Actions), costs,
	}
}

// jsonReport is a run's report, as docs/JSON.md promises it.
type jsonReport struct {
	Run          string         `json:"run"`
	Branch       string         `json:"branch"`
	Commit       string         `json:"commit"`
	Deliveries   []jsonDelivery `json:"deliveries"`
	Waiting      []jsonWaiting  `json:"waiting"`
	LedgerCommit string         `json:"ledger_commit"`
}

type jsonDelivery struct {
	Post       string     `json:"post"`
	Path       string     `json:"path"`
	Account    string     `json:"account"`
	Platform   string     `json:"platform"`
	Occurrence string     `json:"occurrence,omitempty"`
	Action     string     `json:"action"`
	Outcome    string     `json:"outcome"`
	ID         string     `json:"id,omitempty"`
	URL        string     `json:"url,omitempty"`
	Parts      []jsonPart `json:"parts"`
	Error      string     `json:"error,omitempty"`
	Hint       string     `json:"hint,omitempty"`
	RetryAt    jsonTime   `json:"retry_at,omitzero"`
}

type jsonPart struct {
	ID  string `json:"id"`
	URL string `json:"url,omitempty"`
}

func partsJSON(parts []platform.Remote) []jsonPart {
	out := []jsonPart{}
	for _, p := range parts {
		out = append(out, jsonPart{p.ID, p.URL})
	}
	return out
}

func (a *app) reportJSON(r *publish.Report, again string) jsonReport {
	j := jsonReport{Run: r.Run, Branch: r.Branch, Commit: r.Commit, Deliveries: []jsonDelivery{}, Waiting: waitingJSON(r.Waiting), LedgerCommit: r.LedgerCommit}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		x := jsonDelivery{
			Post: d.Post, Path: d.Path, Account: d.Account, Platform: string(d.Platform), Occurrence: d.Occurrence, Action: string(d.Verb),
			Outcome: d.Outcome, Parts: partsJSON(d.Parts), RetryAt: jsonTime{d.RetryAt},
		}
		if len(d.Parts) > 0 {
			x.ID, x.URL = d.Parts[0].ID, d.Parts[0].URL
		}
		if d.Err != nil {
			x.Error, x.Hint = a.scrub(d.Err.Error()), a.scrub(hintOf(d, again))
		}
		j.Deliveries = append(j.Deliveries, x)
	}
	return j
}

// hintOf says what to do about a delivery that failed: what its network suggests, and what happens next by itself, or
// what does it again.
func hintOf(d *publish.Delivery, again string) string {
	var hints []string
	if e, ok := errors.AsType[*platform.Error](d.Err); ok && e.Hint != "" {
		hints = append(hints, e.Hint)
	}
	if again != "" {
		return strings.Join(append(hints, again), "; ")
	}
	switch d.Outcome {
	case platform.Unknown.String():
		hints = append(hints, fmt.Sprintf("the next run looks for it; if it cannot tell, look yourself and run `postrider resolve %s %s`", d.Post, d.Account))
	case platform.Unsent.String(), platform.Limited.String():
		hints = append(hints, "a later run sends it by itself")
	case platform.Denied.String():
		hints = append(hints, "the next run tries again by itself once the network accepts the account")
	case platform.Rejected.String():
		hints = append(hints, "the next run sends it once its text has changed")
	}
	return strings.Join(hints, "; ")
}

// printDeliveries writes how deliveries ended. again is what repeats one that failed, empty when runs do that by themselves.
func (a *app) printDeliveries(all []publish.Delivery, again string) {
	s := a.stdoutStyle()
	indent := strings.Repeat(" ", 12)
	for i := range all {
		d := &all[i]
		mark := s.green(pad(d.Outcome, 10))
		if !d.OK() {
			mark = s.red(pad(d.Outcome, 10))
		}
		a.printf("%s  %s → %s\n", mark, s.bold(oneLine(cmp.Or(d.Title, d.Path))), d.Account)
		for _, p := range d.Parts {
			a.printf("%s%s\n", indent, s.under(printable(cmp.Or(p.URL, p.ID))))
		}
		if d.Err != nil {
			a.detail(func(text string) string { return text }, a.scrub(d.Err.Error()))
			if hint := hintOf(d, again); hint != "" {
				a.detail(s.dim, a.scrub(hint))
			}
		}
		if !d.RetryAt.IsZero() {
			a.printf("%s%s\n", indent, s.dim("not before "+clockTime(d.RetryAt)))
		}
	}
}

// printReport writes a run's report for people.
func (a *app) printReport(r *publish.Report) {
	a.printDeliveries(r.Deliveries, "")
	if len(r.Deliveries) == 0 {
		a.printf("Nothing to send.\n")
	}
	a.printWaiting(r.Waiting, r.Settled, false)
	a.printNext(r.Waiting, r.At)
	if n, failed := len(r.Deliveries), r.Failed(); n > 0 {
		a.printf("%s: %d done, %d not. The ledger is at %.10s.\n", deliveries(n), n-failed, failed, r.LedgerCommit)
	}
	a.printFirstRun(r.Waiting)
}

// printFirstRun says how to go on when posts wait for a person's word on what was before this ledger: a first run with more of them
// than one run may send, or accounts that cannot be asked what is out.
func (a *app) printFirstRun(waiting []plan.Waiting) {
	var flood, blind int
	var accounts []string
	for i := range waiting {
		w := &waiting[i]
		switch {
		case w.State != plan.WaitFirstRun:
		case w.Caps.Has(platform.CanFind), w.Caps.Has(platform.CanIdempotent) && w.KeyLife == 0:
			flood++
		default:
			blind++
			accounts = append(accounts, w.Account)
		}
	}
	if flood > 0 {
		a.printf(`
This is the first run, and more posts are due than one run may send (schedule.max_per_run).
None of them is sent before you choose:
  postrider adopt --find                 another tool has sent them: record those that are there
  postrider publish --backlog skip       they are old: never send what is due by now
  postrider publish --backlog publish    they are meant: send them, max_per_run at a time
`)
		return
	}
	if blind == 0 {
		return
	}
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	names := strings.Join(accounts, ",")
	a.printf(`
%s from before this ledger began may be out already, and nobody can ask %s
whether it is. None of them is sent before you choose:
  postrider adopt --account %s
      they are out: record that, and never send them
  postrider publish --backlog publish
      they are not: send what is due everywhere, max_per_run at a time
  postrider publish --backlog skip
      it does not matter: never send anything that is due by now
  postrider resolve POST ACCOUNT --send, or --skip
      one by one
`, deliveries(blind), strings.Join(accounts, " or "), names)
}

// progress shows what is going on, on one line of a terminal.
type progress struct {
	a  *app
	on bool
}

func newProgress(a *app) *progress { return &progress{a: a, on: a.StderrTerminal && !a.verbose} }

func (p *progress) event(e publish.Event) {
	if !p.on {
		return
	}
	text := fmt.Sprintf("[%d/%d] %s %s → %s …", min(e.Done+1, e.Of), e.Of, e.Action.Verb, oneLine(cmp.Or(e.Action.Title, e.Action.Path)), e.Action.Account)
	if r := []rune(text); len(r) > 78 {
		text = string(r[:77]) + "…"
	}
	fmt.Fprintf(p.a.Stderr, "\r\x1b[K%s", text) //nolint:errcheck // only decoration
}

func (p *progress) clear() {
	if p.on {
		fmt.Fprint(p.a.Stderr, "\r\x1b[K") //nolint:errcheck // only decoration
	}
}

// notPushedHint says what becomes of results that are only here.
func notPushedHint(e *gitledger.NotPushedError) string {
	return fmt.Sprintf("run `postrider publish` again from this clone when the remote answers: it pushes them first; or `git push %s %s`", e.Remote, e.Branch)
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}
