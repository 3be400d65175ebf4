package platformtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// Fuzz feeds an adapter's publisher with arbitrary answers: after some requests that go well, every
// answer has the given status, content type and body. The publisher must not panic, not loop, and not
// take nonsense for a success.
func Fuzz(f *testing.F, s Suite) {
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `"x"`, `{"id":null}`, `{"id":""}`, `{"id":1,"uri":2,"cid":{},"url":[]}`, `{"error":{"x":1},"message":[]}`,
		`{"uri":"at://x","cid":"y","records":[{}],"value":{"text":1}}`, `{"records":null,"cursor":"x"}`, `<html>`, "\xff\xfe",
		`{"accessJwt":"a","refreshJwt":"b","did":"did:plc:x","handle":"h","didDoc":{"service":[{"id":"#atproto_pds","serviceEndpoint":"http://127.0.0.1:1"}]}}`,
	} {
		for _, status := range []int{200, 202, 206, 400, 401, 429, 500} {
			f.Add(uint8(len(body)%4), status, "application/json", body)
		}
	}
	const base = "http://fake.example"
	f.Fuzz(func(t *testing.T, good uint8, status int, contentType, body string) {
		if status < 200 || status > 599 {
			return
		}
		fake := s.Fake(base)
		left := int(good % 8)
		requests := 0
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			if requests++; requests > 200 {
				return nil, errors.New("too many requests")
			}
			if left > 0 {
				left--
				w := httptest.NewRecorder()
				if r.Body == nil {
					r.Body = http.NoBody
				}
				fake.ServeHTTP(w, r)
				return w.Result(), nil
			}
			return &http.Response{
				StatusCode: status, Header: http.Header{"Content-Type": {contentType}},
				Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: r,
			}, nil
		})
		account := s.Account(base)
		waits := 0
		p, err := s.Adapter.Open(account, platform.Deps{
			HTTP: &http.Client{Transport: transport}, Media: Files(), Now: Clock, Secrets: s.Secrets,
			PublicMedia: func(_ context.Context, m platform.Media) (string, error) { return "http://127.0.0.1:1/" + m.Path, nil },
			Wait: func(ctx context.Context, _ time.Duration) error {
				if waits++; waits > 20 {
					return context.DeadlineExceeded
				}
				return ctx.Err()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"image", "thread"} {
			r, findings := s.Adapter.Render(s.variant(find(name), account), account)
			if findings.HasErrors() {
				continue
			}
			receipt, err := p.Publish(t.Context(), &r, attempt(1))
			fuzzed(t, "Publish", err, receipt, len(r.Parts))
			if f, ok := p.(platform.Finder); ok {
				found, err := f.Find(t.Context(), &r, attempt(1))
				if !errors.Is(err, platform.ErrNotFound) {
					fuzzed(t, "Find", err, found, 0)
				}
			}
			old := platform.Receipt{Parts: []platform.Remote{{ID: "at://did:plc:x/app.bsky.feed.post/3k", URL: base}}}
			if e, ok := p.(platform.Editor); ok {
				r.Parts = r.Parts[:1]
				edited, err := e.Edit(t.Context(), old, &r)
				fuzzed(t, "Edit", err, edited, 1)
			}
			if d, ok := p.(platform.Deleter); ok {
				fuzzed(t, "Delete", d.Delete(t.Context(), old), platform.Receipt{}, 0)
			}
		}
		_, err = p.Verify(t.Context())
		fuzzed(t, "Verify", err, platform.Receipt{}, 0)
		if requests > 200 {
			t.Errorf("%d requests", requests)
		}
	})
}

// fuzzed fails the test unless err is a *platform.Error, or nil with at least n named parts.
func fuzzed(t *testing.T, call string, err error, receipt platform.Receipt, n int) {
	t.Helper()
	if err != nil {
		if _, ok := errors.AsType[*platform.Error](err); !ok {
			t.Errorf("%s: %v is a %T, want a *platform.Error", call, err, err)
		}
		return
	}
	if len(receipt.Parts) < n {
		t.Errorf("%s succeeded with the receipt %+v", call, receipt)
	}
	for i, p := range receipt.Parts {
		if p.ID == "" || p.Part != i {
			t.Errorf("%s succeeded with part %+v", call, p)
		}
	}
}
