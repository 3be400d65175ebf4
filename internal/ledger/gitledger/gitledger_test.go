package gitledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

var t0 = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)

// site is a bare remote with clones.
type site struct {
	t      *testing.T
	remote string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, remote: filepath.Join(t.TempDir(), "remote.git")}
	if _, err := gitrepo.Init(s.remote, true, "main"); err != nil {
		t.Fatal(err)
	}
	return s
}

// clone returns a fresh repository with the site's remote, and its ledger.
func (s *site) clone() (*gitrepo.Repo, *Ledger) {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "clone")
	repo, err := gitrepo.Init(dir, false, "main")
	if err != nil {
		s.t.Fatal(err)
	}
	if err := repo.AddRemote("origin", s.remote); err != nil {
		s.t.Fatal(err)
	}
	if err := repo.Close(); err != nil {
		s.t.Fatal(err)
	}
	if repo, err = gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { repo.Close() })
	return repo, New(repo, Options{
		Branch: "postrider/ledger", Remote: "origin", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return t0 }, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, SiteTitle: "Acme",
	})
}

func (s *site) fetch(l *Ledger) {
	s.t.Helper()
	if _, err := l.Fetch(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) git(args ...string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), "git", append([]string{"-C", s.remote}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// wordsOf is the digest of a post's words: the post's name, as hexadecimal figures that a reader can tell apart.
func wordsOf(post string) string {
	return hex.EncodeToString([]byte(post + strings.Repeat("-", 16)))[:32]
}

func intent(post, run string) *ledger.Record {
	r := &ledger.Record{Post: post, Account: "bluesky", Platform: "bluesky", Path: "content/" + post + ".md", Title: "Post | " + post, State: ledger.Sending, At: t0, Fingerprint: "fp-" + post, Source: "src-" + post, Said: wordsOf(post)}
	r.Begin(ledger.OpPublish, run, t0, r.Fingerprint)
	r.Lease = &ledger.Lease{Run: run, Until: t0.Add(time.Minute)}
	return r
}

func result(r *ledger.Record, id string) *ledger.Record {
	r = r.Clone()
	r.State, r.PublishedAt = ledger.Published, t0
	r.Parts = []ledger.Part{{Remote: platform.Remote{ID: id, URL: "https://bsky.app/" + id}}}
	r.End(t0, "published", "")
	return r
}

func state(t *testing.T, l *Ledger, post string) ledger.State {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	rec, err := v.Record(ledger.ID{Post: post, Account: "bluesky"})
	if err != nil {
		t.Fatal(err)
	}
	if rec == nil {
		return ""
	}
	return rec.State
}

func TestClaimAndRecord(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	if err := l.Claim(t.Context(), "about to publish", []*ledger.Record{intent("a", "r1"), intent("b", "r1")}); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")}); err != nil {
		t.Fatal(err)
	}

	_, other := s.clone()
	s.fetch(other)
	if got := state(t, other, "a"); got != ledger.Published {
		t.Errorf("a is %q, want published", got)
	}
	if got := state(t, other, "b"); got != ledger.Sending {
		t.Errorf("b is %q, want sending", got)
	}
	v, err := other.View()
	if err != nil {
		t.Fatal(err)
	}
	if said, err := v.Said("bluesky", wordsOf("a")); err != nil || said == nil || said.Post != "a" || !said.Exactly("fp-a") || said.Exactly("fp-b") {
		t.Errorf("Said = %+v, %v; want a", said, err)
	}
	if said, _ := v.Said("bluesky", wordsOf("b")); said != nil {
		t.Error("b is marked as said before its result")
	}
	files := s.git("ls-tree", "-r", "--name-only", "postrider/ledger")
	want := "README.md\npublished/ca/a@bluesky.src-a.json\nsaid/61/612d2d2d2d2d2d2d2d2d2d2d2d2d2d2d@bluesky\nsending/b@bluesky.json\n"
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	log := s.git("log", "--format=%s%n%(trailers)", "postrider/ledger")
	for _, line := range []string{"published a", "Post: a", "Account: bluesky", "Outcome: published", "Id: 1", "Url: https://bsky.app/1", "Run: r1", "Outcome: sending"} {
		if !strings.Contains(log, line+"\n") {
			t.Errorf("the log lacks %q:\n%s", line, log)
		}
	}
	readme := s.git("show", "postrider/ledger:README.md")
	if want := "| 2026-12-01 08:00:00 | Post \\| a | bluesky | [published](https://bsky.app/1) |\n"; !strings.Contains(readme, want) {
		t.Errorf("the README lacks %q:\n%s", want, readme)
	}
	s.git("fsck", "--strict")

	owned, err := other.Owned(other.Tip(), ledger.ID{Post: "b", Account: "bluesky"}, wordsOf("b"), t0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1"}, owned); diff != "" {
		t.Errorf("owned by others than b: %s", diff)
	}
	if owned, err = other.Owned(other.Tip(), ledger.ID{Post: "a", Account: "bluesky"}, wordsOf("a"), t0); err != nil || len(owned) > 0 {
		t.Errorf("owned by others than a = %v, %v; want none", owned, err)
	}
}

// TestOneOfManyGetsTheClaim races publishers for the same delivery, each from a clone of its own.
func TestOneOfManyGetsTheClaim(t *testing.T) {
	s := newSite(t)
	const publishers, rounds = 6, 3
	ledgers := make([]*Ledger, publishers)
	for i := range ledgers {
		_, ledgers[i] = s.clone()
	}
	for round := range rounds {
		post := fmt.Sprintf("p%d", round)
		for _, l := range ledgers {
			s.fetch(l)
		}
		errs := make([]error, publishers)
		var wg sync.WaitGroup
		for i, l := range ledgers {
			wg.Go(func() {
				errs[i] = l.Claim(context.Background(), "claim", []*ledger.Record{intent(post, fmt.Sprintf("r%d", i))})
			})
		}
		wg.Wait()
		winners := 0
		for i, err := range errs {
			switch {
			case err == nil:
				winners++
			case !errors.Is(err, gitrepo.ErrMoved):
				t.Errorf("publisher %d: %v, want ErrMoved", i, err)
			}
		}
		if winners != 1 {
			t.Fatalf("round %d: %d publishers have the claim, want 1", round, winners)
		}
	}
	if merges := s.git("rev-list", "--merges", "--count", "postrider/ledger"); merges != "0\n" {
		t.Errorf("the ledger has %s merges, want a straight line", strings.TrimSpace(merges))
	}
	s.git("fsck", "--strict")
}

// TestResultsAreNeverLost lets publishers record results for posts of their own at the same time.
func TestResultsAreNeverLost(t *testing.T) {
	s := newSite(t)
	const publishers = 5
	var wg sync.WaitGroup
	for i := range publishers {
		_, l := s.clone()
		s.fetch(l)
		wg.Go(func() {
			post := fmt.Sprintf("p%d", i)
			if err := l.Record(context.Background(), "result", []*ledger.Record{result(intent(post, post), post)}); err != nil {
				t.Errorf("publisher %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	_, l := s.clone()
	s.fetch(l)
	for i := range publishers {
		if got := state(t, l, fmt.Sprintf("p%d", i)); got != ledger.Published {
			t.Errorf("p%d is %q, want published", i, got)
		}
	}
}

// TestRemoteDown takes the remote away between a claim and its result: the result stays in the clone, and
// the next run from there brings it home.
func TestRemoteDown(t *testing.T) {
	s := newSite(t)
	repo, l := s.clone()
	s.fetch(l)
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("a", "r1")}); err != nil {
		t.Fatal(err)
	}
	away := s.remote + ".away"
	if err := os.Rename(s.remote, away); err != nil {
		t.Fatal(err)
	}
	for try := range 2 {
		err := l.Record(t.Context(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")})
		if _, ok := errors.AsType[*NotPushedError](err); !ok {
			t.Fatalf("try %d: error = %v, want NotPushedError", try, err)
		}
	}
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("b", "r1")}); err == nil {
		t.Fatal("a claim succeeded without its remote")
	}
	if err := os.Rename(away, s.remote); err != nil {
		t.Fatal(err)
	}

	later := New(repo, l.o)
	s.fetch(later)
	if got := state(t, later, "a"); got != ledger.Published {
		t.Errorf("a is %q here, want published", got)
	}
	_, other := s.clone()
	s.fetch(other)
	if got := state(t, other, "a"); got != ledger.Published {
		t.Errorf("a is %q on the remote, want published", got)
	}
	if got := state(t, other, "b"); got != "" {
		t.Errorf("b is %q, want nothing: its claim was never pushed", got)
	}
}

// TestTwoVersionsInOneCommit records the renewal of a claim and its result at once, as after a push that failed.
func TestTwoVersionsInOneCommit(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	claim := intent("a", "r1")
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{claim}); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "published a", []*ledger.Record{claim.Clone(), result(claim, "1")}); err != nil {
		t.Fatal(err)
	}
	if files := s.git("ls-tree", "-r", "--name-only", "postrider/ledger"); strings.Contains(files, "sending/") || !strings.Contains(files, "published/") {
		t.Errorf("files:\n%s", files)
	}
}

// TestResultsOutliveALocalFailure keeps what could not even be committed for the next call.
func TestResultsOutliveALocalFailure(t *testing.T) {
	s := newSite(t)
	repo, _ := s.clone()
	l := New(repo, Options{
		Branch: "postrider/ledger", Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return t0 },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	s.fetch(l)
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("a", "r1")}); err != nil {
		t.Fatal(err)
	}
	objects := filepath.Join(repo.CommonDir(), "objects")
	if err := os.Rename(objects, objects+".away"); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")}); err == nil {
		t.Fatal("recorded without an object store")
	}
	if err := os.RemoveAll(objects); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(objects+".away", objects); err != nil {
		t.Fatal(err)
	}
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("b", "r1")}); err == nil {
		t.Error("something new was begun before the result was recorded")
	}
	if err := l.Record(t.Context(), "again", nil); err != nil {
		t.Fatal(err)
	}
	if got := state(t, l, "a"); got != ledger.Published {
		t.Errorf("a is %q, want published", got)
	}
}

// TestLeftoversStayUntilTheyArePushed has the remote refuse what an earlier run has left in the clone.
func TestLeftoversStayUntilTheyArePushed(t *testing.T) {
	s := newSite(t)
	repo, l := s.clone()
	s.fetch(l)
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("a", "r1")}); err != nil {
		t.Fatal(err)
	}
	hooks := filepath.Join(s.remote, "hooks")
	if err := os.MkdirAll(hooks, 0o755); err != nil { //nolint:gosec // a git folder
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hooks, "pre-receive"), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")}); err == nil {
		t.Fatal("the hook let it through")
	}
	for range 2 {
		if _, err := New(repo, l.o).Fetch(t.Context()); err == nil {
			t.Fatal("the hook let it through")
		}
	}
	if err := os.RemoveAll(hooks); err != nil {
		t.Fatal(err)
	}
	s.fetch(New(repo, l.o))
	_, other := s.clone()
	s.fetch(other)
	if got := state(t, other, "a"); got != ledger.Published {
		t.Errorf("a is %q on the remote, want published", got)
	}
}

// TestOwnedInAShallowClone knows what a look-up must not adopt without the ledger's history.
func TestOwnedInAShallowClone(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	daily := result(intent("daily", "r1"), "2")
	daily.Occurrence = "20261130T080000Z"
	for _, r := range []*ledger.Record{result(intent("a", "r1"), "1"), daily, result(intent("c", "r1"), "3")} {
		if err := l.Record(t.Context(), "published", []*ledger.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "shallow")
	s.git("clone", "-q", "--depth=1", "--branch=postrider/ledger", "file://"+s.remote, dir)
	repo, err := gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	shallow := New(repo, l.o)
	s.fetch(shallow)
	for _, tt := range []struct {
		id    ledger.ID
		words string
		want  string
	}{
		{ledger.ID{Post: "b", Account: "bluesky"}, wordsOf("a"), "1"},
		{ledger.ID{Post: "daily", Account: "bluesky", Occurrence: "20261201T080000Z"}, wordsOf("new"), "2"},
	} {
		owned, err := shallow.Owned(shallow.Tip(), tt.id, tt.words, t0)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(owned, tt.want) {
			t.Errorf("owned by others than %s: %q, want %s among them", tt.id, owned, tt.want)
		}
	}
}

// TestRefusedClaim has a remote whose hook declines the branch.
func TestRefusedClaim(t *testing.T) {
	s := newSite(t)
	hook := "#!/bin/sh\necho the ledger is frozen >&2\nexit 1\n"
	if err := os.MkdirAll(filepath.Join(s.remote, "hooks"), 0o755); err != nil { //nolint:gosec // a git folder
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.remote, "hooks", "pre-receive"), []byte(hook), 0o755); err != nil { //nolint:gosec // a hook must be executable
		t.Fatal(err)
	}
	repo, l := s.clone()
	s.fetch(l)
	err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("a", "r1")})
	if !errors.Is(err, gitrepo.ErrRefused) || !strings.Contains(err.Error(), "the ledger is frozen") {
		t.Errorf("error = %v, want ErrRefused with the hook's words", err)
	}
	if h, err := repo.Ref("refs/heads/postrider/ledger"); err != nil || h != "" {
		t.Errorf("the refused claim lingers at %q (%v)", h, err)
	}
}

// TestLedgerDeleted has a person delete the remote's ledger: the clone's is pushed again.
func TestLedgerDeleted(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	if err := l.Record(t.Context(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")}); err != nil {
		t.Fatal(err)
	}
	s.git("update-ref", "-d", "refs/heads/postrider/ledger")
	s.fetch(l)
	if got := state(t, l, "a"); got != ledger.Published {
		t.Errorf("a is %q, want published", got)
	}
	s.git("rev-parse", "refs/heads/postrider/ledger")
}

// TestDamagedFile breaks a record's file: it becomes an unknown outcome that only a person settles.
func TestDamagedFile(t *testing.T) {
	s := newSite(t)
	repo, l := s.clone()
	s.fetch(l)
	if err := l.Record(t.Context(), "published a", []*ledger.Record{result(intent("a", "r1"), "1")}); err != nil {
		t.Fatal(err)
	}
	broken, err := repo.Commit(t.Context(), gitrepo.Commit{
		Branch: "postrider/ledger", Parent: l.Tip(), Message: "oops", Time: t0, Name: "x", Email: "x@example.com",
		Files: map[string][]byte{
			"published/ca/a@bluesky.src-a.json": []byte("<<<<<<< HEAD\n"), "unsent/b@bluesky.json": []byte("{"), "unsent/notes.txt": []byte("hi"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := newView(repo, broken, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, post := range []string{"a", "b"} {
		rec, err := v.Record(ledger.ID{Post: post, Account: "bluesky"})
		if err != nil {
			t.Fatal(err)
		}
		if rec == nil || rec.State != ledger.Unknown || rec.Damaged == "" {
			t.Errorf("%s = %+v, want an unknown, damaged record", post, rec)
		}
	}
	if got := len(v.Damaged()); got != 3 {
		t.Errorf("%d damaged files, want 3: %v", got, v.Damaged())
	}
}

// TestEach goes through all records, and opens no more files than match.
func TestEach(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	var results []*ledger.Record
	for _, post := range []string{"a", "b", "c"} {
		results = append(results, result(intent(post, "r1"), post))
	}
	if err := l.Record(t.Context(), "published", results); err != nil {
		t.Fatal(err)
	}
	if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("d", "r2")}); err != nil {
		t.Fatal(err)
	}
	s.put(map[string][]byte{"published/2e/c@bluesky.src-c.json": []byte("{")})
	_, l = s.clone() // the other one would mend the file
	s.fetch(l)
	for _, tt := range []struct {
		name    string
		match   func(ledger.State, ledger.ID) bool
		want    string
		damaged int
	}{
		{"all", func(ledger.State, ledger.ID) bool { return true }, "dba", 1},
		{"open", func(s ledger.State, _ ledger.ID) bool { return !s.Settled() }, "d", 0},
		{"one post", func(_ ledger.State, id ledger.ID) bool { return id.Post == "b" }, "b", 0},
	} {
		v, err := l.View()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := v.EachWhere(tt.match, func(r *ledger.Record) error { got += r.Post; return nil }); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(tt.want) || strings.Trim(got, tt.want) != "" || len(v.Damaged()) != tt.damaged {
			t.Errorf("%s: %q and %v, want %q and %d damaged", tt.name, got, v.Damaged(), tt.want, tt.damaged)
		}
	}
	v, err := (&Ledger{o: l.o}).View()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Each(func(*ledger.Record) error { return errStop }); err != nil {
		t.Errorf("an empty ledger: %v", err)
	}
}

func TestReadmeKeepsTheLatest(t *testing.T) {
	o := Options{Now: func() time.Time { return t0 }}
	var text []byte
	for i := range readmeRows + 10 {
		text = readme(text, o, nil, []*ledger.Record{result(intent(fmt.Sprintf("p%02d", i), "r"), "1")})
	}
	if n := strings.Count(string(text), "| 2026-"); n != readmeRows {
		t.Errorf("%d rows, want %d", n, readmeRows)
	}
	if first := strings.Index(string(text), "p59"); first < 0 || strings.Contains(string(text), "p09") {
		t.Error("the newest result is not on top, or the oldest is still there")
	}
	again := readme(text, o, nil, []*ledger.Record{intent("p99", "r")})
	if string(again) != string(text) {
		t.Error("an intent changed the table of results")
	}
}

// TestReadmeShowsWhatIsWrong has a stop pulled and lifted, and a post that went out twice.
func TestReadmeShowsWhatIsWrong(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	twice := result(intent("a", "r1"), "1")
	twice.Doubles = []ledger.Part{{Remote: platform.Remote{ID: "2", URL: "https://bsky.app/2"}}, {Remote: platform.Remote{ID: "a|b"}}}
	if err := l.Record(t.Context(), "published a", []*ledger.Record{twice}); err != nil {
		t.Fatal(err)
	}
	if err := l.SetHolds(t.Context(), "hold", []ledger.Hold{{Scope: "winter_launch", Reason: "the price\nis *wrong*", By: "Ada <ada@acme.example>", At: t0}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), "published b", []*ledger.Record{result(intent("b", "r1"), "3")}); err != nil {
		t.Fatal(err)
	}
	text := s.git("show", "postrider/ledger:README.md")
	for _, want := range []string{
		"| Post \\| a | bluesky | [published](https://bsky.app/1), **and again**: [2](https://bsky.app/2), **and again**: a\\|b |\n",
		"\n## Stopped\n\n- **winter\\_launch**: the price is \\*wrong\\* (Ada &lt;ada@acme.example&gt;, since 2026-12-01 08:00:00)\n\n## Latest results\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the README lacks %q:\n%s", want, text)
		}
	}
	if err := l.SetHolds(t.Context(), "lift", nil); err != nil {
		t.Fatal(err)
	}
	if text := s.git("show", "postrider/ledger:README.md"); strings.Contains(text, "Stopped") || strings.Count(text, "| 2026-") != 2 {
		t.Errorf("after it was lifted:\n%s", text)
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("two\nlines", 20)
	f.Add("ünïcode\x00\u2028…", 8)
	f.Fuzz(func(t *testing.T, text string, n int) {
		if n < 4 || n > 4096 {
			n = 16
		}
		got := oneLine(text, n)
		if strings.ContainsAny(got, "\r\n\x00") || len(got) > n+2 {
			t.Errorf("oneLine(%q, %d) = %q", text, n, got)
		}
	})
}
