package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// adoptFlags are what adopt is asked.
type adoptFlags struct {
	deskFlags
	accounts  []string
	before    string
	find      bool
	published []string
	sure      consent
}

func (a *app) adoptCommand() *cobra.Command {
	var f adoptFlags
	cmd := &cobra.Command{
		Use:     "adopt [POST…]",
		GroupID: groupPublish,
		Short:   "Mark what is out already as published, without sending it",
		Long: `Record posts as published that went out without Postrider: from another tool, by hand, or under a
ledger that was lost. Nothing is sent, now or later. POST is a post's id or the path of its file; without
it, all posts are meant that are due and were never begun. A delivery that is or was under way is none of
them: that is settled by the next run, or by "postrider resolve".

Without --find your word counts, and where the posts are stays unknown, so that they cannot be edited or
taken down from here. With --find the networks are asked, and only what they have is adopted, with its
address; the rest is listed, and the exit code is 1. What is going to be recorded is shown first, and
asked about on a terminal; elsewhere --yes says that it is meant. It is one commit on the ledger branch.`,
		Example: `  postrider adopt --find --dry-run              # what is there already?
  postrider adopt --find --account fedi
  postrider adopt --before 2026-12-01 --yes     # all that was due before we moved here
  postrider adopt k3v9q2xh --account bluesky --published https://bsky.app/profile/acme.example/post/3l2x`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := exclusive(cmd, "find", "published"); err != nil {
				return err
			}
			if len(f.published) > 0 && len(args) != 1 {
				return usagef(cmd, "takes --published for one post at a time")
			}
			for _, p := range f.published {
				if strings.TrimSpace(p) == "" {
					return usagef(cmd, "needs the address or the id that the network gave the post")
				}
			}
			desk, repo, err := a.openDesk(cmd.Context(), f.deskFlags, plan.BacklogStop)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			cfg, err := a.mergedConfig(repo, desk)
			if err != nil {
				return err
			}
			all, err := desk.Adoptable()
			if err != nil {
				return err
			}
			chosen, timeless, err := a.choose(all, cfg, args, &f)
			if err != nil {
				return err
			}
			name, mail := repo.Identity(cmd.Context())
			return a.adopt(cmd.Context(), desk, chosen, timeless, fmt.Sprintf("%s <%s>", name, mail), &f)
		},
	}
	f.add(cmd)
	f.sure.add(cmd, "record it without asking", "say what would be recorded and write nothing")
	flags := cmd.Flags()
	flags.StringSliceVar(&f.accounts, "account", nil, "only on these `ACCOUNTS`, or platforms")
	flags.StringVar(&f.before, "before", "", "only what was due before `TIME`")
	flags.BoolVar(&f.find, "find", false, "ask the networks, and adopt only what is there")
	flags.StringSliceVar(&f.published, "published", nil, "it is at `URL`, or has this id; once for each part of a thread")
	return cmd
}

// choose returns the adoptions that are meant, and how many were left out only because they have no time.
func (a *app) choose(all []publish.Adoption, cfg *config.Site, posts []string, f *adoptFlags) (chosen []publish.Adoption, timeless int, err error) {
	accounts, unknown := cfg.Expand(f.accounts)
	if len(unknown) > 0 {
		return nil, 0, unknownAccount(unknown[0], cfg)
	}
	before, err := a.momentFlag(f.before, cfg, false)
	if err != nil {
		return nil, 0, err
	}
	if before.After(a.Now()) {
		return nil, 0, &usageError{msg: "--before names a time to come: what is not due yet cannot be out", hint: "a draft, or `postrider resolve POST ACCOUNT --skip`, keeps a post from going out"}
	}
	files := map[string]string{}
	for _, name := range posts {
		files[a.sitePathOf(name)] = name
	}
	found := map[string]bool{}
	for _, x := range all {
		name, byFile := files[x.Path]
		if slices.Contains(posts, x.Post) {
			name, byFile = x.Post, true
		}
		switch {
		case len(posts) > 0 && !byFile, len(f.accounts) > 0 && !slices.Contains(accounts, x.Account):
			continue
		case !before.IsZero() && x.Due.IsZero() && len(posts) == 0:
			timeless++
			continue
		case !before.IsZero() && !x.Due.Before(before):
			continue
		}
		found[name] = true
		chosen = append(chosen, x)
	}
	for _, name := range posts {
		if !found[name] {
			return nil, 0, &usageError{
				msg:  fmt.Sprintf("%q is not to be adopted: it is no post, not due, settled already, or under way", name),
				hint: fmt.Sprintf("`postrider status %s` and `postrider plan` say which; `postrider resolve` settles what is under way", name),
			}
		}
	}
	if len(f.published) > 0 && len(chosen) > 1 {
		var names []string
		for i := range chosen {
			names = append(names, chosen[i].Account)
		}
		return nil, 0, &usageError{msg: fmt.Sprintf("--published is where it is on one account, and this goes to %s", strings.Join(names, ", ")), hint: "say which with --account"}
	}
	return chosen, timeless, nil
}

// unknownAccount says that site.yaml lacks an account or platform.
func unknownAccount(name string, cfg *config.Site) error {
	e := &usageError{msg: fmt.Sprintf("the merged site.yaml has no account or platform %q", name), hint: "it has " + strings.Join(cfg.Names(), ", ")}
	if near := content.Nearest(name, cfg.Names()); near != "" {
		e.hint = fmt.Sprintf("did you mean %s?", near)
	}
	return e
}

// adopt looks for what was chosen, shows it, and records it.
func (a *app) adopt(ctx context.Context, desk *publish.Desk, chosen []publish.Adoption, timeless int, who string, f *adoptFlags) error {
	desk.HTTP = a.HTTP
	if f.find {
		if err := a.findAll(ctx, desk, chosen); err != nil {
			return err
		}
	}
	for i := range f.published {
		part := platform.Remote{ID: f.published[i], Part: i}
		if strings.Contains(part.ID, "://") {
			part.URL = part.ID
		}
		chosen[0].Parts = append(chosen[0].Parts, part)
	}
	var meant, missing []publish.Adoption
	for _, x := range chosen {
		if x.Err != nil {
			missing = append(missing, x)
		} else {
			meant = append(meant, x)
		}
	}
	if !f.json {
		a.printAdoptions(meant, missing, timeless, f)
	}
	if !f.sure.dryRun && len(meant) > 0 {
		question := "Record this as out?"
		if len(meant) > 1 {
			question = fmt.Sprintf("Record these %d deliveries as out?", len(meant))
		}
		if ok, err := f.sure.given(ctx, a, question); err != nil || !ok {
			return err
		}
		records, err := desk.Adopt(ctx, meant, who)
		if err != nil {
			return err
		}
		if len(records) < len(meant) {
			recorded := map[string]bool{}
			for _, r := range records {
				recorded[r.ID().String()] = true
			}
			meant = slices.DeleteFunc(meant, func(x publish.Adoption) bool { return !recorded[x.ID().String()] })
		}
		if !f.json {
			a.printf("Recorded as out: %s. Nothing sends it again. The ledger is at %.10s.\n", deliveries(len(meant)), desk.Ledger.Tip())
		}
	}
	if f.json {
		if err := a.printJSON(jsonAdopt{DryRun: f.sure.dryRun, Adopted: adoptionsJSON(meant), NotFound: adoptionsJSON(missing), LedgerCommit: string(desk.Ledger.Tip())}); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		return errFindings
	}
	return nil
}

// findAll asks the networks for all adoptions, with progress on a terminal.
func (a *app) findAll(ctx context.Context, desk *publish.Desk, list []publish.Adoption) error {
	var mu sync.Mutex
	done := 0
	err := desk.FindAdoptions(ctx, list, func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if a.StderrTerminal && !a.verbose {
			fmt.Fprintf(a.Stderr, "\r\x1b[K[%d/%d] asking the networks …", done, len(list)) //nolint:errcheck // only decoration
		}
	})
	if a.StderrTerminal && !a.verbose {
		fmt.Fprint(a.Stderr, "\r\x1b[K") //nolint:errcheck // only decoration
	}
	return err
}

// jsonAdopt is what adopt prints, as docs/JSON.md promises it.
type jsonAdopt struct {
	DryRun       bool           `json:"dry_run,omitempty"`
	Adopted      []jsonAdoption `json:"adopted"`
	NotFound     []jsonAdoption `json:"not_found"`
	LedgerCommit string         `json:"ledger_commit"`
}

type jsonAdoption struct {
	Post        string     `json:"post"`
	Path        string     `json:"path"`
	Account     string     `json:"account"`
	Platform    string     `json:"platform"`
	Occurrence  string     `json:"occurrence,omitempty"`
	Due         jsonTime   `json:"due,omitzero"`
	PublishedAt jsonTime   `json:"published_at,omitzero"`
	Parts       []jsonPart `json:"parts"`
	Absent      bool       `json:"absent,omitempty"`
	Error       string     `json:"error,omitempty"`
}

func adoptionsJSON(adoptions []publish.Adoption) []jsonAdoption {
	out := []jsonAdoption{}
	for _, x := range adoptions {
		j := jsonAdoption{
			Post: x.Post, Path: x.Path, Account: x.Account, Platform: string(x.Platform), Occurrence: x.Occurrence,
			Due: jsonTime{x.Due}, PublishedAt: jsonTime{x.At}, Parts: partsJSON(x.Parts),
		}
		if x.Err != nil {
			j.Absent, j.Error = errors.Is(x.Err, platform.ErrNotFound), x.Err.Error()
		}
		out = append(out, j)
	}
	return out
}

// maxAdoptLines is how many posts adopt lists before it asks; --dry-run lists all.
const maxAdoptLines = 50

// printAdoptions says what is going to be recorded as out, and what was not found.
func (a *app) printAdoptions(meant, missing []publish.Adoption, timeless int, f *adoptFlags) {
	s := a.stdoutStyle()
	indent := strings.Repeat(" ", 12)
	lines := 0
	for i := 0; i < len(meant); {
		x := &meant[i]
		accounts := []string{}
		var parts []platform.Remote
		for ; i < len(meant) && meant[i].Path == x.Path && meant[i].Occurrence == x.Occurrence; i++ {
			accounts = append(accounts, meant[i].Account)
			parts = append(parts, meant[i].Parts...)
		}
		if lines++; lines > maxAdoptLines && !f.sure.dryRun {
			continue
		}
		a.printf("%s  %s → %s\n%s%s\n", s.green(pad("adopt", 10)), s.bold(oneLine(cmp.Or(x.Title, x.Path))), strings.Join(accounts, ", "),
			indent, s.dim(fmt.Sprintf("%s, %s", x.Path, whenDue(x.Due))))
		for _, p := range parts {
			a.printf("%s%s\n", indent, s.under(printable(cmp.Or(p.URL, p.ID))))
		}
	}
	if more := lines - maxAdoptLines; more > 0 && !f.sure.dryRun {
		a.printf("%s\n", s.dim(fmt.Sprintf("… and %s more: --dry-run lists all.", count(more, "post"))))
	}
	for i := 0; i < len(missing); {
		x := &missing[i]
		state, reason := whyMissing(x)
		accounts := []string{}
		for ; i < len(missing) && missing[i].Path == x.Path && missing[i].Occurrence == x.Occurrence; i++ {
			if s, r := whyMissing(&missing[i]); s != state || r != reason {
				break
			}
			accounts = append(accounts, missing[i].Account)
		}
		a.printf("%s  %s → %s\n%s%s\n", s.yellow(pad(state, 10)), s.bold(oneLine(cmp.Or(x.Title, x.Path))), strings.Join(accounts, ", "), indent, s.dim(oneLine(a.scrub(reason))))
	}
	if len(meant)+len(missing) == 0 {
		a.printf("Nothing is there to adopt: all that is due has a record.\n")
	}
	if timeless > 0 {
		a.printf("%s\n", s.dim(fmt.Sprintf("%s without a time left out: name the posts to adopt them.", deliveries(timeless))))
	}
	if len(meant) > 0 && !f.find && len(f.published) == 0 {
		a.printf("%s\n", s.dim("Your word counts: the networks are not asked. --find asks them."))
	}
}

// whyMissing says why a post was not found, in a word and in a sentence.
func whyMissing(x *publish.Adoption) (state, reason string) {
	switch {
	case !errors.Is(x.Err, platform.ErrNotFound):
		return "no answer", x.Err.Error()
	case x.Due.IsZero():
		return "not there", "nothing of the last 30 days says the same"
	default:
		return "not there", "nothing since " + clockTime(x.Due) + " says the same"
	}
}

// whenDue says when something goes out.
func whenDue(due time.Time) string {
	if due.IsZero() {
		return "as soon as merged"
	}
	return "due " + clockTime(due)
}
