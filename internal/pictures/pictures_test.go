package pictures_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/pictures"
	"github.com/postrider/postrider/internal/review"
	"github.com/postrider/postrider/internal/screenshot"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const siteYAML = `title: Acme
timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.example}
  fedi: {platform: mastodon, server: "https://fedi.example"}
`

// artist draws nothing, and keeps what it was asked to draw.
type artist struct {
	mu    sync.Mutex
	pages []screenshot.Page
	fail  error
}

func (a *artist) Draw(_ context.Context, p screenshot.Page) (*screenshot.Picture, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fail != nil && len(a.pages) > 0 {
		return nil, a.fail
	}
	a.pages = append(a.pages, p)
	return &screenshot.Picture{Data: p.HTML, Ext: ".png", Width: 1, Height: 1}, nil
}

// draw makes the pictures of what changes between two folders.
func draw(t *testing.T, a *artist, before, after map[string]string) (*pictures.Set, error) {
	t.Helper()
	fsys := func(files map[string]string) fstest.MapFS {
		m := fstest.MapFS{"site.yaml": {Data: []byte(siteYAML), ModTime: now}}
		for name, text := range files {
			m[name] = &fstest.MapFile{Data: []byte(text), ModTime: now}
		}
		return m
	}
	was, is := fsys(before), fsys(after)
	var changed []string
	for name := range maps.Keys(before) {
		if after[name] != before[name] {
			changed = append(changed, name)
		}
	}
	for name := range maps.Keys(after) {
		if _, ok := before[name]; !ok {
			changed = append(changed, name)
		}
	}
	sides, err := review.Load(t.Context(), was, is, adapters.All(), changed...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := review.Make(t.Context(), review.Input{Sides: sides, Registry: adapters.All(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return pictures.Draw(t.Context(), pictures.Input{Sides: sides, Before: was, After: is, Registry: adapters.All(), Review: r, Artist: a})
}

func written(id, body string, fields ...string) string {
	return "---\nid: " + id + "\n" + strings.Join(append(fields, "---", body), "\n") + "\n"
}

// paths are the paths of the posts that have a picture.
func paths(s *pictures.Set) (list []string) {
	for _, p := range s.Pictures {
		list = append(list, p.Post.Path)
	}
	return list
}

// TestDraw: which posts get a picture, and what is on it.
func TestDraw(t *testing.T) {
	a := &artist{}
	set, err := draw(t, a, map[string]string{
		"content/edited.md": written("edited", "It costs 100 €.", "platforms: [bluesky, fedi]"),
		"content/one.md":    written("one", "One of them.", "platforms: [bluesky, fedi]"),
		"content/gone.md":   written("gone", "Gone.", "platforms: [fedi]"),
		"content/later.md":  written("later", "Later.", "platforms: [fedi]", "publish_at: 2026-12-01 09:00"),
		"content/moved.md":  written("moved", "Moved.", "platforms: [fedi]"),
	}, map[string]string{
		"content/edited.md":            written("edited", "It costs 120 €.", "platforms: [bluesky, fedi]"),
		"content/one.md":               written("one", "One of them.", "platforms: [bluesky, fedi]", "overrides: {fedi: {text: Another text.}}"),
		"content/later.md":             written("later", "Later.", "platforms: [fedi]", "publish_at: 2026-12-02 09:00"),
		"content/2/m.md":               written("moved", "Moved.", "platforms: [fedi]"),
		"templates/preview/card.html":  `{{define "card"}}<script>document.write("mine")</script>{{end}}`,
		"templates/preview/sheet.html": `{{define "sheet"}}<script>document.write("mine")</script>{{end}}`,
		"templates/assets/cards.css":   `mine {}`,
		"content/new.md":               written("new", "This is new.", "platforms: [bluesky, fedi]", "title: \"<b>New</b>\""),
	})
	if err != nil {
		t.Fatal(err)
	}
	got := paths(set)
	for _, want := range []string{"content/edited.md", "content/new.md", "content/one.md"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s has no picture: %v", want, got)
		}
	}
	for _, no := range []string{"content/gone.md", "content/later.md", "content/2/m.md"} {
		if slices.Contains(got, no) {
			t.Errorf("%s has a picture, and nothing of it looks different", no)
		}
	}
	for _, p := range set.Pictures {
		html := string(p.Data)
		if strings.Contains(html, "mine") {
			t.Errorf("%s is drawn with the templates of the branch", p.Post.Path)
		}
		switch p.Post.Path {
		case "content/edited.md":
			if strings.Count(html, "It costs 100 €.") != 2 || strings.Count(html, "It costs 120 €.") != 2 {
				t.Errorf("before and after are not on the page:\n%s", html)
			}
		case "content/one.md":
			if !strings.Contains(html, "As before: bluesky.") || strings.Count(html, ">Before<") != 1 || !strings.Contains(html, "Another text.") {
				t.Errorf("one account of two:\n%s", html)
			}
		case "content/new.md":
			if strings.Contains(html, ">Before<") || !strings.Contains(html, "This is new.") || strings.Contains(html, "<b>New") {
				t.Errorf("the new post:\n%s", html)
			}
		}
	}
	if names := set.FileNames(); len(names) != len(got) || names[0] != "post-edited.png" {
		t.Errorf("%v", names)
	}
}

// TestDrawLimits: no more than so many posts have a picture, and what is left out is known.
func TestDrawLimits(t *testing.T) {
	after := map[string]string{}
	for i := range 25 {
		after[fmt.Sprintf("content/p%02d.md", i)] = written(fmt.Sprintf("p%02d", i), fmt.Sprintf("Post number %d.", i), "platforms: [fedi]")
	}
	set, err := draw(t, &artist{}, nil, after)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Pictures) != pictures.Most || len(set.Left) != 5 || set.Left[0].Path != "content/p20.md" {
		t.Errorf("%d drawn, %d left out", len(set.Pictures), len(set.Left))
	}
}

// TestDrawFails: after a failure no more are begun, and those that were drawn are there.
func TestDrawFails(t *testing.T) {
	after := map[string]string{}
	for i := range 15 {
		after[fmt.Sprintf("content/p%02d.md", i)] = written(fmt.Sprintf("p%02d", i), fmt.Sprintf("Post number %d.", i), "platforms: [fedi]")
	}
	crash := errors.New("it crashed")
	set, err := draw(t, &artist{fail: crash}, nil, after)
	if !errors.Is(err, crash) || !strings.Contains(err.Error(), "content/p") {
		t.Errorf("%v, want %v of a post", err, crash)
	}
	if len(set.Pictures) != 1 || len(set.Failed) != 14 {
		t.Errorf("%d drawn, %d failed", len(set.Pictures), len(set.Failed))
	}
}

func encode(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestMedia: the browser gets pictures that were made here, and never a file of the site.
func TestMedia(t *testing.T) {
	opaque, clear := image.NewRGBA(image.Rect(0, 0, 3000, 1500)), image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for i := range opaque.Pix {
		opaque.Pix[i] = 255
	}
	palette := color.Palette{color.White, color.Black}
	frames := &gif.GIF{Config: image.Config{Width: 30, Height: 20, ColorModel: palette}, Delay: []int{1, 1}, Image: []*image.Paletted{
		image.NewPaletted(image.Rect(10, 10, 20, 20), palette), image.NewPaletted(image.Rect(0, 0, 30, 20), palette),
	}}
	files := map[string]string{
		"content/photo.jpg":         encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, opaque, nil) }),
		"content/clear.png":         encode(t, func(b *bytes.Buffer) error { return png.Encode(b, clear) }) + "and more",
		"content/moves.gif":         encode(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, frames) }),
		"content/broken.png":        "\x89PNG\r\n\x1a\n and then nothing",
		"content/.env.png":          "TOKEN=1",
		"content/a'b;%20&{{.}}.png": encode(t, func(b *bytes.Buffer) error { return png.Encode(b, opaque.SubImage(image.Rect(0, 0, 50, 50))) }),
	}
	for i, name := range []string{"photo.jpg", "clear.png", "moves.gif", "broken.png", ".env.png", "none.png", "a'b;%20&{{.}}.png"} {
		files[fmt.Sprintf("content/p%d.md", i)] = written(fmt.Sprintf("p%d", i), fmt.Sprintf("Number %d.", i), "platforms: [fedi, bluesky]", "media:", "  - {file: \""+name+"\", alt: A picture}")
	}
	a := &artist{}
	set, err := draw(t, a, nil, files)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Pictures) != 7 {
		t.Fatalf("%v", paths(set))
	}
	shown := map[string]image.Config{}
	for _, p := range a.pages {
		html := string(p.HTML)
		for name, data := range p.Files {
			c, kind, err := image.DecodeConfig(bytes.NewReader(data))
			if err != nil || !strings.HasSuffix(name, map[string]string{"jpeg": ".jpg", "png": ".png"}[kind]) {
				t.Errorf("%s is %s: %v", name, kind, err)
			}
			if strings.Trim(strings.TrimSuffix(strings.TrimSuffix(name, ".jpg"), ".png"), "0123456789abcdef") != "" || !strings.Contains(html, `src="`+name+`"`) {
				t.Errorf("the page does not show %q", name)
			}
			for _, src := range files {
				if src == string(data) {
					t.Errorf("%s is a file of the site as it is", name)
				}
			}
			for i := range 7 {
				if strings.Contains(html, fmt.Sprintf("Number %d.", i)) {
					shown[fmt.Sprintf("p%d", i)] = c
				}
			}
		}
	}
	var got []string
	for _, id := range slices.Sorted(maps.Keys(shown)) {
		got = append(got, fmt.Sprintf("%s %d×%d", id, shown[id].Width, shown[id].Height))
	}
	if want := "p0 1000×500, p1 40×40, p2 30×20, p6 50×50"; strings.Join(got, ", ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}
