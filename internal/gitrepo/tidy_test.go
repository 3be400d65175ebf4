package gitrepo

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestTidy fetches so often that packs pile up, and has them put together.
func TestTidy(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	remote, err := Init(filepath.Join(dir, "remote.git"), true, "main")
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	here, err := Init(filepath.Join(dir, "here"), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	if err := here.AddRemote("origin", filepath.Join(dir, "remote.git")); err != nil {
		t.Fatal(err)
	}
	here.Close()
	if here, err = Open(filepath.Join(dir, "here"), Options{Env: os.Getenv}); err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	packs := func() int {
		files, err := filepath.Glob(filepath.Join(dir, "here", ".git", "objects", "pack", "*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	var tip Hash
	for i := range manyPacks + 2 {
		tip, err = remote.Commit(ctx, Commit{Branch: "main", Parent: tip, Files: map[string][]byte{"a": fmt.Append(nil, i)}, Message: "more", Name: "A", Email: "a@example.com", Time: time.Unix(1e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := here.Fetch(ctx, "origin", "main"); err != nil {
			t.Fatal(err)
		}
		if i < manyPacks {
			here.Tidy(ctx)
			if packs() != i+1 {
				t.Fatalf("%d packs after %d fetches: either git unpacked one, or they are put together too early", packs(), i+1)
			}
		}
	}
	here.Tidy(ctx)
	if n := packs(); n > 2 {
		t.Errorf("%d packs are left", n)
	}
	tree, err := here.Tree(tip)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := tree.ReadFile("a"); err != nil || string(b) != fmt.Sprint(manyPacks+1) {
		t.Errorf("the file says %q, %v", b, err)
	}
}
