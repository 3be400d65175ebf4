package pictures_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/pictures"
)

// remote is a repository that pictures are pushed to.
type remote struct {
	t   *testing.T
	dir string
}

func newRemote(t *testing.T) *remote {
	t.Helper()
	r := &remote{t, filepath.Join(t.TempDir(), "remote.git")}
	repo, err := gitrepo.Init(r.dir, true, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *remote) git(args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", append([]string{"-C", r.dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+r.dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// files are the paths on the branch, but for those that are always there.
func (r *remote) files() string {
	r.t.Helper()
	var list []string
	for _, name := range strings.Fields(r.git("ls-tree", "-r", "--name-only", pictures.DefaultBranch)) {
		if name != "README.md" && name != "drawn.json" {
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

// clone opens a clone of the remote, as a job has one, at a time.
func (r *remote) clone(at time.Time) *pictures.Branch {
	r.t.Helper()
	repo, err := gitrepo.Init(r.t.TempDir(), false, "main")
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { repo.Close() }) //nolint:errcheck // only the remote is looked at
	if err := repo.AddRemote("origin", r.dir); err != nil {
		r.t.Fatal(err)
	}
	return &pictures.Branch{Repo: repo, Remote: "origin", Name: pictures.DefaultBranch, Now: at}
}

func put(t *testing.T, b *pictures.Branch, pull int, names ...string) {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range names {
		files[name] = []byte("picture " + name)
	}
	paths, err := b.Put(t.Context(), pull, files)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if want := fmt.Sprintf("%d/%s", pull, name); paths[name] != want {
			t.Errorf("%q is at %q, want %q", name, paths[name], want)
		}
	}
}

func TestPut(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	b := r.clone(now)
	put(t, b, 7, "a.png", "b.png")
	put(t, r.clone(now), 8, "c.png")
	if got := r.files(); got != "7/a.png 7/b.png 8/c.png" {
		t.Errorf("%s", got)
	}
	tip := r.git("rev-parse", pictures.DefaultBranch)
	put(t, b, 8, "c.png")
	if got := r.git("rev-parse", pictures.DefaultBranch); got != tip {
		t.Error("the same pictures are another commit")
	}
	put(t, b, 7, "b.png", "d.png")
	if got := r.files(); got != "7/b.png 7/d.png 8/c.png" {
		t.Errorf("those of before are not gone: %s", got)
	}
	if n := r.git("rev-list", "--count", pictures.DefaultBranch); n != "1" {
		t.Errorf("the branch has %s commits", n)
	}

	// What is old goes, and what is too much.
	put(t, r.clone(now.AddDate(0, 0, 40)), 9, "e.png")
	put(t, r.clone(now.AddDate(0, 0, 61)), 10, "f.png")
	if got := r.files(); got != "10/f.png 9/e.png" {
		t.Errorf("%s", got)
	}
	later := r.clone(now.AddDate(0, 0, 62))
	for pull := 100; pull < 130; pull++ {
		put(t, later, pull, "x.png")
	}
	if n := len(strings.Fields(r.files())); n != 30 {
		t.Errorf("pictures of %d pull requests are kept", n)
	}
}

// TestPutTogether: jobs of several pull requests at once, none of which loses its pictures.
func TestPutTogether(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	put(t, r.clone(now), 1, "a.png")
	const jobs = 4
	var wg sync.WaitGroup
	errs := make([]error, jobs)
	for i := range jobs {
		b := r.clone(now)
		wg.Go(func() { _, errs[i] = b.Put(t.Context(), 2+i, map[string][]byte{"a.png": {byte(i)}}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := r.files(); got != "1/a.png 2/a.png 3/a.png 4/a.png 5/a.png" {
		t.Errorf("%s", got)
	}
}

// TestPutIsNoDanger: a branch that holds something else is left alone, and a remote that refuses says so.
func TestPutIsNoDanger(t *testing.T) {
	t.Parallel()
	r := newRemote(t)
	b := r.clone(now)
	work, err := b.Repo.Commit(t.Context(), gitrepo.Commit{Branch: "main", Files: map[string][]byte{"thesis.md": []byte("x")}, Message: "years of work", Name: "Ada", Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Repo.Push(t.Context(), "origin", "main", gitrepo.Zero, work); err != nil {
		t.Fatal(err)
	}
	b.Name = "main"
	if _, err := b.Put(t.Context(), 7, map[string][]byte{"a.png": nil}); !errors.Is(err, pictures.ErrNotOurs) {
		t.Errorf("%v, want %v", err, pictures.ErrNotOurs)
	}
	if got := r.git("rev-parse", "main"); got != string(work) {
		t.Errorf("main is at %s", got)
	}

	b.Name = pictures.DefaultBranch
	put(t, b, 7, "a.png")
	r.git("config", "receive.denyNonFastForwards", "true")
	if _, err := b.Put(t.Context(), 8, map[string][]byte{"a.png": []byte("x")}); !errors.Is(err, gitrepo.ErrRefused) {
		t.Errorf("%v, want %v", err, gitrepo.ErrRefused)
	}
}
