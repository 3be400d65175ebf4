package platformtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// env is one fake with a server and a way to open publishers for it.
type env struct {
	s       *Suite
	fake    fakenet.Fake
	server  *httptest.Server
	account *platform.Account
	http    *http.Client
	media   fs.FS
	public  *httptest.Server // of the same files, for networks that fetch them; nil for others
	sent    sync.Map         // of path to the bytes that public serves there, where files are made to fit
	log     lockedBuffer

	budget  *platform.Budget // handed to publishers, as is timeout
	timeout time.Duration
}

func newEnv(t *testing.T, s *Suite) *env {
	t.Helper()
	e := &env{s: s, media: Files()}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	e.fake = s.Fake(base)
	server.Config.Handler = e.fake
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	e.server = server
	e.account = s.Account(base)
	transport := &http.Transport{DialContext: dialLocal}
	e.http = &http.Client{Transport: transport}
	if s.Check != nil {
		e.http.Transport = Checked(t, s.Check, transport)
	}
	if s.Adapter.Info().FetchesMedia {
		e.public = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if data, ok := e.sent.Load(r.URL.Path); ok {
				w.Write(data.([]byte)) //nolint:errcheck,forcetypeassert // the client has gone; only bytes are stored
				return
			}
			http.FileServerFS(e.media).ServeHTTP(w, r)
		}))
		t.Cleanup(e.public.Close)
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return e
}

// dialLocal keeps the cases on this machine: link cards of the corpus name servers that do not exist.
func dialLocal(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(address, "127.0.0.1:") {
		return nil, fmt.Errorf("%s is not on this machine", address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func (e *env) deps() platform.Deps {
	d := platform.Deps{
		HTTP: e.http, Media: e.media, Now: Clock, Secrets: e.s.Secrets, AllowPrivate: true,
		Budget: e.budget, Timeout: e.timeout,
		Log:  slog.New(slog.NewTextHandler(&e.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if e.public != nil {
		d.PublicMedia = func(_ context.Context, m platform.Media) (string, error) {
			data, err := apihttp.ReadMedia(e.media, m)
			address := "/" + m.Path
			if m.Fit != nil {
				address = "/sent/" + digest(data)
				e.sent.Store(address, data)
			}
			return e.public.URL + address, err
		}
	}
	return d
}

func (e *env) open(t *testing.T) platform.Publisher {
	t.Helper()
	p, err := e.s.Adapter.Open(e.account, e.deps())
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return p
}

// rendering returns the first of the named samples that the platform takes.
func (e *env) rendering(t *testing.T, names ...string) *platform.Rendering {
	t.Helper()
	for _, s := range Corpus() {
		if !slices.Contains(names, s.Name) {
			continue
		}
		r, findings := e.s.Adapter.Render(e.s.variant(s, e.account), e.account)
		if !findings.HasErrors() {
			return &r
		}
	}
	t.Fatalf("the platform takes none of the samples %q", names)
	return nil
}

// one is a rendering of one part that the platform takes.
func (e *env) one(t *testing.T) *platform.Rendering {
	t.Helper()
	return e.rendering(t, "plain", "image")
}

// caps is what the suite's accounts can do.
func (s *Suite) caps() platform.Caps { return platform.CapsOf(s.Adapter, s.Account(GoldenBase)) }

// created is how many posts a rendering's first n creating requests make.
func (s *Suite) created(r *platform.Rendering, n int) int {
	if s.OneRequest {
		return len(r.Parts)
	}
	return n
}

// requests is how many creating requests a rendering of n parts needs.
func (s *Suite) requests(n int) int {
	if s.OneRequest {
		return min(n, 1)
	}
	return n
}

// attempt returns the attempt to deliver number n of a test.
func attempt(n int) platform.Attempt {
	anchors := map[int]string{} // every try of the delivery knows what the others have noted
	return platform.Attempt{
		Key: fmt.Sprintf("%026d", n), At: Clock().Add(-time.Minute), N: 1, Since: Clock().Add(-time.Minute),
		Anchors: anchors,
		Anchor: func(part int, id string) error {
			anchors[part] = id
			return nil
		},
	}
}

// published publishes and fails the test unless that goes well.
func (e *env) published(t *testing.T, r *platform.Rendering, a platform.Attempt) platform.Receipt {
	t.Helper()
	receipt, err := e.open(t).Publish(t.Context(), r, a)
	if err != nil {
		t.Fatalf("Publish: %v", err)
	}
	e.complete(t, receipt, r)
	return receipt
}

// under publishes while a fault is on, and gives up once nothing else ends the request. It returns when the network is
// through with it, and tells whether the fault has struck.
func (e *env) under(t *testing.T, plan fakenet.Plan, r *platform.Rendering, a platform.Attempt) (receipt platform.Receipt, struck bool, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reached := make(chan struct{}, 100)
	plan.Elsewhere = "http://elsewhere.invalid/"
	plan.Reached = func() {
		reached <- struct{}{} // before Publish can return
		if plan.Fault == fakenet.TimeoutAfterAccept || plan.Fault == fakenet.SlowAnswer {
			cancel()
		}
	}
	if plan.Fault == fakenet.LateAccept {
		plan.Arrived = cancel
	}
	e.fake.Inject(plan)
	receipt, err = e.open(t).Publish(ctx, r, a)
	if plan.Fault == fakenet.LateAccept {
		select {
		case <-reached:
			return receipt, true, err
		case <-time.After(10 * time.Second):
			t.Fatal("the network does not come to accept it")
		}
	}
	return receipt, len(reached) > 0, err
}

// complete fails the test unless receipt has every part of r and the fake knows them all.
func (e *env) complete(t *testing.T, receipt platform.Receipt, r *platform.Rendering) {
	t.Helper()
	if len(receipt.Parts) != len(r.Parts) {
		t.Fatalf("the receipt has %d parts of %d: %+v", len(receipt.Parts), len(r.Parts), receipt.Parts)
	}
	e.exist(t, receipt)
}

// exist fails the test unless all parts of the receipt exist.
func (e *env) exist(t *testing.T, receipt platform.Receipt) {
	t.Helper()
	posts := e.posts()
	seen := map[string]bool{}
	for i, part := range receipt.Parts {
		p, ok := posts[part.ID]
		if !ok || part.Part != i || seen[part.ID] {
			t.Fatalf("part %d of the receipt is %+v, which does not exist or is there twice", i, part)
		}
		if part.URL != p.URL {
			t.Errorf("part %d: the receipt says %q, the network %q", i, part.URL, p.URL)
		}
		seen[part.ID] = true
	}
}

func (e *env) posts() map[string]fakenet.Post {
	posts := map[string]fakenet.Post{}
	for _, p := range e.fake.Posts() {
		posts[p.ID] = p
	}
	return posts
}

// shows fails the test unless the network shows what was rendered under the receipt's ids, as one thread.
func (e *env) shows(t *testing.T, receipt platform.Receipt, r *platform.Rendering) {
	t.Helper()
	e.complete(t, receipt, r)
	caps := e.s.caps()
	posts := e.posts()
	for i := range r.Parts {
		part, got := &r.Parts[i], posts[receipt.Parts[i].ID]
		if diff := cmp.Diff(part.Text, got.Text); diff != "" {
			t.Errorf("part %d, text (-rendered +sent):\n%s", i, diff)
		}
		var want, sent []file
		for _, m := range part.Media {
			want = append(want, e.file(t, m))
		}
		for _, m := range got.Media {
			sent = append(sent, file{m.Alt, m.Digest, m.MIME})
		}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Errorf("part %d, media (-rendered +sent):\n%s", i, diff)
		}
		if caps.Has(platform.CanCard) && part.Card != nil && !part.Card.Fetch {
			if got.Card == nil || got.Card.URL != part.Card.URL || got.Card.Title != part.Card.Title || got.Card.Description != part.Card.Description {
				t.Errorf("part %d, card: rendered %+v, sent %+v", i, part.Card, got.Card)
			} else if part.Card.Image != nil && (got.Card.Image == nil || got.Card.Image.Digest != part.Card.Image.Digest) {
				t.Errorf("part %d, card image: rendered %+v, sent %+v", i, part.Card.Image, got.Card.Image)
			}
		}
		if caps.Has(platform.CanLanguage) && len(r.Language) > 0 && (len(got.Language) == 0 || got.Language[0] != r.Language[0]) {
			t.Errorf("part %d, language: rendered %q, sent %q", i, r.Language, got.Language)
		}
		if i == 0 {
			continue
		}
		parent := receipt.Parts[i-1].ID
		if part.Comment { // on the first part, and not on the one before
			parent = receipt.Parts[0].ID
		}
		if got.Parent != parent || got.Root != receipt.Parts[0].ID {
			t.Errorf("part %d answers %q in the thread of %q, want %q and %q", i, got.Parent, got.Root, parent, receipt.Parts[0].ID)
		}
	}
	first := posts[receipt.Parts[0].ID]
	if caps.Has(platform.CanContentWarning) && first.ContentWarning != r.ContentWarning {
		t.Errorf("content warning: rendered %q, sent %q", r.ContentWarning, first.ContentWarning)
	}
	if caps.Has(platform.CanPoll) && r.Poll != nil {
		if diff := cmp.Diff(r.Poll.Options, first.Poll); diff != "" {
			t.Errorf("poll (-rendered +sent):\n%s", diff)
		}
	}
}

// file is an attached file as its network has it.
type file struct{ Alt, Digest, MIME string }

// file returns what the network has of a rendering's file.
func (e *env) file(t *testing.T, m platform.Media) file {
	t.Helper()
	if m.Fit == nil {
		return file{m.Alt, m.Digest, m.MIME}
	}
	data, err := apihttp.ReadMedia(e.media, m)
	if err != nil {
		t.Fatal(err)
	}
	return file{m.Alt, digest(data), m.Sent().MIME}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// creations fails the test unless exactly want posts were ever created.
func (e *env) creations(t *testing.T, want int) {
	t.Helper()
	if got := e.fake.Creations(); got != want {
		t.Errorf("%d posts were created, want %d", got, want)
	}
}

// outcome returns the *platform.Error in err and fails the test unless it has the outcome.
func outcome(t *testing.T, err error, want platform.Outcome) *platform.Error {
	t.Helper()
	pe, ok := errors.AsType[*platform.Error](err)
	if !ok {
		t.Fatalf("got the error %v (%T), want a *platform.Error", err, err)
	}
	if pe.Outcome != want {
		t.Errorf("got outcome %v for %q, want %v", pe.Outcome, pe, want)
	}
	return pe
}

// leaks fails the test if text holds a secret.
func (s *Suite) leaks(t *testing.T, where, text string) {
	t.Helper()
	for name, value := range s.Secrets {
		if strings.Contains(text, value.Reveal()) {
			t.Errorf("%s holds the secret %s: %s", where, name, text)
		}
	}
	if strings.Contains(text, "Bearer ") {
		t.Errorf("%s holds an Authorization header: %s", where, text)
	}
}

// lockedBuffer is a log that several goroutines may write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
