package gitrepo

import "context"

// Deepen brings more of the history of commits here, and the commits if need be: in a shallow clone, so many of each, itself counted. No
// reference moves. A clone that is whole stays as it is. Servers give what their branches and pull requests lead to; most also give any
// commit by its id, and those that do not refuse.
func (r *Repo) Deepen(ctx context.Context, remote string, depth int, commits ...Hash) error {
	if shallow, err := r.shallow(); err != nil || len(shallow) == 0 {
		return err
	}
	r.removeTemps()
	ctx, cancel := r.limit(ctx)
	defer cancel()
	c, _, err := r.connect(ctx, "fetch", remote, false)
	if err != nil {
		return err
	}
	var specs []refspec
	for _, h := range commits {
		specs = append(specs, refspec{src: string(h)})
	}
	return c.fetch(ctx, commits, specs, depth)
}
