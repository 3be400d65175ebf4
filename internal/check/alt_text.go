package check

import (
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/finding"
)

func altText() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "M301", Title: "picture without alt text", Severity: finding.Error, Since: "0.1.0",
			Why: "People who do not see the picture get nothing of it. Alt text is never invented: the writer knows what matters. " +
				"`alt: \"\"` says that a picture is only decoration; style.require_alt in site.yaml turns this into a warning or off.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [x]\nmedia: [sled.png]\n---\nThe sled is back.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [x]\nmedia:\n  - file: sled.png\n    alt: A red sled on a snowy hill\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			severity, on := p.c.cfg.Style.RequireAlt.Severity()
			if !on {
				return
			}
			for _, media := range t.Variant.PartMedia {
				for i := range media {
					m := &media[i]
					if m.HasAlt || m.MIME != "" && !m.IsImage() && !strings.HasPrefix(m.MIME, "video/") {
						continue
					}
					p.out.Add(t.Variant.Finding("M301", severity, m.Range, fmt.Sprintf("%q has no alt text", m.File),
						"describe what it shows to somebody who does not see it; alt: \"\" if it is only decoration"))
				}
			}
		},
	}
}
