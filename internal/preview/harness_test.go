package preview

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// now is when all tests play: the sample site's first posts are due, its others are not.
var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// patience bounds how long a test waits for something that must come. It is never waited out by a test that passes.
const patience = 20 * time.Second

// running is a server with the folder that it shows.
type running struct {
	*Server
	t    testing.TB
	dir  string
	base string        // its address, without a slash at its end
	next chan struct{} // gets a word for each wait of the server's that shall be over
	end  func()
}

// start serves a folder. change, which may be nil, changes the options.
func start(t testing.TB, dir string, change func(*Options)) *running {
	t.Helper()
	r := prepare(t, dir, change)
	r.run()
	return r
}

// prepare makes a server that has read nothing yet.
func prepare(t testing.TB, dir string, change func(*Options)) *running {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, dir: dir, next: make(chan struct{})}
	o := Options{
		Root: root, Registry: adapters.All(), Drafts: true, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Wait: func(ctx context.Context, _ time.Duration) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-r.next:
				return nil
			}
		},
		Ledger: func(_ context.Context, tip string) (*Book, error) {
			if tip != "" {
				return nil, nil
			}
			return &Book{View: ledger.Memory{}, Tip: "none"}, nil
		},
	}
	if change != nil {
		change(&o)
	}
	if r.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(r.Handler())
	r.base = web.URL
	t.Cleanup(func() {
		if r.end != nil {
			r.end()
		}
		web.Close()
		root.Close() //nolint:errcheck // only read from
	})
	return r
}

// run reads the site and follows it until the test ends.
func (r *running) run() {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.end = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("the server has ended: %v", err)
		}
	}
	select {
	case <-r.made:
	case <-time.After(patience):
		r.t.Fatal("the site is not read")
	}
}

// folder writes files into a new folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

// sample is the sample site in a folder of its own.
func sample(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, postrider.Sample); err != nil {
		t.Fatal(err)
	}
	return dir
}

// write writes a file as simple editors do: it is emptied and filled.
func write(t testing.TB, dir, name, text string) {
	t.Helper()
	name = filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (r *running) write(name, text string) { r.t.Helper(); write(r.t, r.dir, name, text) }

func (r *running) remove(name string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, filepath.FromSlash(name))); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) rename(from, to string) {
	r.t.Helper()
	if err := os.Rename(filepath.Join(r.dir, filepath.FromSlash(from)), filepath.Join(r.dir, filepath.FromSlash(to))); err != nil {
		r.t.Fatal(err)
	}
}

// answer is what a server has answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request, without following redirects.
func (r *running) do(method, target, body string, headers ...string) reply {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.base+target, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

func (r *running) get(target string, headers ...string) reply {
	r.t.Helper()
	return r.do(http.MethodGet, target, "", headers...)
}

// page returns the body of a page that must be there.
func (r *running) page(target string) string {
	r.t.Helper()
	p := r.get(target)
	if p.status != http.StatusOK {
		r.t.Fatalf("%s: %d: %s", target, p.status, p.body)
	}
	return p.body
}

// live is a page that is looked at.
type live struct {
	t      testing.TB
	events chan event
	close  func()
	have   map[string]string // block by id: its HTML
	order  []string
}

// event is what a live page is told.
type event struct {
	name string
	update
}

// open opens the connection of a page that has the given blocks, written as the page's script does.
func (r *running) open(page, have string) *live {
	r.t.Helper()
	return r.connect(url.Values{"page": {page}, "have": {have}})
}

// openVersion opens the connection of a page that was made with a version of the assets and the frame.
func (r *running) openVersion(page, version string) *live {
	r.t.Helper()
	return r.connect(url.Values{"page": {page}, "v": {version}})
}

func (r *running) connect(query url.Values) *live {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/events?"+query.Encode(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || kind != "text/event-stream" {
		r.t.Fatalf("%v: %d, %s", query, res.StatusCode, kind)
	}
	l := &live{t: r.t, events: make(chan event), have: map[string]string{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(l.events)
		in := bufio.NewReader(res.Body)
		var e event
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			field, value, _ := bytes.Cut(bytes.TrimSpace(line), []byte(": "))
			switch string(field) {
			case "event":
				e = event{name: string(value)}
			case "data":
				if err := json.Unmarshal(value, &e.update); err != nil {
					r.t.Errorf("%s: %v", value, err)
				}
				select {
				case l.events <- e:
				case <-ctx.Done():
				}
			}
		}
	}()
	l.close = func() {
		cancel()
		<-ended
		res.Body.Close() //nolint:errcheck // read to its end
	}
	r.t.Cleanup(l.close)
	return l
}

// follow opens a page and takes what is on it.
func (r *running) follow(page string) *live {
	r.t.Helper()
	l := r.open(page, "")
	l.take()
	return l
}

// take waits for the next event and returns it.
func (l *live) take() event {
	l.t.Helper()
	select {
	case e, ok := <-l.events:
		if !ok {
			l.t.Fatal("the connection has ended")
		}
		for _, b := range e.Blocks {
			l.have[b.ID] = string(b.HTML)
		}
		l.order = e.Order
		return e
	case <-time.After(patience):
		l.t.Fatalf("nothing is heard; the page is\n%.5000s", l.text())
		return event{}
	}
}

// until takes events until the page is as it should be, and returns the blocks that came.
func (l *live) until(ok func(text string) bool) map[string]string {
	l.t.Helper()
	came := map[string]string{}
	for {
		for _, b := range l.take().Blocks {
			came[b.ID] = string(b.HTML)
		}
		if ok(l.text()) {
			return came
		}
	}
}

func (l *live) shows(text string) map[string]string {
	l.t.Helper()
	return l.until(func(page string) bool { return strings.Contains(page, text) })
}

func (l *live) lacks(text string) map[string]string {
	l.t.Helper()
	return l.until(func(page string) bool { return !strings.Contains(page, text) })
}

// text is all HTML of the page as its reader has it.
func (l *live) text() string {
	var b strings.Builder
	for _, id := range l.order {
		b.WriteString(l.have[id] + "\n")
	}
	return b.String()
}

// book is a ledger in which some of the sample site's posts have a history.
func book() *Book {
	part := func(text, url string) ledger.Part {
		return ledger.Part{Remote: platform.Remote{ID: "1", URL: url}, Text: text}
	}
	attempt := ledger.Attempt{N: 1, Op: ledger.OpPublish, Run: "r1", Started: now.Add(-time.Hour), Ended: now.Add(-time.Hour), Outcome: "published"}
	records := []*ledger.Record{
		{
			Version: 1, Post: "q5xk2vbe", Account: "bluesky", Platform: "bluesky", Path: "content/2026/11/first-snow.md", Title: "First snow", State: ledger.Published, Op: ledger.OpPublish,
			Key: "k", At: now.Add(-time.Hour), PublishedAt: now.Add(-time.Hour), Fingerprint: "another", Parts: []ledger.Part{part("Twelve <centimetres> on the bench.", "https://bsky.example/1")},
			Attempts: []ledger.Attempt{attempt},
		},
		{
			Version: 1, Post: "q5xk2vbe", Account: "fedi", Platform: "mastodon", Path: "content/2026/11/first-snow.md", Title: "First snow", State: ledger.Denied, Op: ledger.OpPublish,
			Key: "k", At: now.Add(-time.Hour), Attempts: []ledger.Attempt{{N: 1, Op: ledger.OpPublish, Run: "r1", Started: now.Add(-time.Hour), Outcome: "denied", Error: "the token <b>was</b> refused"}},
		},
		{
			Version: 1, Post: "gone1234", Account: "fedi", Platform: "mastodon", Path: "content/gone.md", State: ledger.Unknown, Op: ledger.OpPublish, Key: "k", At: now.Add(-48 * time.Hour),
			Attempts: []ledger.Attempt{attempt},
		},
	}
	return &Book{View: ledger.Shared(ledger.Memory(records)), Latest: records, Tip: "1"}
}

// opens records which files are opened, and hands out what a file system has.
type opens struct {
	fs.FS
	saw func(name string)
}

func (o opens) Open(name string) (fs.File, error) { o.saw(name); return o.FS.Open(name) }

func (o opens) ReadFile(name string) ([]byte, error) { o.saw(name); return fs.ReadFile(o.FS, name) }

func (o opens) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(o.FS, name) }

func (o opens) Stat(name string) (fs.FileInfo, error) { return fs.Stat(o.FS, name) }

func (o opens) Lstat(name string) (fs.FileInfo, error) { return fs.Lstat(o.FS, name) }

func (o opens) ReadLink(name string) (string, error) { return fs.ReadLink(o.FS, name) }

var errBroken = errors.New("it is broken")
