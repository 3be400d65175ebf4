package fake

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/graph"
)

// video is one that is being uploaded, or has been.
type video struct {
	id, mime string
	size     int
	data     []byte
	used     bool
}

// chunk is how much of a video the fake takes in one request: little, so that tests need several.
const chunk = 1000

func (v *video) digest() string {
	sum := sha256.Sum256(v.data)
	return hex.EncodeToString(sum[:])
}

func (v *video) shown(base string) fakenet.Media {
	return fakenet.Media{URL: base + "/files/" + v.digest(), MIME: v.mime, Digest: v.digest(), Bytes: int64(len(v.data))}
}

// offsets are what is wanted next.
func (v *video) offsets() map[string]string {
	at := len(v.data)
	return map[string]string{"start_offset": strconv.Itoa(at), "end_offset": strconv.Itoa(min(at+chunk, v.size))}
}

// postVideos takes a video piece by piece, and publishes it with the last request.
func (s *Server) postVideos(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil && r.PostForm == nil {
		invalid("the form cannot be read").Write(w)
		return
	}
	phases := map[string]handler{"start": s.startVideo, "transfer": s.transferVideo, "finish": s.finishVideo}
	h, ok := phases[r.PostFormValue("upload_phase")]
	if !ok {
		h = func(*http.Request) any { return invalid("upload_phase must be one of start, transfer, finish") }
	}
	if r.PostFormValue("upload_phase") == "finish" {
		s.Create(w, r, "", s.authorized(true, h), s.refuse)
		return
	}
	s.Upload(w, r, s.authorized(false, h), s.refuse)
}

func (s *Server) startVideo(r *http.Request) any {
	size, err := strconv.Atoi(r.PostFormValue("file_size"))
	if r.PathValue("id") != s.config.Page || err != nil || size <= 0 {
		return invalid("file_size is missing")
	}
	v := &video{id: s.number(), size: size}
	session := s.number()
	s.videos[session] = v
	answer := v.offsets()
	answer["upload_session_id"], answer["video_id"] = session, v.id
	return answer
}

func (s *Server) transferVideo(r *http.Request) any {
	v, ok := s.videos[r.PostFormValue("upload_session_id")]
	if !ok || r.MultipartForm == nil || len(r.MultipartForm.File["video_file_chunk"]) != 1 {
		return graph.Error{Message: "There was a problem uploading your video file. Please try again.", Type: "OAuthException", Code: 6000, Subcode: 1363030}
	}
	if r.PostFormValue("start_offset") != strconv.Itoa(len(v.data)) {
		return graph.Error{Message: "Invalid start offset", Type: "OAuthException", Code: 6001, Subcode: 1363037}
	}
	header := r.MultipartForm.File["video_file_chunk"][0]
	f, err := header.Open()
	if err != nil {
		return invalid("video_file_chunk cannot be read")
	}
	data, err := io.ReadAll(f)
	if err != nil || len(data) == 0 || len(data) > chunk || len(v.data)+len(data) > v.size {
		return invalid("video_file_chunk is not the one that was asked for")
	}
	v.mime = header.Header.Get("Content-Type")
	v.data = append(v.data, data...)
	return v.offsets()
}

func (s *Server) finishVideo(r *http.Request) any {
	v, ok := s.videos[r.PostFormValue("upload_session_id")]
	text := r.PostFormValue("description")
	if !ok || v.used || len(v.data) != v.size {
		return invalid("upload_session_id names no video that is complete")
	}
	if utf8.RuneCountInString(text) > maxText {
		return invalid("Param description is too long")
	}
	v.used = true
	s.add(&object{id: v.id, message: text, video: v, created: s.config.Now()})
	return map[string]bool{"success": true}
}

func (s *Server) listVideos(r *http.Request) any {
	if r.PathValue("id") != s.config.Page {
		return missing(r.PathValue("id"))
	}
	return s.list(r, func(o *object) bool { return o.video != nil })
}
