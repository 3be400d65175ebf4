// Package publish carries a plan out: the only place from which posts are sent.
//
// The order of things is the promise of the program. For everything that a run is about to do, it
// writes its intent into the ledger and pushes that as a compare-and-swap; only the publisher whose
// push is accepted goes on. Then each account's deliveries are made one after the other, the accounts
// side by side, and every result is written to the ledger as it comes. Whatever breaks in between
// leaves an intent behind that the next run finds.
package publish

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/bucket"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	pictures "github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

// Site is what publishing needs of a site at one commit.
type Site interface {
	// Account returns an account and its adapter.
	Account(name string) (*platform.Account, platform.Adapter, bool)
	// Secrets looks an account's secrets up; the error is a *platform.MissingSecretError.
	Secrets(account string) (map[string]secret.String, error)
	// Render returns the rendering of a post for an account.
	Render(path, account string) (*platform.Rendering, error)
	// BucketKeys looks up what the site's bucket lets us in with; the error is a *platform.MissingSecretError.
	BucketKeys() (bucket.Keys, error)
	// Media opens the site's folder at the commit.
	Media() fs.FS
	// Config returns site.yaml at the commit.
	Config() *config.Site
}

// Desk is everything that a run works with. All fields but Progress are needed.
type Desk struct {
	Branch string // the publishing branch
	// Guessed says that nothing tells which branch that is: it is the one that is checked out, or that this one follows.
	Guessed bool
	Commit  string // its tip
	Site    Site   // set by Do when it is needed
	// SiteAt opens the site at an earlier commit, to look for what was sent from there.
	SiteAt func(commit string) (Site, error)
	Ledger *gitledger.Ledger
	// Plan plans for a time with the ledger as it is now.
	Plan func(at time.Time) (*plan.Plan, error)
	// Refresh fetches the ledger again and settles its tip, after another publisher wrote first.
	Refresh func(context.Context) error

	Run   string       // this run's id
	Owner string       // identifies this process, empty where that is not possible
	HTTP  *http.Client // with a transport
	Now   func() time.Time
	Wait  func(context.Context, time.Duration) error
	Log   *slog.Logger
	// Progress, when set, is told of one event after the other, though accounts are served side by side.
	Progress func(Event)
	// Stop, when closed, lets deliveries in flight end and begins no others.
	Stop <-chan struct{}
	// Deadline is for how long a run begins deliveries; those in flight end. 0: for as long as it takes.
	Deadline time.Duration
	// RequestTimeout bounds one request to a network with its answer; 0 leaves that to the adapters.
	RequestTimeout time.Duration
	// Tries is how often one run tries a delivery that is provably not out; 0 counts as 1.
	Tries int
	// JournalDir is where results stand until they are in the ledger; empty: nowhere.
	JournalDir string
	// Pictures makes pictures fit, for all accounts together; nil: each account on its own.
	Pictures *pictures.Fitter
	// AllowPrivate permits link cards to be read from private addresses.
	AllowPrivate bool

	open      func() (Site, error)
	planWith  func(at time.Time, l *learned) (*plan.Plan, error)
	witnesses func() (*witnesses, error) // who knows what was approved; nil: nobody may be asked
	untimed   func() ([]string, error)   // the ids of the posts without a time
	ownerDead func(owner string) bool
	remote    string // that is published from, "" for none
	place     string // of the ledger in the repository
}

// Event tells what is going on, for progress on a terminal.
type Event struct {
	Action   *plan.Action
	Delivery *Delivery // nil when the action begins
	Done     int       // deliveries that have ended
	Of       int       // deliveries of this run
}

// Delivery is the result of one action.
type Delivery struct {
	Post, Path, Title string
	Account           string
	Platform          platform.ID
	Occurrence        string
	Verb              plan.Verb
	Outcome           string // published, updated, withdrawn, skipped, or a platform.Outcome
	Parts             []platform.Remote
	Due               time.Time
	RetryAt           time.Time
	Err               error
	Fingerprint       string
}

// OK reports whether the delivery ended as it should.
func (d *Delivery) OK() bool {
	switch d.Outcome {
	case "published", "updated", "withdrawn", "skipped":
		return true
	}
	return false
}

// Begun reports whether the delivery was begun at all: not what a run had no time for, or was stopped before.
func (d *Delivery) Begun() bool { return !notBegun(d.Err) }

// Report is what a run did.
type Report struct {
	Run          string
	Branch       string
	Commit       string
	At           time.Time
	Deliveries   []Delivery
	Waiting      []plan.Waiting
	Settled      int
	LedgerCommit string
	Next         time.Time
	// RecordErr says that results could not be pushed; they are in the local ledger (*gitledger.NotPushedError).
	RecordErr error
}

// Failed returns how many deliveries did not end as they should.
func (r *Report) Failed() (n int) {
	for i := range r.Deliveries {
		if !r.Deliveries[i].OK() {
			n++
		}
	}
	return n
}

// SecretsError says that accounts that were to be sent to lack secrets. Nothing was sent.
type SecretsError struct {
	Missing []*platform.MissingSecretError
}

// Error implements error.
func (e *SecretsError) Error() string {
	var parts []string
	for _, m := range e.Missing {
		parts = append(parts, m.Error())
	}
	return "nothing was sent: " + strings.Join(parts, "; ")
}

// AccountError says that an account's settings keep it from being opened. Nothing was sent.
type AccountError struct {
	Account string
	Err     error
}

// Error implements error.
func (e *AccountError) Error() string {
	return fmt.Sprintf("nothing was sent: account %q: %v", e.Account, e.Err)
}

// Unwrap returns the cause.
func (e *AccountError) Unwrap() error { return e.Err }

const (
	// leaseTime is how long a run may take before others may look into what it has begun. It is renewed while the run lives.
	leaseTime = 10 * time.Minute
	// leaseMargin is how much of a lease must be left to begin a delivery: more than one takes.
	leaseMargin = 4 * time.Minute
	// deliveryTime bounds one delivery, media upload and processing included.
	deliveryTime = 3 * time.Minute
	// flushEvery is how often results are written to the ledger while a run goes on. The journal has them meanwhile.
	flushEvery = 20 * time.Second
	// flushSoon is the same for runs that send to an account which cannot be asked what is out: there, a machine
	// that dies with its journal leaves nothing but the ledger.
	flushSoon = 3 * time.Second
	// lookEvery is how often a run looks whether another has taken over what it has not begun, and for new holds.
	lookEvery = 20 * time.Second
	// recordTime bounds one such writing: a remote that hangs must not hang the run, nor hold up renewing its lease.
	recordTime = 2 * time.Minute
	// maxClaims bounds how often a run plans anew because another publisher wrote first.
	maxClaims = 10
)

// Do plans and carries the plan out. The report is complete even when the error is not nil, as far as
// the run came.
func (d *Desk) Do(ctx context.Context) (*Report, error) {
	report := &Report{Run: d.Run, Branch: d.Branch, Commit: d.Commit, At: d.Now()}
	if err := d.Begin(ctx); err != nil {
		return report, fmt.Errorf("nothing was sent: %w", err)
	}
	if err := d.recover(ctx); err != nil {
		return report, fmt.Errorf("nothing was sent: %w", err)
	}
	l := newLearned()
	for try := 1; ; try++ {
		p, err := d.planned(ctx, l)
		if err != nil {
			return report, err
		}
		report.Waiting, report.Settled, report.Next = p.Waiting, p.Settled, p.Next
		report.LedgerCommit = string(d.Ledger.Tip())
		if len(p.Actions) == 0 {
			return report, nil
		}
		if d.Site == nil {
			if d.Site, err = d.open(); err != nil {
				return report, err
			}
		}
		run := newRun(d, report)
		if err := run.open(ctx, p); err != nil {
			return report, err
		}
		if len(run.jobs) == 0 {
			return report, nil
		}
		err = run.claim(ctx)
		switch {
		case err == nil:
			return report, run.carry(ctx)
		case errors.Is(err, gitrepo.ErrMoved) && try < maxClaims:
			d.Log.Info("another publisher wrote to the ledger first, planning again", "try", try)
			if err := d.Refresh(ctx); err != nil {
				return report, err
			}
		default:
			return report, fmt.Errorf("nothing was sent: the intent could not be recorded in the ledger: %w", err)
		}
	}
}

// job is an action with what it takes to do it.
type job struct {
	*plan.Action
	rec       *ledger.Record
	publisher platform.Publisher
	rendering *platform.Rendering // what is to be sent; nil for those that only look and have none
	media     *media              // of the publisher
	leash     *leash              // of the publisher
	commit    string              // where the media come from
	until     time.Time           // the end of the lease that the remote knows
	doubtful  bool                // an earlier attempt may have been carried out: whatever fails now, that stays unknown
	sent      bool                // this attempt may have made a creating request
	before    int                 // how many parts there were before it
	fetched   bool                // the network fetches files, from the site's bucket
	mixed     bool                // another version of the file than the one sent may be out
	mayRetry  bool                // a failure is kept in failed instead of being the end
	failed    *failure            // of the latest attempt
}

// media is the files of the commit whose rendering a publisher is given. A publisher makes one delivery at a time.
type media struct {
	fs.FS
	pictures *pictures.Fitter // nil: each is made anew
}

// Fit makes a picture fit, for package apihttp.
func (m *media) Fit(digest string, source []byte, r pictures.Recipe) ([]byte, error) {
	if m.pictures == nil {
		return pictures.Fit(source, r)
	}
	return m.pictures.Fit(digest, source, r)
}

// run is one pass from plan to report.
type run struct {
	*Desk
	report  *Report
	jobs    []*job
	budgets map[string]*platform.Budget // by account; accounts with one and the same token share theirs
	leashes map[string]*leash           // by account
	base    gitrepo.Hash                // the ledger's commit that holds this run's intents
	month   ledger.Month                // in which it was planned
	journal *journal
	shelf   *shelf    // nil without a bucket, or a need for it
	ends    time.Time // when no other delivery is begun; zero: never

	looks chan chan struct{} // asks to look at the ledger now; what is sent is closed when that is done

	telling    sync.Mutex // held while Progress is called
	mu         sync.Mutex
	confirmed  time.Time // when what the ledger has said last about this run's deliveries was asked
	done       int
	results    []*ledger.Record // not yet in the ledger
	unfinished map[ledger.ID]*job
	holds      []ledger.Hold // those pulled while it runs
}

func newRun(d *Desk, report *Report) *run {
	r := &run{Desk: d, report: report, budgets: map[string]*platform.Budget{}, leashes: map[string]*leash{}, unfinished: map[ledger.ID]*job{}, looks: make(chan chan struct{})}
	r.journal = &journal{dir: d.JournalDir, head: journalHead{Journal: 1, Run: d.Run, Owner: d.Owner, Ledger: d.place}, log: d.Log}
	if d.Deadline > 0 {
		r.ends = report.At.Add(d.Deadline)
	}
	return r
}

// open gets a publisher for every account in the plan, before anything is written or sent: a secret that
// is missing must not be found half-way.
func (r *run) open(ctx context.Context, p *plan.Plan) error {
	r.month = ledger.MonthOf(p.At.In(r.Site.Config().Location))
	publishers := map[string]platform.Publisher{}
	files := map[string]*media{}
	tokens := map[string]*platform.Budget{}
	missing := &SecretsError{}
	for i := range p.Actions {
		a := &p.Actions[i]
		if _, ok := publishers[a.Account]; ok || a.Verb == plan.Skip {
			continue
		}
		account, adapter, ok := r.Site.Account(a.Account)
		if !ok {
			return &AccountError{a.Account, errors.New("it is not in site.yaml")}
		}
		secrets, err := r.Site.Secrets(a.Account)
		if m, ok := errors.AsType[*platform.MissingSecretError](err); ok {
			missing.Missing = append(missing.Missing, m)
			publishers[a.Account] = nil
			continue
		} else if err != nil {
			return &AccountError{a.Account, err}
		}
		files[a.Account] = &media{r.Site.Media(), r.Pictures}
		client := *r.HTTP
		r.leashes[a.Account] = newLeash(r, client.Transport)
		client.Transport = r.leashes[a.Account]
		token := tokenOf(account, secrets)
		if tokens[token] == nil {
			tokens[token] = new(platform.Budget)
		}
		r.budgets[a.Account] = tokens[token]
		publisher, err := adapter.Open(account, platform.Deps{
			HTTP: &client, Web: r.HTTP, Media: files[a.Account], Now: r.Now, Wait: r.Wait, Secrets: secrets, AllowPrivate: r.AllowPrivate,
			Budget: r.budgets[a.Account], Timeout: r.RequestTimeout, PublicMedia: r.publicMedia(r.leashes[a.Account]),
			Log: r.Log.With("account", a.Account, "platform", string(account.Platform)),
		})
		if err != nil {
			return &AccountError{a.Account, err}
		}
		publishers[a.Account] = publisher
	}
	if len(missing.Missing) > 0 {
		return missing
	}
	stillDenied := r.stillDenied(ctx, p, publishers)
	for i := range p.Actions {
		a := &p.Actions[i]
		if err, denied := stillDenied[a.Account]; denied && wasDenied(a.Record) {
			r.report.Waiting = append(r.report.Waiting, plan.Waiting{
				Target: a.Target, Occurrence: a.Occurrence, State: plan.WaitDenied, Reason: "the account is still refused: " + err.Error(),
			})
			continue
		}
		j := &job{Action: a, publisher: publishers[a.Account], media: files[a.Account], leash: r.leashes[a.Account]}
		switch a.Verb {
		case plan.Publish, plan.Resume, plan.Update, plan.Reconcile:
			if a.Look != "" && a.Fingerprint == "" {
				break // its file is broken by now
			}
			rendering, err := r.Site.Render(a.Path, a.Account)
			if err != nil {
				return fmt.Errorf("render %s for %s: %w", a.Path, a.Account, err)
			}
			if got := rendering.Fingerprint(); got != a.Fingerprint {
				return fmt.Errorf("render %s for %s: the fingerprint is %.12s, the plan says %.12s", a.Path, a.Account, got, a.Fingerprint)
			}
			j.rendering = rendering
		}
		r.jobs = append(r.jobs, j)
	}
	return r.openShelf()
}

// tokenOf identifies what an account is known to its network by, and where: receivers of webhooks may share a secret.
// It stays in memory.
func tokenOf(a *platform.Account, secrets map[string]secret.String) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %+v\x00", a.Platform, a.Options)
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		fmt.Fprintf(h, "%s=%s\x00", name, secrets[name].Reveal())
	}
	return string(h.Sum(nil))
}

// stillDenied asks the networks, without changing anything, whether accounts that refused a delivery before
// accept their tokens by now. Trying the delivery itself again and again could lock an account.
func (r *run) stillDenied(ctx context.Context, p *plan.Plan, publishers map[string]platform.Publisher) map[string]error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	denied := map[string]error{}
	asked := map[string]bool{}
	for i := range p.Actions {
		a := &p.Actions[i]
		if !wasDenied(a.Record) || asked[a.Account] {
			continue
		}
		asked[a.Account] = true
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			if _, err := publishers[a.Account].Verify(ctx); err != nil && platform.OutcomeOf(err) == platform.Denied {
				mu.Lock()
				defer mu.Unlock()
				denied[a.Account] = err
			}
		})
	}
	wg.Wait()
	return denied
}

// wasDenied reports whether the last thing that was tried failed for want of a permission.
func wasDenied(rec *ledger.Record) bool {
	return rec != nil && rec.Last() != nil && rec.Last().Outcome == platform.Denied.String()
}

// claim writes the run's intents. Once it returns nil, the deliveries belong to this run.
func (r *run) claim(ctx context.Context) error {
	now := r.Now()
	var records []*ledger.Record
	for _, j := range r.jobs {
		j.rec = r.intent(j, now)
		j.doubtful = j.Verb == plan.Reconcile
		if j.rec.Lease != nil {
			j.until = j.rec.Lease.Until
		}
		records = append(records, j.rec)
	}
	if err := r.Ledger.Claim(ctx, claimSubject(r.jobs), records); err != nil {
		return err
	}
	r.base, r.confirmed = r.Ledger.Tip(), now
	return nil
}

func (r *run) intent(j *job, now time.Time) *ledger.Record {
	a := j.Action
	id := a.ID()
	var rec *ledger.Record
	if a.Record != nil {
		rec = a.Record.Clone()
	} else {
		rec = &ledger.Record{Post: a.Post, Account: a.Account, Occurrence: a.Occurrence, Platform: string(a.Platform), Key: id.Key(), At: now.UTC().Truncate(time.Millisecond), Unsure: a.Unsure}
	}
	rec.Path, rec.Title, rec.Campaign, rec.Due = a.Path, a.Title, a.Campaign, a.Due
	rec.RetryAt = time.Time{}
	switch a.Verb {
	case plan.Skip:
		rec.State, rec.Note, rec.Source = ledger.Skipped, "part of a backlog that was skipped", a.Source
		return rec
	// While what is out is being changed, and after a failure to, the record stands for no version of the file:
	// a file that is changed back must not look as if it were out.
	case plan.Update:
		rec.Source = ""
		rec.Begin(ledger.OpUpdate, r.Run, now, a.Fingerprint)
	case plan.Withdraw:
		rec.Source = ""
		rec.Begin(ledger.OpWithdraw, r.Run, now, rec.Fingerprint)
	case plan.Reconcile:
		// Fingerprint, source and commit stay those of the attempt that is looked for.
		if last := rec.Last(); last != nil && last.Outcome == "" {
			rec.End(now, platform.Unknown.String(), "the run ended before it could say what happened")
		}
		rec.State = ledger.Sending
		rec.Begin(ledger.OpPublish, r.Run, now, rec.Fingerprint)
	default:
		// A thread goes on as it was begun, unless the network has refused that.
		if a.Verb != plan.Resume || rec.State == ledger.Rejected {
			if rec.Fingerprint != a.Fingerprint {
				rec.Anchors = nil // what they stand for says something else
			}
			rec.Fingerprint, rec.Said, rec.Source, rec.Commit, rec.Rendering = a.Fingerprint, a.Said, a.Source, r.Commit, j.rendering
		}
		rec.State = ledger.Sending
		rec.Begin(ledger.OpPublish, r.Run, now, rec.Fingerprint)
	}
	rec.Lease = &ledger.Lease{Run: r.Run, Until: now.Add(leaseTime).UTC(), Owner: r.Owner}
	r.reserve(rec, a.Cost.Total())
	return rec
}

// finish notes a delivery's end. change alters the record while nobody else reads it.
func (r *run) finish(j *job, d Delivery, change func(*ledger.Record)) {
	d.Post, d.Path, d.Title, d.Account, d.Platform, d.Occurrence = j.Post, j.Path, j.Title, j.Account, j.Platform, j.Occurrence
	d.Verb, d.Due, d.Fingerprint = j.Verb, j.Due, j.Fingerprint
	if change != nil {
		r.note(j, change)
		d.RetryAt = j.rec.RetryAt
	}
	r.mu.Lock()
	if change != nil {
		r.results = append(r.results, j.rec.Clone())
		delete(r.unfinished, j.ID())
	}
	r.done++
	r.report.Deliveries = append(r.report.Deliveries, d)
	r.mu.Unlock()
	r.tell(j, &d)
}

// tell tells whoever watches the run that a delivery begins, or what became of it.
func (r *run) tell(j *job, d *Delivery) {
	if r.Progress == nil {
		return
	}
	r.telling.Lock()
	defer r.telling.Unlock()
	r.mu.Lock()
	event := Event{Action: j.Action, Delivery: d, Done: r.done, Of: len(r.jobs)}
	r.mu.Unlock()
	r.Progress(event)
}

// note changes a delivery's record, and has the journal remember that.
func (r *run) note(j *job, change func(*ledger.Record)) {
	r.mu.Lock()
	change(j.rec)
	rec := j.rec.Clone()
	r.mu.Unlock()
	r.journal.keep(rec)
}

// anchor notes under which id the network keeps what was prepared of a part. Once it returns nil, whoever comes after
// this run knows it, from the journal or, a little later, from the ledger.
func (r *run) anchor(j *job, part int, id string) error {
	r.mu.Lock()
	j.rec.Anchor(part, id)
	rec := j.rec.Clone()
	r.results = append(r.results, rec)
	r.mu.Unlock()
	return r.journal.add(rec)
}

func claimSubject(jobs []*job) string {
	if len(jobs) == 1 {
		j := jobs[0]
		return fmt.Sprintf("about to %s %s on %s", j.Verb, cmp.Or(j.Title, j.Post), j.Account)
	}
	if !slices.ContainsFunc(jobs, func(j *job) bool { return j.Verb != plan.Skip }) {
		return fmt.Sprintf("%d deliveries of a backlog are skipped", len(jobs))
	}
	return fmt.Sprintf("about to make %d deliveries to %s", len(jobs), accountsOf(jobs))
}

func accountsOf(jobs []*job) string {
	var names []string
	for _, j := range jobs {
		names = append(names, j.Account)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

func resultSubject(records []*ledger.Record) string {
	if len(records) == 1 {
		r := records[0]
		return fmt.Sprintf("%s %s on %s", outcomeOf(r), cmp.Or(r.Title, r.Post), r.Account)
	}
	count := map[string]int{}
	for _, r := range records {
		count[outcomeOf(r)]++
	}
	var parts []string
	for _, o := range []string{"published", "updated", "withdrawn", "unsent", "limited", "denied", "rejected", "unknown", "sending"} {
		if n := count[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "results")
}

func outcomeOf(r *ledger.Record) string {
	if last := r.Last(); last != nil && last.Outcome != "" {
		return last.Outcome
	}
	return string(r.State)
}
