package config

import (
	"fmt"
	"strings"
	"time"
)

// Days is a set of days of the week.
type Days uint8

// EveryDay is all days of the week.
const EveryDay Days = 1<<7 - 1

// Has reports whether a day is in the set.
func (d Days) Has(w time.Weekday) bool { return d&(1<<w) != 0 }

// Window is a stretch of the week at which nothing goes out.
type Window struct {
	Days Days   // on which it starts
	From int    // minutes after midnight on the wall clock
	To   int    // minutes after midnight, up to 24*60; when not after From, on the next day
	Text string // as written
}

// Slot is a named time for posts.
type Slot struct {
	Name string
	Days Days
	At   int    // minutes after midnight on the wall clock
	Text string // as written
}

const dayMinutes = 24 * 60

// ParseWindow reads a window such as "22:00-07:00", "Sat-Sun 00:00-24:00" or "Mon,Wed 12:00-13:30".
func ParseWindow(s string) (Window, error) {
	bad := func() (Window, error) {
		return Window{}, fmt.Errorf("%q is not a window of time", s)
	}
	days, clock, err := splitDays(s)
	if err != nil {
		return bad()
	}
	from, to, ok := strings.Cut(clock, "-")
	w := Window{Days: days, Text: s}
	if w.From, err = parseClock(from); !ok || err != nil || w.From == dayMinutes {
		return bad()
	}
	if w.To, err = parseClock(to); err != nil {
		return bad()
	}
	if w.From == w.To {
		return Window{}, fmt.Errorf("%q has no length; a whole day is 00:00-24:00", s)
	}
	return w, nil
}

// ParseSlot reads a slot such as "Mon-Fri 09:00".
func ParseSlot(name, s string) (Slot, error) {
	days, clock, err := splitDays(s)
	if err != nil {
		return Slot{}, fmt.Errorf("%q is not a time of the week", s)
	}
	at, err := parseClock(clock)
	if err != nil || at == dayMinutes {
		return Slot{}, fmt.Errorf("%q is not a time of the week", s)
	}
	return Slot{Name: name, Days: days, At: at, Text: s}, nil
}

// splitDays takes the optional days from the front of s.
func splitDays(s string) (Days, string, error) {
	fields := strings.Fields(s)
	switch len(fields) {
	case 1:
		return EveryDay, fields[0], nil
	case 2:
		days, err := parseDays(fields[0])
		return days, fields[1], err
	default:
		return 0, "", fmt.Errorf("%q is neither a time nor days and a time", s)
	}
}

// parseDays reads "Mon", "Mon-Fri", "Sat,Sun" and combinations; ranges may pass the end of the week.
func parseDays(s string) (days Days, err error) {
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, err := parseDay(first)
		if err != nil {
			return 0, err
		}
		to := from
		if isRange {
			if to, err = parseDay(last); err != nil {
				return 0, err
			}
		}
		for d := from; ; d = (d + 1) % 7 {
			days |= 1 << d
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func parseDay(s string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(s, d.String()) || strings.EqualFold(s, d.String()[:3]) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is not a day of the week", s)
}

// parseClock reads "9:00" up to "24:00" as minutes after midnight.
func parseClock(s string) (int, error) {
	hours, minutes, ok := strings.Cut(s, ":")
	h, err := digits(hours, 2)
	if !ok || err != nil || len(minutes) != 2 {
		return 0, fmt.Errorf("%q is not a time of day", s)
	}
	m, err := digits(minutes, 2)
	if err != nil || m > 59 || h*60+m > dayMinutes {
		return 0, fmt.Errorf("%q is not a time of day", s)
	}
	return h*60 + m, nil
}

// QuietUntil reports whether t lies in a quiet window, and when the quiet ends: at the end of the window, or of the
// last of several that join. Windows follow the wall clock of loc. One that begins or ends at a time that the
// clock skips does so when it skips; one that begins or ends at a time that comes twice begins with the first and ends with
// the second.
func (s *Schedule) QuietUntil(t time.Time, loc *time.Location) (end time.Time, quiet bool) {
	end = t
	for range 8 * len(s.Quiet) { // each step passes one window of one day; a week that is all quiet is refused by validation
		next := s.windowEnd(end, loc)
		if next.IsZero() {
			break
		}
		end = next
	}
	return end, end.After(t)
}

// windowEnd returns the end of the window that t lies in, or zero.
func (s *Schedule) windowEnd(t time.Time, loc *time.Location) time.Time {
	local := t.In(loc)
	for i := range s.Quiet {
		w := &s.Quiet[i]
		last := w.To
		if last <= w.From {
			last += dayMinutes
		}
		// A window of the day before may reach into today.
		for back := 0; back <= 1; back++ {
			day := time.Date(local.Year(), local.Month(), local.Day()-back, 0, 0, 0, 0, time.UTC)
			if !w.Days.Has(day.Weekday()) || back == 1 && last < dayMinutes {
				continue
			}
			start := wall(day, w.From, loc, false)
			end := wall(day, last, loc, true)
			if !t.Before(start) && t.Before(end) {
				return end.In(t.Location())
			}
		}
	}
	return time.Time{}
}

// Next returns the first time of the slot after t.
func (s *Slot) Next(t time.Time, loc *time.Location) time.Time {
	local := t.In(loc)
	for ahead := range 9 {
		day := time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, 0, 0, 0, time.UTC)
		if at := wall(day, s.At, loc, false); s.Days.Has(day.Weekday()) && at.After(t) {
			return at
		}
	}
	return time.Time{} // no days: not a slot that ParseSlot returns
}

// wall returns the instant at which clocks in loc show minutes after midnight of day (a date, in UTC). Of a time that comes twice
// it returns the first, or with late the second; for one that is skipped, the instant of the skip.
func wall(day time.Time, minutes int, loc *time.Location, late bool) time.Time {
	shown := day.Add(time.Duration(minutes) * time.Minute) // as if loc were UTC
	_, before := shown.Add(-26 * time.Hour).In(loc).Zone()
	_, after := shown.Add(26 * time.Hour).In(loc).Zone()
	first := shown.Add(-time.Duration(before) * time.Second).In(loc)
	if before == after {
		return first
	}
	second := shown.Add(-time.Duration(after) * time.Second).In(loc)
	_, offset1 := first.Zone()
	_, offset2 := second.Zone()
	valid1, valid2 := offset1 == before, offset2 == after
	switch {
	case valid1 && valid2: // both are right; they differ when the clock is turned back
		if late == second.After(first) {
			return second
		}
		return first
	case valid1:
		return first
	case valid2:
		return second
	default:
		// Skipped: counted with the offset before, the time lies behind the change.
		change, _ := first.ZoneBounds()
		return change
	}
}

// coversWeek reports whether the windows leave no minute of the week.
func coversWeek(windows []Window) bool {
	var quiet [7 * dayMinutes]bool
	for _, w := range windows {
		last := w.To
		if last <= w.From {
			last += dayMinutes
		}
		for d := range 7 {
			if !w.Days.Has(time.Weekday(d)) {
				continue
			}
			for m := w.From; m < last; m++ {
				quiet[(d*dayMinutes+m)%len(quiet)] = true
			}
		}
	}
	for _, q := range quiet {
		if !q {
			return false
		}
	}
	return true
}
