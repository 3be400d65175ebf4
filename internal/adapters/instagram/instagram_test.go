package instagram_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters/instagram"
	"github.com/postrider/postrider/internal/adapters/instagram/fake"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
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
	base  string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{files: fstest.MapFS{}, now: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), notes: map[int]string{}}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	b.base = base
	b.Server = fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: func() time.Time { return b.now }})
	server.Config.Handler = b.Server
	server.Start()
	public := httptest.NewServer(http.FileServerFS(b.files))
	t.Cleanup(func() { server.Close(); public.Close() })
	var err error
	b.pub, err = instagram.Adapter{}.Open(
		&platform.Account{Name: "instagram", Platform: "instagram", Options: &instagram.Options{Server: base}},
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
	if err := jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, size, size)), nil); err != nil {
		t.Fatal(err)
	}
	mime := "image/jpeg"
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
	r := &platform.Rendering{Platform: "instagram"}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

func TestKinds(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		kind  string
		words string
	}{
		"picture":  {[]string{"a.jpg"}, "", "A sled."},
		"reel":     {[]string{"a.mp4"}, "REELS", "A ride."},
		"carousel": {[]string{"a.jpg", "b.mp4", "c.jpg"}, "CAROUSEL", "All of it."},
		"story":    {[]string{"a.jpg"}, "STORIES", ""},
		"moving":   {[]string{"a.mp4"}, "STORIES", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.Set(func(c *fake.Config) { c.Processing = 2 })
			r := rendering(c.words)
			if c.kind != "" {
				r.Settings = map[string]string{"media_type": c.kind}
			}
			for i, file := range c.files {
				r.Parts[0].Media = append(r.Parts[0].Media, b.media(t, file, i+1))
			}
			receipt, err := b.pub.Publish(t.Context(), r, b.attempt(1))
			if err != nil {
				t.Fatal(err)
			}
			posts := b.Posts()
			if len(posts) != 1 || len(posts[0].Media) != len(c.files) || posts[0].Text != c.words || receipt.Parts[0].URL != posts[0].URL || b.waits == 0 {
				t.Fatalf("out are %+v, the receipt is %+v", posts, receipt)
			}
			for i, m := range posts[0].Media {
				want := r.Parts[0].Media[i]
				if alt := c.kind != "STORIES" && strings.HasSuffix(c.files[i], ".jpg"); m.Digest != want.Digest || (m.Alt != "") != alt {
					t.Errorf("file %d is %+v", i, m)
				}
			}
			b.notes = map[int]string{}
			found, err := b.pub.(platform.Finder).Find(t.Context(), r, b.attempt(2))
			if err != nil || len(found.Parts) != 1 || found.Parts[0] != receipt.Parts[0] {
				t.Errorf("without notes, found %+v, %v", found, err)
			}
			other := *r
			other.Parts = slices.Clone(r.Parts)
			other.Parts[0].Text += "!"
			if _, err := b.pub.(platform.Finder).Find(t.Context(), &other, b.attempt(2)); !errors.Is(err, platform.ErrNotFound) {
				t.Errorf("another text: %v", err)
			}
		})
	}
}

// The network is slow to list what it has published: nothing is proved, and nothing is sent again.
func TestPublishedAndNotListed(t *testing.T) {
	b := newBench(t)
	r := rendering("A sled.")
	r.Parts[0].Media = []platform.Media{b.media(t, "a.jpg", 1)}
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

func TestWhatCannotBePrepared(t *testing.T) {
	b := newBench(t)
	r := rendering("Look.")
	m := b.media(t, "a.mp4", 1)
	m.MIME = "image/jpeg" // the network sees what it is
	r.Parts[0].Media = []platform.Media{m}
	if _, err := b.pub.Publish(t.Context(), r, b.attempt(1)); platform.OutcomeOf(err) != platform.Rejected || !strings.Contains(err.Error(), "2207026") {
		t.Errorf("a video that passes for a picture: %v", err)
	}
	if _, err := b.pub.Publish(t.Context(), rendering("Words."), b.attempt(1)); platform.OutcomeOf(err) != platform.Rejected {
		t.Errorf("words alone: %v", err)
	}
	if b.Creations() != 0 {
		t.Error("something is out")
	}
}

func variant(text string, change func(*post.Variant)) *post.Variant {
	var body []post.Doc
	for part := range strings.SplitSeq(text, "---") {
		body = append(body, post.Doc{Blocks: []post.Block{{Kind: post.Paragraph, Inlines: []post.Inline{{Kind: post.Text, Text: part}}}}})
	}
	p := &post.Post{ID: "x", Path: "content/x.md", Body: body}
	p.Set = p.Set.With(post.FieldMedia)
	p.Media = []post.Media{file("a.jpg", 1000, 1000)}
	v := p.For("instagram", "instagram")
	change(&v)
	return &v
}

func file(name string, width, height int) post.Media {
	mime := map[bool]string{true: "image/jpeg", false: "image/png"}[strings.HasSuffix(name, ".jpg")]
	if strings.HasSuffix(name, ".mp4") {
		mime = "video/mp4"
	}
	return post.Media{File: name, Path: "content/" + name, Alt: "A", HasAlt: true, Digest: name, MIME: mime, Bytes: 1000, Width: width, Height: height}
}

func TestRender(t *testing.T) {
	set := func(files ...post.Media) func(*post.Variant) {
		return func(v *post.Variant) { v.PartMedia[0] = files }
	}
	many := func(n int) (files []post.Media) {
		for range n {
			files = append(files, file("a.jpg", 1000, 1000))
		}
		return files
	}
	for name, c := range map[string]struct {
		text   string
		change func(*post.Variant)
		story  bool
		code   finding.Code
		kind   string
	}{
		"fine":             {"A sled.", set(many(1)...), false, "", ""},
		"no picture":       {"A sled.", set(), false, "P170", ""},
		"PNG":              {"A sled.", set(file("a.png", 1000, 1000)), false, "M204", ""},
		"tall":             {"A sled.", set(file("a.jpg", 700, 1000)), false, "M209", ""},
		"wide":             {"A sled.", set(file("a.jpg", 2000, 1000)), false, "M209", ""},
		"ten":              {"A sled.", set(many(10)...), false, "", "CAROUSEL"},
		"eleven":           {"A sled.", set(many(11)...), false, "M201", "CAROUSEL"},
		"mixed":            {"A sled.", set(file("a.jpg", 1000, 1000), file("b.mp4", 0, 0)), false, "M214", "CAROUSEL"},
		"reel":             {"A sled.", set(file("b.mp4", 0, 0)), false, "M214", "REELS"},
		"story with words": {"A sled.", set(many(1)...), true, "P172", "STORIES"},
		"two in a story":   {"", set(many(2)...), true, "M201", "STORIES"},
		"comment":          {"A sled.---A word.", func(*post.Variant) {}, false, "", ""},
		"comment on story": {"---A word.", func(*post.Variant) {}, true, "P171", "STORIES"},
		"pictures below":   {"A sled.---A hill.", func(v *post.Variant) { v.PartMedia[1] = many(1) }, false, "P171", ""},
		"30 hashtags":      {strings.Repeat("#snow ", 30), func(*post.Variant) {}, false, "", ""},
		"31 hashtags":      {strings.Repeat("#snow ", 31), func(*post.Variant) {}, false, "P173", ""},
		"21 mentions":      {strings.Repeat("@acme ", 21), func(*post.Variant) {}, false, "P173", ""},
		"too long":         {strings.Repeat("x", 2201), func(*post.Variant) {}, false, "T201", ""},
		"an answer":        {"Yes.", func(v *post.Variant) { v.ReplyTo = "1" }, false, "P105", ""},
		"a quote":          {"Yes.", func(v *post.Variant) { v.Quote = "1" }, false, "P106", ""},
		"sensitive":        {"Yes.", func(v *post.Variant) { v.Sensitive = true }, false, "P108", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, list := instagram.Adapter{}.Render(variant(c.text, c.change), &platform.Account{Options: &instagram.Options{Story: c.story}})
			if at := slices.IndexFunc(list, func(f finding.Finding) bool { return f.Code == c.code }); (at < 0) != (c.code == "") || c.code == "" && len(list) > 0 {
				t.Errorf("findings %+v, want %s", list, c.code)
			}
			if r.Settings["media_type"] != c.kind || c.story && r.Parts[0].Text != "" {
				t.Errorf("kind %v, parts %+v", r.Settings, r.Parts)
			}
			for i, p := range r.Parts {
				if p.Comment != (i > 0) {
					t.Errorf("part %d is %+v", i, p)
				}
			}
		})
	}
}

// With a bucket, pictures become JPEGs of the size at which they are shown; their shape stays, and what moves does.
func TestRenderWithBucket(t *testing.T) {
	moving := file("a.png", 1000, 1000)
	moving.Animated = true
	turned := file("a.jpg", 4000, 5000)
	turned.Turned = true
	heavy := file("a.jpg", 4000, 4000)
	heavy.Bytes = 9 << 20
	for name, c := range map[string]struct {
		file  post.Media
		story bool
		code  finding.Code
		want  *platform.Fit
	}{
		"JPEG":             {file: file("a.jpg", 1000, 1000)},
		"PNG":              {file: file("a.png", 1000, 1000), want: &platform.Fit{Width: 1000, Height: 1000, MIME: "image/jpeg", MaxBytes: 8 << 20}},
		"turned":           {file: turned, want: &platform.Fit{Width: 1440, Height: 1800, MIME: "image/jpeg", MaxBytes: 8 << 20}},
		"heavy":            {file: heavy, want: &platform.Fit{Width: 1800, Height: 1800, MIME: "image/jpeg", MaxBytes: 8 << 20}},
		"tall, in a story": {file: file("a.png", 2160, 3840), story: true, code: "M214", want: &platform.Fit{Width: 1440, Height: 2560, MIME: "image/jpeg", MaxBytes: 8 << 20}},
		"tall":             {file: file("a.png", 700, 1000), code: "M209", want: &platform.Fit{Width: 700, Height: 1000, MIME: "image/jpeg", MaxBytes: 8 << 20}},
		"moving":           {file: moving, code: "M204"},
		"video":            {file: file("a.mp4", 0, 0), code: "M214"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "A sled."
			if c.story {
				text = ""
			}
			v := variant(text, func(v *post.Variant) { v.PartMedia[0] = []post.Media{c.file} })
			r, list := instagram.Adapter{}.Render(v, &platform.Account{Options: &instagram.Options{Story: c.story}, HasBucket: true})
			if len(list) > 0 != (c.code != "") || len(list) > 0 && list[0].Code != c.code {
				t.Errorf("findings %+v, want %q", list, c.code)
			}
			if c.want != nil {
				c.want.Version = media.Version
			}
			if diff := cmp.Diff(c.want, r.Parts[0].Media[0].Fit); diff != "" {
				t.Errorf("fit (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for o, want := range map[instagram.Options]int{
		{Server: instagram.DefaultServer}:                          0,
		{Server: "https://graph.facebook.com", UserID: "17841400"}: 0,
		{Server: "https://graph.facebook.com"}:                     1,
		{Server: "graph.instagram.com", UserID: "acme"}:            2,
	} {
		if problems := o.Validate(); len(problems) != want {
			t.Errorf("%+v: %+v", o, problems)
		}
	}
}

// With a token of a login with Facebook, the account is named.
func TestNamedAccount(t *testing.T) {
	b := newBench(t)
	self, err := b.pub.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	named, err := instagram.Adapter{}.Open(
		&platform.Account{Name: "instagram", Options: &instagram.Options{Server: b.base, UserID: self.ID}},
		platform.Deps{HTTP: &http.Client{}, Now: time.Now, Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := named.Verify(t.Context()); err != nil || got.ID != self.ID || got.Handle != self.Handle {
		t.Errorf("got %+v, %v, want %+v", got, err, self)
	}
	dies := b.now.AddDate(0, 0, 60)
	b.Set(func(c *fake.Config) {
		c.Expires, c.Scopes = dies, []string{"instagram_content_publish", "instagram_basic"}
	})
	if got, err := b.pub.Verify(t.Context()); err != nil || got.Scopes != nil || !got.Expires.IsZero() {
		t.Errorf("of a token of a login with Instagram nobody is told: %+v, %v", got, err)
	}
	got, err := named.Verify(t.Context())
	if err != nil || !got.Expires.Equal(dies) || !slices.Equal(got.Scopes, []string{"instagram_basic", "instagram_content_publish"}) ||
		len(got.Lacks) != 1 || !got.Lacks[0].Minor || got.Lacks[0].Scope != "instagram_manage_comments" {
		t.Errorf("%+v, %v", got, err)
	}
}
