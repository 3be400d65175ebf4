package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/teambition/rrule-go"
)

// errNoStart is the reason a repeated post without a time cannot be planned.
var errNoStart = errors.New("a repeated post needs publish_at, its first time")

// occurrences returns the latest time at or before now at which a repeated post was due, and the
// earliest after it; either may be zero. Only the latest one ever goes out: a site that was off for
// weeks does not catch up with a burst.
func occurrences(t Target, now time.Time) (latest, upcoming time.Time, err error) {
	if t.Due.IsZero() {
		return latest, upcoming, errNoStart
	}
	options, err := rrule.StrToROptionInLocation(t.Repeat, t.Due.Location())
	if err != nil {
		return latest, upcoming, fmt.Errorf("repeat %q: %w", t.Repeat, err)
	}
	if options.Freq > rrule.DAILY {
		return latest, upcoming, fmt.Errorf("repeat %q: more often than daily is not supported", t.Repeat)
	}
	options.Dtstart = t.Due
	rule, err := rrule.NewRRule(*options)
	if err != nil {
		return latest, upcoming, fmt.Errorf("repeat %q: %w", t.Repeat, err)
	}
	return rule.Before(now, true), rule.After(now, false), nil
}
