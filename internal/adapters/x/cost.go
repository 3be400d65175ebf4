package x

import (
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

const docsPrices = "https://docs.x.com/x-api/getting-started/pricing"

// The prices of X's pay-per-use API that a post is charged by. They may change at any time, and accounts with a contract pay others.
// What counts as a post "with URL" is not stated further: here it is one with anything that X links. Uploads of media have no price
// there, and count as free.
var (
	pricePost     = platform.Price{Name: "post", One: "post", Many: "posts", USD: 15_000, Doc: docsPrices, Verified: verified, Note: "each part of a thread is one"}
	pricePostLink = platform.Price{Name: "post_link", One: "post with a link", Many: "posts with links", USD: 200_000, Doc: docsPrices, Verified: verified}
	priceMetadata = platform.Price{
		Name: "media_metadata", One: "description of a picture", Many: "descriptions of pictures", USD: 5_000, Doc: docsPrices, Verified: verified,
		Note: "the alt text of a picture, or its mark as sensitive",
	}
)

var _ platform.Coster = Adapter{}

// Cost implements [platform.Coster].
func (Adapter) Cost(r *platform.Rendering, _ *platform.Account) []platform.Cost {
	costs := make([]platform.Cost, len(r.Parts))
	for i := range r.Parts {
		price, described := &pricePost, 0
		if hasLink(r.Parts[i].Text) {
			price = &pricePostLink
		}
		for k := range r.Parts[i].Media {
			if metadataOf("", &r.Parts[i].Media[k], r.Sensitive) != nil {
				described++
			}
		}
		costs[i] = platform.Sum(price.Of(1), priceMetadata.Of(described))
	}
	return costs
}

func hasLink(text string) bool {
	for _, e := range measure.XEntities(text) {
		if e.Kind == measure.URL {
			return true
		}
	}
	return false
}
