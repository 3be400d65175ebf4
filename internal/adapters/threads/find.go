package threads

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	// clockTolerance is how far the network's clock may be behind ours.
	clockTolerance = 5 * time.Minute
	pageSize       = 50
	maxPages       = 20 // 1,000 posts since the attempt: four days of all that an account may post
)

// Find implements [platform.Finder]. The container of a part tells whether it was published; where it is not known, the
// account's own posts decide.
func (p *publisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	self, err := p.whoami(ctx)
	if err != nil {
		return receipt, err
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		remote, err := p.part(self.ID, r, i, &a, receipt.Parts, nil).Recover(ctx, i, &a)
		if err != nil {
			return receipt, err
		}
		if remote == nil {
			break
		}
		remote.Part = i
		receipt.Parts = append(receipt.Parts, *remote)
	}
	if len(receipt.Parts) == 0 {
		return receipt, platform.ErrNotFound
	}
	return receipt, nil
}

// look looks for part i among the account's own posts, or own replies where it is one.
func (p *publisher) look(ctx context.Context, user string, r *platform.Rendering, i int, parent string, a *platform.Attempt, done []platform.Remote) (*platform.Remote, error) {
	edge := "/threads"
	if parent != "" {
		edge = "/replies"
	}
	posts, err := p.since(ctx, "/"+url.PathEscape(user)+edge, a.Since.Add(-clockTolerance))
	if err != nil {
		return nil, err
	}
	// The one that is nearest to the attempt is most likely its own.
	slices.SortStableFunc(posts, func(x, y wirePost) int {
		return cmp.Compare(x.Timestamp.Sub(a.At).Abs(), y.Timestamp.Sub(a.At).Abs())
	})
	for _, s := range posts {
		taken := slices.Contains(a.Owned, s.ID) || slices.ContainsFunc(done, func(d platform.Remote) bool { return d.ID == s.ID })
		if !taken && s.answers(parent) && s.says(r, i) {
			return &platform.Remote{ID: s.ID, URL: s.Permalink, Part: i}, nil
		}
	}
	return nil, nil
}

// since returns an edge's posts from a time on. An error means that the list is not complete.
// https://developers.facebook.com/docs/threads/threads-media (2026-11-22)
func (p *publisher) since(ctx context.Context, path string, start time.Time) ([]wirePost, error) {
	const op = "list own posts"
	query := url.Values{"fields": {postFields}, "limit": {strconv.Itoa(pageSize)}, "since": {strconv.FormatInt(start.Unix(), 10)}}
	var posts []wirePost
	for range maxPages {
		var page struct {
			Data   []wirePost `json:"data"`
			Paging struct {
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
				Next string `json:"next"`
			} `json:"paging"`
		}
		if err := p.do(ctx, apihttp.Request{Op: op, Path: path, Query: query, MaxResponse: 16 << 20}, &page); err != nil {
			return nil, err
		}
		if page.Data == nil {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer is no list of posts"}
		}
		for _, s := range page.Data {
			if s.ID != "" && (s.Timestamp.IsZero() || !s.Timestamp.Before(start)) {
				posts = append(posts, s)
			}
		}
		after := page.Paging.Cursors.After
		if page.Paging.Next == "" || after == "" || after == query.Get("after") {
			return posts, nil
		}
		query.Set("after", after) // not the address itself, which holds the token
	}
	return nil, &platform.Error{
		Outcome: platform.Unsent, Op: op, Message: fmt.Sprintf("the list does not reach back to %s", start.UTC().Format(time.RFC3339)),
		Hint: "look for the post yourself, then tell with `postrider resolve`",
	}
}

// answers reports whether a post answers another; "" stands for none.
func (s *wirePost) answers(parent string) bool {
	if s.RepliedTo == nil {
		return parent == ""
	}
	return s.RepliedTo.ID == parent
}

// says reports whether a post is what part i of r makes. A wrong no makes a post go out twice, so white space and the sign
// of a hashtag, which becomes a topic, make no difference.
func (s *wirePost) says(r *platform.Rendering, i int) bool {
	part := &r.Parts[i]
	if plain(s.Text) != plain(part.Text) || s.kind() != kindOf(part.Media) || s.IsQuote != (i == 0 && r.Quote != "") {
		return false
	}
	if len(part.Media) > 1 && s.Children != nil && len(s.Children.Data) != len(part.Media) {
		return false
	}
	if i == 0 && r.Poll != nil && s.Poll != nil && len(r.Poll.Options) > 1 {
		return s.Poll.A == r.Poll.Options[0] && s.Poll.B == r.Poll.Options[1]
	}
	return true
}

func plain(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "#", "")), " ")
}

// kind returns what a post consists of, of the words that the API has for it.
func (s *wirePost) kind() string {
	switch s.MediaType {
	case "IMAGE", "VIDEO":
		return s.MediaType
	case "CAROUSEL_ALBUM", "CAROUSEL":
		return "CAROUSEL"
	}
	return "TEXT" // TEXT_POST, and what is not known
}

func kindOf(media []platform.Media) string {
	switch {
	case len(media) == 0:
		return "TEXT"
	case len(media) > 1:
		return "CAROUSEL"
	case strings.HasPrefix(media[0].MIME, "video/"):
		return "VIDEO"
	}
	return "IMAGE"
}
