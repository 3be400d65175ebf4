package cli

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/publish"
)

// examineApproval looks whether publish could find out who has approved what, where that is asked for: whether the history is here, and
// whether the code host lets pull requests be read.
func (d *doctor) examineApproval(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, cfg *config.Site) {
	if !cfg.NeedsApproval() {
		return
	}
	say := func(status, name, message, hint string) {
		d.say(jsonCheck{Area: "approval", Name: name, Status: status, Message: message, Hint: hint})
	}
	if shallow, err := repo.IsShallow(); err == nil && shallow {
		say(statusProblem, "history", "the history of this clone is cut off: what people have approved cannot be found in it",
			"fetch all of it: `git fetch --unshallow`; in GitHub Actions and Gitea `fetch-depth: 0` of actions/checkout, in GitLab `GIT_DEPTH: 0`")
	}
	if cfg.RequireApproval.From == config.FromTrailers {
		say(statusNote, "", "it is read from Reviewed-by trailers: who may push to "+desk.Branch+" can write them", "")
		return
	}
	if d.flags.offline {
		say(statusNote, "", "the code host was not asked: the remote does not answer", "")
		return
	}
	host, err := d.codeHost(repo, d.lookup)(desk.Remote())
	if err != nil {
		say(statusProblem, "", "nobody can be asked who has approved what: "+err.Error(), "docs/REVIEW.md says what the token must be allowed")
		return
	}
	_, err = host.Merged(ctx, forge.Question{Commit: desk.Commit})
	switch e, ok := errors.AsType[*forge.Error](err); {
	case err == nil:
		say(statusOK, "", "the code host lets pull requests be read", "")
	case ok && e.Refused:
		say(statusProblem, "", err.Error(), "the token must be allowed to read pull requests: in a GitHub workflow `permissions: {contents: write, pull-requests: read}`")
	default:
		say(statusWarning, "", "the code host cannot be asked now, and what needs approval waits: "+err.Error(), "")
	}
}
