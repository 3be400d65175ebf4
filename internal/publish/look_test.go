package publish

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/plan"
)

type web func(*http.Request) (*http.Response, error)

func (w web) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

// TestLook looks at links side by side, at each once, and does not wait for pages that hang.
func TestLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &Desk{Log: slog.New(slog.DiscardHandler), HTTP: &http.Client{Transport: web(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/hang") {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			time.Sleep(time.Second)
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
		})}}
		p := &plan.Plan{}
		wait := func(state plan.WaitState, address string) {
			p.Waiting = append(p.Waiting, plan.Waiting{Target: plan.Target{Await: address}, State: state})
		}
		for _, page := range []string{"a", "b", "c", "hang1", "hang2", "a", "known"} {
			wait(plan.WaitEmbargo, "https://acme.example/"+page)
		}
		wait(plan.WaitEmbargo, "https://acme.example/%zz")
		wait(plan.WaitScheduled, "https://acme.example/tomorrow")
		reached := map[string]error{"https://acme.example/known": nil}
		began := time.Now()
		d.look(t.Context(), p, reached)
		if took := time.Since(began); took != awaitTime {
			t.Errorf("it took %s, want %s", took, awaitTime)
		}
		got := map[string]string{}
		for address, err := range maps.All(reached) {
			got[strings.TrimPrefix(address, "https://acme.example/")] = ""
			if err != nil {
				got[strings.TrimPrefix(address, "https://acme.example/")] = err.Error()
			}
		}
		const late = "it does not answer in time"
		want := map[string]string{"a": "", "b": "", "c": "", "known": "", "hang1": late, "hang2": late, "%zz": "it is no address that can be asked"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		// However many hang, there is an end.
		p = &plan.Plan{}
		for i := range 10 * awaitMost {
			wait(plan.WaitEmbargo, "https://acme.example/hang"+strings.Repeat("!", i))
		}
		began = time.Now()
		d.look(t.Context(), p, reached)
		if took := time.Since(began); took != awaitTotal {
			t.Errorf("it took %s, want %s", took, awaitTotal)
		}
	})
}
