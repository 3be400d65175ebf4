package publish_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/gitrepo"
	"github.com/postrider/postrider/internal/ledger"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/publish"
)

var (
	firstSeed = flag.Uint64("seed", 1, "the first seed of TestRandomSchedules")
	seeds     = flag.Uint64("seeds", 8, "how many of them")
)

// TestRandomSchedules lets runs meet faults, die, be stopped, run beside each other and have wrong clocks, as
// the seed has it. In the end every part is out exactly once and on record.
func TestRandomSchedules(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c := newChaos(t, seed)
			for range 4 {
				c.breakNetworks()
				c.step()
				c.clock.Advance(time.Duration(c.rnd.IntN(20)) * time.Minute)
			}
			c.inject(fakenet.None, 0)
			repo := c.here()
			for range 14 { // runs that wait for a back-off do nothing
				c.clock.Advance(20 * time.Minute)
				c.run(repo)
			}
			c.exactlyOnce(5, bsky, fedi, gts)
			c.exactlyOnce(2, hook)
			for id, r := range c.records() {
				if r.State != ledger.Published {
					t.Errorf("%s is %s: %s", id, r.State, r.Last().Error)
				}
			}
			if t.Failed() {
				t.Logf("steps: %q", c.steps)
			}
		})
	}
}

// chaos is a world in which chance decides what happens.
type chaos struct {
	*world
	rnd   *rand.Rand
	steps []string
	old   *gitrepo.Repo // a clone that stays
}

func newChaos(t *testing.T, seed uint64) *chaos {
	t.Helper()
	w := newWorld(t, map[string]string{
		"a": post("aaaa1111", "late: publish\n", "Hello."), "b": post("bbbb2222", "late: publish\n", "World."),
		"c": post("cccc3333", "late: publish\nplatforms: [bsky, fedi, gts]\n", "One.\n\n---\n\nTwo.\n\n---\n\nThree."),
	})
	return &chaos{world: w, rnd: rand.New(rand.NewPCG(seed, 0)), old: w.clone()}
}

func (c *chaos) note(format string, args ...any) {
	c.steps = append(c.steps, fmt.Sprintf(format, args...))
}

// breakNetworks has each network fail or not, in any way but refusing the text.
func (c *chaos) breakNetworks() {
	faults := fakenet.AllFaults()
	for _, account := range all {
		p := fakenet.Plan{Fault: faults[c.rnd.IntN(len(faults))].Fault, Skip: c.rnd.IntN(4), Count: 1 + c.rnd.IntN(2), Hang: time.Nanosecond, Elsewhere: "http://127.0.0.1:1/"}
		if c.rnd.IntN(2) == 0 || p.Fault == fakenet.Refuse {
			p = fakenet.Plan{}
		}
		c.note("%s: %s after %d", account, p.Fault, p.Skip)
		c.fakes[account].Inject(p)
	}
}

// step makes one or two runs.
func (c *chaos) step() {
	repo := c.old
	if c.rnd.IntN(3) > 0 {
		repo = c.clone()
	}
	if c.rnd.IntN(4) == 0 {
		c.shift = time.Duration(c.rnd.IntN(3)-1) * time.Hour
		c.note("clock off by %s", c.shift)
		defer func() { c.shift = 0 }()
	}
	n := c.rnd.IntN(25)
	var mu sync.Mutex
	count := func(*http.Request) bool { // whether it is request number n
		mu.Lock()
		defer mu.Unlock()
		n--
		return n == 0
	}
	switch c.rnd.IntN(5) {
	case 0:
		c.note("run")
		c.run(repo)
	case 4:
		c.note("run that tries three times")
		c.runAs(repo, setup{desk: three})
	case 1:
		owner, after := []string{"", "dead"}[c.rnd.IntN(2)], c.rnd.IntN(2) == 0
		c.note("crash at %d, after it %v, proved %q", n, after, owner)
		c.mayCrash(repo, owner, func(r *http.Request, answered bool) bool { return answered == after && count(r) })
	case 2:
		c.note("two runs")
		c.twoRuns(repo, c.clone())
	case 3:
		c.note("stop at %d", n)
		stop := make(chan struct{})
		c.runAs(repo, setup{desk: func(d *publish.Desk) { d.Stop = stop }, before: func(r *http.Request) {
			if count(r) {
				close(stop)
			}
		}})
	}
}

func (c *chaos) twoRuns(repos ...*gitrepo.Repo) {
	c.t.Helper()
	var wg sync.WaitGroup
	for _, repo := range repos {
		d, err := c.open(repo, setup{})
		if err != nil {
			c.t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := d.Do(c.t.Context()); err != nil {
				c.t.Error(err)
			}
		})
	}
	wg.Wait()
}
