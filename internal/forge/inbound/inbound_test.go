package inbound_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/forge/inbound"
	"github.com/postrider/postrider/internal/secret"
)

const (
	shared = "It's a secret to everybody"
	signer = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// noon is a minute after the push in testdata/github-push.json.
var noon = time.Date(2026, 11, 22, 10, 5, 0, 0, time.UTC)

func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	io.WriteString(mac, text) //nolint:errcheck // a hash never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// request is a webhook with JSON and headers: name, value, name, value, …
func request(body string, headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func fromGitHub(name, id, key, body string) *http.Request {
	return request(body, "X-GitHub-Event", name, "X-GitHub-Delivery", id, "X-Hub-Signature-256", "sha256="+sign(key, body))
}

// fromGitea has all headers that Gitea sends, GitHub's and Gogs' among them.
func fromGitea(name, id, key, body string) *http.Request {
	s := sign(key, body)
	return request(body,
		"X-Gitea-Event", name, "X-Gitea-Event-Type", name, "X-Gitea-Delivery", id, "X-Gitea-Signature", s,
		"X-Gogs-Event", name, "X-Gogs-Event-Type", name, "X-Gogs-Delivery", id, "X-Gogs-Signature", s,
		"X-GitHub-Event", name, "X-GitHub-Event-Type", name, "X-GitHub-Delivery", id,
		"X-Hub-Signature", "sha1=0123456789012345678901234567890123456789", "X-Hub-Signature-256", "sha256="+s)
}

func fromForgejo(name, id, key, body string) *http.Request {
	r := fromGitea(name, id, key, body)
	r.Header.Set("X-Forgejo-Event", name)
	r.Header.Set("X-Forgejo-Delivery", id)
	r.Header.Set("X-Forgejo-Signature", r.Header.Get("X-Gitea-Signature"))
	return r
}

func fromGitLab(hook, id, token, body string) *http.Request {
	return request(body, "X-Gitlab-Event", hook, "X-Gitlab-Webhook-UUID", "4a5b", "X-Gitlab-Instance", "https://gitlab.example.org",
		"X-Gitlab-Event-UUID", "e-1", "Idempotency-Key", id, "X-Gitlab-Token", token)
}

func signedGitLab(t testing.TB, id, token string, at time.Time, body string) *http.Request {
	t.Helper()
	r := fromGitLab("Push Hook", id, "", body)
	w, err := standardwebhooks.NewWebhook(token)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("webhook-signature", "v1,bm90IHRoaXMgb25l "+s)
	return r
}

func asForm(r *http.Request, body string) *http.Request {
	form := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	form.Header = r.Header
	form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return form
}

func receiver(secrets ...string) *inbound.Receiver {
	o := inbound.Options{Now: func() time.Time { return noon }}
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secret.New(s))
	}
	return inbound.New(o)
}

func TestReadEvents(t *testing.T) {
	push := sample(t, "github-push.json")
	github := inbound.Event{
		Kind: forge.GitHub, Delivery: "d-1", Name: "push", Repository: "Example-Org/posts",
		CloneURLs: []string{"https://github.com/Example-Org/posts.git", "git@github.com:Example-Org/posts.git"},
		Ref:       "refs/heads/main", Commit: "1481a2de7b2a7d02428ad93446ab166be7793fbb",
	}
	ping, pull := github, github
	ping.Name, ping.Ref, ping.Commit = "ping", "", ""
	pull.Name, pull.Ref, pull.Commit = "pull_request", "", ""
	gitlab := inbound.Event{
		Kind: forge.GitLab, Delivery: "d-1", Name: "push", Repository: "press/social/posts",
		CloneURLs: []string{"https://gitlab.example.org/press/social/posts.git", "git@gitlab.example.org:press/social/posts.git"},
		Ref:       "refs/heads/main", Commit: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
	}
	tag := gitlab
	tag.Name, tag.Ref, tag.Commit = "tag_push", "refs/tags/v1.0.0", ""
	gitea := inbound.Event{
		Kind: forge.Gitea, Delivery: "d-1", Name: "push", Repository: "press/posts",
		CloneURLs: []string{"https://git.example.org/press/posts.git", "ssh://git@git.example.org:2222/press/posts.git"},
		Ref:       "refs/heads/main", Commit: "bffeb74224043ba2feb48d137756c8a9331c449a",
	}
	form := "payload=" + url.QueryEscape(push)
	giteaForm := "payload=" + url.QueryEscape(sample(t, "gitea-push.json"))
	for _, tc := range []struct {
		name string
		req  *http.Request
		want inbound.Event
	}{
		{"GitHub's push", fromGitHub("push", "d-1", shared, push), github},
		{"GitHub's push, as a form", asForm(fromGitHub("push", "d-1", shared, form), form), github},
		{"GitHub's ping", fromGitHub("ping", "d-1", shared, sample(t, "github-ping.json")), ping},
		{"GitHub's pull request", fromGitHub("pull_request", "d-1", shared, sample(t, "github-pull_request.json")), pull},
		{"GitLab's push, with a token", fromGitLab("Push Hook", "d-1", shared, sample(t, "gitlab-push.json")), gitlab},
		{"GitLab's push, signed", signedGitLab(t, "d-1", signer, noon, sample(t, "gitlab-push.json")), gitlab},
		{"GitLab's tag, deleted", fromGitLab("Tag Push Hook", "d-1", shared, sample(t, "gitlab-tag_push.json")), tag},
		{"Gitea's push", fromGitea("push", "d-1", shared, sample(t, "gitea-push.json")), gitea},
		{"Gitea's push, as a form", asForm(fromGitea("push", "d-1", shared, sample(t, "gitea-push.json")), giteaForm), gitea},
		{"Forgejo's push", fromForgejo("push", "d-1", shared, sample(t, "gitea-push.json")), gitea},
		{"an organisation's event", fromGitHub("organization", "d-1", shared, `{"action":"renamed","repository":null}`),
			inbound.Event{Kind: forge.GitHub, Delivery: "d-1", Name: "organization"}},
		{"a system hook", fromGitLab("System Hook", "d-1", shared, `{"event_name":"user_create","project_id":3}`),
			inbound.Event{Kind: forge.GitLab, Delivery: "d-1", Name: "user_create"}},
		{"a kind that cannot be one", fromGitLab("Push Hook", "d-1", shared, `{"object_kind":"a\nb"}`),
			inbound.Event{Kind: forge.GitLab, Delivery: "d-1", Name: "Push Hook"}},
		{"a push without what a push has", fromGitHub("push", "d-1", shared, `{"ref":"main","after":"HEAD"}`),
			inbound.Event{Kind: forge.GitHub, Delivery: "d-1", Name: "push"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := receiver("another", shared, signer).Read(httptest.NewRecorder(), tc.req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	push := sample(t, "github-push.json")
	gitlab := sample(t, "gitlab-push.json")
	edit := func(r *http.Request, f func(http.Header)) *http.Request { f(r.Header); return r }
	set := func(r *http.Request, name, value string) *http.Request {
		return edit(r, func(h http.Header) { h.Set(name, value) })
	}
	cut := fromGitHub("push", "d-1", shared, push)
	cut.Body = io.NopCloser(io.MultiReader(strings.NewReader(push[:100]), iotest.ErrReader(io.ErrUnexpectedEOF)))
	large := strings.Repeat(" ", inbound.DefaultLimit+1)
	chunked := fromGitHub("push", "d-1", shared, large)
	chunked.ContentLength = -1
	get := fromGitHub("push", "d-1", shared, push)
	get.Method = http.MethodGet
	for _, tc := range []struct {
		name   string
		req    *http.Request
		status int
		reason string
	}{
		{"another method", get, 405, "POST"},
		{"no host", request(push, "X-Hub-Signature-256", "sha256="+sign(shared, push)), 400, "which code host"},
		{"Gogs", request(push, "X-Gogs-Event", "push", "X-Gogs-Delivery", "d-1", "X-Gogs-Signature", sign(shared, push)), 400, "which code host"},
		{"no id", edit(fromGitHub("push", "", shared, push), func(h http.Header) { h.Del("X-GitHub-Delivery") }), 400, "delivery's id"},
		{"an id with line breaks", set(fromGitHub("push", "d-1", shared, push), "X-GitHub-Delivery", "a\r\nb"), 400, "delivery's id"},
		{"an id that is a body", set(signedGitLab(t, "d-1", signer, noon, gitlab), "webhook-id", "d-1.1.{"), 400, "delivery's id"},
		{"a name with a quote", fromGitHub(`pu"sh`, "d-1", shared, push), 400, "name of an event"},
		{"too large, and says so", fromGitHub("push", "d-1", shared, large), 413, "4194304 bytes"},
		{"too large, and does not say so", chunked, 413, "4194304 bytes"},
		{"cut off", cut, 400, "too early"},
		{"another type", set(fromGitHub("push", "d-1", shared, push), "Content-Type", "text/plain"), 400, "application/json"},
		{"no type", edit(fromGitHub("push", "d-1", shared, push), func(h http.Header) { h.Del("Content-Type") }), 400, "application/json"},
		{"a form without a payload", asForm(fromGitHub("push", "d-1", shared, "a=b"), "a=b"), 400, "no payload"},
		{"a form that is none", asForm(fromGitHub("push", "d-1", shared, "%zz"), "%zz"), 400, "no payload"},
		{"GitLab with a form", asForm(fromGitLab("Push Hook", "d-1", shared, ""), "payload={}"), 400, "application/json"},

		{"another secret", fromGitHub("push", "d-1", "guess", push), 401, "not signed with a secret"},
		{"a body that was changed", edit(request(push+" ", "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1"), func(h http.Header) {
			h.Set("X-Hub-Signature-256", "sha256="+sign(shared, push))
		}), 401, "not signed with a secret"},
		{"no signature", request(push, "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1"), 401, "X-Hub-Signature-256 is empty"},
		{"a signature of nothing", request(push, "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1", "X-Hub-Signature-256", "sha256="), 401, "is empty"},
		{"a signature that is no number", request(push, "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1", "X-Hub-Signature-256", "sha256=zz"), 401, "not signed with a secret"},
		{"half a signature", request(push, "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1", "X-Hub-Signature-256", "sha256="+sign(shared, push)[:32]), 401, "not signed with a secret"},
		{"the old signature alone", request(push, "X-GitHub-Event", "push", "X-GitHub-Delivery", "d-1", "X-Hub-Signature", "sha1=5257a869e7ecebeda32affa62cdca3fa51cad7e7"), 401, "is empty"},
		{"Gitea, with another secret", fromGitea("push", "d-1", "guess", push), 401, "not signed with a secret"},
		{"Gitea, with GitHub's signature alone", edit(fromGitea("push", "d-1", shared, push), func(h http.Header) { h.Del("X-Gitea-Signature") }), 401, "X-Gitea-Signature is empty"},
		{"GitLab, with another token", fromGitLab("Push Hook", "d-1", "guess", gitlab), 401, "not signed with a secret"},
		{"GitLab, with a longer token", fromGitLab("Push Hook", "d-1", shared+"!", gitlab), 401, "not signed with a secret"},
		{"GitLab, without a token", fromGitLab("Push Hook", "d-1", "", gitlab), 401, "X-Gitlab-Token is empty"},
		{"GitLab, signed with another token", signedGitLab(t, "d-1", "whsec_"+strings.Repeat("YWJj", 8), noon, gitlab), 401, "not signed with a secret"},
		{"GitLab, signed wrongly, with a good token", set(signedGitLab(t, "d-1", "whsec_"+strings.Repeat("YWJj", 8), noon, gitlab), "X-Gitlab-Token", shared), 401, "not signed with a secret"},
		{"GitLab, signed for another id", set(signedGitLab(t, "d-1", signer, noon, gitlab), "webhook-id", "d-2"), 401, "not signed with a secret"},
		{"GitLab, signed for another time", set(signedGitLab(t, "d-1", signer, noon, gitlab), "webhook-timestamp", "1795341841"), 401, "not signed with a secret"},
		{"GitLab, signed for no time", set(signedGitLab(t, "d-1", signer, noon, gitlab), "webhook-timestamp", "now"), 401, "not signed with a secret"},

		{"not JSON", fromGitHub("push", "d-1", shared, `{"ref": hunter2}`), 400, "not JSON"},
		{"nothing", fromGitHub("push", "d-1", shared, ""), 400, "not JSON"},
		{"JSON and more", fromGitHub("push", "d-1", shared, `{} hunter2`), 400, "not JSON"},
		{"null", fromGitHub("push", "d-1", shared, "null"), 400, "not a JSON object"},
		{"a list", fromGitHub("push", "d-1", shared, `["hunter2"]`), 400, "not of the form that github sends"},
		{"a repository that is a text", fromGitHub("push", "d-1", shared, `{"repository":"hunter2"}`), 400, "not of the form that github sends"},
		{"deep", fromGitHub("push", "d-1", shared, strings.Repeat("[", 100_000)), 400, "not JSON"},

		{"GitLab, signed long ago", signedGitLab(t, "d-1", signer, noon.Add(-11*time.Minute), gitlab), 409, "11m0s away from this machine's clock"},
		{"GitLab, signed in time to come", signedGitLab(t, "d-1", signer, noon.Add(time.Hour), gitlab), 409, "1h0m0s away"},
		{"GitHub, pushed long ago", fromGitHub("push", "d-1", shared, `{"ref":"refs/heads/main","repository":{"pushed_at":1557933657}}`), 409, "2019-05-15T15:20:57Z"},
		{"GitHub's old push as one of Gitea", fromGitea("push", "d-1", shared, `{"ref":"refs/heads/main","repository":{"pushed_at":1557933657}}`), 409, "2019-05-15T15:20:57Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			got, err := receiver(shared, signer).Read(w, tc.req)
			refusal, ok := errors.AsType[*inbound.Error](err)
			if !ok {
				t.Fatalf("got %+v and %v, want a refusal", got, err)
			}
			if refusal.Status != tc.status || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("%d %v, want %d and %q", refusal.Status, err, tc.status, tc.reason)
			}
			for _, s := range []string{shared, signer, "hunter2", "Example-Org", "Ada"} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("%v: says %q", err, s)
				}
			}
			if allow := w.Header().Get("Allow"); (allow == "POST") != (tc.status == 405) {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
}

// TestNoSecret proves that without a secret nobody is believed, whoever signs with nothing.
func TestNoSecret(t *testing.T) {
	push := sample(t, "github-push.json")
	for _, r := range []*inbound.Receiver{receiver(), receiver("", " \n")} {
		for _, req := range []*http.Request{
			fromGitHub("push", "d-1", "", push), fromGitea("push", "d-1", "", push), fromGitLab("Push Hook", "d-1", "", push),
			signedGitLab(t, "d-1", signer, noon, push),
		} {
			_, err := r.Read(httptest.NewRecorder(), req)
			if refusal, ok := errors.AsType[*inbound.Error](err); !ok || refusal.Status != 401 || !strings.Contains(err.Error(), "no secret is set") {
				t.Errorf("%v: want 401, because no secret is set", err)
			}
		}
	}
}

func TestRotate(t *testing.T) {
	r := receiver("old", "new")
	read := func(id, key string) error {
		_, err := r.Read(httptest.NewRecorder(), fromGitHub("ping", id, key, `{"n":"`+id+`"}`))
		return err
	}
	if err := errors.Join(read("d-1", "old"), read("d-2", "new")); err != nil {
		t.Error(err)
	}
	r.Rotate([]secret.String{secret.New("new")})
	if err := read("d-3", "old"); err == nil {
		t.Error("the old secret is still good")
	}
	if err := read("d-3", "new"); err != nil {
		t.Error(err)
	}
	if err := read("d-2", "new"); err == nil || !strings.Contains(err.Error(), "received before") {
		t.Errorf("%v: want what was received before to be remembered", err)
	}
}

func TestReplay(t *testing.T) {
	push, lab, tea := sample(t, "github-push.json"), sample(t, "gitlab-push.json"), sample(t, "gitea-push.json")
	withoutKey := func(body string) *http.Request {
		r := fromGitLab("Push Hook", "", shared, body)
		r.Header.Del("Idempotency-Key")
		return r
	}
	for _, tc := range []struct {
		name          string
		first, second *http.Request
		again         bool
	}{
		{"the same", fromGitHub("push", "d-1", shared, push), fromGitHub("push", "d-1", shared, push), true},
		{"the same id", fromGitHub("ping", "d-1", shared, `{"a":1}`), fromGitHub("ping", "d-1", shared, `{"a":2}`), true},
		{"the same body under another id", fromGitHub("push", "d-1", shared, push), fromGitHub("push", "d-2", shared, push), true},
		{"the same body as another event", fromGitHub("ping", "d-1", shared, push), fromGitHub("push", "d-2", shared, push), true},
		{"GitHub's body as one of Gitea", fromGitHub("push", "d-1", shared, push), fromGitea("push", "d-2", shared, push), true},
		{"Gitea's JSON as a form", fromGitea("push", "d-1", shared, tea), asForm(fromGitea("push", "d-2", shared, tea), "payload="+url.QueryEscape(tea)), true},
		{"another id and body", fromGitHub("ping", "d-1", shared, `{"a":1}`), fromGitHub("ping", "d-2", shared, `{"a":2}`), false},
		{"the id of another host", fromGitHub("ping", "d-1", shared, `{"a":1}`), fromGitea("ping", "d-1", shared, `{"a":2}`), false},
		{"GitLab's same push, signed", signedGitLab(t, "d-1", signer, noon, lab), signedGitLab(t, "d-1", signer, noon, lab), true},
		{"GitLab's retry, signed anew", signedGitLab(t, "d-1", signer, noon, lab), signedGitLab(t, "d-1", signer, noon.Add(time.Minute), lab), true},
		{"GitLab's next push of the same", signedGitLab(t, "d-1", signer, noon, lab), signedGitLab(t, "d-2", signer, noon, lab), false},
		{"GitLab's same push, with a token", fromGitLab("Push Hook", "d-1", shared, lab), fromGitLab("Push Hook", "d-1", shared, lab), true},
		{"an old GitLab's same push", withoutKey(lab), withoutKey(lab), true},
		{"an old GitLab's next reference of the same push", withoutKey(lab), withoutKey(lab + " "), false},
		{"after a refusal", fromGitHub("push", "d-1", "guess", push), fromGitHub("push", "d-1", shared, push), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := receiver(shared, signer)
			r.Read(httptest.NewRecorder(), tc.first) //nolint:errcheck // one of them is refused
			_, err := r.Read(httptest.NewRecorder(), tc.second)
			refusal, ok := errors.AsType[*inbound.Error](err)
			if ok != tc.again || ok && refusal.Status != 409 {
				t.Errorf("%v: want it to be refused as received before: %v", err, tc.again)
			}
		})
	}
}

// TestWindow proves that what can still be believed is still remembered, and that the memory does not only grow.
func TestWindow(t *testing.T) {
	now := noon
	r := inbound.New(inbound.Options{Secrets: []secret.String{secret.New(signer)}, Window: time.Minute, Now: func() time.Time { return now }})
	read := func() error {
		_, err := r.Read(httptest.NewRecorder(), signedGitLab(t, "d-1", signer, noon.Add(time.Minute), `{}`))
		return err
	}
	if err := read(); err != nil {
		t.Fatalf("an event from a clock that is a minute fast: %v", err)
	}
	for _, later := range []time.Duration{0, time.Minute, 2 * time.Minute} {
		now = noon.Add(later)
		if err := read(); err == nil || !strings.Contains(err.Error(), "received before") {
			t.Errorf("%s later: %v, want it to be known", later, err)
		}
	}
	now = noon.Add(2*time.Minute + time.Second)
	if err := read(); err == nil || !strings.Contains(err.Error(), "away from") {
		t.Errorf("%v: want it to be too old", err)
	}
}

// TestAtOnce proves that of the same delivery, sent many times at once, one is read.
func TestAtOnce(t *testing.T) {
	r := receiver(shared)
	push := sample(t, "github-push.json")
	var read atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := r.Read(httptest.NewRecorder(), fromGitHub("push", "d-1", shared, push)); err == nil {
				read.Add(1)
			}
			r.Rotate([]secret.String{secret.New(shared)})
		})
	}
	wg.Wait()
	if n := read.Load(); n != 1 {
		t.Errorf("%d were read, want 1", n)
	}
}
