package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// review measures the review of a branch that edits twenty posts of a site, with a clone that has never been used, as CI has it.
func (b *bench) review(ctx context.Context) error {
	dir := filepath.Join(b.dir, "review")
	files := siteFiles(*posts, eightAccounts, []string{"bluesky", "mastodon", "webhook", "x"})
	if err := history(ctx, dir, files, *posts, *commits); err != nil {
		return err
	}
	if _, err := git(ctx, dir, nil, "switch", "-q", "-c", "topic"); err != nil {
		return err
	}
	const changed = 20
	for i := range changed {
		n := i * *posts / changed
		name := postPath(n, dueOf(n, *posts))
		if err := os.WriteFile(filepath.Join(dir, name), append(files[name], "One more thing.\n"...), 0o644); err != nil { //nolint:gosec // a benchmark
			return err
		}
	}
	if _, err := git(ctx, dir, nil, "commit", "-qam", "twenty posts"); err != nil {
		return err
	}
	forget := func() error { return os.RemoveAll(filepath.Join(dir, ".git", "postrider")) }
	_, err := measure(ctx, fmt.Sprintf("Review of %d posts of %d for 8 accounts, %d commits", changed, *posts, *commits), *runs,
		command{name: "git diff --stat", args: []string{"git", "diff", "--stat", "main", "topic"}, dir: dir},
		command{name: "postrider review", args: []string{b.binary, "-C", dir, "review", "--base", "main"}, before: forget, codes: []int{0, 1}},
	)
	return errors.Join(err, os.RemoveAll(dir))
}
