package review

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/site"
)

// Repair is what is to stand instead of whole lines of a file, so that new findings are gone: what `postrider check --fix` would do.
type Repair struct {
	Path        string
	First, Last int          // the lines, from 1
	Old, New    string       // what stands there and what is to, without the last line break
	Findings    finding.List // what it mends
}

// Why says what a repair is for, in Markdown that mentions nobody.
func (r *Repair) Why() string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, fmt.Sprintf("**%s** %s: %s", f.Code, prose(f.Message), prose(f.Fix.Text)))
	}
	return strings.Join(lines, "\n\n")
}

// repairs works out which of the new findings can be mended in one way only.
func (m *maker) repairs(ctx context.Context) error {
	mended, err := m.Sides.After.Mend(ctx, m.out.New)
	if err != nil {
		return err
	}
	for i := range mended {
		m.out.Repairs = append(m.out.Repairs, repairsOf(&mended[i], m.out.New)...)
	}
	return nil
}

// repairsOf writes what fixes make of a file as lines; what they do to one line is one repair.
func repairsOf(f *site.Mended, found finding.List) (list []Repair) {
	for i := 0; i < len(f.Fixes); {
		first, last := linesOf(&f.Fixes[i])
		n := i + 1
		for ; n < len(f.Fixes); n++ {
			from, to := linesOf(&f.Fixes[n])
			if from > last {
				break
			}
			last = max(last, to)
		}
		group := f.Fixes[i:n]
		i = n
		out, _ := finding.Apply(f.Before, group)
		start, end := lineStart(f.Before, first), lineStart(f.Before, last+1)
		r := Repair{Path: f.Path, First: first, Last: last, Old: text(f.Before[start:end]), New: text(out[start : len(out)-(len(f.Before)-end)])}
		if secret.Line(r.Old) || secret.Mask(r.Old) != r.Old { // the whole line would be shown
			continue
		}
		for _, x := range found {
			if x.Path == f.Path && slices.Contains(group, x.Fix) {
				r.Findings.Add(x)
			}
		}
		// Of one mistake that is found for several accounts, one says enough.
		r.Findings = slices.CompactFunc(r.Findings, func(a, b finding.Finding) bool { return a.Fix == b.Fix && a.Code == b.Code })
		list = append(list, r)
	}
	return list
}

// linesOf returns the lines that a fix changes. One that ends where a line begins leaves that line alone, unless it puts something in there.
func linesOf(f *finding.Fix) (first, last int) {
	first, last = f.Range.Start.Line, f.Range.End.Line
	if last > first && f.Range.End.Column <= 1 {
		last--
	}
	return first, last
}

// lineStart returns where a line begins, the end of the file for those beyond it.
func lineStart(src []byte, line int) int {
	at := 0
	for ; line > 1; line-- {
		n := bytes.IndexByte(src[at:], '\n')
		if n < 0 {
			return len(src)
		}
		at += n + 1
	}
	return at
}

func text(lines []byte) string { return strings.TrimSuffix(string(lines), "\n") }

// repairs lists what can be mended in one way only, as far as it is not suggested at its lines.
func (w *writer) repairs() string {
	list := w.Repairs
	if w.o.Repairs != nil {
		list = *w.o.Repairs
	}
	if len(list) == 0 {
		return ""
	}
	const most = 20
	var b strings.Builder
	b.WriteString("\n### Can be mended in one way only\n\n`postrider check --fix` does:\n\n")
	for i := range list[:min(most, len(list))] {
		r := &list[i]
		fmt.Fprintf(&b, "- %s: %s\n", Code(fmt.Sprintf("%s:%d", r.Path, r.First)), r.change())
	}
	if len(list) > most {
		fmt.Fprintf(&b, "- and %d more\n", len(list)-most)
	}
	return b.String()
}

// change says in a line what a repair does.
func (r *Repair) change() string {
	line := func(text string) string { return Code(strings.ReplaceAll(text, "\n", " ⏎ ")) }
	if r.New == "" {
		return "without " + line(r.Old)
	}
	return line(r.Old) + " → " + line(r.New)
}
