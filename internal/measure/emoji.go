package measure

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// emojiZWJList has the emoji that are joined with U+200D, one a line. "+" stands for the joiner and
// "T" for a skin tone. A line begins with "=" when all combinations of tones exist, and with "!"
// when the two tones must differ.
//
//go:embed emoji_zwj.txt
var emojiZWJList string

var emojiZWJ = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool, strings.Count(emojiZWJList, "\n"))
	for line := range strings.Lines(emojiZWJList) {
		line = strings.TrimSuffix(line, "\n")
		set[line[1:]] = line[0] == '!'
	}
	return set
})

const (
	zwj         = '\u200D'
	vs15        = '\uFE0E'
	vs16        = '\uFE0F'
	keycap      = '\u20E3'
	regionalA   = 0x1F1E6
	regionalZ   = 0x1F1FF
	toneFirst   = 0x1F3FB
	toneLast    = 0x1F3FF
	blackFlag   = "\U0001F3F4"
	flagEngland = blackFlag + "\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"
	flagScots   = blackFlag + "\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F"
	flagWales   = blackFlag + "\U000E0067\U000E0062\U000E0077\U000E006C\U000E0073\U000E007F"
)

// emojiLen returns the bytes of the emoji of several code points at the start of text, as
// twemoji-parser finds it, or 0. Emoji of one code point need no rule: each weighs as much as any
// other character of its range. Sequences that no vendor is expected to draw, like two flags joined,
// are not emoji to X either: their parts count.
func emojiLen(text string) int {
	r, n := utf8.DecodeRuneInString(text)
	if r < utf8.RuneSelf {
		if r != '#' && r != '*' && (r < '0' || r > '9') {
			return 0
		}
		next, m := utf8.DecodeRuneInString(text[n:])
		if next == vs16 {
			n += m
			next, m = utf8.DecodeRuneInString(text[n:])
		}
		if next == keycap {
			return n + m
		}
		return 0
	}
	next, m := utf8.DecodeRuneInString(text[n:])
	if next < 0xA0 {
		return 0
	}
	if regionalA <= r && r <= regionalZ {
		if regionalA <= next && next <= regionalZ && emojiFlags[r-regionalA]>>(next-regionalA)&1 != 0 {
			return n + m
		}
		return 0
	}
	if next == zwj || next == vs16 || isTone(next) {
		if joined := joinedEmojiLen(text); joined > 0 {
			return joined
		}
	}
	switch {
	case next == vs16 && unicode.Is(emojiVS16, r):
		n += m
		if tone, m := utf8.DecodeRuneInString(text[n:]); isTone(tone) && unicode.Is(emojiTone, r) {
			n += m
		}
		return n
	case isTone(next) && unicode.Is(emojiTone, r):
		return n + m
	case strings.HasPrefix(text, blackFlag):
		for _, flag := range [...]string{flagEngland, flagScots, flagWales} {
			if strings.HasPrefix(text, flag) {
				return len(flag)
			}
		}
	}
	return 0
}

func isTone(r rune) bool { return toneFirst <= r && r <= toneLast }

// joinedEmojiLen returns the bytes of the longest emoji with a joiner at the start of text, or 0.
func joinedEmojiLen(text string) int {
	var buf [64]byte
	key := buf[:0]
	var tones [2]rune
	toned, joiners, length := 0, 0, 0
	for i, r := range text {
		if r < 0xA0 || len(key)+utf8.UTFMax > len(buf) {
			break
		}
		switch {
		case r == zwj:
			key = append(key, '+')
			joiners++
			continue
		case isTone(r):
			if toned == len(tones) {
				return length
			}
			key = append(key, 'T')
			tones[toned] = r
			toned++
		default:
			key = utf8.AppendRune(key, r)
		}
		if joiners == 0 {
			continue
		}
		if distinct, ok := emojiZWJ()[string(key)]; ok && !(distinct && tones[0] == tones[1]) {
			length = i + utf8.RuneLen(r)
		}
	}
	return length
}
