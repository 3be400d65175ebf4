package mastodon

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/platform"
)

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "look for the post"
	id, err := p.statusID(op, part.ID)
	if err != nil {
		return false, err
	}
	if _, err = p.status(ctx, op, id); gone(err) {
		return false, nil
	}
	return err == nil, err
}

// statusID returns an id as the API takes it. A person who settles a delivery by hand gives the address of the post, which ends
// with the id: to the API that is a post that does not exist, and deleting what does not exist is a success.
func (p *publisher) statusID(op, id string) (string, error) {
	if !strings.Contains(id, "://") {
		return id, nil
	}
	u, err := url.Parse(id)
	if err == nil && strings.EqualFold(u.Host, p.host()) {
		if last := path.Base(u.Path); last != "/" && last != "." && !strings.HasPrefix(last, "@") {
			return last, nil
		}
	}
	return "", &platform.Error{
		Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the address of a post on %s", id, p.host()),
		Hint: "record where it is with `postrider resolve POST ACCOUNT --published URL`",
	}
}

// addressed returns a receipt in which every part has the id that the API takes.
func (p *publisher) addressed(op string, r platform.Receipt) (platform.Receipt, error) {
	r.Parts = slices.Clone(r.Parts)
	for i := range r.Parts {
		id, err := p.statusID(op, r.Parts[i].ID)
		if err != nil {
			return r, err
		}
		r.Parts[i].ID = id
	}
	return r, nil
}
