package preview

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/ledger"
)

// small is a site of two posts for two accounts.
func small() map[string]string {
	return map[string]string{
		"site.yaml": "title: Acme\ntimezone: Europe/Berlin\naccounts:\n  bsky: {platform: bluesky, handle: acme.example}\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\n" +
			"defaults: {platforms: [bsky, fedi]}\ncampaigns:\n  winter: {title: Winter}\n",
		"content/one.md": "---\nid: one11111\ntitle: One\npublish_at: 2026-12-01 10:00\n---\nThe first text.\n",
		"content/two.md": "---\nid: two22222\ntitle: Two\npublish_at: 2026-12-02 10:00\ncampaign: winter\n---\nThe second text.\n",
	}
}

func names(blocks map[string]string) []string { return slices.Sorted(maps.Keys(blocks)) }

func TestAnEditIsShown(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	one, two, list := r.follow("/posts/one11111"), r.follow("/posts/two22222"), r.follow("/posts")
	r.write("content/one.md", strings.Replace(small()["content/one.md"], "first text", "first text, 1 < 2", 1))
	came := one.shows("first text, 1 &lt; 2")
	for _, id := range []string{"target-bsky", "target-fedi", "source"} {
		if came[id] == "" {
			t.Errorf("the block %q did not come", id)
		}
	}
	for _, id := range []string{"post-head", "nav"} {
		if _, ok := came[id]; ok {
			t.Errorf("the block %q has come, and nothing in it has changed", id)
		}
	}
	if came := list.shows("first text, 1 &lt; 2"); len(came) != 1 {
		t.Errorf("the list has got %q", names(came))
	}

	// An override of one account leaves the other's card alone.
	r.write("content/one.md", strings.Replace(small()["content/one.md"], "---\nThe", "overrides: {fedi: {title: x}}\n---\n<!-- only: fedi -->\nFor fedi.\n<!-- end -->\n\nThe", 1))
	one.until(func(page string) bool { return strings.Contains(page, "For fedi.") })

	// What concerns other pages only is not heard here: the next thing that this one hears is about itself.
	r.write("content/two.md", strings.Replace(small()["content/two.md"], "second text", "second text, again", 1))
	if came := two.shows("second text, again"); len(came) == 0 {
		t.Error("nothing has come")
	}
	if page := two.text(); strings.Contains(page, "first text") {
		t.Errorf("the page of one post shows another: %s", page)
	}
}

func TestWaysToSave(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts/one11111")
	post := func(text string) string { return strings.Replace(small()["content/one.md"], "first text", text, 1) }
	for i, save := range []func(text string){
		func(text string) { r.write("content/one.md", text) },
		func(text string) { // as most editors do
			r.write("content/.one.md.tmp", text)
			r.rename("content/.one.md.tmp", "content/one.md")
		},
		func(text string) { // vim with a backup
			r.rename("content/one.md", "content/one.md~")
			r.write("content/one.md", text)
			r.remove("content/one.md~")
		},
		func(text string) { // written anew
			r.remove("content/one.md")
			r.write("content/one.md", text)
		},
	} {
		text := fmt.Sprintf("text of save %d", i)
		save(post(text))
		l.shows(text)
	}
}

func TestFilesComeAndGo(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	list, one := r.follow("/posts"), r.follow("/posts/one11111")
	r.write("content/new/folder/three.md", "---\nid: three333\ntitle: Three\n---\nThe third.\n")
	list.shows("Three")
	r.rename("content/new", "content/other")
	r.write("content/other/folder/four.md", "---\nid: four4444\ntitle: Four\n---\nThe fourth.\n")
	list.shows("Four")
	if p := r.page("/posts/three333"); !strings.Contains(p, "content/other/folder/three.md") {
		t.Errorf("the post is not where it has been moved to: %s", p)
	}
	r.remove("content/other")
	list.lacks("Three")

	// A post that is renamed keeps its address, since it has an id.
	r.rename("content/one.md", "content/uno.md")
	one.shows("content/uno.md")
	// One that is deleted says so on its page, and comes back.
	r.remove("content/uno.md")
	one.shows("There is no post")
	if !slices.Equal(one.order, []string{"missing"}) {
		t.Errorf("the page has the blocks %q", one.order)
	}
	if p := r.get("/posts/one11111"); p.status != 404 {
		t.Errorf("a page of a deleted post: %d", p.status)
	}
	r.write("content/uno.md", small()["content/one.md"])
	one.shows("The first text")
	if slices.Contains(one.order, "missing") {
		t.Errorf("the page has the blocks %q", one.order)
	}
	r.remove("content")
	list.shows("This folder has no posts yet")
	r.write("content/one.md", small()["content/one.md"])
	list.shows("1 post<")
}

func TestABranchSwitchIsShown(t *testing.T) {
	const posts = 2000
	dir := folder(t, small())
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=Resi", "-c", "user.email=resi@acme.example", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-q", "-m", "two posts")
	git("checkout", "-q", "-b", "many")
	for i := range posts {
		write(t, dir, fmt.Sprintf("content/%02d/%04d.md", i%40, i), fmt.Sprintf("---\nid: many%04d\ntitle: Number %d\n---\nText %d\n", i, i, i))
	}
	write(t, dir, "content/one.md", strings.Replace(small()["content/one.md"], "first text", "text of the branch", 1))
	git("add", ".")
	git("commit", "-q", "-m", "many posts")

	r := start(t, dir, nil)
	list, one := r.follow("/posts"), r.follow("/posts/one11111")
	if !strings.Contains(list.text(), "2002 posts") {
		t.Fatal(list.text())
	}
	git("checkout", "-q", "main")
	list.shows("2 posts<")
	one.shows("first text")
	git("checkout", "-q", "many")
	list.shows("2002 posts")
	one.shows("text of the branch")
}

func TestHalfTypedFrontMatter(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts/one11111")
	good := small()["content/one.md"]
	for _, half := range []string{"---\nid: one11111\ntitle: [One\npublish_at: 2026-12-01 10:00\n---\nThe first text.\n", "---\nid: one11111\ntitle: One\npubl", "---\nid: one11111\ntitle: \"One\n---\nThe first text.\n"} {
		r.write("content/one.md", half)
		l.shows("cannot be read at the moment")
		if page := l.text(); !strings.Contains(page, "The first text.") || !strings.Contains(l.have["target-bsky"], "The first text.") {
			t.Errorf("the last good version is gone after %q: %s", half, page)
		}
		if p := r.page("/posts/one11111"); !strings.Contains(p, "cannot be read at the moment") {
			t.Errorf("a page loaded after %q does not say that it is stale", half)
		}
		if strings.Contains(l.text(), `id="h-move"`) {
			t.Error("a file that cannot be read can be moved")
		}
		r.write("content/one.md", good)
		l.lacks("cannot be read at the moment")
	}
}

func TestBrokenSiteFile(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts")
	r.write("site.yaml", "accounts: [\n")
	l.until(func(page string) bool { return strings.Contains(page, "<strong>site.yaml</strong>") })
	for _, target := range []string{"/", "/posts", "/posts/one11111", "/calendar", "/accounts", "/campaigns", "/problems", "/new"} {
		for _, wrong := range wellFormed(r.page(target)) {
			t.Errorf("%s: %s", target, wrong)
		}
	}
	r.write("site.yaml", strings.Replace(small()["site.yaml"], "title: Acme", "title: Emca", 1))
	l.lacks("<strong>site.yaml</strong>")
	l2 := r.follow("/posts/one11111")
	if !strings.Contains(l2.text(), "The first text.") || l2.have["target-fedi"] == "" {
		t.Error(l2.text())
	}
	r.remove("site.yaml")
	r.write("content/one.md", strings.Replace(small()["content/one.md"], "title: One", "title: Uno", 1))
	l.shows("Uno")
}

// TestHalfTypedSiteFile keeps what the last site.yaml said while the file cannot be read: accounts, and the time zone that a move would
// write in.
func TestHalfTypedSiteFile(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts/one11111")
	target := l.have["target-fedi"]
	for _, broken := range []string{"accounts: [\n", ""} {
		r.write("site.yaml", broken)
		l.shows("as it was last")
		if l.have["target-fedi"] != target || !strings.Contains(l.text(), "Europe/Berlin") || strings.Contains(l.text(), "C102") {
			t.Errorf("with the site.yaml %q the post is shown as\n%s", broken, l.text())
		}
		if p := r.page("/problems"); !strings.Contains(p, ">site.yaml<") {
			t.Errorf("the problems do not name site.yaml: %s", p)
		}
		r.write("content/one.md", strings.Replace(small()["content/one.md"], "The first text.", "Written meanwhile.", 1))
		l.shows("Written meanwhile.")
		r.write("content/one.md", small()["content/one.md"])
		l.shows("The first text.")
		r.write("site.yaml", small()["site.yaml"])
		l.lacks("as it was last")
	}
}

func TestTemplatesOfTheSite(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts")
	const own = `{{define "posts-head"}}<h1>Our posts</h1>{{end}}`
	r.write("templates/preview/posts-head.html", own)
	if came := l.shows("<h1>Our posts</h1>"); len(came) != 1 {
		t.Errorf("blocks that have not changed came too: %q", names(came))
	}
	// One that cannot be parsed leaves the one before.
	r.write("templates/preview/posts-head.html", `{{define "posts-head"}}<h1>Our {{.Nothing</h1>{{end}}`)
	l.shows("templates/preview/posts-head.html")
	if !strings.Contains(l.text(), "<h1>Our posts</h1>") {
		t.Errorf("the last good one is gone: %s", l.text())
	}
	// One that fails when it is executed is replaced by the program's own, on the pages that need it.
	r.write("templates/preview/posts-head.html", `{{define "posts-head"}}<h1>Our {{.Nothing}}</h1>{{end}}`)
	l.until(func(page string) bool {
		return strings.Contains(page, "<h1>Posts</h1>") && strings.Contains(page, "Nothing")
	})
	if p := r.page("/accounts"); strings.Contains(p, "Nothing") {
		t.Error("a page that does not need the broken template speaks of it")
	}
	r.write("templates/preview/posts-head.html", own)
	l.shows("<h1>Our posts</h1>")
	r.remove("templates")
	l.shows("<h1>Posts</h1>")
	if strings.Contains(l.text(), "last good state") {
		t.Errorf("what was broken is still spoken of: %s", l.text())
	}
}

func TestFrameOfTheSite(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	version := func() string {
		_, rest, _ := strings.Cut(r.page("/posts"), `data-version="`)
		v, _, _ := strings.Cut(rest, `"`)
		return v
	}
	first := version()
	// Each of these must make a page load itself again, once.
	for _, change := range []func(){
		func() { r.write("templates/assets/app.css", "body { color: red }") },
		func() {
			r.write("templates/preview/layout.html", `{{define "layout"}}<!doctype html><html lang="en"><body data-version="{{.Version}}">{{range .Page.Blocks}}{{.HTML}}{{end}}</body></html>{{end}}`)
		},
		func() { r.remove("templates") },
	} {
		before := version()
		l := r.openVersion("/posts", before)
		l.take()
		change()
		for e := l.take(); e.name != "reload"; e = l.take() {
		}
		after := version()
		if after == before {
			t.Errorf("the version is still %s", after)
		}
		l = r.openVersion("/posts", after)
		if e := l.take(); e.name == "reload" {
			t.Error("a page that has just been loaded is loaded again")
		}
	}
	if version() != first {
		t.Error("without templates of the site the page is another than before")
	}

	// A broken frame leaves the one before; one that fails with a page's data is replaced, and the page is not live: it would be loaded for ever.
	l := r.follow("/posts")
	r.write("templates/preview/layout.html", `{{define "layout"}}{{.Nothing}}{{end}}`)
	l.shows("layout")
	r.write("templates/preview/layout.html", `{{define "layout"}}{{if .Page.Blocks}}{{index .Page.Blocks 99}}{{end}}{{end}}`)
	l.until(func(page string) bool { return !strings.Contains(page, "Nothing") })
	if p := r.page("/posts"); strings.Contains(p, "data-live=") || !strings.Contains(p, "index out of range") || !strings.Contains(p, "First") && !strings.Contains(p, "One") {
		t.Error(p)
	}
}

func TestNavigationOfTheSite(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts")
	r.write("templates/preview/nav.html", `{{define "nav"}}<p>{{len .}}{{index . 99}}</p>{{end}}`)
	l.shows("index out of range") // and is not silent
	if !strings.Contains(l.have["nav"], "Campaigns") {
		t.Errorf("the navigation is %q", l.have["nav"])
	}
}

func TestLinksAndPipesAreNoTemplates(t *testing.T) {
	dir := folder(t, small())
	write(t, dir, ".env", "CANARY=canary-of-the-env-file\n")
	write(t, dir, "templates/preview/empty.html", "")
	r := start(t, dir, nil)
	l := r.follow("/posts")
	if err := os.Symlink("../../.env", filepath.Join(dir, "templates/preview/notices.html")); err != nil {
		t.Fatal(err)
	}
	l.shows("templates/preview/notices.html: it is not a regular file")
	if strings.Contains(r.page("/posts"), "canary") {
		t.Error("a link has led a page to .env")
	}
}

func picture(t *testing.T, c color.Color) string {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 8, 4))
	for x := range 8 {
		for y := range 4 {
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAPictureIsReplaced(t *testing.T) {
	files := small()
	files["content/one.md"] = "---\nid: one11111\ntitle: One\npublish_at: 2026-12-01 10:00\nmedia: [{file: pic.png, alt: a square}]\n---\nThe first text.\n"
	red, blue := picture(t, color.RGBA{R: 255, A: 255}), picture(t, color.RGBA{B: 255, A: 255})
	files["content/pic.png"] = red
	r := start(t, folder(t, files), nil)
	l := r.follow("/posts/one11111")
	address := func() string {
		for _, target := range links(l.text()) {
			if strings.HasPrefix(target, "/media/") {
				return target
			}
		}
		t.Fatalf("there is no picture: %s", l.text())
		return ""
	}
	was := address()
	if p := r.get(was); p.body != red || p.header.Get("Content-Type") != "image/png" {
		t.Errorf("%s is not the picture: %v", was, p.header)
	}
	r.write("content/pic.png", blue)
	came := l.until(func(string) bool { return address() != was })
	if p := r.get(address()); p.body != blue {
		t.Error("the new address is not the new picture's")
	}
	for _, id := range []string{"post-head", "move", "nav"} {
		if _, ok := came[id]; ok {
			t.Errorf("the block %q has come, and nothing in it has changed", id)
		}
	}
	r.remove("content/pic.png")
	l.until(func(page string) bool { return !strings.Contains(page, "/media/content/pic.png?v=") })
}

func TestAPageSaysWhatItHas(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	var have []string
	hashes := map[string]string{}
	for _, b := range r.open("/posts/one11111", "").take().Blocks {
		have = append(have, b.ID+"."+b.Hash)
		hashes[b.ID] = b.Hash
	}
	// What is loaded has the same hashes as what is told.
	for id, hash := range hashes {
		if p := r.page("/posts/one11111"); !strings.Contains(p, fmt.Sprintf("id=%q data-h=%q", id, hash)) {
			t.Errorf("the page does not have the block %s with the hash %s", id, hash)
		}
	}
	// With everything there is nothing to be told, until something changes.
	l := r.open("/posts/one11111", strings.Join(have, " "))
	r.write("content/one.md", strings.Replace(small()["content/one.md"], "first text", "changed text", 1))
	l.shows("changed text")
	for _, id := range []string{"post-head", "nav"} {
		if _, ok := l.have[id]; ok {
			t.Errorf("the block %q has come, and nothing in it has changed", id)
		}
	}
	l.close()
	// A connection that breaks and is opened with the same words hears of what has changed since then.
	again := r.open("/posts/one11111", strings.Join(have, " "))
	if e := again.take(); !strings.Contains(again.have["target-bsky"], "changed text") || len(e.Blocks) == len(have) {
		t.Errorf("what has changed meanwhile did not come, or everything did")
	}
	// Blocks that are not on the page any more are told by the order of those that are.
	odd := r.open("/posts/one11111", strings.Join(have, " ")+" gone.0123 strange .x y. . \x00")
	if e := odd.take(); slices.Contains(e.Order, "gone") {
		t.Errorf("the order is %q", e.Order)
	}
}

func TestTheLedgerIsFollowed(t *testing.T) {
	var (
		mu  sync.Mutex
		now = &Book{Tip: "none", View: ledger.Memory{}}
		bad = errBroken
	)
	waits := make(chan chan struct{})
	r := start(t, sample(t), func(o *Options) {
		o.Ledger = func(_ context.Context, tip string) (*Book, error) {
			mu.Lock()
			defer mu.Unlock()
			if bad != nil || tip == now.Tip {
				return nil, bad
			}
			return now, nil
		}
		o.Wait = func(ctx context.Context, d time.Duration) error {
			if d != lookEvery {
				<-ctx.Done()
				return ctx.Err()
			}
			over := make(chan struct{})
			select {
			case waits <- over:
				<-over
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	l := r.follow("/")
	if !strings.Contains(l.text(), "the ledger cannot be read") {
		t.Error("a ledger that cannot be read is not spoken of")
	}
	look := func(b *Book, err error) {
		over := <-waits
		mu.Lock()
		now, bad = b, err
		mu.Unlock()
		close(over)
	}
	empty := now
	look(empty, nil)
	l.lacks("the ledger cannot be read")
	look(book(), nil)
	l.shows("Twelve &lt;centimetres&gt;")
	post := r.follow("/posts/q5xk2vbe")
	if d := post.have["target-bluesky"]; !strings.Contains(d, "<del>Twelve &lt;centimetres&gt;") {
		t.Errorf("what is out is not compared: %s", d)
	}
	look(book(), errBroken)
	l.shows("it is broken")
	look(book(), nil) // whose tip is known already
	l.lacks("it is broken")
	if !strings.Contains(l.text(), "Twelve &lt;centimetres&gt;") {
		t.Error("what was known is forgotten")
	}
	// One that says what cannot be keeps the board, and its trouble stays until there is another.
	look(&Book{View: damaged{}, Tip: "2"}, nil)
	l.shows("cannot be made out")
	look(book(), nil)
	l.lacks("cannot be made out")
}

// damaged is a ledger that says what cannot be.
type damaged struct{ ledger.Memory }

var errDamaged = errors.New("a record cannot be made out")

func (damaged) Brief(ledger.ID) (ledger.Brief, bool, error) { return ledger.Brief{}, false, errDamaged }

func (damaged) Record(ledger.ID) (*ledger.Record, error) { return nil, errDamaged }

func (damaged) Open() ([]*ledger.Record, error) { return nil, errDamaged }

func (damaged) Holds() ([]ledger.Hold, error) { return nil, errDamaged }
