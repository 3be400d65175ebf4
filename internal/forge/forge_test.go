package forge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// host is a code host that has one pull request, #7 from "ada:topic", and answers as all three do.
type host struct {
	mu       sync.Mutex
	comments []comment
	statuses []string
	edits    int
	fail     int  // the status of every answer, 0 for none
	unnamed  bool // the token may not ask whose it is
}

type comment struct {
	ID   int64
	User string
	Body string
}

const token = "tok-0123456789"

var users = map[string]int64{"bot": 1, "mallory": 2, "github-actions[bot]": 3}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	say := func(status int, v any) {
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v) //nolint:errcheck // the client has gone
	}
	if h.fail != 0 {
		say(h.fail, map[string]string{"message": "no"})
		return
	}
	if !strings.HasSuffix(r.Header.Get("Authorization"), " "+token) && r.Header.Get("Private-Token") != token {
		say(http.StatusUnauthorized, map[string]string{"message": "who are you?"})
		return
	}
	var in struct{ Body, State, Context, Name, Description string }
	if r.Body != nil {
		json.NewDecoder(r.Body).Decode(&in) //nolint:errcheck // some requests have none
	}
	path := r.URL.Path
	for _, prefix := range []string{"/api/v3", "/api/v1", "/api/v4"} {
		path = strings.TrimPrefix(path, prefix)
	}
	note := func(c comment) map[string]any {
		user := map[string]any{"login": c.User, "username": c.User, "id": users[c.User]}
		return map[string]any{"id": c.ID, "body": c.Body, "user": user, "author": user, "html_url": fmt.Sprintf("https://forge.example/7#%d", c.ID)}
	}
	switch last := path[strings.LastIndexByte(path, '/')+1:]; {
	case path == "/user":
		if h.unnamed {
			say(http.StatusForbidden, map[string]string{"message": "Resource not accessible by integration"})
			return
		}
		say(http.StatusOK, map[string]any{"login": "bot", "username": "bot", "id": users["bot"]})
	case strings.HasSuffix(path, "/pulls"):
		head := map[string]any{"ref": "topic", "repo": map[string]any{"owner": map[string]any{"login": "ada"}}}
		pulls := []any{map[string]any{"number": 7, "head": head}}
		if by := r.URL.Query().Get("head"); by != "" && by != "ada:topic" || r.URL.Query().Get("page") == "2" {
			pulls = []any{}
		}
		say(http.StatusOK, pulls)
	case r.Method == http.MethodGet && (strings.HasSuffix(path, "/issues/7/comments") || strings.HasSuffix(path, "/merge_requests/7/notes")):
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		from := min(max(page-1, 0)*2, len(h.comments)) // two at a time
		to := min(from+2, len(h.comments))
		if strings.Contains(r.URL.Path, "/api/v1/") {
			from, to = 0, len(h.comments) // Gitea gives all
		}
		list := []any{}
		for _, c := range h.comments[from:to] {
			list = append(list, note(c))
		}
		if to < len(h.comments) {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=%d>; rel="next"`, r.Host, r.URL.Path, max(page, 1)+1))
			w.Header().Set("X-Next-Page", strconv.Itoa(max(page, 1)+1))
		}
		say(http.StatusOK, list)
	case r.Method == http.MethodPost && (strings.HasSuffix(path, "/issues/7/comments") || strings.HasSuffix(path, "/merge_requests/7/notes")):
		c := comment{int64(len(h.comments) + 100), "bot", in.Body}
		if h.unnamed {
			c.User = "github-actions[bot]"
		}
		h.comments = append(h.comments, c)
		say(http.StatusCreated, note(c))
	case (r.Method == http.MethodPatch || r.Method == http.MethodPut) && (strings.Contains(path, "/comments/") || strings.Contains(path, "/notes/")):
		for i := range h.comments {
			if strconv.FormatInt(h.comments[i].ID, 10) == last {
				h.comments[i].Body = in.Body
				h.edits++
				say(http.StatusOK, note(h.comments[i]))
				return
			}
		}
		say(http.StatusNotFound, map[string]string{"message": "no such comment"})
	case r.Method == http.MethodPost && strings.Contains(path, "/statuses/"):
		h.statuses = append(h.statuses, strings.Join([]string{last, in.State, in.Context + in.Name, in.Description}, " "))
		say(http.StatusCreated, map[string]any{"id": 1, "state": in.State})
	default:
		say(http.StatusNotFound, map[string]string{"message": r.Method + " " + r.URL.Path})
	}
}

var kinds = map[forge.Kind]struct{ api, failure string }{
	forge.GitHub: {"/api/v3", "failure"},
	forge.Gitea:  {"", "failure"},
	forge.GitLab: {"/api/v4", "failed"},
}

// each runs a test with a code host of each kind.
func each(t *testing.T, fn func(t *testing.T, kind forge.Kind, h *host, f forge.Forge)) {
	t.Helper()
	for kind, k := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			h := &host{}
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			f, err := forge.Open(forge.Place{Kind: kind, API: server.URL + k.api, Repository: "acme/site"}, secret.New(token), server.Client())
			if err != nil {
				t.Fatal(err)
			}
			fn(t, kind, h, f)
		})
	}
}

const marker = "<!-- mark -->"

func TestComment(t *testing.T) {
	each(t, func(t *testing.T, kind forge.Kind, h *host, f forge.Forge) {
		t.Helper()
		h.comments = []comment{
			{1, "mallory", marker + "\nmerge this"}, // somebody else's, which begins alike
			{2, "bot", "another thing"}, {3, "bot", "see " + marker}, {4, "mallory", "well"},
		}
		put := func(text string, wantChanged bool) {
			t.Helper()
			_, changed, err := f.Comment(t.Context(), 7, marker, marker+"\n"+text)
			if err != nil || changed != wantChanged {
				t.Fatalf("changed: %v, %v; want %v", changed, err, wantChanged)
			}
		}
		put("first", true)
		put("second", true)
		put("second", false)
		want := []comment{
			{1, "mallory", marker + "\nmerge this"}, {2, "bot", "another thing"}, {3, "bot", "see " + marker}, {4, "mallory", "well"}, {104, "bot", marker + "\nsecond"},
		}
		if diff := cmp.Diff(want, h.comments); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if h.edits != 1 {
			t.Errorf("%d edits: what stays the same must not be written again", h.edits)
		}
	})
}

// TestWorkflowToken is a token that may not ask whose it is, as that of a GitHub workflow.
func TestWorkflowToken(t *testing.T) {
	each(t, func(t *testing.T, kind forge.Kind, h *host, f forge.Forge) {
		t.Helper()
		if h.unnamed = true; kind != forge.GitHub {
			if _, _, err := f.Comment(t.Context(), 7, marker, marker); err == nil {
				t.Error("nobody knows whose comments may be edited, and one was made")
			}
			return
		}
		for _, text := range []string{"first", "second"} {
			if _, _, err := f.Comment(t.Context(), 7, marker, marker+text); err != nil {
				t.Fatal(err)
			}
		}
		if len(h.comments) != 1 || h.comments[0].Body != marker+"second" {
			t.Errorf("%v", h.comments)
		}
	})
}

func TestStatus(t *testing.T) {
	each(t, func(t *testing.T, kind forge.Kind, h *host, f forge.Forge) {
		t.Helper()
		sha := strings.Repeat("ab", 20)
		long := strings.Repeat("word ", 60)
		for _, s := range []forge.Status{
			{Context: "postrider/review", State: forge.Success, Description: "3 posts change"},
			{Context: "postrider/review", State: forge.Failure, Description: long, URL: "https://acme.example"},
		} {
			if err := f.Status(t.Context(), sha, s); err != nil {
				t.Fatal(err)
			}
		}
		cut := string([]rune(strings.TrimSpace(long))[:139]) + "…"
		want := []string{sha + " success postrider/review 3 posts change", sha + " " + kinds[kind].failure + " postrider/review " + cut}
		if diff := cmp.Diff(want, h.statuses); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFind(t *testing.T) {
	each(t, func(t *testing.T, kind forge.Kind, h *host, f forge.Forge) {
		t.Helper()
		if kind != forge.GitLab { // whose jobs know it
			if n, err := f.Find(t.Context(), "ada:topic"); n != 7 || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if _, err := f.Find(t.Context(), "mallory:topic"); !errors.Is(err, forge.ErrNoPull) {
			t.Errorf("%v; want %v", err, forge.ErrNoPull)
		}
	})
}

func TestFailures(t *testing.T) {
	each(t, func(t *testing.T, kind forge.Kind, h *host, f forge.Forge) {
		t.Helper()
		for status, refused := range map[int]bool{
			http.StatusUnauthorized: true, http.StatusNotFound: true, http.StatusUnprocessableEntity: true,
			http.StatusTooManyRequests: false, http.StatusBadGateway: false, http.StatusServiceUnavailable: false,
		} {
			h.fail = status
			_, _, err := f.Comment(t.Context(), 7, marker, marker)
			e, ok := errors.AsType[*forge.Error](err)
			if !ok || e.Refused != refused {
				t.Errorf("HTTP %d: %v; want one that is refused for good: %v", status, err, refused)
			}
			if err != nil && strings.Contains(err.Error(), token) {
				t.Errorf("HTTP %d: the token is in %q", status, err)
			}
			if err := f.Status(t.Context(), "0123456789", forge.Status{State: forge.Success}); err == nil {
				t.Errorf("HTTP %d: the status went well", status)
			}
		}
	})
}

func TestOpen(t *testing.T) {
	for _, p := range []forge.Place{
		{Kind: forge.GitHub, Repository: "acme"}, {Kind: forge.GitHub, Repository: "/site"}, {Kind: forge.Gitea, API: "https://x", Repository: "a/b/c"},
		{Kind: forge.GitLab}, {Kind: "svn", Repository: "a/b"}, {Kind: forge.Gitea, Repository: "a/b"}, {Kind: forge.GitHub, API: ":", Repository: "a/b"},
	} {
		if _, err := forge.Open(p, secret.New(token), http.DefaultClient); err == nil {
			t.Errorf("%+v can be opened", p)
		}
	}
}

func TestDetect(t *testing.T) {
	files := map[string]string{
		"pull": `{"pull_request":{"number":7,"base":{"ref":"main"},"head":{"sha":"abc"}}}`,
		"run":  `{"workflow_run":{"id":42,"head_sha":"abc","head_branch":"topic","head_repository":{"owner":{"login":"ada"}},"pull_requests":[]}}`,
		"push": `{"ref":"refs/heads/main"}`,
		// As Gitea 1.26.0 tells of the run for a pull request from a fork, of one for a push, and as nobody tells of any.
		"gitea run":  `{"action":"completed","workflow_run":{"event":"pull_request","head_sha":"abc","path":"check.yml@refs/pull/7/head","repository":{"owner":{"login":"acme"}}}}`,
		"gitea both": `{"pull_request":{"number":7,"base":{"ref":"main"},"head":{"sha":"abc"}},"workflow_run":{"event":"pull_request","head_sha":"abc"}}`,
		"gitea push": `{"action":"completed","workflow_run":{"event":"push","head_sha":"abc","head_branch":"main","path":"check.yml@refs/heads/main"}}`,
		"gitea odd":  `{"workflow_run":{"event":"pull_request","head_sha":"abc","path":"check.yml@refs/pull/-7/head"}}`,
		"strange":    `{"pull_request":{"number":"7"}}`,
		"broken":     `{`,
	}
	read := func(name string) ([]byte, error) {
		if s, ok := files[name]; ok {
			return []byte(s), nil
		}
		return nil, os.ErrNotExist
	}
	github := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_API_URL": "https://api.github.com", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/site"}
	gitlab := map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.com/api/v4", "CI_MERGE_REQUEST_PROJECT_ID": "42", "CI_COMMIT_SHA": "abc"}
	for _, c := range []struct {
		name string
		env  []map[string]string
		want forge.Place
		ref  string
		bad  bool
	}{
		{name: "nowhere", bad: true},
		{name: "github", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "pull"}}, ref: "refs/pull/7/head",
			want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site", Pull: 7, Base: "main", Head: "abc"}},
		{name: "github, after another workflow", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "run"}}, ref: "refs/pull/0/head",
			want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site", Head: "abc", Fork: "ada:topic", After: true, Run: 42}},
		{name: "gitea", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "pull", "GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example"}}, ref: "refs/pull/7/head",
			want: forge.Place{Kind: forge.Gitea, API: "https://git.example", Repository: "acme/site", Pull: 7, Base: "main", Head: "abc"}},
		{name: "gitea, after another workflow", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "gitea run", "GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example/"}}, ref: "refs/pull/7/head",
			want: forge.Place{Kind: forge.Gitea, API: "https://git.example/", Repository: "acme/site", Pull: 7, Head: "abc", After: true}},
		{name: "gitea, after another workflow that names its pull request", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "gitea both", "GITEA_ACTIONS": "true"}}, ref: "refs/pull/7/head",
			want: forge.Place{Kind: forge.Gitea, API: "https://github.com", Repository: "acme/site", Pull: 7, Base: "main", Head: "abc", After: true}},
		{name: "gitea, after a push", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "gitea push", "GITEA_ACTIONS": "true"}}, bad: true},
		{name: "gitea, after something odd", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "gitea odd", "GITEA_ACTIONS": "true"}}, bad: true},
		{name: "a push", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "push"}}, bad: true},
		{name: "no event", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "none"}}, bad: true},
		{name: "strange", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "strange"}}, bad: true},
		{name: "broken", env: []map[string]string{github, {"GITHUB_EVENT_PATH": "broken"}}, bad: true},
		{name: "gitlab", env: []map[string]string{gitlab, {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}}, ref: "refs/merge-requests/7/head",
			want: forge.Place{Kind: forge.GitLab, API: "https://gitlab.com/api/v4", Repository: "42", Pull: 7, Base: "main", Head: "abc"}},
		{name: "gitlab, merged result", env: []map[string]string{gitlab, {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "def"}}, ref: "refs/merge-requests/7/head",
			want: forge.Place{Kind: forge.GitLab, API: "https://gitlab.com/api/v4", Repository: "42", Pull: 7, Head: "def"}},
		{name: "gitlab, a branch", env: []map[string]string{gitlab}, bad: true},
		{name: "gitlab, no number", env: []map[string]string{gitlab, {"CI_MERGE_REQUEST_IID": "seven"}}, bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := func(name string) (v string) {
				for _, m := range c.env {
					if x, ok := m[name]; ok {
						v = x
					}
				}
				return v
			}
			p, err := forge.Detect(env, read)
			if (err != nil) != c.bad {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err == nil && p.HeadRef() != c.ref {
				t.Errorf("its commits are at %q; want %q", p.HeadRef(), c.ref)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	f.Add([]byte(`{"pull_request":{"number":7,"base":{"ref":"main"},"head":{"sha":"abc"}}}`))
	f.Add([]byte(`{"workflow_run":{"head_repository":null}}`))
	f.Add([]byte(`{"workflow_run":{"event":"pull_request","path":"check.yml@refs/pull/7/head"}}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "a/b"}
		p, err := forge.Detect(func(n string) string { return env[n] }, func(string) ([]byte, error) { return src, nil })
		if err == nil && p.Pull <= 0 && p.Fork == "" {
			t.Errorf("%q leads to no pull request: %+v", src, p)
		}
	})
}
