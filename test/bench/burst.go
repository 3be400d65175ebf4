package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bluesky "github.com/postrider/postrider/internal/adapters/bluesky/fake"
	mastodon "github.com/postrider/postrider/internal/adapters/mastodon/fake"
	webhook "github.com/postrider/postrider/internal/adapters/webhook/fake"
)

// burstPosts is how many posts are due at once.
const burstPosts = 50

// burst measures a run with fifty posts due on four accounts, beside runs with fifty posts due on one of them, and
// counts its pushes. The slowest account's network takes its time with every request, as real ones do.
func (b *bench) burst(ctx context.Context) (err error) {
	dir := filepath.Join(b.dir, "burst")
	remote, clone := filepath.Join(dir, "remote.git"), filepath.Join(dir, "clone")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, args := range [][]string{{"init", "-q", "--bare", "-b", "main", remote}, {"-C", remote, "config", "core.logAllRefUpdates", "always"}, {"clone", "-q", remote, clone}} {
		if _, err := git(ctx, "", nil, args...); err != nil {
			return err
		}
	}
	const noLimit = 1 << 20 // requests: all rounds are within a server's window
	serve := func(h http.Handler) *httptest.Server {
		return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(*latency) // the network's own time
			h.ServeHTTP(w, r)
		}))
	}
	blue := bluesky.New(bluesky.Options{Accounts: []bluesky.Account{{Handle: "bench.example", Password: "abcd-efgh-ijkl-mnop"}}, Now: time.Now})
	fedi := mastodon.New(mastodon.Config{Tokens: map[string]string{"token": "bench"}, Now: time.Now, Requests: noLimit})
	gts := mastodon.New(mastodon.Config{Tokens: map[string]string{"token": "bench"}, Now: time.Now, GoToSocial: true, Requests: noLimit})
	hook := webhook.New(webhook.Options{Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Now: time.Now})
	var urls []string
	for _, h := range []http.Handler{blue, fedi, gts, hook} {
		server := serve(h)
		defer server.Close()
		urls = append(urls, server.URL)
	}
	accounts := []string{"blue", "fedi", "gts", "hook"}
	site := fmt.Sprintf(`title: Bench
timezone: UTC
accounts:
  blue: {platform: bluesky, handle: bench.example, server: %q}
  fedi: {platform: mastodon, server: %q}
  gts: {platform: mastodon, server: %q, software: gotosocial}
  hook: {platform: webhook, url: %q}
defaults: {language: en}
schedule: {max_per_run: 100}
`, urls[0], urls[1], urls[2], urls[3]+webhook.Path)
	env := append(identity(),
		"POSTRIDER_BLUE_APP_PASSWORD=abcd-efgh-ijkl-mnop", "POSTRIDER_FEDI_ACCESS_TOKEN=token", "POSTRIDER_GTS_ACCESS_TOKEN=token",
		"POSTRIDER_HOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	n := 0
	merge := func(platforms ...string) func() error { // fifty posts are merged on the remote
		return func() error {
			files := map[string][]byte{"site.yaml": []byte(site)}
			for range burstPosts {
				n++
				text := fmt.Sprintf("---\nid: burst%04d\nplatforms: [%s]\n---\nNumber %d. %s\n", n, strings.Join(platforms, ", "), n, strings.Join(words[:30], " "))
				files[fmt.Sprintf("content/%04d.md", n)] = []byte(text)
			}
			if err := writeFiles(clone, files); err != nil {
				return err
			}
			for _, args := range [][]string{{"add", "-A"}, append([]string{"-c", "user.name=Bench", "-c", "user.email=bench@example.com"}, "commit", "-qm", "posts"), {"push", "-q", "origin", "HEAD:main"}} {
				if _, err := git(ctx, clone, nil, args...); err != nil {
					return err
				}
			}
			return nil
		}
	}
	var commands []command
	for _, account := range accounts {
		commands = append(commands, command{name: "50 posts to " + account, args: []string{b.binary, "publish"}, dir: clone, env: env, before: merge(account)})
	}
	commands = append(commands, command{name: "50 posts to all four", args: []string{b.binary, "publish"}, dir: clone, env: env, before: merge(accounts...)})

	if err := writeFiles(clone, map[string][]byte{"site.yaml": []byte(site)}); err != nil {
		return err
	}
	if err := merge("fedi")(); err != nil {
		return err
	}
	if _, err := once(ctx, commands[0]); err != nil { // the ledger begins
		return err
	}
	medians, err := measure(ctx, fmt.Sprintf("Publish with %d posts due, networks that take %s for each request", burstPosts, *latency), min(*runs, 5), commands...)
	if err != nil {
		return err
	}
	before, err := pushes(ctx, remote)
	if err != nil {
		return err
	}
	all, err := once(ctx, commands[4])
	if err != nil {
		return err
	}
	after, err := pushes(ctx, remote)
	if err != nil {
		return err
	}
	slowest := slices.MaxFunc(medians[:4], func(a, b sample) int { return int(a.wall - b.wall) })
	fmt.Printf("\nAll four ÷ the slowest alone: %.2f. Pushes of the ledger in a run of %.1f s with 200 deliveries: %d.\n", ratio(medians[4].wall, slowest.wall), all.wall.Seconds(), after-before)
	return nil
}

// pushes returns how often the ledger was pushed to a remote.
func pushes(ctx context.Context, remote string) (int, error) {
	out, err := git(ctx, remote, nil, "reflog", "show", "--format=%H", "refs/heads/postrider/ledger")
	return len(strings.Fields(out)), err
}
