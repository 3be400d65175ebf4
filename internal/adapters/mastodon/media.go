package mastodon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	mediaPatience = 3 * time.Minute // how long a server may take to process one file
	mediaMaxPause = 10 * time.Second
)

// upload sends one file and waits until a status can use it. Nothing of this is visible to anybody:
// servers throw away what no status uses. Mastodon takes 30 files in 30 minutes, which it counts by themselves. https://docs.joinmastodon.org/methods/media/#v2 (2026-11-21)
func (p *publisher) upload(ctx context.Context, m platform.Media, data []byte) (id string, err error) {
	op := "upload " + m.Path
	var fields []apihttp.Field
	if m.Alt != "" {
		fields = append(fields, apihttp.Field{Name: "description", Value: m.Alt})
	}
	form, contentType, err := apihttp.Multipart(fields, "file", m, data)
	if err != nil {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
	}
	var a wireMedia
	resp, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/api/v2/media", Body: form, ContentType: contentType, OwnLimit: true,
	}, &a)
	if err != nil {
		return "", err
	}
	if a.ID == "" {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the server's answer does not name the file"}
	}
	if resp.Status == http.StatusAccepted {
		return a.ID, p.processed(ctx, op, a.ID)
	}
	return a.ID, nil
}

// processed waits until the server has processed a file: it answers 206 before, 200 then, and 422
// when it cannot. https://docs.joinmastodon.org/methods/media/#get (2026-11-21)
func (p *publisher) processed(ctx context.Context, op, id string) error {
	waited := time.Duration(0)
	for pause := time.Second; waited < mediaPatience; pause = min(pause*3/2, mediaMaxPause) {
		if err := p.deps.Wait(ctx, pause); err != nil {
			return &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
		}
		waited += pause
		resp, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: "/api/v1/media/" + url.PathEscape(id)}, nil)
		if err != nil {
			if e := platform.AsError(err); gone(e) {
				e.Outcome = platform.Unsent
			}
			return err
		}
		if resp.Status != http.StatusPartialContent {
			return nil
		}
	}
	return &platform.Error{Outcome: platform.Unsent, Op: op, Message: fmt.Sprintf("the server is still processing the file after %s", waited.Round(time.Second))}
}

// mediaVersion says which file each attachment of a status is, as "id=digest" joined by commas, with
// the digests shortened; "" when that is not known.
func mediaVersion(attached []wireMedia, media []platform.Media) string {
	if len(attached) != len(media) {
		return ""
	}
	var b strings.Builder
	for i, a := range attached {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(a.ID + "=" + shortDigest(media[i]))
	}
	return b.String()
}

// attachedAs returns the id of the attachment that holds a file according to a version, and the
// version without it, so that the same picture twice is two attachments.
func attachedAs(version string, m platform.Media) (id, rest string, ok bool) {
	entries := strings.Split(version, ",")
	for i, entry := range entries {
		id, digest, _ := strings.Cut(entry, "=")
		if id != "" && digest == shortDigest(m) {
			return id, strings.Join(append(entries[:i:i], entries[i+1:]...), ","), true
		}
	}
	return "", version, false
}

// shortDigest tells one file from another, and from itself made to fit in another way.
func shortDigest(m platform.Media) string {
	digest := m.Digest
	if m.Fit != nil {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %+v", digest, *m.Fit))
		digest = hex.EncodeToString(sum[:])
	}
	return digest[:min(16, len(digest))]
}
