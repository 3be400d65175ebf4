package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// The types of events.
const (
	typePublished = "postrider.post.published"
	typeUpdated   = "postrider.post.updated"
	typeWithdrawn = "postrider.post.withdrawn"
)

// Event is the body of every request.
type Event struct {
	Type      string    `json:"type"`      // "postrider.post." and published, updated or withdrawn
	Timestamp time.Time `json:"timestamp"` // when it was meant to happen; the header has the time of the request
	Data      Data      `json:"data"`
}

// Data is what an event tells.
type Data struct {
	Account string `json:"account"` // the account's name in site.yaml
	// ID is what the receiver called the post when it was published: the id in its answer, else the
	// webhook-id of that request. Empty when publishing.
	ID string `json:"id,omitempty"`
	// Post is the whole post, all parts of a thread. Absent when withdrawing.
	Post *Post `json:"post,omitempty"`
	// Fingerprint is that of the rendering, as plans and the ledger show it.
	Fingerprint string `json:"fingerprint,omitempty"`
	// Files has the bytes of the post's media, each once.
	Files []File `json:"files,omitempty"`
}

// Post is a rendering as it is sent. Positions in texts are UTF-8 byte offsets.
type Post struct {
	platform.Rendering
	Poll *Poll `json:"poll,omitempty"` // in place of the rendering's
}

// Poll is a poll as it is sent.
type Poll struct {
	Options    []string `json:"options"`
	Seconds    int64    `json:"duration_seconds"`
	Multiple   bool     `json:"multiple,omitempty"`
	HideTotals bool     `json:"hide_totals,omitempty"`
}

// File is one file that the post refers to by its digest.
type File struct {
	Path   string `json:"path"`   // in the site's repository
	Digest string `json:"digest"` // hex SHA-256
	MIME   string `json:"mime"`
	Bytes  int64  `json:"bytes"`
	// Content is the file itself, base64 in JSON. Files that would bring all together above 8 MiB come
	// without: the receiver gets them from the repository.
	Content []byte `json:"content,omitempty"`
}

// maxContent is how many bytes of files an event carries.
const maxContent = 8 << 20

// postOf returns a rendering as it is sent.
func postOf(r *platform.Rendering) *Post {
	p := &Post{Rendering: *r}
	if r.Poll != nil {
		p.Poll = &Poll{r.Poll.Options, int64(r.Poll.Duration / time.Second), r.Poll.Multiple, r.Poll.HideTotals}
	}
	return p
}

// filesOf reads the files of a rendering, in the order in which they appear.
func filesOf(fsys fs.FS, r *platform.Rendering) ([]File, error) {
	var files []File
	room := int64(maxContent)
	add := func(m *platform.Media) error {
		if slices.ContainsFunc(files, func(f File) bool { return f.Digest == m.Digest }) {
			return nil
		}
		f := File{Path: m.Path, Digest: m.Digest, MIME: m.MIME, Bytes: m.Bytes}
		if m.Bytes <= room {
			data, err := apihttp.ReadMedia(fsys, *m)
			if err != nil {
				return err
			}
			f.Content = data
			room -= m.Bytes
		}
		files = append(files, f)
		return nil
	}
	for i := range r.Parts {
		p := &r.Parts[i]
		for j := range p.Media {
			if err := add(&p.Media[j]); err != nil {
				return nil, err
			}
		}
		if p.Card != nil && p.Card.Image != nil {
			if err := add(p.Card.Image); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// followUp returns the id of the event that brings a post from one state, known by the id of the event
// that made it, to another. Repeated after a lost answer it is the same; later in a post's life it is not.
func followUp(state, change string) string {
	sum := sha256.Sum256([]byte(state + "\x00" + change))
	return hex.EncodeToString(sum[:13])
}
