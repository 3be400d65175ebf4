package review_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/review"
)

var update = flag.Bool("update", false, "write the golden files")

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const siteYAML = `title: Acme
timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.example}
  fedi: {platform: mastodon, server: "https://fedi.example"}
  x: {platform: x, handle: acme}
campaigns:
  winter: {title: Winter}
schedule: {late: {after: 6h, then: hold}}
`

// files is a site's folder, by path.
type files map[string]string

// with returns the folder after some files have changed; "" removes one.
func (f files) with(changes files) files {
	after := maps.Clone(f)
	for name, text := range changes {
		if after[name] = text; text == "" {
			delete(after, name)
		}
	}
	return after
}

func (f files) fsys() fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range f {
		m[name] = &fstest.MapFile{Data: []byte(text), ModTime: now}
	}
	return m
}

// made reviews what changes from one folder to another.
func made(t *testing.T, before, after files, view ledger.View) *review.Review {
	t.Helper()
	var changed []string
	for name := range before.with(after) {
		if before[name] != after[name] {
			changed = append(changed, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	sides, err := review.Load(t.Context(), before.fsys(), after.fsys(), adapters.All(), slices.Compact(changed)...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := review.Make(t.Context(), review.Input{
		Sides: sides, Registry: adapters.All(), Now: now, Ledger: view,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func written(id, body string, fields ...string) string {
	return "---\nid: " + id + "\n" + strings.Join(append(fields, "---", body), "\n") + "\n"
}

// say writes a review as lines that tests compare.
func say(r *review.Review) (lines []string) {
	for _, p := range r.Posts {
		line := fmt.Sprintf("%s %s %s", p.Kind, p.ID, p.Path)
		if p.Was != "" {
			line += " was " + p.Was
		}
		lines = append(lines, line)
		for _, x := range p.Targets {
			line := fmt.Sprintf("  %s: %s", x.Account, x.Effect.Verb)
			if !x.Effect.At.IsZero() {
				line += " " + x.Effect.At.UTC().Format(time.RFC3339)
			}
			if x.Effect.Why != "" {
				line += " (" + x.Effect.Why + ")"
			}
			if x.Same {
				line += " same"
			}
			for _, s := range x.Timing {
				line += fmt.Sprintf(" %s %q→%q", s.Name, s.Before, s.After)
			}
			lines = append(lines, line)
		}
	}
	for _, f := range r.New {
		lines = append(lines, fmt.Sprintf("new %s %s %s", f.Severity, f.Code, f.Path))
	}
	for _, f := range r.Fixed {
		lines = append(lines, fmt.Sprintf("fixed %s %s %s", f.Severity, f.Code, f.Path))
	}
	return lines
}

// out is a record of a post that was published as it is in a folder.
func out(t *testing.T, in files, post, account string) *ledger.Record {
	t.Helper()
	r := made(t, files{"site.yaml": in["site.yaml"]}, in, nil)
	for _, p := range r.Posts {
		for _, x := range p.Targets {
			if p.ID == post && x.Account == account {
				return &ledger.Record{
					Version: 1, Post: post, Account: account, Platform: string(x.Platform), Path: p.Path, State: ledger.Published, Fingerprint: x.Fingerprint,
					Parts: []ledger.Part{{Remote: platform.Remote{ID: "1", URL: "https://example.com/1"}}}, Source: "before",
				}
			}
		}
	}
	t.Fatalf("no %s@%s", post, account)
	return nil
}

func TestMake(t *testing.T) {
	base := files{
		"site.yaml":        siteYAML,
		"content/a.md":     written("a", "Hello.", "platforms: [bluesky, fedi]", "publish_at: 2026-12-01 09:00"),
		"content/out.md":   written("out", "This is out.", "platforms: [bluesky, fedi]", "publish_at: 2026-11-01 09:00"),
		"content/cat.png":  "no picture",
		"content/cat.md":   written("cat", "A cat ![A cat](cat.png)", "platforms: [fedi]", "publish_at: 2026-12-01 09:00"),
		"content/other.md": written("other", "Quite another thing.", "platforms: [x]", "publish_at: 2026-12-03 09:00"),
	}
	published := ledger.Memory{out(t, base, "out", "bluesky"), out(t, base, "out", "fedi")}
	for _, c := range []struct {
		name    string
		changes files
		want    []string
	}{
		{"nothing", files{"README.md": "read me"}, nil},
		{"added, at once and later", files{
			"content/b.md": written("b", "News.", "platforms: [fedi]"),
			"content/c.md": written("c", "More news.", "platforms: [fedi]", "publish_at: 2026-12-24 18:00"),
		}, []string{
			"added b content/b.md", "  fedi: publish",
			"added c content/c.md", "  fedi: schedule 2026-12-24T17:00:00Z",
		}},
		{"under embargo", files{
			"content/b.md":     written("b", "News.", "platforms: [fedi]", "link: https://acme.example/b", "embargo: link"),
			"content/c.md":     written("c", "More news.", "platforms: [fedi]", "publish_at: 2026-12-24 18:00", "link: https://acme.example/c", "embargo: link"),
			"content/other.md": written("other", "Quite another thing.", "platforms: [x]", "publish_at: 2026-12-03 09:00", "embargo: none"),
		}, []string{
			"added b content/b.md", "  fedi: wait (waits until https://acme.example/b answers 200: every run of publish looks first)",
			"added c content/c.md", "  fedi: schedule 2026-12-24T17:00:00Z (once https://acme.example/c answers 200)",
			"edited other content/other.md", `  x: schedule 2026-12-03T08:00:00Z same embargo ""→"none"`,
		}},
		{"a draft, and one that is too late", files{
			"content/b.md": written("b", "News.", "platforms: [fedi]", "draft: true"),
			"content/c.md": written("c", "Old news.", "platforms: [fedi]", "publish_at: 2026-11-20 18:00"),
		}, []string{
			"added b content/b.md", "  fedi: wait (it is a draft)",
			"added c content/c.md", "  fedi: wait (it was due at Fri 20 Nov 2026 18:00 CET, 40 hours ago: too late to go out unasked)",
		}},
		{"edited before it goes out", files{"content/a.md": written("a", "Hello, you.", "platforms: [bluesky, fedi]", "publish_at: 2026-12-01 10:00")}, []string{
			"edited a content/a.md",
			`  bluesky: schedule 2026-12-01T09:00:00Z publish_at "Tue 1 Dec 2026 09:00 CET"→"Tue 1 Dec 2026 10:00 CET"`,
			`  fedi: schedule 2026-12-01T09:00:00Z publish_at "Tue 1 Dec 2026 09:00 CET"→"Tue 1 Dec 2026 10:00 CET"`,
			"fixed info D302 content/a.md",
		}},
		{"edited after it went out", files{"content/out.md": written("out", "This is still out.", "platforms: [bluesky, fedi]", "publish_at: 2026-11-01 09:00")}, []string{
			"edited out content/out.md",
			"  bluesky: update",
			"  fedi: update",
		}},
		{"withdrawn", files{"content/out.md": written("out", "This is out.", "platforms: [bluesky, fedi]", "publish_at: 2026-11-01 09:00", "withdraw: true")}, []string{
			"edited out content/out.md",
			`  bluesky: withdraw same withdraw ""→"true"`,
			`  fedi: withdraw same withdraw ""→"true"`,
		}},
		{"moved, and nothing else", files{"content/out.md": "", "content/2026/out.md": base["content/out.md"]}, []string{
			"moved out content/2026/out.md was content/out.md",
			"  bluesky: nothing (it is out, and stays as it is) same",
			"  fedi: nothing (it is out, and stays as it is) same",
		}},
		{"removed", files{"content/out.md": "", "content/a.md": ""}, []string{
			"removed a content/a.md", "  bluesky: nothing (it never goes out)", "  fedi: nothing (it never goes out)",
			"removed out content/out.md",
			"  bluesky: nothing (what is out stays out: `withdraw: true` takes a post down, and deleting its file does not)",
			"  fedi: nothing (what is out stays out: `withdraw: true` takes a post down, and deleting its file does not)",
			"fixed info D302 content/a.md",
		}},
		{"goes elsewhere", files{"content/out.md": written("out", "This is out.", "platforms: [fedi, x]", "publish_at: 2026-12-09 09:00")}, []string{
			"edited out content/out.md",
			"  bluesky: nothing (what is out there stays out)",
			`  fedi: nothing (it is out, and stays as it is) same publish_at "Sun 1 Nov 2026 09:00 CET"→"Wed 9 Dec 2026 09:00 CET"`,
			"  x: schedule 2026-12-09T08:00:00Z",
		}},
		{"new and old problems", files{"content/a.md": written("a", "Hello ![](none.png)", "platforms: [bluesky]", "publish_at: 2026-12-01 09:00", "campaign: summer")}, []string{
			"edited a content/a.md",
			`  bluesky: wait (due at Tue 1 Dec 2026 09:00 CET, but C104: campaign "summer" is not defined) campaign ""→"summer"`,
			"  fedi: nothing (it no longer goes there)",
			"new error C104 content/a.md", "new error M101 content/a.md", "new error M301 content/a.md",
			"fixed info D302 content/a.md",
		}},
		{"a picture changes, not the post", files{"content/cat.png": "no picture either"}, nil},
		{"a picture is gone", files{"content/cat.png": ""}, []string{
			"caused cat content/cat.md",
			`  fedi: wait (due at Tue 1 Dec 2026 09:00 CET, but M101: "cat.png" does not exist) same`,
			"new error M101 content/cat.md", "fixed error M103 content/cat.md",
		}},
		{"site.yaml concerns the posts that it changes", files{"site.yaml": siteYAML + "defaults: {visibility: unlisted}\n"}, []string{
			"caused a content/a.md",
			"  bluesky: wait (due at Tue 1 Dec 2026 09:00 CET, but P102: Bluesky has only public posts, and this one is to be unlisted) same",
			"  fedi: schedule 2026-12-01T08:00:00Z",
			"caused cat content/cat.md",
			`  fedi: wait (due at Tue 1 Dec 2026 09:00 CET, but M103: "cat.png" is called PNG, and its bytes are no picture)`,
			"caused other content/other.md",
			"  x: wait (due at Thu 3 Dec 2026 09:00 CET, but P102: X has only public posts, and this one is to be unlisted) same",
			"caused out content/out.md",
			"  bluesky: wait (it is out and has changed, but P102: Bluesky has only public posts, and this one is to be unlisted) same",
			"  fedi: update",
			"new error P102 content/a.md", "new error P102 content/other.md", "new error P102 content/out.md",
		}},
		{"site.yaml keeps the mornings quiet", files{"site.yaml": strings.Replace(siteYAML, "schedule: {", "schedule: {quiet: [\"08:00-09:30\"], ", 1)}, []string{
			"caused a content/a.md", "  bluesky: schedule 2026-12-01T08:30:00Z same", "  fedi: schedule 2026-12-01T08:30:00Z same",
			"caused other content/other.md", "  x: schedule 2026-12-03T08:30:00Z same",
			"new info D301 content/a.md", "new info D301 content/other.md",
		}},
		{"two posts of one id", files{"content/b.md": written("n", "One.", "platforms: [x]"), "content/c.md": written("n", "Two.", "platforms: [x]")}, []string{
			"added n content/b.md", `  x: wait (F132: the id "n" is also that of content/c.md)`,
			"added n content/c.md", `  x: wait (F132: the id "n" is also that of content/b.md)`,
			"new error F132 content/b.md", "new error F132 content/c.md",
		}},
		{"site.yaml breaks", files{"site.yaml": siteYAML + "nonsense: 1\n", "content/b.md": written("b", "News.", "platforms: [fedi]")}, []string{
			"added b content/b.md", "  fedi: wait (nothing goes out while site.yaml has errors)",
			"new error S103 site.yaml",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, say(made(t, base, base.with(c.changes), published))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestHold has a change that holds posts, or lets them go, say which: their own files say nothing of it.
func TestHold(t *testing.T) {
	free := files{
		"site.yaml":      siteYAML,
		"content/due.md": written("due", "Now.", "platforms: [bluesky, fedi]", "publish_at: 2026-11-22 09:30"),
		"content/old.md": written("old", "Too late.", "platforms: [fedi]", "publish_at: 2026-11-01 09:30"),
	}
	held := free.with(files{"site.yaml": siteYAML + "hold: {reason: a storm, scope: [fedi]}\n"})
	for name, c := range map[string]struct {
		before, after files
		want          []string
	}{
		"held":  {free, held, []string{"caused due content/due.md", "  bluesky: publish same", "  fedi: wait (held: a storm) same"}},
		"freed": {held, free, []string{"caused due content/due.md", "  bluesky: publish same", "  fedi: publish same"}},
	} {
		if diff := cmp.Diff(c.want, say(made(t, c.before, c.after, nil))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSummary has the first line be true when no post changes.
func TestSummary(t *testing.T) {
	base := files{"site.yaml": siteYAML, "content/a.md": written("a", "Hello.", "platforms: [fedi]", "publish_at: 2026-12-01 09:00")}
	for _, c := range []struct {
		changes files
		want    string
	}{
		{files{"README.md": "Hello."}, "No post changes."},
		{files{"site.yaml": siteYAML + "style: {max_hashtags: 3}\n"}, "`site.yaml` changes, and no post looks or goes out differently."},
		{files{"site.yaml": siteYAML + "nonsense: 1\n"}, "Nothing goes out while `site.yaml` has errors · **1 new error**."},
	} {
		if got := made(t, base, base.with(c.changes), nil).Summary(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestNowhere has a post that goes nowhere in the table with what is wrong, and no heading with nothing below it.
func TestNowhere(t *testing.T) {
	base := files{"site.yaml": siteYAML}
	got := made(t, base, base.with(files{"content/a.md": written("a", "Hello.", "title: Astray", "platforms: [fedii]")}), nil).Markdown(review.MarkdownOptions{})
	if !strings.Contains(got, "| **Astray**<br>`content/a.md` | added | it goes nowhere |") || !strings.Contains(got, "**error** C101") || strings.Contains(got, "### Astray") {
		t.Error(got)
	}
}

// TestMarkdown holds the comment as people see it, on posts that try to be more than text.
func TestMarkdown(t *testing.T) {
	before := files{
		"site.yaml":    siteYAML,
		"content/a.md": written("a", "Hello, world.\n\nWe make sleds.", "title: Sleds", "platforms: [bluesky, fedi, x]", "publish_at: 2026-12-01 09:00"),
		"content/z.md": written("z", "Gone soon.", "platforms: [x]", "publish_at: 2026-12-01 09:00"),
	}
	after := before.with(files{
		"content/a.md": written("a", "Hello, world.\n\nWe make *good* sleds: https://acme.example/sleds", "title: Sleds", "platforms: [bluesky, fedi, x]", "publish_at: 2026-12-01 10:30"),
		"content/b.md": written("b", "```\n</details> @everybody\n```\n\n---\n\nThe second part, #42.", "title: \"<b>Evil</b> | @ada `code` #42\"", "platforms: [bluesky, fedi]", "thread: manual"),
		"content/z.md": "",
	})
	r := made(t, before, after, nil)
	o := review.MarkdownOptions{Base: "main at 0123456789", Head: "topic at 9876543210", Command: "postrider review",
		Link: func(path string) string { return "https://forge.example/acme/site/src/" + path }}
	got := r.Markdown(o)
	golden := filepath.Join("testdata", "comment.golden.md")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, p := range strings.FieldsFunc(outsideOfCode(got), func(r rune) bool { return r == ' ' || r == '\n' }) {
		if strings.HasPrefix(p, "@a") || strings.HasPrefix(p, "@e") || strings.HasPrefix(p, "#4") || strings.Contains(p, "<b>") {
			t.Errorf("%q would mean something", p)
		}
	}

	// Whatever the limit, it is kept, the marker is there, and what is left out is said.
	o.Limit = len(got)
	if whole := r.Markdown(o); whole != got {
		t.Errorf("within its own length it is another:\n%s", cmp.Diff(got, whole))
	}
	for limit := 1500; limit < len(got); limit += 37 {
		o.Limit = limit
		short := r.Markdown(o)
		if len(short) > limit {
			t.Errorf("%d bytes where %d are allowed", len(short), limit)
		}
		if !strings.HasPrefix(short, review.Marker) || !strings.Contains(short, "not fit here") {
			t.Errorf("at %d bytes:\n%s", limit, short)
		}
		if strings.Count(short, "<details") != strings.Count(short, "</details>") {
			t.Errorf("at %d bytes a block is not closed:\n%s", limit, short)
		}
	}
}

// outsideOfCode returns a text without its blocks and spans of code.
func outsideOfCode(text string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(marks) >= 3:
			fence = marks
		case fence != "":
			if line == fence {
				fence = ""
			}
		default:
			for i, part := range strings.Split(line, "`") {
				if i%2 == 0 {
					b.WriteString(part + "\n")
				}
			}
		}
	}
	return b.String()
}

// TestMarkerOf has sites of one repository find their own comments and no others', whatever their folders are called.
func TestMarkerOf(t *testing.T) {
	folders := []string{"", "a", "a b", "a/b", "a--b", "a---b", "a -->", "social [media]", "日本語"}
	for i, folder := range folders {
		m := review.MarkerOf(folder)
		if inner := strings.TrimSuffix(strings.TrimPrefix(m, "<!--"), "-->"); strings.Contains(inner, "--") || strings.ContainsAny(inner, "<>") || strings.Contains(m, "\n") {
			t.Errorf("%q is no HTML comment for %q", m, folder)
		}
		for j, other := range folders {
			if i != j && strings.HasPrefix(review.MarkerOf(other), m) {
				t.Errorf("the comment of %q is taken for that of %q", other, folder)
			}
		}
	}
}

// TestLargeMarkdown holds the comment of a branch with many posts to what a code host takes. It begins with the marker, however many there are, or
// the next run would not find it.
func TestLargeMarkdown(t *testing.T) {
	const posts, limit = 600, 65_536
	before, after := files{"site.yaml": siteYAML}, files{"site.yaml": siteYAML}
	for i := range posts {
		id := fmt.Sprintf("post-%03d", i)
		after["content/"+id+".md"] = written(id, "Hello from "+id+".", "title: A post like any other", "platforms: [bluesky, fedi]", "publish_at: 2026-12-01 09:00")
	}
	got := made(t, before, after, nil).Markdown(review.MarkdownOptions{Limit: limit, Command: "postrider review"})
	if len(got) > limit {
		t.Errorf("%d bytes where %d are allowed", len(got), limit)
	}
	for _, want := range []string{review.Marker + "\n## What merging this does\n\n**600 posts** change", "\n| **A post like any other**<br>`content/post-000.md` | added |", "not fit here: `postrider review --json` has all.*\n\n</details>\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%.600s\n…\n%s", want, got, got[len(got)-600:])
		}
	}
	if !strings.HasPrefix(got, review.Marker) || strings.Count(got, "<details") != strings.Count(got, "</details>") || strings.Count(got, "```")%2 != 0 {
		t.Errorf("it is torn:\n%.600s\n…\n%s", got, got[len(got)-600:])
	}
}
