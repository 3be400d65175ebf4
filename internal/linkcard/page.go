package linkcard

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"
)

// Page is what the head of a web page offers for its link card.
type Page struct {
	Title       string // at most MaxTitle code points, on one line; "" where the page has none
	Description string // at most MaxDescription
	Picture     string // the address of the picture, absolute
	PictureAlt  string // what the page says of the picture
}

// ReadPage finds title, description and picture in the head of a page: those of Open Graph (https://ogp.me/, 2026-11-21), else of
// Twitter's cards (https://developer.x.com/en/docs/x-for-websites/cards/overview/markup, 2026-11-22), else HTML's own. The body may be cut
// off. contentType is the header that came with it, and base the address at which it was found; relative addresses of pictures
// are relative to that.
func ReadPage(body []byte, contentType string, base *url.URL) Page {
	h := head{base: base}
	h.read(html.NewTokenizer(bytes.NewReader(decoded(body, contentType))))
	return h.page()
}

// decoded returns a page as UTF-8: the encoding is the one that the header, a byte-order mark or the page itself states.
func decoded(body []byte, contentType string) []byte {
	enc, name, certain := charset.DetermineEncoding(body, contentType)
	if name == "utf-8" || !certain && utf8.Valid(bytes.TrimRight(body, "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f")) {
		return body
	}
	out, err := enc.NewDecoder().Bytes(body)
	if err != nil {
		return body
	}
	return out
}

// source is what one vocabulary says.
type source struct {
	title, description, picture, alt string
	pictures                         int
}

// head is what was found so far.
type head struct {
	base        *url.URL
	og, tw, own source
}

func (h *head) read(tokens *html.Tokenizer) {
	inTitle := false
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			if inTitle {
				h.own.title += string(tokens.Text())
			}
		case html.EndTagToken:
			name, _ := tokens.TagName()
			switch atom.Lookup(name) {
			case atom.Title:
				inTitle = false
			case atom.Head:
				return
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := tokens.TagName()
			switch atom.Lookup(name) {
			case atom.Title:
				inTitle = h.own.title == ""
			case atom.Body:
				return
			case atom.Base:
				h.rebase(attributes(tokens, more)["href"])
			case atom.Meta:
				a := attributes(tokens, more)
				for _, names := range [...]string{a["property"], a["name"]} { // pages mix them up
					h.meta(strings.ToLower(strings.TrimSpace(names)), strings.TrimSpace(a["content"]))
				}
			}
		}
	}
}

// attributes reads the attributes of the tag at hand; of one that is there twice, the first counts.
func attributes(tokens *html.Tokenizer, more bool) map[string]string {
	found := map[string]string{}
	for more {
		var key, value []byte
		key, value, more = tokens.TagAttr()
		if _, twice := found[string(key)]; !twice {
			found[string(key)] = string(value)
		}
	}
	return found
}

// rebase takes over what the page says its addresses are relative to.
func (h *head) rebase(address string) {
	if u, err := h.base.Parse(strings.TrimSpace(address)); address != "" && err == nil {
		h.base = u
	}
}

func (h *head) meta(name, content string) {
	set := func(field *string) {
		if *field == "" {
			*field = content
		}
	}
	switch name {
	case "og:title":
		set(&h.og.title)
	case "og:description":
		set(&h.og.description)
	case "og:image":
		h.og.pictures++
		set(&h.og.picture)
	case "og:image:url", "og:image:secure_url":
		set(&h.og.picture)
	case "og:image:alt":
		if h.og.pictures <= 1 { // of the pictures of a page, the first is taken
			set(&h.og.alt)
		}
	case "twitter:title":
		set(&h.tw.title)
	case "twitter:description":
		set(&h.tw.description)
	case "twitter:image", "twitter:image:src":
		set(&h.tw.picture)
	case "twitter:image:alt":
		set(&h.tw.alt)
	case "description":
		set(&h.own.description)
	}
}

// page puts together what was found, the best first.
func (h *head) page() Page {
	var p Page
	for _, s := range [...]*source{&h.og, &h.tw, &h.own} {
		if p.Title == "" {
			p.Title = shortened(s.title, MaxTitle)
		}
		if p.Description == "" {
			p.Description = shortened(s.description, MaxDescription)
		}
		if p.Picture == "" {
			if p.Picture = h.address(s.picture); p.Picture != "" {
				p.PictureAlt = shortened(s.alt, MaxDescription)
			}
		}
	}
	return p
}

// address returns the absolute form of an address, "" for what is none of the web.
func (h *head) address(s string) string {
	u, err := h.base.Parse(s)
	if s == "" || err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// shortened puts s on one line of at most n code points, cut between words.
func shortened(s string, n int) string {
	s = oneLine(s)
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	s = string(runes[:n-1])
	if space := strings.LastIndexByte(s, ' '); space > len(s)/2 {
		s = s[:space]
	}
	return s + "…"
}
