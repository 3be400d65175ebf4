package pages

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
)

// ctx is what all templates of a page can ask.
type ctx struct {
	Viewer
	set   *Set
	board *board.Board
	in    board.Input
}

func (s *Set) context(b *board.Board, v Viewer) *ctx {
	c := &ctx{Viewer: v, set: s, board: b}
	if b != nil {
		c.in = b.Input()
	}
	return c
}

// In is what the board is made of.
func (c *ctx) In() board.Input { return c.in }

// Now is when the page is made.
func (c *ctx) Now() Stamp { return c.At(c.in.Now) }

// SiteTitle is what the site is called.
func (c *ctx) SiteTitle() string {
	if c.in.Site == nil || c.in.Site.Config.Title == "" {
		return "Postrider"
	}
	return c.in.Site.Config.Title
}

// Location is the site's time zone.
func (c *ctx) Location() *time.Location {
	if c.in.Site == nil || c.in.Site.Config.Location == nil {
		return time.UTC
	}
	return c.in.Site.Config.Location
}

// CanWrite reports whether the viewer may change files.
func (c *ctx) CanWrite() bool { return !c.Static && !c.ReadOnly && !c.Loading && c.board != nil }

// URL returns the address of a page, given from the top of the site: "/posts/k3v9q2xh". In a static site it is relative, and empty
// where it has no such page: there are no answers to a query.
func (c *ctx) URL(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprint(&b, p)
	}
	if !c.Static {
		return b.String()
	}
	target, fragment, _ := strings.Cut(b.String(), "#")
	if strings.Contains(target, "?") || !c.there(target) {
		return ""
	}
	link := relative(FileOf(c.Here), FileOf(target))
	if fragment != "" {
		link += "#" + fragment
	}
	return link
}

// Asset returns the address of a style sheet, script or drawing.
func (c *ctx) Asset(name string) string { return c.URL("/assets/", c.set.assets[name].Name) }

// Media returns the address of a file of the site that a post shows: as it is sent, except in a static site.
func (c *ctx) Media(m platform.Media) string {
	if c.Shown != nil && !c.Shown(m.Path) {
		return ""
	}
	u := (&url.URL{Path: "/media/" + m.Path}).EscapedPath()
	if !c.Static && len(m.Digest) >= 12 {
		u += "?v=" + m.Digest[:12] // another version is another address
		if m.Fit != nil {
			u += "&fit=" + media.Recipe(*m.Fit).String()
		}
	}
	return c.URL(u)
}

// Query is what was searched for on this page.
func (c *ctx) Query() string {
	u, err := url.Parse(c.Here)
	if err != nil || u.Path != "/posts" {
		return ""
	}
	return u.Query().Get("q")
}

// FileOf returns the file that holds a page or another address of a static site: "posts/k3v9q2xh/index.html".
func FileOf(target string) string {
	target, _, _ = strings.Cut(target, "?")
	target, _, _ = strings.Cut(target, "#")
	if u, err := url.PathUnescape(target); err == nil {
		target = u
	}
	name := strings.TrimPrefix(path.Clean("/"+target), "/")
	if isFile(name) {
		return name
	}
	return path.Join(name, "index.html")
}

// relative returns the link from one file to another. It names the file, and not only its folder: without a server, browsers list a folder.
func relative(from, to string) string {
	up := strings.Count(from, "/")
	a, b := strings.Split(from, "/"), strings.Split(to, "/")
	for len(a) > 1 && len(b) > 1 && a[0] == b[0] {
		a, b, up = a[1:], b[1:], up-1
	}
	link := strings.Repeat("../", up) + strings.Join(b, "/")
	if strings.Contains(b[0], ":") { // which would read as a scheme
		link = "./" + link
	}
	return (&url.URL{Path: link}).EscapedPath()
}

// entry is an entry of the navigation.
type entry struct {
	Name, URL string
	Current   bool
	Count     int
	Of        string // what is counted
	Soft      bool   // nothing stops because of it
}

// layout is what the frame of all pages is made from.
type layout struct {
	*ctx
	Page *Page
}

// Version stands for the assets that the page is made with.
func (l *layout) Version() string { return l.set.Version() }

func (c *ctx) navigation(current string) []entry {
	entries := []entry{
		{Name: "Today", URL: "/"}, {Name: "Posts", URL: "/posts"}, {Name: "Calendar", URL: "/calendar"}, {Name: "Campaigns", URL: "/campaigns"},
		{Name: "Problems", URL: "/problems"}, {Name: "Accounts", URL: "/accounts"},
	}
	if c.Static {
		entries = append(entries, entry{Name: "Archive", URL: "/archive"})
	}
	if c.board != nil {
		p := &entries[4]
		errors, warnings, _ := problems(c.board)
		if p.Count, p.Of = errors, "errors"; errors == 0 {
			p.Count, p.Of, p.Soft = warnings, "warnings", true
		}
	}
	for i := range entries {
		entries[i].Current = entries[i].Name == current
		entries[i].URL = c.URL(entries[i].URL)
	}
	return entries
}

// problems counts what is wrong, by severity.
func problems(b *board.Board) (errors, warnings, infos int) {
	for kind, n := range b.Tally() {
		switch kind.Severity {
		case finding.Error:
			errors += n
		case finding.Warning:
			warnings += n
		case finding.Info:
			infos += n
		}
	}
	return errors, warnings, infos
}

// functions are what templates can call besides the methods of their data.
func functions() template.FuncMap {
	return template.FuncMap{
		"plural":  plural,
		"state":   stateName,
		"list":    func(items ...any) []any { return items },
		"sub":     func(a, b int) int { return a - b },
		"add":     func(a, b int) int { return a + b },
		"firstOf": func(values ...string) string { return cmp.Or(values...) },
		"join":    strings.Join,
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// stateName says a state in words.
func stateName(s board.State) string {
	switch s {
	case board.Attention:
		return "needs you"
	case board.Broken:
		return "has errors"
	case board.Sending:
		return "being sent"
	case board.Waiting:
		return "tries again"
	case board.Due:
		return "goes out when merged"
	case board.Changed:
		return "out, changed since"
	default:
		return string(s)
	}
}

// Stamp is a moment as people read it: in its own zone, and in others on request.
type Stamp struct {
	Time time.Time
	now  time.Time
}

func (c *ctx) stamp(t time.Time) Stamp { return Stamp{t, c.in.Now} }

// At returns a moment in the site's time zone.
func (c *ctx) At(t time.Time) Stamp {
	if t.IsZero() {
		return Stamp{}
	}
	return c.stamp(t.In(c.Location()))
}

// Zero reports whether there is no such moment.
func (s Stamp) Zero() bool { return s.Time.IsZero() }

// ISO is for machines.
func (s Stamp) ISO() string { return s.Time.Format(time.RFC3339) }

// Full is a date and time with its zone.
func (s Stamp) Full() string { return s.Time.Format("Mon 2 Jan 2006 15:04 MST") }

// Day is a date.
func (s Stamp) Day() string {
	if s.Time.Year() == s.now.In(s.Time.Location()).Year() {
		return s.Time.Format("Mon 2 Jan")
	}
	return s.Time.Format("2 Jan 2006")
}

// Clock is a time of day.
func (s Stamp) Clock() string { return s.Time.Format("15:04") }

// Short is a date and time as short as is clear: the year only where it is another one than now.
func (s Stamp) Short() string { return s.Day() + ", " + s.Clock() }

// UTC is the same moment in UTC.
func (s Stamp) UTC() string { return s.Time.UTC().Format("2 Jan 15:04 UTC") }

// Zone is its zone's name and offset.
func (s Stamp) Zone() string { return s.Time.Format("MST -07:00") }

// Local is for a field of type datetime-local.
func (s Stamp) Local() string { return s.Time.Format("2006-01-02T15:04") }

// Away says how far off it is: "in 3 hours", "2 days ago".
func (s Stamp) Away() string {
	d := s.Time.Sub(s.now)
	ago := d < 0
	if ago {
		d = -d
	}
	var words string
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		words = plural(int(d.Minutes()), "minute", "minutes")
	case d < 36*time.Hour:
		words = plural(int(d.Hours()+.5), "hour", "hours")
	case d < 60*24*time.Hour:
		words = plural(int(d.Hours()/24+.5), "day", "days")
	case d < 2*365*24*time.Hour:
		words = plural(int(d.Hours()/24/30.4+.5), "month", "months")
	default:
		words = plural(int(d.Hours()/24/365.25+.5), "year", "years")
	}
	if ago {
		return words + " ago"
	}
	return "in " + words
}

// option returns an option of an account that has the same key in site.yaml whatever the platform, such as "handle".
func option(a *platform.Account, key string) string {
	v := reflect.Indirect(reflect.ValueOf(a.Options))
	if v.Kind() != reflect.Struct {
		return ""
	}
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); tag == key && v.Field(i).Kind() == reflect.String {
			return v.Field(i).String()
		}
	}
	return ""
}

// palette is how many colours there are to tell accounts or campaigns apart.
const palette = 12

// colour returns the class of the colour of the i-th account or campaign; -1 has none.
func colour(i int) string {
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("k%d", i%palette)
}

// AccountColour returns the colour of an account.
func (c *ctx) AccountColour(name string) string {
	return colour(slices.IndexFunc(c.in.Site.Config.Accounts, func(a platform.Account) bool { return a.Name == name }))
}

// CampaignColour returns the colour of a campaign.
func (c *ctx) CampaignColour(name string) string {
	for i := range c.in.Site.Config.Campaigns {
		if c.in.Site.Config.Campaigns[i].Name == name {
			return colour(i)
		}
	}
	return ""
}
