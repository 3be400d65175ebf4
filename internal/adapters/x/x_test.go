package x_test

import (
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func TestLongPosts(t *testing.T) {
	p := &post.Post{ID: "long", Path: "content/long.md", Body: []post.Doc{{Blocks: []post.Block{{
		Inlines: []post.Inline{{Text: strings.Repeat("snow ", 200) + "end"}},
	}}}}}
	v := p.For("x", "x")
	for _, tt := range []struct {
		options any
		max     int
		fits    bool
	}{
		{&x.Options{}, 280, false},
		{&x.Options{Premium: true}, 25_000, true},
		{nil, 280, false},
	} {
		r, list := x.Adapter{}.Render(&v, &platform.Account{Name: "x", Platform: "x", Options: tt.options})
		if r.Parts[0].Max != tt.max || list.HasErrors() == tt.fits {
			t.Errorf("%+v: at most %d, findings %v", tt.options, r.Parts[0].Max, list)
		}
	}
}

func TestReplyTo(t *testing.T) {
	for s, want := range map[string]bool{
		"https://x.com/acme/status/1234567890123456789":       true,
		"https://twitter.com/acme/status/1?s=20":              true,
		"https://www.x.com/i/web/status/99":                   true,
		"1234567890123456789":                                 true,
		"https://x.com/acme":                                  false,
		"https://x.com/acme/status/12a":                       false,
		"https://evil.example/x.com/acme/status/1":            false,
		"https://bsky.app/profile/acme.bsky.social/post/3kab": false,
		"12345678901234567890":                                false,
		"https://x.com/acme/status/77/":                       true,
		"https://x.com/acme/status/77#m":                      true,
	} {
		p := &post.Post{ID: "reply", Body: []post.Doc{{Blocks: []post.Block{{Inlines: []post.Inline{{Text: "Yes!"}}}}}}}
		v := p.For("x", "x")
		v.ReplyTo = s
		_, list := x.Adapter{}.Render(&v, &platform.Account{Name: "x", Platform: "x"})
		if got := !list.HasErrors(); got != want {
			t.Errorf("reply to %q: accepted %t, want %t", s, got, want)
		}
	}
}
