package gitledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// written is a ledger without a remote, and a way to spoil it.
type written struct {
	*Ledger
	t *testing.T
}

func newWritten(t *testing.T, posts ...string) *written {
	t.Helper()
	repo, err := gitrepo.Init(filepath.Join(t.TempDir(), "site"), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	w := &written{t: t, Ledger: New(repo, Options{
		Branch: "postrider/ledger", Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return t0 },
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})}
	w.must(w.Begin(t.Context(), ledger.Opening{Format: ledger.Format, Began: t0}, nil))
	for _, p := range posts {
		r := intent(p, "r1")
		r.Key = r.ID().Key()
		w.must(w.Claim(t.Context(), "claim "+p, []*ledger.Record{r}))
		w.must(w.Record(t.Context(), "published "+p, []*ledger.Record{result(r, "id-"+p)}))
	}
	return w
}

func (w *written) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// edit commits files as somebody by hand would.
func (w *written) edit(files map[string]string) gitrepo.Hash {
	w.t.Helper()
	c := gitrepo.Commit{Branch: w.o.Branch, Parent: w.tip, Files: map[string][]byte{}, Message: "by hand", Time: t0, Name: "x", Email: "x@example.com"}
	for name, text := range files {
		if c.Files[name] = []byte(text); text == "" {
			c.Files[name] = nil
		}
	}
	h, err := w.repo.Commit(w.t.Context(), c)
	w.must(err)
	w.tip = h
	return h
}

func (w *written) read(file string) string {
	w.t.Helper()
	tree, err := w.repo.Tree(w.tip)
	w.must(err)
	b, err := tree.ReadFile(file)
	w.must(err)
	return string(b)
}

// path returns where a post's record stands.
func (w *written) path(post string) string {
	w.t.Helper()
	v, err := w.View()
	w.must(err)
	file, err := v.file(ledger.ID{Post: post, Account: "bluesky"})
	w.must(err)
	return file
}

func (w *written) verify(deep bool) (Summary, []Problem) {
	w.t.Helper()
	var list []Problem
	run := w.Verify
	if deep {
		run = w.VerifyDeep
	}
	sum, err := run(w.t.Context(), func(p Problem) { list = append(list, p) })
	w.must(err)
	if sum.Problems != len(list) {
		w.t.Errorf("the summary counts %d problems, there were %d", sum.Problems, len(list))
	}
	return sum, list
}

func TestVerifySound(t *testing.T) {
	w := newWritten(t, "a", "b")
	sum, problems := w.verify(true)
	if len(problems) > 0 {
		t.Errorf("a sound ledger has problems: %+v", problems)
	}
	want := Summary{Tip: w.Tip(), Records: 2, States: map[ledger.State]int{ledger.Published: 2}, Markers: 2, Commits: 5}
	if diff := cmp.Diff(want, sum); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestVerifyFinds(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(w *written)
		deep  bool
		path  func(w *written) string
		want  string
	}{
		"a record that is no record": {
			spoil: func(w *written) { w.edit(map[string]string{w.path("a"): "<<<<<<< HEAD\n"}) },
			want:  "not a ledger record",
		},
		"a record in the wrong place": {
			spoil: func(w *written) {
				w.edit(map[string]string{"skipped/00/a@bluesky.json": w.read(w.path("a")), w.path("a"): ""})
			},
			want: "its content belongs in published/ca/a@bluesky",
		},
		"a record of another post": {
			spoil: func(w *written) { w.edit(map[string]string{w.path("a"): w.read(w.path("b"))}) },
			want:  "its name says a@bluesky, its content b@bluesky",
		},
		"two records of one delivery": {
			spoil: func(w *written) {
				r := intent("a", "r2")
				r.Key = r.ID().Key()
				w.edit(map[string]string{"sending/a@bluesky.json": string(r.Encode())})
			},
			want: "the record is there twice",
		},
		"a marker that leads nowhere": {
			spoil: func(w *written) { w.edit(map[string]string{w.path("a"): ""}) },
			want:  "from post a, of which there is no record",
		},
		"a damaged marker": {
			spoil: func(w *written) {
				w.edit(map[string]string{ledger.SaidPath("bluesky", wordsOf("a")): "?"})
			},
			want: "a marker of words",
		},
		"a missing marker": {
			spoil: func(w *written) { w.edit(map[string]string{ledger.SaidPath("bluesky", wordsOf("a")): ""}) },
			want:  "its marker in said/ is missing",
		},
		"a file that is no part of it": {
			spoil: func(w *written) { w.edit(map[string]string{"unsent/notes.txt": "hi"}) },
			want:  "does not belong",
		},
		"a damaged opening": {
			spoil: func(w *written) { w.edit(map[string]string{ledger.OpeningFile: "{}"}) },
			want:  "ledger.json",
		},
		"a newer opening": {
			spoil: func(w *written) { w.edit(map[string]string{ledger.OpeningFile: `{"format": 99}`}) },
			want:  "format 99",
		},
		"damaged holds": {
			spoil: func(w *written) { w.edit(map[string]string{ledger.HoldsFile: "stop!"}) },
			want:  "holds.json",
		},
		"damage to what was told": {
			spoil: func(w *written) { w.edit(map[string]string{ledger.ToldFile: "nothing"}) },
			want:  "told.json",
		},
		"a merge": {
			spoil: func(w *written) {
				dir := w.repo.Root()
				out, err := exec.CommandContext(w.t.Context(), "git", "-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com",
					"commit-tree", "-p", string(w.tip), "-p", string(w.tip)+"~1", "-m", "merge", string(w.tip)+"^{tree}").Output()
				w.must(err)
				w.tip = gitrepo.Hash(strings.TrimSpace(string(out)))
			},
			want: "a merge of 2",
		},
		"a record that has vanished": {
			deep: true,
			spoil: func(w *written) {
				w.edit(map[string]string{w.path("a"): "", ledger.SaidPath("bluesky", wordsOf("a")): ""})
			},
			want: "removes the record",
		},
		"a forgotten attempt": {
			deep: true,
			spoil: func(w *written) {
				r, err := ledger.Decode([]byte(w.read(w.path("a"))))
				w.must(err)
				r.Attempts[0].Run = "another"
				w.edit(map[string]string{w.path("a"): string(r.Encode())})
			},
			want: "forgets 1 attempts",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWritten(t, "a", "b")
			tt.spoil(w)
			_, problems := w.verify(tt.deep)
			if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Message, tt.want) && p.Hint != "" && p.Commit != "" }) {
				t.Errorf("no problem says %q: %+v", tt.want, problems)
			}
			if len(problems) > 3 {
				t.Errorf("%d problems: %+v", len(problems), problems)
			}
		})
	}
}

// TestVerifyDamagedObjects has a blob and a commit of the history damaged on the disk.
func TestVerifyDamagedObjects(t *testing.T) {
	w := newWritten(t, "a", "b")
	tree, err := w.repo.Tree(w.tip)
	w.must(err)
	blob, err := tree.ID(w.path("a"))
	w.must(err)
	var commits []gitrepo.Hash
	w.must(w.repo.Log(w.tip, 0, func(c gitrepo.CommitInfo) error { commits = append(commits, c.Hash); return nil }))
	for _, id := range []gitrepo.Hash{blob, commits[2]} {
		spoilObject(t, w.repo, id)
	}
	_, problems := w.verify(false)
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Path+" "+p.Commit.Short()+" "+p.Message)
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{w.path("a") + " ", commits[2].Short() + " the commit cannot be read"} {
		if !strings.Contains(all, want) {
			t.Errorf("no problem says %q:\n%s", want, all)
		}
	}
}

// spoilObject overwrites a loose object.
func spoilObject(t *testing.T, repo *gitrepo.Repo, id gitrepo.Hash) {
	t.Helper()
	file := filepath.Join(repo.CommonDir(), "objects", string(id[:2]), string(id[2:]))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("x\x9c not deflated"), 0o444); err != nil { //nolint:gosec // as git writes them
		t.Fatal(err)
	}
}

func TestRestore(t *testing.T) {
	w := newWritten(t, "a", "b", "c")
	files := map[string]string{w.path("a"): "<<<<<<<", w.path("b"): "", ledger.OpeningFile: "", ledger.SaidPath("bluesky", wordsOf("c")): ""}
	good := map[string]string{}
	for f := range files {
		good[f] = w.read(f)
	}
	was := w.tip
	files[w.path("b")], files[ledger.OpeningFile] = "{}", "[]"
	since := w.edit(files)
	later := intent("d", "r2")
	later.Key = later.ID().Key()
	w.must(w.Claim(t.Context(), "claim d", []*ledger.Record{later}))

	v, err := w.View()
	w.must(err)
	_, err = v.Record(ledger.ID{Post: "a", Account: "bluesky"})
	w.must(err)
	damaged := v.Damaged()
	if len(damaged) != 1 || damaged[0].Commit != since || !strings.Contains(damaged[0].String(), since.Short()) || !strings.Contains(damaged[0].String(), "doctor --ledger --repair") {
		t.Errorf("damaged = %v, want one file since %s and the way back", damaged, since.Short())
	}
	commit, b, err := w.LastGood(t.Context(), w.path("a"))
	if err != nil || commit != was || string(b) != good[w.path("a")] {
		t.Errorf("LastGood = %s, %q, %v; want %s", commit, b, err, was)
	}

	_, problems := w.verify(false)
	var repair []string
	for _, p := range problems {
		if p.Repair && !slices.Contains(repair, p.Path) {
			repair = append(repair, p.Path)
		}
	}
	before := w.tip
	restored, err := w.Restore(t.Context(), repair...)
	w.must(err)
	if len(restored) != 3 {
		t.Errorf("%d files were restored, want 3: %+v", len(restored), restored)
	}
	for f, text := range good {
		if got := w.read(f); got != text {
			t.Errorf("%s = %q, want %q", f, got, text)
		}
	}
	c, err := w.repo.CommitInfo(w.tip)
	if err != nil || len(c.Parents) != 1 || c.Parents[0] != before {
		t.Errorf("the restoring commit stands on %v (%v), want %s", c.Parents, err, before)
	}
	if _, problems := w.verify(true); len(problems) > 0 {
		t.Errorf("the restored ledger has problems: %+v", problems)
	}
	if again, err := w.Restore(t.Context(), repair...); err != nil || len(again) > 0 {
		t.Errorf("restoring again = %v, %v", again, err)
	}
}

// TestRestoreFromAnotherState restores a record that was never readable under the name that it has now.
func TestRestoreFromAnotherState(t *testing.T) {
	w := newWritten(t, "a")
	r := intent("d", "r2")
	r.Key = r.ID().Key()
	w.must(w.Claim(t.Context(), "claim d", []*ledger.Record{r}))
	w.edit(map[string]string{"sending/d@bluesky.json": "", "unknown/d@bluesky.json": "broken"})
	restored, err := w.Restore(t.Context(), "unknown/d@bluesky.json")
	if err != nil || len(restored) != 1 || restored[0].Before != "unknown/d@bluesky.json" || restored[0].File != "sending/d@bluesky.json" {
		t.Fatalf("Restore = %+v, %v", restored, err)
	}
	if got := state(t, w.Ledger, "d"); got != ledger.Sending {
		t.Errorf("d is %q, want sending", got)
	}
}

func TestNothingToRestoreFrom(t *testing.T) {
	w := newWritten(t, "a")
	w.edit(map[string]string{"unsent/n@bluesky.json": "never good"})
	before := w.tip
	_, err := w.Restore(t.Context(), w.path("a"), "unsent/n@bluesky.json")
	if e, ok := errors.AsType[*NoGoodVersionError](err); !ok || e.Shallow || !strings.Contains(err.Error(), "unsent/n@bluesky.json") {
		t.Errorf("error = %v, want NoGoodVersionError", err)
	}
	if w.tip != before {
		t.Error("something was written")
	}
	for i := range 3 {
		w.edit(map[string]string{"unsent/x.txt": fmt.Sprint(i)})
	}
	dir := filepath.Join(t.TempDir(), "shallow")
	if out, err := exec.CommandContext(t.Context(), "git", "clone", "-q", "--depth=2", "--no-checkout", "--branch=postrider/ledger", "file://"+w.repo.Root(), dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	repo, err := gitrepo.Open(dir, gitrepo.Options{})
	w.must(err)
	t.Cleanup(func() { repo.Close() })
	shallow := New(repo, w.o)
	shallow.tip = w.tip
	_, _, err = shallow.LastGood(t.Context(), "unsent/n@bluesky.json")
	if e, ok := errors.AsType[*NoGoodVersionError](err); !ok || !e.Shallow || !strings.Contains(err.Error(), "--unshallow") {
		t.Errorf("in a shallow clone: %v", err)
	}
}

// BenchmarkVerify reads everything; the figure is ten seconds and 150 MB.
func BenchmarkVerify(b *testing.B) {
	_, l := largeLedger(b, "")
	if _, err := l.Fetch(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		sum, err := l.Verify(b.Context(), func(p Problem) { b.Errorf("%+v", p) })
		if err != nil || sum.Records != benchRecords {
			b.Fatalf("%+v, %v", sum, err)
		}
	}
	reportMemory(b)
}
