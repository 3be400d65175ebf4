package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/review"
)

// A summary must stay below [summaryLimit], whatever went wrong: so long is a table of it in bytes, and a cell or an address in code points.
const (
	maxSummaryTable = 400_000
	maxSummaryCell  = 600
)

// summaryCell writes a text of anybody's as a cell of a table.
func summaryCell(text string) string {
	text = oneLine(text)
	if r := []rune(text); len(r) > maxSummaryCell {
		text = string(r[:maxSummaryCell-1]) + "…"
	}
	return review.Inert(text)
}

// summaryLink writes an address that a network gave as a link, and anything else as text.
func summaryLink(text, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(address) > maxSummaryCell {
		return summaryCell(text)
	}
	safe := strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", `\`, "%5C", " ", "%20").Replace(u.String())
	return "[" + summaryCell(text) + "](<" + safe + ">)"
}

// summaryTable is a table with as many rows as a summary has room for.
type summaryTable struct {
	head string
	rows strings.Builder
	left int
}

func (t *summaryTable) row(cells ...string) {
	row := "| " + strings.Join(cells, " | ") + " |\n"
	if t.left > 0 || t.rows.Len()+len(row) > maxSummaryTable {
		t.left++
		return
	}
	t.rows.WriteString(row)
}

// String returns the table, and nothing when it has no rows.
func (t *summaryTable) String() string {
	if t.rows.Len() == 0 {
		return ""
	}
	columns := strings.Count(t.head, "|") - 1
	text := "\n" + t.head + "\n|" + strings.Repeat("---|", columns) + "\n" + t.rows.String()
	if t.left > 0 {
		text += fmt.Sprintf("\n… and %d more.\n", t.left)
	}
	return text
}

// outcomePublished is the outcome of a delivery that is out now.
const outcomePublished = "published"

// tally counts how the deliveries of a run ended: what is out, what is not, and what nobody knows yet.
type tally struct{ published, changed, failed, unknown int }

func tallyOf(r *publish.Report) (t tally) {
	for i := range r.Deliveries {
		switch d := &r.Deliveries[i]; {
		case d.Outcome == outcomePublished:
			t.published++
		case d.OK():
			t.changed++
		case d.Outcome == platform.Unknown.String():
			t.unknown++
		default:
			t.failed++
		}
	}
	return t
}

// publishNames are the names of the outputs of a run, in their order.
var publishNames = [...]string{"published", "failed", "unknown", "urls"}

// publishOutputs returns what later steps learn of a run.
func publishOutputs(r *publish.Report) []output {
	urls := []string{}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		if d.Outcome == outcomePublished && len(d.Parts) > 0 && d.Parts[0].URL != "" {
			urls = append(urls, d.Parts[0].URL)
		}
	}
	t := tallyOf(r)
	values := [len(publishNames)]string{strconv.Itoa(t.published), strconv.Itoa(t.failed), strconv.Itoa(t.unknown), jsonLine(urls)}
	var list []output
	for i, name := range publishNames {
		list = append(list, output{name, values[i]})
	}
	return list
}

// sum writes what a run did where the CI service shows it and takes it from.
func (r *results) sum(report *publish.Report) {
	r.say(publishSummary(report))
	r.give(publishOutputs(report))
}

// publishSummary says in Markdown what a run did, and what waits for a person.
func publishSummary(r *publish.Report) string {
	var b strings.Builder
	var counts []string
	t := tallyOf(r)
	for _, c := range []struct {
		n    int
		word string
	}{{t.published, "published"}, {t.changed, "changed"}, {t.failed, "failed"}, {t.unknown, "unknown"}} {
		if c.n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	fmt.Fprintf(&b, "### Postrider: %s\n", cmp.Or(strings.Join(counts, ", "), "nothing to send"))
	if r.RecordErr != nil {
		fmt.Fprintf(&b, "\n**The results could not be pushed:** %s\n", summaryCell(r.RecordErr.Error()))
	}
	deliveries := summaryTable{head: "| | post | account | |"}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		outcome := d.Outcome
		if !d.OK() {
			outcome = "**" + outcome + "**"
		}
		var what []string
		if len(d.Parts) > 0 {
			what = append(what, summaryLink(cmp.Or(d.Parts[0].URL, d.Parts[0].ID), d.Parts[0].URL))
		}
		if d.Err != nil {
			what = append(what, summaryCell(d.Err.Error()))
			if hint := hintOf(d, ""); hint != "" {
				what = append(what, summaryCell(hint))
			}
		}
		deliveries.row(outcome, summaryCell(cmp.Or(d.Title, d.Path)), summaryCell(d.Account), strings.Join(what, "<br>"))
	}
	b.WriteString(deliveries.String())
	waiting := summaryTable{head: "| waits for a person | post | account | |"}
	quiet := 0
	for i := range r.Waiting {
		w := &r.Waiting[i]
		if !needsPerson(w, r.At) {
			quiet++
			continue
		}
		waiting.row("**"+string(w.State)+"**", summaryCell(cmp.Or(w.Title, w.Path)), summaryCell(w.Account), summaryCell(w.Reason))
	}
	b.WriteString(waiting.String())
	b.WriteString(restOf(r.Waiting, quiet))
	return b.String()
}

// restOf says how many deliveries wait by themselves, and what goes out next.
func restOf(all []plan.Waiting, quiet int) string {
	if quiet == 0 {
		return ""
	}
	text := fmt.Sprintf("\n%s for a time or a condition.", waits(quiet))
	if next := sortedByTime(all); len(next) > 0 {
		text += fmt.Sprintf(" Next: %s on %s, %s.", summaryCell(cmp.Or(next[0].Title, next[0].Path)), summaryCell(next[0].Account), clockTime(next[0].Until))
	}
	return text + "\n"
}

func waits(n int) string {
	if n == 1 {
		return "1 delivery waits"
	}
	return fmt.Sprintf("%d deliveries wait", n)
}

// checkSummary says in Markdown what check has found.
func checkSummary(l finding.List, posts, remarks int) string {
	table := summaryTable{head: "| | where | what |"}
	for i := range l {
		f := &l[i]
		if f.Severity == finding.Info {
			continue
		}
		where := f.Path
		if f.Range.Start.Line > 0 {
			where += ":" + strconv.Itoa(f.Range.Start.Line)
		}
		what := f.Message
		if f.Hint != "" {
			what += " (" + f.Hint + ")"
		}
		table.row(fmt.Sprintf("%s %s", f.Severity, f.Code), summaryCell(where), summaryCell(what))
	}
	return "### Postrider: " + summary(l, posts, remarks) + "\n" + table.String()
}
