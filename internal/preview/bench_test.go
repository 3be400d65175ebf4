package preview

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// corpus writes a site of n posts for four accounts, 125 a day at 50,000.
func corpus(b *testing.B, n int) string {
	b.Helper()
	files := map[string]string{"site.yaml": `title: Acme
timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.bsky.social}
  fedi: {platform: mastodon, server: "https://fedi.example"}
  fedi-de: {platform: mastodon, server: "https://de.fedi.example"}
  news: {platform: webhook, url: "https://hooks.example/in"}
defaults: {platforms: [bluesky, mastodon, webhook]}
campaigns:
  winter-launch: {title: Winter launch, starts: 2026-11-01, ends: 2026-12-24}
schedule: {quiet: ["22:00-07:00"]}
`}
	words := strings.Fields("the sled is back and faster than ever you will like how it runs down every hill in the snow this winter with friends we made it of ash and steel for people who love long evenings outside")
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	for i := range n {
		var t strings.Builder
		fmt.Fprintf(&t, "---\nid: post%05d\ntitle: The post with the number %d\npublish_at: %s\n", i, i, now.Add(time.Duration(rnd.IntN(400*24*60)-200*24*60)*time.Minute).Format("2006-01-02 15:04"))
		if i%8 == 1 {
			t.WriteString("campaign: winter-launch\n")
		}
		t.WriteString("---\n")
		for range 40 + rnd.IntN(41) {
			t.WriteString(words[rnd.IntN(len(words))] + " ")
		}
		fmt.Fprintf(&t, "#sled number %d\n", i)
		files[fmt.Sprintf("content/%02d/%05d.md", i%36, i)] = t.String()
	}
	return folder(b, files)
}

// BenchmarkEdit measures from the writing of a post to the news of it on its page and on a list, the watcher's own patience included.
func BenchmarkEdit(b *testing.B) {
	r := start(b, corpus(b, 10_000), nil)
	for page, at := range map[string]string{"/posts/post00001": "10:01", "/posts": "10:01", "/": "10:01", "/calendar": "00:01"} { // where it is among the first
		b.Run(strings.ReplaceAll(page, "/", "."), func(b *testing.B) {
			l := r.follow(page)
			i := 0
			for b.Loop() {
				i++
				title := fmt.Sprintf("Title %d.", i)
				write(b, r.dir, filepath.Join("content", "01", "00001.md"), fmt.Sprintf("---\nid: post00001\ntitle: %q\npublish_at: 2026-11-24 %s\n---\nText %d\n", title, at, i))
				l.shows(title)
			}
		})
	}
}

// BenchmarkPage measures pages of 50,000 posts, and reports how large they are.
func BenchmarkPage(b *testing.B) {
	r := start(b, corpus(b, 50_000), nil)
	for _, target := range []string{
		"/", "/posts", "/posts?page=400", "/posts?q=sled+number", "/posts?sort=state&account=fedi", "/posts/post00001", "/calendar/2026-11", "/calendar/2026-11?by=account", "/calendar/week/2026-11-23", "/calendar/list/2026-11",
		"/calendar/list/2026-11-24", "/campaigns", "/campaigns/winter-launch", "/problems", "/accounts", "/new", "/archive", "/calendar.ics", "/calendar/campaign/winter-launch.ics", "/feed.xml",
	} {
		b.Run(strings.Trim(strings.NewReplacer("/", ".", "?", ".").Replace(target), "."), func(b *testing.B) {
			u, err := url.Parse(target)
			if err != nil {
				b.Fatal(err)
			}
			r.ask(http.MethodGet, u, "") // what is only made once is made
			size := 0
			for b.Loop() {
				size = r.ask(http.MethodGet, u, "").Body.Len()
			}
			b.ReportMetric(float64(size)/1000, "kB")
		})
	}
}
