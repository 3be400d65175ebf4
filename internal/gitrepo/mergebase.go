package gitrepo

import (
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrCutOff means that an answer lies beyond the boundary of a shallow clone.
var ErrCutOff = errors.New("the history of this clone is cut off")

// MergeBase returns the commit from which two histories went apart: their best common ancestor, as `git merge-base` knows it; of
// several one of the newest. It is [Zero] where they have nothing in common, and the error is [ErrCutOff] where a shallow clone cannot
// tell. A commit at the boundary of such a clone still names its parents, and those that are here count: so a merge that was
// fetched alone, as pull requests are, leads to the branch that it merges into.
//
// Commits are visited newest first, so that of a long history only what lies between is read; a clock that was wrong costs time and
// changes nothing.
func (r *Repo) MergeBase(a, b Hash) (Hash, error) {
	s, err := r.meet(a, b)
	if err != nil {
		return Zero, err
	}
	for _, h := range s.found {
		if s.seen[h]&below == 0 {
			return h, nil
		}
	}
	if s.cut {
		return Zero, ErrCutOff
	}
	return Zero, nil
}

// IsAncestor reports whether a commit is another, or among those that lead to it.
func (r *Repo) IsAncestor(a, b Hash) (bool, error) {
	base, err := r.MergeBase(a, b)
	return base == a, err
}

// Since returns the commits that lead to a, a itself included, and not to b; the newest first. It is the answer of `git log b..a`, and like
// it follows all parents.
func (r *Repo) Since(b, a Hash) ([]CommitInfo, error) {
	s, err := r.meet(a, b)
	if err != nil {
		return nil, err
	}
	if s.cut {
		return nil, ErrCutOff
	}
	var list []CommitInfo
	for h, from := range s.seen {
		if from&(left|right) != left {
			continue
		}
		c, err := r.CommitInfo(h)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y CommitInfo) int {
		return cmp.Or(y.Time.Compare(x.Time), strings.Compare(string(x.Hash), string(y.Hash)))
	})
	return list, nil
}

// meet goes back from two commits to where their histories meet.
func (r *Repo) meet(a, b Hash) (*meeting, error) {
	s := &meeting{repo: r, seen: map[Hash]side{}, live: map[Hash]bool{}}
	if err := errors.Join(s.visit(a, left), s.visit(b, right)); err != nil {
		return nil, err
	}
	for len(s.live) > 0 {
		c := heap.Pop(&s.queue).(historyStep).commit
		delete(s.live, c.Hash)
		from := s.seen[c.Hash] & (left | right | below)
		if from&(left|right) == left|right {
			if from&below == 0 && s.seen[c.Hash]&found == 0 {
				s.seen[c.Hash] |= found
				s.found = append(s.found, c.Hash)
			}
			from |= below // what comes before a common ancestor is a worse one
		}
		parents, err := s.parents(c)
		if err != nil {
			return nil, err
		}
		for _, p := range parents {
			if err := s.visit(p, from); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// side says from which of two commits another is reached.
type side uint8

const (
	left side = 1 << iota
	right
	below // it comes before a common ancestor
	found // it is a common ancestor
)

// meeting is a search for the place where two histories meet.
type meeting struct {
	repo  *Repo
	seen  map[Hash]side
	live  map[Hash]bool // in the queue, and not below
	queue stepQueue
	found []Hash
	cut   bool // parents were named that are not here
}

// visit notes that a commit is reached from a side, and has it looked at if that is news.
func (s *meeting) visit(h Hash, from side) error {
	before := s.seen[h]
	if before|from == before {
		return nil
	}
	c, err := s.repo.CommitInfo(h)
	if err != nil {
		return fmt.Errorf("commit %s: %w", h.Short(), err)
	}
	s.seen[h] = before | from
	if s.live[h] = true; s.seen[h]&below != 0 {
		delete(s.live, h)
	}
	heap.Push(&s.queue, historyStep{commit: c, order: len(s.seen)})
	return nil
}

// parents returns those parents of a commit that are here.
func (s *meeting) parents(c CommitInfo) ([]Hash, error) {
	shallow, err := s.repo.shallow()
	if err != nil || !shallow[c.Hash] {
		return c.Parents, err
	}
	data, err := s.repo.objectOf(kindCommit, c.Hash)
	if err != nil {
		return nil, err
	}
	whole, err := parseCommit(data, s.repo.format)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", c.Hash.Short(), err)
	}
	var here []Hash
	for _, p := range whole.Parents {
		switch _, err := s.repo.objectOf(kindCommit, p); {
		case err == nil:
			here = append(here, p)
		case errors.Is(err, ErrNotFound):
			s.cut = true
		default:
			return nil, err
		}
	}
	return here, nil
}
