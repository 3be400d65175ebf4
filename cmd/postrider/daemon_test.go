//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/sandbox"
)

// server is a machine with a network, a remote and daemons.
type server struct {
	t      *testing.T
	dir    string
	remote string
	desk   string // where posts are written
	box    *sandbox.Sandbox
	env    []string
}

// newServer makes a site with an account on Bluesky in a remote of its own.
func newServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	s := &server{t: t, dir: dir, remote: filepath.Join(dir, "remote.git"), desk: filepath.Join(dir, "desk")}
	box, err := sandbox.Start(t.Context(), sandbox.Options{
		Registry: adapters.All(), Platforms: []platform.ID{"bluesky"}, Address: "127.0.0.1:0", Now: time.Now, Handles: map[platform.ID]string{"bluesky": "acme.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() }) //nolint:errcheck // a test's end
	s.box = box
	s.env = append(os.Environ(), "HOME="+dir, "CHANCE=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
	network := box.Networks()[0]
	for name, value := range network.Secrets {
		s.env = append(s.env, platform.EnvName("bluesky", name)+"="+value)
	}
	s.git("", "init", "-q", "--bare", "-b", "main", s.remote)
	s.git("", "init", "-q", "-b", "main", s.desk)
	s.git(s.desk, "remote", "add", "origin", s.remote)
	s.write("site.yaml", fmt.Sprintf("title: Acme\ntimezone: Europe/Berlin\naccounts:\n  bluesky: {platform: bluesky, handle: acme.example, server: %q}\ndefaults: {platforms: [bluesky]}\n", network.Server()))
	s.push()
	return s
}

// git runs git and returns what it prints.
func (s *server) git(dir string, args ...string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// write writes a file of the site.
func (s *server) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.desk, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		s.t.Fatal(err)
	}
}

// push merges what was written, and returns the commit.
func (s *server) push() string {
	s.t.Helper()
	s.git(s.desk, "add", "-A")
	s.git(s.desk, "commit", "-qm", "merged")
	s.git(s.desk, "push", "-q", "origin", "main")
	return s.git(s.desk, "rev-parse", "HEAD")
}

// run runs a program that must end well.
func (s *server) run(name string, args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// until waits for what other processes do.
func (s *server) until(what string, happened func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); !happened(); <-tick.C {
		if time.Now().After(end) {
			s.t.Fatalf("within a minute it did not happen that %s", what)
		}
	}
}

// running is a daemon that runs.
type running struct {
	t       *testing.T
	cmd     *exec.Cmd
	address string
	lines   chan map[string]any // its log
}

// start starts the real program as a daemon.
func (s *server) start(dir string, env []string, args ...string) *running {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "postrider", append([]string{"daemon", "--listen", "127.0.0.1:0", "--log-format", "json"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(s.env, env...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	r := &running{t: s.t, cmd: cmd, lines: make(chan map[string]any, 1000)}
	go func() {
		defer close(r.lines)
		for in := bufio.NewScanner(stderr); in.Scan(); {
			line := map[string]any{}
			if json.Unmarshal(in.Bytes(), &line) != nil {
				line["msg"] = in.Text()
				s.t.Log(in.Text()) // such as a report of the race detector
			}
			r.lines <- line
		}
	}()
	first, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the daemon did not start: %v\n%v", err, r.rest())
	}
	r.address = strings.TrimSpace(first)
	return r
}

// logs waits for a line of the log, and returns it.
func (r *running) logs(msg string, attrs ...string) map[string]any {
	r.t.Helper()
	var passed []map[string]any
	for line := range r.lines {
		fits := line["msg"] == msg
		for i := 0; i < len(attrs); i += 2 {
			fits = fits && fmt.Sprint(line[attrs[i]]) == attrs[i+1]
		}
		if fits {
			return line
		}
		passed = append(passed, line)
	}
	r.t.Fatalf("the daemon ended without saying %q %q, but:\n%v", msg, attrs, passed)
	return nil
}

func (r *running) rest() (lines []map[string]any) {
	for line := range r.lines {
		lines = append(lines, line)
	}
	return lines
}

// hangUp asks the daemon to read its files anew.
func (r *running) hangUp() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		r.t.Fatal(err)
	}
}

// ends asks the daemon to end, which it must do with exit code 0.
func (r *running) ends() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	lines := r.rest()
	if err := r.cmd.Wait(); err != nil {
		r.t.Fatalf("the daemon ended with %v\n%v", err, lines)
	}
}

// get reads one of the daemon's pages.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.address+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do(req)
}

// hook sends what GitHub sends after a push.
func (r *running) hook(path, secret, repository, ref, commit string) (int, string) {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"ref": ref, "after": commit, "repository": map[string]any{"full_name": "acme/social", "clone_url": repository}})
	if err != nil {
		r.t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.address+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "d-" + commit, "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	return r.do(req)
}

func (r *running) do(req *http.Request) (int, string) {
	r.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestDaemon merges a post, tells the daemon of it as GitHub does, and sees it on the network.
func TestDaemon(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	clone := filepath.Join(s.dir, "clone")
	s.git("", "clone", "-q", s.remote, clone)
	const secret = "the secret of the webhook"
	r := s.start(clone, []string{"POSTRIDER_WEBHOOK_SECRET=" + secret}, "--fetch", "1h")
	r.logs("new commit")
	s.write("content/hello.md", "---\nid: hello\n---\nHello, world.\n")
	commit := s.push()
	if status, answer := r.hook("/hook", "another", s.remote, "refs/heads/main", commit); status != http.StatusUnauthorized {
		t.Errorf("a webhook with a wrong signature: %d %s", status, answer)
	}
	if status, answer := r.hook("/hook", secret, s.remote, "refs/heads/main", commit); status != http.StatusAccepted {
		t.Errorf("a signed webhook: %d %s", status, answer)
	}
	r.logs("delivered", "post", "hello")
	if posts := s.box.Networks()[0].Fake.Posts(); len(posts) != 1 || posts[0].Text != "Hello, world." {
		t.Errorf("the network has %v", posts)
	}
	if status, answer := r.hook("/hook", secret, s.remote, "refs/heads/main", commit); status != http.StatusConflict {
		t.Errorf("the same webhook again: %d %s", status, answer)
	}
	if status, _ := r.get("/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	if _, metrics := r.get("/metrics"); !strings.Contains(metrics, `postrider_deliveries_total{site="site",account="bluesky",result="published"} 1`) {
		t.Errorf("metrics:\n%s", metrics)
	}
	r.ends()
	if got := s.git(s.remote, "log", "-1", "--format=%s", "postrider/ledger"); !strings.Contains(got, "published") {
		t.Errorf("the ledger ends with %q", got)
	}
}

// TestDaemonsShareARepository has two daemons publish from one repository: each post goes out exactly once.
func TestDaemonsShareARepository(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	due := time.Now().Add(4 * time.Second).Truncate(time.Second)
	const posts = 8
	for i := range posts {
		s.write(fmt.Sprintf("content/post-%d.md", i), fmt.Sprintf("---\nid: post-%d\npublish_at: %s\n---\nOur number %d.\n", i, due.Format(time.RFC3339), i))
	}
	s.push()
	var daemons []*running
	for i := range 2 {
		clone := filepath.Join(s.dir, fmt.Sprint("clone", i))
		s.git("", "clone", "-q", s.remote, clone)
		daemons = append(daemons, s.start(clone, nil, "--fetch", "1s", "-v"))
	}
	bluesky := s.box.Networks()[0].Fake
	s.until("all posts are out", func() bool { return len(bluesky.Posts()) >= posts })
	out := time.Now()
	for _, r := range daemons { // each looks once more, with everything out
		var at time.Time
		for !at.After(out) {
			var err error
			if at, err = time.Parse(time.RFC3339Nano, fmt.Sprint(r.logs("asked")["time"])); err != nil {
				t.Fatal(err)
			}
		}
		r.ends()
	}
	if n := bluesky.Creations(); n != posts {
		t.Errorf("%d posts were created, want %d", n, posts)
	}
	for _, p := range bluesky.Posts() {
		if late := p.Created.Sub(due); late < 0 {
			t.Errorf("%q went out %s before its time", p.Text, -late)
		}
	}
}

// TestDaemonAsksAtRest has a daemon ask its remote again and again, for which it starts no process once it knows how; and has the remote move.
func TestDaemonAsksAtRest(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	clone, trace := filepath.Join(s.dir, "clone"), filepath.Join(s.dir, "trace")
	s.git("", "clone", "-q", s.remote, clone)
	r := s.start(clone, []string{"GIT_TRACE2=" + trace}, "--fetch", "1s", "-v")
	started := func() string {
		b, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	r.logs("asked", "news", "false")
	before := started()
	r.logs("asked", "news", "false")
	r.logs("asked", "news", "false")
	if after := started(); after != before {
		t.Errorf("git was started to ask for news:\n%s", strings.TrimPrefix(after, before))
	}
	moved := filepath.Join(s.dir, "moved.git")
	if err := os.Rename(s.remote, moved); err != nil {
		t.Fatal(err)
	}
	r.logs("failed")
	for _, dir := range []string{clone, s.desk} {
		s.git(dir, "remote", "set-url", "origin", moved)
	}
	s.write("content/hello.md", "---\nid: hello\n---\nHello from elsewhere.\n")
	s.push()
	r.logs("delivered", "post", "hello")
	r.ends()
}

// TestDaemonSites serves a site from a path and one from an address, with secrets of their own, beside one that is broken; and reads the
// sites file anew.
func TestDaemonSites(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	second := newServer(t)
	clone := filepath.Join(s.dir, "clone")
	s.git("", "clone", "-q", s.remote, clone)
	var secrets, prefixed []string // the first site's are in a file, the second's in the environment
	plain := s.env[:0:0]
	for _, kv := range s.env {
		if strings.HasPrefix(kv, "POSTRIDER_") {
			secrets = append(secrets, kv)
		} else {
			plain = append(plain, kv)
		}
	}
	for _, kv := range second.env {
		if strings.HasPrefix(kv, "POSTRIDER_") {
			prefixed = append(prefixed, "SECOND_"+kv)
		}
	}
	s.env = plain
	files := filepath.Join(s.dir, "etc")
	put := func(name, text string) {
		if err := os.MkdirAll(files, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("first.env", strings.Join(secrets, "\n")+"\nFIRST_WEBHOOK=first-webhook-secret\n")
	sites := fmt.Sprintf("sites:\n- {name: first, path: %q, env_file: first.env, webhook_secret: FIRST_WEBHOOK}\n- {name: poor, path: %q}\n- {name: gone, path: /nowhere/at/all}\n", clone, clone)
	put("sites.yaml", sites)
	r := s.start(s.dir, prefixed, "--sites", filepath.Join(files, "sites.yaml"), "--state", filepath.Join(s.dir, "state"), "--fetch", "1h")
	r.logs("new commit", "site", "first")

	// A site that has no secrets of its own finds none.
	s.write("content/hello.md", "---\nid: hello\n---\nHello from the first.\n")
	commit := s.push()
	if status, answer := r.hook("/hook/poor", "first-webhook-secret", s.remote, "refs/heads/main", commit); status != http.StatusUnauthorized {
		t.Errorf("another site's secret: %d %s", status, answer)
	}
	if status, answer := r.hook("/hook/first", "first-webhook-secret", s.remote, "refs/heads/main", commit); status != http.StatusAccepted {
		t.Errorf("the site's webhook: %d %s", status, answer)
	}
	r.logs("delivered", "site", "first", "post", "hello")

	// A sites file with errors changes nothing; a good one is taken over.
	put("sites.yaml", "sites:\n- {name: first}\n")
	r.hangUp()
	if line := r.logs("the files are not taken over, and everything stays as it was"); !strings.Contains(fmt.Sprint(line["err"]), `line 2: site "first" needs either a path or a url`) {
		t.Errorf("what is wrong: %v", line)
	}
	put("sites.yaml", sites+fmt.Sprintf("- {name: second, url: %q, env_prefix: SECOND_}\n", second.remote))
	second.write("content/hello.md", "---\nid: hello\n---\nHello from the second.\n")
	second.push()
	r.hangUp()
	r.logs("delivered", "site", "second", "post", "hello")
	s.write("content/more.md", "---\nid: more\n---\nMore of the first.\n")
	r.hook("/hook/first", "first-webhook-secret", s.remote, "refs/heads/main", s.push())
	r.logs("delivered", "site", "first", "post", "more")

	status, ready := r.get("/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(ready, `{"name":"first","ready":true`) || !strings.Contains(ready, `{"name":"gone","ready":false`) {
		t.Errorf("readyz: %d %s", status, ready)
	}
	r.ends()
	for i, want := range []string{"Hello from the first. More of the first.", "Hello from the second."} {
		var texts []string
		for _, p := range []*server{s, second}[i].box.Networks()[0].Fake.Posts() {
			texts = append(texts, p.Text)
		}
		if got := strings.Join(texts, " "); got != want {
			t.Errorf("network %d has %q, want %q", i, got, want)
		}
	}
}

// TestDaemonIsHeld pulls the emergency stop, of which the webhook of the ledger's push tells.
func TestDaemonIsHeld(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	clone := filepath.Join(s.dir, "clone")
	s.git("", "clone", "-q", s.remote, clone)
	const secret = "webhook-secret-0123456789"
	r := s.start(clone, []string{"POSTRIDER_WEBHOOK_SECRET=" + secret}, "--fetch", "1h")
	r.logs("new commit")
	s.run("postrider", "-C", s.desk, "hold", "--reason", "an earthquake")
	r.hook("/hook", secret, s.remote, "refs/heads/postrider/ledger", s.git(s.remote, "rev-parse", "postrider/ledger"))
	s.write("content/hello.md", "---\nid: hello\n---\nHello, world.\n")
	r.hook("/hook", secret, s.remote, "refs/heads/main", s.push())
	r.logs("new commit")
	s.until("the site says that it is held", func() bool {
		_, ready := r.get("/readyz")
		_, metrics := r.get("/metrics")
		return strings.Contains(ready, `"held":true`) && strings.Contains(metrics, `postrider_waiting{site="site",state="held"} 1`)
	})
	if n := s.box.Networks()[0].Fake.Creations(); n != 0 {
		t.Errorf("%d posts went out", n)
	}
	s.run("postrider", "-C", s.desk, "hold", "--lift")
	r.hook("/hook", secret, s.remote, "refs/heads/postrider/ledger", s.git(s.remote, "rev-parse", "postrider/ledger"))
	r.logs("delivered", "post", "hello")
	r.ends()
}
