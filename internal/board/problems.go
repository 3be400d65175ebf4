package board

import (
	"cmp"
	"maps"
	"slices"
	"strings"

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
	p := b.base()
	for _, i := range p.worst {
		s := &p.files[i]
		if _, stale := revised[s.path]; stale {
			continue
		}
		for len(changed) > 0 && compareFiles(changed[0], file{path: s.path, worst: s.worst}) < 0 {
			if !add(changed[0].list) {
				return list
			}
			changed = changed[1:]
		}
		for i := s.from; i < s.to; i++ {
			if len(list) == most {
				return list
			}
			if keep(p.kind(i)) {
				list = append(list, p.finding(s, i))
			}
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
	p, revised := b.base(), b.revised()
	if len(revised) == 0 {
		return p.count
	}
	count := maps.Clone(p.count)
	add := func(list finding.List, n int) {
		for i := range list {
			k := Kind{list[i].Severity, list[i].Code}
			if count[k] += n; count[k] == 0 {
				delete(count, k)
			}
		}
	}
	for path, list := range revised {
		add(p.at(path), -1)
		add(list, 1)
	}
	return count
}

// revise returns, by path, what is wrong with the files of which that is not what the last check has found: they have changed, are
// gone, or share their id with other files than they did.
func (b *Board) revise() map[string]finding.List {
	if b.in.Check == nil || b.in.Check.of == b.in.Site {
		return nil
	}
	reconfigured := b.in.Check.of.Config != b.in.Site.Config
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
			list = append(findingsWithout(b.in.Check.at(path), content.SameIDCode), findingsWith(read, content.SameIDCode)...)
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
	for _, path := range b.in.Check.twins {
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
