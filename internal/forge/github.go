package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v84/github"

	"github.com/postrider/postrider/internal/secret"
)

type gitHub struct {
	client      *github.Client
	owner, name string
}

func newGitHub(api, owner, name string, token secret.String, client *http.Client) (Forge, error) {
	c := github.NewClient(client).WithAuthToken(token.Reveal())
	c.RateLimitRedirectionalEndpoints = false
	if api != "" && strings.TrimSuffix(api, "/") != "https://api.github.com" {
		var err error
		if c, err = c.WithEnterpriseURLs(api, api); err != nil {
			return nil, fmt.Errorf("the address of the API is %q: %w", api, err)
		}
	}
	return &gitHub{c, owner, name}, nil
}

// failed returns an error about a request. A rate limit is one that GitHub answers as if it refused.
func (g *gitHub) failed(err error, op string, args ...any) error {
	status := 0
	if refused, ok := errors.AsType[*github.ErrorResponse](err); ok && refused.Response != nil {
		status = refused.Response.StatusCode
	}
	return failed(err, status, op, args...)
}

// Limit implements [Forge]. GitHub takes 65,536 characters, and says so when there are more.
func (g *gitHub) Limit() int { return 65_000 }

// Find implements [Forge].
// https://docs.github.com/en/rest/pulls/pulls#list-pull-requests (2026-11-22)
func (g *gitHub) Find(ctx context.Context, fork string) (int, error) {
	pulls, _, err := g.client.PullRequests.List(ctx, g.owner, g.name, &github.PullRequestListOptions{Head: fork, State: "open"})
	if err != nil {
		return 0, g.failed(err, "look for the pull request from %q", fork)
	}
	if len(pulls) == 0 {
		return 0, fmt.Errorf("%w: %q", ErrNoPull, fork)
	}
	return pulls[0].GetNumber(), nil
}

// actionsBot is who a workflow's own token is. Such a token may not ask who it is.
const actionsBot = "github-actions[bot]"

// me returns the name of the user whose token it is.
func (g *gitHub) me(ctx context.Context) (string, error) {
	user, _, err := g.client.Users.Get(ctx, "")
	if refused, ok := errors.AsType[*github.ErrorResponse](err); ok && refused.Response.StatusCode == http.StatusForbidden {
		return actionsBot, nil
	}
	if err != nil {
		return "", g.failed(err, "ask whose token it is")
	}
	return user.GetLogin(), nil
}

// Comment implements [Forge].
// https://docs.github.com/en/rest/issues/comments (2026-11-22)
func (g *gitHub) Comment(ctx context.Context, pull int, marker, text string) (address string, changed bool, err error) {
	me, err := g.me(ctx)
	if err != nil {
		return "", false, err
	}
	o := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: pageSize}}
	for range maxPages {
		comments, resp, err := g.client.Issues.ListComments(ctx, g.owner, g.name, pull, o)
		if err != nil {
			return "", false, g.failed(err, "list the comments on #%d", pull)
		}
		for _, c := range comments {
			if c.GetUser().GetLogin() != me || !strings.HasPrefix(c.GetBody(), marker) {
				continue
			}
			if c.GetBody() == text {
				return c.GetHTMLURL(), false, nil
			}
			c, _, err := g.client.Issues.EditComment(ctx, g.owner, g.name, c.GetID(), &github.IssueComment{Body: &text})
			if err != nil {
				return "", false, g.failed(err, "edit the comment on #%d", pull)
			}
			return c.GetHTMLURL(), true, nil
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	c, _, err := g.client.Issues.CreateComment(ctx, g.owner, g.name, pull, &github.IssueComment{Body: &text})
	if err != nil {
		return "", false, g.failed(err, "comment on #%d", pull)
	}
	return c.GetHTMLURL(), true, nil
}

// Status implements [Forge].
// https://docs.github.com/en/rest/commits/statuses#create-a-commit-status (2026-11-22)
func (g *gitHub) Status(ctx context.Context, commit string, s Status) error {
	status := github.RepoStatus{State: github.Ptr(string(s.State)), Context: &s.Context, Description: github.Ptr(oneLine(s.Description))}
	if s.URL != "" {
		status.TargetURL = &s.URL
	}
	if _, _, err := g.client.Repositories.CreateStatus(ctx, g.owner, g.name, commit, status); err != nil {
		return g.failed(err, "set the status of commit %.10s", commit)
	}
	return nil
}
