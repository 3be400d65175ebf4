package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/draft"
)

const (
	hookName = "pre-commit"
	// hookMark is by which a hook is known to be ours. It never changes.
	hookMark = "# Written by `postrider init --hooks`"
)

// The hook goes on where Postrider cannot: writers are not kept from committing by a program that they lack. What git starts from an editor has
// seldom the PATH of a shell.
const (
	hookBegin = `#!/bin/sh
` + hookMark + `, which renews it.
# It checks the posts that are staged. To commit without it: git commit --no-verify. To be rid of it: delete this file.

PATH="$PATH:$HOME/go/bin:$HOME/.local/bin:/usr/local/bin:/opt/homebrew/bin"
if ! command -v postrider >/dev/null 2>&1; then
	echo "postrider is not installed here: the staged posts are not checked" >&2
	exit 0
fi
wrong=0
check() {
	[ -f "$1/` + config.File + `" ] || return 0
	postrider -C "$1" check --staged
	case $? in
	0) ;;
	1) wrong=1; [ "$1" = . ] || echo "all of that is in $1" >&2 ;;
	*) echo "postrider could not check the staged posts; the commit is made all the same" >&2 ;;
	esac
}
`
	hookEnd = `if [ $wrong = 1 ]; then
	echo "nothing was committed: mend that and stage it, or commit with --no-verify" >&2
fi
exit $wrong
`
	hookSite = "check " // and the site's folder, in single quotes
)

// installHook makes git check what is staged of the site in dir before every commit.
func (a *app) installHook(ctx context.Context, dir string) error {
	a.dir = dir
	dir, err := a.siteDir()
	if err != nil {
		return err
	}
	repo, err := a.openGit(dir)
	if err != nil {
		return err
	}
	defer repo.Close() //nolint:errcheck // only read from
	if repo.Root() == "" {
		return &usageError{msg: fmt.Sprintf("%q is a bare repository: nobody commits there", dir), hint: "run it where people write"}
	}
	prefix, err := repo.Prefix(dir)
	if err != nil {
		return err
	}
	hooks, own, err := repo.HooksDir(ctx)
	if err != nil {
		return err
	}
	command, file := hookCommand(prefix), filepath.Join(hooks, hookName)
	if !own {
		return &usageError{msg: fmt.Sprintf("git runs the hooks of all repositories here from %q (core.hooksPath), and they are not changed", hooks),
			hint: fmt.Sprintf("add `%s` to %q, or give this repository its own: git config core.hooksPath .githooks", command, file)}
	}
	if filepath.Base(hooks) == "_" && filepath.Base(filepath.Dir(hooks)) == ".husky" { // https://typicode.github.io/husky (2026-11-22)
		file = filepath.Join(filepath.Dir(hooks), hookName)
		return a.foreignHook(file, "husky makes the hooks of this repository, and they are not changed", fmt.Sprintf("add `%s` to %q", command, a.shown(file)))
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && !strings.Contains(string(old), hookMark) {
		return a.foreignHook(file, fmt.Sprintf("%q exists already and is not postrider's: it is not changed", a.shown(file)), foreignHint(string(old), command))
	}
	if fi, err := os.Lstat(file); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
		return a.foreignHook(file, fmt.Sprintf("%q is a symbolic link, and what it leads to is not changed", a.shown(file)), foreignHint(string(old), command))
	}
	text := hookText(string(old), hookSite+shellQuote(cmp.Or(prefix, ".")))
	if text == string(old) {
		a.notef("%s checks the staged posts already", a.shown(file))
		return nil
	}
	return a.writeHook(hooks, []byte(text))
}

// foreignHook refuses to change a hook that somebody else wrote, unless there is nothing to change.
func (a *app) foreignHook(file, problem, hint string) error {
	src, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(src)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") && strings.Contains(line, "postrider") && strings.Contains(line, "--staged") {
			a.notef("%s checks the staged posts already", a.shown(file))
			return nil
		}
	}
	return &usageError{msg: problem, hint: hint}
}

// hookCommand is what a hook runs, at the top of the work tree.
func hookCommand(prefix string) string {
	if prefix == "" {
		return "postrider check --staged"
	}
	return "postrider -C " + shellQuote(prefix) + " check --staged"
}

// hookText returns the hook for the sites of the one that is there, and one more.
func hookText(old, site string) string {
	sites := []string{site}
	for line := range strings.Lines(old) {
		if line = strings.TrimRight(line, "\r\n"); strings.HasPrefix(line, hookSite+"'") {
			sites = append(sites, line)
		}
	}
	slices.Sort(sites)
	return hookBegin + strings.Join(slices.Compact(sites), "\n") + "\n" + hookEnd
}

func (a *app) writeHook(dir string, text []byte) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // what was written is closed
	if err = draft.Create(root, hookName, text); errors.Is(err, fs.ErrExist) {
		err = draft.Replace(root, hookName, text)
	}
	if err == nil {
		err = root.Chmod(hookName, 0o755) //nolint:gosec // git runs what is executable
	}
	if err != nil {
		return err
	}
	a.printf("%s\n", a.shown(filepath.Join(dir, hookName)))
	a.notef("git checks the staged posts before every commit from now on; `git commit --no-verify` leaves that out")
	return nil
}

// foreignHint says what to add, and where: some hooks are made by a program that would make them anew.
func foreignHint(hook, command string) string {
	switch {
	case strings.Contains(hook, "pre-commit.com"): // https://pre-commit.com (2026-11-22)
		return fmt.Sprintf("add the hook postrider of %s to .pre-commit-config.yaml", projectURL)
	case strings.Contains(hook, "lefthook"): // https://lefthook.dev (2026-11-22)
		return fmt.Sprintf("add `%s` to the commands of pre-commit in lefthook.yml", command)
	default:
		return fmt.Sprintf("add this line to it: %s || exit 1", command)
	}
}

// shellQuote returns a word as every shell reads it.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
