package check

import (
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// maxCardAge is how old a link card may be when its post goes out, before somebody is told. Pages change, but not every week.
const maxCardAge = 90 * 24 * time.Hour

// OldCard reports whether a card that was fetched at one time is old at another. One without a time never is: a person wrote it.
func OldCard(fetched, at time.Time) bool {
	return !fetched.IsZero() && at.Sub(fetched) > maxCardAge
}

// CardAddress returns the address, without UTM parameters, whose card the file beside a post is to hold for an account: that of the first
// card that is not written in the post itself. It is empty where there is none, or where the network makes cards by itself.
func CardAddress(info *platform.Info, v *post.Variant, r *platform.Rendering) string {
	address, _ := cardAddress(info, v, r)
	return address
}

// cardAddress also returns the part that has the card, -1 when there is no card yet.
func cardAddress(info *platform.Info, v *post.Variant, r *platform.Rendering) (address string, part int) {
	if !info.Caps.Has(platform.CanCard) {
		return "", -1
	}
	written := v.Card != nil && v.Card.Title != ""
	for i := range r.Parts {
		if c := r.Parts[i].Card; c != nil && !(written && i == 0) {
			return utm.Without(c.URL), i
		}
	}
	// A network that reads no pages shows a card only once there is one.
	if written || len(v.PartMedia) > 0 && len(v.PartMedia[0]) > 0 || v.Poll != nil || v.Quote != "" {
		return "", -1
	}
	if v.Card != nil && v.Card.URL != "" {
		return utm.Without(v.Card.URL), -1
	}
	return utm.Without(v.Link), -1
}

func cardFetched() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "P303", Title: "link card that is read when the post goes out", Severity: finding.Info, Since: "0.1.0",
			Why: "Title, text and picture of the card come from the linked page at that moment: reviewers have not seen them. " +
				"`postrider cards` puts them into a file beside the post, and `card:` in the front matter says them in your words: then they are part of the review.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [bluesky]\nlink: https://acme.example/winter\n---\nThe sled is back.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [bluesky]\nlink: https://acme.example/winter\n---\nThe sled is back.\n-- content/sled.card.yaml --\nurl: https://acme.example/winter\ntitle: The winter sled\ndescription: Faster than ever.\n",
		},
		target: func(p *Pass, t *Target) {
			if !t.Info.Caps.Has(platform.CanCard) {
				return // the network makes the card itself: nobody here can write it
			}
			_, first := cardAddress(t.Info, t.Variant, t.Rendering)
			for i := range t.Rendering.Parts {
				c := t.Rendering.Parts[i].Card
				if c == nil || !c.Fetch {
					continue
				}
				hint := "`postrider cards " + t.Variant.Post.Path + "` puts it into a file to be reviewed"
				switch {
				case i != first:
					hint = "a post's file holds the card of its first link alone"
				case t.Variant.Post.LinkCard != nil:
					continue // K102 says more
				}
				p.out.Add(t.Variant.Finding("P303", finding.Info, cardPlace(t, i), fmt.Sprintf("the card of %s is read from the page when the post goes out", c.URL), hint))
			}
		},
	}
}

func cardOfAnother() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "K102", Title: "link card of another page", Severity: finding.Warning, Since: "0.1.0",
			Why:  "The file beside the post holds the card of another address than the one that the post links to. It is not used: often the link has changed, and the card has not.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [bluesky]\nlink: https://acme.example/winter\n---\nThe sled is back.\n-- content/sled.card.yaml --\nurl: https://acme.example/summer\ntitle: The summer kite\n",
			Good: "-- content/sled.md --\n---\nplatforms: [bluesky]\nlink: https://acme.example/winter\n---\nThe sled is back.\n-- content/sled.card.yaml --\nurl: https://acme.example/winter\ntitle: The winter sled\n",
		},
		target: func(p *Pass, t *Target) {
			v := t.Variant
			if v.Post.LinkCard == nil {
				return
			}
			address, part := cardAddress(t.Info, v, t.Rendering)
			if address == "" || v.LinkCard(address) != nil {
				return
			}
			p.out.Add(v.Finding("K102", finding.Warning, cardPlace(t, part),
				fmt.Sprintf("the file %s has the card of %s, not that of %s: it is not used", v.Post.LinkCard.File, v.Post.LinkCard.URL, address),
				"`postrider cards --update "+v.Post.Path+"` reads the page that the post links to"))
		},
	}
}

func cardOld() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "K103", Title: "link card that is old", Severity: finding.Info, Since: "0.1.0",
			Why:  "The card was read from its page more than 90 days before the post goes out. Prices, dates and pictures may be others by then.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [bluesky]\npublish_at: 2026-12-01 09:00\nlink: https://acme.example/winter\n---\nThe sled is back.\n-- content/sled.card.yaml --\nurl: https://acme.example/winter\ntitle: The winter sled\nfetched: 2026-06-01T09:00:00Z\n",
			Good: "-- content/sled.md --\n---\nplatforms: [bluesky]\npublish_at: 2026-12-01 09:00\nlink: https://acme.example/winter\n---\nThe sled is back.\n-- content/sled.card.yaml --\nurl: https://acme.example/winter\ntitle: The winter sled\nfetched: 2026-11-22T09:00:00Z\n",
		},
		target: func(p *Pass, t *Target) {
			v := t.Variant
			if v.Post.LinkCard == nil || !OldCard(v.Post.LinkCard.Fetched, v.PublishAt) {
				return
			}
			address, part := cardAddress(t.Info, v, t.Rendering)
			if file := v.LinkCard(address); address != "" && file != nil {
				days := int(v.PublishAt.Sub(file.Fetched) / (24 * time.Hour))
				p.out.Add(v.Finding("K103", finding.Info, cardPlace(t, part),
					fmt.Sprintf("the card of %s was read %d days before the post goes out", address, days),
					"`postrider cards --update "+v.Post.Path+"` reads the page again, nearer to the time"))
			}
		},
	}
}

// cardPlace returns where the address of a part's card stands: in a field, else in the text. The part is -1 for a card that is not there yet.
func cardPlace(t *Target, part int) finding.Range {
	v := t.Variant
	if part < 0 {
		return v.Place(post.FieldLink)
	}
	r := &t.Rendering.Parts[part]
	if utm.Without(v.Link) == utm.Without(r.Card.URL) {
		return v.Place(post.FieldLink)
	}
	for i := range r.Facets {
		if f := &r.Facets[i]; f.Kind == platform.FacetLink && f.Value == r.Card.URL {
			return plaintext.Place(v, r, f.Start)
		}
	}
	return v.Place(post.FieldCard)
}
