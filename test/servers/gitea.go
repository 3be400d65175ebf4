package servers

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Gitea is a running Gitea. Its webhooks reach only this machine; it sends no mail and has no runner, and its pages have no scripts.
type Gitea struct {
	URL string // http://127.0.0.1:port
	// Tokens are access tokens for everything that their users may do, by user name. Users have the password [GiteaPassword].
	Tokens map[string]string
}

// GiteaPassword is the password of every user of a [Gitea].
const GiteaPassword = "Correct-Horse-Battery-9"

// StartGitea starts a Gitea that runs until the test ends, with users, of whom the first is its administrator.
func StartGitea(tb testing.TB, admin string, others ...string) Gitea {
	tb.Helper()
	dir := installed(tb, "gitea")
	if _, err := exec.LookPath("git"); err != nil {
		tb.Fatalf("Gitea needs git: %v", err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), startLimit)
	defer cancel()
	var gitea Gitea
	err := onFreePort(func(port int) (err error) {
		gitea, err = startGitea(ctx, tb, dir, port, admin, others)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return gitea
}

func startGitea(ctx context.Context, tb testing.TB, dir string, port int, admin string, others []string) (Gitea, error) {
	state := tb.TempDir()
	ini := filepath.Join(state, "app.ini")
	if err := os.WriteFile(ini, []byte(giteaINI(dir, state, port)), 0o600); err != nil {
		return Gitea{}, err
	}
	program := program{
		name:  "gitea",
		dir:   state,
		env:   []string{"PATH=" + os.Getenv("PATH"), "HOME=" + state, "TMPDIR=" + state}, // for git
		argv:  []string{filepath.Join(dir, "gitea"), "--work-path", state, "--config", ini, "web"},
		grace: stopGrace,
	}
	p, err := run(tb, program)
	if err != nil {
		return Gitea{}, err
	}
	g := Gitea{URL: "http://127.0.0.1:" + strconv.Itoa(port), Tokens: map[string]string{}}
	if err := p.answers(ctx, &http.Client{}, g.URL+"/api/v1/version"); err != nil {
		return Gitea{}, err
	}

	// The program itself makes the first user, in the database of the running server; the first makes the others.
	cmd := exec.CommandContext(ctx, program.argv[0], append(program.argv[1:len(program.argv)-1],
		"admin", "user", "create", "--admin", "--username", admin, "--email", admin+"@example.com", "--password", GiteaPassword,
		"--must-change-password=false", "--access-token", "--access-token-name", "test", "--access-token-scopes", "all")...)
	cmd.Dir, cmd.Env = state, program.env
	dieWithParent(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Gitea{}, fmt.Errorf("gitea admin user create: %w: %s", err, out)
	}
	_, token, found := strings.Cut(string(out), "Access token was successfully created... ")
	if !found {
		return Gitea{}, fmt.Errorf("gitea admin user create wrote no token: %s", out)
	}
	g.Tokens[admin] = strings.TrimSpace(token)

	for _, name := range others {
		api := &client{http: &http.Client{}, url: g.URL + "/api/v1", token: g.Tokens[admin]}
		err := api.call(ctx, http.MethodPost, "/admin/users", map[string]any{
			"username": name, "email": name + "@example.com", "password": GiteaPassword, "must_change_password": false,
		}, nil)
		if err != nil {
			return Gitea{}, err
		}
		api = &client{http: &http.Client{Transport: basicAuth{name, GiteaPassword}}, url: api.url} // a token is made with the password only
		var made struct{ SHA1 string }
		if err := api.call(ctx, http.MethodPost, "/users/"+name+"/tokens", map[string]any{"name": "test", "scopes": []string{"all"}}, &made); err != nil {
			return Gitea{}, err
		}
		g.Tokens[name] = made.SHA1
	}
	return g, nil
}

// basicAuth sends every request in the name of a user with a password.
type basicAuth struct{ user, password string }

// RoundTrip implements http.RoundTripper.
func (a basicAuth) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth(a.user, a.password)
	return http.DefaultTransport.RoundTrip(r)
}

// giteaINI returns the whole configuration of a server on port, whose files are in dir and whose data is in state. Its queues are in
// memory: those on the disk, which Gitea has by default, are looked at every 50 ms to 2 s only, less often the longer they were empty.
// https://docs.gitea.com/administration/config-cheat-sheet (2026-11-22)
func giteaINI(dir, state string, port int) string {
	base := "127.0.0.1:" + strconv.Itoa(port)
	return `APP_NAME = test
RUN_MODE = prod
WORK_PATH = ` + state + `
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ` + strconv.Itoa(port) + `
ROOT_URL = http://` + base + `/
STATIC_ROOT_PATH = ` + filepath.Join(dir, "static") + `
DISABLE_SSH = true
OFFLINE_MODE = true
GRACEFUL_HAMMER_TIME = 5s
[database]
DB_TYPE = sqlite3
SQLITE_JOURNAL_MODE = WAL
[security]
INSTALL_LOCK = true
SECRET_KEY = for tests only
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = loopback
[queue]
TYPE = channel
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
MODE = console
LEVEL = Warn
[cron.update_checker]
ENABLED = false
`
}
