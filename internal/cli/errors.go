package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// errFindings ends a verb with [ExitFindings]. What is wrong has been printed as the result.
var errFindings = errors.New("done, with errors")

// errInterrupted is why the context of an interrupted run is cancelled.
var errInterrupted = errors.New("interrupted")

// usageError is a mistake in the command line, or in what the program was given to work with.
type usageError struct{ msg, hint string }

// Error implements error.
func (e *usageError) Error() string { return e.msg }

// usagef returns a usage error about a verb, with a hint at its help text.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{msg: cmd.Name() + " " + fmt.Sprintf(format, args...), hint: seeHelp(cmd)}
}

// failedError is a reason why the work could not be done, with what to do about it.
type failedError struct {
	err  error
	hint string
}

// Error implements error.
func (e *failedError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *failedError) Unwrap() error { return e.err }

// configError says that site.yaml is wrong, for verbs that must not go on with a guess.
type configError struct {
	findings finding.List
}

// Error implements error.
func (e *configError) Error() string {
	return fmt.Sprintf("site.yaml has %s", count(e.findings.Count(finding.Error), "error"))
}

// noSiteError says that no folder with a site.yaml was found.
type noSiteError struct{ dir, top string }

// Error implements error.
func (e *noSiteError) Error() string {
	if e.dir == e.top {
		return fmt.Sprintf("there is no site.yaml in %q", e.dir)
	}
	return fmt.Sprintf("there is no site.yaml in %q, nor above it up to %q", e.dir, e.top)
}

// trackedEnvError says that the file with the secrets is in git.
type trackedEnvError struct{ path string }

// Error implements error.
func (e *trackedEnvError) Error() string {
	return fmt.Sprintf("git tracks %q: everybody who has the repository has the secrets in it", e.path)
}

// report prints an error, if there is one, with its hint, and returns the exit code. It is the only
// place that knows what people can do about which error.
func (a *app) report(err error) int {
	if err == nil {
		return ExitDone
	}
	if errors.Is(err, errFindings) {
		return ExitFindings
	}
	if e, ok := errors.AsType[*configError](err); ok {
		a.printFindings(a.Stderr, e.findings, a.stderrStyle())
	}
	code, hint := explain(err)
	s := a.stderrStyle()
	message := strings.TrimSpace(a.scrub(err.Error()))
	a.notef("%s %s", s.red("postrider:"), printable(message))
	if hint != "" && !strings.Contains(message, hint) {
		a.notef("%s %s", s.bold("hint:"), printable(a.scrub(hint)))
	}
	return code
}

// explain returns the exit code of an error and what to do about it, "" when its text says so itself.
func explain(err error) (code int, hint string) {
	if e, ok := errors.AsType[*usageError](err); ok {
		return ExitUsage, e.hint
	}
	if e, ok := errors.AsType[*failedError](err); ok {
		return ExitFailed, e.hint
	}
	if e, ok := errors.AsType[*noSiteError](err); ok {
		return ExitUsage, fmt.Sprintf("`postrider init` makes %q a site; -C DIR works in another folder", e.dir)
	}
	if e, ok := errors.AsType[*trackedEnvError](err); ok {
		return ExitUsage, fmt.Sprintf("run `git rm --cached %s`, add it to .gitignore, and replace every secret in it: the history keeps the old ones", e.path)
	}
	if _, ok := errors.AsType[*configError](err); ok {
		return ExitUsage, "`postrider explain CODE` tells more about each"
	}
	if _, ok := errors.AsType[*dotenvError](err); ok {
		return ExitUsage, "lines are KEY=VALUE; a value with blanks around it, quotes or ' #' stands in single quotes"
	}
	if e, ok := errors.AsType[*platform.MissingSecretError](err); ok {
		return ExitUsage, missingSecretHint(e)
	}
	if e, ok := errors.AsType[*publish.SecretsError](err); ok {
		var hints []string
		for _, m := range e.Missing {
			hints = append(hints, missingSecretHint(m))
		}
		return ExitUsage, strings.Join(hints, " ")
	}
	if e, ok := errors.AsType[*publish.AccountError](err); ok {
		if pe, ok := errors.AsType[*platform.Error](e.Err); ok && pe.Hint != "" {
			return ExitUsage, pe.Hint
		}
		return ExitUsage, fmt.Sprintf("look at accounts.%s in site.yaml", e.Account)
	}
	if e, ok := errors.AsType[*agenda.ConfigError](err); ok {
		for _, f := range e.Findings {
			if f.Severity == finding.Error && f.Hint != "" {
				return ExitUsage, f.Hint
			}
		}
		return ExitUsage, "`postrider check` says more"
	}
	if e, ok := errors.AsType[*gitledger.NotPushedError](err); ok {
		return ExitFailed, notPushedHint(e)
	}
	if e, ok := errors.AsType[*platform.Error](err); ok {
		return ExitFailed, e.Hint
	}
	switch {
	case errors.Is(err, publish.ErrNothingCommitted):
		return ExitUsage, "commit the site and its posts, and push them where there is a remote: only that is published"
	case errors.Is(err, publish.ErrLedgerInUse):
		return ExitUsage, "leave ledger.branch out of site.yaml, so that results get a branch of their own"
	case errors.Is(err, publish.ErrNoBranch):
		return ExitUsage, "HEAD is detached: name the branch with --branch, or as publish.branch in site.yaml"
	case errors.Is(err, agenda.ErrNoSite):
		return ExitUsage, "commit site.yaml on the publishing branch, or name another with --branch"
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return ExitFailed, ""
	case errors.Is(err, gitrepo.ErrNoRepository):
		return ExitUsage, "posts are published from git: run `git init` in the site's folder, or -C DIR works in another one"
	case errors.Is(err, gitrepo.ErrNoRemote):
		return ExitUsage, "`git remote -v` lists the remotes; `ledger: {remote: NAME}` in site.yaml names another"
	case errors.Is(err, gitrepo.ErrUnsupported), errors.Is(err, gitrepo.ErrNoGit):
		return ExitFailed, "install git, so that it is found in PATH"
	case errors.Is(err, gitrepo.ErrAuth):
		return ExitFailed, "set POSTRIDER_GIT_TOKEN to a token that may read and push, or let git's credential helper know one"
	case errors.Is(err, gitrepo.ErrRefused):
		return ExitFailed, "the ledger's branch must be one that this token may push to: unprotected, without a required pull request"
	case errors.Is(err, gitrepo.ErrUnreachable):
		return ExitFailed, "nothing is lost: run it again when the remote answers"
	case errors.Is(err, gitrepo.ErrMoved):
		return ExitFailed, "somebody else wrote to the branch at the same time: run it again"
	case errors.Is(err, gitrepo.ErrNotWritable):
		return ExitFailed, "check the free space and who may write to the .git folder; nothing was lost"
	case errors.Is(err, fs.ErrPermission):
		return ExitFailed, "check who may read and write that file"
	}
	return ExitFailed, ""
}

// missingSecretHint tells what an account's missing secrets are and where they go.
func missingSecretHint(e *platform.MissingSecretError) string {
	var parts []string
	for i, spec := range e.Specs {
		parts = append(parts, fmt.Sprintf("%s: %s", e.Names[i], spec.Help))
	}
	return strings.Join(parts, " ") + " It belongs in the environment, or for local use in .env."
}
