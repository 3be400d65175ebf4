package instagram

import (
	"cmp"
	"context"
	"errors"
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
	user string // the account's number, where site.yaml has it
	self *wireProfile
}

var (
	_ platform.Finder  = (*publisher)(nil)
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
		user: o.UserID,
		Graph: container.Graph{
			Deps: d, Network: network, MakeEdge: "media", PublishEdge: "media_publish", StatusField: "status_code", WordsField: "status",
			Client: apihttp.Client{
				HTTP: d.HTTP, Base: strings.TrimSuffix(o.Server, "/") + "/" + graph.Version, Header: graph.Authorize(token),
				Refine: refine,
				Budget: d.Budget, Timeout: d.Timeout, Log: d.Log, Now: d.Now, Secrets: []secret.String{token},
			},
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
	ID        string     `json:"id"`
	Permalink string     `json:"permalink"`
	Caption   string     `json:"caption"`
	Timestamp graph.Time `json:"timestamp"`
	MediaType string     `json:"media_type"`
	Product   string     `json:"media_product_type"`
}

// postFields are the fields of wirePost.
const postFields = "id,permalink,caption,timestamp,media_type,media_product_type"

// wireComment is a comment: https://developers.facebook.com/docs/instagram-platform/reference/instagram-comment (2026-11-22).
type wireComment struct {
	ID        string     `json:"id"`
	Text      string     `json:"text"`
	Username  string     `json:"username"`
	Timestamp graph.Time `json:"timestamp"`
}

// Verify implements [platform.Publisher].
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	p.self = nil
	self, err := p.whoami(ctx)
	if err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: self.ID, Handle: "@" + self.Username, URL: "https://www.instagram.com/" + url.PathEscape(self.Username) + "/"}
	if p.user != "" { // of a token of a login with Instagram nobody is told
		p.Inspect(ctx, &id,
			platform.Need{Scope: "instagram_basic", For: "anything"}, platform.Need{Scope: "instagram_content_publish", For: "posting"},
			platform.Need{Scope: "instagram_manage_comments", For: "comments, so first comments and what follows a post's first part", Minor: true})
	}
	return id, nil
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
		if err := p.Do(ctx, apihttp.Request{Op: op, Path: path, Query: url.Values{"fields": {fields}}}, &self); err != nil {
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
	files, err := p.Addresses(ctx, r.Parts, len(receipt.Parts))
	if err != nil {
		return receipt, err
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
	if first := receipt.Parts[:min(1, len(receipt.Parts))]; len(first) > 0 && first[0].URL == "" && container.IsID(first[0].ID) {
		first[0].URL = p.Permalink(ctx, first[0].ID)
	}
	receipt.At = p.Deps.Now()
	return receipt, nil
}

// part returns how the post of a rendering is prepared, published and looked for.
func (p *publisher) part(user string, r *platform.Rendering, a *platform.Attempt, files []string) *container.API {
	api := p.API(user)
	api.Prepare = func(ctx context.Context) (string, error) {
		form, err := p.form(ctx, user, r, files)
		if err != nil {
			return "", err
		}
		return p.Make(ctx, "prepare post", user, form)
	}
	api.Find = func(ctx context.Context) (*platform.Remote, error) { return p.look(ctx, user, r, a) }
	return api
}

// form returns the request that prepares a post. Of several files, each has a container of its own.
// https://developers.facebook.com/docs/instagram-platform/content-publishing (2026-11-22)
func (p *publisher) form(ctx context.Context, user string, r *platform.Rendering, files []string) (url.Values, error) {
	part, kind := &r.Parts[0], r.Settings[settingType]
	if len(files) == 0 {
		return nil, &platform.Error{Outcome: platform.Rejected, Op: "prepare post", Message: "Instagram has no posts of text alone"}
	}
	var form url.Values
	if kind != typeAlbum {
		form = item(part.Media[0], files[0], kind)
	} else {
		forms := make([]url.Values, len(files))
		for k, address := range files {
			forms[k] = item(part.Media[k], address, "")
		}
		children, err := p.Children(ctx, user, part.Media, forms)
		if err != nil {
			return nil, err
		}
		form = url.Values{"media_type": {typeAlbum}, "children": {children}}
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

// comment comments on the post: a creating request without anything that is prepared.
// https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-media/comments (2026-11-22)
func (p *publisher) comment(ctx context.Context, post *platform.Remote, text string) (platform.Remote, error) {
	const op = "comment on the post"
	var made struct {
		ID string `json:"id"`
	}
	_, err := p.Client.Do(ctx, apihttp.Request{
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

// Exists implements [platform.Checker].
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	return p.Graph.Exists(ctx, part.ID)
}
