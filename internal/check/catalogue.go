package check

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plaintext"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/rules"
)

// Documenter is implemented by adapters whose renderings come with findings of their own.
type Documenter interface {
	// Docs returns the documentation of the codes that only this adapter reports.
	Docs() []finding.Doc
}

// Catalogue returns the documentation of every finding about content and configuration, whoever reports it, sorted by code.
func Catalogue(reg *platform.Registry) []finding.Doc {
	all := slices.Concat(content.Docs(), config.Docs(), plaintext.Docs(), rules.Docs())
	for _, c := range All() {
		all = append(all, c.Doc)
	}
	for _, a := range reg.All() {
		if d, ok := a.(Documenter); ok {
			all = append(all, d.Docs()...)
		}
	}
	slices.SortStableFunc(all, func(a, b finding.Doc) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}

// Explain returns the documentation of one code, in whatever case.
func Explain(reg *platform.Registry, code string) (finding.Doc, bool) {
	for _, d := range Catalogue(reg) {
		if strings.EqualFold(string(d.Code), code) {
			return d, true
		}
	}
	return finding.Doc{}, false
}

// WriteMarkdown writes the catalogue as docs/CHECKS.md, which a test of package site compares.
func WriteMarkdown(w io.Writer, docs []finding.Doc) error {
	b := bufio.NewWriter(w)
	b.WriteString(`# Findings

Everything that ` + "`postrider check`" + ` can find, by code. ` + "`postrider explain CODE`" + ` prints the same.
This page is generated from the checks' own documentation; a test keeps it current.

An *error* keeps the post, or the one account it names, from going out. A *warning* is probably not what the writer wants.
An *info* is worth knowing. A file can ignore the codes marked so, with a reason:

` + "```markdown\n<!-- postrider:ignore CODE the reason -->\n```\n\nWhat can be mended in one way only, `postrider check --fix` mends.\n\n")
	b.WriteString("| code | | what | can be ignored |\n|---|---|---|---|\n")
	ignorable := map[finding.Code]bool{}
	for _, c := range All() {
		ignorable[c.Doc.Code] = c.Ignorable
	}
	for _, d := range docs {
		mark := ""
		if ignorable[d.Code] {
			mark = "yes"
		}
		b.WriteString("| [" + string(d.Code) + "](#" + anchor(d) + ") | " + d.Severity.String() + " | " + d.Title + " | " + mark + " |\n")
	}
	group := byte(0)
	for _, d := range docs {
		if len(d.Code) > 0 && d.Code[0] != group {
			group = d.Code[0]
			b.WriteString("\n# " + groupTitle(group) + "\n")
		}
		b.WriteString("\n" + d.Markdown())
	}
	return b.Flush()
}

// anchor returns the name that GitHub and Gitea give the heading of a code.
func anchor(d finding.Doc) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || wordRune(r):
			return r
		default:
			return -1
		}
	}, strings.ToLower(string(d.Code)+" "+d.Title))
}

func groupTitle(letter byte) string {
	switch letter {
	case 'B':
		return "Body"
	case 'C':
		return "Campaigns and references"
	case 'D':
		return "Dates and schedule"
	case 'F':
		return "File and front matter"
	case 'K':
		return "Link cards"
	case 'L':
		return "Links, when they are asked"
	case 'M':
		return "Media"
	case 'P':
		return "One platform's rules"
	case 'R':
		return "Results and publishing"
	case 'S':
		return "site.yaml"
	case 'T':
		return "Text as a network shows it"
	default:
		return "Others"
	}
}
