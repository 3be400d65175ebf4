package facebook

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// isVideo reports whether a part is a video with words to it. Such a post is a video, for the API: it has another number and another
// name for its text.
func isVideo(part *platform.Part) bool {
	return len(part.Media) == 1 && strings.HasPrefix(part.Media[0].MIME, "video/")
}

// session is a video that has been uploaded and is not out yet.
type session struct{ id, video string }

// maxChunk is how much of a video goes into one request, whatever the network asks for.
const maxChunk = 32 << 20

// uploadVideo uploads a video in the pieces that the network asks for.
// https://developers.facebook.com/docs/graph-api/reference/page/videos (2026-11-22)
func (p *publisher) uploadVideo(ctx context.Context, m platform.Media, data []byte) (session, error) {
	op := "upload " + m.Path
	var s struct {
		Session string `json:"upload_session_id"`
		Video   string `json:"video_id"`
		offsets
	}
	if err := p.videos(ctx, apihttp.Request{Op: op, OwnLimit: true, Form: url.Values{
		"upload_phase": {"start"}, "file_size": {strconv.Itoa(len(data))},
	}}, &s); err != nil {
		return session{}, err
	}
	lost := &platform.Error{Outcome: platform.Unsent, Op: op, Message: "the network does not ask for the video piece by piece"}
	if s.Session == "" || !isNumber(s.Video) {
		return session{}, lost
	}
	at, end, ok := s.within(len(data))
	for ok && at < end {
		end = min(end, at+maxChunk)
		body, contentType, err := apihttp.Multipart([]apihttp.Field{
			{Name: "upload_phase", Value: "transfer"}, {Name: "upload_session_id", Value: s.Session}, {Name: "start_offset", Value: strconv.Itoa(at)},
		}, "video_file_chunk", m, data[at:end])
		if err != nil {
			return session{}, &platform.Error{Outcome: platform.Unsent, Op: op, Err: err}
		}
		var next offsets
		if err := p.videos(ctx, apihttp.Request{Op: op, OwnLimit: true, Body: body, ContentType: contentType}, &next); err != nil {
			return session{}, err
		}
		before := at
		if at, end, ok = next.within(len(data)); at <= before { // it would go on for ever
			return session{}, lost
		}
	}
	if !ok || at != len(data) {
		return session{}, lost
	}
	return session{id: s.Session, video: s.Video}, nil
}

// offsets say which piece of a video the network wants next: none when they are the same.
type offsets struct {
	Start json.Number `json:"start_offset"` // in quotes
	End   json.Number `json:"end_offset"`
}

// within returns the offsets as numbers, and whether they are a piece of so many bytes.
func (o offsets) within(size int) (start, end int, ok bool) {
	start, err := strconv.Atoi(o.Start.String())
	end, err2 := strconv.Atoi(o.End.String())
	return start, end, err == nil && err2 == nil && start >= 0 && start <= end && end <= size
}

// postVideo publishes a video that was uploaded.
func (p *publisher) postVideo(ctx context.Context, part *platform.Part, s session) (string, time.Time, error) {
	const op = "create post"
	form := url.Values{"upload_phase": {"finish"}, "upload_session_id": {s.id}}
	if part.Text != "" {
		form.Set("description", part.Text)
	}
	var answer struct {
		Success bool `json:"success"`
	}
	if err := p.videos(ctx, apihttp.Request{Op: op, Form: form, Creates: true}, &answer); err != nil {
		return "", time.Time{}, err
	}
	if !answer.Success {
		return "", time.Time{}, &platform.Error{Outcome: platform.Unknown, Op: op, Message: "the network does not say that the video is out"}
	}
	return s.video, p.deps.Now(), nil
}

// videos makes one request of the page's videos, which have a host of their own.
func (p *publisher) videos(ctx context.Context, r apihttp.Request, out any) error {
	r.Method, r.Path = http.MethodPost, "/"+p.options.Page+"/videos"
	if base, ok := strings.CutPrefix(p.api.Base, server+"/"); ok {
		r.Path = "https://graph-video.facebook.com/" + base + r.Path
	}
	_, err := p.do(ctx, r, out)
	return err
}
