package measure

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// BlueskyEntities returns what Bluesky's reference client makes a facet of: links with a scheme, bare
// domains, mentions by handle, hashtags and cashtags, in order and without overlaps.
//
// The rules are those of @atproto/api 0.19 (packages/api/src/rich-text, checked 2026-11-21), except
// where the client makes a facet whose URI a server refuses, and the whole post with it: a bare domain
// that begins with "http", such as httpbin.org, is a bare domain like others here, and a scheme without
// a host is no link. Facets of the client may overlap, too; here the first one wins.
//
// The value of a cashtag is in upper case; its facet is a tag with "$" in front. Mentions still have to
// be resolved, and those that do not resolve are plain text.
func BlueskyEntities(text string) []Entity {
	var entities []Entity
	entities = blueskyMentions(entities, text)
	entities = blueskyLinks(entities, text)
	entities = blueskyTags(entities, text)
	entities = blueskyCashtags(entities, text)
	return removeOverlaps(entities)
}

const (
	maxBlueskyTag     = 64 // UTF-16 units
	maxBlueskyCashtag = 5
)

// mayPrecedeFacet reports whether a mention, a link or a cashtag may follow head.
func mayPrecedeFacet(head string) bool {
	r, n := utf8.DecodeLastRuneInString(head)
	return n == 0 || r == '(' || isJSSpace(r)
}

// hasBlueskyTLD reports whether domain ends with a dot and a top-level domain. Capitals do not match,
// as they do not in the client.
func hasBlueskyTLD(domain string) bool {
	dot := strings.LastIndexByte(domain, '.')
	if dot < 0 {
		return false
	}
	_, ok := ianaTLDs()[domain[dot+1:]]
	return ok
}

func blueskyMentions(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '@')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if !mayPrecedeFacet(text[:start]) {
			continue
		}
		end := at
		for end < len(text) && (isAlnum(text[end]) || text[end] == '.' || text[end] == '-') {
			end++
		}
		for end > at && !isWordBoundary(text, end) {
			end--
		}
		if handle := text[at:end]; hasBlueskyTLD(handle) || strings.HasSuffix(handle, ".test") {
			dst = append(dst, Entity{Start: start, End: end, Kind: Mention, Value: handle})
			at = end
		}
	}
}

// isWordBoundary reports whether \b matches between text[i-1] and text[i].
func isWordBoundary(text string, i int) bool {
	return isWord(text[i-1]) != (i < len(text) && isWord(text[i]))
}

func blueskyLinks(dst []Entity, text string) []Entity {
	if strings.IndexByte(text, '.') < 0 && !strings.Contains(text, "://") {
		return dst
	}
	for i := 0; i < len(text); {
		if isLetter(text[i]) {
			n, bare := blueskyLink(text[i:])
			if n > 0 {
				end := i + n
				link := trimLink(text[i:end], bare)
				if link != "" {
					e := Entity{Start: i, End: i + len(link), Kind: URL, Value: link}
					if bare {
						e.Value = "https://" + link
					}
					dst = append(dst, e)
				}
				i = end // at a white space or at the end: nothing in between is looked at again
			}
		}
		// To the next place a link may begin: behind a white space or a parenthesis.
		for i < len(text) {
			b := text[i]
			if b < utf8.RuneSelf {
				i++
				if b == ' ' || b == '(' || '\t' <= b && b <= '\r' {
					break
				}
				continue
			}
			r, n := utf8.DecodeRuneInString(text[i:])
			i += n
			if isJSSpace(r) {
				break
			}
		}
	}
	return dst
}

// blueskyLink returns the bytes up to the next white space if text begins with a link, otherwise 0, and
// whether the link is a domain without a scheme.
func blueskyLink(text string) (n int, bare bool) {
	i := 0
	if text[0]|0x20 == 'h' {
		for _, scheme := range [...]string{"https://", "http://"} {
			if hasPrefixFold(text, scheme) {
				i = len(scheme)
				break
			}
		}
	}
	if i > 0 {
		return nonSpace(text, i, i), false
	}
	dots := 0
	end := 0
	for i < len(text) {
		for i < len(text) && isAlnum(text[i]) {
			i++
		}
		if dots > 0 {
			end = i
		}
		if i+1 >= len(text) || text[i] != '.' || !isAlnum(text[i+1]) {
			break
		}
		dots++
		i++
	}
	if end == 0 {
		return 0, false
	}
	return nonSpace(text, end, 0), true
}

// nonSpace returns the offset of the next white space at or after i, or 0 if that is not beyond min.
func nonSpace(text string, i, min int) int {
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		if isJSSpace(r) {
			break
		}
		i += n
	}
	if i <= min {
		return 0
	}
	return i
}

// trimLink returns link without the punctuation of the sentence around it, or "" if it is none after
// all.
func trimLink(link string, bare bool) string {
	if bare {
		domain := 0
		for domain < len(link) && (isAlnum(link[domain]) || link[domain] == '.' && domain+1 < len(link) && isAlnum(link[domain+1])) {
			domain++
		}
		if !hasBlueskyTLD(link[:domain]) {
			return ""
		}
	} else if !strings.HasPrefix(link, "http") {
		return "" // the client finds HTTP:// but does not link it
	}
	switch link[len(link)-1] {
	case '.', ',', ';', ':', '!', '?':
		link = link[:len(link)-1]
	}
	if strings.HasSuffix(link, ")") && strings.IndexByte(link, '(') < 0 {
		link = link[:len(link)-1]
	}
	if !bare {
		if _, host, _ := strings.Cut(link, "://"); host == "" || host[0] == '/' {
			return ""
		}
	}
	return link
}

func blueskyTags(dst []Entity, text string) []Entity {
	for at := nextSign(text, 0, '#', "＃"); at >= 0; at = nextSign(text, at, '#', "＃") {
		start := at
		at += signLen(text[at:], '#', "＃")
		if r, n := utf8.DecodeLastRuneInString(text[:start]); n > 0 && !isJSSpace(r) {
			continue
		}
		end, trimmed, named := at, at, false
		for end < len(text) {
			r, n := utf8.DecodeRuneInString(text[end:])
			if isJSSpace(r) || isTagSeparator(r) || end == at && r == vs16 {
				break
			}
			end += n
			if unicode.Is(unicode.P, r) {
				continue
			}
			trimmed = end
			if r < '0' || r > '9' {
				named = true
			}
		}
		tag := text[at:trimmed]
		if named && CountUTF16(tag) <= maxBlueskyTag {
			dst = append(dst, Entity{Start: start, End: trimmed, Kind: Hashtag, Value: tag})
		}
		at = end
	}
	return dst
}

// isTagSeparator reports whether r ends a hashtag like a space, though it is none or not to \s.
func isTagSeparator(r rune) bool {
	return r == 0xAD || r == 0x2060 || 0x200A <= r && r <= 0x200D || r == 0x20E2
}

func blueskyCashtags(dst []Entity, text string) []Entity {
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '$')
		if i < 0 {
			return dst
		}
		start := at + i
		at = start + 1
		if !mayPrecedeFacet(text[:start]) || at == len(text) || !isLetter(text[at]) {
			continue
		}
		end := at + 1
		for end < len(text) && isAlnum(text[end]) {
			end++
		}
		if end-at > maxBlueskyCashtag {
			continue
		}
		if r, n := utf8.DecodeRuneInString(text[end:]); n > 0 && !isJSSpace(r) && r != '’' && !strings.ContainsRune(`.,;:!?)"'`, r) {
			continue
		}
		dst = append(dst, Entity{Start: start, End: end, Kind: Cashtag, Value: strings.ToUpper(text[at:end])})
		at = end
	}
}
