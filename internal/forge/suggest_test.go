package forge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// desk is a code host whose pull request #7 shows a diff of one file, and takes comments on its lines as GitHub and GitLab do.
type desk struct {
	notes    []lineNote
	next     int
	reviews  int
	refuse   int    // the status of an answer to what would write, 0 for none
	path     string // of the request that was refused
	problems []string
}

// lineNote is a comment at lines, and what hangs on it.
type lineNote struct {
	id             int
	user, body     string
	first, last    int
	old            int
	stale, settled bool
	replies        int
}

const (
	patch = "@@ -1,3 +1,4 @@\n ---\n id: a\n-platforms: [x]\n+platfroms: [x]\n+draft: yes\n"
	head  = "1111111111111111111111111111111111111111"
	mark  = "test fix"
)

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v3"), "/api/v4")
	say := func(v any) { json.NewEncoder(w).Encode(v) } //nolint:errcheck // the client has gone
	if d.refuse != 0 && r.Method != http.MethodGet {
		d.path = path
		w.WriteHeader(d.refuse)
		say(map[string]string{"message": "no"})
		return
	}
	who := func(name string) map[string]any {
		return map[string]any{"login": name, "username": name, "id": users[name]}
	}
	switch {
	case path == "/user":
		say(who("bot"))
	case path == "/projects/acme/site/merge_requests/7":
		say(map[string]any{"iid": 7, "diff_refs": map[string]string{"base_sha": "b", "start_sha": "s", "head_sha": head}})
	case path == "/repos/acme/site/pulls/7/files":
		say([]any{map[string]any{"filename": "content/a.md", "patch": patch}, map[string]any{"filename": "big.md"}})
	case path == "/projects/acme/site/merge_requests/7/diffs":
		say([]any{map[string]any{"new_path": "content/a.md", "old_path": "content/was.md", "diff": patch}})
	case path == "/repos/acme/site/pulls/7/comments":
		list := []any{}
		for _, n := range d.notes {
			c := map[string]any{"id": n.id, "user": who(n.user), "body": n.body, "line": n.last}
			if n.stale {
				c["line"] = nil
			}
			list = append(list, c)
			for range n.replies {
				list = append(list, map[string]any{"id": n.id + 1000, "user": who("mallory"), "body": "hm", "in_reply_to_id": n.id, "line": n.last})
			}
		}
		say(list)
	case path == "/projects/acme/site/merge_requests/7/discussions" && r.Method == http.MethodGet:
		list := []any{}
		for _, n := range d.notes {
			notes := []any{map[string]any{"id": n.id, "author": who(n.user), "body": n.body, "resolved": n.settled}}
			for range n.replies {
				notes = append(notes, map[string]any{"id": n.id + 1000, "author": who("mallory"), "body": "hm"})
			}
			list = append(list, map[string]any{"id": "d" + strconv.Itoa(n.id), "notes": notes})
		}
		say(list)
	case path == "/repos/acme/site/pulls/7/reviews":
		d.review(r)
		say(map[string]any{"id": 1})
	case path == "/projects/acme/site/merge_requests/7/discussions":
		d.discuss(r)
		w.WriteHeader(http.StatusCreated)
		say(map[string]any{"id": "x", "notes": []any{}})
	case r.Method == http.MethodDelete:
		id, _ := strconv.Atoi(path[strings.LastIndexByte(path, '/')+1:])
		d.notes = slices.DeleteFunc(d.notes, func(n lineNote) bool { return n.id == id })
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
		say(map[string]string{"message": r.Method + " " + path})
	}
}

func (d *desk) add(n lineNote) {
	d.next++
	n.id, n.user = d.next, "bot"
	d.notes = append(d.notes, n)
}

func (d *desk) review(r *http.Request) {
	var in struct {
		Event    string
		CommitID string `json:"commit_id"`
		Comments []struct {
			Path, Body, Side, StartSide string
			Line                        int
			StartLine                   int `json:"start_line"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Event != "COMMENT" || in.CommitID != head {
		d.problems = append(d.problems, fmt.Sprintf("a review %+v, %v", in, err))
	}
	d.reviews++
	for _, c := range in.Comments {
		if c.Path != "content/a.md" || c.Side != "RIGHT" {
			d.problems = append(d.problems, fmt.Sprintf("a comment %+v", c))
		}
		first := c.Line
		if c.StartLine > 0 {
			first = c.StartLine
		}
		d.add(lineNote{body: c.Body, first: first, last: c.Line})
	}
}

func (d *desk) discuss(r *http.Request) {
	var in struct {
		Body     string
		Position struct {
			HeadSHA string `json:"head_sha"`
			BaseSHA string `json:"base_sha"`
			Type    string `json:"position_type"`
			New     string `json:"new_path"`
			Old     string `json:"old_path"`
			NewLine int    `json:"new_line"`
			OldLine int    `json:"old_line"`
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Position.HeadSHA != head || in.Position.BaseSHA != "b" || in.Position.Type != "text" ||
		in.Position.New != "content/a.md" || in.Position.Old != "content/was.md" {
		d.problems = append(d.problems, fmt.Sprintf("a discussion %+v, %v", in, err))
	}
	below := 0
	if _, rest, ok := strings.Cut(in.Body, "suggestion:-0+"); ok {
		below, _ = strconv.Atoi(rest[:1])
	}
	d.add(lineNote{body: in.Body, first: in.Position.NewLine, last: in.Position.NewLine + below, old: in.Position.OldLine})
	d.reviews = 1
}

// lined runs a test with a code host of each kind that can apply suggestions.
func lined(t *testing.T, fn func(t *testing.T, kind forge.Kind, d *desk, suggest func(...forge.Suggestion) ([]forge.Suggestion, error))) {
	t.Helper()
	for _, kind := range []forge.Kind{forge.GitHub, forge.GitLab} {
		t.Run(string(kind), func(t *testing.T) {
			d := &desk{}
			server := httptest.NewServer(d)
			t.Cleanup(server.Close)
			f, err := forge.Open(forge.Place{Kind: kind, API: server.URL + kinds[kind].api, Repository: "acme/site"}, secret.New(token), server.Client())
			if err != nil {
				t.Fatal(err)
			}
			fn(t, kind, d, func(list ...forge.Suggestion) ([]forge.Suggestion, error) {
				return f.Suggest(t.Context(), 7, head, mark, list)
			})
			for _, p := range d.problems {
				t.Error(p)
			}
		})
	}
}

var (
	misspelt  = forge.Suggestion{Path: "content/a.md", First: 3, Last: 3, Old: "platfroms: [x]", New: "platforms: [x]", Why: "**F120**"}
	both      = forge.Suggestion{Path: "content/a.md", First: 3, Last: 4, Old: "platfroms: [x]\ndraft: yes", New: "a ``` fence", Why: "both"}
	unchanged = forge.Suggestion{Path: "content/a.md", First: 2, Last: 2, Old: "id: a", New: "", Why: "gone"}
	outside   = forge.Suggestion{Path: "content/a.md", First: 40, Last: 40, Old: "x", New: "y"}
	elsewhere = forge.Suggestion{Path: "content/b.md", First: 1, Last: 1, Old: "x", New: "y"}
)

func TestSuggest(t *testing.T) {
	lined(t, func(t *testing.T, kind forge.Kind, d *desk, suggest func(...forge.Suggestion) ([]forge.Suggestion, error)) {
		t.Helper()
		left, err := suggest(misspelt, both, unchanged, outside, elsewhere)
		if diff := cmp.Diff([]forge.Suggestion{outside, elsewhere}, left); err != nil || diff != "" {
			t.Fatalf("%v, left over (-want +got):\n%s", err, diff)
		}
		block := map[forge.Kind][2]string{forge.GitHub: {"```suggestion\n", "````suggestion\n"}, forge.GitLab: {"```suggestion:-0+0\n", "````suggestion:-0+1\n"}}[kind]
		if len(d.notes) != 3 || d.reviews != 1 {
			t.Fatalf("%d reviews with %+v", d.reviews, d.notes)
		}
		for i, want := range []lineNote{
			{body: "\n**F120**\n\n" + block[0] + "platforms: [x]\n```\n", first: 3, last: 3},
			{body: "\nboth\n\n" + block[1] + "a ``` fence\n````\n", first: 3, last: 4},
			{body: "\ngone\n\n" + block[0] + "```\n", first: 2, last: 2, old: 2},
		} {
			got := d.notes[i]
			opening, rest, _ := strings.Cut(got.body, " -->")
			if !strings.HasPrefix(opening, "<!-- test fix ") || rest != want.body || got.first != want.first || got.last != want.last {
				t.Errorf("%+v, want %+v", got, want)
			}
			if kind == forge.GitLab && got.old != want.old {
				t.Errorf("the old line of %+v, want %d", got, want.old)
			}
		}

		// The next push: nothing is said twice, what is settled goes, and what people have taken up stays.
		d.notes[1].replies = 1
		d.notes = append(d.notes, lineNote{id: 90, user: "mallory", body: d.notes[0].body, first: 3, last: 3}, lineNote{id: 91, user: "bot", body: "another thing"})
		if left, err := suggest(misspelt); err != nil || len(left) > 0 || d.reviews != 1 {
			t.Errorf("%v, %v after %d reviews", left, err, d.reviews)
		}
		var ids []int
		for _, n := range d.notes {
			ids = append(ids, n.id)
		}
		if want := []int{1, 2, 90, 91}; !slices.Equal(ids, want) {
			t.Errorf("%v are there, want %v", ids, want)
		}

		// Nothing is left to mend.
		if left, err := suggest(); err != nil || len(left) > 0 || len(d.notes) != 3 {
			t.Errorf("%v, %v; there are %+v", left, err, d.notes)
		}
	})
}

// TestSuggestAgain: GitHub hides a suggestion whose line has changed: it is made anew, unless somebody has answered.
func TestSuggestAgain(t *testing.T) {
	lined(t, func(t *testing.T, kind forge.Kind, d *desk, suggest func(...forge.Suggestion) ([]forge.Suggestion, error)) {
		t.Helper()
		if kind == forge.GitLab {
			return // which keeps the place of a discussion by itself
		}
		for _, answered := range []bool{false, true} {
			if _, err := suggest(misspelt); err != nil {
				t.Fatal(err)
			}
			before := d.next
			d.notes[0].stale = true
			if answered {
				d.notes[0].replies = 1
			}
			if _, err := suggest(misspelt); err != nil || len(d.notes) != 1 || (d.next > before) == answered {
				t.Errorf("answered %t: %v, %+v", answered, err, d.notes)
			}
		}
	})
}

// TestSuggestRefused: with an error, all that is not there is left over, and what was there stays.
func TestSuggestRefused(t *testing.T) {
	lined(t, func(t *testing.T, _ forge.Kind, d *desk, suggest func(...forge.Suggestion) ([]forge.Suggestion, error)) {
		t.Helper()
		if _, err := suggest(unchanged); err != nil {
			t.Fatal(err)
		}
		for status, refused := range map[int]bool{http.StatusForbidden: true, http.StatusBadGateway: false} {
			d.refuse = status
			left, err := suggest(misspelt, outside)
			e, ok := asError(err)
			if len(left) != 2 || !ok || e.Refused != refused || strings.Contains(err.Error(), token) || len(d.notes) != 1 {
				t.Errorf("HTTP %d: %v left, %v, %+v", status, left, err, d.notes)
			}
		}
	})
}

func TestSuggestGitea(t *testing.T) {
	f, err := forge.Open(forge.Place{Kind: forge.Gitea, API: "https://git.example", Repository: "acme/site"}, secret.New(token), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := f.Suggest(t.Context(), 7, head, mark, []forge.Suggestion{misspelt}); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}

func asError(err error) (*forge.Error, bool) { return errors.AsType[*forge.Error](err) }
