package site

import (
	"io/fs"
	"slices"
	"strings"
)

// Only returns a site's folder as if it had no posts but those at the given paths; everything else is there, pictures and link cards among it. So a few
// posts of a large site are read without all others. [Options.Partial] belongs to it.
func Only(fsys fs.FS, posts []string) fs.FS {
	o := only{FS: fsys, posts: make(map[string]bool, len(posts))}
	for _, p := range posts {
		o.posts[p] = true
	}
	return o
}

type only struct {
	fs.FS
	posts map[string]bool
}

// ReadDir implements [fs.ReadDirFS]. What is opened by its name is not kept away: a post shows up by being listed.
func (o only) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(o.FS, name)
	if !under(name, ContentDir) {
		return list, err
	}
	return slices.DeleteFunc(list, func(d fs.DirEntry) bool {
		file := name + "/" + d.Name()
		if d.IsDir() { // folders without any of the posts need not be walked
			return !o.above(file)
		}
		return isPost(file) && !o.posts[file]
	}), err
}

// above reports whether one of the posts is below a folder.
func (o only) above(dir string) bool {
	for p := range o.posts {
		if strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// ReadFile implements [fs.ReadFileFS].
func (o only) ReadFile(name string) ([]byte, error) { return fs.ReadFile(o.FS, name) }

// Stat implements [fs.StatFS].
func (o only) Stat(name string) (fs.FileInfo, error) { return fs.Stat(o.FS, name) }

// Lstat implements [fs.ReadLinkFS].
func (o only) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(o.FS, name) }

// ReadLink implements [fs.ReadLinkFS].
func (o only) ReadLink(name string) (string, error) { return fs.ReadLink(o.FS, name) }
