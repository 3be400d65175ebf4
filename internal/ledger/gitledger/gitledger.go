// Package gitledger keeps the ledger on a git branch of its own.
//
// Commits are written straight to the object store; no work tree or index is touched, so the branch can
// be written while somebody edits posts, and in a bare repository. A branch of its own works where the
// main branch is protected, never conflicts with writers and starts no workflow loop.
//
// Two kinds of write exist. [Ledger.Claim] is a compare-and-swap: it succeeds only on the tip that the
// caller has planned with, and with a remote only once the remote has it; of two publishers that claim
// the same delivery, one gets it. [Ledger.Record] is for results, which must never be lost: it merges
// them into whatever the tip has become and tries again.
package gitledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// Options are the inputs of [New].
type Options struct {
	Branch string // "postrider/ledger"
	// Folder is where the ledger stands on the branch; empty: at its top. It takes a folder of its own on a branch on
	// which people work.
	Folder string
	Remote string // empty: the local branch alone decides
	Now    func() time.Time
	Wait   func(context.Context, time.Duration) error
	Log    *slog.Logger
	// SiteTitle names the site in the branch's README.
	SiteTitle string
}

// Ledger is the ledger of one repository. It is for use by one goroutine.
type Ledger struct {
	repo *gitrepo.Repo
	o    Options
	tip  gitrepo.Hash // what View shows: the remote's tip plus what this process has pushed
	// pending are results that are committed locally and not yet on the remote.
	pending []*ledger.Record
}

// The folder of the markers that [ledger.SaidPath] names, and of those of format 1.
const saidDir, sentDir = "said", "sent"

// New returns the ledger of a repository. It reads nothing; call [Ledger.Fetch] first.
func New(repo *gitrepo.Repo, o Options) *Ledger { return &Ledger{repo: repo, o: o} }

// Tip returns the commit that the ledger is at, empty when the branch does not exist yet.
func (l *Ledger) Tip() gitrepo.Hash { return l.tip }

// Where returns the remote that decides, empty for none, and the ledger's branch.
func (l *Ledger) Where() (remote, branch string) { return l.o.Remote, l.o.Branch }

// View returns the ledger at its tip.
func (l *Ledger) View() (*View, error) { return l.viewAt(l.tip) }

func (l *Ledger) viewAt(commit gitrepo.Hash) (*View, error) {
	return newView(l.repo, commit, l.o.Folder)
}

// branchRef is the ledger's branch, as a remote calls it.
func (l *Ledger) branchRef() string { return "refs/heads/" + l.o.Branch }

// localRef is where this repository keeps the ledger. On a branch on which people work, that is not their branch: it
// belongs to whoever has it checked out.
func (l *Ledger) localRef() string {
	if l.o.Folder != "" && l.o.Remote != "" {
		return "refs/postrider/" + l.o.Branch
	}
	return l.branchRef()
}

// Fetch brings the ledger and other branches from the remote and settles the ledger's tip. Without a
// remote it only reads the local branch. It returns the remote's branches by full name.
//
// With a remote, its branch is the truth. What the local branch has and the remote lacks is the trace of
// a run that could not push its results, or of a remote that somebody has set back: it is merged and pushed.
func (l *Ledger) Fetch(ctx context.Context, branches ...string) (map[string]gitrepo.Hash, error) {
	local, damaged, err := l.localTip()
	if err != nil {
		return nil, l.unreadable(local, err)
	}
	if l.o.Remote == "" {
		l.tip = local
		return nil, nil
	}
	heads, err := l.fetch(ctx, damaged, branches)
	if err != nil {
		return nil, err
	}
	remote, err := l.mended(ctx, heads)
	if err != nil {
		return nil, err
	}
	if remote != "" {
		heads[l.branchRef()] = remote
	}
	l.tip = remote
	switch local {
	case remote, "":
		if damaged && remote != "" {
			l.follow(ctx, remote)
		}
		return heads, nil
	}
	if remote == "" && l.o.Folder != "" {
		return heads, nil // the branch on which people work is theirs to bring back
	}
	if remote == "" {
		l.o.Log.Warn("the remote has no ledger but this repository does: pushing it", "remote", l.o.Remote, "branch", l.o.Branch)
		if err := l.repo.Push(ctx, l.o.Remote, l.o.Branch, "", local, l.copyRef()); err != nil {
			return nil, fmt.Errorf("push the ledger, which %s lacks: %w", l.o.Remote, err)
		}
		l.tip = local
		return heads, nil
	}
	left, err := l.leftovers(local, remote)
	if err != nil {
		l.o.Log.Warn("the local ledger cannot be compared with that of the remote, which is used. Results that an earlier run could not push may be in it",
			"ref", l.localRef(), "commit", local, "err", err)
	}
	if len(left) == 0 {
		l.follow(ctx, remote)
		return heads, nil
	}
	// The local branch stays where it is until they are pushed: whoever kills this process loses nothing.
	l.o.Log.Info("results of an earlier run were not pushed, pushing them now", "records", len(left))
	return heads, l.Record(ctx, "results of an earlier run that could not be pushed", left)
}

// ErrNotLedger means that the branch that is to hold the ledger holds something else.
var ErrNotLedger = errors.New("is not a ledger")

// check refuses what this program must not write to: a ledger of a newer format (a [*ledger.NewerFormatError]), and a
// branch on which people work: it would get another README, and lose what is only here when the local branch follows
// the remote's.
func (l *Ledger) check(tip gitrepo.Hash) error {
	view, err := l.viewAt(tip)
	if err != nil {
		return err
	}
	if _, err := view.Opening(); err != nil && !errors.Is(err, ledger.ErrFormat) {
		return err
	}
	if l.o.Folder != "" {
		return nil
	}
	entries, err := view.entries("")
	if err != nil {
		return err
	}
	for _, e := range entries {
		known := e.Path == sentDir || e.Path == saidDir || slices.Contains(ledger.States(), ledger.State(e.Path)) || strings.HasPrefix(e.Path, ".")
		if e.Path == "site.yaml" || e.Mode.IsDir() && !known {
			return fmt.Errorf("the branch %q %w: it holds %s; ledger.branch in site.yaml must name a branch of its own", l.o.Branch, ErrNotLedger, e.Path)
		}
	}
	return nil
}

// Offline settles the ledger's tip without asking the remote: for looking, not for publishing. It is what
// was last seen of the remote, or the local branch when nothing ever was.
func (l *Ledger) Offline() (err error) {
	if l.o.Remote != "" {
		if l.tip, err = l.repo.Ref("refs/remotes/" + l.o.Remote + "/" + l.o.Branch); err != nil || l.tip != "" {
			return err
		}
	}
	l.tip, err = l.repo.Ref(l.localRef())
	return err
}

// leftovers returns the records of the local branch that know more than the remote does. A claim is among
// them only if the remote has lost it, since claims reach the local branch after the remote: what
// it claimed may be out.
func (l *Ledger) leftovers(local, remote gitrepo.Hash) ([]*ledger.Record, error) {
	mine, err := l.viewAt(local)
	if err != nil {
		return nil, err
	}
	theirs, err := l.viewAt(remote)
	if err != nil {
		return nil, err
	}
	changes, err := l.repo.Diff(theirs.tree.whole(), mine.tree.whole(), l.o.Folder)
	if err != nil {
		return nil, err
	}
	var left []*ledger.Record
	for _, c := range changes {
		if c.New == "" {
			continue
		}
		file := mine.tree.rel(c.Path)
		_, id, _, ok := ledger.ParsePath(file)
		if !ok {
			continue
		}
		rec, err := mine.read(file)
		if err != nil {
			l.o.Log.Warn("a file of the local ledger cannot be read and is left behind", "file", c.Path, "err", err)
			continue
		}
		known, err := theirs.Record(id)
		if err != nil {
			return nil, err
		}
		if known == nil || !sameRecord(ledger.Merge(rec, known), known) {
			left = append(left, rec)
		}
	}
	return left, nil
}

func sameRecord(a, b *ledger.Record) bool { return string(a.Encode()) == string(b.Encode()) }

// Claim writes intents on the tip that the caller has planned with and pushes them. The error is
// [gitrepo.ErrMoved] when somebody else wrote first: Fetch and plan again. After any error nothing
// is claimed, and nothing may be sent.
func (l *Ledger) Claim(ctx context.Context, subject string, records []*ledger.Record) error {
	if len(records) == 0 {
		return nil
	}
	if n := len(l.pending); n > 0 {
		return fmt.Errorf("%d earlier results are not on %s yet: nothing new is begun before they are", n, l.o.Remote)
	}
	view, err := l.View()
	if err != nil {
		return err
	}
	before := l.tip
	commit, err := l.commit(ctx, view, subject, records)
	if err != nil {
		return err
	}
	if err := l.push(ctx, before, commit); err != nil {
		return err
	}
	l.tip = commit
	return nil
}

// maxTries bounds how often something is tried again after somebody else wrote first: with eight publishers at once on
// a slow remote, one may lose a dozen times in a row.
const maxTries = 30

// maxLocked bounds how often something is tried again that found a reference locked: each try has waited for the lock.
const maxLocked = 12

// again reports whether something is tried again after an error.
func again(err error, try int) bool {
	return errors.Is(err, gitrepo.ErrMoved) && try < maxTries || errors.Is(err, gitrepo.ErrLocked) && try < maxLocked
}

// pause waits before the next try, longer with every one up to about half a second.
func (l *Ledger) pause(ctx context.Context, try int) error {
	return l.o.Wait(ctx, time.Duration(min(try, 10))*(20*time.Millisecond+rand.N(60*time.Millisecond)))
}

// Record writes results, merged into whatever the ledger says by now, and pushes them. After any error it
// remembers them for its next call. When the remote cannot be reached they are committed locally, too,
// so that the next run's Fetch pushes them if this process does not; the error says so ([NotPushedError]).
func (l *Ledger) Record(ctx context.Context, subject string, records []*ledger.Record) error {
	records = latest(append(slices.Clone(l.pending), records...))
	if len(records) == 0 {
		return nil
	}
	l.pending = records
	for try := 1; ; try++ {
		view, err := l.View()
		if err != nil {
			return err
		}
		merged, err := mergedInto(view, records)
		if err != nil {
			return err
		}
		before := l.tip
		commit, err := l.commit(ctx, view, subject, merged)
		if err == nil {
			if err = l.push(ctx, before, commit); err == nil {
				l.tip, l.pending = commit, nil
				return nil
			}
		}
		if !again(err, try) {
			if commit != "" && l.o.Remote != "" { // the next Record starts from the remote's tip again
				if kept := l.moveLocal(ctx, commit); kept != nil {
					return fmt.Errorf("record %d results in the ledger: %w; and keep them locally: %w", len(records), err, kept)
				}
				return &NotPushedError{Branch: l.o.Branch, Remote: l.o.Remote, Records: len(records), Err: err}
			}
			return fmt.Errorf("record %d results in the ledger: %w", len(records), err)
		}
		l.o.Log.Debug("the ledger has moved, applying results again", "try", try)
		if err := l.pause(ctx, try); err != nil {
			return err
		}
		if err := l.refresh(ctx); err != nil {
			if commit == "" || l.o.Remote == "" {
				return fmt.Errorf("record %d results in the ledger: %w", len(records), err)
			}
			// The remote went away between two tries. What was committed stands on a tip that it once had.
			if kept := l.moveLocal(ctx, commit); kept != nil {
				return fmt.Errorf("record %d results in the ledger: %w; and keep them locally: %w", len(records), err, kept)
			}
			return &NotPushedError{Branch: l.o.Branch, Remote: l.o.Remote, Records: len(records), Err: err}
		}
	}
}

// latest merges versions of one record into one: a commit can hold a record only once.
func latest(records []*ledger.Record) []*ledger.Record {
	var list []*ledger.Record
	at := map[ledger.ID]int{}
	for _, r := range records {
		if i, ok := at[r.ID()]; ok {
			list[i] = ledger.Merge(r, list[i])
			continue
		}
		at[r.ID()] = len(list)
		list = append(list, r)
	}
	return list
}

// NotPushedError says that results are safe in the local repository but not yet on the remote.
type NotPushedError struct {
	Branch, Remote string
	Records        int
	Err            error
}

// Error implements error.
func (e *NotPushedError) Error() string {
	return fmt.Sprintf("%d results are committed to the local branch %s but could not be pushed to %s: %v", e.Records, e.Branch, e.Remote, e.Err)
}

// Unwrap returns the cause.
func (e *NotPushedError) Unwrap() error { return e.Err }

// refresh moves to the newest tip without looking for leftovers.
func (l *Ledger) refresh(ctx context.Context) error {
	tip, err := l.newestTip(ctx)
	if err == nil {
		err = l.check(tip) // a newer program may have written meanwhile
	}
	if err != nil {
		return err
	}
	l.tip = tip
	return nil
}

// newestTip returns the newest tip.
func (l *Ledger) newestTip(ctx context.Context) (gitrepo.Hash, error) {
	if l.o.Remote == "" {
		return l.repo.Ref(l.localRef())
	}
	heads, err := l.repo.Fetch(ctx, l.o.Remote, l.o.Branch)
	if err != nil {
		return "", err
	}
	return l.mended(ctx, heads)
}

// commit writes records as one commit on the tip.
func (l *Ledger) commit(ctx context.Context, view *View, subject string, records []*ledger.Record) (gitrepo.Hash, error) {
	files, err := l.files(view, records)
	if err != nil {
		return "", err
	}
	return l.commitFiles(ctx, message(subject, records), files)
}

// commitFiles writes files, by their path in the ledger, as one commit on the tip; nil removes one. Without a remote
// this moves the local branch, as a compare-and-swap. With one it moves nothing yet: what no remote has accepted must
// not look like history.
func (l *Ledger) commitFiles(ctx context.Context, message string, files map[string][]byte) (gitrepo.Hash, error) {
	if l.o.Folder != "" {
		inFolder := make(map[string][]byte, len(files))
		for name, b := range files {
			inFolder[path.Join(l.o.Folder, name)] = b
		}
		files = inFolder
	}
	c := gitrepo.Commit{Branch: l.o.Branch, Parent: l.tip, Files: files, Message: message, Time: l.o.Now()}
	if l.o.Remote != "" {
		c.Branch = ""
	}
	return l.repo.Commit(ctx, c)
}

// claimFiles writes files in one commit on the tip and pushes it, as [Ledger.Claim] does with records.
func (l *Ledger) claimFiles(ctx context.Context, subject string, files map[string][]byte) error {
	before := l.tip
	commit, err := l.commitFiles(ctx, message(subject, nil), files)
	if err != nil {
		return err
	}
	if err := l.push(ctx, before, commit); err != nil {
		return err
	}
	l.tip = commit
	return nil
}

// Begin opens a ledger that has no opening yet; untimed are the posts without a time that the publishing branch
// holds. The error is [gitrepo.ErrMoved] when somebody else wrote first.
func (l *Ledger) Begin(ctx context.Context, o ledger.Opening, untimed []string) error {
	files := map[string][]byte{ledger.OpeningFile: o.Encode()}
	if list := ledger.EncodeUntimed(untimed); list != nil {
		files[ledger.UntimedFile] = list
	}
	return l.claimFiles(ctx, "the ledger begins", files)
}

// SetHolds replaces the emergency stops. The error is [gitrepo.ErrMoved] when somebody else wrote first.
func (l *Ledger) SetHolds(ctx context.Context, subject string, holds []ledger.Hold) error {
	view, err := l.View()
	if err != nil {
		return err
	}
	files := map[string][]byte{ledger.HoldsFile: ledger.EncodeHolds(holds)}
	if err := l.readme(files, view, holds, nil); err != nil {
		return err
	}
	return l.claimFiles(ctx, subject, files)
}

// Told returns what people were told of what is open.
func (l *Ledger) Told() (ledger.Told, error) {
	view, err := l.View()
	if err != nil {
		return ledger.Told{}, err
	}
	return view.Told()
}

// SetTold replaces what people were told of. The error is [gitrepo.ErrMoved] when somebody else wrote first: [Ledger.Refresh], and work it
// out again.
func (l *Ledger) SetTold(ctx context.Context, subject string, told ledger.Told) error {
	return l.claimFiles(ctx, subject, map[string][]byte{ledger.ToldFile: ledger.EncodeTold(told)})
}

// Refresh moves to the newest tip, for whoever writes something other than records.
func (l *Ledger) Refresh(ctx context.Context) error { return l.refresh(ctx) }

// push sends a commit to the remote, as a compare-and-swap, and then moves the local branch after it.
func (l *Ledger) push(ctx context.Context, before, commit gitrepo.Hash) error {
	if l.o.Remote == "" || before == commit {
		return nil
	}
	if err := l.repo.Push(ctx, l.o.Remote, l.o.Branch, before, commit, l.copyRef()); err != nil {
		return err
	}
	l.follow(ctx, commit)
	return nil
}

// noteSaid adds the marker of a record's words, unless they were said later by another: an edit of what is long out must
// not set that back.
func noteSaid(files map[string][]byte, view *View, r *ledger.Record) error {
	marker := ledger.SaidPath(r.Account, r.Said)
	last, err := view.Said(r.Account, r.Said)
	if b, ok := files[marker]; ok && err == nil {
		var s ledger.Saying
		s, err = ledger.DecodeSaying(b)
		last = &s
	}
	if err == nil && (last == nil || !last.At.After(r.PublishedAt)) {
		files[marker] = r.Saying().Encode()
	}
	return err
}

// files returns what a commit of records changes, seen from view.
func (l *Ledger) files(view *View, records []*ledger.Record) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, r := range records {
		was, err := view.file(r.ID())
		if err != nil {
			return nil, err
		}
		if was != "" && was != r.File() {
			files[was] = nil
		}
	}
	for _, r := range records {
		files[r.File()] = r.Encode()
		if r.State == ledger.Published && r.Said != "" {
			if err := noteSaid(files, view, r); err != nil {
				return nil, err
			}
		}
	}
	if err := noteSpent(files, view, records); err != nil {
		return nil, err
	}
	holds, err := view.Holds()
	if err != nil {
		return nil, err
	}
	return files, l.readme(files, view, holds, records)
}

// noteSpent brings what was spent up to date in the months that records have charges in. A file that is damaged is left as it is:
// nothing that costs goes out with it, and whoever mends it reads the records.
func noteSpent(files map[string][]byte, view *View, records []*ledger.Record) error {
	months := map[ledger.Month]ledger.Spent{}
	for _, r := range records {
		for m := range r.Charges() {
			if _, ok := months[m]; !ok {
				var err error
				if months[m], err = view.spent(m); err != nil && !errors.Is(err, ledger.ErrFormat) {
					return err
				}
			}
			if months[m] != nil {
				months[m].Note(m, r)
			}
		}
	}
	for m, spent := range months {
		if spent == nil {
			continue
		}
		file := ledger.SpentFile(m)
		was, err := view.top(file)
		if err != nil {
			return err
		}
		if b := spent.Encode(); !bytes.Equal(b, was) {
			files[file] = b
		}
	}
	return nil
}

// readme adds the branch's README to files when it changes.
func (l *Ledger) readme(files map[string][]byte, view *View, holds []ledger.Hold, records []*ledger.Record) error {
	old, err := view.readme()
	if err != nil {
		return err
	}
	if text := readme(old, l.o, holds, records); string(text) != string(old) {
		files["README.md"] = text
	}
	return nil
}
