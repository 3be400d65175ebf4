package review_test

import (
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/review"
)

// TestPictures: they stand with their posts, in words too, and the comment stays within its limit with them.
func TestPictures(t *testing.T) {
	before := files{"site.yaml": siteYAML, "content/a.md": written("a", "Hello.", "title: Sleds", "platforms: [bluesky, fedi]")}
	after := before.with(files{
		"content/a.md": written("a", "Hello, you.", "title: Sleds", "platforms: [bluesky, fedi]"),
		"content/b.md": written("b", "News.", "title: \"](https://evil.example) @ada <b>\"", "platforms: [fedi]"),
		"content/c.md": written("c", "More news.", "platforms: [fedi]"),
	})
	r := made(t, before, after, nil)
	o := review.MarkdownOptions{Pictures: map[string]review.Picture{
		"content/a.md": {Address: "https://forge.example/raw/7/0123.png"},
		"content/b.md": {Address: "https://forge.example/raw/7/4567.png"},
		"content/c.md": {Missing: "No picture of this post: there are 20 others."},
	}}
	got := r.Markdown(o)
	for _, want := range []string{
		"\n### Sleds\n\n<details open><summary>Before and after, as its networks show it</summary>\n\n![the cards of “Sleds” for bluesky, fedi, before and after](<https://forge.example/raw/7/0123.png>)\n\n</details>\n",
		"<summary>As its networks will show it</summary>\n\n![the cards of “&#93;(https://evil.example) @\u2060ada &#60;b&#62;” for fedi](<https://forge.example/raw/7/4567.png>)\n",
		"\n### `content/c.md`\n\n*No picture of this post: there are 20 others.*\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no\n%s\nin\n%s", want, got)
		}
	}
	without := r.Markdown(review.MarkdownOptions{})
	for limit := 1200; limit < len(got); limit += 53 {
		o.Limit = limit
		if short := r.Markdown(o); len(short) > limit || strings.Count(short, "<details") != strings.Count(short, "</details>") {
			t.Errorf("%d bytes where %d are allowed:\n%s", len(short), limit, short)
		}
	}
	if strings.Contains(without, "![") {
		t.Error("there are pictures that nobody gave")
	}
}

// TestAttachedPictures: the comment leads to pictures that it cannot show, and to none that it shows.
func TestAttachedPictures(t *testing.T) {
	r := made(t, files{"site.yaml": siteYAML}, files{"site.yaml": siteYAML, "content/a.md": written("a", "Hello.", "platforms: [fedi]")}, nil)
	const link = "\nPictures of the cards: [a ZIP file](<https://forge.example/runs/42/artifacts/11>) that the branch's own check has attached.\n"
	o := review.MarkdownOptions{Attached: "https://forge.example/runs/42/artifacts/11"}
	if got := r.Markdown(o); strings.Count(got, link) != 1 || strings.Index(got, link) > strings.Index(got, "\n### ") {
		t.Errorf("there is no link before the posts:\n%s", got)
	}
	o.Pictures = map[string]review.Picture{"content/a.md": {Missing: "No picture of this post: there are 20 others."}}
	if got := r.Markdown(o); !strings.Contains(got, link) {
		t.Errorf("there is no link where no picture is shown:\n%s", got)
	}
	o.Pictures = map[string]review.Picture{"content/a.md": {Address: "https://forge.example/raw/7/0123.png"}}
	if got := r.Markdown(o); strings.Contains(got, link) {
		t.Errorf("there is a link beside pictures:\n%s", got)
	}
}
