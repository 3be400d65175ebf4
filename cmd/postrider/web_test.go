package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// web is the world wide web of a script: a server at $WEB whose pages the script makes.
type web struct {
	mu     sync.Mutex
	status map[string]int // by path
	files  http.Handler   // for other paths
	visits int
}

func newWeb(env *testscript.Env) *web {
	w := &web{status: map[string]int{}, files: http.NotFoundHandler()}
	server := httptest.NewServer(w)
	env.Setenv("WEB", server.URL)
	env.Defer(server.Close)
	return w
}

// page PATH STATUS: what is answered there from now on, instead of 404.
func (w *web) page(ts *testscript.TestScript, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status[args[0]] = status
}

// pages DIR: the files of a folder are there from now on.
func (w *web) pages(ts *testscript.TestScript, args []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.files = http.FileServer(http.Dir(ts.MkAbs(args[0])))
}

// visited N: so many requests came since this was asked last.
func (w *web) visited(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.visits != want {
		ts.Fatalf("%d requests, want %d", w.visits, want)
	}
	w.visits = 0
}

// expand FILE…: replaces $NAME in files by the script's variables.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		file := ts.MkAbs(name)
		ts.Check(os.WriteFile(file, []byte(os.Expand(ts.ReadFile(name), ts.Getenv)), 0o600))
	}
}

// ServeHTTP implements [http.Handler]. Pages that have moved are at /new.
func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	status, ok := w.status[r.URL.Path]
	files := w.files
	w.visits++
	w.mu.Unlock()
	switch {
	case !ok:
		files.ServeHTTP(rw, r)
	case status >= 300 && status < 400:
		http.Redirect(rw, r, "/new", status)
	default:
		rw.WriteHeader(status)
	}
}
