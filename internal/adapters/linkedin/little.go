package linkedin

import (
	"strings"

	"github.com/postrider/postrider/internal/platform"
)

// reserved are the characters that mean something in little text, the format of commentaries. One that stands there
// unescaped where it means nothing ends the post: LinkedIn answers 201 and publishes what comes before it.
// https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/little-text-format (checked 2026-11-22)
const reserved = `\|{}@[]()<>#*_~`

// escape writes a text as little text: what it shows is the text, and its hashtags and mentions are links. Addresses are
// escaped like everything else: LinkedIn finds them in what is shown.
func escape(text string, facets []platform.Facet) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	done := 0
	for _, f := range facets {
		if f.Start < done || f.End > len(text) || f.End-f.Start < 2 {
			continue
		}
		switch name := text[f.Start+1 : f.End]; {
		case f.Kind == platform.FacetTag && text[f.Start] == '#':
			escapeTo(&b, text[done:f.Start])
			b.WriteString(`{hashtag|\#|`)
			escapeTo(&b, name)
			b.WriteByte('}')
		case f.Kind == platform.FacetMention && text[f.Start] == '@' && isURN(f.Value, "person", "organization"):
			escapeTo(&b, text[done:f.Start])
			b.WriteString("@[")
			escapeTo(&b, name)
			b.WriteString("](")
			escapeTo(&b, f.Value)
			b.WriteByte(')')
		default:
			continue
		}
		done = f.End
	}
	escapeTo(&b, text[done:])
	return b.String()
}

func escapeTo(b *strings.Builder, text string) {
	for i := range len(text) {
		if strings.IndexByte(reserved, text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
}

// unescape returns what little text shows, a mention with the @ that it was written with. It takes what LinkedIn writes,
// too, which leaves some hashtags as they are.
func unescape(little string) string {
	var b strings.Builder
	b.Grow(len(little))
	for i := 0; i < len(little); {
		switch rest := little[i:]; {
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteByte(rest[1])
			i += 2
		case strings.HasPrefix(rest, "{hashtag|"):
			mark, after, ok := cutBare(rest[len("{hashtag|"):], '|')
			tag, after, closed := cutBare(after, '}')
			if !ok || !closed {
				b.WriteByte('{')
				i++
				continue
			}
			b.WriteString(unescape(mark) + unescape(tag))
			i = len(little) - len(after)
		case strings.HasPrefix(rest, "@["):
			name, after, ok := cutBare(rest[len("@["):], ']')
			target, isTarget := strings.CutPrefix(strings.TrimLeft(after, " "), "(")
			_, after, closed := cutBare(target, ')')
			if !ok || !isTarget || !closed {
				b.WriteByte('@')
				i++
				continue
			}
			b.WriteString("@" + unescape(name))
			i = len(little) - len(after)
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return b.String()
}

// cutBare cuts s around the first sep that is not escaped.
func cutBare(s string, sep byte) (before, after string, found bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}
