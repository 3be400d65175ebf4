package screenshot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/screenshot"
)

// TestMain lets the tests start this binary as a browser: under the name of what it is to do.
func TestMain(m *testing.M) {
	if do, ok := fakes[filepath.Base(os.Args[0])]; ok {
		os.Exit(do(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fakes are browsers.
var fakes = map[string]func(args []string) int{
	// draws writes what it was started with beside itself, and draws a box.
	"draws": func(args []string) int {
		page, err := os.ReadFile(strings.TrimPrefix(args[len(args)-1], "file://"))
		beside, _ := filepath.Glob(filepath.Join(filepath.Dir(arg(args, "--screenshot")), "*.jpg")) //nolint:errcheck // the pattern is well-formed
		said := fmt.Sprintf("%s\n%s\npage %s\n", strings.Join(args, "\n"), strings.Join(os.Environ(), "\n"), page)
		for _, name := range beside {
			said += "beside " + filepath.Base(name) + "\n"
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(filepath.Dir(os.Args[0]), "said"), []byte(said), 0o600)
		}
		if err == nil {
			err = os.WriteFile(arg(args, "--screenshot"), window(image.Rect(100, 50, 400, 250)), 0o600)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	},
	"fails": func([]string) int {
		fmt.Fprintln(os.Stderr, "[1:1:1122/1.1:ERROR:zygote.cc(100)] No usable sandbox!")
		fmt.Fprintln(os.Stderr, "some more words")
		return 1
	},
	"silent":  func([]string) int { return 0 },
	"empty":   func(args []string) int { return wrote(args, window(image.Rectangle{})) },
	"garbage": func(args []string) int { return wrote(args, []byte("\x89PNG nonsense")) },
	"huge":    func(args []string) int { return wrote(args, header(60000, 60000)) },
}

func wrote(args []string, data []byte) int {
	if os.WriteFile(arg(args, "--screenshot"), data, 0o600) != nil {
		return 1
	}
	return 0
}

// arg returns the value of a flag.
func arg(args []string, name string) string {
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return ""
}

// window is what a browser draws: a box on a grey page.
func window(box image.Rectangle) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 600, 400))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{245, 246, 248, 255}), image.Point{}, draw.Src)
	draw.Draw(img, box, image.Black, image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// header is the beginning of a picture that says that it is of that size.
func header(w, h uint32) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		panic(err)
	}
	src := b.Bytes()
	for i := range 4 {
		src[16+i], src[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
	}
	return src
}

// fake returns a browser that does what its name says, and the folder that it is in.
func fake(t *testing.T, name string) (*screenshot.Browser, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	return &screenshot.Browser{Path: filepath.Join(dir, name), Environ: []string{"PATH=/usr/bin", "GITHUB_TOKEN=token-of-the-job", "LANG=de_DE.UTF-8", "HOME=/home/ada"}}, dir
}

func TestDraw(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	b, dir := fake(t, "draws")
	p, err := b.Draw(t.Context(), screenshot.Page{HTML: []byte("<p>Hello</p>"), Files: map[string][]byte{"1.jpg": []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Width != 332 || p.Height != 232 || p.Ext != ".png" { // the box, and 16 pixels around it
		t.Errorf("%d×%d %s", p.Width, p.Height, p.Ext)
	}
	img, err := png.Decode(bytes.NewReader(p.Data))
	if err != nil || img.Bounds().Dx() != 332 {
		t.Errorf("%v, %v", img, err)
	}
	said, err := os.ReadFile(filepath.Join(dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(said), "\n")
	for _, want := range []string{"--headless", "--window-size=1200,6000", "--host-resolver-rules=MAP * ~NOTFOUND", "LANG=de_DE.UTF-8", "page <p>Hello</p>", "beside 1.jpg"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the browser did not get %q:\n%s", want, said)
		}
	}
	for _, no := range []string{"token-of-the-job", "/home/ada"} {
		if strings.Contains(string(said), no) {
			t.Errorf("the browser got %q", no)
		}
	}
	if root := os.Geteuid() == 0; slices.Contains(lines, "--no-sandbox") != root {
		t.Errorf("the browser has a sandbox: %v, for root: %v", !slices.Contains(lines, "--no-sandbox"), root)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDrawFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, want := range map[string]string{
		"fails":   "fails: exit status 1: No usable sandbox!",
		"silent":  "silent has drawn nothing",
		"empty":   "the browser has drawn an empty page",
		"garbage": "the browser's picture cannot be used: ",
		"huge":    "the browser's picture cannot be used: ",
	} {
		b, _ := fake(t, name)
		if _, err := b.Draw(t.Context(), screenshot.Page{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	b, _ := fake(t, "draws")
	for _, name := range []string{"../x", "/etc/x", "a/b", `a\b`, ""} {
		if _, err := b.Draw(t.Context(), screenshot.Page{Files: map[string][]byte{name: nil}}); err == nil {
			t.Errorf("a file %q was written", name)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	if _, err := b.Draw(ctx, screenshot.Page{}); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("%v, want the reason why it was ended", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFind(t *testing.T) {
	b, dir := fake(t, "draws")
	env := func(value string) func(string) string {
		return func(name string) string {
			if name == screenshot.EnvVar {
				return value
			}
			return ""
		}
	}
	if got, err := screenshot.Find(env(b.Path)); got != b.Path || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	t.Setenv("PATH", dir)
	if got, err := screenshot.Find(env("draws")); got != b.Path || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, name := range []string{"", "none", "netscape", filepath.Join(dir, "netscape")} {
		if _, err := screenshot.Find(env(name)); !errors.Is(err, screenshot.ErrNoBrowser) || strings.Contains(name, "netscape") && !strings.Contains(err.Error(), "netscape") {
			t.Errorf("%q: %v, want %v", name, err, screenshot.ErrNoBrowser)
		}
	}
	for _, name := range []string{"chromium", "google-chrome"} { // which is preferred
		if err := os.Link(b.Path, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if got, err := screenshot.Find(env("")); filepath.Base(got) != name || err != nil {
			t.Errorf("%q, %v, want %s", got, err, name)
		}
	}
}
