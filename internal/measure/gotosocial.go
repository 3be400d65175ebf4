package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// GoToSocialEntities returns what GoToSocial links in text: URLs with http or https, whatever their host,
// mentions and hashtags, in order and without overlaps. It shares Mastodon's API and not its rules: it
// takes a full stop, a hyphen and, behind a domain, a colon for a part of the name that is mentioned, so
// "@alice." mentions nobody. An "@" or "#" behind a backslash is text.
//
// The rules are those that version 0.19.2 shows from outside (checked 2026-11-21; TestRealEntities in
// test/servers asks it again). Bare addresses that begin with "www.", which it links as well, are left out.
func GoToSocialEntities(text string) []Entity {
	var entities []Entity
	entities = gotosocialURLs(entities, text)
	entities = gotosocialMentions(entities, text)
	entities = gotosocialHashtags(entities, text)
	return removeOverlaps(entities)
}

// gotosocialURLs finds URLs at the start of a line and behind a space or one of "*_~(".
func gotosocialURLs(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.Index(text[at:], "://")
		if i < 0 {
			return dst
		}
		colon := at + i
		at = colon + len("://")
		start := -1
		for _, scheme := range [...]string{"https", "http"} {
			if s := colon - len(scheme); s >= 0 && text[s:colon] == scheme && (s == 0 || strings.IndexByte(" \n*_~(", text[s-1]) >= 0) {
				start = s
				break
			}
		}
		if start < 0 {
			continue
		}
		if end := gotosocialPath(text, at); end > at {
			at = end
			if address := text[start:end]; strings.IndexByte(address, '\\') < 0 { // what has one is no address
				dst = append(dst, Entity{Start: start, End: end, Kind: URL, Value: address})
			}
		}
	}
}

// gotosocialPath returns the end of what may follow "://" at i, or i. It ends in a character that is no
// punctuation of the sentence, or with the bracket that closes one inside.
func gotosocialPath(text string, i int) int {
	end := i
	for at := i; at < len(text); {
		r, n := utf8.DecodeRuneInString(text[at:])
		if bracket := strings.IndexRune("([{", r); bracket >= 0 {
			closed := gotosocialBracket(text, at, "([{"[bracket], ")]}"[bracket])
			if closed < 0 {
				return end
			}
			at, end = closed, closed
			continue
		}
		inside, last := gotosocialURLChar(r)
		if !inside {
			return end
		}
		at += n
		if last {
			end = at
		}
	}
	return end
}

// gotosocialBracket returns the end of a pair of brackets that opens at i, with at most one pair of the
// same kind nested in another, or -1.
func gotosocialBracket(text string, i int, opens, closes byte) int {
	depth := 0
	for at := i; at < len(text); {
		switch b := text[at]; {
		case b == opens && depth < 2:
			depth++
			at++
		case b == closes:
			depth--
			at++
			if depth == 0 {
				return at
			}
		default:
			r, n := utf8.DecodeRuneInString(text[at:])
			if inside, _ := gotosocialURLChar(r); !inside {
				return -1
			}
			at += n
		}
	}
	return -1
}

// gotosocialURLChar reports whether r may be inside a URL, and whether it may be its last character.
func gotosocialURLChar(r rune) (inside, last bool) {
	switch {
	case r == utf8.RuneError:
		return false, false
	case r >= utf8.RuneSelf:
		inside = isURIChar(r) && !unicode.In(r, unicode.Z)
		return inside, inside && !unicode.IsPunct(r)
	case isAlnum(byte(r)), strings.IndexByte("/#-%$&+=", byte(r)) >= 0:
		return true, true
	}
	return strings.IndexByte("?\\._~!'*,;:@", byte(r)) >= 0, false
}

func gotosocialMentions(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if before, n := utf8.DecodeLastRuneInString(text[:start]); n > 0 && !unicode.IsSpace(before) && !unicode.IsPunct(before) || escaped(text, start) {
			continue
		}
		user := gotosocialName(text, at, "._-")
		if user == at {
			continue
		}
		end := user
		if user < len(text) && text[user] == '@' {
			if domain := gotosocialName(text, user+1, ".-:"); domain > user+1 {
				end = domain
			}
		}
		name := text[at:user]
		at = end
		if accountName(name, end > user) && (end == user || !strings.ContainsRune(".-:", rune(text[end-1]))) {
			dst = append(dst, Entity{Start: start, End: end, Kind: Mention, Value: text[start+1 : end]})
		}
	}
}

// gotosocialName returns the end of the letters, numbers and given marks at i.
func gotosocialName(text string, i int, marks string) int {
	letter := false
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		letter = unicode.IsLetter(r) || letter && unicode.IsMark(r)
		if !letter && !unicode.IsNumber(r) && !strings.ContainsRune(marks, r) {
			break
		}
		i += n
	}
	return i
}

// accountName reports whether somebody can have a name: here, or, where names with dots and hyphens
// exist, elsewhere.
func accountName(name string, elsewhere bool) bool {
	for i := range len(name) {
		if b := name[i]; !isWord(b) && (!elsewhere || b != '.' && b != '-') {
			return false
		}
	}
	return true
}

// maxGoToSocialTag is the longest hashtag, in bytes before its last character.
const maxGoToSocialTag = 100

func gotosocialHashtags(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '#')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if before, n := utf8.DecodeLastRuneInString(text[:start]); n > 0 && !besideHashtag(before) || escaped(text, start) {
			continue
		}
		if end := gotosocialHashtag(text, at); end > at {
			dst = append(dst, Entity{Start: start, End: end, Kind: Hashtag, Value: text[at:end]})
			at = end
		}
	}
}

// gotosocialHashtag returns the end of the name of a hashtag at i, or i. A name has a letter, and is not
// cut short by what belongs neither into a hashtag nor beside one.
func gotosocialHashtag(text string, i int) int {
	end, letters := i, false
	for end < len(text) {
		r, n := utf8.DecodeRuneInString(text[end:])
		if besideHashtag(r) {
			break
		}
		letter := unicode.IsLetter(r)
		if !letter && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '_' {
			return i
		}
		letters = letters || letter
		end += n
	}
	if !letters {
		return i
	}
	if end-i > maxGoToSocialTag {
		name := norm.NFC.String(text[i:end])
		_, last := utf8.DecodeLastRuneInString(name)
		if len(name)-last >= maxGoToSocialTag {
			return i
		}
	}
	return end
}

// besideHashtag reports whether r may stand in front of a hashtag and ends one.
func besideHashtag(r rune) bool {
	return r == 0x200B || r == 0xFEFF || r == '|' || unicode.IsSpace(r) || unicode.IsPunct(r) && r != '_'
}

// escaped reports whether an odd number of backslashes stands in front of i.
func escaped(text string, i int) bool {
	before := text[:i]
	return (len(before)-len(strings.TrimRight(before, `\`)))%2 == 1
}
