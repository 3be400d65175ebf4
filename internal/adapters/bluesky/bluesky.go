// Package bluesky is the adapter for Bluesky and every other AT Protocol server that knows its posts.
package bluesky

import (
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is Bluesky. The zero value is ready for use.
type Adapter struct{}

// DefaultServer is where accounts live that name no server of their own.
const DefaultServer = "https://bsky.social"

// Options are a Bluesky account's options in site.yaml.
type Options struct {
	Handle string `yaml:"handle" help:"The account's handle, such as acme.bsky.social, or its DID."`
	Server string `yaml:"server,omitempty" help:"The account's personal data server; https://bsky.social when left out."`
}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	switch {
	case o.Handle == "":
		problems = append(problems, platform.OptionProblem{
			Key: "handle", Message: "a Bluesky account needs its handle", Hint: "handle: acme.bsky.social",
		})
	case strings.HasPrefix(o.Handle, "@"):
		problems = append(problems, platform.OptionProblem{
			Key: "handle", Message: "the handle is written without the @", Hint: "handle: " + strings.TrimLeft(o.Handle, "@"),
		})
	case !strings.HasPrefix(o.Handle, "did:") && (!strings.Contains(o.Handle, ".") || strings.ContainsAny(o.Handle, " /:")):
		problems = append(problems, platform.OptionProblem{
			Key: "handle", Message: "a Bluesky handle is a domain name", Hint: "handle: acme.bsky.social",
		})
	}
	if u, err := url.Parse(o.Server); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "the server is not an http or https address", Hint: "server: " + DefaultServer,
		})
	}
	return problems
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText        = 300
	maxTextBytes   = 3000
	maxImages      = 4
	maxImageBytes  = 2_000_000
	maxThumbBytes  = 1_000_000
	fitSide        = 2000 // pixels, to which the network's own app scales what it has to encode anew (https://github.com/bluesky-social/social-app, 2026-11-22: src/lib/constants.ts)
	maxVideoBytes  = 300_000_000
	maxLanguages   = 3
	maxLabels      = 10
	maxTagLength   = 64
	maxTagByteSize = 640
)

// The lexicons that state the limits, as read on [verified].
const (
	lexicons      = "https://github.com/bluesky-social/atproto/blob/main/lexicons/"
	docsPost      = lexicons + "app/bsky/feed/post.json"
	docsImages    = lexicons + "app/bsky/embed/images.json"
	docsVideo     = lexicons + "app/bsky/embed/video.json"
	docsExternal  = lexicons + "app/bsky/embed/external.json"
	docsFacet     = lexicons + "app/bsky/richtext/facet.json"
	docsLabelDefs = lexicons + "com/atproto/label/defs.json"
	verified      = "2026-10-01"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "bluesky",
		Name:    "Bluesky",
		DocsURL: "https://bsky.app/settings/app-passwords",
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.Graphemes, Doc: docsPost, Verified: verified},
			{Name: "text_bytes", Max: maxTextBytes, Unit: measure.Bytes, Doc: docsPost, Verified: verified},
			{Name: "images", Max: maxImages, Unit: "images", Doc: docsImages, Verified: verified, Note: "or one video"},
			{Name: "image_bytes", Max: maxImageBytes, Unit: measure.Bytes, Doc: docsImages, Verified: verified},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsVideo, Verified: verified},
			{Name: "card_image_bytes", Max: maxThumbBytes, Unit: measure.Bytes, Doc: docsExternal, Verified: verified},
			{Name: "tag", Max: maxTagLength, Unit: measure.Graphemes, Doc: docsFacet, Verified: verified},
			{Name: "tag_bytes", Max: maxTagByteSize, Unit: measure.Bytes, Doc: docsFacet, Verified: verified},
			{Name: "languages", Max: maxLanguages, Unit: "languages", Doc: docsPost, Verified: verified},
			{Name: "labels", Max: maxLabels, Unit: "labels", Doc: docsLabelDefs, Verified: verified},
		},
		Measure: measure.CountGraphemes,
		Caps: platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanFind | platform.CanThread |
			platform.CanIdempotent | platform.CanLanguage | platform.CanCard,
		NewOptions: func() any { return &Options{Server: DefaultServer} },
		Secrets: []platform.SecretSpec{{
			Name:    "APP_PASSWORD",
			Help:    "An app password of the account, from Settings → Privacy and security → App passwords.",
			Aliases: []string{"BLUESKY_APP_PASSWORD", "BLUESKY_PASSWORD", "BSKY_APP_PASSWORD"},
		}},
	}
}
