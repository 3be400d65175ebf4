package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// Begin sees to it that the ledger says since when it knows what goes out, and brings one of an earlier format up to
// date. It costs a push once in a site's life. It comes before the first record: a ledger that has one and does not say
// when it began is taken for an old one that knows everything.
func (d *Desk) Begin(ctx context.Context) error {
	for try := 1; ; try++ {
		view, err := d.Ledger.View()
		if err != nil {
			return err
		}
		opening, err := view.Opening()
		if errors.Is(err, ledger.ErrFormat) {
			d.Log.Warn("the ledger does not say since when it knows what went out: whatever is due is looked for first", "err", err)
			return nil
		}
		if err != nil || opening.Format == ledger.Format {
			return err
		}
		empty, err := view.Empty()
		if err != nil {
			return err
		}
		if !empty || opening.Format != 0 {
			return d.Ledger.Migrate(ctx)
		}
		untimed, err := d.untimed()
		if err != nil {
			return err
		}
		err = d.Ledger.Begin(ctx, ledger.Opening{Format: ledger.Format, Began: d.Now(), Commit: d.Commit}, untimed)
		if !errors.Is(err, gitrepo.ErrMoved) || try == maxClaims {
			if err != nil {
				return fmt.Errorf("begin the ledger: %w", err)
			}
			return nil
		}
		if err := d.Refresh(ctx); err != nil {
			return err
		}
	}
}
