//go:build unix

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform/fakenet"
)

// TestRandom plays schedules in which chance decides what is published, what fails, who dies and who comes along. All
// decisions follow from the seed.
func TestRandom(t *testing.T) {
	const name = "random schedules"
	results.declare(name)
	for seed := *firstSeed; seed < *firstSeed+*seeds; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("repeat it with: go test ./test/chaos -run TestRandom -seed %d -seeds 1 -v", seed)
				}
			})
			s := &schedule{world: newWorld(t)}
			s.rnd = rand.New(rand.NewPCG(seed, 0))
			if s.chance(35) {
				s.overHTTP()
			}
			s.write(s.somePosts()...)
			s.old = s.clone()
			for step := range 3 + s.rnd.IntN(3) {
				// Each step has chances of its own: what comes after must not depend on who was faster in it.
				s.rnd = rand.New(rand.NewPCG(seed, uint64(step)+1))
				s.breakNetworks()
				s.step()
				s.endStep()
			}
			s.clock.advance(s.ahead) // what a fast clock wrote into the ledger comes to pass
			s.settle(oneOf(s, s.old, ""))
			results.add(name, s.judge(), s.started)
		})
	}
}

// schedule is a world in which chance decides what happens.
type schedule struct {
	*world
	rnd   *rand.Rand
	old   string        // a clone that is there all the time
	ahead time.Duration // by how much the fastest clock was
}

// chance is true so often in a hundred times.
func (s *schedule) chance(percent int) bool { return s.rnd.IntN(100) < percent }

func oneOf[T any](s *schedule, list ...T) T { return list[s.rnd.IntN(len(list))] }

// minutes returns a time of so many minutes, at most.
func (s *schedule) minutes(most int) time.Duration {
	return time.Duration(s.rnd.IntN(most*60)) * time.Second
}

// somePosts returns a few posts of all kinds.
func (s *schedule) somePosts() []*post {
	var posts []*post
	for i := range 2 + s.rnd.IntN(3) {
		p := thread(fmt.Sprintf("post%04d", i+1), 1)
		if s.chance(35) {
			p = thread(p.id, 2+s.rnd.IntN(3))
		}
		p.head = "late: publish\n"
		p.picture = s.chance(15)
		switch s.rnd.IntN(5) {
		case 0:
			p.due = time.Time{}
		case 1:
			p.due = start.Add(s.minutes(60))
		}
		if s.chance(40) {
			p.accounts = nil
			for _, account := range accounts {
				if s.chance(60) {
					p.accounts = append(p.accounts, account)
				}
			}
			if p.accounts == nil {
				p.accounts = []string{gts}
			}
		}
		posts = append(posts, p)
	}
	return posts
}

// breakNetworks has each network fail or not, in any way but refusing the text for good.
func (s *schedule) breakNetworks() {
	faults := fakenet.AllFaults()
	for _, account := range accounts {
		switch {
		case s.chance(40):
			fault := oneOf(s, faults...).Fault
			skip, count := s.rnd.IntN(5), oneOf(s, 1, 1, 1, 2, 3, -1)
			if fault != fakenet.Refuse {
				s.fault(account, fault, skip, count)
			}
		case s.chance(10):
			at, nth, v := oneOf(s, opened, arrived, accepted), 1+s.rnd.IntN(5), oneOf(s, abort, abort, pass)
			s.networks[account].stopAt(at, nth).release(v)
			s.note("%s: request %d is reset when %s", account, nth, at)
		case s.chance(5):
			s.networks[account].down()
			s.note("%s refuses connections", account)
		}
	}
}

// someMachine returns one that publishes: mostly like this one, sometimes elsewhere, sometimes with a wrong clock.
func (s *schedule) someMachine() machine {
	m := machine{anonymous: s.chance(50)}
	if s.chance(20) {
		m.skew = oneOf(s, 24*time.Hour, time.Hour, 7*time.Minute, -7*time.Minute, -time.Hour)
		s.ahead = max(s.ahead, m.skew)
	}
	if s.chance(4) {
		m.full, m.blocks = true, s.rnd.IntN(5)
	}
	return m
}

// someClone returns the one that is there all the time, or one that is new, as in CI.
func (s *schedule) someClone() string {
	switch {
	case s.chance(40):
		return s.old
	case s.chance(40):
		return s.cloned("--depth=1")
	default:
		return s.clone()
	}
}

// someStop holds a request or a push.
func (s *schedule) someStop() *stop {
	if s.server != nil && s.chance(25) {
		return s.server.stopAny(oneOf(s, opened, arrived, accepted, answered), 1+s.rnd.IntN(9))
	}
	if s.chance(35) {
		return s.pushes.stopAt(oneOf(s, asked, received, received, committed), 1+s.rnd.IntN(2))
	}
	n := s.networks[oneOf(s, accounts...)]
	at, nth := oneOf(s, opened, arrived, accepted, answered), 1+s.rnd.IntN(5)
	if s.chance(30) {
		return n.stopAny(at, nth+s.rnd.IntN(6))
	}
	return n.stopAt(at, nth)
}

// step is one thing that happens.
func (s *schedule) step() {
	s.t.Helper()
	switch s.rnd.IntN(13) {
	case 0, 1:
		s.publish(s.someClone(), s.someMachine())
	case 2, 3, 4:
		s.interrupt(func(p *publisher) { p.kill() })
	case 5:
		s.interrupt(func(p *publisher) { p.terminate() })
	case 6:
		p := s.start(s.someClone(), s.someMachine())
		time.Sleep(time.Duration(s.rnd.IntN(120)) * time.Millisecond) // at any moment
		p.kill()
		s.note("%s was killed at any moment", p.name)
		p.gone()
	case 7:
		s.crowd()
	case 8, 9:
		s.overlap()
	case 10:
		s.losesRemote()
	case 11:
		s.suspend()
	case 12:
		s.person()
		s.publish(s.someClone(), s.someMachine())
	}
}

// endStep lifts what was broken for the step, and lets some time pass.
func (s *schedule) endStep() {
	s.heal()
	for _, p := range s.publishers {
		p.gone()
	}
	s.clock.advance(s.minutes(25))
}

// interrupt does something to a run at an exact point.
func (s *schedule) interrupt(how func(*publisher)) {
	s.t.Helper()
	held, v := s.someStop(), oneOf(s, pass, abort, die)
	p := s.start(s.someClone(), s.someMachine())
	if held.waitOr(p.ended) {
		s.note("%s meets its fate at %s, then %d", p.name, held.name, v)
		how(p)
	}
	held.release(v)
	if p.killed {
		p.gone()
		return
	}
	p.wait()
}

// crowd starts several publishers at one moment, of which some die.
func (s *schedule) crowd() {
	s.t.Helper()
	b := newBarrier()
	var held *stop
	if s.chance(40) {
		held = s.someStop()
	}
	var runs []*publisher
	for range oneOf(s, 2, 2, 3, 3, 4, 4, 8) {
		m := s.someMachine()
		m.start = b
		runs = append(runs, s.start(s.someClone(), m))
	}
	dies, v := runs[s.rnd.IntN(len(runs))], oneOf(s, pass, abort)
	b.open()
	if held != nil {
		if held.waitOr(dies.ended) {
			s.note("%s dies while somebody is at %s", dies.name, held.name)
			dies.kill()
		}
		held.release(v)
	}
	for _, p := range runs {
		if p.killed {
			p.gone()
		} else {
			p.wait()
		}
	}
}

// overlap has a run wait for something while time passes, others come and people act.
func (s *schedule) overlap() {
	s.t.Helper()
	held, v := s.someStop(), oneOf(s, pass, pass, abort)
	m := s.someMachine()
	m.patient = true
	p := s.start(s.someClone(), m)
	other := s.someClone()
	// What is on its way to a network arrives within a minute or never: whoever does not find it later may believe that.
	// Everything else may take its time.
	if held.waitOr(p.ended) {
		s.note("%s waits at %s, then %d", p.name, held.name, v)
		for range 1 + s.rnd.IntN(3) {
			s.calm()
			if !held.open {
				s.clock.advance(s.minutes(12))
			}
			if s.chance(20) {
				s.person()
			}
			s.publish(other, s.someMachine())
		}
	}
	held.release(v)
	p.wait()
}

// suspend puts a machine to sleep in the middle of a run, and lets others go on.
func (s *schedule) suspend() {
	s.t.Helper()
	held, v := s.someStop(), oneOf(s, pass, pass, abort)
	m := s.someMachine()
	m.patient = true
	p := s.start(s.someClone(), m)
	other := s.clone()
	if held.waitOr(p.ended) {
		s.note("%s falls asleep at %s, then %d", p.name, held.name, v)
		p.pause()
		held.release(v)
		s.calm()
		for range 1 + s.rnd.IntN(3) {
			s.clock.advance(s.minutes(15))
			s.publish(other, s.someMachine())
		}
		p.resume()
	}
	held.release(v)
	p.wait()
}

// losesRemote takes the remote away in the middle of a run, for up to an hour.
func (s *schedule) losesRemote() {
	s.t.Helper()
	held := s.someStop()
	dir := s.someClone()
	p := s.start(dir, s.someMachine())
	if held.waitOr(p.ended) {
		s.note("%s is at %s", p.name, held.name)
		s.unplug()
	}
	held.release(pass)
	p.wait()
	if s.chance(50) {
		s.clock.advance(s.minutes(60))
		s.publish(dir, s.someMachine())
	}
	s.plug()
}

// person does something to the repository.
func (s *schedule) person() {
	s.t.Helper()
	switch s.rnd.IntN(5) {
	case 0:
		s.edit()
	case 1:
		s.note("somebody deletes the ledger branch")
		s.git(s.remote, "update-ref", "-d", ledgerRef)
	case 2:
		if s.exists(ledgerRef + "^") {
			s.note("somebody sets the ledger branch back")
			s.git(s.remote, "update-ref", ledgerRef, ledgerRef+"^")
		}
	case 3:
		s.rewriteMain("")
	case 4:
		s.write(&post{id: fmt.Sprintf("more%04d", len(s.posts)), parts: []string{fmt.Sprintf("One more, number %d.", len(s.posts))}, head: "late: publish\n"})
		s.note("somebody writes one more post")
	}
}
