package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// transcript writes what an account gets as lines that can be compared: the text as it stands there with its media, and what is beside it,
// such as a card or who may see it. What is no text, or cannot be seen, stands in square brackets. What looks like a secret is left out: a comment
// is read by more people than the file.
func transcript(r *platform.Rendering) (body string, beside []string) {
	var b strings.Builder
	for i := range r.Parts {
		p := &r.Parts[i]
		switch {
		case p.Comment:
			b.WriteString("[first comment]\n")
		case len(r.Parts) > 1:
			fmt.Fprintf(&b, "[part %d]\n", i+1)
		}
		if text := strings.TrimRight(p.Text, "\n"); text != "" {
			b.WriteString(text + "\n")
		}
		for _, f := range p.Facets {
			if f.Kind == platform.FacetLink && f.Start >= 0 && f.Start <= f.End && f.End <= len(p.Text) && p.Text[f.Start:f.End] != f.Value {
				fmt.Fprintf(&b, "[link of %q: %s]\n", p.Text[f.Start:f.End], f.Value)
			}
		}
		for k := range p.Media {
			b.WriteString(strings.Join(medium(&p.Media[k]), "\n") + "\n")
		}
		if p.Card != nil {
			beside = append(beside, card(p.Card)...)
		}
	}
	note := func(name, value string) {
		if value != "" {
			beside = append(beside, name+": "+value)
		}
	}
	note("title", r.Title)
	note("content warning", r.ContentWarning)
	if p := r.Poll; p != nil {
		more := ""
		if p.Multiple {
			more = ", several answers"
		}
		note("poll", fmt.Sprintf("%s, open for %s%s", strings.Join(p.Options, " / "), p.Duration, more))
	}
	note("reply to", r.ReplyTo)
	note("quotes", r.Quote)
	note("original", r.CanonicalURL)
	if r.Visibility != "public" {
		note("visibility", r.Visibility)
	}
	note("language", strings.Join(r.Language, ", "))
	note("labels", strings.Join(r.Labels, ", "))
	note("tags", strings.Join(r.Tags, ", "))
	if r.Sensitive {
		beside = append(beside, "marked as sensitive")
	}
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		note(name, r.Settings[name])
	}
	for i := range beside {
		beside[i] = visible(secret.Mask(beside[i]))
	}
	return visible(secret.Mask(b.String())), beside
}

// medium is what stands for a file: the first characters of its digest stand for its bytes.
func medium(m *platform.Media) []string {
	var b strings.Builder
	fmt.Fprintf(&b, "[%s %s", kindOf(m.MIME), m.Path)
	if m.Width > 0 {
		fmt.Fprintf(&b, ", %d×%d", m.Width, m.Height)
	}
	if m.Digest != "" {
		fmt.Fprintf(&b, ", bytes %.8s", m.Digest)
	}
	if change := m.Change(); change != "" {
		b.WriteString("; " + change)
	}
	b.WriteString("]")
	if m.Alt == "" {
		return []string{b.String(), "[no alt text]"}
	}
	return []string{b.String(), "[alt text: " + m.Alt + "]"}
}

func kindOf(mime string) string {
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "image":
		return "picture"
	case "video", "audio":
		return kind
	default:
		return "file"
	}
}

func card(c *platform.Card) []string {
	if c.Fetch {
		return []string{"card: " + c.URL + ", read from its page when the post goes out"}
	}
	lines := []string{"card: " + c.URL}
	if c.Title != "" {
		lines = append(lines, "card's title: "+c.Title)
	}
	if c.Description != "" {
		lines = append(lines, "card's description: "+c.Description)
	}
	if c.Image != nil {
		for _, line := range medium(c.Image) {
			lines = append(lines, "card's picture: "+strings.Trim(line, "[]"))
		}
	}
	return lines
}
