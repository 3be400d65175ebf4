package forge

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"code.gitea.io/sdk/gitea"

	"github.com/postrider/postrider/internal/secret"
)

type giteaHost struct {
	api         string
	token       secret.String
	http        *http.Client
	owner, name string
}

func newGitea(api, owner, name string, token secret.String, client *http.Client) (Forge, error) {
	if api == "" {
		return nil, fmt.Errorf("the address of the code host is not known")
	}
	return &giteaHost{strings.TrimSuffix(strings.TrimSuffix(api, "/"), "/api/v1"), token, client, owner, name}, nil
}

// client returns a client for one call: the library binds one to a context.
func (g *giteaHost) client(ctx context.Context) (*gitea.Client, error) {
	return gitea.NewClient(g.api, gitea.SetToken(g.token.Reveal()), gitea.SetHTTPClient(g.http), gitea.SetContext(ctx), gitea.SetGiteaVersion(""))
}

// answered returns an error about a request and its answer, if there was one.
func answered(err error, resp *gitea.Response, op string, args ...any) error {
	if resp == nil || resp.Response == nil {
		return failed(err, 0, op, args...)
	}
	return failed(err, resp.StatusCode, op, args...)
}

// Limit implements [Forge]. Gitea stores what it is given; this is what its database columns and pages are known to bear.
func (g *giteaHost) Limit() int { return 250_000 }

// Find implements [Forge].
// https://docs.gitea.com/api/ (repoListPullRequests), 2026-11-22: it cannot be asked for one branch.
func (g *giteaHost) Find(ctx context.Context, fork string) (int, error) {
	c, err := g.client(ctx)
	if err != nil {
		return 0, err
	}
	owner, branch, _ := strings.Cut(fork, ":")
	for page := 1; page <= maxPages; page++ {
		pulls, resp, err := c.ListRepoPullRequests(g.owner, g.name, gitea.ListPullRequestsOptions{
			ListOptions: gitea.ListOptions{Page: page, PageSize: pageSize}, State: gitea.StateOpen,
		})
		if err != nil {
			return 0, answered(err, resp, "look for the pull request from %q", fork)
		}
		for _, p := range pulls {
			if h := p.Head; h != nil && h.Ref == branch && h.Repository != nil && h.Repository.Owner != nil && h.Repository.Owner.UserName == owner {
				return int(p.Index), nil
			}
		}
		if len(pulls) == 0 { // a server may give less than a page at a time
			break
		}
	}
	return 0, fmt.Errorf("%w: %q", ErrNoPull, fork)
}

// Comment implements [Forge].
// https://docs.gitea.com/api/ (issueGetComments, issueCreateComment, issueEditComment), 2026-11-22: all comments come at once.
func (g *giteaHost) Comment(ctx context.Context, pull int, marker, text string) (address string, changed bool, err error) {
	c, err := g.client(ctx)
	if err != nil {
		return "", false, err
	}
	me, resp, err := c.GetMyUserInfo()
	if err != nil {
		return "", false, answered(err, resp, "ask whose token it is")
	}
	comments, resp, err := c.ListIssueComments(g.owner, g.name, int64(pull), gitea.ListIssueCommentOptions{})
	if err != nil {
		return "", false, answered(err, resp, "list the comments on #%d", pull)
	}
	for _, x := range comments {
		if x.Poster == nil || x.Poster.ID != me.ID || !strings.HasPrefix(x.Body, marker) {
			continue
		}
		if x.Body == text {
			return x.HTMLURL, false, nil
		}
		edited, resp, err := c.EditIssueComment(g.owner, g.name, x.ID, gitea.EditIssueCommentOption{Body: text})
		if err != nil {
			return "", false, answered(err, resp, "edit the comment on #%d", pull)
		}
		return edited.HTMLURL, true, nil
	}
	made, resp, err := c.CreateIssueComment(g.owner, g.name, int64(pull), gitea.CreateIssueCommentOption{Body: text})
	if err != nil {
		return "", false, answered(err, resp, "comment on #%d", pull)
	}
	return made.HTMLURL, true, nil
}

// Status implements [Forge].
// https://docs.gitea.com/api/ (repoCreateStatus), 2026-11-22
func (g *giteaHost) Status(ctx context.Context, commit string, s Status) error {
	c, err := g.client(ctx)
	if err != nil {
		return err
	}
	_, resp, err := c.CreateStatus(g.owner, g.name, commit, gitea.CreateStatusOption{
		State: gitea.StatusState(s.State), Context: s.Context, Description: oneLine(s.Description), TargetURL: s.URL,
	})
	if err != nil {
		return answered(err, resp, "set the status of commit %.10s", commit)
	}
	return nil
}
