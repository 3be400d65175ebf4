package plaintext_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/bluesky"
	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/webhook"
	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// renderer is the pure half of an adapter.
type renderer interface {
	Info() platform.Info
	Render(*post.Variant, *platform.Account) (platform.Rendering, finding.List)
}

// BenchmarkRender renders an everyday post, as every run does for every post and account.
func BenchmarkRender(b *testing.B) {
	words := []string{
		"The sled is back and it is faster than ever before. We put steel runners on",
		"and went down the hill until dark. Come and see it at",
		"https://acme.com/winter before the snow is gone: we are there on Saturday from nine",
		"to five and there is #cocoa.",
	}
	p := &post.Post{ID: "bench", Path: "content/bench.md", Fields: post.Fields{
		Set: post.FieldSet(0).With(post.FieldTags), Tags: []string{"winter", "launch"},
	}}
	var inlines []post.Inline
	at := 100
	for i, line := range words {
		if i > 0 {
			inlines = append(inlines, post.Inline{Kind: post.SoftBreak})
		}
		inlines = append(inlines, post.Inline{Text: line, Span: post.Span{Start: at, End: at + len(line)}})
		at += len(line) + 1
	}
	p.Body = []post.Doc{{Blocks: []post.Block{{Inlines: inlines}}}}
	for _, a := range accounts() {
		b.Run(a.Name, func(b *testing.B) {
			r := rendererOf(a.Platform)
			v := p.For(a.Name, string(a.Platform))
			b.ReportAllocs()
			for b.Loop() {
				r.Render(&v, a)
			}
		})
	}
}

func rendererOf(id platform.ID) renderer {
	switch id {
	case "x":
		return x.Adapter{}
	case "bluesky":
		return bluesky.Adapter{}
	case "mastodon":
		return mastodon.Adapter{}
	case "webhook":
		return webhook.Adapter{}
	}
	panic("no adapter for " + id)
}

// accounts returns one account of each platform, and one on GoToSocial.
func accounts() []*platform.Account {
	return []*platform.Account{
		{Name: "x", Platform: "x", Options: &x.Options{}},
		{Name: "bluesky", Platform: "bluesky", Options: &bluesky.Options{Handle: "acme.bsky.social"}},
		{Name: "fedi", Platform: "mastodon", Options: &mastodon.Options{Server: "https://mastodon.example", Software: mastodon.SoftwareMastodon}},
		{Name: "gts", Platform: "mastodon", Options: &mastodon.Options{Server: "https://gts.example", Software: mastodon.SoftwareGoToSocial}},
		{Name: "hook", Platform: "webhook", Options: &webhook.Options{URL: "https://hook.example"}},
	}
}
