package site

import (
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/post"
)

// showing is a set of files that posts may have as media, also as missing ones.
type showing struct {
	files   map[string]bool
	folders map[string]bool // what is below them counts as well
	lists   map[string]bool // what is right in them counts as well
}

// add adds a name. One that is no file may be, or have been, a folder.
func (s *showing) add(name string, isFile bool) {
	s.files = with(s.files, name)
	if !isFile {
		s.folders = with(s.folders, name)
	}
}

// addList adds the files that are, or were, beside one.
func (s *showing) addList(name string) { s.lists = with(s.lists, path.Dir(name)) }

func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}

// among returns those of some posts that show one of the files.
func (s *showing) among(posts []*post.Post) []*post.Post {
	if len(s.files) == 0 && len(s.lists) == 0 {
		return nil
	}
	hits := make([][]*post.Post, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for w := range hits {
		workers.Go(func() {
			for _, p := range posts[len(posts)*w/len(hits) : len(posts)*(w+1)/len(hits)] {
				if s.in(p) {
					hits[w] = append(hits[w], p)
				}
			}
		})
	}
	workers.Wait()
	return slices.Concat(hits...)
}

func (s *showing) has(m *post.Media) bool {
	switch {
	case s.files[m.Path], len(s.lists) > 0 && s.lists[path.Dir(m.Path)]:
		return true
	case len(s.folders) == 0:
		return false
	}
	for dir := path.Dir(m.Path); ; dir = path.Dir(dir) {
		if s.folders[dir] {
			return true
		}
		if dir == "." || dir == "/" || dir == ".." {
			return false
		}
	}
}

// in reports whether a post has one of the files as media. It looks at every post when a picture changes, so it allocates nothing.
func (s *showing) in(p *post.Post) bool {
	// Searching a file's bytes takes a tenth of the time of going through what was made of them.
	pictures := p.Text == "" || strings.Contains(p.Text, "![")
	if s.inFields(&p.Fields) || pictures && s.inDocs(p.Body) || p.LinkCard != nil && p.LinkCard.Image != nil && s.has(p.LinkCard.Image) {
		return true
	}
	for i := range p.Overrides {
		if o := &p.Overrides[i]; s.inFields(&o.Fields) || s.inDocs(o.Body) {
			return true
		}
	}
	return false
}

func (s *showing) inFields(f *post.Fields) bool {
	if f.Card != nil && f.Card.Image != nil && s.has(f.Card.Image) {
		return true
	}
	for i := range f.Media {
		if s.has(&f.Media[i]) {
			return true
		}
	}
	return false
}

func (s *showing) inDocs(docs []post.Doc) bool {
	for i := range docs {
		if s.inBlocks(docs[i].Blocks) {
			return true
		}
	}
	return false
}

func (s *showing) inBlocks(blocks []post.Block) bool {
	for i := range blocks {
		if s.inInlines(blocks[i].Inlines) || s.inBlocks(blocks[i].Blocks) {
			return true
		}
	}
	return false
}

func (s *showing) inInlines(inlines []post.Inline) bool {
	for i := range inlines {
		in := &inlines[i]
		if in.Kind == post.Image && in.Media != nil && s.has(in.Media) || s.inInlines(in.Inlines) {
			return true
		}
	}
	return false
}
