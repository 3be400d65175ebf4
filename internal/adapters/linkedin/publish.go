package linkedin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one account. That of a page is a [pagePublisher].
type publisher struct {
	api     apihttp.Client
	deps    platform.Deps
	options *Options
	author  string // a URN; "" until the network has told whose token it is
}

// pagePublisher sends to an organisation's page, whose posts can be read.
type pagePublisher struct{ *publisher }

var (
	_ platform.Editor  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
	_ platform.Finder  = pagePublisher{}
	_ platform.Checker = pagePublisher{}
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
	p := &publisher{deps: d, options: o, author: o.author()}
	p.api = apihttp.Client{
		HTTP: d.HTTP, Base: o.Server, Budget: d.Budget, Timeout: d.Timeout, Log: d.Log, Now: d.Now,
		Refine:  p.refine,
		Secrets: []secret.String{token, d.Secrets["CLIENT_SECRET"]},
		Header: func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token.Reveal())
			if strings.HasPrefix(r.URL.Path, "/rest/") {
				r.Header.Set("LinkedIn-Version", o.Version)
				r.Header.Set("X-Restli-Protocol-Version", "2.0.0")
			}
		},
	}
	if o.isPage() {
		return pagePublisher{p}, nil
	}
	return p, nil
}

// web is the site on which people see posts. A server that is not LinkedIn's shows them itself.
func (p *publisher) web() string {
	if strings.TrimSuffix(p.options.Server, "/") == DefaultServer {
		return "https://www.linkedin.com"
	}
	return strings.TrimSuffix(p.options.Server, "/")
}

// Verify implements [platform.Publisher].
// https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2 (2026-11-22)
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	sub, name, err := p.whoami(ctx)
	if err != nil {
		return platform.Identity{}, err
	}
	if configured := p.options.author(); configured != "" && configured != sub {
		return platform.Identity{}, &platform.Error{
			Outcome: platform.Denied, Op: "verify token", Message: fmt.Sprintf("the token is that of %s (%s), and author is %s", name, sub, configured),
			Hint: "make a token as the member who is to post, or mend `author:`",
		}
	}
	if err := p.options.tooOld(p.deps.Now()); err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: sub, Handle: name}
	return id, p.inspect(ctx, &id,
		platform.Need{Scope: "w_member_social", For: "posting"},
		platform.Need{Scope: "w_member_social_feed", For: "first comments", Minor: true})
}

// inspect adds what LinkedIn tells the app that made the token of it, where site.yaml and the environment say which that is.
// https://learn.microsoft.com/en-us/linkedin/shared/authentication/token-introspection (2026-11-22)
func (p *publisher) inspect(ctx context.Context, id *platform.Identity, needs ...platform.Need) error {
	const op = "inspect token"
	app := p.deps.Secrets["CLIENT_SECRET"]
	if app.IsZero() || p.options.ClientID == "" {
		return nil
	}
	var info struct {
		Active  bool   `json:"active"`
		Status  string `json:"status"`
		Expires int64  `json:"expires_at"`
		Scope   string `json:"scope"` // the scopes with commas between them
	}
	token := p.deps.Secrets["ACCESS_TOKEN"]
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: p.web() + "/oauth/v2/introspectToken", OwnLimit: true,
		Form: url.Values{"client_id": {p.options.ClientID}, "client_secret": {app.Reveal()}, "token": {token.Reveal()}},
	}, &info)
	if err != nil {
		if e := platform.AsError(err); e.Outcome == platform.Denied || e.Outcome == platform.Rejected {
			e.Outcome, e.Hint = platform.Denied, "are `client_id` and the client secret those of the app that made the token?"
		}
		return err
	}
	if !info.Active {
		return &platform.Error{Outcome: platform.Denied, Op: op, Message: "the token is " + cmp.Or(info.Status, "not active"), Hint: "make a new one and set it again"}
	}
	if info.Expires > 0 {
		id.Expires = time.Unix(info.Expires, 0).UTC()
	}
	if id.Scopes = strings.FieldsFunc(info.Scope, func(r rune) bool { return r == ',' || r == ' ' }); len(id.Scopes) > 0 {
		slices.Sort(id.Scopes)
		id.Lacks = platform.Lacking(id.Scopes, needs...)
	}
	return nil
}

// whoami asks whose token it is.
func (p *publisher) whoami(ctx context.Context) (urn, name string, err error) {
	var who struct {
		Sub  string `json:"sub"`
		Name string `json:"name"`
	}
	if _, err := p.api.Do(ctx, apihttp.Request{Op: "verify token", Path: "/v2/userinfo", OwnLimit: true}, &who); err != nil {
		if e := platform.AsError(err); e.Status == http.StatusForbidden {
			e.Hint = "the token needs the scopes openid and profile: add the product Sign In with LinkedIn using OpenID Connect to the app"
		}
		return "", "", err
	}
	urn = "urn:li:person:" + who.Sub
	if !isURN(urn, "person") {
		return "", "", &platform.Error{Outcome: platform.Unsent, Op: "verify token", Message: "LinkedIn does not say whose token it is"}
	}
	return urn, cmp.Or(who.Name, urn), nil
}

// know makes sure that the author is known.
func (p *publisher) know(ctx context.Context) (err error) {
	if p.author == "" {
		p.author, _, err = p.whoami(ctx)
	}
	return err
}

// Publish implements [platform.Publisher]. Everything is uploaded before the post is made.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	return p.publish(ctx, r, a, p.duplicateUnread)
}

// onDuplicate decides whether the live post that a second try is refused for is what the first one has left, and when that
// was. An error means that it is not, or that this is not known.
type onDuplicate func(ctx context.Context, r *platform.Rendering, a platform.Attempt, urn string, refusal *platform.Error) (time.Time, error)

func (p *publisher) publish(ctx context.Context, r *platform.Rendering, a platform.Attempt, duplicate onDuplicate) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done), At: p.deps.Now()}
	if len(receipt.Parts) == len(r.Parts) {
		return receipt, nil
	}
	for i := range r.Parts {
		if i > 0 && !r.Parts[i].Comment {
			return receipt, &platform.Error{Outcome: platform.Rejected, Op: "create post", Message: "LinkedIn has no threads"}
		}
	}
	if err := p.know(ctx); err != nil {
		return receipt, err
	}
	if len(receipt.Parts) == 0 {
		content, err := p.content(ctx, r)
		if err != nil {
			return receipt, err
		}
		urn, refusal := p.create(ctx, body(r, p.author, content))
		switch {
		case refusal == nil:
		case urn == "":
			return receipt, refusal
		case a.N == 1: // of this delivery nothing has been sent before
			return receipt, repetition(refusal, urn)
		default:
			if receipt.At, err = duplicate(ctx, r, a, urn, refusal); err != nil {
				return receipt, err
			}
		}
		receipt.Parts = append(receipt.Parts, p.remote(r, 0, urn))
	}
	for i := len(receipt.Parts); i < len(r.Parts); i++ {
		urn, err := p.comment(ctx, receipt.Parts[0].ID, r.Parts[i].Text)
		if err != nil {
			return receipt, err
		}
		receipt.Parts = append(receipt.Parts, p.remote(r, i, urn))
	}
	return receipt, nil
}

// remote returns part i as it exists under a URN.
func (p *publisher) remote(r *platform.Rendering, i int, urn string) platform.Remote {
	address := p.web() + "/feed/update/" + urn
	if post, _, ok := splitComment(urn); ok {
		address = p.web() + "/feed/update/" + post + "?commentUrn=" + url.QueryEscape(urn)
	}
	return platform.Remote{ID: urn, URL: address, Part: i, Version: version(r, i)}
}

const opCreate = "create post"

// create makes a post and returns its URN, which stands in a header. With an error, the URN is that of the live post of
// the same content that LinkedIn names as its reason, if it does.
func (p *publisher) create(ctx context.Context, b *wirePost) (urn string, refusal *platform.Error) {
	resp, err := p.api.Do(ctx, apihttp.Request{Op: opCreate, Method: http.MethodPost, Path: "/rest/posts", JSON: b, Creates: true}, nil)
	if err == nil {
		if urn = resp.Header.Get("X-Restli-Id"); !isPost(urn) {
			return "", &platform.Error{Outcome: platform.Unknown, Op: opCreate, Status: resp.Status, Message: "LinkedIn's answer does not name the post"}
		}
		return urn, nil
	}
	e := platform.AsError(err)
	switch e.Status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		if f := failureOf(resp.Body); f.isDuplicate() {
			return f.namedPost(), e
		}
	case http.StatusConflict: // "try again", says the documentation, and not whether the first one went through
		e.Outcome = platform.Unknown
	}
	return "", e
}

// duplicateUnread is for members, whose posts no self-serve token may read: a person has to look.
func (p *publisher) duplicateUnread(_ context.Context, _ *platform.Rendering, _ platform.Attempt, urn string, refusal *platform.Error) (time.Time, error) {
	e := *refusal
	e.Outcome = platform.Unknown
	e.Message = fmt.Sprintf("LinkedIn refuses it as a repetition of %s, which may be this very post from an earlier try: %s", urn, refusal.Message)
	e.Hint = fmt.Sprintf("look at %s/feed/update/%s: if it is this post, record it with `postrider resolve`; otherwise change the text", p.web(), urn)
	return time.Time{}, &e
}

// repetition is the error for content that is live already, in a post that is not this delivery's.
func repetition(refusal *platform.Error, urn string) error {
	e := *refusal
	e.Outcome = platform.Rejected
	e.Message = fmt.Sprintf("LinkedIn has the same content already, as %s: %s", urn, refusal.Message)
	return &e
}

// comment makes a comment on a post and returns its URN. https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/comments-api (2026-11-22)
func (p *publisher) comment(ctx context.Context, post, text string) (string, error) {
	const op = "create first comment"
	resp, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/rest/socialActions/" + url.QueryEscape(post) + "/comments", Creates: true, OwnLimit: true,
		JSON: wireComment{Actor: p.author, Object: post, Message: wireMessage{Text: text}},
	}, nil)
	if err != nil {
		e := platform.AsError(err)
		switch e.Status {
		case http.StatusForbidden:
			e.Hint = "the token may post but not comment: it needs w_member_social_feed, or w_organization_social_feed for a page; or take `first_comment:` away for LinkedIn"
		case http.StatusConflict:
			e.Outcome = platform.Unknown
		}
		return "", e
	}
	var made wireComment
	_ = json.Unmarshal(resp.Body, &made) // the header tells, too
	if _, _, ok := splitComment(made.URN); ok {
		return made.URN, nil
	}
	if id := cmp.Or(made.ID, resp.Header.Get("X-Restli-Id")); isID(id) {
		return commentURN(post, id), nil
	}
	return "", &platform.Error{Outcome: platform.Unknown, Op: op, Status: resp.Status, Message: "LinkedIn's answer does not name the comment"}
}

const opEdit = "edit post"

// Edit implements [platform.Editor]. Only words can be edited; whatever cannot is found before the first change.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api (2026-11-22)
func (p *publisher) Edit(ctx context.Context, old platform.Receipt, r *platform.Rendering) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(old.Parts), At: old.At}
	if len(old.Parts) != len(r.Parts) {
		return receipt, cannotEdit("the post had %d parts and now has %d", len(old.Parts), len(r.Parts))
	}
	for i, part := range old.Parts {
		_, had, known := strings.Cut(part.Version, ".")
		_, has, _ := strings.Cut(version(r, i), ".")
		_, _, isComment := splitComment(part.ID)
		switch {
		case !isPost(part.ID) && !isComment:
			return receipt, cannotEdit("%q is not a post on LinkedIn", part.ID)
		case !known:
			return receipt, cannotEdit("it was not sent by this program, so that what belongs to it beside its words is not known")
		case had != has:
			return receipt, cannotEdit("only its words can be edited, and its media, card, poll, quote or visibility has changed")
		}
	}
	for i, part := range old.Parts {
		now := version(r, i)
		if part.Version == now {
			continue
		}
		path, query := "/rest/posts/"+url.QueryEscape(part.ID), url.Values(nil)
		patch := map[string]any{"$set": map[string]string{"commentary": escape(r.Parts[i].Text, r.Parts[i].Facets)}}
		if post, id, ok := splitComment(part.ID); ok {
			if err := p.know(ctx); err != nil {
				return receipt, err
			}
			path, query = "/rest/socialActions/"+url.QueryEscape(post)+"/comments/"+url.QueryEscape(id), url.Values{"actor": {p.author}}
			patch = map[string]any{"message": map[string]any{"$set": wireMessage{Text: r.Parts[i].Text}}}
		}
		_, err := p.api.Do(ctx, apihttp.Request{
			Op: opEdit, Method: http.MethodPost, Path: path, Query: query, OwnLimit: true,
			Header: http.Header{"X-Restli-Method": {"PARTIAL_UPDATE"}}, JSON: map[string]any{"patch": patch},
		}, nil)
		if err != nil {
			return receipt, err
		}
		receipt.Parts[i].Version, receipt.At = now, p.deps.Now()
	}
	return receipt, nil
}

func cannotEdit(format string, args ...any) error {
	return platform.CannotEdit(opEdit, format, args...)
}

// Delete implements [platform.Deleter]. A post takes its comments along.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api (2026-11-22)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete post"
	for _, part := range slices.Backward(old.Parts) {
		if _, _, ok := splitComment(part.ID); ok {
			continue
		}
		if !isPost(part.ID) {
			return &platform.Error{Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not a post on LinkedIn", part.ID)}
		}
		_, err := p.api.Do(ctx, apihttp.Request{
			Op: op, Method: http.MethodDelete, Path: "/rest/posts/" + url.QueryEscape(part.ID), OwnLimit: true,
			Header: http.Header{"X-Restli-Method": {"DELETE"}},
		}, nil)
		if err != nil && platform.AsError(err).Status != http.StatusNotFound {
			return err
		}
	}
	return nil
}

// failure is how LinkedIn says no. https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling (2026-11-22)
type failure struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Details struct {
		Inputs []struct {
			Code        string `json:"code"`
			Description string `json:"description"`
		} `json:"inputErrors"`
	} `json:"errorDetails"`
}

// failureOf reads what there is to read: each field may be missing or of another type.
func failureOf(answer []byte) failure {
	var f failure
	_ = json.Unmarshal(answer, &f) // what could be read counts
	return f
}

func (f *failure) has(code string) bool {
	if f.Code == code {
		return true
	}
	for _, in := range f.Details.Inputs {
		if in.Code == code {
			return true
		}
	}
	return false
}

// isDuplicate reports whether the content is refused because it is live already.
func (f *failure) isDuplicate() bool {
	return f.has("DUPLICATE_POST") || strings.Contains(f.Message, "duplicate of urn:li:")
}

// namedPost returns the URN of the post that the words name, "" when they name none.
func (f *failure) namedPost() string {
	for _, words := range f.words() {
		for _, kind := range [2]string{"urn:li:share:", "urn:li:ugcPost:"} {
			if i := strings.Index(words, kind); i >= 0 {
				rest := words[i+len(kind):]
				id := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
				if id != "" {
					return kind + id
				}
			}
		}
	}
	return ""
}

func (f *failure) words() []string {
	all := []string{f.Message}
	for _, in := range f.Details.Inputs {
		all = append(all, in.Description)
	}
	return all
}

// refine classifies by LinkedIn's own codes, and says what can be done.
func (p *publisher) refine(e *platform.Error, resp *apihttp.Response) {
	f := failureOf(resp.Body)
	if words := slices.DeleteFunc(f.words(), func(s string) bool { return s == "" }); len(words) > 0 {
		e.Message = strings.Join(slices.Compact(words), ": ")
	}
	switch {
	case resp.Status == http.StatusUpgradeRequired, f.has("NONEXISTENT_VERSION"), f.has("VERSION_MISSING"):
		e.Outcome = platform.Denied
		e.Hint = "LinkedIn serves each version of its API for about a year: set `version:` of the account to one of the last months"
	case resp.Status == http.StatusUnauthorized:
		e.Hint = "the token is wrong, revoked or expired (LinkedIn's live for 60 days): make a new one, set it again, and mend `token_expires:`"
	case resp.Status == http.StatusForbidden:
		e.Hint = "the token needs w_member_social, or for a page w_organization_social and r_organization_social and a role on the page"
	case resp.Status == http.StatusTooManyRequests && e.RetryAfter == 0:
		// Limits are for a day that begins at midnight UTC, and no header tells of them.
		// https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/rate-limits (2026-11-22)
		now := p.deps.Now()
		e.RetryAfter = now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
	case f.isDuplicate():
		e.Hint = "LinkedIn takes the same words only once for a while: change the text"
	case f.has("FIELD_LENGTH_TOO_LONG"):
		e.Hint = "shorten the text"
	}
}
