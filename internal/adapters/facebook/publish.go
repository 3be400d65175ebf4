package facebook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/graph"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one page.
type publisher struct {
	api     apihttp.Client
	deps    platform.Deps
	options Options
	token   secret.String
	secret  secret.String // of the app; may be absent
	proof   string        // that who sends the token knows the app's secret; "" without one

	self *wirePage // whose token it is, once asked
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Editor  = (*publisher)(nil)
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
	p := &publisher{deps: d, options: *o, token: token, secret: d.Secrets["APP_SECRET"]}
	secrets := []secret.String{p.token}
	if !p.secret.IsZero() {
		p.proof = graph.Proof(p.token, p.secret)
		secrets = append(secrets, p.secret, secret.New(p.proof))
	}
	p.api = apihttp.Client{
		HTTP: d.HTTP, Base: o.Server + "/" + graph.Version, Header: graph.Authorize(p.token), Refine: refine,
		Budget: d.Budget, Timeout: d.Timeout, Log: d.Log, Now: d.Now, Secrets: secrets,
	}
	return p, nil
}

// refine reads the Graph API's errors, and says which scopes a page needs.
func refine(e *platform.Error, r *apihttp.Response) {
	graph.Refine(e, r.Header, r.Body)
	if e.Outcome == platform.Denied && (errors.Is(e, graph.Code{Code: 10}) || errors.Is(e, graph.Code{Code: 200})) {
		e.Hint = "the token must be one of the page, with pages_manage_posts, pages_manage_engagement and pages_read_engagement, made by somebody who may create content there"
	}
}

// do makes one request of the page, signed where there is a secret to sign with.
func (p *publisher) do(ctx context.Context, r apihttp.Request, out any) (*apihttp.Response, error) {
	if p.proof != "" {
		query := url.Values{"appsecret_proof": {p.proof}}
		for key, values := range r.Query {
			query[key] = values
		}
		r.Query = query
	}
	resp, err := p.api.Do(ctx, r, out)
	return resp, graph.Settle(err, r.Creates)
}

// Verify implements [platform.Publisher].
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	p.self = nil // whether the token is good is asked each time
	self, err := p.whoami(ctx, "verify token")
	if err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: self.ID, Handle: self.Name, URL: cmp.Or(self.Link, p.web()+"/"+self.ID)}
	if !p.secret.IsZero() && p.options.AppID != "" {
		if err := p.inspect(ctx, &id); err != nil {
			return platform.Identity{}, err
		}
	}
	return id, nil
}

// whoami returns whose token it is, and an error where that is not the account's page.
// https://developers.facebook.com/docs/graph-api/reference/page (2026-11-22)
func (p *publisher) whoami(ctx context.Context, op string) (*wirePage, error) {
	if p.self != nil {
		return p.self, nil
	}
	var page wirePage
	if _, err := p.do(ctx, apihttp.Request{Op: op, Path: "/me", Query: url.Values{"fields": {"id,name,link"}}}, &page); err != nil {
		return nil, err
	}
	if page.ID == "" {
		return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the network does not say whose token it is"}
	}
	if page.ID != p.options.Page {
		return nil, &platform.Error{
			Outcome: platform.Denied, Op: op,
			Message: fmt.Sprintf("the token is one of %q (%s), not of the page %s", page.Name, page.ID, p.options.Page),
			Hint:    "use the page's own access_token from /me/accounts, not that of the person who runs it; and is `page:` the right number?",
		}
	}
	p.self = &page
	return p.self, nil
}

// needs are the scopes that the page's token should have.
func needs() []platform.Need {
	return []platform.Need{
		{Scope: "pages_manage_posts", For: "posting"},
		{Scope: "pages_read_engagement", For: "looking up what went out"},
		{Scope: "pages_manage_engagement", For: "comments, so first comments and what follows a post's first part", Minor: true},
	}
}

// inspect adds what the app that made the token is told of it, and returns an error where it is no longer valid. The token
// stands in the address, which this program never logs: the API takes it nowhere else.
// https://developers.facebook.com/docs/graph-api/reference/debug_token (2026-11-22)
func (p *publisher) inspect(ctx context.Context, id *platform.Identity) error {
	const op = "inspect token"
	var info graph.TokenInfo
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Path: "/debug_token", Query: url.Values{"input_token": {p.token.Reveal()}},
		Header: http.Header{"Authorization": {"Bearer " + p.options.AppID + "|" + p.secret.Reveal()}},
	}, &info)
	if err = graph.Settle(err, false); err != nil {
		if e, ok := errors.AsType[*platform.Error](err); ok && e.Outcome == platform.Denied {
			e.Hint = "are `app_id` and the app secret those of the app that made the token?"
		}
		return err
	}
	if !info.Data.Valid {
		return &platform.Error{Outcome: platform.Denied, Op: op, Message: "the token is no longer valid", Hint: "make a new one and set it again"}
	}
	info.Tell(id, needs()...)
	return nil
}

// Publish implements [platform.Publisher]. All files are uploaded, unpublished, before the first part goes out, so that one that is
// refused does not leave half a post behind.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	first := len(receipt.Parts)
	if first >= len(r.Parts) {
		return receipt, nil
	}
	files, err := p.uploads(ctx, r, first)
	if err != nil {
		return receipt, err
	}
	for i := first; i < len(r.Parts); i++ {
		part := &r.Parts[i]
		var id string
		var at time.Time
		switch {
		case i > 0:
			id, at, err = p.comment(ctx, receipt.Parts[0].ID, part, files[i].photos)
		case isVideo(part):
			id, at, err = p.postVideo(ctx, part, files[i].video)
		default:
			id, at, err = p.post(ctx, part, files[i].photos, a.N)
		}
		if err != nil {
			return receipt, err
		}
		receipt.Parts = append(receipt.Parts, platform.Remote{ID: id, URL: p.address(id, receipt.Parts), Part: i, Version: version(part)})
		receipt.At = at
	}
	return receipt, nil
}

// uploaded are the files of a part, as the network knows them.
type uploaded struct {
	photos []string
	video  session
}

// uploads uploads the files of all parts from first on.
func (p *publisher) uploads(ctx context.Context, r *platform.Rendering, first int) ([]uploaded, error) {
	files := make([][][]byte, len(r.Parts))
	for i := first; i < len(r.Parts); i++ {
		for _, m := range r.Parts[i].Media {
			data, err := apihttp.ReadMedia(p.deps.Media, m)
			if err != nil {
				return nil, err
			}
			files[i] = append(files[i], data)
		}
	}
	all := make([]uploaded, len(r.Parts))
	for i := first; i < len(r.Parts); i++ {
		for k, m := range r.Parts[i].Media {
			var err error
			if i == 0 && isVideo(&r.Parts[i]) {
				all[i].video, err = p.uploadVideo(ctx, m, files[i][k])
			} else {
				var id string
				id, err = p.upload(ctx, m, files[i][k])
				all[i].photos = append(all[i].photos, id)
			}
			if err != nil {
				return nil, err
			}
			files[i][k] = nil // it may be large
		}
	}
	return all, nil
}

// upload uploads one photo, which nobody sees until a post has it.
// https://developers.facebook.com/docs/graph-api/reference/page/photos (2026-11-22)
func (p *publisher) upload(ctx context.Context, m platform.Media, data []byte) (string, error) {
	op := "upload " + m.Path
	fields := []apihttp.Field{{Name: "published", Value: "false"}}
	if m.Alt != "" {
		fields = append(fields, apihttp.Field{Name: "alt_text_custom", Value: m.Alt})
	}
	body, contentType, err := apihttp.Multipart(fields, "source", m, data)
	if err != nil {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
	}
	var photo wireID
	if _, err := p.do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/" + p.options.Page + "/photos", Body: body, ContentType: contentType, OwnLimit: true,
	}, &photo); err != nil {
		return "", err
	}
	if photo.ID == "" {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not name the photo"}
	}
	return photo.ID, nil
}

// post makes the post. https://developers.facebook.com/documentation/pages-api/posts (2026-11-22)
func (p *publisher) post(ctx context.Context, part *platform.Part, photos []string, try int) (string, time.Time, error) {
	form := url.Values{}
	if part.Text != "" {
		form.Set("message", part.Text)
	}
	if part.Card != nil {
		form.Set("link", part.Card.URL)
	}
	for i, id := range photos {
		photo, err := apihttp.EncodeJSON(map[string]string{"media_fbid": id})
		if err != nil {
			return "", time.Time{}, &platform.Error{Outcome: platform.Unsent, Op: "create post", Err: err}
		}
		form.Set("attached_media["+strconv.Itoa(i)+"]", string(photo))
	}
	id, at, err := p.create(ctx, "create post", "/"+p.options.Page+"/feed", form)
	if e, ok := errors.AsType[*platform.Error](err); ok && errors.Is(err, duplicate) && try > 1 {
		// The page's last post says the same: it may be what an earlier try has sent, and the look-up has missed.
		e.Outcome = platform.Unknown
	}
	return id, at, err
}

// duplicate is the refusal of a post that says what the page's last one says.
var duplicate = graph.Code{Code: 506}

// comment makes a comment of the page on its post.
// https://developers.facebook.com/docs/graph-api/reference/object/comments (2026-11-22)
func (p *publisher) comment(ctx context.Context, post string, part *platform.Part, photos []string) (string, time.Time, error) {
	const op = "create comment"
	on, err := p.objectID(op, post)
	if err != nil {
		return "", time.Time{}, err
	}
	form := url.Values{}
	if part.Text != "" {
		form.Set("message", part.Text)
	}
	if len(photos) > 0 {
		form.Set("attachment_id", photos[0])
	}
	return p.create(ctx, op, "/"+on+"/comments", form)
}

// create makes a creating request and returns the id of what it has made.
func (p *publisher) create(ctx context.Context, op, path string, form url.Values) (string, time.Time, error) {
	var made wireID
	resp, err := p.do(ctx, apihttp.Request{Op: op, Method: http.MethodPost, Path: path, Form: form, Creates: true}, &made)
	if err != nil {
		return "", time.Time{}, err
	}
	if made.ID == "" {
		return "", time.Time{}, &platform.Error{Outcome: platform.Unknown, Op: op, Message: "the answer does not name what was created"}
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		at = p.deps.Now()
	}
	return made.ID, at, nil
}

// web is where people see posts.
func (p *publisher) web() string {
	if p.options.Server == server {
		return "https://www.facebook.com"
	}
	return strings.TrimSuffix(p.options.Server, "/")
}

// address returns where people see what has an id, a comment where there are parts before it. https://developers.facebook.com/documentation/pages-api/posts
// (2026-11-22)
func (p *publisher) address(id string, before []platform.Remote) string {
	if len(before) == 0 {
		return p.web() + "/" + url.PathEscape(id)
	}
	post := cmp.Or(before[0].URL, p.web()+"/"+url.PathEscape(before[0].ID))
	return post + "?comment_id=" + url.QueryEscape(id[strings.LastIndexByte(id, '_')+1:])
}
