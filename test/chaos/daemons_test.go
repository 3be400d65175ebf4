//go:build unix

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	webhook "github.com/postrider/postrider/internal/adapters/webhook/fake"
	"github.com/postrider/postrider/internal/ledger"
)

// How many worlds with daemons are played.
const (
	fewFleets  = 2
	manyFleets = 40
)

// TestDaemons plays schedules in which those who publish are daemons, several on one repository, with an ordinary run between them. In every other world
// they are killed at moments that chance chooses, and started again; in all of them answers are lost and the remote fails. People are told of what is open
// on a channel: at least once, and exactly once where nobody died. In the end the daemons alone bring everything to its end.
func TestDaemons(t *testing.T) {
	names := map[bool]string{true: "daemons that are killed and started again", false: "daemons of which none dies"}
	results.declare(names[true])
	results.declare(names[false])
	for seed := *firstSeed; seed < *firstSeed+fleets(); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("repeat it with: go test ./test/chaos -run TestDaemons -seed %d -seeds 1 -v", seed)
				}
			})
			f := newFleet(t, seed)
			for step := range 3 + f.rnd.IntN(2) {
				f.rnd = rand.New(rand.NewPCG(seed, uint64(step)+1))
				f.breakNetworks()
				f.trouble()
				f.endStep()
			}
			f.finish()
			f.settle(oneOf(f.schedule, f.old, ""))
			sum := f.judge()
			f.judgeTold()
			results.add(names[f.deadly], sum, f.started)
		})
	}
}

// fleets returns how many worlds with daemons are to be played.
func fleets() uint64 {
	switch {
	case seedsAsked > 0:
		return seedsAsked
	case *long:
		return manyFleets
	}
	return fewFleets
}

// team is the channel on which people are told.
const team = "team"

// fleet is a world in which daemons publish.
type fleet struct {
	*schedule
	deadly  bool // daemons are killed
	daemons []*publisher
	dirs    []string // their clones
}

// newFleet returns a world with a few posts and two or three daemons. The odd seeds are deadly.
func newFleet(t *testing.T, seed uint64) *fleet {
	t.Helper()
	f := &fleet{schedule: &schedule{world: newWorld(t), rnd: rand.New(rand.NewPCG(seed, 0))}, deadly: seed%2 == 1}
	if f.chance(35) {
		f.overHTTP()
	}
	f.tellTeam()
	f.more()
	f.old = f.clone()
	for range oneOf(f.schedule, 2, 2, 3) {
		f.dirs = append(f.dirs, f.clone())
		f.daemons = append(f.daemons, nil)
	}
	f.raise()
	return f
}

// tellTeam has people told of what is open, on a channel that takes every message for another one.
func (w *world) tellTeam() {
	w.t.Helper()
	w.networks[team] = serve(w.t, team, func(base string) http.Handler {
		return webhook.New(webhook.Options{Base: base, Secret: hookSecret, Now: w.clock.now})
	})
	w.env = append(w.env, "POSTRIDER_TEAM_SECRET="+hookSecret)
	w.commit(map[string]string{"site.yaml": w.site(fmt.Sprintf("notify:\n  remind: 0\n  channels:\n    team: {platform: webhook, url: %q}\n", w.networks[team].base()+webhook.PlainPath))})
}

// raise starts every daemon that does not run, and waits until it is at work: a signal before that is nobody's to catch.
func (f *fleet) raise() {
	f.t.Helper()
	for i, d := range f.daemons {
		if d == nil {
			f.daemons[i] = f.start(f.dirs[i], machine{daemon: true, anonymous: f.chance(50)})
			f.daemons[i].logged("opened git repository")
		}
	}
}

// more merges one more post.
func (f *fleet) more() {
	f.t.Helper()
	p := thread(fmt.Sprintf("post%04d", len(f.posts)+1), oneOf(f.schedule, 1, 1, 2))
	p.head = "late: publish\n"
	p.due = time.Time{}
	if f.chance(30) {
		p.due = f.clock.now().Add(f.minutes(3)).Truncate(time.Second)
	}
	f.write(p)
	f.note("%s is merged", p.id)
}

// trouble is one thing that happens while daemons are at work on a post.
func (f *fleet) trouble() {
	f.t.Helper()
	held, v := f.someStop(), oneOf(f.schedule, pass, abort)
	message := f.networks[team].stopAny(oneOf(f.schedule, arrived, accepted), 1)
	if f.chance(40) {
		message.release(pass)
	}
	f.more()
	if n := f.rnd.IntN(5); f.deadly && n < 3 {
		i := f.rnd.IntN(len(f.daemons))
		at := oneOf(f.schedule, held, held, message)
		reached := at.reached(oneOf(f.schedule, 200*time.Millisecond, time.Second))
		f.note("%s is killed (%s: %v)", f.daemons[i].name, at.name, reached)
		f.daemons[i].kill()
		held.release(v)
		message.release(v)
		f.daemons[i].gone()
		f.daemons[i] = nil
	} else if n < 4 {
		if held.reached(time.Second) {
			f.note("somebody is at %s, then %d", held.name, v)
		}
		f.cutOff()
		held.release(v)
		f.publish(f.old, machine{})
		f.reconnect()
	} else {
		i := f.rnd.IntN(len(f.daemons))
		f.note("%s is asked to end", f.daemons[i].name)
		held.release(v)
		message.release(pass)
		f.leave(i)
	}
	if message.reached(100 * time.Millisecond) {
		f.note("people are just being told")
	} else {
		message.release(pass)
	}
	f.publish(f.someClone(), f.someWell())
	message.release(pass)
	f.raise()
}

// cutOff lets nobody who asks from now on reach the remote; who is at it already, ends that.
func (f *fleet) cutOff() {
	f.t.Helper()
	f.note("the remote cannot be reached")
	if f.server != nil {
		f.server.down()
		return
	}
	program, err := exec.LookPath("git")
	if err != nil {
		f.t.Fatal(err)
	}
	f.pushes.script(filepath.Join(f.dir, "bin", "git"), "for a; do case $a in ls-remote|fetch|push) echo 'fatal: unable to access the remote' >&2; exit 128;; esac; done\nexec "+program+" \"$@\"\n")
}

// reconnect takes that back.
func (f *fleet) reconnect() {
	f.t.Helper()
	if f.server != nil {
		f.server.up()
	}
	if err := os.RemoveAll(filepath.Join(f.dir, "bin")); err != nil {
		f.t.Fatal(err)
	}
}

// someWell returns a machine with a right clock and room on its disk.
func (f *fleet) someWell() machine { return machine{anonymous: f.chance(50)} }

// endStep lifts what was broken, and lets some time pass for all.
func (f *fleet) endStep() {
	f.t.Helper()
	f.heal()
	f.leap(f.minutes(10))
}

// leave has a daemon end, as a system that shuts down does.
func (f *fleet) leave(i int) {
	f.t.Helper()
	d := f.daemons[i]
	f.daemons[i] = nil
	d.terminate()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-d.ended:
	case <-timer.C:
		f.t.Fatalf("%s does not end:\n%s", d.name, tail(d.err.Name()))
	}
	d.gone()
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		f.t.Errorf("%s ended with %d:\n%s", d.name, code, d.stderr)
	}
}

// leap lets much time pass for all at once. What is on its way to a network arrives before that: nobody may find it later than he believes.
func (f *fleet) leap(d time.Duration) {
	f.t.Helper()
	if !f.deadly { // who is believed to have died while he told is told for
		f.until("nobody is about to tell people", func() bool { return !f.telling() || f.unsure() })
	}
	for _, p := range f.daemons {
		p.pause()
	}
	f.calm()
	f.clock.advance(d)
	for _, p := range f.daemons {
		p.resume()
	}
}

// finish has the daemons do all that is left to do, without anybody else, and then end.
func (f *fleet) finish() {
	f.t.Helper()
	f.heal()
	f.note("faults are lifted, and the daemons go on alone")
	looked := time.Now()
	f.until("the daemons have done everything", func() bool {
		if time.Since(looked) < 100*time.Millisecond {
			return false
		}
		if f.done() {
			return true
		}
		f.leap(4 * time.Minute)
		looked = time.Now()
		return false
	})
	for i := range f.daemons {
		f.leave(i)
	}
	f.clock.advance(20 * time.Minute) // what somebody was only about to tell, others tell now
}

// done reports whether everything is out, or waits for a person who was told.
func (f *fleet) done() bool {
	records, told := f.records(), f.told()
	for _, p := range f.posts {
		for _, account := range p.to() {
			r := records[p.id+"@"+account]
			if f.isUnknown(r) && told[remark{p.id, account, "may be out or not"}] > 0 || r != nil && r.State == ledger.Published {
				continue
			}
			return false
		}
	}
	return true
}

// remark is what people were told of a delivery.
type remark struct{ post, account, state string }

// told counts what people were told on the channel.
func (w *world) told() map[remark]int {
	count := map[remark]int{}
	for _, message := range w.networks[team].fake.Posts() {
		for line := range strings.Lines(message.Text) {
			_, rest, ok := strings.Cut(line, "Title of ")
			post, rest, ok2 := strings.Cut(rest, " → ")
			account, state, ok3 := strings.Cut(rest, ": ")
			if ok && ok2 && ok3 {
				count[remark{strings.Trim(post, "*"), account, strings.TrimSpace(state)}]++
			}
		}
	}
	return count
}

// judgeTold fails the test unless people were told of everything that waits for them, and not twice where nobody has died: neither a daemon, nor its
// connection with the ledger between a message and the note that it was sent, which it then says itself.
func (f *fleet) judgeTold() {
	f.t.Helper()
	told, once := f.told(), !f.deadly && !f.unsure()
	for id, r := range f.records() {
		if !f.isUnknown(r) {
			continue
		}
		if n := told[remark{r.Post, r.Account, "may be out or not"}]; n == 0 || n > 1 && once {
			f.t.Errorf("people were told %d times of %s, which waits for them", n, id)
			for _, p := range f.publishers {
				f.t.Logf("%s:\n%s", p.name, p.stderr)
			}
		}
	}
}

// telling reports whether the ledger says that somebody is about to tell people of something.
func (w *world) telling() bool {
	w.t.Helper()
	text, err := w.tryGit(w.remote, nil, "show", ledgerRef+":"+ledger.ToldFile)
	if err != nil {
		return false // nothing is open
	}
	told, err := ledger.DecodeTold([]byte(text))
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", ledger.ToldFile, err, text)
	}
	return slices.ContainsFunc(told.Items, func(i ledger.ToldItem) bool { return i.Channels[team].Until.After(w.clock.now()) })
}

// unsure reports whether anybody has said that people may be told again of what they know.
func (w *world) unsure() bool {
	return slices.ContainsFunc(w.publishers, func(p *publisher) bool {
		b, err := os.ReadFile(p.err.Name())
		return err == nil && strings.Contains(string(b), "may be told again")
	})
}

// reached reports whether anything comes to a point within a while.
func (s *stop) reached(within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-s.arrived:
		return true
	case <-timer.C:
		return false
	}
}
