//go:build unix

package chaos_test

import (
	"fmt"
	"testing"
)

// TestTogether starts publishers at the same moment, each from a clone of its own.
func TestTogether(t *testing.T) {
	var all []scenario
	for _, n := range []int{2, 4, 8} {
		name := fmt.Sprintf("%d publishers at once", n)
		all = append(all, scenario{name, func(w *world) {
			w.write(mixture()...)
			w.contend(n)
		}}, scenario{name, func(w *world) {
			w.write(mixture()...)
			w.together(n, machine{})
		}})
	}
	play(t, append(all, scenario{"4 publishers at once, on other machines, of which 2 are killed", func(w *world) {
		w.write(mixture()...)
		held := w.networks[fedi].stopAt(accepted, 2)
		b := newBarrier()
		var runs []*publisher
		for range 4 {
			runs = append(runs, w.start(w.clone(), machine{anonymous: true, start: b}))
		}
		b.open()
		held.wait()
		for _, run := range runs[:2] {
			run.kill()
		}
		held.release(pass)
		for _, run := range runs {
			run.wait()
		}
	}}, scenario{"2 publishers at once in one clone", func(w *world) {
		w.write(mixture()...)
		dir := w.clone()
		b := newBarrier()
		one, other := w.start(dir, machine{start: b}), w.start(dir, machine{start: b})
		b.open()
		one.wait()
		other.wait()
	}})...)
}

// contend runs n publishers whose intents arrive at the remote at the same moment: all have planned on the same ledger.
func (w *world) contend(n int) {
	w.t.Helper()
	var held []*stop
	for i := range n {
		held = append(held, w.pushes.stopAt(received, i+1))
	}
	var runs []*publisher
	for range n {
		runs = append(runs, w.start(w.clone(), machine{}))
	}
	for _, s := range held {
		s.wait()
	}
	for _, s := range held {
		s.release(pass)
	}
	for _, run := range runs {
		run.wait()
	}
}

// together runs n publishers that begin at one moment.
func (w *world) together(n int, m machine) {
	w.t.Helper()
	m.start = newBarrier()
	var runs []*publisher
	for range n {
		runs = append(runs, w.start(w.clone(), m))
	}
	m.start.open()
	for _, run := range runs {
		run.wait()
	}
}
