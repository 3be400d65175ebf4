package main

import (
	"fmt"
	"net/http"
	"strings"
)

// lineComments are the comments on lines of the code host's pull request.
type lineComments struct {
	diff   string
	bodies []string // "" for one that was removed
	refuse bool
}

type lineComment struct {
	Path, Body string
	Line       int
}

func (l *lineComments) answer(w http.ResponseWriter, method, path string, comments []lineComment) any {
	switch {
	case l.refuse && method == http.MethodPost:
		w.WriteHeader(http.StatusForbidden)
		return map[string]any{"message": "Resource not accessible by integration"}
	case path == "7/files":
		return []any{map[string]any{"filename": "content/news.md", "patch": l.diff}}
	case path == "7/comments":
		list := []any{}
		for i, body := range l.bodies {
			if body != "" {
				_, text, _ := strings.Cut(body, "\n")
				list = append(list, map[string]any{"id": i + 1, "body": text, "line": 3, "user": map[string]any{"login": "bot"}})
			}
		}
		return list
	case path == "7/reviews":
		for _, c := range comments {
			l.bodies = append(l.bodies, fmt.Sprintf("%s:%d\n%s", c.Path, c.Line, c.Body))
		}
		return map[string]any{"id": 1}
	case strings.HasPrefix(path, "comments/") && method == http.MethodDelete:
		var id int
		fmt.Sscanf(path, "comments/%d", &id) //nolint:errcheck // one that is none removes nothing
		l.bodies[id-1] = ""
		w.WriteHeader(http.StatusNoContent)
		return nil
	default:
		w.WriteHeader(http.StatusNotFound)
		return map[string]any{"message": method + " " + path}
	}
}
