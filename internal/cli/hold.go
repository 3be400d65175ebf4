package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postrider/postrider/internal/agenda"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/publish"
)

// holdSoon is how far ahead `hold` says what it stops.
const holdSoon = 24 * time.Hour

func (a *app) holdCommand() *cobra.Command {
	var f deskFlags
	var reason string
	var lift bool
	cmd := &cobra.Command{
		Use:     "hold [SCOPE]",
		GroupID: groupPublish,
		Short:   "Stop publishing at once: all of it, an account or a campaign",
		Long: `Pull the emergency stop. SCOPE is "all" (when left out), an account, a platform (all its accounts) or
a campaign of the merged site.yaml. Nothing in it is sent, edited or resumed by any run that begins
from now on; a run that is at work begins nothing new within 30 seconds. It takes one commit on the
ledger branch and no merge, so it works where the main branch is protected. "postrider hold" alone
lists what is held, with what "hold:" in site.yaml holds.

--lift takes a hold back. What came due meanwhile then goes out with the next run, unless it is late
by then: that follows schedule.late. "postrider withdraw" takes down what is out already.`,
		Example: `  postrider hold --reason "an earthquake in the region"
  postrider hold winter-launch --reason "the price is wrong"
  postrider hold
  postrider hold --lift`,
		Args: argsBetween(0, 1, "one scope"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			pull := reason != "" || cmd.Flags().Changed("reason")
			switch {
			case lift && pull:
				return usagef(cmd, "takes either --reason or --lift")
			case !lift && len(args) > 0 && strings.TrimSpace(reason) == "", pull && strings.TrimSpace(reason) == "":
				return &usageError{msg: "hold needs a reason: it is shown wherever a post waits for it", hint: fmt.Sprintf("postrider hold %s --reason \"…\"", strings.Join(args, ""))}
			}
			open := a.openHold
			if !lift && !pull {
				open = a.lookDesk
			}
			desk, repo, err := open(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, repo.Close()) }()
			cfg, err := a.mergedConfig(repo, desk)
			if err != nil {
				return err
			}
			scope := ledger.ScopeAll
			if len(args) == 1 {
				scope = args[0]
			}
			name, mail := repo.Identity(cmd.Context())
			h := &holding{app: a, desk: desk, config: cfg, now: a.Now(), who: fmt.Sprintf("%s <%s>", name, mail)}
			switch {
			case lift:
				return h.lift(cmd.Context(), scope, f.json)
			case pull:
				return h.pull(cmd.Context(), scope, strings.TrimSpace(reason), f.json)
			default:
				return h.list(f.json)
			}
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.offline, "offline", false, "list without asking the remote")
	cmd.Flags().StringVar(&reason, "reason", "", "why, in a few `WORDS`")
	cmd.Flags().BoolVar(&lift, "lift", false, "take the hold back")
	return cmd
}

// openHold opens a desk whose ledger is going to be written: a stop that is only here stops nobody.
func (a *app) openHold(ctx context.Context, f deskFlags) (*publish.Desk, *gitrepo.Repo, error) {
	if f.offline {
		return nil, nil, &usageError{msg: "a hold that the remote does not know stops nobody", hint: "leave --offline out"}
	}
	desk, repo, err := a.openDesk(ctx, f, plan.BacklogStop)
	return desk, repo, notHeld(err)
}

// notHeld says of an error that the stop has not been pulled, and what else stops a site.
func notHeld(err error) error {
	if errors.Is(err, gitrepo.ErrUnreachable) || errors.Is(err, gitrepo.ErrAuth) || errors.Is(err, gitrepo.ErrRefused) {
		return &failedError{
			err:  fmt.Errorf("the holds are as they were, because the ledger could not be written: %w", err),
			hint: "until that works, stop the job that runs `postrider publish`, or take its tokens away",
		}
	}
	return err
}

// holding is one call of hold.
type holding struct {
	*app
	desk   *publish.Desk
	config *config.Site
	now    time.Time
	who    string
}

// known refuses a scope that the merged site.yaml does not have.
func (h *holding) known(scope string) error {
	names := append([]string{ledger.ScopeAll}, h.config.Names()...)
	for i := range h.config.Campaigns {
		names = append(names, h.config.Campaigns[i].Name)
	}
	if slices.Contains(names, scope) {
		return nil
	}
	e := &usageError{msg: fmt.Sprintf("the merged site.yaml has no account, platform or campaign %q", scope), hint: "it has " + strings.Join(names, ", ")}
	if near := content.Nearest(scope, names); near != "" {
		e.hint = fmt.Sprintf("did you mean %s? A campaign that is not merged yet cannot be held", near)
	}
	return e
}

// covers reports whether a scope has to do with a target.
func covers(scope string, t *plan.Target) bool {
	return ledger.Hold{Scope: scope}.Covers(t.Account, string(t.Platform), t.Campaign)
}

// holds returns the holds of the ledger as it is now.
func (h *holding) holds() ([]ledger.Hold, error) {
	view, err := h.desk.Ledger.View()
	if err != nil {
		return nil, err
	}
	return view.Holds()
}

// plan plans for now. A site that cannot be planned, because its site.yaml is broken, sends nothing anyway, and must not keep a
// stop from being pulled: then the plan is nil.
func (h *holding) plan() (*plan.Plan, error) {
	p, err := h.desk.Plan(h.now)
	if _, broken := errors.AsType[*agenda.ConfigError](err); broken {
		return nil, nil
	}
	return p, err
}

// pull holds a scope.
func (h *holding) pull(ctx context.Context, scope, reason string, asJSON bool) error {
	if err := h.known(scope); err != nil {
		return err
	}
	before, err := h.plan()
	if err != nil {
		return err
	}
	err = h.onLedger(ctx, h.desk, func() error {
		holds, err := h.holds()
		if err != nil {
			return err
		}
		holds = slices.DeleteFunc(holds, func(x ledger.Hold) bool { return x.Scope == scope })
		holds = append(holds, ledger.Hold{Scope: scope, Reason: reason, By: h.who, At: h.now.UTC().Truncate(time.Second)})
		slices.SortFunc(holds, func(x, y ledger.Hold) int { return strings.Compare(x.Scope, y.Scope) })
		return h.desk.Ledger.SetHolds(ctx, fmt.Sprintf("hold %s: %s", scope, oneLine(reason)), holds)
	})
	if err != nil {
		return notHeld(err)
	}
	stops := stopsOf(before, scope, h.now)
	if asJSON {
		return h.json(stops, nil)
	}
	s := h.stdoutStyle()
	h.printf("%s  %s: %s\n", s.red(pad("held", 10)), s.bold(scope), oneLine(reason))
	h.line("no run that begins from now on sends any of it; one that is at work stops within 30 seconds")
	switch {
	case before == nil:
		h.line("site.yaml has errors, so that nothing goes out at present anyway")
	case stops.Now+stops.Soon == 0:
		h.line("nothing is due there within the next 24 hours")
	default:
		h.printf("%s  %s due now, %d more within 24 hours\n", s.yellow(pad("stops", 10)), deliveries(stops.Now), stops.Soon)
	}
	h.printf("%s  postrider hold --lift%s\n", pad("lift it", 10), map[bool]string{false: " " + scope}[scope == ledger.ScopeAll])
	h.line(h.latePolicy())
	return nil
}

// latePolicy says what becomes of what comes due while a hold is on.
func (h *holding) latePolicy() string {
	late := h.config.Schedule.Late
	then := map[post.Late]string{post.LatePublish: "goes out as well", post.LateSkip: "is skipped"}[late.Then]
	return fmt.Sprintf("what came due meanwhile then goes out; what is late by %s or more %s", longDuration(late.After), cmp.Or(then, "waits for a person"))
}

// line writes a line below the last result.
func (h *holding) line(text string) {
	h.detail(h.stdoutStyle().dim, text)
}

// jsonStops counts deliveries that a hold stops, as docs/JSON.md promises it.
type jsonStops struct {
	Now  int `json:"now"`
	Soon int `json:"soon"`
}

// stopsOf counts what a plan has within a scope that is due, or comes due soon.
func stopsOf(p *plan.Plan, scope string, now time.Time) *jsonStops {
	stops := &jsonStops{}
	if p == nil {
		return stops
	}
	for i := range p.Actions {
		x := &p.Actions[i]
		if x.Verb != plan.Withdraw && x.Look == "" && covers(scope, &x.Target) {
			stops.Now++
		}
	}
	for i := range p.Waiting {
		w := &p.Waiting[i]
		if !covers(scope, &w.Target) {
			continue
		}
		switch w.State {
		case plan.WaitHeld, plan.WaitLimit, plan.WaitEmbargo, plan.WaitUnapproved:
			stops.Now++
		case plan.WaitScheduled, plan.WaitQuiet, plan.WaitBudget, plan.WaitLimited, plan.WaitUnsent:
			if !w.Until.IsZero() && w.Until.Sub(now) <= holdSoon {
				stops.Soon++
			}
		}
	}
	return stops
}

// jsonResumes says what becomes of the deliveries that a hold held, as docs/JSON.md promises it.
type jsonResumes struct {
	Publish int `json:"publish"` // go out with the next run
	Late    int `json:"late"`    // wait for a person
	Skipped int `json:"skipped"`
	Held    int `json:"held"`  // another hold holds them still
	Other   int `json:"other"` // wait for something else
}

// lift takes the hold of a scope back.
func (h *holding) lift(ctx context.Context, scope string, asJSON bool) error {
	before, err := h.plan()
	if err != nil {
		return err
	}
	var lifted []ledger.Hold
	err = h.onLedger(ctx, h.desk, func() error {
		holds, err := h.holds()
		if err != nil {
			return err
		}
		lifted = nil
		holds = slices.DeleteFunc(holds, func(x ledger.Hold) bool {
			if x.Scope == scope {
				lifted = append(lifted, x)
			}
			return x.Scope == scope
		})
		if len(lifted) == 0 {
			return h.nothingToLift(scope, holds)
		}
		return h.desk.Ledger.SetHolds(ctx, "lift the hold of "+scope, holds)
	})
	if err != nil {
		return notHeld(err)
	}
	resumes := &jsonResumes{}
	after, err := h.plan()
	if err != nil {
		return err
	}
	if before != nil && after != nil {
		resumes = resumesOf(before, after, scope)
	}
	if asJSON {
		return h.json(nil, resumes)
	}
	s := h.stdoutStyle()
	for _, x := range lifted {
		h.printf("%s  %s: %s\n", s.green(pad("lifted", 10)), s.bold(oneLine(x.Scope)), oneLine(x.Reason))
	}
	for _, part := range []struct {
		n    int
		what string
	}{
		{resumes.Publish, "goes out with the next run|go out with the next run"},
		{resumes.Late, "is late by now and waits for a person: see `postrider plan`|are late by now and wait for a person: see `postrider plan`"},
		{resumes.Skipped, "is too late and skipped|are too late and skipped"},
		{resumes.Held, "is still held|are still held"},
		{resumes.Other, "waits for another reason: see `postrider plan`|wait for other reasons: see `postrider plan`"},
	} {
		if one, many, _ := strings.Cut(part.what, "|"); part.n == 1 {
			h.line("1 delivery " + one)
		} else if part.n > 1 {
			h.line(fmt.Sprintf("%d deliveries %s", part.n, many))
		}
	}
	if *resumes == (jsonResumes{}) {
		h.line("nothing came due meanwhile")
	}
	return h.still()
}

// nothingToLift says that a scope is not held, and what is.
func (h *holding) nothingToLift(scope string, holds []ledger.Hold) error {
	e := &usageError{msg: fmt.Sprintf("no hold of %q is on", scope), hint: "`postrider hold` lists those that are"}
	if h.config.Hold.Reason != "" {
		e.hint = "site.yaml has a hold: it is lifted by merging a site.yaml without `hold.reason`"
	}
	if len(holds) > 0 {
		var on []string
		for _, x := range holds {
			on = append(on, "postrider hold --lift "+x.Scope)
		}
		e.hint = "these are: " + strings.Join(on, "; ")
	}
	return e
}

// resumesOf compares the plans before and after holds were lifted.
func resumesOf(before, after *plan.Plan, scope string) *jsonResumes {
	r := &jsonResumes{}
	held := map[ledger.ID]bool{}
	for i := range before.Waiting {
		if w := &before.Waiting[i]; w.State == plan.WaitHeld && covers(scope, &w.Target) {
			held[ledger.ID{Post: w.Post, Account: w.Account, Occurrence: w.Occurrence}] = true
		}
	}
	for i := range after.Actions {
		if held[after.Actions[i].ID()] {
			r.Publish++
		}
	}
	for i := range after.Waiting {
		w := &after.Waiting[i]
		if !held[ledger.ID{Post: w.Post, Account: w.Account, Occurrence: w.Occurrence}] {
			continue
		}
		switch w.State {
		case plan.WaitLate:
			r.Late++
		case plan.WaitSkipped:
			r.Skipped++
		case plan.WaitHeld:
			r.Held++
		default:
			r.Other++
		}
	}
	return r
}

// still says what is held after a hold has been lifted.
func (h *holding) still() error {
	holds, err := h.holds()
	if err != nil {
		return err
	}
	if len(holds) > 0 || h.config.Hold.Reason != "" {
		h.printHolds(holds)
	}
	return nil
}

// jsonHold is a hold, as docs/JSON.md promises it.
type jsonHold struct {
	Scope  string   `json:"scope"`
	Reason string   `json:"reason"`
	By     string   `json:"by,omitempty"`
	At     jsonTime `json:"at,omitzero"`
	In     string   `json:"in"`
}

// jsonHolds is what hold prints, as docs/JSON.md promises it.
type jsonHolds struct {
	Holds   []jsonHold   `json:"holds"`
	Stops   *jsonStops   `json:"stops,omitempty"`
	Resumes *jsonResumes `json:"resumes,omitempty"`
}

func (h *holding) json(stops *jsonStops, resumes *jsonResumes) error {
	holds, err := h.holds()
	if err != nil {
		return err
	}
	return h.printJSON(jsonHolds{Holds: holdsJSON(holds, h.config), Stops: stops, Resumes: resumes})
}

func holdsJSON(holds []ledger.Hold, cfg *config.Site) []jsonHold {
	out := []jsonHold{}
	for _, x := range holds {
		out = append(out, jsonHold{Scope: x.Scope, Reason: x.Reason, By: x.By, At: jsonTime{x.At}, In: "ledger"})
	}
	if cfg.Hold.Reason != "" {
		for _, scope := range cfg.Hold.Scope {
			out = append(out, jsonHold{Scope: scope, Reason: cfg.Hold.Reason, In: config.File})
		}
	}
	return out
}

// list writes what is held.
func (h *holding) list(asJSON bool) error {
	if asJSON {
		return h.json(nil, nil)
	}
	holds, err := h.holds()
	if err != nil {
		return err
	}
	h.printHolds(holds)
	return nil
}

func (h *holding) printHolds(holds []ledger.Hold) {
	s := h.stdoutStyle()
	if len(holds) == 0 && h.config.Hold.Reason == "" {
		h.printf("Nothing is held.\n")
	}
	for _, x := range holds {
		h.printf("%s  %s: %s\n", s.red(pad("held", 10)), s.bold(oneLine(x.Scope)), oneLine(x.Reason))
		since := []string{}
		if !x.At.IsZero() {
			since = append(since, fmt.Sprintf("since %s, for %s", clockTime(x.At.In(h.config.Location)), longDuration(h.now.Sub(x.At))))
		}
		if x.By != "" {
			since = append(since, "by "+oneLine(x.By))
		}
		if len(since) > 0 {
			h.line(strings.Join(since, ", "))
		}
	}
	if h.config.Hold.Reason != "" {
		h.printf("%s  %s: %s\n", s.red(pad("held", 10)), s.bold(strings.Join(h.config.Hold.Scope, ", ")), oneLine(h.config.Hold.Reason))
		h.line("by site.yaml: merging one without `hold.reason` lifts it")
	}
}
