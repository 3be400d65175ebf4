package publish_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

// journalOf returns the file of a journal.
func journalOf(head string, lines ...string) []byte {
	return []byte(head + "\n" + strings.Join(lines, "\n") + "\n")
}

// outLine returns a journal's line about a post that is out on an account.
func outLine(t *testing.T, post, account, remote string) string {
	t.Helper()
	rec := &ledger.Record{Post: post, Account: account, Platform: account, Path: "content/" + post + ".md", State: ledger.Sending, At: start.Add(-time.Hour), Key: ledger.ID{Post: post, Account: account}.Key()}
	rec.Begin(ledger.OpPublish, "dead", start.Add(-time.Hour), "")
	rec.State, rec.PublishedAt = ledger.Published, start.Add(-time.Hour)
	rec.SetParts(platform.Receipt{Parts: []platform.Remote{{ID: remote, URL: "https://example.com/" + remote}}}, nil)
	rec.End(start.Add(-time.Hour), "published", "")
	var line bytes.Buffer
	if err := json.Compact(&line, rec.Encode()); err != nil {
		t.Fatal(err)
	}
	return line.String()
}

// putJournal writes a journal into a clone and returns its name.
func putJournal(t *testing.T, repo *gitrepo.Repo, name string, text []byte) string {
	t.Helper()
	dir := filepath.Join(repo.CommonDir(), "postrider", "journal")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func exists(t *testing.T, name string) bool {
	t.Helper()
	_, err := os.Stat(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

// TestJournalOfAnotherSite holds that two sites in one repository, each with a ledger of its own, do not take each
// other's journals.
func TestJournalOfAnotherSite(t *testing.T) {
	w := newWorld(t, nil)
	shop := strings.NewReplacer("[bsky, fedi, gts, hook]", "[hook]").Replace(w.site("ledger: {branch: shop/ledger}\n"))
	w.commit(map[string]string{"shop/site.yaml": shop, "shop/content/a.md": post("aaaa1111", "", "Hello from the shop.")})
	repo := w.clone()
	inShop := func(o *publish.OpenOptions) { o.Prefix = "shop" }
	dir := filepath.Join(repo.CommonDir(), "postrider", "journal")

	// The shop's run dies with its result in the journal and not yet on the remote.
	var left []byte
	var name string
	var plug func()
	w.runAs(w.clone(), setup{open: inShop, desk: func(d *publish.Desk) {
		d.Run, d.Owner, d.JournalDir = "dead", "dead", dir
		d.Progress = func(e publish.Event) {
			switch {
			case e.Delivery == nil && plug == nil:
				plug = w.unplug()
			case e.Done == e.Of:
				files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
				if err != nil || len(files) != 1 {
					t.Errorf("journals: %v (%v)", files, err)
					return
				}
				name = files[0]
				if left, err = os.ReadFile(name); err != nil {
					t.Error(err)
				}
			}
		}
	}})
	plug()
	if err := os.WriteFile(name, left, 0o644); err != nil {
		t.Fatal(err)
	}

	w.run(repo) // of the other site
	if rec := w.records()["aaaa1111@hook"]; rec != nil {
		t.Errorf("the shop's post is in the other site's ledger: %s", rec.State)
	}
	asked := 0
	w.runAs(repo, setup{open: inShop, before: func(*http.Request) { asked++ }})
	if asked > 0 {
		t.Errorf("the journal was lost: the network was asked %d times", asked)
	}
	w.created(1, hook)
	if exists(t, name) {
		t.Error("the journal is still there")
	}
}

// TestJournalKeepsWhatCannotBeRecorded holds that a journal stays until the ledger has everything that is in it.
func TestJournalKeepsWhatCannotBeRecorded(t *testing.T) {
	const head = `{"journal":1,"run":"dead","owner":"dead","ledger":"postrider/ledger"}`
	t.Run("a line that cannot be read", func(t *testing.T) {
		w := newWorld(t, nil)
		repo := w.clone()
		name := putJournal(t, repo, "dead.jsonl", journalOf(head, `{"version":9,"post":"from a newer program"}`, outLine(t, "bbbb2222", hook, "remote-b")))
		w.run(repo)
		w.run(repo)
		if w.state("bbbb2222@hook") != ledger.Published {
			t.Error("the line that can be read is not in the ledger")
		}
		if !exists(t, name) {
			t.Error("the journal is gone with what could not be read")
		}
	})
	t.Run("a record that is damaged in the ledger", func(t *testing.T) {
		w := newWorld(t, nil)
		repo := w.clone()
		name := putJournal(t, repo, "dead.jsonl", journalOf(head, outLine(t, "aaaa1111", hook, "remote-a"), outLine(t, "bbbb2222", hook, "remote-b")))
		w.breakLedger("sending/aaaa1111@hook.json", "<<<<<<<\n")
		w.run(repo)
		if !exists(t, name) {
			t.Fatal("the journal is gone, and with it the only word on a post that is out")
		}
		w.breakLedger("sending/aaaa1111@hook.json", "")
		w.run(repo)
		for _, id := range []string{"aaaa1111@hook", "bbbb2222@hook"} {
			if w.state(id) != ledger.Published {
				t.Errorf("%s is not in the ledger", id)
			}
		}
		if exists(t, name) {
			t.Error("the journal is still there although the ledger has it all")
		}
	})
	t.Run("one that a run is just beginning", func(t *testing.T) {
		w := newWorld(t, nil)
		repo := w.clone()
		name := putJournal(t, repo, "new.jsonl", nil)
		at := w.clock.Now().Add(-time.Second)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
		w.run(repo)
		if !exists(t, name) {
			t.Error("the journal of a run that has just begun it is gone")
		}
		w.clock.Advance(time.Hour)
		w.run(repo)
		if exists(t, name) {
			t.Error("an empty journal stays for ever")
		}
	})
}

// TestJournalThatCannotBeRemoved holds that a file in the way stops nobody from publishing.
func TestJournalThatCannotBeRemoved(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [hook]\n", "Hello.")})
	repo := w.clone()
	odd := filepath.Join(repo.CommonDir(), "postrider", "journal", "odd.jsonl", "full")
	if err := os.MkdirAll(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	w.run(repo)
	w.exactlyOnce(1, hook)
}

// TestEndedLeaseIsNotRenewed has a machine sleep in the middle of a thread until another run has finished it, and then
// write to the ledger before it goes on: that must not give it the delivery back.
func TestEndedLeaseIsNotRenewed(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")})
	slept, looked := false, make(chan struct{})
	w.runAs(w.clone(), setup{
		desk: func(d *publish.Desk) {
			refresh := d.Refresh
			d.Refresh = func(ctx context.Context) error {
				if !slept {
					return refresh(ctx)
				}
				close(looked)
				return errors.New("the remote takes pushes, and does not answer otherwise")
			}
		},
		after: func(r *http.Request) {
			if slept || !creates(r) {
				return
			}
			slept = true
			w.clock.Advance(11 * time.Minute)
			w.run(w.clone())
			w.clock.Advance(3 * time.Minute)
			w.run(w.clone())
			w.clock.tick()
			<-looked
		},
	})
	w.settle()
	w.exactlyOnce(3, gts)
}

// TestBudgetsOfReceivers holds that two receivers which share a signing secret do not share a rate limit.
func TestBudgetsOfReceivers(t *testing.T) {
	w := newWorld(t, nil)
	w.serve("other", func(base string) fakenet.Fake {
		return fake.New(fake.Options{Base: base, Secret: hookSecret, Now: w.clock.Now})
	})
	w.setenv("POSTRIDER_OTHER_SECRET", hookSecret)
	site := strings.Replace(w.site(""), "accounts:\n", "accounts:\n  other: {platform: webhook, url: \""+w.urls["other"]+fake.Path+"\"}\n", 1)
	w.commit(map[string]string{
		"site.yaml":    site,
		"content/a.md": post("aaaa1111", "platforms: [hook]\npublish_at: 2026-12-01 08:00\n", "One."),
		"content/b.md": post("bbbb2222", "platforms: [other]\npublish_at: 2026-12-01 08:01\n", "Two."),
		"content/c.md": post("cccc3333", "platforms: [other]\npublish_at: 2026-12-01 08:02\n", "Three."),
	})
	limited := make(chan struct{})
	w.fakes[hook].Inject(fakenet.Plan{Fault: fakenet.RateLimit, Count: -1})
	first := true
	report := w.runAs(w.here(), setup{
		after: func(r *http.Request) {
			switch "http://" + r.URL.Host {
			case w.urls[hook]:
				close(limited)
			case w.urls["other"]:
				if first { // the next one is begun when the limit of the other is known
					first = false
					<-limited
					w.logged("outcome=limited")
				}
			}
		},
	})
	same(t, "deliveries", results(report), []string{"aaaa1111@hook limited", "bbbb2222@other published", "cccc3333@other published"})
}

// TestLimitWithoutATime holds that an account whose network takes no more posts for now, and does not say for how
// long, is left alone for the rest of the run.
func TestLimitWithoutATime(t *testing.T) {
	for _, account := range []string{hook, gts} {
		t.Run(account, func(t *testing.T) {
			w := newWorld(t, map[string]string{
				"a": post("aaaa1111", "platforms: ["+account+"]\n", "One."), "b": post("bbbb2222", "platforms: ["+account+"]\n", "Two."), "c": post("cccc3333", "platforms: ["+account+"]\n", "Three."),
			})
			requests := 0
			w.runAs(w.here(), setup{desk: func(d *publish.Desk) {
				d.Tries = 3
				base := d.HTTP.Transport
				d.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					if !creates(r) {
						return base.RoundTrip(r)
					}
					requests++
					io.Copy(io.Discard, r.Body) //nolint:errcheck // a test
					return &http.Response{
						Status: "429 Too Many Requests", StatusCode: http.StatusTooManyRequests, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{},
						Body: io.NopCloser(strings.NewReader(`{"error":"not so fast"}`)), Request: r,
					}, nil
				})}
			}})
			if requests != 1 {
				t.Errorf("%d requests after the network said to stop, want 1 in all", requests)
			}
			for id, rec := range w.records() {
				if rec.State != ledger.Limited || !rec.RetryAt.After(w.clock.Now()) {
					t.Errorf("%s is %s until %s", id, rec.State, rec.RetryAt)
				}
			}
			w.settle()
			w.exactlyOnce(3, account)
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestBrokenFileWhileAThreadIsHalfOut looks for a thread of which one part is out while its file cannot be rendered.
func TestBrokenFileWhileAThreadIsHalfOut(t *testing.T) {
	for _, account := range []string{bsky, fedi, gts} {
		t.Run(account, func(t *testing.T) {
			text := post("aaaa1111", "platforms: ["+account+"]\n", "One.\n\n---\n\nTwo.")
			w := newWorld(t, map[string]string{"a": text})
			w.crash("dead", func(r *http.Request, answered bool) bool { return answered && creates(r) })
			w.commit(map[string]string{"content/a.md": strings.Replace(text, "title:", "titel:", 1)})
			w.clock.Advance(5 * time.Minute)
			w.run(w.here())
			w.run(w.here())
			rec := w.records()["aaaa1111@"+account]
			if len(rec.Parts) != 1 || rec.Parts[0].Text != "One." {
				t.Errorf("%s with the parts %+v", rec.State, rec.Parts)
			}
			w.commit(map[string]string{"content/a.md": text})
			w.settle()
			w.exactlyOnce(2, account)
		})
	}
}

// TestFoundPartsKeepTheirWords loses a run in the middle of a thread whose text is mended meanwhile. What the ledger
// says of a part is what is out.
func TestFoundPartsKeepTheirWords(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\n", "Wun.\n\n---\n\nTwo.")})
	w.crash("dead", func(r *http.Request, answered bool) bool { return answered && creates(r) })
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [gts]\n", "One.\n\n---\n\nTwo.")})
	w.run(w.here()) // too early to tell what became of the second part
	rec := w.records()["aaaa1111@gts"]
	if len(rec.Parts) != 1 || rec.Parts[0].Text != "Wun." {
		t.Errorf("%s with the parts %+v", rec.State, rec.Parts)
	}
	w.settle()
	w.exactlyOnce(2, gts)
	same(t, "texts", w.texts(gts), []string{"One.", "Two."})
}

// TestShortKeyIsNoProof loses the answer to a request that the server is still at work on. Mastodon notes a key when it
// has made the status, not before (https://github.com/mastodon/mastodon/pull/37879, fixed in 2026): to repeat the
// request meanwhile makes two.
func TestShortKeyIsNoProof(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi]\n", "Hello.")})
	sent := 0
	busy := setup{desk: three, broken: func(r *http.Request) bool {
		if creates(r) {
			sent++
			return true
		}
		return false
	}}
	w.runAs(w.here(), busy)
	w.clock.Advance(30 * time.Second)
	w.runAs(w.here(), busy)
	if sent != 1 {
		t.Errorf("the request was sent %d times while the first may be under way", sent)
	}
	w.settle()
	w.exactlyOnce(1, fedi)
}

// TestHoldDuringAShortWait pulls the stop while an account waits for its rate limit to end.
func TestHoldDuringAShortWait(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi]\n", "One."), "b": post("bbbb2222", "platforms: [fedi]\n", "Two.")})
	w.fakes[fedi].Limit(fakenet.Quota{Posts: 1, Window: 15 * time.Second})
	pulled := false
	w.runAs(w.clone(), setup{desk: func(d *publish.Desk) {
		wait := d.Wait
		d.Wait = func(ctx context.Context, t time.Duration) error {
			if t != flushEvery && t != flushSoon && t > 5*time.Second && !pulled {
				pulled = true
				w.pull(ledger.Hold{Scope: fedi, Reason: "a fire", By: "Anna", At: w.clock.Now()})
				w.clock.Advance(lookEvery)
				w.clock.tick()
				w.logged("a hold was pulled")
			}
			return wait(ctx, t)
		}
	}})
	if !pulled {
		t.Fatal("the account did not wait for its limit")
	}
	w.created(1, fedi)
}

// TestMigratesTheLedger publishes to a ledger from before there were openings.
func TestMigratesTheLedger(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [hook]\n", "Hello.")})
	old := &ledger.Record{Post: seed, Account: hook, Platform: "webhook", Path: "content/old.md", State: ledger.Skipped, At: start.Add(-48 * time.Hour)}
	if err := w.ledger().Claim(t.Context(), "by an old program", []*ledger.Record{old}); err != nil {
		t.Fatal(err)
	}
	before := w.ledgerTip()
	d, err := w.open(w.here(), setup{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Plan(w.clock.Now()); err != nil || w.ledgerTip() != before {
		t.Errorf("planning has changed the ledger (%v)", err)
	}
	w.run(w.here())
	view, err := w.ledger().View()
	if err != nil {
		t.Fatal(err)
	}
	opening, err := view.Opening()
	if err != nil || opening.Format != ledger.Format || !opening.Began.Equal(old.At) {
		t.Errorf("opening %+v (%v)", opening, err)
	}
	w.exactlyOnce(1, hook)
	tip := w.ledgerTip()
	w.nothing()
	if w.ledgerTip() != tip {
		t.Error("a ledger that is up to date was changed")
	}
}

// TestUnknownByAFastClock has a run whose clock is a day fast lose sight of a request: that it ended tomorrow is no
// reason to wait until then.
func TestUnknownByAFastClock(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "late: publish\nplatforms: [gts]\n", "Hello.")})
	w.inject(fakenet.ResetBefore, 0)
	w.shift = 24 * time.Hour
	w.run(w.here())
	w.shift = 0
	w.run(w.here())
	w.created(0, gts)
	w.settle()
	w.exactlyOnce(1, gts)
}

// TestYesterdaysOccurrence crashes while a repeated post goes out, and comes back a day later: what became of it is
// found out, and today's goes out.
func TestYesterdaysOccurrence(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi, hook]\npublish_at: 2026-12-01 08:30\nrepeat: FREQ=DAILY\n", "Good morning.")})
	w.crash("dead", func(r *http.Request, answered bool) bool {
		return answered && creates(r) && "http://"+r.URL.Host == w.urls[fedi]
	})
	w.clock.Advance(24 * time.Hour)
	w.run(w.here())
	if got := w.state("aaaa1111+20261201T073000Z@fedi"); got != ledger.Published {
		t.Errorf("yesterday's is %s", got)
	}
	if got := w.state("aaaa1111+20261202T073000Z@fedi"); got != ledger.Published {
		t.Errorf("today's is %s", got)
	}
	w.created(2, fedi)
}

// TestWordBeforeTheFirstRun has a person settle one post before anything was ever published: what may have gone out
// before is looked for all the same.
func TestWordBeforeTheFirstRun(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{
		"a": "---\nid: aaaa1111\nplatforms: [gts]\n---\nOne.\n", "b": "---\nid: bbbb2222\nplatforms: [gts]\n---\nTwo.\n",
	})
	d, err := w.open(w.here(), setup{})
	if err != nil {
		t.Fatal(err)
	}
	skip := &ledger.Record{Post: "aaaa1111", Account: gts, Platform: "mastodon", Path: "content/a.md", State: ledger.Skipped, At: w.clock.Now()}
	err = d.Begin(t.Context())
	if err == nil {
		err = d.Ledger.Claim(t.Context(), "by hand", []*ledger.Record{skip})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(time.Hour)
	w.run(w.here())
	if rec := w.records()["bbbb2222@gts"]; rec == nil || !rec.Unsure || rec.State != ledger.Published {
		t.Errorf("%+v", rec)
	}
	w.created(1, gts)
}

// TestLimitHoldsForRepeats holds that what is repeated after a look-up minds the account's limit, too.
func TestLimitHoldsForRepeats(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\npublish_at: 2026-12-01 08:30\n", "One.")})
	w.inject(fakenet.ResetBefore, 0)
	w.run(w.here())
	w.clock.Advance(5 * time.Minute)
	w.commit(map[string]string{"content/b.md": post("bbbb2222", "platforms: [gts]\npublish_at: 2026-12-01 08:00\n", "Two.")})
	w.fakes[gts].Inject(fakenet.Plan{Fault: fakenet.RateLimit, Count: -1})
	before := len(w.fakes[gts].Calls())
	w.run(w.here())
	if n := len(w.fakes[gts].Calls()) - before; n != 1 {
		t.Errorf("%d creating requests to an account that is limited, want the one that said so", n)
	}
	w.inject(fakenet.None, 0)
	w.settle()
	w.exactlyOnce(2, gts)
}

// TestLatestWordsCount has a post edited whose words another has said since: that they were said lately stays known.
func TestLatestWordsCount(t *testing.T) {
	const day = 24 * time.Hour
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [gts]\nlate: publish\n", "Hello.")})
	w.run(w.here())
	w.clock.Advance(31 * day)
	w.commit(map[string]string{"content/b.md": post("bbbb2222", "platforms: [gts]\npublish_at: 2027-01-01 08:00\n", "Hello.")})
	w.run(w.here())
	w.created(2, gts)
	w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: [gts]\nlate: publish\nlanguage: de\n", "Hello.")})
	same(t, "deliveries", results(w.run(w.here())), []string{"aaaa1111@gts updated"})
	w.clock.Advance(4 * day)
	w.commit(map[string]string{"content/c.md": post("cccc3333", "platforms: [gts]\npublish_at: 2027-01-05 08:00\n", "Hello.")})
	same(t, "waiting", waiting(w.run(w.here())), []string{"cccc3333@gts duplicate"})
	w.created(2, gts)
}

// TestHeldIsNotBegun pulls a stop before a delivery of a run has its turn. When it is lifted hours later, the delivery is
// late: it was never begun.
func TestHeldIsNotBegun(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [hook]\n", "One."), "b": post("bbbb2222", "platforms: [hook]\n", "Two.")})
	first := true
	w.runAs(w.clone(), setup{after: func(*http.Request) {
		if !first {
			return
		}
		first = false
		w.pull(ledger.Hold{Scope: "all", Reason: "a fire", By: "Anna", At: w.clock.Now()})
		w.clock.Advance(lookEvery)
		w.clock.tick()
		w.logged("a hold was pulled")
	}})
	w.clock.Advance(8 * time.Hour)
	w.pull()
	same(t, "waiting", waiting(w.run(w.here())), []string{"bbbb2222@hook late"})
	w.created(1, hook)
}
