package apihttp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"testing"
	"testing/fstest"

	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
)

func TestReadMedia(t *testing.T) {
	data := []byte("a picture")
	sum := sha256.Sum256(data)
	m := platform.Media{Path: "content/a.png", Digest: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}
	got, err := ReadMedia(fstest.MapFS{m.Path: {Data: data}}, m)
	if err != nil || string(got) != string(data) {
		t.Errorf("got %q, %v", got, err)
	}
	for name, fsys := range map[string]fstest.MapFS{
		"missing": {}, "other": {m.Path: {Data: []byte("b picture")}}, "longer": {m.Path: {Data: []byte("a picture!")}}, "a folder": {m.Path: {Mode: fs.ModeDir}},
	} {
		_, err := ReadMedia(fsys, m)
		if e, ok := errors.AsType[*platform.Error](err); !ok || e.Outcome != platform.Unsent {
			t.Errorf("%s: got %v, want an unsent error", name, err)
		}
	}
}

func TestMultipart(t *testing.T) {
	m := platform.Media{Path: "content/ä \"b\".png", MIME: "image/png"}
	body, contentType, err := Multipart([]Field{{"description", "Ein Schlitten\r\n"}}, "file", m, []byte("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	form, err := multipart.NewReader(body, params["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if got := form.Value["description"]; len(got) != 1 || got[0] != "Ein Schlitten\r\n" {
		t.Errorf("description %q", got)
	}
	files := form.File["file"]
	if len(files) != 1 || files[0].Filename != "ä \"b\".png" || files[0].Header.Get("Content-Type") != "image/png" {
		t.Fatalf("files %+v", files)
	}
	f, err := files[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(f); err != nil || string(data) != "bytes" {
		t.Errorf("got %q, %v", data, err)
	}
}

// TestReadMediaFits holds that what is sent is what Fit makes of the file that was reviewed, by whoever remembers such pictures.
func TestReadMediaFits(t *testing.T) {
	var source bytes.Buffer
	if err := jpeg.Encode(&source, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(source.Bytes())
	m := platform.Media{
		Path: "content/a.jpg", Digest: hex.EncodeToString(sum[:]), MIME: "image/jpeg", Width: 40, Height: 30, Bytes: int64(source.Len()),
		Fit: &platform.Fit{Width: 20, Height: 15, MIME: "image/png", Version: media.Version},
	}
	files := fstest.MapFS{m.Path: {Data: source.Bytes()}}
	want, err := media.Fit(source.Bytes(), media.Recipe(*m.Fit))
	if err != nil {
		t.Fatal(err)
	}
	remembering := &rememberer{FS: files}
	for name, fsys := range map[string]fs.FS{"alone": files, "with a memory": remembering} {
		if got, err := ReadMedia(fsys, m); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
	if remembering.asked != m.Digest {
		t.Errorf("the memory was asked for %q", remembering.asked)
	}
	if sent := m.Sent(); sent.MIME != "image/png" || sent.Width != 20 || sent.Height != 15 {
		t.Errorf("it is said to be %+v", sent)
	}
	_, form, err := Multipart(nil, "file", m, want)
	if err != nil || form == "" {
		t.Fatal(err)
	}
	if name := fileName(m); name != "a.png" {
		t.Errorf("it is called %q", name)
	}
	m.Fit.MaxBytes = 1
	if _, err := ReadMedia(files, m); platform.OutcomeOf(err) != platform.Unsent {
		t.Errorf("what cannot be made to fit: %v", err)
	}
	files[m.Path].Data = append(source.Bytes(), 0)
	if _, err := ReadMedia(remembering, m); err == nil {
		t.Error("another file than the reviewed one was taken")
	}
}

type rememberer struct {
	fs.FS
	media.Fitter
	asked string
}

func (r *rememberer) Fit(digest string, source []byte, recipe media.Recipe) ([]byte, error) {
	r.asked = digest
	return r.Fitter.Fit(digest, source, recipe)
}
