package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
)

// OpenOptions are the inputs of [Open].
type OpenOptions struct {
	Repo     *gitrepo.Repo
	Prefix   string // the site's folder inside the repository
	Branch   string // the publishing branch; empty: site.yaml's, else the remote's default, else the current one
	Offline  bool   // do not ask the remote: plan with what is here. Such a desk must not publish
	NoCache  bool
	Registry *platform.Registry
	Env      func(string) string
	Version  string // of the program
	Backlog  plan.Backlog
	Now      func() time.Time
	Wait     func(context.Context, time.Duration) error
	Log      *slog.Logger
	// OwnerDead reports whether the process that holds a lease is proved dead.
	OwnerDead func(owner string) bool
}

// ErrNothingCommitted means that the publishing branch does not exist yet.
var ErrNothingCommitted = errors.New("nothing is committed yet")

// ErrNoBranch means that nothing says which branch is published: HEAD is detached, and there is no remote that
// has a default branch.
var ErrNoBranch = errors.New("no branch to publish from")

// Open reads a site as it is merged, and its ledger. With a remote both are fetched first. The desk it
// returns can plan; whoever publishes fills in the fields that sending takes.
func Open(ctx context.Context, o OpenOptions) (*Desk, error) {
	remote, hasRemote, err := o.Repo.DefaultRemote()
	if err != nil {
		return nil, err
	}
	here, err := localConfig(o)
	if err != nil {
		return nil, err
	}
	if here.Ledger.Remote != "" {
		remote, hasRemote = here.Ledger.Remote, true
	}
	if !hasRemote {
		remote = ""
	}
	branch := cmp.Or(o.Branch, here.Publish.Branch)
	if branch == "" && hasRemote {
		if branch, err = o.Repo.RemoteBranch(ctx, remote, !o.Offline); err != nil {
			return nil, err
		}
	}
	if branch == "" {
		if branch, _, err = o.Repo.Head(); err != nil {
			return nil, err
		}
	}
	if branch == "" {
		return nil, ErrNoBranch
	}
	led := gitledger.New(o.Repo, gitledger.Options{
		Branch: here.Ledger.Branch, Remote: remote, Now: o.Now, Wait: o.Wait, Log: o.Log, SiteTitle: here.Title,
	})

	commit, err := fetch(ctx, o, led, remote, branch)
	if err != nil {
		return nil, err
	}
	if commit == "" {
		return nil, fmt.Errorf("%w: branch %q has no commit", ErrNothingCommitted, branch)
	}
	options := agenda.Options{
		Repo: o.Repo, Prefix: o.Prefix, Registry: o.Registry, Env: o.Env, Version: o.Version, Log: o.Log,
	}
	if !o.NoCache {
		options.CacheDir = filepath.Join(o.Repo.CommonDir(), "postrider")
	}
	d := &Desk{Branch: branch, Commit: string(commit), Ledger: led, Now: o.Now, Wait: o.Wait, Log: o.Log}
	if d.NoMemory, err = empty(led); err != nil {
		return nil, err
	}
	d.Refresh = func(ctx context.Context) error {
		_, err := led.Fetch(ctx)
		return err
	}
	d.SiteAt = func(commit string) (Site, error) {
		earlier := options
		earlier.CacheDir = ""
		return agenda.At(earlier, gitrepo.Hash(commit))
	}
	var open *agenda.Agenda // read only when the quick answer does not do
	site := func() (*agenda.Agenda, error) {
		if open == nil {
			a, err := agenda.Open(ctx, options, commit)
			if err != nil {
				return nil, err
			}
			open = a
		}
		return open, nil
	}
	d.open = func() (Site, error) { return site() }
	d.Plan = func(at time.Time) (*plan.Plan, error) {
		key, err := quickKey(o, commit, led.Tip())
		if err != nil {
			return nil, err
		}
		if p, ok := loadQuick(options.CacheDir, key, at); ok {
			return p, nil
		}
		a, err := site()
		if err != nil {
			return nil, err
		}
		view, err := led.View()
		if err != nil {
			return nil, err
		}
		targets, err := a.Targets(ctx, view)
		if err != nil {
			return nil, err
		}
		p, err := plan.Make(plan.Input{Now: at, Targets: targets, Ledger: view, Rules: Rules(a.Config()), Backlog: o.Backlog, OwnerDead: o.OwnerDead})
		if err != nil {
			return nil, err
		}
		for _, broken := range view.Damaged() {
			o.Log.Warn("a file of the ledger cannot be read; what it stands for waits for a person", "file", broken.Path, "err", broken.Err)
		}
		saveQuick(options.CacheDir, key, p, o.Log)
		return p, nil
	}
	return d, nil
}

// empty reports whether the ledger remembers nothing.
func empty(led *gitledger.Ledger) (bool, error) {
	view, err := led.View()
	if err != nil {
		return false, err
	}
	return view.Empty()
}

// localConfig reads the site.yaml that is at hand, for the names of branches and remote only.
func localConfig(o OpenOptions) (*config.Site, error) {
	_, head, err := o.Repo.Head()
	if err != nil {
		return nil, err
	}
	if head == "" {
		return config.Default(), nil
	}
	tree, err := o.Repo.Tree(head)
	if err != nil {
		return nil, err
	}
	cfg, _, err := agenda.Config(tree, o.Prefix, o.Registry)
	if errors.Is(err, agenda.ErrNoSite) {
		return config.Default(), nil
	}
	return cfg, err
}

// fetch settles the ledger and returns the tip of the publishing branch: the remote's where there is one.
func fetch(ctx context.Context, o OpenOptions, led *gitledger.Ledger, remote, branch string) (gitrepo.Hash, error) {
	if remote == "" {
		if _, err := led.Fetch(ctx); err != nil {
			return "", err
		}
		return o.Repo.Ref("refs/heads/" + branch)
	}
	if o.Offline {
		if err := led.Offline(); err != nil {
			return "", err
		}
		return o.Repo.Ref("refs/remotes/" + remote + "/" + branch)
	}
	heads, err := led.Fetch(ctx, branch)
	if err != nil {
		return "", err
	}
	return heads["refs/heads/"+branch], nil
}

// Rules returns the rules of a site that planning follows.
func Rules(c *config.Site) plan.Rules {
	return plan.Rules{
		LateAfter: c.Schedule.Late.After, LateThen: c.Schedule.Late.Then, MaxPerRun: c.Schedule.MaxPerRun, Held: c.HeldBy,
		Quiet: func(t time.Time) (time.Time, bool) { return c.Schedule.QuietUntil(t, c.Location) },
	}
}
