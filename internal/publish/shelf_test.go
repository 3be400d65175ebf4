package publish_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	instagram "github.com/postrider/postrider/internal/adapters/instagram/fake"
	threads "github.com/postrider/postrider/internal/adapters/threads/fake"
	"github.com/postrider/postrider/internal/bucket/fakebucket"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

const (
	ig             = "ig"
	instagramToken = "token-of-ig"
	bucketKey      = "AKIAPOSTRIDERTEST"
	bucketSecret   = "the-secret-part-of-the-key"
)

// drawing returns a PNG, and photograph a JPEG, of which each size has its own.
func drawing(t *testing.T, side int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func photograph(t *testing.T, side int) string {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// shop is a world with accounts on Threads and Instagram, and a bucket.
type shop struct {
	*world
	bucket    *fakebucket.Server
	threads   *threads.Server
	instagram *instagram.Server
}

// withBucket gives a world a bucket; more are lines below media.bucket in site.yaml, in which BUCKET stands for where it is served.
func withBucket(t *testing.T, more string, files map[string]string) *shop {
	t.Helper()
	w := &shop{world: newWorld(t, nil)}
	w.bucket = fakebucket.New(fakebucket.Config{Name: "acme-social", KeyID: bucketKey, Region: "us-east-1", Now: w.clock.Now})
	server := httptest.NewServer(w.bucket)
	t.Cleanup(server.Close)
	w.serve(ig, func(base string) fakenet.Fake {
		return instagram.New(instagram.Config{Base: base, Now: w.clock.Now, Tokens: map[string]string{instagramToken: "acme"}})
	})
	w.instagram = w.fakes[ig].(*instagram.Server)
	w.setenv("POSTRIDER_IG_ACCESS_TOKEN", instagramToken)
	w.setenv("POSTRIDER_MEDIA_ACCESS_KEY_ID", bucketKey)
	w.setenv("POSTRIDER_MEDIA_SECRET_ACCESS_KEY", bucketSecret)
	media := fmt.Sprintf("media:\n  bucket:\n    endpoint: %q\n    name: acme-social\n", server.URL) + strings.ReplaceAll(more, "BUCKET", server.URL)
	w.threads = w.withThreads(media, files)
	site := strings.Replace(w.siteOf(media), "accounts:\n", fmt.Sprintf("accounts:\n  ig: {platform: instagram, server: %q}\n", w.urls[ig]), 1)
	w.commit(map[string]string{"site.yaml": site})
	return w
}

// empty fails the test unless the bucket has nothing.
func (w *shop) empty() {
	w.t.Helper()
	if o := w.bucket.Objects(); len(o) != 0 {
		w.t.Errorf("the bucket still has %d objects", len(o))
	}
}

// puts returns how often each object was put into the bucket.
func (w *shop) puts() (n []int) {
	for _, times := range w.bucket.Puts() {
		n = append(n, times)
	}
	slices.Sort(n)
	return n
}

const sled = "media: [{file: sled.png, alt: A sled}]\n"

// Files are in the bucket as each network gets them, for as long as it takes.
func TestBucket(t *testing.T) {
	for name, more := range map[string]string{"signed": "", "public": "    public_url: \"BUCKET/acme-social/{key}\"\n"} {
		t.Run(name, func(t *testing.T) {
			w := withBucket(t, more, map[string]string{
				"content/sled.md":  post("sled0001", "platforms: [thr, ig]\n"+sled, "The sled is back."),
				"content/hill.md":  post("hill0001", "platforms: [thr, ig]\nmedia: [{file: hill.jpg, alt: A hill}]\n", "The hill is white."),
				"content/words.md": post("word0001", "platforms: [thr]\n", "Words alone."),
				"content/sled.png": drawing(t, 400), "content/hill.jpg": photograph(t, 400),
			})
			w.bucket.Set(func(c *fakebucket.Config) { c.Public = name == "public" })
			w.bucket.Place("postrider/logo.png", fakebucket.Object{Type: "image/png", Modified: start.AddDate(-1, 0, 0)})
			report := w.run(w.here())
			if got := results(report); !slices.Equal(got, []string{
				"hill0001@ig published", "hill0001@thr published", "sled0001@ig published", "sled0001@thr published", "word0001@thr published",
			}) {
				t.Fatalf("%q: %+v", got, report.Deliveries)
			}
			w.exactlyOnce(2, ig)
			w.exactlyOnce(3, thr)
			var types []string
			for _, p := range append(w.instagram.Posts(), w.threads.Posts()...) {
				for _, m := range p.Media {
					types = append(types, m.MIME)
					if name == "public" && strings.Contains(m.URL, "?") || name == "signed" && !strings.Contains(m.URL, "X-Amz-Signature") {
						t.Errorf("the network was given %s", m.URL)
					}
				}
			}
			slices.Sort(types)
			if !slices.Equal(types, []string{"image/jpeg", "image/jpeg", "image/jpeg", "image/png"}) {
				t.Errorf("the networks have %q", types)
			}
			// The photograph goes to both as it is: one object. The drawing becomes a JPEG for Instagram.
			if got := w.puts(); !slices.Equal(got, []int{1, 1, 1}) {
				t.Errorf("objects were put there %v times", got)
			}
			for key, times := range w.bucket.Gets() {
				if times < 2 {
					t.Errorf("%s was fetched without a look before", key)
				}
			}
			if o := w.bucket.Objects(); len(o) != 1 || o["postrider/logo.png"].Type == "" {
				t.Errorf("the bucket still has %d objects", len(o))
			}
			if log := w.log.String(); strings.Contains(log, bucketSecret) || strings.Contains(log, "X-Amz") {
				t.Errorf("the log has a secret")
			}
		})
	}
}

// What goes wrong with the bucket keeps a post back, says why, and is over when it is mended.
func TestBucketFails(t *testing.T) {
	w := withBucket(t, "", map[string]string{
		"content/sled.md": post("sled0001", "platforms: [thr]\n"+sled, "The sled is back."), "content/sled.png": drawing(t, 400),
	})
	on := func(method, code string, status int) func(*fakebucket.Config) {
		return func(c *fakebucket.Config) {
			c.Cut = nil
			c.Fail = func(r *http.Request) (string, int) {
				if r.Method != method {
					return "", 0
				}
				return code, status
			}
		}
	}
	for _, c := range []struct {
		words, hint string
		set         func(*fakebucket.Config)
	}{
		{"AccessDenied", "put, get and delete objects", on(http.MethodPut, "AccessDenied", 403)},
		{"SlowDown", "a later run", on(http.MethodPut, "SlowDown", 503)},
		{"the server answers 403", "allowed to get objects", on(http.MethodGet, "AccessDenied", 403)},
		{"Connection closed", "does the service answer", func(c *fakebucket.Config) {
			c.Fail, c.Cut = nil, func(r *http.Request) bool { return r.Method == http.MethodPut }
		}},
		{"AuthorizationHeaderMalformed", "media.bucket.region", func(c *fakebucket.Config) { c.Cut, c.Region = nil, "eu-central-1" }},
	} {
		w.bucket.Set(c.set)
		report := w.run(w.here())
		d := report.Deliveries
		if len(d) != 1 || d[0].Outcome != "unsent" {
			t.Fatalf("%s: %+v", c.words, d)
		}
		e, ok := errors.AsType[*platform.Error](d[0].Err)
		if !ok || !strings.Contains(e.Error(), c.words) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s: %v, hint %q", c.words, d[0].Err, e.Hint)
		}
		if text := e.Error() + w.records()["sled0001@thr"].Last().Error; strings.Contains(text, "X-Amz") || strings.Contains(text, bucketKey) {
			t.Errorf("%s: %s", c.words, text)
		}
		w.clock.Advance(2 * time.Hour)
	}
	if w.threads.Containers() != 0 {
		t.Error("the network was told of a file that is not there")
	}
	w.bucket.Set(func(c *fakebucket.Config) { c.Fail, c.Region = nil, "us-east-1" })
	w.settle()
	w.exactlyOnce(1, thr)
	w.empty()
}

// What cannot be deleted is no reason to call a post anything but published; it is removed when it is old.
func TestBucketThatCannotBeTidied(t *testing.T) {
	w := withBucket(t, "", map[string]string{
		"content/sled.md": post("sled0001", "platforms: [thr]\n"+sled, "The sled is back."), "content/sled.png": drawing(t, 400),
		"content/hill.md":  post("hill0001", "platforms: [thr]\npublish_at: 2026-12-02 12:00\nmedia: [{file: hill.jpg, alt: A hill}]\n", "The hill is white."),
		"content/hill.jpg": photograph(t, 400),
	})
	w.bucket.Set(func(c *fakebucket.Config) {
		c.Fail = func(r *http.Request) (string, int) {
			if r.Method == http.MethodDelete {
				return "AccessDenied", 403
			}
			return "", 0
		}
	})
	if got := results(w.run(w.here())); !slices.Equal(got, []string{"sled0001@thr published"}) {
		t.Fatal(got)
	}
	if n := len(w.bucket.Objects()); n != 1 {
		t.Fatalf("%d objects", n)
	}
	w.bucket.Set(func(c *fakebucket.Config) { c.Fail = nil })
	w.clock.Advance(28 * time.Hour)
	if got := results(w.run(w.here())); !slices.Equal(got, []string{"hill0001@thr published"}) {
		t.Fatal(got)
	}
	w.exactlyOnce(2, thr)
	w.empty()
}

// An object stays for as long as it is not known what became of the post that needs it.
func TestBucketAndUnknown(t *testing.T) {
	w := withBucket(t, "", map[string]string{
		"content/sled.md": post("sled0001", "platforms: [thr]\n"+sled, "The sled is back."), "content/sled.png": drawing(t, 400),
		"content/hill.md": post("hill0001", "platforms: [thr]\npublish_at: 2026-12-01 09:10\n"+sled, "The same sled."),
	})
	w.threads.Inject(fakenet.Plan{Fault: fakenet.ServerErrorAfterAccept})
	w.threads.Set(func(c *threads.Config) { c.Unlisted = true })
	if got := results(w.run(w.here())); !slices.Equal(got, []string{"sled0001@thr unknown"}) {
		t.Fatal(got)
	}
	if n := len(w.bucket.Objects()); n != 1 {
		t.Errorf("%d objects while it is unknown", n)
	}
	// Another post with the same picture goes out, and does not take it away.
	w.clock.Advance(20 * time.Minute)
	w.run(w.here())
	if w.state("hill0001@thr") != ledger.Published || w.state("sled0001@thr") != ledger.Unknown || len(w.bucket.Objects()) != 1 {
		t.Errorf("%d objects: %+v", len(w.bucket.Objects()), w.records())
	}
	w.threads.Set(func(c *threads.Config) { c.Unlisted = false })
	w.settle()
	w.exactlyOnce(2, thr)
	w.empty()
}

// A machine that dies between putting a file there and taking it away leaves it to the next.
func TestBucketSurvivesCrashes(t *testing.T) {
	publishing := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "_publish") }
	for name, at := range map[string]func(r *http.Request, answered bool) bool{
		"before it is put there": func(r *http.Request, answered bool) bool { return r.Method == http.MethodPut && !answered },
		"once it is there":       func(r *http.Request, answered bool) bool { return r.Method == http.MethodPut && answered },
		"before it is out":       func(r *http.Request, answered bool) bool { return publishing(r) && !answered },
		"once it is out":         func(r *http.Request, answered bool) bool { return publishing(r) && answered },
		"before it is deleted":   func(r *http.Request, answered bool) bool { return r.Method == http.MethodDelete && !answered },
	} {
		t.Run(name, func(t *testing.T) {
			w := withBucket(t, "", map[string]string{
				"content/sled.md": post("sled0001", "platforms: [ig]\n"+sled, "The sled is back."), "content/sled.png": drawing(t, 400),
			})
			w.crash("dead", at)
			w.settle()
			w.exactlyOnce(1, ig)
			if name == "before it is deleted" { // the post was settled before
				w.clock.Advance(25 * time.Hour)
				w.commit(map[string]string{"content/hill.md": post("hill0001", "platforms: [thr]\npublish_at: 2026-12-02 10:00\n"+sled, "The hill.")})
				w.settle()
				w.exactlyOnce(1, thr)
			}
			w.empty()
		})
	}
}

// What the network refuses needs no picture any more.
func TestBucketAndRefusal(t *testing.T) {
	w := withBucket(t, "", map[string]string{
		"content/sled.md": post("sled0001", "platforms: [ig]\n"+sled, "The sled is back."), "content/sled.png": drawing(t, 400),
	})
	w.instagram.Inject(fakenet.Plan{Fault: fakenet.Refuse})
	if got := results(w.run(w.here())); !slices.Equal(got, []string{"sled0001@ig rejected"}) {
		t.Fatal(got)
	}
	w.empty()
}

// Keys that are missing are found before anything is sent, by those who need them.
func TestBucketWithoutKeys(t *testing.T) {
	w := withBucket(t, "", map[string]string{
		"content/words.md": post("word0001", "platforms: [thr]\n", "Words alone."), "content/sled.png": drawing(t, 400),
	})
	w.setenv("POSTRIDER_MEDIA_SECRET_ACCESS_KEY", "")
	if got := results(w.run(w.here())); !slices.Equal(got, []string{"word0001@thr published"}) {
		t.Fatal(got)
	}
	w.commit(map[string]string{"content/sled.md": post("sled0001", "platforms: [bsky, thr]\n"+sled, "The sled is back.")})
	_, err := w.try(w.here(), setup{})
	if missing, ok := errors.AsType[*publish.SecretsError](err); !ok || !strings.Contains(missing.Error(), "media.bucket lacks its secret: set POSTRIDER_MEDIA_SECRET_ACCESS_KEY") {
		t.Errorf("got %v", err)
	}
	w.created(0, bsky)
	// What other tools use will do.
	w.setenv("POSTRIDER_MEDIA_ACCESS_KEY_ID", "")
	w.setenv("AWS_ACCESS_KEY_ID", bucketKey)
	w.setenv("AWS_SECRET_ACCESS_KEY", bucketSecret)
	w.settle()
	w.exactlyOnce(1, bsky)
	w.exactlyOnce(2, thr)
}

func TestBucketHealth(t *testing.T) {
	w := withBucket(t, "", nil)
	ask := func() publish.BucketHealth {
		t.Helper()
		d, err := w.open(w.here(), setup{})
		if err != nil {
			t.Fatal(err)
		}
		h, ok, err := d.Bucket(t.Context())
		if err != nil || !ok {
			t.Fatalf("%v, %v", ok, err)
		}
		return h
	}
	left := "postrider/" + strings.Repeat("0", 64) + ".jpg"
	w.bucket.Place(left, fakebucket.Object{Modified: start.AddDate(0, 0, -2)})
	if h := ask(); h.Err != nil || h.Removed != 1 || !h.Signed || h.Place != "acme-social/postrider/" {
		t.Errorf("%+v", h)
	}
	w.empty()
	for _, c := range []struct{ method, words string }{
		{http.MethodPut, "upload an object"}, {http.MethodDelete, "delete an object"}, {http.MethodGet, "look at a public address"},
	} {
		w.bucket.Set(func(f *fakebucket.Config) {
			f.Fail = func(r *http.Request) (string, int) {
				if r.Method == c.method {
					return "AccessDenied", 403
				}
				return "", 0
			}
		})
		if h := ask(); h.Err == nil || !strings.Contains(h.Err.Error(), c.words) {
			t.Errorf("%s: %+v", c.method, h)
		}
	}
	w.setenv("POSTRIDER_MEDIA_ACCESS_KEY_ID", "")
	if h := ask(); h.Err == nil || !strings.Contains(h.Err.Error(), "POSTRIDER_MEDIA_ACCESS_KEY_ID") {
		t.Errorf("%+v", h)
	}
	w.commit(map[string]string{"site.yaml": w.site("")})
	d, err := w.open(w.here(), setup{})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.Bucket(t.Context()); ok || err != nil {
		t.Errorf("without a bucket: %v, %v", ok, err)
	}
}
