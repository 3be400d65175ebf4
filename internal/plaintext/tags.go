package plaintext

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// tags appends the post's tags that neither w nor an earlier part has, as a paragraph of hashtags.
func (c *composer) tags(w *writer) {
	begun := false
	for i, tag := range c.v.Tags {
		name, clean := hashtag(tag)
		switch {
		case name == "":
			c.add(CodeTag, finding.Warning, c.v.Place(post.FieldTags),
				"the tag \""+tag+"\" makes no hashtag on "+c.s.Network+" and is left out",
				"a hashtag has letters, digits and _, and not only digits")
			continue
		case !clean:
			c.add(CodeTag, finding.Warning, c.v.Place(post.FieldTags),
				"the tag \""+tag+"\" becomes #"+name+" on "+c.s.Network,
				"a hashtag has letters, digits and _ only: write "+name)
		}
		if c.tagged(w, name) || repeats(c.v.Tags[:i], name) {
			continue
		}
		if begun {
			w.put(" #", post.Span{})
		} else {
			w.breakLines(2)
			w.put("#", post.Span{})
			begun = true
		}
		w.put(name, post.Span{})
	}
}

// repeats reports whether an earlier tag makes the same hashtag.
func repeats(tags []string, name string) bool {
	for _, tag := range tags {
		if earlier, _ := hashtag(tag); strings.EqualFold(earlier, name) {
			return true
		}
	}
	return false
}

// hashtag returns a tag as hashtags are written, without '#': several words become CamelCase. clean
// tells that no character had to be left out. A tag that makes no hashtag gives "".
func hashtag(tag string) (name string, clean bool) {
	tag = strings.TrimLeft(strings.TrimSpace(tag), "#＃")
	word, digits := true, true
	for i := 0; i < len(tag); i++ {
		if c := tag[i]; !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_') {
			word = false
			break
		} else if c < '0' || c > '9' {
			digits = false
		}
	}
	if word {
		if digits {
			return "", false
		}
		return tag, true
	}

	var b strings.Builder
	clean = true
	severalWords := strings.ContainsFunc(strings.TrimFunc(tag, isWordGap), isWordGap)
	atStart, letters := true, false
	for _, r := range tag {
		switch {
		case isWordGap(r):
			atStart = true
			continue
		case r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) && b.Len() > 0):
			letters = true
			if atStart && severalWords {
				r = unicode.ToUpper(r)
			}
		case unicode.IsDigit(r), r == '_':
		default:
			clean = false
			continue
		}
		atStart = false
		b.WriteRune(r)
	}
	if !letters {
		return "", false
	}
	return b.String(), clean
}

func isWordGap(r rune) bool { return r == '-' || unicode.IsSpace(r) }

// tagged reports whether w or an earlier part has the hashtag, in capitals or not.
func (c *composer) tagged(w *writer, name string) bool {
	if hasHashtag(w.buf, name) {
		return true
	}
	for i := range c.parts {
		if hasHashtag([]byte(c.parts[i].Text), name) {
			return true
		}
	}
	return false
}

func hasHashtag(text []byte, name string) bool {
	for {
		i := bytes.IndexByte(text, '#')
		if i < 0 {
			return false
		}
		text = text[i+1:]
		end := 0
		for end < len(text) {
			r, n := utf8.DecodeRune(text[end:])
			if !isNameRune(r) {
				break
			}
			end += n
		}
		if bytes.EqualFold(text[:end], []byte(name)) {
			return true
		}
	}
}
