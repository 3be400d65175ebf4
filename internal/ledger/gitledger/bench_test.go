package gitledger

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// The benchmarks work on a ledger of 100,000 published records:
//
//	go test ./internal/ledger/gitledger -run='^$' -bench=. -benchtime=5x
const benchRecords = 100_000

// TestMain removes what the benchmarks share.
func TestMain(m *testing.M) {
	code := m.Run()
	if largeDir != "" {
		os.RemoveAll(largeDir) //nolint:errcheck // a temporary folder
	}
	os.Exit(code)
}

var largeDir string

// large is a bare repository with a ledger of benchRecords, made once; benchmarks copy it.
var large = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "postrider-bench-")
	if err != nil {
		return "", err
	}
	largeDir = dir
	repo, err := gitrepo.Init(dir, true, "main")
	if err != nil {
		return "", err
	}
	if err := repo.Close(); err != nil {
		return "", err
	}
	cmd := exec.Command("git", "-C", dir, "fast-import", "--quiet")
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(in, 1<<20)
	file := func(name string, data []byte) {
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", name, len(data), data)
	}
	const subject = "a ledger of many years"
	fmt.Fprintf(w, "commit refs/heads/postrider/ledger\ncommitter Postrider <postrider@localhost> %d +0000\ndata %d\n%s\n", t0.Unix(), len(subject), subject)
	for i := range benchRecords {
		r := benchRecord(i)
		file(r.File(), r.Encode())
		file(ledger.SaidPath(r.Account, r.Said), r.Saying().Encode())
	}
	file(ledger.OpeningFile, ledger.Opening{Format: ledger.Format, Began: t0.AddDate(-5, 0, 0)}.Encode())
	if err := w.Flush(); err != nil {
		return "", err
	}
	if err := in.Close(); err != nil {
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", err
	}
	return dir, exec.Command("git", "-C", dir, "repack", "-adq").Run()
})

// benchRecord is a published record of ordinary size.
func benchRecord(i int) *ledger.Record {
	post := fmt.Sprintf("p%07x", i)
	return benchResult(benchIntent(post, "bluesky", i))
}

func benchIntent(post, account string, i int) *ledger.Record {
	text := fmt.Sprintf("This is post number %d for %s, which says something that is about as long as what people say to each other on networks of the usual kind.", i, account)
	rendering := &platform.Rendering{Platform: "bluesky", Parts: []platform.Part{{Text: text}}}
	at := t0.Add(-time.Duration(benchRecords-i) * time.Hour)
	r := &ledger.Record{
		Post: post, Account: account, Platform: "bluesky", Path: "content/2026/12/" + post + ".md", Title: "Post number " + post, State: ledger.Sending,
		Op: ledger.OpPublish, At: at, Due: at, Fingerprint: rendering.Fingerprint(), Source: rendering.Fingerprint(), Said: ledger.Said(rendering),
		Commit: "8df4c18aa3079cbfd01acaecdb72a920e63c7487", Rendering: rendering,
	}
	r.Key = r.ID().Key()
	r.Begin(ledger.OpPublish, "20261121T201232Z-0f60e0", at, r.Fingerprint)
	r.Lease = &ledger.Lease{Run: "20261121T201232Z-0f60e0", Until: at.Add(10 * time.Minute)}
	return r
}

func benchResult(r *ledger.Record) *ledger.Record {
	r = r.Clone()
	at := r.At.Add(time.Second)
	r.State, r.PublishedAt = ledger.Published, at
	id := "at://did:plc:z72i7hdynmk6r22z27h6tvur/app.bsky.feed.post/" + r.Post
	r.SetParts(platform.Receipt{Parts: []platform.Remote{{ID: id, URL: "https://bsky.app/profile/acme.example/post/" + r.Post}}}, r.Rendering)
	r.End(at, "published", "")
	return r
}

// largeRemote returns a copy of the large repository.
func largeRemote(b *testing.B) string {
	b.Helper()
	from, err := large()
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(b.TempDir(), "remote.git")
	benchGit(b, "clone", "-q", "--bare", from, dir)
	return dir
}

// largeLedger returns the ledger of a fresh clone of a remote, or, without one, of a repository of its own.
func largeLedger(b *testing.B, remote string) (*gitrepo.Repo, *Ledger) {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "clone")
	o := Options{
		Branch: "postrider/ledger", Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return t0 },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, SiteTitle: "Acme",
	}
	if remote != "" {
		o.Remote = "origin"
		benchGit(b, "clone", "-q", "--no-checkout", "--branch=postrider/ledger", remote, dir)
	} else {
		dir = largeRemote(b)
	}
	repo, err := gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { repo.Close() })
	return repo, New(repo, o)
}

func benchGit(b *testing.B, args ...string) {
	b.Helper()
	if out, err := exec.CommandContext(b.Context(), "git", args...).CombinedOutput(); err != nil {
		b.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// BenchmarkClaimAndRecord is a run with 200 deliveries, without the networks: the figure is at most one second.
func BenchmarkClaimAndRecord(b *testing.B) {
	for _, bm := range []struct {
		name     string
		remote   bool
		accounts int
	}{{"local/200x1", false, 1}, {"local/50x4", false, 4}, {"remote/200x1", true, 1}, {"remote/50x4", true, 4}} {
		b.Run(bm.name, func(b *testing.B) {
			remote := ""
			if bm.remote {
				remote = largeRemote(b)
			}
			_, l := largeLedger(b, remote)
			if _, err := l.Fetch(b.Context()); err != nil {
				b.Fatal(err)
			}
			next := benchRecords
			var claiming, recording time.Duration
			for b.Loop() {
				b.StopTimer()
				var claims, results []*ledger.Record
				for len(claims) < 200 {
					next++
					for account := range bm.accounts {
						r := benchIntent(fmt.Sprintf("p%07x", next), fmt.Sprintf("account%d", account), next)
						claims, results = append(claims, r), append(results, benchResult(r))
					}
				}
				b.StartTimer()
				start := time.Now()
				if err := l.Claim(b.Context(), "200 to publish", claims); err != nil {
					b.Fatal(err)
				}
				claiming += time.Since(start)
				start = time.Now()
				if err := l.Record(b.Context(), "200 published", results); err != nil {
					b.Fatal(err)
				}
				recording += time.Since(start)
			}
			b.ReportMetric(float64(claiming.Milliseconds())/float64(b.N), "ms-claim")
			b.ReportMetric(float64(recording.Milliseconds())/float64(b.N), "ms-record")
			reportMemory(b)
		})
	}
}

// BenchmarkEach reads every record, as `postrider status` does without filters.
func BenchmarkEach(b *testing.B) {
	_, l := largeLedger(b, "")
	if _, err := l.Fetch(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		v, err := l.View()
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := v.Each(func(*ledger.Record) error { n++; return nil }); err != nil || n != benchRecords {
			b.Fatalf("%d records, %v", n, err)
		}
	}
	reportMemory(b)
}

// BenchmarkNothingDue is what a run without anything to do asks of the ledger.
func BenchmarkNothingDue(b *testing.B) {
	_, l := largeLedger(b, "")
	for b.Loop() {
		if _, err := l.Fetch(b.Context()); err != nil {
			b.Fatal(err)
		}
		v, err := l.View()
		if err != nil {
			b.Fatal(err)
		}
		if open, err := v.Open(); err != nil || len(open) > 0 {
			b.Fatal(open, err)
		}
		if _, err := v.Opening(); err != nil {
			b.Fatal(err)
		}
		for i := range 256 { // one post of every shard: the listings of all
			if _, _, err := v.Brief(ledger.ID{Post: fmt.Sprintf("p%07x", i*390), Account: "bluesky"}); err != nil {
				b.Fatal(err)
			}
		}
	}
	reportMemory(b)
}

// BenchmarkMigrate brings a ledger of format 1 up to date, which happens once in its life.
func BenchmarkMigrate(b *testing.B) {
	repo, l := largeLedger(b, "")
	if _, err := l.Fetch(b.Context()); err != nil {
		b.Fatal(err)
	}
	old, err := repo.Commit(b.Context(), gitrepo.Commit{
		Branch: l.o.Branch, Parent: l.tip, Message: "as an earlier program would have left it", Time: t0,
		Files: map[string][]byte{ledger.OpeningFile: nil, saidDir: nil},
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		if tip, err := repo.Ref(l.branchRef()); err != nil {
			b.Fatal(err)
		} else if err := repo.SetRef(b.Context(), l.branchRef(), tip, old); err != nil {
			b.Fatal(err)
		}
		l.tip = old
		b.StartTimer()
		if err := l.Migrate(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if l.tip == old {
		b.Fatal("nothing was migrated")
	}
	reportMemory(b)
}

// reportMemory reports the highest resident size of this process so far, where the system tells it.
func reportMemory(b *testing.B) {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return
	}
	var kb float64
	if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
		if _, err := fmt.Sscanf(rest, "%f", &kb); err == nil {
			b.ReportMetric(kb/1024, "MB-peak")
		}
	}
}
