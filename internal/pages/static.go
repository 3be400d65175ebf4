package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
)

const (
	// staticPerPage is how many posts a list of a static site shows.
	staticPerPage = 500
	// staticAhead is how many months of a post that repeats for ever a static site's calendar has, and staticBehind how many years.
	staticAhead, staticBehind = 12, 9
)

// Tree is which pages a static site has, so that none of them links to one that is not there.
type Tree struct {
	pages  []string
	has    map[string]bool
	months []string // those of the calendar, sorted
}

// NewTree returns the pages that a static site of a board consists of.
func NewTree(b *board.Board) *Tree {
	in := b.Input()
	t := &Tree{has: map[string]bool{}, months: staticMonths(b)}
	t.add("/", "/posts", "/calendar", "/calendar/list", "/campaigns", "/problems", "/accounts", "/archive")
	for n := 2; n <= (len(in.Site.Posts)+staticPerPage-1)/staticPerPage; n++ {
		t.add(postsPage(n))
	}
	for _, m := range t.months {
		t.add("/calendar/"+m, "/calendar/list/"+m)
	}
	for _, c := range b.Campaigns() {
		t.add("/campaigns/" + c.Name)
	}
	for _, p := range in.Site.Posts {
		t.add("/posts/" + p.ID)
	}
	return t
}

// add adds pages. Two posts of one id share one.
func (t *Tree) add(pages ...string) {
	for _, p := range pages {
		if !t.has[p] {
			t.has[p] = true
			t.pages = append(t.pages, p)
		}
	}
}

// Pages returns the addresses of all pages, each as [Viewer.Here] takes it.
func (t *Tree) Pages() []string { return t.pages }

// near returns the month of the calendar that comes before another one, or after it; empty where there is none.
func (t *Tree) near(month string, after bool) string {
	i, found := slices.BinarySearch(t.months, month)
	switch {
	case !after:
		i--
	case found:
		i++
	}
	if i < 0 || i >= len(t.months) {
		return ""
	}
	return t.months[i]
}

// postsPage returns the address of the n-th page of a static site's posts.
func postsPage(n int) string {
	if n <= 1 {
		return "/posts"
	}
	return "/posts/page/" + strconv.Itoa(n)
}

// staticMonths returns the months in which posts go out, this one, and those around it, sorted.
func staticMonths(b *board.Board) []string {
	in := b.Input()
	loc := in.Site.Config.Location
	if loc == nil {
		loc = time.UTC
	}
	seen := map[string]bool{}
	add := func(t time.Time) {
		if y := t.Year(); y >= firstYear && y <= lastYear {
			seen[t.Format(monthOnly)] = true
		}
	}
	now := dateOf(in.Now.In(loc))
	month := now.AddDate(0, 0, 1-now.Day())
	for n := -1; n <= 1; n++ {
		add(month.AddDate(0, n, 0))
	}
	from := in.Now // of what repeats
	for _, r := range b.Posts(board.Filter{}) {
		for i := range r.Targets {
			t := &r.Targets[i]
			switch {
			case t.At.IsZero(), t.State == board.Draft && !in.Drafts:
				continue
			case t.Repeat != "" && t.At.Before(from):
				from = t.At
			}
			add(t.At.In(loc))
		}
	}
	if first := in.Now.AddDate(-staticBehind, 0, 0); from.Before(first) {
		from = first
	}
	for _, d := range b.Days(from, month.AddDate(0, staticAhead+1, 0), board.Filter{}, 1) {
		if len(d.Events) > 0 {
			add(d.Date)
		}
	}
	months := make([]string, 0, len(seen))
	for m := range seen {
		months = append(months, m)
	}
	slices.Sort(months)
	return months
}

// neighbours leads a month of a static site's calendar to the ones before and after it that there are.
func (m *maker) neighbours(head *calendarPage, month string) {
	prefix := "/calendar/"
	if head.View == "list" {
		prefix = "/calendar/list/"
	}
	head.Prev, head.Next = "", ""
	if before := m.Tree.near(month, false); before != "" {
		head.Prev = m.URL(prefix, before)
	}
	if after := m.Tree.near(month, true); after != "" {
		head.Next = m.URL(prefix, after)
	}
}

// there reports whether a static site has what an address leads to.
func (c *ctx) there(target string) bool {
	return c.Tree == nil || c.Tree.has[target] || isFile(strings.TrimPrefix(target, "/"))
}

// isFile reports whether a static site has a file of this very name, and not a page.
func isFile(name string) bool {
	switch name {
	case "feed.xml", "atom.xml", "feed.json", "calendar.ics":
		return true
	}
	if rest, ok := strings.CutPrefix(name, "calendar/"); ok {
		return strings.HasSuffix(rest, ".ics")
	}
	return strings.HasPrefix(name, "assets/") || strings.HasPrefix(name, "media/")
}
