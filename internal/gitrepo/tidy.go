package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// manyPacks is how many packs a repository may have before it is tidied. Every fetch that brings something leaves one.
const manyPacks = 50

// Tidy has git put the repository's packs together when there are many of them, as git does by itself after a fetch of its own.
// It does nothing where there is no git program. A repository that stays untidy is only slower.
func (r *Repo) Tidy(ctx context.Context) {
	if r.git == nil {
		return
	}
	entries, err := os.ReadDir(filepath.Join(r.layout.commonDir, "objects", "pack"))
	if err != nil {
		return
	}
	packs := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".pack") {
			packs++
		}
	}
	if packs <= manyPacks {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	if _, err := r.git.output(ctx, nil, "-c", "gc.autoDetach=false", "gc", "--auto", "--quiet"); err != nil {
		r.opts.Log.Debug("the repository could not be tidied", "err", err)
	}
}
