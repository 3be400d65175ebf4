package plan

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// book is a ledger that knows since when it knows, and which stops are pulled.
type book struct {
	ledger.Memory
	opening ledger.Opening
	broken  error // of the opening
	holds   []ledger.Hold
	untimed string
}

func (b book) Untimed(post string) (bool, error) { return b.untimed == post, nil }

// Said answers for words whose marker is damaged, besides those that are remembered.
func (b book) Said(account, words string) (*ledger.Saying, error) {
	if words == "damaged" {
		return &ledger.Saying{}, nil
	}
	return b.Memory.Said(account, words)
}

func (b book) Opening() (ledger.Opening, error) { return b.opening, b.broken }
func (b book) Holds() ([]ledger.Hold, error)    { return b.holds, nil }

// TestSameWords holds that an account does not say the same again within thirty days, nor ever what a post said
// whose id was lost.
func TestSameWords(t *testing.T) {
	const day = 24 * time.Hour
	said := func(ago time.Duration) ledger.Memory {
		return ledger.Memory{record(ledger.Published, func(r *ledger.Record) {
			r.Post, r.Said, r.Fingerprint, r.PublishedAt = "before", "words", "fp-before", now.Add(-ago)
		})}
	}
	exactly := func(ago time.Duration) ledger.Memory {
		m := said(ago)
		m[0].Fingerprint = "fp-1"
		return m
	}
	untimed := func(t *Target) { t.Due = time.Time{} }
	gone, there := func(string) bool { return false }, func(string) bool { return true }
	const same = "duplicate p1@bsky: bsky said the same on %s, in post before"
	for _, tt := range []struct {
		name   string
		ledger ledger.Memory
		target func(*Target)
		exists func(string) bool
		want   string
	}{
		{"yesterday", said(day), nil, there, fmt.Sprintf(same, "Mon 30 Nov 2026 09:00 CET")},
		{"29 days ago", said(29 * day), nil, there, fmt.Sprintf(same, "Mon 2 Nov 2026 09:00 CET")},
		{"30 days ago", said(30 * day), nil, there, "publish p1@bsky"},
		{"long ago, and without a time", said(90 * day), untimed, there, fmt.Sprintf(same, "Wed 2 Sep 2026 10:00 CEST")},
		{"long ago exactly this, by a post that is there", exactly(90 * day), nil, there, "publish p1@bsky"},
		{"long ago exactly this, by a post that is gone", exactly(90 * day), nil, gone, "duplicate p1@bsky: bsky was sent exactly this before, by post before, which is gone: it looks like that post under another id"},
		{"other words", said(day), func(t *Target) { t.Said = "others" }, there, "publish p1@bsky"},
		{"no words at all", said(day), func(t *Target) { t.Said = "" }, there, "publish p1@bsky"},
		{"another account", said(day), func(t *Target) { t.Account = "fedi" }, there, "publish p1@fedi"},
		{"the post itself, at its next occurrence", said(day), func(t *Target) { t.Post = "before"; t.Repeat = "FREQ=DAILY"; t.Due = now.Add(-day) }, there, "publish before@bsky 20261201T080000Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := target(func(t *Target) { t.Said = "words" })
			if tt.target != nil {
				tt.target(&target)
			}
			p, err := Make(Input{Now: now, Targets: []Target{target}, Rules: rules(), Ledger: tt.ledger, Exists: tt.exists})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, brief(p)[0]); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBeforeTheLedger holds that what may have gone out before the ledger began is looked for, or repeated where that
// is harmless, or waits for a person.
func TestBeforeTheLedger(t *testing.T) {
	other := ledger.Memory{record(ledger.Published, func(r *ledger.Record) { r.Post, r.Fingerprint = "other", "fp-other" })}
	finder, bare := platform.CanPublish|platform.CanFind, platform.CanPublish
	opened := func(ago time.Duration) book {
		return book{Memory: other, opening: ledger.Opening{Format: ledger.Format, Began: now.Add(-ago), Commit: "c0"}}
	}
	broken := book{Memory: other, broken: fmt.Errorf("%w: cut", ledger.ErrFormat)}
	untimed := func(t *Target) { t.Due = time.Time{} }
	const unsure, sure = "publish p1@bsky unsure", "publish p1@bsky"
	const waits = "first_run p1@bsky: it is from before this ledger began, and bluesky cannot be asked whether it is out already"
	for _, tt := range []struct {
		name    string
		ledger  ledger.View
		caps    platform.Caps
		keyLife time.Duration
		target  func(*Target)
		older   bool
		backlog Backlog
		want    string
	}{
		{name: "due before, look-up", ledger: opened(-time.Hour), caps: finder, want: unsure},
		{name: "due before, key for ever", ledger: opened(-time.Hour), caps: bare | platform.CanIdempotent, want: sure},
		{name: "due before, key for an hour", ledger: opened(-time.Hour), caps: bare | platform.CanIdempotent, keyLife: time.Hour, want: waits},
		{name: "due before, no means", ledger: opened(-time.Hour), caps: bare, want: waits},
		{name: "due before, no means, and a person's word", ledger: opened(-time.Hour), caps: bare, backlog: BacklogPublish, want: sure},
		{name: "due after", ledger: opened(time.Hour), caps: bare, want: sure},
		{name: "due when it began", ledger: opened(0), caps: bare, want: sure},
		{name: "untimed, there when it began", ledger: opened(time.Hour), caps: bare, target: untimed, older: true, want: waits},
		{name: "untimed, new since", ledger: opened(time.Hour), caps: bare, target: untimed, want: sure},
		{name: "no ledger yet", ledger: ledger.Memory{}, caps: finder, target: untimed, want: unsure},
		{name: "no ledger yet, no means", ledger: ledger.Memory{}, caps: bare, target: untimed, want: waits},
		{name: "a ledger without an opening", ledger: other, caps: bare, want: sure},
		{name: "an opening that cannot be read", ledger: broken, caps: bare, target: func(t *Target) { t.Due = now.Add(-time.Second) }, want: waits},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := target(func(t *Target) { t.Caps, t.KeyLife = tt.caps, tt.keyLife })
			if tt.target != nil {
				tt.target(&target)
			}
			if b, ok := tt.ledger.(book); ok && tt.older {
				b.untimed = "p1"
				tt.ledger = b
			}
			p, err := Make(Input{Now: now, Targets: []Target{target}, Rules: rules(), Ledger: tt.ledger, Backlog: tt.backlog})
			if err != nil {
				t.Fatal(err)
			}
			got := brief(p)[0]
			if len(p.Actions) > 0 && p.Actions[0].Unsure {
				got += " unsure"
			}
			if got != tt.want {
				t.Errorf("plan = %q, want %q", got, tt.want)
			}
		})
	}
	if _, err := Make(Input{Now: now, Rules: rules(), Ledger: book{broken: &ledger.NewerFormatError{Format: 9}}}); err == nil {
		t.Error("a ledger of a newer format is planned with")
	} else if _, ok := errors.AsType[*ledger.NewerFormatError](err); !ok {
		t.Errorf("the error is %v", err)
	}
}

// TestDamagedMarkerOfWords holds that words of which nobody knows any more when they were said wait for a person.
func TestDamagedMarkerOfWords(t *testing.T) {
	b := book{opening: ledger.Opening{Format: ledger.Format, Began: now.Add(-time.Hour)}}
	p, err := Make(Input{Now: now, Targets: []Target{target(func(t *Target) { t.Said = "damaged" })}, Rules: rules(), Ledger: b})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"duplicate p1@bsky: bsky said the same before; the ledger's file that tells when, and in which post, is damaged"}
	if diff := cmp.Diff(want, brief(p)); diff != "" {
		t.Error(diff)
	}
}

// TestHoldsOfTheLedger holds that a stop that was pulled without a merge stops what it covers, and nothing else.
func TestHoldsOfTheLedger(t *testing.T) {
	for scope, held := range map[string]bool{"all": true, "bsky": true, "bluesky": true, "launch": true, "fedi": false, "": false} {
		for _, rec := range []*ledger.Record{nil, record(ledger.Published, func(r *ledger.Record) { r.Source, r.Fingerprint = "source-0", "fp-0" })} {
			b := book{opening: ledger.Opening{Began: now.Add(-time.Hour)}, holds: []ledger.Hold{{Scope: scope, Reason: "fire", By: "Anna", At: now}}}
			if rec != nil {
				b.Memory = ledger.Memory{rec}
			}
			p, err := Make(Input{Now: now, Targets: []Target{target(func(t *Target) { t.Campaign = "launch" })}, Rules: rules(), Ledger: b})
			if err != nil {
				t.Fatal(err)
			}
			if (len(p.Actions) == 0) != held {
				t.Errorf("scope %q, record %v: %q", scope, rec != nil, brief(p))
			}
		}
	}
}
