package gitrepo

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serve starts git's own HTTP server on the folder of w. The wrapper, if any, decides about each request.
func (w *world) serve(wrap func(rw http.ResponseWriter, req *http.Request, git http.Handler)) *httptest.Server {
	w.t.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		w.t.Fatal(err)
	}
	git := &cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:    append(w.env, "GIT_PROJECT_ROOT="+w.dir, "GIT_HTTP_EXPORT_ALL=1"),
		Stderr: w.t.Output(),
	}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if wrap == nil {
			git.ServeHTTP(rw, req)
			return
		}
		wrap(rw, req, git)
	}))
	w.t.Cleanup(srv.Close)
	return srv
}

// clone makes "repo", a clone of origin.git whose remote has the given address.
func (w *world) clone(address string) {
	w.t.Helper()
	w.git("", "clone", "-q", "origin.git", "repo")
	w.git("repo", "config", "remote.origin.url", address)
}

// fresh makes "repo", a new repository with nothing but a remote.
func (w *world) fresh(address string) {
	w.t.Helper()
	r, err := Init(w.path("repo"), false, "main")
	if err == nil {
		err = r.AddRemote("origin", address)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// configure adds to the configuration of "repo".
func (w *world) configure(section, setting string) {
	w.t.Helper()
	b, err := os.ReadFile(w.path("repo/.git/config"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("repo/.git/config", string(b)+"["+section+"]\n\t"+setting+"\n")
}

// ledger commits one file to a new branch.
func ledger(t *testing.T, r *Repo) Hash {
	t.Helper()
	h, err := r.Commit(t.Context(), Commit{Branch: "ledger", Files: map[string][]byte{"f": []byte("x")}, Message: "m", Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var bothBackends = []string{"native", "git"}

func TestHTTPAndFileWithTheOtherBackend(t *testing.T) {
	t.Parallel()
	for backend, scheme := range map[string]string{"git": "http", "native": "file"} {
		w := newWorld(t)
		w.origin()
		address := "file://" + w.path("origin.git")
		if scheme == "http" {
			address = w.serve(nil).URL + "/origin.git"
		}
		w.clone(address)
		r := w.open("repo", backend)
		checkCommit(t, w, r)
		checkPush(t, w, r)
	}
}

// TestRelativeRemote has a remote whose address is a path be looked for where git looks: from the top of the work tree.
func TestRelativeRemote(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.clone("../origin.git")
		w.git("repo", "fetch", "-q")
		r := w.open("repo", backend)
		checkCommit(t, w, r)
		checkPush(t, w, r)
	}
}

func TestFetchOfNothingIsOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	var requests atomic.Int32
	srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
		requests.Add(1)
		git.ServeHTTP(rw, req)
	})
	w.clone(srv.URL + "/origin.git")
	r := w.open("repo", "native")
	if _, err := r.Fetch(t.Context(), "origin", "main", "absent"); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// aCopy follows the ledger in tests.
const aCopy = "refs/postrider/copy/ledger"

// TestPushAgainIsOneRequest pushes a branch and its copy twice, and once more after somebody else has moved it.
func TestPushAgainIsOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	theirs := w.git("origin.git", "rev-parse", "main")
	var requests atomic.Int32
	srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
		requests.Add(1)
		git.ServeHTTP(rw, req)
	})
	w.clone(srv.URL + "/origin.git")
	r := w.open("repo", "native")
	next := func(parent Hash, text string) Hash {
		h, err := r.Commit(t.Context(), Commit{Parent: parent, Files: map[string][]byte{"f": []byte(text)}, Message: "m", Time: testTime})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	tip := Zero
	for n, want := range []int32{2, 1, 1} {
		requests.Store(0)
		h := next(tip, fmt.Sprint(n))
		if err := r.Push(t.Context(), "origin", "ledger", tip, h, aCopy); err != nil {
			t.Fatal(err)
		}
		if tip = h; requests.Load() != want || w.git("origin.git", "rev-parse", "ledger") != string(h) || w.git("origin.git", "rev-parse", aCopy) != string(h) {
			t.Errorf("push %d: %d requests, want %d", n, requests.Load(), want)
		}
	}
	w.git("origin.git", "update-ref", "refs/heads/ledger", theirs)
	err := r.Push(t.Context(), "origin", "ledger", tip, next(tip, "late"))
	if m, ok := errors.AsType[*MovedError](err); !ok || string(m.Have) != theirs {
		t.Errorf("%v, want ErrMoved to %s", err, theirs)
	}
	if err := r.Push(t.Context(), "origin", "ledger", Hash(theirs), next(Hash(theirs), "again")); err != nil {
		t.Error(err)
	}
}

func TestFetchFromEmptyRemote(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "--bare", "origin.git")
	w.git("origin.git", "config", "http.receivepack", "true")
	for _, backend := range bothBackends {
		w.git("", "init", "-q", "repo-"+backend)
		r := w.open("repo-"+backend, backend)
		if err := r.AddRemote("origin", w.serve(nil).URL+"/origin.git"); err != nil {
			t.Fatal(err)
		}
		heads, err := r.Fetch(t.Context(), "origin", "main")
		if err != nil || len(heads) != 0 {
			t.Errorf("%s: Fetch = %v, %v", backend, heads, err)
		}
		if err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r)); err != nil {
			t.Errorf("%s: first push: %v", backend, err)
		}
		w.git("origin.git", "update-ref", "-d", "refs/heads/ledger")
	}
}

// TestShallowLedger: in a shallow clone a branch that is new there comes without its history.
func TestShallowLedger(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.seed()
		w.git("seed", "checkout", "-q", "--orphan", "ledger")
		for i := range 5 {
			w.write("seed/records", fmt.Sprint(i))
			w.git("seed", "add", "-A")
			w.git("seed", "commit", "-qm", fmt.Sprint("record ", i))
		}
		w.git("seed", "push", "-q", "../origin.git", "ledger")
		srv := w.serve(nil)
		w.git("", "clone", "-q", "--depth=1", srv.URL+"/origin.git", "repo")
		r := w.open("repo", backend)
		tip := Hash(w.git("seed", "rev-parse", "ledger"))
		if _, err := r.Fetch(t.Context(), "origin", "ledger", "main"); err != nil {
			t.Fatal(err)
		}
		count := func() int {
			n := 0
			h, err := r.Ref("refs/remotes/origin/ledger")
			if err == nil {
				err = r.Log(h, 0, func(CommitInfo) error { n++; return nil })
			}
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(); n != 1 {
			t.Errorf("%s: %d commits of the ledger were fetched, want 1", backend, n)
		}
		if err := r.SetRef(t.Context(), "refs/heads/ledger", Zero, tip); err != nil {
			t.Fatal(err)
		}
		next, err := r.Commit(t.Context(), Commit{Branch: "ledger", Parent: tip, Files: map[string][]byte{"records": []byte("new")}, Message: "new", Time: testTime})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Push(t.Context(), "origin", "ledger", tip, next); err != nil {
			t.Fatal(err)
		}
		w.git("seed", "pull", "-q", "../origin.git", "ledger")
		w.write("seed/records", "newer")
		w.git("seed", "commit", "-qam", "newer")
		w.git("seed", "push", "-q", "../origin.git", "ledger")
		if _, err := r.Fetch(t.Context(), "origin", "ledger"); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 3 {
			t.Errorf("%s: %d commits of the ledger are here, want 3", backend, n)
		}
		for _, dir := range []string{"repo", "origin.git"} {
			if out, err := w.tryGit(dir, "fsck", "--strict"); err != nil {
				t.Errorf("%s: fsck of %s: %v\n%s", backend, dir, err, out)
			}
		}
	}
}

func TestPushRefusedByHook(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.write("origin.git/hooks/pre-receive", "#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n")
		if err := os.Chmod(w.path("origin.git/hooks/pre-receive"), 0o755); err != nil {
			t.Fatal(err)
		}
		w.fresh(w.serve(nil).URL + "/origin.git")
		r := w.open("repo", backend)
		err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r))
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "pre-receive hook declined") ||
			!strings.Contains(err.Error(), "GH006: Protected branch update failed") {
			t.Errorf("%s: %v, want ErrRefused with the server's words", backend, err)
		}
	}
}

// TestPushAnswerLost cuts the connection after the server has done its work.
func TestPushAnswerLost(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		var cut atomic.Int32
		srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
			if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
				git.ServeHTTP(rw, req)
				return
			}
			git.ServeHTTP(httptest.NewRecorder(), req)
			cut.Add(1)
			panic(http.ErrAbortHandler)
		})
		w.fresh(srv.URL + "/origin.git")
		r := w.open("repo", backend)
		tip := ledger(t, r)
		if err := r.Push(t.Context(), "origin", "ledger", Zero, tip); err != nil {
			t.Errorf("%s: %v, want nil: the push was done", backend, err)
		}
		if cut.Load() == 0 {
			t.Errorf("%s: no answer was cut off", backend)
		}
		if got := w.git("origin.git", "rev-parse", "ledger"); got != string(tip) {
			t.Errorf("%s: the remote is at %s", backend, got)
		}
	}
}

// TestFetchCutOff ends the connection in the middle of a pack: nothing moves, and nothing is broken.
func TestFetchCutOff(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		var whole atomic.Bool
		srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
			if req.Method != http.MethodPost || whole.Load() {
				git.ServeHTTP(rw, req)
				return
			}
			rec := httptest.NewRecorder()
			git.ServeHTTP(rec, req)
			for k, v := range rec.Header() {
				rw.Header()[k] = v
			}
			if body := rec.Body.Bytes(); len(body) > 1000 { // not the answer about references
				rw.Write(body[:len(body)/2]) //nolint:errcheck
				panic(http.ErrAbortHandler)
			}
			rw.Write(rec.Body.Bytes()) //nolint:errcheck
		})
		w.fresh(srv.URL + "/origin.git")
		r := w.open("repo", backend)
		if _, err := r.Fetch(t.Context(), "origin", "main"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, want ErrUnreachable", backend, err)
		}
		if h, err := r.Ref("refs/remotes/origin/main"); h != Zero || err != nil {
			t.Errorf("%s: the reference moved to %s, %v", backend, h, err)
		}
		w.noTemps("repo")
		whole.Store(true)
		if _, err := r.Fetch(t.Context(), "origin", "main"); err != nil {
			t.Errorf("%s: the next try: %v", backend, err)
		}
		if out, err := w.tryGit("repo", "fsck", "--strict"); err != nil {
			t.Errorf("%s: fsck: %v\n%s", backend, err, out)
		}
		left, err := filepath.Glob(w.path("repo/.git/objects/pack/*tmp*"))
		if err != nil || backend == "native" && len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", backend, left, err)
		}
	}
}

// TestPushLosesRace lets somebody else push between our look at the remote and our push.
func TestPushLosesRace(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		theirs := w.git("origin.git", "rev-parse", "main")
		srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
			if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
				w.git("origin.git", "update-ref", "refs/heads/ledger", theirs)
			}
			git.ServeHTTP(rw, req)
		})
		w.fresh(srv.URL + "/origin.git")
		r := w.open("repo", backend)
		err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r))
		if m, ok := errors.AsType[*MovedError](err); !ok || string(m.Have) != theirs {
			t.Errorf("%s: %v, want ErrMoved to %s", backend, err, theirs)
		}
	}
}

// TestPushURL pushes to another address than it fetches from.
func TestPushURL(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"pushurl", "pushInsteadOf"} {
		for _, backend := range bothBackends {
			w := newWorld(t)
			w.origin()
			w.git("", "init", "-q", "--bare", "public.git")
			srv := w.serve(nil)
			w.fresh(srv.URL + "/public.git")
			if setting == "pushurl" {
				w.configure(`remote "origin"`, "pushurl = "+srv.URL+"/origin.git")
			} else {
				w.configure(`url "`+srv.URL+`/origin.git"`, "pushInsteadOf = "+srv.URL+"/public.git")
			}
			r := w.open("repo", backend)
			tip := ledger(t, r)
			if err := r.Push(t.Context(), "origin", "ledger", Zero, tip); err != nil {
				t.Fatalf("%s, %s: %v", setting, backend, err)
			}
			if got := w.git("origin.git", "rev-parse", "ledger"); got != string(tip) {
				t.Errorf("%s, %s: pushed to the wrong place", setting, backend)
			}
			if heads, err := r.Fetch(t.Context(), "origin", "ledger"); err != nil || len(heads) != 0 {
				t.Errorf("%s, %s: fetched from the wrong place: %v, %v", setting, backend, heads, err)
			}
		}
	}
}

// TestGitsOwnHTTP: what only git's HTTP client can do goes through git.
func TestGitsOwnHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	var agents sync.Map
	srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
		agents.Store(strings.SplitN(req.UserAgent(), "/", 2)[0], true)
		git.ServeHTTP(rw, req)
	})
	w.fresh(srv.URL + "/origin.git")
	w.configure(`http "`+srv.URL+`"`, "sslVerify = false")
	if _, err := w.open("repo", "native").Fetch(t.Context(), "origin", "main"); err != nil {
		t.Fatal(err)
	}
	if _, ok := agents.Load("git"); !ok {
		t.Error("git was not asked")
	}
}

func TestPushRefusesUnrelated(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.clone(w.serve(nil).URL + "/origin.git")
		r := w.open("repo", backend)
		_, head, err := r.Head()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Push(t.Context(), "origin", "main", head, ledger(t, r)); !errors.Is(err, errUnrelated) {
			t.Errorf("%s: %v, want a refusal to overwrite history", backend, err)
		}
		if got := w.git("origin.git", "rev-parse", "main"); got != string(head) {
			t.Errorf("%s: main is at %s", backend, got)
		}
	}
}

// TestPushMerge: merges are beyond the native pack writer, and go through git.
func TestPushMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.clone(w.serve(nil).URL + "/origin.git")
	old := Hash(w.git("repo", "rev-parse", "HEAD"))
	w.git("repo", "checkout", "-qb", "side", "HEAD~1")
	w.write("repo/side.md", "x")
	w.git("repo", "add", "-A")
	w.git("repo", "commit", "-qm", "side")
	w.git("repo", "checkout", "-q", "main")
	w.git("repo", "merge", "-q", "--no-ff", "-m", "merge", "side")
	new := Hash(w.git("repo", "rev-parse", "HEAD"))
	if err := w.open("repo", "native").Push(t.Context(), "origin", "main", old, new); err != nil {
		t.Fatal(err)
	}
	if out, err := w.tryGit("origin.git", "fsck", "--strict"); err != nil || w.git("origin.git", "rev-parse", "main") != string(new) {
		t.Errorf("fsck: %v\n%s", err, out)
	}
}

func TestRemoteDown(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		srv := w.serve(nil)
		u, err := url.Parse(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("ada", "hunter2secret")
		w.fresh(u.String() + "/origin.git")
		r := w.open("repo", backend)
		tip := ledger(t, r)
		srv.Close()
		_, fetchErr := r.Fetch(t.Context(), "origin", "main")
		pushErr := r.Push(t.Context(), "origin", "ledger", Zero, tip)
		for _, err := range []error{fetchErr, pushErr} {
			if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "origin") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v, want ErrUnreachable without the password", backend, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Fetch(ctx, "origin", "main"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", backend, err)
		}
	}
}

func TestServerTroubles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		do   http.HandlerFunc
		want error
	}{
		{"500", func(rw http.ResponseWriter, _ *http.Request) {
			http.Error(rw, "out of order", http.StatusInternalServerError)
		}, ErrUnreachable},
		{"not git", func(rw http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(rw, "<html>\n<body>a captive portal</body>\n</html>\n")
		}, ErrUnreachable},
		{"404", func(rw http.ResponseWriter, _ *http.Request) { http.NotFound(rw, nil) }, ErrUnreachable},
		{"403", func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "no", http.StatusForbidden) }, ErrAuth},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrUnreachable},
	} {
		for _, backend := range bothBackends {
			w := newWorld(t)
			srv := w.serve(func(rw http.ResponseWriter, req *http.Request, _ http.Handler) { tc.do(rw, req) })
			w.fresh(srv.URL + "/origin.git")
			_, err := w.open("repo", backend).Fetch(t.Context(), "origin", "main")
			if !errors.Is(err, tc.want) {
				t.Errorf("%s, %s: %v, want %v", tc.name, backend, err, tc.want)
			}
		}
	}
}

// TestCredentials: every place a password can come from, against a server that wants one.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const token = "ghs_0123456789abcdefghijKLMN"
	basic := "AUTHORIZATION: basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
	tests := []struct {
		name  string
		setup func(w *world, address string) (newAddress string)
		want  error
	}{
		{"none", func(_ *world, a string) string { return a }, ErrAuth},
		{"POSTRIDER_GIT_TOKEN", func(w *world, a string) string {
			w.env = append(w.env, "POSTRIDER_GIT_TOKEN="+token+"\n")
			return a
		}, nil},
		{"wrong POSTRIDER_GIT_TOKEN", func(w *world, a string) string {
			w.env = append(w.env, "POSTRIDER_GIT_TOKEN=wrong-"+token)
			return a
		}, ErrAuth},
		{"POSTRIDER_GIT_TOKEN over a wrong header", func(w *world, a string) string {
			w.configure("http", "extraheader = AUTHORIZATION: basic d3Jvbmc6d3Jvbmc=")
			w.env = append(w.env, "POSTRIDER_GIT_TOKEN="+token)
			return a
		}, nil},
		{"GITHUB_TOKEN of this server", func(w *world, a string) string {
			w.env = append(w.env, "GITHUB_TOKEN="+token, "GITHUB_SERVER_URL="+strings.TrimSuffix(a, "/origin.git"))
			return a
		}, nil},
		{"GITHUB_TOKEN of another server", func(w *world, a string) string {
			w.env = append(w.env, "GITHUB_TOKEN="+token, "GITHUB_SERVER_URL=https://github.com")
			return a
		}, ErrAuth},
		{"URL", func(_ *world, a string) string { return strings.Replace(a, "://", "://ada:"+token+"@", 1) }, nil},
		{"wrong URL", func(_ *world, a string) string { return strings.Replace(a, "://", "://ada:wrong-"+token+"@", 1) }, ErrAuth},
		{"header for this host", func(w *world, a string) string {
			w.configure(`http "`+strings.TrimSuffix(a, "origin.git")+`"`, "extraheader = "+basic)
			return a
		}, nil},
		{"header for another host", func(w *world, a string) string {
			w.configure(`http "https://example.org/"`, "extraheader = "+basic)
			return a
		}, ErrAuth},
		{"header in an included file", func(w *world, a string) string { // as actions/checkout v6 leaves it
			w.write("credentials.config", "[http \""+strings.TrimSuffix(a, "origin.git")+"\"]\n\textraheader = "+basic+"\n")
			w.configure(`includeIf "gitdir:`+w.path("repo/.git")+`"`, "path = "+w.path("credentials.config"))
			return a
		}, nil},
		{"credential helper", func(w *world, a string) string {
			w.configure("credential", `helper = "!f() { test $1 = get && echo username=ada && echo password=`+token+`; }; f"`)
			return a
		}, nil},
		{"credential helper with a wrong password", func(w *world, a string) string {
			w.configure("credential", `helper = "!f() { test $1 = get && echo username=ada && echo password=wrong-`+token+`; }; f"`)
			return a
		}, ErrAuth},
		{"insteadOf with a token", func(w *world, a string) string {
			w.configure(`url "`+strings.Replace(a, "://", "://ada:"+token+"@", 1)+`"`, "insteadOf = short:origin")
			return "short:origin"
		}, nil},
	}
	for _, tc := range tests {
		for _, backend := range bothBackends {
			t.Run(tc.name+"/"+backend, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.origin()
				srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
					if _, pass, _ := req.BasicAuth(); pass != token || len(req.Header.Values("Authorization")) != 1 {
						rw.Header().Set("WWW-Authenticate", `Basic realm="git"`)
						http.Error(rw, "denied: "+req.Header.Get("Authorization"), http.StatusUnauthorized)
						return
					}
					git.ServeHTTP(rw, req)
				})
				if _, err := Init(w.path("repo"), false, "main"); err != nil {
					t.Fatal(err)
				}
				w.configure(`remote "origin"`, "url = "+tc.setup(w, srv.URL+"/origin.git"))
				r := w.open("repo", backend)
				_, fetchErr := r.Fetch(t.Context(), "origin", "main")
				pushErr := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r))
				for _, err := range []error{fetchErr, pushErr} {
					if !errors.Is(err, tc.want) {
						t.Errorf("%v, want %v", err, tc.want)
					}
					if err != nil {
						all := fmt.Sprintf("%v %+v %#v", err, err, err)
						b64 := base64.StdEncoding.EncodeToString([]byte("x-access-token:wrong-" + token))
						if strings.Contains(all, token) || strings.Contains(all, b64) {
							t.Errorf("the error has the token: %s", all)
						}
					}
				}
			})
		}
	}
}

// TestIncludedHeaderWithoutGit reads the configuration as actions/checkout leaves it, without git.
func TestIncludedHeaderWithoutGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
		if req.Header.Get("Authorization") != "basic right" {
			http.Error(rw, "no", http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(rw, req)
	})
	w.fresh(srv.URL + "/origin.git")
	w.write("credentials.config", "[http \""+srv.URL+"/\"]\n\textraheader = AUTHORIZATION: basic right\n")
	o := w.options("native")
	o.Git = NoGit
	for _, tc := range []struct {
		condition string
		want      bool
	}{
		{"gitdir:" + w.path("repo/.git"), true},
		{"gitdir:" + w.path("repo") + "/", true},
		{"gitdir:" + w.path("") + "/**", true},
		{"gitdir:repo/.git", true},
		{"gitdir:re*/", true},
		{"gitdir/i:REPO/", true},
		{"gitdir:~/repo/", true},
		{"gitdir:other/", false},
		{"gitdir:~/other/", false},
		{"onbranch:main", false},
	} {
		w.write("gitconfig", "[includeIf \""+tc.condition+"\"]\n\tpath = credentials.config\n")
		r, err := Open(w.path("repo"), o)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Fetch(t.Context(), "origin", "main")
		if (err == nil) != tc.want || err != nil && !errors.Is(err, ErrAuth) {
			t.Errorf("%q: %v, want it to hold: %t", tc.condition, err, tc.want)
		}
		// git itself agrees, where it knows the file.
		if got, _ := w.tryGit("repo", "config", "--includes", "--get-urlmatch", "http.extraheader", srv.URL); tc.condition != "onbranch:main" && (got != "") != tc.want {
			t.Errorf("%q: git says %q", tc.condition, got)
		}
	}
}

func TestIsGitHub(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		url, server string
		want        bool
	}{
		{"https://github.com/o/r.git", "", true},
		{"https://GitHub.com/o/r.git", "https://github.com", true},
		{"http://github.com/o/r.git", "", false},
		{"https://github.com.evil.example/o/r", "", false},
		{"https://evil.example/github.com", "", false},
		{"https://ghe.example.org/o/r", "https://ghe.example.org", true},
		{"https://ghe.example.org:8443/o/r", "https://ghe.example.org", false},
		{"http://ghe.example.org/o/r", "https://ghe.example.org", false},
		{"https://other.example.org/o/r", "https://ghe.example.org", false},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := isGitHub(u, tc.server); got != tc.want {
			t.Errorf("isGitHub(%q, %q) = %t", tc.url, tc.server, got)
		}
	}
}

// TestRedirectKeepsToken: a token does not follow a redirect to another host.
func TestRedirectKeepsToken(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.git("", "init", "-q", "repo")
		var leaked atomic.Bool
		thief := w.serve(func(rw http.ResponseWriter, req *http.Request, _ http.Handler) {
			if req.Header.Get("Authorization") != "" {
				leaked.Store(true)
			}
			http.Error(rw, "gotcha", http.StatusForbidden)
		})
		srv := w.serve(func(rw http.ResponseWriter, req *http.Request, _ http.Handler) {
			http.Redirect(rw, req, strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)+req.URL.RequestURI(), http.StatusFound)
		})
		w.git("repo", "remote", "add", "origin", strings.Replace(srv.URL, "://", "://ada:secret-token@", 1)+"/origin.git")
		if _, err := w.open("repo", backend).Fetch(t.Context(), "origin", "main"); err == nil {
			t.Errorf("%s: no error", backend)
		}
		if leaked.Load() {
			t.Errorf("%s: the token went to another host", backend)
		}
	}
}

// TestSSHThroughGit uses git's own choice of an SSH program, which here runs the command locally.
func TestSSHThroughGit(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.write("ssh", "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c \"$1\"\n")
		if err := os.Chmod(w.path("ssh"), 0o755); err != nil {
			t.Fatal(err)
		}
		w.env = append(w.env, "GIT_SSH="+w.path("ssh"), "GIT_SSH_VARIANT=simple")
		w.clone("git@example.org:" + w.path("origin.git"))
		r := w.open("repo", backend)
		if _, err := r.Fetch(t.Context(), "origin", "main"); err != nil {
			t.Fatal(err)
		}
		if err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t)
	w.origin()
	w.clone("git@example.org:x.git")
	r, err := Open(w.path("repo"), Options{Git: NoGit})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Fetch(t.Context(), "origin", "main"); !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "SSH_AUTH_SOCK") {
		t.Errorf("SSH without git and without an agent: %v", err)
	}
}

// TestPushRace lets several clones push to one ledger until each is through: every push is a
// compare-and-swap, so nothing is lost.
func TestPushRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	srv := w.serve(nil)
	const clones = 3
	var repos []*Repo
	for i := range clones {
		name := fmt.Sprint("clone", i)
		w.git("", "clone", "-q", "origin.git", name)
		w.git(name, "config", "remote.origin.url", srv.URL+"/origin.git")
		repos = append(repos, w.open(name, bothBackends[i%2]))
	}
	var wg sync.WaitGroup
	for i, r := range repos {
		wg.Go(func() {
			for n := range 2 {
				for try := 0; ; try++ {
					if try > 30 {
						t.Errorf("clone %d does not get through", i)
						return
					}
					heads, err := r.Fetch(t.Context(), "origin", "ledger")
					if err != nil {
						t.Error(err)
						return
					}
					tip := heads["refs/heads/ledger"]
					mine, err := r.Ref("refs/heads/ledger")
					if err == nil && mine != tip {
						err = r.SetRef(t.Context(), "refs/heads/ledger", mine, tip)
					}
					var h Hash
					if err == nil {
						h, err = r.Commit(t.Context(), Commit{
							Branch: "ledger", Parent: tip, Message: "m", Time: testTime,
							Files: map[string][]byte{fmt.Sprintf("%d/%d", i, n): []byte("x")},
						})
					}
					if err == nil {
						err = r.Push(t.Context(), "origin", "ledger", tip, h)
					}
					if err == nil {
						break
					}
					if !errors.Is(err, ErrMoved) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if got := w.git("origin.git", "ls-tree", "-r", "--name-only", "ledger"); got != "0/0\n0/1\n1/0\n1/1\n2/0\n2/1" {
		t.Errorf("the ledger has\n%s", got)
	}
	if got := w.git("origin.git", "rev-list", "--count", "ledger"); got != "6" {
		t.Errorf("%s commits, want 6", got)
	}
}

func TestHTTPHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cfg := `
[http]
	extraheader = A: general
[http "https://example.org"]
	extraheader = B: host
[http "https://example.org/team/"]
	extraheader = C: team
	extraheader = D: team
[http "https://example.org"]
	extraheader = E: less specific, and too late
[http "https://*.example.net"]
	extraheader = F: wildcard
[http "https://example.com:8443"]
	extraheader = G: port
`
	c, err := parseConfig([]byte(cfg))
	if err != nil {
		t.Fatal(err)
	}
	for raw, want := range map[string][]string{
		"https://example.org/team/x.git": {"A: general", "B: host", "C: team", "D: team"},
		"https://example.org/teams/x":    {"A: general", "B: host", "E: less specific, and too late"},
		"http://example.org/team/x.git":  {"A: general"},
		"https://a.example.net/x":        {"A: general", "F: wildcard"},
		"https://example.com/x":          {"A: general"},
		"https://example.com:8443/x":     {"A: general", "G: port"},
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, c.httpHeaders(u)); d != "" {
			t.Errorf("%s (-want +got):\n%s", raw, d)
		}
		// git agrees on the last one.
		w.write("c", cfg)
		if got := w.git("", "config", "-f", "c", "--get-urlmatch", "http.extraheader", raw); raw != "https://example.org/teams/x" && got != want[len(want)-1] {
			t.Errorf("%s: git says %q, we %q", raw, got, want)
		}
	}
}

func TestRedactURLs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a:b@h/x":                    "https://h/x",
		"fatal: 'https://tok@h/x@y' not ok":  "fatal: 'https://h/x@y' not ok",
		"no address":                         "no address",
		"git@h:path stays":                   "git@h:path stays",
		"two https://u:p@h and http://q@i/j": "two https://h and http://i/j",
	} {
		if got := redactURLs(in); got != want {
			t.Errorf("redactURLs(%q) = %q, want %q", in, got, want)
		}
	}
}
