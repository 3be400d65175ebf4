package linkedin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/linkedin"
	"github.com/postrider/postrider/internal/adapters/linkedin/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/secret"
)

// network is a fake LinkedIn that is served, and a publisher for one account of it.
type network struct {
	fake      *fake.Server
	publisher platform.Publisher
	waited    time.Duration
	requests  []string
}

func serve(t *testing.T, c fake.Config, o linkedin.Options, files fstest.MapFS) *network {
	t.Helper()
	n := &network{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.requests = append(n.requests, r.Method+" "+r.URL.EscapedPath())
		n.fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.Base, c.Tokens, c.Now, c.Pages = server.URL, map[string]string{token: "Anna Acme"}, platformtest.Clock, []string{page}
	n.fake = fake.New(c)
	o.Server = server.URL
	if o.Version == "" {
		o.Version = linkedin.DefaultVersion
	}
	var err error
	n.publisher, err = linkedin.Adapter{}.Open(&platform.Account{Name: "li", Platform: "linkedin", Options: &o}, platform.Deps{
		HTTP: server.Client(), Media: files, Now: platformtest.Clock, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token), "CLIENT_SECRET": secret.New("app-secret")},
		Wait: func(_ context.Context, d time.Duration) error { n.waited += d; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *network) publish(t *testing.T, r *platform.Rendering, number int) (platform.Receipt, error) {
	t.Helper()
	return n.publisher.Publish(t.Context(), r, attempt(number))
}

func attempt(number int) platform.Attempt {
	at := platformtest.Clock().Add(-time.Minute)
	return platform.Attempt{Key: "k", At: at, Since: at, N: number}
}

func words(text string) *platform.Rendering {
	return &platform.Rendering{Platform: "linkedin", Visibility: "public", Parts: []platform.Part{{Text: text}}}
}

func commented(text, comment string) *platform.Rendering {
	r := words(text)
	r.Parts = append(r.Parts, platform.Part{Text: comment, Comment: true})
	return r
}

func outcome(t *testing.T, err error, want platform.Outcome) *platform.Error {
	t.Helper()
	e, ok := errors.AsType[*platform.Error](err)
	if !ok || e.Outcome != want {
		t.Fatalf("got %v, want the outcome %v", err, want)
	}
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// file returns a file and its place in a rendering.
func file(name, mime string, data []byte) (fstest.MapFS, platform.Media) {
	sum := sha256.Sum256(data)
	return fstest.MapFS{name: {Data: data}}, platform.Media{Path: name, MIME: mime, Bytes: int64(len(data)), Digest: hex.EncodeToString(sum[:])}
}

var pageOptions = linkedin.Options{Organization: page}

func TestVerify(t *testing.T) {
	n := serve(t, fake.Config{}, linkedin.Options{}, nil)
	id, err := n.publisher.Verify(t.Context())
	must(t, err)
	want := platform.Identity{ID: fake.Person("Anna Acme"), Handle: "Anna Acme"}
	if diff := cmp.Diff(want, id); diff != "" {
		t.Error(diff)
	}

	n = serve(t, fake.Config{}, linkedin.Options{Author: "urn:li:person:somebody"}, nil)
	_, err = n.publisher.Verify(t.Context())
	if e := outcome(t, err, platform.Denied); !strings.Contains(e.Message, "somebody") {
		t.Error(e)
	}

	n = serve(t, fake.Config{}, linkedin.Options{Organization: "7"}, nil) // not a page of hers
	_, err = n.publisher.Verify(t.Context())
	if e := outcome(t, err, platform.Denied); !strings.Contains(e.Hint, "r_organization_social") {
		t.Error(e.Hint)
	}

	n = serve(t, fake.Config{OldestVersion: "202501"}, linkedin.Options{Version: "202511"}, nil) // the clock says December 2026
	_, err = n.publisher.Verify(t.Context())
	if e := outcome(t, err, platform.Denied); !strings.Contains(e.Message, "202511") {
		t.Error(e)
	}
}

// TestInspect: the app that made the token is told when it dies and what it may do.
func TestInspect(t *testing.T) {
	dies := time.Date(2027, 1, 21, 9, 30, 0, 0, time.UTC)
	config := fake.Config{ClientID: "app", ClientSecret: "app-secret", Expires: dies, Scopes: []string{"w_member_social", "openid", "profile"}}
	id, err := serve(t, config, linkedin.Options{ClientID: "app"}, nil).publisher.Verify(t.Context())
	must(t, err)
	if !id.Expires.Equal(dies) || !slices.Equal(id.Scopes, []string{"openid", "profile", "w_member_social"}) {
		t.Errorf("%+v", id)
	}
	if want := []platform.Need{{Scope: "w_member_social_feed", For: "first comments", Minor: true}}; !slices.Equal(id.Lacks, want) {
		t.Errorf("lacks %+v", id.Lacks)
	}
	id, err = serve(t, config, linkedin.Options{ClientID: "app", Organization: page}, nil).publisher.Verify(t.Context())
	must(t, err)
	if len(id.Lacks) != 3 || id.Lacks[0].Scope != "w_organization_social" || id.Lacks[0].Minor {
		t.Errorf("a page's token lacks %+v", id.Lacks)
	}

	_, err = serve(t, config, linkedin.Options{ClientID: "other"}, nil).publisher.Verify(t.Context())
	if e := outcome(t, err, platform.Denied); !strings.Contains(e.Hint, "client_id") || strings.Contains(e.Error(), "app-secret") {
		t.Error(e, e.Hint)
	}
	config.Expires = platformtest.Clock()
	_, err = serve(t, config, linkedin.Options{ClientID: "app"}, nil).publisher.Verify(t.Context())
	if e := outcome(t, err, platform.Denied); !strings.Contains(e.Message, "expired") {
		t.Error(e)
	}
}

func TestRetiredVersion(t *testing.T) {
	n := serve(t, fake.Config{OldestVersion: "202610"}, linkedin.Options{}, nil)
	_, err := n.publish(t, words("Snow."), 1)
	if e := outcome(t, err, platform.Denied); e.Status != http.StatusUpgradeRequired || !strings.Contains(e.Hint, "version:") {
		t.Errorf("%v, hint %q", e, e.Hint)
	}
}

// TestDuplicate: a refusal that names a live post is settled by what can be known of it.
func TestDuplicate(t *testing.T) {
	t.Run("first try", func(t *testing.T) {
		n := serve(t, fake.Config{}, pageOptions, nil)
		first, err := n.publish(t, words("Snow."), 1)
		must(t, err)
		_, err = n.publish(t, words("Snow."), 1)
		if e := outcome(t, err, platform.Rejected); !strings.Contains(e.Message, first.Parts[0].ID) || e.Hint == "" {
			t.Error(e)
		}
	})
	t.Run("adopted", func(t *testing.T) {
		n := serve(t, fake.Config{}, pageOptions, nil)
		n.fake.Inject(fakenet.Plan{Fault: fakenet.ServerErrorAfterAccept})
		r := commented("Snow (again).", "More of it.")
		_, err := n.publish(t, r, 1)
		outcome(t, err, platform.Unknown)
		receipt, err := n.publish(t, r, 2)
		must(t, err)
		if posts := n.fake.Posts(); len(posts) != 2 || receipt.Parts[0].ID != posts[0].ID || receipt.Parts[1].ID != posts[1].ID || n.fake.Creations() != 2 {
			t.Errorf("the receipt has %+v of %+v", receipt, posts)
		}
	})
	t.Run("another's", func(t *testing.T) {
		n := serve(t, fake.Config{}, pageOptions, nil)
		_, err := n.publish(t, words("Snow."), 1)
		must(t, err)
		late := attempt(2)
		late.Since = platformtest.Clock().Add(time.Hour)
		_, err = n.publisher.Publish(t.Context(), words("Snow."), late)
		outcome(t, err, platform.Rejected)
	})
	t.Run("deleted", func(t *testing.T) {
		n := serve(t, fake.Config{}, pageOptions, nil)
		first, err := n.publish(t, words("Snow."), 1)
		must(t, err)
		n.fake.Forget(first.Parts[0].ID)
		_, err = n.publish(t, words("Snow."), 2)
		outcome(t, err, platform.Rejected)
	})
	t.Run("member", func(t *testing.T) {
		n := serve(t, fake.Config{}, linkedin.Options{}, nil)
		first, err := n.publish(t, words("Snow."), 1)
		must(t, err)
		_, err = n.publish(t, words("Snow."), 2)
		e := outcome(t, err, platform.Unknown)
		if urn := first.Parts[0].ID; !strings.Contains(e.Message, urn) || !strings.Contains(e.Hint, "/feed/update/"+urn) {
			t.Errorf("%v, hint %q", e, e.Hint)
		}
		if n.fake.Creations() != 1 {
			t.Errorf("%d posts", n.fake.Creations())
		}
	})
}

func TestFirstComment(t *testing.T) {
	for name, o := range map[string]linkedin.Options{"member": {}, "page": pageOptions} {
		n := serve(t, fake.Config{}, o, nil)
		r := commented("Snow.", "See (here): https://acme.example/a_b #Winter")
		receipt, err := n.publish(t, r, 1)
		must(t, err)
		posts := n.fake.Posts()
		if len(posts) != 2 || posts[1].Text != r.Parts[1].Text || posts[1].Parent != posts[0].ID || receipt.Parts[1].URL != posts[1].URL {
			t.Fatalf("%s: %+v, %+v", name, receipt, posts)
		}
		edited := commented("Snow.", "Changed.")
		editor := n.publisher.(platform.Editor) //nolint:forcetypeassert // it is
		after, err := editor.Edit(t.Context(), receipt, edited)
		must(t, err)
		if got := n.fake.Posts()[1].Text; got != "Changed." || after.Parts[1].ID != receipt.Parts[1].ID {
			t.Errorf("%s: the comment is %q", name, got)
		}
		must(t, n.publisher.(platform.Deleter).Delete(t.Context(), after)) //nolint:forcetypeassert // it is
		if left := n.fake.Posts(); len(left) != 0 {
			t.Errorf("%s: %+v is left", name, left)
		}
	}
}

// TestCommentFails: the post is out, and says so; what is missing goes out later, once.
func TestCommentFails(t *testing.T) {
	n := serve(t, fake.Config{NoComments: true}, linkedin.Options{}, nil)
	receipt, err := n.publish(t, commented("Snow.", "More."), 1)
	if e := outcome(t, err, platform.Denied); len(receipt.Parts) != 1 || !strings.Contains(e.Hint, "w_member_social_feed") {
		t.Errorf("%+v, hint %q", receipt, e.Hint)
	}
	for _, fault := range []fakenet.Fault{fakenet.ServerError, fakenet.ServerErrorAfterAccept, fakenet.HalfResponse, fakenet.Garbage} {
		n := serve(t, fake.Config{}, pageOptions, nil)
		n.fake.Inject(fakenet.Plan{Fault: fault, Skip: 1})
		r := commented("Snow.", "More.")
		receipt, err := n.publish(t, r, 1)
		outcome(t, err, platform.Unknown)
		a := attempt(2)
		a.Done = receipt.Parts
		found, err := n.publisher.(platform.Finder).Find(t.Context(), r, a) //nolint:forcetypeassert // it is
		must(t, err)
		if len(found.Parts) != len(n.fake.Posts()) {
			t.Errorf("%s: found %+v of %+v", fault, found.Parts, n.fake.Posts())
		}
		a.Done = found.Parts
		receipt, err = n.publisher.Publish(t.Context(), r, a)
		must(t, err)
		if len(receipt.Parts) != 2 || n.fake.Creations() != 2 {
			t.Errorf("%s: %+v, %d created", fault, receipt, n.fake.Creations())
		}
		for _, part := range receipt.Parts {
			if exists, err := n.publisher.(platform.Checker).Exists(t.Context(), part); !exists || err != nil { //nolint:forcetypeassert // it is
				t.Errorf("%s: %s exists: %v, %v", fault, part.ID, exists, err)
			}
		}
		n.fake.Forget(receipt.Parts[0].ID)
		for _, part := range receipt.Parts {
			if exists, err := n.publisher.(platform.Checker).Exists(t.Context(), part); exists || err != nil { //nolint:forcetypeassert // it is
				t.Errorf("%s: %s exists no more: %v, %v", fault, part.ID, exists, err)
			}
		}
	}
}

func TestVideo(t *testing.T) {
	data := append([]byte("\x00\x00\x00\x18ftypmp42"), bytes.Repeat([]byte("snow"), 25)...)
	files, m := file("content/ride.mp4", "video/mp4", data)
	r := words("A ride.")
	r.Parts[0].Media, r.Settings = []platform.Media{m}, map[string]string{"media.title": "The ride"}

	n := serve(t, fake.Config{PartBytes: 25, Processing: 3}, pageOptions, files)
	_, err := n.publish(t, r, 1)
	must(t, err)
	posts := n.fake.Posts()
	if len(posts) != 1 || len(posts[0].Media) != 1 || posts[0].Media[0].Digest != m.Digest || posts[0].Title != "The ride" {
		t.Errorf("%+v", posts)
	}
	puts := slices.DeleteFunc(slices.Clone(n.requests), func(s string) bool { return !strings.HasPrefix(s, "PUT ") })
	if len(puts) != 5 || n.waited != 30*time.Second { // 5, 10 and 15 seconds
		t.Errorf("%d parts, waited %v", len(puts), n.waited)
	}

	n = serve(t, fake.Config{Processing: 1000}, pageOptions, files)
	_, err = n.publish(t, r, 1)
	outcome(t, err, platform.Unsent)
	if n.waited < 10*time.Minute || n.waited > 13*time.Minute || n.fake.Creations() != 0 {
		t.Errorf("waited %v, %d created", n.waited, n.fake.Creations())
	}
}

func TestDocument(t *testing.T) {
	files, m := file("content/plan.pdf", "application/pdf", []byte("%PDF-1.7 plan"))
	r := words("The plan.")
	r.Parts[0].Media, r.Settings = []platform.Media{m}, map[string]string{"media.title": "plan"}
	n := serve(t, fake.Config{Processing: 1000, NoStatus: true}, linkedin.Options{}, files) // a member's token may not ask
	_, err := n.publish(t, r, 1)
	must(t, err)
	if posts := n.fake.Posts(); len(posts) != 1 || posts[0].Media[0].Digest != m.Digest || n.waited != 90*time.Second {
		t.Errorf("%+v, waited %v", posts, n.waited)
	}

	files, m = file("content/plan.pdf", "application/pdf", []byte(fake.Broken))
	r.Parts[0].Media[0] = m
	n = serve(t, fake.Config{}, pageOptions, files)
	_, err = n.publish(t, r, 1)
	if e := outcome(t, err, platform.Rejected); !strings.Contains(e.Message, "the file is broken") || e.Hint == "" {
		t.Error(e)
	}
}

func TestPollAndQuote(t *testing.T) {
	n := serve(t, fake.Config{}, pageOptions, nil)
	poll := words("Which?")
	poll.Poll, poll.Settings = &platform.Poll{Options: []string{"Red", "Blue"}, Duration: 72 * time.Hour}, map[string]string{"poll.question": "Which sled?"}
	first, err := n.publish(t, poll, 1)
	must(t, err)
	quote := words("Vote!")
	quote.Quote = "https://www.linkedin.com/feed/update/" + first.Parts[0].ID
	second, err := n.publish(t, quote, 1)
	must(t, err)
	if posts := n.fake.Posts(); !cmp.Equal(posts[0].Poll, []string{"Red", "Blue"}) || posts[0].Title != "Which sled?" {
		t.Errorf("%+v", posts)
	}
	finder := n.publisher.(platform.Finder) //nolint:forcetypeassert // it is
	for r, want := range map[*platform.Rendering]string{poll: first.Parts[0].ID, quote: second.Parts[0].ID} {
		if found, err := finder.Find(t.Context(), r, attempt(2)); err != nil || found.Parts[0].ID != want {
			t.Errorf("found %+v, %v", found, err)
		}
	}
	for _, r := range []*platform.Rendering{words("Which?"), words("Vote!")} { // the same words, without what belongs to them
		if found, err := finder.Find(t.Context(), r, attempt(2)); !errors.Is(err, platform.ErrNotFound) {
			t.Errorf("found %+v, %v", found, err)
		}
	}
}

// TestEditWordsOnly: what cannot be edited is refused before anything is changed.
func TestEditWordsOnly(t *testing.T) {
	files, m := file("content/sled.png", "image/png", []byte("\x89PNG\r\n\x1a\n"))
	n := serve(t, fake.Config{}, linkedin.Options{}, files)
	r := words("A sled.")
	r.Parts[0].Media = []platform.Media{m}
	receipt, err := n.publish(t, r, 1)
	must(t, err)
	editor := n.publisher.(platform.Editor) //nolint:forcetypeassert // it is
	before := len(n.requests)
	_, err = editor.Edit(t.Context(), receipt, r)
	must(t, err)
	if len(n.requests) != before {
		t.Errorf("nothing has changed, and %v", n.requests[before:])
	}

	alt, bare, private, threaded := *words("B."), *words("B."), *words("B."), *commented("B.", "C.")
	alt.Parts[0].Media = []platform.Media{m}
	alt.Parts[0].Media[0].Alt = "A sled"
	private.Parts[0].Media, private.Visibility = []platform.Media{m}, "connections"
	for _, changed := range []platform.Rendering{alt, bare, private, threaded} {
		_, err := editor.Edit(t.Context(), receipt, &changed)
		if e := outcome(t, err, platform.Rejected); !errors.Is(e, platform.ErrCannotEdit) {
			t.Error(e)
		}
	}
	strange := platform.Receipt{Parts: []platform.Remote{{ID: receipt.Parts[0].ID}}} // recorded by a person
	_, err = editor.Edit(t.Context(), strange, words("B."))
	if e := outcome(t, err, platform.Rejected); !errors.Is(e, platform.ErrCannotEdit) {
		t.Error(e)
	}
	if len(n.requests) != before || n.fake.Posts()[0].Text != "A sled." {
		t.Errorf("something was changed: %v", n.requests[before:])
	}
}

// TestUploadStaysAtHome: the token goes to no address that is not LinkedIn's, whatever an answer says.
func TestUploadStaysAtHome(t *testing.T) {
	files, m := file("content/sled.png", "image/png", []byte("\x89PNG\r\n\x1a\n"))
	r := words("A sled.")
	r.Parts[0].Media = []platform.Media{m}
	for _, address := range []string{"https://evil.example/upload", "https://linkedin.com.evil.example/", "http://www.linkedin.com/", "https://u:p@www.linkedin.com/", "https://evil-linkedin.com/", "/upload", "%"} {
		var visits []string
		transport := roundTripper(func(req *http.Request) (*http.Response, error) {
			visits = append(visits, req.URL.String())
			w := httptest.NewRecorder()
			w.WriteString(`{"sub":"a","value":{"image":"urn:li:image:1","uploadUrl":"` + address + `"}}`)
			return w.Result(), nil
		})
		p, err := linkedin.Adapter{}.Open(&platform.Account{Name: "li", Options: linkedin.Adapter{}.Info().NewOptions()}, platform.Deps{
			HTTP: &http.Client{Transport: transport}, Media: files, Now: platformtest.Clock, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		})
		must(t, err)
		_, err = p.Publish(t.Context(), r, attempt(1))
		outcome(t, err, platform.Unsent)
		if len(visits) != 2 || slices.ContainsFunc(visits, func(s string) bool { return !strings.HasPrefix(s, "https://api.linkedin.com/") }) {
			t.Errorf("%s: %v", address, visits)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFindForgives: what LinkedIn writes otherwise than it was sent is the same post all the same.
func TestFindForgives(t *testing.T) {
	const list = `{"elements":[
		{"id":"urn:li:share:3","author":"urn:li:organization:2414183","commentary":"Snow \\(deep\\) #Winter https://lnkd.in/abc ","visibility":"PUBLIC","lifecycleState":"DRAFT","createdAt":1796115600000,"lastModifiedAt":1796115600000},
		{"id":"urn:li:share:2","author":"urn:li:organization:2414183","commentary":"Snow \\(deep\\) #Winter\n https://lnkd.in/abc ","visibility":"PUBLIC","lifecycleState":"PUBLISHED","createdAt":1796115600000,"lastModifiedAt":1796115600000},
		{"id":"urn:li:share:1","author":"urn:li:organization:2414183","commentary":"Snow","visibility":"PUBLIC","lifecycleState":"PUBLISHED","createdAt":1,"lastModifiedAt":1}]}`
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		w.WriteString(list)
		return w.Result(), nil
	})
	o := linkedin.Options{Organization: page, Version: linkedin.DefaultVersion, Server: linkedin.DefaultServer}
	p, err := linkedin.Adapter{}.Open(&platform.Account{Name: "li", Options: &o}, platform.Deps{
		HTTP: &http.Client{Transport: transport}, Now: platformtest.Clock, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
	})
	must(t, err)
	found, err := p.(platform.Finder).Find(t.Context(), words("Snow (deep) #Winter https://acme.example/very/long"), attempt(1)) //nolint:forcetypeassert // it is
	must(t, err)
	if found.Parts[0].ID != "urn:li:share:2" || found.Parts[0].URL != "https://www.linkedin.com/feed/update/urn:li:share:2" {
		t.Errorf("%+v", found)
	}
}
