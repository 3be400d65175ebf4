package cli

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

// staged is what the next commit changes in a site.
type staged struct {
	repo  *gitrepo.Repo
	fsys  fs.FS    // the site as the commit will have it
	files []string // what differs from the commit before, relative to the site's folder
	posts []string // the posts that it concerns: those that differ, and those that show what differs
	near  []string // and those that have an id of theirs
}

// close releases the repository, from which files are read as they are asked for.
func (s *staged) close() {
	if s != nil {
		s.repo.Close() //nolint:errcheck // only read from
	}
}

// staged reads what is staged of the site in dir: the index, never the work tree.
func (a *app) staged(ctx context.Context, dir string) (*staged, error) {
	repo, err := a.openGit(dir)
	if err != nil {
		return nil, err
	}
	s, err := a.stagedIn(ctx, repo, dir)
	if err != nil {
		return nil, errors.Join(err, repo.Close())
	}
	return s, nil
}

func (a *app) stagedIn(ctx context.Context, repo *gitrepo.Repo, dir string) (*staged, error) {
	prefix, err := repo.Prefix(dir)
	if err != nil {
		return nil, err
	}
	tree, err := repo.Staged(ctx)
	if err != nil {
		if errors.Is(err, gitrepo.ErrUnmerged) {
			err = &failedError{err: err, hint: "settle them, and `git add` them"}
		}
		return nil, err
	}
	_, commit, err := repo.Head()
	if err != nil {
		return nil, err
	}
	head, err := repo.Tree(commit)
	if err != nil {
		return nil, err
	}
	s := &staged{repo: repo, fsys: tree.FS()}
	if prefix != "" {
		if s.fsys, err = fs.Sub(s.fsys, prefix); err != nil {
			return nil, err
		}
	}
	changes, err := repo.Diff(head, tree, prefix)
	if err != nil || len(changes) == 0 { // a commit of something else: no post is looked at
		s.fsys = site.Only(s.fsys, nil)
		return s, err
	}
	others := map[string]bool{} // files that are no posts: who shows them?
	for _, c := range changes {
		file := strings.TrimPrefix(strings.TrimPrefix(c.Path, prefix), "/")
		s.files = append(s.files, file)
		switch rel, in := strings.CutPrefix(file, site.ContentDir+"/"); {
		case !in || !content.IsPost(rel):
			others[file] = true
		case c.New != gitrepo.Zero:
			s.posts = append(s.posts, file)
		}
	}
	outlines, err := a.outlines(ctx, repo, tree, s.fsys, prefix)
	if err != nil {
		return nil, err
	}
	s.concern(outlines, others)
	s.fsys = site.Only(s.fsys, slices.Concat(s.posts, s.near))
	return s, nil
}

// outlines returns what is known of all posts. Its cache is not that of publish, which has another branch in it.
func (a *app) outlines(ctx context.Context, repo *gitrepo.Repo, tree *gitrepo.Tree, fsys fs.FS, prefix string) ([]agenda.Outline, error) {
	src, err := fs.ReadFile(fsys, config.File)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // without one, the check says so
		return nil, err
	}
	cfg, _ := config.Parse(config.File, src, a.Registry)
	cache := filepath.Join(repo.CommonDir(), "postrider", "staged", path.Clean(prefix))
	agenda.Sweep(cache, a.log)
	return agenda.Outlines(ctx, agenda.Options{
		Repo: repo, Prefix: prefix, Registry: a.Registry, Env: func(string) string { return "" }, Log: a.log, Version: buildVersion().String(),
		CacheDir: cache,
	}, tree, cfg)
}

// concern adds the posts that show files which are staged, and those that have the id of another.
func (s *staged) concern(outlines []agenda.Outline, others map[string]bool) {
	for _, o := range outlines {
		if slices.ContainsFunc(o.Files, func(f string) bool { return others[f] }) {
			s.posts = append(s.posts, o.Path)
		}
	}
	slices.Sort(s.posts)
	s.posts = slices.Compact(s.posts)
	is := make(map[string]bool, len(s.posts))
	for _, p := range s.posts {
		is[p] = true
	}
	ids := make(map[string]bool, len(s.posts))
	for _, o := range outlines {
		if is[o.Path] {
			ids[strings.ToLower(o.ID)] = true
		}
	}
	for _, o := range outlines {
		if !is[o.Path] && ids[strings.ToLower(o.ID)] {
			s.near = append(s.near, o.Path)
		}
	}
}

// selectChecked returns the posts that were checked: those that the arguments name, or those that are staged.
func (a *app) selectChecked(s *openSite, args []string, next *staged) ([]*post.Post, error) {
	switch {
	case next == nil:
		return a.selectPosts(s, args)
	case len(next.posts) == 0:
		return nil, nil
	}
	posts, _ := s.Select(next.posts...)
	return posts, nil
}

// stagedSecrets makes a finding of a .env that is staged, so that a hook keeps it out of the history; other errors it returns as they are.
func (a *app) stagedSecrets(staged bool, err error) error {
	if _, ok := errors.AsType[*trackedEnvError](err); staged && ok {
		a.report(err)
		return errFindings
	}
	return err
}
