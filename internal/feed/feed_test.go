package feed

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"html"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil { //nolint:gosec // a golden file
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

const hostile = "a\x00b\x1bc\x7f ]]> <script>&amp; \"'\r\nlone\rCR\n\n👩‍👩‍👧 שלום \u202eRTL\u202c \ufffe\uffff \xff\xfe end\\n;,: \u2028 line\u0085next"

func sample() Feed {
	return Feed{
		ID: "https://example.com/feed", Title: "Example & Söhne", Home: "https://example.com/", Self: "https://example.com/feed.xml",
		Description: "What we said <in public>", Language: "en-GB",
		Entries: []Entry{
			{
				ID: "https://example.com/p/2", Title: "Second", URL: "https://example.com/p/2", Text: "Hello\nworld & <all>\n\nBye ]]> then",
				HTML: "<p>Hello<br>world &amp; &lt;all&gt;</p>\n<p>Bye ]]&gt; ]]> then</p>", Published: at("2026-03-29T03:30:00+02:00"),
				Updated: at("2026-04-01T10:00:00Z"), Author: "Ann \"A\" O'Neil", Categories: []string{"release", "a, b & c", "release", " "},
				Links: []Link{
					{Title: "Bluesky", URL: "https://bsky.app/profile/example.com/post/3k"}, {Rel: "via", URL: "https://example.com/ü b"},
					{Title: "gone", URL: "relative"}, {URL: "javascript:alert(1)"}, {Rel: "alternate", URL: "at://did:plc:abc/app.bsky.feed.post/3k"},
				},
				Images: []Image{
					{URL: "https://example.com/1.png", Alt: "A \"cat\"\non a mat", MIME: "image/png", Bytes: 12345},
					{URL: "https://example.com/2", Alt: "No type"}, {URL: "media/3.png", MIME: "image/png"},
				},
			},
			{ID: "urn:x:My page", Text: hostile, Published: at("2026-01-01T00:00:00Z")},
			{ID: "tag:example.com,2026:empty", Updated: at("2025-12-31T23:59:59.999Z")},
		},
	}
}

var writers = []struct {
	name  string
	write func(io.Writer, Feed) error
}{{"rss.xml", WriteRSS}, {"atom.xml", WriteAtom}, {"feed.json", WriteJSONFeed}}

func TestGolden(t *testing.T) {
	for _, w := range writers {
		var one, two bytes.Buffer
		if err := w.write(&one, sample()); err != nil {
			t.Fatal(err)
		}
		if err := w.write(&two, sample()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%s differs from one run to the next", w.name)
		}
		golden(t, w.name, one.Bytes())
	}
}

func TestEmptyFeed(t *testing.T) {
	f := Feed{ID: "urn:x:1", Home: "https://example.com"}
	for _, w := range writers {
		var b bytes.Buffer
		if err := w.write(&b, f); err != nil {
			t.Fatal(err)
		}
		golden(t, "empty."+w.name, b.Bytes())
	}
}

func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Feed)
		want   string
	}{
		"no id":         {func(f *Feed) { f.ID = "" }, "the id is missing"},
		"relative home": {func(f *Feed) { f.Home = "/blog" }, `the home "/blog" is no absolute address`},
		"no host":       {func(f *Feed) { f.Home = "https://" }, `the home "https://" is no absolute address`},
		"relative self": {func(f *Feed) { f.Self = "feed.xml" }, `the self "feed.xml" is no absolute address`},
		"entry's id":    {func(f *Feed) { f.Entries[1].ID = "k3v9" }, `entry "k3v9": the id "k3v9" is neither a URN nor a URL`},
		"no URN":        {func(f *Feed) { f.Entries[1].ID = "my site: 1" }, "neither a URN nor a URL"},
		"same id":       {func(f *Feed) { f.Entries[1].ID = f.Entries[0].ID }, "another entry has the same id"},
		"no time":       {func(f *Feed) { f.Entries[1].Published = time.Time{} }, "it has no time"},
		"far time":      {func(f *Feed) { f.Entries[1].Published = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "the year 10000 cannot be written"},
		"far update":    {func(f *Feed) { f.Updated = time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC) }, "the year -5 cannot be written"},
		"script":        {func(f *Feed) { f.Entries[0].URL = "javascript:alert(1)" }, "not one to follow"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, w := range writers {
				f := sample()
				tt.change(&f)
				var b bytes.Buffer
				err := w.write(&b, f)
				if err == nil || !strings.Contains(err.Error(), tt.want) || b.Len() > 0 {
					t.Errorf("%s: got %v and %d bytes, want %q and none", w.name, err, b.Len(), tt.want)
				}
			}
		})
	}
}

func TestHeading(t *testing.T) {
	for _, tt := range []struct{ title, text, want string }{
		{"Title", "text", "Title"},
		{"", "", ""},
		{"", "\n\nfirst line\nsecond", "first line"},
		{"", strings.Repeat("word ", 30), strings.Repeat("word ", 15) + "word…"},
		{"", strings.Repeat("é", 81), strings.Repeat("é", 80) + "…"},
	} {
		if got := (Entry{Title: tt.title, Text: tt.text}).heading(); got != tt.want {
			t.Errorf("heading of %q, %q: got %q, want %q", tt.title, tt.text, got, tt.want)
		}
	}
}

// kept is what is left of a text, told differently from how the package does it.
func kept(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	for _, r := range s {
		switch {
		case slices.Contains([]rune{'\r', '\v', '\f', 0x85}, r):
			b.WriteRune('\n')
		case r == '\n' || r == '\t' || r >= ' ' && r < 0x7F || r >= 0xA0 && !(r >= 0xFDD0 && r <= 0xFDEF) && r&0xFFFF < 0xFFFE:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain takes the markup of paragraphs away again.
func plain(markup string) string {
	markup = strings.TrimSuffix(strings.TrimPrefix(markup, "<p>"), "</p>")
	markup = strings.ReplaceAll(markup, "</p>\n<p>", "\n\n")
	return html.UnescapeString(strings.ReplaceAll(markup, "<br>\n", "\n"))
}

// strict parses XML to its end and returns the text of the elements and attributes by their path, as "item/title" and
// "link@href".
func strict(t *testing.T, b []byte) map[string][]string {
	t.Helper()
	got := map[string][]string{}
	var path, text []string
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatalf("%v in:\n%q", err, b)
		}
		switch token := token.(type) {
		case xml.StartElement:
			path, text = append(path, token.Name.Local), append(text, "")
			for _, a := range token.Attr {
				key := strings.Join(path[max(0, len(path)-2):], "/") + "@" + a.Name.Local
				got[key] = append(got[key], a.Value)
			}
		case xml.CharData:
			if len(text) > 0 {
				text[len(text)-1] += string(token)
			}
		case xml.EndElement:
			key := strings.Join(path[max(0, len(path)-2):], "/")
			got[key] = append(got[key], text[len(text)-1])
			path, text = path[:len(path)-1], text[:len(text)-1]
		}
	}
}

func one(t *testing.T, got map[string][]string, key, want string) {
	t.Helper()
	if diff := cmp.Diff([]string{want}, got[key]); diff != "" {
		t.Errorf("%s (-want +got):\n%s", key, diff)
	}
}

func check(t *testing.T, title, text, markup string) {
	t.Helper()
	f := Feed{
		ID: "urn:x:f", Title: title, Home: "https://example.com/" + title, Description: text, Language: title,
		Entries: []Entry{{
			ID: "urn:x:e", Title: title, Text: text, HTML: markup, Published: at("2026-11-22T00:00:00+14:00"), Author: title, Categories: []string{title},
			Links:  []Link{{Rel: title, Title: text, URL: "https://example.com/" + text}},
			Images: []Image{{URL: "https://example.com/?" + text, Alt: text, MIME: "image/png"}},
		}},
	}
	out := map[string][]byte{}
	for _, w := range writers {
		var b bytes.Buffer
		if err := w.write(&b, f); err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if !utf8.Valid(b.Bytes()) {
			t.Fatalf("%s is not UTF-8", w.name)
		}
		out[w.name] = b.Bytes()
	}
	heading := strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ", "\u2028", " ", "\u2029", " ").Replace(kept(title)))

	rss := strict(t, out["rss.xml"])
	if heading != "" {
		one(t, rss, "item/title", heading)
		one(t, rss, "item/category", heading)
	}
	if got := plain(rss["item/description"][0]); got != kept(text) {
		t.Errorf("RSS: got the text %q, want %q", got, kept(text))
	}
	if kept(text) != "" {
		one(t, rss, "content/description", kept(text))
	}
	if kept(markup) != "" {
		one(t, rss, "item/encoded", kept(markup))
	}
	one(t, rss, "item/guid@isPermaLink", "false")
	if _, err := mail.ParseDate(rss["item/pubDate"][0]); err != nil {
		t.Error(err)
	}

	atom := strict(t, out["atom.xml"])
	if heading != "" {
		one(t, atom, "entry/title", heading)
		one(t, atom, "entry/category@term", heading)
	}
	content := kept(markup)
	if content == "" {
		if got := plain(atom["entry/content"][0]); got != kept(text) {
			t.Errorf("Atom: got the text %q, want %q", got, kept(text))
		}
	} else {
		one(t, atom, "entry/content", content)
	}
	one(t, atom, "entry/published", "2026-11-21T10:00:00Z")

	var got jsonFeed
	d := json.NewDecoder(bytes.NewReader(out["feed.json"]))
	d.DisallowUnknownFields()
	if err := d.Decode(&got); err != nil {
		t.Fatal(err)
	}
	item := got.Items[0]
	if item.Text != nil && *item.Text != kept(text) || item.Text == nil && (kept(text) != "" || content == "") || item.HTML != content || item.Title != heading {
		t.Errorf("JSON Feed lost something: %+v", item)
	}
}

func TestHostile(t *testing.T) {
	check(t, "plain", "plain", "")
	check(t, hostile, hostile, hostile)
	check(t, "", "", "")
	check(t, "]]>", "]]]]>>]]>", "<![CDATA[ ]]> ]]&gt; -->")
	check(t, strings.Repeat("long 👩‍👩‍👧 ", 5000), strings.Repeat("שלום", 20000), strings.Repeat("<b>]]></b>", 3000))
	check(t, "\r", "\r\r\n\n\r", "\r")
}

func FuzzFeeds(f *testing.F) {
	f.Add("title", "text", "<p>html</p>")
	f.Add(hostile, hostile, hostile)
	f.Add("\r", "a\n\n\nb", "]]>")
	f.Add("&#0;", "</p>\n<p>", "<br>\n")
	f.Fuzz(func(t *testing.T, title, text, markup string) { check(t, title, text, markup) })
}

// TestJSONFeed holds the sample against the rules of JSON Feed 1.1 that its text calls required, read without our types.
func TestJSONFeed(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSONFeed(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	text := func(m map[string]any, key string, required bool) {
		t.Helper()
		if s, ok := m[key].(string); (!ok || s == "") && (required || m[key] != nil) {
			t.Errorf("%s is %v", key, m[key])
		}
	}
	text(got, "title", true)
	if got["version"] != "https://jsonfeed.org/version/1.1" {
		t.Errorf("version is %v", got["version"])
	}
	items := got["items"].([]any) //nolint:errcheck // a panic is a failure too
	if len(items) != 3 {
		t.Fatalf("%d items", len(items))
	}
	for _, item := range items {
		m := item.(map[string]any) //nolint:errcheck // a panic is a failure too
		text(m, "id", true)
		text(m, "url", false)
		text(m, "title", false)
		if m["content_text"] == nil && m["content_html"] == nil {
			t.Errorf("%v has no content", m["id"])
		}
		for _, key := range []string{"date_published", "date_modified"} {
			if s, ok := m[key].(string); ok {
				if _, err := time.Parse(time.RFC3339, s); err != nil {
					t.Error(err)
				}
			}
		}
		attachments, _ := m["attachments"].([]any)
		for _, a := range attachments {
			text(a.(map[string]any), "url", true) //nolint:errcheck // a panic is a failure too
			text(a.(map[string]any), "mime_type", true)
		}
		for key := range m {
			known := []string{"id", "url", "title", "content_html", "content_text", "image", "date_published", "date_modified", "authors", "tags", "attachments"}
			if !strings.HasPrefix(key, "_") && !slices.Contains(known, key) {
				t.Errorf("JSON Feed has no %q", key)
			}
		}
	}
}
