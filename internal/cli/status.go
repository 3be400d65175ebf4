package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
)

func (a *app) statusCommand() *cobra.Command {
	var f deskFlags
	var states []string
	cmd := &cobra.Command{
		Use:     "status [POST]",
		GroupID: groupPublish,
		Short:   "Show what happened, from the ledger",
		Long: `Show the records of the ledger: what went out, where and when, what did not, and why. POST is a
post's id or the path of its file; without it, all records are shown, those that need attention first.`,
		Example: `  postrider status
  postrider status content/2026/12/launch.md
  postrider status --state unknown,denied --json`,
		Args: argsBetween(0, 1, "at most one post"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			for _, s := range states {
				if !slices.Contains(ledger.States(), ledger.State(s)) {
					return &usageError{msg: fmt.Sprintf("there is no state %q", s), hint: "states are " + stateNames()}
				}
			}
			desk, repo, err := a.lookDesk(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			view, err := desk.Ledger.View()
			if err != nil {
				return err
			}
			records, err := a.records(view, args)
			if err != nil {
				return err
			}
			if len(states) > 0 {
				records = slices.DeleteFunc(records, func(r *ledger.Record) bool { return !slices.Contains(states, string(r.State)) })
			}
			if f.json {
				return a.printJSON(struct {
					Records []jsonRecord `json:"records"`
				}{recordsJSON(records)})
			}
			a.printRecords(records, len(args) > 0)
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.offline, "offline", false, "do not ask the remote")
	cmd.Flags().StringSliceVar(&states, "state", nil, "only records in these `STATES`")
	return cmd
}

func stateNames() string {
	var names []string
	for _, s := range ledger.States() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// records returns the records of a post, or all of them.
func (a *app) records(view *gitledger.View, args []string) ([]*ledger.Record, error) {
	if len(args) == 1 {
		records, err := view.Of(args[0])
		if err != nil || len(records) > 0 {
			return records, err
		}
	}
	wanted := ""
	if len(args) == 1 {
		wanted = a.sitePathOf(args[0])
	}
	var records []*ledger.Record
	err := view.Each(func(r *ledger.Record) error {
		if wanted == "" || r.Path == wanted {
			records = append(records, r)
		}
		return nil
	})
	if err == nil && wanted != "" && len(records) == 0 {
		return nil, &usageError{msg: fmt.Sprintf("the ledger has no record of %q", args[0]), hint: "give a post's id, or the path of its file; `postrider status` lists all records"}
	}
	return records, err
}

// jsonRecord is a record, as docs/JSON.md promises it.
type jsonRecord struct {
	Post        string        `json:"post"`
	Path        string        `json:"path"`
	Account     string        `json:"account"`
	Platform    string        `json:"platform"`
	Occurrence  string        `json:"occurrence,omitempty"`
	Title       string        `json:"title,omitempty"`
	State       string        `json:"state"`
	Due         jsonTime      `json:"due,omitzero"`
	PublishedAt jsonTime      `json:"published_at,omitzero"`
	WithdrawnAt jsonTime      `json:"withdrawn_at,omitzero"`
	RetryAt     jsonTime      `json:"retry_at,omitzero"`
	Parts       []jsonPart    `json:"parts"`
	Attempts    []jsonAttempt `json:"attempts"`
	Fingerprint string        `json:"fingerprint"`
	Commit      string        `json:"commit,omitempty"`
	Note        string        `json:"note,omitempty"`
}

type jsonAttempt struct {
	N       int      `json:"n"`
	Action  string   `json:"action"`
	Started jsonTime `json:"started"`
	Ended   jsonTime `json:"ended,omitzero"`
	Outcome string   `json:"outcome"`
	Run     string   `json:"run"`
	Error   string   `json:"error,omitempty"`
}

func recordsJSON(records []*ledger.Record) []jsonRecord {
	out := []jsonRecord{}
	for _, r := range records {
		j := jsonRecord{
			Post: r.Post, Path: r.Path, Account: r.Account, Platform: r.Platform, Occurrence: r.Occurrence, Title: r.Title,
			State: string(r.State), Due: jsonTime{r.Due}, PublishedAt: jsonTime{r.PublishedAt}, WithdrawnAt: jsonTime{r.WithdrawnAt},
			RetryAt: jsonTime{r.RetryAt}, Parts: partsJSON(r.Remotes()), Attempts: []jsonAttempt{}, Fingerprint: r.Fingerprint, Commit: r.Commit, Note: r.Note,
		}
		for _, x := range r.Attempts {
			j.Attempts = append(j.Attempts, jsonAttempt{x.N, string(x.Op), jsonTime{x.Started}, jsonTime{x.Ended}, x.Outcome, x.Run, x.Error})
		}
		out = append(out, j)
	}
	slices.SortStableFunc(out, func(x, y jsonRecord) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.Account, y.Account), strings.Compare(x.Occurrence, y.Occurrence))
	})
	return out
}

// titleOf is what people call a record's post.
func titleOf(r *ledger.Record) string { return cmp.Or(r.Title, r.Path, r.Post) }

// remoteName is where people see a part, or what its network calls it.
func remoteName(p ledger.Part) string { return cmp.Or(p.URL, p.ID) }

// printRecordDoubles says loudly that a post is out twice.
func (a *app) printRecordDoubles(r *ledger.Record) {
	if len(r.Doubles) == 0 {
		return
	}
	s := a.stdoutStyle()
	a.printf("%s  %s → %s: this is there as well; take one down by hand\n", s.red(pad("TWICE", 10)), s.bold(oneLine(titleOf(r))), r.Account)
	for _, p := range r.Doubles {
		a.printf("%s%s\n", strings.Repeat(" ", 12), s.under(printable(remoteName(p))))
	}
}

// printRecords writes records for people, those that need attention first; with all, every attempt too.
func (a *app) printRecords(records []*ledger.Record, all bool) {
	s := a.stdoutStyle()
	if len(records) == 0 {
		a.printf("Nothing is recorded yet.\n")
		return
	}
	rank := func(r *ledger.Record) int { return slices.Index(ledger.States(), r.State) }
	slices.SortStableFunc(records, func(x, y *ledger.Record) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), y.PublishedAt.Compare(x.PublishedAt), strings.Compare(x.Path, y.Path), strings.Compare(x.Account, y.Account))
	})
	for _, r := range records {
		state := s.yellow(pad(string(r.State), 10))
		if r.State.Settled() {
			state = s.green(pad(string(r.State), 10))
		}
		a.printf("%s  %s → %s  %s\n", state, s.bold(oneLine(cmp.Or(r.Title, r.Path, r.Post))), r.Account, s.dim(r.Post))
		indent := strings.Repeat(" ", 12)
		if !r.PublishedAt.IsZero() {
			a.printf("%s%s\n", indent, s.dim("out since "+clockTime(r.PublishedAt)))
		}
		for _, p := range r.Parts {
			a.printf("%s%s\n", indent, s.under(printable(cmp.Or(p.URL, p.ID))))
		}
		if all {
			for _, x := range r.Attempts {
				a.printf("%s%s\n", indent, s.dim(oneLine(fmt.Sprintf("attempt %d: %s at %s: %s", x.N, x.Op, clockTime(x.Started), cmp.Or(x.Outcome, "still running, or its run died")))))
				if x.Error != "" {
					a.printf("%s  %s\n", indent, oneLine(x.Error))
				}
			}
		} else if last := r.Last(); last != nil && last.Error != "" {
			a.printf("%s%s\n", indent, oneLine(last.Error))
		}
		if !r.RetryAt.IsZero() && !r.State.Settled() {
			a.printf("%s%s\n", indent, s.dim("not before "+clockTime(r.RetryAt)))
		}
		if r.Note != "" {
			a.printf("%s%s\n", indent, s.dim("note: "+oneLine(r.Note)))
		}
		if r.State == ledger.Unknown {
			a.printf("%s%s\n", indent, s.dim(fmt.Sprintf("look on the network, then: postrider resolve %s %s --published URL, or --unsent", r.Post, r.Account)))
		}
	}
}
