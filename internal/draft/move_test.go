package draft

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/content"
)

const (
	launch = "---\nid: a\npublish_at: 2026-12-01 09:00 # Tuesday\n---\nWinter\n"
	moved  = "---\nid: a\npublish_at: 2027-07-17 14:30 # Tuesday\n---\nWinter\n"
)

var july = time.Date(2027, 7, 17, 14, 30, 0, 0, time.UTC)

// folder makes a site's folder with the given files.
func folder(t *testing.T, files map[string]string) (*os.Root, string) {
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
	return root, dir
}

func read(t *testing.T, root *os.Root, name string) string {
	t.Helper()
	b, err := root.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// noLeftovers fails when a folder has files that nobody has put there.
func noLeftovers(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if strings.HasPrefix(d.Name(), ".postrider") {
			t.Errorf("%s was left behind", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestMove(t *testing.T) {
	root, dir := folder(t, map[string]string{"content/2026/a.md": launch, "content/2026/.postrider-0.tmp": "of a crash"})
	if err := root.Chmod("content/2026/a.md", 0o640); err != nil {
		t.Fatal(err)
	}
	source, err := Move(root, "content/2026/a.md", digest([]byte(launch)), july, content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, root, "content/2026/a.md"); got != moved || source != digest([]byte(moved)) {
		t.Errorf("got %q, source %s", got, source)
	}
	fi, err := root.Stat("content/2026/a.md")
	if err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v, %v", fi.Mode(), err)
	}
	if got := read(t, root, "content/2026/.postrider-0.tmp"); got != "of a crash" {
		t.Errorf("another's file became %q", got)
	}
	if err := root.Remove("content/2026/.postrider-0.tmp"); err != nil {
		t.Fatal(err)
	}
	noLeftovers(t, dir)

	// To where it is already: nothing is written.
	before, _ := root.Stat("content/2026/a.md")
	if again, err := Move(root, "content/2026/a.md", source, july, content.Options{}); err != nil || again != source {
		t.Errorf("a second time: %s, %v", again, err)
	}
	if after, _ := root.Stat("content/2026/a.md"); !os.SameFile(before, after) {
		t.Error("the file was replaced by the same")
	}
}

func TestMoveRefuses(t *testing.T) {
	files := map[string]string{
		"content/a.md": launch, "content/README.md": launch, "content/_a.md": launch, "content/a.txt": launch, "site.yaml": launch, "templates/post.md": launch,
		"content/large.md": launch + strings.Repeat("a", 1000), "content/override.md": "---\ndate: 2026-12-01 09:00\noverrides: {x: {date: 2026-12-02 09:00}}\n---\na\n",
		"real/b.md": launch, "content/folder.md/b.md": launch,
	}
	root, dir := folder(t, files)
	for name, to := range map[string]string{"content/link.md": "a.md", "content/linked": "../real", "content/out.md": "/etc/passwd", "content/dangling.md": "nowhere"} {
		if err := root.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		source string
		want   Reason
	}{
		"content/a.md":          {digest([]byte(moved)), Changed},
		"content/./a.md":        {"", Changed},
		"content/README.md":     {"", NotPost},
		"content/_a.md":         {"", NotPost},
		"content/a.txt":         {"", NotPost},
		"site.yaml":             {"", NotPost},
		"content/../site.yaml":  {"", NotPost},
		"templates/post.md":     {"", NotPost},
		"content":               {"", NotFile},
		"content/folder.md":     {"", NotFile},
		"content/link.md":       {"", NotFile},
		"content/linked/b.md":   {"", NotFile},
		"content/out.md":        {"", NotFile},
		"content/dangling.md":   {"", NotFile},
		"content/none.md":       {"", Unread},
		"content/a.md/b.md":     {"", Unread},
		"":                      {"", Unread},
		"../a.md":               {"", Unread},
		"/etc/passwd":           {"", Unread},
		"content/../../../a.md": {"", Unread},
		"content/a\x00.md":      {"", Unread},
		"content/large.md":      {"", TooLarge},
		"content/override.md":   {digest([]byte(files["content/override.md"])), Override},
	} {
		source, err := Move(root, name, c.source, july, content.Options{MaxBytes: 500})
		e, ok := errors.AsType[*RefusedError](err)
		if !ok || e.Reason != c.want {
			t.Errorf("%q: got %v, want reason %d", name, err, c.want)
		}
		if source != "" && c.want != Override {
			t.Errorf("%q: source %s", name, source)
		}
	}
	for name, text := range files {
		if read(t, root, name) != text {
			t.Errorf("%s was changed", name)
		}
	}
	noLeftovers(t, dir)
}

// Of two that have seen the same file, one moves it and the other is told.
func TestMoveConcurrently(t *testing.T) {
	root, dir := folder(t, map[string]string{"content/a.md": launch})
	source := digest([]byte(launch))
	const writers = 8
	var done [writers]error
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { _, done[i] = Move(root, "content/a.md", source, july.AddDate(0, 0, i), content.Options{}) })
	}
	wg.Wait()
	won := -1
	for i, err := range done {
		e, refused := errors.AsType[*RefusedError](err)
		switch {
		case err == nil && won < 0:
			won = i
		case err == nil:
			t.Errorf("%d and %d have both won", won, i)
		case !refused || e.Reason != Changed:
			t.Errorf("%d: %v", i, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody has won")
	}
	want := strings.Replace(launch, "2026-12-01 09:00", july.AddDate(0, 0, won).Format("2006-01-02 15:04"), 1)
	if got := read(t, root, "content/a.md"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	noLeftovers(t, dir)
}

// An editor saves the file while the new one is being written: what it has saved stays.
func TestReplaceLooksOnceMore(t *testing.T) {
	root, dir := folder(t, map[string]string{"content/a.md": launch})
	saved := launch + "and more\n"
	if err := root.WriteFile("content/a.md", []byte(saved), 0o666); err != nil {
		t.Fatal(err)
	}
	err := replace(root, "content/a.md", []byte(moved), 0o666, unchanged(root, "content/a.md", []byte(launch)))
	if e, ok := errors.AsType[*RefusedError](err); !ok || e.Reason != Changed {
		t.Errorf("got %v", err)
	}
	if got := read(t, root, "content/a.md"); got != saved {
		t.Errorf("the file is %q", got)
	}
	noLeftovers(t, dir)
}

// Where nothing can be written, the old file stays and the error says so.
func TestReplaceFails(t *testing.T) {
	root, dir := folder(t, map[string]string{"content/a.md": launch})
	full := errors.New("full")
	if err := replace(root, "content/a.md", []byte(moved), 0o600, func() error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if err := Replace(root, "content/none.md", []byte(moved)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := Create(root, "content/a.md", []byte(moved)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that exists: %v", err)
	}
	if err := Create(root, "../a.md", []byte(moved)); err == nil {
		t.Error("a file outside was written")
	}
	if got := read(t, root, "content/a.md"); got != launch {
		t.Errorf("the file is %q", got)
	}
	noLeftovers(t, dir)
}

func TestPinID(t *testing.T) {
	for src, want := range map[string]string{
		"a\n":                        "---\nid: 2026-a\n---\na\n",
		"---\ntitle: b\n---\n":       "---\nid: 2026-a\ntitle: b\n---\n",
		"---\n  title: b\n---\n":     "---\n  id: 2026-a\n  title: b\n---\n",
		"---\n{title: b}\n---\n":     "---\n{id: 2026-a, title: b}\n---\n",
		"---\n{ title: b }\n---\n":   "---\n{id: 2026-a, title: b }\n---\n",
		"{}\n":                       "{\"id\": \"2026-a\"}\n",
		"{\"title\": \"b\"}\n":       "{\"id\": \"2026-a\", \"title\": \"b\"}\n",
		"{\n\t\"title\": \"b\"\n}\n": "{\n\t\"id\": \"2026-a\",\n\t\"title\": \"b\"\n}\n",
	} {
		root, dir := folder(t, map[string]string{"content/2026/a.md": src})
		if id, err := PinID(root, "content/2026/a.md"); err != nil || id != "2026-a" {
			t.Errorf("%q: %q, %v", src, id, err)
		}
		if got := read(t, root, "content/2026/a.md"); got != want {
			t.Errorf("%q becomes %q, want %q", src, got, want)
		}
		_, err := PinID(root, "content/2026/a.md")
		if e, ok := errors.AsType[*RefusedError](err); !ok || e.Reason != HasID {
			t.Errorf("%q, a second time: %v", src, err)
		}
		noLeftovers(t, dir)
	}
}

func BenchmarkReschedule(b *testing.B) {
	src := []byte(launch + string(bytes.Repeat([]byte("A paragraph of some words, with a [link](https://example.com).\n\n"), 50)))
	for b.Loop() {
		if _, err := Reschedule(src, "content/a.md", july, content.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
