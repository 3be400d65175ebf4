package gitledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// Problem is something that [Ledger.Verify] has found.
type Problem struct {
	Path    string       // the file in the ledger; empty when it is about a commit
	Commit  gitrepo.Hash // the tip, or the commit that it is about
	ID      string       // of the record, "k3v9q2xh@bluesky"; empty when it is about none
	Message string
	Hint    string // what to do, empty when there is nothing
	Repair  bool   // [Ledger.Restore] of Path mends it
}

// Summary is what [Ledger.Verify] has looked at.
type Summary struct {
	Tip      gitrepo.Hash
	Records  int
	States   map[ledger.State]int
	Markers  int
	Commits  int
	Shallow  bool // the history of this clone is cut off, so the rest of it was not looked at
	Problems int
}

// Verify reads the whole ledger at its tip, and its history, and calls fn with every problem that it finds, as it finds
// it. It keeps no more of a ledger in memory than the names of its records. The error is that the ledger could not be
// read at all.
func (l *Ledger) Verify(ctx context.Context, fn func(Problem)) (Summary, error) {
	return l.verify(ctx, fn, false)
}

// VerifyDeep does what [Ledger.Verify] does, and also compares every commit with the one before: no record may
// vanish, and none may forget an attempt.
func (l *Ledger) VerifyDeep(ctx context.Context, fn func(Problem)) (Summary, error) {
	return l.verify(ctx, fn, true)
}

func (l *Ledger) verify(ctx context.Context, fn func(Problem), deep bool) (Summary, error) {
	v := &verifier{Ledger: l, ctx: ctx, records: map[string]ledger.State{}, wanted: map[string]string{}, spent: map[ledger.Month]ledger.Spent{}, noted: map[ledger.Month]ledger.Spent{}}
	v.sum.Tip, v.sum.States = l.tip, map[ledger.State]int{}
	v.report = func(p Problem) {
		v.sum.Problems++
		p.Commit = cmp.Or(p.Commit, l.tip)
		fn(p)
	}
	if l.tip == "" {
		return v.sum, nil
	}
	for _, step := range []func() error{v.files, v.markers, v.unmarked, v.money, func() error { return v.history(deep) }} {
		if err := step(); err != nil {
			return v.sum, l.unreadable(l.tip, err)
		}
	}
	return v.sum, nil
}

const (
	hintRestore = "`postrider doctor --ledger --repair` restores its last good version"
	hintByHand  = "the ledger was edited by hand, or by a program that does not know it: git's log of the file says by whom"
)

// verifier is one run of Verify.
type verifier struct {
	*Ledger
	ctx    context.Context //nolint:containedctx // it lives as long as one call
	report func(Problem)
	sum    Summary

	records map[string]ledger.State       // of what is there, by record id
	wanted  map[string]string             // the markers that records ask for, and the file of the record that does
	spent   map[ledger.Month]ledger.Spent // what records say was spent
	noted   map[ledger.Month]ledger.Spent // what the ledger's files say of it; nil for one that is damaged
}

// tree returns a view with empty caches: walking everything in one would keep the listings of all folders.
func (v *verifier) tree() (*folder, error) {
	view, err := v.viewAt(v.tip)
	if err != nil {
		return nil, err
	}
	return view.tree, nil
}

// each calls fn with every file below a folder of the top. No more than one shard's listings are in memory at a time.
func (v *verifier) each(dir string, fn func(t *folder, e gitrepo.Entry) error) error {
	t, err := v.tree()
	if err != nil {
		return err
	}
	return v.eachIn(t, dir, fn)
}

func (v *verifier) eachIn(t *folder, dir string, fn func(t *folder, e gitrepo.Entry) error) error {
	if err := v.ctx.Err(); err != nil {
		return err
	}
	entries, err := t.Entries(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch shard := strings.Count(e.Path, "/") == 1; {
		case e.Mode.IsDir() && shard:
			err = v.each(e.Path, fn)
		case e.Mode.IsDir():
			err = v.eachIn(t, e.Path, fn)
		default:
			err = fn(t, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// files looks at everything but the markers.
func (v *verifier) files() error {
	t, err := v.tree()
	if err != nil {
		return err
	}
	top, err := t.Entries("")
	if err != nil {
		return err
	}
	for _, e := range top {
		switch {
		case e.Path == saidDir || e.Path == sentDir: // the latter of format 1, until the next publish
		case slices.Contains(ledger.States(), ledger.State(e.Path)):
			err = v.each(e.Path, v.file)
		case e.Path == "README.md" || strings.HasPrefix(e.Path, "."):
		case e.Path == ledger.OpeningFile || e.Path == ledger.HoldsFile || e.Path == ledger.UntimedFile || e.Path == ledger.ToldFile:
			v.content(t, e)
		default:
			month, ok := ledger.IsSpentFile(e.Path)
			if !ok {
				v.stranger(e)
				continue
			}
			v.noted[month] = nil
			if b, ok := v.content(t, e); ok {
				v.noted[month], _ = ledger.DecodeSpent(b)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// money compares what was spent by the ledger's files with what the records say.
func (v *verifier) money() error {
	for m := range v.spent {
		if _, ok := v.noted[m]; !ok {
			v.noted[m] = ledger.Spent{}
		}
	}
	for _, m := range slices.Sorted(maps.Keys(v.noted)) {
		if noted := v.noted[m]; noted != nil && !noted.Equal(v.spent[m]) {
			v.report(Problem{
				Path: ledger.SpentFile(m), Repair: true, Message: fmt.Sprintf("it does not say what the records say was spent in %s", m),
				Hint: "`postrider doctor --ledger --repair` writes it again",
			})
		}
	}
	return nil
}

func (v *verifier) stranger(e gitrepo.Entry) {
	v.report(Problem{Path: e.Path, Message: "it does not belong to the ledger", Hint: hintByHand})
}

// content reads a file and reports when it cannot be understood.
func (v *verifier) content(t *folder, e gitrepo.Entry) (b []byte, ok bool) {
	b, err := t.ReadFile(e.Path)
	if err == nil {
		err = sound(e.Path, b)
	}
	if err != nil {
		v.damaged(e.Path, "", err)
	}
	return b, err == nil
}

func (v *verifier) damaged(file, id string, err error) {
	p := Problem{Path: file, ID: id, Message: err.Error(), Hint: hintRestore, Repair: true}
	if _, newer := errors.AsType[*ledger.NewerFormatError](err); newer {
		p.Hint, p.Repair = "a newer postrider reads it", false
	}
	v.report(p)
}

// file looks at a record.
func (v *verifier) file(t *folder, e gitrepo.Entry) error {
	state, id, _, ok := ledger.ParsePath(e.Path)
	if !ok {
		v.stranger(e)
		return nil
	}
	name := id.String()
	v.sum.Records++
	v.sum.States[state]++
	if other, twice := v.records[name]; twice {
		v.report(Problem{
			Path: e.Path, ID: name, Message: fmt.Sprintf("the record is there twice: here, and among the %s ones", other),
			Hint: "the next publish takes one of them as the truth: remove the wrong one in a commit on the ledger branch",
		})
	} else {
		v.records[name] = state
	}
	b, err := t.ReadFile(e.Path)
	if err != nil {
		v.damaged(e.Path, name, err)
		return nil
	}
	rec, err := readRecord(id, b)
	if err != nil {
		v.damaged(e.Path, name, err)
		return nil
	}
	if want := rec.File(); want != e.Path {
		v.report(Problem{Path: e.Path, ID: name, Message: fmt.Sprintf("its content belongs in %s", want), Hint: hintByHand})
	}
	for _, message := range ledger.Validate(rec) {
		v.report(Problem{Path: e.Path, ID: name, Message: message, Hint: hintByHand})
	}
	for m := range rec.Charges() {
		if v.spent[m] == nil {
			v.spent[m] = ledger.Spent{}
		}
		v.spent[m].Note(m, rec)
	}
	if rec.State == ledger.Published && rec.Said != "" {
		v.wanted[path.Base(ledger.SaidPath(rec.Account, rec.Said))] = e.Path
	}
	return nil
}

// markers looks at the markers of what was sent and said: each must lead to a record.
func (v *verifier) markers() error {
	posts := make(map[string]bool, len(v.records)) // by post and account, without the occurrence
	for name := range v.records {
		at := strings.LastIndexByte(name, '@')
		post, _, _ := strings.Cut(name[:at], "+")
		posts[post+name[at:]] = true
	}
	return v.each(saidDir, func(t *folder, e gitrepo.Entry) error {
		v.sum.Markers++
		base := path.Base(e.Path)
		delete(v.wanted, base)
		b, ok := v.content(t, e)
		if !ok {
			return nil
		}
		digest, account, ok := strings.Cut(base, "@")
		if !ok || digest == "" || account == "" {
			v.stranger(e)
			return nil
		}
		if post := strings.Fields(string(b))[0]; !posts[post+"@"+account] {
			v.report(Problem{
				Path: e.Path, Message: fmt.Sprintf("it says that %s got this from post %s, of which there is no record", account, post),
				Hint: "the record was removed: git's log of the ledger branch says when, and `git revert` brings it back",
			})
		}
		return nil
	})
}

// unmarked reports the records whose markers are missing.
func (v *verifier) unmarked() error {
	for _, file := range slices.Sorted(maps.Values(v.wanted)) {
		_, id, _, _ := ledger.ParsePath(file)
		v.report(Problem{
			Path: file, ID: id.String(), Repair: true,
			Message: "its marker in " + saidDir + "/ is missing: the same post under another id would not be recognised",
			Hint:    "`postrider doctor --ledger --repair` writes it again",
		})
	}
	return nil
}

// history looks at every commit.
func (v *verifier) history(deep bool) error {
	if v.o.Folder != "" {
		return nil // it is the history of people's work, in which merges are welcome
	}
	shallow, err := v.repo.IsShallow()
	if err != nil {
		return err
	}
	at := v.tip
	for at != "" {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		c, err := v.repo.CommitInfo(at)
		if err == nil {
			var tree *gitrepo.Tree
			if tree, err = v.repo.Tree(at); err == nil {
				_, err = tree.Entries("")
			}
		}
		if err != nil {
			v.report(Problem{Commit: at, Message: fmt.Sprintf("the commit cannot be read: %v", err), Hint: v.historyHint()})
			return nil
		}
		v.sum.Commits++
		at = ""
		if len(c.Parents) > 0 {
			at = c.Parents[0]
		}
		if len(c.Parents) > 1 {
			v.report(Problem{
				Commit: c.Hash, Message: fmt.Sprintf("the commit is a merge of %d, but the ledger is a straight line", len(c.Parents)),
				Hint: "records of its second parent may be lost: see `git log " + c.Hash.Short() + "`",
			})
		}
		if deep && at != "" {
			if err := v.compare(at, c.Hash); err != nil {
				return err
			}
		}
	}
	v.sum.Shallow = shallow
	return nil
}

func (v *verifier) historyHint() string {
	if v.o.Remote != "" {
		return "`git fsck` lists what is damaged; a fresh clone of " + v.o.Remote + " mends it"
	}
	return "`git fsck` lists what is damaged; restore the repository from a copy or a clone of it"
}

// compare looks at what a commit has changed: no record vanishes, and none forgets an attempt.
func (v *verifier) compare(before, after gitrepo.Hash) error {
	old, err := v.viewAt(before)
	if err != nil {
		return err
	}
	now, err := v.viewAt(after)
	if err != nil {
		return err
	}
	changes, err := v.repo.Diff(old.tree.whole(), now.tree.whole(), "")
	if err != nil {
		v.report(Problem{Commit: after, Message: fmt.Sprintf("the commit cannot be compared with the one before: %v", err), Hint: v.historyHint()})
		return nil
	}
	type pair struct{ was, is string }
	byID := map[ledger.ID]*pair{}
	for _, c := range changes {
		_, id, _, ok := ledger.ParsePath(c.Path)
		if !ok {
			continue
		}
		p := byID[id]
		if p == nil {
			p = &pair{}
			byID[id] = p
		}
		if c.Old != "" {
			p.was = c.Path
		}
		if c.New != "" {
			p.is = c.Path
		}
	}
	for id, p := range byID {
		if p.was == "" {
			continue
		}
		if p.is == "" {
			if _, still := v.records[id.String()]; !still {
				v.report(Problem{
					Path: p.was, Commit: after, ID: id.String(), Message: "the commit removes the record, and it has not come back",
					Hint: "`git revert " + after.Short() + "` on the ledger branch brings it back",
				})
			}
			continue
		}
		was, errWas := old.read(p.was)
		is, errIs := now.read(p.is)
		if errWas != nil || errIs != nil {
			continue // damaged then; the tip is looked at on its own
		}
		if n := forgotten(was, is); n > 0 {
			v.report(Problem{
				Path: p.is, Commit: after, ID: id.String(), Message: fmt.Sprintf("the commit forgets %d attempts of the record", n), Hint: hintByHand,
			})
		}
	}
	return nil
}

// forgotten counts the attempts of a record that its next version lacks. The oldest but the first are given up on purpose
// when there are many.
func forgotten(was, is *ledger.Record) (n int) {
	const many = 20
	if len(is.Attempts) >= many {
		return 0
	}
	for _, a := range was.Attempts {
		if !slices.ContainsFunc(is.Attempts, func(b ledger.Attempt) bool { return a.N == b.N && a.Run == b.Run }) {
			n++
		}
	}
	return n
}
