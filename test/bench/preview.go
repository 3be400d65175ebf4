package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// preview measures the local server beside Hugo's: how long a change takes from the file to the page, how long the first
// page takes, how much memory stays, and what every page takes.
func (b *bench) preview(ctx context.Context) error {
	dir := filepath.Join(b.dir, "preview")
	files := siteFiles(*posts, eightAccounts, []string{"bluesky", "mastodon", "webhook", "x"})
	i := *posts / 2 // in the middle, published long ago
	for i%5 == 0 {  // no override: its text is shown for every account
		i++
	}
	p := previewed{id: fmt.Sprintf("p%06d", i), name: postPath(i, dueOf(i, *posts)), scratch: filepath.Join(b.dir, "scratch")}
	p.text = files[p.name]

	var rows []lived
	if *hugo != "" {
		site := filepath.Join(dir, "hugo")
		if err := writeHugo(site, files); err != nil {
			return err
		}
		row, err := b.hugoServer(ctx, site, p)
		if err != nil {
			return fmt.Errorf("hugo: %w", err)
		}
		rows = append(rows, row)
		if err := os.RemoveAll(site); err != nil {
			return err
		}
	}
	site := filepath.Join(dir, "site")
	if err := history(ctx, site, files, *posts, min(*commits, *posts)); err != nil {
		return err
	}
	clear(files)
	if *book {
		if err := remember(ctx, site); err != nil {
			return err
		}
	}
	ours, seen, err := b.ourServer(ctx, site, p)
	if err != nil {
		return fmt.Errorf("postrider: %w", err)
	}
	rows = append(rows, ours...)

	fmt.Printf("\nPreview of %d posts for 8 accounts, %d edits (load %s)\n\n", *posts, *edits, load())
	fmt.Printf("| server | first page ms | post's page ms | save → page ms: median, p95 (min–max) | CPU ms an edit | MB loaded | MB after the edits | peak MB |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Printf("| %s | %s | %s | %.1f, %.1f (%.1f–%.1f) | %s | %s | %s | %s |\n", r.name, whole(r.first), whole(r.ready),
			ms(quantile(r.took, 50)), ms(quantile(r.took, 95)), ms(quantile(r.took, 0)), ms(quantile(r.took, 100)), whole(r.cpu), mb(r.loaded), mb(r.edited), mb(r.peak))
	}
	if *hugo != "" {
		h, o := rows[0], rows[1]
		fmt.Printf("\nOurs ÷ Hugo's: save → page %.3f, first page %.3f, memory after the edits %.3f.\n",
			ratio(quantile(o.took, 50), quantile(h.took, 50)), ratio(o.first, h.first), float64(o.edited)/float64(h.edited))
	}
	fmt.Printf("\n| page | pages | first request ms | then ms: best, median, worst | KB, largest | an example |\n|---|---|---|---|---|---|\n")
	for _, l := range seen {
		fmt.Printf("| %s | %d | %.1f | %.1f, %.1f, %.1f | %.1f | %s |\n", l.shape, l.pages, ms(l.cold), ms(l.best), ms(l.median), ms(l.worst), float64(l.bytes)/1000, l.example)
	}
	slow := slices.MaxFunc(seen, func(a, b looked) int { return cmp.Compare(max(a.cold, a.median), max(b.cold, b.median)) })
	seen = slices.DeleteFunc(seen, func(l looked) bool { return strings.HasSuffix(l.shape, ".ics") }) // it is no HTML
	large := slices.MaxFunc(seen, func(a, b looked) int { return cmp.Compare(a.bytes, b.bytes) })
	fmt.Printf("\nThe slowest is %s, %.1f ms; the largest %s, %.1f KB.\n", slow.example, ms(max(slow.cold, slow.median)), large.example, float64(large.bytes)/1000)
	return os.RemoveAll(dir)
}

// previewed is the post that is edited.
type previewed struct {
	id, name string
	text     []byte
	scratch  string // a file outside of the site, for atomic saves
}

// edit saves the post with the word at the start of its text, and returns when the save began. Every other save is
// atomic, as that of most editors; the others write the file in place.
func (p previewed) edit(site, word string, atomic bool) (time.Time, error) {
	head, body, ok := bytes.Cut(p.text[4:], []byte("\n---\n"))
	if !ok {
		return time.Time{}, errors.New("the post has no front matter")
	}
	text := fmt.Appendf(nil, "---\n%s\n---\n%s %s", head, word, body)
	file := filepath.Join(site, p.name)
	start := time.Now()
	if !atomic {
		return start, os.WriteFile(file, text, 0o644) //nolint:gosec // a benchmark
	}
	if err := os.WriteFile(p.scratch, text, 0o644); err != nil { //nolint:gosec // a benchmark
		return start, err
	}
	return start, os.Rename(p.scratch, file)
}

// lived is what a server was seen to do.
type lived struct {
	name                 string
	first, ready         time.Duration   // from its start to a page, and to the post's own
	took                 []time.Duration // from the save to the page, sorted
	cpu                  time.Duration   // of the server, for an edit and what it does in the background for it
	loaded, edited, peak int64           // KiB
}

// saves edits the post again and again, at random moments: a server that looks twice a second is not always met at its
// best, nor one that checks the whole site when nothing has changed for a while. seen is given the word and returns when it was there.
func saves(ctx context.Context, site string, p previewed, prefix string, seen func(ctx context.Context, word string) (time.Time, error)) ([]time.Duration, error) {
	r := rand.New(rand.NewPCG(3, uint64(*posts))) //nolint:gosec // the same at every run is the point
	var took []time.Duration
	for i := range *edits + 1 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50*time.Millisecond + time.Duration(r.Int64N(int64(2450*time.Millisecond)))):
		}
		word := fmt.Sprintf("%s%03dz", prefix, i)
		patience, cancel := context.WithTimeout(ctx, 2*time.Minute)
		start, err := p.edit(site, word, i%2 == 0)
		if err == nil {
			var at time.Time
			if at, err = seen(patience, word); err == nil && i > 0 { // the first warms up
				took = append(took, at.Sub(start))
			}
		}
		cancel()
		if err != nil {
			return nil, fmt.Errorf("edit %d: %w", i, err)
		}
	}
	slices.Sort(took)
	return took, nil
}

func (b *bench) hugoServer(ctx context.Context, site string, p previewed) (r lived, err error) {
	r.name = "hugo server"
	s, err := serve(ctx, func(port string) []string {
		return []string{*hugo, "server", "--bind", "127.0.0.1", "--port", port, "-s", site}
	})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	page := s.base + strings.TrimSuffix(strings.TrimPrefix(p.name, "content"), ".md") + "/a.html"
	if r.first, err = s.until(ctx, s.base+"/", ""); err != nil {
		return r, err
	}
	if r.ready, err = s.until(ctx, page, "<article>"); err != nil {
		return r, err
	}
	if r.loaded, err = s.settled(ctx); err != nil {
		return r, err
	}
	r.cpu, err = s.perEdit(func() (err error) {
		r.took, err = saves(ctx, site, p, "hugoword", func(ctx context.Context, word string) (time.Time, error) {
			_, err := s.until(ctx, page, word)
			return time.Now(), err
		})
		return err
	})
	if err == nil {
		r.edited, r.peak, err = s.memory()
	}
	return r, err
}

func (b *bench) ourServer(ctx context.Context, site string, p previewed) (rows []lived, pages []looked, err error) {
	s, err := serve(ctx, func(port string) []string { return []string{b.binary, "-C", site, "preview", "--port", port} })
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	events := lived{name: "postrider preview, to the event"}
	page := "/posts/" + p.id
	if events.first, err = s.until(ctx, s.base+"/", ""); err != nil {
		return nil, nil, err
	}
	title := regexp.MustCompile(`(?m)^title: (.*),`).FindSubmatch(p.text)
	if events.ready, err = s.until(ctx, s.base+page, string(title[1])); err != nil {
		return nil, nil, err
	}
	if events.loaded, err = s.settled(ctx); err != nil {
		return nil, nil, err
	}
	if events.cpu, err = s.perEdit(func() (err error) {
		events.took, err = s.listen(ctx, site, p, page)
		return err
	}); err != nil {
		return nil, nil, err
	}
	if events.edited, events.peak, err = s.memory(); err != nil {
		return nil, nil, err
	}
	rows = append(rows, events)
	if *browser != "" {
		dom := lived{name: "postrider preview, to the DOM of Chromium"}
		if dom.took, err = s.browse(ctx, site, p, page); err != nil {
			return nil, nil, fmt.Errorf("browser: %w", err)
		}
		rows = append(rows, dom)
	}
	pages, err = s.look(ctx, page)
	return rows, pages, err
}

// server is a server under measurement.
type server struct {
	cmd   *exec.Cmd
	start time.Time
	base  string
	said  string // the file with what it prints
	done  chan error
}

func serve(ctx context.Context, args func(port string) []string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed at once: only the number is wanted
	if err != nil {
		return nil, err
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port) //nolint:errcheck // a TCP address
	if err := l.Close(); err != nil {
		return nil, err
	}
	out, err := os.CreateTemp("", "postrider-bench-server-")
	if err != nil {
		return nil, err
	}
	defer out.Close() //nolint:errcheck // the server has its own
	argv := args(port)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // commands of this file
	cmd.Env, cmd.Stdout, cmd.Stderr = environ(), out, out
	s := &server{cmd: cmd, base: "http://127.0.0.1:" + port, said: out.Name(), start: time.Now(), done: make(chan error, 1)}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, os.Remove(out.Name()))
	}
	go func() { s.done <- cmd.Wait() }()
	return s, nil
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done: // how it ends is not measured
	case <-time.After(10 * time.Second):
		if err := s.cmd.Process.Kill(); err != nil {
			return err
		}
		<-s.done
	}
	return os.Remove(s.said)
}

// until asks for a page every few milliseconds until it is there and has the word. It returns how long after the server's start that was.
func (s *server) until(ctx context.Context, addr, word string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	for {
		status, body, err := get(ctx, addr)
		if err == nil && status == http.StatusOK && bytes.Contains(body, []byte(word)) {
			return time.Since(s.start), nil
		}
		select {
		case ended := <-s.done:
			s.done <- ended
			said, _ := os.ReadFile(s.said) //nolint:errcheck // it explains another error
			return 0, fmt.Errorf("the server has ended: %w\n%s", ended, said)
		case <-ctx.Done():
			return 0, fmt.Errorf("%s without %q, status %d: %w", addr, word, status, cmp.Or(err, ctx.Err()))
		case <-time.After(3 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, addr string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // it is read
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// settled returns the memory after the server had time to do what it does after the first page.
func (s *server) settled(ctx context.Context) (int64, error) {
	var before float64
	for {
		spent, err := cpu(s.cmd.Process.Pid)
		if err != nil {
			return 0, err
		}
		if spent-before < 0.1 { // nearly nothing in two seconds
			now, _, err := s.memory()
			return now, err
		}
		before = spent
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

// perEdit returns how much the server works for an edit.
func (s *server) perEdit(f func() error) (time.Duration, error) {
	before, err := cpu(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := cpu(s.cmd.Process.Pid)
	return time.Duration((after - before) / float64(*edits+1) * float64(time.Second)), err
}

// cpu returns how many seconds a process has worked.
func cpu(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, errors.Join(err, err2) // Linux counts in hundredths for everybody
}

// memory returns what the server and all processes that it started have in memory, and the most that the server itself had, in KiB.
func (s *server) memory() (now, peak int64, err error) {
	list, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		return 0, 0, err
	}
	number := regexp.MustCompile(`(?m)^(Pid|PPid|VmRSS|VmHWM):\s+(\d+)`)
	parent, rss := map[int64]int64{}, map[int64]int64{}
	root := int64(s.cmd.Process.Pid)
	for _, file := range list {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		v := map[string]int64{}
		for _, m := range number.FindAllStringSubmatch(string(b), -1) {
			v[m[1]], _ = strconv.ParseInt(m[2], 10, 64) //nolint:errcheck // digits
		}
		parent[v["Pid"]], rss[v["Pid"]] = v["PPid"], v["VmRSS"]
		if v["Pid"] == root {
			peak = v["VmHWM"]
		}
	}
	for pid := range rss {
		for p := pid; p != 0; p = parent[p] {
			if p == root {
				now += rss[pid]
				break
			}
		}
	}
	if now == 0 {
		return 0, 0, errors.New("the server has ended")
	}
	return now, peak, nil
}

// listen saves and waits for the event that has the page's new blocks.
func (s *server) listen(ctx context.Context, site string, p previewed, page string) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/events?page="+url.QueryEscape(page), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // it never ends by itself
	if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		return nil, fmt.Errorf("events: %s, %s", res.Status, kind)
	}
	type told struct {
		at   time.Time
		html string
		err  error
	}
	events := make(chan told, 1000)
	go func() {
		var name string
		var data []byte
		lines := bufio.NewReader(res.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				events <- told{err: err}
				return
			}
			line = strings.TrimRight(line, "\r\n")
			switch {
			case strings.HasPrefix(line, "event:"):
				name = strings.TrimSpace(line[len("event:"):])
			case strings.HasPrefix(line, "data:"):
				data = append(data, strings.TrimPrefix(line[len("data:"):], " ")...)
			case line == "" && name == "blocks":
				at := time.Now()
				var update struct{ Blocks []struct{ HTML string } }
				err := json.Unmarshal(data, &update)
				var all strings.Builder
				for _, block := range update.Blocks {
					all.WriteString(block.HTML)
				}
				events <- told{at, all.String(), err}
				name, data = "", nil
			case line == "":
				name, data = "", nil
			}
		}
	}()
	return saves(ctx, site, p, "eventword", func(ctx context.Context, word string) (time.Time, error) {
		for {
			select {
			case e := <-events:
				if e.err != nil || strings.Contains(e.html, word) {
					return e.at, e.err
				}
			case <-ctx.Done():
				return time.Time{}, fmt.Errorf("no event with %q: %w", word, ctx.Err())
			}
		}
	})
}

// observe tells the time at which a word came into the page, by the clock that Go reads too.
const observe = `new Promise(found => {
	const word = %q, now = () => performance.timeOrigin + performance.now();
	const there = () => document.body.textContent.includes(word);
	if (there()) return found(now());
	const o = new MutationObserver(() => { const t = now(); if (there()) { o.disconnect(); found(t); } });
	o.observe(document.documentElement, {subtree: true, childList: true, characterData: true});
})`

func awaited(p *runtime.EvaluateParams) { p.AwaitPromise = new(true) }

// browse saves and waits until a browser shows it.
func (s *server) browse(ctx context.Context, site string, p previewed, page string) ([]time.Duration, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(*browser), chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Navigate(s.base+page)); err != nil {
		return nil, err
	}
	// The clocks are the same, but the page took its reading when it was opened.
	var skew float64
	best := time.Hour
	for range 20 {
		before := time.Now()
		at, err := chromedp.Run(ctx, chromedp.Evaluate[float64]("performance.timeOrigin + performance.now()"))
		if err != nil {
			return nil, err
		}
		after := time.Now()
		// It was read between the two; the error is at most half of what the question took.
		if d := after.Sub(before); d < best {
			best, skew = d, at-float64(before.UnixMicro()+after.UnixMicro())/2000
		}
	}
	type answer struct {
		at  float64
		err error
	}
	// The page must listen before the save, so the next word is awaited as soon as the last was seen.
	waiting := make(chan answer, 1)
	await := func(word string) {
		at, err := chromedp.Run(ctx, chromedp.Evaluate[float64](fmt.Sprintf(observe, word), awaited))
		waiting <- answer{at, err}
	}
	next := 0
	word := func() string { return fmt.Sprintf("domword%03dz", next) }
	go await(word())
	return saves(ctx, site, p, "domword", func(ctx context.Context, _ string) (time.Time, error) {
		select {
		case a := <-waiting:
			if a.err != nil {
				return time.Time{}, a.err
			}
			next++
			go await(word())
			return time.UnixMicro(int64((a.at - skew) * 1000)), nil
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("the browser does not show %q: %w", word(), ctx.Err())
		}
	})
}

// looked is what pages of one shape took.
type looked struct {
	shape, example            string
	pages, bytes              int
	cold, best, median, worst time.Duration
}

// look follows the pages' links, two steps from the first, and asks for a few of every shape.
func (s *server) look(ctx context.Context, page string) ([]looked, error) {
	const each, most = 5, 4 // requests of a page, pages of a shape
	anchors := regexp.MustCompile(`<a\s[^>]*?href="(/[^"]*)"`)
	by := map[string]*looked{}
	took := map[string][]time.Duration{}
	seen := map[string]bool{}
	here := []string{"/", page, "/posts?q=coffee+garden", "/posts?q=nothingofthekind", "/calendar.ics",
		"/calendar/2024-06", "/calendar/week/2024-06-03", "/calendar/list/2024-06"} // when many went out
	for range 3 {
		var next []string
		for _, addr := range here {
			shape := shapeOf(addr)
			l := by[shape]
			if l == nil {
				l = &looked{shape: shape, example: addr}
				by[shape] = l
			}
			if seen[addr] || l.pages == most {
				continue
			}
			seen[addr] = true
			l.pages++
			for n := range each + 1 {
				start := time.Now()
				status, body, err := get(ctx, s.base+addr)
				d := time.Since(start)
				if err != nil || status != http.StatusOK {
					return nil, fmt.Errorf("%s: status %d: %w", addr, status, err)
				}
				if n == 0 {
					l.cold, l.bytes = max(l.cold, d), max(l.bytes, len(body))
					for _, m := range anchors.FindAllSubmatch(body, -1) {
						link, _, _ := strings.Cut(html.UnescapeString(string(m[1])), "#")
						next = append(next, link)
					}
					continue
				}
				took[shape] = append(took[shape], d)
			}
		}
		here = next
	}
	var list []looked
	for shape, l := range by {
		slices.Sort(took[shape])
		l.best, l.median, l.worst = quantile(took[shape], 0), quantile(took[shape], 50), quantile(took[shape], 100)
		list = append(list, *l)
	}
	slices.SortFunc(list, func(a, b looked) int { return strings.Compare(a.shape, b.shape) })
	return list, nil
}

// shapeOf makes /posts/p000123?account=x&state=late to "/posts/… ?account&state".
func shapeOf(addr string) string {
	u, err := url.Parse(addr)
	if err != nil {
		return addr
	}
	parts := strings.Split(u.Path, "/")
	for i, part := range parts {
		if i > 1 && part != "week" && part != "list" {
			parts[i] = "…"
		}
	}
	shape := strings.Join(parts, "/")
	var keys []string
	for key := range u.Query() {
		keys = append(keys, key)
	}
	if slices.Sort(keys); len(keys) > 0 {
		shape += " ?" + strings.Join(keys, "&")
	}
	return shape
}

// quantile returns the value below which so many of a hundred sorted ones are.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min((len(sorted)*percent)/100, len(sorted)-1)]
}

func whole(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprint(d.Milliseconds())
}

func mb(kib int64) string {
	if kib == 0 {
		return ""
	}
	return fmt.Sprint(kib / 1024)
}
