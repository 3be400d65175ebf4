package container_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/container"
)

// netw is a network with one account. Containers are called "1", "2", …, and what they become "post-1", ….
type netw struct {
	statuses  map[string]container.Status
	listed    []string
	calls     []string
	publish   error // what publishing answers with, after it has done it when accepts is set
	accepts   bool
	statusErr error
	words     string
	slow      int // how many times a container is not ready
	waited    time.Duration
}

var errGone = &platform.Error{Outcome: platform.Rejected, Message: "no such container"}

func (n *netw) api() *container.API {
	return &container.API{
		Prepare: func(context.Context) (string, error) {
			n.calls = append(n.calls, "prepare")
			id := string(rune('1' + len(n.statuses)))
			n.statuses[id] = container.Finished
			return id, nil
		},
		Status: func(_ context.Context, id string) (container.Status, string, error) {
			n.calls = append(n.calls, "status "+id)
			if n.statusErr != nil {
				return "", "", n.statusErr
			}
			s, ok := n.statuses[id]
			if !ok {
				return "", "", errGone
			}
			if n.slow > 0 {
				n.slow--
				return container.Preparing, "", nil
			}
			return s, n.words, nil
		},
		Gone: func(err error) bool { return errors.Is(err, errGone) },
		Publish: func(_ context.Context, id string) (platform.Remote, error) {
			n.calls = append(n.calls, "publish "+id)
			if n.publish == nil || n.accepts {
				n.statuses[id] = container.Published
				n.listed = append(n.listed, "post-"+id)
			}
			return platform.Remote{ID: "post-" + id}, n.publish
		},
		Find: func(context.Context) (*platform.Remote, error) {
			n.calls = append(n.calls, "find")
			if len(n.listed) == 0 {
				return nil, nil
			}
			return &platform.Remote{ID: n.listed[len(n.listed)-1]}, nil
		},
		Wait: func(_ context.Context, d time.Duration) error {
			n.waited += d
			return nil
		},
	}
}

func attempt(anchors map[int]string) *platform.Attempt {
	return &platform.Attempt{N: 2, Anchors: anchors, Anchor: func(part int, id string) error {
		anchors[part] = id
		return nil
	}}
}

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		before container.Status // of the container "1" that an earlier try has noted; empty: none
		gone   bool             // it was noted, and the network does not know it
		listed []string
		want   string
		calls  []string
	}{
		"first try":                 {want: "post-1", calls: []string{"prepare", "status 1", "publish 1"}},
		"published":                 {before: container.Published, listed: []string{"post-1"}, want: "post-1", calls: []string{"status 1", "find"}},
		"published and not listed":  {before: container.Published, calls: []string{"status 1", "find"}},
		"ready":                     {before: container.Finished, want: "post-1", calls: []string{"status 1", "status 1", "publish 1"}},
		"expired":                   {before: container.Expired, want: "post-2", calls: []string{"status 1", "prepare", "status 2", "publish 2"}},
		"failed":                    {before: container.Failed, want: "post-2", calls: []string{"status 1", "prepare", "status 2", "publish 2"}},
		"forgotten and not listed":  {gone: true, want: "post-1", calls: []string{"status 9", "find", "prepare", "status 1", "publish 1"}},
		"forgotten, but it is out":  {gone: true, listed: []string{"post-9"}, want: "post-9", calls: []string{"status 9", "find"}},
		"a status nobody has heard": {before: "ODD", calls: nil},
	} {
		t.Run(name, func(t *testing.T) {
			n := &netw{statuses: map[string]container.Status{}, listed: c.listed}
			anchors := map[int]string{}
			if c.before != "" {
				n.statuses["1"], anchors[0] = c.before, "1"
			}
			if c.gone {
				anchors[0] = "9"
			}
			remote, err := n.api().Send(t.Context(), 0, attempt(anchors))
			if remote.ID != c.want || (err == nil) != (c.want != "") {
				t.Errorf("got %+v, %v, want %q", remote, err, c.want)
			}
			if c.calls != nil && !slices.Equal(n.calls, c.calls) {
				t.Errorf("calls %q, want %q", n.calls, c.calls)
			}
			if c.before == container.Published && err != nil && platform.OutcomeOf(err) != platform.Unknown {
				t.Errorf("what is out is %v", err)
			}
		})
	}
}

// Whatever becomes of the first request, two tries publish once.
func TestTwoTries(t *testing.T) {
	for _, accepts := range []bool{false, true} {
		for _, outcome := range []platform.Outcome{platform.Unknown, platform.Limited, platform.Unsent} {
			n := &netw{statuses: map[string]container.Status{}, publish: &platform.Error{Outcome: outcome}, accepts: accepts}
			anchors := map[int]string{}
			if _, err := n.api().Send(t.Context(), 0, attempt(anchors)); platform.OutcomeOf(err) != outcome {
				t.Fatal(err)
			}
			n.publish = nil
			found, err := n.api().Recover(t.Context(), 0, attempt(anchors))
			if err != nil || (found != nil) != accepts {
				t.Errorf("accepted %v, found %+v, %v", accepts, found, err)
			}
			remote, err := n.api().Send(t.Context(), 0, attempt(anchors))
			if err != nil || remote.ID != "post-1" || len(n.listed) != 1 {
				t.Errorf("accepted %v: %+v, %v, out are %q", accepts, remote, err, n.listed)
			}
		}
	}
}

// A request that seemed lost arrives just before the second try's: the network refuses that one.
func TestLateRequest(t *testing.T) {
	n := &netw{statuses: map[string]container.Status{"1": container.Finished}, accepts: true, publish: &platform.Error{Outcome: platform.Rejected, Message: "already published"}}
	remote, err := n.api().Send(t.Context(), 0, attempt(map[int]string{0: "1"}))
	if err != nil || remote.ID != "post-1" {
		t.Errorf("got %+v, %v", remote, err)
	}
}

func TestNotNoted(t *testing.T) {
	n := &netw{statuses: map[string]container.Status{}}
	a := &platform.Attempt{Anchor: func(int, string) error { return errors.New("the disk is full") }}
	_, err := n.api().Send(t.Context(), 0, a)
	if platform.OutcomeOf(err) != platform.Unsent || !strings.Contains(err.Error(), "the disk is full") || len(n.listed) != 0 {
		t.Errorf("%v, out are %q", err, n.listed)
	}
	if _, err := n.api().Send(t.Context(), 0, &platform.Attempt{}); err != nil || len(n.listed) != 1 {
		t.Errorf("where nothing can be noted: %v, %q", err, n.listed)
	}
}

func TestReady(t *testing.T) {
	for name, c := range map[string]struct {
		status container.Status
		slow   int
		err    error
		want   platform.Outcome
		words  string
	}{
		"slow":        {status: container.Finished, slow: 5},
		"never":       {status: container.Finished, slow: 1000, want: platform.Unsent, words: "still preparing"},
		"failed":      {status: container.Failed, want: platform.Rejected, words: "INVALID_DURATION"},
		"not fetched": {status: container.Failed, want: platform.Unsent, words: "FAILED_DOWNLOADING_VIDEO"},
		"expired":     {status: container.Expired, want: platform.Unsent, words: "expired"},
		"unreachable": {err: &platform.Error{Outcome: platform.Unsent, Message: "no route"}, want: platform.Unsent, words: "no route"},
	} {
		t.Run(name, func(t *testing.T) {
			n := &netw{statuses: maps.Clone(map[string]container.Status{"1": c.status}), slow: c.slow, statusErr: c.err, words: c.words}
			err := n.api().Ready(t.Context(), "prepare", "1")
			if c.words == "" && err == nil {
				return
			}
			if c.words == "" || err == nil || platform.OutcomeOf(err) != c.want || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v (%v), want %v with %q", err, platform.OutcomeOf(err), c.want, c.words)
			}
			if n.waited > 3*time.Minute {
				t.Errorf("waited %v", n.waited)
			}
		})
	}
}
