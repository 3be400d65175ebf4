package review_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/review"
)

func TestRepairs(t *testing.T) {
	base := files{
		"site.yaml":      siteYAML,
		"content/old.md": written("old", "Old.", "platfroms: [x]"), // was there before: no part of the review
	}
	after := base.with(files{
		"content/a.md":      "---\nplatfroms: [x]\npublish_at: 2026/12/1 9:00\n---\nOne.\n",
		"content/b.md":      written("b", "Two.\n\n<!-- postrider:ignore T302 a word -->", "platforms: [x]"),
		"content/c.md":      written("c", "Three.", "platforms: [x, blueski]", "visibility: Public"),
		"content/secret.md": written("secret", "Four.", "titel: ghp_hunter2hunter2hunter2hunter2hunter2hunter2", "platforms: [x]"),
		"content/what.md":   written("what", "Five.", "visibility: private", "platforms: [x]"),
		"content/both.md":   written("both", "Six.", "{platfroms: [x], titel: A}"),
	})
	r := made(t, base, after, nil)
	var got []string
	for _, x := range r.Repairs {
		got = append(got, fmt.Sprintf("%s:%d-%d %q → %q (%d)", x.Path, x.First, x.Last, x.Old, x.New, len(x.Findings)))
	}
	want := []string{
		`content/a.md:2-2 "platfroms: [x]" → "id: a\nplatforms: [x]" (2)`,
		`content/a.md:3-3 "publish_at: 2026/12/1 9:00" → "publish_at: 2026-12-01 09:00" (1)`,
		`content/b.md:7-7 "<!-- postrider:ignore T302 a word -->" → "" (1)`,
		`content/c.md:3-3 "platforms: [x, blueski]" → "platforms: [x, bluesky]" (1)`,
		`content/c.md:4-4 "visibility: Public" → "visibility: public" (1)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	text := r.Markdown(review.MarkdownOptions{})
	for _, line := range []string{
		"- `content/a.md:2`: `platfroms: [x]` → `id: a ⏎ platforms: [x]`\n", "- `content/b.md:7`: without `<!-- postrider:ignore T302 a word -->`\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	if strings.Contains(text, "hunter2") {
		t.Errorf("a secret is in\n%s", text)
	}
	left := r.Repairs[:1]
	if text := r.Markdown(review.MarkdownOptions{Repairs: &left}); strings.Contains(text, "`visibility: Public` →") || !strings.Contains(text, "a.md:2`: `platfroms") {
		t.Errorf("what is suggested elsewhere is listed:\n%s", text)
	}
	if left = nil; strings.Contains(r.Markdown(review.MarkdownOptions{Repairs: &left}), "Can be mended") {
		t.Error("there is nothing left to list, and a heading for it")
	}
	if why := r.Repairs[0].Why(); why != "**F130** the post has no id: after a rename it would look like a new post: add id: a\n\n**F120** unknown front-matter key \"platfroms\": write \"platforms\" for \"platfroms\"" {
		t.Errorf("why: %s", why)
	}
}

func TestRepairsAreCounted(t *testing.T) {
	base := files{"site.yaml": siteYAML}
	changes := files{}
	for i := range 25 {
		id := fmt.Sprintf("p%02d", i)
		changes["content/"+id+".md"] = written(id, "Hello "+id, "platforms: [x]", "draft: yes")
	}
	r := made(t, base, base.with(changes), nil)
	if text := r.Markdown(review.MarkdownOptions{}); len(r.Repairs) != 25 || strings.Count(text, "→ `draft: true`") != 20 || !strings.Contains(text, "\n- and 5 more\n") {
		t.Errorf("%d repairs in\n%s", len(r.Repairs), text)
	}
}
