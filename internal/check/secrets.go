package check

import (
	"fmt"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

const codeSecret finding.Code = "T304"

func secrets() Check {
	return Check{
		Ignorable: true,
		Doc: finding.Doc{
			Code: codeSecret, Title: "text that looks like a secret", Severity: finding.Error, Since: "0.1.0",
			Why: "A token or key in a post's file can be read by everybody who has the repository, and would be published if it is in the text. " +
				"Once committed it must be replaced: deleting the line does not remove it from git.",
			Bad:  "-- content/sled.md --\n---\nplatforms: [x]\n---\nOur build uses ghp_" + strings.Repeat("0a1B", 9) + " now.\n",
			Good: "-- content/sled.md --\n---\nplatforms: [x]\n---\nOur build uses a token now.\n",
		},
		post: func(p *Pass, x *post.Post) {
			secret.Find(x.Text, func(start, end int, what string) {
				r := x.Range(post.Span{Start: start, End: end})
				p.out.Add(finding.Finding{
					Code: codeSecret, Severity: finding.Error, Path: x.Path, Post: x.ID, Range: r, Private: true,
					Message: fmt.Sprintf("this looks like %s", what), Hint: "take it out, and replace it where it is used if it was ever committed",
				})
			})
		},
	}
}

// mask takes the secrets of posts that have one out of all that is said of these posts: other findings repeat what they are about.
func mask(list finding.List) {
	var leaky map[string]bool
	for i := range list {
		if list[i].Code == codeSecret {
			if leaky == nil {
				leaky = map[string]bool{}
			}
			leaky[list[i].Path] = true
		}
	}
	if leaky == nil {
		return
	}
	for i := range list {
		if f := &list[i]; leaky[f.Path] {
			f.Fix = finding.Fix{}
			f.Message, f.Hint = secret.Mask(f.Message), secret.Mask(f.Hint)
		}
	}
}
