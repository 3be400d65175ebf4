package platformtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"strings"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Sample is one post of the corpus.
type Sample struct {
	Name string
	Post func() *post.Post // fresh at every call, so that a change to it is seen
}

// tiny is the smallest PNG: one pixel. Other pictures differ from it by bytes after its end.
const tiny = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func picture(name string) []byte {
	data, err := base64.StdEncoding.DecodeString(tiny)
	if err != nil {
		panic(err)
	}
	return append(data, name...)
}

// Files is the site's folder that the corpus refers to.
func Files() fs.FS {
	files := fstest.MapFS{}
	for _, name := range pictures {
		files["content/"+name] = &fstest.MapFile{Data: picture(name)}
		jpg := strings.TrimSuffix(name, ".png") + ".jpg"
		files["content/"+jpg] = &fstest.MapFile{Data: jpegOf(jpg)}
	}
	return files
}

var pictures = []string{"sled.png", "hill.png", "snow.png", "team.png", "map.png"}

func media(name, alt string) post.Media {
	data := picture(name)
	sum := sha256.Sum256(data)
	return post.Media{
		File: name, Path: "content/" + name, Alt: alt, HasAlt: true,
		Digest: hex.EncodeToString(sum[:]), MIME: "image/png", Bytes: int64(len(data)), Width: 1, Height: 1,
	}
}

func text(s string) post.Inline { return post.Inline{Kind: post.Text, Text: s} }

func link(dest, words string) post.Inline {
	return post.Inline{Kind: post.Link, Dest: dest, Inlines: []post.Inline{text(words)}}
}

func auto(dest string) post.Inline { return post.Inline{Kind: post.AutoLink, Dest: dest, Text: dest} }

func styled(kind post.InlineKind, s string) post.Inline {
	return post.Inline{Kind: kind, Inlines: []post.Inline{text(s)}}
}

func para(inlines ...post.Inline) post.Block {
	return post.Block{Kind: post.Paragraph, Inlines: inlines}
}

func item(blocks ...post.Block) post.Block { return post.Block{Kind: post.Item, Blocks: blocks} }

func doc(blocks ...post.Block) post.Doc { return post.Doc{Blocks: blocks} }

// words returns a post of one paragraph.
func words(s string) []post.Doc { return []post.Doc{doc(para(text(s)))} }

func sample(name string, body func() []post.Doc, set ...func(*post.Fields)) Sample {
	return Sample{name, func() *post.Post {
		p := &post.Post{ID: name, OwnID: true, Path: "content/" + name + ".md", Body: body()}
		for _, f := range set {
			f(&p.Fields)
		}
		return p
	}}
}

func simple(name, s string, set ...func(*post.Fields)) Sample {
	return sample(name, func() []post.Doc { return words(s) }, set...)
}

func withMedia(names ...string) func(*post.Fields) {
	return func(f *post.Fields) {
		f.Set = f.Set.With(post.FieldMedia)
		for _, name := range names {
			f.Media = append(f.Media, media(name, "A picture of a "+strings.TrimSuffix(name, ".png")+", “seen” from above\n& near"))
		}
	}
}

// Corpus returns hostile posts: everything that counters, cutters, facets and encoders get wrong.
func Corpus() []Sample {
	return []Sample{
		simple("plain", "The sled is back. Faster than ever."),
		simple("image", "A sled on a hill.", withMedia("sled.png")),
		sample("thread", func() []post.Doc {
			return []post.Doc{
				doc(para(text("One: the sled."))), doc(para(text("Two: the hill."))), doc(para(text("Three: the end."))),
			}
		}),
		sample("thread-media", func() []post.Doc {
			img := media("hill.png", "A hill")
			return []post.Doc{
				doc(para(text("Look."))),
				doc(para(text("A hill: "), post.Inline{Kind: post.Image, Text: "A hill", Media: &img})),
			}
		}, withMedia("sled.png")),
		simple("four-images", "All of us.", withMedia("sled.png", "hill.png", "snow.png", "team.png")),
		simple("five-images", "One more.", withMedia("sled.png", "hill.png", "snow.png", "team.png", "map.png")),
		sample("only-image", func() []post.Doc { return []post.Doc{doc()} }, withMedia("sled.png")),
		sample("empty", func() []post.Doc { return []post.Doc{doc()} }),
		simple("blank", " \n\t\u00a0 "),
		simple("emoji", "👩‍👩‍👧‍👦👨🏽‍🚀🏳️‍🌈🇩🇪🇺🇳 #️⃣ 1️⃣ ❤️‍🔥 👍🏿 🫱🏻‍🫲🏿 ☕️☕"),
		simple("rtl", "שלום עולם! مرحبا بالعالم https://acme.example/שלום?q=سلام #سلام (123)"),
		simple("cjk", "こんにちは世界。冬のそりが帰ってきました、#冬 https://acme.example/冬。全角（かっこ）も、＃全角タグも。"),
		simple("combining", "Z̴̢̛̠͔a̷͇͒l̶̰̈́g̸̺̈́o̵̟͝ é e\u0301 ﷺ नमस्ते กำ"),
		simple("entities", "Mail me@acme.example or see acme.example/x?a=b&c=(d), @alice @bob.example @carol@mastodon.example: #Winter #1 #a_b $ACME “https://acme.example/.”"),
		simple("escapes", `<b>"quoted" & 'single'</b> \* \n {{x}} %s $1 `+"`tick`"),
		simple("controls", "a\x00b\x1b[31mc\u202ed\u2028e\ufefff\r\ng\u200bh"),
		simple("invalid-utf8", "caf\xe9 \xff\xfe ok"),
		simple("long-url", "Read https://acme.example/"+strings.Repeat("winter/", 80)+"?utm_source=x now."),
		simple("long", strings.TrimSpace(strings.Repeat("Snow fell on the hill. ", 435))),
		simple("long-word", strings.Repeat("winter", 200)),
		simple("long-emoji", strings.Repeat("👩‍👩‍👧‍👦", 400)),
		simple("auto-thread", strings.TrimSpace(strings.Repeat("Snow fell on the hill, see https://acme.example/hill #snow. ", 60)), func(f *post.Fields) {
			f.Set, f.Thread = f.Set.With(post.FieldThread), "auto"
		}),
		sample("rich", func() []post.Doc {
			return []post.Doc{doc(
				post.Block{Kind: post.Heading, Level: 2, Inlines: []post.Inline{text("Winter "), styled(post.Emphasis, "launch")}},
				para(text("It is "), styled(post.Strong, "faster"), text(", "), styled(post.Strikethrough, "slower"), text(" and "),
					link("https://acme.example/a", "new"), text(": "), auto("https://acme.example/b"),
					post.Inline{Kind: post.HardBreak}, text("Line two"), post.Inline{Kind: post.SoftBreak}, text("goes on.")),
				post.Block{Kind: post.Quote, Blocks: []post.Block{para(text("Best sled ever.")), post.Block{Kind: post.Quote, Blocks: []post.Block{para(text("Agreed."))}}}},
			)}
		}),
		sample("lists", func() []post.Doc {
			return []post.Doc{doc(
				post.Block{Kind: post.List, Tight: true, Blocks: []post.Block{
					item(para(text("Sleds")), post.Block{Kind: post.List, Ordered: true, Level: 3, Tight: true, Blocks: []post.Block{
						item(para(text("red"))), item(para(link("https://acme.example/blue", "blue"))),
					}}),
					item(para(text("Snow"))),
				}},
				post.Block{Kind: post.List, Ordered: true, Level: 1, Blocks: []post.Block{item(para(text("loose")), para(text("item")))}},
			)}
		}),
		sample("code", func() []post.Doc {
			return []post.Doc{doc(
				para(text("Run "), post.Inline{Kind: post.CodeSpan, Text: "go run ./... # not a tag @nobody"}, text(".")),
				post.Block{Kind: post.CodeBlock, Info: "go", Text: "func main() {\n\tfmt.Println(\"https://acme.example\")\n}\n"},
			)}
		}),
		sample("html-and-table", func() []post.Doc {
			cell := func(s string) post.Block {
				return post.Block{Kind: post.TableCell, Inlines: []post.Inline{text(s)}}
			}
			return []post.Doc{doc(
				post.Block{Kind: post.RawHTML, Text: "<div onclick=\"x()\">\n"},
				para(text("a"), post.Inline{Kind: post.InlineHTML, Text: "<br>"}, text("b")),
				post.Block{Kind: post.TableBlock, Blocks: []post.Block{
					{Kind: post.TableRow, Blocks: []post.Block{cell("Sled"), cell("Price")}},
					{Kind: post.TableRow, Blocks: []post.Block{cell("Red"), cell("9 €")}},
				}},
			)}
		}),
		simple("link-and-tags", "The sled is back.", func(f *post.Fields) {
			f.Set = f.Set.With(post.FieldLink).With(post.FieldTags).With(post.FieldTitle).With(post.FieldCanonicalURL)
			f.Title, f.Link, f.Tags = "Winter launch", "https://acme.example/winter?a=1&b=2", []string{"winter", "launch", "冬"}
			f.CanonicalURL = "https://acme.example/winter"
		}),
		simple("card", "Read this.", func(f *post.Fields) {
			img := media("map.png", "A map")
			f.Set = f.Set.With(post.FieldCard).With(post.FieldLink)
			f.Link = "https://acme.example/winter"
			f.Card = &post.Card{URL: f.Link, Title: "Winter <launch>", Description: "The sled & the hill", Image: &img}
		}),
		simple("mentions", "Thanks @alice and @nobody!", func(f *post.Fields) {
			f.Set = f.Set.With(post.FieldMentions)
			f.Mentions = []post.Mention{{Name: "alice", Handles: map[string]string{
				"bluesky": "alice.example", "mastodon": "alice@mastodon.example", "x": "alice",
			}}}
		}),
		simple("languages", "Grüße aus dem Schnee.", func(f *post.Fields) {
			f.Set = f.Set.With(post.FieldLanguage)
			f.Language = []string{"de-DE"}
		}),
		simple("sensitive", "It melts in the end.", func(f *post.Fields) {
			f.Set = f.Set.With(post.FieldContentWarning).With(post.FieldSensitive)
			f.ContentWarning, f.Sensitive = "Spoiler: snow", true
		}),
		simple("unlisted", "For the few.", func(f *post.Fields) {
			f.Set, f.Visibility = f.Set.With(post.FieldVisibility), "unlisted"
		}),
		simple("poll", "Which sled?", func(f *post.Fields) {
			f.Set = f.Set.With(post.FieldPoll)
			f.Poll = &post.Poll{Options: []string{"Red & fast", "Blue"}, Duration: 24 * time.Hour, Multiple: true}
		}),
		sample("many-parts", func() []post.Doc {
			var parts []post.Doc
			for i := range 12 {
				parts = append(parts, words(fmt.Sprintf("Part %d of the story.", i+1))...)
			}
			return parts
		}),
	}
}

// variant returns a sample as an account gets it.
func (s *Suite) variant(sample Sample, a *platform.Account) *post.Variant {
	p := sample.Post()
	if s.Dress != nil {
		s.Dress(p)
	}
	v := p.For(a.Name, string(a.Platform), &a.Defaults)
	return &v
}

// Photograph gives a post JPEGs in the place of its pictures, and one where it has none: a [Suite.Dress] for networks of photographs.
func Photograph(p *post.Post) {
	Illustrate(p)
	for i := range p.Media {
		p.Media[i] = photo(p.Media[i])
	}
}

// Illustrate gives a post a picture where it has none: a [Suite.Dress] for networks that take no text alone.
func Illustrate(p *post.Post) {
	if len(p.Media) == 0 {
		p.Set = p.Set.With(post.FieldMedia)
		p.Media = []post.Media{media("sled.png", "A sled")}
	}
}

// photo returns a JPEG in the place of a picture of the corpus.
func photo(m post.Media) post.Media {
	m.File = strings.TrimSuffix(m.File, ".png") + ".jpg"
	m.Path = "content/" + m.File
	data := jpegOf(m.File)
	sum := sha256.Sum256(data)
	m.Digest, m.MIME, m.Bytes = hex.EncodeToString(sum[:]), "image/jpeg", int64(len(data))
	m.Width, m.Height = photoSide, photoSide
	return m
}

const photoSide = 8 // pixels

// jpegOf returns a small JPEG; each name has its own.
func jpegOf(name string) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, photoSide, photoSide)), nil); err != nil {
		panic(err)
	}
	return append(b.Bytes(), name...)
}
