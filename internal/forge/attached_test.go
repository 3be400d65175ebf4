package forge_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

func TestAttached(t *testing.T) {
	const none = `{"total_count": 0, "artifacts": []}`
	var status int
	var answer, asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path + "?" + r.URL.RawQuery
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	f, err := forge.Open(forge.Place{Kind: forge.GitHub, API: server.URL, Repository: "acme/site"}, secret.New(token), server.Client())
	if err != nil {
		t.Fatal(err)
	}
	host, ok := f.(forge.Attachments)
	if !ok {
		t.Fatal("GitHub does not know what runs have attached")
	}
	for _, c := range []struct {
		name, answer, want string
	}{
		{"nothing", none, ""},
		{"one", `{"artifacts": [{"id": 11, "name": "pictures"}]}`, "https://github.com/acme/site/actions/runs/42/artifacts/11"},
		{"of several attempts", `{"artifacts": [{"id": 12, "name": "pictures"}, {"id": 13, "name": "pictures"}, {"id": 11, "name": "pictures"}]}`, "https://github.com/acme/site/actions/runs/42/artifacts/13"},
		{"gone", `{"artifacts": [{"id": 11, "name": "pictures", "expired": true}]}`, ""},
		{"under other names", `{"artifacts": [{"id": 11, "name": "Pictures"}, {"id": 12, "name": "pictures 2"}]}`, ""},
		{"odd", `{"artifacts": [null, {}, {"id": -1, "name": "pictures"}]}`, ""},
	} {
		status, answer = http.StatusOK, c.answer
		if got, err := host.Attached(t.Context(), "https://github.com/acme/site", 42, "pictures"); got != c.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	if want := "/api/v3/repos/acme/site/actions/runs/42/artifacts?name=pictures&per_page=100"; asked != want {
		t.Errorf("it asks for %s, want %s", asked, want)
	}
	for code, refused := range map[int]bool{http.StatusForbidden: true, http.StatusNotFound: true, http.StatusBadGateway: false} {
		status, answer = code, `{"message": "no"}`
		_, err := host.Attached(t.Context(), "https://github.com/acme/site", 42, "pictures")
		if e, ok := errors.AsType[*forge.Error](err); !ok || e.Refused != refused {
			t.Errorf("HTTP %d: %v; want one that is refused for good: %v", code, err, refused)
		}
	}
}
