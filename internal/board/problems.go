package board

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
)

// Kind is what problems are counted by.
type Kind struct {
	Severity finding.Severity
	Code     finding.Code
}

// Problems returns what is wrong, as much of it as is wanted: of the kinds that keep chooses, files with the worst first, those in
// the order of their paths, and at most so many. That is what the last whole check has found, but for posts that have changed
// since what is wrong with them by themselves. Before the first check it is what reading has found.
func (b *Board) Problems(most int, keep func(Kind) bool) finding.List {
	var list finding.List
	revised := b.revised()
	changed := make([]file, 0, len(revised))
	for path, own := range revised {
		if len(own) > 0 {
			changed = append(changed, file{path, own, worst(own)})
		}
	}
	slices.SortFunc(changed, compareFiles)
	add := func(of finding.List) bool {
		for i := range of {
			if len(list) == most {
				return false
			}
			if keep(Kind{of[i].Severity, of[i].Code}) {
				list = append(list, of[i])
			}
		}
		return true
	}
	checked := b.census()
	for i := range checked.files {
		f := checked.file(i)
		if _, stale := revised[f.path]; stale {
			continue
		}
		for len(changed) > 0 && compareFiles(changed[0], f) < 0 {
			if !add(changed[0].list) {
				return list
			}
			changed = changed[1:]
		}
		if !add(f.list) {
			return list
		}
	}
	for _, f := range changed {
		if !add(f.list) {
			break
		}
	}
	return list
}

// Tally counts the problems. It is shared: callers must not change it.
func (b *Board) Tally() map[Kind]int { return b.tally() }

func (b *Board) countProblems() map[Kind]int {
	checked, revised := b.census(), b.revised()
	if len(revised) == 0 {
		return checked.count
	}
	count := maps.Clone(checked.count)
	add := func(list finding.List, n int) {
		for i := range list {
			k := Kind{list[i].Severity, list[i].Code}
			if count[k] += n; count[k] == 0 {
				delete(count, k)
			}
		}
	}
	for path, list := range revised {
		add(findingsAt(checked.list, path), -1)
		add(list, 1)
	}
	return count
}

// revise returns, by path, what is wrong with the files of which that is not what the last check has found: they have changed, are
// gone, or share their id with other files than they did.
func (b *Board) revise() map[string]finding.List {
	if !b.in.Checked || b.in.Of == b.in.Site {
		return nil
	}
	reconfigured := b.in.Of.Config != b.in.Site.Config
	all := map[string]finding.List{}
	revise := func(path string) {
		if _, done := all[path]; done {
			return
		}
		var list finding.List
		own, changed := b.own[path]
		read := findingsAt(b.in.Site.Findings, path)
		switch {
		case reconfigured && path == config.File:
			list = slices.Clone(read)
		case changed:
			list = append(slices.Clone(own), findingsWith(read, content.SameIDCode)...)
		case b.gone[path]:
		default:
			list = append(findingsWithout(findingsAt(b.in.Findings, path), content.SameIDCode), findingsWith(read, content.SameIDCode)...)
		}
		list.Sort()
		all[path] = list
	}
	for path := range b.own {
		revise(path)
	}
	for path := range b.gone {
		revise(path)
	}
	for path := range b.same {
		revise(path)
	}
	for _, path := range b.census().twins {
		revise(path)
	}
	if reconfigured {
		revise(config.File)
	}
	return all
}

func findingsWith(l finding.List, code finding.Code) finding.List {
	return slices.DeleteFunc(slices.Clone(l), func(f finding.Finding) bool { return f.Code != code })
}

func findingsWithout(l finding.List, code finding.Code) finding.List {
	return slices.DeleteFunc(slices.Clone(l), func(f finding.Finding) bool { return f.Code == code })
}

// file is a file with what is wrong with it.
type file struct {
	path  string
	list  finding.List
	worst finding.Severity
}

// compareFiles sorts files with the worst first.
func compareFiles(x, y file) int {
	return cmp.Or(cmp.Compare(y.worst, x.worst), strings.Compare(x.path, y.path))
}

func worst(list finding.List) finding.Severity {
	severity := finding.Info
	for i := range list {
		severity = max(severity, list[i].Severity)
	}
	return severity
}

// census is a list of findings, which may be of hundreds of thousands, made ready to be shown and counted. Boards that have the
// same list share it.
type census struct {
	list  finding.List // sorted by path
	files []stretch    // worst first, then by path
	count map[Kind]int
	twins []string // paths of posts that share an id with another
}

// stretch is where the findings of one file stand.
type stretch struct {
	from, to int32
	worst    finding.Severity
}

func (c *census) file(i int) file {
	s := c.files[i]
	list := c.list[s.from:s.to:s.to]
	return file{list[0].Path, list, s.worst}
}

// takeCensus returns the census of a list, made when it is first asked for.
func takeCensus(list finding.List) func() *census {
	return sync.OnceValue(func() *census {
		c := &census{list: list, count: map[Kind]int{}}
		for from := 0; from < len(list); {
			to, twin := from, false
			for to < len(list) && list[to].Path == list[from].Path {
				c.count[Kind{list[to].Severity, list[to].Code}]++
				twin = twin || list[to].Code == content.SameIDCode
				to++
			}
			c.files = append(c.files, stretch{int32(from), int32(to), worst(list[from:to])}) //nolint:gosec // lists are far smaller
			if twin {
				c.twins = append(c.twins, list[from].Path)
			}
			from = to
		}
		slices.SortStableFunc(c.files, func(x, y stretch) int { return cmp.Compare(y.worst, x.worst) })
		return c
	})
}
