package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/site"
)

// siteDir finds the site: the folder to work in, or the nearest one above it that has a site.yaml. It does not
// look beyond the top of a git repository.
func (a *app) siteDir() (string, error) {
	for dir := a.dir; ; dir = filepath.Dir(dir) {
		if fi, err := os.Stat(filepath.Join(dir, config.File)); err == nil && fi.Mode().IsRegular() {
			return dir, nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for the site: %w", err)
		}
		_, err := os.Lstat(filepath.Join(dir, ".git"))
		if err == nil || dir == filepath.Dir(dir) {
			return "", &noSiteError{dir: a.dir, top: dir}
		}
	}
}

// safeSiteDir finds the site, and refuses one whose .env is in git.
func (a *app) safeSiteDir() (string, error) {
	dir, err := a.siteDir()
	if err != nil {
		return "", err
	}
	return dir, a.refuseTrackedEnv(dir)
}

// openSite is a site on this machine's disk.
type openSite struct {
	*site.Snapshot
	dir  string   // absolute
	root *os.Root // dir, from which no symbolic link leads out
}

// close releases the site's folder.
func (o *openSite) close() { o.root.Close() } //nolint:errcheck // only read from

// site finds and loads the site, as it stands on disk. Whatever is wrong with its files is in the snapshot; the
// errors are that there is none, that it cannot be read, and that git tracks its .env.
func (a *app) site(ctx context.Context) (*openSite, error) {
	return a.openSite(func(_ string, fsys fs.FS) (*site.Snapshot, error) {
		return site.Load(ctx, fsys, a.Registry, site.Options{})
	})
}

// openSite finds the site and opens its folder for load.
func (a *app) openSite(load func(dir string, fsys fs.FS) (*site.Snapshot, error)) (*openSite, error) {
	dir, err := a.siteDir()
	if err != nil {
		return nil, err
	}
	if err := a.refuseTrackedEnv(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	start := a.Now()
	snapshot, err := load(dir, root.FS())
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	a.log.Debug("loaded the site", "dir", dir, "posts", len(snapshot.Posts), "took", a.Now().Sub(start))
	return &openSite{Snapshot: snapshot, dir: dir, root: root}, nil
}

// path returns a path that somebody typed as findings and outputs spell it: slash-separated, relative to the site's folder.
// A relative one is relative to the folder that the program works in.
func (a *app) path(dir, name string) (string, error) {
	full := name
	if !filepath.IsAbs(full) {
		full = filepath.Join(a.dir, full)
	}
	full = filepath.Clean(full)
	real := func(p string) string {
		if r, err := filepath.EvalSymlinks(p); err == nil {
			return r
		}
		return p
	}
	if full != dir {
		full = filepath.Join(real(filepath.Dir(full)), filepath.Base(full))
	}
	for _, top := range []string{dir, real(dir)} {
		if rel, err := filepath.Rel(top, full); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), nil
		}
	}
	return "", &usageError{msg: fmt.Sprintf("%q is outside the site %q", name, dir), hint: "-C DIR works in another site"}
}

// openGit opens the repository that a folder is in, with this program's surroundings.
func (a *app) openGit(dir string) (*gitrepo.Repo, error) {
	return gitrepo.Open(dir, gitrepo.Options{
		Env: a.Getenv, Environ: a.Environ, HTTP: a.HTTP, Now: a.Now, Sleep: a.Wait, Log: a.log,
	})
}

// refuseTrackedEnv returns an error when git tracks the site's .env. A site that is in no repository is fine.
func (a *app) refuseTrackedEnv(dir string) error {
	repo, err := a.openGit(dir)
	if errors.Is(err, gitrepo.ErrNoRepository) {
		return nil
	}
	if err != nil {
		return err
	}
	defer repo.Close() //nolint:errcheck // only read from
	prefix, err := repo.Prefix(dir)
	if err != nil {
		return err
	}
	path := dotenvName
	if prefix != "" {
		path = prefix + "/" + dotenvName
	}
	tracked, err := repo.IsTracked(path)
	if err != nil {
		return fmt.Errorf("ask git whether it tracks %s: %w", path, err)
	}
	if tracked {
		return &trackedEnvError{path: path}
	}
	return nil
}

// loadDotenv reads the .env of the site in dir, if there is one. [app.lookup] then knows what is in it.
func (a *app) loadDotenv(dir string) error {
	f, err := os.Open(filepath.Join(dir, dotenvName))
	if errors.Is(err, fs.ErrNotExist) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.dotenv = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	src, err := io.ReadAll(io.LimitReader(f, dotenvMaxBytes+1))
	if err != nil {
		return fmt.Errorf("read secrets: %w", err)
	}
	values, err := parseDotenv(src)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.dotenv = values
	a.mu.Unlock()
	for _, v := range values {
		a.keepSecret(v)
	}
	return nil
}

// keepSecret has a value kept out of everything that is printed to stderr from now on.
func (a *app) keepSecret(value string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if value != "" && !slices.ContainsFunc(a.secrets, func(s secret.String) bool { return s.Reveal() == value }) {
		a.secrets = append(a.secrets, secret.New(value))
	}
}

// lookup returns a variable of the environment, or of the site's .env where the environment does not set it.
// Its values are taken for secrets and kept out of everything that is printed to stderr.
func (a *app) lookup(name string) string {
	value := a.Getenv(name)
	if value == "" {
		a.mu.Lock()
		value = a.dotenv[name]
		a.mu.Unlock()
	}
	a.keepSecret(value)
	return value
}

// maxQuoted is the size of a file above which its lines are not quoted.
const maxQuoted = 8 << 20

// printFindings writes findings for people, quoting the lines of the files in the site's folder.
func (a *app) printFindings(w io.Writer, l finding.List, s style) { a.printFindingsOf(w, l, s, nil) }

// printFindingsOf is [app.printFindings] for findings about what is staged: the lines are quoted from there. nil stands for the site's folder.
func (a *app) printFindingsOf(w io.Writer, l finding.List, s style, next *staged) {
	o := finding.TextOptions{Color: s.on}
	if next != nil {
		o.Source = source(next.fsys)
	} else if dir, err := a.siteDir(); err == nil {
		if root, err := os.OpenRoot(dir); err == nil {
			defer root.Close() //nolint:errcheck // only read from
			o.Source = source(root.FS())
		}
	}
	finding.WriteText(w, l, o) //nolint:errcheck // see stickyWriter
}

// source returns a reader of the files whose lines are quoted.
func source(fsys fs.FS) func(path string) []byte {
	files := site.Visible(fsys) // a post may be a link to what is hidden
	return func(path string) []byte {
		if fi, err := fs.Stat(files, path); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxQuoted {
			return nil
		}
		src, err := fs.ReadFile(files, path)
		if err != nil {
			return nil
		}
		return src
	}
}
