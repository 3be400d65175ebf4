package inbound_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postrider/postrider/internal/forge/inbound"
)

// FuzzRead sends anything, rightly signed as each of the hosts would sign it: nothing panics, and what is refused is refused with a status
// that says why. What is not signed is never read.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"github-push.json", "github-ping.json", "gitlab-push.json", "gitlab-tag_push.json", "gitea-push.json"} {
		f.Add("push", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "application/json", sample(f, name))
	}
	f.Add("push", "d-1", "application/x-www-form-urlencoded", "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%7D")
	f.Add("Push Hook", "d-1", "application/json; charset=utf-8", `{"object_kind":"push","ref":null,"repository":[]}`)
	f.Add("push", "d-1", "application/json", `{"repository":{"pushed_at":99999999999999999999}}`)
	f.Add("\x00", "d.1", ";", "\xff")
	f.Fuzz(func(t *testing.T, name, id, media, body string) {
		r := receiver(shared, signer)
		for _, send := range []struct {
			believed bool
			req      *http.Request
		}{
			{false, fromGitHub(name, id, "guess", body)},
			{false, fromGitea(name, id, "guess", body)},
			{false, fromGitLab(name, id, "guess", body)},
			{true, fromGitHub(name, id, shared, body)},
			{true, fromGitea(name, id, shared, body)},
			{true, signedGitLab(t, id, signer, noon, body)},
		} {
			req := send.req
			req.Header.Set("Content-Type", media)
			e, err := r.Read(httptest.NewRecorder(), req)
			if err == nil {
				if !send.believed {
					t.Fatalf("a stranger was believed: %+v", e)
				}
				if strings.ContainsAny(e.Name+e.Delivery, "\r\n\x00") || e.Kind == "" {
					t.Fatalf("%+v: has what no log should have", e)
				}
				continue
			}
			refusal, ok := errors.AsType[*inbound.Error](err)
			if !ok {
				t.Fatalf("%v: want a refusal with a status", err)
			}
			switch refusal.Status {
			case 400, 401, 409, 413:
			default:
				t.Fatalf("status %d", refusal.Status)
			}
		}
	})
}
