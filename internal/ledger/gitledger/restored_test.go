package gitledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// warnings is where a ledger's warnings go.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *warnings) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *warnings) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// heard returns a clone's ledger and its warnings.
func (s *site) heard() (*gitrepo.Repo, *Ledger, *warnings) {
	s.t.Helper()
	repo, l := s.clone()
	w := &warnings{}
	l.o.Log = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return repo, l, w
}

// publish claims and records a post.
func (s *site) publish(l *Ledger, posts ...string) {
	s.t.Helper()
	for _, p := range posts {
		if err := l.Claim(s.t.Context(), "claim "+p, []*ledger.Record{intent(p, "r1")}); err != nil {
			s.t.Fatal(err)
		}
		if err := l.Record(s.t.Context(), "published "+p, []*ledger.Record{result(intent(p, "r1"), "id-"+p)}); err != nil {
			s.t.Fatal(err)
		}
	}
}

const branchRef, theCopy = "refs/heads/postrider/ledger", "refs/postrider/copy/postrider/ledger"

// at returns where a reference of the remote is.
func (s *site) at(ref string) gitrepo.Hash {
	out, _ := exec.CommandContext(s.t.Context(), "git", "-C", s.remote, "rev-parse", "--verify", "--quiet", ref).Output()
	return gitrepo.Hash(strings.TrimSpace(string(out)))
}

func (s *site) hook(name, script string) {
	s.t.Helper()
	dir := filepath.Join(s.remote, "hooks")
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a git folder
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil { //nolint:gosec // a hook must be executable
		s.t.Fatal(err)
	}
}

// linear fails unless the remote's ledger is sound, and a straight line of n commits at least.
func (s *site) linear(n int) {
	s.t.Helper()
	s.git("fsck", "--strict")
	if merges := s.git("rev-list", "--min-parents=2", branchRef); merges != "" {
		s.t.Errorf("the ledger has merges: %s", merges)
	}
	if got := strings.Count(s.git("rev-list", branchRef), "\n"); got < n {
		s.t.Errorf("the ledger has %d commits, want %d: history is lost", got, n)
	}
}

// TestFreshClonesKnowWhatTheBranchHasLost has a person spoil the branch in several ways. Only fresh clones look at it
// afterwards.
func TestFreshClonesKnowWhatTheBranchHasLost(t *testing.T) {
	for _, tt := range []struct {
		name    string
		spoil   func(s *site)
		warning string
		commits int
		lost    bool // the copy's history stays on the remote beside the branch
	}{
		{"deleted", func(s *site) { s.git("update-ref", "-d", branchRef) }, "the ledger branch was deleted", 6, false},
		{"set back", func(s *site) { s.git("update-ref", branchRef, branchRef+"~3") }, "the ledger branch was set back", 6, false},
		{"set back to before the beginning", func(s *site) { s.git("update-ref", branchRef, branchRef+"~5") }, "the ledger branch was set back", 6, false},
		{"set back, and gone on from there", func(s *site) {
			tree := strings.TrimSpace(s.git("rev-parse", branchRef+"~3^{tree}"))
			commit := s.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit-tree", "-p", branchRef+"~3", "-m", "by an old program", tree)
			s.git("update-ref", branchRef, strings.TrimSpace(commit))
		}, "was merged from its copy", 5, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			_, l := s.clone()
			s.fetch(l)
			s.publish(l, "a", "b", "c")
			before := s.at(branchRef)
			if s.at(theCopy) != before {
				t.Fatalf("the copy is at %q, want %s", s.at(theCopy), before)
			}
			tt.spoil(s)

			_, fresh, said := s.heard()
			s.fetch(fresh)
			for _, p := range []string{"a", "b", "c"} {
				if got := state(t, fresh, p); got != ledger.Published {
					t.Errorf("%s is %q, want published", p, got)
				}
			}
			if !strings.Contains(said.String(), tt.warning) || !strings.Contains(said.String(), "records=") {
				t.Errorf("no warning says %q and how many records: %s", tt.warning, said)
			}
			if s.at(branchRef) != fresh.Tip() || s.at(theCopy) != fresh.Tip() {
				t.Errorf("the branch is at %s and the copy at %s, want both at %s", s.at(branchRef), s.at(theCopy), fresh.Tip())
			}
			if lost := s.at("refs/postrider/lost/postrider/ledger/" + before.Short()); (lost == before) != tt.lost {
				t.Errorf("the copy's history is kept at %q", lost)
			}
			v, err := fresh.View()
			if err != nil {
				t.Fatal(err)
			}
			if said, err := v.Said("bluesky", wordsOf("c")); err != nil || said == nil || said.Post != "c" {
				t.Errorf("Said = %+v, %v", said, err)
			}
			s.linear(tt.commits)
			_, again, said := s.heard()
			s.fetch(again)
			s.publish(again, "d")
			if said.String() != "" {
				t.Errorf("the next run has something to say: %s", said)
			}
			s.linear(tt.commits + 2)
		})
	}
}

// TestLostInMidRun deletes the branch, or sets it back, between a claim and its result.
func TestLostInMidRun(t *testing.T) {
	for name, args := range map[string][]string{"deleted": {"-d", branchRef}, "set back": {branchRef, branchRef + "~2"}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			_, l := s.clone()
			s.fetch(l)
			s.publish(l, "a", "b")
			if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("c", "r1")}); err != nil {
				t.Fatal(err)
			}
			s.git(append([]string{"update-ref"}, args...)...)
			if err := l.Claim(t.Context(), "claim", []*ledger.Record{intent("d", "r1")}); !errors.Is(err, gitrepo.ErrMoved) {
				t.Errorf("a claim on what the branch was: %v, want ErrMoved", err)
			}
			if err := l.Record(t.Context(), "published c", []*ledger.Record{result(intent("c", "r1"), "3")}); err != nil {
				t.Fatal(err)
			}
			_, fresh := s.clone()
			s.fetch(fresh)
			for _, p := range []string{"a", "b", "c"} {
				if got := state(t, fresh, p); got != ledger.Published {
					t.Errorf("%s is %q, want published", p, got)
				}
			}
			s.linear(6)
		})
	}
}

// TestShallowCloneRestores cannot see that the branch has only been set back: it merges the records, and keeps the rest.
func TestShallowCloneRestores(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	s.publish(l, "a", "b", "c")
	if err := l.SetHolds(t.Context(), "stop", []ledger.Hold{{Scope: ledger.ScopeAll, Reason: "fire", At: t0}}); err != nil {
		t.Fatal(err)
	}
	lost := s.at(branchRef)
	s.git("update-ref", branchRef, branchRef+"~4")
	s.git("symbolic-ref", "HEAD", branchRef)
	dir := filepath.Join(t.TempDir(), "shallow")
	s.git("clone", "-q", "--depth=1", "--no-checkout", "file://"+s.remote, dir)
	repo, err := gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	shallow := New(repo, l.o)
	s.fetch(shallow)
	for _, p := range []string{"a", "b", "c"} {
		if got := state(t, shallow, p); got != ledger.Published {
			t.Errorf("%s is %q, want published", p, got)
		}
	}
	v, err := shallow.View()
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := v.Holds(); err != nil || len(holds) != 1 {
		t.Errorf("holds = %v, %v; want the one that was lost", holds, err)
	}
	if got := s.at("refs/postrider/lost/postrider/ledger/" + lost.Short()); got != lost {
		t.Errorf("the history that was merged is kept at %q, want %s", got, lost)
	}
	s.linear(3)
}

// TestCopyStaysBehind: a remote that refused the copy once has a branch that is ahead of it. Nothing is wrong with that.
func TestCopyStaysBehind(t *testing.T) {
	for _, clone := range []string{"full", "shallow"} {
		s := newSite(t)
		_, l := s.clone()
		s.fetch(l)
		s.publish(l, "a")
		behind := s.at(theCopy)
		s.hook("update", `case $1 in refs/postrider/*) exit 1;; esac`)
		s.publish(l, "b")
		if s.at(theCopy) != behind || s.at(branchRef) != l.Tip() {
			t.Fatal("the remote did not refuse the copy alone")
		}
		s.hook("update", "exit 0")
		repo, fresh, said := s.heard()
		if clone == "shallow" {
			s.git("symbolic-ref", "HEAD", branchRef)
			dir := filepath.Join(t.TempDir(), "shallow")
			s.git("clone", "-q", "--depth=1", "--no-checkout", "file://"+s.remote, dir)
			var err error
			if repo, err = gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv}); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { repo.Close() })
			fresh = New(repo, fresh.o)
		}
		tip := s.at(branchRef)
		s.fetch(fresh)
		if fresh.Tip() != tip || s.at(branchRef) != tip || said.String() != "" {
			t.Errorf("%s: a branch that is ahead of its copy was touched: %s", clone, said)
		}
		s.publish(fresh, "c")
		if s.at(theCopy) != fresh.Tip() {
			t.Errorf("%s: the copy is at %s, want %s", clone, s.at(theCopy), fresh.Tip())
		}
	}
}

// TestNoFalseAlarm lets many publish at once: a branch and a copy that are seen in mid-move are nothing to warn of.
func TestNoFalseAlarm(t *testing.T) {
	s := newSite(t)
	const publishers, rounds = 4, 4
	var wg sync.WaitGroup
	var all []*warnings
	for i := range publishers {
		_, l, said := s.heard()
		all = append(all, said)
		wg.Go(func() {
			for n := range rounds {
				if _, err := l.Fetch(context.Background()); err != nil {
					t.Errorf("publisher %d: %v", i, err)
				}
				post := fmt.Sprintf("p%d-%d", i, n)
				if err := l.Record(context.Background(), "result", []*ledger.Record{result(intent(post, post), post)}); err != nil {
					t.Errorf("publisher %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	for i, said := range all {
		if said.String() != "" {
			t.Errorf("publisher %d: %s", i, said)
		}
	}
	_, l := s.clone()
	s.fetch(l)
	sum, err := l.Verify(t.Context(), func(p Problem) { t.Errorf("%+v", p) })
	if err != nil || sum.Records != publishers*rounds || sum.Commits != publishers*rounds {
		t.Errorf("%+v, %v", sum, err)
	}
	if s.at(theCopy) != s.at(branchRef) {
		t.Errorf("the copy is at %s, the branch at %s", s.at(theCopy), s.at(branchRef))
	}
	s.linear(publishers * rounds)
}

// TestFolderOnAPublishedBranch keeps the ledger on the branch on which people work: what they do with it stands, and no
// record is lost.
func TestFolderOnAPublishedBranch(t *testing.T) {
	s := newSite(t)
	shared := func() (*gitrepo.Repo, *Ledger, *warnings) {
		repo, l, said := s.heard()
		l.o.Branch, l.o.Folder = "main", ".postrider"
		return repo, l, said
	}
	repo, l, _ := shared()
	write := func(parent gitrepo.Hash, name string) gitrepo.Hash {
		h, err := repo.Commit(t.Context(), gitrepo.Commit{Parent: parent, Files: map[string][]byte{name: []byte(name)}, Message: name, Time: t0})
		if err != nil {
			t.Fatal(err)
		}
		if err := repo.Push(t.Context(), "origin", "main", parent, h); err != nil {
			t.Fatal(err)
		}
		return h
	}
	write("", "site.yaml")
	s.fetch(l)
	s.publish(l, "a")
	write(l.Tip(), "content/a.md")
	s.fetch(l)
	s.publish(l, "b")
	s.git("update-ref", "refs/heads/main", "main~3") // people take their last commits back
	people := s.at("refs/heads/main")

	_, fresh, said := shared()
	s.fetch(fresh)
	for _, p := range []string{"a", "b"} {
		if got := state(t, fresh, p); got != ledger.Published {
			t.Errorf("%s is %q, want published", p, got)
		}
	}
	if !strings.Contains(said.String(), "merged from its copy") {
		t.Errorf("no warning: %s", said)
	}
	if parent := s.at("refs/heads/main~1"); parent != people {
		t.Errorf("the branch was rewritten: %s is below the tip, want %s", parent, people)
	}
	if files := s.git("ls-tree", "-r", "--name-only", "main"); strings.Contains(files, "content/") {
		t.Errorf("what people took back has returned: %s", files)
	}
	s.git("update-ref", "-d", "refs/heads/main")
	_, fresh, _ = shared()
	if heads, err := fresh.Fetch(t.Context()); err != nil || heads["refs/heads/main"] != "" || s.at("refs/heads/main") != "" {
		t.Errorf("a branch of people that they have deleted came back: %v, %v", heads, err)
	}
}

// TestAnswerLost has the remote accept a push and die before it says so.
func TestAnswerLost(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	s.hook("post-receive", "kill -9 $PPID")
	s.publish(l, "a", "b")
	if tip := s.at(branchRef); tip != l.Tip() || s.at(theCopy) != tip {
		t.Errorf("the remote is at %s, its copy at %s, the ledger at %s", tip, s.at(theCopy), l.Tip())
	}
	s.linear(4)
}

// TestLocksOfTheDead leaves every lock of git in a clone: with a remote, only the clone's copy suffers.
func TestLocksOfTheDead(t *testing.T) {
	s := newSite(t)
	repo, l := s.clone()
	s.fetch(l)
	s.publish(l, "a")
	locks := []string{branchRef, "refs/remotes/origin/postrider/ledger", "packed-refs", "index", "HEAD"}
	for _, name := range locks {
		if err := os.WriteFile(filepath.Join(repo.CommonDir(), name+".lock"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, other := s.clone()
	s.fetch(other)
	s.publish(other, "b")
	later := New(repo, l.o)
	s.fetch(later)
	s.publish(later, "c")
	for _, p := range []string{"a", "b", "c"} {
		if got := state(t, later, p); got != ledger.Published {
			t.Errorf("%s is %q, want published", p, got)
		}
	}

	alone, err := gitrepo.Init(filepath.Join(t.TempDir(), "alone"), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { alone.Close() })
	o := l.o
	o.Remote = ""
	local := New(alone, o)
	s.fetch(local)
	lock := filepath.Join(alone.CommonDir(), branchRef+".lock")
	if err := os.MkdirAll(filepath.Dir(lock), 0o755); err != nil { //nolint:gosec // a git folder
		t.Fatal(err)
	}
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = local.Claim(t.Context(), "claim", []*ledger.Record{intent("a", "r1")})
	if e, ok := errors.AsType[*gitrepo.LockedError](err); !ok || e.Path != lock || !strings.Contains(err.Error(), "if none is running, remove the file") {
		t.Errorf("without a remote: %v, want LockedError that names the file and says when to remove it", err)
	}
}

// TestDamagedLocalLedger spoils what the clone keeps of the ledger: the remote's is used.
func TestDamagedLocalLedger(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, repo *gitrepo.Repo, tip gitrepo.Hash){
		"reference": func(t *testing.T, repo *gitrepo.Repo, _ gitrepo.Hash) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(repo.CommonDir(), branchRef), []byte("\x00\x00"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"commit": spoilObject,
		"folder": func(t *testing.T, repo *gitrepo.Repo, tip gitrepo.Hash) {
			t.Helper()
			tree, err := repo.Tree(tip)
			if err != nil {
				t.Fatal(err)
			}
			id, err := tree.ID("published")
			if err != nil {
				t.Fatal(err)
			}
			spoilObject(t, repo, id)
		},
		"missing commit": func(t *testing.T, repo *gitrepo.Repo, tip gitrepo.Hash) {
			t.Helper()
			if err := os.Remove(filepath.Join(repo.CommonDir(), "objects", string(tip[:2]), string(tip[2:]))); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			repo, l := s.clone()
			s.fetch(l)
			s.publish(l, "a")
			tip := l.Tip()
			_, other := s.clone()
			s.fetch(other)
			s.publish(other, "b") // so that the remote's tip is another one
			spoil(t, repo, tip)
			if err := repo.Close(); err != nil {
				t.Fatal(err)
			}
			said := &warnings{}
			l.o.Log = slog.New(slog.NewTextHandler(said, &slog.HandlerOptions{Level: slog.LevelWarn}))
			reopened, err := gitrepo.Open(repo.Root(), gitrepo.Options{Env: os.Getenv})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { reopened.Close() })
			later := New(reopened, l.o)
			s.fetch(later)
			if got := state(t, later, "b"); got != ledger.Published {
				t.Errorf("b is %q, want published", got)
			}
			if !strings.Contains(said.String(), "local ledger cannot be") {
				t.Errorf("no warning: %s", said)
			}
			s.publish(later, "c")
			if h, err := reopened.Ref(branchRef); err != nil || h != later.Tip() {
				t.Errorf("the local ledger is at %q, %v; want %s", h, err, later.Tip())
			}
		})
	}
}

// TestDamagedRemoteTip has the very commit damaged here that the remote's ledger is at: a loose one is fetched again, and
// for one in a pack the error says what to do.
func TestDamagedRemoteTip(t *testing.T) {
	s := newSite(t)
	repo, l := s.clone()
	s.fetch(l)
	s.publish(l, "a")
	spoilObject(t, repo, l.Tip())
	later := New(repo, l.o)
	s.fetch(later)
	if got := state(t, later, "a"); got != ledger.Published {
		t.Errorf("a is %q, want published", got)
	}
	s.publish(later, "b")
	if out, err := exec.CommandContext(t.Context(), "git", "-C", repo.Root(), "fsck", "--strict").CombinedOutput(); err != nil {
		t.Errorf("fsck: %v: %s", err, out)
	}

	if out, err := exec.CommandContext(t.Context(), "git", "-C", repo.Root(), "repack", "-adq").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	packs, err := filepath.Glob(filepath.Join(repo.CommonDir(), "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	pack, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(packs[0]), os.WriteFile(packs[0], append(pack[:12], bytes.Repeat([]byte{0xff}, len(pack)-12)...), 0o600)); err != nil {
		t.Fatal(err)
	}
	again, err := gitrepo.Open(repo.Root(), gitrepo.Options{Env: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	_, err = New(again, l.o).Fetch(t.Context())
	if err == nil || !strings.Contains(err.Error(), string(later.Tip())) || !strings.Contains(err.Error(), "fresh clone") {
		t.Errorf("error = %v, want one that names the commit and the way back", err)
	}
}
