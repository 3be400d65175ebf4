package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/ledger/gitledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

// doctorFlags are what doctor is asked.
type doctorFlags struct {
	deskFlags
	ledger, deep, online, repair bool
	since                        string
}

func (a *app) doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: groupPublish,
		Short:   "Look for what would fail tomorrow: tokens, git, clock, ledger",
		Long: `Look at everything that publishing needs, without sending anything: the merged site.yaml, the git
remote and whether it lets us push, the clock, every account's token, the bucket for files, and what the
ledger says waits for a person. The exit code is 1 when something is wrong.

--ledger also reads every record and commit of the ledger; --repair puts the last good version of files
that are damaged on top of it, in one commit. --online also asks the networks whether what is recorded
as published is still there.`,
		Example: `  postrider doctor
  postrider doctor --ledger --repair
  postrider doctor --online --since 7d
  postrider doctor --json | jq '.checks[] | select(.status == "problem")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if (f.repair || f.deep) && !f.ledger {
				return usagef(cmd, "takes --repair and --deep together with --ledger")
			}
			clocks := a.watchClocks()
			d := &doctor{app: a, flags: &f, s: a.stdoutStyle()}
			desk, repo, err := d.open(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			desk.HTTP = a.HTTP
			if err := d.examine(cmd.Context(), desk, repo, clocks); err != nil {
				return err
			}
			if f.json {
				if err := a.printJSON(d.report); err != nil {
					return err
				}
			} else {
				d.conclude()
			}
			if d.count(statusProblem) > 0 {
				return errFindings
			}
			return nil
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.ledger, "ledger", false, "read every record and commit of the ledger")
	flags.BoolVar(&f.deep, "deep", false, "with --ledger, compare every commit with the one before")
	flags.BoolVar(&f.repair, "repair", false, "with --ledger, restore damaged files from their last good version")
	flags.BoolVar(&f.online, "online", false, "ask the networks whether what went out is still there")
	flags.StringVar(&f.since, "since", "30d", "with --online, ask about what went out since `TIME`, or \"all\"")
	return cmd
}

// The results of a check.
const (
	statusOK      = "ok"
	statusNote    = "note"
	statusWarning = "warning"
	statusProblem = "problem"
)

// jsonCheck is one thing that doctor has looked at, as docs/JSON.md promises it.
type jsonCheck struct {
	Area    string       `json:"area"`
	Name    string       `json:"name,omitempty"`
	Status  string       `json:"status"`
	Message string       `json:"message"`
	Hint    string       `json:"hint,omitempty"`
	Account *jsonAccount `json:"account,omitempty"`
}

// jsonAccount is who a network takes us for.
type jsonAccount struct {
	Platform string   `json:"platform"`
	ID       string   `json:"id"`
	Handle   string   `json:"handle,omitempty"`
	URL      string   `json:"url,omitempty"`
	Software string   `json:"software,omitempty"`
	Expires  jsonTime `json:"expires,omitzero"`
	// DataExpires is when the network stops telling the token's app anything of the account.
	DataExpires jsonTime     `json:"data_expires,omitzero"`
	Scopes      []string     `json:"scopes,omitempty"`
	Lacks       []jsonLack   `json:"lacks,omitempty"`
	Beyond      []jsonBeyond `json:"beyond,omitempty"`
	Limits      []jsonLimit  `json:"limits"`
}

// jsonLack is a scope that an account's token does not have.
type jsonLack struct {
	Scope string `json:"scope"`
	For   string `json:"for"`
	Minor bool   `json:"minor,omitempty"`
}

// jsonBeyond is a post that is to go out when its account's token has died.
type jsonBeyond struct {
	Post string   `json:"post"`
	Path string   `json:"path"`
	Due  jsonTime `json:"due"`
}

// jsonVerified is what `doctor --ledger` has read.
type jsonVerified struct {
	Commit   string         `json:"commit"`
	Records  int            `json:"records"`
	Commits  int            `json:"commits"`
	States   map[string]int `json:"states"`
	Shallow  bool           `json:"shallow,omitempty"`
	Restored []string       `json:"restored"`
}

// jsonPresence is what the networks have of what the ledger says is out.
type jsonPresence struct {
	There      int `json:"there"`
	Gone       int `json:"gone"`
	CannotTell int `json:"cannot_tell"`
}

// jsonDoctor is what doctor prints, as docs/JSON.md promises it.
type jsonDoctor struct {
	Checks []jsonCheck   `json:"checks"`
	Ledger *jsonVerified `json:"ledger,omitempty"`
	Online *jsonPresence `json:"online,omitempty"`
}

// doctor is one examination.
type doctor struct {
	*app
	flags  *doctorFlags
	s      style
	report jsonDoctor
	remote error // why the remote cannot be asked
}

// say notes the result of a check, and prints it.
func (d *doctor) say(c jsonCheck) {
	c.Message, c.Hint = d.scrub(c.Message), d.scrub(c.Hint)
	d.report.Checks = append(d.report.Checks, c)
	if d.flags.json {
		return
	}
	paint := map[string]func(string) string{statusOK: d.s.green, statusNote: d.s.dim, statusWarning: d.s.yellow, statusProblem: d.s.red}[c.Status]
	head := c.Area
	if c.Name != "" {
		head += " " + c.Name
	}
	d.printf("%s  %s: %s\n", paint(pad(c.Status, 10)), d.s.bold(oneLine(head)), oneLine(c.Message))
	if c.Hint != "" {
		d.line(c.Hint)
	}
}

// line writes a line below the last result.
func (d *doctor) line(text string) {
	d.detail(d.s.dim, text)
}

func (d *doctor) count(status string) (n int) {
	for _, c := range d.report.Checks {
		if c.Status == status {
			n++
		}
	}
	return n
}

// conclude says in a line how things are.
func (d *doctor) conclude() {
	problems, warnings := d.count(statusProblem), d.count(statusWarning)
	switch {
	case problems > 0:
		d.printf("%s, %s.\n", count(problems, "problem"), count(warnings, "warning"))
	case warnings > 0:
		d.printf("%s.\n", count(warnings, "warning"))
	default:
		d.printf("All is well.\n")
	}
}

// open opens the desk, without the remote when that does not answer: then that is one of the findings.
func (d *doctor) open(ctx context.Context) (*publish.Desk, *gitrepo.Repo, error) {
	desk, repo, err := d.openDesk(ctx, d.flags.deskFlags, plan.BacklogStop)
	if errors.Is(err, gitrepo.ErrUnreachable) || errors.Is(err, gitrepo.ErrAuth) {
		d.remote = err
		d.flags.offline = true
		return d.openDesk(ctx, d.flags.deskFlags, plan.BacklogStop)
	}
	return desk, repo, err
}

func (d *doctor) examine(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, clocks *clocks) error {
	d.report.Checks = []jsonCheck{}
	cfg, broken, err := d.examineSite(desk, repo)
	if err != nil {
		return err
	}
	d.examineGit(ctx, desk, repo, cfg)
	if !broken {
		if err := d.examineAccounts(ctx, desk, cfg); err != nil {
			return err
		}
		if err := d.examineBucket(ctx, desk); err != nil {
			return err
		}
		d.examineApproval(ctx, desk, repo, cfg)
		if err := d.examineNotify(ctx, desk, repo); err != nil {
			return err
		}
	}
	d.examineClocks(clocks)
	if err := d.examineLedger(desk, cfg); err != nil {
		return err
	}
	if d.flags.ledger {
		if err := d.verifyLedger(ctx, desk); err != nil {
			return err
		}
	}
	if d.flags.online && !broken {
		return d.askNetworks(ctx, desk, cfg)
	}
	return nil
}

// examineSite looks at site.yaml as it is merged.
func (d *doctor) examineSite(desk *publish.Desk, repo *gitrepo.Repo) (cfg *config.Site, broken bool, err error) {
	tree, prefix, err := d.mergedSite(repo, desk)
	if err != nil {
		return nil, false, err
	}
	cfg, found, err := agenda.Config(tree, prefix, d.Registry)
	if err != nil {
		return nil, false, err
	}
	for _, f := range found {
		status := map[finding.Severity]string{finding.Error: statusProblem, finding.Warning: statusWarning}[f.Severity]
		if status != "" {
			d.say(jsonCheck{Area: "site", Name: fmt.Sprintf("%s:%d", f.Path, f.Range.Start.Line), Status: status, Message: fmt.Sprintf("%s: %s", f.Code, f.Message), Hint: f.Hint})
		}
	}
	if broken = found.HasErrors(); !broken {
		d.say(jsonCheck{Area: "site", Status: statusOK, Message: fmt.Sprintf("branch %s at %.10s: %s, %s", desk.Branch, desk.Commit, count(len(cfg.Accounts), "account"), count(len(cfg.Campaigns), "campaign"))})
	}
	if cfg.Hold.Reason != "" {
		d.say(jsonCheck{Area: "hold", Status: statusWarning, Message: fmt.Sprintf("site.yaml holds %s: %s", strings.Join(cfg.Hold.Scope, ", "), cfg.Hold.Reason)})
	}
	return cfg, broken, nil
}

// examineGit looks whether the remote answers, and whether it would let us push.
func (d *doctor) examineGit(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, cfg *config.Site) {
	name, ok, err := repo.DefaultRemote()
	name = cmp.Or(cfg.Ledger.Remote, name)
	switch {
	case err != nil:
		d.say(jsonCheck{Area: "git", Status: statusProblem, Message: err.Error()})
		return
	case d.remote != nil:
		_, hint := explain(d.remote)
		d.say(jsonCheck{Area: "git", Name: name, Status: statusProblem, Message: d.remote.Error(), Hint: hint})
		return
	case !ok && cfg.Ledger.Remote == "":
		d.say(jsonCheck{Area: "git", Status: statusNote, Message: "there is no remote: results stay in this clone, and nobody else may publish the site"})
		return
	}
	if err := repo.CheckPush(ctx, name, gitrepo.Hash(desk.Commit)); err != nil {
		_, hint := explain(err)
		d.say(jsonCheck{Area: "git", Name: name, Status: statusProblem, Message: "it answers, but does not let us push: " + err.Error(), Hint: hint})
		return
	}
	d.say(jsonCheck{Area: "git", Name: name, Status: statusOK, Message: fmt.Sprintf("it answers, and lets us push; the ledger is on %s", cfg.Ledger.Branch)})
}

// clockOff is how far clocks may differ without a warning. An answer may have been on its way for a while.
const clockOff = 2 * time.Minute

// examineAccounts asks the networks who we are.
func (d *doctor) examineAccounts(ctx context.Context, desk *publish.Desk, cfg *config.Site) error {
	var names []string
	for i := range cfg.Accounts {
		names = append(names, cfg.Accounts[i].Name)
	}
	all, err := desk.Accounts(ctx, names)
	if err != nil {
		return err
	}
	p, err := desk.Plan(d.Now())
	if err != nil {
		return err
	}
	for i := range all {
		d.account(&all[i], cfg, scheduledFor(p, all[i].Account))
	}
	return nil
}

func (d *doctor) account(h *publish.Health, cfg *config.Site, scheduled []plan.Waiting) {
	c := jsonCheck{Area: "account", Name: h.Account, Status: statusOK}
	switch {
	case h.Unsupported:
		c.Status, c.Message = statusNote, fmt.Sprintf("%s can be previewed, not published, by this version", h.Platform)
		d.say(c)
		return
	case h.Err != nil:
		c.Status, c.Message = statusProblem, h.Err.Error()
		if ae, ok := errors.AsType[*publish.AccountError](h.Err); ok {
			c.Message = ae.Err.Error()
		}
		if pe, ok := errors.AsType[*platform.Error](h.Err); ok && pe.Hint != "" {
			c.Hint = pe.Hint
		} else if _, c.Hint = explain(h.Err); c.Hint == "" {
			c.Hint = accountHint(h.Err, h.Platform)
		}
		d.say(c)
		return
	}
	id := &h.Identity
	c.Message = fmt.Sprintf("%s knows us as %s", cmp.Or(id.Software, string(h.Platform)), cmp.Or(id.Handle, id.ID))
	c.Account = &jsonAccount{
		Platform: string(h.Platform), ID: id.ID, Handle: id.Handle, URL: id.URL, Software: id.Software, Expires: jsonTime{id.Expires}, DataExpires: jsonTime{id.DataExpires},
		Scopes: id.Scopes, Limits: limitsJSON(id.Limits),
	}
	t := token{doctor: d, check: &c, health: h, scheduled: scheduled, loc: cfg.Location, now: d.Now()}
	t.account, _ = cfg.Account(h.Account)
	info, _ := d.Registry.Info(h.Platform)
	t.examine(&info)
	d.say(c)
	if d.flags.json {
		return
	}
	for _, text := range t.lines {
		d.line(text)
	}
	if len(id.Limits) > 0 {
		var limits []string
		for _, l := range id.Limits {
			limits = append(limits, fmt.Sprintf("%s %d", strings.ReplaceAll(l.Name, "_", " "), l.Max))
		}
		d.line("its server's own limits: " + strings.Join(limits, ", "))
	}
}

// examineBucket looks whether publishing could put files where networks fetch them.
func (d *doctor) examineBucket(ctx context.Context, desk *publish.Desk) error {
	h, ok, err := desk.Bucket(ctx)
	if err != nil || !ok {
		return err
	}
	c := jsonCheck{Area: "media", Name: h.Place, Status: statusOK, Message: "files can be put there, fetched by everybody, and deleted"}
	if h.Signed {
		c.Message = "files can be put there, fetched by who has their address, and deleted"
	}
	if h.Removed > 0 {
		c.Message += fmt.Sprintf("; removed %s that a run had left", count(h.Removed, "object"))
	}
	if h.Err != nil {
		c.Status, c.Message = statusProblem, h.Err.Error()
		if pe, ok := errors.AsType[*platform.Error](h.Err); ok {
			c.Hint = pe.Hint
		} else {
			_, c.Hint = explain(h.Err)
		}
	}
	d.say(c)
	return nil
}

// accountHint says what to do about an account that does not answer as it should.
func accountHint(err error, id platform.ID) string {
	if platform.OutcomeOf(err) == platform.Denied {
		return fmt.Sprintf("make a new token: see docs/platforms/%s.md", id)
	}
	return "nothing is lost: what is due goes out once it answers"
}

// clocks notes how far the clocks of servers are from ours.
type clocks struct {
	next http.RoundTripper
	now  func() time.Time

	mu  sync.Mutex
	off map[string]time.Duration // by host; positive: theirs is ahead
}

// watchClocks has the program's HTTP client note what servers say what time it is.
func (a *app) watchClocks() *clocks {
	c := &clocks{now: a.Now, off: map[string]time.Duration{}}
	if a.HTTP == nil {
		return c
	}
	client := *a.HTTP
	c.next, client.Transport = client.Transport, c
	a.HTTP = &client
	return c
}

// RoundTrip implements [http.RoundTripper].
func (c *clocks) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.off[r.URL.Hostname()] = date.Sub(c.now())
		c.mu.Unlock()
	}
	return resp, nil
}

// examineClocks compares this machine's clock with those of the servers that have answered. The middle one counts, so that one that
// is wrong accuses nobody.
func (d *doctor) examineClocks(c *clocks) {
	if len(c.off) == 0 {
		return
	}
	var off []time.Duration
	for _, o := range c.off {
		off = append(off, o)
	}
	slices.Sort(off)
	middle := off[len(off)/2]
	if middle.Abs() <= clockOff {
		d.say(jsonCheck{Area: "clock", Status: statusOK, Message: "it agrees with the servers that were asked"})
		return
	}
	word := "behind"
	if middle < 0 {
		word = "ahead of"
	}
	d.say(jsonCheck{
		Area: "clock", Status: statusWarning, Message: fmt.Sprintf("this machine is %s %s the servers that were asked", longDuration(middle.Abs()), word),
		Hint: "posts go out by this clock: set it, for example with NTP",
	})
}

// examineCosts says what accounts with a monthly cap have spent.
func (d *doctor) examineCosts(view *gitledger.View, cfg *config.Site) error {
	month := ledger.MonthOf(d.Now().In(cfg.Location))
	for i := range cfg.Accounts {
		b := bill{Account: cfg.Accounts[i].Name, Month: month, Cap: cfg.Accounts[i].MonthlyCap}
		if b.Cap == 0 {
			continue
		}
		var err error
		if b.Spent, err = view.Spent(b.Account, month); errors.Is(err, ledger.ErrFormat) {
			continue // the file is among those that are damaged
		} else if err != nil {
			return err
		}
		c := jsonCheck{Area: "cost", Name: b.Account, Status: statusOK, Message: b.String()}
		if b.Spent > b.Cap/10*9 {
			c.Status, c.Hint = statusWarning, "what costs more than is left waits until the month ends, or until monthly_cap is raised"
		}
		d.say(c)
	}
	return nil
}

// examineLedger says what waits for a person, and what is held.
func (d *doctor) examineLedger(desk *publish.Desk, cfg *config.Site) error {
	view, err := desk.Ledger.View()
	if err != nil {
		return err
	}
	open, err := view.Open()
	if err != nil {
		return err
	}
	holds, err := view.Holds()
	if err != nil {
		return err
	}
	for _, h := range holds {
		c := jsonCheck{Area: "hold", Status: statusWarning, Message: fmt.Sprintf("%s is held: %s", h.Scope, h.Reason), Hint: "`postrider hold --lift " + h.Scope + "`"}
		if !h.At.IsZero() {
			c.Message += fmt.Sprintf(" (by %s, %s)", h.By, clockTime(h.At.In(cfg.Location)))
		}
		d.say(c)
	}
	states := map[ledger.State]int{}
	for _, r := range open {
		states[r.State]++
		if len(r.Doubles) > 0 {
			d.say(jsonCheck{Area: "ledger", Name: r.ID().String(), Status: statusProblem, Message: "posted twice", Hint: fmt.Sprintf("`postrider status %s` says where: take one down by hand", r.Post)})
		}
	}
	for _, s := range []ledger.State{ledger.Unknown, ledger.Denied, ledger.Rejected} {
		if n := states[s]; n > 0 {
			d.say(jsonCheck{Area: "ledger", Status: statusWarning, Message: fmt.Sprintf("%s %s", deliveries(n), s), Hint: fmt.Sprintf("`postrider status --state %s` lists them", s)})
		}
	}
	if err := d.examineCosts(view, cfg); err != nil {
		return err
	}
	for _, damage := range view.Damaged() {
		if d.flags.ledger {
			break // it is found there, too
		}
		d.say(jsonCheck{Area: "ledger", Name: damage.Path, Status: statusProblem, Message: "it cannot be read: " + damage.Err.Error(), Hint: "`postrider doctor --ledger --repair` restores its last good version"})
	}
	text := "nothing is recorded yet"
	if opening, err := view.Opening(); err == nil && !opening.Began.IsZero() {
		text = "it knows what goes out since " + clockTime(opening.Began.In(cfg.Location))
	} else if desk.Ledger.Tip() != "" {
		text = fmt.Sprintf("it is at %.10s", desk.Ledger.Tip())
	}
	if waiting := states[ledger.Unsent] + states[ledger.Limited] + states[ledger.Sending]; waiting > 0 {
		text += fmt.Sprintf("; %s under way", deliveries(waiting))
	}
	d.say(jsonCheck{Area: "ledger", Status: statusOK, Message: text})
	return nil
}

// maxProblems is how many problems of a ledger are printed for people; all count.
const maxProblems = 50

// verifyLedger reads all of the ledger, and repairs what can be.
func (d *doctor) verifyLedger(ctx context.Context, desk *publish.Desk) error {
	verify := desk.Ledger.Verify
	if d.flags.deep {
		verify = desk.Ledger.VerifyDeep
	}
	var broken []string
	found := 0
	pass := func(tell bool) (gitledger.Summary, error) {
		broken, found = nil, 0
		return verify(ctx, func(p gitledger.Problem) {
			found++
			if p.Repair {
				broken = append(broken, p.Path)
			}
			if tell {
				d.problem(p, found)
			}
		})
	}
	sum, err := pass(!d.flags.repair)
	if err != nil {
		return err
	}
	restored := []string{}
	if d.flags.repair {
		if restored, err = d.restore(ctx, desk, broken); err != nil {
			return err
		}
		if sum, err = pass(true); err != nil {
			return err
		}
	}
	if more := found - maxProblems; more > 0 && !d.flags.json {
		d.line(fmt.Sprintf("… and %s more: --json lists all", count(more, "problem")))
	}
	d.report.Ledger = &jsonVerified{Commit: string(sum.Tip), Records: sum.Records, Commits: sum.Commits, States: map[string]int{}, Shallow: sum.Shallow, Restored: restored}
	var parts []string
	for _, s := range ledger.States() {
		if n := sum.States[s]; n > 0 {
			d.report.Ledger.States[string(s)] = n
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if found == 0 {
		text := fmt.Sprintf("%s in %s read, all sound", count(sum.Records, "record"), count(sum.Commits, "commit"))
		if len(parts) > 0 {
			text += ": " + strings.Join(parts, ", ")
		}
		d.say(jsonCheck{Area: "ledger", Name: "files", Status: statusOK, Message: text})
	}
	if sum.Shallow {
		d.say(jsonCheck{Area: "ledger", Name: "history", Status: statusNote, Message: "this clone is shallow: older commits were not read", Hint: "`git fetch --unshallow` brings them"})
	}
	return nil
}

// problem says what is wrong with a file or commit of the ledger.
func (d *doctor) problem(p gitledger.Problem, n int) {
	c := jsonCheck{Area: "ledger", Name: cmp.Or(p.Path, p.Commit.Short()), Status: statusProblem, Message: p.Message, Hint: p.Hint}
	if n > maxProblems && !d.flags.json {
		d.report.Checks = append(d.report.Checks, c)
		return
	}
	d.say(c)
}

// restore brings damaged files back, and says of which there is no good version.
func (d *doctor) restore(ctx context.Context, desk *publish.Desk, files []string) ([]string, error) {
	restored := []string{}
	slices.Sort(files)
	files = slices.Compact(files)
	for len(files) > 0 {
		list, err := desk.Ledger.Restore(ctx, files...)
		if none, ok := errors.AsType[*gitledger.NoGoodVersionError](err); ok && slices.Contains(files, none.File) {
			d.say(jsonCheck{Area: "ledger", Name: none.File, Status: statusProblem, Message: "it cannot be restored: " + none.Error(), Hint: "look on the network, then settle it with `postrider resolve`"})
			files = slices.DeleteFunc(files, func(f string) bool { return f == none.File })
			continue
		}
		if err != nil {
			return restored, fmt.Errorf("restore damaged files of the ledger: %w", err)
		}
		for _, r := range list {
			restored = append(restored, r.File)
			from := "restored from commit " + r.From.Short()
			if r.From == "" {
				from = "worked out again from the records"
			}
			d.say(jsonCheck{Area: "ledger", Name: r.File, Status: statusOK, Message: from})
		}
		break
	}
	return restored, nil
}

// askNetworks compares the ledger with what the networks have.
func (d *doctor) askNetworks(ctx context.Context, desk *publish.Desk, cfg *config.Site) error {
	var since time.Time
	var err error
	if d.flags.since != "all" {
		if since, err = d.momentFlag(d.flags.since, cfg, false); err != nil {
			return err
		}
	}
	view, err := desk.Ledger.View()
	if err != nil {
		return err
	}
	asked := func(fn func(*ledger.Record) error) error {
		return view.Each(func(r *ledger.Record) error {
			if r.PublishedAt.Before(since) {
				return nil
			}
			return fn(r)
		})
	}
	type silence struct{ account, reason string }
	silent := map[silence]int{}
	total := &jsonPresence{}
	err = desk.Presence(ctx, asked, func(p publish.Presence) {
		id := p.Record.ID().String()
		switch {
		case len(p.Gone) > 0:
			total.Gone++
			var where []string
			for _, part := range p.Gone {
				where = append(where, cmp.Or(part.URL, part.ID))
			}
			d.say(jsonCheck{
				Area: "online", Name: id, Status: statusProblem, Message: "recorded as published, and not there any more: " + strings.Join(where, ", "),
				Hint: fmt.Sprintf("if it was taken down on purpose: postrider resolve %s %s --withdrawn", p.Record.Post, p.Record.Account),
			})
		case p.Err != nil:
			total.CannotTell++
			silent[silence{p.Record.Account, p.Err.Error()}]++
		default:
			total.There++
		}
	})
	if err != nil {
		return err
	}
	d.report.Online = total
	keys := make([]silence, 0, len(silent))
	for k := range silent {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y silence) int {
		return cmp.Or(strings.Compare(x.account, y.account), strings.Compare(x.reason, y.reason))
	})
	for _, k := range keys {
		d.say(jsonCheck{Area: "online", Name: k.account, Status: statusNote, Message: fmt.Sprintf("cannot tell of %s: %s", deliveries(silent[k]), k.reason)})
	}
	d.say(jsonCheck{Area: "online", Status: statusOK, Message: fmt.Sprintf("%s there, %d gone, %d cannot be told", deliveries(total.There), total.Gone, total.CannotTell)})
	return nil
}
