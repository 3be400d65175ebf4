package daemon

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/postrider/postrider/internal/forge/inbound"
	"github.com/postrider/postrider/internal/secret"
)

// request is what a code host sends about the branch that is published. id tells deliveries apart.
func request(path, secret, event, id, repository, commit string) *http.Request {
	return pushOf("refs/heads/main", path, secret, event, id, repository, commit)
}

// pushOf is what a code host sends about a reference.
func pushOf(ref, path, secret, event, id, repository, commit string) *http.Request {
	body, err := json.Marshal(map[string]any{
		"ref": ref, "after": commit, "repository": map[string]any{"full_name": "acme/" + repository, "clone_url": "https://git.example/acme/" + repository + ".git"},
	})
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", id)
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return r
}

// ask sends a request to a daemon.
func ask(d *Daemon, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	return w
}

// commit returns the name of a commit.
func commit(n int) string { return fmt.Sprintf("%040d", n) }

// TestWebhooks wakes the sites that a webhook is about, and nobody else.
func TestWebhooks(t *testing.T) {
	const own = "own-secret-0123456789"
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		answer  string
		woken   string
	}{
		{"by repository", request("/hook", hookSecret, "push", "1", "one", commit(7)), 202, "woke", "one"},
		{"by name", request("/hook/one", hookSecret, "push", "2", "elsewhere", commit(7)), 202, "woke", "one"},
		{"by name, with the site's own secret", request("/hook/two", own, "push", "3", "two", commit(7)), 202, "woke", "two"},
		{"the common secret where the site has its own", request("/hook/two", hookSecret, "push", "4", "two", commit(7)), 401, "", ""},
		{"another site's secret", request("/hook/one", own, "push", "5", "one", commit(7)), 401, "", ""},
		{"no such site", request("/hook/three", hookSecret, "push", "6", "one", commit(7)), 404, "no_site", ""},
		{"no such repository", request("/hook", hookSecret, "push", "7", "three", commit(7)), 404, "no_site", ""},
		{"what is known", request("/hook", hookSecret, "push", "8", "one", commit(1)), 202, "known", ""},
		{"the ledger", pushOf("refs/heads/postrider/ledger", "/hook", hookSecret, "push", "11", "one", commit(7)), 202, "woke", "one"},
		{"another branch", pushOf("refs/heads/topic/main", "/hook", hookSecret, "push", "12", "one", commit(7)), 202, "ignored", ""},
		{"another branch, by name", pushOf("refs/heads/topic", "/hook/one", hookSecret, "push", "13", "one", commit(7)), 202, "ignored", ""},
		{"a tag", pushOf("refs/tags/main", "/hook", hookSecret, "push", "14", "one", commit(7)), 202, "ignored", ""},
		{"a ping", request("/hook", hookSecret, "ping", "9", "one", commit(7)), 202, "ignored", ""},
		{"a wrong signature", request("/hook", "another-secret", "push", "10", "one", commit(7)), 401, "", ""},
		{"not a POST", httptest.NewRequest(http.MethodGet, "/hook", nil), 405, "", ""},
		{"nothing in it", httptest.NewRequest(http.MethodPost, "/hook", nil), 400, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := &fake{name: "one", fetch: 1000 * time.Hour, commit: commit(1)}, &fake{name: "two", fetch: 1000 * time.Hour, commit: commit(2)}
				d := newDaemon(4)
				second := two.site()
				second.Hook = inbound.New(inbound.Options{Secrets: []secret.String{secret.New(own)}, Now: time.Now})
				stop, ended := make(chan struct{}), make(chan struct{})
				go func() { defer close(ended); d.Run(t.Context(), stop, []Site{one.site(), second}) }()
				time.Sleep(time.Minute)
				w := ask(d, c.request)
				time.Sleep(time.Minute)
				close(stop)
				<-ended
				woken := ""
				for _, f := range []*fake{one, two} {
					if opens, _ := f.times(); len(opens) > 1 {
						woken += f.name
					}
				}
				if answer := strings.TrimSpace(w.Body.String()); w.Code != c.status || woken != c.woken || c.answer != "" && answer != c.answer {
					t.Errorf("%d %q, woke %q; want %d %q, %q", w.Code, answer, woken, c.status, c.answer, c.woken)
				}
			})
		})
	}
}

// TestWebhookTwice refuses what was received before, and what is too large.
func TestWebhookTwice(t *testing.T) {
	d := newDaemon(1)
	if w := ask(d, request("/hook", hookSecret, "ping", "1", "one", commit(7))); w.Code != http.StatusAccepted {
		t.Fatalf("the first: %d %s", w.Code, w.Body)
	}
	if w := ask(d, request("/hook", hookSecret, "ping", "1", "one", commit(7))); w.Code != http.StatusConflict {
		t.Errorf("again: %d %s", w.Code, w.Body)
	}
	large := request("/hook", hookSecret, "push", "2", strings.Repeat("x", inbound.DefaultLimit), commit(7))
	if w := ask(d, large); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %s", w.Code, w.Body)
	}
}

// TestReady says of each site how it does, without secrets.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := &fake{name: "good", fetch: time.Minute, due: []time.Time{time.Now().Add(time.Hour)}}
		bad := &fake{name: "bad", fetch: time.Minute, err: errors.New("https://ada:hunter2@git.example does not answer")}
		late := &fake{name: "late", fetch: time.Minute, stuck: time.Hour}
		d := newDaemon(4)
		d.o.Scrub = func(s string) string { return strings.ReplaceAll(s, "hunter2", "…") }
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() { defer close(ended); d.Run(t.Context(), stop, []Site{good.site(), bad.site(), late.site()}) }()
		start := time.Now().UTC()
		time.Sleep(time.Second)
		w := ask(d, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		want := fmt.Sprintf(`{"ready":false,"sites":[`+
			`{"name":"bad","ready":false,"reason":"https://ada:…@git.example does not answer","failures":1},`+
			`{"name":"good","ready":true,"fetched":%q,"next_due":%q},`+
			`{"name":"late","ready":false,"reason":"it has not been opened yet"}]}`, start.Format(time.RFC3339), start.Add(time.Hour).Format(time.RFC3339))
		if diff := cmp.Diff(want, strings.TrimSpace(w.Body.String())); diff != "" || w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d (-want +got)\n%s", w.Code, diff)
		}
		good.change(func() { good.err = errors.New("the remote has gone") })
		time.Sleep(70 * time.Second)
		if s := d.Ready().Sites[1]; !s.Ready || s.Reason != "the remote has gone" {
			t.Errorf("after one failure: %+v", s)
		}
		time.Sleep(4 * time.Minute)
		if s := d.Ready().Sites[1]; s.Ready {
			t.Errorf("after many failures: %+v", s)
		}
		close(stop)
		<-ended
	})
}

// TestNotReadyYet is not ready before it knows of any site.
func TestNotReadyYet(t *testing.T) {
	if w := ask(newDaemon(1), httptest.NewRequest(http.MethodGet, "/readyz", nil)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestHealthy answers as long as the process lives.
func TestHealthy(t *testing.T) {
	if w := ask(newDaemon(1), httptest.NewRequest(http.MethodGet, "/healthz", nil)); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestMetrics reads what is written with Prometheus's own parser.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f := &fake{name: "acme", fetch: time.Hour, due: []time.Time{start.Add(90 * time.Second), start.Add(24 * time.Hour)}}
		bad := &fake{name: `ba"d\`, fetch: time.Minute, err: errors.New("gone")}
		d, end := runs(t, 4, f, bad)
		time.Sleep(2 * time.Minute)
		ask(d, request("/hook", "another", "push", "1", "acme", commit(3)))
		w := ask(d, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(w.Body.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, w.Body)
		}
		got := map[string]float64{}
		for _, family := range families {
			for _, m := range family.Metric {
				name := family.GetName()
				for _, l := range m.Label {
					name += " " + l.GetName() + "=" + l.GetValue()
				}
				switch {
				case m.Counter != nil:
					got[name] = m.Counter.GetValue()
				case m.Gauge != nil:
					got[name] = m.Gauge.GetValue()
				default:
					got[name] = float64(m.Histogram.GetSampleCount())
				}
			}
		}
		for name, want := range map[string]float64{
			`postrider_build_info version=test`:                                  1,
			`postrider_deliveries_total site=acme account=news result=published`: 1,
			`postrider_waiting site=acme state=scheduled`:                        1,
			`postrider_held site=acme`:                                           0,
			`postrider_next_due_timestamp_seconds site=acme`:                     float64(start.Add(24 * time.Hour).Unix()),
			`postrider_last_run_timestamp_seconds site=acme`:                     float64(start.Add(90 * time.Second).Unix()),
			`postrider_last_success_timestamp_seconds site=acme`:                 float64(start.Add(90 * time.Second).Unix()),
			`postrider_fetch_failures_total site=acme`:                           0,
			`postrider_due_lag_seconds`:                                          1,
			`postrider_webhooks_total result=unauthorized`:                       1,
			`postrider_last_success_timestamp_seconds site=` + bad.name:          0,
		} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
		if got[`postrider_fetch_failures_total site=`+bad.name] < 3 {
			t.Errorf("failures are not counted:\n%s", w.Body)
		}
		d.Reload(t.Context(), []Site{f.site()})
		time.Sleep(time.Minute)
		if text := string(d.metrics.text()); strings.Contains(text, `ba\"d`) {
			t.Errorf("a site that is gone is still counted:\n%s", text)
		}
		end()
	})
}

// TestNothingSecretInTheLog refuses a webhook without repeating any of its body.
func TestNothingSecretInTheLog(t *testing.T) {
	var log bytes.Buffer
	d := newDaemon(1)
	d.o.Log = slog.New(slog.NewTextHandler(&log, nil))
	ask(d, request("/hook", "another", "push", "1", "private-repository", commit(3)))
	if !strings.Contains(log.String(), "webhook refused") || strings.Contains(log.String(), "private-repository") {
		t.Errorf("the log says:\n%s", &log)
	}
}

// TestPlace takes all addresses of a repository for one.
func TestPlace(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"https://git.example/acme/social.git", "https://git.example/acme/social", true},
		{"https://git.example/acme/social.git", "git@git.example:acme/social.git", true},
		{"ssh://git@git.example:2222/acme/social.git", "https://Git.Example:3000/Acme/Social/", true},
		{"/srv/git/social.git", "/srv/git/social.git", true},
		{"https://git.example/acme/social", "https://git.example/acme/other", false},
		{"https://git.example/acme/social", "https://elsewhere.example/acme/social", false},
	} {
		if same := place(c.a) == place(c.b); same != c.same {
			t.Errorf("%q and %q: %v", c.a, c.b, same)
		}
	}
}
