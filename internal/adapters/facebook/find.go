package facebook

import (
	"context"
	"fmt"
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
	pageSize       = 100 // the most that the API gives
	maxPages       = 20  // 2,000 posts since the attempt: whoever posts more must be asked
)

// Find implements [platform.Finder]. It reads the page's own posts back to the attempt, and then the comments of the page below the one
// that was found, and compares what they say and how many photos they show.
func (p *publisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	taken := slices.Clone(a.Owned)
	for _, part := range a.Done {
		taken = append(taken, part.ID)
	}
	if len(receipt.Parts) == 0 {
		edge, fields := "/published_posts", postFields
		if isVideo(&r.Parts[0]) {
			edge, fields = "/videos", videoFields
		}
		posts, err := p.list(ctx, "list own posts", "/"+p.options.Page+edge, url.Values{"fields": {fields}}, a)
		if err != nil {
			return receipt, err
		}
		found := match(posts, &r.Parts[0], p.options.Page, taken)
		if found == nil {
			return receipt, platform.ErrNotFound
		}
		p.found(&receipt, found, &r.Parts[0])
	}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	const op = "list comments"
	post, err := p.objectID(op, receipt.Parts[0].ID)
	if err != nil {
		return receipt, err
	}
	comments, err := p.list(ctx, op, "/"+post+"/comments", url.Values{
		"fields": {commentFields}, "filter": {"stream"}, "order": {"reverse_chronological"}, // by default some are left out
	}, a)
	if err != nil {
		return receipt, err
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		found := match(comments, &r.Parts[i], p.options.Page, taken)
		if found == nil {
			break
		}
		p.found(&receipt, found, &r.Parts[i])
		taken = append(taken, found.ID)
	}
	return receipt, nil
}

// found adds the next part to a receipt.
func (p *publisher) found(receipt *platform.Receipt, w *wirePost, part *platform.Part) {
	receipt.Parts = append(receipt.Parts, platform.Remote{
		ID: w.ID, URL: p.address(w.ID, receipt.Parts), Part: len(receipt.Parts), Version: version(part),
	})
	receipt.At = w.Created.Time
}

// match returns the first candidate that is the part and not taken, one that links where the part does before all others.
func match(candidates []wirePost, part *platform.Part, page string, taken []string) *wirePost {
	var best *wirePost
	for i := range candidates {
		w := &candidates[i]
		if w.ID == "" || slices.Contains(taken, w.ID) || w.From.ID != "" && w.From.ID != page {
			continue
		}
		if squash(w.text(part)) != squash(part.Text) || !w.shows(part) {
			continue
		}
		if part.Card == nil || sameLink(w.link(), part.Card.URL) {
			return w
		}
		if best == nil { // Facebook follows redirects and takes the address that the page says it has
			best = w
		}
	}
	return best
}

// list returns what was created since a.Since or, by a clock that is behind ours, shortly before: first that from the attempt on,
// oldest first, then that before it, newest first. An error means that the list is not complete.
// https://developers.facebook.com/docs/graph-api/reference/page/published_posts and
// https://developers.facebook.com/docs/graph-api/results (2026-11-22)
func (p *publisher) list(ctx context.Context, op, path string, query url.Values, a platform.Attempt) ([]wirePost, error) {
	start := a.Since.Add(-clockTolerance)
	query.Set("limit", strconv.Itoa(pageSize))
	query.Set("since", strconv.FormatInt(start.Unix(), 10))
	var after, before []wirePost
	for range maxPages {
		var page wireList
		if _, err := p.do(ctx, apihttp.Request{Op: op, Path: path, Query: query, MaxResponse: 16 << 20}, &page); err != nil {
			return nil, err
		}
		if page.Data == nil { // an empty list is one, too
			return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer is no list"}
		}
		for _, w := range page.Data {
			switch {
			case w.Created.Before(start):
			case w.Created.Before(a.At):
				before = append(before, w)
			default:
				after = append(after, w)
			}
		}
		next := page.Paging.Cursors.After
		if page.Paging.Next == "" || page.endsBefore(start) {
			slices.Reverse(after)
			return append(after, before...), nil
		}
		if next == "" || next == query.Get("after") {
			break
		}
		query.Set("after", next)
	}
	return nil, &platform.Error{
		Outcome: platform.Unsent, Op: op,
		Message: fmt.Sprintf("the list does not reach back to %s", start.UTC().Format(time.RFC3339)),
		Hint:    "look for the post yourself, then tell with `postrider resolve`",
	}
}
