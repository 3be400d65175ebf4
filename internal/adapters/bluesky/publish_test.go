package bluesky

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/bluesky/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

// world is a fake server, the requests it got and a site's files.
type world struct {
	fake   *fake.Server
	server *httptest.Server
	files  fstest.MapFS
	log    bytes.Buffer
	// before, if it is set, sees every request first; true means that it has answered.
	before func(http.ResponseWriter, *http.Request) bool
	calls  map[string]int // by the last part of the XRPC method
}

func clock() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{files: fstest.MapFS{}, calls: map[string]int{}}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.calls[r.URL.Path[strings.LastIndexByte(r.URL.Path, '.')+1:]]++
		if w.before == nil || !w.before(rw, r) {
			w.fake.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(w.server.Close)
	w.fake = fake.New(fake.Options{Base: w.server.URL, Now: clock, Accounts: []fake.Account{
		{Handle: "acme.example", Password: "acme-password"}, {Handle: "alice.example", Password: "alice-password"},
	}})
	return w
}

func (w *world) open(t *testing.T, who string) *publisher {
	t.Helper()
	p, err := Adapter{}.Open(
		&platform.Account{Name: who, Platform: "bluesky", Options: &Options{Handle: who + ".example", Server: w.server.URL + "/"}},
		platform.Deps{
			HTTP:  &http.Client{Transport: platformtest.Checked(t, ReadLexicons(t).Check, w.server.Client().Transport)},
			Media: w.files, Now: clock, AllowPrivate: true,
			Secrets: map[string]secret.String{"APP_PASSWORD": secret.New(who + "-password")},
			Log:     slog.New(slog.NewTextHandler(&w.log, nil)).With("account", who), // as runs do
		})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*publisher)
}

func (w *world) media(path, content string) platform.Media {
	w.files[path] = &fstest.MapFile{Data: []byte(content)}
	sum := sha256.Sum256([]byte(content))
	return platform.Media{
		Path: path, Digest: hex.EncodeToString(sum[:]), MIME: "image/png", Alt: "alt of " + path, Width: 4, Height: 3, Bytes: int64(len(content)),
	}
}

func say(texts ...string) *platform.Rendering {
	r := &platform.Rendering{Platform: "bluesky"}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

func try(n int) platform.Attempt {
	return platform.Attempt{Key: fmt.Sprintf("%026d", n), At: clock().Add(-time.Minute), N: 1, Since: clock().Add(-2 * time.Minute)}
}

func (w *world) publish(t *testing.T, who string, r *platform.Rendering, n int) platform.Receipt {
	t.Helper()
	receipt, err := w.open(t, who).Publish(t.Context(), r, try(n))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// value returns a record as it is stored.
func (w *world) value(t *testing.T, uri string) json.RawMessage {
	t.Helper()
	who, rkey, _ := postOf(uri)
	rec := httptest.NewRecorder()
	w.fake.ServeHTTP(rec, httptest.NewRequest("GET", "/xrpc/com.atproto.repo.getRecord?collection="+collection+"&repo="+who+"&rkey="+rkey, nil))
	var out struct{ Value json.RawMessage }
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || out.Value == nil {
		t.Fatalf("%s: %s", uri, rec.Body)
	}
	return out.Value
}

func wantOutcome(t *testing.T, err error, want platform.Outcome, words string) {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || e.Outcome != want || !strings.Contains(e.Error(), words) {
		t.Errorf("got %v (%v), want %v with %q", err, platform.OutcomeOf(err), want, words)
	}
}

var updateRecords = flag.Bool("update-records", false, "rewrite testdata/records")

// What is stored, to the byte: a record that changes is a record that retries would change.
func TestRecords(t *testing.T) {
	w := newWorld(t)
	target := w.publish(t, "alice", say("First", "Second"), 1)
	root, second := target.Parts[0], target.Parts[1]
	full := say("Hi @alice.example @nobody.example #snow https://a.example")
	full.Parts[0].Facets = []platform.Facet{
		{Start: 3, End: 17, Kind: platform.FacetMention, Value: "alice.example"},
		{Start: 18, End: 33, Kind: platform.FacetMention, Value: "nobody.example"},
		{Start: 34, End: 39, Kind: platform.FacetTag, Value: "snow"},
		{Start: 40, End: 57, Kind: platform.FacetLink, Value: "https://a.example"},
	}
	full.Language, full.Labels = []string{"en", "de-DE"}, []string{"graphic-media"}
	full.Parts[0].Media = []platform.Media{w.media("a.png", "a"), w.media("b.png", "b")}
	full.Parts[0].Media[1].Width = 0
	full.ReplyTo, full.Quote = second.URL, root.ID
	full.Parts = append(full.Parts, platform.Part{Text: "<two> & “three”", Card: &platform.Card{URL: "https://a.example", Title: "A", Image: new(w.media("c.png", "c"))}})
	tests := map[string]*platform.Rendering{"plain": say("Hello"), "full": full, "quote": say("Look")}
	tests["quote"].Quote = strings.Replace(root.URL, fake.DID("alice.example"), "alice.example", 1)
	n := 10
	for name, r := range tests {
		n++
		a := try(0)
		a.Key = name
		receipt, err := w.open(t, "acme").Publish(t.Context(), r, a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got bytes.Buffer
		for _, part := range receipt.Parts {
			if err := json.Indent(&got, w.value(t, part.ID), "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
		}
		path := filepath.Join("testdata", "records", name+".json")
		if *updateRecords {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got.String()); diff != "" {
			t.Errorf("%s (-golden +sent):\n%s", name, diff)
		}
	}
	if log := w.log.String(); !strings.Contains(log, "nobody.example") || strings.Contains(log, "account=acme account=") {
		t.Error("the mention of nobody was dropped in silence")
	}
}

func TestReferencesThatLeadNowhere(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{
		"https://acme.example", "at://alice.example/app.bsky.feed.post/3kxyzxyzxyzxy", "https://bsky.app/profile/nobody.example/post/3kxyzxyzxyzxy",
	} {
		r := say("x")
		r.ReplyTo = address
		_, err := w.open(t, "acme").Publish(t.Context(), r, try(1))
		wantOutcome(t, err, platform.Rejected, "")
		r.ReplyTo, r.Quote = "", address
		_, err = w.open(t, "acme").Publish(t.Context(), r, try(1))
		wantOutcome(t, err, platform.Rejected, "")
	}
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "resolveHandle") {
			http.Error(rw, "busy", http.StatusBadGateway)
			return true
		}
		return false
	}
	r := say("Hi @alice.example")
	r.Parts[0].Facets = []platform.Facet{{Start: 3, End: 17, Kind: platform.FacetMention, Value: "alice.example"}}
	_, err := w.open(t, "acme").Publish(t.Context(), r, try(1))
	wantOutcome(t, err, platform.Unsent, "resolve @alice.example")
	if n := len(w.fake.Calls()); n != 0 {
		t.Errorf("%d creating requests", n)
	}
}

func TestSession(t *testing.T) {
	w := newWorld(t)
	p := w.open(t, "acme")
	publish := func(n int) {
		t.Helper()
		if _, err := p.Publish(t.Context(), say("x"), try(n)); err != nil {
			t.Fatal(err)
		}
	}
	publish(1)
	publish(2)
	if w.calls["createSession"] != 1 {
		t.Errorf("%d sessions for two posts", w.calls["createSession"])
	}
	w.fake.ExpireTokens()
	publish(3)
	if w.calls["createSession"] != 1 || w.calls["refreshSession"] != 1 {
		t.Errorf("an expired token: %v", w.calls)
	}
	// The token that renews is dead, too: log in again.
	p.session.Refresh = "fake-refresh-0"
	w.fake.ExpireTokens()
	publish(4)
	if w.calls["createSession"] != 2 || w.calls["refreshSession"] != 2 {
		t.Errorf("two expired tokens: %v", w.calls)
	}
	if w.fake.Creations() != 4 {
		t.Errorf("%d posts", w.fake.Creations())
	}
	// A renewal that cannot be reached is not a wrong password.
	w.fake.ExpireTokens()
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "Session") {
			http.Error(rw, "busy", http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	_, err := p.Publish(t.Context(), say("x"), try(5))
	wantOutcome(t, err, platform.Unsent, "renew the session")
}

func TestLoginErrors(t *testing.T) {
	tests := []struct {
		status        int
		body          string
		want          platform.Outcome
		words, inHint string
	}{
		{401, `{"error":"AuthenticationRequired","message":"Invalid identifier or password"}`, platform.Denied, "Invalid identifier or password", "app password"},
		{401, `{"error":"AuthFactorTokenRequired","message":"A sign in code has been sent"}`, platform.Denied, "sign in code", "app password"},
		{400, `{"error":"AccountTakedown","message":"Account has been taken down"}`, platform.Denied, "taken down", "closed or suspended"},
		{400, `{"error":"InvalidRequest","message":"Invalid identifier"}`, platform.Denied, "Invalid identifier", "handle"},
		{404, `<html>`, platform.Denied, "not found", "handle"},
		{429, `{"error":"RateLimitExceeded"}`, platform.Limited, "RateLimitExceeded", ""},
		{502, ``, platform.Unsent, "bad gateway", ""},
		{200, `{"did":"did:plc:x"}`, platform.Unsent, "no session", ""},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.before = func(rw http.ResponseWriter, _ *http.Request) bool {
			rw.WriteHeader(test.status)
			fmt.Fprint(rw, test.body)
			return true
		}
		for _, call := range []func(*publisher) error{
			func(p *publisher) error { _, err := p.Publish(t.Context(), say("x"), try(1)); return err },
			func(p *publisher) error { _, err := p.Verify(t.Context()); return err },
			func(p *publisher) error { _, err := p.Find(t.Context(), say("x"), try(1)); return err },
			func(p *publisher) error { return p.Delete(t.Context(), platform.Receipt{}) },
		} {
			err := call(w.open(t, "acme"))
			wantOutcome(t, err, test.want, test.words)
			if e, ok := errors.AsType[*platform.Error](err); ok && !strings.Contains(e.Hint, test.inHint) {
				t.Errorf("%s: hint %q", test.body, e.Hint)
			}
		}
	}
}

func TestHost(t *testing.T) {
	tests := map[string]struct{ server, id, endpoint, want string }{
		"entrance":       {"https://bsky.social", "#atproto_pds", "https://morel.us-east.host.bsky.network", "https://morel.us-east.host.bsky.network"},
		"full id":        {"https://bsky.social", "did:plc:x#atproto_pds", "https://pds.example.com/", "https://pds.example.com"},
		"another kind":   {"https://bsky.social", "#atproto_labeler", "https://labels.example.com", "https://bsky.social"},
		"not encrypted":  {"https://bsky.social", "#atproto_pds", "http://pds.example.com", "https://bsky.social"},
		"private":        {"https://bsky.social", "#atproto_pds", "https://10.0.0.1", "https://bsky.social"},
		"local name":     {"https://bsky.social", "#atproto_pds", "https://localhost:2583", "https://bsky.social"},
		"credentials":    {"https://bsky.social", "#atproto_pds", "https://a:b@pds.example.com", "https://bsky.social"},
		"nonsense":       {"https://bsky.social", "#atproto_pds", "://", "https://bsky.social"},
		"loopback":       {"http://127.0.0.1:2583", "#atproto_pds", "https://pds.example.com", "http://127.0.0.1:2583"},
		"loopback name":  {"http://localhost:2583", "#atproto_pds", "https://pds.example.com", "http://localhost:2583"},
		"container name": {"http://pds:2583", "#atproto_pds", "https://pds.example.com", "http://pds:2583"},
	}
	for name, test := range tests {
		var s session
		doc := fmt.Sprintf(`{"didDoc":{"service":[{"id":"#x","serviceEndpoint":{"a":1}},{"id":%q,"serviceEndpoint":%q}]}}`, test.id, test.endpoint)
		if err := json.Unmarshal([]byte(doc), &s); err != nil {
			t.Fatal(err)
		}
		p := &publisher{options: Options{Server: test.server}}
		if got := p.host(&s); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	p := &publisher{options: Options{Server: DefaultServer}, session: &session{DID: "did:plc:x"}}
	if got := p.remote(ref{"at://did:plc:x/app.bsky.feed.post/3k", "c"}, 1); got.URL != "https://bsky.app/profile/did:plc:x/post/3k" {
		t.Errorf("the post is at %q", got.URL)
	}
}

// A record that is at the key but says something else was not made by this first try.
func TestForeignRecordAtKey(t *testing.T) {
	w := newWorld(t)
	w.publish(t, "acme", say("ours"), 1)
	_, err := w.open(t, "acme").Publish(t.Context(), say("other"), try(1))
	wantOutcome(t, err, platform.Unknown, "another post")
	if posts := w.fake.Posts(); len(posts) != 1 || posts[0].Text != "ours" {
		t.Errorf("posts %+v", posts)
	}
}

func TestEditKeepsWhatItDoesNotChange(t *testing.T) {
	w := newWorld(t)
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprint(rw, `<html><title>As it was</title>`)
	}))
	r := say("One", "Two", "Three")
	r.Parts[0].Media = []platform.Media{w.media("a.png", "a"), w.media("b.png", "b")}
	r.Parts[1].Card = &platform.Card{URL: page.URL, Fetch: true}
	receipt := w.publish(t, "acme", r, 1)
	page.Close()
	before := w.fake.Posts()
	uploads := w.calls["uploadBlob"]

	edited := say("One!", "Two!", "Three!")
	edited.Parts[0].Media = []platform.Media{r.Parts[0].Media[1], w.media("c.png", "c")}
	edited.Parts[1].Card = r.Parts[1].Card
	after, err := w.open(t, "acme").Edit(t.Context(), receipt, edited)
	if err != nil {
		t.Fatal(err)
	}
	if n := w.calls["uploadBlob"] - uploads; n != 1 {
		t.Errorf("%d files were uploaded, one is new", n)
	}
	posts := w.fake.Posts()
	for i, p := range posts {
		b := before[i]
		if p.Text != edited.Parts[i].Text || !p.Created.Equal(b.Created) || p.Parent != b.Parent || p.Root != b.Root || p.ID != b.ID || !p.Edited {
			t.Errorf("part %d: %+v, was %+v", i, p, b)
		}
		if after.Parts[i].Version == receipt.Parts[i].Version || after.Parts[i].ID != receipt.Parts[i].ID {
			t.Errorf("part %d: %+v, was %+v", i, after.Parts[i], receipt.Parts[i])
		}
	}
	if m := posts[0].Media; len(m) != 2 || m[0].Alt != "alt of b.png" || m[1].Alt != "alt of c.png" {
		t.Errorf("media %+v", m)
	}
	if c := posts[1].Card; c == nil || c.Title != "As it was" {
		t.Errorf("card %+v", c)
	}
}

func TestEditConflicts(t *testing.T) {
	w := newWorld(t)
	receipt := w.publish(t, "acme", say("mine"), 1)
	raced := false
	w.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "putRecord") && !raced {
			raced = true
			if _, err := w.open(t, "acme").Edit(t.Context(), receipt, say("theirs")); err != nil {
				t.Error(err)
			}
		}
		return false
	}
	_, err := w.open(t, "acme").Edit(t.Context(), receipt, say("ours"))
	wantOutcome(t, err, platform.Unsent, "at the same time")
	if text := w.fake.Posts()[0].Text; text != "theirs" {
		t.Errorf("the post says %q", text)
	}
	if err := w.open(t, "acme").Delete(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	_, err = w.open(t, "acme").Edit(t.Context(), receipt, say("late"))
	wantOutcome(t, err, platform.Rejected, "no longer")
	_, err = w.open(t, "acme").Edit(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: "7"}}}, say("x"))
	wantOutcome(t, err, platform.Rejected, "not a post")
	wantOutcome(t, w.open(t, "acme").Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: "7"}}}), platform.Rejected, "not a post")
}

// A ledger that was lost gives another key; the words are then the way to find what exists.
func TestFindByWords(t *testing.T) {
	w := newWorld(t)
	r := say("One", "Two")
	w.publish(t, "acme", say("Two"), 5) // the same words elsewhere
	old := w.publish(t, "acme", r, 1)
	lost := try(9)
	find := func(a platform.Attempt, r *platform.Rendering) ([]platform.Remote, error) {
		t.Helper()
		found, err := w.open(t, "acme").Find(t.Context(), r, a)
		return found.Parts, err
	}
	got, err := find(lost, r)
	if diff := cmp.Diff(old.Parts, got); err != nil || diff != "" {
		t.Errorf("%v (-published +found):\n%s", err, diff)
	}
	if got, err := find(lost, say("One", "Another")); err != nil || len(got) != 1 {
		t.Errorf("the first part exists, found %+v, %v", got, err)
	}
	for name, change := range map[string]func(*platform.Attempt){
		"owned":     func(a *platform.Attempt) { a.Owned = []string{old.Parts[0].ID} },
		"older":     func(a *platform.Attempt) { a.Since = clock() },
		"not asked": func(a *platform.Attempt) { a.Since = time.Time{} },
	} {
		a := lost
		change(&a)
		if got, err := find(a, r); !errors.Is(err, platform.ErrNotFound) {
			t.Errorf("%s: found %+v, %v", name, got, err)
		}
	}
	// The words are in the answer to somebody: that is no post of its own.
	answer := say("Fine")
	answer.ReplyTo = old.Parts[0].ID
	w.publish(t, "acme", answer, 6)
	if got, err := find(lost, say("Fine")); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("found %+v, %v", got, err)
	}
	if got, err := find(lost, answer); err != nil || len(got) != 1 {
		t.Errorf("found %+v, %v", got, err)
	}
}

func TestFindPages(t *testing.T) {
	w := newWorld(t)
	for n := range 130 {
		w.publish(t, "acme", say(fmt.Sprint("Number ", n)), n)
	}
	a := try(999)
	found, err := w.open(t, "acme").Find(t.Context(), say("Number 0"), a)
	if err != nil || len(found.Parts) != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
	found, err = w.open(t, "acme").Find(t.Context(), say("Number 129"), a)
	if err != nil || len(found.Parts) != 1 {
		t.Errorf("found %+v, %v", found, err)
	}
	if _, err := w.open(t, "acme").Find(t.Context(), say("Number 130"), a); !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	// A server that always has one more page proves nothing.
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "listRecords") {
			return false
		}
		fmt.Fprintf(rw, `{"cursor":"c%d","records":[{"uri":"at://x/app.bsky.feed.post/y","cid":"z","value":{"text":"t","createdAt":"2026-12-01T09:00:00Z"}}]}`, w.calls["listRecords"])
		return true
	}
	_, err = w.open(t, "acme").Find(t.Context(), say("x"), a)
	wantOutcome(t, err, platform.Unsent, "more than 2000 posts")
	if errors.Is(err, platform.ErrNotFound) {
		t.Error("it proves that there is nothing")
	}
}

// A part that was published by another version of the program has no CID in its receipt.
func TestResumeWithoutVersion(t *testing.T) {
	w := newWorld(t)
	r := say("One", "Two", "Three")
	w.fake.Inject(fakenet.Plan{Fault: fakenet.Refuse, Skip: 2})
	receipt, err := w.open(t, "acme").Publish(t.Context(), r, try(1))
	wantOutcome(t, err, platform.Rejected, "grapheme too big")
	a := try(1)
	for _, part := range receipt.Parts {
		part.Version = ""
		a.Done = append(a.Done, part)
	}
	a.N = 2
	if _, err := w.open(t, "acme").Publish(t.Context(), r, a); err != nil {
		t.Fatal(err)
	}
	var third struct {
		Reply reply `json:"reply"`
	}
	if err := json.Unmarshal(w.value(t, w.fake.Posts()[2].ID), &third); err != nil {
		t.Fatal(err)
	}
	want := reply{Root: ref{receipt.Parts[0].ID, receipt.Parts[0].Version}, Parent: ref{receipt.Parts[1].ID, receipt.Parts[1].Version}}
	if diff := cmp.Diff(want, third.Reply); diff != "" {
		t.Error(diff)
	}
	if err := w.open(t, "acme").Delete(t.Context(), platform.Receipt{Parts: receipt.Parts[:1]}); err != nil {
		t.Fatal(err)
	}
	a.Done = a.Done[:1]
	a.Key = "another"
	_, err = w.open(t, "acme").Publish(t.Context(), r, a)
	wantOutcome(t, err, platform.Rejected, "no longer")
}

func TestVerify(t *testing.T) {
	w := newWorld(t)
	id, err := w.open(t, "acme").Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if id.Handle != "acme.example" || id.ID != fake.DID("acme.example") || len(id.Limits) != 1 || id.Limits[0].Name != "video_bytes" {
		t.Errorf("got %+v", id)
	}
	if diff := cmp.Diff(map[string]int{"createSession": 1, "describeServer": 1}, w.calls); diff != "" {
		t.Error(diff)
	}

	p := w.open(t, "acme")
	for range 2 {
		w.fake.ExpireTokens()
		if again, err := p.Verify(t.Context()); err != nil || again.Handle != id.Handle {
			t.Errorf("with a session that has died: %+v, %v", again, err)
		}
	}
	for method, test := range map[string]struct {
		status int
		body   string
		want   platform.Outcome // Unknown: none
		words  string
	}{
		"createSession":  {200, `{"did":"did:plc:x","accessJwt":"a","active":false,"status":"deactivated"}`, platform.Denied, "deactivated"},
		"describeServer": {501, `{"error":"MethodNotImplemented"}`, platform.Unknown, ""},
	} {
		w.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, method) {
				rw.WriteHeader(test.status)
				fmt.Fprint(rw, test.body)
				return true
			}
			return false
		}
		id, err := w.open(t, "acme").Verify(t.Context())
		if test.want != platform.Unknown {
			wantOutcome(t, err, test.want, test.words)
		} else if err != nil || id.Handle == "" || id.Limits != nil {
			t.Errorf("without %s: %+v, %v", method, id, err)
		}
	}
	w.before = func(rw http.ResponseWriter, r *http.Request) bool {
		http.Error(rw, "busy", http.StatusBadGateway)
		return true
	}
	_, err = p.Verify(t.Context())
	wantOutcome(t, err, platform.Unsent, "busy")
}

func TestPostOf(t *testing.T) {
	tests := map[string][2]string{
		"at://did:plc:x/app.bsky.feed.post/3k":          {"did:plc:x", "3k"},
		"https://bsky.app/profile/a.example/post/3k":    {"a.example", "3k"},
		"http://127.0.0.1:1/profile/did:plc:x/post/3k/": {"did:plc:x", "3k"},
		"at://did:plc:x/app.bsky.feed.like/3k":          {},
		"https://bsky.app/profile/a.example":            {},
		"https://bsky.app/profile/a/post/3k?x=y":        {},
		"at:///app.bsky.feed.post/3k":                   {},
		"":                                              {},
	}
	for address, want := range tests {
		who, rkey, ok := postOf(address)
		if who != want[0] || rkey != want[1] || ok != (want[0] != "") {
			t.Errorf("%q: %q, %q, %v", address, who, rkey, ok)
		}
	}
}

func FuzzBlobsIn(f *testing.F) {
	f.Add(`{"images":[{"image":{"$type":"blob","ref":{"$link":"b"},"mimeType":"image/png","size":1},"alt":""}]}`)
	f.Add(strings.Repeat("[", 5000))
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, embed string) {
		for cid, b := range blobsIn(json.RawMessage(embed)) {
			if cid == "" || b.Ref.Link != cid {
				t.Errorf("%q: %+v", cid, b)
			}
		}
	})
}

func TestBlobCID(t *testing.T) {
	// The CID of "hello world" as raw data, which every IPFS tool knows.
	const digest, want = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
	if got := blobCID(digest); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := blobCID("zz"); got != "" {
		t.Errorf("got %q", got)
	}
}
