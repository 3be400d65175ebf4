package preview

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// voids are the elements without an end.
var voids = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// wellFormed returns what is wrong with a document.
func wellFormed(doc string) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }

	// Every element is closed where it should be, and is where the parser leaves it: it moves what must not be nested.
	counted := map[string]int{}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(doc)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		name := z.Token().Data
		switch kind {
		case html.StartTagToken:
			counted[name]++
			if !slices.Contains(voids, name) {
				open = append(open, name)
			}
		case html.SelfClosingTagToken:
			counted[name]++
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != name {
				say("</%s> closes %v", name, open)
				return wrong
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		say("%v are not closed", open)
	}
	root, err := html.Parse(strings.NewReader(doc))
	if err != nil {
		return append(wrong, err.Error())
	}
	ids := map[string]bool{}
	labelled := map[string]bool{}
	found := map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		found[n.Data]++
		if id := attribute(n, "id"); id != "" {
			if ids[id] {
				say("the id %q is there twice", id)
			}
			ids[id] = true
		}
		if n.DataAtom == atom.Label {
			labelled[attribute(n, "for")] = true
		}
	}
	for name, n := range counted {
		if found[name] != n {
			say("<%s> is written %d times and there %d times: it stands where it must not", name, n, found[name])
		}
	}
	for _, name := range []string{"html", "head", "body", "title", "h1", "main"} {
		if found[name] != 1 {
			say("there are %d <%s>", found[name], name)
		}
	}
	level := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "style", strings.HasPrefix(a.Key, "on"):
				say("<%s> has %s=%q", n.Data, a.Key, a.Val)
			case a.Key == "href" || a.Key == "src" || a.Key == "action":
				if u, err := url.Parse(a.Val); err != nil || !slices.Contains([]string{"", "http", "https", "mailto"}, u.Scheme) {
					say("%s=%q leads nowhere good", a.Key, a.Val)
				}
				if a.Key == "href" && strings.HasPrefix(a.Val, "#") && n.DataAtom == atom.A && !ids[a.Val[1:]] {
					say("there is no %s on the page", a.Val)
				}
				if n.DataAtom == atom.Img && !strings.HasPrefix(a.Val, "/media/") {
					say("a picture from %q", a.Val)
				}
			case a.Key == "aria-labelledby" || n.DataAtom == atom.Label && a.Key == "for":
				if !ids[a.Val] {
					say("there is no element %q, which %s of <%s> names", a.Val, a.Key, n.Data)
				}
			}
			if strings.Contains(a.Val, "ZgotmplZ") {
				say("a template writes what is not safe into %s", a.Key)
			}
		}
		switch n.DataAtom {
		case atom.Html:
			if attribute(n, "lang") == "" {
				say("the document has no language")
			}
		case atom.Title:
			if strings.TrimSpace(words(n)) == "" && n.Namespace == "" {
				say("the document has no title")
			}
		case atom.Script:
			if attribute(n, "src") == "" || n.FirstChild != nil {
				say("an inline script: %s", words(n))
			}
		case atom.Style, atom.Iframe, atom.Object, atom.Embed, atom.Base:
			say("there is a <%s>", n.Data)
		case atom.Input, atom.Select, atom.Textarea:
			if attribute(n, "type") != "hidden" && !labelled[attribute(n, "id")] && attribute(n, "aria-label") == "" && !within(n, atom.Label) {
				say("<%s name=%s> has no label", n.Data, attribute(n, "name"))
			}
		case atom.A, atom.Button, atom.Summary:
			if strings.TrimSpace(words(n)) == "" && attribute(n, "aria-label") == "" && !hasImage(n) {
				say("<%s href=%s> says nothing", n.Data, attribute(n, "href"))
			}
		case atom.Img:
			if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
				say("a picture without alt")
			}
		case atom.H1, atom.H2, atom.H3, atom.H4:
			if next := int(n.Data[1] - '0'); next > level+1 {
				say("<%s> %q comes after a heading of level %d", n.Data, words(n), level)
			} else {
				level = next
			}
		case atom.Ul, atom.Ol:
			for c := range n.ChildNodes() {
				if c.Type == html.ElementNode && c.DataAtom != atom.Li || c.Type == html.TextNode && strings.TrimSpace(c.Data) != "" {
					say("<%s> holds %q", n.Data, c.Data)
				}
			}
		}
	}
	return wrong
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

func hasImage(n *html.Node) bool {
	for c := range n.Descendants() {
		if c.DataAtom == atom.Img {
			return true
		}
	}
	return false
}

func within(n *html.Node, what atom.Atom) bool {
	for p := range n.Ancestors() {
		if p.DataAtom == what {
			return true
		}
	}
	return false
}

// links returns where a document leads on this server.
func links(doc string) []string {
	root, err := html.Parse(strings.NewReader(doc))
	if err != nil {
		return nil
	}
	var list []string
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if (a.Key == "href" || a.Key == "src") && strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//") {
				target, _, _ := strings.Cut(a.Val, "#")
				list = append(list, target)
			}
		}
	}
	return list
}

// hostile is what people from elsewhere may write anywhere.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `</title><script>alert(1)</script>`, `{{.Token}}`, `javascript:alert(1)`, `<!-- --> ]]> &amp; &lt;`,
	"\u202e\u2066مرحبا שלום\u2069", strings.Repeat("long ", 2000), strings.Repeat("W", 1000), "🏔️👩‍👩‍👧‍👦 \u0301\u0301\u0301",
}

// hostileSite has something hostile wherever text comes from a file.
func hostileSite() map[string]string {
	files := map[string]string{}
	var campaigns strings.Builder
	for i, text := range hostile {
		fmt.Fprintf(&campaigns, "  c%d: {title: %q, brief: %q, starts: 2026-11-01, ends: 2026-11-30}\n", i, text, text)
		files[fmt.Sprintf("content/%d.md", i)] = fmt.Sprintf(
			"---\nid: hostile%d\ntitle: %q\npublish_at: 2026-11-2%d 10:00\ncampaign: c%d\ntags: [%q]\nnotes: %q\nlink: %q\ncontent_warning: %q\n---\n%s\n\n[%s](javascript:alert(1)) [x](<%s>) `%s`\n",
			i, text, i%9, i, text, text, text, text, text, text, strings.ReplaceAll(text, "\n", ""), text)
	}
	for _, name := range []string{"a b.md", "ä%41#?.md", `<b>"'&.md`, "%2e%2e.md", "con:x.md", "-.md", strings.Repeat("n", 200) + ".md"} {
		files["content/names/"+name] = "---\ntitle: named\n---\nHello\n"
	}
	for i, id := range []string{"../../etc/passwd", "a b?c#d", "new", "<i>", "a/move", ""} {
		files[fmt.Sprintf("content/ids/%d.md", i)] = fmt.Sprintf("---\nid: %q\ntitle: id %d\n---\nHello\n", id, i)
	}
	files["content/thread.md"] = "---\nid: thread12\ntitle: thread\npublish_at: 2026-11-25 10:00\nplatforms: [source, move, hooks]\n---\n" + strings.Repeat("One sentence of a thread. ", 400)
	files["content/empty.md"] = ""
	files["content/bytes.md"] = "---\ntitle: bytes\n---\n\x00\xff\xfe\x80"
	files["content/unclosed.md"] = "---\ntitle: [\n"
	files["content/repeat.md"] = "---\nid: repeat12\ntitle: again\npublish_at: 2026-01-01 10:00\nrepeat: FREQ=HOURLY\n---\nAgain\n"
	files["content/bad.md"] = "---\npublish_at: yesterday\nplatforms: [nowhere]\nmedia: [{file: '../../.env', alt: '<script>'}, {file: /etc/passwd}]\n---\n![x](../.env) ![<b>](\"><script>)\n"
	files["site.yaml"] = fmt.Sprintf(`title: %q
url: "javascript:alert(1)"
timezone: Europe/Berlin
accounts:
  source: {platform: bluesky, handle: '"><script>alert(1)</script>'}
  move: {platform: mastodon, server: "https://fedi.example", handle: "<b>"}
  hooks: {platform: webhook, url: "https://hooks.example/in"}
  "<script>": {platform: bluesky, handle: x.example}
defaults: {platforms: [source, move]}
campaigns:
%shold: {reason: %q, scope: [c1]}
`, hostile[0], campaigns.String(), hostile[1])
	return files
}

// crawl looks at every page that can be reached, and at some that can not.
func crawl(t *testing.T, r *running, check func(target string, p reply)) {
	t.Helper()
	queue := []string{
		"/", "/posts", "/posts?page=2", "/posts?q=snow&state=draft&sort=name", "/posts?page=-1&sort=nonsense", "/calendar", "/calendar/week", "/calendar/list", "/calendar/list/2026-12-03", "/calendar?by=account",
		"/campaigns", "/problems", "/problems?severity=error&code=nonsense", "/accounts", "/new", "/new?title=%22%3E&at=2026-12-24&platforms=fedi", "/archive",
	}
	seen := map[string]bool{}
	for len(queue) > 0 && len(seen) < 300 {
		target := queue[0]
		queue = queue[1:]
		if seen[target] {
			continue
		}
		seen[target] = true
		p := r.get(target)
		check(target, p)
		if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, l := range links(p.body) {
			// A calendar goes on for ever.
			if date := strings.TrimLeft(strings.TrimPrefix(l, "/calendar/"), "weklist/"); strings.HasPrefix(l, "/calendar/") && date != "" && date[0] <= '9' && !strings.HasPrefix(date, "2026-1") {
				continue
			}
			queue = append(queue, l)
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d pages are linked", len(seen))
	}
}

func TestEveryPageIsWellFormed(t *testing.T) {
	withBook := func(o *Options) {
		o.Ledger = func(_ context.Context, tip string) (*Book, error) {
			if tip != "" {
				return nil, nil
			}
			return book(), nil
		}
		o.Authors = func(context.Context) (map[string]string, error) {
			return map[string]string{"content/2026/11/first-snow.md": "Resi <script>alert(1)</script>", "content/1.md": hostile[9]}, nil
		}
	}
	noGit := func(o *Options) { o.Ledger = nil }
	readOnly := func(o *Options) { o.ReadOnly = true }
	for _, tt := range []struct {
		name   string
		dir    func(t testing.TB) string
		change func(*Options)
	}{
		{"sample", sample, withBook},
		{"read-only", sample, readOnly},
		{"no git", sample, noGit},
		{"empty", func(t testing.TB) string {
			t.Helper()
			return t.TempDir()
		}, nil},
		{"no site.yaml", func(t testing.TB) string {
			t.Helper()
			return folder(t, map[string]string{"content/a.md": "Hello\n"})
		}, nil},
		{"site.yaml that cannot be read", func(t testing.TB) string {
			t.Helper()
			dir := sample(t)
			write(t, dir, "site.yaml", "accounts: [\n<script>alert(1)</script>")
			return dir
		}, nil},
		{"site.yaml with errors", func(t testing.TB) string {
			t.Helper()
			dir := sample(t)
			write(t, dir, "site.yaml", strings.Replace(read(t, dir, "site.yaml"), "platform: mastodon", "platform: mastodno", 1))
			return dir
		}, nil},
		{"hostile", hostileFolder, withBook},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, tt.dir(t), tt.change)
			crawl(t, r, func(target string, p reply) {
				absent := strings.HasPrefix(target, "/new") && r.o.ReadOnly || target == "/calendar/campaign/-.ics"
				if p.status != http.StatusOK && !(absent && p.status == http.StatusNotFound) {
					t.Errorf("%s: %d", target, p.status)
				}
				if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
					return
				}
				for _, wrong := range wellFormed(p.body) {
					t.Errorf("%s: %s", target, wrong)
				}
				if n := len(p.body); n > 400_000 {
					t.Errorf("%s: %d bytes", target, n)
				}
			})
			for _, target := range []string{"/nothing", "/posts/nothing", "/posts/a/b", "/posts//", "/calendar/2026-13", "/calendar/week/2026-12", "/calendar/month/x/y", "/calendar/list/0001-01", "/campaigns/none", "/problems/x", "/%00", "/posts/%00", "/%ff"} {
				p := r.get(target)
				if p.status != http.StatusNotFound && p.status != http.StatusTemporaryRedirect && p.status != http.StatusMovedPermanently {
					t.Errorf("%s: %d", target, p.status)
				}
				if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") && p.status == http.StatusNotFound {
					for _, wrong := range wellFormed(p.body) {
						t.Errorf("%s: %s", target, wrong)
					}
				}
			}
		})
	}
}

func TestPageWhileTheSiteIsRead(t *testing.T) {
	r := prepare(t, sample(t), nil)
	p := r.get("/posts")
	for _, wrong := range wellFormed(p.body) {
		t.Error(wrong)
	}
	if p.status != http.StatusOK || !strings.Contains(p.body, "Reading the posts") {
		t.Errorf("%d: %s", p.status, p.body)
	}
	for target, want := range map[string]int{"/calendar.ics": 503, "/feed.xml": 503, "/media/content/2026/12/advent-window.jpg": 200} {
		if p := r.get(target); p.status != want {
			t.Errorf("%s: %d", target, p.status)
		}
	}
	l := r.open("/posts", "")
	l.shows("Reading")
	r.run()
	l.shows("First snow")
}

// hostileFolder is a site that wants to break out of its pages.
func hostileFolder(t testing.TB) string {
	t.Helper()
	return folder(t, hostileSite())
}
