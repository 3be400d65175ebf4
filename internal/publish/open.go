package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"path/filepath"
	"time"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	pictures "github.com/postrider/postrider/internal/media"
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
	// Forge opens the code host that a remote of the repository is on, to ask who has approved what is due; nil: there is none to ask. It is
	// called only when something is due that needs approval.
	Forge func(remote string) (forge.Forge, error)
}

// ErrNothingCommitted means that the publishing branch does not exist yet.
var ErrNothingCommitted = errors.New("nothing is committed yet")

// ErrNoBranch means that nothing says which branch is published: HEAD is detached, and there is no remote that
// has a default branch.
var ErrNoBranch = errors.New("no branch to publish from")

// Open reads a site as it is merged, and its ledger. With a remote both are fetched first. The desk it
// returns can plan; whoever publishes fills in the fields that sending takes.
func Open(ctx context.Context, o OpenOptions) (*Desk, error) {
	// Leases are of wall-clock time: that of a process alone stands still while its machine sleeps.
	clock := o.Now
	o.Now = func() time.Time { return clock().Round(0) }
	d, err := settle(ctx, o)
	if err != nil {
		return nil, err
	}
	led, commit := d.Ledger, gitrepo.Hash(d.Commit)
	options := agenda.Options{
		Repo: o.Repo, Prefix: o.Prefix, Registry: o.Registry, Env: o.Env, Version: o.Version, Log: o.Log,
	}
	d.Pictures = &pictures.Fitter{Memory: 64 << 20} // a picture often goes to several accounts
	if !o.NoCache {
		options.CacheDir = filepath.Join(o.Repo.CommonDir(), "postrider")
		agenda.Sweep(options.CacheDir, o.Log)
		d.Pictures.Dir = filepath.Join(options.CacheDir, "pictures")
	}
	d.Now, d.Wait, d.Log, d.ownerDead = o.Now, o.Wait, o.Log, o.OwnerDead
	d.JournalDir = filepath.Join(o.Repo.CommonDir(), "postrider", "journal")
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
	d.untimed = func() ([]string, error) {
		a, err := site()
		if err != nil {
			return nil, err
		}
		return a.Untimed()
	}
	d.Plan = func(at time.Time) (*plan.Plan, error) {
		key, err := quickKey(o, commit, led.Tip())
		if err != nil {
			return nil, err
		}
		if p, ok := loadQuick(options.CacheDir, key, at); ok {
			return p, nil
		}
		p, err := d.planWith(at, &learned{})
		if err == nil {
			saveQuick(options.CacheDir, key, p, o.Log)
		}
		return p, err
	}
	d.witnesses = func() (*witnesses, error) {
		a, err := site()
		if err != nil {
			return nil, err
		}
		return newWitnesses(o, a.Config(), options, d.remote, commit), nil
	}
	d.planWith = func(at time.Time, l *learned) (*plan.Plan, error) {
		a, err := site()
		if err != nil {
			return nil, err
		}
		view, err := led.View()
		if err != nil {
			return nil, err
		}
		targets, settled, err := a.Targets(ctx, view)
		if err != nil {
			return nil, err
		}
		p, err := plan.Make(plan.Input{
			Now: at, Targets: targets, Settled: settled, Ledger: view, Rules: plan.RulesOf(a.Config()), Backlog: o.Backlog,
			OwnerDead: o.OwnerDead, Exists: a.Has, Cost: a.Cost, Reached: l.reached, Approved: l.approved,
		})
		if err != nil {
			return nil, err
		}
		for _, broken := range view.Damaged() {
			o.Log.Warn("a file of the ledger cannot be read; what it stands for waits for a person", "file", broken.String())
		}
		return p, nil
	}
	return d, nil
}

// settle finds the publishing branch and the ledger, fetches both, and returns a desk that knows where they are.
//
// Where they are, site.yaml says, and only the merged one counts: a checkout that is old, broken or of
// another branch would lead to a ledger that knows nothing. It is where the search begins.
func settle(ctx context.Context, o OpenOptions) (*Desk, error) {
	_, head, err := o.Repo.Head()
	if err != nil {
		return nil, err
	}
	names, err := placesAt(o, head, places{})
	if err != nil {
		return nil, err
	}
	var branch string
	for range 3 {
		var (
			remote  string
			guessed bool
		)
		if remote, branch, guessed, err = names.resolve(ctx, o); err != nil {
			return nil, err
		}
		options := gitledger.Options{Branch: names.ledger, Remote: remote, Now: o.Now, Wait: o.Wait, Log: o.Log, SiteTitle: names.title}
		if names.ledger == branch {
			if options.Folder, err = sharedFolder(o, remote, branch); err != nil {
				return nil, err
			}
		}
		led := gitledger.New(o.Repo, options)
		commit, err := fetch(ctx, o, led, remote, branch)
		if err != nil {
			return nil, err
		}
		switch {
		case commit == "" && remote != "":
			return nil, fmt.Errorf("%w: as far as is known here, %s has no branch %q", ErrNothingCommitted, remote, branch)
		case commit == "":
			return nil, fmt.Errorf("%w: branch %q has no commit", ErrNothingCommitted, branch)
		}
		merged, err := placesAt(o, commit, names)
		if err != nil {
			return nil, err
		}
		if merged.ledger == names.ledger && merged.remote == names.remote && (o.Branch != "" || merged.branch == names.branch) {
			return &Desk{Branch: branch, Guessed: guessed, Commit: string(commit), Ledger: led, remote: remote, place: path.Join(options.Branch, options.Folder)}, nil
		}
		names = merged
	}
	return nil, fmt.Errorf("site.yaml on branch %q sends on to branch %q: publish.branch and ledger must be the same on both", branch, names.branch)
}

// ErrLedgerInUse means that the ledger is to be on the branch that is checked out, and that there is no remote: each
// run would leave the work tree behind its own branch.
var ErrLedgerInUse = errors.New("the ledger cannot be on the branch that is checked out when there is no remote")

// sharedFolder returns where the ledger stands on the publishing branch itself.
func sharedFolder(o OpenOptions, remote, branch string) (string, error) {
	here, _, err := o.Repo.Head()
	if err != nil {
		return "", err
	}
	if remote == "" && o.Repo.Root() != "" && here == branch {
		return "", fmt.Errorf("%w: branch %q", ErrLedgerInUse, branch)
	}
	return path.Join(o.Prefix, ".postrider"), nil
}

// places is what site.yaml says of where things are; empty for what it does not say.
type places struct {
	branch, ledger, remote string
	title                  string
	file                   gitrepo.Hash // of the site.yaml that says so
}

// placesAt reads them at a commit, unless known are those of the same file. They are the defaults where there is no site.
func placesAt(o OpenOptions, commit gitrepo.Hash, known places) (places, error) {
	cfg := config.Default()
	var file gitrepo.Hash
	if commit != "" {
		tree, err := o.Repo.Tree(commit)
		if err != nil {
			return places{}, err
		}
		if file, err = tree.ID(path.Join(o.Prefix, config.File)); err != nil {
			return places{}, err
		}
		if file != "" && file == known.file {
			return known, nil
		}
		if cfg, _, err = agenda.Config(tree, o.Prefix, o.Registry); errors.Is(err, agenda.ErrNoSite) {
			cfg = config.Default()
		} else if err != nil {
			return places{}, err
		}
	}
	return places{branch: cfg.Publish.Branch, ledger: cfg.Ledger.Branch, remote: cfg.Ledger.Remote, title: cfg.Title, file: file}, nil
}

// resolve returns the remote, empty when there is none, and the publishing branch. It is guessed where nothing says which one that is.
func (p places) resolve(ctx context.Context, o OpenOptions) (remote, branch string, guessed bool, err error) {
	remote, hasRemote, err := o.Repo.DefaultRemote()
	if err != nil {
		return "", "", false, err
	}
	if p.remote != "" {
		remote, hasRemote = p.remote, true
	}
	if !hasRemote {
		remote = ""
	}
	branch = cmp.Or(o.Branch, p.branch)
	if branch == "" && hasRemote {
		if branch, err = o.Repo.DefaultBranch(ctx, remote, !o.Offline); err != nil {
			return "", "", false, err
		}
	}
	guessed = branch == ""
	if guessed && hasRemote {
		if branch, err = o.Repo.RemoteBranch(ctx, remote, false); err != nil {
			return "", "", false, err
		}
	}
	if branch == "" {
		if branch, _, err = o.Repo.Head(); err != nil {
			return "", "", false, err
		}
	}
	if branch == "" {
		return "", "", false, ErrNoBranch
	}
	return remote, branch, guessed, nil
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
