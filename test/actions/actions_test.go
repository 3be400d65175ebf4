// Package actions runs action.yml and the workflows that `postrider init --ci` writes as a runner of GitHub Actions does, with nektos/act:
// on this machine, without containers, against the sandbox's networks.
//
// The tests run with POSTRIDER_TEST_ACTIONS=1; CI sets it. They build act from Go's module proxy, as act/go.mod pins it. Actions of others that
// would download something are replaced by what stands below.
package actions

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/sandbox"
)

// envVar is the environment variable that, set to 1, asks for the tests.
const envVar = "POSTRIDER_TEST_ACTIONS"

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(envVar) != "1" {
		fmt.Printf("actions: leaving out all tests, which run with %s=1\n", envVar)
		if err := flag.Set("test.skip", "."); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built) //nolint:errcheck // it is in the temporary folder
	}
	os.Exit(code)
}

// built is the folder that holds act and the program under test, once they are asked for.
var built string

var build = sync.OnceValue(func() error {
	var err error
	if built, err = os.MkdirTemp("", "postrider-actions-"); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"build", "-C", "act", "-o", filepath.Join(built, "act"), "github.com/nektos/act"},
		{"build", "-o", filepath.Join(built, "postrider"), "../../cmd/postrider"},
	} {
		if out, err := exec.CommandContext(context.Background(), "go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
})

// The actions of others. A cache is what an earlier run has left on this machine; Go is this machine's; what is attached lies in a folder.
const (
	cacheAction = `name: cache
inputs: {path: {required: true}, key: {required: true}}
outputs: {cache-hit: {value: "${{ steps.look.outputs.cache-hit }}"}}
runs:
  using: composite
  steps:
    - id: look
      shell: bash
      env: {FOLDER: "${{ inputs.path }}"}
      run: if [ -e "${FOLDER/#\~/$HOME}" ]; then echo "cache-hit=true" >> "$GITHUB_OUTPUT"; fi
`
	setupGoAction = `name: setup-go
inputs: {go-version: {}, go-version-file: {}, cache: {}}
runs:
  using: composite
  steps: [{shell: bash, run: go version}]
`
	uploadArtifactAction = `name: upload-artifact
inputs: {name: {required: true}, path: {required: true}, if-no-files-found: {default: warn}, retention-days: {}, overwrite: {default: "false"}}
runs:
  using: composite
  steps:
    - shell: bash
      env: {NAME: "${{ inputs.name }}", FOLDER: "${{ inputs.path }}", NONE: "${{ inputs.if-no-files-found }}", OVERWRITE: "${{ inputs.overwrite }}"}
      run: |
        if [ "$OVERWRITE" = true ]; then rm -rf "$HOME/attached/$NAME"; fi
        if [ ! -e "$FOLDER" ]; then echo "nothing to attach: $NONE"; [ "$NONE" != error ]; exit; fi
        mkdir -p "$HOME/attached" && cp -R "$FOLDER" "$HOME/attached/$NAME"
`
)

// actionsOfOthers are by their names.
var actionsOfOthers = map[string]string{"cache": cacheAction, "setup-go": setupGoAction, "upload-artifact": uploadArtifactAction}

// painter is a browser that draws the same on every page: a black box on white.
const painter = `#!/bin/sh
for a; do case $a in --screenshot=*) shot=${a#--screenshot=} ;; esac; done
echo iVBORw0KGgoAAAANSUhEUgAAACgAAAAoCAAAAACpleexAAAAIklEQVR42mP4TyRgGFU4qpBqChngYFTh4FI4mnBHFdJAIQAKNdZwQwa2XgAAAABJRU5ErkJggg== | base64 -d > "$shot"
`

// self is the commit by which workflows here name this repository as an action.
const self = "postrider/postrider@0123456789abcdef0123456789abcdef01234567"

// place is a site in a clone of a repository, with networks of its own.
type place struct {
	t         *testing.T
	dir, home string // the clone; where the runner is at home
	box       *sandbox.Sandbox
	secrets   []string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, home: t.TempDir()}
	var err error
	p.box, err = sandbox.Start(t.Context(), sandbox.Options{
		Registry: adapters.All(), Platforms: []platform.ID{"bluesky", "mastodon"}, Address: "127.0.0.1:0", Now: time.Now,
		Handles: map[platform.ID]string{"bluesky": "acme.example", "mastodon": "acme"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.box.Close() }) //nolint:errcheck // nothing is left of it
	accounts := map[platform.ID]string{"bluesky": "bluesky", "mastodon": "fedi"}
	servers := map[platform.ID]string{}
	for _, r := range p.box.Networks() {
		servers[r.ID] = r.Server()
		for name, value := range r.Secrets {
			p.secrets = append(p.secrets, platform.EnvName(accounts[r.ID], name)+"="+value)
		}
	}
	p.dir = filepath.Join(p.home, "acme", "site")
	p.write("site/site.yaml", fmt.Sprintf("title: Acme\ntimezone: UTC\naccounts:\n  bluesky: {platform: bluesky, handle: acme.example, server: %q}\n  fedi: {platform: mastodon, server: %q}\ndefaults: {platforms: [bluesky, fedi]}\n", servers["bluesky"], servers["mastodon"]))
	p.write("site/content/hello.md", "---\nid: hello\ntitle: \"Hello $(touch pwned) `touch pwned`\"\n---\nHello, world.\n")
	p.git("init", "-q", "-b", "main", ".")
	p.git("init", "-q", "--bare", "-b", "main", filepath.Join(p.home, "remote", "acme", "site.git"))
	p.git("remote", "add", "origin", filepath.Join(p.home, "remote", "acme", "site.git"))
	return p
}

func (p *place) write(name, text string) {
	p.t.Helper()
	file := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		p.t.Fatal(err)
	}
}

// command runs a program in the clone and returns what it printed.
func (p *place) command(name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(p.t.Context(), name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, &out, &out
	cmd.Env = append(os.Environ(),
		"HOME="+p.home, "XDG_CACHE_HOME="+filepath.Join(p.home, "cache"), "XDG_CONFIG_HOME="+filepath.Join(p.home, "config"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
	)
	err := cmd.Run()
	return out.String(), err
}

func (p *place) git(args ...string) {
	p.t.Helper()
	if out, err := p.command("git", args...); err != nil {
		p.t.Fatalf("git %s: %v\n%s", args, err, out)
	}
}

// act runs a workflow for an event, and returns its log.
func (p *place) act(workflow, event string, args ...string) (string, error) {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, workflow))
	if err != nil {
		p.t.Fatal(err)
	}
	action, err := os.ReadFile("../../action.yml")
	if err != nil {
		p.t.Fatal(err)
	}
	all := []string{
		event, "-W", workflow, "-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "--artifact-server-addr", "127.0.0.1", "--cache-server-addr", "127.0.0.1",
		"--local-repository", self + "=" + p.source(),
		"--env", "GOPROXY=file://" + filepath.Join(p.home, "proxy") + ",off", "--env", "GOSUMDB=off", // all else is in Go's cache, and was verified when it came there
		"--env", "GOMODCACHE=" + p.goEnv("GOMODCACHE"), "--env", "GOCACHE=" + p.goEnv("GOCACHE"), "--env", "HOME=" + p.home,
	}
	for _, m := range regexp.MustCompile(`actions/(cache|setup-go|upload-artifact)@[0-9a-f]{40}`).FindAllStringSubmatch(string(text)+string(action), -1) {
		dir := filepath.Join(p.home, "actions", m[1])
		if err := os.MkdirAll(dir, 0o777); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "action.yml"), []byte(actionsOfOthers[m[1]]), 0o666); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, "--local-repository", m[0]+"="+dir)
	}
	for _, s := range p.secrets {
		all = append(all, "-s", s)
	}
	out, err := p.command(filepath.Join(built, "act"), append(all, args...)...)
	return out, err
}

// source is this repository as an action's runner gets it: the files that git knows, without their history.
func (p *place) source() string {
	p.t.Helper()
	dir := filepath.Join(p.home, "actions", "postrider")
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		p.t.Fatal(err)
	}
	script := `set -e; cd "$1"; git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -cf - | tar -xf - -C "$2"`
	top, err := filepath.Abs("../..")
	if err != nil {
		p.t.Fatal(err)
	}
	if out, err := p.command("bash", "-c", script, "copy", top, dir); err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func (p *place) goEnv(name string) string {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), "go", "env", name).Output()
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// created fails the test unless each network has so many posts.
func (p *place) created(want int, log string) {
	p.t.Helper()
	for _, r := range p.box.Networks() {
		if got := r.Fake.Creations(); got != want {
			p.t.Fatalf("%d posts were created on %s, want %d\n%s", got, r.ID, want, log)
		}
	}
	for _, s := range p.secrets {
		if _, value, _ := strings.Cut(s, "="); strings.Contains(log, value) {
			p.t.Fatalf("the log has a secret:\n%s", log)
		}
	}
}

// The action builds the program from its own sources, publishes, and hands on what came of it; the next run finds the program again.
func TestAction(t *testing.T) {
	p := newPlace(t)
	p.write(".github/workflows/publish.yml", `on: workflow_dispatch
permissions: {}
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
      - id: postrider
        uses: `+self+`
        with:
          working-directory: site
          args: |
            --deadline
            1m

            --summary
            summary $(touch pwned).md
        env:
          POSTRIDER_BLUESKY_APP_PASSWORD: ${{ secrets.POSTRIDER_BLUESKY_APP_PASSWORD }}
          POSTRIDER_FEDI_ACCESS_TOKEN: ${{ secrets.POSTRIDER_FEDI_ACCESS_TOKEN }}
      - run: echo "came of it - $PUBLISHED - $FAILED - $UNKNOWN - $URLS"; cat site/summary*.md; ls site
        env:
          PUBLISHED: ${{ steps.postrider.outputs.published }}
          FAILED: ${{ steps.postrider.outputs.failed }}
          UNKNOWN: ${{ steps.postrider.outputs.unknown }}
          URLS: ${{ steps.postrider.outputs.urls }}
`)
	p.git("add", ".")
	p.git("commit", "-qm", "site")
	p.git("push", "-q", "origin", "main")
	log, err := p.act(".github/workflows/publish.yml", "workflow_dispatch")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	p.created(1, log)
	if !regexp.MustCompile(`came of it - 2 - 0 - 0 - \["http://127\.0\.0\.1:\d+/[^"]+","http://127\.0\.0\.1:\d+/[^"]+"\]`).MatchString(log) || !strings.Contains(log, "### Postrider: 2 published") {
		t.Errorf("the outputs or the summary are missing:\n%s", log)
	}
	if strings.Contains(log, "| pwned") || !strings.Contains(log, "go version") {
		t.Errorf("an input or a title was run, or the program was not built:\n%s", log)
	}
	log, err = p.act(".github/workflows/publish.yml", "workflow_dispatch")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	p.created(1, log)
	if strings.Contains(log, "go version go") || !strings.Contains(log, "came of it - 0 - 0 - 0 - []") {
		t.Errorf("the second run built the program again, or sent something:\n%s", log)
	}
}

// release puts this repository into a module proxy of its own, as a release. Its version is the test's own, so that Go's cache has it not yet.
func (p *place) release() {
	p.t.Helper()
	version := fmt.Sprintf("v0.0.%d", time.Now().UnixNano())
	const module = "github.com/postrider/postrider"
	dir := filepath.Join(p.home, "proxy", filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		p.t.Fatal(err)
	}
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	source := os.DirFS(p.source())
	err := fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if name != "." && err == nil {
				if _, err := fs.Stat(source, name+"/go.mod"); err == nil {
					return fs.SkipDir // a module of its own
				}
			}
			return err
		}
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		f, err := w.Create(module + "@" + version + "/" + name)
		if err == nil {
			_, err = f.Write(data)
		}
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil {
		p.t.Fatal(err)
	}
	mod, err := fs.ReadFile(source, "go.mod")
	if err != nil {
		p.t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".info": []byte(`{"Version": "` + version + `"}`), version + ".mod": mod, version + ".zip": archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			p.t.Fatal(err)
		}
	}
	cache := p.goEnv("GOMODCACHE")
	p.t.Cleanup(func() { // what Go has kept of it
		left, _ := filepath.Glob(filepath.Join(cache, "cache", "download", filepath.FromSlash(module), "@v", version+".*")) // the pattern is sound
		folder := filepath.Join(cache, filepath.FromSlash(module)) + "@" + version
		if out, err := exec.CommandContext(context.Background(), "chmod", "-R", "u+w", folder).CombinedOutput(); err != nil {
			p.t.Errorf("%v\n%s", err, out)
		}
		for _, name := range append(left, folder) {
			if err := os.RemoveAll(name); err != nil {
				p.t.Error(err)
			}
		}
	})
}

// The workflows are run as they are written: they install the release that Go's proxy has, check, review and publish.
func TestWorkflows(t *testing.T) {
	p := newPlace(t)
	out, err := p.command(filepath.Join(built, "postrider"), "init", "site", "--ci", "github")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.release()
	publish := filepath.Join(p.dir, ".github/workflows/postrider-site-publish.yml")
	text, err := os.ReadFile(publish)
	if err != nil {
		t.Fatal(err)
	}
	// act 0.2.89 does not know the key; actionlint, which .ci/run asks, does.
	known := strings.Replace(string(text), "      deployment: false\n", "", 1)
	if known == string(text) {
		t.Fatalf("the environment makes deployments:\n%s", text)
	}
	if err := os.WriteFile(publish, []byte(known), 0o666); err != nil {
		t.Fatal(err)
	}
	p.git("add", ".")
	p.git("commit", "-qm", "site")
	p.git("push", "-q", "origin", "main")
	log, err := p.act(".github/workflows/postrider-site-publish.yml", "push")
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	p.created(1, log)

	p.git("switch", "-q", "-c", "topic")
	p.write("site/content/news.md", "---\nid: news\nplatforms: [fedi, nowhere]\n---\nThe sledge is here.\n")
	p.git("add", ".")
	p.git("commit", "-qm", "news")
	p.write("../event.json", `{"action":"opened","number":7,"pull_request":{"number":7,"base":{"ref":"main"},"head":{"ref":"topic"}}}`)
	log, err = p.act(".github/workflows/postrider-site-check.yml", "pull_request", "-e", "../event.json", "--env", "POSTRIDER_BROWSER=none")
	if err == nil {
		t.Errorf("the check of a pull request with an error did not fail:\n%s", log)
	}
	for _, want := range []string{"error C101", "::error file=site/content/news.md,line=3,", "no browser was found", "nothing to attach: ignore"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%s", want, log)
		}
	}
	p.created(1, log)

	// GitLab's jobs are scripts; no runner of GitLab runs without its server.
	p.git("switch", "-q", "main")
	if out, err := p.command(filepath.Join(built, "postrider"), "init", "site", "--ci", "gitlab"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if log, err = p.job(".gitlab/postrider-site.yml", "publish"); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	p.created(1, log)
	p.has("postrider.env", "POSTRIDER_PUBLISHED=0\nPOSTRIDER_FAILED=0\nPOSTRIDER_UNKNOWN=0\nPOSTRIDER_URLS=[]\n")
	p.has("postrider.md", "### Postrider: nothing to send\n")
	p.git("switch", "-q", "topic")
	for _, name := range []string{"check", "review"} {
		if log, err = p.job(".gitlab/postrider-site.yml", name); err == nil {
			t.Errorf("%s of a merge request with an error did not fail:\n%s", name, log)
		}
	}
	p.has("gl-code-quality-report.json", `"path":"site/content/news.md"`)
	p.has("review.md", "## What merging this does in `site`\n")
	p.has("review.md", "](<https://gitlab.example/acme/site/-/jobs/9/artifacts/raw/postrider-pictures/post-news.png>)\n")
	p.has("postrider-pictures/post-news.png", "PNG")

	// With a browser, a check attaches what it draws.
	p.write("site/content/news.md", "---\nid: news\nplatforms: [fedi]\n---\nThe sledge is here.\n")
	p.git("commit", "-qam", "better news")
	log, err = p.act(".github/workflows/postrider-site-check.yml", "pull_request", "-e", "../event.json", "--env", "POSTRIDER_BROWSER="+p.painter())
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	p.has("../../attached/postrider-pictures-site/post-news.png", "PNG")
	p.created(1, log)
}

// painter returns the path of a browser.
func (p *place) painter() string {
	p.t.Helper()
	p.write("../painter", painter)
	path := filepath.Join(p.home, "acme", "painter")
	if err := os.Chmod(path, 0o700); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// job runs the script of one of GitLab's jobs as its runner does.
func (p *place) job(file, name string) (string, error) {
	p.t.Helper()
	src, err := os.ReadFile(filepath.Join(p.dir, file))
	if err != nil {
		p.t.Fatal(err)
	}
	var jobs map[string]struct {
		Extends string   `yaml:"extends"`
		Before  []string `yaml:"before_script"`
		Script  []string `yaml:"script"`
	}
	if err := yaml.Unmarshal(src, &jobs); err != nil {
		p.t.Fatal(err)
	}
	job := jobs["postrider-site-"+name]
	lines := append([]string{"set -eo pipefail"}, append(jobs[job.Extends].Before, job.Script...)...)
	env := append([]string{
		"CI=true", "GITLAB_CI=true", "CI_PROJECT_DIR=" + p.dir, "CI_JOB_URL=https://gitlab.example/acme/site/-/jobs/9", "POSTRIDER_VERSION=latest",
		"POSTRIDER_BROWSER=" + p.painter(), "GOBIN=" + filepath.Join(p.home, "gitlab-bin"),
		"GOPROXY=file://" + filepath.Join(p.home, "proxy") + ",off", "GOSUMDB=off", "GOMODCACHE=" + p.goEnv("GOMODCACHE"), "GOCACHE=" + p.goEnv("GOCACHE"),
	}, p.secrets...)
	return p.command("env", append(env, "bash", "-c", strings.Join(lines, "\n"))...)
}

// has fails the test unless a file in the clone has a text.
func (p *place) has(name, want string) {
	p.t.Helper()
	got, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil || !strings.Contains(string(got), want) {
		p.t.Errorf("%s has no %q: %v\n%s", name, want, err, got)
	}
}
