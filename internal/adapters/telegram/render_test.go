package telegram

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// rendered returns a post as an account with the options gets it.
func rendered(t *testing.T, o Options, src string, set ...func(*post.Variant)) (platform.Rendering, finding.List) {
	t.Helper()
	p, _ := content.Parse("content/post.md", []byte(src), nil, content.Options{})
	v := p.For("news", "telegram")
	for _, f := range set {
		f(&v)
	}
	return Adapter{}.Render(&v, &platform.Account{Name: "news", Platform: "telegram", Options: &o})
}

// files attaches files to parts of the post, one list for each part.
func files(parts ...[]post.Media) func(*post.Variant) {
	return func(v *post.Variant) { copy(v.PartMedia, parts) }
}

func file(name, mime string) post.Media {
	return post.Media{File: name, Path: "content/" + name, MIME: mime, Bytes: 1000, Width: 100, Height: 100, HasAlt: true}
}

func codes(list finding.List) []string {
	var codes []string
	for _, f := range list {
		codes = append(codes, string(f.Code))
	}
	return codes
}

// TestEntities counts positions in UTF-16 code units, whatever the script.
func TestEntities(t *testing.T) {
	for name, tt := range map[string]struct {
		src  string
		want map[string]string // what is formatted, and how
	}{
		"plain":    {"Nothing here, see https://acme.com #snow @acme_news", nil},
		"emoji":    {"👩‍👩‍👧‍👦 🇩🇪 **bold 👍🏿** 𝔘 *it*", map[string]string{"bold 👍🏿": "bold", "it": "italic"}},
		"rtl":      {"שלום **עולם** مرحبا [بالعالم](https://acme.com/ا) 😀 ~~x~~", map[string]string{"עולם": "bold", "بالعالم": "text_link https://acme.com/ا", "x": "strikethrough"}},
		"nested":   {"😀**a 😀 *b* [c](https://acme.com) d**", map[string]string{"a 😀 b c d": "bold", "b": "italic", "c": "text_link https://acme.com"}},
		"code":     {"é `a <b> &` \n\n```\n😀\nx\n```", map[string]string{"a <b> &": "code", "😀\nx": "pre"}},
		"combined": {"e\u0301\u200b𐐷 **ok**", map[string]string{"ok": "bold"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := rendered(t, Options{}, tt.src)
			units := utf16.Encode([]rune(r.Parts[0].Text))
			got := map[string]string{}
			for _, e := range entitiesOf(&r.Parts[0]) {
				got[string(utf16.Decode(units[e.Offset:e.Offset+e.Length]))] = strings.TrimSpace(e.Type + " " + e.URL)
			}
			if len(tt.want) == 0 && len(got) == 0 {
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// FuzzEntities proves that formatting never leaves the text, never cuts a character, and marks the words that were marked.
func FuzzEntities(f *testing.F) {
	f.Add("**a** 😀 *b*")
	f.Add("שלום **עולם** [x](https://acme.com)")
	f.Add("`\xff` ~~\u202e~~ **[a*b*](https://a.example)**")
	f.Add("> **q**\n\n- *l*\n\n```\nc\n```")
	f.Fuzz(func(t *testing.T, src string) {
		p, _ := content.Parse("content/post.md", []byte(src), nil, content.Options{})
		v := p.For("news", "telegram")
		r, _ := Adapter{}.Render(&v, &platform.Account{Name: "news", Platform: "telegram", Options: &Options{}})
		for i := range r.Parts {
			units := utf16.Encode([]rune(r.Parts[i].Text))
			for _, e := range entitiesOf(&r.Parts[i]) {
				if e.Offset < 0 || e.Length <= 0 || e.Offset+e.Length > len(units) {
					t.Fatalf("%+v is outside of %q", e, r.Parts[i].Text)
				}
				words := string(utf16.Decode(units[e.Offset : e.Offset+e.Length]))
				if strings.ContainsRune(words, '\uFFFD') && !strings.ContainsRune(r.Parts[i].Text, '\uFFFD') || !strings.Contains(r.Parts[i].Text, words) {
					t.Fatalf("%+v cuts a character of %q", e, r.Parts[i].Text)
				}
			}
		}
	})
}

// TestLimits has each kind of part at its limit and one code point beyond it.
func TestLimits(t *testing.T) {
	picture := []post.Media{file("a.png", "image/png")}
	poll := func(v *post.Variant) { v.Poll = &post.Poll{Options: []string{"a", "b"}, Duration: time.Hour} }
	for name, tt := range map[string]struct {
		most int
		set  func(*post.Variant)
	}{
		"text":    {4096, func(*post.Variant) {}},
		"caption": {1024, files(picture)},
		"poll":    {300, poll},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sign := range []string{"x", "😀", "ש"} {
				half := strings.Repeat(sign, tt.most/2) + "\n\n" // a paragraph of emoji alone may not be longer than 16 KiB
				r, list := rendered(t, Options{}, half+strings.Repeat(sign, tt.most-tt.most/2-2), tt.set)
				if list.HasErrors() || r.Parts[0].Used != tt.most || r.Parts[0].Max != tt.most {
					t.Errorf("%s: %d of %d, %v", sign, r.Parts[0].Used, r.Parts[0].Max, codes(list))
				}
				if _, list = rendered(t, Options{}, half+strings.Repeat(sign, tt.most-tt.most/2-1), tt.set); !slices.Contains(codes(list), "T201") {
					t.Errorf("%s: %v, want T201", sign, codes(list))
				}
			}
		})
	}
}

// TestMixedLimits: a caption in a thread has its own limit, and is cut to it with `thread: auto`.
func TestMixedLimits(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("Snow fell. ", 100)) // 1,099
	src := long + "\n\n---\n\n" + long
	picture := files([]post.Media{file("a.png", "image/png")}, nil)
	_, list := rendered(t, Options{}, src, picture)
	if diff := cmp.Diff([]string{"T201"}, codes(list)); diff != "" {
		t.Errorf("by hand:\n%s", diff)
	}
	if len(list) > 0 && list[0].Range.Start.Column != 1025 {
		t.Errorf("the caption is too long from column 1025 on, not %+v", list[0].Range)
	}
	r, list := rendered(t, Options{}, "---\nthread: auto\n---\n"+src, picture)
	if list.HasErrors() || len(r.Parts) != 4 {
		t.Errorf("cut into %d parts: %v", len(r.Parts), codes(list))
	}
	for i, p := range r.Parts {
		if p.Used > p.Max {
			t.Errorf("part %d: %d of %d", i, p.Used, p.Max)
		}
	}
}

func TestMediaRules(t *testing.T) {
	jpeg, png, mp4, gif := file("a.jpg", "image/jpeg"), file("b.png", "image/png"), file("c.mp4", "video/mp4"), file("d.gif", "image/gif")
	pdf, mp3 := file("e.pdf", "application/pdf"), file("f.mp3", "audio/mpeg")
	large := func(m post.Media, bytes int64) post.Media { m.Bytes = bytes; return m }
	sized := func(w, h int) post.Media { m := jpeg; m.Width, m.Height = w, h; return m }
	for name, tt := range map[string]struct {
		media []post.Media
		want  []string
	}{
		"album":             {[]post.Media{jpeg, mp4, png}, nil},
		"ten":               {slices.Repeat([]post.Media{jpeg}, 10), nil},
		"eleven":            {slices.Repeat([]post.Media{jpeg}, 11), []string{"M201"}},
		"one GIF":           {[]post.Media{gif}, nil},
		"GIFs":              {[]post.Media{gif, gif}, []string{"M202"}},
		"documents":         {[]post.Media{pdf, pdf}, nil},
		"sounds":            {[]post.Media{mp3, mp3}, nil},
		"PDF and picture":   {[]post.Media{pdf, jpeg}, []string{"M202"}},
		"sound and video":   {[]post.Media{mp3, mp4}, []string{"M202"}},
		"large PDF":         {[]post.Media{large(pdf, 50<<20)}, nil},
		"too large PDF":     {[]post.Media{large(pdf, 50<<20+1)}, []string{"M203"}},
		"too large video":   {[]post.Media{large(mp4, 50<<20+1)}, []string{"M203"}},
		"TIFF":              {[]post.Media{file("g.tiff", "image/tiff")}, []string{"M204"}},
		"ratio":             {[]post.Media{sized(2001, 100)}, []string{"M209"}},
		"just so":           {[]post.Media{sized(2000, 100), sized(5000, 5000)}, nil},
		"could not be read": {[]post.Media{file("h", "")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, list := rendered(t, Options{}, "Look.", files(tt.media))
			if diff := cmp.Diff(tt.want, codes(list)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestFit: a photo that is too large is made to fit, and goes out as what it then is.
func TestFit(t *testing.T) {
	large, wide, small := file("a.jpg", "image/jpeg"), file("b.png", "image/png"), file("c.jpg", "image/jpeg")
	large.Bytes = maxPhotoBytes + 1
	wide.Width, wide.Height = 8000, 2001
	r, list := rendered(t, Options{}, "Look.", files([]post.Media{large, wide, small}))
	if list.HasErrors() {
		t.Fatal(codes(list))
	}
	media := r.Parts[0].Media
	if f := media[0].Fit; f == nil || f.MaxBytes != maxPhotoBytes {
		t.Errorf("too many bytes become %+v", f)
	}
	if f := media[1].Fit; f == nil || f.Width+f.Height > maxPhotoSides || kindOf(media[1].Sent().MIME) != photo {
		t.Errorf("8000×2001 becomes %+v", f)
	}
	if media[2].Fit != nil {
		t.Errorf("a small picture becomes %+v", media[2].Fit)
	}
}

// TestAltText: what is not sent is not in the rendering, and that is said once.
func TestAltText(t *testing.T) {
	a := file("a.png", "image/png")
	a.Alt = "A sled"
	r, list := rendered(t, Options{}, "Look.", files([]post.Media{a, a}))
	if diff := cmp.Diff([]string{"P120"}, codes(list)); diff != "" || r.Parts[0].Media[0].Alt != "" {
		t.Errorf("%q is sent; findings:\n%s", r.Parts[0].Media[0].Alt, diff)
	}
}

func TestSettings(t *testing.T) {
	r, _ := rendered(t, Options{Topic: 7, Silent: true, Protect: true, LinkPreview: "small", PreviewAbove: true}, "See https://acme.com/a now.")
	want := map[string]string{
		"message_thread_id": "7", "disable_notification": "true", "protect_content": "true",
		"link_preview_options": `{"prefer_small_media":true,"show_above_text":true}`,
	}
	if diff := cmp.Diff(want, r.Settings); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if c := r.Parts[0].Card; c == nil || c.URL != "https://acme.com/a" {
		t.Errorf("the size of a preview counts only for an address that is named: %+v", c)
	}
	if r, _ = rendered(t, Options{LinkPreview: "off"}, "---\nlink: https://acme.com/a\n---\nSee."); r.Parts[0].Card != nil {
		t.Errorf("a preview all the same: %+v", r.Parts[0].Card)
	}
}

func TestReferences(t *testing.T) {
	for src, want := range map[string][]string{
		"---\nreply_to: https://t.me/acme_news/12\n---\nYes.":          nil,
		"---\nreply_to: https://x.com/acme/status/12/reply\n---\nYes.": {"P105"},
		"---\nquote: https://t.me/acme_news/12\n---\nYes.":             {"P106"},
		"[shop](/shop)":                    {"T205"},
		"[us](https://acme.com \"title\")": {"T208"},
	} {
		if _, list := rendered(t, Options{}, src); cmp.Diff(want, codes(list)) != "" {
			t.Errorf("%q: %v, want %v", src, codes(list), want)
		}
	}
}
