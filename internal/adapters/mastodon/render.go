package mastodon

import (
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

// Render implements [platform.Adapter]. The rendering's Visibility is one of the API's own words and
// never empty, so that an account's default on the server changes nothing; its ContentWarning goes
// with every part and is counted in each.
func (Adapter) Render(v *post.Variant, a *platform.Account) (platform.Rendering, finding.List) {
	o, ok := a.Options.(*Options)
	if !ok {
		o = &Options{Software: SoftwareMastodon}
	}
	limits := o.Effective()
	network, style := "Mastodon", plaintext.Style{
		Tags: true, Append: v.Link, Max: limits.Characters, Entities: measure.MastodonEntities,
		Unit: measure.Graphemes,
	}
	if o.Software == SoftwareGoToSocial {
		network, style.Unit, style.Entities = "GoToSocial", measure.CodePoints, measure.GoToSocialEntities
		warning := measure.CountCodePoints(v.ContentWarning)
		style.Count = func(text string) int { return measure.CountCodePoints(text) + warning }
	} else {
		warning := measure.CountGraphemes(v.ContentWarning)
		style.Count = func(text string) int { return measure.Mastodon(text, limits.URL) + warning }
	}
	style.Network = network
	if style.Append == "" && v.Card != nil {
		style.Append = v.Card.URL
	}
	parts, list := plaintext.Write(v, &style)

	visibility, found := visibilityOf(v, network)
	list.Add(found...)
	list.Add(mediaRules(network, &limits).Fit(v, parts)...)
	list.Add(rules.Languages(v, network, 1, finding.Warning)...)
	list.Add(rules.CardByNetwork(v, network)...)
	polls := pollRules(network, &limits)
	if o.Software == SoftwareGoToSocial {
		polls.Count = measure.CountCodePoints
	}
	poll, found := polls.Apply(v)
	list.Add(found...)
	sensitive, found := rules.LabelsAsSensitive(v, network)
	list.Add(found...)
	if v.ReplyTo != "" && !isPost(v.ReplyTo) {
		list.Add(rules.ReplyTo(v, network, wantPost))
	}
	switch {
	case v.Quote == "":
	case o.Software == SoftwareGoToSocial:
		list.Add(rules.NoQuote(v, network))
	case !isPost(v.Quote):
		list.Add(rules.Quote(v, network, wantPost))
	}
	return platform.Rendering{
		Platform: "mastodon", Parts: parts, Language: v.Language[:min(1, len(v.Language))],
		Visibility: visibility, ContentWarning: v.ContentWarning, Sensitive: sensitive,
		Poll: poll, ReplyTo: v.ReplyTo, Quote: v.Quote,
	}, list
}

// visibilityOf returns the API's word for the variant's visibility. What is not known becomes the
// narrowest, with an error.
func visibilityOf(v *post.Variant, network string) (string, finding.List) {
	switch v.Visibility {
	case "", "public":
		return "public", nil
	case "unlisted", "direct":
		return v.Visibility, nil
	case "followers", "private":
		return "private", nil
	}
	return "direct", finding.List{rules.Visibility(v, network+" has no visibility \""+v.Visibility+"\"",
		"it has public, unlisted, followers and direct")}
}

// mediaTypes are those of https://docs.joinmastodon.org/entities/Instance/ (checked 2026-10-01).
var mediaTypes = []string{
	"image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/heif", "image/avif",
	"video/webm", "video/mp4", "video/quicktime", "video/ogg",
	"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/aac", "audio/mp4", "audio/webm",
}

func mediaRules(network string, l *Limits) *rules.Media {
	return &rules.Media{
		Network: network, Pictures: l.Media, Types: mediaTypes,
		PictureBytes: l.ImageBytes, PicturePixels: l.ImagePixels, VideoBytes: l.VideoBytes, VideoPixels: l.VideoPixels, AltText: l.AltText,
	}
}

func pollRules(network string, l *Limits) rules.Poll {
	return rules.Poll{
		Network: network, Options: [2]int{2, l.PollOptions}, Option: l.PollOption, Count: measure.CountGraphemes,
		Duration: [2]time.Duration{
			time.Duration(l.PollMinSeconds) * time.Second, time.Duration(l.PollMaxSeconds) * time.Second,
		},
	}
}

const wantPost = "the address of the post, or its id on the account's own server"

// isPost reports whether s can name a post: an id of the account's server (letters and digits), or
// the web address of any post of the fediverse. The networks that are known not to be part of it are not.
func isPost(s string) bool {
	if strings.Contains(s, "/") {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") == "" {
			return false
		}
		switch strings.TrimPrefix(u.Host, "www.") {
		case "", "x.com", "twitter.com", "bsky.app":
			return false
		}
		return true
	}
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// SameRendering implements [platform.Sharer]: what the server runs, and its limits, decide.
func (Adapter) SameRendering(a, b *platform.Account) bool {
	x, ok := a.Options.(*Options)
	y, same := b.Options.(*Options)
	return ok && same && x.Software == y.Software && x.Limits == y.Limits
}
