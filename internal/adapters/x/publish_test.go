package x_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/adapters/x/fake"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/secret"
)

// bench is a fake network, a publisher for it, and a clock that moves when the publisher waits.
type bench struct {
	*fake.Server
	base    string
	files   fstest.MapFS
	options x.Options
	secrets map[string]secret.String
	budget  platform.Budget

	mu      sync.Mutex
	now     time.Time
	log     []string // the requests that arrived: method and path
	instead http.HandlerFunc

	pub interface {
		platform.Publisher
		platform.Finder
		platform.Deleter
		platform.Checker
	}
}

func newBench(t *testing.T, c fake.Config) *bench {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
		t.Fatal(err)
	}
	b := &bench{
		now:     time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC),
		files:   fstest.MapFS{"a.png": {Data: picture.Bytes()}, "clip.mp4": {Data: bytes.Repeat([]byte("frame"), 500_000)}},
		secrets: oauth1Secrets(), options: x.Options{Handle: "acme"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.log = append(b.log, r.Method+" "+r.URL.Path)
		instead := b.instead
		b.mu.Unlock()
		if instead != nil {
			instead(w, r)
			return
		}
		b.Server.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b.base = server.URL
	c.Base, c.Now = server.URL, b.clock
	c.Users = append([]fake.User{{Handle: "acme", OAuth1: access, Bearer: bearer, Premium: true}}, c.Users...)
	b.Server = fake.New(c)
	b.open(t)
	return b
}

func (b *bench) open(t *testing.T) {
	t.Helper()
	b.options.Server = b.base
	p, err := x.Adapter{}.Open(&platform.Account{Name: "x", Platform: "x", Options: &b.options}, platform.Deps{
		HTTP: &http.Client{}, Media: b.files, Now: b.clock, Secrets: b.secrets, Budget: &b.budget,
		Wait: func(ctx context.Context, d time.Duration) error {
			b.pass(d)
			return ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ok bool
	if b.pub, ok = p.(interface {
		platform.Publisher
		platform.Finder
		platform.Deleter
		platform.Checker
	}); !ok {
		t.Fatalf("%T lacks an interface", p)
	}
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// answer has every request answered alike from now on; with status 0, by the fake again.
func (b *bench) answer(status int, header http.Header, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.instead = nil
	if status != 0 {
		b.instead = func(w http.ResponseWriter, _ *http.Request) {
			for key, values := range header {
				w.Header()[key] = values
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			io.WriteString(w, body) //nolint:errcheck // a test
		}
	}
}

func (b *bench) requests(path string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.log {
		if strings.HasSuffix(line, path) {
			n++
		}
	}
	return n
}

func (b *bench) media(name, mime, alt string) platform.Media {
	data := b.files[name].Data
	sum := sha256.Sum256(data)
	return platform.Media{Path: name, Digest: hex.EncodeToString(sum[:]), MIME: mime, Alt: alt, Bytes: int64(len(data))}
}

func (b *bench) attempt(n int) platform.Attempt {
	return platform.Attempt{Key: "k", N: n, At: b.clock(), Since: b.clock().Add(-time.Hour)}
}

func says(texts ...string) *platform.Rendering {
	r := &platform.Rendering{Platform: "x"}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

func (b *bench) publish(t *testing.T, r *platform.Rendering) platform.Receipt {
	t.Helper()
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func refused(t *testing.T, err error, want platform.Outcome, words string) *platform.Error {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok {
		t.Fatalf("got %v, want a *platform.Error", err)
	}
	if e.Outcome != want || !strings.Contains(e.Error()+" "+e.Hint, words) {
		t.Errorf("got %v: %v (%s), want %v with %q", e.Outcome, e, e.Hint, want, words)
	}
	return e
}

func TestEverythingArrives(t *testing.T) {
	b := newBench(t, fake.Config{Contract: true, Users: []fake.User{{Handle: "other", Bearer: "other-bearer"}}})
	b.secrets = map[string]secret.String{"OAUTH2_TOKEN": secret.New("other-bearer")}
	b.open(t)
	target := b.publish(t, says("Ask me anything, @acme")).Parts[0]
	b.secrets = oauth1Secrets()
	b.open(t)

	r := says("We answer.", "And go on.")
	r.Settings = map[string]string{"reply_settings": "following"}
	r.Quote = "https://x.com/other/status/" + target.ID + "?s=20"
	r.Parts[1].Media = []platform.Media{b.media("a.png", "image/png", "A grey field")}
	r.Sensitive = true
	receipt := b.publish(t, r)
	posts := b.Posts()[1:]
	if b.ReplySettings(posts[0].ID) != "following" || b.ReplySettings(posts[1].ID) != "" {
		t.Errorf("reply settings %q and %q", b.ReplySettings(posts[0].ID), b.ReplySettings(posts[1].ID))
	}
	if b.Quoted(posts[0].ID) != target.ID || posts[1].Parent != posts[0].ID {
		t.Errorf("quotes %q, want %q; answers %q", b.Quoted(posts[0].ID), target.ID, posts[1].Parent)
	}
	if m := posts[1].Media; len(m) != 1 || m[0].Alt != "A grey field" || !posts[1].Sensitive {
		t.Errorf("media %+v", posts[1])
	}
	if !receipt.At.Equal(b.clock()) {
		t.Errorf("made at %v, want %v, which the id says", receipt.At, b.clock())
	}

	reply := says("Yes.")
	reply.ReplyTo = target.ID
	reply.Poll = &platform.Poll{Options: []string{"Sled", "Ski"}, Duration: 2 * time.Hour}
	b.publish(t, reply)
	last := b.Posts()[3]
	if last.Parent != target.ID || !slices.Equal(last.Poll, []string{"Sled", "Ski"}) {
		t.Errorf("%+v", last)
	}
	for _, r := range []*platform.Rendering{r, reply} {
		found, err := b.pub.Find(t.Context(), r, b.attempt(1))
		if err != nil || len(found.Parts) != len(r.Parts) {
			t.Errorf("Find: %+v, %v", found, err)
		}
	}
}

func TestVideoInSegments(t *testing.T) {
	b := newBench(t, fake.Config{Processing: 3})
	r := says("Look.")
	r.Parts[0].Media = []platform.Media{b.media("clip.mp4", "video/mp4", "captions do that")}
	b.publish(t, r)
	if got := b.Posts()[0].Media[0]; got.Digest != r.Parts[0].Media[0].Digest || got.MIME != "video/mp4" {
		t.Errorf("%+v", got)
	}
	if n := b.requests("/append"); n != 3 {
		t.Errorf("2.5 MB went in %d segments", n)
	}
	if b.requests("/metadata") != 0 {
		t.Error("a video has no alt text")
	}
	if waited := b.clock().Sub(time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)); waited != 6*time.Second {
		t.Errorf("waited %v, want 3 × 2 s, as X asks", waited)
	}
}

func TestVideoThatCannotBeProcessed(t *testing.T) {
	b := newBench(t, fake.Config{Processing: 1, Broken: true})
	r := says("Head.", "Look.")
	r.Parts[1].Media = []platform.Media{b.media("clip.mp4", "video/mp4", "")}
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	refused(t, err, platform.Rejected, "Unsupported video format")
	if len(receipt.Parts) != 0 || b.Creations() != 0 {
		t.Error("the head is out")
	}

	b = newBench(t, fake.Config{Processing: 1 << 20})
	_, err = b.pub.Publish(t.Context(), r, b.attempt(1))
	refused(t, err, platform.Unsent, "still processing the file after 10m")
}

// TestSelfServe: an app without a contract is refused replies and quotes, and may answer itself.
func TestSelfServe(t *testing.T) {
	b := newBench(t, fake.Config{Users: []fake.User{{Handle: "other", Bearer: "other-bearer"}}})
	b.secrets = map[string]secret.String{"OAUTH2_TOKEN": secret.New("other-bearer")}
	b.open(t)
	target := b.publish(t, says("Ask me anything")).Parts[0]
	b.secrets = oauth1Secrets()
	b.open(t)
	reply := says("We do.")
	reply.ReplyTo = target.ID
	_, err := b.pub.Publish(t.Context(), reply, b.attempt(1))
	refused(t, err, platform.Rejected, "apps without a contract")
	quote := says("Look at that.")
	quote.Quote = target.ID
	_, err = b.pub.Publish(t.Context(), quote, b.attempt(1))
	refused(t, err, platform.Rejected, "apps without a contract")
	b.publish(t, says("One.", "Two."))
}

// TestSecondPartRefused: the head is out, and the receipt says so.
func TestSecondPartRefused(t *testing.T) {
	b := newBench(t, fake.Config{})
	b.publish(t, says("Same words."))
	r := says("Head.", "Same words.", "Tail.")
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	refused(t, err, platform.Rejected, "duplicate content")
	if len(receipt.Parts) != 1 || receipt.Parts[0].ID != b.Posts()[1].ID {
		t.Errorf("the receipt has %+v", receipt.Parts)
	}
	if b.requests("/tweets") != 3 {
		t.Errorf("%q", b.log)
	}
}

// TestDuplicateOfAnEarlierTry: a repeated request is refused since the first was carried out, and is settled by that.
func TestDuplicateOfAnEarlierTry(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := says("Look: https://acme.com/a?b=1&c=2", "Two.", "Three.")
	b.Inject(fakenet.Plan{Fault: fakenet.ServerErrorAfterAccept, Skip: 1})
	a := b.attempt(1)
	receipt, err := b.pub.Publish(t.Context(), r, a)
	refused(t, err, platform.Unknown, "Something is broken")
	a.N, a.Done = 2, receipt.Parts
	receipt, err = b.pub.Publish(t.Context(), r, a)
	if err != nil || len(receipt.Parts) != 3 || b.Creations() != 3 {
		t.Fatalf("%+v, %v, %d posts", receipt, err, b.Creations())
	}
}

// TestDuplicateOfAnother: what another record owns is never adopted, neither by a first try nor by a later one.
func TestDuplicateOfAnother(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := says("Same words.")
	owned := b.publish(t, r).Parts[0].ID
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	refused(t, err, platform.Rejected, "duplicate content")
	if len(receipt.Parts) != 0 {
		t.Errorf("adopted %+v", receipt.Parts)
	}
	a := b.attempt(2)
	a.Owned = []string{owned}
	receipt, err = b.pub.Publish(t.Context(), r, a)
	refused(t, err, platform.Unknown, "duplicate content")
	if len(receipt.Parts) != 0 || b.Creations() != 1 {
		t.Errorf("adopted %+v", receipt.Parts)
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		config  fake.Config
		outcome platform.Outcome
		words   string
		retry   time.Duration
	}{
		"no credits":  {fake.Config{Broke: true}, platform.Denied, "buy credits", 0},
		"monthly cap": {fake.Config{Capped: true}, platform.Limited, "Monthly product cap", 24 * time.Hour},
	} {
		b := newBench(t, tt.config)
		_, err := b.pub.Publish(t.Context(), says("Hello."), b.attempt(1))
		if e := refused(t, err, tt.outcome, tt.words); e.RetryAfter != tt.retry {
			t.Errorf("%s: retry after %v, want %v", name, e.RetryAfter, tt.retry)
		}
	}
	b := newBench(t, fake.Config{})
	for _, tt := range []struct {
		status  int
		body    string
		outcome platform.Outcome
		words   string
	}{
		{403, `{"errors":[{"code":187,"message":"Status is a duplicate."}]}`, platform.Rejected, "X does not take the same words twice"},
		{403, `{"title":"Forbidden","detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.","type":"https://api.twitter.com/2/problems/oauth1-permissions"}`, platform.Denied, "Read and write"},
		{403, `{"title":"Client Forbidden","detail":"When authenticating requests to the Twitter API v2 endpoints, you must use keys and tokens from a Twitter developer App that is attached to a Project.","reason":"client-not-enrolled","type":"https://api.twitter.com/2/problems/client-forbidden"}`, platform.Denied, "access to this part of the API"},
		{403, `{"detail":"You are not permitted to perform this action.","type":"about:blank","title":"Forbidden","status":403}`, platform.Denied, "X Premium"},
		{401, `{"errors":[{"code":135,"message":"Timestamp out of bounds."}]}`, platform.Denied, "clock"},
		{401, `{"title":"Unauthorized","detail":"Unauthorized","status":401}`, platform.Denied, "two hours"},
		{429, `{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`, platform.Limited, "Rate limit exceeded"},
		{400, `{"errors":[{"message":"$.text: wrong"}],"title":"Invalid Request","detail":"One or more parameters to your request was invalid."}`, platform.Rejected, "$.text: wrong"},
		{503, `{"title":"Service Unavailable","detail":"Service Unavailable","type":"about:blank","status":503}`, platform.Unknown, "Service Unavailable"},
		{201, `{"errors":[{"message":"no"}]}`, platform.Unknown, "does not name the post"},
		{200, `{"data":{"id":"../1"}}`, platform.Unknown, "does not name the post"},
	} {
		b.answer(tt.status, nil, tt.body)
		_, err := b.pub.Publish(t.Context(), says("Hello."), b.attempt(1))
		refused(t, err, tt.outcome, tt.words)
	}
}

// TestDayIsUsedUp: beside the requests of 15 minutes, X counts the posts of a day, in headers of their own.
func TestDayIsUsedUp(t *testing.T) {
	b := newBench(t, fake.Config{})
	end := b.clock().Add(7 * time.Hour)
	header := http.Header{
		"Date":                          {b.clock().Format(http.TimeFormat)},
		"X-Rate-Limit-Remaining":        {"99"},
		"X-Rate-Limit-Reset":            {"1796117400"},
		"X-User-Limit-24hour-Remaining": {"0"},
		"X-User-Limit-24hour-Reset":     {"1796140800"},
	}
	if end.Unix() != 1796140800 {
		t.Fatal(end.Unix())
	}
	b.answer(201, header, `{"data":{"id":"1"}}`)
	b.publish(t, says("Hello."))
	if !b.budget.Until().Equal(end) {
		t.Errorf("blocked until %v, want %v", b.budget.Until(), end)
	}
	b.answer(429, header, `{"title":"Too Many Requests","status":429}`)
	_, err := b.pub.Publish(t.Context(), says("Hello."), b.attempt(1))
	if e := refused(t, err, platform.Limited, "Too Many Requests"); e.RetryAfter != 7*time.Hour {
		t.Errorf("retry after %v", e.RetryAfter)
	}
}

func TestOpen(t *testing.T) {
	with := func(names ...string) map[string]secret.String {
		m := map[string]secret.String{}
		for _, name := range names {
			m[name] = secret.New("value")
		}
		return m
	}
	for name, tt := range map[string]struct {
		options any
		secrets map[string]secret.String
		outcome platform.Outcome
		words   string
	}{
		"nothing":     {&x.Options{Server: x.DefaultServer}, nil, platform.Denied, "POSTRIDER_ACME_X_OAUTH2_TOKEN alone"},
		"three":       {&x.Options{Server: x.DefaultServer}, with("API_KEY", "API_SECRET", "ACCESS_TOKEN"), platform.Denied, "set POSTRIDER_ACME_X_ACCESS_TOKEN_SECRET"},
		"no options":  {nil, oauth1Secrets(), platform.Unsent, "no options"},
		"bad options": {&x.Options{Server: "api.x.com"}, oauth1Secrets(), platform.Unsent, "server"},
	} {
		_, err := x.Adapter{}.Open(&platform.Account{Name: "acme-x", Platform: "x", Options: tt.options}, platform.Deps{Secrets: tt.secrets})
		t.Run(name, func(t *testing.T) { refused(t, err, tt.outcome, tt.words) })
	}
}

// TestWhichTokens: the tokens of OAuth 1.0a go first, and an incomplete set of them does not stand in the way of the other.
func TestWhichTokens(t *testing.T) {
	b := newBench(t, fake.Config{})
	both := oauth1Secrets()
	both["OAUTH2_TOKEN"] = secret.New("expired")
	incomplete := oauth2Secrets()
	incomplete["API_KEY"] = secret.New(access.Key)
	for i, secrets := range []map[string]secret.String{both, incomplete} {
		b.secrets = secrets
		b.open(t)
		id, err := b.pub.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(platform.Identity{ID: "1001", Handle: "@acme", URL: b.base + "/acme", Scopes: [][]string{{"read-write"}, nil}[i]}, id); diff != "" {
			t.Error(diff)
		}
	}
	b.secrets = map[string]secret.String{"OAUTH2_TOKEN": secret.New("expired")}
	b.open(t)
	_, err := b.pub.Verify(t.Context())
	refused(t, err, platform.Denied, "two hours")
}

// TestReadOnly: tokens that were made before the app might write cannot post, and X says so before anybody tries.
func TestReadOnly(t *testing.T) {
	id, err := newBench(t, fake.Config{Access: "read"}).pub.Verify(t.Context())
	if want := []platform.Need{{Scope: "read-write", For: "posting"}}; err != nil || !slices.Equal(id.Lacks, want) || !slices.Equal(id.Scopes, []string{"read"}) {
		t.Errorf("%+v, %v", id, err)
	}
}

func TestDeleteAndExists(t *testing.T) {
	b := newBench(t, fake.Config{})
	receipt := b.publish(t, says("One.", "Two."))
	part := receipt.Parts[1]
	byHand := platform.Remote{ID: "https://x.com/acme/status/" + part.ID}
	for _, remote := range []platform.Remote{part, byHand} {
		if there, err := b.pub.Exists(t.Context(), remote); !there || err != nil {
			t.Errorf("%+v: %v, %v", remote, there, err)
		}
	}
	if err := b.pub.Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{receipt.Parts[0], byHand}}); err != nil || len(b.Posts()) != 0 {
		t.Errorf("%v, %d posts", err, len(b.Posts()))
	}
	if there, err := b.pub.Exists(t.Context(), part); there || err != nil {
		t.Errorf("%v, %v", there, err)
	}
	_, err := b.pub.Exists(t.Context(), platform.Remote{ID: "https://bsky.app/x"})
	refused(t, err, platform.Rejected, "not the address of a post on X")
	refused(t, b.pub.Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: "elsewhere"}}}), platform.Rejected, "not the address")
	b.answer(200, nil, `{"data":{"deleted":false}}`)
	refused(t, b.pub.Delete(t.Context(), receipt), platform.Unsent, "does not say that it has deleted")
	b.answer(200, nil, `{"errors":[{"type":"https://api.x.com/2/problems/not-authorized-for-resource","detail":"Not yours."}]}`)
	_, err = b.pub.Exists(t.Context(), part)
	refused(t, err, platform.Unsent, "Not yours.")
}

func TestAddresses(t *testing.T) {
	b := newBench(t, fake.Config{})
	b.options.Handle = ""
	b.open(t)
	b.answer(201, nil, `{"data":{"id":"77"}}`)
	if got := b.publish(t, says("Hello.")).Parts[0].URL; got != b.base+"/i/web/status/77" {
		t.Error(got)
	}
}

// TestBody: the API refuses fields that it does not know, and a missing text.
func TestBody(t *testing.T) {
	b := newBench(t, fake.Config{})
	var sent map[string]any
	b.mu.Lock()
	b.instead = func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		io.WriteString(w, `{"data":{"id":"1"}}`) //nolint:errcheck // a test
	}
	b.mu.Unlock()
	b.publish(t, says(""))
	if diff := cmp.Diff(map[string]any{"text": ""}, sent); diff != "" {
		t.Error(diff)
	}
}

// TestFirstComment: a comment answers the first part, not the last of the thread.
func TestFirstComment(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := says("One.", "Two.", "More at acme.com")
	r.Parts[2].Comment = true
	receipt := b.publish(t, r)
	posts := b.Posts()
	if posts[1].Parent != posts[0].ID || posts[2].Parent != posts[0].ID {
		t.Errorf("%+v", posts)
	}
	found, err := b.pub.Find(t.Context(), r, b.attempt(1))
	if diff := cmp.Diff(receipt, found); err != nil || diff != "" {
		t.Errorf("%v (-published +found):\n%s", err, diff)
	}
}

// TestFittedPicture: what a picture becomes is what X is told of it.
func TestFittedPicture(t *testing.T) {
	b := newBench(t, fake.Config{})
	r := says("Look.")
	picture := b.media("a.png", "image/png", "A grey field")
	picture.Fit = &platform.Fit{Width: 2, Height: 2, MIME: "image/jpeg", MaxBytes: 1 << 20, Version: media.Version}
	r.Parts[0].Media = []platform.Media{picture}
	b.publish(t, r)
	if got := b.Posts()[0].Media[0]; got.MIME != "image/jpeg" || got.Digest == picture.Digest || got.Bytes == 0 {
		t.Errorf("%+v", got)
	}
}

// TestFindPages: the list of posts comes in pages, long texts in a field of their own, and addresses as t.co.
func TestFindPages(t *testing.T) {
	b := newBench(t, fake.Config{})
	a := b.attempt(1)
	r := says(strings.Repeat("A long story & more, at https://acme.com/a?b=<c>. ", 20), "And on.")
	r.Parts[1].Media = []platform.Media{b.media("a.png", "image/png", "A grey field")}
	receipt := b.publish(t, r)
	for n := range 150 {
		b.pass(time.Second)
		b.publish(t, says("Another one, number "+strconv.Itoa(n)))
	}
	found, err := b.pub.Find(t.Context(), r, a)
	if diff := cmp.Diff(receipt, found); err != nil || diff != "" {
		t.Errorf("%v (-published +found):\n%s", err, diff)
	}
	if n := b.requests("/2/users/1001/tweets"); n != 2 {
		t.Errorf("%d pages", n)
	}
	other := says(r.Parts[0].Text, "And on.")
	other.Parts[1].Media = []platform.Media{b.media("a.png", "image/png", "Another field")}
	found, err = b.pub.Find(t.Context(), other, a)
	if err != nil || len(found.Parts) != 1 {
		t.Errorf("a picture that says something else: %+v, %v", found, err)
	}
	a.Since = b.clock().Add(10 * time.Minute)
	if _, err = b.pub.Find(t.Context(), r, a); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("what is older than the attempt: %v", err)
	}
}

// TestFindProvesNothing: a list that is not what was asked for proves no absence.
func TestFindProvesNothing(t *testing.T) {
	b := newBench(t, fake.Config{})
	if _, err := b.pub.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{}`,
		`{"errors":[{"title":"Not Found Error","detail":"Could not find user","type":"https://api.x.com/2/problems/resource-not-found"}]}`,
		`{"data":[{"id":"1","text":"Hello."}],"meta":{"result_count":1}}`,
		`{"data":[],"meta":{"result_count":1}}`,
		`{"data":[{"id":"x","text":"Hello.","created_at":"2026-12-01T09:00:00.000Z"}],"meta":{"result_count":1}}`,
		`{"meta":{"result_count":0,"next_token":"again"}}`,
	} {
		b.answer(200, nil, body)
		receipt, err := b.pub.Find(t.Context(), says("Hello."), b.attempt(1))
		if err == nil || errors.Is(err, platform.ErrNotFound) || len(receipt.Parts) > 0 {
			t.Errorf("%s proves %+v, %v", body, receipt.Parts, err)
		}
	}
}
