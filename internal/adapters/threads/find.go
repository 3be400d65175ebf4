package threads

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/container"
)

const (
	// clockTolerance is how far the network's clock may be behind ours.
	clockTolerance = 5 * time.Minute
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
	query := container.Query{
		Op: "list own posts", Path: "/" + url.PathEscape(user) + edge, Fields: postFields, Since: a.Since.Add(-clockTolerance), Filter: true, Pages: maxPages,
	}
	posts, err := container.List(ctx, &p.Graph, &query, func(s *wirePost) time.Time { return s.Timestamp.Time })
	if err != nil {
		return nil, err
	}
	// The one that is nearest to the attempt is most likely its own.
	slices.SortStableFunc(posts, func(x, y wirePost) int {
		return cmp.Compare(x.Timestamp.Sub(a.At).Abs(), y.Timestamp.Sub(a.At).Abs())
	})
	for _, s := range posts {
		taken := slices.Contains(a.Owned, s.ID) || slices.ContainsFunc(done, func(d platform.Remote) bool { return d.ID == s.ID })
		if s.ID != "" && !taken && s.answers(parent) && s.says(r, i) {
			return &platform.Remote{ID: s.ID, URL: s.Permalink, Part: i}, nil
		}
	}
	return nil, nil
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
