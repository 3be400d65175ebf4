package bluesky

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/platform"
)

const png = "\x89PNG\r\n\x1a\n and so on"

// site is a web server with pages of every kind.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	page := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, body)
		})
	}
	page("/og", `<!doctype html><html><head><title>Own</title>
		<meta property="og:title" content=" Winter &amp; “launch” "><meta name="OG:Description" content="The
		sled"><meta property="og:image" content="/sled.png"><meta property="og:title" content="second"></head>
		<body><meta property="og:title" content="in the body"></body>`)
	page("/plain", `<title>Own title</title><meta name=description content="Own words">`)
	page("/none", `<p>hello`)
	page("/long", `<title>`+strings.Repeat("winter ", 100)+`</title>`+strings.Repeat("<!-- x -->", 200_000))
	page("/latin1", "<title>caf\xe9</title>")
	page("/script", `<meta property="og:title" content="t"><meta property="og:image" content="javascript:alert(1)">`)
	page("/bigpicture", `<meta property="og:title" content="t"><meta property="og:image" content="big.png">`)
	page("/nopicture", `<meta property="og:title" content="t"><meta property="og:image" content="/og">`)
	mux.HandleFunc("GET /sled.png", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, png) })
	mux.HandleFunc("GET /big.png", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, png+strings.Repeat("x", maxThumbBytes)) })
	mux.HandleFunc("GET /hop/{n}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscan(r.PathValue("n"), &n)
		if n == 0 {
			http.Redirect(w, r, "/plain", http.StatusFound)
			return
		}
		http.Redirect(w, r, fmt.Sprint("/hop/", n-1), http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("GET /data", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"title":"t"}`)
	})
	mux.HandleFunc("GET /broken", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestReadPage(t *testing.T) {
	s := site(t)
	tests := map[string]page{
		"/og":         {title: "Winter & “launch”", description: "The sled", image: []byte(png)},
		"/plain":      {title: "Own title", description: "Own words"},
		"/none":       {},
		"/long":       {title: strings.TrimSpace(strings.Repeat("winter ", 42)) + "…"},
		"/latin1":     {},
		"/script":     {title: "t"},
		"/bigpicture": {title: "t"},
		"/nopicture":  {title: "t"},
		"/hop/4":      {title: "Own title", description: "Own words"},
		"/hop/5":      {},
		"/file":       {},
		"/data":       {},
		"/broken":     {},
		"/absent":     {},
	}
	unread := map[string]bool{
		"/bigpicture": true, "/hop/5": true, "/file": true, "/data": true, "/broken": true, "/absent": true,
	}
	for path, want := range tests {
		w := newWorld(t)
		p := w.open(t, "acme")
		p.deps.HTTP = s.Client()
		if want.title == "" {
			want.title = s.URL + path
		}
		got := p.readPage(t.Context(), s.URL+path)
		if got.title != want.title || got.description != want.description || string(got.image) != string(want.image) {
			t.Errorf("%s: got %.80q, %q, %d bytes of picture", path, got.title, got.description, len(got.image))
		}
		if strings.Count(w.log.String(), "account=") > strings.Count(w.log.String(), "msg=") {
			t.Errorf("%s: the account is named twice: %q", path, w.log.String())
		}
		if got, want := strings.Contains(w.log.String(), "the link card is incomplete"), unread[path]; got != want {
			t.Errorf("%s: log %q", path, w.log.String())
		}
	}
}

func TestFetchedCardIsSent(t *testing.T) {
	w, s := newWorld(t), site(t)
	r := say("x", "y")
	r.Parts[0].Card = &platform.Card{URL: s.URL + "/og", Fetch: true}
	r.Parts[1].Card = &platform.Card{URL: s.URL + "/absent", Fetch: true}
	w.publish(t, "acme", r, 1)
	posts := w.fake.Posts()
	if c := posts[0].Card; c == nil || c.Title != "Winter & “launch”" || c.Description != "The sled" || c.Image == nil || c.Image.MIME != "image/png" {
		t.Errorf("got %+v", c)
	}
	if c := posts[1].Card; c == nil || c.Title != s.URL+"/absent" || c.URL != s.URL+"/absent" || c.Image != nil {
		t.Errorf("got %+v", c)
	}
}

// A picture that the server refuses is no reason to hold the post back; one that cannot be uploaded now is.
func TestRefusedThumb(t *testing.T) {
	for status, want := range map[int]platform.Outcome{http.StatusBadRequest: 0, http.StatusBadGateway: platform.Unsent} {
		w, s := newWorld(t), site(t)
		w.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "uploadBlob") {
				return false
			}
			http.Error(rw, "no", status)
			return true
		}
		r := say("x")
		r.Parts[0].Card = &platform.Card{URL: s.URL + "/og", Fetch: true}
		_, err := w.open(t, "acme").Publish(t.Context(), r, try(1))
		if want != 0 {
			wantOutcome(t, err, want, "picture")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if c := w.fake.Posts()[0].Card; c == nil || c.Title != "Winter & “launch”" || c.Image != nil {
			t.Errorf("got %+v", c)
		}
	}
}

// Unless it is allowed, no request reaches a private address, by whatever name or redirect.
func TestPrivatePagesAreNotRead(t *testing.T) {
	w, s := newWorld(t), site(t)
	visits := 0
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { visits++; inner.ServeHTTP(rw, r) })
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, address := range []string{s.URL + "/og", "http://localhost:" + port + "/og", "http://[::ffff:127.0.0.1]:" + port + "/og", "http://0.0.0.0:" + port + "/og"} {
		for _, transport := range []http.RoundTripper{nil, &http.Transport{}, strange{}} {
			p := w.open(t, "acme")
			p.deps.HTTP, p.deps.AllowPrivate = &http.Client{Transport: transport}, false
			if got := p.readPage(t.Context(), address); got.title != address {
				t.Errorf("%s with a %T: %+v", address, transport, got)
			}
		}
	}
	if visits != 0 {
		t.Errorf("%d requests came through", visits)
	}
	if n := strings.Count(w.log.String(), "private address"); n == 0 {
		t.Errorf("log: %s", w.log.String())
	}
}

// strange is a transport whose connections cannot be watched.
type strange struct{}

func (strange) RoundTrip(*http.Request) (*http.Response, error) { panic("it was used") }
