package forge

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/google/go-github/v84/github"
)

// Attachments is a code host that knows what runs of workflows have attached. It is GitHub's way to hand on what a job without permissions has
// made; with the others, such a job has an address for it, or may push.
type Attachments interface {
	// Attached returns the address at which people get what a run has attached under a name, "" when there is nothing, or no more. web is what
	// [Web] returned. What is in there is the word of whoever the run ran for: it is for people to look at.
	Attached(ctx context.Context, web string, run int64, name string) (string, error)
}

// Attached implements [Attachments]. The address is the one that actions/upload-artifact names; those who are not logged in are asked to.
// https://docs.github.com/en/rest/actions/artifacts#list-workflow-run-artifacts (2026-11-22)
func (g *gitHub) Attached(ctx context.Context, web string, run int64, name string) (string, error) {
	op := fmt.Sprintf("ask what run %d has attached", run)
	// The library's own method cannot ask for a name, and a run may have attached hundreds of others.
	query := url.Values{"name": {name}, "per_page": {fmt.Sprint(pageSize)}}
	req, err := g.client.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/actions/runs/%d/artifacts?%s", g.owner, g.name, run, query.Encode()), nil)
	if err != nil {
		return "", g.failed(err, "%s", op)
	}
	var list github.ArtifactList
	if _, err := g.client.Do(ctx, req, &list); err != nil {
		return "", g.failed(err, "%s", op)
	}
	var newest int64 // a run that was started again has those of its attempts before, too
	for _, a := range list.Artifacts {
		if a.GetName() == name && !a.GetExpired() {
			newest = max(newest, a.GetID())
		}
	}
	if newest == 0 {
		return "", nil
	}
	return fmt.Sprintf("%s/actions/runs/%d/artifacts/%d", web, run, newest), nil
}
