package site

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/finding"
)

const benchYAML = `timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.bsky.social}
  bluesky-de: {platform: bluesky, handle: acme-de.bsky.social}
  bluesky-jobs: {platform: bluesky, handle: acme-jobs.bsky.social}
  fedi: {platform: mastodon, server: "https://fedi.example"}
  fedi-de: {platform: mastodon, server: "https://de.fedi.example"}
  fedi-gts: {platform: mastodon, server: "https://gts.example", software: gotosocial}
  x: {platform: x, handle: acme}
  x-de: {platform: x, handle: acmede}
campaigns:
  winter-launch: {starts: 2026-12-01, ends: 2026-12-24}
schedule: {quiet: ["22:00-07:00", "Sun 00:00-24:00"]}
style: {max_hashtags: 3, banned: [utilize, game changer, synergy]}
`

// corpus is a site of n posts of 40–80 words, each for all eight accounts.
func corpus(n int) fstest.MapFS {
	words := strings.Fields("the sled is back and faster than ever you will like how it runs down every hill in the snow this winter with friends we made it of ash and steel for people who love long evenings outside")
	rnd := rand.New(rand.NewPCG(1, 2))
	fsys := fstest.MapFS{"site.yaml": file(benchYAML)}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "---\nid: post%05d\ntitle: Post %d\nplatforms: [bluesky, mastodon, x]\npublish_at: 20%02d-12-%02d %02d:%02d\n", i, i, 10+i%80, 1+rnd.IntN(28), 7+rnd.IntN(15), rnd.IntN(60))
		if i%80 == 16 {
			b.WriteString("campaign: winter-launch\n")
		}
		b.WriteString("tags: [winter]\n---\n")

		for w := range 40 + rnd.IntN(41) {
			switch {
			case w == 20 && i%3 == 0:
				b.WriteString("**sled** ")
			case w == 30 && i%4 == 0:
				b.WriteString("\n\n")
			}
			b.WriteString(words[rnd.IntN(len(words))] + " ")
		}
		fmt.Fprintf(&b, "#sled number %d\n", i)
		fsys[fmt.Sprintf("content/%02d/%05d.md", i%36, i)] = file(b.String())
	}
	return fsys
}

// BenchmarkCheck10k measures 10,000 posts for 8 accounts: reading, and rendering with all checks.
func BenchmarkCheck10k(b *testing.B) {
	ctx := context.Background()
	fsys := corpus(10_000)
	s, err := Load(ctx, fsys, registry(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := Load(ctx, fsys, registry(), Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("render", func(b *testing.B) { // one goroutine, no checks: what rendering alone costs
		for b.Loop() {
			for _, p := range s.Posts {
				for _, a := range s.Accounts(p) {
					s.Render(p, a)
				}
			}
		}
	})
	b.Run("checks", func(b *testing.B) { // one goroutine, rendering not counted
		b.StopTimer()
		for range b.N {
			pass := s.checker.Pass()
			for _, p := range s.Posts {
				var targets []check.Target
				for _, a := range s.Accounts(p) {
					r := s.Render(p, a)
					targets = append(targets, check.Target{Account: a, Info: s.checker.Info(a.Name), Variant: &r.Variant, Rendering: &r.Rendering})
				}
				b.StartTimer()
				pass.Post(p)
				for i := range targets {
					pass.Target(&targets[i])
				}
				b.StopTimer()
			}
			b.StartTimer()
			s.checker.Finish(nil, pass)
			b.StopTimer()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/80_000, "ns/rendering")
	})
	b.Run("all", func(b *testing.B) {
		var found finding.List
		for b.Loop() {
			s, err := Load(ctx, fsys, registry(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			found = s.Check(ctx)
		}
		b.ReportMetric(float64(len(found)), "findings")
	})
	b.Run("one path", func(b *testing.B) {
		for b.Loop() {
			s.Check(ctx, s.Posts[0].Path)
		}
	})
	b.Run("update", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Update(ctx, Options{}, s.Posts[0].Path); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// quick is a file system without folders, which is as fast in saying that a file is missing as a disk is.
type quick struct{ files fstest.MapFS }

func (q quick) Open(name string) (fs.File, error) {
	if q.files[name] == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return q.files.Open(name)
}

// BenchmarkUpdate50k measures one save in a site of 50,000 posts, of which every tenth has a picture that is missing and every
// fifth something that reading remarks on.
func BenchmarkUpdate50k(b *testing.B) {
	ctx := context.Background()
	fsys := corpus(50_000)
	for i := range 50_000 {
		name := fmt.Sprintf("content/%02d/%05d.md", i%36, i)
		text := string(fsys[name].Data)
		if i%10 == 0 {
			text += fmt.Sprintf("\n![A sled](/img/%d/a.png)\n", i)
		}
		if i%5 == 0 {
			text = strings.Replace(text, "tags:", "tag:", 1)
		}
		fsys[name] = file(text)
	}
	s, err := Load(ctx, fsys, registry(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d findings", len(s.Findings))
	s.fsys = quick{fsys}
	p := s.Posts[20_000]
	text := string(fsys[p.Path].Data)
	id := "id: " + p.ID + "\n"
	for _, step := range []struct {
		name string
		path string
		next func(i int) string // the file's text; "": it is gone
	}{
		{"edit", p.Path, func(i int) string { return fmt.Sprint(text, i) }},
		{"findings", p.Path, func(i int) string { return strings.Replace(text, "title:", []string{"titel:", "title:"}[i%2], 1) }},
		{"new id", p.Path, func(i int) string { return strings.Replace(text, id, fmt.Sprintf("id: new%05d\n", i), 1) }},
		{"come and go", "content/new/post.md", func(i int) string { return []string{strings.Replace(text, id, "id: another\n", 1), ""}[i%2] }},
		{"picture", "img/20/a.png", func(int) string { return "no picture" }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			now := s
			for i := 0; b.Loop(); i++ {
				if fsys[step.path] = file(step.next(i)); len(fsys[step.path].Data) == 0 {
					delete(fsys, step.path)
				}
				if now, err = now.Update(ctx, Options{}, step.path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("one post", func(b *testing.B) {
		for b.Loop() {
			s.CheckPost(p)
		}
	})
}
