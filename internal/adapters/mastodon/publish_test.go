package mastodon_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/mastodon/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

// bench is a fake server, a publisher for it, and a clock that moves when the publisher waits.
type bench struct {
	*fake.Server
	base  string
	files fstest.MapFS
	check func(*http.Request) error // what the description of the API has against a request

	mu  sync.Mutex
	now time.Time
	log []string // the requests that arrived: method and path

	pub interface {
		platform.Publisher
		platform.Finder
		platform.Editor
		platform.Deleter
	}
}

func newBench(t *testing.T, c fake.Config) *bench {
	t.Helper()
	b := &bench{
		now:   time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC),
		files: fstest.MapFS{"a.png": {Data: picture(t, 1)}, "b.png": {Data: picture(t, 2)}, "c.png": {Data: picture(t, 3)}, "notes.txt": {Data: []byte("no picture")}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.log = append(b.log, r.Method+" "+r.URL.Path)
		b.mu.Unlock()
		b.Server.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.base = server.URL
	c.Base, c.Tokens, c.Now = server.URL, map[string]string{token: "acme"}, b.clock
	b.Server = fake.New(c)
	b.open(t)
	return b
}

// open replaces the publisher, as a later run of the program does.
func (b *bench) open(t *testing.T) {
	t.Helper()
	if b.check == nil {
		b.check = readDescription(t).check
	}
	p, err := mastodon.Adapter{}.Open(
		&platform.Account{Name: "fedi", Platform: "mastodon", Options: &mastodon.Options{Server: b.base, Software: mastodon.SoftwareMastodon}},
		platform.Deps{
			HTTP:  &http.Client{Transport: platformtest.Checked(t, b.check, http.DefaultTransport)},
			Media: b.files, Now: b.clock,
			Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
			Wait: func(ctx context.Context, d time.Duration) error {
				b.pass(d)
				return ctx.Err()
			},
		})
	if err != nil {
		t.Fatal(err)
	}
	b.pub = p.(interface {
		platform.Publisher
		platform.Finder
		platform.Editor
		platform.Deleter
	})
}

// clock is the time of the server and the publisher.
func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// requests returns what arrived since the last call.
func (b *bench) requests() requests {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := b.log
	b.log = nil
	return log
}

type requests []string

// of returns how many of the requests begin with prefix.
func (r requests) of(prefix string) int {
	n := 0
	for _, request := range r {
		if strings.HasPrefix(request, prefix) {
			n++
		}
	}
	return n
}

func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 2, 2))
	img.Set(0, 0, color.Gray{shade})
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func (b *bench) media(name, alt string) platform.Media {
	data := b.files[name].Data
	sum := sha256.Sum256(data)
	return platform.Media{Path: name, Alt: alt, MIME: "image/png", Bytes: int64(len(data)), Digest: hex.EncodeToString(sum[:])}
}

func (b *bench) attempt(n int) platform.Attempt {
	now := b.clock()
	return platform.Attempt{Key: "abcdefghijklmnopqrstuvwxyz", At: now, N: n, Since: now}
}

// publish delivers a post of its own.
func (b *bench) publish(t *testing.T, r *platform.Rendering) platform.Receipt {
	t.Helper()
	a := b.attempt(1)
	a.Key = fmt.Sprintf("%026d", len(b.Calls()))
	receipt, err := b.pub.Publish(t.Context(), r, a)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// lose publishes under a fault that posts and does not say so.
func (b *bench) lose(t *testing.T, r *platform.Rendering, skip int) platform.Receipt {
	t.Helper()
	b.Inject(fakenet.Plan{Fault: fakenet.ResetAfterAccept, Skip: skip})
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	if platform.OutcomeOf(err) != platform.Unknown || err == nil {
		t.Fatalf("got %v, want an unknown outcome", err)
	}
	return receipt
}

// write posts by other means than the publisher, and returns the id.
func (b *bench) write(t *testing.T, body string) string {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/api/v1/statuses", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	b.Server.ServeHTTP(w, req)
	var s struct{ ID string }
	if err := json.NewDecoder(w.Body).Decode(&s); err != nil || s.ID == "" {
		t.Fatalf("%d %v", w.Code, err)
	}
	return s.ID
}

func rendering(texts ...string) *platform.Rendering {
	r := &platform.Rendering{Platform: "mastodon", Visibility: "public", Language: []string{"en"}}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

func ids(parts []platform.Remote) []string {
	var list []string
	for _, p := range parts {
		list = append(list, p.ID)
	}
	return list
}

func wantError(t *testing.T, err error, o platform.Outcome, words string) *platform.Error {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || e.Outcome != o || !strings.Contains(e.Error(), words) {
		t.Fatalf("got %v (%v), want %v with %q", err, platform.OutcomeOf(err), o, words)
	}
	return e
}

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		name     string
		config   fake.Config
		software string
		limits   []string // what differs from Info
	}{
		{"mastodon", fake.Config{}, "mastodon", nil},
		{"mastodon before 4.0", fake.Config{NoInstanceV2: true}, "mastodon", nil},
		{"gotosocial", fake.Config{GoToSocial: true}, "gotosocial", []string{
			"text 5000 code points", "images 6 images", "image_bytes 41943040 bytes", "image_pixels 2147483647 pixels", "video_bytes 41943040 bytes", "video_pixels 2147483647 pixels",
			"alt_text 1500 code points", "poll_options 6 options", "poll_option 50 graphemes", "poll_duration 2629746 seconds",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.config)
			id, err := b.pub.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			host := strings.TrimPrefix(b.base, "http://")
			if id.ID == "" || id.Handle != "@acme@"+host || id.URL != b.base+"/@acme" || id.Software != c.software {
				t.Errorf("got %+v", id)
			}
			var limits []string
			for _, l := range id.Limits {
				limits = append(limits, fmt.Sprintf("%s %d %s", l.Name, l.Max, l.Unit))
			}
			if diff := cmp.Diff(c.limits, limits); diff != "" {
				t.Error(diff)
			}
			if len(b.Calls()) != 0 {
				t.Errorf("Verify creates: %v", b.Calls())
			}
		})
	}
}

// TestScopes: Mastodon tells what the token's application may do, GoToSocial does not.
func TestScopes(t *testing.T) {
	for name, c := range map[string]struct {
		config fake.Config
		scopes string
		lacks  string
	}{
		"all":        {fake.Config{}, "read write", ""},
		"read only":  {fake.Config{ReadOnly: []string{token}}, "read", "write:statuses write:media"},
		"gotosocial": {fake.Config{GoToSocial: true, ReadOnly: []string{token}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := newBench(t, c.config).pub.Verify(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var lacks []string
			for _, n := range id.Lacks {
				lacks = append(lacks, n.Scope)
			}
			if strings.Join(id.Scopes, " ") != c.scopes || strings.Join(lacks, " ") != c.lacks {
				t.Errorf("scopes %q, lacks %q", id.Scopes, lacks)
			}
		})
	}
}

func TestVerifyOutcomes(t *testing.T) {
	const me, words = `{"id":"1","acct":"a","url":"https://web.example/@a"}`, `{"error":"words"}`
	for name, c := range map[string]struct {
		status, instance int
		body, describes  string
		want             platform.Outcome // Unknown: none
		handle           string
	}{
		"fine":                 {200, 200, me, `{"domain":"a.example","version":"4.5.1"}`, platform.Unknown, "@a@a.example"},
		"does not say":         {200, 404, me, words, platform.Unknown, ""},
		"revoked":              {401, 200, words, "{}", platform.Denied, ""},
		"suspended":            {403, 200, words, "{}", platform.Denied, ""},
		"application's token":  {422, 200, words, "{}", platform.Denied, ""},
		"another kind of site": {404, 404, "<html>", "<html>", platform.Denied, ""},
		"a web page":           {200, 200, "<html>", "{}", platform.Unsent, ""},
		"nobody":               {200, 200, "{}", "{}", platform.Unsent, ""},
		"busy":                 {503, 200, words, "{}", platform.Unsent, ""},
		"too many requests":    {429, 200, words, "{}", platform.Limited, ""},
		"busy with the second": {200, 502, me, words, platform.Unsent, ""},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests++
				if strings.HasSuffix(r.URL.Path, "verify_credentials") {
					w.WriteHeader(c.status)
					io.WriteString(w, c.body)
					return
				}
				w.WriteHeader(c.instance)
				io.WriteString(w, c.describes)
			}))
			defer server.Close()
			b := &bench{base: server.URL}
			b.open(t)
			id, err := b.pub.Verify(t.Context())
			if requests > 4 {
				t.Errorf("%d requests", requests)
			}
			if c.want != platform.Unknown {
				if e := wantError(t, err, c.want, ""); c.want == platform.Denied && e.Hint == "" {
					t.Errorf("%v comes without a hint", e)
				}
				return
			}
			if c.handle == "" {
				c.handle = "@a@" + strings.TrimPrefix(server.URL, "http://")
			}
			if err != nil || id.Handle != c.handle || !id.Expires.IsZero() {
				t.Errorf("got %+v, %v", id, err)
			}
		})
	}
}

func TestSoftware(t *testing.T) {
	for _, c := range []struct{ version, source, want string }{
		{"4.5.1", "https://github.com/mastodon/mastodon", "mastodon"},
		{"4.6.0-nightly.2026-11-20", "https://github.com/mastodon/mastodon", "mastodon"},
		{"4.5.0+glitch", "https://github.com/glitch-soc/mastodon", "mastodon"},
		{"3.5.3", "", "mastodon"},
		{"0.19.2+git-abc", "https://codeberg.org/superseriousbusiness/gotosocial", "gotosocial"},
		{"3.5.3+0.19.2", "https://codeberg.org/superseriousbusiness/gotosocial", "gotosocial"},
		{"0.19.2", "", ""},
		{"2.7.2 (compatible; Pleroma 2.6.0)", "", ""},
		{"4.0.0 (not true; really snac/2.75)", "https://codeberg.org/grunfink/snac2", ""},
		{"4.2.1", "https://git.example/some/fork", ""},
		{"", "", ""},
		{"next", "", ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "verify_credentials"):
				io.WriteString(w, `{"id":"1","acct":"a"}`)
			default:
				json.NewEncoder(w).Encode(map[string]string{"version": c.version, "source_url": c.source})
			}
		}))
		p, err := mastodon.Adapter{}.Open(
			&platform.Account{Name: "fedi", Options: &mastodon.Options{Server: server.URL, Software: "mastodon"}},
			platform.Deps{HTTP: &http.Client{}, Now: time.Now, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)}})
		if err != nil {
			t.Fatal(err)
		}
		id, err := p.Verify(t.Context())
		if err != nil || id.Software != c.want {
			t.Errorf("%q from %q is %q (%v), want %q", c.version, c.source, id.Software, err, c.want)
		}
		server.Close()
	}
}

func TestPublishThread(t *testing.T) {
	b := newBench(t, fake.Config{Processing: 2})
	answered := b.write(t, `{"status":"What is new?"}`)
	r := rendering("One", "Two", "")
	r.ContentWarning, r.Visibility, r.Language = "Snow", "unlisted", []string{"de"}
	r.ReplyTo = b.base + "/@acme/" + answered
	r.Parts[0].Media = []platform.Media{b.media("a.png", "A sled"), b.media("b.png", "")}
	r.Parts[2].Media = []platform.Media{b.media("c.png", "A hill")}
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	if err != nil {
		t.Fatal(err)
	}

	posts := b.Posts()[1:]
	parent := answered
	for i, p := range posts {
		if p.ID != receipt.Parts[i].ID || p.URL != receipt.Parts[i].URL || p.Parent != parent || p.Visibility != "unlisted" ||
			!slices.Equal(p.Language, []string{"de"}) || !p.Sensitive {
			t.Errorf("part %d is %+v, the receipt says %+v", i, p, receipt.Parts[i])
		}
		// Of a part without words, Mastodon makes the warning the text.
		if want := [3][2]string{{"One", "Snow"}, {"Two", "Snow"}, {"Snow", ""}}[i]; p.Text != want[0] || p.ContentWarning != want[1] {
			t.Errorf("part %d says %q under %q", i, p.Text, p.ContentWarning)
		}
		parent = p.ID
	}
	if got := posts[0].Media; len(got) != 2 || got[0].Alt != "A sled" || got[0].Digest != r.Parts[0].Media[0].Digest || got[1].Alt != "" {
		t.Errorf("media: %+v", got)
	}
	if !receipt.At.Equal(posts[2].Created) {
		t.Errorf("accepted at %v, want %v", receipt.At, posts[2].Created)
	}
	keys := []string{}
	for _, c := range b.Calls() {
		keys = append(keys, c.Key)
	}
	if diff := cmp.Diff([]string{"", b.attempt(1).Key + "-0", b.attempt(1).Key + "-1", b.attempt(1).Key + "-2"}, keys); diff != "" {
		t.Error(diff)
	}
	found, err := b.pub.Find(t.Context(), r, b.attempt(2))
	if err != nil || !slices.Equal(ids(found.Parts), ids(receipt.Parts)) {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestMediaProcessing(t *testing.T) {
	t.Run("never ends", func(t *testing.T) {
		b := newBench(t, fake.Config{Processing: 1 << 30})
		begun := b.clock()
		r := rendering("Look")
		r.Parts[0].Media = []platform.Media{b.media("a.png", "")}
		_, err := b.pub.Publish(t.Context(), r, b.attempt(1))
		wantError(t, err, platform.Unsent, "still processing")
		if waited := b.clock().Sub(begun); waited < time.Minute || waited > 5*time.Minute {
			t.Errorf("waited %v", waited)
		}
		if len(b.Calls()) != 0 {
			t.Error("posted all the same")
		}
	})
	t.Run("not a picture", func(t *testing.T) {
		b := newBench(t, fake.Config{})
		r := rendering("One", "Two")
		r.Parts[1].Media = []platform.Media{b.media("notes.txt", "")}
		receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
		e := wantError(t, err, platform.Rejected, "File content type is invalid")
		if e.Op != "upload notes.txt" || len(receipt.Parts) != 0 || b.Creations() != 0 {
			t.Errorf("%v; half a thread is out: %+v", e, receipt)
		}
	})
	t.Run("changed", func(t *testing.T) {
		b := newBench(t, fake.Config{})
		r := rendering("One", "Two")
		r.Parts[1].Media = []platform.Media{b.media("a.png", "")}
		b.files["a.png"].Data = picture(t, 9)
		_, err := b.pub.Publish(t.Context(), r, b.attempt(1))
		wantError(t, err, platform.Unsent, "changed since it was rendered")
		if got := b.requests(); len(got) != 0 {
			t.Errorf("requests: %v", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("winter ", 100)
	for _, c := range []struct {
		name   string
		config fake.Config
		change func(*testing.T, *bench, *platform.Rendering)
		want   platform.Outcome
		words  string
	}{
		{"too long", fake.Config{}, func(_ *testing.T, _ *bench, r *platform.Rendering) { r.Parts[0].Text = long }, platform.Rejected, "Validation failed: Text character limit of 500 exceeded"},
		{"too long with its warning", fake.Config{}, func(_ *testing.T, _ *bench, r *platform.Rendering) { r.ContentWarning = long }, platform.Rejected, "limit of 500"},
		{"too long for GoToSocial", fake.Config{GoToSocial: true}, func(_ *testing.T, _ *bench, r *platform.Rendering) { r.Parts[0].Text = strings.Repeat(long, 10) }, platform.Rejected, "max chars (5000)"},
		{"empty", fake.Config{}, func(_ *testing.T, _ *bench, r *platform.Rendering) { r.Parts[0].Text = "" }, platform.Rejected, "Text can't be blank"},
		{"poll too short", fake.Config{}, func(_ *testing.T, _ *bench, r *platform.Rendering) {
			r.Poll = &platform.Poll{Options: []string{"a", "b"}, Duration: time.Second}
		}, platform.Rejected, "too soon"},
		{"poll and media", fake.Config{}, func(t *testing.T, b *bench, r *platform.Rendering) {
			t.Helper()
			b.check = func(*http.Request) error { return nil } // it has something against that
			b.open(t)
			r.Poll = &platform.Poll{Options: []string{"a", "b"}, Duration: time.Hour}
			r.Parts[0].Media = []platform.Media{b.media("a.png", "")}
		}, platform.Rejected, "Cannot attach"},
		{"answer to nothing", fake.Config{}, func(_ *testing.T, b *bench, r *platform.Rendering) { r.ReplyTo = b.base + "/@acme/1" }, platform.Unsent, "does not know"},
		{"answer to an unknown id", fake.Config{}, func(_ *testing.T, _ *bench, r *platform.Rendering) { r.ReplyTo = "42" }, platform.Unsent, "does not know"},
		{"quote on GoToSocial", fake.Config{GoToSocial: true}, func(_ *testing.T, _ *bench, r *platform.Rendering) { r.Quote = "42" }, platform.Rejected, "cannot quote"},
		{"token without scope", fake.Config{ReadOnly: []string{token}}, func(*testing.T, *bench, *platform.Rendering) {}, platform.Denied, "outside the authorized scopes"},
		{"request limit", fake.Config{Requests: 1}, func(_ *testing.T, b *bench, r *platform.Rendering) {
			r.Parts[0].Media = []platform.Media{b.media("a.png", "")}
		}, platform.Limited, "Too many requests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.config)
			b.pass(time.Minute)
			r := rendering("Snow")
			c.change(t, b, r)
			_, err := b.pub.Publish(t.Context(), r, b.attempt(1))
			e := wantError(t, err, c.want, c.words)
			if c.want == platform.Limited && e.RetryAfter != 4*time.Minute {
				t.Errorf("retry after %v, want until the window ends", e.RetryAfter)
			}
			if c.want == platform.Denied && !strings.Contains(e.Hint, "scope") {
				t.Errorf("hint %q", e.Hint)
			}
			if b.Creations() != 0 {
				t.Error("something was posted")
			}
		})
	}
}

func TestDeadTokenNamesItsPage(t *testing.T) {
	b := newBench(t, fake.Config{})
	b.Inject(fakenet.Plan{Fault: fakenet.ExpiredToken, Count: -1})
	_, err := b.pub.Verify(t.Context())
	if e := wantError(t, err, platform.Denied, "The access token is invalid"); !strings.Contains(e.Hint, "Development") {
		t.Errorf("hint %q", e.Hint)
	}
}

// A second try on Mastodon repeats the request under its key; one on GoToSocial looks first.
func TestSecondTry(t *testing.T) {
	for _, c := range []struct {
		name   string
		config fake.Config
		keyed  bool
	}{
		{"mastodon", fake.Config{}, true},
		{"gotosocial", fake.Config{GoToSocial: true}, false},
		{"gotosocial without source", fake.Config{GoToSocial: true, NoSource: true}, false},
	} {
		for skip := range 3 {
			t.Run(c.name, func(t *testing.T) {
				b := newBench(t, c.config)
				r := rendering("One & <b>only</b>", "Two", "Three")
				a := b.attempt(2)
				a.Done = b.lose(t, r, skip).Parts
				b.open(t)
				b.requests()
				receipt, err := b.pub.Publish(t.Context(), r, a)
				if err != nil || len(receipt.Parts) != 3 {
					t.Fatalf("%+v, %v", receipt, err)
				}
				if b.Creations() != 3 {
					t.Errorf("%d posts were created, want 3", b.Creations())
				}
				if looked := b.requests().of("GET /api/v1/accounts/") > 0; looked == c.keyed {
					t.Errorf("looked at its own posts: %v", looked)
				}
			})
		}
	}
}

func TestSecondTryThatCannotLook(t *testing.T) {
	b := newBench(t, fake.Config{GoToSocial: true})
	r := rendering("One")
	b.lose(t, r, 0)
	b.Inject(fakenet.Plan{Fault: fakenet.ExpiredToken, Count: -1})
	b.open(t)
	_, err := b.pub.Publish(t.Context(), r, b.attempt(2))
	wantError(t, err, platform.Unknown, "token")
	if b.Creations() != 1 {
		t.Errorf("%d posts", b.Creations())
	}
}

func TestQuoteAndReferences(t *testing.T) {
	b := newBench(t, fake.Config{})
	other := b.write(t, `{"status":"Snow!"}`)
	for _, ref := range []string{other, b.base + "/@acme/" + other, b.base + "/users/acme/statuses/" + other} {
		r := rendering("Quite so: " + ref)
		r.Quote, r.ReplyTo = ref, ref
		receipt := b.publish(t, r)
		if p := b.Posts()[len(b.Posts())-1]; p.Parent != other {
			t.Errorf("%s: the parent is %q", ref, p.Parent)
		}
		found, err := b.pub.Find(t.Context(), r, b.attempt(2))
		if err != nil || found.Parts[0].ID != receipt.Parts[0].ID {
			t.Errorf("%s: found %+v, %v", ref, found, err)
		}
		if _, err := b.pub.Edit(t.Context(), receipt, rendering("Quite so: "+ref)); !errors.Is(err, platform.ErrCannotEdit) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestOpen(t *testing.T) {
	good := mastodon.Options{Server: "https://a.example", Software: "mastodon"}
	bad := good
	bad.Server = "a.example"
	for name, c := range map[string]struct {
		options any
		token   string
		want    platform.Outcome
		words   string
	}{
		"no token":      {&good, "", platform.Denied, "no access token"},
		"bad server":    {&bad, "x", platform.Unsent, "server"},
		"other options": {nil, "x", platform.Unsent, "options"},
	} {
		_, err := mastodon.Adapter{}.Open(&platform.Account{Name: "fedi", Options: c.options},
			platform.Deps{Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(c.token)}})
		t.Run(name, func(t *testing.T) { wantError(t, err, c.want, c.words) })
	}
}
