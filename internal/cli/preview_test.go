package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// previewing starts a preview of a folder and returns its address and what ends it.
func previewing(t *testing.T, dir string, args ...string) (address string, end func() (code int, stderr string)) {
	t.Helper()
	r, w := io.Pipe()
	interrupt := make(chan os.Signal, 1)
	ended := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		code, _, _ := run(t, dir, func(env *Env) {
			env.Stdout, env.Stderr, env.Interrupt = w, &stderr, interrupt
			env.Wait = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
			env.Release = func() {}
		}, append([]string{"preview", "--port", "0"}, args...)...)
		w.Close() //nolint:errcheck // a pipe in memory
		ended <- code
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%v; exit %d, %s", err, <-ended, stderr.String())
	}
	go io.Copy(io.Discard, r) //nolint:errcheck // nothing more is expected
	return strings.TrimSpace(line), func() (int, string) {
		interrupt <- os.Interrupt
		return <-ended, stderr.String()
	}
}

func get(t *testing.T, address string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func TestPreview(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // a test's folder
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("site.yaml", "title: Acme\naccounts:\n  bsky: {platform: bluesky, handle: acme.example}\ndefaults: {platforms: [bsky]}\n")
	write("content/hello.md", "---\nid: hello123\ntitle: Hello\n---\nHello, everybody.\n")
	write(".env", "POSTRIDER_BSKY_APP_PASSWORD=hunter2-hunter2\n")
	address, end := previewing(t, dir)
	if !strings.HasPrefix(address, "http://localhost:") {
		t.Errorf("the address is %q", address)
	}
	if status, body := get(t, address); status != http.StatusOK || !strings.Contains(body, "Acme") {
		t.Errorf("%d: %s", status, body)
	}
	for _, hidden := range []string{"media/.env", "media/site.yaml", "media/content/hello.md"} {
		if status, body := get(t, address+hidden); status != http.StatusNotFound || strings.Contains(body, "hunter2") {
			t.Errorf("%s: %d", hidden, status)
		}
	}
	code, stderr := end()
	if code != ExitDone {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestPreviewOfNothing(t *testing.T) {
	address, end := previewing(t, t.TempDir())
	if status, body := get(t, address); status != http.StatusOK || !strings.Contains(body, "site.yaml") && !strings.Contains(body, "Reading") {
		t.Errorf("%d: %s", status, body)
	}
	if code, stderr := end(); code != ExitDone {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestPreviewForOthersNeedsAKey(t *testing.T) {
	address, end := previewing(t, t.TempDir(), "--bind", "0.0.0.0", "--read-only")
	_, query, ok := strings.Cut(address, "?key=")
	if !ok || len(query) < 20 {
		t.Fatalf("the address is %q", address)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	port, _, _ = strings.Cut(port, "/")
	here := "http://127.0.0.1:" + port + "/"
	if status, _ := get(t, here); status != http.StatusForbidden {
		t.Errorf("without the key: %d", status)
	}
	if status, _ := get(t, here+"?key="+query); status != http.StatusSeeOther {
		t.Errorf("with the key: %d", status)
	}
	if code, stderr := end(); code != ExitDone {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestPreviewWherePortIsInUse(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // a test
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	code, _, stderr := run(t, t.TempDir(), nil, "preview", "--port", port)
	if code != ExitUsage || !strings.Contains(stderr, "port "+port+" is in use") || !strings.Contains(stderr, "--port ") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
