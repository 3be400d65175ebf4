package notify

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/adapters/telegram/fake"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/forge"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/publish"
)

var update = flag.Bool("update", false, "write the golden files")

var t0 = time.Date(2026, 12, 1, 8, 5, 0, 0, time.UTC)

// memory is a ledger that only remembers what was told.
type memory struct {
	mu     sync.Mutex
	told   ledger.Told
	writes int
	fail   error
	before func() // what another run does between reading and writing, once
}

func (m *memory) Told() (ledger.Told, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return ledger.DecodeTold(append([]byte(nil), orEmpty(ledger.EncodeTold(m.told))...))
}

func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte("{}")
	}
	return b
}

func (m *memory) SetTold(_ context.Context, _ string, told ledger.Told) error {
	m.mu.Lock()
	before := m.before
	m.before = nil
	m.mu.Unlock()
	if before != nil {
		before()
		return gitrepo.ErrMoved
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.told = told
	m.writes++
	return nil
}

func (m *memory) Refresh(context.Context) error { return nil }

// issueTracker is a code host with one issue at most.
type issueTracker struct {
	open   bool
	issue  forge.Issue
	writes []string
	fail   error
}

func (i *issueTracker) Keep(_ context.Context, marker string, n forge.Issue) (string, bool, error) {
	if i.fail != nil {
		return "", false, i.fail
	}
	if !strings.HasPrefix(n.Body, marker) {
		return "", false, errors.New("nobody would find it again")
	}
	changed := !i.open || i.issue.Body != n.Body
	i.open, i.issue = true, n
	i.writes = append(i.writes, n.Title)
	return "https://forge.example/1", changed, nil
}

func (i *issueTracker) Settle(context.Context, string, string) (string, bool, error) {
	if i.fail != nil {
		return "", false, i.fail
	}
	was := i.open
	i.open = false
	i.writes = append(i.writes, "closed")
	return "https://forge.example/1", was, nil
}

// room is where messages arrive, by an incoming webhook.
type room struct {
	mu       sync.Mutex
	messages []string
	status   int
	hang     bool
	during   func() // what happens while a message is sent, once
}

// RoundTrip implements [http.RoundTripper].
func (r *room) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	during := r.during
	r.during = nil
	r.mu.Unlock()
	if during != nil {
		during()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hang {
		r.mu.Unlock()
		<-req.Context().Done()
		r.mu.Lock()
		return nil, req.Context().Err()
	}
	status := r.status
	if status == 0 {
		status = http.StatusOK
		var in struct{ Text string }
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, err
		}
		r.messages = append(r.messages, in.Text)
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("ok")), Header: http.Header{}, Request: req}, nil
}

// desk is one site with one or more runs.
type desk struct {
	t      *testing.T
	o      Options
	now    time.Time
	memory *memory
	issues *issueTracker
	room   *room
	run    int
	secret string // the channel's
}

const hook = "https://chat.example/hooks/s3cret-0123456789"

func newDesk(t *testing.T, notify string) *desk {
	t.Helper()
	reg := adapters.All()
	site, found := config.Parse(config.File, []byte("title: Acme\naccounts:\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\n"+notify), reg)
	if found.HasErrors() {
		t.Fatal(found)
	}
	d := &desk{t: t, now: t0, memory: &memory{}, issues: &issueTracker{}, room: &room{}, secret: hook}
	d.o = Options{
		Site: site, Registry: reg, Memory: d.memory, HTTP: &http.Client{Transport: d.room}, Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler),
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Issues: d.issues,
		Env: func(name string) string {
			return map[string]string{"POSTRIDER_TEAM_WEBHOOK_URL": d.secret}[name]
		},
		Scrub: func(s string) string { return strings.ReplaceAll(s, "tok-0123456789", "[secret]") },
	}
	return d
}

// tell is a run that ends with these deliveries and this waiting.
func (d *desk) tell(deliveries []publish.Delivery, waiting ...plan.Waiting) Result {
	d.run++
	return Tell(d.t.Context(), d.o, d.report(deliveries, waiting...), nil)
}

func (d *desk) report(deliveries []publish.Delivery, waiting ...plan.Waiting) *publish.Report {
	return &publish.Report{Run: fmt.Sprintf("run-%d", d.run), At: d.now, Deliveries: deliveries, Waiting: waiting}
}

// expect holds the number of messages, of writes to the ledger, and what the issue went through, to what they should be.
func (d *desk) expect(messages, writes int, issue ...string) {
	d.t.Helper()
	if len(d.room.messages) != messages || d.memory.writes != writes || !slices.Equal(d.issues.writes, issue) {
		d.t.Fatalf("%d messages, %d writes, issue %q; want %d, %d, %q\n%s", len(d.room.messages), d.memory.writes, d.issues.writes, messages, writes, issue, strings.Join(d.room.messages, "\n---\n"))
	}
}

func (d *desk) last() string { return d.room.messages[len(d.room.messages)-1] }

func delivery(post string, outcome platform.Outcome, message string) publish.Delivery {
	d := publish.Delivery{Post: post, Path: "content/" + post + ".md", Title: "Title of " + post, Account: "fedi", Platform: "mastodon", Verb: plan.Publish, Outcome: outcome.String()}
	d.Err = &platform.Error{Outcome: outcome, Op: "create post", Message: message}
	return d
}

func out(post string) publish.Delivery {
	d := delivery(post, platform.Unknown, "")
	d.Outcome, d.Err, d.Parts = "published", nil, []platform.Remote{{ID: "1", URL: "https://fedi.example/@acme/" + post}}
	return d
}

func waits(post string, state plan.WaitState, reason string) plan.Waiting {
	return plan.Waiting{
		Target: plan.Target{Post: post, Path: "content/" + post + ".md", Title: "Title of " + post, Account: "fedi", Platform: "mastodon", Due: t0.Add(-time.Hour)},
		State:  state, Reason: reason,
	}
}

func until(w plan.Waiting, at time.Time) plan.Waiting {
	w.Until = at
	return w
}

const teamAndIssue = "notify:\n  channels: {team: {platform: slack}}\n  issue: true\n"

// Everything that a report can hold, and what becomes of it.
func TestItems(t *testing.T) {
	failed := func(verb plan.Verb, o platform.Outcome) publish.Delivery {
		d := delivery("v-"+string(verb)+"-"+o.String(), o, "no\nway tok-0123456789")
		d.Verb = verb
		return d
	}
	r := &publish.Report{At: t0, Deliveries: []publish.Delivery{
		out("out"), failed(plan.Publish, platform.Unknown), failed(plan.Publish, platform.Unsent), failed(plan.Publish, platform.Limited),
		failed(plan.Update, platform.Denied), failed(plan.Withdraw, platform.Rejected),
	}}
	skipped := out("skipped")
	skipped.Outcome = "skipped"
	r.Deliveries = append(r.Deliveries, skipped)
	for _, s := range []plan.WaitState{
		plan.WaitDraft, plan.WaitScheduled, plan.WaitQuiet, plan.WaitHeld, plan.WaitEmbargo, plan.WaitLate, plan.WaitSkipped, plan.WaitBlocked, plan.WaitDuplicate,
		plan.WaitLimit, plan.WaitBudget, plan.WaitFirstRun, plan.WaitSending, plan.WaitUnknown, plan.WaitDenied, plan.WaitRejected, plan.WaitLimited, plan.WaitUnsent,
		plan.WaitExpired, plan.WaitWithdrawn, plan.WaitChanged, plan.WaitUnsupported, plan.WaitCannot, plan.WaitOrphan,
	} {
		r.Waiting = append(r.Waiting, waits("w-"+string(s), s, "because"))
	}
	later := waits("w-blocked-later", plan.WaitBlocked, "not yet")
	later.Due = t0.Add(time.Hour)
	r.Waiting = append(r.Waiting, later, until(waits("w-unknown-later", plan.WaitUnknown, "soon"), t0.Add(time.Hour)), waits("v-publish-unknown", plan.WaitUnknown, "the same again"))
	var b strings.Builder
	for _, i := range Items(r, errors.New("account \"x\" lacks its secret"), func(s string) string { return strings.ReplaceAll(s, "tok-0123456789", "[secret]") }) {
		fmt.Fprintf(&b, "%s %s [%s] person: %t\n\t%s\n\t%s\n", i.What, i.ID(), i.State, i.Person, i.Reason, i.Next)
	}
	golden(t, "items.txt", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // a golden file
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// The message of one run, as each channel shows it.
func TestMessages(t *testing.T) {
	evil := delivery("evil", platform.Rejected, "the <b>text</b> has tok-0123456789, @everyone & *more*")
	evil.Title = "*Evil* [click](https://evil.example) <!channel> @here"
	r := &publish.Report{At: t0, Deliveries: []publish.Delivery{evil, delivery("winter", platform.Unknown, "no answer in time"), out("hello")}, Waiting: []plan.Waiting{waits("old", plan.WaitLate, "it was due 9 days ago")}}
	items := Items(r, nil, func(s string) string { return strings.ReplaceAll(s, "tok-0123456789", "[secret]") })
	m := &message{fresh: items[:3], again: items[3:]}
	links := Links{File: func(file string) string { return "https://forge.example/acme/site/blob/c0ffee/" + file }, Run: "https://forge.example/acme/site/actions/runs/42"}
	reg := adapters.All()
	for _, a := range reg.Channels() {
		info := a.Info()
		account := &platform.Account{Name: "team", Platform: info.ID, Options: info.NewOptions()}
		mention := map[platform.ID][]string{"slack": {"here"}, "discord": {"&123"}, "mattermost": {"@ada"}, "matrix": {"@ada:acme.example"}, "telegram": {"@ada"}, "webhook": {"Ada"}}[info.ID]
		rendering := render(a, account, mention, "Acme", m, links)
		var b strings.Builder
		fmt.Fprintf(&b, "title: %s\n", rendering.Title)
		for name, value := range rendering.Settings {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
		for _, p := range rendering.Parts {
			fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(p.Text, "\u2060", "⁀"))
			for _, f := range p.Facets {
				fmt.Fprintf(&b, "%s %q %s\n", f.Kind, p.Text[f.Start:f.End], f.Value)
			}
		}
		golden(t, string(info.ID)+".txt", b.String())
	}
	site, _ := config.Parse(config.File, []byte("title: Acme\naccounts:\n  fedi: {platform: mastodon, server: \"https://fedi.example\"}\nnotify: {issue: true}\n"), reg)
	body := issueOf(site, items, links)
	golden(t, "issue.md", "# "+body.title+"\n\n"+strings.ReplaceAll(body.text, "\u2060", "⁀"))
}

// A message has as many items as its channel has room for, and says how many more there are.
func TestLongMessagesAreCut(t *testing.T) {
	var deliveries []publish.Delivery
	for n := range 40 {
		deliveries = append(deliveries, delivery(fmt.Sprintf("p%02d", n), platform.Rejected, strings.Repeat("the network has a lot to say ", 40)))
	}
	items := Items(&publish.Report{At: t0, Deliveries: deliveries}, nil, func(s string) string { return s })
	for _, a := range adapters.All().Channels() {
		info := a.Info()
		r := render(a, &platform.Account{Name: "team", Platform: info.ID, Options: info.NewOptions()}, nil, "Acme", &message{fresh: items}, Links{})
		if len(r.Parts) != 1 {
			t.Fatalf("%s: %d parts", info.ID, len(r.Parts))
		}
		p := r.Parts[0]
		named := strings.Count(p.Text, "Title of p")
		if p.Max > 0 && p.Used > p.Max || named == 0 || named > maxItems || !strings.Contains(p.Text, fmt.Sprintf("… and %d more", 40-named)) {
			t.Errorf("%s: %d of %d, %d items named:\n%s", info.ID, p.Used, p.Max, named, p.Text)
		}
	}
	site, _ := config.Parse(config.File, []byte("accounts: {}\n"), adapters.All())
	for len(items) < 400 {
		items = append(items, items...)
	}
	if b := issueOf(site, items, Links{}); len(b.text) > 60_000 || !strings.Contains(b.text, "more: `postrider plan`") {
		t.Errorf("the issue has %d bytes", len(b.text))
	}
}

func TestToldOnce(t *testing.T) {
	d := newDesk(t, teamAndIssue)
	lost := delivery("a", platform.Unknown, "no answer tok-0123456789")
	if r := d.tell([]publish.Delivery{lost, out("b")}); !slices.Equal(r.Told, []string{"team"}) || r.Issue == "" || len(r.Warnings) > 0 {
		t.Fatalf("%+v", r)
	}
	d.expect(1, 2, "Postrider: 1 may be out or not (Acme)") // two writes: about to, and told
	if strings.Contains(d.last()+d.issues.issue.Body, "tok-0123456789") || strings.Contains(d.last(), "Title of b") {
		t.Errorf("a secret, or what nobody wanted to know:\n%s", d.last())
	}
	// The next runs: it is looked for, waits, is looked for again, is at another run.
	for _, w := range []plan.Waiting{
		until(waits("a", plan.WaitUnknown, "looked for again at 9:10"), d.now.Add(time.Hour)), waits("a", plan.WaitUnknown, "nobody can tell"), waits("a", plan.WaitSending, "another run is at it"),
	} {
		if r := d.tell(nil, w); len(r.Told) > 0 || len(r.Warnings) > 0 {
			t.Fatalf("%s: told again: %+v", w.State, r)
		}
	}
	d.tell([]publish.Delivery{lost})
	if len(d.room.messages) != 1 {
		t.Fatalf("%d messages", len(d.room.messages))
	}
	// Something else happens: only that is told.
	d.tell(nil, waits("a", plan.WaitUnknown, "nobody can tell"), waits("c", plan.WaitLate, "too late"))
	if len(d.room.messages) != 2 || !strings.Contains(d.last(), "Title of c") || strings.Contains(d.last(), "Title of a") {
		t.Fatalf("%d messages, the last:\n%s", len(d.room.messages), d.last())
	}
	// A day later both are told again, once, as what they are.
	d.now = d.now.Add(24 * time.Hour)
	for range 2 {
		d.tell(nil, waits("a", plan.WaitUnknown, "nobody can tell"), waits("c", plan.WaitLate, "too late"))
	}
	if len(d.room.messages) != 3 || !strings.Contains(d.last(), "Still open:") {
		t.Fatalf("%d messages, the last:\n%s", len(d.room.messages), d.last())
	}
	// Settled: the issue is closed and all is forgotten; if it happens again, they are told again.
	if r := d.tell(nil); !r.Settled || d.issues.open {
		t.Fatalf("%+v", r)
	}
	if b := ledger.EncodeTold(d.memory.told); b != nil {
		t.Errorf("remembered: %s", b)
	}
	writes := d.memory.writes
	d.tell(nil)
	if d.memory.writes != writes || len(d.room.messages) != 3 {
		t.Error("a run with nothing to tell wrote something")
	}
	d.tell([]publish.Delivery{lost})
	if len(d.room.messages) != 4 || !d.issues.open {
		t.Error("the second time, nobody was told")
	}
}

// What a channel is told of is what it asked for.
func TestWhat(t *testing.T) {
	deliveries := []publish.Delivery{delivery("unknown", platform.Unknown, "x"), delivery("unsent", platform.Unsent, "x"), delivery("denied", platform.Denied, "x"), out("out")}
	waiting := []plan.Waiting{waits("late", plan.WaitLate, "x"), waits("held", plan.WaitHeld, "x")}
	for what, want := range map[string]string{
		"":                  "denied late unknown unsent",
		"what: unknown":     "unknown",
		"what: [failed]":    "denied unsent",
		"what: [attention]": "denied late",
		"what: held":        "held",
		"what: [published]": "out",
		"what: []":          "",
	} {
		d := newDesk(t, "notify:\n  channels: {team: {platform: slack}}\n  "+what+"\n")
		d.tell(deliveries, waiting...)
		var got []string
		for _, name := range []string{"denied", "held", "late", "out", "unknown", "unsent"} {
			if len(d.room.messages) > 0 && strings.Contains(d.last(), "Title of "+name) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: told of %v, want %s", what, got, want)
		}
	}
	// What went out is told of by the run that did it, and needs no memory.
	d := newDesk(t, "notify:\n  what: published\n  channels: {team: {platform: slack}}\n")
	d.tell([]publish.Delivery{out("a")})
	d.expect(1, 0)
}

// Of two runs at once, each tells what it did; what both see, one tells.
func TestTwoRuns(t *testing.T) {
	d := newDesk(t, teamAndIssue)
	both := waits("both", plan.WaitLate, "x")
	other := newDesk(t, teamAndIssue)
	other.memory, other.room, other.issues = d.memory, d.room, d.issues
	other.o.Memory, other.o.HTTP, other.o.Issues = d.o.Memory, d.o.HTTP, d.o.Issues
	d.memory.before = func() { // while the first is about to write
		other.run = 100
		other.tell([]publish.Delivery{delivery("hers", platform.Unsent, "x")}, both)
	}
	d.tell([]publish.Delivery{delivery("his", platform.Unsent, "x")}, both, waits("hers", plan.WaitSending, "another run"))
	all := strings.Join(d.room.messages, "\n")
	if len(d.room.messages) != 2 || strings.Count(all, "Title of his") != 1 || strings.Count(all, "Title of hers") != 1 || strings.Count(all, "Title of both") != 1 {
		t.Errorf("%d messages:\n%s", len(d.room.messages), all)
	}
	if len(d.issues.writes) != 2 {
		t.Errorf("the issue went through %q", d.issues.writes)
	}
}

// A run that takes long to tell does not forget what others have told meanwhile, of deliveries that it knows nothing of; the next one does,
// once that is settled.
func TestSlowRun(t *testing.T) {
	const team = "notify: {channels: {team: {platform: slack}}}\n"
	d, other := newDesk(t, team), newDesk(t, team)
	other.memory, other.room = d.memory, d.room
	other.o.Memory, other.o.HTTP = d.o.Memory, d.o.HTTP
	d.room.during = func() {
		other.run, other.now = 100, t0.Add(10*time.Second)
		other.tell([]publish.Delivery{delivery("hers", platform.Unknown, "x")}, waits("his", plan.WaitUnsent, "x"))
	}
	d.tell([]publish.Delivery{delivery("his", platform.Unsent, "x")})
	other.now = t0.Add(time.Hour)
	other.tell(nil, waits("hers", plan.WaitUnknown, "x"), waits("his", plan.WaitUnsent, "x"))
	all := strings.Join(d.room.messages, "\n")
	if len(d.room.messages) != 2 || strings.Count(all, "Title of his") != 1 || strings.Count(all, "Title of hers") != 1 {
		t.Errorf("%d messages:\n%s", len(d.room.messages), all)
	}
	d.room.during = func() { // this time the slow one has settled what another comes upon
		other.now = t0.Add(2 * time.Hour)
		other.tell([]publish.Delivery{delivery("third", platform.Unsent, "x")})
	}
	d.now = t0.Add(2 * time.Hour)
	d.tell([]publish.Delivery{out("third"), delivery("fourth", platform.Unsent, "x")})
	d.now = t0.Add(3 * time.Hour)
	d.tell([]publish.Delivery{out("fourth")})
	if told, err := d.memory.Told(); err != nil || len(told.Items) != 0 {
		t.Errorf("all is settled, and this is remembered: %+v, %v", told.Items, err)
	}
}

// A run that dies while it tells: until its claim ends nobody tells, and then the next run does.
func TestCrash(t *testing.T) {
	d := newDesk(t, teamAndIssue)
	d.run = 1
	late := waits("a", plan.WaitLate, "x")
	dead := newTeller(d.o, d.report(nil, late), nil)
	if err := dead.claim(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.tell(nil, late)
	d.expect(0, 1)
	d.now = d.now.Add(DefaultTimeout + claimTime)
	d.tell(nil, late)
	d.expect(1, 3, "Postrider: 1 waiting for a person (Acme)")
	d.tell(nil, late)
	d.expect(1, 3, "Postrider: 1 waiting for a person (Acme)")
}

// Whatever a channel or the code host does, the run is none the worse, and the next one tells.
func TestFailures(t *testing.T) {
	late := waits("a", plan.WaitLate, "x")
	for name, c := range map[string]struct {
		spoil func(*desk)
		mend  func(*desk)
		want  string
	}{
		"down":      {func(d *desk) { d.room.status = 503 }, func(d *desk) { d.room.status = 0 }, "503"},
		"refused":   {func(d *desk) { d.room.status = 403 }, func(d *desk) { d.room.status = 0 }, "403"},
		"no secret": {func(d *desk) { d.secret = "" }, func(d *desk) { d.secret = hook }, "channel \"team\" lacks its secret: set POSTRIDER_TEAM_WEBHOOK_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, "notify:\n  channels: {team: {platform: slack}}\n")
			c.spoil(d)
			r := d.tell(nil, late)
			if len(r.Warnings) != 1 || len(r.Told) != 0 || !strings.Contains(r.Warnings[0].Error(), c.want) || strings.Contains(r.Warnings[0].Error(), "s3cret") {
				t.Fatalf("%+v", r)
			}
			writes := d.memory.writes
			d.tell(nil, late)
			if d.memory.writes != writes { // or each run would, as long as the channel is down
				t.Errorf("%d writes for nothing", d.memory.writes-writes)
			}
			c.mend(d)
			d.now = d.now.Add(DefaultTimeout + claimTime)
			d.tell(nil, late)
			d.tell(nil, late)
			if len(d.room.messages) != 1 {
				t.Errorf("%d messages", len(d.room.messages))
			}
		})
	}
	t.Run("issue", func(t *testing.T) {
		d := newDesk(t, "notify: {issue: true}\n")
		d.issues.fail = &forge.Error{Op: "create an issue", Refused: true, Err: errors.New("no")}
		if r := d.tell(nil, late); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0].Error(), "the issue on the code host was not written: create an issue: no") {
			t.Fatalf("%+v", r)
		}
		d.issues.fail = nil
		d.tell(nil, late)
		if len(d.issues.writes) > 0 {
			t.Error("the code host is asked again at once")
		}
		d.now = d.now.Add(DefaultTimeout + claimTime)
		d.tell(nil, late)
		d.tell(nil, late)
		if len(d.issues.writes) != 1 || !d.issues.open {
			t.Errorf("%q", d.issues.writes)
		}
		d.o.Issues, d.o.NoIssues = nil, forge.ErrUnknownHost
		if r := d.tell(nil); len(r.Warnings) != 1 || !errors.Is(r.Warnings[0].Err, forge.ErrUnknownHost) {
			t.Errorf("%+v", r)
		}
	})
	t.Run("ledger", func(t *testing.T) { // who cannot remember does not tell: the next run would tell the same
		d := newDesk(t, teamAndIssue)
		d.memory.fail = gitrepo.ErrUnreachable
		if r := d.tell(nil, late); len(r.Warnings) != 1 || !errors.Is(r.Warnings[0].Err, gitrepo.ErrUnreachable) || len(d.room.messages) != 0 {
			t.Fatalf("%+v", r)
		}
	})
}

// A channel that never answers costs the run its timeout and no more, and others are told meanwhile.
func TestSlowChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, teamAndIssue)
		d.o.Now, d.room.hang = time.Now, true
		began := time.Now()
		r := d.tell(nil, waits("a", plan.WaitLate, "x"))
		if took := time.Since(began); took != DefaultTimeout {
			t.Errorf("it took %s", took)
		}
		if len(r.Warnings) != 1 || r.Warnings[0].Channel != "team" || r.Issue == "" {
			t.Errorf("%+v", r)
		}
		d.room.hang = false
		time.Sleep(claimTime)
		d.tell(nil, waits("a", plan.WaitLate, "x"))
		if len(d.room.messages) != 1 {
			t.Errorf("the next run told %d times", len(d.room.messages))
		}
	})
}

// A run that could not be made is told of once, until one is made; what was open before stays so meanwhile.
func TestRunFails(t *testing.T) {
	d := newDesk(t, teamAndIssue)
	late := waits("a", plan.WaitLate, "x")
	d.tell(nil, late)
	failed := &publish.SecretsError{Missing: []*platform.MissingSecretError{{Account: "fedi", Names: []string{"POSTRIDER_FEDI_ACCESS_TOKEN"}}}}
	for range 3 {
		d.run++
		Tell(t.Context(), d.o, d.report(nil), failed)
	}
	if len(d.room.messages) != 2 || !strings.Contains(d.last(), "POSTRIDER_FEDI_ACCESS_TOKEN") || !d.issues.open {
		t.Fatalf("%d messages, the last:\n%s", len(d.room.messages), d.last())
	}
	d.tell(nil, late)
	d.run++
	Tell(t.Context(), d.o, d.report(nil), failed)
	if len(d.room.messages) != 3 {
		t.Errorf("%d messages", len(d.room.messages))
	}
}

// A remote that does not answer keeps the ledger from remembering: the run says so, and the next one tells.
func TestNotRecorded(t *testing.T) {
	d := newDesk(t, teamAndIssue)
	r := d.report([]publish.Delivery{delivery("a", platform.Unknown, "x")})
	r.RecordErr = gitrepo.ErrUnreachable
	if got := Tell(t.Context(), d.o, r, nil); len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Error(), "nobody was told: the ledger could not be written") {
		t.Errorf("%+v", got)
	}
	if got := Tell(t.Context(), d.o, d.report(nil), gitrepo.ErrUnreachable); len(got.Warnings) > 0 {
		t.Errorf("the run says itself that it could not be made: %+v", got)
	}
	d.expect(0, 0)
}

// What nobody wants to know is not remembered either.
func TestNothingWanted(t *testing.T) {
	d := newDesk(t, "notify:\n  channels: {team: {platform: slack, what: unknown}}\n")
	d.tell([]publish.Delivery{delivery("a", platform.Unsent, "x")}, waits("b", plan.WaitLate, "x"))
	d.expect(0, 0)
}

// Nobody is told of anything: not even the ledger is read.
func TestOff(t *testing.T) {
	d := newDesk(t, "")
	d.o.Memory, d.o.Env = nil, nil
	if r := d.tell([]publish.Delivery{delivery("a", platform.Unknown, "x")}); len(r.Warnings)+len(r.Told) > 0 {
		t.Errorf("%+v", r)
	}
}

// Telegram, by its own adapter and stand-in: a message to the team, and never a thread.
func TestTelegram(t *testing.T) {
	var chat *fake.Server
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { chat.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	chat = fake.New(fake.Options{Base: server.URL, Token: "4242424242:AAtestTESTtestTESTtestTESTtestTEST12", Chat: fake.Chat{ID: -1001, Type: "supergroup", Title: "Team"}, Now: func() time.Time { return t0 }})
	d := newDesk(t, fmt.Sprintf("notify:\n  channels: {ops: {platform: telegram, chat: \"-1001\", server: %q}}\n", server.URL))
	d.o.HTTP = server.Client()
	d.o.Env = func(name string) string {
		return map[string]string{"POSTRIDER_OPS_BOT_TOKEN": "4242424242:AAtestTESTtestTESTtestTESTtestTEST12"}[name]
	}
	if h := Check(t.Context(), d.o); len(h) != 1 || h[0].Err != nil || h[0].Platform != "telegram" {
		t.Errorf("%+v", h)
	}
	if h := Test(t.Context(), d.o, []string{"ops"}, "run"); len(h) != 1 || h[0].Err != nil {
		t.Errorf("%+v", h)
	}
	if h := Test(t.Context(), d.o, []string{"nobody"}, "run"); len(h) != 0 {
		t.Errorf("%+v", h)
	}
	for range 2 {
		if r := d.tell([]publish.Delivery{delivery("a", platform.Unknown, "no answer")}); len(r.Warnings) > 0 {
			t.Fatalf("%+v", r)
		}
	}
	posts := chat.Posts()
	if len(posts) != 2 || !strings.Contains(posts[0].Text+posts[1].Text, "Title of a → fedi: may be out or not") {
		t.Errorf("%d messages: %+v", len(posts), posts)
	}
}

// An account of the site as a channel: its own secrets count.
func TestAccount(t *testing.T) {
	d := newDesk(t, "  hook: {platform: webhook, url: \"https://acme.example/hook\"}\nnotify: [hook]\n")
	d.o.Env = func(name string) string {
		return map[string]string{"POSTRIDER_HOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}[name]
	}
	if r := d.tell([]publish.Delivery{delivery("a", platform.Unknown, "no answer")}); !slices.Equal(r.Told, []string{"hook"}) || len(r.Warnings) > 0 {
		t.Errorf("%+v", r)
	}
}

// FuzzMessage puts what others wrote into messages: whatever it is, they are made, cut, and without control characters.
func FuzzMessage(f *testing.F) {
	f.Add("A title", "no answer in time")
	f.Add("*_`~[x](y) <!here> @all \x00\u202e", strings.Repeat("é", 5000))
	channels := adapters.All().Channels()
	f.Fuzz(func(t *testing.T, title, reason string) {
		d := delivery("a", platform.Rejected, reason)
		d.Title = title
		items := Items(&publish.Report{At: t0, Deliveries: []publish.Delivery{d}}, nil, func(s string) string { return s })
		for _, a := range channels {
			info := a.Info()
			r := render(a, &platform.Account{Name: "team", Platform: info.ID, Options: info.NewOptions()}, nil, "Acme", &message{fresh: items}, Links{})
			if p := r.Parts[0]; strings.ContainsAny(p.Text, "\x00\x1b\u202e") || p.Max > 0 && p.Used > p.Max {
				t.Errorf("%s: %d of %d: %q", info.ID, p.Used, p.Max, p.Text)
			}
		}
		var text strings.Builder
		writeItem(&text, &items[0], Links{})
	})
}
