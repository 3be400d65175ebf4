package fake_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/mastodon/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const token = "gotosocial-token-of-acme"

// The adapter's own conformance test runs on Mastodon; this one runs on GoToSocial.
func TestConformanceOfGoToSocial(t *testing.T) {
	platformtest.Run(t, platformtest.Suite{
		Adapter: mastodon.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{
				Name: "gts", Platform: "mastodon", Options: &mastodon.Options{
					Server: base, Software: mastodon.SoftwareGoToSocial,
					Limits: mastodon.Limits{Media: 4}, // the suite compares with what Info states
				},
			}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: platformtest.Clock, GoToSocial: true})
		},
		Refusal: "text with spoiler exceed max chars (5000)",
	})
}
