package bluesky_test

import (
	"testing"

	"github.com/postrider/postrider/internal/adapters/bluesky"
	"github.com/postrider/postrider/internal/adapters/bluesky/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

const password = "abcd-efgh-ijkl-mnop"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: bluesky.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{
				Name: "acme", Platform: "bluesky",
				Options: &bluesky.Options{Handle: "acme.example", Server: base},
			}
		},
		Secrets:  map[string]secret.String{"APP_PASSWORD": secret.New(password)},
		Fake:     func(base string) fakenet.Fake { return newFake(base) },
		Sessions: true,
		Refusal:  "grapheme too big (maximum 300",
	}
}

func newFake(base string) *fake.Server {
	return fake.New(fake.Options{
		Base: base, Now: platformtest.Clock,
		Accounts: []fake.Account{{Handle: "acme.example", Password: password}, {Handle: "alice.example", Password: "alice-password"}},
	})
}

// All requests of the suite are held to the lexicons, and the records in them.
func TestConformance(t *testing.T) {
	s := suite()
	s.Check = bluesky.ReadLexicons(t).Check
	platformtest.Run(t, s)
}

func FuzzAnswers(f *testing.F) { platformtest.Fuzz(f, suite()) }
