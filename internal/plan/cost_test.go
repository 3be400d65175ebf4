package plan

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// cents is a cost of one part.
func cents(n int) platform.Cost {
	return platform.Cost{{N: 1, One: "post", Many: "posts", USD: platform.USD(n) * 10_000}}
}

// spending is a record of another post that was sent in December for so many cents.
func spending(n int, change func(*ledger.Record)) *ledger.Record {
	return record(ledger.Published, func(r *ledger.Record) {
		r.Post, r.Fingerprint = "before", "fp-before"
		r.Attempts[0].Charge = ledger.Charge{Month: "2026-12", USD: cents(n).Total()}
		if change != nil {
			change(r)
		}
	})
}

// lost is a ledger that does not know what was spent.
type lost struct{ ledger.Memory }

func (lost) Spent(string, ledger.Month) (platform.USD, error) {
	return 0, fmt.Errorf("a file: %w", ledger.ErrFormat)
}

// frugal is a ledger that nobody may ask what was spent.
type frugal struct {
	ledger.Memory
	t *testing.T
}

func (f frugal) Spent(account string, m ledger.Month) (platform.USD, error) {
	f.t.Errorf("what %s spent in %s was asked for", account, m)
	return 0, nil
}

func TestBudget(t *testing.T) {
	costing := func(n ...int) func(*Target) {
		return func(t *Target) {
			for _, c := range n {
				t.Costs = append(t.Costs, cents(c))
			}
		}
	}
	half := func(r *ledger.Record) { r.Parts = []ledger.Part{{Remote: platform.Remote{ID: "1"}}} }
	tests := []struct {
		name    string
		targets []Target
		records ledger.Memory
		input   func(*Input)
		want    []string
	}{
		{name: "room", targets: []Target{target(costing(40))}, records: ledger.Memory{spending(60, nil)}, want: []string{"publish p1@bsky"}},
		{
			name: "no room", targets: []Target{target(costing(40))}, records: ledger.Memory{spending(61, nil)},
			want: []string{"over_budget p1@bsky: $0.61 of $1.00 are spent in December 2026; this costs about $0.40 [2026-12-31T23:00Z]"},
		},
		{name: "free", targets: []Target{target(nil)}, records: ledger.Memory{spending(100, nil)}, want: []string{"publish p1@bsky"}},
		{
			name: "another month", targets: []Target{target(costing(40))}, want: []string{"publish p1@bsky"},
			records: ledger.Memory{spending(100, func(r *ledger.Record) { r.Attempts[0].Charge.Month = "2026-11" })},
		},
		{
			name: "another account", targets: []Target{target(costing(40))}, want: []string{"publish p1@bsky"},
			records: ledger.Memory{spending(100, func(r *ledger.Record) { r.Account = "other" })},
		},
		{
			name: "the month of the site's zone", targets: []Target{target(costing(40))}, want: []string{"publish p1@bsky"}, records: ledger.Memory{spending(100, nil)},
			input: func(in *Input) {
				in.Now = time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
				in.Targets[0].Due = in.Now
			},
		},
		{
			name: "the first come, and a cheaper one that still fits",
			targets: []Target{
				target(costing(60)),
				target(func(t *Target) { t.Post, t.Path, t.Fingerprint = "p2", "content/p2.md", "fp-2"; costing(50)(t) }),
				target(func(t *Target) { t.Post, t.Path, t.Fingerprint = "p3", "content/p3.md", "fp-3"; costing(20)(t) }),
			},
			records: ledger.Memory{spending(10, nil)},
			want: []string{
				"publish p1@bsky", "publish p3@bsky",
				"over_budget p2@bsky: $0.10 of $1.00 are spent in December 2026, and $0.60 more go out now; this costs about $0.50 [2026-12-31T23:00Z]",
			},
		},
		{
			name: "the other half of a thread", targets: []Target{target(costing(90, 40))},
			records: ledger.Memory{record(ledger.Unsent, half), spending(60, nil)}, want: []string{"resume p1@bsky"},
		},
		{
			name: "half of a thread stays half", targets: []Target{target(costing(40, 40))}, records: ledger.Memory{record(ledger.Unsent, half), spending(80, nil)},
			want: []string{"over_budget p1@bsky: $0.80 of $1.00 are spent in December 2026; this costs about $0.40 [2026-12-31T23:00Z]"},
		},
		{
			name: "a thread goes on as it was begun", targets: []Target{target(costing(10, 10))},
			records: ledger.Memory{record(ledger.Unsent, func(r *ledger.Record) {
				half(r)
				r.Fingerprint, r.Rendering = "fp-0", &platform.Rendering{Parts: make([]platform.Part, 3)}
			}), spending(80, nil)},
			input: func(in *Input) {
				in.Cost = func(_ string, r *platform.Rendering) []platform.Cost {
					return []platform.Cost{cents(15), cents(15), cents(15)}[:len(r.Parts)]
				}
			},
			want: []string{"over_budget p1@bsky: $0.80 of $1.00 are spent in December 2026; this costs about $0.30 [2026-12-31T23:00Z]"},
		},
		{
			name: "what may be out counts, and is only looked for", targets: []Target{target(costing(60))},
			records: ledger.Memory{record(ledger.Unknown, func(r *ledger.Record) {
				r.Attempts[0].Charge = ledger.Charge{Month: "2026-12", USD: cents(60).Total()}
			})},
			want: []string{"look p1@bsky: $0.60 of $1.00 are spent in December 2026; this costs about $0.60"},
		},
		{
			name:    "what may be out, and nobody can be asked",
			targets: []Target{target(func(t *Target) { costing(60)(t); t.Caps = platform.CanPublish | platform.CanIdempotent })},
			records: ledger.Memory{record(ledger.Unknown, nil), spending(60, nil)},
			want:    []string{"over_budget p1@bsky: it may be out, and is not repeated: $0.60 of $1.00 are spent in December 2026; this costs about $0.60 [2026-12-31T23:00Z]"},
		},
		{
			name: "edits and removals are not kept waiting", records: ledger.Memory{record(ledger.Published, nil), spending(100, nil)},
			targets: []Target{target(func(t *Target) { costing(40)(t); t.Source, t.Fingerprint = "source-2", "fp-2" })}, want: []string{"update p1@bsky"},
		},
		{
			name: "nobody knows what was spent", targets: []Target{target(costing(1))}, input: func(in *Input) { in.Ledger = lost{} },
			want: []string{"over_budget p1@bsky: what was spent in December 2026 cannot be read, and there is a monthly cap: `postrider doctor --ledger --repair` mends that [2026-12-31T23:00Z]"},
		},
		{
			name: "what waits for its time asks nobody", targets: []Target{target(func(t *Target) { costing(40)(t); t.Due = now.Add(time.Hour) })},
			input: func(in *Input) { in.Ledger = frugal{t: t} },
			want:  []string{"scheduled p1@bsky: due at Tue 1 Dec 2026 10:00 CET [2026-12-01T09:00Z]"},
		},
		{
			name: "without a cap nobody is asked", targets: []Target{target(costing(4000))},
			input: func(in *Input) {
				in.Rules.Cap = func(string) platform.USD { return 0 }
				in.Ledger = frugal{t: t}
			},
			want: []string{"publish p1@bsky"},
		},
		{
			name: "what cannot be paid for keeps nothing else waiting", records: ledger.Memory{spending(100, nil)},
			targets: []Target{target(costing(40)), target(func(t *Target) { t.Post, t.Path, t.Fingerprint = "p2", "content/p2.md", "fp-2" })},
			input:   func(in *Input) { in.Rules.MaxPerRun = 1 },
			want: []string{
				"publish p2@bsky", "over_budget p1@bsky: $1.00 of $1.00 are spent in December 2026; this costs about $0.40 [2026-12-31T23:00Z]",
			},
		},
		{
			name:    "a first run is stopped by all that is due",
			targets: []Target{target(costing(60)), target(func(t *Target) { t.Post, t.Path, t.Fingerprint = "p2", "content/p2.md", "fp-2"; costing(60)(t) })},
			input:   func(in *Input) { in.Rules.MaxPerRun = 1 },
			want: []string{
				"first_run p1@bsky: the first run found more than 1 posts due at once", "first_run p2@bsky: the first run found more than 1 posts due at once",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Now: now, Targets: tt.targets, Ledger: tt.records, Rules: rules()}
			in.Rules.Zone = berlin
			in.Rules.Cap = func(string) platform.USD { return cents(100).Total() }
			if tt.input != nil {
				tt.input(&in)
			}
			p, err := Make(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNextMonth: the plan changes by itself when the month ends.
func TestNextMonth(t *testing.T) {
	in := Input{Now: now, Ledger: ledger.Memory{spending(100, nil)}, Rules: rules()}
	in.Rules.Zone, in.Rules.Cap = berlin, func(string) platform.USD { return cents(100).Total() }
	in.Targets = []Target{target(func(t *Target) { t.Due, t.Costs = time.Time{}, []platform.Cost{cents(40)} })}
	p, err := Make(in)
	if err != nil {
		t.Fatal(err)
	}
	january := time.Date(2027, 1, 1, 0, 0, 0, 0, berlin)
	if !p.Next.Equal(january) {
		t.Errorf("it changes at %s, want %s", p.Next, january)
	}
	in.Now = p.Next
	if p, err = Make(in); err != nil || len(p.Actions) != 1 || p.Actions[0].Cost.Total() != cents(40).Total() {
		t.Errorf("in January: %v, %v", brief(p), err)
	}
}

func TestBills(t *testing.T) {
	costing := func(post string, due time.Time, n ...int) Target {
		return target(func(t *Target) {
			t.Post, t.Path, t.Fingerprint, t.Due = post, "content/"+post+".md", "fp-"+post, due
			for _, c := range n {
				t.Costs = append(t.Costs, cents(c))
			}
		})
	}
	p, err := Make(Input{Now: now, Ledger: ledger.Memory{}, Rules: rules(), Targets: []Target{
		costing("p1", now, 20, 30),
		costing("p2", now.Add(time.Hour), 5),
		costing("p3", time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC), 7), // in Berlin, that is January
		costing("p4", now),
		target(func(t *Target) { *t = costing("p5", now.Add(time.Hour), 100); t.Draft = true }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Bill{
		{Account: "bsky", Month: "2026-12", Now: cents(50).Total(), Coming: cents(5).Total()},
		{Account: "bsky", Month: "2027-01", Coming: cents(7).Total()},
	}
	if diff := cmp.Diff(want, Bills(p, berlin)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
