package pages

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/ledger"
)

// dayShown is how many posts a day of the month shows.
const dayShown = 6

// day is a day of the calendar.
type day struct {
	board.Day
	Events []event
	More   int
	Date   Stamp
	Key    string // YYYY-MM-DD
	Other  bool   // it belongs to another month
	Today  bool
	Quiet  string
	Names  string // of the campaigns that run on it
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
	Hold                  string
	ICS                   string
}

// legend says what a colour means.
type legend struct{ Name, Colour string }

// calendar is the calendar: /calendar/2026-12, /calendar/week/2026-12-07, /calendar/list/2026-12.
func (m *maker) calendar(rest string, q url.Values) {
	view, at, ok := strings.Cut(rest, "/")
	if !ok && view != "week" && view != "list" {
		view, at = "month", view
	}
	loc := m.Location()
	now := m.in.Now.In(loc)
	when, err := now, error(nil)
	if at != "" {
		layout := "2006-01"
		if view == "week" {
			layout = time.DateOnly
		}
		when, err = time.ParseInLocation(layout, at, loc)
	}
	if err != nil || view != "month" && view != "week" && view != "list" || when.Year() < 1970 || when.Year() > 9000 {
		m.missing("The calendar has no such page.")
		return
	}
	m.page.Nav, m.page.Wide = "Calendar", true
	f := filterOf(q)
	by := q.Get("by")
	if by != "account" {
		by = "campaign"
	}
	day0 := time.Date(when.Year(), when.Month(), when.Day(), 0, 0, 0, 0, loc)
	first := time.Date(when.Year(), when.Month(), 1, 0, 0, 0, 0, loc)
	from, to := first, first.AddDate(0, 1, 0)
	head := calendarPage{ctx: m.ctx, View: view, By: by, Filter: f, Zone: m.At(first)}
	suffix := query(q, "by", "account", "campaign", "state")
	head.Month, head.List = m.URL("/calendar/", first.Format("2006-01"), suffix), m.URL("/calendar/list/", first.Format("2006-01"), suffix)
	head.Week = m.URL("/calendar/week/", monday(day0).Format(time.DateOnly), suffix)
	switch view {
	case "week":
		from = monday(day0)
		to = from.AddDate(0, 0, 7)
		_, week := from.ISOWeek()
		head.Title = fmt.Sprintf("Week %d, %s – %s", week, from.Format("2 Jan"), to.AddDate(0, 0, -1).Format("2 Jan 2006"))
		head.Prev, head.Next = m.URL("/calendar/week/", from.AddDate(0, 0, -7).Format(time.DateOnly), suffix), m.URL("/calendar/week/", to.Format(time.DateOnly), suffix)
		head.Now, head.Action = m.URL("/calendar/week", suffix), m.URL("/calendar/week/", from.Format(time.DateOnly))
		head.Month, head.List = m.URL("/calendar/", from.Format("2006-01"), suffix), m.URL("/calendar/list/", from.Format("2006-01"), suffix)
	default:
		prefix := "/calendar/"
		if view == "list" {
			prefix = "/calendar/list/"
		} else {
			from, to = monday(first), monday(to.AddDate(0, 0, 6))
		}
		head.Title = first.Format("January 2006")
		head.Prev, head.Next = m.URL(prefix, first.AddDate(0, -1, 0).Format("2006-01"), suffix), m.URL(prefix, first.AddDate(0, 1, 0).Format("2006-01"), suffix)
		head.Now, head.Action = m.URL(strings.TrimSuffix(prefix, "/"), suffix), m.URL(prefix, first.Format("2006-01"))
		if first.Month() == now.Month() && first.Year() == now.Year() {
			head.Week = m.URL("/calendar/week", suffix)
		}
	}
	m.page.Title = head.Title
	m.legend(&head, q)
	m.add("calendar-head", "calendar-head", head)

	days := m.days(from, to, f, by, view)
	for i := range days {
		days[i].Other = view == "month" && days[i].Date.Time.Month() != first.Month()
	}
	grid := struct {
		*ctx
		View string
		Days []day
		Dows []string
		None bool
	}{ctx: m.ctx, View: view, Days: days, Dows: []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, None: true}
	for i := range days {
		grid.None = grid.None && len(days[i].Events) == 0
	}
	if view == "list" {
		m.add("calendar", "calendar-list", grid)
		return
	}
	m.add("calendar", "calendar-month", grid)
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
	head.Holds = t.Holds
	if t.Hold != nil {
		head.Hold = t.Hold.Reason
	}
	switch {
	case head.Filter.Account != "" && head.Filter.Campaign == "":
		head.ICS = m.URL("/calendar/account/", head.Filter.Account, ".ics")
	case head.Filter.Campaign != "" && head.Filter.Campaign != "-" && head.Filter.Account == "":
		head.ICS = m.URL("/calendar/campaign/", head.Filter.Campaign, ".ics")
	default:
		head.ICS = m.URL("/calendar.ics")
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

// monday returns the midnight that begins the week of a day.
func monday(t time.Time) time.Time {
	back := (int(t.Weekday()) + 6) % 7
	return time.Date(t.Year(), t.Month(), t.Day()-back, 0, 0, 0, 0, t.Location())
}

func (m *maker) days(from, to time.Time, f board.Filter, by, view string) []day {
	list := m.board.Days(from, to, f)
	today := m.in.Now.In(m.Location()).Format(time.DateOnly)
	days := make([]day, len(list))
	for i, d := range list {
		v := day{Day: d, Date: m.At(d.Date), Key: d.Date.Format(time.DateOnly)}
		v.Today = v.Key == today
		shown := d.Events
		if most := dayShown; view == "month" && len(shown) > most {
			v.More = len(shown) - most
			shown = shown[:most]
		}
		v.Events = m.events(shown, by == "campaign")
		for j, s := range d.Quiet {
			if j > 0 {
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
		days[i] = v
	}
	return days
}

// clockEnd is the end of a stretch of a day: midnight is 24:00.
func clockEnd(t, date time.Time) string {
	if t.Format("15:04") == "00:00" && t.After(date) {
		return "24:00"
	}
	return t.Format("15:04")
}
