package linkedin

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	// clockTolerance is how far LinkedIn's clock may be behind ours.
	clockTolerance = 5 * time.Minute
	pageSize       = 100 // the most that LinkedIn gives
	maxPages       = 20
)

// Verify implements [platform.Publisher]. To have read a page's posts proves more of the token than its owner's name.
func (p pagePublisher) Verify(ctx context.Context) (platform.Identity, error) {
	if _, err := p.page(ctx, "verify token", 0, 1); err != nil {
		return platform.Identity{}, err
	}
	if err := p.options.tooOld(p.deps.Now()); err != nil {
		return platform.Identity{}, err
	}
	id := strings.TrimPrefix(p.author, "urn:li:organization:")
	who := platform.Identity{ID: p.author, Handle: cmp.Or(p.options.Handle, id), URL: p.web() + "/company/" + id}
	return who, p.inspect(ctx, &who,
		platform.Need{Scope: "w_organization_social", For: "posting"},
		platform.Need{Scope: "r_organization_social", For: "looking up what went out"},
		platform.Need{Scope: "w_organization_social_feed", For: "first comments", Minor: true})
}

// Publish implements [platform.Publisher].
func (p pagePublisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	return p.publish(ctx, r, a, p.duplicateRead)
}

// duplicateRead adopts the live post that a refusal names when it is what an earlier try has left: of the same content, and
// not older than the attempt.
func (p pagePublisher) duplicateRead(ctx context.Context, r *platform.Rendering, a platform.Attempt, urn string, refusal *platform.Error) (time.Time, error) {
	live, err := p.read(ctx, opCreate, urn)
	switch {
	case err == nil && isOurs(live, a) && says(live, r):
		return live.created(), nil
	case err == nil || platform.AsError(err).Status == http.StatusNotFound: // LinkedIn remembers what was deleted for a while
		return time.Time{}, repetition(refusal, urn)
	}
	return p.duplicateUnread(ctx, r, a, urn, refusal)
}

// read reads one post.
func (p pagePublisher) read(ctx context.Context, op, urn string) (*wirePost, error) {
	var post wirePost
	_, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: "/rest/posts/" + url.QueryEscape(urn), OwnLimit: true}, &post)
	if err == nil && post.ID != urn {
		err = unusable(op, "LinkedIn answers with another post than was asked for")
	}
	return &post, err
}

// page reads count of the page's posts from start on, the last changed first.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api (2026-11-22)
func (p pagePublisher) page(ctx context.Context, op string, start, count int) ([]wirePost, error) {
	var list struct {
		Elements []wirePost `json:"elements"`
	}
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Path: "/rest/posts", OwnLimit: true, MaxResponse: 16 << 20, Header: http.Header{"X-Restli-Method": {"FINDER"}},
		Query: url.Values{
			"q": {"author"}, "author": {p.author}, "sortBy": {"LAST_MODIFIED"}, "start": {strconv.Itoa(start)}, "count": {strconv.Itoa(count)},
		},
	}, &list)
	return list.Elements, err
}

// Find implements [platform.Finder]. It reads the page's posts back to the attempt and compares what they say; a post is
// never changed before it is made, so that the order of the list serves.
func (p pagePublisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	if len(receipt.Parts) == 0 {
		found, err := p.findPost(ctx, r, a)
		if err != nil {
			return receipt, err
		}
		if found == nil {
			return receipt, platform.ErrNotFound
		}
		receipt.Parts = append(receipt.Parts, p.remote(r, 0, found.ID))
		receipt.At = found.created()
	}
	if len(receipt.Parts) < len(r.Parts) {
		urn, err := p.findComment(ctx, receipt.Parts[0].ID, r.Parts[1].Text, a)
		if err != nil {
			return receipt, err
		}
		if urn != "" {
			receipt.Parts = append(receipt.Parts, p.remote(r, 1, urn))
		}
	}
	return receipt, nil
}

// findPost returns the post of an attempt, nil when there is none: of several, the first since the attempt began, else the
// last before it by a clock that is behind ours.
func (p pagePublisher) findPost(ctx context.Context, r *platform.Rendering, a platform.Attempt) (*wirePost, error) {
	const op = "list the page's posts"
	start := a.Since.Add(-clockTolerance)
	var before, after *wirePost
	for n := range maxPages {
		posts, err := p.page(ctx, op, n*pageSize, pageSize)
		if err != nil {
			return nil, err
		}
		for i := range posts {
			post := &posts[i]
			if post.LastModifiedAt <= 0 || post.CreatedAt <= 0 || !isPost(post.ID) {
				return nil, unusable(op, "LinkedIn lists a post without its name or its time")
			}
			if !isOurs(post, a) || !says(post, r) {
				continue
			}
			switch created := post.created(); {
			case created.Before(a.At):
				if before == nil || created.After(before.created()) {
					before = post
				}
			case after == nil || created.Before(after.created()):
				after = post
			}
		}
		if len(posts) == 0 || time.UnixMilli(posts[len(posts)-1].LastModifiedAt).Before(start) {
			return cmp.Or(after, before), nil
		}
	}
	return nil, unusable(op, "the list does not reach back to "+start.UTC().Format(time.RFC3339))
}

func (p *wirePost) created() time.Time { return time.UnixMilli(p.CreatedAt) }

// isOurs reports whether a post can belong to an attempt: by its time, and because it is no other record's.
func isOurs(post *wirePost, a platform.Attempt) bool {
	switch post.LifecycleState {
	case "", "PUBLISHED", "PUBLISH_REQUESTED": // the last while LinkedIn still processes a video
	default:
		return false
	}
	return !post.created().Before(a.Since.Add(-clockTolerance)) && !slices.Contains(a.Owned, post.ID)
}

// says reports whether a post is what a rendering makes. A wrong no makes a post go out twice, so that only what LinkedIn
// gives back as it was sent is compared: the words, the kind and number of what is shown with them, and where that leads.
func says(post *wirePost, r *platform.Rendering) bool {
	if post.Visibility != "" && !strings.EqualFold(post.Visibility, r.Visibility) || !sameWords(r.Parts[0].Text, unescape(post.Commentary)) {
		return false
	}
	reshared := ""
	if post.Reshare != nil {
		reshared = post.Reshare.Parent
	}
	if r.Quote != "" && reshared != shareOf(r.Quote) || r.Quote == "" && reshared != "" {
		return false
	}
	c := post.Content
	if c == nil {
		c = &wireContent{}
	}
	files := 0
	switch {
	case c.Media != nil:
		files = 1
	case c.MultiImage != nil:
		files = len(c.MultiImage.Images)
	}
	card := r.Parts[0].Card
	if files != len(r.Parts[0].Media) || (c.Poll != nil) != (r.Poll != nil) || card != nil && c.Article == nil {
		return false
	}
	if card != nil && c.Article.Title != "" && !sameWords(card.Title, c.Article.Title) {
		return false
	}
	return r.Poll == nil || slices.EqualFunc(r.Poll.Options, c.Poll.Options, func(want string, got pollOption) bool { return sameWords(want, got.Text) })
}

// sameWords compares texts word by word. LinkedIn shows addresses by others of its own, which stand for any.
func sameWords(want, got string) bool {
	return slices.EqualFunc(strings.Fields(want), strings.Fields(got), func(want, got string) bool {
		return want == got || strings.Contains(want, ".") && strings.HasPrefix(got, "https://lnkd.in/")
	})
}

// findComment returns the URN of the account's own comment on a post that says text, "" when there is none.
func (p pagePublisher) findComment(ctx context.Context, post, text string, a platform.Attempt) (string, error) {
	const op = "list comments"
	for n := range maxPages {
		var list struct {
			Elements []wireComment `json:"elements"`
		}
		_, err := p.api.Do(ctx, apihttp.Request{
			Op: op, Path: "/rest/socialActions/" + url.QueryEscape(post) + "/comments", OwnLimit: true, MaxResponse: 16 << 20,
			Query: url.Values{"start": {strconv.Itoa(n * pageSize)}, "count": {strconv.Itoa(pageSize)}},
		}, &list)
		if err != nil {
			return "", err
		}
		for _, c := range list.Elements {
			urn := c.URN
			if _, _, ok := splitComment(urn); !ok {
				urn = commentURN(post, c.ID)
			}
			if _, _, ok := splitComment(urn); !ok {
				return "", unusable(op, "LinkedIn lists a comment without its name")
			}
			if c.Actor == p.author && sameWords(text, c.Message.Text) && !slices.Contains(a.Owned, urn) {
				return urn, nil
			}
		}
		if len(list.Elements) == 0 {
			return "", nil
		}
	}
	return "", unusable(op, "the post has more comments than can be read")
}

// Exists implements [platform.Checker].
func (p pagePublisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "read post"
	var err error
	if post, id, ok := splitComment(part.ID); ok {
		_, err = p.api.Do(ctx, apihttp.Request{
			Op: op, Path: "/rest/socialActions/" + url.QueryEscape(post) + "/comments/" + url.QueryEscape(id), OwnLimit: true,
		}, &wireComment{})
	} else {
		_, err = p.read(ctx, op, part.ID)
	}
	if err != nil && platform.AsError(err).Status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}
