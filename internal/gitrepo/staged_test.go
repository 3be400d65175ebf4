package gitrepo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStaged compares the content of the index with the tree that git would commit, in every layout.
func TestStaged(t *testing.T) {
	t.Parallel()
	forEachLayout(t, func(t *testing.T, w *world, r *Repo, bare, _ bool) {
		t.Helper()
		if bare {
			if _, err := r.Staged(t.Context()); !errors.Is(err, ErrNoWorkTree) {
				t.Errorf("%v: want ErrNoWorkTree", err)
			}
			return
		}
		w.write("blob", "staged\n")
		blob := w.git("repo", "hash-object", "-w", w.path("blob"))
		for _, p := range []string{"content/new.md", "content/new/index.md", "content/new-er.md", "a b\u00e9.md", "z"} {
			w.git("repo", "update-index", "--add", "--cacheinfo", "100644,"+blob+","+p)
		}
		w.git("repo", "update-index", "--add", "--cacheinfo", "120000,"+blob+",content/link.md")
		w.git("repo", "update-index", "--add", "--cacheinfo", "160000,"+blob+",module")
		tree, err := r.Staged(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := w.git("repo", "write-tree"); string(tree.Root()) != want {
			t.Errorf("the tree is %s, want %s", tree.Root(), want)
		}
	})
}

// TestStagedStates are the states in which people commit.
func TestStagedStates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		do   func(w *world)
		want map[string]string // by path below content: what the commit will have; "" for a file that it will not
	}{
		{"as committed", func(*world) {}, map[string]string{"a.md": "a\n", "b.md": "b\n"}},
		{"edited, not staged", func(w *world) { w.write("repo/content/a.md", "work\n") }, map[string]string{"a.md": "a\n"}},
		{"staged, then edited", func(w *world) {
			w.write("repo/content/a.md", "staged\n")
			w.git("repo", "add", "content/a.md")
			w.write("repo/content/a.md", "work\n")
		}, map[string]string{"a.md": "staged\n"}},
		{"renamed", func(w *world) { w.git("repo", "mv", "content/a.md", "content/c.md") }, map[string]string{"a.md": "", "c.md": "a\n"}},
		{"deleted", func(w *world) { w.git("repo", "rm", "-q", "content/a.md") }, map[string]string{"a.md": "", "b.md": "b\n"}},
		{"deleted from the index alone", func(w *world) { w.git("repo", "rm", "-q", "--cached", "content/a.md") }, map[string]string{"a.md": ""}},
		{"announced", func(w *world) {
			w.write("repo/content/new.md", "new\n")
			w.git("repo", "add", "-N", "content/new.md")
		}, map[string]string{"new.md": "", "a.md": "a\n"}},
		{"empty, not announced", func(w *world) {
			w.write("repo/content/new.md", "")
			w.git("repo", "add", "content/new.md")
		}, map[string]string{"new.md": "\x00empty"}},
		{"announced, in version 4", func(w *world) {
			w.write("repo/content/new.md", "new\n")
			w.git("repo", "add", "-N", "content/new.md")
			w.git("repo", "update-index", "--index-version", "4")
		}, map[string]string{"new.md": "", "a.md": "a\n", "b.md": "b\n"}},
		{"announced, in a split index", func(w *world) {
			w.git("repo", "update-index", "--split-index")
			w.write("repo/content/new.md", "new\n")
			w.git("repo", "add", "-N", "content/new.md")
		}, map[string]string{"new.md": "", "a.md": "a\n"}},
		{"a folder that was a file", func(w *world) {
			w.git("repo", "rm", "-q", "content/a.md")
			w.write("repo/content/a.md/index.md", "in\n")
			w.git("repo", "add", "content/a.md/index.md")
		}, map[string]string{"a.md/index.md": "in\n"}},
		{"without a checksum", func(w *world) {
			w.git("repo", "config", "index.skipHash", "true")
			w.write("repo/content/a.md", "staged\n")
			w.git("repo", "add", "content/a.md")
		}, map[string]string{"a.md": "staged\n"}},
		{"nothing", func(w *world) { w.git("repo", "rm", "-q", "-r", "--cached", ".") }, map[string]string{"a.md": ""}},
		{"no index", func(w *world) {
			if err := os.Remove(w.path("repo/.git/index")); err != nil {
				w.t.Fatal(err)
			}
		}, map[string]string{"a.md": ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.git("", "init", "-q", "repo")
			w.write("repo/content/a.md", "a\n")
			w.write("repo/content/b.md", "b\n")
			w.git("repo", "add", ".")
			w.git("repo", "commit", "-qm", "first")
			tc.do(w)
			tree, err := w.open("repo", "native").Staged(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := tree.Root()
			if got == Zero { // git has an object for nothing
				got = sha1Format.sum(kindTree, nil)
			}
			if want := w.git("repo", "write-tree"); string(got) != want {
				t.Errorf("the tree is %q, want %q", got, want)
			}
			names, err := tree.Names("content")
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range tc.want {
				b, err := fs.ReadFile(tree.FS(), "content/"+name)
				switch {
				case want == "" && !errors.Is(err, fs.ErrNotExist):
					t.Errorf("%s: %q, %v; want it to be absent from %q", name, b, err, names)
				case want == "\x00empty" && (err != nil || len(b) > 0), want != "" && want != "\x00empty" && string(b) != want:
					t.Errorf("%s: %q, %v; want %q", name, b, err, want)
				}
			}
		})
	}
}

func TestStagedConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	w.write("repo/a.md", "base\n")
	w.write("repo/b.md", "base\n")
	w.git("repo", "add", ".")
	w.git("repo", "commit", "-qm", "base")
	w.git("repo", "checkout", "-q", "-b", "side")
	w.write("repo/a.md", "side\n")
	w.write("repo/b.md", "side\n")
	w.git("repo", "commit", "-qam", "side")
	w.git("repo", "checkout", "-q", "main")
	w.write("repo/a.md", "main\n")
	w.write("repo/b.md", "main\n")
	w.git("repo", "commit", "-qam", "main")
	if _, err := w.tryGit("repo", "merge", "-q", "side"); err == nil {
		t.Fatal("the merge has no conflict")
	}
	for _, split := range []string{"--no-split-index", "--split-index"} {
		w.git("repo", "update-index", split)
		_, err := w.open("repo", "native").Staged(t.Context())
		unmerged, ok := errors.AsType[*UnmergedError](err)
		if !ok || !errors.Is(err, ErrUnmerged) {
			t.Fatalf("%s: %v: want ErrUnmerged", split, err)
		}
		if diff := cmp.Diff([]string{"a.md", "b.md"}, unmerged.Paths); diff != "" {
			t.Error(split, diff)
		}
	}
	w.write("repo/a.md", "both\n")
	w.write("repo/b.md", "both\n")
	w.git("repo", "add", ".")
	tree, err := w.open("repo", "native").Staged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b, err := tree.ReadFile("a.md"); string(b) != "both\n" {
		t.Errorf("%q, %v: want what was settled", b, err)
	}
}

// TestStagedInHook proves that within a hook the index of the commit at hand is read, which is another one for git commit -a and for
// git commit PATH.
func TestStagedInHook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	w.write("repo/a.md", "a\n")
	w.write("repo/b.md", "b\n")
	w.git("repo", "add", ".")
	w.git("repo", "commit", "-qm", "first")
	w.write("hooks/pre-commit", "#!/bin/sh\necho \"$GIT_INDEX_FILE\" >\"$OUT\"\ncp \"$GIT_INDEX_FILE\" \"$OUT.index\"\n")
	if err := os.Chmod(w.path("hooks/pre-commit"), 0o755); err != nil { //nolint:gosec // git runs what is executable
		t.Fatal(err)
	}
	w.git("repo", "config", "core.hooksPath", w.path("hooks"))
	for i, args := range [][]string{{"commit", "-qam", "all"}, {"commit", "-qm", "one", "b.md"}} {
		w.write("repo/a.md", "a "+args[1]+"\n")
		w.write("repo/b.md", "b "+args[1]+"\n")
		out := w.path("out")
		w.env = append(w.env, "OUT="+out)
		w.git("repo", args...)
		b, err := os.ReadFile(out)
		if err != nil || len(b) < 2 {
			t.Fatalf("%q, %v: the hook did not run", b, err)
		}
		outer := w.env
		w.env = append(w.env, "GIT_INDEX_FILE="+out+".index")
		tree, err := w.open("repo", "native").Staged(t.Context())
		w.env = outer
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(tree.Root()), w.git("repo", "rev-parse", "HEAD^{tree}"); got != want {
			t.Errorf("commit %d, index %q: the tree is %s, want %s", i, b, got, want)
		}
	}
}

func TestHooksDir(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.git("", "init", "-q", "repo")
	w.write("repo/a.md", "a\n")
	w.git("repo", "add", ".")
	w.git("repo", "commit", "-qm", "first")
	w.git("repo", "worktree", "add", "-q", "../linked")
	check := func(dir, want string, own bool) {
		t.Helper()
		for _, backend := range []string{"native", "git"} {
			got, isOwn, err := w.open(dir, backend).HooksDir(t.Context())
			if err != nil || got != w.path(want) || isOwn != own {
				t.Errorf("%s, %s: %q, %v, %v; want %q, %v", dir, backend, got, isOwn, err, w.path(want), own)
			}
		}
	}
	check("repo", "repo/.git/hooks", true)
	check("linked", "repo/.git/hooks", true)
	w.git("repo", "config", "core.hooksPath", ".githooks")
	check("repo", "repo/.githooks", true)
	check("linked", "linked/.githooks", true)
	w.git("repo", "config", "core.hooksPath", w.path("elsewhere"))
	check("repo", "elsewhere", true)
	w.git("repo", "config", "--unset", "core.hooksPath")
	w.git("repo", "config", "--global", "core.hooksPath", "~/all")
	check("repo", "all", false)
}

// FuzzStaged: no input makes the parser panic, and what it accepts makes a tree or a clear error.
func FuzzStaged(f *testing.F) {
	w := newWorld(f)
	w.git("", "init", "-q", "repo")
	w.write("repo/content/a.md", "a\n")
	w.write("repo/content/b.md", "b\n")
	w.git("repo", "add", ".")
	w.write("repo/content/c.md", "c\n")
	w.git("repo", "add", "-N", "content/c.md")
	for _, version := range []string{"2", "4"} {
		w.git("repo", "-c", "index.skipHash=true", "update-index", "--index-version", version, "--force-write-index")
		b, err := os.ReadFile(filepath.Join(w.path("repo"), ".git", "index"))
		if err != nil {
			f.Fatal(err)
		}
		copy(b[len(b)-sha1Format.size:], make([]byte, sha1Format.size))
		f.Add(b)
	}
	f.Add([]byte("DIRC"))
	r := w.open("repo", "native")
	f.Fuzz(func(_ *testing.T, b []byte) {
		if entries, err := parseIndex(b, sha1Format); err == nil {
			stagedTree(r, entries) //nolint:errcheck // a tree, or what is wrong
		}
		parseRawDiff(b) //nolint:errcheck // entries, or what is wrong
	})
}
