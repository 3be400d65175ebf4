package forge

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// Rationed returns a client that makes so many requests, and no more.
func Rationed(client *http.Client, requests int64) *http.Client {
	c := *client
	r := &rationed{next: client.Transport, most: requests}
	r.left.Store(requests)
	c.Transport = r
	return &c
}

type rationed struct {
	next http.RoundTripper
	most int64
	left atomic.Int64
}

// RoundTrip implements [http.RoundTripper].
func (r *rationed) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.left.Add(-1) < 0 {
		if req.Body != nil {
			req.Body.Close() //nolint:errcheck // it is not sent
		}
		return nil, fmt.Errorf("the code host was asked %d times, which is enough for one run", r.most)
	}
	return r.next.RoundTrip(req)
}
