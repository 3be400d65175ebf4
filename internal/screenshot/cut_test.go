package screenshot

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"testing"
)

// page is a page of one colour with boxes on it.
func page(w, h int, boxes ...image.Rectangle) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{240, 240, 250, 255}), image.Point{}, draw.Src)
	for _, b := range boxes {
		draw.Draw(img, b, image.NewUniform(color.RGBA{200, 0, 0, 255}), image.Point{}, draw.Src)
	}
	return img
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		name  string
		boxes []image.Rectangle
		want  image.Point
	}{
		{"a box", []image.Rectangle{image.Rect(50, 60, 150, 260)}, image.Pt(132, 232)},
		{"a pixel", []image.Rectangle{image.Rect(50, 60, 51, 61)}, image.Pt(33, 33)},
		{"two boxes", []image.Rectangle{image.Rect(50, 60, 60, 70), image.Rect(200, 300, 210, 310)}, image.Pt(192, 282)},
		{"at the edges", []image.Rectangle{image.Rect(390, 590, 400, 600), image.Rect(5, 5, 6, 6)}, image.Pt(400, 600)},
	} {
		p, err := cut(encoded(t, page(400, 600, c.boxes...)))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		img, err := png.Decode(bytes.NewReader(p.Data))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := img.Bounds().Size(); got != c.want || p.Width != c.want.X || p.Height != c.want.Y {
			t.Errorf("%s: %v, said to be %d×%d, want %v", c.name, got, p.Width, p.Height, c.want)
		}
	}
	if _, err := cut(encoded(t, page(400, 600))); err == nil {
		t.Error("an empty page is a picture")
	}
}

// TestCutKeepsPixels: what is cut out is what was drawn, to the pixel, with few colours and with many.
func TestCutKeepsPixels(t *testing.T) {
	few := page(300, 300, image.Rect(100, 100, 200, 200))
	many := page(300, 300)
	for y := 100; y < 200; y++ {
		for x := 100; x < 200; x++ {
			many.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), 7, 255})
		}
	}
	for _, img := range []*image.RGBA{few, many} {
		p, err := cut(encoded(t, img))
		if err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(bytes.NewReader(p.Data))
		if err != nil {
			t.Fatal(err)
		}
		for y := range 132 {
			for x := range 132 {
				if want := img.RGBAAt(x+84, y+84); color.RGBAModel.Convert(got.At(x, y)) != want {
					t.Fatalf("at %d,%d: %v, want %v", x, y, got.At(x, y), want)
				}
			}
		}
	}
}

// TestEncodePhotograph: what a PNG takes too many bytes for is a JPEG.
func TestEncodePhotograph(t *testing.T) {
	img := page(700, 700)
	r := rand.New(rand.NewPCG(1, 2))
	for y := 20; y < 680; y++ {
		for x := 20; x < 680; x++ {
			n := uint8(r.IntN(40))
			img.SetRGBA(x, y, color.RGBA{uint8(x/4) + n, uint8(y/4) + n, 90 + n, 255})
		}
	}
	p, err := cut(encoded(t, img))
	if err != nil {
		t.Fatal(err)
	}
	if p.Ext != ".jpg" || len(p.Data) > 300<<10 {
		t.Errorf("%s of %d bytes", p.Ext, len(p.Data))
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(p.Data)); err != nil || c.Width != 692 || c.Height != 692 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzCut(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, page(40, 30, image.Rect(5, 5, 9, 9))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:40])
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := cut(src)
		if err == nil && (p.Width <= 0 || p.Height <= 0 || len(p.Data) == 0) {
			t.Errorf("a picture of %d×%d pixels in %d bytes", p.Width, p.Height, len(p.Data))
		}
	})
}
