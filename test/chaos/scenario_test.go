//go:build unix

package chaos_test

import "testing"

// scenario is something that goes wrong, by name.
type scenario struct {
	name string
	play func(*world)
}

// play plays scenarios, each in a world of its own, and then holds the promise against what is left. Scenarios with
// one name share a line of the table; the short form plays only the first of them.
func play(t *testing.T, scenarios ...scenario) {
	t.Helper()
	for _, s := range scenarios {
		if !results.declare(s.name) && !*long {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s.play(w)
			w.settle(w.settler)
			results.add(s.name, w.judge(), w.started)
		})
	}
}
