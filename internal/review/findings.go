package review

import (
	"context"
	"slices"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/site"
)

// findings compares what is wrong with the posts of the review, and with site.yaml, before and after. Posts are still compared with all others.
func (m *maker) findings(ctx context.Context) {
	before := m.wrongWith(ctx, m.Sides.Before, func(p *Post) string {
		switch {
		case p.Kind == Added:
			return ""
		case p.Was != "":
			return p.Was
		}
		return p.Path
	})
	after := m.wrongWith(ctx, m.Sides.After, func(p *Post) string {
		if p.Kind == Removed {
			return ""
		}
		return p.Path
	})
	m.out.New, m.out.Fixed = without(after, before), without(before, after)
	m.out.Standing = len(after) - len(m.out.New)
	m.wrong = after
}

// wrongWith returns what is wrong with the posts of the review on one side.
func (m *maker) wrongWith(ctx context.Context, s *site.Snapshot, path func(*Post) string) finding.List {
	paths := []string{config.File}
	for i := range m.out.Posts {
		if name := path(&m.out.Posts[i]); name != "" {
			paths = append(paths, name)
		}
	}
	return slices.DeleteFunc(s.Check(ctx, paths...), func(f finding.Finding) bool { return f.Path == config.File && !m.out.Config })
}

// same is what makes two findings one, wherever in its file each stands.
type same struct {
	about, account, message string
	code                    finding.Code
}

func sameOf(f *finding.Finding) same {
	about := f.Post
	if about == "" {
		about = f.Path
	}
	return same{about, f.Account, f.Message, f.Code}
}

// without returns what is in list and not in other, each as often as it is there once more.
func without(list, other finding.List) (left finding.List) {
	have := map[same]int{}
	for i := range other {
		have[sameOf(&other[i])]++
	}
	for i := range list {
		if key := sameOf(&list[i]); have[key] > 0 {
			have[key]--
		} else {
			left = append(left, list[i])
		}
	}
	return left
}
