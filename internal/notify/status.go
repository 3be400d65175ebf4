package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

// Statuses sets what is shown at a commit. Code hosts do.
type Statuses interface {
	// Status tells of a commit how a check of it went.
	Status(ctx context.Context, commit string, s forge.Status) error
}

// statusName stands for the status where the names of channels stand. No channel can have it.
const statusName = "@status"

// StatusContext names the publishing of a site among the checks of a commit: "postrider/publish", for a site in a folder of its repository
// with the folder behind it.
func StatusContext(folder string) string { return path.Join("postrider/publish", folder) }

// commitStatus is what the published commit is to show.
type commitStatus struct {
	forge.Status
	commit string
	digest string // of the commit and of what is open there
	news   bool   // something happened in this run: it is shown even though the same is open as before
}

// statusOf returns what the commit of a run shows: red when anything is open of the kinds that the site wants people to be told of, and
// otherwise what went out and what comes next.
func statusOf(o *Options, r *publish.Report, items []Item, failed error) commitStatus {
	var open, out []Item
	for _, i := range items {
		switch {
		case !lasting(&i):
			out = append(out, i)
		case wants(o.Site.Notify.What, &i):
			open = append(open, i)
		}
	}
	s := commitStatus{commit: r.Commit, news: len(out) > 0}
	s.Status = forge.Status{Context: StatusContext(o.Folder), State: forge.Success, URL: o.Links.Run}
	var parts []string
	switch {
	case failed != nil && len(open) > 0: // the reason stands first, and nothing else is known of this commit
		s.State, parts = forge.Failure, []string{stateWords(open[0].State) + ": " + open[0].Reason}
	case failed != nil:
		s.State, parts = forge.Failure, []string{stateWords("failed")}
	default:
		if len(open) > 0 {
			s.State = forge.Failure
		}
		if words := headline(slices.Concat(open, out)); words != "" {
			parts = append(parts, words)
		}
		parts = append(parts, ahead(r, o.Site)...)
	}
	if len(parts) == 0 {
		parts = []string{"nothing is due"}
	}
	s.Description = strings.Join(parts, "; ")
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", s.commit, s.State)
	for i := range open {
		fmt.Fprintf(h, "%s %s %s\n", open[i].What, open[i].ID(), open[i].State)
	}
	s.digest = hex.EncodeToString(h.Sum(nil)[:16])
	return s
}

// ahead says how many deliveries wait for their time, and when the next one's is; nothing when none does.
func ahead(r *publish.Report, site *config.Site) []string {
	n, next := 0, r.At
	for i := range r.Waiting {
		if w := &r.Waiting[i]; w.State == plan.WaitScheduled {
			if n++; n == 1 || w.Due.Before(next) {
				next = w.Due
			}
		}
	}
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d scheduled, the next for %s", n, next.In(site.Location).Format("Mon 2 Jan 2006 15:04 MST"))}
}
