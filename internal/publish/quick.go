package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/plan"
)

// A site is asked every few minutes whether something is due, and the answer is nearly always no. As long
// as neither the commit nor the ledger has changed, the plan of the last run says until when that stays so:
// it is kept in a file beside the repository, and read instead of ten thousand posts.

// quickPlan is what is kept of a plan without actions.
type quickPlan struct {
	Key     string         `json:"key"`
	At      time.Time      `json:"at"`
	Next    time.Time      `json:"next"`
	Settled int            `json:"settled"`
	Waiting []plan.Waiting `json:"waiting"`
}

const quickFile = "plan.json"

// quickKey identifies everything that a plan depends on besides the time: the site's files, the ledger, the
// program and what it was asked.
func quickKey(o OpenOptions, commit, ledger gitrepo.Hash) (string, error) {
	tree, err := o.Repo.Tree(commit)
	if err != nil {
		return "", err
	}
	root := tree.Root()
	if o.Prefix != "" {
		if root, err = tree.ID(o.Prefix); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n", o.Version, root, ledger, o.Backlog))
	return hex.EncodeToString(sum[:]), nil
}

// loadQuick returns the plan that was kept under key if it still holds at a time.
func loadQuick(dir, key string, at time.Time) (*plan.Plan, bool) {
	if dir == "" {
		return nil, false
	}
	b, err := os.ReadFile(filepath.Join(dir, quickFile))
	if err != nil {
		return nil, false
	}
	var q quickPlan
	if json.Unmarshal(b, &q) != nil || q.Key != key || at.Before(q.At) || !q.Next.IsZero() && !at.Before(q.Next) {
		return nil, false
	}
	return &plan.Plan{At: at, Waiting: q.Waiting, Settled: q.Settled, Next: q.Next}, true
}

// saveQuick keeps a plan without actions. A plan that waits for another run is not kept: that run's death
// may be proved at any moment.
func saveQuick(dir, key string, p *plan.Plan, log *slog.Logger) {
	if dir == "" || len(p.Actions) > 0 {
		return
	}
	for _, w := range p.Waiting {
		if w.State == plan.WaitSending || w.State == plan.WaitLimit {
			return
		}
	}
	b, err := json.Marshal(quickPlan{Key: key, At: p.At, Next: p.Next, Settled: p.Settled, Waiting: p.Waiting})
	if err == nil {
		err = agenda.WriteFile(filepath.Join(dir, quickFile), b)
	}
	if err != nil {
		log.Debug("the plan could not be kept for the next run", "err", err)
	}
}
