package publish

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/gitrepo"
)

const (
	// mostSteps is how far back it is looked for the change that made a post say what it says.
	mostSteps = 20_000
	// mostChanges is how many of the latest changes of what a post says are looked at, and olderSteps how far back before the last of them
	// there may be another: an approval of what it said before explains why there is none.
	mostChanges = 5
	olderSteps  = 500
)

// errCutOff means that a shallow clone does not reach back to what has to be known.
var errCutOff = errors.New("the history of this clone is cut off: fetch all of it (`git fetch --unshallow`; in GitHub Actions and Gitea `fetch-depth: 0` of actions/checkout, in GitLab `GIT_DEPTH: 0`)")

// step is a commit of the branch that is published, compared with the one before it there.
type step struct {
	commit  gitrepo.CommitInfo
	parent  gitrepo.Hash // Zero: it is the first
	changed []string     // the files that differ, relative to the site's folder
}

// history is the branch that is published, from its tip back: of a merge, the branch that was merged into. It is read as far as somebody asks.
type history struct {
	repo   *gitrepo.Repo
	prefix string
	next   gitrepo.Hash
	steps  []step

	compare *gitrepo.Steps
}

// at returns the i-th commit from the tip, nil where there is none.
func (h *history) at(i int) (*step, error) {
	for i >= len(h.steps) && h.next != gitrepo.Zero && len(h.steps) < mostSteps {
		c, err := h.repo.CommitInfo(h.next)
		if err != nil {
			return nil, err
		}
		s := step{commit: c}
		if len(c.Parents) > 0 {
			s.parent = c.Parents[0]
		} else if cut, err := h.repo.IsCutOff(c.Hash); err != nil {
			return nil, err
		} else if cut {
			return nil, errCutOff
		}
		if s.changed, err = h.changes(s); err != nil {
			return nil, err
		}
		h.steps, h.next = append(h.steps, s), s.parent
	}
	if i >= len(h.steps) {
		return nil, nil
	}
	return &h.steps[i], nil
}

// changes returns the files that a step has changed.
func (h *history) changes(s step) ([]string, error) {
	if h.compare == nil {
		h.compare = h.repo.Steps(h.prefix)
	}
	names, err := h.compare.Changed(s.parent, s.commit.Hash)
	for i, name := range names {
		names[i] = strings.TrimPrefix(strings.TrimPrefix(name, h.prefix), "/")
	}
	return names, err
}

// later returns the commits that follow the i-th one, the nearest first, as long as they may have come with it in one pull request: none of
// them is a merge.
func (h *history) later(i int) (ids []string) {
	const most = 10
	for k := i - 1; k >= 0 && len(ids) < most && len(h.steps[k].commit.Parents) == 1 && len(h.steps[i].commit.Parents) == 1; k-- {
		ids = append(ids, string(h.steps[k].commit.Hash))
	}
	return ids
}

// change is a step that made a post say something else.
type change struct {
	*step
	index         int
	before, after agenda.Version
}

// trail is what became of one post, from the tip back.
type trail struct {
	post    string
	at      int // the step to look at next
	now     agenda.Version
	changes []change
	done    bool
}

// changesOf returns the latest changes of what a post says on an account, the last one first.
func (w *witnesses) changesOf(post, path, account string) (list []change, err error) {
	t := w.trails[post]
	if t == nil {
		t = &trail{post: post}
		if t.now, _, err = w.version(w.commit, post, path); err != nil {
			return nil, err
		}
		w.trails[post] = t
	}
	of := func() (list []change) {
		for _, c := range t.changes {
			if c.before.Says[account] != c.after.Says[account] {
				list = append(list, c)
			}
		}
		return list
	}
	for !t.done {
		list = of()
		if len(list) >= mostChanges || len(list) > 0 && t.at-list[len(list)-1].index > olderSteps {
			return list, nil
		}
		if err := w.extend(t); errors.Is(err, errCutOff) && len(of()) > 0 {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return of(), nil
}

// extend follows a trail by one step.
func (w *witnesses) extend(t *trail) error {
	s, err := w.history.at(t.at)
	if err != nil {
		return err
	}
	if s == nil || t.now.Path == "" {
		t.done = true
		return nil
	}
	t.at++
	if !slices.ContainsFunc(s.changed, func(name string) bool { return name == config.File || slices.Contains(t.now.Files, name) }) {
		return nil
	}
	before := agenda.Version{}
	if s.parent != gitrepo.Zero {
		var readable bool
		if before, readable, err = w.version(s.parent, t.post, t.now.Path); err != nil {
			return err
		}
		if !readable { // nothing went anywhere then: what counts is what was before
			return nil
		}
	}
	t.changes = append(t.changes, change{step: s, index: t.at - 1, before: before, after: t.now})
	t.now = before
	return nil
}

// version returns a post as it stood at a commit: it is looked for where it is now, or was at a commit that came after. readable is false
// where site.yaml has errors, so that nobody knows what would go where.
func (w *witnesses) version(commit gitrepo.Hash, post, path string) (v agenda.Version, readable bool, err error) {
	key := versionKey{commit, post}
	if v, ok := w.versions[key]; ok {
		return v, w.sites[commit] != nil, nil
	}
	a, ok := w.sites[commit]
	if !ok {
		var err error
		a, err = agenda.At(w.options, commit)
		if _, broken := errors.AsType[*agenda.ConfigError](err); broken {
			a, err = nil, nil
		}
		if err != nil && !errors.Is(err, agenda.ErrNoSite) {
			return v, false, err
		}
		if err == nil {
			w.sites[commit] = a
		} else {
			return v, true, nil // there was no site, and so no post
		}
	}
	if a != nil {
		tip, err := w.repo.Tree(w.commit)
		if err != nil {
			return v, false, err
		}
		if v, err = a.Version(post, path, tip); err != nil {
			return v, false, fmt.Errorf("commit %s: %w", commit.Short(), err)
		}
	}
	w.versions[key] = v
	return v, a != nil, nil
}

type versionKey struct {
	commit gitrepo.Hash
	post   string
}
