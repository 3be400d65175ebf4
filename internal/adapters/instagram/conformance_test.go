package instagram_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/instagram"
	"github.com/postrider/postrider/internal/adapters/instagram/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const token = "instagram-token-of-acme"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: instagram.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "instagram", Platform: "instagram", Options: &instagram.Options{Server: base}}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: platformtest.Clock})
		},
		SilentQuota: true,
		Dress:       platformtest.Photograph,
		Refusal:     "Caption Too Long",
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite()) }

// With a bucket, pictures of other types go out as the JPEGs that they are made.
func TestConformanceWithBucket(t *testing.T) {
	s := suite()
	account := s.Account
	s.Account = func(base string) *platform.Account {
		a := account(base)
		a.HasBucket = true
		return a
	}
	s.Dress = platformtest.Illustrate // with PNGs
	platformtest.RunPublisher(t, s)
}

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite()) }
