package mastodon

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"
)

// plain returns the text that a status's HTML was made from, as far as it can be told: tags are gone,
// breaks and paragraphs are line breaks, and links are whole. Of a link, Mastodon hides the scheme and
// all after 30 characters in spans that are still text; others cut and write "…". The line that stands
// for a quoted post where quotes are not known ("RE: https://…") is left out.
func plain(content string) string {
	var out strings.Builder
	var link struct {
		open  bool
		href  string
		start int
	}
	skipping := false // the stand-in of a quote
	z := html.NewTokenizer(strings.NewReader(content))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end; a tokenizer takes everything else
			return strings.TrimSpace(out.String())
		case html.TextToken:
			if text := z.Text(); !skipping {
				out.Write(text)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, hasAttr := z.TagName()
			switch string(name) {
			case "br":
				out.WriteByte('\n')
			case "p":
				skipping = strings.Contains(attribute(z, hasAttr, "class"), "quote-inline")
			case "a":
				link.open, link.href, link.start = true, attribute(z, hasAttr, "href"), out.Len()
			}
		case html.EndTagToken:
			switch name, _ := z.TagName(); string(name) {
			case "p":
				skipping = false
				out.WriteString("\n\n")
			case "blockquote", "pre", "ul", "ol":
				out.WriteString("\n\n")
			case "li":
				out.WriteByte('\n')
			case "a":
				if all := out.String(); link.open && link.href != "" && strings.HasSuffix(all[link.start:], "…") {
					out.Reset()
					out.WriteString(all[:link.start] + link.href)
				}
				link.open = false
			}
		}
	}
}

// attribute returns the value of the current tag's attribute, "" when it has none.
func attribute(z *html.Tokenizer, more bool, name string) string {
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if string(key) == name {
			return string(value)
		}
	}
	return ""
}

// letters returns only the letters and digits of a text in the form of [loose]. Two texts that differ
// in it are different posts.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return r
		}
		return -1
	}, loose(text))
}

// fold returns a text without white space, in the form of [loose].
func fold(text string) string { return strings.Join(strings.Fields(loose(text)), "") }

// loose returns a text in composed form, without the domains of mentions, which servers do not show,
// and with HTML's entities resolved, which GoToSocial does even to those that somebody wrote.
func loose(text string) string {
	for range 3 { // what resolving leaves behind may be an entity again
		text = html.UnescapeString(text)
	}
	return norm.NFC.String(withoutDomains(text))
}

// squash returns a text with every run of white space as one space.
func squash(text string) string {
	return strings.Join(strings.Fields(norm.NFC.String(text)), " ")
}

// withoutDomains turns every @user@domain into @user.
func withoutDomains(text string) string {
	var out strings.Builder
	for {
		at := strings.IndexByte(text, '@')
		if at < 0 {
			break
		}
		user := at + 1
		for user < len(text) && isNameByte(text[user]) {
			user++
		}
		out.WriteString(text[:user])
		text = text[user:]
		if user > at+1 && len(text) > 1 && text[0] == '@' && isNameByte(text[1]) {
			rest := strings.TrimLeftFunc(text[1:], isDomainRune)
			domain := text[1 : len(text)-len(rest)]
			text = text[1+len(strings.TrimRight(domain, ".:-")):] // what ends a sentence is not part of it
		}
	}
	out.WriteString(text)
	return out.String()
}

func isNameByte(b byte) bool {
	return 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9' || b == '_' || b == '-' || b == '.'
}

func isDomainRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '-' || r == '.' || r == ':'
}

// stripTags removes what looks like an HTML tag, as GoToSocial does from warnings and descriptions.
func stripTags(text string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(text, '<')
		if start < 0 {
			break
		}
		length := strings.IndexByte(text[start:], '>')
		if length < 0 {
			out.WriteString(text[:start])
			text = ""
			break
		}
		out.WriteString(text[:start])
		text = text[start+length+1:]
	}
	out.WriteString(text)
	return out.String()
}
