package gitrepo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CommitInfo is what a commit says about itself.
type CommitInfo struct {
	Hash    Hash
	Tree    Hash
	Parents []Hash // none at the boundary of a shallow clone
	Name    string // the author's
	Email   string
	Time    time.Time // the committer's
	// CommitterName and CommitterEmail are of whom made the commit of what the author wrote.
	CommitterName, CommitterEmail string

	Subject string // the first line of the message
	Body    string // the rest, without empty lines around it
}

// CommitInfo reads a commit.
func (r *Repo) CommitInfo(h Hash) (CommitInfo, error) {
	data, err := r.objectOf(kindCommit, h)
	if err != nil {
		return CommitInfo{}, err
	}
	c, err := parseCommit(data, r.format)
	if err != nil {
		return CommitInfo{}, fmt.Errorf("commit %s: %w", h.Short(), err)
	}
	c.Hash = h
	if shallow, err := r.shallow(); err != nil {
		return CommitInfo{}, err
	} else if shallow[h] {
		c.Parents = nil
	}
	return c, nil
}

// parseCommit decodes a commit object.
func parseCommit(b []byte, f objectFormat) (CommitInfo, error) {
	var c CommitInfo
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		b = rest
		if len(line) == 0 || !ok {
			break
		}
		key, value, _ := strings.Cut(string(line), " ")
		switch key {
		case "tree":
			c.Tree = Hash(value)
		case "parent":
			if !f.valid(value) {
				return c, fmt.Errorf("%w: parent %q", errCorrupt, value)
			}
			c.Parents = append(c.Parents, Hash(value))
		case "author":
			c.Name, c.Email, _ = parseSignature(value)
		case "committer":
			c.CommitterName, c.CommitterEmail, c.Time = parseSignature(value)
		}
	}
	if !f.valid(string(c.Tree)) {
		return c, fmt.Errorf("%w: no tree", errCorrupt)
	}
	subject, body, _ := strings.Cut(strings.TrimLeft(string(b), "\n"), "\n")
	c.Subject, c.Body = subject, strings.Trim(body, "\n")
	return c, nil
}

// parseSignature splits "Name <email> seconds offset".
func parseSignature(s string) (name, email string, t time.Time) {
	name, rest, _ := strings.Cut(s, "<")
	email, rest, _ = strings.Cut(rest, ">")
	when := strings.Fields(rest)
	if len(when) > 0 {
		if sec, err := strconv.ParseInt(when[0], 10, 64); err == nil {
			t = time.Unix(sec, 0).UTC()
		}
	}
	if len(when) > 1 {
		if z, err := time.Parse("-0700", when[1]); err == nil {
			_, off := z.Zone()
			t = t.In(time.FixedZone("", off))
		}
	}
	return strings.TrimSpace(name), email, t
}

// IsCutOff reports whether a commit is at the boundary of a shallow clone: it may have parents that are not here.
func (r *Repo) IsCutOff(h Hash) (bool, error) {
	boundary, err := r.shallow()
	return boundary[h], err
}

// shallow returns the commits at which the history of this clone was cut off. The file is read
// again when it has changed.
func (r *Repo) shallow() (map[Hash]bool, error) {
	file := filepath.Join(r.layout.commonDir, "shallow")
	fi, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read shallow boundary: %w", err)
	}
	r.shallowMu.Lock()
	defer r.shallowMu.Unlock()
	if r.shallowSet != nil && fi.ModTime().Equal(r.shallowStamp) {
		return r.shallowSet, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read shallow boundary: %w", err)
	}
	set := map[Hash]bool{}
	for l := range strings.FieldsSeq(string(b)) {
		set[Hash(l)] = true
	}
	r.shallowSet, r.shallowStamp = set, fi.ModTime()
	return set, nil
}

// Log calls fn with from and its first parents, newest first, max of them at most (0: all). It ends
// without error at the boundary of a shallow clone, or when fn returns [fs.SkipAll].
func (r *Repo) Log(from Hash, max int, fn func(CommitInfo) error) error {
	for n := 0; from != Zero && (max <= 0 || n < max); n++ {
		c, err := r.CommitInfo(from)
		if err != nil {
			return err
		}
		if err := fn(c); err != nil {
			if errors.Is(err, fs.SkipAll) {
				return nil
			}
			return err
		}
		from = Zero
		if len(c.Parents) > 0 {
			from = c.Parents[0]
		}
	}
	return nil
}

// Commit is a change of some files on the tip of a branch.
type Commit struct {
	Branch  string            // "postrider/ledger"; "" moves no reference, for a commit that is pushed first
	Parent  Hash              // the tip that Files were made for; Zero begins the branch
	Files   map[string][]byte // slash-separated paths from the top; nil deletes, a folder too
	Message string
	Name    string // author and committer; "" takes [Repo.Identity]
	Email   string
	Time    time.Time // the zero time takes [Options.Now]
	// Root makes the commit one without a parent: it has Parent's files, changed by Files, and none of its history. See [Repo.Replace].
	Root bool
}

// Commit writes the files, the folders they change and a commit to the object store, and then moves
// the branch from c.Parent to the new commit, which it returns. It touches no index and no work
// tree: in a branch that is checked out, the user's next git status shows the difference.
//
// It is a compare-and-swap: when the branch is not at c.Parent the error is [ErrMoved] and nothing
// has changed. When c changes nothing it makes no commit and returns c.Parent. Modes of existing
// files are kept; a file in the place of a folder, or the reverse, is an error.
//
// Without a branch the commit is only written, on c.Parent, for [Repo.Push] or [Repo.SetRef].
func (r *Repo) Commit(ctx context.Context, c Commit) (Hash, error) {
	ref := "refs/heads/" + c.Branch
	if c.Branch != "" {
		if err := checkRefName(ref); err != nil {
			return Zero, err
		}
	}
	if strings.TrimSpace(c.Message) == "" {
		return Zero, errors.New("commit without a message")
	}
	if err := ctx.Err(); err != nil {
		return Zero, err
	}
	// The cheap look first: most races are decided here, before anything is written.
	if c.Branch != "" {
		have, err := r.back.ref(ref)
		if err != nil {
			return Zero, err
		}
		if have != c.Parent {
			return Zero, &MovedError{Ref: ref, Want: c.Parent, Have: have}
		}
	}
	base, err := r.Tree(c.Parent)
	if err != nil {
		return Zero, err
	}
	edit, err := newEdit(c.Files)
	if err != nil {
		return Zero, err
	}
	b := treeBuilder{base: base, format: r.format}
	root, err := b.build(edit, base.root, "")
	if err != nil {
		return Zero, err
	}
	if root == Zero { // nothing left: git's empty tree
		if root, err = b.add(kindTree, nil); err != nil {
			return Zero, err
		}
	}
	if root == base.root && c.Parent != Zero {
		return c.Parent, nil
	}
	if c.Name == "" || c.Email == "" {
		n, e := r.Identity(ctx)
		c.Name, c.Email = cmp.Or(c.Name, n), cmp.Or(c.Email, e)
	}
	if c.Time.IsZero() {
		c.Time = r.opts.Now()
	}
	who := signature(c.Name, c.Email)
	id, err := b.add(kindCommit, encodeCommit(root, c, who))
	if err != nil {
		return Zero, err
	}
	r.removeTemps()
	if err := writeObjects(filepath.Join(r.layout.commonDir, "objects"), b.objects, r.format); err != nil {
		return Zero, err
	}
	if c.Branch == "" {
		return id, nil
	}
	subject, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
	err = r.back.updateRef(ctx, refUpdate{
		name: ref, old: c.Parent, new: id, who: who,
		reason: "commit: " + subject, when: c.Time,
	})
	if err != nil {
		return Zero, err
	}
	return id, nil
}

func encodeCommit(tree Hash, c Commit, who string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", tree)
	if c.Parent != Zero && !c.Root {
		fmt.Fprintf(&b, "parent %s\n", c.Parent)
	}
	when := gitTime(c.Time)
	fmt.Fprintf(&b, "author %s %s\ncommitter %s %s\n", who, when, who, when)
	msg := strings.ToValidUTF8(strings.ReplaceAll(c.Message, "\x00", ""), "\uFFFD")
	fmt.Fprintf(&b, "\n%s\n", strings.TrimRight(strings.TrimLeft(msg, "\n"), "\n \t"))
	return b.Bytes()
}

// edit is the changes to one folder.
type edit struct {
	files map[string][]byte // nil deletes
	dirs  map[string]*edit
}

// newEdit sorts the paths of a commit into folders.
func newEdit(files map[string][]byte) (*edit, error) {
	top := &edit{files: map[string][]byte{}, dirs: map[string]*edit{}}
	for p, data := range files {
		if err := checkPath(p); err != nil {
			return nil, err
		}
		e, parts := top, strings.Split(p, "/")
		for _, d := range parts[:len(parts)-1] {
			if e.dirs[d] == nil {
				e.dirs[d] = &edit{files: map[string][]byte{}, dirs: map[string]*edit{}}
			}
			e = e.dirs[d]
		}
		e.files[parts[len(parts)-1]] = data
	}
	return top, nil
}

// checkPath refuses what must not be in a tree: a checkout of it could write outside the work tree
// or into .git.
func checkPath(p string) error {
	if !fs.ValidPath(p) || p == "." || strings.ContainsAny(p, "\\\x00") {
		return fmt.Errorf("%q cannot be committed: not a plain path", p)
	}
	for part := range strings.SplitSeq(p, "/") {
		if l := strings.ToLower(strings.TrimRight(part, ". ")); l == ".git" || l == "git~1" {
			return fmt.Errorf("%q cannot be committed: it leads into git's own folder", p)
		}
	}
	return nil
}

// treeBuilder makes the new objects of a commit: those a commit refers to come before it.
type treeBuilder struct {
	base    *Tree
	format  objectFormat
	objects []newObject
}

func (b *treeBuilder) add(kind objectKind, data []byte) (Hash, error) {
	if len(data) > maxObject {
		return Zero, fmt.Errorf("object of %d bytes is larger than the limit of %d", len(data), maxObject)
	}
	id := b.format.sum(kind, data)
	b.objects = append(b.objects, newObject{id, kind, data})
	return id, nil
}

// build returns the id of a folder after the edit, Zero when nothing is left in it.
func (b *treeBuilder) build(e *edit, old Hash, dir string) (Hash, error) {
	entries, err := b.base.list(old)
	if err != nil {
		return Zero, err
	}
	now := make(map[string]treeEntry, len(entries))
	for _, x := range entries {
		now[x.name] = x
	}
	changed := false
	for _, name := range sortedKeys(e.files) {
		data, had := e.files[name], now[name]
		if data == nil {
			if had.name != "" {
				delete(now, name)
				changed = true
			}
			continue
		}
		if had.isTree() && e.dirs[name] == nil || e.dirs[name] != nil {
			return Zero, fmt.Errorf("%q cannot be committed as a file: it is a folder", dir+name)
		}
		mode := uint32(modeFile)
		if had.mode == modeExec {
			mode = modeExec
		}
		id := b.format.sum(kindBlob, data)
		if had.id == id && had.mode == mode {
			continue
		}
		if _, err := b.add(kindBlob, data); err != nil {
			return Zero, err
		}
		now[name] = treeEntry{name: name, mode: mode, id: id}
		changed = true
	}
	for _, name := range sortedKeys(e.dirs) {
		had := now[name]
		if had.name != "" && !had.isTree() {
			if !e.dirs[name].writes() {
				continue // deleting below a file: there is nothing to delete
			}
			return Zero, fmt.Errorf("%q cannot be committed as a folder: it is a file", dir+name)
		}
		id, err := b.build(e.dirs[name], had.id, dir+name+"/")
		if err != nil {
			return Zero, err
		}
		switch id {
		case had.id:
		case Zero:
			delete(now, name)
			changed = true
		default:
			now[name] = treeEntry{name: name, mode: modeTree, id: id}
			changed = true
		}
	}
	if !changed {
		return old, nil
	}
	if len(now) == 0 {
		return Zero, nil
	}
	list := make([]treeEntry, 0, len(now))
	for _, x := range now {
		list = append(list, x)
	}
	slices.SortFunc(list, func(x, y treeEntry) int { return strings.Compare(x.sortKey(), y.sortKey()) })
	data, err := encodeTree(list)
	if err != nil {
		return Zero, err
	}
	return b.add(kindTree, data)
}

// writes reports whether the edit puts any file somewhere.
func (e *edit) writes() bool {
	for _, d := range e.files {
		if d != nil {
			return true
		}
	}
	for _, d := range e.dirs {
		if d.writes() {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func sortByName(d []fs.DirEntry) {
	slices.SortFunc(d, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
