package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// Adoption is a post that may be marked as out on an account without being sent: another tool has sent it, or a
// ledger that was lost.
type Adoption struct {
	plan.Target
	Occurrence string
	// Parts is where it is, once it was found or somebody has told; empty when nobody knows.
	Parts []platform.Remote
	At    time.Time // when it went out, zero when nobody knows
	// Err is why it was not found: [platform.ErrNotFound] when the network has proved that it is not there.
	Err error

	record    *ledger.Record // what the ledger has of it, nil for nothing
	rendering *platform.Rendering
}

// ID returns the id of the record that it gets.
func (a *Adoption) ID() ledger.ID {
	return ledger.ID{Post: a.Post, Account: a.Account, Occurrence: a.Occurrence}
}

// Adoptable returns what may be adopted, in the plan's order: what is due and has no record, or waits because it is
// late or from before the ledger began. Nothing that was ever begun is among it: what became of that is known, or is found out.
func (d *Desk) Adoptable() ([]Adoption, error) {
	p, err := d.Plan(d.Now())
	if err != nil {
		return nil, err
	}
	view, err := d.Ledger.View()
	if err != nil {
		return nil, err
	}
	var list []Adoption
	add := func(t plan.Target, occurrence string, asked bool) error {
		a := Adoption{Target: t, Occurrence: occurrence}
		if a.record, err = view.Record(a.ID()); err != nil {
			return err
		}
		if r := a.record; r != nil && (!asked || r.Lease != nil || len(r.Parts) > 0 || r.State == ledger.Sending || r.State == ledger.Unknown || r.State.Settled()) {
			return nil
		}
		if !t.Due.After(p.At) {
			list = append(list, a)
		}
		return nil
	}
	for i := range p.Actions {
		if x := &p.Actions[i]; x.Verb == plan.Publish {
			if err := add(x.Target, x.Occurrence, false); err != nil {
				return nil, err
			}
		}
	}
	for i := range p.Waiting {
		w := &p.Waiting[i]
		switch w.State {
		case plan.WaitDraft, plan.WaitScheduled, plan.WaitWithdrawn, plan.WaitOrphan:
			continue
		}
		if err := add(w.Target, w.Occurrence, w.State == plan.WaitLate || w.State == plan.WaitFirstRun); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b Adoption) int {
		return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.Path, b.Path), strings.Compare(a.Account, b.Account), strings.Compare(a.Occurrence, b.Occurrence))
	})
	return list, nil
}

// FindAdoptions asks the networks where posts are, accounts side by side, and notes the answers in the list. done is called after
// each, by several goroutines. The error is that of an account which cannot be opened: then nothing was asked.
func (d *Desk) FindAdoptions(ctx context.Context, list []Adoption, done func()) error {
	site, err := d.SiteAt(d.Commit)
	if err != nil {
		return err
	}
	byAccount := map[string][]*Adoption{}
	publishers := map[string]platform.Publisher{}
	for i := range list {
		name := list[i].Account
		if byAccount[name] == nil && list[i].Caps.Has(platform.CanFind) {
			if publishers[name], err = d.publisher(site, name); err != nil {
				return err
			}
		}
		byAccount[name] = append(byAccount[name], &list[i])
	}
	var wg sync.WaitGroup
	var ledgerMu sync.Mutex // the ledger is for one goroutine at a time
	for name, adoptions := range byAccount {
		wg.Go(func() {
			var taken []string // by adoptions before: two posts that say the same are two posts
			for _, a := range adoptions {
				a.Err = d.findAdoption(ctx, site, publishers[name], a, taken, &ledgerMu)
				for _, p := range a.Parts {
					taken = append(taken, p.ID)
				}
				done()
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func (d *Desk) findAdoption(ctx context.Context, site Site, publisher platform.Publisher, a *Adoption, taken []string, ledgerMu *sync.Mutex) (err error) {
	finder, ok := publisher.(platform.Finder)
	if !ok {
		return fmt.Errorf("%s cannot be asked what is out", a.Platform)
	}
	if a.rendering, err = site.Render(a.Path, a.Account); err != nil {
		return err
	}
	since := d.Now().Add(-lostTime)
	if !a.Due.IsZero() {
		since = a.Due
	}
	attempt := platform.Attempt{Key: a.ID().Key(), At: d.Now(), N: 1, Since: since.Add(-clockError)}
	ledgerMu.Lock()
	attempt.Owned, err = d.Ledger.Owned(d.Ledger.Tip(), a.ID(), a.Said, attempt.Since)
	ledgerMu.Unlock()
	if err != nil {
		return err
	}
	attempt.Owned = append(attempt.Owned, taken...)
	ctx, cancel := context.WithTimeout(ctx, deliveryTime)
	defer cancel()
	receipt, err := finder.Find(ctx, a.rendering, attempt)
	switch {
	case err != nil:
		return err
	case len(receipt.Parts) < len(a.rendering.Parts):
		return fmt.Errorf("only %d of its %d parts are there", len(receipt.Parts), len(a.rendering.Parts))
	}
	a.Parts, a.At = receipt.Parts, receipt.At
	return nil
}

// publisher opens an account for asking, not for sending.
func (d *Desk) publisher(site Site, name string) (platform.Publisher, error) {
	account, adapter, ok := site.Account(name)
	if !ok {
		return nil, &AccountError{name, errors.New("it is not in site.yaml")}
	}
	secrets, err := site.Secrets(name)
	if m, ok := errors.AsType[*platform.MissingSecretError](err); ok {
		return nil, m
	} else if err != nil {
		return nil, &AccountError{name, err}
	}
	publisher, err := adapter.Open(account, platform.Deps{
		HTTP: d.HTTP, Media: &media{site.Media(), d.Pictures}, Now: d.Now, Wait: d.Wait, Secrets: secrets, Timeout: d.RequestTimeout,
		Log: d.Log.With("account", name, "platform", string(account.Platform)),
	})
	if err != nil {
		return nil, &AccountError{name, err}
	}
	return publisher, nil
}

// Adopt records posts as out, in one commit, and returns the records. Of those that another run has begun meanwhile, nothing
// is written. who says so.
func (d *Desk) Adopt(ctx context.Context, list []Adoption, who string) ([]*ledger.Record, error) {
	if err := d.Begin(ctx); err != nil {
		return nil, err
	}
	if err := d.recover(ctx); err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		view, err := d.Ledger.View()
		if err != nil {
			return nil, err
		}
		var records []*ledger.Record
		for i := range list {
			now, err := view.Record(list[i].ID())
			if err != nil {
				return nil, err
			}
			if before := list[i].record; (now == nil) != (before == nil) || now != nil && string(now.Encode()) != string(before.Encode()) {
				d.Log.Warn("a run has begun this delivery meanwhile, so it is not adopted", "post", list[i].Post, "account", list[i].Account)
				continue
			}
			records = append(records, list[i].adopted(d.Now(), d.Commit, who))
		}
		err = d.Ledger.Claim(ctx, adoptSubject(records, who), records)
		if !errors.Is(err, gitrepo.ErrMoved) || try == maxClaims {
			return records, err
		}
		if err := d.Refresh(ctx); err != nil {
			return nil, err
		}
	}
}

// adopted returns the record of a post that is out.
func (a *Adoption) adopted(now time.Time, commit, who string) *ledger.Record {
	id := a.ID()
	rec := &ledger.Record{Post: a.Post, Account: a.Account, Occurrence: a.Occurrence, Key: id.Key(), At: now.UTC().Truncate(time.Millisecond)}
	if a.record != nil {
		rec = a.record.Clone()
	}
	rec.Platform, rec.Path, rec.Title, rec.Campaign, rec.Due = string(a.Platform), a.Path, a.Title, a.Campaign, a.Due
	rec.Fingerprint, rec.Said, rec.Source, rec.Commit = a.Fingerprint, a.Said, a.Source, commit
	rec.Rendering, rec.Anchors, rec.RetryAt, rec.Unsure = nil, nil, time.Time{}, false
	rec.State, rec.PublishedAt = ledger.Published, a.At
	if rec.PublishedAt.IsZero() {
		if rec.PublishedAt = a.Due; a.Due.IsZero() {
			rec.PublishedAt = now
		}
	}
	rec.Note = "adopted: it is out already, says " + who
	if a.rendering != nil && len(a.Parts) > 0 {
		rec.Note = "adopted: it was found on the network, by " + who
	}
	rec.SetParts(platform.Receipt{Parts: a.Parts}, a.rendering)
	rec.Begin(ledger.OpPublish, "by hand: "+who, now, rec.Fingerprint)
	rec.End(now, "published", "")
	return rec
}

func adoptSubject(records []*ledger.Record, who string) string {
	if len(records) == 1 {
		r := records[0]
		return fmt.Sprintf("adopted: %s is out on %s already", cmp.Or(r.Title, r.Post), r.Account)
	}
	return fmt.Sprintf("adopted: %d deliveries are out already, says %s", len(records), who)
}
