package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

const (
	// awaitTime bounds looking at one address, redirects and all: what else is due must not wait long for a page that hangs.
	awaitTime = 5 * time.Second
	// awaitTotal bounds looking at all of them, and awaitMost how many are looked at at a time.
	awaitTotal = 30 * time.Second
	awaitMost  = 8
)

// planned plans for now, with what no commit tells: whether the addresses answer that posts wait for, and who has approved what.
func (d *Desk) planned(ctx context.Context, l *learned) (*plan.Plan, error) {
	p, err := d.Plan(d.Now())
	if err == nil {
		p, err = d.visit(ctx, p, l)
	}
	if err != nil {
		return nil, err
	}
	return d.ask(ctx, p, d.Now(), l)
}

// visit looks at the addresses that posts wait for which would go out otherwise. Each is looked at once in a run. As long as none answers,
// the plan stays as it is, which is mostly that of an earlier run.
func (d *Desk) visit(ctx context.Context, p *plan.Plan, l *learned) (*plan.Plan, error) {
	reached := l.reached
	if !slices.ContainsFunc(p.Waiting, func(w plan.Waiting) bool { return w.State == plan.WaitEmbargo }) {
		return p, nil
	}
	d.look(ctx, p, reached)
	now := d.Now()
	for i := range p.Waiting {
		w := &p.Waiting[i]
		if w.State != plan.WaitEmbargo {
			continue
		}
		if reached[w.Await] == nil {
			return d.planWith(now, l)
		}
		w.Looked(now, reached[w.Await])
	}
	return p, nil
}

// look asks the addresses that a plan's targets wait for, side by side, and adds what came of that to reached.
func (d *Desk) look(ctx context.Context, p *plan.Plan, reached map[string]error) {
	var addresses []string
	for i := range p.Waiting {
		w := &p.Waiting[i]
		if _, looked := reached[w.Await]; w.State == plan.WaitEmbargo && !looked {
			addresses = append(addresses, w.Await)
		}
	}
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	ctx, cancel := context.WithTimeout(ctx, awaitTotal)
	defer cancel()
	answers := make([]error, len(addresses))
	places := make(chan struct{}, awaitMost)
	var lookers sync.WaitGroup
	for i, address := range addresses {
		lookers.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			answers[i] = d.answers(ctx, address)
		})
	}
	lookers.Wait()
	for i, address := range addresses {
		reached[address] = answers[i]
		if answers[i] != nil {
			d.Log.Debug("the link of a post under embargo does not answer yet", "url", address, "reason", answers[i].Error())
		}
	}
}

// answers gets an address as its readers will, and says what it does instead when it does not answer 200. Whoever merged
// the post has approved the address: a private one is as good as any other.
func (d *Desk) answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, awaitTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("it is no address that can be asked")
	}
	req.Header.Set("User-Agent", apihttp.UserAgent)
	resp, err := d.HTTP.Do(req)
	switch broken, ok := errors.AsType[*url.Error](err); {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("it does not answer in time")
	case ok: // without the address, which the reason names
		return fmt.Errorf("it does not answer: %w", broken.Err)
	case err != nil:
		return fmt.Errorf("it does not answer: %w", err)
	}
	resp.Body.Close() //nolint:errcheck // nothing of it is wanted
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %d", resp.StatusCode)
	}
	return nil
}
