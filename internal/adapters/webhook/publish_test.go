package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/secret"
)

const shared = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func now() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

// request is what a receiver got.
type request struct {
	header http.Header
	body   []byte
	event  Event
}

// receiver records events and answers all with one answer.
func receiver(t *testing.T, status int, contentType, answer string) (platform.Publisher, *[]request, fstest.MapFS) {
	t.Helper()
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		req := request{header: r.Header, body: body}
		if r.Method == http.MethodPost {
			if err := json.Unmarshal(body, &req.event); err != nil {
				t.Errorf("the event is not JSON: %v", err)
			}
		}
		got = append(got, req)
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	files := fstest.MapFS{}
	p, err := Adapter{}.Open(&platform.Account{Name: "hook", Options: &Options{URL: server.URL + "/in?a=b"}}, platform.Deps{
		HTTP: server.Client(), Media: files, Now: now, Secrets: map[string]secret.String{"SECRET": secret.New(shared)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, &got, files
}

func rendering(texts ...string) *platform.Rendering {
	r := &platform.Rendering{Platform: "webhook", Title: "T", Language: []string{"en"}}
	for _, text := range texts {
		r.Parts = append(r.Parts, platform.Part{Text: text})
	}
	return r
}

func attempt() platform.Attempt {
	return platform.Attempt{Key: "01234567890123456789abcdef", At: now().Add(-time.Hour), N: 1}
}

// The specification's own vector, as its Go library tests it.
func TestSignatureVector(t *testing.T) {
	w, err := standardwebhooks.NewWebhook(strings.TrimPrefix(shared, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestEvent(t *testing.T) {
	p, got, files := receiver(t, 200, "application/json", `{"id":7,"url":"https://acme.example/p/7"}`)
	small, large := []byte("small"), bytes.Repeat([]byte("x"), maxContent)
	media := func(path string, data []byte) platform.Media {
		files[path] = &fstest.MapFile{Data: data}
		sum := sha256.Sum256(data)
		return platform.Media{Path: path, Digest: hex.EncodeToString(sum[:]), MIME: "image/png", Alt: "alt of " + path, Bytes: int64(len(data))}
	}
	r := rendering("One <b>&", "Two")
	a, b := media("a.png", small), media("b.png", large)
	r.Parts[0].Media = []platform.Media{a, b}
	r.Parts[1].Card = &platform.Card{URL: "https://acme.example", Image: &a}
	r.Poll = &platform.Poll{Options: []string{"x", "y"}, Duration: 90 * time.Minute}

	receipt, err := p.Publish(t.Context(), r, attempt())
	if err != nil {
		t.Fatal(err)
	}
	want := platform.Receipt{At: now(), Parts: []platform.Remote{
		{ID: "7", URL: "https://acme.example/p/7", Part: 0, Version: attempt().Key},
		{ID: "7#2", URL: "https://acme.example/p/7", Part: 1, Version: attempt().Key},
	}}
	if diff := cmp.Diff(want, receipt); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	if len(*got) != 1 {
		t.Fatalf("%d requests", len(*got))
	}
	req := (*got)[0]
	verifier, _ := standardwebhooks.NewWebhook(shared)
	if err := verifier.VerifyIgnoringTimestamp(req.body, req.header); err != nil {
		t.Error(err)
	}
	if id, at := req.header.Get("webhook-id"), req.header.Get("webhook-timestamp"); id != attempt().Key || at != fmt.Sprint(now().Unix()) {
		t.Errorf("webhook-id %q, webhook-timestamp %q", id, at)
	}
	if !bytes.Contains(req.body, []byte(`"text":"One <b>&"`)) || !bytes.Contains(req.body, []byte(`"duration_seconds":5400`)) || bytes.Contains(req.body, []byte(`"duration":`)) {
		t.Errorf("the body is %.600s", req.body)
	}
	e := req.event
	if e.Type != typePublished || !e.Timestamp.Equal(attempt().At) || e.Data.Account != "hook" || e.Data.Fingerprint != r.Fingerprint() || e.Data.ID != "" {
		t.Errorf("event %s at %v for %q", e.Type, e.Timestamp, e.Data.Account)
	}
	f := e.Data.Files
	if len(f) != 2 || string(f[0].Content) != "small" || f[0].Digest != a.Digest || f[1].Content != nil || f[1].Bytes != int64(len(large)) {
		t.Errorf("%d files", len(f))
	}
}

// Every change of a post is an event of its own, also one that brings an earlier text back; a repeated
// one is not.
func TestFollowUps(t *testing.T) {
	p, got, _ := receiver(t, 204, "", "")
	receipt, err := p.Publish(t.Context(), rendering("A"), attempt())
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Parts[0].ID != attempt().Key || receipt.Parts[0].URL != "" {
		t.Errorf("without an answer, the post is %+v", receipt.Parts[0])
	}
	for _, text := range []string{"B", "A", "B"} {
		for range 2 { // as after a lost answer: with the receipt from before
			if _, err := p.(platform.Editor).Edit(t.Context(), receipt, rendering(text)); err != nil {
				t.Fatal(err)
			}
		}
		if receipt, err = p.(platform.Editor).Edit(t.Context(), receipt, rendering(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.(platform.Deleter).Delete(t.Context(), receipt); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, r := range *got {
		ids[r.header.Get("webhook-id")]++
		if r.event.Type != typePublished && r.event.Data.ID != attempt().Key {
			t.Errorf("%s of %q", r.event.Type, r.event.Data.ID)
		}
	}
	if len(ids) != 5 || len(*got) != 11 {
		t.Errorf("%d events in %d requests: %v", len(ids), len(*got), ids)
	}
	last := (*got)[len(*got)-1].event
	if last.Type != typeWithdrawn || last.Data.Post != nil {
		t.Errorf("the last event is %+v", last)
	}
}

func TestAnswers(t *testing.T) {
	key := attempt().Key
	tests := []struct {
		status               int
		contentType, answer  string
		outcome              platform.Outcome
		ok                   bool
		id, url, messagePart string
	}{
		{status: 200, contentType: "text/plain", answer: "ok", ok: true, id: key},
		{status: 202, contentType: "application/json", answer: `{"success":true}`, ok: true, id: key},
		{status: 200, contentType: "application/json", answer: `[1]`, ok: true, id: key},
		{status: 200, contentType: "application/json", answer: `{"id":"a","url":"javascript:alert(1)"}`, ok: true, id: "a"},
		{status: 200, contentType: "application/json", answer: `{"id":{"x":1},"url":7}`, ok: true, id: key},
		{status: 200, contentType: "application/json", answer: `{"id":null}`, ok: true, id: key},
		{status: 200, contentType: "application/json", answer: `{"id":`, outcome: platform.Unknown, messagePart: "broken JSON"},
		{status: 200, contentType: "text/html; charset=utf-8", answer: `Sign in`, outcome: platform.Unknown, messagePart: "web page"},
		{status: 200, contentType: "", answer: ` <!doctype html>`, outcome: platform.Unknown, messagePart: "web page"},
		{status: 410, outcome: platform.Denied, messagePart: "gone"},
		{status: 404, outcome: platform.Rejected, messagePart: "not found"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.status, test.answer), func(t *testing.T) {
			p, _, _ := receiver(t, test.status, test.contentType, test.answer)
			receipt, err := p.Publish(t.Context(), rendering("A"), attempt())
			if test.ok {
				if err != nil || receipt.Parts[0].ID != test.id || receipt.Parts[0].URL != test.url {
					t.Errorf("got %+v, %v", receipt.Parts, err)
				}
				return
			}
			e, ok := errors.AsType[*platform.Error](err)
			if !ok || e.Outcome != test.outcome || !strings.Contains(e.Message, test.messagePart) {
				t.Errorf("got %v (%v)", err, platform.OutcomeOf(err))
			}
			if test.status == 410 && e.Hint == "" {
				t.Error("there is no hint")
			}
		})
	}
}

func TestVerify(t *testing.T) {
	for status, ok := range map[int]bool{200: true, 302: true, 401: true, 405: true, 429: true, 500: true, 301: false, 308: false, 410: false} {
		p, got, _ := receiver(t, status, "", "")
		id, err := p.Verify(t.Context())
		if (err == nil) != ok || (ok && !strings.HasPrefix(id.Handle, "127.0.0.1:")) {
			t.Errorf("HTTP %d: %+v, %v", status, id, err)
		}
		if len(*got) != 1 || (*got)[0].header.Get("webhook-id") != "" {
			t.Errorf("HTTP %d: %d requests", status, len(*got))
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, value := range map[string]string{
		"short": "whsec_c2VjcmV0", "long": "whsec_" + strings.Repeat("QUJD", 30), "not base64": "whsec_my secret phrase, long enough", "none": "",
	} {
		_, err := Adapter{}.Open(&platform.Account{Name: "hook", Options: &Options{URL: "https://acme.example"}}, platform.Deps{
			Secrets: map[string]secret.String{"SECRET": secret.New(value)},
		})
		e, ok := errors.AsType[*platform.Error](err)
		if !ok || e.Outcome != platform.Denied || !strings.Contains(e.Hint, "POSTRIDER_HOOK_SECRET") {
			t.Errorf("%s: %v", name, err)
		}
		if value != "" && strings.Contains(fmt.Sprintf("%+v", e), value) {
			t.Errorf("%s: the error has the secret", name)
		}
	}
	_, err := Adapter{}.Open(&platform.Account{Name: "hook", Options: &Options{URL: "ftp://acme.example"}}, platform.Deps{})
	if platform.OutcomeOf(err) != platform.Unsent {
		t.Errorf("got %v", err)
	}
}

// A receiver that does not honour the key makes a post of every request, so none must be made twice: not by the
// publisher, not by net/http, whatever becomes of the answer and of the connection, a kept-alive one too.
func TestPlainReceiversGetOneRequest(t *testing.T) {
	for _, doc := range fakenet.AllFaults() {
		if !doc.Accepts {
			continue
		}
		var receiver *fake.Server
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { receiver.ServeHTTP(w, r) }))
		receiver = fake.New(fake.Options{Base: server.URL, Secret: shared, Now: now})
		p, err := Adapter{}.Open(&platform.Account{Name: "plain", Options: &Options{URL: server.URL + fake.PlainPath}}, platform.Deps{
			HTTP: server.Client(), Media: fstest.MapFS{}, Now: now, Secrets: map[string]secret.String{"SECRET": secret.New(shared)},
			Timeout: 50 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Publish(t.Context(), rendering("first"), platform.Attempt{Key: "a", At: now(), N: 1}); err != nil {
			t.Fatal(err)
		}
		accepted := make(chan struct{}, 10)
		receiver.Inject(fakenet.Plan{Fault: doc.Fault, Count: -1, Reached: func() { accepted <- struct{}{} }})
		_, err = p.Publish(t.Context(), rendering("second"), attempt())
		if platform.OutcomeOf(err) != platform.Unknown || err == nil {
			t.Errorf("%s: %v", doc.Fault, err)
		}
		<-accepted
		if n := receiver.Creations(); n != 2 {
			t.Errorf("%s: %d posts, want 2", doc.Fault, n)
		}
		if _, ok := p.(platform.Finder); ok {
			t.Error("there is nobody to ask")
		}
		// A person who has looked may have it sent again: that is another post, and the reason for all of this.
		receiver.Inject(fakenet.Plan{})
		a := attempt()
		a.N = 2
		if _, err := p.Publish(t.Context(), rendering("second"), a); err != nil || receiver.Creations() != 3 {
			t.Errorf("%s: sent again: %v, %d posts, want 3", doc.Fault, err, receiver.Creations())
		}
		server.Close()
	}
}
