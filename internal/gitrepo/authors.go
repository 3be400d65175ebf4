package gitrepo

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
)

// Authors returns who added each file below dir that is there at a commit: the author's name by the file's path from the top.
//
// It goes back along the history and compares folders by their ids, so a commit costs reading the folders that it changed. A file that a
// merge brought in is looked for on the branch that it came from; one that was moved below dir without a change of its content keeps its
// author. The history ends at the boundary of a shallow clone: files that were there already are left out. It ends early when
// every file has its author.
func (r *Repo) Authors(ctx context.Context, at Hash, dir string) (map[string]string, error) {
	t, err := r.Tree(at)
	if err != nil {
		return nil, err
	}
	files := fileNames{}
	if err := t.Walk(dir, func(e Entry) error {
		files[e.Path] = []string{e.Path}
		return nil
	}); err != nil {
		return nil, err
	}
	s := &authorSearch{
		repo: r, dir: clean(dir), authors: make(map[string]string, len(files)),
		wanted: map[Hash]fileNames{}, trees: treeCache{young: map[Hash][]byte{}},
	}
	if err := s.ask(at, files); err != nil {
		return nil, err
	}
	for s.queue.Len() > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.step(heap.Pop(&s.queue).(historyStep)); err != nil {
			return nil, err
		}
	}
	return s.authors, nil
}

// fileNames are the files that are looked for in a commit: by their path there, their paths at the end.
type fileNames map[string][]string

// authorSearch goes through the history from its end, the newest commit first, so that where branches begin, what is looked for on them
// comes together again.
type authorSearch struct {
	repo    *Repo
	dir     string
	authors map[string]string
	wanted  map[Hash]fileNames // by commit: in the queue
	queue   stepQueue
	trees   treeCache
}

// historyStep is a commit that is to be looked at.
type historyStep struct {
	commit CommitInfo
	folder Hash // that of dir; Zero: there is none
	order  int
}

// ask looks for files that are in a commit.
func (s *authorSearch) ask(at Hash, files fileNames) error {
	if len(files) == 0 {
		return nil
	}
	if there, ok := s.wanted[at]; ok {
		if len(there) < len(files) {
			there, files = files, there
		}
		for name, final := range files {
			there[name] = append(there[name], final...)
		}
		s.wanted[at] = there
		return nil
	}
	c, err := s.repo.CommitInfo(at)
	if err != nil {
		return err
	}
	folder, err := s.find(c.Tree, s.dir)
	if err != nil {
		return fmt.Errorf("commit %s: %w", at.Short(), err)
	}
	if folder.mode&modeType != modeTree {
		folder.id = Zero
	}
	s.wanted[at] = files
	heap.Push(&s.queue, historyStep{c, folder.id, len(s.wanted)})
	return nil
}

// step finds which of the wanted files a commit has added, and hands the others on to its parents.
func (s *authorSearch) step(at historyStep) error {
	c := at.commit
	files := s.wanted[c.Hash]
	delete(s.wanted, c.Hash)
	if len(c.Parents) == 0 {
		shallow, err := s.repo.shallow()
		if err != nil || shallow[c.Hash] {
			return err
		}
		for name := range files {
			s.settle(files, name, c)
		}
		return nil
	}
	parent, err := s.repo.CommitInfo(c.Parents[0])
	if err != nil {
		return err
	}
	before, err := s.find(parent.Tree, s.dir)
	if err != nil {
		return fmt.Errorf("commit %s: %w", parent.Hash.Short(), err)
	}
	if before.mode&modeType != modeTree {
		before.id = Zero
	}
	var d moves
	if err := s.compare(s.dir, before.id, at.folder, &d); err != nil {
		return fmt.Errorf("commit %s: %w", c.Hash.Short(), err)
	}
	branches := make([]fileNames, len(c.Parents))
	for _, f := range d.added {
		final, ok := files[f.name]
		if !ok {
			continue
		}
		k, err := s.branch(c, f.name)
		if err != nil {
			return err
		}
		from := f.name
		if k == 0 {
			if from, ok = d.source(f); !ok {
				s.settle(files, f.name, c)
				continue
			}
		}
		delete(files, f.name)
		if branches[k] == nil {
			branches[k] = fileNames{}
		}
		branches[k][from] = append(branches[k][from], final...)
	}
	for from, final := range branches[0] { // only now: a file may have gone where another came from
		files[from] = append(files[from], final...)
	}
	branches[0] = files
	for k, files := range branches {
		if err := s.ask(c.Parents[k], files); err != nil {
			return err
		}
	}
	return nil
}

// settle says that a commit has added a file.
func (s *authorSearch) settle(files fileNames, name string, c CommitInfo) {
	for _, final := range files[name] {
		s.authors[final] = cmp.Or(c.Name, c.Email)
	}
	delete(files, name)
}

// branch returns which parent of a merge, but for the first, has a file; 0 when none does.
func (s *authorSearch) branch(c CommitInfo, name string) (int, error) {
	for k := 1; k < len(c.Parents); k++ {
		parent, err := s.repo.CommitInfo(c.Parents[k])
		if err != nil {
			return 0, err
		}
		e, err := s.find(parent.Tree, name)
		if err != nil {
			return 0, fmt.Errorf("commit %s: %w", parent.Hash.Short(), err)
		}
		if isFile(e.mode) {
			return k, nil
		}
	}
	return 0, nil
}

func isFile(mode uint32) bool {
	kind := mode & modeType
	return kind != 0 && kind != modeTree && kind != modeSubmodule
}

// movable is a file that is on one side of a comparison only.
type movable struct {
	name string
	id   string // of the blob, as bytes
}

// moves are the files that one commit has added and removed.
type moves struct {
	added, removed []movable
	changed        []string            // files that are on both sides, and differ
	sources        map[string][]string // the removed, by id
}

// source returns the name that an added file had before, if it was moved.
func (d *moves) source(f movable) (string, bool) {
	if d.sources == nil {
		d.sources = make(map[string][]string, len(d.removed))
		for _, r := range d.removed {
			d.sources[r.id] = append(d.sources[r.id], r.name)
		}
	}
	names := d.sources[f.id]
	if len(names) == 0 {
		return "", false
	}
	best := 0
	for i, name := range names { // of several with the same content, rather the one of the same name
		if path.Base(name) == path.Base(f.name) {
			best = i
			break
		}
	}
	name := names[best]
	d.sources[f.id] = append(names[:best:best], names[best+1:]...)
	return name, true
}

// compare collects the files that are in only one of two folders. Either may be Zero.
func (s *authorSearch) compare(dir string, before, after Hash, d *moves) error {
	if before == after {
		return nil
	}
	old, err := s.tree(before)
	if err != nil {
		return err
	}
	now, err := s.tree(after)
	if err != nil {
		return err
	}
	idLen := s.repo.format.size
	var x, y rawEntry
	var oldRest, nowRest []byte
	for {
		if old, now, err = skipEqual(old, now, idLen); err != nil {
			return err
		}
		if len(old) == 0 && len(now) == 0 {
			return nil
		}
		order := 0
		if len(old) > 0 {
			if x, oldRest, err = cutEntry(old, idLen); err != nil {
				return err
			}
		}
		if len(now) > 0 {
			if y, nowRest, err = cutEntry(now, idLen); err != nil {
				return err
			}
		}
		switch {
		case len(old) == 0:
			order = 1
		case len(now) == 0:
			order = -1
		default:
			order = compareEntries(x, y)
		}
		switch {
		case order < 0:
			old = oldRest
			err = s.collect(dir, x, rawEntry{}, d)
		case order > 0:
			now = nowRest
			err = s.collect(dir, rawEntry{}, y, d)
		default:
			old, now = oldRest, nowRest
			if !bytes.Equal(x.id, y.id) || x.mode != y.mode {
				err = s.collect(dir, x, y, d)
			}
		}
		if err != nil {
			return err
		}
	}
}

// skipEqual returns two lists of entries without those that they begin with alike: of a long folder, one commit changes few.
func skipEqual(a, b []byte, idLen int) (restA, restB []byte, err error) {
	const block = 256
	same, n := 0, min(len(a), len(b))
	for same+block <= n && bytes.Equal(a[same:same+block], b[same:same+block]) {
		same += block
	}
	for same < n && a[same] == b[same] {
		same++
	}
	if same == len(a) && same == len(b) {
		return nil, nil, nil
	}
	for same > 0 {
		_, rest, err := cutEntry(a, idLen)
		if err != nil {
			return nil, nil, err
		}
		used := len(a) - len(rest)
		if used > same {
			break
		}
		a, b, same = rest, b[used:], same-used
	}
	return a, b, nil
}

// collect compares two entries of one name, of which one may be the zero one: not there.
func (s *authorSearch) collect(dir string, x, y rawEntry, d *moves) error {
	name := path.Join(dir, string(x.name))
	if x.name == nil {
		name = path.Join(dir, string(y.name))
	}
	was, is := isFile(x.mode), isFile(y.mode)
	switch {
	case is && !was:
		d.added = append(d.added, movable{name, string(y.id)})
	case was && !is:
		d.removed = append(d.removed, movable{name, string(x.id)})
	case is && was:
		d.changed = append(d.changed, name)
	}
	var before, after Hash
	if x.isTree() {
		before = Hash(hex.EncodeToString(x.id))
	}
	if y.isTree() {
		after = Hash(hex.EncodeToString(y.id))
	}
	return s.compare(name, before, after, d)
}

// compareEntries compares as git sorts: a folder's name counts with a slash behind it.
func compareEntries(x, y rawEntry) int {
	n := min(len(x.name), len(y.name))
	if c := bytes.Compare(x.name[:n], y.name[:n]); c != 0 {
		return c
	}
	next := func(e rawEntry) byte {
		switch {
		case len(e.name) > n:
			return e.name[n]
		case e.isTree():
			return '/'
		}
		return 0
	}
	return cmp.Compare(next(x), next(y))
}

// find returns the entry at a path below a tree, the zero one when there is none.
func (s *authorSearch) find(tree Hash, name string) (treeEntry, error) {
	e := treeEntry{mode: modeTree, id: tree}
	if name == "" {
		return e, nil
	}
parts:
	for part := range strings.SplitSeq(name, "/") {
		if !e.isTree() {
			return treeEntry{}, nil
		}
		rest, err := s.tree(e.id)
		if err != nil {
			return treeEntry{}, err
		}
		for len(rest) > 0 {
			var raw rawEntry
			if raw, rest, err = cutEntry(rest, s.repo.format.size); err != nil {
				return treeEntry{}, err
			}
			if string(raw.name) == part {
				e = treeEntry{mode: raw.mode, id: Hash(hex.EncodeToString(raw.id))}
				continue parts
			}
		}
		return treeEntry{}, nil
	}
	return e, nil
}

// tree returns a tree object's bytes.
func (s *authorSearch) tree(id Hash) ([]byte, error) {
	if id == Zero {
		return nil, nil
	}
	if b, ok := s.trees.get(id); ok {
		return b, nil
	}
	b, err := s.repo.objectOf(kindTree, id)
	if err == nil {
		s.trees.put(id, b)
	}
	return b, err
}

// treeCache remembers the trees that were read last: most of those of a commit are its parent's too.
type treeCache struct {
	young, old map[Hash][]byte
	size       int // of young
}

const treeCacheSize = 8 << 20

func (c *treeCache) get(id Hash) ([]byte, bool) {
	b, ok := c.young[id]
	if !ok {
		if b, ok = c.old[id]; ok {
			c.put(id, b)
		}
	}
	return b, ok
}

func (c *treeCache) put(id Hash, b []byte) {
	if c.size > treeCacheSize {
		c.young, c.old, c.size = map[Hash][]byte{}, c.young, 0
	}
	c.young[id] = b
	c.size += len(b)
}

// stepQueue is a heap with the newest commit first.
type stepQueue []historyStep

func (q stepQueue) Len() int { return len(q) }
func (q stepQueue) Less(i, j int) bool {
	return cmp.Or(q[j].commit.Time.Compare(q[i].commit.Time), cmp.Compare(q[i].order, q[j].order)) < 0
}
func (q stepQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *stepQueue) Push(x any)   { *q = append(*q, x.(historyStep)) }
func (q *stepQueue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = historyStep{}
	*q = (*q)[:last]
	return x
}
