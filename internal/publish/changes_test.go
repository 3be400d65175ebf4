package publish_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

// published returns a world in which one post has gone out everywhere.
func published(t *testing.T, head, body string) *world {
	t.Helper()
	w := newWorld(t, map[string]string{"a": post("aaaa1111", head, body)})
	if report := w.run(w.here()); report.Failed() > 0 || len(report.Deliveries) == 0 {
		t.Fatalf("%v, waiting %v", results(report), waiting(report))
	}
	return w
}

// nothing fails the test unless a run does nothing at all and waits for nothing.
func (w *world) nothing() {
	w.t.Helper()
	if report := w.run(w.here()); len(report.Deliveries) != 0 || len(report.Waiting) != 0 {
		w.t.Errorf("%v, waiting %v, want nothing", results(report), waiting(report))
	}
}

func TestChangedPostIsUpdated(t *testing.T) {
	w := published(t, "", "Helo.")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello.")})
	report := w.run(w.here())
	same(t, "deliveries", results(report), []string{"aaaa1111@bsky updated", "aaaa1111@fedi updated", "aaaa1111@gts updated", "aaaa1111@hook updated"})
	for _, account := range all {
		same(t, account, w.texts(account), []string{"Hello."})
	}
	w.exactlyOnce(1)
	w.nothing()
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello.\n\n<!-- a note that nobody sees -->")})
	w.nothing()
}

func TestUpdateThatFailsIsTriedAgain(t *testing.T) {
	w := published(t, "platforms: [fedi]\n", "Helo.")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [fedi]\n", "Hello.")})
	w.setenv("POSTRIDER_FEDI_ACCESS_TOKEN", "wrong")
	report := w.run(w.here())
	same(t, "deliveries", results(report), []string{"aaaa1111@fedi denied"})
	if got := w.state("aaaa1111@fedi"); got != ledger.Published {
		t.Errorf("a post whose update failed is %s", got)
	}
	w.setenv("POSTRIDER_FEDI_ACCESS_TOKEN", fediToken)
	w.settle()
	same(t, "text", w.texts(fedi), []string{"Hello."})
	w.exactlyOnce(1, fedi)
}

func TestCrashDuringAnUpdate(t *testing.T) {
	w := published(t, "", "Helo.")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello.")})
	w.crash("", func(r *http.Request, answered bool) bool { return answered && r.Method == http.MethodPut })
	w.clock.Advance(11 * time.Minute)
	w.settle()
	for _, account := range all {
		same(t, account, w.texts(account), []string{"Hello."})
	}
	w.exactlyOnce(1)
	w.nothing()
}

// TestUpdateThatCrashedAndWasTakenBack changes a file back after a run has died changing what is out.
func TestUpdateThatCrashedAndWasTakenBack(t *testing.T) {
	w := published(t, "", "Hello.")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hell.")})
	w.crash("dead", func(r *http.Request, answered bool) bool {
		return answered && (r.Method == http.MethodPut || creates(r)) && strings.HasPrefix("http://"+r.URL.Host, w.urls[gts])
	})
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello.")})
	w.settle()
	for _, account := range all {
		same(t, account, w.texts(account), []string{"Hello."})
	}
	w.exactlyOnce(1)
	w.nothing()
}

// TestWithdrawalThatCrashedAndWasTakenBack wants a post to stay after a run has died taking it down.
func TestWithdrawalThatCrashedAndWasTakenBack(t *testing.T) {
	w := published(t, "platforms: [gts]\n", "Hello.")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [gts]\nwithdraw: true\n", "Hello.")})
	w.crash("dead", func(r *http.Request, answered bool) bool { return answered && r.Method == http.MethodDelete })
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [gts]\n", "Hello.")})
	report := w.run(w.here())
	same(t, "waiting", waiting(report), []string{"aaaa1111@gts unknown"})
	w.created(1, gts)
}

func TestWithdraw(t *testing.T) {
	w := published(t, "", "One.\n\n---\n\nTwo.")
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "withdraw: true\n", "One.\n\n---\n\nTwo.")})
	report := w.run(w.here())
	same(t, "deliveries", results(report), []string{"aaaa1111@bsky withdrawn", "aaaa1111@fedi withdrawn", "aaaa1111@gts withdrawn", "aaaa1111@hook withdrawn"})
	for _, account := range all {
		same(t, account, w.texts(account), []string(nil))
	}
	for id, r := range w.records() {
		if r.State != ledger.Withdrawn || r.WithdrawnAt.IsZero() {
			t.Errorf("%s is %s since %v", id, r.State, r.WithdrawnAt)
		}
	}
	w.nothing()
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "One.\n\n---\n\nTwo.")})
	w.nothing()
	w.created(2)
}

func TestExpiredPostIsTakenDown(t *testing.T) {
	w := published(t, "expires_at: 2026-12-01 12:00\n", "Today only.")
	repo := w.here()
	for range 2 {
		if report := w.run(repo); len(report.Deliveries) != 0 || report.Next.IsZero() {
			t.Fatalf("%v, next %v", results(report), report.Next)
		}
	}
	w.clock.Advance(3 * time.Hour)
	if report := w.run(repo); len(report.Deliveries) != 4 || report.Failed() > 0 {
		t.Errorf("%v, waiting %v", results(report), waiting(report))
	}
	for _, account := range all {
		same(t, account, w.texts(account), []string(nil))
	}
}

func TestDeletedFileDeletesNothing(t *testing.T) {
	w := published(t, "", "Hello.")
	w.commit(map[string]string{"content/a.md": ""})
	w.nothing()
	w.exactlyOnce(1)
}

func TestRenamedFileKeepsItsPost(t *testing.T) {
	w := published(t, "", "Hello.")
	w.commit(map[string]string{"content/a.md": "", "content/2026/b.md": post("aaaa1111", "", "Hello.")})
	w.nothing()
	w.exactlyOnce(1)
}

func TestLostIDWaitsAsDuplicate(t *testing.T) {
	for name, text := range map[string]string{
		"renamed": strings.Replace(post("aaaa1111", "", "Hello."), "id: aaaa1111\n", "id: bbbb2222\n", 1),
		"lost":    strings.Replace(post("aaaa1111", "", "Hello."), "id: aaaa1111\n", "", 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := published(t, "", "Hello.")
			w.commit(map[string]string{"content/a.md": text})
			report := w.run(w.here())
			if len(report.Deliveries) != 0 || len(report.Waiting) != 4 || report.Waiting[0].State != "duplicate" {
				t.Errorf("%v, waiting %v", results(report), waiting(report))
			}
			w.exactlyOnce(1)
		})
	}
}

// TestRenamedIDOfAnUnsettledPost gives a post another id while nobody knows whether it is out.
func TestRenamedIDOfAnUnsettledPost(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\n", "Hello.")})
	w.crash("dead", func(r *http.Request, answered bool) bool { return answered && creates(r) })
	w.commit(map[string]string{"content/a.md": strings.ReplaceAll(post("bbbb2222", "platforms: [gts]\n", "Hello."), "Title of bbbb2222", "Title of aaaa1111")})
	w.clock.Advance(time.Hour)
	report := w.run(w.here())
	same(t, "waiting", waiting(report), []string{"aaaa1111@gts orphan", "bbbb2222@gts duplicate"})
	w.created(1, gts)
}

func TestReasonsToWait(t *testing.T) {
	w := newWorld(t, map[string]string{
		"draft":    post("draft111", "draft: true\n", "A draft."),
		"held":     post("held1111", "campaign: crisis\n", "Held."),
		"late":     post("late1111", "publish_at: 2026-11-30 20:00\n", "Late."),
		"never":    post("never111", "publish_at: 2026-11-30 20:00\nlate: skip\n", "Never."),
		"anyway":   post("anyway11", "publish_at: 2026-11-30 20:00\nlate: publish\nplatforms: [fedi]\n", "Anyway."),
		"blocked":  post("blocked1", "platforms: [bsky, fedi]\n", strings.Repeat("Too long for Bluesky. ", 20)),
		"broken":   "---\nid: broken11\nplatfroms: [fedi]\n---\nBroken.\n",
		"tomorrow": post("morrow11", "publish_at: 2026-12-02 09:00\n", "Tomorrow."),
		"gone":     post("gone1111", "withdraw: true\n", "Withdrawn before it went out."),
		"expired":  post("expired1", "expires_at: 2026-12-01 08:30\n", "Expired."),
	})
	w.commit(map[string]string{"site.yaml": strings.Replace(w.site("campaigns: {crisis: {title: Crisis}}\nhold: {reason: we think, scope: [crisis]}\n"), "[bsky, fedi, gts, hook]", "[fedi]", 1)})
	report := w.run(w.here())
	same(t, "deliveries", results(report), []string{"anyway11@fedi published", "blocked1@fedi published"})
	same(t, "waiting", waiting(report), []string{
		"blocked1@bsky blocked", "broken11@fedi blocked", "draft111@fedi draft", "expired1@fedi expired", "gone1111@fedi withdrawn",
		"held1111@fedi held", "late1111@fedi late", "morrow11@fedi scheduled", "never111@fedi skipped",
	})
	for _, x := range report.Waiting {
		if x.Reason == "" {
			t.Errorf("%s waits and does not say why", x.Post)
		}
	}
	w.exactlyOnce(2, fedi)
	w.created(0, bsky)
}

func TestQuietHours(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.commit(map[string]string{"site.yaml": w.site("schedule: {quiet: [\"07:00-10:00\"]}\n")})
	repo := w.here()
	for range 2 {
		report := w.run(repo)
		if len(report.Deliveries) != 0 || len(report.Waiting) != 4 || report.Waiting[0].State != "quiet" || !report.Next.Equal(start.Add(time.Hour)) {
			t.Fatalf("%v, waiting %v, next %v", results(report), waiting(report), report.Next)
		}
	}
	w.clock.Advance(time.Hour)
	w.run(repo)
	w.exactlyOnce(1)
}

// TestHoldStopsWhatACrashLeft holds everything while a crashed run's deliveries are open.
func TestHoldStopsWhatACrashLeft(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.crash("dead", func(*http.Request, bool) bool { return true })
	w.commit(map[string]string{"site.yaml": w.site("hold: {reason: a crisis, scope: all}\n")})
	w.clock.Advance(10 * time.Minute)
	w.settle()
	w.created(0)
	w.commit(map[string]string{"site.yaml": w.site("")})
	w.settle()
	w.exactlyOnce(1)
}

// TestBrokenFileOfAnUnsettledPost breaks a post's file while nobody knows whether it is out: it is found all the
// same, and nobody else has to wait for it.
func TestBrokenFileOfAnUnsettledPost(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.crash("dead", func(r *http.Request, answered bool) bool {
		return answered && creates(r) && strings.HasPrefix("http://"+r.URL.Host, w.urls[gts])
	})
	w.commit(map[string]string{
		"content/a.md": strings.Replace(post("aaaa1111", "", "Hello."), "title:", "titel:", 1),
		"content/b.md": post("bbbb2222", "", "World."),
	})
	w.clock.Advance(10 * time.Minute)
	w.run(w.here())
	w.settle()
	for _, account := range all {
		if n := len(w.fakes[account].Posts()); n < 1 || account == gts && n != 2 {
			t.Errorf("%s has %q", account, w.texts(account))
		}
	}
	if got := w.state("aaaa1111@gts"); got != ledger.Published {
		t.Errorf("what is out is %s", got)
	}
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "", "Hello.")})
	w.settle()
	w.exactlyOnce(2)
}

func TestSameIDBlocksBoth(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "One."), "b": post("AAAA1111", "", "Two."), "c": post("cccc3333", "", "Three.")})
	report := w.run(w.here())
	if len(report.Deliveries) != 4 || len(report.Waiting) != 8 {
		t.Errorf("%v, waiting %v", results(report), waiting(report))
	}
	for _, x := range report.Waiting {
		if x.State != "blocked" || !strings.Contains(x.Reason, "content/") {
			t.Errorf("%s: %s %s", x.Path, x.State, x.Reason)
		}
	}
	w.exactlyOnce(1)
}

func TestMissingSecretSendsNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	before := w.ledgerTip()
	w.setenv("POSTRIDER_GTS_ACCESS_TOKEN", "")
	_, err := w.try(w.here(), setup{})
	missing, ok := errors.AsType[*publish.SecretsError](err)
	if !ok || !strings.Contains(missing.Error(), "POSTRIDER_GTS_ACCESS_TOKEN") {
		t.Errorf("error = %v", err)
	}
	w.created(0)
	if tip := w.ledgerTip(); tip != before {
		t.Errorf("something was claimed: %s", tip)
	}
}

func TestWrongTokenThenRightOne(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.setenv("POSTRIDER_BSKY_APP_PASSWORD", "wrong")
	w.setenv("POSTRIDER_FEDI_ACCESS_TOKEN", "wrong")
	report := w.run(w.here())
	same(t, "deliveries", results(report), []string{"aaaa1111@bsky denied", "aaaa1111@fedi denied", "aaaa1111@gts published", "aaaa1111@hook published"})
	w.clock.Advance(2 * time.Minute)
	report = w.run(w.here())
	if len(report.Deliveries) != 0 || len(report.Waiting) != 2 || report.Waiting[0].State != "denied" {
		t.Errorf("still wrong: %v, waiting %v", results(report), waiting(report))
	}
	w.setenv("POSTRIDER_BSKY_APP_PASSWORD", blueskyPassword)
	w.setenv("POSTRIDER_FEDI_ACCESS_TOKEN", fediToken)
	report = w.run(w.here())
	same(t, "deliveries", results(report), []string{"aaaa1111@bsky published", "aaaa1111@fedi published"})
	w.exactlyOnce(1)
	for _, token := range []string{blueskyPassword, fediToken, gtsToken, hookSecret} {
		w.logMu.Lock()
		if strings.Contains(w.log.String(), token) {
			t.Errorf("the log holds the secret %q", token)
		}
		w.logMu.Unlock()
	}
}

func TestLimitedWaitsAsLongAsTheNetworkSays(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi]\n", "Hello.")})
	w.fakes[fedi].Inject(fakenet.Plan{Fault: fakenet.RateLimit})
	report := w.run(w.here())
	until := start.Add(5 * time.Minute) // the end of the fake's window
	if len(report.Deliveries) != 1 || report.Deliveries[0].Outcome != "limited" || !report.Deliveries[0].RetryAt.Equal(until) {
		t.Fatalf("%+v", report.Deliveries)
	}
	w.clock.Advance(4 * time.Minute)
	report = w.run(w.here())
	if len(report.Deliveries) != 0 || !report.Next.Equal(until) {
		t.Errorf("%v, next %v", results(report), report.Next)
	}
	w.clock.Advance(time.Minute)
	w.run(w.here())
	w.exactlyOnce(1, fedi)
}

// TestThreadChangedHalfWay edits a thread of which one part is out: it is finished as it was begun, and then
// edited.
func TestThreadChangedHalfWay(t *testing.T) {
	for _, fault := range []fakenet.Fault{fakenet.RateLimit, fakenet.ResetBefore, fakenet.Refuse} {
		t.Run(string(fault), func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [bsky, fedi, gts]\n", "One.\n\n---\n\nTwo.")})
			w.inject(fault, 1)
			w.run(w.here())
			w.created(1, bsky, fedi, gts)
			w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [bsky, fedi, gts]\n", "One, better.\n\n---\n\nTwo, better.")})
			w.settle()
			w.exactlyOnce(2, bsky, fedi, gts)
			for _, account := range []string{bsky, fedi, gts} {
				same(t, account, w.texts(account), []string{"One, better.", "Two, better."})
				w.threaded(account)
			}
			w.nothing()
		})
	}
}

// TestLedgerLost deletes the remote's ledger while only a clone that never saw it publishes.
func TestLedgerLost(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello."), "b": strings.Replace(post("bbbb2222", "", "One.\n\n---\n\nTwo."), "publish_at: 2026-12-01 08:00\n", "", 1)})
	w.run(w.here())
	w.created(3)
	w.clock.Advance(4 * time.Hour)
	w.forget()
	down := func(r *http.Request) bool { return !creates(r) } // at first the networks cannot be asked
	report := w.runAs(w.here(), setup{broken: down})
	for _, d := range report.Deliveries {
		if d.Account != hook && d.OK() {
			t.Errorf("%s was sent to %s although nobody could know whether it is out", d.Post, d.Account)
		}
	}
	w.settle()
	w.exactlyOnce(3)
}

// forget deletes the remote's ledger.
func (w *world) forget() {
	w.t.Helper()
	w.git("update-ref", "-d", "refs/heads/postrider/ledger")
}

// TestLedgerSetBack has a person set the remote's ledger back to before a claim that a crashed run has made from a
// clone that is still there.
func TestLedgerSetBack(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello."), "b": post("bbbb2222", "publish_at: 2026-12-01 10:00\n", "World.")})
	repo := w.clone()
	w.run(repo)
	before := w.ledgerTip()
	w.clock.Advance(time.Hour)
	w.crashIn(repo, "", func(r *http.Request, answered bool) bool { return answered && creates(r) })
	w.git("update-ref", "refs/heads/postrider/ledger", string(before))
	w.run(repo) // brings back what was claimed
	if got := w.state("bbbb2222@gts"); got == "" {
		t.Error("the claim is forgotten")
	}
	w.clock.Advance(11 * time.Minute)
	w.settle()
	w.exactlyOnce(2)
}

// TestClockOfTheCrashedRunWasWrong has the run that crashes believe in a day that is not.
func TestClockOfTheCrashedRunWasWrong(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"a day fast": 24 * time.Hour, "an hour slow": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "late: publish\n", "Hello.")})
			w.clock.Advance(2 * time.Hour)
			repo := w.clone()
			w.shift = wrong
			w.crashIn(repo, "", func(r *http.Request, answered bool) bool {
				return answered && creates(r) && strings.HasPrefix("http://"+r.URL.Host, w.urls[gts])
			})
			w.shift = 0
			w.clock.Advance(26 * time.Hour)
			w.settle()
			w.exactlyOnce(1)
		})
	}
}
