package content

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// Whether a site is read as a whole or one post by itself, its link cards are the same.
func TestLinkCards(t *testing.T) {
	const head = "---\nid: ID\nlink: https://acme.example/\n---\nHello\n"
	const card = "url: https://acme.example/\ntitle: Winter\n"
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, "content", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(name, to string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, "content", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"plain", "full", "broken", "lost", "linked", "dangling", "outside", "large"} {
		write(id+".md", strings.Replace(head, "ID", id, 1))
	}
	write("bundle/index.md", strings.Replace(head, "ID", "bundle", 1))
	write("full.card.yaml", card+"description: Snow\nimage: full.png\nimage_alt: A sled\nfetched: 2026-11-22T09:00:00Z\n")
	write("full.png", png)
	write("bundle/card.yaml", card)
	write("broken.card.yaml", "title: Winter\n\nurl: nowhere\n")
	write("lost.card.yaml", card+"image: lost.png\n")
	link("linked.card.yaml", "full.card.yaml")
	link("dangling.card.yaml", "nothing.yaml")
	link("outside.card.yaml", "../../elsewhere.yaml")
	write("large.card.yaml", card+strings.Repeat("#", 64<<10))
	want := map[string]string{
		"plain": "", "bundle": "Winter", "full": "Winter, Snow, content/full.png, A sled, image/png", "linked": "Winter, Snow, content/full.png, A sled, image/png",
		"lost":     `Winter, , content/lost.png, , ; 3:7 error M101: "lost.png" does not exist`,
		"broken":   `; 3:7 error K101: broken.card.yaml, line 3: "nowhere" is no address of the web`,
		"dangling": "; 3:7 error K101: dangling.card.yaml is a symbolic link that leads nowhere",
		"outside":  "; 3:7 error K101: outside.card.yaml is a symbolic link that leads out of the site",
		"large":    "; 3:7 error K101: large.card.yaml, line 1: the file is larger than 64 KiB",
	}
	say := func(p *post.Post) string {
		c := p.LinkCard
		if c == nil {
			return ""
		}
		if !strings.HasPrefix(c.File, "content/") || c.Fetched.IsZero() == (c.Image != nil && c.Image.MIME != "") {
			t.Errorf("%s: %s, fetched %v", p.ID, c.File, c.Fetched)
		}
		if c.Image == nil {
			return c.Title
		}
		return strings.Join([]string{c.Title, c.Description, c.Image.Path, c.Image.Alt, c.Image.MIME}, ", ")
	}
	posts, all, err := Load(t.Context(), os.DirFS(dir), "content", Options{})
	if err != nil || len(posts) != len(want) {
		t.Fatal(len(posts), err)
	}
	parser := NewParser(os.DirFS(dir), Options{})
	for _, p := range posts {
		got := say(p)
		for _, f := range all {
			if f.Path == p.Path {
				f.Hint = ""
				got += "; " + strings.TrimSpace(brief(finding.List{f}, true))
			}
		}
		if got != want[p.ID] {
			t.Errorf("%s: %s\nwant %s", p.ID, got, want[p.ID])
		}
		alone, list := parser.Parse(p.Path, []byte(p.Text))
		if p.ID == "dangling" { // by itself, it is not there
			continue
		}
		if say(alone) != say(p) || len(list) != strings.Count(got, ";") {
			t.Errorf("%s by itself: %s, %v", p.ID, say(alone), list)
		}
		if text, list := NewParser(nil, Options{}).Parse(p.Path, []byte(p.Text)); text.LinkCard != nil || len(list) > 0 {
			t.Errorf("%s without its files: %+v, %v", p.ID, text.LinkCard, list)
		}
	}
}
