package publish_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	x "github.com/postrider/postrider/internal/adapters/x/fake"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

// xAccount is an account of a network that charges, and xToken its token.
const xAccount, xToken = "x", "token-of-x"

// newCostlyWorld returns a world whose posts go to X, with a cap.
func newCostlyWorld(t *testing.T, limit string, posts map[string]string) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.serve(xAccount, func(base string) fakenet.Fake {
		return x.New(x.Config{Base: base, Now: w.clock.Now, Users: []x.User{{Handle: "acme", Bearer: xToken}}})
	})
	w.setenv("POSTRIDER_X_OAUTH2_TOKEN", xToken)
	files := map[string]string{"site.yaml": w.costlySite(limit)}
	for name, text := range posts {
		files["content/"+name+".md"] = text
	}
	w.commit(files)
	return w
}

func (w *world) costlySite(limit string) string {
	return "timezone: Europe/Berlin\naccounts:\n  x: {platform: x, handle: acme, server: \"" + w.urls[xAccount] + "\", monthly_cap: " + limit + "}\n" +
		"defaults: {platforms: [x]}\nschedule: {late: {then: publish}}\n"
}

// spent returns what X was paid by the ledger: in all, and by the file of December.
func (w *world) spent() (records, december platform.USD) {
	w.t.Helper()
	l := w.ledger()
	for _, r := range w.recordsOf(l) {
		for _, usd := range r.Charges() {
			records += usd
		}
	}
	view, err := l.View()
	if err == nil {
		december, err = view.Spent(xAccount, "2026-12")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return records, december
}

func (w *world) wantSpent(want string) {
	w.t.Helper()
	if records, december := w.spent(); records.String() != want || december != records {
		w.t.Errorf("%s were spent by the records, %s by the month's file, want %s", records, december, want)
	}
}

func TestCapIsReached(t *testing.T) {
	w := newCostlyWorld(t, "0.42", map[string]string{
		"a": post("aaaa1111", "", "See https://acme.com/a"), "b": post("bbbb2222", "", "See https://acme.com/b"), "c": post("cccc3333", "", "See https://acme.com/c"),
		"d": post("dddd4444", "", "No link."),
	})
	repo := w.here()
	report := w.run(repo)
	if diff := cmp.Diff([]string{"aaaa1111@x published", "bbbb2222@x published", "dddd4444@x published"}, results(report)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cccc3333@x over_budget"}, waiting(report)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.wantSpent("$0.415")
	w.clock.Advance(time.Hour)
	if report = w.run(repo); len(report.Deliveries) > 0 || !strings.Contains(report.Waiting[0].Reason, "$0.415 of $0.42 are spent in December 2026; this costs about $0.20") {
		t.Errorf("%v, %+v", results(report), report.Waiting)
	}

	// In January, there is money again.
	w.clock.Advance(time.Date(2026, 12, 31, 22, 59, 0, 0, time.UTC).Sub(w.clock.Now()))
	if report = w.run(repo); len(report.Deliveries) > 0 {
		t.Errorf("before the month has ended: %v", results(report))
	}
	w.clock.Advance(time.Minute)
	if diff := cmp.Diff([]string{"cccc3333@x published"}, results(w.run(repo))); diff != "" {
		t.Errorf("in January (-want +got):\n%s", diff)
	}
	w.exactlyOnce(4, xAccount)
}

func TestCapIsRaised(t *testing.T) {
	w := newCostlyWorld(t, "0.1", map[string]string{"a": post("aaaa1111", "", "See https://acme.com/a")})
	repo := w.here()
	if diff := cmp.Diff([]string{"aaaa1111@x over_budget"}, waiting(w.run(repo))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.commit(map[string]string{"site.yaml": w.costlySite("0.2 USD")})
	if diff := cmp.Diff([]string{"aaaa1111@x published"}, results(w.run(repo))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.wantSpent("$0.20")
}

// TestCapAtOnce: publishers at once stay below the cap together.
func TestCapAtOnce(t *testing.T) {
	posts := map[string]string{}
	for _, c := range "abcdef" {
		posts[string(c)] = post(strings.Repeat(string(c), 8), "", "See https://acme.com/"+string(c))
	}
	w := newCostlyWorld(t, "0.7", posts)
	repos := []*gitrepo.Repo{w.clone(), w.clone(), w.clone()}
	var wg sync.WaitGroup
	for _, repo := range repos {
		wg.Go(func() {
			if _, err := w.try(repo, setup{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.created(3, xAccount)
	w.wantSpent("$0.60")
}

// TestCapSeesClaims: what another run has claimed counts before it is sent.
func TestCapSeesClaims(t *testing.T) {
	w := newCostlyWorld(t, "0.3", map[string]string{"a": post("aaaa1111", "", "See https://acme.com/a")})
	w.runAs(w.clone(), setup{before: func(r *http.Request) {
		if r.URL.Path != "/2/tweets" {
			return
		}
		w.wantSpent("$0.20")
		w.commit(map[string]string{"content/b.md": post("bbbb2222", "", "See https://acme.com/b")})
		if diff := cmp.Diff([]string{"aaaa1111@x sending", "bbbb2222@x over_budget"}, waiting(w.run(w.clone()))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}})
	w.exactlyOnce(1, xAccount)
}

// TestWhatCounts: what was sent counts, what may have been does until that is known, and what was not does not.
func TestWhatCounts(t *testing.T) {
	const thread = "One.\n\n---\n\nTwo: https://acme.com\n\n---\n\nThree."
	faulty := func(fault fakenet.Fault, skip int) func(*world) {
		return func(w *world) { w.fakes[xAccount].Inject(fakenet.Plan{Fault: fault, Skip: skip}) }
	}
	for _, tt := range []struct {
		name        string
		body        string
		fault       func(*world)
		spent       string // after the first run
		state       ledger.State
		later       string // once it is settled
		tries       int
		createdLast int
	}{
		{name: "sent", body: thread, spent: "$0.23", state: ledger.Published, later: "$0.23", createdLast: 3},
		{name: "refused", body: "One.", fault: faulty(fakenet.Refuse, 0), spent: "$0.00", state: ledger.Rejected, later: "$0.00"},
		{name: "denied", body: "One.", fault: faulty(fakenet.ExpiredToken, 0), spent: "$0.00", state: ledger.Denied, later: "$0.015", createdLast: 1},
		{name: "half a thread", body: thread, fault: faulty(fakenet.RateLimit, 2), spent: "$0.215", state: ledger.Limited, later: "$0.23", createdLast: 3},
		{name: "out, and the answer was lost", body: thread, fault: faulty(fakenet.ServerErrorAfterAccept, 0), spent: "$0.23", state: ledger.Unknown, later: "$0.23", createdLast: 3},
		{name: "lost, and not out", body: thread, fault: faulty(fakenet.HalfRequest, 1), spent: "$0.23", state: ledger.Unknown, later: "$0.23", createdLast: 3},
		{name: "tried again in the same run", body: thread, fault: faulty(fakenet.RateLimit, 1), tries: 3, spent: "$0.015", state: ledger.Limited, later: "$0.23", createdLast: 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newCostlyWorld(t, "25", map[string]string{"a": post("aaaa1111", "", tt.body)})
			if tt.fault != nil {
				tt.fault(w)
			}
			w.runAs(w.here(), setup{desk: func(d *publish.Desk) { d.Tries = tt.tries }})
			w.wantSpent(tt.spent)
			if got := w.state("aaaa1111@x"); got != tt.state {
				t.Errorf("it is %s, want %s", got, tt.state)
			}
			w.settle()
			w.wantSpent(tt.later)
			w.created(tt.createdLast, xAccount)
		})
	}
}

// TestLostRunCounts: what a run that died has claimed counts until the next has found out what became of it.
func TestLostRunCounts(t *testing.T) {
	w := newCostlyWorld(t, "0.3", map[string]string{"a": post("aaaa1111", "", "See https://acme.com/a"), "b": post("bbbb2222", "publish_at: 2026-12-01 09:30\n", "See https://acme.com/b")})
	w.crash("dead", func(r *http.Request, answered bool) bool { return r.URL.Path == "/2/tweets" && !answered })
	w.wantSpent("$0.20")
	w.clock.Advance(time.Hour)
	w.run(w.here()) // it is not there: nothing was spent
	w.settle()
	if got, other := w.state("aaaa1111@x"), w.state("bbbb2222@x"); got != ledger.Published || other != "" {
		t.Errorf("a is %q, b is %q", got, other)
	}
	w.exactlyOnce(1, xAccount)
	w.wantSpent("$0.20")
}
