package gitrepo

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/secret"
)

// credentials is what is sent to one HTTP remote.
type credentials struct {
	repo    *Repo
	url     *url.URL
	headers []string // "Name: value", without Authorization
	auth    secret.String
	source  string // where auth is from, for the log
	helper  *helperAnswer
	secrets []secret.String // everything that must not be in a message
}

// helperAnswer is what git credential fill said, to be approved or rejected later.
type helperAnswer struct{ user, password secret.String }

// newCredentials chooses what to send, in the order of the package comment. Helpers are asked later
// and only if the server wants a password, as git does.
func newCredentials(r *Repo, cfg config, u *url.URL) *credentials {
	c := &credentials{repo: r, url: u}
	var configured string
	for _, h := range cfg.httpHeaders(u) {
		name, value, ok := strings.Cut(h, ":")
		switch {
		case !ok:
		case strings.EqualFold(strings.TrimSpace(name), "Authorization"):
			configured = strings.TrimSpace(value)
			c.hide(configured)
			if _, token, ok := strings.Cut(configured, " "); ok {
				c.hide(token)
				if b, err := base64.StdEncoding.DecodeString(token); err == nil {
					_, pass, _ := strings.Cut(string(b), ":")
					c.hide(pass)
				}
			}
		default:
			c.headers = append(c.headers, h)
			c.hide(strings.TrimSpace(value))
		}
	}
	if u.User != nil {
		pass, ok := u.User.Password()
		if ok {
			c.hide(pass)
			c.hide(url.PathEscape(pass))
			c.basic(u.User.Username(), pass, "url")
			return c
		}
		if configured == "" && looksLikeToken(u.User.Username()) { // https://TOKEN@host/
			c.basic(u.User.Username(), "", "url")
			return c
		}
	}
	switch {
	case r.opts.Env("POSTRIDER_GIT_TOKEN") != "":
		c.basic("x-access-token", strings.TrimSpace(r.opts.Env("POSTRIDER_GIT_TOKEN")), "POSTRIDER_GIT_TOKEN")
	case configured != "":
		c.auth, c.source = secret.New(configured), "http.extraheader"
	case r.opts.Env("GITHUB_TOKEN") != "" && isGitHub(u, r.opts.Env("GITHUB_SERVER_URL")):
		c.basic("x-access-token", strings.TrimSpace(r.opts.Env("GITHUB_TOKEN")), "GITHUB_TOKEN")
	}
	return c
}

// looksLikeToken tells a token in the place of the user name from a name.
func looksLikeToken(user string) bool { return len(user) >= 20 }

// isGitHub reports whether GITHUB_TOKEN may be sent to u: never to another host than its own, and
// in the clear only where GitHub's own setting says so.
func isGitHub(u *url.URL, server string) bool {
	if s, err := url.Parse(server); err == nil && s.Host != "" &&
		strings.EqualFold(s.Hostname(), u.Hostname()) && portOf(s) == portOf(u) && strings.EqualFold(s.Scheme, u.Scheme) {
		return true
	}
	return strings.EqualFold(u.Hostname(), "github.com") && strings.EqualFold(u.Scheme, "https")
}

func (c *credentials) hide(s string) {
	if s != "" {
		c.secrets = append(c.secrets, secret.New(s))
	}
}

func (c *credentials) basic(user, password, source string) {
	b := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	c.hide(b)
	c.hide(password)
	if password == "" {
		c.hide(user)
	}
	c.auth, c.source = secret.New("Basic "+b), source
}

// Name implements go-git's transport.AuthMethod.
func (c *credentials) Name() string { return "postrider" }

// String implements go-git's transport.AuthMethod, and says nothing.
func (c *credentials) String() string { return "postrider credentials" }

// SetAuth implements go-git's http.AuthMethod.
func (c *credentials) SetAuth(req *http.Request) {
	for _, h := range c.headers {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if !c.auth.IsZero() {
		req.Header.Set("Authorization", c.auth.Reveal())
	}
}

// fromHelper is the source of what git's credential helpers knew.
const fromHelper = "credential helper"

// askHelper asks git's credential helpers, and reports whether they knew a password.
func (c *credentials) askHelper(ctx context.Context) bool {
	if c.repo.git == nil || !c.auth.IsZero() {
		return false
	}
	if strings.ContainsAny(c.url.Host+c.url.Path+c.url.User.Username(), "\r\n\x00") {
		return false // git would read the rest as another host
	}
	out, err := c.repo.git.output(ctx, strings.NewReader(c.describe(nil)), "credential", "fill")
	if err != nil {
		c.repo.opts.Log.Debug("no credential helper knows a password", "host", c.url.Host)
		return false
	}
	var a helperAnswer
	for line := range bytes.Lines(out) {
		k, v, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), "=")
		switch k {
		case "username":
			a.user = secret.New(v)
		case "password":
			a.password = secret.New(v)
		}
	}
	if a.password.IsZero() {
		return false
	}
	c.helper = &a
	c.basic(a.user.Reveal(), a.password.Reveal(), fromHelper)
	return true
}

// describe is the text that git credential reads.
func (c *credentials) describe(a *helperAnswer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "protocol=%s\nhost=%s\n", c.url.Scheme, c.url.Host)
	if p := strings.TrimPrefix(c.url.Path, "/"); p != "" {
		fmt.Fprintf(&b, "path=%s\n", p)
	}
	switch {
	case a != nil:
		fmt.Fprintf(&b, "username=%s\npassword=%s\n", a.user.Reveal(), a.password.Reveal())
	case c.url.User != nil:
		fmt.Fprintf(&b, "username=%s\n", c.url.User.Username())
	}
	return b.String() + "\n"
}

// tell lets the helpers know whether their password was right.
func (c *credentials) tell(ctx context.Context, ok bool) {
	if c.helper == nil {
		return
	}
	verb := "reject"
	if ok {
		verb = "approve"
	}
	if _, err := c.repo.git.output(ctx, strings.NewReader(c.describe(c.helper)), "credential", verb); err != nil {
		c.repo.opts.Log.Debug("credential helper failed", "verb", verb)
	}
	c.helper = nil
}

// scrub removes every secret from a text that somebody else wrote.
func (c *credentials) scrub(text string) string {
	if c == nil {
		return redactURLs(text)
	}
	return redactURLs(secret.Scrub(text, c.secrets...))
}

// redactURL returns a URL without user and password.
func redactURL(raw string) string {
	i := strings.Index(raw, "://")
	if i < 0 {
		return raw
	}
	rest := raw[i+3:]
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		return raw[:i+3] + rest[at+1:]
	}
	return raw
}

// redactURLs does so for every URL in a text.
func redactURLs(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "://")
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := i + 3
		for end < len(text) && text[end] > ' ' && strings.IndexByte(`"'<>`, text[end]) < 0 {
			end++
		}
		u := text[i:end]
		b.WriteString(text[:i])
		b.WriteString(redactURL(u))
		text = text[end:]
	}
}
