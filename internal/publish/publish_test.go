package publish_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
)

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestDuePostGoesOutOnceToAllAccounts(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello *world*.")})
	repo := w.clone()
	report := w.run(repo)
	same(t, "deliveries", results(report), []string{"aaaa1111@bsky published", "aaaa1111@fedi published", "aaaa1111@gts published", "aaaa1111@hook published"})
	w.exactlyOnce(1)
	for id, r := range w.records() {
		if r.State != ledger.Published || r.Commit != report.Commit || r.Key == "" || r.Due.IsZero() || r.Last().Outcome != "published" {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if tip := w.ledgerTip(); string(tip) != report.LedgerCommit {
		t.Errorf("the remote's ledger is at %s, the report says %s", tip, report.LedgerCommit)
	}
	w.clock.Advance(time.Minute)
	again := w.run(repo)
	if len(again.Deliveries) != 0 || again.Settled != 4 {
		t.Errorf("the second run: %d deliveries, %d settled, waiting %v", len(again.Deliveries), again.Settled, waiting(again))
	}
	w.created(1)
}

func TestSecondRunReadsNoContent(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	repo := w.here()
	w.run(repo)
	w.run(repo) // keeps the plan of a run with nothing to do
	cache := filepath.Join(repo.CommonDir(), "postrider")
	if err := os.WriteFile(filepath.Join(cache, "agenda"), []byte("poison"), 0o600); err != nil {
		t.Fatal(err)
	}
	report := w.run(repo)
	if report.Settled != 4 || len(report.Waiting) != 0 {
		t.Errorf("settled %d, waiting %v", report.Settled, waiting(report))
	}
	if b, err := os.ReadFile(filepath.Join(cache, "agenda")); err != nil || string(b) != "poison" {
		t.Errorf("posts were read although nothing has changed (%v)", err)
	}
	w.commit(map[string]string{"content/b.md": post("bbbb2222", "", "Second.")})
	if report := w.run(repo); len(report.Deliveries) != 4 {
		t.Errorf("a new post after the quick plan: %v, waiting %v", results(report), waiting(report))
	}
	w.exactlyOnce(2)
}

// TestKilledWhileItKeepsThePlan removes what a process left that was killed while it wrote its caches, even when there is nothing to do.
func TestKilledWhileItKeepsThePlan(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	repo := w.here()
	w.run(repo)
	w.run(repo) // keeps the plan of a run with nothing to do
	cache := filepath.Join(repo.CommonDir(), "postrider")
	for _, name := range []string{"plan.json.tmp1185435396", "agenda.tmp7"} {
		if err := os.WriteFile(filepath.Join(cache, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if report := w.run(repo); report.Settled != 4 {
		t.Errorf("settled %d", report.Settled)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "*.tmp*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestQuickPlanEndsWhenSomethingComesDue(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "publish_at: 2026-12-01 09:30\n", "Later.")})
	repo := w.here()
	for range 2 {
		report := w.run(repo)
		if len(report.Deliveries) != 0 || !report.Next.Equal(start.Add(30*time.Minute)) {
			t.Fatalf("%v, next %v", results(report), report.Next)
		}
	}
	w.clock.Advance(30 * time.Minute)
	if report := w.run(repo); len(report.Deliveries) != 4 {
		t.Errorf("at its time: %v, waiting %v", results(report), waiting(report))
	}
	w.exactlyOnce(1)
}

func TestOnlyWhatIsMergedGoesOut(t *testing.T) {
	w := newWorld(t, nil)
	writer := w.clone()
	if _, err := writer.Fetch(t.Context(), "origin", "main"); err != nil {
		t.Fatal(err)
	}
	tip, err := w.bare.Ref("refs/heads/main")
	if err == nil {
		err = writer.SetRef(t.Context(), "refs/heads/main", "", tip)
	}
	if err == nil {
		err = os.MkdirAll(filepath.Join(writer.Root(), "content"), 0o777)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(writer.Root(), "content", "b.md"), []byte(post("bbbb2222", "", "Not committed.")), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	before, after := w.commitTo(writer, map[string]string{"content/a.md": post("aaaa1111", "", "Committed, not pushed.")})
	report := w.run(writer)
	if len(report.Deliveries) != 0 || len(report.Waiting) != 0 {
		t.Errorf("%v, waiting %v", results(report), waiting(report))
	}
	w.created(0)
	if err := writer.Push(t.Context(), "origin", "main", before, after); err != nil {
		t.Fatal(err)
	}
	w.run(writer)
	w.exactlyOnce(1)
	same(t, "text", w.texts(fedi), []string{"Committed, not pushed."})
}

func TestEachAccountStandsAlone(t *testing.T) {
	for _, bad := range all {
		t.Run(bad, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello."), "b": post("bbbb2222", "", "World.")})
			w.fakes[bad].Inject(serverDown)
			report := w.run(w.here())
			for _, d := range report.Deliveries {
				if (d.Account == bad) == d.OK() {
					t.Errorf("%s on %s: %s %v", d.Post, d.Account, d.Outcome, d.Err)
				}
			}
			if n := report.Failed(); n != 2 {
				t.Errorf("%d failed, want 2", n)
			}
			w.fakes[bad].Inject(allWell)
			w.settle()
			w.exactlyOnce(2)
		})
	}
}

func TestFirstRunOverTheLimitStops(t *testing.T) {
	posts := map[string]string{}
	for i := range 4 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "", fmt.Sprintf("Number %d.", i))
	}
	posts["free"] = "---\nid: free0000\n---\nWithout a time.\n"
	w := newEmptyWorld(t, posts)
	w.commit(map[string]string{"site.yaml": w.site("schedule: {max_per_run: 2}\n")})
	report := w.run(w.here())
	if len(report.Deliveries) != 0 || len(report.Waiting) != 20 || report.Waiting[0].State != "first_run" {
		t.Errorf("%v, waiting %v", results(report), waiting(report))
	}
	w.created(0)
	if records := w.records(); len(records) != 0 {
		t.Errorf("the ledger has records: %v", records)
	}

	w.runAs(w.here(), setup{open: skipBacklog})
	w.run(w.here())
	w.created(0)
	w.commit(map[string]string{"content/new.md": post("nnnn0000", "", "New.")})
	w.run(w.here())
	w.exactlyOnce(1)
}

func TestBacklogGoesOutInPortions(t *testing.T) {
	posts := map[string]string{}
	for i := range 5 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [fedi]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newEmptyWorld(t, posts)
	w.commit(map[string]string{"site.yaml": w.site("schedule: {max_per_run: 2}\n")})
	w.runAs(w.here(), setup{open: publishBacklog})
	w.created(2, fedi)
	w.run(w.here())
	w.created(4, fedi)
	w.run(w.here())
	w.exactlyOnce(5, fedi)
}
