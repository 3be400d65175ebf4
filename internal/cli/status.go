package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/site"
)

func (a *app) statusCommand() *cobra.Command {
	var f statusFlags
	cmd := &cobra.Command{
		Use:     "status [POST]",
		GroupID: groupPublish,
		Short:   "Show what happened, from the ledger",
		Long: `Show the records of the ledger: what went out, where and when, what did not, and why. POST is a
post's id or the path of its file; where it was never begun, it is said why. Without it, all records
are meant, those that need attention first, then the latest; people are shown the first 100 of them,
--json gives all.

The time of a record is when it went out, was taken down, or was last tried. TIME is a day, a
moment (2026-12-24 09:00), or how long ago: 90m, 12h, 7d, 2w.`,
		Example: `  postrider status
  postrider status content/2026/12/launch.md
  postrider status --since 7d --account bluesky
  postrider status --state unknown,denied --json
  postrider status --campaign winter-launch --until 2026-12-24 --limit 0`,
		Args: argsBetween(0, 1, "at most one post"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			for _, s := range f.states {
				if !slices.Contains(ledger.States(), ledger.State(s)) {
					return &usageError{msg: fmt.Sprintf("there is no state %q", s), hint: "states are " + stateNames()}
				}
			}
			if f.limit < 0 {
				return usagef(cmd, "takes a --limit of 0, for none, or more")
			}
			if !cmd.Flags().Changed("limit") {
				f.limit = statusLimit
				if f.json || len(args) > 0 {
					f.limit = 0
				}
			}
			desk, repo, err := a.lookDesk(cmd.Context(), f.deskFlags)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			return a.status(cmd.Context(), desk, repo, args, &f)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.offline, "offline", false, "do not ask the remote")
	flags.StringSliceVar(&f.states, "state", nil, "only records in these `STATES`")
	flags.StringSliceVar(&f.accounts, "account", nil, "only these `ACCOUNTS`")
	flags.StringSliceVar(&f.platforms, "platform", nil, "only these `PLATFORMS`")
	flags.StringSliceVar(&f.campaigns, "campaign", nil, "only these `CAMPAIGNS`")
	flags.StringVar(&f.since, "since", "", "only from `TIME` on")
	flags.StringVar(&f.until, "until", "", "only before `TIME`; a day is included")
	flags.IntVar(&f.limit, "limit", statusLimit, "at most `N` records, 0 for all")
	return cmd
}

// statusLimit is how many records people are shown who do not ask for another number.
const statusLimit = 100

// statusFlags are what status is asked.
type statusFlags struct {
	deskFlags
	states, accounts, platforms, campaigns []string
	since, until                           string
	limit                                  int
}

// narrowed reports whether only some records are asked for.
func (f *statusFlags) narrowed() bool {
	return len(f.states)+len(f.accounts)+len(f.platforms)+len(f.campaigns) > 0 || f.since != "" || f.until != ""
}

func stateNames() string {
	var names []string
	for _, s := range ledger.States() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// status writes the records that are asked for. It goes through them one by one and keeps no more of each than what it
// prints: a ledger holds everything that ever went out.
func (a *app) status(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, args []string, f *statusFlags) error {
	q, err := a.query(ctx, desk, repo, f)
	if err != nil {
		return err
	}
	view, err := desk.Ledger.View()
	if err != nil {
		return err
	}
	shelf := &shelf{limit: f.limit}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	p := &recordPrinter{w: &b, s: a.stdoutStyle(), zone: q.zone, all: len(args) > 0}
	seen := 0
	show := func(r *ledger.Record) error {
		if seen++; seen == manyRecords {
			debug.SetGCPercent(25) // from here on, time matters less than memory
		}
		if ok, err := q.matches(r); err != nil || !ok {
			return err
		}
		if !shelf.wants(r) {
			return nil
		}
		b.Reset()
		if !f.json {
			p.print(r)
		} else if err := e.Encode(recordJSON(r)); err != nil {
			return err
		}
		shelf.add(r, b.Bytes())
		return nil
	}
	if err := a.records(view, desk, repo, args, q, show); err != nil {
		return err
	}
	var waiting []plan.Waiting
	if len(args) > 0 {
		if !f.narrowed() {
			if waiting, err = a.notBegun(ctx, desk, view, args[0]); err != nil {
				return err
			}
		}
		if seen == 0 && len(waiting) == 0 {
			return &usageError{msg: fmt.Sprintf("the ledger has no record of %q", args[0]), hint: "give a post's id, or the path of its file; `postrider status` lists all records"}
		}
	}
	out := bufio.NewWriter(a.Stdout)
	if f.json {
		out.WriteString(`{"records":[`)
		for i, text := range shelf.byPath() {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(bytes.TrimSuffix(text, []byte("\n"))) //nolint:errcheck // Flush tells
		}
		out.WriteByte(']')
		if len(waiting) > 0 {
			out.WriteString(`,"waiting":`)
			b.Reset()
			if err := e.Encode(waitingJSON(waiting)); err != nil {
				return err
			}
			out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n"))) //nolint:errcheck // Flush tells
		}
		out.WriteString("}\n")
		return out.Flush()
	}
	for _, text := range shelf.byNeed() {
		out.Write(text) //nolint:errcheck // Flush tells
	}
	if err := out.Flush(); err != nil {
		return err
	}
	s := a.stdoutStyle()
	a.printWaiting(waiting, 0, true)
	switch {
	case len(waiting) > 0:
	case seen == 0:
		a.printf("Nothing is recorded yet.\n")
	case shelf.total == 0:
		a.printf("No record matches.\n")
		q.explainNothing(a)
	case shelf.total > len(shelf.list):
		a.printf("%s\n", s.dim(fmt.Sprintf("%d of %d records; --limit 0 shows all, --since 7d the latest.", len(shelf.list), shelf.total)))
	}
	for _, d := range view.Damaged() {
		a.notef("%s %s", s.yellow("warning:"), printable(fmt.Sprintf("%s cannot be read: %v; `postrider doctor --ledger` says more", d.Path, d.Err)))
	}
	return nil
}

// records calls fn with the records of a post, or all that a query can be about. It reads as little of the ledger as that takes.
func (a *app) records(view *gitledger.View, desk *publish.Desk, repo *gitrepo.Repo, args []string, q *query, fn func(*ledger.Record) error) error {
	if len(args) == 0 {
		if !q.openOnly() {
			return view.Each(fn)
		}
		open, err := view.Open()
		return errors.Join(err, each(open, fn))
	}
	records, err := a.recordsOf(view, desk, repo, args[0])
	return errors.Join(err, each(records, fn))
}

// notBegun returns what waits of a post, by its id or the path of its file, and has no record yet.
func (a *app) notBegun(ctx context.Context, desk *publish.Desk, view *gitledger.View, name string) (list []plan.Waiting, err error) {
	p, err := desk.PlanAsked(ctx, a.Now())
	if err != nil { // the records are shown all the same
		a.log.Debug("what waits is not known", "err", err)
		return nil, nil
	}
	file := a.sitePathOf(name)
	for _, w := range p.Waiting {
		if w.Post != name && w.Path != file {
			continue
		}
		_, known, err := view.Brief(ledger.ID{Post: w.Post, Account: w.Account, Occurrence: w.Occurrence})
		if err != nil {
			return nil, err
		}
		if !known {
			list = append(list, w)
		}
	}
	return list, nil
}

func each(records []*ledger.Record, fn func(*ledger.Record) error) error {
	for _, r := range records {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// recordsOf returns the records of a post, by its id or by the path of its file: as it is merged, else as it was when something was
// last recorded of it.
func (a *app) recordsOf(view *gitledger.View, desk *publish.Desk, repo *gitrepo.Repo, name string) ([]*ledger.Record, error) {
	records, err := view.Of(name)
	if err != nil || len(records) > 0 {
		return records, err
	}
	file := a.sitePathOf(name)
	if id := a.idAt(desk, repo, file); id != "" && id != name {
		if records, err := view.Of(id); err != nil || len(records) > 0 {
			return records, err
		}
	}
	err = view.Each(func(r *ledger.Record) error {
		if r.Path == file {
			records = append(records, r)
		}
		return nil
	})
	return records, err
}

// idAt returns the id of the post in a merged file, empty when there is none.
func (a *app) idAt(desk *publish.Desk, repo *gitrepo.Repo, file string) string {
	tree, prefix, err := a.mergedSite(repo, desk)
	if err != nil {
		return ""
	}
	src, err := tree.ReadFile(path.Join(prefix, file))
	if err != nil {
		return ""
	}
	cfg, _, err := agenda.Config(tree, prefix, a.Registry)
	if err != nil {
		return ""
	}
	p, _ := site.NewReader(cfg, a.Registry, tree.FS()).ParseText(file, src)
	if p == nil {
		return ""
	}
	return p.ID
}

// query is what status is asked, made ready to be asked of records.
type query struct {
	*statusFlags
	config       *config.Site
	zone         *time.Location
	since, until time.Time

	load  func() (*site.Snapshot, error) // the merged site, for records that do not name their campaign
	posts map[string]*post.Post          // of that site, once it was needed
	site  *site.Snapshot
}

func (a *app) query(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, f *statusFlags) (*query, error) {
	cfg, err := a.mergedConfig(repo, desk)
	if errors.Is(err, agenda.ErrNoSite) {
		cfg, err = config.Default(), nil
	}
	if err != nil {
		return nil, err
	}
	q := &query{statusFlags: f, config: cfg, zone: cfg.Location}
	if q.since, err = a.momentFlag(f.since, cfg, false); err != nil {
		return nil, err
	}
	if q.until, err = a.momentFlag(f.until, cfg, true); err != nil {
		return nil, err
	}
	q.load = func() (*site.Snapshot, error) {
		tree, prefix, err := a.mergedSite(repo, desk)
		if err != nil {
			return nil, err
		}
		fsys := tree.FS()
		if prefix != "" {
			if fsys, err = fs.Sub(fsys, prefix); err != nil {
				return nil, err
			}
		}
		return site.Load(ctx, fsys, a.Registry, site.Options{})
	}
	return q, nil
}

// openOnly reports whether no settled record can match.
func (q *query) openOnly() bool {
	return len(q.states) > 0 && !slices.ContainsFunc(q.states, func(s string) bool { return ledger.State(s).Settled() })
}

// timeOf is when a record's delivery came to where it is.
func timeOf(r *ledger.Record) time.Time {
	switch {
	case !r.WithdrawnAt.IsZero():
		return r.WithdrawnAt
	case !r.PublishedAt.IsZero():
		return r.PublishedAt
	}
	if last := r.Last(); last != nil {
		return last.Started
	}
	return r.At
}

func (q *query) matches(r *ledger.Record) (bool, error) {
	at := timeOf(r)
	switch {
	case len(q.states) > 0 && !slices.Contains(q.states, string(r.State)),
		len(q.accounts) > 0 && !slices.Contains(q.accounts, r.Account),
		len(q.platforms) > 0 && !slices.Contains(q.platforms, r.Platform),
		!q.since.IsZero() && at.Before(q.since),
		!q.until.IsZero() && !at.Before(q.until):
		return false, nil
	case len(q.campaigns) == 0:
		return true, nil
	}
	campaign, err := q.campaignOf(r)
	return slices.Contains(q.campaigns, campaign), err
}

// campaignOf returns the campaign that a record was sent for. Records from before that was recorded belong to the one that
// their post names now.
func (q *query) campaignOf(r *ledger.Record) (string, error) {
	if r.Campaign != "" {
		return r.Campaign, nil
	}
	if q.posts == nil {
		snapshot, err := q.load()
		if err != nil {
			return "", fmt.Errorf("read the posts' campaigns: %w", err)
		}
		q.site, q.posts = snapshot, make(map[string]*post.Post, len(snapshot.Posts))
		for _, p := range snapshot.Posts {
			q.posts[p.ID] = p
		}
	}
	p := q.posts[r.Post]
	if p == nil {
		return "", nil
	}
	if account, ok := q.site.Config.Account(r.Account); ok {
		return q.site.Variant(p, account).Campaign, nil
	}
	return p.Campaign, nil
}

// explainNothing names what was asked for and does not exist.
func (q *query) explainNothing(a *app) {
	var campaigns, accounts, platforms []string
	for i := range q.config.Campaigns {
		campaigns = append(campaigns, q.config.Campaigns[i].Name)
	}
	for i := range q.config.Accounts {
		accounts = append(accounts, q.config.Accounts[i].Name)
		platforms = append(platforms, string(q.config.Accounts[i].Platform))
	}
	for _, kind := range []struct {
		name        string
		asked, have []string
	}{{"account", q.accounts, accounts}, {"platform", q.platforms, platforms}, {"campaign", q.campaigns, campaigns}} {
		for _, name := range kind.asked {
			if slices.Contains(kind.have, name) {
				continue
			}
			text := fmt.Sprintf("the merged site.yaml has no %s %q", kind.name, name)
			if near := content.Nearest(name, kind.have); near != "" {
				text += fmt.Sprintf("; did you mean %s?", near)
			}
			a.notef("%s %s", a.stderrStyle().yellow("note:"), printable(text))
		}
	}
}

// shelf keeps what is printed of records until all are there.
type shelf struct {
	limit int // 0: none
	total int // records that belong on it, those beyond the limit included
	list  []shelved
}

// shelved is what is printed of a record, and where it belongs.
type shelved struct {
	need                      int // by state: those that need attention come first
	at                        int64
	path, account, occurrence string
	text                      []byte
}

// placeOf returns where a record belongs, without its text.
func placeOf(r *ledger.Record) shelved {
	need := slices.Index(ledger.States(), r.State)
	if len(r.Doubles) > 0 {
		need = -1
	}
	return shelved{need: need, at: timeOf(r).Unix(), path: r.Path, account: r.Account, occurrence: r.Occurrence}
}

func (x *shelved) byNeed(y *shelved) int {
	return cmp.Or(cmp.Compare(x.need, y.need), cmp.Compare(y.at, x.at), x.byPath(y))
}

func (x *shelved) byPath(y *shelved) int {
	return cmp.Or(strings.Compare(x.path, y.path), strings.Compare(x.account, y.account), strings.Compare(x.occurrence, y.occurrence))
}

// wants counts a record and reports whether it may be among those that are printed.
func (s *shelf) wants(r *ledger.Record) bool {
	s.total++
	if s.limit == 0 || len(s.list) < s.limit {
		return true
	}
	p := placeOf(r)
	return p.byNeed(&s.list[s.limit-1]) < 0
}

// add keeps a copy of the text.
func (s *shelf) add(r *ledger.Record, text []byte) {
	if len(s.list) == 4*manyRecords {
		debug.SetGCPercent(10) // most of the memory is what is kept
	}
	p := placeOf(r)
	p.text = append(make([]byte, 0, len(text)), text...)
	s.list = append(s.list, p)
	if s.limit > 0 && (len(s.list) == s.limit || len(s.list) >= 2*s.limit) {
		s.byNeed()
	}
}

// manyRecords is when a ledger is large.
const manyRecords = 5_000

// byNeed returns the texts for people: those that need attention first, then the latest.
func (s *shelf) byNeed() [][]byte {
	slices.SortFunc(s.list, func(x, y shelved) int { return x.byNeed(&y) })
	if s.limit > 0 && len(s.list) > s.limit {
		clear(s.list[s.limit:])
		s.list = s.list[:s.limit]
	}
	return s.texts()
}

// byPath returns the texts for programs.
func (s *shelf) byPath() [][]byte {
	s.byNeed()
	slices.SortFunc(s.list, func(x, y shelved) int { return x.byPath(&y) })
	return s.texts()
}

func (s *shelf) texts() [][]byte {
	texts := make([][]byte, len(s.list))
	for i := range s.list {
		texts[i] = s.list[i].text
	}
	return texts
}

// jsonRecord is a record, as docs/JSON.md promises it.
type jsonRecord struct {
	Post        string        `json:"post"`
	Path        string        `json:"path"`
	Account     string        `json:"account"`
	Platform    string        `json:"platform"`
	Occurrence  string        `json:"occurrence,omitempty"`
	Title       string        `json:"title,omitempty"`
	State       string        `json:"state"`
	Due         jsonTime      `json:"due,omitzero"`
	PublishedAt jsonTime      `json:"published_at,omitzero"`
	WithdrawnAt jsonTime      `json:"withdrawn_at,omitzero"`
	RetryAt     jsonTime      `json:"retry_at,omitzero"`
	Parts       []jsonPart    `json:"parts"`
	Attempts    []jsonAttempt `json:"attempts"`
	Fingerprint string        `json:"fingerprint"`
	Commit      string        `json:"commit,omitempty"`
	Campaign    string        `json:"campaign,omitempty"`
	Doubles     []jsonPart    `json:"doubles,omitempty"`
	Note        string        `json:"note,omitempty"`
}

type jsonAttempt struct {
	N       int      `json:"n"`
	Action  string   `json:"action"`
	Started jsonTime `json:"started"`
	Ended   jsonTime `json:"ended,omitzero"`
	Outcome string   `json:"outcome"`
	Run     string   `json:"run"`
	Error   string   `json:"error,omitempty"`
}

func recordJSON(r *ledger.Record) jsonRecord {
	j := jsonRecord{
		Post: r.Post, Path: r.Path, Account: r.Account, Platform: r.Platform, Occurrence: r.Occurrence, Title: r.Title,
		State: string(r.State), Due: jsonTime{r.Due}, PublishedAt: jsonTime{r.PublishedAt}, WithdrawnAt: jsonTime{r.WithdrawnAt},
		RetryAt: jsonTime{r.RetryAt}, Parts: partsJSON(r.Remotes()), Attempts: []jsonAttempt{}, Fingerprint: r.Fingerprint, Commit: r.Commit,
		Campaign: r.Campaign, Note: r.Note,
	}
	for _, p := range r.Doubles {
		j.Doubles = append(j.Doubles, jsonPart{p.ID, p.URL})
	}
	for _, x := range r.Attempts {
		j.Attempts = append(j.Attempts, jsonAttempt{x.N, string(x.Op), jsonTime{x.Started}, jsonTime{x.Ended}, x.Outcome, x.Run, x.Error})
	}
	return j
}

func recordsJSON(records []*ledger.Record) []jsonRecord {
	out := []jsonRecord{}
	for _, r := range records {
		out = append(out, recordJSON(r))
	}
	return out
}

// titleOf is what people call a record's post.
func titleOf(r *ledger.Record) string { return cmp.Or(r.Title, r.Path, r.Post) }

// remoteName is where people see a part, or what its network calls it.
func remoteName(p ledger.Part) string { return cmp.Or(p.URL, p.ID) }

// recordPrinter writes records for people.
type recordPrinter struct {
	w    io.Writer
	s    style
	zone *time.Location
	all  bool // every attempt
}

func (p *recordPrinter) line(format string, args ...any) {
	fmt.Fprintf(p.w, "%s%s\n", strings.Repeat(" ", 12), fmt.Sprintf(format, args...)) //nolint:errcheck // see stickyWriter
}

func (p *recordPrinter) time(t time.Time) string { return clockTime(t.In(p.zone)) }

func (p *recordPrinter) head(state, what, account, post string) {
	fmt.Fprintf(p.w, "%s  %s → %s  %s\n", state, p.s.bold(oneLine(what)), account, p.s.dim(post)) //nolint:errcheck // see stickyWriter
}

func (p *recordPrinter) print(r *ledger.Record) {
	s := p.s
	state := s.yellow(pad(string(r.State), 10))
	if r.State.Settled() {
		state = s.green(pad(string(r.State), 10))
	}
	p.doubles(r)
	p.head(state, titleOf(r), r.Account, r.Post)
	if !r.PublishedAt.IsZero() {
		text := "out since " + p.time(r.PublishedAt)
		if !r.WithdrawnAt.IsZero() {
			text = fmt.Sprintf("out from %s to %s", p.time(r.PublishedAt), p.time(r.WithdrawnAt))
		}
		p.line("%s", s.dim(text))
	}
	for _, part := range r.Parts {
		p.line("%s", s.under(printable(remoteName(part))))
	}
	if p.all {
		for _, x := range r.Attempts {
			p.line("%s", s.dim(oneLine(fmt.Sprintf("attempt %d: %s at %s: %s", x.N, x.Op, p.time(x.Started), cmp.Or(x.Outcome, "still running, or its run died")))))
			if x.Error != "" {
				p.line("  %s", oneLine(x.Error))
			}
		}
	} else if last := r.Last(); last != nil && last.Error != "" {
		p.line("%s", oneLine(last.Error))
	}
	if !r.RetryAt.IsZero() && !r.State.Settled() {
		p.line("%s", s.dim("not before "+p.time(r.RetryAt)))
	}
	if r.Note != "" {
		p.line("%s", s.dim("note: "+oneLine(r.Note)))
	}
	if r.State == ledger.Unknown {
		p.line("%s", s.dim(fmt.Sprintf("look on the network, then: postrider resolve %s %s --published URL, or --unsent", r.Post, r.Account)))
	}
}

// doubles says loudly that a post is out twice.
func (p *recordPrinter) doubles(r *ledger.Record) {
	if len(r.Doubles) == 0 {
		return
	}
	p.head(p.s.red(pad("TWICE", 10)), titleOf(r), r.Account, r.Post)
	p.line("%s", "posted twice: this is there as well, take one of the two down by hand")
	for _, part := range r.Doubles {
		p.line("%s", p.s.under(printable(remoteName(part))))
	}
}
