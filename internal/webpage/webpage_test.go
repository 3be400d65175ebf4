package webpage

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/linkcard"
	"github.com/postrider/postrider/internal/platform/apihttp"
)

// server has pages of every kind.
func server(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != apihttp.UserAgent {
			t.Errorf("it is read by %q", r.UserAgent())
		}
		w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
		fmt.Fprint(w, "<title>caf\xe9</title><meta property='og:image' content='sled.png'>")
	})
	mux.HandleFunc("GET /long", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<title>Long</title>"+strings.Repeat("<!-- x -->", 200_000)+"<meta name=description content=far>")
	})
	mux.HandleFunc("GET /sled.png", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "picture") })
	mux.HandleFunc("GET /hop/{n}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscan(r.PathValue("n"), &n) //nolint:errcheck // 0 otherwise
		if n == 0 {
			http.Redirect(w, r, "/page", http.StatusFound)
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
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func open(t *testing.T, s *httptest.Server) *Reader {
	t.Helper()
	r, err := New(s.Client().Transport, true)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPage(t *testing.T) {
	s := server(t)
	r := open(t, s)
	whole := linkcard.Page{Title: "café", Picture: s.URL + "/sled.png"}
	far := linkcard.Page{Title: "café", Picture: s.URL + "/sled.png"}
	for path, want := range map[string]linkcard.Page{"/page": whole, "/hop/4": far, "/long": {Title: "Long"}} {
		if got, err := r.Page(t.Context(), s.URL+path); err != nil || got != want {
			t.Errorf("%s: %v, %s", path, err, cmp.Diff(want, got))
		}
	}
	for address, want := range map[string]string{
		s.URL + "/hop/5":  "more than 5 redirects",
		s.URL + "/file":   `a redirect to "file"`,
		s.URL + "/data":   `it is "application/json", not a page`,
		s.URL + "/absent": "it answers 404 Not Found",
		"mailto:a@b":      "it is not an http or https address",
	} {
		if got, err := r.Page(t.Context(), address); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
}

func TestPicture(t *testing.T) {
	s := server(t)
	r := open(t, s)
	if data, err := r.Picture(t.Context(), s.URL+"/sled.png", 7); err != nil || string(data) != "picture" {
		t.Errorf("%q, %v", data, err)
	}
	if data, err := r.Picture(t.Context(), s.URL+"/sled.png", 6); data != nil || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%q, %v", data, err)
	}
}

// Unless it is allowed, no request reaches a private address, by whatever name.
func TestPrivateAddresses(t *testing.T) {
	visits := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits++ }))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	for _, transport := range []http.RoundTripper{nil, &http.Transport{}} {
		r, err := New(transport, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{s.URL, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port} {
			if _, err := r.Page(t.Context(), address); err == nil || !strings.Contains(err.Error(), "private address") {
				t.Errorf("%s with a %T: %v", address, transport, err)
			}
		}
	}
	if visits != 0 {
		t.Errorf("%d requests came through", visits)
	}
	if _, err := New(strange{}, false); err == nil {
		t.Error("a transport whose connections cannot be watched is taken")
	}
}

// strange is a transport whose connections cannot be watched.
type strange struct{}

func (strange) RoundTrip(*http.Request) (*http.Response, error) { panic("it was used") }

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.215.14": true, "2606:2800:21f:cb07:6820:80da:af6b:8b2c": true, "::ffff:93.184.215.14": true,
		"127.0.0.1": false, "127.1.2.3": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "198.18.0.1": false, "192.0.0.8": false, "224.0.0.1": false, "255.255.255.255": false,
		"240.0.0.1": false, "::": false, "::1": false, "::ffff:127.0.0.1": false, "::127.0.0.1": false, "fe80::1%eth0": false, "fc00::1": false,
		"fd12::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001::1": false, "ff02::1": false, "fec0::1": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %v", address, got)
		}
	}
}
