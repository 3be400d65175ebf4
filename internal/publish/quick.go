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
	Waiting []quickWaiting `json:"waiting"`
}

// quickWaiting adds what the JSON of a time loses: the name of its zone.
type quickWaiting struct {
	plan.Waiting
	Zone string `json:"zone,omitempty"`
}

// inZone returns t in the zone called name, unless that would show another clock time.
func inZone(t time.Time, name string) time.Time {
	if t.IsZero() || name == "" {
		return t
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return t
	}
	_, was := t.Zone()
	if _, is := t.In(zone).Zone(); is != was {
		return t
	}
	return t.In(zone)
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
	p := &plan.Plan{At: at, Settled: q.Settled, Next: q.Next}
	for _, w := range q.Waiting {
		w.Due, w.Until, w.ExpiresAt = inZone(w.Due, w.Zone), inZone(w.Until, w.Zone), inZone(w.ExpiresAt, w.Zone)
		p.Waiting = append(p.Waiting, w.Waiting)
	}
	return p, true
}

// saveQuick keeps a plan without actions. A plan that waits for another run is not kept: that run's death
// may be proved at any moment. Links that posts wait for are looked at by each
// run, see [Desk.planned].
func saveQuick(dir, key string, p *plan.Plan, log *slog.Logger) {
	if dir == "" || len(p.Actions) > 0 {
		return
	}
	q := quickPlan{Key: key, At: p.At, Next: p.Next, Settled: p.Settled}
	for _, w := range p.Waiting {
		if w.State == plan.WaitSending || w.State == plan.WaitLimit {
			return
		}
		zone := ""
		if !w.Due.IsZero() {
			zone = w.Due.Location().String()
		}
		q.Waiting = append(q.Waiting, quickWaiting{w, zone})
	}
	b, err := json.Marshal(q)
	if err == nil {
		err = agenda.WriteFile(filepath.Join(dir, quickFile), b)
	}
	if err != nil {
		log.Debug("the plan could not be kept for the next run", "err", err)
	}
}
