package board

import (
	"cmp"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/site"
)

// Check is what a check of a whole site has found. It may be shared by any number of boards.
type Check struct {
	of *site.Snapshot
	*pack
}

// NewCheck keeps what the check of a snapshot has found, sorted as [site.Snapshot.Check] returns it.
func NewCheck(of *site.Snapshot, found finding.List) *Check { return &Check{of, newPack(found)} }

// pack is a list of findings kept small, and made ready to be counted and shown: tens of thousands of posts have hundreds of thousands
// of findings, which say the same again and again, and a preview keeps them all day.
type pack struct {
	files []stretch // in the order of their paths
	worst []int32   // indices of files: the worst first, then by path
	items []item
	texts []wording
	said  string            // the messages and hints of all texts
	kinds []finding.Finding // what texts have in common: Code, Severity, Account and Private
	posts []string          // the ids that items name
	count map[Kind]int
	twins []string // paths of posts that share an id with another
}

// stretch is the findings of one file.
type stretch struct {
	path     string
	from, to int32 // of items
	worst    finding.Severity
}

// item is one finding.
type item struct {
	line, column, endLine, endColumn int32
	text, post                       int32 // indices
}

// wording is what findings say.
type wording struct {
	message, hint phrase
	kind          int32 // an index
}

// phrase is a piece of what was said.
type phrase struct{ from, to int32 }

// newPack packs a list that is sorted by path.
func newPack(list finding.List) *pack {
	p := &pack{items: make([]item, len(list)), count: map[Kind]int{}}
	texts, kinds, posts := map[wording]int32{}, map[finding.Finding]int32{}, map[string]int32{}
	var said strings.Builder
	phrases := map[string]phrase{}
	say := func(text string) phrase {
		p, ok := phrases[text]
		if !ok {
			p.from = int32(said.Len()) //nolint:gosec // lists are far smaller
			said.WriteString(text)
			p.to = int32(said.Len()) //nolint:gosec // as above
			phrases[text] = p
		}
		return p
	}
	for i := range list {
		f := list[i]
		n := len(p.files) - 1
		if n < 0 || p.files[n].path != f.Path {
			p.files = append(p.files, stretch{path: f.Path, from: int32(i)}) //nolint:gosec // lists are far smaller
			n++
		}
		s := &p.files[n]
		s.to, s.worst = int32(i+1), max(s.worst, f.Severity) //nolint:gosec // as above
		if f.Code == content.SameIDCode && (len(p.twins) == 0 || p.twins[len(p.twins)-1] != f.Path) {
			p.twins = append(p.twins, f.Path)
		}
		p.count[Kind{f.Severity, f.Code}]++
		p.items[i] = item{line: int32(f.Range.Start.Line), column: int32(f.Range.Start.Column), endLine: int32(f.Range.End.Line), endColumn: int32(f.Range.End.Column)} //nolint:gosec // as above
		p.items[i].post, p.posts = indexed(posts, p.posts, f.Post)
		t := wording{message: say(f.Message), hint: say(f.Hint)}
		f.Path, f.Post, f.Range, f.Message, f.Hint = "", "", finding.Range{}, "", ""
		t.kind, p.kinds = indexed(kinds, p.kinds, f)
		p.items[i].text, p.texts = indexed(texts, p.texts, t)
	}
	p.said = strings.Clone(said.String())
	p.files, p.texts, p.kinds, p.posts = tight(p.files), tight(p.texts), tight(p.kinds), tight(p.posts)
	p.worst = make([]int32, len(p.files))
	for i := range p.worst {
		p.worst[i] = int32(i) //nolint:gosec // as above
	}
	slices.SortStableFunc(p.worst, func(x, y int32) int { return cmp.Compare(p.files[y].worst, p.files[x].worst) })
	return p
}

// indexed returns the index of a value in a list of different ones, and the list with it. at knows the indices.
func indexed[E comparable](at map[E]int32, list []E, e E) (int32, []E) {
	i, ok := at[e]
	if !ok {
		i = int32(len(list)) //nolint:gosec // lists are far smaller
		at[e], list = i, append(list, e)
	}
	return i, list
}

// tight returns a list without room to grow.
func tight[E any](list []E) []E { return append(make([]E, 0, len(list)), list...) }

// kind returns what an item is counted as.
func (p *pack) kind(i int32) Kind {
	k := &p.kinds[p.texts[p.items[i].text].kind]
	return Kind{k.Severity, k.Code}
}

// finding returns an item of a file as it was packed.
func (p *pack) finding(s *stretch, i int32) finding.Finding {
	x := &p.items[i]
	t := &p.texts[x.text]
	f := p.kinds[t.kind]
	f.Path, f.Post = s.path, p.posts[x.post]
	f.Message, f.Hint = p.said[t.message.from:t.message.to], p.said[t.hint.from:t.hint.to]
	f.Range.Start = finding.Pos{Line: int(x.line), Column: int(x.column)}
	f.Range.End = finding.Pos{Line: int(x.endLine), Column: int(x.endColumn)}
	return f
}

// unpack appends the findings of a file.
func (p *pack) unpack(list finding.List, s *stretch) finding.List {
	for i := s.from; i < s.to; i++ {
		list = append(list, p.finding(s, i))
	}
	return list
}

// at returns what was found about a file.
func (p *pack) at(path string) finding.List {
	i, ok := slices.BinarySearchFunc(p.files, path, func(s stretch, path string) int { return strings.Compare(s.path, path) })
	if !ok {
		return nil
	}
	return p.unpack(nil, &p.files[i])
}
