// Package webhook is the adapter for everything that has no adapter: it posts the rendering as JSON,
// signed as Standard Webhooks describes, to an address of your own.
package webhook

import (
	"net/url"

	"github.com/postrider/postrider/internal/platform"
)

// Adapter is the webhook. The zero value is ready for use.
type Adapter struct{}

// Options are a webhook account's options in site.yaml.
type Options struct {
	URL string `yaml:"url" help:"The address that receives the posts."`
	// Idempotent is what makes repeating a request harmless.
	Idempotent bool `yaml:"idempotent,omitempty" help:"Whether the receiver does nothing twice for one webhook-id; with false, a request without an answer is not repeated and waits for a person. True when left out."`
}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	u, err := url.Parse(o.URL)
	switch {
	case o.URL == "":
		return []platform.OptionProblem{{
			Key: "url", Message: "a webhook needs the address to post to", Hint: "url: https://example.com/hooks/posts",
		}}
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "":
		return []platform.OptionProblem{{
			Key: "url", Message: "the webhook's address is not an http or https address", Hint: "url: https://example.com/hooks/posts",
		}}
	case u.User != nil:
		return []platform.OptionProblem{{
			Key: "url", Message: "the webhook's address holds a user name or password", Hint: "site.yaml is no place for secrets: the request is signed with the account's SECRET",
		}}
	}
	return nil
}

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "webhook",
		Name:    "Webhook",
		DocsURL: "https://www.standardwebhooks.com/",
		// CanIdempotent is added by AccountCaps: what is declared here holds for every account.
		Caps: platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanThread | platform.CanPoll |
			platform.CanVisibility | platform.CanContentWarning | platform.CanLanguage | platform.CanCard,
		NewOptions: func() any { return &Options{Idempotent: true} },
		Secrets: []platform.SecretSpec{{
			Name: "SECRET",
			Help: "The Standard Webhooks signing secret that you share with the receiver: whsec_ and 24 to 64 random bytes in base64.",
		}},
	}
}

// AccountCaps implements [platform.AccountCapser]: whether the same request twice makes one post is up to the receiver.
// There is no way to ask one what it has, so without that nothing tells what became of a request without an answer.
func (Adapter) AccountCaps(a *platform.Account) platform.Caps {
	caps := (Adapter{}).Info().Caps
	if o, ok := a.Options.(*Options); ok && o.Idempotent {
		caps |= platform.CanIdempotent
	}
	return caps
}
