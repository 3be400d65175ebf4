package gitrepo

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// CheckPush tells who may push from who may not, and leaves no trace.
func TestCheckPush(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		before := w.git("origin.git", "for-each-ref")
		var closed atomic.Bool
		w.fresh(w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
			if closed.Load() && strings.Contains(req.URL.String(), "receive-pack") {
				http.Error(rw, "no", http.StatusForbidden)
				return
			}
			git.ServeHTTP(rw, req)
		}).URL + "/origin.git")
		r := w.open("repo", backend)
		commit := ledger(t, r)
		if err := r.CheckPush(t.Context(), "origin", commit); err != nil {
			t.Errorf("%s: %v", backend, err)
		}
		closed.Store(true)
		if err := r.CheckPush(t.Context(), "origin", commit); err == nil {
			t.Errorf("%s: nobody may push there, and CheckPush says nothing", backend)
		}
		if err := r.CheckPush(t.Context(), "upstream", commit); !errors.Is(err, ErrNoRemote) {
			t.Errorf("%s: %v, want ErrNoRemote", backend, err)
		}
		if after := w.git("origin.git", "for-each-ref"); after != before {
			t.Errorf("%s: the remote has changed:\n%s\nwas\n%s", backend, after, before)
		}
	}
}
