package cli

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/review"
)

// suggestionMark begins every suggestion of ours, so that the next run finds it. Each site of a repository has one of its own, and none begins
// another: they would remove each other's.
func suggestionMark(folder string) string {
	if folder == "" {
		return "postrider fix"
	}
	return "postrider fix@" + strings.ReplaceAll(url.PathEscape(folder), "--", "-%2D")
}

// maxSuggestions is how many changes are suggested at their lines; the comment counts the rest.
const maxSuggestions = 20

// suggest shows at the lines of the pull request what can be mended in one way only, and returns what could not be shown there, for the comment.
// That suggestions cannot be made, as with a token that may not, is a note: the review stands without them.
func (a *app) suggest(ctx context.Context, p *pullRequest, prefix string, repairs []review.Repair) []review.Repair {
	var left []review.Repair
	var list []forge.Suggestion
	of := map[forge.Suggestion]review.Repair{}
	for i := range repairs {
		r := &repairs[i]
		s := forge.Suggestion{Path: path.Join(prefix, r.Path), First: r.First, Last: r.Last, Old: r.Old, New: r.New, Why: r.Why()}
		if len(list) == maxSuggestions || strings.Contains(r.Old, "\r") || p.Head == "" { // which line ending would be written is the code host's choice
			left = append(left, *r)
			continue
		}
		list, of[s] = append(list, s), *r
	}
	missing, err := p.host.Suggest(ctx, p.Pull, p.Head, suggestionMark(prefix), list)
	if err != nil && len(list) > 0 {
		a.notef("%s what can be mended is listed in the comment instead of suggested at its lines: %s", a.stderrStyle().yellow("note:"), printable(a.scrub(err.Error())))
	}
	var rest []review.Repair
	for _, s := range missing {
		rest = append(rest, of[s])
	}
	return append(rest, left...)
}
