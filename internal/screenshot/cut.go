package screenshot

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
)

// Picture is a page as it looks.
type Picture struct {
	Data          []byte
	Ext           string // how a file of it is called: ".png" or ".jpg"
	Width, Height int
}

const (
	// margin is how many pixels of the page's own colour stay around what is on it.
	margin = 16
	// large is how many bytes a PNG may have before a JPEG is tried: photographs make it large. It must be smaller by half to be worth the
	// edges that it blurs.
	large   = 400 << 10
	quality = 85
)

// cut makes the picture out of what the browser has drawn: without the empty window around what is on the page.
func cut(src []byte) (*Picture, error) {
	c, err := png.DecodeConfig(bytes.NewReader(src))
	if err == nil && (c.Width > 2*Width || c.Height > 2*Height) {
		err = fmt.Errorf("it has %d×%d pixels", c.Width, c.Height)
	}
	if err != nil {
		return nil, fmt.Errorf("the browser's picture cannot be used: %w", err)
	}
	img, err := png.Decode(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("the browser's picture cannot be used: %w", err)
	}
	whole := opaque(img)
	box := inked(whole)
	if box.Empty() {
		return nil, errors.New("the browser has drawn an empty page")
	}
	box = box.Inset(-margin).Intersect(whole.Rect)
	part, _ := whole.SubImage(box).(*image.RGBA)
	return encode(part)
}

// opaque returns a picture as pixels that can be compared.
func opaque(img image.Image) *image.RGBA {
	if m, ok := img.(*image.RGBA); ok && m.Opaque() && m.Rect.Min == (image.Point{}) {
		return m
	}
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, b.Min, draw.Over)
	return out
}

// inked returns the smallest box around all pixels that have another colour than the corner.
func inked(img *image.RGBA) image.Rectangle {
	if img.Rect.Empty() {
		return image.Rectangle{}
	}
	empty := bytes.Repeat(img.Pix[:4], img.Rect.Dx())
	box := image.Rectangle{Min: img.Rect.Max}
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:len(empty)]
		if bytes.Equal(row, empty) {
			continue
		}
		first, last := 0, len(row)-4
		for ; bytes.Equal(row[first:first+4], empty[:4]); first += 4 {
		}
		for ; bytes.Equal(row[last:last+4], empty[:4]); last -= 4 {
		}
		box.Min.X, box.Max.X = min(box.Min.X, first/4), max(box.Max.X, last/4+1)
		box.Min.Y, box.Max.Y = min(box.Min.Y, y), y+1
	}
	return box
}

// encode writes a picture as small as it looks the same.
func encode(img *image.RGBA) (*Picture, error) {
	p := &Picture{Ext: ".png", Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	var b bytes.Buffer
	if err := png.Encode(&b, fewColours(img)); err != nil {
		return nil, err
	}
	p.Data = b.Bytes()
	if len(p.Data) <= large {
		return p, nil
	}
	var j bytes.Buffer
	if err := jpeg.Encode(&j, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	if j.Len() < len(p.Data)/2 {
		p.Data, p.Ext = j.Bytes(), ".jpg"
	}
	return p, nil
}

// fewColours returns a picture that has no more than 256 colours with a palette, which takes a fraction of the bytes, and every other as it is.
func fewColours(img *image.RGBA) image.Image {
	index := map[color.RGBA]uint8{}
	var palette color.Palette
	out := image.NewPaletted(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()), nil)
	for y := range out.Rect.Dy() {
		row := img.Pix[y*img.Stride:]
		for x := range out.Rect.Dx() {
			c := color.RGBA{row[4*x], row[4*x+1], row[4*x+2], 255}
			i, ok := index[c]
			if !ok {
				if len(palette) == 256 {
					return img
				}
				i = uint8(len(palette))
				index[c] = i
				palette = append(palette, c)
			}
			out.Pix[y*out.Stride+x] = i
		}
	}
	out.Palette = palette
	return out
}
