package graph

import (
	"slices"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// TokenInfo is the answer of debug_token: what the API tells of a token.
// https://developers.facebook.com/docs/graph-api/reference/debug_token,
// https://developers.facebook.com/documentation/threads/troubleshooting/debug-access-token (2026-11-22)
type TokenInfo struct {
	Data struct {
		Valid bool `json:"is_valid"`
		// Expires and DataExpires are Unix times; 0 stands for never.
		Expires     int64    `json:"expires_at"`
		DataExpires int64    `json:"data_access_expires_at"`
		Scopes      []string `json:"scopes"`
	} `json:"data"`
}

// Tell adds to an identity what is known of its token: how long it lives, what it may do, and which of the needed scopes it lacks.
func (t *TokenInfo) Tell(id *platform.Identity, needs ...platform.Need) {
	at := func(seconds int64) time.Time {
		if seconds <= 0 {
			return time.Time{}
		}
		return time.Unix(seconds, 0).UTC()
	}
	id.Expires, id.DataExpires = at(t.Data.Expires), at(t.Data.DataExpires)
	id.Scopes = slices.Clone(t.Data.Scopes)
	slices.Sort(id.Scopes)
	id.Lacks = platform.Lacking(id.Scopes, needs...)
}
