package servers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// runner takes the jobs of the site's workflows from the code host, as Gitea's own runner does: it gets each job's event, environment and
// token, and says how it ended. What the job does in between, a test does.
// https://gitea.com/gitea/actions-proto-def (2026-11-22), as JSON: https://connectrpc.com/docs/protocol
type runner struct {
	f   *forgeWorld
	api client
}

// runnerLabel is what workflows name in runs-on.
const runnerLabel = "ubuntu-latest"

// runner registers a runner for the site's repository.
func (f *forgeWorld) runner() *runner {
	f.t.Helper()
	var invitation struct{ Token string }
	f.api(vroni, http.MethodPost, "/repos/"+siteRepo+"/actions/runners/registration-token", nil, &invitation)
	r := &runner{f: f, api: client{http: &http.Client{}, url: f.gitea.URL + "/api/actions/runner.v1.RunnerService"}}
	var made struct {
		Runner struct{ UUID, Token string }
	}
	r.call("/Register", map[string]any{"name": "test", "token": invitation.Token, "version": "1", "labels": []string{runnerLabel}}, &made)
	r.api.http.Transport = headers{"x-runner-uuid": made.Runner.UUID, "x-runner-token": made.Runner.Token}
	return r
}

func (r *runner) call(path string, in, out any) {
	r.f.t.Helper()
	if err := r.api.call(r.f.t.Context(), http.MethodPost, path, in, out); err != nil {
		r.f.t.Fatal(err)
	}
}

// painter is the browser of a job: it draws the same on every page, a black box on white.
const painter = `#!/bin/sh
for a; do case $a in --screenshot=*) shot=${a#--screenshot=} ;; esac; done
echo iVBORw0KGgoAAAANSUhEUgAAACgAAAAoCAAAAACpleexAAAAIklEQVR42mP4TyRgGFU4qpBqChngYFTh4FI4mnBHFdJAIQAKNdZwQwa2XgAAAABJRU5ErkJggg== | base64 -d > "$shot"
`

// headers sends every request with headers.
type headers map[string]string

// RoundTrip implements http.RoundTripper.
func (h headers) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, value := range h {
		r.Header.Set(name, value)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// job is a job that a runner was given.
type job struct {
	ID      string
	Context struct {
		Event      json.RawMessage
		EventName  string `json:"event_name"`
		Repository string
		Ref, SHA   string
		APIURL     string `json:"api_url"`
		ServerURL  string `json:"server_url"`
		Workflow   string
		Token      string
	}
}

// next waits for the next job of a workflow. Jobs of others end as they come: their conditions, which are the runner's to judge, leave them out.
func (r *runner) next(workflow string) *job {
	r.f.t.Helper()
	var found *job
	eventually(r.f.t, func() error {
		var got struct{ Task *job }
		r.call("/FetchTask", map[string]any{}, &got)
		switch {
		case got.Task == nil:
			return fmt.Errorf("no job of %s for the runner", workflow)
		case got.Task.Context.Workflow != workflow:
			r.end(got.Task)
			return fmt.Errorf("no job of %s for the runner, one of %s", workflow, got.Task.Context.Workflow)
		}
		found = got.Task
		return nil
	})
	return found
}

// end says that a job went well.
func (r *runner) end(j *job) {
	r.f.t.Helper()
	now := time.Now().UTC().Format(time.RFC3339)
	r.call("/UpdateTask", map[string]any{
		"state": map[string]any{"id": j.ID, "result": "RESULT_SUCCESS", "startedAt": now, "stoppedAt": now},
	}, nil)
}

// checkout returns the clone in which a job works, as actions/checkout leaves it with all of the history, with the job's environment
// and its token.
func (r *runner) checkout(j *job) *clone {
	f := r.f
	f.t.Helper()
	dir := f.t.TempDir()
	event := filepath.Join(f.t.TempDir(), "event.json")
	if err := os.WriteFile(event, j.Context.Event, 0o600); err != nil {
		f.t.Fatal(err)
	}
	browser := filepath.Join(f.t.TempDir(), "painter")
	if err := os.WriteFile(browser, []byte(painter), 0o700); err != nil {
		f.t.Fatal(err)
	}
	f.git(dir, "init", "--quiet")
	f.git(dir, "remote", "add", "origin", j.Context.ServerURL+j.Context.Repository)
	f.git(dir, "config", "http."+j.Context.ServerURL+".extraheader",
		"AUTHORIZATION: basic "+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+j.Context.Token)))
	f.git(dir, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", "+"+j.Context.Ref+":refs/remotes/checkout")
	f.git(dir, "checkout", "--quiet", "--detach", j.Context.SHA)

	w := *f.world
	w.env = append(w.env[:len(w.env):len(w.env)],
		"POSTRIDER_BROWSER="+browser, "CI=true", "GITHUB_ACTIONS=true", "GITEA_ACTIONS=true", "GITHUB_REPOSITORY="+j.Context.Repository, "GITHUB_REF="+j.Context.Ref,
		"GITHUB_SERVER_URL="+j.Context.ServerURL, "GITHUB_API_URL="+j.Context.APIURL, "GITHUB_EVENT_NAME="+j.Context.EventName, "GITHUB_EVENT_PATH="+event)
	w.secrets = map[string]string{"GITHUB_TOKEN": j.Context.Token} // and none of a network
	return &clone{&w, dir}
}

// browser returns a browser in which Vroni is logged in: for some things Gitea has a button, and no API.
func (f *forgeWorld) browser() *http.Client {
	f.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	login := url.Values{"user_name": {vroni}, "password": {GiteaPassword}}
	if to, err := submit(f.t.Context(), browser, http.MethodPost, f.gitea.URL+"/user/login", login); err != nil || to.Path == "" {
		f.t.Fatalf("log in: %v", err)
	}
	return browser
}

// allow lets the workflows for a pull request run that comes from somebody new.
func (f *forgeWorld) allow(p *pull) {
	f.t.Helper()
	address := f.gitea.URL + "/" + siteRepo + "/actions/approve-all-checks?commit_id=" + p.Head.SHA
	if _, err := submit(f.t.Context(), f.browser(), http.MethodPost, address, url.Values{}); err != nil {
		f.t.Fatal(err)
	}
}
