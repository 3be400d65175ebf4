package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/draft"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/site"
)

// mend carries out what fixes there are for the findings of check, in the files on disk; in a dry run it only says what it would do. What it
// does not mend, and why, the check that follows says.
func (a *app) mend(ctx context.Context, args []string, dry bool) error {
	s, err := a.site(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	paths, err := a.paths(s.dir, args)
	if err != nil {
		return err
	}
	found := s.Check(ctx, paths...)
	if ctx.Err() != nil { // the findings may not be all
		return context.Cause(ctx)
	}
	if len(paths) > 0 && !slices.Contains(paths, config.File) { // it is always reported on, and was not asked for
		found = slices.DeleteFunc(found, func(f finding.Finding) bool { return f.Path == config.File })
	}
	mended, err := s.Mend(ctx, found)
	if err != nil {
		return err
	}
	for _, name := range left(found, mended) {
		a.notef("%s %s is left as it is: mending it would make something else wrong", a.stderrStyle().yellow("note:"), printable(name))
	}
	done := "mended"
	if dry {
		done = "would mend"
	}
	for _, m := range mended {
		if !dry {
			err := draft.Mend(s.root, m.Path, m.Before, m.After)
			if refused, ok := errors.AsType[*draft.RefusedError](err); ok {
				a.notef("%s %s", a.stderrStyle().yellow("note:"), printable(refused.Error()))
				continue
			}
			if err != nil {
				return err
			}
		}
		for _, fix := range m.Fixes {
			a.notef("%s %s:%d: %s", done, printable(m.Path), fix.Range.Start.Line, printable(fix.Text))
		}
	}
	return nil
}

// left returns the files that have fixes and were not mended, sorted.
func left(found finding.List, mended []site.Mended) (names []string) {
	is := make(map[string]bool, len(mended))
	for i := range mended {
		is[mended[i].Path] = true
	}
	for i := range found {
		if f := &found[i]; f.Fix.Given() && !is[f.Path] {
			names = append(names, f.Path)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// mendable returns how many of the findings have a fix.
func mendable(l finding.List) (n int) {
	for i := range l {
		if l[i].Fix.Given() {
			n++
		}
	}
	return n
}
