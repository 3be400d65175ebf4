// Package channel is where teams are told of things: Slack, Discord, Mattermost, Matrix and mail.
//
// Each is an adapter like those of the platforms, and none of them is a platform: posts do not go there. A message is one part, cut by
// whoever writes it; [platform.Publisher] sends it. Slack, Discord and Mattermost take it by an incoming webhook, whose address is the
// secret; Matrix by its client API; mail by SMTP.
package channel

import (
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/measure"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// All returns an adapter of each channel that is no platform.
func All() []platform.Adapter {
	return []platform.Adapter{Discord{}, Mail{}, Matrix{}, Mattermost{}, Slack{}}
}

// verified is when the documentation that this package names was read.
const verified = "2026-11-22"

// dialect is how a channel writes formatting into the text itself.
type dialect struct {
	network string
	escape  func(string) string
	// open and end are what stands around a stretch of text; said is that text, not escaped.
	open, end func(f platform.Facet, said string) string
	// bare writes an address that stands for itself; nil: as any other link.
	bare func(address string) string
	// verbatim is what a stretch of code is escaped with; nil: as everything else.
	verbatim func(string) string
}

// compose renders a variant in a dialect, with the names of those who are called before it. max is the longest text that the channel
// takes, by count.
func (d *dialect) compose(v *post.Variant, max int, unit measure.Unit, count func(string) int, calls []string) (platform.Rendering, finding.List) {
	parts, list := plain(v, d.network)
	p := &parts[0]
	p.Text, p.Facets, p.Spans = d.write(p), nil, nil
	if len(calls) > 0 {
		p.Text = strings.Join(calls, " ") + "\n" + p.Text
	}
	return d.measured(v, platform.Rendering{Title: v.Title, Parts: parts}, list, max, unit, count)
}

// measured holds a rendering against the channel's limit.
func (d *dialect) measured(v *post.Variant, r platform.Rendering, list finding.List, max int, unit measure.Unit, count func(string) int) (platform.Rendering, finding.List) {
	p := &r.Parts[0]
	p.Used, p.Max, p.Unit = count(p.Text), max, unit
	if p.Used > p.Max {
		list.Add(v.Finding(plaintext.CodeTooLong, finding.Error, finding.Range{},
			fmt.Sprintf("the text is too long for %s: %d of %d %s", d.network, p.Used, p.Max, p.Unit), "shorten it"))
	}
	return r, list
}

// plain returns the text of a variant with its formatting beside it, as one part.
func plain(v *post.Variant, network string) ([]platform.Part, finding.List) {
	style := plaintext.Style{Network: network, Rich: true, Links: plaintext.LinkFacet, Unit: measure.CodePoints, Count: measure.CountCodePoints, Append: v.Link}
	parts, list := plaintext.Write(v, &style)
	if len(parts) > 1 {
		list.Add(v.Finding(plaintext.CodeTooLong, finding.Error, finding.Range{}, network+" takes one message, and this is a thread of "+fmt.Sprint(len(parts)), ""))
		parts = parts[:1]
	}
	return parts, list
}

// write returns the text of a part with its facets as markup.
func (d *dialect) write(p *platform.Part) string {
	facets := slices.Clone(p.Facets)
	slices.SortStableFunc(facets, func(a, b platform.Facet) int { // the outer one first
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	var b strings.Builder
	var open []platform.Facet
	at := 0
	text := func(to int) {
		if to <= at {
			return
		}
		escape := d.escape
		if d.verbatim != nil && slices.ContainsFunc(open, func(f platform.Facet) bool { return f.Kind == platform.FacetCode }) {
			escape = d.verbatim
		}
		b.WriteString(escape(p.Text[at:to]))
		at = to
	}
	closeTo := func(to int) {
		for len(open) > 0 && open[len(open)-1].End <= to {
			f := open[len(open)-1]
			text(f.End)
			open = open[:len(open)-1]
			b.WriteString(d.end(f, p.Text[f.Start:f.End]))
		}
	}
	for _, f := range facets {
		closeTo(f.Start)
		if f.Start < at { // inside an address that stands for itself
			continue
		}
		if said := p.Text[f.Start:f.End]; d.bare != nil && f.Kind == platform.FacetLink && said == f.Value && said != "" {
			text(f.Start)
			b.WriteString(d.bare(said))
			at = f.End
			continue
		}
		if len(open) > 0 && f.End > open[len(open)-1].End { // crossed: the inner one gives way
			continue
		}
		text(f.Start)
		b.WriteString(d.open(f, p.Text[f.Start:f.End]))
		open = append(open, f)
	}
	closeTo(len(p.Text))
	text(len(p.Text))
	return b.String()
}

// marks returns the open and end of a dialect that puts the same marks around words, and treats links by themselves.
func marks(by map[platform.FacetKind]string, openLink, endLink func(address string) string) (open, end func(platform.Facet, string) string) {
	side := func(link func(string) string) func(platform.Facet, string) string {
		return func(f platform.Facet, _ string) string {
			if f.Kind == platform.FacetLink {
				return link(f.Value)
			}
			return by[f.Kind]
		}
	}
	return side(openLink), side(endLink)
}

// markdown is how Discord and Mattermost write.
func markdown(network string) *dialect {
	d := &dialect{network: network, escape: escapeMarkdown, bare: func(address string) string { return "<" + angled(address) + ">" }, verbatim: func(s string) string { return strings.ReplaceAll(s, "`", "ˋ") }}
	d.open, d.end = marks(
		map[platform.FacetKind]string{platform.FacetBold: "**", platform.FacetItalic: "*", platform.FacetStrike: "~~", platform.FacetCode: "`"},
		func(string) string { return "[" },
		func(address string) string {
			return "](" + strings.NewReplacer("(", "%28", ")", "%29").Replace(angled(address)) + ")"
		})
	return d
}

// angled writes an address so that it can stand between angle brackets.
func angled(address string) string {
	return strings.NewReplacer(" ", "%20", "<", "%3C", ">", "%3E", "|", "%7C").Replace(address)
}

// escapeMarkdown takes the meaning from everything that would be markup, or call somebody.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case strings.ContainsRune("\\`*_~|[]<>#", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@':
			b.WriteString("@\u2060") // a word joiner: it is not seen, and what follows is no name
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// asHTML writes a part as HTML, for mail and Matrix.
func asHTML(p *platform.Part) string {
	tags := map[platform.FacetKind]string{platform.FacetBold: "strong", platform.FacetItalic: "em", platform.FacetStrike: "del", platform.FacetCode: "code"}
	d := &dialect{escape: func(s string) string { return strings.ReplaceAll(html.EscapeString(s), "\n", "<br>\n") }}
	d.open = func(f platform.Facet, _ string) string {
		if f.Kind == platform.FacetLink {
			return `<a href="` + html.EscapeString(f.Value) + `">`
		}
		return "<" + tags[f.Kind] + ">"
	}
	d.end = func(f platform.Facet, _ string) string {
		if f.Kind == platform.FacetLink {
			return "</a>"
		}
		return "</" + tags[f.Kind] + ">"
	}
	known := *p
	known.Facets = slices.DeleteFunc(slices.Clone(p.Facets), func(f platform.Facet) bool { return f.Kind != platform.FacetLink && tags[f.Kind] == "" })
	return d.write(&known)
}

// asText writes a part without any markup: the addresses of links stand behind their words.
func asText(p *platform.Part) string {
	none := func(platform.Facet, string) string { return "" }
	d := &dialect{escape: func(s string) string { return s }, open: none}
	d.end = func(f platform.Facet, said string) string {
		if f.Kind != platform.FacetLink || f.Value == said {
			return ""
		}
		return " (" + f.Value + ")"
	}
	return d.write(p)
}

// calls returns whom a variant calls, by the channel's own spelling.
func calls(v *post.Variant, spell func(string) string) (list []string) {
	for _, m := range v.Mentions {
		list = append(list, spell(m.Name))
	}
	return list
}

// hook is the address of an incoming webhook, which is a secret as a whole.
func hook(a *platform.Account, d *platform.Deps) (address string, secrets []secret.String, err error) {
	s, err := d.Secret(a, hookSecret, "address of the incoming webhook")
	if err != nil {
		return "", nil, err
	}
	u, err := url.Parse(s.Reveal())
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return "", nil, &platform.Error{
			Outcome: platform.Denied, Op: "open", Message: "the incoming webhook is no address with a path",
			Hint: "set " + platform.EnvName(a.Name, hookSecret) + " to the whole address, https:// included",
		}
	}
	return s.Reveal(), []secret.String{s, secret.New(u.EscapedPath()), secret.New(u.Path), secret.New(u.RawQuery)}, nil
}

// hookSecret is the name of the secret that an incoming webhook's address is.
const hookSecret = "WEBHOOK_URL" //nolint:gosec // its name, not its value

// noOptions are those of a channel that has none.
type noOptions struct{}

// receipt is that of a message that arrived under an id.
func receipt(id, address string, d *platform.Deps) platform.Receipt {
	return platform.Receipt{Parts: []platform.Remote{{ID: id, URL: address}}, At: d.Now()}
}
