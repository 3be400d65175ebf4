package review

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/plan"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/site"
)

// aside are the posts that a change of site.yaml leaves as they are. It may have them go out otherwise all the same: it may hold them, let them
// go, or have them wait for another hour.
type aside struct {
	wanted        bool            // the rules by which posts go out have changed
	posts         [][2]*post.Post // before and after
	before, after []plan.Target
}

// sameRules reports whether two configurations have the same post go out at the same time.
func sameRules(a, b *config.Site) bool {
	sameCap := func(x, y platform.Account) bool { return x.Name == y.Name && x.MonthlyCap == y.MonthlyCap }
	return reflect.DeepEqual(a.Schedule, b.Schedule) && reflect.DeepEqual(a.Hold, b.Hold) && a.Location.String() == b.Location.String() &&
		slices.EqualFunc(a.Accounts, b.Accounts, sameCap)
}

// keepAside notes a post that says the same as before, with what is wrong with it on both sides.
func (m *maker) keepAside(before, after *post.Post, p *Post, was, now finding.List) {
	m.aside.posts = append(m.aside.posts, [2]*post.Post{before, after})
	for i := range p.Targets {
		t := &p.Targets[i]
		m.aside.before = append(m.aside.before, m.planned(m.Sides.Before, p, t, t.Before, was))
		m.aside.after = append(m.aside.after, m.planned(m.Sides.After, p, t, t.After, now))
	}
}

// moved adds those of them to the review that go out otherwise. While site.yaml has errors nothing goes out, which is said of all.
func (m *maker) moved() error {
	if len(m.aside.posts) == 0 || broken(m.Sides.Before) || broken(m.Sides.After) {
		return nil
	}
	was, err := m.outcomes(m.Sides.Before, m.aside.before)
	if err != nil {
		return err
	}
	now, err := m.outcomes(m.Sides.After, m.aside.after)
	if err != nil {
		return err
	}
	differs := map[string]bool{} // by path
	for i := range m.aside.after {
		t := &m.aside.after[i]
		if at := (place{t.Post, t.Path, t.Account}); was[at] != now[at] {
			differs[t.Path] = true
		}
	}
	for _, sides := range m.aside.posts {
		if p := sides[1]; differs[p.Path] {
			m.out.Posts = append(m.out.Posts, m.postOf(sides[0], p))
		}
	}
	slices.SortStableFunc(m.out.Posts, func(a, b Post) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

// outcome is what becomes of a target, without the words.
type outcome struct {
	verb Verb
	at   time.Time
}

// outcomes plans for one side. What is not in the result has nothing left to do.
func (m *maker) outcomes(s *site.Snapshot, targets []plan.Target) (map[place]outcome, error) {
	rules := plan.RulesOf(s.Config)
	rules.Approval = nil
	made, err := plan.Make(plan.Input{Now: m.Now, Targets: targets, Ledger: m.Ledger, Rules: rules, Exists: m.exists})
	if err != nil {
		return nil, err
	}
	list := make(map[place]outcome, len(made.Waiting)+len(made.Actions))
	for i := range made.Waiting {
		w := &made.Waiting[i]
		e := waiting(w)
		list[place{w.Post, w.Path, w.Account}] = outcome{e.Verb, e.At.UTC()}
	}
	for i := range made.Actions {
		a := &made.Actions[i]
		list[place{a.Post, a.Path, a.Account}] = outcome{acting(a).Verb, time.Time{}}
	}
	return list, nil
}
