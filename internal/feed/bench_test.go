package feed

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// BenchmarkCalendar writes what a busy site's calendar has: a year of posts, some of which repeat.
func BenchmarkCalendar(b *testing.B) {
	l := zone(b, "Europe/Berlin")
	c := Calendar{Name: "Site", Zone: l}
	for i := range 2000 {
		e := Event{UID: fmt.Sprint(i, "@example.com"), Start: time.Date(2026, 1, 1, i, 0, 0, 0, l), Summary: "A post", Description: strings.Repeat("Some words. ", 30)}
		if i%100 == 0 {
			e.Repeat = "FREQ=WEEKLY"
		}
		c.Events = append(c.Events, e)
	}
	for b.Loop() {
		if err := WriteCalendar(io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkZone(b *testing.B) {
	for _, name := range []string{"Europe/Berlin", "Africa/Casablanca"} {
		b.Run(name, func(b *testing.B) {
			l, since := zone(b, name), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for b.Loop() {
				writeZone(&folder{}, name, l, since)
			}
		})
	}
}
