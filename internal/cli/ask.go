package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/publish"
)

// consent is how a verb that cannot be undone asks whether it is meant.
type consent struct {
	yes    bool // --yes: it is
	dryRun bool // --dry-run: it is not, only show it
}

func (c *consent) add(cmd *cobra.Command, yes, dryRun string) {
	cmd.Flags().BoolVar(&c.yes, "yes", false, yes)
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, dryRun)
}

// given reports whether the work is to be done, once what would be done has been shown. On a terminal it asks. Where
// nobody can be asked, only --yes counts: a script that forgets it must not take silence for success, so that is an error.
func (c consent) given(ctx context.Context, a *app, question string) (bool, error) {
	switch {
	case c.dryRun:
		return false, nil
	case c.yes:
		return true, nil
	case !a.StdinTerminal || !a.StderrTerminal:
		return false, &usageError{msg: "nothing was changed: nobody can be asked whether this is meant", hint: "--yes says so, and --dry-run only shows it"}
	}
	s := a.stderrStyle()
	fmt.Fprintf(a.Stderr, "%s %s ", s.bold(question), s.dim("[y/N]")) //nolint:errcheck // nowhere to report it
	answer := make(chan string, 1)
	go func() {
		line, err := bufio.NewReader(a.Stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		a.notef("")
		return false, ctx.Err()
	case word := <-answer:
		if word == "y" || word == "yes" {
			return true, nil
		}
		return false, &failedError{err: errors.New("nothing was changed")}
	}
}

// onLedger writes to the ledger, and again on what it says by then when somebody else wrote first. write looks at the
// ledger anew each time.
func (a *app) onLedger(ctx context.Context, desk *publish.Desk, write func() error) error {
	for try := 1; ; try++ {
		err := write()
		if !errors.Is(err, gitrepo.ErrMoved) || try == 5 {
			return err
		}
		if err := desk.Refresh(ctx); err != nil {
			return err
		}
	}
}
