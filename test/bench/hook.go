package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// hook measures what a pre-commit hook runs: three edited posts are staged in a site. The first time after the program or site.yaml has changed,
// and every time else.
func (b *bench) hook(ctx context.Context) error {
	dir := filepath.Join(b.dir, "hook")
	files := siteFiles(*posts, eightAccounts, []string{"bluesky", "mastodon", "webhook", "x"})
	if err := history(ctx, dir, files, *posts, *commits); err != nil {
		return err
	}
	if _, err := git(ctx, dir, nil, "checkout", "-q", "-f", "main"); err != nil {
		return err
	}
	const changed = 3
	for i := range changed {
		n := i * *posts / changed
		name := postPath(n, dueOf(n, *posts))
		if err := os.WriteFile(filepath.Join(dir, name), append(files[name], "One more thing.\n"...), 0o644); err != nil { //nolint:gosec // a benchmark
			return err
		}
		if _, err := git(ctx, dir, nil, "add", name); err != nil {
			return err
		}
	}
	forget := func() error { return os.RemoveAll(filepath.Join(dir, ".git", "postrider")) }
	staged := []string{b.binary, "-C", dir, "check", "--staged"}
	_, err := measure(ctx, fmt.Sprintf("Check of %d staged posts of %d for 8 accounts, %d commits", changed, *posts, *commits), *runs,
		command{name: "git diff --cached --stat", args: []string{"git", "diff", "--cached", "--stat"}, dir: dir},
		command{name: "postrider check --staged", args: staged, codes: []int{0, 1}},
		command{name: "postrider check --staged, without a cache", args: staged, before: forget, codes: []int{0, 1}},
	)
	return errors.Join(err, os.RemoveAll(dir))
}
