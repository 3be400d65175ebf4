package publish_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/ledger"
)

// pages is a web server whose pages appear and vanish.
type pages struct {
	*httptest.Server
	mu     sync.Mutex
	status map[string]int // by path; 404 for others
	asked  []string
}

func newPages(t *testing.T) *pages {
	t.Helper()
	p := &pages{status: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Method+" "+r.URL.Path)
		status, ok := p.status[r.URL.Path]
		p.mu.Unlock()
		switch {
		case !ok:
			http.NotFound(w, r)
		case status == http.StatusMovedPermanently:
			http.Redirect(w, r, "/there", status)
		case status == 0:
			if h, ok := w.(http.Hijacker); ok {
				if conn, _, err := h.Hijack(); err == nil {
					conn.Close()
				}
			}
		default:
			w.WriteHeader(status)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pages) set(path string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status[path] = status
}

// looked returns what was asked since it was called last, sorted.
func (p *pages) looked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	slices.Sort(asked)
	return asked
}

func TestEmbargo(t *testing.T) {
	web := newPages(t)
	w := newWorld(t, map[string]string{
		"a": post("aaaa1111", "embargo: link\nlink: "+web.URL+"/sled\npublish_at: 2026-12-01 09:30\n", "The sled is back."),
		"b": post("bbbb2222", "platforms: [fedi]\n", "No need to wait."),
	})
	repo := w.here()

	// Before its time nobody looks, and the quick answer does.
	for _, want := range []int{1, 0, 0} {
		if report := w.run(repo); len(report.Deliveries) != want || !report.Next.Equal(start.Add(30*time.Minute)) && want == 0 {
			t.Fatalf("before its time: %v, next %v", results(report), report.Next)
		}
	}
	same(t, "looks before its time", web.looked(), []string(nil))

	// From then on each run looks, once for all accounts.
	w.clock.Advance(30 * time.Minute)
	for range 3 {
		report := w.run(repo)
		if len(report.Deliveries) != 0 {
			t.Fatalf("without the page: %v", results(report))
		}
		same(t, "waiting", waiting(report), []string{"aaaa1111@bsky embargo", "aaaa1111@fedi embargo", "aaaa1111@gts embargo", "aaaa1111@hook embargo"})
		same(t, "looks", web.looked(), []string{"GET /sled"})
		if reason := report.Waiting[0].Reason; !strings.Contains(reason, web.URL+"/sled answers 200; it answers 404 (looked at Tue 1 Dec 2026 ") {
			t.Errorf("the reason is %q", reason)
		}
		w.clock.Advance(time.Minute)
	}

	// Such runs read no posts.
	cache := filepath.Join(repo.CommonDir(), "postrider", "agenda")
	if err := os.WriteFile(cache, []byte("poison"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(repo)
	same(t, "looks of a quick run", web.looked(), []string{"GET /sled"})
	if b, err := os.ReadFile(cache); err != nil || string(b) != "poison" {
		t.Errorf("posts were read although nothing has changed (%v)", err)
	}

	// What only looks at the plan asks nobody.
	d, err := w.open(repo, setup{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Plan(w.clock.Now())
	if err != nil || len(p.Actions) != 0 || !strings.HasSuffix(p.Waiting[0].Reason, "answers 200: every run of publish looks first") {
		t.Errorf("the plan: %v %v", p, err)
	}
	same(t, "looks of a plan", web.looked(), []string(nil))

	// An hour after it would be late, the page is there.
	w.clock.Advance(7 * time.Hour)
	web.set("/sled", http.StatusMovedPermanently)
	if report := w.run(repo); len(report.Deliveries) != 0 {
		t.Errorf("with a redirect to nowhere: %v", results(report))
	}
	web.set("/there", http.StatusOK)
	if report := w.run(repo); len(report.Deliveries) != 4 {
		t.Errorf("with the page: %v, waiting %v", results(report), waiting(report))
	}
	web.looked()
	web.set("/there", http.StatusNotFound)
	w.settle()
	same(t, "looks after it is out", web.looked(), []string(nil))
	w.exactlyOnce(1, bsky, gts, hook)
	w.exactlyOnce(2, fedi)
}

func TestEmbargoedLinkAnswersOtherwise(t *testing.T) {
	web := newPages(t)
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi]\nembargo: link\nlink: "+web.URL+"/sled\n", "The sled is back.")})
	repo := w.here()
	for status, reason := range map[int]string{
		http.StatusNoContent: "it answers 204 ", http.StatusForbidden: "it answers 403 ", http.StatusServiceUnavailable: "it answers 503 ", 0: "it does not answer: EOF ",
	} {
		web.set("/sled", status)
		report := w.run(repo)
		if len(report.Deliveries) != 0 || !strings.Contains(report.Waiting[0].Reason, reason) {
			t.Errorf("%d: %v, waiting %+v", status, results(report), report.Waiting)
		}
	}
	w.created(0)
	web.set("/sled", http.StatusOK)
	w.run(repo)
	w.exactlyOnce(1, fedi)
}

// TestEmbargoAndOthers holds back what waits for its link and nothing else.
func TestEmbargoAndOthers(t *testing.T) {
	web := newPages(t)
	w := newWorld(t, map[string]string{
		"a": post("aaaa1111", "platforms: [fedi]\nembargo: link\nlink: "+web.URL+"/sled\n", "The sled is back."),
		"b": post("bbbb2222", "platforms: [fedi, gts]\nembargo: link\nlink: "+web.URL+"/lamp\noverrides: {gts: {embargo: none}}\n", "The lamp is back."),
		"c": post("cccc3333", "platforms: [fedi]\nembargo: link\n", "There is no link."),
		"d": post("dddd4444", "platforms: [fedi]\n", "It is plain."),
	})
	web.set("/lamp", http.StatusOK)
	report := w.run(w.here())
	same(t, "deliveries", results(report), []string{"bbbb2222@fedi published", "bbbb2222@gts published", "dddd4444@fedi published"})
	same(t, "waiting", waiting(report), []string{"aaaa1111@fedi embargo", "cccc3333@fedi blocked"})
	same(t, "looks", web.looked(), []string{"GET /lamp", "GET /sled"})
}

// TestEmbargoDoesNotStopWhatHasBegun settles a lost answer, edits and takes down although the link is gone again.
func TestEmbargoDoesNotStopWhatHasBegun(t *testing.T) {
	web := newPages(t)
	head := "platforms: [fedi]\nembargo: link\nlink: " + web.URL + "/sled\n"
	w := newWorld(t, map[string]string{"a": post("aaaa1111", head, "The sled is back.")})
	web.set("/sled", http.StatusOK)
	repo := w.here()
	w.crash("dead", func(r *http.Request, after bool) bool { return after && strings.HasSuffix(r.URL.Path, "/statuses") })
	web.set("/sled", http.StatusNotFound)
	w.clock.Advance(20 * time.Minute)
	w.settle()
	w.exactlyOnce(1, fedi)

	w.commit(map[string]string{"content/a.md": post("aaaa1111", head, "The sled is back again.")})
	same(t, "an edit", results(w.run(repo)), []string{"aaaa1111@fedi updated"})
	w.commit(map[string]string{"content/a.md": post("aaaa1111", head+"withdraw: true\n", "The sled is back again.")})
	same(t, "a removal", results(w.run(repo)), []string{"aaaa1111@fedi withdrawn"})
	if state := w.state("aaaa1111@fedi"); state != ledger.Withdrawn {
		t.Errorf("its record is %s", state)
	}
}
