package agenda

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/config"
)

// TestOutlines proves that outlines are the same with and without a cache, and after a post has changed; site.yaml may have errors.
func TestOutlines(t *testing.T) {
	f := newFixture(t, map[string]string{
		"site.yaml":    siteFile + "nonsense: true\n",
		"content/a.md": "---\nid: a1\nmedia: [{file: gone.png, alt: Gone}]\n---\nHello\n",
		"content/b.md": "---\nid: b1\n---\nHello ![there](pictures/b.png)\n",
		"content/c.md": "---\nid: [\n---\n",
	})
	outlines := func() []Outline {
		t.Helper()
		tree, err := f.repo.Tree(f.tip())
		if err != nil {
			t.Fatal(err)
		}
		cfg, _ := config.Parse(config.File, []byte(siteFile), f.o.Registry)
		list, err := Outlines(t.Context(), f.o, tree, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	want := []Outline{
		{Path: "content/a.md", ID: "a1", Files: []string{"content/gone.png"}},
		{Path: "content/b.md", ID: "b1", Files: []string{"content/pictures/b.png"}},
		{Path: "content/c.md", ID: "c"},
	}
	for range 2 {
		if diff := cmp.Diff(want, outlines()); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := os.Stat(filepath.Join(f.o.CacheDir, cacheFile)); err != nil {
		t.Errorf("nothing was remembered: %v", err)
	}
	f.commit(map[string]string{"content/b.md": "---\nid: b2\n---\nHello\n", "content/c.md": ""})
	if diff := cmp.Diff([]Outline{want[0], {Path: "content/b.md", ID: "b2"}}, outlines()); diff != "" {
		t.Error(diff)
	}
}
