package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The counting rules of X, from version 3 of twitter-text's configuration
// (https://github.com/twitter/twitter-text, config/v3.json, checked 2026-11-21).
const (
	// XMaxWeighted is the longest post of an account without long posts.
	XMaxWeighted = 280
	// XURLLength is what each URL costs, however long it is.
	XURLLength = 23

	xScale         = 100
	xDefaultWeight = 200
	xLightWeight   = 100
)

// XResult is the length of a text on X and how much of the text is valid.
type XResult struct {
	// Weighted is the length: most Latin characters weigh 1, others 2, a URL 23, an emoji 2.
	Weighted int
	// Valid tells that the text is not empty, not too long and has no forbidden character.
	Valid bool
	// InvalidAt is the byte offset of the first forbidden character, or -1.
	InvalidAt int
	// ValidEnd is the byte offset up to which the text could be posted.
	ValidEnd int
}

// X measures text as X does for an account whose posts may have [XMaxWeighted] characters.
func X(text string) XResult { return XWithin(text, XMaxWeighted) }

// XWithin measures text as X does for an account whose posts may have max weighted characters.
//
// X counts the text in Normalization Form C; offsets refer to text as given.
func XWithin(text string, max int) XResult {
	var buf [8]urlMatch
	if isASCII(text) {
		return xASCII(text, xURLs.find(buf[:0], text), max)
	}
	composed := text
	if !norm.NFC.IsNormalString(text) {
		composed = norm.NFC.String(text)
	}
	res := xWeigh(composed, xURLs.find(buf[:0], composed), max)
	if composed != text {
		res.ValidEnd, res.InvalidAt = decomposedOffsets(text, res.ValidEnd, res.InvalidAt)
	}
	return res
}

// xASCII is xWeigh for text in which every character weighs 1 and none is forbidden.
func xASCII(text string, urls []urlMatch, max int) XResult {
	res := XResult{Weighted: len(text), InvalidAt: -1, ValidEnd: len(text)}
	for _, u := range urls {
		res.Weighted += XURLLength - (u.end - u.start)
	}
	res.Valid = res.Weighted > 0 && res.Weighted <= max
	if res.Weighted > max {
		room := max
		at := 0
		for _, u := range urls {
			if u.start-at > room {
				break
			}
			room -= u.start - at
			at = u.start
			if room < XURLLength {
				room = 0
				break
			}
			room -= XURLLength
			at = u.end
		}
		res.ValidEnd = at + room
	}
	return res
}

func xWeigh(text string, urls []urlMatch, max int) XResult {
	res := XResult{InvalidAt: -1}
	weight := 0
	for i := 0; i < len(text); {
		start := i
		b := text[i]
		switch {
		case len(urls) > 0 && urls[0].start == i:
			weight += XURLLength * xScale
			i = urls[0].end
			urls = urls[1:]
		case isLetter(b) || b == ' ':
			weight += xLightWeight
			i++
		default:
			if n := emojiLen(text[i:]); n > 0 {
				weight += xDefaultWeight
				i += n
				break
			}
			r, n := utf8.DecodeRuneInString(text[i:])
			weight += xWeight(r)
			i += n
			if res.InvalidAt < 0 && isTwitterInvalid(r) {
				res.InvalidAt = start
			}
		}
		if res.InvalidAt < 0 && weight <= max*xScale {
			res.ValidEnd = i
		}
	}
	res.Weighted = weight / xScale
	res.Valid = res.InvalidAt < 0 && res.Weighted > 0 && weight <= max*xScale
	return res
}

func xWeight(r rune) int {
	if r <= 0x10FF || 0x2000 <= r && r <= 0x200D || 0x2010 <= r && r <= 0x201F || 0x2032 <= r && r <= 0x2037 {
		return xLightWeight
	}
	return xDefaultWeight
}

// decomposedOffsets maps offsets into the composed form of text back to text: end to the last place
// that lies before no more than end bytes of the composed form, at to the start of the part it is in.
func decomposedOffsets(text string, end, at int) (int, int) {
	var it norm.Iter
	it.InitString(norm.NFC, text)
	composed, textEnd, textAt := 0, 0, -1
	for !it.Done() {
		start := it.Pos()
		from := composed
		composed += len(it.Next())
		if composed <= end {
			textEnd = it.Pos()
		}
		if from <= at && at < composed {
			textAt = start
		}
	}
	return textEnd, textAt
}

// XEntities returns what X links in text: URLs with and without a scheme, mentions, lists, hashtags
// and cashtags, in order and without overlaps. The rules are those of twitter-text 3.1, of which the text
// is read as it is: unlike a length, entities are not found in Normalization Form C.
func XEntities(text string) []Entity {
	var buf [8]urlMatch
	var entities []Entity
	for _, u := range xURLs.find(buf[:0], text) {
		value := text[u.start:u.end]
		if !u.scheme {
			value = "https://" + value
		}
		entities = append(entities, Entity{Start: u.start, End: u.end, Kind: URL, Value: value})
	}
	entities = xMentions(entities, text)
	entities = xHashtags(entities, text)
	entities = xCashtags(entities, text)
	return removeOverlaps(entities)
}

const (
	maxXName = 20
	maxXList = 25
)

// signLen returns the bytes of the ASCII sign or of its full-width form at the start of s, or 0.
func signLen(s string, sign byte, wide string) int {
	switch {
	case s == "":
		return 0
	case s[0] == sign:
		return 1
	case strings.HasPrefix(s, wide):
		return len(wide)
	}
	return 0
}

// nextSign returns the offset of the next sign or its full-width form at or after i, or -1.
func nextSign(text string, i int, sign byte, wide string) int {
	a := strings.IndexByte(text[i:], sign)
	if a >= 0 {
		text = text[:i+a]
	}
	if w := strings.Index(text[i:], wide); w >= 0 {
		return i + w
	}
	if a >= 0 {
		return i + a
	}
	return -1
}

func xMentions(dst []Entity, text string) []Entity {
	last := 0
	for at := nextSign(text, 0, '@', "＠"); at >= 0; at = nextSign(text, at, '@', "＠") {
		start := at
		at += signLen(text[at:], '@', "＠")
		name := at
		for at < len(text) && at-name < maxXName && isWord(text[at]) {
			at++
		}
		if at == name || start > 0 && !mayPrecedeMention(text[last:start], last == 0) {
			continue
		}
		e := Entity{Start: start, End: at, Kind: Mention, Value: text[name:at]}
		if at+1 < len(text) && text[at] == '/' && isLetter(text[at+1]) {
			list := at + 1
			for at = list + 1; at < len(text) && at-list < maxXList && (isWord(text[at]) || text[at] == '-'); {
				at++
			}
			e.End, e.List = at, text[list:at]
		}
		last = at
		if !endsMention(text[at:]) {
			dst = append(dst, e)
		}
	}
	return dst
}

// mayPrecedeMention reports whether a mention may follow head, the text since the last match, which
// begins the text when first is set.
func mayPrecedeMention(head string, first bool) bool {
	r, n := utf8.DecodeLastRuneInString(head)
	if n == 0 {
		return false
	}
	if r >= utf8.RuneSelf {
		return r != '＠'
	}
	if !isWord(byte(r)) && strings.IndexByte("!#$%&*@", byte(r)) < 0 {
		return true
	}
	// "RT@user", where nothing in front makes another word of it.
	if !strings.EqualFold(head[max(0, len(head)-2):], "rt") {
		return false
	}
	before, n := utf8.DecodeLastRuneInString(head[:len(head)-2])
	if n == 0 {
		return first
	}
	return before >= utf8.RuneSelf || !isWord(byte(before)) && strings.IndexByte("+~.-", byte(before)) < 0
}

// endsMention reports whether what follows a name shows that it is no mention but an e-mail address,
// a word with an accent or a URL.
func endsMention(after string) bool {
	if strings.HasPrefix(after, "://") || signLen(after, '@', "＠") > 0 {
		return true
	}
	r, n := utf8.DecodeRuneInString(after)
	return n > 0 && isLatinAccent(r)
}

func xHashtags(dst []Entity, text string) []Entity {
	last := 0
	for at := nextSign(text, 0, '#', "＃"); at >= 0; at = nextSign(text, at, '#', "＃") {
		start := at
		at += signLen(text[at:], '#', "＃")
		if start > 0 {
			r, n := utf8.DecodeLastRuneInString(text[last:start])
			if n == 0 || r == '&' || isHashtagChar(r) && r != vs15 && r != vs16 {
				continue
			}
		}
		tag := at
		letters := false
		for at < len(text) {
			r, n := utf8.DecodeRuneInString(text[at:])
			if !isHashtagChar(r) || at == tag && (r == vs16 || r == keycap) {
				break
			}
			letters = letters || isHashtagLetter(r)
			at += n
		}
		if !letters {
			continue
		}
		last = at
		if after := text[at:]; signLen(after, '#', "＃") == 0 && !strings.HasPrefix(after, "://") {
			dst = append(dst, Entity{Start: start, End: at, Kind: Hashtag, Value: text[tag:at]})
		}
	}
	return dst
}

// isHashtagChar reports whether r may be part of a hashtag on X.
func isHashtagChar(r rune) bool {
	if r < utf8.RuneSelf {
		return isWord(byte(r))
	}
	switch r {
	case 0x200C, zwj, 0xA67E, 0x05BE, 0x05F3, 0x05F4, 0xFF5E, 0x301C, 0x309B, 0x309C, 0x30A0, 0x30FB, 0x3003, 0x0F0B, 0x0F0C, 0xB7:
		return true
	}
	return isHashtagLetter(r) || unicode.Is(unicode.Nd, r)
}

func xCashtags(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if start > 0 {
			if r, _ := utf8.DecodeLastRuneInString(text[:start]); !isTwitterSpace(r) {
				continue
			}
		}
		end := at
		for end < len(text) && isLetter(text[end]) {
			end++
		}
		if end == at || end-at > 6 {
			continue
		}
		// ".B" or "_XY" belongs to the symbol when nothing else follows.
		if end < len(text) && (text[end] == '.' || text[end] == '_') {
			suffix := end + 1
			for suffix < len(text) && isLetter(text[suffix]) {
				suffix++
			}
			if n := suffix - end - 1; n >= 1 && n <= 2 && endsCashtag(text[suffix:]) {
				end = suffix
			}
		}
		if endsCashtag(text[end:]) {
			dst = append(dst, Entity{Start: start, End: end, Kind: Cashtag, Value: text[at:end]})
			at = end
		}
	}
}

func endsCashtag(after string) bool {
	r, n := utf8.DecodeRuneInString(after)
	return n == 0 || isJSSpace(r) || r < utf8.RuneSelf && strings.IndexByte(twitterPunct, byte(r)) >= 0
}
