package board

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/ledger"
)

func TestMidnight(t *testing.T) {
	for _, tt := range []struct {
		zone, from string
		hours      []float64
	}{
		{"UTC", "2026-12-31", []float64{24, 24}},
		{"Europe/Berlin", "2026-03-28", []float64{24, 23, 24}},
		{"Europe/Berlin", "2026-10-24", []float64{24, 25, 24}},
		{"America/Santiago", "2026-09-05", []float64{24, 23, 24}},  // midnight is skipped
		{"America/Santiago", "2026-04-03", []float64{24, 25, 24}},  // 24:00 is 23:00 again
		{"America/Havana", "2026-10-31", []float64{24, 25, 24}},    // midnight comes twice
		{"America/Havana", "2026-03-07", []float64{24, 23, 24}},    // midnight is skipped
		{"Australia/Lord_Howe", "2026-04-04", []float64{24, 24.5}}, // half an hour
		{"Pacific/Apia", "2011-12-28", []float64{24, 24, 24}},      // a day is left out: the 30th begins when the 31st does
	} {
		loc := zone(t, tt.zone)
		day, err := time.ParseInLocation("2006-01-02", tt.from, loc)
		if err != nil {
			t.Fatal(err)
		}
		if tt.zone == "Pacific/Apia" {
			for n := range 6 { // it goes on, whatever the calendar does
				next := midnight(day, 1)
				if !next.After(day) || next.Sub(day) > 49*time.Hour {
					t.Fatalf("%s: day %d begins at %s after %s", tt.zone, n, next, day)
				}
				day = next
			}
			continue
		}
		for i, want := range tt.hours {
			next := midnight(day, 1)
			if got := next.Sub(day).Hours(); got != want || next.Add(-1).Day() == next.Day() {
				t.Errorf("%s: day %d from %s has %g hours, want %g; the next begins at %s", tt.zone, i, tt.from, got, want, next)
			}
			if again := midnight(next.Add(13*time.Hour), 0); !again.Equal(next) {
				t.Errorf("%s: the day of %s begins at %s", tt.zone, next.Add(13*time.Hour), again)
			}
			day = next
		}
	}
}

// sketch of a calendar: a line a day, with its events, and what is said of it.
func lines(days []Day) []string {
	var list []string
	for _, d := range days {
		var b strings.Builder
		b.WriteString(d.Date.Format("02 Mon"))
		for _, e := range d.Events {
			fmt.Fprintf(&b, " %s=%s/%d", e.At.Format("15:04"), e.Row.Post.ID, len(e.Targets))
			if e.Collides {
				b.WriteString("!")
			}
			if e.Occurrence {
				b.WriteString("+")
			}
			if e.State != Scheduled {
				b.WriteString(":" + string(e.State))
			}
		}
		if d.Gap {
			b.WriteString(" gap")
		}
		for _, c := range d.Campaigns {
			b.WriteString(" " + c.Name)
		}
		list = append(list, b.String())
	}
	return list
}

func TestDays(t *testing.T) {
	_, in := shelves(t)
	day := func(s string) time.Time { return clock(t, s+" 00:00") }
	for _, tt := range []struct {
		name     string
		from, to time.Time
		f        Filter
		drafts   bool
		want     []string
	}{
		{"all", day("2026-11-30"), day("2026-12-05"), Filter{}, false,
			[]string{"30 Mon gap", "01 Tue gap winter", "02 Wed 09:00=next/2! 09:10=else/2! winter", "03 Thu gap winter", "04 Fri gap winter"}},
		{"drafts are no posts", day("2026-12-03"), day("2026-12-04"), Filter{}, true, []string{"03 Thu 09:00=draft/1:draft gap winter"}},
		{"only drafts", day("2026-12-03"), day("2026-12-04"), Filter{State: Draft}, false, []string{"03 Thu 09:00=draft/1:draft winter"}},
		{"one account", day("2026-12-02"), day("2026-12-04"), Filter{Account: "fedi-de"}, false, []string{"02 Wed 09:00=next/1! 09:10=else/1! winter", "03 Thu winter"}},
		{"other accounts do not collide", day("2026-12-02"), day("2026-12-03"), Filter{Account: "fedi"}, false, []string{"02 Wed 09:10=else/1 winter"}},
		{"a campaign", day("2026-12-02"), day("2026-12-04"), Filter{Campaign: "german"}, false, []string{"02 Wed 09:00=next/1! 09:10=else/1!", "03 Thu"}},
		{"from the middle of a day", clock(t, "2026-12-02 13:00"), clock(t, "2026-12-02 14:00"), Filter{Text: "else"}, false, []string{"02 Wed 09:10=else/2! winter"}},
		{"before the first and behind the last", day("2026-09-30"), day("2026-10-02"), Filter{}, false, []string{"30 Wed", "01 Thu 09:00=older/1:published"}},
		{"the end of a campaign", day("2026-12-24"), day("2026-12-26"), Filter{}, false, []string{"24 Thu winter", "25 Fri"}},
		{"nothing", day("2026-12-24"), day("2026-12-24"), Filter{}, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in.Drafts = tt.drafts
			if diff := cmp.Diff(tt.want, lines(made(t, in).Days(tt.from, tt.to, tt.f, math.MaxInt))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if n := len(made(t, in).Days(day("0001-01-01"), day("9999-01-01"), Filter{}, math.MaxInt)); n != maxDays {
		t.Errorf("eight thousand years have %d days", n)
	}
}

func TestZones(t *testing.T) {
	b := made(t, Input{Now: clock(t, "2026-10-20 12:00"), Site: load(t, files(map[string]string{
		"a": "---\nid: tokyo\nplatforms: [bluesky]\ntimezone: Asia/Tokyo\npublish_at: 2026-10-25 06:30\n---\nHi\n", // 23:30 of the day before
		"b": "---\nid: early\nplatforms: [bluesky]\npublish_at: 2026-10-25 00:30\n---\nHi\n",
		"c": "---\nid: late\nplatforms: [bluesky]\npublish_at: 2026-10-25 23:30\n---\nHi\n",
		"d": "---\nid: next\nplatforms: [bluesky]\npublish_at: 2026-10-26 00:30\n---\nHi\n",
		"e": "---\nid: weekly\nplatforms: [fedi, fedi-de]\npublish_at: 2026-10-18 00:30\nrepeat: FREQ=WEEKLY\n---\nHi\n",
	}))})
	want := []string{"24 Sat 23:30=tokyo/1", "25 Sun 00:30=early/1 00:30=weekly/2+ 23:30=late/1", "26 Mon 00:30=next/1"}
	if diff := cmp.Diff(want, lines(b.Days(clock(t, "2026-10-24 00:00"), clock(t, "2026-10-27 00:00"), Filter{}, math.MaxInt))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r, _ := b.Row("tokyo")
	if got := r.At.Format("15:04 MST"); got != "06:30 JST" {
		t.Errorf("in the zone that it is written in it goes out at %s", got)
	}
}

func TestRepeats(t *testing.T) {
	fsys := files(map[string]string{
		"a": "---\nid: a\nplatforms: [bluesky, fedi]\npublish_at: 2026-12-01 09:00\nrepeat: FREQ=DAILY;COUNT=5\noverrides: {fedi: {publish_at: 2026-12-01 10:00}}\n---\nHi\n",
	})
	occurrence := func(at string, s ledger.State, account string) *ledger.Record {
		return record("a", account, s, func(r *ledger.Record) { r.Occurrence = at; r.Source = "0" })
	}
	b := made(t, Input{Site: load(t, fsys), Now: clock(t, "2026-12-03 09:30"), Ledger: newMapLedger(
		occurrence("20261201T080000Z", ledger.Published, "bluesky"), occurrence("20261201T090000Z", ledger.Withdrawn, "fedi"), occurrence("20261202T090000Z", ledger.Published, "fedi"))})
	want := []string{
		"30 Mon", "01 Tue 09:00=a/1:published 10:00=a/1:withdrawn winter", "02 Wed 09:00=a/1+:skipped 10:00=a/1+:published winter", "03 Thu 09:00=a/1+:due 10:00=a/1+ winter",
		"04 Fri 09:00=a/1+ 10:00=a/1+ winter", "05 Sat 09:00=a/1+ 10:00=a/1+ winter", "06 Sun winter",
	}
	if diff := cmp.Diff(want, lines(b.Days(clock(t, "2026-11-30 00:00"), clock(t, "2026-12-07 00:00"), Filter{}, math.MaxInt))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var next []string
	for _, e := range b.Today(9).Next {
		next = append(next, e.At.Format("02 15:04")+" "+string(e.State))
	}
	if diff := cmp.Diff([]string{"03 09:00 due", "03 10:00 scheduled"}, next); diff != "" {
		t.Errorf("today (-want +got)\n%s", diff)
	}
	d, err := b.Detail(b.Rows()[0])
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Targets[0].Next; !got.Equal(clock(t, "2026-12-04 09:00")) {
		t.Errorf("the next is at %s", got)
	}
}

func TestQuiet(t *testing.T) {
	fsys := files(map[string]string{"site.yaml": strings.Replace(testYAML, `["22:00-07:00"]`, `["22:00-07:00", "Sun 00:00-24:00", "12:00-13:00"]`, 1),
		"a": "---\nplatforms: [fedi]\npublish_at: 2026-10-23 09:00\n---\nHi\n", "b": "---\nplatforms: [fedi]\npublish_at: 2026-10-27 09:00\n---\nHi\n"})
	b := made(t, Input{Site: load(t, fsys), Now: clock(t, "2026-10-20 12:00")})
	var got []string
	for _, d := range b.Days(clock(t, "2026-10-24 00:00"), clock(t, "2026-10-27 00:00"), Filter{}, math.MaxInt) {
		line := d.Date.Format("02 Mon")
		for _, s := range d.Quiet {
			line += fmt.Sprintf(" %s+%gh", s.Start.Format("15:04"), s.End.Sub(s.Start).Hours())
		}
		if d.Gap {
			line += " gap"
		}
		got = append(got, line)
	}
	want := []string{"24 Sat 00:00+7h 12:00+1h 22:00+2h gap", "25 Sun 00:00+25h", "26 Mon 00:00+7h 12:00+1h 22:00+2h gap"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCollisions(t *testing.T) {
	posts := map[string]string{}
	for id, at := range map[string]string{"a": "08:00", "b": "08:14", "c": "08:29", "d": "08:44", "e": "23:55"} {
		posts[id] = fmt.Sprintf("---\nid: %s\nplatforms: [fedi]\npublish_at: 2026-12-02 %s\n---\nHi\n", id, at)
	}
	posts["f"] = "---\nid: f\nplatforms: [fedi]\npublish_at: 2026-12-03 00:05\n---\nHi\n"
	posts["g"] = "---\nid: g\nplatforms: [fedi]\npublish_at: 2026-12-02 12:00\n---\nHi\n"
	posts["h"] = "---\nid: h\nplatforms: [fedi]\ndraft: true\npublish_at: 2026-12-02 12:00\n---\nHi\n"
	posts["i"] = "---\nid: i\nplatforms: [fedi]\npublish_at: 2026-12-02 12:05\n---\nHi\n"
	in := Input{Site: load(t, files(posts)), Now: clock(t, "2026-12-01 12:00"), Drafts: true,
		Ledger: newMapLedger(record("i", "fedi", ledger.Published, func(r *ledger.Record) { r.Source = "0" }))}
	b := made(t, in)
	want := []string{"02 Wed 08:00=a/1! 08:14=b/1! 08:29=c/1 08:44=d/1 12:00=g/1! 12:00=h/1:draft 12:05=i/1:published 23:55=e/1! winter"}
	if diff := cmp.Diff(want, lines(b.Days(clock(t, "2026-12-02 00:00"), clock(t, "2026-12-03 00:00"), Filter{}, math.MaxInt))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, e := range b.Today(20).Next {
		if want := !slices.Contains([]string{"c", "d"}, e.Row.Post.ID); e.Collides != want {
			t.Errorf("today: %s collides: %t, want %t", e.Row.Post.ID, e.Collides, want)
		}
	}
}
