package fake

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what RFC 5849 says
	"encoding/base64"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// OAuth1 are the four parts of an OAuth 1.0a access.
type OAuth1 struct{ Key, KeySecret, Token, TokenSecret string }

// clockSkew is how many seconds the clock of a client may be off.
const clockSkew = 300

// userOf returns who has signed a request, nil if nobody has, or nobody who is known.
func (s *Server) userOf(r *http.Request) *User {
	header := r.Header.Get("Authorization")
	if bearer, found := strings.CutPrefix(header, "Bearer "); found {
		for i := range s.config.Users {
			if u := &s.config.Users[i]; u.Bearer != "" && u.Bearer == bearer {
				return u
			}
		}
		return nil
	}
	fields, found := strings.CutPrefix(header, "OAuth ")
	if !found {
		return nil
	}
	given := url.Values{}
	for field := range strings.SplitSeq(fields, ",") {
		name, quoted, _ := strings.Cut(strings.TrimSpace(field), "=")
		value, err := url.PathUnescape(strings.Trim(quoted, `"`))
		if err != nil || given.Has(name) {
			return nil
		}
		given.Set(name, value)
	}
	for i := range s.config.Users {
		u := &s.config.Users[i]
		if u.OAuth1.Token != "" && given.Get("oauth_token") == u.OAuth1.Token && given.Get("oauth_consumer_key") == u.OAuth1.Key && s.signed(r, given, u) {
			return u
		}
	}
	return nil
}

// signed reports whether a signature is that of the user, made lately, and for the first time.
func (s *Server) signed(r *http.Request, given url.Values, u *User) bool {
	at, err := strconv.ParseInt(given.Get("oauth_timestamp"), 10, 64)
	if err != nil || math.Abs(float64(s.config.Now().Unix()-at)) > clockSkew {
		return false
	}
	nonce := given.Get("oauth_nonce")
	if nonce == "" || s.nonces[nonce] || given.Get("oauth_signature_method") != "HMAC-SHA1" {
		return false
	}
	pairs := []string{}
	collect := func(values url.Values) {
		for name, list := range values {
			for _, value := range list {
				if name != "oauth_signature" {
					pairs = append(pairs, escape(name)+"="+escape(value))
				}
			}
		}
	}
	collect(given)
	collect(r.URL.Query())
	slices.Sort(pairs) // no name here is the beginning of another
	base := r.Method + "&" + escape(s.config.Base+r.URL.EscapedPath()) + "&" + escape(strings.Join(pairs, "&"))
	mac := hmac.New(sha1.New, []byte(escape(u.OAuth1.KeySecret)+"&"+escape(u.OAuth1.TokenSecret)))
	mac.Write([]byte(base)) // a hash takes everything
	if base64.StdEncoding.EncodeToString(mac.Sum(nil)) != given.Get("oauth_signature") {
		return false
	}
	s.nonces[nonce] = true
	return true
}

// escape encodes byte by byte, as RFC 5849, section 3.6, is written.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			out.WriteByte(c)
		default:
			out.WriteString("%" + hex[c>>4:c>>4+1] + hex[c&15:c&15+1])
		}
	}
	return out.String()
}
