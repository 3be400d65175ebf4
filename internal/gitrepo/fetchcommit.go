package gitrepo

import (
	"context"
	"errors"
	"fmt"
)

// FetchCommit brings a commit of a remote here by its id, with what leads to it; in a shallow clone it comes alone. Servers of code hosts
// give out any commit that they still have, also one that no branch leads to any more, after a branch was pushed by force. It asks
// nobody for a commit that is here. No reference but one of our own is moved, which holds on to the commit that was fetched last.
func (r *Repo) FetchCommit(ctx context.Context, remote string, id Hash) error {
	if !r.format.valid(string(id)) {
		return fmt.Errorf("%w: %q is not the id of a commit", ErrNotFound, id)
	}
	if here, err := r.Has(id); err != nil || here {
		return err
	}
	shallow, err := r.IsShallow()
	if err != nil {
		return err
	}
	spec := refspec{string(id), ownRefs + "remotes/" + remote + "/looked-at"}
	if err := checkRefName(spec.dst); err != nil {
		return fmt.Errorf("fetch %s: %w", id.Short(), err)
	}
	r.removeTemps()
	ctx, cancel := r.limit(ctx)
	defer cancel()
	c, _, err := r.connect(ctx, "fetch", remote, false)
	if err != nil {
		return err
	}
	depth := 0
	if shallow {
		depth = 1
	}
	if err := c.fetch(ctx, []Hash{id}, []refspec{spec}, depth); err != nil {
		return err
	}
	old, err := r.back.ref(spec.dst)
	if err != nil || old == id {
		return err
	}
	if err := r.setRef(ctx, spec.dst, old, id, "postrider: fetch"); err != nil && !errors.Is(err, ErrLocked) && !errors.Is(err, ErrMoved) {
		return err
	}
	return nil
}

// Has reports whether a commit is here.
func (r *Repo) Has(id Hash) (bool, error) {
	switch _, err := r.objectOf(kindCommit, id); {
	case errors.Is(err, ErrNotFound), errors.Is(err, errMissing):
		return false, nil
	default:
		return err == nil, err
	}
}
