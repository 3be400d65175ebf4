package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Threads returns the length of text as Threads counts it: one for each character, but an emoji counts as many as it has
// bytes in UTF-8, a family of four 25.
//
// "Text posts are limited to 500 characters. Emojis are counted as the number of UTF-8 bytes":
// https://developers.facebook.com/docs/threads/posts (2026-11-22). What a character is it does not say: code points are
// counted, which is never less than what a reader would count.
func Threads(text string) int {
	n := 0
	for text != "" {
		plain := 0 // of most texts nearly all: characters of one byte with nothing behind them that could join them
		for plain < len(text) && text[plain] < utf8.RuneSelf && (plain+1 == len(text) || text[plain+1] < utf8.RuneSelf) {
			plain++
		}
		n, text = n+plain, text[plain:]
		end := min(1, len(text))
		for end < len(text) && (text[end-1] >= utf8.RuneSelf || text[end] >= utf8.RuneSelf) {
			end++
		}
		n, text = n+threadsClusters(text[:end]), text[end:]
	}
	return n
}

func threadsClusters(text string) int {
	n := 0
	for start, c := 0, newClusters(text); ; {
		end, ok := c.next()
		if !ok {
			return n
		}
		if cluster := text[start:end]; isEmoji(cluster) {
			n += len(cluster)
		} else {
			n += utf8.RuneCountInString(cluster)
		}
		start = end
	}
}

// isEmoji reports whether a grapheme cluster is shown as an emoji: by what follows its first character, or by itself.
// https://www.unicode.org/reports/tr51/#Emoji_Presentation (2026-11-22)
func isEmoji(cluster string) bool {
	first, n := utf8.DecodeRuneInString(cluster)
	second, _ := utf8.DecodeRuneInString(cluster[n:])
	switch {
	case strings.ContainsRune(cluster[n:], keycap):
		return first < utf8.RuneSelf
	case first < 0xA9 || second == vs15 || first == utf8.RuneError:
		return false
	case first >= 0x1F000:
		return first <= 0x1FAFF
	case second == vs16 || second == zwj || isTone(second):
		return unicode.Is(emojiVS16, first) || unicode.Is(emojiTone, first) || unicode.Is(emojiAlone, first)
	}
	return unicode.Is(emojiAlone, first)
}

// emojiAlone are the characters below U+1F000 that are emoji without anything behind them: Emoji_Presentation in
// https://www.unicode.org/Public/UCD/latest/ucd/emoji/emoji-data.txt (2026-11-22).
var emojiAlone = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x231a, 0x231b, 1},
		{0x23e9, 0x23ec, 1},
		{0x23f0, 0x23f0, 1},
		{0x23f3, 0x23f3, 1},
		{0x25fd, 0x25fe, 1},
		{0x2614, 0x2615, 1},
		{0x2648, 0x2653, 1},
		{0x267f, 0x267f, 1},
		{0x2693, 0x2693, 1},
		{0x26a1, 0x26a1, 1},
		{0x26aa, 0x26ab, 1},
		{0x26bd, 0x26be, 1},
		{0x26c4, 0x26c5, 1},
		{0x26ce, 0x26ce, 1},
		{0x26d4, 0x26d4, 1},
		{0x26ea, 0x26ea, 1},
		{0x26f2, 0x26f3, 1},
		{0x26f5, 0x26f5, 1},
		{0x26fa, 0x26fa, 1},
		{0x26fd, 0x26fd, 1},
		{0x2705, 0x2705, 1},
		{0x270a, 0x270b, 1},
		{0x2728, 0x2728, 1},
		{0x274c, 0x274c, 1},
		{0x274e, 0x274e, 1},
		{0x2753, 0x2755, 1},
		{0x2757, 0x2757, 1},
		{0x2795, 0x2797, 1},
		{0x27b0, 0x27b0, 1},
		{0x27bf, 0x27bf, 1},
		{0x2b1b, 0x2b1c, 1},
		{0x2b50, 0x2b50, 1},
		{0x2b55, 0x2b55, 1},
	},
}

// ThreadsEntities returns what Threads links in text: addresses with a scheme, mentions and hashtags, in order and
// without overlaps. Its rules are not published: names are those that Instagram gives, and the rest is found as
// Mastodon finds it.
func ThreadsEntities(text string) []Entity {
	var buf [8]urlMatch
	entities := InstagramEntities(text)
	if strings.Contains(text, "://") {
		for _, u := range mastodonURLs.find(buf[:0], text) {
			entities = append(entities, Entity{Start: u.start, End: u.end, Kind: URL, Value: text[u.start:u.end]})
		}
	}
	return removeOverlaps(entities)
}

// InstagramEntities returns what Instagram links in a caption: mentions and hashtags, in order and without overlaps. An
// address stays text there.
func InstagramEntities(text string) []Entity {
	return removeOverlaps(instagramMentions(mastodonHashtags(nil, text), text))
}

// maxInstagramName is the longest name of an account on Instagram and Threads.
const maxInstagramName = 30

// instagramMentions finds names of letters, digits, underscores and, inside, full stops behind an @.
func instagramMentions(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if r, n := utf8.DecodeLastRuneInString(text[:start]); n > 0 && (r == '/' || r == '.' || isTextWord(r)) {
			continue
		}
		end := at
		for end < len(text) && (isWord(text[end]) || text[end] == '.') {
			end++
		}
		for end > at && text[end-1] == '.' {
			end--
		}
		if end == at || end-at > maxInstagramName || endsMention(text[end:]) {
			continue
		}
		dst = append(dst, Entity{Start: start, End: end, Kind: Mention, Value: text[at:end]})
		at = end
	}
}
