// Package notify tells people what runs did: in channels such as Slack or a mailbox, by an issue on the code host that is closed when all is
// settled, and by the status of the published commit.
//
// One message goes to a channel for one run, whatever has happened in it, and nobody is told of the same thing twice: the ledger remembers,
// of what is open, which channel was told. Before a message is sent the ledger says that this run is at it, by a compare-and-swap, so that of
// two runs at once one tells; after, that it was told. A run that dies in between leaves that open, and the next tells again: a message that
// comes twice is better than none.
//
// [Tell] does all of that and never fails: what goes wrong is a warning.
package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// Memory remembers what people were told. The ledger does.
type Memory interface {
	// Told returns what people were told of what is open.
	Told() (ledger.Told, error)
	// SetTold replaces that. The error is [gitrepo.ErrMoved] when somebody else wrote first.
	SetTold(ctx context.Context, subject string, told ledger.Told) error
	// Refresh reads what others have written.
	Refresh(ctx context.Context) error
}

// Options are what telling takes.
type Options struct {
	Site     *config.Site
	Folder   string // the site's folder in the repository, which tells several sites' issues apart
	Registry *platform.Registry
	Memory   Memory
	Env      func(string) string // for the channels' secrets
	HTTP     *http.Client
	Now      func() time.Time
	Wait     func(context.Context, time.Duration) error
	Log      *slog.Logger
	Scrub    func(string) string // takes secrets out of a text; nil: there are none
	Links    Links
	// Issues is the code host; nil where it is not known, and NoIssues says why.
	Issues   forge.Tracker
	NoIssues error
	// Statuses is the code host, too; nil where it is not known, and NoIssues says why.
	Statuses Statuses
	// Timeout bounds all of it together; 0 is [DefaultTimeout].
	Timeout time.Duration
}

// DefaultTimeout is how long telling takes at most, unless Options say otherwise.
const DefaultTimeout = 30 * time.Second

// claimTime is for how long a run is believed to be telling. One that could not leaves it at that, too: a channel that is down is tried
// again after this time and not by every run, each of which would write to the ledger.
const claimTime = 15 * time.Minute

// Result is who was told.
type Result struct {
	Told     []string // the channels that got a message, sorted
	Issue    string   // the address of the issue when it was written or closed; "" when nothing changed
	Settled  bool     // the issue was closed
	Status   string   // what the published commit shows now; "" when nothing changed
	Warnings []Warning
}

// Warning is something that did not go well.
type Warning struct {
	Channel string // "" for all of it, issueName for the issue, statusName for the status
	Err     error
}

// Error implements error.
func (w Warning) Error() string {
	switch w.Channel {
	case "":
		return "nobody was told: " + w.Err.Error()
	case issueName:
		return "the issue on the code host was not written: " + w.Err.Error()
	case statusName:
		return "the status of the published commit was not set: " + w.Err.Error()
	}
	return fmt.Sprintf("channel %q was not told: %v", w.Channel, w.Err)
}

// Unwrap returns the cause.
func (w Warning) Unwrap() error { return w.Err }

// Permission names what a workflow has to grant its token for what went wrong; "" where that is about no code host.
func (w Warning) Permission() string {
	switch w.Channel {
	case issueName:
		return "issues: write"
	case statusName:
		return "statuses: write"
	}
	return ""
}

// issueName stands for the issue where the names of channels stand. No channel can have it.
const issueName = "@issue"

// Tell tells people of a run: what it did, and what is open by its plan. failed is why the run could not be made, nil for one that could.
func Tell(ctx context.Context, o Options, r *publish.Report, failed error) Result {
	if !o.Site.Notify.On() || failed != nil && !Tellable(failed) {
		return Result{}
	}
	t := newTeller(o, r, failed)
	if r.RecordErr != nil { // who was told could not be written either, and every run would tell the same
		t.warn("", errors.New("the ledger could not be written; the next run tells"))
		return t.result
	}
	ctx, cancel := context.WithTimeout(ctx, t.o.Timeout)
	defer cancel()
	if err := t.claim(ctx); err != nil {
		t.warn("", err)
		return t.result
	}
	for name, err := range t.unopened {
		t.warn(name, err)
	}
	t.send(ctx)
	if err := t.settle(context.WithoutCancel(ctx)); err != nil {
		t.warn("", fmt.Errorf("what was told is not in the ledger, and may be told again: %w", err))
	}
	slices.Sort(t.result.Told)
	return t.result
}

// Tellable reports whether a reason why a run could not be made is one that a person must mend, and that can be told: what keeps the ledger
// from being written keeps it from remembering who was told.
func Tellable(err error) bool {
	if _, ok := errors.AsType[*publish.SecretsError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*publish.AccountError](err); ok {
		return true
	}
	_, ok := errors.AsType[*agenda.ConfigError](err)
	return ok
}

// teller tells of one run.
type teller struct {
	o      Options
	report *publish.Report
	failed error
	items  []Item

	first    *ledger.Told // as it was when this run began to tell
	told     ledger.Told  // as it was written last
	messages map[string]*message
	lines    map[string]*line
	unopened map[string]error // channels that have something to be told and cannot be opened
	body     issueBody        // what the issue is to say
	issue    bool             // it has to be written
	status   commitStatus     // what the published commit is to show
	show     bool             // it has to be set

	mu     sync.Mutex
	result Result
}

func newTeller(o Options, r *publish.Report, failed error) *teller {
	if o.Scrub == nil {
		o.Scrub = func(s string) string { return s }
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	t := &teller{o: o, report: r, failed: failed, items: Items(r, failed, o.Scrub)}
	t.status = statusOf(&o, r, t.items, failed)
	t.items = slices.DeleteFunc(t.items, func(i Item) bool { return !o.wanted(&i) })
	t.body = issueOf(o.Site, t.items, o.Links)
	t.lines = map[string]*line{}
	return t
}

// wanted reports whether anybody is told of an item.
func (o *Options) wanted(i *Item) bool {
	n := &o.Site.Notify
	return n.Issue.On && wants(n.What, i) || slices.ContainsFunc(n.Channels, func(c config.Channel) bool { return wants(c.What, i) })
}

func (t *teller) warn(channel string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.result.Warnings = append(t.result.Warnings, Warning{channel, err})
}

// maxTries bounds how often something is worked out again because somebody else wrote to the ledger first.
const maxTries = 8

// change writes what plan makes of what the ledger says by now, unless that is the same.
func (t *teller) change(ctx context.Context, subject string, plan func(ledger.Told) ledger.Told) error {
	for try := 1; ; try++ {
		known, err := t.o.Memory.Told()
		if err != nil {
			return err
		}
		next := plan(known)
		if same(known, next) {
			t.told = next
			return nil
		}
		switch err = t.o.Memory.SetTold(ctx, subject, next); {
		case err == nil:
			t.told = next
			return nil
		case !errors.Is(err, gitrepo.ErrMoved) && !errors.Is(err, gitrepo.ErrLocked) || try == maxTries:
			return err
		}
		if err := t.o.Wait(ctx, time.Duration(try)*50*time.Millisecond); err != nil {
			return err
		}
		if err := t.o.Memory.Refresh(ctx); err != nil {
			return err
		}
	}
}

// claim works out who is to be told of what, and has the ledger say so where it must be remembered.
func (t *teller) claim(ctx context.Context) error {
	n := &t.o.Site.Notify
	return t.change(ctx, "about to tell people", func(known ledger.Told) ledger.Told {
		if t.first == nil {
			t.first = &known
		}
		now := t.o.Now()
		claim := ledger.Telling{At: now, Run: t.report.Run, Until: now.Add(t.o.Timeout + claimTime)}
		next := current(known, *t.first, t.items, t.report, t.failed, now)
		t.messages, t.unopened, t.issue = map[string]*message{}, map[string]error{}, false
		claimed := false
		for _, c := range n.Channels {
			m := due(&next, t.items, c.Name, c.What, now, n.Remind)
			if m.empty() || !t.open(&c) {
				continue
			}
			t.messages[c.Name] = &m
			note(&next, m.fresh, c.Name, claim)
			note(&next, m.again, c.Name, claim)
			claimed = claimed || slices.ContainsFunc(m.fresh, func(i Item) bool { return lasting(&i) }) || len(m.again) > 0
		}
		if n.Issue.On && t.failed == nil && t.body.digest != known.Issue && !busy(&next, issueName, t.report.Run, now) {
			if t.o.Issues == nil {
				t.unopened[issueName] = cmp.Or(t.o.NoIssues, errNoHost)
			} else {
				t.issue = true
				note(&next, t.body.items, issueName, claim)
				claimed = claimed || len(t.body.items) > 0
			}
		}
		if t.show = n.Status && t.status.commit != "" && (t.status.news || t.status.digest != known.Status); t.show && t.o.Statuses == nil {
			t.show, t.unopened[statusName] = false, cmp.Or(t.o.NoIssues, errNoHost)
		}
		return keep(claimed, known, next)
	})
}

// errNoHost says that there is no code host to write to.
var errNoHost = errors.New("the code host is not known")

// keep returns what is to be written before anybody is told. Without a claim that is nothing: what is settled is forgotten when all is
// done, in one go.
func keep(claimed bool, known, next ledger.Told) ledger.Told {
	if claimed {
		return next
	}
	return known
}

// open opens a channel that has something to be told, once.
func (t *teller) open(c *config.Channel) bool {
	if t.lines[c.Name] != nil {
		return true
	}
	l, err := t.o.open(c)
	if err != nil {
		t.unopened[c.Name] = err
		return false
	}
	t.lines[c.Name] = l
	return true
}

// send sends all messages, side by side, writes the issue and sets the status.
func (t *teller) send(ctx context.Context) {
	var wg sync.WaitGroup
	for _, c := range t.o.Site.Notify.Channels {
		m := t.messages[c.Name]
		if m == nil {
			continue
		}
		wg.Go(func() {
			if err := t.sendTo(ctx, &c, m); err != nil {
				t.warn(c.Name, err)
				return
			}
			t.mu.Lock()
			defer t.mu.Unlock()
			t.result.Told = append(t.result.Told, c.Name)
		})
	}
	if t.issue {
		wg.Go(func() {
			if err := t.writeIssue(ctx); err != nil {
				t.warn(issueName, err)
			}
		})
	}
	if t.show { // two runs that set it at once say the same, or the later one knows better: nobody has to be kept from it
		wg.Go(func() {
			if err := t.o.Statuses.Status(ctx, t.status.commit, t.status.Status); err != nil {
				t.warn(statusName, err)
				return
			}
			t.result.Status = t.status.Description
		})
	}
	wg.Wait()
}

// sendTo sends a message to one channel.
func (t *teller) sendTo(ctx context.Context, c *config.Channel, m *message) error {
	l := t.lines[c.Name]
	r := render(l.adapter, l.account, c.Mention, t.o.Site.Title, m, t.o.Links)
	return l.send(ctx, &r, t.report.Run, t.o.Now())
}

// settle writes what came of it. It is given a while of its own: what was told must not be told again because a channel was slow.
func (t *teller) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.o.Timeout)
	defer cancel()
	now := t.o.Now()
	return t.change(ctx, "what people were told", func(known ledger.Told) ledger.Told {
		next := current(known, *t.first, t.items, t.report, t.failed, now)
		for name, m := range t.messages {
			if slices.Contains(t.result.Told, name) {
				note(&next, m.fresh, name, ledger.Telling{At: now, Run: t.report.Run})
				note(&next, m.again, name, ledger.Telling{At: now, Run: t.report.Run})
			}
		}
		if t.result.Status != "" {
			next.Status = t.status.digest
		}
		if t.issue && !slices.ContainsFunc(t.result.Warnings, func(w Warning) bool { return w.Channel == issueName }) {
			release(&next, issueName, t.report.Run)
			next.Issue = t.body.digest
		}
		return next
	})
}

// line is an open channel.
type line struct {
	adapter   platform.Adapter
	account   *platform.Account
	publisher platform.Publisher
}

// open opens a channel, without asking it anything.
func (o *Options) open(c *config.Channel) (*line, error) {
	account, alone := &c.Own, true
	if c.Account != "" {
		a, ok := o.Site.Account(c.Account)
		if !ok {
			return nil, fmt.Errorf("there is no account %q", c.Account)
		}
		account, alone = a, o.Site.Alone(c.Account)
	} else { // the names that other tools use count where they can mean nothing else
		for i := range o.Site.Accounts {
			alone = alone && o.Site.Accounts[i].Platform != account.Platform
		}
		for i := range o.Site.Notify.Channels {
			other := &o.Site.Notify.Channels[i]
			alone = alone && (other.Name == c.Name || other.Own.Platform != account.Platform)
		}
	}
	adapter, ok := o.Registry.Channel(account.Platform)
	if !ok {
		return nil, fmt.Errorf("nobody can be told on %q", account.Platform)
	}
	secrets, err := adapter.Info().LookupSecrets(account.Name, alone, o.Env)
	if missing, ok := errors.AsType[*platform.MissingSecretError](err); ok {
		missing.Owner = "channel " + fmt.Sprintf("%q", c.Name)
		return nil, missing
	} else if err != nil {
		return nil, err
	}
	p, err := adapter.Open(account, platform.Deps{
		HTTP: o.HTTP, Media: noFiles{}, Now: o.Now, Wait: o.Wait, Secrets: secrets, Timeout: o.Timeout, Budget: new(platform.Budget),
		Log: o.Log.With("channel", c.Name, "platform", string(account.Platform)),
	})
	if err != nil {
		return nil, err
	}
	return &line{adapter, account, p}, nil
}

// noFiles is the files of a message, of which there are none.
type noFiles struct{}

// Open implements [fs.FS].
func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// send sends a message. Its key is the same when a run sends the same to the same channel again.
func (l *line) send(ctx context.Context, r *platform.Rendering, run string, now time.Time) error {
	sum := sha256.Sum256([]byte("postrider notification\x00" + run + "\x00" + l.account.Name + "\x00" + r.Fingerprint()))
	_, err := l.publisher.Publish(ctx, r, platform.Attempt{Key: hex.EncodeToString(sum[:13]), At: now, N: 1})
	return err
}
