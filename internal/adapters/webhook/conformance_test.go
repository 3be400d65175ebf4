package webhook_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/webhook"
	"github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const shared = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: webhook.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "hook", Platform: "webhook", Options: &webhook.Options{URL: base + fake.Path, Idempotent: true}}
		},
		Secrets: map[string]secret.String{"SECRET": secret.New(shared)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Options{Base: base, Secret: shared, Now: platformtest.Clock})
		},
		OneRequest: true, SilentQuota: true,
		Refusal: "the receiver does not take this post",
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite()) }

// A receiver that takes every request for another event: nothing is repeated of which the outcome is unknown.
func TestConformanceOfPlainReceivers(t *testing.T) {
	s := suite()
	s.Account = func(base string) *platform.Account {
		return &platform.Account{Name: "plain", Platform: "webhook", Options: &webhook.Options{URL: base + fake.PlainPath}}
	}
	platformtest.RunPublisher(t, s)
}

func FuzzAnswers(f *testing.F) { platformtest.Fuzz(f, suite()) }
