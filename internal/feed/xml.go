package feed

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// link is atom:link, which RSS has borrowed.
type link struct {
	Rel    string `xml:"rel,attr,omitempty"`
	Type   string `xml:"type,attr,omitempty"`
	Title  string `xml:"title,attr,omitempty"`
	Href   string `xml:"href,attr"`
	Length int64  `xml:"length,attr,omitempty"`
}

type rss struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Content string     `xml:"xmlns:content,attr"`
	DC      string     `xml:"xmlns:dc,attr"`
	Media   string     `xml:"xmlns:media,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title         string    `xml:"title"`
	Link          string    `xml:"link"`
	Description   string    `xml:"description"`
	Language      string    `xml:"language,omitempty"`
	LastBuildDate string    `xml:"lastBuildDate,omitempty"`
	Self          *link     `xml:"atom:link"`
	Items         []rssItem `xml:"item"`
}

type rssItem struct {
	Title       string        `xml:"title,omitempty"`
	Link        string        `xml:"link,omitempty"`
	GUID        rssGUID       `xml:"guid"`
	PubDate     string        `xml:"pubDate,omitempty"`
	Updated     string        `xml:"atom:updated"`
	Creator     string        `xml:"dc:creator,omitempty"` // RSS's own author is an e-mail address
	Categories  []string      `xml:"category"`
	Description string        `xml:"description"`
	Encoded     *rssEncoded   `xml:"content:encoded"`
	Links       []link        `xml:"atom:link"`
	Enclosure   *rssEnclosure `xml:"enclosure"`
	Media       []rssMedia    `xml:"media:content"`
}

type rssGUID struct {
	ID        string `xml:",chardata"`
	Permalink bool   `xml:"isPermaLink,attr"`
}

type rssEncoded struct {
	HTML string `xml:",cdata"`
}

type rssEnclosure struct {
	URL    string `xml:"url,attr"`
	Length int64  `xml:"length,attr"`
	Type   string `xml:"type,attr"`
}

type rssMedia struct {
	URL         string `xml:"url,attr"`
	Type        string `xml:"type,attr,omitempty"`
	Size        int64  `xml:"fileSize,attr,omitempty"`
	Medium      string `xml:"medium,attr"`
	Description string `xml:"media:description,omitempty"`
}

// WriteRSS writes RSS 2.0 (https://www.rssboard.org/rss-specification) with the elements of other namespaces that the
// RSS Advisory Board's profile recommends, and Media RSS for what enclosure cannot say: more than one picture, and
// what a picture shows. Checked 2026-11-22.
func WriteRSS(w io.Writer, f Feed) error {
	f, err := f.prepared()
	if err != nil {
		return err
	}
	out := rss{
		Version: "2.0",
		Atom:    "http://www.w3.org/2005/Atom",
		Content: "http://purl.org/rss/1.0/modules/content/",
		DC:      "http://purl.org/dc/elements/1.1/",
		Media:   "http://search.yahoo.com/mrss/",
		Channel: rssChannel{Title: f.Title, Link: f.Home, Description: f.Description, Language: f.Language},
	}
	c := &out.Channel
	if f.Updated.Unix() != 0 { // as it is where nothing has ever changed
		c.LastBuildDate = date822(f.Updated)
	}
	if c.Description == "" {
		c.Description = f.Title
	}
	if f.Self != "" {
		c.Self = &link{Rel: "self", Type: "application/rss+xml", Href: f.Self}
	}
	for _, e := range f.Entries {
		item := rssItem{
			Title: e.Title, Link: e.URL, GUID: rssGUID{e.ID, e.ID == e.URL}, Updated: date3339(e.Updated), Creator: e.Author,
			Categories: e.Categories, Description: paragraphs(e.Text), Links: e.links(),
		}
		if !e.Published.IsZero() {
			item.PubDate = date822(e.Published)
		}
		if e.HTML != "" {
			item.Encoded = &rssEncoded{e.HTML}
		}
		for _, m := range e.Images {
			item.Media = append(item.Media, rssMedia{URL: m.URL, Type: m.MIME, Size: m.Bytes, Medium: "image", Description: m.Alt})
			if item.Enclosure == nil && m.MIME != "" { // one, as the profile asks; all its attributes are required
				item.Enclosure = &rssEnclosure{m.URL, m.Bytes, m.MIME}
			}
		}
		c.Items = append(c.Items, item)
	}
	return writeXML(w, out)
}

type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang     string      `xml:"xml:lang,attr,omitempty"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	Updated  string      `xml:"updated"`
	Author   atomPerson  `xml:"author"`
	Links    []link      `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomPerson struct {
	Name string `xml:"name"`
}

type atomEntry struct {
	ID         string         `xml:"id"`
	Title      string         `xml:"title"`
	Updated    string         `xml:"updated"`
	Published  string         `xml:"published,omitempty"`
	Author     *atomPerson    `xml:"author"`
	Links      []link         `xml:"link"`
	Categories []atomCategory `xml:"category"`
	Summary    string         `xml:"summary,omitempty"`
	Content    atomContent    `xml:"content"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

type atomContent struct {
	Type string `xml:"type,attr"`
	HTML string `xml:",chardata"`
}

// WriteAtom writes Atom, RFC 4287. An entry without a title gets its first words for one, because Atom asks for it.
func WriteAtom(w io.Writer, f Feed) error {
	f, err := f.prepared()
	if err != nil {
		return err
	}
	out := atomFeed{
		Lang: f.Language, ID: f.ID, Title: f.Title, Subtitle: f.Description, Updated: date3339(f.Updated), Author: atomPerson{f.Author},
		Links: []link{{Rel: "alternate", Href: f.Home}},
	}
	if f.Self != "" {
		out.Links = append(out.Links, link{Rel: "self", Type: "application/atom+xml", Href: f.Self})
	}
	for _, e := range f.Entries {
		entry := atomEntry{ID: e.ID, Title: e.heading(), Updated: date3339(e.Updated), Content: atomContent{"html", e.markup()}}
		if !e.Published.IsZero() {
			entry.Published = date3339(e.Published)
		}
		if e.Author != "" {
			entry.Author = &atomPerson{e.Author}
		}
		if e.HTML != "" {
			entry.Summary = e.Text
		}
		if e.URL != "" {
			entry.Links = append(entry.Links, link{Rel: "alternate", Href: e.URL})
		}
		entry.Links = append(entry.Links, e.links()...)
		for _, m := range e.Images {
			entry.Links = append(entry.Links, link{Rel: "enclosure", Type: m.MIME, Title: m.Alt, Href: m.URL, Length: m.Bytes})
		}
		for _, c := range e.Categories {
			entry.Categories = append(entry.Categories, atomCategory{c})
		}
		out.Entries = append(out.Entries, entry)
	}
	return writeXML(w, out)
}

func (e Entry) links() []link {
	var list []link
	for _, l := range e.Links {
		list = append(list, link{Rel: l.Rel, Title: l.Title, Href: l.URL})
	}
	return list
}

// date822 is a time as RSS wants it: RFC 822 with a year of four digits.
func date822(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 +0000") }

func date3339(t time.Time) string { return t.Format("2006-01-02T15:04:05Z") }

func writeXML(w io.Writer, v any) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", " ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}
