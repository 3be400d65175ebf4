package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of what is believed.
const (
	maxParts = 1000           // of a thread
	maxLease = 24 * time.Hour // after the attempt that it is for
)

// ops are all operations.
func ops() []Op { return []Op{OpPublish, OpUpdate, OpWithdraw, OpLook} }

// outcomes are how an attempt can end; empty while it runs.
func outcomes() []string {
	return []string{"published", "updated", "withdrawn", "unsent", "limited", "denied", "rejected", "unknown"}
}

// Validate returns everything that is wrong with a record, each as a clause such as "attempt 2 comes after attempt 3"; none
// for a sound one. It finds more than [Decode] refuses: Decode is strict only about what could make a run send
// something wrongly. docs/LEDGER.md describes the fields, docs/ledger.schema.json their form.
func Validate(r *Record) []string {
	v := &validator{r: r}
	v.fields()
	v.times()
	v.lease()
	v.attempts()
	for _, p := range r.Parts {
		if p.ID == "" && r.State.Settled() { // refused in all other states
			v.add("part %d has no id", p.Part)
		}
	}
	if why := r.refusal(); why != "" && !slices.Contains(v.problems, why) {
		v.problems = append(v.problems, why)
	}
	return v.problems
}

type validator struct {
	r        *Record
	problems []string
}

func (v *validator) add(format string, args ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

func (v *validator) fields() {
	r := v.r
	if r.Version != 1 {
		v.add("it has version %d, and this program knows version 1", r.Version)
	}
	if r.Platform == "" {
		v.add("it does not say on which platform it is")
	}
	if r.Path == "" {
		v.add("it does not say which file it is of")
	}
	if !slices.Contains(States(), r.State) {
		v.add("its state %q is none", r.State)
	}
	if r.Op != "" && !slices.Contains(ops(), r.Op) { // a delivery that was skipped has none
		v.add("its operation %q is none", r.Op)
	}
	if !isKey(r.Key) {
		v.add("its key %q is not 26 characters of a–z and 2–7", r.Key)
	}
	if r.Rendering != nil && !r.State.Settled() && len(r.Rendering.Parts) > 0 && r.Rendering.Fingerprint() != r.Fingerprint {
		v.add("the rendering that it keeps is not the one of its fingerprint")
	}
}

func (v *validator) times() {
	r := v.r
	for _, t := range []struct {
		name string
		time time.Time
	}{{"at", r.At}, {"due", r.Due}, {"published_at", r.PublishedAt}, {"withdrawn_at", r.WithdrawnAt}, {"retry_at", r.RetryAt}} {
		if !t.time.IsZero() && !sensible(t.time) {
			v.add("its time %s is absurd: %s", t.name, t.time.Format(time.RFC3339))
		}
	}
	if r.At.IsZero() {
		v.add("it does not say when it was first intended")
	}
	if r.State == Published && r.PublishedAt.IsZero() {
		v.add("it is published, and does not say when")
	}
	if r.State == Withdrawn && r.WithdrawnAt.IsZero() {
		v.add("it was taken down, and does not say when")
	}
}

func (v *validator) lease() {
	r := v.r
	l := r.Lease
	switch {
	case l == nil && r.State == Sending:
		v.add("it is being sent, and by no run")
	case l == nil:
	case r.State != Sending && r.State != Published: // of a published one, it is for an edit
		v.add("it is %s, and run %q has a lease on it", r.State, l.Run)
	case l.Run == "":
		v.add("its lease does not say whose it is")
	case l.Until.IsZero():
		v.add("its lease does not say until when")
	case r.Last() != nil && l.Until.Sub(r.Last().Started) > maxLease:
		v.add("its lease is until %s, more than a day after its attempt", l.Until.Format(time.RFC3339))
	}
}

func (v *validator) attempts() {
	open := false
	for i, a := range v.r.Attempts {
		switch {
		case a.N < 1:
			v.add("attempt %d has a number below 1", a.N)
		case i > 0 && a.N < v.r.Attempts[i-1].N: // two publishers may have counted the same
			v.add("attempt %d comes after attempt %d", a.N, v.r.Attempts[i-1].N)
		}
		if a.Run == "" {
			v.add("attempt %d does not say whose it was", a.N)
		}
		if !slices.Contains(ops(), a.Op) {
			v.add("the operation %q of attempt %d is none", a.Op, a.N)
		}
		if a.Outcome != "" && !slices.Contains(outcomes(), a.Outcome) {
			v.add("the outcome %q of attempt %d is none", a.Outcome, a.N)
		}
		for _, t := range []time.Time{a.Started, a.Ended} {
			if !t.IsZero() && !sensible(t) {
				v.add("a time of attempt %d is absurd: %s", a.N, t.Format(time.RFC3339))
			}
		}
		if a.Started.IsZero() {
			v.add("attempt %d does not say when it began", a.N)
		}
		if a.Outcome != "" && a.Ended.IsZero() {
			v.add("attempt %d has ended, and does not say when", a.N)
		}
		open = open || a.Outcome == ""
	}
	if v.r.State == Sending && !open {
		v.add("it is being sent, and no attempt is under way")
	}
}

// refusal returns why a record must not be acted on, empty when it may be: its file could not be written again without
// harm to others, or what a publisher is told of it would make it send something wrongly.
func (r *Record) refusal() string {
	switch {
	case r.Post == "" || r.Account == "":
		return "post or account is empty"
	case !isName(r.Post, `/\@+`) || !isName(r.Account, `/\@+.`):
		return fmt.Sprintf("post %q or account %q cannot be one", r.Post, r.Account)
	case !isOccurrence(r.Occurrence):
		return fmt.Sprintf("the occurrence %q is not a time such as 20261201T080000Z", r.Occurrence)
	case !isDigest(r.Fingerprint) || !isDigest(r.Source) || !isDigest(r.Said):
		return "fingerprint, source or said is not a digest"
	case !r.writable():
		return "it holds a time that no file can hold"
	case slices.ContainsFunc(r.Attempts, func(a Attempt) bool { return !a.Charge.sound() }):
		return "it holds a charge that cannot be one"
	}
	for i, p := range r.Parts {
		switch {
		case p.Part < 0 || p.Part >= maxParts:
			return fmt.Sprintf("it has a part with number %d", p.Part)
		case i > 0 && p.Part <= r.Parts[i-1].Part:
			return fmt.Sprintf("part %d comes after part %d", p.Part, r.Parts[i-1].Part)
		}
	}
	if r.State.Settled() {
		return ""
	}
	// What follows is what an open delivery goes on from.
	for i, p := range r.Parts {
		switch {
		case p.Part != i:
			return fmt.Sprintf("it goes on after part %d, and part %d is missing", p.Part, i)
		case p.ID == "":
			return fmt.Sprintf("part %d has no id, so that nothing can follow it", p.Part)
		}
	}
	switch {
	case !sensible(r.At):
		return "it does not say when it was first intended, of which ids on the network are made"
	case r.Key != "" && !isKey(r.Key):
		return fmt.Sprintf("its key %q cannot be one", r.Key)
	case r.Rendering != nil && len(r.Rendering.Parts) == 0:
		return "the rendering that it keeps is empty"
	}
	return ""
}

// writable reports whether all times can be written: in UTC, a year has four digits.
func (r *Record) writable() bool {
	times := []time.Time{r.At, r.Due, r.PublishedAt, r.WithdrawnAt, r.RetryAt}
	for _, a := range r.Attempts {
		times = append(times, a.Started, a.Ended)
	}
	if r.Lease != nil {
		times = append(times, r.Lease.Until)
	}
	return !slices.ContainsFunc(times, func(t time.Time) bool { return !isWritable(t) })
}

func isWritable(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 0 && y <= 9999
}

// sensible reports whether a time can be one of a delivery.
func sensible(t time.Time) bool {
	y := t.UTC().Year()
	return y >= 2000 && y < 2200
}

// isName reports whether a post's id or an account's name can stand in a path of the ledger, and be read back from it.
func isName(s, without string) bool {
	return s[0] != '.' && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(without, c) })
}

func isOccurrence(s string) bool {
	if s == "" {
		return true
	}
	_, err := time.Parse("20060102T150405Z", s)
	return err == nil && len(s) == len("20060102T150405Z")
}

// isDigest reports whether a digest, which may be missing, can stand in a path.
func isDigest(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_'
	})
}

func isKey(s string) bool {
	return len(s) == 26 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
