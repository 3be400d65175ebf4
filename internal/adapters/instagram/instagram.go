// Package instagram is the adapter for professional accounts on Instagram.
//
// A post is a picture, a video or several of both, with a caption; a story is one of them without. It is prepared as a
// container and then published; package container has the rules. Instagram takes no files: it fetches them from
// addresses, which [platform.Deps.PublicMedia] gives. What follows the first part is a comment on it.
package instagram

import (
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is Instagram. The zero value is ready for use.
type Adapter struct{}

const network = "Instagram"

// DefaultServer is where the API is served to accounts that log in with Instagram.
const DefaultServer = "https://graph.instagram.com"

// Options are an Instagram account's options in site.yaml.
type Options struct {
	Handle string `yaml:"handle,omitempty" help:"The account's name on Instagram, without the @, for people who read site.yaml; the token decides who posts."`
	Story  bool   `yaml:"story,omitempty" help:"Posts go out as stories, which last a day and have no caption."`
	UserID string `yaml:"user_id,omitempty" help:"The number of the account; only needed with a token of a login with Facebook."`
	Server string `yaml:"server,omitempty" help:"Where the API is served: https://graph.facebook.com for a token of a login with Facebook."`
}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	if strings.Trim(o.UserID, "0123456789") != "" {
		problems = append(problems, platform.OptionProblem{Key: "user_id", Message: "the number of an account has digits only", Hint: "write it in quotes"})
	}
	u, err := url.Parse(o.Server)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "the server is not an http or https address", Hint: "server: " + DefaultServer,
		})
	case u.Host == "graph.facebook.com" && o.UserID == "":
		problems = append(problems, platform.OptionProblem{
			Key: "user_id", Message: "with a token of a login with Facebook, the account must be named", Hint: `user_id: "17841400000000000"`,
		})
	}
	return problems
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText       = 2200
	maxTags       = 30
	maxMentions   = 20
	maxMedia      = 10
	maxImageBytes = 8 << 20
	maxVideoBytes = 300 << 20
	maxStoryBytes = 100 << 20
	leastVideo    = 3 // seconds
	maxVideoTime  = 900
	maxStoryTime  = 60
	maxVideoWidth = 1920
	maxAltText    = 1000
	leastAspect   = 0.8 // 4:5
	mostAspect    = 1.91
	shownWidth    = 1440 // pixels
)

// The pages that state the limits, as read on [verified].
const (
	docsMedia   = "https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media"
	docsPublish = "https://developers.facebook.com/docs/instagram-platform/content-publishing"
	verified    = "2026-11-22"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "instagram",
		Name:    network,
		DocsURL: "https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/get-started",
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.CodePoints, Doc: docsMedia, Verified: verified, Note: "the caption"},
			{Name: "hashtags", Max: maxTags, Unit: "hashtags", Doc: docsMedia, Verified: verified},
			{Name: "mentions", Max: maxMentions, Unit: "mentions", Doc: docsMedia, Verified: verified},
			{Name: "images", Max: maxMedia, Unit: "images", Doc: docsPublish, Verified: verified, Note: "pictures and videos together; at least one"},
			{Name: "image_bytes", Max: maxImageBytes, Unit: measure.Bytes, Doc: docsMedia, Verified: verified, Note: "JPEG between 4:5 and 1.91:1; with a bucket, other pictures become one"},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsMedia, Verified: verified, Note: "100 MB in a story"},
			{Name: "video_duration", Max: maxVideoTime, Unit: "seconds", Doc: docsMedia, Verified: verified, Note: "three at least, and 60 in a story; H.264 or H.265"},
			{Name: "video_width", Max: maxVideoWidth, Unit: "pixels", Doc: docsMedia, Verified: verified},
			{Name: "alt_text", Max: maxAltText, Unit: measure.CodePoints, Doc: docsMedia, Verified: verified, Note: "of pictures, not of videos and stories"},
		},
		Measure:      measure.CountCodePoints,
		Caps:         platform.CanPublish | platform.CanFind | platform.CanThread,
		FetchesMedia: true,
		NewOptions:   func() any { return &Options{Server: DefaultServer} },
		TokensEnd:    true,
		Secrets: []platform.SecretSpec{{
			Name: "ACCESS_TOKEN",
			Help: "A long-lived access token of the professional account, with instagram_business_basic, instagram_business_content_publish " +
				"and, for comments, instagram_business_manage_comments. It lasts 60 days.",
			Aliases: []string{"INSTAGRAM_ACCESS_TOKEN", "IG_ACCESS_TOKEN"},
		}},
	}
}

// SameRendering implements [platform.Sharer]: a story is shown without its caption.
func (Adapter) SameRendering(a, b *platform.Account) bool {
	x, ok := a.Options.(*Options)
	y, same := b.Options.(*Options)
	return ok && same && x.Story == y.Story
}
