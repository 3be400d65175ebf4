package servers

import (
	"fmt"
	"net/http"
	"net/url"
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
	gitea Gitea
}

// withGitea puts the remote of a world on a Gitea that is started for it: a private repository, which everybody may read, and the robot and
// the reviewer may write to.
func (w *world) withGitea() *forgeWorld {
	w.t.Helper()
	began := time.Now()
	f := &forgeWorld{w, StartGitea(w.t, vroni, anni, xaver, robot)}
	w.t.Logf("Gitea has four users after %v", time.Since(began).Round(time.Millisecond))
	f.api(vroni, http.MethodPost, "/user/repos", map[string]any{"name": "site", "private": true, "default_branch": "main"}, nil)
	for user, permission := range map[string]string{anni: "write", robot: "write", xaver: "read"} {
		f.api(vroni, http.MethodPut, "/repos/"+siteRepo+"/collaborators/"+user, map[string]string{"permission": permission}, nil)
	}
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
