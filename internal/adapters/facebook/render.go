package facebook

import (
	"fmt"
	"slices"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

const network = "Facebook"

// Render implements [platform.Adapter]. A link becomes a card, which Facebook makes when the post goes out; beside photos, where it
// shows none, the address ends the text.
func (Adapter) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	style := plaintext.Style{
		Network: network, Tags: true, Max: maxText, Unit: measure.CodePoints, Count: measure.CountCodePoints, Entities: entities,
	}
	if v.ContentWarning != "" { // there is no field for it
		style.Lead = "⚠️ " + v.ContentWarning
	}
	link := v.Link
	if v.Card != nil && v.Card.URL != "" {
		link = v.Card.URL
	}
	style.MayBeEmpty = link != ""
	parts, list := plaintext.Write(v, &style)
	switch {
	case link == "":
	case len(parts[0].Media) == 0:
		parts[0].Card = &platform.Card{URL: link, Fetch: true}
	default:
		style.Append = link
		parts, list = plaintext.Write(v, &style)
	}
	for i := 1; i < len(parts); i++ {
		asComment(v, &parts[i], &list)
	}

	list.Add(media.Fit(v, parts)...)
	list.Add(rules.OnlyPublic(v, network)...)
	list.Add(rules.CardByNetwork(v, network)...)
	list.Add(rules.NoPoll(v, network)...)
	_, found := rules.LabelsAsSensitive(v, network)
	list.Add(found...)
	if v.ReplyTo != "" {
		list.Add(v.Finding(rules.CodeReplyTo, finding.Error, v.Place(post.FieldReplyTo),
			"a post of a Facebook page cannot be a reply", "take the account out of `platforms:`, or override `reply_to:` for it"))
	}
	if v.Quote != "" {
		list.Add(rules.NoQuote(v, network))
	}
	return platform.Rendering{Platform: "facebook", Parts: parts}, list
}

// asComment makes a part that follows the first the comment that it will be, and says what no comment can have.
func asComment(v *post.Variant, p *platform.Part, list *finding.List) {
	p.Comment, p.Max = true, maxComment
	if p.Used > maxComment {
		list.Add(v.Finding(plaintext.CodeTooLong, finding.Error, v.Range(post.Span{}),
			fmt.Sprintf("a part after the first is a comment on Facebook, and this one is too long for one: %d of %d characters", p.Used, maxComment),
			"put more of it into the first part, which has room for 63,206"))
	}
	if isVideo(p) {
		list.Add(v.Finding(rules.CodeMediaType, finding.Error, place(v, p.Media[0].Path),
			"a part after the first is a comment on Facebook, which takes a picture and no video", "move the video to the first part, alone"))
	}
	if len(p.Media) > 1 {
		list.Add(v.Finding(rules.CodeMediaCount, finding.Error, place(v, p.Media[1].Path),
			fmt.Sprintf("a part after the first is a comment on Facebook, which takes one picture and not %d", len(p.Media)),
			"move the others to the first part"))
	}
}

// place returns where a file is attached.
func place(v *post.Variant, path string) finding.Range {
	for _, files := range v.PartMedia {
		for i := range files {
			if files[i].Path == path {
				return files[i].Range
			}
		}
	}
	return v.Range(post.Span{})
}

// media are Facebook's rules for files; see [Adapter.Info] for their sources.
var media = rules.Media{
	Network: network, Pictures: maxPhotos, PictureBytes: maxPhotoBytes, FitSide: shownSide, GIFStill: true, VideoBytes: maxVideoBytes, AltPictures: true,
	Types: []string{"image/jpeg", "image/png", "image/gif", "video/mp4", "video/quicktime"},
}

// entities finds what Facebook links by itself: addresses and hashtags, as Mastodon finds them. Names are not: an API cannot mention.
func entities(text string) []measure.Entity {
	return slices.DeleteFunc(measure.MastodonEntities(text), func(e measure.Entity) bool {
		return e.Kind != measure.URL && e.Kind != measure.Hashtag
	})
}
