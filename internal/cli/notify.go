package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/notify"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
	"github.com/postrider/postrider/internal/secret"
)

func (a *app) notifyCommand() *cobra.Command {
	var f deskFlags
	var test bool
	cmd := &cobra.Command{
		Use:     "notify [CHANNEL…]",
		GroupID: groupPublish,
		Short:   "Show who is told of what goes wrong, and try it",
		Long: `List the channels of "notify:" in the merged site.yaml: who is told after a run, and of what.
Nothing is said to anybody.

--test sends each channel, or those that are named, one message that says that it is a test. The exit
code is 1 when one did not arrive.`,
		Example: `  postrider notify
  postrider notify --test
  postrider notify --test team`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			desk, repo, err := a.lookDesk(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			o, err := a.ownNotifyOptions(desk, repo)
			if err != nil {
				return err
			}
			if err := knownChannels(o.Site, args); err != nil {
				return err
			}
			n := jsonNotify{Channels: []jsonChannel{}, Status: o.Site.Notify.Status, Remind: o.Site.Notify.Remind.String()}
			if o.Site.Notify.Issue.On {
				n.Issue = &jsonIssue{Labels: list(o.Site.Notify.Issue.Labels), Assignees: list(o.Site.Notify.Issue.Assignees)}
			}
			tried := map[string]error{}
			if test {
				run, err := a.runID()
				if err != nil {
					return err
				}
				for _, h := range notify.Test(cmd.Context(), *o, args, run) {
					tried[h.Channel] = h.Err
				}
			}
			for i := range o.Site.Notify.Channels {
				if c := &o.Site.Notify.Channels[i]; len(args) == 0 || slices.Contains(args, c.Name) {
					n.Channels = append(n.Channels, a.channelJSON(c, o.PlatformOf(c.Name), test, tried[c.Name]))
				}
			}
			if f.json {
				err = a.printJSON(n)
			} else {
				a.printNotify(&n)
			}
			if err == nil && slices.ContainsFunc(n.Channels, func(c jsonChannel) bool { return c.Error != "" }) {
				err = errFindings
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&test, "test", false, "send a message that says that it is a test")
	return cmd
}

// knownChannels refuses names that no channel has.
func knownChannels(cfg *config.Site, names []string) error {
	var known []string
	for i := range cfg.Notify.Channels {
		known = append(known, cfg.Notify.Channels[i].Name)
	}
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		e := &usageError{msg: fmt.Sprintf("the merged site.yaml has no channel %q", name), hint: "it has " + strings.Join(known, ", ")}
		if near := content.Nearest(name, known); near != "" {
			e.hint = fmt.Sprintf("did you mean %s?", near)
		} else if len(known) == 0 {
			e.hint = "it has none: docs/NOTIFY.md says how to make one"
		}
		return e
	}
	return nil
}

// jsonNotify is who is told of what, as docs/JSON.md promises it.
type jsonNotify struct {
	Channels []jsonChannel `json:"channels"`
	Issue    *jsonIssue    `json:"issue,omitempty"`
	Status   bool          `json:"status,omitempty"`
	Remind   string        `json:"remind"`
}

type jsonChannel struct {
	Name     string   `json:"name"`
	Platform string   `json:"platform"`
	Account  string   `json:"account,omitempty"`
	What     []string `json:"what"`
	Mention  []string `json:"mention"`
	Sent     bool     `json:"sent,omitempty"`
	Error    string   `json:"error,omitempty"`
	Hint     string   `json:"hint,omitempty"`
}

type jsonIssue struct {
	Labels    []string `json:"labels"`
	Assignees []string `json:"assignees"`
}

func (a *app) channelJSON(c *config.Channel, id platform.ID, tried bool, err error) jsonChannel {
	j := jsonChannel{Name: c.Name, Platform: string(id), Account: c.Account, What: []string{}, Mention: list(c.Mention), Sent: tried && err == nil}
	for _, w := range c.What {
		j.What = append(j.What, string(w))
	}
	if err != nil {
		j.Error, j.Hint = a.scrub(err.Error()), a.scrub(channelHint(err))
	}
	return j
}

func (a *app) printNotify(n *jsonNotify) {
	s := a.stdoutStyle()
	for _, c := range n.Channels {
		state := s.dim(pad("channel", 10))
		switch {
		case c.Error != "":
			state = s.red(pad("not told", 10))
		case c.Sent:
			state = s.green(pad("told", 10))
		}
		a.printf("%s  %s: %s\n", state, s.bold(c.Name), c.Platform)
		switch {
		case c.Error != "":
			a.detail(func(text string) string { return text }, c.Error)
			if c.Hint != "" {
				a.detail(s.dim, c.Hint)
			}
		case !c.Sent:
			a.detail(s.dim, "of "+strings.Join(c.What, ", ")+map[bool]string{true: "; it calls " + strings.Join(c.Mention, ", ")}[len(c.Mention) > 0])
		}
	}
	if !slices.ContainsFunc(n.Channels, func(c jsonChannel) bool { return c.Sent || c.Error != "" }) {
		if n.Issue != nil {
			a.printf("%s  an issue on the code host lists what is open\n", s.dim(pad("issue", 10)))
		}
		if n.Status {
			a.printf("%s  the published commit shows what became of its posts\n", s.dim(pad("status", 10)))
		}
	}
	if len(n.Channels) == 0 && n.Issue == nil && !n.Status {
		a.printf("Nobody is told of anything: site.yaml has no notify.\n")
	}
}

// channelHint says what to do about a channel that nobody was told in, "" when the error says so itself.
func channelHint(err error) string {
	if e, ok := errors.AsType[*platform.Error](err); ok {
		return e.Hint
	}
	_, hint := explain(err)
	return hint
}

// ownNotifyOptions returns what telling people of the site that the program was started in takes.
func (a *app) ownNotifyOptions(desk *publish.Desk, repo *gitrepo.Repo) (*notify.Options, error) {
	_, prefix, err := a.mergedSite(repo, desk)
	if err != nil {
		return nil, err
	}
	return a.notifyOptions(desk, repo, prefix, a.lookup)
}

// notifyOptions returns what telling people of a merged site takes: the one in the folder prefix of the repository, with the secrets of lookup.
func (a *app) notifyOptions(desk *publish.Desk, repo *gitrepo.Repo, prefix string, lookup func(string) string) (*notify.Options, error) {
	tree, err := repo.Tree(gitrepo.Hash(desk.Commit))
	if err != nil {
		return nil, err
	}
	cfg, _, err := agenda.Config(tree, prefix, a.Registry)
	if err != nil {
		return nil, err
	}
	o := &notify.Options{
		Site: cfg, Folder: prefix, Registry: a.Registry, Memory: desk.Ledger, Env: lookup, HTTP: a.HTTP, Now: a.Now, Wait: a.Wait, Log: a.log, Scrub: a.scrub,
		Links: notify.Links{Run: forge.RunURL(lookup)}, Timeout: notify.DefaultTimeout,
	}
	address, err := addressOf(repo, desk.Remote())
	if err != nil {
		return nil, err
	}
	place, err := forge.DetectRepository(lookup, address)
	if err != nil {
		o.NoIssues = err
		return o, nil
	}
	o.Links.File = func(file string) string { return place.FileURL(desk.Commit, path.Join(prefix, file)) }
	if !cfg.Notify.Issue.On && !cfg.Notify.Status {
		return o, nil
	}
	token := forgeToken(lookup, place.Kind)
	if token == "" {
		names := tokenNames[place.Kind]
		o.NoIssues = fmt.Errorf("it takes a token of %s that may write there: set %s or %s", place.Kind, names[1], names[0])
		return o, nil
	}
	if o.Issues, err = forge.OpenTracker(place, secret.New(token), a.HTTP); err != nil {
		o.Issues, o.NoIssues = nil, err
		return o, nil
	}
	if o.Statuses, err = forge.Open(place, secret.New(token), a.HTTP); err != nil {
		o.Statuses, o.NoIssues = nil, err
	}
	return o, nil
}

// tell tells people of a run. Whatever goes wrong with that is a warning, and no reason for the run to fail.
func (a *app) tell(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo, report *publish.Report, failed error) {
	if failed != nil && !notify.Tellable(failed) {
		return
	}
	warn := a.stderrStyle().yellow("warning:")
	o, err := a.ownNotifyOptions(desk, repo)
	if err != nil {
		a.notef("%s nobody was told: %s", warn, printable(a.scrub(err.Error())))
		return
	}
	if !o.Site.Notify.On() {
		return
	}
	result := notify.Tell(ctx, *o, report, failed)
	if len(result.Told) > 0 {
		a.notef("told: %s", strings.Join(result.Told, ", "))
	}
	switch {
	case result.Settled:
		a.notef("all is settled, and the issue is closed: %s", printable(result.Issue))
	case result.Issue != "":
		a.notef("the issue lists what is open: %s", printable(result.Issue))
	}
	if result.Status != "" {
		a.notef("commit %.10s shows: %s", report.Commit, printable(result.Status))
	}
	for _, w := range result.Warnings {
		a.notef("%s %s", warn, printable(a.scrub(w.Error())))
		hint := channelHint(w.Err)
		if e, ok := errors.AsType[*forge.Error](w.Err); ok && e.Refused {
			hint = fmt.Sprintf("the token must be allowed to do that: in a GitHub workflow `permissions: {contents: write, %s}`", w.Permission())
		}
		if hint != "" {
			a.notef("%s %s", a.stderrStyle().bold("hint:"), printable(a.scrub(hint)))
		}
	}
}

// examineNotify asks the channels who we are there, and whether the issue could be written and the status set.
func (d *doctor) examineNotify(ctx context.Context, desk *publish.Desk, repo *gitrepo.Repo) error {
	o, err := d.ownNotifyOptions(desk, repo)
	if err != nil {
		return err
	}
	for _, h := range notify.Check(ctx, *o) {
		c := jsonCheck{Area: "channel", Name: h.Channel, Status: statusOK, Message: fmt.Sprintf("%s knows us as %s", h.Platform, cmp.Or(h.Identity.Handle, h.Identity.ID))}
		if h.Err != nil {
			c.Status, c.Message, c.Hint = statusProblem, h.Err.Error(), channelHint(h.Err)
		}
		d.say(c)
	}
	if o.Site.Notify.Status {
		c := jsonCheck{Area: "notify", Name: "status", Status: statusOK, Message: "there is a token for it; whether the code host lets it set statuses is seen when there is something to show"}
		if o.Statuses == nil {
			c.Status, c.Message, c.Hint = statusWarning, "nobody sets the status of what is published: "+o.NoIssues.Error(), "docs/NOTIFY.md says what it takes"
		}
		d.say(c)
	}
	if !o.Site.Notify.Issue.On {
		return nil
	}
	c := jsonCheck{Area: "notify", Name: "issue", Status: statusOK, Message: "the code host lets us read issues; whether it lets us write them is seen when there is something to say"}
	if o.Issues == nil {
		c.Status, c.Message, c.Hint = statusWarning, "nobody writes an issue: "+o.NoIssues.Error(), "docs/NOTIFY.md says what it takes"
	} else { // no issue begins like that: they are looked through
		ctx, cancel := context.WithTimeout(ctx, o.Timeout)
		defer cancel()
		if _, _, err := o.Issues.Settle(ctx, "<!-- postrider doctor -->", ""); err != nil {
			c.Status, c.Message, c.Hint = statusProblem, err.Error(), "the token must be allowed to read and write issues"
		}
	}
	d.say(c)
	return nil
}
