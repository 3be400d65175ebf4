package linkedin_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/linkedin"
	"github.com/postrider/postrider/internal/adapters/linkedin/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const (
	token = "linkedin-token-of-acme"
	page  = "2414183"
)

// suite is that of a member; with an organisation, that of its page.
func suite(organization string) platformtest.Suite {
	return platformtest.Suite{
		Adapter: linkedin.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "li", Platform: "linkedin", Options: &linkedin.Options{
				Organization: organization, Version: linkedin.DefaultVersion, Server: base,
			}}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{
				Base: base, Tokens: map[string]string{token: "Anna Acme"}, Pages: []string{page}, Now: platformtest.Clock,
			})
		},
		SilentQuota:    true,
		RefusesRepeats: true,
		Refusal:        "which is more than 3000",
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite("")) }

func TestPageConformance(t *testing.T) { platformtest.RunPublisher(t, suite(page)) }

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite("")) }

func FuzzPagePublisher(f *testing.F) { platformtest.Fuzz(f, suite(page)) }
