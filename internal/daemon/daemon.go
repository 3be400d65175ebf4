// Package daemon publishes from repositories for as long as it runs: each post at its second, not at the next tick of a cron job.
//
// Every site has a loop of its own. It fetches, does what [publish.Desk] does in every run, and asks the plan when something is due
// next. Until then, or until the next fetch, or until a webhook tells of a push, it sleeps, and keeps nothing of the site in
// memory but that moment. Whatever breaks in one site (a remote that hangs, a site.yaml with errors, a panic) stays in its loop,
// which tries again after pauses that grow.
//
// Nothing here decides what is sent. That is the ledger's, so that several daemons on one repository are as safe as several cron jobs.
package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/forge/inbound"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

// Site is a repository that is published from.
type Site struct {
	// Name is a label of metrics and a part of the webhook's address: letters, digits, '-', '_' and '.'.
	Name string
	// Key stands for all settings of the site, its secrets included: [Daemon.Reload] leaves a site alone whose key has not changed.
	Key string
	// Fetch is how often the remote is asked for news when no webhook tells of them.
	Fetch time.Duration
	// Open fetches the site and opens it for one run.
	Open func(context.Context) (Desk, error)
	// News asks whether there is anything that the last desk did not know, which costs less than Open.
	News func(context.Context) (bool, error)
	// Hook verifies the webhooks for this site; nil: as those that name no site.
	Hook *inbound.Receiver
}

// Desk is a site that was fetched and is open for one run: a [publish.Desk], as the daemon sees it.
type Desk interface {
	// Seen returns what the fetch has found.
	Seen() Seen
	// Do publishes what is due, and tells of every delivery that begins or ends.
	Do(ctx context.Context, tell func(publish.Event)) (*publish.Report, error)
	// Plan plans for a time with what was fetched and done.
	Plan(at time.Time) (*plan.Plan, error)
	// Held reports whether an emergency stop is in force, whatever its scope.
	Held() (bool, error)
	// Close lets go of the repository.
	Close() error
}

// Seen is where a site's remote was when it was asked last.
type Seen struct {
	Branch, Commit string   // what is published
	Ledger         string   // the tip of the ledger
	LedgerBranch   string   // where it is
	Remotes        []string // the addresses of the repository, without passwords
}

// Options are the inputs of [New]. All are needed.
type Options struct {
	Parallel int               // how many sites work at once
	Hook     *inbound.Receiver // verifies webhooks
	Version  string            // of the program
	Now      func() time.Time
	Wait     func(context.Context, time.Duration) error
	Log      *slog.Logger
	// Scrub removes secrets from the text of an error.
	Scrub func(string) string
}

// Daemon publishes from its sites while [Daemon.Run] runs.
type Daemon struct {
	o        Options
	places   *places
	metrics  *metrics
	incoming chan []Site // what a reload brings

	mu       sync.Mutex
	sites    map[string]*site // by name
	stopping bool
}

// New returns a daemon that does nothing yet.
func New(o Options) *Daemon {
	return &Daemon{
		o: o, places: newPlaces(o.Parallel, o.Wait), metrics: newMetrics(o.Version), incoming: make(chan []Site), sites: map[string]*site{},
	}
}

// Run publishes from sites until stop is closed or ctx ends. When stop is closed, deliveries in flight are finished and recorded, and
// no others begin; the end of ctx ends everything at once.
func (d *Daemon) Run(ctx context.Context, stop <-chan struct{}, sites []Site) {
	soft, cancel := context.WithCancel(ctx)
	defer cancel()
	var loops sync.WaitGroup
	for running := true; running; {
		d.settle(ctx, soft, &loops, sites)
		select {
		case sites = <-d.incoming:
		case <-stop:
			running = false
		case <-ctx.Done():
			running = false
		}
	}
	d.Drain()
	cancel()
	loops.Wait()
}

// Drain has [Daemon.Ready] say that the daemon ends, before it does.
func (d *Daemon) Drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopping = true
}

// Reload replaces the sites of a daemon that runs. Those whose key stays go on undisturbed; those that are gone or have changed
// finish what they are at first.
func (d *Daemon) Reload(ctx context.Context, sites []Site) {
	select {
	case d.incoming <- sites:
	case <-ctx.Done():
	}
}

// settle starts the loops of sites that are new, and has those end that are not wanted any more.
func (d *Daemon) settle(ctx, soft context.Context, loops *sync.WaitGroup, sites []Site) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := map[string]*site{}
	for _, o := range sites {
		old := d.sites[o.Name]
		if old != nil && old.Key == o.Key {
			next[o.Name] = old
			continue
		}
		s := newSite(d, o)
		var ours context.Context
		ours, s.leave = context.WithCancel(soft)
		next[o.Name] = s
		loops.Go(func() {
			defer s.leave()
			defer close(s.left)
			if old != nil {
				<-old.left // one after the other, so that nobody waits for a lease of his own
			}
			s.loop(ours, ctx)
		})
	}
	for name, old := range d.sites {
		if next[name] == old {
			continue
		}
		old.leave()
		if next[name] == nil {
			loops.Go(func() {
				<-old.left
				d.forget(name)
			})
		}
	}
	d.sites = next
}

// forget drops what was counted of a site, unless there is one of that name again.
func (d *Daemon) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sites[name] == nil {
		d.metrics.forget(name)
	}
}

// now returns the time by the wall clock: the process's own stands still while its machine sleeps.
func (d *Daemon) now() time.Time { return d.o.Now().Round(0) }

// stride is how long the daemon sleeps at most before it looks at the clock again: somebody may have set it, or the machine may have slept.
const stride = 30 * time.Second

// sleep waits until a time by the wall clock, or until something comes through wake, or ctx ends. It reports whether it was woken.
func (d *Daemon) sleep(ctx context.Context, until time.Time, wake <-chan struct{}) (woken bool) {
	for !woken && ctx.Err() == nil {
		left := until.Sub(d.now())
		if left <= 0 {
			return false
		}
		waiting, cancel := context.WithCancel(ctx)
		over := make(chan struct{})
		go func() {
			defer close(over)
			d.o.Wait(waiting, min(left, stride)) //nolint:errcheck // the context's error is looked at
		}()
		select {
		case <-wake:
			woken = true
		case <-over:
		}
		cancel()
		<-over
	}
	return woken
}
