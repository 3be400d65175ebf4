package bluesky

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/webpage"
)

// session is what logging in gives. It lives as long as the publisher: an account may log in only 30 times in five minutes
// and 300 times a day (https://docs.bsky.app/docs/advanced-guides/rate-limits, 2026-11-21). To be refused for that keeps
// the account from posting, so that it counts as its own limit does.
type session struct {
	DID     string `json:"did"`
	Handle  string `json:"handle"`
	Access  string `json:"accessJwt"`
	Refresh string `json:"refreshJwt"`
	Active  *bool  `json:"active"` // nil on servers that do not tell
	Status  string `json:"status"` // why it is not active: "deactivated", "takendown", "suspended"
	DIDDoc  struct {
		Service []struct {
			ID       string `json:"id"`
			Endpoint any    `json:"serviceEndpoint"` // a text or, in DID documents of other methods, anything
		} `json:"service"`
	} `json:"didDoc"`
}

// call makes one XRPC request with the account's session. A request that was refused because the access
// token died, and so was not looked at, is made once more with a new token.
func (p *publisher) call(ctx context.Context, r apihttp.Request, out any) (*apihttp.Response, error) {
	if err := p.login(ctx); err != nil {
		return nil, err
	}
	resp, err := p.api.Do(ctx, r, out)
	if name := errorName(resp); err == nil || (name != "ExpiredToken" && name != "InvalidToken") {
		return resp, err
	}
	if err := p.renew(ctx); err != nil {
		return nil, err
	}
	return p.api.Do(ctx, r, out)
}

// login opens the session unless there is one.
// https://docs.bsky.app/docs/api/com-atproto-server-create-session (2026-11-21)
func (p *publisher) login(ctx context.Context) error {
	if p.session != nil {
		return nil
	}
	return p.open(ctx, apihttp.Request{
		Op: "log in", Method: http.MethodPost, Path: p.options.Server + "/xrpc/com.atproto.server.createSession",
		JSON: map[string]string{"identifier": p.options.Handle, "password": p.password.Reveal()},
	})
}

// renew replaces a session whose access token died. The token that renews it may have died, too.
// https://docs.bsky.app/docs/api/com-atproto-server-refresh-session (2026-11-21)
func (p *publisher) renew(ctx context.Context) error {
	token := p.session.Refresh
	p.session = nil
	err := p.open(ctx, apihttp.Request{
		Op: "renew the session", Method: http.MethodPost, Path: p.options.Server + "/xrpc/com.atproto.server.refreshSession",
		Header: http.Header{"Authorization": {"Bearer " + token}},
	})
	if err == nil || platform.OutcomeOf(err) != platform.Denied {
		return err
	}
	return p.login(ctx)
}

// open carries out a request that answers with a session.
func (p *publisher) open(ctx context.Context, r apihttp.Request) error {
	var s session
	p.api.Base = p.options.Server
	if _, err := p.api.Do(ctx, r, &s); err != nil {
		if e, ok := errors.AsType[*platform.Error](err); ok && e.Outcome == platform.Rejected {
			e.Outcome = platform.Denied // it is not the post that is refused
			e.Hint = hintPassword
		}
		return err
	}
	if !strings.HasPrefix(s.DID, "did:") || s.Access == "" {
		return &platform.Error{Outcome: platform.Unsent, Op: r.Op, Message: "the server is not an AT Protocol server: its answer has no session"}
	}
	p.session = &s
	p.api.Base = p.host(&s)
	p.api.Secrets = []secret.String{p.password, secret.New(s.Access), secret.New(s.Refresh)}
	return nil
}

// host returns the server that holds the account's records: the one that its DID document names, since
// bsky.social is but an entrance. A server on this machine or network is taken at its own address, which
// its DID document often does not know.
func (p *publisher) host(s *session) string {
	if local(p.options.Server) {
		return p.options.Server
	}
	for _, service := range s.DIDDoc.Service {
		endpoint, _ := service.Endpoint.(string)
		u, err := url.Parse(endpoint)
		if !strings.HasSuffix(service.ID, "#atproto_pds") || err != nil || u.Scheme != "https" || u.User != nil || local(endpoint) {
			continue
		}
		return "https://" + u.Host
	}
	return p.options.Server
}

// local reports whether an address names no public host.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		return !webpage.Public(ip)
	}
	return host == "localhost" || !strings.Contains(host, ".") || strings.HasSuffix(host, ".localhost")
}

// authorize adds the session's token to requests that have none of their own.
func (p *publisher) authorize(r *http.Request) {
	if p.session != nil {
		r.Header.Set("Authorization", "Bearer "+p.session.Access)
	}
}

const hintClosed = "the account is closed or suspended: sign in to see why"

const hintPassword = "check the handle and make a new app password: https://bsky.app/settings/app-passwords"

// refine reads AT Protocol's error shape, {"error": NAME, "message": WORDS}
// (https://atproto.com/specs/xrpc#error-responses, 2026-11-21).
func refine(e *platform.Error, r *apihttp.Response) {
	name := errorName(r)
	switch name {
	case "ExpiredToken", "InvalidToken", "AuthenticationRequired", "AuthMissing":
		e.Outcome, e.Hint = platform.Denied, hintPassword
	case "AuthFactorTokenRequired":
		e.Outcome, e.Hint = platform.Denied, "this is the account's own password: use an app password, https://bsky.app/settings/app-passwords"
	case "AccountTakedown", "AccountSuspended", "AccountDeactivated", "RepoTakendown", "RepoSuspended", "RepoDeactivated":
		e.Outcome, e.Hint = platform.Denied, hintClosed
	case "RateLimitExceeded":
		e.Outcome = platform.Limited
	}
	if e.Message == "" {
		e.Message = name
	}
}

// errorName returns the name in an answer of AT Protocol's error shape.
func errorName(r *apihttp.Response) string {
	if r == nil || r.Status < 400 {
		return ""
	}
	var shape struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(r.Body, &shape) != nil {
		return ""
	}
	return shape.Error
}
