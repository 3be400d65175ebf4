// Package feed writes feeds and calendars from plain entries: RSS 2.0, Atom (RFC 4287), JSON Feed 1.1 and iCalendar
// (RFC 5545 with RFC 7986). It knows nothing of where the entries come from.
//
// All writers are deterministic: the same values give the same bytes, and no clock is read. Any text may go in. What a
// format cannot carry, such as control characters, is left out, and every line ending becomes one line feed; nothing else
// is changed. What a format cannot do without (an id, an address, a time that has four digits for its year) is an error,
// and nothing is written then.
//
// The formats are written here because the libraries for them lose what is needed (2026-11-22): gorilla/feeds has one
// category and one link per entry, no self link and no xml:lang; golang-ical lets control characters through, which end
// lines, and knows no VTIMEZONE. Tests read what is written with other people's parsers.
package feed

import (
	"errors"
	"fmt"
	"html"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Feed is a list of entries under one address.
type Feed struct {
	ID          string // for ever the same: a URN or URL
	Title       string
	Home        string // the address of the pages that the feed is about
	Self        string // the address of the feed; may be empty
	Description string
	Language    string    // a language tag, such as "de" or "pt-BR"; what is none is left out
	Author      string    // who stands behind the entries that name nobody; empty: the title
	Updated     time.Time // zero: when the newest entry was updated
	Entries     []Entry   // in the order in which they are written: newest first, as readers expect
}

// Entry is one thing in a feed.
type Entry struct {
	ID         string // for ever the same, and no other entry's: a URN or URL
	Title      string // may be empty, as posts on social networks have none
	URL        string // where people read it; may be empty
	Text       string // plain
	HTML       string // the same text marked up, safe to show; may be empty
	Published  time.Time
	Updated    time.Time // zero: when it was published. One of the two is needed
	Author     string
	Categories []string
	Links      []Link  // where else it is
	Images     []Image // the first is the one that readers show
}

// Link is another address of an entry. A link whose address a reader could not follow, because it is relative or runs
// a script, is left out.
type Link struct {
	Rel   string // its relation to the entry; "", "alternate" and "self": "related"
	Title string
	URL   string
}

// Image is a picture of an entry. Like a [Link], it needs an absolute address.
type Image struct {
	URL   string
	Alt   string
	MIME  string
	Bytes int64 // its size; 0: unknown
}

// prepared returns the feed with everything in it fit for all formats, or the reason why it cannot be written.
func (f Feed) prepared() (Feed, error) {
	if err := errors.Join(stable("id", f.ID), absolute("home", f.Home)); err != nil {
		return f, fmt.Errorf("feed: %w", err)
	}
	if f.Self != "" {
		if err := absolute("self", f.Self); err != nil {
			return f, fmt.Errorf("feed: %w", err)
		}
	}
	f.ID, f.Home, f.Self = address(f.ID), address(f.Home), address(f.Self)
	f.Title, f.Description, f.Author = line(f.Title), clean(f.Description), line(f.Author)
	if f.Title == "" {
		f.Title = f.Home
	}
	if f.Author == "" {
		f.Author = f.Title
	}
	if !isLanguage(f.Language) {
		f.Language = ""
	}
	entries := make([]Entry, len(f.Entries))
	seen := make(map[string]bool, len(f.Entries))
	newest := time.Unix(0, 0)
	for i, e := range f.Entries {
		e, err := e.prepared()
		if err == nil && seen[e.ID] {
			err = errors.New("another entry has the same id")
		}
		if err != nil {
			return f, fmt.Errorf("feed: entry %q: %w", e.ID, err)
		}
		seen[e.ID] = true
		entries[i] = e
		if e.Updated.After(newest) {
			newest = e.Updated
		}
	}
	f.Entries = entries
	if f.Updated.IsZero() {
		f.Updated = newest
	}
	if err := writable(f.Updated); err != nil {
		return f, fmt.Errorf("feed: %w", err)
	}
	f.Updated = f.Updated.UTC()
	return f, nil
}

func (e Entry) prepared() (Entry, error) {
	if e.Updated.IsZero() {
		e.Updated = e.Published
	}
	err := stable("id", e.ID)
	switch {
	case e.Updated.IsZero():
		err = errors.Join(err, errors.New("it has no time"))
	default:
		err = errors.Join(err, writable(e.Updated))
		e.Updated = e.Updated.UTC()
	}
	if !e.Published.IsZero() {
		err = errors.Join(err, writable(e.Published))
		e.Published = e.Published.UTC()
	}
	if e.URL != "" {
		err = errors.Join(err, absolute("address", e.URL))
		e.URL = address(e.URL)
	}
	if err != nil {
		return e, err
	}
	e.ID = address(e.ID)
	e.Title, e.Author, e.Text, e.HTML = line(e.Title), line(e.Author), clean(e.Text), clean(e.HTML)
	e.Categories = labels(e.Categories)
	var links []Link
	for _, l := range e.Links {
		if absolute("", l.URL) == nil {
			l = Link{Rel: line(l.Rel), Title: line(l.Title), URL: address(l.URL)}
			if l.Rel == "" || l.Rel == "alternate" || l.Rel == "self" { // the last two have their place
				l.Rel = "related"
			}
			links = append(links, l)
		}
	}
	e.Links = links
	var images []Image
	for _, m := range e.Images {
		if absolute("", m.URL) == nil {
			images = append(images, Image{URL: address(m.URL), Alt: clean(m.Alt), MIME: line(m.MIME), Bytes: max(m.Bytes, 0)})
		}
	}
	e.Images = images
	return e, nil
}

// stable refuses an id that is no absolute IRI, as Atom wants it: readers remember by it what they have shown.
func stable(what, id string) error {
	switch {
	case id == "":
		return fmt.Errorf("the %s is missing", what)
	case scheme(address(id)) == "":
		return fmt.Errorf("the %s %q is neither a URN nor a URL", what, id)
	}
	return nil
}

// absolute refuses an address that cannot be followed from anywhere, or should not be.
func absolute(what, addr string) error {
	switch scheme(address(addr)) {
	case "":
		return fmt.Errorf("the %s %q is no absolute address", what, addr)
	case "javascript", "vbscript", "data":
		return fmt.Errorf("the %s %q is not one to follow", what, addr)
	}
	return nil
}

// scheme returns the scheme of an absolute address in lower case, else "". net/url is too strict for this: it refuses
// at://did:plc:… for a bad port.
func scheme(addr string) string {
	name, rest, ok := strings.Cut(addr, ":")
	if !ok || rest == "" {
		return ""
	}
	name = strings.ToLower(name)
	for i, c := range []byte(name) {
		if letter := c >= 'a' && c <= 'z'; !letter && (i == 0 || strings.IndexByte("0123456789+-.", c) < 0) {
			return ""
		}
	}
	if (name == "http" || name == "https") && (!strings.HasPrefix(rest, "//") || strings.Trim(rest, "/") == "") {
		return ""
	}
	return name
}

// address writes an address in the characters that RFC 3986 has for it; what is escaped already stays so.
func address(s string) string {
	s = strings.TrimFunc(clean(s), unicode.IsSpace)
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= utf8.RuneSelf || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// writable refuses times that RFC 3339, RFC 822 and RFC 5545 have no form for.
func writable(t time.Time) error {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return fmt.Errorf("the year %d cannot be written", year)
	}
	return nil
}

var (
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n")
	oneLine  = strings.NewReplacer("\n", " ", "\t", " ", "\u2028", " ", "\u2029", " ")
)

// clean returns the text in valid UTF-8, its lines ended by line feeds, without what XML 1.0 cannot carry or advises
// against (https://www.w3.org/TR/xml/#charsets): controls and noncharacters.
func clean(s string) string {
	plain := func(r rune) bool { return r >= ' ' && r <= '~' || r == '\n' }
	if !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s // most are, and there are many
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), r&0xFFFE == 0xFFFE, r >= 0xFDD0 && r <= 0xFDEF:
			return -1
		}
		return r
	}, lineEnds.Replace(strings.ToValidUTF8(s, "\uFFFD")))
}

// line is clean for what stands on one line, such as a title.
func line(s string) string { return strings.TrimSpace(oneLine.Replace(clean(s))) }

// labels are categories without empty and repeated ones.
func labels(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range list {
		if s = line(s); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// isLanguage says whether s has the form of a language tag (RFC 5646).
func isLanguage(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if len(part) < 1 || len(part) > 8 {
			return false
		}
		for _, c := range []byte(part) {
			if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}

// markup returns the entry as HTML. Readers take the texts of RSS and Atom for HTML, or run their lines together, so
// that plain text is marked up too: an empty line ends a paragraph, another line ending breaks the line.
func (e Entry) markup() string {
	if e.HTML != "" {
		return e.HTML
	}
	return paragraphs(e.Text)
}

func paragraphs(text string) string {
	if text == "" {
		return ""
	}
	var b strings.Builder
	for i, part := range strings.Split(html.EscapeString(text), "\n\n") {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("<p>" + strings.ReplaceAll(part, "\n", "<br>\n") + "</p>")
	}
	return b.String()
}

// heading is the title of an entry where a format must have one: its first words when it has none.
func (e Entry) heading() string {
	const most = 80
	if e.Title != "" {
		return e.Title
	}
	first, _, _ := strings.Cut(strings.TrimSpace(e.Text), "\n")
	first = line(first)
	if utf8.RuneCountInString(first) <= most {
		return first
	}
	cut := string([]rune(first)[:most])
	if at := strings.LastIndexByte(cut, ' '); at > most/2 {
		cut = cut[:at]
	}
	return strings.TrimRightFunc(cut, unicode.IsSpace) + "…"
}
