package cli

import (
	"slices"
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 12, 9, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		text string
		end  bool
		want string // in UTC; empty: refused
	}{
		{"2026-12-01", false, "2026-11-30T23:00:00Z"},
		{"2026-12-01", true, "2026-12-01T23:00:00Z"},
		{"2026-12-01 09:00", true, "2026-12-01T08:00:00Z"},
		{"2026-12-01T09:00", false, "2026-12-01T08:00:00Z"},
		{"2026-12-01T09:00:00+05:30", false, "2026-12-01T03:30:00Z"},
		{"2026-12-01T09:00Z", false, "2026-12-01T09:00:00Z"},
		{"7d", false, "2026-12-02T08:00:00Z"},
		{"90m", true, "2026-12-09T06:30:00Z"},
		{"12h", false, "2026-12-08T20:00:00Z"},
		{"2w", false, "2026-11-25T08:00:00Z"},
		{"", false, ""},
		{"d", false, ""},
		{"-7d", false, ""},
		{"7", false, ""},
		{"1.5h", false, ""},
		{"99999999999999999999w", false, ""},
		{"2026-13-01", false, ""},
		{"yesterday", false, ""},
		{"7\u0664d", false, ""},
	} {
		got, err := parseMoment(tt.text, now, zone, tt.end)
		if tt.want == "" {
			if err == nil {
				t.Errorf("parseMoment(%q) = %v, want an error", tt.text, got)
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339) != tt.want {
			t.Errorf("parseMoment(%q, %v) = %v, %v, want %s", tt.text, tt.end, got.UTC(), err, tt.want)
		}
	}
}

func FuzzParseMoment(f *testing.F) {
	for _, s := range []string{"2026-12-01", "65535w", "7d", "m", "2026-12-01T09:00:00+01:00"} {
		f.Add(s)
	}
	now := time.Date(2026, 12, 9, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseMoment(s, now, time.UTC, false)
		if err != nil && !got.IsZero() {
			t.Errorf("parseMoment(%q) = %v with the error %v", s, got, err)
		}
		later, err := parseMoment(s, now, time.UTC, true)
		if err == nil && later.Before(got) {
			t.Errorf("the end of %q, %v, is before its beginning, %v", s, later, got)
		}
	})
}

func TestFold(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"a bc  def", []string{"a bc", "def"}},
		{"https://acme.example/long x", []string{"https://acme.example/long", "x"}},
		{"äöü äöü", []string{"äöü", "äöü"}},
	} {
		if got := fold(tt.text, 5); !slices.Equal(got, tt.want) {
			t.Errorf("fold(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
