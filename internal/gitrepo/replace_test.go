package gitrepo

import (
	"errors"
	"strings"
	"testing"
)

// TestReplace: a branch of one commit that takes its predecessor's place, with what is the same in both sent once.
func TestReplace(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		for _, address := range []string{"http", "file"} {
			w := newWorld(t)
			w.origin()
			remote := w.dir + "/origin.git"
			if address == "http" {
				remote = w.serve(nil).URL + "/origin.git"
			}
			w.clone(remote)
			r := w.open("repo", backend)
			commit := func(parent Hash, files map[string][]byte) Hash {
				t.Helper()
				h, err := r.Commit(t.Context(), Commit{Parent: parent, Files: files, Message: "pictures", Root: true})
				if err != nil {
					t.Fatal(err)
				}
				return h
			}
			first := commit(Zero, map[string][]byte{"1/a.png": []byte("a"), "2/b.png": []byte("b")})
			if err := r.Replace(t.Context(), "origin", "pictures", Zero, first); err != nil {
				t.Fatalf("%s over %s: %v", backend, address, err)
			}
			if same := commit(first, map[string][]byte{"1/a.png": []byte("a")}); same != first {
				t.Errorf("%s over %s: what changes nothing is commit %s, not %s", backend, address, same, first)
			}
			second := commit(first, map[string][]byte{"1": nil, "3/c.png": []byte("c")})
			if err := r.Replace(t.Context(), "origin", "pictures", first, second); err != nil {
				t.Fatalf("%s over %s: %v", backend, address, err)
			}
			if got := w.git("origin.git", "rev-list", "pictures"); got != string(second) {
				t.Errorf("%s over %s: the branch has the commits %s, not %s alone", backend, address, got, second)
			}
			if got := strings.Fields(w.git("origin.git", "ls-tree", "-r", "--name-only", "pictures")); strings.Join(got, " ") != "2/b.png 3/c.png" {
				t.Errorf("%s over %s: %v", backend, address, got)
			}
			w.git("origin.git", "fsck", "--strict")

			// Who is late loses, and a commit with a history replaces nothing.
			if err := r.Replace(t.Context(), "origin", "pictures", first, commit(first, map[string][]byte{"4/d.png": []byte("d")})); !errors.Is(err, ErrMoved) {
				t.Errorf("%s over %s: %v, want %v", backend, address, err, ErrMoved)
			}
			_, head, err := r.Head()
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Replace(t.Context(), "origin", "main", head, head); err == nil {
				t.Errorf("%s over %s: a commit with a parent was taken", backend, address)
			}
		}
	}
}
