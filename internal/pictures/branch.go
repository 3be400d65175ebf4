package pictures

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
)

// DefaultBranch is the branch that pictures are kept on unless another one is named.
const DefaultBranch = "postrider-pictures"

const (
	// indexFile says when the pictures of which pull request were drawn. It also tells a branch of ours from somebody's work.
	indexFile = "drawn.json"
	// keptDays and keptPulls are how long pictures are kept: those of so many pull requests, and none that were drawn so long ago.
	keptDays, keptPulls = 60, 30
	// maxTries bounds how often the pictures are added again when others are faster.
	maxTries = 8
)

// ErrNotOurs means that the branch for pictures holds something else.
var ErrNotOurs = errors.New("the branch holds something else than pictures")

// Branch keeps pictures on a branch of a remote. It has one commit, which each that follows replaces, so that what was removed is gone.
type Branch struct {
	Repo   *gitrepo.Repo
	Remote string
	Name   string
	Now    time.Time
}

// index is what indexFile says: the day by pull request.
type index map[int]string

// Put keeps the files of a pull request in the place of those that were kept of it, and removes those of old ones. It returns the path of each file, by
// its name. Errors wrap [ErrNotOurs], or are those of gitrepo: [gitrepo.ErrRefused] and [gitrepo.ErrAuth] where nobody lets us push.
func (b *Branch) Put(ctx context.Context, pull int, files map[string][]byte) (map[string]string, error) {
	paths := make(map[string]string, len(files))
	for name := range files {
		paths[name] = strconv.Itoa(pull) + "/" + name
	}
	for try := 1; ; try++ {
		err := b.put(ctx, pull, files)
		if err == nil {
			return paths, nil
		}
		if !errors.Is(err, gitrepo.ErrMoved) || try == maxTries {
			return nil, err
		}
	}
}

func (b *Branch) put(ctx context.Context, pull int, files map[string][]byte) error {
	heads, err := b.Repo.Fetch(ctx, b.Remote, b.Name)
	if err != nil {
		return err
	}
	tip := heads["refs/heads/"+b.Name]
	change, err := b.change(tip, pull, files)
	if err != nil {
		return err
	}
	commit, err := b.Repo.Commit(ctx, gitrepo.Commit{
		Parent: tip, Root: true, Files: change, Time: b.Now, Message: fmt.Sprintf("Pictures for pull request %d\n\n[skip ci]", pull),
	})
	if err != nil || commit == tip {
		return err
	}
	return b.Repo.Replace(ctx, b.Remote, b.Name, tip, commit)
}

// change returns what becomes another file on the branch, and what goes.
func (b *Branch) change(tip gitrepo.Hash, pull int, files map[string][]byte) (map[string][]byte, error) {
	tree, err := b.Repo.Tree(tip)
	if err != nil {
		return nil, err
	}
	fsys := tree.FS()
	drawn := index{}
	if tip != gitrepo.Zero {
		src, err := fs.ReadFile(fsys, indexFile)
		if err != nil || json.Unmarshal(src, &drawn) != nil || drawn == nil {
			return nil, fmt.Errorf("branch %q: %w: it has no readable %s", b.Name, ErrNotOurs, indexFile)
		}
	}
	drawn[pull] = b.Now.UTC().Format(time.DateOnly)
	drawn.forget(b.Now.UTC().AddDate(0, 0, -keptDays).Format(time.DateOnly))

	change := map[string][]byte{}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && drawn[n] == "" {
			change[e.Name()] = nil
		}
	}
	own := strconv.Itoa(pull)
	was, err := fs.ReadDir(fsys, own)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range was {
		change[own+"/"+e.Name()] = nil
	}
	for name, data := range files {
		change[own+"/"+name] = data
	}
	src, err := json.MarshalIndent(drawn, "", " ")
	if err != nil {
		return nil, err
	}
	change[indexFile] = append(src, '\n')
	change["README.md"] = []byte(readme)
	return change, nil
}

// forget removes pull requests that were drawn before a day, and the oldest when there are too many.
func (d index) forget(before string) {
	order := slices.SortedFunc(maps.Keys(d), func(x, y int) int { return cmp.Or(strings.Compare(d[y], d[x]), cmp.Compare(y, x)) })
	for i, pull := range order {
		if i >= keptPulls || d[pull] < before {
			delete(d, pull)
		}
	}
}

const readme = `# Pictures

` + "`postrider review`" + ` keeps here what it shows under pull requests: how posts look on their networks. A folder is a pull request.

Every run replaces the only commit of this branch, and leaves out what is older than 60 days. Nothing else is kept here,
and the branch can be deleted at any time.
`
