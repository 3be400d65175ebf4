package gitledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
)

// A branch is easily lost: somebody tidies up, a bot deletes what looks abandoned, a force push sets it back. A fresh
// clone would then believe that what went out never did. So every push of the ledger moves a second reference of the
// remote along, its copy, which no branch list shows; and every fetch looks whether the two agree, which costs nothing
// while they do.

// copyRef is the copy of the ledger's branch on the remote.
func (l *Ledger) copyRef() string { return "refs/postrider/copy/" + l.o.Branch }

// lostRef is where the remote keeps the history of a copy that could only be merged.
func (l *Ledger) lostRef(tip gitrepo.Hash) string {
	return "refs/postrider/lost/" + l.o.Branch + "/" + tip.Short()
}

// maxLooks bounds how often the remote is looked at while others are pushing to it.
const maxLooks = 5

// mended returns the tip of the remote's ledger, once that knows all that its copy does. It is given what a fetch
// has just seen.
func (l *Ledger) mended(ctx context.Context, heads map[string]gitrepo.Hash) (gitrepo.Hash, error) {
	remote, known := heads[l.branchRef()], heads[l.copyRef()]
	for range maxLooks {
		if known == "" || known == remote || l.contains(remote, known) {
			return remote, nil // or a push of the copy was refused once, or people have gone on working on the branch
		}
		if remote == "" && l.o.Folder != "" {
			return "", nil // the branch on which people work is theirs to bring back
		}
		// Two references do not move at the same instant. What stands still between two looks is no push that is under way.
		heads, err := l.repo.Fetch(ctx, l.o.Remote, l.o.Branch, l.copyRef()+":refs/postrider/remotes/"+l.o.Remote+"/"+l.o.Branch)
		if err != nil {
			return "", fmt.Errorf("look at the ledger's copy on %s: %w", l.o.Remote, err)
		}
		if heads[l.branchRef()] != remote || heads[l.copyRef()] != known {
			remote, known = heads[l.branchRef()], heads[l.copyRef()]
			continue
		}
		tip, err := l.mend(ctx, remote, known)
		if !errors.Is(err, gitrepo.ErrMoved) {
			return tip, err
		}
		if heads, err = l.repo.Fetch(ctx, l.o.Remote, l.o.Branch); err != nil {
			return "", err
		}
		remote, known = heads[l.branchRef()], heads[l.copyRef()]
	}
	return remote, nil // others are pushing all the time; the next run looks again
}

// maxBack bounds how far back a history is searched.
const maxBack = 1000

// contains reports whether a commit is among the first parents of a tip, as far as they are here.
func (l *Ledger) contains(tip, commit gitrepo.Hash) bool {
	found := false
	err := l.repo.Log(tip, maxBack, func(c gitrepo.CommitInfo) error {
		if found = c.Hash == commit; found {
			return errStop
		}
		return nil
	})
	return found && (err == nil || errors.Is(err, errStop))
}

// mend brings the branch to what its copy knows. The error is [gitrepo.ErrMoved] when somebody else wrote first.
func (l *Ledger) mend(ctx context.Context, remote, known gitrepo.Hash) (gitrepo.Hash, error) {
	log := l.o.Log.With("remote", l.o.Remote, "branch", l.o.Branch)
	if err := l.check(known); err != nil {
		log.Warn("the copy of the ledger cannot be read and is left alone", "commit", known, "err", err)
		return remote, nil
	}
	left, err := l.leftovers(known, remote)
	if err != nil {
		return "", fmt.Errorf("compare the ledger with its copy on %s: %w", l.o.Remote, err)
	}
	if remote == "" || l.o.Folder == "" && l.contains(known, remote) {
		if err := l.repo.Push(ctx, l.o.Remote, l.o.Branch, remote, known); err != nil {
			return "", fmt.Errorf("restore the ledger from its copy: %w", err)
		}
		log = log.With("was", remote, "restored", known, "records", len(left))
		if remote == "" {
			log.Warn("the ledger branch was deleted: it was restored from its copy")
		} else {
			log.Warn("the ledger branch was set back: it was restored from its copy")
		}
		return known, nil
	}
	if len(left) == 0 {
		return remote, nil
	}
	// Both have gone their own ways, or this clone is too shallow to see that they have not. The records are merged; the
	// commits that they came from stay on the remote under a name of their own.
	if err := l.repo.Push(ctx, l.o.Remote, l.lostRef(known), "", known); err != nil && !errors.Is(err, gitrepo.ErrMoved) {
		log.Debug("the history of the ledger's copy could not be kept on the remote", "commit", known, "err", err)
	}
	tip, err := l.mergeCopy(ctx, remote, known, left)
	if err != nil {
		return "", fmt.Errorf("restore the ledger from its copy: %w", err)
	}
	log.Warn("the ledger branch was set back: what it had lost was merged from its copy", "was", remote, "copy", known, "records", len(left))
	return tip, nil
}

// mergeCopy commits what the branch lacks of its copy on top of the branch, and pushes that.
func (l *Ledger) mergeCopy(ctx context.Context, remote, known gitrepo.Hash, left []*ledger.Record) (tip gitrepo.Hash, err error) {
	was := l.tip
	l.tip = remote
	defer func() {
		if err != nil {
			l.tip = was
		}
	}()
	view, err := l.View()
	if err != nil {
		return "", err
	}
	if left, err = mergedInto(view, left); err != nil {
		return "", err
	}
	files, err := l.files(view, left)
	if err != nil {
		return "", err
	}
	rest, err := l.lostFiles(known, remote)
	if err != nil {
		return "", err
	}
	maps.Copy(rest, files)
	commit, err := l.commitFiles(ctx, message("what the branch had lost, restored from its copy", left), rest)
	if err != nil {
		return "", err
	}
	if err := l.push(ctx, remote, commit); err != nil {
		return "", err
	}
	l.tip = commit
	return commit, nil
}

// lostFiles returns the ledger's other files that a commit has and the branch lacks altogether: markers of what was
// sent, the opening, holds.
func (l *Ledger) lostFiles(known, remote gitrepo.Hash) (map[string][]byte, error) {
	mine, err := l.viewAt(known)
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
	files := map[string][]byte{}
	for _, c := range changes {
		file := mine.tree.rel(c.Path)
		top, _, _ := strings.Cut(file, "/")
		if c.Old != "" || c.New == "" || !slices.Contains([]string{saidDir, ledger.OpeningFile, ledger.UntimedFile, ledger.HoldsFile, ledger.ToldFile}, top) {
			continue
		}
		if files[file], err = mine.tree.ReadFile(file); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// mergedInto merges records with what a view knows of them.
func mergedInto(view *View, records []*ledger.Record) ([]*ledger.Record, error) {
	merged := make([]*ledger.Record, 0, len(records))
	for _, r := range records {
		known, err := view.Record(r.ID())
		if err != nil {
			return nil, err
		}
		if known != nil && known.Damaged == "" {
			r = ledger.Merge(r, known)
		}
		merged = append(merged, r)
	}
	return merged, nil
}

// localTip returns what this repository keeps of the ledger. With a remote that is only a copy: when it is damaged there is
// none, and nothing stops.
func (l *Ledger) localTip() (tip gitrepo.Hash, damaged bool, err error) {
	tip, err = l.repo.Ref(l.localRef())
	if err == nil {
		err = l.check(tip)
	}
	if err == nil || l.o.Remote == "" || errors.Is(err, ErrNotLedger) {
		return tip, false, err
	}
	l.o.Log.Warn("the local ledger cannot be read; that of the remote is used. Results that an earlier run could not push may be in it",
		"ref", l.localRef(), "commit", tip, "err", err)
	return "", true, nil
}

// fetch brings branches and the ledger's tip from the remote. What is damaged of the ledger here, where it is only a copy,
// is moved out of the way and fetched again.
func (l *Ledger) fetch(ctx context.Context, damaged bool, branches []string) (map[string]gitrepo.Hash, error) {
	once := func() (map[string]gitrepo.Hash, error) {
		heads, err := l.repo.Fetch(ctx, l.o.Remote, append(slices.Clone(branches), l.o.Branch)...)
		if errors.Is(err, gitrepo.ErrDamaged) {
			return nil, l.unreadable("", err)
		}
		if err != nil {
			return nil, err
		}
		if tip := heads[l.branchRef()]; tip != "" {
			if err := l.check(tip); err != nil {
				return nil, l.unreadable(tip, err)
			}
		}
		return heads, nil
	}
	if damaged {
		l.setAside(ctx)
	}
	heads, err := once()
	if err == nil || ctx.Err() != nil || !mayBeDamage(err) || !l.setAside(ctx) {
		return heads, err
	}
	return once()
}

// mayBeDamage reports whether a fetch may have failed because of what is here already. Git tells only in words; being
// wrong costs a look at the local ledger.
func mayBeDamage(err error) bool {
	if errors.Is(err, gitrepo.ErrDamaged) || errors.Is(err, gitrepo.ErrNotFound) {
		return true
	}
	return slices.ContainsFunc([]string{"bad object", "unable to unpack", "corrupt", "necessary objects", "inflate", "missing", "unable to read"}, func(words string) bool {
		return strings.Contains(err.Error(), words)
	})
}

// setAside moves what is damaged of the local ledger out of git's way: the files of objects, and the references that lead
// to them. It reports whether it found anything.
func (l *Ledger) setAside(ctx context.Context) (found bool) {
	for _, ref := range []string{l.localRef(), "refs/remotes/" + l.o.Remote + "/" + l.o.Branch} {
		tip, err := l.repo.Ref(ref)
		damage := []error{err}
		if err == nil && tip != "" {
			damage = l.damageBelow(tip)
		}
		if errors.Join(damage...) == nil {
			continue
		}
		found = true
		for _, err := range damage {
			if d, ok := errors.AsType[*gitrepo.DamagedObjectError](err); ok {
				err = l.repo.SetObjectAside(d.ID)
			} else {
				err = nil
			}
			if err != nil {
				l.o.Log.Debug("a damaged object could not be set aside", "err", err)
			}
		}
		if err := l.repo.SetRefAside(ctx, ref); err != nil {
			l.o.Log.Warn("a damaged reference could not be set aside", "ref", ref, "err", err)
			continue
		}
		l.o.Log.Warn("the local ledger is damaged: it was set aside, and is fetched again", "ref", ref, "commit", tip,
			"in", filepath.Join(l.repo.CommonDir(), "postrider", "damaged"), "err", errors.Join(damage...))
	}
	return found
}

// damageBelow returns why folders of a commit cannot be read.
func (l *Ledger) damageBelow(tip gitrepo.Hash) (damage []error) {
	view, err := l.viewAt(tip)
	if err != nil {
		return []error{err}
	}
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := view.tree.Entries(dir)
		if err != nil {
			damage = append(damage, err)
		}
		for _, e := range entries {
			if e.Mode.IsDir() {
				walk(e.Path)
			}
		}
	}
	walk("")
	return damage
}

// moveLocal moves the local branch to a commit, wherever it is.
func (l *Ledger) moveLocal(ctx context.Context, commit gitrepo.Hash) error {
	ctx = context.WithoutCancel(ctx)
	local, err := l.repo.Ref(l.localRef())
	if errors.Is(err, gitrepo.ErrDamaged) {
		return l.repo.ReplaceDamagedRef(ctx, l.localRef(), commit)
	}
	if err != nil || local == commit {
		return err
	}
	return l.repo.SetRef(ctx, l.localRef(), local, commit)
}

// follow moves the local branch after the remote's. It is only a copy there: when that fails the next run tries again.
func (l *Ledger) follow(ctx context.Context, remote gitrepo.Hash) {
	if err := l.moveLocal(ctx, remote); err != nil {
		l.o.Log.Warn("the local ledger could not be brought to that of the remote", "ref", l.localRef(), "commit", remote, "err", err)
	}
}

// unreadable explains a commit of the ledger that is damaged or missing in this clone.
func (l *Ledger) unreadable(commit gitrepo.Hash, err error) error {
	if err == nil || !errors.Is(err, gitrepo.ErrDamaged) && !errors.Is(err, gitrepo.ErrNotFound) {
		return err
	}
	back := "`git fsck` lists what is damaged; restore the repository from a copy or a clone of it"
	if l.o.Remote != "" {
		back = fmt.Sprintf("`git fsck` lists what is damaged; nothing is lost that is on %s: a fresh clone mends it", l.o.Remote)
	}
	what := "the ledger"
	if commit != "" {
		what = fmt.Sprintf("commit %s of the ledger", commit)
	}
	return fmt.Errorf("%s cannot be read in this repository: %w; %s", what, err, back)
}
