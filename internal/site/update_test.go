package site

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/linkcard"
)

// TestUpdateIsLoad changes a site at random, and wants from each update what loading anew gives.
func TestUpdateIsLoad(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			g := &gardener{rnd: rand.New(rand.NewPCG(seed, 1)), fsys: fstest.MapFS{"site.yaml": file(siteYAML)}}
			for range 15 {
				g.change()
			}
			s := load(t, g.fsys)
			for range 25 {
				before, ids := slices.Clone(s.Findings), maps.Clone(s.byID)
				var changed, what []string
				for range 1 + g.rnd.IntN(3) {
					name, paths := g.change()
					changed, what = append(changed, paths...), append(what, name+" "+strings.Join(paths, " "))
				}
				next, err := s.Update(t.Context(), Options{}, changed...)
				if err != nil {
					t.Fatal(err)
				}
				want := load(t, g.fsys)
				for _, diff := range []string{
					cmp.Diff(want.Posts, next.Posts, cmpopts.EquateEmpty()), cmp.Diff(want.Findings, next.Findings, cmpopts.EquateEmpty()), cmp.Diff(want.byID, next.byID),
					cmp.Diff(want.Config.Title, next.Config.Title), cmp.Diff(want.leader, next.leader),
					cmp.Diff(want.Check(t.Context()), next.Check(t.Context())),
				} {
					if diff != "" {
						t.Fatalf("after %q (-loaded +updated):\n%s", what, diff)
					}
				}
				if diff := cmp.Diff(before, s.Findings) + cmp.Diff(ids, s.byID); diff != "" {
					t.Fatalf("%q changes the old snapshot:\n%s", what, diff)
				}
				s = next
			}
		})
	}
}

// gardener changes a site at random.
type gardener struct {
	rnd  *rand.Rand
	fsys fstest.MapFS
	n    int
}

func (g *gardener) pick(words ...string) string { return words[g.rnd.IntN(len(words))] }

// files returns those that there are with an ending.
func (g *gardener) files(ext string) (names []string) {
	for name := range g.fsys {
		if strings.HasSuffix(name, ext) && name != "site.yaml" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (g *gardener) dir() string {
	return g.pick("content", "content/a", "content/a/b", "content/c", "content/.hidden", "content/_drafts")
}

func (g *gardener) post() []byte {
	id := g.pick("", "id: one", "id: One", "id: two", fmt.Sprintf("id: post%d", g.n), "id: [broken")
	front := []string{id, g.pick("platforms: [bluesky]", "platforms: [mastodon, nobody]", "")}
	front = append(front, g.pick("", "publish_at: 2026-12-01 09:00", "tags: 7", "media: [{file: p.png, alt: A}]", "media: [{file: /img/q.png}]", "unknown: key"), g.pick("", "link: https://a.example"))
	body := g.pick("The sled is back.", "Fine.", strings.Repeat("Long. ", 80), "![](p.png)", "![A](../q.png)", "![A](/img/q.png)", "*",
		"Fine.\n\n<!-- postrider:ignore T303 said twice -->", "")
	g.n++
	return []byte("---\n" + strings.Join(slices.DeleteFunc(front, func(l string) bool { return l == "" }), "\n") + g.pick("\n---\n", "\n---\n", "\n---\n", "\n") + body + "\n")
}

// change does one thing, and returns what, with the paths that a watcher would report.
func (g *gardener) change() (what string, paths []string) {
	posts := g.files(".md")
	if len(posts) == 0 {
		posts = []string{"content/first.md"}
	}
	set := func(what, name string, data []byte) (string, []string) {
		g.fsys[name] = &fstest.MapFile{Data: data}
		return what, []string{name}
	}
	one := g.pick(posts...)
	switch g.rnd.IntN(14) {
	case 0, 1, 2:
		return set("edit", one, g.post())
	case 3, 4:
		return set("new", path.Join(g.dir(), g.pick("x.md", "y.md", "README.md", "z.MD", fmt.Sprintf("n%d.md", g.n))), g.post())
	case 5:
		delete(g.fsys, one)
		return "delete", []string{one}
	case 6:
		to := path.Join(g.dir(), path.Base(one))
		if f := g.fsys[one]; f != nil && to != one {
			delete(g.fsys, one)
			g.fsys[to] = f
		}
		return "move", []string{one, to}
	case 7:
		if f := g.fsys[one]; f != nil {
			return set("copy", path.Join(g.dir(), "copy.md"), f.Data)
		}
		return set("edit", one, g.post())
	case 8:
		return set("picture", g.pick(path.Join(g.dir(), "p.png"), "content/q.png", "img/q.png"), []byte(g.pick("", "other bytes", "GIF89a")))
	case 9:
		if pictures := g.files(".png"); len(pictures) > 0 {
			name := g.pick(pictures...)
			delete(g.fsys, name)
			return "no picture", []string{name}
		}
		return "nothing", nil
	case 10:
		dir := g.pick("content/a", "content/a/b", "content/c", "img")
		for _, name := range slices.Concat(g.files(".md"), g.files(".png"), g.files(".yaml")) {
			if under(name, dir) {
				delete(g.fsys, name)
			}
		}
		return "no folder", []string{dir}
	case 11:
		return set("card", linkcard.File(g.pick(posts...)), []byte("url: https://"+g.pick("a", "b")+".example\ntitle: Hi\n"+g.pick("", "image: p.png\n", "titel: Ho\n")))
	case 12:
		if cards := g.files(".yaml"); len(cards) > 0 {
			name := g.pick(cards...)
			delete(g.fsys, name)
			return "no card", []string{name}
		}
		return "nothing", nil
	default:
		return set("site", "site.yaml", []byte(g.pick(siteYAML, siteYAML+"style: {banned: [fine]}\n", siteYAML+"title: T\n", siteYAML+"foo: bar\n", "timezone: UTC\n", "a: [")))
	}
}

// TestFolderOfPictures takes away a folder that holds no posts: those that show its pictures are read again.
func TestFolderOfPictures(t *testing.T) {
	fsys := sample()
	fsys["img/a.png"] = file("no picture either")
	fsys["content/img/b.png"] = file("nor this")
	fsys["content/a.md"] = file("---\nid: aaa\n---\n![A](/img/a.png)\n")
	fsys["content/b/c.md"] = file("---\nid: ccc\n---\n![A](../img/b.png)\n")
	s := load(t, fsys)
	delete(fsys, "img/a.png")
	delete(fsys, "content/img/b.png")
	next, err := s.Update(t.Context(), Options{}, "img", "content/img")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(load(t, fsys).Findings, next.Findings); diff != "" || cmp.Equal(s.Findings, next.Findings) {
		t.Errorf("findings (-loaded +updated):\n%s", diff)
	}
}

// TestCheckPost wants for each post what checking the whole site says of it, less what comes from comparing it.
func TestCheckPost(t *testing.T) {
	fsys := sample()
	fsys["content/copy.md"] = file("---\nid: AAA\nplatforms: [fedi]\n---\nThe sled is back.\n")
	fsys["content/ignores.md"] = file("---\nid: iii\nplatforms: [bluesky, mastodon]\n---\nThe sled is back.\n\n![](b/p.png)\n\n" +
		"<!-- postrider:ignore T303 said twice, and meant -->\n<!-- postrider:ignore M301 no picture -->\n<!-- postrider:ignore T302 stale -->\n")
	fsys["content/twin.md"] = file("---\nid: ttt\nplatforms: [bluesky, mastodon]\n---\nThe sled is back.\n\n![](b/p.png)\n")
	s := load(t, fsys)
	compared := []finding.Code{content.SameIDCode, "T303", "D302", "D304"}
	all := slices.DeleteFunc(s.Check(t.Context()), func(f finding.Finding) bool { return slices.Contains(compared, f.Code) })
	seen := map[finding.Code]bool{}
	for _, p := range s.Posts {
		got := s.CheckPost(p)
		if diff := cmp.Diff(about(all, p.Path), got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-of all +alone):\n%s", p.Path, diff)
		}
		for _, f := range got {
			seen[f.Code] = true
		}
	}
	for _, code := range []finding.Code{"C101", "T201", "M103", "F302"} {
		if !seen[code] {
			t.Errorf("no post has %s: is anything tested?", code)
		}
	}
}

// TestKeepConfig goes on with the last site.yaml that could be read, where that is asked for and there is one.
func TestKeepConfig(t *testing.T) {
	for _, broken := range []*fstest.MapFile{nil, file(""), file("accounts: [\n")} {
		fsys := fstest.MapFS{"site.yaml": file(siteYAML)}
		s := load(t, fsys)
		if fsys["site.yaml"] = broken; broken == nil {
			delete(fsys, "site.yaml")
		}
		update := func(s *Snapshot, o Options) *Snapshot {
			t.Helper()
			next, err := s.Update(t.Context(), o, "site.yaml")
			if err != nil {
				t.Fatal(err)
			}
			return next
		}
		if plain := update(s, Options{}); plain.OldConfig || len(plain.Config.Accounts) != 0 {
			t.Errorf("without being asked, %v is kept: %v", plain.OldConfig, plain.Config.Accounts)
		}
		kept := update(update(s, Options{KeepConfig: true}), Options{KeepConfig: true}) // typing goes on
		if !kept.OldConfig || kept.Config != s.Config || !unreadable(kept.Findings) {
			t.Errorf("kept: %v, findings: %v", kept.OldConfig, kept.Findings)
		}
		if never := update(load(t, fsys), Options{KeepConfig: true}); never.OldConfig {
			t.Error("what was never good is kept")
		}
		fsys["site.yaml"] = file(siteYAML + "title: Mended\n")
		if mended := update(kept, Options{KeepConfig: true}); mended.OldConfig || mended.Config == s.Config || unreadable(mended.Findings) {
			t.Errorf("mended: %v, findings: %v", mended.OldConfig, mended.Findings)
		}
	}
}
