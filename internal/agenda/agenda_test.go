package agenda

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

const siteFile = `title: Acme
url: https://acme.example
timezone: Europe/Berlin
accounts:
  fedi: {platform: mastodon, server: "https://acme.example"}
  bsky: {platform: bluesky, handle: acme.example}
defaults: {platforms: [fedi, bsky], language: en}
`

// fixture is a repository without a remote.
type fixture struct {
	t    *testing.T
	repo *gitrepo.Repo
	o    Options
}

func newFixture(t *testing.T, files map[string]string) *fixture {
	t.Helper()
	repo, err := gitrepo.Init(t.TempDir(), false, "main")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { repo.Close() })
	f := &fixture{t: t, repo: repo, o: Options{
		Repo: repo, Registry: adapters.All(), Env: func(string) string { return "" }, CacheDir: t.TempDir(), Version: "1", Log: slog.New(slog.DiscardHandler),
	}}
	f.commit(files)
	return f
}

func (f *fixture) tip() gitrepo.Hash {
	f.t.Helper()
	h, err := f.repo.Ref("refs/heads/main")
	if err != nil {
		f.t.Fatal(err)
	}
	return h
}

func (f *fixture) commit(files map[string]string) {
	f.t.Helper()
	changes := map[string][]byte{}
	for name, text := range files {
		changes[name] = []byte(text)
		if text == "" {
			changes[name] = nil
		}
	}
	_, err := f.repo.Commit(f.t.Context(), gitrepo.Commit{
		Branch: "main", Parent: f.tip(), Files: changes, Message: "change", Name: "Anna", Email: "anna@acme.example", Time: time.Unix(1_800_000_000, 0),
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) open() *Agenda {
	f.t.Helper()
	a, err := Open(f.t.Context(), f.o, f.tip())
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func (f *fixture) targets(a *Agenda) []plan.Target {
	f.t.Helper()
	targets, _, err := a.Targets(f.t.Context(), ledger.Memory{})
	if err != nil {
		f.t.Fatal(err)
	}
	return targets
}

// brief writes targets as "post path account: blocked".
func brief(targets []plan.Target) []string {
	var lines []string
	for _, t := range targets {
		lines = append(lines, strings.TrimSuffix(t.Post+" "+t.Path+" "+t.Account+": "+t.Blocked, ": "))
	}
	return lines
}

func (f *fixture) cache() string { return filepath.Join(f.o.CacheDir, cacheFile) }

const hello = "---\nid: aaaa1111\ntitle: Hello\npublish_at: 2026-12-01 09:00\nexpires_at: 2026-12-24 00:00\ncampaign: winter\nlate: publish\n---\nHello.\n"

func TestTargets(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile + "campaigns: {winter: {title: Winter}}\n", "content/a.md": hello, "content/README.md": "# no post", "content/_drafts/b.md": hello})
	targets := f.targets(f.open())
	if diff := cmp.Diff([]string{"aaaa1111 content/a.md bsky", "aaaa1111 content/a.md fedi"}, brief(targets)); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	for _, x := range targets {
		if x.Title != "Hello" || !x.Due.Equal(time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)) || x.ExpiresAt.IsZero() || x.Campaign != "winter" || x.Late != "publish" || x.Source == "" {
			t.Errorf("%+v", x)
		}
	}
}

// TestCacheGivesTheSame reads a site with a cold cache, a warm one, and none.
func TestCacheGivesTheSame(t *testing.T) {
	f := newFixture(t, map[string]string{
		"site.yaml": siteFile, "content/a.md": hello,
		"content/b.md":       "---\nid: bbbb2222\nplatforms: [fedi]\npublish_at: 2026-12-01T09:00:00+05:30\n---\nWorld.\n",
		"content/c.md":       "---\nid: cccc3333\nplatfroms: [fedi]\n---\nBroken.\n",
		"content/d.md":       "---\nid: dddd4444\nrepeat: FREQ=WEEKLY\npublish_at: 2026-10-01 09:00\ntimezone: America/New_York\n---\nWeekly.\n",
		"content/e/index.md": "---\nid: eeee5555\nmedia: [{file: gone.jpg, alt: Gone}]\n---\nWith a picture.\n",
	})
	cold := f.targets(f.open())
	if _, err := os.Stat(f.cache()); err != nil {
		t.Fatalf("nothing was cached: %v", err)
	}
	warm := f.targets(f.open())
	f.o.CacheDir = ""
	none := f.targets(f.open())
	if len(cold) < 8 {
		t.Errorf("only %d targets", len(cold))
	}
	zones := cmp.Transformer("zone", func(t time.Time) string { return t.Format("2006-01-02T15:04:05 MST -0700") })
	for name, got := range map[string][]plan.Target{"warm": warm, "none": none} {
		if diff := cmp.Diff(cold, got, zones); diff != "" {
			t.Errorf("%s cache (-cold +%s):\n%s", name, name, diff)
		}
	}
	for _, x := range warm {
		if x.Post == "dddd4444" && x.Due.Location().String() != "America/New_York" {
			t.Errorf("a repeated post of %s has lost its zone", x.Due.Location())
		}
	}
}

// A post's link card is part of what it was sent from, as its picture is; what is wrong with it keeps the post back.
func TestLinkCard(t *testing.T) {
	const linked = "---\nid: aaaa1111\nplatforms: [bsky]\nlink: https://acme.example/winter\npublish_at: 2026-12-01 09:00\n---\nHello.\n"
	const card = "url: https://acme.example/winter\ntitle: Winter\nimage: sled.png\n"
	picture := func(side int) string {
		var b bytes.Buffer
		if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	f := newFixture(t, map[string]string{"web/site.yaml": siteFile, "web/content/a.md": linked, "web/content/z.md": strings.Replace(linked, "aaaa1111", "zzzz9999", 1)})
	f.o.Prefix = "web"
	seen := map[string]bool{}
	look := func(what string, fetches bool, blocked string) {
		t.Helper()
		cold := f.o
		cold.CacheDir = ""
		anew, err := Open(t.Context(), cold, f.tip())
		if err != nil {
			t.Fatal(err)
		}
		want, got := f.targets(anew), f.targets(f.open())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-without a cache +with it):\n%s", what, diff)
		}
		if got[0].FetchesCard != fetches || !strings.Contains(got[0].Blocked, blocked) || blocked == "" && got[0].Blocked != "" {
			t.Errorf("%s: %+v", what, got[0])
		}
		if seen[got[0].Source] {
			t.Errorf("%s: the source is as it was once before", what)
		}
		seen[got[0].Source] = true
		if got[1].Blocked != "" || !got[1].FetchesCard {
			t.Errorf("%s: %+v", what, got[1])
		}
	}
	plain := f.targets(f.open())
	look("without a card", true, "")
	f.commit(map[string]string{"web/content/a.card.yaml": card, "web/content/sled.png": picture(1)})
	look("with a card", false, "")
	f.commit(map[string]string{"web/content/a.card.yaml": card + "description: Snow\n"})
	look("with another card", false, "")
	f.commit(map[string]string{"web/content/sled.png": picture(2)})
	look("with another picture", false, "")
	f.commit(map[string]string{"web/content/sled.png": ""})
	look("without its picture", false, "M101")
	f.commit(map[string]string{"web/content/a.card.yaml": card + "titel: x\n"})
	look("with a mistake", true, `K101: a.card.yaml, line 4: unknown key "titel"`)
	f.commit(map[string]string{"web/content/a.card.yaml": ""})
	if diff := cmp.Diff(plain, f.targets(f.open())); diff != "" {
		t.Errorf("without a card again:\n%s", diff)
	}
}

// TestCacheIsUsed marks an entry in the cache, to see which entries are taken from it.
func TestCacheIsUsed(t *testing.T) {
	other := strings.Replace(hello, "aaaa1111", "bbbb2222", 1)
	tests := []struct {
		name   string
		change func(*fixture)
		marked bool
	}{
		{"nothing changed", func(*fixture) {}, true},
		{"another file changed", func(f *fixture) { f.commit(map[string]string{"content/b.md": other}) }, true},
		{"the file changed", func(f *fixture) { f.commit(map[string]string{"content/a.md": hello + "\nMore.\n"}) }, false},
		{"site.yaml changed", func(f *fixture) { f.commit(map[string]string{"site.yaml": siteFile + "\n# a comment\n"}) }, false},
		{"another version of the program", func(f *fixture) { f.o.Version = "2" }, false},
		{"damaged", func(f *fixture) {
			b, err := os.ReadFile(f.cache())
			if err == nil {
				err = os.WriteFile(f.cache(), b[:len(b)-3], 0o600)
			}
			if err != nil {
				f.t.Fatal(err)
			}
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, map[string]string{"site.yaml": siteFile, "content/a.md": hello})
			a := f.open()
			marked := slices.Clone(a.entries)
			marked[0].title = "from the cache"
			key := f.key(a)
			if err := os.WriteFile(f.cache(), encodeCache(key, marked), 0o600); err != nil {
				t.Fatal(err)
			}
			tt.change(f)
			e := f.open().entries[0]
			e.decode(map[string]*time.Location{})
			if got := e.title == "from the cache"; got != tt.marked {
				t.Errorf("taken from the cache: %v, want %v", got, tt.marked)
			}
		})
	}
}

func (f *fixture) key(a *Agenda) string {
	f.t.Helper()
	id, err := a.tree.ID("site.yaml")
	if err != nil {
		f.t.Fatal(err)
	}
	return f.o.Version + " " + string(id)
}

func TestCacheThatCannotBeWrittenIsNoError(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile, "content/a.md": hello})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.o.CacheDir = filepath.Join(file, "below")
	if got := f.targets(f.open()); len(got) != 2 {
		t.Errorf("%d targets", len(got))
	}
}

func TestSiteInASubfolder(t *testing.T) {
	f := newFixture(t, map[string]string{
		"web/site.yaml": siteFile, "web/content/a.md": hello, "content/elsewhere.md": strings.Replace(hello, "aaaa1111", "bbbb2222", 1),
		"web/content/b/index.md": "---\nid: cccc3333\nplatforms: [fedi]\nmedia: [{file: p.png, alt: P}]\n---\nPicture.\n", "web/content/b/p.png": "not a picture",
	})
	f.o.Prefix = "web"
	a := f.open()
	targets := f.targets(a)
	paths := map[string]bool{}
	for _, x := range targets {
		paths[x.Path] = true
	}
	if diff := cmp.Diff(map[string]bool{"content/a.md": true, "content/b/index.md": true}, paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	before := targets[len(targets)-1].Source
	f.commit(map[string]string{"web/content/b/p.png": "another file"})
	targets = f.targets(f.open())
	if targets[len(targets)-1].Source == before {
		t.Error("a changed picture changes nothing")
	}
	if r, err := a.Render("content/a.md", "fedi"); err != nil || r.Parts[0].Text == "" {
		t.Errorf("render: %+v, %v", r, err)
	}
}

func TestSameIDBlocksBoth(t *testing.T) {
	f := newFixture(t, map[string]string{
		"site.yaml": strings.Replace(siteFile, "[fedi, bsky]", "[fedi]", 1), "content/a.md": hello,
		"content/b.md": strings.Replace(hello, "aaaa1111", "AAAA1111", 1), "content/c.md": strings.Replace(hello, "aaaa1111", "cccc3333", 1),
		"content/d.md": hello,
	})
	got := brief(f.targets(f.open()))
	for _, line := range got {
		want := !strings.HasPrefix(line, "cccc3333")
		if strings.Contains(line, "F132: the id") != want {
			t.Errorf("%s", line)
		}
	}
	if len(got) != 4 || !strings.Contains(got[0], "is also that of content/b.md") || !strings.Contains(got[3], "is also that of content/a.md") {
		t.Errorf("%q", got)
	}
}

func TestSiteFileWithErrors(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile + "colour: red\n", "content/a.md": hello})
	_, err := Open(t.Context(), f.o, f.tip())
	ce, ok := errors.AsType[*ConfigError](err)
	if !ok || !ce.Findings.HasErrors() || !strings.Contains(err.Error(), "site.yaml:8:1") || !strings.Contains(err.Error(), "colour") {
		t.Errorf("error = %v (%T)", err, err)
	}
}

func TestNoSiteFile(t *testing.T) {
	f := newFixture(t, map[string]string{"content/a.md": hello})
	if _, err := Open(t.Context(), f.o, f.tip()); !errors.Is(err, ErrNoSite) {
		t.Errorf("error = %v, want ErrNoSite", err)
	}
}

// TestUnreadableFileWaits has a post that is a symbolic link, which is not followed: it is listed and blocked, and
// read again by the next run.
func TestUnreadableFileWaits(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile, "content/a.md": hello})
	dir := f.repo.Root()
	git := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=A", "-c", "user.email=a@example.com"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	git("reset", "-q", "--hard")
	if err := os.Symlink("a.md", filepath.Join(dir, "content", "link.md")); err != nil {
		t.Fatal(err)
	}
	git("add", "content/link.md")
	git("commit", "-q", "-m", "link")
	for range 2 {
		var blocked []string
		for _, line := range brief(f.targets(f.open())) {
			if strings.Contains(line, "link.md") {
				blocked = append(blocked, line)
			}
		}
		want := "content/link.md content/link.md bsky: F101: it cannot be read: is a symbolic link, which is not followed"
		if len(blocked) != 2 || blocked[0] != want {
			t.Errorf("%q, want %q first", blocked, want)
		}
	}
}

func TestCancelled(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile, "content/a.md": hello})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, f.o, f.tip()); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if _, err := os.Stat(f.cache()); err == nil {
		t.Error("what a cancelled run has read was cached")
	}
}

var exact = cmp.Options{cmp.AllowUnexported(entry{}, details{}, targetEntry{}), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b time.Time) bool {
	_, x := a.Zone()
	_, y := b.Zone()
	return a.Equal(b) && a.IsZero() == b.IsZero() && x == y
})}

func TestCacheRoundTrip(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	entries := []entry{
		{},
		{path: "content/a.md", blob: strings.Repeat("0", 40), id: "a", media: []string{"a.png", ""}, proof: "\x00\xff", settled: 3, details: details{title: "Ünïcode \x00", blocked: "F101: x"}},
		{path: "b", details: details{targets: []targetEntry{
			{account: "x", due: time.Unix(1_800_000_000, 0).In(zone), late: "skip", campaign: "c", repeat: "FREQ=DAILY", draft: true},
			{account: "y", due: time.Date(1969, 7, 20, 20, 17, 0, 0, time.FixedZone("", -4*3600)), expires: time.Unix(0, 0).UTC(), withdraw: true},
			{account: "z", due: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)},
		}}},
	}
	b := encodeCache("key", entries)
	got, ok := decodeCache(b, "key")
	if !ok || !decodeAll(got) {
		t.Fatal("not read back")
	}
	if diff := cmp.Diff(entries, got, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, ok := decodeCache(b, "other"); ok {
		t.Error("read under another key")
	}
	if raw, _ := decodeCache(b, "key"); string(encodeCache("key", raw)) != string(b) {
		t.Error("details that nobody needed have changed")
	}
}

func decodeAll(entries []entry) bool {
	ok, zones := true, map[string]*time.Location{}
	for i := range entries {
		ok = entries[i].decode(zones) && ok
	}
	return ok
}

// TestSettledPostsAreLeftOut plans with a ledger in which all is published, again after each kind of change.
func TestSettledPostsAreLeftOut(t *testing.T) {
	f := newFixture(t, map[string]string{
		"site.yaml":      siteFile,
		"content/a.md":   "---\nid: aaaa1111\nmedia: [{file: a.png, alt: A}]\n---\nHello.\n",
		"content/a.png":  "a picture",
		"content/b.md":   "---\nid: bbbb2222\nplatforms: [fedi]\n---\nWorld.\n",
		"content/exp.md": "---\nid: cccc3333\nplatforms: [fedi]\nexpires_at: 2030-01-01 09:00\n---\nGoes.\n",
	})
	v := &stamped{stamp: "1"}
	for _, x := range f.targets(f.open()) {
		v.Memory = append(v.Memory, &ledger.Record{Post: x.Post, Account: x.Account, Platform: string(x.Platform), State: ledger.Published, Source: x.Source})
	}
	steps := []struct {
		name    string
		change  func()
		want    []string
		settled int
	}{
		{"the first time", func() {}, []string{"cccc3333"}, 3},
		{"nothing changed", func() {}, []string{"cccc3333"}, 3},
		{"a picture changed", func() { f.commit(map[string]string{"content/a.png": "another"}) }, []string{"aaaa1111", "aaaa1111", "cccc3333"}, 1},
		{"and back", func() { f.commit(map[string]string{"content/a.png": "a picture"}) }, []string{"cccc3333"}, 3},
		{"the ledger changed", func() { v.stamp, v.Memory[2].State = "2", ledger.Unknown }, []string{"bbbb2222", "cccc3333"}, 2},
		{"the ledger changed back", func() { v.stamp, v.Memory[2].State = "1", ledger.Published }, []string{"cccc3333"}, 3},
		{"an open record beside", func() {
			v.Memory = append(v.Memory, &ledger.Record{Post: "bbbb2222", Account: "gone", State: ledger.Sending})
		}, []string{"bbbb2222", "cccc3333"}, 2},
		{"a new file", func() {
			f.commit(map[string]string{"content/aa.md": "---\nid: dddd4444\nplatforms: [fedi]\n---\nNew.\n"})
		}, []string{"dddd4444", "bbbb2222", "cccc3333"}, 2},
		{"a deleted file", func() { f.commit(map[string]string{"content/a.md": ""}) }, []string{"dddd4444", "bbbb2222", "cccc3333"}, 0},
	}
	for _, step := range steps {
		step.change()
		for _, dir := range []string{f.o.CacheDir, ""} { // with the cache, and without any
			o := f.o
			o.CacheDir = dir
			a, err := Open(t.Context(), o, f.tip())
			if err != nil {
				t.Fatal(err)
			}
			targets, settled, err := a.Targets(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			var posts []string
			for _, x := range targets {
				posts = append(posts, x.Post)
			}
			if diff := cmp.Diff(step.want, posts); diff != "" || settled != step.settled {
				t.Errorf("%s (cache %q): %d settled, want %d; targets (-want +got):\n%s", step.name, dir, settled, step.settled, diff)
			}
		}
	}
}

// stamped is a ledger whose stamp is what a test says.
type stamped struct {
	ledger.Memory
	stamp string
}

func (s *stamped) Stamp(string) (string, error) { return s.stamp, nil }

func TestDamagedDetailsAreReadAgain(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile, "content/a.md": hello})
	a := f.open()
	want := f.targets(a)
	damaged := slices.Clone(a.entries)
	damaged[0].rest = "\xff\xff"
	if err := os.WriteFile(f.cache(), encodeCache(f.key(a), damaged), 0o600); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(brief(want), brief(f.targets(f.open()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzDecodeCache reads any bytes as a cache: never a panic or an allocation out of proportion, and what is
// read can be written and read back.
func FuzzDecodeCache(f *testing.F) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	whole := encodeCache("k", []entry{{path: "a", blob: "b", id: "i", media: []string{"m"}, details: details{targets: []targetEntry{{account: "x", due: time.Unix(1_800_000_000, 0).In(zone), repeat: "FREQ=DAILY"}}}}})
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte(cacheMagic + "\x01k\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Add([]byte(cacheMagic + "\x01k\x01\x00\x00\x00\x00\x00\x00\x13\x00\x00\x01\x00\x06@Local\x02\x02\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte(cacheMagic + "\x01k\x01\x00\x00\x00\x00\x00\x00\x12\x00\x00\x01\x00\x05@../x\x02\x02\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, ok := decodeCache(b, "k")
		if !ok || !decodeAll(entries) {
			return
		}
		again, ok := decodeCache(encodeCache("k", entries), "k")
		if !ok || !decodeAll(again) {
			t.Fatal("what was read cannot be written and read back")
		}
		if diff := cmp.Diff(entries, again, exact); diff != "" {
			t.Errorf("(-first +second):\n%s", diff)
		}
	})
}

// TestPanicIsAnError has an adapter fail on a post: whoever opened the site learns that, and goes on.
func TestPanicIsAnError(t *testing.T) {
	f := newFixture(t, map[string]string{"site.yaml": siteFile, "content/a.md": "---\nid: a\n---\nOne.\n"})
	bluesky, _ := f.o.Registry.Get("bluesky")
	mastodon, _ := f.o.Registry.Get("mastodon")
	f.o.Registry = platform.NewRegistry(broken{bluesky}, mastodon)
	a, err := Open(t.Context(), f.o, f.tip())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Targets(t.Context(), ledger.Memory{}); err == nil || err.Error() != "the program failed: a nil map" {
		t.Errorf("got %v", err)
	}
}

// broken is an adapter that fails.
type broken struct{ platform.Adapter }

func (broken) Render(*post.Variant, *platform.Account) (platform.Rendering, finding.List) {
	panic("a nil map")
}
