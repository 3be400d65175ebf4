package config

import (
	"testing"
	"time"
)

func TestQuietUntil(t *testing.T) {
	const layout = "2006-01-02T15:04:05Z07:00"
	for name, test := range map[string]struct {
		zone    string
		windows []string
		at      string
		want    string // empty: not quiet
	}{
		"before":                    {"UTC", []string{"22:00-07:00"}, "2026-12-01T21:59:59Z", ""},
		"first second":              {"UTC", []string{"22:00-07:00"}, "2026-12-01T22:00:00Z", "2026-12-02T07:00:00Z"},
		"after midnight":            {"UTC", []string{"22:00-07:00"}, "2026-12-02T06:59:59Z", "2026-12-02T07:00:00Z"},
		"the end is not quiet":      {"UTC", []string{"22:00-07:00"}, "2026-12-02T07:00:00Z", ""},
		"in another zone":           {"America/New_York", []string{"22:00-07:00"}, "2026-12-02T04:00:00Z", "2026-12-02T12:00:00Z"},
		"keeps the offset of t":     {"America/New_York", []string{"22:00-07:00"}, "2026-12-02T05:00:00+01:00", "2026-12-02T13:00:00+01:00"},
		"weekend":                   {"UTC", []string{"Sat-Sun 00:00-24:00"}, "2026-12-05T10:00:00Z", "2026-12-07T00:00:00Z"},
		"friday":                    {"UTC", []string{"Sat-Sun 00:00-24:00"}, "2026-12-04T23:59:59Z", ""},
		"windows that join":         {"UTC", []string{"22:00-07:00", "Sat-Sun 00:00-24:00"}, "2026-12-04T23:00:00Z", "2026-12-07T07:00:00Z"},
		"day is that of the start":  {"UTC", []string{"Fri 22:00-07:00"}, "2026-12-05T06:00:00Z", "2026-12-05T07:00:00Z"},
		"day after is another day":  {"UTC", []string{"Fri 22:00-07:00"}, "2026-12-06T06:00:00Z", ""},
		"no windows":                {"UTC", nil, "2026-12-06T06:00:00Z", ""},
		"from a skipped time":       {"Europe/Berlin", []string{"02:30-06:00"}, "2026-03-29T03:00:00+02:00", "2026-03-29T06:00:00+02:00"},
		"before a skipped time":     {"Europe/Berlin", []string{"02:30-06:00"}, "2026-03-29T01:59:59+01:00", ""},
		"until a skipped time":      {"Europe/Berlin", []string{"00:00-02:30"}, "2026-03-29T01:00:00+01:00", "2026-03-29T02:00:00+01:00"},
		"over the skip":             {"Europe/Berlin", []string{"22:00-07:00"}, "2026-03-28T23:00:00+01:00", "2026-03-29T06:00:00+01:00"},
		"over the turn back":        {"Europe/Berlin", []string{"22:00-07:00"}, "2026-10-24T23:00:00+02:00", "2026-10-25T08:00:00+02:00"},
		"until a time that repeats": {"Europe/Berlin", []string{"00:00-02:30"}, "2026-10-25T02:45:00+02:00", "2026-10-25T03:30:00+02:00"},
		"from a time that repeats":  {"Europe/Berlin", []string{"02:30-06:00"}, "2026-10-25T02:40:00+02:00", "2026-10-25T07:00:00+02:00"},
		"midnight is skipped":       {"America/Sao_Paulo", []string{"00:00-08:00"}, "2018-11-04T01:00:00-02:00", "2018-11-04T08:00:00-02:00"},
		"midnight repeats":          {"America/Havana", []string{"Sat 20:00-24:00"}, "2026-11-01T00:30:00-04:00", "2026-11-01T01:00:00-04:00"},
		"half-hour change":          {"Australia/Lord_Howe", []string{"01:45-06:00"}, "2026-04-05T01:50:00+11:00", "2026-04-05T06:30:00+11:00"},
		"a day that did not exist":  {"Pacific/Apia", []string{"22:00-07:00"}, "2011-12-29T23:00:00-10:00", ""},
	} {
		t.Run(name, func(t *testing.T) {
			loc, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			var s Schedule
			for _, text := range test.windows {
				w, err := ParseWindow(text)
				if err != nil {
					t.Fatal(err)
				}
				s.Quiet = append(s.Quiet, w)
			}
			at, err := time.Parse(layout, test.at)
			if err != nil {
				t.Fatal(err)
			}
			end, quiet := s.QuietUntil(at, loc)
			if name == "a day that did not exist" {
				// 30 December 2011 was left out in Samoa: the window ends all the same, and soon.
				if !quiet || end.Sub(at) > 12*time.Hour {
					t.Errorf("quiet %t until %s", quiet, end)
				}
				return
			}
			if quiet != (test.want != "") {
				t.Fatalf("quiet = %t until %s", quiet, end)
			}
			if quiet && end.Format(layout) != test.want {
				t.Errorf("until %s, want %s", end.Format(layout), test.want)
			}
		})
	}
}

// TestQuietUntilIsConsistent: the end of a window is not quiet, and every instant up to it is.
func TestQuietUntilIsConsistent(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		var s Schedule
		for _, text := range []string{"22:00-07:00", "Sat 00:00-24:00", "01:30-02:30", "Mon,Wed 12:15-13:45"} {
			w, err := ParseWindow(text)
			if err != nil {
				t.Fatal(err)
			}
			s.Quiet = append(s.Quiet, w)
		}
		for at := time.Date(2011, 12, 20, 0, 0, 0, 0, loc); at.Year() < 2013; at = at.Add(211 * time.Minute) {
			end, quiet := s.QuietUntil(at, loc)
			if _, still := s.QuietUntil(end, loc); quiet && still {
				t.Fatalf("%s: quiet until %s, which is quiet too", at, end)
			}
			if middle, ok := s.QuietUntil(at.Add(end.Sub(at)/2), loc); quiet && (!ok || !middle.Equal(end)) {
				t.Fatalf("%s: quiet until %s, but half-way until %s", at, end, middle)
			}
			if end.Sub(at) > 50*time.Hour {
				t.Fatalf("%s: quiet until %s", at, end)
			}
		}
	}
}

func TestSlotNext(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ slot, after, want string }{
		{"Mon-Fri 09:00", "2026-12-04T08:59:59+01:00", "2026-12-04T09:00:00+01:00"},
		{"Mon-Fri 09:00", "2026-12-04T09:00:00+01:00", "2026-12-07T09:00:00+01:00"},
		{"Fri 09:00", "2026-12-04T09:00:00+01:00", "2026-12-11T09:00:00+01:00"},
		{"02:30", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"9:00", "2026-03-28T12:00:00+01:00", "2026-03-29T09:00:00+02:00"},
	} {
		slot, err := ParseSlot("s", test.slot)
		if err != nil {
			t.Fatal(err)
		}
		after, err := time.Parse(time.RFC3339, test.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := slot.Next(after, loc).Format(time.RFC3339); got != test.want {
			t.Errorf("%s after %s: %s, want %s", test.slot, test.after, got, test.want)
		}
	}
}

func TestParseTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"6h": 6 * time.Hour, "2d": 48 * time.Hour, "1w": 168 * time.Hour, "1w2d3h4m5s": 219*time.Hour + 4*time.Minute + 5*time.Second, "90m": 90 * time.Minute, "0": 0, "1.5h": 90 * time.Minute,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "6", "-6h", "d", "1.5d", "2h1d", "99999d", "1d-2h", "9999999h", " 6h", "1y", "1d1d"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, got)
		}
	}
	for _, text := range []string{"", "22:00", "22:00-", "22:00-25:00", "24:00-01:00", "22:60-23:00", "10:00-10:00", "Foo 10:00-11:00", "Mon- 10:00-11:00", "10:0-11:00", "a b c", "-1:00-02:00", "10.00-11.00", "Mon,,Tue 10:00-11:00"} {
		if got, err := ParseWindow(text); err == nil {
			t.Errorf("ParseWindow(%q) = %+v, want an error", text, got)
		}
	}
	for _, text := range []string{"", "24:00", "Mon", "Mon-Fri 9", "mon fri 09:00"} {
		if got, err := ParseSlot("s", text); err == nil {
			t.Errorf("ParseSlot(%q) = %+v, want an error", text, got)
		}
	}
	if w, err := ParseWindow("fri-MONDAY 23:00-01:30"); err != nil || w.Days != 1<<time.Friday|1<<time.Saturday|1<<time.Sunday|1<<time.Monday || w.From != 23*60 || w.To != 90 {
		t.Errorf("ParseWindow = %+v, %v", w, err)
	}
}

func FuzzParseWindow(f *testing.F) {
	f.Add("22:00-07:00", "1d12h")
	f.Add("Sat-Sun,Wed 00:00-24:00", "1w")
	f.Fuzz(func(t *testing.T, window, duration string) {
		if d, err := ParseDuration(duration); err == nil && d < 0 {
			t.Errorf("ParseDuration(%q) = %v", duration, d)
		}
		w, err := ParseWindow(window)
		if err != nil {
			return
		}
		s := Schedule{Quiet: []Window{w}}
		at := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)
		for range 14 {
			if end, _ := s.QuietUntil(at, time.UTC); end.Before(at) || !coversWeek(s.Quiet) && end.Sub(at) > 7*24*time.Hour {
				t.Fatalf("%q: quiet from %s until %s", window, at, end)
			}
			at = at.Add(11*time.Hour + 7*time.Minute)
		}
	})
}
