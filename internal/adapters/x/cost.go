package x

import (
	"fmt"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// The prices of X's pay-per-use API in millionths of a US dollar, a request: https://docs.x.com/x-api/getting-started/pricing
// (2026-08-22). They may change at any time, and accounts with a contract pay others. What counts as a post "with URL" is not
// stated further: here it is one with anything that X links. Uploads of media have no price there, and count as free.
const (
	pricePost     = 15_000
	pricePostLink = 200_000
	priceMetadata = 5_000 // the alt text of a picture, or its mark as sensitive
)

var _ platform.Coster = Adapter{}

// Cost implements [platform.Coster].
func (Adapter) Cost(r *platform.Rendering, _ *platform.Account) (micros int64, lines []platform.CostLine) {
	var plain, linked, described int64
	for i := range r.Parts {
		if hasLink(r.Parts[i].Text) {
			linked++
		} else {
			plain++
		}
		for k := range r.Parts[i].Media {
			if metadataOf("", &r.Parts[i].Media[k], r.Sensitive) != nil {
				described++
			}
		}
	}
	for _, position := range [...]struct {
		n, price  int64
		one, many string
	}{
		{plain, pricePost, "post", "posts"},
		{linked, pricePostLink, "post with a link", "posts with links"},
		{described, priceMetadata, "description of a picture", "descriptions of pictures"},
	} {
		if position.n == 0 {
			continue
		}
		what := position.many
		if position.n == 1 {
			what = position.one
		}
		line := platform.CostLine{What: fmt.Sprintf("%d %s", position.n, what), Micros: position.n * position.price}
		lines, micros = append(lines, line), micros+line.Micros
	}
	return micros, lines
}

func hasLink(text string) bool {
	for _, e := range measure.XEntities(text) {
		if e.Kind == measure.URL {
			return true
		}
	}
	return false
}
