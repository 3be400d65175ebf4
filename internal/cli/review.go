package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/pictures"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/review"
)

// reviewFlags are the flags of review.
type reviewFlags struct {
	deskFlags
	base, head, format string
	limit              int
	post               bool
	headName           string // what people call head, "" for its own name
	results            resultFlags
	pictures           pictureFlags
}

func (a *app) reviewCommand() *cobra.Command {
	var f reviewFlags
	cmd := &cobra.Command{
		Use:     "review",
		GroupID: groupPublish,
		Short:   "Show what a branch changes, as each network will show it",
		Long: `Review compares a branch with the place where it left the branch that is published: which posts
change, what each account gets instead of what, what merging does and when, and what is newly
wrong. It reads commits, never the files that lie about, and sends nothing.

It prints Markdown for a comment on a pull request. With --post, in a CI job of GitHub, GitLab,
Gitea or Forgejo, it writes that comment, in the place of the one that it wrote before, and sets
the commit's status. Where there is a Chromium, that draws a picture of each post's cards for the
comment. The exit code is 1 when the branch brings errors with it.`,
		Example: `  postrider review
  postrider review --base origin/main --head topic
  postrider review --post --format github   # in CI: a comment, and annotations on lines
  postrider review --json | jq '.posts[].targets[] | select(.effect.verb == "publish")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.json {
				if cmd.Flags().Changed("format") && f.format != "json" {
					return usagef(cmd, "takes either --json or --format %s", f.format)
				}
				f.format = "json"
			}
			if err := oneOfFormats(f.format, "markdown", "json", "github", "gitlab", "sarif"); err != nil {
				return err
			}
			if f.limit < 0 {
				return usagef(cmd, "needs a --limit of 0 or more bytes, not %d", f.limit)
			}
			if err := f.pictures.check(cmd); err != nil {
				return err
			}
			return a.review(cmd.Context(), f)
		},
	}
	f.add(cmd)
	f.results.add(cmd)
	cmd.Flags().BoolVar(&f.offline, "offline", false, "do not ask the remote")
	cmd.Flags().StringVar(&f.base, "base", "", "compare with the branch or commit `REF`, instead of with the publishing branch")
	cmd.Flags().StringVar(&f.head, "head", "HEAD", "the branch or commit `REF` to review")
	cmd.Flags().StringVar(&f.format, "format", "markdown", "print as `FORMAT`: markdown, json, or the problems alone as github, gitlab or sarif")
	cmd.Flags().BoolVar(&f.post, "post", false, "write it under the pull request that this CI job is for")
	f.pictures.add(cmd.Flags())
	cmd.Flags().IntVar(&f.limit, "limit", 0, "leave out details of the Markdown to stay within so many `BYTES`; 0 for none")
	return cmd
}

func (a *app) review(ctx context.Context, f reviewFlags) (err error) {
	dir, err := a.safeSiteDir()
	if err != nil {
		return err
	}
	repo, err := a.openGit(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	results, err := a.openResults(f.results)
	if err != nil {
		return err
	}
	defer results.close()
	var pull *pullRequest
	if f.post {
		if pull, err = a.pullRequest(ctx, dir, repo, &f); err != nil {
			return err
		}
	}
	desk, err := a.reviewDesk(ctx, repo, dir, &f)
	if err != nil {
		return err
	}
	c, err := a.comparison(ctx, repo, desk, dir, f)
	if err != nil {
		return err
	}
	sides, err := review.Load(ctx, c.before, c.after, a.Registry, c.changed...)
	if err != nil {
		return err
	}
	in := review.Input{Sides: sides, Registry: a.Registry, Now: a.Now()}
	if desk != nil {
		if in.Ledger, err = desk.Ledger.View(); err != nil {
			return err
		}
	}
	r, err := review.Make(ctx, in)
	if err != nil {
		return err
	}
	o := review.MarkdownOptions{Limit: f.limit, Folder: c.prefix, Base: c.baseName, Head: c.headName, Command: "postrider review"}
	f.pictures.folder = c.prefix
	drawn := pictures.Input{Sides: sides, Before: c.before, After: c.after, Registry: a.Registry, Review: r}
	err = a.pictures(ctx, repo, pull, drawn, f.pictures, &o)
	results.say(r.Markdown(f.pictures.summary(o, pull != nil)))
	if err != nil {
		return err
	}
	if pull != nil {
		if err := a.post(ctx, pull, r, o); err != nil {
			return err
		}
	}
	switch f.format {
	case "markdown":
		a.printf("%s", r.Markdown(o))
	case "json":
		err = a.printJSON(reviewJSON(r, c))
	default:
		err = a.writeForForge(f.format, dir, slices.Clone(r.New))
	}
	if err == nil && r.New.HasErrors() {
		err = errFindings
	}
	return err
}

// reviewDesk opens the ledger and the publishing branch. Without a publishing branch that can be read, such as before the first push, a review
// still has something to say: the desk is then nil, and the reason a note.
func (a *app) reviewDesk(ctx context.Context, repo *gitrepo.Repo, dir string, f *reviewFlags) (*publish.Desk, error) {
	if f.branch == "" { // what a branch is compared with is what it is to be merged into
		branch, err := branchOf(repo, f.base)
		if err != nil {
			return nil, err
		}
		f.branch = branch
	}
	open := func() (*publish.Desk, error) { return a.deskOf(ctx, repo, dir, nil, f.deskFlags, "") }
	desk, err := open()
	if err != nil && !f.offline && (errors.Is(err, gitrepo.ErrUnreachable) || errors.Is(err, gitrepo.ErrAuth)) {
		a.notef("%s the remote cannot be asked, comparing with what was last seen of it: %s", a.stderrStyle().yellow("note:"), printable(a.scrub(err.Error())))
		f.offline = true
		desk, err = open()
	}
	if err == nil || ctx.Err() != nil {
		return desk, err
	}
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		return nil, err
	}
	a.notef("%s the ledger cannot be read, so what is out already is not known: %s", a.stderrStyle().yellow("note:"), printable(a.scrub(err.Error())))
	return nil, nil
}

// branchOf returns the branch that a name means, of the remote or here; "" when it means none.
func branchOf(repo *gitrepo.Repo, name string) (string, error) {
	remote, _, err := repo.DefaultRemote()
	if err != nil || name == "" || isHash(name) {
		return "", err
	}
	branch := strings.TrimPrefix(name, remote+"/")
	for _, ref := range []string{"refs/remotes/" + remote + "/" + branch, "refs/heads/" + branch} {
		if _, err := repo.Resolve(ref); err == nil {
			return branch, nil
		} else if !errors.Is(err, gitrepo.ErrNotFound) {
			return "", err
		}
	}
	return "", nil
}

// comparison is what a review compares.
type comparison struct {
	base, head         gitrepo.Hash
	baseName, headName string // for people
	before, after      fs.FS  // the site's folder
	prefix             string // of the site's folder in the repository
	changed            []string
}

// comparison finds the two commits, and the files that differ. The branch is compared with the place where it began, so that what has
// been merged since is no part of the review.
func (a *app) comparison(ctx context.Context, repo *gitrepo.Repo, desk *publish.Desk, dir string, f reviewFlags) (*comparison, error) {
	head, err := repo.Resolve(f.head)
	if err != nil {
		return nil, a.noRevision(repo, f.head, err)
	}
	c := &comparison{head: head, headName: nameOf(cmp.Or(f.headName, f.head), head), baseName: f.base}
	tip, err := a.baseTip(ctx, repo, desk, &c.baseName, f)
	if err != nil {
		return nil, err
	}
	c.base, err = a.mergeBase(ctx, repo, tip, head, f.offline)
	switch {
	case errors.Is(err, gitrepo.ErrCutOff):
		return nil, &failedError{
			err:  fmt.Errorf("this clone does not reach back to where %s left %s", c.headName, c.baseName),
			hint: "fetch the history: `git fetch --unshallow`; in GitHub Actions and Gitea `fetch-depth: 0` of actions/checkout, in GitLab `GIT_DEPTH: 0`",
		}
	case err != nil:
		return nil, err
	}
	c.baseName = nameOf(c.baseName, c.base)
	prefix, err := repo.Prefix(dir)
	if err != nil {
		return nil, err
	}
	before, err := repo.Tree(c.base)
	if err != nil {
		return nil, err
	}
	after, err := repo.Tree(c.head)
	if err != nil {
		return nil, err
	}
	changes, err := repo.Diff(before, after, prefix)
	if err != nil {
		return nil, err
	}
	c.prefix = prefix
	for _, x := range changes {
		c.changed = append(c.changed, strings.TrimPrefix(strings.TrimPrefix(x.Path, prefix), "/"))
	}
	c.before, c.after = before.FS(), after.FS()
	if prefix != "" {
		sub := func(fsys fs.FS) fs.FS {
			at, subErr := fs.Sub(fsys, path.Clean(prefix))
			err = errors.Join(err, subErr)
			return at
		}
		c.before, c.after = sub(c.before), sub(c.after)
	}
	return c, err
}

// baseTip returns the commit of the branch to compare with: as the remote has it where it has one, for it knows better what it is at.
func (a *app) baseTip(ctx context.Context, repo *gitrepo.Repo, desk *publish.Desk, name *string, f reviewFlags) (gitrepo.Hash, error) {
	if *name == "" {
		if desk == nil || desk.Guessed && isCheckedOut(repo, desk.Branch) { // compared with itself, no branch changes anything
			return "", &usageError{msg: "it is not known which branch is published", hint: "name what to compare with: --base main; once merged, publish.branch in site.yaml says it"}
		}
		*name = desk.Branch
		return gitrepo.Hash(desk.Commit), nil
	}
	remote, ok, err := repo.DefaultRemote()
	if err != nil {
		return "", err
	}
	if branch := strings.TrimPrefix(*name, remote+"/"); ok {
		if !f.offline && !isHash(branch) {
			heads, err := repo.Fetch(ctx, remote, branch)
			if err == nil && heads["refs/heads/"+branch] != "" {
				return heads["refs/heads/"+branch], nil
			}
			if err != nil {
				a.log.Debug("the base is taken as it was last seen", "branch", branch, "err", a.scrub(err.Error()))
			}
		}
		if tip, err := repo.Resolve("refs/remotes/" + remote + "/" + branch); err == nil {
			return tip, nil
		}
	}
	tip, err := repo.Resolve(*name)
	if errors.Is(err, gitrepo.ErrNotFound) && ok && !f.offline && isHash(*name) && a.commitOf(ctx, repo, remote, *name) {
		return gitrepo.Hash(*name), nil
	}
	if err != nil {
		return "", a.noRevision(repo, *name, err)
	}
	return tip, nil
}

// isCheckedOut reports whether a branch is the one that is checked out.
func isCheckedOut(repo *gitrepo.Repo, branch string) bool {
	current, _, err := repo.Head()
	return err == nil && current == branch
}

// noRevision says that there is nothing of a name, and in a shallow clone why that may be.
func (a *app) noRevision(repo *gitrepo.Repo, name string, err error) error {
	if !errors.Is(err, gitrepo.ErrNotFound) {
		return err
	}
	hint := "name a branch, a tag or a commit"
	if shallow, shallowErr := repo.IsShallow(); shallowErr == nil && shallow {
		hint = "this clone has only a part of the history: in GitHub Actions and Gitea set `fetch-depth: 0` of actions/checkout, in GitLab `GIT_DEPTH: 0`"
	}
	return &usageError{msg: fmt.Sprintf("there is no %q in this repository", name), hint: hint}
}

func isHash(name string) bool {
	return len(name) >= 40 && strings.Trim(name, "0123456789abcdef") == ""
}

// nameOf returns what people call a commit: the name that it was asked for by, and what it is.
func nameOf(name string, at gitrepo.Hash) string {
	if isHash(name) || name == "" {
		return at.Short()
	}
	return name + " at " + at.Short()
}

// The shape that docs/JSON.md promises.
type (
	jsonReview struct {
		At       jsonTime         `json:"at"`
		Base     string           `json:"base"`
		Head     string           `json:"head"`
		Config   bool             `json:"config"`
		Posts    []jsonReviewPost `json:"posts"`
		New      finding.List     `json:"new"`
		Fixed    finding.List     `json:"fixed"`
		Standing int              `json:"standing"`
		Costs    []bill           `json:"costs"`
	}
	jsonReviewPost struct {
		Post    string             `json:"post"`
		Path    string             `json:"path"`
		Was     string             `json:"was,omitempty"`
		Title   string             `json:"title,omitempty"`
		Change  review.Kind        `json:"change"`
		Targets []jsonReviewTarget `json:"targets"`
	}
	jsonReviewTarget struct {
		Account     string         `json:"account"`
		Platform    platform.ID    `json:"platform"`
		Fingerprint string         `json:"fingerprint,omitempty"`
		Same        bool           `json:"same"`
		Effect      jsonEffect     `json:"effect"`
		Approval    int            `json:"approval,omitempty"`
		Timing      []jsonShift    `json:"timing,omitempty"`
		Cost        *jsonCost      `json:"cost,omitempty"`
		TokenEnds   string         `json:"token_ends,omitempty"`
		Before      *jsonRendering `json:"before,omitempty"`
		After       *jsonRendering `json:"after,omitempty"`
	}
	jsonEffect struct {
		Verb review.Verb `json:"verb"`
		At   jsonTime    `json:"at,omitzero"`
		Why  string      `json:"why,omitempty"`
	}
	jsonShift struct {
		Name   string `json:"name"`
		Before string `json:"before"`
		After  string `json:"after"`
	}
)

func reviewJSON(r *review.Review, c *comparison) jsonReview {
	out := jsonReview{
		At: jsonTime{r.At}, Base: string(c.base), Head: string(c.head), Config: r.Config, Posts: []jsonReviewPost{},
		New: r.New, Fixed: r.Fixed, Standing: r.Standing, Costs: []bill{},
	}
	for _, b := range r.Bills {
		out.Costs = append(out.Costs, bill{Account: b.Account, Month: b.Month, Spent: b.Spent, Now: b.Now, Coming: b.Coming, Cap: b.Cap})
	}
	for i := range r.Posts {
		p := &r.Posts[i]
		post := jsonReviewPost{Post: p.ID, Path: p.Path, Was: p.Was, Title: p.Title, Change: p.Kind, Targets: []jsonReviewTarget{}}
		for k := range p.Targets {
			t := &p.Targets[k]
			target := jsonReviewTarget{
				Account: t.Account, Platform: t.Platform, Fingerprint: t.Fingerprint, Same: t.Same,
				Effect: jsonEffect{t.Effect.Verb, jsonTime{t.Effect.At}, t.Effect.Why}, Approval: t.Approval, Cost: costJSON(t.Cost), TokenEnds: t.TokenDay(),
			}
			for _, s := range t.Timing {
				target.Timing = append(target.Timing, jsonShift(s))
			}
			if t.Before != nil {
				before := renderingJSON(&t.Before.Variant, &t.Before.Rendering)
				target.Before = &before
			}
			if t.After != nil {
				after := renderingJSON(&t.After.Variant, &t.After.Rendering)
				target.After = &after
			}
			post.Targets = append(post.Targets, target)
		}
		out.Posts = append(out.Posts, post)
	}
	return out
}
