package facebook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/postrider/postrider/internal/platform"
)

// The objects of the API, as far as they matter here: https://developers.facebook.com/docs/graph-api/reference (2026-11-22).

type wireID struct {
	ID string `json:"id"`
}

type wirePage struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Link string `json:"link"`
}

// wirePost is a post of the page, a video of it, or a comment, which has one attachment and not several.
type wirePost struct {
	ID          string   `json:"id"`
	Message     string   `json:"message"`
	Created     wireTime `json:"created_time"`
	From        wireID   `json:"from"`
	Description string   `json:"description"` // of a video, which has no message
	Published   *bool    `json:"published"`   // of a video
	Attachments struct {
		Data []wireAttachment `json:"data"`
	} `json:"attachments"`
	Attachment *wireAttachment `json:"attachment"`
}

type wireAttachment struct {
	MediaType string `json:"media_type"` // of posts: "photo", "album", "link", "video"
	Type      string `json:"type"`       // "photo", "album", "share", "video_inline"
	URL       string `json:"unshimmed_url"`
	Sub       struct {
		Data []wireAttachment `json:"data"`
	} `json:"subattachments"`
}

type wireList struct {
	Data   []wirePost `json:"data"`
	Paging struct {
		Cursors struct {
			After string `json:"after"`
		} `json:"cursors"`
		Next string `json:"next"`
	} `json:"paging"`
}

// endsBefore reports whether what comes after a page of a list is older than a time: where the list is not in order, nothing tells.
func (l *wireList) endsBefore(t time.Time) bool {
	if len(l.Data) == 0 {
		return true
	}
	first, last := l.Data[0].Created, l.Data[len(l.Data)-1].Created
	return last.Before(t) && !first.Before(last.Time)
}

// wireTime is a time as the API writes it: "2026-12-01T09:00:00+0000".
type wireTime struct{ time.Time }

// UnmarshalJSON implements [json.Unmarshaler].
func (t *wireTime) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	var err error
	if t.Time, err = time.Parse("2006-01-02T15:04:05-0700", s); err != nil {
		t.Time, err = time.Parse(time.RFC3339, s)
	}
	return err
}

// The fields that are asked for.
const (
	postFields    = "id,message,created_time,attachments{media_type,type,unshimmed_url,subattachments.limit(100){media_type,type}}"
	commentFields = "id,message,created_time,from{id},attachment{type}"
	videoFields   = "id,description,created_time,published"
)

// text returns what an object says that is to be a part.
func (w *wirePost) text(part *platform.Part) string {
	if isVideo(part) {
		return w.Description
	}
	return w.Message
}

// shows reports whether an object has the files of a part, as far as that can be seen.
func (w *wirePost) shows(part *platform.Part) bool {
	if isVideo(part) {
		return w.Published == nil || *w.Published
	}
	return w.photos() == len(part.Media)
}

// photos returns how many photos an object shows.
func (w *wirePost) photos() int {
	n := 0
	attachments := w.Attachments.Data
	if w.Attachment != nil {
		attachments = []wireAttachment{*w.Attachment}
	}
	for i := range attachments {
		a := &attachments[i]
		switch {
		case len(a.Sub.Data) > 0:
			for k := range a.Sub.Data {
				if a.Sub.Data[k].isPhoto() {
					n++
				}
			}
		case a.isPhoto():
			n++
		}
	}
	return n
}

func (a *wireAttachment) isPhoto() bool {
	return a.MediaType == "photo" || a.MediaType == "" && (a.Type == "photo" || a.Type == "sticker")
}

// link returns the address that a post links to, "" for none.
func (w *wirePost) link() string {
	for i := range w.Attachments.Data {
		if a := &w.Attachments.Data[i]; a.MediaType == "link" || a.Type == "share" {
			return a.URL
		}
	}
	return ""
}

// version stands for what a part has beside its text, which an edit cannot change; "" for nothing.
func version(part *platform.Part) string {
	if len(part.Media) == 0 && part.Card == nil {
		return ""
	}
	h := sha256.New()
	if part.Card != nil {
		fmt.Fprintf(h, "%q\n", part.Card.URL)
	}
	for _, m := range part.Media {
		fmt.Fprintf(h, "%s %q", m.Digest, m.Alt)
		if f := m.Fit; f != nil {
			fmt.Fprintf(h, " %dx%d %s %d %t %d", f.Width, f.Height, f.MIME, f.MaxBytes, f.StripOnly, f.Version)
		}
		io.WriteString(h, "\n") //nolint:errcheck // a hash cannot fail
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// squash leaves of a text what a network does not change: neither white space nor what cannot be seen.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// sameLink reports whether two addresses lead to the same page, as far as that can be seen: networks leave out marks of campaigns.
func sameLink(a, b string) bool {
	x, err := url.Parse(a)
	y, err2 := url.Parse(b)
	if err != nil || err2 != nil {
		return a == b
	}
	host := func(u *url.URL) string { return strings.TrimPrefix(strings.ToLower(u.Host), "www.") }
	return host(x) == host(y) && strings.TrimSuffix(x.Path, "/") == strings.TrimSuffix(y.Path, "/")
}

// objectID returns an id as the API takes it. A person who settles a delivery by hand gives the address of the post.
func (p *publisher) objectID(op, id string) (string, error) {
	if !strings.Contains(id, "://") {
		if strings.Trim(id, "0123456789_") == "" && id != "" {
			return id, nil
		}
	} else if u, err := url.Parse(id); err == nil {
		path := strings.Split(strings.Trim(u.Path, "/"), "/")
		last, query := path[len(path)-1], u.Query()
		post, video := "", ""
		switch {
		case last == "watch":
			video = query.Get("v")
		case len(path) == 1, path[len(path)-2] == "videos", path[len(path)-2] == "reel":
			video = last
		}
		switch {
		case last == "permalink.php" || last == "story.php":
			post = query.Get("story_fbid")
		case strings.HasPrefix(last, p.options.Page+"_"):
			post = strings.TrimPrefix(last, p.options.Page+"_")
		case len(path) > 1 && path[len(path)-2] == "posts":
			post = last
		}
		comment := query.Get("comment_id")
		switch {
		case isNumber(post) && isNumber(comment):
			return post + "_" + comment, nil
		case isNumber(post) && comment == "":
			return p.options.Page + "_" + post, nil
		case isNumber(video) && isNumber(comment):
			return video + "_" + comment, nil
		case isNumber(video) && comment == "":
			return video, nil
		}
	}
	return "", &platform.Error{
		Outcome: platform.Rejected, Op: op, Message: fmt.Sprintf("%q is not the address of a post of the page that has its number", id),
		Hint: "record where it is with `postrider resolve POST ACCOUNT --published https://www.facebook.com/PAGE_POST`, both as numbers: addresses with pfbid… do not tell them",
	}
}
