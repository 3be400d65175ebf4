package x

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	// chunkBytes is the size of a segment that X's own guide uses; whether it takes larger ones is not stated.
	chunkBytes    = 1 << 20
	mediaPatience = 10 * time.Minute // how long X may take to process one file
	mediaMinPause = time.Second
	mediaMaxPause = 30 * time.Second
)

// wireUpload is what the endpoints for media answer: https://docs.x.com/x-api/media/quickstart/media-upload-chunked (2026-08-22).
type wireUpload struct {
	Data struct {
		ID         string          `json:"id"`
		Processing *wireProcessing `json:"processing_info"`
	} `json:"data"`
}

type wireProcessing struct {
	State string `json:"state"`
	After int    `json:"check_after_secs"`
	Error struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	} `json:"error"`
}

// upload sends one file and waits until a post can use it. Nothing of this is visible to anybody: X throws away after a day what
// no post uses. It counts these requests by themselves.
func (p *publisher) upload(ctx context.Context, m *platform.Media, data []byte, alone, isSensitive bool) (id string, err error) {
	op := "upload " + m.Path
	var u wireUpload
	_, err = p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/2/media/upload/initialize", OwnLimit: true,
		JSON: map[string]any{"media_type": m.Sent().MIME, "total_bytes": len(data), "media_category": category(m, alone)},
	}, &u)
	if err != nil {
		return "", err
	}
	id = u.Data.ID
	if !isNumber(id) {
		return "", &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the answer does not name the file"}
	}
	segment := 0
	for rest := data; len(rest) > 0; segment++ {
		chunk := rest[:min(chunkBytes, len(rest))]
		rest = rest[len(chunk):]
		form, contentType, err := apihttp.Multipart([]apihttp.Field{{Name: "segment_index", Value: strconv.Itoa(segment)}}, "media", *m, chunk)
		if err != nil {
			return "", &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
		}
		if _, err = p.api.Do(ctx, apihttp.Request{
			Op: op, Method: http.MethodPost, Path: "/2/media/upload/" + id + "/append", OwnLimit: true, Body: form, ContentType: contentType,
		}, nil); err != nil {
			return "", err
		}
	}
	u = wireUpload{}
	if _, err = p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/2/media/upload/" + id + "/finalize", OwnLimit: true, Body: bytes.NewReader(nil),
	}, &u); err != nil {
		return "", err
	}
	if err := p.processed(ctx, op, id, u.Data.Processing); err != nil {
		return "", err
	}
	return id, p.describe(ctx, id, m, isSensitive)
}

// category returns what X calls the kind of a file. A moving GIF goes alone, which [Adapter.Render] sees to; one among others
// stands still.
func category(m *platform.Media, alone bool) string {
	switch {
	case strings.HasPrefix(m.MIME, "video/"):
		return "tweet_video"
	case m.Sent().MIME == "image/gif" && alone:
		return "tweet_gif"
	}
	return "tweet_image"
}

// processed waits until X has processed a file.
func (p *publisher) processed(ctx context.Context, op, id string, now *wireProcessing) error {
	waited := time.Duration(0)
	for waited < mediaPatience {
		if now == nil || now.State == "succeeded" {
			return nil
		}
		switch now.State {
		case "failed":
			said := now.Error.Message
			if said == "" {
				said = "X cannot process the file"
			}
			return &platform.Error{Outcome: platform.Rejected, Op: op, Message: said, Hint: "make the file anew, in a format that X names on " + docsMedia}
		case "pending", "in_progress":
		default:
			return &platform.Error{Outcome: platform.Unsent, Op: op, Message: fmt.Sprintf("X says that the file is %q, which is not known here", now.State)}
		}
		pause := min(max(time.Duration(min(now.After, 3600))*time.Second, mediaMinPause), mediaMaxPause)
		if err := p.deps.Wait(ctx, pause); err != nil {
			return &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
		}
		waited += pause
		var u wireUpload
		if _, err := p.api.Do(ctx, apihttp.Request{
			Op: op, Path: "/2/media/upload", Query: url.Values{"command": {"STATUS"}, "media_id": {id}}, OwnLimit: true,
		}, &u); err != nil {
			return err
		}
		now = u.Data.Processing
	}
	return &platform.Error{Outcome: platform.Unsent, Op: op, Message: fmt.Sprintf("X is still processing the file after %s", waited)}
}

// metadata is the body of POST /2/media/metadata: https://docs.x.com/x-api/media/create-media-metadata (2026-08-22).
type metadata struct {
	ID       string `json:"id"`
	Metadata struct {
		Alt       *altText   `json:"alt_text,omitempty"`
		Sensitive *sensitive `json:"sensitive_media_warning,omitempty"`
	} `json:"metadata"`
}

type altText struct {
	Text string `json:"text"`
}

type sensitive struct {
	Other bool `json:"other"`
}

// metadataOf returns what is said of a file, nil if nothing. Videos have captions on X, and no alt text.
func metadataOf(id string, m *platform.Media, isSensitive bool) *metadata {
	d := &metadata{ID: id}
	if m.Alt != "" && strings.HasPrefix(m.MIME, "image/") {
		d.Metadata.Alt = &altText{m.Alt}
	}
	if isSensitive {
		d.Metadata.Sensitive = &sensitive{Other: true}
	}
	if d.Metadata.Alt == nil && d.Metadata.Sensitive == nil {
		return nil
	}
	return d
}

// describe tells X the alt text of a file, which must be there before the post.
func (p *publisher) describe(ctx context.Context, id string, m *platform.Media, isSensitive bool) error {
	d := metadataOf(id, m, isSensitive)
	if d == nil {
		return nil
	}
	_, err := p.api.Do(ctx, apihttp.Request{Op: "describe " + m.Path, Method: http.MethodPost, Path: "/2/media/metadata", JSON: d, OwnLimit: true}, nil)
	return err
}
