package x

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what RFC 5849 and X ask for; an HMAC with it is sound
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/secret"
)

// oauth1 are the four parts of an OAuth 1.0a access: of the app, and of the account that has let it in.
type oauth1 struct{ key, keySecret, token, tokenSecret secret.String }

// authorize signs a request. Its query is signed; its body is not, since no request of this package has a form for a body.
func (o *oauth1) authorize(r *http.Request, now time.Time) {
	r.Header.Set("Authorization", o.header(r.Method, r.URL, nil, rand.Text(), now))
}

// header returns the Authorization header of a request: RFC 5849, section 3.5.1.
func (o *oauth1) header(method string, u *url.URL, form url.Values, nonce string, now time.Time) string {
	protocol := [][2]string{
		{"oauth_consumer_key", o.key.Reveal()},
		{"oauth_nonce", nonce},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(now.Unix(), 10)},
		{"oauth_token", o.token.Reveal()},
		{"oauth_version", "1.0"},
	}
	base := signatureBase(method, u, form, protocol)
	mac := hmac.New(sha1.New, []byte(percent(o.keySecret.Reveal())+"&"+percent(o.tokenSecret.Reveal())))
	mac.Write([]byte(base)) // a hash takes everything
	protocol = append(protocol, [2]string{"oauth_signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))})

	fields := make([]string, len(protocol))
	for i, p := range protocol {
		fields[i] = p[0] + `="` + percent(p[1]) + `"`
	}
	return "OAuth " + strings.Join(fields, ", ")
}

// signatureBase returns the string that is signed: RFC 5849, section 3.4.1.
func signatureBase(method string, u *url.URL, form url.Values, protocol [][2]string) string {
	var params [][2]string
	add := func(key, value string) { params = append(params, [2]string{percent(key), percent(value)}) }
	for _, values := range [2]url.Values{u.Query(), form} {
		for key, list := range values {
			for _, value := range list {
				add(key, value)
			}
		}
	}
	for _, p := range protocol {
		add(p[0], p[1])
	}
	slices.SortFunc(params, func(a, b [2]string) int {
		return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
	})
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = p[0] + "=" + p[1]
	}
	return strings.ToUpper(method) + "&" + percent(baseURI(u)) + "&" + percent(strings.Join(pairs, "&"))
}

// baseURI returns an address without its query, in lower case and without a port that goes without saying: RFC 5849,
// section 3.4.1.2.
func baseURI(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + host + cmp.Or(u.EscapedPath(), "/")
}

// percent encodes as RFC 5849, section 3.6, wants: all but letters, digits and "-._~", with upper-case digits.
func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
