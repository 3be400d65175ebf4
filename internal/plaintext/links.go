package plaintext

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// link writes a link with words.
func (w *writer) link(in *post.Inline) {
	if w.inLink { // Markdown has no link inside a link
		w.inlines(in.Inlines)
		return
	}
	w.inLink = true
	defer func() { w.inLink = false }()

	if in.Title != "" && !w.c.s.takesAll() {
		w.c.add(CodeLinkTitle, finding.Info, w.place(in.Span),
			"the title of the link, \""+in.Title+"\", is not shown on "+w.c.s.Network, "")
	}
	dest := escape(in.Dest)
	switch kind := destKind(dest); {
	case w.c.s.takesAll(), kind == destWeb && w.c.s.Links == LinkFacet:
		w.linkFacet(in, dest)
	case kind == destNowhere:
		w.c.add(CodeNowhere, finding.Error, w.place(in.Span),
			"the address \""+in.Dest+"\" leads nowhere from "+w.c.s.Network,
			nowhereHint(dest))
		w.inlines(in.Inlines)
	default:
		if kind == destMail {
			dest, _, _ = strings.Cut(dest[len("mailto:"):], "?")
		}
		w.linkAddress(in, dest)
	}
}

func (w *writer) linkFacet(in *post.Inline, dest string) {
	before := w.puts
	w.open(platform.FacetLink, dest)
	w.inlines(in.Inlines)
	if w.puts == before {
		w.write(dest, in.Span)
	}
	w.close(platform.FacetLink)
}

// linkAddress writes the words and the address behind them, or only the address where the words are
// the address.
func (w *writer) linkAddress(in *post.Inline, dest string) {
	before := w.puts
	if words, ok := soleText(in.Inlines); !ok || !sameAddress(words, dest) {
		w.inlines(in.Inlines)
	}
	if w.puts == before {
		w.put(dest, in.Span)
		w.urls = append(w.urls, writtenURL{len(w.buf) - len(dest), len(w.buf), in.Span})
		return
	}
	w.put(" (", post.Span{})
	w.put(dest, in.Span)
	w.urls = append(w.urls, writtenURL{len(w.buf) - len(dest), len(w.buf), in.Span})
	w.put(")", post.Span{})
}

// autoLink writes an address that stands in the text as it is. Networks find such addresses by
// themselves; only in <brackets> it is certain where one ends.
func (w *writer) autoLink(in *post.Inline) {
	bracketed := in.Span.End-in.Span.Start >= len(in.Text)+len("<>")
	if !w.inLink && (w.c.s.takesAll() || w.c.s.Links == LinkFacet && bracketed && destKind(in.Dest) == destWeb) {
		w.open(platform.FacetLink, escape(in.Dest))
		w.write(in.Text, in.Span)
		w.close(platform.FacetLink)
		return
	}
	if in.Text == "" {
		w.write(in.Dest, in.Span)
		return
	}
	w.write(in.Text, in.Span)
}

// checkAddresses reports written-out addresses that the network does not take for exactly that
// address: it would link to something else, or to nothing.
func (c *composer) checkAddresses(w *writer, p *platform.Part) {
	if c.s.Entities == nil {
		return
	}
	facets := p.Facets
	for _, u := range w.urls {
		for len(facets) > 0 && facets[0].Start < u.start {
			facets = facets[1:]
		}
		address := p.Text[u.start:u.end]
		if destKind(address) != destWeb || isReserved(address) {
			continue
		}
		if len(facets) == 0 || facets[0].Kind != platform.FacetLink || facets[0].Start != u.start || facets[0].End != u.end {
			c.add(CodeCutAddress, finding.Warning, w.place(u.source),
				c.s.Network+" does not link \""+address+"\" as a whole",
				"write special characters of the address as %XX, or use a simpler address")
		}
	}
}

// isReserved reports whether an address is on a domain that is kept for examples and tests
// (RFC 2606): no network links those, and nobody expects it.
func isReserved(address string) bool {
	_, host, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(host, "/?#:"); i >= 0 {
		host = host[:i]
	}
	switch host[strings.LastIndexByte(host, '.')+1:] {
	case "example", "test", "invalid", "localhost":
		return true
	}
	return false
}

// The kinds of a link's destination.
type destination uint8

const (
	destWeb     destination = iota // http, https
	destMail                       // mailto:
	destOther                      // another scheme
	destNowhere                    // no scheme: relative to a page that does not exist here
)

func destKind(dest string) destination {
	colon := strings.IndexByte(dest, ':')
	for i := range max(colon, 0) {
		c := dest[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || dest[i] != '+' && dest[i] != '-' && dest[i] != '.' && (dest[i] < '0' || dest[i] > '9')) {
			return destNowhere
		}
	}
	switch {
	case colon <= 0:
		return destNowhere
	case strings.EqualFold(dest[:colon], "http"), strings.EqualFold(dest[:colon], "https"):
		if strings.HasPrefix(dest[colon:], "://") && len(dest) > colon+3 {
			return destWeb
		}
		return destNowhere
	case strings.EqualFold(dest[:colon], "mailto"):
		return destMail
	default:
		return destOther
	}
}

func nowhereHint(dest string) string {
	if strings.HasPrefix(dest, "www.") {
		return "write https://" + dest
	}
	return "write the whole address, beginning with https://"
}

// escape returns an address with the bytes that no address may hold percent-encoded.
func escape(dest string) string {
	const hex = "0123456789ABCDEF"
	bad := func(b byte) bool { return b <= ' ' || b == 0x7F || strings.IndexByte("\"<>\\^`{|}", b) >= 0 }
	if !utf8.ValidString(dest) {
		dest = strings.ToValidUTF8(dest, string(utf8.RuneError))
	}
	i := 0
	for i < len(dest) && !bad(dest[i]) {
		i++
	}
	if i == len(dest) {
		return dest
	}
	var b strings.Builder
	b.Grow(len(dest) + 8)
	b.WriteString(dest[:i])
	for ; i < len(dest); i++ {
		if c := dest[i]; bad(c) {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// soleText returns the words of a link that are one piece of text, marked up or not.
func soleText(inlines []post.Inline) (string, bool) {
	if len(inlines) != 1 {
		return "", false
	}
	switch in := &inlines[0]; in.Kind {
	case post.Text, post.CodeSpan, post.AutoLink:
		return in.Text, true
	case post.Strong, post.Emphasis:
		return soleText(in.Inlines)
	default:
		return "", false
	}
}

// sameAddress reports whether words are how people write the address, for which nobody writes out where readers come from.
func sameAddress(words, dest string) bool {
	words, dest = bareAddress(words), bareAddress(dest)
	return strings.EqualFold(words, dest) || strings.EqualFold(words, bareAddress(utm.Without("https://"+dest)))
}

func bareAddress(s string) string {
	for _, scheme := range [...]string{"https://", "http://", "mailto:"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s = s[len(scheme):]
			break
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(s, "www."), "/")
}

// hasAddress reports whether the text or a facet holds the address, and not just a longer one that
// begins with it.
func (w *writer) hasAddress(address string) bool {
	for i := range w.marks {
		if w.marks[i].Kind == platform.FacetLink && w.marks[i].Value == address {
			return true
		}
	}
	for rest := w.buf; ; {
		i := bytes.Index(rest, []byte(address))
		if i < 0 {
			return false
		}
		rest = rest[i+len(address):]
		after := bytes.TrimLeft(rest, ".,;:!?)]}'\"")
		if len(after) == 0 || after[0] <= ' ' || len(after) == len(rest) && strings.IndexByte("<>|*", after[0]) >= 0 {
			return true
		}
	}
}
