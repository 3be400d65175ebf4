package agenda

import (
	"errors"
	"io/fs"
	"path"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/site"
)

// Version is a post as it stood at a commit, as far as people may have approved it.
type Version struct {
	Path string // of its file; "": the commit has no such post
	// Files are what its renderings are made of besides site.yaml, whether they are there or not, relative to the site's folder.
	Files []string
	// Says holds the fingerprints of what the accounts got that it went to.
	Says map[string]string
}

// Version returns the post with an id as it stands at the agenda's commit. It is looked for where it is at another commit, and if it is not
// there, among the files that differ between the two: a post that was moved keeps its id.
func (a *Agenda) Version(id, file string, at *gitrepo.Tree) (Version, error) {
	v, err := a.versionAt(id, file)
	if err != nil || v.Path != "" {
		return v, err
	}
	changes, err := a.o.Repo.Diff(a.tree, at, path.Join(a.o.Prefix, site.ContentDir))
	if err != nil {
		return Version{}, err
	}
	for _, c := range changes {
		name := c.Path
		if a.o.Prefix != "" {
			name = name[len(path.Clean(a.o.Prefix))+1:]
		}
		if c.Old == gitrepo.Zero || name == file || !content.IsPost(name[len(site.ContentDir)+1:]) {
			continue
		}
		if v, err := a.versionAt(id, name); err != nil || v.Path != "" {
			return v, err
		}
	}
	return Version{}, nil
}

// versionAt returns a post if it stands in a file.
func (a *Agenda) versionAt(id, file string) (Version, error) {
	p, findings, err := a.parse(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Version{}, nil
	case err != nil:
		return Version{}, err
	case p.ID != id:
		return Version{}, nil
	}
	e := entry{path: file, media: mediaOf(p)}
	a.fillCard(&e)
	v := Version{Path: file, Files: append(e.media, file, linkcard.File(file)), Says: map[string]string{}}
	for _, account := range a.reader.Accounts(p) {
		r, err := a.inspect(p, account.Name, findings)
		if err != nil {
			return Version{}, err
		}
		v.Says[account.Name] = r.Rendering.Fingerprint()
	}
	return v, nil
}

// Tree returns the tree of the agenda's commit.
func (a *Agenda) Tree() *gitrepo.Tree { return a.tree }
