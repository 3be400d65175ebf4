package mastodon

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const opEdit = "edit post"

// Edit implements [platform.Editor]. Parts that say already what they should are left alone: an edit
// notifies everybody who boosted a post. All that cannot be expressed is found before the first change.
func (p *publisher) Edit(ctx context.Context, old platform.Receipt, r *platform.Rendering) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(old.Parts), At: old.At}
	old, err := p.addressed(opEdit, old)
	if err != nil {
		return receipt, err
	}
	if len(old.Parts) != len(r.Parts) {
		return receipt, cannotEdit("the thread had %d parts and now has %d", len(old.Parts), len(r.Parts))
	}
	current := make([]*wireStatus, len(old.Parts))
	for i, remote := range old.Parts {
		s, err := p.status(ctx, opEdit, remote.ID)
		if err != nil {
			return receipt, err
		}
		current[i] = s
	}
	edits, err := p.plan(ctx, old, current, r)
	if err != nil {
		return receipt, err
	}
	for i, edit := range edits {
		if edit == nil {
			continue
		}
		s, err := p.update(ctx, old.Parts[i].ID, edit)
		if err != nil {
			return receipt, err
		}
		receipt.Parts[i] = s.remote(i, r.Parts[i].Media)
		if s.EditedAt != nil {
			receipt.At = *s.EditedAt
		}
	}
	return receipt, nil
}

// plan returns the request that each part needs, nil for one that needs none.
func (p *publisher) plan(ctx context.Context, old platform.Receipt, current []*wireStatus, r *platform.Rendering) ([]*newStatus, error) {
	replyTo, quote, err := p.references(ctx, r)
	if err != nil {
		return nil, err
	}
	first := current[0]
	if first.ReplyTo != replyTo {
		return nil, cannotEdit("it answers another post")
	}
	if quoted := first.Quote; (quoted != nil) != (quote != "") || quoted != nil && quoted.Status != nil && quoted.Status.ID != quote {
		return nil, cannotEdit("it quotes another post")
	}
	edits := make([]*newStatus, len(current))
	for i, s := range current {
		edit := body(r, i)
		if edit.Visibility != s.Visibility {
			return nil, cannotEdit("its visibility is %s and should be %s", s.Visibility, edit.Visibility)
		}
		edit.Visibility = "" // not a parameter of edits
		if err := keepPollEnd(edit.Poll, s, r, p.deps.Now()); err != nil {
			return nil, err
		}
		changed, err := p.differs(ctx, s, r, i, &edit)
		if err != nil {
			return nil, err
		}
		mediaChanged, err := p.media(ctx, old.Parts[i].Version, s, r.Parts[i].Media, &edit)
		if err != nil {
			return nil, err
		}
		if changed || mediaChanged {
			edits[i] = &edit
		}
	}
	return edits, nil
}

// keepPollEnd makes the poll of an edit end when it would have: the API takes a time from now.
func keepPollEnd(poll *newPoll, s *wireStatus, r *platform.Rendering, now time.Time) error {
	if poll == nil || s.Poll == nil {
		return nil
	}
	left := s.CreatedAt.Add(r.Poll.Duration).Sub(now)
	if least := 5 * time.Minute; left < least {
		return cannotEdit("its poll is over, or ends in less than %s", least)
	}
	poll.ExpiresIn = int(left / time.Second)
	return nil
}

// differs reports whether a status says something else than it should, media left aside.
func (p *publisher) differs(ctx context.Context, s *wireStatus, r *platform.Rendering, i int, edit *newStatus) (bool, error) {
	if edit.Language != "" && edit.Language != s.Language || edit.Sensitive != s.Sensitive || !samePoll(edit.Poll, s.Poll) {
		return true, nil
	}
	if poll := edit.Poll; poll != nil {
		shift := s.Poll.ExpiresAt.Sub(s.CreatedAt.Add(r.Poll.Duration)).Abs()
		if poll.Multiple != s.Poll.Multiple || shift > time.Minute {
			return true, nil
		}
	}
	source, err := p.source(ctx, s.ID)
	if err != nil || source == nil {
		return true, err
	}
	return strings.TrimSpace(source.Text) != strings.TrimSpace(edit.Status) || strings.TrimSpace(source.Spoiler) != strings.TrimSpace(edit.Spoiler), nil
}

// media fills in the attachments of an edit, those of them that are new uploaded, and reports whether
// they differ from what is out.
func (p *publisher) media(ctx context.Context, version string, s *wireStatus, media []platform.Media, edit *newStatus) (changed bool, err error) {
	var attached []string
	for _, a := range s.Media {
		attached = append(attached, a.ID)
	}
	for _, m := range media {
		id, rest, ok := attachedAs(version, m)
		at := slices.Index(attached, id)
		if !ok || at < 0 {
			data, err := apihttp.ReadMedia(p.deps.Media, m)
			if err != nil {
				return false, err
			}
			if id, err = p.upload(ctx, m, data); err != nil {
				return false, err
			}
			edit.MediaIDs = append(edit.MediaIDs, id)
			continue
		}
		version = rest
		edit.MediaIDs = append(edit.MediaIDs, id)
		if s.Media[at].Description != m.Alt {
			edit.MediaAttributes = append(edit.MediaAttributes, mediaAttributes{ID: id, Description: m.Alt})
		}
	}
	return len(edit.MediaAttributes) > 0 || !slices.Equal(edit.MediaIDs, attached), nil
}

// update changes one status. Repeating it is harmless.
// https://docs.joinmastodon.org/methods/statuses/#edit (2026-11-21)
func (p *publisher) update(ctx context.Context, id string, edit *newStatus) (*wireStatus, error) {
	var s wireStatus
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: opEdit, Method: http.MethodPut, Path: "/api/v1/statuses/" + url.PathEscape(id), JSON: edit,
		OwnLimit: true, // Mastodon's 10 in 10 minutes of all PUT (throttle_password_change in rack_attack.rb)
	}, &s)
	if unchanged(err) {
		return p.status(ctx, opEdit, id)
	}
	if err != nil {
		return nil, err
	}
	if s.ID == "" {
		return nil, &platform.Error{Outcome: platform.Unsent, Op: opEdit, Message: "the server's answer does not name the post"}
	}
	return &s, nil
}

// unchanged reports whether an edit was refused because the status shows already what it asks for.
// GoToSocial 0.19.2 does so, and shows less than it is told: white space and the spelling of a language
// tag make no difference.
func unchanged(err error) bool {
	return statusOf(err) == http.StatusUnprocessableEntity && strings.Contains(platform.AsError(err).Message, "status was not changed")
}

func cannotEdit(format string, args ...any) error {
	return platform.CannotEdit(opEdit, format, args...)
}

// Delete implements [platform.Deleter].
// https://docs.joinmastodon.org/methods/statuses/#delete (2026-11-21)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete post"
	old, err := p.addressed(op, old)
	if err != nil {
		return err
	}
	for _, remote := range slices.Backward(old.Parts) {
		_, err := p.api.Do(ctx, apihttp.Request{
			Op: op, Method: http.MethodDelete, Path: "/api/v1/statuses/" + url.PathEscape(remote.ID),
			Query:    url.Values{"delete_media": {"true"}}, // otherwise kept for a day, for "delete and redraft"
			OwnLimit: true,                                 // Mastodon's 30 in 30 minutes
		}, nil)
		if err == nil {
			continue
		}
		if !gone(err) {
			return err
		}
		// Not there, or is there no deleting on this server? snac 2.75 answers alike.
		switch _, err := p.status(ctx, op, remote.ID); {
		case gone(err):
		case err != nil:
			return err
		default:
			return &platform.Error{Outcome: platform.Rejected, Op: op, Message: "the server has the post but does not delete it"}
		}
	}
	return nil
}
