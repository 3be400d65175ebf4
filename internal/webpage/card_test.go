package webpage

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/postrider/postrider/internal/media"
)

// drawn returns a PNG.
func drawn(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// moving returns a GIF of two frames.
func moving(t *testing.T, side int) []byte {
	t.Helper()
	frame := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{10, 10}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCard(t *testing.T) {
	small := drawn(t, 40, 30)
	pictures := map[string][]byte{
		"small.png": small, "wide.png": drawn(t, 1500, 800), "tall.png": drawn(t, 3, 2400), "small.gif": moving(t, 10), "large.gif": moving(t, 1300),
		"vector.svg": []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), "broken.png": small[:20], "empty.png": {}, "page.png": []byte("<html>"),
		"huge.png": append(bytes.Clone(small), make([]byte, maxPicture)...), "paper.pdf": []byte("%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if data, ok := pictures[name]; ok {
			w.Write(data) //nolint:errcheck // a test
			return
		}
		if picture, ok := strings.CutPrefix(name, "of/"); ok {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "<title>Hi</title><meta property=og:image content='/%s'>", picture)
			return
		}
		http.NotFound(w, r)
	}))
	defer server.Close()
	r := open(t, server)
	for name, want := range map[string]string{
		"small.png": "image/png 40×30", "wide.png": "image/jpeg 1200×640", "tall.png": "image/jpeg 2×1200", "small.gif": "image/gif 10×10",
		"large.gif":  "it moves, and is too large as it is: 1300×1300 pixels",
		"vector.svg": "the bytes are no picture", "page.png": "the bytes are no picture", "broken.png": "is damaged", "empty.png": "is empty",
		"huge.png": "it is too large", "paper.pdf": "it is application/pdf: cards have JPEG, PNG, WebP or GIF pictures", "gone.png": "it answers 404 Not Found",
	} {
		card, err := r.Card(t.Context(), server.URL+"/of/"+name)
		if err != nil || card.Title != "Hi" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := fmt.Sprint(card.PictureErr)
		if card.PictureErr == nil {
			info, err := media.ProbeBytes(card.Data)
			if err != nil || info.MIME != card.MIME || info.Bytes > cardBytes {
				t.Errorf("%s: %+v, %v", name, info, err)
			}
			got = fmt.Sprintf("%s %d×%d", card.MIME, info.Width, info.Height)
		}
		if !strings.Contains(got, want) || (card.Data == nil) != (card.PictureErr != nil) {
			t.Errorf("%s: %s", name, got)
		}
		again, err := r.Card(t.Context(), server.URL+"/of/"+name)
		if err != nil || !bytes.Equal(again.Data, card.Data) {
			t.Errorf("%s: another time it is another picture", name)
		}
	}
	if card, err := r.Card(t.Context(), server.URL+"/gone"); err == nil || card.Title != "" {
		t.Errorf("%+v, %v", card, err)
	}
	if card, err := r.Card(t.Context(), server.URL+"/of/small.png"); err != nil || !bytes.Equal(card.Data, small) {
		t.Errorf("a picture that is small enough is another one: %v", err)
	}
}

// A host is asked one question at a time.
func TestOneAfterTheOther(t *testing.T) {
	var now, most atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, strings.Repeat("<!-- -->", 10_000))
		now.Add(-1)
	}))
	defer server.Close()
	r := open(t, server)
	done := make(chan error)
	for i := range 8 {
		go func() {
			_, err := r.Page(t.Context(), fmt.Sprintf("%s/%d", server.URL, i))
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := most.Load(); n != 1 {
		t.Errorf("%d requests at once", n)
	}
}
