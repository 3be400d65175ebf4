package platformtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/secret"
)

// Checked returns a transport that fails the test with what check has against a request, once for each reason, and carries it all the same.
// Check may read the request's body.
func Checked(t testing.TB, check func(*http.Request) error, next http.RoundTripper) http.RoundTripper {
	said := map[string]bool{}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r, body, err := whole(r)
		if err != nil {
			return nil, err
		}
		seen := r.Clone(r.Context())
		seen.Body = io.NopCloser(bytes.NewReader(body))
		if err := check(seen); err != nil && !said[err.Error()] {
			said[err.Error()] = true
			t.Errorf("%s %s is not as the API is described: %v\n%s", r.Method, r.URL.Path, err, body)
		}
		return next.RoundTrip(r)
	})
}

// whole returns a request whose body has been read, and that body.
func whole(r *http.Request) (*http.Request, []byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil, nil
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		return nil, nil, err
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return again, body, nil
}

// Tape is a transport that writes down what it carries: requests as an adapter makes them, and answers as its fake gives them. Both are
// fixtures that a person can hold beside the network's documentation.
type Tape struct {
	Next    http.RoundTripper
	Secrets map[string]secret.String
	// Names are addresses that differ from run to run, each with what it is called: "http://127.0.0.1:4711", "https://network.example".
	Names []string

	text strings.Builder
}

// RoundTrip implements [http.RoundTripper].
func (p *Tape) RoundTrip(r *http.Request) (*http.Response, error) {
	r, body, err := whole(r)
	if err != nil {
		return nil, err
	}
	address := *r.URL
	address.RawQuery = ""
	p.line("> %s %s", r.Method, address.String())
	for _, key := range slices.Sorted(maps.Keys(r.URL.Query())) {
		p.line("> ?%s=%s", key, strings.Join(r.URL.Query()[key], ","))
	}
	p.message(">", r.Header, body)
	answer, err := p.Next.RoundTrip(r)
	if err != nil {
		p.line("< no answer\n")
		return nil, err
	}
	body, err = io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	p.line("< %d", answer.StatusCode)
	p.message("<", answer.Header, body)
	return answer, nil
}

func (p *Tape) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for name, value := range p.Secrets {
		text = strings.ReplaceAll(text, value.Reveal(), "{"+name+"}")
	}
	p.text.WriteString(strings.NewReplacer(p.Names...).Replace(text) + "\n")
}

// message writes what follows the first line of a request or an answer.
func (p *Tape) message(mark string, header http.Header, body []byte) {
	h := http.Header{}
	for key, values := range header {
		h[http.CanonicalHeaderKey(key)] = values
	}
	kind, more, _ := mime.ParseMediaType(h.Get("Content-Type"))
	for _, key := range slices.Sorted(maps.Keys(h)) {
		switch key {
		case "User-Agent", "Content-Length", "Date": // as everywhere
			continue
		case "Authorization": // what follows may be a signature of the time
			scheme, _, _ := strings.Cut(h.Get(key), " ")
			p.line("%s %s: %s …", mark, key, scheme)
			continue
		case "Content-Type":
			if more["boundary"] != "" {
				p.line("%s %s: %s", mark, key, kind)
				continue
			}
		}
		p.line("%s %s: %s", mark, key, strings.Join(h[key], ", "))
	}
	switch {
	case len(body) == 0:
	case strings.HasPrefix(kind, "multipart/"):
		p.parts(bytes.NewReader(body), more["boundary"])
	case kind == "application/x-www-form-urlencoded":
		if form, err := url.ParseQuery(string(body)); err == nil {
			for _, key := range slices.Sorted(maps.Keys(form)) {
				p.line("%s=%s", key, strings.Join(form[key], ","))
			}
		}
	default:
		p.line("%s", shown(body))
	}
	p.line("")
}

// parts writes the parts of a form.
func (p *Tape) parts(body io.Reader, boundary string) {
	for form := multipart.NewReader(body, boundary); ; {
		part, err := form.NextRawPart()
		if err != nil {
			return
		}
		data, _ := io.ReadAll(part) // it is in memory
		p.line("-- %s", part.Header.Get("Content-Disposition"))
		if kind := part.Header.Get("Content-Type"); kind != "" {
			p.line("-- Content-Type: %s", kind)
		}
		p.line("%s", shown(data))
	}
}

// shown returns a body as a person reads it: JSON with indentation, text as it is, and of a file its size and digest.
func shown(body []byte) string {
	var indented bytes.Buffer
	switch {
	case json.Indent(&indented, body, "", "  ") == nil:
		return indented.String()
	case utf8.Valid(body) && !bytes.ContainsFunc(body, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }):
		return string(body)
	}
	return fmt.Sprintf("(%d bytes, SHA-256 %.16x…)", len(body), sha256.Sum256(body))
}

// Golden compares what the tape has with testdata/wire/NAME.txt, which `go test -update` rewrites, and clears the tape.
func (p *Tape) Golden(t *testing.T, name string) {
	t.Helper()
	got := p.text.String()
	p.text.Reset()
	for secret, value := range p.Secrets {
		if strings.Contains(got, value.Reveal()) {
			t.Errorf("%s holds the secret %s", name, secret)
		}
	}
	path := filepath.Join("testdata", "wire", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v (go test -update writes it)", err)
		return
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("%s (-golden +sent; go test -update rewrites it):\n%s", path, diff)
	}
}

// dressed returns the rendering, its files in the site's folder and known to it.
func (x *Extra) dressed(e *env) *platform.Rendering {
	files := fstest.MapFS{}
	for name, data := range x.Files {
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
	e.media = files
	r := x.Rendering
	r.Platform = e.s.Adapter.Info().ID
	r.Parts = slices.Clone(r.Parts)
	for i := range r.Parts {
		r.Parts[i].Media = slices.Clone(r.Parts[i].Media)
		for k := range r.Parts[i].Media {
			m := &r.Parts[i].Media[k]
			data := x.Files[m.Path]
			m.Digest, m.Bytes = fmt.Sprintf("%x", sha256.Sum256([]byte(data))), int64(len(data))
		}
	}
	return &r
}

// requestsMatchGoldens has one request of every kind that the corpus leads to, with its answer, written down.
func requestsMatchGoldens(t *testing.T, s *Suite) {
	caps := s.caps()
	if !caps.Has(platform.CanPublish) {
		return
	}
	names := map[string]bool{}
	golden := func(name string, e *env, run func()) {
		tape := &Tape{Next: e.http.Transport, Secrets: s.Secrets, Names: []string{
			e.server.URL, "https://network.example", e.server.Listener.Addr().String(), "network.example",
		}}
		if e.public != nil {
			tape.Names = append(tape.Names, e.public.URL, "https://files.example")
		}
		e.http.Transport = tape
		run()
		e.http.Transport = tape.Next
		names[name+".txt"] = true
		tape.Golden(t, name)
	}
	e := newEnv(t, s)
	golden("verify", e, func() {
		if _, err := e.open(t).Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	for i, name := range []string{"plain", "image", "four-images", "thread-media", "card", "link-and-tags", "poll", "languages", "sensitive"} {
		e := newEnv(t, s)
		r, findings := s.Adapter.Render(s.variant(find(name), e.account), e.account)
		if findings.HasErrors() {
			continue
		}
		golden(name, e, func() { e.published(t, &r, attempt(i)) })
	}
	for _, extra := range s.More {
		e := newEnv(t, s)
		r := extra.dressed(e)
		golden(extra.Name, e, func() { e.shows(t, e.published(t, r, attempt(1)), r) })
	}
	for _, f := range []fakenet.Fault{fakenet.Refuse, fakenet.RateLimit, fakenet.ExpiredToken, fakenet.Forbidden, fakenet.ServerError} {
		e := newEnv(t, s)
		r := e.one(t)
		golden("answer-"+string(f), e, func() {
			if _, _, err := e.under(t, fakenet.Plan{Fault: f, Count: -1}, r, attempt(1)); err == nil {
				t.Errorf("%s went unnoticed", f)
			}
		})
	}

	e = newEnv(t, s)
	r := e.rendering(t, "image", "plain")
	a := attempt(1)
	receipt := e.published(t, r, a)
	if caps.Has(platform.CanIdempotent) {
		a.N = 2
		golden("again", e, func() { e.published(t, r, a) })
	}
	if caps.Has(platform.CanFind) {
		golden("find", e, func() {
			if _, err := e.open(t).(platform.Finder).Find(t.Context(), r, attempt(1)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if caps.Has(platform.CanEdit) {
		golden("edit", e, func() {
			if _, err := e.open(t).(platform.Editor).Edit(t.Context(), receipt, changed(r)); err != nil {
				t.Fatal(err)
			}
		})
	}
	if caps.Has(platform.CanDelete) {
		golden("delete", e, func() {
			if err := e.open(t).(platform.Deleter).Delete(t.Context(), receipt); err != nil {
				t.Fatal(err)
			}
		})
	}
	entries, err := os.ReadDir(filepath.Join("testdata", "wire"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() && !names[entry.Name()] {
			t.Errorf("testdata/wire/%s belongs to no request", entry.Name())
		}
	}
}
