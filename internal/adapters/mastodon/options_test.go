package mastodon

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

func TestValidateOptions(t *testing.T) {
	tests := []struct {
		options Options
		want    string // the key with a problem
	}{
		{Options{Server: "https://mastodon.social", Software: SoftwareMastodon}, ""},
		{Options{Server: "http://127.0.0.1:8080", Software: SoftwareGoToSocial}, ""},
		{Options{Software: SoftwareMastodon}, "server"},
		{Options{Server: "mastodon.social", Software: SoftwareMastodon}, "server"},
		{Options{Server: "ftp://mastodon.social", Software: SoftwareMastodon}, "server"},
		{Options{Server: "https://mastodon.social", Software: "pleroma"}, "software"},
		{Options{Server: "https://mastodon.social", Software: SoftwareMastodon, Limits: Limits{Media: -1}}, "limits.media"},
	}
	for _, tt := range tests {
		got := ""
		for _, p := range tt.options.Validate() {
			got += p.Key
		}
		if got != tt.want {
			t.Errorf("%+v: problems with %q, want %q", tt.options, got, tt.want)
		}
	}
}

func TestEffectiveLimits(t *testing.T) {
	custom := Options{Software: SoftwareMastodon, Limits: Limits{Characters: 1000, URL: 30}}
	want := mastodonLimits
	want.Characters, want.URL = 1000, 30
	if diff := cmp.Diff(want, custom.Effective()); diff != "" {
		t.Errorf("a server with limits of its own:\n%s", diff)
	}
	gts := Options{Software: SoftwareGoToSocial, Limits: Limits{URL: 25}}
	if diff := cmp.Diff(gotosocialLimits, gts.Effective()); diff != "" {
		t.Errorf("GoToSocial states a length of addresses and does not use it:\n%s", diff)
	}
}

func TestIsPost(t *testing.T) {
	for s, want := range map[string]bool{
		"https://mastodon.social/@anna/109876":    true,
		"https://gts.example/users/anna/posts/01": true,
		"109876543210":                         true,
		"01HXYZABCDEF":                         true,
		"https://mastodon.social/":             false,
		"https://x.com/anna/status/1":          false,
		"https://bsky.app/profile/a.b/post/3k": false,
		"/@anna/1":                             false,
		"no post":                              false,
		"":                                     false,
	} {
		if got := isPost(s); got != want {
			t.Errorf("isPost(%q) = %t, want %t", s, got, want)
		}
	}
}

// A family is one character on Mastodon and five code points on GoToSocial; both take 50 in an option.
func TestPollOptionLength(t *testing.T) {
	p := &post.Post{ID: "aaaa1111", Fields: post.Fields{Poll: &post.Poll{
		Options: []string{strings.Repeat("👨‍👩‍👧", 11), "none"}, Duration: time.Hour,
	}}}
	p.Set = p.Set.With(post.FieldPoll)
	v := p.For("fedi", "mastodon")
	for software, want := range map[string]int{SoftwareMastodon: 0, SoftwareGoToSocial: 1} {
		_, list := Adapter{}.Render(&v, &platform.Account{Name: "fedi", Platform: "mastodon", Options: &Options{Software: software}})
		got := 0
		for _, f := range list {
			if f.Code == rules.CodePollLimit {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d findings about the poll, want %d: %+v", software, got, want, list)
		}
	}
}
