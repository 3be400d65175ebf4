// Package facebook is the adapter for Facebook Pages, over the Graph API.
//
// A post is text, with a link whose card Facebook makes itself, or with photos, or with a video, or with none of them. Facebook has no threads: what follows
// the first part of a post, and a first comment, are comments of the page below it.
package facebook

import (
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is Facebook Pages. The zero value is ready for use.
type Adapter struct{}

// Options are a page's options in site.yaml.
type Options struct {
	Page   string `yaml:"page" help:"The page's number, from its About tab under Page transparency."`
	AppID  string `yaml:"app_id,omitempty" help:"The number of the app that made the token; with it and the app secret, doctor tells when the token expires and what it may do."`
	Server string `yaml:"server,omitempty" help:"Where the Graph API is; only tests need another than Facebook's."`
}

// server is where the Graph API is.
const server = "https://graph.facebook.com"

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	if !isNumber(o.Page) {
		problems = append(problems, platform.OptionProblem{
			Key: "page", Message: "a Facebook account needs the number of its page", Hint: `page: "1234567890", from the page's About tab; its name is not enough`,
		})
	}
	if o.AppID != "" && !isNumber(o.AppID) {
		problems = append(problems, platform.OptionProblem{
			Key: "app_id", Message: "the app's id is a number", Hint: "it stands on the app's dashboard at developers.facebook.com",
		})
	}
	if u, err := url.Parse(o.Server); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "the server is not an http or https address", Hint: "leave it out: it is " + server,
		})
	}
	return problems
}

// isNumber reports whether s is a number as Facebook's ids are.
func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText       = 63_206
	maxComment    = 8000
	maxPhotos     = 10
	maxPhotoBytes = 4_000_000
	maxVideoBytes = 1_000_000_000
	shownSide     = 2048 // the longer side, beyond which Facebook makes photos smaller itself
)

// The pages that state the limits, as read on [verified].
const (
	docsPosts  = "https://developers.facebook.com/documentation/pages-api/posts"
	docsPhotos = "https://developers.facebook.com/docs/graph-api/reference/page/photos"
	docsVideos = "https://developers.facebook.com/docs/graph-api/reference/page/videos"
	docsTokens = "https://developers.facebook.com/documentation/facebook-login/guides/access-tokens/get-long-lived"
	verified   = "2026-11-22"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "facebook",
		Name:    "Facebook",
		DocsURL: docsTokens,
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.CodePoints, Doc: docsPosts, Verified: verified, Note: "known from practice: the documentation states none"},
			{Name: "comment", Max: maxComment, Unit: measure.CodePoints, Doc: docsPosts, Verified: verified, Note: "of every part after the first; known from practice"},
			{Name: "images", Max: maxPhotos, Unit: "images", Doc: docsPosts, Verified: verified, Note: "or one in a comment; the documentation states no number, other tools keep to this one"},
			{Name: "image_bytes", Max: maxPhotoBytes, Unit: measure.Bytes, Doc: docsPhotos, Verified: verified, Note: "by the words of the refusal; the documentation has 10 MB"},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsVideos, Verified: verified, Note: "one video, instead of photos; the network takes more, this program keeps it in memory"},
		},
		Measure: measure.CountCodePoints,
		Caps:    platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanFind | platform.CanThread,
		NewOptions: func() any {
			return &Options{Server: server}
		},
		TokensEnd: true,
		Secrets: []platform.SecretSpec{
			{
				Name:    "ACCESS_TOKEN",
				Help:    "A page access token with the scopes pages_manage_posts, pages_manage_engagement and pages_read_engagement.",
				Aliases: []string{"FB_PAGE_TOKEN", "FACEBOOK_PAGE_TOKEN"},
			},
			{
				Name:     "APP_SECRET",
				Help:     "The secret of the app that made the token: requests are then signed with it, which apps can demand.",
				Aliases:  []string{"FB_APP_SECRET"},
				Optional: true,
			},
		},
	}
}

// SameRendering implements [platform.Sharer]: no option of an account changes what is shown.
func (Adapter) SameRendering(_, _ *platform.Account) bool { return true }
