package gitledger

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform"
)

const december ledger.Month = "2026-12"

// dear is an intent that costs something.
func dear(post string, usd platform.USD) *ledger.Record {
	r := intent(post, "r-"+post)
	r.Key = r.ID().Key()
	r.Last().Charge = ledger.Charge{Month: december, USD: usd}
	return r
}

func spent(t *testing.T, l *Ledger) platform.USD {
	t.Helper()
	v, err := l.View()
	if err != nil {
		t.Fatal(err)
	}
	usd, err := v.Spent("bluesky", december)
	if err != nil {
		t.Fatal(err)
	}
	return usd
}

func TestSpent(t *testing.T) {
	s := newSite(t)
	_, l := s.clone()
	s.fetch(l)
	a, b := dear("a", 200_000), dear("b", 15_000)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(l.Claim(t.Context(), "claim", []*ledger.Record{a, b, intent("free", "r1")}))
	if got := spent(t, l); got != 215_000 {
		t.Errorf("%s are claimed, want $0.215", got)
	}
	out, refused := result(a, "1"), b.Clone()
	refused.State = ledger.Denied
	refused.Last().Charge.USD = 0
	refused.End(t0, "denied", "no")
	must(l.Record(t.Context(), "results", []*ledger.Record{out, refused}))
	must(l.Record(t.Context(), "again", []*ledger.Record{out}))
	if got := spent(t, l); got != 200_000 {
		t.Errorf("%s are spent, want $0.20", got)
	}
	if got, want := s.git("show", "postrider/ledger:spent-2026-12"), "a@bluesky 200000\n"; got != want {
		t.Errorf("the file says %q, want %q", got, want)
	}

	// Results that another clone brings late count, too.
	_, late := s.clone()
	s.fetch(late)
	c := dear("c", 15_000)
	must(l.Claim(t.Context(), "claim", []*ledger.Record{c}))
	d := result(dear("d", 5_000), "4")
	must(late.Record(t.Context(), "late results", []*ledger.Record{d}))
	if got := spent(t, late); got != 220_000 {
		t.Errorf("%s are spent, want $0.22", got)
	}
}

// TestSpentAtOnce: of publishers that plan on the same tip only one gets its claim through, and the others see what it costs.
func TestSpentAtOnce(t *testing.T) {
	s := newSite(t)
	_, first := s.clone()
	s.fetch(first)
	if err := first.Begin(t.Context(), ledger.Opening{Format: ledger.Format, Began: t0.Add(-time.Hour)}, nil); err != nil {
		t.Fatal(err)
	}
	const limit, each = 600_000, 200_000
	var wg sync.WaitGroup
	for i := range 4 {
		_, l := s.clone()
		wg.Go(func() {
			for n := 0; ; n++ {
				if _, err := l.Fetch(t.Context()); err != nil {
					t.Error(err)
					return
				}
				v, err := l.View()
				if err != nil {
					t.Error(err)
					return
				}
				if usd, err := v.Spent("bluesky", december); err != nil || usd+each > limit {
					return
				}
				err = l.Claim(t.Context(), "claim", []*ledger.Record{dear(fmt.Sprintf("p%d-%d", i, n), each)})
				if err != nil && !errors.Is(err, gitrepo.ErrMoved) && !errors.Is(err, gitrepo.ErrLocked) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s.fetch(first)
	if got := spent(t, first); got != limit {
		t.Errorf("%s were spent, want exactly %s", got, platform.USD(limit))
	}
}

// TestSpentIsMended: a file that is damaged lets nobody know what was spent, and the records do.
func TestSpentIsMended(t *testing.T) {
	for name, text := range map[string]string{"damaged": "<<<<<<<\n", "wrong": "a@bluesky 1\n", "gone": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWritten(t, "a")
			r := result(dear("b", 200_000), "2")
			w.must(w.Record(t.Context(), "b is out", []*ledger.Record{r}))
			if _, problems := w.verify(true); len(problems) > 0 {
				t.Fatalf("%+v", problems)
			}
			w.tip = w.Tip()
			w.edit(map[string]string{"spent-2026-12": text})
			v, err := w.View()
			w.must(err)
			if _, err := v.Spent("bluesky", december); errors.Is(err, ledger.ErrFormat) != (name == "damaged") || len(v.Damaged()) > 0 != (name == "damaged") {
				t.Errorf("%v, %v", err, v.Damaged())
			}
			w.must(w.Record(t.Context(), "c is out", []*ledger.Record{result(dear("c", 15_000), "3")})) // nothing keeps a result from being recorded
			_, problems := w.verify(false)
			if len(problems) != 1 || problems[0].Path != "spent-2026-12" || !problems[0].Repair {
				t.Fatalf("%+v", problems)
			}
			restored, err := w.Restore(t.Context(), problems[0].Path)
			if err != nil || len(restored) != 1 || restored[0].From != "" {
				t.Fatalf("%+v, %v", restored, err)
			}
			if got := spent(t, w.Ledger); got != 215_000 {
				t.Errorf("%s were spent, want $0.215", got)
			}
			if again, err := w.Restore(t.Context(), problems[0].Path); err != nil || len(again) > 0 {
				t.Errorf("restored again: %+v, %v", again, err)
			}
		})
	}
}
