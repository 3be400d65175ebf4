package fake

import "strings"

// Shown returns what LinkedIn shows of a commentary in little text: everything before the first reserved character that is
// neither escaped nor part of a mention or hashtag. A mention has an @ in front here, to tell it from other words.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format (2026-11-22)
func Shown(little string) string {
	r := reader{rest: little}
	for r.rest != "" && r.element() {
	}
	return r.shown.String()
}

// reader reads little text by its grammar.
type reader struct {
	rest  string
	shown strings.Builder
}

// element reads one element, and reports whether there was one.
func (r *reader) element() bool {
	before := r.rest
	switch {
	case r.eat("{hashtag|"):
		if mark, ok := r.until('|'); ok && mark == "#" {
			if tag, ok := r.until('}'); ok && tag != "" {
				r.shown.WriteString("#" + tag)
				return true
			}
		}
	case r.eat("@["):
		name, ok := r.until(']')
		if ok && name != "" && r.eat("(") {
			if urn, ok := r.until(')'); ok && (strings.HasPrefix(urn, "urn:li:person:") || strings.HasPrefix(urn, "urn:li:organization:")) {
				r.shown.WriteString("@" + name)
				return true
			}
		}
	default:
		if c, ok := r.char(); ok {
			r.shown.WriteByte(c)
			return true
		}
	}
	r.rest = before
	return false
}

func (r *reader) eat(prefix string) bool {
	rest, ok := strings.CutPrefix(r.rest, prefix)
	if ok {
		r.rest = rest
	}
	return ok
}

// char reads a byte of plain text, an escaped one or one that is not reserved.
func (r *reader) char() (byte, bool) {
	const reserved = `\|{}@[]()<>#*_~`
	escaped := r.eat(`\`)
	if r.rest == "" || !escaped && strings.IndexByte(reserved, r.rest[0]) >= 0 {
		return 0, false
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c, true
}

// until reads plain text up to and with a closing character.
func (r *reader) until(end byte) (string, bool) {
	var b strings.Builder
	for !r.eat(string(end)) {
		c, ok := r.char()
		if !ok {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}
