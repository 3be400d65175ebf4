package linkcheck

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/check"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/site"
)

// web is a world wide web in memory.
type web func(*http.Request) (*http.Response, error)

func (w web) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func answer(r *http.Request, status int, location string) *http.Response {
	h := http.Header{}
	if location != "" {
		h.Set("Location", location)
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("")), Request: r}
}

// world is the web of the tests: what stands in paths, and hosts that fail in their own ways.
func world(r *http.Request) (*http.Response, error) {
	host := strings.ToLower(r.URL.Hostname())
	switch {
	case net.ParseIP(host) != nil: // nothing is connected to there: see [New]
		guarded, err := New(Options{Web: &http.Transport{}})
		if err != nil {
			return nil, err
		}
		return guarded.web.RoundTrip(r)
	case host == "silent.example":
		return nil, errors.New("connection refused")
	case host == "slow.example":
		return nil, context.DeadlineExceeded
	case host == "resolver.example":
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	case host == "expired.example":
		return nil, &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.Expired, Cert: &x509.Certificate{
			NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC),
		}}}
	case host == "other.example":
		return nil, &tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: host}}
	case host == "own.example":
		return nil, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	case host == "plain.example":
		return nil, tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}
	case host == "constrained.example":
		return nil, &tls.CertificateVerificationError{Err: x509.CertificateInvalidError{Reason: x509.TooManyIntermediates}}
	case host == "alert.example":
		return nil, tls.AlertError(40)
	case host != "acme.example" && host != "www.acme.example":
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	head := r.Method == http.MethodHead
	switch path := r.URL.Path; {
	case path == "/winter":
		return answer(r, 200, ""), nil
	case path == "/gone", path == "/no-head-no-page":
		return answer(r, 404, ""), nil
	case path == "/gone-for-good":
		return answer(r, 410, ""), nil
	case path == "/broken":
		return answer(r, 503, ""), nil
	case path == "/members":
		return answer(r, 403, ""), nil
	case path == "/login":
		return answer(r, 401, ""), nil
	case path == "/robots":
		return answer(r, 999, ""), nil
	case path == "/no-head" && head:
		return answer(r, 405, ""), nil
	case path == "/head-breaks" && head:
		return nil, io.ErrUnexpectedEOF
	case path == "/no-head", path == "/head-breaks":
		return answer(r, 204, ""), nil
	case path == "/old":
		return answer(r, 301, "/winter?utm_source=mastodon#top"), nil
	case path == "/older":
		return answer(r, 308, "https://www.acme.example/old"), nil
	case path == "/today":
		return answer(r, 302, "/winter"), nil
	case path == "/old-today":
		return answer(r, 301, "/today"), nil
	case path == "/old-gone":
		return answer(r, 301, "/gone"), nil
	case path == "/circle":
		return answer(r, 302, "/circle"), nil
	case path == "/app":
		return answer(r, 302, "acme://winter"), nil
	case path == "/away":
		return answer(r, 302, "https://nowhere.example/"), nil
	case path == "/garbage":
		return answer(r, 302, "https://[::1"), nil
	case path == "/no-location":
		return answer(r, 302, ""), nil
	case path == "/cookie":
		if _, err := r.Cookie("seen"); err != nil {
			resp := answer(r, 302, "/cookie")
			resp.Header.Set("Set-Cookie", "seen=1; Path=/")
			return resp, nil
		}
		return answer(r, 200, ""), nil
	}
	return nil, fmt.Errorf("%s is not in this world", r.URL)
}

func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// checker returns one that goes to a web without waiting.
func checker(w web) *Checker { return &Checker{web: w, wait: noWait, gates: map[string]*gate{}} }

// link is a link that stands somewhere in a file called a.
func link(address string) check.Link {
	return check.Link{Address: address, Written: address, Path: "a", Range: finding.Range{Start: finding.Pos{Line: 4, Column: 1}}}
}

// brief writes findings as "CODE severity message".
func brief(list finding.List) (lines []string) {
	for _, f := range list {
		lines = append(lines, fmt.Sprintf("%s %s %s", f.Code, f.Severity, f.Message))
	}
	return lines
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct{ address, want string }{
		{"https://acme.example/winter", ""},
		{"HTTPS://ACME.example/winter#top", ""},
		{"https://acme.example/no-head", ""},
		{"https://acme.example/head-breaks", ""},
		{"https://acme.example/today", ""},
		{"https://acme.example/cookie", ""},
		{"https://acme.example/gone", "L101 error %s answers 404: the page is not there"},
		{"https://acme.example/gone-for-good", "L101 error %s answers 410: the page is not there"},
		{"https://acme.example/old-gone", "L101 error %s answers 404: the page is not there"},
		{"https://nowhere.example/winter", `L102 error %s leads nowhere: there is no host "nowhere.example"`},
		{"https://acme.example/away", `L102 error %s leads nowhere: there is no host "nowhere.example"`},
		{"https://acme.example/%zz", "L102 error %s is no address that can be asked"},
		{"https://", "L102 error %s is no address that can be asked"},
		{"https://acme.example/broken", "L103 warning %s answers 503"},
		{"https://acme.example/no-location", "L103 warning %s answers 302"},
		{"https://acme.example/circle", "L103 warning %s leads from one address to the next, more than 10 times"},
		{"https://acme.example/garbage", "L103 warning %s answers 302"},
		{"https://silent.example/", "L104 warning %s does not answer: connection refused"},
		{"https://slow.example/", "L104 warning %s does not answer within 10s"},
		{"https://resolver.example/", "L104 warning %s does not answer: lookup resolver.example: server misbehaving"},
		{"https://expired.example/", "L105 warning %s is not safe: its certificate is good from 1 Jan 2026 to 31 Mar 2026"},
		{"https://other.example/", "L105 warning %s is not safe: its certificate is for another host"},
		{"https://own.example/", "L105 warning %s is not safe: its certificate comes from an authority that is not known here"},
		{"https://plain.example/", "L105 warning %s is not safe: the server does not speak TLS there"},
		{"https://constrained.example/", "L105 warning %s is not safe: x509: too many intermediates for path length constraint"},
		{"https://alert.example/", "L105 warning %s is not safe: tls: handshake failure"},
		{"https://acme.example/old", "L106 info %s has moved to https://acme.example/winter#top"},
		{"https://acme.example/older", "L106 info %s has moved to https://www.acme.example/winter#top"},
		{"https://acme.example/old-today", "L106 info %s has moved to https://acme.example/today"},
		{"http://192.168.1.10/", "L107 warning %s leads to a private address, where readers are not; it was not asked"},
		{"http://[::1]:8080/", "L107 warning %s leads to a private address, where readers are not; it was not asked"},
		{"https://acme.example/members", "L108 info %s answers 403, as many servers do to programs"},
		{"https://acme.example/login", "L108 info %s answers 401, as many servers do to programs"},
		{"https://acme.example/robots", "L108 info %s answers 999, as many servers do to programs"},
		{"https://acme.example/app", `L108 info %s leads on to "acme://winter", which is no page of the web`},
	} {
		var want []string
		if tt.want != "" {
			want = []string{fmt.Sprintf(tt.want, tt.address)}
		}
		if diff := cmp.Diff(want, brief(checker(world).Check(t.Context(), []check.Link{link(tt.address)}))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.address, diff)
		}
	}
}

// TestOncePerPage asks a page once, and tells so at each place.
func TestOncePerPage(t *testing.T) {
	var asked []string
	c := checker(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.Method+" "+r.URL.String())
		return world(r)
	})
	first, again := link("https://acme.example/old?utm_source=fedi#a"), link("https://acme.example/old#b")
	first.Written = "https://acme.example/old#a"
	again.Path, again.Post = "b", "bbbb2222"
	got := c.Check(t.Context(), []check.Link{first, again})
	want := finding.List{
		{Code: "L106", Path: "a", Range: first.Range, Message: "https://acme.example/old#a has moved to https://acme.example/winter#top", Hint: "link to where it is now"},
		{Code: "L106", Path: "b", Post: "bbbb2222", Range: first.Range, Message: "https://acme.example/old#b has moved to https://acme.example/winter#top", Hint: "link to where it is now"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"HEAD https://acme.example/old?utm_source=fedi", "HEAD https://acme.example/winter?utm_source=mastodon"}, withoutFragments(asked)); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func withoutFragments(addresses []string) []string {
	for i := range addresses {
		addresses[i], _, _ = strings.Cut(addresses[i], "#")
	}
	return addresses
}

// TestAwaited takes nothing amiss from the link of a post that waits for it.
func TestAwaited(t *testing.T) {
	l := link("https://acme.example/gone")
	l.Awaited = true
	got := checker(world).Check(t.Context(), []check.Link{l})
	if len(got) != 1 || got[0].Severity != finding.Info || got[0].Hint != "the post goes out once it answers 200 (embargo: link)" {
		t.Errorf("%+v", got)
	}
}

// TestPolite: hosts are asked side by side, eight at most, each with one request at a time and a pause between two.
func TestPolite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu       sync.Mutex
			busy     = map[string]bool{}
			last     = map[string]time.Time{}
			together int
		)
		c := checker(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			if busy[r.URL.Host] {
				t.Errorf("%s gets two requests at a time", r.URL.Host)
			}
			if was, ok := last[r.URL.Host]; ok && time.Since(was) < pause {
				t.Errorf("%s gets a request %s after the last", r.URL.Host, time.Since(was))
			}
			busy[r.URL.Host] = true
			together = max(together, len(busy))
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			delete(busy, r.URL.Host)
			last[r.URL.Host] = time.Now()
			mu.Unlock()
			if r.URL.Path == "/away" {
				return answer(r, 302, "https://h1.example/there"), nil
			}
			return answer(r, 200, ""), nil
		})
		c.wait = func(ctx context.Context, d time.Duration) error {
			select {
			case <-time.After(d):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		var links []check.Link
		for h := range 20 {
			for p := range 3 {
				links = append(links, link(fmt.Sprintf("https://h%d.example/%d", h, p)), link(fmt.Sprintf("https://h%d.example/away", h)))
			}
		}
		if found := c.Check(t.Context(), links); len(found) > 0 {
			t.Errorf("found %v", brief(found))
		}
		if together != maxHosts {
			t.Errorf("%d hosts were asked at a time, want %d", together, maxHosts)
		}
	})
}

// TestPagesThatHang ends although nothing answers: a host is given up after two pages.
func TestPagesThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := checker(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		began := time.Now()
		got := brief(c.Check(t.Context(), []check.Link{link("https://a.example/1"), link("https://a.example/2"), link("https://a.example/3"), link("https://b.example/")}))
		want := []string{
			"L104 warning https://a.example/1 does not answer within 10s",
			"L104 warning https://a.example/2 does not answer within 10s",
			"L104 warning https://a.example/3 was not asked: its server has not answered twice",
			"L104 warning https://b.example/ does not answer within 10s",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != 2*maxSilence*answerTime {
			t.Errorf("it took %s", took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got := c.Check(ctx, []check.Link{link("https://c.example/")}); len(got) > 0 {
			t.Errorf("what was interrupted is reported: %v", brief(got))
		}
	})
}

// TestTooManyRequests leaves a server alone that says so.
func TestTooManyRequests(t *testing.T) {
	asked := 0
	c := checker(func(r *http.Request) (*http.Response, error) {
		asked++
		return answer(r, http.StatusTooManyRequests, ""), nil
	})
	got := brief(c.Check(t.Context(), []check.Link{link("https://a.example/1"), link("https://a.example/2")}))
	want := []string{
		"L108 info https://a.example/1 answers 429, as many servers do to programs",
		"L108 info https://a.example/2 was not asked: its server wants to be asked less (429)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if asked != 2 { // HEAD and GET of the first
		t.Errorf("%d requests, want 2", asked)
	}
}

// TestServers asks real ones.
func TestServers(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Path)
		mu.Unlock()
		switch {
		case r.URL.Path == "/endless": // whoever reads it is lost
			for w.(http.Flusher).Flush(); r.Context().Err() == nil; {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case r.Method == http.MethodHead:
			http.Error(w, "no", http.StatusMethodNotAllowed)
		}
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()

	guarded, err := New(Options{Web: transport, Wait: noWait})
	if err != nil {
		t.Fatal(err)
	}
	if got := brief(guarded.Check(t.Context(), []check.Link{link(plain.URL + "/a")})); len(got) != 1 || !strings.HasPrefix(got[0], "L107 ") {
		t.Errorf("a private address: %v", got)
	}
	if len(asked) > 0 {
		t.Errorf("a private address was asked: %v", asked)
	}
	free, err := New(Options{Web: transport, Private: true, Wait: noWait})
	if err != nil {
		t.Fatal(err)
	}
	if got := brief(free.Check(t.Context(), []check.Link{link(plain.URL + "/a"), link(plain.URL + "/endless")})); len(got) > 0 {
		t.Errorf("found %v", got)
	}
	mu.Lock()
	if diff := cmp.Diff([]string{"HEAD /a", "GET /a", "HEAD /endless"}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	mu.Unlock()

	expired := httptest.NewUnstartedServer(handler)
	certificate, pool := expiredCertificate(t)
	expired.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	unknown := httptest.NewUnstartedServer(handler)
	for _, server := range []*httptest.Server{expired, unknown} {
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.StartTLS()
		defer server.Close()
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	got := brief(free.Check(t.Context(), []check.Link{link(expired.URL + "/a"), link(unknown.URL + "/a"), link(strings.Replace(plain.URL, "http:", "https:", 1) + "/a")}))
	want := []string{
		"L105 warning " + expired.URL + "/a is not safe: its certificate is good from 1 Jan 2020 to 31 Mar 2020",
		"L105 warning " + unknown.URL + "/a is not safe: its certificate comes from an authority that is not known here",
		"L105 warning " + strings.Replace(plain.URL, "http:", "https:", 1) + "/a is not safe: the server does not speak TLS there",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	if _, err := New(Options{Web: web(world)}); err == nil {
		t.Error("a transport that does not show where it leads is taken for a safe one")
	}
}

// expiredCertificate makes one for 127.0.0.1 that was good in early 2020.
func expiredCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2020, 3, 31, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// found checks an example as `check --links` does.
func found(t *testing.T, example string) finding.List {
	t.Helper()
	fsys := fstest.MapFS{"site.yaml": {Data: []byte("accounts:\n  x: {platform: x, handle: acme, utm: {source: \"{account}\"}}\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\n")}}
	name := ""
	for line := range strings.Lines(example) {
		if marked, ok := strings.CutPrefix(strings.TrimSpace(line), "-- "); ok && strings.HasSuffix(marked, " --") {
			name = strings.TrimSuffix(marked, " --")
			fsys[name] = &fstest.MapFile{}
			continue
		}
		fsys[name].Data = append(fsys[name].Data, line...)
	}
	_, list, err := site.LoadAndCheck(t.Context(), fsys, adapters.All(), site.Options{Links: checker(world).Check})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestExamples runs the documentation of what asking finds: Bad has the finding, Good does not.
func TestExamples(t *testing.T) {
	ran := 0
	for _, c := range check.All() {
		d := c.Doc
		if d.Code[0] != 'L' {
			continue
		}
		ran++
		hits := slices.DeleteFunc(found(t, d.Bad), func(f finding.Finding) bool { return f.Code[0] != 'L' })
		if len(hits) != 1 || hits[0].Code != d.Code || hits[0].Severity != d.Severity || hits[0].Path != "content/sled.md" || hits[0].Range.Start != (finding.Pos{Line: 4, Column: 19}) || hits[0].Hint == "" {
			t.Errorf("%s: found %+v", d.Code, hits)
		}
		if hits := slices.DeleteFunc(found(t, d.Good), func(f finding.Finding) bool { return f.Code[0] != 'L' }); len(hits) > 0 {
			t.Errorf("%s: found %+v in what is good", d.Code, hits)
		}
	}
	if ran != 8 {
		t.Errorf("%d examples", ran)
	}
}

// TestPlaces finds links wherever a post has them, and nothing that readers do not click.
func TestPlaces(t *testing.T) {
	list := found(t, `-- content/a.md --
---
id: aaaa1111
platforms: [x, fedi]
link: https://acme.example/gone?in=link
canonical_url: https://acme.example/gone?in=canonical
first_comment: See https://acme.example/gone?in=comment.
reply_to: https://acme.example/gone?in=reply
card: {url: "https://acme.example/gone?in=card", title: A card}
overrides: {x: {link: "https://acme.example/gone?in=override"}}
notes: https://acme.example/gone?in=notes
---
> **Read** [this](https://acme.example/gone?in=words), <https://acme.example/gone?in=brackets>
> \*and https://acme.example/gone?in=text, *https://acme.example/gone*

- `+"`https://acme.example/gone?in=code`"+` <!-- https://acme.example/gone?in=note -->
- mailto:ann@acme.example, [ann](mailto:ann@acme.example), [here](/gone), acme.example/gone

::: fedi
**https://acme.example/gone?in=block** twice: https://acme.example/gone?in=block
:::

---

Grüße aus https://acme.example/gone?in=part2
`)
	var got []string
	for _, f := range list {
		if f.Code[0] == 'L' {
			got = append(got, fmt.Sprintf("%d:%d-%d %s", f.Range.Start.Line, f.Range.Start.Column, f.Range.End.Column, strings.TrimSuffix(strings.TrimPrefix(f.Message, "https://acme.example/gone?in="), " answers 404: the page is not there")))
		}
	}
	want := []string{
		"4:7-40 link", "5:16-54 canonical", "6:16-57 comment", "8:7-0 card", "9:23-62 override",
		"12:12-54 words", "12:56-95 brackets", "13:9-42 text", "13:45-70 https://acme.example/gone",
		"19:3-37 block", "19:47-81 block", "24:11-45 part2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestIgnored(t *testing.T) {
	post := func(address string) string {
		return "-- content/a.md --\n---\nid: aaaa1111\nplatforms: [x]\n---\nSee " + address + "\n\n<!-- postrider:ignore L101 the archive comes back next week -->\n"
	}
	for _, address := range []string{"https://acme.example/gone", "https://acme.example/winter"} {
		if got := brief(found(t, post(address))); len(got) > 0 {
			t.Errorf("%s: %v", address, got)
		}
	}
	if got := brief(found(t, post("https://acme.example/broken"))); len(got) != 1 {
		t.Errorf("another finding: %v", got)
	}
}

// FuzzAnswers: whatever stands in a post, and whatever servers say, asking ends with findings that have all they need.
func FuzzAnswers(f *testing.F) {
	f.Add("https://acme.example/a", "https://acme.example/b", 301)
	f.Add("https://[::1%25eth0]:99999/", "//x", 308)
	f.Add("http://ä.example/\x00", "\x7f", 302)
	f.Add("https://a:b@acme.example/?utm_source=x#y", "?utm_source=y", 404)
	f.Fuzz(func(t *testing.T, address, location string, status int) {
		asked := 0
		c := checker(func(r *http.Request) (*http.Response, error) {
			if asked++; asked > 2*(maxRedirects+1) {
				t.Fatal("it does not end")
			}
			return answer(r, status, location), nil
		})
		for _, x := range c.Check(t.Context(), []check.Link{link(address)}) {
			if x.Code == "" || x.Path == "" || !strings.HasPrefix(x.Message, address+" ") {
				t.Errorf("%+v", x)
			}
		}
	})
}
