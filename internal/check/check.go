// Package check is the catalogue of checks: what Postrider finds wrong with a post beyond what reading the file and
// rendering it for a network already tell.
//
// Each check has a file of its own, with its documentation: why it matters, an example that it finds and one that
// it does not. A test runs the examples. Checks are pure; they see posts, the site's configuration and renderings,
// and no clock.
//
// A run goes over all posts with one [Pass] for each worker and ends with [Checker.Finish], which compares posts with
// each other and applies the ignores that stand in the files.
package check

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/config"
	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/post"
)

// Check is one rule of the catalogue.
type Check struct {
	Doc finding.Doc
	// Ignorable says that a file may ignore the check's code, with a reason. Those that guard against posts that go
	// wrong (unknown names, two posts with one id) are not.
	Ignorable bool

	online bool                                      // nothing here finds it: see [LinkGone] and what follows it
	site   func(*Checker, *finding.List)             // once
	post   func(*Pass, *post.Post)                   // for each post
	target func(*Pass, *Target)                      // for each account that a post goes to
	cross  func(*Checker, []sighting, *finding.List) // once, over all posts of one account
}

// All returns the catalogue, sorted by code.
func All() []Check {
	list := append(links(), []Check{
		altText(), bannedWords(), campaignSpan(), campaignUnknown(), cannotDelete(), cannotPublish(), cardFetched(), cardOfAnother(), cardOld(), collision(),
		embargo(), hashtags(), ignoreForm(), ignoreForbidden(), ignoreStale(), mediaMisnamed(), mediaPlace(), mediaWithoutAddress(), monthlyCap(), names(), namesLater(), noteLeak(), noTarget(), quiet(), sameText(), secrets(),
		tokenDead(), tokenDies(),
	}...)
	slices.SortFunc(list, func(a, b Check) int { return strings.Compare(string(a.Doc.Code), string(b.Doc.Code)) })
	return list
}

// Target is one post as one account gets it.
type Target struct {
	Account   *platform.Account
	Info      *platform.Info
	Variant   *post.Variant
	Rendering *platform.Rendering
}

// Checker holds what all passes share: the configuration, prepared. It is safe for concurrent use.
type Checker struct {
	cfg    *config.Site
	reg    *platform.Registry
	checks []Check
	infos  map[string]*platform.Info // by account name
	number map[string]int32          // of each account
	banned banned
	seed   maphash.Seed
	// Partial says that not all posts are there to be compared: no ignore is called stale whose code only a comparison reports.
	Partial bool
}

// New returns a checker for a site.
func New(cfg *config.Site, reg *platform.Registry) *Checker {
	c := &Checker{
		cfg: cfg, reg: reg, checks: All(), banned: newBanned(cfg.Style.Banned), seed: maphash.MakeSeed(),
		infos: make(map[string]*platform.Info, len(cfg.Accounts)), number: make(map[string]int32, len(cfg.Accounts)),
	}
	for i := range cfg.Accounts {
		a := &cfg.Accounts[i]
		if info, ok := reg.Info(a.Platform); ok {
			c.infos[a.Name] = &info
		}
		c.number[a.Name] = int32(i)
	}
	return c
}

// Info returns the facts of an account's platform, nil for an account that the site does not have.
func (c *Checker) Info(account string) *platform.Info { return c.infos[account] }

// Pass collects what one worker finds. It is for one goroutine.
type Pass struct {
	c       *Checker
	out     finding.List
	ignores []ignore
	links   []Link
	seen    [][]sighting // by account
	hash    maphash.Hash

	from    int // the first finding of the post at hand
	targets int // of the post at hand

	counting bool // remarks are counted and not kept
	remarks  int
	ignored  int // how many ignores there were before the post at hand

	quietAt, quietEnd time.Time // the last answer of quiet: most accounts get a post at one time
	bannedIn          string    // the last text that was searched for banned words
	bannedHits        []hit
}

// sighting is what the comparison of posts needs of one target.
type sighting struct {
	post    *post.Post
	words   uint64 // hash of all that is said; 0 without any text
	at      int64  // seconds since 1970; 0 without a time
	cost    platform.USD
	account int32
	inert   bool // a draft or withdrawn
}

// Pass returns a pass for one more worker.
func (c *Checker) Pass() *Pass {
	p := &Pass{c: c, seen: make([][]sighting, len(c.cfg.Accounts))}
	p.hash.SetSeed(c.seed)
	return p
}

// CountRemarks makes the pass count the remarks about single posts instead of keeping them: on a large site they are most of
// what is found. Those of a file that ignores something are kept, since that takes looking at them.
func (p *Pass) CountRemarks() { p.counting = true }

// Remarks returns how many remarks were counted and not kept; call it after [Checker.Finish].
func (p *Pass) Remarks() int { return p.remarks }

// Post begins a post, and checks it by itself. Calls of Target for its accounts follow.
func (p *Pass) Post(x *post.Post) {
	p.close()
	for i := range p.c.checks {
		if f := p.c.checks[i].post; f != nil {
			f(p, x)
		}
	}
	p.readIgnores(x)
}

// Target checks what one account gets, and notes it for the comparison with other posts.
func (p *Pass) Target(t *Target) {
	for i := range p.c.checks {
		if f := p.c.checks[i].target; f != nil {
			f(p, t)
		}
	}
	p.targets++
	p.Sight(t.Variant, p.c.Cost(t.Account, t.Rendering))
}

// Sight only notes what an account gets, for the comparison with other posts, and what that costs (see [Checker.Cost]).
func (p *Pass) Sight(v *post.Variant, cost platform.USD) {
	s := sighting{post: v.Post, cost: cost, words: p.words(v), account: p.c.number[v.Account], inert: v.Draft || v.Withdraw}
	if !v.PublishAt.IsZero() {
		s.at = v.PublishAt.Unix()
	}
	p.seen[s.account] = append(p.seen[s.account], s)
}

// close ends a post: what was found for all its accounts alike becomes one finding.
func (p *Pass) close() {
	if p.targets > 1 {
		p.out = p.out[:p.from+len(collapse(p.out[p.from:], p.targets))]
	}
	if p.counting && len(p.ignores) == p.ignored {
		p.countRemarks()
	}
	p.from, p.targets, p.ignored = len(p.out), 0, len(p.ignores)
}

// countRemarks takes the remarks out of the findings of the post at hand; what was found twice counts once, as it does in a
// list that is sorted.
func (p *Pass) countRemarks() {
	own := p.out[p.from:]
	slices.SortStableFunc(own, func(a, b finding.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	kept := 0
	for kept < len(own) && own[kept].Severity > finding.Info {
		kept++
	}
	remarks := own[kept:]
	remarks.Sort()
	p.remarks += len(remarks)
	p.out = p.out[:p.from+kept]
}

// Add adds findings that come from elsewhere, such as a renderer, to those that Finish merges.
func (p *Pass) Add(f ...finding.Finding) { p.out.Add(f...) }

func (p *Pass) report(code finding.Code, s finding.Severity, x *post.Post, r finding.Range, message, hint string) {
	p.out.Add(finding.Finding{Code: code, Severity: s, Path: x.Path, Range: r, Post: x.ID, Message: message, Hint: hint})
}

// Finish compares posts with each other and returns the findings of all passes, sorted. keep, unless nil, says of
// which files findings are wanted. Each pass must have taken its posts in the order of their paths. What is found for every account of a
// post alike becomes one finding about the post; what the files ignore is left out. The passes are empty afterwards.
func (c *Checker) Finish(keep func(path string) bool, passes ...*Pass) finding.List {
	n := 0
	for _, p := range passes {
		p.close()
		n += len(p.out)
	}
	out := make(finding.List, 0, n)
	var ignores []ignore
	for _, p := range passes {
		out = append(out, p.out...)
		ignores = append(ignores, p.ignores...)
		p.out = nil
	}
	for i := range c.checks {
		if f := c.checks[i].site; f != nil {
			f(c, &out)
		}
	}
	out = append(out, c.compare(passes)...)
	mask(out)
	if keep != nil {
		out = slices.DeleteFunc(out, func(f finding.Finding) bool { return !keep(f.Path) })
	}
	out = c.applyIgnores(out, ignores)
	out.Sort()
	return append(make(finding.List, 0, len(out)), out...) // it is kept for long, and what it was made in is larger
}

// FinishAlone is [Checker.Finish] for a pass that has seen one post, to be looked at by itself: it compares nothing, does not check the
// site, and does not call an ignore stale whose code only a comparison of posts reports.
func (c *Checker) FinishAlone(p *Pass) finding.List {
	p.close()
	mask(p.out)
	out := c.applyIgnores(p.out, slices.DeleteFunc(p.ignores, func(g ignore) bool { return c.compares(g.code) }))
	out.Sort()
	*p = *c.Pass()
	return out
}

// compare returns what the comparison of posts finds.
func (c *Checker) compare(passes []*Pass) finding.List {
	byAccount := make([][]sighting, len(c.cfg.Accounts))
	lists := make([]finding.List, len(byAccount))
	var workers sync.WaitGroup
	for a := range byAccount {
		workers.Go(func() {
			for _, p := range passes {
				byAccount[a] = merge(byAccount[a], p.seen[a])
				p.seen[a] = nil
			}
			for i := range c.checks {
				if f := c.checks[i].cross; f != nil {
					f(c, byAccount[a], &lists[a])
				}
			}
		})
	}
	workers.Wait()

	out := slices.Concat(lists...)
	slices.SortStableFunc(out, func(a, b finding.Finding) int { return strings.Compare(a.Path, b.Path) })
	kept := out[:0]
	for i := 0; i < len(out); {
		j := i + 1
		for j < len(out) && out[j].Path == out[i].Path {
			j++
		}
		targets := 0
		for _, seen := range byAccount {
			if _, ok := slices.BinarySearchFunc(seen, out[i].Path, func(s sighting, path string) int { return strings.Compare(s.post.Path, path) }); ok {
				targets++
			}
		}
		kept = append(kept, collapse(out[i:j], targets)...)
		i = j
	}
	return kept
}

// merge merges two lists that are sorted by path, as workers that take one post after the other make them.
func merge(a, b []sighting) []sighting {
	if len(a) == 0 {
		return b
	}
	all := make([]sighting, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].post.Path <= b[0].post.Path {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// collapse makes one finding without an account of those of one post that are alike for all of its accounts. It reorders and
// shortens list, and returns what is left.
func collapse(list finding.List, targets int) finding.List {
	if len(list) < 2 || targets < 2 {
		return list
	}
	slices.SortFunc(list, func(a, b finding.Finding) int {
		return cmp.Or(compareApart(&a, &b), strings.Compare(a.Account, b.Account))
	})
	list = slices.Compact(list)
	kept := list[:0]
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && compareApart(&list[i], &list[j]) == 0 {
			j++
		}
		if list[i].Account != "" && j-i == targets {
			list[i].Account = ""
			kept = append(kept, list[i])
		} else {
			kept = append(kept, list[i:j]...)
		}
		i = j
	}
	return kept
}

// compareApart compares two findings about one file, leaving their accounts aside.
func compareApart(a, b *finding.Finding) int {
	return cmp.Or(
		strings.Compare(string(a.Code), string(b.Code)),
		cmp.Compare(a.Range.Start.Line, b.Range.Start.Line),
		cmp.Compare(a.Range.Start.Column, b.Range.Start.Column),
		cmp.Compare(a.Range.End.Line, b.Range.End.Line),
		cmp.Compare(a.Range.End.Column, b.Range.End.Column),
		cmp.Compare(a.Severity, b.Severity),
		strings.Compare(a.Message, b.Message),
		strings.Compare(a.Hint, b.Hint),
		strings.Compare(a.Post, b.Post),
	)
}

// mend gives the finding that came last the fix that writes another word for one that stands in r, "" for none.
func (p *Pass) mend(x *post.Post, r finding.Range, old, with string) {
	if with == "" || x.Text == "" {
		return
	}
	if fix, ok := finding.NewLocator([]byte(x.Text)).Fix(r, old, with); ok {
		p.out[len(p.out)-1].Fix = fix
	}
}

// didYouMean returns a hint: the known word that is near, else otherwise.
func didYouMean(word string, known []string, otherwise string) string {
	if near := content.Nearest(word, known); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return otherwise
}

// list phrases words for a hint.
func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
