package gitrepo

import (
	"errors"
	"fmt"
	"testing"
)

// TestDeepen: a clone of one commit learns where two branches went apart, from a server and from a folder.
func TestDeepen(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		for _, over := range []string{"http", "file"} {
			w := newWorld(t)
			w.origin()
			w.seed()
			commits := func(branch string, n int) {
				for i := range n {
					w.write("seed/"+branch, fmt.Sprint(i))
					w.git("seed", "add", "-A")
					w.git("seed", "commit", "-qm", fmt.Sprint(branch, " ", i))
				}
			}
			begun := Hash(w.git("seed", "rev-parse", "main"))
			w.git("seed", "switch", "-qc", "topic")
			commits("topic", 3)
			w.git("seed", "switch", "-q", "main")
			commits("main", 5)
			w.git("seed", "push", "-q", "../origin.git", "main", "topic")
			tip, head := Hash(w.git("seed", "rev-parse", "main")), Hash(w.git("seed", "rev-parse", "topic"))

			url := w.serve(nil).URL + "/origin.git"
			if over == "file" {
				url = "file://" + w.path("origin.git")
			}
			w.git("", "clone", "-q", "--depth=1", "--branch=topic", url, "repo")
			r := w.open("repo", backend)
			if _, err := r.Fetch(t.Context(), "origin", "main"); err != nil {
				t.Fatal(err)
			}
			for _, depth := range []int{0, 2} {
				if depth > 0 {
					if err := r.Deepen(t.Context(), "origin", depth, tip, head); err != nil {
						t.Fatalf("%s, %s: %v", backend, over, err)
					}
				}
				if _, err := r.MergeBase(tip, head); !errors.Is(err, ErrCutOff) {
					t.Errorf("%s, %s: at depth %d: %v, want %v", backend, over, depth, err, ErrCutOff)
				}
			}
			if err := r.Deepen(t.Context(), "origin", 50, tip, head); err != nil {
				t.Fatalf("%s, %s: %v", backend, over, err)
			}
			if got, err := r.MergeBase(tip, head); err != nil || got != begun {
				t.Errorf("%s, %s: the branches began at %s, %v; want %s", backend, over, got, err, begun)
			}
			if w.git("repo", "rev-parse", "topic") != string(head) || w.git("repo", "fsck", "--connectivity-only") != "" {
				t.Errorf("%s, %s: the clone is not what it was", backend, over)
			}
		}
	}
}
