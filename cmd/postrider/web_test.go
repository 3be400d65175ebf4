package main

import (
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// web is the world wide web of a script: a server at $WEB whose pages the script makes.
type web struct {
	mu     sync.Mutex
	status map[string]int // by path; 404 for others
}

func newWeb(env *testscript.Env) *web {
	w := &web{status: map[string]int{}}
	server := httptest.NewServer(w)
	env.Setenv("WEB", server.URL)
	env.Defer(server.Close)
	return w
}

func (w *web) set(path string, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status[path] = status
}

// ServeHTTP implements [http.Handler]. Pages that have moved are at /new.
func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	status, ok := w.status[r.URL.Path]
	w.mu.Unlock()
	switch {
	case !ok:
		http.NotFound(rw, r)
	case status >= 300 && status < 400:
		http.Redirect(rw, r, "/new", status)
	default:
		rw.WriteHeader(status)
	}
}
