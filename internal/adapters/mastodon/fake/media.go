package fake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	_ "image/gif" // the pictures that are decoded
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// media is one uploaded file.
type media struct {
	id, user, status  string // status is "" until one uses it
	mime, description string
	digest            string
	data              []byte
	width, height     int
	pending           int // how many more times it answers that it is being processed
}

const (
	maxUpload      = 99 << 20
	maxDescription = 1500
)

// uploadMedia takes a file. https://docs.joinmastodon.org/methods/media/#v2
func (s *Server) uploadMedia(r *http.Request, user string) answer {
	r.Body = http.MaxBytesReader(nil, r.Body, maxUpload)
	file, _, err := r.FormFile("file")
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "%s", s.say("Validation failed: File can't be blank", "Bad Request: no attachment given"))
	}
	defer file.Close()                //nolint:errcheck // read only
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // temporary files
	data, err := io.ReadAll(file)
	if err != nil {
		return fail(http.StatusBadRequest, "bad request")
	}
	m := &media{user: user, data: data, mime: http.DetectContentType(data)}
	if refused := s.describe(m, r.FormValue("description")); refused != nil {
		return *refused
	}
	switch {
	case strings.HasPrefix(m.mime, "image/") && m.mime != "image/webp":
		picture, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil {
			return fail(http.StatusUnprocessableEntity, "%s", s.say("Validation failed: File is invalid", "Unprocessable Entity: error processing media"))
		}
		m.width, m.height = picture.Width, picture.Height
	case !strings.HasPrefix(m.mime, "image/") && !strings.HasPrefix(m.mime, "video/") && !strings.HasPrefix(m.mime, "audio/"):
		return fail(http.StatusUnprocessableEntity, "%s", s.say("Validation failed: File content type is invalid, File is invalid", "Unprocessable Entity: error processing media"))
	}
	sum := sha256.Sum256(data)
	m.digest = hex.EncodeToString(sum[:])
	m.id = s.nextID()
	m.pending = s.config.Processing
	s.media[m.id] = m
	a := ok(s.mediaJSON(m))
	if m.pending > 0 {
		a.status = http.StatusAccepted
	}
	return a
}

// describe gives a file its alternative text.
func (s *Server) describe(m *media, text string) *answer {
	if s.config.GoToSocial {
		text = withoutTags(text)
	}
	if utf8.RuneCountInString(text) > maxDescription {
		a := fail(http.StatusUnprocessableEntity, "Validation failed: Description is too long (maximum is %d characters)", maxDescription)
		return &a
	}
	m.description = strings.TrimSpace(text)
	return nil
}

// getMedia tells whether a file is ready: 206 while it is not. https://docs.joinmastodon.org/methods/media/#get
func (s *Server) getMedia(r *http.Request, user string) answer {
	m := s.media[r.PathValue("id")]
	if m == nil || m.user != user {
		return s.notFound()
	}
	if m.pending > 0 {
		a := answer{status: http.StatusPartialContent, body: s.mediaJSON(m)}
		m.pending--
		return a
	}
	return ok(s.mediaJSON(m))
}

// file serves the bytes of a file.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	m := s.media[r.PathValue("id")]
	s.mu.Unlock()
	if m == nil || m.pending > 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", m.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(m.data) //nolint:errcheck // the client has gone
}
