package facebook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/adapters/facebook"
	"github.com/postrider/postrider/internal/adapters/facebook/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
	"github.com/postrider/postrider/internal/secret"
)

// bench is a page with a publisher.
type bench struct {
	*fake.Server
	now   time.Time
	files fstest.MapFS
	log   bytes.Buffer
	paths []string // the requests that arrived: method and path

	pub interface {
		platform.Publisher
		platform.Finder
		platform.Editor
		platform.Deleter
		platform.Checker
	}
}

func newBench(t *testing.T, change func(*fake.Config)) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), files: fstest.MapFS{
		"a.png": {Data: []byte("\x89PNG one")}, "b.png": {Data: []byte("\x89PNG two")}, "v.mp4": {Data: bytes.Repeat([]byte("film"), 700)},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.paths = append(b.paths, r.Method+" "+r.URL.Path)
		b.Server.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := config(server.URL)
	c.Now = func() time.Time { return b.now }
	if change != nil {
		change(&c)
	}
	b.Server = fake.New(c)
	p, err := facebook.Adapter{}.Open(
		&platform.Account{Name: "page", Platform: "facebook", Options: &facebook.Options{Page: pageID, AppID: appID, Server: server.URL}},
		platform.Deps{
			HTTP: server.Client(), Media: b.files, Now: c.Now,
			Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token), "APP_SECRET": secret.New(appSecret)},
			Log:     slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
	if err != nil {
		t.Fatal(err)
	}
	b.pub = p.(interface {
		platform.Publisher
		platform.Finder
		platform.Editor
		platform.Deleter
		platform.Checker
	})
	return b
}

func (b *bench) media(name, kind string) platform.Media {
	data := b.files[name].Data
	sum := sha256.Sum256(data)
	return platform.Media{Path: name, Digest: hex.EncodeToString(sum[:]), MIME: kind, Alt: "An alt text", Bytes: int64(len(data))}
}

func (b *bench) attempt(n int) platform.Attempt {
	return platform.Attempt{Key: "k", At: b.now, N: n, Since: b.now.Add(-time.Minute)}
}

func (b *bench) publish(t *testing.T, r *platform.Rendering) platform.Receipt {
	t.Helper()
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func rendering(parts ...platform.Part) *platform.Rendering {
	for i := 1; i < len(parts); i++ {
		parts[i].Comment = true
	}
	return &platform.Rendering{Platform: "facebook", Parts: parts}
}

func wantError(t *testing.T, err error, want platform.Outcome, words string) {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || e.Outcome != want || !strings.Contains(e.Error(), words) {
		t.Errorf("got %v, want it %v, with %q", err, want, words)
	}
}

func TestVerify(t *testing.T) {
	expires := time.Date(2027, 1, 30, 0, 0, 0, 0, time.UTC)
	b := newBench(t, func(c *fake.Config) { c.Expires, c.DataExpires = expires.Unix(), expires.Unix()-60 })
	id, err := b.pub.Verify(t.Context())
	if err != nil || id.ID != pageID || id.Handle != "Acme" || !id.Expires.Equal(expires) || !id.DataExpires.Equal(expires.Add(-time.Minute)) {
		t.Errorf("%+v, %v", id, err)
	}
	if want := []string{"pages_manage_engagement", "pages_manage_posts", "pages_read_engagement"}; !slices.Equal(id.Scopes, want) || id.Lacks != nil {
		t.Errorf("scopes %q, lacks %v", id.Scopes, id.Lacks)
	}
	if id, err := newBench(t, func(c *fake.Config) { c.Scopes = []string{"pages_read_engagement"} }).pub.Verify(t.Context()); err != nil || len(id.Lacks) != 2 ||
		id.Lacks[0].Scope != "pages_manage_posts" || id.Lacks[0].Minor || id.Lacks[1].Scope != "pages_manage_engagement" || !id.Lacks[1].Minor {
		t.Errorf("without scopes: %+v, %v", id, err)
	}
	if strings.Contains(b.log.String(), token) || strings.Contains(b.log.String(), appSecret) {
		t.Errorf("the log has a secret:\n%s", b.log.String())
	}
	if id, err := newBench(t, nil).pub.Verify(t.Context()); err != nil || !id.Expires.IsZero() {
		t.Errorf("a token for ever: %+v, %v", id, err)
	}
	for name, test := range map[string]struct {
		change func(*fake.Config)
		words  string
	}{
		"another page":   {func(c *fake.Config) { c.Page = "999" }, "not of the page " + pageID},
		"another app":    {func(c *fake.Config) { c.AppID = "1" }, "190"},
		"another secret": {func(c *fake.Config) { c.AppSecret = "other" }, ""},
		"expired":        {func(c *fake.Config) { c.Token = "other" }, "190/463"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newBench(t, test.change).pub.Verify(t.Context())
			if name == "another secret" { // the proof is wrong, which Facebook calls an invalid parameter
				wantError(t, err, platform.Rejected, "appsecret_proof")
				return
			}
			wantError(t, err, platform.Denied, test.words)
		})
	}
}

func TestVideo(t *testing.T) {
	b := newBench(t, nil)
	r := rendering(platform.Part{Text: "A film.", Media: []platform.Media{b.media("v.mp4", "video/mp4")}}, platform.Part{Text: "More here."})
	receipt := b.publish(t, r)
	posts := b.Posts()
	if len(posts) != 2 || posts[0].Text != "A film." || len(posts[0].Media) != 1 || posts[0].Media[0].Digest != r.Parts[0].Media[0].Digest {
		t.Fatalf("%+v", posts)
	}
	for i, p := range posts {
		if receipt.Parts[i].ID != p.ID || receipt.Parts[i].URL != p.URL {
			t.Errorf("part %d is %+v, the network has %s at %s", i, receipt.Parts[i], p.ID, p.URL)
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(b.paths), func(s string) bool { return !strings.HasSuffix(s, "/videos") })); n != 5 {
		t.Errorf("%d requests for a video of three pieces: %q", n, b.paths)
	}
	edited := rendering(r.Parts...)
	edited.Parts[0].Text = "A short film."
	if _, err := b.pub.Edit(t.Context(), receipt, edited); err != nil || b.Posts()[0].Text != "A short film." {
		t.Errorf("%v, %+v", err, b.Posts()[0])
	}
	if err := b.pub.Delete(t.Context(), receipt); err != nil || len(b.Posts()) != 0 {
		t.Errorf("%v, %+v", err, b.Posts())
	}
}

// After a lost answer the video is found, and after one that was lost before, it is not.
func TestVideoFound(t *testing.T) {
	for _, fault := range []fakenet.Fault{fakenet.ServerErrorAfterAccept, fakenet.ServerError} {
		b := newBench(t, nil)
		r := rendering(platform.Part{Text: "A film.", Media: []platform.Media{b.media("v.mp4", "video/mp4")}})
		b.Inject(fakenet.Plan{Fault: fault})
		_, err := b.pub.Publish(t.Context(), r, b.attempt(1))
		wantError(t, err, platform.Unknown, "error 2")
		found, err := b.pub.Find(t.Context(), r, b.attempt(2))
		if accepted := b.Creations() == 1; accepted != (err == nil) || !accepted && !errors.Is(err, platform.ErrNotFound) {
			t.Errorf("%s: %+v, %v", fault, found, err)
		}
	}
	b := newBench(t, nil)
	b.Inject(fakenet.Plan{Fault: fakenet.UploadLost})
	_, err := b.pub.Publish(t.Context(), rendering(platform.Part{Media: []platform.Media{b.media("v.mp4", "video/mp4")}}), b.attempt(1))
	wantError(t, err, platform.Unsent, "upload v.mp4")
}

// A second try that is refused since the page said so before may be what the first has sent.
func TestDuplicate(t *testing.T) {
	b := newBench(t, func(c *fake.Config) { c.NoDuplicates = true })
	r := rendering(platform.Part{Text: "Again."})
	b.publish(t, r)
	_, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	wantError(t, err, platform.Rejected, "(#506) Duplicate status message")
	_, err = b.pub.Publish(t.Context(), r, b.attempt(2))
	wantError(t, err, platform.Unknown, "(#506)")
}

// Facebook answers alike for what is not there and for what a token may not see.
func TestExists(t *testing.T) {
	b := newBench(t, nil)
	receipt := b.publish(t, rendering(platform.Part{Text: "Here."}, platform.Part{Text: "And here."}))
	for _, part := range receipt.Parts {
		if there, err := b.pub.Exists(t.Context(), part); !there || err != nil {
			t.Errorf("%+v: %v, %v", part, there, err)
		}
	}
	byAddress := platform.Receipt{Parts: []platform.Remote{{ID: receipt.Parts[0].URL, URL: receipt.Parts[0].URL}}}
	for range 2 {
		if err := b.pub.Delete(t.Context(), byAddress); err != nil || len(b.Posts()) != 0 {
			t.Fatalf("%v, %+v", err, b.Posts())
		}
		if there, err := b.pub.Exists(t.Context(), receipt.Parts[0]); there || err != nil {
			t.Errorf("%v, %v", there, err)
		}
	}
	other := newBench(t, func(c *fake.Config) { c.Page = "999" })
	_, err := other.pub.Exists(t.Context(), receipt.Parts[0])
	wantError(t, err, platform.Denied, "not of the page")
	wantError(t, other.pub.Delete(t.Context(), receipt), platform.Denied, "not of the page")
}

func TestCannotEdit(t *testing.T) {
	b := newBench(t, nil)
	one, two := b.media("a.png", "image/png"), b.media("b.png", "image/png")
	r := rendering(platform.Part{Text: "Look.", Media: []platform.Media{one}})
	receipt := b.publish(t, r)
	found, err := b.pub.Find(t.Context(), r, b.attempt(2))
	if err != nil || found.Parts[0] != receipt.Parts[0] {
		t.Fatalf("%+v, %v", found, err)
	}
	told := platform.Receipt{Parts: []platform.Remote{{ID: receipt.Parts[0].URL}}}
	alt := one
	alt.Alt = "Another"
	for name, media := range map[string][]platform.Media{"other picture": {two}, "other alt text": {alt}, "one more": {one, two}, "none": nil} {
		for _, old := range []platform.Receipt{receipt, told} {
			_, err := b.pub.Edit(t.Context(), old, rendering(platform.Part{Text: "Look here.", Media: media}))
			if sure := old.Parts[0].Version != "" || len(media) != 1; sure != errors.Is(err, platform.ErrCannotEdit) {
				t.Errorf("%s, known: %v: %v", name, sure, err)
			}
		}
	}
	link := rendering(platform.Part{Text: "Read.", Card: &platform.Card{URL: "https://acme.example/a", Fetch: true}})
	receipt = b.publish(t, link)
	for n, version := range []string{receipt.Parts[0].Version, ""} {
		receipt.Parts[0].Version = version
		_, err = b.pub.Edit(t.Context(), receipt, rendering(platform.Part{Text: "Read.", Card: &platform.Card{URL: "https://acme.example/b"}}))
		if !errors.Is(err, platform.ErrCannotEdit) {
			t.Errorf("another link, %d: %v", n, err)
		}
	}
}

// Of posts with the same words, Find takes the one with the same files and the same link, and none that belongs to another record.
func TestFind(t *testing.T) {
	b := newBench(t, nil)
	one, two := b.media("a.png", "image/png"), b.media("b.png", "image/png")
	card := func(url string) *platform.Card { return &platform.Card{URL: url, Fetch: true} }
	all := []*platform.Rendering{
		rendering(platform.Part{Text: "Same."}),
		rendering(platform.Part{Text: "Same.", Media: []platform.Media{one}}),
		rendering(platform.Part{Text: "Same.", Media: []platform.Media{one, two}}),
		rendering(platform.Part{Text: "Other.", Card: card("https://acme.example/a")}),
		rendering(platform.Part{Text: "Other.", Card: card("https://acme.example/b")}, platform.Part{Text: "First.", Media: []platform.Media{two}}, platform.Part{Text: "First."}),
	}
	a := b.attempt(2)
	var ids []string
	for _, r := range all {
		b.now = b.now.Add(time.Second)
		ids = append(ids, b.publish(t, r).Parts[0].ID)
	}
	for i, r := range all {
		found, err := b.pub.Find(t.Context(), r, a)
		if err != nil || len(found.Parts) != len(r.Parts) || found.Parts[0].ID != ids[i] {
			t.Errorf("post %d: %+v, %v, want %s", i, found, err, ids[i])
		}
	}
	redirected := rendering(platform.Part{Text: "Other.", Card: card("https://short.example/x")})
	if found, err := b.pub.Find(t.Context(), redirected, a); err != nil || found.Parts[0].ID != ids[3] {
		t.Errorf("Facebook shows where a short address leads: %+v, %v", found, err)
	}
	a.Owned = ids
	if found, err := b.pub.Find(t.Context(), all[0], a); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("%+v, %v", found, err)
	}
}

// A page that posts much is read back as far as it takes.
func TestFindPages(t *testing.T) {
	b := newBench(t, nil)
	wanted := b.publish(t, rendering(platform.Part{Text: "Wanted."}))
	a := b.attempt(2)
	for range 250 {
		b.now = b.now.Add(time.Second)
		b.publish(t, rendering(platform.Part{Text: "More."}))
	}
	b.paths = nil
	found, err := b.pub.Find(t.Context(), rendering(platform.Part{Text: "Wanted."}), a)
	if err != nil || found.Parts[0].ID != wanted.Parts[0].ID || len(b.paths) != 3 {
		t.Errorf("%+v, %v, %d requests", found, err, len(b.paths))
	}
}

// The limits are those of all apps together: what the answer says of them holds the account's other posts back.
func TestLimits(t *testing.T) {
	b := newBench(t, nil)
	b.Inject(fakenet.Plan{Fault: fakenet.RateLimit})
	_, err := b.pub.Publish(t.Context(), rendering(platform.Part{Text: "Now."}), b.attempt(1))
	wantError(t, err, platform.Limited, "80001")
	if e, _ := errors.AsType[*platform.Error](err); e.RetryAfter != 2*time.Minute || !errors.Is(err, graph.Code{Code: 80001}) {
		t.Errorf("%+v", e)
	}
}

func TestCancelled(t *testing.T) {
	b := newBench(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.pub.Publish(ctx, rendering(platform.Part{Media: []platform.Media{b.media("v.mp4", "video/mp4")}}), b.attempt(1))
	wantError(t, err, platform.Unsent, "")
}
