package content

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// report writes posts and findings the way the golden files have them.
func report(posts []*post.Post, list finding.List) string {
	var b strings.Builder
	for _, p := range posts {
		fmt.Fprintf(&b, "# %s: %s (own %t), body from line %d\n%s", p.Path, p.ID, p.OwnID, p.BodyLine, outline(p.Body))
		for _, o := range p.Overrides {
			fmt.Fprintf(&b, "for %s:\n%s", o.Name, outline(o.Body))
		}
	}
	b.WriteString("# findings\n")
	for _, f := range list {
		fmt.Fprintf(&b, "%s:%s", f.Path, brief(finding.List{f}, true))
	}
	return b.String()
}

// The files in testdata/site are hostile, each in its own way; testdata/site.golden has what becomes of them.
func TestGolden(t *testing.T) {
	posts, list, err := Load(t.Context(), os.DirFS("testdata/site"), "content", Options{Location: berlin(t), Media: &media.Cache{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range posts {
		src, err := os.ReadFile(filepath.Join("testdata/site", p.Path))
		if err != nil {
			t.Fatal(err)
		}
		checkSpans(t, string(src), p)
	}
	got := report(posts, list)
	if *update {
		if err := os.WriteFile("testdata/site.golden", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/site.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("run with -update if this is right (-want +got):\n%s", diff)
	}
}

func ids(posts []*post.Post) (list []string) {
	for _, p := range posts {
		list = append(list, p.Path+"="+p.ID)
	}
	return list
}

func TestLoad(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	link := func(s string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(s), Mode: fs.ModeSymlink | 0o777}
	}
	fsys := fstest.MapFS{
		"content/b.md":              file("---\nid: b\n---\nb"),
		"content/2026/a/index.md":   file("---\n---\n![](pic.png)"),
		"content/2026/a/pic.png":    file(png),
		"content/2026/Ärger Tag.MD": file("a"),
		"content/日本.md":             file("a"),
		"content/README.md":         file("no post"),
		"content/2026/readme.md":    file("no post"),
		"content/_draft.md":         file("no post"),
		"content/.hidden/a.md":      file("no post"),
		"content/_layouts/a.md":     file("no post"),
		"content/notes.txt":         file("no post"),
		"content/large.md":          file(strings.Repeat("a ", 600<<10)),
		"content/inside.md":         link("../shared/inside.md"),
		"content/outside.md":        link("../../outside.md"),
		"content/absolute.md":       link("/etc/passwd"),
		"content/loop.md":           link("loop.md"),
		"content/gone.md":           link("nowhere.md"),
		"content/linked":            link("../shared"),
		"content/pic.md":            file("---\nid: pic\n---\n![](inside.png) ![](outside.png) ![](folder/pic.png)"),
		"content/inside.png":        link("2026/a/pic.png"),
		"content/outside.png":       link("../../pic.png"),
		"content/folder":            link("2026/a"),
		"content/same.md":           file("---\nid: B\n---\nb"),
		"content/env.md":            link("../.env"),
		"content/hooks.md":          link("../gitlink/hooks.md"),
		"content/pics.md":           file("---\nid: pics\n---\n![](env.png) ![](git/pic.png)"),
		"content/env.png":           link("../.env"),
		"content/git":               link("../.git"),
		"gitlink":                   link(".git"),
		".env":                      file("TOKEN=hunter2"),
		".git/hooks.md":             file("hunter2"),
		".git/pic.png":              file(png),
		"shared/inside.md":          file("---\nid: inside\n---\nfrom elsewhere"),
	}
	posts, list, err := Load(t.Context(), fsys, "content", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"content/2026/a/index.md=2026-a", "content/2026/Ärger Tag.MD=2026-rger-tag", "content/absolute.md=absolute", "content/b.md=b",
		"content/env.md=env", "content/gone.md=gone", "content/hooks.md=hooks", "content/inside.md=inside", "content/large.md=large", "content/loop.md=loop", "content/outside.md=outside",
		"content/pic.md=pic", "content/pics.md=pics", "content/same.md=B", "content/日本.md=" + suggestID("日本"),
	}
	if diff := cmp.Diff(want, ids(posts)); diff != "" {
		t.Errorf("posts differ (-want +got):\n%s", diff)
	}
	var got []string
	for _, f := range list {
		if f.Code != codeNoID {
			got = append(got, fmt.Sprintf("%s %s %s: %s", f.Path, f.Code, f.Post, f.Message))
		}
	}
	wantFindings := []string{
		"content/absolute.md F107 absolute: the file is a symbolic link that leads out of the site",
		`content/b.md F132 b: the id "b" is also that of content/same.md`,
		"content/env.md F107 env: the file is a symbolic link to what is hidden in the site",
		"content/folder F108 : the folder is a symbolic link, and the posts in it are not read",
		"content/git F108 : the folder is a symbolic link, and the posts in it are not read",
		"content/gone.md F101 gone: the symbolic link leads nowhere: file does not exist",
		"content/hooks.md F107 hooks: the file is a symbolic link to what is hidden in the site",
		"content/large.md F102 large: the file is larger than 1024 KiB",
		"content/linked F108 : the folder is a symbolic link, and the posts in it are not read",
		"content/loop.md F101 loop: the symbolic link leads nowhere: too many symbolic links",
		"content/outside.md F107 outside: the file is a symbolic link that leads out of the site",
		`content/pic.md M111 pic: "outside.png" is a symbolic link that leads out of the site`,
		`content/pics.md M111 pics: "env.png" is a symbolic link to what is hidden in the site`,
		`content/pics.md M111 pics: "git/pic.png" is a symbolic link to what is hidden in the site`,
		`content/same.md F132 B: the id "B" is also that of content/b.md`,
	}
	if diff := cmp.Diff(wantFindings, got); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
	pic := posts[slices.Index(ids(posts), "content/pic.md=pic")]
	eachInline(pic.Body, func(in post.Inline) {
		if in.Media != nil && in.Media.File != "outside.png" && in.Media.Path != "content/2026/a/pic.png" {
			t.Errorf("%s is said to be %s", in.Media.File, in.Media.Path)
		}
	})
}

// Reading many files at once gives what reading them one by one does, at every run.
func TestLoadIsStable(t *testing.T) {
	dir := t.TempDir()
	writeCorpus(t, dir, 60)
	fsys := os.DirFS(dir)
	var first string
	for range 3 {
		posts, list, err := Load(t.Context(), fsys, "content", Options{Media: &media.Cache{}})
		if err != nil {
			t.Fatal(err)
		}
		if len(posts) != 60 {
			t.Fatalf("%d posts", len(posts))
		}
		got := report(posts, list)
		if first == "" {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatalf("another run gives another result:\n%s", diff)
		}
		for _, p := range posts {
			src, err := fs.ReadFile(fsys, p.Path)
			if err != nil {
				t.Fatal(err)
			}
			alone, _ := Parse(p.Path, src, fsys, Options{})
			if diff := cmp.Diff(alone, p); diff != "" {
				t.Fatalf("%s read alone differs:\n%s", p.Path, diff)
			}
		}
	}
}

// failing is a file system in which some files cannot be read.
type failing struct{ fstest.MapFS }

var errDisk = errors.New("input/output error")

func (f failing) Open(name string) (fs.File, error) {
	if strings.Contains(name, "bad") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errDisk}
	}
	return f.MapFS.Open(name)
}

func TestUnreadable(t *testing.T) {
	fsys := failing{fstest.MapFS{
		"content/bad.md":    {Data: []byte("x")},
		"content/good.md":   {Data: []byte("---\nid: a\nmedia: bad.png\n---\n")},
		"content/bad.png":   {Data: []byte(png)},
		"content/bad/in.md": {Data: []byte("x")},
	}}
	posts, list, err := Load(t.Context(), fsys, "content", Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range list {
		got = append(got, fmt.Sprintf("%s %s %s", f.Path, f.Code, f.Message))
	}
	want := []string{
		"content/bad.md F101 it cannot be read: input/output error",
		"content/bad/in.md F101 it cannot be read: input/output error",
		`content/good.md M106 "bad.png" cannot be read: input/output error`,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(posts) != 3 {
		t.Errorf("%d posts; findings differ (-want +got):\n%s", len(posts), diff)
	}
	if _, _, err := Load(t.Context(), fsys, "nowhere", Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a content folder that is not there gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Load(ctx, fsys, "content", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled load gives %v", err)
	}
}

func TestBounds(t *testing.T) {
	long := strings.Repeat("a ", 10<<10)
	for name, tt := range map[string]struct {
		body, want string
	}{
		"paragraph": {"b\n\n" + long, "6:1 error B140: the paragraph is longer than 16 KiB [divide it into posts, or into paragraphs with blank lines between them]\n"},
		"text":      {strings.Repeat("b\n\n", 100<<10), "174766:2 error B140: the text is longer than 256 KiB [divide it into posts, or into paragraphs with blank lines between them]\n"},
	} {
		p, list := parseTest(t, "---\nid: a\n---\n"+tt.body)
		if diff := cmp.Diff(tt.want, brief(list, false)); diff != "" || outline(p.Body) != "" {
			t.Errorf("%s: findings differ (-want +got):\n%s", name, diff)
		}
	}
	p, list := parseTest(t, "---\nid: a\n---\n"+strings.Repeat("> ", 5000)+"x")
	if len(list) > 0 || len(p.Body[0].Blocks) != 1 {
		t.Errorf("deep quotes: %s", brief(list, false))
	}
	_, list = parseTest(t, "---\nid: a\n---\n"+strings.Repeat("a <b> c\n", 300))
	if len(list) != maxFindings+1 || !list.HasErrors() {
		t.Errorf("%d findings for 300 tags", len(list))
	}
	_, list = parseTest(t, "---\nid: a\n---\n"+strings.Repeat("![](hero.png)\n", 300))
	if got := brief(list, false); got != "204:1 error M110: the post has more than 200 media\n" {
		t.Errorf("300 pictures: %s", got)
	}
	deep := "---\nid: a\nlabels: &a [x]\n"
	for c := 'a'; c < 'n'; c++ { // each twice the one before
		deep += fmt.Sprintf("%c1: &%c [*%c, *%c, *%c, *%c]\n", c+1, c+1, c, c, c, c)
	}
	_, list = parseTest(t, deep+"---\n")
	if got := brief(list, false); !strings.Contains(got, "F112: the front matter is too large: more than 20000 values or 16 levels") {
		t.Errorf("a billion laughs: %s", got)
	}
}

func TestRetainedMemory(t *testing.T) {
	const n = 500
	dir := t.TempDir()
	writeCorpus(t, dir, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	posts, _, err := Load(t.Context(), os.DirFS(dir), "content", Options{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n; each > 8<<10 {
		t.Errorf("a post of 1 KB takes %d bytes", each)
	}
	runtime.KeepAlive(posts)
}

func TestDecodeFields(t *testing.T) {
	decode := func(src string) (post.Fields, []post.Place, finding.List) {
		t.Helper()
		var doc yaml.Node
		if err := yaml.Load([]byte(src), &doc); err != nil {
			t.Fatal(err)
		}
		return DecodeFields(doc.Content[0].Content[1], time.UTC)
	}
	f, places, list := decode("defaults:\n  platforms: [bluesky]\n  lang: en\n  draft: true\n")
	want := post.Fields{Platforms: []string{"bluesky"}, Language: []string{"en"}, Draft: true}
	want.Set = want.Set.With(post.FieldPlatforms).With(post.FieldLanguage).With(post.FieldDraft)
	if diff := cmp.Diff(want, f); diff != "" || len(list) > 0 || len(places) != 3 {
		t.Errorf("defaults differ (-want +got), findings %v, places %v:\n%s", list, places, diff)
	}
	_, _, list = decode("defaults:\n  id: a\n  publish_at: 2026-12-01 09:00\n  timezone: Europe/Berlin\n  titel: x\n  text: y\n")
	wantList := "2:3 error F124: \"id\" cannot be a default [remove it]\n" +
		"3:3 error F124: \"publish_at\" cannot be a default [remove it]\n" +
		"4:3 error F124: \"timezone\" cannot be a default [remove it]\n" +
		"5:3 error F120: unknown front-matter key \"titel\" [did you mean \"title\"?]\n" +
		"6:3 error F124: \"text\" cannot be a default [remove it]\n"
	if diff := cmp.Diff(wantList, brief(list, true)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

func TestParseWall(t *testing.T) {
	for s, want := range map[string]string{
		"2026-12-01 09:00":              "2026-12-01T09:00:00",
		"2026-12-01T09:00":              "2026-12-01T09:00:00",
		"2026-12-01T09:00:30":           "2026-12-01T09:00:30",
		"2026-12-01T09:00:30.999":       "2026-12-01T09:00:30",
		"2026-12-01T09:00Z":             "2026-12-01T09:00:00+0",
		"2026-12-01T09:00:00.000Z":      "2026-12-01T09:00:00+0",
		"2026-12-01 09:00 +01:00":       "2026-12-01T09:00:00+3600",
		"2026-12-01T09:00-0330":         "2026-12-01T09:00:00-12600",
		"2024-02-29 00:00":              "2024-02-29T00:00:00",
		"2026-12-01":                    "date",
		"2026-02-29 09:00":              "no",
		"2026-13-01 09:00":              "no",
		"2026-12-01 24:00":              "no",
		"2026-12-01 09:60":              "no",
		"2026-12-01 9:00":               "no",
		"26-12-01 09:00":                "no",
		"2026-12-01 09:00 CET":          "no",
		"2026-12-01 09:00 Europe/Paris": "no",
		"2026-12-01  09:00":             "no",
		"2026-12-01T09:00:00.Z":         "no",
		"2026-12-01T09:00+15:00":        "no",
		"2026-12-01T09":                 "no",
		"01.12.2026 09:00":              "no",
		"0001-01-01 00:00":              "no",
		"":                              "no",
		"２０２６-12-01 09:00":              "no",
	} {
		w, ok := parseWall(s)
		got := "no"
		switch {
		case ok && w.dateOnly:
			got = "date"
		case ok:
			got = w.utc.Format("2006-01-02T15:04:05")
			if w.hasOffset {
				got += fmt.Sprintf("%+d", w.offset)
			}
		}
		if got != want {
			t.Errorf("parseWall(%q) is %s, want %s", s, got, want)
		}
	}
}

func FuzzTime(f *testing.F) {
	f.Add("2026-10-25 02:30", "Europe/Berlin")
	f.Add("2026-04-05 01:45", "Australia/Lord_Howe")
	f.Add("2011-12-30 12:00", "Pacific/Apia")
	f.Add("2026-12-01T09:00:00.5+01:00", "UTC")
	var z zones
	f.Fuzz(func(t *testing.T, s, zone string) {
		loc, ok := z.load(zone)
		w, valid := parseWall(s)
		if !ok || !valid || w.hasOffset {
			return
		}
		at, _ := w.in(loc)
		for _, a := range at {
			if got := a.In(loc).Format("2006-01-02 15:04:05"); got != w.utc.Format("2006-01-02 15:04:05") {
				t.Errorf("%q in %s is %s, where clocks show %s", s, zone, a.UTC(), got)
			}
		}
		if len(at) == 2 && !at[0].Before(at[1]) || len(at) > 2 {
			t.Errorf("%q in %s is %v", s, zone, at)
		}
	})
}

func TestNearest(t *testing.T) {
	names := catalogue().names
	for word, want := range map[string]string{
		"titel": "title", "Title": "title", "publish-at": "publish_at", "platform": "platforms", "tagz": "tags", "campain": "campaign",
		"xyzzy": "", "": "", "a": "", strings.Repeat("x", 500): "",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("Nearest(%q) is %q, want %q", word, got, want)
		}
	}
}

func TestKnown(t *testing.T) {
	spelt := map[string]string{}
	for _, k := range Known() {
		if k.Help == "" || (k.Shape == ShapeEnum) != (len(k.Values) > 0) || !k.Post && !k.Override {
			t.Errorf("%+v is incomplete", k)
		}
		for _, s := range append([]string{k.Name}, k.Aliases...) {
			if other, ok := spelt[snake(s)]; ok {
				t.Errorf("%q is both %s and %s", s, other, k.Name)
			}
			spelt[snake(s)] = k.Name
			for _, variant := range []string{s, snake(s), strings.ReplaceAll(snake(s), "_", "-")} {
				if f, ok := lookup(variant); !ok || f != k.Field {
					t.Errorf("%q does not name %s", variant, k.Name)
				}
			}
		}
	}
	for key, want := range map[string]string{"publishAt": "publish_at", "canonicalURL": "canonical_url", "reply-to": "reply_to", "spoiler-text": "content_warning", "scheduled_at": "publish_at"} {
		if f, ok := lookup(key); !ok || f.Key() != want {
			t.Errorf("%q names %v, want %s", key, f, want)
		}
	}
}
