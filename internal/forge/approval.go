package forge

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"code.gitea.io/sdk/gitea"
	"github.com/google/go-github/v84/github"
	gitlab "gitlab.com/gitlab-org/api/client-go"
)

// Pull is a pull request that was merged, as far as it matters who has approved it.
type Pull struct {
	Name    string // as people call it: "#12", in GitLab "!12"
	Ref     string // the reference that has its commits, see [Place.HeadRef]
	Merge   string // the commit that it became on the branch that it was merged into; the last one where it became several
	Commits []string
	// Uncertain says that there are more commits than were looked at: nobody can tell who wrote it.
	Uncertain bool
	Reviews   []Review // the approvals that stand, the first come first
}

// Review is an approval of a pull request. One that was dismissed or withdrawn, or that the same person has followed by a request for
// changes, is none.
type Review struct {
	By, Name string // who, for programs and for people
	Commit   string // the last commit that it was of; "" when the code host does not tell
	Own      bool   // by somebody who opened the pull request, or wrote or made one of its commits
	Bot      bool   // by a program
	Stranger bool   // by somebody who may not write to the repository
}

// Question is what a code host is asked about a commit of the branch that is published.
type Question struct {
	Commit string
	// Later are the commits that follow it there, the nearest first, as long as they may have come with it. A code host that knows a pull
	// request by the last of its commits alone looks for it there.
	Later []string
	// Trusted reports whether somebody's word counts whatever the code host thinks of him; nil: nobody's does.
	Trusted func(name string) bool
}

// Passing reports whether a request that failed may go well when it is made again.
func Passing(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return !ok || !e.Refused
}

// mostCommits is how many commits of a pull request are looked at; GitHub tells of no more than 250.
// https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request (2026-11-22)
const mostCommits = 250

// vote is something that somebody said of a pull request, in the order in which things were said.
type vote struct {
	Review
	approves bool // else it takes back what the same person said before
}

// standing returns the approvals that have not been taken back.
func standing(votes []vote) (list []Review) {
	for _, v := range votes {
		if !v.approves {
			list = slices.DeleteFunc(list, func(r Review) bool { return strings.EqualFold(r.By, v.By) })
			continue
		}
		list = append(list, v.Review)
	}
	return list
}

// authors are the names of those who have a part in a pull request, as far as they can be told.
type authors map[string]bool

func (a authors) add(names ...string) {
	for _, name := range names {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			a[name] = true
		}
	}
}

// commit adds who wrote or made a commit. What its mail address is, it may say itself: the one that a code host gives to those who keep
// theirs to themselves has the name in it.
func (a authors) commit(name, mail string) {
	a.add(name)
	user, host, _ := strings.Cut(mail, "@")
	if !strings.Contains("."+host, ".noreply.") && !strings.HasPrefix(host, "noreply.") {
		return
	}
	a.add(user)
	if digits := len(user) - len(strings.TrimLeft(user, "0123456789")); digits > 0 && digits < len(user) && strings.IndexByte("+-", user[digits]) >= 0 {
		a.add(user[digits+1:])
	}
}

// has reports whether one of somebody's names is among them.
func (a authors) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return a[strings.ToLower(strings.TrimSpace(name))] })
}

// Merged implements [Forge].
// https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit,
// https://docs.github.com/en/rest/pulls/reviews#list-reviews-for-a-pull-request (2026-11-22)
func (g *gitHub) Merged(ctx context.Context, q Question) ([]Pull, error) {
	found, _, err := g.client.PullRequests.ListPullRequestsWithCommit(ctx, g.owner, g.name, q.Commit, &github.ListOptions{PerPage: pageSize})
	if err != nil {
		err = g.failed(err, "look for the pull request of commit %.10s", q.Commit)
		if e, ok := errors.AsType[*Error](err); ok && e.status == http.StatusUnprocessableEntity { // it has not been pushed there
			return nil, nil
		}
		return nil, err
	}
	var pulls []Pull
	for _, p := range found {
		if p.MergedAt == nil || p.GetMergeCommitSHA() == "" {
			continue
		}
		pull, err := g.approved(ctx, p, q.Trusted)
		if err != nil {
			return nil, err
		}
		pulls = append(pulls, pull)
	}
	return pulls, nil
}

func (g *gitHub) approved(ctx context.Context, p *github.PullRequest, trusted func(string) bool) (Pull, error) {
	place := Place{Kind: GitHub, Pull: p.GetNumber()}
	pull := Pull{Name: place.name(), Ref: place.HeadRef(), Merge: p.GetMergeCommitSHA()}
	wrote := authors{}
	wrote.add(p.GetUser().GetLogin())
	o := github.ListOptions{PerPage: pageSize}
	for range (mostCommits + pageSize - 1) / pageSize {
		commits, resp, err := g.client.PullRequests.ListCommits(ctx, g.owner, g.name, p.GetNumber(), &o)
		if err != nil {
			return pull, g.failed(err, "list the commits of %s", pull.Name)
		}
		for _, c := range commits {
			pull.Commits = append(pull.Commits, c.GetSHA())
			wrote.add(c.GetAuthor().GetLogin(), c.GetCommitter().GetLogin())
			for _, who := range []*github.CommitAuthor{c.GetCommit().GetAuthor(), c.GetCommit().GetCommitter()} {
				wrote.commit(who.GetName(), who.GetEmail())
			}
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	pull.Uncertain = len(pull.Commits) >= mostCommits
	var votes []vote
	o = github.ListOptions{PerPage: pageSize}
	for range maxPages {
		reviews, resp, err := g.client.PullRequests.ListReviews(ctx, g.owner, g.name, p.GetNumber(), &o)
		if err != nil {
			return pull, g.failed(err, "list the reviews of %s", pull.Name)
		}
		for _, r := range reviews {
			login := r.GetUser().GetLogin()
			v := vote{approves: r.GetState() == "APPROVED", Review: Review{By: login, Name: login, Commit: r.GetCommitID(), Own: wrote.has(login)}}
			v.Bot = r.GetUser().GetType() == "Bot" || strings.HasSuffix(login, "[bot]")
			if s := r.GetState(); login != "" && (v.approves || s == "CHANGES_REQUESTED" || s == "DISMISSED") {
				votes = append(votes, v)
			}
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	pull.Reviews = standing(votes)
	return pull, g.strangers(ctx, pull.Reviews, trusted)
}

// strangers finds out whose approval is nobody's whom the repository knows: on a public one, everybody may approve.
// https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user (2026-11-22)
func (g *gitHub) strangers(ctx context.Context, reviews []Review, trusted func(string) bool) error {
	known := map[string]bool{}
	for i := range reviews {
		r := &reviews[i]
		if r.Own || r.Bot || trusted != nil && trusted(r.By) {
			continue
		}
		writes, asked := known[r.By]
		if !asked {
			level, _, err := g.client.Repositories.GetPermissionLevel(ctx, g.owner, g.name, r.By)
			if err != nil {
				err = g.failed(err, "ask what %s may do", r.By)
				if e, ok := errors.AsType[*Error](err); !ok || e.status != http.StatusNotFound { // an account that is gone
					return err
				}
			}
			writes = level.GetPermission() == "admin" || level.GetPermission() == "write"
			known[r.By] = writes
		}
		r.Stranger = !writes
	}
	return nil
}

// Merged implements [Forge].
// https://docs.gitea.com/api/ (repoGetCommitPullRequest, repoListPullReviews), 2026-11-22: it knows a pull request by the last commit that it
// became, and whether a review counts that somebody wrote who may write.
func (g *giteaHost) Merged(ctx context.Context, q Question) ([]Pull, error) {
	c, err := g.client(ctx)
	if err != nil {
		return nil, err
	}
	for _, commit := range append([]string{q.Commit}, q.Later...) {
		p, resp, err := c.GetCommitPullRequest(g.owner, g.name, commit)
		if err != nil && resp != nil && resp.Response != nil && resp.StatusCode == http.StatusNotFound {
			continue
		}
		if err != nil {
			return nil, answered(err, resp, "look for the pull request of commit %.10s", commit)
		}
		if p == nil || !p.HasMerged || p.MergedCommitID == nil {
			continue
		}
		pull, err := g.approved(c, p, q.Trusted)
		return []Pull{pull}, err
	}
	return nil, nil
}

func (g *giteaHost) approved(c *gitea.Client, p *gitea.PullRequest, trusted func(string) bool) (Pull, error) {
	place := Place{Kind: Gitea, Pull: int(p.Index)}
	pull := Pull{Name: place.name(), Ref: place.HeadRef(), Merge: *p.MergedCommitID}
	wrote := authors{}
	user := func(u *gitea.User) {
		if u != nil {
			wrote.add(u.UserName)
		}
	}
	user(p.Poster)
	for page := 1; len(pull.Commits) < mostCommits; page++ {
		commits, resp, err := c.ListPullRequestCommits(g.owner, g.name, p.Index, gitea.ListPullRequestCommitsOptions{ListOptions: gitea.ListOptions{Page: page, PageSize: pageSize}})
		if err != nil {
			return pull, answered(err, resp, "list the commits of %s", pull.Name)
		}
		for _, x := range commits {
			if x.CommitMeta != nil {
				pull.Commits = append(pull.Commits, x.SHA)
			}
			user(x.Author)
			user(x.Committer)
			if r := x.RepoCommit; r != nil {
				for _, who := range []*gitea.CommitUser{r.Author, r.Committer} {
					if who != nil {
						wrote.commit(who.Name, who.Email)
					}
				}
			}
		}
		if len(commits) == 0 { // a server may give less than a page at a time
			break
		}
	}
	pull.Uncertain = len(pull.Commits) >= mostCommits
	var reviews []*gitea.PullReview
	for page := 1; page <= maxPages; page++ {
		some, resp, err := c.ListPullReviews(g.owner, g.name, p.Index, gitea.ListPullReviewsOptions{ListOptions: gitea.ListOptions{Page: page, PageSize: pageSize}})
		if err != nil {
			return pull, answered(err, resp, "list the reviews of %s", pull.Name)
		}
		if reviews = append(reviews, some...); len(some) == 0 {
			break
		}
	}
	slices.SortStableFunc(reviews, func(a, b *gitea.PullReview) int { return cmp.Compare(a.ID, b.ID) })
	var votes []vote
	for _, r := range reviews {
		if r.Reviewer == nil || r.State != gitea.ReviewStateApproved && r.State != gitea.ReviewStateRequestChanges {
			continue
		}
		name := r.Reviewer.UserName
		votes = append(votes, vote{approves: r.State == gitea.ReviewStateApproved && !r.Dismissed, Review: Review{
			By: name, Name: name, Commit: r.CommitID, Own: wrote.has(name, r.Reviewer.FullName), Stranger: !r.Official && (trusted == nil || !trusted(name)),
		}})
	}
	pull.Reviews = standing(votes)
	return pull, nil
}

// Merged implements [Forge].
// https://docs.gitlab.com/api/commits/#list-merge-requests-associated-with-a-commit,
// https://docs.gitlab.com/api/merge_request_approvals/ (2026-11-22). Who may not write to a project cannot approve there. An approval is of a
// merge request, and not of a commit: it is of the version that was the last one when it was given.
func (g *gitLab) Merged(ctx context.Context, q Question) ([]Pull, error) {
	found, _, err := g.client.Commits.ListMergeRequestsByCommit(g.project, q.Commit, gitlab.WithContext(ctx))
	if err != nil {
		err = g.failed(err, "look for the merge request of commit %.10s", q.Commit)
		if e, ok := errors.AsType[*Error](err); ok && e.status == http.StatusNotFound { // it has not been pushed there
			return nil, nil
		}
		return nil, err
	}
	var pulls []Pull
	for _, m := range found {
		if m.State != "merged" {
			continue
		}
		pull, err := g.approved(ctx, m)
		if err != nil {
			return nil, err
		}
		pulls = append(pulls, pull)
	}
	return pulls, nil
}

func (g *gitLab) approved(ctx context.Context, m *gitlab.BasicMergeRequest) (Pull, error) {
	in := gitlab.WithContext(ctx)
	place := Place{Kind: GitLab, Pull: int(m.IID)}
	pull := Pull{Name: place.name(), Ref: place.HeadRef(), Merge: cmp.Or(m.MergeCommitSHA, m.SquashCommitSHA, m.SHA)}
	wrote := authors{}
	if m.Author != nil {
		wrote.add(m.Author.Username, m.Author.Name)
	}
	o := gitlab.ListOptions{PerPage: pageSize, Page: 1}
	for len(pull.Commits) < mostCommits {
		commits, resp, err := g.client.MergeRequests.GetMergeRequestCommits(g.project, m.IID, &gitlab.GetMergeRequestCommitsOptions{ListOptions: o}, in)
		if err != nil {
			return pull, g.failed(err, "list the commits of %s", pull.Name)
		}
		for _, c := range commits {
			pull.Commits = append(pull.Commits, c.ID)
			wrote.commit(c.AuthorName, c.AuthorEmail)
			wrote.commit(c.CommitterName, c.CommitterEmail)
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	pull.Uncertain = len(pull.Commits) >= mostCommits
	approvals, _, err := g.client.MergeRequestApprovals.GetConfiguration(g.project, m.IID, in)
	if err != nil {
		return pull, g.failed(err, "ask who has approved %s", pull.Name)
	}
	if len(approvals.ApprovedBy) == 0 {
		return pull, nil
	}
	at, err := g.approvedAt(ctx, m.IID, pull.Name)
	if err != nil {
		return pull, err
	}
	versions, _, err := g.client.MergeRequests.GetMergeRequestDiffVersions(g.project, m.IID, &gitlab.GetMergeRequestDiffVersionsOptions{ListOptions: gitlab.ListOptions{PerPage: pageSize, Page: 1}}, in)
	if err != nil {
		return pull, g.failed(err, "list the versions of %s", pull.Name)
	}
	for _, a := range approvals.ApprovedBy {
		if a.User == nil {
			continue
		}
		r := Review{By: a.User.Username, Name: cmp.Or(a.User.Name, a.User.Username), Own: wrote.has(a.User.Username, a.User.Name), Bot: gitLabBot(a.User.Username)}
		var latest time.Time
		for _, v := range versions {
			if when, known := at[a.User.ID]; known && v.CreatedAt != nil && !v.CreatedAt.After(when) && !v.CreatedAt.Before(latest) {
				r.Commit, latest = v.HeadCommitSHA, *v.CreatedAt
			}
		}
		pull.Reviews = append(pull.Reviews, r)
	}
	return pull, nil
}

// approvedAt returns when people have approved a merge request last, by their ids. GitLab notes that itself, where nobody else can.
func (g *gitLab) approvedAt(ctx context.Context, iid int64, name string) (map[int64]time.Time, error) {
	at := map[int64]time.Time{}
	o := &gitlab.ListMergeRequestNotesOptions{ListOptions: gitlab.ListOptions{PerPage: pageSize, Page: 1}, Sort: gitlab.Ptr("asc"), OrderBy: gitlab.Ptr("created_at")}
	for range maxPages {
		notes, resp, err := g.client.Notes.ListMergeRequestNotes(g.project, iid, o, gitlab.WithContext(ctx))
		if err != nil {
			return nil, g.failed(err, "ask when %s was approved", name)
		}
		for _, n := range notes {
			if n.System && n.Body == "approved this merge request" && n.CreatedAt != nil {
				at[n.Author.ID] = *n.CreatedAt
			}
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	return at, nil
}

// gitLabBot reports whether a user is the one of a project's or group's access token.
// https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects (2026-11-22)
func gitLabBot(name string) bool {
	return (strings.HasPrefix(name, "project_") || strings.HasPrefix(name, "group_")) && strings.Contains(name, "_bot")
}
