package board

import (
	stdcmp "cmp"
	"context"
	"crypto/sha1"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/adapters/x"
	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

const testYAML = `timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.bsky.social}
  fedi: {platform: mastodon, server: "https://fedi.example"}
  fedi-de: {platform: mastodon, server: "https://de.fedi.example", defaults: {campaign: german}}
  x: {platform: x, handle: acme}
campaigns:
  winter: {title: Winter, starts: 2026-12-01, ends: 2026-12-24}
  german: {title: Deutsch}
schedule: {quiet: ["22:00-07:00"]}
`

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// clock reads a time in the test site's zone: "2026-12-01 09:00".
func clock(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone(t, "Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// files makes a site; names without a dot are posts in content/.
func files(more map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"site.yaml": {Data: []byte(testYAML)}}
	for name, text := range more {
		if !strings.Contains(name, ".") {
			name = "content/" + name + ".md"
		}
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// semaphore is a platform that can be looked at only, as none of this version is.
type semaphore struct{ platform.Adapter }

func (semaphore) Info() platform.Info {
	info := x.Adapter{}.Info()
	info.ID, info.Name, info.Caps = "semaphore", "Semaphore", platform.CanThread
	return info
}

func load(t testing.TB, fsys fstest.MapFS) *site.Snapshot {
	t.Helper()
	s, err := site.Load(context.Background(), fsys, platform.NewRegistry(append(adapters.All().All(), semaphore{x.Adapter{}})...), site.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func made(t testing.TB, in Input) *Board {
	t.Helper()
	b, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// record is a delivery in a ledger.
func record(post, account string, s ledger.State, change func(*ledger.Record)) *ledger.Record {
	r := &ledger.Record{Post: post, Account: account, State: s, Path: "content/" + post + ".md", Source: "0123456789abcdef"}
	if !s.Settled() {
		r.Attempts = []ledger.Attempt{{N: 1, Op: ledger.OpPublish, Error: "no answer"}}
	}
	if change != nil {
		change(r)
	}
	return r
}

const text = "---\nid: a\nplatforms: [bluesky]\n%s\n---\nThe sled is back.\n"

func TestStates(t *testing.T) {
	unchanged := func(front string) func(*ledger.Record) { // as package agenda makes it
		body := fmt.Sprintf(text, front)
		return func(r *ledger.Record) { r.Source = source(body, sha1.New()) }
	}
	at := func(s string) time.Time { return clock(t, s) }
	for _, tt := range []struct {
		name, now, front string
		account          string // bluesky unless it says another
		record           *ledger.Record
		holds            []ledger.Hold
		yaml             string
		found            finding.List
		empty            bool // the ledger knows nothing
		want             State
		why              string
	}{
		{name: "without a time", now: "2026-12-01 12:00", want: Due},
		{name: "to come", now: "2026-12-01 08:59", front: "publish_at: 2026-12-01 09:00", want: Scheduled},
		{name: "now", now: "2026-12-01 09:00", front: "publish_at: 2026-12-01 09:00", want: Due},
		{name: "to come in quiet hours", now: "2026-12-01 08:59", front: "publish_at: 2026-12-02 00:30", want: Scheduled, why: "quiet hours: it goes out at Wed 2 Dec 2026 07:00 CET"},
		{name: "in quiet hours", now: "2026-12-02 00:30", front: "publish_at: 2026-12-02 00:30", want: Due, why: "quiet hours until Wed 2 Dec 2026 07:00 CET"},
		{
			name: "embargo", now: "2026-12-03 09:00", front: "publish_at: 2026-12-01 09:00\nembargo: link\nlink: https://acme.example/sled", want: Due,
			why: "it goes out once https://acme.example/sled answers",
		},
		{
			name: "embargo, to come", now: "2026-11-30 09:00", front: "publish_at: 2026-12-01 09:00\nembargo: link\nlink: https://acme.example/sled", want: Scheduled,
			why: "it goes out once https://acme.example/sled answers",
		},
		{
			name: "embargo, forgotten", now: "2026-12-08 09:01", front: "publish_at: 2026-12-01 09:00\nembargo: link\nlink: https://acme.example/sled", want: Late,
			why: "it was due at Tue 1 Dec 2026 09:00 CET: too late to go out unasked",
		},
		{name: "late", now: "2026-12-01 15:01", front: "publish_at: 2026-12-01 09:00", want: Late, why: "it was due at Tue 1 Dec 2026 09:00 CET: too late to go out unasked"},
		{name: "not yet late", now: "2026-12-01 15:00", front: "publish_at: 2026-12-01 09:00", want: Due},
		{name: "late without a ledger", now: "2026-12-01 15:01", front: "publish_at: 2026-12-01 09:00", empty: true, want: Late, why: "it was due at Tue 1 Dec 2026 09:00 CET, and nothing is recorded of it"},
		{name: "late and all the same", now: "2026-12-09 15:01", front: "publish_at: 2026-12-01 09:00\nlate: publish", want: Due},
		{name: "late and never", now: "2026-12-09 15:01", front: "publish_at: 2026-12-01 09:00\nlate: skip", want: Skipped, why: "it was due at Tue 1 Dec 2026 09:00 CET: too late, and the rule is to skip"},
		{name: "draft", now: "2026-12-09 15:01", front: "publish_at: 2026-12-01 09:00\ndraft: true", want: Draft},
		{name: "withdrawn before", now: "2026-12-09 15:01", front: "withdraw: true", want: Withdrawn, why: "withdrawn before it went out"},
		{name: "expired before", now: "2026-12-09 15:00", front: "expires_at: 2026-12-09 15:00", want: Skipped, why: "expired at Wed 9 Dec 2026 15:00 CET before it went out"},
		{name: "error", now: "2026-12-01 12:00", found: finding.List{{Code: "T201", Severity: finding.Error, Path: "content/a.md", Message: "too long"}}, want: Broken, why: "T201: too long"},
		{name: "error of another account", now: "2026-12-01 12:00", found: finding.List{{Code: "T201", Severity: finding.Error, Account: "fedi", Path: "content/a.md", Message: "too long"}}, want: Due},
		{name: "warning", now: "2026-12-01 12:00", found: finding.List{{Code: "T201", Severity: finding.Warning, Path: "content/a.md", Message: "long"}}, want: Due},
		{name: "error in a draft", now: "2026-12-01 12:00", front: "draft: true", found: finding.List{{Code: "T201", Severity: finding.Error, Path: "content/a.md"}}, want: Draft},
		{name: "held by site.yaml", now: "2026-12-01 12:00", yaml: "hold: {reason: the price is wrong, scope: [bluesky]}\n", want: Held, why: "held: the price is wrong"},
		{name: "held before its time", now: "2026-12-01 08:00", front: "publish_at: 2026-12-01 09:00", holds: []ledger.Hold{{Scope: "all", Reason: "stop"}}, want: Held, why: "held: stop"},
		{name: "held elsewhere", now: "2026-12-01 12:00", holds: []ledger.Hold{{Scope: "mastodon", Reason: "stop"}, {Scope: "winter", Reason: "stop"}}, want: Due},
		{name: "campaign held", now: "2026-12-01 12:00", front: "campaign: winter", holds: []ledger.Hold{{Scope: "winter", Reason: "stop"}}, want: Held, why: "held: stop"},
		{name: "needs approval", now: "2026-12-01 12:00", yaml: "require_approval: 2\n", want: Due, why: "it goes out if 2 people have approved it: publish asks"},
		{
			name: "needs approval, in quiet hours", now: "2026-12-01 08:59", front: "publish_at: 2026-12-02 00:30", yaml: "require_approval: true\n", want: Scheduled,
			why: "quiet hours: it goes out at Wed 2 Dec 2026 07:00 CET; it goes out if one person has approved it: publish asks",
		},
		{name: "needs no approval", now: "2026-12-01 12:00", yaml: "require_approval: {campaigns: [winter]}\n", want: Due},
		{name: "published", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Published, unchanged("")), want: Published},
		{name: "published and held", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Published, unchanged("")), holds: []ledger.Hold{{Scope: "all", Reason: "stop"}}, want: Published},
		{name: "published and changed", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Published, nil), want: Changed, why: fileChanged},
		{name: "changed and broken", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Published, nil), found: finding.List{{Code: "T201", Severity: finding.Error, Path: "content/a.md", Message: "too long"}}, want: Changed, why: "its file has changed since, but T201: too long"},
		{name: "adopted, and the source not known", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Published, func(r *ledger.Record) { r.Source = "0" }), want: Published},
		{name: "with a picture", now: "2026-12-01 12:00", front: "media: [sled.jpg]", record: record("a", "bluesky", ledger.Published, nil), want: Published},
		{name: "to be taken down", now: "2026-12-01 12:00", front: "withdraw: true", record: record("a", "bluesky", ledger.Published, unchanged("withdraw: true")), want: Changed, why: "it is to be taken down"},
		{name: "expired", now: "2026-12-01 12:00", front: "expires_at: 2026-12-01 11:00", record: record("a", "bluesky", ledger.Published, nil), want: Changed, why: "it is to be taken down since Tue 1 Dec 2026 11:00 CET"},
		{name: "withdrawn", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Withdrawn, nil), want: Withdrawn},
		{name: "skipped", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Skipped, nil), want: Skipped},
		{name: "unknown", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Unknown, nil), want: Attention, why: "it may be out: no answer"},
		{name: "denied", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Denied, nil), want: Attention, why: "the network does not let us in: no answer"},
		{name: "rejected", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Rejected, unchanged("")), want: Attention, why: "refused by the network: no answer"},
		{name: "rejected, and other words now", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Rejected, nil), want: Due},
		{name: "sending", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Sending, func(r *ledger.Record) { r.Lease = &ledger.Lease{Until: at("2026-12-01 12:01")} }), want: Sending},
		{name: "sending no more", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Sending, func(r *ledger.Record) { r.Lease = &ledger.Lease{Until: at("2026-12-01 12:00")} }), want: Waiting, why: "the run that was sending it has died: the next one finds out what became of it"},
		{name: "unsent", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Unsent, func(r *ledger.Record) { r.RetryAt = at("2026-12-01 12:30") }), want: Waiting, why: "tried again at Tue 1 Dec 2026 12:30 CET: no answer"},
		{name: "limited and held", now: "2026-12-01 12:00", record: record("a", "bluesky", ledger.Limited, nil), holds: []ledger.Hold{{Scope: "all", Reason: "stop"}}, want: Held, why: "held: stop"},
		{name: "unsent, begun in time", now: "2026-12-01 20:00", front: "publish_at: 2026-12-01 09:00", record: record("a", "bluesky", ledger.Unsent, func(r *ledger.Record) { r.At = at("2026-12-01 09:01") }), want: Waiting, why: "the next run tries again: no answer"},
		{name: "unsent for too long", now: "2026-12-01 21:01", front: "publish_at: 2026-12-01 09:00", record: record("a", "bluesky", ledger.Unsent, func(r *ledger.Record) { r.At = at("2026-12-01 09:01") }), want: Late, why: "it was due at Tue 1 Dec 2026 09:00 CET: too late to go out unasked"},
		{name: "cannot be published to", now: "2026-12-01 12:00", account: "semaphore", want: Skipped, why: "this version can preview semaphore but not publish there"},

		{name: "repeated, to come", now: "2026-12-01 08:00", front: "publish_at: 2026-12-01 09:00\nrepeat: FREQ=WEEKLY", want: Scheduled},
		{name: "repeated, due", now: "2026-12-08 10:00", front: "publish_at: 2026-12-01 09:00\nrepeat: FREQ=WEEKLY", want: Due},
		{name: "repeated, late", now: "2026-12-08 16:00", front: "publish_at: 2026-12-01 09:00\nrepeat: FREQ=WEEKLY", want: Late, why: "it was due at Tue 8 Dec 2026 09:00 CET: too late to go out unasked"},
		{name: "repeated, without a ledger", now: "2026-12-08 16:00", front: "publish_at: 2026-12-01 09:00\nrepeat: FREQ=WEEKLY", empty: true, want: Scheduled},
		{name: "repeated, its latest out", now: "2026-12-08 16:00", front: "publish_at: 2026-12-01 09:00\nrepeat: FREQ=WEEKLY", record: record("a", "bluesky", ledger.Published, func(r *ledger.Record) { r.Occurrence = "20261208T080000Z" }), want: Scheduled},
		{name: "repeated, and over", now: "2026-12-08 16:00", front: "publish_at: 2026-12-01 09:00\nrepeat: FREQ=WEEKLY;COUNT=2", record: record("a", "bluesky", ledger.Skipped, func(r *ledger.Record) { r.Occurrence = "20261208T080000Z" }), want: Skipped},
		{name: "repeated without a time", now: "2026-12-08 16:00", front: "repeat: FREQ=WEEKLY", want: Broken, why: "its repeat rule cannot be read: a repeated post needs publish_at, its first time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			account := stdcmp.Or(tt.account, "bluesky")
			body := strings.Replace(fmt.Sprintf(text, tt.front), "[bluesky]", "["+account+"]", 1)
			fsys := files(map[string]string{"a": body, "site.yaml": strings.Replace(testYAML, "accounts:\n", "accounts:\n  semaphore: {}\n", 1) + tt.yaml})
			s := load(t, fsys)
			in := Input{Site: s, Now: at(tt.now), Check: NewCheck(s, tt.found)}
			if !tt.empty {
				view := newMapLedger(record("other", "bluesky", ledger.Published, nil))
				if tt.record != nil {
					view = newMapLedger(tt.record)
				}
				view.holds = tt.holds
				in.Ledger = view
			}
			r, ok := made(t, in).Row("a")
			if !ok || len(r.Targets) != 1 || r.Targets[0].Account.Name != account {
				t.Fatalf("the row is %+v", r)
			}
			if got := r.Targets[0]; got.State != tt.want || got.Why != tt.why || r.State != tt.want {
				t.Errorf("it is %s (the row %s), %q; want %s, %q", got.State, r.State, got.Why, tt.want, tt.why)
			}
			// What is said to hold for a while does.
			if r.until == never {
				return
			}
			in.Now = time.Unix(0, r.until-1)
			later, _ := made(t, in).Row("a")
			if got := later.Targets[0]; got.State != tt.want || got.Why != tt.why {
				t.Errorf("at %s it is %s, %q already", in.Now, got.State, got.Why)
			}
		})
	}
}

func TestLineEndings(t *testing.T) {
	unix := fmt.Sprintf(text, "title: A")
	dos := strings.ReplaceAll(unix, "\n", "\r\n")
	b := made(t, Input{Site: load(t, files(map[string]string{"a": dos})), Now: clock(t, "2026-12-01 12:00"),
		Ledger: newMapLedger(record("a", "bluesky", ledger.Published, func(r *ledger.Record) { r.Source = source(unix, sha1.New()) }))})
	if r, _ := b.Row("a"); r.State != Published {
		t.Errorf("a file that git keeps with other line endings is %s", r.State)
	}
}

// TestSource compares with git: printf 'hello\n' | git hash-object --stdin | sha256sum.
func TestSource(t *testing.T) {
	if got, want := source("hello\n", sha1.New()), "30dc7eb343384ec5"; got != want {
		t.Errorf("source = %s, want %s", got, want)
	}
}

func TestTiming(t *testing.T) {
	fsys := files(map[string]string{
		"site.yaml": testYAML + "defaults: {campaign: winter, draft: true}\n",
		"a":         "---\nid: a\nplatforms: [bluesky, mastodon]\npublish_at: 2026-12-01 09:00\nlate: skip\nembargo: link\nlink: https://acme.example\noverrides:\n  mastodon: {publish_at: 2026-12-02 09:00, draft: false}\n  fedi: {publish_at: 2026-12-03 09:00, campaign: '', repeat: FREQ=DAILY}\n  bluesky: {expires_at: 2026-12-09 09:00, withdraw: true}\n---\nHi\n",
		"b":         "---\nid: b\nplatforms: [bluesky, mastodon]\n---\nHi\n",
	})
	s := load(t, fsys)
	for _, p := range s.Posts {
		for _, a := range s.Accounts(p) {
			v := s.Variant(p, a)
			want := timing{v.PublishAt, v.ExpiresAt, v.Draft, v.Withdraw, v.Late, v.Embargo, v.Link, v.Campaign, v.Repeat}
			if got := timingOf(s.Config, p, a); got != want {
				t.Errorf("%s for %s: %+v, want %+v", p.Path, a.Name, got, want)
			}
		}
	}
	r, _ := made(t, Input{Site: s, Now: clock(t, "2026-11-01 09:00"), Drafts: true}).Row("a")
	var got []string
	for _, x := range r.Targets {
		got = append(got, fmt.Sprintf("%s %s %s %s", x.Account.Name, x.At.Format("02 15:04"), x.Campaign, x.State))
	}
	want := []string{"bluesky 01 09:00 winter draft", "fedi 03 09:00  scheduled", "fedi-de 02 09:00 german scheduled"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r.State != Scheduled || !r.At.Equal(clock(t, "2026-12-01 09:00")) {
		t.Errorf("the row is %s at %s", r.State, r.At)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("Größe ", 60)
	fsys := files(map[string]string{
		"a": "---\ntitle: A title\n---\nText\n",
		"b": "# The **sled**\n\nis [back](https://a.example)\nand &amp; fast <!-- a note --> ![a picture](sled.jpg)\n",
		"c": "---\nplatforms: [x]\n---\n",
		"d": long,
	})
	b := made(t, Input{Site: load(t, fsys), Now: clock(t, "2026-12-01 12:00"), Authors: map[string]string{"content/a.md": "Resi"}})
	var got []string
	for _, r := range b.Rows() {
		got = append(got, r.Name+"|"+r.Excerpt()+"|"+r.Author)
		if len(r.Name) > nameLength+len("…") || len(r.Excerpt()) > excerptLength+len("…") {
			t.Errorf("%q, %q are too long", r.Name, r.Excerpt())
		}
	}
	want := []string{"A title|Text|Resi", "The sled is back and & fast|The sled is back and & fast|", "content/c.md||"}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !strings.HasPrefix(got[3], "Größe Größe") || !strings.Contains(got[3], "Größe…|") {
		t.Errorf("the long one is %q", got[3])
	}
}

func FuzzShorten(f *testing.F) {
	f.Add("Größe", 3)
	f.Add("a b c", 2)
	f.Add("\xff\xfe", 1)
	f.Add("   ", 0)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 1 || n > 1000 {
			return
		}
		if got := shorten(s, n); len(got) > n+len("…") {
			t.Errorf("shorten(%q, %d) = %q", s, n, got)
		}
		w := words{most: n}
		w.text(s)
		if strings.ContainsAny(string(w.b), "\n\t\x00") || strings.Contains(string(w.b), "  ") {
			t.Errorf("words of %q: %q", s, w.b)
		}
	})
}

// shelves is a site with something of everything.
func shelves(t testing.TB) (fstest.MapFS, Input) {
	t.Helper()
	fsys := files(map[string]string{
		"a-past":     "---\nid: past\ntitle: Zebra\nplatforms: [bluesky, fedi]\npublish_at: 2026-11-01 09:00\ncampaign: winter\ntags: [Kufe]\n---\nThe sled is back.\n",
		"b-older":    "---\nid: older\ntitle: apple\nplatforms: [bluesky]\npublish_at: 2026-10-01 09:00\n---\nOlder.\n",
		"c-next":     "---\nid: next\ntitle: Next\nplatforms: [bluesky, fedi-de]\npublish_at: 2026-12-02 09:00\n---\nTomorrow is BIG.\n",
		"d-far":      "---\nid: far\ntitle: Far\nplatforms: [fedi]\npublish_at: 2026-12-20 09:00\ncampaign: winter\noverrides: {fedi: {text: Elsewhere}}\n---\nFar.\n",
		"e-draft":    "---\nid: draft\ntitle: Draft\nplatforms: [bluesky]\ndraft: true\npublish_at: 2026-12-03 09:00\n---\nDraft.\n",
		"f-untimed":  "---\nid: untimed\ntitle: Untimed\nplatforms: [bluesky]\n---\nUntimed.\n",
		"g-was":      "---\nid: was\ntitle: Was\nplatforms: [bluesky]\n---\nWas.\n",
		"h-nowhere":  "---\nid: nowhere\ntitle: Nowhere\nplatforms: []\n---\nNowhere.\n",
		"i-elsewher": "---\nid: else\ntitle: Else\nplatforms: [mastodon]\npublish_at: 2026-12-02 09:10\n---\nElse.\n",
	})
	view := newMapLedger(
		record("past", "bluesky", ledger.Published, func(r *ledger.Record) { r.Source = "0" }),
		record("past", "fedi", ledger.Unknown, nil),
		record("older", "bluesky", ledger.Published, func(r *ledger.Record) { r.Source = "0" }),
		record("was", "bluesky", ledger.Published, func(r *ledger.Record) { r.Source = "0" }),
	)
	return fsys, Input{Site: load(t, fsys), Ledger: view, Now: clock(t, "2026-12-01 12:00"), Authors: map[string]string{"content/a-past.md": "Resi", "content/c-next.md": "Resi", "content/d-far.md": "Toni"}}
}

func ids(rows []*Row) string {
	var list []string
	for _, r := range rows {
		list = append(list, r.Post.ID)
	}
	return strings.Join(list, " ")
}

func TestPosts(t *testing.T) {
	_, in := shelves(t)
	b := made(t, in)
	for _, tt := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "next else draft far untimed past older was nowhere"},
		{Filter{Sort: ByOldest}, "older past next else draft far untimed was nowhere"},
		{Filter{Sort: ByName}, "older draft else far next nowhere untimed was past"},
		{Filter{Sort: ByPath}, "past older next far draft untimed was nowhere else"},
		{Filter{Sort: ByState}, "past untimed next else far draft older was nowhere"},
		{Filter{Account: "fedi"}, "else far past"},
		{Filter{Account: "mastodon"}, "next else far past"},
		{Filter{Account: "nobody"}, ""},
		{Filter{Account: "bluesky", State: Published}, "past older was"},
		{Filter{State: Published}, "older was"},
		{Filter{State: Attention}, "past"},
		{Filter{State: "no such state"}, ""},
		{Filter{Campaign: "winter"}, "far past"},
		{Filter{Campaign: "german"}, "next else"},
		{Filter{Campaign: "-"}, "next else draft untimed older was nowhere"},
		{Filter{Author: "Resi"}, "next past"},
		{Filter{Text: "TOMORROW big"}, "next"},
		{Filter{Text: "kufe"}, "past"},
		{Filter{Text: "elsewhere"}, "far"},
		{Filter{Text: "i-elsewher"}, "else"},
		{Filter{Text: "sled far"}, ""},
		{Filter{Text: "publish_at"}, ""},
		{Filter{Account: "mastodon", Sort: ByState}, "past next else far"},
	} {
		if got := ids(b.Posts(tt.f)); got != tt.want {
			t.Errorf("%+v:\n got %s\nwant %s", tt.f, got, tt.want)
		}
	}
}

// TestFacets compares every count with what choosing it gives.
func TestFacets(t *testing.T) {
	_, in := shelves(t)
	b := made(t, in)
	for _, f := range []Filter{{}, {Account: "bluesky"}, {Account: "mastodon"}, {State: Scheduled}, {State: Published, Account: "bluesky"}, {Campaign: "winter"}, {Campaign: "-"}, {Author: "Resi"}, {Text: "e"}, {Text: "sled", State: Attention}} {
		states, accounts, campaigns, authors := b.Facets(f)
		check := func(kind string, got map[string]int, all []string, set func(*Filter, string)) {
			want := map[string]int{}
			for _, x := range all {
				g := f
				set(&g, x)
				if n := len(b.Posts(g)); n > 0 {
					want[x] = n
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v: %s (-want +got)\n%s", f, kind, diff)
			}
		}
		named := map[string]int{}
		var all []string
		for s, n := range states {
			named[string(s)] = n
		}
		for _, s := range States() {
			all = append(all, string(s))
		}
		check("states", named, all, func(f *Filter, x string) { f.State = State(x) })
		check("accounts", accounts, []string{"bluesky", "fedi", "fedi-de", "x"}, func(f *Filter, x string) { f.Account = x })
		check("campaigns", campaigns, []string{"winter", "german", "-"}, func(f *Filter, x string) { f.Campaign = x })
		check("authors", authors, []string{"Resi", "Toni"}, func(f *Filter, x string) { f.Author = x })
	}
}

func TestRank(t *testing.T) {
	for i, s := range States() {
		if int(s.rank()) != i {
			t.Errorf("%s has rank %d, want %d", s, s.rank(), i)
		}
	}
	if State("").rank() != uint8(len(States())) {
		t.Error("no state has a state's rank")
	}
}

// rowsEqual compares rows by what they say.
var rowsEqual = cmp.Options{
	cmp.AllowUnexported(Row{}, Target{}, Turn{}, Stand{}, facts{}, cycle{}, Event{}),
	cmpopts.IgnoreFields(facts{}, "other"), cmpopts.IgnoreFields(Row{}, "number", "kind"),
	cmpopts.IgnoreFields(cycle{}, "repeat"),
	cmp.Comparer(func(x, y *post.Post) bool { return x == y }),
	cmp.Comparer(func(x, y *platform.Account) bool { return x == y }),
	cmp.Comparer(func(x, y *config.Campaign) bool { return x == y }),
}

// TestWith makes random changes, and compares each board made of the one before with one made of nothing.
func TestWith(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(3) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		fsys := files(nil)
		write := func() string {
			name := fmt.Sprintf("content/%02d.md", rnd.IntN(24))
			if rnd.IntN(6) == 0 {
				delete(fsys, name)
				return name
			}
			var b strings.Builder
			fmt.Fprintf(&b, "---\nid: id%d\nplatforms: [bluesky, mastodon]\n", rnd.IntN(30))
			if rnd.IntN(5) > 0 {
				fmt.Fprintf(&b, "publish_at: 2026-12-%02d %02d:%02d\n", 1+rnd.IntN(6), rnd.IntN(24), rnd.IntN(60))
				if rnd.IntN(6) == 0 {
					b.WriteString("repeat: FREQ=DAILY\n")
				}
			}
			for _, line := range []string{"draft: true\n", "withdraw: true\n", "campaign: winter\n", "expires_at: 2026-12-05 10:00\n", "late: publish\n", "overrides: {fedi: {publish_at: 2026-12-04 00:30}}\n"} {
				if rnd.IntN(6) == 0 {
					b.WriteString(line)
				}
			}
			fmt.Fprintf(&b, "---\nText %d %s\n", rnd.IntN(1000), strings.Repeat("long ", rnd.IntN(2)*100))
			fsys[name] = &fstest.MapFile{Data: []byte(b.String())}
			return name
		}
		for range 20 {
			write()
		}
		var records []*ledger.Record
		for i := range 30 {
			for _, a := range []string{"bluesky", "fedi", "fedi-de"} {
				if rnd.IntN(3) > 0 {
					continue
				}
				records = append(records, record(fmt.Sprintf("id%d", i), a, ledger.States()[rnd.IntN(9)], func(r *ledger.Record) {
					r.Lease = &ledger.Lease{Until: clock(t, "2026-12-03 12:00")}
					r.RetryAt = clock(t, "2026-12-03 11:00")
				}))
			}
		}
		view := newMapLedger(records...)
		s := load(t, fsys)
		in := Input{Site: s, Ledger: view, Now: clock(t, "2026-12-01 06:00"), Latest: records[:5]}
		b := made(t, in)
		for step := range 40 {
			var changed []string
			in = b.Input()
			switch n := rnd.IntN(12); {
			case n < 6:
				for range 1 + rnd.IntN(3) {
					changed = append(changed, write())
				}
				var err error
				if in.Site, err = in.Site.Update(ctx, site.Options{}, changed...); err != nil {
					t.Fatal(err)
				}
			case n < 9:
				in.Now = in.Now.Add(time.Duration(rnd.IntN(600)) * time.Minute)
			case n == 9:
				in.Check = NewCheck(in.Site, in.Site.Check(ctx))
			case n == 10:
				other := *view
				other.holds = []ledger.Hold{{Scope: []string{"winter", "fedi", "x"}[rnd.IntN(3)], Reason: "stop"}}
				in.Ledger = &other
			default:
				fsys["site.yaml"] = &fstest.MapFile{Data: []byte(testYAML + fmt.Sprintf("title: Site %d\n", rnd.IntN(9)))}
				changed = []string{"site.yaml"}
				var err error
				if in.Site, err = in.Site.Update(ctx, site.Options{}, changed...); err != nil {
					t.Fatal(err)
				}
			}
			if rnd.IntN(2) == 0 { // orders exist on some boards and not on others
				b.Posts(Filter{})
				b.Posts(Filter{Sort: ByName})
			} else if rnd.IntN(3) == 0 {
				b.Prepare()
			}
			next, err := b.With(in)
			if err != nil {
				t.Fatal(err)
			}
			fresh := made(t, next.Input())
			if diff := cmp.Diff(fresh.Rows(), next.Rows(), rowsEqual); diff != "" {
				t.Fatalf("seed %d, step %d: rows (-new +with)\n%s", seed, step, diff)
			}
			for _, f := range []Filter{{}, {Sort: ByName}, {Sort: ByState, Account: "mastodon"}, {Text: "7 LONG"}} {
				if x, y := ids(fresh.Posts(f)), ids(next.Posts(f)); x != y {
					t.Fatalf("seed %d, step %d: posts of %+v\n%s\n%s", seed, step, f, x, y)
				}
			}
			for _, r := range next.Rows() {
				k := next.kinds[r.kind]
				if k.State != r.State || k.Author != r.Author || k.campaign != r.campaign || !slices.EqualFunc(k.Targets, r.Targets, func(x, y Target) bool {
					return x.number == y.number && x.rank == y.rank && x.Campaign == y.Campaign
				}) {
					t.Fatalf("seed %d, step %d: %s is no %+v", seed, step, r.Post.Path, k)
				}
			}
			for _, f := range []Filter{{}, {Account: "mastodon"}, {State: Scheduled, Campaign: "-"}, {Text: "7"}} {
				for i, got := range facets(next, f) {
					if diff := cmp.Diff(facets(fresh, f)[i], got); diff != "" {
						t.Fatalf("seed %d, step %d: %+v: facets (-new +with)\n%s", seed, step, f, diff)
					}
				}
			}
			if diff := cmp.Diff(everything(t, fresh), everything(t, next), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("seed %d, step %d: problems (-new +with)\n%s", seed, step, diff)
			}
			if diff := cmp.Diff(fresh.Today(9), next.Today(9), rowsEqual, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("seed %d, step %d: today (-new +with)\n%s", seed, step, diff)
			}
			from := in.Now.AddDate(0, 0, -3)
			if diff := cmp.Diff(fresh.Days(from, from.AddDate(0, 0, 9), Filter{}, math.MaxInt), next.Days(from, from.AddDate(0, 0, 9), Filter{}, math.MaxInt), rowsEqual); diff != "" {
				t.Fatalf("seed %d, step %d: days (-new +with)\n%s", seed, step, diff)
			}
			to := clock(t, "2026-12-09 00:00")
			filters := []Filter{{}, {Account: "fedi"}, {Account: "mastodon", Campaign: "german"}, {Campaign: "-"}, {State: Draft}, {State: Scheduled}, {Text: "7 long"}}
			f, most := filters[step%len(filters)], step%5
			days := next.Days(clock(t, "2026-12-01 00:00"), to, f, most)
			shown, more := cut(days, plainEvents(next, days[0].Date, to, f), most)
			for i, d := range days {
				if diff := cmp.Diff(shown[i], d.Events, rowsEqual); diff != "" || more[i] != d.More {
					t.Fatalf("seed %d, step %d: %+v on %s: %d more, want %d (-plain +quick)\n%s", seed, step, f, d.Date, d.More, more[i], diff)
				}
			}
			if x, y := next.next, fresh.next; x > y {
				t.Fatalf("seed %d, step %d: the next change is at %d, want %d", seed, step, x, y)
			}
			b = next
		}
	}
}

// facets returns the counts of a board, those of states first.
func facets(b *Board, f Filter) []map[string]int {
	states, accounts, campaigns, authors := b.Facets(f)
	named := map[string]int{}
	for s, n := range states {
		named[string(s)] = n
	}
	return []map[string]int{named, accounts, campaigns, authors}
}

func TestWithShares(t *testing.T) {
	fsys, in := shelves(t)
	b := made(t, in)
	fsys["content/c-next.md"].Data = append(fsys["content/c-next.md"].Data, "More.\n"...)
	next := in
	var err error
	if next.Site, err = in.Site.Update(context.Background(), site.Options{}, "content/c-next.md"); err != nil {
		t.Fatal(err)
	}
	after, err := b.With(next)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range after.Rows() {
		if same := r == b.Rows()[i]; same == (r.Post.ID == "next") {
			t.Errorf("%s is shared: %t", r.Post.Path, same)
		}
	}
	if r, _ := after.Row("next"); r.Excerpt() != "Tomorrow is BIG. More." {
		t.Errorf("the excerpt is %q", r.Excerpt())
	}
	if r, _ := b.Row("next"); r.Excerpt() != "Tomorrow is BIG." {
		t.Errorf("the excerpt before has become %q", r.Excerpt())
	}
}

// TestHalfTyped types a front matter that cannot be read for a while.
func TestHalfTyped(t *testing.T) {
	const file = "content/c-next.md"
	fsys, in := shelves(t)
	b := made(t, in)
	good := string(fsys[file].Data)
	step := func(text string) *Board {
		t.Helper()
		fsys[file] = &fstest.MapFile{Data: []byte(text)}
		next := b.Input()
		var err error
		if next.Site, err = next.Site.Update(context.Background(), site.Options{}, file); err != nil {
			t.Fatal(err)
		}
		if b, err = b.With(next); err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, broken := range []string{strings.Replace(good, "title: Next", "title: \"Next", 1), strings.Replace(good, "title: Next", "title: [Next", 1)} {
		r, ok := step(broken).Row("next")
		if !ok || r.Good == nil || r.Good.Text != good || r.Post.Text != broken || r.Name != "Next" || r.State != Broken {
			t.Fatalf("%v: the row is %+v", ok, r)
		}
		d, err := b.Detail(r)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Stale || len(d.Targets) != 2 || !d.Findings.HasErrors() || d.Targets[0].Rendered.Rendering.Parts[0].Text != "Tomorrow is BIG." {
			t.Errorf("the detail is %+v", d)
		}
	}
	if b, err := b.With(b.Input()); err != nil {
		t.Fatal(err)
	} else if r, _ := b.Row(file); r.Good == nil {
		t.Error("the good version is forgotten while nothing happens")
	}
	mended := strings.Replace(good, "title: Next", "title: Mended", 1)
	if r, _ := step(mended).Row("next"); r.Good != nil || r.Name != "Mended" || r.State != Scheduled {
		t.Errorf("the mended row is %+v", r)
	}
	if len(b.good) != 0 {
		t.Errorf("good still holds %d", len(b.good))
	}
}

// everything returns all problems, and fails unless they are those that are found the plain way, and counted as they are.
func everything(t *testing.T, b *Board) finding.List {
	t.Helper()
	all := b.Problems(math.MaxInt, func(Kind) bool { return true })
	byPath := plainly(b)
	plain := slices.Clone(byPath)
	slices.SortStableFunc(plain, func(x, y finding.Finding) int {
		return stdcmp.Compare(worst(findingsAt(byPath, y.Path)), worst(findingsAt(byPath, x.Path)))
	})
	if diff := cmp.Diff(plain, all, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("problems (-plain +quick)\n%s", diff)
	}
	count := map[Kind]int{}
	for _, f := range plain {
		count[Kind{f.Severity, f.Code}]++
	}
	if diff := cmp.Diff(count, b.Tally(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("tally (-plain +quick)\n%s", diff)
	}
	return all
}

// everything returns what was packed, as it was.
func (p *pack) everything() (list finding.List) {
	for i := range p.files {
		list = p.unpack(list, &p.files[i])
	}
	return list
}

// TestPack packs lists that the random test does not have: files without a post, and findings that differ in one thing only.
func TestPack(t *testing.T) {
	at := finding.Range{Start: finding.Pos{Line: 3, Column: 1}, End: finding.Pos{Line: 4, Column: 9}}
	list := finding.List{
		{Code: "S101", Severity: finding.Error, Path: "site.yaml", Message: "no title", Private: true},
		{Code: "S101", Severity: finding.Error, Path: "site.yaml", Message: "no title"},
		{Code: "T101", Severity: finding.Info, Path: "content/a.md", Post: "a", Range: at, Message: "it is long", Hint: "cut it"},
		{Code: "T101", Severity: finding.Info, Path: "content/a.md", Post: "a", Account: "fedi", Message: "it is long", Hint: "cut it"},
		{Code: "T101", Severity: finding.Warning, Path: "content/a.md", Range: at, Message: "it is long"},
	}
	if diff := cmp.Diff(list, newPack(list).everything()); diff != "" {
		t.Errorf("packed and unpacked (-want +got)\n%s", diff)
	}
	if n := len(newPack(nil).at("site.yaml")); n != 0 {
		t.Errorf("an empty pack has %d findings", n)
	}
}

// plainly goes through all findings to find what is wrong, and returns it in the order of the files.
func plainly(b *Board) finding.List {
	base := slices.Clone(b.in.Site.Findings)
	if b.in.Check != nil {
		base = b.in.Check.everything()
	}
	if b.in.Check == nil || b.in.Check.of == b.in.Site {
		return base
	}
	reconfigured := b.in.Check.of.Config != b.in.Site.Config
	var list finding.List
	for _, f := range base {
		_, changed := b.own[f.Path]
		if !changed && !b.gone[f.Path] && f.Code != content.SameIDCode && (!reconfigured || f.Path != config.File) {
			list = append(list, f)
		}
	}
	for _, own := range b.own {
		list = append(list, own...)
	}
	for _, f := range b.in.Site.Findings {
		if f.Code == content.SameIDCode || reconfigured && f.Path == config.File {
			list = append(list, f)
		}
	}
	list.Sort()
	return list
}

func TestProblems(t *testing.T) {
	ctx := context.Background()
	fsys := files(map[string]string{
		"a": "---\nid: a\nplatforms: [bluesky]\n---\n" + strings.Repeat("long ", 100) + "\n",
		"b": "---\nid: b\nplatforms: [bluesky]\n---\nHi\n",
		"c": "---\nid: c\nplatforms: [bluesky]\n---\n" + strings.Repeat("longer ", 100) + "\n",
	})
	s := load(t, fsys)
	b := made(t, Input{Site: s, Check: NewCheck(s, s.Check(ctx)), Now: clock(t, "2026-12-01 12:00")})
	codes := func() (list []string) {
		for _, f := range b.Problems(100, func(k Kind) bool { return k.Severity == finding.Error }) {
			list = append(list, f.Path+" "+string(f.Code))
		}
		return list
	}
	before := codes()
	if len(before) != 2 {
		t.Fatalf("the problems are %v", before)
	}
	change := func(name, text string) {
		t.Helper()
		if fsys[name] = (&fstest.MapFile{Data: []byte(text)}); text == "" {
			delete(fsys, name)
		}
		in := b.Input()
		var err error
		if in.Site, err = in.Site.Update(ctx, site.Options{}, name); err != nil {
			t.Fatal(err)
		}
		if b, err = b.With(in); err != nil {
			t.Fatal(err)
		}
	}
	change("content/a.md", "---\nid: a\nplatforms: [bluesky]\n---\nshort\n")
	if got, want := codes(), before[1:]; !slices.Equal(got, want) {
		t.Errorf("after mending a: %v, want %v", got, want)
	}
	change("content/c.md", "")
	if got := codes(); len(got) != 0 {
		t.Errorf("after removing c: %v", got)
	}
	change("content/d.md", "---\nid: b\nplatforms: [bluesky]\n---\nHo\n")
	if got := codes(); len(got) != 2 {
		t.Errorf("after a second b: %v", got)
	}
	for _, r := range b.Rows()[1:] {
		if r.State != Broken {
			t.Errorf("%s is %s", r.Post.Path, r.State)
		}
	}
	change("content/d.md", "---\nid: d\nplatforms: [bluesky]\n---\nHo\n")
	if got := codes(); len(got) != 0 || b.Rows()[1].State != Due {
		t.Errorf("after another id: %v, %s", got, b.Rows()[1].State)
	}
	if n := len(everything(t, b)); n < len(codes()) {
		t.Errorf("%d problems in all", n)
	}
}

func TestErrors(t *testing.T) {
	_, in := shelves(t)
	in.Ledger = failing{in.Ledger}
	if _, err := New(in); err == nil {
		t.Error("a ledger that cannot be read gives no error")
	}
}

type failing struct{ ledger.View }

func (failing) Brief(ledger.ID) (ledger.Brief, bool, error) {
	return ledger.Brief{}, false, fmt.Errorf("disk: %w", ledger.ErrFormat)
}

// TestConcurrently uses a board from many goroutines; the race detector looks.
func TestConcurrently(t *testing.T) {
	_, in := shelves(t)
	b := made(t, in)
	done := make(chan bool)
	for i := range 8 {
		go func() {
			defer func() { done <- true }()
			b.Posts(Filter{Text: "sled", Sort: []Sort{ByTime, ByName, ByState}[i%3]})
			b.Facets(Filter{Text: "e"})
			b.Days(in.Now, in.Now.AddDate(0, 0, 9), Filter{}, math.MaxInt)
			b.Today(3)
			b.Prepare()
			b.Campaigns()
			b.Problems(100, func(Kind) bool { return true })
			b.Tally()
			if _, err := b.Detail(b.Rows()[0]); err != nil {
				t.Error(err)
			}
			later := b.Input()
			later.Now = later.Now.Add(time.Duration(i) * time.Hour)
			next, err := b.With(later)
			if err != nil {
				t.Error(err)
				return
			}
			next.Posts(Filter{Sort: ByName})
			next.Today(3)
		}()
	}
	for range 8 {
		<-done
	}
}
