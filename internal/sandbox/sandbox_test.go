package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/sandbox"
	"github.com/postrider/postrider/internal/secret"
)

var now = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)

func start(t *testing.T) *sandbox.Sandbox {
	t.Helper()
	var ids []platform.ID
	for _, a := range adapters.All().All() {
		if _, ok := a.(fakenet.Provider); ok {
			ids = append(ids, a.Info().ID)
		}
	}
	box, err := sandbox.Start(t.Context(), sandbox.Options{
		Registry: adapters.All(), Platforms: ids, Handles: map[platform.ID]string{"bluesky": "acme.example", "mastodon": "acme"},
		Address: "127.0.0.1:0", Now: func() time.Time { return now }, Note: "A <test>.",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return box
}

func get(t *testing.T, url string) (string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := new(http.Client).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v", url, res.Status, err)
	}
	return string(b), res.Header
}

// TestEveryPublisherHasAStandIn holds the promise that whatever can be published to can be tried.
func TestEveryPublisherHasAStandIn(t *testing.T) {
	for _, a := range adapters.All().All() {
		if _, ok := a.(fakenet.Provider); ok != a.Info().Caps.Has(platform.CanPublish) {
			t.Errorf("%s publishes: %v, has a stand-in: %v", a.Info().ID, a.Info().Caps.Has(platform.CanPublish), ok)
		}
	}
}

// TestTimeline publishes through the real Mastodon adapter and looks at the page.
func TestTimeline(t *testing.T) {
	box := start(t)
	before, _ := get(t, box.URL()+"/state")
	page, header := get(t, box.URL())
	for _, want := range []string{"Bluesky", "Mastodon", "Webhook", "Nothing posted yet", "A &lt;test&gt;.", `<html lang="en">`} {
		if !strings.Contains(page, want) {
			t.Errorf("the empty page lacks %q", want)
		}
	}
	if csp := header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy = %q", csp)
	}

	for _, r := range box.Networks() {
		if r.ID != "mastodon" {
			continue
		}
		adapter, _ := adapters.All().Get(r.ID)
		options := &mastodon.Options{Server: r.Server(), Software: mastodon.SoftwareMastodon}
		secrets := map[string]secret.String{}
		for name, value := range r.Secrets {
			secrets[name] = secret.New(value)
		}
		publisher, err := adapter.Open(&platform.Account{Name: "fedi", Platform: r.ID, Options: options}, platform.Deps{
			HTTP: new(http.Client), Now: func() time.Time { return now }, Wait: func(context.Context, time.Duration) error { return nil }, Secrets: secrets,
		})
		if err != nil {
			t.Fatal(err)
		}
		rendering := &platform.Rendering{Platform: r.ID, Visibility: "public", Parts: []platform.Part{{Text: "Hello <b>world</b>"}, {Text: "and more"}}}
		if _, err := publisher.Publish(t.Context(), rendering, platform.Attempt{Key: "k", At: now, N: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if box.Creations() != 2 {
		t.Errorf("%d posts were created, want 2", box.Creations())
	}
	page, _ = get(t, box.URL())
	for _, want := range []string{"Hello &lt;b&gt;world&lt;/b&gt;", `<article class="reply">`, "2 shown, 2 ever created"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if after, _ := get(t, box.URL()+"/state"); after == before {
		t.Error("the page has changed and /state has not")
	}
}

func TestUnknownPlatform(t *testing.T) {
	_, err := sandbox.Start(t.Context(), sandbox.Options{Registry: adapters.All(), Platforms: []platform.ID{"pigeon"}, Address: "127.0.0.1:0", Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), `no stand-in for "pigeon"`) {
		t.Errorf("error = %v", err)
	}
}

// TestTheTimeThatNetworksSay holds that answers bear the sandbox's time, not the machine's.
func TestTheTimeThatNetworksSay(t *testing.T) {
	for _, r := range start(t).Networks() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Base+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := new(http.Client).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got, want := res.Header.Get("Date"), now.Format(http.TimeFormat); got != want {
			t.Errorf("%s says that it is %s, the sandbox's time is %s", r.ID, got, want)
		}
	}
}
