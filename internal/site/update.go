package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// Update returns the snapshot after the files at the given paths, relative to the site's folder, have changed, appeared or
// gone. Posts that no change concerns are shared with s, which stays as it is. One changed post costs reading one post; a changed
// picture, those that show it; a folder, a symbolic link or a new time zone, all. o replaces the options of Load: a prober
// that remembers pictures must have forgotten those that changed.
//
// With an error, such as a folder that cannot be read at the moment, s is still good to show.
func (s *Snapshot) Update(ctx context.Context, o Options, changed ...string) (*Snapshot, error) {
	next := *s
	next.o = o
	files := map[string]bool{}
	for _, name := range changed {
		files[clean(name)] = true
	}
	if files[config.File] {
		delete(files, config.File)
		if err := next.loadConfig(); err != nil {
			return nil, err
		}
		if next.Config.Location.String() != s.Config.Location.String() {
			return Load(ctx, s.fsys, s.reg, o)
		}
	}
	again, whole, err := next.concerned(files)
	if err != nil {
		return nil, err
	}
	if whole {
		err = next.loadPosts(ctx)
	} else {
		err = next.reread(ctx, again)
	}
	if err != nil {
		return nil, err
	}
	next.index()
	return &next, nil
}

// concerned returns the posts to be read again, and whether instead all must be.
func (s *Snapshot) concerned(files map[string]bool) (again map[string]bool, whole bool, err error) {
	again = map[string]bool{}
	pictures := map[string]bool{}
	for name := range files {
		if !under(name, ContentDir) && name != "." {
			pictures[name] = true // posts may show files from elsewhere in the site
			continue
		}
		info, err := lstat(s.fsys, name)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, false, fmt.Errorf("look at %q: %w", name, err)
		case err == nil && !info.Mode().IsRegular(), err != nil && s.holdsPosts(name):
			return nil, true, nil
		case content.IsPost(strings.TrimPrefix(name, ContentDir+"/")):
			again[name] = true
		default:
			pictures[name] = true
		}
	}
	if len(pictures) > 0 {
		for _, p := range s.Posts {
			if shows(p, pictures) {
				again[p.Path] = true
			}
		}
	}
	return again, false, nil
}

func lstat(fsys fs.FS, name string) (fs.FileInfo, error) {
	if links, ok := fsys.(fs.ReadLinkFS); ok {
		return links.Lstat(name)
	}
	return fs.Stat(fsys, name)
}

// holdsPosts reports whether name was a folder of posts.
func (s *Snapshot) holdsPosts(name string) bool {
	i, _ := slices.BinarySearchFunc(s.Posts, name+"/", func(p *post.Post, name string) int { return strings.Compare(p.Path, name) })
	return i < len(s.Posts) && strings.HasPrefix(s.Posts[i].Path, name+"/")
}

// shows reports whether a post has one of the files as media, also one that was missing so far.
func shows(p *post.Post, files map[string]bool) bool {
	if mediaIn(&p.Fields, files) || imagesIn(p.Body, files) {
		return true
	}
	for i := range p.Overrides {
		if o := &p.Overrides[i]; mediaIn(&o.Fields, files) || imagesIn(o.Body, files) {
			return true
		}
	}
	return false
}

func mediaIn(f *post.Fields, files map[string]bool) bool {
	return f.Card != nil && f.Card.Image != nil && files[f.Card.Image.Path] ||
		slices.ContainsFunc(f.Media, func(m post.Media) bool { return files[m.Path] })
}

func imagesIn(docs []post.Doc, files map[string]bool) bool {
	return slices.ContainsFunc(docs, func(d post.Doc) bool {
		return slices.ContainsFunc(d.Images(), func(m post.Media) bool { return files[m.Path] })
	})
}

// reread replaces, adds and removes the posts at the given paths.
func (s *Snapshot) reread(ctx context.Context, paths map[string]bool) error {
	if len(paths) == 0 {
		return nil
	}
	posts := slices.DeleteFunc(slices.Clone(s.Posts), func(p *post.Post) bool { return paths[p.Path] })
	found := slices.DeleteFunc(slices.Clone(s.read), func(f finding.Finding) bool { return paths[f.Path] })
	limit := s.o.MaxBytes
	if limit <= 0 {
		limit = content.DefaultMaxBytes
	}
	parser := content.NewParser(s.fsys, s.contentOptions())
	for name := range paths {
		if err := ctx.Err(); err != nil {
			return err
		}
		src, err := readFile(s.fsys, name, limit)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil { // loading says what is wrong with it
			return s.loadPosts(ctx)
		}
		p, list := parser.Parse(name, src)
		posts = append(posts, p)
		found = append(found, list...)
	}
	slices.SortFunc(posts, func(a, b *post.Post) int { return strings.Compare(a.Path, b.Path) })
	s.Posts, s.read = posts, found
	return nil
}
