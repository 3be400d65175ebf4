// Package fakenet is what the fake servers of all adapters have in common.
//
// Every adapter brings a fake of its network: a server with state that accepts, refuses and answers as
// the real one does. The sandbox of `postrider demo` shows what the fakes hold, and the conformance
// suite breaks their connections at every bad moment. This package has their shared interface, [Fake],
// and the switch for faults, [Faults].
package fakenet

import (
	"net/http"
	"time"
)

// Fake is the stateful fake server of one platform. It is safe for concurrent use.
type Fake interface {
	http.Handler
	// Posts returns what exists now, oldest first.
	Posts() []Post
	// Creations returns how many posts were ever created, those deleted since included. It is the
	// oracle of every test about "exactly once".
	Creations() int
	// Calls returns all creating requests that arrived, whatever became of them, oldest first.
	Calls() []Call
	// Inject makes creating requests fail from now on; a plan replaces the one before.
	Inject(Plan)
	// Limit has the network take no more posts than a quota allows, and say with every answer to one how many are left.
	// A quota replaces the one before; the empty one has no limit.
	Limit(Quota)
}

// Post is one post as it exists on a fake network.
type Post struct {
	ID       string
	URL      string // of a page that the fake serves
	Account  string // who posted it, as the network shows it
	Key      string // the idempotency key or record key it was created under
	Title    string
	Text     string
	Parent   string // the ID of the post that this one answers, "" for none
	Root     string // the ID of the first post of its thread, "" when it is the first itself
	Media    []Media
	Card     *Card
	Poll     []string // the options
	Language []string

	Visibility     string
	ContentWarning string
	Sensitive      bool
	Created        time.Time // as the network shows it
	Edited         bool
}

// Media is a file attached to a post on a fake network.
type Media struct {
	URL    string // where the fake serves the bytes
	MIME   string
	Alt    string
	Digest string // hex SHA-256 of the bytes that arrived
	Bytes  int64
}

// Card is a link preview on a fake network.
type Card struct {
	URL, Title, Description string
	Image                   *Media
}

// Call is one creating request that arrived at a fake.
type Call struct {
	Key string // the idempotency key or record key
}
