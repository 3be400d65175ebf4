package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// file is one uploaded file, in parts where it is a video.
type file struct {
	urn, kind, owner string
	parts            [][]byte
	size             int // of videos: as announced
	etags            []string
	finished         bool // of videos: put together
	pending          int  // how many more times it answers that it is being processed
}

const (
	maxUpload        = 512 << 20
	defaultPartBytes = 4 << 20
)

func (f *file) data() []byte { return slices.Concat(f.parts...) }

// complete reports whether all of it has arrived.
func (f *file) complete() bool {
	return len(f.data()) > 0 && (f.kind != "videos" || f.finished)
}

// action serves the actions on files: to begin an upload, and to end that of a video.
func (s *Server) action(r *http.Request, member string) answer {
	var req struct {
		Start *struct {
			Owner string `json:"owner"`
			Size  int    `json:"fileSizeBytes"`
		} `json:"initializeUploadRequest"`
		End *struct {
			Video string   `json:"video"`
			Token string   `json:"uploadToken"`
			Parts []string `json:"uploadedPartIds"`
		} `json:"finalizeUploadRequest"`
	}
	kind, action := r.PathValue("kind"), r.URL.Query().Get("action")
	switch decoded := decode(r, &req); {
	case kind != "images" && kind != "videos" && kind != "documents":
		return fail(http.StatusNotFound, "RESOURCE_NOT_FOUND", "No virtual resource found for: %s", kind)
	case decoded && action == "initializeUpload" && req.Start != nil:
		if !s.mayPostAs(member, req.Start.Owner) {
			return denied("owner " + req.Start.Owner)
		}
		return s.begin(kind, req.Start.Owner, req.Start.Size)
	case decoded && action == "finalizeUpload" && kind == "videos" && req.End != nil:
		f := s.files[req.End.Video]
		if f == nil || req.End.Token != "token-"+f.urn || !slices.Equal(f.etags, req.End.Parts) || len(f.data()) != f.size {
			return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "ERROR :: the parts are not those of the video")
		}
		f.finished, f.pending = true, s.config.Processing
		return ok(map[string]any{})
	}
	return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "Invalid action")
}

func (s *Server) begin(kind, owner string, size int) answer {
	f := &file{kind: kind, owner: owner, size: size}
	f.urn = "urn:li:" + kind[:len(kind)-1] + ":D4E" + s.next()
	s.files[f.urn] = f
	address := func(part int) string { return fmt.Sprintf("%s/dms-uploads/%s/%d", s.config.Base, f.urn, part) }
	value := map[string]any{kind[:len(kind)-1]: f.urn}
	if kind != "videos" {
		f.parts, f.etags = make([][]byte, 1), make([]string, 1)
		value["uploadUrl"] = address(0)
		return ok(map[string]any{"value": value})
	}
	if size <= 0 {
		return fail(http.StatusBadRequest, "ILLEGAL_ARGUMENT", "ERROR :: /fileSizeBytes")
	}
	step := defaultPartBytes
	if s.config.PartBytes > 0 {
		step = s.config.PartBytes
	}
	list := []any{}
	for first := 0; first < size; first += step {
		list = append(list, map[string]any{"uploadUrl": address(len(list)), "firstByte": first, "lastByte": min(size, first+step) - 1})
	}
	f.parts, f.etags = make([][]byte, len(list)), make([]string, len(list))
	value["uploadInstructions"], value["uploadToken"] = list, "token-"+f.urn
	return ok(map[string]any{"value": value})
}

// upload takes a file, or a part of a video.
func (s *Server) upload(r *http.Request, _ string) answer {
	f := s.files[r.PathValue("urn")]
	part, err := strconv.Atoi(r.PathValue("part"))
	if f == nil || err != nil || part < 0 || part >= len(f.parts) {
		return answer{status: http.StatusNotFound}
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxUpload))
	if err != nil || len(data) == 0 {
		return answer{status: http.StatusBadRequest}
	}
	sum := sha256.Sum256(data)
	f.parts[part], f.etags[part] = data, "/ambry-video/signedId/"+hex.EncodeToString(sum[:])
	if f.kind == "documents" {
		f.pending = s.config.Processing
	}
	return answer{status: http.StatusCreated, header: http.Header{"Etag": {f.etags[part]}}}
}

// fileStatus tells whether a file is ready.
func (s *Server) fileStatus(r *http.Request, _ string) answer {
	f := s.files[r.PathValue("urn")]
	if f == nil || f.kind != r.PathValue("kind") {
		return notFound(r.PathValue("urn"))
	}
	if s.config.NoStatus && !s.mayRead(f.owner) {
		f.pending = 0 // it goes on all the same
		return denied(f.kind + ".GET")
	}
	status := "AVAILABLE"
	switch {
	case !f.complete():
		status = "WAITING_UPLOAD"
	case string(f.data()) == Broken:
		return ok(map[string]any{"id": f.urn, "owner": f.owner, "status": "PROCESSING_FAILED", "processingFailureReason": "the file is broken"})
	case f.pending > 0:
		f.pending--
		status = "PROCESSING"
	}
	return ok(map[string]any{"id": f.urn, "owner": f.owner, "status": status})
}

// Broken is a file that cannot be processed.
const Broken = "broken"

func (s *Server) media(m mediaRef) fakenet.Media {
	data := s.files[m.ID].data()
	sum := sha256.Sum256(data)
	return fakenet.Media{
		URL: s.config.Base + "/files/" + m.ID, MIME: http.DetectContentType(data), Alt: m.Alt, Digest: hex.EncodeToString(sum[:]), Bytes: int64(len(data)),
	}
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.files[r.PathValue("urn")]
	var data []byte
	if f != nil {
		data = f.data()
	}
	s.mu.Unlock()
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(data))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Write(data) //nolint:errcheck // the client has gone
}
