package forge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// said is something that somebody did to pull request 12.
type said struct {
	who, what string // "approve", "reject", "comment", "dismissed" (an approval that was), "unapprove"
	commit    string
}

// shelf is a code host with pull request 12, which was merged as commit "merge".
type shelf struct {
	said    []said
	authors []string          // of the commits "c1", "c2", …
	mails   map[string]string // of authors without an account
	state   string            // "merged", "closed"
	asked   []string          // the paths
	fail    map[string]int    // the status of what paths that end so are answered
}

var ids = map[string]int{"ada": 1, "resi": 2, "kim": 3, "mallory": 4, "renovate[bot]": 5, "project_7_bot_1": 6}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	path := r.URL.Path
	for _, prefix := range []string{"/api/v3", "/api/v1", "/api/v4"} {
		path = strings.TrimPrefix(path, prefix)
	}
	s.asked = append(s.asked, path)
	say := func(v any) { json.NewEncoder(w).Encode(v) } //nolint:errcheck // the client has gone
	for end, status := range s.fail {
		if strings.HasSuffix(path, end) {
			w.WriteHeader(status)
			say(map[string]string{"message": "no"})
			return
		}
	}
	if page := r.URL.Query().Get("page"); page != "" && page != "1" {
		say([]any{})
		return
	}
	user := func(name string) map[string]any {
		return map[string]any{"login": name, "username": name, "id": ids[name], "name": strings.ToUpper(name), "full_name": name, "type": map[bool]string{true: "Bot", false: "User"}[strings.HasSuffix(name, "[bot]")]}
	}
	merged := map[string]any{"merged_at": time.Unix(100, 0).UTC(), "merged": true, "merge_commit_sha": "merge"}
	if s.state != "merged" {
		merged = map[string]any{"merged_at": nil, "merged": false}
	}
	merged["number"], merged["iid"], merged["state"], merged["user"], merged["author"], merged["sha"] = 12, 12, s.state, user("ada"), user("ada"), "c2"
	at := func(i int) time.Time { return time.Unix(int64(10*(i+1)), 0).UTC() }
	switch {
	case strings.HasSuffix(path, "/commits/merge/pulls"), strings.HasSuffix(path, "/commits/merge/merge_requests"):
		say([]any{merged})
	case strings.HasSuffix(path, "/commits/merge/pull"):
		say(merged)
	case strings.HasSuffix(path, "/pulls"), strings.HasSuffix(path, "/commits/other/merge_requests"):
		say([]any{})
	case strings.HasSuffix(path, "/12/commits"):
		list := []any{}
		for i, name := range s.authors {
			mail := name + "@acme.example"
			who := map[string]any{"name": name + " of Acme", "email": mail}
			c := map[string]any{"sha": fmt.Sprintf("c%d", i+1), "id": fmt.Sprintf("c%d", i+1), "author": user(name), "author_name": who["name"], "author_email": mail}
			if m, ok := s.mails[name]; ok {
				who["name"], who["email"], c["author"], c["author_name"], c["author_email"] = "Somebody", m, nil, "Somebody", m
			}
			c["commit"] = map[string]any{"author": who}
			list = append(list, c)
		}
		say(list)
	case strings.HasSuffix(path, "/12/reviews"):
		list := []any{}
		for i, x := range s.said {
			state := map[string]string{"approve": "APPROVED", "reject": "CHANGES_REQUESTED", "comment": "COMMENTED", "dismissed": "DISMISSED", "unapprove": "DISMISSED"}[x.what]
			if strings.HasSuffix(r.URL.Path, "/api/v1"+path) {
				state = map[string]string{"approve": "APPROVED", "reject": "REQUEST_CHANGES", "comment": "COMMENT", "dismissed": "APPROVED", "unapprove": "REQUEST_CHANGES"}[x.what]
			}
			list = append(list, map[string]any{
				"id": i + 1, "user": user(x.who), "state": state, "commit_id": x.commit, "submitted_at": at(i), "dismissed": x.what == "dismissed", "official": x.who != "mallory",
			})
		}
		say(list)
	case strings.HasSuffix(path, "/permission"):
		say(map[string]any{"permission": map[bool]string{true: "read", false: "write"}[strings.Contains(path, "mallory")]})
	case strings.HasSuffix(path, "/12/approvals"):
		standing := map[string]bool{}
		for _, x := range s.said {
			standing[x.who] = x.what == "approve" || standing[x.who] && x.what == "comment"
		}
		list := []any{}
		for _, name := range []string{"ada", "resi", "kim", "project_7_bot_1"} {
			if standing[name] {
				list = append(list, map[string]any{"user": user(name)})
			}
		}
		say(map[string]any{"approved_by": list})
	case strings.HasSuffix(path, "/12/notes"):
		list := []any{}
		for i, x := range s.said {
			body := map[string]string{"approve": "approved this merge request", "unapprove": "unapproved this merge request", "comment": "approved this merge request"}[x.what]
			list = append(list, map[string]any{"id": i + 1, "system": x.what != "comment", "body": body, "author": user(x.who), "created_at": at(i)})
		}
		say(list)
	case strings.HasSuffix(path, "/12/versions"):
		list := []any{}
		for i, x := range s.said {
			n, _ := strconv.Atoi(strings.TrimPrefix(x.commit, "c"))
			list = append(list, map[string]any{"id": 100 - n, "head_commit_sha": x.commit, "created_at": at(i).Add(-time.Second)})
		}
		say(list)
	default:
		w.WriteHeader(http.StatusNotFound)
		say(map[string]string{"message": r.Method + " " + path})
	}
}

// ask asks a code host of a kind about a commit.
func (s *shelf) ask(t *testing.T, kind forge.Kind, q forge.Question) ([]forge.Pull, error) {
	t.Helper()
	if s.state == "" {
		s.state = "merged"
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	f, err := forge.Open(forge.Place{Kind: kind, API: server.URL + kinds[kind].api, Repository: "acme/site"}, secret.New(token), server.Client())
	if err != nil {
		t.Fatal(err)
	}
	return f.Merged(t.Context(), q)
}

func TestMerged(t *testing.T) {
	// A review is written as "who commit", with what is wrong with it.
	for _, c := range []struct {
		name    string
		said    []said
		authors []string
		mails   map[string]string
		trusted string
		want    map[forge.Kind]string // "" stands for all that are not named
	}{
		{name: "approved", said: []said{{"resi", "approve", "c2"}}, want: map[forge.Kind]string{"": "resi c2"}},
		{name: "nobody", want: map[forge.Kind]string{"": ""}},
		{name: "an older head", said: []said{{"resi", "approve", "c1"}}, want: map[forge.Kind]string{"": "resi c1"}},
		{name: "approved, and then only a comment", said: []said{{"resi", "approve", "c1"}, {"resi", "comment", "c2"}}, want: map[forge.Kind]string{"": "resi c1"}},
		{name: "changes requested later", said: []said{{"resi", "approve", "c1"}, {"resi", "reject", "c2"}}, want: map[forge.Kind]string{"": ""}},
		{name: "changes requested before", said: []said{{"resi", "reject", "c1"}, {"resi", "approve", "c2"}}, want: map[forge.Kind]string{"": "resi c2"}},
		{name: "another requests changes", said: []said{{"resi", "approve", "c2"}, {"kim", "reject", "c2"}}, want: map[forge.Kind]string{"": "resi c2"}},
		{name: "dismissed", said: []said{{"resi", "dismissed", "c2"}}, want: map[forge.Kind]string{"": ""}},
		{name: "taken back", said: []said{{"resi", "approve", "c1"}, {"resi", "unapprove", "c2"}}, want: map[forge.Kind]string{"": ""}},
		{name: "two", said: []said{{"resi", "approve", "c1"}, {"kim", "approve", "c2"}}, want: map[forge.Kind]string{"": "resi c1, kim c2"}},
		{name: "again", said: []said{{"resi", "approve", "c1"}, {"resi", "approve", "c2"}}, want: map[forge.Kind]string{"": "resi c1, resi c2", forge.GitLab: "resi c2"}},
		{name: "who opened it", said: []said{{"ada", "approve", "c2"}}, want: map[forge.Kind]string{"": "ada c2 own"}},
		{name: "who wrote a commit of it", said: []said{{"kim", "approve", "c2"}}, authors: []string{"ada", "kim"}, want: map[forge.Kind]string{"": "kim c2 own", forge.GitLab: "kim c2"}},
		{name: "who keeps the address to himself", said: []said{{"kim", "approve", "c2"}}, authors: []string{"ada", "kim"}, mails: map[string]string{"kim": "123+kim@users.noreply.github.com"}, want: map[forge.Kind]string{"": "kim c2 own"}},
		{name: "a bot", said: []said{{"renovate[bot]", "approve", "c2"}}, want: map[forge.Kind]string{forge.GitHub: "renovate[bot] c2 bot", forge.Gitea: "renovate[bot] c2", forge.GitLab: ""}},
		{name: "a bot of a token", said: []said{{"project_7_bot_1", "approve", "c2"}}, want: map[forge.Kind]string{"": "project_7_bot_1 c2", forge.GitLab: "project_7_bot_1 c2 bot"}},
		{name: "from outside", said: []said{{"mallory", "approve", "c2"}}, want: map[forge.Kind]string{"": "mallory c2 stranger", forge.GitLab: ""}},
		{name: "from outside, and trusted", said: []said{{"mallory", "approve", "c2"}}, trusted: "mallory", want: map[forge.Kind]string{"": "mallory c2", forge.GitLab: ""}},
	} {
		for kind := range kinds {
			t.Run(c.name+" on "+string(kind), func(t *testing.T) {
				s := &shelf{said: c.said, authors: c.authors, mails: c.mails}
				if s.authors == nil {
					s.authors = []string{"ada", "ada"}
				}
				pulls, err := s.ask(t, kind, forge.Question{Commit: "merge", Trusted: func(name string) bool { return name == c.trusted }})
				if err != nil {
					t.Fatal(err)
				}
				want, ok := c.want[kind]
				if !ok {
					want = c.want[""]
				}
				if len(pulls) != 1 || pulls[0].Merge != "merge" || strings.TrimLeft(pulls[0].Name, "#!") != "12" || pulls[0].Uncertain {
					t.Fatalf("the pull requests are %+v", pulls)
				}
				if diff := cmp.Diff([]string{"c1", "c2"}, pulls[0].Commits); diff != "" {
					t.Errorf("its commits (-want +got):\n%s", diff)
				}
				var got []string
				for _, r := range pulls[0].Reviews {
					text := r.By + " " + r.Commit
					for _, x := range []struct {
						is   bool
						word string
					}{{r.Own, " own"}, {r.Bot, " bot"}, {r.Stranger, " stranger"}} {
						if x.is {
							text += x.word
						}
					}
					got = append(got, text)
				}
				if diff := cmp.Diff(want, strings.Join(got, ", ")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if len(s.asked) > 7 {
					t.Errorf("%d requests: %q", len(s.asked), s.asked)
				}
			})
		}
	}
}

func TestMergedByNobody(t *testing.T) {
	for kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			if pulls, err := (&shelf{}).ask(t, kind, forge.Question{Commit: "other"}); err != nil || len(pulls) != 0 {
				t.Errorf("a commit that was pushed: %+v, %v", pulls, err)
			}
			if pulls, err := (&shelf{state: "closed"}).ask(t, kind, forge.Question{Commit: "merge"}); err != nil || len(pulls) != 0 {
				t.Errorf("a pull request that was closed: %+v, %v", pulls, err)
			}
			pulls, err := (&shelf{authors: []string{"ada"}}).ask(t, kind, forge.Question{Commit: "other", Later: []string{"another", "merge"}})
			if want := map[bool]int{true: 1, false: 0}[kind == forge.Gitea]; err != nil || len(pulls) != want {
				t.Errorf("one that is known by its last commit: %+v, %v", pulls, err)
			}
			for end, passes := range map[int]bool{http.StatusBadGateway: true, http.StatusTooManyRequests: true, http.StatusForbidden: false, http.StatusUnauthorized: false} {
				for _, part := range []string{"/12/commits", "/12/reviews", "/12/approvals"} {
					_, err := (&shelf{authors: []string{"ada"}, fail: map[string]int{part: end}}).ask(t, kind, forge.Question{Commit: "merge"})
					if concerns := (part == "/12/commits") || (part == "/12/approvals") == (kind == forge.GitLab); !concerns {
						continue
					}
					if e := (*forge.Error)(nil); !errors.As(err, &e) || forge.Passing(err) != passes || strings.Contains(err.Error(), token) {
						t.Errorf("%s answers %d: %v", part, end, err)
					}
				}
			}
			s := &shelf{authors: make([]string, 250), said: []said{{"resi", "approve", "c2"}}}
			if pulls, err := s.ask(t, kind, forge.Question{Commit: "merge"}); err != nil || !pulls[0].Uncertain {
				t.Errorf("of 250 commits nobody knows who wrote them all: %v", err)
			}
		})
	}
}

func TestDetectRepository(t *testing.T) {
	for _, c := range []struct {
		name, remote string
		env          map[string]string
		want         forge.Place
		bad          bool
	}{
		{name: "github", remote: "https://github.com/acme/site.git", want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site"}},
		{name: "github, ssh", remote: "git@github.com:acme/site.git", want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site"}},
		{name: "github, own", remote: "ssh://git@github.acme.example:2222/acme/site", want: forge.Place{Kind: forge.GitHub, API: "https://github.acme.example/api/v3", Repository: "acme/site"}},
		{name: "gitlab, groups", remote: "https://ada:secret@gitlab.com/acme/social/site.git", want: forge.Place{Kind: forge.GitLab, API: "https://gitlab.com/api/v4", Repository: "acme/social/site"}},
		{name: "codeberg", remote: "https://codeberg.org/acme/site", want: forge.Place{Kind: forge.Gitea, API: "https://codeberg.org", Repository: "acme/site"}},
		{name: "named", remote: "http://git.acme.example:3000/acme/site.git", env: map[string]string{"POSTRIDER_FORGE": "gitea"}, want: forge.Place{Kind: forge.Gitea, API: "http://git.acme.example:3000", Repository: "acme/site"}},
		{name: "named, elsewhere", remote: "git@git.acme.example:acme/site.git", env: map[string]string{"POSTRIDER_FORGE": "gitlab", "POSTRIDER_FORGE_API": "https://code.acme.example/api/v4"},
			want: forge.Place{Kind: forge.GitLab, API: "https://code.acme.example/api/v4", Repository: "acme/site"}},
		{name: "actions", remote: "/srv/site", env: map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_API_URL": "https://api.github.com", "GITHUB_REPOSITORY": "acme/site"},
			want: forge.Place{Kind: forge.GitHub, API: "https://api.github.com", Repository: "acme/site"}},
		{name: "gitea's actions", env: map[string]string{"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "acme/site"},
			want: forge.Place{Kind: forge.Gitea, API: "https://git.example", Repository: "acme/site"}},
		{name: "gitlab's jobs", env: map[string]string{"GITLAB_CI": "true", "CI_API_V4_URL": "https://gitlab.com/api/v4", "CI_PROJECT_ID": "42"},
			want: forge.Place{Kind: forge.GitLab, API: "https://gitlab.com/api/v4", Repository: "42"}},
		{name: "a folder", remote: "/srv/site.git", bad: true},
		{name: "a folder, named", remote: "../site.git", env: map[string]string{"POSTRIDER_FORGE": "gitea"}, bad: true},
		{name: "a file", remote: "file:///srv/acme/site.git", bad: true},
		{name: "unknown", remote: "https://git.acme.example/acme/site", bad: true},
		{name: "no kind", remote: "https://github.com/acme/site", env: map[string]string{"POSTRIDER_FORGE": "svn"}, bad: true},
		{name: "none", bad: true},
		{name: "strange", remote: "https://%zz/", bad: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := forge.DetectRepository(func(name string) string { return c.env[name] }, c.remote)
			if (err != nil) != c.bad {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, p, cmpopts.IgnoreFields(forge.Place{}, "Web")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDetectRepository(f *testing.F) {
	f.Add("git@github.com:acme/site.git", "")
	f.Add("https://git.example/acme/site", "gitea")
	for _, s := range []string{"git@gitlab.com:a/b", "ssh://git@x/y/z", ":", "a:b/c", "https://[::1]/a/b"} {
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, remote, kind string) {
		p, err := forge.DetectRepository(func(name string) string { return map[string]string{"POSTRIDER_FORGE": kind}[name] }, remote)
		if err == nil && (p.Kind == "" || p.API == "" || !strings.Contains(p.Repository, "/") || !strings.HasPrefix(p.Web, "http")) {
			t.Errorf("%q is %+v", remote, p)
		}
	})
}
