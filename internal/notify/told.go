package notify

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/publish"
)

// lasting reports whether something stays until somebody or a later run settles it, so that it is remembered who was told.
func lasting(i *Item) bool { return i.What != config.WhatPublished }

// wants reports whether a channel is told of an item: of its kind, or of all that waits for a person.
func wants(what []config.What, i *Item) bool {
	return slices.Contains(what, i.What) || i.Person && slices.Contains(what, config.WhatAttention)
}

// message is what one channel is to be told.
type message struct {
	fresh []Item // of which it was not told
	again []Item // of which it is reminded
}

func (m *message) empty() bool { return len(m.fresh) == 0 && len(m.again) == 0 }

// due returns what a channel is to be told now: what it was not told of, or perhaps was by a run that died at it; and, when remind has passed
// since, what still waits for a person.
func due(told *ledger.Told, items []Item, channel string, what []config.What, now time.Time, remind time.Duration) (m message) {
	for _, i := range items {
		if !wants(what, &i) {
			continue
		}
		if !lasting(&i) {
			m.fresh = append(m.fresh, i)
			continue
		}
		var t ledger.Telling
		ok := false
		if known := told.Item(string(i.What), i.ID()); known != nil {
			t, ok = known.Channels[channel]
		}
		switch {
		case !ok, !t.Until.IsZero() && !t.Until.After(now):
			m.fresh = append(m.fresh, i)
		case t.Until.IsZero() && i.Person && remind > 0 && now.Sub(t.At) >= remind:
			m.again = append(m.again, i)
		}
	}
	return m
}

// current returns what is remembered after a run: what is new is added, and what is settled is gone. What another run is at this moment
// is settled by nobody yet; a run that could not be made has settled nothing; and of what others came upon while this one was at work (first is what
// was remembered when it began to tell) it knows only what it has sent itself.
func current(told, first ledger.Told, items []Item, r *publish.Report, failed error, now time.Time) ledger.Told {
	open, out := map[ledger.ID]bool{}, map[ledger.ID]bool{}
	for i := range items {
		if lasting(&items[i]) {
			open[items[i].ID()] = true
		}
	}
	for i := range r.Waiting {
		if w := &r.Waiting[i]; w.State == plan.WaitSending {
			open[ledger.ID{Post: w.Post, Account: w.Account, Occurrence: w.Occurrence}] = true
		}
	}
	for i := range r.Deliveries {
		d := &r.Deliveries[i]
		id := ledger.ID{Post: d.Post, Account: d.Account, Occurrence: d.Occurrence}
		if out[id] = d.OK(); !d.OK() { // those that were not begun, too
			open[id] = true
		}
	}
	next := ledger.Told{Issue: told.Issue, Status: told.Status}
	for _, i := range told.Items {
		was := first.Item(i.What, i.ID())
		later := was == nil || !was.Since.Equal(i.Since) || i.Since.After(r.At)
		if failed != nil || open[i.ID()] || later && !out[i.ID()] {
			i.Channels = maps.Clone(i.Channels)
			next.Items = append(next.Items, i)
		}
	}
	for k := range items {
		if i := &items[k]; lasting(i) && next.Item(string(i.What), i.ID()) == nil {
			next.Items = append(next.Items, ledger.ToldItem{What: string(i.What), Post: i.Post, Account: i.Account, Occurrence: i.Occurrence, Since: now.UTC().Truncate(time.Second)})
		}
	}
	return next
}

// note says of items that a channel was told, or is being told when t has an end.
func note(told *ledger.Told, items []Item, channel string, t ledger.Telling) {
	t.At, t.Until = t.At.UTC().Truncate(time.Second), t.Until.UTC().Truncate(time.Second)
	for k := range items {
		i := told.Item(string(items[k].What), items[k].ID())
		if i == nil {
			continue // it has been settled meanwhile
		}
		if i.Channels == nil {
			i.Channels = map[string]ledger.Telling{}
		}
		i.Channels[channel] = t
	}
}

// release takes back that a run is at the issue: what it says is known by its digest.
func release(told *ledger.Told, channel, run string) {
	for k := range told.Items {
		if t, ok := told.Items[k].Channels[channel]; ok && t.Run == run && !t.Until.IsZero() {
			delete(told.Items[k].Channels, channel)
		}
	}
}

// busy reports whether another run is telling a channel of anything.
func busy(told *ledger.Told, channel, run string, now time.Time) bool {
	return slices.ContainsFunc(told.Items, func(i ledger.ToldItem) bool {
		t, ok := i.Channels[channel]
		return ok && t.Run != run && t.Until.After(now)
	})
}

// same reports whether nothing has to be written.
func same(a, b ledger.Told) bool {
	return reflect.DeepEqual(ledger.EncodeTold(a), ledger.EncodeTold(b))
}
