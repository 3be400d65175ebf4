package threads_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/threads"
	"github.com/postrider/postrider/internal/adapters/threads/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

const token = "threads-token-of-acme"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: threads.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "threads", Platform: "threads", Options: &threads.Options{Server: base}}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: platformtest.Clock})
		},
		SilentQuota: true,
		Refusal:     "must be at most 500 characters",
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite()) }

// With a bucket, pictures go out without what was written into them.
func TestConformanceWithBucket(t *testing.T) {
	s := suite()
	account := s.Account
	s.Account = func(base string) *platform.Account {
		a := account(base)
		a.HasBucket = true
		return a
	}
	s.Dress = func(p *post.Post) {
		for i := range p.Media {
			p.Media[i].Metadata = true
		}
	}
	platformtest.RunPublisher(t, s)
}

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite()) }
