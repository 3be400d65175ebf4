package gitrepo

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
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

// tracked looks into the index.
func (n *native) tracked(path string) (bool, error) {
	entries, err := n.repo.index(context.Background())
	if err != nil {
		return false, fmt.Errorf("read index: %w", err)
	}
	return slices.ContainsFunc(entries, func(e indexEntry) bool { return e.path == path || strings.HasPrefix(e.path, path+"/") }), nil
}
