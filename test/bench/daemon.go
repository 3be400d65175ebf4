package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// postsOfSite is how many posts each of the sites of the daemon has.
const postsOfSite = 1000

// hookSecret signs the webhooks of the daemon's sites.
const hookSecret = "the-webhook-secret-of-the-bench"

// fleet is many sites with one daemon.
type fleet struct {
	*world
	dir     string
	host    codeHost
	cmd     *exec.Cmd
	address string
	merged  int
}

// daemon measures one daemon with many sites: what it takes when nothing happens, how exactly posts leave, and how long a merge takes to be
// seen on the network. It does so for each kind of remotes.
func (b *bench) daemon(ctx context.Context) error {
	for kind := range strings.SplitSeq(*remotes, ",") {
		if err := b.fleet(ctx, kind); err != nil {
			return fmt.Errorf("remotes %s: %w", kind, err)
		}
	}
	return nil
}

func (b *bench) fleet(ctx context.Context, kind string) (err error) {
	f := &fleet{dir: filepath.Join(b.dir, "daemon")}
	if f.world, err = newWorld(ctx, f.dir, postsOfSite, postsOfSite); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.box.Close(), os.RemoveAll(f.dir)) }()
	if f.host, err = newCodeHost(ctx, kind, f.dir); err != nil {
		return err
	}
	defer f.host.close()
	var file strings.Builder
	file.WriteString("sites:\n")
	for i := range *sites {
		if _, err := git(ctx, "", nil, "clone", "-q", "--bare", "-c", "http.receivepack=true", f.site, f.remote(i)); err != nil {
			return err
		}
		fmt.Fprintf(&file, "- {name: %s, url: %q, env_file: secrets.env}\n", siteName(i), f.host.url(f.remote(i)))
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(f.dir, "sites.yaml"), []byte(file.String()), 0o600),
		os.WriteFile(filepath.Join(f.dir, "secrets.env"), []byte(strings.Join(f.env, "\n")+"\n"), 0o600),
	)
	if err != nil {
		return err
	}
	fmt.Printf("\nA daemon with %d sites of %d posts on 3 accounts, remotes %s, --fetch %s (load %s)\n\n", *sites, postsOfSite, f.host.words, *interval, load())
	began := time.Now()
	if err := f.begin(ctx, b.binary); err != nil {
		return err
	}
	defer f.cmd.Process.Kill() //nolint:errcheck // it has ended as a rule
	if err := f.ready(ctx); err != nil {
		return err
	}
	fmt.Printf("- All cloned, planned and ready after %.1f s.\n", time.Since(began).Seconds())
	for _, step := range []func(context.Context) error{f.idle, f.punctual, f.merges} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := f.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return f.cmd.Wait()
}

func siteName(i int) string { return fmt.Sprintf("site-%03d", i) }

func (f *fleet) remote(i int) string { return filepath.Join(f.dir, siteName(i)+".git") }

// begin starts the daemon.
func (f *fleet) begin(ctx context.Context, binary string) error {
	f.cmd = exec.CommandContext(ctx, binary, "daemon", "--listen", "127.0.0.1:0", "--sites", filepath.Join(f.dir, "sites.yaml"), //nolint:gosec // our own program
		"--state", filepath.Join(f.dir, "state"), "--fetch", interval.String())
	f.cmd.Env = append(append(environ(), "POSTRIDER_WEBHOOK_SECRET="+hookSecret), f.host.env...)
	log, err := os.Create(filepath.Join(f.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the daemon has its own
	f.cmd.Stderr = log
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := f.cmd.Start(); err != nil {
		return err
	}
	f.address, err = bufio.NewReader(out).ReadString('\n')
	f.address = strings.TrimSpace(f.address)
	return err
}

// ready waits until all sites are.
func (f *fleet) ready(ctx context.Context) error {
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if status, _, err := f.get(ctx, "/readyz"); err != nil || status == http.StatusOK {
			return err
		}
	}
	return errors.New("the sites are not ready within five minutes")
}

// get reads one of the daemon's pages.
func (f *fleet) get(ctx context.Context, path string) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.address+path, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// idle measures what the daemon takes when nothing happens.
func (f *fleet) idle(ctx context.Context) error {
	before, err := f.usage(ctx)
	if err != nil {
		return err
	}
	select {
	case <-time.After(*quiet):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := f.usage(ctx)
	if err != nil {
		return err
	}
	asked := float64(after.fetches - before.fetches)
	core := func(a, b time.Duration) float64 { return 100 * (b - a).Seconds() / quiet.Seconds() }
	fmt.Printf("- Idle for %s, with %.0f questions to remotes: %.2f %% of a core, and %.2f %% in the git processes that ask (%.1f ms and %.1f ms a question); %d MB resident, %d MB at most since it began.\n",
		*quiet, asked, core(before.own, after.own), core(before.children, after.children),
		ms(after.own-before.own)/asked, ms(after.children-before.children)/asked, after.rss>>20, after.peak>>20)
	return nil
}

// usage is what a process has taken so far.
type usage struct {
	own, children time.Duration
	rss, peak     int64 // bytes
	fetches       int   // how often remotes were asked
}

// usage reads what the daemon has taken: proc(5), and its own metrics.
func (f *fleet) usage(ctx context.Context) (u usage, err error) {
	_, metrics, err := f.get(ctx, "/metrics")
	if err != nil {
		return u, err
	}
	_, count, _ := strings.Cut(metrics, "postrider_fetch_seconds_count ")
	if u.fetches, err = strconv.Atoi(strings.Fields(count)[0]); err != nil {
		return u, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", f.cmd.Process.Pid))
	if err != nil {
		return u, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks := func(i int) time.Duration { // of a hundredth of a second, counted from the third field
		n, _ := strconv.ParseInt(fields[i-3], 10, 64) //nolint:errcheck // the kernel writes numbers
		return time.Duration(n) * 10 * time.Millisecond
	}
	u.own, u.children = ticks(14)+ticks(15), ticks(16)+ticks(17)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		return u, err
	}
	kilobytes := func(key string) int64 {
		_, rest, _ := strings.Cut(string(status), key+":")
		n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64) //nolint:errcheck // as above
		return n << 10
	}
	u.rss, u.peak = kilobytes("VmRSS"), kilobytes("VmHWM")
	return u, nil
}

// merge merges a post on a site's remote, as a code host does, and returns its words and the commit.
func (f *fleet) merge(ctx context.Context, i int, due string) (text, commit string, err error) {
	f.merged++
	text = fmt.Sprintf("Our number %d. %s", f.merged, strings.Join(words[:20], " "))
	body := fmt.Sprintf("---\nid: due-%d\n%splatforms: [bluesky]\n---\n%s\n", f.merged, due, text)
	in := fmt.Sprintf("commit refs/heads/main\ncommitter Bench <bench@example.com> %d +0000\ndata 5\nmerge\nfrom refs/heads/main^0\nM 644 inline content/due-%d.md\ndata %d\n%s\n",
		time.Now().Unix(), f.merged, len(body), body)
	if _, err := git(ctx, f.remote(i), strings.NewReader(in), "fast-import", "--quiet"); err != nil {
		return "", "", err
	}
	commit, err = git(ctx, f.remote(i), nil, "rev-parse", "main")
	return text, commit, err
}

// hook tells the daemon of a push, as GitHub does.
func (f *fleet) hook(ctx context.Context, i int, commit string) error {
	body, err := json.Marshal(map[string]any{"ref": "refs/heads/main", "after": commit, "repository": map[string]any{"full_name": "acme/social", "clone_url": f.host.url(f.remote(i))}})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.address+"/hook", bytes.NewReader(body))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write(body)
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": commit, "X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	answer, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the webhook was answered %d: %s", resp.StatusCode, answer)
	}
	return err
}

// seen waits for texts on the network and returns when each was seen there first.
func (f *fleet) seen(texts ...string) ([]time.Time, error) {
	at := make([]time.Time, len(texts))
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		posts := f.box.Networks()[0].Fake.Posts()
		now, missing := time.Now(), 0
		for i, text := range texts {
			switch {
			case !at[i].IsZero():
			case slices.ContainsFunc(posts, func(p fakenet.Post) bool { return p.Text == text }):
				at[i] = now
			default:
				missing++
			}
		}
		if missing == 0 {
			return at, nil
		}
	}
	return nil, fmt.Errorf("not all of %d posts were seen within a minute", len(texts))
}

// punctual measures how late posts are seen that are due at the same second: in one site, and in several.
func (f *fleet) punctual(ctx context.Context) error {
	for _, n := range []int{1, 1, 1, min(10, *sites)} {
		due := time.Now().Add(15 * time.Second).Truncate(time.Second)
		var texts []string
		for i := range n {
			text, commit, err := f.merge(ctx, i, "publish_at: "+due.UTC().Format(time.RFC3339)+"\n")
			if err != nil {
				return err
			}
			if err := f.hook(ctx, i, commit); err != nil {
				return err
			}
			texts = append(texts, text)
		}
		seen, err := f.seen(texts...)
		if err != nil {
			return err
		}
		var late []float64
		for _, at := range seen {
			late = append(late, ms(at.Sub(due)))
		}
		fmt.Printf("- Due at one second in %d of the sites: on the network %.0f ms after it (median), %.0f ms at most.\n", n, median(late), slices.Max(late))
	}
	return nil
}

// merges measures how long a merged post takes to the network, by way of the webhook.
func (f *fleet) merges(ctx context.Context) error {
	var took []float64
	for k := range max(*runs, 3) {
		i := k % *sites
		text, commit, err := f.merge(ctx, i, "")
		if err != nil {
			return err
		}
		began := time.Now()
		if err := f.hook(ctx, i, commit); err != nil {
			return err
		}
		at, err := f.seen(text)
		if err != nil {
			return err
		}
		took = append(took, ms(at[0].Sub(began)))
	}
	fmt.Printf("- From the merge, by webhook, to the network: %.0f ms (median), %.0f ms at most, of %d.\n", median(took), slices.Max(took), len(took))
	return nil
}
