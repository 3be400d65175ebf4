package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/postrider/postrider/internal/secret"
)

type gitLab struct {
	client  *gitlab.Client
	project string
}

func newGitLab(p Place, token secret.String, client *http.Client) (Forge, error) {
	if p.Repository == "" {
		return nil, fmt.Errorf("the project is not known")
	}
	o := []gitlab.ClientOptionFunc{gitlab.WithHTTPClient(client), gitlab.WithoutRetries()}
	if p.API != "" {
		o = append(o, gitlab.WithBaseURL(p.API))
	}
	c, err := gitlab.NewClient(token.Reveal(), o...)
	if err != nil {
		return nil, fmt.Errorf("the address of the API is %q: %w", p.API, err)
	}
	return &gitLab{c, p.Repository}, nil
}

// failed returns an error about a request.
func (g *gitLab) failed(err error, op string, args ...any) error {
	status := 0
	if refused, ok := errors.AsType[*gitlab.ErrorResponse](err); ok && refused.Response != nil {
		status = refused.Response.StatusCode
	} else if errors.Is(err, gitlab.ErrNotFound) {
		status = http.StatusNotFound
	}
	return failed(err, status, op, args...)
}

// Limit implements [Forge]. GitLab takes 1,000,000 characters.
// https://docs.gitlab.com/administration/instance_limits/#size-of-comments-and-descriptions-of-issues-merge-requests-and-epics (2026-11-22)
func (g *gitLab) Limit() int { return 900_000 }

// Find implements [Forge]. A merge request's pipeline knows its number, so nobody has to look.
func (g *gitLab) Find(_ context.Context, fork string) (int, error) {
	return 0, fmt.Errorf("%w: %q", ErrNoPull, fork)
}

// Comment implements [Forge].
// https://docs.gitlab.com/api/notes/#merge-requests (2026-11-22)
func (g *gitLab) Comment(ctx context.Context, pull int, marker, text string) (address string, changed bool, err error) {
	in := gitlab.WithContext(ctx)
	me, _, err := g.client.Users.CurrentUser(in)
	if err != nil {
		return "", false, g.failed(err, "ask whose token it is")
	}
	o := &gitlab.ListMergeRequestNotesOptions{ListOptions: gitlab.ListOptions{PerPage: pageSize, Page: 1}, Sort: gitlab.Ptr("asc"), OrderBy: gitlab.Ptr("created_at")}
	for range maxPages {
		notes, resp, err := g.client.Notes.ListMergeRequestNotes(g.project, int64(pull), o, in)
		if err != nil {
			return "", false, g.failed(err, "list the comments on !%d", pull)
		}
		for _, n := range notes {
			if n.System || n.Author.ID != me.ID || !strings.HasPrefix(n.Body, marker) {
				continue
			}
			if n.Body == text {
				return "", false, nil
			}
			if _, _, err := g.client.Notes.UpdateMergeRequestNote(g.project, int64(pull), n.ID, &gitlab.UpdateMergeRequestNoteOptions{Body: &text}, in); err != nil {
				return "", false, g.failed(err, "edit the comment on !%d", pull)
			}
			return "", true, nil
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	if _, _, err := g.client.Notes.CreateMergeRequestNote(g.project, int64(pull), &gitlab.CreateMergeRequestNoteOptions{Body: &text}, in); err != nil {
		return "", false, g.failed(err, "comment on !%d", pull)
	}
	return "", true, nil
}

// Status implements [Forge].
// https://docs.gitlab.com/api/commits/#set-commit-pipeline-status (2026-11-22)
func (g *gitLab) Status(ctx context.Context, commit string, s Status) error {
	state := gitlab.Success
	if s.State == Failure {
		state = gitlab.Failed
	}
	o := &gitlab.SetCommitStatusOptions{State: state, Name: &s.Context, Description: gitlab.Ptr(oneLine(s.Description))}
	if s.URL != "" {
		o.TargetURL = &s.URL
	}
	if _, _, err := g.client.Commits.SetCommitStatus(g.project, commit, o, gitlab.WithContext(ctx)); err != nil {
		return g.failed(err, "set the status of commit %.10s", commit)
	}
	return nil
}
