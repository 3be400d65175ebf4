// Package mastodon is the adapter for Mastodon and for servers that speak its API, GoToSocial among them.
//
// Every server has limits of its own. They stand in site.yaml, under `limits:` of the account;
// what is not there is the software's default. Rendering never asks a server.
package mastodon

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// Adapter is Mastodon. The zero value is ready for use.
type Adapter struct{}

// The software that an account's server may run.
const (
	SoftwareMastodon   = "mastodon"
	SoftwareGoToSocial = "gotosocial"
)

// Options are a Mastodon account's options in site.yaml.
type Options struct {
	Server   string `yaml:"server" help:"The account's server, such as https://mastodon.social."`
	Handle   string `yaml:"handle,omitempty" help:"The account's name on its server, for people who read site.yaml; the token decides who posts."`
	Software string `yaml:"software,omitempty" help:"What the server runs, mastodon or gotosocial: they count differently."`
	Limits   Limits `yaml:"limits,omitempty" help:"The server's own limits, as its /api/v2/instance tells them; 0 or absent means the software's default."`
}

// Limits are what one server allows. Zero means the default of its software.
type Limits struct {
	Characters     int   `yaml:"characters,omitempty" help:"The longest post, content warning included (max_characters)."`
	URL            int   `yaml:"url,omitempty" help:"What any address counts as (characters_reserved_per_url)."`
	Media          int   `yaml:"media,omitempty" help:"Attachments of one post (max_media_attachments)."`
	AltText        int   `yaml:"alt_text,omitempty" help:"The longest description of an attachment (description_limit)."`
	ImageBytes     int64 `yaml:"image_bytes,omitempty" help:"The largest picture, in bytes (image_size_limit)."`
	ImagePixels    int64 `yaml:"image_pixels,omitempty" help:"The largest picture, in pixels (image_matrix_limit)."`
	VideoBytes     int64 `yaml:"video_bytes,omitempty" help:"The largest video, in bytes (video_size_limit)."`
	VideoPixels    int64 `yaml:"video_pixels,omitempty" help:"The largest picture of a video, in pixels (video_matrix_limit)."`
	PollOptions    int   `yaml:"poll_options,omitempty" help:"The options of a poll (max_options)."`
	PollOption     int   `yaml:"poll_option,omitempty" help:"The longest option of a poll (max_characters_per_option)."`
	PollMinSeconds int64 `yaml:"poll_min_seconds,omitempty" help:"The shortest poll (min_expiration)."`
	PollMaxSeconds int64 `yaml:"poll_max_seconds,omitempty" help:"The longest poll (max_expiration)."`
}

// Validate implements [platform.OptionsValidator].
func (o *Options) Validate() []platform.OptionProblem {
	var problems []platform.OptionProblem
	u, err := url.Parse(o.Server)
	switch {
	case o.Server == "":
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "a Mastodon account needs its server", Hint: "server: https://mastodon.social",
		})
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "":
		problems = append(problems, platform.OptionProblem{
			Key: "server", Message: "the server is not an http or https address", Hint: "server: https://" + strings.TrimPrefix(o.Server, "//"),
		})
	}
	if o.Software != SoftwareMastodon && o.Software != SoftwareGoToSocial {
		problems = append(problems, platform.OptionProblem{
			Key: "software", Message: "the software is neither mastodon nor gotosocial", Hint: "servers that count as Mastodon does are mastodon",
		})
	}
	l := o.Limits
	for _, limit := range []struct {
		key   string
		value int64
	}{
		{"characters", int64(l.Characters)},
		{"url", int64(l.URL)},
		{"media", int64(l.Media)},
		{"alt_text", int64(l.AltText)},
		{"image_bytes", l.ImageBytes},
		{"image_pixels", l.ImagePixels},
		{"video_bytes", l.VideoBytes},
		{"video_pixels", l.VideoPixels},
		{"poll_options", int64(l.PollOptions)},
		{"poll_option", int64(l.PollOption)},
		{"poll_min_seconds", l.PollMinSeconds},
		{"poll_max_seconds", l.PollMaxSeconds},
	} {
		if limit.value < 0 {
			problems = append(problems, platform.OptionProblem{Key: "limits." + limit.key, Message: "a limit is not negative"})
		}
	}
	return problems
}

// Effective returns the limits of the account's server: those of site.yaml, and the software's
// default for each that is not there. On GoToSocial URL is 0: it counts addresses as they are.
func (o *Options) Effective() Limits {
	l, d := o.Limits, mastodonLimits
	if o.Software == SoftwareGoToSocial {
		d = gotosocialLimits
		l.URL = d.URL
	}
	l.Characters = cmp.Or(l.Characters, d.Characters)
	l.URL = cmp.Or(l.URL, d.URL)
	l.Media = cmp.Or(l.Media, d.Media)
	l.AltText = cmp.Or(l.AltText, d.AltText)
	l.ImageBytes = cmp.Or(l.ImageBytes, d.ImageBytes)
	l.ImagePixels = cmp.Or(l.ImagePixels, d.ImagePixels)
	l.VideoBytes = cmp.Or(l.VideoBytes, d.VideoBytes)
	l.VideoPixels = cmp.Or(l.VideoPixels, d.VideoPixels)
	l.PollOptions = cmp.Or(l.PollOptions, d.PollOptions)
	l.PollOption = cmp.Or(l.PollOption, d.PollOption)
	l.PollMinSeconds = cmp.Or(l.PollMinSeconds, d.PollMinSeconds)
	l.PollMaxSeconds = cmp.Or(l.PollMaxSeconds, d.PollMaxSeconds)
	return l
}

// The defaults of the two servers, from
// https://docs.joinmastodon.org/entities/Instance/ (checked 2026-10-01) and
// https://docs.gotosocial.org/en/latest/configuration/statuses/ and …/media/ (checked 2026-10-01).
// ImagePixels and VideoPixels 0 mean that the server states no limit.
var (
	mastodonLimits = Limits{
		Characters: 500, URL: 23, Media: 4, AltText: 1500,
		ImageBytes: 16_777_216, ImagePixels: 33_177_600, VideoBytes: 103_809_024, VideoPixels: 8_294_400,
		PollOptions: 4, PollOption: 50, PollMinSeconds: 300, PollMaxSeconds: 2_629_746,
	}
	gotosocialLimits = Limits{
		Characters: 5000, Media: 6, AltText: 1500,
		ImageBytes: 41_943_040, VideoBytes: 41_943_040,
		PollOptions: 6, PollOption: 50, PollMinSeconds: 300, PollMaxSeconds: 2_629_746,
	}
)

// docsInstance and docsUser are the pages that state the limits, as read on [verified].
const (
	docsInstance = "https://docs.joinmastodon.org/entities/Instance/"
	docsUser     = "https://docs.joinmastodon.org/user/posting/"
	verified     = "2026-10-01"
	serverWins   = "the server's own setting wins: `limits:` of the account in site.yaml"
)

// Info implements [platform.Adapter].
func (Adapter) Info() platform.Info {
	d := mastodonLimits
	return platform.Info{
		ID:      "mastodon",
		Name:    "Mastodon",
		DocsURL: "https://docs.joinmastodon.org/client/token/",
		Limits: []platform.Limit{
			{Name: "text", Max: d.Characters, Unit: measure.Graphemes, Doc: docsUser, Verified: verified, Note: serverWins},
			{Name: "url", Max: d.URL, Unit: measure.Graphemes, Doc: docsUser, Verified: verified, Note: "what any address with http:// or https:// counts as"},
			{Name: "images", Max: d.Media, Unit: "images", Doc: docsInstance, Verified: verified, Note: "or one video or sound; " + serverWins},
			{Name: "image_bytes", Max: int(d.ImageBytes), Unit: measure.Bytes, Doc: docsInstance, Verified: verified, Note: serverWins},
			{Name: "image_pixels", Max: int(d.ImagePixels), Unit: "pixels", Doc: docsInstance, Verified: verified, Note: serverWins},
			{Name: "video_bytes", Max: int(d.VideoBytes), Unit: measure.Bytes, Doc: docsInstance, Verified: verified, Note: serverWins},
			{Name: "video_pixels", Max: int(d.VideoPixels), Unit: "pixels", Doc: docsInstance, Verified: verified, Note: "of one picture; " + serverWins},
			{Name: "alt_text", Max: d.AltText, Unit: measure.CodePoints, Doc: docsInstance, Verified: verified, Note: serverWins},
			{Name: "poll_options", Max: d.PollOptions, Unit: "options", Doc: docsInstance, Verified: verified, Note: serverWins},
			{Name: "poll_option", Max: d.PollOption, Unit: measure.Graphemes, Doc: docsInstance, Verified: verified, Note: serverWins},
			{Name: "poll_duration", Max: int(d.PollMaxSeconds), Unit: "seconds", Doc: docsInstance, Verified: verified, Note: serverWins},
		},
		Measure: func(text string) int { return measure.Mastodon(text, d.URL) },
		// CanIdempotent is added by AccountCaps: what is declared here holds for every account.
		KeyLifetime: time.Hour, // MD methods/statuses.md
		Caps: platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanFind | platform.CanThread |
			platform.CanPoll | platform.CanVisibility | platform.CanContentWarning | platform.CanLanguage,
		NewOptions: func() any { return &Options{Software: SoftwareMastodon} },
		Secrets: []platform.SecretSpec{{
			Name:    "ACCESS_TOKEN",
			Help:    "An access token of the account, from Preferences → Development → New application, with the scopes read and write.",
			Aliases: []string{"MASTODON_ACCESS_TOKEN", "MASTODON_TOKEN"},
		}},
	}
}

// AccountCaps implements [platform.AccountCapser]: Mastodon honours an Idempotency-Key for an hour, GoToSocial ignores
// it. The publisher relies on neither: a second try first asks the server what it runs.
func (Adapter) AccountCaps(a *platform.Account) platform.Caps {
	caps := (Adapter{}).Info().Caps
	if o, ok := a.Options.(*Options); ok && o.Software != SoftwareGoToSocial {
		caps |= platform.CanIdempotent
	}
	return caps
}
