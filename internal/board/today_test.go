package board

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
)

// said lists needs: state, post and account, why, command.
func said(list []Need) []string {
	var all []string
	for _, n := range list {
		name := "-"
		if n.Row != nil {
			name = n.Row.Post.ID
		}
		all = append(all, fmt.Sprintf("%s %s %s | %s | %s", n.State, name, n.Account, n.Why, n.Command))
	}
	return all
}

func TestNeeds(t *testing.T) {
	const at = "2026-12-03 12:00"
	due := "publish_at: 2026-12-01 09:00\n"
	for _, tt := range []struct {
		name    string
		posts   map[string]string // front matter by id; the text is the id
		yaml    string
		records []*ledger.Record
		latest  []*ledger.Record
		holds   []ledger.Hold
		began   string // of the ledger
		nil     bool   // there is none
		found   finding.List
		want    []string
	}{
		{name: "nothing", posts: map[string]string{"a": "publish_at: 2026-12-09 09:00\n"}},
		{name: "late on all accounts", posts: map[string]string{"a": "platforms: [bluesky, fedi]\n" + due},
			want: []string{"late a  | it was due at Tue 1 Dec 2026 09:00 CET, 2 days ago: too late to go out unasked | postrider resolve a bluesky --send && postrider resolve a fedi --send"}},
		{name: "late on one", posts: map[string]string{"a": "platforms: [bluesky, fedi]\n" + due}, records: []*ledger.Record{record("a", "fedi", ledger.Published, nil)},
			want: []string{"late a bluesky | it was due at Tue 1 Dec 2026 09:00 CET, 2 days ago: too late to go out unasked | postrider resolve a bluesky --send"}},
		{name: "held by a command", posts: map[string]string{"a": "platforms: [bluesky]\n" + due, "later": "platforms: [bluesky]\npublish_at: 2026-12-04 09:00\n"}, holds: []ledger.Hold{{Scope: "bluesky", Reason: "stop"}},
			want: []string{"held a bluesky | held: stop | postrider hold --lift bluesky"}},
		{name: "held by site.yaml", posts: map[string]string{"a": "platforms: [bluesky]\n" + due}, yaml: "hold: {reason: the price}\n",
			want: []string{"held a bluesky | held: the price | "}},
		{name: "broken, soon and not so soon", posts: map[string]string{"a": "platforms: [bluesky]\npublish_at: 2026-12-10 12:00\n", "b": "platforms: [bluesky]\npublish_at: 2026-12-10 12:01\n", "c": "platforms: [bluesky]\npublish_at: 2026-12-04 12:00\n", "d": "platforms: [bluesky]\n" + due},
			found: finding.List{{Code: "T201", Severity: finding.Error, Message: "too long"}},
			want:  []string{"broken d bluesky | T201: too long | postrider check content/d.md", "broken c bluesky | T201: too long | postrider check content/c.md", "broken a bluesky | T201: too long | postrider check content/a.md"}},
		{name: "unknown, and the network can be asked", posts: map[string]string{"a": "platforms: [bluesky]\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Unknown, nil)},
			want: []string{"attention a bluesky | it may be out, and the next run looks for it: no answer | postrider resolve a bluesky --published URL"}},
		{name: "denied", posts: map[string]string{"a": "platforms: [bluesky]\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Denied, nil)},
			want: []string{"attention a bluesky | the network does not let us in; the next run tries again: no answer | postrider doctor"}},
		{name: "unsent needs nobody", posts: map[string]string{"a": "platforms: [bluesky]\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Unsent, nil)}},
		{name: "an orphan", records: []*ledger.Record{record("gone", "fedi", ledger.Rejected, nil)},
			want: []string{"attention - fedi | its delivery is rejected, but the post no longer names the account or is gone from the branch | postrider resolve gone fedi --skip"}},
		{name: "a damaged record", posts: map[string]string{"a": "platforms: [bluesky]\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Unknown, func(r *ledger.Record) { r.Damaged = "unknown/a@bluesky.json" })},
			want: []string{"attention a bluesky | no answer | postrider doctor --ledger --repair"}},
		{name: "posted twice", posts: map[string]string{"a": "platforms: [bluesky]\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Published, func(r *ledger.Record) { r.Source = "0" })},
			latest: []*ledger.Record{record("a", "bluesky", ledger.Published, func(r *ledger.Record) { r.Doubles = make([]ledger.Part, 1) })},
			want:   []string{"attention a bluesky | posted twice: take one of the two down by hand | "}},
		{name: "to be taken down, and nobody knows where it is", posts: map[string]string{"a": "platforms: [bluesky]\nwithdraw: true\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Published, nil)},
			want: []string{"attention a bluesky | the ledger does not know where on bluesky it is: say so with `postrider resolve a bluesky --published URL` | postrider resolve a bluesky --withdrawn"}},
		{name: "out, changed and broken", posts: map[string]string{"a": "platforms: [bluesky]\n"}, records: []*ledger.Record{record("a", "bluesky", ledger.Published, nil)},
			found: finding.List{{Code: "T201", Severity: finding.Error, Message: "too long"}},
			want:  []string{"broken a bluesky | it is out and has changed, but T201: too long | postrider check content/a.md"}},
		{name: "no ledger", nil: true, posts: map[string]string{"a": "platforms: [bluesky]\n" + due, "b": "platforms: [bluesky, fedi]\n" + due},
			want: []string{"late -  | 2 posts are past the time to go out, and no ledger is at hand that knows what became of them | "}},
		{name: "an empty ledger", records: []*ledger.Record{}, posts: map[string]string{"a": "platforms: [bluesky]\n" + due},
			want: []string{"late -  | 1 post is past the time to go out, and nothing is recorded yet: say what is out already before the first run | postrider adopt --find"}},
		{name: "from before the ledger", began: "2026-12-02 12:00", posts: map[string]string{"a": "platforms: [bluesky]\n" + due, "b": "platforms: [bluesky]\npublish_at: 2026-12-02 13:00\n"},
			want: []string{"late b bluesky | it was due at Wed 2 Dec 2026 13:00 CET, 23 hours ago: too late to go out unasked | postrider resolve b bluesky --send",
				"late -  | 1 post is from before the ledger began on 2 Dec 2026, and nothing is recorded of it | postrider adopt --before 2026-12-02"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			posts := map[string]string{}
			if tt.yaml != "" {
				posts["site.yaml"] = testYAML + tt.yaml
			}
			var found finding.List
			for id, front := range tt.posts {
				posts[id] = "---\nid: " + id + "\n" + front + "---\nThis is " + id + ".\n"
				for _, f := range tt.found {
					f.Path = "content/" + id + ".md"
					found.Add(f)
				}
			}
			found.Sort()
			s := load(t, files(posts))
			in := Input{Site: s, Now: clock(t, at), Latest: tt.latest, Check: NewCheck(s, found)}
			if !tt.nil {
				records := tt.records
				if records == nil {
					records = []*ledger.Record{record("other", "fedi", ledger.Published, nil)}
				}
				view := newMapLedger(records...)
				view.holds = tt.holds
				if tt.began != "" {
					view.begun = clock(t, tt.began)
				}
				in.Ledger = view
			}
			today := made(t, in).Today(10)
			if diff := cmp.Diff(tt.want, said(today.Needs)); diff != "" || today.More != 0 {
				t.Errorf("%d more (-want +got)\n%s", today.More, diff)
			}
		})
	}
}

func TestDuplicate(t *testing.T) {
	fsys := files(map[string]string{
		"a": "---\nid: a\nplatforms: [bluesky]\npublish_at: 2026-12-03 11:00\n---\nThe same.\n",
		"b": "---\nid: b\nplatforms: [bluesky]\npublish_at: 2026-12-03 11:30\n---\nThe same.\n",
	})
	b := made(t, Input{Site: load(t, fsys), Now: clock(t, "2026-12-03 12:00"), Ledger: newMapLedger(record("other", "bluesky", ledger.Published, nil))})
	want := []string{"attention b bluesky | post a has bluesky say the same in the same run | postrider resolve b bluesky --send"}
	if diff := cmp.Diff(want, said(b.Today(10).Needs)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOverBudget(t *testing.T) {
	fsys := files(map[string]string{
		"site.yaml": strings.Replace(testYAML, "handle: acme}", "handle: acme, monthly_cap: 0.01}", 1),
		"a":         "---\nid: a\nplatforms: [x]\npublish_at: 2026-12-03 11:00\n---\nToo dear.\n",
	})
	b := made(t, Input{Site: load(t, fsys), Now: clock(t, "2026-12-03 12:00"), Ledger: newMapLedger(record("other", "bluesky", ledger.Published, nil))})
	want := []string{"held a x | $0.00 of $0.01 are spent in December 2026; this costs about $0.015 | "}
	if diff := cmp.Diff(want, said(b.Today(10).Needs)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestManyNeeds(t *testing.T) {
	posts := map[string]string{}
	for i := range 260 {
		posts[fmt.Sprintf("p%03d", i)] = fmt.Sprintf("---\nid: p%03d\nplatforms: [bluesky]\npublish_at: 2026-11-%02d %02d:00\n---\nNumber %d\n", i, 1+i/24, i%24, i)
	}
	in := Input{Site: load(t, files(posts)), Now: clock(t, "2026-12-03 12:00"), Ledger: newMapLedger(record("other", "fedi", ledger.Published, nil))}
	today := made(t, in).Today(5)
	if len(today.Needs) != 5 || today.More != 255 || today.Needs[0].Row.Post.ID != "p259" {
		t.Errorf("%d needs and %d more: %v", len(today.Needs), today.More, said(today.Needs))
	}
	in.Ledger = nil
	if today := made(t, in).Today(5); len(today.Needs) != 1 || today.More != 0 || !strings.HasPrefix(today.Needs[0].Why, "260 posts") {
		t.Errorf("without a ledger: %d more, %v", today.More, said(today.Needs))
	}
	var open []*ledger.Record
	for i := range 260 {
		open = append(open, record(fmt.Sprintf("p%03d", i), "bluesky", ledger.Unsent, nil))
	}
	in.Ledger = newMapLedger(open...)
	for _, n := range made(t, in).Today(500).Needs {
		if strings.Contains(n.Why, "no longer names") {
			t.Fatalf("a post that is there counts as gone: %v", said([]Need{n}))
		}
	}
}

func TestToday(t *testing.T) {
	_, in := shelves(t)
	in.Latest = []*ledger.Record{record("past", "bluesky", ledger.Published, nil), record("older", "bluesky", ledger.Published, nil)}
	b := made(t, in)
	today := b.Today(2)
	var next []string
	for _, e := range today.Next {
		next = append(next, fmt.Sprint(e.At.Format("02 15:04 "), e.Row.Post.ID, " ", len(e.Targets), " ", e.State))
	}
	if diff := cmp.Diff([]string{"02 09:00 next 2 scheduled", "02 09:10 else 2 scheduled"}, next); diff != "" {
		t.Errorf("next (-want +got)\n%s", diff)
	}
	want := map[State]int{Attention: 1, Published: 2, Scheduled: 3, Draft: 1, Due: 1, Skipped: 1}
	if diff := cmp.Diff(want, today.Count); diff != "" {
		t.Errorf("count (-want +got)\n%s", diff)
	}
	if len(today.Out) != 2 || today.Hold != nil {
		t.Errorf("out: %d, hold: %v", len(today.Out), today.Hold)
	}
	if empty := b.Today(0); len(empty.Next)+len(empty.Needs)+len(empty.Out) != 0 || empty.More != 1 {
		t.Errorf("nothing was asked for: %+v", empty)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"content/a.md": "content/a.md", "content/a b.md": "'content/a b.md'", "it's": `'it'\''s'`, "": "''", "-x": "'-x'", "$(x)": "'$(x)'"} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestCampaigns(t *testing.T) {
	post := func(at, more string) string {
		return "---\nplatforms: [bluesky]\ncampaign: winter\npublish_at: " + at + "\n" + more + "---\nHi\n"
	}
	fsys := files(map[string]string{
		"site.yaml": strings.Replace(testYAML, `["22:00-07:00"]`, `["Sun 00:00-24:00"]`, 1),
		"a":         post("2026-12-03 09:00", ""), "b": post("2026-12-01 09:00", ""), "c": post("2026-12-09 09:00", ""),
		"d": post("2026-12-25 00:30", ""), "e": post("2026-12-05 09:00", "draft: true\n"), "f": "---\nplatforms: [bluesky]\n---\nHi\n",
		"g": "---\nplatforms: [bluesky, fedi-de]\npublish_at: 2026-12-02 09:00\n---\nHi\n",
	})
	view := newMapLedger(record("x", "x", ledger.Published, nil))
	view.holds = []ledger.Hold{{Scope: "winter", Reason: "the price"}}
	b := made(t, Input{Site: load(t, fsys), Now: clock(t, "2026-11-22 12:00"), Ledger: view, Latest: []*ledger.Record{record("x", "x", ledger.Published, func(r *ledger.Record) { r.Campaign = "winter" }), record("y", "x", ledger.Published, nil)}})
	c, ok := b.Campaign("winter")
	if !ok || len(b.Campaigns()) != 2 {
		t.Fatalf("the campaigns are %+v", b.Campaigns())
	}
	paths := func(rows []*Row) (s string) {
		for _, r := range rows {
			s += strings.TrimSuffix(strings.TrimPrefix(r.Post.Path, "content/"), ".md")
		}
		return s
	}
	if got := paths(c.Rows) + " " + paths(c.Outside); got != "baecd d" {
		t.Errorf("rows and those outside: %s", got)
	}
	if diff := cmp.Diff(map[State]int{Held: 4, Draft: 1}, c.Count); diff != "" {
		t.Errorf("count (-want +got)\n%s", diff)
	}
	if c.Held != "the price" || len(c.Out) != 1 || !c.First.Equal(clock(t, "2026-12-01 09:00")) || !c.Last.Equal(clock(t, "2026-12-25 00:30")) {
		t.Errorf("%q, out %d, from %s to %s", c.Held, len(c.Out), c.First, c.Last)
	}
	var gaps []string
	for _, g := range c.Gaps {
		gaps = append(gaps, g.Start.Format("02")+"-"+g.End.Format("02"))
	}
	if diff := cmp.Diff([]string{"02-03", "04-06", "07-09", "10-13", "14-20", "21-25"}, gaps); diff != "" {
		t.Errorf("gaps (-want +got)\n%s", diff)
	}
	if g, _ := b.Campaign("german"); paths(g.Rows) != "g" || g.Held != "" {
		t.Errorf("of accounts' own campaigns: %s", paths(g.Rows))
	}
	if _, ok := b.Campaign("nobodys"); ok {
		t.Error("there is a campaign that site.yaml does not have")
	}
}

func TestDetail(t *testing.T) {
	fsys := files(map[string]string{"a": "---\nid: a\nplatforms: [bluesky, fedi, x]\n---\nHello\n"})
	s := load(t, fsys)
	p := s.Posts[0]
	account, _ := s.Config.Account("bluesky")
	rendered := s.Render(p, account)
	fingerprint := rendered.Rendering.Fingerprint()
	b := made(t, Input{Site: s, Now: clock(t, "2026-12-01 12:00"), Ledger: newMapLedger(
		record("a", "bluesky", ledger.Published, func(r *ledger.Record) { r.Fingerprint = fingerprint }),
		record("a", "fedi", ledger.Published, func(r *ledger.Record) { r.Fingerprint = "other" }))})
	d, err := b.Detail(b.Rows()[0])
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range d.Targets {
		got = append(got, fmt.Sprintf("%s %s %s, %q, %t, %t", x.Account.Name, x.Info.ID, x.State, x.Why, x.Record != nil, x.Differs))
	}
	want := []string{
		`bluesky bluesky changed, "its file has changed since, but nothing of what is out", true, false`,
		`fedi mastodon changed, "its file has changed since", true, true`,
		`x x due, "", false, false`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := d.Targets[0].Rendered.Rendering.Parts[0].Text; got != "Hello" {
		t.Errorf("it says %q", got)
	}
}

// TestDetailOfBefore asks for a row of a board whose post and accounts are gone.
func TestDetailOfBefore(t *testing.T) {
	fsys, in := shelves(t)
	before := made(t, in)
	r, _ := before.Row("next")
	delete(fsys, r.Post.Path)
	fsys["site.yaml"].Data = []byte("timezone: Europe/Berlin\naccounts: {bluesky: {platform: mastodon, server: \"https://a.example\"}, fedi-de: {platform: mastodon, server: \"https://de.fedi.example\"}}\n")
	after := made(t, Input{Site: load(t, fsys), Now: in.Now})
	d, err := after.Detail(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Targets) != 1 || d.Targets[0].Account.Name != "fedi-de" || d.Row != r {
		t.Errorf("the detail is %+v", d)
	}
}
