package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// deskFlags are the flags that all verbs about the merged site share.
type deskFlags struct {
	branch  string
	offline bool
	noCache bool
	json    bool
}

func (f *deskFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.branch, "branch", "", "the publishing `BRANCH`, instead of site.yaml's or the remote's default")
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "read every post anew")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON")
}

// openDesk opens the site as it is merged, with its ledger. The caller closes the repository.
func (a *app) openDesk(ctx context.Context, f deskFlags, backlog plan.Backlog) (*publish.Desk, *gitrepo.Repo, error) {
	dir, siteErr := a.siteDir()
	if siteErr != nil {
		dir = a.dir // a bare repository has no site.yaml lying about
	}
	repo, err := a.openGit(dir)
	if err != nil {
		return nil, nil, err
	}
	desk, err := a.deskOf(ctx, repo, dir, siteErr, f, backlog)
	if err != nil {
		return nil, nil, errors.Join(err, repo.Close())
	}
	return desk, repo, nil
}

func (a *app) deskOf(ctx context.Context, repo *gitrepo.Repo, dir string, siteErr error, f deskFlags, backlog plan.Backlog) (*publish.Desk, error) {
	if siteErr != nil && repo.Root() != "" {
		return nil, siteErr
	}
	prefix, err := repo.Prefix(dir)
	if err != nil {
		return nil, err
	}
	if siteErr == nil {
		if err := a.refuseTrackedEnv(dir); err != nil {
			return nil, err
		}
		if err := a.loadDotenv(dir); err != nil {
			return nil, err
		}
	}
	open := a.openOptions(repo, prefix, f, a.lookup)
	open.Backlog = backlog
	return publish.Open(ctx, open)
}

// openOptions says how a site of a repository is opened, with this program's surroundings and the secrets of lookup.
func (a *app) openOptions(repo *gitrepo.Repo, prefix string, f deskFlags, lookup func(string) string) publish.OpenOptions {
	return publish.OpenOptions{
		Repo: repo, Prefix: prefix, Branch: f.branch, Offline: f.offline, NoCache: f.noCache, Registry: a.Registry, Env: lookup,
		Version: buildVersion().String(), Now: a.Now, Wait: a.Wait, Log: a.log, OwnerDead: ownerDead,
		Forge: a.codeHost(repo, lookup),
	}
}

// lookDesk opens a desk to look at: when the remote does not answer, what was last seen of it has to do.
func (a *app) lookDesk(ctx context.Context, f deskFlags) (*publish.Desk, *gitrepo.Repo, error) {
	desk, repo, err := a.openDesk(ctx, f, plan.BacklogStop)
	if err != nil && !f.offline && (errors.Is(err, gitrepo.ErrUnreachable) || errors.Is(err, gitrepo.ErrAuth)) {
		a.notef("%s the remote cannot be asked, showing what was last seen of it: %s", a.stderrStyle().yellow("note:"), printable(a.scrub(err.Error())))
		f.offline = true
		return a.openDesk(ctx, f, plan.BacklogStop)
	}
	return desk, repo, err
}

// mergedSite opens the site's folder as it is merged.
func (a *app) mergedSite(repo *gitrepo.Repo, desk *publish.Desk) (tree *gitrepo.Tree, prefix string, err error) {
	dir, err := a.siteDir()
	if err != nil {
		dir = a.dir
	}
	if prefix, err = repo.Prefix(dir); err != nil {
		return nil, "", err
	}
	tree, err = repo.Tree(gitrepo.Hash(desk.Commit))
	return tree, prefix, err
}

// mergedConfig reads site.yaml as it is merged. Of one with errors, what could be read counts.
func (a *app) mergedConfig(repo *gitrepo.Repo, desk *publish.Desk) (*config.Site, error) {
	tree, prefix, err := a.mergedSite(repo, desk)
	if err != nil {
		return nil, err
	}
	cfg, _, err := agenda.Config(tree, prefix, a.Registry)
	return cfg, err
}

// jsonWaiting is a target that waits, as docs/JSON.md promises it.
type jsonWaiting struct {
	Post       string    `json:"post"`
	Path       string    `json:"path"`
	Account    string    `json:"account"`
	Platform   string    `json:"platform"`
	Occurrence string    `json:"occurrence,omitempty"`
	State      string    `json:"state"`
	Reason     string    `json:"reason"`
	Due        jsonTime  `json:"due,omitzero"`
	Until      jsonTime  `json:"until,omitzero"`
	Cost       *jsonCost `json:"cost,omitempty"`
}

func waitingJSON(waiting []plan.Waiting) []jsonWaiting {
	out := []jsonWaiting{}
	for _, w := range waiting {
		out = append(out, jsonWaiting{
			Post: w.Post, Path: w.Path, Account: w.Account, Platform: string(w.Platform), Occurrence: w.Occurrence,
			State: string(w.State), Reason: w.Reason, Due: jsonTime{w.Due}, Until: jsonTime{w.Until}, Cost: costJSON(platform.Sum(w.Costs...)),
		})
	}
	return out
}

// jsonAction is something to do, as docs/JSON.md promises it.
type jsonAction struct {
	Post        string      `json:"post"`
	Path        string      `json:"path"`
	Account     string      `json:"account"`
	Platform    string      `json:"platform"`
	Occurrence  string      `json:"occurrence,omitempty"`
	Action      string      `json:"action"`
	Due         jsonTime    `json:"due,omitzero"`
	Fingerprint string      `json:"fingerprint,omitempty"`
	FetchesCard bool        `json:"fetches_card,omitempty"`
	LookOnly    string      `json:"look_only,omitempty"`
	Cost        *jsonCost   `json:"cost,omitempty"`
	Fitted      []jsonMedia `json:"fitted,omitempty"`
}

func actionsJSON(actions []plan.Action) []jsonAction {
	out := []jsonAction{}
	for i := range actions {
		x := &actions[i]
		j := jsonAction{
			Post: x.Post, Path: x.Path, Account: x.Account, Platform: string(x.Platform), Occurrence: x.Occurrence,
			Action: string(x.Verb), Due: jsonTime{x.Due}, Fingerprint: x.Fingerprint, FetchesCard: x.FetchesCard, LookOnly: x.Look, Cost: costJSON(x.Cost),
		}
		for k := range x.Fitted {
			j.Fitted = append(j.Fitted, *mediaJSON(&x.Fitted[k]))
		}
		out = append(out, j)
	}
	return out
}

// needsPerson reports whether nothing happens to a waiting target unless somebody acts.
func needsPerson(w *plan.Waiting, now time.Time) bool {
	switch w.State {
	case plan.WaitUnknown, plan.WaitDenied, plan.WaitRejected:
		return w.Until.IsZero()
	case plan.WaitBlocked:
		return !w.Due.After(now)
	case plan.WaitUnapproved: // when nobody could be asked, the next run asks again
		return w.Until.IsZero()
	case plan.WaitFirstRun, plan.WaitCannot, plan.WaitOrphan:
		return true
	}
	return false
}

// expected reports whether a waiting target is as its author wants it, so that a count says enough.
func expected(s plan.WaitState) bool {
	switch s {
	case plan.WaitScheduled, plan.WaitDraft, plan.WaitSkipped, plan.WaitExpired, plan.WaitWithdrawn:
		return true
	}
	return false
}

// maxAlike is how many posts that wait for one and the same reason are named.
const maxAlike = 4

// printWaiting lists what waits and why: each post that somebody may want to act on, those that wait for the same reason together, and
// counts of the rest; with all, the rest as well.
func (a *app) printWaiting(waiting []plan.Waiting, settled int, all bool) {
	type reason struct{ state, reason string }
	type post struct {
		what     string
		accounts []string
	}
	var reasons []reason
	posts := map[reason][]*post{}
	targets := map[reason]int{}
	counts := map[plan.WaitState]int{}
	for i := range waiting {
		w := &waiting[i]
		counts[w.State]++
		if expected(w.State) && !all {
			continue
		}
		key, what := reason{string(w.State), w.Reason}, cmp.Or(w.Title, w.Path)
		if posts[key] == nil {
			reasons = append(reasons, key)
		}
		targets[key]++
		if l := posts[key]; len(l) == 0 || l[len(l)-1].what != what {
			posts[key] = append(posts[key], &post{what: what})
		}
		last := posts[key][len(posts[key])-1]
		name := w.Account
		if price := platform.Sum(w.Costs...); len(price) > 0 && all {
			name += fmt.Sprintf(" (about %s)", price.Total())
		}
		last.accounts = append(last.accounts, name)
	}
	s := a.stdoutStyle()
	for _, key := range reasons {
		mark := s.yellow(pad(key.state, 11))
		alike := posts[key]
		if len(alike) > maxAlike && !all {
			a.printf("%s %s, such as %s\n", mark, deliveries(targets[key]), oneLine(alike[0].what))
			alike = nil
		}
		for _, p := range alike {
			a.printf("%s %s → %s\n", mark, oneLine(p.what), strings.Join(p.accounts, ", "))
		}
		a.detail(s.dim, key.reason)
	}
	var rest []string
	for _, state := range []plan.WaitState{plan.WaitScheduled, plan.WaitDraft, plan.WaitSkipped, plan.WaitExpired, plan.WaitWithdrawn} {
		if n := counts[state]; n > 0 && !all {
			rest = append(rest, fmt.Sprintf("%d %s", n, state))
		}
	}
	if settled > 0 {
		rest = append(rest, fmt.Sprintf("%d done", settled))
	}
	if len(rest) > 0 {
		a.printf("%s\n", s.dim("Also: "+strings.Join(rest, ", ")+"."))
	}
}

// printNext says what goes out next, and in how long.
func (a *app) printNext(waiting []plan.Waiting, now time.Time) {
	next := sortedByTime(waiting)
	if len(next) == 0 {
		return
	}
	accounts := []string{}
	for _, w := range next {
		if w.Path == next[0].Path && w.Until.Equal(next[0].Until) {
			accounts = append(accounts, w.Account)
		}
	}
	a.printf("Next: %s, in %s: %s → %s\n", clockTime(next[0].Until), longDuration(next[0].Until.Sub(now)), oneLine(cmp.Or(next[0].Title, next[0].Path)), strings.Join(accounts, ", "))
}

// sortedByTime returns the targets that wait for a time only, soonest first.
func sortedByTime(waiting []plan.Waiting) []plan.Waiting {
	var next []plan.Waiting
	for _, w := range waiting {
		if (w.State == plan.WaitScheduled || w.State == plan.WaitQuiet) && !w.Until.IsZero() {
			next = append(next, w)
		}
	}
	slices.SortStableFunc(next, func(x, y plan.Waiting) int {
		return cmp.Or(x.Until.Compare(y.Until), strings.Compare(x.Path, y.Path), strings.Compare(x.Account, y.Account))
	})
	return next
}

// pad fills text up to n columns.
func pad(text string, n int) string {
	if len(text) >= n {
		return text
	}
	return text + strings.Repeat(" ", n-len(text))
}

// clockTime writes a time for people, with its zone.
func clockTime(t time.Time) string { return t.Format("Mon 2 Jan 2006 15:04 MST") }

// longDuration writes how long something is away, in the two largest units that matter.
func longDuration(d time.Duration) string {
	switch d = d.Round(time.Minute); {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 24*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 {
			return fmt.Sprintf("%s %s", count(int(d.Hours()), "hour"), count(m, "minute"))
		}
		return count(int(d.Hours()), "hour")
	default:
		if h := int(d.Hours()) % 24; h > 0 {
			return fmt.Sprintf("%s %s", count(int(d.Hours())/24, "day"), count(h, "hour"))
		}
		return count(int(d.Hours())/24, "day")
	}
}

// sitePathOf returns what a path on the command line is called inside the site: relative to the site's
// folder, with slashes. A path that is not below it is returned as it stands.
func (a *app) sitePathOf(name string) string {
	dir, err := a.siteDir()
	if err != nil {
		return filepath.ToSlash(filepath.Clean(name))
	}
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(a.dir, name)
	}
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		if _, err := os.Lstat(file); err == nil || !filepath.IsLocal(name) {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.ToSlash(filepath.Clean(name))
}
