//go:build chaos && unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/postrider/postrider/internal/cli"
)

// surroundings lets the harness of test/chaos decide what time it is. No released program is built like this.
//
//   - POSTRIDER_CHAOS_CLOCK names a file with three numbers: the harness's time at one moment, this machine's
//     time at that moment, both in nanoseconds since 1970, and how many times faster than this machine's
//     the harness's clock runs. It is read whenever the program asks for the time, so that it can change
//     while the program runs.
//   - POSTRIDER_CHAOS_SKEW says by how much the clock of this program is wrong: "24h", "-1h".
//   - POSTRIDER_CHAOS_SLEEP names a file. While the harness holds a lock on it, whoever asks for the time waits: so
//     the harness can stop the process where it is, and be sure that it is not between a look at the clock and what
//     that look allows.
//   - POSTRIDER_CHAOS_ANONYMOUS makes this process look as if it ran on another machine.
//
// A limit on the size of files is like a full disk: writing more fails, and kills nobody.
func surroundings(env cli.Env) cli.Env {
	c := chaosClock{file: env.Getenv("POSTRIDER_CHAOS_CLOCK"), sleep: env.Getenv("POSTRIDER_CHAOS_SLEEP")}
	if skew := env.Getenv("POSTRIDER_CHAOS_SKEW"); skew != "" {
		var err error
		if c.skew, err = time.ParseDuration(skew); err != nil {
			panic(err)
		}
	}
	signal.Ignore(syscall.SIGXFSZ)
	env.Now, env.Wait = c.now, c.wait
	env.Anonymous = env.Getenv("POSTRIDER_CHAOS_ANONYMOUS") != ""
	return env
}

type chaosClock struct {
	file, sleep string
	skew        time.Duration
}

// awake returns once nobody wants the process to sleep.
func (c chaosClock) awake() {
	if c.sleep == "" {
		return
	}
	f, err := os.Open(c.sleep)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	for err = syscall.EINTR; err == syscall.EINTR; { //nolint:errorlint // it is a number
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH)
	}
	if err != nil {
		panic(err)
	}
}

// read returns the harness's time, and how fast it runs.
func (c chaosClock) read() (now time.Time, rate float64) {
	if c.file == "" {
		return time.Now(), 1
	}
	c.awake()
	text, err := os.ReadFile(c.file)
	if err != nil {
		panic(err)
	}
	var harness, machine int64
	if _, err := fmt.Sscan(string(text), &harness, &machine, &rate); err != nil {
		panic(fmt.Sprintf("%s: %v", c.file, err))
	}
	passed := time.Since(time.Unix(0, machine))
	return time.Unix(0, harness).Add(time.Duration(float64(passed) * rate)), rate
}

func (c chaosClock) now() time.Time {
	now, _ := c.read()
	return now.Add(c.skew)
}

// wait returns once the harness's clock has moved on by d.
func (c chaosClock) wait(ctx context.Context, d time.Duration) error {
	const look = 10 * time.Millisecond // how often it is seen that the clock was moved
	for until := c.now().Add(d); ; {
		now, rate := c.read()
		left := until.Sub(now.Add(c.skew))
		if left <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(min(look, time.Duration(float64(left)/rate)+time.Microsecond))
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}
