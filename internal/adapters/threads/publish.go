package threads

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/container"
	"github.com/postrider/postrider/internal/platform/graph"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one account.
type publisher struct {
	container.Graph
	self *wireProfile
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
	_ platform.Checker = (*publisher)(nil)
)

// Open implements [platform.Adapter].
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[Options](a)
	if err != nil {
		return nil, err
	}
	token, err := d.Secret(a, "ACCESS_TOKEN", "access token")
	if err != nil {
		return nil, err
	}
	return &publisher{
		Graph: container.Graph{
			Deps: d, Network: network, MakeEdge: "threads", PublishEdge: "threads_publish", StatusField: "status", WordsField: "error_message",
			Client: apihttp.Client{
				HTTP: d.HTTP, Base: strings.TrimSuffix(o.Server, "/") + "/" + graph.ThreadsVersion, Header: graph.Authorize(token),
				Refine: func(e *platform.Error, r *apihttp.Response) { graph.Refine(e, r.Header, r.Body) },
				Budget: d.Budget, Timeout: d.Timeout, Log: d.Log, Now: d.Now, Secrets: []secret.String{token},
			},
		},
	}, nil
}

// wireProfile is the account: https://developers.facebook.com/docs/threads/threads-profiles (2026-11-22).
type wireProfile struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}

// wirePost is a post: https://developers.facebook.com/docs/threads/threads-media (2026-11-22).
type wirePost struct {
	ID        string     `json:"id"`
	Permalink string     `json:"permalink"`
	Text      string     `json:"text"`
	Timestamp graph.Time `json:"timestamp"`
	MediaType string     `json:"media_type"`
	IsQuote   bool       `json:"is_quote_post"`
	RepliedTo *struct {
		ID string `json:"id"`
	} `json:"replied_to"`
	Poll *struct {
		A string `json:"option_a"`
		B string `json:"option_b"`
	} `json:"poll_attachment"`
	Children *struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	} `json:"children"`
}

// postFields are the fields of wirePost.
const postFields = "id,permalink,text,timestamp,media_type,is_quote_post,replied_to,poll_attachment,children"

// Verify implements [platform.Publisher].
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	p.self = nil
	self, err := p.whoami(ctx)
	if err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: self.ID, Handle: "@" + self.Username, URL: "https://www.threads.com/@" + url.PathEscape(self.Username)}
	p.Inspect(ctx, &id,
		platform.Need{Scope: "threads_basic", For: "anything"}, platform.Need{Scope: "threads_content_publish", For: "posting"},
		platform.Need{Scope: "threads_read_replies", For: "looking up the parts of a thread", Minor: true},
		platform.Need{Scope: "threads_delete", For: "taking posts down", Minor: true})
	return id, nil
}

// whoami returns the account that the token belongs to.
func (p *publisher) whoami(ctx context.Context) (*wireProfile, error) {
	if p.self == nil {
		const op = "verify token"
		var self wireProfile
		if err := p.Do(ctx, apihttp.Request{Op: op, Path: "/me", Query: url.Values{"fields": {"id,username"}}}, &self); err != nil {
			return nil, err
		}
		if self.ID == "" {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not say whose token it is"}
		}
		p.self = &self
	}
	return p.self, nil
}

// Publish implements [platform.Publisher]. The addresses of all media are got before the first part goes out, so that a
// file that is out of reach does not leave half a thread behind.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	self, err := p.whoami(ctx)
	if err != nil {
		return receipt, err
	}
	files, err := p.Addresses(ctx, r.Parts, len(receipt.Parts))
	if err != nil {
		return receipt, err
	}
	for i := range receipt.Parts {
		if done := &receipt.Parts[i]; done.URL == "" && container.IsID(done.ID) {
			done.URL = p.Permalink(ctx, done.ID)
		}
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		api := p.part(self.ID, r, i, &a, receipt.Parts, files[i])
		remote, err := api.Send(ctx, i, &a)
		if err != nil {
			return receipt, err
		}
		remote.Part = i
		receipt.Parts = append(receipt.Parts, remote)
	}
	receipt.At = p.Deps.Now()
	return receipt, nil
}

// part returns how part i of a rendering is prepared, published and looked for. done are the parts before it.
func (p *publisher) part(user string, r *platform.Rendering, i int, a *platform.Attempt, done []platform.Remote, files []string) *container.API {
	api := p.API(user)
	parent := r.ReplyTo
	switch {
	case i == 0:
	case r.Parts[i].Comment:
		parent = done[0].ID
	default:
		parent = done[i-1].ID
	}
	api.Prepare = func(ctx context.Context) (string, error) {
		form, err := p.form(ctx, user, r, i, files)
		if err != nil {
			return "", err
		}
		if parent != "" {
			form.Set("reply_to_id", parent)
		}
		return p.Make(ctx, "prepare post", user, form)
	}
	api.Find = func(ctx context.Context) (*platform.Remote, error) { return p.look(ctx, user, r, i, parent, a, done) }
	return api
}

// form returns the request that prepares part i, but for what it answers. Of several files, each has a container of its
// own. https://developers.facebook.com/docs/threads/reference/publishing (2026-11-22)
func (p *publisher) form(ctx context.Context, user string, r *platform.Rendering, i int, files []string) (url.Values, error) {
	part := &r.Parts[i]
	form := url.Values{}
	switch len(files) {
	case 0:
		form.Set("media_type", "TEXT")
		if part.Card != nil {
			form.Set("link_attachment", part.Card.URL)
		}
	case 1:
		form = item(part.Media[0], files[0])
	default:
		forms := make([]url.Values, len(files))
		for k, address := range files {
			forms[k] = item(part.Media[k], address)
		}
		children, err := p.Children(ctx, user, part.Media, forms)
		if err != nil {
			return nil, err
		}
		form.Set("media_type", "CAROUSEL")
		form.Set("children", children)
	}
	if part.Text != "" {
		form.Set("text", part.Text)
	}
	if r.Sensitive && len(files) > 0 {
		form.Set("is_spoiler_media", "true")
	}
	if control := r.Settings[settingReplyControl]; control != "" {
		form.Set("reply_control", control)
	}
	if i > 0 {
		return form, nil
	}
	if topic := r.Settings[settingTopic]; topic != "" {
		form.Set("topic_tag", topic)
	}
	if r.Quote != "" {
		form.Set("quote_post_id", r.Quote)
	}
	if r.Poll != nil {
		form.Set("poll_attachment", pollOf(r.Poll))
	}
	return form, nil
}

// item returns the request that prepares one file.
func item(m platform.Media, address string) url.Values {
	form := url.Values{"media_type": {"IMAGE"}, "image_url": {address}}
	if strings.HasPrefix(m.MIME, "video/") {
		form = url.Values{"media_type": {"VIDEO"}, "video_url": {address}}
	}
	if m.Alt != "" {
		form.Set("alt_text", m.Alt)
	}
	return form
}

// pollOf returns a poll as the API takes it: {"option_a": "Red", "option_b": "Blue"}.
// https://developers.facebook.com/docs/threads/create-posts/polls (2026-11-22)
func pollOf(poll *platform.Poll) string {
	options := map[string]string{}
	for i, option := range poll.Options[:min(len(poll.Options), maxOptions)] {
		options["option_"+string(rune('a'+i))] = option
	}
	encoded, err := apihttp.EncodeJSON(options)
	if err != nil {
		panic("threads: words always marshal: " + err.Error())
	}
	return string(encoded)
}

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	return p.Graph.Exists(ctx, part.ID)
}

// Delete implements [platform.Deleter]. It takes the scope threads_delete.
// https://developers.facebook.com/docs/threads/posts/delete-posts (2026-11-22)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete post"
	for _, part := range slices.Backward(old.Parts) {
		if err := container.WantID(op, part.ID); err != nil {
			return err
		}
		err := p.Do(ctx, apihttp.Request{Op: op, Method: http.MethodDelete, Path: "/" + url.PathEscape(part.ID), OwnLimit: true}, nil)
		if err != nil && !container.Gone(err) {
			return err
		}
	}
	return nil
}
