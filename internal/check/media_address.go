package check

import (
	"fmt"

	"github.com/postrider/postrider/internal/finding"
)

func mediaWithoutAddress() Check {
	return Check{
		Doc: finding.Doc{
			Code: "M302", Title: "media that the network cannot fetch", Severity: finding.Error, Since: "0.1.0",
			Why: "Threads and Instagram take no files: they fetch pictures and videos from an address that everybody can open. " +
				"site.yaml says under media.public_url how that of a file is made, or has a bucket under media.bucket, to which publish uploads files while they are needed.",
			Bad: "-- site.yaml --\naccounts:\n  threads: {platform: threads}\n" +
				"-- content/sled.md --\n---\nplatforms: [threads]\nmedia:\n  - file: sled.png\n    alt: A red sled\n---\nThe sled is back.\n",
			Good: "-- site.yaml --\naccounts:\n  threads: {platform: threads}\nmedia: {public_url: \"https://raw.githubusercontent.com/acme/site/{commit}/{path}\"}\n" +
				"-- content/sled.md --\n---\nplatforms: [threads]\nmedia:\n  - file: sled.png\n    alt: A red sled\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			if !t.Info.FetchesMedia || p.c.cfg.Media.Public() {
				return
			}
			for _, media := range t.Variant.PartMedia {
				if len(media) > 0 {
					p.out.Add(t.Variant.Finding("M302", finding.Error, media[0].Range,
						fmt.Sprintf("%s fetches %q from an address, and site.yaml does not say where the site's files are", t.Info.Name, media[0].File),
						`where everybody can open the repository's files, set media: {public_url: "https://…/{commit}/{path}"} in site.yaml; else media: {bucket: {endpoint: …, name: …}}: docs/SITE.md`))
					return
				}
			}
		},
	}
}
