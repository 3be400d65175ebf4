// Package measure counts and cuts text exactly as the networks do.
//
// Every network has a length of its own: X weighs code points and charges 23 for any URL, Bluesky
// counts grapheme clusters and bytes, Mastodon counts grapheme clusters but discounts URLs and the
// domains of mentions. They also disagree on what a URL, a mention or a hashtag is, and what they
// find decides what a post costs, what becomes a link and where a thread may be cut. This package
// holds those rules and nothing else: it is given text and returns numbers and byte offsets.
//
// The detectors are hand-written scanners, not regular expressions, because every post is measured
// for every account in every run. Each is tested against the vectors or the reference client of its
// network.
//
// Text that is not valid UTF-8 is measured as if each offending byte were U+FFFD, as Go itself
// decodes it. Offsets always refer to the text as given.
package measure

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Kind tells what an [Entity] is.
type Kind uint8

// The kinds of entities.
const (
	URL Kind = iota + 1
	Mention
	Hashtag
	Cashtag
)

// String returns the kind as a word for messages.
func (k Kind) String() string {
	switch k {
	case URL:
		return "URL"
	case Mention:
		return "mention"
	case Hashtag:
		return "hashtag"
	case Cashtag:
		return "cashtag"
	}
	return "unknown"
}

// Entity is a part of a text that a network treats as a unit: it is linked, it may have a length of
// its own, and a thread must not be cut inside it.
type Entity struct {
	// Start and End are byte offsets into the text, End exclusive.
	Start, End int
	Kind       Kind
	// Value is the URL to link (with https:// in front where the network adds it), the name that is
	// mentioned without its "@", the hashtag without its "#" or the cashtag without its "$".
	Value string
	// List is the slug of an X list, without the slash in front: @user/list.
	List string
}

// removeOverlaps sorts the entities and drops each that begins before its predecessor ends, which is
// how twitter-text, Mastodon and Bluesky's clients settle a conflict.
func removeOverlaps(entities []Entity) []Entity {
	if len(entities) < 2 {
		return entities
	}
	slices.SortStableFunc(entities, func(a, b Entity) int { return a.Start - b.Start })
	kept := entities[:1]
	for _, e := range entities[1:] {
		if e.Start >= kept[len(kept)-1].End {
			kept = append(kept, e)
		}
	}
	return kept
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }
func isDigit(b byte) bool  { return '0' <= b && b <= '9' }
func isAlnum(b byte) bool  { return isLetter(b) || isDigit(b) }
func isWord(b byte) bool   { return isAlnum(b) || b == '_' }

// hasPrefixFold reports whether s begins with prefix, which must be in lower-case ASCII.
func hasPrefixFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := 0; i < len(prefix); i++ {
		b := s[i]
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		if b != prefix[i] {
			return false
		}
	}
	return true
}

// isJSSpace reports whether JavaScript's \s matches r.
func isJSSpace(r rune) bool {
	switch {
	case r <= 0x20:
		return r == ' ' || '\t' <= r && r <= '\r'
	case r < 0xA0:
		return false
	}
	return r == 0xA0 || r == 0x1680 || 0x2000 <= r && r <= 0x200A || r == 0x2028 || r == 0x2029 ||
		r == 0x202F || r == 0x205F || r == 0x3000 || r == 0xFEFF
}

// isTextWord reports whether r belongs to a word in the sense of Ruby's [[:word:]].
func isTextWord(r rune) bool {
	if r < utf8.RuneSelf {
		return isWord(byte(r))
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Other_Alphabetic, unicode.Pc)
}
