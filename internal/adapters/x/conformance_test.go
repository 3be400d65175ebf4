package x_test

import (
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/adapters/x/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const bearer = "bearer-token-of-acme"

var access = fake.OAuth1{Key: "consumerkeyofacme", KeySecret: "consumersecretofacme", Token: "1001-tokenofacme", TokenSecret: "tokensecretofacme"}

func oauth1Secrets() map[string]secret.String {
	return map[string]secret.String{
		"API_KEY": secret.New(access.Key), "API_SECRET": secret.New(access.KeySecret),
		"ACCESS_TOKEN": secret.New(access.Token), "ACCESS_TOKEN_SECRET": secret.New(access.TokenSecret),
	}
}

func oauth2Secrets() map[string]secret.String {
	return map[string]secret.String{"OAUTH2_TOKEN": secret.New(bearer)}
}

func suite(secrets map[string]secret.String) platformtest.Suite {
	return platformtest.Suite{
		Adapter: x.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "x", Platform: "x", Options: &x.Options{Handle: "acme", Server: base}}
		},
		Secrets: secrets,
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{
				Base: base, Now: platformtest.Clock, Users: []fake.User{{Handle: "acme", OAuth1: access, Bearer: bearer}}, Processing: 1,
			})
		},
		RefusesRepeats: true,
		Refusal:        "Your Tweet text is too long",
		More:           more(),
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite(oauth1Secrets())) }

func TestConformanceOAuth2(t *testing.T) { platformtest.RunPublisher(t, suite(oauth2Secrets())) }

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite(oauth1Secrets())) }

// more has what else X is asked for: a video, a poll, who may reply.
func more() []platformtest.Extra {
	clip := platform.Media{Path: "content/ride.mp4", MIME: "video/mp4"}
	poll := &platform.Poll{Options: []string{"Red", "Blue"}, Duration: 2 * time.Hour}
	return []platformtest.Extra{
		{Name: "video", Files: map[string]string{clip.Path: "a ride"}, Rendering: platform.Rendering{Parts: []platform.Part{{Text: "Look.", Media: []platform.Media{clip}}}}},
		{Name: "choice", Rendering: platform.Rendering{Parts: []platform.Part{{Text: "Which?"}}, Poll: poll, Settings: map[string]string{"reply_settings": "following"}}},
		{Name: "comment", Rendering: platform.Rendering{Parts: []platform.Part{{Text: "One."}, {Text: "Two."}, {Text: "By the way.", Comment: true}}}},
	}
}
