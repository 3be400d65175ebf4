package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/secret"
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
	defer a.mu.Unlock()
	a.dotenv = values
	for _, v := range values {
		a.secrets = append(a.secrets, secret.New(v))
	}
	return nil
}

// lookup returns a variable of the environment, or of the site's .env where the environment does not set it.
// Its values are taken for secrets and kept out of everything that is printed to stderr.
func (a *app) lookup(name string) string {
	value := a.Getenv(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	if value == "" {
		value = a.dotenv[name]
	}
	if value != "" {
		a.secrets = append(a.secrets, secret.New(value))
	}
	return value
}

// accountSecrets returns an account's secrets; the error is a *platform.MissingSecretError.
func (a *app) accountSecrets(site *config.Site, account string) (map[string]secret.String, error) {
	acc, ok := site.Account(account)
	if !ok {
		return nil, &usageError{msg: fmt.Sprintf("the site has no account %q", account)}
	}
	info, ok := a.Registry.Info(acc.Platform)
	if !ok {
		return nil, &usageError{msg: fmt.Sprintf("account %q is on an unknown platform, %q", account, acc.Platform)}
	}
	return info.LookupSecrets(account, site.Alone(account), a.lookup)
}

// printFindings writes findings for people, quoting the lines of the files in the site's folder.
func (a *app) printFindings(w io.Writer, l finding.List, s style) {
	var source func(string) []byte
	if dir, err := a.siteDir(); err == nil {
		if root, err := os.OpenRoot(dir); err == nil {
			defer root.Close() //nolint:errcheck // only read from
			source = func(path string) []byte {
				src, err := root.ReadFile(filepath.FromSlash(path))
				if err != nil || len(src) > 8<<20 {
					return nil
				}
				return src
			}
		}
	}
	finding.WriteText(w, l, finding.TextOptions{Source: source, Color: s.on}) //nolint:errcheck // see stickyWriter
}
