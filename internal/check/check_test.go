package check

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/adapters/bluesky"
	"github.com/postrider/postrider/internal/adapters/mastodon"
	"github.com/postrider/postrider/internal/adapters/threads"
	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

func registry() *platform.Registry {
	return platform.NewRegistry(bluesky.Adapter{}, mastodon.Adapter{}, threads.Adapter{}, x.Adapter{}, semaphore{x.Adapter{}})
}

// semaphore is a platform that can be looked at only, as none of this version is: nothing goes out there, and nothing is taken down.
type semaphore struct{ platform.Adapter }

func (semaphore) Info() platform.Info {
	info := x.Adapter{}.Info()
	info.ID, info.Name, info.Caps = "semaphore", "Semaphore", platform.CanThread
	return info
}

// accounts are those of examples whose site.yaml has none.
const accounts = "accounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social}\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\n  x: {platform: x, handle: acme}\n"

// png is a picture of one pixel.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"

// place is a part of a PNG that tells where it was taken, if only that there is a latitude.
const place = "\x00\x00\x00\x28eXIfMM\x00*\x00\x00\x00\x08\x00\x01\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00\x00\x01\x00\x02\x00\x01\x00\x00\x00\x04\x02\x03\x00\x00\x00\x7e\xce\x9a"

// files reads an example: "-- name --" lines before each file.
func files(example string) fstest.MapFS {
	fsys := fstest.MapFS{
		"content/sled.png": {Data: []byte(png)}, "content/misnamed.jpg": {Data: []byte(png)}, "content/phone.png": {Data: []byte(png[:33] + place + png[33:])},
	}
	name := ""
	for line := range strings.Lines(example) {
		if marked, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(marked, " --") {
			name = strings.TrimSuffix(marked, " --")
			fsys[name] = &fstest.MapFile{}
			continue
		}
		if name != "" {
			fsys[name].Data = append(fsys[name].Data, line...)
		}
	}
	site, ok := fsys[config.File]
	if !ok {
		site = &fstest.MapFile{}
		fsys[config.File] = site
	}
	if !bytes.Contains(site.Data, []byte("accounts:")) {
		site.Data = append(site.Data, accounts...)
	}
	return fsys
}

// run checks an example as site.Snapshot.Check does.
func run(t *testing.T, example string, change ...func(*platform.Rendering)) finding.List {
	t.Helper()
	fsys := files(example)
	reg := registry()
	cfg, found := config.Parse(config.File, fsys[config.File].Data, reg)
	posts, more, err := content.Load(t.Context(), fsys, "content", content.Options{Location: cfg.Location})
	if err != nil && len(posts) > 0 {
		t.Fatal(err)
	}
	c := New(cfg, reg)
	passes := []*Pass{c.Pass(), c.Pass()}
	passes[0].Add(found...)
	passes[0].Add(more...)
	for i, p := range posts {
		pass := passes[i%2]
		pass.Post(p)
		names := cfg.Defaults.Platforms
		if p.Set.Has(post.FieldPlatforms) {
			names = p.Platforms
		}
		targets, _ := cfg.Expand(names)
		for _, name := range targets {
			a, _ := cfg.Account(name)
			adapter, _ := reg.Get(a.Platform)
			v := p.For(name, string(a.Platform), &cfg.Defaults, &a.Defaults)
			r, list := adapter.Render(&v, a)
			for _, f := range change {
				f(&r)
			}
			pass.Add(list...)
			pass.Target(&Target{Account: a, Info: c.Info(name), Variant: &v, Rendering: &r})
		}
	}
	return c.Finish(nil, passes...)
}

// only returns the findings with a code as "path:line:col account message".
func only(list finding.List, codes ...finding.Code) (lines []string) {
	for _, f := range list {
		if slices.Contains(codes, f.Code) {
			line := f.Path
			if f.Range.Start.Line > 0 {
				line += ":" + itoa(f.Range.Start.Line) + ":" + itoa(f.Range.Start.Column)
			}
			if f.Account != "" {
				line += " " + f.Account
			}
			lines = append(lines, line+" "+f.Message)
		}
	}
	return lines
}

func itoa(n int) string {
	return strings.TrimLeft(string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)}), "0")
}

// TestExamples runs the documentation: Bad has the finding, Good does not.
func TestExamples(t *testing.T) {
	codes := map[finding.Code]bool{}
	for _, c := range All() {
		d := c.Doc
		if codes[d.Code] {
			t.Errorf("two checks report %s", d.Code)
		}
		codes[d.Code] = true
		t.Run(string(d.Code), func(t *testing.T) {
			if d.Title == "" || d.Why == "" || d.Since == "" || d.Good == "" {
				t.Error("the documentation has gaps")
			}
			if d.Code != "T305" && !c.online { // package linkcheck runs what takes asking; a leak cannot be written; TestNoteLeak has one
				found := run(t, d.Bad)
				hits := slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool { return f.Code != d.Code })
				if len(hits) == 0 {
					t.Errorf("%s is not found in\n%s\nfound: %v", d.Code, d.Bad, found)
				}
				for _, f := range hits {
					if f.Severity != d.Severity || f.Message == "" || f.Path == "" {
						t.Errorf("finding %+v does not fit its documentation", f)
					}
				}
			}
			if found := only(run(t, d.Good), d.Code); len(found) > 0 {
				t.Errorf("%s is found in\n%s\n%v", d.Code, d.Good, found)
			}
		})
	}
}

func TestFindings(t *testing.T) {
	for name, test := range map[string]struct {
		example string
		codes   []finding.Code
		want    []string
	}{
		"for all accounts alike is one finding": {
			"-- content/a.md --\n---\nplatforms: [x, bluesky, fedi]\nmedia: [sled.png]\n---\nHi\n", []finding.Code{"M301"},
			[]string{`content/a.md:3:9 "sled.png" has no alt text`},
		},
		"for one account names it": {
			"-- content/a.md --\n---\nplatforms: [x, bluesky]\n---\nHi\n\n::: bluesky\n![](sled.png)\n:::\n", []finding.Code{"M301"},
			[]string{`content/a.md:7:1 bluesky "sled.png" has no alt text`},
		},
		"decoration": {
			"-- content/a.md --\n---\nplatforms: [x]\nmedia: [{file: sled.png, alt: ''}]\n---\nHi\n", []finding.Code{"M301"}, nil,
		},
		"alt text is off": {
			"-- site.yaml --\nstyle: {require_alt: off}\n-- content/a.md --\n---\nplatforms: [x]\nmedia: [sled.png]\n---\nHi\n", []finding.Code{"M301"}, nil,
		},
		"banned words": {
			"-- site.yaml --\nstyle: {banned: [utilize, game changer, ÜBER, '#ad']}\n-- content/a.md --\n---\nplatforms: [x]\n---\nUTILIZE it. Utilized, reutilize. A game\nchanger. Das ist über! #ad #address\n", []finding.Code{"T302"},
			[]string{
				`content/a.md:4:1 x the site bans "utilize"`, `content/a.md:4:36 x the site bans "game changer"`,
				`content/a.md:5:18 x the site bans "ÜBER"`, `content/a.md:5:24 x the site bans "#ad"`,
			},
		},
		"hashtags of tags and of the text": {
			"-- site.yaml --\nstyle: {max_hashtags: 1}\n-- content/a.md --\n---\nplatforms: [bluesky]\ntags: [a, b]\n---\n#c and $ACME\n", []finding.Code{"T301"},
			[]string{`content/a.md:3:7 bluesky 3 hashtags, and the site allows 1`},
		},
		"names": {
			"-- content/a.md --\n---\nplatforms: [x, feddi]\noverrides:\n  blueskyy: {title: t}\n---\nHi\n\n::: !fediverse\nNot there\n:::\n", []finding.Code{"C101"},
			[]string{
				`content/a.md:2:12 "feddi" is neither an account nor a platform`, `content/a.md:4:3 "blueskyy" is neither an account nor a platform`,
				`content/a.md:8:1 "fediverse" is neither an account nor a platform`,
			},
		},
		"a platform without an account": {
			"-- site.yaml --\naccounts: {x: {handle: a}}\n-- content/a.md --\n---\nplatforms: [x, bluesky]\noverrides:\n  mastodon: {title: t}\n---\nHi\n\n::: bluesky\nThere\n:::\n", []finding.Code{"C101"},
			[]string{`content/a.md:2:12 the site has no account on Bluesky`},
		},
		"of a thread's links, one has a file": {
			"-- content/a.md --\n---\nplatforms: [bluesky]\n---\nhttps://a.example\n\n---\n\nhttps://b.example\n", []finding.Code{"P303", "K102"},
			[]string{
				`content/a.md:4:1 bluesky the card of https://a.example is read from the page when the post goes out`,
				`content/a.md:8:1 bluesky the card of https://b.example is read from the page when the post goes out`,
			},
		},
		"the card of another page": {
			"-- content/a.md --\n---\nplatforms: [bluesky, x]\nlink: https://a.example\n---\nHi\n-- content/a.card.yaml --\nurl: https://b.example\ntitle: B\n", []finding.Code{"P303", "K102"},
			[]string{`content/a.md:3:7 bluesky the file content/a.card.yaml has the card of https://b.example, not that of https://a.example: it is not used`},
		},
		"nobody shows the card": {
			"-- content/a.md --\n---\nplatforms: [x]\nlink: https://a.example\npublish_at: 2026-12-01 09:00\n---\nHi\n-- content/a.card.yaml --\nurl: https://b.example\ntitle: B\nfetched: 2020-01-01T00:00:00Z\n", []finding.Code{"P303", "K102", "K103"}, nil,
		},
		"a card that a person wrote is never old": {
			"-- content/a.md --\n---\nplatforms: [bluesky]\nlink: https://a.example/?utm_id=1\npublish_at: 2026-12-01 09:00\n---\nHi\n-- content/a.card.yaml --\nurl: https://a.example/\ntitle: A\n", []finding.Code{"P303", "K102", "K103"}, nil,
		},
		"an old card": {
			"-- content/a.md --\n---\nplatforms: [bluesky]\npublish_at: 2026-12-01 09:00\n---\nSee https://a.example now\n-- content/a.card.yaml --\nurl: https://a.example\ntitle: A\nfetched: 2026-09-01T08:00:00Z\n", []finding.Code{"P303", "K102", "K103"},
			[]string{`content/a.md:5:5 bluesky the card of https://a.example was read 91 days before the post goes out`},
		},
		"a broken account is known": {
			"-- site.yaml --\naccounts: {x: {handle: a}, broken: {platform: nowhere}}\n-- content/a.md --\n---\nplatforms: [x, broken]\n---\nHi\n", []finding.Code{"C101", "C102"}, nil,
		},
		"default targets": {
			"-- site.yaml --\ndefaults: {platforms: [x]}\n-- content/a.md --\n---\ntitle: t\n---\nHi\n", []finding.Code{"C102"}, nil,
		},
		"no targets on purpose": {
			"-- site.yaml --\ndefaults: {platforms: [x]}\n-- content/a.md --\n---\nplatforms: []\n---\nHi\n", []finding.Code{"C102"},
			[]string{`content/a.md:2:12 the post has no platforms, so it never goes out`},
		},
		"the same text on another account only": {
			"-- content/a.md --\n---\nplatforms: [x]\n---\nHi\n-- content/b.md --\n---\nplatforms: [bluesky]\n---\nHi\n", []finding.Code{"T303"}, nil,
		},
		"the same text on one of two accounts": {
			"-- content/a.md --\n---\nplatforms: [x]\n---\n*Hi*  there\n-- content/b.md --\n---\nplatforms: [x, bluesky]\n---\n_Hi_  there\n", []finding.Code{"T303"},
			[]string{"content/a.md:4:1 x says the same as content/b.md", "content/b.md:4:1 x says the same as content/a.md"},
		},
		"the same text with another link": {
			"-- content/a.md --\n---\nplatforms: [x]\nlink: https://a.example/1\n---\nHi\n-- content/b.md --\n---\nplatforms: [x]\nlink: https://a.example/2\n---\nHi\n", []finding.Code{"T303"}, nil,
		},
		"the same text in a draft": {
			"-- content/a.md --\n---\nplatforms: [x]\n---\nHi\n-- content/b.md --\n---\nplatforms: [x]\ndraft: true\n---\nHi\n", []finding.Code{"T303"}, nil,
		},
		"pictures without a text": {
			"-- content/a.md --\n---\nplatforms: [x]\nmedia: [{file: sled.png, alt: a}]\n---\n-- content/b.md --\n---\nplatforms: [x]\nmedia: [{file: sled.png, alt: a}]\n---\n", []finding.Code{"T303"}, nil,
		},
		"quiet, in the site's zone": {
			"-- site.yaml --\ntimezone: Europe/Berlin\nschedule: {quiet: ['22:00-07:00']}\n-- content/a.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01T00:30:00Z\n---\nHi\n", []finding.Code{"D301"},
			[]string{"content/a.md:3:13 x the time is in a quiet window: the post goes out at Tue 1 Dec 2026 07:00 CET"},
		},
		"at the same time": {
			"-- content/a.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 09:00\n---\nA\n-- content/b.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 09:00\n---\nB\n-- content/c.md --\n---\nplatforms: [x]\npublish_at: 2026-12-01 09:04\n---\nC\n", []finding.Code{"D302"},
			[]string{
				"content/a.md:3:13 x content/b.md goes out at the same time", "content/b.md:3:13 x content/a.md goes out at the same time",
				"content/c.md:3:13 x content/b.md goes out 4m apart",
			},
		},
		"ignored": {
			"-- content/a.md --\n---\nplatforms: [x]\nmedia: [sled.png]\n---\nHi <!-- postrider:ignore m301 the picture repeats the text -->\n", []finding.Code{"M301", "F301", "F302", "F303"}, nil,
		},
		"ignored without a reason": {
			"-- content/a.md --\n---\nplatforms: [x]\nmedia: [sled.png]\n---\nHi\n\n<!-- postrider:ignore M301 -->\n", []finding.Code{"M301", "F301", "F302", "F303"},
			[]string{`content/a.md:3:9 x "sled.png" has no alt text`, `content/a.md:7:1 the ignore of M301 has no reason, so it does not count`},
		},
		"other directives": {
			"-- content/a.md --\n---\nplatforms: [x]\n---\nHi <!-- postrider:skip --> you <!--postrider:ignore--> there <!-- postrider:ignore C101 as is -->\n", []finding.Code{"F301", "F302", "F303"},
			[]string{`content/a.md:4:4 unknown directive`, `content/a.md:4:32 the ignore names no code`, `content/a.md:4:62 "C101" cannot be ignored`},
		},
		"an ignore counts in its own file": {
			"-- content/a.md --\n---\nplatforms: [x]\nmedia: [sled.png]\n---\nHi\n-- content/b.md --\n---\nplatforms: [x]\n---\nHo <!-- postrider:ignore M301 no -->\n", []finding.Code{"M301", "F302"},
			[]string{`content/a.md:3:9 x "sled.png" has no alt text`, `content/b.md:4:4 nothing here has the code M301`},
		},
		"campaign in an override": {
			"-- site.yaml --\ncampaigns: {winter: {}}\n-- content/a.md --\n---\nplatforms: [x]\ncampaign: winter\noverrides:\n  x: {campaign: summer}\n---\nHi\n", []finding.Code{"C104"},
			[]string{`content/a.md:5:17 campaign "summer" is not defined`},
		},
		"beyond the token": {
			"-- site.yaml --\ntimezone: Europe/Berlin\naccounts:\n  threads: {platform: threads, token_expires: 2026-12-12}\n  x: {platform: x, token_expires: 2026-12-13}\n  old: {platform: x}\n" +
				"-- content/a.md --\n---\nplatforms: [threads, x, old]\npublish_at: 2026-12-12 00:00\n---\nHi\n-- content/b.md --\n---\nplatforms: [threads]\npublish_at: 2026-12-11 23:59\n---\nHo\n" +
				"-- content/c.md --\n---\nplatforms: [threads]\npublish_at: 2026-12-11T23:30:00Z\n---\nHo ho\n-- content/d.md --\n---\nplatforms: [threads]\ndraft: true\npublish_at: 2027-01-01 09:00\n---\nHe\n" +
				"-- content/e.md --\n---\nplatforms: [threads, x]\n---\nAt once\n", []finding.Code{"D305", "S180"},
			[]string{
				"content/a.md:3:13 threads the token for Threads dies on Sat 12 Dec 2026: it must be renewed for this post",
				"content/c.md:3:13 threads the token for Threads dies on Sat 12 Dec 2026: it must be renewed for this post",
				"site.yaml:3:47 threads the token dies on Sat 12 Dec 2026, and 2 posts are scheduled for that day or later, content/a.md for Sat 12 Dec 2026 00:00 first",
			},
		},
		"a front matter that cannot be read": {
			"-- content/a.md --\n---\nplatforms: [x\n---\nHi\n-- content/b.md --\n---\nplatforms: [x]\n\nNever closed\n-- content/c.md --\nGoes nowhere\n", []finding.Code{"C102"},
			[]string{"content/c.md:1:1 the post has no platforms, so it never goes out"},
		},
		"before the campaign": {
			"-- site.yaml --\ncampaigns: {winter: {starts: 2026-12-01, ends: 2026-12-24}}\n-- content/a.md --\n---\nplatforms: [x]\ncampaign: winter\npublish_at: 2026-11-30 23:59\n---\nHi\n-- content/b.md --\n---\nplatforms: [x]\ncampaign: winter\npublish_at: 2026-12-24 23:59\n---\nHo\n-- content/c.md --\n---\nplatforms: [x]\ncampaign: winter\npublish_at: 2026-12-25 00:00\n---\nHo ho\n", []finding.Code{"C105"},
			[]string{
				`content/a.md:4:13 x campaign "winter" starts only on Tue 1 Dec 2026`,
				`content/c.md:4:13 x campaign "winter" is over after Thu 24 Dec 2026`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := run(t, test.example)
			if diff := cmp.Diff(test.want, only(found, test.codes...)); diff != "" {
				t.Errorf("(-want +got):\n%s\nall: %v", diff, found)
			}
		})
	}
}

func TestSecretsAreFoundAndNotQuoted(t *testing.T) {
	for secret, want := range map[string]bool{
		"ghp_" + strings.Repeat("a1", 18):                                      true,
		"AKIA" + strings.Repeat("A1", 8):                                       true,
		"AIza" + strings.Repeat("x", 34) + "1":                                 true,
		"glpat-" + strings.Repeat("x1", 10):                                    true,
		"xoxb-123456789012-abcdefghijkl":                                       true,
		"sk-ant-" + strings.Repeat("x1", 20):                                   true,
		"-----BEGIN OPENSSH PRIVATE KEY-----":                                  true,
		"nsec1" + strings.Repeat("q7", 29):                                     true,
		"SG." + strings.Repeat("a1", 33):                                       true,
		"AKIAMARTINDALE":                                                       false,
		"ghp_short1":                                                           false,
		"sk_live_and_let_live_is_what_we_say_here":                             false,
		"-----BEGIN CERTIFICATE-----":                                          false,
		"https://acme.example/AKIA/gho_/" + strings.Repeat("long-address-", 9): false,
	} {
		src := "---\nplatforms: [x]\n---\nLook: " + secret + ", yes.\n"
		list := slices.DeleteFunc(run(t, "-- content/a.md --\n"+src), func(f finding.Finding) bool { return f.Code != "T304" })
		if len(list) > 0 != want {
			t.Errorf("%q: found %v", secret, list)
		}
		if report := printed(t, list, src); strings.Contains(report, secret) {
			t.Errorf("the report quotes the secret:\n%s", report)
		}
		if list.HasErrors() != want {
			t.Errorf("%q: no error: %v", secret, list)
		}
	}
}

// printed writes findings in all forms that there are.
func printed(t *testing.T, list finding.List, src string) string {
	t.Helper()
	var out strings.Builder
	for _, err := range []error{
		finding.WriteText(&out, list, finding.TextOptions{Source: func(string) []byte { return []byte(src) }}),
		finding.WriteJSON(&out, list, 1), finding.WriteGitHub(&out, list), finding.WriteSARIF(&out, list, finding.Tool{Docs: Catalogue(registry())}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// TestOthersMaskSecrets: findings that repeat what they are about do not repeat a secret in it.
func TestOthersMaskSecrets(t *testing.T) {
	const src = "---\nplatforms: [bluesky]\ntitle: 'https://eve:hunter2@acme.example/'\nlink: https://eve:hunter2@acme.example/\ntags: [ghp_hunter2hunter2hunter2hunter2hunter2hunter2]\n---\nLook: https://eve:hunter2@acme.example/ ![](https://eve:hunter2@acme.example/a.png)\n"
	found := run(t, "-- content/a.md --\n"+src)
	if !found.HasErrors() || len(only(found, "T304")) < 3 || len(only(found, "P303")) == 0 {
		t.Errorf("found %v", found)
	}
	if report := printed(t, found, src); strings.Contains(report, "hunter2") {
		t.Errorf("the report tells the secret:\n%s", report)
	}
}

func TestNoteLeak(t *testing.T) {
	const example = "-- content/a.md --\n---\nplatforms: [x, bluesky]\nnotes: nobody knows that we fire Bob\n---\nThe sled is back.\n\n<!-- ask Eva whether she\nwants to be named here -->\n\nFaster than ever, and we ask Eva whether.\n"
	if found := only(run(t, example), "T305"); len(found) > 0 {
		t.Errorf("a note leaks without a fault: %v", found)
	}
	for name, fault := range map[string]func(*platform.Rendering){
		"a line of a comment": func(r *platform.Rendering) { r.Parts[0].Text += "\nwants to be named here" },
		"notes: of the front matter": func(r *platform.Rendering) {
			r.Parts[len(r.Parts)-1].Text += " nobody knows that we fire Bob"
		},
		"a text whose source is a comment": func(r *platform.Rendering) {
			at := strings.Index(example, "<!--") - len("-- content/a.md --\n")
			r.Parts[0].Spans = append(r.Parts[0].Spans, platform.SourceSpan{Source: post.Span{Start: at + 5, End: at + 8}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := run(t, example, fault)
			if n := len(only(found, "T305")); n != 1 {
				t.Errorf("%d findings, want 1: %v", n, found)
			}
		})
	}
}

func TestBannedFind(t *testing.T) {
	b := newBanned([]string{"a", "  ", "C++", "two  words", "日本"})
	for text, want := range map[string]int{
		"": 0, "a": 1, "A.": 1, "ab ba cab": 0, "a-a": 2, "c++ C++": 2, "C+++": 1, "two words": 1, "TWO\n\t WORDS!": 1, "twowords": 0, "two": 0, "日本": 1, "日本人": 0, "á": 0,
	} {
		if got := len(b.find(text)); got != want {
			t.Errorf("%q: %d hits, want %d", text, got, want)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add("The sled", "sled", "<!-- x")
	f.Add("A sled\r\n", "日 本", "")
	f.Fuzz(func(t *testing.T, text, word, note string) {
		b := newBanned([]string{word})
		for _, h := range b.find(text) {
			if h.start < 0 || h.start >= len(text) {
				t.Errorf("%q at %d", word, h.start)
			}
		}
		told(note, text)
	})
}

// TestUnsupported: what this version publishes to is not called unknown to it.
func TestUnsupported(t *testing.T) {
	if !slices.IsSorted(unsupported()) {
		t.Error("the list is not sorted")
	}
	for _, info := range adapters.All().Infos() {
		if slices.Contains(unsupported(), string(info.ID)) {
			t.Errorf("%s is published to", info.ID)
		}
	}
}

// FuzzLinks: wherever links stand, each has a place in the file.
func FuzzLinks(f *testing.F) {
	f.Add("---\nlink: https://a.example\nembargo: link\n---\n\\*a https://a.example/_b_ &amp; <https://c.example>\n\n---\n[d](https://e.example)")
	f.Add("https://é.example/a\\\nb &#104;ttps://x.example **https://y.example**/z")
	cfg, _ := config.Parse(config.File, []byte(accounts), registry())
	f.Fuzz(func(t *testing.T, src string) {
		p, _ := content.Parse("content/a.md", []byte(src), nil, content.Options{})
		v := p.For("x", "x")
		pass := New(cfg, registry()).Pass()
		pass.AddLinks(&v, utm.Rule{Params: map[string]string{"source": "x"}}.Fill(nil))
		lines := 1 + strings.Count(src, "\n")
		for _, l := range Links(pass) {
			if l.Address == "" || l.Written == "" || l.Range.Start.Line < 1 || l.Range.Start.Line > lines || l.Range.Start.Column < 1 {
				t.Errorf("%+v in %q", l, src)
			}
		}
	})
}

// TestCatalogue: every code is documented once and completely.
func TestCatalogue(t *testing.T) {
	docs := Catalogue(registry())
	for i, d := range docs {
		if i > 0 && docs[i-1].Code == d.Code {
			t.Errorf("%s is documented twice: %q and %q", d.Code, docs[i-1].Title, d.Title)
		}
		if len(d.Code) != 4 || !strings.Contains("BCDFKLMPRST", string(d.Code[:1])) {
			t.Errorf("%q is no code", d.Code)
		}
		if d.Title == "" || d.Why == "" || d.Since == "" {
			t.Errorf("the documentation of %s has gaps", d.Code)
		}
	}
	if d, ok := Explain(registry(), "m301"); !ok || d.Code != "M301" {
		t.Errorf("Explain = %+v, %t", d, ok)
	}
	if _, ok := Explain(registry(), "Z999"); ok {
		t.Error("an unknown code is explained")
	}
}

func BenchmarkTarget(b *testing.B) {
	reg := registry()
	cfg, _ := config.Parse(config.File, []byte(accounts+"timezone: Europe/Berlin\nstyle: {max_hashtags: 3, banned: [utilize, game changer, synergy]}\nschedule: {quiet: ['22:00-07:00']}\ncampaigns: {winter: {starts: 2026-12-01, ends: 2026-12-24}}\n"), reg)
	src := "---\nid: a\nplatforms: [bluesky]\ncampaign: winter\npublish_at: 2026-12-02 09:00\ntags: [winter]\n---\n" + strings.Repeat("The sled is back, **faster** than ever, and you will like it. #sled ", 4) + "\n\nhttps://acme.example/winter\n"
	p, _ := content.Parse("content/a.md", []byte(src), nil, content.Options{Location: time.UTC})
	a, _ := cfg.Account("bluesky")
	v := p.For(a.Name, string(a.Platform), &cfg.Defaults, &a.Defaults)
	r, _ := bluesky.Adapter{}.Render(&v, a)
	c := New(cfg, reg)
	pass := c.Pass()
	t := &Target{Account: a, Info: c.Info(a.Name), Variant: &v, Rendering: &r}
	b.Run("post", func(b *testing.B) {
		for b.Loop() {
			pass.Post(p)
		}
	})
	b.Run("target", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pass.Target(t)
			pass.seen[0], pass.out = pass.seen[0][:0], pass.out[:0]
		}
	})
}
