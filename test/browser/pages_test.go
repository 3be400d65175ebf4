package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// standards are the rules of axe-core that pages keep.
const standards = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`

// axe returns the script of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "./install", "--where").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("axe-core is not installed, run test/browser/install: %v", err)
	}
	return string(b)
}

// artefacts is the folder for screenshots.
func artefacts(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("POSTRIDER_ARTEFACTS")
	if dir == "" {
		return t.TempDir()
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// large adds to a site what strains pages: 200 more posts, a thread with pictures and a poll, a post that has errors,
// and one whose words are as long as words get.
func large(f *folder) {
	f.t.Helper()
	begin := time.Date(time.Now().Year()+1, time.March, 1, 9, 0, 0, 0, time.UTC)
	for i := range 200 {
		at := begin.AddDate(0, 0, i/3).Add(time.Duration(i%3) * 2 * time.Hour)
		f.write(fmt.Sprintf("content/more/post-%03d.md", i), fmt.Sprintf("---\nid: more%04d\ntitle: Letter number %d from the workshop\npublish_at: %s\n---\nLetter %d: the ash is dry, the steam is hot, and the dog sleeps. https://fichtl.example/letters/%d\n",
			i, i, at.Format("2006-01-02 15:04"), i, i))
	}
	when := begin.AddDate(0, 1, 0).Format("2006-01-02")
	f.write("content/more/thread.md", "---\nid: thread01\ntitle: A thread\npublish_at: "+when+" 07:10\n---\nHow a rope is made, in three parts.\n\n---\n\nSecond: it is *laid*, not braided. See [how](https://fichtl.example/rope).\n\n---\n\nThird, and last: it is waxed. #sledding\n")
	f.write("content/more/broken.md", "---\nid: broken01\ntitle: Too long for everybody\npublish_at: "+when+" 07:30\nplatfroms: [bluesky]\n---\n"+strings.Repeat("This sentence is repeated until no network takes it. ", 30)+"\n")
	f.write("content/more/words.md", "---\nid: words001\ntitle: "+strings.Repeat("Donaudampfschifffahrtsgesellschaft", 4)+"\npublish_at: "+when+" 07:50\n---\n"+strings.Repeat("Rindfleischetikettierungsüberwachung", 5)+" https://fichtl.example/"+strings.Repeat("long/", 30)+"\n")
	f.write("content/more/poll.md", "---\nid: longpoll\ntitle: A poll\npublish_at: "+when+" 08:30\ncampaign: winter-launch\npoll: {options: [\"No\", "+strings.Repeat("Mmmmm", 12)+"], duration: 1d}\n---\nWhich?\n")
	f.write("site.yaml", strings.Replace(f.read("site.yaml"), "accounts:\n", "accounts:\n  "+strings.Repeat("long-name-", 6)+": {platform: webhook, url: \"https://long.example\"}\n", 1))
	f.write("content/more/rtl.md", "---\nid: rtltext1\ntitle: שלום מהסדנה\npublish_at: "+when+" 08:10\n---\nמזחלת חדשה מעץ מילה. <script>alert(1)</script> \"><img src=x onerror=alert(1)> 👩‍👩‍👧 קישור: https://fichtl.example/he\n")
	f.commit()
}

// walk are the pages that people open, by the names of their screenshots.
func walk() []struct{ name, path string } {
	next := time.Now().Year() + 1
	return []struct{ name, path string }{
		{"today", "/"},
		{"posts", "/posts"},
		{"posts-filtered", "/posts?q=sled&state=scheduled&sort=name"},
		{"posts-page-2", "/posts?page=2"},
		{"posts-none", "/posts?q=nothing+has+these+words"},
		{"post-thread", "/posts/thread01"},
		{"post-pictures", "/posts/h3wq6zna"},
		{"post-broken", "/posts/broken01"},
		{"post-words", "/posts/words001"},
		{"post-poll", "/posts/longpoll"},
		{"posts-poll", "/posts?q=poll"},
		{"post-rtl", "/posts/rtltext1"},
		{"calendar-month", "/calendar/2026-12"},
		{"calendar-full", fmt.Sprintf("/calendar/%d-03?by=account", next)},
		{"calendar-week", "/calendar/week/2026-11-30"},
		{"calendar-list", "/calendar/list/2026-12"},
		{"calendar-day", "/calendar/list/2026-12-03"},
		{"campaigns", "/campaigns"},
		{"campaign", "/campaigns/winter-launch"},
		{"problems", "/problems"},
		{"accounts", "/accounts"},
		{"new", "/new"},
		{"not-found", "/there/is/no/such/page"},
	}
}

// TestPages opens every page at three widths, light and dark: none complains, none keeps anybody out, none scrolls sideways.
func TestPages(t *testing.T) {
	f := published(t)
	large(f)
	srv := serve(t, f, "0")
	script, dir := axe(t), artefacts(t)
	b := newTab(t, srv)
	b.expect("") // each page listens for itself
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		t.Fatal(err)
	}
	for _, p := range walk() {
		t.Run(p.name, func(t *testing.T) {
			b := &tab{t: t, ctx: b.ctx, srv: srv}
			if err := chromedp.Listen(b.ctx, b.hear); err != nil {
				t.Fatal(err)
			}
			if p.name == "not-found" {
				b.expect("404")
			}
			b.open(p.path)
			b.wait(`document.querySelector("main h1") && !document.querySelector("main").innerText.includes("checking all posts")`)
			for _, width := range []int64{360, 1440, 2560} {
				b.size(width, 1000)
				for _, scheme := range []string{"light", "dark"} {
					b.scheme(scheme)
					where := fmt.Sprintf("%s-%d-%s", p.name, width, scheme)
					if too := eval[string](b, `(() => { const e = document.documentElement; return e.scrollWidth > e.clientWidth ? `+
						`[...document.querySelectorAll("body *")].filter((n) => !n.closest(".nav, pre, .scroll") && n.getBoundingClientRect().right > e.clientWidth + 1).slice(0, 5).map((n) => n.outerHTML.slice(0, 120)).join("\n") || "?" : ""; })()`); too != "" {
						t.Errorf("%s scrolls sideways because of\n%s", where, too)
					}
					if width < 2560 || scheme == "light" { // wide and dark has nothing that these have not
						for _, v := range violations(b) {
							t.Errorf("%s: %s", where, v)
						}
					}
					shot(b, filepath.Join(dir, where+".png"))
				}
			}
			b.calm(p.path)
		})
	}
}

// violations returns what axe-core finds wrong with the page.
func violations(b *tab) []string {
	b.t.Helper()
	text := eval[string](b, `axe.run(document, {runOnly: `+standards+`, resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => `+
		`v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map((n) => "    " + n.html.slice(0, 200) + "\n      " + (n.any[0] || n.all[0] || n.none[0]).message).join("\n"))))`)
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// shot takes a screenshot of the whole page, or of its first 3,000 pixels.
func shot(b *tab, file string) {
	b.t.Helper()
	size := eval[[]float64](b, `[innerWidth, Math.min(3000, document.documentElement.scrollHeight)]`)
	yes := true
	res, err := chromedp.Call(b.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: &yes, OptimizeForSpeed: &yes, Clip: &page.Viewport{Width: size[0], Height: size[1], Scale: 1},
	})
	if err == nil {
		err = os.WriteFile(file, res.Data, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestWithoutScripts reads every page with scripts switched off.
func TestWithoutScripts(t *testing.T) {
	f := sample(t)
	large(f)
	srv := serve(t, f, "0")
	b := newTab(t, srv)
	b.scriptless()
	b.expect("404")
	for _, p := range walk() {
		b.open(p.path)
		if h := strings.TrimSpace(get(b, chromedp.TextContent(chromedp.CSS("main h1")))); h == "" {
			t.Errorf("%s has no heading", p.path)
		}
		if shown := eval[string](b, `[...document.querySelectorAll(".needs-js, .copy, [data-live-state]")].filter((n) => n.checkVisibility()).map((n) => n.outerHTML).join("\n")`); shown != "" {
			t.Errorf("%s offers what only scripts can do: %s", p.path, shown)
		}
		if text := get(b, chromedp.TextContent(chromedp.CSS("main"))); p.name == "post-thread" && !strings.Contains(text, "How a rope is made") {
			t.Errorf("%s does not show the post: %s", p.path, text)
		}
	}
}
