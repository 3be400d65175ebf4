package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/daemon"
	"github.com/postrider/postrider/internal/forge/inbound"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

// served is a site of the daemon, with surroundings of its own.
type served struct {
	a       *app
	sending sendFlags
	log     *slog.Logger

	dir    string // the site's folder or its repository; of a site with a url, where its clone is
	url    string // what is cloned to dir; empty: there is a clone
	folder string // the site's folder in the repository; empty: as dir says, or the top
	branch string

	lookup  func(string) string // the site's secrets
	gitEnv  func(string) string
	environ []string // of git processes

	// Of a site in a sites file:
	envFile, envPrefix string
	named              bool // envFile must be there
	values             map[string]string
	hook               *inbound.Receiver // nil: webhooks have the daemon's secret
	hookSecret         string
	unread             error // why the secrets could not be read; from then on only the site's loop looks at it

	seen publish.Sight // what the last desk knew of the remote
	asks *gitrepo.Repo // asks the remote for news, and knows how from the last time; nil: that is to be found out
}

// daemonSites returns the sites that the flags name.
func (a *app) daemonSites(f daemonFlags) ([]daemon.Site, error) {
	if f.sites == "" {
		return a.ownSite(f)
	}
	return a.siteFile(f)
}

// ownSite returns the site that the program was started in. Its secrets are where those of every verb are.
func (a *app) ownSite(f daemonFlags) ([]daemon.Site, error) {
	dir, err := a.safeSiteDir()
	if _, none := errors.AsType[*noSiteError](err); none {
		dir = a.dir // a bare repository has no site.yaml lying about
	} else if err != nil {
		return nil, err
	}
	if err := a.loadDotenv(dir); err != nil {
		return nil, err
	}
	const name = "site"
	s := &served{
		a: a, sending: f.sending, log: a.log.With("site", name), dir: dir, branch: f.branch,
		lookup: a.lookup, gitEnv: a.Getenv, environ: a.Environ,
	}
	return []daemon.Site{{Name: name, Key: digest(a.dotenv), Fetch: f.fetch, Open: s.open, News: s.news}}, nil
}

// siteFile returns the sites of a sites file.
func (a *app) siteFile(f daemonFlags) ([]daemon.Site, error) {
	file := a.absolute(f.sites)
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, &usageError{msg: fmt.Sprintf("the sites file cannot be read: %v", err)}
	}
	entries, err := daemon.ParseSites(src)
	if err != nil {
		return nil, &usageError{msg: fmt.Sprintf("%s: %v", file, err), hint: "docs/DAEMON.md shows a sites file"}
	}
	environ := gitEnviron(a.Environ, entries)
	var sites []daemon.Site
	for i := range entries {
		site, err := a.entry(f, file, environ, &entries[i])
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: site %q: %w", file, entries[i].Line, entries[i].Name, err)
		}
		sites = append(sites, site)
	}
	return sites, nil
}

// entry returns a site of a sites file, with the secrets that are its own.
func (a *app) entry(f daemonFlags, file string, environ []string, e *daemon.Entry) (daemon.Site, error) {
	beside := func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(filepath.Dir(file), name)
	}
	s := &served{a: a, sending: f.sending, log: a.log.With("site", e.Name), url: e.URL, folder: e.Folder, branch: e.Branch, environ: environ}
	if s.dir = beside(e.Path); e.URL != "" {
		if f.state == "" {
			return daemon.Site{}, &usageError{msg: "it has a url, and there is no folder for clones", hint: "--state DIR, or STATE_DIRECTORY as systemd sets it, says where clones are kept"}
		}
		s.dir = filepath.Join(a.absolute(f.state), e.Name+"-"+digest(map[string]string{"url": e.URL})[:8]+".git")
	}
	s.envFile, s.envPrefix = filepath.Join(s.dir, filepath.FromSlash(e.Folder), dotenvName), e.EnvPrefix
	if s.named = e.EnvFile != ""; s.named {
		s.envFile = beside(e.EnvFile)
	}
	s.lookup = s.secret
	s.gitEnv = func(name string) string { return cmp.Or(s.secret(name), a.Getenv(name)) }
	site := daemon.Site{Name: e.Name, Fetch: cmp.Or(e.Fetch, f.fetch), Open: s.open, News: s.news}
	if e.WebhookSecret != "" {
		s.hook, s.hookSecret = inbound.New(inbound.Options{Now: a.Now}), e.WebhookSecret
		site.Hook = s.hook
	}
	s.unread = s.readSecrets() // its loop tries again, and says what is wrong
	settings := *e
	settings.Line = 0
	site.Key = fmt.Sprintf("%+v %s %s", settings, site.Fetch, digest(s.values))
	return site, nil
}

// readSecrets reads the file with the site's secrets, and looks up that of its webhooks.
func (s *served) readSecrets() error {
	if !s.named && s.url == "" {
		if err := s.a.refuseTrackedEnv(filepath.Dir(s.envFile)); err != nil {
			return err
		}
	}
	src, err := os.ReadFile(s.envFile)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !s.named:
	case err != nil:
		return fmt.Errorf("read secrets: %w", err)
	default:
		if s.values, err = parseDotenv(src); err != nil {
			return fmt.Errorf("read secrets of %s: %w", s.envFile, err)
		}
	}
	for _, v := range s.values {
		s.a.keepSecret(v)
	}
	if s.hook == nil {
		return nil
	}
	secrets := webhookSecrets(s.gitEnv, s.hookSecret)
	if secrets[0].IsZero() {
		return fmt.Errorf("webhook_secret is %s, and there is no such variable: set it for the daemon, or in the site's env_file", s.hookSecret)
	}
	for _, v := range secrets {
		s.a.keepSecret(v.Reveal())
	}
	s.hook.Rotate(secrets)
	return nil
}

// secret returns one of the site's own variables: of the environment those with its prefix, else those of its file.
func (s *served) secret(name string) string {
	if s.envPrefix != "" {
		if value := s.a.Getenv(s.envPrefix + name); value != "" {
			s.a.keepSecret(value)
			return value
		}
	}
	return s.values[name]
}

// absolute returns a path that somebody typed, from the folder that the program works in.
func (a *app) absolute(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(a.dir, name)
}

// gitEnviron returns an environment without what may be a secret of a site: git processes of one have nothing to do with those of others.
func gitEnviron(environ []string, entries []daemon.Entry) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "POSTRIDER_") || slices.ContainsFunc(entries, func(e daemon.Entry) bool {
			return e.EnvPrefix != "" && strings.HasPrefix(name, e.EnvPrefix) || e.WebhookSecret != "" && strings.HasPrefix(name, e.WebhookSecret)
		})
	})
}

// digest stands for values that are secret.
func digest(values map[string]string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", values)) // fmt sorts the keys
	return hex.EncodeToString(sum[:])
}

// open fetches the site and opens it for one run.
func (s *served) open(ctx context.Context) (_ daemon.Desk, err error) {
	if s.unread != nil {
		if s.unread = s.readSecrets(); s.unread != nil {
			return nil, s.unread
		}
	}
	if err := s.askAnew(); err != nil {
		return nil, err
	}
	repo, err := s.repository()
	if err != nil {
		return nil, err
	}
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
	desk := &servedDesk{served: s, repo: repo, prefix: strings.Trim(prefix+"/"+s.folder, "/")}
	for _, r := range remotes {
		desk.remotes = append(desk.remotes, r.URL)
	}
	o := s.a.openOptions(repo, desk.prefix, deskFlags{branch: s.branch}, s.lookup)
	o.Log = s.log
	if desk.Desk, err = publish.Open(ctx, o); err != nil {
		return nil, err
	}
	if s.url != "" {
		return desk, repo.NoteDefault("origin", desk.Branch)
	}
	return desk, nil
}

// news asks whether the remote has anything that the last desk did not know. As long as the answer is no, nothing is opened, read or started
// for it.
func (s *served) news(ctx context.Context) (news bool, err error) {
	if s.asks != nil && s.asks.Reconfigured() {
		if err := s.askAnew(); err != nil {
			return false, err
		}
	}
	if s.asks == nil {
		if s.asks, err = s.repository(); err != nil {
			return false, err
		}
	}
	if news, err = s.seen.News(ctx, s.asks); err != nil || news {
		err = errors.Join(err, s.askAnew())
	}
	return news, err
}

// askAnew has the next question find out by what way the remote is asked.
func (s *served) askAnew() error {
	if s.asks == nil {
		return nil
	}
	repo := s.asks
	s.asks = nil
	return repo.Close()
}

// repository opens the site's repository. Of one that has an address only, it first makes a bare one, into which the first fetch brings all.
func (s *served) repository() (*gitrepo.Repo, error) {
	o := gitrepo.Options{Env: s.gitEnv, Environ: s.environ, HTTP: s.a.HTTP, Now: s.a.Now, Sleep: s.a.Wait, Log: s.log}
	if s.url == "" {
		return gitrepo.Open(s.dir, o)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		made, err := gitrepo.Init(s.dir, true, "main") // which branch is published, the remote says
		if err != nil {
			return nil, err
		}
		if err := made.Close(); err != nil {
			return nil, err
		}
		s.log.Info("a new clone", "dir", s.dir)
	}
	repo, err := gitrepo.Open(s.dir, o)
	if err != nil {
		return nil, err
	}
	if remotes, err := repo.Remotes(); err != nil || len(remotes) > 0 {
		return repo, err
	}
	return repo, repo.AddRemote("origin", s.url)
}

// servedDesk is a site that is open for one run.
type servedDesk struct {
	*publish.Desk
	served  *served
	repo    *gitrepo.Repo
	prefix  string // the site's folder in the repository
	remotes []string
}

// Seen implements [daemon.Desk].
func (d *servedDesk) Seen() daemon.Seen {
	_, branch := d.Ledger.Where()
	return daemon.Seen{Branch: d.Branch, Commit: d.Commit, Ledger: string(d.Ledger.Tip()), LedgerBranch: branch, Remotes: d.remotes}
}

// Do implements [daemon.Desk].
func (d *servedDesk) Do(ctx context.Context, tell func(publish.Event)) (*publish.Report, error) {
	report, err := d.served.a.carryOut(ctx, d.Desk, d.served.sending, tell)
	d.notify(ctx, report, err)
	if err == nil && report.RecordErr == nil {
		d.repo.Tidy(ctx)
	}
	return report, err
}

// notify tells people of a run, as site.yaml says. What goes wrong with that is no reason for the site to be tried again.
func (d *servedDesk) notify(ctx context.Context, report *publish.Report, failed error) {
	if failed != nil && !notify.Tellable(failed) {
		return
	}
	s := d.served
	o, err := s.a.notifyOptions(d.Desk, d.repo, d.prefix, s.lookup)
	if err != nil {
		s.log.Warn("nobody was told", "err", s.a.scrub(err.Error()))
		return
	}
	if !o.Site.Notify.On() {
		return
	}
	o.Log = s.log
	result := notify.Tell(ctx, *o, report, failed)
	if len(result.Told) > 0 {
		s.log.Info("told", "channels", strings.Join(result.Told, ","))
	}
	if result.Issue != "" {
		s.log.Info("issue", "settled", result.Settled, "url", result.Issue)
	}
	if result.Status != "" {
		s.log.Info("commit status", "commit", report.Commit, "shows", result.Status)
	}
	for _, w := range result.Warnings {
		s.log.Warn("somebody was not told", "channel", w.Channel, "err", s.a.scrub(w.Error()))
	}
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
func (d *servedDesk) Close() error {
	d.served.seen = d.Sight()
	return d.repo.Close()
}
