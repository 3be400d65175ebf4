package pages

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/postrider/postrider/internal/board"
)

// perPage is how many posts a list shows.
const perPage = 60

// row is a post in a list. Templates find a field of its own several times as quickly as one that is embedded; what they ask for with every post
// stands here, too.
type row struct {
	*board.Row
	Name     string
	Author   string
	State    board.State
	URL      string
	When     Stamp
	Accounts []string
	Campaign string
	Why      string
}

func (c *ctx) rows(list []*board.Row) []row {
	out := make([]row, len(list))
	for i, r := range list {
		v := row{Row: r, Name: r.Name, Author: r.Author, State: r.State, URL: c.URL("/posts/", r.Post.ID), When: c.At(r.At)}
		for j := range r.Targets {
			t := &r.Targets[j]
			v.Accounts = append(v.Accounts, t.Account.Name)
			if v.Campaign == "" {
				v.Campaign = t.Campaign
			}
			if v.Why == "" && t.State == r.State {
				v.Why = t.Why
			}
		}
		out[i] = v
	}
	return out
}

// choice is one value of a filter.
type choice struct {
	Value, Name string
	Count       int
	Chosen      bool
}

func choices(counts map[string]int, chosen string) []choice {
	names := make([]string, 0, len(counts)+1)
	for name := range counts {
		names = append(names, name)
	}
	if _, ok := counts[chosen]; !ok && chosen != "" {
		names = append(names, chosen)
	}
	slices.Sort(names)
	out := make([]choice, len(names))
	for i, name := range names {
		out[i] = choice{Value: name, Name: name, Count: counts[name], Chosen: name == chosen}
		if name == "-" {
			out[i].Name = "without one"
		}
	}
	return out
}

// filterOf reads a filter from a page's query.
func filterOf(q url.Values) board.Filter {
	return board.Filter{
		Account: q.Get("account"), Campaign: q.Get("campaign"), Author: q.Get("author"), State: board.State(q.Get("state")), Text: q.Get("q"), Sort: board.Sort(q.Get("sort")),
	}
}

// posts is the page that lists posts.
func (m *maker) posts(q url.Values) {
	m.page.Title, m.page.Nav = "Posts", "Posts"
	if len(m.in.Site.Posts) == 0 {
		m.add("begin", "begin", m.ctx)
		return
	}
	f := filterOf(q)
	byState, accounts, campaigns, authors := m.board.Facets(f)
	head := struct {
		*ctx
		Filter                               board.Filter
		States, Accounts, Campaigns, Authors []choice
		Sorts                                []choice
		Filtered                             bool
	}{ctx: m.ctx, Filter: f, Accounts: choices(accounts, f.Account), Campaigns: choices(campaigns, f.Campaign), Authors: choices(authors, f.Author)}
	for _, s := range states() {
		if byState[s] > 0 || s == f.State {
			head.States = append(head.States, choice{Value: string(s), Name: stateName(s), Count: byState[s], Chosen: s == f.State})
		}
	}
	for _, s := range []choice{
		{Value: string(board.ByTime), Name: "what is next"}, {Value: string(board.ByOldest), Name: "oldest first"}, {Value: string(board.ByState), Name: "what presses most"},
		{Value: string(board.ByName), Name: "name"}, {Value: string(board.ByPath), Name: "file"},
	} {
		s.Chosen = s.Value == string(f.Sort)
		head.Sorts = append(head.Sorts, s)
	}
	head.Filtered = f != board.Filter{Sort: f.Sort}
	m.add("posts-head", "posts-head", head)

	total := byState[f.State]
	if f.State == "" {
		for _, n := range byState {
			total += n
		}
	}
	perPage := perPage
	if m.Static {
		perPage = staticPerPage
	}
	pages := max(1, (total+perPage-1)/perPage)
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	page = min(page, pages)
	from := (page - 1) * perPage
	list := struct {
		*ctx
		Rows               []row
		Total, Page, Pages int
		From, To           int
		Prev, Next         string
	}{ctx: m.ctx, Total: total, Page: page, Pages: pages, From: from + 1, To: min(from+perPage, total)}
	list.Rows = m.rows(m.board.Window(f, from, perPage))
	link := func(n int) string {
		if m.Static {
			return m.URL(postsPage(n))
		}
		next := url.Values{}
		for key, values := range q {
			if key != "page" && strings.Join(values, "") != "" {
				next[key] = values
			}
		}
		if n > 1 {
			next.Set("page", strconv.Itoa(n))
		}
		if len(next) == 0 {
			return m.URL("/posts")
		}
		return m.URL("/posts?", next.Encode())
	}
	if page > 1 {
		list.Prev = link(page - 1)
	}
	if page < pages {
		list.Next = link(page + 1)
	}
	m.add("posts-list", "posts-list", list)
}
