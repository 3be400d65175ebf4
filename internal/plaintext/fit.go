package plaintext

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// tooLong reports a part that does not fit, at the place where the limit is crossed.
func (c *composer) tooLong(w *writer, p *platform.Part) {
	used, most, unit := p.Used, p.Max, p.Unit
	if p.Max == 0 || p.Used <= p.Max {
		used, most, unit = p.UsedByte, p.MaxByte, measure.Bytes
	}
	which := "the text"
	if len(c.v.Parts) > 1 || len(c.parts) > 0 {
		which = fmt.Sprintf("part %d", len(c.parts)+1)
	}
	at, hint := w.home, "shorten it, start a new part with a line of `---`, or set `thread: auto`"
	if source, ok := sourceFrom(p.Spans, c.fitting(p)); ok {
		at = c.v.Range(source)
	}
	switch {
	case !c.fits(p, ""):
		at, hint = c.v.Place(post.FieldContentWarning), "shorten the content warning: it counts, and leaves no room for text"
	case c.v.Thread == "auto":
		hint = "shorten the address, mention or word that cannot be cut"
	}
	c.add(CodeTooLong, finding.Error, at,
		fmt.Sprintf("%s is too long for %s: %d of %d %s", which, c.s.Network, used, most, unitName(unit)), hint)
}

func unitName(u measure.Unit) string {
	if u == measure.Weighted {
		return "weighted characters"
	}
	return string(u)
}

// fitting returns how many bytes of the part fit.
func (c *composer) fitting(p *platform.Part) int {
	low, high := 0, len(p.Text) // text[:low] fits, text[:high] does not
	for {
		mid := low + (high-low)/2
		for mid > low && !utf8.RuneStart(p.Text[mid]) {
			mid--
		}
		if mid == low {
			_, n := utf8.DecodeRuneInString(p.Text[low:])
			if mid += max(n, 1); mid >= high {
				return low
			}
		}
		if c.fits(p, p.Text[:mid]) {
			low = mid
		} else {
			high = mid
		}
	}
}

func (c *composer) fits(p *platform.Part, text string) bool {
	return (p.Max == 0 || c.s.Count(text) <= p.Max) && (p.MaxByte == 0 || len(text) <= p.MaxByte)
}

// sourceFrom returns the stretch of the file from which the text behind offset came.
func sourceFrom(spans []platform.SourceSpan, offset int) (post.Span, bool) {
	for _, s := range spans {
		if s.End <= offset {
			continue
		}
		from := s.Source
		if offset > s.Start && exact(s) {
			from.Start += offset - s.Start
		}
		return from, true
	}
	if n := len(spans); n > 0 { // what is too much was appended by us
		end := spans[n-1].Source.End
		return post.Span{Start: end, End: end}, true
	}
	return post.Span{}, false
}

// split cuts a part that is too long, never inside an address, mention, hashtag or linked words, and
// says where. The media stay with the first piece.
func (c *composer) split(w *writer, whole *platform.Part) {
	atoms := atomsOf(whole.Facets)
	pieces := measure.Split(whole.Text, atoms, c.splitMax(), c.splitCount())
	explicit := w.links()
	for i, piece := range pieces {
		p := platform.Part{
			Text: whole.Text[piece.Start:piece.End], Max: whole.Max, MaxByte: whole.MaxByte, Unit: whole.Unit,
			AutoCut: i > 0, Facets: cutFacets(explicit, piece.Span), Spans: cutSpans(whole.Spans, piece.Span),
		}
		if i == 0 {
			p.Media = whole.Media
		} else {
			c.cutHere(w, whole, piece)
		}
		c.measure(&p)
		if tooLong(&p) {
			c.tooLong(w, &p)
		}
		c.parts = append(c.parts, p)
	}
	if len(pieces) == 0 { // nothing but white space
		c.tooLong(w, whole)
		c.parts = append(c.parts, *whole)
	}
}

// bytesPerUnit is how many bytes one unit of the first limit may have on average before the second
// limit, in bytes, is the narrower one.
func (c *composer) bytesPerUnit() int { return max(1, c.s.MaxBytes/max(1, c.s.Max)) }

func (c *composer) splitMax() int {
	if c.s.Max == 0 {
		return c.s.MaxBytes
	}
	return c.s.Max
}

// splitCount returns one measure for both limits: a piece fits when neither is crossed.
func (c *composer) splitCount() func(string) int {
	switch {
	case c.s.MaxBytes == 0:
		return c.s.Count
	case c.s.Max == 0:
		return func(s string) int { return len(s) }
	}
	per := c.bytesPerUnit()
	return func(s string) int { return max(c.s.Count(s), (len(s)+per-1)/per) }
}

// atomsOf returns what a cut must not go through.
func atomsOf(facets []platform.Facet) []measure.Entity {
	atoms := make([]measure.Entity, 0, len(facets))
	for _, f := range facets {
		switch f.Kind {
		case platform.FacetLink, platform.FacetMention, platform.FacetTag:
			atoms = append(atoms, measure.Entity{Start: f.Start, End: f.End, Kind: measure.URL, Value: f.Value})
		}
	}
	return atoms
}

func cutFacets(facets []platform.Facet, piece measure.Span) []platform.Facet {
	var cut []platform.Facet
	for _, f := range facets {
		f.Start, f.End = max(f.Start, piece.Start)-piece.Start, min(f.End, piece.End)-piece.Start
		if f.Start < f.End {
			cut = append(cut, f)
		}
	}
	return cut
}

func cutSpans(spans []platform.SourceSpan, piece measure.Span) []platform.SourceSpan {
	var cut []platform.SourceSpan
	for _, s := range spans {
		start, end := max(s.Start, piece.Start), min(s.End, piece.End)
		if start >= end {
			continue
		}
		if exact(s) {
			s.Source = post.Span{Start: s.Source.Start + start - s.Start, End: s.Source.End - (s.End - end)}
		}
		s.Start, s.End = start-piece.Start, end-piece.Start
		cut = append(cut, s)
	}
	return cut
}

// cutHere says where `thread: auto` began a new part.
func (c *composer) cutHere(w *writer, whole *platform.Part, piece measure.Piece) {
	where := "inside a word"
	switch piece.Cut {
	case measure.BetweenParagraphs:
		where = "between paragraphs"
	case measure.BetweenSentences:
		where = "between sentences"
		if strings.HasSuffix(strings.TrimRight(whole.Text[:piece.Start], " \t"), "\n") {
			where = "between lines"
		}
	case measure.BetweenWords:
		where = "between words"
	}
	at := w.home
	if source, ok := sourceFrom(whole.Spans, piece.Start); ok {
		source.End = source.Start
		at = c.v.Range(source)
	}
	c.add(CodeCut, finding.Info, at,
		fmt.Sprintf("part %d on %s begins here: `thread: auto` cut %s", len(c.parts)+1, c.s.Network, where),
		"a line of `---` puts the cut where you want it")
}
