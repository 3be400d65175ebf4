package apihttp

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ResetFormat tells how a header writes the end of a rate limit.
type ResetFormat uint8

// The formats in use.
const (
	Unix       ResetFormat = iota // seconds since 1970: Bluesky, X, GitHub
	UnixMillis                    // milliseconds since 1970: Rocket.Chat
	ISO8601                       // RFC 3339: Mastodon, GoToSocial
	Delta                         // seconds from now: the IETF draft, Reddit
)

// LimitStyle is how a platform says when a rate limit ends. Retry-After is understood everywhere and
// goes before it.
type LimitStyle struct {
	Header string // "RateLimit-Reset"; empty when the platform has no such header
	Format ResetFormat
}

// maxWait bounds what a server may make us wait; more than a day is a mistake or malice.
const maxWait = 24 * time.Hour

// retryAfter returns how long the server wants us to wait, 0 when it does not say. Absolute times are
// compared with the server's own clock where it tells it.
func (c *Client) retryAfter(h http.Header) time.Duration {
	now := c.now()
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	if wait, ok := parseRetryAfter(h.Get("Retry-After"), now); ok {
		return wait
	}
	if c.Limits.Header == "" {
		return 0
	}
	wait, _ := parseReset(h.Get(c.Limits.Header), c.Limits.Format, now)
	return wait
}

// parseRetryAfter reads RFC 9110, section 10.2.3: seconds or a date; fractions occur (Discord).
func parseRetryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if wait, ok := parseSeconds(value); ok {
		return wait, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return clampWait(at.Sub(now)), true
}

func parseReset(value string, format ResetFormat, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	switch format {
	case Delta:
		return parseSeconds(value)
	case ISO8601:
		at, err := time.Parse(time.RFC3339Nano, value)
		if err != nil {
			return 0, false
		}
		return clampWait(at.Sub(now)), true
	default:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n <= 0 {
			return 0, false
		}
		if format == UnixMillis {
			return clampWait(time.UnixMilli(n).Sub(now)), true
		}
		return clampWait(time.Unix(n, 0).Sub(now)), true
	}
}

func parseSeconds(value string) (time.Duration, bool) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return clampWait(time.Duration(min(n, maxWait.Seconds()) * float64(time.Second))), true
}

func clampWait(d time.Duration) time.Duration { return max(0, min(d, maxWait)) }
