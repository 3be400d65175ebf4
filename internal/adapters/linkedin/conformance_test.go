package linkedin_test

import (
	"testing"
	"time"

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
		More:           more(),
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite("")) }

func TestPageConformance(t *testing.T) { platformtest.RunPublisher(t, suite(page)) }

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite("")) }

func FuzzPagePublisher(f *testing.F) { platformtest.Fuzz(f, suite(page)) }

// more has what else LinkedIn is asked for: a video, a document, a poll, a first comment.
func more() []platformtest.Extra {
	clip := platform.Media{Path: "content/ride.mp4", MIME: "video/mp4"}
	plan := platform.Media{Path: "content/plan.pdf", MIME: "application/pdf"}
	poll := &platform.Poll{Options: []string{"Red", "Blue"}, Duration: 72 * time.Hour}
	part := func(text string, media ...platform.Media) []platform.Part {
		return []platform.Part{{Text: text, Media: media}}
	}
	return []platformtest.Extra{
		{Name: "video", Files: map[string]string{clip.Path: "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"}, Rendering: platform.Rendering{
			Visibility: "public", Parts: part("Look.", clip), Settings: map[string]string{"media.title": "The ride"},
		}},
		{Name: "document", Files: map[string]string{plan.Path: "%PDF-1.7 plan"}, Rendering: platform.Rendering{
			Visibility: "public", Parts: part("The plan.", plan), Settings: map[string]string{"media.title": "plan"},
		}},
		{Name: "choice", Rendering: platform.Rendering{Visibility: "public", Parts: part("Which?"), Poll: poll, Settings: map[string]string{"poll.question": "Which sled?"}}},
		{Name: "comment", Rendering: platform.Rendering{Visibility: "public", Parts: append(part("One."), platform.Part{Text: "By the way.", Comment: true})}},
	}
}
