package gitledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// NoGoodVersionError says that no version of a file can be read anywhere in the ledger's history.
type NoGoodVersionError struct {
	File    string
	Shallow bool // the history of this clone is cut off: an older version may exist
}

// Error implements error.
func (e *NoGoodVersionError) Error() string {
	if e.Shallow {
		return fmt.Sprintf("no version of %q in the ledger can be read, as far as this clone knows its history: `git fetch --unshallow` brings the rest", e.File)
	}
	return fmt.Sprintf("no version of %q in the ledger can be read", e.File)
}

// LastGood returns the newest version of a file of the ledger that can be read, and the newest commit that has it. A
// record that stood under another name then, because it was in another state, is found, too. The error is a
// [*NoGoodVersionError] when there is none.
//
// It walks the history of the ledger, one commit at a time.
func (l *Ledger) LastGood(ctx context.Context, file string) (gitrepo.Hash, []byte, error) {
	commit, _, b, err := l.lastGood(ctx, file)
	return commit, b, err
}

func (l *Ledger) lastGood(ctx context.Context, file string) (commit gitrepo.Hash, name string, good []byte, err error) {
	names := []string{file}
	if _, id, _, ok := ledger.ParsePath(file); ok {
		names = append(names, openNames(id)...)
	}
	for _, name := range names { // first under its own name
		commit, good, err = l.newest(ctx, name)
		if err != nil || commit != "" {
			return commit, name, good, err
		}
	}
	shallow, err := l.repo.IsShallow()
	if err != nil {
		return "", "", nil, err
	}
	return "", "", nil, &NoGoodVersionError{File: file, Shallow: shallow}
}

// openNames returns where a record stands while it is not settled.
func openNames(id ledger.ID) (names []string) {
	for _, s := range ledger.States() {
		if !s.Settled() {
			names = append(names, path.Join(string(s), id.String()+".json"))
		}
	}
	return names
}

// newest returns the newest commit in which a file can be read, and the file; no commit when there is none. A commit that
// has not touched the file is passed by after reading as many folders as its path has, at most.
func (l *Ledger) newest(ctx context.Context, file string) (commit gitrepo.Hash, good []byte, err error) {
	last := lookup{path: path.Join(l.o.Folder, file)}
	err = l.repo.Log(l.tip, 0, func(c gitrepo.CommitInfo) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		tree, err := l.repo.Tree(c.Hash)
		if err != nil {
			return err
		}
		changed, err := last.in(tree)
		if err != nil || !changed || last.id() == "" {
			return err
		}
		b, err := l.repo.ReadBlob(last.id())
		if err != nil {
			l.o.Log.Debug("a version of a file of the ledger cannot be read", "file", file, "commit", c.Hash, "err", err)
			return nil
		}
		if sound(file, b) == nil {
			commit, good = c.Hash, b
			return errStop
		}
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return "", nil, fmt.Errorf("read the ledger's history: %w", err)
	}
	return commit, good, nil
}

// lookup follows one path through many trees, and reads only what differs from the tree before.
type lookup struct {
	path string
	ids  []gitrepo.Hash // of the top folder, the folders on the way and the file
}

func (k *lookup) id() gitrepo.Hash {
	if len(k.ids) == 0 {
		return ""
	}
	return k.ids[len(k.ids)-1]
}

// in moves on to a tree and reports whether the file differs.
func (k *lookup) in(tree *gitrepo.Tree) (changed bool, err error) {
	parts := strings.Split(k.path, "/")
	was := k.ids
	now := make([]gitrepo.Hash, len(parts)+1)
	now[0] = tree.Root()
	for i := range now {
		if i > 0 {
			if now[i], err = tree.ID(strings.Join(parts[:i], "/")); err != nil {
				return false, err
			}
		}
		if was != nil && now[i] == was[i] {
			copy(was, now[:i])
			return false, nil // and neither does anything below
		}
	}
	k.ids = now
	return was == nil || now[len(parts)] != was[len(parts)], nil
}

// sound returns what is wrong with the content of a file of the ledger.
func sound(file string, b []byte) error {
	top, _, _ := strings.Cut(file, "/")
	switch {
	case file == ledger.OpeningFile:
		_, err := ledger.DecodeOpening(b)
		return err
	case file == ledger.HoldsFile:
		_, err := ledger.DecodeHolds(b)
		return err
	case file == ledger.UntimedFile:
		_, err := ledger.DecodeUntimed(b)
		return err
	case file == ledger.ToldFile:
		_, err := ledger.DecodeTold(b)
		return err
	case top == saidDir:
		_, err := ledger.DecodeSaying(b)
		return err
	}
	if _, ok := ledger.IsSpentFile(file); ok {
		_, err := ledger.DecodeSpent(b)
		return err
	}
	_, id, _, ok := ledger.ParsePath(file)
	if !ok {
		return nil
	}
	_, err := readRecord(id, b)
	return err
}

// readRecord decodes the record of an id.
func readRecord(id ledger.ID, b []byte) (*ledger.Record, error) {
	rec, err := ledger.Decode(b)
	if err == nil && rec.ID() != id {
		err = fmt.Errorf("%w: its name says %s, its content %s", ledger.ErrFormat, id, rec.ID())
	}
	return rec, err
}

// Restored is a file that [Ledger.Restore] has brought back.
type Restored struct {
	File   string       // where it stands now
	From   gitrepo.Hash // the commit whose version it is; empty when it was worked out from the records
	Before string       // the damaged file, if that had another name
}

// Restore writes the last good versions of damaged files on top of the ledger, in one commit: history is not rewritten.
// Of a record that can be read it writes the marker that is missing, and what was spent in a month it works out again from the records; other files that can be
// read are left alone. Nothing is written when one of them has no good version
// ([*NoGoodVersionError]).
func (l *Ledger) Restore(ctx context.Context, files ...string) ([]Restored, error) {
	for try := 1; ; try++ {
		restored, err := l.restore(ctx, files)
		if !errors.Is(err, gitrepo.ErrMoved) || try == maxTries {
			return restored, err
		}
		if err := l.refresh(ctx); err != nil {
			return nil, err
		}
	}
}

func (l *Ledger) restore(ctx context.Context, files []string) ([]Restored, error) {
	view, err := l.View()
	if err != nil {
		return nil, err
	}
	changes := map[string][]byte{}
	var list []Restored
	for _, file := range files {
		if _, ok := ledger.IsSpentFile(file); ok {
			continue // it follows from the records, once they are restored
		}
		if b, err := view.top(file); err == nil && b != nil && sound(file, b) == nil {
			if err := missingMarker(view, file, b, changes); err != nil {
				return nil, err
			}
			continue
		}
		commit, name, good, err := l.lastGood(ctx, file)
		if err != nil {
			return nil, err
		}
		done := Restored{File: name, From: commit}
		if name != file {
			if b, err := view.top(name); err == nil && b != nil && sound(name, b) == nil {
				return nil, fmt.Errorf("restore %q: the record stands in %q as well, and that can be read: a person must decide which file goes", file, name)
			}
			changes[file], done.Before = nil, file
		}
		changes[name] = good
		list = append(list, done)
	}
	for _, file := range files {
		if month, ok := ledger.IsSpentFile(file); ok {
			again, err := respend(view, month, changes)
			if err != nil {
				return nil, err
			}
			if again {
				list = append(list, Restored{File: file})
			}
		}
	}
	if len(changes) == 0 {
		return nil, nil
	}
	subject := fmt.Sprintf("%d damaged files are as they last could be read", len(list))
	switch len(list) {
	case 0:
		subject = fmt.Sprintf("%d markers of what was published are written again", len(changes))
	case 1:
		if list[0].From == "" {
			subject = list[0].File + " is worked out again from the records"
			break
		}
		subject = fmt.Sprintf("%s is as it last could be read, in %s", list[0].File, list[0].From.Short())
	}
	if err := l.claimFiles(ctx, subject, changes); err != nil {
		return nil, fmt.Errorf("restore %d files of the ledger: %w", len(list), err)
	}
	return list, nil
}

// respend works out from the records what was spent in a month, with those that changes restores, and reports whether the ledger says
// something else.
func respend(view *View, month ledger.Month, changes map[string][]byte) (again bool, err error) {
	spent := ledger.Spent{}
	if err := view.Each(func(r *ledger.Record) error { spent.Note(month, r); return nil }); err != nil {
		return false, err
	}
	for file, b := range changes {
		if _, id, _, ok := ledger.ParsePath(file); ok && b != nil {
			rec, err := readRecord(id, b)
			if err != nil {
				return false, err
			}
			spent.Note(month, rec)
		}
	}
	file := ledger.SpentFile(month)
	was, err := view.top(file)
	if err != nil {
		return false, err
	}
	if again = !bytes.Equal(spent.Encode(), was); again {
		changes[file] = spent.Encode()
	}
	return again, nil
}

// missingMarker adds the marker of a published record that the ledger lacks.
func missingMarker(view *View, file string, record []byte, changes map[string][]byte) error {
	if _, _, _, ok := ledger.ParsePath(file); !ok {
		return nil
	}
	rec, err := ledger.Decode(record)
	if err != nil || rec.State != ledger.Published {
		return err
	}
	said, err := view.Said(rec.Account, rec.Said)
	if err == nil && said == nil && rec.Said != "" {
		changes[ledger.SaidPath(rec.Account, rec.Said)] = rec.Saying().Encode()
	}
	return err
}

// maxSince bounds how far back a view looks for the commit that broke a file.
const maxSince = 2000

// since returns the commit that gave a file the content that it has; empty when that is further back than is worth
// looking for.
func (v *View) since(file string) gitrepo.Hash {
	if v.tree == nil || v.repo == nil {
		return ""
	}
	at := lookup{path: v.tree.at(file)}
	commit, found := gitrepo.Hash(""), false
	err := v.repo.Log(v.commit, maxSince, func(c gitrepo.CommitInfo) error {
		tree, err := v.repo.Tree(c.Hash)
		if err != nil {
			return err
		}
		first := at.ids == nil
		changed, err := at.in(tree)
		if err != nil {
			return err
		}
		if found = changed && !first; found {
			return errStop
		}
		commit, found = c.Hash, len(c.Parents) == 0
		return nil
	})
	if !found || err != nil && !errors.Is(err, errStop) {
		return ""
	}
	if shallow, shErr := v.repo.IsShallow(); shErr != nil || shallow && err == nil {
		return "" // it may be older than this clone's history
	}
	return commit
}

// String says which file is damaged, since when, how, and the way back.
func (d Damage) String() string {
	since := ""
	if d.Commit != "" {
		since = fmt.Sprintf(" (since commit %s)", d.Commit.Short())
	}
	return fmt.Sprintf("%s%s: %v; %s", d.Path, since, d.Err, d.Hint())
}

// Hint says how the file comes back.
func (d Damage) Hint() string {
	return "`postrider doctor --ledger --repair` restores its last good version"
}
