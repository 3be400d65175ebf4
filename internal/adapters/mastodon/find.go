package mastodon

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	// clockTolerance is how far the server's clock may be behind ours.
	clockTolerance = 5 * time.Minute
	pageSize       = 40 // the most that servers give
	maxPages       = 50 // 2,000 posts since the attempt: whoever posts more must be asked
)

// Find implements [platform.Finder]. It reads the account's own posts back to the attempt and
// compares what they say: the API does not tell under which idempotency key a post was made.
func (p *publisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	candidates, err := p.since(ctx, a)
	if err != nil {
		return receipt, err
	}
	parent := ""
	switch first := len(receipt.Parts); {
	case first > 0:
		parent = receipt.Parts[first-1].ID
	case r.ReplyTo != "":
		if parent, err = p.resolve(ctx, "look up reply_to", r.ReplyTo); err != nil {
			return receipt, err
		}
	}
	if r.Quote != "" {
		if quote, err := p.resolve(ctx, "look up quote", r.Quote); err == nil { // it may be gone by now
			candidates = slices.DeleteFunc(candidates, func(s wireStatus) bool {
				return s.Quote != nil && s.Quote.Status != nil && s.Quote.Status.ID != quote
			})
		}
	}
	taken := append(slices.Clone(a.Owned), ids(a.Done)...)
	found, err := p.thread(ctx, candidates, r, len(receipt.Parts), parent, taken)
	if err != nil {
		return receipt, err
	}
	for _, s := range found {
		i := len(receipt.Parts)
		remote := s.remote(i, r.Parts[i].Media)
		if s.EditedAt != nil {
			remote.Version = "" // somebody may have changed the files
		}
		receipt.Parts = append(receipt.Parts, remote)
		receipt.At = s.CreatedAt
	}
	if len(receipt.Parts) == 0 {
		return receipt, platform.ErrNotFound
	}
	return receipt, nil
}

// thread returns the candidates that are the parts of r from part i on, the first of them an answer to parent and none of
// them taken. Of several threads that begin alike it is the most complete one, of equals the one that begins first.
func (p *publisher) thread(ctx context.Context, candidates []wireStatus, r *platform.Rendering, i int, parent string, taken []string) ([]*wireStatus, error) {
	var best []*wireStatus
	for k := range candidates {
		if len(best) == len(r.Parts)-i {
			break
		}
		s := &candidates[k]
		if s.ReplyTo != parent || slices.Contains(taken, s.ID) {
			continue
		}
		same, err := p.says(ctx, s, r, i)
		if err == nil && !same && s.EditedAt != nil && sameAudience(r.Visibility, s.Visibility) {
			same, err = p.said(ctx, s, r, i)
		}
		if err != nil {
			return nil, err
		}
		if !same {
			continue
		}
		rest, err := p.thread(ctx, candidates, r, i+1, s.ID, taken)
		if err != nil {
			return nil, err
		}
		if len(rest)+1 > len(best) {
			best = append([]*wireStatus{s}, rest...)
		}
	}
	return best, nil
}

// since returns what the account itself has posted since a.Since or, by a clock that is behind ours, shortly before:
// first that from the attempt on, oldest first, then that before it, newest first. An error means that the list is not
// complete. https://docs.joinmastodon.org/methods/accounts/#statuses (2026-11-21)
func (p *publisher) since(ctx context.Context, a platform.Attempt) ([]wireStatus, error) {
	const op = "list own posts"
	self, err := p.whoami(ctx)
	if err != nil {
		return nil, err
	}
	start := a.Since.Add(-clockTolerance)
	var after, before []wireStatus
	query := url.Values{"exclude_reblogs": {"true"}, "limit": {strconv.Itoa(pageSize)}}
	for range maxPages {
		var page []wireStatus
		_, err := p.api.Do(ctx, apihttp.Request{
			Op: op, Path: "/api/v1/accounts/" + url.PathEscape(self.ID) + "/statuses", Query: query, MaxResponse: 16 << 20,
			OwnLimit: query.Has("max_id"), // Mastodon's 300 further pages in 15 minutes
		}, &page)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			switch {
			case s.Reblog != nil || s.Account.ID != "" && s.Account.ID != self.ID: // with the words of others
			case s.CreatedAt.Before(start):
			case s.CreatedAt.Before(a.At):
				before = append(before, s)
			default:
				after = append(after, s)
			}
		}
		if len(page) == 0 || page[len(page)-1].CreatedAt.Before(start) {
			slices.Reverse(after)
			return append(after, before...), nil
		}
		next := page[len(page)-1].ID
		if next == "" || next == query.Get("max_id") {
			break
		}
		query.Set("max_id", next)
	}
	return nil, &platform.Error{
		Outcome: platform.Unsent, Op: op,
		Message: fmt.Sprintf("the list does not reach back to %s", start.UTC().Format(time.RFC3339)),
		Hint:    "look for the post yourself, then tell with `postrider resolve`",
	}
}

// says reports whether a status is what part i of r makes. A wrong no makes a post go out twice, so
// the rough comparison comes first and forgives what servers are known to change; the status's
// source, where there is one, then decides.
func (p *publisher) says(ctx context.Context, s *wireStatus, r *platform.Rendering, i int) (bool, error) {
	want := body(r, i)
	quotes := i == 0 && r.Quote != ""
	if quotes != (s.Quote != nil) {
		return false, nil
	}
	if !sameAudience(want.Visibility, s.Visibility) || !samePoll(want.Poll, s.Poll) || !sameMedia(r.Parts[i].Media, s.Media) {
		return false, nil
	}
	if want.Status == "" {
		// A warning without a text becomes the text: https://github.com/mastodon/mastodon,
		// app/services/post_status_service.rb (2026-11-21).
		if got := letters(plain(s.Content)); got == letters(want.Spoiler) && got != "" && s.Spoiler == "" {
			return true, nil
		}
	}
	if letters(plain(s.Content)) != letters(want.Status) {
		return false, nil
	}
	source, err := p.source(ctx, s.ID)
	if err != nil {
		return false, err
	}
	if source == nil {
		return fold(plain(s.Content)) == fold(want.Status) && letters(stripTags(s.Spoiler)) == letters(stripTags(want.Spoiler)), nil
	}
	return squash(source.Text) == squash(want.Status) && squash(source.Spoiler) == squash(want.Spoiler), nil
}

// said reports whether an edited status was part i of r once: somebody may have mended in the web
// interface what we lost sight of. Mastodon lists the oldest version first, GoToSocial the newest. https://docs.joinmastodon.org/methods/statuses/#history (2026-11-21)
func (p *publisher) said(ctx context.Context, s *wireStatus, r *platform.Rendering, i int) (bool, error) {
	var versions []struct {
		Content string `json:"content"`
	}
	_, err := p.api.Do(ctx, apihttp.Request{Op: "read post", Path: "/api/v1/statuses/" + url.PathEscape(s.ID) + "/history"}, &versions)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	want := fold(body(r, i).Status)
	for _, v := range versions {
		if fold(plain(v.Content)) == want {
			return true, nil
		}
	}
	return false, nil
}

// source returns what was written to make a status, nil where the server does not tell.
// https://docs.joinmastodon.org/methods/statuses/#source (2026-11-21)
func (p *publisher) source(ctx context.Context, id string) (*wireSource, error) {
	var s wireSource
	_, err := p.api.Do(ctx, apihttp.Request{Op: "read post", Path: "/api/v1/statuses/" + url.PathEscape(id) + "/source"}, &s)
	if missing(err) || err == nil && s.ID != id {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// missing reports whether an error is the answer of a server that lacks an endpoint: Mastodon before
// 3.5 has neither source nor history, some imitators have not yet.
func missing(err error) bool {
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		return true
	}
	return false
}

// sameAudience forgives that a server turns public posts of a silenced account into unlisted ones.
func sameAudience(want, got string) bool {
	open := func(v string) bool { return v == "public" || v == "unlisted" }
	return want == got || open(want) && open(got)
}

func samePoll(want *newPoll, got *wirePoll) bool {
	if want == nil || got == nil {
		return want == nil && got == nil
	}
	if len(want.Options) != len(got.Options) {
		return false
	}
	for i, option := range want.Options {
		if letters(stripTags(option)) != letters(stripTags(got.Options[i].Title)) {
			return false
		}
	}
	return true
}

func sameMedia(want []platform.Media, got []wireMedia) bool {
	return slices.EqualFunc(want, got, func(w platform.Media, g wireMedia) bool {
		return letters(stripTags(w.Alt)) == letters(stripTags(g.Description)) && sameShape(w, g)
	})
}

// sameShape reports whether a picture may be the one that was sent: servers make large ones smaller and turn them as their
// EXIF data say, or do not, but they cut nothing off. It is all there is to tell pictures without words apart.
func sameShape(want platform.Media, got wireMedia) bool {
	if got.Type != "image" {
		return true
	}
	w, h := float64(min(want.Width, want.Height)), float64(max(want.Width, want.Height))
	o := got.Meta.Original
	gw, gh := float64(min(o.Width, o.Height)), float64(max(o.Width, o.Height))
	if w <= 0 || gw <= 0 {
		return true // not known
	}
	a, b := w*gh, gw*h
	return max(a, b)-min(a, b) <= 0.02*max(a, b)+max(h, gh) // rounded to a pixel
}

func ids(parts []platform.Remote) []string {
	list := make([]string, len(parts))
	for i, part := range parts {
		list[i] = part.ID
	}
	return list
}
