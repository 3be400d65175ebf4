package publish_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	threads "github.com/postrider/postrider/internal/adapters/threads/fake"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

const (
	thr          = "thr"
	threadsToken = "token-of-thr"
)

// withThreads gives a world an account on Threads, and more lines of site.yaml.
func (w *world) withThreads(more string, files map[string]string) *threads.Server {
	w.t.Helper()
	w.serve(thr, func(base string) fakenet.Fake {
		return threads.New(threads.Config{Base: base, Now: w.clock.Now, Tokens: map[string]string{threadsToken: "acme"}})
	})
	w.setenv("POSTRIDER_THR_ACCESS_TOKEN", threadsToken)
	changed := map[string]string{"site.yaml": w.siteOf(more)}
	for name, text := range files {
		changed[name] = text
	}
	w.commit(changed)
	return w.fakes[thr].(*threads.Server)
}

// siteOf returns a site.yaml with the account on Threads.
func (w *world) siteOf(more string) string {
	return strings.Replace(w.site(more), "accounts:\n", fmt.Sprintf("accounts:\n  thr: {platform: threads, server: %q}\n", w.urls[thr]), 1)
}

// A container's id is on the disk before it is published and in the ledger afterwards; an answer that is lost, from a
// network that is slow to list what it has, costs a look and no second post.
func TestAnchorSurvives(t *testing.T) {
	w := newWorld(t, nil)
	fake := w.withThreads("", map[string]string{"content/sled.md": post("sled0001", "platforms: [thr]\n", "The sled is back.")})
	fake.Inject(fakenet.Plan{Fault: fakenet.ServerErrorAfterAccept})
	fake.Set(func(c *threads.Config) { c.Unlisted = true })
	var dir string
	noted := false
	report := w.runAs(w.clone(), setup{
		desk: func(d *publish.Desk) { dir = d.JournalDir },
		before: func(r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/threads_publish") {
				return
			}
			files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
			for _, name := range files {
				journal, err := os.ReadFile(name)
				noted = noted || err == nil && bytes.Contains(journal, []byte(`"anchors":{"0":"`))
			}
		},
	})
	if len(report.Deliveries) != 1 || report.Deliveries[0].Outcome != "unknown" || !noted {
		t.Fatalf("%+v, noted before it was published: %v", report.Deliveries, noted)
	}
	calls := fake.Calls()
	if rec := w.records()["sled0001@thr"]; rec == nil || len(calls) != 1 || rec.Anchors[0] != calls[0].Key {
		t.Fatalf("the ledger has %+v, the network was asked to publish %+v", rec, calls)
	}
	// Elsewhere, where there is no journal.
	w.clock.Advance(20 * time.Minute)
	w.run(w.clone())
	if state := w.state("sled0001@thr"); state != ledger.Unknown || fake.Creations() != 1 {
		t.Errorf("as long as it is not listed, it is %s, %d created", state, fake.Creations())
	}
	fake.Set(func(c *threads.Config) { c.Unlisted = false })
	w.settle()
	w.exactlyOnce(1, thr)
	if rec := w.records()["sled0001@thr"]; rec.State != ledger.Published || rec.Anchors != nil || len(fake.Calls()) != 1 {
		t.Errorf("in the end: %+v, %d requests to publish", rec, len(fake.Calls()))
	}
}

// What was prepared and not published is published by the next run.
func TestAnchorIsUsedAgain(t *testing.T) {
	w := newWorld(t, nil)
	fake := w.withThreads("", map[string]string{"content/sled.md": post("sled0001", "platforms: [thr]\n", "The sled is back.")})
	fake.Inject(fakenet.Plan{Fault: fakenet.ServerError})
	w.run(w.here())
	w.settle()
	w.exactlyOnce(1, thr)
	if calls := fake.Calls(); len(calls) != 2 || calls[0].Key != calls[1].Key || fake.Containers() != 1 {
		t.Errorf("requests to publish: %+v, %d containers", calls, fake.Containers())
	}
}

// What was prepared of another text is not published.
func TestAnchorOfAnotherText(t *testing.T) {
	w := newWorld(t, nil)
	fake := w.withThreads("", map[string]string{"content/sled.md": post("sled0001", "platforms: [thr]\n", "The sled is back.")})
	fake.Inject(fakenet.Plan{Fault: fakenet.Refuse})
	w.run(w.here())
	if rec := w.records()["sled0001@thr"]; rec.State != ledger.Rejected || rec.Anchors[0] == "" {
		t.Fatalf("after a refusal: %+v", rec)
	}
	w.commit(map[string]string{"content/sled.md": post("sled0001", "platforms: [thr]\n", "The sled is here.")})
	w.settle()
	w.exactlyOnce(1, thr)
	if calls := fake.Calls(); len(calls) != 2 || calls[0].Key == calls[1].Key || fake.Posts()[0].Text != "The sled is here." {
		t.Errorf("requests to publish: %+v, out is %+v", calls, fake.Posts())
	}
}

// A machine that cannot write notes publishes nothing that could not be asked for.
func TestAnchorThatCannotBeNoted(t *testing.T) {
	w := newWorld(t, nil)
	fake := w.withThreads("", map[string]string{"content/sled.md": post("sled0001", "platforms: [thr]\n", "The sled is back.")})
	report := w.runAs(w.here(), setup{desk: func(d *publish.Desk) {
		d.JournalDir = t.TempDir()
		if err := os.Mkdir(filepath.Join(d.JournalDir, d.Run+".jsonl"), 0o700); err != nil { // in the place of the file
			t.Error(err)
		}
	}})
	if d := report.Deliveries; len(d) != 1 || d[0].Outcome != "unsent" || fake.Creations() != 0 {
		t.Errorf("%+v, %d created", d, fake.Creations())
	}
	// Where there is to be no journal at all, the list of posts has to do.
	w.clock.Advance(time.Hour)
	w.runAs(w.here(), setup{desk: func(d *publish.Desk) { d.JournalDir = "" }})
	w.exactlyOnce(1, thr)
}

// A file is looked at where the network will look, before anything is sent.
func TestPublicMedia(t *testing.T) {
	w := newWorld(t, nil)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 400, 400))); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	serve := http.NotFound
	asked := ""
	place := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = r.URL.Path
		serve(rw, r)
	}))
	t.Cleanup(place.Close)
	fake := w.withThreads(fmt.Sprintf("media: {public_url: %q}\n", place.URL+"/raw/{commit}/{path}"), map[string]string{
		"content/sled.md":    post("sled0001", "platforms: [thr]\nmedia: [{file: \"a sled.png\", alt: A sled}]\n", "The sled is back."),
		"content/a sled.png": picture.String(),
	})
	answer := func(kind, body string) func(http.ResponseWriter, *http.Request) {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", kind)
			fmt.Fprint(rw, body)
		}
	}
	for _, c := range []struct {
		words string
		serve func(http.ResponseWriter, *http.Request)
	}{
		{"the server answers 404", http.NotFound},
		{`served as "text/html"`, answer("text/html; charset=utf-8", "<h1>Log in</h1>")},
		{"another file is there", answer("image/png", picture.String()+"x")},
		{"another file is there", answer("image/png", picture.String()[1:])},
	} {
		mu.Lock()
		serve = c.serve
		mu.Unlock()
		report := w.run(w.here())
		if d := report.Deliveries; len(d) != 1 || d[0].Outcome != "unsent" || !strings.Contains(d[0].Err.Error(), c.words) || !strings.Contains(d[0].Err.Error(), "a sled.png") {
			t.Errorf("%s: %+v", c.words, d)
		}
		w.clock.Advance(2 * time.Hour)
	}
	if len(fake.Calls()) != 0 || fake.Containers() != 0 {
		t.Errorf("something was sent: %+v", fake.Calls())
	}
	mu.Lock()
	serve = answer("image/png", picture.String())
	mu.Unlock()
	report := w.run(w.here())
	w.exactlyOnce(1, thr)
	mu.Lock()
	defer mu.Unlock()
	if want := "/raw/" + report.Commit + "/content/a sled.png"; asked != want || fake.Posts()[0].Media[0].Bytes != int64(picture.Len()) {
		t.Errorf("asked for %q, want %q; out is %+v", asked, want, fake.Posts())
	}
}
