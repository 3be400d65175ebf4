package preview

import (
	"bytes"
	"context"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/postrider/postrider/internal/site"
)

func TestOnlyThisMachineMayAsk(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	ok := []string{"localhost", "localhost:1313", "LOCALHOST:1", "localhost.", "127.0.0.1:1313", "127.0.0.2", "[::1]", "[::1]:1313", "site.localhost:80"}
	bad := []string{
		"evil.example", "evil.example:1313", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost", "0.0.0.0", "0.0.0.0:1313", "192.168.1.2", "[::]", "169.254.169.254", "127.0.0.1@evil.example",
		"2130706433", "evil.example:127.0.0.1",
	}
	for _, host := range ok {
		for _, target := range []string{"/", "/feed.xml", "/media/none"} {
			if p := r.get(target, "Host", host); p.status == http.StatusMisdirectedRequest {
				t.Errorf("%s%s: %d", host, target, p.status)
			}
		}
	}
	for _, host := range bad {
		for _, target := range []string{"/", "/events?page=/", "/calendar.ics", "/assets/app.css", "/media/content/one.md", "/nothing"} {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
			req.Host = host
			w := httptest.NewRecorder()
			r.Handler().ServeHTTP(w, req)
			if w.Code != http.StatusMisdirectedRequest && w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "Acme") {
				t.Errorf("%s%s: %d: %s", host, target, w.Code, w.Body)
			}
			if csp := w.Header().Get("Content-Security-Policy"); csp != policy {
				t.Errorf("%s%s: Content-Security-Policy %q", host, target, csp)
			}
		}
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.Host = ""
	w := httptest.NewRecorder()
	if r.Handler().ServeHTTP(w, req); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("no host: %d", w.Code)
	}
}

func TestEveryAnswerHasThePolicy(t *testing.T) {
	files := small()
	files["content/pic.png"] = picture(t, color.Black)
	r := start(t, folder(t, files), nil)
	asset := ""
	for _, l := range links(r.page("/")) {
		if strings.HasPrefix(l, "/assets/") {
			asset = l
		}
	}
	for _, tt := range []struct {
		method, target string
		want           int
	}{
		{"GET", "/", 200},
		{"HEAD", "/", 200},
		{"GET", "/nothing", 404},
		{"POST", "/", 405},
		{"POST", "/posts/one11111", 405},
		{"PUT", "/new", 405},
		{"DELETE", "/posts/one11111/move", 405},
		{"OPTIONS", "/", 405},
		{"TRACE", "/", 405},
		{"BREW", "/", 405},
		{"GET", "/new", 200},
		{"GET", "/posts/one11111/move", 404},
		{"POST", "/posts/one11111/move", 403}, // without a token
		{"POST", "/new", 403},
		{"GET", asset, 200},
		{"HEAD", asset, 200},
		{"GET", "/assets/app.css", 404}, // without its hash
		{"GET", "/assets/../site.yaml", 307},
		{"GET", "/media/content/pic.png", 200},
		{"HEAD", "/media/content/pic.png", 200},
		{"GET", "/calendar.ics", 200},
		{"GET", "/calendar/account/bsky.ics", 200},
		{"GET", "/calendar/account/none.ics", 404},
		{"GET", "/calendar/account/bsky", 404},
		{"GET", "/calendar/account/bsky.ics.ics", 404},
		{"GET", "/calendar/campaign/winter.ics", 200},
		{"GET", "/feed.xml", 200},
		{"GET", "/atom.xml", 200},
		{"GET", "/feed.json", 200},
		{"GET", "/events", 400},
		{"GET", "/events?page=nothing", 400},
		{"GET", "/events?page=/&have=" + strings.Repeat("a", maxHave), 400},
		{"HEAD", "/events?page=/", 200},
		{"POST", "/events?page=/", 405},
	} {
		p := r.do(tt.method, tt.target, "")
		if p.status != tt.want && !(tt.want == 307 && p.status == 301) {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.target, p.status, tt.want)
		}
		csp := p.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
			t.Errorf("%s %s: Content-Security-Policy %q", tt.method, tt.target, csp)
		}
		for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Access-Control-Allow-Origin": ""} {
			if got := p.header.Get(key); got != want {
				t.Errorf("%s %s: %s %q", tt.method, tt.target, key, got)
			}
		}
		if tt.method == "HEAD" && p.body != "" {
			t.Errorf("HEAD %s has a body", tt.target)
		}
		if cache := p.header.Get("Cache-Control"); !strings.HasPrefix(tt.target, "/assets/") && cache != "no-store" {
			t.Errorf("%s %s: Cache-Control %q", tt.method, tt.target, cache)
		}
	}
}

func TestTheKey(t *testing.T) {
	files := small()
	files["content/pic.png"] = picture(t, color.Black)
	key := NewKey()
	r := start(t, folder(t, files), func(o *Options) { o.Key = key })
	if len(key) < 22 || key == NewKey() {
		t.Errorf("the key %q can be guessed", key)
	}
	for _, target := range []string{"/", "/posts/one11111", "/events?page=/", "/media/content/pic.png", "/calendar.ics", "/feed.xml", "/assets/x", "/nothing"} {
		for _, with := range []string{"", "key=", "key=wrong", "key=" + key + "x", "key=x&key=" + key, "Key=" + key} {
			sep := "?"
			if strings.Contains(target, "?") {
				sep = "&"
			}
			p := r.get(target+sep+with, "Host", "box.example:1313")
			if p.status != http.StatusForbidden || strings.Contains(p.body, "Acme") || p.header.Get("Set-Cookie") != "" {
				t.Errorf("%s with %q: %d: %s", target, with, p.status, p.body)
			}
			if p := r.get(target, "Cookie", cookie+"=wrong"); p.status != http.StatusForbidden {
				t.Errorf("%s with a wrong cookie: %d", target, p.status)
			}
		}
		if p := r.do(http.MethodPost, "/new", "title=x", "Cookie", cookie+"="); p.status != http.StatusForbidden {
			t.Errorf("writing without the key: %d", p.status)
		}
	}
	p := r.get("/posts?q=snow&key="+key, "Host", "box.example:1313")
	if to := p.header.Get("Location"); p.status != http.StatusSeeOther || to != "/posts?q=snow" {
		t.Errorf("the right key: %d, to %q", p.status, to)
	}
	set, err := http.ParseSetCookie(p.header.Get("Set-Cookie"))
	if err != nil || !set.HttpOnly || set.SameSite != http.SameSiteStrictMode || set.Value != key {
		t.Errorf("the cookie is %q", p.header.Get("Set-Cookie"))
	}
	for _, target := range []string{"/", "/posts/one11111", "/media/content/pic.png", "/calendar.ics"} {
		if p := r.get(target, "Cookie", cookie+"="+key, "Host", "box.example:1313"); p.status != http.StatusOK || strings.Contains(p.body, key) {
			t.Errorf("%s with the cookie: %d", target, p.status)
		}
	}
	// Programs that subscribe keep no cookies.
	for _, target := range []string{"/calendar.ics", "/calendar/account/bsky.ics", "/feed.xml", "/atom.xml", "/feed.json"} {
		if p := r.get(target + "?key=" + key); p.status != http.StatusOK {
			t.Errorf("%s with the key: %d", target, p.status)
		}
	}
	// The address that the key leads to is on this server.
	for _, target := range []string{"//evil.example/", "///evil.example", `/\evil.example/`, "//evil.example/%2e%2e"} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		req.URL = &url.URL{Path: target, RawQuery: "key=" + key}
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, req)
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Host != "" || strings.HasPrefix(w.Header().Get("Location"), "//") || strings.HasPrefix(w.Header().Get("Location"), `/\`) {
			t.Errorf("%s leads to %q", target, w.Header().Get("Location"))
		}
	}
}

func TestMedia(t *testing.T) {
	files := small()
	files["content/pic.png"] = picture(t, color.Black)
	files["content/a b/ä%41#?.png"] = picture(t, color.Black)
	files["content/.hidden.png"], files["content/.hidden/pic.png"], files[".env"] = picture(t, color.Black), picture(t, color.Black), "TOKEN=canary\n"
	files[".git/config"], files[".git/pic.png"] = "canary", picture(t, color.Black)
	files["content/page.png"] = "<!doctype html><script>alert(1)</script>"
	files["content/drawing.svg"] = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	files["content/drawing.png"] = files["content/drawing.svg"]
	files["content/text.png"], files["content/empty.png"] = "canary", ""
	dir := folder(t, files)
	outside := folder(t, map[string]string{"secret.png": picture(t, color.Black)})
	for link, target := range map[string]string{"content/out.png": filepath.Join(outside, "secret.png"), "content/up.png": "../../" + filepath.Base(outside) + "/secret.png", "content/out": outside, "content/in.png": "pic.png", "content/hid.png": "../.git/pic.png", "content/round.png": "round.png", "content/abs.png": filepath.Join(dir, "content", "pic.png")} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, dir, nil)
	for _, target := range []string{"content/pic.png", "content/a%20b/%C3%A4%2541%23%3F.png", "content/in.png", "content%2Fpic.png"} {
		p := r.get("/media/" + target)
		if p.status != http.StatusOK || p.header.Get("Content-Type") != "image/png" || p.body != files["content/pic.png"] {
			t.Errorf("%s: %d %s", target, p.status, p.header.Get("Content-Type"))
		}
		if csp := p.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") {
			t.Errorf("%s: %s", target, csp)
		}
	}
	for _, target := range []string{
		"", "content", "content/", "content/pic.png/", "content/none.png", ".env", "content/../.env", "content/%2e%2e/.env", "content%2f..%2f.env", "%2e%2e/%2e%2e/etc/passwd", "../.env", "/etc/passwd", "%2fetc%2fpasswd", "/",
		".git/config", ".git/pic.png", "content/.hidden.png", "content/.hidden/pic.png", "content/page.png", "content/drawing.svg", "content/drawing.png", "content/text.png", "content/empty.png", "content/out.png", "content/up.png", "content/hid.png", "content/round.png", "content/abs.png",
		"content/out/secret.png", "content/one.md", "site.yaml", "content/pic.png%00", "content/pic.png%00.txt", "./content/pic.png%2f.", "content//pic.png%20", `content%5Cpic.png`, `..%5C.env`, "content/%2e/%2e%2e/.env",
	} {
		p := r.get("/media/" + target)
		if p.status != http.StatusNotFound && p.status/100 != 3 || strings.Contains(p.body, "canary") || p.header.Get("Content-Type") == "image/png" {
			t.Errorf("%s: %d %q", target, p.status, p.body)
		}
		if to := p.header.Get("Location"); p.status/100 == 3 {
			if p := r.get(to); p.status != http.StatusNotFound && !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") || strings.Contains(p.body, "canary") {
				t.Errorf("%s, by way of %s: %d", target, to, p.status)
			}
		}
	}
	whole := files["content/pic.png"]
	if p := r.get("/media/content/pic.png", "Range", "bytes=1-3"); p.status != http.StatusPartialContent || p.body != whole[1:4] {
		t.Errorf("a range: %d %q", p.status, p.body)
	}
	if p := r.get("/media/content/pic.png", "Range", "bytes=999999-"); p.status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a range beyond the end: %d", p.status)
	}
	if p := r.get("/media/content/pic.png?v=0123"); !strings.Contains(p.header.Get("Cache-Control"), "immutable") {
		t.Errorf("a picture with its version is kept: %s", p.header.Get("Cache-Control"))
	}
}

// TestFittedMedia holds that the preview shows the bytes that are sent, and no others for an address that somebody made up.
func TestFittedMedia(t *testing.T) {
	files := small()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	files["content/photo.jpg"] = b.String()[:2] + "\xff\xe1\x00\x08GPS 47" + b.String()[2:] + strings.Repeat("a film ", 300_000)
	files["content/photo.md"] = "---\nid: photo111\nplatforms: [fedi]\nmedia: [{file: photo.jpg, alt: A hill}]\n---\nOn the hill.\n"
	files["content/bare.md"] = "---\nid: bare1111\nplatforms: [fedi]\nmedia: [{file: photo.jpg, alt: \"\"}]\n---\nBare.\n"
	r := start(t, folder(t, files), nil)
	shown := regexp.MustCompile(`/media/content/photo\.jpg\?v=[0-9a-f]+&amp;fit=[^"]+`).FindString(r.get("/posts/photo111").body)
	if shown == "" {
		t.Fatal("the page shows no picture as it is sent")
	}
	p := r.get(html.UnescapeString(shown))
	if p.status != http.StatusOK || p.header.Get("Content-Type") != "image/jpeg" || p.body != b.String() {
		t.Errorf("%s: %d, %d bytes, want %d", shown, p.status, len(p.body), b.Len())
	}
	if page := r.get("/posts/photo111").body; !strings.Contains(page, "photo.jpg is not sent as it is") {
		t.Error("the page does not say that the picture is changed")
	}
	if page := r.get("/posts/bare1111").body; !strings.Contains(page, "Only decoration: ") || strings.Contains(page, "no alt text") {
		t.Error("a picture that its post calls decoration lacks a description")
	}
	for _, fit := range []string{"x", "999999x999999-0-v1-jpeg", "1x1-0-v9-jpeg", "-1x5-0-v1-png", "20x15-0-v1-svg+xml", "20x15-1-v1-jpeg"} {
		if p := r.get("/media/content/photo.jpg?v=0123&fit=" + fit); p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", fit, p.status)
		}
	}
	if p := r.get("/media/content/one.md?fit=20x15-0-v1-jpeg"); p.status != http.StatusNotFound {
		t.Errorf("no picture: %d", p.status)
	}
}

// TestNoSecretIsRead looks for a secret everywhere, and at every file that the server opens.
func TestNoSecretIsRead(t *testing.T) {
	const canary = "canary-5c1e7d"
	t.Setenv("POSTRIDER_BSKY_APP_PASSWORD", canary)
	t.Setenv("POSTRIDER_FEDI_ACCESS_TOKEN", canary)
	files := small()
	files[".env"] = "POSTRIDER_BSKY_APP_PASSWORD=" + canary + "\n"
	files[".env.local"], files["content/.env"], files[".git/config"] = canary, canary, canary
	files["content/three.md"] = "---\nid: three333\ntitle: '{{env \"POSTRIDER_BSKY_APP_PASSWORD\"}} ${POSTRIDER_BSKY_APP_PASSWORD}'\nmedia: [{file: .env, alt: x}, {file: ../.env, alt: x}]\n---\n![x](.env) ![y](../.env) ![z](/.env)\n"
	dir := folder(t, files)
	if err := os.Symlink("../.env", filepath.Join(dir, "content", "link.md")); err != nil {
		t.Fatal(err)
	}
	var (
		mu     sync.Mutex
		opened = map[string]bool{}
	)
	r := prepare(t, dir, nil)
	r.fsys = site.Visible(opens{r.o.Root.FS(), func(name string) { mu.Lock(); opened[name] = true; mu.Unlock() }})
	r.run()
	l := r.follow("/posts/three333")
	crawl := []string{"/", "/posts", "/posts?q=canary", "/posts/one11111", "/posts/three333", "/accounts", "/problems", "/calendar", "/calendar.ics", "/feed.xml", "/media/.env", "/media/content/.env", "/media/content/link.md", "/new"}
	for _, p := range r.state.Load().board.Rows() {
		crawl = append(crawl, "/posts/"+p.Post.ID)
	}
	for _, target := range crawl {
		if p := r.get(target); strings.Contains(p.body, canary) {
			t.Errorf("%s shows a secret", target)
		}
	}
	r.write(".env", "POSTRIDER_BSKY_APP_PASSWORD="+canary+"2\n")
	r.write("content/three.md", "---\nid: three333\ntitle: Three\n---\n![x](../.env) Now.\n")
	l.shows("Now.")
	if strings.Contains(l.text(), canary) {
		t.Error("the live page shows a secret")
	}
	mu.Lock()
	defer mu.Unlock()
	if !opened["content/one.md"] || !opened["site.yaml"] {
		t.Errorf("opened: %v", opened)
	}
	for name := range opened {
		if base := filepath.Base(name); strings.HasPrefix(base, ".env") || strings.HasPrefix(name, ".git") || base == "link.md" {
			t.Errorf("%s was opened", name)
		}
	}
}

// TestTheServerEnds looks at connections that are open when the server ends: they end too.
func TestTheServerEnds(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	l := r.follow("/posts")
	r.end()
	r.end = nil
	if _, open := <-l.events; open {
		t.Error("the connection is still open")
	}
	again := r.open("/posts", "")
	again.take() // what is known is still told
	if _, open := <-again.events; open {
		t.Error("a new connection stays open")
	}
}

// TestARawRequest sends what no client of ours would.
func TestARawRequest(t *testing.T) {
	r := start(t, folder(t, small()), nil)
	for _, request := range []string{
		"GET / HTTP/1.0\r\n\r\n", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "GET //evil.example HTTP/1.0\r\nHost: localhost\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", "CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n",
	} {
		var d net.Dialer
		c, err := d.DialContext(context.Background(), "tcp", strings.TrimPrefix(r.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, strings.Replace(request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(c)
		c.Close() //nolint:errcheck // read to its end
		if err != nil {
			t.Fatal(err)
		}
		status, _, _ := strings.Cut(string(b), "\r\n")
		if strings.Contains(string(b), "Acme") || strings.Contains(string(b), "Location: //") {
			t.Errorf("%q: %s", request, status)
		}
	}
}
