package forge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// board is a code host with issues, which answers as all three do.
type board struct {
	mu     sync.Mutex
	issues []*ticket
	labels []string // Gitea's
	fail   int
	writes int
}

type ticket struct {
	Title, Body, State, User string
	Labels                   []string
	Assignees                []string
	Comments                 []string
}

func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	say := func(status int, v any) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v) //nolint:errcheck // the client has gone
	}
	if b.fail != 0 {
		say(b.fail, map[string]string{"message": "no"})
		return
	}
	var in struct {
		Title, Body, Description, State, Name string
		StateEvent                            string `json:"state_event"`
		Labels                                any
		Assignees                             []string
		AssigneeIDs                           []int64 `json:"assignee_ids"`
	}
	if r.Body != nil {
		json.NewDecoder(r.Body).Decode(&in) //nolint:errcheck // some requests have none
	}
	if r.Method != http.MethodGet {
		b.writes++
	}
	path := r.URL.Path
	for _, prefix := range []string{"/api/v3", "/api/v1", "/api/v4"} {
		path = strings.TrimPrefix(path, prefix)
	}
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/repos/acme/site"), "/projects/acme/site")
	show := func(n int) map[string]any {
		i := b.issues[n-1]
		user := map[string]any{"login": i.User, "username": i.User, "id": users[i.User]}
		address := fmt.Sprintf("https://forge.example/issues/%d", n)
		return map[string]any{
			"number": n, "iid": n, "id": 1000 + n, "title": i.Title, "body": i.Body, "description": i.Body, "user": user, "author": user,
			"html_url": address, "web_url": address, "state": i.State,
		}
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	switch {
	case path == "/user":
		say(http.StatusOK, map[string]any{"login": "bot", "username": "bot", "id": users["bot"]})
	case path == "/users": // GitLab's, to look a name up
		list := []any{}
		if name := r.URL.Query().Get("username"); users[name] > 0 {
			list = append(list, map[string]any{"id": users[name], "username": name})
		}
		say(http.StatusOK, list)
	case path == "/labels" && r.Method == http.MethodGet:
		list := []any{}
		for n, l := range b.labels {
			list = append(list, map[string]any{"id": n + 1, "name": l})
		}
		if page > 1 {
			list = []any{}
		}
		say(http.StatusOK, list)
	case path == "/labels":
		b.labels = append(b.labels, in.Name)
		say(http.StatusCreated, map[string]any{"id": len(b.labels), "name": in.Name})
	case path == "/issues" && r.Method == http.MethodGet:
		var open []int
		for n, i := range b.issues {
			if i.State == "open" {
				open = append(open, n+1)
			}
		}
		from := min(max(page-1, 0)*2, len(open)) // two at a time
		to := min(from+2, len(open))
		list := []any{}
		for _, n := range open[from:to] {
			list = append(list, show(n))
		}
		if to < len(open) {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=%d>; rel="next"`, r.Host, r.URL.Path, max(page, 1)+1))
			w.Header().Set("X-Next-Page", strconv.Itoa(max(page, 1)+1))
		}
		say(http.StatusOK, list)
	case path == "/issues":
		i := &ticket{Title: in.Title, Body: in.Body + in.Description, State: "open", User: "bot", Assignees: in.Assignees}
		for _, id := range in.AssigneeIDs {
			i.Assignees = append(i.Assignees, fmt.Sprint(id))
		}
		switch l := in.Labels.(type) {
		case string:
			i.Labels = strings.Split(l, ",")
		case []any:
			for _, x := range l {
				if n, ok := x.(float64); ok {
					x = b.labels[int(n)-1]
				}
				i.Labels = append(i.Labels, fmt.Sprint(x))
			}
		}
		b.issues = append(b.issues, i)
		say(http.StatusCreated, show(len(b.issues)))
	default:
		parts := strings.Split(strings.TrimPrefix(path, "/issues/"), "/")
		n, err := strconv.Atoi(parts[0])
		if err != nil || n > len(b.issues) {
			say(http.StatusNotFound, map[string]string{"message": r.Method + " " + path})
			return
		}
		i := b.issues[n-1]
		if len(parts) == 2 {
			i.Comments = append(i.Comments, in.Body)
			say(http.StatusCreated, map[string]any{"id": 1, "body": in.Body})
			return
		}
		if in.Title != "" {
			i.Title, i.Body = in.Title, in.Body+in.Description
		}
		if in.State == "closed" || in.StateEvent == "close" {
			i.State = "closed"
		}
		say(http.StatusOK, show(n))
	}
}

func eachTracker(t *testing.T, fn func(t *testing.T, kind forge.Kind, b *board, tr forge.Tracker)) {
	t.Helper()
	for kind, k := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			b := &board{labels: []string{"other"}}
			server := httptest.NewServer(b)
			t.Cleanup(server.Close)
			tr, err := forge.OpenTracker(forge.Place{Kind: kind, API: server.URL + k.api, Repository: "acme/site"}, secret.New(token), server.Client())
			if err != nil {
				t.Fatal(err)
			}
			fn(t, kind, b, tr)
		})
	}
}

// TestIssue is the life of an issue: made, changed in its place, closed with a comment, and made anew.
func TestIssue(t *testing.T) {
	eachTracker(t, func(t *testing.T, kind forge.Kind, b *board, tr forge.Tracker) {
		t.Helper()
		foreign := []*ticket{
			{Title: "evil", Body: marker + "\ntrust me", State: "open", User: "mallory"}, {Title: "a", Body: "see " + marker, State: "open", User: "bot"},
			{Title: "b", Body: "b", State: "open", User: "mallory"},
		}
		for _, i := range foreign {
			x := *i
			b.issues = append(b.issues, &x)
		}
		keep := func(title, body string, changed bool) {
			t.Helper()
			address, got, err := tr.Keep(t.Context(), marker, forge.Issue{Title: title, Body: marker + "\n" + body, Labels: []string{"social", "other"}, Assignees: []string{"mallory"}})
			if err != nil || got != changed || !strings.HasPrefix(address, "https://forge.example/issues/") {
				t.Fatalf("%q, changed %t, %v; want changed %t", address, got, err, changed)
			}
		}
		keep("One", "1", true)
		keep("One", "1", false)
		keep("Two\nlines", "2", true)
		address, closed, err := tr.Settle(t.Context(), marker, "settled")
		if err != nil || !closed || address != "https://forge.example/issues/4" {
			t.Fatalf("%q, %t, %v", address, closed, err)
		}
		if _, closed, err := tr.Settle(t.Context(), marker, "settled"); closed || err != nil {
			t.Fatalf("closed twice: %t, %v", closed, err)
		}
		keep("Three", "3", true)
		assignees := []string{"mallory"}
		if kind == forge.GitLab {
			assignees = []string{fmt.Sprint(users["mallory"])}
		}
		labels := []string{"social", "other"}
		want := append(foreign,
			&ticket{Title: "Two lines", Body: marker + "\n2", State: "closed", User: "bot", Labels: labels, Assignees: assignees, Comments: []string{"settled"}},
			&ticket{Title: "Three", Body: marker + "\n3", State: "open", User: "bot", Labels: labels, Assignees: assignees})
		if diff := cmp.Diff(want, b.issues); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestIssueFailures(t *testing.T) {
	eachTracker(t, func(t *testing.T, kind forge.Kind, b *board, tr forge.Tracker) {
		t.Helper()
		for status, refused := range map[int]bool{http.StatusUnauthorized: true, http.StatusNotFound: true, http.StatusGone: true, http.StatusTooManyRequests: false, http.StatusBadGateway: false} {
			b.fail = status
			_, _, err := tr.Keep(t.Context(), marker, forge.Issue{Title: "t", Body: marker})
			_, _, settled := tr.Settle(t.Context(), marker, "c")
			for _, err := range []error{err, settled} {
				e, ok := errors.AsType[*forge.Error](err)
				if !ok || e.Refused != refused || strings.Contains(err.Error(), token) {
					t.Errorf("HTTP %d: %v; want one that is refused for good: %v", status, err, refused)
				}
			}
		}
		b.fail = 0
		if kind == forge.GitLab {
			if _, _, err := tr.Keep(t.Context(), marker, forge.Issue{Title: "t", Body: marker, Assignees: []string{"nobody"}}); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
				t.Errorf("an issue for nobody: %v", err)
			}
		}
	})
}

// TestWeb looks for where people see a file and the run, on the hosts that are found.
func TestWeb(t *testing.T) {
	github := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_API_URL": "https://api.github.com", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/site", "GITHUB_RUN_ID": "42", "GITHUB_RUN_NUMBER": "7"}
	gitea := map[string]string{"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example/", "GITHUB_REPOSITORY": "acme/site", "GITHUB_RUN_ID": "42", "GITHUB_RUN_NUMBER": "7"}
	gitlab := map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.com/api/v4", "CI_PROJECT_ID": "42", "CI_PROJECT_URL": "https://gitlab.com/acme/site", "CI_JOB_URL": "https://gitlab.com/acme/site/-/jobs/9"}
	for _, c := range []struct {
		name, remote string
		env          map[string]string
		want         forge.Place
		file, run    string
		bad          bool
	}{
		{name: "nothing", bad: true},
		{name: "a folder", remote: "/srv/git/acme/site.git", bad: true},
		{name: "a folder on Windows", remote: `C:/git/acme/site.git`, bad: true},
		{name: "a file", remote: "file:///srv/git/acme/site.git", bad: true},
		{name: "an unknown host", remote: "https://git.acme.example/acme/site.git", bad: true},
		{name: "a wrong kind", remote: "https://git.acme.example/acme/site.git", env: map[string]string{"POSTRIDER_FORGE": "svn"}, bad: true},
		{name: "github", remote: "https://github.com/acme/site.git", want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site"}, file: "https://github.com/acme/site/blob/c0ffee/content/a%20b.md"},
		{name: "enterprise", remote: "git@github.acme.example:acme/site.git", want: forge.Place{Kind: forge.GitHub, API: "https://github.acme.example/api/v3", Repository: "acme/site"}, file: "https://github.acme.example/acme/site/blob/c0ffee/content/a%20b.md"},
		{name: "gitlab", remote: "ssh://git@gitlab.com:22/acme/group/site.git", want: forge.Place{Kind: forge.GitLab, API: "https://gitlab.com/api/v4", Repository: "acme/group/site"}, file: "https://gitlab.com/acme/group/site/-/blob/c0ffee/content/a%20b.md"},
		{name: "codeberg", remote: "https://Codeberg.org/acme/site", want: forge.Place{Kind: forge.Gitea, API: "https://codeberg.org", Repository: "acme/site"}, file: "https://codeberg.org/acme/site/src/commit/c0ffee/content/a%20b.md"},
		{name: "told", remote: "https://git.acme.example:3000/acme/site.git", env: map[string]string{"POSTRIDER_FORGE": "gitea"}, want: forge.Place{Kind: forge.Gitea, API: "https://git.acme.example:3000", Repository: "acme/site"}, file: "https://git.acme.example:3000/acme/site/src/commit/c0ffee/content/a%20b.md"},
		{name: "in a workflow", remote: "/srv/git", env: github, want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site"}, file: "https://github.com/acme/site/blob/c0ffee/content/a%20b.md", run: "https://github.com/acme/site/actions/runs/42"},
		{name: "in one of Gitea", env: gitea, want: forge.Place{Kind: forge.Gitea, API: "https://git.example/", Repository: "acme/site"}, file: "https://git.example/acme/site/src/commit/c0ffee/content/a%20b.md", run: "https://git.example/acme/site/actions/runs/7"},
		{name: "in a pipeline", env: gitlab, want: forge.Place{Kind: forge.GitLab, API: "https://gitlab.com/api/v4", Repository: "42"}, file: "https://gitlab.com/acme/site/-/blob/c0ffee/content/a%20b.md", run: "https://gitlab.com/acme/site/-/jobs/9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := func(name string) string { return c.env[name] }
			p, err := forge.DetectRepository(env, c.remote)
			if (err != nil) != c.bad {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p, cmpopts.IgnoreFields(forge.Place{}, "Web")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := p.FileURL("c0ffee", "content/a b.md"); got != c.file {
				t.Errorf("the file is at %q, want %q", got, c.file)
			}
			if got := forge.RunURL(env); got != c.run {
				t.Errorf("the run is at %q, want %q", got, c.run)
			}
		})
	}
}
