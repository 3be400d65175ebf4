package content

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/post"
)

// writeCorpus writes n posts of some 1,100 bytes below dir, like those that the figures in docs/ were
// measured with: every third has media, every fifth an override.
func writeCorpus(tb testing.TB, dir string, n int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the sled is back for a winter of light and snow with friends who build small honest tools every **day** of [the](https://example.com/a) year #winter @acme@example.social")
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "---\nid: p%06d\ntitle: \"Winter launch %d\"\npublish_at: 2026-%02d-%02dT09:00:00Z\nplatforms: [bluesky, mastodon, x]\ncampaign: winter\ntags: [winter, launch]\n", i, i, 1+i/28%12, 1+i%28)
		if i%3 == 0 {
			fmt.Fprintf(&b, "media:\n  - path: media/%06d.jpg\n    alt: \"A red sled on a snowy hill\"\n", i)
		}
		if i%5 == 0 {
			b.WriteString("overrides:\n  x:\n    text: \"A short text for the one network that wants short texts\"\n")
		}
		b.WriteString("---\n\n")
		for range 2 + r.IntN(3) {
			for range 40 + r.IntN(20) {
				b.WriteString(words[r.IntN(len(words))])
				b.WriteByte(' ')
			}
			b.WriteString("\n\n")
		}
		name := filepath.Join(dir, "content", fmt.Sprintf("2026/%02d/%06d.md", 1+i%12, i))
		if i < 12 {
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				tb.Fatal(err)
			}
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkLoad reads 2,000 posts, or with POSTRIDER_BENCH_CORPUS the site in that folder.
func BenchmarkLoad(b *testing.B) {
	dir, sub := os.Getenv("POSTRIDER_BENCH_CORPUS"), os.Getenv("POSTRIDER_BENCH_CONTENT")
	if dir == "" {
		dir = b.TempDir()
		writeCorpus(b, dir, 2000)
	}
	if sub == "" {
		sub = "content"
	}
	fsys := os.DirFS(dir)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var posts []*post.Post
	b.ReportAllocs()
	for b.Loop() {
		var err error
		posts, _, err = Load(b.Context(), fsys, sub, Options{Media: &media.Cache{}})
		if err != nil || len(posts) == 0 {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(posts)), "µs/post")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(len(posts)), "retained-B/post")
	runtime.KeepAlive(posts)
}
