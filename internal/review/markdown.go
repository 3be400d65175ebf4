package review

import (
	"cmp"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sergi/go-diff/diffmatchpatch"

	"github.com/postrider/postrider/internal/approval"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/site"
)

// Marker begins every comment that [Review.Markdown] writes, so that the next one finds it and takes its place.
const Marker = "<!-- postrider review -->"

// MarkerOf returns the marker of the site in a folder of its repository: several sites of one repository have comments of their own. The
// site at the top, whose folder is empty, has [Marker].
func MarkerOf(folder string) string {
	if folder == "" {
		return Marker
	}
	return "<!-- postrider review of " + strings.ReplaceAll(url.PathEscape(folder), "--", "-%2D") + " -->" // two hyphens may end an HTML comment
}

// MarkdownOptions say how a review is written.
type MarkdownOptions struct {
	// Limit is how many bytes it may take, 0 for as many as it does. What is left out is said: details of posts first, the list of
	// posts and what is wrong with them last. GitHub takes 65,536 characters in a comment.
	Limit int
	// Link returns the address at which people see a file of the site after the change, "" for none; nil: there are no links.
	Link func(path string) string
	// Pictures are shown with the posts of their paths.
	Pictures map[string]Picture
	// Attached is where people get pictures that the check of the branch has attached, for when Pictures shows none; "" for nowhere.
	Attached string
	// Folder is where the site is in its repository, "" at the top.
	Folder string
	// Base and Head name what was compared: branches, or commits.
	Base, Head string
	// Command is how the reader makes the review himself.
	Command string
	// Repairs, unless nil, are those that the comment lists instead of all: the others are suggested at their lines.
	Repairs *[]Repair
}

// Markdown writes the review for people, as a comment on a pull request. What comes from the site stands in code, where it mentions
// nobody and is no markup.
func (r *Review) Markdown(o MarkdownOptions) string {
	w := writer{Review: r, o: o}
	top, foot := w.top(), w.foot()
	var details []string
	for i := range r.Posts {
		details = append(details, w.post(&r.Posts[i]))
	}
	if o.Limit <= 0 {
		return top + strings.Join(details, "") + foot
	}
	room := o.Limit - len(top) - len(foot)
	const notice = 200
	for i, d := range details {
		rest := 0
		for _, more := range details[i+1:] {
			rest += len(more)
		}
		if len(d) > room || len(d)+rest > room && len(d) > room-notice {
			left := count(len(details)-i, "post")
			return w.cut(top+strings.Join(details[:i], "")+fmt.Sprintf("\n*The details of %s more do not fit here%s.*\n", left, w.see()), o.Limit-len(foot)) + foot
		}
		room -= len(d)
	}
	return w.cut(top+strings.Join(details, ""), o.Limit-len(foot)) + foot
}

// cut shortens a text to n bytes, at the end of a line.
func (w *writer) cut(text string, n int) string {
	notice := "\n*The rest does not fit here" + strings.Replace(w.see(), "them", "it", 1) + ".*\n"
	if len(text) <= n {
		return text
	}
	text = text[:max(0, n-len(notice))]
	return text[:strings.LastIndexByte(text, '\n')+1] + notice
}

type writer struct {
	*Review
	o MarkdownOptions
}

func (w *writer) see() string {
	if w.o.Command == "" {
		return ""
	}
	return ": " + Code(w.o.Command) + " shows them"
}

// top is what nobody should miss: what merging does, and what is wrong.
func (w *writer) top() string {
	var b strings.Builder
	b.WriteString(MarkerOf(w.o.Folder) + "\n## What merging this does")
	if w.o.Folder != "" {
		b.WriteString(" in " + Code(w.o.Folder))
	}
	b.WriteString("\n\n")
	b.WriteString(w.Summary() + "\n")
	if len(w.Posts) > 0 {
		b.WriteString("\n| post | | on merge |\n|---|---|---|\n")
		for i := range w.Posts {
			p := &w.Posts[i]
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(w.name(p)), p.Kind, cell(strings.Join(w.effects(p), "<br>")))
		}
	}
	b.WriteString(w.attached())
	b.WriteString(w.bills())
	b.WriteString(w.list("New findings", w.New))
	b.WriteString(w.repairs())
	b.WriteString(w.list("Findings that are gone", w.Fixed))
	if w.Standing > 0 {
		fmt.Fprintf(&b, "\n%s in these posts %s there before.\n", count(w.Standing, "finding"), map[bool]string{true: "was", false: "were"}[w.Standing == 1])
	}
	return b.String()
}

// Summary says in a sentence what merging does.
func (r *Review) Summary() string {
	if len(r.Posts) == 0 {
		if e := r.New.Count(finding.Error); r.Config && e > 0 {
			return fmt.Sprintf("Nothing goes out while `site.yaml` has errors · **%s**.", count(e, "new error"))
		}
		if r.Config {
			return "`site.yaml` changes, and no post looks or goes out differently."
		}
		return "No post changes."
	}
	n := map[Verb]int{}
	for i := range r.Posts {
		for k := range r.Posts[i].Targets {
			n[r.Posts[i].Targets[k].Effect.Verb]++
		}
	}
	parts := []string{fmt.Sprintf("**%s** %s", count(len(r.Posts), "post"), map[bool]string{true: "changes", false: "change"}[len(r.Posts) == 1])}
	noun := map[bool]string{true: "delivery ", false: "deliveries "} // said once
	for _, line := range []struct {
		verb      Verb
		one, many string
	}{
		{Publish, "goes out **at once**", "go out **at once**"},
		{Schedule, "goes out at its time", "go out at their times"},
		{Update, "edits what is out", "edit what is out"},
		{Withdraw, "takes down what is out", "take down what is out"},
		{Wait, "waits", "wait"},
	} {
		if n[line.verb] > 0 {
			text := line.many
			if n[line.verb] == 1 {
				text = line.one
			}
			parts = append(parts, fmt.Sprintf("%d %s%s", n[line.verb], noun[n[line.verb] == 1], text))
			noun = nil
		}
	}
	most := 0
	for i := range r.Posts {
		for k := range r.Posts[i].Targets {
			if t := &r.Posts[i].Targets[k]; !t.Same {
				most = max(most, t.Approval)
			}
		}
	}
	if most > 0 {
		parts = append(parts, fmt.Sprintf("needs approval by **%s**", approval.People(most)))
	}
	if e := r.New.Count(finding.Error); e > 0 {
		parts = append(parts, fmt.Sprintf("**%s**", count(e, "new error")))
	}
	if e := r.New.Count(finding.Warning); e > 0 {
		parts = append(parts, count(e, "new warning"))
	}
	return strings.Join(parts, " · ") + "."
}

// Status is the summary as plain text, for where there is a line.
func (r *Review) Status() string { return strings.NewReplacer("**", "", "`", "").Replace(r.Summary()) }

// name is a post with its file.
func (w *writer) name(p *Post) string {
	file := Code(p.Path)
	if w.o.Link != nil && p.Kind != Removed {
		if address := w.o.Link(p.Path); address != "" {
			file = fmt.Sprintf("[%s](<%s>)", file, address)
		}
	}
	if p.Was != "" {
		file += "<br>was " + Code(p.Was)
	}
	if p.Title == "" {
		return file
	}
	return "**" + Inert(p.Title) + "**<br>" + file
}

// effects are the lines that say what happens to a post, each with the accounts that it is true of.
func (w *writer) effects(p *Post) []string {
	if len(p.Targets) == 0 {
		return []string{"it goes nowhere"}
	}
	var lines []string
	accounts := map[string][]string{}
	for _, say := range [...]func(*Target) string{w.effect, w.tokenLine} {
		for i := range p.Targets {
			t := &p.Targets[i]
			line := say(t)
			if line == "" {
				continue
			}
			if accounts[line] == nil {
				lines = append(lines, line)
			}
			accounts[line] = append(accounts[line], Code(t.Account))
		}
	}
	for i, line := range lines {
		lines[i] = line + ": " + strings.Join(accounts[line], ", ")
	}
	return lines
}

// effect says what merging does to a target, and what that takes.
func (w *writer) effect(t *Target) string {
	switch text := w.verb(t); {
	case t.Approval == 0:
		return text
	case t.Same:
		return fmt.Sprintf("%s, if %s approved what it says, which this does not change", text, approval.Have(t.Approval))
	case t.Approval == 1:
		return text + ", if one person approves this"
	default:
		return fmt.Sprintf("%s, if %s approve this", text, approval.People(t.Approval))
	}
}

func (w *writer) verb(t *Target) string {
	switch e := &t.Effect; e.Verb {
	case Publish:
		return "**goes out at once**"
	case Schedule:
		if e.Why != "" {
			return "goes out " + w.both(e.At) + ", " + prose(e.Why)
		}
		return "goes out " + w.both(e.At)
	case Update:
		return "**edits what is out**"
	case Withdraw:
		return "**takes down what is out**"
	case Wait:
		return "waits (" + prose(e.Why) + ")"
	default:
		return cmp.Or(prose(e.Why), "nothing")
	}
}

// both writes a time as the site's clocks show it, and in UTC.
func (w *writer) both(t time.Time) string {
	local := clockTime(t, w.Location)
	utc := t.UTC().Format("15:04 UTC")
	if t.UTC().YearDay() != t.In(w.Location).YearDay() {
		utc = clockTime(t, time.UTC)
	}
	if strings.HasSuffix(local, " UTC") {
		return local
	}
	return local + " (" + utc + ")"
}

// list writes findings, the worst first.
func (w *writer) list(title string, l finding.List) string {
	if len(l) == 0 {
		return ""
	}
	const most = 30
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(a, b finding.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n", title)
	for i := range l {
		if i == most {
			fmt.Fprintf(&b, "- and %d more\n", len(l)-most)
			break
		}
		f := &l[i]
		place := f.Path
		if f.Range.Start.Line > 0 {
			place = fmt.Sprintf("%s:%d", f.Path, f.Range.Start.Line)
		}
		fmt.Fprintf(&b, "- **%s** %s %s: %s", f.Severity, f.Code, Code(place), prose(f.Message))
		if f.Account != "" {
			fmt.Fprintf(&b, " (%s)", Code(f.Account))
		}
		if f.Hint != "" {
			fmt.Fprintf(&b, ". *%s*", prose(f.Hint))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// group is what some accounts get alike, but for what stands beside it.
type group struct {
	before, after version
	targets       []*Target
}

// version is what a group gets on one side of the change.
type version struct {
	body   string
	beside [][]string // target by target
}

// text writes a version: what stands beside it for some of the accounts only has their names.
func (v *version) text(targets []*Target) string {
	var lines []string
	accounts := map[string][]string{}
	for i, own := range v.beside {
		for _, line := range own {
			if accounts[line] == nil {
				lines = append(lines, line)
			}
			accounts[line] = append(accounts[line], targets[i].Account)
		}
	}
	var b strings.Builder
	b.WriteString(v.body)
	for _, line := range lines {
		whose := ""
		if len(accounts[line]) < len(targets) {
			whose = strings.Join(accounts[line], ", ") + " · "
		}
		b.WriteString("[" + whose + strings.ReplaceAll(line, "\n", " ") + "]\n")
	}
	return b.String()
}

func (v *version) add(r *site.Rendered) {
	var beside []string
	if r != nil {
		_, beside = transcript(&r.Rendering)
	}
	v.beside = append(v.beside, beside)
}

func body(r *site.Rendered) string {
	if r == nil {
		return ""
	}
	text, _ := transcript(&r.Rendering)
	return text
}

// post writes what each account gets, accounts that get the same together.
func (w *writer) post(p *Post) string {
	var groups []*group
	for i := range p.Targets {
		t := &p.Targets[i]
		before, after := body(t.Before), body(t.After)
		at := slices.IndexFunc(groups, func(g *group) bool {
			first := g.targets[0]
			return g.before.body == before && g.after.body == after && (first.Before == nil) == (t.Before == nil) && (first.After == nil) == (t.After == nil)
		})
		if at < 0 {
			at = len(groups)
			groups = append(groups, &group{before: version{body: before}, after: version{body: after}})
		}
		g := groups[at]
		g.targets = append(g.targets, t)
		g.before.add(t.Before)
		g.after.add(t.After)
	}
	var b strings.Builder
	for _, line := range timing(p) {
		fmt.Fprintf(&b, "\n%s\n", line)
	}
	b.WriteString(w.picture(p))
	for _, g := range groups {
		b.WriteString(w.group(g))
	}
	if b.Len() == 0 { // it goes nowhere, which stands in the table
		return ""
	}
	return fmt.Sprintf("\n### %s\n", cmp.Or(Inert(p.Title), Code(p.Path))) + b.String()
}

// timing says what changes besides the text, once for all accounts that it changes for alike.
func timing(p *Post) []string {
	var lines []string
	accounts := map[string][]string{}
	for i := range p.Targets {
		t := &p.Targets[i]
		for _, s := range t.Timing {
			line := fmt.Sprintf("%s: %s → %s", Code(s.Name), Code(cmp.Or(s.Before, "none")), Code(cmp.Or(s.After, "none")))
			if accounts[line] == nil {
				lines = append(lines, line)
			}
			accounts[line] = append(accounts[line], Code(t.Account))
		}
	}
	for i, line := range lines {
		if len(accounts[line]) < len(p.Targets) {
			lines[i] = line + " for " + strings.Join(accounts[line], ", ")
		}
	}
	return lines
}

func (w *writer) group(g *group) string {
	var heads []string // as HTML: Markdown is not read in there
	for _, t := range g.targets {
		head := "<code>" + html.EscapeString(t.Account) + "</code>"
		if t.After != nil {
			if meter := meters(&t.After.Rendering); meter != "" {
				head += " " + meter
			}
		}
		heads = append(heads, head)
	}
	before, after := g.before.text(g.targets), g.after.text(g.targets)
	open, what, body := " open", "", fence("text", after)
	switch first := g.targets[0]; {
	case first.After == nil:
		open, what, body = "", "no longer goes there", fence("text", before)
	case first.Before == nil:
		what = "new"
	case before != after:
		what, body = "changes", fence("diff", difference(before, after))
	case slices.ContainsFunc(g.targets, func(t *Target) bool { return !t.Same }):
		what = "changes in something that cannot be seen here"
	default:
		open, what = "", "as before"
	}
	return fmt.Sprintf("\n<details%s><summary>%s · %s</summary>\n\n%s\n</details>\n", open, strings.Join(heads, ", "), what, body)
}

// meters says how long the parts are by the network's own rule: "221/300".
func meters(r *platform.Rendering) string {
	var parts []string
	for i := range r.Parts {
		p := &r.Parts[i]
		if p.Max > 0 {
			parts = append(parts, fmt.Sprintf("%d/%d", p.Used, p.Max))
		}
	}
	return strings.Join(parts, " + ")
}

// difference writes the lines of two texts, marked with what goes and what comes.
func difference(before, after string) string {
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // the same texts have the same difference, on a slow machine too
	x, y, lines := dmp.DiffLinesToRunes(before, after)
	var b strings.Builder
	for _, d := range dmp.DiffCharsToLines(dmp.DiffMainRunes(x, y, false), lines) {
		mark := map[diffmatchpatch.Operation]string{diffmatchpatch.DiffDelete: "-", diffmatchpatch.DiffEqual: " ", diffmatchpatch.DiffInsert: "+"}[d.Type]
		for line := range strings.SplitSeq(strings.TrimSuffix(d.Text, "\n"), "\n") {
			b.WriteString(mark + line + "\n")
		}
	}
	return b.String()
}

// foot says what was compared, and names each rendering by its fingerprint, as far as a quarter of the room is enough for them.
func (w *writer) foot() string {
	var b strings.Builder
	b.WriteString("\n---\n")
	if w.o.Base != "" {
		fmt.Fprintf(&b, "%s compared with %s, %s. ", Code(w.o.Head), Code(w.o.Base), w.both(w.At))
	}
	var list strings.Builder
	left := 0
	for i := range w.Posts {
		for k := range w.Posts[i].Targets {
			t := &w.Posts[i].Targets[k]
			if t.Fingerprint == "" {
				continue
			}
			line := fmt.Sprintf("%s %s %s\n", t.Fingerprint, w.Posts[i].ID, t.Account)
			if left > 0 || w.o.Limit > 0 && list.Len()+len(line) > w.o.Limit/4 {
				left++
				continue
			}
			list.WriteString(line)
		}
	}
	if list.Len() == 0 && left == 0 {
		return b.String() + "\n"
	}
	b.WriteString("What is shown here is what is sent: each rendering has a fingerprint.\n\n<details><summary>Fingerprints</summary>\n\n")
	if list.Len() > 0 {
		b.WriteString(fence("text", list.String()))
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n*%d more %s not fit here: `postrider review --json` has all.*\n", left, map[bool]string{true: "does", false: "do"}[left == 1])
	}
	b.WriteString("\n</details>\n")
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
