package linkedin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// content uploads what a rendering's post shows and returns it. All files are read before the first is sent.
func (p *publisher) content(ctx context.Context, r *platform.Rendering) (*wireContent, error) {
	part := &r.Parts[0]
	files := part.Media
	if part.Card != nil && part.Card.Image != nil {
		files = []platform.Media{*part.Card.Image}
	}
	data := make([][]byte, len(files))
	for i, m := range files {
		var err error
		if data[i], err = apihttp.ReadMedia(p.deps.Media, m); err != nil {
			return nil, err
		}
	}
	uploaded := make([]wireMedia, len(files))
	for i, m := range files {
		urn, err := p.upload(ctx, m, data[i])
		if err != nil {
			return nil, err
		}
		uploaded[i].ID = urn
		if isPicture(m.MIME) {
			uploaded[i].Alt = m.Alt
		} else {
			uploaded[i].Title = r.Settings[settingTitle]
		}
		data[i] = nil // it may be large
	}
	switch {
	case part.Card != nil:
		article := &wireArticle{Source: part.Card.URL, Title: part.Card.Title, Description: part.Card.Description}
		if len(uploaded) > 0 {
			article.Thumbnail = uploaded[0].ID
		}
		return &wireContent{Article: article}, nil
	case r.Poll != nil:
		return &wireContent{Poll: newPoll(r)}, nil
	case len(uploaded) == 1:
		return &wireContent{Media: &uploaded[0]}, nil
	case len(uploaded) > 1:
		return &wireContent{MultiImage: &wireImages{Images: uploaded}}, nil
	}
	return nil, nil //nolint:nilnil // words need no content
}

// place is where a file is to be sent.
type place struct {
	Value struct {
		UploadURL    string        `json:"uploadUrl"`
		Instructions []instruction `json:"uploadInstructions"` // of videos
		UploadToken  string        `json:"uploadToken"`
		Image        string        `json:"image"`
		Video        string        `json:"video"`
		Document     string        `json:"document"`
	} `json:"value"`
}

type instruction struct {
	UploadURL string `json:"uploadUrl"`
	First     int64  `json:"firstByte"`
	Last      int64  `json:"lastByte"` // included
}

// upload sends a file and returns its URN. Pictures are ready at once; LinkedIn must have looked at videos and documents
// before a post can show them.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/images-api, …/videos-api and …/documents-api (2026-11-22)
func (p *publisher) upload(ctx context.Context, m platform.Media, data []byte) (string, error) {
	kind, op := "images", "upload "+m.Path
	start := map[string]any{"owner": p.author}
	switch {
	case isVideo(m.MIME):
		kind = "videos"
		start["fileSizeBytes"], start["uploadCaptions"], start["uploadThumbnail"] = len(data), false, false
	case isDocument(m.MIME):
		kind = "documents"
	}
	var to place
	if err := p.action(ctx, op, kind, "initializeUpload", map[string]any{"initializeUploadRequest": start}, &to); err != nil {
		return "", err
	}
	urn := map[string]string{"images": to.Value.Image, "videos": to.Value.Video, "documents": to.Value.Document}[kind]
	if !isURN(urn, strings.TrimSuffix(kind, "s")) {
		return "", unusable(op, "LinkedIn does not say what the file is called")
	}
	if kind != "videos" {
		if _, err := p.put(ctx, op, to.Value.UploadURL, m.Sent().MIME, data); err != nil {
			return "", err
		}
	} else if err := p.putVideo(ctx, op, urn, &to, data); err != nil {
		return "", err
	}
	if kind == "images" {
		return urn, nil
	}
	return urn, p.await(ctx, op, "/rest/"+kind+"/"+url.QueryEscape(urn))
}

func (p *publisher) action(ctx context.Context, op, kind, action string, body, out any) error {
	_, err := p.api.Do(ctx, apihttp.Request{
		Op: op, Method: http.MethodPost, Path: "/rest/" + kind, Query: url.Values{"action": {action}}, JSON: body, OwnLimit: true,
	}, out)
	return err
}

// putVideo sends a video in the parts that LinkedIn asks for, of 4 MB each, and puts them together by their ETags.
func (p *publisher) putVideo(ctx context.Context, op, urn string, to *place, data []byte) error {
	var etags []string
	next := int64(0)
	for _, part := range to.Value.Instructions {
		if part.First != next || part.Last < part.First || part.Last >= int64(len(data)) {
			return unusable(op, "the parts in which LinkedIn wants the video are not the video")
		}
		next = part.Last + 1
		resp, err := p.put(ctx, op, part.UploadURL, "application/octet-stream", data[part.First:next])
		if err != nil {
			return err
		}
		etag := resp.Header.Get("ETag")
		if etag == "" {
			return unusable(op, "LinkedIn does not name a part of the video that it has taken")
		}
		etags = append(etags, etag)
	}
	if next != int64(len(data)) {
		return unusable(op, "the parts in which LinkedIn wants the video are not the video")
	}
	return p.action(ctx, op, "videos", "finalizeUpload", map[string]any{"finalizeUploadRequest": map[string]any{
		"video": urn, "uploadToken": to.Value.UploadToken, "uploadedPartIds": etags,
	}}, nil)
}

// put sends bytes to an address that LinkedIn has named, with the token, so that it must be LinkedIn's own.
func (p *publisher) put(ctx context.Context, op, address, contentType string, data []byte) (*apihttp.Response, error) {
	if !p.own(address) {
		return nil, unusable(op, "LinkedIn wants the file at an address that is not its own")
	}
	return p.api.Do(ctx, apihttp.Request{Op: op, Method: http.MethodPut, Path: address, Data: data, ContentType: contentType, OwnLimit: true}, nil)
}

// own reports whether an address is on LinkedIn, or on the server that stands in for it.
func (p *publisher) own(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if server, err := url.Parse(p.options.Server); err == nil && u.Scheme == server.Scheme && u.Host == server.Host {
		return true
	}
	return u.Scheme == "https" && (u.Host == "linkedin.com" || strings.HasSuffix(u.Host, ".linkedin.com"))
}

const (
	maxPolls     = 25
	maxPause     = 30 * time.Second
	unseenPauses = 3 // how often maxPause is waited for what may not be looked at
)

// await waits until LinkedIn has processed a file: about ten minutes at the most, with few requests, of which a member has
// 150 a day. Members' tokens may not ask about documents; then it waits for a while, and LinkedIn goes on by itself.
func (p *publisher) await(ctx context.Context, op, path string) error {
	for n := range maxPolls {
		var file struct {
			Status  string `json:"status"`
			Failure string `json:"processingFailureReason"`
		}
		_, err := p.api.Do(ctx, apihttp.Request{Op: op, Path: path, OwnLimit: true}, &file)
		if err != nil && platform.AsError(err).Status == http.StatusForbidden {
			return p.wait(ctx, op, unseenPauses*maxPause)
		}
		if err != nil {
			return err
		}
		switch file.Status {
		case "AVAILABLE":
			return nil
		case "PROCESSING_FAILED":
			return &platform.Error{
				Outcome: platform.Rejected, Op: op, Message: strings.TrimSpace("LinkedIn cannot process the file " + file.Failure),
				Hint: "videos are MP4 of 3 seconds to 30 minutes; documents have no password and at most 300 pages",
			}
		}
		if err := p.wait(ctx, op, min(maxPause, time.Duration(n+1)*5*time.Second)); err != nil {
			return err
		}
	}
	return unusable(op, "LinkedIn is still processing the file")
}

func (p *publisher) wait(ctx context.Context, op string, d time.Duration) error {
	if err := p.deps.Wait(ctx, d); err != nil {
		return &platform.Error{Outcome: platform.Unsent, Op: op, Err: fmt.Errorf("waiting for LinkedIn to process the file: %w", err)}
	}
	return nil
}

func unusable(op, message string) error {
	return &platform.Error{Outcome: platform.Unsent, Op: op, Message: message}
}
