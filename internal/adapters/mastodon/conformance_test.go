package mastodon_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/mastodon/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const token = "mastodon-token-of-acme"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: mastodon.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{
				Name: "fedi", Platform: "mastodon", Options: &mastodon.Options{Server: base, Software: mastodon.SoftwareMastodon},
			}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: platformtest.Clock})
		},
		Refusal: "Text character limit of 500 exceeded",
	}
}

// All requests of the suite are held to the description of the API.
func TestConformance(t *testing.T) {
	s := suite()
	s.Check = readDescription(t).check
	platformtest.Run(t, s)
}

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite()) }
