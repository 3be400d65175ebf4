package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/bucket"
	"github.com/postrider/postrider/internal/bucket/fakebucket"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

const (
	keyID  = "AKIAPOSTRIDERTEST"
	keyOf  = "the-secret-part-of-the-key"
	prefix = "postrider/"
)

// now is the time of the service and of ours; what requests are signed with is the machine's own.
func now() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

// open returns a bucket of a fake service.
func open(t *testing.T, change func(*config.Bucket)) (*bucket.Bucket, *fakebucket.Server) {
	t.Helper()
	fake := fakebucket.New(fakebucket.Config{Name: "acme-social", KeyID: keyID, Region: "eu-central-1", Now: now})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	c := config.Bucket{Endpoint: server.URL, Name: "acme-social", Region: "eu-central-1", Prefix: prefix, Keep: 24 * time.Hour}
	if change != nil {
		change(&c)
	}
	b, err := bucket.Open(c, bucket.Keys{ID: secret.New(keyID), Secret: secret.New(keyOf)}, server.Client().Transport, now)
	if err != nil {
		t.Fatal(err)
	}
	return b, fake
}

func digest(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

func get(t *testing.T, address string) (status int, kind, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(data)
}

func TestPutAndDelete(t *testing.T) {
	b, fake := open(t, nil)
	const want = prefix + "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0.jpg" // of "aaa"
	for range 2 {
		if err := b.Put(t.Context(), digest("aaa"), "image/jpeg", []byte("aaa")); err != nil {
			t.Fatal(err)
		}
	}
	if o := fake.Objects(); len(o) != 1 || string(o[want].Data) != "aaa" || o[want].Type != "image/jpeg" {
		t.Errorf("there are %+v", o)
	}
	address, err := b.Address(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("X-Amz-Expires") != "86400" || strings.Contains(address, keyOf) {
		t.Errorf("the address is %s, %v", address, err)
	}
	if status, kind, body := get(t, address); status != http.StatusOK || kind != "image/jpeg" || body != "aaa" {
		t.Errorf("at %s: %d %s %q", address, status, kind, body)
	}
	if status, _, _ := get(t, strings.TrimSuffix(address, "?"+u.RawQuery)); status != http.StatusForbidden {
		t.Errorf("without a signature: %d", status)
	}
	for range 2 { // what is gone is gone
		if err := b.Delete(t.Context(), want); err != nil {
			t.Error(err)
		}
	}
	if err := b.Put(t.Context(), digest("aaa"), "image/jpeg", []byte("aab")); err == nil {
		t.Error("other bytes could be put there")
	}
	if err := b.Delete(t.Context(), "postrider/logo.png"); err == nil {
		t.Error("what is not named like ours could be deleted")
	}
	if o := fake.Objects(); len(o) != 0 {
		t.Errorf("there are %+v", o)
	}
}

func TestAddresses(t *testing.T) {
	public, _ := open(t, func(c *config.Bucket) { c.PublicURL = "https://cdn.acme.example/{key}" })
	if got, err := public.Address(t.Context(), "postrider/ab.jpg"); err != nil || got != "https://cdn.acme.example/postrider/ab.jpg" {
		t.Errorf("%q, %v", got, err)
	}
	long, _ := open(t, func(c *config.Bucket) { c.Keep = 30 * 24 * time.Hour })
	if got, err := long.Address(t.Context(), "postrider/ab.jpg"); err != nil || !strings.Contains(got, "X-Amz-Expires=604800&") {
		t.Errorf("%q, %v", got, err)
	}
}

// Where site.yaml names no region, the endpoint does, and the service is not asked for it.
func TestRegions(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://s3.eu-west-3.amazonaws.com": "eu-west-3", "https://s3.amazonaws.com": "us-east-1", "https://acme.r2.example": "us-east-1",
	} {
		b, err := bucket.Open(config.Bucket{Endpoint: endpoint, Name: "acme-social", Keep: time.Hour}, bucket.Keys{ID: secret.New("id"), Secret: secret.New("key")}, nil, now)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Address(t.Context(), "ab.jpg"); err != nil || !strings.Contains(got, "%2F"+want+"%2Fs3%2F") {
			t.Errorf("%s: %s, %v", endpoint, got, err)
		}
	}
}

// Nothing that goes wrong in a bucket is a delivery's end, and every error says what to do.
func TestFailures(t *testing.T) {
	answer := func(code string, status int) func(*fakebucket.Config) {
		return func(c *fakebucket.Config) { c.Fail = func(*http.Request) (string, int) { return code, status } }
	}
	for name, c := range map[string]struct {
		change      func(*config.Bucket)
		set         func(*fakebucket.Config)
		words, hint string
	}{
		"no permission":  {set: answer("AccessDenied", 403), words: "AccessDenied", hint: "put, get and delete objects postrider/*"},
		"no key":         {set: func(c *fakebucket.Config) { c.KeyID = "AKIAOTHER" }, words: "InvalidAccessKeyId", hint: "POSTRIDER_MEDIA_ACCESS_KEY_ID"},
		"no bucket":      {change: func(c *config.Bucket) { c.Name = "acme-socail" }, words: "NoSuchBucket", hint: "media.bucket.name"},
		"another region": {change: func(c *config.Bucket) { c.Region = "us-east-1" }, words: "AuthorizationHeaderMalformed", hint: "region in site.yaml: the service says eu-central-1"},
		"clock":          {set: answer("RequestTimeTooSkewed", 403), words: "RequestTimeTooSkewed", hint: "clock"},
		"busy":           {set: answer("SlowDown", 503), words: "SlowDown", hint: "a later run"},
		"cut":            {set: func(c *fakebucket.Config) { c.Cut = func(*http.Request) bool { return true } }, words: "Connection closed", hint: "media.bucket.endpoint"},
		"not there":      {change: func(c *config.Bucket) { c.Endpoint = "http://127.0.0.1:1" }, words: "connect", hint: "media.bucket.endpoint"},
	} {
		t.Run(name, func(t *testing.T) {
			b, fake := open(t, c.change)
			if c.set != nil {
				fake.Set(c.set)
			}
			put := b.Put(t.Context(), digest("aaa"), "image/jpeg", []byte("aaa"))
			_, swept := b.Sweep(t.Context(), nil)
			deleted := b.Delete(t.Context(), b.Key(digest("aaa"), "image/jpeg"))
			for verb, err := range map[string]error{"put": put, "sweep": swept, "delete": deleted} {
				e, ok := errors.AsType[*platform.Error](err)
				if !ok || e.Outcome != platform.Unsent || !strings.Contains(e.Error(), c.words) || !strings.Contains(e.Hint, c.hint) {
					t.Errorf("%s: %v, %+v", verb, err, e)
					continue
				}
				if text := e.Error() + e.Hint; strings.Contains(text, keyOf) || strings.Contains(text, keyID) || strings.Contains(text, "X-Amz") {
					t.Errorf("%s: %s", verb, text)
				}
			}
		})
	}
}

// A service that never answers is left once the time is up.
func TestNoAnswer(t *testing.T) {
	b, fake := open(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	fake.Set(func(c *fakebucket.Config) {
		c.Fail = func(r *http.Request) (string, int) {
			cancel()
			<-r.Context().Done()
			return "InternalError", 500
		}
	})
	if err := b.Put(ctx, digest("aaa"), "image/jpeg", []byte("aaa")); platform.OutcomeOf(err) != platform.Unsent || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// What a run has left is swept away when it is old enough, and nothing else.
func TestSweep(t *testing.T) {
	b, fake := open(t, nil)
	old, young := now().Add(-25*time.Hour), now().Add(-23*time.Hour)
	name := func(data string) string { return b.Key(digest(data), "image/jpeg") }
	place := func(key string, at time.Time) { fake.Place(key, fakebucket.Object{Type: "image/jpeg", Modified: at}) }
	needed := name("needed")
	place(name("old"), old)
	place(b.Key(digest("odd"), "text/html"), old) // without an ending
	keep := []string{
		name("young"), needed, strings.TrimPrefix(name("elsewhere"), prefix), "other/" + strings.TrimPrefix(name("elsewhere"), prefix),
		prefix + "logo.jpg", prefix + "below/" + strings.TrimPrefix(name("below"), prefix), strings.ToUpper(name("upper")), name("tail") + "/x",
		prefix + strings.Repeat("0", 64) + "x.jpg",
	}
	for _, key := range keep {
		place(key, old)
	}
	place(name("young"), young)
	n, err := b.Sweep(t.Context(), map[string]bool{needed: true})
	if err != nil || n != 2 {
		t.Errorf("removed %d, %v", n, err)
	}
	slices.Sort(keep)
	if diff := cmp.Diff(keep, slices.Sorted(maps.Keys(fake.Objects()))); diff != "" {
		t.Errorf("there are (-want +got):\n%s", diff)
	}
	// One sweep takes a moment, however much there is.
	for i := range 150 {
		place(name(fmt.Sprint("crash ", i)), old)
	}
	for _, want := range []int{100, 50, 0} {
		if n, err := b.Sweep(t.Context(), map[string]bool{needed: true}); err != nil || n != want {
			t.Errorf("removed %d, %v, want %d", n, err, want)
		}
	}
}

func TestLookupKeys(t *testing.T) {
	const own, other = "POSTRIDER_MEDIA_", "AWS_"
	for name, c := range map[string]struct {
		env     map[string]string
		want    [3]string
		missing string
	}{
		"nothing":       {nil, [3]string{}, "media.bucket lacks its secret: set POSTRIDER_MEDIA_ACCESS_KEY_ID and POSTRIDER_MEDIA_SECRET_ACCESS_KEY"},
		"our own":       {map[string]string{own + "ACCESS_KEY_ID": "a", own + "SECRET_ACCESS_KEY": "b"}, [3]string{"a", "b", ""}, ""},
		"of others":     {map[string]string{other + "ACCESS_KEY_ID": "c", other + "SECRET_ACCESS_KEY": "d", other + "SESSION_TOKEN": "e"}, [3]string{"c", "d", "e"}, ""},
		"both":          {map[string]string{own + "ACCESS_KEY_ID": "a", own + "SECRET_ACCESS_KEY": "b", other + "ACCESS_KEY_ID": "c", other + "SECRET_ACCESS_KEY": "d", other + "SESSION_TOKEN": "e"}, [3]string{"a", "b", ""}, ""},
		"some of each":  {map[string]string{own + "ACCESS_KEY_ID": "a", other + "SECRET_ACCESS_KEY": "d"}, [3]string{"a", "", ""}, "media.bucket lacks its secret: set POSTRIDER_MEDIA_SECRET_ACCESS_KEY"},
		"only a secret": {map[string]string{other + "SECRET_ACCESS_KEY": "d"}, [3]string{"", "d", ""}, "media.bucket lacks its secret: set POSTRIDER_MEDIA_ACCESS_KEY_ID"},
	} {
		keys, err := bucket.LookupKeys(func(name string) string { return c.env[name] })
		if got := [3]string{keys.ID.Reveal(), keys.Secret.Reveal(), keys.Session.Reveal()}; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if (err != nil) != (c.missing != "") || err != nil && err.Error() != c.missing {
			t.Errorf("%s: %v, want %s", name, err, c.missing)
		}
	}
}

// Large files go in one request: what breaks off leaves no parts behind that somebody pays for.
func TestLargeFile(t *testing.T) {
	b, fake := open(t, nil)
	data := bytes.Repeat([]byte("0123456789abcdef"), 2<<20) // 32 MB
	key := b.Key(digest(string(data)), "video/mp4")
	err := b.Put(t.Context(), digest(string(data)), "video/mp4", data)
	if err != nil || !strings.HasSuffix(key, ".mp4") || fake.Puts()[key] != 1 || len(fake.Objects()[key].Data) != len(data) {
		t.Errorf("%q, %v, puts %v", key, err, fake.Puts())
	}
}
