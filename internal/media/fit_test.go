package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// photo is a picture with soft areas, edges and noise, as cameras make them.
func photo(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			v := 128 + 60*math.Sin(float64(x)/37)*math.Cos(float64(y)/53)
			if (x/97+y/61)%5 == 0 {
				v = 255 - v
			}
			n := float64(r.IntN(24))
			m.SetRGBA(x, y, color.RGBA{uint8(v/2 + n), uint8(v*0.7 + n), uint8(v*0.9 + n), 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withSegment puts a segment behind a JPEG's start.
func withSegment(jpg []byte, marker byte, payload string) []byte {
	out := append([]byte{0xff, 0xd8, 0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(payload)+2))...)
	return append(append(out, payload...), jpg[2:]...)
}

// corners is a picture whose corners are red, green, blue and white: top left, top right, bottom left, bottom right.
func corners(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			switch {
			case y < h/2 && x < w/2:
				m.SetRGBA(x, y, color.RGBA{255, 0, 0, 255})
			case y < h/2:
				m.SetRGBA(x, y, color.RGBA{0, 255, 0, 255})
			case x < w/2:
				m.SetRGBA(x, y, color.RGBA{0, 0, 255, 255})
			default:
				m.SetRGBA(x, y, color.RGBA{255, 255, 255, 255})
			}
		}
	}
	return m
}

// letters names the colours of a picture's corners, in the order of [corners].
func letters(m image.Image) string {
	var s []byte
	b := m.Bounds()
	for _, y := range []int{b.Min.Y + b.Dy()/4, b.Min.Y + b.Dy()*3/4} {
		for _, x := range []int{b.Min.X + b.Dx()/4, b.Min.X + b.Dx()*3/4} {
			r, g, bl, _ := m.At(x, y).RGBA()
			switch {
			case r > 0xc000 && g > 0xc000 && bl > 0xc000:
				s = append(s, 'w')
			case r > 0xc000:
				s = append(s, 'r')
			case g > 0xc000:
				s = append(s, 'g')
			case bl > 0xc000:
				s = append(s, 'b')
			default:
				s = append(s, '?')
			}
		}
	}
	return string(s)
}

func TestFitOrientation(t *testing.T) {
	upright := [...]string{1: "rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"}
	for o, want := range upright[1:] {
		o++
		source := jpegOf(t, corners(160, 96), 95)
		app := encodeJPEG(t, 8, 6, o, binary.BigEndian)
		size := int(binary.BigEndian.Uint16(app[4:]))
		source = append(bytes.Clone(app[:4+size]), source[2:]...)
		r := Recipe{Width: 80, Height: 48, MIME: "image/jpeg", Version: Version}
		if o >= 5 {
			r.Width, r.Height = 48, 80
		}
		for _, r.MIME = range []string{"image/jpeg", "image/png"} {
			out, err := Fit(source, r)
			if err != nil {
				t.Fatalf("orientation %d: %v", o, err)
			}
			m, _, err := image.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if got := letters(m); got != want || m.Bounds().Dx() != r.Width || m.Bounds().Dy() != r.Height {
				t.Errorf("orientation %d as %s: %s at %v, want %s at %d×%d", o, r.MIME, got, m.Bounds(), want, r.Width, r.Height)
			}
			if bytes.Contains(out, []byte("Exif")) {
				t.Errorf("orientation %d: the EXIF is still there", o)
			}
		}
	}
}

func TestFitLimits(t *testing.T) {
	source := jpegOf(t, photo(900, 700), 95)
	for _, limit := range []int64{0, 200_000, 60_000, 20_000, 3_000, 700} {
		for _, mime := range []string{"image/jpeg", "image/png"} {
			r := Recipe{Width: 450, Height: 350, MIME: mime, MaxBytes: limit, Version: Version}
			out, err := Fit(source, r)
			if err != nil {
				t.Errorf("%d bytes of %s: %v", limit, mime, err)
				continue
			}
			info, err := read(bytes.NewReader(out))
			if err != nil || info.MIME != mime || limit > 0 && info.Bytes > limit || info.Width > 450 || info.Height > 350 {
				t.Errorf("%d bytes of %s became %+v, %v", limit, mime, info, err)
			}
			if again, _ := Fit(source, r); !bytes.Equal(again, out) {
				t.Errorf("%d bytes of %s: the second time it is another picture", limit, mime)
			}
		}
	}
	if _, err := Fit(source, Recipe{Width: 450, Height: 350, MIME: "image/jpeg", MaxBytes: 10, Version: Version}); !errors.Is(err, ErrUnfit) {
		t.Errorf("ten bytes: %v", err)
	}
}

func TestFitRefuses(t *testing.T) {
	still := jpegOf(t, corners(40, 30), 80)
	ok := Recipe{Width: 20, Height: 15, MIME: "image/jpeg", Version: Version}
	huge := encodePNG(t, 3, 2)
	binary.BigEndian.PutUint32(huge[16:], 40_000)
	binary.BigEndian.PutUint32(huge[20:], 40_000)
	binary.BigEndian.PutUint32(huge[29:], crc(huge[12:29]))
	tests := map[string]struct {
		source []byte
		r      Recipe
		want   error
	}{
		"nothing":         {nil, ok, ErrEmpty},
		"words":           {[]byte("hello"), ok, ErrNotMedia},
		"cut off":         {still[:len(still)-20], ok, ErrBroken},
		"damaged":         {append(bytes.Clone(still[:len(still)-400]), 0xff, 0xd9), ok, ErrBroken},
		"moving":          {encodeGIF(t, 3), Recipe{Width: 2, Height: 2, MIME: "image/png", Version: Version}, ErrMoves},
		"larger":          {still, Recipe{Width: 80, Height: 60, MIME: "image/jpeg", Version: Version}, ErrUnfit},
		"no size":         {still, Recipe{MIME: "image/jpeg", Version: Version}, ErrUnfit},
		"a film":          {still, Recipe{Width: 20, Height: 15, MIME: "video/mp4", Version: Version}, ErrUnfit},
		"another version": {still, Recipe{Width: 20, Height: 15, MIME: "image/jpeg"}, ErrUnfit},
		"a bomb":          {huge, Recipe{Width: 20, Height: 20, MIME: "image/jpeg", Version: Version}, ErrBomb},
		"too large":       {sizedPNG(t, 10_000, 10_000), Recipe{Width: 20, Height: 20, MIME: "image/jpeg", Version: Version}, ErrTooManyPixels},
		"on its side":     {encodeJPEG(t, 8, 6, 6, binary.BigEndian), Recipe{MIME: "image/jpeg", StripOnly: true, Version: Version}, ErrUnfit},
		"another type":    {still, Recipe{MIME: "image/png", StripOnly: true, Version: Version}, ErrUnfit},
		"stays too large": {still, Recipe{MIME: "image/jpeg", StripOnly: true, MaxBytes: 100, Version: Version}, ErrUnfit},
	}
	for name, tt := range tests {
		if out, err := Fit(tt.source, tt.r); !errors.Is(err, tt.want) || out != nil {
			t.Errorf("%s: %d bytes, %v; want %v", name, len(out), err, tt.want)
		}
	}
}

func TestFitTransparency(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			m.SetNRGBA(x, y, color.NRGBA{200, 40, 90, uint8(x * 4)})
		}
	}
	source := pngOf(t, m)
	out, err := Fit(source, Recipe{Width: 32, Height: 32, MIME: "image/png", Version: Version})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := image.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for x := 8; x < 32; x += 5 { // where there is enough of the colour left
		c := color.NRGBAModel.Convert(got.At(x, 16)).(color.NRGBA)
		if near := func(a, b uint8, by int) bool { return int(a)-int(b) <= by && int(b)-int(a) <= by }; !near(c.R, 200, 4) || !near(c.G, 40, 4) || !near(c.B, 90, 4) || !near(c.A, uint8(x*8+2), 3) {
			t.Errorf("at %d it is %v", x, c)
		}
	}
	out, err = Fit(source, Recipe{Width: 64, Height: 64, MIME: "image/jpeg", Version: Version})
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err = image.Decode(bytes.NewReader(out)); err != nil {
		t.Fatal(err)
	}
	if r, g, b, _ := got.At(1, 30).RGBA(); r < 0xf000 || g < 0xf000 || b < 0xf000 {
		t.Errorf("what was transparent is %v and not white", got.At(1, 30))
	}
}

// TestScalePlain holds that a plain area keeps its colour at any size, whatever the filter rounds.
func TestScalePlain(t *testing.T) {
	for _, v := range []uint8{0, 1, 127, 254, 255} {
		p := plane{pix: bytes.Repeat([]byte{v}, 203*157), w: 203, h: 157, stride: 203, n: 1, sx: 1, sy: 1}
		for _, size := range [][2]int{{203, 157}, {202, 156}, {101, 78}, {40, 30}, {1, 1}, {203, 1}} {
			out := p.scale(size[0], size[1], 203/float64(size[0]), 157/float64(size[1]))
			if len(out.pix) != size[0]*size[1] {
				t.Fatalf("%v: %d bytes", size, len(out.pix))
			}
			for i, got := range out.pix {
				if got != v {
					t.Fatalf("%d at %v becomes %d at %d", v, size, got, i)
				}
			}
		}
	}
}

func TestStrip(t *testing.T) {
	still := jpegOf(t, corners(40, 30), 80)
	profile := fakeProfile("RGB ", 70_000)
	secret := "Exif\x00\x00 GPS 47.3769 N 8.5417 E"
	jpg := withProfileJPEG(still, profile)
	dirty := withSegment(withSegment(withSegment(withSegment(jpg, 0xe1, secret), 0xfe, "GPS too"), 0xed, "Photoshop 3.0\x00GPS"), 0xe2, "MPF\x00GPS")
	dirty = append(dirty, "\x00\x00ftypmp42 GPS"...)
	picture := encodePNG(t, 30, 20)
	said := insertPNG(t, insertPNG(t, picture, "eXIf", secret), "iTXt", "GPS")
	webp := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x0c\x00\x00\x00\x06\x00\x00\x05\x00\x00"), "VP8 \x04\x00\x00\x00abcdEXIF\x03\x00\x00\x00GPS\x00XMP \x04\x00\x00\x00 GPS"...)
	binary.LittleEndian.PutUint32(webp[4:], uint32(len(webp)-8))
	bare := append([]byte("RIFF\x22\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x05\x00\x00"), "VP8 \x04\x00\x00\x00abcd"...)
	for name, tt := range map[string]struct{ dirty, want []byte }{
		"image/jpeg": {dirty, jpg}, "image/png": {append(said, "GPS"...), picture}, "image/webp": {webp, bare},
	} {
		info, err := examine(tt.dirty)
		if err != nil || !info.Metadata {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		out, err := Fit(tt.dirty, Recipe{MIME: name, StripOnly: true, Version: Version})
		if err != nil || !bytes.Equal(out, tt.want) {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(out), err, len(tt.want))
		}
		if info, err = examine(out); err != nil || info.Metadata {
			t.Errorf("%s afterwards: %+v, %v", name, info, err)
		}
	}
}

// fakeProfile has the header of a colour profile.
func fakeProfile(space string, size int) []byte {
	p := make([]byte, size)
	copy(p[16:], space)
	copy(p[36:], "acsp")
	p[size-1] = 7
	return p
}

func TestColourProfile(t *testing.T) {
	rgb, cmyk := fakeProfile("RGB ", 70_000), fakeProfile("CMYK", 500)
	still := jpegOf(t, corners(40, 30), 80)
	for _, mime := range []string{"image/jpeg", "image/png"} {
		r := Recipe{Width: 20, Height: 15, MIME: mime, Version: Version}
		for name, source := range map[string][]byte{"JPEG": withProfileJPEG(still, rgb), "PNG": withProfilePNG(pngOf(t, corners(40, 30)), rgb)} {
			out, err := Fit(source, r)
			if err != nil {
				t.Fatal(err)
			}
			if got := colourProfile(out, mime); !bytes.Equal(got, rgb) {
				t.Errorf("%s to %s: a profile of %d bytes, want %d", name, mime, len(got), len(rgb))
			}
			if _, _, err := image.Decode(bytes.NewReader(out)); err != nil {
				t.Errorf("%s to %s: %v", name, mime, err)
			}
		}
		out, err := Fit(withProfileJPEG(still, cmyk), r)
		if err != nil || colourProfile(out, mime) != nil {
			t.Errorf("a profile for other colours: %v", err)
		}
	}
}

// TestVersion holds what Fit makes. When it fails because Fit or the encoders work otherwise, count [Version] up and note the new digests.
func TestVersion(t *testing.T) {
	source := jpegOf(t, photo(300, 200), 90)
	for mime, want := range map[string]string{
		"image/jpeg": "07d58902ec29c3af",
		"image/png":  "5dd38634a8ddcfa0",
	} {
		out, err := Fit(source, Recipe{Width: 120, Height: 80, MIME: mime, MaxBytes: 9000, Version: 1})
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(out); hex.EncodeToString(sum[:8]) != want {
			t.Errorf("%s: %x", mime, sum[:8])
		}
	}
}

func TestFitter(t *testing.T) {
	source := jpegOf(t, photo(300, 200), 90)
	sum := sha256.Sum256(source)
	digest := hex.EncodeToString(sum[:])
	r := Recipe{Width: 120, Height: 80, MIME: "image/jpeg", Version: Version}
	want, err := Fit(source, r)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "pictures")
	f := &Fitter{Dir: dir, Memory: 1 << 20}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := f.Fit(digest, source, r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the folder has %v, %v", files, err)
	}
	// What the folder has is taken without a look at the source.
	if got, err := (&Fitter{Dir: dir}).Fit(digest, nil, r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("from the folder: %d bytes, %v", len(got), err)
	}
	// A file that somebody changed is no picture of ours.
	file, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	file[len(file)-10] ^= 1
	if err := os.WriteFile(files[0], file, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := (&Fitter{Dir: dir}).Fit(digest, source, r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("from a changed file: %d bytes, %v", len(got), err)
	}
	// Errors are told and not kept in the folder.
	if _, err := f.Fit("x", []byte("x"), r); !errors.Is(err, ErrNotMedia) {
		t.Errorf("no picture: %v", err)
	}
	small := &Fitter{Memory: int64(len(want))}
	for _, width := range []int{120, 90, 120} {
		r.Width, r.Height = width, width*2/3
		if _, err := small.Fit(digest, source, r); err != nil {
			t.Fatal(err)
		}
	}
	if small.bytes > small.Memory || len(small.made) != len(small.order) {
		t.Errorf("%d bytes are kept in %d and %d", small.bytes, len(small.made), len(small.order))
	}
}

func FuzzFit(f *testing.F) {
	jpg := jpegOf(f, corners(40, 30), 80)
	f.Add(jpg, 20, 15, int64(0), 0)
	f.Add(withProfileJPEG(jpg, fakeProfile("RGB ", 200)), 20, 15, int64(500), 1)
	f.Add(withSegment(jpg, 0xe1, "Exif\x00\x00"), 0, 0, int64(0), 2)
	f.Add(pngOf(f, corners(20, 20)), 7, 7, int64(100), 0)
	f.Add(withProfilePNG(pngOf(f, corners(20, 20)), fakeProfile("RGB ", 200)), 7, 7, int64(0), 1)
	f.Add(encodeGIF(f, 1), 3, 3, int64(0), 1)
	f.Add(webpVP8X(0x1c), 3, 3, int64(0), 2)
	f.Fuzz(func(t *testing.T, source []byte, w, h int, most int64, kind int) {
		if info, err := examine(source); err == nil && info.Width*info.Height > 1<<20 {
			return // slow, and no other code
		}
		r := Recipe{Width: w, Height: h, MIME: "image/jpeg", MaxBytes: most, Version: Version}
		switch kind & 3 {
		case 1:
			r.MIME = "image/png"
		case 2:
			r.StripOnly, r.MIME = true, sniff(source)
		}
		out, err := Fit(source, r)
		if err != nil {
			return
		}
		if most > 0 && int64(len(out)) > most {
			t.Errorf("%d bytes are more than %d", len(out), most)
		}
		info, err := examine(out)
		if err != nil || info.MIME != r.MIME || info.Metadata || info.Turned {
			t.Errorf("it became %+v, %v", info, err)
		}
	})
}

// BenchmarkFit makes a photograph of 12 megapixels fit.
func BenchmarkFit(b *testing.B) {
	source := jpegOf(b, photo(4000, 3000), 90)
	b.SetBytes(int64(len(source)))
	for b.Loop() {
		if _, err := Fit(source, Recipe{Width: 2000, Height: 1500, MIME: "image/jpeg", MaxBytes: 1_000_000, Version: Version}); err != nil {
			b.Fatal(err)
		}
	}
}

func crc(chunk []byte) uint32 { return crc32.ChecksumIEEE(chunk) }

func TestClean(t *testing.T) {
	still := jpegOf(t, corners(40, 30), 80)
	for name, tt := range map[string]struct {
		source []byte
		want   Recipe
		ok     bool
	}{
		"clean":       {still, Recipe{}, false},
		"words":       {[]byte("words"), Recipe{}, false},
		"GIF":         {encodeGIF(t, 2), Recipe{}, false},
		"a comment":   {withSegment(still, 0xfe, "GPS"), Recipe{Width: 40, Height: 30, MIME: "image/jpeg", StripOnly: true, Version: Version}, true},
		"on its side": {encodeJPEG(t, 8, 6, 6, binary.BigEndian), Recipe{Width: 6, Height: 8, MIME: "image/jpeg", Version: Version}, true},
	} {
		got, ok := Clean(tt.source)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
		if !ok {
			continue
		}
		out, err := Fit(tt.source, got)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, ok := Clean(out); ok {
			t.Errorf("%s is still not clean: %+v", name, again)
		}
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add(Recipe{Width: 2000, Height: 1500, MIME: "image/jpeg", MaxBytes: 2_000_000, Version: Version}.String())
	f.Add(Recipe{Width: 20, Height: 15, MIME: "image/png", StripOnly: true, Version: Version}.String())
	f.Add("0x0-0-v0-")
	f.Add("+1x1-0-v1-jpeg\n")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRecipe(s)
		if err != nil {
			return
		}
		if again, err := ParseRecipe(r.String()); err != nil || again != r || r.String() != s {
			t.Errorf("%q is %+v, and that %+v, %v", s, r, again, err)
		}
	})
}
