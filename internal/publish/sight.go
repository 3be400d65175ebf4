package publish

import (
	"context"
	"maps"
	"slices"

	"github.com/postrider/postrider/internal/gitrepo"
)

// Sight is where a desk has seen the remote's branches last: enough to ask later whether there is anything new.
type Sight struct {
	remote string // empty: the local branches decide
	heads  map[string]gitrepo.Hash
}

// Sight returns what the desk has seen, with what it has pushed.
func (d *Desk) Sight() Sight {
	remote, branch := d.Ledger.Where()
	s := Sight{remote, map[string]gitrepo.Hash{"refs/heads/" + branch: d.Ledger.Tip()}}
	if branch != d.Branch {
		s.heads["refs/heads/"+d.Branch] = gitrepo.Hash(d.Commit)
	} else if s.heads["refs/heads/"+branch] != gitrepo.Hash(d.Commit) {
		s.heads["refs/heads/"+branch] = "unknown" // what was pushed may stand on something that nobody has planned with
	}
	return s
}

// News reports whether anything has changed since: the posts, or the ledger. It costs a part of what [Open] does, and fetches nothing.
func (s Sight) News(ctx context.Context, repo *gitrepo.Repo) (bool, error) {
	now := map[string]gitrepo.Hash{}
	var err error
	if s.remote != "" {
		if now, err = repo.Heads(ctx, s.remote, slices.Collect(maps.Keys(s.heads))...); err != nil {
			return false, err
		}
	}
	for name, was := range s.heads {
		if s.remote == "" {
			if now[name], err = repo.Ref(name); err != nil {
				return false, err
			}
		}
		if now[name] != was {
			return true, nil
		}
	}
	return false, nil
}
