package cli

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/postrider/postrider/internal/daemon"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

// served is a site of the daemon, with its own surroundings.
type served struct {
	a       *app
	dir     string // the site's folder, or its bare repository
	flags   deskFlags
	sending sendFlags
	lookup  func(string) string // the site's secrets
	log     *slog.Logger
}

// ownSite returns the site that the program was started in.
func (a *app) ownSite(f daemonFlags) ([]daemon.Site, error) {
	dir, err := a.safeSiteDir()
	if _, none := errors.AsType[*noSiteError](err); none {
		dir = a.dir // a bare repository has no site.yaml lying about
	} else if err != nil {
		return nil, err
	} else if err := a.loadDotenv(dir); err != nil {
		return nil, err
	}
	const name = "site"
	s := &served{a: a, dir: dir, flags: deskFlags{branch: f.branch}, sending: f.sending, lookup: a.lookup, log: a.log.With("site", name)}
	return []daemon.Site{{Name: name, Fetch: f.fetch, Open: s.open}}, nil
}

// open fetches the site and opens it for one run.
func (s *served) open(ctx context.Context) (_ daemon.Desk, err error) {
	repo, err := s.a.openGit(s.dir)
	if err != nil {
		return nil, err
	}
	desk := &servedDesk{served: s, repo: repo}
	defer func() {
		if err != nil {
			err = errors.Join(err, repo.Close())
		}
	}()
	prefix, err := repo.Prefix(s.dir)
	if err != nil {
		return nil, err
	}
	remotes, err := repo.Remotes()
	if err != nil {
		return nil, err
	}
	for _, r := range remotes {
		desk.remotes = append(desk.remotes, r.URL)
	}
	o := s.a.openOptions(repo, prefix, s.flags)
	o.Env, o.Log = s.lookup, s.log
	if desk.Desk, err = publish.Open(ctx, o); err != nil {
		return nil, err
	}
	return desk, nil
}

// servedDesk is a site that is open for one run.
type servedDesk struct {
	*publish.Desk
	served  *served
	repo    *gitrepo.Repo
	remotes []string
}

// Seen implements [daemon.Desk].
func (d *servedDesk) Seen() daemon.Seen {
	return daemon.Seen{Branch: d.Branch, Commit: d.Commit, Ledger: string(d.Ledger.Tip()), Remotes: d.remotes}
}

// Do implements [daemon.Desk].
func (d *servedDesk) Do(ctx context.Context, tell func(publish.Event)) (*publish.Report, error) {
	report, err := d.served.a.carryOut(ctx, d.Desk, d.served.sending, tell)
	if err == nil && report.RecordErr == nil {
		d.repo.Tidy(ctx)
	}
	return report, err
}

// Plan implements [daemon.Desk].
func (d *servedDesk) Plan(at time.Time) (*plan.Plan, error) { return d.Desk.Plan(at) }

// Held implements [daemon.Desk].
func (d *servedDesk) Held() (bool, error) {
	view, err := d.Ledger.View()
	if err != nil {
		return false, err
	}
	holds, err := view.Holds()
	return len(holds) > 0, err
}

// Close implements [daemon.Desk].
func (d *servedDesk) Close() error { return d.repo.Close() }
