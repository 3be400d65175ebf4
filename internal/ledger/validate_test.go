package ledger

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
)

func TestValidateSound(t *testing.T) {
	begun := sample()
	begun.State, begun.PublishedAt, begun.Parts, begun.Attempts = Sending, time.Time{}, nil, nil
	begun.Begin(OpPublish, "r1", t0, begun.Fingerprint)
	begun.Lease = &Lease{Run: "r1", Until: t0.Add(10 * time.Minute)}
	editing := sample()
	editing.Begin(OpUpdate, "r2", t0.Add(time.Hour), "")
	editing.Lease = &Lease{Run: "r2", Until: t0.Add(2 * time.Hour)}
	skipped := sample()
	skipped.State, skipped.Op, skipped.PublishedAt, skipped.Attempts, skipped.Parts = Skipped, "", time.Time{}, nil, nil
	twice := Merge(sample(), func() *Record {
		r := sample()
		r.Attempts[0].Run, r.Parts[0].ID, r.Parts[0].URL = "r2", "at://x/2", ""
		return r
	}())
	dotted := sample()
	dotted.Post = "2026-12.launch_1"
	dotted.Key = dotted.ID().Key()
	for name, r := range map[string]*Record{"published": sample(), "begun": begun, "being edited": editing, "skipped": skipped, "merged": twice, "an id with a dot": dotted} {
		if problems := Validate(r); len(problems) > 0 {
			t.Errorf("%s: %q", name, problems)
		}
		if _, err := Decode(r.Encode()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestValidate spoils a record in every way. Decode refuses only what could make a run send something wrongly.
func TestValidate(t *testing.T) {
	open := func(r *Record) { r.State, r.PublishedAt = Unsent, time.Time{} }
	for _, tt := range []struct {
		want    string
		refused bool
		spoil   func(*Record)
	}{
		{"it does not say on which platform it is", false, func(r *Record) { r.Platform = "" }},
		{"it does not say which file it is of", false, func(r *Record) { r.Path = "" }},
		{`its operation "dance" is none`, false, func(r *Record) { r.Op = "dance" }},
		{`its key "k" is not 26 characters of a–z and 2–7`, false, func(r *Record) { r.Key = "k" }},
		{`its key "k" cannot be one`, true, func(r *Record) { open(r); r.Key = "k" }},
		{"it does not say when it was first intended", false, func(r *Record) { r.At = time.Time{} }},
		{"it does not say when it was first intended, of which ids on the network are made", true, func(r *Record) { open(r); r.At = time.Time{} }},
		{"its time due is absurd: 1815-12-10T00:00:00Z", false, func(r *Record) { r.Due = time.Date(1815, 12, 10, 0, 0, 0, 0, time.UTC) }},
		{"its time retry_at is absurd: 9999-01-01T00:00:00Z", false, func(r *Record) { r.RetryAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"it is published, and does not say when", false, func(r *Record) { r.PublishedAt = time.Time{} }},
		{"it was taken down, and does not say when", false, func(r *Record) { r.State = Withdrawn }},
		{"it is being sent, and by no run", false, func(r *Record) { open(r); r.State = Sending; r.Begin(OpPublish, "r", t0, "") }},
		{"it is being sent, and no attempt is under way", false, func(r *Record) { open(r); r.State, r.Lease = Sending, &Lease{Run: "r", Until: t0} }},
		{`it is unsent, and run "r" has a lease on it`, false, func(r *Record) { open(r); r.Lease = &Lease{Run: "r", Until: t0} }},
		{"its lease does not say whose it is", false, func(r *Record) { r.Lease = &Lease{Until: t0} }},
		{"its lease does not say until when", false, func(r *Record) { r.Lease = &Lease{Run: "r"} }},
		{"its lease is until 2027-12-01T08:00:00Z, more than a day after its attempt", false, func(r *Record) { r.Lease = &Lease{Run: "r", Until: t0.AddDate(1, 0, 0)} }},
		{"attempt 0 has a number below 1", false, func(r *Record) { r.Attempts[0].N = 0 }},
		{"attempt 1 comes after attempt 3", false, func(r *Record) {
			r.Attempts = append([]Attempt{{N: 3, Op: OpLook, Run: "r", Started: t0}}, r.Attempts...)
		}},
		{"attempt 1 does not say whose it was", false, func(r *Record) { r.Attempts[0].Run = "" }},
		{`the operation "" of attempt 1 is none`, false, func(r *Record) { r.Attempts[0].Op = "" }},
		{`the outcome "great" of attempt 1 is none`, false, func(r *Record) { r.Attempts[0].Outcome = "great" }},
		{"attempt 1 does not say when it began", false, func(r *Record) { r.Attempts[0].Started = time.Time{} }},
		{"attempt 1 has ended, and does not say when", false, func(r *Record) { r.Attempts[0].Ended = time.Time{} }},
		{"a time of attempt 1 is absurd: 2300-01-01T00:00:00Z", false, func(r *Record) { r.Attempts[0].Ended = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"part 0 has no id", false, func(r *Record) { r.Parts[0].ID = "" }},
		{"part 0 has no id, so that nothing can follow it", true, func(r *Record) { open(r); r.Parts[0].ID = "" }},
		{"it goes on after part 1, and part 0 is missing", true, func(r *Record) { open(r); r.Parts[0].Part = 1 }},
		{"it has a part with number -1", true, func(r *Record) { r.Parts[0].Part = -1 }},
		{"it has a part with number 1000000", true, func(r *Record) { r.Parts[0].Part = 1_000_000 }},
		{"part 0 comes after part 0", true, func(r *Record) { r.Parts = append(r.Parts, r.Parts...) }},
		{`post "a/b" or account "bluesky" cannot be one`, true, func(r *Record) { r.Post = "a/b" }},
		{`post "k3v9q2xh" or account "blue.sky" cannot be one`, true, func(r *Record) { r.Account = "blue.sky" }},
		{`post ".." or account "bluesky" cannot be one`, true, func(r *Record) { r.Post = ".." }},
		{"post or account is empty", true, func(r *Record) { r.Account = "" }},
		{`the occurrence "tomorrow" is not a time such as 20260801T080000Z`, true, func(r *Record) { r.Occurrence = "tomorrow" }},
		{"fingerprint, source or said is not a digest", true, func(r *Record) { r.Fingerprint = "../../etc" }},
		{"fingerprint, source or said is not a digest", true, func(r *Record) { r.Said = "a b" }},
		{"the rendering that it keeps is empty", true, func(r *Record) { open(r); r.Rendering = &platform.Rendering{} }},
		{"the rendering that it keeps is not the one of its fingerprint", false, func(r *Record) {
			open(r)
			r.Rendering = &platform.Rendering{Parts: []platform.Part{{Text: "other"}}}
		}},
	} {
		t.Run(tt.want, func(t *testing.T) {
			r := sample()
			tt.spoil(r)
			want := strings.Replace(tt.want, "20260801", "20261201", 1)
			if problems := Validate(r); !slices.Contains(problems, want) {
				t.Errorf("problems %q, want %q", problems, want)
			}
			if _, err := Decode(r.Encode()); (err != nil) != tt.refused || err != nil && !errors.Is(err, ErrFormat) {
				t.Errorf("Decode: %v, want it refused: %v", err, tt.refused)
			}
		})
	}
}

// TestTimesThatNoFileHolds are valid in their own zone and not in UTC, in which files are written.
func TestTimesThatNoFileHolds(t *testing.T) {
	for _, field := range []string{"due", "at", "retry_at"} {
		var fields map[string]any
		if err := json.Unmarshal(sample().Encode(), &fields); err != nil {
			t.Fatal(err)
		}
		fields[field] = "9999-12-31T23:59:59-12:00"
		b, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(b); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", field, err)
		}
	}
	if _, err := DecodeOpening([]byte(`{"format": 2, "began": "9999-12-31T23:59:59-12:00"}`)); !errors.Is(err, ErrFormat) {
		t.Errorf("the opening: %v, want ErrFormat", err)
	}
	if _, err := DecodeHolds([]byte(`{"holds": [{"scope": "all", "reason": "x", "at": "0000-01-01T00:00:00+12:00"}]}`)); !errors.Is(err, ErrFormat) {
		t.Errorf("the holds: %v, want ErrFormat", err)
	}
}

// TestKeyFollowsFromTheID gives a record back the key that somebody has taken out of it.
func TestKeyFollowsFromTheID(t *testing.T) {
	r := sample()
	r.State, r.Key = Unsent, ""
	back, err := Decode(r.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample().Key, back.Key); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeOpening(f *testing.F) {
	f.Add([]byte(`{"format": 2, "began": "2026-12-01T08:00:00+01:00", "commit": "c0ffee"}`))
	f.Add([]byte(`{"format": 3}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := DecodeOpening(b)
		if err != nil {
			return
		}
		if again, err := DecodeOpening(o.Encode()); err != nil || !again.Began.Equal(o.Began) || again.Commit != o.Commit {
			t.Fatalf("%+v became %+v: %v", o, again, err)
		}
	})
}

func FuzzDecodeHolds(f *testing.F) {
	f.Add(EncodeHolds([]Hold{{Scope: "all", Reason: "fire", By: "Ada", At: t0}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		holds, err := DecodeHolds(b)
		if err != nil {
			return
		}
		again, err := DecodeHolds(EncodeHolds(holds))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(EncodeHolds(holds)), string(EncodeHolds(again))); diff != "" {
			t.Fatal(diff)
		}
	})
}
