package bluesky

import (
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

const network = "Bluesky"

// Render implements [platform.Adapter].
func (Adapter) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	card, list := cardOf(v)
	style := plaintext.Style{
		Network: network, Links: plaintext.LinkFacet, Tags: true,
		Append: appended(v, card), MayBeEmpty: card != nil || v.Quote != "",
		Max: maxText, MaxBytes: maxTextBytes, Unit: measure.Graphemes,
		Count: measure.CountGraphemes, Entities: measure.BlueskyEntities,
	}
	if v.ContentWarning != "" { // Bluesky has labels, but no words of the writer's own
		style.Lead = "⚠️ " + v.ContentWarning
	}
	parts, found := plaintext.Write(v, &style)
	list = append(found, list...)
	parts[0].Card = card
	for i := range parts {
		if p := &parts[i]; p.Card == nil && len(p.Media) == 0 {
			p.Card = firstLink(p, parts[:i])
		}
		if card := parts[i].Card; card != nil {
			if image := rules.FillCard(v, card); image != nil {
				list.Add(thumb.FitFile(v, image, card.Image)...)
			}
		}
	}

	list.Add(pictures.Fit(v, parts)...)
	list.Add(rules.OnlyPublic(v, network)...)
	list.Add(rules.NoPoll(v, network)...)
	list.Add(rules.Languages(v, network, maxLanguages, finding.Error)...)
	labels, found := labelsOf(v)
	list.Add(found...)
	if v.ReplyTo != "" && !isPost(v.ReplyTo) {
		list.Add(rules.ReplyTo(v, network, wantPost))
	}
	if v.Quote != "" && !isPost(v.Quote) {
		list.Add(rules.Quote(v, network, wantPost))
	}
	return platform.Rendering{
		Platform: "bluesky", Parts: parts, Language: v.Language, Labels: labels,
		ReplyTo: v.ReplyTo, Quote: v.Quote,
	}, list
}

// pictures are Bluesky's rules for pictures and videos. A part shows either media or a link card.
var pictures = rules.Media{
	Network: network, Pictures: maxImages, GIFStill: true,
	Types:        []string{"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"},
	PictureBytes: maxImageBytes, FitSide: fitSide, VideoBytes: maxVideoBytes,
}

// thumb are Bluesky's rules for the picture of a link card.
var thumb = rules.Media{
	Network: network + "'s link cards", Types: []string{"image/jpeg", "image/png", "image/gif", "image/webp"},
	PictureBytes: maxThumbBytes, FitSide: fitSide,
}

// cardOf returns the link card of the first part: that of `card:`, else one for `link:`. Without a title, its words
// and picture are those of the post's card file (see rules.FillCard), or else read when the post goes out. Where media take its place there is none.
func cardOf(v *post.Variant) (*platform.Card, finding.List) {
	if v.Card == nil && v.Link == "" {
		return nil, nil
	}
	var list finding.List
	if len(v.PartMedia) > 0 && len(v.PartMedia[0]) > 0 {
		if v.Card != nil {
			list.Add(rules.Card(v, finding.Warning,
				"Bluesky shows media or a link card, not both: the card is left out, its address is written into the text",
				"take the media or `card:` away"))
		}
		return nil, list
	}
	if v.Card == nil {
		return &platform.Card{URL: v.Link, Fetch: true}, nil
	}
	card := &platform.Card{URL: v.Card.URL, Title: v.Card.Title, Description: v.Card.Description, Fetch: v.Card.Title == ""}
	if card.URL == "" {
		card.URL = v.Link
	}
	if card.URL == "" {
		list.Add(rules.Card(v, finding.Error, "the link card has no address to link to", "add `url:` to `card:`, or `link:` to the post"))
	}
	if image := v.Card.Image; image != nil {
		m := platform.MediaOf(image)
		card.Image = &m
		list.Add(thumb.FitFile(v, image, card.Image)...)
	}
	return card, list
}

// appended returns the address that the text has to hold because no card does.
func appended(v *post.Variant, card *platform.Card) string {
	switch {
	case card != nil && card.URL == v.Link:
		return ""
	case v.Link != "":
		return v.Link
	case card == nil && v.Card != nil:
		return v.Card.URL
	}
	return ""
}

// firstLink returns a card for the first address in a part's text, nil when an earlier part has it already.
func firstLink(p *platform.Part, earlier []platform.Part) *platform.Card {
	i := slices.IndexFunc(p.Facets, func(f platform.Facet) bool { return f.Kind == platform.FacetLink })
	if i < 0 {
		return nil
	}
	address := p.Facets[i].Value
	if slices.ContainsFunc(earlier, func(e platform.Part) bool { return e.Card != nil && e.Card.URL == address }) {
		return nil
	}
	return &platform.Card{URL: address, Fetch: true}
}

// selfLabels are the labels that an author may put on a post of their own
// (https://docs.bsky.app/docs/advanced-guides/moderation, checked 2026-10-01).
var selfLabels = []string{"!no-unauthenticated", "graphic-media", "nudity", "porn", "sexual"}

// labelsOf returns the post's labels, sorted. `sensitive: true` without a label that says why becomes
// graphic-media.
func labelsOf(v *post.Variant) ([]string, finding.List) {
	var list finding.List
	var labels []string
	for _, label := range v.Labels {
		if !slices.Contains(selfLabels, label) {
			list.Add(rules.Labels(v, finding.Error, "Bluesky has no label \""+label+"\"", "it has "+strings.Join(selfLabels, ", ")))
		}
		labels = append(labels, label)
	}
	if v.Sensitive && !rules.SensitiveByLabel(labels) {
		labels = append(labels, "graphic-media")
	}
	slices.Sort(labels)
	return slices.Compact(labels), list
}

const wantPost = "https://bsky.app/profile/NAME/post/ID or at://NAME/app.bsky.feed.post/ID"

// isPost reports whether s names a post: an AT URI or its address in the app.
func isPost(s string) bool {
	var who, key string
	if rest, ok := strings.CutPrefix(s, "at://"); ok {
		who, key, _ = strings.Cut(rest, "/app.bsky.feed.post/")
	} else if rest, ok := strings.CutPrefix(s, "https://bsky.app/profile/"); ok {
		who, key, _ = strings.Cut(rest, "/post/")
	}
	return who != "" && key != "" && !strings.ContainsAny(who+key, "/?# ")
}

// SameRendering implements [platform.Sharer]: no option of an account changes what is shown.
func (Adapter) SameRendering(_, _ *platform.Account) bool { return true }
