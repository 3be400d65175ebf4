package check

import (
	"fmt"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/post"
)

func mediaMisnamed() Check {
	return Check{
		Doc: finding.Doc{
			Code: "M303", Title: "media whose address tells the wrong type", Severity: finding.Error, Since: "0.1.0",
			Why: "Threads and Instagram fetch the file from a web server, which tells its type by its name. Before the post goes out, the address is looked at, " +
				"and a picture that is served as something else is not sent.",
			Bad: "-- site.yaml --\naccounts:\n  threads: {platform: threads}\nmedia: {public_url: \"https://raw.githubusercontent.com/acme/site/{commit}/{path}\"}\n" +
				"-- content/sled.md --\n---\nplatforms: [threads]\nmedia:\n  - file: misnamed.jpg\n    alt: A red sled\n---\nThe sled is back.\n",
			Good: "-- site.yaml --\naccounts:\n  threads: {platform: threads}\nmedia: {public_url: \"https://raw.githubusercontent.com/acme/site/{commit}/{path}\"}\n" +
				"-- content/sled.md --\n---\nplatforms: [threads]\nmedia:\n  - file: sled.png\n    alt: A red sled\n---\nThe sled is back.\n",
		},
		target: func(p *Pass, t *Target) {
			if !t.Info.FetchesMedia || p.c.cfg.Media.PublicURL == "" || p.c.cfg.Media.Bucket.Name != "" {
				return // a bucket is told the type
			}
			eachMedium(t.Variant, func(m *post.Media) {
				says, is := media.Named(m.Path), media.Kind(m.MIME)
				hint := fmt.Sprintf("rename it to %q", media.Rename(m.File, is))
				switch {
				case m.MIME == "" || says == is || says == "" && !m.IsImage(): // servers know few types of videos, and are not asked for them
				case says == "":
					p.out.Add(t.Variant.Finding("M303", finding.Error, m.Range,
						fmt.Sprintf("%s fetches %q from an address, where its name does not tell that it is %s", t.Info.Name, m.File, is), hint))
				default:
					p.out.Add(t.Variant.Finding("M303", finding.Error, m.Range,
						fmt.Sprintf("%s fetches %q from an address, where it is called %s, and it is %s", t.Info.Name, m.File, says, is), hint))
				}
			})
		},
	}
}

// eachMedium calls f with the files of a variant, that of its card included.
func eachMedium(v *post.Variant, f func(*post.Media)) {
	for _, files := range v.PartMedia {
		for i := range files {
			f(&files[i])
		}
	}
	if v.Card != nil && v.Card.Image != nil {
		f(v.Card.Image)
	}
}
