package container_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/apihttp"
	"github.com/postrider/postrider/internal/platform/container"
	"github.com/postrider/postrider/internal/platform/graph"
)

type listed struct {
	ID string     `json:"id"`
	At graph.Time `json:"timestamp"`
}

// A list is complete, or an error.
func TestList(t *testing.T) {
	since := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	item := func(id, at string) string { return fmt.Sprintf(`{"id":%q,"timestamp":%q}`, id, at) }
	page := func(after string, items ...string) string {
		paging := ""
		if after != "" {
			paging = fmt.Sprintf(`,"paging":{"cursors":{"after":%q},"next":"https://elsewhere.example/?access_token=x"}`, after)
		}
		return `{"data":[` + strings.Join(items, ",") + `]` + paging + `}`
	}
	noon, eight := "2026-12-01T12:00:00+0000", "2026-12-01T08:00:00+0000"
	for name, c := range map[string]struct {
		pages map[string]string // by cursor
		want  []string
		words string // of the error
	}{
		"one page":       {map[string]string{"": page("", item("1", noon), item("2", noon))}, []string{"1", "2"}, ""},
		"two pages":      {map[string]string{"": page("a", item("1", noon)), "a": page("", item("2", noon))}, []string{"1", "2"}, ""},
		"far enough":     {map[string]string{"": page("a", item("1", noon), item("2", eight))}, []string{"1"}, ""},
		"an odd time":    {map[string]string{"": page("", item("1", "yesterday"))}, []string{"1"}, ""},
		"too long":       {map[string]string{"": page("a", item("1", noon)), "a": page("b", item("2", noon)), "b": page("c", item("3", noon))}, nil, "does not reach back"},
		"the same again": {map[string]string{"": page("a", item("1", noon)), "a": page("a", item("2", noon))}, []string{"1", "2"}, ""},
		"no list":        {map[string]string{"": `{"id":"1"}`}, nil, "no list"},
		"broken":         {map[string]string{"": page("a", item("1", noon))}, nil, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, ok := c.pages[r.FormValue("after")]
				if !ok {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, body)
			}))
			t.Cleanup(server.Close)
			g := &container.Graph{Client: apihttp.Client{HTTP: server.Client(), Base: server.URL, Now: time.Now}}
			got, err := container.List(t.Context(), g, &container.Query{Op: "list", Path: "/1/threads", Fields: "id", Since: since, Pages: 3}, func(l *listed) time.Time { return l.At.Time })
			var ids []string
			for _, l := range got {
				ids = append(ids, l.ID)
			}
			if !slices.Equal(ids, c.want) || (err != nil) != (c.words != "") || err != nil && (!strings.Contains(err.Error(), c.words) || platform.OutcomeOf(err) == platform.Unknown) {
				t.Errorf("got %q, %v; want %q, %q", ids, err, c.want, c.words)
			}
		})
	}
}
