package pictures

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
)

const (
	// widest and tallest are the size, in pixels, to which a picture in a card is scaled down: none is shown larger.
	widest, tallest = 1000, 1600
	// mostBytes is the size above which a file is not read.
	mostBytes = 64 << 20
)

// pictureFiles makes the pictures that cards show. What a site has is decoded here, in a language that is safe with such, and encoded anew: no byte of a
// file from a fork reaches the browser.
type pictureFiles struct {
	fitter media.Fitter

	mu   sync.Mutex
	made map[string]func() ([]byte, string) // by the file's path and digest
}

// show returns the name of the file that shows m, and puts it into files; "" when it cannot be shown.
func (f *pictureFiles) show(fsys fs.FS, m platform.Media, files map[string][]byte) string {
	if !strings.HasPrefix(m.MIME, "image/") {
		return ""
	}
	key := m.Path + " " + m.Digest
	f.mu.Lock()
	if f.made == nil {
		f.made = map[string]func() ([]byte, string){}
	}
	once := f.made[key]
	if once == nil {
		once = sync.OnceValues(func() ([]byte, string) { return f.make(fsys, m.Path) })
		f.made[key] = once
	}
	f.mu.Unlock()
	data, ext := once()
	if data == nil {
		return ""
	}
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:8]) + ext
	files[name] = data
	return name
}

// make reads a file and scales it down. Without data it cannot be shown: it is missing, damaged, no picture, or of a kind that is not decoded here. The card
// then has its name.
func (f *pictureFiles) make(fsys fs.FS, name string) (data []byte, ext string) {
	src, err := read(fsys, name)
	if err != nil {
		return nil, ""
	}
	info, err := media.ProbeBytes(src)
	if err != nil || !media.Fits(info.Width, info.Height) {
		return nil, ""
	}
	if info.Animated {
		if src, err = still(src, &info); err != nil {
			return nil, ""
		}
	}
	w, h := info.Width, info.Height
	if w > widest {
		w, h = widest, max(1, h*widest/w)
	}
	if h > tallest {
		w, h = max(1, w*tallest/h), tallest
	}
	r := media.Recipe{Width: w, Height: h, MIME: "image/jpeg", Version: media.Version}
	ext = ".jpg"
	if info.Transparent || info.Animated || info.MIME == "image/gif" {
		r.MIME, ext = "image/png", ".png"
	}
	sum := sha256.Sum256(src)
	if data, err = f.fitter.Fit(hex.EncodeToString(sum[:]), src, r); err != nil {
		return nil, ""
	}
	return data, ext
}

// still returns the first picture of a moving one.
func still(src []byte, info *media.Info) ([]byte, error) {
	var img image.Image
	var err error
	switch info.MIME {
	case "image/gif":
		img, err = gif.Decode(bytes.NewReader(src))
	case "image/png":
		img, err = png.Decode(bytes.NewReader(src))
	default:
		err = media.ErrMoves
	}
	if err != nil {
		return nil, err
	}
	whole := image.NewNRGBA(image.Rect(0, 0, info.Width, info.Height)) // the first picture need not fill it
	draw.Draw(whole, img.Bounds(), img, img.Bounds().Min, draw.Src)
	var b bytes.Buffer
	err = png.Encode(&b, whole)
	return b.Bytes(), err
}

func read(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err == nil && len(src) > mostBytes {
		err = fs.ErrInvalid
	}
	return src, err
}
