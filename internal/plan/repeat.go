package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/teambition/rrule-go"
)

// errNoStart is the reason a repeated post without a time cannot be planned.
var errNoStart = errors.New("a repeated post needs publish_at, its first time")

// Repeat is when a repeated post goes out. It is safe for concurrent use.
type Repeat struct{ rule *rrule.RRule }

// ParseRepeat reads a post's `repeat:`, an RRULE. It repeats by the wall clock of first's zone.
func ParseRepeat(repeat string, first time.Time) (*Repeat, error) {
	if first.IsZero() {
		return nil, errNoStart
	}
	options, err := rrule.StrToROptionInLocation(repeat, first.Location())
	if err != nil {
		return nil, fmt.Errorf("repeat %q: %w", repeat, err)
	}
	if options.Freq > rrule.DAILY {
		return nil, fmt.Errorf("repeat %q: more often than daily is not supported", repeat)
	}
	options.Dtstart = first
	rule, err := rrule.NewRRule(*options)
	if err != nil {
		return nil, fmt.Errorf("repeat %q: %w", repeat, err)
	}
	return &Repeat{rule}, nil
}

// Around returns the latest time at or before now at which the post was due, and the earliest after it; either may be zero.
// Only the latest one ever goes out: a site that was off for weeks does not catch up with a burst.
func (r *Repeat) Around(now time.Time) (latest, upcoming time.Time) {
	return r.rule.Before(now, true), r.rule.After(now, false)
}

// Between returns the times from from to before to.
func (r *Repeat) Between(from, to time.Time) []time.Time {
	return r.rule.Between(from, to.Add(-1), true)
}

// Occurrence writes the time of one of a repeated post's occurrences as the ledger names it, see [ledger.ID].
func Occurrence(t time.Time) string { return t.UTC().Format("20060102T150405Z") }
