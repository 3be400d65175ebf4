package config

import (
	"fmt"
	"strings"
	"time"
)

// ParseDuration reads a length of time such as "90m", "6h", "2d", "1w" or "1d12h". Days have 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	const limit = 100 * 366 * 24 * time.Hour
	rest, days := s, 0
	for _, unit := range [...]struct {
		letter string
		days   int
	}{{"w", 7}, {"d", 1}} {
		number, after, ok := strings.Cut(rest, unit.letter)
		if !ok {
			continue
		}
		n, err := digits(number, 5)
		if err != nil {
			return 0, fmt.Errorf("%q is not a length of time", s)
		}
		days, rest = days+n*unit.days, after
	}
	d := time.Duration(0)
	if rest != "" || s == "" {
		var err error
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, fmt.Errorf("%q is not a length of time", s)
		}
	}
	if d < 0 || d > limit || days > int(limit/(24*time.Hour)) {
		return 0, fmt.Errorf("%q is not between 0 and 100 years", s)
	}
	return d + time.Duration(days)*24*time.Hour, nil
}

// digits reads a number of one to most decimal digits.
func digits(s string, most int) (int, error) {
	if s == "" || len(s) > most {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is not a number", s)
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}
