package servers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The users of the code host.
const (
	vroni = "vroni" // owns the site's repository, and is the administrator
	anni  = "anni"  // reviews
	xaver = "xaver" // has a fork
	robot = "robot" // in whose name Postrider works
)

// siteRepo is the repository of the site on the code host.
const siteRepo = "vroni/site"

// forgeWorld is a world with a real code host, which holds its remote.
type forgeWorld struct {
	*world
	gitea  Gitea
	events *events
}

// withGitea puts the remote of a world on a Gitea that is started for it: a private repository, which everybody may read, and the robot and
// the reviewer may write to.
func (w *world) withGitea() *forgeWorld {
	w.t.Helper()
	began := time.Now()
	f := &forgeWorld{world: w, gitea: StartGitea(w.t, vroni, anni, xaver, robot), events: newEvents(w.t)}
	w.t.Logf("Gitea has four users after %v", time.Since(began).Round(time.Millisecond))
	f.api(vroni, http.MethodPost, "/user/repos", map[string]any{"name": "site", "private": true, "default_branch": "main"}, nil)
	for user, permission := range map[string]string{anni: "write", robot: "write", xaver: "read"} {
		f.api(vroni, http.MethodPut, "/repos/"+siteRepo+"/collaborators/"+user, map[string]string{"permission": permission}, nil)
	}
	f.hook(f.events.URL, f.events.secret, "pull_request", "workflow_run")
	f.remote = f.address(vroni, siteRepo)
	return f
}

// address returns the address of a repository for git, in the name of a user.
func (f *forgeWorld) address(user, repo string) string {
	u, err := url.Parse(f.gitea.URL)
	if err != nil {
		f.t.Fatal(err)
	}
	u.User, u.Path = url.UserPassword(user, f.gitea.Tokens[user]), "/"+repo+".git"
	return u.String()
}

// api asks the code host for something in the name of a user, who must be allowed to.
func (f *forgeWorld) api(user, method, path string, in, out any) {
	f.t.Helper()
	if err := f.try(user, method, path, in, out); err != nil {
		f.t.Fatal(err)
	}
}

// try is [forgeWorld.api], but may be refused.
func (f *forgeWorld) try(user, method, path string, in, out any) error {
	c := &client{http: &http.Client{}, url: f.gitea.URL + "/api/v1", token: f.gitea.Tokens[user]}
	return c.call(f.t.Context(), method, path, in, out)
}

// hook has the code host tell an address of events in the site's repository.
func (f *forgeWorld) hook(address, secret string, events ...string) (id int64) {
	f.t.Helper()
	var made struct{ ID int64 }
	f.api(vroni, http.MethodPost, "/repos/"+siteRepo+"/hooks", map[string]any{
		"type": "gitea", "active": true, "events": events,
		"config": map[string]string{"url": address, "content_type": "json", "secret": secret},
	}, &made)
	return made.ID
}

// pull is a pull request as Gitea shows it.
type pull struct {
	Number    int
	State     string
	Merged    bool
	Mergeable bool
	Merge     string `json:"merge_commit_sha"`
	Head      struct{ Ref, SHA string }
}

// open opens a pull request into main, from a branch, or from one of a fork as "owner:branch".
func (f *forgeWorld) open(user, head, title string) *pull {
	f.t.Helper()
	var p pull
	eventually(f.t, func() error { // what was pushed is known to the API an instant later
		return f.try(user, http.MethodPost, "/repos/"+siteRepo+"/pulls", map[string]string{"title": title, "head": head, "base": "main"}, &p)
	})
	return &p
}

// remark is a comment under a pull request.
type remark struct {
	ID   int64
	Body string
	User struct{ Login string }
}

// remarks returns the comments under a pull request, oldest first.
func (f *forgeWorld) remarks(number int) (all []remark) {
	f.t.Helper()
	f.api(vroni, http.MethodGet, fmt.Sprintf("/repos/%s/issues/%d/comments", siteRepo, number), nil, &all)
	return all
}

// statusOf returns the state of a commit as a check has left it, "" for none, and what it says.
func (f *forgeWorld) statusOf(commit, context string) (state, description string) {
	f.t.Helper()
	var all struct {
		Statuses []struct{ Context, Status, Description string }
	}
	f.api(vroni, http.MethodGet, "/repos/"+siteRepo+"/commits/"+commit+"/status", nil, &all)
	for _, s := range all.Statuses {
		if s.Context == context {
			return s.Status, s.Description
		}
	}
	return "", ""
}

// events are what the code host has told of, as a CI job finds it in a file: Gitea's workflows get the same words as its webhooks.
type events struct {
	URL, secret string

	mu  sync.Mutex
	all []told
}

// told is one of them.
type told struct {
	event, action string
	head          string // the commit that it is about
	body          []byte
}

func newEvents(t *testing.T) *events {
	t.Helper()
	e := &events{secret: "events of Gitea, for tests"}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.URL = server.URL
	return e
}

// ServeHTTP implements http.Handler.
func (e *events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var in struct {
		Action string
		Pull   struct{ Head struct{ SHA string } } `json:"pull_request"`
		Run    struct {
			Head string `json:"head_sha"`
		} `json:"workflow_run"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		http.Error(w, "that is no event", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, told{r.Header.Get("X-Gitea-Event"), in.Action, in.Pull.Head.SHA + in.Run.Head, body})
}

// wait returns the event of a name about a commit, as soon as the code host has told of it.
func (e *events) wait(t *testing.T, event, head string) (found told) {
	t.Helper()
	eventually(t, func() error {
		e.mu.Lock()
		defer e.mu.Unlock()
		var names []string
		for _, x := range e.all {
			if x.event == event && x.head == head {
				found = x
				return nil
			}
			names = append(names, x.event+" "+x.action+" "+x.head)
		}
		return fmt.Errorf("no %s about %s among %q", event, head, names)
	})
	return found
}

// job is a clone in which a workflow of the code host runs, as actions/checkout leaves one, with the environment that Gitea gives it.
func (f *forgeWorld) job(what told, ref string) *clone {
	f.t.Helper()
	dir := f.t.TempDir()
	event := filepath.Join(f.t.TempDir(), "event.json")
	if err := os.WriteFile(event, what.body, 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.git(dir, "init", "--quiet")
	f.git(dir, "remote", "add", "origin", f.gitea.URL+"/"+siteRepo)
	f.git(dir, "config", "http."+f.gitea.URL+"/.extraheader",
		"AUTHORIZATION: basic "+base64.StdEncoding.EncodeToString([]byte("x-access-token:"+f.gitea.Tokens[robot])))
	f.git(dir, "fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", "+"+ref+":refs/remotes/"+strings.TrimPrefix(ref, "refs/"))
	f.git(dir, "checkout", "--quiet", "--detach", "refs/remotes/"+strings.TrimPrefix(ref, "refs/"))

	w := *f.world
	w.env = append(w.env[:len(w.env):len(w.env)],
		"CI=true", "GITHUB_ACTIONS=true", "GITEA_ACTIONS=true", "GITHUB_REPOSITORY="+siteRepo, "GITHUB_SERVER_URL="+f.gitea.URL,
		"GITHUB_API_URL="+f.gitea.URL+"/api/v1", "GITHUB_EVENT_NAME="+what.event, "GITHUB_EVENT_PATH="+event, "GITHUB_REF="+ref)
	w.secrets = map[string]string{"GITHUB_TOKEN": f.gitea.Tokens[robot]} // and none of a network
	return &clone{&w, dir}
}
