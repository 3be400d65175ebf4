package gitledger

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// BenchmarkOneDue is what one delivery costs the ledger of a fresh run with a remote in a local folder: fetch, claim and
// record.
func BenchmarkOneDue(b *testing.B) {
	remote, dir := filepath.Join(b.TempDir(), "remote.git"), filepath.Join(b.TempDir(), "clone")
	if _, err := gitrepo.Init(remote, true, "main"); err != nil {
		b.Fatal(err)
	}
	repo, err := gitrepo.Init(dir, false, "main")
	if err != nil {
		b.Fatal(err)
	}
	if err := repo.AddRemote("origin", remote); err != nil {
		b.Fatal(err)
	}
	l := New(repo, Options{
		Branch: "postrider/ledger", Remote: "origin", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return t0 }, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	for i := 0; b.Loop(); i++ {
		if _, err := l.Fetch(b.Context()); err != nil {
			b.Fatal(err)
		}
		r := intent(fmt.Sprint("p", i), "r")
		if err := l.Claim(b.Context(), "claim", []*ledger.Record{r}); err != nil {
			b.Fatal(err)
		}
		if err := l.Record(b.Context(), "record", []*ledger.Record{result(r, "1")}); err != nil {
			b.Fatal(err)
		}
	}
}
