package site

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/post"
)

const utmYAML = `accounts:
  bluesky: {platform: bluesky, handle: acme.bsky.social}
  fedi: {platform: mastodon, server: "https://fedi.example"}
  x: {platform: x, utm: {source: ex, medium: ""}}
defaults: {platforms: [fedi], campaign: w}
campaigns:
  w: {utm: {source: "{platform}", medium: m}}
  own: {utm: {id: "{post}", hosts: a.example}}
  none: {}
  each: {utm: {source: "{account}"}}
`

// utmSnapshot returns a site of one post, which is in the campaign w unless head says otherwise.
func utmSnapshot(t *testing.T, head, body string) (*Snapshot, *post.Post) {
	t.Helper()
	s := load(t, fstest.MapFS{"site.yaml": file(utmYAML), "content/p.md": file("---\nid: p1\n" + head + "---\n" + body + "\n")})
	if len(s.Findings) > 0 {
		t.Fatal(s.Findings)
	}
	return s, s.Posts[0]
}

// TestUTMInText says where addresses in a text get parameters, and that the file is still found behind each byte.
func TestUTMInText(t *testing.T) {
	const q = "utm_source=mastodon&utm_medium=m"
	for name, test := range map[string]struct{ head, body, want string }{
		"an address":            {"", "See https://a.example/b.", "See https://a.example/b?" + q + "."},
		"two":                   {"", "https://a.example, https://b.example#c", "https://a.example?" + q + ", https://b.example?" + q + "#c"},
		"marked up":             {"", "**See https://a.example** _now_", "See https://a.example?" + q + " now"},
		"no entity":             {"", "https://a.example/?b=1&copy=2 there &copy; A", "https://a.example/?b=1&copy=2&" + q + " there © A"},
		"pieces":                {"", `https://a.example/[b\_c]#d\_e, there`, "https://a.example/[b_c]?" + q + "#d_e, there"},
		"no escape":             {"", `https://a.example/b\_c there`, `https://a.example/b\_c there`},
		"own parameters":        {"", "https://a.example/?utm_source=me&x=1", "https://a.example/?utm_source=me&x=1&utm_medium=m"},
		"angles":                {"", "See <https://a.example/b>.", "See https://a.example/b?" + q + "."},
		"words":                 {"", "See [the *shop*](https://a.example/b \"t\").", "See the shop (https://a.example/b?" + q + ")."},
		"words are the address": {"", "See [a.example/b](https://a.example/b).", "See https://a.example/b?" + q + "."},
		"mail":                  {"", "[Write](mailto:a@a.example)", "Write (a@a.example)"},
		"code is left":          {"", "`https://a.example` and\n\n```\nhttps://b.example\n```", "https://a.example and\n\nhttps://b.example"},
		"runs into code":        {"", "https://a.example/`b`", "https://a.example/b"},
		"runs into a link":      {"", "https://a.example/[b](https://b.example) c", "https://a.example/b (https://b.example?" + q + ") c"},
		"no bold":               {"", "https://a.example/a**b**c d", "https://a.example/a**b**c?" + q + " d"},
		"lists, quotes, tables": {"", "- https://a.example\n\n> https://b.example", "• https://a.example?" + q + "\n\n> https://b.example?" + q},
		"lines":                 {"", "https://a.example\nhttps://b.example", "https://a.example?" + q + "\nhttps://b.example?" + q},
		"link":                  {"link: https://a.example/b\n", "Hello.", "Hello.\n\nhttps://a.example/b?" + q},
		"link in the text":      {"link: https://a.example/b\n", "At https://a.example/b now.", "At https://a.example/b?" + q + " now."},
		"card":                  {"card: {url: https://a.example/b}\n", "Hello.", "Hello.\n\nhttps://a.example/b?" + q},
		"first comment":         {"first_comment: At https://a.example/b.\n", "Hello.", "Hello.\n---\nAt https://a.example/b?" + q + "."},
		"an override":           {"overrides: {fedi: {text: 'At https://a.example/c.'}}\n", "Hello.", "At https://a.example/c?" + q + "."},
		"only its hosts":        {"campaign: own\n", "https://a.example https://b.example", "https://a.example?utm_id=p1 https://b.example"},
		"a campaign without":    {"campaign: none\n", "https://a.example", "https://a.example"},
		"reply_to is left":      {"reply_to: https://a.example/@b/1\n", "Hello.", "Hello."},
		"a mention behind":      {"mentions: {eva: {mastodon: eva@b.example}}\n", "https://a.example/b @eva", "https://a.example/b?" + q + " @eva@b.example"},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := utmSnapshot(t, test.head, test.body)
			fedi, _ := s.Config.Account("fedi")
			before := s.Variant(p, fedi)
			r := s.Render(p, fedi)
			var texts []string
			for i := range r.Rendering.Parts {
				part := &r.Rendering.Parts[i]
				texts = append(texts, part.Text)
				for _, span := range part.Spans {
					shown, written := part.Text[span.Start:span.End], p.Text[span.Source.Start:span.Source.End]
					if span.End-span.Start == span.Source.End-span.Source.Start && shown != written {
						t.Errorf("%q is said to stand in the file as %q", shown, written)
					}
					if strings.Contains(shown, "utm_medium=m") && !strings.Contains(written, "://") {
						t.Errorf("%q is said to come from %q", shown, written)
					}
				}
			}
			if got := strings.Join(texts, "\n---\n"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if diff := cmp.Diff(before, r.Variant); diff != "" {
				t.Errorf("the variant is no longer what people wrote (-want +got):\n%s", diff)
			}
			again := s.Render(p, fedi)
			if again.Rendering.Fingerprint() != r.Rendering.Fingerprint() {
				t.Error("rendering again gives another fingerprint: the post was changed")
			}
		})
	}
}

// TestUTMCounts looks at what is counted and linked: X weighs any address 23, Bluesky shows words alone, and cards lead there, too.
func TestUTMCounts(t *testing.T) {
	s, p := utmSnapshot(t, "platforms: [bluesky, x]\nlink: https://acme.com/c\n", "See [acme.com/b](https://acme.com/b).")
	ex, _ := s.Config.Account("x")
	part := s.Render(p, ex).Rendering.Parts[0]
	if want := "See https://acme.com/b?utm_source=ex.\n\nhttps://acme.com/c?utm_source=ex"; part.Text != want || part.Used != len("See .\n\n")+2*23 {
		t.Errorf("X gets %q, %d", part.Text, part.Used)
	}
	if len(part.Facets) != 2 || part.Facets[0].Value != "https://acme.com/b?utm_source=ex" {
		t.Errorf("X links %v", part.Facets)
	}
	bluesky, _ := s.Config.Account("bluesky")
	part = s.Render(p, bluesky).Rendering.Parts[0]
	const tail = "?utm_source=bluesky&utm_medium=m"
	if part.Text != "See acme.com/b." || len(part.Facets) != 1 || part.Facets[0].Value != "https://acme.com/b"+tail || part.Card == nil || part.Card.URL != "https://acme.com/c"+tail {
		t.Errorf("Bluesky gets %q, %v, %v", part.Text, part.Facets, part.Card)
	}
	if p.Link != "https://acme.com/c" {
		t.Errorf("the post itself was changed: %s", p.Link)
	}
}

// TestUTMPlaces says where findings about changed links point to.
func TestUTMPlaces(t *testing.T) {
	s, p := utmSnapshot(t, "platforms: [bluesky]\nlink: https://a.example/b\n", "See https://b.example/c and "+strings.Repeat("word ", 60)+"\n")
	found := s.Check(context.Background())
	places := map[finding.Code]finding.Pos{}
	for _, f := range found {
		places[f.Code] = f.Range.Start
	}
	if want := (finding.Pos{Line: 4, Column: 7}); places["P303"] != want { // the value of link:
		t.Errorf("the card that is read is reported at %v: %v", places["P303"], found)
	}
	bluesky, _ := s.Config.Account("bluesky")
	r := s.Render(p, bluesky)
	part := &r.Rendering.Parts[0]
	for shown, want := range map[string]string{"https://b": "https://b", "utm_source": " and", "word word": "word word"} {
		at := plaintext.Place(&r.Variant, part, strings.Index(part.Text, shown))
		line := strings.Split(p.Text, "\n")[at.Start.Line-1]
		if !strings.HasPrefix(line[at.Start.Column-1:], want) {
			t.Errorf("%q is said to come from %q", shown, line[at.Start.Column-1:])
		}
	}
}

// TestUTMIsNoNote says that a note is not taken for published because a parameter says the same.
func TestUTMIsNoNote(t *testing.T) {
	s := load(t, fstest.MapFS{
		"site.yaml":    file(strings.Replace(utmYAML, "medium: m", "medium: winter-launch-2026", 1)),
		"content/p.md": file("---\nid: p1\n---\nSee https://a.example/b\n\n<!-- winter-launch-2026 -->\n"),
	})
	for _, f := range s.Check(context.Background()) {
		if f.Code == "T305" {
			t.Errorf("the note is said to be published: %v", f)
		}
	}
}

// TestUTMShares says that accounts share a rendering only where their links are the same, and that posts that differ
// in UTM parameters alone still say the same.
func TestUTMShares(t *testing.T) {
	yaml := strings.Replace(utmYAML, "  x: ", "  fedi-2: {platform: mastodon, server: \"https://two.example\"}\n  x: ", 1)
	s := load(t, fstest.MapFS{
		"site.yaml":    file(yaml),
		"content/a.md": file("---\nid: a\nplatforms: [mastodon]\ncampaign: each\n---\nSee https://a.example\n"),
		"content/b.md": file("---\nid: b\nplatforms: [mastodon]\ncampaign: own\n---\nSee https://a.example\n"),
	})
	if s.leader["fedi"] == s.leader["fedi-2"] {
		t.Error("accounts share a rendering although a rule names the account")
	}
	a, _ := s.Find("a")
	for _, account := range s.Accounts(a) {
		if got, want := s.Render(a, account).Rendering.Parts[0].Text, "See https://a.example?utm_source="+account.Name; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	found := s.Check(context.Background())
	same := 0
	for _, f := range found {
		if f.Code == "T303" {
			same++
		}
	}
	if same == 0 {
		t.Errorf("nobody notices that both posts say the same: %v", found)
	}
}
