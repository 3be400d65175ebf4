package facebook_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/facebook"
	"github.com/postrider/postrider/internal/adapters/facebook/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const (
	token     = "facebook-page-token-of-acme"
	appSecret = "facebook-app-secret-of-acme"
	pageID    = "100200300"
	appID     = "424242"
)

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: facebook.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "page", Platform: "facebook", Options: &facebook.Options{Page: pageID, AppID: appID, Server: base}}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token), "APP_SECRET": secret.New(appSecret)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(config(base))
		},
		SilentQuota: true,
		Refusal:     fake.Refusal,
		More:        more(),
	}
}

func config(base string) fake.Config {
	return fake.Config{Base: base, Page: pageID, Name: "Acme", Token: token, AppID: appID, AppSecret: appSecret, Now: platformtest.Clock}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite()) }

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite()) }

// more has what else Facebook is asked for: a video, and a first comment with a picture.
func more() []platformtest.Extra {
	clip := platform.Media{Path: "content/ride.mp4", MIME: "video/mp4"}
	photo := platform.Media{Path: "content/sled.png", MIME: "image/png", Alt: "A sled"}
	return []platformtest.Extra{
		{Name: "video", Files: map[string]string{clip.Path: "a ride"}, Rendering: platform.Rendering{Parts: []platform.Part{{Text: "Look.", Media: []platform.Media{clip}}}}},
		{Name: "comment", Files: map[string]string{photo.Path: "a sled"}, Rendering: platform.Rendering{Parts: []platform.Part{
			{Text: "One."}, {Text: "By the way.", Comment: true, Media: []platform.Media{photo}},
		}}},
	}
}
