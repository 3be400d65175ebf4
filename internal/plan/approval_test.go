package plan

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

func TestApproval(t *testing.T) {
	asked := func(err error) func(*Input) {
		return func(in *Input) { in.Approved = map[Version]error{{"p1", "bsky", "fp-1"}: err} }
	}
	two := func(in *Input) { in.Rules.Approval = func(string, string) int { return 2 } }
	part := []ledger.Part{{Remote: platform.Remote{ID: "1"}}}
	down := &UnaskedError{Err: errors.New("502"), Passing: true}
	const wait = "unapproved p1@bsky: goes out if one person has approved it: every run of publish asks first"
	for _, c := range []struct {
		name   string
		target func(*Target)
		record *ledger.Record
		input  func(*Input)
		want   []string
	}{
		{name: "not asked", want: []string{wait}},
		{name: "two, not asked", input: two, want: []string{"unapproved p1@bsky: goes out if 2 people have approved it: every run of publish asks first"}},
		{name: "approved", input: asked(nil), want: []string{"publish p1@bsky"}},
		{name: "another version is approved", target: func(t *Target) { t.Fingerprint = "fp-2" }, input: asked(nil), want: []string{wait}},
		{name: "edited since", input: asked(errors.New("edited since Resi approved it in #12")), want: []string{"unapproved p1@bsky: edited since Resi approved it in #12"}},
		{name: "the code host is down", input: asked(down), want: []string{"unapproved p1@bsky: nobody could be asked who has approved it, and the next run asks again: 502 [2026-12-01T08:00Z]"}},
		{name: "no token", input: asked(&UnaskedError{Err: errors.New("there is no token")}), want: []string{"unapproved p1@bsky: nobody can be asked who has approved it: there is no token"}},
		{name: "not needed", target: func(t *Target) { t.Account = "test" }, want: []string{"publish p1@test"}},
		{name: "to come", target: func(t *Target) { t.Due = now.Add(time.Hour) }, want: []string{"scheduled p1@bsky: due at Tue 1 Dec 2026 10:00 CET, if one person has approved it by then [2026-12-01T09:00Z]"}},
		{name: "a draft needs nobody yet", target: func(t *Target) { t.Draft = true }, want: []string{"draft p1@bsky: it is a draft"}},
		{name: "an update", record: record(ledger.Published, func(r *ledger.Record) { r.Source, r.Fingerprint = "source-0", "fp-0" }), want: []string{wait}},
		{name: "an update that is approved", record: record(ledger.Published, func(r *ledger.Record) { r.Source, r.Fingerprint = "source-0", "fp-0" }), input: asked(nil), want: []string{"update p1@bsky"}},
		{name: "taking down needs nobody", target: func(t *Target) { t.Withdraw = true }, record: record(ledger.Published, nil), want: []string{"withdraw p1@bsky"}},
		{name: "tried again", record: record(ledger.Unsent, nil), want: []string{wait}},
		{name: "half a thread is finished", record: record(ledger.Unsent, func(r *ledger.Record) { r.Parts = part }), want: []string{"resume p1@bsky"}},
		{name: "half a thread, of which nobody knows how it went on", record: record(ledger.Unsent, func(r *ledger.Record) { r.Parts, r.Fingerprint = part, "fp-0" }), want: []string{wait}},
		{name: "half a thread that was refused", record: record(ledger.Rejected, func(r *ledger.Record) { r.Parts, r.Fingerprint = part, "fp-0" }), want: []string{wait}},
		{name: "looked for, and repeated as it was", record: record(ledger.Unknown, nil), want: []string{"reconcile p1@bsky"}},
		{name: "looked for, and edited since", record: record(ledger.Unknown, func(r *ledger.Record) { r.Fingerprint = "fp-0" }), want: []string{"look p1@bsky: goes out if one person has approved it: every run of publish asks first"}},
		{
			name: "no way to look, and edited since", target: func(t *Target) { t.Caps = platform.CanPublish | platform.CanIdempotent },
			record: record(ledger.Unknown, func(r *ledger.Record) { r.Fingerprint = "fp-0" }),
			want:   []string{"unapproved p1@bsky: it may be out, and is not repeated: goes out if one person has approved it: every run of publish asks first"},
		},
		{name: "late comes first", target: func(t *Target) { t.Due = now.Add(-7 * time.Hour) }, want: []string{"late p1@bsky: it was due at Tue 1 Dec 2026 02:00 CET, 7 hours ago: too late to go out unasked"}},
		{name: "its link is looked at first", target: func(t *Target) { t.Await = "https://acme.example" }, want: []string{"embargo p1@bsky: waits until https://acme.example answers 200: every run of publish looks first"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{Now: now, Targets: []Target{target(c.target)}, Ledger: ledger.Memory{}, Rules: rules()}
			in.Rules.Approval = func(account, _ string) int { return map[string]int{"bsky": 1}[account] }
			if c.record != nil {
				in.Ledger = ledger.Memory{c.record}
			}
			if c.input != nil {
				c.input(&in)
			}
			p, err := Make(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, brief(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if c.name == "not asked" && !p.Next.Equal(now.Add(6*time.Hour).Add(1)) {
				t.Errorf("the plan changes at %s, and not when it becomes late", p.Next)
			}
		})
	}
}
