package gitrepo

import (
	"context"
	"errors"
)

// CheckPush asks a remote whether it lets us push, without pushing anything: the error is what [Repo.Push] would
// return, as far as that is known beforehand. Rules for single branches, and hooks, a remote reveals only to a real push.
func (r *Repo) CheckPush(ctx context.Context, remote string, commit Hash) error {
	ctx, cancel := r.limit(ctx)
	defer cancel()
	c, _, err := r.connect(ctx, "push", remote, true)
	if err != nil {
		return err
	}
	switch c := c.(type) {
	case *wire:
		s, _, err := advertised(ctx, c, openReceive)
		if err == nil {
			c.done(s)
		}
		return err
	case *gitConn:
		_, err := c.run(ctx, "-c", "push.gpgSign=false", "push", "--dry-run", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no",
			"--", c.target.name, string(commit)+":"+ownRefs+"check")
		return c.wrap(ctx, err)
	default:
		return errors.New("gitrepo: a connection of an unknown kind")
	}
}
