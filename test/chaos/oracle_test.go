//go:build unix

package chaos_test

import (
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// tally is what became of a world.
type tally struct {
	duplicates, losses, unknown, recovered int
}

// between is how much time passes between two runs while things settle.
const between = 20 * time.Minute

// settle lifts every fault and publishes from a clone, "" for a new one, until nothing is left to do. Then it publishes
// once from every clone that there is, so that what only they know is told.
func (w *world) settle(dir string) {
	w.t.Helper()
	w.heal()
	for _, p := range w.publishers {
		p.gone()
	}
	if dir == "" {
		dir = w.clone()
	}
	w.note("faults are lifted")
	w.clock.advance(12 * time.Minute) // leases end
	w.untilQuiet(dir)
	quiet := true
	for _, other := range w.clones {
		if other != "" && other != dir {
			quiet = w.quiet(w.publishSettling(other)) && quiet
		}
	}
	if !quiet {
		w.untilQuiet(dir)
	}
}

// untilQuiet publishes from a clone until nothing is left to do.
func (w *world) untilQuiet(dir string) {
	w.t.Helper()
	for try := 1; ; try++ {
		r := w.publishSettling(dir)
		if w.quiet(r) {
			return
		}
		if try == 18 {
			w.t.Errorf("nothing settles; at last waits %s", show(r.report.Waiting))
			return
		}
		w.clock.advance(between)
	}
}

func (w *world) publishSettling(dir string) result {
	w.t.Helper()
	r := w.publish(dir, machine{})
	if r.code > 1 {
		w.t.Errorf("without any fault a run in %s ends with %d:\n%s", filepath.Base(dir), r.code, r.stderr)
	}
	return r
}

// quiet reports whether a run had nothing to do, and nothing remains but what only a person can do.
func (w *world) quiet(r result) bool {
	if r.code > 1 || len(r.report.Deliveries) > 0 {
		return false
	}
	for _, x := range r.report.Waiting {
		if !w.forPerson(x) {
			return false
		}
	}
	return true
}

// forPerson reports whether something rightly waits for a person: an unknown outcome on a network with neither key nor
// look-up.
func (w *world) forPerson(x waiting) bool {
	p := w.posts[x.Post]
	return x.Account == plain && x.State == "unknown" || p != nil && (p.gone || p.orphan && x.State == "orphan")
}

// judge asks the networks what they have and the ledger what it says, and fails the test where they do not agree, or
// where something is out twice or not at all.
func (w *world) judge() tally {
	w.t.Helper()
	var sum tally
	records := w.records()
	for _, account := range accounts {
		w.judgeAccount(account, records, &sum)
	}
	for id, r := range records {
		if p := w.posts[r.Post]; r.Lease != nil && (p == nil || !p.orphan) {
			w.t.Errorf("%s still has the lease %+v", id, r.Lease)
		}
		if len(r.Attempts) > 0 && r.Attempts[0].Outcome != "published" && r.State == ledger.Published && r.Note == "" {
			sum.recovered++
		}
		if len(r.Doubles) > 0 {
			w.t.Errorf("%s knows of doubles: %s", id, show(r.Doubles))
		}
		for _, secret := range w.secrets {
			if strings.Contains(string(r.Encode()), secret) {
				w.t.Errorf("%s holds a secret", id)
			}
		}
	}
	w.judgeRepositories()
	return sum
}

func (w *world) judgeAccount(account string, records map[string]*ledger.Record, sum *tally) {
	w.t.Helper()
	fake := w.networks[account].fake
	there := fake.Posts()
	owner := map[string]string{} // of what is on the network, by id
	for id, r := range records {
		if r.Account != account {
			continue
		}
		for _, p := range r.Parts {
			if other := owner[p.ID]; other != "" && other != id {
				w.t.Errorf("%s and %s both own %s", id, other, p.ID)
			}
			owner[p.ID] = id
			if r.State != ledger.Withdrawn && !has(there, p.ID) {
				w.t.Errorf("%s says %s, which %s does not have", id, p.ID, account)
			}
			if p.URL == "" {
				w.t.Errorf("%s has no address for %s", id, p.ID)
			}
		}
	}
	wanted := 0
	expected := map[string]bool{} // the ids of what is rightly there
	for _, id := range sorted(w.posts) {
		p := w.posts[id]
		if !slices.Contains(p.to(), account) {
			continue
		}
		if p.repeats > 0 {
			wanted += w.judgeRepeats(p, account, records, there, owner, expected, sum)
			continue
		}
		r := records[p.id+"@"+account]
		parent := ""
		for i, text := range p.parts {
			texts := []string{text}
			if w.isUnknown(r) { // it is not edited before somebody has settled it
				for _, was := range p.was {
					texts = append(texts, was[i])
				}
			}
			found := slices.DeleteFunc(slices.Clone(there), func(q fakenet.Post) bool { return !slices.Contains(texts, q.Text) })
			for _, q := range found {
				expected[q.ID] = true
			}
			if p.gone {
				if len(found) > 0 && !w.isUnknown(r) {
					w.t.Errorf("%s: %q is to be gone and is there", account, text)
				}
				continue
			}
			wanted++
			switch {
			case len(found) == 0 && (w.isUnknown(r) || p.orphan):
				wanted--
			case len(found) == 0:
				sum.losses++
				w.t.Errorf("LOST %s: %q is not there; its record: %s", account, text, show(r))
			case len(found) > 1:
				w.t.Errorf("DOUBLE %s: %q is there %d times; its record: %s", account, text, len(found), show(r))
			case found[0].Parent != parent:
				w.t.Errorf("%s: %q answers %q, not %q", account, text, found[0].Parent, parent)
			}
			if i == 0 && p.picture && len(found) > 0 && len(found[0].Media) != 1 {
				w.t.Errorf("%s: %q has %d pictures", account, text, len(found[0].Media))
			}
			if len(found) > 0 {
				parent = found[0].ID
				if owner[parent] == "" && !w.isUnknown(r) && !p.orphan {
					w.t.Errorf("%s has %q (%s), of which the ledger knows nothing: %s", account, text, parent, show(r))
				}
			}
		}
		switch {
		case p.gone, p.orphan:
		case w.isUnknown(r):
			sum.unknown++
		case r == nil:
			w.t.Errorf("there is no record of %s@%s", p.id, account)
		case r.State != ledger.Published:
			w.t.Errorf("%s@%s is %s in the end: %s", p.id, account, r.State, show(r.Attempts))
		}
	}
	for _, q := range there {
		if !expected[q.ID] {
			w.t.Errorf("STRAY %s has %q (%s)", account, q.Text, q.ID)
		}
	}
	if extra := fake.Creations() - wanted; extra > 0 && !w.withdraws() {
		sum.duplicates += extra
		w.t.Errorf("DOUBLE %s has created %d posts, and %d are wanted", account, fake.Creations(), wanted)
	}
}

// judgeRepeats judges a post of one part that goes out again and again. It returns how many of it are wanted.
func (w *world) judgeRepeats(p *post, account string, records map[string]*ledger.Record, there []fakenet.Post, owner map[string]string, expected map[string]bool, sum *tally) (wanted int) {
	w.t.Helper()
	unknown := 0
	for _, r := range records {
		if r.Post == p.id && r.Account == account && w.isUnknown(r) {
			unknown++
		}
	}
	sum.unknown += unknown
	found, owners := 0, map[string]bool{}
	for _, q := range there {
		if q.Text == p.parts[0] {
			found++
			expected[q.ID] = true
			owners[owner[q.ID]] = owner[q.ID] != ""
		}
	}
	if found < p.repeats-unknown {
		sum.losses += p.repeats - unknown - found
		w.t.Errorf("LOST %s: %q is there %d times, want %d", account, p.parts[0], found, p.repeats)
	}
	delete(owners, "")
	if len(owners) != p.repeats-unknown {
		w.t.Errorf("%s: %q is there %d times, and %d records own one", account, p.parts[0], found, len(owners))
	}
	return max(p.repeats-unknown, min(found, p.repeats))
}

// withdraws reports whether a post is to be gone: whether it was there before is no matter.
func (w *world) withdraws() bool {
	for _, p := range w.posts {
		if p.gone {
			return true
		}
	}
	return false
}

// isUnknown reports whether a delivery waits for a person, with the evidence, where that is allowed.
func (w *world) isUnknown(r *ledger.Record) bool {
	if r == nil || r.Account != plain || r.State != ledger.Unknown {
		return false
	}
	return slices.ContainsFunc(r.Attempts, func(a ledger.Attempt) bool { return a.Outcome == "unknown" && a.Error != "" })
}

func has(posts []fakenet.Post, id string) bool {
	return slices.ContainsFunc(posts, func(p fakenet.Post) bool { return p.ID == id })
}

func sorted(posts map[string]*post) []string {
	var ids []string
	for id := range posts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// records returns all records of the remote's ledger, by id.
func (w *world) records() map[string]*ledger.Record {
	w.t.Helper()
	repo, err := gitrepo.Open(w.remote, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		w.t.Fatal(err)
	}
	defer repo.Close()
	l := gitledger.New(repo, gitledger.Options{Branch: "postrider/ledger", Now: w.clock.now, Log: slog.New(slog.DiscardHandler)})
	if _, err := l.Fetch(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	view, err := l.View()
	if err != nil {
		w.t.Fatal(err)
	}
	found := map[string]*ledger.Record{}
	err = view.Each(func(r *ledger.Record) error {
		id := r.ID().String()
		if found[id] != nil {
			w.t.Errorf("the ledger has two records of %s: %s and %s", id, found[id].State, r.State)
		}
		if r.Post != seedPost {
			found[id] = r
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if broken := view.Damaged(); len(broken) > 0 {
		w.t.Errorf("the ledger has damaged files: %v", broken)
	}
	return found
}

// judgeRepositories fails the test unless the ledger's history is one line of sound commits, and nothing is left
// lying about in any repository.
func (w *world) judgeRepositories() {
	w.t.Helper()
	out, err := exec.Command("git", "-C", w.remote, "fsck", "--strict", "--no-dangling", "--no-progress").CombinedOutput() //nolint:noctx // git ends by itself
	if err != nil {
		w.t.Errorf("git fsck: %v\n%s", err, out)
	}
	if merges := w.git(w.remote, "rev-list", "--min-parents=2", ledgerRef); merges != "" {
		w.t.Errorf("the ledger's history has merges: %s", merges)
	}
	for _, dir := range append([]string{w.remote}, w.clones...) {
		if dir == "" {
			continue
		}
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && litter(name, d) && !(dir == w.remote && w.pushes.killed) {
				w.t.Errorf("left behind: %s", strings.TrimPrefix(name, w.dir+"/"))
			}
			return err
		})
		if err != nil {
			w.t.Error(err)
		}
	}
}

// litter reports whether a file is one that should not outlive the process that made it.
func litter(name string, d fs.DirEntry) bool {
	base := d.Name()
	switch {
	case strings.HasSuffix(base, ".lock"), strings.Contains(base, ".tmp"), strings.HasPrefix(base, "tmp_"):
		return true
	case !d.IsDir() && filepath.Base(filepath.Dir(name)) == "journal":
		return true
	}
	return false
}
