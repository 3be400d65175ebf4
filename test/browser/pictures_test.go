package browser

import (
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // what photographs become
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPictures draws pictures of the sample site's posts for a review, and of posts that are hard to draw.
func TestPictures(t *testing.T) {
	f := &folder{t, t.TempDir()}
	copied := func(name string) {
		if out, err := exec.CommandContext(t.Context(), "cp", "-R", "../../"+name, f.dir).CombinedOutput(); err != nil {
			t.Fatalf("copy the sample site: %v\n%s", err, out)
		}
	}
	copied("site.yaml")
	f.write("content/old.md", "---\nid: old\nplatforms: [bluesky]\n---\nIt costs 100.\n")
	f.git("init", "-q", "-b", "main")
	f.commit()
	f.git("switch", "-q", "-c", "topic")
	f.write("content/old.md", "---\nid: old\nplatforms: [bluesky]\n---\nIt costs 120, and that is a lot.\n")
	f.write("content/hostile.md", "---\nid: hostile\nplatforms: [bluesky, fedi]\n---\n`</style><style>*{display:none!important}</style><script>document.body.remove()</script>` שלום עולם 😀\n")
	f.write("content/thread.md", "---\nid: thread\nplatforms: [fedi]\nthread: manual\n---\n"+strings.Repeat("A part of many.\n\n---\n\n", 98)+"The last part.\n")
	copied("content")
	f.write("content/photo.md", "---\nid: photo\nplatforms: [fedi]\n---\nLook.\n\n![A picture]("+photo(t, f)+")\n")
	f.commit()

	start := time.Now()
	dir := filepath.Join(artefacts(t), "pictures")
	cmd := exec.CommandContext(t.Context(), program(t), "review", "--base", "main", "--pictures", dir)
	cmd.Dir = f.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("review: %v\n%s", err, out)
	}
	drawn, err := filepath.Glob(filepath.Join(dir, "post-*"))
	if err != nil || len(drawn) < 10 {
		t.Fatalf("%d pictures were drawn (%v):\n%s", len(drawn), err, out)
	}
	t.Logf("%d pictures in %s", len(drawn), time.Since(start).Round(time.Millisecond))
	for _, name := range drawn {
		p := look(t, name)
		if p.size.X < 400 || p.size.X > 1200 || p.size.Y < 120 || p.size.Y > 5000 {
			t.Errorf("%s has %v pixels", filepath.Base(name), p.size)
		}
		if p.dark < 0.003 { // letters
			t.Errorf("%s: of all pixels %.4f are dark: is there text on it?", filepath.Base(name), p.dark)
		}
	}
	for name, want := range map[string]image.Rectangle{ // the least and the most that it may measure
		"post-old.png":     image.Rect(850, 120, 950, 400), // before beside after
		"post-hostile.png": image.Rect(850, 150, 950, 700),
		"post-thread.png":  image.Rect(500, 600, 650, 1300), // of 99 parts the first
	} {
		if p := look(t, filepath.Join(dir, name)); !p.size.In(image.Rect(want.Min.X, want.Min.Y, want.Max.X+1, want.Max.Y+1)) {
			t.Errorf("%s has %v pixels, want %v", name, p.size, want)
		}
	}
	shown, _ := filepath.Glob(filepath.Join(dir, "post-photo.*")) //nolint:errcheck // the pattern is well-formed
	if len(shown) != 1 {
		t.Fatalf("the photo's post has the pictures %v", shown)
	}
	if p := look(t, shown[0]); p.colours < 5000 {
		t.Errorf("the photo's post has %d colours: is the photo there?", p.colours)
	}
}

// photo returns the path of a photo of the sample.
func photo(t *testing.T, f *folder) (name string) {
	t.Helper()
	files, err := filepath.Glob(f.path("content/*/*/*.jpg"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the sample has no photos where they are looked for: %v", err)
	}
	name, err = filepath.Rel(f.path("content"), files[0])
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(name)
}

// seen is what can be told of a picture without knowing what is on it.
type seen struct {
	size    image.Point
	dark    float64 // which share of the pixels is dark
	colours int
}

func look(t *testing.T, name string) seen {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // only read from
	img, kind, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{".png": "png", ".jpg": "jpeg"}[filepath.Ext(name)]; kind != want {
		t.Errorf("%s is %s", filepath.Base(name), kind)
	}
	s := seen{size: img.Bounds().Size()}
	colours, dark := map[string]bool{}, 0
	for y := range s.size.Y {
		for x := range s.size.X {
			c := img.At(x, y)
			if g, _ := color.GrayModel.Convert(c).(color.Gray); g.Y < 80 {
				dark++
			}
			if x%2 == 0 && y%2 == 0 {
				r, g, b, _ := c.RGBA()
				colours[fmt.Sprint(r>>8, g>>8, b>>8)] = true
			}
		}
	}
	s.dark, s.colours = float64(dark)/float64(s.size.X*s.size.Y), len(colours)
	return s
}
