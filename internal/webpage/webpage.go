// Package webpage reads the pages that posts link to, for their link cards. Anybody may have written them: what is read is
// bounded, and private addresses are left alone unless somebody allows them.
package webpage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// The limits of reading.
const (
	maxPage      = 1 << 20  // bytes; what a card needs stands at the top
	maxPicture   = 10 << 20 // of a picture that is made to fit
	dialTimeout  = 10 * time.Second
	maxRedirects = 5
)

// ErrPrivate says that an address is not one of the public internet, and was not connected to.
var ErrPrivate = errors.New("a private address")

// ErrTooLarge says that a picture has more bytes than its reader wants.
var ErrTooLarge = errors.New("it is too large")

// Reader reads pages, of one host one after the other. It is safe for use by several goroutines at once.
type Reader struct {
	client *http.Client
	hosts  sync.Map // host → chan struct{}, which holds one value while somebody reads from there
}

// New returns a reader that goes to the web through a transport, see [Transport].
func New(web http.RoundTripper, private bool) (*Reader, error) {
	transport, err := Transport(web, private)
	if err != nil {
		return nil, err
	}
	return &Reader{client: &http.Client{Transport: transport, CheckRedirect: redirects}}, nil
}

// Transport returns a way to pages that anybody may have named, made from another; nil is one like the standard library's. Unless
// private addresses are allowed it connects to public ones only, without a proxy, and looks at the address that is really dialed:
// what a name stands for can change between a check and its use. It is an error when the transport does not let that be seen.
func Transport(web http.RoundTripper, private bool) (http.RoundTripper, error) {
	if private {
		return web, nil
	}
	transport, ok := web.(*http.Transport)
	switch {
	case web == nil:
		transport = &http.Transport{ForceAttemptHTTP2: true, TLSHandshakeTimeout: dialTimeout}
	case ok:
		transport = transport.Clone()
	default:
		return nil, fmt.Errorf("the addresses that a %T dials cannot be checked", web)
	}
	transport.Proxy = nil
	transport.DialTLSContext = nil
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout, Control: onlyPublic}).DialContext
	transport.DisableKeepAlives = true
	return transport, nil
}

func redirects(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if req.URL.Scheme != "https" && req.URL.Scheme != "http" {
		return fmt.Errorf("a redirect to %q", req.URL.Scheme)
	}
	return nil
}

// Page reads what a page offers for its link card. Of a page that is very long, the start counts.
func (r *Reader) Page(ctx context.Context, address string) (linkcard.Page, error) {
	body, final, mime, err := r.get(ctx, address, "text/html, application/xhtml+xml", maxPage)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return linkcard.Page{}, err
	}
	if !strings.HasPrefix(mime, "text/html") && !strings.HasPrefix(mime, "application/xhtml+xml") {
		return linkcard.Page{}, fmt.Errorf("it is %q, not a page", mime)
	}
	return linkcard.ReadPage(body, mime, final), nil
}

// Picture reads a picture of at most limit bytes; a larger one is an error that wraps [ErrTooLarge]. Whether the bytes are a picture
// is the caller's to find out.
func (r *Reader) Picture(ctx context.Context, address string, limit int64) ([]byte, error) {
	data, _, _, err := r.get(ctx, address, "image/*", limit)
	if err != nil {
		return nil, err
	}
	return data, nil
}

// get reads at most limit bytes, which come with ErrTooLarge if there are more.
func (r *Reader) get(ctx context.Context, address, accept string, limit int64) ([]byte, *url.URL, string, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return nil, nil, "", errors.New("it is not an http or https address")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, "", err
	}
	done, err := r.turn(ctx, u.Host)
	if err != nil {
		return nil, nil, "", err
	}
	defer done()
	req.Header.Set("User-Agent", apihttp.UserAgent)
	req.Header.Set("Accept", accept)
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, nil, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // what matters has been read
	if resp.StatusCode != http.StatusOK {
		return nil, nil, "", fmt.Errorf("it answers %s", resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, nil, "", err
	}
	if int64(len(body)) > limit {
		body, err = body[:limit], ErrTooLarge
	}
	return body, resp.Request.URL, resp.Header.Get("Content-Type"), err
}

// turn waits until nobody else reads from a host, and returns what ends the turn.
func (r *Reader) turn(ctx context.Context, host string) (done func(), err error) {
	busy, _ := r.hosts.LoadOrStore(strings.ToLower(host), make(chan struct{}, 1))
	turn := busy.(chan struct{})
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// onlyPublic refuses connections to private addresses.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !Public(to.Addr()) {
		return fmt.Errorf("%s is %w", to.Addr(), ErrPrivate)
	}
	return nil
}

// reserved are the networks that are not the public internet's, besides those that netip knows
// (https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, 2026-11-21).
// Those of IPv6 that carry an IPv4 address could carry a private one.
func reserved() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("192.88.99.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("::/96"),
		netip.MustParsePrefix("64:ff9b::/96"),
		netip.MustParsePrefix("64:ff9b:1::/48"),
		netip.MustParsePrefix("100::/64"),
		netip.MustParsePrefix("2001::/23"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("2002::/16"),
		netip.MustParsePrefix("fec0::/10"),
	}
}

// Public reports whether an address is one of the public internet.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, prefix := range reserved() {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}
