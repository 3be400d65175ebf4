package gitrepo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asked are the questions of a test: one reference that is there, one that is not, and one whose name is the beginning of another's.
var asked = []string{"refs/heads/main", "refs/heads/none", "refs/heads/ma"}

// TestHeads asks a remote where references are: with one request each time, which tells of nothing else, and brings nothing here.
func TestHeads(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.origin()
			w.git("origin.git", "branch", "another", "main")
			var requests requestLog
			srv := w.serve(requests.wrap(func(rw http.ResponseWriter, req *http.Request, git http.Handler) { git.ServeHTTP(rw, req) }))
			w.fresh(srv.URL + "/origin.git")
			r := w.open("repo", backend)
			for range 2 {
				w.wantHeads(r)
			}
			if got, err := r.Ref("refs/remotes/origin/main"); got != Zero || err != nil {
				t.Errorf("it was fetched: %q, %v", got, err)
			}
			if diff := cmp.Diff([]string{"POST git-upload-pack", "POST git-upload-pack"}, requests.taken()); backend == "native" && diff != "" {
				t.Errorf("requests (-want +got)\n%s", diff)
			}
		})
	}
}

// requestLog notes what a server is asked.
type requestLog struct {
	mu   sync.Mutex
	list []string
}

func (l *requestLog) wrap(next func(http.ResponseWriter, *http.Request, http.Handler)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
		l.mu.Lock()
		l.list = append(l.list, req.Method+" "+req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:])
		l.mu.Unlock()
		next(rw, req, git)
	}
}

// taken returns what was noted since it was called last.
func (l *requestLog) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.list
	l.list = nil
	return list
}

// wantHeads asks, and fails the test unless the answer is where origin.git has its main.
func (w *world) wantHeads(r *Repo) {
	w.t.Helper()
	heads, err := r.Heads(w.t.Context(), "origin", asked...)
	if err != nil {
		w.t.Fatal(err)
	}
	want := map[string]Hash{"refs/heads/main": Hash(w.git("origin.git", "rev-parse", "main"))}
	if diff := cmp.Diff(want, heads); diff != "" {
		w.t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHeadsOfOtherServers asks servers that give no answer to the question for single references: they are asked for all, and from then on at once.
func TestHeadsOfOtherServers(t *testing.T) {
	t.Parallel()
	const result = "application/x-git-upload-pack-result"
	answer := func(contentType, body string) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
			rw.Header().Set("Content-Type", contentType)
			io.WriteString(rw, body) //nolint:errcheck // the test's own
		}
	}
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	id := strings.Repeat("a", 40)
	for name, post := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"that know only the first version": func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
			req.Header.Del("Git-Protocol")
			git.ServeHTTP(rw, req)
		},
		"that refuse it": func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
			http.Error(rw, "no", http.StatusForbidden)
		},
		"that lead elsewhere": func(rw http.ResponseWriter, req *http.Request, _ http.Handler) {
			http.Redirect(rw, req, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		},
		"that show a page":            answer("text/html", "<html>"),
		"that say nothing":            answer(result, ""),
		"that answer half":            answer(result, line(id+" refs/heads/main\n")),
		"that go on after the end":    answer(result, line(id+" refs/heads/main\n")+"00000000"),
		"that say what is wrong":      answer(result, line("ERR no such thing\n")+"0000"),
		"that name no object":         answer(result, line("HEAD refs/heads/main\n")+"0000"),
		"that name no reference":      answer(result, line(id+"\n")+"0000"),
		"that name an impossible one": answer(result, line(id+" refs/heads/a..b\n")+"0000"),
		"that never end":              answer(result, strings.Repeat(line(id+" refs/heads/"+strings.Repeat("x", 1000)+"\n"), 1100)+"0000"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.origin()
			var requests requestLog
			srv := w.serve(requests.wrap(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
				if req.Method == http.MethodPost {
					post(rw, req, git)
					return
				}
				git.ServeHTTP(rw, req)
			}))
			w.fresh(srv.URL + "/origin.git")
			r := w.open("repo", "native")
			w.wantHeads(r)
			w.wantHeads(r)
			if diff := cmp.Diff([]string{"POST git-upload-pack", "GET refs", "GET refs"}, requests.taken()); diff != "" {
				t.Errorf("requests (-want +got)\n%s", diff)
			}
		})
	}
}

// TestHeadsWithHelper asks a server that wants a password which only a credential helper knows: the helper is asked once.
func TestHeadsWithHelper(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	password := "first"
	var requests requestLog
	srv := w.serve(requests.wrap(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
		if _, p, _ := req.BasicAuth(); p != password {
			rw.Header().Set("WWW-Authenticate", "Basic")
			http.Error(rw, "who is there?", http.StatusUnauthorized)
			return
		}
		git.ServeHTTP(rw, req)
	}))
	w.fresh(srv.URL + "/origin.git")
	w.configure("credential", `helper = "!f() { test $1 = get && echo asked >>`+w.path("helper.log")+` && echo username=ada && echo password=first; }; f"`)
	r := w.open("repo", "native")
	for range 3 {
		w.wantHeads(r)
	}
	if b, err := os.ReadFile(w.path("helper.log")); err != nil || string(b) != "asked\n" {
		t.Errorf("the helper was asked: %q, %v", b, err)
	}
	if diff := cmp.Diff([]string{"POST git-upload-pack", "GET refs", "GET refs", "GET refs", "GET refs"}, requests.taken()); diff != "" {
		t.Errorf("requests (-want +got)\n%s", diff)
	}
	password = "second"
	if _, err := r.Heads(t.Context(), "origin", asked...); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "first") {
		t.Errorf("with a password that is good no more: %v", err)
	}
}

// TestHeadsOfServerThatIsDown tells why there is no answer.
func TestHeadsOfServerThatIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	srv := w.serve(nil)
	w.fresh(srv.URL + "/origin.git")
	r := w.open("repo", "native")
	w.wantHeads(r)
	srv.Close()
	if _, err := r.Heads(t.Context(), "origin", asked...); !errors.Is(err, ErrUnreachable) {
		t.Errorf("err = %v", err)
	}
}

// TestHeadsOfFolder reads the references of a remote in a folder as git tells them, and starts no process for that but where only git can tell.
func TestHeadsOfFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(w *world) (address string)
		git     bool // git is asked
	}{
		{name: "a bare repository", prepare: func(w *world) string { return w.path("origin.git") }},
		{name: "packed references", prepare: func(w *world) string {
			w.git("origin.git", "pack-refs", "--all")
			return w.path("origin.git")
		}},
		{name: "a URL", prepare: func(w *world) string { return "file://" + filepath.ToSlash(w.path("origin.git")) }},
		{name: "a link", prepare: func(w *world) string {
			if err := os.Symlink(w.path("origin.git"), w.path("link")); err != nil {
				w.t.Fatal(err)
			}
			return w.path("link")
		}},
		{name: "a work tree", prepare: func(w *world) string {
			w.git("", "clone", "-q", "origin.git", "tree")
			return w.path("tree")
		}},
		{name: "a linked work tree", prepare: func(w *world) string {
			w.git("", "clone", "-q", "origin.git", "tree")
			w.git("tree", "worktree", "add", "-q", w.path("linked"))
			return w.path("linked")
		}},
		{name: "a name without its end", git: true, prepare: func(w *world) string { return w.path("origin") }},
		{name: "a name that is escaped", git: true, prepare: func(w *world) string {
			return "file://" + filepath.ToSlash(w.path("")) + "/ori%67in.git"
		}},
		{name: "a path from here", git: true, prepare: func(*world) string { return "../origin.git" }},
		{name: "a program of its own", git: true, prepare: func(w *world) string {
			w.configure(`remote "origin"`, "uploadpack = git-upload-pack")
			return w.path("origin.git")
		}},
		{name: "a bundle", git: true, prepare: func(w *world) string {
			w.git("origin.git", "bundle", "create", "-q", w.path("bundle"), "main")
			return w.path("bundle")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.origin()
			w.git("origin.git", "branch", "another", "main")
			w.fresh("https://git.example/unreachable.git")
			w.git("repo", "config", "remote.origin.url", c.prepare(w))
			o := w.options("native")
			o.Environ = append(o.Environ, "GIT_TRACE2="+w.path("trace"))
			r, err := Open(w.path("repo"), o)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close() //nolint:errcheck // only read from
			w.wantHeads(r)
			w.wantHeads(r)
			log, err := os.ReadFile(w.path("trace"))
			if got := strings.Contains(string(log), "cmd_name ls-remote"); err != nil || got != c.git {
				t.Errorf("git was asked: %v, want %v; %v\n%s", got, c.git, err, log)
			}
			if n := strings.Count(string(log), "cmd_name config"); n != 1 {
				t.Errorf("the configuration was read %d times:\n%s", n, log)
			}
		})
	}
}

// TestHeadsOfFolderThatIsAway leaves it to git to say what is wrong.
func TestHeadsOfFolderThatIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.fresh(w.path("origin.git"))
	r := w.open("repo", "native")
	w.wantHeads(r)
	if err := os.Rename(w.path("origin.git"), w.path("away")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Heads(t.Context(), "origin", asked...); !errors.Is(err, ErrUnreachable) {
		t.Errorf("err = %v", err)
	}
}

// TestReconfigured tells a repository whose configuration has changed since from one that is as it was.
func TestReconfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.fresh(w.path("origin.git"))
	r := w.open("repo", "native")
	w.wantHeads(r)
	if r.Reconfigured() {
		t.Error("nobody has changed it")
	}
	w.git("repo", "config", "remote.origin.url", w.path("elsewhere.git"))
	if !r.Reconfigured() {
		t.Error("a new address was not noticed")
	}
	again := w.open("repo", "native")
	if again.Reconfigured() {
		t.Error("it was opened after that")
	}
	if err := os.Chtimes(w.path("repo/.git/config"), time.Time{}, testTime.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if !again.Reconfigured() {
		t.Error("a change that keeps the length was not noticed")
	}
}

// FuzzReadRefs reads whatever a server answers. An answer that counts names references and objects, and ends where git says that it ends.
func FuzzReadRefs(f *testing.F) {
	id := strings.Repeat("0a", 20)
	line := func(s string) string { return fmt.Sprintf("%04x%s", len(s)+4, s) }
	for _, seed := range []string{
		"0000", line(id+" refs/heads/main\n") + "0000", line(id+" refs/heads/main symref-target:refs/heads/x\n") + "0000", line("ERR no\n"), "0001", "000", "zzzz", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		w := &wire{repo: &Repo{format: sha1Format}}
		found, ok := w.readRefs(bytes.NewReader(answer))
		if !ok {
			return
		}
		if !bytes.HasSuffix(answer, []byte("0000")) {
			t.Errorf("an answer without its end counts: %q", answer)
		}
		for name, at := range found {
			if checkRefName(name) != nil || !sha1Format.valid(string(at)) {
				t.Errorf("%q at %q", name, at)
			}
		}
	})
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
