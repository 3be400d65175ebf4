package instagram

import (
	"cmp"
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
	user string // the account's number, where site.yaml has it
	self *wireProfile
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Checker = (*publisher)(nil)
)

// Open implements [platform.Adapter].
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, ok := a.Options.(*Options)
	if !ok {
		return nil, &platform.Error{Outcome: platform.Unsent, Op: "open", Message: "the account has no Instagram options"}
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
		deps: d, user: o.UserID,
		api: apihttp.Client{
			HTTP: d.HTTP, Base: strings.TrimSuffix(o.Server, "/") + "/" + graph.Version, Header: graph.Authorize(token),
			Refine: refine,
			Budget: d.Budget, Timeout: d.Timeout, Log: d.Log, Now: d.Now, Secrets: []secret.String{token},
		},
	}, nil
}

// refine gives errors the meaning of their codes. A container that is not ready, or a fault that is over in a moment, has
// published nothing.
// https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes (2026-11-22)
func refine(e *platform.Error, r *apihttp.Response) {
	graph.Refine(e, r.Header, r.Body)
	if errors.Is(e.Err, graph.Code{Code: 9007}) {
		e.Outcome = platform.Unsent
	}
}

// wireProfile is the account: https://developers.facebook.com/docs/instagram-platform/reference/me (2026-11-22). With a
// token of a login with Instagram, the number that the API wants is user_id.
type wireProfile struct {
	ID       string `json:"id"`
	UserID   string `json:"user_id"`
	Username string `json:"username"`
}

// wirePost is a post: https://developers.facebook.com/docs/instagram-platform/reference/instagram-media (2026-11-22).
type wirePost struct {
	ID        string   `json:"id"`
	Permalink string   `json:"permalink"`
	Caption   string   `json:"caption"`
	Timestamp wireTime `json:"timestamp"`
	MediaType string   `json:"media_type"`
	Product   string   `json:"media_product_type"`
}

// postFields are the fields of wirePost.
const postFields = "id,permalink,caption,timestamp,media_type,media_product_type"

// wireComment is a comment: https://developers.facebook.com/docs/instagram-platform/reference/instagram-comment (2026-11-22).
type wireComment struct {
	ID        string   `json:"id"`
	Text      string   `json:"text"`
	Username  string   `json:"username"`
	Timestamp wireTime `json:"timestamp"`
}

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
	id := platform.Identity{ID: self.ID, Handle: "@" + self.Username, URL: "https://www.instagram.com/" + url.PathEscape(self.Username) + "/"}
	if p.user != "" {
		p.inspect(ctx, &id)
	}
	return id, nil
}

// inspect adds what the API tells of a token of a login with Facebook, which is nothing to who has no part in the app that made it; of one of a login
// with Instagram it tells nobody. The token stands in the address, which this program never logs: the API takes it nowhere else.
// https://developers.facebook.com/docs/graph-api/reference/debug_token (2026-11-22)
func (p *publisher) inspect(ctx context.Context, id *platform.Identity) {
	var info graph.TokenInfo
	token := p.deps.Secrets["ACCESS_TOKEN"]
	err := p.do(ctx, apihttp.Request{Op: "inspect token", Path: "/debug_token", Query: url.Values{"input_token": {token.Reveal()}}, OwnLimit: true}, &info)
	if err != nil || !info.Data.Valid {
		return
	}
	info.Tell(id,
		platform.Need{Scope: "instagram_basic", For: "anything"}, platform.Need{Scope: "instagram_content_publish", For: "posting"},
		platform.Need{Scope: "instagram_manage_comments", For: "comments, so first comments and what follows a post's first part", Minor: true})
}

// whoami returns the account that the token belongs to.
func (p *publisher) whoami(ctx context.Context) (*wireProfile, error) {
	if p.self == nil {
		const op = "verify token"
		var self wireProfile
		path, fields := "/me", "user_id,username"
		if p.user != "" {
			path, fields = "/"+url.PathEscape(p.user), "id,username"
		}
		if err := p.do(ctx, apihttp.Request{Op: op, Path: path, Query: url.Values{"fields": {fields}}}, &self); err != nil {
			return nil, err
		}
		self.ID = cmp.Or(self.UserID, self.ID)
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
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		var remote platform.Remote
		var err error
		if i == 0 {
			remote, err = p.part(self.ID, r, &a, files[0]).Send(ctx, 0, &a)
		} else {
			remote, err = p.comment(ctx, &receipt.Parts[0], r.Parts[i].Text)
		}
		if err != nil {
			return receipt, err
		}
		remote.Part = i
		receipt.Parts = append(receipt.Parts, remote)
	}
	if first := receipt.Parts[:min(1, len(receipt.Parts))]; len(first) > 0 && first[0].URL == "" && isID(first[0].ID) {
		first[0].URL = p.permalink(ctx, first[0].ID)
	}
	receipt.At = p.deps.Now()
	return receipt, nil
}

// address makes a file public.
func (p *publisher) address(ctx context.Context, m platform.Media) (string, error) {
	if p.deps.PublicMedia == nil {
		return "", &platform.Error{
			Outcome: platform.Unsent, Op: "publish " + m.Path, Message: "Instagram fetches media from addresses, and site.yaml does not say where they are",
			Hint: "set media: {public_url: …} in site.yaml",
		}
	}
	return p.deps.PublicMedia(ctx, m)
}

// part returns how the post of a rendering is prepared, published and looked for.
func (p *publisher) part(user string, r *platform.Rendering, a *platform.Attempt, files []string) *container.API {
	api := &container.API{Status: p.status, Gone: gone, Wait: p.deps.Wait}
	api.Prepare = func(ctx context.Context) (string, error) {
		form, err := p.form(ctx, user, api, r, files)
		if err != nil {
			return "", err
		}
		return p.prepare(ctx, "prepare post", user, form)
	}
	api.Publish = func(ctx context.Context, id string) (platform.Remote, error) { return p.publish(ctx, user, id) }
	api.Find = func(ctx context.Context) (*platform.Remote, error) { return p.look(ctx, user, r, a) }
	return api
}

// form returns the request that prepares a post. Of several files, each has a container of its own.
// https://developers.facebook.com/docs/instagram-platform/content-publishing (2026-11-22)
func (p *publisher) form(ctx context.Context, user string, api *container.API, r *platform.Rendering, files []string) (url.Values, error) {
	part, kind := &r.Parts[0], r.Settings[settingType]
	if len(files) == 0 {
		return nil, &platform.Error{Outcome: platform.Rejected, Op: "prepare post", Message: "Instagram has no posts of text alone"}
	}
	var form url.Values
	if kind != typeAlbum {
		form = item(part.Media[0], files[0], kind)
	} else {
		var children []string
		for k, address := range files {
			child := item(part.Media[k], address, "")
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
		form = url.Values{"media_type": {typeAlbum}, "children": {strings.Join(children, ",")}}
	}
	if part.Text != "" {
		form.Set("caption", part.Text)
	}
	return form, nil
}

// item returns the request that prepares one file.
func item(m platform.Media, address, kind string) url.Values {
	form := url.Values{}
	switch {
	case kind != "":
		form.Set("media_type", kind)
	case isVideo(m): // in a carousel
		form.Set("media_type", "VIDEO")
	}
	if isVideo(m) {
		form.Set("video_url", address)
		return form
	}
	form.Set("image_url", address)
	if m.Alt != "" && kind != typeStory {
		form.Set("alt_text", m.Alt)
	}
	return form
}

// prepare makes a container. Nobody sees it, and it is gone after a day, so it may be made again.
func (p *publisher) prepare(ctx context.Context, op, user string, form url.Values) (string, error) {
	var made struct {
		ID string `json:"id"`
	}
	err := p.do(ctx, apihttp.Request{Op: op, Method: http.MethodPost, Path: "/" + url.PathEscape(user) + "/media", Form: form, OwnLimit: true}, &made)
	if err != nil {
		return "", err
	}
	if made.ID == "" {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not name what was prepared"}
	}
	return made.ID, nil
}

// status asks how far a container is.
// https://developers.facebook.com/docs/instagram-platform/reference/ig-container (2026-11-22)
func (p *publisher) status(ctx context.Context, id string) (container.Status, string, error) {
	var c struct {
		Status  container.Status `json:"status_code"`
		Message string           `json:"status"`
	}
	err := p.do(ctx, apihttp.Request{
		Op: "look at what was prepared", Path: "/" + url.PathEscape(id), Query: url.Values{"fields": {"status_code,status"}},
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
		Op: op, Method: http.MethodPost, Path: "/" + url.PathEscape(user) + "/media_publish", Form: url.Values{"creation_id": {id}}, Creates: true,
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

// comment comments on the post: a creating request without anything that is prepared.
// https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments (2026-11-22)
func (p *publisher) comment(ctx context.Context, post *platform.Remote, text string) (platform.Remote, error) {
	const op = "comment on the post"
	var made struct {
		ID string `json:"id"`
	}
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/" + url.PathEscape(post.ID) + "/comments", Form: url.Values{"message": {text}}, Creates: true,
	}, &made)
	if err != nil {
		return platform.Remote{}, err
	}
	if made.ID == "" {
		return platform.Remote{}, &platform.Error{Outcome: platform.Unknown, Op: op, Message: "the answer does not name the comment"}
	}
	return platform.Remote{ID: made.ID, URL: commentURL(post.URL, made.ID)}, nil
}

// commentURL returns the address of a comment, which is one below that of its post.
func commentURL(post, id string) string {
	if post == "" {
		return ""
	}
	return strings.TrimSuffix(post, "/") + "/c/" + id + "/"
}

// isID reports whether s can be the id of a post or comment.
func isID(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "0123456789") == ""
}

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "look for the post"
	if !isID(part.ID) {
		return false, &platform.Error{Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the id of a post, and its address does not hold it", part.ID)}
	}
	var s struct {
		ID string `json:"id"`
	}
	err := p.do(ctx, apihttp.Request{Op: op, Path: "/" + url.PathEscape(part.ID), Query: url.Values{"fields": {"id"}}}, &s)
	if gone(err) {
		return false, nil
	}
	return err == nil, err
}
