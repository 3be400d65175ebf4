package review

import (
	"cmp"
	"fmt"
	"strings"
)

// Picture is what is shown of a post besides its text. The review is complete without it.
type Picture struct {
	Address string // of the picture; "" when there is none
	Missing string // why there is none: a sentence
}

// attached links to the pictures that are not in the comment. What is there is the branch's word, and said to be.
func (w *writer) attached() string {
	for _, p := range w.o.Pictures {
		if p.Address != "" {
			return ""
		}
	}
	if w.o.Attached == "" {
		return ""
	}
	return fmt.Sprintf("\nPictures of the cards: [a ZIP file](<%s>) that the branch's own check has attached.\n", w.o.Attached)
}

// picture shows a post's picture, or says why there is none.
func (w *writer) picture(p *Post) string {
	switch picture, ok := w.o.Pictures[p.Path]; {
	case !ok:
		return ""
	case picture.Address == "":
		return fmt.Sprintf("\n*%s*\n", Inert(picture.Missing))
	default:
		alt, before := p.pictured()
		what := "As its networks will show it"
		if before {
			what = "Before and after, as its networks show it"
		}
		return fmt.Sprintf("\n<details open><summary>%s</summary>\n\n![%s](<%s>)\n\n</details>\n", what, Inert(alt), picture.Address)
	}
}

// pictured says in words what the picture of a post shows, for those who do not see it, and whether it shows what was before: what the cards
// say stands below it as text.
func (p *Post) pictured() (alt string, before bool) {
	var accounts []string
	for i := range p.Targets {
		if t := &p.Targets[i]; !t.Same {
			accounts = append(accounts, t.Account)
			before = before || t.Before != nil
		}
	}
	name, when := cmp.Or(p.Title, p.Path), ""
	if before {
		when = ", before and after"
	}
	return fmt.Sprintf("the cards of “%s” for %s%s", name, strings.Join(accounts, ", "), when), before
}
