package gitrepo

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestMergeBase compares with git on histories that somebody threw dice for: with merges of any commits, and clocks that go back.
func TestMergeBase(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t)
			w.git("", "init", "-q", "site")
			tree := w.git("site", "write-tree")
			var commits []string
			for n := range 24 {
				args := []string{"commit-tree", tree, "-m", fmt.Sprint(n)}
				for range min(n, 1+dice.IntN(2)) {
					if from := commits[max(0, n-1-dice.IntN(5))]; !slices.Contains(args, from) && dice.IntN(12) > 0 {
						args = append(args, "-p", from)
					}
				}
				w.env = append(w.env, fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", 1_800_000_000+60*n-dice.IntN(300)))
				commits = append(commits, w.git("site", args...))
			}
			for _, backend := range []string{"native", "git"} {
				r := w.open("site", backend)
				for range 40 {
					a, b := commits[dice.IntN(len(commits))], commits[dice.IntN(len(commits))]
					want, _ := w.tryGit("site", "merge-base", "--all", a, b)
					got, err := r.MergeBase(Hash(a), Hash(b))
					if err != nil {
						t.Fatal(err)
					}
					if got == Zero && want != "" || !strings.Contains(want, string(got)) {
						t.Errorf("%s: the merge base of %s and %s is %q, git says %q", backend, a, b, got, want)
					}
					_, err = w.tryGit("site", "merge-base", "--is-ancestor", a, b)
					if is, isErr := r.IsAncestor(Hash(a), Hash(b)); isErr != nil || is != (err == nil) {
						t.Errorf("%s: %s leads to %s: %t, %v; git says %v", backend, a, b, is, isErr, err)
					}
					since, err := r.Since(Hash(b), Hash(a))
					if err != nil {
						t.Fatal(err)
					}
					var ids []string
					for _, c := range since {
						ids = append(ids, string(c.Hash))
					}
					slices.Sort(ids)
					log := strings.Fields(w.git("site", "rev-list", b+".."+a))
					slices.Sort(log)
					if !slices.Equal(ids, log) {
						t.Errorf("%s: since %s, %s has %v; git says %v", backend, b, a, ids, log)
					}
				}
			}
		})
	}
}

// TestMergeBaseInShallowClones holds that nothing is guessed where the history is cut off, and that a merge which was fetched alone
// leads to the branch that it merges into.
func TestMergeBaseInShallowClones(t *testing.T) {
	w := newWorld(t)
	w.git("", "init", "-q", "-b", "main", "up")
	commit := func(branch, file string) string {
		w.git("up", "checkout", "-q", branch)
		w.write("up/"+file, file)
		w.git("up", "add", ".")
		w.git("up", "commit", "-q", "-m", file)
		return w.git("up", "rev-parse", "HEAD")
	}
	w.git("up", "commit", "-q", "--allow-empty", "-m", "root")
	w.git("up", "branch", "topic")
	commit("topic", "a")
	topic := commit("topic", "b")
	base := commit("main", "c")
	w.git("up", "checkout", "-q", "--detach", "main")
	w.git("up", "merge", "-q", "--no-edit", "topic")
	w.git("up", "update-ref", "refs/pull/1/merge", "HEAD")
	merged := w.git("up", "rev-parse", "HEAD")

	w.git("", "init", "-q", "ci")
	w.git("ci", "fetch", "-q", "--depth=1", "file://"+w.path("up"), "refs/pull/1/merge", "main", "topic")
	for _, backend := range []string{"native", "git"} {
		r := w.open("ci", backend)
		if got, err := r.MergeBase(Hash(base), Hash(merged)); err != nil || got != Hash(base) {
			t.Errorf("%s: the merge of a pull request goes back to %q, %v; want %s", backend, got, err, base)
		}
		if got, err := r.MergeBase(Hash(base), Hash(topic)); !errors.Is(err, ErrCutOff) {
			t.Errorf("%s: the branch itself: %q, %v; want %v", backend, got, err, ErrCutOff)
		}
		if _, err := r.MergeBase(Hash(base), Hash(strings.Repeat("1", 40))); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: a commit that is not there: %v; want %v", backend, err, ErrNotFound)
		}
	}
}
