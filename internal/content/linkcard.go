package content

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/post"
)

// LinkCardCode is the code of what is said of the file of a link card.
const LinkCardCode = codeLinkCard

// linkCard reads the file of the post's link card, if there is one. What is wrong with it stands at the post's link: the post is what it
// keeps from going out.
func (r *reader) linkCard(p *post.Post) {
	name := linkcard.File(r.path)
	if r.fsys == nil || r.shared.cards != nil && !r.shared.cards[name] {
		return
	}
	at := p.Place("", post.FieldLink)
	bad := func(message, hint string) { r.add(codeLinkCard, finding.Error, at, path.Base(name)+message, hint) }
	real, err := r.shared.links.follow(r.fsys, name)
	var src []byte
	if err == nil {
		src, err = readFile(r.fsys, real, nil, linkcard.MaxBytes)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if r.shared.cards != nil { // it is there
			bad(" is a symbolic link that leads nowhere", "mend or delete it")
		}
		return
	case errors.Is(err, errOutside):
		bad(" is a symbolic link that leads out of the site", "put the file itself there")
		return
	case err != nil && !errors.Is(err, errLarge): // what is too large is found below
		bad(fmt.Sprintf(" cannot be read: %v", reason(err)), "check its permissions")
		return
	}
	card, problems := linkcard.Parse(src)
	for _, problem := range problems {
		bad(fmt.Sprintf(", line %d: %s", problem.Line, problem.Message), problem.Hint)
	}
	if len(problems) > 0 {
		return
	}
	p.LinkCard = &post.LinkCard{Card: post.Card{URL: card.URL, Title: card.Title, Description: card.Description, Range: at}, File: name, Fetched: card.Fetched}
	if card.Image != "" {
		m := post.Media{File: card.Image, Alt: card.ImageAlt, HasAlt: true, Range: at}
		r.attach(&m)
		p.LinkCard.Image = &m
	}
}
