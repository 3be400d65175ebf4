package inbound

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/forge"
)

// payload is what the bodies of all hosts have, as far as it matters here.
//
//   - https://docs.github.com/en/webhooks/webhook-events-and-payloads#push (2026-11-22)
//   - https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events (2026-11-22)
//   - https://docs.gitea.com/usage/webhooks#event-information (2026-11-22)
type payload struct {
	Ref   string `json:"ref"`
	After string `json:"after"`

	Repository struct { // of GitHub and Gitea
		FullName string `json:"full_name"`
		CloneURL string `json:"clone_url"`
		SSHURL   string `json:"ssh_url"`
		// PushedAt is a number of seconds in GitHub's pushes alone, and a text in its other events; Gitea has none.
		PushedAt json.RawMessage `json:"pushed_at"`
	} `json:"repository"`

	ObjectKind string   `json:"object_kind"` // of GitLab, as is what follows
	EventName  string   `json:"event_name"`  // of system hooks that have no kind
	Project    struct { // GitLab has a "repository" too, with other keys
		Path    string `json:"path_with_namespace"`
		HTTPURL string `json:"git_http_url"`
		SSHURL  string `json:"git_ssh_url"`
	} `json:"project"`
}

// read reads the JSON, and when the event was made, if that is signed; else the zero time. Of what is wrong with the JSON it says nothing that
// would quote it.
func (d *delivery) read() (Event, time.Time, error) {
	var p *payload
	if err := json.Unmarshal(d.body, &p); err != nil {
		if _, form := errors.AsType[*json.UnmarshalTypeError](err); form {
			return Event{}, time.Time{}, errors.New("the body is JSON, but not of the form that " + string(d.kind) + " sends")
		}
		return Event{}, time.Time{}, errors.New("the body is not JSON")
	}
	if p == nil { // "null"
		return Event{}, time.Time{}, errors.New("the body is not a JSON object")
	}
	e := Event{Kind: d.kind, Delivery: d.id, Name: d.name}
	if d.kind == forge.GitLab {
		if e.Name = cmp.Or(p.ObjectKind, p.EventName); !plain(e.Name, 64) {
			e.Name = d.name
		}
		e.Repository, e.CloneURLs = p.Project.Path, present(p.Project.HTTPURL, p.Project.SSHURL)
	} else {
		e.Repository, e.CloneURLs = p.Repository.FullName, present(p.Repository.CloneURL, p.Repository.SSHURL)
	}
	if (e.Name == "push" || e.Name == "tag_push") && strings.HasPrefix(p.Ref, "refs/") {
		e.Ref, e.Commit = p.Ref, commit(p.After)
	}
	// Whichever host the headers say it is from: they are not signed, and GitHub's body would be old in Gitea's clothes, too.
	if e.Name == "push" && d.made.IsZero() {
		if seconds, err := strconv.ParseInt(string(p.Repository.PushedAt), 10, 64); err == nil {
			d.made = time.Unix(seconds, 0)
		}
	}
	return e, d.made, nil
}

// commit returns an object's id, and "" for that of nothing, which is made of zeros, and for what is no id.
func commit(id string) string {
	if _, err := hex.DecodeString(id); err != nil || strings.Trim(id, "0") == "" || len(id) != 40 && len(id) != 64 {
		return ""
	}
	return id
}

func present(addresses ...string) []string {
	var out []string
	for _, a := range addresses {
		if a != "" {
			out = append(out, a)
		}
	}
	return out
}
