package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// tracker is the issues of the code host of a script.
type tracker struct{ issues []trackedIssue }

type trackedIssue struct {
	Title, Body, State string
	Labels, Assignees  []string
	Comments           []string
}

// serve answers a request about issues, whose path is what follows ".../issues".
func (t *tracker) serve(method, path string, body []byte) (status int, out any) {
	var in struct {
		Title, Body, State *string
		Labels, Assignees  []string
	}
	json.Unmarshal(body, &in) //nolint:errcheck // some requests have none
	show := func(n int) map[string]any {
		i := &t.issues[n-1]
		return map[string]any{"number": n, "title": i.Title, "body": i.Body, "state": i.State, "user": map[string]any{"login": "bot"}, "html_url": fmt.Sprintf("https://forge.example/acme/site/issues/%d", n)}
	}
	if path == "" && method == http.MethodGet {
		open := []any{}
		for n := range t.issues {
			if t.issues[n].State == "open" {
				open = append(open, show(n+1))
			}
		}
		return http.StatusOK, open
	}
	if path == "" {
		t.issues = append(t.issues, trackedIssue{Title: *in.Title, Body: *in.Body, State: "open", Labels: in.Labels, Assignees: in.Assignees})
		return http.StatusCreated, show(len(t.issues))
	}
	number, comments := strings.CutSuffix(strings.TrimPrefix(path, "/"), "/comments")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(t.issues) {
		return http.StatusNotFound, map[string]any{"message": path}
	}
	i := &t.issues[n-1]
	if comments {
		i.Comments = append(i.Comments, *in.Body)
		return http.StatusCreated, map[string]any{"id": 1}
	}
	for to, from := range map[*string]*string{&i.Title: in.Title, &i.Body: in.Body, &i.State: in.State} {
		if from != nil {
			*to = *from
		}
	}
	return http.StatusOK, show(n)
}

// String writes all issues, for a script to look at.
func (t *tracker) String() string {
	var b strings.Builder
	for n, i := range t.issues {
		fmt.Fprintf(&b, "#%d %s %s %s %s\n%s\n", n+1, i.State, i.Title, i.Labels, i.Assignees, i.Body)
		for _, c := range i.Comments {
			fmt.Fprintf(&b, "comment: %s\n", c)
		}
	}
	return b.String()
}

// chat is a channel that takes messages by an incoming webhook, as Slack has them.
type chat struct {
	mu       sync.Mutex
	messages []string
	down     bool
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in struct{ Text string }
	switch err := json.Unmarshal(body, &in); {
	case c.down:
		http.Error(w, "try later", http.StatusServiceUnavailable)
	case r.URL.Path != "/services/T1/B1/hooksecret0123456789":
		http.Error(w, "no_service", http.StatusNotFound)
	case err != nil:
		http.Error(w, "invalid_payload", http.StatusBadRequest)
	case in.Text == "":
		http.Error(w, "no_text", http.StatusBadRequest)
	default:
		c.messages = append(c.messages, in.Text)
		io.WriteString(w, "ok") //nolint:errcheck // the client has gone
	}
}

// script is the command `chat`: chat N leaves the last message in chat.txt, and there must be N of them; chat down and chat up say whether it
// answers.
func (c *chat) script(ts *testscript.TestScript, args []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if args[0] == "down" || args[0] == "up" {
		c.down = args[0] == "down"
		return
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if len(c.messages) != want {
		ts.Fatalf("%d messages arrived, want %d:\n%s", len(c.messages), want, strings.Join(c.messages, "\n---\n"))
	}
	if want > 0 {
		ts.Check(os.WriteFile(ts.MkAbs("chat.txt"), []byte(c.messages[want-1]+"\n"), 0o600))
	}
}
