package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRepeatBetween(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	first := time.Date(2026, 10, 17, 9, 0, 0, 0, berlin)
	for _, tt := range []struct {
		name, rule, from, to string
		want                 []string
	}{
		{"by the wall clock, whatever the offset", "FREQ=WEEKLY", "2026-10-17T00:00:00Z", "2026-11-01T00:00:00Z",
			[]string{"2026-10-17T09:00:00+02:00", "2026-10-24T09:00:00+02:00", "2026-10-31T09:00:00+01:00"}},
		{"from is included, to is not", "FREQ=WEEKLY", "2026-10-17T07:00:00Z", "2026-10-24T07:00:00Z", []string{"2026-10-17T09:00:00+02:00"}},
		{"it ends", "FREQ=DAILY;COUNT=2", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", []string{"2026-10-17T09:00:00+02:00", "2026-10-18T09:00:00+02:00"}},
		{"none before the first", "FREQ=DAILY", "2026-01-01T00:00:00Z", "2026-10-17T07:00:00Z", nil},
		{"a day that there is not", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := ParseRepeat(tt.rule, first)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, at := range r.Between(moment(t, tt.from), moment(t, tt.to)) {
				got = append(got, at.Format(time.RFC3339))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestParseRepeatErrors(t *testing.T) {
	at := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	for rule, first := range map[string]time.Time{"FREQ=DAILY": {}, "FREQ=HOURLY": at, "often": at, "": at} {
		if _, err := ParseRepeat(rule, first); err == nil {
			t.Errorf("ParseRepeat(%q, %s) gives no error", rule, first)
		}
	}
}
