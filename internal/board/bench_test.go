package board

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/site"
	"github.com/postrider/postrider/internal/slab"
)

const benchYAML = `timezone: Europe/Berlin
accounts:
  bluesky: {platform: bluesky, handle: acme.bsky.social}
  fedi: {platform: mastodon, server: "https://fedi.example"}
  fedi-de: {platform: mastodon, server: "https://de.fedi.example"}
  news: {platform: webhook, url: "https://hooks.example/in"}
defaults: {platforms: [bluesky, mastodon, webhook]}
campaigns:
  winter-launch: {starts: 2026-12-01, ends: 2026-12-24}
  spring: {starts: 2027-03-01, ends: 2027-04-24}
schedule: {quiet: ["22:00-07:00", "Sun 00:00-24:00"]}
`

var benchNow = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// corpus is a site of n posts of 40–80 words, each for four accounts: most before benchNow, a tenth behind it.
func corpus(n int) fstest.MapFS {
	words := strings.Fields("the sled is back and faster than ever you will like how it runs down every hill in the snow this winter with friends we made it of ash and steel for people who love long evenings outside")
	rnd := rand.New(rand.NewPCG(1, 2))
	fsys := fstest.MapFS{"site.yaml": {Data: []byte(benchYAML)}}
	for i := range n {
		var b strings.Builder
		at := benchNow.Add(time.Duration(rnd.IntN(400*24*60)-360*24*60) * time.Minute)
		fmt.Fprintf(&b, "---\nid: post%05d\ntitle: Post %d\npublish_at: %s\n", i, i, at.Format("2006-01-02 15:04"))
		if i%8 == 1 {
			b.WriteString("campaign: winter-launch\n")
		}
		if i%1000 == 7 {
			b.WriteString("repeat: FREQ=WEEKLY\n")
		}
		b.WriteString("tags: [winter]\n---\n")
		for w := range 40 + rnd.IntN(41) {
			switch {
			case w == 20 && i%3 == 0:
				b.WriteString("**sled** ")
			case w == 30 && i%4 == 0:
				b.WriteString("\n\n")
			}
			b.WriteString(words[rnd.IntN(len(words))] + " ")
		}
		fmt.Fprintf(&b, "#sled number %d\n", i)
		fsys[fmt.Sprintf("content/%02d/%05d.md", i%36, i)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return fsys
}

// mapLedger answers as quickly as a listing that is in memory.
type mapLedger struct {
	ledger.Memory
	byID  map[ledger.ID]*ledger.Record
	holds []ledger.Hold
	begun time.Time
}

func newMapLedger(records ...*ledger.Record) *mapLedger {
	v := &mapLedger{Memory: records, byID: make(map[ledger.ID]*ledger.Record, len(records))}
	for _, r := range records {
		v.byID[r.ID()] = r
	}
	return v
}

func (v *mapLedger) Record(id ledger.ID) (*ledger.Record, error) { return v.byID[id], nil }

func (v *mapLedger) Brief(id ledger.ID) (ledger.Brief, bool, error) {
	r := v.byID[id]
	if r == nil {
		return ledger.Brief{}, false, nil
	}
	return ledger.Brief{State: r.State, Mark: r.Source[:min(len(r.Source), markLength)]}, true, nil
}

func (v *mapLedger) Holds() ([]ledger.Hold, error) { return v.holds, nil }

func (v *mapLedger) Opening() (ledger.Opening, error) {
	return ledger.Opening{Format: ledger.Format, Began: v.begun}, nil
}

// published is a ledger in which everything of a site is out whose time has come.
func published(s *site.Snapshot, now time.Time) *mapLedger {
	var list []*ledger.Record
	for _, p := range s.Posts {
		if p.PublishAt.After(now) || p.Repeat != "" {
			continue
		}
		for _, a := range s.Accounts(p) {
			list = append(list, &ledger.Record{Post: p.ID, Account: a.Name, State: ledger.Published, Source: newFacts(p, &slab.Of[facts]{}).source(), Path: p.Path, Due: p.PublishAt, PublishedAt: p.PublishAt})
		}
	}
	return newMapLedger(list...)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkBoard measures sites whose posts go to four accounts each.
func BenchmarkBoard(b *testing.B) {
	for _, n := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmark(b, n) })
	}
}

func benchmark(b *testing.B, n int) {
	b.Helper()
	ctx := context.Background()
	fsys := corpus(n)
	reg := adapters.All()
	s, err := site.Load(ctx, fsys, reg, site.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var found finding.List // a remark for every post, and an error for every hundredth
	for i, p := range s.Posts {
		found.Add(finding.Finding{Code: "T101", Severity: finding.Info, Path: p.Path, Post: p.ID, Message: "it is long"})
		if i%100 == 0 {
			found.Add(finding.Finding{Code: "T201", Severity: finding.Error, Path: p.Path, Post: p.ID, Account: "fedi", Message: "it is too long"})
		}
	}
	found.Sort()
	in := Input{Site: s, Registry: reg, Ledger: published(s, benchNow), Check: NewCheck(s, found), Now: benchNow}
	board := func(b *testing.B) *Board {
		b.Helper()
		x, err := New(in)
		if err != nil {
			b.Fatal(err)
		}
		return x
	}
	b.Run("new", func(b *testing.B) {
		before := heap()
		x := board(b)
		size := heap() - before
		for b.Loop() {
			x = board(b)
		}
		b.ReportMetric(float64(size)/(1<<20), "MB")
		runtime.KeepAlive(x)
	})
	x := board(b)
	p := s.Posts[n/2]
	fsys[p.Path].Data = append(fsys[p.Path].Data, " More."...)
	next, err := s.Update(ctx, site.Options{}, p.Path)
	if err != nil {
		b.Fatal(err)
	}
	edited := in
	edited.Site = next
	x.Posts(Filter{})
	b.Run("with one", func(b *testing.B) {
		for b.Loop() {
			if _, err := x.With(edited); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("with a second", func(b *testing.B) {
		later := in
		later.Now = in.Now.Add(time.Second)
		for b.Loop() {
			if _, err := x.With(later); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("with a ledger", func(b *testing.B) {
		other := in
		ledger := *in.Ledger.(*mapLedger)
		other.Ledger = &ledger
		for b.Loop() {
			if _, err := x.With(other); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first search", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			y := board(b)
			b.StartTimer()
			y.Posts(Filter{Text: "hill"})
		}
	})
	x.Posts(Filter{Text: "hill"})
	b.Run("other search", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			x.Posts(Filter{Text: [...]string{"evenings faster", "faster evenings"}[i%2]})
		}
	})
	b.Run("first order", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			x.byTime = order{} //nolint:govet // nobody else has it
			b.StartTimer()
			x.Posts(Filter{})
		}
	})
	for name, f := range map[string]Filter{
		"posts": {}, "posts text": {Text: "number sled 17"}, "posts state": {Account: "mastodon", Sort: ByState}, "posts name": {Sort: ByName},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				x.Posts(f)
			}
		})
	}
	b.Run("facets", func(b *testing.B) {
		for b.Loop() {
			x.Facets(Filter{})
		}
	})
	b.Run("facets text", func(b *testing.B) {
		for b.Loop() {
			x.Facets(Filter{Text: "number sled 17", State: Scheduled})
		}
	})
	b.Run("days", func(b *testing.B) {
		for b.Loop() {
			x.Days(benchNow, benchNow.AddDate(0, 0, 42), Filter{}, math.MaxInt)
		}
	})
	b.Run("today", func(b *testing.B) {
		for b.Loop() {
			x.Today(20)
		}
	})
	b.Run("needs", func(b *testing.B) {
		for b.Loop() {
			x.allNeeds()
		}
	})
	b.Run("campaigns", func(b *testing.B) {
		for b.Loop() {
			x.allCampaigns()
		}
	})
	b.Run("problems", func(b *testing.B) {
		y, err := x.With(edited)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			y.Tally()
			y.Problems(150, func(Kind) bool { return true })
		}
	})
	b.Run("detail", func(b *testing.B) {
		r := x.Rows()[n/3]
		for b.Loop() {
			if _, err := x.Detail(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}
