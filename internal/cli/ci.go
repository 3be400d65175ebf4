package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/draft"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/templates"
)

// ciHosts are the code hosts that init writes workflows for.
var ciHosts = []string{"github", "gitlab", "gitea", "forgejo"}

// workflowFolders are where the code hosts look for workflows; GitLab looks for .gitlab-ci.yml, which includes what is here.
var workflowFolders = map[string]string{"github": ".github/workflows", "gitea": ".gitea/workflows", "forgejo": ".forgejo/workflows", "gitlab": ".gitlab"}

const ciDocs = projectURL + "/blob/main/docs/CI.md"

// workflows is what the templates of workflows are filled in with.
type workflows struct {
	Host      string
	Name      string // what files, jobs and groups begin with: "postrider", of a site that is not the top of its repository "postrider-social"
	Folder    string // of the site, slash-separated, relative to the top of the repository; "" for the top
	Branch    string // whose posts go out
	Ledger    string // the branch with the results
	Version   string // what `go install` takes for a version
	Minutes   string // of each hour, as cron takes them: "7,22,37,52"
	Workflows string // the folder of the workflows
	Jobs      string // GitLab: the file with the jobs, which .gitlab-ci.yml includes
	Secrets   []ciSecret
	Approval  bool // something needs the approval of people: all of the history is read
	Reviews   bool // and the code host is asked for it
	Issue     bool // an issue lists what is open
	Status    bool // the published commit shows what became of its posts
	Actions   ciActions
	Docs      string
}

// Pinned reports whether Version is always the same program, so that it can be kept.
func (w *workflows) Pinned() bool { return w.Version != "latest" }

// Pictures is the name under which a check attaches pictures of the cards.
func (w *workflows) Pictures() string { return picturesName(w.Folder) }

// Forgejo reports whether the code host is Forgejo, which differs from Gitea in what workflows can do.
func (w *workflows) Forgejo() bool { return w.Host == "forgejo" }

// ciSecret is a variable that an account needs.
type ciSecret struct {
	Env, Help string
	Optional  bool
}

// ciActions are actions of others, each by the commit of the version that stands behind it.
type ciActions struct{ Checkout, SetupGo, Cache, UploadArtifact string }

// actionsOf returns the actions for a code host. The commits are those of the tags in
// github.com/actions/{checkout,setup-go,cache,upload-artifact} (2026-11-22).
func actionsOf(host string) ciActions {
	if host == "gitea" || host == "forgejo" { // the last versions for Node 20
		return ciActions{
			Checkout: "actions/checkout@11d5960a326750d5838078e36cf38b85af677262 # v4.4.0",
			SetupGo:  "actions/setup-go@40f1582b2485089dde7abd97c1529aa768e1baff # v5.6.0",
			Cache:    "actions/cache@0057852bfaa89a56745cba8c7296529d2fc39830 # v4.3.0",
		}
	}
	return ciActions{
		Checkout: "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
		SetupGo:  "actions/setup-go@b7ad1dad31e06c5925ef5d2fc7ad053ef454303e # v7.0.0",
		Cache:    "actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5",

		UploadArtifact: "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1",
	}
}

// siteFor returns the site that workflows are asked for: the folder that was named, or without one the site that the program works in.
func (a *app) siteFor(dir string, named bool) (string, bool) {
	if !named {
		site, err := a.siteDir()
		return site, err == nil
	}
	fi, err := os.Stat(filepath.Join(dir, config.File))
	return dir, err == nil && fi.Mode().IsRegular()
}

// initCI writes the workflows of a code host for the site in a folder, which is in a repository.
func (a *app) initCI(ctx context.Context, dir, host string) (err error) {
	cfg, err := a.readConfig(dir)
	if err != nil {
		return err
	}
	repo, err := a.openGit(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	w, err := a.workflowsFor(ctx, repo, cfg, dir, host)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(repo.Root())
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // what was written is closed
	files, err := w.files()
	if err != nil {
		return err
	}
	if err := a.createAll(root, repo.Root(), files, w); err != nil {
		return err
	}
	a.notef("%s", w.next())
	return nil
}

// ciFile is a file to be written.
type ciFile struct {
	path string // slash-separated, relative to the top of the repository
	text string
}

// createAll writes files, and none of them when one is there with something else in it. A .gitlab-ci.yml may have anything in it.
func (a *app) createAll(root *os.Root, top string, files []ciFile, w *workflows) error {
	var missing []ciFile
	for _, f := range files {
		old, err := root.ReadFile(filepath.FromSlash(f.path))
		shown := a.shown(filepath.Join(top, filepath.FromSlash(f.path)))
		switch {
		case err != nil && leads(root, f.path):
			return &usageError{
				msg:  fmt.Sprintf("%q is, or is in, a symbolic link that leads nowhere in the repository", shown),
				hint: "put a folder or a file in its place, and run this again: code hosts follow no such link either",
			}
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		case err != nil:
			return err
		case string(bytes.ReplaceAll(old, []byte("\r\n"), []byte("\n"))) == f.text:
			a.notef("%s is as it should be", shown)
		case f.path == gitlabFile:
			if !bytes.Contains(old, []byte(w.Jobs)) {
				a.notef("%s exists already, and is left as it is: add this to it\n\n%s", shown, f.text)
			}
		default:
			return &usageError{
				msg:  fmt.Sprintf("%q exists already with something else in it, and nothing is overwritten", shown),
				hint: "move it away, run this again, and take over from it what you have changed",
			}
		}
	}
	for _, f := range missing {
		if err := draft.Create(root, f.path, []byte(f.text)); err != nil {
			return err
		}
		a.printf("%s\n", a.shown(filepath.Join(top, filepath.FromSlash(f.path))))
	}
	return nil
}

// leads reports whether a file, or a folder on the way to it, is a symbolic link.
func leads(root *os.Root, file string) bool {
	for p := file; p != "."; p = path.Dir(p) {
		if fi, err := root.Lstat(filepath.FromSlash(p)); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
			return true
		}
	}
	return false
}

// unsafeInWorkflow are characters that a branch or folder cannot have in a workflow: what is between quotes there, or a variable or an
// expression to be filled in, would be something else.
const unsafeInWorkflow = "\"'`$\\{}"

// workflowsFor finds out what the workflows of a site must say.
func (a *app) workflowsFor(ctx context.Context, repo *gitrepo.Repo, cfg *config.Site, dir, host string) (*workflows, error) {
	if repo.Root() == "" {
		return nil, &usageError{msg: "a bare repository has no files to write workflows into", hint: "run it in a clone"}
	}
	folder, err := repo.Prefix(dir)
	if err != nil {
		return nil, err
	}
	w := &workflows{
		Host: host, Name: "postrider", Folder: strings.Trim(folder, "/"), Branch: cfg.Publish.Branch, Ledger: cfg.Ledger.Branch,
		Version: installable(buildVersion()), Actions: actionsOf(host), Docs: ciDocs,
		Workflows: workflowFolders[host],
	}
	a.workflowNeeds(w, cfg)
	if slug := slugOf(w.Folder); slug != "" {
		w.Name += "-" + slug
	}
	w.Jobs = w.Workflows + "/" + w.Name + ".yml"
	w.Minutes = minutesOf(cfg.Title + "\n" + cfg.URL + "\n" + w.Folder)
	if w.Branch == "" {
		if w.Branch, err = defaultBranch(ctx, repo); err != nil {
			return nil, err
		}
	}
	for _, x := range []struct{ what, name string }{{"branch", w.Branch}, {"folder", w.Folder}} {
		if i := strings.IndexAny(x.name, unsafeInWorkflow); i >= 0 {
			return nil, &usageError{
				msg:  fmt.Sprintf("the %s %q has %s in its name, which workflows take for something else", x.what, x.name, x.name[i:i+1]),
				hint: "rename it, or write the workflows by hand: " + ciDocs,
			}
		}
	}
	return w, nil
}

// defaultBranch returns the branch that is published unless site.yaml names another: as the remote says, or without an answer as it is known here.
func defaultBranch(ctx context.Context, repo *gitrepo.Repo) (string, error) {
	remote, ok, err := repo.DefaultRemote()
	if err != nil {
		return "", err
	}
	if ok {
		if branch, err := repo.RemoteBranch(ctx, remote, true); err == nil && branch != "" {
			return branch, nil
		}
	}
	branch, err := repo.RemoteBranch(ctx, remote, false)
	return cmp.Or(branch, initBranch), err
}

// workflowNeeds fills in what the job that publishes needs for what site.yaml asks for.
func (a *app) workflowNeeds(w *workflows, cfg *config.Site) {
	w.Secrets, w.Approval, w.Issue, w.Status = a.ciSecrets(cfg), cfg.NeedsApproval(), cfg.Notify.Issue.On, cfg.Notify.Status
	w.Reviews = w.Approval && cfg.RequireApproval.From != config.FromTrailers
}

// ciSecrets returns the variables that hold the secrets of a site's accounts and of its bucket, in their order.
func (a *app) ciSecrets(cfg *config.Site) (list []ciSecret) {
	add := func(owner string, specs []platform.SecretSpec) {
		for _, s := range specs {
			env := platform.EnvName(owner, s.Name)
			if !slices.ContainsFunc(list, func(x ciSecret) bool { return x.Env == env }) {
				list = append(list, ciSecret{env, s.Help, s.Optional})
			}
		}
	}
	for i := range cfg.Accounts {
		info, _ := a.Registry.Info(cfg.Accounts[i].Platform)
		add(cfg.Accounts[i].Name, info.Secrets)
	}
	for i := range cfg.Notify.Channels {
		if c := &cfg.Notify.Channels[i]; c.Account == "" {
			if adapter, ok := a.Registry.Channel(c.Own.Platform); ok {
				add(c.Name, adapter.Info().Secrets)
			}
		}
	}
	if cfg.Media.Bucket.Endpoint != "" {
		add(config.BucketOwner, config.BucketSecrets())
	}
	return list
}

// installable returns what `go install` takes to build the same program again: its version, else its commit, else "latest".
func installable(v version) string {
	if name, _, _ := strings.Cut(v.Version, "+"); strings.HasPrefix(name, "v") {
		return name
	}
	return cmp.Or(v.Revision, "latest")
}

// slugOf returns a folder as a part of names of files, jobs and groups.
func slugOf(folder string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		default:
			return '-'
		}
	}, folder), "-")
}

// minutesOf returns four minutes of an hour, a quarter of an hour apart, that are always the same for a name. None of them is round: at those
// everybody else's jobs begin.
func minutesOf(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	first := []int{1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14}[h.Sum32()%12]
	return fmt.Sprintf("%d,%d,%d,%d", first, first+15, first+30, first+45)
}

// gitlabFile is where GitLab looks for what to do.
const gitlabFile = ".gitlab-ci.yml"

// files fills in the templates of the code host.
func (w *workflows) files() ([]ciFile, error) {
	folder, names := w.Host, []string{"check", "review", "publish"}
	if w.Forgejo() {
		folder, names = "gitea", []string{"check", "publish"} // check reviews, too
	}
	var list []ciFile
	for _, name := range names {
		list = append(list, ciFile{w.Workflows + "/" + w.Name + "-" + name + ".yml", name + ".yml"})
	}
	if w.Host == "gitlab" {
		list = []ciFile{{gitlabFile, "gitlab-ci.yml"}, {w.Jobs, "jobs.yml"}}
	}
	for i := range list {
		name := templates.CI + "/" + folder + "/" + list[i].text
		t, err := template.New(filepath.Base(name)).Delims("[[", "]]").Funcs(template.FuncMap{
			"yaml": draft.YAML, "glob": globOf, "shell": shellWord, "expression": func(s string) string { return "'" + s + "'" },
		}).ParseFS(templates.Files, templates.CI+"/install.yml", name)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		if err := t.Execute(&b, w); err != nil {
			return nil, err
		}
		list[i].text = b.String()
	}
	return list, nil
}

// globOf returns a pattern that matches a name, whatever is in it, and what the other patterns match behind it.
//
// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet (2026-11-22)
func globOf(name string, rest ...string) string {
	return regexp.MustCompile(`[[*?+!]`).ReplaceAllString(name, `\$0`) + strings.Join(rest, "")
}

// shellWord quotes a text for a shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// next says what a person has to do.
func (w *workflows) next() string {
	var b strings.Builder
	b.WriteString("\nnext:\n")
	n := 0
	step := func(format string, args ...any) {
		n++
		fmt.Fprintf(&b, "  %d. "+format+"\n", append([]any{n}, args...)...)
	}
	if len(w.Secrets) > 0 {
		step("%s", map[string]string{
			"github":  fmt.Sprintf("set the secrets: Settings → Environments → %s, for the branch %s only", w.Name, w.Branch),
			"gitlab":  "set the secrets: Settings → CI/CD → Variables, masked and protected",
			"gitea":   "set the secrets: Settings → Actions → Secrets",
			"forgejo": "set the secrets: Settings → Actions → Secrets",
		}[w.Host])
		for _, s := range w.Secrets {
			b.WriteString("       " + s.Env)
			if s.Optional {
				b.WriteString(" (if it has one)")
			}
			b.WriteString("\n")
		}
	}
	step("let the job push to the branch %s: keep it unprotected", w.Ledger)
	if w.Host == "gitlab" {
		step("start it on a schedule: Build → Pipeline schedules, %q, on %s", w.Minutes+" * * * *", w.Branch)
	}
	step("commit, push, merge; %s tells more", w.Docs)
	return strings.TrimRight(b.String(), "\n")
}
