package check

import (
	"fmt"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

func mediaPlace() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: "M304", Title: "media that tell where they were taken", Severity: finding.Warning, Since: "0.1.0",
			Why: "Cameras and phones write into a picture or video where it was taken: often somebody's home. Postrider takes that out of the pictures that it sends; " +
				"this one goes out as the file is: the network fetches it from `media.public_url`, it is a webhook, or of a type that is not rewritten, as HEIC and videos are not.",
			Bad: "-- site.yaml --\naccounts:\n  threads: {platform: threads}\nmedia: {public_url: \"https://raw.githubusercontent.com/acme/site/{commit}/{path}\"}\n" +
				"-- content/sled.md --\n---\nplatforms: [threads]\nmedia:\n  - file: phone.png\n    alt: A red sled\n---\nThe sled is back.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [bluesky]\nmedia:\n  - file: phone.png\n    alt: A red sled\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			eachMedium(t.Variant, func(m *post.Media) {
				if m.Place && t.sentAsItIs(m.Path) {
					p.out.Add(t.Variant.Finding("M304", finding.Warning, m.Range,
						fmt.Sprintf("%q tells where it was taken, and %s gets it as it is", m.File, t.Info.Name), "export it without its place"))
				}
			})
		},
	}
}

// sentAsItIs reports whether a file is part of the rendering and not made to fit.
func (t *Target) sentAsItIs(path string) bool {
	for i := range t.Rendering.Parts {
		part := &t.Rendering.Parts[i]
		for k := range part.Media {
			if m := &part.Media[k]; m.Path == path && m.Fit == nil {
				return true
			}
		}
		if c := part.Card; c != nil && c.Image != nil && c.Image.Path == path && c.Image.Fit == nil {
			return true
		}
	}
	return false
}
