// Package linkcheck asks the links of posts whether they still lead somewhere, when somebody wants that.
//
// It is a polite guest: every page is asked once however many posts link to it, no host gets two requests at a time, and
// between two there is a pause. What it asks for is the head of a page (HEAD); only where that is not answered well does it begin
// to get the page itself. Nothing of a page is read.
package linkcheck

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/utm"
	"github.com/postrider/postrider/internal/webpage"
)

// The limits of asking.
const (
	answerTime   = 10 * time.Second       // for one request
	pause        = 250 * time.Millisecond // between two requests to one host
	maxHosts     = 8                      // that are asked at a time
	maxRedirects = 10
	maxSilence   = 2 // pages of one host that may get no answer before its others are not asked
)

// Options are what a checker depends on.
type Options struct {
	Web     http.RoundTripper                          // the way to the web
	Private bool                                       // whether private addresses are asked, too
	Wait    func(context.Context, time.Duration) error // sleeps, or returns the context's error
}

// Checker asks links. It is for one use of [Checker.Check] at a time.
type Checker struct {
	web  http.RoundTripper
	wait func(context.Context, time.Duration) error

	mu    sync.Mutex
	gates map[string]*gate // by host, with port
}

// gate lets one request at a time through to a host.
type gate struct {
	free chan struct{} // holds one token while nobody is through
	used bool
}

// New returns a checker. It is an error when the way to the web does not let it be seen where it leads, see [webpage.Transport].
func New(o Options) (*Checker, error) {
	web, err := webpage.Transport(o.Web, o.Private)
	if err != nil {
		return nil, err
	}
	return &Checker{web: web, wait: o.Wait, gates: map[string]*gate{}}, nil
}

// Check asks links and returns what is wrong with them, each finding at the link's place. When ctx ends, what was not asked is
// not in it.
func (c *Checker) Check(ctx context.Context, links []check.Link) finding.List {
	pages := map[string]string{} // the address that is asked, by page
	for i := range links {
		if page := links[i].Page(); pages[page] == "" {
			pages[page] = links[i].Address
		}
	}
	answers := c.askAll(ctx, pages)
	var found finding.List
	for i := range links {
		l := &links[i]
		f, wrong := answers[l.Page()]
		if !wrong {
			continue
		}
		f.Path, f.Post, f.Range, f.Message = l.Path, l.Post, l.Range, l.Written+" "+f.Message
		if l.Awaited && f.Code != check.LinkMoved {
			f.Severity, f.Hint = finding.Info, "the post goes out once it answers 200 (embargo: link)"
		}
		found.Add(f)
	}
	return found
}

// askAll asks pages, host by host, and returns what is wrong with them, by page: findings that lack a place, and the address
// before their message.
func (c *Checker) askAll(ctx context.Context, pages map[string]string) map[string]finding.Finding {
	byHost := map[string][]string{}
	for page := range pages {
		byHost[hostOf(page)] = append(byHost[hostOf(page)], page)
	}
	var (
		mu      sync.Mutex
		hosts   sync.WaitGroup
		answers = map[string]finding.Finding{}
		places  = make(chan struct{}, maxHosts)
	)
	for _, list := range byHost {
		hosts.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			slices.Sort(list)
			c.askHost(ctx, list, pages, func(page string, f finding.Finding) {
				mu.Lock()
				defer mu.Unlock()
				answers[page] = f
			})
		})
	}
	hosts.Wait()
	return answers
}

// hostOf returns the host of an address with its port, empty where there is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Host)
}

// askHost asks pages of one host, one after the other, and tells what is wrong with them. A host that wants to be left alone is.
func (c *Checker) askHost(ctx context.Context, list []string, pages map[string]string, tell func(page string, f finding.Finding)) {
	silence := 0
	for i, page := range list {
		f, status := c.ask(ctx, pages[page])
		if ctx.Err() != nil {
			return
		}
		if f.Code != "" {
			tell(page, f)
		}
		if silence++; f.Code != check.LinkSilent {
			silence = 0
		}
		var rest finding.Finding
		switch {
		case silence == maxSilence:
			rest = warning(check.LinkSilent, "was not asked: its server has not answered twice", "open it in a browser, or try again later")
		case status == http.StatusTooManyRequests:
			rest = uncertain("was not asked: its server wants to be asked less (429)")
		default:
			continue
		}
		for _, page := range list[i+1:] {
			tell(page, rest)
		}
		return
	}
}

// ask follows an address to its end. It returns what is wrong, a finding without a code for nothing, and the last status.
func (c *Checker) ask(ctx context.Context, address string) (finding.Finding, int) {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		return nowhere("is no address that can be asked"), 0
	}
	at.Fragment, at.RawFragment = "", ""
	jar, err := cookiejar.New(nil) // some pages lead to themselves until they see their cookie
	if err != nil {
		return nowhere("cannot be asked"), 0
	}
	var moved *url.URL // as far as it has moved for good
	permanent := true
	for hops := 0; ; hops++ {
		status, next, err := c.get(ctx, jar, at)
		switch {
		case err != nil:
			return broken(at, err), 0
		case next == nil:
			return verdict(status, moved), status
		case next.Scheme != "https" && next.Scheme != "http" || next.Host == "":
			return uncertain(fmt.Sprintf("leads on to %q, which is no page of the web", shorten(next.String()))), status
		case hops == maxRedirects:
			return warning(check.LinkStatus, fmt.Sprintf("leads from one address to the next, more than %d times", maxRedirects), "open it in a browser: what you see is at another address"), status
		}
		permanent = permanent && (status == http.StatusMovedPermanently || status == http.StatusPermanentRedirect)
		if permanent {
			moved = next
		}
		at = next
	}
}

// get asks for the head of a page and returns the status and where a redirect leads. Many servers answer that badly, so what is
// not good news counts only when it comes for the page itself.
func (c *Checker) get(ctx context.Context, jar http.CookieJar, at *url.URL) (status int, next *url.URL, err error) {
	status, next, err = c.request(ctx, jar, http.MethodHead, at)
	if err == nil && (status < 300 || next != nil) || err != nil && (ctx.Err() != nil || hopeless(err)) {
		return status, next, err
	}
	return c.request(ctx, jar, http.MethodGet, at)
}

// request makes one request when it is its turn, as get does.
func (c *Checker) request(ctx context.Context, jar http.CookieJar, method string, at *url.URL) (status int, next *url.URL, err error) {
	leave, err := c.enter(ctx, strings.ToLower(at.Host))
	if err != nil {
		return 0, nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("User-Agent", apihttp.UserAgent)
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for _, cookie := range jar.Cookies(at) {
		req.AddCookie(cookie)
	}
	resp, err := c.web.RoundTrip(req) // redirects are followed by ask, each in its turn
	if err != nil {
		return 0, nil, err
	}
	resp.Body.Close() //nolint:errcheck // nothing of it is wanted
	jar.SetCookies(at, resp.Cookies())
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		if next, err = resp.Location(); err != nil { // it does not say where, or in no words of the web
			next = nil
		}
	}
	return resp.StatusCode, next, nil
}

// enter waits until a host may get another request. leave lets the next one through.
func (c *Checker) enter(ctx context.Context, host string) (leave func(), err error) {
	c.mu.Lock()
	g := c.gates[host]
	if g == nil {
		g = &gate{free: make(chan struct{}, 1)}
		g.free <- struct{}{}
		c.gates[host] = g
	}
	c.mu.Unlock()
	select {
	case <-g.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { g.free <- struct{}{} }
	if g.used {
		if err := c.wait(ctx, pause); err != nil {
			leave()
			return nil, err
		}
	}
	g.used = true
	return leave, nil
}

// verdict says what is wrong with a page that answers with a status; moved is where it has moved for good.
func verdict(status int, moved *url.URL) finding.Finding {
	switch {
	case status >= 200 && status < 300 && moved != nil:
		return finding.Finding{Code: check.LinkMoved, Severity: finding.Info, Message: "has moved to " + shorten(utm.Without(moved.String())), Hint: "link to where it is now"}
	case status >= 200 && status < 300:
		return finding.Finding{}
	case status == http.StatusNotFound || status == http.StatusGone:
		return finding.Finding{Code: check.LinkGone, Severity: finding.Error, Message: fmt.Sprintf("answers %d: the page is not there", status), Hint: "mend the address, or take the link out"}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests, status == 999: // LinkedIn's own
		return uncertain(fmt.Sprintf("answers %d, as many servers do to programs", status))
	default:
		return warning(check.LinkStatus, fmt.Sprintf("answers %d", status), "open it in a browser, or try again later")
	}
}

// hopeless reports whether an error stays what it is however one asks.
func hopeless(err error) bool {
	_, dns := errors.AsType[*net.DNSError](err)
	_, unsafe := unsafeReason(err)
	return dns || unsafe || errors.Is(err, webpage.ErrPrivate)
}

// broken says what is wrong with an address that cannot be asked.
func broken(at *url.URL, err error) finding.Finding {
	const later = "open it in a browser, or try again later"
	name, dns := errors.AsType[*net.DNSError](err)
	reason, unsafe := unsafeReason(err)
	timeout, slow := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, webpage.ErrPrivate):
		return warning(check.LinkPrivate, "leads to a private address, where readers are not; it was not asked", "link to what is on the web; --allow-private asks it")
	case dns && name.IsNotFound:
		return nowhere(fmt.Sprintf("leads nowhere: there is no host %q", at.Hostname()))
	case unsafe:
		return warning(check.LinkUnsafe, "is not safe: "+reason, "browsers warn of it: tell whoever runs the server")
	case slow && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return warning(check.LinkSilent, fmt.Sprintf("does not answer within %s", answerTime), later)
	default:
		return warning(check.LinkSilent, "does not answer: "+err.Error(), later)
	}
}

// unsafeReason returns why there is no safe connection, if that is what an error says.
func unsafeReason(err error) (string, bool) {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired && invalid.Cert != nil {
		return fmt.Sprintf("its certificate is good from %s to %s", day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter)), true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another host", true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate comes from an authority that is not known here", true
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e.Err.Error(), true
	}
	if e, ok := errors.AsType[tls.AlertError](err); ok {
		return e.Error(), true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS there", true
	}
	return "", false
}

func day(t time.Time) string { return t.UTC().Format("2 Jan 2006") }

func nowhere(message string) finding.Finding {
	return finding.Finding{Code: check.LinkNowhere, Severity: finding.Error, Message: message, Hint: "mend the address"}
}

func warning(code finding.Code, message, hint string) finding.Finding {
	return finding.Finding{Code: code, Severity: finding.Warning, Message: message, Hint: hint}
}

func uncertain(message string) finding.Finding {
	return finding.Finding{Code: check.LinkUncertain, Severity: finding.Info, Message: message, Hint: "open it in a browser"}
}

// shorten cuts an address that somebody else chose.
func shorten(address string) string {
	if r := []rune(address); len(r) > 200 {
		return string(r[:199]) + "…"
	}
	return address
}
