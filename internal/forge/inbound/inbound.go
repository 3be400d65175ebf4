// Package inbound reads what code hosts send when something has happened to a repository: the webhooks of GitHub, GitLab, Gitea and Forgejo.
//
// It believes nothing that does not come with a secret: the body is read up to a limit, then its signature is checked, and only then is it
// looked into. What comes a second time is refused. What is learnt is small on purpose, namely that it may be time to fetch: nothing that a
// webhook says is ever acted upon without asking the repository itself.
package inbound

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// The defaults of [Options].
const (
	DefaultWindow = 10 * time.Minute
	// DefaultLimit is enough for a push of thousands of commits. GitHub sends up to 25 MB
	// (https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap, 2026-11-22), but nobody needs to be fetched for with that.
	DefaultLimit = 4 << 20
)

// Options say whom to believe.
type Options struct {
	// Secrets are those that code hosts sign with, each of which is enough: the old and the new one while they are being exchanged, or one for each
	// host. Empty ones are left out. With none, everything is refused.
	Secrets []secret.String
	// Window is how long deliveries are remembered, and how old an event may be that says when it was made. 0: [DefaultWindow].
	Window time.Duration
	// Now is the clock. It must be set.
	Now func() time.Time
	// Limit is how many bytes a body may have. 0: [DefaultLimit].
	Limit int64
}

// Receiver reads webhooks. It may be used by many goroutines.
type Receiver struct {
	window time.Duration
	limit  int64
	now    func() time.Time
	seen   memory

	mu   sync.RWMutex
	keys []key
}

// New returns a receiver.
func New(o Options) *Receiver {
	r := &Receiver{window: cmp.Or(o.Window, DefaultWindow), limit: cmp.Or(o.Limit, DefaultLimit), now: o.Now}
	// An event is believed from one window before its time until one window after it.
	r.seen.keep = 2 * r.window
	r.Rotate(o.Secrets)
	return r
}

// Rotate exchanges the secrets. What has been received is still remembered.
func (r *Receiver) Rotate(secrets []secret.String) {
	keys := keysOf(secrets)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = keys
}

// Event is what a code host has told. Only a holder of the secret can have said it, but the headers, and so Delivery and for GitHub and Gitea also
// Name, are not covered by every host's signature.
type Event struct {
	Kind     forge.Kind
	Delivery string // the host's id of it
	// Name is what has happened, as the host calls it: "push" for all of them; "ping", "pull_request", GitLab's "merge_request" and "tag_push", …
	Name       string
	Repository string   // "owner/name", in GitLab as deep as its groups; "" where the event is about none
	CloneURLs  []string // the addresses under which the host offers the repository, by HTTPS and SSH
	Ref        string   // which reference was pushed, "refs/heads/main"; "" where nothing was
	Commit     string   // what it points to now; "" where nothing was pushed, or the reference was deleted
}

// Error is a request that was not believed, or not understood. Neither it nor its text has anything from the body.
type Error struct {
	Status   int        // what to answer: 400, 401, 405, 409 or 413
	Kind     forge.Kind // "" if the request does not say
	Delivery string     // the id that the request says, "" if it says none that can be one; nobody vouches for it
	Reason   string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Delivery == "" {
		return e.Reason
	}
	return fmt.Sprintf("delivery %s: %s", e.Delivery, e.Reason)
}

// Read reads an event from a request. w is written to only where HTTP asks for a header of an answer that refuses; the answer itself is the caller's.
// A refusal is an [*Error].
//
// A host that is asked to deliver something again sends the same id, and is refused too (409): what it wants to tell is known by then.
func (r *Receiver) Read(w http.ResponseWriter, req *http.Request) (Event, error) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return Event{}, &Error{Status: http.StatusMethodNotAllowed, Reason: "webhooks are sent with POST"}
	}
	d, err := deliveryOf(req.Header)
	refused := func(status int, reason string, args ...any) (Event, error) {
		return Event{}, &Error{Status: status, Kind: d.kind, Delivery: d.id, Reason: fmt.Sprintf(reason, args...)}
	}
	if err != nil {
		return refused(http.StatusBadRequest, "%s", err)
	}
	if d.body, err = r.body(w, req); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return refused(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", r.limit)
		}
		return refused(http.StatusBadRequest, "the body ended too early")
	}
	if err := d.unpack(req.Header.Get("Content-Type")); err != nil {
		return refused(http.StatusBadRequest, "%s", err)
	}
	r.mu.RLock()
	keys := r.keys
	r.mu.RUnlock()
	if err := d.authenticate(req.Header, keys); err != nil {
		return refused(http.StatusUnauthorized, "%s", err)
	}
	// From here on, somebody has said this who knows a secret.
	e, made, err := d.read()
	if err != nil {
		return refused(http.StatusBadRequest, "%s", err)
	}
	now := r.now()
	if age := now.Sub(made).Round(time.Second); !made.IsZero() && (age > r.window || age < -r.window) {
		return refused(http.StatusConflict, "the event is from %s, %s away from this machine's clock, and more than %s is not believed",
			made.UTC().Format(time.RFC3339), age.Abs(), r.window)
	}
	if r.seen.before(now, d.marks()) {
		return refused(http.StatusConflict, "it was received before")
	}
	return e, nil
}

// body reads a body up to the limit.
func (r *Receiver) body(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	if req.ContentLength > r.limit { // there is no need to read what will be refused
		return nil, &http.MaxBytesError{Limit: r.limit}
	}
	return io.ReadAll(http.MaxBytesReader(w, req.Body, r.limit))
}
