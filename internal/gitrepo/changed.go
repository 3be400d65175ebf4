package gitrepo

import "fmt"

// Steps compares commits that follow each other, as whoever goes back along a history does: what two of them share is not read twice, and
// of a long folder only what differs is looked at.
type Steps struct{ search authorSearch }

// Steps compares what is below dir.
func (r *Repo) Steps(dir string) *Steps {
	return &Steps{authorSearch{repo: r, dir: clean(dir), trees: treeCache{young: map[Hash][]byte{}}}}
}

// Changed returns the files below the folder that differ between two commits, in no order, by their paths from the top. before may be
// [Zero], which has none.
func (s *Steps) Changed(before, after Hash) ([]string, error) {
	a, err := s.folder(before)
	if err != nil {
		return nil, err
	}
	b, err := s.folder(after)
	if err != nil {
		return nil, err
	}
	var d moves
	if err := s.search.compare(s.search.dir, a, b, &d); err != nil {
		return nil, fmt.Errorf("commit %s: %w", after.Short(), err)
	}
	names := d.changed
	for _, f := range append(d.added, d.removed...) {
		names = append(names, f.name)
	}
	return names, nil
}

// folder returns the tree of the folder in a commit, Zero when there is none.
func (s *Steps) folder(commit Hash) (Hash, error) {
	if commit == Zero {
		return Zero, nil
	}
	c, err := s.search.repo.CommitInfo(commit)
	if err != nil {
		return Zero, err
	}
	e, err := s.search.find(c.Tree, s.search.dir)
	if err != nil {
		return Zero, fmt.Errorf("commit %s: %w", commit.Short(), err)
	}
	if e.mode&modeType != modeTree {
		return Zero, nil
	}
	return e.id, nil
}
