package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/post"
)

// Update returns the snapshot after the files at the given paths, relative to the site's folder, have changed, appeared or
// gone. What no change concerns is shared with s, which stays as it is. One changed post costs reading one post; a changed
// picture, those that show it; a link card, its post; a folder that is gone, its posts; a folder that is there, a symbolic link or a new time zone, all. o
// replaces the options of Load: a prober that remembers pictures must have forgotten those that changed.
//
// With an error, such as a folder that cannot be read at the moment, s is still good to show.
func (s *Snapshot) Update(ctx context.Context, o Options, changed ...string) (*Snapshot, error) {
	next := *s
	next.o = o
	files := map[string]bool{}
	for _, name := range changed {
		files[clean(name)] = true
	}
	news := map[string]reading{}
	if files[config.File] {
		delete(files, config.File)
		own, err := next.loadConfig()
		if err != nil {
			return nil, err
		}
		next.OldConfig = o.KeepConfig && unreadable(own) && (s.OldConfig || !unreadable(about(s.Findings, config.File)))
		switch {
		case next.OldConfig:
			next.Config = s.Config
		case next.Config.Location.String() != s.Config.Location.String():
			return Load(ctx, next.fsys, s.reg, o)
		default:
			next.configure()
		}
		news[config.File] = read(nil, own)
	}
	again, whole, err := next.concerned(files)
	if err == nil && !whole {
		whole, err = next.reread(ctx, again, news)
	}
	if err != nil {
		return nil, err
	}
	if whole {
		own, ok := news[config.File]
		if !ok {
			own.found = about(s.Findings, config.File)
		}
		found, err := next.loadPosts(ctx)
		if err != nil {
			return nil, err
		}
		next.index(own.found, found)
		return &next, nil
	}
	next.apply(news)
	return &next, nil
}

// unreadable reports whether nothing of site.yaml could be read, by what was found in it.
func unreadable(own finding.List) bool {
	return slices.ContainsFunc(own, func(f finding.Finding) bool { return f.Code == config.CodeMissing || f.Code == config.CodeSyntax })
}

// In returns the snapshot as if its files stood in another file system; [Snapshot.Update] with all files that differ there makes it true.
func (s *Snapshot) In(fsys fs.FS) *Snapshot {
	other := *s
	other.fsys = fsys
	return &other
}

// concerned returns the files to be looked at again, and whether instead all must be.
func (s *Snapshot) concerned(files map[string]bool) (again map[string]bool, whole bool, err error) {
	again = map[string]bool{}
	var shown, lists showing
	for name := range files {
		info, err := lstat(s.fsys, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, false, fmt.Errorf("look at %q: %w", name, err)
		}
		isFile := err == nil && info.Mode().IsRegular()
		if under(name, ContentDir) || name == "." {
			if err == nil && !isFile {
				return nil, true, nil
			}
			// What is at or below a name that is gone is gone too, as is what was below one that is a file now.
			for _, p := range s.below(name) {
				again[p.Path] = true
			}
			for _, f := range below(s.Findings, name) {
				again[f.Path] = true
			}
			if isPost(name) {
				again[name] = true
				if _, was := s.at(name); was != isFile {
					lists.addList(name)
				}
				continue
			}
			if linkcard.IsFile(name) {
				for _, p := range s.Posts {
					if linkcard.File(p.Path) == name {
						again[p.Path] = true
					}
				}
			}
		} else if err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return nil, true, nil
		}
		shown.add(name, isFile) // posts may show files from elsewhere in the site, too
		lists.addList(name)
	}
	concerned := shown.among(s.Posts)
	if len(lists.lists) > 0 { // where a file is missing, a hint names one that is there
		concerned = append(concerned, lists.among(s.missing())...)
	}
	for _, p := range concerned {
		again[p.Path] = true
	}
	return again, false, nil
}

// missing returns the posts that name a file which is not there.
func (s *Snapshot) missing() (posts []*post.Post) {
	for i := range s.Findings {
		if f := &s.Findings[i]; f.Code == content.MissingCode {
			if p, ok := s.at(f.Path); ok {
				posts = append(posts, p)
			}
		}
	}
	return posts
}

// isPost reports whether a file below the content folder is a post.
func isPost(name string) bool {
	rel, ok := strings.CutPrefix(name, ContentDir+"/")
	return ok && content.IsPost(rel)
}

func lstat(fsys fs.FS, name string) (fs.FileInfo, error) {
	if links, ok := fsys.(fs.ReadLinkFS); ok {
		return links.Lstat(name)
	}
	return fs.Stat(fsys, name)
}

// below returns the posts below a folder, not one at its name.
func (s *Snapshot) below(name string) []*post.Post {
	return segment(s.Posts, name+"/", func(p *post.Post) bool { return strings.HasPrefix(p.Path, name+"/") },
		func(p *post.Post, name string) int { return strings.Compare(p.Path, name) })
}

// about returns those of a sorted list that are about a file.
func about(list finding.List, name string) finding.List {
	return segment(list, name, func(f finding.Finding) bool { return f.Path == name }, comparePath)
}

// below returns those of a sorted list that are about a file or what is below it.
func below(list finding.List, name string) finding.List {
	return slices.Concat(about(list, name),
		segment(list, name+"/", func(f finding.Finding) bool { return strings.HasPrefix(f.Path, name+"/") }, comparePath))
}

func comparePath(f finding.Finding, name string) int { return strings.Compare(f.Path, name) }

// segment returns the elements of a sorted list that begin where from would be and for which in holds.
func segment[T any](list []T, from string, in func(T) bool, compare func(T, string) int) []T {
	i, _ := slices.BinarySearchFunc(list, from, compare)
	j := i
	for j < len(list) && in(list[j]) {
		j++
	}
	return list[i:j:j]
}

// reading is what there is to know about a file that was looked at again.
type reading struct {
	post  *post.Post // nil: there is none
	found finding.List
}

func read(p *post.Post, found finding.List) reading {
	found.Sort()
	return reading{p, found}
}

// reread reads the posts at the given paths, and reports whether instead all must be read.
func (s *Snapshot) reread(ctx context.Context, paths map[string]bool, news map[string]reading) (whole bool, err error) {
	limit := s.o.MaxBytes
	if limit <= 0 {
		limit = content.DefaultMaxBytes
	}
	var parser *content.Parser
	for name := range paths {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if !isPost(name) {
			news[name] = read(nil, nil)
			continue
		}
		src, err := readFile(s.fsys, name, limit)
		if errors.Is(err, fs.ErrNotExist) {
			news[name] = read(nil, nil)
			continue
		}
		if err != nil { // loading says what is wrong with it
			return true, nil
		}
		if parser == nil {
			parser = content.NewParser(s.fsys, s.contentOptions())
		}
		news[name] = read(parser.Parse(name, src))
	}
	return false, nil
}

// apply puts the news in place. The lists are copied; the ids are compared again only if one of them has changed.
func (s *Snapshot) apply(news map[string]reading) {
	sameIDs := true // as before, and all different
	posts := make([]*post.Post, 0, len(s.Posts)+len(news))
	rest := s.Posts
	for _, name := range slices.Sorted(maps.Keys(news)) {
		if name == config.File {
			continue
		}
		i, had := slices.BinarySearchFunc(rest, name, func(p *post.Post, name string) int { return strings.Compare(p.Path, name) })
		posts = append(posts, rest[:i]...)
		rest = rest[i:]
		p := news[name].post
		if p != nil {
			posts = append(posts, p)
		}
		switch {
		case had != (p != nil), had && p.ID != rest[0].ID, slices.ContainsFunc(about(s.Findings, name), isSameID):
			sameIDs = false
		}
		if had {
			rest = rest[1:]
		}
	}
	s.Posts = append(posts, rest...)

	if !sameIDs {
		s.indexIDs()
		same := map[string]finding.List{}
		for _, f := range s.Findings {
			if isSameID(f) {
				same[f.Path] = nil
			}
		}
		for _, f := range content.SameIDs(s.Posts) {
			same[f.Path] = append(same[f.Path], f)
		}
		for name, list := range same {
			n, ok := news[name]
			if !ok {
				n.found = slices.DeleteFunc(slices.Clone(about(s.Findings, name)), isSameID)
			}
			news[name] = read(n.post, slices.Concat(n.found, list))
		}
	}
	s.Findings = replace(s.Findings, news)
}

func isSameID(f finding.Finding) bool { return f.Code == content.SameIDCode }

// replace returns a sorted list in which the findings about some files are others. It is the list itself when they are the same.
func replace(list finding.List, news map[string]reading) finding.List {
	grown, differ := len(list), false
	for name, n := range news {
		old := about(list, name)
		grown += len(n.found) - len(old)
		differ = differ || !slices.Equal(old, n.found)
	}
	if !differ {
		return list
	}
	out := make(finding.List, 0, grown)
	for _, name := range slices.Sorted(maps.Keys(news)) {
		i, _ := slices.BinarySearchFunc(list, name, comparePath)
		out = append(append(out, list[:i]...), news[name].found...)
		list = list[i+len(about(list[i:], name)):]
	}
	return append(out, list...)
}
