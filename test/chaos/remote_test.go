//go:build unix

package chaos_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The points at which dealings with the remote can be held.
const (
	asked     = "asked"       // a publisher is about to ask what the remote has
	received  = "pre-receive" // the remote has all of it, and has moved nothing
	committed = "committed"   // the branch is moved, and nothing is answered
)

// origin is the name of the remote.
const origin = "origin"

// overHTTP lets clones that are made from now on speak HTTP with the remote: publishers then speak git's protocol
// themselves. Requests of the remote can be held like those of networks.
func (w *world) overHTTP() {
	w.t.Helper()
	w.git(w.remote, "config", "http.receivepack", "true")
	program := filepath.Join(strings.TrimSpace(w.git(w.dir, "--exec-path")), "git-http-backend")
	w.server = serve(w.t, origin, func(string) http.Handler {
		backend := &cgi.Handler{
			Path: program, Dir: w.dir, Stderr: io.Discard, Logger: log.New(io.Discard, "", 0),
			Env: append(w.environ(), "GIT_PROJECT_ROOT="+w.dir, "GIT_HTTP_EXPORT_ALL=1"),
		}
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body) // CGI wants to know how long it is
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
			backend.ServeHTTP(rw, r)
		})
	})
}

// pushes holds pushes of the ledger branch at the remote. Its hooks ring a bell, a named pipe, and then wait in
// another one for the verdict.
type pushes struct {
	t      *testing.T
	remote string
	dir    string
	bell   *os.File

	mu     sync.Mutex
	stops  []*pushStop
	opened []*os.File
	killed bool // the remote's git was killed on the spot, and what it left is not the publisher's
}

type pushStop struct {
	*stop
	at   string
	left int
}

// holdPushes makes ready to hold pushes to a remote. Hooks are in place only while something is to be held.
func holdPushes(t *testing.T, remote, dir string) *pushes {
	t.Helper()
	return &pushes{t: t, remote: remote, dir: dir}
}

// stopAt holds the nth push of the ledger from now on, counted from 1, at a point.
func (p *pushes) stopAt(at string, nth int) *stop {
	p.t.Helper()
	p.install()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &pushStop{stop: newStop(p.t, fmt.Sprintf("push %d, %s", nth, at)), at: at, left: nth}
	p.stops = append(p.stops, s)
	return s.stop
}

// install puts the hooks in place.
func (p *pushes) install() {
	p.t.Helper()
	if p.bell == nil {
		name := filepath.Join(p.dir, "bell")
		if err := mkfifo(name); err != nil {
			p.t.Fatal(err)
		}
		var err error
		if p.bell, err = os.OpenFile(name, os.O_RDWR, 0); err != nil { // also for writing, so that it is never at its end
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { p.bell.Close() })
		go p.listen()
	}
	// $$ names the pipe: there is one hook of a kind at a time in each process.
	ask := fmt.Sprintf("go='%s'/go-$$; mkfifo \"$go\"; echo \"$point $go\" >'%s'; read v <\"$go\"; rm -f \"$go\"\n", p.dir, filepath.Join(p.dir, "bell"))
	verdict := "case $v in 1) echo 'the branch is protected' >&2; exit 1;; 2) kill -9 $PPID; exit 1;; esac\nexit 0\n"
	ours := "grep -q ' refs/heads/postrider/ledger$' || exit 0\n"
	p.hook("pre-receive", "point="+received+"\n"+ours+ask+verdict)
	// What a publisher reads, no hook sees: git itself stops, for all whose PATH says so.
	program, err := exec.LookPath("git")
	if err != nil {
		p.t.Fatal(err)
	}
	p.script(filepath.Join(p.dir, "bin", "git"), "for a; do case $a in ls-remote|fetch) point="+asked+"; "+strings.ReplaceAll(ask, "\n", "; ")+" break;; esac; done\nexec "+program+" \"$@\"\n")
	p.hook("reference-transaction", "[ \"$1\" = committed ] || exit 0\npoint="+committed+"\n"+ours+ask+verdict)
}

func (p *pushes) hook(name, script string) {
	p.t.Helper()
	p.script(filepath.Join(p.remote, "hooks", name), script)
}

func (p *pushes) script(name, script string) {
	p.t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o777)
	if err == nil {
		err = os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o777) //nolint:gosec // it is run
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// listen answers the hooks until the bell is taken down.
func (p *pushes) listen() {
	lines := bufio.NewScanner(p.bell)
	for lines.Scan() {
		point, answer, _ := strings.Cut(lines.Text(), " ")
		go p.answer(point, answer)
	}
}

func (p *pushes) answer(point, pipe string) {
	v := pass
	if s := p.due(point); s != nil {
		v = s.hold()
	}
	if v == die {
		p.mu.Lock()
		p.killed = true
		p.mu.Unlock()
	}
	f, err := os.OpenFile(pipe, os.O_RDWR, 0) // never blocks, also when the hook was killed
	if err != nil {
		return // the world has ended
	}
	p.mu.Lock()
	p.opened = append(p.opened, f) // what is written is lost if it is closed before the hook has read it
	p.mu.Unlock()
	fmt.Fprintln(f, int(v)) //nolint:errcheck // the hook may be gone
}

// due returns the stop that a push is for, nil when it is for none.
func (p *pushes) due(point string) (due *pushStop) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.stops {
		if s.at == point {
			if s.left--; s.left == 0 {
				due = s
			}
		}
	}
	return due
}

// refuse has the remote refuse every push of the ledger branch, as a protected branch does.
func (p *pushes) refuse() {
	p.t.Helper()
	p.hook("update", "[ \"$1\" = refs/heads/postrider/ledger ] || exit 0\necho 'the branch is protected' >&2\nexit 1\n")
}

// heal removes the hooks and lets go what they hold.
func (p *pushes) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.stops {
		s.release(abort)
	}
	p.stops = nil
	os.RemoveAll(filepath.Join(p.remote, "hooks"))
	os.RemoveAll(filepath.Join(p.dir, "bin"))
}

// close ends everything; no hook runs any more.
func (p *pushes) close() {
	p.heal()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.opened {
		f.Close()
	}
	p.opened = nil
}
