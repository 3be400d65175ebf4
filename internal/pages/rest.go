package pages

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/board"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

// campaign is a campaign as its pages show it.
type campaign struct {
	*ctx
	board.Campaign
	URL, Colour string
	From, To    Stamp // its days; To is the last one, inclusive
	First, Last Stamp
	Tally       []tally
	Total       int
	Gaps        []string
	Rows        []row
	Outside     []row
	Out         []outcome
	Published   int
	Open        int
	Calendar    string
}

func (m *maker) campaignOf(c *board.Campaign) campaign {
	v := campaign{
		ctx: m.ctx, Campaign: *c, URL: m.URL("/campaigns/", c.Name), Colour: m.CampaignColour(c.Name), First: m.At(c.First), Last: m.At(c.Last),
		Total: len(c.Rows), Calendar: m.URL("/calendar?campaign=", url.QueryEscape(c.Name)),
	}
	if m.Static { // which has no calendar of some posts only, but as a file to subscribe to
		v.Calendar = m.URL("/calendar/campaign/", c.Name, ".ics")
	}
	v.From = m.At(c.Starts)
	if !c.Ends.IsZero() {
		v.To = m.At(c.Ends.Add(-time.Second))
	}
	for _, s := range states() {
		if n := c.Count[s]; n > 0 {
			v.Tally = append(v.Tally, tally{State: s, Count: n, URL: m.URL("/posts?campaign=", url.QueryEscape(c.Name), "&state=", s)})
		}
	}
	v.Published = c.Count[board.Published] + c.Count[board.Changed]
	v.Open = v.Total - v.Published - c.Count[board.Withdrawn] - c.Count[board.Skipped]
	for _, g := range c.Gaps {
		from, to := g.Start.In(m.Location()), g.End.In(m.Location()).AddDate(0, 0, -1)
		if from.Format(time.DateOnly) == to.Format(time.DateOnly) {
			v.Gaps = append(v.Gaps, from.Format("2 Jan"))
		} else {
			v.Gaps = append(v.Gaps, from.Format("2 Jan")+" – "+to.Format("2 Jan"))
		}
	}
	return v
}

// campaigns is the page that lists campaigns.
func (m *maker) campaigns() {
	m.page.Title, m.page.Nav = "Campaigns", "Campaigns"
	v := struct {
		*ctx
		Campaigns []campaign
	}{ctx: m.ctx}
	for _, c := range m.board.Campaigns() {
		v.Campaigns = append(v.Campaigns, m.campaignOf(&c))
	}
	m.add("campaigns", "campaigns", v)
}

// campaignShown is how many posts the page of a campaign lists.
const campaignShown = 100

// campaign is the page of one campaign.
func (m *maker) campaign(name string) {
	c, ok := m.board.Campaign(name)
	if !ok {
		m.missing(fmt.Sprintf("site.yaml defines no campaign %q.", name))
		return
	}
	v := m.campaignOf(&c)
	m.page.Title, m.page.Nav = firstOf(c.Title, c.Name), "Campaigns"
	most := campaignShown
	if m.Static {
		most = staticPerPage
	}
	v.Rows = m.rows(c.Rows[:min(len(c.Rows), most)])
	v.Outside = m.rows(c.Outside[:min(len(c.Outside), 20)])
	v.Out = m.outcomes(c.Out[:min(len(c.Out), 40)])
	m.add("campaign", "campaign", v)
}

// problemsShown is how many findings the page of problems lists.
const problemsShown = 150

// fileProblems are the findings of one file.
type fileProblems struct {
	Path, Name, URL string
	Findings        []problem
}

// problem is a finding with where it stands, in words.
type problem struct {
	finding.Finding
	Place string
}

// problems is the page of all findings.
func (m *maker) problems(q url.Values) {
	m.page.Title, m.page.Nav = "Problems", "Problems"
	only, code := q.Get("severity"), q.Get("code")
	head := struct {
		*ctx
		Errors, Warnings, Infos int
		Only, Code              string
		Codes                   []choice
		Checked                 bool
		Total                   int
	}{ctx: m.ctx, Only: only, Code: code, Checked: m.in.Check != nil}
	head.Errors, head.Warnings, head.Infos = problems(m.board)
	head.Total = head.Errors + head.Warnings + head.Infos
	chosen := func(k board.Kind) bool {
		return (only == "" || k.Severity.String() == only) && (code == "" || string(k.Code) == code)
	}
	counts, n := map[string]int{}, 0
	for k, of := range m.board.Tally() {
		counts[string(k.Code)] += of
		if chosen(k) {
			n += of
		}
	}
	head.Codes = choices(counts, code)
	m.add("problems-head", "problems-head", head)

	list := struct {
		*ctx
		Files []fileProblems
		More  int
		None  bool
	}{ctx: m.ctx, None: head.Total == 0}
	found := m.board.Problems(min(n, problemsShown), chosen)
	list.More = n - len(found)
	for _, f := range found {
		if len(list.Files) == 0 || list.Files[len(list.Files)-1].Path != f.Path {
			file := fileProblems{Path: f.Path, Name: f.Path}
			if r, ok := m.board.Row(f.Path); ok {
				file.Name, file.URL = r.Name, m.URL("/posts/", r.Post.ID)
			}
			list.Files = append(list.Files, file)
		}
		last := &list.Files[len(list.Files)-1]
		p := problem{Finding: f, Place: "the file"}
		if f.Range.Start.Line > 0 {
			p.Place = fmt.Sprintf("line %d", f.Range.Start.Line)
		}
		last.Findings = append(last.Findings, p)
	}
	m.add("problems-list", "problems-list", list)
}

// account is an account with what its platform can do.
type account struct {
	*platform.Account
	platform.Info
	Colour   string
	Handle   string
	Server   string
	Can      []string
	Cannot   []string
	Secrets  []string
	Posts    int
	URL      string
	Calendar string
	Token    Stamp  // the day on which its token dies, by site.yaml
	Dead     bool   // it has
	Dying    bool   // it does soon
	Beyond   int    // how many posts are scheduled for afterwards
	Last     Stamp  // when it was last published to
	LastURL  string // and where that is
	Denied   *ledger.Record
	Held     string
}

// accounts is the page of accounts.
func (m *maker) accounts() {
	m.page.Title, m.page.Nav = "Accounts", "Accounts"
	cfg := m.in.Site.Config
	_, counts, _, _ := m.board.Facets(board.Filter{})
	v := struct {
		*ctx
		Accounts []account
	}{ctx: m.ctx}
	all := []string{"publish", "edit", "delete", "thread", "poll", "card", "visibility", "content_warning", "language", "find", "idempotent"}
	for i := range cfg.Accounts {
		a := &cfg.Accounts[i]
		info, caps := m.in.Site.Platform(a)
		x := account{
			Account: a, Info: info, Colour: colour(i), Handle: option(a, "handle"), Server: option(a, "server"), Posts: counts[a.Name],
			URL: m.URL("/posts?account=", a.Name), Calendar: m.URL("/calendar?account=", a.Name),
		}
		if m.Static {
			x.Calendar = m.URL("/calendar/account/", a.Name, ".ics")
		}
		if dies := a.TokenExpires; !dies.IsZero() {
			x.Token, x.Dead, x.Dying = m.At(dies), !dies.AddDate(0, 0, 1).After(m.in.Now), dies.Sub(m.in.Now) < tokenSoon
			x.Beyond = m.beyond(a)
		}
		names := caps.Names()
		for _, name := range all {
			if slices.Contains(names, name) {
				x.Can = append(x.Can, ability(name))
			} else {
				x.Cannot = append(x.Cannot, ability(name))
			}
		}
		for _, s := range info.Secrets {
			name := platform.EnvName(a.Name, s.Name)
			if s.Optional {
				name += " (optional)"
			}
			x.Secrets = append(x.Secrets, name)
		}
		for _, r := range m.in.Latest {
			if r.Account != a.Name {
				continue
			}
			if r.State == ledger.Published && x.Last.Zero() {
				x.Last = m.At(r.PublishedAt)
				if len(r.Parts) > 0 {
					x.LastURL = r.Parts[0].URL
				}
			}
		}
		if m.in.Ledger != nil {
			open, err := m.in.Ledger.Open()
			if err != nil {
				m.err = err
				return
			}
			for _, r := range open {
				if r.Account == a.Name && r.State == ledger.Denied {
					x.Denied = r
				}
			}
		}
		if reason, held := cfg.HeldBy(a.Name, ""); held {
			x.Held = reason
		}
		v.Accounts = append(v.Accounts, x)
	}
	m.add("accounts", "accounts", v)
}

// tokenSoon is how long before its end a token is worth a warning.
const tokenSoon = 14 * 24 * time.Hour

// beyond counts the posts that are scheduled for when an account's token has died, also those that something keeps back as yet: check
// counts them too, and by then it will be mended.
func (m *maker) beyond(a *platform.Account) (n int) {
	planned := []board.State{board.Scheduled, board.Held, board.Broken}
	for _, r := range m.board.Rows() {
		for i := range r.Targets {
			t := &r.Targets[i]
			if t.Account.Name == a.Name && slices.Contains(planned, t.State) && !t.At.Before(a.TokenExpires) {
				n++
			}
		}
	}
	return n
}

// ability says what a platform can do in words.
func ability(name string) string {
	switch name {
	case "publish":
		return "publish"
	case "edit":
		return "edit what is out"
	case "delete":
		return "take down what is out"
	case "thread":
		return "threads"
	case "poll":
		return "polls"
	case "card":
		return "link cards of our own"
	case "visibility":
		return "visibility"
	case "content_warning":
		return "content warnings"
	case "language":
		return "languages"
	case "find":
		return "look up what went out"
	case "idempotent":
		return "repeat without a double"
	default:
		return name
	}
}

// newPost is the form that starts a post.
func (m *maker) newPost(q url.Values) {
	m.page.Title, m.page.Nav = "New post", "Posts"
	v := struct {
		*ctx
		Name, At  string
		Accounts  []choice
		Campaigns []choice
		Slots     []choice
		Campaign  string
		Bundle    bool
	}{ctx: m.ctx, Name: q.Get("title"), At: q.Get("at"), Campaign: q.Get("campaign"), Bundle: q.Get("bundle") != ""}
	defaults := m.in.Site.Config.Defaults.Platforms
	for _, a := range m.in.Site.Config.Accounts {
		chosen := slices.Contains(defaults, a.Name) || slices.Contains(defaults, string(a.Platform))
		if picked := q["platforms"]; len(picked) > 0 {
			chosen = slices.Contains(picked, a.Name)
		}
		v.Accounts = append(v.Accounts, choice{Value: a.Name, Name: a.Name, Chosen: chosen})
	}
	for _, c := range m.in.Site.Config.Campaigns {
		v.Campaigns = append(v.Campaigns, choice{Value: c.Name, Name: firstOf(c.Title, c.Name), Chosen: c.Name == v.Campaign})
	}
	for _, s := range m.in.Site.Config.Schedule.Slots {
		v.Slots = append(v.Slots, choice{Value: s.Name, Name: s.Name, Chosen: s.Name == q.Get("slot")})
	}
	if v.At != "" && !strings.Contains(v.At, "T") && len(v.At) == len(time.DateOnly) {
		v.At += "T09:00"
	}
	m.add("new", "new", v)
}

// archive is the page of what went out.
func (m *maker) archive() {
	m.page.Title, m.page.Nav = "Archive", "Archive"
	m.add("archive", "archive", struct {
		*ctx
		Out []outcome
	}{m.ctx, m.outcomes(m.in.Latest)})
}
