package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// as commits everything in a folder in somebody's name.
func (w *world) as(name, dir string, args ...string) {
	w.t.Helper()
	w.git(dir, "add", "-A")
	w.git(dir, append([]string{"-c", "user.name=" + name, "commit", "-q", "--author", name + " <" + strings.ToLower(name) + "@example.org>", "-m", "m"}, args...)...)
}

func (w *world) wantAuthors(dir, rev, below string, want map[string]string) {
	w.t.Helper()
	for _, backend := range bothBackends {
		r := w.open(dir, backend)
		at, err := r.Resolve(rev)
		if err != nil {
			w.t.Fatal(err)
		}
		got, err := r.Authors(w.t.Context(), at, below)
		if err != nil {
			w.t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			w.t.Errorf("%s, %s at %s (-want +got):\n%s", backend, below, rev, diff)
		}
	}
}

func TestAuthors(t *testing.T) {
	w := newWorld(t)
	w.git("", "init", "-q", "site")
	w.write("site/content/a.md", "a")
	w.write("site/content/2025/b.md", "b")
	w.write("site/site.yaml", "x")
	w.as("Ada", "site")
	w.write("site/content/a.md", "a, edited")
	w.write("site/content/c.md", "c")
	w.as("Bob", "site")
	w.wantAuthors("site", "main", "content", map[string]string{"content/a.md": "Ada", "content/2025/b.md": "Ada", "content/c.md": "Bob"})

	// Moved without a change, alone and with its folder; moved with one; gone and back.
	w.git("site", "mv", "content/2025", "content/2026")
	w.git("site", "mv", "content/a.md", "content/moved.md")
	w.as("Cy", "site")
	w.git("site", "mv", "content/c.md", "content/other.md")
	w.write("site/content/other.md", "quite another text")
	w.as("Cy", "site")
	w.git("site", "rm", "-q", "content/moved.md")
	w.as("Cy", "site")
	w.write("site/content/moved.md", "a, edited")
	w.as("Dee", "site")
	main := map[string]string{"content/moved.md": "Dee", "content/2026/b.md": "Ada", "content/other.md": "Cy"}
	w.wantAuthors("site", "main", "content", main)
	w.wantAuthors("site", "main", "content/2026", map[string]string{"content/2026/b.md": "Cy"}) // it came from outside
	w.wantAuthors("site", "main", "nowhere", map[string]string{})

	// Branches: merged, with a branch of their own, with a move, and with a file that only the merge has.
	w.git("site", "checkout", "-q", "-b", "one")
	w.write("site/content/one.md", "one")
	w.as("Eve", "site")
	w.git("site", "checkout", "-q", "-b", "two")
	w.write("site/content/two.md", "two")
	w.git("site", "mv", "content/2026/b.md", "content/2026/bb.md")
	w.as("Fay", "site")
	w.git("site", "checkout", "-q", "main")
	w.write("site/content/main.md", "main")
	w.as("Gus", "site")
	w.git("site", "merge", "-q", "--no-ff", "--no-commit", "two")
	w.write("site/content/merge.md", "merge")
	w.as("Hal", "site")
	maps.Copy(main, map[string]string{"content/one.md": "Eve", "content/two.md": "Fay", "content/main.md": "Gus", "content/merge.md": "Hal", "content/2026/bb.md": "Ada"})
	delete(main, "content/2026/b.md")
	w.wantAuthors("site", "main", "content", main)
	main["site.yaml"] = "Ada"
	w.wantAuthors("site", "main", "", main)

	// Two files that swap their names, and a folder in place of a file.
	w.git("site", "mv", "content/one.md", "content/x")
	w.git("site", "mv", "content/two.md", "content/one.md")
	w.git("site", "mv", "content/x", "content/two.md")
	w.git("site", "mv", "content/main.md", "content/y")
	w.write("site/content/main.md/index.md", "index")
	w.as("Ida", "site")
	maps.Copy(main, map[string]string{"content/y": "Gus", "content/main.md/index.md": "Ida"})
	delete(main, "content/main.md")
	w.wantAuthors("site", "main", "", main) // those that swapped: both names were there before

	// A shallow clone does not know who came before.
	w.git("", "clone", "-q", "--depth", "1", "file://"+w.path("site"), "shallow")
	w.write("shallow/content/late.md", "late")
	w.as("Jo", "shallow")
	w.wantAuthors("shallow", "main", "content", map[string]string{"content/late.md": "Jo"})
}

func TestAuthorsErrors(t *testing.T) {
	w := newWorld(t)
	w.git("", "init", "-q", "site")
	w.write("site/content/a.md", "a")
	w.as("Ada", "site")
	r := w.open("site", "native")
	if got, err := r.Authors(t.Context(), Zero, "content"); err != nil || len(got) != 0 {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	if _, err := r.Authors(t.Context(), Hash(strings.Repeat("1", 40)), "content"); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a commit that is not there: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, head, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Authors(ended, head, "content"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// TestAuthorsAgree compares with git log on random histories without moves: the last commit that added a path wins.
func TestAuthorsAgree(t *testing.T) {
	w := newWorld(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	w.git("", "init", "-q", "site")
	for i := range 30 {
		for range 1 + rnd.IntN(4) {
			name := fmt.Sprintf("site/content/%d/%d/%d.md", rnd.IntN(3), rnd.IntN(3), rnd.IntN(4))
			if rnd.IntN(3) == 0 {
				os.Remove(w.path(name))
			} else {
				w.write(name, fmt.Sprint(i, rnd.Uint64()))
			}
		}
		w.as(fmt.Sprintf("P%d", i), "site", "--allow-empty")
	}
	want := map[string]string{}
	for name := range strings.FieldsSeq(w.git("site", "ls-files")) {
		want[name] = w.git("site", "log", "-1", "--no-renames", "--diff-filter=A", "--format=%an", "--", name)
	}
	w.wantAuthors("site", "main", "content", want)
}

// BenchmarkAuthors goes through 5,000 commits of a site with 12,250 posts, of which half were there at the start.
func BenchmarkAuthors(b *testing.B) {
	w := newWorld(b)
	w.git("", "init", "-q", "--bare", "big.git")
	var in bytes.Buffer
	file := func(i int, text string) {
		fmt.Fprintf(&in, "M 100644 inline content/%d/%02d/%06d-a-post.md\ndata %d\n%s\n", 2024+i%3, i/3%12+1, i, len(text), text)
	}
	next := 0
	for c := range 5_000 {
		fmt.Fprintf(&in, "commit refs/heads/main\nauthor P%d <p@example.org> %d +0100\ncommitter Ada <ada@example.org> %d +0100\ndata 4\nedit\n", c%50, 1_700_000_000+c, 1_700_000_000+c)
		for ; next < 6_000+c*5/4; next++ {
			file(next, fmt.Sprint("post ", next))
		}
		file(c*31%next, fmt.Sprint("edit ", c))
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = w.path("big.git"), w.env, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("fast-import: %v\n%s", err, out)
	}
	w.git("big.git", "repack", "-adq")
	r := openFor(b, "big.git", "native", w)
	defer r.Close()
	_, head, err := r.Head()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got, err := r.Authors(b.Context(), head, "content")
		if err != nil || len(got) != next {
			b.Fatal(len(got), err)
		}
	}
}
