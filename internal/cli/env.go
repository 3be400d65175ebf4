package cli

import (
	"context"
	"crypto/rand"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/postrider/postrider/internal/platform"
)

// Env is everything that the program takes from its surroundings. [System] returns the real one;
// tests make their own and run the whole program in their process.
type Env struct {
	Args    []string // without the program's name
	Environ []string // "KEY=VALUE", the last of a key counts
	Dir     string   // the working folder, absolute

	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Which of the streams are a terminal: colours, progress bars and questions depend on it.
	StdinTerminal, StdoutTerminal, StderrTerminal bool

	// Zone returns the IANA name of this machine's time zone, "" where it is not known.
	Zone func() string
	Now  func() time.Time
	Wait func(context.Context, time.Duration) error // sleeps, or returns the context's error
	Rand io.Reader                                  // a source of ids
	HTTP *http.Client                               // the only way to networks

	// Anonymous leaves out of leases which process holds them, so that nobody can prove its death: how a run on
	// another machine looks.
	Anonymous bool

	// Interrupt delivers the signals that ask the program to end. The first lets a publishing run finish
	// what is in flight, the second ends that too.
	Interrupt <-chan os.Signal
	// Release ends the delivery: the next signal has its usual effect, should the program hang.
	Release func()
	// Hangup begins to deliver the signals that ask the program to read its files anew; until it is called they have their
	// usual effect. nil where there are none.
	Hangup func() <-chan os.Signal

	Registry *platform.Registry
	Sample   fs.FS // the sample site that demo publishes
}

// System returns the surroundings of this process, with the platforms of a registry and the sample site.
func System(registry *platform.Registry, sample fs.FS) Env {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // a folder that was removed: what needs it will say so
	}
	interrupt := make(chan os.Signal, 2)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	return Env{
		Args:           os.Args[1:],
		Environ:        os.Environ(),
		Dir:            dir,
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		StdinTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Zone:           localZone,
		Now:            time.Now,
		Wait:           wait,
		Rand:           rand.Reader,
		HTTP:           &http.Client{Transport: http.DefaultTransport},
		Interrupt:      interrupt,
		Release:        func() { signal.Stop(interrupt) },
		Hangup:         hangup,
		Registry:       registry,
		Sample:         sample,
	}
}

// Getenv returns the value of an environment variable, "" when it is not set.
func (e *Env) Getenv(name string) string {
	for i := len(e.Environ) - 1; i >= 0; i-- {
		if key, value, _ := strings.Cut(e.Environ[i], "="); key == name {
			return value
		}
	}
	return ""
}

func hangup() <-chan os.Signal {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	return asked
}

// localZone looks where every Unix with zoneinfo files keeps the choice of its administrator.
func localZone() string {
	target, err := os.Readlink("/etc/localtime")
	if err != nil {
		return ""
	}
	_, name, _ := strings.Cut(target, "zoneinfo/")
	return name
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
