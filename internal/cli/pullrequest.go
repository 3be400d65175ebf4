package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/review"
	"github.com/postrider/postrider/internal/secret"
)

// pullRequest is where a review is written to.
type pullRequest struct {
	forge.Place
	host forge.Forge
}

// tokenNames are the variables that hold a code host's token; the first that is set counts.
var tokenNames = map[forge.Kind][]string{
	forge.GitHub: {"POSTRIDER_FORGE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"},
	forge.GitLab: {"POSTRIDER_FORGE_TOKEN", "GITLAB_TOKEN"},
	forge.Gitea:  {"POSTRIDER_FORGE_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"},
}

// forgeToken returns the token of a code host, "" when there is none.
func forgeToken(lookup func(string) string, kind forge.Kind) (token string) {
	for _, name := range tokenNames[kind] {
		token = cmp.Or(token, lookup(name))
	}
	return token
}

// statusContext names the review among the checks of a commit. A site in a folder has its name behind it.
const statusContext = "postrider/review"

// pullRequest finds out which pull request this CI job is for, and what to compare for it unless flags say otherwise.
//
// A job that runs after another, with a token but on the branch that is published, gets the commits of the pull request as data: nothing of
// them is checked out or run, so that a pull request from a fork can be reviewed by a job that may write.
func (a *app) pullRequest(ctx context.Context, dir string, repo *gitrepo.Repo, f *reviewFlags) (*pullRequest, error) {
	if err := a.loadDotenv(dir); err != nil {
		return nil, err
	}
	place, err := forge.Detect(a.Getenv, os.ReadFile)
	if err != nil {
		return nil, &usageError{msg: "--post: " + err.Error(), hint: "use it in a job for pull requests on GitHub, GitLab, Gitea or Forgejo; docs/REVIEW.md has workflows"}
	}
	p := &pullRequest{Place: place}
	token := forgeToken(a.lookup, place.Kind)
	if token == "" {
		names := tokenNames[place.Kind]
		return nil, &usageError{msg: fmt.Sprintf("--post needs a token of %s that may write comments", place.Kind), hint: fmt.Sprintf("set %s or %s in the job's environment", names[1], names[0])}
	}
	if p.host, err = forge.Open(place, secret.New(token), a.HTTP); err != nil {
		return nil, &usageError{msg: "--post: " + err.Error()}
	}
	if f.base == "" {
		f.base = place.Base
	}
	if p.Pull == 0 {
		if p.Pull, err = p.host.Find(ctx, place.Fork); err != nil {
			return nil, &failedError{err: err, hint: "it may have been closed or merged meanwhile"}
		}
	}
	if !place.After || f.head != "HEAD" {
		return p, nil
	}
	remote, ok, err := repo.DefaultRemote()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, &usageError{msg: "--post: there is no remote to fetch the pull request from"}
	}
	f.headName = fmt.Sprintf("pull request %d", p.Pull)
	f.head = fmt.Sprintf("refs/postrider/remotes/%s/pull/%d", remote, p.Pull)
	if _, err = repo.Fetch(ctx, remote, p.HeadRef()+":"+f.head); err != nil {
		return nil, err
	}
	return p, nil
}

// post writes a review under its pull request, and sets the status of the commit. A code host that is down or wants to be asked later is no
// reason to fail: what the review found, the exit code says all the same, and the next run writes the comment.
func (a *app) post(ctx context.Context, p *pullRequest, r *review.Review, o review.MarkdownOptions) error {
	if o.Limit == 0 || o.Limit > p.host.Limit() {
		o.Limit = p.host.Limit()
	}
	left := a.suggest(ctx, p, o.Folder, r.Repairs)
	o.Repairs = &left
	address, changed, err := p.host.Comment(ctx, p.Pull, review.MarkerOf(o.Folder), r.Markdown(o))
	if err != nil {
		return a.notPosted(err)
	}
	if changed {
		a.notef("the review is under pull request %d: %s", p.Pull, cmp.Or(address, "look there"))
	}
	status := forge.Status{Context: path.Join(statusContext, o.Folder), State: forge.Success, Description: r.Status(), URL: address}
	if r.New.Count(finding.Error) > 0 {
		status.State = forge.Failure
	}
	if err := p.host.Status(ctx, p.Head, status); err != nil {
		return a.notPosted(err)
	}
	return nil
}

func (a *app) notPosted(err error) error {
	if e, ok := errors.AsType[*forge.Error](err); ok && e.Refused {
		return &failedError{err: err, hint: "the token must be allowed to write comments and statuses: in a GitHub workflow `permissions: {contents: read, pull-requests: write, statuses: write}`, in one of Gitea `{contents: write, pull-requests: write}`"}
	}
	a.notef("%s the review was not posted, the next run does: %s", a.stderrStyle().yellow("note:"), printable(a.scrub(err.Error())))
	return nil
}
