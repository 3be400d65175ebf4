//go:build unix

package chaos_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	bluesky "github.com/postrider/postrider/internal/adapters/bluesky/fake"
	mastodon "github.com/postrider/postrider/internal/adapters/mastodon/fake"
	webhook "github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
)

// The accounts of a world, one for each kind of network.
const (
	bsky  = "bsky"  // a key for ever
	fedi  = "fedi"  // Mastodon: a key for an hour, and look-up
	gts   = "gts"   // GoToSocial: look-up alone
	hook  = "hook"  // a webhook whose receiver knows our keys
	plain = "plain" // a webhook whose receiver knows nothing: the only one that a person may have to settle
)

// accounts are those of a world.
var accounts = []string{bsky, fedi, gts, hook, plain}

const (
	blueskyPassword = "abcd-efgh-ijkl-mnop"
	fediToken       = "token-of-fedi-5f0c"
	gtsToken        = "token-of-gts-9a31"
	hookSecret      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// world is a site with a bare remote, and the networks that it posts to.
type world struct {
	t        *testing.T
	dir      string
	remote   string
	clock    *clock
	networks map[string]*network
	server   *network // the remote's, when clones speak HTTP with it; else nil
	pushes   *pushes
	env      []string // more of the publishers' environment
	secrets  []string
	began    time.Time

	born  map[string]bool  // the references that the remote has had
	posts map[string]*post // by id, as they are to be in the end

	mu         sync.Mutex
	publishers []*publisher
	started    int
	steps      []string // what happened, for when it went wrong
	clones     []string
	settler    string // the clone from which things are settled; "" for a new one
}

// post is a post of the site.
type post struct {
	id       string
	accounts []string // nil: all
	parts    []string
	was      [][]string // the texts of earlier versions
	head     string     // more front matter
	due      time.Time  // zero: it states no time
	picture  bool
	gone     bool // it is withdrawn: no network is to have it
	repeats  int  // it goes out so often, with one text; 0: once
	orphan   bool // its file is gone: what is out stays out, and what is open waits for a person
}

// newWorld returns a world without posts, whose ledger has been in use for two months.
func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		t: t, dir: dir, remote: filepath.Join(dir, "remote.git"), clock: newClock(t, filepath.Join(dir, "clock")),
		networks: map[string]*network{}, born: map[string]bool{}, posts: map[string]*post{}, began: start.Add(-60 * 24 * time.Hour),
		secrets: []string{blueskyPassword, fediToken, gtsToken, strings.TrimPrefix(hookSecret, "whsec_"), "fake-access-", "fake-refresh-"},
	}
	w.networks[bsky] = serve(t, bsky, func(base string) http.Handler {
		return bluesky.New(bluesky.Options{Base: base, Now: w.clock.now, Accounts: []bluesky.Account{{Handle: "acme.example", Password: blueskyPassword}}})
	})
	w.networks[fedi] = serve(t, fedi, func(base string) http.Handler {
		return mastodon.New(mastodon.Config{Base: base, Now: w.clock.now, Tokens: map[string]string{fediToken: "acme"}})
	})
	w.networks[gts] = serve(t, gts, func(base string) http.Handler {
		return mastodon.New(mastodon.Config{Base: base, Now: w.clock.now, Tokens: map[string]string{gtsToken: "acme"}, GoToSocial: true})
	})
	for _, name := range []string{hook, plain} {
		w.networks[name] = serve(t, name, func(base string) http.Handler {
			return webhook.New(webhook.Options{Base: base, Secret: hookSecret, Now: w.clock.now})
		})
	}
	if err := os.WriteFile(filepath.Join(dir, "gitconfig"), []byte("[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n"), 0o644); err != nil { //nolint:gosec // others read it
		t.Fatal(err)
	}
	w.git(dir, "init", "--quiet", "--bare", "--initial-branch=main", w.remote)
	w.pushes = holdPushes(t, w.remote, dir)
	t.Cleanup(w.end)
	w.commit(map[string]string{"site.yaml": w.site("")})
	w.open()
	return w
}

// end lets nothing of a world outlive it.
func (w *world) end() {
	for _, n := range w.served() {
		n.heal()
	}
	w.pushes.heal()
	for _, p := range w.publishers {
		p.resume()
		p.kill()
		p.gone()
	}
	w.pushes.close()
	if w.t.Failed() || testing.Verbose() {
		w.t.Logf("what happened:\n%s", strings.Join(w.steps, "\n"))
	}
}

// note remembers what happened.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps = append(w.steps, w.clock.now().Format("02 15:04:05 ")+fmt.Sprintf(format, args...))
}

// site returns a site.yaml with more lines at its end.
func (w *world) site(more string) string {
	return fmt.Sprintf(`title: Acme
url: https://acme.example
timezone: Europe/Berlin
accounts:
  bsky: {platform: bluesky, handle: acme.example, server: %q}
  fedi: {platform: mastodon, server: %q}
  gts: {platform: mastodon, server: %q, software: gotosocial}
  hook: {platform: webhook, url: %q}
  plain: {platform: webhook, url: %q, idempotent: false}
defaults: {platforms: [%s], language: en}
`, w.networks[bsky].base(), w.networks[fedi].base(), w.networks[gts].base(), w.networks[hook].base()+webhook.Path, w.networks[plain].base()+webhook.PlainPath, strings.Join(accounts, ", ")) + more
}

// environ returns the environment of publishers.
func (w *world) environ() []string {
	return append([]string{
		"PATH=" + filepath.Join(w.dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + os.TempDir(), "TZ=UTC", "NO_COLOR=1",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + filepath.Join(w.dir, "gitconfig"), "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@acme.example",
		"POSTRIDER_CHAOS_CLOCK=" + w.clock.file,
		"POSTRIDER_BSKY_APP_PASSWORD=" + blueskyPassword, "POSTRIDER_FEDI_ACCESS_TOKEN=" + fediToken,
		"POSTRIDER_GTS_ACCESS_TOKEN=" + gtsToken, "POSTRIDER_HOOK_SECRET=" + hookSecret, "POSTRIDER_PLAIN_SECRET=" + hookSecret,
	}, w.env...)
}

// requestTimeout is how long publishers wait for an answer, and hang how long a network that is slow lets them wait:
// real time, unlike all others.
const (
	requestTimeout = 400 * time.Millisecond
	hang           = 600 * time.Millisecond
)

// git runs git as a person would.
func (w *world) git(dir string, args ...string) string {
	w.t.Helper()
	return w.gitInput(dir, nil, args...)
}

func (w *world) gitInput(dir string, stdin io.Reader, args ...string) string {
	w.t.Helper()
	out, err := w.tryGit(dir, stdin, args...)
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (w *world) tryGit(dir string, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.Command("git", args...) //nolint:noctx // git ends by itself
	cmd.Dir, cmd.Stdin = dir, stdin
	cmd.Env = append(w.environ(), "GIT_COMMITTER_NAME=Anna", "GIT_COMMITTER_EMAIL=anna@acme.example")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// commit changes files on the remote's main, "" removing one.
func (w *world) commit(files map[string]string) {
	w.t.Helper()
	w.commitTo("refs/heads/main", files)
}

// commitTo changes files on a branch of the remote.
func (w *world) commitTo(ref string, files map[string]string) {
	w.t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "commit %s\ncommitter Anna <anna@acme.example> %d +0000\ndata 6\nchange\n", ref, w.clock.now().Unix())
	if w.born[ref] {
		fmt.Fprintf(&b, "from %s^0\n", ref)
	}
	w.born[ref] = true
	for name, text := range files {
		if text == "" {
			fmt.Fprintf(&b, "D %s\n", name)
			continue
		}
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", name, len(text), text)
	}
	w.gitInput(w.remote, &b, "fast-import", "--quiet")
}

// exists reports whether the remote has a reference.
func (w *world) exists(ref string) bool {
	return exec.Command("git", "-C", w.remote, "rev-parse", "--verify", "--quiet", ref).Run() == nil //nolint:noctx // git ends by itself
}

// open begins the ledger, as the first run of a new site does.
func (w *world) open() {
	w.t.Helper()
	opening := ledger.Opening{Format: ledger.Format, Began: w.began, Commit: w.tip("refs/heads/main")}
	seed := ledger.Record{Post: seedPost, Account: bsky, Platform: "bluesky", State: ledger.Skipped, At: w.began, Path: "content/old.md", Key: "k"}
	w.commitTo(ledgerRef, map[string]string{ledger.OpeningFile: string(opening.Encode()), seed.File(): string(seed.Encode())})
	w.git(w.remote, "update-ref", copyRef, ledgerRef)
}

// seedPost is a post of which every ledger knows: it has been in use before.
const seedPost = "seed0000"

const (
	ledgerRef = "refs/heads/postrider/ledger"
	copyRef   = "refs/postrider/copy/postrider/ledger" // moves with every push of the ledger
)

// tip returns the commit that a reference of the remote is at.
func (w *world) tip(ref string) string {
	w.t.Helper()
	return strings.TrimSpace(w.git(w.remote, "rev-parse", ref))
}

// clone returns a new clone of the remote.
func (w *world) clone() string { return w.cloned() }

// cloned returns a new clone, with more arguments of git clone.
func (w *world) cloned(args ...string) string {
	w.t.Helper()
	w.mu.Lock()
	dir := filepath.Join(w.dir, fmt.Sprintf("clone-%d", len(w.clones)+1))
	w.clones = append(w.clones, dir)
	w.mu.Unlock()
	// As from a server: otherwise git copies its folder of objects, with what others are just writing there.
	args = append(append([]string{"clone", "--quiet", "--no-local"}, args...), w.remote, dir)
	out, err := w.tryGit(w.dir, nil, args...)
	for range 10 {
		// A branch was replaced after git was told where it is, and before it asked for that: a person would clone again.
		if err == nil || !strings.Contains(out, "not our ref") {
			break
		}
		out, err = w.tryGit(w.dir, nil, args...)
	}
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if w.server != nil {
		w.git(dir, "remote", "set-url", "origin", w.server.base()+"/"+filepath.Base(w.remote))
	}
	return dir
}

// write merges posts.
func (w *world) write(posts ...*post) {
	w.t.Helper()
	files := map[string]string{}
	for _, p := range posts {
		w.posts[p.id] = p
		maps.Copy(files, p.files())
	}
	w.commit(files)
}

// files returns the files of a post.
func (p *post) files() map[string]string {
	head := "id: " + p.id + "\ntitle: Title of " + p.id + "\n"
	if p.accounts != nil {
		head += "platforms: [" + strings.Join(p.to(), ", ") + "]\n"
	}
	if !p.due.IsZero() {
		head += "publish_at: " + p.due.UTC().Format(time.RFC3339) + "\n"
	}
	files := map[string]string{}
	if p.picture {
		head += "media: [{file: dot.png, alt: A dot}]\n"
		files["content/"+p.id+"/dot.png"] = dot
	}
	files["content/"+p.id+"/index.md"] = "---\n" + head + p.head + "---\n" + strings.Join(p.parts, "\n\n---\n\n") + "\n"
	return files
}

// to returns the accounts that a post goes to.
func (p *post) to() []string {
	if p.accounts == nil {
		return accounts
	}
	return p.accounts
}

var dot = func() string {
	b, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==")
	if err != nil {
		panic(err)
	}
	return string(b)
}()

// single returns a post of one part that was due ten minutes ago.
func single(id string) *post {
	return &post{id: id, parts: []string{"The only part of " + id + "."}, due: start.Add(-10 * time.Minute)}
}

// thread returns a post of n parts.
func thread(id string, n int) *post {
	p := single(id)
	p.parts = nil
	for i := range n {
		p.parts = append(p.parts, fmt.Sprintf("Part %d of %s.", i+1, id))
	}
	return p
}

// mixture returns what a site may have due: a post for all, a thread, one with a picture, one without a
// time, one for two accounts, and one that comes due while things are settled.
func mixture() []*post {
	picture, now, later := single("pict0003"), single("time0004"), single("late0005")
	picture.picture = true
	now.due, now.accounts = time.Time{}, []string{fedi, hook}
	later.due, later.accounts = start.Add(10*time.Minute), []string{bsky, gts, plain}
	return []*post{single("sing0001"), thread("thrd0002", 3), picture, now, later}
}

// fault breaks the creating requests of an account, after the first skip ones.
func (w *world) fault(account string, f fakenet.Fault, skip, count int) {
	w.networks[account].fake.Inject(fakenet.Plan{Fault: f, Skip: skip, Count: count, Hang: hang, Elsewhere: "http://127.0.0.1:1/elsewhere"})
	w.note("%s: %s after %d, %d times", account, f, skip, count)
}

// heal lifts every fault, and waits until no network is at work on a request any more.
func (w *world) heal() {
	for _, n := range w.served() {
		n.heal()
		n.up()
	}
	w.pushes.heal()
	w.plug()
	w.calm()
	if w.server != nil {
		w.rests(w.server)
	}
}

// served returns all that is served.
func (w *world) served() []*network {
	var list []*network
	if w.server != nil {
		list = append(list, w.server)
	}
	for _, account := range accounts {
		list = append(list, w.networks[account])
	}
	if n := w.networks[team]; n != nil {
		list = append(list, n)
	}
	return list
}

// calm waits until the networks have dealt with every request, but for those that are held.
func (w *world) calm() {
	w.t.Helper()
	for _, n := range w.networks {
		w.rests(n)
	}
}

func (w *world) rests(n *network) {
	w.t.Helper()
	w.until(n.account+" comes to rest", func() bool { return n.busy.Load() == 0 })
}

// unplug takes the remote away.
func (w *world) unplug() {
	w.t.Helper()
	if err := os.Rename(w.remote, w.remote+".away"); err != nil {
		w.t.Fatal(err)
	}
	w.note("the remote is away")
}

// plug brings it back, if it is away.
func (w *world) plug() {
	w.t.Helper()
	if err := os.Rename(w.remote+".away", w.remote); err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
}

func mkfifo(name string) error { return syscall.Mkfifo(name, 0o600) }

// show prints JSON for messages.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
