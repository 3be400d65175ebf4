package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"strings"

	"golang.org/x/image/webp"
)

// MaxPixels is the largest picture that [Fit] decodes: a small file can unfold into any size.
const MaxPixels = 80_000_000

// Version is that of the way in which [Fit] works. Whoever changes a byte of what Fit returns counts it up, so that what was
// reviewed and what is cached is not mistaken for what is sent.
const Version = 1

// The qualities at which a JPEG is encoded: the first, and the one below which it is rather scaled down.
const (
	bestJPEG  = 88
	worstJPEG = 60
)

// The errors that Fit wraps, besides [ErrNotMedia] and [ErrBroken].
var (
	ErrTooManyPixels = fmt.Errorf("the picture has more than %d million pixels", MaxPixels/1_000_000)
	ErrMoves         = errors.New("a moving picture is not changed")
	ErrUnfit         = errors.New("the picture cannot be made to fit")
)

// Recipe is how a picture is changed. The zero Recipe is not valid.
type Recipe struct {
	Width    int    // in pixels, as shown: the EXIF orientation applied
	Height   int    //
	MIME     string // what it becomes: "image/jpeg" or "image/png"; with StripOnly what it is
	MaxBytes int64  // the quality is lowered, and then the picture scaled down, until it is no larger; 0: no limit
	// StripOnly leaves the picture itself as it is, bit for bit, and takes out what a camera or a program wrote beside it: EXIF with its
	// places, XMP, IPTC, comments, previews, and whatever follows the picture's end. Colour profiles stay.
	StripOnly bool
	Version   int // [Version]
}

// String returns the recipe as text without spaces, for [ParseRecipe].
func (r Recipe) String() string {
	kind := strings.TrimPrefix(r.MIME, "image/")
	if r.StripOnly {
		kind += "-strip"
	}
	return fmt.Sprintf("%dx%d-%d-v%d-%s", r.Width, r.Height, r.MaxBytes, r.Version, kind)
}

// ParseRecipe reads what [Recipe.String] wrote.
func ParseRecipe(s string) (Recipe, error) {
	var r Recipe
	var kind string
	if _, err := fmt.Sscanf(s, "%dx%d-%d-v%d-%s", &r.Width, &r.Height, &r.MaxBytes, &r.Version, &kind); err != nil {
		return Recipe{}, fmt.Errorf("%q is no recipe", s)
	}
	kind, r.StripOnly = strings.CutSuffix(kind, "-strip")
	r.MIME = "image/" + kind
	if r.String() != s {
		return Recipe{}, fmt.Errorf("%q is no recipe", s)
	}
	return r, nil
}

// Fit returns the picture that the recipe makes of source. The same bytes and recipe give the same bytes. Whatever a camera wrote beside
// the picture is gone, and the picture stands upright; a colour profile that still describes the colours stays. Errors wrap one of the errors of this
// package.
func Fit(source []byte, r Recipe) ([]byte, error) {
	in, err := examine(source)
	switch {
	case err != nil:
		return nil, err
	case r.Version != Version:
		return nil, fmt.Errorf("%w: the recipe is version %d, and this is version %d", ErrUnfit, r.Version, Version)
	case r.StripOnly:
		return strip(source, in, r)
	case in.Animated:
		return nil, ErrMoves
	case r.Width <= 0 || r.Height <= 0 || r.Width > in.Width || r.Height > in.Height:
		return nil, fmt.Errorf("%w: %d×%d pixels do not become %d×%d", ErrUnfit, in.Width, in.Height, r.Width, r.Height)
	case !Fits(in.Width, in.Height):
		return nil, ErrTooManyPixels
	}
	decoded, err := decode(source, in.MIME)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	picture := pictureOf(decoded, in.MIME)
	turn := 1
	var profile []byte
	if in.MIME == "image/jpeg" {
		turn = orientation(source)
	}
	if profile = colourProfile(source, in.MIME); !picture.describedBy(profile) {
		profile = nil
	}
	switch r.MIME {
	case "image/jpeg":
		return toJPEG(picture, r, turn, profile)
	case "image/png":
		return toPNG(picture, r, turn, profile)
	default:
		return nil, fmt.Errorf("%w: nothing becomes %q", ErrUnfit, r.MIME)
	}
}

// Clean returns the recipe that takes out of a picture what was written beside it and changes nothing else, but that it stands upright. There is
// none for what has nothing such, and for what is no picture that Fit decodes.
func Clean(source []byte) (Recipe, bool) {
	in, err := examine(source)
	if err != nil || !in.Metadata && !in.Turned {
		return Recipe{}, false
	}
	return Recipe{Width: in.Width, Height: in.Height, MIME: in.MIME, StripOnly: !in.Turned, Version: Version}, true
}

// Fits reports whether a picture of that size is small enough for [Fit].
func Fits(width, height int) bool {
	return width > 0 && height > 0 && int64(width)*int64(height) <= MaxPixels
}

// examine probes bytes, but does not digest them.
func examine(source []byte) (Info, error) {
	if len(source) == 0 {
		return Info{}, ErrEmpty
	}
	info := Info{MIME: sniff(source[:min(len(source), sniffed)]), Bytes: int64(len(source))}
	if info.MIME == "" {
		return Info{}, ErrNotMedia
	}
	if err := info.measure(newReader(bytes.NewReader(source))); err != nil {
		return Info{}, damaged(err)
	}
	return info, nil
}

func decode(source []byte, mime string) (image.Image, error) {
	r := bytes.NewReader(source)
	switch mime {
	case "image/jpeg":
		return jpeg.Decode(r)
	case "image/png":
		return png.Decode(r)
	case "image/gif":
		return gif.Decode(r)
	case "image/webp":
		return webp.Decode(r)
	}
	return nil, fmt.Errorf("there is no decoder for %s", mime)
}

// raster is a picture, as planes of bytes: Y, Cb and Cr, of which the last two may be smaller; grey alone; or one plane of premultiplied
// red, green, blue and alpha.
type raster struct {
	w, h   int
	planes []plane
	rgba   bool
}

// pictureOf takes a decoded picture's planes over, where it has such, and may change them.
func pictureOf(img image.Image, mime string) raster {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	whole := func(pix []uint8, stride int) plane {
		return plane{pix: pix, w: w, h: h, stride: stride, n: 4, sx: 1, sy: 1}
	}
	switch m := img.(type) {
	case *image.YCbCr:
		if mime == "image/webp" { // VP8 leaves room above and below, RFC 6386 section 9.2; what image.YCbCr means does not
			widen(m)
		}
		return raster{w: w, h: h, planes: planesOf(m)}
	case *image.Gray:
		return raster{w: w, h: h, planes: []plane{{pix: m.Pix, w: w, h: h, stride: m.Stride, n: 1, sx: 1, sy: 1}}}
	case *image.RGBA:
		return raster{w: w, h: h, rgba: true, planes: []plane{whole(m.Pix, m.Stride)}}
	case *image.NRGBA:
		premultiply(m.Pix)
		return raster{w: w, h: h, rgba: true, planes: []plane{whole(m.Pix, m.Stride)}}
	case *image.NYCbCrA:
		widen(&m.YCbCr)
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, img, b.Min, draw.Src)
	return raster{w: w, h: h, rgba: true, planes: []plane{whole(m.Pix, m.Stride)}}
}

func planesOf(m *image.YCbCr) []plane {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	sx, sy := 1, 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		sx = 2
	case image.YCbCrSubsampleRatio420:
		sx, sy = 2, 2
	case image.YCbCrSubsampleRatio440:
		sy = 2
	case image.YCbCrSubsampleRatio411:
		sx = 4
	case image.YCbCrSubsampleRatio410:
		sx, sy = 4, 2
	}
	y := plane{pix: m.Y, w: w, h: h, stride: m.YStride, n: 1, sx: 1, sy: 1}
	c := plane{w: (w + sx - 1) / sx, h: (h + sy - 1) / sy, stride: m.CStride, n: 1, sx: sx, sy: sy}
	cb, cr := c, c
	cb.pix, cr.pix = m.Cb, m.Cr
	return []plane{y, cb, cr}
}

// widen makes of 16–235 and 16–240, which video uses, what pictures use: 0–255.
func widen(m *image.YCbCr) {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = uint8(min(255, max(0, ((i-16)*255+109)/219)))
		chroma[i] = uint8(min(255, max(0, math.Round(float64(i-128)*255/224)+128)))
	}
	for i, v := range m.Y {
		m.Y[i] = luma[v]
	}
	for i, v := range m.Cb {
		m.Cb[i] = chroma[v]
	}
	for i, v := range m.Cr {
		m.Cr[i] = chroma[v]
	}
}

func premultiply(pix []uint8) {
	for p := pix; len(p) >= 4; p = p[4:] {
		if a := uint32(p[3]); a != 255 {
			p[0] = uint8((uint32(p[0])*a + 127) / 255)
			p[1] = uint8((uint32(p[1])*a + 127) / 255)
			p[2] = uint8((uint32(p[2])*a + 127) / 255)
		}
	}
}

// scaled returns the picture at w×h pixels before it is turned upright, and turned. Chroma is halved, as JPEG encodes it.
func (r *raster) scaled(w, h, turn int) image.Image {
	if turn >= 5 {
		w, h = h, w
	}
	kx, ky := float64(r.w)/float64(w), float64(r.h)/float64(h)
	at := func(p *plane, div int) plane {
		return upright(p.scale((w+div-1)/div, (h+div-1)/div, kx*float64(div)/float64(p.sx), ky*float64(div)/float64(p.sy)), turn)
	}
	first := at(&r.planes[0], 1)
	rect := image.Rect(0, 0, first.w, first.h)
	switch {
	case r.rgba:
		return &image.RGBA{Pix: first.pix, Stride: first.stride, Rect: rect}
	case len(r.planes) == 1:
		return &image.Gray{Pix: first.pix, Stride: first.stride, Rect: rect}
	}
	cb, cr := at(&r.planes[1], 2), at(&r.planes[2], 2)
	return &image.YCbCr{
		Y: first.pix, Cb: cb.pix, Cr: cr.pix, YStride: first.stride, CStride: cb.stride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: rect,
	}
}

// describedBy reports whether a colour profile is one for the colours that the raster has (ICC.1:2022, section 7.2.6).
func (r *raster) describedBy(profile []byte) bool {
	if len(profile) < 132 || string(profile[36:40]) != "acsp" {
		return false
	}
	if len(r.planes) == 1 && !r.rgba {
		return string(profile[16:20]) == "GRAY"
	}
	return string(profile[16:20]) == "RGB "
}

// toJPEG encodes a picture. Quality falls before size does.
func toJPEG(picture raster, r Recipe, turn int, profile []byte) ([]byte, error) {
	for w, h := r.Width, r.Height; ; {
		img := picture.scaled(w, h, turn)
		if m, ok := img.(*image.RGBA); ok {
			onWhite(m.Pix)
		}
		var smallest int64
		for quality := bestJPEG; ; {
			var b bytes.Buffer
			b.Grow(w * h / 3)
			if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
			}
			out := withProfileJPEG(b.Bytes(), profile)
			smallest = int64(len(out))
			if r.MaxBytes <= 0 || smallest <= r.MaxBytes {
				return out, nil
			}
			if quality == worstJPEG {
				break
			}
			quality = lowerQuality(quality, float64(r.MaxBytes)/float64(smallest))
		}
		var ok bool
		if w, h, ok = smaller(w, h, r.MaxBytes, smallest); !ok {
			return nil, ErrUnfit
		}
	}
}

// relativeSize is how large a photograph becomes at the qualities from worstJPEG to bestJPEG in steps of four, of its size at bestJPEG: medians of what was measured.
var relativeSize = [...]float64{0.43, 0.46, 0.49, 0.53, 0.58, 0.66, 0.79, 1}

// lowerQuality returns the quality at which a picture is expected to become ratio of its size at the given one: always lower.
func lowerQuality(quality int, ratio float64) int {
	sizeAt := func(q int) float64 {
		i := min((q-worstJPEG)/4, len(relativeSize)-2)
		f := float64(q-worstJPEG-4*i) / 4
		return relativeSize[i]*(1-f) + relativeSize[i+1]*f
	}
	want := sizeAt(quality) * ratio * 0.98 // rather a step lower than once more
	for quality--; quality > worstJPEG && sizeAt(quality) > want; quality-- {
	}
	return quality
}

// smaller returns the size at which a picture that is too large is tried next.
func smaller(w, h int, want, have int64) (int, int, bool) {
	k := min(0.95, math.Sqrt(float64(want)/float64(have))*0.98)
	nw, nh := int(float64(w)*k), int(float64(h)*k)
	return max(1, nw), max(1, nh), nw > 0 || nh > 0
}

// toPNG encodes a picture; only its size can fall.
func toPNG(picture raster, r Recipe, turn int, profile []byte) ([]byte, error) {
	for w, h := r.Width, r.Height; ; {
		img := picture.scaled(w, h, turn)
		switch m := img.(type) {
		case *image.YCbCr: // PNG has no such planes
			rgb := image.NewRGBA(m.Rect)
			draw.Draw(rgb, rgb.Rect, m, image.Point{}, draw.Src)
			img = rgb
		case *image.RGBA:
			if !m.Opaque() {
				img = straight(m)
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnfit, err)
		}
		out := withProfilePNG(b.Bytes(), profile)
		if r.MaxBytes <= 0 || int64(len(out)) <= r.MaxBytes {
			return out, nil
		}
		var ok bool
		if w, h, ok = smaller(w, h, r.MaxBytes, int64(len(out))); !ok {
			return nil, ErrUnfit
		}
	}
}

// onWhite puts premultiplied pixels on white: JPEG knows no transparency.
func onWhite(pix []uint8) {
	for p := pix; len(p) >= 4; p = p[4:] {
		if rest := 255 - p[3]; rest != 0 {
			p[0], p[1], p[2], p[3] = p[0]+rest, p[1]+rest, p[2]+rest, 255
		}
	}
}

// straight returns the picture as PNG stores it, not premultiplied.
func straight(m *image.RGBA) *image.NRGBA {
	out := &image.NRGBA{Pix: bytes.Clone(m.Pix), Stride: m.Stride, Rect: m.Rect}
	for p := out.Pix; len(p) >= 4; p = p[4:] {
		c := color.NRGBAModel.Convert(color.RGBA{p[0], p[1], p[2], p[3]}).(color.NRGBA)
		p[0], p[1], p[2] = c.R, c.G, c.B
	}
	return out
}
