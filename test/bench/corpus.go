package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// words make sentences that look like those of a company's feed.
var words = strings.Fields(`the of and to in a is that for it as was with be by on not this are from at which but have an they you had we can
her has there been more when will would who so no out up into do time them some could about other new also than its only two may after any
our first over most such people work small team launch release feature update customer product week today build ship test code review data
growth design roadmap open source community event guide thread story behind scenes learn share read watch join try save faster better simple
honest local market coffee city garden kitchen recipe run trail bike river winter summer spring autumn morning light photo music album show
ticket book author podcast episode guest question answer idea note list step tool plan price offer discount member support reply follow link`)

var (
	tags  = strings.Fields("release devlog launch opensource tips community hiring event design howto weekly")
	emoji = []string{"🚀", "🎉", "👀", "✅", "💡", "🔥", "📈", "🙏", "☕"}
)

// corpus makes posts that are the same for the same seed.
type corpus struct{ r *rand.Rand }

func (c corpus) word() string { return words[c.r.IntN(len(words))] }

func (c corpus) sentence(n int, at string) string {
	var b strings.Builder
	for i := range n {
		w := c.word()
		if i == 0 {
			w = strings.ToUpper(w[:1]) + w[1:]
		} else {
			b.WriteByte(' ')
		}
		switch x := c.r.IntN(200); {
		case x < 3:
			w = "**" + w + "**"
		case x < 5:
			w = "*" + w + "*"
		case x < 7:
			w = fmt.Sprintf("[%s](https://example.com/%s?ref=%d)", w, at, c.r.IntN(999))
		case x < 9:
			w = "#" + w
		case x < 10:
			w = "`" + w + "`"
		}
		b.WriteString(w)
	}
	b.WriteByte(".!?."[c.r.IntN(4)])
	return b.String()
}

// post returns the number i of the corpus: 40 to 80 words, for all accounts. due is its time.
func (c corpus) post(i int, due time.Time) []byte {
	var b bytes.Buffer
	slug := fmt.Sprintf("%06d", i)
	fmt.Fprintf(&b, "---\nid: p%s\ntitle: Post %d, %s %s\npublish_at: %s\ncampaign: always\ntags: [%s, %s]\n",
		slug, i, c.word(), c.word(), due.Format(time.RFC3339), tags[i%len(tags)], tags[(i+1+i/len(tags)%(len(tags)-1))%len(tags)])
	if i%3 == 0 {
		fmt.Fprintf(&b, "media:\n  - file: /media/%02d.png\n    alt: A picture of %s and %s\n", i%50, c.word(), c.word())
	}
	if i%5 == 0 {
		fmt.Fprintf(&b, "overrides:\n  x:\n    text: %q\n", strings.NewReplacer("*", "", "`", "", "#", "").Replace(c.sentence(12, slug)))
	}
	b.WriteString("---\n")
	for n := 40 + c.r.IntN(41); n > 0; {
		k := min(n, 6+c.r.IntN(14))
		b.WriteString(c.sentence(max(k, 3), slug))
		if n -= k; n > 0 && c.r.IntN(3) == 0 {
			b.WriteString("\n\n")
		} else {
			b.WriteByte(' ')
		}
	}
	if c.r.IntN(4) == 0 {
		b.WriteString(emoji[c.r.IntN(len(emoji))])
	}
	if c.r.IntN(2) == 0 {
		fmt.Fprintf(&b, "\n\nhttps://example.com/%s", slug)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// path spreads posts over folders by year and month, as `postrider new` does.
func postPath(i int, due time.Time) string {
	return fmt.Sprintf("content/%s/%06d.md", due.Format("2006/01"), i)
}

// dueOf spreads the corpus over three years that are past, but for the last hundredth, which waits: it is planned for 2040.
func dueOf(i, n int) time.Time {
	year, at, of := 2023, i, n-n/100
	if i >= of {
		year, at, of = 2040, i-of, 3*(n/100)
	}
	start := time.Date(year, 1, 1, 8, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(at) * (3 * 365 * 24 * time.Hour / time.Duration(of))).Truncate(time.Minute)
}

// siteYAML has as many accounts as the figure asks for.
func siteYAML(accounts string) []byte {
	return []byte("title: Bench\ntimezone: UTC\naccounts:\n" + accounts +
		"defaults: {thread: auto}\ncampaigns:\n  always: {title: Always}\nschedule: {late: {after: 6h, then: skip}, max_per_run: 20}\nstyle: {require_alt: warning}\n")
}

const eightAccounts = `  bsky1: {platform: bluesky, handle: a.example.com}
  bsky2: {platform: bluesky, handle: b.example.com}
  bsky3: {platform: bluesky, handle: c.example.com}
  fedi1: {platform: mastodon, server: "https://one.example"}
  fedi2: {platform: mastodon, server: "https://two.example"}
  fedi3: {platform: mastodon, server: "https://three.example"}
  hook: {platform: webhook, url: "https://hook.example/in"}
  x: {platform: x, handle: bench}
`

// files returns a whole site of n posts.
func siteFiles(n int, accounts string, platforms []string) map[string][]byte {
	c := corpus{rand.New(rand.NewPCG(1, 42))} //nolint:gosec // the same at every run is the point
	files := map[string][]byte{"site.yaml": bytes.Replace(siteYAML(accounts), []byte("defaults: {"), []byte("defaults: {platforms: ["+strings.Join(platforms, ", ")+"], "), 1)}
	for i := range 50 {
		files[fmt.Sprintf("media/%02d.png", i)] = picture(i)
	}
	for i := range n {
		due := dueOf(i, n)
		files[postPath(i, due)] = c.post(i, due)
	}
	return files
}

func picture(i int) []byte {
	img := image.NewPaletted(image.Rect(0, 0, 320, 180), color.Palette{color.RGBA{uint8(i * 5), 90, 160, 255}, color.White}) //nolint:gosec // a colour
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func writeFiles(dir string, files map[string][]byte) error {
	for name, b := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // a benchmark
			return err
		}
		if err := os.WriteFile(file, b, 0o644); err != nil { //nolint:gosec // a benchmark
			return err
		}
	}
	return nil
}

// writeHugo makes the same posts a Hugo site with eight output formats, each a card with the text cut to a limit.
func writeHugo(dir string, files map[string][]byte) error {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	var conf strings.Builder
	conf.WriteString("baseURL = \"http://localhost/\"\nbuildFuture = true\ndisableKinds = [\"taxonomy\", \"term\", \"RSS\", \"sitemap\", \"robotsTXT\", \"404\"]\n" +
		"[frontmatter]\ndate = [\"publish_at\"]\n[outputs]\nhome = [\"html\"]\nsection = [\"html\"]\npage = [\"" + strings.Join(names, "\", \"") + "\"]\n")
	out := map[string][]byte{}
	for i, name := range names {
		fmt.Fprintf(&conf, "[outputFormats.%s]\nmediaType = \"text/html\"\nbaseName = %q\nisHTML = true\npermalinkable = true\n", name, name)
		limit := []int{300, 300, 300, 500, 500, 500, 5000, 280}[i]
		out["layouts/single."+name+".html"] = fmt.Appendf(nil, `<!doctype html><title>{{ .Title }}</title>
<article><time>{{ .Date.Format "2006-01-02 15:04" }}</time>
<p>{{ with .Params.overrides }}{{ with index . %[1]q }}{{ .text }}{{ end }}{{ end }}{{ $t := .Plain | plainify }}{{ if gt (strings.RuneCount $t) %[2]d }}{{ substr $t 0 %[3]d }}…{{ else }}{{ $t }}{{ end }}</p>
{{ with .Params.media }}{{ range first 4 . }}<figure><img src="{{ .file }}" alt="{{ .alt }}"></figure>{{ end }}{{ end }}
<footer>{{ strings.RuneCount .Plain }} / %[2]d {{ range .Params.tags }}#{{ . }} {{ end }}</footer></article>
`, name, limit, limit-1)
	}
	out["hugo.toml"] = []byte(conf.String())
	out["layouts/home.html"] = []byte("<!doctype html><title>home</title><p>{{ len .Site.RegularPages }} posts</p>\n")
	out["layouts/list.html"] = []byte("<!doctype html><title>{{ .Title }}</title><table>{{ range .RegularPages }}<tr><td>{{ .Date.Format \"2006-01-02 15:04\" }}<td>{{ .Title }}{{ end }}</table>\n")
	for name, b := range files {
		if strings.HasPrefix(name, "content/") {
			out[name] = b
		}
	}
	return writeFiles(dir, out)
}
