package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoWorkTree means that a repository is bare: it has no files that people work on.
var ErrNoWorkTree = errors.New("the repository has no work tree")

// ErrUnmerged means that a merge has left files for somebody to settle. See [UnmergedError].
var ErrUnmerged = errors.New("files are not merged")

// UnmergedError is an [ErrUnmerged] with the files.
type UnmergedError struct{ Paths []string } // from the top of the work tree, sorted

// Error implements error.
func (e *UnmergedError) Error() string {
	if len(e.Paths) == 1 {
		return fmt.Sprintf("%q has conflicts of a merge", e.Paths[0])
	}
	return fmt.Sprintf("%q and %d more have conflicts of a merge", e.Paths[0], len(e.Paths)-1)
}

// Is reports that e is an [ErrUnmerged].
func (e *UnmergedError) Is(target error) bool { return target == ErrUnmerged }

// Staged returns what the next commit of the work tree will have: the content of the index. Within a hook that is the index of the commit that is
// being made, which git names in GIT_INDEX_FILE. Files that are only announced (git add -N) are not in it. Nothing is written.
//
// The error is an [ErrUnmerged] while a merge has files to settle, and an [ErrNoWorkTree] in a bare repository.
func (r *Repo) Staged(ctx context.Context) (*Tree, error) {
	if r.layout.root == "" {
		return nil, fmt.Errorf("%w: %q", ErrNoWorkTree, r.layout.describe())
	}
	entries, err := r.index(ctx)
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	var unmerged []string
	kept := entries[:0]
	for _, e := range entries {
		switch {
		case e.stage != 0:
			if n := len(unmerged); n == 0 || unmerged[n-1] != e.path {
				unmerged = append(unmerged, e.path)
			}
		case !e.later:
			kept = append(kept, e)
		}
	}
	if len(unmerged) > 0 {
		return nil, &UnmergedError{Paths: unmerged}
	}
	return stagedTree(r, kept)
}

// index returns the entries of the index, none where there is no index yet.
func (r *Repo) index(ctx context.Context) ([]indexEntry, error) {
	file := r.opts.Env("GIT_INDEX_FILE")
	switch {
	case file == "":
		file = filepath.Join(r.layout.gitDir, "index")
	case !filepath.IsAbs(file): // git runs hooks at the top of the work tree
		file = filepath.Join(r.layout.root, file)
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := parseIndex(b, r.format)
	if !errors.Is(err, errOtherIndex) {
		return entries, err
	}
	if r.git == nil {
		return nil, &UnsupportedError{Repository: r.layout.describe(), Feature: "a split or sparse index"}
	}
	empty := r.format.sum(kindTree, nil)
	out, err := r.git.outputEnv(ctx, []string{"GIT_INDEX_FILE=" + file}, nil,
		"diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--ita-invisible-in-index", string(empty))
	if err != nil {
		return nil, err
	}
	return parseRawDiff(out)
}

// HooksDir returns the folder from which git runs the hooks of this work tree, and whether it serves this repository alone: one that the
// configuration of a user or of the machine names is everybody's.
func (r *Repo) HooksDir(ctx context.Context) (dir string, own bool, err error) {
	const key = "core.hookspath"
	c, err := r.config(ctx)
	if err != nil {
		return "", false, err
	}
	set, ok := c.lookup(key)
	if !ok {
		return filepath.Join(r.layout.commonDir, "hooks"), true, nil
	}
	if rest, home := strings.CutPrefix(set, "~/"); home {
		set = filepath.Join(r.opts.Env("HOME"), filepath.FromSlash(rest))
	}
	if !filepath.IsAbs(set) {
		set = filepath.Join(r.layout.root, filepath.FromSlash(set))
	}
	_, own = r.layout.local.lookup(key)
	return filepath.Clean(set), own, nil
}
