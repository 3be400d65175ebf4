package agenda

import (
	"context"
	"io/fs"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/site"
)

// Outline is what is known of a post without reading it again.
type Outline struct {
	Path  string // relative to the site's folder
	ID    string
	Files []string // the files besides its own that decide what it sends: media, and those of its link card; sorted
}

// Outlines returns the outlines of all posts of a tree, sorted by path. With a cache, only posts are read that have changed since it was
// last written. cfg may have errors.
func Outlines(ctx context.Context, o Options, tree *gitrepo.Tree, cfg *config.Site) ([]Outline, error) {
	a := &Agenda{o: o, tree: tree, config: cfg, fsys: tree.FS()}
	if o.Prefix != "" {
		var err error
		if a.fsys, err = fs.Sub(a.fsys, o.Prefix); err != nil {
			return nil, err
		}
	}
	a.reader = site.NewReader(cfg, o.Registry, a.fsys)
	if err := a.read(ctx); err != nil {
		return nil, err
	}
	a.save()
	all := make([]Outline, len(a.entries))
	for i := range a.entries {
		e := &a.entries[i]
		all[i] = Outline{Path: e.path, ID: e.id, Files: e.media}
	}
	return all, nil
}
