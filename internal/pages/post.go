package pages

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/card"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// target is one account of a post on its page.
type target struct {
	*ctx
	board.DetailTarget
	Anchor   string
	At       Stamp
	Next     Stamp
	Zone     Stamp // At in the zone that the post is written in, when that is not the site's
	Card     card.View
	Findings finding.List
	Payload  string
	Print    string // the fingerprint
	Attempts []attempt
	Links    []string
	Diff     template.HTML // how what is out differs from the file; empty when it does not
	OutAt    Stamp
	Lines    int // how many lines of the file are on the page
}

// attempt is a try to deliver.
type attempt struct {
	ledger.Attempt
	When Stamp
}

// post is the page of one post: every target as its network shows it.
func (m *maker) post(id string) {
	r, ok := m.board.Row(id)
	if !ok || id != r.Post.ID && id != r.Shown().ID { // a path is no address
		m.missing(fmt.Sprintf("There is no post %q. It may have been renamed or removed, or its file may be on another branch.", id))
		return
	}
	d, err := m.board.Detail(r)
	if err != nil {
		m.err = err
		return
	}
	m.page.Title, m.page.Nav, m.page.Wide, m.page.Post = r.Name, "Posts", true, r.Post.Path
	head := struct {
		*ctx
		board.Detail
		When     Stamp
		Problems int // errors and warnings
		Movable  bool
	}{ctx: m.ctx, Detail: d, Movable: m.movable(r), When: m.At(r.At), Problems: d.Findings.Count(finding.Error) + d.Findings.Count(finding.Warning)}
	m.add("post-head", "post-head", head)
	file := m.source(&d)
	for i := range d.Targets {
		t := m.target(&d.Targets[i], d.Row.Shown().LinkCard)
		t.Lines = len(file.Lines)
		m.add("target-"+t.Account.Name, "post-target", t)
	}
	m.add("source", "post-source", file)
	m.move(r)
}

func (m *maker) target(t *board.DetailTarget, page *post.LinkCard) target {
	rendering := &t.Rendered.Rendering
	v := target{
		ctx: m.ctx, DetailTarget: *t, Anchor: "on-" + t.Account.Name, At: m.At(t.At), Next: m.At(t.Next), Findings: t.Rendered.Findings, Print: rendering.Fingerprint(),
		Card: card.New(rendering, card.Input{
			Info: t.Info, Account: t.Account, Name: m.SiteTitle(), Handle: option(t.Account, "handle"), Server: option(t.Account, "server"), At: t.At, Location: m.Location(),
			MediaURL: m.Media, Page: page, Decorative: decorative(&t.Rendered.Variant),
		}),
	}
	if z := t.At.Location(); !t.At.IsZero() && z.String() != m.Location().String() {
		v.Zone = m.stamp(t.At)
	}
	if b, err := json.MarshalIndent(rendering, "", "  "); err == nil {
		v.Payload = string(b)
	}
	if slices.ContainsFunc(v.Findings, func(f finding.Finding) bool { return v.Why == string(f.Code)+": "+f.Message }) {
		v.Why = "" // it stands just below
	}
	if rec := t.Record; rec != nil {
		v.OutAt = m.At(rec.PublishedAt)
		for _, a := range rec.Attempts {
			v.Attempts = append(v.Attempts, attempt{a, m.At(a.Started)})
		}
		o := m.outcomes([]*ledger.Record{rec})
		v.Links = o[0].Links
		if !rec.PublishedAt.IsZero() && rec.Fingerprint != "" && rec.Fingerprint != v.Print {
			v.Diff = difference(textOf(rec.Parts, func(p ledger.Part) string { return p.Text }), textOf(rendering.Parts, func(p platform.Part) string { return p.Text }))
		}
	}
	return v
}

// decorative returns the files that a post calls mere decoration, with an empty description.
func decorative(v *post.Variant) map[string]bool {
	list := map[string]bool{}
	for _, media := range v.PartMedia {
		for i := range media {
			if m := &media[i]; m.HasAlt && m.Alt == "" {
				list[m.Path] = true
			}
		}
	}
	return list
}

// line is a line of a post's file, with what is wrong on it.
type line struct {
	N        int
	Text     string
	Findings finding.List
	Worst    string // the worst severity on it
}

// A post's page shows so many lines of its file, and so many bytes.
const sourceMax, sourceBytes = 400, 40_000

// source is a post's file with the findings beside the lines that cause them.
type source struct {
	*ctx
	Path   string
	Lines  []line
	Cut    bool         // there are more lines
	Beyond finding.List // about lines that are not shown
	// Withheld says that the lines are empty: they are not for this viewer.
	Withheld bool
}

func (m *maker) source(d *board.Detail) source {
	byLine := map[int]finding.List{}
	for _, f := range d.Findings {
		n := max(1, f.Range.Start.Line)
		byLine[n] = append(byLine[n], f)
	}
	v := source{ctx: m.ctx, Path: d.Row.Post.Path}
	text := strings.TrimSuffix(d.Row.Post.Text, "\n")
	if v.Withheld = m.Withheld[v.Path]; v.Withheld {
		text = strings.Repeat("\n", strings.Count(text, "\n")) // findings stand beside their lines all the same
	}
	left := sourceBytes
	for s := range strings.SplitSeq(text, "\n") {
		if left -= len(s); len(v.Lines) == sourceMax || left < 0 {
			v.Cut = true
			break
		}
		n := len(v.Lines) + 1
		l := line{N: n, Text: strings.TrimSuffix(s, "\r"), Findings: byLine[n]}
		for _, f := range l.Findings {
			if l.Worst == "" || f.Severity == finding.Error {
				l.Worst = f.Severity.String()
			}
		}
		delete(byLine, n)
		v.Lines = append(v.Lines, l)
	}
	for _, f := range d.Findings {
		if _, left := byLine[max(1, f.Range.Start.Line)]; left {
			v.Beyond = append(v.Beyond, f)
		}
	}
	return v
}

func (m *maker) movable(r *board.Row) bool { return m.CanWrite() && r.Fixed() == "" }

// move is the form that gives a post a new time.
func (m *maker) move(r *board.Row) {
	if !m.movable(r) {
		return
	}
	at := m.At(r.At)
	if at.Zero() {
		at = m.At(m.in.Now.Add(time.Hour).Truncate(time.Hour))
	}
	m.add("move", "post-move", struct {
		*ctx
		Row  *board.Row
		When Stamp
	}{m.ctx, r, at})
}
