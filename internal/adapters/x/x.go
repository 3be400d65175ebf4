// Package x is the adapter for X (formerly Twitter).
//
// This version says exactly what X would show, counts it as X counts and plans it; it does not
// publish there yet. Lengths and entities follow twitter-text v3.
package x

import (
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is X. The zero value is ready for use.
type Adapter struct{}

var _ platform.Adapter = Adapter{}

// Options are an X account's options in site.yaml.
type Options struct {
	Handle  string `yaml:"handle,omitempty" help:"The account's name on X, without the @."`
	Premium bool   `yaml:"premium,omitempty" help:"The account pays for X Premium and may write posts of up to 25,000 characters."`
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText        = 280
	maxTextPremium = 25_000
	maxCashtags    = 1
	maxImages      = 4
	maxImageBytes  = 5_000_000
	maxGIFBytes    = 15_000_000
	maxVideoBytes  = 512_000_000
	maxAltText     = 1000
	minPollOptions = 2
	maxPollOptions = 4
	maxPollOption  = 25
	minPollMinutes = 5
	maxPollMinutes = 7 * 24 * 60
)

// The pages that state the limits, as read on [verified].
const (
	docsText  = "https://docs.x.com/fundamentals/counting-characters"
	docsPost  = "https://docs.x.com/x-api/posts/create-post"
	docsMedia = "https://docs.x.com/x-api/media/quickstart/best-practices"
	docsAlt   = "https://docs.x.com/x-api/media/create-media-metadata"
	docsGuide = "https://docs.x.com/x-api/posts/manage-tweets/integrate"
	verified  = "2026-08-22"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "x",
		Name:    "X",
		DocsURL: "https://docs.x.com/x-api/getting-started/getting-access",
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.Weighted, Doc: docsText, Verified: verified, Note: "25,000 with `premium: true`"},
			{Name: "text_premium", Max: maxTextPremium, Unit: measure.Weighted, Doc: docsText, Verified: verified},
			{Name: "cashtags", Max: maxCashtags, Unit: "cashtags", Doc: docsGuide, Verified: verified},
			{Name: "images", Max: maxImages, Unit: "images", Doc: docsMedia, Verified: verified, Note: "or one GIF, or one video"},
			{Name: "image_bytes", Max: maxImageBytes, Unit: measure.Bytes, Doc: docsMedia, Verified: verified, Note: "stated as 5 MB"},
			{Name: "gif_bytes", Max: maxGIFBytes, Unit: measure.Bytes, Doc: docsMedia, Verified: verified, Note: "stated as 15 MB"},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsMedia, Verified: verified, Note: "stated as 512 MB"},
			{Name: "alt_text", Max: maxAltText, Unit: measure.CodePoints, Doc: docsAlt, Verified: verified},
			{Name: "poll_options", Max: maxPollOptions, Unit: "options", Doc: docsPost, Verified: verified},
			{Name: "poll_option", Max: maxPollOption, Unit: measure.CodePoints, Doc: docsPost, Verified: verified},
			{Name: "poll_duration", Max: maxPollMinutes, Unit: "minutes", Doc: docsPost, Verified: verified},
		},
		Measure:    func(text string) int { return measure.X(text).Weighted },
		Caps:       platform.CanThread | platform.CanPoll,
		NewOptions: func() any { return new(Options) },
		// All optional: nothing needs them as long as Open refuses.
		Secrets: []platform.SecretSpec{
			{
				Name: "API_KEY", Optional: true,
				Help:    "The API key (consumer key) of your X app, from console.x.com.",
				Aliases: []string{"X_API_KEY", "TWITTER_API_KEY", "TWITTER_API_CONSUMER_KEY", "TWITTER_CONSUMER_KEY"},
			},
			{
				Name: "API_SECRET", Optional: true,
				Help:    "The API secret (consumer secret) of your X app.",
				Aliases: []string{"X_API_SECRET", "TWITTER_API_SECRET", "TWITTER_API_SECRET_KEY", "TWITTER_API_CONSUMER_SECRET", "TWITTER_CONSUMER_SECRET"},
			},
			{
				Name: "ACCESS_TOKEN", Optional: true,
				Help:    "The OAuth 1.0a access token of the account, with permission to read and write.",
				Aliases: []string{"X_ACCESS_TOKEN", "TWITTER_ACCESS_TOKEN", "TWITTER_ACCESS_TOKEN_KEY"},
			},
			{
				Name: "ACCESS_TOKEN_SECRET", Optional: true,
				Help:    "The secret that belongs to the access token.",
				Aliases: []string{"X_ACCESS_TOKEN_SECRET", "TWITTER_ACCESS_TOKEN_SECRET"},
			},
		},
	}
}

// Open implements [platform.Adapter]. It always refuses: X cannot be published to yet.
func (Adapter) Open(*platform.Account, platform.Deps) (platform.Publisher, error) {
	return nil, &platform.Error{
		Outcome: platform.Denied,
		Op:      "open",
		Message: "this version previews, counts and plans X, but does not publish there yet",
		Hint:    "post it by hand and record it with `postrider resolve`, or take the account out of `platforms:`",
	}
}
