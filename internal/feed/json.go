package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

type jsonFeed struct {
	Version     string       `json:"version"`
	Title       string       `json:"title"`
	Home        string       `json:"home_page_url"`
	Self        string       `json:"feed_url,omitempty"`
	Description string       `json:"description,omitempty"`
	Language    string       `json:"language,omitempty"`
	Authors     []jsonAuthor `json:"authors"`
	Items       []jsonItem   `json:"items"`
}

type jsonAuthor struct {
	Name string `json:"name"`
}

type jsonItem struct {
	ID          string           `json:"id"`
	URL         string           `json:"url,omitempty"`
	Title       string           `json:"title,omitempty"`
	HTML        string           `json:"content_html,omitempty"`
	Text        *string          `json:"content_text,omitempty"`
	Image       string           `json:"image,omitempty"`
	Published   string           `json:"date_published,omitempty"`
	Modified    string           `json:"date_modified"`
	Authors     []jsonAuthor     `json:"authors,omitempty"`
	Tags        []string         `json:"tags,omitempty"`
	Attachments []jsonAttachment `json:"attachments,omitempty"`
	Elsewhere   *jsonElsewhere   `json:"_elsewhere,omitempty"`
}

type jsonAttachment struct {
	URL   string `json:"url"`
	MIME  string `json:"mime_type"`
	Title string `json:"title,omitempty"`
	Size  int64  `json:"size_in_bytes,omitempty"`
}

// jsonElsewhere is our extension for what JSON Feed has no name for: the entry's other addresses.
type jsonElsewhere struct {
	Links []jsonLink `json:"links"`
}

type jsonLink struct {
	Rel   string `json:"rel"`
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

// WriteJSONFeed writes JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/, checked 2026-11-22). An entry's other
// addresses are in the extension "_elsewhere": {"links": [{"rel", "title", "url"}]}.
func WriteJSONFeed(w io.Writer, f Feed) error {
	f, err := f.prepared()
	if err != nil {
		return err
	}
	out := jsonFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: f.Title, Home: f.Home, Self: f.Self, Description: f.Description,
		Language: f.Language, Authors: []jsonAuthor{{f.Author}}, Items: make([]jsonItem, len(f.Entries)),
	}
	for i, e := range f.Entries {
		item := jsonItem{ID: e.ID, URL: e.URL, Title: e.Title, HTML: e.HTML, Modified: date3339(e.Updated), Tags: e.Categories}
		if e.Text != "" || e.HTML == "" { // one of the two there must be
			item.Text = &e.Text
		}
		if !e.Published.IsZero() {
			item.Published = date3339(e.Published)
		}
		if e.Author != "" {
			item.Authors = []jsonAuthor{{e.Author}}
		}
		for _, m := range e.Images {
			a := jsonAttachment{m.URL, m.MIME, m.Alt, m.Bytes}
			if a.MIME == "" { // it is required
				a.MIME = "application/octet-stream"
			}
			item.Attachments = append(item.Attachments, a)
		}
		if len(e.Images) > 0 {
			item.Image = e.Images[0].URL
		}
		if len(e.Links) > 0 {
			item.Elsewhere = &jsonElsewhere{}
		}
		for _, l := range e.Links {
			item.Elsewhere.Links = append(item.Elsewhere.Links, jsonLink(l))
		}
		out.Items[i] = item
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
