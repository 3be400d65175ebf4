package threads

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/container"
	"github.com/postrider/postrider/internal/platform/graph"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one account.
type publisher struct {
	api  apihttp.Client
	deps platform.Deps
	self *wireProfile
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
	_ platform.Checker = (*publisher)(nil)
)

// Open implements [platform.Adapter].
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, ok := a.Options.(*Options)
	if !ok {
		return nil, &platform.Error{Outcome: platform.Unsent, Op: "open", Message: "the account has no Threads options"}
	}
	if problems := o.Validate(); len(problems) > 0 {
		p := problems[0]
		return nil, &platform.Error{Outcome: platform.Unsent, Op: "open", Message: p.Key + ": " + p.Message, Hint: p.Hint}
	}
	token := d.Secrets["ACCESS_TOKEN"]
	if token.IsZero() {
		return nil, &platform.Error{
			Outcome: platform.Denied, Op: "open", Message: "there is no access token",
			Hint: "set " + platform.EnvName(a.Name, "ACCESS_TOKEN"),
		}
	}
	return &publisher{
		deps: d,
		api: apihttp.Client{
			HTTP: d.HTTP, Base: strings.TrimSuffix(o.Server, "/") + "/" + graph.ThreadsVersion, Header: graph.Authorize(token),
			Refine: func(e *platform.Error, r *apihttp.Response) { graph.Refine(e, r.Header, r.Body) },
			Budget: d.Budget, Timeout: d.Timeout, Log: d.Log, Now: d.Now, Secrets: []secret.String{token},
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
	ID        string   `json:"id"`
	Permalink string   `json:"permalink"`
	Text      string   `json:"text"`
	Timestamp wireTime `json:"timestamp"`
	MediaType string   `json:"media_type"`
	IsQuote   bool     `json:"is_quote_post"`
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

// wireTime is a time as the APIs of Meta write it, "2026-12-01T09:00:00+0000". One that cannot be read is the zero time.
type wireTime struct{ time.Time }

// UnmarshalJSON implements [json.Unmarshaler].
func (t *wireTime) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	for _, layout := range [...]string{"2006-01-02T15:04:05-0700", time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			t.Time = at
			return nil
		}
	}
	return nil
}

// do carries out a request that creates nothing anybody sees, which may always be repeated.
func (p *publisher) do(ctx context.Context, r apihttp.Request, out any) error {
	_, err := p.api.Do(ctx, r, out)
	return graph.Settle(err, false)
}

// Verify implements [platform.Publisher].
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	p.self = nil
	self, err := p.whoami(ctx)
	if err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: self.ID, Handle: "@" + self.Username, URL: "https://www.threads.com/@" + url.PathEscape(self.Username)}
	p.inspect(ctx, &id)
	return id, nil
}

// inspect adds what the API tells of the token itself, which is nothing to who is no tester of the app that made it. The token stands in the address,
// which this program never logs: the API takes it nowhere else.
// https://developers.facebook.com/documentation/threads/troubleshooting/debug-access-token (2026-11-22)
func (p *publisher) inspect(ctx context.Context, id *platform.Identity) {
	var info graph.TokenInfo
	token := p.deps.Secrets["ACCESS_TOKEN"]
	err := p.do(ctx, apihttp.Request{Op: "inspect token", Path: "/debug_token", Query: url.Values{"input_token": {token.Reveal()}}, OwnLimit: true}, &info)
	if err != nil || !info.Data.Valid {
		return
	}
	info.Tell(id,
		platform.Need{Scope: "threads_basic", For: "anything"}, platform.Need{Scope: "threads_content_publish", For: "posting"},
		platform.Need{Scope: "threads_read_replies", For: "looking up the parts of a thread", Minor: true},
		platform.Need{Scope: "threads_delete", For: "taking posts down", Minor: true})
}

// whoami returns the account that the token belongs to.
func (p *publisher) whoami(ctx context.Context) (*wireProfile, error) {
	if p.self == nil {
		const op = "verify token"
		var self wireProfile
		if err := p.do(ctx, apihttp.Request{Op: op, Path: "/me", Query: url.Values{"fields": {"id,username"}}}, &self); err != nil {
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
	files := make([][]string, len(r.Parts))
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		for _, m := range r.Parts[i].Media {
			address, err := p.address(ctx, m)
			if err != nil {
				return receipt, err
			}
			files[i] = append(files[i], address)
		}
	}
	for i := range receipt.Parts {
		if done := &receipt.Parts[i]; done.URL == "" && isID(done.ID) {
			done.URL = p.permalink(ctx, done.ID)
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
	receipt.At = p.deps.Now()
	return receipt, nil
}

// address makes a file public.
func (p *publisher) address(ctx context.Context, m platform.Media) (string, error) {
	if p.deps.PublicMedia == nil {
		return "", &platform.Error{
			Outcome: platform.Unsent, Op: "publish " + m.Path, Message: "Threads fetches media from addresses, and site.yaml does not say where they are",
			Hint: "set media: {public_url: …} in site.yaml",
		}
	}
	return p.deps.PublicMedia(ctx, m)
}

// part returns how part i of a rendering is prepared, published and looked for. done are the parts before it.
func (p *publisher) part(user string, r *platform.Rendering, i int, a *platform.Attempt, done []platform.Remote, files []string) *container.API {
	api := &container.API{Status: p.status, Gone: gone, Wait: p.deps.Wait}
	parent := r.ReplyTo
	switch {
	case i == 0:
	case r.Parts[i].Comment:
		parent = done[0].ID
	default:
		parent = done[i-1].ID
	}
	api.Prepare = func(ctx context.Context) (string, error) {
		form, err := p.form(ctx, user, api, r, i, files)
		if err != nil {
			return "", err
		}
		if parent != "" {
			form.Set("reply_to_id", parent)
		}
		return p.prepare(ctx, "prepare post", user, form)
	}
	api.Publish = func(ctx context.Context, id string) (platform.Remote, error) { return p.publish(ctx, user, id) }
	api.Find = func(ctx context.Context) (*platform.Remote, error) { return p.look(ctx, user, r, i, parent, a, done) }
	return api
}

// form returns the request that prepares part i, but for what it answers. Of several files, each has a container of its
// own. https://developers.facebook.com/docs/threads/reference/publishing (2026-11-22)
func (p *publisher) form(ctx context.Context, user string, api *container.API, r *platform.Rendering, i int, files []string) (url.Values, error) {
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
		var children []string
		for k, address := range files {
			child := item(part.Media[k], address)
			child.Set("is_carousel_item", "true")
			id, err := p.prepare(ctx, "prepare "+part.Media[k].Path, user, child)
			if err != nil {
				return nil, err
			}
			children = append(children, id)
		}
		for k, id := range children { // the network is at work on all of them
			if err := api.Ready(ctx, "prepare "+part.Media[k].Path, id); err != nil {
				return nil, err
			}
		}
		form.Set("media_type", "CAROUSEL")
		form.Set("children", strings.Join(children, ","))
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

// prepare makes a container. Nobody sees it, and it is gone after a day, so it may be made again.
func (p *publisher) prepare(ctx context.Context, op, user string, form url.Values) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	err := p.do(ctx, apihttp.Request{Op: op, Method: http.MethodPost, Path: "/" + url.PathEscape(user) + "/threads", Form: form, OwnLimit: true}, &made)
	if err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not name what was prepared"}
	}
	return made.ID, nil
}

// status asks how far a container is. https://developers.facebook.com/docs/threads/troubleshooting (2026-11-22)
func (p *publisher) status(ctx context.Context, id string) (container.Status, string, error) {
	var c struct {
		Status  container.Status `json:"status"`
		Message string           `json:"error_message"`
	}
	err := p.do(ctx, apihttp.Request{
		Op: "look at what was prepared", Path: "/" + url.PathEscape(id), Query: url.Values{"fields": {"status,error_message"}},
	}, &c)
	if err == nil && c.Status == "" {
		err = &platform.Error{Outcome: platform.Unsent, Op: "look at what was prepared", Message: "the answer does not say how far it is"}
	}
	return c.Status, c.Message, err
}

// publish publishes a container: the one request that creates something.
func (p *publisher) publish(ctx context.Context, user, id string) (platform.Remote, error) {
	const op = "publish post"
	var made struct {
		ID string `json:"id"`
	}
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/" + url.PathEscape(user) + "/threads_publish", Form: url.Values{"creation_id": {id}}, Creates: true,
	}, &made)
	if err != nil {
		return platform.Remote{}, err
	}
	if made.ID == "" {
		return platform.Remote{}, &platform.Error{Outcome: platform.Unknown, Op: op, Message: "the answer does not name the post"}
	}
	return platform.Remote{ID: made.ID, URL: p.permalink(ctx, made.ID)}, nil
}

// permalink returns the address of a post, empty when that cannot be had now: it is out, with or without.
func (p *publisher) permalink(ctx context.Context, id string) string {
	s, err := p.post(ctx, "look up its address", id)
	if err != nil {
		return ""
	}
	return s.Permalink
}

func (p *publisher) post(ctx context.Context, op, id string) (*wirePost, error) {
	var s wirePost
	err := p.do(ctx, apihttp.Request{Op: op, Path: "/" + url.PathEscape(id), Query: url.Values{"fields": {postFields}}}, &s)
	if err == nil && s.ID == "" {
		err = &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer is no post"}
	}
	return &s, err
}

// gone reports whether something was asked for that does not exist.
func gone(err error) bool { return errors.Is(err, graph.Gone) }

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "look for the post"
	if err := wantsID(op, part.ID); err != nil {
		return false, err
	}
	if _, err := p.post(ctx, op, part.ID); gone(err) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// Delete implements [platform.Deleter]. It takes the scope threads_delete.
// https://developers.facebook.com/docs/threads/posts/delete-posts (2026-11-22)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete post"
	for _, part := range slices.Backward(old.Parts) {
		if err := wantsID(op, part.ID); err != nil {
			return err
		}
		err := p.do(ctx, apihttp.Request{Op: op, Method: http.MethodDelete, Path: "/" + url.PathEscape(part.ID), OwnLimit: true}, nil)
		if err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// wantsID refuses what is no id: a person who settles a delivery by hand may have given the address, and what the API
// does not know would pass for deleted.
func wantsID(op, id string) error {
	if isID(id) {
		return nil
	}
	return &platform.Error{
		Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the id of a post, and its address does not hold it", id),
		Hint: "delete it by hand",
	}
}
