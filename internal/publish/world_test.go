package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	bluesky "github.com/postrider/postrider/internal/adapters/bluesky/fake"
	mastodon "github.com/postrider/postrider/internal/adapters/mastodon/fake"
	webhook "github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

// start is when every world begins: a Tuesday morning in Berlin.
var start = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)

// flushEvery and flushSoon are what the flusher of a run waits for. Such waits end with [clock.tick] alone, all
// others at once, by moving the clock.
const flushEvery, flushSoon = 20 * time.Second, 3 * time.Second

// clock is a clock that only tests and waits move.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	ticks chan struct{}
}

func newClock() *clock { return &clock{now: start, ticks: make(chan struct{})} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	if d == flushEvery || d == flushSoon {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ticks:
			return nil
		}
	}
	c.Advance(d)
	return ctx.Err()
}

// tick lets the flusher of a running run go round once.
func (c *clock) tick() { c.ticks <- struct{}{} }

// The accounts of a world, one for each kind of server.
const (
	bsky = "bsky"
	fedi = "fedi"
	gts  = "gts"
	hook = "hook"
)

var all = []string{bsky, fedi, gts, hook}

// world is a site with a bare remote, and the networks that it posts to.
type world struct {
	t      *testing.T
	clock  *clock
	remote string
	bare   *gitrepo.Repo // the remote itself
	fakes  map[string]fakenet.Fake
	urls   map[string]string
	mu     sync.Mutex
	env    map[string]string
	log    bytes.Buffer
	logMu  sync.Mutex
	files  map[string][]byte // the site as it was committed last
	http   *http.Client
	shift  time.Duration // how wrong the clocks of the machines that publish are
}

const (
	blueskyPassword = "abcd-efgh-ijkl-mnop"
	fediToken       = "token-of-fedi"
	gtsToken        = "token-of-gts"
	hookSecret      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// newWorld returns a world whose site has posts, by name, and whose ledger has been in use before.
func newWorld(t *testing.T, posts map[string]string) *world {
	t.Helper()
	w := newEmptyWorld(t, posts)
	l := w.ledger()
	if err := l.Begin(t.Context(), ledger.Opening{Format: ledger.Format, Began: start.AddDate(-1, 0, 0)}, nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Claim(t.Context(), "begin", []*ledger.Record{{Post: seed, Account: bsky, State: ledger.Skipped, At: start.Add(-time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	return w
}

// seed is a post of which every ledger that has been in use knows.
const seed = "seed0000"

// ledger returns the remote's ledger.
func (w *world) ledger() *gitledger.Ledger {
	w.t.Helper()
	l := gitledger.New(w.bare, gitledger.Options{Branch: "postrider/ledger", Now: w.clock.Now, Wait: w.clock.Wait, Log: slog.New(slog.DiscardHandler)})
	if _, err := l.Fetch(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// newEmptyWorld returns a world that has no ledger yet.
func newEmptyWorld(t *testing.T, posts map[string]string) *world {
	t.Helper()
	t.Parallel()
	w := &world{t: t, clock: newClock(), remote: filepath.Join(t.TempDir(), "remote.git"), fakes: map[string]fakenet.Fake{}, urls: map[string]string{}, files: map[string][]byte{}}
	w.serve(bsky, func(base string) fakenet.Fake {
		return bluesky.New(bluesky.Options{Base: base, Now: w.clock.Now, Accounts: []bluesky.Account{{Handle: "acme.example", Password: blueskyPassword}}})
	})
	w.serve(fedi, func(base string) fakenet.Fake {
		return mastodon.New(mastodon.Config{Base: base, Now: w.clock.Now, Tokens: map[string]string{fediToken: "acme"}})
	})
	w.serve(gts, func(base string) fakenet.Fake {
		return mastodon.New(mastodon.Config{Base: base, Now: w.clock.Now, Tokens: map[string]string{gtsToken: "acme"}, GoToSocial: true})
	})
	w.serve(hook, func(base string) fakenet.Fake {
		return webhook.New(webhook.Options{Base: base, Secret: hookSecret, Now: w.clock.Now})
	})
	w.env = map[string]string{
		"POSTRIDER_BSKY_APP_PASSWORD": blueskyPassword, "POSTRIDER_FEDI_ACCESS_TOKEN": fediToken,
		"POSTRIDER_GTS_ACCESS_TOKEN": gtsToken, "POSTRIDER_HOOK_SECRET": hookSecret,
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			return nil, fmt.Errorf("%s is not on this machine", address)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	w.http = &http.Client{Transport: transport}

	var err error
	if w.bare, err = gitrepo.Init(w.remote, true, "main"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.bare.Close() })
	files := map[string]string{"site.yaml": w.site("")}
	for name, text := range posts {
		files["content/"+name+".md"] = text
	}
	w.commit(files)
	t.Cleanup(func() {
		if t.Failed() {
			w.logMu.Lock()
			defer w.logMu.Unlock()
			t.Logf("log:\n%s", w.log.String())
		}
	})
	return w
}

func (w *world) serve(account string, make func(base string) fakenet.Fake) {
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	fake := make(base)
	server.Config.Handler = fake
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	w.fakes[account], w.urls[account] = fake, base
	w.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

// site returns a site.yaml with more lines at its end.
func (w *world) site(more string) string {
	return fmt.Sprintf(`title: Acme
url: https://acme.example
timezone: Europe/Berlin
accounts:
  bsky: {platform: bluesky, handle: acme.example, server: %q}
  fedi: {platform: mastodon, server: %q}
  gts: {platform: mastodon, server: %q, software: gotosocial}
  hook: {platform: webhook, url: %q}
defaults: {platforms: [bsky, fedi, gts, hook], language: en}
`, w.urls[bsky], w.urls[fedi], w.urls[gts], w.urls[hook]+webhook.Path) + more
}

// post returns the file of a post that is due an hour before the world begins, for all accounts unless
// head says otherwise.
func post(id, head, body string) string {
	if !strings.Contains(head, "publish_at") {
		head += "publish_at: 2026-12-01 08:00\n"
	}
	return "---\nid: " + id + "\ntitle: Title of " + id + "\n" + head + "---\n" + body + "\n"
}

// clone returns a new clone of the remote.
func (w *world) clone() *gitrepo.Repo {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "clone")
	repo, err := gitrepo.Init(dir, false, "main")
	if err == nil {
		err = errors.Join(repo.AddRemote("origin", w.remote), repo.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.openRepo(dir)
}

// here opens the remote itself, for runs to which it does not matter that there are clones: they start no git.
func (w *world) here() *gitrepo.Repo {
	w.t.Helper()
	return w.openRepo(w.remote)
}

func (w *world) openRepo(dir string) *gitrepo.Repo {
	w.t.Helper()
	repo, err := gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { repo.Close() })
	return repo
}

// commit changes files on the remote's main, "" removing one.
func (w *world) commit(files map[string]string) {
	w.t.Helper()
	w.commitTo(w.bare, files)
}

func (w *world) commitTo(repo *gitrepo.Repo, files map[string]string) (before, after gitrepo.Hash) {
	w.t.Helper()
	before, err := repo.Ref("refs/heads/main")
	if err != nil {
		w.t.Fatal(err)
	}
	changes := map[string][]byte{}
	for name, text := range files {
		changes[name] = []byte(text)
		if text == "" {
			changes[name] = nil
		}
	}
	after, err = repo.Commit(w.t.Context(), gitrepo.Commit{Branch: "main", Parent: before, Files: changes, Message: "change the site", Name: "Anna", Email: "anna@acme.example", Time: w.clock.Now()})
	if err != nil {
		w.t.Fatal(err)
	}
	return before, after
}

// Write takes the log of all runs.
func (w *world) Write(b []byte) (int, error) {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.log.Write(b)
}

func (w *world) lookup(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.env[name]
}

func (w *world) setenv(name, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.env[name] = value
}

// setup is how a run differs from the usual one.
type setup struct {
	open func(*publish.OpenOptions)
	desk func(*publish.Desk)
	// before and after see every request to a network.
	before, after func(*http.Request)
	// broken reports whether the network is out of reach for a request, and refused whether no connection is made.
	broken, refused func(*http.Request) bool
	// absent reports whether the network does not know what a request asks for.
	absent func(*http.Request) bool
}

// RoundTrip lets before and after see a request.
type watched struct {
	setup
	base http.RoundTripper
}

func (t watched) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.before != nil {
		t.before(r)
	}
	if t.broken != nil && t.broken(r) {
		return nil, errors.New("the network is down")
	}
	if t.refused != nil && t.refused(r) {
		httptrace.ContextClientTrace(r.Context()).GetConn(r.URL.Host)
		return nil, errors.New("connection refused")
	}
	if t.absent != nil && t.absent(r) {
		return &http.Response{
			Status: "404 Not Found", StatusCode: http.StatusNotFound, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
			Body: io.NopCloser(strings.NewReader(`{"error":"Record not found"}`)), Request: r,
		}, nil
	}
	resp, err := t.base.RoundTrip(r)
	if t.after != nil {
		t.after(r)
	}
	return resp, err
}

var runs struct {
	sync.Mutex
	n int
}

func runName() string {
	runs.Lock()
	defer runs.Unlock()
	runs.n++
	return fmt.Sprintf("run-%d", runs.n)
}

// open opens a desk in a clone.
func (w *world) open(repo *gitrepo.Repo, s setup) (*publish.Desk, error) {
	shift := w.shift
	now := func() time.Time { return w.clock.Now().Add(shift) }
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := publish.OpenOptions{
		Repo: repo, Registry: adapters.All(), Env: w.lookup, Version: "test", Now: now, Wait: w.clock.Wait, Log: log,
		OwnerDead: func(owner string) bool { return owner == "dead" },
	}
	if s.open != nil {
		s.open(&o)
	}
	d, err := publish.Open(w.t.Context(), o)
	if err != nil {
		return nil, err
	}
	d.Run, d.Owner, d.AllowPrivate = runName(), "", true
	d.HTTP = &http.Client{Transport: watched{s, w.http.Transport}}
	if s.desk != nil {
		s.desk(d)
	}
	return d, nil
}

// try makes a run and returns what it says.
func (w *world) try(repo *gitrepo.Repo, s setup) (*publish.Report, error) {
	w.t.Helper()
	d, err := w.open(repo, s)
	if err != nil {
		return nil, err
	}
	return d.Do(w.t.Context())
}

// run makes a run in a clone and fails the test unless it could be made.
func (w *world) run(repo *gitrepo.Repo) *publish.Report {
	w.t.Helper()
	return w.runAs(repo, setup{})
}

func (w *world) runAs(repo *gitrepo.Repo, s setup) *publish.Report {
	w.t.Helper()
	report, err := w.try(repo, s)
	if err != nil {
		w.t.Fatalf("run: %v", err)
	}
	return report
}

// settle lets a quarter of an hour pass and runs again, until nothing is left to do.
func (w *world) settle() {
	w.t.Helper()
	repo := w.here()
	for range 8 {
		w.clock.Advance(20 * time.Minute)
		if report := w.run(repo); len(report.Deliveries) == 0 {
			return
		}
	}
	w.t.Error("nothing settles")
}

// records returns all records as the remote has them, by id.
func (w *world) records() map[string]*ledger.Record {
	w.t.Helper()
	return w.recordsOf(w.ledger())
}

func (w *world) recordsOf(l *gitledger.Ledger) map[string]*ledger.Record {
	w.t.Helper()
	view, err := l.View()
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]*ledger.Record{}
	err = view.Each(func(r *ledger.Record) error {
		id := r.ID().String()
		if found[id] != nil {
			w.t.Errorf("the ledger has two records of %s: %s and %s", id, found[id].State, r.State)
		}
		if r.Post != seed {
			found[id] = r
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if broken := view.Damaged(); len(broken) > 0 {
		w.t.Errorf("damaged: %v", broken)
	}
	return found
}

// state returns the state of a record on the remote.
func (w *world) state(id string) ledger.State {
	w.t.Helper()
	if r := w.records()[id]; r != nil {
		return r.State
	}
	return ""
}

// created fails the test unless each account's network has created want posts, ever.
func (w *world) created(want int, accounts ...string) {
	w.t.Helper()
	if len(accounts) == 0 {
		accounts = all
	}
	for _, account := range accounts {
		if got := w.fakes[account].Creations(); got != want {
			w.t.Errorf("%s: %d posts were created, want %d", account, got, want)
		}
	}
}

// consistent fails the test unless the ledger says of every published record what its network has, and
// every post on a network belongs to exactly one record.
func (w *world) consistent() {
	w.t.Helper()
	owned := map[string]map[string]string{}
	for id, r := range w.records() {
		if r.Lease != nil {
			w.t.Errorf("%s still has the lease %+v", id, r.Lease)
		}
		if r.State != ledger.Published {
			continue
		}
		if len(r.Parts) == 0 || r.PublishedAt.IsZero() {
			w.t.Errorf("%s is published and has no parts or no time: %+v", id, r)
		}
		for _, p := range r.Parts {
			if owned[r.Account] == nil {
				owned[r.Account] = map[string]string{}
			}
			remote, _, _ := strings.Cut(p.ID, "#")
			if other := owned[r.Account][remote]; other != "" && other != id {
				w.t.Errorf("%s and %s both own %s", id, other, p.ID)
			}
			owned[r.Account][remote] = id
			if !slices.ContainsFunc(w.fakes[r.Account].Posts(), func(q fakenet.Post) bool { return q.ID == remote || q.ID == p.ID }) {
				w.t.Errorf("%s says %s, which %s does not have", id, p.ID, r.Account)
			}
			if p.URL == "" && r.Account != hook {
				w.t.Errorf("%s has no address for %s", id, p.ID)
			}
		}
	}
	for account, fake := range w.fakes {
		for _, p := range fake.Posts() {
			remote, _, _ := strings.Cut(p.ID, "#")
			if owned[account][remote] == "" {
				w.t.Errorf("%s has %q (%s), of which the ledger knows nothing", account, p.Text, p.ID)
			}
		}
	}
}

// exactlyOnce fails the test unless every account has n posts, each created once and on record.
func (w *world) exactlyOnce(n int, accounts ...string) {
	w.t.Helper()
	w.created(n, accounts...)
	w.consistent()
}

// waiting returns the states of what waits, as "post@account state", sorted.
func waiting(r *publish.Report) []string {
	var lines []string
	for _, x := range r.Waiting {
		lines = append(lines, fmt.Sprintf("%s@%s %s", x.Post, x.Account, x.State))
	}
	slices.Sort(lines)
	return lines
}

// results returns what became of a run's deliveries, as "post@account outcome", sorted.
func results(r *publish.Report) []string {
	var lines []string
	for _, x := range r.Deliveries {
		lines = append(lines, fmt.Sprintf("%s@%s %s", x.Post, x.Account, x.Outcome))
	}
	slices.Sort(lines)
	return lines
}

// texts returns what an account shows, oldest first.
func (w *world) texts(account string) []string {
	var texts []string
	for _, p := range w.fakes[account].Posts() {
		texts = append(texts, p.Text)
	}
	return texts
}

// unplug takes the remote away and returns what brings it back.
func (w *world) unplug() (plug func()) {
	w.t.Helper()
	if err := os.Rename(w.remote, w.remote+".away"); err != nil {
		w.t.Error(err)
	}
	return func() {
		if err := os.Rename(w.remote+".away", w.remote); err != nil {
			w.t.Error(err)
		}
	}
}

// crash runs from a clone of its own until a moment at which the machine dies: whatever the run still does
// after it reaches nobody, and its clone is gone. at tells by each request whether that moment is before it
// or after it was answered.
func (w *world) crash(owner string, at func(r *http.Request, answered bool) bool) {
	w.t.Helper()
	w.crashIn(w.clone(), owner, at)
}

// crashIn crashes in a clone that stays.
func (w *world) crashIn(repo *gitrepo.Repo, owner string, at func(r *http.Request, answered bool) bool) {
	w.t.Helper()
	if !w.mayCrash(repo, owner, at) {
		w.t.Fatal("the run did not reach the moment at which it was to crash")
	}
}

// mayCrash crashes if the moment comes, and reports whether it did.
func (w *world) mayCrash(repo *gitrepo.Repo, owner string, at func(r *http.Request, answered bool) bool) bool {
	w.t.Helper()
	var once sync.Once
	dead := make(chan struct{})
	var plug func()
	die := func() {
		once.Do(func() { plug = w.unplug(); close(dead) })
	}
	gone := func() bool {
		select {
		case <-dead:
			return true
		default:
			return false
		}
	}
	s := setup{
		desk: func(d *publish.Desk) { d.Owner = owner },
		before: func(r *http.Request) {
			if gone() {
				runtime.Goexit()
			}
			if at(r, false) {
				die()
				runtime.Goexit()
			}
		},
		after: func(r *http.Request) {
			if at(r, true) {
				die()
			}
			if gone() {
				runtime.Goexit()
			}
		},
	}
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { _, err = w.try(repo, s) }) // which may die, too
	wg.Wait()
	if err != nil && !gone() { // it may die before it has claimed anything
		w.t.Fatalf("the run that was to crash: %v", err)
	}
	if plug != nil {
		plug()
	}
	return gone()
}

// creates reports whether a request creates a post.
func creates(r *http.Request) bool {
	return r.Method == http.MethodPost && (strings.HasSuffix(r.URL.Path, "/api/v1/statuses") || strings.HasSuffix(r.URL.Path, "putRecord") || r.URL.Path == webhook.Path)
}

func skipBacklog(o *publish.OpenOptions)    { o.Backlog = plan.BacklogSkip }
func publishBacklog(o *publish.OpenOptions) { o.Backlog = plan.BacklogPublish }

// git runs git in the remote, as a person would.
func (w *world) git(args ...string) string {
	w.t.Helper()
	out, err := exec.CommandContext(w.t.Context(), "git", append([]string{"-C", w.remote}, args...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// commitOf is a commit of one file by a person; nil removes it.
func commitOf(branch string, parent gitrepo.Hash, name string, content []byte, at time.Time) gitrepo.Commit {
	return gitrepo.Commit{Branch: branch, Parent: parent, Files: map[string][]byte{name: content}, Message: "by hand", Name: "Anna", Email: "anna@acme.example", Time: at}
}
