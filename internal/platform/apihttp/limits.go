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
	Unix          ResetFormat = iota // seconds since 1970: Bluesky, X, GitHub
	UnixMillis                       // milliseconds since 1970: Rocket.Chat
	ISO8601                          // RFC 3339: Mastodon
	Delta                            // seconds from now: the IETF draft, Reddit
	ISO8601OrUnix                    // either: Mastodon writes the one, GoToSocial, which speaks its API, the other
)

// LimitStyle is how a platform tells of its rate limits. Retry-After is understood everywhere and goes before it.
type LimitStyle struct {
	// Reset is the header that says when the limit ends: "RateLimit-Reset"; empty when the platform has no such header.
	Reset  string
	Format ResetFormat // of Reset
	// Remaining is the header that says how much is left until then: "RateLimit-Remaining"; empty as above.
	Remaining string
	// Cost is how much of it creating one post takes; 0 counts as 1.
	Cost uint64
}

// maxWait bounds what a server may make us wait; more than a day is a mistake or malice.
const maxWait = 24 * time.Hour

// serverNow returns the time by the clock of the server that answered, by ours when it does not tell.
func (c *Client) serverNow(h http.Header) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return c.now()
}

// retryAfter returns how long the server wants us to wait, 0 when it does not say. Absolute times are
// compared with the server's own clock where it tells it.
func (c *Client) retryAfter(h http.Header) time.Duration {
	now := c.serverNow(h)
	if wait, ok := parseRetryAfter(h.Get("Retry-After"), now); ok {
		return wait
	}
	return c.reset(h, now)
}

// reset returns how long it is until the rate limit ends that an answer tells of, 0 when it tells of none.
func (c *Client) reset(h http.Header, now time.Time) time.Duration {
	if c.Limits.Reset == "" {
		return 0
	}
	wait, _ := parseReset(h.Get(c.Limits.Reset), c.Limits.Format, now)
	return wait
}

// spend notes in the budget what an answer to a creating request says of the next one: nothing is left, and until
// when. What cannot be read says nothing.
func (c *Client) spend(h http.Header) {
	if c.Limits.Remaining == "" {
		return
	}
	left, err := strconv.ParseUint(strings.TrimSpace(h.Get(c.Limits.Remaining)), 10, 64)
	if err != nil || left >= max(1, c.Limits.Cost) {
		return
	}
	if wait := c.reset(h, c.serverNow(h)); wait > 0 {
		c.Budget.Block(c.now().Add(wait))
	}
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
	case ISO8601OrUnix:
		if wait, ok := parseReset(value, ISO8601, now); ok {
			return wait, ok
		}
		return parseReset(value, Unix, now)
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
