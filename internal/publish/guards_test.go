package publish_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/publish"
)

// TestHoldDuringARun pulls the emergency stop while a run is on: it begins nothing more that the stop covers.
func TestHoldDuringARun(t *testing.T) {
	posts := map[string]string{}
	for i := range 3 {
		posts[fmt.Sprint("p", i)] = post(fmt.Sprintf("pppp000%d", i), "late: publish\nplatforms: [hook, fedi]\n", fmt.Sprintf("Number %d.", i))
	}
	for scope, want := range map[string]int{"all": 1, hook: 1, fedi: 3} {
		t.Run(scope, func(t *testing.T) {
			w := newWorld(t, posts)
			first := true
			w.runAs(w.clone(), setup{after: func(r *http.Request) {
				if "http://"+r.URL.Host != w.urls[hook] || !first {
					return
				}
				first = false
				w.pull(ledger.Hold{Scope: scope, Reason: "a fire", By: "Anna", At: w.clock.Now()})
				w.clock.Advance(lookEvery)
				w.clock.tick()
				w.logged("a hold was pulled")
			}})
			w.created(want, hook)
			w.run(w.here())
			w.created(want, hook)
			w.pull()
			w.settle()
			w.exactlyOnce(3, hook, fedi)
		})
	}
}

// pull replaces the holds of the ledger.
func (w *world) pull(holds ...ledger.Hold) {
	w.t.Helper()
	if err := w.ledger().SetHolds(w.t.Context(), "holds", holds); err != nil {
		w.t.Error(err)
	}
}

// TestHoldsFileThatCannotBeRead holds that somebody's wish to stop everything counts even when it is garbled.
func TestHoldsFileThatCannotBeRead(t *testing.T) {
	w := newWorld(t, map[string]string{"a": post("aaaa1111", "", "Hello.")})
	w.breakLedger("holds.json", "{\"holds\": [")
	report := w.run(w.here())
	w.created(0)
	for _, x := range report.Waiting {
		if x.State != "held" || !strings.Contains(x.Reason, "cannot be read") {
			t.Errorf("%s waits as %s: %s", x.Account, x.State, x.Reason)
		}
	}
	w.breakLedger("holds.json", "")
	w.run(w.here())
	w.exactlyOnce(1)
}

// breakLedger writes a file onto the ledger's branch as a person would, "" removing it.
func (w *world) breakLedger(name, text string) {
	w.t.Helper()
	tip := w.ledgerTip()
	var content []byte
	if text != "" {
		content = []byte(text)
	}
	if _, err := w.bare.Commit(w.t.Context(), commitOf("postrider/ledger", tip, name, content, w.clock.Now())); err != nil {
		w.t.Fatal(err)
	}
}

// TestLedgerBegins holds that the first run notes since when the ledger knows, before anything is due, and that
// what is older is looked for by later runs, too.
func TestLedgerBegins(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{
		"later":   post("llll1111", "publish_at: 2026-12-01 12:00\n", "Later."),
		"untimed": "---\nid: uuuu1111\ndraft: true\nplatforms: [fedi, bsky]\n---\nWithout a time.\n",
		"held":    post("hhhh1111", "late: publish\nplatforms: [fedi]\n", "Held back at first."),
	})
	w.commit(map[string]string{"site.yaml": w.site("hold: {reason: not yet, scope: fedi}\n")})
	w.run(w.here())
	view, err := w.ledger().View()
	if err != nil {
		t.Fatal(err)
	}
	opening, err := view.Opening()
	if err != nil || !opening.Began.Equal(start) || opening.Commit == "" || opening.Format != ledger.Format {
		t.Errorf("opening %+v, %v", opening, err)
	}
	w.created(0)

	w.clock.Advance(4 * time.Hour)
	w.commit(map[string]string{
		"site.yaml":          w.site(""),
		"content/untimed.md": "---\nid: uuuu1111\nplatforms: [fedi, bsky]\n---\nWithout a time.\n",
		"content/new.md":     "---\nid: nnnn1111\nplatforms: [fedi, bsky]\n---\nNew.\n",
	})
	looked := map[string]int{}
	w.runAs(w.here(), setup{before: func(r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/statuses") {
			looked[fedi]++
		}
	}})
	if looked[fedi] < 2 {
		t.Errorf("%d look-ups on fedi, want at least one for the held and one for the untimed post", looked[fedi])
	}
	for id, rec := range w.records() {
		unsure := strings.HasPrefix(id, "hhhh1111") || strings.HasPrefix(id, "uuuu1111")
		if rec.Unsure != unsure || rec.State != ledger.Published {
			t.Errorf("%s: unsure %v, %s", id, rec.Unsure, rec.State)
		}
	}
	w.exactlyOnce(4, fedi)
	w.exactlyOnce(3, bsky)
	w.exactlyOnce(1, hook)
}

// TestDamagedOpening holds that a ledger which no longer says since when it knows is taken for one that knows nothing.
func TestDamagedOpening(t *testing.T) {
	w := newEmptyWorld(t, map[string]string{"a": post("aaaa1111", "platforms: [fedi]\n", "Hello.")})
	w.commit(map[string]string{"site.yaml": w.site("hold: {reason: not yet, scope: all}\n")})
	w.run(w.here())
	w.breakLedger("ledger.json", "{")
	w.commit(map[string]string{"site.yaml": w.site("")})
	w.runAs(w.here(), setup{desk: func(d *publish.Desk) { d.Tries = 3 }})
	if rec := w.records()["aaaa1111@fedi"]; rec == nil || !rec.Unsure {
		t.Errorf("%+v", rec)
	}
	w.exactlyOnce(1, fedi)
}

// TestWithdrawnHalfWay takes down what is out of a thread whose run died in the middle, once that is merged.
func TestWithdrawnHalfWay(t *testing.T) {
	for _, account := range []string{gts, fedi, bsky} {
		t.Run(account, func(t *testing.T) {
			w := newWorld(t, map[string]string{"a": post("aaaa1111", "platforms: ["+account+"]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")})
			n := 0
			w.crash("dead", func(r *http.Request, answered bool) bool {
				if creates(r) && answered {
					n++
				}
				return n == 1
			})
			w.commit(map[string]string{"content/a.md": post("aaaa1111", "withdraw: true\nplatforms: ["+account+"]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree.")})
			w.run(w.here())
			w.settle()
			if texts := w.texts(account); len(texts) != 0 {
				t.Errorf("still there: %q", texts)
			}
			if rec := w.records()["aaaa1111@"+account]; rec.State != ledger.Withdrawn {
				t.Errorf("the record is %s: %+v", rec.State, rec.Last())
			}
		})
	}
}
