package measure

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

// The names that end a domain. X and Mastodon carry the list of twitter-text 3.1
// (https://github.com/twitter/twitter-text, tld_lib.yml), which has not grown since 2020. Bluesky's
// reference client uses the npm package tlds, here version 1.261.0, of which only the ASCII names
// can match. Both checked 2026-11-21.
var (
	//go:embed tlds_twitter.txt
	twitterTLDList string
	//go:embed tlds_iana.txt
	ianaTLDList string

	twitterTLDs = sync.OnceValue(func() map[string]struct{} { return nameSet(twitterTLDList) })
	ianaTLDs    = sync.OnceValue(func() map[string]struct{} { return nameSet(ianaTLDList) })
)

// maxTLDBytes is longer than the longest name of the lists.
const maxTLDBytes = 64

func nameSet(lines string) map[string]struct{} {
	set := make(map[string]struct{}, strings.Count(lines, "\n"))
	for name := range strings.Lines(lines) {
		set[strings.TrimSuffix(name, "\n")] = struct{}{}
	}
	return set
}

// twitterTLD returns the end of the top-level domain that begins at i, or -1. The name must not go on
// with a character of a domain or an address, except that text in another script may follow
// directly: in "example.comの" the domain is example.com.
func twitterTLD(text string, i int) int {
	var buf [maxTLDBytes]byte
	n := 0
	for i+n < len(text) && n < len(buf) && isAlnum(text[i+n]) {
		buf[n] = text[i+n]
		if 'A' <= buf[n] && buf[n] <= 'Z' {
			buf[n] |= 0x20
		}
		n++
	}
	end := -1
	if n > 0 && endsTLD(text, i+n) {
		if _, ok := twitterTLDs()[string(buf[:n])]; ok {
			end = i + n
		}
	}
	if i+n < len(text) && text[i+n] >= utf8.RuneSelf {
		// Names with other letters. The longest wins: "भारतम्" also begins with "भारत".
		for j := i + n; j < len(text); {
			r, size := utf8.DecodeRuneInString(text[j:])
			r = lowerTLDRune(r)
			if n+utf8.RuneLen(r) > len(buf) {
				break
			}
			n += utf8.EncodeRune(buf[n:], r)
			j += size
			if endsTLD(text, j) {
				if _, ok := twitterTLDs()[string(buf[:n])]; ok {
					end = j
				}
			}
		}
	}
	if end < 0 && hasPrefixFold(text[i:], "xn--") {
		j := i + len("xn--")
		for j < len(text) && (isAlnum(text[j]) || text[j] == '-') {
			j++
		}
		if j > i+len("xn--") {
			end = j
		}
	}
	return end
}

// lowerTLDRune maps the capitals of the scripts with cases that occur in the list.
func lowerTLDRune(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z', 0xC0 <= r && r <= 0xDE && r != 0xD7, 0x391 <= r && r <= 0x3A9, 0x410 <= r && r <= 0x42F:
		return r + 0x20
	case 0x400 <= r && r <= 0x40F:
		return r + 0x50
	case 0x531 <= r && r <= 0x556:
		return r + 0x30
	case r == 0x49A:
		return 0x49B
	}
	return r
}

// endsTLD reports whether a top-level domain may end before text[i].
func endsTLD(text string, i int) bool {
	if i >= len(text) {
		return true
	}
	b := text[i]
	return !isAlnum(b) && b != '@' && b != '+' && b != '-'
}
