package publish_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

// three has a run try three times, as the command line does.
func three(d *publish.Desk) { d.Tries = 3 }

// outage refuses the connection for the first n requests to an account's server that create something.
func (w *world) outage(account string, n int) func(*http.Request) bool {
	var mu sync.Mutex
	return func(r *http.Request) bool {
		if r.Method != http.MethodPost || "http://"+r.URL.Host != w.urls[account] {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		n--
		return n >= 0
	}
}

// TestTriesAgainInTheRun holds that a hiccup costs seconds, not the time until the next run.
func TestTriesAgainInTheRun(t *testing.T) {
	const body = "One.\n\n---\n\nTwo."
	for _, tt := range []struct {
		name    string
		account string
		out     int // how many connections fail
		fault   fakenet.Fault
		skip    int
		want    string
		tries   int
	}{
		{"two outages", hook, 2, fakenet.None, 0, "published", 3},
		{"a longer outage", hook, 3, fakenet.None, 0, "unsent", 3},
		{"a lost answer, under a key", hook, 0, fakenet.ResetAfterAccept, 0, "published", 2},
		{"an error of the server, under a key", bsky, 0, fakenet.ServerError, 1, "published", 2},
		{"an error of the server, without a key", gts, 0, fakenet.ServerError, 1, "unknown", 1},
		{"a refusal", fedi, 0, fakenet.Refuse, 0, "rejected", 1},
		{"a token that is refused", fedi, 0, fakenet.Forbidden, 0, "denied", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: ["+tt.account+"]\n", body)})
			w.fakes[tt.account].Inject(fakenet.Plan{Fault: tt.fault, Skip: tt.skip})
			before := w.clock.Now()
			report := w.runAs(w.here(), setup{desk: three, refused: w.outage(tt.account, tt.out)})
			d := report.Deliveries[0]
			if d.Outcome != tt.want {
				t.Errorf("outcome %s (%v), want %s", d.Outcome, d.Err, tt.want)
			}
			rec := w.records()["aaaa1111@"+tt.account]
			if len(rec.Attempts) != tt.tries {
				t.Errorf("%d attempts, want %d: %+v", len(rec.Attempts), tt.tries, rec.Attempts)
			}
			if took := w.clock.Now().Sub(before); took > 6*time.Second || tt.tries == 3 && took < 3*time.Second {
				t.Errorf("the pauses took %s", took)
			}
			if tt.fault == fakenet.Refuse {
				w.commit(map[string]string{"content/a.md": post("aaaa1111", "platforms: ["+tt.account+"]\n", body+" Mended.")})
			}
			w.settle()
			w.exactlyOnce(2, tt.account)
		})
	}
}

// TestOneDeadAccountDelaysNoOther holds that an account which is down uses up its tries once, and that the others
// do not wait for it.
func TestOneDeadAccountDelaysNoOther(t *testing.T) {
	posts := map[string]string{}
	for i := range 5 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [fedi, hook]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newWorld(t, posts)
	report := w.runAs(w.here(), setup{desk: three, refused: w.outage(hook, 1000)})
	tries := 0
	for id, rec := range w.records() {
		switch {
		case strings.HasSuffix(id, "@fedi") && rec.State != ledger.Published:
			t.Errorf("%s is %s", id, rec.State)
		case strings.HasSuffix(id, "@hook"):
			tries += len(rec.Attempts)
		}
	}
	if tries != 3+4 {
		t.Errorf("the dead account was tried %d times, want 7", tries)
	}
	if report.Failed() != 5 {
		t.Errorf("%d failed, want 5", report.Failed())
	}
	w.settle()
	w.exactlyOnce(5, fedi, hook)
}

// TestRefusedTokenEndsItsAccount holds that a token that the network does not know is shown to it once in a run.
func TestRefusedTokenEndsItsAccount(t *testing.T) {
	posts := map[string]string{}
	for i := range 4 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [fedi]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newWorld(t, posts)
	w.fakes[fedi].Inject(fakenet.Plan{Fault: fakenet.ExpiredToken, Count: -1})
	report := w.runAs(w.here(), setup{desk: three})
	if calls := len(w.fakes[fedi].Calls()); calls != 1 {
		t.Errorf("%d requests with a dead token, want 1", calls)
	}
	for _, d := range report.Deliveries {
		if d.Outcome != "denied" {
			t.Errorf("%s: %s", d.Post, d.Outcome)
		}
	}
	w.inject(fakenet.None, 0)
	w.settle()
	w.exactlyOnce(4, fedi)
}

// TestRunDeadline holds that a run begins nothing after its time, and that the next one goes on.
func TestRunDeadline(t *testing.T) {
	w := newWorld(t, map[string]string{
		"a": post("aaaa1111", "platforms: [hook]\n", "One."), "b": post("bbbb2222", "platforms: [hook]\n", "Two."), "c": post("cccc3333", "platforms: [hook]\n", "Three."),
	})
	report := w.runAs(w.here(), setup{
		desk:  func(d *publish.Desk) { d.Deadline = time.Minute },
		after: func(*http.Request) { w.clock.Advance(40 * time.Second) },
	})
	var outcomes []string
	for _, d := range report.Deliveries {
		outcomes = append(outcomes, d.Outcome)
	}
	if !slices.Equal(outcomes, []string{"published", "published", "unsent"}) {
		t.Errorf("outcomes %v", outcomes)
	}
	w.run(w.here())
	w.exactlyOnce(3, hook)
}

// TestBudget holds that a run leaves an account alone for as long as its network said, and that the next run knows.
func TestBudget(t *testing.T) {
	posts := map[string]string{}
	for i := range 4 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "platforms: [fedi]\n", fmt.Sprintf("Number %d.", i))
	}
	w := newWorld(t, posts)
	w.fakes[fedi].Inject(fakenet.Plan{Fault: fakenet.RateLimit, Skip: 1, Count: -1})
	w.runAs(w.here(), setup{desk: three})
	if calls := len(w.fakes[fedi].Calls()); calls != 2 {
		t.Errorf("%d requests, want the one that went well and the one that was refused", calls)
	}
	for id, rec := range w.records() {
		if rec.State == ledger.Limited && !rec.RetryAt.After(w.clock.Now()) {
			t.Errorf("%s is limited and may be tried at %s", id, rec.RetryAt)
		}
	}
	w.run(w.here())
	if calls := len(w.fakes[fedi].Calls()); calls != 2 {
		t.Errorf("%d requests: the next run did not know of the limit", calls)
	}
	w.inject(fakenet.None, 0)
	w.settle()
	w.exactlyOnce(4, fedi)
}

// TestJournal holds that a run which dies before its results are in the ledger leaves them to the next one in its
// clone, which asks no network.
func TestJournal(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [hook, fedi]\n", "Hello.")})
	repo := w.clone()
	dir := filepath.Join(repo.CommonDir(), "postrider", "journal")
	name := filepath.Join(dir, "dead.jsonl")

	// The machine dies when the journal has everything, and the remote nothing but the intent.
	var left []byte
	var plug func()
	w.runAs(w.clone(), setup{desk: func(d *publish.Desk) {
		d.Run, d.Owner, d.JournalDir = "dead", "dead", dir
		d.Progress = func(e publish.Event) {
			switch {
			case e.Delivery == nil && plug == nil:
				plug = w.unplug()
			case e.Done == e.Of:
				var err error
				if left, err = os.ReadFile(name); err != nil {
					t.Error(err)
				}
			}
		}
	}})
	plug()
	for id, rec := range w.records() {
		if id != seed+"@bsky" && rec.State != ledger.Sending {
			t.Fatalf("%s is %s after a death", id, rec.State)
		}
	}
	left = append(left, `{"version":1,"post":"half a li`...)
	if err := os.WriteFile(name, left, 0o644); err != nil {
		t.Fatal(err)
	}

	asked := 0
	w.runAs(repo, setup{before: func(*http.Request) { asked++ }})
	if asked != 0 {
		t.Errorf("the networks were asked %d times", asked)
	}
	for id, rec := range w.records() {
		if id != seed+"@bsky" && (rec.State != ledger.Published || rec.Parts[0].ID == "") {
			t.Errorf("%s is %s", id, rec.State)
		}
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("the journal is still there: %v", err)
	}
	w.exactlyOnce(1, hook, fedi)
}

// TestJournalOfTheLiving holds that a run leaves the journal of another one alone that may be at work, and what no
// program of this version has written.
func TestJournalOfTheLiving(t *testing.T) {
	w := newWorld(t, nil)
	repo := w.clone()
	dir := filepath.Join(repo.CommonDir(), "postrider", "journal")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	rec := &ledger.Record{Post: "aaaa1111", Account: hook, State: ledger.Sending, At: w.clock.Now()}
	rec.Begin(ledger.OpPublish, "alive", w.clock.Now(), "")
	var line bytes.Buffer
	if err := json.Compact(&line, rec.Encode()); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"alive.jsonl": `{"journal":1,"run":"alive","owner":"somewhere else","ledger":"postrider/ledger"}` + "\n" + line.String() + "\n",
		"newer.jsonl": `{"journal":2,"run":"newer"}` + "\n",
		"empty.jsonl": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	left := func() (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	for _, name := range []string{"empty.jsonl", "newer.jsonl"} {
		if err := os.Chtimes(filepath.Join(dir, name), start.Add(-time.Hour), start.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	w.run(repo)
	same(t, "journals while it may live", left(), []string{"alive.jsonl", "newer.jsonl"})
	w.clock.Advance(11 * time.Minute)
	w.run(repo)
	same(t, "journals when its lease is over", left(), []string{"newer.jsonl"})
	if w.records()["aaaa1111@hook"] == nil {
		t.Error("the journal's record is not in the ledger")
	}
}
