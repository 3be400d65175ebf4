package fake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// media is one file on its way or there.
type media struct {
	id, user, mime, category string
	total                    int
	segments                 map[int][]byte
	data                     []byte // once it is complete
	digest, alt              string
	sensitive                bool
	pending                  int // how many more times it answers that it is being processed
	used                     bool
}

func (m *media) key() string {
	kind := map[string]string{"tweet_image": "3_", "tweet_gif": "16_", "tweet_video": "7_"}[m.category]
	return kind + m.id
}

const (
	maxAlt     = 1000
	maxSegment = 5 << 20
)

// mediaTypes are the types of each category, and their most bytes.
func mediaTypes(category string) (types []string, most int) {
	switch category {
	case "tweet_image":
		return []string{"image/jpeg", "image/png", "image/gif", "image/webp"}, 5 << 20
	case "tweet_gif":
		return []string{"image/gif"}, 15 << 20
	case "tweet_video":
		return []string{"video/mp4", "video/quicktime"}, 512 << 20
	}
	return nil, 0
}

// decode reads a body that may have no other fields.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (s *Server) initialize(r *http.Request, user *User) answer {
	var req struct {
		Type     string `json:"media_type"`
		Total    int    `json:"total_bytes"`
		Category string `json:"media_category"`
	}
	if err := decode(r, &req); err != nil {
		return invalid("%v", err)
	}
	types, most := mediaTypes(req.Category)
	if !slices.Contains(types, req.Type) {
		return invalid("The media type %s is not one of the category %s.", req.Type, req.Category)
	}
	if req.Total < 1 || req.Total > most {
		return invalid("File size exceeds %d bytes.", most)
	}
	m := &media{
		id: s.nextID(), user: user.Handle, mime: req.Type, category: req.Category, total: req.Total,
		segments: map[int][]byte{}, pending: s.config.Processing,
	}
	s.media[m.id] = m
	return ok(map[string]any{"id": m.id, "media_key": m.key(), "expires_after_secs": 86399})
}

// ownMedia returns a file of the user's, nil if it is not there or somebody else's.
func (s *Server) ownMedia(id string, user *User) *media {
	if m := s.media[id]; m != nil && m.user == user.Handle {
		return m
	}
	return nil
}

func noMedia(id string) answer { return invalid("media id %s not found", id) }

func (s *Server) appendSegment(r *http.Request, user *User) answer {
	m := s.ownMedia(r.PathValue("id"), user)
	if m == nil {
		return noMedia(r.PathValue("id"))
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxSegment+1<<16)
	file, _, err := r.FormFile("media")
	if err != nil {
		return invalid("$.media: is missing but it is required")
	}
	defer file.Close()                //nolint:errcheck // read only
	defer r.MultipartForm.RemoveAll() //nolint:errcheck // temporary files
	data, err := io.ReadAll(file)
	n, nerr := strconv.Atoi(r.FormValue("segment_index"))
	if err != nil || nerr != nil || n < 0 || n > 999 || len(data) > maxSegment {
		return invalid("Segments do not add up to provided total file size.")
	}
	m.segments[n] = data
	return ok(map[string]any{"expires_at": s.config.Now().Unix() + 86399})
}

func (s *Server) finalize(r *http.Request, user *User) answer {
	m := s.ownMedia(r.PathValue("id"), user)
	if m == nil {
		return noMedia(r.PathValue("id"))
	}
	var all []byte
	for i := range len(m.segments) {
		all = append(all, m.segments[i]...)
	}
	if len(all) != m.total {
		return invalid("Segments do not add up to provided total file size.")
	}
	sum := sha256.Sum256(all)
	m.data, m.digest, m.segments = all, hex.EncodeToString(sum[:]), nil
	return ok(s.uploaded(m))
}

func (s *Server) uploadStatus(r *http.Request, user *User) answer {
	q := r.URL.Query()
	m := s.ownMedia(q.Get("media_id"), user)
	if m == nil || m.data == nil || q.Get("command") != "STATUS" {
		return noMedia(q.Get("media_id"))
	}
	if m.pending > 0 {
		m.pending--
	}
	return ok(s.uploaded(m))
}

// uploaded returns what X says of a complete file. It says nothing of processing where there is none.
func (s *Server) uploaded(m *media) map[string]any {
	answer := map[string]any{"id": m.id, "media_key": m.key(), "size": len(m.data), "expires_after_secs": 86399}
	switch {
	case m.pending > 0:
		answer["processing_info"] = map[string]any{"state": "in_progress", "check_after_secs": 2, "progress_percent": 8}
	case s.config.Broken:
		answer["processing_info"] = map[string]any{"state": "failed", "error": map[string]any{"name": "InvalidMedia", "message": "Unsupported video format"}}
	case s.config.Processing > 0:
		answer["processing_info"] = map[string]any{"state": "succeeded", "progress_percent": 100}
	}
	return answer
}

func (s *Server) describe(r *http.Request, user *User) answer {
	var req struct {
		ID       string `json:"id"`
		Metadata struct {
			Alt *struct {
				Text string `json:"text"`
			} `json:"alt_text"`
			Sensitive *struct {
				Adult    bool `json:"adult_content"`
				Violence bool `json:"graphic_violence"`
				Other    bool `json:"other"`
			} `json:"sensitive_media_warning"`
		} `json:"metadata"`
	}
	if err := decode(r, &req); err != nil {
		return invalid("%v", err)
	}
	m := s.ownMedia(req.ID, user)
	if m == nil || m.data == nil {
		return noMedia(req.ID)
	}
	if alt := req.Metadata.Alt; alt != nil {
		if utf8.RuneCountInString(alt.Text) > maxAlt || strings.HasPrefix(m.mime, "video/") {
			return invalid("$.metadata.alt_text.text: must be at most %d characters long", maxAlt)
		}
		m.alt = alt.Text
	}
	if w := req.Metadata.Sensitive; w != nil {
		m.sensitive = w.Adult || w.Violence || w.Other
	}
	return ok(map[string]any{"id": m.id, "associated_metadata": req.Metadata})
}

func (s *Server) attachment(m *media) fakenet.Media {
	return fakenet.Media{URL: s.config.Base + "/files/" + m.id, MIME: m.mime, Alt: m.alt, Digest: m.digest, Bytes: int64(len(m.data))}
}

// file serves the bytes of a file.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	m := s.media[r.PathValue("id")]
	s.mu.Unlock()
	if m == nil || m.data == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", m.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", s.config.Now(), bytes.NewReader(m.data))
}
