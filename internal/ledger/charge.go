package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/platform"
)

// Month is a month of the calendar: "2026-12".
type Month string

const monthForm = "2006-01"

// MonthOf returns the month that clocks show at a time, in the time's own zone.
func MonthOf(t time.Time) Month { return Month(t.Format(monthForm)) }

// String returns the month's name and year: "December 2026".
func (m Month) String() string {
	t, err := time.Parse(monthForm, string(m))
	if err != nil {
		return string(m)
	}
	return t.Format("January 2006")
}

// Ends returns the first instant after the month, by the clocks of a zone.
func (m Month) Ends(zone *time.Location) time.Time {
	t, err := time.ParseInLocation(monthForm, string(m), zone)
	if err != nil {
		return time.Time{}
	}
	end := time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, zone)
	if _, change := end.ZoneBounds(); MonthOf(end) == m { // clocks skip that midnight
		return change
	}
	return end
}

// valid reports whether it is a month, so that it can stand in a path.
func (m Month) valid() bool {
	_, err := time.Parse(monthForm, string(m))
	return err == nil && len(m) == len(monthForm)
}

// Charge is what a network is estimated to charge for what an attempt has sent or, as long as nobody knows how it has ended,
// for all that it may have sent.
type Charge struct {
	Month Month        `json:"month"` // of the calendar in the site's time zone, when the attempt was begun
	USD   platform.USD `json:"micro_usd"`
}

// sound reports whether a charge, which may be missing, can be one.
func (c Charge) sound() bool { return c == Charge{} || c.Month.valid() && c.USD >= 0 }

// Charges returns what a delivery is charged for in each month; nil for none. A month in which an attempt has turned out to be free
// is there, with 0. Of an attempt that has ended differently for two runs, the dearer end counts.
func (r *Record) Charges() map[Month]platform.USD {
	var all map[Month]platform.USD
	var last Attempt
	for _, a := range r.Attempts {
		if a.Charge.Month == "" {
			continue
		}
		if all == nil {
			all = map[Month]platform.USD{}
		}
		add := a.Charge.USD
		if a.N == last.N && a.Run == last.Run && a.Charge.Month == last.Charge.Month {
			if add = max(0, add-last.Charge.USD); add == 0 {
				continue
			}
		}
		all[a.Charge.Month] += add
		last = a
	}
	return all
}

// Settle corrects the charges of all attempts but the last, once it is known what they have made, and what that costs: those whose
// outcome was unknown keep no more than is left of it.
func (r *Record) Settle(cost platform.USD) {
	for i := range len(r.Attempts) - 1 {
		c := &r.Attempts[i].Charge
		if r.Attempts[i].Outcome == platform.Unknown.String() {
			c.USD = min(c.USD, cost)
		}
		cost = max(0, cost-c.USD)
	}
}

// spentPrefix begins the names of the files that say what was spent.
const spentPrefix = "spent-"

// SpentFile returns the name of the file, at the ledger's top, that says what was spent in a month.
func SpentFile(m Month) string { return spentPrefix + string(m) }

// IsSpentFile returns the month of such a file.
func IsSpentFile(name string) (Month, bool) {
	m, ok := strings.CutPrefix(name, spentPrefix)
	return Month(m), ok && Month(m).valid()
}

// Spent is what was spent in a month, delivery by delivery: the content of [SpentFile]. It follows from the records, and is
// written with them; by it, a run knows what an account has spent without reading a record.
type Spent map[ID]platform.USD

// Note replaces what a record says of the month.
func (s Spent) Note(m Month, r *Record) {
	if usd := r.Charges()[m]; usd > 0 {
		s[r.ID()] = usd
		return
	}
	delete(s, r.ID())
}

// By returns what an account has spent.
func (s Spent) By(account string) (total platform.USD) {
	for id, usd := range s {
		if id.Account == account {
			total += usd
		}
	}
	return total
}

// Encode returns the file: a line for each delivery, sorted, with millionths of a US dollar. It is nil, for no file, when there are none.
func (s Spent) Encode() []byte {
	lines := make([]string, 0, len(s))
	for id, usd := range s {
		lines = append(lines, fmt.Sprintf("%s %d\n", id, usd))
	}
	slices.Sort(lines)
	if len(lines) == 0 {
		return nil
	}
	return []byte(strings.Join(lines, ""))
}

// DecodeSpent reads such a file. Errors wrap [ErrFormat].
func DecodeSpent(b []byte) (Spent, error) {
	s := Spent{}
	for line := range bytes.Lines(b) {
		text, whole := strings.CutSuffix(string(line), "\n")
		name, number, _ := strings.Cut(text, " ")
		_, id, _, ok := ParsePath(string(Unsent) + "/" + name + ".json")
		usd, err := strconv.ParseInt(number, 10, 64)
		if _, twice := s[id]; !whole || !ok || id.String() != name || err != nil || usd < 1 || twice || number != strconv.FormatInt(usd, 10) {
			return nil, fmt.Errorf("%w: a list of deliveries and what they cost", ErrFormat)
		}
		s[id] = platform.USD(usd)
	}
	return s, nil
}

// Equal reports whether two say the same.
func (s Spent) Equal(t Spent) bool { return maps.Equal(s, t) }
