package pages

import (
	"fmt"
	"html"
	"net/url"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/site"
)

func TestFileOf(t *testing.T) {
	for target, want := range map[string]string{
		"/": "index.html", "": "index.html", "/posts": "posts/index.html", "/posts/k3v9q2xh": "posts/k3v9q2xh/index.html", "/posts/": "posts/index.html", "/posts?q=x#y": "posts/index.html",
		"/calendar/2026-12": "calendar/2026-12/index.html", "/assets/app.0123.css": "assets/app.0123.css", "/media/content/a%20b/%C3%A4%2541%23%3F.png": "media/content/a b/ä%41#?.png",
		"/feed.xml": "feed.xml", "/calendar/account/bsky.ics": "calendar/account/bsky.ics", "/../../etc/passwd": "etc/passwd/index.html", "/media/../../.env": ".env/index.html", "/media/%2e%2e/%2e%2e/x": "x/index.html",
	} {
		if got := FileOf(target); got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

func TestRelative(t *testing.T) {
	for _, tt := range []struct{ from, to string }{
		{"index.html", "index.html"}, {"index.html", "posts/index.html"}, {"posts/index.html", "index.html"}, {"posts/a/index.html", "posts/b/index.html"}, {"posts/a/index.html", "posts/index.html"},
		{"posts/a/index.html", "media/content/a b/ä%41#?.png"}, {"posts/a:b/index.html", "posts/c:d/index.html"}, {"posts/index.html", "posts/a:b/index.html"}, {"index.html", "javascript:alert(1)/index.html"},
		{"media/a/x.html", "media/a/my-index.html"}, {"a/b/c/index.html", "a/b/d.png"}, {"a/b", "a/b/c"}, {"a", "b"},
	} {
		link := relative(tt.from, tt.to)
		if got := followLink(t, tt.from, link); got != tt.to {
			t.Errorf("from %s to %s: %q, which leads to %q", tt.from, tt.to, link, got)
		}
	}
}

// followLink returns the file that a link in a file leads to, as browsers read it; a folder's is its index.html.
func followLink(t *testing.T, from, link string) string {
	t.Helper()
	base := must[*url.URL](t)(url.Parse("https://site.example/" + escaped(from)))
	u, err := base.Parse(link)
	if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
		t.Fatalf("%q in %q leads to %v, %v", link, from, u, err)
	}
	if u.RawQuery != "" || u.Fragment != "" {
		t.Fatalf("%q in %q has a query or a fragment", link, from)
	}
	to := strings.TrimPrefix(u.Path, "/")
	if to == "" || strings.HasSuffix(to, "/") {
		to += "index.html"
	}
	return to
}

func FuzzRelative(f *testing.F) {
	f.Add("/posts/a", "/media/x y#?%41.png")
	f.Add("/", "/posts/a:b")
	f.Add("/calendar/2026-12", "//evil.example/")
	f.Fuzz(func(t *testing.T, from, to string) {
		a, b := FileOf(from), FileOf(to)
		for _, name := range []string{a, b} {
			if name != path.Clean(name) || strings.HasPrefix(name, "/") || name == ".." || strings.HasPrefix(name, "../") {
				t.Fatalf("%q is no file of the site", name)
			}
		}
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return // no file of a site has such a name
		}
		if got := followLink(t, a, relative(a, b)); got != b {
			t.Errorf("from %q to %q: %q, which leads to %q", a, b, relative(a, b), got)
		}
	})
}

func TestStamp(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC) // in Berlin it is 2027
	stamp := func(d time.Duration) Stamp { return Stamp{now.Add(d).In(berlin), now} }
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		0: "now", 59 * time.Second: "now", -59 * time.Second: "now", time.Minute: "in 1 minute", -time.Minute: "1 minute ago", 59*time.Minute + 59*time.Second: "in 59 minutes", time.Hour: "in 1 hour", 90 * time.Minute: "in 2 hours",
		35 * time.Hour: "in 35 hours", -36 * time.Hour: "2 days ago", 59 * day: "in 59 days", 61 * day: "in 2 months", 365 * day: "in 12 months", 3 * 365 * day: "in 3 years", -100 * 365 * day: "100 years ago",
	} {
		if got := stamp(d).Away(); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	s := stamp(0)
	for got, want := range map[string]string{
		s.Full(): "Fri 1 Jan 2027 00:30 CET", s.Short(): "Fri 1 Jan, 00:30", s.UTC(): "31 Dec 23:30 UTC", s.Zone(): "CET +01:00", s.Local(): "2027-01-01T00:30", s.ISO(): "2027-01-01T00:30:00+01:00",
		stamp(-day).Day(): "31 Dec 2026", stamp(-100 * day).Clock(): "01:30", stamp(180 * day).Zone(): "CEST +02:00",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !(Stamp{}).Zero() || s.Zero() {
		t.Error("only the zero moment is none")
	}
}

func TestDifference(t *testing.T) {
	for _, tt := range []struct{ before, after, want string }{
		{"", "", ""}, {"same", "same", "same"}, {"", "new", "<ins>new</ins>"}, {"old", "", "<del>old</del>"}, {"the old sled", "the new sled", "the <del>old</del><ins>new</ins> sled"},
		{"a b c d", "a x y d", "a <del>b c</del><ins>x y</ins> d"}, {"<b>", "<i>", "<del>&lt;b&gt;</del><ins>&lt;i&gt;</ins>"}, {`"&'`, "", "<del>&#34;&amp;&#39;</del>"}, {"naïve ⸻ text", "naive ⸻ text", "<del>naïve</del><ins>naive</ins> ⸻ text"},
	} {
		if got := string(difference(tt.before, tt.after)); got != tt.want {
			t.Errorf("%q, %q: %s, want %s", tt.before, tt.after, got, tt.want)
		}
	}
	// Long texts that have nothing in common take no time, and are what they were.
	var a, b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&a, "a%d ", i)
		fmt.Fprintf(&b, "b%d ", i)
	}
	checkDifference(t, a.String(), b.String())
	checkDifference(t, a.String()[:8000], b.String()[:8000])
	checkDifference(t, "x "+a.String(), "y "+a.String())
}

// checkDifference holds a difference to be one: without what came in it is the old text, without what went the new one.
func checkDifference(t *testing.T, before, after string) {
	t.Helper()
	d := string(difference(before, after))
	if got := without(d, "ins"); got != before {
		t.Errorf("what was is %.200q, want %.200q", got, before)
	}
	if got := without(d, "del"); got != after {
		t.Errorf("what is is %.200q, want %.200q", got, after)
	}
}

func without(d, tag string) string {
	var b strings.Builder
	for d != "" {
		kept, rest, _ := strings.Cut(d, "<"+tag+">")
		b.WriteString(kept)
		_, d, _ = strings.Cut(rest, "</"+tag+">")
	}
	return html.UnescapeString(strings.NewReplacer("<ins>", "", "</ins>", "", "<del>", "", "</del>", "").Replace(b.String()))
}

func FuzzDifference(f *testing.F) {
	f.Add("the old sled", "the new <b> sled & more")
	f.Add("\x00\xff", "é\u0301 👩‍👩‍👧")
	f.Add("</del><script>", "<ins>")
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.ContainsRune(before+after, 0) { // which is written as another character in HTML
			return
		}
		checkDifference(t, before, after)
	})
}

// boardOf is a board of a site without much in it.
func boardOf(t *testing.T, zone string, now time.Time, posts ...string) *board.Board {
	t.Helper()
	return boardOfSite(t, "timezone: "+zone+"\naccounts: {bsky: {platform: bluesky, handle: acme.example}}\ndefaults: {platforms: [bsky]}\n", now, posts...)
}

// boardOfSite is one with a site.yaml.
func boardOfSite(t *testing.T, config string, now time.Time, posts ...string) *board.Board {
	t.Helper()
	fsys := fstest.MapFS{"site.yaml": {Data: []byte(config)}}
	for i, at := range posts {
		fsys[fmt.Sprintf("content/%d.md", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "---\nid: post%04d\ntitle: Post %d\npublish_at: %s\n---\nText %d.\n", i, i, at, i)}
	}
	s, err := site.Load(t.Context(), fsys, adapters.All(), site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.New(board.Input{Site: s, Now: now, Drafts: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTokens: the page of accounts says how long a token lives, and warns before.
func TestTokens(t *testing.T) {
	set := must[*Set](t)(Load(nil))
	for day, want := range map[string][]string{
		"2026-12-12": {"dies on Sat 12 Dec, by site.yaml; ", "The token dies on Sat 12 Dec: 2 posts are scheduled for that day or later."},
		"2026-12-13": {"dies on Sun 13 Dec, by site.yaml; ", "The token dies on Sun 13 Dec: a post is scheduled for that day or later."},
		"2026-12-31": {"dies on Thu 31 Dec, by site.yaml; "},
		"2026-12-05": {"dies on Sat 5 Dec, by site.yaml; ", "The token dies on Sat 5 Dec: 2 posts are scheduled"},
		"2026-11-21": {"died on Sat 21 Nov, by site.yaml; ", "By site.yaml, the token died on Sat 21 Nov."},
		"":           nil,
	} {
		config := "accounts: {me: {platform: linkedin}}\ndefaults: {platforms: [me]}\nhold: {reason: Later}\n"
		if day != "" {
			config = strings.Replace(config, "linkedin", "linkedin, token_expires: "+day, 1)
		}
		b := boardOfSite(t, config, time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), "2026-12-12 09:00", "2026-12-13 09:00", "2026-11-01 09:00")
		p, err := set.Page(b, Viewer{Here: "/accounts"})
		if err != nil {
			t.Fatal(err)
		}
		html := string(p.Blocks[0].HTML)
		for _, w := range want {
			if !strings.Contains(html, w) {
				t.Errorf("%q: the page lacks %q:\n%s", day, w, html)
			}
		}
		if n := strings.Count(html, "by site.yaml") + strings.Count(html, "he token die"); n != len(want) {
			t.Errorf("%q: the page says %d things of the token, want %d:\n%s", day, n, len(want), html)
		}
	}
}

// TestCalendar looks at titles and days where the year ends, and where the clock skips or repeats a midnight.
func TestCalendar(t *testing.T) {
	set := must[*Set](t)(Load(nil))
	now := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		zone, here, title  string
		days               int
		first, last, today string // the keys of days
	}{
		{"UTC", "/calendar", "December 2026", 35, "2026-11-30", "2027-01-03", "2026-12-31"},
		{"Europe/Berlin", "/calendar", "January 2027", 35, "2026-12-28", "2027-01-31", "2027-01-01"},
		{"Europe/Berlin", "/calendar/week", "Week 53, 28 Dec – 3 Jan 2027", 7, "2026-12-28", "2027-01-03", "2027-01-01"},
		{"Europe/Berlin", "/calendar/week/2024-12-31", "Week 1, 30 Dec – 5 Jan 2025", 7, "2024-12-30", "2025-01-05", ""},
		{"Europe/Berlin", "/calendar/2026-03", "March 2026", 42, "2026-02-23", "2026-04-05", ""},
		{"Europe/Berlin", "/calendar/2026-10", "October 2026", 35, "2026-09-28", "2026-11-01", ""},
		{"Europe/Berlin", "/calendar/2027-02", "February 2027", 28, "2027-02-01", "2027-02-28", ""},
		{"Europe/Berlin", "/calendar/week/2026-03-29", "Week 13, 23 Mar – 29 Mar 2026", 7, "2026-03-23", "2026-03-29", ""},
		{"America/Asuncion", "/calendar/2023-10", "October 2023", 42, "2023-09-25", "2023-11-05", ""}, // which has no midnight on the first
		{"Africa/Cairo", "/calendar/2026-04", "April 2026", 35, "2026-03-30", "2026-05-03", ""},
		{"America/Havana", "/calendar/week/2026-03-08", "Week 10, 2 Mar – 8 Mar 2026", 7, "2026-03-02", "2026-03-08", ""},
		{"Asia/Beirut", "/calendar/list/2026-03-29", "Sunday, 29 March 2026", -1, "", "", ""},
		{"Pacific/Apia", "/calendar/2011-12", "December 2011", 35, "2011-11-28", "2012-01-01", ""},
		{"Pacific/Kiritimati", "/calendar", "January 2027", 35, "2026-12-28", "2027-01-31", "2027-01-01"},
	} {
		b := boardOf(t, tt.zone, now)
		p, err := set.Page(b, Viewer{Here: tt.here})
		if err != nil {
			t.Fatal(err)
		}
		if p.Title != tt.title {
			t.Errorf("%s %s: %q, want %q", tt.zone, tt.here, p.Title, tt.title)
		}
		if tt.days < 0 {
			continue
		}
		var keys []string
		today := ""
		for part := range strings.SplitSeq(string(p.Blocks[1].HTML), `<div class="day`) {
			if _, rest, ok := strings.Cut(part, `data-day="`); ok {
				keys = append(keys, rest[:len(time.DateOnly)])
				if classes, _, _ := strings.Cut(part, `"`); strings.Contains(classes, "today") {
					today = keys[len(keys)-1]
				}
			}
		}
		want := tt.days
		if tt.zone == "Pacific/Apia" {
			want-- // there was no 30 December
		}
		if len(keys) != want || keys[0] != tt.first || keys[len(keys)-1] != tt.last || today != tt.today {
			t.Errorf("%s %s: %d days, %q, today %q", tt.zone, tt.here, len(keys), keys, today)
		}
		for _, link := range []string{`rel="prev"`, `rel="next"`} {
			if !strings.Contains(string(p.Blocks[0].HTML), link) {
				t.Errorf("%s %s: no %s", tt.zone, tt.here, link)
			}
		}
	}
}

// TestADayHasAList leads from a full day to everything on it.
func TestADayHasAList(t *testing.T) {
	var at []string
	for i := range 30 {
		at = append(at, fmt.Sprintf("2026-12-24 %02d:30", i%24))
	}
	b := boardOf(t, "Europe/Berlin", time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), at...)
	set := must[*Set](t)(Load(nil))
	count := func(v Viewer) (events int, more string) {
		p, err := set.Page(b, v)
		if err != nil {
			t.Fatal(err)
		}
		text := string(p.Blocks[1].HTML)
		_, more, _ = strings.Cut(text, `class="more" href="`)
		more, _, _ = strings.Cut(more, `"`)
		return strings.Count(text, `<a class="event`), more
	}
	const whole = "/calendar/list/2026-12-24?by=account"
	for here, want := range map[string]int{"/calendar/2026-12?by=account": monthShown, "/calendar/week/2026-12-24?by=account": weekShown, "/calendar/list/2026-12?by=account": listShown} {
		if n, more := count(Viewer{Here: here}); n != want || more != whole {
			t.Errorf("%s: %d posts, more at %q", here, n, more)
		}
	}
	if n, more := count(Viewer{Here: whole}); n != 30 || more != "" {
		t.Errorf("%s: %d posts, more at %q", whole, n, more)
	}
	if n, more := count(Viewer{Here: "/calendar/list/2026-12", Static: true}); n != 30 || more != "" {
		t.Errorf("a static list: %d posts, more at %q", n, more)
	}
}

// TestCost: the card of a network that charges says what a post costs, except to the public.
func TestCost(t *testing.T) {
	fsys := fstest.MapFS{
		"site.yaml":    {Data: []byte("accounts: {x: {platform: x, handle: acme}, bsky: {platform: bluesky, handle: acme.example}}\n")},
		"content/a.md": {Data: []byte("---\nid: aaaa1111\nplatforms: [x, bsky]\n---\nSee https://acme.com\n")},
	}
	s := must[*site.Snapshot](t)(site.Load(t.Context(), fsys, adapters.All(), site.Options{}))
	b := must[*board.Board](t)(board.New(board.Input{Site: s, Drafts: true}))
	set := must[*Set](t)(Load(nil))
	for static, want := range map[bool]int{false: 1, true: 0} {
		p := must[*Page](t)(set.Page(b, Viewer{Here: "/posts/aaaa1111", Static: static}))
		n := 0
		for _, block := range p.Blocks {
			n += strings.Count(string(block.HTML), "About $0.20 (USD): 1 post with a link.")
		}
		if n != want {
			t.Errorf("static %t: what it costs is there %d times, want %d", static, n, want)
		}
	}
}

// TestPure makes each page twice: it is the same.
func TestPure(t *testing.T) {
	b := boardOf(t, "Europe/Berlin", time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), "2026-12-02 10:00", "2026-12-03 10:00", "2026-11-03 10:00")
	set, other := must[*Set](t)(Load(nil)), must[*Set](t)(Load(nil))
	if set.Version() != other.Version() {
		t.Error("the version of the same assets is another one")
	}
	for _, here := range []string{"/", "/posts", "/posts/post0001", "/calendar", "/campaigns", "/problems", "/accounts", "/new", "/archive", "/nothing", "%zz", ""} {
		a, err := set.Page(b, Viewer{Here: here, Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := other.Page(b, Viewer{Here: here, Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if a.Hash() != c.Hash() || a.Navigation.Hash != c.Navigation.Hash {
			t.Errorf("%q is made in two ways", here)
		}
	}
}

func escaped(name string) string { return (&url.URL{Path: name}).EscapedPath() }

// must returns a function that ends the test when there is an error.
func must[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
