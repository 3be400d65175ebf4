package instagram

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
	maxPages       = 10 // 500 posts since the attempt: five days of all that an account may post
)

// Find implements [platform.Finder]. The container tells whether the post was published; where it is not known, the
// account's own posts decide. Comments are looked for below their post.
func (p *publisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	self, err := p.whoami(ctx)
	if err != nil {
		return receipt, err
	}
	if len(receipt.Parts) == 0 {
		remote, err := p.part(self.ID, r, &a, nil).Recover(ctx, 0, &a)
		if err != nil {
			return receipt, err
		}
		if remote == nil {
			return receipt, platform.ErrNotFound
		}
		receipt.Parts = append(receipt.Parts, *remote)
	}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	first := receipt.Parts[0]
	query := container.Query{Op: "list comments", Path: "/" + url.PathEscape(first.ID) + "/comments", Fields: "id,text,username,timestamp", Pages: maxPages}
	comments, err := container.List(ctx, &p.Graph, &query, func(c *wireComment) time.Time { return c.Timestamp.Time })
	if err != nil {
		return receipt, err
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		at := slices.IndexFunc(comments, func(c wireComment) bool {
			taken := slices.Contains(a.Owned, c.ID) || slices.ContainsFunc(receipt.Parts, func(d platform.Remote) bool { return d.ID == c.ID })
			return c.ID != "" && !taken && (c.Username == "" || c.Username == self.Username) && plain(c.Text) == plain(r.Parts[i].Text)
		})
		if at < 0 {
			break
		}
		receipt.Parts = append(receipt.Parts, platform.Remote{ID: comments[at].ID, URL: commentURL(first.URL, comments[at].ID), Part: i})
	}
	return receipt, nil
}

// look looks for the post among the account's own, of which stories are listed by themselves.
func (p *publisher) look(ctx context.Context, user string, r *platform.Rendering, a *platform.Attempt) (*platform.Remote, error) {
	kind := r.Settings[settingType]
	edge := "/media"
	if kind == typeStory {
		edge = "/stories"
	}
	query := container.Query{
		Op: "list own posts", Path: "/" + url.PathEscape(user) + edge, Fields: postFields, Since: a.Since.Add(-clockTolerance), Pages: maxPages,
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
		if s.ID == "" || slices.Contains(a.Owned, s.ID) || plain(s.Caption) != plain(r.Parts[0].Text) || !s.is(kind, r.Parts[0].Media) {
			continue
		}
		return &platform.Remote{ID: s.ID, URL: s.Permalink}, nil
	}
	return nil, nil
}

// is reports whether a post is of the kind that would have been made.
func (s *wirePost) is(kind string, media []platform.Media) bool {
	switch kind {
	case typeAlbum:
		return s.MediaType == "CAROUSEL_ALBUM"
	case typeReel:
		return s.MediaType == "VIDEO"
	case typeStory:
		return len(media) > 0 && (s.MediaType == "VIDEO") == isVideo(media[0])
	}
	return s.MediaType == "IMAGE"
}

// plain returns a text without what may be changed on the way.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }
