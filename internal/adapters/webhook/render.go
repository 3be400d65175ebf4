package webhook

import (
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
	"github.com/postrider/postrider/internal/post"
)

// Render implements [platform.Adapter]. The receiver gets all that the post says: the text without
// Markdown, its formatting as facets, and every setting as it was written. `link:` is the card of the
// first part.
func (Adapter) Render(v *post.Variant, _ *platform.Account) (platform.Rendering, finding.List) {
	style := plaintext.Style{
		Network: "the webhook", Links: plaintext.LinkFacet, Rich: true, MayBeEmpty: v.Link != "" || v.Card != nil || v.Title != "",
		Unit: measure.CodePoints, Count: measure.CountCodePoints,
	}
	parts, list := plaintext.Write(v, &style)
	parts[0].Card = cardOf(v)
	r := platform.Rendering{
		Platform: "webhook", Title: v.Title, Parts: parts, Language: v.Language, Visibility: v.Visibility,
		ContentWarning: v.ContentWarning, Sensitive: v.Sensitive, Labels: v.Labels, Tags: v.Tags,
		ReplyTo: v.ReplyTo, Quote: v.Quote, CanonicalURL: v.CanonicalURL,
	}
	if p := v.Poll; p != nil {
		r.Poll = &platform.Poll{Options: p.Options, Duration: p.Duration, Multiple: p.Multiple, HideTotals: p.HideTotals}
		if r.Poll.Duration == 0 {
			r.Poll.Duration = rules.DefaultPollDuration
		}
	}
	return r, list
}

// cardOf returns the card of the first part, with the words of the post's card file where the post itself has none.
func cardOf(v *post.Variant) *platform.Card {
	card := &platform.Card{URL: v.Link}
	switch {
	case v.Card != nil:
		card.Title, card.Description = v.Card.Title, v.Card.Description
		if v.Card.URL != "" {
			card.URL = v.Card.URL
		}
		if v.Card.Image != nil {
			m := platform.MediaOf(v.Card.Image)
			card.Image = &m
		}
	case v.Link == "":
		return nil
	}
	rules.FillCard(v, card)
	return card
}

// SameRendering implements [platform.Sharer]: no option of an account changes what is shown.
func (Adapter) SameRendering(_, _ *platform.Account) bool { return true }
