package webhook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
)

// publisher sends to one address: one signed request for a post with all its parts.
//
// The request's webhook-id is the attempt's key, the same in every retry, by which receivers leave out
// what they have had (https://www.standardwebhooks.com/, 2026-11-21).
type publisher struct {
	account string
	url     *url.URL
	signer  *standardwebhooks.Webhook
	deps    platform.Deps
	api     apihttp.Client
}

var (
	_ platform.Editor  = (*publisher)(nil)
	_ platform.Deleter = (*publisher)(nil)
)

// The lengths of a signing key in bytes, by the specification.
const (
	minKey = 24
	maxKey = 64
)

// timeout is how long a receiver may take; the specification recommends 15 to 30 seconds.
const timeout = 30 * time.Second

// Open implements [platform.Adapter].
func (Adapter) Open(a *platform.Account, d platform.Deps) (platform.Publisher, error) {
	o, err := platform.OptionsOf[Options](a)
	if err != nil {
		return nil, err
	}
	fail := func(outcome platform.Outcome, message, hint string) error {
		return &platform.Error{Outcome: outcome, Op: "open", Message: message, Hint: hint}
	}
	address, err := url.Parse(o.URL)
	if err != nil {
		return nil, fail(platform.Unsent, "url: "+err.Error(), "")
	}
	env := platform.EnvName(a.Name, "SECRET")
	shared, err := d.Secret(a, "SECRET", "signing secret")
	if err != nil {
		return nil, err
	}
	key := strings.TrimPrefix(shared.Reveal(), "whsec_")
	size := base64Len(key)
	if size < minKey || size > maxKey {
		return nil, fail(platform.Denied, "the signing secret is not 24 to 64 bytes in base64",
			"make one, give it to the receiver and set "+env+": whsec_ and what `openssl rand -base64 32` prints")
	}
	signer, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		return nil, fail(platform.Denied, "the signing secret is not base64", "set "+env)
	}
	return &publisher{
		account: a.Name, url: address, signer: signer, deps: d,
		api: apihttp.Client{
			HTTP: d.HTTP, Log: d.Log, Now: d.Now, Timeout: cmp.Or(d.Timeout, timeout), Budget: d.Budget,
			Secrets: []secret.String{shared, secret.New(key)},
		},
	}, nil
}

// Verify implements [platform.Publisher]. A webhook has nobody to ask who it is: that something answers
// at the address, and does not say that it is gone or elsewhere for good, is all there is to know. The request is a HEAD, which receivers take for no event.
func (p *publisher) Verify(ctx context.Context) (platform.Identity, error) {
	_, err := p.api.Do(ctx, apihttp.Request{Op: "reach the receiver", Method: http.MethodHead, Path: p.url.String()}, nil)
	if e, ok := errors.AsType[*platform.Error](err); ok && (e.Status == 0 || e.Status == http.StatusGone || e.Status == http.StatusMovedPermanently || e.Status == http.StatusPermanentRedirect) {
		return platform.Identity{}, err
	}
	return platform.Identity{ID: p.url.Host, Handle: p.url.Host}, nil
}

// Publish implements [platform.Publisher].
func (p *publisher) Publish(ctx context.Context, r *platform.Rendering, a platform.Attempt) (platform.Receipt, error) {
	receipt := platform.Receipt{Parts: slices.Clone(a.Done), At: p.deps.Now()}
	if len(receipt.Parts) >= len(r.Parts) {
		return receipt, nil
	}
	e, err := p.event(typePublished, a.At, r)
	if err != nil {
		return receipt, err
	}
	got, err := p.send(ctx, "send post", a.Key, e, true)
	if err != nil {
		return receipt, err
	}
	if got.ID == "" {
		got.ID = a.Key
	}
	receipt.Parts = parts(got, len(r.Parts), a.Key)
	return receipt, nil
}

// Edit implements [platform.Editor]. The receiver gets the whole post as it is to be.
func (p *publisher) Edit(ctx context.Context, old platform.Receipt, r *platform.Rendering) (platform.Receipt, error) {
	if len(old.Parts) == 0 {
		return old, nothing("send update")
	}
	e, err := p.event(typeUpdated, p.deps.Now(), r)
	if err != nil {
		return old, err
	}
	first := old.Parts[0]
	e.Data.ID = first.ID
	id := followUp(first.Version, e.Data.Fingerprint)
	got, err := p.send(ctx, "send update", id, e, false)
	if err != nil {
		return old, err
	}
	got.ID = first.ID // a post keeps its name
	if got.URL == "" {
		got.URL = first.URL
	}
	return platform.Receipt{Parts: parts(got, len(r.Parts), id), At: p.deps.Now()}, nil
}

// Delete implements [platform.Deleter].
func (p *publisher) Delete(ctx context.Context, old platform.Receipt) error {
	if len(old.Parts) == 0 {
		return nothing("send withdrawal")
	}
	first := old.Parts[0]
	e := &Event{Type: typeWithdrawn, Timestamp: p.deps.Now().UTC(), Data: Data{Account: p.account, ID: first.ID}}
	_, err := p.send(ctx, "send withdrawal", followUp(first.Version, "withdrawn"), e, false)
	return err
}

func nothing(op string) error {
	return &platform.Error{Outcome: platform.Rejected, Op: op, Message: "the receipt names no post"}
}

// event returns the event that tells of a rendering.
func (p *publisher) event(kind string, at time.Time, r *platform.Rendering) (*Event, error) {
	files, err := filesOf(p.deps.Media, r)
	if err != nil {
		return nil, err
	}
	return &Event{kind, at.UTC(), Data{Account: p.account, Post: postOf(r), Fingerprint: r.Fingerprint(), Files: files}}, nil
}

// reply is what a receiver may answer: what it calls the post, and where people see it.
type reply struct {
	ID  string `json:"id"`
	URL string `json:"url"`
}

// send signs and sends one event.
func (p *publisher) send(ctx context.Context, op, id string, e *Event, creates bool) (reply, error) {
	body, err := apihttp.EncodeJSON(e)
	if err != nil {
		return reply{}, &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
	}
	now := p.deps.Now()
	signature, err := p.signer.Sign(id, now, body)
	if err != nil {
		return reply{}, &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
	}
	resp, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: p.url.String(), Data: body, ContentType: "application/json", Creates: creates,
		Header: http.Header{
			standardwebhooks.HeaderWebhookID:        {id},
			standardwebhooks.HeaderWebhookTimestamp: {strconv.FormatInt(now.Unix(), 10)},
			standardwebhooks.HeaderWebhookSignature: {signature},
		},
	}, nil)
	if err != nil {
		return reply{}, err
	}
	got, err := readReply(resp)
	if err != nil {
		e := &platform.Error{Op: op, Status: resp.Status, Message: err.Error(), Hint: "is the address that of the receiver itself, without a login page or proxy before it?"}
		if !creates {
			e.Outcome = platform.Unsent
		}
		return reply{}, e
	}
	return got, nil
}

// readReply reads the answer to an event that was accepted. Any answer is good, none too, except a page
// for people: that comes from a login or a captive portal, not from a receiver.
func readReply(resp *apihttp.Response) (reply, error) {
	var got reply
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	body := bytes.TrimSpace(resp.Body)
	if strings.EqualFold(strings.TrimSpace(kind), "text/html") || bytes.HasPrefix(body, []byte("<")) {
		return got, errors.New("the answer is a web page")
	}
	if len(body) == 0 || body[0] != '{' {
		return got, nil
	}
	var fields struct{ ID, URL json.RawMessage }
	if err := json.Unmarshal(body, &fields); err != nil {
		return got, fmt.Errorf("the answer is broken JSON: %w", err)
	}
	_ = json.Unmarshal(fields.URL, &got.URL)
	if u, err := url.Parse(got.URL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		got.URL = "" // it will be a link that people follow
	}
	if json.Unmarshal(fields.ID, &got.ID) != nil {
		got.ID = numeric(fields.ID)
	}
	return got, nil
}

// numeric returns an id that is a number as it stands in the answer, "" for anything else.
func numeric(raw json.RawMessage) string {
	var n json.Number
	if json.Unmarshal(raw, &n) != nil {
		return ""
	}
	return n.String()
}

// parts returns the receipt's entries for a post of n parts, which the receiver knows as one. state is
// the id of the event that it shows.
func parts(r reply, n int, state string) []platform.Remote {
	list := make([]platform.Remote, n)
	for i := range list {
		list[i] = platform.Remote{ID: partID(r.ID, i), URL: r.URL, Part: i, Version: state}
	}
	return list
}

// partID names a part of a post: the first as the post, the others with their number.
func partID(id string, part int) string {
	if part == 0 {
		return id
	}
	return id + "#" + strconv.Itoa(part+1)
}

// base64Len returns how many bytes s is in base64, 0 when it is none.
func base64Len(s string) int {
	decoded, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return 0
	}
	return len(decoded)
}
