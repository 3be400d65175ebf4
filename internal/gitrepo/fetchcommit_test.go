package gitrepo

import (
	"errors"
	"strings"
	"testing"
)

// TestFetchCommit fetches a commit that no branch leads to any more, as after a push by force, from a folder and from a server.
func TestFetchCommit(t *testing.T) {
	for _, backend := range []string{"native", "git"} {
		for _, from := range []string{"folder", "server"} {
			t.Run(backend+" from a "+from, func(t *testing.T) {
				w := newWorld(t)
				w.git("", "init", "-q", "-b", "main", "up")
				w.write("up/file", "one")
				w.git("up", "add", ".")
				w.git("up", "commit", "-q", "-m", "one")
				w.git("", "clone", "-q", "--bare", "up", "origin.git")
				w.git("origin.git", "config", "uploadpack.allowAnySHA1InWant", "true") // as code hosts have it
				w.git("", "clone", "-q", "origin.git", "repo")
				w.write("up/file", "two")
				w.git("up", "commit", "-q", "-a", "-m", "two")
				w.git("up", "push", "-q", "../origin.git", "main:topic")
				gone := Hash(w.git("up", "rev-parse", "HEAD"))
				w.git("up", "commit", "-q", "--amend", "-m", "two, better")
				w.git("up", "push", "-q", "-f", "../origin.git", "main:topic")
				if from == "server" {
					w.git("repo", "config", "remote.origin.url", w.serve(nil).URL+"/origin.git")
				}
				r := w.open("repo", backend)
				if here, err := r.Has(gone); err != nil || here {
					t.Fatalf("it is here already: %v, %v", here, err)
				}
				for range 2 { // the second time it is here
					if err := r.FetchCommit(t.Context(), "origin", gone); err != nil {
						t.Fatal(err)
					}
				}
				tree, err := r.Tree(gone)
				if err != nil {
					t.Fatal(err)
				}
				if text, err := tree.ReadFile("file"); err != nil || string(text) != "two" {
					t.Errorf("it says %q, %v", text, err)
				}
				if err := r.FetchCommit(t.Context(), "origin", Hash(strings.Repeat("1", 40))); err == nil {
					t.Error("a commit that nobody has was fetched")
				}
				if err := r.FetchCommit(t.Context(), "origin", "main"); !errors.Is(err, ErrNotFound) {
					t.Errorf("a name was taken for an id: %v", err)
				}
			})
		}
	}
}
