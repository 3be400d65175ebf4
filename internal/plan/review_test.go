package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// TestAllowedWordsCount holds that a post which a person has let go out although it was late counts when others would
// say the same in the same run.
func TestAllowedWordsCount(t *testing.T) {
	allowed := record(ledger.Unsent, func(r *ledger.Record) { r.Allowed, r.Said, r.Attempts = "Anna", "words", nil })
	for _, due := range []time.Duration{-time.Hour, time.Hour} { // of the other: before it or after it
		targets := []Target{
			target(func(t *Target) { t.Said, t.Due = "words", now.Add(-2*time.Hour) }),
			target(func(t *Target) {
				t.Post, t.Path, t.Said, t.Due = "p2", "content/p2.md", "words", now.Add(-2*time.Hour+due)
			}),
		}
		p, err := Make(Input{Now: now, Targets: targets, Rules: rules(), Ledger: ledger.Memory{allowed}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"publish p1@bsky", "duplicate p2@bsky: post p1 has bsky say the same in the same run"}
		if diff := cmp.Diff(want, brief(p)); diff != "" {
			t.Errorf("due %s later (-want +got):\n%s", due, diff)
		}
	}
}

// TestEarlierOccurrences holds that an occurrence of a repeated post that was begun is settled although the next has
// come, and that it does not go out any more.
func TestEarlierOccurrences(t *testing.T) {
	const today, yesterday = "20261201T080000Z", "20261130T080000Z"
	daily := func(caps platform.Caps) func(*Target) {
		return func(t *Target) { t.Repeat, t.Due, t.Caps = "FREQ=DAILY", now.AddDate(0, 0, -3), caps }
	}
	open := func(s ledger.State, change func(*ledger.Record)) *ledger.Record {
		return record(s, func(r *ledger.Record) {
			r.Occurrence, r.Due, r.At = yesterday, now.AddDate(0, 0, -1), now.AddDate(0, 0, -1)
			if change != nil {
				change(r)
			}
		})
	}
	lease := func(d time.Duration) func(*ledger.Record) {
		return func(r *ledger.Record) { r.Lease = &ledger.Lease{Run: "r1", Until: now.Add(d)} }
	}
	half := func(r *ledger.Record) { r.Parts = []ledger.Part{{Remote: platform.Remote{ID: "at://1"}}} }
	const publish, next = "publish p1@bsky " + today, "scheduled p1@bsky: next at Wed 2 Dec 2026 09:00 CET [2026-12-02T08:00Z]"
	for _, tt := range []struct {
		name string
		rec  *ledger.Record
		caps platform.Caps
		want []string
	}{
		{"crashed, look-up", open(ledger.Sending, lease(-time.Minute)), full, []string{"look p1@bsky: its next occurrence has come " + yesterday, publish, next}},
		{"unknown, look-up", open(ledger.Unknown, nil), full, []string{"look p1@bsky: its next occurrence has come " + yesterday, publish, next}},
		{"unknown, a key", open(ledger.Unknown, nil), platform.CanPublish | platform.CanIdempotent, []string{publish, "unknown p1@bsky: it may be out, and is not repeated: its next occurrence has come", next}},
		{"being sent", open(ledger.Sending, lease(time.Minute)), full, []string{publish, "sending p1@bsky: run r1 is sending it, until Tue 1 Dec 2026 09:01 CET at the latest [2026-12-01T08:01Z]", next}},
		{"unsent", open(ledger.Unsent, nil), full, []string{publish, "skipped p1@bsky: its next occurrence has come; this one is unsent", next}},
		{"half out", open(ledger.Limited, half), full, []string{publish, "orphan p1@bsky: its next occurrence has come, and of this one some parts are out and others are not", next}},
		{"damaged", open(ledger.Unknown, func(r *ledger.Record) { r.Damaged = "unknown/p1.json" }), full, []string{publish, "unknown p1@bsky: its reason", next}},
		{"refused later than now, by a clock that was fast", open(ledger.Rejected, func(r *ledger.Record) { r.Occurrence = "20261202T080000Z" }), full,
			[]string{publish, "orphan p1@bsky: its delivery is rejected, but the post no longer names the account or is gone from the branch", next}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Make(Input{Now: now, Targets: []Target{target(daily(tt.caps))}, Rules: rules(), Ledger: ledger.Memory{tt.rec}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(p)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKeyed holds that a key is trusted for as long as the network keeps it, and not when nobody knows how old it is.
func TestKeyed(t *testing.T) {
	for _, tt := range []struct {
		name string
		caps platform.Caps
		life time.Duration
		age  time.Duration
		want bool
	}{
		{"for ever", platform.CanIdempotent, 0, 9000 * time.Hour, true},
		{"for ever, from tomorrow", platform.CanIdempotent, 0, -24 * time.Hour, true},
		{"no key", platform.CanFind, 0, 0, false},
		{"within the hour", platform.CanIdempotent, time.Hour, 59 * time.Minute, true},
		{"after an hour", platform.CanIdempotent, time.Hour, time.Hour, false},
		{"by clocks that differ a little", platform.CanIdempotent, time.Hour, -time.Minute, true},
		{"from tomorrow", platform.CanIdempotent, time.Hour, -24 * time.Hour, false},
	} {
		target := Target{Caps: tt.caps, KeyLife: tt.life}
		if got := target.Keyed(&ledger.Record{At: now.Add(-tt.age)}, now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
