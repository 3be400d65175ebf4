package check

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/utm"
)

// The codes of what is found by asking links. No check of this package asks: package linkcheck does, when somebody wants that.
const (
	LinkGone      finding.Code = "L101" // the page does not exist any more
	LinkNowhere   finding.Code = "L102" // there is no such host
	LinkStatus    finding.Code = "L103" // another status that is no page
	LinkSilent    finding.Code = "L104" // no answer
	LinkUnsafe    finding.Code = "L105" // no certificate that browsers accept
	LinkMoved     finding.Code = "L106" // for good
	LinkPrivate   finding.Code = "L107" // not of the public internet, and not asked
	LinkUncertain finding.Code = "L108" // programs are not answered
)

// links returns the documentation of these codes. What may be over by the next time is a warning at most.
func links() []Check {
	docs := []finding.Doc{
		{
			Code: LinkGone, Title: "link to a page that is gone", Severity: finding.Error,
			Why: "Found by `check --links`: the server says that the page does not exist (404) or exists no more (410).",
			Bad: exampleLink("https://acme.example/gone"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkNowhere, Title: "link that leads nowhere", Severity: finding.Error,
			Why: "Found by `check --links`: there is no host of that name, or what is written is no address. Mostly it is a slip of the keyboard.",
			Bad: exampleLink("https://acne.example/winter"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkStatus, Title: "link that does not end at a page", Severity: finding.Warning,
			Why: "Found by `check --links`: the server answers with an error, or sends from one address to the next without end. Errors like 503 may be over in a minute, so this is a warning.",
			Bad: exampleLink("https://acme.example/broken"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkSilent, Title: "link whose server does not answer", Severity: finding.Warning,
			Why: "Found by `check --links`: no connection, or no answer in time. Servers come back and networks have bad days, so this is a warning.",
			Bad: exampleLink("https://silent.example/winter"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkUnsafe, Title: "link that browsers warn of", Severity: finding.Warning,
			Why: "Found by `check --links`: the server's certificate has expired, is for another host, or comes from an authority that this machine does not know.",
			Bad: exampleLink("https://expired.example/winter"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkMoved, Title: "link to a page that has moved", Severity: finding.Info,
			Why: "Found by `check --links`: the page is there, and the server says that its address is another one for good (301, 308). Readers get there as long as it goes on to say so.",
			Bad: exampleLink("https://acme.example/old"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkPrivate, Title: "link to a private address", Severity: finding.Warning,
			Why: "Found by `check --links`: the link leads into a private network or to this machine, where readers are not. It is not asked unless --allow-private " +
				"says so: a check of somebody else's change must not be a way into a network.",
			Bad: exampleLink("http://192.168.1.10/winter"), Good: exampleLink("https://acme.example/winter"),
		},
		{
			Code: LinkUncertain, Title: "link whose server does not answer programs", Severity: finding.Info,
			Why: "Found by `check --links`: the server answers 401, 403, 429 or 999. Many do so to all that is no browser, so nobody can tell whether readers see the page.",
			Bad: exampleLink("https://acme.example/members"), Good: exampleLink("https://acme.example/winter"),
		},
	}
	list := make([]Check, len(docs))
	for i, d := range docs {
		d.Since = "0.1.0"
		list[i] = Check{Doc: d, Ignorable: true, online: true}
	}
	return list
}

func exampleLink(address string) string {
	return "-- content/sled.md --\n---\nplatforms: [x]\n---\nThe sled is back: " + address + "\n"
}

// Link is one place of a post that sends its readers to a web address.
type Link struct {
	Address string // as readers get it
	Written string // as it stands in the file
	Path    string
	Post    string
	Range   finding.Range
	Awaited bool // the post does not go out before it answers
}

// Page returns what a link's address has in common with all others to the same page: no UTM parameters and no fragment.
func (l *Link) Page() string {
	page, _, _ := strings.Cut(utm.Without(l.Address), "#")
	return page
}

// AddLinks notes the links of what an account gets, as readers get them with tags.
func (p *Pass) AddLinks(v *post.Variant, tags utm.Tags) {
	c := collector{v: v, tags: tags}
	c.add(v.Link, v.Place(post.FieldLink))
	if v.CanonicalURL != "" {
		c.note(v.CanonicalURL, v.CanonicalURL, v.Place(post.FieldCanonicalURL))
	}
	if v.Card != nil {
		c.add(v.Card.URL, v.Card.Range)
	}
	for _, a := range utm.Addresses(v.FirstComment) {
		c.add(v.FirstComment[a.Start:a.End], v.Place(post.FieldFirstComment))
	}
	for i := range v.Parts {
		c.blocks(v.Parts[i].Blocks)
	}
	awaited := Link{Address: v.Await()}
	for i := range c.links {
		l := &c.links[i]
		l.Awaited = awaited.Address != "" && l.Page() == awaited.Page()
	}
	p.links = append(p.links, c.links...)
}

// Links returns the links of all passes, sorted by place. One that several accounts get, with parameters of their own, is
// the one of the first account.
func Links(passes ...*Pass) []Link {
	var all []Link
	for _, p := range passes {
		all = append(all, p.links...)
	}
	slices.SortStableFunc(all, func(a, b Link) int {
		return cmp.Or(
			strings.Compare(a.Path, b.Path), cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
			strings.Compare(a.Page(), b.Page()),
		)
	})
	return slices.CompactFunc(all, func(a, b Link) bool {
		return a.Path == b.Path && a.Range.Start == b.Range.Start && a.Page() == b.Page()
	})
}

// collector gathers the links of a variant.
type collector struct {
	v     *post.Variant
	tags  utm.Tags
	links []Link
}

// add notes an address that gets the tags; what is no web address is left out.
func (c *collector) add(address string, at finding.Range) { c.note(address, c.tags.Add(address), at) }

func (c *collector) note(written, address string, at finding.Range) {
	scheme, _, ok := strings.Cut(address, "://")
	if !ok || !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return
	}
	c.links = append(c.links, Link{ // they live on when the file's text does not
		Address: strings.Clone(address), Written: strings.Clone(written), Path: c.v.Post.Path, Post: c.v.Post.ID, Range: at,
	})
}

func (c *collector) blocks(blocks []post.Block) {
	for i := range blocks {
		var t stretch
		c.inlines(blocks[i].Inlines, &t)
		for _, a := range utm.Addresses(t.text.String()) {
			c.add(t.text.String()[a.Start:a.End], c.v.Range(t.span(a, c.v.Post.Text)))
		}
		c.blocks(blocks[i].Blocks)
	}
}

// inlines notes the links of a paragraph and puts its plain text together, in which there may be addresses.
func (c *collector) inlines(inlines []post.Inline, t *stretch) {
	for i := range inlines {
		switch in := &inlines[i]; in.Kind {
		case post.Text:
			t.add(in.Text, in.Span)
		case post.SoftBreak, post.HardBreak:
			t.add("\n", in.Span)
		case post.Emphasis, post.Strong, post.Strikethrough:
			c.inlines(in.Inlines, t)
		case post.Link, post.AutoLink:
			c.add(in.Dest, c.v.Range(in.Span))
			t.add(" ", in.Span)
		default:
			t.add(" ", in.Span)
		}
	}
}

// stretch is a paragraph's text in one piece, since an address may be in several: Markdown's escapes make pieces of their own.
type stretch struct {
	text   strings.Builder
	pieces []piece
}

type piece struct {
	at   int // in the text
	span post.Span
}

func (t *stretch) add(text string, span post.Span) {
	t.pieces = append(t.pieces, piece{t.text.Len(), span})
	t.text.WriteString(text)
}

// span returns where in the file, whose text is source, a stretch of the text stands.
func (t *stretch) span(s utm.Stretch, source string) post.Span {
	first, last := t.piece(s.Start), t.piece(s.End-1)
	whole := post.Span{Start: t.pieces[first].span.Start, End: t.pieces[last].span.End}
	if t.verbatim(first) && t.verbatim(last) {
		return post.Span{Start: whole.Start + s.Start - t.pieces[first].at, End: t.pieces[last].span.Start + s.End - t.pieces[last].at}
	}
	if 0 <= whole.Start && whole.Start <= whole.End && whole.End <= len(source) {
		if i := strings.Index(source[whole.Start:whole.End], t.text.String()[s.Start:s.End]); i >= 0 {
			return post.Span{Start: whole.Start + i, End: whole.Start + i + s.End - s.Start}
		}
	}
	return whole
}

// piece returns the piece that has the byte at an offset of the text.
func (t *stretch) piece(offset int) int {
	return sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].at > offset }) - 1
}

// verbatim reports whether a piece reads as it is written.
func (t *stretch) verbatim(i int) bool {
	end := t.text.Len()
	if i+1 < len(t.pieces) {
		end = t.pieces[i+1].at
	}
	return t.pieces[i].span.End-t.pieces[i].span.Start == end-t.pieces[i].at
}
