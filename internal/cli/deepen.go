package cli

import (
	"context"
	"errors"

	"github.com/postrider/postrider/internal/gitrepo"
)

// reach is how many commits of each branch are fetched, one after the other, to find where they went apart: what a pull request needs, and what an
// old one does. Beyond that a person should know what is fetched.
var reach = [...]int{64, 1024, 16384}

// mergeBase returns where two commits went apart. In a shallow clone, such as those of CI jobs, what is missing for that is fetched, unless nothing is
// to be asked or the remote does not give it: the error is then [gitrepo.ErrCutOff].
func (a *app) mergeBase(ctx context.Context, repo *gitrepo.Repo, tip, head gitrepo.Hash, offline bool) (gitrepo.Hash, error) {
	base, err := repo.MergeBase(tip, head)
	if offline || !errors.Is(err, gitrepo.ErrCutOff) {
		return base, err
	}
	remote, ok, remoteErr := repo.DefaultRemote()
	if remoteErr != nil || !ok {
		return base, errors.Join(err, remoteErr)
	}
	for _, depth := range reach {
		a.log.Debug("fetching more of the history", "depth", depth)
		if fetchErr := a.deepen(ctx, repo, remote, depth, tip, head); fetchErr != nil {
			if ctx.Err() != nil {
				return base, context.Cause(ctx)
			}
			a.log.Debug("the history cannot be fetched", "err", a.scrub(fetchErr.Error()))
			return base, err
		}
		if base, err = repo.MergeBase(tip, head); !errors.Is(err, gitrepo.ErrCutOff) {
			return base, err
		}
	}
	return base, err
}

// deepen fetches more of the history of the tip of a branch and of a commit. Some servers give what their branches lead to and nothing else; for the
// merge that a pull request would make, that is enough, since it names what it is merged into.
func (a *app) deepen(ctx context.Context, repo *gitrepo.Repo, remote string, depth int, tip, head gitrepo.Hash) error {
	err := repo.Deepen(ctx, remote, depth, tip, head)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return repo.Deepen(ctx, remote, depth, tip)
}

// commitOf fetches a commit that is named by its id and not in a shallow clone, and reports whether it is there then.
func (a *app) commitOf(ctx context.Context, repo *gitrepo.Repo, remote, name string) bool {
	if shallow, err := repo.IsShallow(); err != nil || !shallow {
		return false
	}
	if err := repo.Deepen(ctx, remote, 1, gitrepo.Hash(name)); err != nil {
		a.log.Debug("the commit cannot be fetched", "commit", name, "err", a.scrub(err.Error()))
		return false
	}
	_, err := repo.Resolve(name)
	return err == nil
}
