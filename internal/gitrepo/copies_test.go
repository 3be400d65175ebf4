//go:build unix

package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// ways are the ways to talk to a remote: this package's own over HTTP, git over HTTP, and git over a local folder.
var ways = []struct{ name, backend, scheme string }{
	{"native", "native", "http"}, {"git over http", "git", "http"}, {"folder", "native", "file"},
}

// forEachWay runs fn with an empty clone of origin.git that is connected in each way.
func forEachWay(t *testing.T, fn func(t *testing.T, w *world, r *Repo)) {
	t.Helper()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.origin()
			address := "file://" + w.path("origin.git")
			if way.scheme == "http" {
				address = w.serve(nil).URL + "/origin.git"
			}
			w.fresh(address)
			fn(t, w, w.open("repo", way.backend))
		})
	}
}

// hook gives origin.git a hook.
func (w *world) hook(name, script string) {
	w.t.Helper()
	w.write("origin.git/hooks/"+name, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(w.path("origin.git/hooks/"+name), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// at returns where a reference of origin.git is.
func (w *world) at(ref string) Hash {
	w.t.Helper()
	out, _ := w.tryGit("origin.git", "rev-parse", "--verify", "--quiet", ref)
	return Hash(out)
}

// next commits one file on a parent, without moving a reference.
func next(t *testing.T, r *Repo, parent Hash, text string) Hash {
	t.Helper()
	h, err := r.Commit(t.Context(), Commit{Parent: parent, Files: map[string][]byte{"f": []byte(text)}, Message: text, Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPushCopies(t *testing.T) {
	t.Parallel()
	forEachWay(t, func(t *testing.T, w *world, r *Repo) {
		t.Helper()
		tip := Zero
		for i := range 3 {
			h := next(t, r, tip, fmt.Sprint(i))
			if err := r.Push(t.Context(), "origin", "ledger", tip, h, aCopy); err != nil {
				t.Fatal(err)
			}
			if tip = h; w.at("ledger") != h || w.at(aCopy) != h {
				t.Errorf("the branch is at %s and its copy at %s, want both at %s", w.at("ledger"), w.at(aCopy), h)
			}
		}
		heads, err := r.Fetch(t.Context(), "origin", "ledger")
		if err != nil || heads[aCopy] != tip {
			t.Errorf("Fetch tells that the copy is at %s, %v", heads[aCopy], err)
		}
		// Wherever the copy is, it follows; and it alone can be fetched, too.
		w.git("origin.git", "update-ref", aCopy, "main")
		last := next(t, w.open("repo", r.Backend()), tip, "last")
		if err := w.open("repo", r.Backend()).Push(t.Context(), "origin", "ledger", tip, last, aCopy); err != nil || w.at(aCopy) != last {
			t.Errorf("the copy is at %s (%v), want %s", w.at(aCopy), err, last)
		}
		w.git("origin.git", "update-ref", aCopy, "main")
		if _, err := r.Fetch(t.Context(), "origin", aCopy+":refs/postrider/remotes/origin/ledger"); err != nil {
			t.Fatal(err)
		}
		if h, err := r.Ref("refs/postrider/remotes/origin/ledger"); err != nil || h != w.at("main") {
			t.Errorf("the copy was fetched to %s, %v", h, err)
		}
		if out, err := w.tryGit("origin.git", "fsck", "--strict"); err != nil {
			t.Errorf("fsck: %s", out)
		}
	})
}

// TestCopyRefused has remotes that do not take the copy, each in its own way: the branch moves all the same.
func TestCopyRefused(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(*world){
		"update hook": func(w *world) { w.hook("update", `case $1 in refs/postrider/*) echo not here >&2; exit 1;; esac`) },
		"pre-receive": func(w *world) { w.hook("pre-receive", `! grep -q refs/postrider/`) },
		"hidden":      func(w *world) { w.git("origin.git", "config", "receive.hideRefs", "refs/postrider") },
		"not atomic":  func(w *world) { w.git("origin.git", "config", "receive.advertiseAtomic", "false") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachWay(t, func(t *testing.T, w *world, r *Repo) {
				t.Helper()
				refuse(w)
				tip := Zero
				for i := range 2 {
					h := next(t, r, tip, fmt.Sprint(i))
					if err := r.Push(t.Context(), "origin", "ledger", tip, h, aCopy); err != nil {
						t.Fatal(err)
					}
					if tip = h; w.at("ledger") != h || w.at(aCopy) != Zero {
						t.Errorf("the branch is at %s and its copy at %q, want %s and nothing", w.at("ledger"), w.at(aCopy), h)
					}
				}
			})
		})
	}
}

// TestRefusedWithCopy: what the hook says of the branch is what is reported.
func TestRefusedWithCopy(t *testing.T) {
	t.Parallel()
	forEachWay(t, func(t *testing.T, w *world, r *Repo) {
		t.Helper()
		w.hook("update", `echo "the branch is frozen" >&2; exit 1`)
		err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r), aCopy)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "the branch is frozen") {
			t.Errorf("%v, want ErrRefused with the hook's words", err)
		}
		if w.at("ledger") != Zero || w.at(aCopy) != Zero {
			t.Error("something was pushed")
		}
	})
}

// TestLostRaceLeavesNoCopy lets somebody move the branch while a push is on its way: the copy must not move without it.
func TestLostRaceLeavesNoCopy(t *testing.T) {
	t.Parallel()
	forEachWay(t, func(t *testing.T, w *world, r *Repo) {
		t.Helper()
		theirs := w.at("main")
		w.hook("pre-receive", `unset GIT_QUARANTINE_PATH; git update-ref refs/heads/ledger `+string(theirs))
		err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r), aCopy)
		if m, ok := errors.AsType[*MovedError](err); !ok || m.Have != theirs {
			t.Errorf("%v, want ErrMoved to %s", err, theirs)
		}
		if h := w.at(aCopy); h != Zero {
			t.Errorf("the copy is at %s without its branch", h)
		}
	})
}

// TestAnswerLostInAFolder kills the receiving side after it has moved the reference; with more, somebody goes on from there
// before this side looks.
func TestAnswerLostInAFolder(t *testing.T) {
	t.Parallel()
	for _, more := range []bool{false, true} {
		w := newWorld(t)
		w.origin()
		script := "kill -9 $PPID"
		if more {
			script = `for i in 1 2 3; do
				c=$(git commit-tree -p refs/heads/ledger -m more refs/heads/ledger^{tree}) && git update-ref refs/heads/ledger $c
			done; ` + script
		}
		w.hook("post-receive", script)
		w.fresh("file://" + w.path("origin.git"))
		r := w.open("repo", "native")
		tip := ledger(t, r)
		if err := r.Push(t.Context(), "origin", "ledger", Zero, tip, aCopy); err != nil {
			t.Errorf("more %v: %v, want nil: the push was done", more, err)
		}
		if got := w.git("origin.git", "rev-list", "ledger"); !strings.HasSuffix(got, string(tip)) {
			t.Errorf("more %v: the remote has %s", more, got)
		}
	}
}

// TestAnswerLostAndPassed does the same over HTTP, where nothing but the connection dies.
func TestAnswerLostAndPassed(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.hook("post-receive", `c=$(git commit-tree -p refs/heads/ledger -m more refs/heads/ledger^{tree}) && git update-ref refs/heads/ledger $c`)
		srv := w.serve(func(rw http.ResponseWriter, req *http.Request, git http.Handler) {
			if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/git-receive-pack") {
				git.ServeHTTP(httptest.NewRecorder(), req)
				panic(http.ErrAbortHandler)
			}
			git.ServeHTTP(rw, req)
		})
		w.fresh(srv.URL + "/origin.git")
		r := w.open("repo", backend)
		if err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r)); err != nil {
			t.Errorf("%s: %v, want nil: the push is part of the remote's history", backend, err)
		}
	}
}

// TestTimeout has remotes that take a connection and never say anything.
func TestTimeout(t *testing.T) {
	t.Parallel()
	for _, way := range []struct{ backend, scheme string }{{"native", "http"}, {"git", "http"}, {"native", "ssh"}} {
		w := newWorld(t)
		w.origin()
		var asked atomic.Int32
		end := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			asked.Add(1)
			select {
			case <-end:
			case <-req.Context().Done():
			}
		}))
		t.Cleanup(func() { close(end); srv.Close() })
		address := srv.URL + "/origin.git"
		if way.scheme == "ssh" {
			address = "ssh://nobody.invalid/origin.git"
			w.write("ssh", "#!/bin/sh\necho $$ >"+w.path("pid")+"\nexec sleep 600\n")
			if err := os.Chmod(w.path("ssh"), 0o755); err != nil {
				t.Fatal(err)
			}
			w.env = append(w.env, "GIT_SSH_COMMAND="+w.path("ssh"), "GIT_SSH_VARIANT=simple")
		}
		w.fresh(address)
		o := w.options(way.backend)
		o.Timeout = 300 * time.Millisecond
		r, err := Open(w.path("repo"), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		began := time.Now()
		_, err = r.Fetch(t.Context(), "origin", "ledger")
		if !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not answered within 300ms") {
			t.Errorf("%v: Fetch: %v", way, err)
		}
		if err := r.Push(t.Context(), "origin", "ledger", Zero, ledger(t, r), aCopy); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%v: Push: %v", way, err)
		}
		if d := time.Since(began); d > 8*time.Second {
			t.Errorf("%v: it took %s", way, d)
		}
		if way.scheme == "ssh" && w.ownGroup() {
			if b, err := os.ReadFile(w.path("pid")); err != nil || !w.gone(strings.TrimSpace(string(b))) {
				t.Errorf("ssh is still waiting (%v)", err)
			}
		}
	}
}

// ownGroup reports whether git's children end with it here: not where a person sits at a terminal.
func (w *world) ownGroup() bool {
	cmd := exec.Command("true")
	ownGroup(cmd, false)
	return cmd.SysProcAttr != nil
}

// gone reports whether a process has ended, or is a zombie that nobody has collected.
func (w *world) gone(pid string) bool {
	var n int
	if _, err := fmt.Sscan(pid, &n); err != nil {
		w.t.Fatal(err)
	}
	if syscall.Kill(n, 0) != nil {
		return true
	}
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || strings.Contains(string(b), ") Z ")
}

// TestLocksInTheWayOfAFetch: where a remote's branch is need not be noted; a shallow clone's boundary must be.
func TestLocksInTheWayOfAFetch(t *testing.T) {
	t.Parallel()
	forEachWay(t, func(t *testing.T, w *world, r *Repo) {
		t.Helper()
		for _, lock := range []string{"refs/remotes/origin/main.lock", "packed-refs.lock", "index.lock"} {
			w.write("repo/.git/"+lock, "")
		}
		heads, err := r.Fetch(t.Context(), "origin", "main")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.CommitInfo(heads["refs/heads/main"]); err != nil {
			t.Errorf("the commit was not fetched: %v", err)
		}
	})
	for _, way := range ways {
		w := newWorld(t)
		w.origin()
		srv := w.serve(nil)
		w.git("", "clone", "-q", "--depth=1", srv.URL+"/origin.git", "repo")
		w.git("origin.git", "branch", "ledger", "main~1")
		if way.scheme == "file" {
			w.git("repo", "config", "remote.origin.url", "file://"+w.path("origin.git"))
		}
		w.write("repo/.git/shallow.lock", "")
		_, err := w.open("repo", way.backend).Fetch(t.Context(), "origin", "ledger")
		if l, ok := errors.AsType[*LockedError](err); !ok || !strings.HasSuffix(l.Path, "shallow.lock") || !strings.Contains(err.Error(), "remove the file") {
			t.Errorf("%s: %v, want LockedError that names shallow.lock", way.name, err)
		}
	}
}

func TestReplaceDamagedRef(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.clone(w.path("origin.git"))
	r := w.open("repo", "native")
	_, head, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.ReplaceDamagedRef(t.Context(), "refs/heads/main", head); err == nil {
		t.Error("a sound reference was replaced")
	}
	for _, text := range []string{"", "\x00\x00\x00\x00", "not an id\n"} {
		w.write("repo/.git/refs/heads/ledger", text)
		if _, err := r.Ref("refs/heads/ledger"); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v, want ErrDamaged", text, err)
		}
		if err := r.ReplaceDamagedRef(t.Context(), "refs/heads/ledger", head); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got := w.git("repo", "rev-parse", "refs/heads/ledger"); got != string(head) {
			t.Errorf("%q: the reference is at %s", text, got)
		}
	}
	if locks := w.git("", "-C", w.path("repo"), "ls-files", "--others", ".git/refs"); strings.Contains(locks, ".lock") {
		t.Errorf("locks stay behind: %s", locks)
	}
}

// TestCancelledPushLeavesNothing ends a push to a folder while the remote's hook is still thinking. The remote, which has
// been asked, comes to its end by itself.
func TestCancelledPushLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.hook("pre-receive", "echo >"+w.path("thinking")+"; while ! test -e "+w.path("go")+"; do sleep 0.05; done")
	w.fresh("file://" + w.path("origin.git"))
	r := w.open("repo", "native")
	tip := ledger(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Push(ctx, "origin", "ledger", Zero, tip, aCopy) }()
	w.await("the hook", func() bool { _, err := os.Stat(w.path("thinking")); return err == nil })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
	w.noTemps("repo")
	w.write("go", "")
	w.await("the remote", func() bool { return w.at("ledger") == tip })
	w.noTemps("origin.git")
}

// await waits for something to come true.
func (w *world) await(what string, ok func() bool) {
	w.t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		if err := sleep(w.t.Context(), 5*time.Millisecond); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("%s does nothing", what)
}

// TestLeftTemps: what a killed process has left goes with the next one's first commit; what another one is still writing
// stays.
func TestLeftTemps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.git("", "clone", "-q", "origin.git", "repo")
	old, young, foreign := "repo/.git/objects/tmp_obj_postrider_1", "repo/.git/objects/pack/tmp_pack_postrider_2", "repo/.git/objects/pack/tmp_pack_abc"
	for _, f := range []string{old, young, foreign} {
		w.write(f, "x")
		when := testTime.Add(-time.Hour)
		if f == young {
			when = testTime.Add(-time.Minute)
		}
		if err := os.Chtimes(w.path(f), when, when); err != nil {
			t.Fatal(err)
		}
	}
	ledger(t, w.open("repo", "native"))
	check := func(want map[string]bool) {
		t.Helper()
		for f, there := range want {
			if _, err := os.Stat(w.path(f)); (err == nil) != there {
				t.Errorf("%s: there = %v, want %v", f, err == nil, there)
			}
		}
	}
	check(map[string]bool{old: false, young: true, foreign: true})

	// A fetch through git that is cut off has left files of git's own.
	mark := "repo/.git/postrider/fetching-1"
	w.write(mark, "")
	if err := os.Chtimes(w.path(mark), testTime.Add(-time.Hour), testTime.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	loose := "repo/.git/objects/ab/tmp_obj_x1y2z3"
	w.write(loose, "x")
	if err := os.Chtimes(w.path(loose), testTime.Add(-time.Hour), testTime.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	r := w.open("repo", "native")
	if _, err := r.Fetch(t.Context(), "origin", "main"); err != nil {
		t.Fatal(err)
	}
	check(map[string]bool{young: true, foreign: false, loose: false, mark: true})
	if err := os.Remove(w.path(young)); err != nil {
		t.Fatal(err)
	}
	// Another fetch goes on, and looks old because its disk's clock is slow.
	other := r.beginFetch()
	if err := os.Chtimes(other.Name(), testTime.Add(-time.Hour), testTime.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.open("repo", "native").Fetch(t.Context(), "origin", "main"); err != nil {
		t.Fatal(err)
	}
	check(map[string]bool{mark: false})
	if _, err := os.Stat(other.Name()); err != nil {
		t.Errorf("the marker of a fetch that goes on: %v", err)
	}
	r.fetched(other, nil)
	if _, err := os.Stat(other.Name()); !os.IsNotExist(err) {
		t.Errorf("the marker of a fetch that has ended: %v", err)
	}
}
