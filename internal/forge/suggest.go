package forge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-github/v84/github"
	gitlab "gitlab.com/gitlab-org/api/client-go"
)

// Suggestion is what is to stand in a file instead of whole lines of it.
type Suggestion struct {
	Path        string // from the top of the repository
	First, Last int    // the lines, from 1
	Old, New    string // what stands there now and what is to, without the last line break; New may be no line at all
	Why         string // Markdown
}

// key tells a suggestion from others: the same mistake stays the same, wherever its line goes.
func (s *Suggestion) key() string {
	sum := sha256.Sum256([]byte(s.Path + "\x00" + s.Old + "\x00" + s.New))
	return hex.EncodeToString(sum[:8])
}

// body writes a suggestion as a comment: mark makes it ours, and language is what opens the block that the code host can apply.
func (s *Suggestion) body(mark, language string) string {
	fence := "```"
	for strings.Contains(s.New, fence) {
		fence += "`"
	}
	text := s.New
	if text != "" {
		text += "\n"
	}
	return fmt.Sprintf("%s%s -->\n%s\n\n%s%s\n%s%s\n", opening(mark), s.key(), s.Why, fence, language, text, fence)
}

// opening is how every suggestion of ours begins.
func opening(mark string) string { return "<!-- " + mark + " " }

// keyIn returns the key of a suggestion of ours, "" for other comments.
func keyIn(body, mark string) string {
	rest, ours := strings.CutPrefix(body, opening(mark))
	key, _, closed := strings.Cut(rest, " -->")
	if !ours || !closed {
		return ""
	}
	return key
}

// suggested is a suggestion of ours that is there.
type suggested struct {
	key      string
	stale    bool // the code host no longer shows it at a line
	answered bool // somebody has answered, or settled it: it is theirs now
	remove   func() error
}

// settle says which suggestions are missing, and which of those that are there are of no use any more.
func settle(list []Suggestion, there []suggested) (missing []Suggestion, useless []suggested) {
	have := map[string]bool{}
	wanted := map[string]bool{}
	for i := range list {
		wanted[list[i].key()] = true
	}
	for _, t := range there {
		switch {
		case wanted[t.key] && !have[t.key] && (t.answered || !t.stale):
			have[t.key] = true
		case !t.answered:
			useless = append(useless, t)
		}
	}
	for i := range list {
		if key := list[i].key(); !have[key] {
			have[key] = true // lines that are alike are mended one after the other
			missing = append(missing, list[i])
		}
	}
	return missing, useless
}

// diff is what a unified diff shows of the new version of a file, by line.
type diff map[int]diffLine

type diffLine struct {
	text string
	old  int // its number in the old version, 0 for one that is new
}

// shown reads a unified diff.
func shown(patch string) diff {
	lines := diff{}
	old, now := 0, 0
	for line := range strings.Lines(patch) {
		switch {
		case strings.HasPrefix(line, "@@"):
			old, now = 0, 0
			if m := hunk().FindStringSubmatch(line); m != nil {
				old, _ = strconv.Atoi(m[1])
				now, _ = strconv.Atoi(m[2])
			}
		case now == 0: // before the first hunk
		case line[0] == '+':
			lines[now] = diffLine{text: strings.TrimSuffix(line[1:], "\n")}
			now++
		case line[0] == '-':
			old++
		case line[0] == ' ', line == "\n":
			lines[now] = diffLine{strings.TrimSuffix(strings.TrimPrefix(line, " "), "\n"), old}
			old, now = old+1, now+1
		}
	}
	return lines
}

var hunk = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@`) })

// within reports whether a diff shows all lines of a suggestion as they are thought to be. Code hosts take none elsewhere; and what was reviewed may be
// the merge of a pull request, in which lines stand at other places than at its end.
func (s *Suggestion) within(d diff) bool {
	lines := strings.Split(s.Old, "\n")
	for i, text := range lines {
		if line, ok := d[s.First+i]; !ok || line.text != text {
			return false
		}
	}
	return s.First > 0 && len(lines) == s.Last-s.First+1
}

// divide parts suggestions into those that diffs show and those that they do not.
func divide(list []Suggestion, diffs map[string]diff) (in, left []Suggestion) {
	for _, s := range list {
		if s.within(diffs[s.Path]) {
			in = append(in, s)
		} else {
			left = append(left, s)
		}
	}
	return in, left
}

// sweep removes suggestions that are of no use any more.
func sweep(useless []suggested) error {
	for _, t := range useless {
		if err := t.remove(); err != nil {
			return err
		}
	}
	return nil
}

// Suggest implements [Forge]: as one review with a comment for each.
// https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request (2026-11-22)
func (g *gitHub) Suggest(ctx context.Context, pull int, commit, mark string, list []Suggestion) (left []Suggestion, err error) {
	there, err := g.suggested(ctx, pull, mark)
	if err != nil {
		return list, err
	}
	missing, useless := settle(list, there)
	if len(missing) > 0 {
		diffs, err := g.diffs(ctx, pull)
		if err != nil {
			return missing, err
		}
		if missing, left = divide(missing, diffs); len(missing) > 0 {
			if err := g.review(ctx, pull, commit, mark, missing); err != nil {
				return append(left, missing...), err
			}
		}
	}
	return left, sweep(useless)
}

// review writes suggestions. It neither approves nor asks for changes.
func (g *gitHub) review(ctx context.Context, pull int, commit, mark string, list []Suggestion) error {
	r := &github.PullRequestReviewRequest{CommitID: &commit, Event: github.Ptr("COMMENT"), Body: github.Ptr("What can be mended in one way only.")}
	for i := range list {
		s := &list[i]
		c := &github.DraftReviewComment{Path: &s.Path, Side: github.Ptr("RIGHT"), Line: &s.Last, Body: github.Ptr(s.body(mark, "suggestion"))}
		if s.First < s.Last {
			c.StartLine, c.StartSide = &s.First, github.Ptr("RIGHT")
		}
		r.Comments = append(r.Comments, c)
	}
	if _, _, err := g.client.PullRequests.CreateReview(ctx, g.owner, g.name, pull, r); err != nil {
		return g.failed(err, "suggest changes on #%d", pull)
	}
	return nil
}

// suggested returns the suggestions of ours on a pull request.
func (g *gitHub) suggested(ctx context.Context, pull int, mark string) ([]suggested, error) {
	me, err := g.me(ctx)
	if err != nil {
		return nil, err
	}
	var list []suggested
	var ids []int64
	answered := map[int64]bool{}
	o := &github.PullRequestListCommentsOptions{ListOptions: github.ListOptions{PerPage: pageSize}}
	for range maxPages {
		comments, resp, err := g.client.PullRequests.ListComments(ctx, g.owner, g.name, pull, o)
		if err != nil {
			return nil, g.failed(err, "list the suggestions on #%d", pull)
		}
		for _, c := range comments {
			answered[c.GetInReplyTo()] = true
			key := keyIn(c.GetBody(), mark)
			if key == "" || c.GetUser().GetLogin() != me {
				continue
			}
			ids = append(ids, c.GetID())
			list = append(list, suggested{key: key, stale: c.Line == nil, remove: func() error {
				if _, err := g.client.PullRequests.DeleteComment(ctx, g.owner, g.name, c.GetID()); err != nil {
					return g.failed(err, "remove a suggestion on #%d", pull)
				}
				return nil
			}})
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	for i := range list {
		list[i].answered = answered[ids[i]]
	}
	return list, nil
}

// diffs returns what a pull request shows of each file.
func (g *gitHub) diffs(ctx context.Context, pull int) (map[string]diff, error) {
	diffs := map[string]diff{}
	o := &github.ListOptions{PerPage: pageSize}
	for range maxPages {
		files, resp, err := g.client.PullRequests.ListFiles(ctx, g.owner, g.name, pull, o)
		if err != nil {
			return nil, g.failed(err, "list the files of #%d", pull)
		}
		for _, f := range files {
			diffs[f.GetFilename()] = shown(f.GetPatch())
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	return diffs, nil
}

// Suggest implements [Forge]: as a discussion for each.
// https://docs.gitlab.com/api/suggestions/ and https://docs.gitlab.com/api/discussions/#create-a-thread-in-the-merge-request-diff (2026-11-22)
func (g *gitLab) Suggest(ctx context.Context, pull int, commit, mark string, list []Suggestion) (left []Suggestion, err error) {
	there, err := g.suggested(ctx, pull, mark)
	if err != nil {
		return list, err
	}
	missing, useless := settle(list, there)
	if len(missing) > 0 {
		if left, err = g.discuss(ctx, pull, commit, mark, missing); err != nil {
			return left, err
		}
	}
	return left, sweep(useless)
}

// discuss writes suggestions, and returns those that the merge request has no place for.
func (g *gitLab) discuss(ctx context.Context, pull int, commit, mark string, list []Suggestion) (left []Suggestion, err error) {
	in := gitlab.WithContext(ctx)
	merge, _, err := g.client.MergeRequests.GetMergeRequest(g.project, int64(pull), nil, in)
	if err != nil {
		return list, g.failed(err, "look at !%d", pull)
	}
	refs := merge.DiffRefs
	if refs.HeadSha != commit { // somebody has pushed since, and the lines may be others
		return list, nil
	}
	diffs, old, err := g.diffs(ctx, pull)
	if err != nil {
		return list, err
	}
	list, left = divide(list, diffs)
	for i := range list {
		s := &list[i]
		position := &gitlab.PositionOptions{
			BaseSHA: &refs.BaseSha, StartSHA: &refs.StartSha, HeadSHA: &refs.HeadSha, PositionType: gitlab.Ptr("text"),
			NewPath: &s.Path, OldPath: gitlab.Ptr(old[s.Path]), NewLine: gitlab.Ptr(int64(s.First)),
		}
		if before := diffs[s.Path][s.First].old; before > 0 { // a line that is as it was
			position.OldLine = gitlab.Ptr(int64(before))
		}
		o := &gitlab.CreateMergeRequestDiscussionOptions{Position: position, Body: gitlab.Ptr(s.body(mark, fmt.Sprintf("suggestion:-0+%d", s.Last-s.First)))}
		_, resp, err := g.client.Discussions.CreateMergeRequestDiscussion(g.project, int64(pull), o, in)
		switch {
		case err == nil:
		case resp != nil && resp.StatusCode == http.StatusBadRequest: // not at that line
			left = append(left, *s)
		default:
			return append(left, list[i:]...), g.failed(err, "suggest changes on !%d", pull)
		}
	}
	return left, nil
}

// suggested returns the suggestions of ours on a merge request. A line that has gone does not make them stale: GitLab folds those by itself.
func (g *gitLab) suggested(ctx context.Context, pull int, mark string) ([]suggested, error) {
	in := gitlab.WithContext(ctx)
	me, _, err := g.client.Users.CurrentUser(in)
	if err != nil {
		return nil, g.failed(err, "ask whose token it is")
	}
	var list []suggested
	o := &gitlab.ListMergeRequestDiscussionsOptions{ListOptions: gitlab.ListOptions{PerPage: pageSize, Page: 1}}
	for range maxPages {
		discussions, resp, err := g.client.Discussions.ListMergeRequestDiscussions(g.project, int64(pull), o, in)
		if err != nil {
			return nil, g.failed(err, "list the suggestions on !%d", pull)
		}
		for _, d := range discussions {
			if len(d.Notes) == 0 || d.Notes[0].Author.ID != me.ID {
				continue
			}
			first := d.Notes[0]
			key := keyIn(first.Body, mark)
			if key == "" {
				continue
			}
			list = append(list, suggested{key: key, answered: first.Resolved || len(d.Notes) > 1, remove: func() error {
				if _, err := g.client.Discussions.DeleteMergeRequestDiscussionNote(g.project, int64(pull), d.ID, first.ID, in); err != nil {
					return g.failed(err, "remove a suggestion on !%d", pull)
				}
				return nil
			}})
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	return list, nil
}

// diffs returns what a merge request shows of each file, and the files' paths before.
func (g *gitLab) diffs(ctx context.Context, pull int) (diffs map[string]diff, old map[string]string, err error) {
	diffs, old = map[string]diff{}, map[string]string{}
	o := &gitlab.ListMergeRequestDiffsOptions{ListOptions: gitlab.ListOptions{PerPage: pageSize, Page: 1}}
	for range maxPages {
		files, resp, err := g.client.MergeRequests.ListMergeRequestDiffs(g.project, int64(pull), o, gitlab.WithContext(ctx))
		if err != nil {
			return nil, nil, g.failed(err, "list the files of !%d", pull)
		}
		for _, f := range files {
			diffs[f.NewPath], old[f.NewPath] = shown(f.Diff), f.OldPath
		}
		if o.Page = resp.NextPage; o.Page == 0 {
			break
		}
	}
	return diffs, old, nil
}

// Suggest implements [Forge]. Neither Gitea nor Forgejo can apply a suggestion: https://github.com/go-gitea/gitea/issues/14765 (2026-11-22).
func (g *giteaHost) Suggest(_ context.Context, _ int, _, _ string, list []Suggestion) ([]Suggestion, error) {
	return list, nil
}
