package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/draft"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/templates"
)

// initBranch is the first branch of a repository that init makes.
const initBranch = "main"

const gitignoreName = ".gitignore"

func (a *app) initCommand() *cobra.Command {
	var title, timezone, ci string
	var hooks bool
	cmd := &cobra.Command{
		Use:     "init [DIR]",
		GroupID: groupWrite,
		Short:   "Start a site in this folder or in DIR",
		Long: `Init writes a site.yaml with two accounts to put yours in place of, an example post, and an
.env.example that names the secrets. It keeps .env out of git, and makes the folder a git repository if
it is in none. It never overwrites a file.

With --ci it also writes workflows that check and review pull requests and publish what is merged,
for GitHub, GitLab, Gitea or Forgejo; in a folder that is a site already, only those.

With --hooks it starts nothing: it makes git check the posts that are staged before every commit of
the site that is there. A hook that somebody else wrote is left alone; what to add to it is said.`,
		Example: `  postrider init
  postrider init social --title "Acme" --timezone Europe/Berlin
  postrider init --ci github
  postrider init --hooks`,
		Args: argsBetween(0, 1, "one folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := a.dir
			if len(args) == 1 {
				dir = args[0]
				if !filepath.IsAbs(dir) {
					dir = filepath.Join(a.dir, dir)
				}
			}
			if hooks {
				if err := exclusive(cmd, "hooks", "title", "timezone", "ci"); err != nil {
					return err
				}
				return a.installHook(cmd.Context(), dir)
			}
			if cmd.Flags().Changed("ci") {
				if !slices.Contains(ciHosts, ci) {
					return &usageError{msg: fmt.Sprintf("--ci knows no %q", ci), hint: suggestion(ci, ciHosts, oneOf("the code hosts are", ciHosts))}
				}
				if site, ok := a.siteFor(dir, len(args) == 1); ok {
					if title != "" || timezone != "" {
						return usagef(cmd, "takes --title and --timezone for a new site, and %q is one already", a.shown(site))
					}
					return a.initCI(cmd.Context(), site, ci)
				}
			}
			if timezone == "" {
				timezone = a.zone()
			}
			if _, err := time.LoadLocation(timezone); err != nil || timezone == "Local" {
				return &usageError{msg: fmt.Sprintf("unknown time zone %q", timezone), hint: "use an IANA name such as Europe/Berlin"}
			}
			if title == "" {
				title = filepath.Base(dir)
			}
			if err := a.initSite(dir, title, timezone); err != nil || ci == "" {
				return err
			}
			return a.initCI(cmd.Context(), dir, ci)
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "the site's `NAME`; without it, the folder's")
	cmd.Flags().StringVar(&timezone, "timezone", "", "the site's time zone, an IANA `NAME`; without it, this machine's")
	cmd.Flags().StringVar(&ci, "ci", "", "write the workflows for a code `HOST`, too: github, gitlab, gitea or forgejo")
	cmd.Flags().BoolVar(&hooks, "hooks", false, "check the posts that are staged before every commit")
	return cmd
}

// zone returns the time zone of whoever runs the program, UTC where that is not known.
func (a *app) zone() string {
	for _, name := range []string{strings.TrimPrefix(a.Getenv("TZ"), ":"), a.Zone()} {
		if _, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return name
		}
	}
	return "UTC"
}

func (a *app) initSite(dir, title, timezone string) error {
	data := struct {
		ID, Title, Timezone string
		Secrets             []jsonSecret
	}{Title: title, Timezone: timezone, Secrets: a.templateSecrets()}
	var err error
	if data.ID, err = draft.NewID(a.Rand); err != nil {
		return err
	}
	at := func(path string) string { return filepath.Join(dir, filepath.FromSlash(path)) }
	files := templates.InitFiles()
	for _, f := range files {
		if _, err := os.Lstat(at(f.Path)); err == nil {
			return &usageError{msg: fmt.Sprintf("%q exists already, and nothing is overwritten", a.shown(at(f.Path))), hint: initExistsHint(f.Path)}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // what was written is closed
	for _, f := range files {
		src, err := templates.Files.ReadFile(f.Template)
		if err != nil {
			return err
		}
		text, err := draft.Execute(f.Template, src, data)
		if err != nil {
			return err
		}
		if f.Path == config.File { // the last: from here on, the secrets that people put beside it are safe
			if err := a.ignoreDotenv(root, at(gitignoreName)); err != nil {
				return err
			}
		}
		if err := draft.Create(root, f.Path, []byte(text)); err != nil {
			return err
		}
		a.printf("%s\n", a.shown(at(f.Path)))
	}
	if err := a.ensureRepository(dir); err != nil {
		return err
	}
	a.notef(`
next:
  1. put your accounts in site.yaml, and their secrets in .env (as in .env.example) or in CI
  2. postrider check
  3. postrider render content/hello.md      what each network will show
  4. postrider new "My first post"
  5. commit, push, and let CI run postrider publish`)
	return nil
}

func initExistsHint(path string) string {
	if path == config.File {
		return "this folder is a site already: go on with `postrider new TITLE`"
	}
	return "move it away, or name another folder: postrider init DIR"
}

// templateSecrets returns the secrets of the accounts that a new site.yaml has.
func (a *app) templateSecrets() []jsonSecret {
	var secrets []jsonSecret
	for _, account := range []struct {
		name     string
		platform platform.ID
	}{{"bluesky", "bluesky"}, {"fedi", "mastodon"}} {
		info, _ := a.Registry.Info(account.platform)
		for _, spec := range info.Secrets {
			secrets = append(secrets, jsonSecret{Env: platform.EnvName(account.name, spec.Name), Help: spec.Help})
		}
	}
	return secrets
}

// ignoreDotenv adds .env to a folder's .gitignore, which may exist. The path is what people know that file by.
func (a *app) ignoreDotenv(root *os.Root, path string) error {
	old, err := root.ReadFile(gitignoreName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = draft.Create(root, gitignoreName, []byte("# secrets\n"+dotenvName+"\n"))
		if err == nil {
			a.printf("%s\n", a.shown(path))
		}
		return err
	case err != nil:
		return err
	}
	for line := range bytes.Lines(old) {
		switch string(bytes.TrimSpace(line)) {
		case dotenvName, "/" + dotenvName, dotenvName + "*", "*" + dotenvName:
			return nil
		}
	}
	added := "# secrets\n" + dotenvName + "\n"
	if len(old) > 0 && !bytes.HasSuffix(old, []byte("\n")) {
		added = "\n" + added
	}
	if err := draft.Replace(root, gitignoreName, append(old, added...)); err != nil {
		return err
	}
	a.printf("%s\n", a.shown(path))
	return nil
}

// ensureRepository makes dir a git repository unless it is in one.
func (a *app) ensureRepository(dir string) error {
	repo, err := a.openGit(dir)
	if errors.Is(err, gitrepo.ErrNoRepository) {
		if repo, err = gitrepo.Init(dir, false, initBranch); err == nil {
			a.notef("made %s a git repository", a.shown(dir))
		}
	}
	if err != nil {
		return err
	}
	return repo.Close()
}
