package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/site"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

const siteYAML = `title: Acme
timezone: Europe/Berlin
accounts:
  bsky: {platform: bluesky, handle: acme.example}
  fedi: {platform: mastodon, server: "https://fedi.example"}
defaults: {platforms: [bsky, fedi]}
campaigns:
  winter: {title: Winter, starts: 2026-12-01, ends: 2026-12-24}
`

// files is a site with everything that links can go wrong with.
func files() map[string]string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
		panic(err)
	}
	picture := b.String()
	m := map[string]string{
		"site.yaml":        siteYAML,
		"content/first.md": "---\nid: first.json\ntitle: First\npublish_at: 2026-11-20 09:00\n---\nOut already.\n",
		"content/häßlich & co/a b#1?%41.md": "---\nid: odd\ntitle: 'Odd <names> & \"all\"'\npublish_at: 2026-12-02 09:00\ncampaign: winter\nmedia:\n" +
			"  - {file: 'ü 100%#?&+;=.png', alt: A picture}\n  - {file: 'a:b.png', alt: Another}\n---\nLook at https://acme.example/?a=b#c.\n",
		"content/häßlich & co/ü 100%#?&+;=.png": picture,
		"content/häßlich & co/a:b.png":          picture,
		"content/later.md":                      "---\nid: later\ntitle: Far away\npublish_at: 2028-02-29 09:00\n---\nNobody knows.\n",
		"content/weekly.md":                     "---\nid: weekly\ntitle: Weekly\npublish_at: 2026-11-02 12:00\nrepeat: FREQ=WEEKLY\n---\nEvery week.\n",
		"content/merged.md":                     "---\nid: merged\n---\nAs soon as it is merged. " + strings.Repeat("It is far too long. ", 40) + "\n",
		"content/nowhere.md":                    "---\nid: nowhere\nplatforms: []\n---\nIt goes nowhere.\n",
		"content/same1.md":                      "---\nid: same\n---\nOne.\n",
		"content/same2.md":                      "---\nid: same\n---\nThe other.\n",
		"content/secret.md":                     "---\nid: hushhush\ntitle: Topsecret\ndraft: true\npublish_at: 2026-12-03 09:00\ncampaign: winter\nmedia: [{file: topsecret.png, alt: Topsecret}]\n---\nTopsecret plans.\n",
		"content/topsecret.png":                 picture,
		"content/typo.md":                       "---\nid: typo\ntitle: Topsecret\ndraft: yes\n---\nTopsecret typo.\n",
		"content/broken.md":                     "---\nid: [Topsecret\n---\nTopsecret, perhaps.\n",
		"content/half.md":                       "---\nid: half\ntitle: Half\npublish_at: 2026-12-04 09:00\noverrides:\n  fedi: {draft: true, text: Topsecret words}\n---\nFor the others.\n",
		"content/hidden.md":                     "---\nid: hidden\nmedia: [{file: /site.png, alt: None}]\n---\nIt shows a file that is no picture.\n",
		"site.png":                              "Topsecret: not a picture",
		".env":                                  "POSTRIDER_BSKY_APP_PASSWORD=Topsecret\n",
	}
	for i := range 9 { // more than a day of the calendar shows
		m[fmt.Sprintf("content/busy/%d.md", i)] = fmt.Sprintf("---\nid: busy%d\npublish_at: 2026-12-10 %02d:00\ncampaign: winter\n---\nBusy %d.\n", i, 9+i, i)
	}
	return m
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // a test's folder
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// options returns what a build of a folder is made of.
func options(t testing.TB, dir string) Options {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() }) //nolint:errcheck // only read from
	reg := adapters.All()
	s, err := site.Load(context.Background(), root.FS(), reg, site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	published := &ledger.Record{
		Post: "first.json", Account: "bsky", Path: "content/first.md", Title: "First", State: ledger.Published, PublishedAt: now.Add(-48 * time.Hour), At: now.Add(-48 * time.Hour),
		Parts: []ledger.Part{{Text: "Out, but with other words.", Remote: platform.Remote{URL: "https://bsky.app/profile/acme.example/post/1"}}}, Fingerprint: strings.Repeat("ab", 32),
	}
	gone := &ledger.Record{
		Post: "gone", Account: "fedi", Path: "content/gone.md", Title: "Gone", State: ledger.Published, PublishedAt: now.Add(-72 * time.Hour), At: now.Add(-72 * time.Hour),
		Parts: []ledger.Part{{Text: "Its file is gone.", Remote: platform.Remote{URL: "https://fedi.example/@acme/1"}}},
	}
	unknown := &ledger.Record{Post: "hushhush", Account: "bsky", Path: "content/secret.md", Title: "Topsecret", State: ledger.Unknown, At: now.Add(-time.Hour)}
	return Options{
		Root: root, Site: s, Registry: reg, Ledger: ledger.Memory{published, gone, unknown}, Latest: []*ledger.Record{unknown, published, gone},
		Now: now, Out: filepath.Join(dir, "public"),
	}
}

// build builds a site and returns all files.
func build(t testing.TB, o Options) (Result, map[string]string) {
	t.Helper()
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res, read(t, o.Out)
}

func read(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(name) //nolint:gosec // a test's folder
		rel, _ := filepath.Rel(dir, name)
		all[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// each calls fn for all elements of a document.
func each(n *html.Node, fn func(n *html.Node, attr map[string]string)) {
	if n.Type == html.ElementNode {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		fn(n, attr)
	}
	for c := range n.ChildNodes() {
		each(c, fn)
	}
}

// crawl holds every link of every page to lead to a file, and its fragment to an element, as it would for a browser that reads from the disk.
func crawl(t *testing.T, all map[string]string) (seen map[string]bool) {
	t.Helper()
	ids := map[string]map[string]bool{}
	docs := map[string]*html.Node{}
	for name, text := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		doc, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		docs[name], ids[name] = doc, map[string]bool{}
		each(doc, func(_ *html.Node, attr map[string]string) { ids[name][attr["id"]] = true })
	}
	seen = map[string]bool{}
	for name, doc := range docs {
		here := &url.URL{Scheme: "file", Path: "/srv/deep/" + name}
		each(doc, func(n *html.Node, attr map[string]string) {
			if n.Data == "form" || n.Data == "input" || n.Data == "select" {
				t.Errorf("%s has a <%s>", name, n.Data)
			}
			for _, key := range []string{"href", "src", "action", "poster", "data-move", "data-live"} {
				link, ok := attr[key]
				if !ok {
					continue
				}
				u, err := here.Parse(link)
				switch {
				case link == "" || err != nil:
					t.Errorf("%s: %s=%q: %v", name, key, link, err)
					continue
				case u.Scheme != "file":
					continue
				case u.RawQuery != "" || strings.HasPrefix(link, "/"):
					t.Errorf("%s: %s=%q needs a server", name, key, link)
				}
				to := strings.TrimPrefix(u.Path, "/srv/deep/")
				if _, ok := all[to]; !ok {
					t.Errorf("%s: %s=%q is dead: there is no %q", name, key, link, to)
				} else if u.Fragment != "" && !ids[to][u.Fragment] {
					t.Errorf("%s: %s=%q is dead: %q has no such element", name, key, link, to)
				}
				seen[to] = true
			}
		})
	}
	return seen
}

func TestBuild(t *testing.T) {
	for _, drafts := range []bool{false, true} {
		t.Run(fmt.Sprintf("drafts=%v", drafts), func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, files())
			o := options(t, dir)
			o.Drafts = drafts
			res, all := build(t, o)
			seen := crawl(t, all)
			for name, text := range all {
				for _, bad := range []string{dir, `data-token="`, "data-live=", "<form", "/root/", "/home/"} {
					if name != Marker && strings.Contains(text, bad) {
						t.Errorf("%s has %q in it", name, bad)
					}
				}
				if !seen[name] && name != Marker && name != "index.html" {
					t.Errorf("nothing leads to %s", name)
				}
				secret := strings.Contains(strings.ToLower(text+name), "topsecret") || strings.Contains(text+name, "hushhush")
				if secret && (!drafts || strings.Contains(text, "Topsecret: not a picture")) {
					t.Errorf("%s tells of a draft", name)
				}
			}
			want := []string{
				"index.html", "posts/index.html", "posts/first.json/index.html", "posts/odd/index.html", "posts/same/index.html", "posts/half/index.html", "calendar/index.html",
				"calendar/list/index.html", "calendar/2026-10/index.html", "calendar/2026-11/index.html", "calendar/2026-12/index.html", "calendar/2028-02/index.html",
				"campaigns/index.html", "campaigns/winter/index.html", "problems/index.html", "accounts/index.html", "archive/index.html", "feed.xml", "atom.xml", "feed.json",
				"calendar.ics", "calendar/account/bsky.ics", "calendar/account/fedi.ics", "calendar/campaign/winter.ics",
				"media/content/häßlich & co/ü 100%#?&+;=.png", "media/content/häßlich & co/a:b.png", Marker,
			}
			if drafts {
				want = append(want, "posts/hushhush/index.html", "posts/typo/index.html", "media/content/topsecret.png")
			}
			for _, name := range want {
				if _, ok := all[name]; !ok {
					t.Errorf("there is no %s", name)
				}
			}
			if !drafts && (res.Drafts != 1 || res.Unsure != 2) {
				t.Errorf("left out: %d drafts and %d that may be ones", res.Drafts, res.Unsure)
			}
			if !res.Findings.HasErrors() {
				t.Error("no errors were found")
			}
			pages, bytes := 0, int64(0)
			for name, text := range all {
				if path.Base(name) == "index.html" {
					pages++
				}
				bytes += int64(len(text))
			}
			if res.Pages != pages || res.Files != len(all)-1 || res.Bytes != bytes-int64(len(all[Marker])) {
				t.Errorf("%+v, but there are %d pages and %d files of %d bytes", res, pages, len(all), bytes)
			}
			if _, again := build(t, options2(o)); cmp.Diff(all, again) != "" {
				t.Error(cmp.Diff(all, again))
			}
		})
	}
}

// options2 returns the same options for another folder.
func options2(o Options) Options {
	o.Out += "2"
	return o
}

func TestBuildSaysWhatDiffers(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files())
	_, all := build(t, options(t, dir))
	if page := all["posts/first.json/index.html"]; !strings.Contains(page, "<del>") || !strings.Contains(page, "https://bsky.app/profile/acme.example/post/1") {
		t.Error("the page of what is out does not say so")
	}
	if page := all["calendar/2026-12/index.html"]; !strings.Contains(page, "calendar/list/2026-12") && !strings.Contains(page, "list/2026-12/index.html") {
		t.Error("a busy day leads nowhere")
	}
	if page := all["posts/half/index.html"]; !strings.Contains(page, "not shown here") || strings.Contains(page, "overrides:") {
		t.Error("the source of a post that is half a draft is shown")
	}
}

func TestBuildAddresses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files())
	o := options(t, dir)
	o.Home = "https://acme.example/social"
	_, all := build(t, o)
	for name, want := range map[string]string{
		"calendar.ics": "URL;VALUE=URI:https://acme.example/social/posts/odd/", "feed.json": `"feed_url":"https://acme.example/social/feed.json"`, "atom.xml": "https://acme.example/social/atom.xml",
	} {
		got := strings.ReplaceAll(strings.ReplaceAll(all[name], "\r\n ", ""), `": "`, `":"`)
		if !strings.Contains(got, want) && !strings.Contains(got, strings.Replace(want, ";VALUE=URI", "", 1)) {
			t.Errorf("%s lacks %s:\n%s", name, want, got)
		}
	}
}

func TestBuildOfManyIsPaged(t *testing.T) {
	dir := t.TempDir()
	m := map[string]string{"site.yaml": "title: Many\n"}
	for i := range 1001 {
		m[fmt.Sprintf("content/%d.md", i)] = fmt.Sprintf("---\nid: p%d\n---\nPost %d.\n", i, i)
	}
	write(t, dir, m)
	_, all := build(t, options(t, dir))
	seen := crawl(t, all)
	for _, name := range []string{"posts/page/2/index.html", "posts/page/3/index.html", "posts/p1000/index.html"} {
		if !seen[name] {
			t.Errorf("nothing leads to %s", name)
		}
	}
	if _, ok := all["posts/page/4/index.html"]; ok {
		t.Error("there is a page too much")
	}
}

func TestBuildOfBrokenSite(t *testing.T) {
	for name, c := range map[string]struct {
		yaml  string
		posts bool
	}{
		"unknown key":  {"titel: Acme\n" + siteYAML, true},
		"no YAML":      {"title: [", true},
		"draft unsure": {"defaults: {draft: true\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, map[string]string{"site.yaml": c.yaml, "content/a.md": "---\nid: a1\ntitle: Topsecret\n---\nHello.\n"})
			res, all := build(t, options(t, dir))
			crawl(t, all)
			if !res.Findings.HasErrors() || !strings.Contains(all["index.html"], "site.yaml") {
				t.Error("the page does not show what is wrong with site.yaml")
			}
			if _, ok := all["posts/a1/index.html"]; ok != c.posts {
				t.Errorf("the post is there: %v", ok)
			}
		})
	}
}

func TestBuildOfNothing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"site.yaml": "title: Nothing\n"})
	res, all := build(t, options(t, dir))
	crawl(t, all)
	if res.Findings.HasErrors() || res.Pages != len(res2pages(all)) {
		t.Errorf("%+v", res)
	}
}

func res2pages(all map[string]string) (pages []string) {
	for name := range all {
		if path.Ext(name) == ".html" {
			pages = append(pages, name)
		}
	}
	return pages
}

func TestBuildReplaces(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files())
	o := options(t, dir)
	build(t, o)
	write(t, o.Out, map[string]string{"CNAME": "acme.example\n", ".git/HEAD": "ref\n", "posts/mine.html": "mine"})
	if err := os.Remove(filepath.Join(dir, "content/later.md")); err != nil {
		t.Fatal(err)
	}
	_, all := build(t, options(t, dir))
	for name, want := range map[string]bool{"posts/later/index.html": false, "posts/later": false, "calendar/2028-02/index.html": false, "CNAME": true, ".git/HEAD": true, "posts/mine.html": true} {
		if _, err := os.Lstat(filepath.Join(o.Out, name)); (err == nil) != want {
			t.Errorf("%s is there: %v", name, err == nil)
		}
	}
	if strings.Contains(all[Marker], "CNAME") {
		t.Error("the marker claims what somebody else has put there")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".public") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}

func TestBuildRefusesFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files())
	write(t, dir, map[string]string{"mine/notes.txt": "mine", "file": "mine", "garbled/" + Marker: "{"})
	if err := os.Symlink("content", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	before := read(t, dir)
	for _, out := range []string{".", "..", "/", "content", "content/public", "content/new/deep", "link", "link/new", "dangling", "templates", ".git/x", "mine", "file", "garbled"} {
		o := options(t, dir)
		o.Out = filepath.Join(dir, out)
		if out == "/" {
			o.Out = "/"
		}
		_, err := Build(context.Background(), o)
		if _, ok := errors.AsType[*FolderError](err); !ok {
			t.Errorf("%s: %v", out, err)
		}
	}
	if diff := cmp.Diff(before, read(t, dir)); diff != "" {
		t.Error(diff)
	}
	for _, out := range []string{"empty", "new/deep"} {
		o := options(t, dir)
		o.Out = filepath.Join(dir, out)
		if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o755); err != nil { //nolint:gosec // a test's folder
			t.Fatal(err)
		}
		if _, all := build(t, o); all["index.html"] == "" {
			t.Errorf("%s: nothing is there", out)
		}
	}
}

func TestBuildInterrupted(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, files())
	o := options(t, dir)
	_, before := build(t, o)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, read(t, o.Out)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkBuild(b *testing.B) {
	dir := b.TempDir()
	m := map[string]string{"site.yaml": siteYAML}
	for i := range 1000 {
		at := now.Add(time.Duration(i-900) * 7 * time.Hour)
		m[fmt.Sprintf("content/%d.md", i)] = fmt.Sprintf("---\nid: p%d\ntitle: Post %d\npublish_at: %s\n---\n%s\n", i, i, at.Format("2006-01-02 15:04"), strings.Repeat("Some words. ", 20))
	}
	write(b, dir, m)
	o := options(b, dir)
	for b.Loop() {
		if _, err := Build(context.Background(), o); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBuildTellsNoPlace holds that pages for others do not have what a camera wrote into a picture.
func TestBuildTellsNoPlace(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	dir, all := t.TempDir(), files()
	all["content/photo.jpg"] = b.String()[:2] + "\xff\xe1\x00\x08GPS 47" + b.String()[2:]
	all["content/photo.md"] = "---\nid: photo111\npublish_at: 2026-12-02 09:00\nmedia: [{file: photo.jpg, alt: A hill}]\n---\nOn the hill.\n"
	write(t, dir, all)
	_, built := build(t, options(t, dir))
	if got := built["media/content/photo.jpg"]; got != b.String() {
		t.Errorf("it has %d bytes, want %d; with the place: %v", len(got), b.Len(), strings.Contains(got, "GPS 47"))
	}
}
