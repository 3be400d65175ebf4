package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// verifyTime bounds one question to a network that changes nothing.
const verifyTime = time.Minute

// Health is how an account is.
type Health struct {
	Account  string
	Platform platform.ID
	Identity platform.Identity
	// Err is a [*platform.MissingSecretError], an [*AccountError], or what the network has said.
	Err error
	// Unsupported says that this version only previews the platform, so that nothing was asked.
	Unsupported bool
}

// Accounts asks the networks about accounts, all at the same time, without changing anything. The answers are in the order of
// the names.
func (d *Desk) Accounts(ctx context.Context, names []string) ([]Health, error) {
	site, err := d.SiteAt(d.Commit)
	if err != nil {
		return nil, err
	}
	all := make([]Health, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		h := &all[i]
		h.Account = name
		account, adapter, ok := site.Account(name)
		if !ok {
			h.Err = &AccountError{name, errors.New("it is not in site.yaml")}
			continue
		}
		h.Platform = account.Platform
		if !platform.CapsOf(adapter, account).Has(platform.CanPublish) {
			h.Unsupported = true
			continue
		}
		publisher, err := d.publisher(site, name)
		if err != nil {
			h.Err = err
			continue
		}
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, verifyTime)
			defer cancel()
			h.Identity, h.Err = publisher.Verify(ctx)
		})
	}
	wg.Wait()
	return all, ctx.Err()
}

// Presence says whether a network still has what a record says is out.
type Presence struct {
	Record *ledger.Record
	Gone   []platform.Remote // parts that are not there
	Err    error             // why that is not known of all parts, nil when it is
}

// Presence asks the networks about everything that records say is out, accounts side by side, and calls fn with each answer, one at a
// time. records are given to it by each, one after the other; it keeps few of them. Nothing is changed.
func (d *Desk) Presence(ctx context.Context, each func(func(*ledger.Record) error) error, fn func(Presence)) error {
	site, err := d.SiteAt(d.Commit)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	lanes := map[string]chan *ledger.Record{}
	err = each(func(rec *ledger.Record) error {
		if rec.State != ledger.Published {
			return nil
		}
		lane := lanes[rec.Account]
		if lane == nil {
			lane = make(chan *ledger.Record, 64)
			lanes[rec.Account] = lane
			wg.Go(func() { d.askPresence(ctx, site, lane, &mu, fn) })
		}
		select {
		case lane <- rec:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	for _, lane := range lanes {
		close(lane)
	}
	wg.Wait()
	return err
}

// askPresence answers for the records of one account.
func (d *Desk) askPresence(ctx context.Context, site Site, lane <-chan *ledger.Record, mu *sync.Mutex, fn func(Presence)) {
	var publisher platform.Publisher
	var failed error // of the account as a whole: asking on would change nothing
	for rec := range lane {
		if publisher == nil && failed == nil {
			publisher, failed = d.publisher(site, rec.Account)
		}
		p := Presence{Record: rec, Err: failed}
		checker, ok := publisher.(platform.Checker)
		switch {
		case failed != nil:
		case !ok:
			p.Err = fmt.Errorf("%s cannot be asked whether a post is there", rec.Platform)
		case len(rec.Parts) == 0:
			p.Err = errors.New("the ledger does not know where it is")
		default:
			p.Gone, p.Err = gone(ctx, checker, rec.Remotes())
			if o := platform.OutcomeOf(p.Err); p.Err != nil && (o == platform.Denied || o == platform.Limited) || ctx.Err() != nil {
				failed = p.Err
			}
		}
		mu.Lock()
		fn(p)
		mu.Unlock()
	}
}

// gone returns the parts that are not there any more.
func gone(ctx context.Context, checker platform.Checker, parts []platform.Remote) (missing []platform.Remote, err error) {
	for _, part := range slices.Backward(parts) {
		ctx, cancel := context.WithTimeout(ctx, verifyTime)
		there, err := checker.Exists(ctx, part)
		cancel()
		if err != nil {
			return missing, err
		}
		if !there {
			missing = append(missing, part)
		}
	}
	slices.Reverse(missing)
	return missing, nil
}
