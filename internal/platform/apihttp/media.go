package apihttp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/textproto"
	"path"

	"github.com/postrider/postrider/internal/platform"
)

// ReadMedia returns the bytes of a rendering's media. Bytes other than those that were rendered, and
// so reviewed, are refused: the error is a *[platform.Error], Unsent.
func ReadMedia(fsys fs.FS, m platform.Media) ([]byte, error) {
	fail := func(err error) error {
		return &platform.Error{Outcome: platform.Unsent, Op: "read " + m.Path, Err: err}
	}
	file, err := fsys.Open(m.Path)
	if err != nil {
		return nil, fail(err)
	}
	defer file.Close() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, m.Bytes+1))
	if err != nil {
		return nil, fail(err)
	}
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != m.Digest {
		return nil, fail(fmt.Errorf("the file changed since it was rendered"))
	}
	return data, nil
}

// Field is one name and value of a form whose order matters.
type Field struct{ Name, Value string }

// Multipart returns a multipart/form-data body with the fields and one file, and its content type.
func Multipart(fields []Field, fileField string, m platform.Media, data []byte) (io.Reader, string, error) {
	var buf bytes.Buffer
	buf.Grow(len(data) + 1024)
	w := multipart.NewWriter(&buf)
	for _, f := range fields {
		if err := w.WriteField(f.Name, f.Value); err != nil {
			return nil, "", err
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(fileField, path.Base(m.Path))},
		"Content-Type":        {m.MIME},
	})
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(data); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return bytes.NewReader(buf.Bytes()), w.FormDataContentType(), nil
}
