// Package screenshot makes pictures of pages with a browser that is installed on this machine: Chromium, or one of its kin. The browser
// runs as a process, once for each page.
//
// What is on a page may come from anybody. So the browser has no network, a profile that is thrown away, and of the environment what
// it needs to find its own files and fonts, and no more: the token of a CI job does not reach it.
package screenshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// EnvVar names the environment variable that says which browser is used: a name to look up in PATH, or a path. [NoBrowser] is none.
const EnvVar = "POSTRIDER_BROWSER"

// NoBrowser as the value of [EnvVar] means that no browser may be used.
const NoBrowser = "none"

// ErrNoBrowser means that there is no browser on this machine.
var ErrNoBrowser = errors.New("no browser was found")

// The window that a page is drawn in, in pixels. What is below it is not in the picture.
const (
	Width  = 1200
	Height = 6000
)

// patience is how long a browser may take for a page. One takes a second; a machine that is busy takes ten.
const patience = 45 * time.Second

// Find returns the path of the browser to use, or [ErrNoBrowser]. Where there are Chrome and Chromium it is Chrome: Ubuntu's AppArmor lets that
// have a sandbox and not every Chromium, such as that of GitHub's runners for a time (https://github.com/actions/runner-images/issues/12096,
// 2026-11-22), and a Chromium from a snap cannot read what lies in the temporary folder.
func Find(env func(string) string) (string, error) {
	if name := env(EnvVar); name != "" {
		if name == NoBrowser {
			return "", ErrNoBrowser
		}
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("%w: %s is %q: %w", ErrNoBrowser, EnvVar, name, errors.Unwrap(err))
		}
		return filepath.Abs(path)
	}
	for _, name := range []string{"google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome", "microsoft-edge", "msedge"} {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", ErrNoBrowser
}

// Page is a page to draw.
type Page struct {
	HTML []byte
	// Files are what the page refers to, by names beside it: "1.jpg".
	Files map[string][]byte
}

// Browser draws pages. It is safe for concurrent use.
type Browser struct {
	Path    string
	Environ []string // of this process; what the browser needs of it is passed on
}

// Draw returns the picture of a page, cut to what is on it. The page must be in one colour where there is nothing, at its edges at least.
func (b *Browser) Draw(ctx context.Context, p Page) (*Picture, error) {
	dir, err := os.MkdirTemp("", "postrider-picture-*")
	if err != nil {
		return nil, err
	}
	defer removeAll(dir)
	for name, data := range p.Files {
		if !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) {
			return nil, fmt.Errorf("%q is no name for a file beside a page", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	page, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "picture.png")
	if err := os.WriteFile(page, p.HTML, 0o600); err != nil {
		return nil, err
	}
	said, err := b.run(ctx, dir, page, shot)
	if err != nil {
		return nil, err
	}
	src, err := os.ReadFile(shot)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has drawn nothing%s", filepath.Base(b.Path), said)
	}
	if err != nil {
		return nil, err
	}
	return cut(src)
}

// removeAll removes a folder that processes which have just been ended may still be writing to. What is left in spite of that lies in the
// system's temporary folder, and is no reason to do without the picture.
func removeAll(dir string) {
	for range 10 {
		if os.RemoveAll(dir) == nil {
			return
		}
		time.Sleep(20 * time.Millisecond) //nolint:forbidigo // nobody tells when the last of them is gone
	}
}

// run runs the browser until it has drawn a page, and ends it and its children in any case. It returns what the browser has said.
func (b *Browser) run(ctx context.Context, dir, page, shot string) (said string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it has not drawn the page within %s", patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, b.Path, append(flags(dir), "--screenshot="+shot, address(page))...) //nolint:gosec // whoever runs this has named the browser
	cmd.Dir, cmd.Env = dir, b.environ(dir)
	var words bytes.Buffer
	cmd.Stderr = &limited{w: &words, left: 64 << 10}
	cmd.WaitDelay = time.Second // a child of it may hold on to stderr
	ownGroup(cmd)
	err = cmd.Run()
	endGroup(cmd)
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s: %w", filepath.Base(b.Path), context.Cause(ctx))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return "", fmt.Errorf("%s: %w%s", filepath.Base(b.Path), err, reason(words.String()))
	}
	return reason(words.String()), nil
}

// address is the address of a file.
func address(name string) string {
	name = filepath.ToSlash(name)
	if !strings.HasPrefix(name, "/") { // it begins with a drive
		name = "/" + name
	}
	return (&url.URL{Scheme: "file", Path: name}).String()
}

// flags are what the browser is started with. https://peter.sh/experiments/chromium-command-line-switches/ (2026-11-22)
func flags(dir string) []string {
	list := []string{
		"--headless", "--hide-scrollbars", "--disable-gpu", "--force-device-scale-factor=1", fmt.Sprintf("--window-size=%d,%d", Width, Height),
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--password-store=basic",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
		"--no-pings", "--disable-breakpad", "--disable-crash-reporter", "--disable-features=Translate,OptimizationHints,MediaRouter",
		"--disable-dev-shm-usage",   // containers have little shared memory: the temporary folder has more
		"--disable-checker-imaging", // a picture that is still being decoded is waited for
	}
	if os.Geteuid() == 0 {
		// For root Chromium has no sandbox, and refuses to run without being told to do without. That is the user of most containers.
		list = append(list, "--no-sandbox")
	}
	return list
}

// environ is the environment of the browser: what it needs to find its files and fonts, and a home of its own.
func (b *Browser) environ(dir string) []string {
	pass := []string{"PATH", "LANG", "LC_ALL", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "PROGRAMFILES", "LOCALAPPDATA"}
	var env []string
	for _, kv := range b.Environ {
		if name, _, _ := strings.Cut(kv, "="); slices.Contains(pass, strings.ToUpper(name)) {
			env = append(env, kv)
		}
	}
	return append(env, "HOME="+dir, "TMPDIR="+dir, "TMP="+dir, "TEMP="+dir, "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir)
}

// reason finds in what a browser has said the line that tells why it gave up: what was fatal, else the last error, else the last line.
func reason(said string) string {
	last, worst := "", 0
	for line := range strings.Lines(said) {
		line = strings.TrimSpace(line)
		rank := 1
		switch {
		case line == "":
			continue
		case strings.Contains(line, ":FATAL:"):
			rank = 3
		case strings.Contains(line, ":ERROR:"):
			rank = 2
		}
		if rank >= worst {
			last, worst = line, rank
		}
	}
	if _, message, ok := strings.Cut(last, "] "); ok && strings.HasPrefix(last, "[") {
		last = message
	}
	if r := []rune(strings.ToValidUTF8(last, "")); len(r) > 200 {
		last = string(r[:200]) + "…"
	}
	if last == "" {
		return ""
	}
	return ": " + last
}

// limited keeps the beginning of what is written to it.
type limited struct {
	w    *bytes.Buffer
	left int
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.w.Write(p[:n])
	l.left -= n
	return len(p), nil
}
