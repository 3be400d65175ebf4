package board

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
)

// Detail renders a post for each of its accounts. r may be of an earlier board: the post is looked up by its path, and where
// that is gone, r is shown as it was. An error means that the ledger cannot be read.
func (b *Board) Detail(r *Row) (Detail, error) {
	if i, ok := indexOf(b.in.Site.Posts, r.Post.Path); ok {
		r = b.rows[i]
	}
	p := r.Shown()
	d := Detail{Row: r, Stale: r.Good != nil, Targets: make([]DetailTarget, 0, len(r.Targets))}
	for i := range r.Targets {
		account, ok := b.in.Site.Config.Account(r.Targets[i].Account.Name)
		if !ok || account.Platform != r.Targets[i].Account.Platform { // of an earlier configuration
			continue
		}
		info, _ := b.in.Registry.Info(account.Platform)
		t := DetailTarget{Target: r.Targets[i], Info: info, Rendered: b.in.Site.Render(p, account)}
		id := ledger.ID{Post: p.ID, Account: account.Name}
		if c := t.cycle; c != nil {
			t.Next = c.upcoming
			if !c.latest.IsZero() {
				id.Occurrence = plan.Occurrence(c.latest)
			}
		}
		var err error
		if t.Record, err = b.shelf.record(id); err != nil {
			return Detail{}, fmt.Errorf("read the record %s: %w", id, err)
		}
		if t.Record != nil && t.Record.State == ledger.Published {
			t.Differs = t.Record.Fingerprint != t.Rendered.Rendering.Fingerprint()
			switch {
			case t.Differs && t.State == Published:
				t.set(is(Changed, "what its file says has changed since"))
			case !t.Differs && t.State == Changed && t.Why == fileChanged:
				t.Why = "its file has changed since, but nothing of what is out"
			}
		}
		d.Targets = append(d.Targets, t)
	}
	d.Findings = append(b.in.Site.CheckPost(r.Post), findingsWith(findingsAt(b.in.Site.Findings, r.Post.Path), content.SameIDCode)...)
	if _, changed := b.own[r.Post.Path]; b.in.Checked && !changed { // the comparison with other posts is in there
		d.Findings = append(d.Findings, findingsWithout(findingsAt(b.in.Findings, r.Post.Path), content.SameIDCode)...)
	}
	d.Findings.Sort()
	return d, nil
}

func findingsWith(l finding.List, code finding.Code) finding.List {
	return slices.DeleteFunc(slices.Clone(l), func(f finding.Finding) bool { return f.Code != code })
}

func findingsWithout(l finding.List, code finding.Code) finding.List {
	return slices.DeleteFunc(slices.Clone(l), func(f finding.Finding) bool { return f.Code == code })
}

// Problems returns what is wrong, sorted; with severities, only what is of one of them. That is what the last whole check has found,
// but for posts that have changed since what is wrong with them by themselves. Before the first check it is what reading has
// found.
func (b *Board) Problems(sev ...finding.Severity) finding.List {
	all := b.problems()
	if len(sev) == 0 {
		return all
	}
	var list finding.List
	for i := range all {
		if slices.Contains(sev, all[i].Severity) {
			list = append(list, all[i])
		}
	}
	return list
}

func (b *Board) allProblems() finding.List {
	if !b.in.Checked || b.in.Of == b.in.Site {
		return b.found()
	}
	reconfigured := b.in.Of.Config != b.in.Site.Config
	var more finding.List
	list := make(finding.List, 0, len(b.in.Findings))
	stale := false // what the check has found about the file
	for i := range b.in.Findings {
		f := &b.in.Findings[i]
		if i == 0 || f.Path != b.in.Findings[i-1].Path {
			_, changed := b.own[f.Path]
			stale = changed || b.gone[f.Path] || reconfigured && f.Path == config.File
		}
		if !stale && f.Code != content.SameIDCode {
			list = append(list, *f)
		}
	}
	for _, own := range b.own {
		more = append(more, own...)
	}
	for i := range b.in.Site.Findings {
		if f := &b.in.Site.Findings[i]; f.Code == content.SameIDCode || reconfigured && f.Path == config.File {
			more = append(more, *f)
		}
	}
	more.Sort()
	return merge(list, more)
}

// merge returns two sorted lists as one, sorted.
func merge(a, b finding.List) finding.List {
	if len(b) == 0 {
		return a
	}
	all := make(finding.List, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := strings.Compare(a[0].Path, b[0].Path); {
		case c < 0:
			all, a = append(all, a[0]), a[1:]
		case c > 0:
			all, b = append(all, b[0]), b[1:]
		default:
			x, y := findingsAt(a, a[0].Path), findingsAt(b, b[0].Path)
			both := slices.Concat(x, y)
			both.Sort()
			all, a, b = append(all, both...), a[len(x):], b[len(y):]
		}
	}
	return append(append(all, a...), b...)
}
