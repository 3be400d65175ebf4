package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/index"
)

// native is the backend that reads the repository in this process.
type native struct {
	repo *Repo
	fileRefs
	*objectStore
}

func newNative(r *Repo) *native {
	return &native{
		repo:        r,
		fileRefs:    fileRefs{layout: r.layout, format: r.format, opts: r.opts},
		objectStore: newObjectStore(r.format, filepath.Join(r.layout.commonDir, "objects")),
	}
}

func (n *native) name() string { return "native" }

func (n *native) updateRef(ctx context.Context, u refUpdate) error {
	return n.fileRefs.updateRef(ctx, u)
}

// expand knows abbreviated ids; for git's expressions it asks the git binary, if there is one.
func (n *native) expand(rev string) (Hash, error) {
	if l := strings.ToLower(rev); len(l) >= 4 && strings.Trim(l, "0123456789abcdef") == "" {
		found, err := n.withPrefix(l)
		if err != nil {
			return Zero, err
		}
		if len(found) > 1 {
			return Zero, fmt.Errorf("%w: %q is the beginning of several objects", ErrNotFound, rev)
		}
		if len(found) == 1 {
			return found[0], nil
		}
	}
	if n.repo.git != nil && strings.ContainsAny(rev, "~^@:") {
		return n.repo.git.revParse(rev)
	}
	return Zero, nil
}

// tracked looks into the index. A split or sparse one takes the git binary.
func (n *native) tracked(path string) (bool, error) {
	if n.repo.git != nil {
		return n.repo.git.tracked(path)
	}
	f, err := os.Open(filepath.Join(n.layout.gitDir, "index"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read index: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	var idx index.Index
	if err := index.NewDecoder(f).Decode(&idx); err != nil {
		return false, &UnsupportedError{Repository: n.layout.describe(), Feature: fmt.Sprintf("an index that cannot be read here (%v)", err)}
	}
	for _, e := range idx.Entries {
		if e.Name == path || strings.HasPrefix(e.Name, path+"/") {
			return true, nil
		}
	}
	return false, nil
}
