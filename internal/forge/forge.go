// Package forge talks to code hosts about pull requests: GitHub, GitLab, and Gitea with Forgejo. It knows no posts and no reviews;
// what it writes there is given to it.
package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/postrider/postrider/internal/secret"
)

// Kind says which API a code host has.
type Kind string

// The kinds of code hosts. Forgejo has Gitea's API.
const (
	GitHub Kind = "github"
	GitLab Kind = "gitlab"
	Gitea  Kind = "gitea"
)

// Place is a pull request on a code host, as a CI job finds itself at work for it. GitLab calls it a merge request.
type Place struct {
	Kind       Kind
	API        string // the address of the API: "https://api.github.com", "https://gitlab.com/api/v4", "https://gitea.example"
	Repository string // "owner/name"; in GitLab the project's number or path
	Web        string // where people see the repository; "" if that is not known, as of pull requests
	Pull       int    // the number of the pull request; 0: it is to be found by Fork
	Base       string // the branch that it is to be merged into, "" if that is not known
	Head       string // the commit at its end, which statuses are about
	// Fork is the branch that the pull request comes from, as "owner:branch": of GitHub, a job that runs after another knows no more.
	Fork string
	// After says that the job runs after another, on the branch that is published: what the pull request has is not checked out there.
	After bool
	// Run is the number of the run of the workflow that the job runs after, of GitHub; 0 if there is none.
	Run int64
}

// HeadRef returns the reference under which the code host's repository has the commits of the pull request, wherever they come from.
func (p *Place) HeadRef() string {
	if p.Kind == GitLab {
		return fmt.Sprintf("refs/merge-requests/%d/head", p.Pull)
	}
	return fmt.Sprintf("refs/pull/%d/head", p.Pull)
}

// name is what people call the pull request.
func (p *Place) name() string {
	if p.Kind == GitLab {
		return fmt.Sprintf("!%d", p.Pull)
	}
	return fmt.Sprintf("#%d", p.Pull)
}

// State says how a check of a commit went.
type State string

// The states.
const (
	Success State = "success"
	Failure State = "failure"
)

// Status is what a code host shows at a commit.
type Status struct {
	Context     string // which check it is: "postrider/review"
	State       State
	Description string // one line; code hosts cut it after 140 characters or so
	URL         string // where to read more, "" for nowhere
}

// Forge is a code host, as far as a pull request needs one.
type Forge interface {
	// Find returns the number of the open pull request that comes from a branch, "owner:branch".
	Find(ctx context.Context, fork string) (int, error)
	// Comment puts a text under a pull request and returns its address. Of what this user has written there, the first comment that
	// begins with marker is replaced; what others have written is left alone, whatever it begins with.
	Comment(ctx context.Context, pull int, marker, text string) (address string, changed bool, err error)
	// Suggest shows at the lines of a pull request, whose last commit is given, what is to stand there instead, so that people can apply it.
	// What this user has suggested before with the same mark is not repeated, and removed when it is not among list any more, unless somebody
	// has answered. It returns those that could not be put where they belong, with an error all that are not there.
	Suggest(ctx context.Context, pull int, commit, mark string, list []Suggestion) (left []Suggestion, err error)
	// Status tells of a commit how a check of it went.
	Status(ctx context.Context, commit string, s Status) error
	// Merged returns the merged pull requests that brought a commit, with who has approved them. A commit that came another way, or that the
	// code host does not have, came with none.
	Merged(ctx context.Context, q Question) ([]Pull, error)
	// Limit is how many bytes a comment may have.
	Limit() int
}

// ErrNoPull means that there is no open pull request from a branch.
var ErrNoPull = errors.New("there is no open pull request from that branch")

// Open returns the code host of a place.
func Open(p Place, token secret.String, client *http.Client) (Forge, error) {
	switch owner, name, ok := strings.Cut(p.Repository, "/"); {
	case p.Kind == GitLab:
		return newGitLab(p, token, client)
	case !ok || owner == "" || name == "" || strings.Contains(name, "/"):
		return nil, fmt.Errorf("%q is no repository: it must be OWNER/NAME", p.Repository)
	case p.Kind == GitHub:
		return newGitHub(p.API, owner, name, token, client)
	case p.Kind == Gitea:
		return newGitea(p.API, owner, name, token, client)
	default:
		return nil, fmt.Errorf("%q is no kind of code host: it must be github, gitlab or gitea", p.Kind)
	}
}

// Error is a request to a code host that did not go well.
type Error struct {
	Op string // what was to be done
	// Refused says that the same request will be refused again: the token is wrong, may not do that, or there is no such thing. Everything else,
	// such as a code host that is down or wants fewer requests, passes.
	Refused bool
	Err     error
	status  int // of the answer, 0 for none
}

// Error implements error.
func (e *Error) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// failed returns an error about a request that was answered with a status, 0 for none.
func failed(err error, status int, op string, args ...any) error {
	refused := status >= 400 && status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
	return &Error{Op: fmt.Sprintf(op, args...), Refused: refused, Err: err, status: status}
}

// pageSize is how many comments are asked for at once, and maxPages how often: an endless list must come to an end.
const (
	pageSize = 100
	maxPages = 50
)

// oneLine shortens a description to what code hosts show.
func oneLine(s string) string {
	const most = 140
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
