// Package threads is the adapter for Threads.
//
// A post is prepared as a container and then published; package container has the rules. Threads takes no files: it
// fetches pictures and videos from addresses, which [platform.Deps.PublicMedia] gives.
package threads

import (
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is Threads. The zero value is ready for use.
type Adapter struct{}

const network = "Threads"

// DefaultServer is where the API is served.
const DefaultServer = "https://graph.threads.net"

// Options are a Threads account's options in site.yaml.
type Options struct {
	Handle       string `yaml:"handle,omitempty" help:"The account's name on Threads, without the @, for people who read site.yaml; the token decides who posts."`
	ReplyControl string `yaml:"reply_control,omitempty" help:"Who may reply: everyone, accounts_you_follow, mentioned_only, parent_post_author_only or followers_only. Left out: as the account is set."`
	Server       string `yaml:"server,omitempty" help:"Where the API is served; only tests and sandboxes need another."`
}

// replyControls are the values of reply_control.
// https://developers.facebook.com/docs/threads/reference/publishing (2026-11-22)
func replyControls() []string {
	return []string{"everyone", "accounts_you_follow", "mentioned_only", "parent_post_author_only", "followers_only"}
}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	if o.ReplyControl != "" && !slices.Contains(replyControls(), o.ReplyControl) {
		problems = append(problems, platform.OptionProblem{
			Key: "reply_control", Message: "nobody knows who that is", Hint: "it is one of " + strings.Join(replyControls(), ", "),
		})
	}
	if u, err := url.Parse(o.Server); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "the server is not an http or https address", Hint: "server: " + DefaultServer,
		})
	}
	return problems
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText       = 500
	maxLinks      = 5
	maxTopic      = 50
	maxMedia      = 20
	maxImageBytes = 8 << 20
	maxVideoBytes = 1 << 30
	maxVideoTime  = 300 // seconds
	maxVideoWidth = 1920
	maxAltText    = 1000
	maxOptions    = 4
	maxOption     = 25
)

// The pages that state the limits, as read on [verified].
const (
	docsPosts  = "https://developers.facebook.com/docs/threads/posts"
	docsCreate = "https://developers.facebook.com/docs/threads/reference/publishing"
	docsLinks  = "https://developers.facebook.com/docs/threads/create-posts/text-attachments"
	docsPolls  = "https://developers.facebook.com/docs/threads/create-posts/polls"
	verified   = "2026-11-22"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "threads",
		Name:    network,
		DocsURL: "https://developers.facebook.com/docs/threads/get-started",
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.CodePoints, Doc: docsPosts, Verified: verified, Note: "an emoji counts as many as it has bytes in UTF-8"},
			{Name: "links", Max: maxLinks, Unit: "links", Doc: docsLinks, Verified: verified, Note: "different ones, the attached one included"},
			{Name: "topics", Max: 1, Unit: "topics", Doc: docsPosts, Verified: verified},
			{Name: "topic", Max: maxTopic, Unit: measure.CodePoints, Doc: docsPosts, Verified: verified, Note: "neither . nor &"},
			{Name: "images", Max: maxMedia, Unit: "images", Doc: docsPosts, Verified: verified, Note: "pictures and videos together"},
			{Name: "image_bytes", Max: maxImageBytes, Unit: measure.Bytes, Doc: docsPosts, Verified: verified},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsPosts, Verified: verified},
			{Name: "video_duration", Max: maxVideoTime, Unit: "seconds", Doc: docsPosts, Verified: verified, Note: "H.264 or H.265"},
			{Name: "video_width", Max: maxVideoWidth, Unit: "pixels", Doc: docsPosts, Verified: verified},
			{Name: "alt_text", Max: maxAltText, Unit: measure.CodePoints, Doc: docsCreate, Verified: verified},
			{Name: "poll_options", Max: maxOptions, Unit: "options", Doc: docsPolls, Verified: verified},
			{Name: "poll_option", Max: maxOption, Unit: measure.CodePoints, Doc: docsPolls, Verified: verified},
		},
		Measure:      measure.Threads,
		Caps:         platform.CanPublish | platform.CanDelete | platform.CanFind | platform.CanThread | platform.CanPoll,
		FetchesMedia: true,
		NewOptions:   func() any { return &Options{Server: DefaultServer} },
		TokensEnd:    true,
		Secrets: []platform.SecretSpec{{
			Name: "ACCESS_TOKEN",
			Help: "A long-lived access token of the account, with threads_basic, threads_content_publish and, to look up and delete, " +
				"threads_read_replies and threads_delete. It lasts 60 days.",
			Aliases: []string{"THREADS_ACCESS_TOKEN"},
		}},
	}
}

// SameRendering implements [platform.Sharer].
func (Adapter) SameRendering(a, b *platform.Account) bool {
	x, ok := a.Options.(*Options)
	y, same := b.Options.(*Options)
	return ok && same && x.ReplyControl == y.ReplyControl
}
