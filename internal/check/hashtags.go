package check

import (
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

func hashtags() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "T301", Title: "too many hashtags", Severity: finding.Warning, Since: "0.1.0",
			Why:  "The site's style.max_hashtags says how many a post may show; those of `tags:` count as well as those in the text.",
			Bad:  "-- site.yaml --\nstyle: {max_hashtags: 1}\n-- content/sled.md --\n---\nplatforms: [x]\ntags: [winter]\n---\nThe #sled is back.\n",
			Good: "-- site.yaml --\nstyle: {max_hashtags: 1}\n-- content/sled.md --\n---\nplatforms: [x]\n---\nThe #sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			most := p.c.cfg.Style.MaxHashtags
			if most == config.NoLimit {
				return
			}
			n := 0
			at := t.Variant.Place(post.FieldTags)
			for i := range t.Rendering.Parts {
				part := &t.Rendering.Parts[i]
				for j := range part.Facets {
					f := &part.Facets[j]
					if f.Kind != platform.FacetTag || strings.HasPrefix(f.Value, "$") { // a cashtag is none
						continue
					}
					if n++; n == most+1 {
						// One that `tags:` appended stands nowhere in the text.
						if r := plaintext.Place(t.Variant, part, f.Start); r.End != r.Start && r.End.Line > 0 {
							at = r
						}
					}
				}
			}
			if n = max(n, len(t.Rendering.Tags)); n > most {
				p.out.Add(t.Variant.Finding("T301", finding.Warning, at, fmt.Sprintf("%d hashtags, and the site allows %d", n, most), "keep those that people look for"))
			}
		},
	}
}
