//go:build unix

package chaos_test

import (
	"os"
	"slices"
	"testing"
)

// scenario is something that goes wrong, by name.
type scenario struct {
	name string
	play func(*world)
}

// play plays scenarios, each in a world of its own, and then holds the promise against what is left. Scenarios with
// one name share a line of the table.
func play(t *testing.T, scenarios ...scenario) {
	t.Helper()
	for _, s := range scenarios {
		if slices.Contains(pending, s.name) && os.Getenv("CHAOS_PENDING") == "" {
			continue
		}
		results.declare(s.name)
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s.play(w)
			w.settle(w.settler()...)
			results.add(s.name, w.judge(), w.started)
		})
	}
}

// pending are scenarios that wait for a defect to be mended.
var pending = []string{
	"SIGTERM twice while the intent is pushed",
	"people: a post is withdrawn while the run that sends it is killed",
	"time: a lease ends while its run is suspended, inside a thread",
}
