//go:build unix

package chaos_test

import (
	"testing"
	"time"
)

// TestKill kills a run at each point of its sequence, with everything that it has in its memory. Then another machine
// takes over: at once where the process is proved dead, else as soon as its lease has ended.
func TestKill(t *testing.T) {
	points := []struct {
		name string
		stop func(*world) *stop
		then verdict // what becomes of what was held, once the process is dead
	}{
		{"before the intent", beforeFetch, pass},
		{"before the push of the intent", atPush(received, 1), abort},
		{"while the intent is pushed", atPush(received, 1), pass},
		{"after the push of the intent", atPush(committed, 1), pass},
		{"before a request that never arrives", atRequest(gts, arrived, 1), abort},
		{"before a request that is on its way", atRequest(gts, arrived, 1), pass},
		{"after acceptance by GoToSocial", atRequest(gts, accepted, 1), abort},
		{"after acceptance by Mastodon", atRequest(fedi, accepted, 1), abort},
		{"after acceptance by Bluesky", atRequest(bsky, accepted, 1), abort},
		{"after acceptance by a webhook", atRequest(hook, accepted, 1), abort},
		{"between parts of a thread", atRequest(gts, arrived, 4), abort},
		{"between parts of a thread", atRequest(fedi, accepted, 4), abort},
		{"between parts of a thread", atRequest(bsky, answered, 4), abort},
		{"after the response, before the receipt", atRequest(gts, answered, 1), abort},
		{"between two posts", atRequest(hook, arrived, 2), abort},
		{"before the push of the receipt", atPush(received, 2), abort},
		{"while the receipt is pushed", atPush(received, 2), pass},
		{"after the push of the receipt", atPush(committed, 2), pass},
	}
	var all []scenario
	for i, p := range points {
		for j := range 2 {
			m := machine{anonymous: (i+j)%2 == 1}
			all = append(all, scenario{"kill -9 " + p.name, func(w *world) {
				w.write(mixture()...)
				held := p.stop(w)
				run := w.startUntil(held, w.clone(), m)
				run.kill()
				w.note("killed")
				held.release(p.then)
				run.gone()
			}})
		}
	}
	play(t, all...)
}

// TestKillRepeated kills a run that sends a post for the second time, with the same text: the first must not be taken
// for it.
func TestKillRepeated(t *testing.T) {
	var all []scenario
	for _, at := range []phase{arrived, accepted} {
		for _, account := range accounts {
			all = append(all, scenario{"kill -9 when a repeated post goes out again", func(w *world) {
				p := &post{id: "rept0001", parts: []string{"Good morning, again."}, repeats: 2, head: "late: publish\npublish_at: 2026-12-01 08:30\nrepeat: FREQ=DAILY;COUNT=2\n"}
				w.write(p)
				w.publish(w.clone(), machine{})
				w.clock.advance(24 * time.Hour)
				held := w.networks[account].stopAt(at, 1)
				w.startUntil(held, w.clone(), machine{anonymous: true}).kill()
				held.release(abort)
			}})
		}
	}
	all[0], all[2] = all[2], all[0] // GoToSocial first: it has nothing but look-up
	play(t, all...)
}

// TestTerminate asks a run to end at each point of its sequence, once or twice.
func TestTerminate(t *testing.T) {
	points := []struct {
		name string
		stop func(*world) *stop
	}{
		{"while the intent is pushed", atPush(received, 1)},
		{"during a request", atRequest(gts, accepted, 1)},
		{"inside a thread", atRequest(bsky, arrived, 4)},
		{"while the receipt is pushed", atPush(received, 2)},
	}
	var all []scenario
	for _, p := range points {
		all = append(all, scenario{"SIGTERM " + p.name, func(w *world) {
			w.write(mixture()...)
			held := p.stop(w)
			run := w.startUntil(held, w.clone(), machine{})
			run.terminate()
			held.release(pass)
			run.wait()
		}}, scenario{"SIGTERM twice", func(w *world) {
			w.write(mixture()...)
			held := p.stop(w)
			run := w.startUntil(held, w.clone(), machine{})
			run.insist()
			held.release(pass)
			run.wait()
		}})
	}
	play(t, all...)
}

// startUntil starts a run and waits until it has come to a stop.
func (w *world) startUntil(s *stop, dir string, m machine) *publisher {
	w.t.Helper()
	run := w.start(dir, m)
	if !s.waitOr(run.ended) {
		w.t.Fatalf("the run ended before %s: %s", s.name, run.wait().brief())
	}
	return run
}

func atRequest(account string, at phase, nth int) func(*world) *stop {
	return func(w *world) *stop { return w.networks[account].stopAt(at, nth) }
}

func atPush(at string, nth int) func(*world) *stop {
	return func(w *world) *stop { return w.pushes.stopAt(at, nth) }
}

// beforeFetch holds a run as it asks the remote for the first time.
func beforeFetch(w *world) *stop { return w.pushes.stopAt(asked, 1) }
