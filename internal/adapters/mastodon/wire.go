package mastodon

import (
	"slices"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// The entities of the API, as far as they matter here: https://docs.joinmastodon.org/entities/ (2026-11-21).

type wireAccount struct {
	ID   string `json:"id"`
	Acct string `json:"acct"`
	URL  string `json:"url"`
}

type wireStatus struct {
	ID         string      `json:"id"`
	URL        string      `json:"url"`
	CreatedAt  time.Time   `json:"created_at"`
	EditedAt   *time.Time  `json:"edited_at"`
	ReplyTo    string      `json:"in_reply_to_id"`
	Visibility string      `json:"visibility"`
	Language   string      `json:"language"`
	Sensitive  bool        `json:"sensitive"`
	Spoiler    string      `json:"spoiler_text"`
	Content    string      `json:"content"`
	Media      []wireMedia `json:"media_attachments"`
	Poll       *wirePoll   `json:"poll"`
	Account    struct {
		ID string `json:"id"`
	} `json:"account"`
	Reblog *struct {
		ID string `json:"id"`
	} `json:"reblog"`
	Quote *struct {
		Status *struct {
			ID string `json:"id"`
		} `json:"quoted_status"`
	} `json:"quote"`
}

type wireMedia struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Meta        struct {
		Original struct {
			Width  int `json:"width"`
			Height int `json:"height"`
		} `json:"original"`
	} `json:"meta"`
}

type wirePoll struct {
	ExpiresAt time.Time `json:"expires_at"`
	Multiple  bool      `json:"multiple"`
	Options   []struct {
		Title string `json:"title"`
	} `json:"options"`
}

type wireSource struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Spoiler string `json:"spoiler_text"`
}

// wireInstance is the configuration of /api/v2/instance; /api/v1/instance has the same under the same name.
type wireInstance struct {
	Domain       string `json:"domain"` // v2
	Version      string `json:"version"`
	SourceURL    string `json:"source_url"`
	MaxTootChars int    `json:"max_toot_chars"` // v1, servers other than Mastodon
	APIVersions  struct {
		Mastodon int `json:"mastodon"`
	} `json:"api_versions"`
	Configuration struct {
		Statuses struct {
			Characters int `json:"max_characters"`
			Media      int `json:"max_media_attachments"`
			URL        int `json:"characters_reserved_per_url"`
		} `json:"statuses"`
		Media struct {
			AltText     int `json:"description_limit"`
			ImageBytes  int `json:"image_size_limit"`
			ImagePixels int `json:"image_matrix_limit"`
			VideoBytes  int `json:"video_size_limit"`
			VideoPixels int `json:"video_matrix_limit"`
		} `json:"media_attachments"`
		Polls struct {
			Options   int `json:"max_options"`
			Option    int `json:"max_characters_per_option"`
			MaxExpiry int `json:"max_expiration"`
		} `json:"polls"`
	} `json:"configuration"`
}

// quoteVersion is the version of the API that brought quoted_status_id (Mastodon 4.5).
const quoteVersion = 7

// newStatus is the body of POST /api/v1/statuses and, with the second group, of PUT /api/v1/statuses/:id:
// https://docs.joinmastodon.org/methods/statuses/ (2026-11-21).
type newStatus struct {
	Status     string   `json:"status"`
	MediaIDs   []string `json:"media_ids,omitempty"`
	Poll       *newPoll `json:"poll,omitempty"`
	ReplyTo    string   `json:"in_reply_to_id,omitempty"`
	Quote      string   `json:"quoted_status_id,omitempty"` // Mastodon 4.5
	Sensitive  bool     `json:"sensitive"`
	Spoiler    string   `json:"spoiler_text"`
	Visibility string   `json:"visibility,omitempty"`
	Language   string   `json:"language,omitempty"`
	// ContentType keeps servers on which an account may prefer Markdown (GoToSocial, Akkoma,
	// glitch-soc) from reading any into the text. Mastodon ignores it.
	ContentType string `json:"content_type"`

	MediaAttributes []mediaAttributes `json:"media_attributes,omitempty"`
}

type newPoll struct {
	Options    []string `json:"options"`
	ExpiresIn  int      `json:"expires_in"`
	Multiple   bool     `json:"multiple"`
	HideTotals bool     `json:"hide_totals"`
}

type mediaAttributes struct {
	ID          string `json:"id"`
	Description string `json:"description"`
}

// body returns the request that makes part i of a rendering, but for what only the server knows:
// the ids of its media and of the statuses that it answers and quotes.
func body(r *platform.Rendering, i int) newStatus {
	part := &r.Parts[i]
	s := newStatus{
		Status:      part.Text,
		Sensitive:   r.Sensitive || r.ContentWarning != "",
		Spoiler:     r.ContentWarning,
		Visibility:  r.Visibility,
		ContentType: "text/plain",
	}
	if len(r.Language) > 0 {
		s.Language = r.Language[0]
	}
	if i == 0 && r.Poll != nil {
		s.Poll = &newPoll{
			Options:    slices.Clone(r.Poll.Options),
			ExpiresIn:  int(r.Poll.Duration / time.Second),
			Multiple:   r.Poll.Multiple,
			HideTotals: r.Poll.HideTotals,
		}
	}
	return s
}

// remote returns what the receipt says of a status. Version names its media, so that an edit can tell
// which of them are still the same files: the API has no digests.
func (s *wireStatus) remote(part int, media []platform.Media) platform.Remote {
	return platform.Remote{ID: s.ID, URL: s.URL, Part: part, Version: mediaVersion(s.Media, media)}
}

// refine turns the API's refusals into what a person can do about them. The messages are the server's own.
func refine(e *platform.Error, _ *apihttp.Response) {
	switch e.Status {
	case 401:
		e.Hint = "the access token is wrong or was revoked: make a new one under Preferences → Development (GoToSocial: Settings → Access tokens) with the scopes read and write"
	case 403:
		e.Hint = "the token lacks a scope (read and write are needed), or the account is restricted on its server"
	}
}
