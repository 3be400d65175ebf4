package draft

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
)

func TestSlugOf(t *testing.T) {
	for title, want := range map[string]string{
		"Winter launch":                "winter-launch",
		"  It's — “here”!  ":           "its-here",
		"Größe, Smørrebrød & Łódź":     "grosse-smorrebrod-lodz",
		"Crème brûlée":                 "creme-brulee",
		"../../etc/passwd":             "etc-passwd",
		"Read me":                      "read-me",
		"README":                       "readme-theid",
		"冬のセール 2026":                   "冬のセール-2026",
		"🛷🛷":                           "theid",
		"":                             "theid",
		strings.Repeat("word ", 30):    "word-word-word-word-word-word-word-word-word-word-word-word",
		strings.Repeat("長", 100):       strings.Repeat("長", 20),
		strings.Repeat("a", 61) + " b": strings.Repeat("a", 60),
	} {
		got := slugOf(title, "theid")
		if got != want {
			t.Errorf("slugOf(%q) = %q, want %q", title, got, want)
		}
		if len(got) > maxSlug {
			t.Errorf("slugOf(%q) has %d bytes", title, len(got))
		}
	}
}

func FuzzSlugOf(f *testing.F) {
	for _, seed := range []string{"Winter launch", "İstanbul", "..", "a/b\\c", "\xff", "é́́", "-", "ﷺﷺﷺﷺﷺﷺﷺﷺ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, title string) {
		got := slugOf(title, "theid")
		if got == "" || len(got) > maxSlug || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\. \x00\"'") || strings.Trim(got, "-") != got {
			t.Errorf("slugOf(%q) = %q", title, got)
		}
		if !content.IsPost(got + ".md") {
			t.Errorf("slugOf(%q) = %q, which is no post", title, got)
		}
	})
}

var november = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestNew(t *testing.T) {
	const kind = "+++\nid = \"{{.ID}}\"\ntitle = \"{{.Title}}\"\n{{with .Campaign}}campaign = \"{{.}}\"\n{{end}}+++\n"
	for name, c := range map[string]struct {
		request Request
		files   map[string]string
		path    string
		text    string
		err     error  // of this type and content
		hint    string // of err
	}{
		"plain": {Request{Title: "Winter launch"}, nil, "content/2026/11/winter-launch.md", "id: abcdefgh\ntitle: Winter launch\ndraft: true\n", nil, ""},
		"full": {Request{Title: "Winter", Platforms: []string{"fedi", "x"}, PublishAt: "2026-12-31 23:30", Campaign: "winter", Bundle: true}, nil, "content/2026/12/winter/index.md",
			"platforms: [fedi, x]\npublish_at: 2026-12-31 23:30\ncampaign: winter\n", nil, ""},
		"slot":              {Request{Title: "Winter", PublishAt: "morning"}, nil, "content/2026/11/winter.md", "publish_at: 2026-11-23 09:00\n", nil, ""},
		"hostile title":     {Request{Title: "a: b\n---\n<script>"}, nil, "content/2026/11/a-b-script.md", "title: \"a: b\\n---\\n<script>\"\n", nil, ""},
		"taken":             {Request{Title: "Winter"}, map[string]string{"content/2026/11/winter.md": "", "content/2026/11/winter-2/index.md": ""}, "content/2026/11/winter-3.md", "", nil, ""},
		"own template":      {Request{Title: "Winter", Kind: "post"}, map[string]string{"templates/post.md": kind}, "content/2026/11/winter.md", "title = \"Winter\"", nil, ""},
		"kind":              {Request{Title: "Winter", Kind: "sale", Campaign: "winter"}, map[string]string{"templates/posts/sale.md": kind}, "content/2026/11/winter.md", "campaign = \"winter\"", nil, ""},
		"no title":          {Request{Title: " \t"}, nil, "", "", ErrNoTitle, ""},
		"unknown account":   {Request{Title: "a", Platforms: []string{"x", "fedy"}}, nil, "", "", &AccountError{Name: "fedy", Known: []string{"fedi", "mastodon", "x"}}, `did you mean "fedi"?`},
		"unknown campaign":  {Request{Title: "a", Campaign: "spring sale"}, nil, "", "", &CampaignError{Name: "spring sale", Known: []string{"winter"}}, "it defines winter"},
		"unknown kind":      {Request{Title: "a", Kind: "../sale.md"}, map[string]string{"templates/posts/sale.md": kind}, "", "", &KindError{Name: "../sale.md", Known: []string{"post", "sale"}}, "there are post, sale"},
		"no time":           {Request{Title: "a", PublishAt: "tomorrow"}, nil, "", "", &InputError{}, "write it as 2026-12-01 09:00, with an offset (2026-12-01T09:00+01:00) where the time zone is not the site's"},
		"a time in the gap": {Request{Title: "a", PublishAt: "2027-03-28 02:30"}, nil, "", "", &InputError{}, "write 2027-03-28 01:30 or 2027-03-28 03:30"},
		"too long":          {Request{Title: strings.Repeat("long ", 20000)}, nil, "", "", &InputError{}, "keep the text out of it"},
		"broken template":   {Request{Title: "a"}, map[string]string{"templates/post.md": "---\nid: {{.Id}}\n---\n"}, "", "", &TemplateError{Name: "templates/post.md", Line: 2}, (&TemplateError{}).Hint()},
		"unknown function":  {Request{Title: "a", Kind: "b"}, map[string]string{"templates/posts/b.md": "---\n\nid: {{.ID | none}}\n---\n"}, "", "", &TemplateError{Name: "templates/posts/b.md", Line: 3}, (&TemplateError{}).Hint()},
		"template without id": {Request{Title: "a"}, map[string]string{"templates/post.md": "---\ntitle: a\n---\n"}, "", "", &NoIDError{Template: "templates/post.md"},
			"it needs a line `id: {{.ID}}` in its front matter"},
		"template that is a folder": {Request{Title: "a"}, map[string]string{"templates/post.md/a": ""}, "", "", &TemplateError{Name: "templates/post.md"}, (&TemplateError{}).Hint()},
	} {
		t.Run(name, func(t *testing.T) {
			root, _ := folder(t, c.files)
			cfg, findings := config.Parse("site.yaml", []byte(`timezone: Europe/Berlin
accounts: {fedi: {platform: mastodon, server: "https://mastodon.social"}, x: {platform: x, handle: acme}}
campaigns: {winter: {title: Winter}}
schedule: {slots: {morning: "Mon-Fri 09:00"}}
`), adapters.All())
			if findings.HasErrors() {
				t.Fatal(findings)
			}
			path, id, err := New(root, cfg, c.request, Surroundings{Now: november, Rand: strings.NewReader("abcdefghijklmnop")})
			if c.err != nil {
				if fmt.Sprintf("%T", err) != fmt.Sprintf("%T", c.err) {
					t.Fatalf("got %T %v, want %T", err, err, c.err)
				}
				ignore := cmpopts.IgnoreFields(TemplateError{}, "Err")
				if _, input := c.err.(*InputError); !input && c.err != ErrNoTitle {
					if diff := cmp.Diff(c.err, err, ignore); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				}
				if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != c.hint {
					t.Errorf("its hint is %q, want %q", h.Hint(), c.hint)
				}
				if _, err := root.Lstat("content"); err == nil {
					t.Error("something was written")
				}
				return
			}
			if err != nil || path != c.path || len(id) != 8 {
				t.Fatalf("got %q, %q, %v", path, id, err)
			}
			if got := read(t, root, path); !strings.Contains(got, strings.ReplaceAll(c.text, "abcdefgh", id)) || !strings.Contains(got, id) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	root, _ := folder(t, map[string]string{
		"templates/posts/weekly.md": "", "templates/posts/sale.md": "", "templates/posts/post.md": "", "templates/posts/.sale.md": "", "templates/posts/_part.md": "",
		"templates/posts/.md": "", "templates/posts/a.txt": "", "templates/posts/folder.md/a": "",
	})
	got, err := Kinds(root)
	if diff := cmp.Diff([]string{"post", "sale", "weekly"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	root, _ = folder(t, nil)
	if got, err := Kinds(root); err != nil || len(got) != 1 || got[0] != DefaultKind {
		t.Errorf("without templates: %v, %v", got, err)
	}
}
