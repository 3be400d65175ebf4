package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The test binary is also the program that the launcher starts in these tests: with childMode set it
// behaves as that says. Its life is seen at a connection to the address in childHome, which the kernel
// closes when it is gone.
const (
	childMode = "POSTRIDER_TEST_CHILD"
	childHome = "POSTRIDER_TEST_HOME"
)

// child never returns.
func child(mode string) {
	switch mode {
	case "fails":
		fmt.Fprintln(os.Stderr, "no such database")
		os.Exit(3)
	case "port taken":
		fmt.Fprintln(os.Stderr, "listen tcp 127.0.0.1:80: bind: address already in use")
		os.Exit(1)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "litters":
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childMode+"=stubborn")
		if err := cmd.Start(); err != nil {
			panic(err)
		}
	case "parent":
		g := childProgram(os.TempDir(), os.Getenv(childHome), "server")
		if _, err := g.start(context.Background()); err != nil {
			panic(err)
		}
	}
	home, err := net.Dial("tcp", os.Getenv(childHome))
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(home, "%s\n", mode)
	fmt.Printf("%s is ready\nand says more\n", mode)
	io.Copy(io.Discard, home)
	os.Exit(0)
}

func childProgram(dir, home, mode string) program {
	return program{
		name: "child", dir: dir, argv: []string{os.Args[0]}, grace: time.Minute,
		env: []string{childMode + "=" + mode, childHome + "=" + home, "TMPDIR=" + dir},
	}
}

// home is where children call.
type home struct{ net.Listener }

func newHome(t *testing.T) home {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return home{l}
}

// call waits until a child calls, and returns its mode and the open connection.
func (h home) call(t *testing.T) (string, *bufio.Reader) {
	t.Helper()
	c, err := h.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	r := bufio.NewReader(c)
	mode, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(mode), r
}

func TestProcessStops(t *testing.T) {
	for _, tt := range []struct {
		mode  string
		grace time.Duration
		want  string
	}{
		{"server", time.Minute, "signal: terminated"},
		{"stubborn", 50 * time.Millisecond, "signal: killed"},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			h := newHome(t)
			g := childProgram(t.TempDir(), h.Addr().String(), tt.mode)
			g.grace = tt.grace
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			p, err := g.start(ctx)
			if err != nil {
				t.Fatal(err)
			}
			line, err := p.firstLineOf(ctx)
			if want := tt.mode + " is ready"; line != want || err != nil {
				t.Errorf("first line %q, error %v, want %q", line, err, want)
			}
			_, conn := h.call(t)
			stop()
			<-p.ended
			if _, err := conn.ReadByte(); err == nil {
				t.Error("the child still lives")
			}
			if p.err == nil || p.err.Error() != tt.want {
				t.Errorf("ended with %v, want %s", p.err, tt.want)
			}
			if want := "and says more"; !strings.Contains(p.tail(), want) {
				t.Errorf("log %q, want %q in it", p.tail(), want)
			}
		})
	}
}

// A process whose test is over is gone, with the test's clean-up functions still served.
func TestRunEndsWithTest(t *testing.T) {
	h := newHome(t)
	var conn *bufio.Reader
	t.Run("test", func(t *testing.T) {
		p, err := run(t, childProgram(t.TempDir(), h.Addr().String(), "server"))
		if err != nil {
			t.Fatal(err)
		}
		_, conn = h.call(t)
		t.Cleanup(func() {
			select {
			case <-p.ended:
				t.Error("ended before the test's own clean-up")
			default:
			}
		})
	})
	if _, err := conn.ReadByte(); err == nil {
		t.Error("the child outlives its test")
	}
}

func TestProcessEndsEarly(t *testing.T) {
	for _, tt := range []struct {
		mode  string
		want  string
		taken bool
	}{
		{"fails", "child ended before it was ready: exit status 3; it wrote:\nno such database", false},
		{"port taken", "child did not start: its port was taken", true},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			p, err := childProgram(t.TempDir(), "", tt.mode).start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, line := p.firstLineOf(t.Context())
			answer := p.answers(t.Context(), &http.Client{}, "http://127.0.0.1:1/")
			for _, err := range []error{line, answer} {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
				if errors.Is(err, errPortTaken) != tt.taken {
					t.Errorf("error %v is errPortTaken: %t, want %t", err, !tt.taken, tt.taken)
				}
			}
		})
	}
}

func TestProcessAnswers(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/never" || asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	p := &process{name: "child"} // its end is not at stake
	if err := p.answers(t.Context(), server.Client(), server.URL); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := p.answers(ctx, server.Client(), server.URL+"/never")
	if err == nil || !strings.Contains(err.Error(), "child is not ready") {
		t.Errorf("error %v, want that it is not ready", err)
	}
}

func TestProcessNotThere(t *testing.T) {
	g := program{name: "none", dir: t.TempDir(), argv: []string{"/no/such/program"}}
	if _, err := g.start(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that there is none", err)
	}
}
