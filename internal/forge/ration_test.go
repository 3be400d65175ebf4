package forge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/secret"
)

// TestRationed asks more than a run may: the rest fails as if the code host were down, so that the next run asks again.
func TestRationed(t *testing.T) {
	s := &shelf{state: "merged", authors: []string{"ada"}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	f, err := forge.Open(forge.Place{Kind: forge.GitHub, API: server.URL + "/api/v3", Repository: "acme/site"}, secret.New(token), forge.Rationed(&http.Client{Transport: http.DefaultTransport}, 4))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Merged(t.Context(), forge.Question{Commit: "merge"}); err != nil {
		t.Fatal(err)
	}
	if _, err = f.Merged(t.Context(), forge.Question{Commit: "merge"}); err == nil || !forge.Passing(err) {
		t.Errorf("the fifth request: %v", err)
	}
	if len(s.asked) != 4 {
		t.Errorf("%d requests were made: %q", len(s.asked), s.asked)
	}
}
