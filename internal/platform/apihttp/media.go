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
	"strings"

	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
)

// fitter is a file system that makes pictures fit and remembers them.
type fitter interface {
	Fit(digest string, source []byte, r media.Recipe) ([]byte, error)
}

// ReadMedia returns the bytes of a rendering's media as they are sent: as the file has them, or as m.Fit makes them, by a [media.Fitter] where
// the file system is one. Their type and size are those of m.Sent(). A file other than that which was rendered, and so reviewed, is
// refused: the error is a *[platform.Error], Unsent. The bytes are not to be changed.
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
	if m.Fit == nil {
		return data, nil
	}
	if f, ok := fsys.(fitter); ok {
		data, err = f.Fit(m.Digest, data, media.Recipe(*m.Fit))
	} else {
		data, err = media.Fit(data, media.Recipe(*m.Fit))
	}
	if err != nil {
		return nil, fail(fmt.Errorf("make it fit: %w", err))
	}
	return data, nil
}

// fileName returns the name under which a file is sent: its own, with the ending of what it is.
func fileName(m platform.Media) string {
	name := path.Base(m.Path)
	if m.Fit == nil || m.Fit.MIME == m.MIME {
		return name
	}
	return strings.TrimSuffix(name, path.Ext(name)) + "." + strings.TrimPrefix(m.Fit.MIME, "image/")
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
		"Content-Disposition": {multipart.FileContentDisposition(fileField, fileName(m))},
		"Content-Type":        {m.Sent().MIME},
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
