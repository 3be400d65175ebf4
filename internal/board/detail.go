package board

import (
	"fmt"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
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
		if adapter, ok := b.in.Registry.Get(account.Platform); ok {
			t.Cost = platform.Sum(platform.CostOf(adapter, account, &t.Rendered.Rendering)...)
		}
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
				t.set(is(Changed, "its file has changed since, but nothing of what is out"))
			}
		}
		d.Targets = append(d.Targets, t)
	}
	d.Findings = append(b.in.Site.CheckPost(r.Post), findingsWith(findingsAt(b.in.Site.Findings, r.Post.Path), content.SameIDCode)...)
	if _, changed := b.own[r.Post.Path]; b.in.Check != nil && !changed { // the comparison with other posts is in there
		d.Findings = append(d.Findings, findingsWithout(b.in.Check.at(r.Post.Path), content.SameIDCode)...)
	}
	d.Findings.Sort()
	return d, nil
}
