package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/site"
)

// accountOptions are what an account of a platform needs in site.yaml; the others need nothing.
var accountOptions = map[string]string{
	"bluesky": "handle: bench.example", "facebook": `page: "1234567890"`, "mastodon": `server: "https://one.example"`,
	"telegram": `chat: "@bench"`, "webhook": `url: "https://hook.example/in"`, "x": "handle: bench",
}

// render measures how long one post takes to be rendered for every platform, one after the other in this process, which has rendered some before:
// a post as people write them, a long thread, and one that is meant to take long.
func (b *bench) render(ctx context.Context) error {
	dir := filepath.Join(b.dir, "render")
	var conf strings.Builder
	conf.WriteString("title: Bench\ntimezone: UTC\nmedia: {public_url: \"https://files.example/{commit}/{path}\"}\ndefaults: {thread: auto}\naccounts:\n")
	registry := adapters.All()
	for _, info := range registry.Infos() {
		fmt.Fprintf(&conf, "  %[1]s: {platform: %[1]s, %s}\n", info.ID, accountOptions[string(info.ID)])
	}
	var all []string
	for _, info := range registry.Infos() {
		all = append(all, string(info.ID))
	}
	c := corpus{rand.New(rand.NewPCG(1, 42))} //nolint:gosec // the same at every run is the point
	head := func(id string) string {
		return fmt.Sprintf("---\nid: %s\npublish_at: 2026-12-01 09:00\nplatforms: [%s]\ntags: [winter, launch]\nlink: https://example.com/%[1]s\nmedia: [{file: /media/a.png, alt: A picture}]\n---\n", id, strings.Join(all, ", "))
	}
	long := func(sentences int) string {
		var text strings.Builder
		for i := range sentences {
			text.WriteString(c.sentence(14, "long") + " ")
			if i%4 == 3 {
				text.WriteString("\n\n")
			}
		}
		return text.String()
	}
	nasty := strings.Repeat("👩‍👩‍👧‍👦 #tag\u200dword @someone.example.com https://example.com/a?b=[c](d)&e=%20 ﷽ Z̷̡͎a̴l̵g̸o ** _ ` $ACME e\u0301 ", 120)
	posts := []struct{ id, what, text string }{
		{"typical", "typical: 60 words, links, emphasis, a picture", long(4)},
		{"thread", "long: 1,000 words, cut into threads", long(70)},
		{"hostile", fmt.Sprintf("hostile: %d characters of emoji, entities and combining marks", len([]rune(nasty))), nasty},
	}
	files := map[string][]byte{"site.yaml": []byte(conf.String()), "media/a.png": picture(1)}
	for _, p := range posts {
		files["content/"+p.id+".md"] = []byte(head(p.id) + p.text + "\n")
	}
	if err := writeFiles(dir, files); err != nil {
		return err
	}
	s, err := site.Load(ctx, os.DirFS(dir), registry, site.Options{})
	if err != nil {
		return err
	}
	fmt.Printf("\nRendering one post for %d platforms (load %s)\n\n| post | ms for all: median (min) | the slowest platform: ms | parts |\n|---|---|---|---|\n", len(all), load())
	for _, p := range posts {
		post, ok := s.Find(p.id)
		if !ok {
			return fmt.Errorf("there is no post %s", p.id)
		}
		accounts := s.Accounts(post)
		if len(accounts) != len(all) {
			return fmt.Errorf("%s goes to %d accounts, and there are %d platforms: what their accounts need stands in accountOptions", p.id, len(accounts), len(all))
		}
		const rounds = 101
		var took []float64
		by := make(map[platform.ID][]float64, len(all))
		parts := 0
		for round := range rounds + 10 {
			parts = 0
			began := time.Now()
			last := began
			for _, a := range accounts {
				parts += len(s.Render(post, a).Rendering.Parts)
				now := time.Now()
				if round >= 10 { // those before warm up
					by[a.Platform] = append(by[a.Platform], ms(now.Sub(last)))
				}
				last = now
			}
			if round >= 10 {
				took = append(took, ms(last.Sub(began)))
			}
		}
		var slowest platform.ID
		for id := range by {
			if slowest == "" || median(by[id]) > median(by[slowest]) {
				slowest = id
			}
		}
		fmt.Printf("| %s | %.3f (%.3f) | %s: %.3f | %d |\n", p.what, median(took), slices.Min(took), slowest, median(by[slowest]), parts)
	}
	return os.RemoveAll(dir)
}
