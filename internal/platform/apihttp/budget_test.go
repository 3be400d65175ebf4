package apihttp

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// answering is a client whose every request gets one answer.
func answering(t *testing.T, style LimitStyle, status int, h http.Header) *Client {
	t.Helper()
	c := newClient(t, "https://api.example")
	c.Limits, c.Budget = style, &platform.Budget{}
	c.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(`{}`)), Request: r}, nil
	})}
	return c
}

func TestBudget(t *testing.T) {
	const date = "Tue, 01 Dec 2026 10:00:00 GMT" // an hour after the client's clock
	bluesky := LimitStyle{Reset: "RateLimit-Reset", Remaining: "RateLimit-Remaining", Cost: 2}
	mastodon := LimitStyle{Reset: "X-RateLimit-Reset", Format: ISO8601OrUnix, Remaining: "X-RateLimit-Remaining"}
	create, upload, read := Request{Method: "POST", Creates: true}, Request{Method: "POST", OwnLimit: true}, Request{}
	left := func(style LimitStyle, remaining, reset string) http.Header {
		h := http.Header{}
		h.Set("Date", date)
		h.Set(style.Remaining, remaining)
		h.Set(style.Reset, reset)
		return h
	}
	const unix, iso = "1796119260", "2026-12-01T10:01:00.000000Z" // a minute after Date
	tests := []struct {
		name    string
		style   LimitStyle
		request Request
		status  int
		header  http.Header
		want    time.Duration // from the client's now; 0 for no block
	}{
		{"plenty", bluesky, create, 200, left(bluesky, "4998", unix), 0},
		{"nothing left", bluesky, create, 200, left(bluesky, "0", unix), time.Minute},
		{"not enough for another", bluesky, create, 200, left(bluesky, "1", unix), time.Minute},
		{"just enough for another", bluesky, create, 200, left(bluesky, "2", unix), 0},
		{"Mastodon's last", mastodon, create, 200, left(mastodon, "0", iso), time.Minute},
		{"Mastodon's last but one", mastodon, create, 200, left(mastodon, "1", iso), 0},
		{"GoToSocial's last", mastodon, create, 200, left(mastodon, "0", unix), time.Minute},
		{"the last was refused", mastodon, create, 422, left(mastodon, "0", iso), time.Minute},
		{"the last of the uploads", mastodon, upload, 200, left(mastodon, "0", iso), 0},
		{"the last of the readings", mastodon, read, 200, left(mastodon, "0", iso), 0},
		{"limited", mastodon, create, 429, left(mastodon, "0", iso), time.Minute},
		{"limited while reading", mastodon, read, 429, left(mastodon, "0", iso), time.Minute},
		{"limited for uploads", mastodon, upload, 429, left(mastodon, "0", iso), 0},
		{"limited with Retry-After", LimitStyle{}, create, 429, http.Header{"Retry-After": {"90"}}, 90 * time.Second},
		{"limited, nobody says how long", LimitStyle{}, create, 429, http.Header{}, 0},
		{"no reset", bluesky, create, 200, left(bluesky, "0", ""), 0},
		{"reset in the past", bluesky, create, 200, left(bluesky, "0", "1796000000"), 0},
		{"reset in a year", bluesky, create, 200, left(bluesky, "0", "1830000000"), maxWait},
		{"not a number", bluesky, create, 200, left(bluesky, "none", unix), 0},
		{"negative", bluesky, create, 200, left(bluesky, "-1", unix), 0},
		{"empty", bluesky, create, 200, left(bluesky, "", unix), 0},
		{"the platform has no such header", LimitStyle{Reset: "RateLimit-Reset"}, create, 200, left(bluesky, "0", unix), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := answering(t, test.style, test.status, test.header)
			c.Do(t.Context(), test.request, nil) //nolint:errcheck // only the budget matters
			want := time.Time{}
			if test.want > 0 {
				want = c.now().Add(test.want)
			}
			if got := c.Budget.Until(); !got.Equal(want) && (test.want > 0 || got.After(c.now())) {
				t.Errorf("blocked until %v, want %v", got, want)
			}
			c.Budget = nil
			c.Do(t.Context(), test.request, nil) //nolint:errcheck // must not panic
		})
	}
}

// Whatever the headers say, the account is not blocked for longer than is credible, and not at all by what cannot be read.
func FuzzBudget(f *testing.F) {
	f.Add("0", "1796119260", uint8(0))
	f.Add("0", "2026-12-01T10:01:00Z", uint8(4))
	f.Add("-0", "NaN", uint8(3))
	f.Add("00000000000000000000000", "9223372036854775807", uint8(1))
	f.Fuzz(func(t *testing.T, remaining, reset string, format uint8) {
		c := answering(t, LimitStyle{Reset: "Reset", Format: ResetFormat(format % 5), Remaining: "Remaining"}, 200,
			http.Header{"Remaining": {remaining}, "Reset": {reset}})
		c.Do(t.Context(), Request{Method: "POST", Creates: true}, nil) //nolint:errcheck // only the budget matters
		until := c.Budget.Until()
		if until.After(c.now().Add(maxWait)) {
			t.Errorf("blocked until %v", until)
		}
		if !until.IsZero() && strings.Trim(strings.TrimSpace(remaining), "0") != "" {
			t.Errorf("blocked until %v although %q are left", until, remaining)
		}
	})
}

func TestTimeoutGrowsWithTheBody(t *testing.T) {
	c := &Client{Timeout: 300 * time.Millisecond}
	for bytes, want := range map[int64]time.Duration{-1: c.Timeout, 0: c.Timeout, 60_000: c.Timeout, 2 << 20: c.Timeout + 32*time.Second} {
		if got := c.timeout(bytes); got != want {
			t.Errorf("%d bytes: %v, want %v", bytes, got, want)
		}
	}
	if got := (&Client{}).timeout(0); got != DefaultTimeout {
		t.Errorf("by default %v", got)
	}
}
