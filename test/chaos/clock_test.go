//go:build unix

package chaos_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

// start is when every world begins: a Tuesday morning in Berlin.
var start = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)

// rate is how much faster than real time a world's clock runs: a back-off of seconds takes a moment.
const rate = 20

// clock is the time of a world. Networks and publishers share it through a file (see cmd/postrider, clock_chaos.go),
// so that hours can pass while a publisher runs.
type clock struct {
	file string

	mu      sync.Mutex
	world   time.Time // the world's time …
	machine time.Time // … at this moment
}

func newClock(t *testing.T, file string) *clock {
	t.Helper()
	c := &clock{file: file}
	c.set(start)
	return c
}

// now returns the world's time.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at(time.Now())
}

func (c *clock) at(machine time.Time) time.Time {
	return c.world.Add(machine.Sub(c.machine) * rate)
}

// advance lets time pass for everybody, publishers at work included.
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// set moves the clock to a time.
func (c *clock) set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.world, c.machine = to, time.Now().Round(0)
	text := fmt.Sprintf("%d %d %d\n", c.world.UnixNano(), c.machine.UnixNano(), rate)
	temporary := c.file + ".new"
	//nolint:gosec // some publishers run as another user
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
		panic(err)
	}
	if err := os.Rename(temporary, c.file); err != nil {
		panic(err)
	}
}
