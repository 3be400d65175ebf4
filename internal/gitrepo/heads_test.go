package gitrepo

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestHeads asks a remote where its branches are, in one request, and brings nothing here.
func TestHeads(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		t.Run(backend, func(t *testing.T) {
			w := newWorld(t)
			w.origin()
			var requests atomic.Int32
			srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
				requests.Add(1)
				git.ServeHTTP(rw, req)
			})
			w.fresh(srv.URL + "/origin.git")
			r := w.open("repo", backend)
			heads, err := r.Heads(t.Context(), "origin")
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]Hash{"refs/heads/main": Hash(w.git("origin.git", "rev-parse", "main"))}
			if diff := cmp.Diff(want, heads); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got, err := r.Ref("refs/remotes/origin/main"); got != Zero || err != nil {
				t.Errorf("it was fetched: %q, %v", got, err)
			}
			if n := requests.Load(); backend == "native" && n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// TestNoteDefault spares the question for the remote's default branch, and changes no answer that is there.
func TestNoteDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.fresh("https://git.example/unreachable.git")
	r := w.open("repo", "native")
	for _, branch := range []string{"live", "another"} {
		if err := r.NoteDefault("origin", branch); err != nil {
			t.Fatal(err)
		}
		if got, err := r.RemoteBranch(t.Context(), "origin", true); got != "live" || err != nil {
			t.Errorf("after %q: %q, %v", branch, got, err)
		}
	}
	if got := w.git("repo", "symbolic-ref", "refs/remotes/origin/HEAD"); got != "refs/remotes/origin/live" {
		t.Errorf("git says %q", got)
	}
	if err := r.NoteDefault("../origin", "live"); err == nil {
		t.Error("a remote's name may lead anywhere")
	}
}
