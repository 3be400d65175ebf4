package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/sandbox"
)

// The sample site's story: when the demo's clock starts, and where its accounts stand in site.yaml.
var (
	demoClock    = "2026-12-03 09:05"
	demoZone     = "Europe/Berlin"
	demoAccounts = []struct {
		platform platform.ID
		account  string
		handle   string
		address  string // as the sample's site.yaml has it, once
	}{
		{"bluesky", "bluesky", "fichtl.example", "https://bsky.social"},
		{"mastodon", "fedi", "fichtl", "https://alpen.example"},
		{"webhook", "newsletter", "", "https://hooks.fichtl.example/postrider"},
	}
)

type demoFlags struct {
	once    bool
	keep    bool
	fault   string
	address string
}

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: groupWrite,
		Short:   "A tour without any account: a sandbox, a sample site, one publish",
		Long: `Publish the sample site to a sandbox on this machine. The demo makes a temporary git repository
with a remote, starts a stand-in for every network, publishes what is due through the real
adapters, shows what went where, and serves the networks' timelines until it is interrupted.

Nothing leaves this machine, and no account is needed. The demo has a clock of its own, which
starts on the day of the sample's story.

With --fault the networks fail once, and the demo shows how the next run recovers:

` + faultHelp(),
		Example: `  postrider demo
  postrider demo --once
  postrider demo --fault timeout-after-accept`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.fault != "" && !isFault(f.fault) {
				return &usageError{msg: fmt.Sprintf("there is no fault %q", f.fault), hint: "faults are " + strings.Join(faultNames(), ", ")}
			}
			return a.demo(cmd.Context(), f)
		},
	}
	cmd.Flags().BoolVar(&f.once, "once", false, "end after publishing instead of serving the timelines")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "keep the temporary folder with the repositories")
	cmd.Flags().StringVar(&f.fault, "fault", "", "let every network fail once in this `WAY`")
	cmd.Flags().StringVar(&f.address, "address", "127.0.0.1:0", "where to serve the timelines")
	return cmd
}

// demoFaults are the faults that mean something to a person who watches.
func demoFaults() []fakenet.FaultDoc {
	var docs []fakenet.FaultDoc
	for _, d := range fakenet.AllFaults() {
		if d.Fault != fakenet.Redirect { // it needs another host
			docs = append(docs, d)
		}
	}
	return docs
}

func faultHelp() string {
	var b strings.Builder
	for _, d := range demoFaults() {
		fmt.Fprintf(&b, "  %-26s the network %s\n", d.Fault, d.Help)
	}
	return b.String()
}

func faultNames() []string {
	var names []string
	for _, d := range demoFaults() {
		names = append(names, string(d.Fault))
	}
	return names
}

func isFault(name string) bool {
	for _, d := range demoFaults() {
		if string(d.Fault) == name {
			return true
		}
	}
	return false
}

// demoWorld is a demo that runs.
type demoWorld struct {
	a       *app
	dir     string
	remote  string
	repo    *gitrepo.Repo
	box     *sandbox.Sandbox
	secrets map[string]string // environment variables

	mu    sync.Mutex
	start time.Time // of the real clock
	story time.Time // what the demo's clock showed then
}

// now is the demo's clock: it starts at the story's time and goes at the pace of the real one.
func (w *demoWorld) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.story.Add(w.a.Now().Sub(w.start))
}

// advance moves the demo's clock forward to a time.
func (w *demoWorld) advance(to time.Time) {
	if d := to.Sub(w.now()); d > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.story = w.story.Add(d)
	}
}

func (a *app) demo(ctx context.Context, f demoFlags) (err error) {
	w := &demoWorld{a: a, start: a.Now(), secrets: map[string]string{}}
	zone, err := time.LoadLocation(demoZone)
	if err != nil {
		return err
	}
	if w.story, err = time.ParseInLocation("2006-01-02 15:04", demoClock, zone); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "postrider-demo-"); err != nil {
		return &failedError{err: fmt.Errorf("make a folder for the demo: %w", err), hint: "TMPDIR names another place"}
	}
	defer func() {
		if w.repo != nil {
			err = errors.Join(err, w.repo.Close())
		}
		if !f.keep {
			err = errors.Join(err, os.RemoveAll(w.dir))
		}
	}()
	if err := w.startNetworks(ctx, f.address); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.box.Close()) }()
	posts, err := w.makeSite(ctx)
	if err != nil {
		return err
	}

	s := a.stdoutStyle()
	a.printf("%s\n\n", s.bold("Postrider demo"))
	a.printf("The sample site, %s, is in a temporary git repository with a remote:\n  %s\n", count(posts, "post"), w.dir)
	a.printf("Its networks are stand-ins on this machine; nothing leaves it. The demo's clock starts at\n%s, on a morning of the sample's story.\n", clockTime(w.now()))
	report, err := w.publishAll(ctx, f)
	if err != nil {
		return err
	}
	if err := w.printLog(ctx); err != nil {
		return err
	}
	failed := report.Failed()
	if f.once {
		if failed > 0 {
			return errFindings
		}
		return nil
	}
	a.printf("\n%s\n", s.bold("Look around"))
	a.printf("  %s  the networks' timelines\n", s.under(w.box.URL()))
	a.printf("  git -C %s log postrider/ledger\n", w.remote)
	a.printf("Press Ctrl-C to end; the temporary folder is %s.\n", map[bool]string{true: "kept", false: "removed"}[f.keep])
	a.graceful()
	select {
	case <-a.stop:
	case <-ctx.Done():
	}
	return nil
}

func (w *demoWorld) startNetworks(ctx context.Context, address string) (err error) {
	o := sandbox.Options{
		Registry: w.a.Registry, Handles: map[platform.ID]string{}, Address: address, Now: w.now,
		Note: "The timelines of the demo's networks.",
	}
	for _, acc := range demoAccounts {
		o.Platforms = append(o.Platforms, acc.platform)
		o.Handles[acc.platform] = acc.handle
	}
	w.box, err = sandbox.Start(ctx, o)
	if err != nil {
		return &failedError{err: err, hint: "--address takes another address, such as 127.0.0.1:0"}
	}
	for i, r := range w.box.Networks() {
		for name, value := range r.Secrets {
			w.secrets[platform.EnvName(demoAccounts[i].account, name)] = value
		}
	}
	return nil
}

// makeSite writes the sample site, with the sandbox's addresses, into a repository with a bare remote.
func (w *demoWorld) makeSite(ctx context.Context) (posts int, err error) {
	files := map[string][]byte{}
	err = fs.WalkDir(w.a.Sample, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(w.a.Sample, name)
		if strings.HasSuffix(name, ".md") && !strings.EqualFold(filepath.Base(name), "README.md") {
			posts++
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the sample site: %w", err)
	}
	text := string(files[config.File])
	for i, r := range w.box.Networks() {
		if strings.Count(text, demoAccounts[i].address) != 1 {
			return 0, fmt.Errorf("the sample's site.yaml does not have %q once", demoAccounts[i].address)
		}
		text = strings.Replace(text, demoAccounts[i].address, r.Base+r.Path, 1)
	}
	files[config.File] = []byte(text)

	w.remote = filepath.Join(w.dir, "remote.git")
	bare, err := gitrepo.Init(w.remote, true, "main")
	if err != nil {
		return 0, err
	}
	if err := bare.Close(); err != nil {
		return 0, err
	}
	clone := filepath.Join(w.dir, "site")
	fresh, err := gitrepo.Init(clone, false, "main")
	if err != nil {
		return 0, err
	}
	if err := errors.Join(fresh.AddRemote("origin", w.remote), fresh.Close()); err != nil {
		return 0, err
	}
	for name, b := range files {
		file := filepath.Join(clone, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // a sample
			return 0, err
		}
		if err := os.WriteFile(file, b, 0o644); err != nil { //nolint:gosec // a sample
			return 0, err
		}
	}
	if w.repo, err = w.a.openGit(clone); err != nil {
		return 0, err
	}
	commit, err := w.repo.Commit(ctx, gitrepo.Commit{
		Branch: "main", Files: files, Message: "The sample site", Name: "Vroni Fichtl", Email: "vroni@fichtl.example", Time: w.now(),
	})
	if err != nil {
		return 0, err
	}
	return posts, w.repo.Push(ctx, "origin", "main", "", commit)
}

// publishAll runs publish, and after a fault runs it again until nothing moves any more.
func (w *demoWorld) publishAll(ctx context.Context, f demoFlags) (*publish.Report, error) {
	a, s := w.a, w.a.stdoutStyle()
	if f.fault != "" {
		w.box.Inject(fakenet.Plan{Fault: fakenet.Fault(f.fault), Hang: time.Second})
		a.printf("\nEach network is about to fail once: it %s.\n", faultDoc(f.fault))
	}
	a.printf("\n%s\n", s.bold("$ postrider publish"))
	report, err := w.run(ctx)
	if err != nil || f.fault == "" {
		return report, err
	}
	switch fakenet.Fault(f.fault) {
	case fakenet.ExpiredToken, fakenet.Forbidden:
		w.box.Inject(fakenet.Plan{})
		a.printf("\nSomebody mends the accounts, and the same command goes on.\n")
	case fakenet.Refuse:
		a.printf("\nWhat was refused waits for another text; the same command leaves it alone.\n")
	}
	for try := 0; try < 4 && report.Failed() > 0; try++ {
		if again := retryTime(report); !again.IsZero() && again.After(w.now()) {
			w.advance(again)
			a.printf("\nThe demo's clock moves on to %s.\n", clockTime(w.now()))
		}
		a.printf("\n%s\n", s.bold("$ postrider publish"))
		if report, err = w.run(ctx); err != nil {
			return report, err
		}
	}
	a.printf("\n%s\n", s.bold("What the networks say"))
	for _, r := range w.box.Networks() {
		a.printf("  %-10s %s arrived, %d created, %d there now\n", r.Name, count(len(r.Fake.Calls()), "request"), r.Fake.Creations(), len(r.Fake.Posts()))
	}
	return report, nil
}

func faultDoc(name string) string {
	for _, d := range demoFaults() {
		if string(d.Fault) == name {
			return d.Help
		}
	}
	return name
}

// retryTime returns when everything that failed may be tried again.
func retryTime(r *publish.Report) (t time.Time) {
	for i := range r.Deliveries {
		if at := r.Deliveries[i].RetryAt; at.After(t) {
			t = at
		}
	}
	return t
}

// run publishes once, with the demo's clock and secrets.
func (w *demoWorld) run(ctx context.Context) (*publish.Report, error) {
	a := w.a
	desk, err := publish.Open(ctx, publish.OpenOptions{
		Repo: w.repo, Registry: a.Registry, Env: func(name string) string { return w.secrets[name] }, Version: buildVersion().String(),
		Now: w.now, Wait: a.Wait, Log: a.log, OwnerDead: ownerDead,
	})
	if err != nil {
		return nil, err
	}
	if desk.Run, err = a.runID(); err != nil {
		return nil, err
	}
	progress := newProgress(a)
	desk.Owner, desk.HTTP, desk.Stop, desk.Progress = processOwner(), a.HTTP, a.stop, progress.event
	desk.Tries = publishTries // as the real publish has it
	report, err := desk.Do(ctx)
	progress.clear()
	if err != nil {
		return report, err
	}
	a.printReport(report)
	return report, report.RecordErr
}

// printLog shows what is planned next and what the ledger's branch says by now.
func (w *demoWorld) printLog(ctx context.Context) error {
	a, s := w.a, w.a.stdoutStyle()
	desk, err := publish.Open(ctx, publish.OpenOptions{
		Repo: w.repo, Registry: a.Registry, Env: func(string) string { return "" }, Version: buildVersion().String(), Now: w.now, Wait: a.Wait, Log: a.log,
	})
	if err != nil {
		return err
	}
	p, err := desk.Plan(w.now())
	if err != nil {
		return err
	}
	a.printf("\n%s\n", s.bold("Coming up"))
	printed := 0
	for _, w := range comingUp(p) {
		if printed == 5 {
			break
		}
		a.printf("  %s  %s → %s\n", clockTime(w.at), oneLine(w.title), strings.Join(w.accounts, ", "))
		printed++
	}
	a.printf("\n%s\n", s.bold("$ git log "+config.DefaultLedgerBranch))
	return w.repo.Log(desk.Ledger.Tip(), 10, func(c gitrepo.CommitInfo) error {
		a.printf("  %s  %s\n", s.dim(c.Hash.Short()), oneLine(c.Subject))
		return nil
	})
}

// upcoming is one post that goes out later.
type upcoming struct {
	at       time.Time
	path     string
	title    string
	accounts []string
}

// comingUp returns the posts that wait for their time, soonest first.
func comingUp(p *plan.Plan) []upcoming {
	var list []upcoming
	for _, w := range sortedByTime(p.Waiting) {
		if n := len(list); n > 0 && list[n-1].path == w.Path && list[n-1].at.Equal(w.Until) {
			list[n-1].accounts = append(list[n-1].accounts, w.Account)
			continue
		}
		list = append(list, upcoming{w.Until, w.Path, cmp.Or(w.Title, w.Path), []string{w.Account}})
	}
	return list
}
