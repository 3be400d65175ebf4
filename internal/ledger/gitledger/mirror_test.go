package gitledger

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// BenchmarkOneDue is what one delivery costs the ledger of a fresh run: open, fetch, claim and record.
func BenchmarkOneDue(b *testing.B) {
	for _, scheme := range []string{"folder", "http"} {
		b.Run(scheme, func(b *testing.B) {
			remote, dir := filepath.Join(b.TempDir(), "remote.git"), filepath.Join(b.TempDir(), "clone")
			benchGit(b, "init", "-q", "--bare", remote)
			benchGit(b, "-C", remote, "config", "http.receivepack", "true")
			benchGit(b, "-C", remote, "config", "receive.autogc", "false")
			address := remote
			if scheme == "http" {
				out, err := exec.CommandContext(b.Context(), "git", "--exec-path").Output()
				if err != nil {
					b.Fatal(err)
				}
				server := httptest.NewServer(&cgi.Handler{
					Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"), Stderr: io.Discard,
					Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(remote), "GIT_HTTP_EXPORT_ALL=1"},
				})
				b.Cleanup(server.Close)
				address = server.URL + "/remote.git"
			}
			repo, err := gitrepo.Init(dir, false, "main")
			if err != nil {
				b.Fatal(err)
			}
			if err := repo.AddRemote("origin", address); err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				repo, err := gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv})
				if err != nil {
					b.Fatal(err)
				}
				l := New(repo, Options{
					Branch: "postrider/ledger", Remote: "origin", Log: slog.New(slog.DiscardHandler),
					Now: func() time.Time { return t0 }, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
				})
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
				if err := repo.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
