// Package x is the adapter for X (formerly Twitter).
//
// It posts through API v2, with the user tokens of OAuth 1.0a or OAuth 2.0. X has no idempotency keys: after a lost answer, the
// account's own posts are read and compared. Lengths and entities follow twitter-text v3.
package x

import (
	"net/url"
	"slices"
	"strings"

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
	// ReplySettings is one of replySettings, or empty: everybody may answer.
	ReplySettings string `yaml:"reply_settings,omitempty" help:"Who may reply: following, mentionedUsers, subscribers or verified; everybody when left out."`
	Server        string `yaml:"server,omitempty" help:"The address of the API; https://api.x.com when left out."`
}

// DefaultServer is where X's API is.
const DefaultServer = "https://api.x.com"

// replySettings are the API's words for who may reply: https://docs.x.com/x-api/posts/create-post (2026-08-22).
var replySettings = [...]string{"following", "mentionedUsers", "subscribers", "verified"}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	if strings.Trim(strings.ToLower(o.Handle), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		problems = append(problems, platform.OptionProblem{
			Key: "handle", Message: "a name on X has letters, digits and underscores only", Hint: "handle: " + strings.TrimLeft(o.Handle, "@"),
		})
	}
	if o.ReplySettings != "" && !slices.Contains(replySettings[:], o.ReplySettings) {
		problems = append(problems, platform.OptionProblem{
			Key: "reply_settings", Message: "X does not know who that is", Hint: "one of " + strings.Join(replySettings[:], ", ") + "; leave it out for everybody",
		})
	}
	if u, err := url.Parse(o.Server); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "the server is not an http or https address", Hint: "server: " + DefaultServer,
		})
	}
	return problems
}

// web returns where people see posts. A server that is not X's own, such as that of the sandbox, shows them itself.
func (o *Options) web() string {
	if o.Server == DefaultServer {
		return "https://x.com"
	}
	return strings.TrimSuffix(o.Server, "/")
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText        = 280
	maxTextPremium = 25_000
	maxCashtags    = 1
	maxImages      = 4
	maxImageBytes  = 5_000_000
	maxGIFBytes    = 15_000_000
	maxGIFFrames   = 350
	maxGIFArea     = 300_000_000
	maxVideoBytes  = 512_000_000
	maxVideoTime   = 140 // seconds
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
			{Name: "gif_frames", Max: maxGIFFrames, Unit: "frames", Doc: docsMedia, Verified: verified},
			{Name: "gif_pixels", Max: maxGIFArea, Unit: "pixels", Doc: docsMedia, Verified: verified, Note: "of all frames together"},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsMedia, Verified: verified, Note: "stated as 512 MB"},
			{Name: "video_duration", Max: maxVideoTime, Unit: "seconds", Doc: docsMedia, Verified: verified, Note: "half a second at least; H.264. Not checked with `premium: true`"},
			{Name: "alt_text", Max: maxAltText, Unit: measure.CodePoints, Doc: docsAlt, Verified: verified, Note: "of pictures, not of videos"},
			{Name: "poll_options", Max: maxPollOptions, Unit: "options", Doc: docsPost, Verified: verified},
			{Name: "poll_option", Max: maxPollOption, Unit: measure.CodePoints, Doc: docsPost, Verified: verified},
			{Name: "poll_duration", Max: maxPollMinutes, Unit: "minutes", Doc: docsPost, Verified: verified},
		},
		Measure:    func(text string) int { return measure.X(text).Weighted },
		Caps:       platform.CanPublish | platform.CanDelete | platform.CanFind | platform.CanThread | platform.CanPoll,
		Prices:     []platform.Price{pricePost, pricePostLink, priceMetadata},
		NewOptions: func() any { return &Options{Server: DefaultServer} },
		// Optional each, since either the first four or the last are needed: Open asks for them.
		TokensEnd: true,
		Secrets: []platform.SecretSpec{
			{
				Name: secretKey, Optional: true,
				Help:    "The API key (consumer key) of your X app, from console.x.com.",
				Aliases: []string{"X_API_KEY", "TWITTER_API_KEY", "TWITTER_API_CONSUMER_KEY", "TWITTER_CONSUMER_KEY"},
			},
			{
				Name: secretKeySecret, Optional: true,
				Help:    "The API secret (consumer secret) of your X app.",
				Aliases: []string{"X_API_SECRET", "TWITTER_API_SECRET", "TWITTER_API_SECRET_KEY", "TWITTER_API_CONSUMER_SECRET", "TWITTER_CONSUMER_SECRET"},
			},
			{
				Name: secretToken, Optional: true,
				Help:    "The OAuth 1.0a access token of the account, with permission to read and write.",
				Aliases: []string{"X_ACCESS_TOKEN", "TWITTER_ACCESS_TOKEN", "TWITTER_ACCESS_TOKEN_KEY"},
			},
			{
				Name: secretTokenSecret, Optional: true,
				Help:    "The secret that belongs to the access token.",
				Aliases: []string{"X_ACCESS_TOKEN_SECRET", "TWITTER_ACCESS_TOKEN_SECRET"},
			},
			{
				Name: secretOAuth2, Optional: true,
				Help:    "Instead of the other four: an OAuth 2.0 user access token with the scopes tweet.read, tweet.write, users.read and media.write. It lives for two hours.",
				Aliases: []string{"X_OAUTH2_TOKEN"},
			},
		},
	}
}
