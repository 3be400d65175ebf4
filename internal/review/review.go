// Package review says what a branch changes, as it will be seen: which posts, what each account gets instead of what, what merging it
// does, and what is newly wrong or right.
//
// A [Review] is data, made from two snapshots of a site and a view of the ledger; [Review.Markdown] writes it as a comment on a pull
// request. Nothing here touches the network, a repository or a clock.
package review

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/media"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/site"
)

// Sides are a site before and after a change. What the change does not concern they share.
type Sides struct {
	Before, After *site.Snapshot
	changed       []string // sorted
}

// Load reads a site at both sides of a change. changed names the files that differ between the two, relative to the site's folder. Of all
// others, media are not looked at: nothing that is reviewed shows them.
func Load(ctx context.Context, before, after fs.FS, reg *platform.Registry, changed ...string) (*Sides, error) {
	s := &Sides{changed: slices.Sorted(slices.Values(changed))}
	var err error
	if s.touches(config.File) { // what it changes may concern every post
		if s.Before, err = site.Load(ctx, before, reg, site.Options{}); err == nil {
			s.After, err = site.Load(ctx, after, reg, site.Options{})
		}
		return s, err
	}
	same, err := site.Load(ctx, after, reg, site.Options{Media: unread{}})
	if err != nil {
		return nil, err
	}
	if s.After, err = same.Update(ctx, site.Options{}, changed...); err != nil {
		return nil, err
	}
	s.Before, err = s.After.In(before).Update(ctx, site.Options{}, changed...)
	return s, err
}

// unread is a [media.Prober] that says nothing of any file.
type unread struct{}

// Probe implements [media.Prober].
func (unread) Probe(fs.FS, string) (media.Info, error) { return media.Info{}, nil }

func (s *Sides) touches(file string) bool {
	_, ok := slices.BinarySearch(s.changed, file)
	return ok
}

// Input is all that a review depends on.
type Input struct {
	Sides    *Sides
	Registry *platform.Registry
	Now      time.Time
	Ledger   ledger.View // what is out, and what was tried; nil: nothing is known of that
}

// Review is what a change does.
type Review struct {
	At       time.Time // when this was true
	Location *time.Location
	Posts    []Post // what changes, sorted by path
	Config   bool   // site.yaml is among what changes

	New, Fixed finding.List // what is wrong since the change, and no longer; sorted
	Bills      []Bill       // what the posts cost that go out by themselves, sorted by account and month
	Repairs    []Repair     // which of New can be mended in one way only, sorted by path and line
	Standing   int          // how much of what is wrong with these posts was wrong before
}

// Kind says what a change does to a post's file.
type Kind string

// The kinds of changes.
const (
	Added   Kind = "added"
	Edited  Kind = "edited"
	Moved   Kind = "moved" // and perhaps edited, too
	Removed Kind = "removed"
	Caused  Kind = "caused" // the file is as it was; what it gets, when it goes out, or an error in it, comes from site.yaml or a picture
)

// Post is one post that a change concerns.
type Post struct {
	ID, Path, Title string
	Was             string // the path before, of one that moved
	Kind            Kind
	Targets         []Target // sorted by account
}

// Target is a post for one account.
type Target struct {
	Account  string
	Platform platform.ID
	Name     string // the platform's
	// Before and After are what it gets; nil on a side where the post does not go there.
	Before, After *site.Rendered
	// Fingerprint is that of After's rendering, "" without one.
	Fingerprint string
	// Same says that what it gets stays the same, to the byte.
	Same   bool
	Timing []Shift // what else changes
	Effect Effect
	// Approval is how many people must have approved it before it goes out or is edited; 0: nobody.
	Approval int
	Cost     platform.Cost // what it is estimated to cost if it goes out; nil where the network charges nothing
	// TokenEnds is the day on which the account's token dies, by site.yaml, if that is before it goes out; zero when it lasts.
	TokenEnds time.Time
}

// Shift is a setting that changes what becomes of a post, and not what it says: "publish_at" from one time to another.
type Shift struct{ Name, Before, After string }

// Effect is what merging a change does to a target.
type Effect struct {
	Verb Verb
	At   time.Time // of Schedule: when
	Why  string    // of Wait and Nothing: a sentence for people; of Schedule: what else it waits for
}

// Verb is what happens.
type Verb string

// The verbs.
const (
	Publish  Verb = "publish"  // it goes out with the next run
	Schedule Verb = "schedule" // it goes out at its time
	Update   Verb = "update"   // what is out is edited
	Withdraw Verb = "withdraw" // what is out is taken down
	Wait     Verb = "wait"     // it does not go out, or not by itself
	Nothing  Verb = "nothing"
)

// Make reviews a change.
func Make(ctx context.Context, in Input) (*Review, error) {
	m := maker{Input: in, out: &Review{At: in.Now, Location: in.Sides.After.Config.Location, Config: in.Sides.touches(config.File)}}
	if m.Ledger == nil {
		m.Ledger = noLedger{}
	}
	m.aside.wanted = m.out.Config && !sameRules(in.Sides.Before.Config, in.Sides.After.Config)
	m.posts()
	if err := m.moved(); err != nil {
		return nil, err
	}
	m.findings(ctx)
	if ctx.Err() != nil { // the findings may not be all
		return nil, context.Cause(ctx)
	}
	if err := errors.Join(m.effects(), m.repairs(ctx)); err != nil {
		return nil, err
	}
	return m.out, nil
}

type maker struct {
	Input
	out   *Review
	wrong finding.List // with the posts of the review, after the change
	aside aside
}

// posts finds the posts that the change concerns. A post is known by its id, so that one whose file moves stays the same.
func (m *maker) posts() {
	before, after := distinct(m.Sides.Before.Posts, m.Sides.After.Posts)
	old := make(map[string]*post.Post, len(before))
	for _, p := range before {
		if _, twice := old[p.ID]; !twice {
			old[p.ID] = p
		}
	}
	for _, p := range after {
		was := old[p.ID]
		delete(old, p.ID)
		m.add(was, p)
	}
	for _, p := range before {
		if old[p.ID] == p {
			delete(old, p.ID)
			m.add(p, nil)
		}
	}
	slices.SortStableFunc(m.out.Posts, func(a, b Post) int { return strings.Compare(a.Path, b.Path) })
}

// distinct returns the posts of two snapshots that they do not share.
func distinct(before, after []*post.Post) (b, a []*post.Post) {
	shared := make(map[*post.Post]bool, len(after))
	for _, p := range before {
		shared[p] = true
	}
	for _, p := range after {
		if shared[p] {
			delete(shared, p)
		} else {
			a = append(a, p)
		}
	}
	for _, p := range before {
		if shared[p] {
			b = append(b, p)
		}
	}
	return b, a
}

// postOf makes a post of the review. One of the two may be nil.
func (m *maker) postOf(before, after *post.Post) Post {
	either := after
	if either == nil {
		either = before
	}
	p := Post{ID: either.ID, Path: either.Path, Title: secret.Mask(either.Title)}
	switch {
	case before == nil:
		p.Kind = Added
	case after == nil:
		p.Kind = Removed
	case before.Path != after.Path:
		p.Kind, p.Was = Moved, before.Path
	case m.Sides.touches(after.Path):
		p.Kind = Edited
	default:
		p.Kind = Caused
	}
	p.Targets = m.targets(before, after)
	return p
}

// add notes a post if the change concerns it. One of the two may be nil.
func (m *maker) add(before, after *post.Post) {
	p := m.postOf(before, after)
	concerns := func(t Target) bool { return !t.Same || len(t.Timing) > 0 }
	if p.Kind != Caused || slices.ContainsFunc(p.Targets, concerns) {
		m.out.Posts = append(m.out.Posts, p)
		return
	}
	was, now := m.Sides.Before.CheckPost(before), m.Sides.After.CheckPost(after)
	switch {
	case without(now, was).HasErrors():
		m.out.Posts = append(m.out.Posts, p)
	case m.aside.wanted:
		m.keepAside(before, after, &p, was, now)
	}
}

// targets returns what all accounts get that have to do with a post on either side.
func (m *maker) targets(before, after *post.Post) []Target {
	byName := map[string]*Target{}
	of := func(a *platform.Account) *Target {
		t := byName[a.Name]
		if t == nil {
			info, _ := m.Registry.Info(a.Platform)
			t = &Target{Account: a.Name, Platform: a.Platform, Name: info.Name}
			byName[a.Name] = t
		}
		return t
	}
	if before != nil {
		for _, a := range m.Sides.Before.Accounts(before) {
			r := m.Sides.Before.Render(before, a)
			of(a).Before = &r
		}
	}
	if after != nil {
		for _, a := range m.Sides.After.Accounts(after) {
			r := m.Sides.After.Render(after, a)
			t := of(a)
			t.After, t.Fingerprint = &r, r.Rendering.Fingerprint()
		}
	}
	list := make([]Target, 0, len(byName))
	for _, t := range byName {
		if t.Before != nil && t.After != nil {
			t.Same = t.Before.Rendering.Fingerprint() == t.Fingerprint
			t.Timing = m.shifts(&t.Before.Variant, &t.After.Variant)
		}
		list = append(list, *t)
	}
	slices.SortFunc(list, func(a, b Target) int { return strings.Compare(a.Account, b.Account) })
	return list
}

// shifts compares what is written about a post besides what it says.
func (m *maker) shifts(before, after *post.Variant) (list []Shift) {
	add := func(name, b, a string) {
		if a != b {
			list = append(list, Shift{name, b, a})
		}
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return clockTime(t, m.out.Location)
	}
	yes := func(b bool) string {
		if b {
			return "true"
		}
		return ""
	}
	add("publish_at", at(before.PublishAt), at(after.PublishAt))
	add("expires_at", at(before.ExpiresAt), at(after.ExpiresAt))
	add("draft", yes(before.Draft), yes(after.Draft))
	add("withdraw", yes(before.Withdraw), yes(after.Withdraw))
	add("repeat", before.Repeat, after.Repeat)
	add("late", string(before.Late), string(after.Late))
	add("embargo", string(before.Embargo), string(after.Embargo))
	add("campaign", before.Campaign, after.Campaign)
	return list
}
