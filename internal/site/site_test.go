package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
)

func registry() *platform.Registry { return adapters.All() }

const siteYAML = `timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.bsky.social}
  fedi: {platform: mastodon, server: "https://fedi.example", defaults: {language: de}}
  fedi-2: {platform: mastodon, server: "https://fedi2.example"}
defaults: {platforms: [bluesky, fedi], language: en}
`

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func sample() fstest.MapFS {
	return fstest.MapFS{
		"site.yaml":             file(siteYAML),
		"content/a.md":          file("---\nid: aaa\n---\nThe sled is back.\n"),
		"content/b/index.md":    file("---\nid: bbb\nplatforms: [mastodon, nobody]\npublish_at: 2026-12-01 09:00\nmedia: [{file: p.png, alt: A sled}]\n---\nFaster than ever.\n"),
		"content/b/p.png":       file("no picture"),
		"content/b/c.md":        file("---\nid: ccc\nplatforms: [bluesky]\n---\n" + strings.Repeat("Too long. ", 40) + "\n"),
		"content/_drafts/no.md": file("---\nid: no\n---\nNo post.\n"),
		"content/README.md":     file("no post"),
	}
}

func load(t *testing.T, fsys fs.FS) *Snapshot {
	t.Helper()
	s, err := Load(t.Context(), fsys, registry(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshot(t *testing.T) {
	s := load(t, sample())
	var paths []string
	for _, p := range s.Posts {
		paths = append(paths, p.Path)
	}
	if diff := cmp.Diff([]string{"content/a.md", "content/b/c.md", "content/b/index.md"}, paths); diff != "" {
		t.Fatalf("posts (-want +got):\n%s", diff)
	}
	for key, want := range map[string]string{"aaa": "content/a.md", "content/b/c.md": "content/b/c.md", "./content/a.md": "content/a.md", `content\a.md`: "content/a.md", "nobody": "", "": "", "content": ""} {
		got := ""
		if p, ok := s.Find(key); ok {
			got = p.Path
		}
		if got != want {
			t.Errorf("Find(%q) = %q, want %q", key, got, want)
		}
	}
	for id, want := range map[string]string{"aaa": "bluesky fedi", "bbb": "fedi fedi-2", "ccc": "bluesky"} {
		p, _ := s.Find(id)
		var names []string
		for _, a := range s.Accounts(p) {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("Accounts(%s) = %s, want %s", id, got, want)
		}
	}

	p, _ := s.Find("aaa")
	for account, language := range map[string]string{"bluesky": "en", "fedi": "de"} {
		a, _ := s.Config.Account(account)
		r := s.Render(p, a)
		if got := r.Rendering.Parts[0].Text; got != "The sled is back." {
			t.Errorf("text = %q", got)
		}
		if got := r.Rendering.Language; !slices.Equal(got, []string{language}) {
			t.Errorf("the language on %s is %v", account, got)
		}
		if again := s.Render(p, a); again.Rendering.Fingerprint() != r.Rendering.Fingerprint() {
			t.Error("two renderings differ")
		}
	}
	long, _ := s.Find("ccc")
	b, _ := s.Config.Account("bluesky")
	for _, f := range s.Render(long, b).Findings {
		if f.Path != "content/b/c.md" || f.Post != "ccc" || f.Account != "bluesky" {
			t.Errorf("a finding of rendering is incomplete: %+v", f)
		}
	}

	posts, missing := s.Select("content/b/", "content/a.mdx", "site.yaml")
	if len(posts) != 2 || !slices.Equal(missing, []string{"content/a.mdx"}) {
		t.Errorf("Select = %d posts, missing %v", len(posts), missing)
	}
	if posts, missing := s.Select("."); len(posts) != 3 || missing != nil {
		t.Errorf("Select(.) = %d posts, missing %v", len(posts), missing)
	}
	if all, _ := s.Select(); len(all) != 3 {
		t.Errorf("Select() = %d posts", len(all))
	}
}

// codes lists findings as "path code account".
func codes(list finding.List) (lines []string) {
	for _, f := range list {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Path, f.Code, f.Account)))
	}
	return lines
}

func TestCheck(t *testing.T) {
	fsys := sample()
	fsys["content/copy.md"] = file("---\nid: ddd\nplatforms: [fedi]\n---\nThe sled is back.\n")
	s := load(t, fsys)
	all := codes(s.Check(t.Context()))
	want := []string{
		"content/a.md T303 fedi",
		"content/b/c.md T201 bluesky",
		"content/b/index.md C101", // a name that nothing has
		"content/b/index.md M103", // no picture
		"content/copy.md T303",
	}
	for _, line := range want {
		if !slices.ContainsFunc(all, func(got string) bool { return strings.HasPrefix(got, strings.TrimSuffix(line, " fedi")) }) {
			t.Errorf("%q is not among the findings:\n%s", line, strings.Join(all, "\n"))
		}
	}
	// With paths: the same findings for those, and none for others.
	for _, paths := range [][]string{{"content/a.md"}, {"content/b"}, {"./content/copy.md", "content/b/c.md"}, {"."}, {"nowhere"}} {
		got := codes(s.Check(t.Context(), paths...))
		wanted := slices.DeleteFunc(slices.Clone(all), func(line string) bool {
			name, _, _ := strings.Cut(line, " ")
			return name != "site.yaml" && !slices.ContainsFunc(paths, func(p string) bool { return under(name, clean(p)) })
		})
		if !slices.Equal(wanted, got) {
			diff := cmp.Diff(wanted, got)
			t.Errorf("Check(%v) (-want +got):\n%s", paths, diff)
		}
		outline, found, err := LoadAndCheck(t.Context(), fsys, registry(), Options{}, paths...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.Check(t.Context(), paths...), found); diff != "" {
			t.Errorf("LoadAndCheck(%v), against Check (-want +got):\n%s", paths, diff)
		}
		if len(outline.Posts) != len(s.Posts) || outline.Posts[0].Path != s.Posts[0].Path || outline.Posts[0].Text != "" {
			t.Errorf("LoadAndCheck(%v) keeps %d posts, the first %+v", paths, len(outline.Posts), outline.Posts[0])
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	s.Check(ended) // ends, and does not wait for anything
	if _, _, err := LoadAndCheck(ended, fsys, registry(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("LoadAndCheck after the end: %v", err)
	}
}

// TestUnreadable has a file that cannot be read say so once, and not for each of its accounts that there is no text in it.
func TestUnreadable(t *testing.T) {
	for name, test := range map[string]struct{ src, want string }{
		"empty":        {"", "F103"},
		"Latin 1":      {"---\nid: a\n---\ncaf\xe9\n", "F104"},
		"NUL":          {"a\x00b", "F105"},
		"no end":       {"---\nid: a\nHello.\n", "F110"},
		"no YAML":      {"---\nid: [a\n---\n" + strings.Repeat("Hello. ", 100), "F112 T201 T201"}, // the text is there
		"nor text":     {"---\ntitle: a: b: c\n---\n", "F112"},
		"large":        {"---\nid: a\n---\n" + strings.Repeat("Hello.\n\n", 40000), "B140"},
		"no text":      {"---\nid: a\n---\n", "T207 T207"}, // nothing else is wrong
		"long comment": {"---\nid: a\n---\nHi.\n\n" + strings.Repeat("a ", 9000) + "\n", "B140"},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{"site.yaml": file(siteYAML), "content/a.md": file(test.src)}
			_, list, err := LoadAndCheck(t.Context(), fsys, registry(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range list {
				if f.Severity == finding.Error {
					got = append(got, string(f.Code))
				}
			}
			if got := strings.Join(got, " "); got != test.want {
				t.Errorf("errors %s, want %s", got, test.want)
			}
			if _, blocked := list.Blocking("fedi"); !blocked {
				t.Error("it would go out")
			}
		})
	}
}

func TestLoadWithout(t *testing.T) {
	for name, test := range map[string]struct {
		fsys fstest.MapFS
		want string
	}{
		"nothing":       {fstest.MapFS{}, "site.yaml S101"},
		"empty config":  {fstest.MapFS{"site.yaml": file("")}, "site.yaml S101"},
		"no content":    {fstest.MapFS{"site.yaml": file(siteYAML)}, ""},
		"broken config": {fstest.MapFS{"site.yaml": file("a: [")}, "site.yaml S102"},
		"large config":  {fstest.MapFS{"site.yaml": file(strings.Repeat("# comment\n", 200_000))}, "site.yaml S102"},
	} {
		s := load(t, test.fsys)
		if got := strings.Join(codes(s.Check(t.Context())), "\n"); got != test.want {
			t.Errorf("%s: findings %q, want %q", name, got, test.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Load(ended, sample(), registry(), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Load after the end: %v", err)
	}
	if _, err := Load(t.Context(), broken{}, registry(), Options{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Load of a locked folder: %v", err)
	}
}

// broken is a folder that nobody may read.
type broken struct{}

func (broken) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

// TestUpdate changes files and wants the same as from loading anew, with untouched posts shared.
func TestUpdate(t *testing.T) {
	fsys := sample()
	s := load(t, fsys)
	for _, step := range []struct {
		name    string
		change  func()
		changed []string
		shared  []string // ids of posts that must not be read again
	}{
		{"a post", func() { fsys["content/a.md"] = file("---\nid: aaa\n---\nIt was not.\n") }, []string{"content/a.md"}, []string{"bbb", "ccc"}},
		{"a new post with the id of another", func() { fsys["content/z.md"] = file("---\nid: aaa\n---\nCopied.\n") }, []string{"./content/z.md"}, []string{"bbb", "ccc"}},
		{"it is gone", func() { delete(fsys, "content/z.md") }, []string{"content/z.md"}, []string{"aaa", "bbb", "ccc"}},
		{"a broken post", func() { fsys["content/a.md"] = file("---\nid: aaa\nfoo: bar\n") }, []string{"content/a.md"}, []string{"bbb", "ccc"}},
		{"a mended post", func() { fsys["content/a.md"] = file("---\nid: aaa\n---\nFine.\n") }, []string{"content/a.md"}, []string{"bbb", "ccc"}},
		{"a picture", func() { delete(fsys, "content/b/p.png") }, []string{"content/b/p.png"}, []string{"aaa", "ccc"}},
		{"the picture is back", func() { fsys["content/b/p.png"] = file("other bytes") }, []string{"content/b/p.png"}, []string{"aaa", "ccc"}},
		{"a file that nobody shows", func() { fsys["content/x.txt"] = file("x") }, []string{"content/x.txt", "README.md"}, []string{"aaa", "bbb", "ccc"}},
		{"what is no post", func() { fsys["content/_drafts/no.md"] = file("x") }, []string{"content/_drafts/no.md"}, []string{"aaa", "bbb", "ccc"}},
		{"the configuration", func() { fsys["site.yaml"] = file(siteYAML + "style: {banned: [fine]}\n") }, []string{"site.yaml"}, []string{"aaa", "bbb", "ccc"}},
		{"the time zone", func() { fsys["site.yaml"] = file("timezone: UTC\n") }, []string{"site.yaml"}, nil},
		{"back, and a post too", func() {
			fsys["site.yaml"] = file(siteYAML)
			fsys["content/a.md"] = file("---\nid: aaa\n---\nBoth.\n")
		}, []string{"site.yaml", "content/a.md"}, nil},
		{"a folder is renamed", func() {
			for _, name := range []string{"index.md", "p.png", "c.md"} {
				fsys["content/d/"+name] = fsys["content/b/"+name]
				delete(fsys, "content/b/"+name)
			}
		}, []string{"content/b", "content/d"}, nil},
		{"nothing", func() {}, nil, []string{"aaa", "bbb", "ccc"}},
	} {
		step.change()
		before := codes(s.Findings)
		next, err := s.Update(t.Context(), Options{}, step.changed...)
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		want := load(t, fsys)
		if diff := cmp.Diff(want.Posts, next.Posts); diff != "" {
			t.Errorf("%s: posts (-loaded +updated):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(want.Findings, next.Findings); diff != "" {
			t.Errorf("%s: findings (-loaded +updated):\n%s", step.name, diff)
		}
		if diff := cmp.Diff(codes(want.Check(t.Context())), codes(next.Check(t.Context()))); diff != "" {
			t.Errorf("%s: check (-loaded +updated):\n%s", step.name, diff)
		}
		for _, id := range step.shared {
			old, _ := s.Find(id)
			if now, ok := next.Find(id); !ok || now != old {
				t.Errorf("%s: post %s was read again", step.name, id)
			}
		}
		if diff := cmp.Diff(before, codes(s.Findings)); diff != "" {
			t.Errorf("%s: the old snapshot has changed:\n%s", step.name, diff)
		}
		s = next
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Update(ended, Options{}, "content/a.md"); !errors.Is(err, context.Canceled) {
		t.Errorf("Update after the end: %v", err)
	}
}
