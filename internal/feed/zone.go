package feed

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// zoneID returns the name by which calendar programs know a zone. They look it up in their own table and take the rules
// that come with it only when it is not there. So a zone that has no name, as of a time that was written with an offset,
// gets that of the table where there is one.
func zoneID(zone *time.Location) (string, error) {
	name := zone.String()
	if strings.Contains(name, "/") && !odd(name) {
		return name, nil
	}
	at := time.Unix(0, 0).In(zone)
	if from, to := at.ZoneBounds(); !from.IsZero() || !to.IsZero() { // its clock changes
		if name == "Local" || odd(name) {
			return "", fmt.Errorf("the zone %q has no name that others know", name)
		}
		return name, nil
	}
	_, offset := at.Zone()
	switch hours := offset / 3600; {
	case offset == 0:
		return "UTC", nil
	case offset%3600 == 0 && hours >= -12 && hours <= 14:
		return fmt.Sprintf("Etc/GMT%+d", -hours), nil // POSIX counts westwards
	}
	return "UTC" + offsetText(offset), nil
}

// odd says whether a name cannot stand as a parameter's value: nothing can be escaped in those.
func odd(name string) bool {
	return name == "" || name != line(name) || strings.ContainsAny(name, `":;,`)
}

// onset is a moment at which a zone's clock changes.
type onset struct {
	at       time.Time
	wall     time.Time // what the clock showed at that moment, before it was changed; in UTC only for want of a better
	from, to int       // seconds east of UTC
	name     string
	daylight bool
}

func newOnset(zone *time.Location, at time.Time) onset {
	before, after := at.Add(-time.Second).In(zone), at.In(zone)
	o := onset{at: at}
	_, o.from = before.Zone()
	o.name, o.to = after.Zone()
	o.wall = at.UTC().Add(time.Duration(o.from) * time.Second)
	o.daylight = after.IsDST()
	if before.IsDST() != o.daylight {
		o.daylight = o.to > o.from // Ireland's law has it the other way round; programs do not
	}
	return o
}

// ruleYears is how long a rule has to hold to be taken for one: long enough for every date to fall on every weekday, in
// leap years and others.
const ruleYears = 28

// onsets returns the changes of a zone's clock from the one that is in force at the time until the end of the year.
func onsets(zone *time.Location, since time.Time, last int) []onset {
	end := time.Date(last+1, 1, 1, 0, 0, 0, 0, time.UTC)
	var list []onset
	if start, ok := changedAt(zone, since); ok {
		list = append(list, newOnset(zone, start))
	} else { // it has always been so
		name, offset := since.In(zone).Zone()
		first := time.Date(min(1970, max(1, since.UTC().Year()-1)), 1, 1, 0, 0, 0, 0, time.UTC)
		list = append(list, onset{at: first, wall: first, from: offset, to: offset, name: name})
	}
	for next, ok := changesAfter(zone, since, end); ok; next, ok = changesAfter(zone, next, end) {
		list = append(list, newOnset(zone, next))
	}
	return list
}

// changedAt returns when the clock came to what it shows at t. [time.Time.ZoneBounds] alone does not know: beyond the
// zone's table it calls the ends of years bounds too, and in leap years the beginning of the last day (go1.26).
func changedAt(zone *time.Location, t time.Time) (time.Time, bool) {
	for {
		start, _ := t.In(zone).ZoneBounds()
		if start.IsZero() || changes(zone, start) {
			return start, !start.IsZero()
		}
		t = start.Add(-time.Second)
	}
}

// changesAfter returns when the clock changes next after t and before the end.
func changesAfter(zone *time.Location, t, end time.Time) (time.Time, bool) {
	for {
		_, next := t.In(zone).ZoneBounds()
		switch {
		case next.IsZero() || !next.Before(end):
			return next, false
		case !next.After(t): // such a bound is its own next
			t = t.Add(time.Hour)
			if changes(zone, t) {
				return t, true
			}
		case changes(zone, next):
			return next, true
		default:
			t = next
		}
	}
}

func changes(zone *time.Location, at time.Time) bool {
	before, after := at.Add(-time.Second).In(zone), at.In(zone)
	name, offset := before.Zone()
	name2, offset2 := after.Zone()
	return name != name2 || offset != offset2 || before.IsDST() != after.IsDST()
}

// kind is what the onsets of one rule have in common, apart from the week of the year.
type kind struct {
	from, to int
	name     string
	weekday  time.Weekday
	clock    string
}

func (o onset) kind() kind {
	return kind{o.from, o.to, o.name, o.wall.Weekday(), o.wall.Format("150405")}
}

// left returns the days that the year of the onset still has, itself included. Counted from this end, 1 March to 31
// December are the same in leap years and others.
func (o onset) left() int {
	return time.Date(o.wall.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() - o.wall.YearDay() + 1
}

// rule is a change of the clock that comes back every year: on one weekday within seven days.
type rule struct {
	first       onset
	least, most int // of onset.left
	years       int
}

// rules finds the changes that come back every year for ever, as the years from the given one on have them. What comes
// before the first of them is returned as exceptions.
func rules(list []onset, year int) (exceptions []onset, found []*rule) {
	by := map[kind]*rule{}
	tail := len(list)
	for tail > 0 && list[tail-1].wall.Year() >= year {
		tail--
	}
	for _, o := range list[tail:] {
		r := by[o.kind()]
		if r == nil {
			r = &rule{first: o, least: o.left(), most: o.left()}
			by[o.kind()] = r
			found = append(found, r)
		}
		r.least, r.most, r.years = min(r.least, o.left()), max(r.most, o.left()), r.years+1
	}
	for _, r := range found {
		if r.years != ruleYears || r.most-r.least != 6 {
			return list, nil // no rule that could be written
		}
	}
	for ; tail > 0; tail-- { // how far back do they reach?
		o := list[tail-1]
		r := by[o.kind()]
		if r == nil || o.left() < r.least || o.left() > r.most || o.wall.Year() != r.first.wall.Year()-1 {
			break
		}
		r.first = o
	}
	return list[:tail], found
}

// String returns the rule as an RRULE. "The last Sunday of March" is understood by all programs, so it is preferred to
// "the Sunday among the last 75 days of the year, and not among the last 68".
func (r *rule) String() string {
	day := strings.ToUpper(r.first.wall.Weekday().String()[:2])
	// The seven days, in a year in which they have dates.
	last := time.Date(r.first.wall.Year(), 12, 31, 0, 0, 0, 0, time.UTC)
	from, to := last.AddDate(0, 0, 1-r.most), last.AddDate(0, 0, 1-r.least)
	switch days := to.AddDate(0, 1, -to.Day()).Day(); {
	case from.Month() != to.Month() || from.Month() < time.March:
		return "FREQ=YEARLY;BYYEARDAY=" + numbers(-r.most, -r.least) + ";BYDAY=" + day
	case to.Day() == days:
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=-1%s", from.Month(), day)
	case to.Day()%7 == 0:
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", from.Month(), to.Day()/7, day)
	default:
		return fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;BYMONTHDAY=%s;BYDAY=%s", from.Month(), numbers(from.Day(), to.Day()), day)
	}
}

func numbers(from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		if n > from {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// writeZone writes a VTIMEZONE that is right from a year before the time. The year is there because some programs
// look for both winter and summer before the first event.
func writeZone(out *folder, tzid string, zone *time.Location, since time.Time) {
	out.put("BEGIN", "VTIMEZONE")
	out.text("TZID", tzid)
	year := max(2101, since.Year()+2) // after every table of exceptions
	exceptions, found := rules(onsets(zone, since.AddDate(-1, 0, 0), year+ruleYears-1), year)
	for _, o := range exceptions {
		o.write(out, "")
	}
	for _, r := range found {
		r.first.write(out, r.String())
	}
	out.put("END", "VTIMEZONE")
}

func (o onset) write(out *folder, rule string) {
	name := "STANDARD"
	if o.daylight {
		name = "DAYLIGHT"
	}
	out.put("BEGIN", name)
	out.put("DTSTART", o.wall.Format(wallTime))
	out.put("TZOFFSETFROM", offsetText(o.from))
	out.put("TZOFFSETTO", offsetText(o.to))
	if o.name != "" {
		out.text("TZNAME", line(o.name))
	}
	if rule != "" {
		out.put("RRULE", rule)
	}
	out.put("END", name)
}

// offsetText returns an offset as +0100, with seconds where there are some.
func offsetText(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	out := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		out += fmt.Sprintf("%02d", seconds%60)
	}
	return out
}
