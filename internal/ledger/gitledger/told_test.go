package gitledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// TestTold has two runs write what was told: the second must read first what the first has written.
func TestTold(t *testing.T) {
	s := newSite(t)
	_, mine := s.clone()
	_, theirs := s.clone()
	s.fetch(mine)
	s.publish(mine, "a")
	s.fetch(theirs)
	told := func(l *Ledger, what string) {
		t.Helper()
		got, err := l.Told()
		if err != nil {
			t.Fatal(err)
		}
		if got := got.Issue; got != what {
			t.Fatalf("told of %q, want %q", got, what)
		}
	}
	told(mine, "")
	if err := mine.SetTold(t.Context(), "told", ledger.Told{Issue: "mine"}); err != nil {
		t.Fatal(err)
	}
	told(mine, "mine")
	if err := theirs.SetTold(t.Context(), "told", ledger.Told{Issue: "theirs"}); !errors.Is(err, gitrepo.ErrMoved) {
		t.Fatalf("%v: what the other run has told is lost", err)
	}
	if err := theirs.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	told(theirs, "mine")
	if got := state(t, theirs, "a"); got != ledger.Published {
		t.Errorf("a is %q", got)
	}
	if err := theirs.SetTold(t.Context(), "settled", ledger.Told{}); err != nil {
		t.Fatal(err)
	}
	if files := s.git("ls-tree", "--name-only", branchRef); len(files) == 0 || strings.Contains(files, ledger.ToldFile) {
		t.Errorf("nothing is told, and there is a file for it:\n%s", files)
	}
	s.put(map[string][]byte{ledger.ToldFile: []byte("<<<<<<<")})
	if err := mine.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	told(mine, "") // of a damaged file nothing is known: people are told again
}
