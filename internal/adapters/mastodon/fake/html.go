package fake

import (
	"html"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/measure"
)

// html returns the HTML that a server makes of a text.
func (s *Server) html(text string) string {
	if text == "" {
		return ""
	}
	entities := measure.MastodonEntities
	if s.config.GoToSocial {
		entities = measure.GoToSocialEntities
	}
	var out strings.Builder
	at := 0
	for _, e := range entities(text) {
		out.WriteString(s.escape(text[at:e.Start]))
		switch e.Kind {
		case measure.URL:
			out.WriteString(s.link(e.Value))
		case measure.Hashtag:
			out.WriteString(`<a href="` + s.config.Base + "/tags/" + strings.ToLower(e.Value) + `" class="mention hashtag" rel="tag">#<span>` + s.escape(e.Value) + "</span></a>")
		case measure.Mention:
			out.WriteString(s.mention(e.Value))
		default:
			out.WriteString(s.escape(text[e.Start:e.End]))
		}
		at = e.End
	}
	out.WriteString(s.escape(text[at:]))
	if s.config.GoToSocial {
		lines := strings.Split(out.String(), "\n")
		for i, line := range lines {
			lines[i] = strings.Join(strings.Fields(line), " ")
		}
		return "<p>" + strings.Join(lines, "<br>") + "</p>"
	}
	return paragraphs(out.String())
}

// paragraphs is what Rails' simple_format does, without its line breaks.
func paragraphs(text string) string {
	var out strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		paragraph = strings.TrimLeft(paragraph, "\n")
		if paragraph == "" {
			continue
		}
		out.WriteString("<p>" + strings.ReplaceAll(paragraph, "\n", "<br />") + "</p>")
	}
	return out.String()
}

// link is an address. Mastodon hides its scheme and all after 30 characters.
func (s *Server) link(address string) string {
	const shown = 30
	if s.config.GoToSocial {
		return `<a href="` + escapeAll(address) + `" rel="nofollow noreferrer noopener" target="_blank">` + s.escape(address) + "</a>"
	}
	prefix := ""
	for _, p := range [4]string{"https://www.", "https://", "http://www.", "http://"} {
		if strings.HasPrefix(address, p) {
			prefix = p
			break
		}
	}
	rest := []rune(address[len(prefix):])
	class, hidden := "", ""
	if len(rest) > shown {
		class, hidden = "ellipsis", string(rest[shown:])
		rest = rest[:shown]
	}
	return `<a href="` + escapeAll(address) + `" target="_blank" rel="nofollow noopener noreferrer"><span class="invisible">` + escapeAll(prefix) +
		`</span><span class="` + class + `">` + escapeAll(string(rest)) + `</span><span class="invisible">` + escapeAll(hidden) + "</span></a>"
}

// mention links an account that the server knows; its domain is not shown.
func (s *Server) mention(name string) string {
	user, domain, _ := strings.Cut(name, "@")
	address := ""
	if domain == "" || domain == s.host() {
		for _, known := range s.config.Tokens {
			if strings.EqualFold(known, user) {
				address = s.config.Base + "/@" + known
			}
		}
	} else if slices.Contains(s.config.Remote, name) {
		address = "https://" + domain + "/@" + user
	}
	if address == "" {
		return "@" + s.escape(name)
	}
	return `<span class="h-card" translate="no"><a href="` + escapeAll(address) + `" class="u-url mention">@<span>` + escapeAll(user) + "</span></a></span>"
}

// escape writes text as the server does: GoToSocial resolves the entities that somebody wrote, and its
// minifier leaves all that a browser understands.
func (s *Server) escape(text string) string {
	if s.config.GoToSocial {
		return strings.ReplaceAll(html.UnescapeString(text), "<", "&lt;")
	}
	return escapeAll(text)
}

func escapeAll(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(text)
}

// shownSpoiler is a content warning as statuses show it; its source is as written.
func (s *Server) shownSpoiler(text string) string {
	if s.config.GoToSocial {
		return withoutTags(text)
	}
	return text
}

// withoutTags removes what looks like an HTML tag.
func withoutTags(text string) string {
	for {
		start := strings.IndexByte(text, '<')
		if start < 0 {
			return text
		}
		length := strings.IndexByte(text[start:], '>')
		if length < 0 {
			return text
		}
		text = text[:start] + text[start+length+1:]
	}
}
