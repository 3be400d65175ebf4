package x

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one account.
type publisher struct {
	api    apihttp.Client
	deps   platform.Deps
	web    string // where people see posts
	handle string // as site.yaml has it

	self *wireUser // whose tokens these are, once that is known
	// access is what they may do: "read", "read-write" or "read-write-directmessages"; "" where X does not tell.
	access string
}

var (
	_ platform.Finder  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
	_ platform.Checker = (*publisher)(nil)
)

// limits are X's rate limits as its answers tell them: https://docs.x.com/x-api/fundamentals/rate-limits (2026-08-22).
var limits = apihttp.LimitStyle{Reset: "X-Rate-Limit-Reset", Format: apihttp.Unix, Remaining: "X-Rate-Limit-Remaining"}

// The names of the secrets, as [Adapter.Info] explains them.
const (
	secretKey         = "API_KEY"
	secretKeySecret   = "API_SECRET"
	secretToken       = "ACCESS_TOKEN"
	secretTokenSecret = "ACCESS_TOKEN_SECRET"
	secretOAuth2      = "OAUTH2_TOKEN"
)

// Open implements [platform.Adapter]. The four secrets of OAuth 1.0a go before an OAuth 2.0 token, since they do not expire.
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[Options](a)
	if err != nil {
		return nil, err
	}
	authorize, used, err := credentials(a, &d)
	if err != nil {
		return nil, err
	}
	p := &publisher{deps: d, web: o.web(), handle: o.Handle}
	p.api = apihttp.Client{
		HTTP: d.HTTP, Base: o.Server, Header: authorize, Refine: p.refine, Limits: limits, Budget: d.Budget,
		Timeout: d.Timeout, Log: d.Log, Now: d.Now, Secrets: used,
	}
	return p, nil
}

// credentials returns what puts an account's credentials into a request, and which secrets those are.
func credentials(a *platform.Account, d *platform.Deps) (func(*http.Request), []secret.String, error) {
	names := [...]string{secretKey, secretKeySecret, secretToken, secretTokenSecret}
	var missing []string
	for _, name := range names {
		if d.Secrets[name].IsZero() {
			missing = append(missing, platform.EnvName(a.Name, name))
		}
	}
	if len(missing) == 0 {
		access := &oauth1{
			key: d.Secrets[secretKey], keySecret: d.Secrets[secretKeySecret],
			token: d.Secrets[secretToken], tokenSecret: d.Secrets[secretTokenSecret],
		}
		now := d.Now
		return func(r *http.Request) { access.authorize(r, now()) },
			[]secret.String{access.key, access.keySecret, access.token, access.tokenSecret}, nil
	}
	if bearer := d.Secrets[secretOAuth2]; !bearer.IsZero() {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+bearer.Reveal()) }, []secret.String{bearer}, nil
	}
	hint := "set " + strings.Join(missing, ", ")
	if len(missing) == len(names) {
		hint += "; or " + platform.EnvName(a.Name, secretOAuth2) + " alone"
	}
	return nil, nil, &platform.Error{Outcome: platform.Denied, Op: "open", Message: "there are no tokens", Hint: hint}
}

// wireUser is an account: https://docs.x.com/x-api/users/get-my-user (2026-08-22).
type wireUser struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}

// Verify implements [platform.Publisher]. When an OAuth 2.0 token dies is known only to who has made it. What tokens of OAuth 1.0a may do stands in a
// header of every answer, which the documentation does not mention: https://github.com/xdevplatform/open-evolution/issues/21 (2026-11-22).
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	p.self = nil // whether the tokens are good is asked each time
	self, err := p.whoami(ctx)
	if err != nil {
		return platform.Identity{}, err
	}
	id := platform.Identity{ID: self.ID, Handle: "@" + self.Username, URL: p.web + "/" + self.Username}
	if p.access != "" {
		id.Scopes = []string{p.access}
	}
	if p.access == "read" {
		id.Lacks = []platform.Need{{Scope: "read-write", For: "posting"}}
	}
	return id, nil
}

func (p *publisher) whoami(ctx context.Context) (*wireUser, error) {
	const op = "verify tokens"
	if p.self == nil {
		var answer struct {
			Data wireUser `json:"data"`
		}
		resp, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: "/2/users/me", OwnLimit: true}, &answer)
		if err != nil {
			return nil, err
		}
		p.access = resp.Header.Get("X-Access-Level")
		if !isNumber(answer.Data.ID) {
			return nil, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "X does not say whose tokens these are"}
		}
		p.self = &answer.Data
	}
	return p.self, nil
}

// Publish implements [platform.Publisher]. All media are uploaded before the first part goes out, so that a picture that X
// refuses does not leave half a thread behind.
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done)}
	first := len(receipt.Parts)
	bodies, err := p.prepare(ctx, r, first)
	if err != nil {
		return receipt, err
	}
	for part := first; part < len(r.Parts); part = len(receipt.Parts) {
		b := &bodies[part-first]
		if part > 0 {
			above := receipt.Parts[answers(r, part)].ID
			b.Reply = &newReply{To: postID(above)}
			if b.Reply.To == "" {
				return receipt, notAPost("create post", above)
			}
		}
		id, err := p.create(ctx, b)
		if errors.Is(err, errDuplicate) && a.N > 1 {
			if err = p.recall(ctx, r, a, &receipt, err); err == nil {
				continue
			}
		}
		if err != nil {
			return receipt, err
		}
		receipt.Parts = append(receipt.Parts, p.remote(part, id))
		receipt.At = madeAt(id)
	}
	return receipt, nil
}

// recall adds to a receipt what an earlier try has made, when X refuses a part as words that the account has said already. It returns
// nil if there is something, else an error: the part may still be that of an earlier try, which the list of posts does not show yet. A
// first try is never looked up, since what X has is not its own.
func (p *publisher) recall(ctx context.Context, r *platform.Rendering, a platform.Attempt, receipt *platform.Receipt, refusal error) error {
	a.Done = receipt.Parts
	found, err := p.Find(ctx, r, a)
	if err == nil && len(found.Parts) > len(receipt.Parts) {
		*receipt = found
		return nil
	}
	e := *platform.AsError(refusal)
	e.Outcome = platform.Unknown
	return &e
}

// prepare uploads the media of all parts from first on and returns the parts' requests.
func (p *publisher) prepare(ctx context.Context, r *platform.Rendering, first int) ([]newPost, error) {
	var bodies []newPost
	for i := first; i < len(r.Parts); i++ {
		b := body(r, i)
		if i == 0 && (r.ReplyTo != "" && b.Reply.To == "" || r.Quote != "" && b.Quote == "") {
			return nil, notAPost("create post", r.ReplyTo+r.Quote)
		}
		media := r.Parts[i].Media
		for k := range media {
			data, err := apihttp.ReadMedia(p.deps.Media, media[k])
			if err != nil {
				return nil, err
			}
			id, err := p.upload(ctx, &media[k], data, len(media) == 1, r.Sensitive)
			if err != nil {
				return nil, err
			}
			if b.Media == nil {
				b.Media = &newMedia{}
			}
			b.Media.IDs = append(b.Media.IDs, id)
		}
		bodies = append(bodies, b)
	}
	return bodies, nil
}

// create makes one post. https://docs.x.com/x-api/posts/create-post (2026-08-22)
func (p *publisher) create(ctx context.Context, b *newPost) (id string, err error) {
	var answer struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	resp, err := p.api.Do(ctx, apihttp.Request{Op: "create post", Method: http.MethodPost, Path: "/2/tweets", JSON: b, Creates: true}, &answer)
	if err != nil {
		return "", err
	}
	if wait := p.dayOver(resp.Header); wait > 0 {
		p.deps.Budget.Block(p.deps.Now().Add(wait))
	}
	if !isNumber(answer.Data.ID) {
		return "", &platform.Error{Outcome: platform.Unknown, Op: "create post", Status: resp.Status, Message: "the answer does not name the post"}
	}
	return answer.Data.ID, nil
}

// remote returns what the receipt says of a post. Its address works whatever the account is called by then.
func (p *publisher) remote(part int, id string) platform.Remote {
	who := p.handle
	if who == "" {
		who = "i/web"
	}
	return platform.Remote{ID: id, URL: p.web + "/" + who + "/status/" + id, Part: part}
}

// Delete implements [platform.Deleter]. https://docs.x.com/x-api/posts/delete-post (2026-08-22)
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	const op = "delete post"
	for _, part := range slices.Backward(old.Parts) {
		id := postID(part.ID)
		if id == "" {
			return notAPost(op, part.ID)
		}
		var answer struct {
			Data struct {
				Deleted bool `json:"deleted"`
			} `json:"data"`
			problem
		}
		_, err := p.api.Do(ctx, apihttp.Request{Op: op, Method: http.MethodDelete, Path: "/2/tweets/" + id, OwnLimit: true}, &answer)
		switch {
		case gone(err) || err == nil && answer.lacks():
		case err != nil:
			return err
		case !answer.Data.Deleted:
			return &platform.Error{Outcome: platform.Unsent, Op: op, Message: "X does not say that it has deleted the post " + id}
		}
	}
	return nil
}

// Exists implements [platform.Checker]. https://docs.x.com/x-api/posts/get-post-by-id (2026-08-22)
func (p *publisher) Exists(ctx context.Context, part platform.Remote) (bool, error) {
	const op = "look for the post"
	id := postID(part.ID)
	if id == "" {
		return false, notAPost(op, part.ID)
	}
	var answer struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
		problem
	}
	_, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: "/2/tweets/" + id, OwnLimit: true}, &answer)
	switch {
	case gone(err) || err == nil && answer.lacks():
		return false, nil
	case err != nil:
		return false, err
	case answer.Data.ID != id:
		return false, &platform.Error{Outcome: platform.Unsent, Op: op, Message: "X neither shows the post nor says that there is none. " + answer.words()}
	}
	return true, nil
}

// gone reports whether a post was asked for that is not there.
func gone(err error) bool {
	e, ok := errors.AsType[*platform.Error](err)
	return ok && e.Status == http.StatusNotFound
}

func notAPost(op, id string) error {
	return &platform.Error{
		Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the address of a post on X", id),
		Hint: "record where it is with `postrider resolve POST ACCOUNT --published URL`",
	}
}
