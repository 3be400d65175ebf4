// Package container publishes on networks where that takes two steps: a post is prepared as a container, which nobody
// sees, and then the container is published. Threads and Instagram are such networks.
//
// There is no idempotency key, but the container is as good as one. Its id is noted before it is published, and the
// network tells whether it was. A second try publishes the same container, which can be published once.
package container

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// Status is where a container stands.
type Status string

// The statuses, as both networks spell them; others count as [Preparing].
// https://developers.facebook.com/docs/threads/troubleshooting and
// https://developers.facebook.com/docs/instagram-platform/reference/ig-container (2026-11-22)
const (
	Preparing Status = "IN_PROGRESS"
	Finished  Status = "FINISHED"
	Published Status = "PUBLISHED"
	Failed    Status = "ERROR"
	Expired   Status = "EXPIRED" // it was not published within a day
)

// API is how a network makes and publishes the container of one part. Its errors are of type *[platform.Error].
type API struct {
	// Prepare makes the container and returns its id.
	Prepare func(ctx context.Context) (id string, err error)
	// Status asks for a container's status, and for the network's words about it.
	Status func(ctx context.Context, id string) (Status, string, error)
	// Gone reports whether an error of Status says that there is no such container.
	Gone func(error) bool
	// Publish publishes a container. It makes one creating request and does not repeat it.
	Publish func(ctx context.Context, id string) (platform.Remote, error)
	// Find looks for the part among the account's own posts; nil without an error when it is not there.
	Find func(ctx context.Context) (*platform.Remote, error)
	Wait func(context.Context, time.Duration) error
}

const (
	// patience is how long a container may take to be ready. A try that has waited for so long goes on with the same
	// container the next time.
	patience = 2 * time.Minute
	maxPause = 20 * time.Second
)

// Send publishes one part of an attempt, or finds that an earlier try has done so.
func (api *API) Send(ctx context.Context, part int, a *platform.Attempt) (platform.Remote, error) {
	id, remote, err := api.recall(ctx, part, a)
	if err != nil {
		return platform.Remote{}, err
	}
	if remote != nil {
		return *remote, nil
	}
	recalled := id != ""
	if !recalled {
		if id, err = api.Prepare(ctx); err != nil {
			return platform.Remote{}, err
		}
		if a.Anchor != nil {
			if err := a.Anchor(part, id); err != nil {
				return platform.Remote{}, &platform.Error{
					Outcome: platform.Unsent, Op: "prepare post", Message: "what was prepared cannot be noted, so it is not published: " + err.Error(), Err: err,
				}
			}
		}
	}
	if err := api.Ready(ctx, "prepare post", id); err != nil {
		return platform.Remote{}, err
	}
	published, err := api.Publish(ctx, id)
	if err != nil && recalled && platform.OutcomeOf(err) == platform.Rejected {
		// Perhaps an earlier request, which seemed lost, came in between.
		if status, _, serr := api.Status(ctx, id); serr == nil && status == Published {
			found, ferr := api.found(ctx)
			if ferr == nil {
				return *found, nil
			}
			err = ferr
		}
	}
	if err != nil {
		return platform.Remote{}, err
	}
	return published, nil
}

// recall returns what an earlier try has left of a part: the published part, or a container that is still good.
func (api *API) recall(ctx context.Context, part int, a *platform.Attempt) (id string, published *platform.Remote, err error) {
	if id = a.Anchors[part]; id == "" {
		return "", nil, nil
	}
	status, _, err := api.Status(ctx, id)
	switch {
	case err != nil && api.Gone(err): // too old to be known: the list of posts is the last word
		remote, err := api.Find(ctx)
		return "", remote, err
	case err != nil:
		return "", nil, err
	case status == Published:
		remote, err := api.found(ctx)
		return "", remote, err
	case status == Failed || status == Expired:
		return "", nil, nil
	}
	return id, nil, nil
}

// found finds the part that a published container became.
func (api *API) found(ctx context.Context) (*platform.Remote, error) {
	remote, err := api.Find(ctx)
	if err == nil && remote == nil {
		err = &platform.Error{
			Outcome: platform.Unknown, Op: "look for the post",
			Message: "the network has published it, and does not list it yet",
		}
	}
	if err != nil && platform.OutcomeOf(err) != platform.Unknown { // it is out, whatever keeps us from seeing it
		err = &platform.Error{Outcome: platform.Unknown, Op: "look for the post", Err: err}
	}
	return remote, err
}

// Recover is [platform.Finder.Find] for one part: nil without an error means that it is proved absent.
func (api *API) Recover(ctx context.Context, part int, a *platform.Attempt) (*platform.Remote, error) {
	if id := a.Anchors[part]; id != "" {
		status, _, err := api.Status(ctx, id)
		switch {
		case err != nil && !api.Gone(err):
			return nil, err
		case err != nil:
		case status == Published:
			return api.found(ctx)
		default:
			return nil, nil
		}
	}
	return api.Find(ctx)
}

// Ready waits until a container can be published.
func (api *API) Ready(ctx context.Context, op, id string) error {
	for waited, pause := time.Duration(0), 2*time.Second; ; pause = min(pause*3/2, maxPause) {
		status, words, err := api.Status(ctx, id)
		if err != nil {
			return err
		}
		switch status {
		case Finished, Published: // to publish what is published is refused
			return nil
		case Failed:
			return failed(op, words)
		case Expired:
			return &platform.Error{Outcome: platform.Unsent, Op: op, Message: "what was prepared has expired"}
		}
		if waited >= patience {
			return &platform.Error{
				Outcome: platform.Unsent, Op: op,
				Message: fmt.Sprintf("the network is still preparing it after %s", waited.Round(time.Second)),
			}
		}
		if err := api.Wait(ctx, pause); err != nil {
			return &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
		}
		waited += pause
	}
}

// failed returns the error for a container that could not be prepared: what the file is, the network refuses, and what
// happened on the way to it may be over soon. The words are Threads' and the codes Instagram's:
// https://developers.facebook.com/docs/threads/troubleshooting and
// https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes (2026-11-22)
func failed(op, words string) error {
	e := &platform.Error{Outcome: platform.Rejected, Op: op, Message: words, Err: ErrFailed}
	for _, passing := range [...]string{"FAILED_DOWNLOADING", "UNKNOWN", "2207001", "2207003", "2207020", "2207032", "2207053"} {
		if strings.Contains(words, passing) {
			e.Outcome, e.Hint = platform.Unsent, "the network fetches files from their addresses: nothing there, robots.txt included, may keep it out"
		}
	}
	return e
}

// ErrFailed is wrapped by the error of [API.Ready] for a container that the network could not prepare.
var ErrFailed = errors.New("the network could not prepare it")
