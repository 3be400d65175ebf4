package apihttp

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"testing"
	"testing/fstest"

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
