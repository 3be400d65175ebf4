package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/export"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/pages"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/site"
)

const (
	// builtFolder is where a build goes, in the site's folder, unless told otherwise.
	builtFolder = "public"
	// builtResults is how many results the archive of a build lists.
	builtResults = 1000
)

// buildFlags are the flags of build.
type buildFlags struct {
	out, base, at, branch string
	drafts, json          bool
}

func (a *app) buildCommand() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:     "build",
		GroupID: groupWrite,
		Short:   "Write the pages of the preview as a static site",
		Long: `Build writes what "postrider preview" shows as files: today, every post as its networks will show it, the
calendar, campaigns, problems, accounts and the archive, with feeds and calendars to subscribe to.
Links are relative: the pages work from a disk, and below any path of any web server.

Drafts, and what only they show, are not written at all, nor are files whose front matter has an error:
they may be drafts. --drafts writes them too, for a preview of a pull request that is not for everybody.
Posts that are scheduled are written: whoever sees the pages sees what is to come.

It replaces the folder as a whole, and leaves in it what somebody else has put there. A folder that holds
something and that it has not written, it does not touch. What went out it reads from the ledger as
this clone has it; "git fetch" brings the newest.

The exit code is 1 when something that it reads has errors; the pages are written and show them.`,
		Example: `  postrider build
  postrider build --out preview --drafts
  postrider build --base-url https://acme.example/social   # addresses in feeds and calendars`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("out") {
				f.out = "" // in the site's folder, wherever this runs
			}
			return a.build(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", builtFolder, "write to the folder `DIR`; without it, to public in the site's folder")
	flags.BoolVar(&f.drafts, "drafts", false, "write drafts, too: not for the public")
	flags.StringVar(&f.base, "base-url", "", "the `URL` under which the pages are going to be, for feeds and calendars")
	flags.StringVar(&f.branch, "branch", "", "the publishing `BRANCH`, instead of site.yaml's or the remote's default")
	flags.StringVar(&f.at, "at", "", "write the pages as of `TIME`")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON")
	return cmd
}

// build writes the static site.
func (a *app) build(ctx context.Context, f buildFlags) error {
	home, err := baseURL(f.base)
	if err != nil {
		return err
	}
	var pictures media.Cache
	s, err := a.openSite(func(_ string, fsys fs.FS) (*site.Snapshot, error) {
		return site.Load(ctx, site.Visible(fsys), a.Registry, site.Options{Media: &pictures})
	})
	if err != nil {
		return err
	}
	defer s.close()
	o := export.Options{Root: s.root, Site: s.Snapshot, Registry: a.Registry, Now: a.Now(), Drafts: f.drafts, Home: home}
	switch {
	case f.out == "":
		o.Out = filepath.Join(s.dir, builtFolder)
	case filepath.IsAbs(f.out):
		o.Out = filepath.Clean(f.out)
	default:
		o.Out = filepath.Join(a.dir, f.out)
	}
	if f.at != "" {
		if o.Now, err = parseAt(f.at); err != nil { // as plan has it; else as status has it
			if o.Now, err = a.momentFlag(f.at, s.Config, false); err != nil {
				return err
			}
		}
	}
	done, err := a.ledgerOf(ctx, s.dir, f.branch, &o)
	if err != nil {
		return err
	}
	defer done()
	res, err := export.Build(ctx, o)
	if err != nil {
		return buildError(err)
	}
	return a.printBuild(f, o.Out, &res)
}

// ledgerOf fills in what this clone knows of what went out. It is read until done is called.
func (a *app) ledgerOf(ctx context.Context, dir, branch string, o *export.Options) (done func(), err error) {
	repo, err := a.openGit(dir)
	if errors.Is(err, gitrepo.ErrNoRepository) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	done = func() { repo.Close() } //nolint:errcheck // only read from
	book, err := a.library(repo, dir, branch, builtResults)(ctx, "")
	if errors.Is(err, publish.ErrNoBranch) { // a detached HEAD, as jobs have it, and no remote
		a.notef("HEAD is detached, and nothing says which branch is published: the pages tell nothing of what went out; --branch names it")
		return done, nil
	}
	if err != nil {
		done()
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	if book != nil {
		o.Ledger, o.Latest = book.View, book.Latest
	}
	return done, nil
}

// baseURL reads the address of the pages, and returns it without a slash at its end.
func baseURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", &usageError{msg: fmt.Sprintf("--base-url %q is not the address of a site", text), hint: "write it as https://acme.example/social"}
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// buildError says which errors of a build are those of its configuration.
func buildError(err error) error {
	if e, ok := errors.AsType[*export.FolderError](err); ok {
		return &usageError{msg: e.Reason, hint: e.Remedy}
	}
	if e, ok := errors.AsType[*pages.TemplateError](err); ok {
		return &usageError{msg: e.Error(), hint: "templates/preview of the site replaces the program's own templates: mend the file there, or remove it"}
	}
	return err
}

// printBuild tells what was written, and what is wrong.
func (a *app) printBuild(f buildFlags, out string, res *export.Result) error {
	if f.json {
		err := a.printJSON(struct {
			Out   string `json:"out"`
			Pages int    `json:"pages"`
			Files int    `json:"files"`
			Bytes int64  `json:"bytes"`
		}{filepath.ToSlash(a.shown(out)), res.Pages, res.Files, res.Bytes})
		if err != nil {
			return err
		}
	} else {
		a.printf("%s: %s, %s, %.1f MB\n", a.shown(out), count(res.Pages, "page"), count(res.Files, "file"), float64(res.Bytes)/1e6)
	}
	if res.Drafts > 0 {
		a.notef("%s left out (--drafts writes drafts, too)", count(res.Drafts, "draft"))
	}
	if res.Unsure > 0 {
		a.notef("%s left out: nobody can tell whether they are drafts while site.yaml or their front matter has errors", count(res.Unsure, "post"))
	}
	if !res.Findings.HasErrors() {
		return nil
	}
	var own finding.List // of site.yaml, which concern every page
	posts := 0
	for _, x := range res.Findings {
		switch {
		case x.Severity != finding.Error:
		case x.Path == config.File:
			own = append(own, x)
		default:
			posts++
		}
	}
	a.printFindings(a.Stderr, own, a.stderrStyle())
	if posts > 0 {
		a.notef("%s in posts: `postrider check` lists them", count(posts, "error"))
	}
	return errFindings
}
