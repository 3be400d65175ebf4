package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// errPortTaken is in the error of a process that ended because its port was in use.
var errPortTaken = errors.New("its port was taken")

// stopGrace is how long a process may take to end after SIGTERM, before it is killed.
const stopGrace = 10 * time.Second

// program says how to start a process.
type program struct {
	name  string // of the server, for messages and its log file
	dir   string // working folder, which also gets the log
	env   []string
	argv  []string
	grace time.Duration // between SIGTERM and SIGKILL
}

// process is a child process that never outlives the process that started it.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string          // the file that holds what it wrote
	first <-chan string   // the first line it wrote to standard output
	ended <-chan struct{} // closed when it has ended
	err   error           // how it ended; valid once ended is closed
}

// run starts a program that runs until the test ends.
func run(tb testing.TB, g program) (*process, error) {
	tb.Helper()
	// Not the test's own context: that ends before the test's clean-up functions, which may still
	// want to talk to the server.
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	p, err := g.start(ctx)
	if err != nil {
		stop()
		return nil, err
	}
	tb.Cleanup(func() {
		stop()
		<-p.ended
		if tb.Failed() {
			tb.Logf("%s wrote:\n%s", p.name, p.tail())
		}
	})
	return p, nil
}

// start starts a program that runs until ctx ends.
func (g program) start(ctx context.Context) (*process, error) {
	log, err := os.OpenFile(filepath.Join(g.dir, g.name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	first, ended := make(chan string, 1), make(chan struct{})
	cmd := exec.CommandContext(ctx, g.argv[0], g.argv[1:]...)
	p := &process{name: g.name, cmd: cmd, log: log.Name(), first: first, ended: ended}
	cmd.Dir, cmd.Env = g.dir, g.env
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, &firstLine{found: first}), log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = g.grace
	dieWithParent(cmd)
	leadGroup(cmd)

	started := make(chan error)
	go func() {
		// The kernel ends the child when the thread that started it ends, which may be before this
		// process does: keep the thread for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			endGroup(cmd)
		}
	}()
	return p, <-started
}

// tail returns the end of what the process wrote.
func (p *process) tail() string {
	const most = 8 << 10
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	if len(b) > most {
		b = append([]byte("…"), b[len(b)-most:]...)
	}
	return string(b)
}

// early is the error for a process that ended before it was ready.
func (p *process) early() error {
	tail := p.tail()
	if strings.Contains(tail, "address already in use") {
		return fmt.Errorf("%s did not start: %w", p.name, errPortTaken)
	}
	return fmt.Errorf("%s ended before it was ready: %v; it wrote:\n%s", p.name, p.err, tail)
}

// firstLineOf waits for the first line the process writes to standard output.
func (p *process) firstLineOf(ctx context.Context) (string, error) {
	select {
	case line := <-p.first:
		return line, nil
	case <-p.ended:
		return "", p.early()
	case <-ctx.Done():
		return "", fmt.Errorf("%s is not ready: %w; it wrote:\n%s", p.name, ctx.Err(), p.tail())
	}
}

// answers waits until url answers 200.
func (p *process) answers(ctx context.Context, client *http.Client, url string) error {
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		err := probe(ctx, client, url)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return p.early()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w; it wrote:\n%s", p.name, err, p.tail())
		case <-every.C:
		}
	}
}

func probe(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, res.Status)
	}
	return nil
}

// firstLine is a writer that sends the first complete line written to it, and drops the rest.
type firstLine struct {
	found chan<- string // has room for one; nil once the line is sent
	line  []byte
}

func (w *firstLine) Write(b []byte) (int, error) {
	if w.found == nil {
		return len(b), nil
	}
	head, _, complete := bytes.Cut(b, []byte("\n"))
	w.line = append(w.line, head...)
	if complete {
		w.found <- string(w.line)
		w.found, w.line = nil, nil
	}
	return len(b), nil
}
