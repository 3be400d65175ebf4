package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/plan"
)

func (a *app) planCommand() *cobra.Command {
	var f deskFlags
	var at string
	var all bool
	cmd := &cobra.Command{
		Use:     "plan",
		GroupID: groupPublish,
		Short:   "Show what would be sent now, and why everything else is not",
		Long: `Show what "postrider publish" would do: what would be sent, edited, taken down or looked for,
and for every other post why it waits. It reads what is merged, as publish does, and sends nothing.`,
		Example: `  postrider plan
  postrider plan --at 2026-12-24T09:00:00+01:00 --all
  postrider plan --json | jq '.actions[] | .path'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			now := a.Now()
			if at != "" {
				if now, err = parseAt(at); err != nil {
					return &usageError{msg: err.Error(), hint: "write it as 2026-12-24T09:00:00+01:00"}
				}
			}
			desk, repo, err := a.lookDesk(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			p, err := desk.PlanAsked(cmd.Context(), now)
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
			if f.json {
				return a.printJSON(struct {
					At      jsonTime      `json:"at"`
					Branch  string        `json:"branch"`
					Commit  string        `json:"commit"`
					Actions []jsonAction  `json:"actions"`
					Waiting []jsonWaiting `json:"waiting"`
					Costs   []bill        `json:"costs"`
				}{jsonTime{p.At}, desk.Branch, desk.Commit, actionsJSON(p.Actions), waitingJSON(p.Waiting), costs})
			}
			a.printPlan(p, costs, all)
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.offline, "offline", false, "do not ask the remote")
	cmd.Flags().BoolVar(&all, "all", false, "list what waits as it should, too: drafts, posts to come, skipped and expired ones")
	cmd.Flags().StringVar(&at, "at", "", "plan as if it were `TIME`")
	return cmd
}

// parseAt reads a moment: RFC 3339, or the same without seconds.
func parseAt(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a moment: it needs a date, a time and an offset", text)
}

// printPlan writes a plan for people: one line for each post, with the accounts that it goes to. all lists what needs nobody, too.
func (a *app) printPlan(p *plan.Plan, costs []bill, all bool) {
	s := a.stdoutStyle()
	if len(p.Actions) == 0 {
		a.printf("Nothing to do at %s.\n", clockTime(p.At))
	}
	for i := 0; i < len(p.Actions); {
		x := &p.Actions[i]
		accounts, fetching := []string{}, []string{}
		var more alike
		for ; i < len(p.Actions) && p.Actions[i].Path == x.Path && p.Actions[i].Verb == x.Verb && p.Actions[i].Due.Equal(x.Due); i++ {
			accounts = append(accounts, p.Actions[i].Account)
			if p.Actions[i].FetchesCard {
				fetching = append(fetching, p.Actions[i].Account)
			}
			more.action(&p.Actions[i])
		}
		a.printf("%s  %s → %s\n%s%s\n", s.green(pad(string(x.Verb), 10)), s.bold(oneLine(cmp.Or(x.Title, x.Path))), strings.Join(accounts, ", "),
			strings.Repeat(" ", 12), s.dim(fmt.Sprintf("%s, %s", x.Path, whenDue(x.Due))))
		if len(fetching) > 0 {
			a.printf("%s%s\n", strings.Repeat(" ", 12), s.dim("the link card on "+strings.Join(fetching, ", ")+" is read from its page when it goes out"))
		}
		if x.Look != "" {
			a.printf("%s%s\n", strings.Repeat(" ", 12), s.dim("only looked for, and not sent: "+oneLine(x.Look)))
		}
		more.print(a)
	}
	a.printWaiting(p.Waiting, p.Settled, all)
	a.printBills(costs)
	a.printNext(p.Waiting, p.At)
	a.printFirstRun(p.Waiting)
}
