package telegram_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/telegram"
	"github.com/postrider/postrider/internal/adapters/telegram/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const token = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" // that of the documentation

var channel = fake.Chat{ID: -1001234567890, Type: "channel", Username: "acme_news", Title: "Acme"}

func suite(chat fake.Chat, options telegram.Options, spec *description) platformtest.Suite {
	return platformtest.Suite{
		Adapter: telegram.Adapter{},
		Account: func(base string) *platform.Account {
			o := options
			o.Server, o.Links = base, base
			return &platform.Account{Name: "news", Platform: "telegram", Options: &o}
		},
		Secrets: map[string]secret.String{"BOT_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return spec.checked(fake.New(fake.Options{Base: base, Token: token, Now: platformtest.Clock, Chat: chat}))
		},
		SilentQuota: true,
		Refusal:     "message is too long",
	}
}

// All requests of the suites are held to the official description of the API.
func TestConformance(t *testing.T) {
	spec := readDescription(t)
	platformtest.Run(t, suite(channel, telegram.Options{Chat: "@acme_news"}, spec))
	spec.report(t)
}

// A private group with topics, and every option set.
func TestConformanceOfTopics(t *testing.T) {
	spec := readDescription(t)
	chat := fake.Chat{ID: -1009876543210, Type: "supergroup", Title: "Acme inside", Topics: []int64{7}}
	platformtest.RunPublisher(t, suite(chat, telegram.Options{
		Chat: "-1009876543210", Topic: 7, Silent: true, Protect: true, LinkPreview: "large", PreviewAbove: true,
	}, spec))
	spec.report(t)
}

func FuzzAnswers(f *testing.F) {
	platformtest.Fuzz(f, suite(channel, telegram.Options{Chat: "@acme_news"}, nil))
}
