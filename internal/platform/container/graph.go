package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/graph"
	"github.com/postrider/postrider/internal/secret"
)

// Graph makes the requests about containers that Threads and Instagram take alike, but for a few names.
type Graph struct {
	Client  apihttp.Client
	Deps    platform.Deps
	Network string // as people write it: "Threads"
	// MakeEdge and PublishEdge are the account's edges at which containers are made and published: "threads", "threads_publish".
	MakeEdge, PublishEdge string
	// StatusField and WordsField are those of a container that say how far it is, and why it failed.
	StatusField, WordsField string
}

// Do carries out a request that creates nothing anybody sees, which may always be repeated.
func (g *Graph) Do(ctx context.Context, r apihttp.Request, out any) error {
	_, err := g.Client.Do(ctx, r, out)
	return graph.Settle(err, false)
}

// Inspect adds to an identity what the API tells of the account's token, which is nothing to who has no part in the app that made it. The token
// stands in the address, which this program never logs: the API takes it nowhere else.
func (g *Graph) Inspect(ctx context.Context, id *platform.Identity, needs ...platform.Need) {
	var info graph.TokenInfo
	token := g.Deps.Secrets["ACCESS_TOKEN"]
	err := g.Do(ctx, apihttp.Request{Op: "inspect token", Path: "/debug_token", Query: url.Values{"input_token": {token.Reveal()}}, OwnLimit: true}, &info)
	if err == nil && info.Data.Valid {
		info.Tell(id, needs...)
	}
}

// API returns how an account's containers are looked at and published. What they hold, and how to find what they became,
// is for the network to add: [API.Prepare] and [API.Find].
func (g *Graph) API(user string) *API {
	return &API{
		Status:  g.status,
		Gone:    Gone,
		Publish: func(ctx context.Context, id string) (platform.Remote, error) { return g.publish(ctx, user, id) },
		Wait:    g.Deps.Wait,
	}
}

// Make makes a container. Nobody sees it, and it is gone after a day, so it may be made again.
func (g *Graph) Make(ctx context.Context, op, user string, form url.Values) (string, error) {
	var made wireID
	err := g.Do(ctx, apihttp.Request{Op: op, Method: http.MethodPost, Path: edge(user, g.MakeEdge), Form: form, OwnLimit: true}, &made)
	if err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not name what was prepared"}
	}
	return made.ID, nil
}

// Children makes a container of each of several files and returns their ids as a carousel takes them, once all are ready.
// forms are the requests, one a file.
func (g *Graph) Children(ctx context.Context, user string, files []platform.Media, forms []url.Values) (string, error) {
	ids := make([]string, len(forms))
	for i, form := range forms {
		form.Set("is_carousel_item", "true")
		var err error
		if ids[i], err = g.Make(ctx, "prepare "+files[i].Path, user, form); err != nil {
			return "", err
		}
	}
	api := g.API(user)
	for i, id := range ids { // the network is at work on all of them
		if err := api.Ready(ctx, "prepare "+files[i].Path, id); err != nil {
			return "", err
		}
	}
	return strings.Join(ids, ","), nil
}

// status asks how far a container is. https://developers.facebook.com/docs/threads/troubleshooting and
// https://developers.facebook.com/docs/instagram-platform/reference/ig-container (2026-11-22)
func (g *Graph) status(ctx context.Context, id string) (Status, string, error) {
	const op = "look at what was prepared"
	var fields map[string]json.RawMessage
	err := g.Do(ctx, apihttp.Request{Op: op, Path: "/" + url.PathEscape(id), Query: url.Values{"fields": {g.StatusField + "," + g.WordsField}}}, &fields)
	if err != nil {
		return "", "", err
	}
	var status, words string
	if json.Unmarshal(fields[g.StatusField], &status) != nil || status == "" {
		return "", "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not say how far it is"}
	}
	if len(fields[g.WordsField]) > 0 && json.Unmarshal(fields[g.WordsField], &words) != nil {
		words = string(fields[g.WordsField]) // it is for people
	}
	return Status(status), secret.Scrub(words, g.Client.Secrets...), nil
}

// publish publishes a container: the one request that creates something.
func (g *Graph) publish(ctx context.Context, user, id string) (platform.Remote, error) {
	const op = "publish post"
	var made wireID
	_, err := g.Client.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: edge(user, g.PublishEdge), Form: url.Values{"creation_id": {id}}, Creates: true,
	}, &made)
	if err != nil {
		return platform.Remote{}, err
	}
	if made.ID == "" {
		return platform.Remote{}, &platform.Error{Outcome: platform.Unknown, Op: op, Message: "the answer does not name the post"}
	}
	return platform.Remote{ID: made.ID, URL: g.Permalink(ctx, made.ID)}, nil
}

// Permalink returns the address of a post, empty when that cannot be had now: it is out, with or without.
func (g *Graph) Permalink(ctx context.Context, id string) string {
	var post struct {
		Permalink string `json:"permalink"`
	}
	if err := g.Do(ctx, apihttp.Request{Op: "look up its address", Path: "/" + url.PathEscape(id), Query: url.Values{"fields": {"id,permalink"}}}, &post); err != nil {
		return ""
	}
	return post.Permalink
}

// Exists asks whether there is something under an id.
func (g *Graph) Exists(ctx context.Context, id string) (bool, error) {
	const op = "look for the post"
	if err := WantID(op, id); err != nil {
		return false, err
	}
	var found wireID
	err := g.Do(ctx, apihttp.Request{Op: op, Path: "/" + url.PathEscape(id), Query: url.Values{"fields": {"id"}}}, &found)
	switch {
	case Gone(err):
		return false, nil
	case err == nil && found.ID == "":
		err = &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer is no post"}
	}
	return err == nil, err
}

// Addresses makes the files of the parts from first on public, part by part.
func (g *Graph) Addresses(ctx context.Context, parts []platform.Part, first int) ([][]string, error) {
	files := make([][]string, len(parts))
	for i := first; i < len(parts); i++ {
		for _, m := range parts[i].Media {
			if g.Deps.PublicMedia == nil {
				return nil, &platform.Error{
					Outcome: platform.Unsent, Op: "publish " + m.Path, Message: g.Network + " fetches media from addresses, and site.yaml does not say where they are",
					Hint: "set media: {public_url: …} or media: {bucket: …} in site.yaml",
				}
			}
			address, err := g.Deps.PublicMedia(ctx, m)
			if err != nil {
				return nil, err
			}
			if u, err := url.Parse(address); err == nil && strings.Contains(u.RawQuery, "Signature") { // who has it gets the file
				g.Client.Secrets = append(g.Client.Secrets, secret.New(u.RawQuery))
			}
			files[i] = append(files[i], address)
		}
	}
	return files, nil
}

// Query is a request for the list that an edge has.
type Query struct {
	Op, Path, Fields string
	Since            time.Time // how far back it must reach; the zero time: to its end
	Filter           bool      // the edge takes `since`
	Pages            int       // at most
}

// pageSize is how much of a list is asked for at once.
const pageSize = 50

// List returns what an edge lists, newest first, back to Query.Since; at returns the time of an item, zero where that
// is not known. An error means that the list is not complete.
// https://developers.facebook.com/docs/graph-api/results (2026-11-22)
func List[T any](ctx context.Context, g *Graph, q *Query, at func(*T) time.Time) ([]T, error) {
	query := url.Values{"fields": {q.Fields}, "limit": {strconv.Itoa(pageSize)}}
	if q.Filter {
		query.Set("since", strconv.FormatInt(q.Since.Unix(), 10))
	}
	var all []T
	for range q.Pages {
		var page struct {
			Data   []T `json:"data"`
			Paging struct {
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
				Next string `json:"next"`
			} `json:"paging"`
		}
		if err := g.Do(ctx, apihttp.Request{Op: q.Op, Path: q.Path, Query: query, MaxResponse: 16 << 20}, &page); err != nil {
			return nil, err
		}
		if page.Data == nil {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: q.Op, Message: "the answer is no list"}
		}
		older := false
		for i := range page.Data {
			if t := at(&page.Data[i]); !t.IsZero() && t.Before(q.Since) {
				older = true
				continue
			}
			all = append(all, page.Data[i])
		}
		after := page.Paging.Cursors.After
		if older || page.Paging.Next == "" || after == "" || after == query.Get("after") {
			return all, nil
		}
		query.Set("after", after) // not the address itself, which holds the token
	}
	return nil, &platform.Error{
		Outcome: platform.Unsent, Op: q.Op, Message: fmt.Sprintf("the list does not reach back to %s", q.Since.UTC().Format(time.RFC3339)),
		Hint: "look for the post yourself, then tell with `postrider resolve`",
	}
}

type wireID struct {
	ID string `json:"id"`
}

// edge returns the path of an account's edge.
func edge(user, name string) string { return "/" + url.PathEscape(user) + "/" + name }

// Gone reports whether something was asked for that does not exist.
func Gone(err error) bool { return errors.Is(err, graph.Gone) }

// IsID reports whether s can be the id of a post or comment.
func IsID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "0123456789") == ""
}

// WantID refuses what is no id: a person who settles a delivery by hand may have given the address, and what the API
// does not know would pass for deleted.
func WantID(op, id string) error {
	if IsID(id) {
		return nil
	}
	return &platform.Error{
		Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the id of a post, and its address does not hold it", id),
		Hint: "delete it by hand",
	}
}
