package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testTime is when everything in these tests happens.
var testTime = time.Date(2026, 11, 21, 9, 30, 0, 0, time.FixedZone("", 3600))

// testEnv is the environment of git in these tests: nothing of the machine's own configuration.
func testEnv(home string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + filepath.Join(home, "gitconfig"), "GIT_TEMPLATE_DIR=",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
		"GIT_AUTHOR_DATE=2026-11-20T10:00:00+01:00", "GIT_COMMITTER_DATE=2026-11-20T10:00:00+01:00",
	}
}

// world is a folder with git's environment.
type world struct {
	t   testing.TB
	dir string
	env []string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dir: dir, env: testEnv(dir)}
	w.write("gitconfig", "[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n[gc]\n\tauto = 0\n[core]\n\tfsync = none\n")
	return w
}

func (w *world) path(p string) string { return filepath.Join(w.dir, filepath.FromSlash(p)) }

func (w *world) write(p, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(p)), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(p), []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// git runs git in a folder and returns what it printed.
func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.tryGit(dir, args...)
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) tryGit(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = w.path(dir)
	cmd.Env = w.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (w *world) options(backend string) Options {
	return Options{Backend: backend, Environ: w.env, Env: w.getenv, Now: func() time.Time { return testTime }}
}

func (w *world) getenv(name string) string {
	for i := len(w.env) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(w.env[i], name+"="); ok {
			return v
		}
	}
	return ""
}

func (w *world) open(dir, backend string) *Repo {
	w.t.Helper()
	r, err := Open(w.path(dir), w.options(backend))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := r.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return r
}

// noTemps fails when git, or this package, has left temporary files in a repository.
func (w *world) noTemps(dir string) {
	w.t.Helper()
	err := filepath.WalkDir(w.path(dir), func(p string, d fs.DirEntry, err error) error {
		if err == nil && (strings.HasPrefix(d.Name(), "tmp_") || strings.HasSuffix(d.Name(), ".lock")) {
			w.t.Errorf("left behind: %s", p)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

// origin makes a bare repository with two commits on main, some of it packed with differences.
func (w *world) origin() {
	w.t.Helper()
	w.originFormat("sha1")
}

// originFormat copies a repository that is made once per object format.
func (w *world) originFormat(format string) {
	w.t.Helper()
	made := originSHA1
	if format == "sha256" {
		made = originSHA256
	}
	dir, err := made()
	if err == nil {
		err = os.CopyFS(w.path("origin.git"), os.DirFS(filepath.Join(dir, "origin.git")))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// seed copies the work tree that origin.git was pushed from.
func (w *world) seed() {
	w.t.Helper()
	dir, err := originSHA1()
	if err == nil {
		err = os.CopyFS(w.path("seed"), os.DirFS(filepath.Join(dir, "seed")))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

var (
	originSHA1   = sync.OnceValues(func() (string, error) { return makeOrigin("sha1") })
	originSHA256 = sync.OnceValues(func() (string, error) { return makeOrigin("sha256") })
	templates    string // the folder of those, made and removed by TestMain
)

// children are what this program does instead of testing when an environment variable is set.
var children = map[string]func(value string){crashDir: commitForever}

func TestMain(m *testing.M) {
	for name, child := range children {
		if value := os.Getenv(name); value != "" {
			child(value)
		}
	}
	var err error
	if templates, err = os.MkdirTemp("", "gitrepo"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(templates)
	os.Exit(code)
}

func makeOrigin(format string) (string, error) {
	dir := filepath.Join(templates, format)
	run := func(sub string, args ...string) error {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = filepath.Join(dir, sub), testEnv(dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
		return nil
	}
	write := func(p, text string) error {
		p = filepath.Join(dir, filepath.FromSlash(p))
		return errors.Join(os.MkdirAll(filepath.Dir(p), 0o777), os.WriteFile(p, []byte(text), 0o666))
	}
	long := strings.Repeat("a line that many versions share\n", 60)
	err := errors.Join(os.MkdirAll(dir, 0o777),
		run("", "init", "-q", "-b", "main", "--bare", "--object-format="+format, "origin.git"),
		run("origin.git", "config", "http.receivepack", "true"),
		run("", "init", "-q", "-b", "main", "--object-format="+format, "seed"),
		write("seed/site.yaml", "title: Test\n"),
		write("seed/content.md", "sorts between content/ and itself\n"))
	for i := range 6 {
		err = errors.Join(err, write(fmt.Sprintf("seed/content/posts/2026/%02d/post.md", i+1), fmt.Sprintf("%spost %d\n", long, i)))
	}
	return dir, errors.Join(err,
		run("seed", "add", "-A"),
		run("seed", "commit", "-qm", "first"),
		write("seed/content/posts/2026/01/post.md", long+"post 0, edited\n"),
		run("seed", "commit", "-qam", "second\n\nwith a body\n"),
		run("seed", "repack", "-adfq"),
		run("seed", "push", "-q", "../origin.git", "main"),
		run("origin.git", "repack", "-adfq"))
}

// layouts is every kind of repository this package has to cope with: how to make it as "repo" beside
// "origin.git", and which backends can open it.
var layouts = []struct {
	name   string
	format string
	native bool
	bare   bool
	unborn bool
	make   func(*world)
}{
	{"plain", "sha1", true, false, false, func(w *world) { w.git("", "clone", "-q", "origin.git", "repo") }},
	{"bare", "sha1", true, true, false, func(w *world) { w.git("", "clone", "-q", "--bare", "origin.git", "repo") }},
	{"linked work tree", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "origin.git", "main-tree")
		w.git("main-tree", "worktree", "add", "-q", "-b", "side", "../repo")
	}},
	{"detached", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "origin.git", "repo")
		w.git("repo", "checkout", "-q", "--detach")
	}},
	{"packed references", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "origin.git", "repo")
		w.git("repo", "pack-refs", "--all")
	}},
	{"unborn", "sha1", true, false, true, func(w *world) {
		w.git("", "init", "-q", "repo")
		w.git("repo", "remote", "add", "origin", w.path("origin.git"))
	}},
	{"shallow", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "--depth=1", "file://"+w.path("origin.git"), "repo")
	}},
	{"sparse checkout", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "origin.git", "repo")
		w.git("repo", "sparse-checkout", "set", "--sparse-index", "content/posts/2026/01")
		if got := w.git("repo", "config", "extensions.worktreeConfig"); got != "true" {
			w.t.Fatalf("extensions.worktreeConfig = %q", got)
		}
	}},
	{"split index", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "origin.git", "repo")
		w.git("repo", "update-index", "--split-index")
	}},
	{"alternates", "sha1", true, false, false, func(w *world) {
		w.git("", "clone", "-q", "--shared", "origin.git", "repo")
	}},
	{"sha256", "sha256", false, false, false, func(w *world) { w.git("", "clone", "-q", "origin.git", "repo") }},
	{"partial clone", "sha1", false, false, false, func(w *world) {
		w.git("origin.git", "config", "uploadpack.allowFilter", "true")
		w.git("origin.git", "config", "uploadpack.allowAnySHA1InWant", "true")
		w.git("", "clone", "-q", "--no-checkout", "--filter=blob:none", "file://"+w.path("origin.git"), "repo")
	}},
}

// forEachLayout runs fn in every layout with every backend that can open it.
func forEachLayout(t *testing.T, fn func(t *testing.T, w *world, r *Repo, bare, unborn bool)) {
	t.Helper()
	for _, l := range layouts {
		for _, backend := range []string{"native", "git"} {
			if backend == "native" && !l.native {
				continue
			}
			t.Run(l.name+"/"+backend, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.originFormat(l.format)
				l.make(w)
				if backend == "native" { // the other one uses the address that make has set
					w.git("repo", "config", "remote.origin.url", w.serve(nil).URL+"/origin.git")
				}
				fn(t, w, w.open("repo", backend), l.bare, l.unborn)
			})
		}
	}
}

func TestLayouts(t *testing.T) {
	t.Parallel()
	forEachLayout(t, func(t *testing.T, w *world, r *Repo, bare, unborn bool) {
		wantRoot := w.path("repo")
		if bare {
			wantRoot = ""
		}
		if r.Root() != wantRoot {
			t.Errorf("Root() = %q, want %q", r.Root(), wantRoot)
		}
		branch, head, err := r.Head()
		if err != nil {
			t.Fatal(err)
		}
		if unborn {
			if branch != "main" || head != Zero {
				t.Errorf("Head() = %q, %q; want an unborn main", branch, head)
			}
		} else {
			if want := w.git("repo", "rev-parse", "HEAD"); string(head) != want {
				t.Errorf("Head() = %q, want %q", head, want)
			}
			if want := w.git("repo", "rev-parse", "--abbrev-ref", "HEAD"); branch != strings.TrimSuffix(want, "HEAD") {
				t.Errorf("branch = %q, want %q", branch, want)
			}
			checkTree(t, w, r, head)
		}
		checkCommit(t, w, r)
		checkPush(t, w, r)
	})
}

// checkTree compares everything that is read with what git says.
func checkTree(t *testing.T, w *world, r *Repo, head Hash) {
	t.Helper()
	tree, err := r.Tree(head)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = tree.Walk("", func(e Entry) error {
		data, err := tree.ReadFile(e.Path)
		got = append(got, fmt.Sprintf("%s %s", e.ID, e.Path))
		if r.format.sum(kindBlob, data) != e.ID {
			t.Errorf("%s: content differs", e.Path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(w.git("repo", "ls-tree", "-r", "--format=%(objectname) %(path)", "HEAD"), "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Walk differs from ls-tree (-want +got):\n%s", d)
	}
	if err := fstest.TestFS(tree.FS(), "site.yaml", "content/posts/2026/06/post.md"); err != nil {
		t.Error(err)
	}
	c, err := r.CommitInfo(head)
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject != "second" || c.Body != "with a body" || c.Name != "Ada" || c.Email != "ada@example.org" ||
		c.Time.Format(time.RFC3339) != "2026-11-20T10:00:00+01:00" {
		t.Errorf("CommitInfo = %+v", c)
	}
	for _, rev := range []string{"HEAD", string(head), string(head)[:12]} {
		if got, err := r.Resolve(rev); err != nil || got != head {
			t.Errorf("Resolve(%q) = %q, %v; want %q", rev, got, err, head)
		}
	}
	if _, err := r.Resolve("no-such-branch"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Resolve of an unknown name: %v, want ErrNotFound", err)
	}
	n := 0
	if err := r.Log(head, 0, func(CommitInfo) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	if want := w.git("repo", "rev-list", "--count", "HEAD"); fmt.Sprint(n) != want {
		t.Errorf("Log gave %d commits, want %s", n, want)
	}
	for path, want := range map[string]bool{"site.yaml": true, ".env": false, "content": true} {
		if got, err := r.IsTracked(path); err != nil || got != want {
			t.Errorf("IsTracked(%q) = %v, %v; want %v", path, got, err, want)
		}
	}
}

// checkCommit makes a branch, changes it, and lets git look at the result.
func checkCommit(t *testing.T, w *world, r *Repo) {
	t.Helper()
	ctx := t.Context()
	before, statusErr := w.tryGit("repo", "status", "--porcelain=v2", "--branch")
	first, err := r.Commit(ctx, Commit{
		Branch: "postrider/ledger", Files: map[string][]byte{"a/b/one.json": []byte("1"), "a/two.json": []byte("2"), "a.b": []byte("3")},
		Message: "begin\n\nPost: x\n", Time: testTime,
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.Commit(ctx, Commit{
		Branch: "postrider/ledger", Parent: first, Files: map[string][]byte{"a/b/one.json": nil, "a/two.json": []byte("22"), "empty": {}},
		Message: "go on", Name: "Grace <x>", Email: "grace@example.org", Time: testTime,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.git("repo", "ls-tree", "-r", "--name-only", "postrider/ledger"); got != "a.b\na/two.json\nempty" {
		t.Errorf("tree of the second commit:\n%s", got)
	}
	if got := w.git("repo", "log", "--format=%an <%ae> %cI %s|%(trailers:key=Post)", "postrider/ledger"); got !=
		"Grace x <grace@example.org> 2026-11-21T09:30:00+01:00 go on|\nAda <ada@example.org> 2026-11-21T09:30:00+01:00 begin|Post: x" {
		t.Errorf("log:\n%s", got)
	}
	after, _ := w.tryGit("repo", "status", "--porcelain=v2", "--branch")
	if statusErr == nil && before != after {
		t.Errorf("git status changed from\n%s\nto\n%s", before, after)
	}
	if out, err := w.tryGit("repo", "fsck", "--strict"); err != nil {
		t.Errorf("git fsck: %v\n%s", err, out)
	}
	if r.Root() != "" {
		if got := w.git("repo", "log", "-g", "--format=%gs", "postrider/ledger"); got != "commit: go on\ncommit: begin" {
			t.Errorf("reflog:\n%s", got)
		}
	}
	// Nothing to change is no commit; a stale parent is refused; a file is no folder.
	same, err := r.Commit(ctx, Commit{Branch: "postrider/ledger", Parent: second, Files: map[string][]byte{"a/two.json": []byte("22"), "gone": nil}, Message: "none"})
	if err != nil || same != second {
		t.Errorf("empty commit = %q, %v; want the parent", same, err)
	}
	_, err = r.Commit(ctx, Commit{Branch: "postrider/ledger", Parent: first, Files: map[string][]byte{"x": {}}, Message: "stale"})
	if m, ok := errors.AsType[*MovedError](err); !ok || !errors.Is(err, ErrMoved) || m.Have != second {
		t.Errorf("commit on a stale parent: %v, want ErrMoved with the tip", err)
	}
	if _, err = r.Commit(ctx, Commit{Branch: "postrider/ledger", Parent: second, Files: map[string][]byte{"a.b/c": {}}, Message: "clash"}); err == nil {
		t.Error("a folder in the place of a file was accepted")
	}
	if err := r.SetRef(ctx, "refs/heads/postrider/ledger", first, second); !errors.Is(err, ErrMoved) {
		t.Errorf("SetRef with a stale value: %v, want ErrMoved", err)
	}
	x, err := r.Tree(first)
	if err != nil {
		t.Fatal(err)
	}
	y, err := r.Tree(second)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := r.Diff(x, y, "a")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, c := range changes {
		paths = append(paths, fmt.Sprintf("%s %t %t", c.Path, c.Old != Zero, c.New != Zero))
	}
	if d := cmp.Diff([]string{"a/b/one.json true false", "a/two.json true true"}, paths); d != "" {
		t.Errorf("Diff (-want +got):\n%s", d)
	}
}

// checkPush pushes the ledger branch, and fetches what another clone adds.
func checkPush(t *testing.T, w *world, r *Repo) {
	t.Helper()
	ctx := t.Context()
	tip, err := r.Ref("refs/heads/postrider/ledger")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Push(ctx, "origin", "postrider/ledger", Zero, tip); err != nil {
		t.Fatal(err)
	}
	if got := w.git("origin.git", "rev-parse", "postrider/ledger"); got != string(tip) {
		t.Errorf("the remote is at %s, want %s", got, tip)
	}
	if out, err := w.tryGit("origin.git", "fsck", "--strict"); err != nil {
		t.Errorf("git fsck of the remote: %v\n%s", err, out)
	}
	w.git("", "clone", "-q", "-b", "postrider/ledger", "origin.git", "other")
	w.write("other/from-other", "x")
	w.git("other", "add", "-A")
	w.git("other", "commit", "-qm", "from another clone")
	w.git("other", "push", "-q")
	theirs := Hash(w.git("other", "rev-parse", "HEAD"))

	next, err := r.Commit(ctx, Commit{Branch: "postrider/ledger", Parent: tip, Files: map[string][]byte{"mine": []byte("m")}, Message: "mine", Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Push(ctx, "origin", "postrider/ledger", tip, next)
	if m, ok := errors.AsType[*MovedError](err); !ok || m.Have != theirs {
		t.Fatalf("push after somebody else: %v, want ErrMoved to %s", err, theirs)
	}
	heads, err := r.Fetch(ctx, "origin", "postrider/ledger", "main", "no-such-branch")
	if err != nil {
		t.Fatal(err)
	}
	if heads["refs/heads/postrider/ledger"] != theirs || heads["refs/heads/no-such-branch"] != Zero || heads["refs/heads/main"] == Zero {
		t.Errorf("heads = %v", heads)
	}
	if got, err := r.Ref("refs/remotes/origin/postrider/ledger"); err != nil || got != theirs {
		t.Errorf("tracking reference = %s, %v; want %s", got, err, theirs)
	}
	if got, err := r.Ref("refs/heads/postrider/ledger"); err != nil || got != next {
		t.Errorf("the local branch moved to %s, %v; want %s", got, err, next)
	}
	tree, err := r.Tree(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := tree.ReadFile("from-other"); err != nil || string(b) != "x" {
		t.Errorf("fetched file = %q, %v", b, err)
	}
	// Re-applied on the new tip it goes through.
	if err := r.SetRef(ctx, "refs/heads/postrider/ledger", next, theirs); err != nil {
		t.Fatal(err)
	}
	again, err := r.Commit(ctx, Commit{Branch: "postrider/ledger", Parent: theirs, Files: map[string][]byte{"mine": []byte("m")}, Message: "mine", Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Push(ctx, "origin", "postrider/ledger", theirs, again); err != nil {
		t.Fatal(err)
	}
	if err := r.Push(ctx, "origin", "postrider/ledger", theirs, again); err != nil {
		t.Errorf("the same push again: %v, want nil", err)
	}
}

func TestOpenRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := Open(w.dir, w.options("")); !errors.Is(err, ErrNoRepository) || !strings.Contains(err.Error(), "git init") {
		t.Errorf("Open outside a repository: %v", err)
	}
	if _, err := Open(w.path("gone"), w.options("")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a folder that is not there: %v", err)
	}
	for _, tc := range []struct{ config, want string }{
		{"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n", "SHA-256"},
		{"[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefstorage = reftable\n", "reftable"},
		{"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialclone = origin\n", "partial clone"},
		{"[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\tpromisor = true\n", "partial clone"},
		{"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tquantum = true\n", "quantum"},
		{"[core]\n\trepositoryformatversion = 7\n", "format 7"},
	} {
		w := newWorld(t)
		w.git("", "init", "-q", "repo")
		w.write("repo/.git/config", tc.config)
		o := w.options("")
		o.Git = NoGit
		_, err := Open(w.path("repo"), o)
		if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want ErrUnsupported that names %q", tc.config, err, tc.want)
		}
	}
	w.git("", "init", "-q", "future")
	w.write("future/.git/config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tquantum = true\n")
	if _, err := Open(w.path("future"), w.options("")); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "quantum") {
		t.Errorf("Open of what git cannot read either: %v", err)
	}
	w.write("broken/.git", "gitdir: ../elsewhere\n")
	if _, err := Open(w.path("broken"), w.options("")); !errors.Is(err, ErrNoRepository) || !strings.Contains(err.Error(), "worktree repair") {
		t.Errorf("Open with a dangling .git file: %v", err)
	}
}

// TestOpenPlaces opens a repository from unusual places.
func TestOpenPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.git("", "clone", "-q", "origin.git", "repo")
	w.git("repo", "worktree", "add", "-q", "-b", "side", "../linked")
	w.git("", "init", "-q", "--separate-git-dir", w.path("apart.git"), "apart")
	w.git("", "init", "-q", "moved")
	if err := os.Mkdir(w.path("elsewhere"), 0o777); err != nil {
		t.Fatal(err)
	}
	w.git("moved", "config", "core.worktree", w.path("elsewhere"))
	if err := os.Symlink(w.path("repo/content"), w.path("link")); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string][2]string{
		"repo/content/posts":         {"repo", "repo/.git"},
		"repo/.git":                  {"repo", "repo/.git"},
		"repo/.git/refs":             {"repo", "repo/.git"},
		"repo/.git/worktrees/linked": {"linked", "repo/.git"},
		"linked/content":             {"linked", "repo/.git"},
		"apart":                      {"apart", "apart.git"},
		"moved":                      {"elsewhere", "moved/.git"},
		"origin.git":                 {"", "origin.git"},
		"link/posts":                 {"repo", "repo/.git"},
	} {
		r := w.open(dir, "")
		root := ""
		if want[0] != "" {
			root = w.path(want[0])
		}
		if r.Root() != root || r.CommonDir() != w.path(want[1]) || r.Backend() != "native" {
			t.Errorf("Open(%q): root %q, common %q; want %q", dir, r.Root(), r.CommonDir(), want)
		}
	}
}

func TestInitAndPrefix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, bare := range []bool{false, true} {
		name := fmt.Sprintf("repo-%t", bare)
		r, err := Init(w.path(name), bare, "trunk")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := r.Commit(t.Context(), Commit{Branch: "trunk", Files: map[string][]byte{"a/b/c.md": []byte("x")}, Message: "m", Time: testTime}); err != nil {
			t.Fatal(err)
		}
		if out, err := w.tryGit(name, "fsck", "--strict"); err != nil {
			t.Errorf("fsck: %v\n%s", err, out)
		}
		if got := w.git(name, "rev-parse", "--abbrev-ref", "HEAD"); got != "trunk" {
			t.Errorf("branch = %q", got)
		}
		if _, err := Init(w.path(name), bare, "trunk"); err == nil {
			t.Error("Init of a repository was accepted")
		}
	}
	r := w.open("repo-false", "")
	if err := os.MkdirAll(w.path("repo-false/a/b"), 0o777); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{"repo-false": "", "repo-false/a/b": "a/b"} {
		if got, err := r.Prefix(w.path(dir)); err != nil || got != want {
			t.Errorf("Prefix(%q) = %q, %v; want %q", dir, got, err, want)
		}
	}
	if _, err := r.Prefix(w.dir); err == nil {
		t.Error("Prefix of a folder outside was accepted")
	}
	sub, err := Open(w.path("repo-false/a/b"), w.options(""))
	if err != nil || sub.Root() != w.path("repo-false") {
		t.Errorf("Open below the top: %v", err)
	}
}

// TestCommitWithoutBranch: the commit is there, and no reference moves.
func TestCommitWithoutBranch(t *testing.T) {
	t.Parallel()
	for _, backend := range bothBackends {
		w := newWorld(t)
		w.origin()
		w.fresh("file://" + w.path("origin.git"))
		r := w.open("repo", backend)
		c := Commit{Files: map[string][]byte{"f": []byte("x")}, Message: "m", Time: testTime}
		first, err := r.Commit(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		c.Parent, c.Files = first, map[string][]byte{"g": []byte("y")}
		second, err := r.Commit(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if refs := w.git("repo", "for-each-ref"); refs != "" {
			t.Errorf("%s: references were made: %s", backend, refs)
		}
		if err := r.Push(t.Context(), "origin", "ledger", Zero, second); err != nil {
			t.Fatal(err)
		}
		if got := w.git("origin.git", "rev-parse", "ledger~1"); got != string(first) {
			t.Errorf("%s: the remote has %s below the tip, want %s", backend, got, first)
		}
	}
}

func TestCommitRefusesBadPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := Init(w.path("repo"), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"", ".", "../x", "/x", "a//b", "a/./b", ".git/config", "a/.GIT/x", "a/.git./x", "git~1/x", `a\b`, "a\x00b"} {
		if _, err := r.Commit(t.Context(), Commit{Branch: "b", Files: map[string][]byte{p: {}}, Message: "m"}); err == nil {
			t.Errorf("path %q was accepted", p)
		}
	}
	for _, b := range []string{"a b", "a..b", "-", "x.lock", "a/", "a~1"} {
		_, err := r.Commit(t.Context(), Commit{Branch: b, Files: map[string][]byte{"f": {}}, Message: "m"})
		if _, gitErr := w.tryGit("repo", "check-ref-format", "refs/heads/"+b); (gitErr == nil) != (err == nil) {
			t.Errorf("branch %q: %v, git says %v", b, err, gitErr)
		}
	}
	if _, err := r.Commit(t.Context(), Commit{Branch: "b", Files: map[string][]byte{"f": {}, "f/g": {}}, Message: "m"}); err == nil {
		t.Error("a file that is a folder too was accepted")
	}
	if _, err := r.Commit(t.Context(), Commit{Branch: "b", Files: map[string][]byte{"f": {}}, Message: " \n"}); err == nil {
		t.Error("an empty message was accepted")
	}
}

// TestEveryObject compares the pack reader with git on every object of a repository with long chains
// of differences, with and without differences to earlier positions.
func TestEveryObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seed()
	for i := range 20 {
		w.write("seed/log.txt", strings.Repeat(fmt.Sprintf("entry %d\n", i), 20)+strings.Repeat("same\n", 900))
		w.git("seed", "add", "-A")
		w.git("seed", "commit", "-qm", fmt.Sprint("edit ", i))
	}
	w.git("seed", "tag", "-am", "a tag", "v1")
	for _, ofs := range []string{"true", "false"} {
		w.git("seed", "-c", "repack.useDeltaBaseOffset="+ofs, "repack", "-adfq", "--depth=60")
		r := w.open("seed", "native")
		out := w.git("seed", "cat-file", "--batch-all-objects", "--batch-check")
		deltas := 0
		for line := range strings.SplitSeq(out, "\n") {
			f := strings.Fields(line)
			kind, data, err := r.back.object(Hash(f[0]))
			if err != nil {
				t.Fatal(err)
			}
			if string(kind) != f[1] || fmt.Sprint(len(data)) != f[2] || r.format.sum(kind, data) != Hash(f[0]) {
				t.Errorf("object %s: got %s of %d bytes", line, kind, len(data))
			}
			deltas++
		}
		if deltas < 60 {
			t.Errorf("only %d objects compared", deltas)
		}
		if got, err := r.Resolve("v1"); err != nil || string(got) != w.git("seed", "rev-parse", "v1^{commit}") {
			t.Errorf("Resolve of an annotated tag = %s, %v", got, err)
		}
		if got, err := r.Resolve("main~3"); err != nil || string(got) != w.git("seed", "rev-parse", "main~3") {
			t.Errorf("Resolve of an expression = %s, %v", got, err)
		}
	}
}

// TestFarOffsets reads through an index with most positions in the table of long ones.
func TestFarOffsets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seed()
	packs, err := filepath.Glob(w.path("seed/.git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	idx := strings.TrimSuffix(packs[0], ".pack") + ".idx"
	if err := os.Remove(idx); err != nil {
		t.Fatal(err)
	}
	w.git("seed", "index-pack", "--index-version=2,0x40", "-o", idx, packs[0])
	r := w.open("seed", "native")
	for line := range strings.Lines(w.git("seed", "cat-file", "--batch-all-objects", "--batch-check")) {
		id := Hash(line[:40])
		kind, data, err := r.back.object(id)
		if err != nil || r.format.sum(kind, data) != id {
			t.Errorf("object %s: %v", id, err)
		}
	}
}

// TestDamagedPack changes every byte of a pack in turn: that is an error or does not matter, but
// never a panic and never another object than the one asked for.
func TestDamagedPack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	for i := range 3 {
		w.write("repo/f", strings.Repeat("the same line again\n", 20)+fmt.Sprint(i))
		w.git("repo", "add", "-A")
		w.git("repo", "commit", "-qm", "m")
	}
	w.git("repo", "repack", "-adq")
	ids := strings.Fields(w.git("repo", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
	packs, err := filepath.Glob(w.path("repo/.git/objects/pack/*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	good, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(packs[0], 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(packs[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	failures := 0
	for i := range good {
		if _, err := f.WriteAt([]byte{good[i] ^ byte(1+i%255)}, int64(i)); err != nil {
			t.Fatal(err)
		}
		s := newObjectStore(sha1Format, w.path("repo/.git/objects"))
		for _, id := range ids {
			if _, _, err := s.object(Hash(id)); err != nil {
				failures++
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(good[i:i+1], int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if failures < len(good)/2 {
		t.Errorf("only %d failures in %d bytes", failures, len(good))
	}
}

// TestConcurrentReads reads everything from many goroutines at once while packs are replaced.
func TestConcurrentReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seed()
	for _, backend := range bothBackends {
		r := w.open("seed", backend)
		ids := strings.Fields(w.git("seed", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"))
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for n := range 3 * len(ids) {
					id := Hash(ids[(n*7+g)%len(ids)])
					kind, data, err := r.back.object(id)
					if err != nil || r.format.sum(kind, data) != id {
						t.Errorf("%s: object %s: %v", backend, id, err)
						return
					}
				}
			})
		}
		w.git("seed", "repack", "-adfq", "--window=1")
		wg.Wait()
	}
}

// TestRepackMeanwhile: a gc that replaces all packs must not be noticed.
func TestRepackMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seed()
	r := w.open("seed", "native")
	_, head, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Tree(head); err != nil {
		t.Fatal(err)
	}
	w.write("seed/new.md", "new")
	w.git("seed", "add", "-A")
	w.git("seed", "commit", "-qm", "new")
	w.git("seed", "repack", "-adfq", "--depth=1")
	w.git("seed", "prune-packed")
	_, head, err = r.Head()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(head)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := tree.ReadFile("new.md"); err != nil || string(b) != "new" {
		t.Errorf("file of a pack that came later = %q, %v", b, err)
	}
}

func TestSymlinksAndModes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	w.write("repo/run.sh", "#!/bin/sh\n")
	if err := os.Chmod(w.path("repo/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../outside", w.path("repo/link.md")); err != nil {
		t.Fatal(err)
	}
	w.git("repo", "add", "-A")
	w.git("repo", "commit", "-qm", "m")
	w.git("repo", "update-index", "--add", "--cacheinfo", "160000,"+w.git("repo", "rev-parse", "HEAD")+",module")
	w.git("repo", "commit", "-qm", "submodule")
	for _, backend := range []string{"native", "git"} {
		r := w.open("repo", backend)
		_, head, err := r.Head()
		if err != nil {
			t.Fatal(err)
		}
		tree, err := r.Tree(head)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := tree.Walk("", func(e Entry) error {
			got = append(got, fmt.Sprintf("%s %s %t", e.Path, e.Mode, e.IsSymlink))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"link.md Lrwxrwxrwx true", "run.sh -rwxr-xr-x false"}, got); d != "" {
			t.Errorf("Walk (-want +got):\n%s", d)
		}
		if _, err := tree.ReadFile("link.md"); err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("a symbolic link was read: %v", err)
		}
		if target, err := fs.ReadLink(tree.FS(), "link.md"); err != nil || target != "../outside" {
			t.Errorf("ReadLink = %q, %v", target, err)
		}
		id, err := r.Commit(t.Context(), Commit{Branch: "main", Parent: head, Files: map[string][]byte{"run.sh": []byte("#!/bin/bash\n")}, Message: "edit", Time: testTime})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.git("repo", "ls-tree", "--format=%(objectmode) %(path)", string(id)); got != "120000 link.md\n160000 module\n100755 run.sh" {
			t.Errorf("modes after an edit:\n%s", got)
		}
		w.git("repo", "update-ref", "refs/heads/main", string(head))
	}
}

// TestFind looks every name up among neighbours that sort around it, as file and as folder.
func TestFind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := Init(w.path("repo"), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, p := range []string{"a", "a-", "a-b/x", "a.b", "a0", "ab/x", "ab.c", "ab0", "b/x", "b-/x", "b.", "b0/x", "é", "z"} {
		files[p] = []byte(p)
	}
	h, err := r.Commit(t.Context(), Commit{Branch: "main", Files: files, Message: "m", Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(h)
	if err != nil {
		t.Fatal(err)
	}
	for p := range files {
		if b, err := tree.ReadFile(p); err != nil || string(b) != p {
			t.Errorf("ReadFile(%q) = %q, %v", p, b, err)
		}
	}
	for _, p := range []string{"", ".", "a-b", "ab", "b", "b-", "b0"} {
		if es, err := tree.Entries(p); err != nil || len(es) == 0 {
			t.Errorf("Entries(%q) = %v, %v", p, es, err)
		}
	}
	for _, p := range []string{"A", "a-b/y", "a/x", "a1", "b.x", "ba", "zz", "\x01", "~"} {
		if id, err := tree.ID(p); err != nil || id != Zero {
			t.Errorf("ID(%q) = %s, %v", p, id, err)
		}
	}
}

func TestIsTracked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	w.write("repo/.env", "SECRET=x")
	for _, o := range []Options{w.options("native"), w.options("git"), {Backend: "native", Git: NoGit}} {
		r, err := Open(w.path("repo"), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, err := r.IsTracked(".env"); err != nil || got {
			t.Errorf("untracked: %v, %v", got, err)
		}
		w.git("repo", "add", ".env")
		if got, err := r.IsTracked(".env"); err != nil || !got {
			t.Errorf("in the index: %v, %v", got, err)
		}
		w.git("repo", "rm", "-q", "--cached", ".env")
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	for _, tc := range []struct {
		env, config string
		git         string
		want        string
	}{
		{"GIT_AUTHOR_NAME=Env", "[user]\n\tname = Conf\n\temail = conf@x\n", "", "Env conf@x"},
		{"", "[user]\n\tname = Conf\n\temail = conf@x\n", "", "Conf conf@x"},
		{"", "[user]\n\tname = Conf\n\temail = conf@x\n", NoGit, "Conf conf@x"},
		{"", "", "", "Postrider postrider@localhost"},
	} {
		w.write("gitconfig", tc.config)
		env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + w.path("gitconfig"), tc.env}
		o := Options{Environ: env, Git: tc.git, Env: (&world{env: env}).getenv}
		r, err := Open(w.path("repo"), o)
		if err != nil {
			t.Fatal(err)
		}
		if n, e := r.Identity(t.Context()); n+" "+e != tc.want {
			t.Errorf("%+v: Identity = %q %q", tc, n, e)
		}
	}
}

func TestRemotes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.git("", "clone", "-q", "origin.git", "repo")
	for _, backend := range []string{"native", "git"} {
		r := w.open("repo", backend)
		rs, err := r.Remotes()
		if err != nil || len(rs) != 1 || rs[0].Name != "origin" || rs[0].URL != w.path("origin.git") {
			t.Errorf("Remotes = %+v, %v", rs, err)
		}
		if n, ok, err := r.DefaultRemote(); n != "origin" || !ok || err != nil {
			t.Errorf("DefaultRemote = %q, %v, %v", n, ok, err)
		}
		if b, err := r.RemoteBranch(t.Context(), "origin", false); b != "main" || err != nil {
			t.Errorf("RemoteBranch = %q, %v", b, err)
		}
	}
	r := w.open("repo", "native")
	if err := r.AddRemote("back up", "x"); err == nil {
		t.Error("a bad remote name was accepted")
	}
	if err := r.AddRemote("backup", `https://ada:secret@example.org/a "b".git`); err != nil {
		t.Fatal(err)
	}
	if got := w.git("repo", "remote", "get-url", "backup"); got != `https://ada:secret@example.org/a "b".git` {
		t.Errorf("git sees %q", got)
	}
	rs, err := w.open("repo", "native").Remotes()
	if err != nil || len(rs) != 2 || strings.Contains(fmt.Sprintf("%+v %#v", rs, rs), "ada") {
		t.Errorf("Remotes = %+v, %v", rs, err)
	}
	if _, err := r.Fetch(t.Context(), "nobody", "main"); !errors.Is(err, ErrNoRemote) {
		t.Errorf("Fetch of an unknown remote: %v", err)
	}
	if _, err := r.Fetch(t.Context(), "origin", "refs/heads/main:refs/heads/main"); err == nil {
		t.Error("a fetch into a local branch was accepted")
	}
	o := w.options("native")
	o.Git = NoGit
	noGit, err := Open(w.path("repo"), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := noGit.Fetch(t.Context(), "origin", "main"); !errors.Is(err, ErrNoGit) {
		t.Errorf("Fetch of a folder without git: %v, want ErrNoGit", err)
	}
}

// noSleep is a sleep that does not, and counts.
func noSleep(n *int) func(context.Context, time.Duration) error {
	return func(ctx context.Context, _ time.Duration) error { *n++; return ctx.Err() }
}

func TestLocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.git("", "clone", "-q", "origin.git", "repo")
	lock := w.path("repo/.git/refs/heads/ledger.lock")
	for _, backend := range []string{"native", "git"} {
		o := w.options(backend)
		waits := 0
		o.Sleep = noSleep(&waits)
		o.Now = func() time.Time { return time.Now().Add(time.Hour) }
		r, err := Open(w.path("repo"), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w.write("repo/.git/refs/heads/ledger.lock", "")
		c := Commit{Branch: "ledger", Files: map[string][]byte{"f": []byte(backend)}, Message: "m", Time: testTime}
		_, err = r.Commit(t.Context(), c)
		l, ok := errors.AsType[*LockedError](err)
		if !ok || !errors.Is(err, ErrLocked) || l.Path != lock || l.Age < 50*time.Minute || waits != len(lockWaits) {
			t.Errorf("%s: %v after %d waits, want ErrLocked", backend, err, waits)
		}
		if _, err := os.Stat(lock); err != nil {
			t.Errorf("%s: somebody else's lock is gone: %v", backend, err)
		}
		// A lock that goes away while we wait is no problem.
		o.Sleep = func(context.Context, time.Duration) error { return os.Remove(lock) }
		patient, err := Open(w.path("repo"), o)
		if err != nil {
			t.Fatal(err)
		}
		defer patient.Close()
		if _, err := patient.Commit(t.Context(), c); err != nil {
			t.Errorf("%s: %v", backend, err)
		}
		if _, err := os.Stat(lock); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: our lock is left behind: %v", backend, err)
		}
		w.git("repo", "update-ref", "-d", "refs/heads/ledger")
	}
}

func TestReferenceClashes(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"native", "git"} {
		for _, pack := range []bool{false, true} {
			w := newWorld(t)
			w.origin()
			w.git("", "clone", "-q", "origin.git", "repo")
			w.git("repo", "branch", "postrider")
			w.git("repo", "branch", "deep/er/branch")
			if pack {
				w.git("repo", "pack-refs", "--all")
			}
			r := w.open("repo", backend)
			for _, b := range []string{"postrider/ledger", "deep", "deep/er"} {
				_, err := r.Commit(t.Context(), Commit{Branch: b, Files: map[string][]byte{"f": {}}, Message: "m"})
				if err == nil {
					t.Errorf("%s, packed %t: branch %q was made", backend, pack, b)
				}
			}
			w.git("repo", "branch", "-D", "deep/er/branch")
			if err := os.MkdirAll(w.path("repo/.git/refs/heads/deep/er"), 0o777); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Commit(t.Context(), Commit{Branch: "deep", Files: map[string][]byte{"f": {}}, Message: "m"}); err != nil {
				t.Errorf("%s, packed %t: empty folders are in the way: %v", backend, pack, err)
			}
		}
	}
}

// TestCommitRace lets several Repos, as separate processes would, fight for one branch: exactly one
// wins each round, and the history is a line.
func TestCommitRace(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"native", "git", "mixed"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.git("", "init", "-q", "repo")
			const racers, rounds = 4, 5
			var repos []*Repo
			for i := range racers {
				b := backend
				if b == "mixed" {
					b = []string{"native", "git"}[i%2]
				}
				repos = append(repos, w.open("repo", b))
			}
			tip := Zero
			for round := range rounds {
				type result struct {
					h   Hash
					err error
				}
				results := make(chan result, 2*racers)
				for i := range 2 * racers { // two goroutines on each Repo
					go func() {
						h, err := repos[i%racers].Commit(t.Context(), Commit{
							Branch: "ledger", Parent: tip, Message: fmt.Sprint("round ", round), Time: testTime,
							Files: map[string][]byte{"f": fmt.Appendf(nil, "%d by %d", round, i)},
						})
						results <- result{h, err}
					}()
				}
				won := Zero
				for range 2 * racers {
					switch res := <-results; {
					case res.err == nil && won == Zero:
						won = res.h
					case res.err == nil:
						t.Errorf("round %d: two winners", round)
					case !errors.Is(res.err, ErrMoved):
						t.Errorf("round %d: %v, want ErrMoved", round, res.err)
					}
				}
				if got := Hash(w.git("repo", "rev-parse", "ledger")); got != won || won == Zero {
					t.Fatalf("round %d: branch at %s, winner %s", round, got, won)
				}
				tip = won
			}
			if got := w.git("repo", "rev-list", "--count", "ledger"); got != fmt.Sprint(rounds) {
				t.Errorf("%s commits, want %d", got, rounds)
			}
		})
	}
}

// crashDir names the repository in which a child process commits until it is killed.
const crashDir = "GITREPO_TEST_CRASH_DIR"

func commitForever(dir string) {
	r, err := Open(dir, Options{Git: NoGit})
	for n := 0; err == nil; n++ {
		var tip Hash
		if tip, err = r.Ref("refs/heads/ledger"); err == nil {
			_, err = r.Commit(context.Background(), Commit{
				Branch: "ledger", Parent: tip, Message: "m", Time: testTime,
				Files: map[string][]byte{fmt.Sprintf("%d/%d", n%3, n%7): fmt.Appendf(nil, "%d after %s", n, tip)},
			})
			fmt.Println(n)
		}
	}
	fmt.Println(err)
	os.Exit(1)
}

// TestKilled kills a process that commits, at any moment: the branch is whole, and the next process
// goes on.
func TestKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := Init(w.path("repo"), false, "main"); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashDir+"="+w.path("repo"))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 3 + i {
			if !lines.Scan() || strings.Contains(lines.Text(), " ") {
				t.Errorf("the child says %q", lines.Text())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait() //nolint:errcheck // it was killed
		if out, err := w.tryGit("repo", "fsck", "--strict", "--full"); err != nil {
			t.Fatalf("fsck: %v\n%s", err, out)
		}
		w.git("repo", "log", "--stat", "ledger")
	}
}

func TestNotWritable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	w.git("", "clone", "-q", "origin.git", "repo")
	for _, backend := range []string{"native", "git"} {
		r := w.open("repo", backend)
		_, head, err := r.Head()
		if err != nil {
			t.Fatal(err)
		}
		// A file where a folder of objects should be stops everybody, root too.
		var blocked []string
		for i := range 256 {
			p := fmt.Sprintf("repo/.git/objects/%02x", i)
			if _, err := os.Lstat(w.path(p)); errors.Is(err, fs.ErrNotExist) {
				w.write(p, "")
				blocked = append(blocked, p)
			}
		}
		_, err = r.Commit(t.Context(), Commit{Branch: "ledger", Files: map[string][]byte{"f": []byte(backend)}, Message: "m", Time: testTime})
		if !errors.Is(err, ErrNotWritable) || !strings.Contains(err.Error(), "objects") {
			t.Errorf("%s: %v, want ErrNotWritable that names the place", backend, err)
		}
		for _, p := range blocked {
			if err := os.Remove(w.path(p)); err != nil {
				t.Fatal(err)
			}
		}
		if h, err := r.Ref("refs/heads/ledger"); err != nil || h != Zero {
			t.Errorf("the branch was made: %s, %v", h, err)
		}
		if out, err := w.tryGit("repo", "fsck", "--strict"); err != nil || string(head) != w.git("repo", "rev-parse", "HEAD") {
			t.Errorf("repository is damaged: %v\n%s", err, out)
		}
		w.noTemps("repo")
	}
}

func TestDamagedObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	r := w.open("repo", "native")
	id, err := r.Commit(t.Context(), Commit{Branch: "main", Files: map[string][]byte{"f": bytes.Repeat([]byte("text "), 500)}, Message: "m", Time: testTime})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.path("repo/.git/objects"), string(id[:2]), string(id[2:]))
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for i := range len(good) { // truncated anywhere
		if err := os.WriteFile(file, good[:i], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.CommitInfo(id); err == nil {
			t.Fatalf("a commit cut off at %d of %d bytes was read", i, len(good))
		}
	}
	if _, err := r.CommitInfo(Hash(strings.Repeat("1", 40))); !errors.Is(err, errMissing) {
		t.Errorf("missing object: %v", err)
	}
}
