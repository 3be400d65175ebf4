package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mastodonURLs are Mastodon's changes to the rules of twitter-text for Ruby
// (https://github.com/mastodon/mastodon, config/initializers/twitter_regex.rb, checked 2026-11-21).
var mastodonURLs = urlRules{
	ascii: asciiClasses(
		twitterPunct+"\"` \t\n\v\f\r"+asciiControls,
		asciiExcept(" \t\n\v\f\r<>()?"),
		asciiExcept(" \t\n\v\f\r()?!*\"'<>;:=,.$%[]~&|@"),
		asciiAlnum+`!?*'();:&=+$/%#[]-_.,~|@^`,
		asciiAlnum+`_&=#/-`,
	),
	other: func(r rune, class uint8) bool {
		switch class {
		case inDomain:
			return xURLs.other(r, inDomain)
		case inPath:
			return !unicode.Is(unicode.White_Space, r)
		case endsPath:
			return !unicode.Is(unicode.White_Space, r) && r != '「' && r != '」'
		}
		return isURIChar(r)
	},
	schemes: []string{"http", "https", "dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "gemini"},
	parens:  &rubyParens,
}

// rubyParens are the rules for the parentheses at the end of a path, which Mastodon leaves as they are
// in twitter-text for Ruby.
var rubyParens = urlRules{
	ascii: xURLs.ascii,
	other: func(r rune, class uint8) bool {
		return class == inPath && (unicode.In(r, unicode.Cyrillic, unicode.Pd) || isLatinAccent(r))
	},
}

const asciiControls = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f"

func asciiExcept(chars string) string {
	var b strings.Builder
	for c := range byte(utf8.RuneSelf) {
		if strings.IndexByte(chars, c) < 0 {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isURIChar reports whether r is one of the ucschar and iprivate of RFC 3987 that Mastodon lists.
func isURIChar(r rune) bool {
	switch {
	case r < 0xA0, 0xFDD0 <= r && r <= 0xFDEF, 0xFFF0 <= r && r <= 0xFFFF, 0xE0000 <= r && r <= 0xE0FFF:
		return false
	}
	return r&0xFFFF < 0xFFFE
}

const (
	maxMastodonDomain = 253
	maxStackText      = 1 << 10
)

// Mastodon returns the length of text on Mastodon: its grapheme clusters, with each URL that has a
// scheme taken for urlLen characters and each mention for its part before the second "@". A server
// states urlLen as characters_reserved_per_url; the default is 23.
//
// A content warning counts too, but without discounts: add [CountGraphemes] of it. The rule is
// Mastodon's StatusLengthValidator (checked 2026-11-21). Servers that only share Mastodon's API count
// otherwise, GoToSocial for one [CountCodePoints] of all.
func Mastodon(text string, urlLen int) int {
	if strings.IndexByte(text, '@') < 0 && !strings.Contains(text, "://") {
		n := CountGraphemes(text)
		if n > 0 && isBlank(text) {
			return 0
		}
		return n
	}
	var urlBuf [8]urlMatch
	urls := mastodonURLs.find(urlBuf[:0], text)
	var mentionBuf [8]mentionMatch
	mentions := mastodonMentions(mentionBuf[:0], text)

	// The text as Mastodon counts it. A mark behind a URL joins its last character, so the parts
	// cannot be counted one by one.
	var buf [maxStackText]byte
	counted := buf[:0]
	at := 0
	saved := 0 // in characters, for ASCII texts
	ascii := isASCII(text)
	for len(urls) > 0 || len(mentions) > 0 {
		// In order; what begins before its predecessor ends is dropped.
		if len(mentions) == 0 || len(urls) > 0 && urls[0].start <= mentions[0].start {
			if u := urls[0]; u.start >= at {
				if !ascii {
					counted = append(counted, text[at:u.start]...)
					for range urlLen {
						counted = append(counted, 'x')
					}
				}
				saved += u.end - u.start - urlLen
				at = u.end
			}
			urls = urls[1:]
			continue
		}
		if m := mentions[0]; m.start >= at {
			if !ascii {
				counted = append(counted, text[at:m.user]...)
			}
			saved += m.end - m.user
			at = m.end
		}
		mentions = mentions[1:]
	}
	if ascii {
		return CountGraphemes(text) - saved
	}
	return CountGraphemes(string(append(counted, text[at:]...)))
}

// isBlank reports whether text has nothing but white space, which Mastodon counts as nothing.
func isBlank(text string) bool {
	for _, r := range text {
		if !unicode.Is(unicode.White_Space, r) {
			return false
		}
	}
	return true
}

// MastodonEntities returns what Mastodon links in text: URLs with a scheme, mentions of local and
// remote users and hashtags, in order and without overlaps. The rules are those of Mastodon 4.4
// (app/lib/extractor.rb, Account::MENTION_RE, Tag::HASHTAG_RE, checked 2026-11-21); xmpp: and magnet:
// links, which it finds as well, have no part in counting and are left out.
func MastodonEntities(text string) []Entity {
	var urlBuf [8]urlMatch
	var mentionBuf [8]mentionMatch
	var entities []Entity
	if strings.Contains(text, "://") {
		for _, u := range mastodonURLs.find(urlBuf[:0], text) {
			entities = append(entities, Entity{Start: u.start, End: u.end, Kind: URL, Value: text[u.start:u.end]})
		}
	}
	entities = mastodonHashtags(entities, text)
	for _, m := range mastodonMentions(mentionBuf[:0], text) {
		entities = append(entities, Entity{Start: m.start, End: m.end, Kind: Mention, Value: text[m.start+1 : m.end]})
	}
	return removeOverlaps(entities)
}

// mentionMatch is a mention with the end of its local part.
type mentionMatch struct{ start, user, end int }

func mastodonMentions(dst []mentionMatch, text string) []mentionMatch {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if r, n := utf8.DecodeLastRuneInString(text[:start]); n > 0 && (r == '=' || r == '/' || isTextWord(r)) {
			continue
		}
		user := dotted(text, at, func(r rune) bool { return r < utf8.RuneSelf && isWord(byte(r)) })
		if user == at {
			continue
		}
		end := user
		if user < len(text) && text[user] == '@' {
			if domain := dotted(text, user+1, isTextWord); domain > user+1 {
				end = domain
			}
		}
		at = end
		if endsMention(text[end:]) || end > user && utf8.RuneCountInString(text[user+1:end]) > maxMastodonDomain {
			continue
		}
		dst = append(dst, mentionMatch{start, user, end})
	}
}

// dotted returns the end of the words at i that dots and hyphens join, or i if no word is there.
func dotted(text string, i int, word func(rune) bool) int {
	start, end := i, i
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		if word(r) {
			end = i
		} else if end == start || r != '.' && r != '-' {
			break
		}
	}
	return end
}

func mastodonHashtags(dst []Entity, text string) []Entity {
	for at := nextSign(text, 0, '#', "＃"); at >= 0; at = nextSign(text, at, '#', "＃") {
		start := at
		at += signLen(text[at:], '#', "＃")
		if r, n := utf8.DecodeLastRuneInString(text[:start]); n > 0 && !unicode.Is(unicode.White_Space, r) {
			continue
		}
		end := mastodonHashtag(text, at)
		if end == at {
			continue
		}
		next := end
		if strings.HasPrefix(text[end:], "://") {
			// "#taghttp://…": the scheme is not part of the tag.
			for _, scheme := range [...]string{"https", "http"} {
				if tag := strings.TrimSuffix(text[at:end], scheme); tag != "" && len(tag) < end-at {
					end = at + len(tag)
					break
				}
			}
		}
		dst = append(dst, Entity{Start: start, End: end, Kind: Hashtag, Value: text[at:end]})
		at = next
	}
	return dst
}

// mastodonHashtag returns the end of the name of a hashtag at i, or i. A name has a letter or, between
// two other characters, a separator.
func mastodonHashtag(text string, i int) int {
	begins := false                            // the first character is one of a word
	pivot := -1                                // first letter or separator behind it
	lastStart, lastEnd := -1, i                // last character of a word
	plainEnd, plain, letters := i, true, false // the name up to the first separator
	for at := i; at < len(text); {
		r, n := utf8.DecodeRuneInString(text[at:])
		word := isTextWord(r)
		separator := r == '_' || r == 0xB7 || r == 0x30FB || r == 0x200C
		if !word && !separator {
			break
		}
		letter := isTextAlpha(r)
		if at == i {
			begins = word
		} else if pivot < 0 && (letter || separator) {
			pivot = at
		}
		if word {
			lastStart, lastEnd = at, at+n
			if plain {
				plainEnd = at + n
				letters = letters || letter
			}
		} else {
			plain = false
		}
		at += n
	}
	switch {
	case begins && pivot >= 0 && pivot < lastStart:
		return lastEnd
	case letters:
		return plainEnd
	}
	return i
}

// isTextAlpha reports whether Ruby's [[:alpha:]] matches r.
func isTextAlpha(r rune) bool {
	if r < utf8.RuneSelf {
		return isLetter(byte(r))
	}
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic)
}
