package mastodon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one account. What it learns of the server it keeps: neither changes while it lives.
type publisher struct {
	api      apihttp.Client
	deps     platform.Deps
	software string // as site.yaml has it

	server *wireInstance
	self   *wireAccount
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Editor  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
)

// limits are a server's rate limits as its answers tell them. Those to a post tell of the tightest of the token's 300
// requests in five minutes and the account's 300 posts in three hours on Mastodon, of the address's 300 requests in
// five minutes on GoToSocial. https://docs.joinmastodon.org/api/rate-limits/, https://github.com/mastodon/mastodon,
// config/initializers/rack_attack.rb and app/lib/rate_limiter.rb, and
// https://docs.gotosocial.org/en/latest/api/ratelimiting/, whose reset is a Unix time (2026-11-21).
var limits = apihttp.LimitStyle{Reset: "X-RateLimit-Reset", Format: apihttp.ISO8601OrUnix, Remaining: "X-RateLimit-Remaining"}

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
		deps: d, software: o.Software,
		api: apihttp.Client{
			HTTP:    d.HTTP,
			Base:    o.Server,
			Header:  func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token.Reveal()) },
			Refine:  refine,
			Limits:  limits,
			Budget:  d.Budget,
			Timeout: d.Timeout,
			Log:     d.Log,
			Now:     d.Now,
			Secrets: []secret.String{token},
		},
	}, nil
}

// Verify implements [platform.Publisher]. A token does not expire: https://docs.joinmastodon.org/entities/Token/ (2026-11-21).
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	p.self = nil // whether the token is good is asked each time
	self, err := p.whoami(ctx)
	if err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: self.ID, Handle: "@" + self.Acct + "@" + p.host(), URL: self.URL}
	p.inspect(ctx, &id)
	server, err := p.instance(ctx)
	if gone(err) {
		return id, nil // it speaks the API but does not say what it is
	}
	if err != nil {
		return platform.Identity{}, err
	}
	if server.Domain != "" { // the account's may be another than the server's
		id.Handle = "@" + self.Acct + "@" + server.Domain
	}
	id.Software, id.Limits = server.software(), server.limits()
	return id, nil
}

// inspect adds what the token's application may do, where the server tells (Mastodon since 4.3). A token of it may do no more, and one
// that was made under Preferences → Development just that.
// https://docs.joinmastodon.org/methods/apps/#verify_credentials (2026-11-22)
func (p *publisher) inspect(ctx context.Context, id *platform.Identity) {
	var app struct {
		Scopes []string `json:"scopes"`
	}
	if _, err := p.api.Do(ctx, apihttp.Request{Op: "inspect token", Path: "/api/v1/apps/verify_credentials"}, &app); err != nil || len(app.Scopes) == 0 {
		return
	}
	id.Scopes = slices.Clone(app.Scopes)
	slices.Sort(id.Scopes)
	for _, n := range []platform.Need{
		{Scope: "write:statuses", For: "posting"}, {Scope: "write:media", For: "pictures and videos"},
		{Scope: "read:statuses", For: "looking up what went out"},
	} {
		if whole, _, _ := strings.Cut(n.Scope, ":"); !slices.Contains(id.Scopes, whole) {
			id.Lacks = append(id.Lacks, platform.Lacking(id.Scopes, n)...)
		}
	}
}

// whoami returns the account that the token belongs to.
// https://docs.joinmastodon.org/methods/accounts/#verify_credentials (2026-11-21)
func (p *publisher) whoami(ctx context.Context) (*wireAccount, error) {
	if p.self == nil {
		var a wireAccount
		if _, err := p.api.Do(ctx, apihttp.Request{Op: "verify token", Path: "/api/v1/accounts/verify_credentials"}, &a); err != nil {
			if e := platform.AsError(err); e.Outcome == platform.Rejected { // 422 to a token without an account, 404 where there is no such API
				e.Outcome = platform.Denied
				e.Hint = "is the server's address right, and is the token one of an account, not of an application only?"
			}
			return nil, err
		}
		if a.ID == "" {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: "verify token", Message: "the server does not say whose token it is"}
		}
		p.self = &a
	}
	return p.self, nil
}

// instance returns what the server says of itself, with the older form of the answer for older servers.
// https://docs.joinmastodon.org/methods/instance/ (2026-11-21)
func (p *publisher) instance(ctx context.Context) (*wireInstance, error) {
	if p.server == nil {
		var i wireInstance
		_, err := p.api.Do(ctx, apihttp.Request{Op: "read instance", Path: "/api/v2/instance"}, &i)
		if statusOf(err) == http.StatusNotFound {
			_, err = p.api.Do(ctx, apihttp.Request{Op: "read instance", Path: "/api/v1/instance"}, &i)
		}
		if err != nil {
			return nil, err
		}
		p.server = &i
	}
	return p.server, nil
}

// software returns what the server runs as the option `software` spells it, "" when that is neither.
//
// Most imitators put "(compatible; Name 1.2)" behind the version of Mastodon that they resemble.
// GoToSocial has versions of its own, below 1, and can be told to give Mastodon's.
func (i *wireInstance) software() string {
	source := strings.ToLower(i.SourceURL)
	if strings.Contains(source, SoftwareGoToSocial) || strings.Contains(strings.ToLower(i.Version), SoftwareGoToSocial) {
		return SoftwareGoToSocial
	}
	major, _, _ := strings.Cut(i.Version, ".")
	n, err := strconv.Atoi(major)
	if err != nil || n < 1 || strings.Contains(i.Version, "(") || source != "" && !strings.Contains(source, SoftwareMastodon) {
		return ""
	}
	return SoftwareMastodon
}

// limits returns the limits that the server states, under the names of [Adapter.Info]; of Mastodon
// those that differ from it.
func (i *wireInstance) limits() []platform.Limit {
	c := i.Configuration
	if c.Statuses.Characters == 0 {
		c.Statuses.Characters = i.MaxTootChars
	}
	var defaults []platform.Limit
	if i.software() == SoftwareMastodon {
		defaults = Adapter{}.Info().Limits
	}
	textUnit := measure.Graphemes
	if i.software() == SoftwareGoToSocial {
		textUnit = measure.CodePoints
		c.Statuses.URL = 0 // it states a number, but counts addresses as they are
	}
	var limits []platform.Limit
	add := func(name string, n int, unit measure.Unit) {
		usual := slices.ContainsFunc(defaults, func(l platform.Limit) bool { return l.Name == name && l.Max == n && l.Unit == unit })
		if n > 0 && !usual {
			limits = append(limits, platform.Limit{Name: name, Max: n, Unit: unit, Doc: docsInstance, Note: "as the server itself says"})
		}
	}
	add("text", c.Statuses.Characters, textUnit)
	add("url", c.Statuses.URL, textUnit)
	add("images", c.Statuses.Media, "images")
	add("image_bytes", c.Media.ImageBytes, measure.Bytes)
	add("image_pixels", c.Media.ImagePixels, "pixels")
	add("video_bytes", c.Media.VideoBytes, measure.Bytes)
	add("video_pixels", c.Media.VideoPixels, "pixels")
	add("alt_text", c.Media.AltText, measure.CodePoints)
	add("poll_options", c.Polls.Options, "options")
	add("poll_option", c.Polls.Option, measure.Graphemes)
	add("poll_duration", c.Polls.MaxExpiry, "seconds")
	return limits
}

// Publish implements [platform.Publisher]. All media are uploaded before the first part goes out, so
// that a picture that the server refuses does not leave half a thread behind.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	if a.N > 1 {
		found, err := p.recall(ctx, r, a)
		if err != nil {
			return receipt, err
		}
		receipt = found
	}
	first := len(receipt.Parts)
	bodies, err := p.prepare(ctx, r, first)
	if err != nil {
		return receipt, err
	}
	for i, b := range bodies {
		part := first + i
		if part > 0 {
			b.ReplyTo = receipt.Parts[part-1].ID
		}
		status, err := p.create(ctx, &b, a.Key+"-"+strconv.Itoa(part))
		if err != nil {
			return receipt, err
		}
		receipt.Parts = append(receipt.Parts, status.remote(part, r.Parts[part].Media))
		receipt.At = status.CreatedAt
	}
	return receipt, nil
}

// recall looks, before a second try, for what an earlier one has left on a server that does not
// honour idempotency keys, and returns a.Done for one that does. GoToSocial 0.19.2 takes the header
// and posts again; Mastodon answers with the status that it has, for an hour:
// https://docs.joinmastodon.org/methods/statuses/#headers (2026-11-21).
func (p *publisher) recall(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	server, err := p.instance(ctx)
	if statusOf(err) == http.StatusNotFound && p.software == SoftwareMastodon {
		return receipt, nil // it does not say what it is: site.yaml does
	}
	if err == nil {
		if server.software() == SoftwareMastodon {
			return receipt, nil
		}
		var found platform.Receipt
		if found, err = p.Find(ctx, r, a); err == nil {
			return found, nil
		}
	}
	if errors.Is(err, platform.ErrNotFound) {
		return receipt, nil
	}
	// This try sent nothing, but what became of the one before is still open.
	e := *platform.AsError(err)
	e.Outcome = platform.Unknown
	return receipt, &e
}

// prepare uploads the media of all parts from first on and returns the parts' requests.
func (p *publisher) prepare(ctx context.Context, r *platform.Rendering, first int) ([]newStatus, error) {
	var bodies []newStatus
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
	for i := first; i < len(r.Parts); i++ {
		b := body(r, i)
		if i == 0 {
			var err error
			if b.ReplyTo, b.Quote, err = p.references(ctx, r); err != nil {
				return nil, err
			}
		}
		for j, m := range r.Parts[i].Media {
			id, err := p.upload(ctx, m, files[i][j])
			if err != nil {
				return nil, err
			}
			b.MediaIDs = append(b.MediaIDs, id)
			files[i][j] = nil // it may be large
		}
		bodies = append(bodies, b)
	}
	return bodies, nil
}

// create makes one status. https://docs.joinmastodon.org/methods/statuses/#create (2026-11-21)
func (p *publisher) create(ctx context.Context, b *newStatus, key string) (*wireStatus, error) {
	var s wireStatus
	_, err := p.api.Do(ctx, apihttp.Request{
		Op:      "create post",
		Method:  http.MethodPost,
		Path:    "/api/v1/statuses",
		Header:  http.Header{"Idempotency-Key": {key}},
		JSON:    b,
		Creates: true,
	}, &s)
	if err != nil {
		e := platform.AsError(err)
		if e.Outcome == platform.Rejected && len(b.MediaIDs) > 0 && strings.Contains(e.Message, "processing") {
			// "Cannot attach files that have not finished processing. Try again in a moment!"
			e.Outcome = platform.Unsent
		}
		return nil, e
	}
	if s.ID == "" {
		return nil, &platform.Error{Outcome: platform.Unknown, Op: "create post", Message: "the server's answer does not name the post"}
	}
	return &s, nil
}

// references returns the server's ids of the statuses that a rendering answers and quotes.
func (p *publisher) references(ctx context.Context, r *platform.Rendering) (replyTo, quote string, err error) {
	if r.ReplyTo != "" {
		if replyTo, err = p.resolve(ctx, "look up reply_to", r.ReplyTo); err != nil {
			return "", "", err
		}
	}
	if r.Quote != "" {
		server, err := p.instance(ctx)
		if err != nil {
			return "", "", err
		}
		if server.APIVersions.Mastodon < quoteVersion { // it would post without the quote
			return "", "", &platform.Error{
				Outcome: platform.Rejected, Op: "look up quote", Message: "the server cannot quote posts",
				Hint: "quotes need Mastodon 4.5; put the address into the text instead",
			}
		}
		if quote, err = p.resolve(ctx, "look up quote", r.Quote); err != nil {
			return "", "", err
		}
	}
	return replyTo, quote, nil
}

// resolve returns the server's own id of a post, given that or the address of a post anywhere in the
// fediverse. https://docs.joinmastodon.org/methods/search/ (2026-11-21)
func (p *publisher) resolve(ctx context.Context, op, ref string) (string, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return "", &platform.Error{Outcome: platform.Rejected, Op: op, Err: err}
	}
	if u.Host == "" || strings.EqualFold(u.Host, p.host()) {
		// GoToSocial does not find its own posts by address, but their addresses end in their ids.
		if id := path.Base(u.Path); id != "/" && id != "." {
			s, err := p.status(ctx, op, id)
			if err == nil && s.ID != "" {
				return s.ID, nil
			}
			if err != nil && !gone(err) {
				return "", err
			}
		}
	}
	if u.Host != "" {
		var found struct {
			Statuses []wireStatus `json:"statuses"`
		}
		_, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: "/api/v2/search", Query: url.Values{
			"q": {ref}, "type": {"statuses"}, "resolve": {"true"}, "limit": {"1"},
		}}, &found)
		if err != nil {
			return "", err
		}
		if len(found.Statuses) > 0 && found.Statuses[0].ID != "" {
			return found.Statuses[0].ID, nil
		}
	}
	return "", &platform.Error{
		Outcome: platform.Unsent, Op: op, Message: fmt.Sprintf("the server does not know %q", ref),
		Hint: "it must be a post that this account can see; its server may be down for now",
	}
}

// status reads one status. https://docs.joinmastodon.org/methods/statuses/#get (2026-11-21)
func (p *publisher) status(ctx context.Context, op, id string) (*wireStatus, error) {
	var s wireStatus
	_, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: "/api/v1/statuses/" + url.PathEscape(id)}, &s)
	return &s, err
}

// host returns the server's name, with its port if it has one.
func (p *publisher) host() string {
	u, err := url.Parse(p.api.Base)
	if err != nil {
		return p.api.Base // Open has parsed it
	}
	return u.Host
}

// statusOf returns the HTTP status of an error, 0 when it has none.
func statusOf(err error) int {
	if e, ok := errors.AsType[*platform.Error](err); ok {
		return e.Status
	}
	return 0
}

// gone reports whether a status was asked for that is not there.
func gone(err error) bool {
	return statusOf(err) == http.StatusNotFound || statusOf(err) == http.StatusGone
}
