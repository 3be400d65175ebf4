package pages

import (
	"net/http"
	"strings"
)

// MediaType returns the MIME type of a file that begins so, and whether pages may show it: a picture, a video, a sound or a document,
// and nothing that runs. SVG is none of them: there may be a script in it. 512 bytes are enough.
func MediaType(start []byte) (kind string, ok bool) {
	if len(start) >= 12 && string(start[4:12]) == "ftypavif" {
		return "image/avif", true
	}
	kind, _, _ = strings.Cut(http.DetectContentType(start), ";")
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "video/mp4", "video/webm", "video/quicktime", "audio/mpeg", "audio/wave", "application/ogg", "application/pdf":
		return kind, true
	default:
		return kind, false
	}
}
