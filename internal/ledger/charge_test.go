package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/platform"
)

// charged is a record with an attempt for each charge and outcome.
func charged(attempts ...Attempt) *Record {
	r := &Record{Version: 1, Post: "k3v9q2xh", Account: "x", Platform: "x", Path: "content/a.md", State: Unsent, Op: OpPublish, Fingerprint: "fp", At: t0}
	for i, a := range attempts {
		a.N, a.Op, a.Run, a.Started, a.Ended = i+1, OpPublish, "r", t0, t0
		r.Attempts = append(r.Attempts, a)
	}
	return r
}

func paid(m Month, usd platform.USD, outcome string) Attempt {
	return Attempt{Charge: Charge{Month: m, USD: usd}, Outcome: outcome}
}

func TestMonth(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC)
	if utc, here := MonthOf(at), MonthOf(at.In(berlin)); utc != "2026-12" || here != "2027-01" {
		t.Errorf("%s, %s", utc, here)
	}
	if got := Month("2026-12").Ends(berlin).UTC(); !got.Equal(time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("December ends at %s", got)
	}
	if got := Month("2026-12").String(); got != "December 2026" {
		t.Error(got)
	}
	asuncion, err := time.LoadLocation("America/Asuncion") // which has no midnight on 1 October 2023
	if err != nil {
		t.Fatal(err)
	}
	if got := Month("2023-09").Ends(asuncion); !got.Equal(time.Date(2023, 10, 1, 4, 0, 0, 0, time.UTC)) || MonthOf(got) != "2023-10" {
		t.Errorf("September ends at %s", got)
	}
	for _, m := range []Month{"", "2026-13", "2026-1", "../x", "2026-12/x", "12026-1"} {
		if m.valid() {
			t.Errorf("%q is a month", m)
		}
	}
}

func TestSettle(t *testing.T) {
	tests := []struct {
		name   string
		record *Record
		total  platform.USD
		want   map[Month]platform.USD
	}{
		{"nothing is out", charged(paid("2026-12", 200, "unknown")), 0, map[Month]platform.USD{"2026-12": 0}},
		{"all of it is out", charged(paid("2026-12", 200, "unknown")), 200, map[Month]platform.USD{"2026-12": 200}},
		{"half of a thread is out", charged(paid("2026-11", 400, "unknown"), paid("2026-12", 0, "denied")), 200, map[Month]platform.USD{"2026-11": 200, "2026-12": 0}},
		{"the earlier of two doubts counts", charged(paid("2026-11", 200, "unknown"), paid("2026-12", 200, "unknown")), 200, map[Month]platform.USD{"2026-11": 200, "2026-12": 0}},
		{"what is known stays", charged(paid("2026-11", 15, "denied"), paid("2026-12", 200, "unknown")), 15, map[Month]platform.USD{"2026-11": 15, "2026-12": 0}},
		{"free", charged(Attempt{Outcome: "unknown"}), 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.record.Begin(OpPublish, "r", t0, "fp")
			tt.record.Settle(tt.total)
			if diff := cmp.Diff(tt.want, tt.record.Charges()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestChargesOnce: an attempt that ended differently for two runs is paid once.
func TestChargesOnce(t *testing.T) {
	a, b := charged(paid("2026-12", 200, "published")), charged(paid("2026-12", 200, "unknown"))
	if diff := cmp.Diff(map[Month]platform.USD{"2026-12": 200}, Merge(a, b).Charges()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestChargesOutlastAttempts: a record forgets attempts, and no charge.
func TestChargesOutlastAttempts(t *testing.T) {
	r := charged(paid("2026-11", 15, "denied"))
	for range 3 * maxAttempts {
		r.Begin(OpPublish, "r", t0, "fp")
		r.Last().Charge = Charge{Month: "2026-12", USD: 10}
		r.End(t0, "denied", "")
	}
	if diff := cmp.Diff(map[Month]platform.USD{"2026-11": 15, "2026-12": 3 * maxAttempts * 10}, r.Charges()); diff != "" || len(r.Attempts) != maxAttempts {
		t.Errorf("%d attempts (-want +got):\n%s", len(r.Attempts), diff)
	}
}

// TestChargeInFile: a record of a network that charges nothing looks as it always did, and of one that charges it says so.
func TestChargeInFile(t *testing.T) {
	r := charged(Attempt{Outcome: "unsent"}, paid("2026-12", 215_000, "published"))
	r.Key = r.ID().Key()
	again, err := Decode(r.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Attempts, again.Attempts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if problems := Validate(again); len(problems) > 0 {
		t.Error(problems)
	}
	for _, bad := range []Charge{{Month: "2026-12", USD: -1}, {USD: 1}, {Month: "../../x", USD: 1}} {
		r.Attempts[1].Charge = bad
		if _, err := Decode(r.Encode()); !errors.Is(err, ErrFormat) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestSpent(t *testing.T) {
	s := Spent{}
	r := charged(paid("2026-12", 215_000, "published"))
	s.Note("2026-12", r)
	again := charged(paid("2026-12", 15_000, "published"))
	again.Occurrence = "20261201T080000Z"
	s.Note("2026-12", again)
	other := charged(paid("2026-12", 10, "published"))
	other.Account = "acme-x"
	s.Note("2026-12", other)
	if x, acme := s.By("x"), s.By("acme-x"); x != 230_000 || acme != 10 {
		t.Errorf("%d, %d", x, acme)
	}
	want := "k3v9q2xh+20261201T080000Z@x 15000\nk3v9q2xh@acme-x 10\nk3v9q2xh@x 215000\n"
	if diff := cmp.Diff(want, string(s.Encode())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range []*Record{r, again, other} {
		r.Attempts[0].Charge.USD = 0
		s.Note("2026-12", r)
	}
	if b := s.Encode(); b != nil {
		t.Errorf("%q", b)
	}
	if m, ok := IsSpentFile(SpentFile("2026-12")); !ok || m != "2026-12" {
		t.Error(m)
	}
	for _, name := range []string{"spent-", "spent-2026", "spent-2026-12.json", "README.md"} {
		if _, ok := IsSpentFile(name); ok {
			t.Error(name)
		}
	}
}

func FuzzDecodeSpent(f *testing.F) {
	for _, s := range []string{"", "k3v9q2xh@x 15000\n", "k3v9q2xh+20261201T080000Z@x 15000\nk3v9q2xh@x 1\n", "a@b 0\n", "a@b -1\n", "a@b 1", "a@b 1\na@b 1\n", "a@b  1\n", "a@b +1\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSpent(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%v is not ErrFormat", err)
			}
			return
		}
		again, err := DecodeSpent(s.Encode())
		if err != nil || !again.Equal(s) {
			t.Errorf("%v becomes %v: %v", s, again, err)
		}
	})
}
