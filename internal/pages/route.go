package pages

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/config"
)

// frame are the templates around the blocks of a page.
func frame() []string { return []string{"layout", "sprite"} }

// names are the templates that every set of templates must have.
func names() []string {
	return []string{
		"layout", "nav", "sprite", "card", "notices", "today", "posts-head", "posts-list", "post-head", "post-source", "post-target", "post-move", "calendar-head", "calendar-month",
		"calendar-list", "campaigns", "campaign", "problems-head", "problems-list", "accounts", "new", "begin", "reading", "missing", "archive", "sheet", "sheet-style",
	}
}

// Page makes the page at v.Here. An error is a [*TemplateError], or what the ledger could not be asked.
func (s *Set) Page(b *board.Board, v Viewer) (*Page, error) {
	u, err := url.Parse(v.Here)
	if err != nil {
		u = &url.URL{Path: "/?"} // which no page has
	}
	m := &maker{ctx: s.context(b, v), page: &Page{Status: http.StatusOK}}
	m.notices()
	m.route(u)
	if m.err == nil {
		m.page.Navigation = m.block("nav", "nav", m.navigation(m.page.Nav))
	}
	if m.err != nil {
		return nil, m.err
	}
	return m.page, nil
}

// route calls the page's own function.
func (m *maker) route(u *url.URL) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	query := u.Query()
	switch {
	case m.board == nil || m.Loading && len(m.in.Site.Posts) == 0:
		m.page.Title = "Reading the site"
		m.add("reading", "reading", m.ctx)
	case u.Path == "/":
		m.today()
	case first == "posts" && rest == "":
		m.posts(query)
	case first == "posts" && m.Static && strings.HasPrefix(rest, "page/"):
		m.posts(url.Values{"page": {strings.TrimPrefix(rest, "page/")}})
	case first == "posts":
		m.post(rest)
	case first == "calendar":
		m.calendar(rest, query)
	case first == "campaigns" && rest == "":
		m.campaigns()
	case first == "campaigns":
		m.campaign(rest)
	case first == "problems" && rest == "":
		m.problems(query)
	case first == "accounts" && rest == "":
		m.accounts()
	case first == "archive" && rest == "":
		m.archive()
	case first == "new" && rest == "" && m.CanWrite():
		m.newPost(query)
	default:
		m.missing("There is no such page.")
	}
}

// missing says that what the page is about is not there.
func (m *maker) missing(why string) {
	m.page.Title, m.page.Status = "Not found", http.StatusNotFound
	m.add("missing", "missing", struct {
		*ctx
		Why string
	}{m.ctx, why})
}

// notices says what is wrong with the preview itself and with site.yaml, and what was just done.
func (m *maker) notices() {
	var broken []configProblem
	if m.board != nil {
		for _, f := range m.in.Site.Findings {
			if f.Path == config.File {
				broken = append(broken, configProblem{Severity: f.Severity.String(), Line: f.Range.Start.Line, Message: f.Message, Hint: f.Hint, Code: string(f.Code)})
			}
		}
	}
	if !m.Loading && m.Trouble == "" && m.Wrong == "" && m.Done == "" && len(broken) == 0 && !m.NoGit {
		return
	}
	m.add("notices", "notices", struct {
		*ctx
		Config []configProblem
	}{m.ctx, broken})
}

// configProblem is a finding about site.yaml.
type configProblem struct {
	Severity, Message, Hint, Code string
	Line                          int
}
