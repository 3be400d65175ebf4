package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/sandbox"
)

// git runs git and returns what it prints.
func git(ctx context.Context, dir string, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // commands of this file
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.Env = append(environ(), "GIT_AUTHOR_NAME=Bench", "GIT_AUTHOR_EMAIL=bench@example.com", "GIT_COMMITTER_NAME=Bench", "GIT_COMMITTER_EMAIL=bench@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// world is a site in git with local networks.
type world struct {
	box  *sandbox.Sandbox
	env  []string
	site string // a clone with a work tree
	bare string
}

func newWorld(ctx context.Context, dir string, n, commits int) (w *world, err error) {
	w = &world{site: filepath.Join(dir, "site"), bare: filepath.Join(dir, "remote.git")}
	ids := []platform.ID{"bluesky", "mastodon", "webhook"}
	w.box, err = sandbox.Start(ctx, sandbox.Options{
		Registry: adapters.All(), Platforms: ids, Handles: map[platform.ID]string{"bluesky": "bench.example", "mastodon": "bench"},
		Address: "127.0.0.1:0", Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	var accounts strings.Builder
	for i, r := range w.box.Networks() {
		option := []string{"handle: bench.example, server", "server", "url"}[i]
		fmt.Fprintf(&accounts, "  %s: {platform: %s, %s: %q}\n", r.ID, r.ID, option, r.Base+r.Path)
		for name, value := range r.Secrets {
			w.env = append(w.env, platform.EnvName(string(r.ID), name)+"="+value)
		}
	}
	files := siteFiles(n, accounts.String(), []string{"bluesky", "mastodon", "webhook"})
	if err := history(ctx, w.site, files, n, commits); err != nil {
		return nil, err
	}
	if err := remember(ctx, w.site); err != nil {
		return nil, err
	}
	_, err = git(ctx, w.site, nil, "repack", "-adq")
	return w, err
}

// history makes a repository in which the files came in over so many commits, every post changed at least once
// when there are more commits than posts.
func history(ctx context.Context, dir string, files map[string][]byte, n, commits int) error {
	if _, err := git(ctx, "", nil, "init", "-q", "-b", "main", dir); err != nil {
		return err
	}
	var s bytes.Buffer
	at := time.Now().Add(-time.Duration(commits) * time.Minute).Unix()
	commit := func(subject string) {
		at += 60
		fmt.Fprintf(&s, "commit refs/heads/main\ncommitter Bench <bench@example.com> %d +0000\ndata %d\n%s\n", at, len(subject), subject)
	}
	put := func(name string, b []byte) { fmt.Fprintf(&s, "M 644 inline %s\ndata %d\n%s\n", name, len(b), b) }
	commit("the site")
	for name, b := range files {
		if !strings.HasPrefix(name, "content/") {
			put(name, b)
		}
	}
	for k := 1; k < commits; k++ {
		from, to := (k-1)*max(n, commits-1)/(commits-1), k*max(n, commits-1)/(commits-1)
		commit(fmt.Sprintf("work %d", k))
		for i := from; i < to; i++ {
			name := postPath(i%n, dueOf(i%n, n))
			b := files[name]
			if i+n < max(n, commits-1) { // it will be changed again
				b = append(bytes.Clone(b), "A first try.\n"...)
			}
			put(name, b)
		}
	}
	if _, err := git(ctx, dir, &s, "fast-import", "--quiet"); err != nil {
		return err
	}
	_, err := git(ctx, dir, nil, "reset", "-q", "--hard")
	return err
}

// remember writes a ledger that has every post published whose time has come, as a site that has run for three years has.
func remember(ctx context.Context, dir string) (err error) {
	repo, err := gitrepo.Open(dir, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, repo.Close()) }()
	quiet := slog.New(slog.DiscardHandler)
	_, head, err := repo.Head()
	if err != nil {
		return err
	}
	a, err := agenda.Open(ctx, agenda.Options{Repo: repo, Registry: adapters.All(), Env: os.Getenv, Log: quiet}, head)
	if err != nil {
		return err
	}
	targets, _, err := a.Targets(ctx, ledger.Memory{})
	if err != nil {
		return err
	}
	led := gitledger.New(repo, gitledger.Options{Branch: "postrider/ledger", Now: time.Now, Log: quiet, Wait: func(context.Context, time.Duration) error { return nil }})
	if _, err := led.Fetch(ctx); err != nil {
		return err
	}
	if err := led.Begin(ctx, ledger.Opening{Format: ledger.Format, Began: time.Now().AddDate(-4, 0, 0), Commit: string(head)}, nil); err != nil {
		return err
	}
	now := time.Now()
	targets = slices.DeleteFunc(targets, func(t plan.Target) bool { return t.Due.After(now) })
	var records []*ledger.Record
	for i, t := range targets {
		r := &ledger.Record{
			Post: t.Post, Account: t.Account, Platform: string(t.Platform), Path: t.Path, Title: t.Title, State: ledger.Published,
			At: t.Due, Due: t.Due, PublishedAt: t.Due, Fingerprint: t.Fingerprint, Said: t.Said, Source: t.Source, Commit: string(head),
			Parts: []ledger.Part{{Remote: platform.Remote{ID: fmt.Sprint(i), URL: fmt.Sprintf("https://%s.example/%d", t.Account, i)}, Text: "…"}},
		}
		r.Key = r.ID().Key()
		r.Begin(ledger.OpPublish, "bench", t.Due, t.Fingerprint)
		r.End(t.Due, "published", "")
		if records = append(records, r); len(records) == 3000 || i == len(targets)-1 {
			if err := led.Record(ctx, "published", records); err != nil {
				return err
			}
			records = nil
		}
	}
	return nil
}

// publish measures a run with nothing due, without a remote.
func (b *bench) publish(ctx context.Context) (err error) {
	w, err := newWorld(ctx, filepath.Join(b.dir, "publish"), *posts, *commits)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.box.Close(), os.RemoveAll(filepath.Join(b.dir, "publish"))) }()
	fresh := filepath.Join(b.dir, "publish", "fresh")
	if _, err := git(ctx, "", nil, "clone", "-q", w.site, fresh); err != nil {
		return err
	}
	if _, err := git(ctx, fresh, nil, "fetch", "-q", "origin", "postrider/ledger:postrider/ledger"); err != nil {
		return err
	}
	if _, err := git(ctx, fresh, nil, "remote", "remove", "origin"); err != nil {
		return err
	}
	_, err = measure(ctx, fmt.Sprintf("Publish with nothing due: %d posts on 3 accounts, all published, %d commits, no remote", *posts, *commits), *runs,
		command{name: "git status", args: []string{"git", "status", "--porcelain"}, dir: w.site},
		command{name: "postrider publish, warm cache", args: []string{b.binary, "publish"}, dir: w.site, env: w.env},
		command{
			name: "postrider publish, fresh clone", args: []string{b.binary, "publish"}, dir: fresh, env: w.env,
			before: func() error { return os.RemoveAll(filepath.Join(fresh, ".git", "postrider")) },
		},
	)
	return err
}

// due measures a run with one post due on one account, with an HTTP remote, in a short and in a long history.
func (b *bench) due(ctx context.Context) error {
	short, err := b.dueWith(ctx, min(2000, *commits))
	if err != nil {
		return err
	}
	long, err := b.dueWith(ctx, *commits)
	if err != nil {
		return err
	}
	fmt.Printf("\nLong ÷ short history: git %.2f, nothing due %.2f, one due %.2f (CPU %.2f).\n",
		ratio(long[0].wall, short[0].wall), ratio(long[1].wall, short[1].wall), ratio(long[2].wall, short[2].wall), ratio(long[2].cpu, short[2].cpu))
	return nil
}

// dueWith returns the medians of git, nothing due and one due.
func (b *bench) dueWith(ctx context.Context, commits int) (medians []sample, err error) {
	dir := filepath.Join(b.dir, "due")
	w, err := newWorld(ctx, dir, *posts, commits)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.box.Close(), os.RemoveAll(dir)) }()
	if _, err := git(ctx, "", nil, "clone", "-q", "--bare", w.site, w.bare); err != nil {
		return nil, err
	}
	if _, err := git(ctx, w.bare, nil, "config", "http.receivepack", "true"); err != nil {
		return nil, err
	}
	if _, err := git(ctx, w.bare, nil, "config", "receive.autogc", "false"); err != nil {
		return nil, err
	}
	backend, err := httpBackend(ctx, dir)
	if err != nil {
		return nil, err
	}
	server := httptest.NewServer(backend)
	defer server.Close()
	ours, theirs := filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	for _, clone := range []string{ours, theirs} {
		if _, err := git(ctx, "", nil, "clone", "-q", "-c", "gc.auto=0", server.URL+"/remote.git", clone); err != nil {
			return nil, err
		}
	}
	remote, err := gitrepo.Open(w.bare, gitrepo.Options{Env: os.Getenv})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remote.Close()) }()
	merged := 0
	merge := func() error { // a post that is due is merged on the remote
		merged++
		tip, err := remote.Ref("refs/heads/main")
		if err != nil {
			return err
		}
		// One part without a link: no thread, and no page from outside to read a card from.
		text := fmt.Sprintf("---\nid: due-%d\npublish_at: %s\nplatforms: [bluesky]\n---\nOur number %d. %s\n",
			merged, time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), merged, strings.Join(words[:45], " "))
		_, err = remote.Commit(ctx, gitrepo.Commit{
			Branch: "main", Parent: tip, Message: "merge a post", Name: "Bench", Email: "bench@example.com",
			Files: map[string][]byte{fmt.Sprintf("content/2026/11/due-%03d.md", merged): []byte(text)},
		})
		return err
	}
	run := command{args: []string{b.binary, "publish"}, dir: ours, env: w.env}
	settled := func() error { // what the last run has published is known, as it is on every run but one
		_, err := once(ctx, run)
		return err
	}
	idle, busy := run, run
	idle.name, idle.before = "postrider publish, nothing due", settled
	busy.name, busy.before = "postrider publish, one due", merge
	edit := `mkdir -p content/2026/11 && f=content/2026/11/note-$(date +%s%N).md && echo A note. >$f && git add $f && git commit -qm note && git push -q origin HEAD:scratch`
	medians, err = measure(ctx, fmt.Sprintf("Publish with one post due on Bluesky: %d posts on 3 accounts, %d commits, remote over HTTP", *posts, commits), *runs,
		command{name: "git add; git commit; git push", args: []string{"sh", "-c", edit}, dir: theirs, env: identity()}, idle, busy,
	)
	if err != nil {
		return nil, err
	}
	if got := w.box.Networks()[0].Fake.Creations(); got != merged {
		return nil, fmt.Errorf("%d posts were created, %d were due", got, merged)
	}
	bound := 2*medians[0].wall + medians[1].wall
	fmt.Printf("\nOne due: %.1f ms; 2 × git + nothing due: %.1f ms; ratio %.2f.\n", ms(medians[2].wall), ms(bound), ratio(medians[2].wall, bound))
	return medians, nil
}

func identity() []string {
	return []string{"GIT_AUTHOR_NAME=Bench", "GIT_AUTHOR_EMAIL=bench@example.com", "GIT_COMMITTER_NAME=Bench", "GIT_COMMITTER_EMAIL=bench@example.com"}
}
