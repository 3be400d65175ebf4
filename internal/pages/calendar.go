package pages

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
)

// How many posts a day shows: in a month and in a week of the grid, in a month's list, and in a list of one day. A day has a link to the
// next larger view of what it leaves out. A static site's lists have everything.
const (
	monthShown, weekShown  = 4, 20
	listShown, oneDayShown = 5, 150
)

// day is a day of the calendar.
type day struct {
	board.Day
	Events  []event
	Gap     bool
	More    int    // events that are not in Events
	MoreURL string // where they are; empty where they are nowhere
	Date    Stamp
	Key     string // YYYY-MM-DD
	Other   bool   // it belongs to another month
	Today   bool
	Quiet   string
	Names   string // of the campaigns that run on it
}

// calendarPage is the head of all calendars.
type calendarPage struct {
	*ctx
	View                  string // month, week or list
	Title                 string
	Prev, Next, Now       string
	Month, Week, List     string // addresses of the other views
	By                    string // account or campaign: what the colours mean
	ByAccount, ByCampaign string
	Filter                board.Filter
	Accounts, Campaigns   []choice
	Legend                []legend
	Zone                  Stamp
	Action                string
	Holds                 []ledger.Hold
	Hold                  *config.Hold
	ICS                   string
}

// legend says what a colour means.
type legend struct{ Name, Colour string }

// calendar is the calendar: /calendar/2026-12, /calendar/week/2026-12-07, /calendar/list/2026-12, /calendar/list/2026-12-07.
//
// It reckons with dates, at midnight UTC: not every date has a midnight in the site's zone. Only what the board is asked for is a time.
func (m *maker) calendar(rest string, q url.Values) {
	view, at, ok := strings.Cut(rest, "/")
	if !ok && view != "week" && view != "list" {
		view, at = "month", view
	}
	today := dateOf(m.in.Now.In(m.Location()))
	when, one, err := today, false, error(nil) // one: a list of one day
	switch {
	case at == "":
	case view == "week", view == "list" && len(at) == len(time.DateOnly):
		one = view == "list"
		when, err = time.Parse(time.DateOnly, at)
	default:
		when, err = time.Parse(monthOnly, at)
	}
	if err != nil || view != "month" && view != "week" && view != "list" || when.Year() < firstYear || when.Year() > lastYear {
		m.missing("The calendar has no such page.")
		return
	}
	m.page.Nav, m.page.Wide = "Calendar", true
	suffix := query(q, "by", "account", "campaign", "state")
	month := func(t time.Time) string { return m.URL("/calendar/", t.Format(monthOnly), suffix) }
	list := func(t time.Time) string { return m.URL("/calendar/list/", t.Format(monthOnly), suffix) }
	oneDay := func(t time.Time) string { return m.URL("/calendar/list/", t.Format(time.DateOnly), suffix) }
	week := func(t time.Time) string { return m.URL("/calendar/week/", monday(t).Format(time.DateOnly), suffix) }

	head := calendarPage{ctx: m.ctx, View: view, By: "campaign", Filter: filterOf(q), Month: month(when), Week: week(when), List: list(when)}
	if q.Get("by") == "account" {
		head.By = "account"
	}
	first := when.AddDate(0, 0, 1-when.Day())
	from, to := first, first.AddDate(0, 1, -1) // the first and the last day that are shown
	most, more := listShown, oneDay
	switch {
	case view == "week":
		from = monday(when)
		to = from.AddDate(0, 0, 6)
		most = weekShown
		_, number := from.ISOWeek()
		head.Title = fmt.Sprintf("Week %d, %s – %s", number, from.Format("2 Jan"), to.Format("2 Jan 2006"))
		head.Prev, head.Next = week(from.AddDate(0, 0, -7)), week(from.AddDate(0, 0, 7))
		head.Now, head.Action = m.URL("/calendar/week", suffix), m.URL("/calendar/week/", from.Format(time.DateOnly))
		head.Month, head.List = month(from), list(from)
	case one:
		from, to = when, when
		most, more = oneDayShown, nil
		head.Title = when.Format("Monday, 2 January 2006")
		head.Prev, head.Next = oneDay(when.AddDate(0, 0, -1)), oneDay(when.AddDate(0, 0, 1))
		head.Now, head.Action = oneDay(today), m.URL("/calendar/list/", when.Format(time.DateOnly))
	case view == "list":
		head.Title = first.Format("January 2006")
		head.Prev, head.Next = list(first.AddDate(0, -1, 0)), list(first.AddDate(0, 1, 0))
		head.Now, head.Action = m.URL("/calendar/list", suffix), m.URL("/calendar/list/", first.Format(monthOnly))
	default:
		from, to = monday(first), monday(to).AddDate(0, 0, 6)
		most = monthShown
		head.Title = first.Format("January 2006")
		head.Prev, head.Next = month(first.AddDate(0, -1, 0)), month(first.AddDate(0, 1, 0))
		head.Now, head.Action = m.URL("/calendar", suffix), m.URL("/calendar/", first.Format(monthOnly))
	}
	if view != "week" && !one && first.Equal(today.AddDate(0, 0, 1-today.Day())) {
		head.Week = week(today)
	}
	if m.Static { // there are no pages of weeks, nor of days
		more = list
		if view == "list" {
			most = math.MaxInt
		}
	}
	if m.Static && m.Tree != nil {
		m.neighbours(&head, first.Format(monthOnly))
	}
	head.Zone = m.At(m.noon(when))
	m.page.Title = head.Title
	m.legend(&head, q)
	m.add("calendar-head", "calendar-head", head)

	grid := struct {
		*ctx
		View string
		Days []day
		Dows []string
		None bool
	}{ctx: m.ctx, View: view, Dows: []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, None: true}
	for _, d := range m.board.Days(m.noon(from), m.noon(to), head.Filter, most) {
		v := m.day(d, head.By == "campaign")
		v.Today = v.Key == today.Format(time.DateOnly)
		v.Other = view == "month" && v.Date.Time.Month() != first.Month()
		if v.More > 0 && more != nil {
			v.MoreURL = more(dateOf(d.Date))
		}
		grid.None = grid.None && len(v.Events) == 0
		grid.Days = append(grid.Days, v)
	}
	if view == "list" {
		m.add("calendar", "calendar-list", grid)
		return
	}
	m.add("calendar", "calendar-month", grid)
}

// The calendar has pages of these years.
const firstYear, lastYear = 1970, 9000

// monthOnly is how addresses name a month.
const monthOnly = "2006-01"

// dateOf returns the date of a moment in its own zone, as midnight UTC.
func dateOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// noon returns the middle of a date in the site's zone, which is on that date in every zone.
func (c *ctx) noon(date time.Time) time.Time {
	return time.Date(date.Year(), date.Month(), date.Day(), 12, 0, 0, 0, c.Location())
}

// legend fills what the colours mean, and the filters.
func (m *maker) legend(head *calendarPage, q url.Values) {
	_, accounts, campaigns, _ := m.board.Facets(head.Filter)
	head.Accounts, head.Campaigns = choices(accounts, head.Filter.Account), choices(campaigns, head.Filter.Campaign)
	if head.By == "campaign" {
		for i, c := range m.in.Site.Config.Campaigns {
			head.Legend = append(head.Legend, legend{firstOf(c.Title, c.Name), colour(i)})
		}
	} else {
		for i, a := range m.in.Site.Config.Accounts {
			head.Legend = append(head.Legend, legend{a.Name, colour(i)})
		}
	}
	other := func(by string) string {
		next := url.Values{}
		for _, key := range []string{"account", "campaign", "state"} {
			if v := q.Get(key); v != "" {
				next.Set(key, v)
			}
		}
		next.Set("by", by)
		return head.Action + "?" + next.Encode()
	}
	head.ByAccount, head.ByCampaign = other("account"), other("campaign")
	t := m.board.Today(0)
	head.Holds, head.Hold = t.Holds, t.Hold
	_, account := m.in.Site.Config.Account(head.Filter.Account)
	_, campaign := m.in.Site.Config.Campaign(head.Filter.Campaign)
	switch {
	case account && head.Filter.Campaign == "":
		head.ICS = m.URL("/calendar/account/", head.Filter.Account, ".ics")
	case campaign && head.Filter.Account == "":
		head.ICS = m.URL("/calendar/campaign/", head.Filter.Campaign, ".ics")
	default:
		head.ICS = m.URL("/calendar.ics")
	}
	if m.Key != "" {
		head.ICS += "?key=" + url.QueryEscape(m.Key)
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// query returns those of a page's parameters that hold for its neighbours too.
func query(q url.Values, keys ...string) string {
	next := url.Values{}
	for _, key := range keys {
		if v := q.Get(key); v != "" {
			next.Set(key, v)
		}
	}
	if len(next) == 0 {
		return ""
	}
	return "?" + next.Encode()
}

// monday returns the date of the Monday of a date's week.
func monday(date time.Time) time.Time { return date.AddDate(0, 0, -(int(date.Weekday())+6)%7) }

// day prepares a day for templates.
func (m *maker) day(d board.Day, byCampaign bool) day {
	v := day{
		Day: d, Events: m.events(d.Events, byCampaign), Gap: d.Gap, More: d.More, Date: m.At(d.Date), Key: d.Date.Format(time.DateOnly),
	}
	for i, s := range d.Quiet {
		if i > 0 {
			v.Quiet += ", "
		}
		v.Quiet += s.Start.In(m.Location()).Format("15:04") + "–" + clockEnd(s.End.In(m.Location()), d.Date)
	}
	var names []string
	for _, c := range d.Campaigns {
		names = append(names, firstOf(c.Title, c.Name))
	}
	slices.Sort(names)
	v.Names = strings.Join(names, ", ")
	return v
}

// clockEnd is the end of a stretch of a day: midnight is 24:00.
func clockEnd(t, date time.Time) string {
	if t.Format("15:04") == "00:00" && t.After(date) {
		return "24:00"
	}
	return t.Format("15:04")
}
