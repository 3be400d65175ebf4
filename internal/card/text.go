package card

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/postrider/postrider/internal/platform"
)

// Text is a text as a list of paragraphs.
type Text []Paragraph

// Paragraph is what stands between two empty lines.
type Paragraph []Run

// RunKind tells what a run is.
type RunKind string

// The kinds of runs.
const (
	Words   RunKind = ""
	Link    RunKind = "link"
	Mention RunKind = "mention"
	Tag     RunKind = "tag"
	Break   RunKind = "break" // the end of a line; it has no text
)

// Run is a stretch of text of one kind. Text is valid UTF-8 and has no line breaks.
type Run struct {
	Kind RunKind
	Text string // as the network displays it
	// Href is where a link, mention or hashtag leads: http or https, or empty where it leads nowhere.
	Href                       string
	Bold, Italic, Strike, Code bool
}

// entity is a link, mention or hashtag with how it is displayed.
type entity struct {
	start, end int
	run        Run
	replaced   bool // run.Text differs from the text
}

// content is a part's text, taken apart.
type content struct {
	text     string
	entities []entity // in order, without overlaps
	styles   []platform.Facet
}

// read takes a part's text apart. Facets that lie outside the text or inside a character are moved to where they can
// be; of two links that overlap the first one counts.
func (l *Look) read(p *platform.Part, host string) content {
	c := content{text: p.Text}
	for _, f := range p.Facets {
		f.Start, f.End = snap(p.Text, f.Start), snap(p.Text, f.End)
		if f.Start >= f.End {
			continue
		}
		words := p.Text[f.Start:f.End]
		run := Run{Text: words}
		switch f.Kind {
		case platform.FacetLink:
			run.Kind, run.Href, run.Text = Link, webAddress(f.Value), l.Link.display(words, f.Value)
		case platform.FacetMention:
			run.Kind, run.Href = Mention, mentionAddress(l.Mention, f.Value, host)
			if at := strings.IndexByte(words, '@'); l.ShortMentions && at == 0 {
				name, _, _ := strings.Cut(words[1:], "@")
				run.Text = "@" + name
			}
		case platform.FacetTag:
			run.Kind = Tag
			if l.Tag != "" && !strings.HasPrefix(f.Value, "$") {
				run.Href = expand(l.Tag, "", host, f.Value)
			}
		default:
			if l.Rich {
				c.styles = append(c.styles, f)
			}
			continue
		}
		c.entities = append(c.entities, entity{f.Start, f.End, run, run.Text != words})
	}
	slices.SortStableFunc(c.entities, func(a, b entity) int { return a.start - b.start })
	kept := c.entities[:0]
	for _, e := range c.entities {
		if len(kept) == 0 || e.start >= kept[len(kept)-1].end {
			kept = append(kept, e)
		}
	}
	c.entities = kept
	return c
}

// snap returns the offset of the character that i lies in.
func snap(s string, i int) int {
	i = min(max(i, 0), len(s))
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

// between returns the text from start to end.
func (c *content) between(start, end int) Text {
	edges := []int{start, end}
	edge := func(i int) {
		if start < i && i < end {
			edges = append(edges, i)
		}
	}
	for _, e := range c.entities {
		edge(e.start)
		edge(e.end)
	}
	for _, s := range c.styles {
		edge(s.Start)
		edge(s.End)
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)

	var w setter
	entities := c.entities
	for i := 1; i < len(edges); i++ {
		from, to := edges[i-1], edges[i]
		for len(entities) > 0 && entities[0].end <= from {
			entities = entities[1:]
		}
		run := Run{Text: c.text[from:to]}
		if len(entities) > 0 && entities[0].start <= from {
			e := entities[0]
			run.Kind, run.Href = e.run.Kind, e.run.Href
			switch {
			case e.replaced && from > max(e.start, start):
				continue // it stands there already
			case e.replaced:
				run.Text = e.run.Text
			}
		}
		for _, s := range c.styles {
			if s.Start > from || s.End < to {
				continue
			}
			switch s.Kind {
			case platform.FacetBold:
				run.Bold = true
			case platform.FacetItalic:
				run.Italic = true
			case platform.FacetStrike:
				run.Strike = true
			case platform.FacetCode:
				run.Code = true
			}
		}
		w.set(run)
	}
	return w.text()
}

// setter sets runs in paragraphs and lines.
type setter struct {
	done   Text
	open   Paragraph
	breaks int // line ends since the last character
}

func (w *setter) set(run Run) {
	rest := run.Text
	for rest != "" {
		i := strings.IndexAny(rest, "\r\n")
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			w.breakLine()
			run.Text = strings.ToValidUTF8(rest[:i], "\uFFFD")
			w.open = append(w.open, run)
			rest = rest[i:]
			continue
		}
		if strings.HasPrefix(rest, "\r\n") {
			i = 1
		}
		rest = rest[i+1:]
		w.breaks++
	}
}

// breakLine writes the line ends that are due. One ends a line, two a paragraph; what is more are empty lines.
func (w *setter) breakLine() {
	n := w.breaks
	w.breaks = 0
	if len(w.open) == 0 && len(w.done) == 0 {
		return
	}
	if n >= 2 {
		w.done = append(w.done, w.open)
		w.open = nil
		n -= 2
	}
	for range n {
		w.open = append(w.open, Run{Kind: Break})
	}
}

func (w *setter) text() Text {
	if len(w.open) > 0 {
		w.done = append(w.done, w.open)
	}
	return w.done
}

// cut returns where the text folds: len(text) where it does not. It never cuts through a character, a link, or, where
// that can be helped, a word.
func (f *Fold) cut(c *content) int {
	if f.Characters == 0 && f.Lines == 0 {
		return len(c.text)
	}
	at := f.limit(c.text)
	if strings.TrimSpace(c.text[at:]) == "" {
		return len(c.text)
	}
	for _, e := range c.entities {
		if e.start > 0 && e.start < at && at < e.end {
			return e.start
		}
	}
	const word = 24 // bytes that the last word may have to be left out as a whole
	if i := strings.LastIndexFunc(c.text[:at], unicode.IsSpace); i > 0 && at-i <= word {
		if next, _ := utf8.DecodeRuneInString(c.text[at:]); !unicode.IsSpace(next) {
			return i
		}
	}
	return at
}

// limit returns how much of the text is within the limits.
func (f *Fold) limit(text string) int {
	characters, lines, column := 0, 1, 0
	it := graphemes.FromString(text)
	for it.Next() {
		if f.Characters > 0 && characters == f.Characters {
			return it.Start()
		}
		characters++
		switch {
		case strings.ContainsAny(it.Value(), "\r\n"):
			lines, column = lines+1, 0
		case f.PerLine > 0 && column == f.PerLine:
			lines, column = lines+1, 1
		default:
			column++
		}
		if f.Lines > 0 && lines > f.Lines {
			return it.Start()
		}
	}
	return len(text)
}

// display returns what the network displays for a link whose text is words.
func (s *Shorten) display(words, address string) string {
	if words != address && "https://"+words != address && "http://"+words != address {
		return words
	}
	rest := words
	if !s.Scheme {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "https://"), "http://")
	}
	if !s.WWW {
		rest = strings.TrimPrefix(rest, "www.")
	}
	if s.Total > 0 {
		return cutRunes(rest, s.Total, s.Total, s.Dots)
	}
	if s.Longest > 0 {
		host := rest
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			host = rest[:i]
		}
		path := rest[len(host):]
		if path == "/" {
			return host
		}
		return host + cutRunes(path, s.Longest, s.Keep, s.Dots)
	}
	return rest
}

// cutRunes keeps the first characters of a text that is longer than longest.
func cutRunes(s string, longest, keep int, dots string) string {
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	for i := range s {
		if keep == 0 {
			return s[:i] + dots
		}
		keep--
	}
	return s
}

// webAddress returns the address if a browser may open it.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return ""
	}
	return address
}

// hostOf returns the host of an address as networks show it: without www.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return strings.TrimPrefix(u.Host, "www.")
	}
	return address
}

// mentionAddress returns the profile of a mentioned account. name may hold its server: name@server.
func mentionAddress(pattern, name, host string) string {
	local, server, ok := strings.Cut(name, "@")
	if ok && strings.Contains(pattern, "{host}") {
		name, host = local, server
	}
	if pattern == "" || name == "" || (host == "" && strings.Contains(pattern, "{host}")) {
		return ""
	}
	return webAddress(expand(pattern, name, host, ""))
}

func expand(pattern, name, host, tag string) string {
	if host == "" && strings.Contains(pattern, "{host}") {
		return ""
	}
	return strings.NewReplacer("{name}", url.PathEscape(name), "{host}", host, "{tag}", url.QueryEscape(tag)).Replace(pattern)
}
