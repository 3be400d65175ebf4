package card_test

import (
	"bytes"
	"flag"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/templates"
)

var gallery = flag.String("gallery", "", "a folder for pages that show all networks' cards")

// TestGalleryPages writes pages with all networks' cards of representative posts, light and dark: into the folder -gallery, for
// people to look at, else into one that is removed. It fails when a page refers to what is not there.
func TestGalleryPages(t *testing.T) {
	dir := *gallery
	if dir == "" {
		dir = t.TempDir()
	}
	g := &showcase{t: t, dir: dir, set: parsed(t)}
	g.files()
	posts := []struct {
		name string
		post *post.Post
	}{
		{"link", g.link()}, {"thread", g.thread()}, {"long", g.long()}, {"one", g.pictures(1, false)}, {"two", g.pictures(2, false)},
		{"three", g.pictures(3, true)}, {"four", g.pictures(4, false)}, {"tall", g.pictures(1, true)}, {"six", g.pictures(6, true)}, {"poll", g.poll()}, {"rtl", g.rtl()},
	}
	for _, p := range posts {
		for _, theme := range []string{"light", "dark"} {
			g.page(p.name+"-"+theme+".html", theme, p.post)
		}
	}
}

// showcase writes one gallery.
type showcase struct {
	t    *testing.T
	dir  string
	set  *template.Template
	made []post.Media
}

func (g *showcase) write(name string, data []byte) {
	name = filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		g.t.Fatal(err)
	}
}

// files writes the style sheets and the pictures: the sample site's, and two of shapes that it has not.
func (g *showcase) files() {
	for _, name := range []string{"app.css", "cards.css"} {
		css, err := templates.Files.ReadFile("assets/" + name)
		if err != nil {
			g.t.Fatal(err)
		}
		g.write(name, css)
	}
	add := func(name, alt string, w, h int, data []byte) {
		g.write(name, data)
		g.made = append(g.made, post.Media{File: name, Path: name, Alt: alt, HasAlt: alt != "", MIME: "image/png", Digest: name, Width: w, Height: h, Bytes: int64(len(data))})
	}
	err := fs.WalkDir(postrider.Sample, "content", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".jpg" {
			return err
		}
		data, err := postrider.Sample.ReadFile(name)
		if err != nil {
			return err
		}
		c, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return err
		}
		add(path.Base(name), "A wooden sled in the snow, seen from the side; behind it the workshop's door stands open.", c.Width, c.Height, data)
		return nil
	})
	if err != nil {
		g.t.Fatal(err)
	}
	for _, s := range [][2]int{{600, 1100}, {1500, 500}} {
		img := image.NewRGBA(image.Rect(0, 0, s[0], s[1]))
		for y := range s[1] {
			for x := range s[0] {
				img.Set(x, y, color.RGBA{uint8(40 + 120*x/s[0]), uint8(90 + 100*y/s[1]), 150, 255})
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			g.t.Fatal(err)
		}
		add(fmt.Sprintf("%dx%d.png", s[0], s[1]), "", s[0], s[1], b.Bytes())
	}
}

func text(s string) post.Inline { return post.Inline{Kind: post.Text, Text: s} }

func body(paragraphs ...string) post.Doc {
	var d post.Doc
	for _, p := range paragraphs {
		d.Blocks = append(d.Blocks, post.Block{Kind: post.Paragraph, Inlines: []post.Inline{text(p)}})
	}
	return d
}

func (g *showcase) link() *post.Post {
	p := &post.Post{ID: "link", Body: []post.Doc{{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{
		text("The Nine is back. "), {Kind: post.Strong, Inlines: []post.Inline{text("Ash from our own valley")}},
		text(", bent over steam, and a runner that forgives. Orders open on Tuesday at nine. #sleds #Allgäu"),
	}}}}}}
	m := g.made[3]
	p.Fields = post.Fields{Link: "https://www.example.com/the-nine?utm_source=winter-launch", Card: &post.Card{
		URL: "https://www.example.com/the-nine?utm_source=winter-launch", Title: "The Nine: a sled for nine winters", Description: "Ash, steam and patience. How the new sled is made, what it costs and when it is ready.", Image: &m,
	}, Language: []string{"en"}}
	p.Set = p.Set.With(post.FieldLink).With(post.FieldCard).With(post.FieldLanguage)
	return p
}

func (g *showcase) thread() *post.Post {
	first, second := g.made[2], g.made[0]
	d := body("How a runner is bent, in three posts. The wood is ash, split and not sawn, so that the grain runs through.", "It takes a day.")
	d2 := body("The steam box is as old as my grandfather. After forty minutes the wood gives way like leather, and you have about a minute: https://www.example.com/steam/the-long-story-of-it")
	d2.Blocks = append(d2.Blocks, post.Block{Kind: post.Paragraph, Inlines: []post.Inline{{Kind: post.Image, Text: second.Alt, Media: &second}}})
	p := &post.Post{ID: "thread", Body: []post.Doc{d, d2, body("Then it stays in the jig until spring. That is all. Questions? Ask away!")}}
	p.Media, p.Set = []post.Media{first}, p.Set.With(post.FieldMedia)
	return p
}

func (g *showcase) long() *post.Post {
	p := &post.Post{ID: "long", Body: []post.Doc{body(
		"In March we had a letter from a man in Vermont. He had bought one of our sleds in 1987, and it had come down the same hill every winter since.",
		"“The left runner is tired,” he wrote, “and so am I. But my granddaughter is not. Can you mend it?” We could. It took Vroni an afternoon and one piece of ash that had waited in the loft for eleven years, and the sled went back across the sea with a new runner, a jar of wax and a drawing.",
		"Last week there was a second letter, with a photograph. It is on the wall above the steam box now, and whoever comes in to ask whether things like these are worth repairing gets to look at it first.",
		"Repair Thursday is every Thursday. Bring the sled. Bring the granddaughter.",
	)}}
	return p
}

func (g *showcase) pictures(n int, tallFirst bool) *post.Post {
	order := []int{3, 0, 4, 6, 5, 1, 2}
	if tallFirst {
		order = []int{5, 3, 0, 6, 4, 1, 2}
	}
	if n == 1 && tallFirst {
		order = []int{5}
	}
	p := &post.Post{ID: "pictures", Body: []post.Doc{body("Advent in the workshop.")}}
	for _, i := range order[:n] {
		p.Media = append(p.Media, g.made[i])
	}
	p.Set = p.Set.With(post.FieldMedia)
	return p
}

func (g *showcase) poll() *post.Post {
	p := &post.Post{ID: "poll", Body: []post.Doc{body("The bell or the lantern: what does a sled need after dark?")}}
	p.Fields = post.Fields{
		Media: []post.Media{g.made[1], g.made[4]}, // which is one thing too many for most
		Poll:  &post.Poll{Options: []string{"The bell", "The lantern", "Both, and a thermos"}, Duration: 36 * time.Hour}, ContentWarning: "Strong opinions on sleds",
		Visibility: "unlisted", Sensitive: true,
	}
	p.Set = p.Set.With(post.FieldMedia).With(post.FieldPoll).With(post.FieldContentWarning).With(post.FieldVisibility).With(post.FieldSensitive)
	return p
}

func (g *showcase) rtl() *post.Post {
	p := &post.Post{ID: "rtl", Body: []post.Doc{body(
		"שלום עולם! המזחלת חזרה ❄️ https://example.com/שלום", "مرحبا بالعالم، عادت الزلاجة 🛷 #ثلج (123)", "And in English: 👩‍👩‍👧‍👦 👍🏿 it is back, @vroni.",
	)}}
	p.Media = []post.Media{{File: "film.mp4", Path: "film.mp4", MIME: "video/mp4", Alt: "The sled goes down a hill", HasAlt: true}}
	p.ReplyTo = "https://bsky.app/profile/fichtl.example/post/3k"
	p.Set = p.Set.With(post.FieldMedia).With(post.FieldReplyTo)
	return p
}

var refs = regexp.MustCompile(`(?:src|href)="([^"#:]+)"`)

// page writes one post on all networks.
func (g *showcase) page(name, theme string, p *post.Post) {
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="en" data-theme="` + theme + `"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>` + name + `</title>` +
		`<link rel="stylesheet" href="app.css"><link rel="stylesheet" href="cards.css"><style>body{margin:16px;background:var(--bg)}.wall{columns:3 28rem;column-gap:16px}.wall>*{break-inside:avoid;margin-bottom:16px}</style></head><body><main>`)
	b.WriteString(written(g.t, g.set, "sprite", nil) + `<h1 class="card-unseen">Cards</h1><div class="wall">`)
	for _, id := range networks {
		v := view(id, p, func(m platform.Media) string {
			if strings.HasSuffix(m.Path, ".mp4") {
				return ""
			}
			return m.Path
		})
		b.WriteString(`<section class="target">` + written(g.t, g.set, "card", v) + "</section>\n")
	}
	b.WriteString("</div></main></body></html>\n")
	g.write(name, []byte(b.String()))
	for _, m := range refs.FindAllStringSubmatch(b.String(), -1) {
		if _, err := os.Stat(filepath.Join(g.dir, m[1])); err != nil {
			g.t.Errorf("%s: %v", name, err)
		}
	}
}
