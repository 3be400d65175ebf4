package x

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	// clockTolerance is how far X's clock may be behind ours.
	clockTolerance = 5 * time.Minute
	pageSize       = 100 // the most that X gives
	maxPages       = 32  // it lists 3,200 posts and no more
)

// Find implements [platform.Finder]. It reads the account's own posts back to the attempt and compares what they say, since X
// knows of no keys.
func (p *publisher) Find(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	list, err := p.since(ctx, a)
	if err != nil {
		return receipt, err
	}
	made := make([]string, len(receipt.Parts))
	for i, part := range receipt.Parts {
		made[i] = postID(part.ID)
	}
	for _, id := range list.thread(r, made, a.Owned)[len(made):] {
		receipt.Parts = append(receipt.Parts, p.remote(len(receipt.Parts), id))
		receipt.At = madeAt(id)
	}
	if len(receipt.Parts) == 0 {
		return receipt, platform.ErrNotFound
	}
	return receipt, nil
}

// timeline is what an account has posted, the likeliest first: from the attempt on, oldest first, then what was before it, newest first.
type timeline struct {
	posts []wirePost
	alt   map[string]*string // of media, by key
}

// thread returns the ids of the parts of r that exist, the first of which are made. None of the others is owned. Of several threads
// that begin alike it is the most complete one.
func (l *timeline) thread(r *platform.Rendering, made, owned []string) []string {
	best, i := made, len(made)
	if i == len(r.Parts) {
		return best
	}
	parent := postID(r.ReplyTo)
	if i > 0 {
		parent = made[answers(r, i)]
	}
	for k := range l.posts {
		if len(best) == len(r.Parts) {
			break
		}
		t := &l.posts[k]
		if t.refers("replied_to") != parent || slices.Contains(made, t.ID) || slices.Contains(owned, t.ID) || !l.says(t, r, i) {
			continue
		}
		if longer := l.thread(r, append(made[:i:i], t.ID), owned); len(longer) > len(best) {
			best = longer
		}
	}
	return best
}

// says reports whether a post is what part i of r makes. A wrong no makes a post go out twice, so what X is known to change is forgiven.
func (l *timeline) says(t *wirePost, r *platform.Rendering, i int) bool {
	part := &r.Parts[i]
	if len(t.Attachments.Media) != len(part.Media) || (len(t.Attachments.Polls) > 0) != (i == 0 && r.Poll != nil) {
		return false
	}
	for k, key := range t.Attachments.Media {
		if got := l.alt[key]; got != nil && strings.HasPrefix(part.Media[k].MIME, "image/") && letters(*got) != letters(part.Media[k].Alt) {
			return false
		}
	}
	quote := ""
	if i == 0 && r.Quote != "" {
		if quote = postID(r.Quote); t.refers("quoted") != quote {
			return false
		}
	}
	text, urls := t.whole()
	return normal(text, urls, quote) == normal(part.Text, nil, quote)
}

// since returns what the account itself has posted since a.Since or, by a clock that is behind ours, shortly before. An error means
// that the list is not complete. https://docs.x.com/x-api/users/get-posts (2026-08-22)
func (p *publisher) since(ctx context.Context, a platform.Attempt) (*timeline, error) {
	const op = "list own posts"
	self, err := p.whoami(ctx)
	if err != nil {
		return nil, err
	}
	start := a.Since.Add(-clockTolerance).UTC()
	query := url.Values{
		"max_results":  {fmt.Sprint(pageSize)},
		"exclude":      {"retweets"},
		"tweet.fields": {"attachments,created_at,entities,note_tweet,referenced_tweets"},
		"expansions":   {"attachments.media_keys"},
		"media.fields": {"alt_text"},
	}
	if earliest := time.Date(2010, 11, 6, 0, 0, 1, 0, time.UTC); start.After(earliest) { // before, X takes no time
		query.Set("start_time", start.Format("2006-01-02T15:04:05Z"))
	}
	list := &timeline{alt: map[string]*string{}}
	var before []wirePost
	for range maxPages {
		var page struct {
			Data     []wirePost `json:"data"`
			Includes struct {
				Media []wireMedia `json:"media"`
			} `json:"includes"`
			Meta struct {
				Count *int   `json:"result_count"`
				Next  string `json:"next_token"`
			} `json:"meta"`
			problem
		}
		_, err := p.api.Do(ctx, apihttp.Request{
			Op: op, Path: "/2/users/" + self.ID + "/tweets", Query: query, MaxResponse: 16 << 20, OwnLimit: true,
		}, &page)
		if err != nil {
			return nil, err
		}
		if page.Meta.Count == nil || *page.Meta.Count != len(page.Data) {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: strings.TrimSpace("the list is not complete. " + page.words())}
		}
		for _, m := range page.Includes.Media {
			list.alt[m.Key] = m.Alt
		}
		for _, t := range page.Data {
			switch {
			case !isNumber(t.ID) || t.CreatedAt.IsZero(): // without what was asked for, nothing can be compared
				return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the list lacks what was asked for of each post"}
			case t.CreatedAt.Before(start):
			case t.CreatedAt.Before(a.At.Truncate(time.Second)):
				before = append(before, t)
			default:
				list.posts = append(list.posts, t)
			}
		}
		if page.Meta.Next == "" {
			if len(list.posts)+len(before) >= maxPages*pageSize {
				break
			}
			slices.Reverse(list.posts)
			list.posts = append(list.posts, before...)
			return list, nil
		}
		query.Set("pagination_token", page.Meta.Next)
	}
	return nil, &platform.Error{
		Outcome: platform.Unsent, Op: op, Message: "the list does not reach back to " + start.Format(time.RFC3339),
		Hint: "look for the post yourself, then tell with `postrider resolve`",
	}
}

// normal returns a text in a form in which that which X shows and that which it was sent are the same: with addresses as they were
// written instead of those of t.co, without those that X adds for media and for the quoted post, and without what X may change in one:
// the scheme, capitals, escapes, a last slash. White space does not count.
func normal(text string, urls []wireURL, quote string) string {
	text = unescape(text) // X writes &, < and > as HTML does
	for _, u := range urls {
		if u.URL == "" || u.Expanded == "" {
			continue
		}
		expanded := u.Expanded
		if u.MediaKey != "" || ofMedia(expanded) {
			expanded = ""
		}
		text = strings.ReplaceAll(text, u.URL, expanded)
	}
	var out strings.Builder
	for _, word := range strings.Fields(text) {
		if quote != "" && strings.Contains(word, "://") && postID(word) == quote {
			continue
		}
		word = strings.ReplaceAll(strings.ReplaceAll(word, "https://", ""), "http://", "")
		if plain, err := url.PathUnescape(word); err == nil {
			word = plain
		}
		out.WriteString(strings.ReplaceAll(word, "/", ""))
	}
	return strings.ToLower(norm.NFC.String(out.String()))
}

// unescape resolves HTML's entities until there are none left: of a text that was written with some, nobody can tell how often.
func unescape(text string) string {
	for range 3 {
		text = html.UnescapeString(text)
	}
	return text
}

// ofMedia reports whether an address is the one by which X shows a post's own media.
func ofMedia(s string) bool {
	s, kind, found := cutLast(s, "/photo/")
	if !found {
		s, kind, found = cutLast(s, "/video/")
	}
	return found && isNumber(kind) && postID(s) != ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// letters returns a text as it is compared where only its words matter.
func letters(text string) string {
	return strings.Join(strings.Fields(norm.NFC.String(unescape(text))), "")
}
