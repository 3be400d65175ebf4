package draft

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/linkcard"
)

// cards is a folder with a post, and what is in it.
func cards(t *testing.T, files map[string]string) (*os.Root, func() map[string]string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	for name, text := range files {
		if err := Create(root, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return root, func() map[string]string {
		t.Helper()
		found := map[string]string{}
		entries, err := os.ReadDir(filepath.Join(dir, "content"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			b, err := os.ReadFile(filepath.Join(dir, "content", e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			found[e.Name()] = string(b)
		}
		return found
	}
}

func openCard(t *testing.T, root *os.Root) *CardFile {
	t.Helper()
	f, err := OpenCard(root, "content/p.md")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var winter = linkcard.Card{URL: "https://acme.example/winter", Title: "Winter", Fetched: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}

const winterFile = "url: https://acme.example/winter\ntitle: Winter\n"

func TestCardFile(t *testing.T) {
	root, files := cards(t, map[string]string{"content/p.md": "Hi"})
	f := openCard(t, root)
	if f.Path != "content/p.card.yaml" || f.Exists || f.HasPicture(nil) {
		t.Errorf("%+v", f)
	}
	if err := f.Write(winter, []byte("a picture"), "image/jpeg"); err != nil {
		t.Fatal(err)
	}
	f = openCard(t, root)
	want := winter
	want.Image = "p.card.jpg"
	if diff := cmp.Diff(want, f.Card); diff != "" || !f.HasPicture([]byte("a picture")) || f.HasPicture([]byte("another")) {
		t.Errorf("%s", diff)
	}
	for _, step := range []struct{ picture, mime, name string }{
		{"another", "image/jpeg", "p.card.jpg"}, {"another", "image/jpeg", "p.card.jpg"}, {"third", "image/webp", "p.card.webp"}, {"", "", ""},
	} {
		var data []byte
		if step.picture != "" {
			data = []byte(step.picture)
		}
		if err := openCard(t, root).Write(winter, data, step.mime); err != nil {
			t.Fatal(err)
		}
		got := files()
		delete(got, "p.md")
		if card := got["p.card.yaml"]; !strings.Contains(card, "title: Winter\n") || strings.Contains(card, "image: "+step.name+"\n") != (step.name != "") {
			t.Errorf("%v: %s", step, card)
		}
		delete(got, "p.card.yaml")
		if len(got) > 1 || got[step.name] != step.picture {
			t.Errorf("%v: besides there are %q", step, got)
		}
	}
}

// Nothing that somebody else wrote is lost, and what is refused leaves everything as it was.
func TestCardFileIsNotWrittenOver(t *testing.T) {
	for name, tt := range map[string]struct {
		before, meanwhile map[string]string
		want              string
	}{
		"a card appears":      {nil, map[string]string{"content/p.card.yaml": winterFile}, `"content/p.card.yaml" is there already, so nothing was written`},
		"a card changes":      {map[string]string{"content/p.card.yaml": winterFile}, map[string]string{"content/p.card.yaml": "mine"}, `"content/p.card.yaml" has changed meanwhile, so nothing was written`},
		"a card goes":         {map[string]string{"content/p.card.yaml": winterFile}, map[string]string{"content/p.card.yaml": ""}, `"content/p.card.yaml" has changed meanwhile, so nothing was written`},
		"a picture is there":  {map[string]string{"content/p.card.jpg": "mine"}, nil, `"content/p.card.jpg" is there already, so nothing was written`},
		"a picture of others": {map[string]string{"content/p.card.yaml": winterFile + "image: own.jpg\n", "content/own.jpg": "x", "content/p.card.jpg": "mine"}, nil, `"content/p.card.jpg" is there already, so nothing was written`},
		"a picture changes": {
			map[string]string{"content/p.card.yaml": winterFile + "image: p.card.jpg\n", "content/p.card.jpg": "old"}, map[string]string{"content/p.card.jpg": "mine"},
			`"content/p.card.jpg" has changed meanwhile, so nothing was written`,
		},
	} {
		before := map[string]string{"content/p.md": "Hi"}
		for file, text := range tt.before {
			before[file] = text
		}
		root, files := cards(t, before)
		f := openCard(t, root)
		for file, text := range tt.meanwhile {
			if err := errors.Join(root.RemoveAll(file), func() error {
				if text == "" {
					return nil
				}
				return Create(root, file, []byte(text))
			}()); err != nil {
				t.Fatal(err)
			}
		}
		was := files()
		err := f.Write(winter, []byte("new"), "image/jpeg")
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		if _, ok := errors.AsType[*RefusedError](err); !ok {
			t.Errorf("%s: a %T", name, err)
		}
		if diff := cmp.Diff(was, files()); diff != "" {
			t.Errorf("%s changes\n%s", name, diff)
		}
	}
}

func TestCardFileKeepsPicturesOfPeople(t *testing.T) {
	root, files := cards(t, map[string]string{"content/p.card.yaml": winterFile + "image: own.jpg\n", "content/own.jpg": "mine"})
	if err := openCard(t, root).Write(winter, []byte("new"), "image/png"); err != nil {
		t.Fatal(err)
	}
	got := files()
	if got["own.jpg"] != "mine" || got["p.card.png"] != "new" {
		t.Errorf("%q", got)
	}
}

func TestCardFileThatCannotBe(t *testing.T) {
	root, files := cards(t, map[string]string{"content/p.md": "Hi", "elsewhere/x.yaml": winterFile})
	was := files()
	for _, c := range []linkcard.Card{{}, {URL: "https://acme.example"}, {URL: "nowhere", Title: "Hi"}, {URL: "https://acme.example", Title: strings.Repeat("x", linkcard.MaxBytes)}} {
		if err := openCard(t, root).Write(c, []byte("new"), "image/png"); err == nil {
			t.Errorf("%+v was written", c)
		}
	}
	if err := openCard(t, root).Write(winter, []byte("new"), "video/mp4"); err == nil {
		t.Error("a card has a video")
	}
	if diff := cmp.Diff(was, files()); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
	for _, to := range []string{"../elsewhere/x.yaml", "../../etc/passwd"} {
		if err := errors.Join(root.RemoveAll("content/p.card.yaml"), root.Symlink(to, "content/p.card.yaml")); err != nil {
			t.Fatal(err)
		}
		if f, err := OpenCard(root, "content/p.md"); err == nil {
			t.Errorf("a link to %s: %+v", to, f)
		}
	}
	if err := root.Symlink("content", "linked"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(root.RemoveAll("content/p.card.yaml"), Create(root, "content/p.card.yaml", []byte(winterFile))); err != nil {
		t.Fatal(err)
	}
	if f, err := OpenCard(root, "linked/p.md"); err == nil {
		t.Errorf("through a linked folder: %+v", f)
	}
	for name := range files() {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left over", name)
		}
	}
}
