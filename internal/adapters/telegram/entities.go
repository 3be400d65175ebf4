package telegram

import (
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
)

// entity is MessageEntity of the API; its positions are in UTF-16 code units.
// https://core.telegram.org/bots/api#messageentity (2026-11-22)
type entity struct {
	Type   string `json:"type"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url,omitempty"`
}

// entitiesOf returns a part's formatting as the API takes it. What Telegram links by itself (an address that stands in the text, a
// mention, a hashtag) is left to it: readers would be asked whether they trust a link that they can see.
//
// Entities instead of HTML: there is nothing to escape, the text arrives as it is, and no markup counts towards the limit of the
// request.
func entitiesOf(p *platform.Part) []entity {
	if len(p.Facets) == 0 {
		return nil
	}
	var list []entity
	at, units := 0, 0 // how far the text is counted: facets are in the order of their starts
	for _, f := range p.Facets {
		e := entity{}
		said := p.Text[f.Start:f.End]
		switch f.Kind {
		case platform.FacetBold:
			e.Type = "bold"
		case platform.FacetItalic:
			e.Type = "italic"
		case platform.FacetStrike:
			e.Type = "strikethrough"
		case platform.FacetCode:
			e.Type = "code"
			if strings.Contains(said, "\n") {
				e.Type = "pre"
			}
		case platform.FacetLink:
			if said == f.Value {
				continue
			}
			e.Type, e.URL = "text_link", f.Value
		default:
			continue
		}
		if f.Start < at {
			at, units = 0, 0
		}
		units += measure.CountUTF16(p.Text[at:f.Start])
		at = f.Start
		e.Offset, e.Length = units, measure.CountUTF16(said)
		list = append(list, e)
	}
	return list
}
