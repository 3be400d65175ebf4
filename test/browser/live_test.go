package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// own writes a post of the test's own, far enough ahead that nothing is due, and long enough that its page scrolls.
func own(f *folder, id, title, at string) string {
	f.t.Helper()
	name := "content/own/" + id + ".md"
	f.write(name, "---\nid: "+id+"\ntitle: "+title+"\npublish_at: "+at+" # when the shop opens\n---\nThe first version of this text.\n")
	f.commit()
	return name
}

// month returns the month after the next one, as YYYY-MM.
func month() string {
	now := time.Now()
	return time.Date(now.Year(), now.Month()+2, 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
}

// TestLive edits a file in the ways editors do. The page shows it without being loaded again, and nothing of what its
// reader was doing is lost.
func TestLive(t *testing.T) {
	f := sample(t)
	name := own(f, "livepost", "A living post", month()+"-10 09:30")
	b := newTab(t, serve(t, f, "0"))
	b.size(1200, 500)
	b.open("/posts/livepost")
	b.live()
	b.shows("The first version of this text.")

	// What a reader does: unfolds something, scrolls down, and begins to search.
	eval[bool](b, `window.marker = true, document.getElementById("t-bluesky").open = true, scrollTo(0, 150), true`)
	b.do(chromedp.Focus(chromedp.CSS("#q")), chromedp.KeyEvent("half ty"))
	eval[bool](b, `document.getElementById("q").setSelectionRange(2, 4), scrollTo(0, 150), true`)
	kept := func(when string) {
		t.Helper()
		for what, expression := range map[string]string{
			"the page itself":        `window.marker === true`,
			"what was unfolded":      `document.getElementById("t-bluesky").open`,
			"where it was scrolled":  `Math.abs(scrollY - 150) < 2`,
			"the focus":              `document.activeElement.id === "q"`,
			"what was typed":         `document.getElementById("q").value === "half ty"`,
			"the selection":          `document.getElementById("q").selectionStart === 2 && document.getElementById("q").selectionEnd === 4`,
			"that ids are unique":    `new Set([...document.querySelectorAll("[id]")].map((n) => n.id)).size === document.querySelectorAll("[id]").length`,
			"that it is still live":  `document.querySelector("[data-live-state]").dataset.state === "on"`,
			"that nothing is pasted": `!document.querySelector("main script")`,
		} {
			if !eval[bool](b, expression) {
				t.Errorf("%s, the page lost %s", when, what)
			}
		}
	}
	text := f.read(name)
	with := func(words string) string { return strings.Replace(text, "The first version", words, 1) }

	f.write(name, with("Cut and written: a version"))
	b.shows("Cut and written: a version")
	kept("after a plain save")

	f.write("content/own/.livepost.md.tmp", with("Renamed into place: a version"))
	if err := os.Rename(f.path("content/own/.livepost.md.tmp"), f.path(name)); err != nil {
		t.Fatal(err)
	}
	b.shows("Renamed into place: a version")
	kept("after an atomic save")

	// As vim does with backupcopy=no: the old file becomes the backup, a new one takes its name, the backup goes.
	if err := os.Rename(f.path(name), f.path(name+"~")); err != nil {
		t.Fatal(err)
	}
	f.write(name, with("With a backup: a version"))
	if err := os.Remove(f.path(name + "~")); err != nil {
		t.Fatal(err)
	}
	b.shows("With a backup: a version")
	kept("after a save with a backup")

	// Half-typed front matter keeps the last good version, and says so.
	f.write(name, strings.Replace(with("Broken: a version"), "publish_at: ", "publish_at: [", 1))
	b.shows("The file cannot be read at the moment.")
	b.shows("With a backup: a version")
	f.write(name, with("Mended: a version"))
	b.shows("Mended: a version")
	b.wait(`!document.getElementById("main").innerText.includes("cannot be read at the moment")`)
	kept("after broken front matter")

	// The post goes while its page is open, and comes back.
	if err := os.Remove(f.path(name)); err != nil {
		t.Fatal(err)
	}
	b.shows("There is no post")
	f.write(name, with("Back again: a version"))
	b.shows("Back again: a version")
	if !eval[bool](b, `window.marker === true`) {
		t.Error("the page was loaded again")
	}
}

// TestDrag drags a post to another day with the mouse.
func TestDrag(t *testing.T) {
	f := sample(t)
	name := own(f, "dragpost", "A post to drag", month()+"-10 09:30")
	before := f.read(name)
	b := newTab(t, serve(t, f, "0"))
	b.open("/calendar/" + month())
	b.live()
	post := `a.event[href="/posts/dragpost"]`
	b.do(chromedp.DragAndDrop(chromedp.CSS(post), chromedp.CSS(fmt.Sprintf(`[data-day="%s-18"]`, month()))))
	b.wait(`document.querySelector('[data-day="` + month() + `-18"] ` + `a.event[href="/posts/dragpost"]')`)
	want := strings.Replace(before, month()+"-10 09:30", month()+"-18 09:30", 1)
	if got := f.read(name); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	if changed := f.git("diff", "--numstat"); strings.Join(strings.Fields(changed), " ") != "1 1 "+name {
		t.Errorf("git sees more than one changed line: %s", changed)
	}
	b.wait(`document.getElementById("toast").innerText.includes("A post to drag")`)

	// Where it lies is no change.
	b.do(chromedp.DragAndDrop(chromedp.CSS(post), chromedp.CSS("main h1")))
	if got := f.read(name); got != want {
		t.Errorf("dropped beside the calendar, the file is\n%s\nwant\n%s", got, want)
	}
}

// TestForms moves a post, and writes one, with scripts switched off.
func TestForms(t *testing.T) {
	f := sample(t)
	name := own(f, "formpost", "A post to move", month()+"-10 09:30")
	before := f.read(name)
	b := newTab(t, serve(t, f, "0"))
	b.scriptless()

	b.open("/posts/formpost")
	b.do(chromedp.SetAttributeValue(chromedp.CSS("#at"), "value", month()+"-19T18:45"))
	press(b, "#at")
	if text := get(b, chromedp.TextContent(chromedp.CSS(".notice.good"))); !strings.Contains(text, "A post to move is planned for") {
		t.Errorf("after the move the page says %q", text)
	}
	if got, want := f.read(name), strings.Replace(before, month()+"-10 09:30", month()+"-19 18:45", 1); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}

	b.open("/new")
	b.do(chromedp.Focus(chromedp.CSS("#n-title")), chromedp.KeyEvent("Grüße aus dem Browser"))
	press(b, "#n-title")
	if text := get(b, chromedp.TextContent(chromedp.CSS("main h1"))); !strings.Contains(text, "Grüße aus dem Browser") {
		t.Errorf("the page after writing a post is headed %q", text)
	}
	status := f.git("status", "--porcelain", "--untracked-files=all")
	var written []string
	for line := range strings.Lines(status) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "?? "); ok {
			written = append(written, path)
		}
	}
	if len(written) != 1 || filepath.Ext(written[0]) != ".md" || !strings.Contains(f.read(written[0]), "Grüße aus dem Browser") {
		t.Errorf("git sees as new: %q", written)
	}
}

// press sends the form that a field is in, as the return key does, and waits for the answer.
func press(b *tab, field string) {
	b.t.Helper()
	res := get(b, chromedp.Action[int64](func(ctx context.Context, _ *chromedp.Target) (int64, error) {
		r, err := chromedp.RunResponse(ctx, chromedp.Focus(chromedp.CSS(field)), chromedp.KeyEvent(kb.Enter))
		if err != nil {
			return 0, err
		}
		return r.Status, nil
	}))
	if res != 200 {
		b.t.Errorf("the form's answer is %d", res)
	}
}

// TestKeyboard goes through a page without a mouse.
func TestKeyboard(t *testing.T) {
	b := newTab(t, serve(t, sample(t), "0"))
	b.open("/posts")
	b.live()

	var order []string
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		order = append(order, eval[string](b, `(() => { const e = document.activeElement; return e.classList.contains("skip") ? "skip" : e.closest(".nav") ? "nav" : e.id === "q" ? "search" : e.closest("#main") ? "content" : "other"; })()`))
		if !eval[bool](b, `(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0; })()`) {
			t.Errorf("it is not seen where the focus is: %s", eval[string](b, `document.activeElement.outerHTML.slice(0, 200)`))
		}
		if order[len(order)-1] == "content" {
			break
		}
	}
	stops := strings.Join(order, " ")
	if order[0] != "skip" || order[len(order)-1] != "content" || !strings.Contains(stops, "nav nav nav") || !strings.Contains(stops, "search") {
		t.Errorf("the tabulator goes to %s; want the skip link, the navigation, the search, the content", stops)
	}

	b.open("/posts")
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	b.wait(`document.activeElement.id === "main"`)
	b.do(chromedp.KeyEvent(kb.Tab))
	if !eval[bool](b, `!!document.activeElement.closest("#main")`) {
		t.Error("the skip link does not lead into the content")
	}

	eval[bool](b, `document.activeElement.blur(), true`)
	// As one event, unlike KeyEvent: what the page keeps from happening on keydown is not typed.
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "/", Code: "Slash", Text: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	b.wait(`document.activeElement.id === "q"`)
	b.do(chromedp.KeyEvent("letter/"))
	if got := eval[string](b, `document.getElementById("q").value`); got != "letter/" {
		t.Errorf("the search has %q, want a / that is typed into it", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait(`location.search === "?q=letter%2F"`)
}

// TestTheme switches between light and dark, which outlasts the page and outranks the system.
func TestTheme(t *testing.T) {
	b := newTab(t, serve(t, sample(t), "0"))
	b.scheme("light")
	b.open("/")
	ground := func() string { return eval[string](b, `getComputedStyle(document.body).backgroundColor`) }
	light := ground()
	b.scheme("dark")
	dark := ground()
	if light == dark {
		t.Fatalf("light and dark have the same ground %s", light)
	}
	b.do(chromedp.Click(chromedp.CSS(".foot [data-theme-toggle]")))
	if got := ground(); got != light {
		t.Errorf("after switching from dark the ground is %s, want %s", got, light)
	}
	b.open("/posts")
	if got := ground(); got != light {
		t.Errorf("on the next page the ground is %s, want %s", got, light)
	}
	b.size(360, 800)
	b.open("/accounts")
	if !eval[bool](b, `(() => { const r = document.querySelector(".nav [aria-current]").getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; })()`) {
		t.Error("on a phone the navigation does not show where we are")
	}
	b.do(chromedp.Click(chromedp.CSS(".brand [data-theme-toggle]")))
	if got := ground(); got != dark {
		t.Errorf("after switching back, on a phone, the ground is %s, want %s", got, dark)
	}
}

// TestTwoWindows writes in one window, and looks at another. Then the server ends and starts again.
func TestTwoWindows(t *testing.T) {
	f := sample(t)
	name := own(f, "twopost1", "A post for two", month()+"-10 09:30")
	srv := serve(t, f, "0")
	one, two := newTab(t, srv), newTab(t, srv)
	two.open("/calendar/" + month())
	two.live()
	one.open("/posts/twopost1")
	one.live()
	one.do(chromedp.SetAttributeValue(chromedp.CSS("#at"), "value", month()+"-21T08:00"))
	press(one, "#at")
	two.wait(`document.querySelector('[data-day="` + month() + `-21"] ` + `a.event[href="/posts/twopost1"]')`)

	one.open("/posts/twopost1")
	one.live()
	for _, b := range []*tab{one, two} {
		b.expect("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE")
		eval[bool](b, `window.marker = true`)
	}
	srv.stop()
	for _, b := range []*tab{one, two} {
		b.wait(`document.querySelector("[data-live-state]").dataset.state === "off"`)
	}
	f.write(name, strings.Replace(f.read(name), "The first version", "While nobody served: a version", 1))
	serve(t, f, srv.port())
	one.shows("While nobody served: a version")
	for _, b := range []*tab{one, two} {
		b.live()
	}
	f.write(name, strings.Replace(f.read(name), "title: A post for two", "title: A post for three", 1))
	two.shows("A post for three")
	one.shows("A post for three")
	if !eval[bool](two, `window.marker === true`) {
		t.Error("the page was loaded again where it could have been kept")
	}
	// What the page sends is what the server that is there now wants.
	two.do(chromedp.DragAndDrop(chromedp.CSS(`a.event[href="/posts/twopost1"]`), chromedp.CSS(fmt.Sprintf(`[data-day="%s-18"]`, month()))))
	two.wait(`document.querySelector('[data-day="` + month() + `-18"] ` + `a.event[href="/posts/twopost1"]')`)
	if got := f.read(name); !strings.Contains(got, month()+"-18 08:00") {
		t.Errorf("after the server has started again, a drag leaves the file as\n%s", got)
	}
}

// TestHalfFilled changes the site below a form that somebody fills in.
func TestHalfFilled(t *testing.T) {
	f := sample(t)
	b := newTab(t, serve(t, f, "0"))
	b.open("/new")
	b.live()
	b.do(chromedp.Focus(chromedp.CSS("#n-title")), chromedp.KeyEvent("Half a ti"))
	eval[bool](b, `[...document.querySelectorAll("#main input[type=checkbox]")].forEach((n) => n.click()), true`)
	b.do(chromedp.Focus(chromedp.CSS(`[value="newsletter"]`)))
	const boxes = `[...document.querySelectorAll("#main input[type=checkbox]")].filter((n) => n.value !== "another").map((n) => n.value + ":" + n.checked).join(" ")`
	before := eval[string](b, boxes)
	f.write("site.yaml", strings.Replace(f.read("site.yaml"), "accounts:\n", "accounts:\n  another: {platform: webhook, url: \"https://another.example\"}\n", 1))
	b.wait(`document.querySelector('[value="another"]')`)
	if after := eval[string](b, boxes); after != before || before != "bluesky:false fedi:false newsletter:true 1:true" {
		t.Errorf("ticked were %s, and are %s", before, after)
	}
	if got := eval[string](b, `document.getElementById("n-title").value + ", " + document.activeElement.value`); got != "Half a ti, newsletter" {
		t.Errorf("the title and the focus are %s", got)
	}

	// Somebody who goes through a list with the keyboard stays where they are.
	own(f, "listpost", "A post in a list", month()+"-10 09:30")
	b.open("/posts")
	b.live()
	b.shows("A post in a list")
	b.do(chromedp.Focus(chromedp.CSS(`a[href="/posts/listpost"]`)))
	f.write("content/own/listpost.md", strings.Replace(f.read("content/own/listpost.md"), "in a list", "in the list", 1))
	b.shows("A post in the list")
	if got := eval[string](b, `document.activeElement.getAttribute("href")`); got != "/posts/listpost" {
		t.Errorf("the focus went to %q", got)
	}
}
