package forge

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"code.gitea.io/sdk/gitea"
	"github.com/google/go-github/v84/github"
	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/postrider/postrider/internal/secret"
)

// Issue is what an issue is to say.
type Issue struct {
	Title, Body string
	Labels      []string
	Assignees   []string // by their names on the code host
}

// Tracker is a code host, as far as an issue that looks after itself needs one.
type Tracker interface {
	// Keep has the open issue that this user has written, and that begins with marker, say what it is to say; without one, it makes one.
	// Labels and assignees are given to a new issue only: people may change them. What others have written is left alone.
	Keep(ctx context.Context, marker string, i Issue) (address string, changed bool, err error)
	// Settle closes that issue with a comment. Where there is none, nothing happens.
	Settle(ctx context.Context, marker, comment string) (address string, closed bool, err error)
}

// OpenTracker returns the issues of a repository on a code host.
func OpenTracker(p Place, token secret.String, client *http.Client) (Tracker, error) {
	f, err := Open(p, token, client)
	if err != nil {
		return nil, err
	}
	return &tracker{f.(issues)}, nil
}

// issues is what the clients of the code hosts can do with issues. An issue's number is the one that people see.
type issues interface {
	// mine returns the open issues that the token's user has written, one page after the other.
	mine(ctx context.Context, fn func(issue) (more bool)) error
	create(ctx context.Context, i Issue) (issue, error)
	edit(ctx context.Context, number int64, i Issue) error
	// end comments on an issue and closes it.
	end(ctx context.Context, number int64, comment string) error
}

// issue is one as a code host has it.
type issue struct {
	number               int64
	title, body, address string
}

type tracker struct{ issues }

// find returns the issue that begins with marker; ok is false when there is none.
func (t *tracker) find(ctx context.Context, marker string) (found issue, ok bool, err error) {
	err = t.mine(ctx, func(i issue) bool {
		if strings.HasPrefix(i.body, marker) && (!ok || i.number < found.number) { // of two that runs at once have made, the first
			found, ok = i, true
		}
		return true
	})
	return found, ok, err
}

// Keep implements [Tracker].
func (t *tracker) Keep(ctx context.Context, marker string, i Issue) (address string, changed bool, err error) {
	i.Title = oneLine(i.Title)
	known, ok, err := t.find(ctx, marker)
	switch {
	case err != nil:
		return "", false, err
	case !ok:
		made, err := t.create(ctx, i)
		return made.address, err == nil, err
	case sameText(known.body, i.Body) && known.title == i.Title:
		return known.address, false, nil
	}
	return known.address, true, t.edit(ctx, known.number, i)
}

// sameText reports whether a code host that has normalised a text has this one.
func sameText(a, b string) bool {
	return strings.TrimSpace(strings.ReplaceAll(a, "\r\n", "\n")) == strings.TrimSpace(b)
}

// Settle implements [Tracker].
func (t *tracker) Settle(ctx context.Context, marker, comment string) (address string, closed bool, err error) {
	known, ok, err := t.find(ctx, marker)
	if err != nil || !ok {
		return "", false, err
	}
	if err := t.end(ctx, known.number, comment); err != nil {
		return "", false, err
	}
	return known.address, true, nil
}

// mine implements issues.
// https://docs.github.com/en/rest/issues/issues#list-repository-issues (2026-11-22): pull requests are among them.
func (g *gitHub) mine(ctx context.Context, fn func(issue) bool) error {
	me, err := g.me(ctx)
	if err != nil {
		return err
	}
	o := &github.IssueListByRepoOptions{State: "open", Creator: me, ListOptions: github.ListOptions{PerPage: pageSize}}
	for range maxPages {
		list, resp, err := g.client.Issues.ListByRepo(ctx, g.owner, g.name, o)
		if err != nil {
			return g.failed(err, "list the issues")
		}
		for _, i := range list {
			if i.IsPullRequest() || i.GetUser().GetLogin() != me {
				continue
			}
			if !fn(issue{int64(i.GetNumber()), i.GetTitle(), i.GetBody(), i.GetHTMLURL()}) {
				return nil
			}
		}
		if o.ListOptions.Page = resp.NextPage; resp.NextPage == 0 {
			break
		}
	}
	return nil
}

// create implements issues. Labels that do not exist yet are made.
// https://docs.github.com/en/rest/issues/issues#create-an-issue (2026-11-22)
func (g *gitHub) create(ctx context.Context, i Issue) (issue, error) {
	r := &github.IssueRequest{Title: &i.Title, Body: &i.Body}
	if len(i.Labels) > 0 {
		r.Labels = &i.Labels
	}
	if len(i.Assignees) > 0 {
		r.Assignees = &i.Assignees
	}
	made, _, err := g.client.Issues.Create(ctx, g.owner, g.name, r)
	if err != nil {
		return issue{}, g.failed(err, "create an issue")
	}
	return issue{number: int64(made.GetNumber()), address: made.GetHTMLURL()}, nil
}

// edit implements issues.
// https://docs.github.com/en/rest/issues/issues#update-an-issue (2026-11-22)
func (g *gitHub) edit(ctx context.Context, number int64, i Issue) error {
	if _, _, err := g.client.Issues.Edit(ctx, g.owner, g.name, int(number), &github.IssueRequest{Title: &i.Title, Body: &i.Body}); err != nil {
		return g.failed(err, "edit issue #%d", number)
	}
	return nil
}

// end implements issues.
func (g *gitHub) end(ctx context.Context, number int64, comment string) error {
	if _, _, err := g.client.Issues.CreateComment(ctx, g.owner, g.name, int(number), &github.IssueComment{Body: &comment}); err != nil {
		return g.failed(err, "comment on issue #%d", number)
	}
	if _, _, err := g.client.Issues.Edit(ctx, g.owner, g.name, int(number), &github.IssueRequest{State: github.Ptr("closed"), StateReason: github.Ptr("completed")}); err != nil {
		return g.failed(err, "close issue #%d", number)
	}
	return nil
}

// mine implements issues.
// https://docs.gitlab.com/api/issues/#list-project-issues (2026-11-22)
func (g *gitLab) mine(ctx context.Context, fn func(issue) bool) error {
	in := gitlab.WithContext(ctx)
	me, _, err := g.client.Users.CurrentUser(in)
	if err != nil {
		return g.failed(err, "ask whose token it is")
	}
	o := &gitlab.ListProjectIssuesOptions{State: gitlab.Ptr("opened"), AuthorID: &me.ID, ListOptions: gitlab.ListOptions{PerPage: pageSize, Page: 1}}
	for range maxPages {
		list, resp, err := g.client.Issues.ListProjectIssues(g.project, o, in)
		if err != nil {
			return g.failed(err, "list the issues")
		}
		for _, i := range list {
			if i.Author == nil || i.Author.ID != me.ID {
				continue
			}
			if !fn(issue{i.IID, i.Title, i.Description, i.WebURL}) {
				return nil
			}
		}
		if o.ListOptions.Page = resp.NextPage; resp.NextPage == 0 {
			break
		}
	}
	return nil
}

// create implements issues. Labels that do not exist yet are made; assignees are looked up by their names.
// https://docs.gitlab.com/api/issues/#new-issue (2026-11-22)
func (g *gitLab) create(ctx context.Context, i Issue) (issue, error) {
	in := gitlab.WithContext(ctx)
	o := &gitlab.CreateIssueOptions{Title: &i.Title, Description: &i.Body}
	if len(i.Labels) > 0 {
		labels := gitlab.LabelOptions(i.Labels)
		o.Labels = &labels
	}
	var ids []int64
	for _, name := range i.Assignees {
		users, _, err := g.client.Users.ListUsers(&gitlab.ListUsersOptions{Username: &name}, in)
		if err != nil {
			return issue{}, g.failed(err, "look for the user %q", name)
		}
		if len(users) == 0 {
			return issue{}, failed(fmt.Errorf("there is no such user"), http.StatusNotFound, "look for the user %q", name)
		}
		ids = append(ids, users[0].ID)
	}
	if len(ids) > 0 {
		o.AssigneeIDs = &ids
	}
	made, _, err := g.client.Issues.CreateIssue(g.project, o, in)
	if err != nil {
		return issue{}, g.failed(err, "create an issue")
	}
	return issue{number: made.IID, address: made.WebURL}, nil
}

// edit implements issues.
// https://docs.gitlab.com/api/issues/#edit-an-issue (2026-11-22)
func (g *gitLab) edit(ctx context.Context, number int64, i Issue) error {
	o := &gitlab.UpdateIssueOptions{Title: &i.Title, Description: &i.Body}
	if _, _, err := g.client.Issues.UpdateIssue(g.project, number, o, gitlab.WithContext(ctx)); err != nil {
		return g.failed(err, "edit issue #%d", number)
	}
	return nil
}

// end implements issues.
// https://docs.gitlab.com/api/notes/#create-new-issue-note (2026-11-22)
func (g *gitLab) end(ctx context.Context, number int64, comment string) error {
	in := gitlab.WithContext(ctx)
	if _, _, err := g.client.Notes.CreateIssueNote(g.project, number, &gitlab.CreateIssueNoteOptions{Body: &comment}, in); err != nil {
		return g.failed(err, "comment on issue #%d", number)
	}
	if _, _, err := g.client.Issues.UpdateIssue(g.project, number, &gitlab.UpdateIssueOptions{StateEvent: gitlab.Ptr("close")}, in); err != nil {
		return g.failed(err, "close issue #%d", number)
	}
	return nil
}

// mine implements issues.
// https://docs.gitea.com/api/ (issueListIssues), 2026-11-22
func (g *giteaHost) mine(ctx context.Context, fn func(issue) bool) error {
	c, err := g.client(ctx)
	if err != nil {
		return err
	}
	me, resp, err := c.GetMyUserInfo()
	if err != nil {
		return answered(err, resp, "ask whose token it is")
	}
	for page := 1; page <= maxPages; page++ {
		list, resp, err := c.ListRepoIssues(g.owner, g.name, gitea.ListIssueOption{
			ListOptions: gitea.ListOptions{Page: page, PageSize: pageSize}, State: gitea.StateOpen, Type: gitea.IssueTypeIssue, CreatedBy: me.UserName,
		})
		if err != nil {
			return answered(err, resp, "list the issues")
		}
		for _, i := range list {
			if i.Poster == nil || i.Poster.ID != me.ID || i.PullRequest != nil {
				continue
			}
			if !fn(issue{i.Index, i.Title, i.Body, i.HTMLURL}) {
				return nil
			}
		}
		if len(list) == 0 { // a server may give less than a page at a time
			break
		}
	}
	return nil
}

// labelColour is that of labels which are made.
const labelColour = "#d73a4a"

// create implements issues. Gitea knows labels by their numbers; those that do not exist yet are made.
// https://docs.gitea.com/api/ (issueCreateIssue, issueListLabels, issueCreateLabel), 2026-11-22
func (g *giteaHost) create(ctx context.Context, i Issue) (issue, error) {
	c, err := g.client(ctx)
	if err != nil {
		return issue{}, err
	}
	known := map[string]int64{}
	for page := 1; len(i.Labels) > 0 && page <= maxPages; page++ {
		list, resp, err := c.ListRepoLabels(g.owner, g.name, gitea.ListLabelsOptions{ListOptions: gitea.ListOptions{Page: page, PageSize: pageSize}})
		if err != nil {
			return issue{}, answered(err, resp, "list the labels")
		}
		for _, l := range list {
			known[l.Name] = l.ID
		}
		if len(list) == 0 {
			break
		}
	}
	o := gitea.CreateIssueOption{Title: i.Title, Body: i.Body, Assignees: i.Assignees}
	for _, name := range i.Labels {
		id, ok := known[name]
		if !ok {
			made, resp, err := c.CreateLabel(g.owner, g.name, gitea.CreateLabelOption{Name: name, Color: labelColour})
			if err != nil {
				return issue{}, answered(err, resp, "create the label %q", name)
			}
			id = made.ID
		}
		o.Labels = append(o.Labels, id)
	}
	made, resp, err := c.CreateIssue(g.owner, g.name, o)
	if err != nil {
		return issue{}, answered(err, resp, "create an issue")
	}
	return issue{number: made.Index, address: made.HTMLURL}, nil
}

// edit implements issues.
// https://docs.gitea.com/api/ (issueEditIssue), 2026-11-22
func (g *giteaHost) edit(ctx context.Context, number int64, i Issue) error {
	c, err := g.client(ctx)
	if err != nil {
		return err
	}
	if _, resp, err := c.EditIssue(g.owner, g.name, number, gitea.EditIssueOption{Title: i.Title, Body: &i.Body}); err != nil {
		return answered(err, resp, "edit issue #%d", number)
	}
	return nil
}

// end implements issues.
func (g *giteaHost) end(ctx context.Context, number int64, comment string) error {
	c, err := g.client(ctx)
	if err != nil {
		return err
	}
	if _, resp, err := c.CreateIssueComment(g.owner, g.name, number, gitea.CreateIssueCommentOption{Body: comment}); err != nil {
		return answered(err, resp, "comment on issue #%d", number)
	}
	closed := gitea.StateClosed
	if _, resp, err := c.EditIssue(g.owner, g.name, number, gitea.EditIssueOption{State: &closed}); err != nil {
		return answered(err, resp, "close issue #%d", number)
	}
	return nil
}
