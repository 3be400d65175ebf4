package notify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// statuses is a code host that only shows the statuses of commits.
type statuses struct {
	set  []string
	fail error
}

func (s *statuses) Status(_ context.Context, commit string, v forge.Status) error {
	if s.fail != nil {
		return s.fail
	}
	s.set = append(s.set, strings.Join([]string{commit, v.Context, string(v.State), v.Description, v.URL}, " | "))
	return nil
}

// A commit shows what became of its posts, and is told so only when that changes.
func TestStatus(t *testing.T) {
	host := &statuses{}
	d := newDesk(t, "timezone: Europe/Berlin\nnotify:\n  status: true\n")
	d.o.Statuses, d.o.Issues, d.o.Folder, d.o.Links.Run = host, nil, "acme", "https://ci.example/42"
	commit := "c1"
	run := func(failed error, deliveries []publish.Delivery, waiting ...plan.Waiting) Result {
		t.Helper()
		d.run++
		r := d.report(deliveries, waiting...)
		r.Commit = commit
		return Tell(t.Context(), d.o, r, failed)
	}
	var seen, writes int
	expect := func(want ...string) {
		t.Helper()
		if got := host.set[seen:]; !slices.Equal(got, want) {
			t.Fatalf("set %q\nwant %q", got, want)
		}
		if seen = len(host.set); len(want) == 0 && d.memory.writes != writes {
			t.Fatal("the ledger was written, and nothing has changed")
		}
		writes = d.memory.writes
	}
	const success, failure, link = " | postrider/publish/acme | success | ", " | postrider/publish/acme | failure | ", " | https://ci.example/42"
	later := waits("later", plan.WaitScheduled, "at its time")
	later.Due = t0.Add(48 * time.Hour)
	sooner := waits("sooner", plan.WaitScheduled, "at its time")
	sooner.Due = t0.Add(24 * time.Hour)

	if got := run(nil, nil, later, sooner); got.Status == "" || len(got.Warnings) > 0 {
		t.Fatalf("%+v", got)
	}
	expect("c1" + success + "2 scheduled, the next for Wed 2 Dec 2026 09:05 CET" + link)
	run(nil, nil, later, sooner)
	expect()

	commit = "c2" // merged: something goes out at once
	run(nil, []publish.Delivery{out("now"), out("too")}, later)
	expect("c2" + success + "2 went out; 1 scheduled, the next for Thu 3 Dec 2026 09:05 CET" + link)
	run(nil, []publish.Delivery{delivery("later", platform.Unknown, "no answer tok-0123456789"), out("third")})
	expect("c2" + failure + "1 may be out or not, 1 went out" + link)
	run(nil, nil, waits("later", plan.WaitUnknown, "nobody can tell"))
	expect() // as before
	run(nil, nil)
	expect("c2" + success + "nothing is due" + link)

	missing := &publish.SecretsError{Missing: []*platform.MissingSecretError{{Account: "fedi", Names: []string{"POSTRIDER_FEDI_ACCESS_TOKEN"}}}}
	run(missing, nil)
	if got := host.set[seen:]; len(got) != 1 || !strings.HasPrefix(got[0], "c2"+failure+"the run could not be made: ") || !strings.Contains(got[0], "POSTRIDER_FEDI_ACCESS_TOKEN") {
		t.Fatalf("%q", got)
	}
	seen, writes = len(host.set), d.memory.writes
	run(missing, nil)
	expect()

	// A code host that is down, or that nobody knows: a warning, and the next run says it.
	host.fail = errors.New("HTTP 503")
	if got := run(nil, nil); len(got.Warnings) != 1 || got.Warnings[0].Error() != "the status of the published commit was not set: HTTP 503" || got.Warnings[0].Permission() != "statuses: write" || got.Status != "" {
		t.Fatalf("%+v", got)
	}
	expect()
	d.o.Statuses, d.o.NoIssues = nil, errors.New("there is no token")
	if got := run(nil, nil); len(got.Warnings) != 1 || got.Warnings[0].Error() != "the status of the published commit was not set: there is no token" {
		t.Fatalf("%+v", got)
	}
	host.fail, d.o.Statuses = nil, host
	run(nil, nil)
	expect("c2" + success + "nothing is due" + link)
	if _, err := ledger.DecodeTold(ledger.EncodeTold(d.memory.told)); err != nil {
		t.Error(err)
	}
}

// The status is about what the site wants people to be told of, and stands beside channels and the issue without being in their way.
func TestStatusBesideOthers(t *testing.T) {
	host := &statuses{}
	d := newDesk(t, "notify:\n  what: unknown\n  channels: {team: {platform: slack, what: [failed]}}\n  issue: true\n  status: true\n")
	d.o.Statuses = host
	unsent, lost := delivery("a", platform.Unsent, "x"), delivery("b", platform.Unknown, "x")
	tell := func(deliveries ...publish.Delivery) {
		t.Helper()
		d.run++
		r := d.report(deliveries)
		r.Commit = "c1"
		if got := Tell(t.Context(), d.o, r, nil); len(got.Warnings) > 0 {
			t.Fatal(got.Warnings)
		}
	}
	tell(unsent)
	d.expect(1, 2)
	tell(unsent, lost)
	d.expect(1, 4, "Postrider: 1 may be out or not (Acme)")
	want := []string{"c1 | postrider/publish | success | nothing is due | ", "c1 | postrider/publish | failure | 1 may be out or not | "}
	if !slices.Equal(host.set, want) {
		t.Errorf("set %q\nwant %q", host.set, want)
	}
	// Without a code host, one is still told of what the other channels have.
	d.o.Issues, d.o.Statuses = nil, nil
	tell2 := d.report([]publish.Delivery{delivery("c", platform.Unsent, "x")})
	tell2.Commit = "c2"
	got := Tell(t.Context(), d.o, tell2, nil)
	if !slices.Equal(got.Told, []string{"team"}) || len(got.Warnings) != 2 {
		t.Errorf("%+v", got)
	}
}
