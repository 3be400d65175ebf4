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

// Span is a part of a text as byte offsets, End exclusive.
type Span struct{ Start, End int }

// Piece is a part of a text that [Split] has cut off.
type Piece struct {
	Span
	Cut Rank // how natural the cut in front of it is; 0 for the first piece
}

// atom is the smallest part of a text that is never cut.
type atom struct {
	Span
	entity bool
}

// atoms appends to list what of the text is not white space: grapheme clusters and whole entities. Entities
// must be in order, as the detectors of this package return them.
func atoms(list []atom, text string, entities []Entity) []atom {
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
		} else if inside || !isSpaces(text[start:end]) {
			list = append(list, atom{Span{start, end}, inside})
		}
		start = end
	}
}

func isSpaces(s string) bool {
	if len(s) == 1 {
		return s[0] == ' ' || '\t' <= s[0] && s[0] <= '\r'
	}
	for _, r := range s {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// rank judges a cut between two atoms with nothing but white space in between.
func rank(text string, before, after atom) Rank {
	gap := text[before.End:after.Start]
	if c := text[before.End-1]; gap == "" && 'A' <= c && c <= 'z' && c != ']' {
		return BetweenGraphemes // inside a word: most places are
	}
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
func Split(text string, entities []Entity, max int, measure func(string) int) []Piece {
	var stack [512]atom // most texts fit, so that only the pieces are allocated
	list := atoms(stack[:0], text, entities)
	var pieces []Piece
	for from := 0; from < len(list); {
		last := choose(text, list, from, max, measure)
		p := Piece{Span: Span{list[from].Start, list[last].End}}
		if from > 0 {
			p.Cut = rank(text, list[from-1], list[from])
		}
		pieces = append(pieces, p)
		from = last + 1
	}
	return pieces
}

// choose returns the last atom of the piece that begins with the atom from.
func choose(text string, list []atom, from, max int, measure func(string) int) int {
	start := list[from].Start
	fits := func(last int) bool { return measure(text[start:list[last].End]) <= max }
	// Gallop to the farthest atom that fits, so that a long rest is not measured over and over.
	low, high := from-1, from
	for high < len(list) && fits(high) {
		low, high = high, high+(high-from)+1
	}
	high = min(high, len(list))
	for high-low > 1 {
		if mid := (low + high) / 2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	switch low {
	case from - 1:
		return from // a single atom that is too long
	case len(list) - 1:
		return low
	}
	enough := start + (list[low].End-start+tinyPart-1)/tinyPart
	last, best := low, BetweenGraphemes
	for i := low; i >= from && list[i].End >= enough && best < BetweenParagraphs; i-- {
		if r := rank(text, list[i], list[i+1]); r > best && (i == low || fits(i)) {
			last, best = i, r
		}
	}
	return last
}
