package bluesky

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// page is what a link card says of a web page.
type page struct {
	title, description string
	picture            string // the address of the picture
	image              []byte
	mime               string
}

// The limits of reading a page for its card.
const (
	maxPage          = 1 << 20 // bytes; what a card needs stands at the top
	pageTimeout      = 10 * time.Second
	maxPageRedirects = 5
	maxTitle         = 300 // code points
	maxDescription   = 1000
)

// readPage reads the words and the picture of a link card off its page. A page that cannot be read
// gives a card with the address for a title: a link is no reason to hold a post back. Each page is
// read once, however many parts of a thread link to it.
func (p *publisher) readPage(ctx context.Context, address string) page {
	if pg, ok := p.pages[address]; ok {
		return pg
	}
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	pg, err := p.fetchPage(ctx, address)
	if err != nil && p.deps.Log != nil {
		p.deps.Log.WarnContext(ctx, "the link card is incomplete: its page cannot be read", "url", address, "error", err.Error())
	}
	if pg.title == "" {
		pg.title = address
	}
	if p.pages == nil {
		p.pages = map[string]page{}
	}
	p.pages[address] = pg
	return pg
}

func (p *publisher) fetchPage(ctx context.Context, address string) (page, error) {
	client, err := pageClient(p.deps)
	if err != nil {
		return page{}, err
	}
	body, final, mime, err := get(ctx, client, address, "text/html, application/xhtml+xml", maxPage)
	if err != nil && !errors.Is(err, errTooLarge) {
		return page{}, err
	}
	if !strings.HasPrefix(mime, "text/html") && !strings.HasPrefix(mime, "application/xhtml+xml") {
		return page{}, fmt.Errorf("it is %q, not a page", mime)
	}
	pg := parsePage(body)
	picture, err := final.Parse(pg.picture)
	if pg.picture == "" || err != nil {
		return pg, err
	}
	data, _, _, err := get(ctx, client, picture.String(), "image/*", maxThumbBytes)
	if err != nil {
		return pg, fmt.Errorf("its picture: %w", err)
	}
	if mime := http.DetectContentType(data); strings.HasPrefix(mime, "image/") {
		pg.image, pg.mime = data, mime
	}
	return pg, nil
}

var errTooLarge = errors.New("it is too large")

// get reads at most limit bytes, which come with errTooLarge if there are more.
func get(ctx context.Context, client *http.Client, address, accept string, limit int64) ([]byte, *url.URL, string, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return nil, nil, "", errors.New("it is not an http or https address")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, "", err
	}
	req.Header.Set("User-Agent", apihttp.UserAgent)
	req.Header.Set("Accept", accept)
	resp, err := client.Do(req)
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
		body, err = body[:limit], errTooLarge
	}
	return body, resp.Request.URL, resp.Header.Get("Content-Type"), err
}

// parsePage finds the title, description and picture in the head of a page: Open Graph's
// (https://ogp.me/, 2026-11-21), else HTML's own. Pages that are not UTF-8 have none.
func parsePage(body []byte) page {
	var pg, own page
	tokens := html.NewTokenizer(bytes.NewReader(body))
	inTitle := false
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return merged(pg, own)
		case html.TextToken:
			if inTitle {
				own.title += string(tokens.Text())
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			switch atom.Lookup(name) {
			case atom.Title:
				inTitle = false
			case atom.Head:
				return merged(pg, own)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := tokens.TagName()
			switch atom.Lookup(name) {
			case atom.Title:
				inTitle = own.title == ""
			case atom.Body:
				return merged(pg, own)
			case atom.Meta:
				var property, content string
				for more {
					var key, value []byte
					key, value, more = tokens.TagAttr()
					switch string(key) {
					case "property", "name":
						property = strings.ToLower(string(value))
					case "content":
						content = string(value)
					}
				}
				meta(&pg, &own, property, content)
			}
		}
	}
}

func meta(pg, own *page, property, content string) {
	set := func(field *string) {
		if *field == "" {
			*field = strings.TrimSpace(content)
		}
	}
	switch property {
	case "og:title":
		set(&pg.title)
	case "og:description":
		set(&pg.description)
	case "og:image", "og:image:url", "og:image:secure_url":
		set(&pg.picture)
	case "description":
		set(&own.description)
	}
}

func merged(pg, own page) page {
	if pg.title == "" {
		pg.title = own.title
	}
	if pg.description == "" {
		pg.description = own.description
	}
	pg.title, pg.description = line(pg.title, maxTitle), line(pg.description, maxDescription)
	return pg
}

// line puts s on one line of at most n code points, cut between words; what is not UTF-8 becomes nothing.
func line(s string, n int) string {
	if !utf8.ValidString(s) {
		return ""
	}
	s = strings.Join(strings.Fields(s), " ")
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	s = string(runes[:n-1])
	if space := strings.LastIndexByte(s, ' '); space > len(s)/2 {
		s = s[:space]
	}
	return s + "…"
}

// pageClient returns the client for pages that anybody may have written. Unless private addresses are
// allowed it connects to public ones only, without a proxy, and looks at the address that is really
// dialed: what a name stands for can change between a check and its use.
func pageClient(d platform.Deps) (*http.Client, error) {
	redirects := func(req *http.Request, via []*http.Request) error {
		if len(via) > maxPageRedirects {
			return fmt.Errorf("more than %d redirects", maxPageRedirects)
		}
		if req.URL.Scheme != "https" && req.URL.Scheme != "http" {
			return fmt.Errorf("a redirect to %q", req.URL.Scheme)
		}
		return nil
	}
	web := cmp.Or(d.Web, d.HTTP).Transport
	if d.AllowPrivate {
		return &http.Client{Transport: web, CheckRedirect: redirects}, nil
	}
	transport, ok := web.(*http.Transport)
	switch {
	case web == nil:
		transport = &http.Transport{ForceAttemptHTTP2: true, TLSHandshakeTimeout: pageTimeout}
	case ok:
		transport = transport.Clone()
	default:
		return nil, fmt.Errorf("the addresses that a %T dials cannot be checked", web)
	}
	transport.Proxy = nil
	transport.DialTLSContext = nil
	transport.DialContext = (&net.Dialer{Timeout: pageTimeout, Control: onlyPublic}).DialContext
	transport.DisableKeepAlives = true
	return &http.Client{Transport: transport, CheckRedirect: redirects}, nil
}

// onlyPublic refuses connections to private addresses.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !public(to.Addr()) {
		return fmt.Errorf("%s is a private address", to.Addr())
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

// public reports whether an address is one of the public internet.
func public(ip netip.Addr) bool {
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

// cardIn returns the link card of a record that exists, nil if it has none.
func cardIn(present *stored) *link {
	if present == nil {
		return nil
	}
	var embed struct {
		External *link `json:"external"`
		Media    struct {
			External *link `json:"external"`
		} `json:"media"`
	}
	if json.Unmarshal(present.Value.Embed, &embed) != nil {
		return nil
	}
	if embed.External != nil {
		return embed.External
	}
	return embed.Media.External
}
