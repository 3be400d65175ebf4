// Command bench measures the program as a whole against the figures that it must reach, and prints the
// tables of docs/BENCHMARKS.md. Commands that are compared run in turn (A B A B …), so that a machine that
// slows down slows both; medians are printed, with the ratio pair by pair.
//
//	go run ./test/bench                 everything that takes no Hugo, at 10,000 posts
//	go run ./test/bench -hugo PATH      with the comparison to Hugo
//	go run ./test/bench -posts 50000 -only check -hugo PATH
//	go run ./test/bench -only preview -hugo PATH -browser PATH
//	go run ./test/bench -only render
//	go run ./test/bench -only daemon
//	go run ./test/bench -only media -sharp npm
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

var (
	posts    = flag.Int("posts", 10_000, "how many posts the site has")
	commits  = flag.Int("commits", 20_000, "how many commits the repository has")
	runs     = flag.Int("runs", 7, "counted runs of each command")
	hugo     = flag.String("hugo", "", "path of a hugo binary to compare with")
	only     = flag.String("only", "", "only these measurements: check, publish, due, start, burst, preview, render, media, review, hook, daemon; separated by commas")
	latency  = flag.Duration("latency", 20*time.Millisecond, "how long the networks take for a request in burst")
	edits    = flag.Int("edits", 50, "how many times a post is saved in preview")
	browser  = flag.String("browser", "", "path of a chromium to measure preview in too")
	book     = flag.Bool("ledger", true, "in preview, whether the site has a ledger with all that was published")
	sharp    = flag.String("sharp", "", "path of a node_modules with the package sharp to compare with in media; npm: install it for that")
	fit      = flag.String("fit", "", "only make this picture fit, -runs times, -at-once at once: what media starts")
	atOnce   = flag.Int("at-once", 1, "with -fit: how many at once")
	sites    = flag.Int("sites", 100, "how many sites the daemon has")
	remotes  = flag.String("remotes", "folder,https,ssh", "how the daemon reaches its remotes, one after the other")
	interval = flag.Duration("interval", time.Minute, "how often the daemon asks each remote")
	quiet    = flag.Duration("quiet", 2*time.Minute, "for how long the daemon is left alone")
	tmp      = flag.String("tmp", "", "where to work; default /dev/shm where there is one, so that the disk is not what is measured")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	if *fit != "" {
		return fitOnce(*fit, *runs, *atOnce)
	}
	ctx := context.Background()
	if *tmp == "" {
		if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
			*tmp = "/dev/shm"
		}
	}
	dir, err := os.MkdirTemp(*tmp, "postrider-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{dir: dir, binary: filepath.Join(dir, "postrider")}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.binary, "./cmd/postrider").CombinedOutput(); err != nil { //nolint:gosec // our own program
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	for _, m := range []struct {
		name string
		f    func(context.Context) error
	}{{"start", b.start}, {"check", b.check}, {"publish", b.publish}, {"due", b.due}, {"burst", b.burst}, {"preview", b.preview}, {"render", b.render}, {"media", b.media}, {"review", b.review}, {"hook", b.hook}, {"daemon", b.daemon}} {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), m.name) {
			continue
		}
		if err := m.f(ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

type bench struct{ dir, binary string }

// command is something to measure. before runs ahead of every run, unmeasured.
type command struct {
	name   string
	args   []string
	dir    string
	env    []string
	before func() error
	codes  []int // exit codes that are fine; none: 0
}

// sample is one run of a command.
type sample struct {
	wall, cpu time.Duration // cpu is user and system time, of the command and of those that it waited for
	rss       int64         // KiB, of the largest process
}

// measure runs the commands in turn and prints a table; ratios are to the first. It returns the medians.
func measure(ctx context.Context, title string, n int, commands ...command) ([]sample, error) {
	all := make([][]sample, len(commands))
	for round := range n + 1 {
		for i, c := range commands {
			s, err := once(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 { // the first round warms up
				all[i] = append(all[i], s)
			}
		}
	}
	fmt.Printf("\n%s (load %s)\n\n| command | wall ms: median (min–max) | CPU ms | peak MB | wall ÷ the first's | CPU ÷ the first's |\n|---|---|---|---|---|---|\n", title, load())
	medians := make([]sample, len(commands))
	for i, c := range commands {
		var wall, cpu []float64
		for k := range all[i] {
			wall = append(wall, ratio(all[i][k].wall, all[0][k].wall))
			cpu = append(cpu, ratio(all[i][k].cpu, all[0][k].cpu))
		}
		by := func(f func(sample) time.Duration) []sample {
			return slices.SortedFunc(slices.Values(all[i]), func(a, b sample) int { return cmp.Compare(f(a), f(b)) })
		}
		walls, cpus := by(func(s sample) time.Duration { return s.wall }), by(func(s sample) time.Duration { return s.cpu })
		m := &medians[i]
		m.wall, m.cpu = walls[len(walls)/2].wall, cpus[len(cpus)/2].cpu
		for _, s := range walls {
			m.rss = max(m.rss, s.rss)
		}
		fmt.Printf("| %s | %.1f (%.1f–%.1f) | %.1f | %d | %.3f | %.3f |\n",
			c.name, ms(m.wall), ms(walls[0].wall), ms(walls[len(walls)-1].wall), ms(m.cpu), m.rss/1024, median(wall), median(cpu))
	}
	return medians, nil
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// load returns how busy the machine is, for those who read the table: the average over the last minute.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(b), " ")
	return load
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func once(ctx context.Context, c command) (sample, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return sample{}, err
		}
	}
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...) //nolint:gosec // commands of this file
	cmd.Dir = c.dir
	cmd.Env = append(environ(), c.env...)
	var out, said strings.Builder
	cmd.Stderr, cmd.Stdout = &out, &said
	debug.FreeOSMemory() // what this process holds counts as the peak of a child that has just been forked
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && slices.Contains(c.codes, exit.ExitCode()) {
		err = nil
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s%s", strings.Join(c.args, " "), err, out.String(), said.String())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage) //nolint:errcheck // what it is on every Unix
	return sample{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), usage.Maxrss}, nil
}

// environ is the environment without what somebody has configured for git: it would decide how both we and git
// talk to a remote.
func environ() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GIT_") })
	return append(env, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
}

// start measures how long the program takes to do nearly nothing.
func (b *bench) start(ctx context.Context) error {
	text := filepath.Join(b.dir, "text")
	if err := os.WriteFile(text, []byte("Hello https://example.com #world\n"), 0o600); err != nil {
		return err
	}
	_, err := measure(ctx, "Start", 25,
		command{name: "git --version", args: []string{"git", "--version"}},
		command{name: "postrider --help", args: []string{b.binary, "--help"}},
		command{name: "postrider count", args: []string{"sh", "-c", "exec " + b.binary + " count <" + text}},
	)
	return err
}

// check measures load, parse, render for eight accounts and check from a cold start, beside Hugo's render of
// the same posts into eight formats in memory.
func (b *bench) check(ctx context.Context) error {
	site, h := filepath.Join(b.dir, "check"), filepath.Join(b.dir, "hugo")
	files := siteFiles(*posts, eightAccounts, []string{"bluesky", "mastodon", "webhook", "x"})
	if err := errors.Join(writeFiles(site, files), writeHugo(h, files)); err != nil {
		return err
	}
	clear(files)
	commands := []command{{name: "postrider check", args: []string{b.binary, "-C", site, "check"}}}
	if *hugo != "" {
		commands = slices.Insert(commands, 0, command{name: "hugo --renderToMemory", args: []string{*hugo, "--quiet", "--renderToMemory", "-s", h}})
	}
	if _, err := measure(ctx, fmt.Sprintf("Check %d posts for 8 accounts", *posts), *runs, commands...); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(site), os.RemoveAll(h))
}
