package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

var (
	berlin = mustZone("Europe/Berlin")
	now    = time.Date(2026, 12, 1, 9, 0, 0, 0, berlin)
	full   = platform.CanPublish | platform.CanEdit | platform.CanDelete | platform.CanFind | platform.CanIdempotent
)

func mustZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// target is a post that is due now, for one account of a network that can do everything.
func target(change func(*Target)) Target {
	t := Target{
		Post: "p1", Path: "content/p1.md", Account: "bsky", Platform: "bluesky", Caps: full,
		Source: "source-1", Due: now, Fingerprint: "fp-1",
	}
	if change != nil {
		change(&t)
	}
	return t
}

// record is the record of that post in a state.
func record(s ledger.State, change func(*ledger.Record)) *ledger.Record {
	r := &ledger.Record{Post: "p1", Account: "bsky", Platform: "bluesky", State: s, Source: "source-1", Fingerprint: "fp-1", At: now.Add(-time.Minute), Due: now.Add(-time.Minute)}
	outcome := string(s)
	if s == ledger.Sending {
		outcome = ""
	}
	if s == ledger.Published {
		r.Parts = []ledger.Part{{Remote: platform.Remote{ID: "at://1"}}}
		r.PublishedAt = r.At
	}
	r.Attempts = []ledger.Attempt{{N: 1, Op: ledger.OpPublish, Run: "r1", Started: r.At, Outcome: outcome, Error: "its reason"}}
	if change != nil {
		change(r)
	}
	return r
}

func rules() Rules {
	return Rules{
		LateAfter: 6 * time.Hour, LateThen: post.LateHold, MaxPerRun: 20,
		Quiet: func(t time.Time) (time.Time, bool) { return time.Time{}, false },
		Held:  func(string, string) (string, bool) { return "", false },
	}
}

// brief writes a plan as lines: what is done, then what waits and why.
func brief(p *Plan) []string {
	var lines []string
	for _, a := range p.Actions {
		line := fmt.Sprintf("%s %s@%s", a.Verb, a.Post, a.Account)
		if a.Look != "" {
			line = fmt.Sprintf("look %s@%s: %s", a.Post, a.Account, a.Look)
		}
		if a.Occurrence != "" {
			line += " " + a.Occurrence
		}
		lines = append(lines, line)
	}
	for _, w := range p.Waiting {
		line := fmt.Sprintf("%s %s@%s: %s", w.State, w.Post, w.Account, w.Reason)
		if !w.Until.IsZero() {
			line += " [" + w.Until.UTC().Format("2006-01-02T15:04Z") + "]"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestMake(t *testing.T) {
	lease := func(d time.Duration) func(*ledger.Record) {
		return func(r *ledger.Record) { r.Lease = &ledger.Lease{Run: "r1", Until: now.Add(d), Owner: "me"} }
	}
	held := func(in *Input) { in.Rules.Held = func(string, string) (string, bool) { return "a crisis", true } }
	await := func(change func(*Target)) func(*Target) {
		return func(t *Target) {
			t.Await = "https://acme.example"
			if change != nil {
				change(t)
			}
		}
	}
	reached := func(err error) func(*Input) {
		return func(in *Input) { in.Reached = map[string]error{"https://acme.example": err} }
	}
	tests := []struct {
		name   string
		target func(*Target)
		record *ledger.Record
		input  func(*Input)
		want   []string
	}{
		{name: "due", want: []string{"publish p1@bsky"}},
		{name: "as soon as merged", target: func(t *Target) { t.Due = time.Time{} }, want: []string{"publish p1@bsky"}},
		{name: "draft", target: func(t *Target) { t.Draft = true }, want: []string{"draft p1@bsky: it is a draft"}},
		{
			name: "to come", target: func(t *Target) { t.Due = now.Add(time.Hour) },
			want: []string{"scheduled p1@bsky: due at Tue 1 Dec 2026 10:00 CET [2026-12-01T09:00Z]"},
		},
		{
			name: "to come but blocked", target: func(t *Target) { t.Due = now.Add(time.Hour); t.Blocked = "T201: too long" },
			want: []string{"blocked p1@bsky: due at Tue 1 Dec 2026 10:00 CET, but T201: too long"},
		},
		{name: "blocked", target: func(t *Target) { t.Blocked = "T201: too long" }, want: []string{"blocked p1@bsky: T201: too long"}},
		{
			name: "no publisher", target: func(t *Target) { t.Caps = 0; t.Platform = "x" },
			want: []string{"unsupported p1@bsky: this version can preview x but not publish there"},
		},
		{
			name:  "held",
			input: func(in *Input) { in.Rules.Held = func(string, string) (string, bool) { return "a crisis", true } },
			want:  []string{"held p1@bsky: held: a crisis"},
		},
		{
			name: "late", target: func(t *Target) { t.Due = now.Add(-7 * time.Hour) },
			want: []string{"late p1@bsky: it was due at Tue 1 Dec 2026 02:00 CET, 7 hours ago: too late to go out unasked"},
		},
		{name: "just not late", target: func(t *Target) { t.Due = now.Add(-6 * time.Hour) }, want: []string{"publish p1@bsky"}},
		{
			name: "late, skip", target: func(t *Target) { t.Due = now.Add(-72 * time.Hour); t.Late = post.LateSkip },
			want: []string{"skipped p1@bsky: it was due at Sat 28 Nov 2026 09:00 CET, 3 days ago: too late, and the policy is to skip"},
		},
		{name: "late, publish", target: func(t *Target) { t.Due = now.Add(-72 * time.Hour); t.Late = post.LatePublish }, want: []string{"publish p1@bsky"}},
		{
			name: "late, but a person said so", target: func(t *Target) { t.Due = now.Add(-72 * time.Hour) },
			record: record(ledger.Unsent, func(r *ledger.Record) { r.Allowed = "anna" }), want: []string{"publish p1@bsky"},
		},
		{
			name: "quiet hours",
			input: func(in *Input) {
				in.Rules.Quiet = func(t time.Time) (time.Time, bool) { return now.Add(time.Hour), true }
			},
			want: []string{"quiet p1@bsky: quiet hours until Tue 1 Dec 2026 10:00 CET [2026-12-01T09:00Z]"},
		},
		{
			name: "expired", target: func(t *Target) { t.ExpiresAt = now },
			want: []string{"expired p1@bsky: expired at Tue 1 Dec 2026 09:00 CET before it went out"},
		},
		{name: "withdrawn before", target: func(t *Target) { t.Withdraw = true }, want: []string{"withdrawn p1@bsky: withdrawn before it went out"}},

		{
			name: "waits for its link, which nobody has looked at", target: await(nil),
			want: []string{"embargo p1@bsky: waits until https://acme.example answers 200: every run of publish looks first"},
		},
		{
			name: "its link does not answer", target: await(nil), input: reached(errors.New("it answers 404")),
			want: []string{"embargo p1@bsky: waits until https://acme.example answers 200; it answers 404 (looked at Tue 1 Dec 2026 09:00 CET)"},
		},
		{
			name: "its link does not answer, and it has no time", target: await(func(t *Target) { t.Due = time.Time{} }), input: reached(errors.New("it answers 404")),
			want: []string{"embargo p1@bsky: waits until https://acme.example answers 200; it answers 404 (looked at Tue 1 Dec 2026 09:00 CET)"},
		},
		{name: "its link answers", target: await(nil), input: reached(nil), want: []string{"publish p1@bsky"}},
		{
			name: "its link answers early", target: await(func(t *Target) { t.Due = now.Add(time.Hour) }), input: reached(nil),
			want: []string{"scheduled p1@bsky: due at Tue 1 Dec 2026 10:00 CET, once https://acme.example answers 200 [2026-12-01T09:00Z]"},
		},
		{name: "its link answers after days", target: await(func(t *Target) { t.Due = now.AddDate(0, 0, -7) }), input: reached(nil), want: []string{"publish p1@bsky"}},
		{
			name: "its link did not answer for more than a week", target: await(func(t *Target) { t.Due = now.AddDate(0, 0, -7).Add(-time.Second) }), input: reached(nil),
			want: []string{"late p1@bsky: it was due at Tue 24 Nov 2026 08:59 CET, 7 days ago: too late to go out unasked"},
		},
		{
			name: "a person sends it although its link did not answer for weeks", target: await(func(t *Target) { t.Due = now.AddDate(0, 0, -20) }), input: reached(errors.New("it answers 404")),
			record: record(ledger.Unsent, func(r *ledger.Record) { r.Allowed = "anna" }),
			want:   []string{"embargo p1@bsky: waits until https://acme.example answers 200; it answers 404 (looked at Tue 1 Dec 2026 09:00 CET)"},
		},
		{name: "the mistake is named before the link", target: await(func(t *Target) { t.Blocked = "T201: too long" }), want: []string{"blocked p1@bsky: T201: too long"}},
		{name: "the hold is named before the link", target: await(nil), input: held, want: []string{"held p1@bsky: held: a crisis"}},
		{
			name: "not out after a failure, and its link is gone again", target: await(nil), input: reached(errors.New("it answers 404")),
			record: record(ledger.Unsent, nil),
			want:   []string{"embargo p1@bsky: waits until https://acme.example answers 200; it answers 404 (looked at Tue 1 Dec 2026 09:00 CET)"},
		},
		{
			name: "half a thread is out, and its link is gone again", target: await(nil), input: reached(errors.New("it answers 404")),
			record: record(ledger.Unsent, func(r *ledger.Record) { r.Parts = []ledger.Part{{Remote: platform.Remote{ID: "at://1"}}} }),
			want:   []string{"resume p1@bsky"},
		},
		{name: "it may be out, and its link is gone again", target: await(nil), record: record(ledger.Unknown, nil), input: reached(errors.New("it answers 404")), want: []string{"reconcile p1@bsky"}},
		{
			name: "out, changed, and its link is gone", target: await(func(t *Target) { t.Source, t.Fingerprint = "source-2", "fp-2" }),
			record: record(ledger.Published, nil), input: reached(errors.New("it answers 404")), want: []string{"update p1@bsky"},
		},
		{
			name: "out, to be withdrawn, and its link is gone", target: await(func(t *Target) { t.Withdraw = true }),
			record: record(ledger.Published, nil), input: reached(errors.New("it answers 404")), want: []string{"withdraw p1@bsky"},
		},
		{name: "a backlog to be skipped", target: await(nil), input: func(in *Input) { in.Backlog = BacklogSkip }, want: []string{"skip p1@bsky"}},

		{name: "out", record: record(ledger.Published, nil)},
		{name: "out, file changed, text not", target: func(t *Target) { t.Source = "source-2" }, record: record(ledger.Published, nil)},
		{
			name: "out, changed", target: func(t *Target) { t.Source, t.Fingerprint = "source-2", "fp-2" },
			record: record(ledger.Published, nil), want: []string{"update p1@bsky"},
		},
		{
			name: "out, changed, rendering changed but not the file", target: func(t *Target) { t.Fingerprint = "fp-2" },
			record: record(ledger.Published, nil),
		},
		{
			name: "out, changed, cannot edit", target: func(t *Target) { t.Source, t.Fingerprint, t.Caps = "source-2", "fp-2", platform.CanPublish },
			record: record(ledger.Published, nil), want: []string{"changed p1@bsky: it has changed since it went out, and bluesky cannot edit"},
		},
		{
			name: "out, changed, update refused", target: func(t *Target) { t.Source, t.Fingerprint = "source-2", "fp-2" },
			record: record(ledger.Published, func(r *ledger.Record) {
				r.Attempts = append(r.Attempts, ledger.Attempt{N: 2, Op: ledger.OpUpdate, Fingerprint: "fp-2", Outcome: "rejected", Error: "too long"})
			}),
			want: []string{"rejected p1@bsky: its update was refused: too long"},
		},
		{
			name: "out, changed, another run is at it", target: func(t *Target) { t.Source, t.Fingerprint = "source-2", "fp-2" },
			record: record(ledger.Published, lease(time.Minute)),
			want:   []string{"sending p1@bsky: run r1 is changing it, until Tue 1 Dec 2026 09:01 CET at the latest [2026-12-01T08:01Z]"},
		},
		{
			name: "adopted without its address, changed", target: func(t *Target) { t.Source, t.Fingerprint = "source-2", "fp-2" },
			record: record(ledger.Published, func(r *ledger.Record) { r.Parts = nil }),
			want:   []string{"changed p1@bsky: it has changed since it went out, and where on bluesky it is the ledger does not know"},
		},
		{
			name: "adopted without its address, to be withdrawn", target: func(t *Target) { t.Withdraw = true },
			record: record(ledger.Published, func(r *ledger.Record) { r.Parts = nil }),
			want:   []string{"cannot_withdraw p1@bsky: the ledger does not know where on bluesky it is: say so with `postrider resolve p1 bsky --published URL`"},
		},
		{name: "out, to be withdrawn", target: func(t *Target) { t.Withdraw = true }, record: record(ledger.Published, nil), want: []string{"withdraw p1@bsky"}},
		{name: "out, expired", target: func(t *Target) { t.ExpiresAt = now }, record: record(ledger.Published, nil), want: []string{"withdraw p1@bsky"}},
		{name: "out, expires later", target: func(t *Target) { t.ExpiresAt = now.Add(time.Hour) }, record: record(ledger.Published, nil)},
		{name: "withdrawn", target: func(t *Target) { t.Withdraw = true }, record: record(ledger.Withdrawn, nil)},
		{name: "skipped", record: record(ledger.Skipped, nil)},

		{
			name: "being sent", record: record(ledger.Sending, lease(time.Minute)),
			want: []string{"sending p1@bsky: run r1 is sending it, until Tue 1 Dec 2026 09:01 CET at the latest [2026-12-01T08:01Z]"},
		},
		{name: "was being sent", record: record(ledger.Sending, lease(0)), want: []string{"reconcile p1@bsky"}},
		{
			name: "its sender is dead", record: record(ledger.Sending, lease(time.Minute)),
			input: func(in *Input) { in.OwnerDead = func(owner string) bool { return owner == "me" } },
			want:  []string{"reconcile p1@bsky"},
		},
		{name: "unknown", record: record(ledger.Unknown, nil), want: []string{"reconcile p1@bsky"}},
		{
			name: "unknown, to be asked later", record: record(ledger.Unknown, func(r *ledger.Record) { r.RetryAt = now.Add(time.Minute) }),
			want: []string{"unknown p1@bsky: looked for again at Tue 1 Dec 2026 09:01 CET: its reason [2026-12-01T08:01Z]"},
		},
		{
			name: "unknown for ever", target: func(t *Target) { t.Caps = platform.CanPublish }, record: record(ledger.Unknown, nil),
			want: []string{"unknown p1@bsky: it may be out, and bluesky offers no way to find out: its reason"},
		},
		{
			name: "unknown, key still good", target: func(t *Target) { t.Caps, t.KeyLife = platform.CanPublish|platform.CanIdempotent, time.Hour },
			record: record(ledger.Unknown, nil), want: []string{"reconcile p1@bsky"},
		},
		{
			name: "unknown, key gone", target: func(t *Target) { t.Caps, t.KeyLife = platform.CanPublish|platform.CanIdempotent, time.Minute },
			record: record(ledger.Unknown, nil),
			want:   []string{"unknown p1@bsky: it may be out, and bluesky offers no way to find out: its reason"},
		},
		{
			name: "unknown, record damaged", record: record(ledger.Unknown, func(r *ledger.Record) { r.Damaged = "unknown/p1@bsky.json" }),
			want: []string{"unknown p1@bsky: its reason"},
		},
		{name: "unsent", record: record(ledger.Unsent, nil), want: []string{"publish p1@bsky"}},
		{
			name: "unsent, half a thread, late by now", target: func(t *Target) { t.Due = now.Add(-48 * time.Hour) },
			record: record(ledger.Unsent, func(r *ledger.Record) { r.Parts = []ledger.Part{{Remote: platform.Remote{ID: "1"}}} }),
			want:   []string{"resume p1@bsky"},
		},
		{
			name: "unsent, backing off", record: record(ledger.Unsent, func(r *ledger.Record) { r.RetryAt = now.Add(time.Minute) }),
			want: []string{"unsent p1@bsky: tried again at Tue 1 Dec 2026 09:01 CET: its reason [2026-12-01T08:01Z]"},
		},
		{
			name: "unsent, draft by now", target: func(t *Target) { t.Draft = true }, record: record(ledger.Unsent, nil),
			want: []string{"draft p1@bsky: it is a draft"},
		},
		{name: "denied", record: record(ledger.Denied, nil), want: []string{"publish p1@bsky"}},
		{name: "rejected", record: record(ledger.Rejected, nil), want: []string{"rejected p1@bsky: refused by the network: its reason"}},
		{
			name: "rejected, changed since", target: func(t *Target) { t.Source, t.Fingerprint = "source-2", "fp-2" },
			record: record(ledger.Rejected, nil), want: []string{"publish p1@bsky"},
		},
		{
			name:   "sent before under another id",
			target: func(t *Target) { t.Said = "words-1" },
			record: record(ledger.Published, func(r *ledger.Record) {
				r.Post, r.Said, r.PublishedAt = "old", "words-1", now.AddDate(0, -2, 0)
			}),
			want: []string{"duplicate p1@bsky: bsky was sent exactly this before, by post old, which is gone: it looks like that post under another id"},
		},
		{
			name:   "its post is gone",
			record: record(ledger.Unknown, func(r *ledger.Record) { r.Post, r.Path, r.Fingerprint = "gone", "content/gone.md", "fp-gone" }),
			want: []string{
				"publish p1@bsky",
				"orphan gone@bsky: its delivery is unknown, but the post no longer names the account or is gone from the branch",
			},
		},
		{
			name:   "may have been sent under another id",
			record: record(ledger.Sending, func(r *ledger.Record) { r.Post = "gone"; r.Path = "content/gone.md" }),
			want: []string{
				"orphan gone@bsky: its delivery is sending, but the post no longer names the account or is gone from the branch",
				"duplicate p1@bsky: bsky may have been sent the same by post gone, whose delivery is sending",
			},
		},
		{name: "unknown, held by now", record: record(ledger.Unknown, nil), input: held, want: []string{"look p1@bsky: held: a crisis"}},
		{
			name: "unknown, held by now, no look-up", record: record(ledger.Unknown, nil), input: held,
			target: func(t *Target) { t.Caps = platform.CanPublish | platform.CanIdempotent },
			want:   []string{"held p1@bsky: it may be out, and is not repeated: held: a crisis"},
		},
		{
			name: "unknown, a draft by now", record: record(ledger.Unknown, nil), target: func(t *Target) { t.Draft = true },
			want: []string{"look p1@bsky: it is a draft"},
		},
		{
			name: "unknown, withdrawn by now", record: record(ledger.Sending, nil), target: func(t *Target) { t.Withdraw = true },
			want: []string{"look p1@bsky: withdrawn before it went out"},
		},
		{
			name: "refused for now, as a clock that is a day fast has it",
			record: record(ledger.Limited, func(r *ledger.Record) {
				r.RetryAt, r.Attempts[0].Ended = now.Add(25*time.Hour), now.Add(24*time.Hour)
			}),
			want: []string{"publish p1@bsky"},
		},
		{
			name: "half of it is out, and it is to be taken down", target: func(t *Target) { t.Withdraw = true },
			record: record(ledger.Unsent, func(r *ledger.Record) { r.Parts = []ledger.Part{{}} }), want: []string{"withdraw p1@bsky"},
		},
		{
			name: "half of it is being taken down", target: func(t *Target) { t.Withdraw = true },
			record: record(ledger.Unsent, func(r *ledger.Record) { r.Parts = []ledger.Part{{}}; lease(time.Minute)(r) }),
			want:   []string{"sending p1@bsky: run r1 is changing it, until Tue 1 Dec 2026 09:01 CET at the latest [2026-12-01T08:01Z]"},
		},
		{
			name: "half of it was to be taken down, and is to stay",
			record: record(ledger.Unsent, func(r *ledger.Record) {
				r.Parts = []ledger.Part{{}}
				r.Attempts = append(r.Attempts, ledger.Attempt{N: 2, Op: ledger.OpWithdraw})
			}),
			want: []string{"unknown p1@bsky: taking down what was out of it was begun and did not end well, and now it is to stay: look what is still there"},
		},
		{
			name: "it may be out, is to be taken down, and nobody can be asked", record: record(ledger.Unknown, nil),
			target: func(t *Target) { t.Withdraw, t.Caps = true, platform.CanPublish|platform.CanIdempotent },
			want:   []string{"unknown p1@bsky: it may be out, and is not repeated: withdrawn before it went out"},
		},
		{
			name: "unknown, blocked by now", record: record(ledger.Unknown, nil),
			target: func(t *Target) { t.Blocked, t.Fingerprint = "F101: broken", "" },
			want:   []string{"look p1@bsky: F101: broken"},
		},
		{
			name: "unknown, late by now", record: record(ledger.Unknown, nil), target: func(t *Target) { t.Due = now.Add(-30 * time.Hour) },
			want: []string{"look p1@bsky: it was due at Mon 30 Nov 2026 03:00 CET, 30 hours ago: too late to go out unasked"},
		},
		{
			name:   "failed in time, and another post has said it meanwhile",
			target: func(t *Target) { t.Said = "words-1" },
			record: record(ledger.Unsent, nil),
			input: func(in *Input) {
				in.Ledger = append(in.Ledger.(ledger.Memory), record(ledger.Published, func(r *ledger.Record) { r.Post, r.Said = "other", "words-1" }))
			},
			want: []string{"duplicate p1@bsky: bsky said the same on Tue 1 Dec 2026 08:59 CET, in post other"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := Input{Now: now, Targets: []Target{target(tt.target)}, Rules: rules(), Ledger: ledger.Memory{}}
			if tt.record != nil {
				in.Ledger = ledger.Memory{tt.record}
			}
			if tt.input != nil {
				tt.input(&in)
			}
			p, err := Make(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(p)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
			if len(tt.want) == 0 && p.Settled != 1 {
				t.Errorf("settled = %d, want 1", p.Settled)
			}
		})
	}
}

func TestGuards(t *testing.T) {
	many := func(n int) []Target {
		var list []Target
		for i := range n {
			for _, account := range []string{"bsky", "fedi"} {
				list = append(list, target(func(t *Target) {
					t.Post, t.Path, t.Account = fmt.Sprintf("p%02d", i), fmt.Sprintf("content/p%02d.md", i), account
					t.Fingerprint = fmt.Sprintf("fp-%d-%s", i, account)
					t.Due = now.Add(-time.Duration(i) * time.Minute)
				}))
			}
		}
		return list
	}
	count := func(p *Plan) string {
		n := map[string]int{}
		for _, a := range p.Actions {
			n[string(a.Verb)]++
		}
		for _, w := range p.Waiting {
			n["wait "+string(w.State)]++
		}
		return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(n), "map["), "]")
	}
	other := record(ledger.Published, func(r *ledger.Record) { r.Post, r.Fingerprint = "before", "fp-before" })
	for _, tt := range []struct {
		name    string
		posts   int
		ledger  ledger.Memory
		backlog Backlog
		want    string
	}{
		{"a first run with as many as allowed", 20, nil, BacklogStop, "publish:40"},
		{"a first run with more stops", 21, nil, BacklogStop, "wait first_run:42"},
		{"a first run told to publish the backlog", 21, nil, BacklogPublish, "publish:40 wait over_limit:2"},
		{"a first run told to skip the backlog", 21, nil, BacklogSkip, "skip:42"},
		{"a later run with more", 23, ledger.Memory{other}, BacklogStop, "publish:40 wait over_limit:6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Make(Input{Now: now, Targets: many(tt.posts), Rules: rules(), Ledger: tt.ledger, Backlog: tt.backlog})
			if err != nil {
				t.Fatal(err)
			}
			if got := count(p); got != tt.want {
				t.Errorf("plan = %s, want %s", got, tt.want)
			}
		})
	}

	t.Run("the oldest go first", func(t *testing.T) {
		p, err := Make(Input{Now: now, Targets: many(21), Rules: rules(), Ledger: ledger.Memory{other}})
		if err != nil {
			t.Fatal(err)
		}
		if p.Actions[0].Post != "p20" || p.Waiting[0].Post != "p00" {
			t.Errorf("first = %s, left over = %s; want p20 and p00", p.Actions[0].Post, p.Waiting[0].Post)
		}
	})

	t.Run("two posts with one text", func(t *testing.T) {
		twin := target(func(t *Target) { t.Post, t.Path = "p2", "content/p2.md" })
		p, err := Make(Input{Now: now, Targets: []Target{target(nil), twin}, Rules: rules(), Ledger: ledger.Memory{}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"publish p1@bsky", "duplicate p2@bsky: post p1 has bsky say the same in the same run"}
		if diff := cmp.Diff(want, brief(p)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRepeat(t *testing.T) {
	// Every Tuesday at 09:00 in Berlin, begun six weeks ago: across the end of summer time nothing moves.
	weekly := target(func(t *Target) {
		t.Due, t.Repeat = time.Date(2026, 10, 20, 9, 0, 0, 0, berlin), "FREQ=WEEKLY;COUNT=8"
	})
	tests := []struct {
		name string
		now  time.Time
		have ledger.Memory
		want []string
	}{
		{
			"only the latest goes out, however many were missed", now, nil,
			[]string{
				"publish p1@bsky 20261201T080000Z",
				"scheduled p1@bsky: next at Tue 8 Dec 2026 09:00 CET [2026-12-08T08:00Z]",
			},
		},
		{
			"an occurrence that is out", now,
			ledger.Memory{record(ledger.Published, func(r *ledger.Record) { r.Occurrence = "20261201T080000Z" })},
			[]string{"scheduled p1@bsky: next at Tue 8 Dec 2026 09:00 CET [2026-12-08T08:00Z]"},
		},
		{
			"after the last", now.AddDate(0, 1, 0),
			ledger.Memory{record(ledger.Published, func(r *ledger.Record) { r.Occurrence = "20261208T080000Z" })}, nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Make(Input{Now: tt.now, Targets: []Target{weekly}, Rules: rules(), Ledger: tt.have})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for rule, want := range map[string]string{
		"FREQ=HOURLY": "more often than daily", "nonsense": "cannot be read",
	} {
		p, err := Make(Input{Now: now, Targets: []Target{target(func(t *Target) { t.Repeat = rule })}, Rules: rules(), Ledger: ledger.Memory{}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(brief(p), "\n"); !strings.HasPrefix(got, "blocked") || !strings.Contains(got, want) {
			t.Errorf("repeat %q: %s, want blocked, %s", rule, got, want)
		}
	}
}

// TestNext proves that nothing changes before the time that a plan names: planning a moment earlier
// gives the same actions, planning at that time does not.
func TestNext(t *testing.T) {
	for name, in := range map[string]Input{
		"scheduled": {Targets: []Target{target(func(t *Target) { t.Due = now.Add(3 * time.Hour) })}, Ledger: ledger.Memory{}},
		"expires":   {Targets: []Target{target(func(t *Target) { t.ExpiresAt = now.Add(2 * time.Hour) })}, Ledger: ledger.Memory{record(ledger.Published, nil)}},
		"backs off": {Targets: []Target{target(nil)}, Ledger: ledger.Memory{record(ledger.Unsent, func(r *ledger.Record) { r.RetryAt = now.Add(time.Minute) })}},
	} {
		t.Run(name, func(t *testing.T) {
			in.Now, in.Rules = now, rules()
			p, err := Make(in)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Actions) > 0 || p.Next.IsZero() {
				t.Fatalf("actions = %d, next = %s; want none, and a time", len(p.Actions), p.Next)
			}
			for at, want := range map[time.Time]int{p.Next.Add(-time.Second): 0, p.Next: 1} {
				in.Now = at
				again, err := Make(in)
				if err != nil {
					t.Fatal(err)
				}
				if len(again.Actions) != want {
					t.Errorf("at %s: %d actions, want %d", at, len(again.Actions), want)
				}
			}
		})
	}
}

// TestEmbargoEnds: a plan that waits for a link holds until the post expires or is late, if nobody sees the link answer.
func TestEmbargoEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Target)
		want   time.Time
	}{
		{"late", nil, now.AddDate(0, 0, 7).Add(1)},
		{"expired", func(t *Target) { t.ExpiresAt = now.AddDate(0, 0, 1) }, now.AddDate(0, 0, 1)},
		{"never", func(t *Target) { t.Due = time.Time{} }, time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := target(tt.change)
			x.Await = "https://acme.example"
			p, err := Make(Input{Now: now, Targets: []Target{x}, Ledger: ledger.Memory{}, Rules: rules()})
			if err != nil || len(p.Waiting) != 1 || !p.Next.Equal(tt.want) {
				t.Errorf("%+v, %v, want it to hold until %s", p, err, tt.want)
			}
		})
	}
}
