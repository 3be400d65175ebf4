package feed

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that every machine has the zones
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"
	"github.com/teambition/rrule-go"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func calendarOf(t testing.TB) Calendar {
	t.Helper()
	berlin := zone(t, "Europe/Berlin")
	start := time.Date(2026, 1, 5, 9, 30, 0, 0, berlin)
	return Calendar{
		Name: "Example; what goes out, and when", Description: "All accounts\nof example.com", ProductID: "-//Example//Posts 1.0//EN",
		Zone: berlin, Refresh: time.Hour,
		Events: []Event{
			{
				UID: "k3v9q2xh@example.com", Start: at("2026-03-29T03:30:00+02:00"), Duration: 15 * time.Minute, Summary: "Spring,\nreleased; \\o/",
				Description: "Out on Bluesky, Mastodon.\n\n" + hostile, URL: "https://example.com/p/k3v9q2xh", Categories: []string{"release, big", "devlog"},
				Status: Confirmed, Updated: at("2026-03-01T08:00:00Z"),
			},
			{
				UID: "weekly@example.com", Start: start, Duration: 90 * time.Minute, Summary: "Weekly tip", Status: Tentative, Updated: at("2026-01-02T08:00:00Z"),
				Repeat: "RRULE:freq=weekly;byday=mo;until=20261231", ExDates: []time.Time{start.AddDate(0, 0, 84), start.AddDate(0, 0, 91)},
			},
			{UID: "utc@example.com", Start: at("2026-01-05T09:30:00Z"), Summary: "Daily in UTC", Repeat: "FREQ=DAILY;COUNT=3"},
			{UID: "offset@example.com", Start: at("2026-01-05T09:30:00+05:30"), Repeat: "FREQ=DAILY", Zone: time.FixedZone("", 19800), Status: Cancelled},
			{UID: "point@example.com", Start: at("2026-12-24T18:00:00Z"), Summary: strings.Repeat("👩‍👩‍👧", 40), Description: "See https://example.com/x for more", URL: "https://example.com/x"},
		},
	}
}

// ambient is a zone as the machine's own is: it changes, and is named "Local".
func ambient(t *testing.T) *time.Location {
	t.Helper()
	l, err := time.LoadLocationFromTZData("Local", tzif())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tzif is the smallest file of a zone that changes every year (RFC 8536).
func tzif() []byte {
	header := func(version byte, counts ...byte) []byte {
		b := append([]byte("TZif"), version)
		b = append(b, make([]byte, 15)...)
		for _, n := range counts {
			b = append(b, 0, 0, 0, n)
		}
		return b
	}
	// One type (offset 1 h, not summer, name 0), one change into it at second 0.
	var b []byte
	b = append(b, header('2', 0, 0, 0, 0, 1, 4)...)
	b = append(b, 0, 0, 0x0E, 0x10, 0, 0, 'C', 'E', 'T', 0)
	b = append(b, header('2', 0, 0, 0, 1, 1, 4)...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0E, 0x10, 0, 0, 'C', 'E', 'T', 0)
	return append(b, "\nCET-1CEST,M3.5.0,M10.5.0/3\n"...)
}

// lines holds the bytes against RFC 5545's rules of content lines, and returns those unfolded.
func lines(t *testing.T, b []byte) []string {
	t.Helper()
	text, ok := strings.CutSuffix(string(b), "\r\n")
	if !ok {
		t.Fatal("the last line has no end")
	}
	var out []string
	for _, l := range strings.Split(text, "\r\n") {
		if len(l) > 75 || len(l) == 0 || !utf8.ValidString(l) || strings.ContainsFunc(l, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }) {
			t.Errorf("not a content line: %q (%d octets)", l, len(l))
		}
		if rest, ok := strings.CutPrefix(l, " "); ok {
			out[len(out)-1] += rest
		} else {
			out = append(out, l)
		}
	}
	return out
}

func TestCalendar(t *testing.T) {
	var one, two bytes.Buffer
	if err := WriteCalendar(&one, calendarOf(t)); err != nil {
		t.Fatal(err)
	}
	if err := WriteCalendar(&two, calendarOf(t)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("it differs from one run to the next")
	}
	golden(t, "calendar.ics", one.Bytes())
	lines(t, one.Bytes())

	got, err := ics.ParseCalendar(&one)
	if err != nil {
		t.Fatal(err)
	}
	want := calendarOf(t).Events
	events := got.Events()
	if len(events) != len(want) {
		t.Fatalf("%d events, want %d", len(events), len(want))
	}
	for i, e := range want {
		if got := events[i].Id(); got != e.UID {
			t.Errorf("event %d is %q, want %q", i, got, e.UID)
		}
		switch got, err := events[i].GetStartAt(); {
		case e.Zone != nil: // a zone that only the file knows
		case err != nil || !got.Equal(e.Start):
			t.Errorf("%s starts at %v, want %v (%v)", e.UID, got, e.Start, err)
		}
		if e.Duration > 0 {
			if got, err := events[i].GetEndAt(); err != nil || !got.Equal(e.Start.Add(e.Duration)) {
				t.Errorf("%s ends at %v, want %v (%v)", e.UID, got, e.Start.Add(e.Duration), err)
			}
		}
	}
	for _, p := range got.CalendarProperties {
		if p.IANAToken == "X-WR-CALNAME" && p.Value != "Example; what goes out, and when" {
			t.Errorf("it is named %q", p.Value)
		}
	}
}

func TestSharedUID(t *testing.T) {
	c := Calendar{Events: []Event{{UID: "a", Start: at("2026-01-01T00:00:00Z")}, {UID: "a-2", Start: at("2026-01-02T00:00:00Z")}}}
	c.Events = append(c.Events, c.Events...)
	var b bytes.Buffer
	if err := WriteCalendar(&b, c); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines(t, b.Bytes()) {
		if uid, ok := strings.CutPrefix(l, "UID:"); ok {
			got = append(got, uid)
		}
	}
	if diff := cmp.Diff([]string{"a", "a-2", "a-3", "a-2-2"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEmptyCalendar(t *testing.T) {
	for _, c := range []Calendar{{}, {Zone: zone(t, "America/New_York"), Name: " "}} {
		var b bytes.Buffer
		if err := WriteCalendar(&b, c); err != nil {
			t.Fatal(err)
		}
		if got := lines(t, b.Bytes()); !slices.Contains(got, "BEGIN:VTIMEZONE") {
			t.Errorf("no component in %q", got)
		}
	}
}

func TestCalendarRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Calendar)
		want   string
	}{
		"no UID":       {func(c *Calendar) { c.Events[0].UID = "" }, "it needs a UID of one line"},
		"long UID":     {func(c *Calendar) { c.Events[0].UID = "a\r\nb" }, "it needs a UID of one line"},
		"no time":      {func(c *Calendar) { c.Events[0].Start = time.Time{} }, "it has no time"},
		"backwards":    {func(c *Calendar) { c.Events[0].Duration = -time.Hour }, "it ends before it starts: -1h0m0s"},
		"far":          {func(c *Calendar) { c.Events[0].Start = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "the year 10000 cannot be written"},
		"status":       {func(c *Calendar) { c.Events[0].Status = "MAYBE" }, `there is no status "MAYBE"`},
		"no FREQ":      {func(c *Calendar) { c.Events[1].Repeat = "BYDAY=MO" }, "FREQ is missing"},
		"smuggled":     {func(c *Calendar) { c.Events[1].Repeat = "FREQ=DAILY\r\nX:1" }, "it is not a recurrence rule"},
		"empty part":   {func(c *Calendar) { c.Events[1].Repeat = "FREQ=DAILY;" }, "it is not a recurrence rule"},
		"until":        {func(c *Calendar) { c.Events[1].Repeat = "FREQ=DAILY;UNTIL=2026" }, "UNTIL is no time"},
		"ambient zone": {func(c *Calendar) { c.Events[1].Zone = ambient(t) }, `the zone "Local" has no name that others know`},
		"no zone name": {func(c *Calendar) { c.Zone = ambient(t) }, `the zone "Local" has no name that others know`},
		"far gap":      {func(c *Calendar) { c.Events[1].ExDates[0] = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "the year 10000 cannot be written"},
	} {
		t.Run(name, func(t *testing.T) {
			c := calendarOf(t)
			tt.change(&c)
			var b bytes.Buffer
			if err := WriteCalendar(&b, c); err == nil || !strings.Contains(err.Error(), tt.want) || b.Len() > 0 {
				t.Errorf("got %v and %d bytes, want %q and none", err, b.Len(), tt.want)
			}
		})
	}
}

func TestRecurrence(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	for rule, want := range map[string]string{
		"FREQ=WEEKLY;BYDAY=MO,-1FR":                 "FREQ=WEEKLY;BYDAY=MO,-1FR",
		"FREQ=DAILY;COUNT=2;FREQ=WEEKLY":            "FREQ=WEEKLY;COUNT=2",
		" rrule:freq=daily;interval=2 ":             "FREQ=DAILY;INTERVAL=2",
		"FREQ=DAILY;UNTIL=20260701":                 "FREQ=DAILY;UNTIL=20260630T220000Z",
		"FREQ=DAILY;UNTIL=20260101T090000;COUNT=1":  "FREQ=DAILY;UNTIL=20260101T080000Z;COUNT=1",
		"FREQ=DAILY;UNTIL=20260101T090000Z;WKST=SU": "FREQ=DAILY;UNTIL=20260101T090000Z;WKST=SU",
	} {
		if got, err := recurrence(rule, berlin); err != nil || got != want {
			t.Errorf("%q: got %q (%v), want %q", rule, got, err, want)
		}
	}
}

func TestPeriod(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Nanosecond: "PT1S", time.Second: "PT1S", time.Minute: "PT1M", 90 * time.Second: "PT1M30S", time.Hour: "PT1H",
		25*time.Hour + 5*time.Second: "PT25H0M5S", 90 * time.Minute: "PT1H30M",
	} {
		if got := period(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestRevision(t *testing.T) {
	if a, b := revision(at("2026-01-01T00:00:00Z")), revision(at("2026-01-01T00:01:00Z")); a >= b || a <= 0 {
		t.Errorf("%d is not before %d", a, b)
	}
	if a, b := revision(at("1900-01-01T00:00:00Z")), revision(at("9999-01-01T00:00:00Z")); a != 0 || b != 1<<31-1 {
		t.Errorf("got %d and %d, which iCalendar cannot hold", a, b)
	}
}

func TestZoneID(t *testing.T) {
	for want, l := range map[string]*time.Location{
		"Europe/Berlin": zone(t, "Europe/Berlin"), "UTC": time.UTC, "Etc/GMT-2": time.FixedZone("", 7200), "Etc/GMT+8": time.FixedZone("PST", -8*3600),
		"UTC+0530": time.FixedZone("", 19800), "UTC-0330": time.FixedZone("a\"b", -12600), "EST5EDT": zone(t, "EST5EDT"), "UTC+001001": time.FixedZone("x", 601),
	} {
		if got, err := zoneID(l); err != nil || got != want {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
	}
}

// observance is a part of a VTIMEZONE, read back.
type observance struct {
	start    time.Time
	from, to int
	rule     *rrule.RRule
}

// observances reads the VTIMEZONE of a calendar, with nothing of the code that wrote it.
func observances(t *testing.T, b []byte) (list []observance) {
	t.Helper()
	var o observance
	var rule string
	offset := func(s string) int {
		n, err := strconv.Atoi(s[1:])
		if err != nil || len(s) != 5 && len(s) != 7 {
			t.Fatalf("offset %q: %v", s, err)
		}
		if len(s) == 5 {
			n *= 100
		}
		n = n/10000*3600 + n/100%100*60 + n%100
		if s[0] == '-' {
			n = -n
		}
		return n
	}
	for _, l := range lines(t, b) {
		name, value, _ := strings.Cut(l, ":")
		var err error
		switch name {
		case "DTSTART":
			o.start, err = time.Parse("20060102T150405", value)
		case "TZOFFSETFROM":
			o.from = offset(value)
		case "TZOFFSETTO":
			o.to = offset(value)
		case "RRULE":
			rule = value
		case "END":
			if value != "STANDARD" && value != "DAYLIGHT" {
				continue
			}
			if rule != "" {
				var option *rrule.ROption
				if option, err = rrule.StrToROption(rule); err == nil {
					option.Dtstart = o.start
					o.rule, err = rrule.NewRRule(*option)
				}
			}
			if err == nil && o.rule != nil && !o.rule.After(o.start, true).Equal(o.start) {
				t.Errorf("%s does not begin with its start %v", rule, o.start)
			}
			list, o, rule = append(list, o), observance{}, ""
		}
		if err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	return list
}

// moments lists when the zone's clock changes, by the observances. Some change only its name.
func moments(list []observance, until time.Time) map[int64]int {
	out := map[int64]int{}
	for i, o := range list {
		if i > 0 && o.from == o.to {
			continue
		}
		walls := []time.Time{o.start}
		if o.rule != nil {
			walls = o.rule.Between(o.start, until, true)
		}
		for _, w := range walls {
			if w.Before(until) {
				out[w.Unix()-int64(o.from)] = o.to
			}
		}
	}
	return out
}

// TestZones reads written zones back and compares every change of their clocks with what the standard library knows.
func TestZones(t *testing.T) {
	const until = 2100
	for _, name := range []string{
		"Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "America/Santiago", "America/Nuuk", "America/Havana",
		"Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Asia/Kathmandu", "Asia/Dubai", "Asia/Jerusalem",
		"Asia/Gaza", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca", "America/Caracas", "Asia/Pyongyang", "Etc/UTC", "Asia/Tehran", "America/Asuncion",
	} {
		for _, year := range []int{1980, 2006, 2026, 2050} {
			t.Run(fmt.Sprint(name, " ", year), func(t *testing.T) {
				l := zone(t, name)
				start := time.Date(year, 6, 1, 9, 0, 0, 0, l)
				var b bytes.Buffer
				if err := WriteCalendar(&b, Calendar{Zone: l, Events: []Event{{UID: "a", Start: start, Repeat: "FREQ=DAILY"}}}); err != nil {
					t.Fatal(err)
				}
				got := moments(observances(t, b.Bytes()), time.Date(until, 1, 1, 0, 0, 0, 0, time.UTC))
				want := map[int64]int{}
				first := start.AddDate(-1, 0, 0)
				for day := first; day.Year() < until; day = day.Add(24 * time.Hour) {
					_, was := day.Zone()
					if _, is := day.Add(24 * time.Hour).Zone(); is != was {
						second := sort.Search(24*3600, func(n int) bool {
							_, is := day.Add(time.Duration(n) * time.Second).Zone()
							return is != was
						})
						want[day.Unix()+int64(second)] = is
					}
				}
				maps.DeleteFunc(want, func(at int64, _ int) bool { return at >= time.Date(until, 1, 1, 0, 0, 0, 0, time.UTC).Unix() })
				// The change that is in force at first comes on top, and one without effect where there was none.
				var before int64
				for at, to := range got {
					if at < first.Unix() {
						if _, offset := first.Zone(); offset != to {
							t.Errorf("before %v the offset is %d, want %d", first, to, offset)
						}
						delete(got, at)
						before++
					}
				}
				if before != 1 {
					t.Errorf("%d changes before %v, want the last one only", before, first)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s\n%s", diff, b.Bytes())
				}
			})
		}
	}
}

// TestZoneRules says how well-known clocks are told: programs that have no table of zones have only this.
func TestZoneRules(t *testing.T) {
	for name, want := range map[string][]string{
		"Europe/Berlin":    {"FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"},
		"America/New_York": {"FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU"},
		"Australia/Sydney": {"FREQ=YEARLY;BYMONTH=4;BYDAY=1SU", "FREQ=YEARLY;BYMONTH=10;BYDAY=1SU"},
		"America/Santiago": {"FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=SU", "FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=2,3,4,5,6,7,8;BYDAY=SU"},
		"Asia/Jerusalem":   {"FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=23,24,25,26,27,28,29;BYDAY=FR", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"},
		"Africa/Cairo":     {"FREQ=YEARLY;BYMONTH=4;BYDAY=-1FR", "FREQ=YEARLY;BYYEARDAY=-67,-66,-65,-64,-63,-62,-61;BYDAY=FR"},
		"Asia/Dubai":       nil,
	} {
		out := &folder{}
		writeZone(out, name, zone(t, name), at("2026-01-01T00:00:00Z"))
		var got []string
		for _, l := range lines(t, out.Bytes()) {
			if rule, ok := strings.CutPrefix(l, "RRULE:"); ok {
				got = append(got, rule)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func checkCalendar(t *testing.T, text string) {
	t.Helper()
	c := Calendar{Name: text, Description: text, ProductID: text, Refresh: time.Hour, Events: []Event{{
		UID: "a", Start: at("2026-11-22T10:00:00Z"), Summary: text, Description: text, URL: text, Categories: []string{text, "b"}, Status: Cancelled,
	}}}
	var b bytes.Buffer
	if err := WriteCalendar(&b, c); err != nil {
		t.Fatal(err)
	}
	lines(t, b.Bytes())
	got, err := ics.ParseCalendar(&b)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, b.Bytes())
	}
	want := strings.NewReplacer("\u2028", "\n", "\u2029", "\n").Replace(kept(text))
	heading := strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ", "\u2028", " ", "\u2029", " ").Replace(kept(text)))
	events := got.Events()
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	value := func(p ics.ComponentProperty) string {
		if p := events[0].GetProperty(p); p != nil {
			return p.Value
		}
		return ""
	}
	if got := value(ics.ComponentPropertySummary); got != heading {
		t.Errorf("the summary is %q, want %q", got, heading)
	}
	if got := value(ics.ComponentPropertyDescription); !strings.HasPrefix(got, want) {
		t.Errorf("the description is %q, want %q", got, want)
	}
	if got := value(ics.ComponentPropertyStatus); got != "CANCELLED" {
		t.Errorf("the status is %q", got)
	}
}

func TestHostileCalendar(t *testing.T) {
	for _, text := range []string{
		"", hostile, "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", `\n\\n\;`, strings.Repeat(`\`, 500), strings.Repeat("\n", 500), strings.Repeat("שלום", 1000),
		strings.Repeat("👩‍👩‍👧", 500), strings.Repeat(" ", 300), strings.Repeat("a", 74) + "é", "\r", "https://example.com/\r\nX-EVIL:1",
	} {
		checkCalendar(t, text)
	}
}

// TestFold cuts between every two octets of a character.
func TestFold(t *testing.T) {
	for n := range 80 {
		f := &folder{}
		value := strings.Repeat("a", n) + "é😀\n\\" + strings.Repeat("ü", 100)
		f.text("X", value)
		got := lines(t, f.Bytes())
		if want := []string{"X:" + escape(value)}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		for l := range strings.SplitSeq(f.String(), "\r\n") {
			if (len(l)-len(strings.TrimRight(l, `\`)))%2 == 1 {
				t.Errorf("an escape is cut: %q", l)
			}
		}
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add("text")
	f.Add(hostile)
	f.Add("a\r\nEND:VEVENT\r\n")
	f.Fuzz(func(t *testing.T, text string) { checkCalendar(t, text) })
}

// FuzzRecurrence lets no rule break out of its line.
func FuzzRecurrence(f *testing.F) {
	f.Add("FREQ=WEEKLY;BYDAY=MO;UNTIL=20260101")
	f.Add("rrule:freq=daily\r\n")
	f.Fuzz(func(t *testing.T, rule string) {
		got, err := recurrence(rule, time.UTC)
		if err == nil && strings.Trim(got, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=;,+-") != "" {
			t.Errorf("%q became %q", rule, got)
		}
	})
}
