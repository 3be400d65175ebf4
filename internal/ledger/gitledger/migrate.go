package gitledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// step brings a ledger from one format to the next one.
type step struct {
	subject string // of the commit
	// files returns what changes. Records are never rewritten.
	files func(*View, time.Time) (map[string][]byte, error)
}

// steps has at index i the step from format i+1. A new format adds one at the end and counts [ledger.Format] up.
var steps = [...]step{
	{"the ledger gets format 2: since when it knows everything, and what was said instead of what was sent", toFormat2},
}

// Format returns the format of the ledger: 1 when it holds records and does not say, 0 when it holds nothing. Errors are those of
// [View.Opening].
func (v *View) Format() (int, error) {
	o, err := v.Opening()
	if err != nil || o.Format != 0 {
		return o.Format, err
	}
	if empty, err := v.Empty(); err != nil || empty {
		return 0, err
	}
	return 1, nil
}

// Migrate brings a ledger of an earlier format up to date, a commit for each step, as [Ledger.Claim] writes one. It does
// nothing where there is nothing to do: to a ledger that is empty, up to date, or does not say what it is because its
// opening is damaged. A ledger of a newer format is a [*ledger.NewerFormatError].
func (l *Ledger) Migrate(ctx context.Context) error {
	for try := 1; ; {
		view, err := l.View()
		if err != nil {
			return err
		}
		format, err := view.Format()
		switch {
		case errors.Is(err, ledger.ErrFormat):
			return nil
		case err != nil:
			return err
		case format == 0 || format > len(steps):
			return nil
		}
		s := steps[format-1]
		files, err := s.files(view, l.o.Now())
		if err == nil {
			err = l.claimFiles(ctx, s.subject, files)
		}
		switch {
		case err == nil:
			l.o.Log.Info("the ledger was brought to a new format", "format", format+1, "commit", l.tip)
			continue
		case !again(err, try):
			return fmt.Errorf("bring the ledger from format %d to %d: %w", format, format+1, err)
		}
		if err := l.pause(ctx, try); err != nil {
			return err
		}
		if err := l.refresh(ctx); err != nil {
			return fmt.Errorf("bring the ledger from format %d to %d: %w", format, format+1, err)
		}
		try++
	}
}

// toFormat2 adds the opening and the markers of what was said, and removes the markers of the very renderings that were
// sent: the new ones know that too.
// The ledger began with its earliest record; which commit was published then, nobody knows any more.
func toFormat2(v *View, now time.Time) (map[string][]byte, error) {
	began := now
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(began) {
			began = t
		}
	}
	files := map[string][]byte{}
	said := map[string]time.Time{}
	if err := v.Each(func(r *ledger.Record) error {
		earlier(r.At)
		for _, a := range r.Attempts {
			earlier(a.Started)
		}
		words := r.Words()
		if words == "" || r.PublishedAt.IsZero() {
			return nil
		}
		marker := ledger.SaidPath(r.Account, words)
		if at, ok := said[marker]; !ok || r.PublishedAt.After(at) {
			said[marker], files[marker] = r.PublishedAt, r.Saying().Encode()
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if v.tree != nil {
		if err := v.tree.Walk(sentDir, func(e gitrepo.Entry) error {
			files[e.Path] = nil
			return nil
		}); err != nil {
			return nil, err
		}
	}
	files[ledger.OpeningFile] = ledger.Opening{Format: 2, Began: began}.Encode()
	return files, nil
}
