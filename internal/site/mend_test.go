package site

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
)

// pixel is a picture of one pixel.
const pixel = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00\x00IEND\xaeB`\x82"

// example makes a site of an example of the catalogue: files after lines "-- name --", or the one file that its code is about.
func example(code finding.Code, src string) fstest.MapFS {
	fsys := fstest.MapFS{"content/sled.png": {Data: []byte(pixel)}, "content/Beach.PNG": {Data: []byte(pixel)}}
	name := "content/a.md"
	if code[0] == 'S' {
		name = config.File
	}
	if !strings.HasPrefix(src, "-- ") {
		fsys[name] = &fstest.MapFile{Data: []byte(src)}
	} else {
		for line := range strings.Lines(src) {
			if marked, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(marked, " --") {
				name = strings.TrimSuffix(marked, " --")
				fsys[name] = &fstest.MapFile{}
				continue
			}
			fsys[name].Data = append(fsys[name].Data, line...)
		}
	}
	own, ok := fsys[config.File]
	if !ok {
		own = &fstest.MapFile{}
		fsys[config.File] = own
	}
	if !bytes.Contains(own.Data, []byte("accounts:")) && code[0] != 'S' {
		own.Data = append(own.Data, "accounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social}\n  x: {platform: x, handle: acme}\ntimezone: Europe/Berlin\ndefaults: {platforms: [x]}\n"...)
		if code == "F120" {
			own.Data = append(own.Data, "campaigns: {launch: {}, winter: {}}\n"...)
		}
	}
	return fsys
}

// mendable are mistakes with a fix that no example of the catalogue has, and what becomes of the line.
var mendable = []struct {
	code      finding.Code
	src, want string
}{
	{"F106", "\ufeff---\nid: a\nplatforms: [x]\n---\nHi\n", "---\nid: a\nplatforms: [x]\n---\nHi\n"},
	{"F111", " ---\nid: a\nplatforms: [x]\n---\nHi\n", "---\nid: a\nplatforms: [x]\n---\nHi\n"},
	{"F112", "---\nid: a\ntitle: News: the sled\nplatforms: [x]\n---\nHi\n", "title: \"News: the sled\"\n"},
	{"F112", "---\nid: a\nplatforms: [x]\ntitle: @eva is here\n---\nHi\n", "title: \"@eva is here\"\n"},
	{"F112", "---\nid: a\nplatforms: [x]\ntitle: *new* sleds\n---\nHi\n", "title: \"*new* sleds\"\n"},
	{"F112", "---\r\nid: a\r\ntitle: News: the sled\r\nplatforms: [x]\r\n---\r\nHi\r\n", "\r\ntitle: \"News: the sled\"\r\nplatforms: [x]\r\n"},
	{"F120", "---\nid: a\nplatfroms: [x]\n---\nHi\n", "platforms: [x]\n"},
	{"F120", "---\nid: a\nplatforms: [x]\nmedia:\n  - fiel: sled.png\n    alt: A sled\n---\nHi\n", "  - file: sled.png\n"},
	{"F120", "+++\nid = \"a\"\nplatforms = [\"x\"]\ntitel = \"Ünï\"\n+++\nHi\n", "\ntitle = \"Ünï\"\n"},
	{"F120", "{\"id\": \"a\", \"platforms\": [\"x\"], \"titel\": \"A\"}\nHi\n", "\"title\": \"A\""},
	{"F122", "---\nid: a\nplatforms: [x]\ndraft: yes\n---\nHi\n", "draft: true\n"},
	{"F122", "---\nid: a\nplatforms: [x]\nsensitive: \"false\"\n---\nHi\n", "sensitive: false\n"},
	{"F122", "---\nid: a\nplatforms: {x: on}\n---\nHi\n", "platforms: {x: true}\n"},
	{"F123", "---\nid: a\nplatforms: [x]\nvisibility: Public\n---\nHi\n", "visibility: public\n"},
	{"F123", "---\nid: a\nplatforms: [x]\nlanguage: pt_BR # as spoken\n---\nHi\n", "language: pt-BR # as spoken\n"},
	{"F123", "---\nid: a\nplatforms: x, bluesky\n---\nHi\n", "platforms: [x, bluesky]\n"},
	{"F130", "---\nplatforms: [x]\n---\nHi\n", "---\nid: a\nplatforms: [x]\n"},
	{"F130", "Hi\r\n\r\nThere\r\n", "---\r\nid: \"a\"\r\n---\r\nHi\r\n"},
	{"F130", "+++\nplatforms = [\"x\"]\n+++\nHi\n", "+++\nid = \"a\"\nplatforms"},
	{"D101", "---\nid: a\nplatforms: [x]\npublish_at: 2026/12/1 9:00\n---\nHi\n", "publish_at: 2026-12-01 09:00\n"},
	{"D101", "---\nid: a\nplatforms: [x]\npublish_at: '2026.12.01, 09.30'\n---\nHi\n", "publish_at: '2026-12-01 09:30'\n"},
	{"D105", "---\nid: a\nplatforms: [x]\ntimezone: europe/berlin\n---\nHi\n", "timezone: Europe/Berlin\n"},
	{"M101", "---\nid: a\nplatforms: [x]\nmedia:\n  - {file: beach.png, alt: A beach}\n---\nHi\n", "{file: Beach.PNG, alt"},
	{"M101", "---\nid: a\nplatforms: [x]\n---\n![A beach](beach.png)\n", "![A beach](Beach.PNG)"},
	{"B101", "---\nid: a\nplatforms: [x]\n---\nOne\n\n---\n\n---\n\nTwo\n", "One\n\n\n---\n\nTwo\n"},
	{"C101", "---\nid: a\nplatforms:\n  - x\n  - bluesy\ntitle: bluesy\n---\nHi\n", "  - x\n  - bluesky\ntitle: bluesy\n"},
	{"C101", "---\nid: a\nplatforms: [x, bluesky]\n---\nHi\n\n::: Bluesky\nYou\n:::\n", "::: bluesky\n"},
	{"C101", "---\nid: a\nplatforms: [x, bluesky]\noverrides:\n  blusky: {title: B}\n---\nHi\n", "  bluesky: {title"},
	{"S103", "accounts:\n  x: {platform: x, handle: acme}\ntimezon: Europe/Berlin\n", "\ntimezone: Europe"},
	{"S104", "accounts:\n  x: {platform: x, handle: acme}\nschedule:\n  late: {then: hodl}\n", "{then: hold}"},
	{"S160", "accounts:\n  bluesky: {platform: bluesky, handle: acme.bsky.social}\ndefaults:\n  platforms: [bluesy]\n", "platforms: [bluesky]"},
	{"S160", "accounts:\n  x: {platform: x, handle: acme}\ncampaigns: {winter: {}}\ndefaults:\n  campaign: wintre\n", "campaign: winter"},
	{"S113", "accounts:\n  acme: {platform: Mastodn, server: \"https://fedi.example\"}\n", "platform: mastodon"},
}

// TestMend applies every fix of the catalogue's examples, and of more mistakes: what it is for is gone then, and nothing else is wrong.
func TestMend(t *testing.T) {
	fixed := map[finding.Code]bool{}
	for _, d := range check.Catalogue(registry()) {
		if strings.HasPrefix(d.Bad, "(") || d.Bad == "" {
			continue
		}
		if n := mends(t, d.Code, example(d.Code, d.Bad), ""); n > 0 {
			fixed[d.Code] = true
		}
	}
	for _, m := range mendable {
		fsys := example(m.code, m.src)
		if n := mends(t, m.code, fsys, m.want); n == 0 {
			t.Errorf("%s has no fix in\n%s", m.code, m.src)
		}
		fixed[m.code] = true
	}
	for _, code := range []finding.Code{"B101", "C101", "C104", "D101", "D105", "F106", "F111", "F112", "F120", "F122", "F123", "F130", "F302", "M101", "S103", "S104", "S113", "S160"} {
		if !fixed[code] {
			t.Errorf("%s has no fix", code)
		}
		delete(fixed, code)
	}
	for code := range fixed {
		t.Errorf("%s has a fix, and the list here does not say so", code)
	}
}

// mends checks the fixes of findings with a code, and returns how many there are.
func mends(t *testing.T, code finding.Code, fsys fstest.MapFS, want string) (n int) {
	t.Helper()
	s := load(t, fsys)
	before := s.Check(t.Context())
	for _, f := range before {
		if f.Code != code || !f.Fix.Given() {
			continue
		}
		n++
		mended, err := s.Mend(t.Context(), finding.List{f})
		if err != nil || len(mended) != 1 || len(mended[0].Fixes) != 1 {
			t.Fatalf("%s: %q: mended %v, %v", code, f.Fix.Text, mended, err)
		}
		m := mended[0]
		if !strings.Contains(string(m.After), want) {
			t.Errorf("%s: the file is %q, want %q in it", code, m.After, want)
		}
		next := fstest.MapFS{}
		for name, file := range fsys {
			next[name] = file
		}
		next[m.Path] = &fstest.MapFile{Data: m.After}
		after := load(t, next).Check(t.Context())
		had := map[string]int{}
		for _, f := range before {
			had[string(f.Code)+f.Account+f.Message]++
		}
		had[string(f.Code)+f.Account+f.Message]--
		for _, f := range after {
			key := string(f.Code) + f.Account + f.Message
			if had[key]--; had[key] < 0 {
				t.Errorf("%s: %q brings %s %s", code, m.After, f.Code, f.Message)
			}
		}
	}
	return n
}

// TestMendLeaves: what may be meant otherwise has no fix, and a file that fixes would make worse is left as it is.
func TestMendLeaves(t *testing.T) {
	for code, src := range map[finding.Code]string{
		"C101": "---\nid: a\nplatforms: [x, y]\n---\nHi\n",
		"D101": "---\nid: a\nplatforms: [x]\npublish_at: 01/02/2026 09:00\n---\nHi\n",
		"F120": "---\nid: a\nplatforms: [x]\ntitle: A\ntitel: B\n---\nHi\n",
		"F123": "---\nid: a\nplatforms: [x]\nvisibility: private\n---\nHi\n",
		"B101": "---\nid: a\nplatforms: [x]\n---\nOne\n***\n---\nTwo\n",
	} {
		found := slices.DeleteFunc(load(t, example(code, src)).Check(t.Context()), func(f finding.Finding) bool { return f.Code != code })
		if len(found) == 0 {
			t.Errorf("%s is not found in %q", code, src)
		}
		for _, f := range found {
			if f.Fix.Given() {
				t.Errorf("%s: %q has the fix %q", code, src, f.Fix.Text)
			}
		}
	}
	unseen := load(t, example("F120", "---\nid: a\nplatfroms: [bluesky]\n---\nLook: https://acme.example/ ![](sled.png)\n"))
	if mended, err := unseen.Mend(t.Context(), unseen.Check(t.Context())); err != nil || len(mended) != 1 {
		t.Errorf("what only comes to light keeps a file from being mended: %v, %v", mended, err)
	}
	s := load(t, example("F120", "---\nid: a\nplatforms: [x]\ntitle: A\n---\nHi\n"))
	l := finding.NewLocator([]byte("---\nid: a\nplatforms: [x]\n"))
	fix, _ := l.Fix(l.Range(4, 9), "id", "idd")
	if mended, err := s.Mend(t.Context(), finding.List{{Path: "content/a.md", Fix: fix}}); err != nil || len(mended) > 0 {
		t.Errorf("a fix that is none is carried out: %v, %v", mended, err)
	}
}
