package gitrepo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSteps compares with [Repo.Diff] on a history that somebody threw dice for: files come, go, change, and turn into folders.
func TestSteps(t *testing.T) {
	w := newWorld(t)
	w.git("", "init", "-q", "-b", "main", "site")
	dice := rand.New(rand.NewPCG(1, 2))
	r := w.open("site", "native")
	var commits []Hash
	tip := Zero
	for n := range 30 {
		files := map[string][]byte{}
		for range 1 + dice.IntN(3) {
			name := fmt.Sprintf("site/%c/%d", 'a'+rune(dice.IntN(3)), dice.IntN(40))
			if files[name] = fmt.Appendf(nil, "%d", n); dice.IntN(4) == 0 {
				files[name] = nil
			}
		}
		files[fmt.Sprintf("other/%d", n)] = []byte("x")
		h, err := r.Commit(t.Context(), Commit{Branch: "main", Parent: tip, Files: files, Message: "m", Time: testTime})
		if err != nil {
			t.Fatal(err)
		}
		commits, tip = append(commits, h), h
	}
	for _, dir := range []string{"site", "", "site/a", "nothing"} {
		steps := r.Steps(dir)
		for i, after := range commits {
			before, tree := Zero, (*Tree)(nil)
			if i > 0 {
				before = commits[dice.IntN(i)]
				tree = treeOf(t, r, before)
			}
			got, err := steps.Changed(before, after)
			if err != nil {
				t.Fatal(err)
			}
			diff, err := r.Diff(tree, treeOf(t, r, after), dir)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, c := range diff {
				want = append(want, c.Path)
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("below %q, step %d (-want +got):\n%s", dir, i, diff)
			}
		}
	}
}

// treeOf returns the tree of a commit.
func treeOf(t *testing.T, r *Repo, commit Hash) *Tree {
	t.Helper()
	tree, err := r.Tree(commit)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}
