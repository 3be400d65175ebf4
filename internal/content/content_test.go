package content

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// png is the smallest picture: 1×1 pixel.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"

func berlin(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func testFS() fstest.MapFS {
	return fstest.MapFS{
		"content/hero.png":   {Data: []byte(png)},
		"content/my pic.png": {Data: []byte(png)},
		"content/empty.png":  {},
		"content/fake.png":   {Data: []byte("<html>")},
		"content/hero.jpg":   {Data: []byte(png)},
		"content/broken.png": {Data: []byte(png[:20])},
		"content/notes.txt":  {Data: []byte("words")},
		"shared/logo.png":    {Data: []byte(png)},
	}
}

// parseTest parses src as content/a.md in Berlin.
func parseTest(t testing.TB, src string) (*post.Post, finding.List) {
	t.Helper()
	return Parse("content/a.md", []byte(src), testFS(), Options{Location: berlin(t)})
}

// brief writes findings one a line, without those about a missing id unless all is set.
func brief(list finding.List, all bool) string {
	var b strings.Builder
	for _, f := range list {
		if f.Code == codeNoID && !all {
			continue
		}
		fmt.Fprintf(&b, "%d:%d %s %s: %s", f.Range.Start.Line, f.Range.Start.Column, f.Severity, f.Code, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(&b, " [%s]", f.Hint)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// outline writes a doc in a compact form: p("text", em("x")).
func outline(docs []post.Doc) string {
	var b strings.Builder
	for i, d := range docs {
		if i > 0 {
			b.WriteString("=====\n")
		}
		for _, bl := range d.Blocks {
			outlineBlock(&b, bl, "")
		}
	}
	return b.String()
}

func outlineBlock(b *strings.Builder, bl post.Block, indent string) {
	names := []string{"p", "h", "list", "item", "quote", "code", "audience", "html", "table", "row", "cell"}
	b.WriteString(indent + names[bl.Kind])
	if bl.Level != 0 {
		fmt.Fprintf(b, " %d", bl.Level)
	}
	if bl.Tight {
		b.WriteString(" tight")
	}
	if bl.Except {
		b.WriteString(" except")
	}
	if len(bl.Names) > 0 {
		fmt.Fprintf(b, " %v", bl.Names)
	}
	if bl.Info != "" {
		fmt.Fprintf(b, " %s", bl.Info)
	}
	if bl.Text != "" {
		fmt.Fprintf(b, " %q", bl.Text)
	}
	if len(bl.Inlines) > 0 {
		b.WriteString(" ")
		outlineInlines(b, bl.Inlines)
	}
	b.WriteString("\n")
	for _, c := range bl.Blocks {
		outlineBlock(b, c, indent+"  ")
	}
}

func outlineInlines(b *strings.Builder, list []post.Inline) {
	names := []string{"", "/", "//", "em", "strong", "del", "code", "link", "auto", "img", "html"}
	for i, in := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(names[in.Kind])
		if in.Text != "" {
			fmt.Fprintf(b, "%q", in.Text)
		}
		if in.Dest != "" {
			fmt.Fprintf(b, "<%s>", in.Dest)
		}
		if in.Title != "" {
			fmt.Fprintf(b, "(%s)", in.Title)
		}
		if in.Media != nil {
			fmt.Fprintf(b, "{%s}", in.Media.Path)
		}
		if len(in.Inlines) > 0 {
			b.WriteByte('[')
			outlineInlines(b, in.Inlines)
			b.WriteByte(']')
		}
	}
}

func TestFrontMatter(t *testing.T) {
	const head = "---\nid: a\n"
	tests := []struct{ name, src, want string }{
		{"empty", "", "0:0 error F103: the file is empty [write a text, or delete the file]\n"},
		{"no front matter", "Hello", "1:1 warning F130: the post has no id: after a rename it would look like a new post [add id: a to the front matter, the id that it goes by]\n"},
		{"invalid UTF-8", head + "---\né \xff", "4:3 error F104: the file is not valid UTF-8: byte 0xff [save the file as UTF-8]\n"},
		{"UTF-16", "\xff\xfeH\x00", "1:1 error F104: the file is not valid UTF-8: byte 0xff [this is UTF-16: save the file as UTF-8]\n"},
		{"NUL", head + "---\nHello \x00", "4:7 error F105: the file has a NUL byte, which no text has [check that this is a text file, and remove the byte]\n"},
		{"BOM", "\ufeff" + head + "---\nHello", "1:1 warning F106: the file starts with a byte-order mark [save it as UTF-8 without BOM]\n"},
		{"unterminated", head + "Hello\n ---\n", "1:1 error F110: the front matter is never closed: no line after this one is \"---\" [close it with a line that is exactly ---]\n"},
		{"unterminated JSON", `{"id":`, "1:1 error F110: the front matter is never closed: its { has no } [close it, or write \\{ to start a text with a brace]\n"},
		{"indented", " ---\nid: a\n---\n", "1:1 error F111: the first line looks like a front matter delimiter and is none: \" ---\" [write --- alone on the line, starting in column 1; a text cannot start with a thread break]\n"},
		{"text after JSON", `{"id":"a"} Hello`, "1:11 error F111: there is text on the line on which the front matter ends [start the text on a line of its own]\n"},
		{"blank lines before", "\n\n" + head + "---\nx", ""},
		{"three dots", head + "...\nx", ""},
		{"dashes in a block", head + "notes: |\n  a\n  ---\n  b\n---\nx", ""},
		{"a newswire's opening", "+++ EIL +++", "1:1 warning F130: the post has no id: after a rename it would look like a new post [add id: a to the front matter, the id that it goes by]\n"},
		{"YAML", head + "title: a: b\n---\n", "3:9 error F112: the front matter is not valid YAML: mapping values are not allowed in this context [put quotes around a text that contains \": \"]\n"},
		{"two documents", head + "--- # two\nb: c\n---\n", "2:1 error F112: the front matter is not valid YAML: expected single document, found multiple [close the front matter with a line that is exactly ---]\n"},
		{"TOML", "+++\nid = \"a\"\ntitle = x\n+++\n", "3:9 error F112: the front matter is not valid TOML: unexpected character U+0078 'x' at start of value [texts and times with a blank in them need quotes]\n"},
		{"JSON", "{\"id\":\"a\",}", "1:10 error F112: the front matter is not valid JSON: invalid character '}' looking for beginning of object key string [write \\{ to start a text with a brace]\n"},
		{"unknown", head + "campain: x\n---\n", "3:1 error F120: unknown front-matter key \"campain\" [did you mean \"campaign\"?]\n"},
		{"unknown, far off", head + "xyzzy: x\n---\n", "3:1 error F120: unknown front-matter key \"xyzzy\" [remove it, or see `postrider schema` for the keys there are]\n"},
		{"published", head + "published: false\n---\n", "3:1 error F120: unknown front-matter key \"published\" [write draft: true for a post that is not to go out]\n"},
		{"twice", head + "id: b\n---\n", "3:1 error F121: \"id\" sets id again: line 2 has set it [remove line 2 or line 3]\n"},
		{"twice by an alias", head + "date: 2026-12-01 09:00\ndraft: true\npublish_at: 2026-12-01 09:00\n---\n", "5:1 error F121: \"publish_at\" sets publish_at again: line 3 has set it [remove line 3 or line 5]\n"},
		{"twice in TOML", "+++\nid = 'a'\ntitle = 'b'\n\ntitle = 'c'\n+++\n", "5:1 error F121: \"title\" sets title again: line 3 has set it [remove line 3 or line 5]\n"},
		{"twice in JSON", "{\"id\": \"a\",\n\"title\": \"b\",\n  \"title\": \"c\"}\n", "3:3 error F121: \"title\" sets title again: line 2 has set it [remove line 2 or line 3]\n"},
		{"two overrides", head + "overrides:\n  x: {draft: true}\n  x: {draft: false}\n---\n", "5:3 error F121: \"x\" is overridden again: line 4 has done it [put both into one]\n"},
		{"not a bool", head + "draft: yes\n---\n", "3:8 error F122: \"draft\" must be true or false, not text [write true or false, without quotes]\n"},
		{"not a text", head + "title: [a]\n---\n", "3:8 error F122: \"title\" must be a text, not a list\n"},
		{"not a map", "---\n- a\n---\n", "2:1 error F122: the front matter must be a map of keys to values, not a list\n"},
		{"override of text", head + "overrides:\n  x: hi\n---\n", "4:6 error F122: the override for \"x\" must be a map of fields, not text [write x: {text: …} to replace the text]\n"},
		{"enum", head + "late: hodl\n---\n", "3:7 error F123: late is \"hodl\": it must be publish, skip or hold [did you mean \"hold\"?]\n"},
		{"names", head + "platforms: x, bluesky\n---\n", "3:12 error F123: \"x, bluesky\" is not the name of an account or a platform [write a list: [x, bluesky]]\n"},
		{"language that announces more", head + "lang: de-x\n---\n", "3:7 error F123: \"de-x\" is not a language tag (BCP 47) [write tags like en, de or pt-BR]\n"},
		{"language", head + "lang: de_DE\n---\n", "3:7 error F123: \"de_DE\" is not a language tag (BCP 47) [write de-DE]\n"},
		{"link", head + "link: acme.example\n---\n", "3:7 error F123: link is not a web address: \"acme.example\" [write it in full: https://example.com/page]\n"},
		{"poll", head + "poll: [a]\n---\n", "3:7 error F123: a poll needs two options or more, and has 1\n"},
		{"poll duration", head + "poll: {options: [a, b], duration: 25}\n---\n", "3:35 error F123: duration is not a duration: \"25\" [write 30m, 12h, 1d or 1d12h]\n"},
		{"id in an override", head + "overrides:\n  x: {id: b}\n---\n", "4:7 error F124: \"id\" cannot be overridden [remove it]\n"},
		{"text in a post", head + "text: b\n---\n", "3:1 error F124: \"text\" belongs into an override: the text of a post is what follows the front matter [remove it]\n"},
		{"listed twice", head + "platforms: [x, x]\n---\n", "3:12 warning F125: \"platforms\" lists \"x\" twice [remove one of them]\n"},
		{"id", "---\nid: a b\n---\n", "2:5 error F131: \"a b\" is not an id [use letters, digits, _ . and -, at most 128, starting with a letter or digit; for example suuqzohg]\n"},
		{"aliases that unfold", head + "labels: &a [x, x]\nnotes: &b [*a, *a]\n---\n", "4:12 error F122: item 1 of \"notes\" must be a text, not a list\n"},

		{"no time", head + "publish_at: tomorrow\n---\n", "3:13 error D101: publish_at is not a time: \"tomorrow\" [write it as 2026-12-01 09:00, with an offset (2026-12-01T09:00+01:00) where the time zone is not the site's]\n"},
		{"empty time", head + "publish_at:\n---\n", "3:1 error D101: publish_at is empty [write a time, or remove the line to send the post as soon as it is merged]\n"},
		{"seconds since 1970", head + "publish_at: 1764579600\n---\n", "3:13 error D101: publish_at is not a time: \"1764579600\" [write it as 2026-12-01 09:00, with an offset (2026-12-01T09:00+01:00) where the time zone is not the site's]\n"},
		{"date only", head + "date: 2026-12-01\n---\n", "3:7 error D102: date has a date and no time: \"2026-12-01\" [write the time too, for example 2026-12-01 09:00]\n"},
		{"gap", head + "publish_at: 2026-03-29 02:30\n---\n", "3:13 error D103: \"2026-03-29 02:30\" does not exist in Europe/Berlin: the clocks are set forward over it [write 2026-03-29 01:30 or 2026-03-29 03:30]\n"},
		{"overlap", head + "publish_at: 2026-10-25 02:30\n---\n", "3:13 warning D104: \"2026-10-25 02:30\" happens twice in Europe/Berlin, when the clocks are set back: the first one is taken, 2026-10-25 02:30 +02:00 [write the offset, 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00]\n"},
		{"zone", head + "timezone: europe/berln\n---\n", "3:11 error D105: unknown time zone \"europe/berln\" [did you mean \"Europe/Berlin\"?]\n"},
		{"the machine's zone", head + "timezone: Local\n---\n", "3:11 error D105: unknown time zone \"Local\" [write a name like Europe/Berlin or America/New_York]\n"},
		{"expiry", head + "expires_at: 2026-11-01 09:00\npublish_at: 2026-12-01 09:00\n---\n", "3:13 error D106: the post expires (2026-11-01 09:00) before it is published (2026-12-01 09:00) [set expires_at after publish_at]\n"},
		{"expiry of an override", head + "expires_at: 2026-12-02 09:00\noverrides:\n  x:\n    publish_at: 2026-12-03 09:00\n---\n", "6:17 error D106: the post expires (2026-12-02 09:00) before it is published (2026-12-03 09:00) [set expires_at after publish_at]\n"},
		{"gap in an override's zone", head + "publish_at: 2026-03-08 02:15\noverrides:\n  x:\n    timezone: America/New_York\n---\n", "6:5 error D103: \"2026-03-08 02:15\" does not exist in America/New_York: the clocks are set forward over it [write 2026-03-08 01:15 or 2026-03-08 03:15]\n"},

		{"missing", head + "media:\n  - file: heroe.png\n---\n", "4:11 error M101: \"heroe.png\" does not exist [did you mean \"hero.png\"?]\n"},
		{"missing folder", head + "media: a/b.png\n---\n", "3:8 error M101: \"a/b.png\" does not exist [save it as content/a/b.png]\n"},
		{"damaged", head + "media: broken.png\n---\n", "3:8 error M103: \"broken.png\" is damaged: it is cut off [export it again, or restore it from where it came]\n"},
		{"folder", head + "media: /shared\n---\n", "3:8 error M104: \"/shared\" is a folder [name a file in it]\n"},
		{"handle", head + "mentions: {ann: {x: ann x}}\n---\nx", "3:21 error F123: \"ann x\" is not a handle for \"x\" [write platform: handle, without blanks, or platform: \"Name (id)\"]\n"},
		{"handle with a name", head + "mentions: {ann: {linkedin: Ann (B.) Ax (urn:li:person:1)}}\n---\nx", ""},
		{"handle, a name without an id", head + "mentions: {ann: {linkedin: Ann Ax ()}}\n---\nx", "3:28 error F123: \"Ann Ax ()\" is not a handle for \"linkedin\" [write platform: handle, without blanks, or platform: \"Name (id)\"]\n"},
		{"outside", head + "media: ../../etc/passwd\n---\n", "3:8 error M110: \"../../etc/passwd\" is outside the site [move it into the site's folder]\n"},
		{"outside from the root", head + "media: /../x.png\n---\n", "3:8 error M110: \"/../x.png\" is outside the site [move it into the site's folder]\n"},
		{"backslash", head + "media: a\\b.png\n---\n", "3:8 error M110: \"a\\\\b.png\" is not a path [separate folders with /]\n"},
		{"no file in TOML", "+++\nid = 'a'\nmedia = [{alt = 'x'}]\n+++\n", "3:10 error F123: item 1 of \"media\" names no file [add file: with a path relative to the post's file]\n"},
		{"no file", head + "media:\n  - alt: x\n---\n", "4:5 error F123: item 1 of \"media\" names no file [add file: with a path relative to the post's file]\n"},
		{"remote", head + "card: {url: 'https://a.b', image: 'https://a.b/c.png'}\n---\n", "3:35 error M112: \"https://a.b/c.png\" is not a file of this site [save it next to the post and name it here: what reviewers see is then what is sent]\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := tt.name == "no front matter" || tt.name == "a newswire's opening"
			_, list := parseTest(t, tt.src)
			if diff := cmp.Diff(tt.want, brief(list, all)); diff != "" {
				t.Errorf("%q: findings differ (-want +got):\n%s", tt.src, diff)
			}
		})
	}
}

// The three languages say the same and become the same.
// TestSecretsAreNotTold: whatever is wrong with a front matter that holds a secret, no report repeats it.
func TestSecretsAreNotTold(t *testing.T) {
	const pasted = "ghp_hunter2hunter2hunter2hunter2hunter2hunter2"
	for name, src := range map[string]string{
		"a key":             "---\nid: a\naccess_token: hunter2\n---\nHi\n",
		"of an override":    "---\nid: a\noverrides: {x: {password: hunter2}}\n---\nHi\n",
		"TOML":              "+++\nid = \"a\"\napp_password = \"hunter2\"\n+++\nHi\n",
		"JSON":              "{\"id\": \"a\", \"apiKey\": \"hunter2\"}\nHi\n",
		"a syntax error":    "---\nid: a\napp_password: \"hunter2\n---\nHi\n",
		"another":           "---\nid: a\ntoken: hunter2: hunter2\n---\nHi\n",
		"in TOML":           "+++\nid = \"a\"\ntoken = hunter2\n+++\nHi\n",
		"in JSON":           "{\"id\": \"a\", \"token\": hunter2\nHi\n",
		"no end":            "---\nid: a\ntoken: hunter2\n\nHi\n",
		"a value":           "---\nid: a\nlate: " + pasted + "\n---\nHi\n",
		"a time":            "---\nid: a\npublish_at: " + pasted + "\n---\nHi\n",
		"an id":             "---\nid: 'https://eve:hunter2@acme.example'\n---\nHi\n",
		"a medium":          "---\nid: a\nmedia: ['https://eve:hunter2@acme.example/a.png']\n---\nHi\n",
		"the key is secret": "---\nid: a\n" + pasted + ": a\n---\nHi\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, list := parseTest(t, src)
			if !list.HasErrors() {
				t.Fatalf("no errors: %v", list)
			}
			var out strings.Builder
			if err := finding.WriteText(&out, list, finding.TextOptions{Source: func(string) []byte { return []byte(src) }}); err != nil {
				t.Fatal(err)
			}
			if err := finding.WriteJSON(&out, list, 1); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Errorf("the report tells the secret:\n%s", out.String())
			}
		})
	}
}

func TestLanguages(t *testing.T) {
	const (
		yml = `---
id: k3v9q2xh
title: "Winter: launch"
platforms: {x: true, bluesky: false, fedi: true}
publishDate: 2026-12-01 09:00
timezone: Europe/Berlin
campaign: winter-launch
hashtags: ["#winter", launch]
link: https://acme.example/winter
images:
  - {path: hero.png, alt_text: A sled}
  - /shared/logo.png
card: {url: "https://acme.example", title: Acme, image: hero.png, alt: Logo}
draft: false
lang: [EN, pt-BR]
visibility: unlisted
cw: Snow
sensitive: true
labels: graphic-media
poll: {options: [yes, "no"], duration: 1d12h, multiple: true, hide-totals: true}
in-reply-to: other
quote: https://acme.example/1
firstComment: Link below
thread: auto
expires-at: 2026-12-24T18:00:00+01:00
late: hold
embargo: link
mentions: {"@ann": {x: "@ann_x", bluesky: ann.bsky.social}}
repeat: RRULE:FREQ=WEEKLY;COUNT=4
notes: [a, b]
canonicalURL: https://acme.example/o
withdraw: false
overrides: {x: {text: "Hi **X**", publish_at: 2026-12-01 10:00}}
---
Hello
`
		tml = `+++
id = "k3v9q2xh"
title = "Winter: launch"
platforms = {x = true, bluesky = false, fedi = true}
publishDate = 2026-12-01 09:00:00
timezone = "Europe/Berlin"
campaign = "winter-launch"
hashtags = ["#winter", "launch"]
link = "https://acme.example/winter"
draft = false
lang = ["en", "pt-BR"]
visibility = "unlisted"
cw = "Snow"
sensitive = true
labels = "graphic-media"
in-reply-to = "other"
quote = "https://acme.example/1"
firstComment = "Link below"
thread = "auto"
expires-at = 2026-12-24T18:00:00+01:00
late = "hold"
embargo = "link"
repeat = "RRULE:FREQ=WEEKLY;COUNT=4"
notes = ["a", "b"]
canonicalURL = "https://acme.example/o"
withdraw = false
[[images]]
path = "hero.png"
alt_text = "A sled"
[[images]]
file = "/shared/logo.png"
[card]
url = "https://acme.example"
title = 'Acme'
image = "hero.png"
alt = "Logo"
[poll]
options = ["yes", "no"]
duration = "1d12h"
multiple = true
hide-totals = true
[mentions."@ann"]
x = "@ann_x"
bluesky = "ann.bsky.social"
[overrides.x]
text = "Hi **X**"
publish_at = 2026-12-01T10:00:00
+++
Hello
`
		jsn = `{
"id": "k3v9q2xh", "title": "Winter: launch",
"platforms": {"x": true, "bluesky": false, "fedi": true},
"publishDate": "2026-12-01 09:00", "timezone": "Europe/Berlin", "campaign": "winter-launch",
"hashtags": ["#winter", "launch"], "link": "https://acme.example/winter",
"images": [{"path": "hero.png", "alt_text": "A sled"}, "/shared/logo.png"],
"card": {"url": "https://acme.example", "title": "Acme", "image": "hero.png", "alt": "Logo"},
"draft": false, "lang": ["en", "pt-BR"], "visibility": "unlisted", "cw": "Snow", "sensitive": true, "labels": "graphic-media",
"poll": {"options": ["yes", "no"], "duration": "1d12h", "multiple": true, "hide-totals": true},
"in-reply-to": "other", "quote": "https://acme.example/1", "firstComment": "Link below", "thread": "auto",
"expires-at": "2026-12-24T18:00:00+01:00", "late": "hold", "embargo": "link", "mentions": {"@ann": {"x": "@ann_x", "bluesky": "ann.bsky.social"}},
"repeat": "RRULE:FREQ=WEEKLY;COUNT=4", "notes": ["a", "b"], "canonicalURL": "https://acme.example/o", "withdraw": false,
"overrides": {"x": {"text": "Hi **X**", "publish_at": "2026-12-01T10:00"}}
}
Hello
`
	)
	loc := berlin(t)
	want := post.Fields{
		Title: "Winter: launch", Platforms: []string{"x", "fedi"}, PublishAt: time.Date(2026, 12, 1, 9, 0, 0, 0, loc),
		Timezone: "Europe/Berlin", Campaign: "winter-launch", Tags: []string{"winter", "launch"}, Link: "https://acme.example/winter",
		CanonicalURL: "https://acme.example/o",
		Media: []post.Media{
			{File: "hero.png", Path: "content/hero.png", Alt: "A sled", HasAlt: true, Digest: pngDigest, MIME: "image/png", Bytes: 67, Width: 1, Height: 1, Transparent: true},
			{File: "/shared/logo.png", Path: "shared/logo.png", Digest: pngDigest, MIME: "image/png", Bytes: 67, Width: 1, Height: 1, Transparent: true},
		},
		Card: &post.Card{URL: "https://acme.example", Title: "Acme", Image: &post.Media{
			File: "hero.png", Path: "content/hero.png", Alt: "Logo", HasAlt: true, Digest: pngDigest, MIME: "image/png", Bytes: 67, Width: 1, Height: 1, Transparent: true,
		}},
		Language: []string{"en", "pt-BR"}, Visibility: "unlisted", ContentWarning: "Snow", Sensitive: true, Labels: []string{"graphic-media"},
		Poll:    &post.Poll{Options: []string{"yes", "no"}, Duration: 36 * time.Hour, Multiple: true, HideTotals: true},
		ReplyTo: "other", Quote: "https://acme.example/1", FirstComment: "Link below", Thread: "auto",
		ExpiresAt: time.Date(2026, 12, 24, 18, 0, 0, 0, loc), Late: post.LateHold, Embargo: post.EmbargoLink,
		Mentions: []post.Mention{{Name: "ann", Handles: map[string]string{"x": "ann_x", "bluesky": "ann.bsky.social"}}},
		Repeat:   "FREQ=WEEKLY;COUNT=4", Remark: "a\nb",
	}
	for _, f := range post.AllFields() {
		if f != post.FieldText {
			want.Set = want.Set.With(f)
		}
	}
	ignore := cmp.Options{
		cmpopts.IgnoreTypes(finding.Range{}), cmpopts.IgnoreFields(post.Fields{}, "PublishAtText", "ExpiresAtText"),
	}
	for _, src := range []string{yml, tml, jsn} {
		p, list := parseTest(t, src)
		if len(list) > 0 {
			t.Errorf("%.3s: findings:\n%s", src, brief(list, true))
		}
		if diff := cmp.Diff(want, p.Fields, ignore); diff != "" {
			t.Errorf("%.3s: fields differ (-want +got):\n%s", src, diff)
		}
		if got := len(p.Places); got != len(post.AllFields())+1 {
			t.Errorf("%.3s: %d places", src, got)
		}
		for _, pl := range p.Places {
			if pl.Range.Start.Line < 2 || pl.Range.Start.Column < 1 {
				t.Errorf("%.3s: %s is said to stand at %v", src, pl.Field.Key(), pl.Range)
			}
		}
		o := p.Overrides[0]
		if o.Name != "x" || outline(o.Body) != "p \"Hi \" strong[\"X\"]\n" || !o.PublishAt.Equal(want.PublishAt.Add(time.Hour)) {
			t.Errorf("%.3s: the override is %+v", src, o)
		}
		if s := o.Body[0].Blocks[0].Inlines[0].Span; src[s.Start:s.End] != "Hi " {
			t.Errorf("%.3s: the override's text is said to stand at %q", src, src[s.Start:s.End])
		}
		if p.ID != "k3v9q2xh" || !p.OwnID || outline(p.Body) != "p \"Hello\"\n" {
			t.Errorf("%.3s: id %q, body %s", src, p.ID, outline(p.Body))
		}
	}
}

const pngDigest = "ebf4f635a17d10d6eb46ba680b70142419aa3220f228001a036d311a22ee9d2a"

func TestOverrideZones(t *testing.T) {
	p, list := parseTest(t, `---
id: a
publish_at: 2026-12-01 09:00
expires_at: 2026-12-02T09:00Z
overrides:
  x: {timezone: America/New_York}
  y: {timezone: America/New_York, publish_at: 2026-12-01 10:00}
  z: {publish_at: 2026-12-01 10:00}
---
`)
	if len(list) > 0 {
		t.Fatal(brief(list, true))
	}
	for i, want := range []string{"2026-12-01T14:00:00Z", "2026-12-01T15:00:00Z", "2026-12-01T09:00:00Z"} {
		o := p.Overrides[i]
		if got := o.PublishAt.UTC().Format(time.RFC3339); got != want || !o.Set.Has(post.FieldPublishAt) || o.Set.Has(post.FieldExpiresAt) {
			t.Errorf("%s goes out at %s, want %s (%+v)", o.Name, got, want, o.Fields)
		}
	}
}

func TestDocs(t *testing.T) {
	seen := map[finding.Code]bool{}
	for _, d := range Docs() {
		if seen[d.Code] {
			t.Errorf("%s is documented twice", d.Code)
		}
		seen[d.Code] = true
		if d.Title == "" || d.Why == "" || d.Bad == "" || d.Good == "" || d.Since == "" {
			t.Errorf("%s lacks something: %+v", d.Code, d)
		}
		if strings.HasPrefix(d.Bad, "(") {
			continue
		}
		list := parseExample(t, d.Bad)
		var found bool
		for _, f := range list {
			if f.Code == d.Code {
				found = true
				if f.Severity != d.Severity {
					t.Errorf("%s is %s in the documentation and %s in the finding", d.Code, d.Severity, f.Severity)
				}
			} else if f.Code != codeNoID {
				t.Errorf("%s: the bad example yields %s too: %s", d.Code, f.Code, f.Message)
			}
		}
		if !found {
			t.Errorf("%s: the bad example does not yield it, but\n%s", d.Code, brief(list, true))
		}
		if list := parseExample(t, d.Good); len(list) > 0 {
			t.Errorf("%s: the good example yields\n%s", d.Code, brief(list, true))
		}
	}
}

// parseExample parses the file of an example, or the first of several, each after a line "-- name --".
func parseExample(t *testing.T, src string) finding.List {
	t.Helper()
	if !strings.HasPrefix(src, "-- ") {
		_, list := parseTest(t, src)
		return list
	}
	fsys := testFS()
	first := ""
	for _, file := range strings.Split(src, "-- content/")[1:] {
		name, text, _ := strings.Cut(file, " --\n")
		fsys["content/"+name] = &fstest.MapFile{Data: []byte(text)}
		if first == "" {
			first = "content/" + name
		}
	}
	_, list := Parse(first, fsys[first].Data, fsys, Options{Location: berlin(t)})
	return list
}

func TestTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ text, at, code string }{
		{"2026-12-01 09:00", "2026-12-01T09:00:00+01:00", ""},
		{"2026-12-01T09:00-05:00", "2026-12-01T15:00:00+01:00", ""},
		{"2027-10-31 02:30", "2027-10-31T02:30:00+02:00", "D104"},
		{"2027-03-28 02:30", "0001-01-01T00:00:00Z", "D103"},
		{"2027-02-30 09:00", "0001-01-01T00:00:00Z", "D101"},
		{"", "0001-01-01T00:00:00Z", "D101"},
	} {
		at, found := Time(tt.text, berlin)
		code := ""
		for _, f := range found {
			code += string(f.Code)
		}
		if got := at.Format(time.RFC3339); got != tt.at || code != tt.code {
			t.Errorf("Time(%q) is %s with findings %q, want %s with %q", tt.text, got, code, tt.at, tt.code)
		}
	}
}
