// Package browser tests the preview as people meet it: in a real Chromium, with a real mouse and keyboard, on a real
// site's files.
//
// The tests run with POSTRIDER_TEST_BROWSER=1, after test/browser/install; CI does both. With POSTRIDER_ARTEFACTS=DIR the
// screenshots of all pages are kept in DIR.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// envVar is the environment variable that, set to 1, asks for the tests in a browser. They must then run: without a
// browser they fail.
const envVar = "POSTRIDER_TEST_BROWSER"

// patience is how long a page may take for anything. A loaded machine takes seconds for what takes 20 ms as a rule.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(envVar) != "1" {
		fmt.Printf("browser: leaving out all tests, which run with %s=1\n", envVar)
		if err := flag.Set("test.skip", "."); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	closeBrowser()
	if built != "" {
		os.RemoveAll(built) //nolint:errcheck // it is in the temporary folder
	}
	os.Exit(code)
}

// built is the folder that holds the program under test, once it is asked for.
var built string

// build makes the program under test.
var build = sync.OnceValues(func() (string, error) {
	var err error
	if built, err = os.MkdirTemp("", "postrider-browser-"); err != nil {
		return "", err
	}
	name := filepath.Join(built, "postrider")
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", name, "../../cmd/postrider").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// program returns the path of the program under test.
func program(t *testing.T) string {
	t.Helper()
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// chromium is the one browser of all tests.
var chromium struct {
	sync.Once
	ctx  context.Context
	stop context.CancelFunc
	err  error
}

// browser returns the context of the browser.
func browser(t *testing.T) context.Context {
	t.Helper()
	chromium.Do(func() {
		var path string
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
			if path, chromium.err = exec.LookPath(name); chromium.err == nil {
				break
			}
		}
		if chromium.err != nil {
			chromium.err = fmt.Errorf("no browser is installed, run test/browser/install: %w", chromium.err)
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.Flag("lang", "en-GB"))
		if os.Geteuid() == 0 {
			options = append(options, chromedp.NoSandbox) // Chromium has none for root
		}
		ctx, stopProcess := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, stopBrowser := chromedp.NewContext(ctx)
		chromium.ctx, chromium.stop = ctx, func() { stopBrowser(); stopProcess() }
		chromium.err = chromedp.Do(ctx) // which starts it
	})
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	return chromium.ctx
}

func closeBrowser() {
	if chromium.stop != nil {
		chromium.stop()
	}
}

// folder is a site on disk.
type folder struct {
	t   *testing.T
	dir string
}

// sample makes a git repository of a copy of the sample site.
func sample(t *testing.T) *folder {
	t.Helper()
	f := &folder{t, t.TempDir()}
	for _, name := range []string{"site.yaml", "content"} {
		if out, err := exec.CommandContext(t.Context(), "cp", "-R", filepath.Join("..", "..", name), f.dir).CombinedOutput(); err != nil {
			t.Fatalf("copy the sample site: %v\n%s", err, out)
		}
	}
	f.git("init", "-q", "-b", "main")
	f.commit()
	return f
}

// published makes a site with posts that are out, refused and yet to come: the one that the demo leaves behind when a
// network refuses something.
func published(t *testing.T) *folder {
	t.Helper()
	tmp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), program(t), "demo", "--once", "--keep", "--fault", "refuse")
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	out, err := cmd.CombinedOutput()
	sites, _ := filepath.Glob(filepath.Join(tmp, "postrider-demo-*", "site")) //nolint:errcheck // the pattern is well-formed
	if len(sites) != 1 {
		t.Fatalf("the demo has left %d sites (%v):\n%s", len(sites), err, out)
	}
	return &folder{t, sites[0]}
}

func (f *folder) git(args ...string) string {
	f.t.Helper()
	args = append([]string{"-C", f.dir, "-c", "user.name=Vroni", "-c", "user.email=vroni@fichtl.example"}, args...)
	out, err := exec.CommandContext(f.t.Context(), "git", args...).CombinedOutput()
	if err != nil {
		f.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (f *folder) commit() {
	f.t.Helper()
	f.git("add", "-A")
	f.git("commit", "-q", "-m", "posts")
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *folder) read(name string) string {
	f.t.Helper()
	b, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

// write saves a file as plain editors do: it is cut to nothing, and written.
func (f *folder) write(name, text string) {
	f.t.Helper()
	if err := os.MkdirAll(filepath.Dir(f.path(name)), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(f.path(name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// server is a running preview.
type server struct {
	t   *testing.T
	URL string // without a slash at its end
	cmd *exec.Cmd
}

// serve starts the preview of a site on a port, 0 for any.
func serve(t *testing.T, f *folder, port string) *server {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t), "preview", "--port", port)
	cmd.Dir = f.dir
	cmd.WaitDelay = 5 * time.Second
	var said strings.Builder
	cmd.Stderr = &said
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, cmd: cmd}
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		s.stop()
		t.Fatalf("the preview did not say its address: %v\n%s", err, &said)
	}
	s.URL = strings.TrimSuffix(strings.TrimSpace(line), "/")
	return s
}

// port is the port that the server listens on.
func (s *server) port() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Port()
}

// stop ends the server as Ctrl-C does.
func (s *server) stop() {
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err == nil {
		s.cmd.Wait() //nolint:errcheck // how it ends is not what is tested here
	}
	s.cmd = nil
}

// tab is a page in a window of its own, which shares nothing with others.
type tab struct {
	t   *testing.T
	ctx context.Context
	srv *server

	mu       sync.Mutex
	problems []string
	expected []string // parts of problems that are meant to be
}

// newTab opens a window. What its pages complain about until the test ends fails the test.
func newTab(t *testing.T, s *server) *tab {
	t.Helper()
	b := &tab{t: t, srv: s}
	ctx, cancel := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // the window lives as long as the context of its first action
		cancel()
		t.Fatal(err)
	}
	b.size(1440, 1000)
	t.Cleanup(func() {
		b.calm("at the end")
		cancel()
	})
	return b
}

// hear notes what a page complains about.
func (b *tab) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type != "error" && e.Type != "warning" && e.Type != "assert" {
			return
		}
		text = "console: " + string(e.Type)
		for _, a := range e.Args {
			text += " " + string(a.Value) + a.Description
		}
	case *log.EventEntryAdded: // violations of the policy are among them
		if e.Entry.Level != "error" && e.Entry.Level != "warning" {
			return
		}
		text = fmt.Sprintf("log: %s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	case *network.EventLoadingFailed:
		if e.ErrorText == "net::ERR_ABORTED" { // the page was left
			return
		}
		text = "request failed: " + e.ErrorText
	case *network.EventResponseReceived:
		if e.Response.Status < 400 {
			return
		}
		text = fmt.Sprintf("answer %d: %s", e.Response.Status, e.Response.URL)
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(text, part) }) {
		b.problems = append(b.problems, text)
	}
}

// expect names parts of complaints that are meant to be; without any, none is any more.
func (b *tab) expect(parts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = parts
}

// calm fails the test for what pages have complained about since the last call.
func (b *tab) calm(when string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.t.Errorf("%s: %s", when, p)
	}
	b.problems = nil
}

// do runs actions.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// get runs an action that has a result.
func get[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// eval evaluates an expression, or awaits it.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	return get(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// open goes to a page and waits until it has loaded.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.srv.URL + path))
}

// live waits until the page hears of changes.
func (b *tab) live() {
	b.t.Helper()
	b.wait(`document.querySelector("[data-live-state]").dataset.state === "on"`)
}

// wait waits until an expression is true on the page, also across a navigation.
func (b *tab) wait(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	script := `new Promise((done) => { const look = () => { try { if (` + expression + `) return done(true); } catch { /* not there yet */ } setTimeout(look, 10); }; look(); })`
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
		switch {
		case err == nil && ok:
			return
		case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`)) //nolint:errcheck // it says more if it can
			b.t.Fatalf("the page never came to %s:\n%s", expression, text)
		case err != nil && !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context"):
			b.t.Fatal(err)
		}
	}
}

// shows waits until the page has a text in its main part.
func (b *tab) shows(text string) {
	b.t.Helper()
	b.wait(`document.getElementById("main").innerText.includes(` + quote(text) + `)`)
}

// size gives the window a width and a height.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// scheme emulates a system that is set to "light" or "dark".
func (b *tab) scheme(name string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	}); err != nil {
		b.t.Fatal(err)
	}
}

// scriptless switches the pages' own scripts off.
func (b *tab) scriptless() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
}

// quote writes a string as JavaScript does.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // no string does that
	}
	return string(b)
}
