package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/adapters/webhook/fake"
)

// patience is how long a test waits for something that takes an instant on an idle machine.
const patience = 30 * time.Second

// built is the folder of the program, made at most once a test process; TestMain removes it.
var built struct {
	sync.Once
	dir string
	err error
}

// builtProgram builds the real program and returns its path.
func builtProgram(t *testing.T) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "postrider-servers-"); built.err != nil { //nolint:usetesting // outlives the test
			return
		}
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "build", "-o", built.dir, "./cmd/postrider")
		cmd.Dir = filepath.Join(sourceDir(), "..", "..")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "postrider")
}

// removeProgram removes what builtProgram made.
func removeProgram() {
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
}

// world is two real servers, a receiver of webhooks, and the bare remote of a site that publishes to them.
type world struct {
	t       *testing.T
	pds     PDS
	gts     GoToSocial
	hook    *fake.Server
	hookURL string
	remote  string
	home    string
	env     []string // of every program, without secrets
	secrets map[string]string
}

const hookSecret = "whsec_cmVhbCBzZXJ2ZXJzLCBub3QgYSByZWFsIHNlY3JldCE="

// newWorld starts the servers, side by side, and makes the remote.
func newWorld(t *testing.T) *world {
	t.Helper()
	began := time.Now()
	pds, gts := StartPDS(t), StartGoToSocial(t)
	t.Logf("both servers have an account after %v", time.Since(began).Round(time.Millisecond))
	w := worldOf(t, pds, gts)

	receiver := httptest.NewUnstartedServer(nil)
	base := "http://" + receiver.Listener.Addr().String()
	w.hook, w.hookURL = fake.New(fake.Options{Base: base, Secret: hookSecret, Now: time.Now}), base+fake.Path
	receiver.Config.Handler = w.hook
	receiver.Start()
	t.Cleanup(receiver.Close)

	w.remote = filepath.Join(w.home, "remote.git")
	w.git(w.home, "init", "--quiet", "--bare", "--initial-branch=main", w.remote)
	return w
}

// worldOf returns a world of servers, without a receiver and a remote.
func worldOf(t *testing.T, pds PDS, gts GoToSocial) *world {
	t.Helper()
	w := &world{t: t, pds: pds, gts: gts, home: t.TempDir(), hookURL: "https://news.fichtl.example/postrider"}
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.home, "TMPDIR=" + w.home, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Vroni Fichtl", "GIT_AUTHOR_EMAIL=vroni@fichtl.example",
		"GIT_COMMITTER_NAME=Vroni Fichtl", "GIT_COMMITTER_EMAIL=vroni@fichtl.example",
	}
	w.secrets = map[string]string{
		"POSTRIDER_BLUESKY_APP_PASSWORD": pds.AppPassword,
		"POSTRIDER_FEDI_ACCESS_TOKEN":    gts.Token,
		"POSTRIDER_NEWSLETTER_SECRET":    hookSecret,
	}
	return w
}

// git runs the real git in a folder and returns what it prints.
func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	out, err := w.tryGit(dir, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// tryGit runs the real git in a folder and returns what it prints, or that with its error.
func (w *world) tryGit(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, w.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %q: %w: %s%s", args, err, &stdout, &stderr)
	}
	return stdout.String(), nil
}

// clone is a clone of the remote, as a person or a CI job has one.
type clone struct {
	*world
	dir string
}

func (w *world) clone() *clone {
	w.t.Helper()
	dir := w.t.TempDir()
	w.git(w.home, "clone", "--quiet", w.remote, dir)
	return &clone{w, dir}
}

// write writes files of the site.
func (c *clone) write(files map[string]string) {
	c.t.Helper()
	for name, text := range files {
		file := filepath.Join(c.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// push commits everything and pushes it.
func (c *clone) push(message string) {
	c.t.Helper()
	c.git(c.dir, "add", "--all")
	c.git(c.dir, "commit", "--quiet", "--message", message)
	c.git(c.dir, "push", "--quiet", "origin", "HEAD:main")
}

// edit replaces text that a file of the site has exactly once.
func (c *clone) edit(name, old, new string) {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(map[string]string{name: replaceOnce(c.t, string(b), old, new)})
}

func replaceOnce(t *testing.T, text, old, new string) string {
	t.Helper()
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q is in the file %d times, and not once:\n%s", old, n, text)
	}
	return strings.Replace(text, old, new, 1)
}

// command prepares a call of the program, with all secrets in its environment.
func (c *clone) command(args ...string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), builtProgram(c.t), args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	for name, value := range c.secrets {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	dieWithParent(cmd)
	return cmd
}

// run calls the program, which must end with a code, and decodes the JSON that it prints into out.
func (c *clone) run(code int, out any, args ...string) {
	c.t.Helper()
	cmd := c.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		c.t.Fatal(err)
	}
	for name, value := range c.secrets {
		if strings.Contains(stdout.String()+stderr.String(), value) {
			c.t.Errorf("postrider %q prints the secret of %s", args, name)
		}
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		c.t.Fatalf("postrider %q ends with %d, want %d:\n%s%s", args, got, code, &stdout, &stderr)
	}
	if err := json.Unmarshal(stdout.Bytes(), out); err != nil {
		c.t.Fatalf("postrider %q: %v:\n%s%s", args, err, &stdout, &stderr)
	}
}

// report is what publish --json prints.
type report struct {
	Run, Branch, Commit string
	Deliveries          []delivery
	Waiting             []struct{ Path, Account, State, Reason string }
	LedgerCommit        string `json:"ledger_commit"`
}

type delivery struct {
	Post, Path, Account, Outcome, ID, URL, Error string
	Parts                                        []remotePart
}

type remotePart struct{ ID, URL string }

// publish runs publish --json, which must end with a code.
func (c *clone) publish(code int) *report {
	c.t.Helper()
	began := time.Now()
	var r report
	c.run(code, &r, "publish", "--json", "--allow-private")
	c.t.Logf("publish: %d deliveries in %v", len(r.Deliveries), time.Since(began).Round(time.Millisecond))
	for _, d := range r.Deliveries {
		if d.Error != "" {
			c.t.Logf("%s → %s: %s: %s", d.Path, d.Account, d.Outcome, d.Error)
		}
	}
	return &r
}

// outcomes returns the outcome of each delivery, by "path → account".
func (r *report) outcomes() map[string]string {
	got := map[string]string{}
	for _, d := range r.Deliveries {
		got[d.Path+" → "+d.Account] = d.Outcome
	}
	return got
}

// of returns the delivery of a post to an account.
func (r *report) of(t *testing.T, path, account string) *delivery {
	t.Helper()
	for i := range r.Deliveries {
		if d := &r.Deliveries[i]; d.Path == path && d.Account == account {
			return d
		}
	}
	t.Fatalf("no delivery of %s to %s in %+v", path, account, r)
	return nil
}

// record is one of those that status --json prints.
type record struct {
	Post, Account, State string
	Parts                []remotePart
	Attempts             []struct{ Outcome, Action string }
	Fingerprint          string
}

// records returns the ledger's records by "post → account".
func (c *clone) records() map[string]record {
	c.t.Helper()
	var out struct{ Records []record }
	c.run(0, &out, "status", "--json")
	got := map[string]record{}
	for _, r := range out.Records {
		got[r.Post+" → "+r.Account] = r
	}
	return got
}

// rendering is what render --json says that an account's network will be sent.
type rendering struct {
	post                 string
	Account, Fingerprint string
	Parts                []struct {
		Text   string
		Facets []struct {
			Start, End  int
			Kind, Value string
		}
		Media []mediaFile
		Card  *struct {
			URL, Title, Description string
			Image                   *mediaFile
			Fetch                   bool
		}
	}
	Language       []string
	Visibility     string
	ContentWarning string `json:"content_warning"`
	Sensitive      bool
	Poll           *struct {
		Options  []string
		Seconds  int
		Multiple bool
	}
}

type mediaFile struct {
	File, Alt, MIME string
	Width, Height   int
}

// render returns what a post looks like for an account.
func (c *clone) render(path, account string) *rendering {
	c.t.Helper()
	var out struct {
		Post       string
		Renderings []*rendering
	}
	c.run(0, &out, "render", "--json", "--account", account, path)
	if len(out.Renderings) != 1 {
		c.t.Fatalf("%d renderings of %s for %s", len(out.Renderings), path, account)
	}
	out.Renderings[0].post = out.Post
	return out.Renderings[0]
}

// file returns the bytes of a file of the site.
func (c *clone) file(name string) []byte {
	c.t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, filepath.FromSlash(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// The lines of front matter that say when a post comes and goes.
var (
	publishAt = regexp.MustCompile(`(?m)^(publish_at *[:=] *)\d{4}-\d\d-\d\d[ T][\d:]+Z?`)
	expiresAt = regexp.MustCompile(`(?m)^(expires_at *[:=] *)\d{4}-\d\d-\d\d[ T][\d:]+Z?`)
)

// withTime returns a post with another time where a pattern finds one.
func withTime(text string, at time.Time, where *regexp.Regexp) string {
	return where.ReplaceAllString(text, "${1}"+at.UTC().Format(time.RFC3339))
}

// siteYAML returns the sample's site.yaml with the addresses of servers.
func (w *world) siteYAML(pds, gts string) string {
	w.t.Helper()
	text, err := fs.ReadFile(postrider.Sample, "site.yaml")
	if err != nil {
		w.t.Fatal(err)
	}
	yaml := string(text)
	for _, r := range [][2]string{
		{`handle: fichtl.example, server: "https://bsky.social"`, fmt.Sprintf("handle: %s, server: %q", w.pds.Handle, pds)},
		{`handle: fichtl, server: "https://alpen.example"`, fmt.Sprintf("handle: %s, server: %q, software: gotosocial", w.gts.Account, gts)},
		{`"https://hooks.fichtl.example/postrider"`, fmt.Sprintf("%q", w.hookURL)},
		{`quiet: ["22:00-07:00"]`, "quiet: []"}, // the tests run at any hour
	} {
		yaml = replaceOnce(w.t, yaml, r[0], r[1])
	}
	return yaml
}

// sample returns the sample site for the servers: the posts in due since a minute ago, all others in a
// year, and with somebody to mention whom both servers know.
func (w *world) sample(due ...string) map[string]string {
	w.t.Helper()
	now := time.Now()
	files := map[string]string{}
	missing := map[string]bool{}
	for _, name := range due {
		missing[name] = true
	}
	err := fs.WalkDir(postrider.Sample, "content", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(postrider.Sample, name)
		at := now.AddDate(1, 0, 0)
		if missing[name] {
			at = now.Add(-time.Minute)
			delete(missing, name)
		}
		text := string(b)
		if strings.HasSuffix(name, ".md") {
			text = withTime(withTime(text, at, publishAt), now.AddDate(2, 0, 0), expiresAt)
		}
		files[name] = text
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(missing) > 0 {
		w.t.Fatalf("the sample site lacks %v", missing)
	}
	for _, r := range [][2]string{
		{"anni.example.com", w.pds.Handle},
		{"anni@alpen.example", w.gts.Account},
		{"The rope is by @anni.", "The rope is by @anni, of course."}, // GoToSocial takes a full stop for a part of the name
		{"Its drawings are free.", "Its drawings are free, says @anni."},
	} {
		files[theNine] = replaceOnce(w.t, files[theNine], r[0], r[1])
	}
	files[nikolaus] = replaceOnce(w.t, files[nikolaus], "language: de", "language: DE") // which the PDS would refuse
	files["site.yaml"] = w.siteYAML(w.pds.URL, w.gts.URL)
	return files
}

// eventually asks until there is nothing wrong any more, or patience ends.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after %v: %v", patience, err)
		case <-every.C:
		}
	}
}
