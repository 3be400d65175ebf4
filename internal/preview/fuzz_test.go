package preview

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
)

// fuzzed is the sample site with a history, read and not followed.
func fuzzed(f *testing.F) *running {
	f.Helper()
	r := prepare(f, sample(f), func(o *Options) {
		o.Ledger = func(context.Context, string) (*Book, error) { return book(), nil }
	})
	if _, err := r.load(f.Context()); err != nil {
		f.Fatal(err)
	}
	return r
}

// ask sends a request past the network: what is no address is asked for too.
func (r *running) ask(method string, u *url.URL, body string) *httptest.ResponseRecorder {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // a connection that stays open has been told what there is
	req := httptest.NewRequestWithContext(ctx, method, "/", strings.NewReader(body))
	req.URL, req.RequestURI, req.Host = u, u.RequestURI(), "localhost"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req)
	return w
}

func FuzzPage(f *testing.F) {
	for _, seed := range [][2]string{
		{"/", ""}, {"/posts", "q=a b&page=99999999999999999999&sort=x"}, {"/posts", "state=%zz;a&account=<b>"}, {"/posts/q5xk2vbe", "said=1"}, {"/posts/../x", ""}, {"/calendar/list/2026-12-03", "by=account&campaign=-"},
		{"/calendar/week/0000-00-00", ""}, {"/calendar/9999-12", "account=%00"}, {"/new", "at=2026-12-24&title=\"><script>&platforms=x"}, {"//evil.example/", "%"}, {"/media/../.env", ""}, {"/\x00\xff", "\x7f"}, {"*", ""}, {"", ""},
		{"/campaigns/winter-launch", "x=1"}, {"/problems", "severity=error&code='"}, {"/assets/", ""}, {"/calendar/campaign/.ics", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	r := fuzzed(f)
	f.Fuzz(func(t *testing.T, path, query string) {
		w := r.ask(http.MethodGet, &url.URL{Path: path, RawQuery: query}, "")
		if strings.HasPrefix(path, "/events") {
			return
		}
		if w.Code >= 500 {
			t.Errorf("%q?%q: %d: %s", path, query, w.Code, w.Body)
		}
		if w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%q?%q: no policy", path, query)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && w.Code/100 != 3 {
			for _, wrong := range wellFormed(w.Body.String()) {
				t.Errorf("%q?%q: %s", path, query, wrong)
			}
		}
	})
}

func FuzzEvents(f *testing.F) {
	for _, seed := range [][3]string{
		{"/", "", ""}, {"/posts/q5xk2vbe", "post-head.0123 nav.x gone.0 . a. .b", ""}, {"/posts?q=%zz", "\x00\n\ndata: x", "0123"}, {"nothing", "", ""}, {"/\n\nevent: reload\n", "", ""}, {"//evil", strings.Repeat("a.b ", 5000), "\x00"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	r := fuzzed(f)
	f.Fuzz(func(t *testing.T, page, have, version string) {
		w := r.ask(http.MethodGet, &url.URL{Path: "/events", RawQuery: url.Values{"page": {page}, "have": {have}, "v": {version}}.Encode()}, "")
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		if w.Code != http.StatusOK {
			return
		}
		for line := range strings.SplitSeq(w.Body.String(), "\n") {
			if name, value, ok := strings.Cut(line, ": "); line != "" && (!ok || name == "event" && value != "blocks" && value != "reload" || name != "event" && name != "data" && name != "retry") {
				t.Errorf("a line %q", line)
			}
		}
	})
}

func FuzzMove(f *testing.F) {
	for _, seed := range [][2]string{
		{"k3v9q2xh", "at=2026-12-24T09:30"}, {"h3wq6zna", "token=TOKEN&source=SOURCE&at=2026-12-24T09:30"}, {"h3wq6zna", "token=TOKEN&source=SOURCE&at=9999-12-31T23:59"}, {"h3wq6zna", "token=TOKEN&source=SOURCE&at=2026-03-29T02:30"},
		{"../../x", "token=TOKEN&at=%zz"}, {"q5xk2vbe", "token=TOKEN&source=SOURCE&at="}, {"", ";;&&=="}, {"h3wq6zna", "token=TOKEN&source=SOURCE&at=-001-01-01T00:00"},
	} {
		f.Add(seed[0], seed[1])
	}
	r := fuzzed(f)
	const file = "content/2026/12/the-nine/index.md"
	was := read(f, r.dir, file)
	f.Fuzz(func(t *testing.T, id, form string) {
		form = strings.ReplaceAll(form, "TOKEN", r.token)
		if row, ok := r.state.Load().board.Row(id); ok {
			form = strings.ReplaceAll(form, "SOURCE", row.Post.Source)
		}
		w := r.ask(http.MethodPost, &url.URL{Path: "/posts/" + id + "/move"}, form)
		if w.Code >= 500 {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		is := read(t, r.dir, file)
		if is == was {
			return
		}
		if w.Code != http.StatusSeeOther {
			t.Errorf("refused with %d, and written: %s", w.Code, w.Body)
		}
		a, b := strings.Split(was, "\n"), strings.Split(is, "\n")
		for i := range a {
			if len(a) != len(b) || a[i] != b[i] && !strings.HasPrefix(a[i], "publish_at:") {
				t.Fatalf("more has changed than a time:\n%s", is)
			}
		}
		if err := os.WriteFile(r.dir+"/"+file, []byte(was), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.load(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
