package gitledger

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// View is the ledger at one commit. It reads folders and files only as they are asked for and keeps
// what it has read; it is for use by one goroutine.
type View struct {
	repo   *gitrepo.Repo
	tree   *folder // nil when the branch does not exist
	commit gitrepo.Hash
	shards map[string]listing // of settled records, by folder

	stampOnce sync.Once
	stamps    [256]string // by number of the shard
	stampErr  error
	last      place // of the last post that was asked for
	open      map[ledger.ID]*ledger.Record
	damaged   []Damage

	untimed     []string // sorted
	untimedRead bool
	allUntimed  bool // the list cannot be read
}

// place is where the settled records of a post are.
type place struct {
	post    string
	folders [3]string // in the order of settled
}

// Damage is a file on the ledger branch that cannot be read. It is left alone; the delivery that it
// stands for is not sent before a person has looked.
type Damage struct {
	Path   string
	Err    error
	Commit gitrepo.Hash // since when the file is as it is; empty when that was long ago, or before a shallow clone begins
}

// folder is the part of a commit's tree that holds the ledger: all of it, or one folder of a branch on which people
// work. Paths are relative to it.
type folder struct {
	tree *gitrepo.Tree
	dir  string
}

// whole returns the commit's tree, nil when there is none.
func (f *folder) whole() *gitrepo.Tree {
	if f == nil {
		return nil
	}
	return f.tree
}

func (f *folder) at(p string) string { return path.Join(f.dir, p) }

func (f *folder) rel(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, f.dir), "/") }

func (f *folder) ID(p string) (gitrepo.Hash, error) { return f.tree.ID(f.at(p)) }

func (f *folder) ReadFile(p string) ([]byte, error) { return f.tree.ReadFile(f.at(p)) }

func (f *folder) Entries(p string) ([]gitrepo.Entry, error) {
	entries, err := f.tree.Entries(f.at(p))
	for i := range entries {
		entries[i].Path = f.rel(entries[i].Path)
	}
	return entries, err
}

func (f *folder) Names(p string) ([]string, error) { return f.tree.Names(f.at(p)) }

func (f *folder) Walk(p string, fn func(gitrepo.Entry) error) error {
	return f.tree.Walk(f.at(p), func(e gitrepo.Entry) error {
		e.Path = f.rel(e.Path)
		return fn(e)
	})
}

func newView(repo *gitrepo.Repo, commit gitrepo.Hash, dir string) (*View, error) {
	v := &View{repo: repo, commit: commit, shards: map[string]listing{}}
	if commit == "" {
		return v, nil
	}
	tree, err := repo.Tree(commit)
	if err != nil {
		return nil, fmt.Errorf("read the ledger at %s: %w", commit, err)
	}
	v.tree = &folder{tree, dir}
	return v, nil
}

// Commit returns the commit that the view shows, empty when the ledger does not exist yet.
func (v *View) Commit() gitrepo.Hash { return v.commit }

// Empty implements [ledger.View].
func (v *View) Empty() (bool, error) {
	if v.tree == nil {
		return true, nil
	}
	entries, err := v.entries("")
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(entries, func(e gitrepo.Entry) bool {
		return slices.Contains(ledger.States(), ledger.State(path.Base(e.Path)))
	}), nil
}

// entries lists a folder; one that does not exist is empty.
func (v *View) entries(dir string) ([]gitrepo.Entry, error) {
	if v.tree == nil {
		return nil, nil
	}
	if dir != "" {
		if id, err := v.tree.ID(dir); err != nil || id == "" {
			return nil, err
		}
	}
	return v.tree.Entries(dir)
}

// load reads the open states, once.
func (v *View) load() error {
	if v.open != nil {
		return nil
	}
	v.open = map[ledger.ID]*ledger.Record{}
	for _, s := range ledger.States() {
		if s.Settled() {
			continue
		}
		entries, err := v.entries(string(s))
		if err != nil {
			return err
		}
		for _, e := range entries {
			rec, err := v.read(e.Path)
			if err != nil {
				v.damaged = append(v.damaged, Damage{Path: e.Path, Err: err})
				if _, id, _, ok := ledger.ParsePath(e.Path); ok {
					v.open[id] = damagedRecord(id, e.Path, err)
				}
				continue
			}
			v.open[rec.ID()] = rec
		}
	}
	return nil
}

// damagedRecord stands for a record that cannot be read: an unknown outcome without any means to settle it.
func damagedRecord(id ledger.ID, file string, err error) *ledger.Record {
	r := &ledger.Record{Version: 1, Post: id.Post, Account: id.Account, Occurrence: id.Occurrence, State: ledger.Unknown, Damaged: file}
	r.Attempts = []ledger.Attempt{{N: 1, Outcome: "unknown", Error: "the ledger's file cannot be read: " + Damage{Path: file, Err: err}.String()}}
	return r
}

func (v *View) read(file string) (*ledger.Record, error) {
	b, err := v.tree.ReadFile(file)
	if err != nil {
		return nil, err
	}
	rec, err := ledger.Decode(b)
	if err != nil {
		return nil, err
	}
	if _, id, _, ok := ledger.ParsePath(file); ok && id != rec.ID() {
		return nil, fmt.Errorf("%w: its name says %s, its content %s", ledger.ErrFormat, id, rec.ID())
	}
	return rec, nil
}

var settled = [...]ledger.State{ledger.Published, ledger.Withdrawn, ledger.Skipped}

// folders returns the folders of a post's settled records. Posts are asked for account by account.
func (v *View) folders(post string) [3]string {
	if v.last.post != post || v.last.folders[0] == "" {
		v.last.post = post
		for i, s := range settled {
			v.last.folders[i] = ledger.Shard(s, post)
		}
	}
	return v.last.folders
}

// Stamp implements [ledger.Stamper]: the ids of the folders that the post's settled records are in, or would be.
func (v *View) Stamp(post string) (string, error) {
	if v.tree == nil {
		return "", nil
	}
	v.stampOnce.Do(v.readStamps)
	return v.stamps[ledger.ShardNumber(post)], v.stampErr
}

// readStamps looks the folders of all shards up.
func (v *View) readStamps() {
	for n := range v.stamps {
		for _, s := range settled {
			id, err := v.tree.ID(ledger.ShardFolder(s, byte(n)))
			if err != nil {
				v.stampErr = err
				return
			}
			v.stamps[n] += string(id) + " "
		}
	}
}

// listing is the names of a folder's records, sorted. All that a listing tells is in them, and a ledger may have hundreds of thousands.
type listing struct {
	dir   string
	names []string
}

// brief returns what the listing tells of a record.
func (l listing) brief(id ledger.ID) (b ledger.Brief, ok bool) {
	prefix := id.String() + "."
	i, _ := slices.BinarySearch(l.names, prefix)
	for ; i < len(l.names) && strings.HasPrefix(l.names[i], prefix); i++ {
		if state, found, mark, parsed := ledger.ParsePath(l.dir + "/" + l.names[i]); parsed && found == id {
			b, ok = ledger.Brief{State: state, Mark: mark}, true
		}
	}
	return b, ok
}

// of returns which records of a post there are.
func (l listing) of(post string) (ids []ledger.ID) {
	for _, name := range l.names {
		if !strings.HasPrefix(name, post) {
			continue
		}
		if _, id, _, ok := ledger.ParsePath(l.dir + "/" + name); ok && id.Post == post && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// shard lists the settled records in a folder, once.
func (v *View) shard(dir string) (listing, error) {
	if list, ok := v.shards[dir]; ok {
		return list, nil
	}
	list := listing{dir: dir}
	if v.tree != nil {
		var err error
		if list.names, err = v.tree.Names(dir); err != nil {
			return listing{}, err
		}
	}
	v.shards[dir] = list
	return list, nil
}

// Brief implements [ledger.View].
func (v *View) Brief(id ledger.ID) (ledger.Brief, bool, error) {
	if err := v.load(); err != nil {
		return ledger.Brief{}, false, err
	}
	if rec, ok := v.open[id]; ok {
		return ledger.Brief{State: rec.State}, true, nil
	}
	for _, dir := range v.folders(id.Post) {
		list, err := v.shard(dir)
		if err != nil {
			return ledger.Brief{}, false, err
		}
		if b, ok := list.brief(id); ok {
			return b, true, nil
		}
	}
	return ledger.Brief{}, false, nil
}

// Record implements [ledger.View].
func (v *View) Record(id ledger.ID) (*ledger.Record, error) {
	if _, ok, err := v.Brief(id); err != nil || !ok {
		return nil, err
	}
	if rec, ok := v.open[id]; ok {
		return rec.Clone(), nil
	}
	file, err := v.file(id)
	if err != nil {
		return nil, err
	}
	rec, err := v.read(file)
	if err != nil {
		v.damaged = append(v.damaged, Damage{Path: file, Err: err})
		return damagedRecord(id, file, err), nil
	}
	return rec, nil
}

// file returns the path of a record's file, empty when there is none.
func (v *View) file(id ledger.ID) (string, error) {
	b, ok, err := v.Brief(id)
	if err != nil || !ok {
		return "", err
	}
	if rec, ok := v.open[id]; ok {
		if rec.Damaged != "" {
			return rec.Damaged, nil
		}
		return rec.File(), nil
	}
	if b.State == ledger.Published {
		return path.Join(ledger.Shard(b.State, id.Post), id.String()+"."+b.Mark+".json"), nil
	}
	return path.Join(ledger.Shard(b.State, id.Post), id.String()+".json"), nil
}

// readme returns the branch's README, nil when there is none.
func (v *View) readme() ([]byte, error) { return v.top("README.md") }

// Open implements [ledger.View].
func (v *View) Open() ([]*ledger.Record, error) {
	if err := v.load(); err != nil {
		return nil, err
	}
	open := make([]*ledger.Record, 0, len(v.open))
	for _, rec := range v.open {
		open = append(open, rec.Clone())
	}
	ledger.SortRecords(open)
	return open, nil
}

// Said implements [ledger.View]. A marker that cannot be read is among the [View.Damaged].
func (v *View) Said(account, words string) (*ledger.Saying, error) {
	if words == "" {
		return nil, nil
	}
	file := ledger.SaidPath(account, words)
	b, err := v.top(file)
	if err != nil || b == nil {
		return nil, err
	}
	s, err := ledger.DecodeSaying(b)
	if err != nil {
		v.damaged = append(v.damaged, Damage{Path: file, Err: err})
		return &ledger.Saying{}, nil // that it is there proves that somebody has
	}
	return &s, nil
}

// Spent implements [ledger.View]. A file that cannot be read is among the [View.Damaged].
func (v *View) Spent(account string, m ledger.Month) (platform.USD, error) {
	spent, err := v.spent(m)
	if errors.Is(err, ledger.ErrFormat) {
		v.damaged = append(v.damaged, Damage{Path: ledger.SpentFile(m), Err: err})
	}
	return spent.By(account), err
}

// spent returns what was spent in a month; nil with an error.
func (v *View) spent(m ledger.Month) (ledger.Spent, error) {
	b, err := v.top(ledger.SpentFile(m))
	if err != nil {
		return nil, err
	}
	return ledger.DecodeSpent(b)
}

// Opening implements [ledger.View]. An error that wraps [ledger.ErrFormat] means that the file is damaged, which is among
// the [View.Damaged]; what the ledger knows besides still holds.
func (v *View) Opening() (ledger.Opening, error) {
	b, err := v.top(ledger.OpeningFile)
	if err != nil || b == nil {
		return ledger.Opening{}, err
	}
	o, err := ledger.DecodeOpening(b)
	if errors.Is(err, ledger.ErrFormat) {
		v.damaged = append(v.damaged, Damage{Path: ledger.OpeningFile, Err: err})
	}
	return o, err
}

// Untimed implements [ledger.View]. When the list cannot be read, every post may be on it.
func (v *View) Untimed(post string) (bool, error) {
	if !v.untimedRead {
		v.untimedRead = true
		b, err := v.top(ledger.UntimedFile)
		if err != nil {
			return false, err
		}
		if b != nil {
			if v.untimed, err = ledger.DecodeUntimed(b); err != nil {
				v.damaged = append(v.damaged, Damage{Path: ledger.UntimedFile, Err: err})
				v.allUntimed = true
			}
		}
	}
	_, found := slices.BinarySearch(v.untimed, post)
	return found || v.allUntimed, nil
}

// Holds implements [ledger.View]. A file that cannot be read stands for a hold of everything: somebody wanted a stop.
func (v *View) Holds() ([]ledger.Hold, error) {
	b, err := v.top(ledger.HoldsFile)
	if err != nil || b == nil {
		return nil, err
	}
	holds, err := ledger.DecodeHolds(b)
	if err != nil {
		v.damaged = append(v.damaged, Damage{Path: ledger.HoldsFile, Err: err})
		return []ledger.Hold{{Scope: ledger.ScopeAll, Reason: fmt.Sprintf("the ledger's list of holds cannot be read: %v", err)}}, nil
	}
	return holds, nil
}

// Told returns what people were told of what is open. Of a file that cannot be read nothing is known: they are told again.
func (v *View) Told() (ledger.Told, error) {
	b, err := v.top(ledger.ToldFile)
	if err != nil || b == nil {
		return ledger.Told{}, err
	}
	told, err := ledger.DecodeTold(b)
	if err != nil {
		v.damaged = append(v.damaged, Damage{Path: ledger.ToldFile, Err: err})
	}
	return told, nil
}

// top returns a file, nil when there is none.
func (v *View) top(file string) ([]byte, error) {
	if v.tree == nil {
		return nil, nil
	}
	if id, err := v.tree.ID(file); err != nil || id == "" {
		return nil, err
	}
	return v.tree.ReadFile(file)
}

// Each calls fn for every record, settled ones included, sorted by id within each state. It keeps none of them: memory does not
// grow with the ledger. A file that cannot be read is left out, and is among the [View.Damaged].
func (v *View) Each(fn func(*ledger.Record) error) error {
	return v.EachWhere(func(ledger.State, ledger.ID) bool { return true }, fn)
}

// EachWhere is [View.Each] for the records whose state and id match, which their names tell: the files of the others are
// not opened.
func (v *View) EachWhere(match func(ledger.State, ledger.ID) bool, fn func(*ledger.Record) error) error {
	open, err := v.Open()
	if err != nil {
		return err
	}
	for _, rec := range open {
		if !match(rec.State, rec.ID()) {
			continue
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
	for _, s := range settled {
		shards, err := v.entries(string(s))
		if err != nil {
			return err
		}
		for _, shard := range shards {
			if err := v.eachIn(shard.Path, match, fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachIn is [View.EachWhere] for one shard. It looks at the commit through a view of its own, which forgets the
// shard's listing when it is done.
func (v *View) eachIn(shard string, match func(ledger.State, ledger.ID) bool, fn func(*ledger.Record) error) error {
	once, err := newView(v.repo, v.commit, v.tree.dir)
	if err != nil {
		return err
	}
	entries, err := once.tree.Entries(shard)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if state, id, _, ok := ledger.ParsePath(e.Path); ok && !match(state, id) {
			continue
		}
		rec, err := once.read(e.Path)
		if err != nil {
			v.damaged = append(v.damaged, Damage{Path: e.Path, Err: err})
			continue
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
	return nil
}

// Of returns every record of one post, sorted by occurrence and account.
func (v *View) Of(post string) ([]*ledger.Record, error) {
	open, err := v.Open()
	if err != nil {
		return nil, err
	}
	records := slices.DeleteFunc(open, func(r *ledger.Record) bool { return r.Post != post })
	for _, dir := range v.folders(post) {
		list, err := v.shard(dir)
		if err != nil {
			return nil, err
		}
		for _, id := range list.of(post) {
			rec, err := v.Record(id)
			if err != nil {
				return nil, err
			}
			records = append(records, rec)
		}
	}
	ledger.SortRecords(records)
	return records, nil
}

// maxDated bounds how many damaged files are looked for in the history.
const maxDated = 20

// Damaged returns the files that could not be read so far, sorted by path.
func (v *View) Damaged() []Damage {
	list := slices.Clone(v.damaged)
	slices.SortFunc(list, func(a, b Damage) int { return strings.Compare(a.Path, b.Path) })
	list = slices.CompactFunc(list, func(a, b Damage) bool { return a.Path == b.Path })
	for i := range list[:min(len(list), maxDated)] {
		list[i].Commit = v.since(list[i].Path)
	}
	return list
}
