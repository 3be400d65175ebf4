// Package linkedin is the adapter for LinkedIn, for members and for organisations' pages.
//
// It speaks the Posts API with a pinned version. LinkedIn has no idempotency keys, and members' tokens cannot read what
// they have posted: so an unknown outcome of a member's post waits for a person, while that of a page is looked up.
package linkedin

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is LinkedIn. The zero value is ready for use.
type Adapter struct{}

// DefaultServer is LinkedIn's API, DefaultVersion the version of it that this program was written for.
const (
	DefaultServer  = "https://api.linkedin.com"
	DefaultVersion = "202609" // pinned 2026-11-22
	// retired is the newest version that LinkedIn's documentation is known to call sunset (seen 2026-08-17).
	retired = "202508"
	// monthsToLive is how long a version is served: about a year.
	// https://learn.microsoft.com/en-us/linkedin/marketing/versioning (checked 2026-11-22)
	monthsToLive = 12
)

// Options are a LinkedIn account's options in site.yaml.
type Options struct {
	Author       string `yaml:"author,omitempty" help:"Who posts, urn:li:person:… or urn:li:organization:…; left out, the member whose token it is."`
	Organization string `yaml:"organization,omitempty" help:"The number of the page that posts, instead of author."`
	Handle       string `yaml:"handle,omitempty" help:"The account's name on LinkedIn, for people who read site.yaml."`
	Version      string `yaml:"version,omitempty" help:"The version of LinkedIn's API, YYYYMM; LinkedIn serves each for about a year."`
	ClientID     string `yaml:"client_id,omitempty" help:"The client id of the app that made the token; with it and the client secret, doctor tells when the token expires and what it may do."`
	Server       string `yaml:"server,omitempty" help:"The address of the API; another than LinkedIn's only for tests."`
}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	add := func(key, message, hint string) {
		problems = append(problems, platform.OptionProblem{Key: key, Message: message, Hint: hint})
	}
	if o.Author != "" && !isURN(o.Author, "person", "organization") {
		add("author", "the author is neither a member nor an organisation", "author: urn:li:person:… or urn:li:organization:…; it is case-sensitive")
	}
	switch {
	case o.Organization == "":
	case !isURN("urn:li:organization:"+o.Organization, "organization") || strings.Trim(o.Organization, "0123456789") != "":
		add("organization", "the organisation is not a number", "it stands in the address of the page's admin view: https://www.linkedin.com/company/NUMBER/admin/")
	case o.Author != "" && o.Author != "urn:li:organization:"+o.Organization:
		add("organization", "author and organization say two different things", "write one of them")
	}
	switch _, err := time.Parse("200601", o.Version); {
	case err != nil:
		add("version", "the version is not a year and a month", "version: "+DefaultVersion)
	case o.Version <= retired:
		add("version", "LinkedIn has retired this version of its API", "version: "+DefaultVersion+", or take the option away")
	}
	if u, err := url.Parse(o.Server); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		add("server", "the server is not an http or https address", "take the option away")
	}
	return problems
}

// author returns who posts, "" for the member whose token it is.
func (o *Options) author() string {
	if o.Organization != "" {
		return "urn:li:organization:" + o.Organization
	}
	return o.Author
}

func (o *Options) isPage() bool { return strings.HasPrefix(o.author(), "urn:li:organization:") }

// isURN reports whether s is urn:li:KIND:ID with one of the kinds.
func isURN(s string, kinds ...string) bool {
	rest, ok := strings.CutPrefix(s, "urn:li:")
	if !ok {
		return false
	}
	kind, id, _ := strings.Cut(rest, ":")
	for i := range len(id) {
		if c := id[i]; !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	for _, k := range kinds {
		if k == kind {
			return id != ""
		}
	}
	return false
}

// The limits that render.go enforces. Sources and dates are in [Adapter.Info].
const (
	maxText          = 3000
	maxComment       = 1250
	maxImages        = 20
	maxImagePixels   = 36_152_319
	maxVideoBytes    = 500_000_000
	minVideoBytes    = 75_000
	minVideoTime     = 3 // seconds
	maxVideoTime     = 1800
	maxGIFFrames     = 250
	maxDocumentBytes = 100_000_000
	maxDocumentPages = 300
	maxAltText       = 4086
	minPollOptions   = 2
	maxPollOptions   = 4
	maxPollOption    = 30
	maxPollQuestion  = 140
	maxPollDays      = 14
)

// The pages that state the limits, as read on [verified].
const (
	docs         = "https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/"
	docsPosts    = docs + "posts-api"
	docsText     = docs + "little-text-format"
	docsImages   = docs + "images-api"
	docsMulti    = docs + "multiimage-post-api"
	docsVideos   = docs + "videos-api"
	docsDocument = docs + "documents-api"
	docsPolls    = docs + "poll-post-api"
	docsComments = docs + "comments-api"
	verified     = "2026-11-22"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	return platform.Info{
		ID:      "linkedin",
		Name:    "LinkedIn",
		DocsURL: "https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow",
		Limits: []platform.Limit{
			{Name: "text", Max: maxText, Unit: measure.UTF16, Doc: docsPosts, Verified: verified, Note: "the unit is not documented; this is the strictest"},
			{Name: "first_comment", Max: maxComment, Unit: measure.UTF16, Doc: docsComments, Verified: verified, Note: "as the web site counts it"},
			{Name: "images", Max: maxImages, Unit: "images", Doc: docsMulti, Verified: verified, Note: "or one video, or one document"},
			{Name: "image_pixels", Max: maxImagePixels, Unit: "pixels", Doc: docsImages, Verified: verified},
			{Name: "video_bytes", Max: maxVideoBytes, Unit: measure.Bytes, Doc: docsVideos, Verified: verified, Note: "MP4; stated as 75 kB to 500 MB"},
			{Name: "video_duration", Max: maxVideoTime, Unit: "seconds", Doc: docsVideos, Verified: verified, Note: "three at least"},
			{Name: "gif_frames", Max: maxGIFFrames, Unit: "frames", Doc: docsImages, Verified: verified},
			{Name: "document_bytes", Max: maxDocumentBytes, Unit: measure.Bytes, Doc: docsDocument, Verified: verified, Note: "stated as 100 MB"},
			{Name: "document_pages", Max: maxDocumentPages, Unit: "pages", Doc: docsDocument, Verified: verified, Note: "counted in a PDF"},
			{Name: "alt_text", Max: maxAltText, Unit: measure.CodePoints, Doc: docsPosts, Verified: verified, Note: "of pictures; videos and documents have none"},
			{Name: "poll_options", Max: maxPollOptions, Unit: "options", Doc: docsPolls, Verified: verified},
			{Name: "poll_option", Max: maxPollOption, Unit: measure.UTF16, Doc: docsPolls, Verified: verified},
			{Name: "poll_question", Max: maxPollQuestion, Unit: measure.UTF16, Doc: docsPolls, Verified: verified, Note: "`title:`, else the post's text"},
			{Name: "poll_duration", Max: maxPollDays, Unit: "days", Doc: docsPolls, Verified: verified, Note: "1, 3, 7 or 14"},
		},
		Measure: measure.CountUTF16,
		// A page can also be searched; see AccountCaps.
		Caps: platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanPoll | platform.CanVisibility | platform.CanCard,
		NewOptions: func() any {
			return &Options{Version: DefaultVersion, Server: DefaultServer}
		},
		TokensEnd: true,
		Secrets: []platform.SecretSpec{{
			Name:    "ACCESS_TOKEN",
			Help:    "An OAuth 2.0 access token with w_member_social, openid and profile, or for a page with w_organization_social and r_organization_social.",
			Aliases: []string{"LINKEDIN_ACCESS_TOKEN"},
		}, {
			Name: "CLIENT_SECRET", Optional: true,
			Help:    "The client secret of the app that made the token; with it and `client_id`, doctor tells when the token expires and what it may do.",
			Aliases: []string{"LINKEDIN_CLIENT_SECRET"},
		}},
	}
}

// AccountCaps implements [platform.AccountCapser]: what a page has posted can be read, and is always public.
func (Adapter) AccountCaps(a *platform.Account) platform.Caps {
	caps := (Adapter{}).Info().Caps
	if o, ok := a.Options.(*Options); ok && o.isPage() {
		caps = caps&^platform.CanVisibility | platform.CanFind
	}
	return caps
}

// tooOld returns an error when the version has had its year at a time.
func (o *Options) tooOld(now time.Time) error {
	released, err := time.Parse("200601", o.Version)
	if err != nil || now.Before(released.AddDate(0, monthsToLive, 0)) {
		return nil
	}
	return &platform.Error{
		Outcome: platform.Denied, Op: "check version",
		Message: fmt.Sprintf("version %s of LinkedIn's API is more than a year old, and LinkedIn refuses posts once it has retired it", o.Version),
		Hint:    "set `version:` of the account to one of the last months, and look at a post that goes out with it",
	}
}
