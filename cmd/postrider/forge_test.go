package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// codeHost is as much of GitHub's API as a review needs: one pull request, #7, from the branch topic of ada. Once it is merged, it has
// reviews, too.
type codeHost struct {
	merge, head string   // the commit that it became, and its only one
	reviews     []string // "name STATE commit"
	asked       int      // requests about approvals
	mu          sync.Mutex
	comment     string
	statuses    []string
	down        bool
	attached    string // the name of what run 42 has attached, "forbidden": the token may not ask
	lines       lineComments
	tracker     tracker
}

func (h *codeHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var in struct {
		Body, State, Context, Description string
		Comments                          []lineComment
	}
	body, _ := io.ReadAll(r.Body)
	json.Unmarshal(body, &in) //nolint:errcheck // some requests have none
	comment := func() map[string]any {
		return map[string]any{"id": 1, "body": h.comment, "user": map[string]any{"login": "bot"}, "html_url": "https://forge.example/acme/site/pull/7#1"}
	}
	var out any
	switch path := strings.TrimPrefix(r.URL.Path, "/api/v3"); {
	case h.down:
		w.WriteHeader(http.StatusBadGateway)
		return
	case !strings.HasSuffix(r.Header.Get("Authorization"), " forge-token-0123456789"):
		w.WriteHeader(http.StatusUnauthorized)
		out = map[string]any{"message": "Bad credentials"}
	case path == "/user":
		out = map[string]any{"login": "bot"}
	case path == "/repos/acme/site/pulls":
		out = []any{map[string]any{"number": 7}}
	case path == "/repos/acme/site/issues/7/comments" && r.Method == http.MethodGet:
		list := []any{}
		if h.comment != "" {
			list = append(list, comment())
		}
		out = list
	case path == "/repos/acme/site/issues/7/comments", path == "/repos/acme/site/issues/comments/1":
		h.comment = in.Body
		out = comment()
	case strings.HasPrefix(path, "/repos/acme/site/issues"):
		var status int
		status, out = h.tracker.serve(r.Method, strings.TrimPrefix(path, "/repos/acme/site/issues"), body)
		w.WriteHeader(status)
	case path == "/repos/acme/site/actions/runs/42/artifacts":
		list := []any{}
		if name := r.URL.Query().Get("name"); name == h.attached {
			list = append(list, map[string]any{"id": 11, "name": name})
		}
		if out = map[string]any{"artifacts": list}; h.attached == "forbidden" {
			w.WriteHeader(http.StatusForbidden)
			out = map[string]any{"message": "Resource not accessible by integration"}
		}
	case strings.HasPrefix(path, "/repos/acme/site/statuses/"):
		h.statuses = append(h.statuses, fmt.Sprintf("%s %s %s %s\n", path[strings.LastIndexByte(path, '/')+1:], in.State, in.Context, in.Description))
		out = map[string]any{"id": 1}
	case strings.HasPrefix(path, "/repos/acme/site/commits/") && strings.HasSuffix(path, "/pulls"):
		h.asked++
		list := []any{}
		if h.merge != "" && strings.Contains(path, "/"+h.merge+"/") {
			list = append(list, map[string]any{"number": 7, "merged_at": "2026-12-01T08:00:00Z", "merge_commit_sha": h.merge, "user": map[string]any{"login": "ada"}})
		}
		out = list
	case path == "/repos/acme/site/pulls/7/commits":
		out = []any{map[string]any{"sha": h.head, "author": map[string]any{"login": "ada"}}}
	case path == "/repos/acme/site/pulls/7/reviews" && r.Method == http.MethodGet:
		list := []any{}
		for _, r := range h.reviews {
			f := strings.Fields(r)
			list = append(list, map[string]any{"user": map[string]any{"login": f[0]}, "state": f[1], "commit_id": f[2]})
		}
		out = list
	case strings.HasPrefix(path, "/repos/acme/site/collaborators/"):
		out = map[string]any{"permission": map[bool]string{true: "read", false: "write"}[strings.Contains(path, "mallory")]}
	case strings.HasPrefix(path, "/repos/acme/site/pulls/"):
		out = h.lines.answer(w, r.Method, path[len("/repos/acme/site/pulls/"):], in.Comments)
	default:
		w.WriteHeader(http.StatusNotFound)
		out = map[string]any{"message": r.Method + " " + r.URL.Path}
	}
	json.NewEncoder(w).Encode(out) //nolint:errcheck // the client has gone
}
