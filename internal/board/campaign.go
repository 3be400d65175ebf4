package board

import (
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
)

// Campaigns returns the campaigns of site.yaml, sorted by name.
func (b *Board) Campaigns() []Campaign { return b.campaigns() }

// Campaign returns the campaign of site.yaml called name.
func (b *Board) Campaign(name string) (Campaign, bool) {
	all := b.campaigns()
	i, ok := slices.BinarySearchFunc(all, name, func(c Campaign, name string) int { return strings.Compare(c.Name, name) })
	if !ok {
		return Campaign{}, false
	}
	return all[i], true
}

func (b *Board) allCampaigns() []Campaign {
	cfg := b.in.Site.Config
	all := make([]Campaign, len(cfg.Campaigns))
	number := make(map[string]int, len(all))
	for i := range all {
		c := &cfg.Campaigns[i]
		number[c.Name] = i
		all[i] = Campaign{Campaign: c, Count: map[State]int{}}
		all[i].Held, _ = b.campaignHeld(c.Name)
	}
	if len(all) == 0 {
		return nil
	}
	times := make([][]time.Time, len(all)) // of what goes out
	// In the order of their times, so that nearly nothing is left to be sorted.
	for _, r := range b.byTime.sorted(b.rows, sortByTime, compareTime) {
		if len(r.Targets) == 0 || r.alike && r.together { // nearly all
			if i, ok := number[r.campaign]; ok && r.campaign != "" {
				begin := len(times[i])
				if len(r.Targets) > 0 && liveRank(r.rank) {
					times[i] = append(times[i], r.Targets[0].At)
				}
				all[i].add(r, r.rank, times[i][begin:])
			}
			continue
		}
		for i := range r.Targets {
			name := r.Targets[i].Campaign
			n, ok := number[name]
			if name == "" || !ok || slices.ContainsFunc(r.Targets[:i], func(t Target) bool { return t.Campaign == name }) {
				continue
			}
			rank := uint8(anyState)
			var at, repeated []time.Time
			for j := i; j < len(r.Targets); j++ {
				t := &r.Targets[j]
				if t.Campaign != name {
					continue
				}
				rank = min(rank, t.rank)
				if t.At.IsZero() || !t.State.live() {
					continue
				}
				if t.cycle == nil {
					at = append(at, t.At)
				} else {
					if repeated == nil || r.Targets[j-1].cycle != t.cycle {
						repeated = b.campaignTimes(t, all[n].Campaign)
					}
					at = append(at, repeated...)
				}
			}
			all[n].add(r, rank, at)
			times[n] = append(times[n], at...)
		}
	}
	for i := range all {
		c := &all[i]
		if !slices.IsSortedFunc(times[i], time.Time.Compare) {
			slices.SortFunc(times[i], time.Time.Compare)
		}
		if n := len(times[i]); n > 0 {
			c.First, c.Last = times[i][0].In(cfg.Location), times[i][n-1].In(cfg.Location)
			c.Gaps = b.gaps(times[i])
		}
	}
	for _, rec := range b.in.Latest {
		name := rec.Campaign
		if name == "" { // from before that was recorded
			name = b.campaignOf(rec)
		}
		if i, ok := number[name]; ok && name != "" {
			all[i].Out = append(all[i].Out, rec)
		}
	}
	return all
}

// campaignTimes returns when a repeated target goes out during a campaign; of one without an end, for a year.
func (b *Board) campaignTimes(t *Target, c *config.Campaign) []time.Time {
	end := c.Ends
	if end.IsZero() {
		end = b.in.Now.AddDate(1, 0, 0)
	}
	times := t.cycle.repeat.Between(t.At, end)
	if len(times) == 0 {
		times = []time.Time{t.At}
	}
	return times
}

// add puts a row into the campaign; at is when its targets go out.
func (c *Campaign) add(r *Row, rank uint8, at []time.Time) {
	c.Rows = append(c.Rows, r)
	c.Count[States()[rank]]++
	if slices.ContainsFunc(at, func(t time.Time) bool { return !c.Contains(t) }) {
		c.Outside = append(c.Outside, r)
	}
}

// campaignOf returns the campaign of the post that a record is about, empty when that is not known.
func (b *Board) campaignOf(rec *ledger.Record) string {
	r, ok := b.Row(rec.Post)
	if !ok {
		return ""
	}
	for i := range r.Targets {
		if r.Targets[i].Account.Name == rec.Account {
			return r.Targets[i].Campaign
		}
	}
	return r.campaign
}

// campaignHeld returns why nothing of a campaign goes out, to any account.
func (b *Board) campaignHeld(name string) (string, bool) {
	if reason, held := b.in.Site.Config.HeldBy("", name); held {
		return reason, true
	}
	for _, h := range b.shelf.holds {
		if h.Scope == ledger.ScopeAll || h.Scope == name {
			return h.String(), true
		}
	}
	return "", false
}

// gaps returns the days without any of the times, which are sorted, between the first and the last; days that follow each other
// in one piece. A day that is quiet from its beginning to its end is no gap.
func (b *Board) gaps(times []time.Time) []Span {
	cfg := b.in.Site.Config
	var list []Span
	end := times[len(times)-1]
	i := 0
	for day := midnight(times[0].In(cfg.Location), 0); !day.After(end); {
		next := midnight(day, 1)
		busy := false
		for i < len(times) && times[i].Before(next) {
			busy = true
			i++
		}
		if !busy && i < len(times) { // far behind it there may be nothing for years: one piece, whatever is quiet in it
			if far := midnight(times[i].In(cfg.Location), 0); far.Sub(day) > 400*24*time.Hour {
				list = append(list, Span{day, far})
				day = far
				continue
			}
		}
		if until, _ := cfg.Schedule.QuietUntil(day, cfg.Location); !busy && until.Before(next) {
			if n := len(list); n > 0 && list[n-1].End.Equal(day) {
				list[n-1].End = next
			} else {
				list = append(list, Span{day, next})
			}
		}
		day = next
	}
	return list
}
