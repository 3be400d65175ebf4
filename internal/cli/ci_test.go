package cli

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/platform"
)

var update = flag.Bool("update", false, "write the goldens anew")

// sitesInCI are sites for which workflows are written in all tests, by the folder of their goldens.
func sitesInCI(t *testing.T) map[string]workflows {
	t.Helper()
	a := &app{Env: Env{Registry: adapters.All()}}
	with := func(w workflows, accounts string) workflows {
		cfg, found := config.Parse(config.File, []byte("title: Acme\ntimezone: UTC\n"+accounts), a.Registry)
		if found.HasErrors() {
			t.Fatalf("%v", found)
		}
		a.workflowNeeds(&w, cfg)
		return w
	}
	var all strings.Builder
	all.WriteString("accounts:\n")
	for _, account := range []string{
		"bluesky, handle: acme.example", `facebook, page: "1234567890"`, "instagram", "linkedin", `mastodon, server: "https://fedi.example"`,
		`telegram, chat: "@acme"`, "threads", `webhook, url: "https://example.com/in"`, "x, handle: acme",
	} {
		name, _, _ := strings.Cut(account, ",")
		fmt.Fprintf(&all, "  a-%s: {platform: %s}\n", name, account)
	}
	all.WriteString("media: {bucket: {endpoint: \"https://s3.example\", name: acme}}\n")
	return map[string]workflows{
		"top":    with(workflows{Name: "postrider", Branch: "main", Ledger: "postrider/ledger", Version: "v1.2.3"}, "accounts:\n  bluesky: {platform: bluesky, handle: acme.example}\n"),
		"folder": with(workflows{Name: "postrider-social-media", Folder: "social [media]", Branch: "release/1+2", Ledger: "results", Version: "latest"}, all.String()),
		"careful": with(workflows{Name: "postrider", Branch: "main", Ledger: "postrider/ledger", Version: "v1.2.3"},
			"accounts:\n  bluesky: {platform: bluesky, handle: acme.example}\nrequire_approval: {people: 2}\nnotify:\n  channels: {team: {platform: slack}}\n  issue: true\n  status: true\n"),
		"none": {Name: "postrider", Branch: "main", Ledger: "postrider/ledger", Version: strings.Repeat("0123456789", 4)},
	}
}

// written returns the files of a site for a code host.
func written(t *testing.T, w workflows, host string) map[string]string {
	t.Helper()
	w.Host, w.Actions, w.Docs, w.Minutes = host, actionsOf(host), ciDocs, minutesOf(w.Name)
	w.Workflows = workflowFolders[host]
	w.Jobs = w.Workflows + "/" + w.Name + ".yml"
	files, err := w.files()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		all[f.path] = f.text
	}
	return all
}

// The goldens are also what .ci/run lints.
func TestWorkflowsAreAsBefore(t *testing.T) {
	for name, w := range sitesInCI(t) {
		got := map[string]string{}
		for _, host := range ciHosts {
			maps.Copy(got, written(t, w, host))
		}
		dir := filepath.Join("testdata", "ci", name)
		if *update {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			for path, text := range got {
				path = filepath.Join(dir, filepath.FromSlash(path))
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := map[string]string{}
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				var text []byte
				text, err = os.ReadFile(filepath.Join(dir, path))
				want[path] = strings.ReplaceAll(string(text), "\r\n", "\n")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// workflow is what the rules below look at.
type workflow struct {
	On          map[string]any    `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group  string `yaml:"group"`
		Cancel bool   `yaml:"cancel-in-progress"`
	} `yaml:"concurrency"`
	Jobs map[string]struct {
		Permissions map[string]string `yaml:"permissions"`
		Timeout     int               `yaml:"timeout-minutes"`
		Steps       []step            `yaml:"steps"`
	} `yaml:"jobs"`
	Runs struct {
		Steps []step `yaml:"steps"`
	} `yaml:"runs"`
}

type step struct {
	Uses string            `yaml:"uses"`
	Run  string            `yaml:"run"`
	With map[string]any    `yaml:"with"`
	Env  map[string]string `yaml:"env"`

	Continue bool `yaml:"continue-on-error"`
}

// safe holds steps to what keeps strangers out: actions by their commit, and nothing from outside in a script.
func safe(t *testing.T, name string, steps []step) {
	t.Helper()
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)
	for _, s := range steps {
		if s.Uses != "" && !pinned.MatchString(s.Uses) {
			t.Errorf("%s: %q is not pinned by a commit", name, s.Uses)
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s: a script has an expression in it, which may hold anything: %s", name, s.Run)
		}
		if strings.HasPrefix(s.Uses, "actions/checkout@") && (s.With["persist-credentials"] != false || s.With["ref"] != nil || s.With["repository"] != nil) {
			t.Errorf("%s: a checkout leaves its token to all later steps, or is not that of the run: %v", name, s.With)
		}
		if strings.Contains(s.Uses, "/download-artifact@") {
			t.Errorf("%s: it takes what another run has attached", name)
		}
		if strings.Contains(s.Uses, "/upload-artifact@") && (strings.Contains(fmt.Sprint(s.With["name"]), "${{") || s.With["if-no-files-found"] != "ignore" || !s.Continue) {
			t.Errorf("%s: what is attached has its name from outside, or the job fails without it: %v", name, s.With)
		}
	}
}

func TestWorkflowsKeepStrangersOut(t *testing.T) {
	for site, w := range sitesInCI(t) {
		for _, host := range []string{"github", "gitea", "forgejo"} {
			for path, text := range written(t, w, host) {
				name := site + "/" + path
				var got workflow
				if err := yaml.Unmarshal([]byte(text), &got); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, text)
				}
				if strings.Contains(text, "pull_request_target") {
					t.Errorf("%s: pull_request_target", name)
				}
				if !strings.Contains(text, "\npermissions: {}\n") || got.Concurrency.Group == "" {
					t.Errorf("%s: it does not begin without permissions, or has no group", name)
				}
				secrets := regexp.MustCompile(`secrets\.(\w+)`).FindAllStringSubmatch(text, -1)
				publishes := strings.HasSuffix(path, "-publish.yml")
				for _, m := range secrets {
					if !publishes && m[1] != "POSTRIDER_FORGE_TOKEN" {
						t.Errorf("%s: it has the secret %s", name, m[1])
					}
				}
				if publishes && (len(secrets) != len(w.Secrets) || got.Concurrency.Cancel) {
					t.Errorf("%s: %d secrets, want %d, and no run that is cancelled", name, len(secrets), len(w.Secrets))
				}
				for id, job := range got.Jobs {
					safe(t, name, job.Steps)
					if job.Timeout == 0 || job.Permissions == nil {
						t.Errorf("%s: the job %s has no timeout or no permissions", name, id)
					}
					if !publishes && host == "github" && job.Permissions["contents"] != "read" {
						t.Errorf("%s: the job %s may write to the repository", name, id)
					}
				}
				if _, ok := got.On["pull_request"]; ok && host != "forgejo" && (len(got.Jobs) != 1 || len(got.Jobs["check"].Permissions) != 1) {
					t.Errorf("%s: what runs for a fork may do more than read", name)
				}
			}
		}
	}
}

// The action is held to the same rules.
func TestActionKeepsStrangersOut(t *testing.T) {
	src, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action workflow
	if err := yaml.Unmarshal(src, &action); err != nil {
		t.Fatal(err)
	}
	if len(action.Runs.Steps) < 3 {
		t.Fatalf("it has %d steps: is it read right?", len(action.Runs.Steps))
	}
	safe(t, "action.yml", action.Runs.Steps)
	text := string(src)
	for _, o := range publishNames {
		if !strings.Contains(text, "value: ${{ steps.run.outputs."+o+" }}") {
			t.Errorf("action.yml does not hand on the output %q", o)
		}
	}
	for _, pin := range []string{actionsOf("github").SetupGo, actionsOf("github").Cache} {
		if !strings.Contains(text, pin) {
			t.Errorf("action.yml does not use %s, which workflows do", pin)
		}
	}
}

// GitLab's jobs wait for each other, tell what they found, and see as much history as they need. Their YAML is read as GitLab reads it.
func TestGitLabJobs(t *testing.T) {
	for site, w := range sitesInCI(t) {
		files := written(t, w, "gitlab")
		var main struct {
			Include []struct{ Local string }
		}
		if err := yaml.Unmarshal([]byte(files[".gitlab-ci.yml"]), &main); err != nil {
			t.Fatal(err)
		}
		text, ok := files[strings.TrimPrefix(main.Include[0].Local, "/")]
		if !ok {
			t.Fatalf("%s: what .gitlab-ci.yml includes is not written: %v", site, main.Include)
		}
		var jobs map[string]struct {
			Extends       string         `yaml:"extends"`
			Stage         string         `yaml:"stage"`
			ResourceGroup string         `yaml:"resource_group"`
			Interruptible bool           `yaml:"interruptible"`
			Variables     map[string]any `yaml:"variables"`
			Script        []string       `yaml:"script"`
			Rules         []struct {
				If      string   `yaml:"if"`
				Changes []string `yaml:"changes"`
			} `yaml:"rules"`
			Artifacts struct {
				Paths   []string          `yaml:"paths"`
				Reports map[string]string `yaml:"reports"`
			} `yaml:"artifacts"`
		}
		if err := yaml.Unmarshal([]byte(text), &jobs); err != nil {
			t.Fatalf("%s: %v\n%s", site, err, text)
		}
		if got, want := slices.Sorted(maps.Keys(jobs)), []string{"." + w.Name, w.Name + "-check", w.Name + "-publish", w.Name + "-review"}; !slices.Equal(got, want) {
			t.Fatalf("%s: jobs %q, want %q", site, got, want)
		}
		publish := jobs[w.Name+"-publish"]
		if publish.ResourceGroup == "" || publish.Interruptible || publish.Artifacts.Reports["dotenv"] == "" || len(publish.Rules) != 3 {
			t.Errorf("%s: publish is %+v", site, publish)
		}
		if r := jobs[w.Name+"-check"].Artifacts.Reports; r["codequality"] == "" {
			t.Errorf("%s: check has the reports %v", site, r)
		}
		if v := jobs[w.Name+"-review"].Variables; fmt.Sprint(v["GIT_DEPTH"]) != "0" {
			t.Errorf("%s: review has the variables %v", site, v)
		}
		for _, path := range jobs[w.Name+"-review"].Artifacts.Paths {
			if !strings.Contains(strings.Join(jobs[w.Name+"-review"].Script, "\n"), `"$CI_PROJECT_DIR/`+path+`"`) {
				t.Errorf("%s: review keeps %s, which it does not write", site, path)
			}
		}
		for name, job := range jobs {
			for _, rule := range job.Rules {
				if (len(rule.Changes) > 0) != (w.Folder != "" && !strings.Contains(rule.If, `"schedule"`) && !strings.Contains(rule.If, `"web"`)) {
					t.Errorf("%s: %s runs for changes of %q when %s", site, name, rule.Changes, rule.If)
				}
			}
		}
	}
}

// The example of how to use the action is linted by .ci/run, too.
func TestActionExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/CI.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("testdata/ci/action/.github/workflows/publish.yml")
	if err != nil {
		t.Fatal(err)
	}
	normal := func(b []byte) string { return strings.ReplaceAll(string(b), "\r\n", "\n") }
	if !strings.Contains(normal(page), "```yaml\n"+normal(example)+"```\n") {
		t.Error("docs/CI.md shows another example than testdata/ci/action")
	}
	var got workflow
	if err := yaml.Unmarshal(example, &got); err != nil {
		t.Fatal(err)
	}
	safe(t, "the example", got.Jobs["publish"].Steps)
	src, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs, Outputs map[string]any
	}
	if err := yaml.Unmarshal(src, &action); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(action.Inputs)), slices.Sorted(maps.Keys(action.Outputs))) {
		if !strings.Contains(string(page), "\n| `"+name+"` |") {
			t.Errorf("docs/CI.md has no row for %q of action.yml", name)
		}
	}
}

func TestMinutesAreNotRound(t *testing.T) {
	seen := map[string]bool{}
	for i := range 1000 {
		minutes := minutesOf(fmt.Sprint("site ", i))
		seen[minutes] = true
		var a, b, c, d int
		if _, err := fmt.Sscanf(minutes, "%d,%d,%d,%d", &a, &b, &c, &d); err != nil {
			t.Fatal(err)
		}
		for _, m := range []int{a, b, c, d} {
			if m%5 == 0 || m > 59 {
				t.Fatalf("%s has the minute %d", minutes, m)
			}
		}
		if b-a != 15 || c-b != 15 || d-c != 15 {
			t.Errorf("%s is not a quarter of an hour apart", minutes)
		}
	}
	if len(seen) != 12 {
		t.Errorf("1000 sites share %d sets of minutes, want 12", len(seen))
	}
	if got, want := minutesOf("Acme"), "14,29,44,59"; got != want {
		t.Errorf("a site's minutes change: %s, were %s", got, want)
	}
}

func TestInstallable(t *testing.T) {
	for _, c := range []struct {
		v    version
		want string
	}{
		{version{Version: "v1.2.3"}, "v1.2.3"},
		{version{Version: "v1.2.3+dirty", Revision: "0123"}, "v1.2.3"},
		{version{Version: "v0.0.0-20261122101112-0123456789ab", Revision: "0123456789abcdef"}, "v0.0.0-20261122101112-0123456789ab"},
		{version{Version: "devel", Revision: "0123456789abcdef", Modified: true}, "0123456789abcdef"},
		{version{Version: "devel"}, "latest"},
	} {
		if got := installable(c.v); got != c.want {
			t.Errorf("%v: %q, want %q", c.v, got, c.want)
		}
	}
}

func TestCISecrets(t *testing.T) {
	a := &app{Env: Env{Registry: adapters.All()}}
	cfg := &config.Site{Accounts: []platform.Account{{Name: "a-b", Platform: "bluesky"}, {Name: "a.b", Platform: "bluesky"}, {Name: "other", Platform: "nowhere"}}}
	var got []string
	for _, s := range a.ciSecrets(cfg) {
		got = append(got, s.Env)
	}
	if want := []string{"POSTRIDER_A_B_APP_PASSWORD"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q: a key may stand only once", got, want)
	}
}

func TestWorkflowNames(t *testing.T) {
	for folder, want := range map[string]string{"": "", "social": "social", "a b/Soc[i]al": "a-b-soc-i-al", "Überblick": "berblick", "日本": ""} {
		if got := slugOf(folder); got != want {
			t.Errorf("slug of %q: %q, want %q", folder, got, want)
		}
	}
	if got, want := globOf("a*b?[c]+!", "/**"), `a\*b\?\[c]\+\!/**`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := shellWord("it's $HOME"), `'it'\''s $HOME'`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
