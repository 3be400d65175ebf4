package feed

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Calendar is a list of events to subscribe to.
type Calendar struct {
	Name        string
	Description string
	ProductID   string         // what wrote it, as "-//Company//Product//EN"; empty: "-//Postrider//Feed//EN"
	Zone        *time.Location // in which its readers should see it, if they care; nil: UTC
	Refresh     time.Duration  // how often programs should look again; 0: as they like
	Events      []Event        // in the order in which they are written
}

// Event is something at a time.
type Event struct {
	UID         string // for ever the same, and no other event's: name@host. Of events that share one, those after the first get a number
	Start       time.Time
	Duration    time.Duration // 0: a point in time
	Summary     string
	Description string
	URL         string // added to the description too, unless it has it: Google Calendar shows no other
	Categories  []string
	Status      Status
	Updated     time.Time // when it was last changed; zero: its start
	// Repeat is a recurrence rule of RFC 5545, such as "FREQ=WEEKLY;BYDAY=MO". Start is its first time, and the clock
	// of Zone says when the others are; nil: that of Start. ExDates are times at which it does not happen.
	Repeat  string
	Zone    *time.Location
	ExDates []time.Time
}

// Status says how certain an event is.
type Status string

// The statuses. An event with none is shown as confirmed.
const (
	Tentative Status = "TENTATIVE"
	Confirmed Status = "CONFIRMED"
	Cancelled Status = "CANCELLED"
)

// WriteCalendar writes iCalendar (RFC 5545, RFC 7986), METHOD:PUBLISH. Times are in UTC, but for repeated events: those
// carry their zone, which is written with all its changes of the clock.
//
// Beyond the specifications it minds what calendar programs are known for (checked 2026-11-22). Outlook takes a zone's
// rules, but not lists of dates, for times out of order (github.com/iCalcreator/iCalcreator/issues/86), wants SEQUENCE
// and DTSTAMP, reads X-WR-CALNAME and X-PUBLISHED-TTL instead of RFC 7986's names, and calls a calendar without any
// component broken, as RFC 5545 does: so an empty one has its zone in it. Some refuse empty descriptions. Google fails
// on events that share a UID. Nothing here makes a person look busy.
func WriteCalendar(w io.Writer, c Calendar) error {
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	out := &folder{}
	out.put("BEGIN", "VCALENDAR")
	out.put("VERSION", "2.0")
	out.text("PRODID", line(cmp.Or(c.ProductID, "-//Postrider//Feed//EN")))
	out.put("CALSCALE", "GREGORIAN")
	out.put("METHOD", "PUBLISH")
	if name := line(c.Name); name != "" {
		out.text("NAME", name)
		out.text("X-WR-CALNAME", name)
	}
	if d := clean(c.Description); d != "" {
		out.text("DESCRIPTION", d)
		out.text("X-WR-CALDESC", d)
	}
	home, err := zoneID(zone)
	if err != nil {
		return fmt.Errorf("calendar: %w", err)
	}
	out.text("X-WR-TIMEZONE", home)
	var latest time.Time
	for _, e := range c.Events {
		if e.Updated.After(latest) {
			latest = e.Updated
		}
	}
	if !latest.IsZero() {
		out.put("LAST-MODIFIED", utc(latest))
	}
	if c.Refresh > 0 {
		out.put("REFRESH-INTERVAL;VALUE=DURATION", period(c.Refresh))
		out.put("X-PUBLISHED-TTL", period(c.Refresh))
	}
	// The zones come first: some programs read a calendar in one go.
	since := map[string]time.Time{} // by the name of the zone, the first time that needs it
	zones := map[string]*time.Location{}
	body := &folder{}
	seen := make(map[string]bool, len(c.Events))
	for _, e := range c.Events {
		if e.Zone == nil {
			e.Zone = e.Start.Location()
		}
		for uid, n := e.UID, 2; seen[e.UID]; n++ {
			e.UID = uid + "-" + strconv.Itoa(n)
		}
		seen[e.UID] = true
		tzid, err := e.write(body)
		if err != nil {
			return fmt.Errorf("calendar: event %q: %w", e.UID, err)
		}
		if tzid == "" {
			continue
		}
		if at, ok := since[tzid]; !ok || e.Start.Before(at) {
			since[tzid], zones[tzid] = e.Start, e.Zone
		}
	}
	if len(c.Events) == 0 {
		since[home], zones[home] = time.Unix(0, 0), zone
	}
	for _, tzid := range slices.Sorted(maps.Keys(zones)) {
		writeZone(out, tzid, zones[tzid], since[tzid])
	}
	out.Write(body.Bytes())
	out.put("END", "VCALENDAR")
	_, err = w.Write(out.Bytes())
	return err
}

// write writes the event and returns the name of the zone that it needs, if any.
func (e Event) write(out *folder) (tzid string, err error) {
	if e.Updated.IsZero() {
		e.Updated = e.Start
	}
	uid := line(e.UID)
	end := e.Start.Add(e.Duration)
	switch {
	case uid == "" || uid != e.UID:
		return "", errors.New("it needs a UID of one line")
	case e.Start.IsZero():
		return "", errors.New("it has no time")
	case e.Duration < 0:
		return "", fmt.Errorf("it ends before it starts: %s", e.Duration)
	case e.Status != "" && e.Status != Tentative && e.Status != Confirmed && e.Status != Cancelled:
		return "", fmt.Errorf("there is no status %q", string(e.Status))
	}
	if err := errors.Join(writable(e.Start), writable(end), writable(e.Updated)); err != nil {
		return "", err
	}
	at := func(name string, t time.Time) { out.put(name, utc(t)) }
	var rule string
	if e.Repeat != "" {
		if tzid, err = zoneID(e.Zone); err != nil {
			return "", err
		}
		if rule, err = recurrence(e.Repeat, e.Zone); err != nil {
			return "", err
		}
		if tzid == "UTC" {
			tzid = ""
		} else {
			at = func(name string, t time.Time) { out.put(name+";TZID="+tzid, t.In(e.Zone).Format(wallTime)) }
		}
	}
	out.put("BEGIN", "VEVENT")
	out.text("UID", uid)
	out.put("DTSTAMP", utc(e.Updated))
	out.put("LAST-MODIFIED", utc(e.Updated))
	out.put("SEQUENCE", strconv.FormatInt(revision(e.Updated), 10))
	at("DTSTART", e.Start)
	if e.Duration >= time.Second {
		at("DTEND", end)
	}
	if rule != "" {
		out.put("RRULE", rule)
		for _, x := range e.ExDates {
			if err := writable(x); err != nil {
				return "", err
			}
			at("EXDATE", x)
		}
	}
	out.text("SUMMARY", line(e.Summary))
	description, addr := clean(e.Description), ""
	if absolute("", e.URL) == nil {
		addr = address(e.URL)
		if !strings.Contains(description, addr) {
			description = strings.TrimPrefix(description+"\n\n"+addr, "\n\n")
		}
	}
	if description != "" {
		out.text("DESCRIPTION", description)
	}
	if addr != "" {
		out.put("URL", addr)
	}
	if list := labels(e.Categories); len(list) > 0 {
		for i := range list {
			list[i] = escape(list[i])
		}
		out.put("CATEGORIES", strings.Join(list, ","))
	}
	if e.Status != "" {
		out.put("STATUS", string(e.Status))
	}
	out.put("TRANSP", "TRANSPARENT")
	out.put("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
	out.put("END", "VEVENT")
	return tzid, nil
}

// revision numbers the versions of an event, so that programs that compare them take the later: minutes since 1970,
// which the 32 bits of iCalendar's integers hold until the year 6053.
func revision(updated time.Time) int64 { return min(max(updated.Unix()/60, 0), 1<<31-1) }

const wallTime = "20060102T150405"

func utc(t time.Time) string { return t.UTC().Format(wallTime) + "Z" }

// recurrence returns the rule as RFC 5545 wants it beside a start with a zone: UNTIL in UTC, and no part twice. Of those
// the last counts.
func recurrence(rule string, zone *time.Location) (string, error) {
	rule = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(rule)), "RRULE:")
	bad := func(why string) (string, error) { return "", fmt.Errorf("repeat %q: %s", rule, why) }
	var out []string
	place := map[string]int{} // of a part in out
	for part := range strings.SplitSeq(rule, ";") {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" || value == "" || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=,+-") != "" {
			return bad("it is not a recurrence rule")
		}
		if name == "UNTIL" {
			until, err := untilOf(value, zone)
			if err != nil || writable(until) != nil {
				return bad("UNTIL is no time")
			}
			part = "UNTIL=" + utc(until)
		}
		if at, ok := place[name]; ok {
			out[at] = part
			continue
		}
		place[name] = len(out)
		out = append(out, part)
	}
	if _, ok := place["FREQ"]; !ok {
		return bad("FREQ is missing")
	}
	return strings.Join(out, ";"), nil
}

// untilOf reads the end of a rule: a day, which begins in the zone, a time in the zone, or one in UTC.
func untilOf(value string, zone *time.Location) (time.Time, error) {
	switch len(value) {
	case len("20060102"):
		return time.ParseInLocation("20060102", value, zone)
	case len(wallTime):
		return time.ParseInLocation(wallTime, value, zone)
	}
	return time.Parse(wallTime+"Z", value)
}

// period is a positive duration as RFC 5545 writes it, to the second.
func period(d time.Duration) string {
	s := int64(max(d, time.Second) / time.Second)
	h, m, s := s/3600, s/60%60, s%60
	out := "PT"
	if h > 0 {
		out += strconv.FormatInt(h, 10) + "H"
	}
	if m > 0 || h > 0 && s > 0 { // seconds may not follow hours
		out += strconv.FormatInt(m, 10) + "M"
	}
	if s > 0 {
		out += strconv.FormatInt(s, 10) + "S"
	}
	return out
}

// folder writes content lines: CRLF, and folded at 75 octets.
type folder struct{ bytes.Buffer }

func (f *folder) text(name, value string) { f.put(name, escape(value)) }

func (f *folder) put(name, value string) {
	rest, most := name+":"+value, 75
	for len(rest) > most {
		at := most
		for !utf8.RuneStart(rest[at]) {
			at--
		}
		// An escape such as \n could be cut too, and is put together before it is read; not every program knows.
		if before := rest[:at]; (len(before)-len(strings.TrimRight(before, `\`)))%2 == 1 {
			at--
		}
		f.WriteString(rest[:at] + "\r\n ")
		rest, most = rest[at:], 74 // the space counts
	}
	f.WriteString(rest + "\r\n")
}

// escapes are those of TEXT. U+2028 and U+2029 end lines as well, and for some programs those of the file.
var escapes = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`, "\u2028", `\n`, "\u2029", `\n`)

func escape(s string) string { return escapes.Replace(s) }
