package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rank says how natural a cut at a [Boundary] is. A higher rank is a better cut.
type Rank uint8

// The ranks of boundaries.
const (
	// BetweenGraphemes is a cut inside a word, the last resort.
	BetweenGraphemes Rank = iota + 1
	BetweenWords
	// BetweenSentences is also the end of a line within a paragraph.
	BetweenSentences
	BetweenParagraphs
)

// String returns the rank as a word for messages.
func (r Rank) String() string {
	switch r {
	case BetweenGraphemes:
		return "grapheme"
	case BetweenWords:
		return "word"
	case BetweenSentences:
		return "sentence"
	case BetweenParagraphs:
		return "paragraph"
	}
	return "none"
}

// Boundary is a place where a text may be cut. What follows Offset begins the next piece, so white
// space in front of it belongs to neither.
type Boundary struct {
	Offset int
	Rank   Rank
}

// Span is a part of a text as byte offsets, End exclusive.
type Span struct{ Start, End int }

// atom is the smallest part of a text that is never cut.
type atom struct {
	Span
	space  bool // all white space
	entity bool
}

// Boundaries returns the places where text may be cut, in order: never inside a grapheme cluster nor
// inside one of the entities, and only in front of something that is not white space. Entities must be
// in order, as the detectors of this package return them.
func Boundaries(text string, entities []Entity) []Boundary {
	return boundaries(text, atoms(text, entities))
}

func atoms(text string, entities []Entity) []atom {
	list := make([]atom, 0, len(text)/2+8)
	c := newClusters(text)
	start := 0
	for {
		end, ok := c.next()
		if !ok {
			return list
		}
		for len(entities) > 0 && (entities[0].End <= start || entities[0].End <= entities[0].Start) {
			entities = entities[1:]
		}
		inside := len(entities) > 0 && entities[0].Start < end
		if inside && entities[0].Start < start {
			list[len(list)-1].End = end // goes on; a mark behind it belongs to it too
		} else {
			list = append(list, atom{Span{start, end}, !inside && isSpaces(text[start:end]), inside})
		}
		start = end
	}
}

func isSpaces(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

func boundaries(text string, list []atom) []Boundary {
	var found []Boundary
	last := -1 // the last atom that is not white space
	for i, a := range list {
		if a.space {
			continue
		}
		if last >= 0 {
			found = append(found, Boundary{a.Start, rank(text, list[last], a)})
		}
		last = i
	}
	return found
}

// rank judges a cut between two atoms with nothing but white space in between.
func rank(text string, before, after atom) Rank {
	gap := text[before.End:after.Start]
	lines := strings.Count(gap, "\n")
	if lines == 0 {
		lines = strings.Count(gap, "\r") + strings.Count(gap, "\u2028") + 2*strings.Count(gap, "\u2029")
	}
	switch {
	case lines > 1:
		return BetweenParagraphs
	case lines == 1:
		return BetweenSentences
	}
	if before.entity {
		if gap == "" {
			return BetweenGraphemes
		}
		return BetweenWords
	}
	stop := sentenceStop(text[:before.End])
	next, _ := utf8.DecodeRuneInString(text[after.Start:])
	if gap == "" {
		// Chinese and Japanese write no spaces. Closing marks stay with what they close.
		switch {
		case unicode.In(next, unicode.Po, unicode.Pe, unicode.Pf) && !after.entity:
			return BetweenGraphemes
		case strings.ContainsRune("。！？｡", stop):
			return BetweenSentences
		case strings.HasSuffix(text[:before.End], "、") || strings.HasSuffix(text[:before.End], "，"):
			return BetweenWords
		}
		return BetweenGraphemes
	}
	// "e.g. this" and "approx. 3 km" do not end a sentence, as far as can be told.
	if stop != 0 && !(stop == '.' && unicode.IsLower(next)) {
		return BetweenSentences
	}
	return BetweenWords
}

// sentenceStop returns the mark that ends a sentence at the end of text, before any closing quotes and
// brackets, or 0.
func sentenceStop(text string) rune {
	for text != "" {
		r, n := utf8.DecodeLastRuneInString(text)
		switch r {
		case '.', '!', '?', '…', '‼', '⁇', '⁈', '⁉', '。', '！', '？', '｡', '।', '؟', '۔', '։':
			return r
		case '"', '\'', ')', ']', '}', '’', '”', '»', '›', '」', '』', '）', '】', '〉', '》':
			text = text[:len(text)-n]
		default:
			return 0
		}
	}
	return 0
}

// tinyPart is the part of the possible length that a piece must have before a better boundary is
// preferred to a longer piece.
const tinyPart = 3

// Split cuts text into pieces that each measure no more than max, and returns where they are, without
// the white space around them. Pieces are as long as they can be, except that a paragraph's end is
// preferred to a sentence's, a sentence's to a word's and a word's to any other place, unless that
// would leave a piece less than a third as long as it could be. All that is not white space is in one
// of the pieces, in order.
//
// Only a piece that is one entity or one grapheme cluster can measure more than max: that cannot be
// helped, and the caller has to look. Text without anything but white space has no pieces.
func Split(text string, entities []Entity, max int, measure func(string) int) []Span {
	list := atoms(text, entities)
	cuts := boundaries(text, list)
	s := splitter{text: text, max: max, measure: measure}
	start := -1
	for _, a := range list {
		if !a.space {
			if start < 0 {
				start = a.Start
			}
			s.ends = append(s.ends, a.End) // the end of the piece that a cut behind this atom makes
		}
	}
	if start < 0 {
		return nil
	}
	if end := s.ends[len(s.ends)-1]; s.fits(start, end) {
		return []Span{{start, end}}
	}
	var pieces []Span
	for {
		n := s.choose(start, cuts)
		pieces = append(pieces, Span{start, s.ends[n]})
		if n == len(cuts) {
			return pieces
		}
		start, cuts, s.ends = cuts[n].Offset, cuts[n+1:], s.ends[n+1:]
	}
}

type splitter struct {
	text    string
	max     int
	measure func(string) int
	// ends[i] is where the text in front of cuts[i] ends when white space is left away. There is one
	// more for the end of the text.
	ends []int
}

func (s *splitter) fits(start, end int) bool { return s.measure(s.text[start:end]) <= s.max }

// choose returns the index in ends of the end of the piece that begins at start.
func (s *splitter) choose(start int, cuts []Boundary) int {
	// Gallop to the farthest cut that fits, so that a long rest is not measured over and over.
	low, high := -1, 0
	for high < len(s.ends) && s.fits(start, s.ends[high]) {
		low, high = high, 2*high+1
	}
	high = min(high, len(s.ends))
	for high-low > 1 {
		if mid := (low + high) / 2; s.fits(start, s.ends[mid]) {
			low = mid
		} else {
			high = mid
		}
	}
	switch low {
	case -1:
		return 0 // a single atom that is too long
	case len(cuts):
		return low
	}
	enough := start + (s.ends[low]-start+tinyPart-1)/tinyPart
	for rank := BetweenParagraphs; rank > BetweenGraphemes; rank-- {
		for i := low; i >= 0 && s.ends[i] >= enough; i-- {
			if cuts[i].Rank >= rank && (i == low || s.fits(start, s.ends[i])) {
				return i
			}
		}
	}
	return low
}
