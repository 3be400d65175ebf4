package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// verdict is a person's word on a delivery.
type verdict struct {
	published []string
	unsent    bool
	withdrawn bool
	skip      bool
	send      bool
	note      string
}

func (a *app) resolveCommand() *cobra.Command {
	var f deskFlags
	var v verdict
	cmd := &cobra.Command{
		Use:     "resolve POST [ACCOUNT]",
		GroupID: groupPublish,
		Short:   "Settle by hand what no run can settle",
		Long: `Record in the ledger what a person knows or decides about one post on one account. POST is the
post's id or the path of its file; ACCOUNT may be left out when only one account is open.

  --published URL   it is out, at this address or id (one for each part of a thread)
  --unsent          it is not out: the next run sends it
  --withdrawn       it was out and has been taken down
  --skip            it never goes out
  --send            it goes out with the next run although it is late, or says the same as another`,
		Example: `  postrider resolve k3v9q2xh bluesky --unsent
  postrider resolve content/2026/12/launch.md fedi --published https://example.social/@acme/1123
  postrider resolve k3v9q2xh --skip --note "overtaken by events"`,
		Args: argsBetween(1, 2, "a post, and the account if several are open"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := v.check(cmd); err != nil {
				return err
			}
			desk, repo, err := a.openDesk(cmd.Context(), f, plan.BacklogStop)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			who, mail := repo.Identity(cmd.Context())
			account := ""
			if len(args) == 2 {
				account = args[1]
			}
			rec, err := a.resolve(cmd.Context(), desk, repo, args[0], account, v, fmt.Sprintf("%s <%s>", who, mail))
			if err != nil {
				return err
			}
			if f.json {
				return a.printJSON(struct {
					Records []jsonRecord `json:"records"`
				}{recordsJSON([]*ledger.Record{rec})})
			}
			(&recordPrinter{w: a.Stdout, s: a.stdoutStyle(), zone: a.Now().Location()}).print(rec)
			return nil
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&v.published, "published", nil, "it is out, at `URL` or with this id")
	flags.BoolVar(&v.unsent, "unsent", false, "it is not out: send it with the next run")
	flags.BoolVar(&v.withdrawn, "withdrawn", false, "it was out and has been taken down")
	flags.BoolVar(&v.skip, "skip", false, "it never goes out")
	flags.BoolVar(&v.send, "send", false, "send it although it is late or a repeat")
	flags.StringVar(&v.note, "note", "", "why, for whoever reads the ledger")
	return cmd
}

func (v *verdict) check(cmd *cobra.Command) error {
	n := 0
	for _, set := range []bool{len(v.published) > 0, v.unsent, v.withdrawn, v.skip, v.send} {
		if set {
			n++
		}
	}
	if n != 1 {
		return usagef(cmd, "takes exactly one of --published, --unsent, --withdrawn, --skip and --send")
	}
	for _, p := range v.published {
		if strings.TrimSpace(p) == "" {
			return usagef(cmd, "needs the address or the id that the network gave the post")
		}
	}
	return nil
}

// resolve writes the verdict, on whatever the ledger says by then.
func (a *app) resolve(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, name, account string, v verdict, who string) (rec *ledger.Record, err error) {
	if err := desk.Begin(ctx); err != nil {
		return nil, err
	}
	err = a.onLedger(ctx, desk, func() error {
		if rec, err = a.recordToResolve(desk, repo, name, account); err != nil {
			return err
		}
		subject, err := v.apply(rec, a.Now(), who)
		if err != nil {
			return err
		}
		return desk.Ledger.Claim(ctx, subject, []*ledger.Record{rec})
	})
	return rec, err
}

// recordToResolve finds the one delivery that is meant: an open record, or a target that waits.
func (a *app) recordToResolve(desk *publish.Desk, repo *gitrepo.Repo, name, account string) (*ledger.Record, error) {
	view, err := desk.Ledger.View()
	if err != nil {
		return nil, err
	}
	file := a.sitePathOf(name)
	var found []*ledger.Record
	var accounts []string
	matches := func(post, path, of string) bool {
		return (post == name || path == file) && (account == "" || account == of)
	}
	records, err := a.recordsOf(view, desk, repo, name)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if matches(r.Post, r.Path, r.Account) && (account != "" || !r.State.Settled()) {
			found, accounts = append(found, r), append(accounts, r.Account)
		}
	}
	p, err := desk.Plan(a.Now())
	if err != nil {
		return nil, err
	}
	targets := map[ledger.ID]plan.Target{}
	for i := range p.Actions {
		targets[p.Actions[i].ID()] = p.Actions[i].Target
	}
	for _, w := range p.Waiting {
		targets[ledger.ID{Post: w.Post, Account: w.Account, Occurrence: w.Occurrence}] = w.Target
	}
	for id, t := range targets {
		known := slices.ContainsFunc(found, func(r *ledger.Record) bool { return r.ID() == id })
		if known || !matches(t.Post, t.Path, t.Account) {
			continue
		}
		found = append(found, &ledger.Record{
			Post: t.Post, Account: t.Account, Occurrence: id.Occurrence, Platform: string(t.Platform), Path: t.Path, Title: t.Title, Campaign: t.Campaign, Due: t.Due,
			Key: id.Key(), At: a.Now().UTC().Truncate(time.Millisecond), Fingerprint: t.Fingerprint, Said: t.Said, Source: t.Source, Commit: desk.Commit,
		})
		accounts = append(accounts, t.Account)
	}
	slices.Sort(accounts)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &usageError{msg: strings.TrimSpace(fmt.Sprintf("nothing is open for %q %s", name, account)), hint: "`postrider status` and `postrider plan` list what is; a settled delivery takes its account's name too"}
	default:
		return nil, &usageError{msg: fmt.Sprintf("%q is open on %s", name, strings.Join(slices.Compact(accounts), ", ")), hint: "say which account is meant"}
	}
}

// apply changes a record as the verdict says and returns the subject of the ledger's commit.
func (v *verdict) apply(rec *ledger.Record, now time.Time, who string) (string, error) {
	if rec.Lease != nil && rec.Lease.Until.After(now) && !ownerDead(rec.Lease.Owner) {
		return "", &failedError{
			err:  fmt.Errorf("run %s is at work on it until %s", rec.Lease.Run, clockTime(rec.Lease.Until)),
			hint: "wait for it to end: what it finds out is worth more than a guess",
		}
	}
	title := cmp.Or(rec.Title, rec.Post)
	rec.RetryAt = time.Time{}
	rec.Note = cmp.Or(v.note, rec.Note)
	if rec.Damaged != "" { // the person's word replaces what cannot be read
		rec.Damaged = ""
	}
	close := func(op ledger.Op, outcome, message string) {
		if last := rec.Last(); last == nil || last.Outcome != "" {
			rec.Begin(op, "by hand: "+who, now, rec.Fingerprint)
		}
		rec.End(now, outcome, message)
	}
	switch {
	case len(v.published) > 0:
		rec.State, rec.PublishedAt = ledger.Published, now
		rec.Parts = nil
		for i, p := range v.published {
			part := ledger.Part{Remote: platform.Remote{ID: p, Part: i}}
			if strings.Contains(p, "://") {
				part.URL = p
			}
			rec.Parts = append(rec.Parts, part)
		}
		close(ledger.OpPublish, "published", "")
		return "resolved: " + title + " is out on " + rec.Account, nil
	case v.withdrawn:
		rec.State, rec.WithdrawnAt = ledger.Withdrawn, now
		close(ledger.OpWithdraw, "withdrawn", "")
		return "resolved: " + title + " has been taken down from " + rec.Account, nil
	case v.skip:
		if rec.State == ledger.Published {
			return "", &usageError{msg: "it is out already", hint: "`withdraw: true` in the post takes it down"}
		}
		rec.State, rec.Lease = ledger.Skipped, nil
		return "resolved: " + title + " never goes to " + rec.Account, nil
	case v.unsent:
		rec.State, rec.PublishedAt = ledger.Unsent, time.Time{}
		rec.Parts = nil
		close(ledger.OpPublish, platform.Unsent.String(), "a person looked, and it is not there")
		rec.Last().Charge.USD = 0
		rec.Settle(0) // nothing of what may have been sent is charged for
		return "resolved: " + title + " is not on " + rec.Account, nil
	default: // send
		switch rec.State {
		case "", ledger.Unsent, ledger.Limited, ledger.Denied, ledger.Skipped:
		default:
			return "", &usageError{
				msg:  fmt.Sprintf("it is %s, not waiting for a word", rec.State),
				hint: "if it is not on the network, say --unsent; if it is, --published URL",
			}
		}
		rec.State, rec.Allowed = ledger.Unsent, who
		return "resolved: " + title + " goes to " + rec.Account + " all the same", nil
	}
}
