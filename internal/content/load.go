package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/post"
)

// IsPost reports whether a file is a post, by its name alone: a Markdown file that is not called README.md
// and has no name on its path that starts with "." or "_". Name is slash-separated and relative to
// the content folder.
func IsPost(name string) bool {
	if !strings.EqualFold(path.Ext(name), ".md") || strings.EqualFold(path.Base(name), "README.md") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if isHidden(part) {
			return false
		}
	}
	return true
}

func isHidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") }

// Load reads all posts below dir, which is relative to the root of fsys, the site's folder. It returns
// them sorted by path, with the findings of all, sorted. An error means that dir itself cannot be read
// or ctx has ended; whatever is wrong with a single file is a finding.
func Load(ctx context.Context, fsys fs.FS, dir string, o Options) ([]*post.Post, finding.List, error) {
	workers := make([]struct {
		posts []*post.Post
		found finding.List
	}, runtime.GOMAXPROCS(0))
	l := loader{fsys: fsys, o: o, together: true}
	found, err := l.each(ctx, dir, len(workers), func(w int, p *post.Post, list finding.List) {
		workers[w].posts = append(workers[w].posts, p)
		workers[w].found = append(workers[w].found, list...)
	})
	if err != nil {
		return nil, nil, err
	}
	var posts []*post.Post
	for i := range workers {
		posts = append(posts, workers[i].posts...)
		found = append(found, workers[i].found...)
	}
	slices.SortFunc(posts, func(a, b *post.Post) int { return strings.Compare(a.Path, b.Path) })
	found = append(found, SameIDs(posts)...)
	found.Sort()
	return posts, found, nil
}

// Each is [Load] for those who are done with a post once they have seen it. It calls fn for every post,
// from so many workers at once; the posts of one worker come in the order of their paths. It returns
// the findings that are about no post, and does not compare posts with each other.
func Each(ctx context.Context, fsys fs.FS, dir string, o Options, workers int, fn func(worker int, p *post.Post, found finding.List)) (finding.List, error) {
	l := loader{fsys: fsys, o: o}
	return l.each(ctx, dir, workers, fn)
}

// each reads all posts below dir, as [Each] says.
func (l *loader) each(ctx context.Context, dir string, workers int, fn func(worker int, p *post.Post, found finding.List)) (finding.List, error) {
	l.shared = newShared()
	if err := l.walk(ctx, dir); err != nil {
		return nil, err
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range min(max(1, workers), len(l.files)) {
		wg.Go(func() {
			var mem scratch
			if l.together {
				mem.kept = together()
			}
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(l.files) {
					return
				}
				p, list := l.load(l.files[i], &mem)
				fn(w, p, list)
			}
		})
	}
	wg.Wait()
	return l.list, ctx.Err()
}

type loader struct {
	fsys     fs.FS
	o        Options
	together bool // the posts stay, all of them
	shared   *shared
	files    []file
	list     finding.List
}

type file struct {
	path string
	link bool
}

// walk collects the posts and the files of link cards below dir, the posts in the order of their paths.
func (l *loader) walk(ctx context.Context, dir string) error {
	l.shared.cards = map[string]bool{}
	err := fs.WalkDir(l.fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if name == dir {
				return err
			}
			l.list.Add(unreadable(name, err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")
		switch {
		case d.IsDir():
			if name != dir && isHidden(d.Name()) {
				return fs.SkipDir
			}
		case linkcard.IsFile(name):
			l.shared.cards[name] = true
		case d.Type()&fs.ModeSymlink != 0:
			if IsPost(rel) {
				l.files = append(l.files, file{name, true})
			} else if !isHidden(d.Name()) && path.Ext(name) == "" {
				l.linkedFolder(name)
			}
		case IsPost(rel) && d.Type().IsRegular():
			l.files = append(l.files, file{name, false})
		}
		return nil
	})
	slices.SortFunc(l.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return err
}

// linkedFolder warns of a symbolic link to a folder: what is in it might be posts, and is not read.
func (l *loader) linkedFolder(name string) {
	real, err := l.shared.links.follow(l.fsys, name)
	if err == nil {
		if info, err := fs.Stat(l.fsys, real); err != nil || !info.IsDir() {
			return
		}
	} else if !errors.Is(err, errOutside) && !errors.Is(err, errHidden) {
		return
	}
	l.list.Add(finding.Finding{Code: codeLinkFolder, Severity: finding.Warning, Path: name,
		Message: "the folder is a symbolic link, and the posts in it are not read", Hint: "move the folder itself here"})
}

// load reads one file.
func (l *loader) load(f file, mem *scratch) (*post.Post, finding.List) {
	failed := func(fd finding.Finding) (*post.Post, finding.List) {
		p := &post.Post{ID: slug(f.path), Path: f.path, BodyLine: 1, Unread: true, NoText: true, Body: []post.Doc{{}}}
		fd.Path, fd.Post = f.path, p.ID
		return p, finding.List{fd}
	}
	name := f.path
	if f.link {
		real, err := l.shared.links.follow(l.fsys, name)
		switch {
		case errors.Is(err, errOutside):
			return failed(finding.Finding{Code: codeLinkOut, Severity: finding.Error, Message: "the file is a symbolic link that leads out of the site", Hint: "put the file itself here"})
		case errors.Is(err, errHidden):
			return failed(finding.Finding{Code: codeLinkOut, Severity: finding.Error, Message: "the file is a symbolic link to what is hidden in the site", Hint: "put the file itself here"})
		case err != nil:
			return failed(finding.Finding{Code: codeUnreadable, Severity: finding.Error, Message: fmt.Sprintf("the symbolic link leads nowhere: %v", reason(err)), Hint: "mend or delete it"})
		}
		name = real
	}
	src, err := readFile(l.fsys, name, mem.file[:0], l.o.maxBytes())
	mem.file = src
	switch {
	case errors.Is(err, errLarge):
		return failed(tooLarge(l.o.maxBytes()))
	case err != nil:
		return failed(unreadable(f.path, err))
	}
	return parse(f.path, src, l.fsys, l.o, l.shared, mem)
}

var errLarge = errors.New("the file is too large")

// readFile appends a file to buf, and no more than one byte beyond limit.
func readFile(fsys fs.FS, name string, buf []byte, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	if cap(buf) == 0 {
		buf = make([]byte, 0, 8<<10)
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return buf, errLarge
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

func unreadable(name string, err error) finding.Finding {
	return finding.Finding{Code: codeUnreadable, Severity: finding.Error, Path: name,
		Message: fmt.Sprintf("it cannot be read: %v", reason(err)), Hint: "check its permissions"}
}

// SameIDs returns an error for every post whose id another one has too. Letter case makes no
// difference, since an id becomes the name of a file. Load calls it; whoever reads single files calls it for all.
func SameIDs(posts []*post.Post) finding.List {
	first := make(map[string]*post.Post, len(posts))
	var list finding.List
	report := func(p, other *post.Post) {
		hint := "give one of them another id, for example " + suggestID(p.Path)
		if !p.OwnID {
			hint = "add id: " + suggestID(p.Path) + " to the front matter"
		}
		list.Add(finding.Finding{Code: codeSameID, Severity: finding.Error, Path: p.Path, Post: p.ID, Range: p.Place("", post.FieldID),
			Message: fmt.Sprintf("the id %q is also that of %s", p.ID, other.Path), Hint: hint})
	}
	reported := map[*post.Post]bool{}
	for _, p := range posts {
		key := strings.ToLower(p.ID)
		other, ok := first[key]
		if !ok {
			first[key] = p
			continue
		}
		if !reported[other] {
			reported[other] = true
			report(other, p)
		}
		report(p, other)
	}
	return list
}
