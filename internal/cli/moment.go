package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/postrider/postrider/internal/config"
)

// momentHint says how a moment is written on the command line.
const momentHint = "write it as 2026-12-24, 2026-12-24 09:00, 2026-12-24T09:00:00+01:00, or as how long ago it is: 90m, 12h, 7d, 2w"

// parseMoment reads a moment of the past as people write it: RFC 3339, a day or a minute in the site's time zone, or how long ago it
// is. A day begins at its first instant, or ends with its last when end is true.
func parseMoment(text string, now time.Time, zone *time.Location, end bool) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if end {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	if n := len(text) - 1; n > 0 {
		units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
		count, err := strconv.ParseUint(text[:n], 10, 16) // 65,535 weeks are far below what a duration holds
		if unit, ok := units[text[n]]; ok && err == nil {
			return now.Add(-time.Duration(count) * unit), nil
		}
	}
	return time.Time{}, &usageError{msg: fmt.Sprintf("%q is not a time", text), hint: momentHint}
}

// momentFlag reads the moment that a flag names; it is the zero time when the flag was not given.
func (a *app) momentFlag(text string, cfg *config.Site, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return parseMoment(text, a.Now(), cfg.Location, end)
}
