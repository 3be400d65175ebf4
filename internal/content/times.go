package content

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/finding"
)

// timeLayout is how findings write times, and what they ask people to write.
const timeLayout = "2006-01-02 15:04"

// wallTime is a time as written: a wall clock's reading, with an offset from UTC or without.
type wallTime struct {
	utc       time.Time // the reading, as if it were UTC
	offset    int       // seconds east of UTC
	hasOffset bool
	dateOnly  bool
}

// parseWall reads YYYY-MM-DD, then a blank or T and HH:MM[:SS[.fraction]], then Z or ±HH[:]MM. Nothing
// else is a time, so that nothing is one by accident: whatever a parser makes of a misread time is "due now".
func parseWall(s string) (w wallTime, ok bool) {
	digits := func(n int) (v int) {
		if len(s) < n {
			ok = false
			return 0
		}
		for i := range n {
			if s[i] < '0' || s[i] > '9' {
				ok = false
			}
			v = v*10 + int(s[i]-'0')
		}
		s = s[n:]
		return v
	}
	char := func(set string) bool {
		if s == "" || strings.IndexByte(set, s[0]) < 0 {
			return false
		}
		s = s[1:]
		return true
	}
	must := func(set string) {
		if !char(set) {
			ok = false
		}
	}
	ok = true
	year := digits(4)
	must("-")
	month := digits(2)
	must("-")
	day := digits(2)
	if !ok {
		return w, false
	}
	var hour, minute, second int
	if s == "" {
		w.dateOnly = true
	} else {
		must("Tt ")
		hour = digits(2)
		must(":")
		minute = digits(2)
		if ok && char(":") {
			second = digits(2)
			if char(".") {
				digits(1)
				for ok && s != "" && '0' <= s[0] && s[0] <= '9' {
					s = s[1:]
				}
			}
		}
		if s != "" {
			char(" ")
			w.hasOffset = true
			switch {
			case char("Zz"):
			case s != "" && (s[0] == '+' || s[0] == '-'):
				sign := 1
				if s[0] == '-' {
					sign = -1
				}
				s = s[1:]
				h := digits(2)
				char(":")
				m := digits(2)
				if h > 14 || m > 59 {
					return w, false
				}
				w.offset = sign * (h*3600 + m*60)
			default:
				return w, false
			}
		}
	}
	if !ok || s != "" || year < 1970 || hour > 23 || minute > 59 || second > 59 {
		return w, false
	}
	w.utc = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if w.utc.Month() != time.Month(month) || w.utc.Day() != day { // 31 February
		return w, false
	}
	return w, true
}

// in returns the instants at which a clock in loc shows the reading: one, none when the clock jumps
// over it, two when it is set back. Without any, near holds what the clock shows when the reading is
// taken by the offset before the jump, and by the one after it.
func (w wallTime) in(loc *time.Location) (at []time.Time, near [2]time.Time) {
	const day = 24 * time.Hour
	_, before := w.utc.Add(-day).In(loc).Zone()
	_, after := w.utc.Add(day).In(loc).Zone()
	for i, offset := range [2]int{before, after} {
		t := w.utc.Add(-time.Duration(offset) * time.Second).In(loc)
		near[i] = t
		if _, is := t.Zone(); is == offset && (len(at) == 0 || !at[0].Equal(t)) {
			at = append(at, t)
		}
	}
	if len(at) == 0 { // a zone that changed twice within two days
		t := time.Date(w.utc.Year(), w.utc.Month(), w.utc.Day(), w.utc.Hour(), w.utc.Minute(), w.utc.Second(), 0, loc)
		if _, offset := t.Zone(); w.utc.Add(-time.Duration(offset) * time.Second).Equal(t) {
			at = append(at, t)
		}
	}
	if len(at) == 2 && at[1].Before(at[0]) {
		at[0], at[1] = at[1], at[0]
	}
	return at, near
}

// Time reads a time as publish_at has it, without an offset in loc, and returns what is wrong with it: an error when it is none or
// the clock jumps over it, a warning when the clock shows it twice, of which the first is returned. The findings have no place.
func Time(text string, loc *time.Location) (time.Time, finding.List) {
	r := &reader{loc: finding.NewLocator(nil)}
	at, _ := r.resolve("publish_at", text, loc, finding.Range{})
	return at, r.list
}

// resolve reads the time of a front-matter key in loc, and says what is wrong with it.
func (r *reader) resolve(key, text string, loc *time.Location, rng finding.Range) (time.Time, bool) {
	const form = "write it as 2026-12-01 09:00, with an offset (2026-12-01T09:00+01:00) where the time zone is not the site's"
	text = strings.TrimSpace(text)
	w, ok := parseWall(text)
	switch {
	case text == "":
		r.add(codeTime, finding.Error, rng, key+" is empty", "write a time, or remove the line to send the post as soon as it is merged")
		return time.Time{}, false
	case !ok:
		r.add(codeTime, finding.Error, rng, fmt.Sprintf("%s is not a time: %s", key, quote(text)), form)
		r.mend(rng, text, oneReading(text))
		return time.Time{}, false
	case w.dateOnly:
		r.add(codeDateOnly, finding.Error, rng, fmt.Sprintf("%s has a date and no time: %s", key, quote(text)),
			fmt.Sprintf("write the time too, for example %s 09:00", text))
		return time.Time{}, false
	case w.hasOffset:
		return w.utc.Add(-time.Duration(w.offset) * time.Second).In(loc), true
	}
	at, near := w.in(loc)
	switch len(at) {
	case 1:
		return at[0], true
	case 2:
		r.add(codeAmbiguous, finding.Warning, rng,
			fmt.Sprintf("%s happens twice in %s, when the clocks are set back: the first one is taken, %s", quote(text), loc, at[0].Format(timeLayout+" -07:00")),
			fmt.Sprintf("write the offset, %s or %s", at[0].Format("2006-01-02T15:04-07:00"), at[1].Format("2006-01-02T15:04-07:00")))
		return at[0], true
	default:
		first, second := near[1].Format(timeLayout), near[0].Format(timeLayout)
		r.add(codeGap, finding.Error, rng,
			fmt.Sprintf("%s does not exist in %s: the clocks are set forward over it", quote(text), loc),
			fmt.Sprintf("write %s or %s", first, second))
		return time.Time{}, false
	}
}

// zones loads time zones and remembers them: reading one from disk takes longer than reading a post.
type zones struct{ loaded sync.Map } // name → *time.Location

func (z *zones) load(name string) (*time.Location, bool) {
	if loc, ok := z.loaded.Load(name); ok {
		return loc.(*time.Location), true
	}
	// What these are depends on the machine: its own zone, its file system, its variants of the database.
	if name == "" || name == "Local" || strings.HasPrefix(name, "posix/") || strings.HasPrefix(name, "right/") {
		return nil, false
	}
	for _, known := range zoneNames() {
		if known != name && strings.EqualFold(known, name) {
			return nil, false
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	z.loaded.Store(name, loc)
	return loc, true
}
