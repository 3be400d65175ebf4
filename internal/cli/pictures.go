package cli

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/pictures"
	"github.com/postrider/postrider/internal/review"
	"github.com/postrider/postrider/internal/screenshot"
)

// pictureFlags say what becomes of the pictures of a review.
type pictureFlags struct {
	dir, branch string
	url         string // where people see the folder, "" if they do not
	folder      string // the site's, in its repository
	none        bool
}

func (f *pictureFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.dir, "pictures", "", "write a picture of each post's cards to the folder `DIR`")
	flags.StringVar(&f.url, "pictures-url", "", "show them from `URL`, where people see the folder of --pictures")
	flags.StringVar(&f.branch, "pictures-branch", pictures.DefaultBranch, "keep what --post shows on the branch `NAME` of the remote, which is for nothing else")
	flags.BoolVar(&f.none, "no-pictures", false, "make no pictures for --post")
}

// check reports what is wrong with the flags.
func (f *pictureFlags) check(cmd *cobra.Command) error {
	if f.url == "" {
		return nil
	}
	u, err := url.Parse(f.url)
	switch {
	case f.dir == "":
		return usagef(cmd, "takes --pictures-url for the folder of --pictures, which is missing")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return usagef(cmd, "needs an address of a folder as --pictures-url, such as https://example.com/pictures")
	}
	return nil
}

// address returns where a file in the folder of pictures is seen.
func (f *pictureFlags) address(name string) string {
	if u, err := url.Parse(f.url); err == nil && f.url != "" {
		return u.JoinPath(name).String()
	}
	return (&url.URL{Path: path.Join(filepath.ToSlash(f.dir), name)}).EscapedPath()
}

// summary returns how the review is written into the summary of a job: pictures in a folder are not seen from there.
func (f *pictureFlags) summary(o review.MarkdownOptions, posted bool) review.MarkdownOptions {
	o.Limit = summaryLimit
	if !posted && f.url == "" {
		o.Pictures = nil
	}
	return o
}

// picturesName is what the branch for pictures is called, and what a check attaches: several sites of one repository have their own, for what one
// draws takes the place of what was there.
func picturesName(folder string) string {
	if folder == "" {
		return pictures.DefaultBranch
	}
	return pictures.DefaultBranch + "-" + cmp.Or(slugOf(folder), "site")
}

// picturesPatience is how long all pictures of a review may take.
const picturesPatience = 3 * time.Minute

// pictures makes the pictures of a review and puts them where they are shown: into a folder, or on a branch for the comment on a pull request.
// The review is complete without them, so what goes wrong is a note, but for a folder that was asked for and cannot be written.
func (a *app) pictures(ctx context.Context, repo *gitrepo.Repo, pull *pullRequest, in pictures.Input, f pictureFlags, o *review.MarkdownOptions) error {
	if !pictures.Any(in.Review) {
		return nil
	}
	var shelf *pictureShelf
	if pull != nil && !f.none && f.url == "" {
		o.Attached = a.attached(ctx, pull, picturesName(f.folder))
		shelf = a.findShelf(ctx, repo, pull, f, o.Attached != "")
	}
	if f.dir == "" && shelf == nil {
		return context.Cause(ctx)
	}
	set, err := a.draw(ctx, in)
	if set == nil || err != nil {
		return err
	}
	out := map[string]review.Picture{}
	if f.dir != "" {
		if err := a.writePictures(set, f, out); err != nil {
			return err
		}
	}
	if pull != nil && f.url == "" {
		clear(out) // nobody who reads the comment has the folder
	}
	if shelf != nil && len(set.Pictures) > 0 {
		if err := shelf.put(ctx, set, out); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			a.noPictures("the review has no pictures of cards", err, pushHint(err))
			return nil
		}
	}
	for _, p := range set.Left {
		out[p.Path] = review.Picture{Missing: "No picture of this post: there are " + count(pictures.Most, "other") + "."}
	}
	if n := len(set.Left); n > 0 {
		a.notef("pictures are made of %s, and not of %d more, from %s on", count(pictures.Most, "post"), n, printable(set.Left[0].Path))
	}
	o.Pictures = out
	return nil
}

// attached returns where people get the pictures that the check of a pull request has attached, "" for nowhere. Only the address is used: what is
// there was made by whoever opened it.
func (a *app) attached(ctx context.Context, pull *pullRequest, name string) string {
	host, ok := pull.host.(forge.Attachments)
	web := forge.Web(pull.Place, a.Getenv)
	if !ok || pull.Run <= 0 || web == "" {
		return ""
	}
	address, err := host.Attached(ctx, web, pull.Run, name)
	if err != nil {
		hint := ""
		if e, ok := errors.AsType[*forge.Error](err); ok && e.Refused {
			hint = "the job must be allowed to: `permissions: {actions: read}`; --no-pictures does without"
		}
		a.noPictures("the review does not link to pictures of cards", err, hint)
	}
	return address
}

// draw has a browser draw the pictures, and says why there are none, or not all.
func (a *app) draw(ctx context.Context, in pictures.Input) (*pictures.Set, error) {
	browser, err := screenshot.Find(a.Getenv)
	if err != nil {
		a.noPictures("the review has no pictures of cards", err, "Chromium or Google Chrome draws them; "+screenshot.EnvVar+" says where it is")
		return nil, nil
	}
	in.Artist = &screenshot.Browser{Path: browser, Environ: a.Environ}
	limited, cancel := context.WithTimeoutCause(ctx, picturesPatience, errors.New("all of them together take too long"))
	defer cancel()
	set, err := pictures.Draw(limited, in)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && (set == nil || len(set.Pictures) == 0):
		a.noPictures("the review has no pictures of cards", err, "")
	case err != nil:
		a.noPictures(count(len(set.Failed), "post")+" of the review without a picture", err, "")
	}
	return set, nil
}

// noPictures says why there are none, or not all.
func (a *app) noPictures(what string, err error, hint string) {
	if hint != "" {
		hint = " (" + hint + ")"
	}
	a.notef("%s %s: %s%s", a.stderrStyle().yellow("note:"), what, printable(a.scrub(err.Error())), hint)
}

func pushHint(err error) string {
	switch {
	case errors.Is(err, pictures.ErrNotOurs):
		return "--pictures-branch names another one"
	case errors.Is(err, gitrepo.ErrAuth), errors.Is(err, gitrepo.ErrRefused):
		return "the job must be allowed to push: in a GitHub workflow `permissions: {contents: write}`; --no-pictures does without"
	default:
		return ""
	}
}

// writePictures writes pictures to a folder.
func (a *app) writePictures(set *pictures.Set, f pictureFlags, out map[string]review.Picture) error {
	failed := func(err error) error {
		return &failedError{err: err, hint: "--pictures takes a folder that can be written to"}
	}
	dir := a.from(f.dir)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // an artefact, for whoever may see it
		return failed(err)
	}
	for i, name := range set.FileNames() {
		p := &set.Pictures[i]
		if err := os.WriteFile(filepath.Join(dir, name), p.Data, 0o644); err != nil { //nolint:gosec // as its folder
			return failed(err)
		}
		out[p.Post.Path] = review.Picture{Address: f.address(name)}
	}
	return nil
}

// pictureShelf is where pictures are put for the comment on a pull request.
type pictureShelf struct {
	pictures.Branch
	pull *pullRequest
	web  string // the address of the repository, for people
}

// findShelf returns the place for pictures, nil when there is none, and says why unless the comment links to others.
func (a *app) findShelf(ctx context.Context, repo *gitrepo.Repo, pull *pullRequest, f pictureFlags, others bool) *pictureShelf {
	if a.Getenv(screenshot.EnvVar) == screenshot.NoBrowser {
		return nil
	}
	if f.branch == pictures.DefaultBranch {
		f.branch = picturesName(f.folder)
	}
	shelf, err := a.pictureShelf(ctx, repo, pull, f.branch)
	if err != nil && !others {
		a.noPictures("the review has no pictures of cards", err, pushHint(err))
	}
	return shelf
}

// pictureShelf returns the place for pictures, once it is known that this job may put something there: drawing takes longer than asking.
func (a *app) pictureShelf(ctx context.Context, repo *gitrepo.Repo, pull *pullRequest, branch string) (*pictureShelf, error) {
	web := forge.Web(pull.Place, a.Getenv)
	if web == "" {
		return nil, errors.New("the job's environment does not tell the repository's address")
	}
	remote, ok, err := repo.DefaultRemote()
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("there is no remote to keep them on")
	}
	_, head, err := repo.Head()
	if err != nil {
		return nil, err
	}
	if err := repo.CheckPush(ctx, remote, head); err != nil {
		return nil, err
	}
	return &pictureShelf{pictures.Branch{Repo: repo, Remote: remote, Name: branch, Now: a.Now()}, pull, web}, nil
}

// put puts pictures there, and says where they are seen.
func (s *pictureShelf) put(ctx context.Context, set *pictures.Set, out map[string]review.Picture) error {
	files := make(map[string][]byte, len(set.Pictures))
	for i := range set.Pictures {
		files[set.Pictures[i].FileName()] = set.Pictures[i].Data
	}
	paths, err := s.Put(ctx, s.pull.Pull, files)
	if err != nil {
		return err
	}
	for i := range set.Pictures {
		p := &set.Pictures[i]
		out[p.Post.Path] = review.Picture{Address: forge.Raw(s.pull.Kind, s.web, s.Name, paths[p.FileName()])}
	}
	return nil
}

// from returns a path as it is seen from the working folder.
func (a *app) from(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(a.dir, name)
}
