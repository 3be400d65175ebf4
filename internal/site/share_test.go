package site

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
)

// twins is a site in which every platform has accounts that are alike, and some that are not.
const twins = `title: Twins
accounts:
  a1: {platform: bluesky, handle: a.example.com}
  a2: {platform: bluesky, handle: b.example.com}
  a3: {platform: bluesky, handle: c.example.com, defaults: {language: de}}
  bluesky: {platform: bluesky, handle: d.example.com}
  b1: {platform: mastodon, server: "https://one.example"}
  b2: {platform: mastodon, server: "https://two.example"}
  b3: {platform: mastodon, server: "https://three.example", software: gotosocial}
  b4: {platform: mastodon, server: "https://four.example", limits: {characters: 100}}
  c1: {platform: webhook, url: "https://one.example/in"}
  c2: {platform: webhook, url: "https://two.example/in"}
  x1: {platform: x, handle: a}
  x2: {platform: x, handle: b}
  x3: {platform: x, handle: c, premium: true}
defaults: {platforms: [bluesky, mastodon, webhook, x], mentions: {ann: {bluesky: ann.example.com, c2: ann-of-two}}}
style: {max_hashtags: 1, banned: [sled]}
`

// TestSharedRenderings proves that accounts that share a rendering get what each would get by itself: every post
// of the sample and of the tests of rendering, for accounts that are alike and accounts that nearly are.
func TestSharedRenderings(t *testing.T) {
	files := fstest.MapFS{
		"site.yaml": &fstest.MapFile{Data: []byte(twins)},
		"content/override.md": &fstest.MapFile{Data: []byte("---\nid: over1111\noverrides:\n  a2: {text: For a2 alone.}\n  b1: {visibility: unlisted}\n" +
			"  mastodon: {content_warning: sleds}\n---\nFor the others, says @ann.\n")},
		"content/block.md":   &fstest.MapFile{Data: []byte("---\nid: block111\n---\nFor all.\n\n::: !a1\nNot for a1.\n:::\n\n::: x2 bluesky\nFor some.\n:::\n")},
		"content/mention.md": &fstest.MapFile{Data: []byte("---\nid: ment1111\nmentions:\n  bob: {b2: \"@bob@two.example\", x: bob}\n---\nAsk @bob and @ann.\n")},
	}
	add := func(fsys fs.FS, dir, prefix string) {
		err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(fsys, name)
			files[path.Join("content", prefix, strings.TrimPrefix(name, dir+"/"))] = &fstest.MapFile{Data: b}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(postrider.Sample, "content", "sample")
	add(os.DirFS("../plaintext/testdata"), "decisions", "decisions")

	s, err := Load(t.Context(), files, adapters.All(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if own := about(s.Findings, "site.yaml"); own.HasErrors() {
		t.Fatalf("site.yaml: %v", own)
	}
	// One by one, as render and publish do it.
	pass := s.checker.Pass()
	pass.Add(s.Findings...)
	shared := 0
	for _, p := range s.Posts {
		pass.Post(p)
		for _, a := range s.Accounts(p) {
			r := s.Render(p, a)
			pass.Add(r.Findings...)
			pass.Target(&check.Target{Account: a, Info: s.checker.Info(a.Name), Variant: &r.Variant, Rendering: &r.Rendering})
			if s.Config.Accounts[s.leader[a.Name]].Name != a.Name && !p.Singles(a.Name) {
				shared++
			}
		}
	}
	want := s.checker.Finish(nil, pass)
	got := s.Check(t.Context())
	text := func(l finding.List) (lines []string) {
		for _, f := range l {
			lines = append(lines, fmt.Sprintf("%s:%v %s %s %s", f.Path, f.Range.Start, f.Account, f.Code, f.Message))
		}
		return lines
	}
	if diff := cmp.Diff(text(want), text(got)); diff != "" {
		t.Errorf("checked together, the site has other findings (-one by one +together):\n%s", diff)
	}
	// Counting remarks leaves out remarks alone, and none that the files ignore is counted.
	counted, rest, err := LoadAndCheck(t.Context(), files, adapters.All(), Options{CountRemarks: true})
	if err != nil {
		t.Fatal(err)
	}
	loud := func(l finding.List) finding.List {
		return slices.DeleteFunc(slices.Clone(l), func(f finding.Finding) bool { return f.Severity == finding.Info })
	}
	if diff := cmp.Diff(text(loud(want)), text(loud(rest))); diff != "" {
		t.Errorf("counting remarks loses findings:\n%s", diff)
	}
	if n := rest.Count(finding.Info) + counted.Remarks; n != want.Count(finding.Info) || counted.Remarks == 0 {
		t.Errorf("%d remarks, %d of them counted only; want %d, and some", n, counted.Remarks, want.Count(finding.Info))
	}
	if shared < 150 || len(want) < 200 {
		t.Errorf("%d renderings are shared and there are %d findings: is anything tested?", shared, len(want))
	}
	for _, pair := range [][2]string{{"a1", "a3"}, {"b1", "b3"}, {"b1", "b4"}, {"x1", "x3"}, {"c1", "c2"}} {
		if s.leader[pair[0]] == s.leader[pair[1]] {
			t.Errorf("%s and %s share renderings", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"a1", "a2"}, {"b1", "b2"}, {"x1", "x2"}} {
		if s.leader[pair[0]] != s.leader[pair[1]] {
			t.Errorf("%s and %s do not share renderings", pair[0], pair[1])
		}
	}
}

// TestSharersShareRenderings holds each adapter that says that accounts are alike to it: the renderings are the same.
func TestSharersShareRenderings(t *testing.T) {
	s, err := Load(t.Context(), fstest.MapFS{
		"site.yaml":    &fstest.MapFile{Data: []byte(twins)},
		"content/a.md": &fstest.MapFile{Data: []byte("---\nid: aaaa1111\ntags: [one, two]\nlink: https://example.com/a\ncontent_warning: sleds\n---\n**Hello** @bob, see [this](https://example.com).\n\n---\n\nMore.\n")},
	}, adapters.All(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Config.Accounts {
		for j := range s.Config.Accounts[:i] {
			a, b := &s.Config.Accounts[i], &s.Config.Accounts[j]
			adapter, _ := s.reg.Get(a.Platform)
			sharer, ok := adapter.(platform.Sharer)
			if !ok || a.Platform != b.Platform || a.Defaults.Set != b.Defaults.Set || !sharer.SameRendering(a, b) {
				continue
			}
			x, y := s.Render(s.Posts[0], a), s.Render(s.Posts[0], b)
			if diff := cmp.Diff(x.Rendering, y.Rendering); diff != "" {
				t.Errorf("%s and %s:\n%s", a.Name, b.Name, diff)
			}
		}
	}
}
