package threads_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/adapters/threads"
	"github.com/postrider/postrider/internal/adapters/threads/fake"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// bench is a fake network, a place for media and a publisher.
type bench struct {
	*fake.Server
	pub   platform.Publisher
	files fstest.MapFS
	now   time.Time
	notes map[int]string
	waits int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{files: fstest.MapFS{}, now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), notes: map[int]string{}}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	b.Server = fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: func() time.Time { return b.now }})
	server.Config.Handler = b.Server
	server.Start()
	public := httptest.NewServer(http.FileServerFS(b.files))
	t.Cleanup(func() { server.Close(); public.Close() })
	var err error
	b.pub, err = threads.Adapter{}.Open(
		&platform.Account{Name: "threads", Platform: "threads", Options: &threads.Options{Server: base}},
		platform.Deps{
			HTTP: server.Client(), Media: b.files, Now: func() time.Time { return b.now }, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
			Wait: func(context.Context, time.Duration) error { b.waits++; return nil },
			PublicMedia: func(_ context.Context, m platform.Media) (string, error) {
				_, err := apihttp.ReadMedia(b.files, m)
				return public.URL + "/" + m.Path, err
			},
		})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) attempt(n int) platform.Attempt {
	return platform.Attempt{
		Key: strings.Repeat("a", 26), At: b.now, N: n, Since: b.now.Add(-25 * time.Hour), Anchors: b.notes,
		Anchor: func(part int, id string) error { b.notes[part] = id; return nil },
	}
}

// media writes a file into the site and returns it.
func (b *bench) media(t *testing.T, name string, size int) platform.Media {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, image.NewGray(image.Rect(0, 0, size, size))); err != nil {
		t.Fatal(err)
	}
	mime := "image/png"
	if strings.HasSuffix(name, ".mp4") {
		buf.Reset()
		buf.WriteString("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom")
		mime = "video/mp4"
	}
	b.files[name] = &fstest.MapFile{Data: buf.Bytes()}
	sum := sha256.Sum256(buf.Bytes())
	return platform.Media{Path: name, Digest: hex.EncodeToString(sum[:]), MIME: mime, Alt: "Seen: " + name, Bytes: int64(buf.Len())}
}

func rendering(texts ...string) *platform.Rendering {
	r := &platform.Rendering{Platform: "threads"}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

func TestMixedCarousel(t *testing.T) {
	b := newBench(t)
	b.Set(func(c *fake.Config) { c.Processing = 3 })
	r := rendering("Look.", "And on.", "A word.")
	r.Parts[0].Media = []platform.Media{b.media(t, "a.png", 1), b.media(t, "b.mp4", 2), b.media(t, "c.png", 3)}
	r.Parts[2].Comment = true
	r.Sensitive = true
	r.Settings = map[string]string{"topic_tag": "Snow", "reply_control": "mentioned_only"}
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	if err != nil {
		t.Fatal(err)
	}
	posts := b.Posts()
	if len(posts) != 3 || len(posts[0].Media) != 3 || !posts[0].Sensitive || posts[1].Parent != posts[0].ID || posts[2].Parent != posts[0].ID {
		t.Fatalf("out are %+v", posts)
	}
	for i, m := range posts[0].Media {
		if want := r.Parts[0].Media[i]; m.Digest != want.Digest || m.Alt != want.Alt {
			t.Errorf("file %d is %+v, want %+v", i, m, want)
		}
	}
	if b.waits == 0 || len(b.notes) != 3 || receipt.Parts[2].URL != posts[2].URL {
		t.Errorf("%d waits, notes %v, receipt %+v", b.waits, b.notes, receipt)
	}
	b.notes = map[int]string{}
	found, err := b.pub.(platform.Finder).Find(t.Context(), r, b.attempt(2))
	if err != nil || len(found.Parts) != 3 || found.Parts[2].ID != posts[2].ID {
		t.Errorf("without notes, found %+v, %v", found, err)
	}
}

// The network is slow to list what it has published: nothing is proved, and nothing is sent again.
func TestPublishedAndNotListed(t *testing.T) {
	b := newBench(t)
	r := rendering("The sled is back.")
	b.Inject(fakenet.Plan{Fault: fakenet.ServerErrorAfterAccept})
	if _, err := b.pub.Publish(t.Context(), r, b.attempt(1)); platform.OutcomeOf(err) != platform.Unknown {
		t.Fatal(err)
	}
	b.Set(func(c *fake.Config) { c.Unlisted = true })
	if _, err := b.pub.(platform.Finder).Find(t.Context(), r, b.attempt(2)); err == nil || errors.Is(err, platform.ErrNotFound) {
		t.Errorf("Find says %v", err)
	}
	if _, err := b.pub.Publish(t.Context(), r, b.attempt(2)); platform.OutcomeOf(err) != platform.Unknown {
		t.Errorf("Publish says %v", err)
	}
	b.Set(func(c *fake.Config) { c.Unlisted = false })
	receipt, err := b.pub.Publish(t.Context(), r, b.attempt(3))
	if err != nil || receipt.Parts[0].ID != b.Posts()[0].ID || b.Creations() != 1 {
		t.Errorf("%+v, %v, %d created", receipt, err, b.Creations())
	}
}

// A container that the network takes a day for, or has forgotten, is prepared anew.
func TestContainersThatAreNoUse(t *testing.T) {
	for name, spoil := range map[string]func(*bench){
		"expired":   func(b *bench) { b.now = b.now.Add(25 * time.Hour) },
		"forgotten": func(b *bench) { b.Forget(b.notes[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			r := rendering("The sled is back.")
			b.Inject(fakenet.Plan{Fault: fakenet.ServerError})
			if _, err := b.pub.Publish(t.Context(), r, b.attempt(1)); platform.OutcomeOf(err) != platform.Unknown {
				t.Fatal(err)
			}
			first := b.notes[0]
			spoil(b)
			if _, err := b.pub.(platform.Finder).Find(t.Context(), r, b.attempt(2)); !errors.Is(err, platform.ErrNotFound) {
				t.Errorf("Find says %v", err)
			}
			if _, err := b.pub.Publish(t.Context(), r, b.attempt(2)); err != nil || b.notes[0] == first || b.Creations() != 1 {
				t.Errorf("%v, %d created, notes %v", err, b.Creations(), b.notes)
			}
		})
	}
}

func TestNoPlaceForMedia(t *testing.T) {
	p, err := threads.Adapter{}.Open(
		&platform.Account{Name: "threads", Options: &threads.Options{Server: "http://127.0.0.1:1"}},
		platform.Deps{HTTP: &http.Client{}, Now: time.Now, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Publish(t.Context(), rendering("x"), platform.Attempt{}); platform.OutcomeOf(err) != platform.Unsent {
		t.Errorf("got %v", err)
	}
}

func TestMediaThatCannotBeFetched(t *testing.T) {
	b := newBench(t)
	r := rendering("Look.")
	m := b.media(t, "a.png", 1)
	m.MIME = "video/mp4" // the network sees what it is
	r.Parts[0].Media = []platform.Media{m}
	_, err := b.pub.Publish(t.Context(), r, b.attempt(1))
	if platform.OutcomeOf(err) != platform.Rejected || !strings.Contains(err.Error(), "UNSUPPORTED_VIDEO_FORMAT") || b.Creations() != 0 {
		t.Errorf("got %v", err)
	}
}

func TestDeleteWhatHasNoID(t *testing.T) {
	b := newBench(t)
	err := b.pub.(platform.Deleter).Delete(t.Context(), platform.Receipt{Parts: []platform.Remote{{ID: "https://www.threads.com/@acme/post/D1"}}})
	if platform.OutcomeOf(err) != platform.Rejected {
		t.Errorf("an address passes for a deleted post: %v", err)
	}
}

func variant(text string, change func(*post.Variant)) *post.Variant {
	p := &post.Post{ID: "x", Path: "content/x.md", Body: []post.Doc{{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{{Kind: post.Text, Text: text}}}}}}}
	v := p.For("threads", "threads")
	change(&v)
	return &v
}

func TestRender(t *testing.T) {
	link := "https://acme.com/"
	for name, c := range map[string]struct {
		text   string
		change func(*post.Variant)
		code   finding.Code
		sev    finding.Severity
		topic  string
	}{
		"fine":             {"Snow.", func(v *post.Variant) { v.Tags = []string{"snow"} }, "", 0, "snow"},
		"six links":        {strings.Join([]string{link + "1", link + "2", link + "3", link + "4", link + "5", link + "6"}, " "), func(*post.Variant) {}, "P160", finding.Error, ""},
		"one link, often":  {strings.Repeat(link+"1 ", 7), func(*post.Variant) {}, "", 0, ""},
		"five, and one":    {strings.Join([]string{link + "1", link + "2", link + "3", link + "4", link + "5"}, " "), func(v *post.Variant) { v.Link = link }, "P160", finding.Error, ""},
		"two tags":         {"Snow.", func(v *post.Variant) { v.Tags = []string{"snow & ice.", "sled"} }, "P161", finding.Info, "snow  ice"},
		"a long tag":       {"Snow.", func(v *post.Variant) { v.Tags = []string{strings.Repeat("x", 51)} }, "P161", finding.Warning, ""},
		"an address":       {"Snow.", func(v *post.Variant) { v.ReplyTo = "https://www.threads.com/@a/post/D1" }, "P105", finding.Error, ""},
		"an address again": {"Snow.", func(v *post.Variant) { v.Quote = "https://www.threads.com/@a/post/D1" }, "P106", finding.Error, ""},
		"emoji":            {strings.Repeat("👨‍👩‍👧‍👦", 21), func(*post.Variant) {}, "T201", finding.Error, ""},
		"fewer emoji":      {strings.Repeat("👨‍👩‍👧‍👦", 20), func(*post.Variant) {}, "", 0, ""},
		"followers only":   {"Snow.", func(v *post.Variant) { v.Visibility = "followers" }, "P102", finding.Error, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, list := threads.Adapter{}.Render(variant(c.text, c.change), &platform.Account{Options: &threads.Options{ReplyControl: "everyone"}})
			at := slices.IndexFunc(list, func(f finding.Finding) bool { return f.Code == c.code && f.Severity == c.sev })
			if (at < 0) != (c.code == "") || c.code == "" && len(list) > 0 {
				t.Errorf("findings %+v, want %s", list, c.code)
			}
			if r.Settings["topic_tag"] != c.topic || r.Settings["reply_control"] != "everyone" {
				t.Errorf("settings %v", r.Settings)
			}
		})
	}
	r, _ := threads.Adapter{}.Render(variant("Snow.", func(v *post.Variant) { v.Link, v.FirstComment = link, "A word." }), &platform.Account{})
	if r.Parts[0].Card == nil || r.Parts[0].Card.URL != link || len(r.Parts) != 2 || !r.Parts[1].Comment {
		t.Errorf("parts %+v", r.Parts)
	}
}

func TestOptions(t *testing.T) {
	if problems := (&threads.Options{Server: threads.DefaultServer, ReplyControl: "everyone"}).Validate(); len(problems) != 0 {
		t.Error(problems)
	}
	if problems := (&threads.Options{Server: "graph.threads.net", ReplyControl: "nobody"}).Validate(); len(problems) != 2 {
		t.Error(problems)
	}
}

// TestInspect: a tester of the app is told when the token dies and what it may do; others are told who they are all the same.
func TestInspect(t *testing.T) {
	b := newBench(t)
	id, err := b.pub.Verify(t.Context())
	if err != nil || id.Handle != "@acme" || id.Scopes != nil || id.Lacks != nil || !id.Expires.IsZero() {
		t.Errorf("%+v, %v", id, err)
	}
	dies := b.now.AddDate(0, 0, 60)
	b.Set(func(c *fake.Config) {
		c.Expires, c.Scopes = dies, []string{"threads_delete", "threads_basic"}
	})
	id, err = b.pub.Verify(t.Context())
	if err != nil || !id.Expires.Equal(dies) || !id.DataExpires.After(dies) || !slices.Equal(id.Scopes, []string{"threads_basic", "threads_delete"}) {
		t.Errorf("%+v, %v", id, err)
	}
	if len(id.Lacks) != 2 || id.Lacks[0].Scope != "threads_content_publish" || id.Lacks[0].Minor || !id.Lacks[1].Minor {
		t.Errorf("lacks %+v", id.Lacks)
	}
}
