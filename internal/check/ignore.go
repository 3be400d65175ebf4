package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/post"
)

// ignore is a directive in a file: <!-- postrider:ignore CODE reason -->.
type ignore struct {
	code  finding.Code
	path  string
	id    string
	place finding.Range
	fix   finding.Fix // takes it out
}

const directive = "postrider:"

func ignoreForm() Check {
	return Check{Doc: finding.Doc{
		Code: "F301", Title: "directive that is incomplete", Severity: finding.Warning, Since: "0.1.0",
		Why:  "A comment that begins with postrider: is meant for the program. To ignore a finding it needs a code and a reason, so that the next reader knows why.",
		Bad:  exampleIgnore("<!-- postrider:ignore M301 -->"),
		Good: exampleIgnore("<!-- postrider:ignore M301 the picture repeats the text -->"),
	}}
}

func ignoreStale() Check {
	return Check{Doc: finding.Doc{
		Code: "F302", Title: "ignore that ignores nothing", Severity: finding.Warning, Since: "0.1.0",
		Why:  "What it was written for is gone. Left there, it would hide the next mistake of the kind.",
		Bad:  exampleIgnore("<!-- postrider:ignore T302 our founder's word -->\n<!-- postrider:ignore M301 the picture repeats the text -->"),
		Good: exampleIgnore("<!-- postrider:ignore M301 the picture repeats the text -->"),
	}}
}

func ignoreForbidden() Check {
	return Check{Doc: finding.Doc{
		Code: "F303", Title: "finding that cannot be ignored", Severity: finding.Warning, Since: "0.1.0",
		Why:  "Only house rules and remarks can be ignored. A file that cannot be read, or a text that the network refuses, would still not go out.",
		Bad:  exampleIgnore("<!-- postrider:ignore T201 it is important -->\n<!-- postrider:ignore M301 the picture repeats the text -->"),
		Good: exampleIgnore("<!-- postrider:ignore M301 the picture repeats the text -->"),
	}}
}

func exampleIgnore(comment string) string {
	return "-- content/sled.md --\n---\nplatforms: [x]\n---\nThe sled is back.\n\n![](sled.png)\n\n" + comment + "\n"
}

// readIgnores collects a post's ignores and reports those that are no use.
func (p *Pass) readIgnores(x *post.Post) {
	for i := range x.Notes {
		n := &x.Notes[i]
		rest, ok := strings.CutPrefix(n.Text, directive)
		if !ok {
			continue
		}
		r := n.Range
		if r == (finding.Range{}) {
			r = x.Range(n.Span)
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 || fields[0] != "ignore" {
			p.report("F301", finding.Warning, x, r, "unknown directive", "write <!-- postrider:ignore CODE reason -->")
			continue
		}
		if len(fields) < 2 {
			p.report("F301", finding.Warning, x, r, "the ignore names no code", "write <!-- postrider:ignore CODE reason -->")
			continue
		}
		code := finding.Code(strings.ToUpper(fields[1]))
		switch {
		case !p.c.ignorable(code):
			p.report("F303", finding.Warning, x, r, fmt.Sprintf("%q cannot be ignored", fields[1]), "mend what it is about; these can be ignored: "+list(p.c.ignorableCodes()))
		case len(fields) < 3:
			p.report("F301", finding.Warning, x, r, fmt.Sprintf("the ignore of %s has no reason, so it does not count", code), "say after the code why it is right here")
		default:
			p.ignores = append(p.ignores, ignore{code, x.Path, x.ID, r, takenOut(x, n)})
		}
	}
}

// takenOut returns the fix that removes a comment with its line, the zero Fix where it shares that line with others, or divides what
// stands before from what comes after it.
func takenOut(x *post.Post, n *post.Note) finding.Fix {
	if n.Start >= n.End || n.End > len(x.Text) {
		return finding.Fix{}
	}
	start, end := n.Start, n.End
	start = strings.LastIndexByte(x.Text[:start], '\n') + 1
	after := len(x.Text)
	if i := strings.IndexByte(x.Text[end:], '\n'); i >= 0 {
		after = end + i + 1
	}
	before := x.Text[strings.LastIndexByte(x.Text[:max(0, start-1)], '\n')+1 : start]
	next, _, _ := strings.Cut(x.Text[after:], "\n")
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	if !blank(x.Text[start:n.Start]) || !blank(x.Text[end:after]) || !blank(before) && !blank(next) {
		return finding.Fix{}
	}
	l := finding.NewLocator([]byte(x.Text))
	fix, _ := l.Replace(l.Range(start, after), "", "remove the comment")
	return fix
}

func (c *Checker) ignorable(code finding.Code) bool {
	return slices.ContainsFunc(c.checks, func(k Check) bool { return k.Ignorable && k.Doc.Code == code })
}

func (c *Checker) online(code finding.Code) bool {
	return slices.ContainsFunc(c.checks, func(k Check) bool { return k.online && k.Doc.Code == code })
}

// compares reports whether only a comparison of posts finds a code.
func (c *Checker) compares(code finding.Code) bool {
	return slices.ContainsFunc(c.checks, func(k Check) bool { return k.cross != nil && k.Doc.Code == code })
}

func (c *Checker) ignorableCodes() (codes []string) {
	for i := range c.checks {
		if c.checks[i].Ignorable {
			codes = append(codes, string(c.checks[i].Doc.Code))
		}
	}
	return codes
}

// applyIgnores drops the findings that their files ignore and reports the ignores that drop nothing.
func (c *Checker) applyIgnores(list finding.List, ignores []ignore) finding.List {
	if len(ignores) == 0 {
		return list
	}
	used := make([]bool, len(ignores))
	at := map[string][]int{}
	for i, g := range ignores {
		at[g.path] = append(at[g.path], i)
	}
	list = slices.DeleteFunc(list, func(f finding.Finding) bool {
		for _, i := range at[f.Path] {
			if ignores[i].code == f.Code {
				used[i] = true
				return true
			}
		}
		return false
	})
	for i, g := range ignores {
		if c.online(g.code) || c.Partial && c.compares(g.code) { // links die and come back; the other post may not be here
			continue
		}
		if !used[i] {
			list.Add(finding.Finding{
				Code: "F302", Severity: finding.Warning, Path: g.path, Post: g.id, Range: g.place,
				Message: fmt.Sprintf("nothing here has the code %s", g.code), Hint: "remove the comment", Fix: g.fix,
			})
		}
	}
	return list
}
