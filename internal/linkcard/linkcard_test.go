package linkcard

import (
	"flag"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func TestFile(t *testing.T) {
	for post, want := range map[string]string{
		"content/2026/launch.md":       "content/2026/launch.card.yaml",
		"content/2026/launch/index.md": "content/2026/launch/card.yaml",
		"content/a.b.MD":               "content/a.b.card.yaml",
		"content/card.md":              "content/card.card.yaml",
		"index.md":                     "card.yaml",
	} {
		got := File(post)
		if got != want || !IsFile(got) {
			t.Errorf("%s: %s", post, got)
		}
		picture := Picture(got, "image/jpeg")
		if picture != strings.TrimSuffix(want, ".yaml")+".jpg" || !IsPicture(got, picture) || IsPicture(got, "content/other.card.jpg") {
			t.Errorf("%s: %s", post, picture)
		}
	}
	for _, name := range []string{"content/launch.yaml", "content/discard.yaml", "content/card.yml", "content/card.yaml.md"} {
		if IsFile(name) {
			t.Errorf("%s is taken for a card", name)
		}
	}
	if got := Picture("content/card.yaml", "video/mp4"); got != "" {
		t.Errorf("a video is %s", got)
	}
}

var full = Card{
	URL: "https://acme.example/winter?size=9#top", Title: "Winter: the sled", Description: "Faster than ever, # 1 – “really”.",
	Image: "launch.card.jpg", ImageAlt: "A red sled", Fetched: time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("", 3600)),
}

func TestFormat(t *testing.T) {
	got, err := Format(full)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/launch.card.yaml"
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	back, problems := Parse(got)
	if !back.Fetched.Equal(full.Fetched) || len(problems) > 0 {
		t.Errorf("%v, %v", back.Fetched, problems)
	}
	if back.Fetched = full.Fetched; back != full {
		t.Error(cmp.Diff(full, back))
	}
}

func TestParse(t *testing.T) {
	const least = "url: https://acme.example/\ntitle: Hi\n"
	for src, want := range map[string]Card{
		least: {URL: "https://acme.example/", Title: "Hi"},
		"{url: 'http://acme.example', title: 2026, image: , description: ~}": {URL: "http://acme.example", Title: "2026"},
		least + "description: >\n  Two\n  lines\nimage_alt: ''\n":            {URL: "https://acme.example/", Title: "Hi", Description: "Two lines"},
	} {
		if got, problems := Parse([]byte(src)); got != want || len(problems) > 0 {
			t.Errorf("%s: %+v, %v", src, got, problems)
		}
	}
	for src, want := range map[string][]Problem{
		"":                                {{Line: 1, Message: "it is not valid YAML: no documents in stream"}},
		"- a":                             {{Line: 1, Message: "the file is no map of url, title, description, image, image_alt, fetched"}},
		"# nothing\n{}":                   {{Line: 2, Message: `the card has no "url"`}, {Line: 2, Message: `the card has no "title"`}},
		least + "titel: x":                {{Line: 3, Message: `unknown key "titel"`}},
		least + "title: x":                {{Line: 3, Message: `"title" is set again: line 2 has done it`}},
		least + "description: [x]":        {{Line: 3, Message: `"description" must be a text`}},
		least + "fetched: yesterday":      {{Line: 3, Message: `"yesterday" is no time`}},
		least + "image: ../hero.jpg":      {{Line: 3, Message: `the picture "../hero.jpg" does not stand beside the card`}},
		least + "image: .git":             {{Line: 3, Message: `the picture ".git" does not stand beside the card`}},
		"title: Hi\nurl: acme.example":    {{Line: 2, Message: `"acme.example" is no address of the web`}},
		"title: Hi\nurl: javascript:x":    {{Line: 2, Message: `"javascript:x" is no address of the web`}},
		"url: https://acme.example\n":     {{Line: 1, Message: `the card has no "title"`}},
		least + "<<<<<<< HEAD\n":          {{Line: 4, Message: "it is not valid YAML: could not find expected ':'"}},
		"title: \xff":                     {{Line: 1, Message: "the file is not valid UTF-8"}},
		strings.Repeat("#", MaxBytes+1):   {{Line: 1, Message: "the file is larger than 64 KiB"}},
		"---\n" + least + "---\n" + least: {{Line: 1, Message: "it is not valid YAML: expected single document, found multiple"}},
	} {
		_, got := Parse([]byte(src))
		for i := range got {
			got[i].Hint = ""
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.60q: %s", src, diff)
		}
	}
}

// What is written is read again as it was, whatever stood on the page.
func FuzzFormat(f *testing.F) {
	f.Add("https://acme.example/x?a=b#c", "Winter: “launch” # 1", "- [x] {y}: &z *a !b | > ' \" % @ `", "2026-11-22", int64(1_800_000_000))
	f.Add("http://a", "true", "null", "\u2028\x85 \t", int64(0))
	f.Fuzz(func(t *testing.T, address, title, description, alt string, at int64) {
		c := Card{
			URL: "https://acme.example/?" + url.QueryEscape(address), Title: "t " + oneLine(title), Description: oneLine(description),
			ImageAlt: oneLine(alt), Fetched: time.Unix(at&(1<<37-1), 0).UTC(),
		}
		c.Title = strings.TrimSpace(c.Title)
		out, err := Format(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, problems := Parse(out); len(out) <= MaxBytes && (len(problems) > 0 || got != c) {
			t.Errorf("%s\n%v, %s", out, problems, cmp.Diff(c, got))
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("url: https://acme.example/\ntitle: Hi\nimage: a.jpg\nfetched: 2026-11-22T09:00:00+01:00\n")
	f.Add("a: &a [*a]\n")
	f.Add("? [x]\n: {y\n")
	f.Fuzz(func(t *testing.T, src string) {
		c, problems := Parse([]byte(src))
		if len(problems) == 0 && (c.URL == "" || c.Title == "" || strings.ContainsAny(c.Image, "/\\")) {
			t.Errorf("%+v", c)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Message == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}
