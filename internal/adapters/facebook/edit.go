package facebook

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/graph"
)

const opEdit = "edit post"

// Edit implements [platform.Editor]. Only texts can change; that nothing else has to is found out before the first change.
// https://developers.facebook.com/documentation/pages-api/posts (2026-11-22)
func (p *publisher) Edit(ctx context.Context, old platform.Receipt, r *platform.Rendering) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(old.Parts), At: old.At}
	if len(old.Parts) != len(r.Parts) {
		return receipt, cannotEdit("the post had %d parts and now has %d", len(old.Parts), len(r.Parts))
	}
	ids := make([]string, len(r.Parts))
	changed := make([]bool, len(r.Parts))
	for i := range r.Parts {
		var err error
		if ids[i], err = p.objectID(opEdit, old.Parts[i].ID); err != nil {
			return receipt, err
		}
		current, err := p.read(ctx, ids[i], i, isVideo(&r.Parts[i]))
		if err != nil {
			return receipt, err
		}
		if err := onlyText(old.Parts[i].Version, current, &r.Parts[i]); err != nil {
			return receipt, err
		}
		changed[i] = current.text(&r.Parts[i]) != r.Parts[i].Text
	}
	for i, id := range ids {
		receipt.Parts[i].Version = version(&r.Parts[i])
		if !changed[i] {
			continue
		}
		name := "message"
		if isVideo(&r.Parts[i]) {
			name = "description"
		}
		var answer struct {
			Success bool `json:"success"`
		}
		_, err := p.do(ctx, apihttp.Request{
			Op: opEdit, Method: http.MethodPost, Path: "/" + id, Form: url.Values{name: {r.Parts[i].Text}}, OwnLimit: true,
		}, &answer)
		if err != nil {
			return receipt, err
		}
		if !answer.Success {
			return receipt, &platform.Error{Outcome: platform.Unsent, Op: opEdit, Message: "the network does not say that the text was changed"}
		}
	}
	return receipt, nil
}

// read returns a part as it is now.
func (p *publisher) read(ctx context.Context, id string, part int, video bool) (*wirePost, error) {
	fields := postFields
	switch {
	case part > 0:
		fields = commentFields
	case video:
		fields = videoFields
	}
	var w wirePost
	_, err := p.do(ctx, apihttp.Request{Op: opEdit, Path: "/" + id, Query: url.Values{"fields": {fields}}}, &w)
	if err == nil && w.ID == "" {
		err = &platform.Error{Outcome: platform.Unsent, Op: opEdit, Message: "the answer does not name the post"}
	}
	return &w, err
}

// onlyText returns an error unless a part has beside its text what it had. Where what was sent is not known, because a person has told
// where the post is, what is shown decides.
func onlyText(sent string, current *wirePost, part *platform.Part) error {
	if sent == version(part) && sent != "" {
		return nil
	}
	if sent != "" {
		return cannotEdit("pictures, their descriptions and links stay as they are")
	}
	if !current.shows(part) {
		return cannotEdit("the post shows %d photos and now has %d files", current.photos(), len(part.Media))
	}
	if part.Card != nil && !sameLink(current.link(), part.Card.URL) {
		return cannotEdit("the post does not link to %q", part.Card.URL)
	}
	return nil
}

func cannotEdit(format string, args ...any) error {
	return platform.CannotEdit(opEdit, format, args...)
}

// Delete implements [platform.Deleter]. https://developers.facebook.com/documentation/pages-api/posts (2026-11-22)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete post"
	for _, remote := range slices.Backward(old.Parts) {
		id, err := p.objectID(op, remote.ID)
		if err != nil {
			return err
		}
		_, err = p.do(ctx, apihttp.Request{Op: op, Method: http.MethodDelete, Path: "/" + id, OwnLimit: true}, nil)
		if gone, err := p.gone(ctx, op, err); err != nil && !gone {
			return err
		}
	}
	return nil
}

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "look for the post"
	id, err := p.objectID(op, part.ID)
	if err != nil {
		return false, err
	}
	_, err = p.do(ctx, apihttp.Request{Op: op, Path: "/" + id, Query: url.Values{"fields": {"id"}}}, nil)
	if gone, err := p.gone(ctx, op, err); err != nil || gone {
		return false, err
	}
	return true, nil
}

// gone reports whether an error says that something is not there. The network has one answer for that and for what the token may not
// see, so that a token which is not the page's proves nothing.
func (p *publisher) gone(ctx context.Context, op string, err error) (bool, error) {
	if !errors.Is(err, graph.Gone) {
		return false, err
	}
	if _, err := p.whoami(ctx, op); err != nil {
		return false, err
	}
	return true, nil
}
