package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/publish"
)

// Whoever cannot be asked has not agreed; whoever can has to say so in a word.
func TestConsent(t *testing.T) {
	for _, tt := range []struct {
		name     string
		c        consent
		terminal bool
		answer   string
		want     bool
		err      bool
	}{
		{"--yes", consent{yes: true}, false, "", true, false},
		{"--dry-run", consent{dryRun: true}, false, "", false, false},
		{"--dry-run comes first", consent{yes: true, dryRun: true}, false, "", false, false},
		{"nobody to ask", consent{}, false, "y\n", false, true},
		{"y", consent{}, true, "y\n", true, false},
		{"Yes", consent{}, true, " Yes \n", true, false},
		{"yes without a line break", consent{}, true, "yes", true, false},
		{"no", consent{}, true, "no\n", false, true},
		{"nothing", consent{}, true, "\n", false, true},
		{"the end of the input", consent{}, true, "", false, true},
		{"something else", consent{}, true, "yep\n", false, true},
	} {
		var errs bytes.Buffer
		a := &app{Env: Env{Stdin: strings.NewReader(tt.answer), Stderr: &errs, StdinTerminal: tt.terminal, StderrTerminal: tt.terminal}}
		got, err := tt.c.given(t.Context(), a, "Sure?")
		if got != tt.want || (err != nil) != tt.err {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
		if asked := strings.Contains(errs.String(), "Sure?"); asked != tt.terminal {
			t.Errorf("%s: asked is %v", tt.name, asked)
		}
	}
}

func TestConsentIsInterrupted(t *testing.T) {
	stdin, _ := io.Pipe() // never says anything
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := &app{Env: Env{Stdin: stdin, Stderr: io.Discard, StdinTerminal: true, StderrTerminal: true}}
	if ok, err := (consent{}).given(ctx, a, "Sure?"); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", ok, err)
	}
}

// Somebody else may write to the ledger at any time: then it is looked at anew, but not for ever.
func TestOnLedger(t *testing.T) {
	for _, tt := range []struct {
		moved         int // how often somebody else is faster
		write, looked int
		err           error
	}{{0, 1, 0, nil}, {3, 4, 3, nil}, {9, 5, 4, gitrepo.ErrMoved}} {
		writes, looks := 0, 0
		desk := &publish.Desk{Refresh: func(context.Context) error { looks++; return nil }}
		err := (&app{}).onLedger(t.Context(), desk, func() error {
			if writes++; writes <= tt.moved {
				return gitrepo.ErrMoved
			}
			return nil
		})
		if !errors.Is(err, tt.err) || writes != tt.write || looks != tt.looked {
			t.Errorf("moved %d times: %d writes, %d looks, %v", tt.moved, writes, looks, err)
		}
	}
}
