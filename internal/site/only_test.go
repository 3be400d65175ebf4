package site_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/site"
)

// TestOnly checks one post of a site as if no others were there: neither what they are nor that they are missing is said.
func TestOnly(t *testing.T) {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	fsys := fstest.MapFS{
		"site.yaml":              text("timezone: UTC\naccounts:\n  fedi: {platform: mastodon, server: \"https://acme.example\"}\ndefaults: {platforms: [fedi]}\n"),
		"content/a.md":           text("---\nid: a1\n---\n<!-- postrider:ignore T303 said twice on purpose -->\nHello\n"),
		"content/b.md":           text("---\nid: b1\n---\nHello\n"),
		"content/deep/c/c.md":    text("---\nid: c1\nnonsense: 1\n---\nHello\n"),
		"content/deep/other.txt": text("no post"),
	}
	for _, tc := range []struct {
		posts []string
		want  []string // codes
		read  int
	}{
		{[]string{"content/a.md"}, nil, 1}, // what it ignores may be there or not
		{[]string{"content/a.md", "content/b.md"}, []string{"T303"}, 2},
		{[]string{"content/deep/c/c.md"}, []string{"F120"}, 1},
		{nil, nil, 0},
	} {
		s, found, err := site.LoadAndCheck(t.Context(), site.Only(fsys, tc.posts), adapters.All(), site.Options{Partial: true}, tc.posts...)
		if err != nil {
			t.Fatal(err)
		}
		var codes []string
		for _, f := range found {
			codes = append(codes, string(f.Code))
		}
		if diff := cmp.Diff(tc.want, codes); diff != "" || len(s.Posts) != tc.read {
			t.Errorf("%q: %d posts, %s", tc.posts, len(s.Posts), diff)
		}
	}
}
