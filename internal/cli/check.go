package cli

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/linkcheck"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

func (a *app) checkCommand() *cobra.Command {
	var (
		f      checkOptions
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:     "check [PATH…]",
		GroupID: groupWrite,
		Short:   "Find what is wrong with the site and its posts",
		Long: `Check reads the site as it stands on disk, renders every post for every account it goes to, and
reports what is wrong: with file, line, column, a code and what to do. With paths of posts or
folders it reports on those, and on site.yaml.

An error keeps a post from going out. A warning is probably not what the writer wants. A remark is
worth knowing; without paths, remarks are only counted unless --remarks is given. The exit code is
1 when there are errors. "postrider explain CODE" tells more about a finding.

With --fix it mends first what can be mended in one way only, such as a misspelt key or account, a
time written another way or a missing quote, and then says what is left. Only the lines in question
change, and no file in which that would make something else wrong. --dry-run says what it would do.

With --staged it reports on what the next commit changes: the posts that are staged, and those that show
a picture which is, exactly as they are in git's index. It is what a pre-commit hook runs, which
"postrider init --hooks" installs. Whether a post says the same as an older one is left to a whole check.

With --links every web address that readers of the posts can click is asked, once, whether it still
leads to a page. Nothing else of check touches the network. Only pages that are gone and hosts that
do not exist are errors; what may pass is a warning.`,
		Example: `  postrider check
  postrider check content/2026 --strict
  postrider check --fix --dry-run         # what would be mended
  postrider check --format github          # annotations in GitHub Actions
  postrider check --staged                # what the next commit changes
  postrider check --links content/2026/12  # ask the links of these posts, too
  postrider check --format sarif > findings.sarif
  postrider check --format gitlab > gl-code-quality-report.json
  postrider check --json | jq '.findings[] | select(.severity == "error")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON {
				if cmd.Flags().Changed("format") && f.format != "json" {
					return usagef(cmd, "takes either --json or --format %s", f.format)
				}
				f.format = "json"
			}
			if err := oneOfFormats(f.format, "text", "json", "github", "gitlab", "sarif"); err != nil {
				return err
			}
			if f.allowPrivate && !f.links {
				return usagef(cmd, "takes --allow-private only with --links")
			}
			if f.dryRun && !f.fix {
				return usagef(cmd, "takes --dry-run only with --fix")
			}
			if f.staged && (len(args) > 0 || f.links || f.fix) {
				return usagef(cmd, "takes --staged without paths, --links and --fix")
			}
			f.remarks = f.remarks || len(args) > 0
			return a.check(cmd.Context(), args, f)
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "text", "print as `FORMAT`: text, json, github, gitlab or sarif")
	f.results.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	cmd.Flags().BoolVar(&f.fix, "fix", false, "mend what can be mended in one way only")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "with --fix: say what it would do, and change nothing")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "take warnings for errors")
	cmd.Flags().BoolVar(&f.remarks, "remarks", false, "print remarks of the whole site, too (text only: other formats always have them)")
	cmd.Flags().BoolVar(&f.staged, "staged", false, "report on what the next commit changes, as it is in git's index")
	cmd.Flags().BoolVar(&f.links, "links", false, "ask the links of the posts whether they lead to a page")
	cmd.Flags().BoolVar(&f.allowPrivate, "allow-private", false, "let --links ask private addresses, and go through a proxy")
	return cmd
}

// checkOptions are what check is asked for.
type checkOptions struct {
	format              string
	strict, remarks     bool
	links, allowPrivate bool
	results             resultFlags
	fix, dryRun         bool
	staged              bool
}

func (a *app) check(ctx context.Context, args []string, f checkOptions) error {
	results, err := a.openResults(f.results)
	if err != nil {
		return err
	}
	defer results.close()
	if f.fix {
		if err := a.mend(ctx, args, f.dryRun); err != nil {
			return err
		}
	}
	o := site.Options{CountRemarks: f.format == "text" && !f.remarks}
	if f.links {
		checker, err := linkcheck.New(linkcheck.Options{Web: a.HTTP.Transport, Private: f.allowPrivate, Wait: a.Wait})
		if err != nil {
			return err
		}
		o.Links = checker.Check
	}
	s, next, findings, err := a.findings(ctx, args, o, f.staged)
	if err != nil {
		return a.stagedSecrets(f.staged, err)
	}
	defer s.close()
	defer next.close()
	if next != nil && len(next.files) == 0 && f.format == "text" {
		return nil // a commit of something else: there is nothing to say
	}
	posts, err := a.selectChecked(s, args, next)
	if err != nil {
		return err
	}
	if f.strict {
		for i := range findings {
			if findings[i].Severity == finding.Warning {
				findings[i].Severity = finding.Error
			}
		}
	}
	results.say(checkSummary(findings, len(posts), s.Remarks))
	switch f.format {
	case "json":
		err = finding.WriteJSON(a.Stdout, findings, len(posts))
	case "github", "gitlab", "sarif":
		err = a.writeForForge(f.format, s.dir, findings)
		if f.format == "github" {
			a.notef("%s", summary(findings, len(posts), s.Remarks))
		}
	default:
		shown, hint := findings, ""
		if n := findings.Count(finding.Info) + s.Remarks; n > 0 && !f.remarks {
			shown = slices.DeleteFunc(slices.Clone(findings), func(f finding.Finding) bool { return f.Severity == finding.Info })
			hint = " (--remarks prints them)"
		}
		if n := mendable(shown); n > 0 && !f.fix && !f.staged {
			hint += fmt.Sprintf(" (--fix mends %d)", n)
		}
		a.printFindingsOf(a.Stdout, shown, a.stdoutStyle(), next)
		if len(shown) > 0 {
			a.printf("\n")
		}
		a.printf("%s%s\n", summary(findings, len(posts), s.Remarks), hint)
	}
	if err == nil && findings.HasErrors() {
		err = errFindings
	}
	return err
}

// findings opens the site and checks it, or what is staged of it; next is nil for the whole.
func (a *app) findings(ctx context.Context, args []string, o site.Options, isStaged bool) (s *openSite, next *staged, found finding.List, err error) {
	s, err = a.openSite(func(dir string, fsys fs.FS) (s *site.Snapshot, err error) {
		paths, err := a.paths(dir, args)
		if err == nil && isStaged {
			if next, err = a.staged(ctx, dir); err == nil {
				fsys, paths, o.Partial = next.fsys, next.posts, true
			}
		}
		if err == nil {
			s, found, err = site.LoadAndCheck(ctx, fsys, a.Registry, o, paths...)
		}
		return s, err
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		next.close()
		if s != nil {
			s.close()
		}
		return nil, nil, nil, err
	}
	return s, next, found, nil
}

// oneOfFormats says that a format is not one of those that a verb has.
func oneOfFormats(format string, formats ...string) error {
	if slices.Contains(formats, format) {
		return nil
	}
	return &usageError{msg: fmt.Sprintf("unknown format %q", format), hint: suggestion(format, formats, oneOf("the formats are", formats))}
}

// writeForForge writes findings in the form in which a code host takes them.
func (a *app) writeForForge(format, dir string, l finding.List) error {
	switch l = a.fromTop(dir, l); format {
	case "github":
		return finding.WriteGitHub(a.Stdout, l)
	case "gitlab":
		return finding.WriteGitLab(a.Stdout, l)
	default:
		return finding.WriteSARIF(a.Stdout, l, finding.Tool{
			Version: strings.TrimPrefix(buildVersion().Version, "v"), URL: projectURL, Docs: check.Catalogue(a.Registry),
		})
	}
}

// fromTop returns findings whose paths start at the top of the repository, which is what code hosts take them for.
func (a *app) fromTop(dir string, l finding.List) finding.List {
	repo, err := a.openGit(dir)
	if err != nil {
		return l // not in a repository: the site's folder is the top
	}
	defer repo.Close() //nolint:errcheck // only read from
	prefix, err := repo.Prefix(dir)
	if err != nil || prefix == "" {
		return l
	}
	for i := range l {
		l[i].Path = path.Join(prefix, l[i].Path)
	}
	return l
}

// selectPosts returns the posts that the arguments of a verb name. A path that does not exist is an error; one
// without posts is not, so that a list of changed files can be given.
func (a *app) selectPosts(s *openSite, args []string) ([]*post.Post, error) {
	paths, err := a.paths(s.dir, args)
	if err != nil {
		return nil, err
	}
	posts, missing := s.Select(paths...)
	for _, p := range missing {
		if _, err := os.Lstat(filepath.Join(s.dir, filepath.FromSlash(p))); err != nil {
			return nil, &usageError{msg: fmt.Sprintf("there is no %q in the site", p), hint: "name posts, or folders of posts, by their paths"}
		}
		a.notef("%s: no posts there", p)
	}
	return posts, nil
}

// paths returns paths that somebody typed as [app.path] does.
func (a *app) paths(dir string, args []string) (paths []string, err error) {
	for _, arg := range args {
		p, err := a.path(dir, arg)
		if err != nil {
			return nil, err
		}
		paths = append(paths, p)
	}
	return paths, nil
}

// summary returns "12 posts: 1 error, 2 warnings".
func summary(l finding.List, posts, remarks int) string {
	var parts []string
	for _, s := range []finding.Severity{finding.Error, finding.Warning, finding.Info} {
		n := l.Count(s)
		switch {
		case s == finding.Info && n+remarks > 0:
			parts = append(parts, count(n+remarks, "remark"))
		case n > 0:
			parts = append(parts, count(n, s.String()))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to report"}
	}
	return count(posts, "post") + ": " + strings.Join(parts, ", ")
}
